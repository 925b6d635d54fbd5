# SPDX-License-Identifier: BSD-2-Clause
"""How fast sluice is, measured. docs/benchmarks/README.md says how, and what for.

__main__.py    arguments; the parts in their order (scripts/bench.sh calls it)
program.py     part 1: what the program costs per packet
wire.py        part 2: packets a second through a veth and back, against bare XDP_TX
clients.py     part 3: wrk and iperf3, against HAProxy, nginx, nftables and routing
control.py     part 4: loading, a change of health, checks, memory
compare.py     part 1 of two revisions side by side
instructions.py  part 1 in instructions, counted in a guest: of one revision, or of two
keep.py        the last results, kept under docs/benchmarks/
bed.py         the namespaces of parts 1 and 2
scenarios.py   the services and packets of parts 1 and 2
contenders.py  what part 3 compares
results.py     tables, statistics, JSON, and whose machine it was

The C programs here send the frames: program_cost.c (part 1), wire.c (part 2). All
that is made lives in namespaces of a lab (tests/lab) and goes with it.
"""

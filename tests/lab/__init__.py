# SPDX-License-Identifier: BSD-2-Clause
"""A laboratory of network namespaces for sluice's tests.

netns.py     Lab and Namespace: what is made, and its removal whatever happens
topology.py  the two networks: `routed` and `one_arm`
servers.py   real servers behind the balancer: nginx, dnsmasq, iperf3
clients.py   clients that keep asking
daemon.py    sluiced and sluicectl, and HTTP to the daemon's socket
packets.py   frames built and judged with scapy; raw sending and capturing
traffic.py   conversations that notice when they are cut, and floods
pace.py      datagrams at a pace, when they arrive, and whether that is within a limit
maps.py      what the pinned maps hold
limits.py    where a source is in the limiter's gate
testrun.py   BPF_PROG_TEST_RUN of what the daemon has pinned
vrrp.py      keepalived, which moves addresses between machines
xdp.py       an XDP program that passes everything
wait.py      waiting for a condition, never for a time

Nothing of the machine's own network is touched: every link is made inside two
namespaces of the lab, and no address of the machine is used.
"""

# SPDX-License-Identifier: BSD-2-Clause
"""Part 1, program cost: build/bench/program-cost times the program that a real
sluiced has loaded, configured and pinned. Each set of services has a daemon of its own.
"""

import json
import os
import statistics

from lab import wait
from lab.daemon import BUILD, Daemon
from lab.netns import Lab
from lab.packets import IP, TCP, UDP, Ether, IPv6
from lab.testrun import Action, Program

from . import results
from .bed import BACKENDS, NEAR_MAC, Bed
from .scenarios import MANY, MOVED, MOVED_FLOWS, OTHERS, ROWS, configuration, many, many_lines

TABLE_SIZE = 65537  # of a service, if nothing is said
PROGRAM_COST = os.path.join(BUILD, "bench", "program-cost")


class Set:
    """Services that one daemon has, the lines that measure them, and what is done first.
    against: services of another daemon, which is measured beside it where it can be.
    more: other keys of the configuration.
    """

    def __init__(self, name, services, lines, prepare=None, against=None, **more):
        self.name, self.services, self.lines = name, services, lines
        self.prepare, self.against, self.more = prepare, against, more

    def only(self, text):
        """Whether lines are left whose names contain the text."""
        self.lines = [line for line in self.lines if results.wanted(text, line.split()[0])]
        return bool(self.lines)


def sets():
    yield Set("rows", [row.service() for row in ROWS], [*(row.line() for row in ROWS), *OTHERS])
    yield moved()
    for count in MANY:
        yield Set(f"services-{count}", many(count), list(many_lines(count)),
                  against=many(1) if count > 1 else None)


def moved():
    return Set("moved", [row.service() for row in MOVED], [row.line() for row in MOVED], move,
               flows=MOVED_FLOWS)


def move(daemon):
    """Puts every slot into transition: half of the backends drain and come back, then
    the other half. All slots then lead where they led before, and are followed. Had
    a service never seen a packet, there would be nobody to follow.
    """
    touch(daemon)
    for row in MOVED:
        names = [entry["name"] for entry in daemon.service(row.name)["backends"]]
        assert len(names) == BACKENDS
        for half in (names[::2], names[1::2]):
            for name in half:
                daemon.drain(row.name, name)
            wait_new(daemon, row.name, BACKENDS - len(half))
            for name in half:
                daemon.enable(row.name, name)
            wait_new(daemon, row.name, BACKENDS)
    moving = daemon.status()["flows"]["slots_in_transition"]
    if moving < 0.9 * len(MOVED) * TABLE_SIZE:
        raise results.Failed(f"only {moving} slots are in transition")


def touch(daemon):
    """Sends each service of MOVED a packet."""
    program = Program(daemon.ns, f"{daemon.pin_dir}/prog")
    for row in MOVED:
        ip = (IPv6(src="2001:db8::1", dst=row.address) if ":" in row.address
              else IP(src="10.0.0.1", dst=row.address))
        transport = (UDP if row.proto == "udp" else TCP)(sport=40000, dport=80)
        action, _ = program.run(Ether(dst=NEAR_MAC) / ip / transport, "lb0")
        if action != Action.TX:
            raise results.Failed(f"a packet to {row.name}: {action.name}")
    program.close()


def wait_new(daemon, service, count):
    wait.until(lambda: daemon.serving(service) == count,
               lambda: f"{service} serves with {count}: {daemon.service(service)}")


def start(bed, one_set, **how):
    """how: what Daemon takes."""
    daemon = Daemon(bed.balancer, configuration(one_set.services, **one_set.more),
                    **how).start()
    for interface in daemon.status()["interfaces"]:
        if interface["mode"] != "native":
            raise results.Failed(f"{interface['name']} is not in native mode")
    if one_set.prepare:
        one_set.prepare(daemon)
    return daemon


def measure(lab, bed, lines, daemon, *, repeat, runs, base=None):
    """The rows of program-cost's JSON; it prints its table itself."""
    scenarios = lab.path("scenarios")
    answer = lab.path("program-cost.json")
    with open(scenarios, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    done = bed.balancer.run(
        PROGRAM_COST, "--prog", f"{daemon.pin_dir}/prog", "--ifindex", bed.ifindex,
        "--scenarios", scenarios, "--repeat", repeat, "--runs", runs, "--json", answer,
        *(["--base", f"{base.pin_dir}/prog"] if base else []),
        check=False, timeout=None, capture_output=False)
    if done.returncode:
        raise results.Failed(f"program-cost ended with {done.returncode}\n{daemon.log}")
    with open(answer, encoding="utf-8") as file:
        return json.load(file)["results"]


def measure_set(lab, one_set, **how):
    bed = Bed(lab)
    daemon = start(bed, one_set)
    lines, rows = one_set.lines, []
    if one_set.against:
        # The number of services is the only difference, and worth being sure of.
        other = start(Bed(lab, "other"), Set("other", one_set.against, []), name="other")
        both = [line for line in lines if "-to-one " in line]
        lines = [line for line in lines if line not in both]
        if both:
            print(f"{one_set.name}; base: 1 service", flush=True)
            rows += measure(lab, bed, both, daemon, base=other, **how)
    return rows + (measure(lab, bed, lines, daemon, **how) if lines else [])


def run(options):
    repeat = options.repeat or 1000000
    runs = options.runs or (9 if options.full else 5)
    rows = []
    for one_set in sets():
        if not one_set.only(options.only):
            continue
        with Lab() as lab:
            rows += measure_set(lab, one_set, repeat=repeat, runs=runs)
    if not rows:
        raise results.Failed(f"no scenario's name contains {options.only}")
    data = {"packets_per_run": repeat, "runs": runs, "results": rows}
    results.tell(list(tables(data))[1:])
    results.write("program", data, options)


def cost(rows, scenario, flows):
    return next((row["cost_ns"]["median"] for row in rows
                 if row["scenario"] == scenario and row["flows"] == flows), None)


# What is said of the whole, where it was measured: one figure against another.
RATIOS = (
    ("IPv6 / IPv4, dsr, limit", ("dsr-ipv6-limit", "1048576"), ("dsr-ipv4-limit", "1048576")),
    ("limit / none, dsr, IPv4", ("dsr-ipv4-limit", "1048576"), ("dsr-ipv4", "1048576")),
    ("ipip / dsr, limit, IPv4", ("ipip-ipv4-limit", "1048576"), ("dsr-ipv4-limit", "1048576")),
    ("nat / dsr, limit, IPv4", ("nat-ipv4-limit", "1048576"), ("dsr-ipv4-limit", "1048576")),
    ("moved / settled, dsr, IPv4", ("dsr-ipv4-moved", "1048576"), ("dsr-ipv4", "1048576")),
    ("10 000 services / 1, 1 Mi flows to all",
     ("services-10000-to-all", "1048576"), ("services-1-to-one", "1048576")),
)


def beside(row):
    """Against the program that ran beside it: the median of neighbouring runs' ratios."""
    return statistics.median(
        ours / base for ours, base in zip(row["runs_ns"], row["base_runs_ns"]))


def tables(data):
    """The first one, too, which program-cost itself prints while it measures."""
    rows = data["results"]
    yield ("Nanoseconds per packet",
           ("scenario", "flows", "ns", "min", "max", "/ 1 flow"),
           [(row["scenario"], row["flows"],
             *(f"{row['cost_ns'][key]:.1f}" for key in ("median", "min", "max")),
             f"{row['ratio_to_one_flow']:.2f}" if "ratio_to_one_flow" in row else "-")
            for row in rows])
    found = [(words, cost(rows, *one), cost(rows, *other)) for words, one, other in RATIOS]
    found = [(words, f"{one / other:.2f}") for words, one, other in found if one and other]
    found += [(f"{row['scenario']} / 1 service, {row['flows']} flows", f"{beside(row):.2f}")
              for row in rows if "base_runs_ns" in row]
    if found:
        yield "One against another", ("ratio", ""), found

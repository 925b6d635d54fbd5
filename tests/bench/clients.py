# SPDX-License-Identifier: BSD-2-Clause
"""Part 3, real clients: wrk and iperf3 through sluice and through others, in turn, in
the same namespaces, to the same server.

CPU time per request is the whole machine's (/proc/stat), for the kernel's work in
softirqs belongs to no process that could be asked. What a way costs is its time less
that of `wired`, where nothing stands between client and server. Of a balancer that is
a process, that process's own time is told too: it is the smaller part.
"""

import json
import os
import statistics
import struct

from lab.daemon import bpftool
from lab.netns import Lab
from lab.servers import Iperf3
from lab.testrun import bpf

from . import contenders, results

CONNECTIONS = 64
KINDS = {"kept alive": (), "one request each": ("-H", "Connection: close")}

_BPF_ENABLE_STATS = 32
_TICK = os.sysconf("SC_CLK_TCK")

WRK_SCRIPT = """\
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %f, "p50_us": %d, "p99_us": %d, "errors": %d}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50),
        latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


# ---- CPU time ----------------------------------------------------------------
def machine_seconds():
    """That all CPUs were busy: all but idle, waiting and stolen."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / _TICK


def process_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK


class ProgramTime:
    """Nanoseconds that the kernel spends in programs; asking makes them slower."""

    def __init__(self, ids):
        self.ids = ids

    def __enter__(self):
        self.fd, _ = bpf(_BPF_ENABLE_STATS, struct.pack("I", 0))
        self.before = self._sum()
        return self

    def __exit__(self, *_):
        self.total = self._sum() - self.before
        os.close(self.fd)

    def _sum(self):
        return sum(bpftool("prog", "show", "id", number).get("run_time_ns", 0)
                   for number in self.ids)


# ---- one measurement ---------------------------------------------------------
class Bench:
    def __init__(self, lab, options):
        self.network = contenders.Network(lab)
        self.seconds = 5 if options.full else 2
        self.server = contenders.BenchNginx(self.network.host()).start()
        self.iperf = Iperf3(self.network.host()).start()
        self.script = lab.path("wrk.lua")
        with open(self.script, "w", encoding="ascii") as file:
            file.write(WRK_SCRIPT)

    def wrk(self, address, headers, seconds=None):
        done = self.network.client.run(
            "wrk", "-t", 1, "-c", CONNECTIONS, "-d", f"{seconds or self.seconds}s", "-s",
            self.script, *headers, f"http://{address}/")
        told = json.loads(done.stdout.splitlines()[-1])
        if told["requests"] < 100 or told["errors"] > told["requests"] / 100:
            raise results.Failed(f"wrk to {address}: {told}")
        return told

    def requests(self, contender, kind):
        """Of one kind, through one contender, for a while."""
        pids = contender.pids()
        machine, own = machine_seconds(), process_seconds(pids)
        told = self.wrk(contender.address, KINDS[kind])
        machine, own = machine_seconds() - machine, process_seconds(pids) - own
        return {
            "per_second": told["requests"] / told["seconds"], "p50_us": told["p50_us"],
            "p99_us": told["p99_us"], "errors": told["errors"],
            "machine_us": machine / told["requests"] * 1e6,
            "own_us": own / told["requests"] * 1e6 if pids else None,
        }

    def gigabits(self, contender):
        done = self.network.client.run(
            "iperf3", "--client", contender.address, "--port", contenders.IPERF, "--time",
            self.seconds, "--json")
        return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e9

    def round(self, contender):
        """Everything of one contender."""
        self.network.like_wires(contender.wires)
        contender.start()
        try:
            self.wrk(contender.address, (), 1)
            found = {kind: self.requests(contender, kind) for kind in KINDS}
            found["gigabits"] = None if contender.wires else self.gigabits(contender)
            if not isinstance(contender, contenders.Wired):
                self.network.like_wires(True)
                found["gigabits_frames"] = self.gigabits(contender)
            return found
        finally:
            contender.stop()

    def program_time(self, contender):
        """Microseconds per request in sluice's program, measured by the kernel."""
        self.network.like_wires(True)
        contender.start()
        try:
            found = {}
            for kind, headers in KINDS.items():
                with ProgramTime(contender.program_ids()) as time:
                    told = self.wrk(contender.address, headers)
                found[kind] = time.total / told["requests"] / 1e3
            return found
        finally:
            contender.stop()


# ---- judgement ---------------------------------------------------------------
def summarize(rounds):
    """{contender: {kind: figures, the median of the rounds}}"""
    found = {}
    for name, several in rounds.items():
        found[name] = {}
        for kind in KINDS:
            found[name][kind] = {
                key: statistics.median(one[kind][key] for one in several)
                for key, value in several[0][kind].items() if value is not None}
        for key in ("gigabits", "gigabits_frames"):
            values = [one[key] for one in several if one.get(key) is not None]
            found[name][key] = statistics.median(values) if values else None
    return found


def against(rounds, name, other, kind):
    """The median of the rounds' ratios of requests a second."""
    return statistics.median(
        one[kind]["per_second"] / two[kind]["per_second"]
        for one, two in zip(rounds[name], rounds[other]))


def taken(found, name, kind):
    """CPU microseconds per request beyond those of `wired`."""
    return found[name][kind]["machine_us"] - found["wired"][kind]["machine_us"]


def tables(data):
    found, rounds = data["results"], data["rounds"]
    for kind in KINDS:
        yield (f"wrk, {CONNECTIONS} connections, {kind}; CPU time in us per request",
               ("", "per second", "p50 us", "p99 us", "machine", "beyond wired", "process",
                "/ routing"),
               [_cells(found, rounds, name, kind) for name in found])
    yield ("iperf3, one TCP connection, Gbit/s", ("", "as it is", "as on a wire"), [
        (name, *(f"{row[key]:.1f}" if row[key] else "-" for key in ("gigabits", "gigabits_frames")))
        for name, row in found.items()])
    if data["ratios"]:
        yield ("What there are targets for", ("ratio", ""),
               [(words, f"{value:.2f}") for words, value in data["ratios"].items()])
    if data["program_us"]:
        yield ("In sluice's program alone, us per request", ("", "us"),
               [(kind, f"{value:.2f}") for kind, value in data["program_us"].items()])


def _cells(found, rounds, name, kind):
    row = found[name][kind]
    return (name, f"{row['per_second']:.0f}", f"{row['p50_us']:.0f}", f"{row['p99_us']:.0f}",
            f"{row['machine_us']:.1f}",
            f"{taken(found, name, kind):.1f}" if "wired" in found else "-",
            f"{row['own_us']:.1f}" if "own_us" in row else "-",
            f"{against(rounds, name, 'routing', kind):.2f}" if "routing" in rounds else "-")


def ratios(found, rounds):
    """The figures that there are targets for."""
    sluice, haproxy = contenders.Sluice.name, contenders.Haproxy.name
    answer = {}
    for kind in KINDS:
        for other in ("routing", haproxy):
            if sluice in rounds and other in rounds:
                answer[f"sluice / {other}, {kind}"] = against(rounds, sluice, other, kind)
        if sluice in rounds and haproxy in rounds and "wired" in found:
            answer[f"CPU beyond wired, sluice / {haproxy}, {kind}"] = (
                taken(found, sluice, kind) / taken(found, haproxy, kind))
    return answer


def run(options):
    if missing := list(contenders.missing()):
        raise results.Failed(f"not installed: {', '.join(missing)}: run make bench, or "
                             "scripts/deps.sh bench")
    with Lab() as lab:
        bench = Bench(lab, options)
        ways = [way(bench.network) for way in contenders.ALL
                if results.wanted(options.only, way.name)]
        rounds = {way.name: [] for way in ways}
        if not ways:
            raise results.Failed(f"no contender's name contains {options.only}")
        for number in range(options.runs or (5 if options.full else 3)):
            # Each is the first in its turn.
            turn = number % len(ways)
            for way in [*ways[turn:], *ways[:turn]]:
                rounds[way.name].append(bench.round(way))
        program = next((bench.program_time(way) for way in ways
                        if isinstance(way, contenders.Sluice)), None)
    found = summarize(rounds)
    data = {"connections": CONNECTIONS, "results": found, "ratios": ratios(found, rounds),
            "program_us": program, "rounds": rounds}
    results.tell(tables(data))
    results.write("clients", data)

# SPDX-License-Identifier: BSD-2-Clause
"""Part 2, end to end: frames go into a veth whose other end sluice has in native mode,
and come back (build/bench/wire). In turn over a twin of that veth, whose other end has
a program that does nothing but XDP_TX: what the link itself can do.

On one CPU everything shares it: making, balancing, counting. On two, the balancer's
end polls in a kernel thread (threaded NAPI) on a CPU of its own, counting with it: more
frames are then made than it can take, and what it does not take is lost.
"""

import glob
import json
import os
import statistics

from lab import wait
from lab.daemon import BUILD, Daemon
from lab.netns import Lab
from lab.xdp import attach_tx

from . import results
from .bed import Bed
from .scenarios import ROWS, configuration

WIRE = os.path.join(BUILD, "bench", "wire")
FLOWS = "1 65536 1048576 flood"
QUICK = ("dsr-ipv4", "dsr-ipv4-limit", "nat-ipv4-limit", "dsr-ipv6-limit", "ipip-ipv4-limit")


def chosen(options):
    for row in ROWS:
        if row.verdict != "FORWARDED" or row.action != "TX" or row.flows == "flood":
            continue
        if options.only and results.wanted(options.only, row.name) or \
                not options.only and (options.full or row.name in QUICK):
            yield row


def make_links(bed):
    """lb0 is sluice's; `bare` is the twin that does nothing but send back."""
    bed.link("bare", "far-bare")
    attach_tx(bed.balancer, "bare", "lab_tx")


def napi_threads(device):
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(path, encoding="ascii") as file:
                if file.read().startswith(f"napi/{device}-"):
                    found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return set(found)


def poll_on(bed, cpu):
    """From now on the balancer's ends poll in threads, on that CPU."""
    for device in ("lb0", "bare"):
        before = napi_threads(device)
        # Not nsenter: /sys has to be that of the namespace.
        bed.balancer.run("ip", "netns", "exec", bed.balancer.name, "sh", "-c",
                         f"echo 1 >/sys/class/net/{device}/threaded")
        threads = wait.until(lambda d=device, b=before: napi_threads(d) - b,
                             f"{device} polls in a thread")
        for thread in threads:
            os.sched_setaffinity(thread, {cpu})


def measure(bed, options, rows, cpu):
    lines = bed.lab.path("wire-scenarios")
    with open(lines, "w", encoding="ascii") as file:
        file.write("".join(row.line(FLOWS) + "\n" for row in rows))
    frames = options.repeat or (4000000 if options.full else 1000000)
    process = bed.far.popen(
        [WIRE, "--device", "far0", "--bare", "far-bare", "--scenarios", lines, "--cpu", cpu,
         "--frames", frames, "--rounds", options.runs or (9 if options.full else 5)],
        stdout=-1, text=True)
    for line in process.stdout:
        yield json.loads(line)
    if process.wait():
        raise results.Failed(f"wire ended with {process.returncode}")


def judge(row, cpus):
    """From the rounds: millions a second, of sluice and of the bare link beside it."""
    rounds = row.pop("rounds")

    def rate(one):
        return one["back"] / one["seconds"] / 1e6

    def median(values):
        return statistics.median(values)

    flows = "flood" if not row["flows"] else str(row["flows"])
    return {
        "scenario": row["scenario"], "flows": flows, "cpus": cpus,
        "mpps": results.spread(rate(one["sluice"]) for one in rounds),
        "bare_mpps": results.spread(rate(one["bare"]) for one in rounds),
        "offered_mpps": median(one["sluice"]["sent"] / one["sluice"]["seconds"] / 1e6
                               for one in rounds),
        "loss": median(1 - one["sluice"]["back"] / one["sluice"]["sent"] for one in rounds),
        "bare_loss": median(1 - one["bare"]["back"] / one["bare"]["sent"] for one in rounds),
        "ratio": results.spread(rate(one["sluice"]) / rate(one["bare"]) for one in rounds),
    }


HEAD = ("scenario", "flows", "CPUs", "Mpps", "loss", "bare Mpps", "bare loss", "ratio", "min", "max")


def tables(data):
    yield ("Frames back through sluice, and over a link of the same kind by bare XDP_TX",
           HEAD, [_cells(row) for row in data["results"]])


def _cells(row):
    return (row["scenario"], row["flows"], row["cpus"], f"{row['mpps']['median']:.2f}",
            f"{row['loss']:.1%}", f"{row['bare_mpps']['median']:.2f}", f"{row['bare_loss']:.1%}",
            f"{row['ratio']['median']:.2f}", f"{row['ratio']['min']:.2f}",
            f"{row['ratio']['max']:.2f}")


def run(options):
    cpus = sorted(os.sched_getaffinity(0))
    rows = list(chosen(options))
    found = []
    if not rows:
        raise results.Failed(f"no scenario's name contains {options.only}")
    with Lab() as lab:
        bed = Bed(lab)
        make_links(bed)
        daemon = Daemon(bed.balancer, configuration([row.service() for row in ROWS])).start()
        for count in (1, 2)[:len(cpus)]:
            if count == 2:
                poll_on(bed, cpus[-1])
            found += [judge(row, count) for row in measure(bed, options, rows, cpus[-count])]
        verify(daemon)
    results.tell(tables({"results": found}))
    if len(cpus) < 2:
        print("one CPU only: making, balancing and counting share it")
    results.write("wire", {"results": found})


def verify(daemon):
    """Nothing was dropped by sluice itself: what is lost was lost by the links."""
    verdicts = {name: count for name, count in daemon.verdicts().items() if count}
    dropped = {name: count for name, count in verdicts.items() if name.startswith("DROP")}
    if dropped or not verdicts.get("FORWARDED"):
        raise results.Failed(f"sluice counts {verdicts}")

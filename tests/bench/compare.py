# SPDX-License-Identifier: BSD-2-Clause
"""Program cost of two revisions side by side: this tree against BASE, which is built in
a git worktree of its own. Both programs are loaded at once, in beds that are alike, and
run in turn, each in the other's neighbourhood of time.

A pair of neighbouring runs gives one ratio; the median of a load's pairs is what that
load says. Where memory and code come to lie differs from load to load and is worth a
few per cent, so both daemons are started several times: the loads' median is the
change, and its noise is what they differ by. Slower is what exceeds 3 % by more than
the noise.
"""

import json
import os
import statistics
import subprocess

from lab.daemon import SLUICED
from lab.netns import Lab
from lab.revision import built

from . import program, results
from .bed import Bed
from .scenarios import OTHERS, ROWS, configuration

TOLERANCE = 0.03
PACKETS, PAIRS = 400000, 15  # short runs: neighbours see the same of the machine
QUICK = ("dsr-ipv4", "dsr-ipv4-limit", "dsr-ipv4-over", "dsr-ipv4-udp-limit", "nat-ipv4-limit",
         "dsr-ipv6-limit", "nat-ipv6-limit", "ipip-ipv4-limit", "ipip-ipv6-limit")
QUICK_FLOWS = "1 1048576"

# Student's t, two-sided, 95 %, by the number of values.
STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31}


# ---- the other revision ------------------------------------------------------
def understood(sluiced, row, directory):
    """Whether that revision takes the service at all."""
    path = os.path.join(directory, "row.yaml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(configuration([row.service()]), file)
    return not subprocess.run([sluiced, "-c", path, "--check"], check=False,
                              capture_output=True).returncode


def known(base, directory):
    """The rows that both revisions know."""
    rows = []
    for row in ROWS:
        if understood(base, row, directory):
            rows.append(row)
        else:
            print(f"left out, unknown to it: {row.name}")
    return rows


def chosen(options, base, directory):
    """Sets of scenarios that both revisions know."""
    rows = known(base, directory)
    quick = not options.full and not options.only
    lines = [row.line(flows_of(row) if quick else None) for row in rows
             if not quick or row.name in QUICK]
    sets = [program.Set("rows", [row.service() for row in rows],
                        lines + [line for line in OTHERS if not quick or "return" in line])]
    if not quick:
        sets.append(program.moved())
    return [one_set for one_set in sets if one_set.only(options.only)]


def flows_of(row):
    return " ".join(word for word in QUICK_FLOWS.split() if word in row.flows.split()) or row.flows


# ---- measuring ---------------------------------------------------------------
def one_load(one_set, base, first, *, repeat, runs):
    """The rows of one pair of daemons; first: whether BASE's is started first."""
    with Lab() as lab:
        ours, theirs = Bed(lab, "ours"), Bed(lab, "base")
        if ours.ifindex != theirs.ifindex:
            raise results.Failed("the two beds are not alike")
        wanted = [(ours, "ours", SLUICED), (theirs, "base", base)]
        daemons = {}
        for bed, name, sluiced in reversed(wanted) if first else wanted:
            daemons[name] = program.start(bed, one_set, name=name, program=sluiced)
        rows = program.measure(lab, ours, one_set.lines, daemons["ours"], repeat=repeat,
                               runs=runs, base=daemons["base"])
        for daemon in daemons.values():
            daemon.stop()
        return rows


def judge(loads):
    """loads: the same row of each load."""
    changes = [program.beside(row) - 1 for row in loads]  # 0.05: 5 % slower
    noise = STUDENT[len(changes)] * statistics.stdev(changes) / len(changes) ** 0.5
    change = statistics.median(changes)
    return {
        "scenario": loads[0]["scenario"], "flows": loads[0]["flows"],
        "base_ns": statistics.median(value for row in loads for value in row["base_runs_ns"]),
        "ns": statistics.median(value for row in loads for value in row["runs_ns"]),
        "change": change, "noise": noise, "loads": changes,
        "slower": change > TOLERANCE + noise,
    }


def tell(found, name):
    print()
    results.table(
        ("scenario", "flows", f"{name} ns", "this ns", "change", "noise", ""),
        [(row["scenario"], row["flows"], f"{row['base_ns']:.1f}", f"{row['ns']:.1f}",
          f"{row['change']:+.1%}", f"{row['noise']:.1%}", "SLOWER" if row["slower"] else "")
         for row in found])


def measure(options, name, base, directory):
    loads = min(options.runs or 5, max(STUDENT))
    if loads < 2:
        raise results.Failed("one load says nothing of the noise: --runs 2 or more")
    rows = {}
    for one_set in chosen(options, base, directory):
        for number in range(loads):
            print(f"\n{one_set.name}, load {number + 1} of {loads}", flush=True)
            for row in one_load(one_set, base, number % 2, repeat=options.repeat or PACKETS,
                                runs=PAIRS):
                rows.setdefault((row["scenario"], row["flows"]), []).append(row)
    if not rows:
        raise results.Failed(f"no scenario's name contains {options.only}")
    found = [judge(several) for several in rows.values()]
    tell(found, name)
    results.write("compare", {"base": name, "tolerance": TOLERANCE, "results": found}, options)
    return [row for row in found if row["slower"]]


def run(options):
    with Lab() as lab, built(options.base, lab.path("")) as (name, base):
        slower = measure(options, name, base, lab.path(""))
    if slower:
        raise results.Failed(f"{len(slower)} of them more than {TOLERANCE:.0%} slower, and by more "
                             "than the noise")
    print(f"\nnone is more than {TOLERANCE:.0%} slower, noise apart")

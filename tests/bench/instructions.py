# SPDX-License-Identifier: BSD-2-Clause
"""Part 1 in instructions instead of nanoseconds: program-cost in a guest (tests/guest)
whose clock is the count of its instructions. That is the same whatever else the machine
does, so few packets say it, and one per cent more is one per cent more.

The guest has no Python. Its bed is bed.Bed, built by a lab that only writes down what it
is asked for (Script). With BASE, both revisions have a guest, at the same time.
"""

import concurrent.futures
import json
import os
import subprocess

from lab import revision
from lab.daemon import ROOT, SLUICED
from lab.netns import Lab

from . import compare, program, results
from .bed import Bed
from .scenarios import MOVED, OTHERS, ROWS, configuration

TOLERANCE = 0.01
PACKETS, RUNS = 16384, 9  # something else comes between now and then: the median has none of it

# Without caches, many flows cost what few do; a flow alone has its luck in hash tables.
FLOWS = {"65536": "16384", "65536-syn": "16384-syn", "flood": "flood"}

QEMU = "qemu-system-x86_64"
# Of each revision its own: they know the list of its verdicts.
TOOLS = ("build/sluicectl", "build/bench/program-cost")
GUEST = os.path.join(ROOT, "tests", "guest", "instructions.sh")


# ---- what the guest is to do -------------------------------------------------
class Script:
    """A lab that writes down what the guest's shell is to do, with the functions of
    tests/guest/lab.sh and inside_instructions.sh.
    """

    def __init__(self):
        self.lines = []

    def namespace(self, name):
        """The balancer is `lb` there, as lab.sh has it."""
        namespace = ScriptNamespace(self, name.rpartition("-")[2])
        self.lines.append(f"namespace {namespace.name}")
        return namespace


class ScriptNamespace:
    def __init__(self, script, name):
        self.script, self.name = script, name

    def sysctl(self, values):
        words = " ".join(f"{key}={value}" for key, value in values.items())
        self.script.lines.append(f"in_ns {self.name} sysctl -q -w {words}")

    def run(self, *words):
        self.script.lines.append(" ".join(["in_ns", self.name, *words]))

    def ip(self, *commands):
        self.script.lines += [f"ip -n {self.name} -batch - <<END", *commands, "END"]


def line_of(line):
    """Of the scenario file, but with FLOWS."""
    words = line.split()
    return " ".join(words[:8] + [FLOWS[flows] for flows in words[8:] if flows in FLOWS])


def sets(options, rows):
    """Those of program.py that do not only differ in their number of services."""
    found = []
    for one_set in (program.Set("rows", [row.service() for row in rows],
                                [*(row.line() for row in rows), *OTHERS]), program.moved()):
        one_set.lines = [line_of(line) for line in one_set.lines]
        if one_set.only(options.only):
            found.append(one_set)
    if not found:
        raise results.Failed(f"no scenario's name contains {options.only}")
    return found


def write_lines(lines, *path):
    path = os.path.join(*path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


def write_bench(directory, chosen, options):
    """All that is in the guest's /bench."""
    script = Script()
    Bed(script)
    for one_set in chosen:
        write_lines([json.dumps(configuration(one_set.services, **one_set.more))],
                    directory, one_set.name, "sluice.yaml")
        write_lines(one_set.lines, directory, one_set.name, "scenarios")
        words = [one_set.name, options.repeat or PACKETS, options.runs or RUNS]
        if one_set.prepare:  # a function of this name is there, too
            words.append(one_set.prepare.__name__)
        script.lines.append(f"measure {' '.join(map(str, words))}")
    write_lines([row.line("1") for row in MOVED], directory, "moved", "touch")
    write_lines(script.lines, directory, "todo")


# ---- measuring ---------------------------------------------------------------
def counted(row):
    """One of program-cost's rows; what it takes for nanoseconds are instructions."""
    return {**{key: row[key] for key in ("scenario", "flows", "verdict", "share")},
            "instructions": row["cost_ns"]["median"],
            "generator": row["generator_ns"]["median"]}


def read(*path):
    with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:
        return file.read()


def parse(answers):
    """JSON after JSON."""
    decoder, found, text = json.JSONDecoder(), [], answers.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


def measure(directory, sluiced, chosen, options):
    """(the guest's kernel, rows) of that sluiced."""
    write_bench(os.path.join(directory, "bench"), chosen, options)
    done = subprocess.run([GUEST, options.kernel, directory, sluiced], check=False)
    if done.returncode:
        raise results.Failed(f"no guest with Linux {options.kernel}")
    try:
        kernel, *answers = parse(read(directory, "answers"))
    except (OSError, ValueError):
        answers = []
    if len(answers) != len(chosen):
        raise results.Failed(f"the guest came to an early end:\n{read(directory, 'console.log')}")
    return kernel, [counted(row) for answer in answers for row in answer["results"]]


def measure_all(lab, sluiceds, chosen, options):
    """measure() of each in a guest of its own, all at once."""
    print(f"counting, in qemu with Linux {options.kernel}; a minute or two", flush=True)
    directories = [lab.path(f"guest{number}", "") for number in range(len(sluiceds))]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(lambda *pair: measure(*pair, chosen, options),
                             directories, sluiceds))


# ---- judgement ---------------------------------------------------------------
def judge(row, base):
    """The same scenario of this tree and of BASE."""
    change = row["instructions"] / base["instructions"] - 1
    return {**row, "base_instructions": base["instructions"], "change": change,
            "dearer": change > TOLERANCE}


def tables(data):
    rows = data["results"]
    if "base" not in data:
        yield ("Instructions per packet", ("scenario", "flows", "instructions"),
               [(row["scenario"], row["flows"], f"{row['instructions']:.0f}") for row in rows])
        return
    yield ("Instructions per packet", ("scenario", "flows", data["base"], "this", "change", ""),
           [(row["scenario"], row["flows"], f"{row['base_instructions']:.0f}",
             f"{row['instructions']:.0f}", f"{round(row['change'], 3) + 0:+.1%}",
             "DEARER" if row["dearer"] else "") for row in rows])


def conclude(data, options):
    data = {"qemu": results.version_of(QEMU, "--version"), **data}
    results.tell(tables(data))
    results.write("instructions", data, options)
    if "base" not in data:
        return
    dearer = [f"{row['scenario']} ({row['flows']})" for row in data["results"]
              if row["dearer"]]
    if dearer:
        raise results.Failed(f"more than {TOLERANCE:.0%} dearer than {data['base']}: "
                             f"{', '.join(dearer)}")
    print(f"\nnone is more than {TOLERANCE:.0%} dearer")


def run_alone(lab, options):
    [(kernel, rows)] = measure_all(lab, [SLUICED], sets(options, ROWS), options)
    conclude({"guest_kernel": kernel, "results": rows}, options)


def run_beside(lab, options):
    with revision.built(options.base, lab.path(""), TOOLS) as (name, base):
        chosen = sets(options, compare.known(base, lab.path("")))
        (kernel, ours), (_, theirs) = measure_all(lab, [SLUICED, base], chosen, options)
    conclude({"guest_kernel": kernel, "base": name, "tolerance": TOLERANCE,
              "results": [judge(*pair) for pair in zip(ours, theirs)]}, options)


def run(options):
    with Lab() as lab:
        (run_beside if options.base else run_alone)(lab, options)

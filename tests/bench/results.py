# SPDX-License-Identifier: BSD-2-Clause
"""Tables for people, JSON for programs, and what both need: whose machine it was,
medians, and how far they can be believed.
"""

import datetime
import json
import os
import platform
import re
import statistics
import subprocess

from lab.daemon import BUILD, ROOT

DIRECTORY = os.path.join(BUILD, "bench")
PARTS = ("program", "wire", "clients", "control")


class Failed(Exception):
    """A measurement could not be made, or is not one of what it says."""


def _said_by(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def _first_line_with(path, word):
    try:
        with open(path, encoding="utf-8") as file:
            return next((line for line in file if line.startswith(word)), "").partition(":")[2].strip()
    except OSError:
        return ""


def _revision():
    revision = _said_by("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    return revision + (", changed" if _said_by("git", "status", "--porcelain") else "")


def version_of(*argv):
    match = re.search(r"\d+\.\d[\d.]*", _said_by(*argv))
    return match[0] if match else "unknown"


def about():
    """Nothing in it names the machine's owner, its host name or a path."""
    memory = int(_first_line_with("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    flags = _first_line_with("/proc/cpuinfo", "flags").split()
    return {
        "machine": _first_line_with("/proc/cpuinfo", "model name") or platform.machine(),
        "cpus": os.cpu_count(),
        "memory_gib": round(memory),
        "virtual": "hypervisor" in flags,
        "kernel": platform.release(),
        "clang": version_of("clang", "--version"),
        "gcc": version_of("gcc", "--version"),
        "revision": _revision(),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def wanted(only, name):
    """Whether --only has the name: it is some texts, of which names contain one."""
    return any(text in name for text in only.split(","))


def path_of(part):
    return os.path.join(DIRECTORY, f"{part}.json")


def write(part, data, options):
    """To build/bench/PART.json."""
    how = {name: getattr(options, name) for name in ("full", "only", "runs", "repeat")}
    os.makedirs(DIRECTORY, exist_ok=True)
    with open(path_of(part), "w", encoding="utf-8") as file:
        json.dump({"part": part, "about": about(), "options": how, **data}, file, indent=1)
        file.write("\n")


# ---- statistics --------------------------------------------------------------
def spread(values):
    values = list(values)
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def noise_of(values):
    """Half the width within which the median of such values is found 95 times in
    100: 1.96 standard errors, from the median absolute deviation.
    """
    values = list(values)
    middle = statistics.median(values)
    deviation = 1.4826 * statistics.median(abs(value - middle) for value in values)
    return 1.96 * 1.2533 * deviation / len(values) ** 0.5


# ---- telling -----------------------------------------------------------------
def table(head, rows, out=print):
    """The first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        first, *others = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))]
        out("  ".join([first, *others]).rstrip(), flush=True)


def tell(tables):
    """tables: (title, head, rows) of each."""
    for title, head, rows in tables:
        print(f"\n{title}")
        table(head, rows)


def markdown(tables):
    for title, head, rows in tables:
        yield f"\n{title}\n"
        yield f"| {' | '.join(head)} |"
        yield f"| --- |{' ---: |' * (len(head) - 1)}"
        for row in rows:
            yield f"| {' | '.join(map(str, row))} |"


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}", flush=True)

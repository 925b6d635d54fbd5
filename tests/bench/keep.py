# SPDX-License-Identifier: BSD-2-Clause
"""Keeps the last results: docs/benchmarks/DAY-REVISION.md for people and .json for
programs. Those of one revision only, of one that others can have too, and whole.
"""

import importlib
import json
import os

from lab.daemon import ROOT

from . import results

DIRECTORY = os.path.join(ROOT, "docs", "benchmarks")


def load():
    """{part: what it has written}, those parts that there are. Instructions, which have a
    target of their own, are kept with the others if they are of the same revision.
    """
    found = {}
    for part in (*results.PARTS, "instructions"):
        if os.path.exists(results.path_of(part)):
            with open(results.path_of(part), encoding="utf-8") as file:
                found[part] = json.load(file)
    revisions = {part: data["about"]["revision"] for part, data in found.items()}
    counted = revisions.pop("instructions", None)
    if counted and (counted not in revisions.values() or "base" in found["instructions"]):
        del found["instructions"]
    if not found:
        raise results.Failed("there are no results: run make bench")
    return found


def one_about(found):
    abouts = [data["about"] for data in found.values()]
    if len({about["revision"] for about in abouts}) > 1:
        raise results.Failed("the parts are of different revisions: " + ", ".join(
            f"{part} of {data['about']['revision']}" for part, data in found.items()))
    if "changed" in abouts[0]["revision"]:
        raise results.Failed(f"measured on {abouts[0]['revision']}: commit first, then measure")
    if partial := [part for part, data in found.items() if data["options"]["only"]]:
        raise results.Failed(f"{partial[0]} was measured with --only: measure all of it")
    return max(abouts, key=lambda about: about["date"])


def page(found, about):
    yield f"# {about['date'].split()[0]}, sluice {about['revision']}"
    yield ""
    yield (f"{about['machine']}, {about['cpus']} CPUs, {about['memory_gib']} GiB"
           f"{', a virtual machine' if about['virtual'] else ''}; Linux {about['kernel']}; "
           f"clang {about['clang']}, gcc {about['gcc']}.")
    yield "How this was measured, and how to read it: [README.md](README.md)."
    for part, data in found.items():
        yield f"\n## {part}"
        yield from results.markdown(importlib.import_module(f"{__package__}.{part}").tables(data))


def run(_options):
    found = load()
    about = one_about(found)
    os.makedirs(DIRECTORY, exist_ok=True)
    path = os.path.join(DIRECTORY, f"{about['date'].split()[0]}-{about['revision']}")
    with open(f"{path}.md", "w", encoding="utf-8") as file:
        file.write("\n".join(page(found, about)) + "\n")
    with open(f"{path}.json", "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
        file.write("\n")
    print(f"kept: {os.path.basename(path)}.md and .json, of {', '.join(found)}")

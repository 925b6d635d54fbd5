# SPDX-License-Identifier: BSD-2-Clause
"""Reads the commands of `make --dry-run` and writes those that compile as a JSON
compilation database (https://clang.llvm.org/docs/JSONCompilationDatabase.html):
compile_commands.py FILE. Run by `make compile_commands.json`.
"""

import glob
import json
import os
import shlex
import sys

DIRECTORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def entries(lines):
    for line in lines:
        if " -c " not in line:
            continue
        words = shlex.split(line)
        sources = [word for word in words if word.endswith(".c")]
        if words[words.index("-c") + 1:][:1] == sources:
            yield {"directory": DIRECTORY, "file": sources[0], "arguments": words,
                   "output": words[words.index("-o") + 1]}


def with_headers(rows):
    """A header of user/ goes by the source of its name; those of bpf/ have none, and are
    compiled as the program is.
    """
    yield from rows
    for row in (row for row in rows if row["file"] == "bpf/sluice.bpf.c"):
        for header in glob.glob("bpf/*.h", root_dir=DIRECTORY):
            arguments = [header if word == row["file"] else word for word in row["arguments"]]
            yield {**row, "file": header, "arguments": arguments}


def main(path):
    rows = sorted(with_headers(list(entries(sys.stdin))), key=lambda row: row["file"])
    if not rows:
        sys.exit("compile_commands: make says no command that compiles")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

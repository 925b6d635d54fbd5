# SPDX-License-Identifier: BSD-2-Clause
"""Arguments, and the parts in their order. Exit codes: 0 done, 1 failed (of
`compare`: slower; of `instructions`: dearer), 2 misuse.
"""

import argparse
import importlib
import os
import subprocess
import sys

from lab import revision

from . import results

EPILOGUE = """\
Everything is made in network namespaces of its own and ends with it. Results also go
to build/bench/PART.json; `make bench-keep` keeps them under docs/benchmarks/."""


def parse():
    parser = argparse.ArgumentParser(
        prog="bench.sh", description="How fast sluice is.", epilog=EPILOGUE)
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help=f"{', '.join(results.PARTS)} (default: all); or: compare REVISION;"
                             " or: instructions [REVISION]; or: keep")
    parser.add_argument("--full", action="store_true", help="more runs, and everything")
    parser.add_argument("--only", default="", metavar="TEXT[,TEXT...]",
                        help="scenarios or contenders whose names contain one of them")
    parser.add_argument("--repeat", type=int, metavar="PACKETS", help="in a run")
    parser.add_argument("--runs", type=int, metavar="N", help="of which the median counts")
    parser.add_argument("--kernel", default="6.12", metavar="VERSION",
                        help="of the guest in which instructions are counted: 6.1 or 6.12")
    options = parser.parse_args()
    options.base = None
    if options.parts[:1] in (["compare"], ["instructions"]):
        part, *rest = options.parts
        if len(rest) > 1 or part == "compare" and not rest:
            parser.error("compare REVISION, instructions [REVISION]")
        options.base, options.parts = rest[0] if rest else None, [part]
    elif options.parts == ["keep"]:
        pass
    elif unknown := [part for part in options.parts if part not in results.PARTS]:
        parser.error(f"no part {unknown[0]}; there are {', '.join(results.PARTS)}")
    for name in ("repeat", "runs"):
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name} is 1 or more")
    return options


def tell_about():
    about = results.about()
    print(f"{about['machine']}, {about['cpus']} CPUs, {about['memory_gib']} GiB"
          f"{', virtual' if about['virtual'] else ''}; Linux {about['kernel']}; "
          f"clang {about['clang']}; sluice {about['revision']}", flush=True)


def main():
    options = parse()
    if os.geteuid() and options.parts != ["keep"]:
        sys.exit("bench: making network namespaces needs root")
    tell_about()
    for part in options.parts or results.PARTS:
        results.heading(part)
        try:
            importlib.import_module(f"{__package__}.{part}").run(options)
        except KeyboardInterrupt:
            sys.exit("\nbench: interrupted; everything is removed again")
        except (results.Failed, revision.Failed, AssertionError, OSError,
                subprocess.SubprocessError) as failure:
            sys.exit(f"bench: {part}: {failure}")


main()

# SPDX-License-Identifier: BSD-2-Clause
"""Another revision of sluice, built in a git worktree of its own."""

import contextlib
import os
import subprocess

from .daemon import ROOT


class Failed(Exception):
    """A command on the way to the other revision failed; says which, and how."""


def _quietly(*argv, **how):
    done = subprocess.run(argv, check=False, capture_output=True, text=True, **how)
    if done.returncode:
        raise Failed(f"{' '.join(argv[:4])}: exit {done.returncode}\n"
                     f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def built(revision, directory, also=()):
    """The revision's short name and the path of its sluiced; gone at the end. also: what make is to
    build beside it.
    """
    name = _quietly("git", "rev-parse", "--verify", "--short=12", f"{revision}^{{commit}}",
                    cwd=ROOT).strip()
    tree = os.path.join(directory, "base")
    _quietly("git", "worktree", "add", "--detach", tree, name, cwd=ROOT)
    try:
        print(f"building {name}", flush=True)
        _quietly("make", "-j2", "build/sluiced", "build/sluice-responder", *also, cwd=tree)
        yield name, os.path.join(tree, "build", "sluiced")
    finally:
        _quietly("git", "worktree", "remove", "--force", tree, cwd=ROOT)

# SPDX-License-Identifier: BSD-2-Clause
"""Runs model_test: the real program against a model of docs/architecture.md,
Slots and transition."""

import os
import subprocess

import pytest

from lab.daemon import BUILD

HANGS = 900  # seconds; with the sanitizers it may take 300 beside other tests
BINARY = os.path.join(BUILD, "model", "model_test")

# `make test-quick`: a tenth of them, and none of what is counted with tables of real size.
SEQUENCES, MORE = (1000, ["--only-sequences"]) if os.environ.get("SLUICE_QUICK") else (10000, [])


@pytest.mark.early
def test_the_program_does_as_the_model_says():
    done = subprocess.run([BINARY, "--sequences", str(SEQUENCES), *MORE], capture_output=True,
                          text=True, timeout=HANGS)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    assert f"{SEQUENCES} sequences" in done.stdout

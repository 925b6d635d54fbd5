# SPDX-License-Identifier: BSD-2-Clause
"""Runs model_test: the real program against a model of docs/architecture.md,
Slots and transition."""

import pathlib
import subprocess

BINARY = pathlib.Path(__file__).resolve().parents[2] / "build/model/model_test"


def test_the_program_does_as_the_model_says():
    done = subprocess.run([BINARY], capture_output=True, text=True, timeout=240)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    assert "10000 sequences" in done.stdout

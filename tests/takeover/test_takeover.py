# SPDX-License-Identifier: BSD-2-Clause
"""Runs takeover_test: a daemon is ended before every single write of a change."""

import os
import subprocess

import pytest

from lab.daemon import BUILD

HANGS = 900  # seconds; with the sanitizers it may take 300 beside other tests
BINARY = os.path.join(BUILD, "takeover", "takeover_test")


@pytest.mark.early
def test_every_beginning_of_a_change_can_be_taken_over():
    done = subprocess.run([BINARY], capture_output=True, text=True, timeout=HANGS)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    assert "all taken over" in done.stdout or "0 writes" in done.stdout

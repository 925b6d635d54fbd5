# SPDX-License-Identifier: BSD-2-Clause
"""Tests of what is in build/. Builds nothing: `make test` has done that."""

import os
import shutil

import pytest

from lab import daemon
from lab.netns import Lab

NEEDED = ("ip", "ethtool", "nsenter", "nginx", "curl", "wrk", "iperf3", "dnsmasq")


def pytest_sessionstart(session):
    missing = [path for path in (daemon.SLUICED, daemon.SLUICECTL, daemon.BPF_OBJECT)
               if not os.path.exists(path)]
    if missing:
        raise pytest.UsageError(f"not built: {', '.join(missing)}; run `make all` first")
    if os.geteuid():
        raise pytest.UsageError("these tests make network namespaces: run them as root")
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        raise pytest.UsageError(f"not installed: {', '.join(missing)}; run `make deps` first")


@pytest.fixture
def lab():
    with Lab() as made:
        yield made

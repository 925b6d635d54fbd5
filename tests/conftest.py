# SPDX-License-Identifier: BSD-2-Clause
"""Tests of what is in build/. They build nothing: `make test` has done that.

`make test` gives the tests to several processes (pytest-xdist), since most of a test's
time is waiting. Each process makes namespaces of its own. alone.py says what runs beside
what. Figures that scenarios measure are told once, at the end of the run.
"""

import os
import shutil

import pytest

import alone
from lab import daemon
from lab.netns import Lab

# The programs that the tests of a folder call. Each folder makes namespaces, too.
EVERYWHERE = ("ip", "ethtool", "bpftool")
NEEDED = {
    "bench": ("tc", "taskset", "trafgen"),
    "bpf": (),
    "e2e": ("nginx", "curl", "wrk", "iperf3", "dnsmasq", "keepalived", "setpriv", "stty", "taskset"),
    "model": (),
    "netlink": (),
    "responder": ("curl",),
    "takeover": (),
    "scripts": ("git", "make", "nginx", "curl", "nsenter"),
}
HERE = os.path.dirname(os.path.abspath(__file__))


def folders(config):
    """The folders of tests/ that this run takes tests from: all, if it names none."""
    paths = (os.path.abspath(str(arg).partition("::")[0]) for arg in config.args)
    named = {os.path.relpath(path, HERE).split(os.sep)[0] for path in paths}
    return named if named <= set(NEEDED) else set(NEEDED)


def pytest_configure(config):
    config.pluginmanager.register(alone.Plugin(config))


def pytest_sessionstart(session):
    missing = [path for path in (daemon.SLUICED, daemon.SLUICECTL, daemon.BPF_OBJECT)
               if not os.path.exists(path)]
    if missing:
        raise pytest.UsageError(f"not built: {', '.join(missing)}; run `make all` first")
    if os.geteuid():
        raise pytest.UsageError("these tests make network namespaces: run them as root")
    wanted = set(EVERYWHERE).union(*(NEEDED[folder] for folder in folders(session.config)))
    missing = sorted(name for name in wanted if not shutil.which(name))
    if missing:
        raise pytest.UsageError(f"not installed: {', '.join(missing)}; run `make deps` first")


# ---- figures -----------------------------------------------------------------
_figures = []


@pytest.fixture
def figure(request):
    """figure("a sentence with a number")"""
    return lambda sentence: request.node.user_properties.append(("figure", sentence))


def pytest_runtest_logreport(report):
    """Reports come here from all processes."""
    if report.when == "teardown":
        _figures.extend(value for name, value in report.user_properties if name == "figure")


def pytest_terminal_summary(terminalreporter):
    if _figures:
        terminalreporter.section("figures")
        for sentence in _figures:
            terminalreporter.write_line(sentence)


# ---- namespaces --------------------------------------------------------------
@pytest.fixture
def lab():
    with Lab() as made:
        yield made

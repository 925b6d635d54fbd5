# SPDX-License-Identifier: BSD-2-Clause
"""What runs beside what, when pytest-xdist gives the tests to several processes (-n).

A test that measures time (a rate, a delay, what is lost at a pace) is marked

    @pytest.mark.alone("why")

and runs when no other test does, so that it judges sluice and not the other tests. All
of these run last, in one process, one after the other. The others run beside each other;
those that share a fixture (a daemon that serves a whole module) stay together. One that
takes much longer than most is marked `early` and begun first.

Every process holds a shared lock while it has tests. The one that has the tests marked
`alone` takes it for itself before the first of them, and so waits for all others.
"""

import fcntl
import os

import pytest

ALONE, EARLY = "alone", "early"
HERE = os.path.dirname(os.path.abspath(__file__))


def shared_fixtures(item):
    """The names of our fixtures that outlive the test."""
    found = item._fixtureinfo.name2fixturedefs
    return [name for name, definitions in found.items()
            if definitions[-1].scope != "function" and definitions[-1].baseid]


def room_of(item):
    """Tests of one room run one after the other, in one process; None: anywhere."""
    if item.get_closest_marker(ALONE):
        return ALONE
    shared = shared_fixtures(item)
    if not shared:
        return None
    indices = item.callspec.indices if hasattr(item, "callspec") else {}
    return " ".join([item.nodeid.partition("::")[0],
                     *(f"{name}{indices[name]}" for name in shared if name in indices)])


def order(item, sizes):
    """Large rooms come first, so that no process has one left when the others are done.
    sizes: how many tests a room has.
    """
    room = room_of(item)
    if room == ALONE:
        return (3, 0)
    if item.get_closest_marker(EARLY):
        return (0, 0)
    return (1, -sizes[room]) if room else (2, 0)


class Plugin:
    def __init__(self, config):
        config.addinivalue_line("markers", f"{ALONE}(reason): nothing runs beside this test")
        config.addinivalue_line("markers", f"{EARLY}: this test takes long, and is begun first")
        self.shared = hasattr(config, "workerinput")
        self.lock = None
        self.taken = False
        if config.getoption("numprocesses", None) and config.getoption("dist") != "loadgroup":
            raise pytest.UsageError("with -n, say --dist loadgroup: some tests must run alone")

    def pytest_sessionstart(self):
        if self.shared:
            self.lock = os.open(HERE, os.O_RDONLY)
            fcntl.flock(self.lock, fcntl.LOCK_SH)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self):
        if self.shared:
            os.close(self.lock)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        if not self.shared:
            return
        sizes = {}
        for item in items:
            room = room_of(item)
            if room:
                item.add_marker(pytest.mark.xdist_group(room))
            sizes[room] = sizes.get(room, 0) + 1
        items.sort(key=lambda item: order(item, sizes))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        if self.shared and not self.taken and item.get_closest_marker(ALONE):
            fcntl.flock(self.lock, fcntl.LOCK_EX)
            self.taken = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        """xdist adds the room to the test's name, which is not to be read in the end."""
        name, at, room = report.nodeid.rpartition("@")
        if hasattr(report, "node") and at and "]" not in room:
            report.nodeid = name

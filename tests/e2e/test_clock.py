# SPDX-License-Identifier: BSD-2-Clause
"""The wall clock jumps: it is set by hand, or a machine starts without one."""

import os

from lab import daemon, topology
from lab.daemon import Daemon
from scenario import configuration, web

DAY = 24 * 3600


class Jumping(Daemon):
    """A daemon whose wall clock can be moved; no other clock, and no other program's."""

    @property
    def clock_path(self):
        return self.ns.lab.path("wall-clock")

    def move(self, seconds):
        with open(self.clock_path, "w", encoding="ascii") as file:
            file.write(f"{seconds}\n")

    def argv(self):
        library = os.path.join(daemon.BUILD, "preload", "wall_clock.so")
        return ["env", f"LD_PRELOAD={library}", f"WALL_CLOCK={self.clock_path}", *super().argv()]


def test_uptime_follows_the_monotonic_clock(lab):
    top = topology.routed(lab, backends=1)
    made = Jumping(top.balancer, configuration(top, web(top)))
    made.move(-DAY)
    made.start()
    before = made.status()
    for jump in (0, DAY, -2 * DAY):
        made.move(jump)
        made.ctl("reload")
        status = made.status()
        assert status["started"] == before["started"]
        assert (status["reloaded"] > before["reloaded"]) == (jump >= 0), "the clock has moved"
        assert 0 <= status["uptime_s"] - before["uptime_s"] < DAY // 2
    assert made.stop() == 0

# SPDX-License-Identifier: BSD-2-Clause
"""Packets that others send in the name of a client's connections, without seeing these:
whatever they are, the connections go on, and are counted as they are.

`make test-survival` runs this in full size.
"""

import collections

import pytest

from lab import wait
from lab.traffic import number_of
from scenario_talk import FAMILIES, FULL, LONG, PORT, conversations, flood_of, talk_scene

# The connections of each family, from ports that are all forged. The clients have no other.
TALKS = 500 if FULL else 100
PORTS = range(40000, 40000 + TALKS)
PACKETS = 1_000_000 if FULL else 20_000

# More than the servers' kernels can take would be measured as silence.
RATE = 20_000

SETUPS = {
    "least-connections, weight 0": ("least-connections", (1, 2, 3, 4), lambda scene:
                                    scene.for_both(scene.daemon.weight, "web-1", 0,
                                                   services=("talk",))),
    "maglev, drain": ("maglev", (1,), lambda scene:
                      scene.for_both(scene.daemon.drain, "web-1", services=("talk",))),
}


def live(scene):
    """The connections that each backend is said to have, by its number."""
    return collections.Counter({
        number_of(host): sum(scene.daemon.backend("talk", host.name + suffix)["live"]
                             for suffix in ("", "-v6"))
        for host in scene.top.backends})


def judge_counts(scene, staying, tracked):
    """Until as many are counted as there are: of each backend, or (maglev) of the drained one,
    all of whose slots are in transition.
    """
    def right():
        talking = sum((collections.Counter(talk.ask().talking) for talk in staying.values()),
                      collections.Counter())
        counted = live(scene)
        return all(counted[number] == talking[number] for number in tracked) and counted

    return wait.until(right, lambda: f"live: {live(scene)}, talking: "
                      f"{[talk.ask().talking for talk in staying.values()]}", timeout=15)


@pytest.mark.parametrize("setup", SETUPS)
def test_connections_outlive_what_is_forged_in_their_name(lab, figure, setup):
    scheduler, tracked, change = SETUPS[setup]
    scene = talk_scene(lab, udp=False, scheduler=scheduler, flows=LONG)
    scene.client.ns.sysctl({"net/ipv4/ip_local_port_range": f"{PORTS.start} {PORTS.stop - 1}"})
    flood = flood_of(scene)
    with conversations(scene, TALKS, interval_ms=1200) as (staying, _):
        where = {name: talk.ask().talking for name, talk in staying.items()}
        change(scene)
        forwarded = scene.daemon.service_stats("talk")["packets"]
        sent = sum(flood.forge(scene.client, family, PORT, PACKETS // 2, PORTS, RATE)
                   for family in FAMILIES)
        assert scene.daemon.service_stats("talk")["packets"] > forwarded + 0.9 * sent
        # Each connection is heard of again.
        before = [talk.ask().exchanges for talk in staying.values()]
        wait.until(lambda: all(talk.ask().exchanges >= n + 2 * TALKS
                               for n, talk in zip(before, staying.values())),
                   "all have talked", timeout=30)
        for name, talk in staying.items():
            report = talk.ask()
            assert not report.troubles and report.talking == where[name], (name, report.troubles)
        judge_counts(scene, staying, tracked)
        figure(f"{setup}: {sent} packets forged in the name of {2 * TALKS} connections: 0 cut, "
               "and as many are counted")

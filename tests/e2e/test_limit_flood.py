# SPDX-License-Identifier: BSD-2-Clause
"""A client that keeps to the limit is served, whatever the others do: sources that share
a cell of the gate with an attacker, and everybody in a flood of spoofed sources.

The gate is as small as can be, so that it is dry where it can be. `make test-limits`
sends for a minute each.
"""

import itertools
import time

import pytest

from lab import pace
from lab.netns import Lab
from lab.traffic import Flood
from scenario_limit import CPUS, FAMILIES, FULL, MINUTE, LimitScene, Meter

pytestmark = pytest.mark.alone("floods, and packets at a pace of which none may be lost")

RATE, BURST = 500, 250
LOW_RATE, LOW_BURST = 10, 20
ATTACKED, FLOODED = 9000, 9001
INSERTS = 2000  # a second, on each CPU

SERVICES = {
    ATTACKED: {"rate": f"{RATE}/s", "burst": BURST},
    FLOODED: {"rate": f"{LOW_RATE}/s", "burst": LOW_BURST, "prefix_v6": 128},
}


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield LimitScene(lab, SERVICES, limiter={
            "gate": 1024, "buckets": 8192, "inserts": f"{INSERTS}/s"})


MANY = 6
ATTACKERS = []  # of all tests: they alone may have been refused anything


def new_attacker(scene, family):
    ATTACKERS.append(scene.crowd.new(family))
    return ATTACKERS[-1]


def found(family, condition):
    """Addresses that satisfy it, of those that nobody else has."""
    sources = (pace.source(family, number) for number in range(2000, 65000))
    return list(itertools.islice(filter(condition, sources), MANY))


def have_buckets(scene, sources):
    rows = [scene.daemon.get(f"/v1/sources/{source}")["limits"] for source in sources]
    return sum(row["bucket"] for limits in rows for row in limits
               if row["service"] == f"udp-{ATTACKED}")


@pytest.mark.parametrize("family", FAMILIES)
def test_neighbours_in_the_gate_are_not_refused(scene, family, figure):
    """Sources whose cell is the attacker's, so that it never has anything for them."""
    cell = scene.limits.places(ATTACKED)
    attacker = new_attacker(scene, family)
    neighbours = found(family, lambda source: cell(source) == cell(attacker))
    alone = {cell(attacker)}
    strangers = found(family, lambda source: not (cell(source) in alone or
                                                  alone.add(cell(source))))

    seconds = MINUTE if FULL else 2
    meter = Meter(scene, ATTACKED)
    attack = scene.pace(ATTACKED, 10 * RATE, seconds, [attacker], late_ms=200)
    paces = {name: scene.pace(ATTACKED, 0.9 * RATE * len(several), seconds, several)
             for name, several in (("neighbours", neighbours), ("strangers", strangers))}
    sent = {name: sender.finish() for name, sender in paces.items()}
    attacked = attack.finish()
    arrived = meter.read()
    got = {name: sum(len(arrived[source]) for source in several)
           for name, several in (("neighbours", neighbours), ("strangers", strangers))}
    figure(f"limit {RATE}/s, attacker at 10 x for {seconds} s ({attacked} sent, "
           f"{len(arrived[attacker])} admitted), IPv{family}: {MANY} neighbours in its cell of "
           f"the gate at 0.9 x: {sent['neighbours'] - got['neighbours']} of {sent['neighbours']} "
           f"refused")
    # They are where they were computed to be.
    assert have_buckets(scene, neighbours) == MANY and not have_buckets(scene, strangers)
    assert len(arrived[attacker]) < RATE * seconds + 2 * BURST < attacked
    assert scene.refused(ATTACKED, but=ATTACKERS) == 0
    assert got == sent


def test_good_clients_are_not_refused_while_one_attacks_at_100_times_its_rate(scene, figure):
    seconds = MINUTE if FULL else 2
    attacker = new_attacker(scene, 4)
    good = [source for family in FAMILIES for source in scene.crowd.several(family, 20)]
    by_family = {family: [source for source in good if pace.family_of(source) == family]
                 for family in FAMILIES}
    meter = Meter(scene, ATTACKED)
    attack = scene.pace(ATTACKED, 100 * RATE, seconds, [attacker])
    paces = [scene.pace(ATTACKED, 0.2 * RATE * len(several), seconds, several)
             for several in by_family.values()]
    sent = sum(sender.finish() for sender in paces)
    attacked = attack.finish()
    arrived = meter.read()
    got = sum(len(arrived[source]) for source in good)
    figure(f"limit {RATE}/s, one attacker at {attacked / seconds / RATE:.0f} x for {seconds} s "
           f"({len(arrived[attacker])} of {attacked} admitted): {len(good)} good clients, "
           f"{sent - got} of {sent} refused")
    assert attacked > 30 * RATE * seconds
    assert len(arrived[attacker]) < RATE * seconds + 2 * BURST
    assert scene.refused(ATTACKED, but=ATTACKERS) == 0
    assert got == sent


# Packets a second of a flood, which this machine makes beside all else.
FLOOD_RATE = 60_000
SPOOFED = 1 << 20


@pytest.fixture(scope="module")
def flood(scene):
    return Flood(scene.top).expect()


@pytest.mark.parametrize("family", FAMILIES)
def test_good_clients_are_served_in_a_flood_of_spoofed_sources(scene, flood, family, figure):
    """At a limit so low that the flood drives every cell of the gate dry."""
    seconds = MINUTE if FULL else 2.5
    good, attacker = scene.crowd.several(family, 200), new_attacker(scene, family)
    meter = Meter(scene, FLOODED)
    begun = time.monotonic()
    sender = scene.pace(FLOODED, 0.5 * LOW_RATE * len(good), seconds, good)
    attack = scene.pace(FLOODED, 100 * LOW_RATE, seconds, [attacker])
    flooded, took = flood.send("udp", family, FLOODED, int(FLOOD_RATE * seconds), FLOOD_RATE,
                               sources=SPOOFED)
    sent, attacked = sender.finish(), attack.finish()
    arrived = meter.read_some()
    passed = time.monotonic() - begun
    stats, refused = meter.stats(), scene.refused(FLOODED, but=ATTACKERS)
    got = sum(len(arrived[source]) for source in good)
    figure(f"limit {LOW_RATE}/s, flood of {flooded} packets of {min(flooded, SPOOFED)} spoofed "
           f"sources in {took:.1f} s, IPv{family}: {len(good)} good clients, {refused} of {sent} "
           f"refused (lost on the links: {sent - got - refused}); {stats['inserted']} buckets made "
           f"in {passed:.1f} s (cap: {INSERTS}/s on each of {len(CPUS)} CPUs), {stats['pressure']} "
           f"decided without one, by the gate: {stats['gate']}; an attacker at 100 x: "
           f"{len(arrived[attacker])} of {attacked} admitted")
    assert stats["gate"] < 0.2 * flooded, "the gate is dry"
    assert stats["inserted"] <= len(CPUS) * INSERTS * (passed + 0.1)
    assert stats["pressure"] > 0.2 * flooded, "the cap is felt"
    assert refused <= 0.001 * sent
    assert got >= 0.99 * sent
    assert len(arrived[attacker]) < 0.5 * attacked

# SPDX-License-Identifier: BSD-2-Clause
"""A changed rate is in force at once, and costs nobody a packet; what a source owes it
goes on owing. And so it does when the daemon dies and another takes over.
"""

import signal
import time

import pytest

from lab import pace
from lab.netns import Lab
from lab.packets import now
from lab.traffic import rest
from scenario_limit import FAMILIES, FULL, LimitScene, Meter, times

pytestmark = pytest.mark.alone("it sends at a pace, and judges to the packet")

FAST, SLOW, BURST = 1000, 200, 200
CHANGED, STEADY, FIXED, SLIDING, SHARED, RUNS_DRY = 9000, 9001, 9002, 9003, 9004, 9005
DEBTS = range(9010, 9014)
DEEP = 1000  # the burst of a limit whose debts are told


def limit(rate, burst, **more):
    return {"rate": f"{rate}/s", "burst": burst, **more}


def window(count, algorithm):
    return {"rate": f"{count}/h", "algorithm": algorithm}


SERVICES = {
    CHANGED: limit(FAST, BURST),
    STEADY: limit(400, 200),
    FIXED: window(100, "fixed-window"),
    SLIDING: window(100, "sliding-window"),
    SHARED: limit(10, DEEP, per="service"),
    RUNS_DRY: {"rate": "60/h", "burst": 100},
    DEBTS[0]: limit(10, DEEP),
    DEBTS[1]: limit(1000, DEEP),
    DEBTS[2]: limit(10, DEEP),
    DEBTS[3]: limit(10, DEEP),
}


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield LimitScene(lab, SERVICES)


def reload(scene, services):
    scene.write(services)
    scene.daemon.reload()


# ---- in force, and nothing lost ----------------------------------------------
def by_signal(daemon):
    daemon.process.send_signal(signal.SIGHUP)


def by_request(daemon):
    daemon.reload()


ATTACKERS = []  # of both tests: they alone may have been refused anything


def last_of_pace(admitted, least, span=0.05):
    """The end of the last window of `span` seconds with at least `least` arrivals."""
    ends = [end for begin, end in zip(admitted, admitted[least - 1:]) if end - begin <= span]
    return ends[-1]


@pytest.mark.parametrize("way", (by_request, by_signal), ids=("sluicectl reload", "SIGHUP"))
def test_a_changed_rate_is_in_force_at_once(scene, way, figure):
    attacker = scene.crowd.new(4)
    ATTACKERS.append(attacker)
    good = [source for family in FAMILIES for source in scene.crowd.several(family, 10)]
    by_family = [[source for source in good if pace.family_of(source) == family]
                 for family in FAMILIES]
    reload(scene, {CHANGED: limit(FAST, BURST)})
    meter = Meter(scene, CHANGED)
    attack = scene.pace(CHANGED, 5 * FAST, 2.3, [attacker], late_ms=200)
    paces = [scene.pace(CHANGED, 0.5 * SLOW * 10, 2.3, several) for several in by_family]
    rest(0.5)
    asked = []
    for rate in (SLOW, FAST):
        scene.write({CHANGED: limit(rate, BURST)})
        asked.append(now())
        way(scene.daemon)
        rest(0.9)
    sent = sum(sender.finish() for sender in paces)
    attack.finish()
    arrived = meter.read()
    admitted = times(arrived[attacker])

    # Each second packet of the fast pace is still more than the slow one has.
    least = int(0.05 * FAST * 0.7)
    slowed = last_of_pace([moment for moment in admitted if moment < asked[1]], least)
    hurried = -last_of_pace([-moment for moment in reversed(admitted) if moment > asked[1]], least)
    slow = [moment for moment in admitted if slowed < moment < asked[1]]
    fast = [moment for moment in admitted if moment > hurried]
    got = sum(len(arrived[source]) for source in good)
    figure(f"reload by {way.__name__[3:]}: {FAST}/s to {SLOW}/s in force after "
           f"{(slowed - asked[0]) * 1000:.0f} ms, back after {(hurried - asked[1]) * 1000:.0f} ms; "
           f"of {sent} packets of sources within their limits {sent - got} lost")
    assert slowed - asked[0] < 1 and hurried - asked[1] < 1
    # The new rate and nothing beside it: no fresh burst, nothing taken back.
    assert 0.95 * SLOW * (asked[1] - slowed) <= len(slow) <= 1.05 * SLOW * (asked[1] - slowed)
    assert 0.95 * FAST <= len(fast) / (fast[-1] - fast[0]) <= 1.05 * FAST
    assert got == sent and scene.refused(CHANGED, but=ATTACKERS) == 0


def test_reloads_lose_no_packet_of_who_is_within_its_limit(scene, figure):
    """Sources that come in bursts, so that they have buckets, which move on each time."""
    reloads = 100 if FULL else 15
    sources = [scene.crowd.new(family) for family in FAMILIES]
    meter = Meter(scene, STEADY)
    before = scene.daemon.verdicts()
    # 2 x its rate for two fifths of the time.
    paces = [scene.pace(STEADY, 800, 0.12 * reloads + 0.5, [source], on_off=(0.2, 0.3))
             for source in sources]
    for number in range(reloads):
        reload(scene, {STEADY: limit(600 if number % 2 else 400, 200)})
        rest(0.1)
    sent = sum(sender.finish() for sender in paces)
    by_source = meter.read()
    got = sum(len(by_source[source]) for source in sources)
    stats = meter.stats()
    figure(f"{reloads} reloads that change the rate: {sent - got} of {sent} packets lost")
    assert got == sent and stats["refused"] == 0
    assert stats["inserted"] >= len(sources) * reloads / 4 and stats["bucket"] > 0.2 * sent
    after = scene.daemon.verdicts()
    assert all(after[name] == before[name] for name in after if name.startswith("DROP"))


# ---- debts -------------------------------------------------------------------
def use_up(scene, port, source, count=2 * DEEP):
    """Sends `count` datagrams at once; the time at which that was over."""
    meter = Meter(scene, port)
    scene.pace(port, 10 * DEEP, count / (10 * DEEP), [source], late_ms=500).finish()
    arrived = times(meter.read()[source])
    return len(arrived), meter.stats()["bucket"], arrived[-1]


def push(scene, port, source, seconds=0.4):
    """Sends much more than any rate here; what was admitted, and how many by the gate."""
    meter = Meter(scene, port)
    scene.pace(port, 5 * DEEP, seconds, [source], late_ms=500).finish()
    return times(meter.read()[source]), meter.stats()["gate"]


@pytest.mark.parametrize("family", FAMILIES)
def test_who_has_used_up_its_burst_gets_no_other_at_a_higher_rate(scene, family, figure):
    source = scene.crowd.new(family)
    reload(scene, {DEBTS[0]: limit(10, DEEP)})
    count, _, _ = use_up(scene, DEBTS[0], source)
    assert DEEP <= count < 1.3 * DEEP
    reload(scene, {DEBTS[0]: limit(1000, DEEP)})
    admitted, _ = push(scene, DEBTS[0], source)
    span = admitted[-1] - admitted[0]
    figure(f"10/s with its burst of {DEEP} used up, then 1000/s, IPv{family}: {len(admitted)} "
           f"admitted in {span:.2f} s")
    # It has had a moment of 10/s until it came again.
    assert 0.95 * 1000 * span <= len(admitted) <= 1.02 * 1000 * span + 30


@pytest.mark.parametrize("family", FAMILIES)
def test_nor_at_a_lower_one(scene, family, figure):
    source = scene.crowd.new(family)
    reload(scene, {DEBTS[1]: limit(1000, DEEP)})
    _, _, ended = use_up(scene, DEBTS[1], source, 3 * DEEP)
    reload(scene, {DEBTS[1]: limit(10, DEEP)})
    admitted, gate = push(scene, DEBTS[1], source, 0.3)
    own = admitted[gate:]
    # Until its bucket was asked, it was given back at the rate of before.
    back = 1000 * (own[0] - ended)
    figure(f"1000/s with its burst of {DEEP} used up, then 10/s, IPv{family}: {len(admitted)} "
           f"admitted; it had {back:.0f} back by then, and the gate's share of the new burst is "
           f"{gate}")
    assert abs(len(own) - back) <= 0.05 * back + 10
    assert gate <= DEEP / 4


def test_what_is_left_of_a_burst_is_left_after_a_reload(scene):
    source = scene.crowd.new(4)
    _, used, _ = use_up(scene, DEBTS[2], source, DEEP // 2)
    assert 0 < used < DEEP // 2, "the gate has had its share"
    reload(scene, {DEBTS[2]: limit(100, DEEP)})
    admitted, gate = push(scene, DEBTS[2], source)
    assert not gate, "it has had its share"
    expected = DEEP - used + 100 * (admitted[-1] - admitted[0])
    assert abs(len(admitted) - expected) <= 0.01 * expected


def test_a_smaller_burst_is_no_debt(scene):
    """What was used of the larger one was no more than allowed: an empty bucket of the
    new size is all that can be left of it.
    """
    source = scene.crowd.new(4)
    reload(scene, {DEBTS[3]: limit(100, DEEP)})
    use_up(scene, DEBTS[3], source)
    reload(scene, {DEBTS[3]: limit(100, DEEP // 10)})
    admitted, gate = push(scene, DEBTS[3], source, 0.8)
    own = admitted[gate:]
    assert own, "it gets the rate at once"
    span = own[-1] - own[0]
    assert span > 0.6 and abs(len(own) - 100 * span) <= 0.1 * 100 * span + 5


def test_a_larger_burst_is_no_present(scene):
    source = scene.crowd.new(4)
    reload(scene, {DEBTS[3]: limit(100, DEEP // 10)})
    use_up(scene, DEBTS[3], source)
    reload(scene, {DEBTS[3]: limit(100, DEEP)})
    admitted, gate = push(scene, DEBTS[3], source)
    # What is larger was not used: DEEP less the old burst that was.
    expected = DEEP - DEEP // 10 + 100 * 0.4
    assert abs(len(admitted) - gate - expected) <= 0.1 * expected


def test_who_has_used_nothing_has_its_whole_burst_after_a_reload(scene):
    idle, other = scene.crowd.new(4), scene.crowd.new(4)
    scene.send(DEBTS[3], idle, 1)
    use_up(scene, DEBTS[3], other)
    reload(scene, {DEBTS[3]: limit(20, DEEP)})
    assert DEEP <= len(push(scene, DEBTS[3], idle)[0]) <= 1.3 * DEEP


def test_a_limit_for_the_service_keeps_its_debt_too(scene):
    source = scene.crowd.new(4)
    count, _, _ = use_up(scene, SHARED, source)
    assert DEEP <= count <= DEEP + 10
    reload(scene, {SHARED: limit(1000, DEEP, per="service")})
    admitted, _ = push(scene, SHARED, source)
    since = 1000 * (admitted[-1] - admitted[0])
    # It goes on by the new rate from the reload on, not from the first packet.
    assert 0.95 * since <= len(admitted) <= since + 500


@pytest.mark.parametrize("port, algorithm", ((FIXED, "fixed-window"), (SLIDING, "sliding-window")),
                         ids=("fixed", "sliding"))
def test_a_window_goes_on_counting_where_it_was(scene, port, algorithm):
    source = scene.crowd.new(6)
    if 3600 - time.monotonic() % 3600 < 10:
        rest(11)  # not over a boundary
    counts = []
    for count in (100, 150, 120, 200):
        reload(scene, {port: window(count, algorithm)})
        meter = Meter(scene, port)
        scene.send(port, source, 120)
        counts.append(len(meter.read()[source]))
    assert counts == [100, 50, 0, 50]


# ---- another daemon ----------------------------------------------------------
def shown(scene):
    """Limits as they are set and what they have done, and what is denied."""
    limits = scene.daemon.get("/v1/limits")["limits"]
    denied = {row["prefix"]: row["ends_in_s"] for row in scene.daemon.get("/v1/denied")["denied"]}
    return {(row["service"], row["number"]): row for row in limits}, denied


DENIED = {4: "10.9.248.0/24", 6: "2001:db8:9:f800::/56"}


def drained(scene, sources):
    """Sends 20 of each: who of them got anything through."""
    meter = Meter(scene, RUNS_DRY)
    for source in sources:
        scene.send(RUNS_DRY, source, 20)
    return {source for source, arrivals in meter.read().items() if arrivals}


def test_a_killed_daemon_leaves_limits_denials_and_buckets_as_they_were(scene):
    daemon = scene.daemon
    sources = {family: scene.crowd.new(family) for family in FAMILIES}
    denied = [pace.source(family, 0xf801) for family in FAMILIES]
    for source in sources.values():
        scene.send(RUNS_DRY, source, 200)
    daemon.ctl("deny", "add", DENIED[4], "--for", "10m")
    daemon.ctl("deny", "add", DENIED[6])
    assert drained(scene, [*sources.values(), *denied]) == set()
    limits_before, denied_before = shown(scene)
    places = scene.limits.places(RUNS_DRY)

    begun = time.monotonic()
    good = scene.crowd.new(4)
    meter = Meter(scene, STEADY)
    sender = scene.pace(STEADY, 200, 2, [good])
    daemon.kill()
    rest(0.3)  # nobody is there
    daemon.start()
    sent = sender.finish()
    limits_after, denied_after = shown(scene)
    passed = time.monotonic() - begun
    assert len(meter.read()[good]) == sent

    for key, row in limits_before.items():
        after = limits_after[key]
        assert {**after, "stats": 0, "sources": 0} == {**row, "stats": 0, "sources": 0}
        assert all(after["stats"][name] >= row["stats"][name] for name in row["stats"]), key
        assert after["sources"] is None or after["sources"] >= row["sources"]
    assert denied_after.keys() == denied_before.keys() == set(DENIED.values())
    assert denied_after[DENIED[6]] is None
    gone = denied_before[DENIED[4]] - denied_after[DENIED[4]]
    assert -1 <= gone <= passed + 3
    # As packets see it: still over, still denied, everybody in the same place.
    assert drained(scene, [*sources.values(), *denied]) == set()
    assert scene.limits.places(RUNS_DRY)(good) == places(good)
    daemon.ctl("deny", "remove", DENIED[4])
    daemon.ctl("deny", "remove", DENIED[6])
    assert drained(scene, [*sources.values(), *denied]) == set(denied)


def test_detaching_and_attaching_forgets_nothing(scene):
    source = scene.crowd.new(4)
    scene.send(RUNS_DRY, source, 200)
    assert drained(scene, [source]) == set()
    for device in scene.top.interfaces:
        scene.daemon.ctl("detach", device)
    assert not any(scene.top.balancer.xdp(device) for device in scene.top.interfaces)
    for device in scene.top.interfaces:
        scene.daemon.ctl("attach", device)
    assert drained(scene, [source]) == set()
    assert len(push(scene, CHANGED, scene.crowd.new(4), 0.1)[0]) > BURST, "others are served"

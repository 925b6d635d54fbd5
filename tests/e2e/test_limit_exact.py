# SPDX-License-Identifier: BSD-2-Clause
"""What a limit admits, told by when its packets arrive at the backend: by rate, burst
and window, from both CPUs at once; in packets, bytes and connections.

`make test-limits` sends for a minute each.
"""

import contextlib
import errno
import os
import select
import socket
import time

import pytest

from lab import pace
from lab.netns import Lab
from lab.packets import TCP, Capture, Ether
from scenario_limit import CPUS, FAMILIES, FULL, MINUTE, LimitScene, Meter, times

RATE, BURST = 1000, 500
GATE_SHARE = 1 / 4  # of a burst, which a source may get beside it

STEADY, BYTES, FIXED, SLIDING, SHARED, TWO, DRY, EXEMPT = range(9000, 9008)
BYTE_RATE, BYTE_BURST = 1_000_000, 100_000
WINDOW = 500  # a second
CONNECTIONS, CONNECTIONS_BURST = 50, 20

EXEMPTED = {4: pace.source(4, 60000), 6: pace.source(6, 60000)}

SERVICES = {
    STEADY: {"rate": f"{RATE}/s", "burst": BURST},
    BYTES: {"rate": "8Mbit/s", "burst": BYTE_BURST, "count": "bytes"},
    FIXED: {"rate": f"{WINDOW}/s", "algorithm": "fixed-window"},
    SLIDING: {"rate": f"{WINDOW}/s", "algorithm": "sliding-window"},
    SHARED: {"rate": f"{RATE}/s", "burst": BURST, "per": "service"},
    TWO: [{"rate": f"{RATE}/s", "burst": 100},
          {"rate": "2Mbit/s", "burst": 25000, "count": "bytes"}],
    DRY: {"rate": f"{RATE}/s", "burst": BURST, "dry_run": True},
    EXEMPT: {"rate": f"{RATE}/s", "burst": BURST, "exempt": list(EXEMPTED.values())},
}
WEB = {"limit": [
    {"rate": f"{CONNECTIONS}/s", "burst": CONNECTIONS_BURST, "count": "connections"},
    {"rate": "80/s", "burst": 40, "count": "connections", "per": "service"},
]}


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield LimitScene(lab, SERVICES, with_web=WEB)


# ---- one source, both CPUs ---------------------------------------------------
# (times its rate, seconds on and off, seconds of a short run)
PATTERNS = {
    "steady at 1.5 x": (1.5, None, 3),
    "steady at 10 x": (10, None, 3),
    "0.5 s on, 0.5 s off at 10 x": (10, (0.5, 0.5), 3),
    "0.2 s on, 2 s off at 20 x": (20, (0.2, 2), 4.7),
}


def moments(factor, on_off, seconds):
    """When such a sender sends."""
    on, off = on_off or (seconds, 0)
    number = 0
    while True:
        sending = number / (factor * RATE)
        moment = sending + sending // on * off
        if moment >= seconds:
            return
        yield moment
        number += 1


def plain_bucket(arrivals):
    """What a token bucket admits of them."""
    tokens, last, admitted = BURST, 0, 0
    for moment in arrivals:
        tokens, last = min(BURST, tokens + RATE * (moment - last)), moment
        if tokens >= 1:
            tokens, admitted = tokens - 1, admitted + 1
    return admitted


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_one_source_gets_its_rate_and_burst_and_no_more(scene, pattern, figure):
    factor, on_off, short = PATTERNS[pattern]
    seconds = MINUTE if FULL else short
    sources = {family: scene.crowd.new(family) for family in FAMILIES}
    plain = plain_bucket(moments(factor, on_off, seconds))
    cpus_before = scene.daemon.percpu_verdicts("DROP_LIMIT")
    meter = Meter(scene, STEADY)
    paces = [scene.pace(STEADY, factor * RATE, seconds, [source], on_off=on_off, late_ms=200)
             for source in sources.values()]
    sent = dict(zip(sources, (sender.finish() for sender in paces)))
    arrived = meter.read()
    grown = [after - before for before, after in
             zip(cpus_before, scene.daemon.percpu_verdicts("DROP_LIMIT"))]
    assert sum(count > 0.05 * sum(grown) for count in grown) >= 2, f"on one CPU alone: {grown}"
    stats = meter.stats()
    assert stats["gate"] + stats["bucket"] == sum(map(len, arrived.values()))
    for family, source in sources.items():
        admitted = times(arrived[source])
        span = admitted[-1] - admitted[0]
        allowed = RATE * span + BURST
        over = pace.most_over(admitted, RATE)
        figure(f"limit {RATE}/s, burst {BURST}, {pattern}, {seconds} s, IPv{family}: "
               f"{sent[family]} sent, {len(admitted)} admitted, rate x time + burst = "
               f"{allowed:.0f}: {len(admitted) / allowed:.2%} (a plain bucket: {plain}); in any window at most rate x time "
               f"+ {over / BURST:.2f} x burst")
        assert over <= 2 * BURST
        assert len(admitted) >= 0.95 * plain, "nor less than a token bucket admits"
        if on_off is None:
            # In a short run, the gate's share is more than a hundredth.
            share = 0 if FULL else GATE_SHARE * BURST
            assert 0.99 * allowed <= len(admitted) <= 1.01 * allowed + share


# ---- bytes, and several limits -----------------------------------------------
@pytest.mark.parametrize("family", FAMILIES)
def test_bytes_are_those_of_whole_frames(scene, family, figure):
    seconds = MINUTE if FULL else 2.5
    source, size = scene.crowd.new(family), 958
    frame = pace.HEADERS[family] + size
    meter = Meter(scene, BYTES)
    sent = scene.pace(BYTES, 3 * BYTE_RATE / frame, seconds, [source], size=size,
                      late_ms=200).finish()
    arrived = meter.read()[source]
    span = arrived[-1].time - arrived[0].time
    admitted = sum(arrival.length + pace.HEADERS[family] for arrival in arrived)
    allowed = BYTE_RATE * span + BYTE_BURST
    figure(f"limit 8Mbit/s, IPv{family}, {seconds} s: {sent * frame} bytes sent, {admitted} "
           f"admitted, rate x time + burst = {allowed:.0f}: {admitted / allowed:.2%}")
    share = 0 if FULL else GATE_SHARE * BYTE_BURST
    assert 0.99 * allowed <= admitted <= 1.01 * allowed + share


@pytest.mark.parametrize("size, number", ((64, 1), (1000, 2)), ids=("small", "large"))
def test_of_two_limits_the_tighter_one_binds(scene, size, number):
    source = scene.crowd.new(4)
    frame = size + pace.HEADERS[4]
    first, second = Meter(scene, TWO, 1), Meter(scene, TWO, 2)
    scene.pace(TWO, 3 * RATE, 2, [source], size=size, late_ms=200).finish()
    arrived = times(first.read()[source])
    rate, burst = (RATE, 100) if number == 1 else (250_000 / frame, 25_000 / frame)
    allowed = rate * (arrived[-1] - arrived[0]) + burst
    # The gate's share: a jumbo frame at least, of bytes.
    share = max(GATE_SHARE * burst, 9000 / frame if number == 2 else 0)
    assert 0.99 * allowed <= len(arrived) <= 1.01 * allowed + share
    refused = {1: first.stats()["refused"], 2: second.stats()["refused"]}
    assert refused[number] > 0.3 * sum(refused.values())
    assert refused[1] + refused[2] == first.dropped()
    if number == 1:
        assert not refused[2]


# ---- whom a limit binds ------------------------------------------------------
def test_a_limit_for_the_service_is_for_all_sources_together(scene, figure):
    """Nobody alone sends more than the rate; all together three times as much."""
    seconds = MINUTE if FULL else 2.5
    sources = {family: scene.crowd.several(family, 10) for family in FAMILIES}
    meter = Meter(scene, SHARED)
    paces = [scene.pace(SHARED, 1.5 * RATE, seconds, several, late_ms=200)
             for several in sources.values()]
    sent = sum(sender.finish() for sender in paces)
    by_source = meter.read()
    admitted = sorted(time for arrivals in by_source.values() for time in times(arrivals))
    assert len(by_source) == 20, "everybody gets something"
    allowed = RATE * (admitted[-1] - admitted[0]) + BURST
    figure(f"limit per service, 20 sources, {seconds} s: {sent} sent, {len(admitted)} admitted, "
           f"rate x time + burst = {allowed:.0f}: {len(admitted) / allowed:.2%}")
    # No gate, and so nothing beside.
    assert 0.99 * allowed <= len(admitted) <= 1.01 * allowed
    assert pace.most_over(admitted, RATE) <= 1.02 * BURST
    stats = meter.stats()
    assert (stats["gate"], stats["inserted"], stats["bucket"]) == (0, 0, len(admitted))


def test_a_dry_run_refuses_nobody_and_counts(scene):
    source = scene.crowd.new(4)
    meter = Meter(scene, DRY)
    sent = scene.pace(DRY, 5 * RATE, 1, [source]).finish()
    arrived = times(meter.read()[source])
    assert len(arrived) == sent and meter.dropped() == 0
    within = RATE * (arrived[-1] - arrived[0]) + BURST
    stats = meter.stats()
    assert stats["refused"] == sent - stats["gate"] - stats["bucket"]
    assert 0.98 * within <= sent - stats["refused"] <= 1.02 * within + GATE_SHARE * BURST


def test_who_is_exempt_is_not_bound(scene):
    bound = [scene.crowd.new(family) for family in FAMILIES]
    exempt = list(EXEMPTED.values())
    meter = Meter(scene, EXEMPT)
    paces = {source: scene.pace(EXEMPT, 3 * RATE, 1, [source]) for source in bound + exempt}
    sent = {source: sender.finish() for source, sender in paces.items()}
    arrived = meter.read()
    assert {source: len(arrived[source]) for source in exempt} == {
        source: sent[source] for source in exempt}
    for source in bound:
        assert len(arrived[source]) < RATE + 2 * BURST < sent[source]
    stats = meter.stats()
    assert stats["exempt"] > 0
    assert stats["refused"] == meter.dropped() == sum(
        sent[source] - len(arrived[source]) for source in bound)


# ---- windows -----------------------------------------------------------------
def around_a_boundary(scene, port, source, factor=10):
    """Sends for 0.15 s before and after the clock shows a full second; the
    arrivals, and that second by the wall clock.
    """
    boundary = int(time.monotonic() + 0.8) + 1
    meter = Meter(scene, port)
    scene.pace(port, factor * WINDOW, 0.3, [source], start=boundary - 0.15,
               late_ms=300).finish()
    return times(meter.read()[source]), boundary + pace.clock_offset()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fixed_window_admits_twice_the_limit_around_its_boundary(scene, family, figure):
    admitted, boundary = around_a_boundary(scene, FIXED, scene.crowd.new(family))
    before = sum(moment < boundary for moment in admitted)
    figure(f"fixed window, {WINDOW}/s, IPv{family}: {before} admitted before the boundary, "
           f"{len(admitted) - before} after it, within {admitted[-1] - admitted[0]:.2f} s")
    assert len(admitted) == 2 * WINDOW
    assert abs(before - WINDOW) <= 2  # by when they arrived, not when they were admitted
    assert admitted[-1] - admitted[0] < 0.5


def test_a_fixed_window_admits_its_limit_in_each_window(scene):
    boundary = int(time.monotonic() + 0.8) + 1
    meter, source = Meter(scene, FIXED), scene.crowd.new(4)
    scene.pace(FIXED, 5 * WINDOW, 3, [source], start=boundary, late_ms=200).finish()
    start = boundary + pace.clock_offset()
    admitted = times(meter.read()[source])
    windows = [sum(second <= moment - start < second + 1 for moment in admitted)
               for second in range(3)]
    assert len(admitted) == 3 * WINDOW
    assert max(abs(count - WINDOW) for count in windows) <= 2, windows


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sliding_window_does_not(scene, family, figure):
    admitted, _ = around_a_boundary(scene, SLIDING, scene.crowd.new(family))
    figure(f"sliding window, {WINDOW}/s, IPv{family}, the same sender: {len(admitted)} admitted")
    assert WINDOW <= len(admitted) <= WINDOW * 9 / 8


@pytest.mark.parametrize("on_off", (None, (0.3, 0.4)), ids=("steady", "on and off"))
def test_a_sliding_window_holds_in_any_span_of_its_length(scene, on_off, figure):
    seconds = MINUTE if FULL else 3.5
    meter, source = Meter(scene, SLIDING), scene.crowd.new(4)
    sent = scene.pace(SLIDING, 5 * WINDOW, seconds, [source], on_off=on_off).finish()
    admitted = times(meter.read()[source])
    most = pace.most_within(admitted, 1.0)
    figure(f"sliding window, {WINDOW}/s, {'0.3 s on, 0.4 s off' if on_off else 'steady'} at 5 x, "
           f"{seconds} s: {sent} sent, {len(admitted)} admitted, at most {most} in any second")
    assert most <= WINDOW * 9 / 8
    # Nor much less than it promises.
    assert len(admitted) >= 0.85 * WINDOW * (admitted[-1] - admitted[0])


# ---- connections -------------------------------------------------------------
class Connecting:
    """Connects at a pace; each is given up after a moment, before it asks again."""

    PATIENCE = 0.5

    def __init__(self, host, target, sources, a_second, seconds):
        self.target, self.tried, self.made = target, 0, 0
        self.kind = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self.waiting = {}
        with host.ns.entered():
            begun = time.monotonic()
            while (passed := time.monotonic() - begun) < seconds:
                while self.tried < passed * a_second:
                    self._begin(sources[self.tried % len(sources)])
                self._look(0.002)
            deadline = time.monotonic() + self.PATIENCE
            while self.waiting and time.monotonic() < deadline:
                self._look(0.01)
        for sock in list(self.waiting):
            sock.close()

    def _begin(self, source):
        sock = socket.socket(self.kind, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
        if self.kind == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND
        sock.bind((source, 0))
        assert sock.connect_ex(self.target) == errno.EINPROGRESS
        self.waiting[sock] = time.monotonic()
        self.tried += 1

    def _look(self, timeout):
        _, ready, _ = select.select([], list(self.waiting), [], timeout)
        for sock in ready:
            self.made += sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            self._end(sock)
        for sock, begun in list(self.waiting.items()):
            if time.monotonic() - begun > self.PATIENCE:
                self._end(sock)

    def _end(self, sock):
        del self.waiting[sock]
        sock.close()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number, rate, burst, count", (
    (1, CONNECTIONS, CONNECTIONS_BURST, 1), (2, 80, 40, 8)), ids=("per source", "per service"))
def test_connections_are_admitted_to_the_one(scene, family, number, rate, burst, count, figure):
    """Real ones, by nginx's SYNs: exactly burst + rate x time (beside the gate's share)."""
    seconds = MINUTE if FULL else 2
    target = (scene.top.service(family), 80)
    sources = scene.crowd.several(family, count)
    before = stats_of(scene, number)
    backend = scene.top.backends[0]
    with contextlib.ExitStack() as stack:
        capture = stack.enter_context(Capture(backend.ns, backend.device))
        sender = Connecting(scene.client, target, sources, 200, seconds)
        admitted = sorted(
            moment for moment, frame in capture.read()
            if TCP in (packet := Ether(frame)) and packet[TCP].flags == "S"
            and packet[TCP].dport == 8080 and packet[1].src in sources)
    grown = {name: value - before[name] for name, value in stats_of(scene, number).items()}
    assert sender.made == len(admitted), "who was admitted was served"
    first = grown["gate"] if number == 1 else 0
    assert first <= GATE_SHARE * burst
    allowed = rate * (admitted[-1] - admitted[first]) + burst
    figure(f"connections, limit {rate}/s, burst {burst}, per {'source' if first else 'service'}, "
           f"IPv{family}, {seconds} s: {sender.tried} tried, {len(admitted)} made ({first} by the "
           f"gate), rate x time + burst = {allowed:.1f}")
    assert abs(len(admitted) - first - allowed) <= 1.5


def stats_of(scene, number):
    rows = scene.daemon.get("/v1/limits/web")["limits"]
    return next(row["stats"] for row in rows if row["number"] == number)

# SPDX-License-Identifier: BSD-2-Clause
"""What a limit admits, told by when its packets arrive at the backend: by rate, burst
and window, from both CPUs at once; in packets, bytes and connections.

`make test-limits` sends for a minute each.
"""

import errno
import select
import socket
import time

import pytest

from lab import pace, wait
from lab.netns import Lab
from lab.packets import TCP, Capture, Ether, now
from scenario_limit import CPUS, FAMILIES, FULL, MINUTE, LimitScene, Meter, times

pytestmark = pytest.mark.alone("it sends at a pace, and judges to the packet")

RATE, BURST = 1000, 500
GATE_SHARE = 1 / 4  # of a burst, which a source may get beside it

STEADY, BYTES, FIXED, SLIDING, SHARED, TWO, DRY, EXEMPT = range(9000, 9008)
BYTE_RATE, BYTE_BURST = 1_000_000, 100_000
WINDOW = 500  # a second
CONNECTIONS, CONNECTIONS_BURST = 30, 10
SHARED_CONNECTIONS, SHARED_BURST = 80, 40

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
WEB = [
    {"rate": f"{CONNECTIONS}/s", "burst": CONNECTIONS_BURST, "count": "connections"},
    {"rate": f"{SHARED_CONNECTIONS}/s", "burst": SHARED_BURST, "count": "connections",
     "per": "service"},
]


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield LimitScene(lab, SERVICES, {80: WEB})


# ---- one source, both CPUs ---------------------------------------------------
# (times its rate, seconds on and off, seconds of a short run)
PATTERNS = {
    "steady at 1.5 x": (1.5, None, 2),
    "steady at 10 x": (10, None, 2),
    "0.5 s on, 0.5 s off at 10 x": (10, (0.5, 0.5), 2),
    "0.2 s on, 2 s off at 20 x": (20, (0.2, 2), 2.5),
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


def plain_bucket(arrivals, rate=RATE, burst=BURST):
    """What a token bucket admits of them."""
    tokens, last, admitted = burst, 0, 0
    for moment in arrivals:
        tokens, last = min(burst, tokens + rate * (moment - last)), moment
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
               f"{allowed:.0f}: {len(admitted) / allowed:.2%} (a plain bucket: {plain}); in any "
               f"window at most rate x time + {over / BURST:.2f} x burst")
        assert over <= 2 * BURST
        assert len(admitted) >= 0.95 * plain, "nor less than a token bucket admits"
        if on_off is None:
            # In a short run, the gate's share is more than a hundredth.
            share = 0 if FULL else GATE_SHARE * BURST
            assert 0.99 * allowed <= len(admitted) <= 1.01 * allowed + share


# ---- bytes, and several limits -----------------------------------------------
def test_bytes_are_those_of_whole_frames(scene, figure):
    seconds, size = MINUTE if FULL else 2, 958
    meter = Meter(scene, BYTES)
    sources = {family: scene.crowd.new(family) for family in FAMILIES}
    paces = [scene.pace(BYTES, 3 * BYTE_RATE / 1000, seconds, [source], size=size, late_ms=200)
             for source in sources.values()]
    sent = [sender.finish() for sender in paces]
    by_source = meter.read()
    for (family, source), count in zip(sources.items(), sent):
        arrived, headers = by_source[source], pace.HEADERS[family]
        span = arrived[-1].time - arrived[0].time
        admitted = sum(arrival.length + headers for arrival in arrived)
        allowed = BYTE_RATE * span + BYTE_BURST
        figure(f"limit 8Mbit/s, IPv{family}, {seconds} s: {count * (size + headers)} bytes sent, "
               f"{admitted} admitted, rate x time + burst = {allowed:.0f}: "
               f"{admitted / allowed:.2%}")
        share = 0 if FULL else GATE_SHARE * BYTE_BURST
        assert 0.99 * allowed <= admitted <= 1.01 * allowed + share


@pytest.mark.parametrize("size, number, pps", ((64, 1, 3 * RATE), (1000, 2, 0.9 * RATE)),
                         ids=("small packets", "large packets"))
def test_of_two_limits_the_tighter_one_binds(scene, size, number, pps):
    source = scene.crowd.new(4)
    frame = size + pace.HEADERS[4]
    meters = Meter(scene, TWO, 1), Meter(scene, TWO, 2)
    scene.pace(TWO, pps, 1.5, [source], size=size, late_ms=40).finish()
    arrived = times(meters[0].read()[source])
    rate, burst = (RATE, 100) if number == 1 else (250_000 / frame, 25_000 / frame)
    allowed = rate * (arrived[-1] - arrived[0]) + burst
    assert 0.99 * allowed <= len(arrived) <= 1.01 * allowed + GATE_SHARE * burst
    refused = [meter.stats()["refused"] for meter in meters]
    assert refused[2 - number] == 0
    assert refused[number - 1] == meters[0].dropped() > RATE / 4


# ---- whom a limit binds ------------------------------------------------------
def test_a_limit_for_the_service_is_for_all_sources_together(scene, figure):
    """Nobody alone sends more than the rate; all together three times as much."""
    seconds = MINUTE if FULL else 1.5
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
    # No gate, and so nothing beside. (What comes too late finds a bucket that was full
    # already, which a short run feels.)
    assert (0.99 if FULL else 0.97) * allowed <= len(admitted) <= 1.01 * allowed
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
def next_boundary():
    """A full second of the clock that windows follow, far enough to make ready for."""
    return int(time.monotonic() + 0.6) + 1


def around_a_boundary(scene, port):
    """Sends for 0.15 s before and after it; {family: arrivals}, and when that was."""
    boundary = next_boundary()
    meter = Meter(scene, port)
    sources = {family: scene.crowd.new(family) for family in FAMILIES}
    paces = [scene.pace(port, 10 * WINDOW, 0.3, [source], start=boundary - 0.15, late_ms=300)
             for source in sources.values()]
    for sender in paces:
        sender.finish()
    arrived = meter.read()
    return ({family: times(arrived[source]) for family, source in sources.items()},
            boundary + pace.clock_offset())


def test_a_fixed_window_admits_twice_the_limit_around_its_boundary(scene, figure):
    by_family, boundary = around_a_boundary(scene, FIXED)
    for family, admitted in by_family.items():
        before = sum(moment < boundary for moment in admitted)
        figure(f"fixed window, {WINDOW}/s, IPv{family}: {before} admitted before the boundary, "
               f"{len(admitted) - before} after it, in {admitted[-1] - admitted[0]:.2f} s")
        assert len(admitted) == 2 * WINDOW
        assert abs(before - WINDOW) <= 2  # by when they arrived, not when they were admitted
        assert admitted[-1] - admitted[0] < 0.5


def test_a_sliding_window_does_not(scene, figure):
    by_family, _ = around_a_boundary(scene, SLIDING)
    for family, admitted in by_family.items():
        figure(f"sliding window, {WINDOW}/s, IPv{family}, the same sender: {len(admitted)} "
               f"admitted in {admitted[-1] - admitted[0]:.2f} s")
        assert WINDOW <= len(admitted) <= WINDOW * 9 / 8


def test_a_fixed_window_admits_its_limit_in_each_window(scene):
    """Of what was sent in a window, its limit; all, where less was sent: the machine stood
    still, which spoils three windows if it takes two seconds.
    """
    windows, boundary = (MINUTE if FULL else 5), next_boundary()
    meter, source = Meter(scene, FIXED), scene.crowd.new(4)
    # Nothing at the moment of the last boundary: it would be of the next window.
    sent = scene.pace(FIXED, 5 * WINDOW, windows - 0.1, [source], start=boundary,
                      late_ms=200).finish_by_second()
    start = boundary + pace.clock_offset()
    admitted = times(meter.read()[source])
    counts = [sum(second <= moment - start < second + 1 for moment in admitted)
              for second in range(len(sent))]
    told = f"sent in each window: {sent}; admitted: {counts}"
    assert sum(count > 2 * WINDOW for count in sent) >= windows - 3, told
    wanted = [min(WINDOW, count) for count in sent]
    # By when they arrived; and who sends just before a boundary may be judged behind it.
    assert max(abs(count - want) for count, want in zip(counts, wanted)) <= 2, told
    spoilt = sum(count <= WINDOW + 2 for count in sent)
    assert abs(len(admitted) - sum(wanted)) <= 2 * spoilt, told


def test_a_sliding_window_holds_in_any_span_of_its_length(scene, figure):
    seconds = MINUTE if FULL else 2.5
    patterns = {"steady": None, "0.3 s on, 0.4 s off": (0.3, 0.4)}
    meter = Meter(scene, SLIDING)
    sources = {name: scene.crowd.new(4) for name in patterns}
    paces = [scene.pace(SLIDING, 5 * WINDOW, seconds, [sources[name]], on_off=on_off)
             for name, on_off in patterns.items()]
    sent = [sender.finish() for sender in paces]
    arrived = meter.read()
    for (name, source), count in zip(sources.items(), sent):
        admitted = times(arrived[source])
        # Some milliseconds may pass between the limit and the arrival.
        most = pace.most_within(admitted, 1.0 - 0.005)
        figure(f"sliding window, {WINDOW}/s, {name} at 5 x, {seconds} s: {count} sent, "
               f"{len(admitted)} admitted, at most {most} in any second")
        assert most <= WINDOW * 9 / 8
        if patterns[name] is None:  # nor much less than it promises
            assert len(admitted) >= 0.95 * WINDOW * (admitted[-1] - admitted[0])


# ---- connections -------------------------------------------------------------
class Connecting:
    """Connects at a pace, and lets go at once; what gets no answer is given up before
    it asks again.
    """

    PATIENCE = 0.5

    def __init__(self, scene, sources, a_second, seconds):
        self.scene, self.tried, self.made, self.waiting = scene, [], 0, {}
        with scene.client.ns.entered():
            begun = time.monotonic()
            while (passed := time.monotonic() - begun) < seconds:
                while len(self.tried) < passed * a_second:
                    self._begin(sources[len(self.tried) % len(sources)])
                self._look(0.002)
            wait.until(lambda: self._look(0.01) or not self.waiting, "all have ended")

    def _begin(self, source):
        family = pace.family_of(source)
        sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6)
        sock.setblocking(False)
        pace.bind_to(sock, source)
        self.tried.append(now())
        assert sock.connect_ex((self.scene.top.service(family), 80)) == errno.EINPROGRESS
        self.waiting[sock] = time.monotonic()

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


def connect(scene, sources, seconds):
    """When each tried (seconds of the wall clock), and when nginx got SYNs of theirs."""
    backend = scene.top.backends[0]
    with Capture(backend.ns, backend.device) as capture:
        sender = Connecting(scene, sources, 200, seconds)
        admitted = [
            moment for moment, frame in capture.read()
            if TCP in (packet := Ether(frame)) and packet[TCP].flags == "S"
            and packet[1].src in sources]
    assert sender.made == len(admitted), "who was admitted was served"
    return sender.tried, admitted


@pytest.mark.parametrize("family", FAMILIES)
def test_connections_are_counted_to_the_one(scene, family, figure):
    """Real ones, by nginx's SYNs: exactly rate x time + burst, beside the gate's share."""
    seconds = MINUTE if FULL else 1.5
    before = scene.stats(80, proto="tcp")["gate"]
    tried, admitted = connect(scene, [scene.crowd.new(family)], seconds)
    gate = scene.stats(80, proto="tcp")["gate"] - before
    # The bucket is asked from the first one on that the gate has not admitted.
    expected = plain_bucket(tried[gate:], CONNECTIONS, CONNECTIONS_BURST)
    figure(f"connections, limit {CONNECTIONS}/s, burst {CONNECTIONS_BURST}, IPv{family}, "
           f"{seconds} s: {len(tried)} tried, {len(admitted)} made: {gate} by the gate, "
           f"{len(admitted) - gate} by the bucket; a plain one admits {expected}; rate x time + "
           f"burst = {CONNECTIONS * (tried[-1] - tried[0]) + CONNECTIONS_BURST:.1f}")
    assert gate <= GATE_SHARE * CONNECTIONS_BURST + 1
    assert abs(len(admitted) - gate - expected) <= 1


def test_connections_of_all_sources_are_counted_to_the_one(scene, figure):
    """Of both families together, and without a gate."""
    seconds = MINUTE if FULL else 1.5
    sources = [scene.crowd.new(family) for _ in range(8) for family in FAMILIES]
    tried, admitted = connect(scene, sources, seconds)
    expected = plain_bucket(tried, SHARED_CONNECTIONS, SHARED_BURST)
    figure(f"connections, limit {SHARED_CONNECTIONS}/s per service, burst {SHARED_BURST}, "
           f"{len(sources)} sources, {seconds} s: {len(tried)} tried, {len(admitted)} made; a "
           f"plain bucket admits {expected}; rate x time + burst = "
           f"{SHARED_CONNECTIONS * (tried[-1] - tried[0]) + SHARED_BURST:.1f}")
    assert abs(len(admitted) - expected) <= 1

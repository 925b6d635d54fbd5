# SPDX-License-Identifier: BSD-2-Clause
"""Who may not use a service at all: prefixes denied at run time while clients ask, and
100 000 of them from files that are read again on reload.
"""

import ipaddress
import os
import random
import socket

import pytest

from lab import pace, wait
from lab.clients import Load
from lab.netns import Lab
from lab.packets import now
from lab.traffic import rest
from scenario_limit import FAMILIES, LimitScene, Meter

PORT = 9000
SEED = 4
MANY = 100_000  # prefixes, half of them IPv4


# ---- at run time -------------------------------------------------------------
@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = LimitScene(lab, {}, {80: {}}, clients=2)
        yield made


def last_served(load):
    return max((request.begun for request in list(load.requests) if not request.error), default=0)


@pytest.mark.alone("requests must be served within 0.1 s")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_denied_client_gets_nothing_from_the_moment_of_the_command(scene, family, figure):
    denied, other = scene.top.clients
    address, prefix = scene.top.service(family), denied.address(family)
    with Load(denied, address, timeout=0.1) as load, Load(other, address) as others:
        wait.until(lambda: load.count() > 50 and others.count() > 50, "requests go on")
        asked = now()
        scene.daemon.ctl("deny", "add", prefix)
        returned = now()
        wait.until(lambda: load.count(since=returned) > 3, "requests are made")
        assert len(load.failed(returned)) == load.count(since=returned)
        scene.daemon.ctl("deny", "remove", prefix)
        back = now()
        wait.until(lambda: load.count(since=back) > 20, "requests go on")
        assert not load.failed(back)
        assert others.count(since=asked) > 50
    assert not others.failed()
    figure(f"deny add, IPv{family}: the command took {(returned - asked) * 1000:.0f} ms, after "
           f"which no request was served; deny remove: all were")


def test_an_established_connection_is_denied_too(scene):
    client = scene.client
    with client.ns.entered():
        sock = socket.create_connection((scene.top.service(4), 80))
    with sock:
        scene.daemon.ctl("deny", "add", client.ipv4)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.recv(100)
        scene.daemon.ctl("deny", "remove", client.ipv4)
        # Its request comes again, and it goes on.
        sock.settimeout(10)
        assert sock.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.alone("requests must be served within 0.1 s")
def test_a_denial_with_an_end_ends_by_itself(scene, figure):
    client, address = scene.client, scene.top.service(6)
    with Load(client, address, timeout=0.1) as load:
        wait.until(lambda: load.count() > 20, "requests go on")
        scene.daemon.ctl("deny", "add", "2001:db8:c::/64", "--for", "2s")
        begun = now()
        rest(0.3)
        assert len(load.failed(begun)) == load.count(since=begun) > 0
        ended = wait.until(lambda: last_served(load) > begun and last_served(load), "it ends")
        wait.until(lambda: load.count(since=ended) > 20, "requests go on")
        assert not load.failed(ended)
    figure(f"deny add --for 2s: served again after {ended - begun:.2f} s")
    # Not sooner; by a clock that ticks each 1.07 s, and by requests that wait 0.1 s.
    assert 2 - 0.1 <= ended - begun <= 2 + 2.2 + 0.3
    wait.until(lambda: not scene.daemon.get("/v1/denied")["denied"], "it is forgotten")


# ---- 100 000 prefixes --------------------------------------------------------
class Prefixes:
    """Two files of prefixes. Of a client's many addresses, those of a remainder of
    their number are denied; the others of the list are of all lengths, elsewhere.
    """

    def __init__(self, lab):
        self.paths = {family: lab.path("access", f"deny-{family}.txt") for family in FAMILIES}
        self.numbers = set()

    def write(self, numbers):
        self.numbers = set(numbers)
        random_ = random.Random(SEED + len(self.numbers))
        for family, path in self.paths.items():
            own = [pace.source(family, number) for number in numbers]
            own = own if family == 4 else [source[:-1] + "/64" for source in own]
            others = set()
            while len(others) < MANY // 2 - len(own):
                others.add(_other(family, random_))
            lines = [*own, *others]
            random_.shuffle(lines)
            with open(path, "w", encoding="ascii") as file:
                file.write("# made by a test\n" + "".join(f"{line}\n" for line in lines))


# Networks that no client has an address of, and the longest prefixes of them.
_ELSEWHERE = {4: (ipaddress.ip_network("11.0.0.0/8"), 32),
              6: (ipaddress.ip_network("2600::/16"), 64)}


def _other(family, random_):
    """A prefix of any length, most of them long."""
    net, longest = _ELSEWHERE[family]
    bits = int(random_.triangular(net.prefixlen + 1, longest + 1, longest))
    size = net.max_prefixlen - bits
    address = int(net[0]) | random_.getrandbits(net.max_prefixlen - net.prefixlen)
    return f"{type(net[0])(address >> size << size)}/{bits}"


SAMPLE = range(256, 656)  # numbers of sources that try


def judged(scene, prefixes):
    """Who of the sample is admitted is exactly who is not listed."""
    for family in FAMILIES:
        sources = {number: pace.source(family, number) for number in SAMPLE}
        meter = Meter(scene, PORT)
        scene.pace(PORT, 8000, 0.2, list(sources.values()), late_ms=500).finish()
        admitted = {source for source, arrivals in meter.read().items() if arrivals}
        assert admitted == {source for number, source in sources.items()
                            if number not in prefixes.numbers}
        assert 0 < len(admitted) < len(sources)


def took(action):
    begun = now()
    action()
    return now() - begun


@pytest.mark.alone("it sends at a pace, and no packet may be lost")
def test_100_000_prefixes_from_files(lab, figure):
    """They are in force when the daemon answers, follow the files when it reloads
    them (in which nobody is denied or admitted whom both versions treat alike), and
    are there after a crash.
    """
    prefixes = Prefixes(lab)
    prefixes.write(range(1, 20000, 2))
    scene = LimitScene(lab, {PORT: {}}, deny=[])
    deny = [{"file": path} for path in prefixes.paths.values()]

    scene.write(deny=deny)
    loaded = took(scene.daemon.reload)
    (row,) = scene.daemon.get("/v1/denied")["configured"]
    assert row == {"scope": "all services", "allow": 0, "deny": row["deny"]}
    assert row["deny"] == MANY
    judged(scene, prefixes)
    unchanged = took(scene.daemon.reload)

    # Of the sample: 1 of 2 is denied before, 1 of 3 after.
    prefixes.write(range(1, 20000, 3))
    always = [pace.source(4, number) for number in SAMPLE if number % 6 in (0, 2)]
    never = [pace.source(4, number) for number in SAMPLE if number % 6 == 1]
    meter = Meter(scene, PORT)
    paces = [scene.pace(PORT, 2000, 2, several) for several in (always, never)]
    rest(0.3)
    changed = took(scene.daemon.reload)
    sent = [sender.finish() for sender in paces]
    arrived = meter.read()
    assert sum(len(arrived[source]) for source in always) == sent[0]
    assert not any(arrived[source] for source in never)
    judged(scene, prefixes)

    scene.daemon.kill()
    again = took(scene.daemon.start)
    judged(scene, prefixes)
    # What is gone from the file since is not denied by what the dead one has left.
    prefixes.write([])
    scene.daemon.kill()
    scene.daemon.start()
    meter = Meter(scene, PORT)
    sent = scene.pace(PORT, 1000, 0.2, [*always, *never]).finish()
    assert sum(map(len, meter.read().values())) == sent
    size = sum(os.path.getsize(path) for path in prefixes.paths.values())
    figure(f"{MANY} prefixes from two files ({size / 1e6:.1f} MB), IPv4 and IPv6: reload "
           f"{loaded:.2f} s, unchanged {unchanged:.2f} s, with another {MANY // 2} or more "
           f"{changed:.2f} s; taken over after kill -9 {again:.2f} s")

# SPDX-License-Identifier: BSD-2-Clause
"""What each state of a backend does to new and established connections, and
what happens while no backend can serve.
"""

import collections
import errno
import signal
import socket
import time

import pytest

from lab import wait
from lab.servers import udp_socket
from lab.traffic import rest
from scenario import configuration
from scenario_talk import (
    ADDRESS, CHECKED, FAMILIES, LONG, NAT_PORT, PORT, conversations, met, talk_scene, talk_service,
    troubles,
)


def wait_talking_without(talks, number):
    wait.until(lambda: all(number not in talk.ask().talking for talk in talks.values()),
               lambda: f"none talks to {number}: {[talk.ask().talking for talk in talks.values()]}",
               timeout=5)


CHOICES = ({"affinity": "30m"}, {}, {"scheduler": "round-robin"}, {"scheduler": "source-hash"})


def test_a_change_of_scheduler_or_affinity_cuts_nothing(lab):
    scene = talk_scene(lab)
    with conversations(scene, 60, 30) as (talks, _):
        for choice in CHOICES:
            config = configuration(
                scene.top, *(talk_service(scene, scene.top.backends, name, proto=proto, **choice)
                             for name, proto in (("talk", "tcp"), ("talk-udp", "udp"))))
            scene.daemon.write({**config, "flows": LONG})
            scene.daemon.reload()
            before = {name: talk.ask().exchanges for name, talk in talks.items()}
            wait.until(lambda seen=before: all(
                talk.ask().exchanges >= seen[name] + talk.count
                for name, talk in talks.items()), "all have talked", timeout=20)
            assert not troubles(talks), choice


def test_disabled_and_drained_to_its_deadline(lab):
    scene = talk_scene(lab)
    with conversations(scene, 60, 30) as (talks, _):
        scene.for_both(scene.daemon.disable, "web-1")
        wait_talking_without(talks, 1)
        cut = troubles(talks)
        assert cut and {trouble["server"] for trouble in cut} == {1}
        assert 1 not in met(scene)
        scene.for_both(scene.daemon.enable, "web-1")
        scene.wait_state("web-1", True)
        assert 1 in met(scene)

        # A drain with a deadline: until then its connections go on, and then they end.
        begun = time.monotonic()
        scene.for_both(scene.daemon.drain, "web-2", timeout="3s")
        assert 2 not in met(scene)
        shown = scene.daemon.backend("talk", "web-2")
        assert shown["live"] > 0 and not shown["serving"]
        rest(1.5)
        assert len(troubles(talks)) == len(cut)
        wait_talking_without(talks, 2)
        assert 2.9 <= time.monotonic() - begun <= 6
        assert {trouble["server"] for trouble in troubles(talks)} == {1, 2}
        assert 2 not in met(scene)


def test_live_connections_are_shown_while_a_backend_drains(lab):
    scene = talk_scene(lab, udp=False)
    with scene.talk(4, 80) as talk:
        expected = talk.wait_talking().talking[3]
        scene.daemon.drain("talk", "web-3")
        wait.until(lambda: scene.daemon.backend("talk", "web-3")["live"] == expected,
                   lambda: f"{expected} live: {scene.daemon.backend('talk', 'web-3')}", timeout=5)
        talk.ask("close 3")
        wait.until(lambda: scene.daemon.backend("talk", "web-3")["live"] == 0, "none lives")
        assert not talk.ask().troubles


def test_a_draining_backend_is_not_dead_for_one_lost_check(lab):
    """Not ready, it finishes what it has; dead, after `fall` checks without any
    answer, it loses it. The first good check of its recovery ends nothing either.
    """
    scene = talk_scene(lab, udp=False, check={**CHECKED, "fall": 8})
    nginx = scene.servers["web-3"]
    with conversations(scene, 60) as (talks, _):
        nginx.sick()
        scene.wait_state("web-3", False, services=("talk",))
        nginx.process.send_signal(signal.SIGSTOP)
        rest(0.5)  # two checks or three
        nginx.process.send_signal(signal.SIGCONT)
        rest(0.5)
        assert not troubles(talks)
        nginx.sick(False)
        scene.wait_state("web-3", True, services=("talk",))
        rest(0.5)
        assert not troubles(talks)

        nginx.sick()
        scene.wait_state("web-3", False, services=("talk",))
        nginx.kill()
        wait_talking_without(talks, 3)
        assert {trouble["server"] for trouble in troubles(talks)} == {3}


def test_weight_0_gets_nothing_new_and_keeps_what_it_has(lab):
    scene = talk_scene(lab)
    with conversations(scene, 60, 30) as (talks, _):
        before = {name: talk.ask().talking for name, talk in talks.items()}
        scene.for_both(scene.daemon.weight, "web-1", 0)
        assert 1 not in met(scene) and 1 not in met(scene, 6)
        rest(1)
        assert {name: talk.ask().talking for name, talk in talks.items()} == before


def test_a_backup_serves_only_when_nobody_else_can(lab):
    scene = talk_scene(lab, backends=3)
    for service in scene.config["services"]:
        for entry in service["backends"]:
            entry["backup"] = entry["name"].startswith("web-3")
    scene.daemon.write(scene.config)
    scene.daemon.reload()
    wait.until(lambda: met(scene) == met(scene, 6) == {1, 2}, "the backup has nothing")

    scene.kill("web-1")
    scene.wait_state("web-1", False)
    assert met(scene) == {2}
    scene.servers["web-2"].sick()
    scene.wait_state("web-2", False)
    assert met(scene) == met(scene, 6) == {3}
    with conversations(scene, 30) as (talks, _):
        assert all(set(talk.ask().talking) == {3} for talk in talks.values())
        scene.servers["web-2"].sick(False)
        scene.wait_state("web-2", True)
        assert met(scene) == met(scene, 6) == {2}
        rest(1)
        assert not troubles(talks)
        assert all(set(talk.ask().talking) == {3} for talk in talks.values())


def test_a_returning_backend_starts_slowly(lab, figure):
    scene = talk_scene(lab, backends=3, udp=False, slow_start="6s")
    with scene.talk(4, 60) as talk:
        talk.wait_talking()

        def share(name="web-2"):
            table = collections.Counter(scene.maps.tables()[ADDRESS[4], PORT, 6])
            return table[f"{scene.hosts[name].ipv4}:{NAT_PORT}"] / table.total()

        rest(7)  # all but the first one up have started slowly too
        assert all(abs(share(name) - 1 / 3) < 0.01 for name in scene.hosts)
        scene.servers["web-2"].sick()
        scene.wait_state("web-2", False, services=("talk",))
        scene.servers["web-2"].sick(False)
        scene.wait_state("web-2", True, services=("talk",))
        shares, begun = [], time.monotonic()
        while time.monotonic() - begun < 7.5:
            shares.append(share())
            rest(0.5)
        assert not talk.ask().troubles
    figure("slow_start 6s of one of three, share of the table every 0.5 s: "
           + " ".join(f"{share:.0%}" for share in shares))
    assert shares[0] < shares[-1] * 0.9 and shares == sorted(shares)
    assert len(set(shares)) >= 5 and abs(shares[-1] - 1 / 3) < 0.01


def test_too_few_healthy_ones_and_health_is_ignored(lab):
    scene = talk_scene(lab, min_healthy="50%")
    for name in ("web-1", "web-2"):
        scene.servers[name].sick()
        scene.wait_state(name, False)
    assert met(scene) == met(scene, 6) == {3, 4}
    scene.servers["web-3"].sick()  # one of four: less than half
    wait.until(lambda: met(scene) == {1, 2, 3, 4}, "all are used again")
    with conversations(scene, 30, 15) as (talks, _):
        scene.servers["web-3"].sick(False)
        wait.until(lambda: met(scene) == met(scene, 6) == {3, 4}, "health counts again")
        rest(1)
        assert not troubles(talks)


# ---- nobody can serve --------------------------------------------------------
def no_checks_pass(scene):
    """The servers go on; what answers the checks is no more."""
    for server in scene.servers.values():
        server.kill()
    for name in scene.servers:
        wait.until(lambda n=name: scene.daemon.backend("talk", n)["state"] == "down", "down")
        wait.until(lambda n=name: scene.daemon.backend("talk", n + "-v6")["state"] == "down",
                   "down")


def connect_error(scene, family, timeout):
    """(errno, seconds) of an attempt to connect."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    with scene.client.ns.entered(), socket.socket(kind, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        begun = time.monotonic()
        try:
            sock.connect((ADDRESS[family], PORT))
            return 0, time.monotonic() - begun
        except socket.timeout:
            return errno.ETIMEDOUT, time.monotonic() - begun
        except OSError as error:
            return error.errno, time.monotonic() - begun


@pytest.mark.alone("how soon a connection is refused")
@pytest.mark.parametrize("path", ("nat, routed", "dsr, one arm"))
def test_on_all_down(lab, path):
    """drop, reject and last-known, each by a reload while nobody can serve."""
    scene = talk_scene(lab, path, backends=2)
    no_checks_pass(scene)

    def use(what):
        for service in scene.config["services"]:
            service["on_all_down"] = what
        scene.daemon.write(scene.config)
        scene.daemon.reload()

    for family in FAMILIES:
        assert connect_error(scene, family, 0.3)[0] == errno.ETIMEDOUT
    dropped = scene.daemon.verdicts()["DROP_NO_BACKEND"]
    assert dropped >= 2

    use("reject")
    for family in FAMILIES:
        error, seconds = connect_error(scene, family, 2)
        assert error == errno.ECONNREFUSED and seconds < 0.1
        with udp_socket(scene.client.ns, family) as sock:
            sock.connect((ADDRESS[family], PORT))
            sock.send(b"x")
            with pytest.raises(OSError) as refused:
                sock.recv(10)
            assert refused.value.errno in (errno.EHOSTUNREACH, errno.EACCES)
    assert scene.daemon.verdicts()["REJECTED"] == 4
    rows = scene.daemon.get("/v1/stats")["services"]  # TCP and UDP, of each family
    assert [row["refused_packets"] for row in rows] == [1] * 4
    assert scene.daemon.verdicts()["DROP_NO_BACKEND"] == dropped

    use("last-known")
    wait.until(lambda: connect_error(scene, 4, 0.3)[0] == 0, "those that served last serve")
    assert met(scene) == met(scene, 6) == {1, 2}
    for server in scene.servers.values():
        server.start()
    scene.daemon.wait_serving("talk", 4)
    assert met(scene) == {1, 2}

# SPDX-License-Identifier: BSD-2-Clause
"""Backends that fail and come back, under load."""

import signal

import pytest

from lab import wait
from lab.clients import Load
from lab.packets import IP, TCP, Capture, now
from scenario import CHECK, all_serving, configuration, serve, undisturbed, web

INTERVAL, TIMEOUT, FALL, RISE = 0.2, 0.1, 2, 2  # as in scenario.CHECK
SLACK = 0.15  # of a machine that does other things too


def syns(capture, client):
    """Times at which the client's connection attempts arrived."""
    times = []
    for (seconds, _), packet in zip(capture.read(), capture.packets()):
        if IP in packet and packet[IP].src == client.ipv4 and TCP in packet and \
                packet[TCP].flags == "S":
            times.append(seconds)
    return times


def crash(server):
    server.kill()


def hang(server):
    server.process.send_signal(signal.SIGSTOP)


def sicken(server):
    server.sick()


def fall_silent(server):
    """Nothing is answered any more, yet the neighbour is there."""
    for family in ("-4", "-6"):
        server.host.ns.run("ip", family, "rule", "add", "pref", "10", "type", "blackhole")


def recover(server, failure):
    if failure is crash:
        server.start()
    elif failure is hang:
        server.process.send_signal(signal.SIGCONT)
    elif failure is sicken:
        server.sick(False)
    else:
        for family in ("-4", "-6"):
            server.host.ns.run("ip", family, "rule", "del", "pref", "10")


@pytest.mark.alone("how soon a failure is found")
@pytest.mark.parametrize("path", ("nat, routed", "dsr, one arm"))
@pytest.mark.parametrize("failure", (crash, hang, sicken), ids=lambda failure: failure.__name__)
def test_a_failing_backend_is_left_and_taken_back(lab, path, failure, figure):
    scene = all_serving(serve(lab, path))
    victim = scene.server("web-2")
    address = scene.top.service(4)

    # The impatient one does not wait for a hanging server: it keeps asking for connections.
    with Load(scene.client, address) as load, Load(scene.client, address, timeout=0.03):
        wait.until(lambda: load.served_by("web-2"), "web-2 serves")
        capture = Capture(victim.host.ns, victim.host.device)
        died = now()
        failure(victim)
        wait.until(lambda: scene.daemon.backend("web", "web-2")["state"] == "down",
                   "web-2 is seen down")
        seen = now()
        wait.until(lambda: load.count(since=seen) > 100, "requests go on")
        last = max([time - died for time in syns(capture, scene.client)], default=0)
        figure(f"{path}, {failure.__name__}: last request sent {last:.3f} s after the death "
               f"(interval x fall + timeout = {INTERVAL * FALL + TIMEOUT:g} s)")
        assert last <= INTERVAL * FALL + TIMEOUT + SLACK, f"last SYN {last:.3f} s after the death"
        assert undisturbed(load, since=seen)
        assert not load.served_by("web-2", since=seen)

        recover(victim, failure)
        mended = now()
        wait.until(lambda: load.served_by("web-2", since=mended), "web-2 serves again", timeout=5)
        first = min(r.begun for r in load.served_by("web-2", since=mended)) - mended
        assert first <= INTERVAL * RISE + TIMEOUT + SLACK, f"back after {first:.3f} s"
        back = now()
        wait.until(lambda: len(load.served_by("web-2", since=back)) > 20, "web-2 keeps serving")
        assert undisturbed(load, since=seen, changes=1)
    capture.socket.close()


@pytest.mark.alone("how soon a failure is found")
@pytest.mark.parametrize("kind", ("tcp", "http"))
def test_a_silent_backend_is_found_by_its_timeout(lab, kind):
    """Nothing refuses, nothing resets: only the timeout tells."""
    check = {**CHECK, "type": kind}
    if kind == "tcp":
        del check["path"]
    scene = all_serving(serve(lab, config=lambda top, forward: configuration(
        top, web(top, forward, check=check))))
    victim = scene.server("web-3")

    died = now()
    fall_silent(victim)
    wait.until(lambda: scene.daemon.backend("web", "web-3")["state"] == "down", "web-3 down")
    assert now() - died <= INTERVAL * FALL + TIMEOUT + SLACK
    assert scene.daemon.backend("web", "web-1")["serving"]

    recover(victim, fall_silent)
    wait.until(lambda: scene.daemon.backend("web", "web-3")["serving"], "web-3 serves again")


def test_without_any_backend_packets_are_dropped_until_one_is_back(lab):
    scene = all_serving(serve(lab))
    for server in scene.servers:
        server.kill()
    wait.until(lambda: scene.daemon.serving("web") == 0, "no backend left")
    assert scene.daemon.service("web")["state"] == "down"
    assert any("web is down" in problem for problem in scene.daemon.status()["problems"])

    dropped = scene.daemon.verdicts()["DROP_NO_BACKEND"]
    with Load(scene.client, scene.top.service(4), timeout=0.2) as load:
        wait.until(lambda: load.failed(), "a request fails")
        assert scene.daemon.verdicts()["DROP_NO_BACKEND"] > dropped
        scene.server("web-2").start()
        wait.until(lambda: load.served_by("web-2"), "web-2 alone serves", timeout=5)
    assert not load.served_by("web-1")


def test_a_backend_starts_down_and_a_dead_one_never_gets_a_packet(lab):
    def config(top, forward):
        return configuration(top, web(top, forward, check={**CHECK, "rise": 3}))

    scene = serve(lab, config=config)
    victim = scene.server("web-1")
    victim.kill()
    scene.daemon.stop()
    with Capture(victim.host.ns, victim.host.device) as capture:
        scene.daemon.start()
        assert not scene.daemon.backend("web", "web-1")["serving"]
        scene.daemon.wait_serving("web", 4)
        with Load(scene.client, scene.top.service(4)) as load:
            wait.until(lambda: len(load.requests) > 100, "requests go on")
        assert not load.failed() and not load.served_by("web-1")
        assert not syns(capture, scene.client)

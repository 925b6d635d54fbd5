# SPDX-License-Identifier: BSD-2-Clause
"""Reload: the whole difference or nothing at all, and no request lost either way."""

import collections
import json
import os
import signal

import pytest

from lab import clients, wait
from lab.clients import Load
from lab.maps import Maps
from lab.netns import Lab
from scenario import CHECK, all_serving, configuration, serve, undisturbed, web


def by_command(daemon):
    done = daemon.ctl("reload", check=False)
    return done.returncode, done.stdout + done.stderr


def by_signal(daemon):
    """SIGHUP; what the log says of it."""
    before = len(daemon.log)
    daemon.process.send_signal(signal.SIGHUP)
    wait.until(lambda: "\n" in daemon.log[before:], "the log tells of the reload")
    return None, daemon.log[before:]


WAYS = pytest.mark.parametrize("way", (by_command, by_signal), ids=("sluicectl reload", "SIGHUP"))


def what_runs(daemon):
    """Status without what changes by itself."""
    services = daemon.get("/v1/status")["services"]
    return [{key: value for key, value in daemon.service(entry["name"]).items()
             if key in ("name", "addresses", "port", "protocol", "forward", "limits", "check",
                        "table_size", "backends_total")}
            | {"backends": [(b["name"], b["address"], b["port"], b["weight"], b["state"])
                            for b in daemon.service(entry["name"])["backends"]]}
            for entry in services]


@WAYS
def test_a_changed_file_is_applied_and_no_request_lost(lab, way):
    """A backend added, one removed, weights and a limit changed, a service added:
    what stays is undisturbed, and the new backend is checked before it serves.
    """
    first_two = lambda top, forward: configuration(top, web(top, forward, hosts=top.backends[:2]))
    scene = serve(lab, config=first_two)
    daemon, address = scene.daemon, scene.top.service(4)
    daemon.wait_serving("web", 4)
    with Load(scene.client, address) as load:
        wait.until(lambda: len(load.requests) > 50, "requests go on")
        other = web(scene.top, hosts=scene.top.backends[:1])
        other.update(name="other", port=81)
        for entry in other["backends"]:
            entry["port"] = 80
        daemon.write(configuration(
            scene.top,
            web(scene.top, hosts=scene.top.backends[1:], weights=(1, 3),
                limit={"rate": "1M/s"}),
            other,
        ))
        status, text = way(daemon)
        assert status in (None, 0), text
        wait.until(lambda: daemon.service("web")["limits"], "the new configuration runs")
        daemon.wait_serving("web", 4)
        wait.until(lambda: load.served_by("web-3"), "web-3 serves")
        changed = load.requests[-1].begun
        wait.until(lambda: load.count(since=changed) > 400, "requests go on")
        assert undisturbed(load, changes=2), "web-1 leaves, web-3 comes"
        shares = collections.Counter(r.backend for r in load.requests if r.begun > changed)
        assert shares["web-1"] == 0 and shares["web-3"] > 1.8 * shares["web-2"], shares
    assert {entry["name"] for entry in daemon.status()["services"]} == {"web", "other"}
    wait.until(lambda: daemon.serving("other") == 2, "the new service serves")
    assert clients.ask(scene.client, address, port=81) == "web-1"

    daemon.write(configuration(scene.top, web(scene.top)))
    way(daemon)
    wait.until(lambda: len(daemon.status()["services"]) == 1, "the service is gone")
    with pytest.raises(OSError):
        clients.ask(scene.client, address, port=81, timeout=0.3)


# What is wrong, and what the message must hold beside file, line and column.
MISTAKES = {
    "an unknown key": ('"port": 80,', '"prot": 80,', ("prot",)),
    "a wrong value": ('"port": 80,', '"port": 99999,', ("99999",)),
    "a wrong address": ('"10.0.0.12"', '"10.0.0.312"', ("10.0.0.312",)),
    "a repeated backend": ('"web-2"', '"web-1"', ("web-1",)),
    "broken YAML": ('"services": [', '"services": {', ()),
    "an unknown scheduler": ('"port": 80,', '"port": 80, "scheduler": "lottery",', ("lottery",)),
}


@WAYS
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_file_changes_nothing(scene, way, mistake):
    daemon = scene.daemon
    old, new, words = MISTAKES[mistake]
    good = json.dumps(configuration(scene.top, web(scene.top, hosts=scene.top.backends[:2])),
                      indent=1)
    assert old in good
    bad = good.replace(old, new, 1)
    line = 1 + next(i for i, pair in enumerate(zip(good.split("\n"), bad.split("\n")))
                    if pair[0] != pair[1])
    before = what_runs(daemon)
    daemon.write(bad)
    with Load(scene.client, scene.top.service(4)) as load:
        status, text = way(daemon)
        assert status in (None, 1), text
        assert f"{daemon.config_path}:" in text
        if words:
            assert f"{daemon.config_path}:{line}:" in text, f"line {line}: {text}"
        for word in words:
            assert word in text
        wait.until(lambda: len(load.requests) > 30, "requests go on")
    assert not load.failed()
    assert what_runs(daemon) == before
    check = daemon.ns.run(*daemon.argv(), "--check", check=False)
    assert check.returncode == 1 and f"{daemon.config_path}:" in check.stderr


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield all_serving(serve(lab))


def test_a_file_that_is_gone_changes_nothing(scene):
    before = what_runs(scene.daemon)
    kept = scene.daemon.config_path
    os.rename(kept, kept + ".away")
    try:
        status, text = by_command(scene.daemon)
    finally:
        os.rename(kept + ".away", kept)
    assert status == 1 and kept in text
    assert what_runs(scene.daemon) == before


NOTHING_LEFT = {
    # the file, what is said
    "an empty file": ("", ":1:1: is empty"),
    "a comment": ("# cut\n", ":1:1: is empty"),
    "cut before the services": ("interfaces: [front, back]\n", "--force"),
    "no services": ("interfaces: [front, back]\nservices: []\n", "--force"),
}


@WAYS
@pytest.mark.parametrize("row", NOTHING_LEFT.values(), ids=NOTHING_LEFT)
def test_a_file_that_leaves_nothing_is_refused(scene, way, row):
    text, said = row
    good = configuration(scene.top, web(scene.top))
    scene.daemon.write(good)
    scene.daemon.reload()
    before = what_runs(scene.daemon)
    scene.daemon.write(text)
    try:
        status, told = way(scene.daemon)
        assert said in told and status in (None, 1)
        assert what_runs(scene.daemon) == before
        done = scene.daemon.ctl("check", check=False)
        assert done.returncode == 1 and said in done.stderr
        problems = [line for line in scene.daemon.status()["problems"] if "SIGHUP" in line]
        assert len(problems) == (way is by_signal) and all(said in line for line in problems)
    finally:
        scene.daemon.write(good)
        scene.daemon.reload()
    assert not [line for line in scene.daemon.status()["problems"] if "SIGHUP" in line]


def test_a_file_that_leaves_nothing_is_taken_by_force(lab):
    scene = all_serving(serve(lab, backends=1))
    made = scene.daemon
    made.write(configuration(scene.top, web(scene.top), interfaces=[]))
    status, text = by_command(made)
    assert status == 1 and "--force" in text
    assert {row["name"] for row in made.status()["interfaces"]} == {"front", "back"}
    made.write(configuration(scene.top))
    assert made.ctl_json("reload", "--force")["removed"] == 1
    assert made.status()["services"] == []
    made.reload()  # there is nothing left that it could remove
    made.write(configuration(scene.top, interfaces=[]))
    assert made.request("POST", "/v1/reload", '{"force": false}')[0] == 409
    made.ctl("reload", "--force")
    assert made.status()["interfaces"] == []


def test_an_unchanged_file_changes_nothing_and_restarts_no_check(scene):
    scene.daemon.write(configuration(scene.top, web(scene.top)))
    assert by_command(scene.daemon)[0] == 0
    all_serving(scene)
    before = scene.daemon.backend("web", "web-1")["check"]["in_a_row"]
    packets = scene.daemon.service_stats("web")["packets"]
    held = Maps(scene.daemon).services()
    assert len(held) == 2
    assert by_command(scene.daemon)[0] == 0
    assert Maps(scene.daemon).services() == held
    assert scene.daemon.serving("web") == 6
    assert scene.daemon.backend("web", "web-1")["check"]["in_a_row"] >= before
    assert scene.daemon.service_stats("web")["packets"] >= packets


def test_backends_that_stay_keep_their_health(lab):
    """A changed check interval or a reload is no reason to start all from down."""
    scene = all_serving(serve(lab))
    with Load(scene.client, scene.top.service(4)) as load:
        wait.until(lambda: len(load.requests) > 30, "requests go on")
        scene.daemon.write(configuration(
            scene.top, web(scene.top, check={**CHECK, "interval": "300ms"})))
        assert by_command(scene.daemon)[0] == 0
        assert scene.daemon.serving("web") > 0
        all_serving(scene)
        wait.until(lambda: len(load.requests) > 200, "requests go on")
        assert not load.failed()


def test_interfaces_follow_the_file(lab):
    """One more is attached, one less detached, and the others are not touched."""
    scene = serve(lab, config=lambda top, forward: configuration(
        top, web(top, forward), interfaces=["front"]))
    balancer = scene.top.balancer
    program = balancer.xdp("front")["prog"]["id"]
    assert balancer.xdp("back") == {}

    scene.daemon.write(configuration(scene.top, web(scene.top)))
    assert by_command(scene.daemon)[0] == 0
    assert balancer.xdp("back")["mode"] == 1 and balancer.xdp("front")["prog"]["id"] == program
    all_serving(scene)
    assert clients.ask(scene.client, scene.top.service(4)).startswith("web-")

    scene.daemon.write(configuration(scene.top, web(scene.top), interfaces=["front"]))
    assert by_command(scene.daemon)[0] == 0
    assert balancer.xdp("back") == {} and balancer.xdp("front")["prog"]["id"] == program


def test_an_interface_without_native_mode_in_the_new_file_changes_nothing(lab):
    scene = all_serving(serve(lab))
    before = what_runs(scene.daemon)
    scene.daemon.write(configuration(
        scene.top, web(scene.top, weights=(1, 2, 3)), interfaces=["front", "back", "lo"]))
    status, text = by_command(scene.daemon)
    assert status == 1 and "lo" in text
    assert what_runs(scene.daemon) == before
    assert {entry["name"] for entry in scene.daemon.status()["interfaces"]} == {"front", "back"}
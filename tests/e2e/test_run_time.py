# SPDX-License-Identifier: BSD-2-Clause
"""What the operator changes at run time, and that tables depend on nothing else."""

import os
import random

from lab import wait
from lab.daemon import Daemon
from lab.netns import Lab
from lab.traffic import rest
from scenario_talk import LONG, conversations, met, talk_scene, troubles


# ---- at run time -------------------------------------------------------------
def shape(scene):
    """What runs: weights and who serves."""
    return {(service, backend["name"]): (backend["weight"], backend["serving"])
            for service in ("talk", "talk-udp")
            for backend in scene.daemon.service(service)["backends"]}


def test_changes_at_run_time_survive_reload_and_restart(lab):
    scene = talk_scene(lab, backends=3, spare=1)
    daemon = scene.daemon
    original = shape(scene)
    assert daemon.status()["changes"] == []
    with open(daemon.config_path, encoding="utf-8") as file:
        before = file.read()

    scene.for_both(daemon.drain, "web-1")
    scene.for_both(daemon.weight, "web-2", 7)
    scene.add("web-4")
    scene.wait_state("web-4", True)
    scene.for_both(daemon.remove, "web-3")
    changed = shape(scene)
    assert changed["talk", "web-1"] == (1, False) and changed["talk", "web-2"] == (7, True)
    assert ("talk", "web-3") not in changed and ("talk", "web-4") in changed
    assert len(daemon.status()["changes"]) == 16  # four of four backends each
    assert met(scene) == {2, 4}

    daemon.reload()
    assert shape(scene) == changed
    assert len(daemon.status()["changes"]) == 16
    with open(daemon.config_path, encoding="utf-8") as file:
        assert file.read() == before

    # Not saved, they outlive the daemon all the same, until they are taken back.
    daemon.stop()
    daemon.start()
    wait.until(lambda: shape(scene) == changed, lambda: f"as changed: {shape(scene)}")
    assert daemon.change("POST", "/v1/revert") == {"changes": 16, "denied": 0}
    wait.until(lambda: shape(scene) == original, lambda: f"as in the file: {shape(scene)}")

    scene.for_both(daemon.drain, "web-1")
    scene.for_both(daemon.weight, "web-2", 7)
    scene.for_both(daemon.remove, "web-3")
    scene.add("web-4")
    scene.wait_state("web-4", True)
    daemon.save()
    assert daemon.status()["changes"] == []
    with open(daemon.config_path + ".old", encoding="utf-8") as file:
        assert file.read() == before
    daemon.stop()
    daemon.start()
    wait.until(lambda: shape(scene) == changed, lambda: f"as saved: {shape(scene)}")
    assert met(scene) == {2, 4}


def test_a_restart_with_saved_changes_cuts_nothing(lab):
    """A drained backend's connections go on in the new daemon, which has never
    sent it any.
    """
    scene = talk_scene(lab, flows=LONG)
    with conversations(scene, 60, 30) as (talks, _):
        before = {name: talk.ask().talking for name, talk in talks.items()}
        scene.for_both(scene.daemon.drain, "web-1")
        scene.servers["web-2"].sick()
        scene.wait_state("web-2", False)
        scene.daemon.save()
        rest(0.5)
        scene.daemon.kill()
        rest(0.5)
        scene.daemon.start()
        wait.until(lambda: met(scene) == {3, 4}, "new connections go elsewhere")
        rest(1.5)
        assert not troubles(talks)
        assert {name: talk.ask().talking for name, talk in talks.items()} == before


# ---- equal tables ------------------------------------------------------------
def test_tables_depend_on_configuration_and_health_alone():
    """Two daemons that have come to the same by different ways."""
    weights = {"web-1": 1, "web-2": 5, "web-3": 2, "web-4": 1, "web-5": 3}
    with Lab() as one, Lab() as other:
        first = talk_scene(one, backends=5, weights=list(weights.values()))
        second = talk_scene(other, backends=3, spare=2)

        # The first is as its file says, its backends in another order.
        for service in first.config["services"]:
            random.Random(1).shuffle(service["backends"])
            service["address"].reverse()
        first.daemon.write(first.config)
        first.daemon.stop()
        os.unlink(first.daemon.log_path)
        first.daemon = Daemon(first.top.balancer, first.config).start()
        first.daemon.wait_serving("talk", 10)
        first.daemon.wait_serving("talk-udp", 10)

        # The second has lived.
        daemon = second.daemon
        second.for_both(daemon.remove, "web-1")
        second.add("web-5")
        second.kill("web-2")
        second.wait_state("web-2", False)
        second.add("web-1")
        second.for_both(daemon.drain, "web-3")
        second.add("web-4")
        second.for_both(daemon.weight, "web-3", 9)
        for name, weight in weights.items():
            second.for_both(daemon.weight, name, weight)
        second.revive("web-2")
        second.for_both(daemon.enable, "web-3")
        second.servers["web-5"].sick()
        second.wait_state("web-5", False)
        daemon.kill()
        daemon.start()
        second.for_both(daemon.remove, "web-1")
        second.add("web-1")
        for name, weight in weights.items():
            second.for_both(daemon.weight, name, weight)
        second.servers["web-5"].sick(False)
        for name in weights:
            second.wait_state(name, True)

        compare(first, second)
        # And in what is left when one fails, and one drains.
        for scene in (first, second):
            scene.kill("web-4")
            scene.for_both(scene.daemon.drain, "web-2")
            scene.wait_state("web-4", False)
        compare(first, second)


def compare(first, second):
    tables, others = first.maps.tables(), second.maps.tables()
    assert set(tables) == set(others) and len(tables) == 4
    for service, table in tables.items():
        assert len(table) == 65537
        assert table == others[service], service

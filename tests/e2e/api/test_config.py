# SPDX-License-Identifier: BSD-2-Clause
"""Checking and reloading the configuration by the control API."""

import copy
import json
import os

from scenario import all_serving, configuration, web
from scenario_api import RELOAD, YAML, ask, state


def test_check_and_reload(scene):
    config = configuration(scene.top, web(scene.top))
    more = copy.deepcopy(config)
    more["services"].append(web(scene.top, hosts=scene.top.backends))
    more["services"][1].update({"name": "more", "port": 81})
    for backend in more["services"][1]["backends"]:
        backend["port"] = 80  # with nat, a backend's port belongs to one service
    more["services"][0]["backends"].pop()
    text = json.dumps(more).encode()

    before = state(scene)
    status, _, answer = ask(scene.daemon, "POST", "/v1/check", text,
                            {"Content-Type": YAML + "; charset=utf-8"})
    assert (status, answer) == (
        200, {"services": 2, "backends": 7, "added": 1, "removed": 0, "changed": 1,
              "warnings": []})
    status, _, answer = ask(scene.daemon, "POST", "/v1/check")
    assert (status, answer) == (
        200, {"services": 1, "backends": 4, "added": 0, "removed": 0, "changed": 0,
              "warnings": []})
    assert state(scene) == before, "a check changes nothing"

    try:
        scene.daemon.write(more)
        status, _, answer = ask(scene.daemon, "POST", RELOAD)
        assert (status, answer) == (
            200, {"services": 2, "backends": 7, "added": 1, "removed": 0, "changed": 1,
              "warnings": []})
        assert [s["name"] for s in scene.daemon.status()["services"]] == ["web", "more"]
    finally:
        scene.daemon.write(config)
        status, _, answer = ask(scene.daemon, "POST", RELOAD, b"{}")
    assert (status, answer) == (
        200, {"services": 1, "backends": 4, "added": 0, "removed": 1, "changed": 1,
              "warnings": []})
    all_serving(scene)


def test_all_errors_and_warnings_at_once(scene, unchanged):
    text = b"""deny: [0.0.0.0/0]
services:
- {name: a, address: 198.51.100.10, port: x, backends: [{address: 10.0.0.1}]}
- {name: b, address: 198.51.100.11, port: 80, scheduler: wlc, backends: [{address: 10.0.0.2}]}
"""
    status, _, answer = ask(scene.daemon, "POST", "/v1/check?name=f.yaml", text,
                            {"Content-Type": YAML})
    assert status == 422
    assert [(e["file"], e["line"], e["column"]) for e in answer["errors"]] == [
        ("f.yaml", 3, 43), ("f.yaml", 4, 58)]
    assert answer["errors"][0]["text"] == answer["error"]
    assert (answer["line"], answer["column"]) == (3, 43)
    assert "did you mean least-connections?" in answer["errors"][1]["text"]
    warning, = answer["warnings"]
    assert (warning["file"], warning["line"], warning["column"]) == ("f.yaml", 1, 7)
    assert "denies every IPv4 source" in warning["text"]
    valid = json.dumps({"deny": ["0.0.0.0/0"], **configuration(scene.top, web(scene.top))})
    status, _, answer = ask(scene.daemon, "POST", "/v1/check?name=f.yaml", valid.encode(),
                            {"Content-Type": YAML})
    assert status == 200 and answer["warnings"] == [{**warning, "column": 10}]
    # What a reload would refuse is warned of, too.
    status, _, answer = ask(scene.daemon, "POST", "/v1/check?name=f.yaml", b"deny: [0.0.0.0/0]\n",
                            {"Content-Type": YAML})
    assert status == 409 and "--force" in answer["error"]
    assert "errors" not in answer and answer["warnings"] == [warning]


def test_a_refused_reload_changes_nothing(scene, unchanged):
    with open(scene.daemon.config_path, encoding="utf-8") as file:
        good = file.read()
    try:
        for text, expected in (("services: 3\n", 422),
                               (good.replace('"front"', '"lo"'), 409)):
            scene.daemon.write(text)
            running = scene.daemon.status()["interfaces"]
            status, _, answer = ask(scene.daemon, "POST", RELOAD)
            assert status == expected, answer
            assert scene.daemon.status()["interfaces"] == running
            if expected == 422:
                assert answer["file"] == scene.daemon.config_path
                assert (answer["line"], answer["column"]) == (1, 11)
        os.unlink(scene.daemon.config_path)
        status, _, answer = ask(scene.daemon, "POST", RELOAD)
        assert status in (422, 500) and scene.daemon.config_path in json.dumps(answer)
    finally:
        scene.daemon.write(good)

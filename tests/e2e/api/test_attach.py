# SPDX-License-Identifier: BSD-2-Clause
"""Attaching and detaching by the control API."""

import json
import re

import pytest

from lab.xdp import attach_pass
from scenario_api import ATTACH, DETACH, ask


def test_attach_and_detach(scene, unchanged):
    before = scene.daemon.status()["interfaces"]
    status, _, answer = ask(scene.daemon, "POST", DETACH, b'{"interface": "back"}')
    assert (status, answer) == (200, {"detached": "back"})
    assert scene.top.balancer.xdp("back") == {}
    assert [i["name"] for i in scene.daemon.status()["interfaces"]] == ["front"]
    assert any("back" in problem for problem in scene.daemon.status()["problems"])

    assert ask(scene.daemon, "POST", DETACH, b'{"interface": "back"}')[0] == 404

    status, _, answer = ask(scene.daemon, "POST", ATTACH,
                            b'{"interface": "back", "mode": "generic"}')
    assert status == 200 and answer["attached"]["mode"] == "generic"
    assert scene.top.balancer.xdp("back")["mode"] == 2
    assert ask(scene.daemon, "POST", DETACH, b'{"interface": "back"}')[0] == 200

    # As it was, for `unchanged`: in the order of before.
    assert ask(scene.daemon, "POST", DETACH, b'{"interface": "front"}')[0] == 200
    for interface in before:
        body = json.dumps({"interface": interface["name"], "mode": "native"})
        status, _, answer = ask(scene.daemon, "POST", ATTACH, body)
        assert status == 200 and answer["attached"] == interface


@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
def test_another_program_is_named_and_left(scene, unchanged, mode):
    before = scene.daemon.status()["interfaces"]
    names = [interface["name"] for interface in before]
    for name in names:
        assert ask(scene.daemon, "POST", DETACH, json.dumps({"interface": name}))[0] == 200
    foreign = attach_pass(scene.top.balancer, "back", f"some_{mode}", mode)
    try:
        status, _, answer = ask(scene.daemon, "POST", ATTACH, b'{"interface": "back"}')
        assert status == 409
        assert f"some_{mode}" in answer["error"] or str(foreign) in answer["error"]
        assert scene.top.balancer.xdp("back")["prog"]["id"] == foreign
        done = scene.daemon.ctl("attach", "back", check=False)
        assert done.returncode == 1 and answer["error"] in done.stderr
        cure, = re.findall("remove it first: ip (.*)", answer["error"])
        scene.top.balancer.ip(cure)
        assert scene.top.balancer.xdp("back") == {}, "the cure that is named works"
    finally:
        for word in ("xdp", "xdpgeneric"):
            scene.top.balancer.ip(f"link set dev back {word} off")
    for name in names:
        assert ask(scene.daemon, "POST", ATTACH, json.dumps({"interface": name}))[0] == 200

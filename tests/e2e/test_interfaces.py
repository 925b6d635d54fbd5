# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces that go, return, are renamed, or lose sluice's program to other hands."""

import http.client
import os

import pytest

from lab import clients, topology, wait
from lab.clients import Load
from lab.daemon import Daemon
from lab.servers import Nginx
from lab.xdp import attach_pass
from scenario import all_serving, configuration, serve, web


def interface(scene, name):
    """Its row of the status, or {}."""
    rows = scene.daemon.status()["interfaces"]
    return next((row for row in rows if row["name"] == name), {})


def wait_state(scene, name, state):
    return wait.until(
        lambda: interface(scene, name).get("state") == state and interface(scene, name),
        lambda: f"{name} is {state}: {scene.daemon.status()}\n{scene.daemon.log}")


def problem(scene, *words):
    """The one problem with all these words."""
    found = [text for text in scene.daemon.status()["problems"]
             if all(word in text for word in words)]
    assert len(found) == 1, scene.daemon.status()["problems"]
    return found[0]


def serves(scene):
    for family in (4, 6):
        for _ in range(10):
            assert clients.ask(scene.client, scene.top.service(family)).startswith("web-")


def answered(top):
    try:
        return all(clients.ask(top.client, top.service(family), timeout=0.3) for family in (4, 6))
    except OSError:
        return False


def wait_answered(top):
    """After a link came up: a bridge's port may take a second until it forwards."""
    wait.until(lambda: answered(top), "the links carry frames")


class Kept:
    """A connection on which several requests are made."""

    def __init__(self, scene, family):
        self.connection = http.client.HTTPConnection(scene.top.service(family), 80, timeout=8)
        with scene.client.ns.entered():
            self.connection.connect()
        self.first = self.ask()

    def ask(self):
        self.connection.request("GET", "/")
        return self.connection.getresponse().read()


# ---- an interface goes and returns -------------------------------------------
@pytest.mark.parametrize("path, device", (
    ("nat, routed", "front"), ("nat, routed", "back"), ("ipip, one arm", "eth0"),
))
def test_an_interface_that_is_made_anew_is_attached_to(lab, path, device):
    scene = all_serving(serve(lab, path, backends=2))
    kept = [Kept(scene, family) for family in (4, 6)]
    before = interface(scene, device)["ifindex"]
    scene.top.balancer.ip(f"link del {device}")
    row = wait_state(scene, device, "missing")
    assert row["mode"] is None and row["program_id"] is None and row["ifindex"] is None
    assert "attaches" in problem(scene, f"no interface {device} here now")
    assert scene.daemon.ctl("status").returncode == 0

    topology.replug(scene.top, device)
    row = wait_state(scene, device, "attached")
    assert row["ifindex"] != before and row["mode"] == "native"
    assert scene.top.balancer.xdp(device)["mode"] == 1
    all_serving(scene)
    wait_answered(scene.top)
    serves(scene)
    assert [connection.ask() for connection in kept] == [each.first for each in kept]
    assert scene.daemon.status()["problems"] == []


def test_an_interface_comes_back_from_another_namespace(lab):
    scene = serve(lab, backends=1)
    other = lab.namespace("other")
    scene.top.balancer.ip(f"link set front netns {other.name}")
    wait_state(scene, "front", "missing")
    other.ip(f"link set front netns {scene.top.balancer.name}")
    wait_state(scene, "front", "attached")
    assert scene.top.balancer.xdp("front")["mode"] == 1


def test_another_program_on_an_interface_that_returns_is_left(lab):
    scene = all_serving(serve(lab, backends=1))
    balancer = scene.top.balancer
    balancer.ip("link del front")
    wait_state(scene, "front", "missing")
    topology.replug(scene.top, "front", name="other")
    foreign = attach_pass(balancer, "other", "somebodys")
    balancer.ip("link set other down", "link set other name front", "link set front up")
    wait_state(scene, "front", "refused")
    text = problem(scene, "front", "somebodys")
    assert balancer.xdp("front")["prog"]["id"] == foreign
    cure = text.partition("remove it first: ")[2]
    balancer.run(*cure.split())
    wait_state(scene, "front", "attached")
    assert scene.daemon.status()["problems"] == []


def test_a_renamed_interface_serves_on(lab):
    """Also over a reload of the file that knows the old name alone."""
    scene = all_serving(serve(lab, backends=1))
    balancer = scene.top.balancer
    program = interface(scene, "front")["program_id"]
    balancer.ip("link set front down", "link set front name lan", "link set lan up")
    wait_state(scene, "lan", "attached")
    assert "lan" in problem(scene, "no interface front here now")
    # Linux takes IPv6 addresses off a device that goes down.
    balancer.ip("address add 2001:db8:c::1/64 dev lan nodad")
    wait_answered(scene.top)
    serves(scene)
    done = scene.daemon.ctl("reload")
    assert "no interface front here now" in done.stderr
    assert interface(scene, "lan")["state"] == "attached"
    scene.daemon.write(configuration(
        scene.top, web(scene.top), interfaces=["lan", "back"]))
    scene.daemon.reload()
    assert not [row for row in scene.daemon.status()["interfaces"] if row["name"] == "front"]
    assert interface(scene, "lan")["program_id"] == program == balancer.xdp("lan")["prog"]["id"]
    assert not [text for text in scene.daemon.status()["problems"] if "interface" in text]


def test_interfaces_that_swap_their_names_stay_attached(lab):
    scene = serve(lab, backends=1)
    balancer = scene.top.balancer
    before = {name: interface(scene, name)["ifindex"] for name in ("front", "back")}
    balancer.ip(
        "link set front down", "link set back down", "link set front name x",
        "link set back name front", "link set x name back", "link set front up", "link set back up")
    wait.until(lambda: interface(scene, "front").get("ifindex") == before["back"]
               and interface(scene, "back").get("ifindex") == before["front"], "they have swapped")
    assert {row["state"] for row in scene.daemon.status()["interfaces"]} == {"attached"}
    assert all(balancer.xdp(name)["mode"] == 1 for name in ("front", "back"))


# ---- other hands --------------------------------------------------------------
def test_a_program_that_is_taken_off_stays_off_until_it_is_asked_for(lab):
    scene = all_serving(serve(lab, backends=1))
    balancer = scene.top.balancer
    for mend in ("attach", "reload"):
        balancer.ip("link set dev front xdpdrv off")
        wait_state(scene, "front", "taken-off")
        text = problem(scene, "taken off front")
        assert "taken-off" in scene.daemon.ctl("status").stdout
        assert "sluicectl attach front" in text and text in scene.daemon.log
        assert balancer.xdp("front") == {}
        scene.daemon.ctl(*(("attach", "front") if mend == "attach" else ("reload",)))
        assert balancer.xdp("front")["mode"] == 1
        assert interface(scene, "front")["state"] == "attached"
        assert scene.daemon.status()["problems"] == []
        serves(scene)
    # And at once, whatever the daemon has heard of until then.
    balancer.ip("link set dev front xdpdrv off")
    scene.daemon.ctl("attach", "front")
    assert balancer.xdp("front")["mode"] == 1


@pytest.mark.parametrize("mode", ("native", "generic"))
def test_a_program_that_is_put_there_by_force_is_left(lab, mode):
    scene = all_serving(serve(lab, backends=1, config=lambda top, forward: configuration(
        top, web(top, forward), mode=mode)))
    balancer = scene.top.balancer
    foreign = attach_pass(
        balancer, "front", "somebodys", "xdpdrv" if mode == "native" else "xdpgeneric")
    wait_state(scene, "front", "taken-off")
    text = problem(scene, "front", "somebodys", mode)
    answers = [scene.daemon.ctl(*command, check=False)
               for command in (("check",), ("reload",), ("attach", "front"))]
    assert all(done.returncode == 1 and "somebodys" in done.stderr for done in answers)
    assert answers[0].stderr == answers[1].stderr
    assert balancer.xdp("front")["prog"]["id"] == foreign
    cure = text.partition("mend it: ")[2].split(", and then sluicectl ")
    balancer.run(*cure[0].split())
    assert scene.daemon.ctl(*cure[1].split()).returncode == 0
    assert interface(scene, "front")["mode"] == mode
    serves(scene)


def test_a_mode_that_changes_takes_effect(lab):
    scene = all_serving(serve(lab, backends=1))
    balancer = scene.top.balancer
    for mode, number in (("generic", 2), ("auto", 1), ("generic", 2), ("native", 1)):
        scene.daemon.write(configuration(scene.top, web(scene.top), mode=mode))
        scene.daemon.reload()
        assert {balancer.xdp(name)["mode"] for name in ("front", "back")} == {number}
        assert {row["mode"] for row in scene.daemon.status()["interfaces"]} == {
            "generic" if mode == "generic" else "native"}
    serves(scene)
    done = scene.daemon.ctl("attach", "front", "--mode", "generic")
    assert "generic" in done.stdout and balancer.xdp("front")["mode"] == 2
    scene.daemon.reload()
    assert balancer.xdp("front")["mode"] == 1
    # A reload that is refused changes no mode.
    attach_pass(balancer, "back", "somebodys")
    scene.daemon.write(configuration(scene.top, web(scene.top), mode="generic"))
    assert scene.daemon.ctl("reload", check=False).returncode == 1
    assert balancer.xdp("front")["mode"] == 1


# ---- missing at the start -----------------------------------------------------
def test_a_missing_interface_is_waited_for(lab):
    """The start, `check` and `reload` say the same about it."""
    top = topology.routed(lab, backends=1)
    Nginx(top.backends[0]).start()
    top.balancer.ip("link del front")
    made = Daemon(top.balancer, configuration(top, web(top)))
    text = "there is no interface front here now: sluiced attaches to it when it appears"
    done = top.balancer.run(*made.argv(), "--check", check=False)
    assert done.returncode == 0 and text in done.stderr
    made.start()
    assert text in made.log and made.status()["problems"][0:1] == [text]
    assert top.balancer.xdp("back")["mode"] == 1
    for command in (("check",), ("reload",)):
        done = made.ctl(*command)
        assert done.returncode == 0 and text in done.stderr
        warning, = made.ctl_json(*command)["warnings"]
        assert warning == {"text": text, "file": made.config_path}
    topology.replug(top, "front")
    wait.until(lambda: made.status()["interfaces"][-1]["state"] == "attached"
               and made.serving("web") == 2, lambda: f"attached and serving: {made.log}")
    wait_answered(top)
    assert made.ctl_json("reload")["warnings"] == []


def test_a_daemon_without_any_interface_waits(lab):
    top = topology.routed(lab, backends=1)
    top.balancer.ip("link del front", "link del back")
    made = Daemon(top.balancer, configuration(top, web(top))).start()
    assert [row["state"] for row in made.status()["interfaces"]] == ["missing", "missing"]
    topology.replug(top, "back")
    wait.until(lambda: top.balancer.xdp("back").get("mode") == 1, "attached")
    assert made.ctl("detach", "front").returncode == 0
    assert len(made.status()["interfaces"]) == 1


def test_what_happened_to_interfaces_while_no_daemon_ran(lab):
    """One was made anew, from the other the program was taken off."""
    scene = all_serving(serve(lab, backends=1, options=["--keep"]))
    assert scene.daemon.stop() == 0
    scene.top.balancer.ip("link del front")
    topology.replug(scene.top, "front")
    scene.daemon.start()
    assert {row["name"]: row["adopted"] for row in scene.daemon.status()["interfaces"]} == {
        "front": False, "back": True}
    wait_answered(scene.top)
    with Load(scene.client, scene.top.service(4)) as load:
        wait.until(lambda: len(load.requests) > 20, "requests go on")
    assert not load.failed()
    scene.daemon.kill()
    for device in scene.top.interfaces:
        scene.top.balancer.ip(f"link set dev {device} xdpdrv off")
    scene.daemon.start()
    all_serving(scene)
    serves(scene)


def test_flows_outlive_the_interface_while_no_daemon_runs(lab):
    """No interface runs the program any more; its pins hold what it knew."""
    def round_robin(top, forward):
        return configuration(top, web(top, forward, scheduler="round-robin"))

    scene = all_serving(serve(
        lab, "nat, one arm", backends=2, config=round_robin, options=["--keep"]))
    kept = [Kept(scene, family) for family in (4, 6) for _ in range(4)]
    before = scene.daemon.service_stats("web")["packets"]
    assert scene.daemon.stop() == 0
    scene.top.balancer.ip("link del eth0")
    topology.replug(scene.top, "eth0")
    scene.daemon.start()
    assert "took over the program and maps that an earlier daemon has pinned" in scene.daemon.log
    assert scene.daemon.service_stats("web")["packets"] >= before > 0
    assert [connection.ask() for connection in kept] == [each.first for each in kept]


def test_pins_of_another_namespace_are_not_taken_over(lab):
    """There, the program may be running still."""
    scene = all_serving(serve(lab, backends=1, options=["--keep"]))
    assert scene.daemon.stop() == 0
    other = lab.namespace("other")
    made = Daemon(other, {"interfaces": ["eth9"]}, name="other")
    made.pin_dir = scene.daemon.pin_dir
    made.start()
    assert "took over" not in made.log and made.status()["services"] == []
    serves(scene)
    made.stop()


# ---- devices that take no frames -----------------------------------------------
def poll(scene, port, on):
    """The lab's program on the port makes it poll as well."""
    scene.top.wire.ip(f"link set dev {port} xdpdrv off")
    scene.top.wire.run("ethtool", "-K", port, "gro", "on" if on else "off")


def needs_polling(scene):
    rows = scene.daemon.service("web")["backends"]
    return {row["next_hop"]["state"] for row in rows} == {"needs_polling"}


def asks_in_vain(scene):
    dropped = scene.daemon.verdicts()["DROP_NO_BACKEND"]
    with pytest.raises(OSError):
        clients.ask(scene.client, scene.top.service(4), timeout=0.2)
    return scene.daemon.verdicts()["DROP_NO_BACKEND"] > dropped


# Linux has the family "netdev" since 6.3.
kernel_tells = pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (6, 3),
    reason="this kernel does not say what devices take from XDP")


@kernel_tells
@pytest.mark.parametrize("path", ("nat, routed", "dsr, routed"))
def test_backends_behind_a_device_that_takes_no_frames_are_left_out(lab, path):
    """What XDP gives to such a device is lost, and no counter shows it."""
    scene = all_serving(serve(lab, path, backends=1))
    poll(scene, "lb-back", False)
    wait.until(lambda: needs_polling(scene), lambda: scene.daemon.status())
    text = problem(scene, "backend web/web-1 ", "back, which leads to 10.0.0.11")
    assert "ethtool -K INTERFACE gro on" in text and "web-1" in scene.daemon.log
    assert asks_in_vain(scene)
    poll(scene, "lb-back", True)
    all_serving(scene)
    serves(scene)
    assert scene.daemon.status()["problems"] == []


@kernel_tells
def test_replies_through_a_device_that_takes_no_frames_are_the_kernels(lab):
    scene = all_serving(serve(lab, backends=1))
    poll(scene, "lb-front", False)
    text = wait.until(
        lambda: [text for text in scene.daemon.status()["problems"] if "front takes no" in text],
        lambda: scene.daemon.status())
    assert "ethtool -K INTERFACE gro on" in text[0]
    serves(scene)
    # In generic mode the kernel sends, through every device.
    poll(scene, "lb-back", False)
    scene.daemon.write(configuration(scene.top, web(scene.top), mode="generic"))
    scene.daemon.reload()
    all_serving(scene)
    serves(scene)
    assert scene.daemon.status()["problems"] == []

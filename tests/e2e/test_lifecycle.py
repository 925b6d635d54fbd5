# SPDX-License-Identifier: BSD-2-Clause
"""Stopping, being killed, taking over, and attaching."""

import os
import signal

import pytest

from lab import clients, daemon, wait
from lab.clients import Load
from lab.daemon import Daemon
from lab.netns import Lab
from lab.servers import Nginx
from scenario import PATHS, all_serving, configuration, refusal, serve, web, web_alone


# ---- ends -------------------------------------------------------------------
@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT), ids=lambda n: n.name)
def test_a_stop_takes_everything_away(lab, number):
    scene = all_serving(serve(lab))
    for device in scene.top.interfaces:
        assert scene.top.balancer.xdp(device)["mode"] == 1, "attached, native"
    assert scene.daemon.stop(number) == 0
    for device in scene.top.interfaces:
        assert scene.top.balancer.xdp(device) == {}
    assert not [files for _, _, files in os.walk(scene.daemon.pin_dir) if files]
    assert not os.path.exists(scene.daemon.socket_path)


def test_after_a_kill_traffic_flows_and_the_next_daemon_takes_over(lab):
    """SIGKILL leaves program, pins and socket; none of it stops the next start."""
    scene = all_serving(serve(lab))
    with Load(scene.client, scene.top.service(4)) as load:
        wait.until(lambda: len(load.requests) > 50, "requests go on")
        scene.daemon.kill()
        wait.until(lambda: len(load.requests) > 150, "requests go on without a daemon")
        scene.daemon.start()
        assert scene.daemon.serving("web") > 0, "health is what the predecessor had found"
        all_serving(scene)
        wait.until(lambda: len(load.requests) > 300, "requests go on")
        assert not load.failed()


def test_a_start_that_would_remove_all_that_runs_is_refused(lab):
    scene = all_serving(serve(lab, backends=1, options=["--keep"]))
    made = scene.daemon
    made.kill()
    for empty in ("", configuration(scene.top)):
        made.write(empty)
        line = refusal(made.run())
        assert made.config_path in line and ("is empty" in line or "--force" in line)
        assert clients.ask(scene.client, scene.top.service(4)).startswith("web-")
    made.options.append("--force")
    made.start()
    assert made.status()["services"] == []


def test_stale_pins_of_what_is_no_longer_attached_are_no_obstacle(lab):
    scene = all_serving(serve(lab))
    scene.daemon.kill()
    for device in scene.top.interfaces:
        scene.top.balancer.ip(f"link set dev {device} xdpdrv off")
    scene.daemon.start()
    all_serving(scene)
    assert clients.ask(scene.client, scene.top.service(4)).startswith("web-")


def test_keep_leaves_traffic_flowing_and_the_next_daemon_adopts(lab):
    scene = all_serving(serve(lab, options=["--keep"]))
    before = {device: scene.top.balancer.xdp(device)["prog"]["id"]
              for device in scene.top.interfaces}
    with Load(scene.client, scene.top.service(4)) as v4, \
            Load(scene.client, scene.top.service(6)) as v6:
        wait.until(lambda: len(v4.requests) > 50, "requests go on")
        assert scene.daemon.stop() == 0
        count = len(v4.requests)
        wait.until(lambda: len(v4.requests) > count + 100, "requests go on without a daemon")
        scene.daemon.start()
        assert scene.daemon.serving("web") > 0, "health is what the predecessor had found"
        packets = scene.daemon.service_stats("web")["packets"]
        all_serving(scene)
        count = len(v4.requests)
        wait.until(lambda: len(v4.requests) > count + 100, "requests go on")
        assert not v4.failed() and not v6.failed()
    assert packets > 1000, "the counters are those from before"
    after = {device: scene.top.balancer.xdp(device)["prog"]["id"]
             for device in scene.top.interfaces}
    assert after == before, "nothing was detached and attached again"
    assert all(entry["adopted"] for entry in scene.daemon.status()["interfaces"])


def test_what_changed_while_no_daemon_ran_is_put_right(lab):
    """A backend died and a service went from the file: the next daemon notices both."""
    def both(top, forward):
        other = web(top, forward, hosts=top.backends[:1])
        other.update(name="other", port=81)
        for entry in other["backends"]:
            entry["port"] = 80
        return configuration(top, web(top, forward), other)

    scene = all_serving(serve(lab, config=both, options=["--keep"]))
    address = scene.top.service(4)
    wait.until(lambda: scene.daemon.serving("other") == 2, "the other service serves")
    assert clients.ask(scene.client, address, port=81) == "web-1"
    scene.daemon.stop()
    scene.server("web-2").kill()
    scene.daemon.write(web_alone(scene.top))
    scene.daemon.start()
    wait.until(lambda: scene.daemon.serving("web") == 4, "the dead backend is found")
    with pytest.raises(OSError):
        clients.ask(scene.client, address, port=81, timeout=0.3)
    with Load(scene.client, address) as load:
        wait.until(lambda: len(load.requests) > 100, "requests go on")
    assert not load.failed() and not load.served_by("web-2")


# ---- attaching --------------------------------------------------------------
def test_generic_mode_on_request(lab):
    def generic(top, forward):
        return configuration(top, web(top, forward), mode="generic")

    scene = all_serving(serve(lab, config=generic))
    assert {entry["mode"] for entry in scene.daemon.status()["interfaces"]} == {"generic"}
    assert "generic" in scene.daemon.log
    assert all(scene.top.balancer.xdp(device)["mode"] == 2 for device in scene.top.interfaces)
    for family in (4, 6):
        answers = {clients.ask(scene.client, scene.top.service(family)) for _ in range(40)}
        assert answers == {"web-1", "web-2", "web-3"}
    verdicts = scene.daemon.verdicts()
    assert verdicts["FORWARDED"] > 80 and verdicts["RETURNED"] > 80


def test_the_log_says_which_mode_it_got(lab):
    scene = serve(lab)
    assert {entry["mode"] for entry in scene.daemon.status()["interfaces"]} == {"native"}
    for device in scene.top.interfaces:
        assert any(device in line and "native" in line for line in scene.daemon.log.splitlines())


@pytest.mark.parametrize("path", ("nat, one arm", "dsr, one arm", "ipip, one arm"))
def test_a_program_attached_by_ip_link_is_adopted(lab, path):
    """`ip link set dev X xdpdrv obj sluice.bpf.o sec xdp`, and then a daemon."""
    forward, make, arguments = PATHS[path]
    top = make(lab, backends=2, **arguments)
    for host in top.backends:
        Nginx(host).start()
    top.balancer.run(
        "ip", "link", "set", "dev", "eth0", "xdpdrv", "obj", daemon.BPF_OBJECT, "sec", "xdp")
    program = top.balancer.xdp("eth0")["prog"]["id"]
    with pytest.raises(OSError):
        clients.ask(top.client, top.service(4), timeout=0.2)

    made = Daemon(top.balancer, configuration(top, web(top, forward))).start()
    made.wait_serving("web", 4)
    for family in (4, 6):
        answers = {clients.ask(top.client, top.service(family)) for _ in range(30)}
        assert answers == {"web-1", "web-2"}
    entry, = made.status()["interfaces"]
    assert entry["adopted"] and entry["mode"] == "native" and entry["program_id"] == program
    assert top.balancer.xdp("eth0")["prog"]["id"] == program
    assert made.verdicts()["FORWARDED"] > 60


def test_a_pinned_program_attached_by_ip_link_works(lab):
    """The daemon has `front`; `back` gets what the daemon has pinned, by hand."""
    def front_only(top, forward):
        return configuration(top, web(top, forward), interfaces=["front"])

    scene = all_serving(serve(lab, config=front_only))
    pin = f"{scene.daemon.pin_dir}/prog"
    scene.top.balancer.ip(f"link set dev back xdpdrv pinned {pin}")
    before = scene.daemon.verdicts()["RETURNED"]
    for family in (4, 6):
        for _ in range(20):
            assert clients.ask(scene.client, scene.top.service(family)).startswith("web-")
    assert scene.daemon.verdicts()["RETURNED"] >= before + 40


def test_attach_and_detach_at_run_time(lab):
    """Without an interface in the file nothing flows; `sluicectl attach` mends it."""
    def none(top, forward):
        return configuration(top, web(top, forward), interfaces=[])

    scene = all_serving(serve(lab, config=none))
    address = scene.top.service(4)
    with pytest.raises(OSError):
        clients.ask(scene.client, address, timeout=0.2)
    for device in ("front", "back"):
        scene.daemon.ctl("attach", device)
        assert scene.top.balancer.xdp(device)["mode"] == 1
    assert clients.ask(scene.client, address).startswith("web-")
    scene.daemon.ctl("detach", "front")
    assert scene.top.balancer.xdp("front") == {}
    with pytest.raises(OSError):
        clients.ask(scene.client, address, timeout=0.2)
    done = scene.daemon.ctl("attach", "nosuch0", check=False)
    assert done.returncode == 1 and "nosuch0" in done.stderr


def test_two_daemons_side_by_side(lab):
    """Each in its own namespace, with its own socket and pins."""
    first = all_serving(serve(lab, "nat, routed", backends=2))
    with Lab() as other:
        second = all_serving(serve(other, "dsr, one arm", backends=2))
        for scene in (first, second):
            answers = {clients.ask(scene.client, scene.top.service(4)) for _ in range(30)}
            assert answers == {"web-1", "web-2"}
        assert second.daemon.stop() == 0
        assert clients.ask(first.client, first.top.service(4)).startswith("web-")
    assert first.daemon.status()["problems"] == []

# SPDX-License-Identifier: BSD-2-Clause
"""Starting, refusing to start, stopping, being killed, and taking over."""

import os
import shutil
import signal
import subprocess

import pytest

from lab import clients, daemon, topology, wait
from lab.clients import Load
from lab.daemon import Daemon
from lab.netns import Lab
from lab.servers import Nginx
from lab.xdp import attach_pass
from scenario import PATHS, all_serving, configuration, serve, service, web


def sentence(done):
    """What a refused start says: exit 1, and one error in words, not several."""
    assert done.returncode == 1, f"exit {done.returncode}: {done.stderr}"
    errors = [line for line in done.stderr.splitlines() if " error " in line]
    assert len(errors) == 1, done.stderr
    assert "errno" not in errors[0].lower() and "libbpf" not in done.stderr.lower()
    return errors[0]


def quiet(top, **more):
    return configuration(top, web(top), **more)


# ---- refusals ---------------------------------------------------------------
def test_without_rights_it_says_so(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, quiet(top))
    program = lab.path("sluiced")
    shutil.copy(daemon.SLUICED, program)
    os.chmod(lab.directory, 0o755)
    done = top.balancer.run(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        program, *made.argv()[1:], check=False)
    line = sentence(done)
    assert "root" in line or "CAP_" in line
    assert top.balancer.xdp("front") == {}


@pytest.mark.parametrize("mode", ("xdpdrv", "xdpgeneric"))
def test_a_foreign_program_is_named_and_left(lab, mode):
    top = topology.routed(lab, backends=1)
    foreign = attach_pass(top.balancer, "back", "somebodys", mode)
    line = sentence(Daemon(top.balancer, quiet(top)).run())
    assert "back" in line and ("somebodys" in line or str(foreign) in line)
    assert top.balancer.xdp("back")["prog"]["id"] == foreign
    assert top.balancer.xdp("front") == {}, "what was attached before must be taken back"


def test_a_file_with_a_mistake_is_refused(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, "interfaces:\n  - name: front\nservices:\n  - nam: web\n")
    assert f"{made.config_path}:4:5: " in sentence(made.run())
    done = top.balancer.run(*made.argv(), "--check", check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"{made.config_path}:4:5: ")
    assert top.balancer.xdp("front") == {}


def test_a_missing_file_is_refused(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer)
    assert made.config_path in sentence(made.run())


@pytest.mark.parametrize("arguments", (["--nonsense"], ["--pin-dir"], ["stray"]), ids=str)
def test_misuse_is_exit_2(lab, arguments):
    ns = lab.namespace("lb")
    done = ns.run(daemon.SLUICED, *arguments, check=False)
    assert done.returncode == 2 and done.stderr


def test_a_missing_bpffs_is_mounted(lab):
    """The pins' directory is on an ordinary file system; in a mount namespace of
    its own, so that the mount goes with the daemon.
    """
    top = topology.routed(lab, backends=1)
    Nginx(top.backends[0]).start()
    made = Daemon(top.balancer, quiet(top))
    made.pin_dir = lab.path("ordinary", "bpf", "sluice")
    argv = made.argv()
    made.argv = lambda: ["unshare", "--mount", "--", *argv]
    made.start()
    made.wait_serving("web", 2)
    assert clients.ask(top.client, top.service(4)) == "web-1"
    assert made.stop() == 0


def test_check_says_yes_without_touching_anything(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, quiet(top))
    assert top.balancer.run(*made.argv(), "--check", check=False).returncode == 0
    assert top.balancer.xdp("front") == {} and not os.path.exists(made.pin_dir)
    assert not os.path.exists(made.socket_path)


def test_a_second_daemon_on_the_same_socket_is_refused(lab):
    scene = all_serving(serve(lab))
    second = Daemon(scene.top.balancer, quiet(scene.top, interfaces=[]), name="second")
    second.socket_path = scene.daemon.socket_path
    assert scene.daemon.socket_path in sentence(second.run())
    still_alone(scene)


def test_a_second_daemon_on_the_same_interface_is_refused(lab):
    scene = all_serving(serve(lab))
    line = sentence(Daemon(scene.top.balancer, quiet(scene.top), name="second").run())
    assert any(device in line for device in scene.top.interfaces)
    assert f"(process {scene.daemon.process.pid})" in line
    still_alone(scene)


# As another user: takes the names and the locks by which daemons claim interfaces, as far as it
# can, and says how many locks it got.
SQUATTER = """
import fcntl, glob, socket, sys
taken = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(64)]
for index, name in enumerate(taken):
    name.bind("\\0sluice-interface-%d" % index)
locked = []
for path in glob.glob("/run/sluice/claims/*"):
    try:
        locked.append(open(path))
        fcntl.flock(locked[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
print(len(locked), flush=True)
sys.stdin.read()
"""


def test_no_other_user_can_keep_it_from_starting(lab):
    scene = all_serving(serve(lab))
    scene.daemon.kill()  # leaves its lock files
    squatter = scene.top.balancer.popen(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
         SQUATTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert squatter.stdout.readline() == "0\n", "locks of daemons are open to other users"
    scene.daemon.start()
    all_serving(scene)
    squatter.kill()
    squatter.wait()


def still_alone(scene):
    assert scene.daemon.status()["pid"] == scene.daemon.process.pid
    assert {entry["mode"] for entry in scene.daemon.status()["interfaces"]} == {"native"}
    for _ in range(20):
        assert clients.ask(scene.client, scene.top.service(4)).startswith("web-")
    assert os.listdir(scene.daemon.pin_dir), "its pins are still there"
    scene.daemon.stop()
    for device in scene.top.interfaces:
        assert scene.top.balancer.xdp(device) == {}


def test_a_pin_directory_with_files_is_refused(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, quiet(top))
    made.pin_dir = lab.path("mine")
    os.mkdir(made.pin_dir)
    with open(os.path.join(made.pin_dir, "precious"), "w", encoding="ascii"):
        pass
    assert f"{made.pin_dir} has files in it" in sentence(made.run())
    assert os.listdir(made.pin_dir) == ["precious"]


def test_a_fifo_is_no_configuration(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, quiet(top)).start()
    os.unlink(made.config_path)
    os.mkfifo(made.config_path)
    status, answer = made.request("POST", "/v1/reload")
    assert status == 409 and "is not a regular file" in answer["error"]
    other = Daemon(top.balancer, name="other")
    os.mkfifo(other.config_path)
    assert "is not a regular file" in sentence(other.run())


# ---- SIGHUP -----------------------------------------------------------------
def test_a_signal_at_the_start_is_a_reload(lab):
    """SIGHUP comes while the configuration is read, when nothing could handle it yet."""
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, slow_to_read(top))
    for _ in range(10):
        pid = made.spawn().process.pid
        wait.until(lambda: is_sluiced(pid) and blocks_or_takes(pid, signal.SIGHUP),
                   "SIGHUP is held back or taken", pause=0.001)
        if mask_has(pid, "SigBlk", signal.SIGHUP):
            break
        made.kill()  # this test was too slow to see it
    else:
        raise AssertionError("SIGHUP was held back in none of ten starts")
    os.kill(pid, signal.SIGHUP)
    wait.until(lambda: "reloaded: " in made.log, lambda: f"reloaded: {made.log}")
    assert made.process.poll() is None and made.status()["pid"] == pid


def slow_to_read(top):
    """A configuration whose reload takes longer than a signal."""
    return {**quiet(top), "deny": [f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}"
                                   for n in range(20000)]}


def is_sluiced(pid):
    return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "sluiced"


def mask_has(pid, name, number):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        mask = next(line.split()[1] for line in file if line.startswith(f"{name}:"))
    return int(mask, 16) >> number - 1 & 1


def blocks_or_takes(pid, number):
    return mask_has(pid, "SigBlk", number) or mask_has(pid, "SigCgt", number)


def test_signals_that_come_together_are_few_reloads(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, slow_to_read(top)).start()
    for _ in range(100):
        os.kill(made.process.pid, signal.SIGHUP)
        # The kernel alone would make one of those that come before it is taken.
        wait.until(lambda: not mask_has(made.process.pid, "ShdPnd", signal.SIGHUP), "taken",
                   pause=0)
    wait.until(lambda: "reloaded: " in made.log, lambda: f"reloaded: {made.log}")
    made.status()
    assert made.log.count("reloaded: ") < 50
    made.write(configuration(top, web(top),
                             service("other", top.backends, 81, backend_port=8081)))
    os.kill(made.process.pid, signal.SIGHUP)
    wait.until(lambda: len(made.status()["services"]) == 2, lambda: f"the last one counts: {made.log[-1000:]}")


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
        line = sentence(made.run())
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
    scene.daemon.write(quiet(scene.top))
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

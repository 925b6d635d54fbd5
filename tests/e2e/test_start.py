# SPDX-License-Identifier: BSD-2-Clause
"""Starting, and refusing to start."""

import os
import shutil
import signal
import subprocess

import pytest

from lab import clients, daemon, topology, wait
from lab.daemon import Daemon
from lab.servers import Nginx
from lab.xdp import attach_pass
from scenario import all_serving, configuration, refusal, serve, service, web, web_alone


# ---- refusals ---------------------------------------------------------------
def test_without_rights_it_says_so(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, web_alone(top))
    program = lab.path("sluiced")
    shutil.copy(daemon.SLUICED, program)
    os.chmod(lab.directory, 0o755)
    done = top.balancer.run(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        program, *made.argv()[1:], check=False)
    line = refusal(done)
    assert "root" in line or "CAP_" in line
    assert top.balancer.xdp("front") == {}


@pytest.mark.parametrize("mode", ("xdpdrv", "xdpgeneric"))
def test_a_foreign_program_is_named_and_left(lab, mode):
    top = topology.routed(lab, backends=1)
    foreign = attach_pass(top.balancer, "back", "somebodys", mode)
    line = refusal(Daemon(top.balancer, web_alone(top)).run())
    assert "back" in line and ("somebodys" in line or str(foreign) in line)
    assert top.balancer.xdp("back")["prog"]["id"] == foreign
    assert top.balancer.xdp("front") == {}, "what was attached before must be taken back"


def test_a_file_with_a_mistake_is_refused(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, "interfaces:\n  - name: front\nservices:\n  - nam: web\n")
    assert f"{made.config_path}:4:5: " in refusal(made.run())
    done = top.balancer.run(*made.argv(), "--check", check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"{made.config_path}:4:5: ")
    assert top.balancer.xdp("front") == {}


def test_a_missing_file_is_refused(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer)
    assert made.config_path in refusal(made.run())


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
    made = Daemon(top.balancer, web_alone(top))
    made.pin_dir = lab.path("ordinary", "bpf", "sluice")
    argv = made.argv()
    made.argv = lambda: ["unshare", "--mount", "--", *argv]
    made.start()
    made.wait_serving("web", 2)
    assert clients.ask(top.client, top.service(4)) == "web-1"
    assert made.stop() == 0


def test_check_says_yes_without_touching_anything(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, web_alone(top))
    assert top.balancer.run(*made.argv(), "--check", check=False).returncode == 0
    assert top.balancer.xdp("front") == {} and not os.path.exists(made.pin_dir)
    assert not os.path.exists(made.socket_path)


def test_a_second_daemon_on_the_same_socket_is_refused(lab):
    scene = all_serving(serve(lab))
    second = Daemon(scene.top.balancer, web_alone(scene.top, interfaces=[]), name="second")
    second.socket_path = scene.daemon.socket_path
    assert scene.daemon.socket_path in refusal(second.run())
    still_alone(scene)


def test_a_second_daemon_on_the_same_interface_is_refused(lab):
    scene = all_serving(serve(lab))
    line = refusal(Daemon(scene.top.balancer, web_alone(scene.top), name="second").run())
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
    made = Daemon(top.balancer, web_alone(top))
    made.pin_dir = lab.path("mine")
    os.mkdir(made.pin_dir)
    with open(os.path.join(made.pin_dir, "precious"), "w", encoding="ascii"):
        pass
    assert f"{made.pin_dir} has files in it" in refusal(made.run())
    assert os.listdir(made.pin_dir) == ["precious"]


def test_a_fifo_is_no_configuration(lab):
    top = topology.routed(lab, backends=1)
    made = Daemon(top.balancer, web_alone(top)).start()
    os.unlink(made.config_path)
    os.mkfifo(made.config_path)
    status, answer = made.request("POST", "/v1/reload")
    assert status == 409 and "is not a regular file" in answer["error"]
    other = Daemon(top.balancer, name="other")
    os.mkfifo(other.config_path)
    assert "is not a regular file" in refusal(other.run())


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
    return {**web_alone(top), "deny": [f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}"
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

# SPDX-License-Identifier: BSD-2-Clause
"""The control socket: its mode and owner, and what may be in its place."""

import errno
import json
import os
import resource
import socket
import stat

import pytest

from lab import clients, wait
from lab.daemon import Daemon, UnixConnection
from scenario import all_serving, configuration, serve
from scenario_api import small, state


def test_socket_mode_and_owner(scene):
    status = os.stat(scene.daemon.socket_path)
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o660
    assert (status.st_uid, status.st_gid) == (0, os.getegid())


def test_the_directory_of_the_socket_is_made(lab):
    made = small(lab)
    made.socket_path = lab.path("new") + "/control.sock"
    made.start()
    assert stat.S_IMODE(os.stat(lab.path("new")).st_mode) == 0o755
    assert stat.S_IMODE(os.stat(made.socket_path).st_mode) == 0o660
    assert made.stop() == 0
    assert os.listdir(lab.path("new")) == []


def test_a_stale_socket_is_replaced(lab):
    made = small(lab).start()
    made.kill()
    assert os.path.exists(made.socket_path)
    made.start()
    assert made.stop() == 0
    assert not os.path.exists(made.socket_path)


def test_what_is_no_socket_is_left(lab):
    made = small(lab)
    with open(made.socket_path, "w", encoding="ascii") as file:
        file.write("precious")
    done = made.run()
    assert done.returncode == 1 and f"{made.socket_path} exists" in done.stderr
    with open(made.socket_path, encoding="ascii") as file:
        assert file.read() == "precious"


def test_a_path_that_is_too_long_is_refused(lab):
    made = small(lab)
    made.socket_path = lab.path("x" * 120)
    done = made.run()
    assert done.returncode == 2 and "1 to 107 bytes" in done.stderr


@pytest.mark.parametrize("own_socket", (False, True), ids=("same socket", "own socket"))
def test_a_second_daemon_is_refused_before_it_touches_anything(lab, own_socket):
    scene = all_serving(serve(lab, backends=1))
    made = Daemon(scene.top.balancer, configuration(scene.top), name="second")
    if not own_socket:
        made.socket_path = scene.daemon.socket_path
    before = state(scene)
    done = made.run()
    assert done.returncode == 1 and "another sluiced" in done.stderr
    assert state(scene) == before
    assert clients.ask(scene.client, scene.top.service(4)) == "web-1"


def test_a_socket_that_somebody_else_answers_on_is_left(lab):
    made = small(lab)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(made.socket_path)
        other.listen()
        done = made.run()
        assert done.returncode == 1
        assert f"another sluiced answers on {made.socket_path}" in done.stderr
        assert os.path.exists(made.socket_path)


def test_it_answers_again_once_there_are_descriptors(lab):
    """The process has no descriptor left for a moment, while clients connect."""
    made = small(lab).start()
    pid = made.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # The lowest number that is free counts, not how many are open.
    used = max(int(fd) for fd in os.listdir(f"/proc/{pid}/fd")) + 1
    free = used - len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 4, hard))
    clients_of_it = []
    for _ in range(free + 4 + 16):
        client = socket.socket(socket.AF_UNIX)
        client.connect(made.socket_path)
        client.send(b"GET /v1/st")
        clients_of_it.append(client)
    wait.until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == used + 4, "no descriptor is left")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    for client in clients_of_it:
        client.close()
    for _ in range(4):
        assert made.status()["pid"] == pid


def test_a_reload_without_descriptors_says_so_and_changes_nothing(lab):
    """Whatever is the first that lacks one."""
    made = serve(lab, backends=1).daemon
    pid = made.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    connection = UnixConnection(made.socket_path)

    def ask(method, path):
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    assert ask("GET", "/v1/status")[0] == 200
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    refused = 0
    for limit in range(min(set(range(max(used) + 2)) - used), max(used) + 50):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))
        code, text = ask("POST", "/v1/reload")
        refused += code != 200
        assert code == 200 or os.strerror(errno.EMFILE) in text, text
        states = {row["state"] for row in json.loads(ask("GET", "/v1/status")[1])["interfaces"]}
        assert states == {"attached"}, states
    assert refused and code == 200
    assert len(os.listdir(f"/proc/{pid}/fd")) == len(used), "none is lost"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    connection.close()

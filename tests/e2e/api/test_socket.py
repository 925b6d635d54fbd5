# SPDX-License-Identifier: BSD-2-Clause
"""The control socket: its mode and owner, and what may be in its place."""

import os
import socket
import stat

import pytest

from lab import clients
from lab.daemon import Daemon
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
    assert done.returncode == 1 and "at most 107" in done.stderr


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

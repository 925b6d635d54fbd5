# SPDX-License-Identifier: BSD-2-Clause
"""`sluicectl backend drain --wait`, and the names that the shell completes."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

from lab import daemon, wait
from scenario_changes import running, scene  # fixtures


class Held:
    """Connections that say a little now and then, to this backend."""

    def __init__(self, scene, name, count):
        self.socks = []
        with scene.client.ns.entered():
            while len(self.socks) < count:
                sock = socket.create_connection((scene.top.service(4), 80), timeout=5)
                if self.say(sock) == name:
                    self.socks.append(sock)
                else:
                    sock.close()

    @staticmethod
    def say(sock):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        data = b""
        while b"\r\n\r\n" not in data or not data.endswith(b"\n"):
            data += sock.recv(65536) or b"\r\n\r\n\n"
        return data.rsplit(b"\r\n\r\n", 1)[1].decode().strip()

    def talk(self, name):
        assert {self.say(sock) for sock in self.socks} <= {name}

    def close(self):
        for sock in self.socks:
            sock.close()
        self.socks = []


def drain_and_wait(scene, *more, stdout=subprocess.PIPE):
    return subprocess.Popen(
        [daemon.SLUICECTL, "--socket", scene.daemon.socket_path, "backend", "drain", "web",
         "web-1", "--wait", *more], stdout=stdout, stderr=subprocess.PIPE, text=True)


def test_waiting_sees_connections_go(scene):
    held = Held(scene, "web-1", 3)
    waiting = drain_and_wait(scene)
    try:
        def three_live():
            held.talk("web-1")
            return scene.daemon.backend("web", "web-1")["live"] == 3
        wait.until(three_live, "3 live connections")
        while waiting.stdout.readline() != "web/web-1: 3 live connections\n":
            assert waiting.poll() is None
        held.close()
        out, err = waiting.communicate(timeout=30)
    finally:
        waiting.kill()
        held.close()
    assert waiting.returncode == 0 and not err
    assert out.splitlines()[-2:] == ["web/web-1: 0 live connections",
                          "drained: no connection was live in the last 5 s"]
    assert "\033" not in out and "\r" not in out
    assert scene.daemon.backend("web", "web-1")["state"] == "drain"


def test_waiting_ends_with_the_time(scene):
    held = Held(scene, "web-1", 2)
    begun = time.monotonic()
    waiting = drain_and_wait(scene, "--timeout", "4s")
    try:
        wait.until(lambda: held.talk("web-1") or time.monotonic() - begun > 3, "3 s", pause=0.2)
        out, err = waiting.communicate(timeout=20)
    finally:
        waiting.kill()
        held.close()
    assert waiting.returncode == 0 and not err
    assert out.splitlines()[-1] == "the time is over: disabled, with 2 live connections left"
    assert re.search(r"web/web-1: \d live connections, ends in \ds\n", out)
    assert scene.daemon.backend("web", "web-1")["state"] == "disabled"


def test_who_stops_waiting_leaves_the_drain(scene):
    waiting = drain_and_wait(scene)
    assert waiting.stdout.readline() == "web/web-1: 0 live connections\n"
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=10)
    assert waiting.returncode == 1 and not out
    assert "goes on draining" in err and "backend enable" in err and err.count("\n") == 1
    assert scene.daemon.backend("web", "web-1")["state"] == "drain"


def test_who_takes_it_back_ends_the_waiting(scene):
    waiting = drain_and_wait(scene)
    assert waiting.stdout.readline()
    scene.daemon.ctl("backend", "enable", "web", "web-1")
    _, err = waiting.communicate(timeout=10)
    assert waiting.returncode == 1 and "taken back" in err


def test_a_daemon_that_goes_ends_the_waiting(scene):
    waiting = drain_and_wait(scene)
    assert waiting.stdout.readline()
    scene.daemon.stop()
    _, err = waiting.communicate(timeout=10)
    assert waiting.returncode == 1 and "is it running?" in err


def test_waiting_with_json_is_one_object(scene):
    waiting = drain_and_wait(scene, "--json")
    out, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 0 and not err
    assert json.loads(out)["state"] == "drain"


def test_on_a_terminal_it_is_one_line(scene):
    ours, theirs = pty.openpty()
    waiting = drain_and_wait(scene, stdout=theirs)
    os.close(theirs)
    text = b""
    try:
        while waiting.poll() is None or select.select([ours], [], [], 0)[0]:
            if select.select([ours], [], [], 0.1)[0]:
                text += os.read(ours, 65536)
    except OSError:
        pass  # the other end has gone
    finally:
        os.close(ours)
        waiting.communicate(timeout=10)
    assert waiting.returncode == 0
    shown = text.decode()
    assert shown.count("\r\033[Kweb/web-1: 0 live connections") >= 5
    assert shown.replace("\r\n", "\n").count("\n") == 2


def test_the_names_are_completed(scene):
    completion = os.path.join(daemon.BUILD, "sluicectl.bash-completion")
    script = """
        PATH=$1:$PATH; export SLUICE_SOCKET=$2; . "$3"; shift 3
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluicectl; printf '%s\\n' "${COMPREPLY[@]}"
    """

    def complete(*words):
        done = subprocess.run(
            ["bash", "-c", script, "bash", daemon.BUILD, scene.daemon.socket_path, completion,
             "sluicectl", *words], capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.split()

    assert "config" in complete("")
    assert set(complete("backend", "")) == {"list", "show", "drain", "enable", "disable", "weight",
                                            "add", "remove"}
    assert complete("config", "") == ["show", "save"]
    for command in ("show", "drain", "enable", "disable", "weight", "remove"):
        assert "web/web-1" in complete("backend", command, "")
    assert complete("backend", "add", "w") == ["web"]
    assert complete("backend", "drain", "web/web-1", "--t") == ["--timeout"]
    assert complete("backend", "drain", "--timeout", "5m", "web/web-2-") == ["web/web-2-v6"]

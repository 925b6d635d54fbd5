# SPDX-License-Identifier: BSD-2-Clause
"""Changes of backends at run time: by the API and by command, each shown as
such, kept over a reload, written out by save. What is refused, and that it then
changes nothing, is in test_api.py.
"""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from lab import clients, daemon, wait
from lab.netns import Lab
from scenario import all_serving, configuration, serve, web

ONE = "/v1/backends/web/web-1"


@pytest.fixture(scope="module")
def running():
    with Lab() as lab:
        yield serve(lab, backends=2)


@pytest.fixture
def scene(running):
    """As from the start: the daemon is a new one where the last test left changes."""
    made = running.daemon
    config = configuration(running.top, web(running.top))
    with open(made.config_path, encoding="utf-8") as file:
        same = file.read() == json.dumps(config, indent=1)
    if made.process.poll() is not None or made.status()["changes"] or not same:
        if made.process.poll() is None:
            assert made.stop() == 0
        made.write(config)
        made.start()
    return all_serving(running)


def config_text(made):
    connection = daemon.UnixConnection(made.socket_path)
    try:
        connection.request("GET", "/v1/config")
        response = connection.getresponse()
        assert (response.status, response.headers["Content-Type"]) == (200, "application/yaml")
        return response.read().decode()
    finally:
        connection.close()


def settled(backend):
    """Without what changes by itself."""
    return {name: value for name, value in backend.items()
            if name not in ("check", "since_s", "ends_in_s", "stats", "live", "next_hop", "reason")}


def shows(scene, name):
    """The backend, by API; and that `backend list` has the same state of it."""
    backend = scene.daemon.backend("web", name)
    rows = [line.split() for line in scene.daemon.ctl("backend", "list", "web").stdout.splitlines()]
    assert rows[0][4:7] == ["STATE", "FOR", "LIVE"]
    assert next(row[4] for row in rows if row[1] == name) == backend["state"]
    return backend


CHANGES = {
    # method, path, body, the members that differ, the sentence
    "drain": ("POST", ONE + "/drain", None, {"state": "drain", "serving": False},
              "backend web/web-1 drained at run time"),
    "drain for a time": ("POST", ONE + "/drain", {"timeout": "1h"},
                         {"state": "drain", "serving": False},
                         r"backend web/web-1 drained at run time \(ends in (1h 0m|59m \d+s)\)"),
    "disable": ("POST", ONE + "/disable", {}, {"state": "disabled", "serving": False},
                "backend web/web-1 disabled at run time"),
    "weight": ("POST", ONE + "/weight", {"weight": 7}, {"weight": 7},
               "backend web/web-1 given weight 7 at run time"),
    "weight 0": ("POST", ONE + "/weight", {"weight": 0}, {"weight": 0, "serving": False},
                 "backend web/web-1 given weight 0 at run time"),
}


@pytest.mark.parametrize("row", CHANGES.values(), ids=CHANGES)
def test_a_change_is_shown_kept_and_saved(scene, row):
    method, path, body, expected, sentence = row
    made = scene.daemon
    before = settled(made.backend("web", "web-1"))
    others = [settled(made.backend("web", name)) for name in ("web-1-v6", "web-2", "web-2-v6")]
    status, answer = made.request(method, path, json.dumps(body) if body is not None else None)
    assert status == 200
    assert settled(answer) == before | expected | {"changed": True}, "of the moment it returns"
    assert answer["health"] == "up", "health is shown apart"
    assert [settled(made.backend("web", name))
            for name in ("web-1-v6", "web-2", "web-2-v6")] == others

    def holds():
        assert settled(shows(scene, "web-1")) == settled(answer)
        (said,) = made.status()["changes"]
        assert re.fullmatch(sentence, said)
        assert said in " ".join(made.ctl("status").stdout.split())
    holds()
    assert made.status()["problems"] == [], "what the operator wants is no problem"
    assert made.service("web")["state"] == "ok"
    assert made.request("POST", "/v1/reload")[0] == 200
    holds()

    running = config_text(made)
    assert made.request("POST", "/v1/config/save") == (
        200, {"file": made.config_path, "changes": 1})
    with open(made.config_path, encoding="utf-8") as file:
        assert file.read() == running
    with open(made.config_path + ".old", encoding="utf-8") as file:
        assert json.load(file)["services"]
    assert made.status()["changes"] == []
    assert settled(shows(scene, "web-1")) == settled(answer) | {"changed": False}
    assert "changed at run time" not in made.ctl("status").stdout
    status, answer = made.request("POST", "/v1/reload")
    assert (status, answer["added"], answer["removed"], answer["changed"]) == (200, 0, 0, 0)


def test_the_configuration_that_runs_is_shown(scene):
    made = scene.daemon
    text = config_text(made)
    assert made.ctl("config", "show").stdout == text
    assert made.ctl_json("config", "show") == {"config": text}
    connection = daemon.UnixConnection(made.socket_path)
    connection.request("POST", "/v1/check", text, {"Content-Type": "application/yaml"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer == {"services": 1, "backends": 4, "added": 0, "removed": 0, "changed": 0}
    made.ctl("backend", "weight", "web", "web-2", "9")
    assert "weight: 9" in made.ctl("config", "show").stdout
    with open(made.config_path, encoding="utf-8") as file:
        assert "weight" not in file.read()


def test_what_is_drained_gets_nothing_new_and_what_is_enabled_does(scene):
    made, (host, other) = scene.daemon, (h.name for h in scene.top.backends)
    asked = [clients.ask(scene.client, scene.top.service(4)) for _ in range(40)]
    assert set(asked) == {host, other}
    shown = made.ctl("backend", "drain", "web", host).stdout
    assert re.search(r"^state +drain$", shown, re.M) and re.search(r"^health +up$", shown, re.M)
    asked = [clients.ask(scene.client, scene.top.service(4)) for _ in range(40)]
    assert set(asked) == {other}
    assert made.ctl_json("backend", "enable", f"web/{host}")["state"] == "up"
    assert made.status()["changes"] == [] and not made.backend("web", host)["changed"]
    asked = [clients.ask(scene.client, scene.top.service(4)) for _ in range(40)]
    assert set(asked) == {host, other}
    made.ctl("backend", "disable", "web", host)
    asked = [clients.ask(scene.client, scene.top.service(4)) for _ in range(40)]
    assert set(asked) == {other}


def test_the_last_wish_counts(scene):
    made = scene.daemon
    for command in ("drain", "disable", "drain"):
        made.ctl("backend", command, "web", "web-1")
    made.ctl("backend", "weight", "web/web-1", "3")
    made.ctl("backend", "weight", "web/web-1", "5")
    assert sorted(made.status()["changes"]) == [
        "backend web/web-1 drained at run time", "backend web/web-1 given weight 5 at run time"]
    backend = made.backend("web", "web-1")
    assert (backend["state"], backend["weight"]) == ("drain", 5)


ADDED = {
    # arguments, name, port, weight, role
    "address alone": (["{0}"], "{0}:80", 80, 1, "primary"),
    "with port": (["{0}:8081"], "{0}:8081", 8081, 1, "primary"),
    "all": (["{0}:8081", "--name", "more", "--weight", "5", "--backup"], "more", 8081, 5, "backup"),
    "weight 0": (["{0}", "--weight=0"], "{0}:80", 80, 0, "primary"),
    "v6": (["{1}"], "[{1}]:80", 80, 1, "primary"),
    "v6 in brackets": (["[{1}]"], "[{1}]:80", 80, 1, "primary"),
    "v6 with port": (["[{1}]:8081"], "[{1}]:8081", 8081, 1, "primary"),
}


@pytest.mark.parametrize("row", ADDED.values(), ids=ADDED)
def test_add_and_remove(scene, row):
    made, host = scene.daemon, scene.top.backends[0]
    texts = [text.format(host.ipv4, host.ipv6) for text in [row[1], *row[0]]]
    name, arguments = texts[0], texts[1:]
    before = [settled(backend) for backend in made.service("web")["backends"]]
    added = made.ctl_json("backend", "add", "web", *arguments)
    assert (added["name"], added["port"], added["weight"], added["role"]) == (name, *row[2:])
    assert added["address"] in (host.ipv4, host.ipv6) and added["changed"] is True
    assert [settled(backend) for backend in made.service("web")["backends"]][:4] == before
    assert made.status()["changes"] == [
        f"backend web/{name} added at run time, weight {row[3]}"
        + (", as a backup" if row[4] == "backup" else "")]
    assert made.request("POST", "/v1/reload")[0] == 200
    assert made.backend("web", name)["changed"] is True
    done = made.ctl("backend", "remove", "web", name)
    assert name in done.stdout and not done.stderr
    assert made.request("GET", f"/v1/backends/web/{name}")[0] == 404
    assert made.status()["changes"] == []
    assert [settled(backend) for backend in made.service("web")["backends"]] == before


def test_two_without_a_name_are_two(scene):
    made, host = scene.daemon, scene.top.backends[0]
    names = [f"{host.ipv4}:{port}" for port in (8081, 8082, 8083)]
    for name in names:
        made.ctl("backend", "add", "web", name)
    made.ctl("backend", "remove", "web", names[1])
    assert made.request("POST", "/v1/reload")[0] == 200
    assert [backend["name"] for backend in made.service("web")["backends"]][4:] == [
        names[0], names[2]]
    assert len(made.status()["changes"]) == 2


def test_what_the_file_has_is_removed(scene):
    made = scene.daemon
    assert made.request("DELETE", ONE) == (200, {"service": "web", "removed": "web-1"})
    assert made.status()["changes"] == ["backend web/web-1 removed at run time"]
    assert made.request("DELETE", ONE)[0] == 404
    assert made.request("DELETE", "/v1/backends/web/web-1-v6")[0] == 200
    status, answer = made.request("DELETE", "/v1/backends/web/web-2")
    assert status == 422 and answer["error"].startswith("web: "), "the last for the IPv4 address"
    assert made.request("POST", "/v1/reload")[0] == 200
    for changes in (2, 0):
        assert [backend["name"] for backend in made.service("web")["backends"]] == [
            "web-2", "web-2-v6"]
        assert made.ctl_json("config", "save")["changes"] == changes


def test_a_file_without_news_keeps_its_comments(scene):
    made = scene.daemon
    with open(made.config_path, encoding="utf-8") as file:
        text = "# mine\n" + file.read()
    made.write(text)
    made.ctl("reload")
    assert "stays as it is" in made.ctl("config", "save").stdout
    with open(made.config_path, encoding="utf-8") as file:
        assert file.read() == text


def test_a_save_that_fails_says_so_and_keeps_the_changes(scene):
    made = scene.daemon
    made.ctl("backend", "weight", "web", "web-1", "4")
    os.mkdir(made.config_path + ".new")
    try:
        done = made.ctl("config", "save", check=False)
        assert done.returncode == 1 and made.config_path in done.stderr
        assert len(made.status()["changes"]) == 1
    finally:
        os.rmdir(made.config_path + ".new")


def test_a_drain_ends(scene):
    made = scene.daemon
    answer = made.ctl_json("backend", "drain", "web", "web-1", "--timeout", "2s")
    assert answer["ends_in_s"] in (1, 2)
    wait.until(lambda: made.backend("web", "web-1")["state"] == "disabled", "disabled", timeout=6)
    assert made.backend("web", "web-1")["ends_in_s"] is None
    assert made.status()["changes"] == ["backend web/web-1 disabled at run time"]


def test_a_change_leaves_interfaces_alone(scene):
    made = scene.daemon
    made.ctl("detach", "back")
    try:
        made.ctl("backend", "weight", "web", "web-1", "2")
        assert [row["name"] for row in made.status()["interfaces"]] == ["front"]
    finally:
        made.ctl("attach", "back")


def test_a_saved_file_keeps_its_mode(scene):
    made = scene.daemon
    os.chmod(made.config_path, 0o600)
    made.ctl("backend", "weight", "web", "web-1", "4")
    made.ctl("config", "save")
    assert os.stat(made.config_path).st_mode & 0o777 == 0o600


def test_what_goes_against_the_file_stays_over_a_reload(scene):
    made, service = scene.daemon, web(scene.top)
    service["backends"][0]["state"] = "drain"
    made.write(configuration(scene.top, service))
    made.ctl("reload")
    assert made.backend("web", "web-1")["state"] == "drain"
    for command in ("enable", "drain", "enable"):
        made.ctl("backend", command, "web", "web-1")
    made.ctl("backend", "remove", "web", "web-2")
    made.ctl("backend", "add", "web", f"{scene.top.backends[1].ipv4}:8080", "--name", "web-2")
    made.ctl("backend", "remove", "web", "web-2")
    made.ctl("reload")
    assert made.backend("web", "web-1")["state"] == "up"
    assert made.request("GET", "/v1/backends/web/web-2")[0] == 404
    assert len(made.status()["changes"]) == 2


# ---- choices of a service ---------------------------------------------------
def chosen(scene, **settings):
    made = scene.daemon
    service = web(scene.top, **settings)
    made.write(configuration(scene.top, service))
    made.ctl("reload")
    return made.service("web")


def test_settings_are_shown(scene):
    service = chosen(scene, scheduler="least-connections", on_all_down="reject",
                     min_healthy="50%", slow_start="30s",
                     affinity={"timeout": "10m", "prefix_v4": 24})
    assert (service["scheduler"], service["on_all_down"], service["min_healthy"]) == (
        "least-connections", "reject", "50%")
    assert service["slow_start_ms"] == 30_000
    assert service["affinity"] == {"timeout_ms": 600_000, "prefix_v4": 24, "prefix_v6": 128}
    shown = scene.daemon.ctl("service", "show", "web").stdout
    for words in ("least-connections", "600 s", "24", "30 s", "reject", "50%"):
        assert words in shown


def test_panic_is_a_problem(scene):
    chosen(scene, min_healthy=2)
    scene.server("web-1").sick()
    try:
        wait.until(lambda: scene.daemon.service("web")["panic"], "panic")
        service = scene.daemon.service("web")
        assert service["state"] == "degraded"
        problems = scene.daemon.status()["problems"]
        assert any("service web" in text and "panic" in text for text in problems), problems
        assert any("web/web-1 " in text and "503" in text for text in problems), problems
        backend = scene.daemon.backend("web", "web-1")
        assert (backend["state"], backend["serving"]) == ("down", True)
    finally:
        scene.server("web-1").sick(False)
    all_serving(scene)
    wait.until(lambda: not scene.daemon.service("web")["panic"], "no panic")


def test_a_backup_that_waits_is_no_problem(scene):
    service = web(scene.top)
    for backend in service["backends"][2:]:
        backend["backup"] = True
    made = scene.daemon
    made.write(configuration(scene.top, service))
    made.ctl("reload")
    made.wait_serving("web", 2)
    assert made.service("web")["state"] == "ok" and made.status()["problems"] == []
    backend = made.backend("web", "web-2")
    assert (backend["role"], backend["state"], backend["serving"]) == ("backup", "up", False)
    made.ctl("backend", "drain", "web", "web-1")
    assert made.backend("web", "web-2")["serving"] is True


def test_a_slow_start_is_shown(scene):
    chosen(scene, slow_start="1h")
    scene.server("web-1").sick()
    made = scene.daemon
    try:
        made.wait_serving("web", 2)
    finally:
        scene.server("web-1").sick(False)
    all_serving(scene)
    assert made.backend("web", "web-1")["slow_start"] == 10
    assert made.backend("web", "web-2")["slow_start"] is None
    assert "10 %" in made.ctl("backend", "show", "web/web-1").stdout


# ---- waiting ----------------------------------------------------------------
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

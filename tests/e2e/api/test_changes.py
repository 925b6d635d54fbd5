# SPDX-License-Identifier: BSD-2-Clause
"""Changes of backends at run time: by the API and by command, each shown as such, kept over a
reload, written out by save. What is refused, and that it then changes nothing, is in
test_refusals.py.
"""

import contextlib
import json
import os
import re

import pytest

from lab import clients, daemon, wait
from scenario import configuration, web
from scenario_api import ONE
from scenario_changes import running, scene, settled  # running, scene: fixtures


def config_text(made):
    connection = daemon.UnixConnection(made.socket_path)
    try:
        connection.request("GET", "/v1/config")
        response = connection.getresponse()
        assert (response.status, response.headers["Content-Type"]) == (200, "application/yaml")
        return response.read().decode()
    finally:
        connection.close()


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
        # The time that is left may be another by then.
        assert re.search(sentence, " ".join(made.ctl("status").stdout.split()))
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
    assert answer == {"services": 1, "backends": 4, "added": 0, "removed": 0, "changed": 0,
                      "warnings": []}
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
    with contextlib.suppress(FileNotFoundError):
        os.unlink(made.config_path + ".old")
    os.mkdir(made.config_path + ".old")
    before = set(os.listdir(os.path.dirname(made.config_path)))
    try:
        done = made.ctl("config", "save", check=False)
        assert done.returncode == 1 and made.config_path in done.stderr
        assert len(made.status()["changes"]) == 1
        assert set(os.listdir(os.path.dirname(made.config_path))) == before, "nothing else stays"
    finally:
        os.rmdir(made.config_path + ".old")


def test_a_save_leaves_files_of_the_user_alone(scene):
    made = scene.daemon
    made.ctl("backend", "weight", "web", "web-1", "4")
    mine = [made.config_path + end for end in (".new", ".tmp", "~")]
    for path in mine:
        with open(path, "w", encoding="ascii") as file:
            file.write("mine")
    try:
        made.ctl("config", "save")
        for path in mine:
            with open(path, encoding="ascii") as file:
                assert file.read() == "mine"
    finally:
        for path in mine:
            os.unlink(path)


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


@pytest.mark.parametrize("owner, group", [(0, 0), (0, 4321), (1234, 4321)])
def test_a_saved_file_keeps_its_owner_group_and_mode(scene, owner, group):
    made = scene.daemon
    os.chown(made.config_path, owner, group)
    os.chmod(made.config_path, 0o640)
    made.ctl("backend", "weight", "web", "web-1", "4")
    made.ctl("config", "save")
    saved = os.stat(made.config_path)
    assert (saved.st_uid, saved.st_gid, saved.st_mode & 0o777) == (owner, group, 0o640)


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

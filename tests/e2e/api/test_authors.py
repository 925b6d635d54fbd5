# SPDX-License-Identifier: BSD-2-Clause
"""Who changed what: each change over the socket is one line of the log, with user and process."""

import json
import os
import re

import pytest

from lab import daemon
from scenario_api import ONE, READING
from scenario_changes import running, scene  # fixtures

# method, path, body: the line behind user and process
CHANGES = {
    "drain": ("POST", ONE + "/drain", {"timeout": "30s"},
              "backend web/web-1 drained at run time, for 30s"),
    "disable": ("POST", ONE + "/disable", None, "backend web/web-1 disabled at run time"),
    "enable": ("POST", ONE + "/enable", None, "backend web/web-1 enabled at run time"),
    "weight": ("POST", ONE + "/weight", {"weight": 7}, "backend web/web-1 given weight 7 at run time"),
    "remove": ("DELETE", ONE, None, "backend web/web-1 removed at run time"),
    "add": ("POST", "/v1/backends/web", {"address": "192.0.2.77", "name": "new", "weight": 3},
            "backend web/new added at run time, weight 3"),
    "deny": ("POST", "/v1/denied", {"prefix": "203.0.113.0/24", "for": "10m"},
             "203.0.113.0/24 is denied by the operator, for 10m"),
    "undeny": ("DELETE", "/v1/denied/203.0.113.0%2F24", None,
               "203.0.113.0/24 is not denied by the operator any more"),
    "reload": ("POST", "/v1/reload", {"force": True},
               r"the configuration reloaded by force: 0 services added, 0 removed, [01] changed"),
    "detach": ("POST", "/v1/detach", {"interface": "back"}, "the program detached from back"),
    "attach": ("POST", "/v1/attach", {"interface": "back"},
               "the program attached to back, mode auto"),
}


def lines(log):
    """Those that name a process."""
    return [line for line in log.splitlines() if re.search(r"uid \d+, process \d+", line)]


def test_each_change_is_one_line_with_its_author(scene):
    made = scene.daemon
    for method, path, body, line in CHANGES.values():
        before = len(made.log)
        status, answer = made.request(method, path, json.dumps(body) if body else None)
        assert status == 200, answer
        (told,) = lines(made.log[before:])
        assert re.search(rf" info root \(uid 0, process {os.getpid()}\): {line}$", told), told


def test_another_user_is_named(scene):
    made = scene.daemon
    os.chown(made.socket_path, 65534, 65534)
    ask = ("import socket; s = socket.socket(socket.AF_UNIX); s.connect('%s'); "
           "s.send(b'POST /v1/reload HTTP/1.0\\r\\n\\r\\n'); print(s.recv(99))" % made.socket_path)
    os.chmod(os.path.dirname(made.socket_path), 0o755)
    before = len(made.log)
    process = scene.top.balancer.popen(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
         ask])
    assert process.wait(timeout=10) == 0
    (told,) = lines(made.log[before:])
    assert f"nobody (uid 65534, process {process.pid}): the configuration reloaded" in told


def test_what_changes_nothing_has_no_line(scene):
    made = scene.daemon
    before = len(made.log)
    for command in READING:
        made.ctl(*command)
    made.ctl("check")
    made.ctl("backend", "drain", "web", "nosuch", check=False)
    made.ctl("deny", "add", "0.0.0.0/0", check=False)
    assert lines(made.log[before:]) == []


@pytest.mark.parametrize("name", ("a\nb", "a\x1b[2Jb", "a\u2028b"), ids=ascii)
def test_a_request_forges_no_line(scene, name):
    made = scene.daemon
    before = len(made.log)
    made.request("POST", "/v1/backends/web", json.dumps({"address": "192.0.2.77", "name": name}))
    made.request("POST", "/v1/detach", json.dumps({"interface": name}))
    assert len(made.log[before:].splitlines()) == len(lines(made.log[before:]))

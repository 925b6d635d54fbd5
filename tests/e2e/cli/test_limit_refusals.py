# SPDX-License-Identifier: BSD-2-Clause
"""What `sluicectl limit` and `sluicectl deny` refuse, and their routes; and what they bear."""

import json
import subprocess

import pytest

from lab import daemon
from scenario_api import EVIL, Impostor, reply
from scenario_metered import scene, sources  # scene: a fixture


def state(scene):
    return (scene.daemon.get("/v1/denied"), sources(scene, "/v1/limits/slow").keys())


DENIED, SOURCE = "/v1/denied", "/v1/sources/192.0.2.2"

REFUSED = [
    ("POST", DENIED, None, 400, '"prefix" is missing'),
    ("POST", DENIED, {"prefix": 7}, 400, "a string, not a number"),
    ("POST", DENIED, {"prefix": ""}, 400, "203.0.113.0/24"),
    ("POST", DENIED, {"prefix": "web"}, 400, '"web" is not a prefix'),
    ("POST", DENIED, {"prefix": "x" * 5000}, 400, "is not a prefix"),
    ("POST", DENIED, {"prefix": "\033[31m"}, 400, "is not a prefix"),
    ("POST", DENIED, {"prefix": "192.0.2.7/24"}, 400, "did you mean 192.0.2.0/24?"),
    ("POST", DENIED, {"prefix": "2001:db8::1/64"}, 400, "did you mean 2001:db8::/64?"),
    ("POST", DENIED, {"prefix": "192.0.2.0/33"}, 400, "at most 32 bits"),
    ("POST", DENIED, {"prefix": "192.0.2.0/-1"}, 400, "is not a prefix"),
    ("POST", DENIED, {"prefix": "192.0.2.0/"}, 400, "is not a prefix"),
    ("POST", DENIED, {"prefix": "192.0.2.0/024"}, 400, "is not a prefix"),
    ("POST", DENIED, {"prefix": " 192.0.2.0/24"}, 400, "is not a prefix"),
    ("POST", DENIED, {"prefix": "0.0.0.0/0"}, 400, "would deny everybody"),
    ("POST", DENIED, {"prefix": "::/0"}, 400, "would deny everybody"),
    ("POST", DENIED, {"prefix": "192.0.2.0/24", "for": "soon"}, 400, '"soon"'),
    ("POST", DENIED, {"prefix": "192.0.2.0/24", "for": "0s"}, 400, "from 1s to 720h"),
    ("POST", DENIED, {"prefix": "192.0.2.0/24", "for": "999ms"}, 400, "from 1s"),
    ("POST", DENIED, {"prefix": "192.0.2.0/24", "for": "721h"}, 400, "to 720h"),
    ("POST", DENIED, {"prefix": "192.0.2.0/24", "for": 600}, 400, "a string, not a number"),
    ("POST", DENIED, {"prefix": "192.0.2.0/24", "force": True}, 400, '"force"'),
    ("PUT", DENIED, None, 405, "GET, HEAD, POST"),
    ("DELETE", DENIED, None, 405, "GET, HEAD, POST"),
    ("GET", f"{DENIED}/192.0.2.0%2F24", None, 405, "DELETE"),
    ("DELETE", f"{DENIED}/192.0.2.0%2F24", None, 404, "192.0.2.0/24 is not denied at run time"),
    ("DELETE", f"{DENIED}/192.0.2.0/24", None, 404, "there is no path"),
    ("DELETE", f"{DENIED}/198.18.0.0%2F15", None, 404, "by the configuration"),
    ("DELETE", f"{DENIED}/192.0.2.7%2F24", None, 400, "did you mean 192.0.2.0/24?"),
    ("DELETE", f"{DENIED}/nobody", None, 400, "is not a prefix"),
    ("GET", f"{DENIED}?lines=0", None, 400, "from 1 to 1000"),
    ("GET", "/v1/sources?lines=1001", None, 400, "from 1 to 1000"),
    ("GET", "/v1/sources?lines=", None, 400, '"lines"'),
    ("GET", "/v1/sources?lines=%31", None, 400, '"lines"'),
    ("GET", "/v1/limits/slow?lines=many", None, 400, '"many"'),
    ("GET", "/v1/limits/slow?lines=99999999999999999999", None, 400, '"lines"'),
    ("GET", "/v1/limits/nosuch", None, 404, "web, metered, slow"),
    ("GET", "/v1/sources/slow", None, 400, 'an IPv4 or IPv6 address'),
    ("GET", "/v1/sources/192.0.2.256", None, 400, "an IPv4 or IPv6 address"),
    ("GET", "/v1/sources/192.0.2.7%2F24", None, 400, "an IPv4 or IPv6 address"),
    ("GET", "/v1/sources/" + "1" * 255, None, 400, "an IPv4 or IPv6 address"),
    ("POST", SOURCE, None, 405, "GET, HEAD, DELETE"),
    ("DELETE", "/v1/sources/web", None, 400, "an IPv4 or IPv6 address"),
    ("DELETE", f"{SOURCE}/nosuch", None, 404, "web, metered, slow"),
    ("DELETE", f"{SOURCE}/metered/1", None, 404, "there is no path"),
    ("DELETE", "/v1/sources", None, 405, "GET"),
]


@pytest.mark.parametrize("method, path, body, status, words", REFUSED,
                         ids=lambda value: repr(value)[:50])
def test_a_refusal_says_why_and_changes_nothing(scene, method, path, body, status, words):
    before = state(scene)
    text = None if body is None else json.dumps(body)
    got, answer = scene.daemon.request(method, path, text)
    assert got == status and set(answer) == {"error"} and words in answer["error"], answer
    assert state(scene) == before


@pytest.mark.parametrize("args, words", (
    (["deny", "remove", "203.0.113.0/24"], "not denied at run time; these are: none"),
    (["limit", "reset", "192.0.2.2", "nosuch"], "web, metered, slow"),
    (["limit", "list", "nosuch"], "web, metered, slow"),
), ids=lambda value: repr(value)[:40])
def test_a_command_that_is_refused(scene, args, words):
    before = state(scene)
    done = scene.daemon.ctl(*args, check=False)
    assert done.returncode == 1 and not done.stdout
    assert words in done.stderr and done.stderr.startswith("sluicectl: ")
    assert done.stderr.count("\n") == 1 and "\033" not in done.stderr
    assert state(scene) == before


@pytest.mark.parametrize("args, words", (
    (["limit"], "limit top"),
    (["limit", "topp"], 'did you mean "limit top"?'),
    (["limit", "show"], "missing"),
    (["limit", "reset"], "missing"),
    (["limit", "reset", "192.0.2.2", "web", "x"], "too many"),
    (["limit", "top", "web"], "too many"),
    (["limit", "top", "--watch=soon"], "from 100ms to 1h"),
    (["limit", "top", "--lines", "5000"], "from 1 to 1000"),
    (["limit", "top", "--watch", "--lines", "x"], "from 1 to 1000"),
    (["limit", "reset", "slow"], '"slow"'),
    (["deny", "add", "\xff"], "a prefix like"),
    (["deny", "add", "192.0.2.0/24", "--for", "soon"], "from 1s to 720h"),
    (["limit", "top", "--watch", "99ms"], "from 100ms to 1h"),
    (["limit", "top", "--watch", "2"], '"2"'),
    (["limit", "top", "--watch", "2h"], "from 100ms to 1h"),
    (["limit", "top", "--watch", "soon"], "too many"),
    (["limit", "list", "--watch"], "--watch is not an option"),
    (["limit", "show", "192.0.2.2", "--lines", "1"], "--lines is not an option"),
    (["limit", "top", "--lines"], "--lines wants a value"),
    (["deny"], "deny add"),
    (["deny", "add"], "missing"),
    (["deny", "remove"], "missing"),
    (["deny", "list", "x"], "too many"),
    (["deny", "remove", "192.0.2.2", "--for", "1s"], "--for is not an option"),
    (["deny", "add", "192.0.2.2", "--for"], "--for wants a value"),
), ids=lambda value: repr(value)[:40])
def test_misuse_is_exit_2(args, words):
    done = subprocess.run([daemon.SLUICECTL, *args], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and not done.stdout
    assert words in done.stderr


EVIL_ROW = {"service": EVIL, "source": EVIL, "rate": EVIL, "count": EVIL, "state": EVIL,
            "number": EVIL, "remaining": 1e300, "resets_in_ms": -1e300, "refused": [],
            "since": EVIL, "since_s": {}, "scope": EVIL, "by": EVIL, "reason": EVIL,
            "prefix": EVIL, "ends_in_s": -(2**63), "action": EVIL, "dry_run": True,
            "stats": EVIL, "burst": EVIL}

EVILS = {
    "nothing": {},
    "wrong types": {"limits": 3, "sources": {"a": 1}, "denied": "x", "more": "y",
                    "configured": [None, 1, "x", []], "forgotten": [], "address": {}},
    "control characters": {name: [EVIL_ROW] for name in ("limits", "sources", "denied",
                                                         "configured")} | {
        "more": 2**62, "address": EVIL, "forgotten": -1, "prefix": EVIL, "removed": EVIL},
}


@pytest.mark.parametrize("answer", EVILS.values(), ids=EVILS)
@pytest.mark.parametrize("command", (
    ["limit", "list"], ["limit", "list", "x"], ["limit", "top"], ["limit", "show", "192.0.2.2"],
    ["limit", "reset", "192.0.2.2"], ["deny", "list"], ["deny", "add", "192.0.2.2"],
    ["deny", "remove", "192.0.2.2"],
), ids=" ".join)
def test_nothing_that_answers_can_harm(tmp_path, answer, command):
    path = str(tmp_path / "control.sock")
    with Impostor(path, reply(answer)):
        done = subprocess.run([daemon.SLUICECTL, "--socket", path, *command], capture_output=True,
                              timeout=60)
    assert done.returncode in (0, 1), "neither a crash nor misuse"
    for text in (done.stdout, done.stderr):
        shown = text.decode()
        assert all(char.isprintable() or char == "\n" for char in shown), repr(shown)

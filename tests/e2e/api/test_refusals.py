# SPDX-License-Identifier: BSD-2-Clause
"""What the control API refuses, and why.

A request that is refused changes nothing: each is followed by a look at the
whole state, and at what the kernel says of the interfaces.
"""

import json

import pytest

from lab.topology import SERVICE4
from scenario_api import ADD, ATTACH, DETACH, ONE, RELOAD, SAVE, YAML, ask, raw

REFUSED = [
    # method, path, body, status, words of the sentence
    ("GET", "/", None, 404, "/v1/status"),
    ("GET", "/v1", None, 404, "/v1/status"),
    ("GET", "/v1/status/", None, 404, "/v1/status"),
    ("GET", "/v1/status/x", None, 404, "/v1/status"),
    ("GET", "/v2/status", None, 404, "/v1/status"),
    ("GET", "/v1/services/", None, 404, "/v1/services/{name}"),
    ("GET", "//v1/status", None, 404, "/v1/status"),
    ("GET", "/" + "/".join("x" * 100), None, 404, "/v1/status"),
    ("GET", "/v1/services/nosuch", None, 404, "web"),
    ("GET", "/v1/services/WEB", None, 404, "web"),
    ("GET", "/v1/services/..", None, 404, "web"),
    ("GET", "/v1/services/../status", None, 404, "no path"),
    ("GET", "/v1/services/%2e%2e", None, 404, "web"),
    ("GET", "/v1/services/%2e%2e%2fstatus", None, 404, "../status"),
    ("GET", "/v1/services/web%2f", None, 404, "web"),
    ("GET", "/v1/services/" + "a" * 300, None, 404, "there is no path"),
    ("GET", "/v1/services/%ff%fe", None, 404, "web"),
    ("GET", "/v1/services/%1b[31m", None, 404, "web"),
    ("GET", "/v1/services/web%00", None, 400, "malformed"),
    ("GET", "/v1/services/%00", None, 400, "malformed"),
    ("GET", "/v1/services/web%", None, 400, "malformed"),
    ("GET", "/v1/services/web%7", None, 400, "malformed"),
    ("GET", "/v1/services/%zz", None, 400, "malformed"),
    ("GET", "/v1/services/%-1", None, 400, "malformed"),
    ("GET", "/v1/backends/web/nosuch", None, 404, "web-1, web-1-v6, web-2, web-2-v6"),
    ("GET", "/v1/backends/nosuch/web-1", None, 404, "no service"),
    ("GET", "/v1/backends/web/web-1/drain/now", None, 404, "there is no path"),
    ("GET", "/v1/backends/web/web-1/stop", None, 404, "/v1/backends/{service}/{name}/drain"),
    ("GET", "/v1/backends/", None, 404, "/v1/backends/{service}"),
    ("GET", "/v1/backends/web", None, 405, "POST"),
    ("POST", "/v1/status", b"{}", 405, "GET"),
    ("PUT", "/v1/services/web", b"{}", 405, "GET"),
    ("PUT", "/v1/backends/web/web-1", None, 405, "GET, HEAD, DELETE"),
    ("GET", "/v1/backends/web/web-1/drain", None, 405, "POST"),
    ("DELETE", "/v1/config", None, 405, "GET"),
    ("HEAD", "/v1/config/save", None, 405, ""),
    ("GET", ATTACH, None, 405, "POST"),
    ("GET", RELOAD, None, 405, "POST"),
    ("HEAD", RELOAD, None, 405, ""),
    ("PATCH", "/v1/check", b"", 405, "POST"),
    ("NONSENSE", "/v1/status", None, 405, "GET"),
    ("POST", ATTACH, None, 400, '"interface" is missing'),
    ("POST", ATTACH, b"{}", 400, '"interface" is missing'),
    ("POST", ATTACH, b'{"mode": "native"}', 400, '"interface" is missing'),
    ("POST", ATTACH, b"{", 400, "not JSON"),
    ("POST", ATTACH, b'{"interface": "front"', 400, "not JSON"),
    ("POST", ATTACH, b'{"interface": "front"} x', 400, "not JSON"),
    ("POST", ATTACH, b'{"interface": "front"}{}', 400, "not JSON"),
    ("POST", ATTACH, b'{"interface": "front", "interface": "back"}', 400, "not JSON"),
    ("POST", ATTACH, b"{'interface': 'front'}", 400, "not JSON"),
    ("POST", ATTACH, b'{"interface": "fr\xffnt"}', 400, "not JSON"),
    ("POST", ATTACH, b'{"interface": "fr\\u0000nt"}', 400, "not JSON"),
    ("POST", ATTACH, b"\x00\x01\x02", 400, "not JSON"),
    ("POST", ATTACH, b"[" * 60000, 400, "not JSON"),
    ("POST", ATTACH, b"[]", 400, "a JSON object, not an array"),
    ("POST", ATTACH, b'"front"', 400, "a JSON object, not a string"),
    ("POST", ATTACH, b"null", 400, "a JSON object, not null"),
    ("POST", ATTACH, b'{"interface": 1}', 400, "a string, not a number"),
    ("POST", ATTACH, b'{"interface": null}', 400, "a string, not null"),
    ("POST", ATTACH, b'{"interface": ["front"]}', 400, "a string, not an array"),
    ("POST", ATTACH, b'{"interface": "front", "force": "yes"}', 400, '"force"'),
    ("POST", ATTACH, b'{"interface": "front", "mode": "turbo"}', 400, "native"),
    ("POST", ATTACH, b'{"interface": "front", "mode": true}', 400, "a string, not a boolean"),
    ("POST", ATTACH, b'{"interface": "nosuch"}', 404, "lo, front, back"),
    ("POST", ATTACH, b'{"interface": ""}', 404, "lo, front, back"),
    ("POST", ATTACH, b'{"interface": "../front"}', 404, "lo, front, back"),
    ("POST", ATTACH, json.dumps({"interface": "x" * 5000}).encode(), 404, "no interface"),
    ("POST", ATTACH, b'{"interface": "lo"}', 409, "native mode"),
    ("POST", DETACH, None, 400, '"interface" is missing'),
    ("POST", DETACH, b'{"interface": "front", "mode": "native"}', 400, '"mode"'),
    ("POST", DETACH, b'{"interface": "lo"}', 404, "back, front"),
    ("POST", RELOAD, b"[]", 400, "a JSON object"),
    ("POST", RELOAD, b'{"now": "yes"}', 400, '"now"'),
    ("POST", RELOAD, b"services: []", 400, "not JSON"),
    ("POST", "/v1/backends/nosuch/web-1/drain", None, 404, "web"),
    ("POST", "/v1/backends/web/nosuch/drain", None, 404, "web-1, web-1-v6, web-2, web-2-v6"),
    ("POST", "/v1/backends/web/" + "n" * 64 + "/drain", None, 404, "web-1"),
    ("POST", "/v1/backends/web/web%2D1%20/drain", None, 404, "web-1"),
    ("POST", ONE + "/drain", b'{"timeout": 5}', 400, "a string, not a number"),
    ("POST", ONE + "/drain", b'{"timeout": "5"}', 400, "30s, 5m or 2h"),
    ("POST", ONE + "/drain", b'{"timeout": "-5m"}', 400, "30s, 5m or 2h"),
    ("POST", ONE + "/drain", b'{"timeout": "soon"}', 400, '"soon"'),
    ("POST", ONE + "/drain", b'{"timeout": "0s"}', 400, "from 1s"),
    ("POST", ONE + "/drain", b'{"timeout": "999ms"}', 400, "from 1s"),
    ("POST", ONE + "/drain", b'{"timeout": "721h"}', 400, "to 720h"),
    ("POST", ONE + "/drain", b'{"timeout": "99999999999999999999h"}', 400, "to 720h"),
    ("POST", ONE + "/drain", b'{"after": "5m"}', 400, "timeout"),
    ("POST", ONE + "/drain", b"5m", 400, "not JSON"),
    ("POST", "/v1/backends/web/nosuch/enable", None, 404, "web-1"),
    ("POST", ONE + "/enable", b'{"timeout": "5m"}', 400, '"timeout"'),
    ("POST", "/v1/backends/web/nosuch/disable", b"{}", 404, "web-1"),
    ("POST", ONE + "/disable", b"[]", 400, "a JSON object"),
    ("POST", ONE + "/weight", None, 400, '"weight" is missing'),
    ("POST", ONE + "/weight", b'{"weight": "5"}', 400, "a whole number, not a string"),
    ("POST", ONE + "/weight", b'{"weight": 1.5}', 400, "a whole number, not a fraction"),
    ("POST", ONE + "/weight", b'{"weight": null}', 400, "a whole number, not null"),
    ("POST", ONE + "/weight", b'{"weight": true}', 400, "a whole number, not a boolean"),
    ("POST", ONE + "/weight", b'{"weight": -1}', 400, "from 0 to 65535, not -1"),
    ("POST", ONE + "/weight", b'{"weight": 65536}', 400, "from 0 to 65535, not 65536"),
    ("POST", ONE + "/weight", b'{"weight": 4294967297}', 400, "from 0 to 65535"),
    ("POST", ONE + "/weight", b'{"weight": 9999999999999999999999}', 400, "not JSON"),
    ("POST", ONE + "/weight", b'{"weight": 1, "name": "x"}', 400, '"name"'),
    ("POST", "/v1/backends/web/nosuch/weight", b'{"weight": 5}', 404, "web-1"),
    ("POST", "/v1/backends/nosuch", b'{"address": "10.9.0.1"}', 404, "web"),
    ("POST", ADD, None, 400, '"address" is missing'),
    ("POST", ADD, b'{"address": "web-3"}', 400, "an IPv4 or IPv6 address"),
    ("POST", ADD, b'{"address": "10.9.0.1:80"}', 400, "an IPv4 or IPv6 address"),
    ("POST", ADD, b'{"address": 10}', 400, "a string, not a number"),
    ("POST", ADD, b'{"address": "10.9.0.1", "port": 0}', 400, "from 1 to 65535, not 0"),
    ("POST", ADD, b'{"address": "10.9.0.1", "port": 65536}', 400, "from 1 to 65535"),
    ("POST", ADD, b'{"address": "10.9.0.1", "port": "80"}', 400, "a whole number"),
    ("POST", ADD, b'{"address": "10.9.0.1", "weight": -1}', 400, "from 0 to 65535"),
    ("POST", ADD, b'{"address": "10.9.0.1", "backup": "yes"}', 400, "true or false"),
    ("POST", ADD, b'{"address": "10.9.0.1", "name": ""}', 400, "1 to 63"),
    ("POST", ADD, json.dumps({"address": "10.9.0.1", "name": "n" * 64}).encode(), 400, "1 to 63"),
    ("POST", ADD, b'{"address": "10.9.0.1", "name": "a/b"}', 422, "web: a backend's name"),
    ("POST", ADD, b'{"address": "10.9.0.1", "name": "a\\u001bb"}', 422, "web: a backend's name"),
    ("POST", ADD, b'{"address": "10.9.0.1", "name": "10.9.0.2:80"}', 422, "web: a backend's name"),
    ("POST", ADD, b'{"address": "10.9.0.1", "state": "drain"}', 400, "backup"),
    ("POST", ADD, b'{"address": "127.0.0.1"}', 422, "loopback"),
    ("POST", ADD, b'{"address": "0.0.0.0"}', 422, "unspecified"),
    ("POST", ADD, json.dumps({"address": SERVICE4}).encode(), 422, "the service itself"),
    ("POST", ADD, b'{"address": "10.9.0.1", "name": "web-1"}', 409, '"web-1" already'),
    ("DELETE", "/v1/backends/web/nosuch", None, 404, "web-1"),
    ("DELETE", "/v1/backends/nosuch/web-1", None, 404, "web"),
    ("DELETE", ONE, b'{"force": "yes"}', 400, '"force"'),
    ("POST", SAVE, b'{"file": "/etc/passwd"}', 400, '"file"'),
    ("POST", SAVE, b"services: []", 400, "not JSON"),
    ("POST", "/v1/check", b"services: []", 415, YAML),
    ("POST", ATTACH, b" " * (64 * 1024 + 1), 413, "65536"),
    ("POST", RELOAD, b" " * (64 * 1024 + 1), 413, "65536"),
    ("GET", "/v1/status", b" " * (64 * 1024 + 1), 413, "65536"),
    ("POST", "/nowhere", b" " * 10_000_000, 413, "65536"),
    ("POST", "/v1/check", b"#" * (64 * 1024 * 1024 + 1), 413, "67108864"),
    ("POST", ATTACH, [b"x" * 40000, b"y" * 40000], 413, "65536"),
]


def row_name(row):
    method, path, body = row[:3]
    shown = "" if body is None else " chunked" if isinstance(body, list) else f" {body[:40]!r}"
    return f"{method} {path[:40]}{shown}"


@pytest.mark.parametrize("row", REFUSED, ids=row_name)
def test_a_refused_request_says_why_and_changes_nothing(scene, unchanged, row):
    method, path, body, expected, words = row
    status, headers, answer = ask(scene.daemon, method, path, body)
    assert status == expected, answer
    if method != "HEAD":
        assert set(answer) == {"error"} and words in answer["error"], answer
    if status == 405:
        assert headers["Allow"] == allowed(path)


def allowed(path):
    if path == "/v1/backends/web/web-1":
        return "GET, HEAD, DELETE"
    posted = (ATTACH, RELOAD, "/v1/check", SAVE, ADD)
    return "POST" if path in posted or path.startswith(ONE + "/") else "GET, HEAD"


def test_too_much_is_refused_before_it_is_sent(scene, unchanged):
    head = (b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n"
            b"Expect: 100-continue\r\n\r\n")
    assert raw(scene.daemon, head).startswith(b"HTTP/1.1 413 ")


CHECKS = [
    # configuration, line, column of the mistake
    ("services: 3\n", 1, 11),
    ("services:\n  - name: x\n", 2, 5),
    ("servces: []\n", 1, 1),
    ("services: [a\n", 2, 1),
    ("\x00\x01", None, None),
]


@pytest.mark.parametrize("text, line, column", CHECKS, ids=lambda value: repr(value)[:30])
def test_a_wrong_configuration_is_told_with_its_place(scene, unchanged, text, line, column):
    status, _, answer = ask(scene.daemon, "POST", "/v1/check?name=my%20file.yaml", text.encode(),
                            {"Content-Type": YAML})
    assert status == 422, answer
    assert answer["file"] == "my file.yaml" and answer["error"]
    if line:
        assert (answer["line"], answer["column"]) == (line, column), answer


@pytest.mark.parametrize("name", ("%zz", "%00", "x" * 300))
def test_a_wrong_name_for_messages_is_refused(scene, unchanged, name):
    status, _, answer = ask(scene.daemon, "POST", f"/v1/check?name={name}", b"services: []",
                            {"Content-Type": YAML})
    assert status == 400 and '"name"' in answer["error"]


GARBAGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\xff\xfe\r\n\r\n",
    "an empty line": b"\r\n\r\n",
    "no version": b"GET /v1/status\r\n\r\n",
    "no host": b"GET /v1/status HTTP/1.1\r\n\r\n",
    "a negative length": b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length of words": b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "a wrong chunk": b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"zz\r\n\r\n",
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long headers": b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET /v1/status HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_not_served(scene, unchanged, data):
    assert not raw(scene.daemon, data).startswith(b"HTTP/1.1 200 ")


def test_a_request_followed_by_garbage_is_served_and_the_garbage_is_not(scene, unchanged):
    good = b"GET /v1/services HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = raw(scene.daemon, good + good + b"\x00\xff GARBAGE\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 ") == 2

# SPDX-License-Identifier: BSD-2-Clause
"""The control API and sluicectl: every route and command, and what they refuse.

A request that is refused changes nothing: each is followed by a look at the
whole state, and at what the kernel says of the interfaces.
"""

import copy
import http.client
import json
import os
import pty
import select
import shutil
import socket
import stat
import subprocess
import threading
import time
from email.utils import parsedate

import pytest

from lab import clients, daemon, wait
from lab.daemon import Daemon
from lab.netns import Lab
from lab.topology import SERVICE4
from lab.xdp import attach_pass
from scenario import all_serving, configuration, serve, web

YAML = "application/yaml"
COUNTERS = {"packets", "bytes", "connections", "dropped_packets", "dropped_bytes",
            "reply_packets", "reply_bytes"}
LISTED = {"name", "addresses", "port", "protocol", "forward", "state", "backends_total",
          "backends_serving"}
BACKEND = {"service", "name", "address", "port", "weight", "role", "changed", "ends_in_s", "state",
           "since_s", "health", "serving", "reason", "live", "slow_start", "check", "next_hop",
           "stats"}


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield all_serving(serve(lab, backends=2))


def ask(made, method, path, body=None, headers=None):
    """(status, headers, JSON); a body that is a list of pieces is sent chunked."""
    connection = daemon.UnixConnection(made.socket_path, timeout=20)
    try:
        chunked = isinstance(body, list)
        connection.request(method, path, iter(body) if chunked else body, headers or {},
                           encode_chunked=chunked)
        response = connection.getresponse()
        data = response.read()
        return response.status, dict(response.getheaders()), json.loads(data) if data else None
    finally:
        connection.close()


def connect(made, timeout=20):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.connect(made.socket_path)
    return sock


def raw(made, data):
    """Sends bytes as they are; all that comes back until the daemon closes."""
    with connect(made) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := sock.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass  # it closed while there was more to read
        return answer


WISHES = {"drain": "drain", "disabled": "disabled"}  # else it is to be up, and may be down


def state(scene):
    """All that a request could change; health, which changes by itself, is not of it."""
    made = scene.daemon
    status = made.status()
    services = [made.service(row["name"]) for row in status["services"]]
    for service in services:
        for name in ("stats", "state", "backends_serving"):
            service.pop(name)
        settings = ("name", "address", "port", "weight", "role", "changed", "ends_in_s")
        service["backends"] = [{name: backend[name] for name in settings} |
                               {"wish": WISHES.get(backend["state"], "up")}
                               for backend in service["backends"]]
    for name in ("uptime_s", "problems", "services", "flows"):
        status.pop(name)
    xdp = {device: scene.top.balancer.xdp(device) for device in scene.top.interfaces}
    with open(made.config_path, encoding="utf-8") as file:
        return {"status": status, "services": services, "xdp": xdp, "file": file.read()}


@pytest.fixture
def unchanged(scene):
    before = state(scene)
    yield
    assert state(scene) == before


# ---- reading ----------------------------------------------------------------
def test_status(scene):
    status = scene.daemon.status()
    assert set(status) == {"version", "pid", "uptime_s", "config", "started", "reloaded",
                           "problems", "changes", "flows", "interfaces", "services"}
    assert status["changes"] == []
    assert set(status["flows"]) == {"tracked", "slots_in_transition"}
    assert status["pid"] == scene.daemon.process.pid
    assert status["config"] == scene.daemon.config_path
    assert status["problems"] == []
    for when in (status["started"], status["reloaded"]):
        begun = time.strptime(when, "%Y-%m-%dT%H:%M:%SZ")
        assert abs(time.time() - (time.mktime(begun) - time.timezone)) < 3600
    for interface in status["interfaces"]:
        assert set(interface) == {"name", "ifindex", "mode", "program_id", "adopted", "shared"}
        xdp = scene.top.balancer.xdp(interface["name"])
        assert interface["ifindex"] == scene.top.balancer.ifindex(interface["name"])
        assert interface["mode"] == "native" and xdp["mode"] == 1
    assert sorted(i["name"] for i in status["interfaces"]) == scene.top.interfaces
    (service,) = status["services"]
    assert set(service) == LISTED
    assert service["state"] == "ok"
    assert service["backends_total"] == service["backends_serving"] == 4


def test_services(scene):
    (listed,) = scene.daemon.get("/v1/services")["services"]
    service = scene.daemon.service("web")
    assert set(service) == LISTED | {"scheduler", "table_size", "affinity", "on_all_down",
                                     "min_healthy", "panic", "slow_start_ms", "limits", "access",
                                     "respond", "check", "stats", "backends"}
    assert (service["scheduler"], service["on_all_down"], service["panic"]) == (
        "maglev", "drop", False)
    assert (service["affinity"], service["min_healthy"], service["slow_start_ms"]) == (
        None, None, None)
    assert {key: service[key] for key in LISTED} == listed
    assert service["addresses"] == [scene.top.service(4), scene.top.service(6)]
    assert (service["port"], service["protocol"], service["forward"]) == (80, "tcp", "nat")
    assert (service["limits"], service["access"], service["respond"]) == ([], None, None)
    assert service["check"] == {
        "type": "http", "interval_ms": 200, "timeout_ms": 100, "rise": 2, "fall": 2, "port": None,
        "path": "/health", "host": None, "status": "200-299",
    }
    assert set(service["stats"]) == COUNTERS


def test_backends(scene):
    listed = scene.daemon.get("/v1/backends")["backends"]
    assert [row["name"] for row in listed] == ["web-1", "web-1-v6", "web-2", "web-2-v6"]
    for row in listed:
        backend = scene.daemon.backend("web", row["name"])
        assert set(backend) == set(row) == BACKEND
        assert backend["state"] == backend["health"] == "up" and backend["serving"] is True
        assert backend["role"] == "primary" and backend["changed"] is False
        assert backend["ends_in_s"] is backend["slow_start"] is None
        assert backend["since_s"] <= backend["check"]["since_s"] <= backend["since_s"] + 1
        assert backend["reason"] == ""
        assert set(backend["check"]) == {"type", "text", "ok", "in_a_row", "since_s",
                                         "duration_ms"}
        assert backend["check"]["ok"] is True and backend["check"]["text"] == "HTTP 200"
        assert 0 < backend["check"]["duration_ms"] < 100
    host = scene.top.backends[0]
    assert scene.daemon.backend("web", "web-1")["next_hop"] == {
        "device": "back", "mac": host.mac, "gateway": None, "vlan": None, "mtu": 1500,
        "state": "resolved",
    }


def test_stats(scene):
    stats = scene.daemon.get("/v1/stats")
    assert set(stats) == {"verdicts", "services", "backends"}
    verdicts = {row["name"]: row for row in stats["verdicts"]}
    assert verdicts["forwarded"]["action"] == "forward"
    assert verdicts["drop_limit"]["action"] == "drop"
    for row in stats["verdicts"]:
        assert set(row) == {"name", "action", "packets", "bytes", "text"}
        assert row["name"].split("_")[0].startswith(
            ("pass", "drop", "forward", "return", "reject", "respond"))
    assert [row["address"] for row in stats["services"]] == [scene.top.service(4),
                                                             scene.top.service(6)]
    for row in stats["services"]:
        assert set(row) == COUNTERS | {"name", "address", "port", "protocol"}
    for row in stats["backends"]:
        assert set(row) == COUNTERS | {"service", "name", "address", "port"}


def test_counters_add_up(scene):
    def totals():
        stats = scene.daemon.get("/v1/stats")
        return (sum(row["connections"] for row in stats["services"]),
                sum(row["connections"] for row in stats["backends"]),
                scene.daemon.service_stats("web")["connections"],
                sum(b["stats"]["connections"] for b in scene.daemon.service("web")["backends"]))

    before = totals()
    for family in (4, 6):
        for _ in range(5):
            scene.client.ns.run("curl", "-sfgo", "/dev/null", scene.top.url(family))
    assert [after - was for after, was in zip(totals(), before)] == [10] * 4
    stats = scene.daemon.get("/v1/stats")["services"]
    assert all(row["reply_packets"] for row in stats), "a row for each address"


def test_headers(scene):
    for path in ("/v1/status", "/v1/services/web", "/nowhere"):
        status, headers, _ = ask(scene.daemon, "GET", path)
        assert headers["Content-Type"] == "application/json"
        assert parsedate(headers["Date"])
        head_status, head_headers, body = ask(scene.daemon, "HEAD", path)
        assert (head_status, body) == (status, None)
        assert head_headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", (
    "/v1/services/%77%65b", "/v1/services/web?x=y", "/v1/%73ervices/web",
))
def test_names_are_decoded(scene, path):
    assert scene.daemon.get(path)["name"] == "web"


def test_one_connection_serves_many_requests(scene):
    connection = daemon.UnixConnection(scene.daemon.socket_path)
    connection.connect()
    sock = connection.sock
    for _ in range(20):
        connection.request("GET", "/v1/status")
        assert json.loads(connection.getresponse().read())["pid"]
        connection.request("GET", "/v1/nothing")
        assert connection.getresponse().read()
    assert connection.sock is sock
    connection.close()


# ---- refusals ---------------------------------------------------------------
ATTACH, DETACH, RELOAD = "/v1/attach", "/v1/detach", "/v1/reload"
ADD, ONE, SAVE = "/v1/backends/web", "/v1/backends/web/web-1", "/v1/config/save"

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


# ---- bounds -----------------------------------------------------------------
def test_idle_connections_keep_nobody_out(scene, unchanged):
    idle = [connect(scene.daemon) for _ in range(100)]
    try:
        begun = time.monotonic()
        assert scene.daemon.status()["pid"]
        assert time.monotonic() - begun < 5
    finally:
        for sock in idle:
            sock.close()


def test_who_does_not_finish_is_cut_off(scene, unchanged):
    """Also who sends a byte now and then, and who ends in the middle."""
    silent, drips, body, ended = (connect(scene.daemon) for _ in range(4))
    drips.sendall(b"GET /v1/sta")
    for sock in (body, ended):
        sock.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    ended.shutdown(socket.SHUT_WR)
    begun = time.monotonic()

    def all_closed():
        for sock in (drips, body):
            try:
                sock.send(b" ")
            except OSError:
                pass
        # The loop answers others all the while.
        assert scene.daemon.get("/v1/services")
        return all(is_closed(sock) for sock in (silent, drips, body, ended))

    wait.until(all_closed, "slow clients are cut off", timeout=25, pause=0.5)
    assert time.monotonic() - begun > 5, "a request has time to arrive"
    for sock in (silent, drips, body, ended):
        sock.close()


def is_closed(sock):
    if not select.select([sock], [], [], 0)[0]:
        return False
    try:
        return sock.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_half_request_delays_nobody(scene, unchanged):
    with connect(scene.daemon) as half:
        half.sendall(b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n")
        half.sendall(b"#" * 1_000_000)
        begun = time.monotonic()
        for _ in range(50):
            scene.daemon.get("/v1/services")
        assert time.monotonic() - begun < 5


def test_large_bodies_are_bounded_together(scene, unchanged):
    """Each of them is allowed; all of them are not."""
    size = 40 * 1024 * 1024
    head = (f"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: {YAML}\r\n"
            f"Content-Length: {size}\r\n\r\n").encode()
    senders = [connect(scene.daemon) for _ in range(4)]
    for sock in senders:
        sock.sendall(head + b"#" * (size - 1))
    with open(f"/proc/{scene.daemon.process.pid}/status", encoding="ascii") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert resident < 200 * 1024, "kB"
    answers = []
    for sock in senders:
        sock.sendall(b"\n")
        answers.append(int(sock.recv(65536).split()[1]))
        sock.close()
    assert answers.count(200) in (1, 2) and answers.count(503) == 4 - answers.count(200), answers


# ---- the socket -------------------------------------------------------------
def test_socket_mode_and_owner(scene):
    status = os.stat(scene.daemon.socket_path)
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o660
    assert (status.st_uid, status.st_gid) == (0, os.getegid())


def small(lab):
    """A daemon without interfaces, for what needs no traffic."""
    ns = lab.namespace("lb")
    return Daemon(ns, {"interfaces": [], "services": []})


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


# ---- changing ---------------------------------------------------------------
def test_attach_and_detach(scene, unchanged):
    before = scene.daemon.status()["interfaces"]
    status, _, answer = ask(scene.daemon, "POST", DETACH, b'{"interface": "back"}')
    assert (status, answer) == (200, {"detached": "back"})
    assert scene.top.balancer.xdp("back") == {}
    assert [i["name"] for i in scene.daemon.status()["interfaces"]] == ["front"]
    assert any("back" in problem for problem in scene.daemon.status()["problems"])

    assert ask(scene.daemon, "POST", DETACH, b'{"interface": "back"}')[0] == 404

    status, _, answer = ask(scene.daemon, "POST", ATTACH,
                            b'{"interface": "back", "mode": "generic"}')
    assert status == 200 and answer["attached"]["mode"] == "generic"
    assert scene.top.balancer.xdp("back")["mode"] == 2
    assert ask(scene.daemon, "POST", DETACH, b'{"interface": "back"}')[0] == 200

    # As it was, for `unchanged`: in the order of before.
    assert ask(scene.daemon, "POST", DETACH, b'{"interface": "front"}')[0] == 200
    for interface in before:
        body = json.dumps({"interface": interface["name"], "mode": "native"})
        status, _, answer = ask(scene.daemon, "POST", ATTACH, body)
        assert status == 200 and answer["attached"] == interface


def test_another_program_is_named_and_left(scene, unchanged):
    before = scene.daemon.status()["interfaces"]
    names = [interface["name"] for interface in before]
    for name in names:
        assert ask(scene.daemon, "POST", DETACH, json.dumps({"interface": name}))[0] == 200
    foreign = attach_pass(scene.top.balancer, "back", "somebodys")
    try:
        status, _, answer = ask(scene.daemon, "POST", ATTACH, b'{"interface": "back"}')
        assert status == 409
        assert "somebodys" in answer["error"] or str(foreign) in answer["error"]
        assert scene.top.balancer.xdp("back")["prog"]["id"] == foreign
        done = scene.daemon.ctl("attach", "back", check=False)
        assert done.returncode == 1 and answer["error"] in done.stderr
    finally:
        scene.top.balancer.ip("link set dev back xdp off")
    for name in names:
        assert ask(scene.daemon, "POST", ATTACH, json.dumps({"interface": name}))[0] == 200


def test_check_and_reload(scene):
    config = configuration(scene.top, web(scene.top))
    more = copy.deepcopy(config)
    more["services"].append(web(scene.top, hosts=scene.top.backends))
    more["services"][1].update({"name": "more", "port": 81})
    for backend in more["services"][1]["backends"]:
        backend["port"] = 80  # with nat, a backend's port belongs to one service
    more["services"][0]["backends"].pop()
    text = json.dumps(more).encode()

    before = state(scene)
    status, _, answer = ask(scene.daemon, "POST", "/v1/check", text,
                            {"Content-Type": YAML + "; charset=utf-8"})
    assert (status, answer) == (
        200, {"services": 2, "backends": 7, "added": 1, "removed": 0, "changed": 1})
    status, _, answer = ask(scene.daemon, "POST", "/v1/check")
    assert (status, answer) == (
        200, {"services": 1, "backends": 4, "added": 0, "removed": 0, "changed": 0})
    assert state(scene) == before, "a check changes nothing"

    try:
        scene.daemon.write(more)
        status, _, answer = ask(scene.daemon, "POST", RELOAD)
        assert (status, answer) == (
            200, {"services": 2, "backends": 7, "added": 1, "removed": 0, "changed": 1})
        assert [s["name"] for s in scene.daemon.status()["services"]] == ["web", "more"]
    finally:
        scene.daemon.write(config)
        status, _, answer = ask(scene.daemon, "POST", RELOAD, b"{}")
    assert (status, answer) == (
        200, {"services": 1, "backends": 4, "added": 0, "removed": 1, "changed": 1})
    all_serving(scene)


def test_a_refused_reload_changes_nothing(scene, unchanged):
    with open(scene.daemon.config_path, encoding="utf-8") as file:
        good = file.read()
    try:
        for text, expected in (("services: 3\n", 422),
                               (good.replace('"front"', '"nosuch0"'), 409)):
            scene.daemon.write(text)
            running = scene.daemon.status()["interfaces"]
            status, _, answer = ask(scene.daemon, "POST", RELOAD)
            assert status == expected, answer
            assert scene.daemon.status()["interfaces"] == running
            if expected == 422:
                assert answer["file"] == scene.daemon.config_path
                assert (answer["line"], answer["column"]) == (1, 11)
        os.unlink(scene.daemon.config_path)
        status, _, answer = ask(scene.daemon, "POST", RELOAD)
        assert status in (422, 500) and scene.daemon.config_path in json.dumps(answer)
    finally:
        scene.daemon.write(good)


# ---- sluicectl --------------------------------------------------------------
READING = (["status"], ["service", "list"], ["service", "show", "web"], ["backend", "list"],
           ["backend", "list", "web"], ["backend", "show", "web", "web-1"],
           ["backend", "show", "web/web-2-v6"], ["stats"], ["config", "show"], ["limit", "list"],
           ["limit", "list", "web"], ["limit", "top"], ["limit", "show", "192.0.2.2"],
           ["deny", "list"])
CHANGING = (["check"], ["reload"], ["attach", "front"], ["backend", "enable", "web", "web-1"],
            ["config", "save"])
COMMANDS = ("status", "service list", "service show", "backend list", "backend show", "stats",
            "attach", "detach", "check", "reload", "backend drain", "backend enable",
            "backend disable", "backend weight", "backend add", "backend remove", "config show",
            "config save", "limit list", "limit top", "limit show", "limit reset", "deny add",
            "deny remove", "deny list")


def ctl(*args, env=None, **options):
    """sluicectl as it is called from anywhere: without a namespace of the lab."""
    return subprocess.run([daemon.SLUICECTL, *args], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, **options)


@pytest.mark.parametrize("command", READING + CHANGING, ids=" ".join)
def test_a_command_prints_for_people_and_for_programs(scene, command):
    people = scene.daemon.ctl(*command)
    assert people.stdout and not people.stderr
    assert "\033" not in people.stdout, "colours only on a terminal"
    assert all(line == line.rstrip() for line in people.stdout.splitlines())
    for args in (["--json", *command], [*command, "--json"], [command[0], "--json", *command[1:]]):
        programs = scene.daemon.ctl(*args)
        assert not programs.stderr
        assert isinstance(json.loads(programs.stdout), dict)


def test_json_is_what_the_daemon_answers(scene):
    ours = scene.daemon.ctl_json("status")
    theirs = scene.daemon.status()
    for answer in (ours, theirs):
        answer.pop("uptime_s")
    assert ours == theirs
    names = [row["name"] for row in scene.daemon.ctl_json("backend", "list", "web")["backends"]]
    assert names == ["web-1", "web-1-v6", "web-2", "web-2-v6"]


def test_the_tables_say_what_is_there(scene):
    service = scene.daemon.ctl("service", "show", "web").stdout
    assert f"{scene.top.service(4)}:80, [{scene.top.service(6)}]:80" in service
    assert "4/4" in service and "/health" in service
    backends = scene.daemon.ctl("backend", "list").stdout.splitlines()
    assert backends[0].split()[:3] == ["SERVICE", "BACKEND", "ADDRESS"]
    assert len(backends) == 5
    assert scene.top.backends[0].mac in scene.daemon.ctl("backend", "show", "web/web-1").stdout
    assert "forwarded" in scene.daemon.ctl("stats").stdout


def test_status_leads_with_what_is_wrong(scene):
    scene.server("web-2").sick()
    try:
        scene.daemon.wait_serving("web", 2)
        lines = scene.daemon.ctl("status").stdout.splitlines()
        assert lines[0] == "problems:"
        assert any("web/web-2 " in line and "503" in line for line in lines[1:3]), lines
        assert any("degraded" in line for line in lines)
        shown = scene.daemon.ctl("backend", "show", "web", "web-2").stdout
        assert "down" in shown and "503" in shown
    finally:
        scene.server("web-2").sick(False)
        all_serving(scene)


def test_attach_and_detach_by_command(scene):
    assert "front" in scene.daemon.ctl("detach", "front").stdout
    assert scene.top.balancer.xdp("front") == {}
    done = scene.daemon.ctl("attach", "front", "--mode", "generic")
    assert "generic" in done.stdout and scene.top.balancer.xdp("front")["mode"] == 2
    scene.daemon.ctl("detach", "front")
    assert "native" in scene.daemon.ctl("attach", "--mode=native", "front").stdout
    assert scene.top.balancer.xdp("front")["mode"] == 1


def test_check_by_command(scene, unchanged, tmp_path):
    made = scene.daemon
    with open(made.config_path, encoding="utf-8") as file:
        good = file.read()
    assert made.ctl("check").stdout == (
        "configuration is valid: 1 service, 4 backends; "
        "a reload would add 0, remove 0, change 0 services\n")
    more = tmp_path / "more.yaml"
    more.write_text(good.replace('"port": 80,', '"port": 82,'), encoding="utf-8")
    assert "change 1 services" in made.ctl("check", str(more)).stdout
    by_stdin = ctl("--socket", made.socket_path, "check", "-", input=good)
    assert by_stdin.returncode == 0 and "is valid" in by_stdin.stdout

    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("interfaces: []\nservices: 3\n", encoding="utf-8")
    done = made.ctl("check", str(wrong), check=False)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith(f"{wrong}:2:11: ") and done.stderr.count("\n") == 1
    done = ctl("--socket", made.socket_path, "check", "-", input="services: 3\n")
    assert done.returncode == 1 and done.stderr.startswith("standard input:1:11: ")
    for args, words in ((["check", str(tmp_path / "none")], "cannot open"),
                        (["check", str(tmp_path)], "cannot"),
                        (["check", "/dev/null"], "empty")):
        done = made.ctl(*args, check=False)
        assert done.returncode == 1 and words in done.stderr


@pytest.mark.parametrize("args, words", (
    (["service", "show", "nosuch"], "web"),
    (["service", "show", "../status"], "../status"),
    (["service", "show", "a\033[31mb"], "no service"),
    (["backend", "show", "web", "nosuch"], "web-1"),
    (["backend", "list", "nosuch"], "web"),
    (["backend", "drain", "web", "nosuch"], "web-1"),
    (["backend", "drain", "web/web-1", "--timeout", "soon"], "from 1s to 720h"),
    (["backend", "drain", "web/web-1", "--timeout", "\xff"], '"timeout"'),
    (["backend", "drain", "web/nosuch", "--wait"], "web-1"),
    (["backend", "enable", "nosuch/web-1"], "web"),
    (["backend", "weight", "web/web-1", "65536"], "from 0 to 65535"),
    (["backend", "add", "web", "127.0.0.1"], "loopback"),
    (["backend", "add", "web", "10.9.0.1:0"], "from 1 to 65535"),
    (["backend", "add", "web", "10.9.0.1", "--name", "web-1"], "already"),
    (["backend", "add", "nosuch", "10.9.0.1"], "web"),
    (["backend", "remove", "web", "nosuch"], "web-1"),
    (["attach", "nosuch"], "front"),
    (["attach", "\xff\xfe"], "no interface"),
    (["attach", "lo", "--mode", "turbo"], "generic"),
    (["detach", "lo"], "front"),
), ids=lambda value: repr(value)[:40])
def test_a_refusal_is_exit_1_and_a_sentence(scene, unchanged, args, words):
    done = scene.daemon.ctl(*args, check=False)
    assert done.returncode == 1 and not done.stdout
    assert words in done.stderr and done.stderr.startswith("sluicectl: ")
    assert done.stderr.count("\n") == 1 and "\033" not in done.stderr


@pytest.mark.parametrize("args, words", (
    ([], "usage:"),
    (["statsu"], 'did you mean "status"?'),
    (["relaod"], 'did you mean "reload"?'),
    (["servce", "list"], 'did you mean "service list"?'),
    (["service", "shwo", "web"], 'did you mean "service show"?'),
    (["stat"], 'did you mean "stats"?'),
    (["service"], "service show"),
    (["se", "list"], "usage:"),
    (["xyzzy"], "there is no command"),
    (["xyz\033[31m"], "there is no command"),
    (["status", "more"], "too many"),
    (["service", "show"], "missing"),
    (["backend", "show", "web"], "SERVICE/NAME"),
    (["backend", "show", "web/"], "SERVICE/NAME"),
    (["attach"], "missing"),
    (["--jso", "status"], "--jso"),
    (["--json=yes", "status"], "--json"),
    (["status", "--socket"], "--socket"),
    (["status", "-j"], "-j"),
    (["reload", "--mode", "native"], "--mode"),
    (["backend", "enable", "web/web-1", "--wait"], "--wait"),
    (["backend", "drain", "web/web-1", "--backup"], "--backup"),
    (["backend", "drain", "web"], "SERVICE/NAME"),
    (["backend", "drain", "web/web-1", "5m"], "too many"),
    (["backend", "drain", "web/web-1", "--timeout"], "--timeout"),
    (["backend", "weight", "web", "web-1"], "SERVICE/NAME"),
    (["backend", "weight", "web/web-1"], "missing"),
    (["backend", "weight", "web/web-1", "-1"], "-1"),
    (["backend", "weight", "web/web-1", "5%"], "5%"),
    (["backend", "weight", "web", "web-1", "x"], "from 0 to 65535"),
    (["backend", "add", "web"], "missing"),
    (["backend", "add", "web", "web-3"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "10.9.0.1:"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "[10.9.0.1]:80"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "[2001:db8::1"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "[2001:db8::1]80"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "10.9.0.1", "--weight", "many"], "--weight"),
    (["backend", "remove"], "missing"),
    (["config"], "config save"),
    (["config", "shwo"], 'did you mean "config show"?'),
), ids=lambda value: repr(value)[:40])
def test_misuse_is_exit_2(args, words):
    done = ctl(*args)
    assert done.returncode == 2 and not done.stdout
    assert words in done.stderr and "\033" not in done.stderr


def test_help(scene):
    whole = ctl("--help")
    assert whole.returncode == 0 and not whole.stderr
    for command in COMMANDS:
        assert f"\n  {command} " in whole.stdout
        for args in ([*command.split(), "--help"], ["--help", *command.split()]):
            done = ctl(*args)
            assert done.returncode == 0 and not done.stderr
            assert done.stdout.startswith(f"usage: sluicectl {command}")
    group = ctl("service", "--help")
    assert "service show" in group.stdout and "backend show" not in group.stdout
    assert ctl("xyzzy", "--help").returncode == 2
    for args in (["--version"], ["status", "--version"]):
        done = ctl(*args)
        assert done.returncode == 0
        assert done.stdout == f"sluicectl {scene.daemon.status()['version']}\n"


def test_the_socket_may_come_from_the_environment(scene):
    done = ctl("status", env={"SLUICE_SOCKET": scene.daemon.socket_path})
    assert done.returncode == 0 and "web" in done.stdout
    done = ctl("status", "--socket", scene.daemon.socket_path, env={"SLUICE_SOCKET": "/nowhere"})
    assert done.returncode == 0


def test_a_proxy_in_the_environment_is_nobodys_business(scene):
    proxy = {"http_proxy": "http://192.0.2.1:3128", "all_proxy": "http://192.0.2.1:3128"}
    assert ctl("status", "--socket", scene.daemon.socket_path, env=proxy).returncode == 0


def test_without_a_daemon_it_says_so(tmp_path):
    path = str(tmp_path / "control.sock")
    others = (["detach", "x"], ["backend", "drain", "web/web-1", "--wait"],
              ["backend", "add", "web", "10.9.0.1"], ["backend", "weight", "web/web-1", "1"])
    for command in READING + CHANGING + others:
        done = ctl("--socket", path, *command)
        assert done.returncode == 1 and not done.stdout
        assert done.stderr == f"sluicectl: no sluiced answers on {path}: is it running?\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(path)
    assert "is it running?" in ctl("--socket", path, "status").stderr
    done = ctl("--socket", "/" + "x" * 200, "status")
    assert done.returncode == 1 and "too long" in done.stderr


def test_without_permission_it_says_so(lab):
    made = small(lab).start()
    program = lab.path("sluicectl")
    shutil.copy(daemon.SLUICECTL, program)
    os.chmod(lab.directory, 0o755)
    os.chmod(os.path.dirname(made.socket_path), 0o755)
    done = made.ns.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program,
                       "--socket", made.socket_path, "status", check=False)
    assert done.returncode == 1
    assert f"permission denied on {made.socket_path}" in done.stderr


def test_a_full_disk_is_a_failure(scene):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([daemon.SLUICECTL, "--socket", scene.daemon.socket_path, "status"],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "cannot write" in done.stderr


def on_terminal(*args, env=None):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    try:
        environment = {**os.environ, **(env or {})}
        done = subprocess.run([daemon.SLUICECTL, *args], stdout=theirs, stdin=theirs,
                              stderr=subprocess.PIPE, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_colours_are_for_terminals(scene):
    args = ("--socket", scene.daemon.socket_path, "backend", "list")
    environment = {"NO_COLOR": ""}
    assert "\033[32mup\033[0m" in on_terminal(*args, env=environment)
    assert "\033" not in on_terminal(*args, env={"NO_COLOR": "1"})
    assert "\033" not in on_terminal(*args, "--json", env=environment)


# ---- sluicectl and what is not sluiced --------------------------------------
class Impostor(threading.Thread):
    """Answers one request on a Unix socket with these bytes."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.settimeout(20)
        self.listener.bind(path)
        self.listener.listen()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.join(timeout=20)

    def run(self):
        sock, _ = self.listener.accept()
        with sock:
            sock.settimeout(20)
            sock.recv(65536)
            try:
                sock.sendall(self.answer)
            except OSError:
                pass  # it did not want more


def reply(body, status=200):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reason = http.client.responses[status]
    return (f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode() + data


EVIL = "x\033]0;owned\007\033[2J\r\n\x9b31m‮y"

IMPOSTORS = {
    "no HTTP": b"220 smtp ready\r\n",
    "nothing": b"",
    "HTML": reply(b"<html>"),
    "an array": reply([1, 2]),
    "a number": reply(b"7"),
    "no members": reply({}),
    "wrong types": reply({"services": 3, "interfaces": {"a": 1}, "problems": "x", "pid": []}),
    "rows of all kinds": reply({"services": [None, 1, "x", [], {"name": {}, "addresses": "x"}]}),
    "an error without words": reply({}, 500),
    "an error of another type": reply({"error": ["x"], "line": "y"}, 404),
    "control characters": reply({"version": EVIL, "config": EVIL, "problems": [EVIL] * 3,
                                 "services": [{"name": EVIL, "state": EVIL, "addresses": [EVIL]}]}),
    "control characters in an error": reply({"error": EVIL, "file": EVIL, "line": 3}, 422),
    "no UTF-8": reply(b'{"version": "\xff"}'),
    "deep": reply(b"[" * 100_000),
    "cut short": reply({"version": "1"})[:-3],
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", IMPOSTORS.values(), ids=IMPOSTORS)
@pytest.mark.parametrize("options", ([], ["--json"]), ids=("people", "json"))
def test_nothing_that_answers_can_harm(tmp_path, answer, options):
    path = str(tmp_path / "control.sock")
    with Impostor(path, answer):
        done = subprocess.run([daemon.SLUICECTL, "--socket", path, "status", *options],
                              capture_output=True, timeout=60)
    assert done.returncode in (0, 1), "neither a crash nor misuse"
    assert (done.returncode == 1) == bool(done.stderr), "a failure has words"
    for text in (done.stdout, done.stderr):
        shown = text.decode()
        assert all(char.isprintable() or char == "\n" for char in shown), repr(shown)


def test_an_answer_without_end_is_left(tmp_path):
    path = str(tmp_path / "control.sock")
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with Impostor(path, head + b" " * (300 * 1024 * 1024)):
        done = ctl("--socket", path, "status")
    assert done.returncode == 1 and "too large" in done.stderr


def test_status_fits_a_terminal(tmp_path):
    path = str(tmp_path / "control.sock")
    address = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
    status = {
        "version": "1.2.3", "pid": 4194304, "uptime_s": 10**9, "config": "/etc/sluice/sluice.yaml",
        "started": "2026-11-22T05:31:56Z", "reloaded": "2026-11-22T05:31:56Z",
        "problems": ["a backend that is down because of one reason or another, " * 5] * 30,
        "interfaces": [{"name": "x" * 15, "ifindex": 2**31, "mode": "generic",
                        "program_id": 2**32 - 1, "adopted": True, "shared": False}],
        "services": [{"name": "n" * 63, "addresses": [address] * 16, "port": 65535,
                      "protocol": "tcp", "forward": "nat", "state": "degraded",
                      "backends_serving": 65536, "backends_total": 65536}],
    }
    with Impostor(path, reply(status)):
        done = ctl("--socket", path, "status")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "... and 10 more" in done.stdout

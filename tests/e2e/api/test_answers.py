# SPDX-License-Identifier: BSD-2-Clause
"""The control API, reading: every route, and every member of what it answers."""

import json
import time
from email.utils import parsedate

import pytest

from lab import daemon
from scenario_api import ask

COUNTERS = {"packets", "bytes", "connections", "dropped_packets", "dropped_bytes",
            "reply_packets", "reply_bytes", "refused_packets"}

LISTED = {"name", "addresses", "port", "protocol", "forward", "state", "backends_total",
          "backends_serving"}

BACKEND = {"service", "name", "address", "port", "weight", "role", "changed", "ends_in_s", "state",
           "since_s", "health", "serving", "reason", "live", "slow_start", "check", "next_hop",
           "stats"}


def test_status(scene):
    status = scene.daemon.status()
    assert set(status) == {"version", "pid", "uptime_s", "config", "started", "reloaded",
                           "hash_seed", "problems", "changes", "run_time", "flows",
                           "interfaces", "longest_step_ms", "services"}
    assert set(status["hash_seed"]) == {"public", "text"} and status["hash_seed"]["public"]
    assert "HASH SEED" in status["hash_seed"]["text"]
    assert status["changes"] == []
    assert set(status["flows"]) == {"tracked", "slots_in_transition"}
    assert status["pid"] == scene.daemon.process.pid
    assert status["config"] == scene.daemon.config_path
    assert status["problems"] == []
    for when in (status["started"], status["reloaded"]):
        begun = time.strptime(when, "%Y-%m-%dT%H:%M:%SZ")
        assert abs(time.time() - (time.mktime(begun) - time.timezone)) < 3600
    for interface in status["interfaces"]:
        assert set(interface) == {
            "name", "ifindex", "state", "mode", "program_id", "adopted", "shared"}
        assert interface["state"] == "attached"
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
            ("pass", "drop", "forward", "fragmented", "held", "return", "reject", "respond"))
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

# SPDX-License-Identifier: BSD-2-Clause
"""Prefixes denied at run time: `sluicectl deny`, and its routes."""

import re
import time

import pytest

from lab import clients, wait
from scenario_metered import scene  # a fixture


def served(client, address):
    try:
        return clients.ask(client, address, timeout=0.3)
    except OSError:
        return None


@pytest.fixture
def nothing_denied(scene):
    yield
    for row in scene.daemon.get("/v1/denied")["denied"]:
        scene.daemon.ctl("deny", "remove", row["prefix"])
    assert scene.daemon.get("/v1/denied")["denied"] == []


@pytest.mark.parametrize("family", (4, 6))
def test_a_denied_prefix_gets_nothing_until_it_is_removed(scene, family, nothing_denied):
    denied, other = scene.top.clients
    address = scene.top.service(family)
    prefix = denied.address(family)
    assert served(denied, address) and served(other, address)
    before = scene.daemon.verdicts()["DROP_DENIED"]
    assert scene.daemon.ctl("deny", "add", prefix).stdout == f"denied   {prefix}\n"
    assert f"{prefix} is denied by the operator" in scene.daemon.log
    assert served(denied, address) is None
    assert scene.daemon.verdicts()["DROP_DENIED"] > before
    assert served(other, address)
    assert scene.daemon.get(f"/v1/sources/{prefix}")["denied"] == [
        {"scope": "all services", "by": "run time",
         "reason": f"in {prefix}/{32 if family == 4 else 128}", "ends_in_s": None}]
    assert scene.daemon.ctl("deny", "remove", prefix).stdout == f"removed  {prefix}\n"
    assert served(denied, address)


def test_a_denial_ends_by_itself(scene, nothing_denied):
    client, address = scene.client, scene.top.service(4)
    done = scene.daemon.ctl("deny", "add", "192.0.2.0/25", "--for", "3s")
    assert done.stdout == "denied   192.0.2.0/25\nends in  3s\n"
    begun = time.monotonic()
    assert served(client, address) is None
    (row,) = scene.daemon.get("/v1/denied")["denied"]
    assert row["prefix"] == "192.0.2.0/25" and 0 < row["ends_in_s"] <= 4
    wait.until(lambda: served(client, address), "it is lifted", timeout=10)
    # In SL_SECONDs of 1.07 s.
    assert 1.5 < time.monotonic() - begun < 6
    wait.until(lambda: not scene.daemon.get("/v1/denied")["denied"], "and forgotten", timeout=5)


def test_adding_again_changes_the_time(scene, nothing_denied):
    for time_, low, high in (("10m", 590, 601), ("2h", 7190, 7201), (None, None, None)):
        scene.daemon.ctl("deny", "add", "203.0.113.0/24", *(["--for", time_] if time_ else []))
        (row,) = scene.daemon.get("/v1/denied")["denied"]
        assert row["ends_in_s"] is None if time_ is None else low <= row["ends_in_s"] <= high


def test_denials_survive_a_reload(scene, nothing_denied):
    scene.daemon.ctl("deny", "add", "203.0.113.0/24")
    scene.daemon.reload()
    assert [row["prefix"] for row in scene.daemon.get("/v1/denied")["denied"]] == ["203.0.113.0/24"]


def test_the_list_of_denials(scene, nothing_denied):
    assert scene.daemon.ctl("deny", "list").stdout == (
        "nothing is denied at run time\n\nprefixes in the configuration\n"
        "OF            ALLOWED  DENIED\nall services        0       2\n"
        "web                 2       1\n")
    for prefix in ("2001:db8:1234::/48", "203.0.113.0/24", "203.0.113.9"):
        scene.daemon.ctl("deny", "add", prefix)
    scene.daemon.ctl("deny", "add", "198.51.100.0/24", "--for=10m")
    lines = scene.daemon.ctl("deny", "list").stdout.splitlines()
    assert lines[0].split() == ["PREFIX", "ENDS", "IN", "BY", "UID", "SINCE"]
    assert [line.split()[0] for line in lines[1:5]] == [
        "198.51.100.0/24", "203.0.113.0/24", "203.0.113.9", "2001:db8:1234::/48"]
    assert re.search(r" (10m 0s|9m \d+s) +root +0 +20\d\d-", lines[1])
    assert re.search(r" - +root +0 +20\d\d-", lines[2])
    assert scene.daemon.get("/v1/denied?lines=1")["more"] == 3
    assert scene.daemon.ctl("deny", "list", "--lines=2").stdout.splitlines()[3] == "... and 2 more"


@pytest.mark.parametrize("address, rows", (
    ("192.0.2.2", []),
    ("192.0.2.200", [("web", "configuration", "in 192.0.2.128/25")]),
    ("203.0.113.1", [("web", "configuration", "not among the allowed")]),
    ("198.19.0.1", [("all services", "configuration", "in 198.18.0.0/15"),
                    ("web", "configuration", "not among the allowed")]),
    ("2001:db8:c::9", []),
    ("2001:db8:bad:1::", [("all services", "configuration", "in 2001:db8:bad::/48"),
                          ("web", "configuration", "not among the allowed")]),
    ("2001:db8:d::1", [("web", "configuration", "not among the allowed")]),
))
def test_show_says_who_denies(scene, address, rows):
    shown = scene.daemon.get(f"/v1/sources/{address}")["denied"]
    assert [(row["scope"], row["by"], row["reason"]) for row in shown] == rows
    text = scene.daemon.ctl("limit", "show", address).stdout
    assert ("\nnot denied\n" in text) == (not rows)
    for scope, by, reason in rows:
        assert re.search(rf"^{scope} +{by} +{reason} +-$", text, re.M), text

# SPDX-License-Identifier: BSD-2-Clause
"""What the operator sees of limits and access, and changes: `sluicectl limit` and
`sluicectl deny`, and their routes.

A source is over its limit because a client has really sent too much; what is
shown is compared with the program's own counters.
"""

import calendar
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from lab import clients, daemon, wait
from lab.netns import Lab
from lab.servers import udp_socket
from lab.traffic import Flood
from scenario import NO_CHECK, all_serving, configuration, serve, service, web
from test_api import EVIL, Impostor, reply

METERED, SLOW, BURST = 9000, 9001, 200
NOBODY = "192.0.2.77"  # an address that sends nothing
ADDRESS6 = "2001:db8:c::2"  # of the first client
SOURCE6 = "2001:db8:c::/64"


@pytest.fixture(scope="module")
def scene():
    def config(top, forward):
        host = top.backends[:1]
        made = configuration(
            top,
            web(top, forward, allow=["192.0.2.0/24", "2001:db8:c::/64"], deny=["192.0.2.128/25"]),
            service("metered", host, METERED, forward, proto="udp", check=NO_CHECK, limit=[
                {"rate": "100/s", "burst": BURST},
                {"rate": "1MB/h", "burst": "8k", "count": "bytes", "per": "service",
                 "dry_run": True}]),
            service("slow", host, SLOW, forward, proto="udp", check=NO_CHECK, limit={
                "rate": "5/h", "algorithm": "fixed-window", "exempt": [top.clients[1].ipv4]}),
        )
        return {**made, "deny": ["198.18.0.0/15", "2001:db8:bad::/48"]}

    with Lab() as lab:
        ready = all_serving(serve(lab, config=config, clients=2, backends=2))
        ready.daemon.wait_serving("metered", 2)
        ready.daemon.wait_serving("slow", 2)
        yield ready


def send(scene, host, port, count, family=4):
    """So many datagrams to a service, as fast as they go; how many the program has
    judged is what its counters say afterwards.
    """
    address = scene.top.service(family)

    def seen():
        rows = scene.daemon.get("/v1/stats")["services"]
        (row,) = [r for r in rows if (r["port"], r["address"]) == (port, address)]
        return row["packets"] + row["dropped_packets"]

    before = seen()
    with udp_socket(host.ns, family) as sock:
        for _ in range(count):
            sock.sendto(b"x" * 64, (address, port))
    wait.until(lambda: seen() >= before + count, "all of it has arrived")


def limits(scene, name=None):
    """{(service, number): row}"""
    rows = scene.daemon.get("/v1/limits")["limits"]
    return {(row["service"], row["number"]): row for row in rows if name in (None, row["service"])}


def sources(scene, path="/v1/sources"):
    """{(service, number, source): row}"""
    rows = scene.daemon.get(path)["sources"]
    return {(row["service"], row["number"], row["source"]): row for row in rows}


def source(scene, address, name="metered", number=1):
    rows = scene.daemon.get(f"/v1/sources/{address.replace('/', '%2F')}")["limits"]
    (row,) = [r for r in rows if (r["service"], r["number"]) == (name, number)]
    return row


@pytest.fixture
def over(scene):
    """The first client is over the packet limit of `metered`."""
    client = scene.client
    send(scene, client, METERED, 3 * BURST)
    yield client
    scene.daemon.ctl("limit", "reset", client.ipv4)


# ---- how they are set --------------------------------------------------------
def test_the_service_shows_how_its_limits_are_set(scene):
    shown = scene.daemon.service("metered")
    assert shown["limits"] == [
        {"rate": "100/s", "burst": BURST, "count": "packets", "algorithm": "token-bucket",
         "per": "source", "prefix_v4": 32, "prefix_v6": 64, "action": "drop", "dry_run": False,
         "under_pressure": "admit", "exempt": 0},
        {"rate": "1MB/h", "burst": 8000, "count": "bytes", "algorithm": "token-bucket",
         "per": "service", "prefix_v4": None, "prefix_v6": None, "action": "drop", "dry_run": True,
         "under_pressure": None, "exempt": 0},
    ]
    assert (shown["access"], shown["respond"]) == (None, None)
    slow = scene.daemon.service("slow")["limits"][0]
    assert (slow["burst"], slow["algorithm"], slow["exempt"]) == (None, "fixed-window", 1)
    assert scene.daemon.service("web")["access"] == {"allow": 2, "deny": 1}
    table = scene.daemon.ctl("service", "show", "metered").stdout
    assert re.search(r"^1MB/h +8\.0 kB +bytes +token-bucket +service +drop \(dry run\) +0$", table,
                     re.M), table
    assert re.search(r"^100/s +200 +packets +token-bucket +source +drop +0$", table, re.M), table
    assert re.search(r"^allowed prefixes +2$", scene.daemon.ctl("service", "show", "web").stdout,
                     re.M)


def test_a_service_without_limits(scene):
    assert scene.daemon.ctl("limit", "list", "web").stdout == "no limits\n"
    assert scene.daemon.get("/v1/limits/web") == {"service": "web", "limits": [], "sources": [],
                                                  "more": 0}


def test_the_list_counts_what_was_sent(scene):
    before = limits(scene)["metered", 1]["stats"]
    send(scene, scene.client, METERED, 3 * BURST)
    row = limits(scene)["metered", 1]
    grown = {name: row["stats"][name] - before[name] for name in before}
    assert grown["gate"] + grown["bucket"] + grown["refused"] == 3 * BURST
    assert min(grown["gate"], grown["bucket"], grown["refused"]) > 0, grown
    assert row["sources"] >= 1 and row["stats"]["inserted"] >= 1
    assert row["stats"]["evicted"] == row["stats"]["inserted"] - row["sources"]
    assert limits(scene)["metered", 2]["sources"] is None

    lines = scene.daemon.ctl("limit", "list").stdout.splitlines()
    assert lines[0].split() == ["SERVICE", "#", "LIMIT", "BURST", "COUNT", "ALGORITHM", "PER",
                                "ACTION"]
    assert lines[1].split() == ["metered", "1", "100/s", "200", "packets", "token-bucket",
                                "source", "drop"]
    assert lines[2].split()[-3:] == ["drop", "(dry", "run)"]
    assert lines[3].split()[:4] == ["slow", "1", "5/h", "-"]
    stats = row["stats"]
    assert ["metered", "1", str(row["sources"]), str(stats["gate"]), str(stats["bucket"]),
            str(stats["refused"]), "0", "0", str(stats["evicted"])] in map(str.split, lines)
    scene.daemon.ctl("limit", "reset", scene.client.ipv4)


# ---- sources -----------------------------------------------------------------
def test_a_source_over_its_limit_is_shown(scene, over):
    begun = time.time()
    row = sources(scene)["metered", 1, over.ipv4]
    assert row == {**row, "state": "over", "limit": BURST, "rate": "100/s", "count": "packets",
                   "dry_run": False}
    # It goes on refilling: 100 a second.
    assert 0 <= row["remaining"] < BURST and 0 < row["resets_in_ms"] <= 2000
    assert abs((BURST - row["remaining"]) * 10 - row["resets_in_ms"]) <= 10
    assert row["refused"] > BURST
    since = calendar.timegm(time.strptime(row["since"], "%Y-%m-%dT%H:%M:%SZ"))
    assert begun - 15 < since <= begun + 2
    assert abs(begun - since - row["since_s"]) <= 3 and row["last_s"] <= row["since_s"]

    assert sources(scene, "/v1/limits/metered").keys() >= {("metered", 1, over.ipv4)}
    table = scene.daemon.ctl("limit", "list", "metered").stdout
    assert re.search(rf"^{over.ipv4} +1 +100/s +over +\d+ ", table, re.M), table
    assert "sources that have a bucket" in table
    assert re.search(rf"^{over.ipv4} +metered +1 +100/s +over +\d+ +[\d.]+ m?s +{row['refused']} ",
                     scene.daemon.ctl("limit", "top").stdout, re.M)


def test_a_source_recovers_and_the_time_shown_is_true(scene, over):
    row = source(scene, over.ipv4)
    assert row["bucket"] is True
    asked = time.monotonic()
    full = wait.until(lambda: (now := source(scene, over.ipv4))["remaining"] == BURST and now,
                      "the bucket is full again", timeout=5, pause=0.005)
    took = (time.monotonic() - asked) * 1000
    # Full to the unit, which is 10 ms before it is full.
    assert row["resets_in_ms"] - 30 < took < row["resets_in_ms"] + 300
    assert full["resets_in_ms"] <= 10


def test_an_ipv6_source_is_its_prefix(scene):
    send(scene, scene.client, METERED, 3 * BURST, family=6)
    assert sources(scene)["metered", 1, SOURCE6]["state"] == "over"
    by_address, by_prefix = source(scene, ADDRESS6), source(scene, SOURCE6)
    assert by_address["source"] == by_prefix["source"] == SOURCE6
    assert by_address["refused"] == by_prefix["refused"] > 0
    assert source(scene, "2001:db8:c::ffff")["bucket"] is True
    assert source(scene, "2001:db8:d::1")["bucket"] is False
    assert scene.daemon.ctl_json("limit", "reset", SOURCE6) == {"address": "2001:db8:c::",
                                                                 "forgotten": 1}
    assert source(scene, ADDRESS6)["bucket"] is False


def test_a_source_within_its_limit_has_no_bucket(scene):
    assert source(scene, NOBODY) == {
        "source": NOBODY, "service": "metered", "number": 1, "rate": "100/s", "count": "packets",
        # At the least: the gate, which cells share, may have admitted a quarter.
        "dry_run": False, "limit": BURST, "remaining": BURST * 3 // 4,
        "resets_in_ms": BURST / 4 / 100 * 1000,
        "state": "within", "refused": 0, "since": None, "since_s": None, "last_s": None,
        "bucket": False, "exempt": None,
    }
    client = scene.top.clients[1]
    send(scene, client, METERED, 20)
    row = source(scene, client.ipv4)
    assert row["bucket"] is False and row["state"] == "within"
    assert row["remaining"] == BURST * 3 // 4
    assert ("metered", 1, client.ipv4) not in sources(scene, "/v1/limits/metered")


def test_a_limit_for_the_service_and_a_dry_run(scene, over):
    row = sources(scene)["metered", 2, "all"]
    assert row["dry_run"] is True and row["count"] == "bytes" and row["limit"] == 8000
    assert row["refused"] > 0 and row["state"] == "over"
    assert source(scene, NOBODY, number=2)["source"] == "all"
    stats = limits(scene)["metered", 2]["stats"]
    assert stats["refused"] > 0 and stats["inserted"] == stats["evicted"] == 0


def test_an_exempt_source(scene):
    exempt, bound = scene.top.clients[1], scene.client
    before = limits(scene)["slow", 1]["stats"]
    for client in (bound, exempt):
        send(scene, client, SLOW, 12)
    grown = {name: count - before[name] for name, count in limits(scene)["slow", 1]["stats"].items()}
    assert (grown["refused"], grown["exempt"]) == (7, 7)
    assert source(scene, exempt.ipv4, "slow")["exempt"] == exempt.ipv4
    assert source(scene, exempt.ipv4, "slow")["state"] == "exempt"
    row = source(scene, bound.ipv4, "slow")
    assert (row["state"], row["exempt"], row["remaining"], row["refused"]) == ("over", None, 0, 7)
    assert 0 < row["resets_in_ms"] <= 3600_000
    table = scene.daemon.ctl("limit", "show", exempt.ipv4).stdout
    assert re.search(r"^slow .* exempt ", table, re.M), table
    scene.daemon.ctl("limit", "reset", bound.ipv4)


def test_top_is_sorted_by_refusals(scene, over):
    second = scene.top.clients[1]
    send(scene, second, METERED, 2 * BURST)
    rows = scene.daemon.get("/v1/sources")["sources"]
    refused = [row["refused"] for row in rows]
    assert refused == sorted(refused, reverse=True) and len(rows) >= 3
    (first,) = scene.daemon.get("/v1/sources?lines=1")["sources"]
    assert (first["service"], first["source"]) == (rows[0]["service"], rows[0]["source"])
    assert scene.daemon.get("/v1/sources?lines=1")["more"] == len(rows) - 1
    shown = scene.daemon.ctl("limit", "top", "--lines", "1").stdout.splitlines()
    assert len(shown) == 3 and shown[2] == f"... and {len(rows) - 1} more"
    scene.daemon.ctl("limit", "reset", second.ipv4)


# ---- reset -------------------------------------------------------------------
def test_reset_gives_the_whole_burst_back(scene, over):
    send(scene, over, SLOW, 12)
    assert source(scene, over.ipv4, "slow")["remaining"] == 0
    done = scene.daemon.ctl("limit", "reset", over.ipv4, "metered")
    assert done.stdout == "forgot 1 bucket\n"
    assert "1 bucket of 192.0.2.2 forgotten by the operator" in scene.daemon.log
    assert source(scene, over.ipv4)["bucket"] is False
    assert source(scene, over.ipv4, "slow")["bucket"] is True, "of another service"
    assert scene.daemon.ctl("limit", "reset", over.ipv4, "metered").stdout == (
        "no bucket to forget\n")
    assert scene.daemon.ctl("limit", "reset", over.ipv4).stdout == "forgot 1 bucket\n"
    assert source(scene, over.ipv4, "slow") == {
        **source(scene, over.ipv4, "slow"), "bucket": False, "remaining": 5, "refused": 0}
    # And packets go by it.
    before = limits(scene)["slow", 1]["stats"]
    send(scene, over, SLOW, 12)
    after = limits(scene)["slow", 1]["stats"]
    assert (after["bucket"] - before["bucket"], after["refused"] - before["refused"]) == (5, 7)
    assert scene.daemon.ctl_json("limit", "reset", over.ipv4)["forgotten"] == 1


def test_reset_of_all_frees_the_limit_of_a_whole_service(scene, over):
    def total():
        (row,) = [row for (_, _, who), row in sources(scene, "/v1/limits/metered").items()
                  if who == "all"]
        return row

    used = total()
    assert used["remaining"] < used["limit"] and used["state"] == "over" and used["refused"] > 0
    scene.daemon.ctl("limit", "reset", over.ipv4, "metered")
    assert total()["state"] == "over", "what all share is not one client's"
    send(scene, over, METERED, 3 * BURST)

    assert scene.daemon.ctl("limit", "reset", "all", "slow").stdout == "no bucket to forget\n"
    assert scene.daemon.ctl("limit", "reset", "all", "metered").stdout == "forgot 1 bucket\n"
    assert "1 bucket of all sources forgotten by the operator" in scene.daemon.log
    assert total() == {**total(), "remaining": used["limit"], "state": "within", "refused": 0,
                       "since": None}
    assert source(scene, over.ipv4)["bucket"] is True, "a source's own stays"
    assert scene.daemon.ctl_json("limit", "reset", "all") == {"address": "all", "forgotten": 0}

    # And packets go by it: so many of the datagrams, which are frames of 106 bytes.
    before = limits(scene)["metered", 2]["stats"]
    scene.daemon.ctl("limit", "reset", over.ipv4, "metered")
    send(scene, over, METERED, 60)
    after = limits(scene)["metered", 2]["stats"]
    assert (after["bucket"] - before["bucket"], after["refused"] - before["refused"]) == (60, 0)


def test_another_rate_keeps_what_is_owed_and_reset_forgets_that_too(scene, over):
    with open(scene.daemon.config_path, encoding="utf-8") as file:
        good = file.read()
    before = limits(scene)["metered", 1]
    try:
        scene.daemon.write(good.replace('"100/s"', '"10/s"'))
        scene.daemon.reload()
        row = source(scene, over.ipv4)
        # It has sent nothing since: this is what the old bucket will hand on.
        assert row["rate"] == "10/s" and row["bucket"] is True and row["refused"] > 0
        assert row["remaining"] < BURST and row["resets_in_ms"] > 2000
        after = limits(scene)["metered", 1]
        assert after["stats"] == before["stats"], "one limit through all generations"
        assert after["sources"] == 0
        assert scene.daemon.ctl_json("limit", "reset", over.ipv4)["forgotten"] == 1
        assert source(scene, over.ipv4)["bucket"] is False
        send(scene, over, METERED, 3 * BURST)
        row = source(scene, over.ipv4)
        assert row["bucket"] is True and limits(scene)["metered", 1]["sources"] == 1
    finally:
        scene.daemon.write(good)
        scene.daemon.reload()


# ---- watching ----------------------------------------------------------------
def watch(scene, *args, **options):
    return scene.top.balancer.popen(
        [daemon.SLUICECTL, "--socket", scene.daemon.socket_path, "limit", "top", *args], **options)


def test_watch_into_a_pipe_shows_one_after_the_other(scene, over):
    process = watch(scene, "--watch", "100ms", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True)
    lines, blocks = [], 0
    while blocks < 3:
        lines.append(process.stdout.readline())
        blocks += lines[-1] == "\n"
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=10)
    assert process.returncode == 0 and not errors
    text = "".join(lines) + rest
    assert "\033" not in text
    for block in text.split("\n\n")[:3]:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nSOURCE ", block), block
        assert over.ipv4 in block


def test_watch_as_json(scene, over):
    process = watch(scene, "--watch=100ms", "--json", stdout=subprocess.PIPE, text=True)
    text = ""
    while text.count("\n}\n") < 2:
        text += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    first, _ = json.JSONDecoder().raw_decode(text)
    assert any(row["source"] == over.ipv4 for row in first["sources"])


def test_watch_on_a_terminal_stays_in_one_place(scene, over):
    ours, theirs = pty.openpty()
    try:
        subprocess.run(["stty", "rows", "6", "cols", "200"], stdin=theirs, check=True)
        process = watch(scene, "--watch", "100ms", stdin=theirs, stdout=theirs,
                        stderr=subprocess.PIPE)
        text = ""
        deadline = time.monotonic() + 10
        while text.count("\033[H\033[2J") < 4 and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                text += os.read(ours, 65536).decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0 and not process.stderr.read()
    finally:
        os.close(ours)
        os.close(theirs)
    pictures = text.split("\033[H\033[2J")[1:-1]
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.count("\n") < 6, "it fits the window"
        assert over.ipv4 in picture or "... and" in picture


def test_watch_ends_with_the_daemon(lab):
    made = daemon.Daemon(lab.namespace("lb"), {"interfaces": [], "services": []}).start()
    process = made.ns.popen(
        [daemon.SLUICECTL, "--socket", made.socket_path, "limit", "top", "--watch=100ms"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "Z\n" in process.stdout.readline()
    assert made.stop() == 0
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 1 and "is it running?" in errors


# ---- denying -----------------------------------------------------------------
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
    assert lines[0].split() == ["PREFIX", "ENDS", "IN"]
    assert [line.split()[0] for line in lines[1:5]] == [
        "198.51.100.0/24", "203.0.113.0/24", "203.0.113.9", "2001:db8:1234::/48"]
    assert re.search(r" (10m 0s|9m \d+s)$", lines[1]) and lines[2].endswith(" -")
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


# ---- refusals ----------------------------------------------------------------
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
    (["deny", "add", "192.0.2.7/24"], "did you mean 192.0.2.0/24?"),
    (["deny", "add", "0.0.0.0/0"], "everybody"),
    (["deny", "add", "192.0.2.0/24", "--for", "soon"], "from 1s to 720h"),
    (["deny", "add", "\xff"], "is not a prefix"),
    (["deny", "remove", "203.0.113.0/24"], "not denied at run time; these are: none"),
    (["deny", "list", "--lines", "0"], "from 1 to 1000"),
    (["limit", "show", "web"], '"web"'),
    (["limit", "reset", "slow"], '"slow"'),
    (["limit", "reset", "192.0.2.2", "nosuch"], "web, metered, slow"),
    (["limit", "list", "nosuch"], "web, metered, slow"),
    (["limit", "top", "--lines", "5000"], "from 1 to 1000"),
    (["limit", "top", "--watch", "--lines", "x"], "from 1 to 1000"),
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
    ["limit", "list"], ["limit", "list", "x"], ["limit", "top"], ["limit", "show", "x"],
    ["limit", "reset", "x"], ["deny", "list"], ["deny", "add", "x"], ["deny", "remove", "x"],
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


# ---- many --------------------------------------------------------------------
def test_many_sources_are_bounded_and_counted(lab):
    """More sources than buckets: some are pushed out, which is counted; no answer
    has more rows than it may, and the most refused are among them.
    """
    def config(top, forward):
        made = configuration(top, web(top, forward), service(
            "busy", top.backends[:1], METERED, forward, proto="udp", check=NO_CHECK,
            limit={"rate": "1/h", "algorithm": "fixed-window"}))
        return {**made, "limiter": {"buckets": 4096, "gate": 1024}}

    scene = serve(lab, config=config, backends=1)
    scene.daemon.wait_serving("busy", 2)
    flood = Flood(scene.top).expect()
    flood.send("udp", 4, METERED, 20000, 20000)
    send(scene, scene.client, METERED, 50)
    row = limits(scene)["busy", 1]
    stats = row["stats"]
    assert stats["inserted"] + stats["pressure"] >= 20001 and 1000 < row["sources"] <= 4096
    assert stats["evicted"] == stats["inserted"] - row["sources"] > 10000
    answer = scene.daemon.get("/v1/limits/busy")
    assert len(answer["sources"]) == 1000 and answer["more"] == row["sources"] - 1000
    first = answer["sources"][0]
    assert (first["source"], first["refused"]) == (scene.client.ipv4, 49)
    lines = scene.daemon.ctl("limit", "list", "busy").stdout.splitlines()
    assert lines[-1] == f"... and {row['sources'] - 50} more"
    assert len(lines) < 70

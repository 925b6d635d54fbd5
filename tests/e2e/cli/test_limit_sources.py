# SPDX-License-Identifier: BSD-2-Clause
"""What the operator sees of limits and their sources, and resets: `sluicectl limit` and its
routes.
"""

import calendar
import re
import time

import pytest

from lab import wait
from lab.traffic import Flood
from scenario import NO_CHECK, configuration, serve, service, web
from scenario_metered import (  # over, scene: fixtures
    BURST, METERED, SLOW, limits, over, scene, send, source, sources,
)

NOBODY = "192.0.2.77"  # an address that sends nothing
ADDRESS6 = "2001:db8:c::2"  # of the first client
SOURCE6 = "2001:db8:c::/64"


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


@pytest.mark.alone("the time that is shown")
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

    # And packets go by it: the admitted datagrams are frames of 106 bytes.
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

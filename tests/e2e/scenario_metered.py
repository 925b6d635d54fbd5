# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of limits and denials share: services that are limited, what the API shows of
them, and a client that is over.

A source is over its limit because a client has really sent too much; what is shown is
compared with the program's own counters.
"""

import pytest

from lab import wait
from lab.netns import Lab
from lab.servers import udp_socket
from scenario import NO_CHECK, all_serving, configuration, serve, service, web

METERED, SLOW, BURST = 9000, 9001, 200


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
    """Sends datagrams to a service, as fast as they go; how many the program has
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

# SPDX-License-Identifier: BSD-2-Clause
"""A source that is over its limit is no concern of others: what it is held to itself
is in test_limit_exact.py.
"""

import pytest

from lab import clients, pace, wait
from lab.netns import Lab
from lab.packets import UDP, Capture, IP
from lab.servers import udp_socket
from scenario import NO_CHECK, all_serving, configuration, serve, service, web
from scenario_limit import CPUS

pytestmark = pytest.mark.alone("it sends at a pace, and a burst that must arrive whole")

RATE, BURST, PORT = 2000, 500, 9000


@pytest.fixture(scope="module")
def scene():
    def config(top, forward):
        return configuration(
            top,
            web(top, forward),
            service("metered", top.backends[:1], PORT, forward, proto="udp", check=NO_CHECK,
                    limit={"rate": f"{RATE}/s", "burst": BURST}),
        )

    with Lab() as lab:
        ready = all_serving(serve(lab, config=config, clients=2, backends=2))
        ready.daemon.wait_serving("metered", 2)
        yield ready


def test_one_source_over_its_limit_is_no_concern_of_another(scene):
    """Another client, another service: all as before; the same client elsewhere, too."""
    address = scene.top.service(4)
    flooder, other = scene.top.clients
    backend = scene.top.backends[0]
    with Capture(backend.ns, backend.device) as capture, \
            udp_socket(other.ns, 4) as mine, clients.Load(other, address) as load, \
            clients.Load(flooder, address) as same:
        def dropped():
            return scene.daemon.service_stats("metered")["dropped_packets"]

        flood = pace.Pace(flooder, address, PORT, 5 * RATE, 3, [flooder.ipv4], cpus=CPUS)
        before = dropped()
        wait.until(lambda: dropped() > before + 1000, "the flood is cut")
        for number in range(BURST):
            mine.sendto(b"%d" % number, (address, PORT))
        wait.until(lambda: len(load.requests) > 200 and len(same.requests) > 200, "requests go on")
        arrived = wait.until(
            lambda: [p for p in capture.packets(
                lambda p: IP in p and UDP in p and p[IP].src == other.ipv4)][BURST - 1:] or None,
            "a whole burst of the other client arrives")
        assert arrived
    flood.finish()
    assert not load.failed() and not same.failed()


def test_the_limit_is_in_what_the_service_shows(scene):
    (shown,) = scene.daemon.service("metered")["limits"]
    assert shown == {
        "rate": f"{RATE}/s", "burst": BURST, "count": "packets", "algorithm": "token-bucket",
        "per": "source", "prefix_v4": 32, "prefix_v6": 64, "action": "drop", "dry_run": False,
        "under_pressure": "admit", "exempt": 0}
    assert scene.daemon.service("web")["limits"] == []

# SPDX-License-Identifier: BSD-2-Clause
"""Services of a group pin a client to one server; and source-hash does so by itself."""

from lab import clients
from scenario import NO_CHECK, all_serving, configuration, serve, service, web

FAMILIES = (4, 6)


def both(**more):
    """web: 80 to 8080, other: 81 to 80, on the same servers."""
    def make(top, forward):
        return configuration(top, web(top, forward, check=NO_CHECK, **more),
                             service("other", top.backends, 81, forward, backend_port=80,
                                     check=NO_CHECK, **more))
    return make


def ask(scene, client, family, port):
    return clients.ask(scene.top.clients[client], scene.top.service(family), port=port)


def test_a_group_shares_the_pin_of_a_client(lab):
    """Round-robin gives the second client another server than the first turn of the other
    service would."""
    made = both(scheduler="round-robin", affinity={"timeout": "5m", "group": "shop"})
    scene = all_serving(serve(lab, config=made, clients=2, options=["--keep"]))
    mine = {(client, family): ask(scene, client, family, 80)
            for family in FAMILIES for client in (0, 1)}
    for family in FAMILIES:
        assert mine[0, family] != mine[1, family]
        for client in (1, 0, 1):
            assert ask(scene, client, family, 81) == mine[client, family]
            assert ask(scene, client, family, 80) == mine[client, family]
    assert "shop" in scene.daemon.ctl("service", "show", "web").stdout
    assert scene.daemon.service("web")["affinity"]["group"] == "shop"

    # The next daemon knows the pins, and which backends are one server.
    assert scene.daemon.stop() == 0
    scene.daemon.start()
    for (client, family), server in mine.items():
        assert ask(scene, client, family, 81) == server == ask(scene, client, family, 80)

    # A server that the other service has not, or that takes nothing new there: it chooses,
    # and both follow.
    for family, suffix in ((4, ""), (6, "-v6")):
        gone = mine[1, family] + suffix
        (scene.daemon.drain if family == 4 else scene.daemon.remove)("other", gone)
        chosen = ask(scene, 1, family, 81)
        assert chosen != mine[1, family]
        assert ask(scene, 1, family, 80) == chosen == ask(scene, 1, family, 81)
        assert ask(scene, 0, family, 81) == mine[0, family]


def test_without_a_group_each_service_pins_for_itself(lab):
    scene = all_serving(serve(lab, clients=2, config=both(
        scheduler="round-robin", affinity={"timeout": "5m"})))
    first, second = (ask(scene, client, 4, 80) for client in (0, 1))
    assert ask(scene, 1, 4, 81) == first != second


def test_source_hash_chooses_alike(lab):
    scene = all_serving(serve(lab, clients=6, config=both(scheduler="source-hash")))
    for family in FAMILIES:
        servers = [ask(scene, client, family, 80) for client in range(6)]
        assert [ask(scene, client, family, 81) for client in range(6)] == servers

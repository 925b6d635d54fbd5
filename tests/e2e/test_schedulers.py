# SPDX-License-Identifier: BSD-2-Clause
"""Whom new connections go to: each scheduler, weighted, and affinity.

One daemon for all; each test reloads it with the scheduler that it is about.
"""

import collections
import math
import os

import pytest

from lab import wait
from lab.netns import Lab
from lab.traffic import ask_echo, rest
from scenario import NO_CHECK, configuration
from scenario_talk import ADDRESS, FAMILIES, FULL, PORT, SHORT, flood_of, talk_scene, talk_service

WEIGHTS = (1, 2, 3, 4)
DELAYS_MS = (40, 80, 160, 120)  # how long a server takes for a request
NAMES = ("web-1", "web-2", "web-3", "web-4")
MORE_CLIENTS = 40  # addresses of the client's host


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = talk_scene(lab, flows=SHORT, udp=False, check=NO_CHECK, delays=DELAYS_MS)
        made.sources = {4: [f"192.0.2.{i}" for i in range(100, 100 + MORE_CLIENTS)],
                        6: [f"2001:db8:c::1:{i:x}" for i in range(100, 100 + MORE_CLIENTS)]}
        made.client.ns.ip(
            *(f"address add {source}/24 dev eth0" for source in made.sources[4]),
            *(f"address add {source}/64 dev eth0 nodad" for source in made.sources[6]))
        made.flood = flood_of(made)
        yield made


def use(scene, weights=(1, 1, 1, 1), **more):
    """Reloads with another service; all backends serve."""
    config = configuration(scene.top, talk_service(
        scene, scene.top.backends, check=NO_CHECK, weights=weights, **more))
    config["flows"] = SHORT
    scene.daemon.write(config)
    scene.daemon.reload()
    scene.daemon.wait_serving("talk", 8)


def wait_ended(scene):
    """Until nothing is left of what earlier tests and their floods have begun."""
    wait.until(lambda: scene.flows()["tracked"] == 0, lambda: f"all ended: {scene.flows()}",
               timeout=15)


def connections(scene, family=4):
    """{number: connections that the program has counted}, of IPv4 or IPv6."""
    suffix = "" if family == 4 else "-v6"
    return {number: scene.daemon.backend_stats("talk", name + suffix)["connections"]
            for number, name in enumerate(NAMES, 1)}


def grown(before, after):
    return {number: after[number] - before[number] for number in after}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("weights", ((1, 1, 1, 1), WEIGHTS, (200, 100, 100, 300)))
def test_round_robin_is_exact(scene, family, weights, figure):
    use(scene, weights, scheduler="round-robin")
    turns = [weight // (100 if weights[0] == 200 else 1) for weight in weights]
    rounds = 10
    with scene.talk(family, rounds * sum(turns), how="hold") as talk:
        counts = talk.wait_talking().talking
    figure(f"round-robin, IPv{family}, weights {weights}: {counts}")
    assert counts == {number: rounds * turn for number, turn in enumerate(turns, 1)}


@pytest.mark.alone("a flood, most of which must arrive")
@pytest.mark.skipif(os.cpu_count() < 2, reason="needs two CPUs")
def test_round_robin_is_exact_on_several_cpus(scene, figure):
    use(scene, WEIGHTS, scheduler="round-robin")
    before = connections(scene)
    cpus = sorted(os.sched_getaffinity(0))[:2]
    sent = scene.flood.send_on_cpus(cpus, "syn", PORT, 100_000, rate=100_000)
    counts = grown(before, connections(scene))
    total = sum(counts.values())
    figure(f"round-robin on {len(cpus)} CPUs: {total} connections: {counts}")
    assert total > 0.8 * sent
    for number, weight in enumerate(WEIGHTS, 1):
        # A round that is not over yet; each SYN takes one turn.
        assert abs(counts[number] - total * weight / sum(WEIGHTS)) <= weight


@pytest.mark.alone("how long requests take")
@pytest.mark.parametrize("weights", ((1, 1, 1, 1), (1, 1, 2, 4)))
def test_least_connections_evens_out_unequal_request_times(scene, weights, figure):
    """Requests of 40 to 160 ms, 64 at a time: what is equal for the weight is not how
    many a server gets, but how many it has.
    """
    use(scene, weights, scheduler="least-connections")
    wait_ended(scene)
    with scene.talk(4, 64, how="churn", interval_ms=0) as talk:
        rest(1)
        first = talk.ask()
        rest(6 if FULL else 4)
        last = talk.ask()
        assert not last.troubles
    spent = {number: last.spent[number] - first.spent[number] for number in last.spent}
    served = {number: last.finished[number] - first.finished[number] for number in last.spent}
    total = sum(spent.values())
    shares = {number: spent[number] / total for number in sorted(spent)}
    off = {number: shares[number] / (weight / sum(weights)) - 1
           for number, weight in enumerate(weights, 1)}
    figure(f"least-connections, weights {weights}: requests served "
           f"{dict(sorted(served.items()))}; live connections are off by "
           + ", ".join(f"{value:+.1%}" for value in off.values()))
    assert all(abs(value) <= 0.05 for value in off.values())
    assert served[1] > 2 * served[3] * weights[0] / weights[2]


@pytest.mark.alone("counts that hold for two seconds")
def test_live_counts_are_honest(scene):
    """Opened by what begins, closed by what ends; the walk corrects the rest."""
    use(scene, scheduler="least-connections")

    def live():
        return {number: scene.daemon.backend("talk", name)["live"]
                for number, name in enumerate(NAMES, 1)}

    wait_ended(scene)
    assert sum(live().values()) == 0
    with scene.talk(4, 40, interval_ms=200) as talk:
        talk.wait_talking()
        assert live() == dict.fromkeys(range(1, 5), 10)
        # SYNs that nobody follows up count, until they have been idle.
        scene.flood.send("syn", 4, PORT, 400, rate=10_000)
        assert sum(live().values()) == 440
        wait.until(lambda: live() == dict.fromkeys(range(1, 5), 10),
                   lambda: f"ten live connections each: {live()}", timeout=15)
        talk.ask("close 2")
        wait.until(lambda: live() == {1: 10, 2: 0, 3: 10, 4: 10},
                   lambda: f"none on web-2: {live()}")
        assert not talk.ask().troubles


@pytest.mark.parametrize("family", FAMILIES)
def test_source_hash_keeps_a_client_with_its_backend(scene, family):
    use(scene, scheduler="source-hash")
    rounds = [ask_echo(scene.client, family, PORT, scene.sources[family]) for _ in range(3)]
    assert rounds[0] == rounds[1] == rounds[2]
    assert set(rounds[0]) == {1, 2, 3, 4}

    # Another backend's drain moves nobody but its own clients, and they come back.
    scene.for_both(scene.daemon.drain, "web-1", services=("talk",))
    drained = ask_echo(scene.client, family, PORT, scene.sources[family])
    moved = sum(before != after for before, after in zip(rounds[0], drained) if before != 1)
    assert 1 not in drained and moved <= 2
    scene.for_both(scene.daemon.enable, "web-1", services=("talk",))
    assert ask_echo(scene.client, family, PORT, scene.sources[family]) == rounds[0]


@pytest.mark.parametrize("weights", ((1, 1, 1, 1), WEIGHTS))
def test_random_two_choices_are_roughly_even(scene, weights, figure):
    use(scene, weights, scheduler="random")
    wait_ended(scene)
    with scene.talk(4, 400, how="hold") as talk:
        counts = talk.wait_talking().talking
    figure(f"random, weights {weights}: {dict(sorted(counts.items()))}")
    for number, weight in enumerate(weights, 1):
        assert abs(counts[number] / (400 * weight / sum(weights)) - 1) <= 0.15, counts


@pytest.mark.alone("a timeout of two seconds")
def test_affinity_holds_for_its_timeout(scene):
    """Under round-robin, which would else send each connection elsewhere."""
    def ask(first, last):
        """{family: servers of these addresses}"""
        return {family: ask_echo(scene.client, family, PORT, scene.sources[family][first:last])
                for family in FAMILIES}

    use(scene, scheduler="round-robin", affinity={"timeout": "2s"})
    mine = ask(0, 4)
    assert all(sorted(servers) == [1, 2, 3, 4] for servers in mine.values())
    for _ in range(3):
        rest(1)  # each connection begins the time anew
        assert ask(0, 4) == mine
    for family in FAMILIES:
        source = scene.sources[family][0]
        assert ask_echo(scene.client, family, PORT, [source] * 5) == [mine[family][0]] * 5

    # It ends: another turn for each. Time is told in units of 1.07 s, rounded up.
    rest(2 + 2 * 1.08)
    first = ask(0, 1)
    assert ask(0, 1) == first
    others = ask(1, 4)
    assert all(sorted(first[family] + others[family]) == [1, 2, 3, 4] for family in FAMILIES)

    # A backend that takes no new connections loses its clients to another.
    for family, suffix in ((4, ""), (6, "-v6")):
        scene.daemon.drain("talk", NAMES[first[family][0] - 1] + suffix)
    again = ask(0, 1)
    assert all(again[family] != first[family] for family in FAMILIES)
    assert ask(0, 1) == ask(0, 1) == again
    for family, suffix in ((4, ""), (6, "-v6")):
        scene.daemon.enable("talk", NAMES[first[family][0] - 1] + suffix)
    assert ask(0, 1) == again


@pytest.mark.parametrize("family, prefix", ((4, "prefix_v4"), (6, "prefix_v6")))
def test_affinity_of_a_prefix(scene, family, prefix):
    use(scene, scheduler="round-robin",
        affinity={"timeout": "10s", prefix: 24 if family == 4 else 64})
    assert len(set(ask_echo(scene.client, family, PORT, scene.sources[family][:12]))) == 1


@pytest.mark.alone("a flood, most of which must arrive")
@pytest.mark.parametrize("family", FAMILIES)
def test_maglev_keeps_weights_for_a_million_flows(scene, family, figure):
    use(scene, WEIGHTS, scheduler="maglev")
    # Until then packets of older connections, as these look, are those of the table before.
    wait.until(lambda: not scene.maps.services()[ADDRESS[family], PORT, 6].tracking, "it settles")
    table = scene.maps.tables()[ADDRESS[family], PORT, 6]
    slots = collections.Counter(table)
    assert len(table) == 65537
    suffix = "" if family == 4 else "-v6"

    def packets():
        return {number: scene.daemon.backend_stats("talk", name + suffix)["packets"]
                for number, name in enumerate(NAMES, 1)}

    before = packets()
    flows = 1_000_000 if FULL or family == 4 else 200_000
    sent, seconds = scene.flood.send("ack", family, PORT, flows)
    counts = grown(before, packets())
    total = sum(counts.values())
    assert total > 0.5 * sent
    off, allowed = {}, {}
    for number, (host, weight) in enumerate(zip(scene.top.backends, WEIGHTS), 1):
        address = host.address(family)
        end = f"[{address}]" if family == 6 else address
        share = weight / sum(WEIGHTS)
        off[number] = counts[number] / total / share - 1
        assert abs(slots[f"{end}:{scene.backend_port}"] / len(table) / share - 1) <= 0.01
        # The flows are a sample of it: three times what one is off by.
        allowed[number] = 0.01 + 3 * math.sqrt((1 - share) / share / total)
    figure(f"maglev, IPv{family}, weights {WEIGHTS}: {total} flows in {seconds:.1f} s, off by "
           + ", ".join(f"{value:+.2%}" for value in off.values()))
    assert all(abs(off[number]) <= allowed[number] for number in off), counts

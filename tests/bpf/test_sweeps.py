# SPDX-License-Identifier: BSD-2-Clause
"""Whole families of packets: every cut, every padding. Random packets: test_oracle.py."""

import pytest

import cases_ipip
from case import no_setup
from cases import GOOD
from cases_good import padding
from frames import (
    LIMITED, REFUSING_TCP, REFUSING_UDP, REJECTING_TCP, REJECTING_UDP, SERVICE, answer, request,
    service,
)
from lab.testrun import Action

SHORTEST = 14  # BPF_PROG_TEST_RUN takes no frame shorter than an Ethernet header

PADDED = {case.id for case in (*padding(), *cases_ipip.padding())}

# Those whose frame is the datagram and nothing behind, and which leave no state.
PLAIN = [case for case in GOOD
         if case.id not in PADDED and "limit" not in case.id and case.setup is no_setup]
IDS = [case.id for case in PLAIN]


@pytest.mark.parametrize("case", PLAIN, ids=IDS)
def test_cut_at_every_length_it_never_leaves(datapath, case):
    with datapath.device(case.device) as run:
        for length in range(SHORTEST, len(case.frame)):
            action, output = run(case.frame[:length])
            assert action in (Action.PASS, Action.DROP), f"cut to {length} bytes: {action.name}"
            if action == Action.PASS:
                assert output == case.frame[:length], f"cut to {length} bytes and changed"


# A refusal is a frame of its own: of the padding nothing comes back.
KEPT = [case for case in PLAIN if not case.verdict.startswith("REJECTED")]


@pytest.mark.parametrize("case", KEPT, ids=[case.id for case in KEPT])
def test_padding_of_every_length_is_kept(datapath, case):
    with datapath.device(case.device) as run:
        for length in (*range(1, 65), 200):
            if max(len(case.frame), len(case.expected)) + length > case.longest:
                break
            tail = bytes(range(length))
            action, output = run(case.frame + tail)
            assert action.name == case.action, f"{length} bytes of padding"
            assert output == case.expected + tail, f"{length} bytes of padding"


@pytest.mark.parametrize("family", (4, 6))
def test_counters_of_service_and_backend_follow(datapath, family):
    """Packets, bytes as they arrived, connections by SYN, answers, drops."""
    svc = service("nat", "tcp")
    syn = request(svc, family, l4={"flags": "S"}, payload=b"")
    data = request(svc, family, payload=b"x" * 100)
    back = answer(svc, family, payload=b"y" * 300)
    expired = request(svc, family, ttl=1)

    service_before = datapath.daemon.service_stats(svc.name)
    backend_before = datapath.daemon.backend_stats(svc.name, f"ipv{family}")
    for one, device in ((syn, "front"), (data, "front"), (back, "back"), (expired, "front")):
        datapath.run(one, device)

    grown = {"packets": 2, "bytes": len(syn) + len(data), "connections": 1,
             "reply_packets": 1, "reply_bytes": len(back)}
    service_after = datapath.daemon.service_stats(svc.name)
    backend_after = datapath.daemon.backend_stats(svc.name, f"ipv{family}")
    for key, amount in grown.items():
        assert service_after[key] - service_before[key] == amount, key
        assert backend_after[key] - backend_before[key] == amount, key
    assert service_after["dropped_packets"] - service_before["dropped_packets"] == 1
    assert service_after["dropped_bytes"] - service_before["dropped_bytes"] == len(expired)


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("svc, source, sent", (
    (REFUSING_TCP, None, {"l4": {"flags": "S"}}), (REFUSING_UDP, None, {}),
    (REJECTING_TCP, 201, {"l4": {"flags": "S"}}), (REJECTING_UDP, 201, {}),
    (service("ipip", "tcp"), None, {"payload": b"x" * 1460}),
    (service("ipip", "udp"), None, {"payload": b"x" * 1460}),
), ids=lambda value: getattr(value, "name", None))
def test_a_service_counts_what_it_refuses(datapath, svc, source, sent, family):
    """No backend can serve, over a limit, no room for the outer header; no other
    counter of the service grows, nor one of any other service.
    """
    def stats():
        return {(row["name"], row["address"]): row for row in
                datapath.daemon.get("/v1/stats")["services"]}

    if source:
        source = f"192.0.2.{source}" if family == 4 else f"2001:db8:c:{source}::1"
        datapath.run(request(svc, family, source=source, **sent), "front")  # within the limit
    before = stats()
    action, _ = datapath.run(request(svc, family, source=source, **sent), "front")
    after = stats()
    assert action == Action.TX
    counted = (svc.name, SERVICE[family])
    before[counted]["refused_packets"] += 1
    assert after == before


def test_a_burst_is_admitted_and_no_more(datapath):
    """The limit of this service is one packet an hour: of a hundred, one."""
    actions = [datapath.run(request(LIMITED, 4, source="192.0.2.200"), "front")[0]
               for _ in range(100)]
    assert actions.count(Action.REDIRECT) == 1
    assert actions.count(Action.DROP) == 99

# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are exchanged with a nat backend itself (bpf/direct.h): none of them is taken
for a reply of the service, and none that a stranger sends takes a reply away from it.
"""

import itertools
import os
import random
import struct

import pytest

import frames
from case import ETH, FAMILIES, NAT_TCP, NAT_UDP, service, transport_offset
from frames import (
    BACK_LINK, CLIENT, CLIENT_MAC, FRONT_LINK, FRONT_MAC, TRACKED, VLAN_LINK, answer, frame, request,
    returned,
)
from lab import wait
from lab.testrun import Action

# Packets of strangers in the floods below: a million, if that is asked for.
SPOOFED = int(os.environ.get("SLUICE_SPOOFED", "6000"))
CLIENTS = min(1000, SPOOFED // 50)

PORTS = itertools.count(20000)  # every test has ends of its own
ACK, PUSH, SYN, SYN_ACK, RST_ACK, FIN_ACK = "A", "PA", "S", "SA", "RA", "FA"


class Ends:
    """A client and a backend, and what they send one another."""

    def __init__(self, datapath, svc, family, port=None):
        self.datapath, self.svc, self.family = datapath, svc, family
        self.port = port or next(PORTS)
        self.before = None

    def asks(self, flags=None, seq=0, ack=0, payload=b""):
        """The client sends to the backend itself. Nothing is done to the packet."""
        backend = self.svc.link.backend[self.family]
        data = frame((FRONT_MAC, CLIENT_MAC),
                     (CLIENT[self.family], self.port, backend, self.svc.backend_port),
                     self.svc.proto, payload=payload, l4=tcp(self.svc, flags, seq, ack))
        assert self.datapath.run(data, "front") == (Action.PASS, data)

    def is_answered(self, flags=None, seq=0, ack=0, payload=b""):
        """By the backend itself."""
        data, action, output = self.answers(flags, seq, ack, payload)
        assert (action, output) == (Action.PASS, data)

    def is_served(self, flags=None, seq=0, ack=0, payload=b""):
        """By the service."""
        _, action, output = self.answers(flags, seq, ack, payload)
        assert action == Action.REDIRECT
        assert output == returned(self.svc, self.family, cport=self.port, payload=payload,
                                  l4=tcp(self.svc, flags, seq, ack))

    def answers(self, flags, seq, ack, payload):
        data = answer(self.svc, self.family, cport=self.port, payload=payload,
                      l4=tcp(self.svc, flags, seq, ack))
        return data, *self.datapath.run(data, self.svc.link.device)

    def uses_service(self):
        data = request(self.svc, self.family, sport=self.port, payload=b"question")
        assert self.datapath.run(data, "front")[0] == Action.REDIRECT

    def connects(self, client=1000, server=5000):
        """To the backend itself."""
        self.asks(SYN, client)
        self.is_answered(SYN_ACK, server, client + 1)
        self.asks(ACK, client + 1, server + 1)
        self.asks(PUSH, client + 1, server + 1, b"GET /")
        self.is_answered(ACK, server + 1, client + 6)
        self.is_answered(PUSH, server + 1, client + 6, b"hello")


def tcp(svc, flags, seq, ack):
    return {"flags": flags, "seq": seq, "ack": ack} if svc.proto == "tcp" else {}


@pytest.fixture(name="tcp_ends", params=FAMILIES, ids=lambda family: f"IPv{family}")
def fixture_tcp_ends(datapath, request):
    return Ends(datapath, NAT_TCP, request.param)


@pytest.fixture(name="udp_ends", params=FAMILIES, ids=lambda family: f"IPv{family}")
def fixture_udp_ends(datapath, request):
    return Ends(datapath, NAT_UDP, request.param)


# ---- TCP ---------------------------------------------------------------------
def test_a_connection_to_a_backend_itself(tcp_ends):
    tcp_ends.connects()
    for seq in range(5006, 1 << 32, 1 << 29):  # far beyond any window
        tcp_ends.is_answered(PUSH, seq, 1006, b"much")
    tcp_ends.is_answered(FIN_ACK, 9000, 1006)


def test_a_backend_that_speaks_first(tcp_ends):
    tcp_ends.asks(SYN, 0xffffffff)
    tcp_ends.is_answered(SYN_ACK, 0xffffffff, 0)
    tcp_ends.asks(ACK, 0, 0)
    tcp_ends.is_answered(PUSH, 0, 0, b"220 ready")
    tcp_ends.is_answered(PUSH, 9, 0, b"more")


def test_a_closed_port_of_a_backend_itself(tcp_ends):
    tcp_ends.asks(SYN, 1000)
    tcp_ends.is_answered(RST_ACK, 0, 1001)


def test_a_repeated_syn_ack(tcp_ends):
    tcp_ends.asks(SYN, 1000)
    tcp_ends.is_answered(SYN_ACK, 5000, 1001)
    tcp_ends.asks(ACK, 1001, 5001)
    tcp_ends.is_answered(SYN_ACK, 5000, 1001)


def test_a_connection_that_is_older_than_what_is_known(tcp_ends):
    tcp_ends.is_served(PUSH, 7000, 3000, b"lost")
    tcp_ends.asks(PUSH, 3000, 7000, b"GET /")
    tcp_ends.is_answered(PUSH, 7300, 3005, b"hello")
    tcp_ends.is_answered(PUSH, 7300 + (1 << 24), 3005, b"hello")


def test_a_connection_that_a_backend_opens(tcp_ends):
    tcp_ends.is_answered(SYN, 100)
    tcp_ends.asks(SYN_ACK, 900, 101)
    tcp_ends.is_answered(ACK, 101, 901)
    tcp_ends.asks(PUSH, 901, 101, b"220 ready")
    tcp_ends.is_answered(PUSH, 101, 910, b"HELO")


def test_nobody_opens_a_connection_in_a_backends_name(datapath):
    ends = Ends(datapath, NAT_TCP, 4)
    data = answer(NAT_TCP, 4, cport=ends.port, payload=b"", l4={"flags": SYN, "seq": 1})
    assert datapath.run(data, "front") == (Action.PASS, data)
    ends.is_served(PUSH, 5001, 1001, b"hello")


def test_other_clients_are_served(tcp_ends):
    tcp_ends.connects()
    other = Ends(tcp_ends.datapath, tcp_ends.svc, tcp_ends.family)
    other.is_served(SYN_ACK, 5000, 1001)
    other.is_served(PUSH, 5001, 1006, b"hello")


@pytest.mark.parametrize("opens", (Ends.connects, lambda ends: ends.is_answered(SYN, 100)),
                         ids=("the client's", "the backend's"))
def test_the_service_takes_the_ends_of_an_older_connection(tcp_ends, opens):
    opens(tcp_ends)
    tcp_ends.uses_service()
    tcp_ends.is_served(SYN_ACK, 80000, 70001)
    tcp_ends.is_served(PUSH, 80001, 70006, b"hello")


def test_a_backend_itself_takes_the_ends_of_a_connection_of_the_service(tcp_ends):
    tcp_ends.is_served(SYN_ACK, 80000, 70001)
    tcp_ends.is_served(PUSH, 80001, 70006, b"hello")
    tcp_ends.connects()


def test_a_strangers_packets_do_not_undo_a_connection(tcp_ends):
    """They come from the client's own address and port, and the backend answers some of them
    by a challenge (RFC 5961).
    """
    tcp_ends.is_served(SYN_ACK, 80000, 70001)
    for flags in (SYN, ACK, PUSH, RST_ACK, FIN_ACK, SYN_ACK):
        tcp_ends.asks(flags, 1000, 80001, b"spoofed")
        tcp_ends.is_served(ACK, 80001, 70001)
        tcp_ends.is_served(PUSH, 80001, 70006, b"hello")
    tcp_ends.is_served(SYN_ACK, 80000, 70001)


def test_a_stranger_cannot_undo_a_connection_to_a_backend_itself(tcp_ends):
    tcp_ends.connects()
    for flags in (SYN, ACK, RST_ACK, FIN_ACK, SYN_ACK):
        tcp_ends.asks(flags, 777, 888)
        tcp_ends.is_answered(PUSH, 5006, 1006, b"hello")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_backend_that_asks_another_one_itself(datapath, family):
    """From its own service's port, so that both ends are backends'."""
    one, other = (service("nat", "tcp", link) for link in (BACK_LINK, FRONT_LINK))

    def sends(sender, receiver, flags, seq, ack):
        data = answer(sender, family, client=receiver.link.backend[family],
                      cport=receiver.backend_port, payload=b"", l4=tcp(sender, flags, seq, ack))
        assert datapath.run(data, sender.link.device) == (Action.PASS, data)

    sends(one, other, SYN, 100, 0)
    sends(other, one, SYN_ACK, 900, 101)
    sends(one, other, ACK, 101, 901)
    sends(other, one, PUSH, 901, 101)
    sends(one, other, PUSH, 101, 901)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_backend_in_a_vlan(datapath, family):
    Ends(datapath, service("nat", "tcp", VLAN_LINK), family).connects()


# ---- UDP ---------------------------------------------------------------------
def test_a_question_to_a_backend_itself(udp_ends):
    udp_ends.is_served(payload=b"before")
    udp_ends.asks(payload=b"question")
    udp_ends.is_answered(payload=b"answer")
    udp_ends.is_answered(payload=b"more of it")


def test_the_service_is_preferred(udp_ends):
    """A client that uses it is served by it, whichever host asks the backend in its name."""
    udp_ends.asks(payload=b"spoofed")
    udp_ends.uses_service()
    udp_ends.is_served(payload=b"answer")
    udp_ends.asks(payload=b"spoofed")
    udp_ends.is_served(payload=b"answer")


def test_a_client_of_the_service_is_not_known_before_somebody_asks(udp_ends):
    """Once one has asked, a client's next packet is."""
    other = Ends(udp_ends.datapath, udp_ends.svc, udp_ends.family)
    other.asks(payload=b"question")
    udp_ends.uses_service()
    udp_ends.asks(payload=b"spoofed")
    udp_ends.is_served(payload=b"answer")
    other.is_answered(payload=b"answer")


def test_a_question_is_forgotten_when_it_is_old(datapath):
    ends = Ends(datapath, NAT_UDP, 4)
    with datapath.reconfigured(flows={"udp_idle": "1s"}):
        ends.asks(payload=b"question")
        ends.is_answered(payload=b"answer")
        wait.until(lambda: ends.answers(None, 0, 0, b"late")[1] == Action.REDIRECT,
                   "the service's address is the source again")


def test_a_question_of_a_backend_where_all_flows_are_tracked(datapath):
    """The first of its packets that the service's flows do not know stays as it is, once the
    service has tracked them long enough.
    """
    for family in FAMILIES:
        client, other = (Ends(datapath, TRACKED, family) for _ in range(2))
        with datapath.reconfigured(flows={"udp_idle": "1s"}):
            wait.until(lambda: other.answers(None, 0, 0, b"question")[1] == Action.PASS,
                       "a backend may ask from its service's port")
        client.uses_service()
        client.is_served(payload=b"answer")
        other.is_answered(payload=b"question")
        client.asks(payload=b"spoofed")
        client.is_served(payload=b"answer")


def test_a_service_that_no_longer_tracks_all_flows(datapath):
    services = frames.configuration()["services"]
    (tracked,) = (svc for svc in services if svc["name"] == TRACKED.name)
    ends = Ends(datapath, TRACKED, 4)
    with datapath.reconfigured(flows={"udp_idle": "1s"}):
        wait.until(lambda: ends.answers(None, 0, 0, b"question")[1] == Action.PASS,
                   "a backend may ask from its service's port")
        tracked["scheduler"] = "maglev"
        with datapath.reconfigured(services=services):
            ends.is_served(payload=b"answer")


# ---- a flood -------------------------------------------------------------------
class Stranger:
    """Sends to a backend in the names of clients, with numbers at random."""

    def __init__(self, svc, family, ports):
        self.family, self.ports, self.random = family, ports, random.Random(11)
        self.tcp = svc.proto == "tcp"
        self.frame = bytearray(frame(
            (FRONT_MAC, CLIENT_MAC),
            (CLIENT[family], 1, svc.link.backend[family], svc.backend_port), svc.proto,
            payload=b""))
        self.at = transport_offset(family)

    def packet(self, number):
        struct.pack_into("!H", self.frame, self.at, self.ports[number % len(self.ports)])
        if number % 2:  # or in that of an address that is nobody's
            last = ETH + (15 if self.family == 4 else 23)
            self.frame[last] = self.random.randrange(100, 200)
        if self.tcp:
            struct.pack_into("!II", self.frame, self.at + 4, self.random.getrandbits(32),
                             self.random.getrandbits(32))
            self.frame[self.at + 13] = self.random.choice((0x02, 0x10, 0x18, 0x11, 0x12, 0x14))
        return bytes(self.frame)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("svc", (NAT_TCP, NAT_UDP), ids=("tcp", "udp"))
def test_a_flood_cuts_nothing(datapath, svc, family):
    clients = [Ends(datapath, svc, family) for _ in range(CLIENTS)]
    for number, ends in enumerate(clients):
        ends.uses_service()
        if svc.proto == "tcp":
            ends.is_served(SYN_ACK, 80000, 70001 + number)
    direct = [Ends(datapath, svc, family) for _ in range(20)] if svc.proto == "tcp" else []
    for ends in direct:
        ends.connects()
    stranger = Stranger(svc, family, [ends.port for ends in (*clients, *direct)])
    with datapath.program.device("front") as run:
        for number in range(SPOOFED // 4):
            assert run(stranger.packet(number))[0] == Action.PASS
    for number, ends in enumerate(clients):
        if svc.proto == "udp":
            ends.uses_service()
        ends.is_served(PUSH, 80001, 70006 + number, b"hello")
    for ends in direct:
        ends.is_answered(PUSH, 5006, 1006, b"hello")

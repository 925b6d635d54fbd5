# SPDX-License-Identifier: BSD-2-Clause
"""The outer source of `ipip`: what varies by flow, how well a card that looks no
deeper spreads the flows by it, and the prefixes of the configuration.
"""

import ipaddress
import struct

import pytest

from case import IPIP_TCP, IPIP_UDP
from frames import BACK_LINK, SERVICE, SOURCE_HASHED, request
from lab.packets import IP, Ether, IPv6
from lab.testrun import Action
from outer import PREFIX, flow_bits, outer_source

FLOWS = 2000
LAYER = {4: IP, 6: IPv6}

# The key that is the default of many drivers (Microsoft's, for verifying RSS).
RSS_KEY = int(
    "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa", 16)
RSS_KEY_BITS = 320


def rss(*addresses):
    """The Toeplitz hash over addresses alone."""
    packed = b"".join(ipaddress.ip_address(address).packed for address in addresses)
    bits = len(packed) * 8
    value, result = int.from_bytes(packed, "big"), 0
    for place in range(bits):
        if value >> (bits - 1 - place) & 1:
            result ^= RSS_KEY >> (RSS_KEY_BITS - 32 - place) & 0xFFFFFFFF
    return result


def client(family, number):
    return (f"203.0.{112 + number // 250}.{number % 250 + 1}" if family == 4
            else f"2001:db8:f:{number:x}::9")


def outer(run, svc, family, source, sport, payload=b"x"):
    action, output = run(request(svc, family, source=source, sport=sport, payload=payload))
    assert action == Action.REDIRECT
    packet = Ether(output)[LAYER[family]]
    assert packet.dst == BACK_LINK.backend[family]
    return packet


# In a frame without tags, by family: where the header's source begins and ends.
IP_SOURCE = {4: (26, 30), 6: (22, 38)}
IP_LENGTH = {4: 20, 6: 40}


class Flows:
    """Frames of many flows to a service, and what the program puts around each. Scapy builds
    the first one; the others have another source and port in it, and no new checksums, since
    the program reads none. (Scapy takes 4 ms for a flow.)
    """

    def __init__(self, run, svc, family):
        self.run, self.family = run, family
        self.frame = bytearray(request(svc, family, payload=b"x"))
        self.begin, self.end = IP_SOURCE[family]

    def outer(self, source, sport):
        """(source, destination, flow label) of the outer header."""
        self.frame[self.begin:self.end] = ipaddress.ip_address(source).packed
        struct.pack_into("!H", self.frame, 14 + IP_LENGTH[self.family], sport)
        action, output = self.run(bytes(self.frame))
        assert action == Action.REDIRECT
        length = self.end - self.begin
        ends = [str(ipaddress.ip_address(output[place:place + length]))
                for place in (self.begin, self.end)]
        assert ends[1] == BACK_LINK.backend[self.family]
        (word,) = struct.unpack_from("!I", output, 14)
        return *ends, word & 0xFFFFF


@pytest.mark.parametrize("family", (4, 6))
def test_a_flow_keeps_its_outer_source(datapath, family):
    with datapath.device("front") as run:
        for number in range(20):
            seen = {outer(run, svc, family, client(family, number), 2000 + number, payload).src
                    for svc in (IPIP_TCP, IPIP_UDP) for payload in (b"", b"yy", b"z" * 1000)}
            assert len(seen) == 1, "whatever the packet, and whatever the service's port"


@pytest.mark.parametrize("svc", (IPIP_TCP, SOURCE_HASHED), ids=("maglev", "source-hash"))
@pytest.mark.parametrize("vary", ("clients", "ports"))
@pytest.mark.parametrize("family", (4, 6))
def test_flows_are_spread_over_the_queues(datapath, family, vary, svc):
    """Sixteen queues get even shares, within five standard deviations."""
    queues = 16
    counts, seen, labels = [0] * queues, set(), set()
    with datapath.device("front") as run:
        flows = Flows(run, svc, family)
        for number in range(FLOWS):
            ends = ((client(family, number), 5000) if vary == "clients"
                    else (client(family, 7), 1024 + number))
            source, destination, label = flows.outer(*ends)
            assert ipaddress.ip_address(source) in PREFIX[family]
            seen.add(source)
            labels.add(label if family == 6 else 0)
            counts[rss(source, destination) % queues] += 1
    share = FLOWS / queues
    assert len(seen) > 0.95 * FLOWS, "of 65 536 sources, FLOWS drawn"
    assert family == 4 or len(labels) > 0.95 * FLOWS
    # By source, two ports of a client differ in these alone: no draw, but a permutation.
    assert max(counts) - share < 5 * share ** 0.5 and share - min(counts) < 5 * share ** 0.5, counts


@pytest.mark.parametrize("v4, v6", [
    ("10.9.8.0/24", "2001:db8:7::/120"),
    ("10.0.0.0/8", "2001::/16"),
    ("10.9.8.7/32", "2001:db8:7::7/128"),
    ("10.9.8.6/31", "2001:db8:7::/97"),
])
def test_prefixes_of_the_configuration(datapath, v4, v6):
    prefixes = {4: ipaddress.ip_network(v4), 6: ipaddress.ip_network(v6)}
    with datapath.reconfigured(ipip={"source_v4": v4, "source_v6": v6}), \
            datapath.device("front") as run:
        for family, prefix in prefixes.items():
            for number in range(200):
                source = client(family, number)
                bits = flow_bits(source, 3000)
                packet = outer(run, IPIP_UDP, family, source, 3000)
                assert packet.src == outer_source(bits, prefix)
                assert ipaddress.ip_address(packet.src) in prefix
    with datapath.device("front") as run:
        source = outer(run, IPIP_UDP, 4, client(4, 1), 3000).src
        assert ipaddress.ip_address(source) in PREFIX[4], "the default is back"

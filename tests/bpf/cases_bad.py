# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are nobody's, broken, in pieces, or refused."""

import contextlib
import struct

from scapy.layers.inet import IPOption_NOP

import frames
from case import (
    DSR_UDP, ETH, FAMILIES, NAT_TCP, NAT_UDP, Case, dropped, forwarded, frame_of, passed, patched,
    transport_offset, upper,
)
from frames import (
    BACK, BACK_LINK, CLIENT, CLIENT_MAC, DOWN, FRONT, FRONT_MAC, LIMITED, SERVICE, answer, frame,
    request,
)
from lab.packets import ARP, ICMP, IP, Dot1Q, IPv6, IPv6ExtHdrFragment, Raw

# ---- not a service's --------------------------------------------------------
def others():
    yield passed("ARP for the service's address",
                 frame_of(ARP(psrc=CLIENT[4], pdst=SERVICE[4])), "PASS_NOT_IP")
    yield passed("LLDP", frame_of(Raw(b"\0" * 50), 0x88cc), "PASS_NOT_IP")
    yield passed("an 802.3 frame with a length", frame_of(Raw(b"\x42" * 46), 46), "PASS_NOT_IP")
    tagged = Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3)
    inner = IP(bytes(request(NAT_TCP, 4))[ETH:])
    yield passed("three VLAN tags", frame_of(tagged / inner), "PASS_NOT_IP")
    yield passed("an Ethernet header and nothing else", frame_of(Raw(b""), 0x0800),
                 "PASS_MALFORMED")
    yield passed("a VLAN tag that is cut short", frame_of(Raw(b"\0\7"), 0x8100), "PASS_NOT_IP")
    for family in FAMILIES:
        source, target = CLIENT[family], SERVICE[family]
        yield dropped(f"IPv{family} TCP to another port of the service's address",
                      frame((FRONT_MAC, CLIENT_MAC), (source, 40000, target, 9), "tcp"),
                      "DROP_UNSERVED")
        yield dropped(f"IPv{family} UDP to a TCP service's port",
                      frame((FRONT_MAC, CLIENT_MAC), (source, 40000, target, NAT_TCP.port), "udp"),
                      "DROP_UNSERVED")
        yield dropped(f"IPv{family} TCP to a UDP service's port",
                      frame((FRONT_MAC, CLIENT_MAC), (source, 40000, target, NAT_UDP.port), "tcp"),
                      "DROP_UNSERVED")
        next_one = {4: "198.51.100.11", 6: "2001:db8:1::11"}[family]
        yield passed(f"IPv{family} TCP to the address next to the service's",
                     frame((FRONT_MAC, CLIENT_MAC), (source, 40000, next_one, NAT_TCP.port), "tcp"),
                     "PASS_NO_SERVICE")
        yield passed(f"IPv{family} TCP to the balancer itself",
                     frame((FRONT_MAC, CLIENT_MAC), (source, 40000, FRONT[family], 22), "tcp"),
                     "PASS_NO_SERVICE")
        yield passed(f"IPv{family} from the service's address, not to it",
                     frame((FRONT_MAC, CLIENT_MAC), (target, NAT_TCP.port, source, 40000), "tcp"),
                     "PASS_NO_SERVICE")
    yield passed("ping to the service's address",
                 frame_of(IP(src=CLIENT[4], dst=SERVICE[4]) / ICMP()), "PASS_PROTOCOL")
    for number, name in {2: "IGMP", 4: "IP in IP", 47: "GRE", 50: "ESP", 132: "SCTP"}.items():
        yield dropped(f"{name} to the service's address",
                      frame_of(IP(src=CLIENT[4], dst=SERVICE[4], proto=number) / Raw(b"\0" * 24)),
                      "DROP_UNSERVED")
    for number, name in {41: "IPv6 in IPv6", 135: "mobility"}.items():
        yield dropped(f"{name} to the service's IPv6 address",
                      frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6], nh=number) / Raw(b"\0" * 24)),
                      "DROP_UNSERVED")
    yield passed("IPv6 to the IPv4 service's address as a mapped one",
                 frame((FRONT_MAC, CLIENT_MAC),
                       (CLIENT[6], 40000, f"::ffff:{SERVICE[4]}", NAT_TCP.port), "tcp"),
                 "PASS_NO_SERVICE")
    yield passed("IPv6 from an IPv4 backend's address as a mapped one",
                 frame((frames.BACK_MAC, BACK_LINK.backend_mac),
                       (f"::ffff:{BACK_LINK.backend[4]}", NAT_TCP.backend_port, CLIENT[6], 40000),
                       "tcp"),
                 "PASS_NO_SERVICE", "back")


def malformed():
    good4, good6 = request(NAT_TCP, 4), request(NAT_TCP, 6)
    udp4 = request(NAT_UDP, 4)
    for name, data in {
        "IPv4 that says version 6": patched(good4, ETH, b"\x65"),
        "IPv6 that says version 4": patched(good6, ETH, b"\x40"),
        "IPv4 with a header of 16 bytes": patched(good4, ETH, b"\x44"),
        "IPv4 with a header of 0 bytes": patched(good4, ETH, b"\x40"),
        "IPv4 with a header longer than the datagram": patched(
            patched(good4, ETH, b"\x4f"), ETH + 2, b"\0\x30"),
        "IPv4 with a total length of 0": patched(good4, ETH + 2, b"\0\0"),
        "IPv4 with a total length of 19": patched(good4, ETH + 2, b"\0\x13"),
        "IPv4 with a total length one beyond the frame": patched(
            good4, ETH + 2, struct.pack("!H", len(good4) - ETH + 1)),
        "IPv4 with a total length of 65535": patched(good4, ETH + 2, b"\xff\xff"),
        "IPv6 with a payload length one beyond the frame": patched(
            good6, ETH + 4, struct.pack("!H", len(good6) - ETH - 40 + 1)),
        "IPv6 with a payload length of 65535": patched(good6, ETH + 4, b"\xff\xff"),
    }.items():
        yield passed(name, data, "PASS_MALFORMED")
    for name, data in {
        "IPv4 that ends behind its own header": patched(good4, ETH + 2, b"\0\x14"),
        "IPv4 that ends within the ports": patched(good4, ETH + 2, b"\0\x17"),
        "IPv6 with a payload length of 0": patched(good6, ETH + 4, b"\0\0"),
        "IPv6 that ends within the ports": patched(good6, ETH + 4, b"\0\3"),
    }.items():
        yield dropped(name, data, "DROP_UNSERVED")
    for family in FAMILIES:
        tcp, udp = request(NAT_TCP, family), request(NAT_UDP, family)
        l4 = transport_offset(family)
        for doff in (0, 4):
            yield dropped(f"IPv{family} TCP with a header of {4 * doff} bytes",
                          patched(tcp, l4 + 12, bytes([doff << 4])), "DROP_MALFORMED")
        yield dropped(f"IPv{family} TCP with a header longer than the packet",
                      patched(tcp, l4 + 12, b"\xf0"), "DROP_MALFORMED")
        for length in (0, 7):
            yield dropped(f"IPv{family} UDP with a length of {length}",
                          patched(udp, l4 + 4, struct.pack("!H", length)), "DROP_MALFORMED")
        yield dropped(f"IPv{family} UDP with a length one beyond the packet",
                      patched(udp, l4 + 4, struct.pack("!H", len(udp) - l4 + 1)), "DROP_MALFORMED")
        yield passed(f"an IPv{family} TCP answer with a header of 16 bytes to the balancer itself",
                     patched(answer(NAT_TCP, family, client=BACK[family]), l4 + 12, b"\x40"),
                     "PASS_OWN", "back")
        yield dropped(f"an IPv{family} TCP answer with a header of 16 bytes to a client",
                      patched(answer(NAT_TCP, family), l4 + 12, b"\x40"), "DROP_MALFORMED", "back")
    # With options the rest of IPv4 is parsed later than without.
    some = {"ip": {"options": [IPOption_NOP()] * 4}}
    l4 = transport_offset(4) + 4
    for svc in (NAT_TCP, DSR_UDP):
        at, odd = (l4 + 12, b"\x40") if svc.proto == "tcp" else (l4 + 4, b"\0\7")
        yield dropped(f"IPv4 with options, and {upper(svc.proto)} with a header too short",
                      patched(request(svc, 4, **some), at, odd), "DROP_MALFORMED")
        yield dropped(f"IPv4 with options that ends behind {upper(svc.proto)}'s ports",
                      patched(request(svc, 4, **some), ETH + 2, b"\0\x1c"), "DROP_MALFORMED")
    yield dropped("an IPv4 TCP answer with options and a header of 16 bytes to a client",
                  patched(answer(NAT_TCP, 4, **some), l4 + 12, b"\x40"), "DROP_MALFORMED", "back")
    yield dropped("IPv4 that ends behind TCP's ports", patched(good4, ETH + 2, b"\0\x18"),
                  "DROP_MALFORMED")
    yield dropped("IPv4 that ends one byte before TCP's header does",
                  patched(good4, ETH + 2, b"\0\x27"), "DROP_MALFORMED")
    yield dropped("IPv4 that ends one byte before UDP's header does",
                  patched(udp4, ETH + 2, b"\0\x1b"), "DROP_MALFORMED")
    yield dropped("IPv6 that ends one byte before TCP's header does",
                  patched(good6, ETH + 4, b"\0\x13"), "DROP_MALFORMED")


def fragments():
    for svc in (NAT_TCP, DSR_UDP):
        yield dropped(f"the first IPv4 fragment for a service, {upper(svc.proto)}",
                      request(svc, 4, ip={"flags": "MF"}), "DROP_FRAGMENT")
        yield dropped(f"the first IPv6 fragment for a service, {upper(svc.proto)}",
                      request(svc, 6, between=IPv6ExtHdrFragment(offset=0, m=1, id=9)),
                      "DROP_FRAGMENT")
    for where, target, end in (("", None, "DROP_UNSERVED"), (" to the balancer itself", FRONT,
                                                            "PASS_FRAGMENT")):
        for which, offset, flags in (("a later", 10, "MF"), ("the last", 10, 0)):
            for family, more in ((4, {"ip": {"frag": offset, "flags": flags}}),
                                 (6, {"between": IPv6ExtHdrFragment(
                                     offset=offset, m=int(flags == "MF"), id=9)})):
                ends = (CLIENT[family], 40000, (target or SERVICE)[family], NAT_UDP.port)
                yield Case(f"{which} IPv{family} fragment{where}",
                           frame((FRONT_MAC, CLIENT_MAC), ends, "udp", **more), end)
    for family, more in ((4, {"ip": {"flags": "MF"}}),
                         (6, {"between": IPv6ExtHdrFragment(offset=0, m=1, id=9)})):
        yield dropped(f"the first IPv{family} fragment for nobody",
                      frame((FRONT_MAC, CLIENT_MAC), (CLIENT[family], 4, SERVICE[family], 9), "udp",
                            **more), "DROP_UNSERVED")
        yield passed(f"the first IPv{family} fragment of an answer to the balancer itself",
                     answer(NAT_UDP, family, client=BACK[family], **more), "PASS_OWN", "back")
        yield passed(f"the first IPv{family} fragment of an answer from the clients' side",
                     answer(NAT_UDP, family, macs=(FRONT_MAC, CLIENT_MAC), **more),
                     "PASS_ELSEWHERE", "front")
        yield dropped(f"the first IPv{family} fragment of an answer to a client",
                      answer(NAT_UDP, family, **more), "DROP_FRAGMENT", "back")


# ---- a service's, refused ---------------------------------------------------
def after(*data):
    """A setup that runs other frames before."""
    @contextlib.contextmanager
    def setup(datapath):
        for one in data:
            datapath.run(one, "front")
        yield
    return setup


def refused():
    for family in FAMILIES:
        yield dropped(f"an IPv{family} service without a backend that can serve",
                      request(DOWN, family), "DROP_NO_BACKEND")
        source = {4: "192.0.2.101", 6: "2001:db8:a1::1"}[family]
        yield forwarded(f"the first IPv{family} packet of a source under a limit", LIMITED, family,
                        source=source)
        source = {4: "192.0.2.102", 6: "2001:db8:a2::1"}[family]
        yield dropped(f"an IPv{family} packet of a source over its limit",
                      request(LIMITED, family, source=source), "DROP_LIMIT",
                      setup=after(request(LIMITED, family, source=source)))
    yield dropped("another address of an IPv6 /64 that is over its limit",
                  request(LIMITED, 6, source="2001:db8:a3::ffff"), "DROP_LIMIT",
                  setup=after(request(LIMITED, 6, source="2001:db8:a3::1")))
    neighbour = forwarded("the /64 next to one that is over its limit", LIMITED, 6,
                          source="2001:db8:a5::1")
    neighbour.setup = after(*[request(LIMITED, 6, source="2001:db8:a4::1")] * 2)
    yield neighbour
    neighbour = forwarded("the IPv4 address next to one that is over its limit", LIMITED, 4,
                          source="192.0.2.104")
    neighbour.setup = after(*[request(LIMITED, 4, source="192.0.2.103")] * 2)
    yield neighbour

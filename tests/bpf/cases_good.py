# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are as they should be: every way, size, flag, option and header.
Among them those that are well-formed, and yet more than sluice walks through.
"""

import struct

from scapy.layers.inet import IPOption_NOP, IPOption_RR, IPOption_Timestamp
from scapy.layers.inet6 import PadN

from case import (
    DSR_TCP, DSR_UDP, ETH, FAMILIES, NAT_TCP, NAT_UDP, PROTOS, Case, answered, dropped,
    forwarded, frame_of, passed, patched, transport_offset, upper,
)
from frames import (
    CLIENT, CLIENT_MAC, FORWARDS, FRONT, FRONT_MAC, LINKS, SERVICE, answer, delivered, frame,
    request, service,
)
from lab.packets import (
    IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
)

# ---- the matrix -------------------------------------------------------------
TAGS = {"untagged": (), "in VLAN 7": (7,), "in VLANs 7 and 8": (7, 8)}


def matrix():
    for family in FAMILIES:
        for proto in PROTOS:
            for forward in FORWARDS:
                for link in LINKS:
                    for how, tags in TAGS.items():
                        yield forwarded(
                            f"IPv{family} {upper(proto)} {how} goes by {forward} to {link.name}",
                            service(forward, proto, link), family, {"tags": tags},
                        )
            for link in LINKS:
                yield answered(
                    f"IPv{family} {upper(proto)} comes back by nat from {link.name}",
                    service("nat", proto, link), family, got={"tags": ()},
                )


# ---- what is inside ---------------------------------------------------------
SIZES = (0, 1, 2, 3, 5, 255, 256, 1400)


def payloads():
    for family in FAMILIES:
        for svc in (NAT_TCP, NAT_UDP):
            for size in SIZES:
                yield forwarded(
                    f"IPv{family} {upper(svc.proto)} with {size} bytes of payload",
                    svc, family, payload=bytes(i * 7 & 0xff for i in range(size)),
                )
            full = 1500 - (20 if family == 4 else 40) - (20 if svc.proto == "tcp" else 8)
            yield forwarded(f"IPv{family} {upper(svc.proto)} of exactly 1500 bytes",
                            svc, family, payload=b"\xff" * full)
            yield answered(f"IPv{family} {upper(svc.proto)} answer of exactly 1500 bytes",
                           svc, family, payload=b"\xee" * full)
            yield answered(f"IPv{family} {upper(svc.proto)} answer without payload",
                           svc, family, payload=b"")
            yield forwarded(f"IPv{family} {upper(svc.proto)} whose new checksum comes out as zero",
                            svc, family, **zero_sum(svc, family))


def zero_sum(svc, family):
    """A payload of two bytes that makes the checksum behind the rewrite 0, which
    UDP writes as 0xffff (RFC 768).
    """
    payload = b"\0\0"
    checksum = transport_checksum(delivered(svc, family, payload=payload), svc, family)
    payload = struct.pack("!H", checksum)
    want = 0xffff if svc.proto == "udp" else 0
    assert transport_checksum(delivered(svc, family, payload=payload), svc, family) == want
    return {"payload": payload}


def checksum_offset(svc, family):
    return transport_offset(family) + (16 if svc.proto == "tcp" else 6)


def transport_checksum(data, svc, family):
    return struct.unpack_from("!H", data, checksum_offset(svc, family))[0]


def checksums():
    yield forwarded("IPv4 UDP without a checksum still has none behind nat", NAT_UDP, 4, zero=True)
    yield forwarded("IPv4 UDP without a checksum still has none behind dsr", DSR_UDP, 4, zero=True)
    yield answered("an IPv4 UDP answer without a checksum still has none", NAT_UDP, 4, zero=True)
    for family in FAMILIES:
        for svc in (NAT_TCP, NAT_UDP):
            yield forwarded(
                f"a wrong IPv{family} {upper(svc.proto)} checksum stays wrong: it is not mended",
                svc, family, {"l4": {"chksum": off_by_one(request(svc, family), svc, family)}},
                {"l4": {"chksum": off_by_one(delivered(svc, family), svc, family)}},
            )


def off_by_one(data, svc, family):
    checksum = transport_checksum(data, svc, family)
    assert 1 < checksum < 0xfffe
    return checksum + 1


def tcp_flags():
    for flags in ("S", "SA", "A", "PA", "FA", "R", "RA", "U", "SF", "SEC", "", "FSRPAUEC"):
        yield forwarded(f"TCP with flags {flags or 'none'}", NAT_TCP, 4, l4={"flags": flags})
    for flags in ("S", "R", "FA"):
        yield forwarded(f"IPv6 TCP with flags {flags}", DSR_TCP, 6, l4={"flags": flags})
    yield answered("a SYN+ACK comes back", NAT_TCP, 4, l4={"flags": "SA"}, payload=b"")
    yield answered("a reset comes back", NAT_TCP, 6, l4={"flags": "R"}, payload=b"")
    yield forwarded("TCP with options", NAT_TCP, 4, payload=b"",
                    l4={"flags": "S", "options": [("MSS", 1460), ("SAckOK", b""),
                                                  ("Timestamp", (1, 0)), ("WScale", 7)]})
    yield forwarded("TCP with a header of 60 bytes", NAT_TCP, 6,
                    l4={"options": [("NOP", None)] * 40})
    yield forwarded("TCP with an urgent pointer", NAT_TCP, 4, l4={"flags": "UPA", "urgptr": 3})


def ip_headers():
    yield forwarded("DSCP, ECN, identification and DF are kept", NAT_TCP, 4,
                    ip={"tos": 0xbb, "id": 0xbeef, "flags": "DF"})
    yield forwarded("traffic class and flow label are kept", NAT_TCP, 6,
                    ip={"tc": 0xbb, "fl": 0xabcde})
    yield answered("DSCP and ECN of an answer are kept", NAT_TCP, 4, ip={"tos": 0x2e << 2 | 1})
    yield answered("traffic class and flow label of an answer are kept", NAT_UDP, 6,
                   ip={"tc": 0x20, "fl": 0x12345})
    for name, options in {
        "a NOP option": [IPOption_NOP()] * 4,
        "a record route option": [IPOption_RR(length=11, routers=["0.0.0.0"] * 2)],
        "a timestamp option": [IPOption_Timestamp()],
        "40 bytes of options": [IPOption_NOP()] * 40,
    }.items():
        for svc in (NAT_TCP, DSR_UDP):
            yield forwarded(f"IPv4 {upper(svc.proto)} with {name}", svc, 4, ip={"options": options})
    yield answered("an IPv4 answer with options", NAT_TCP, 4, ip={"options": [IPOption_NOP()] * 8})
    right, out = request(DSR_TCP, 4), delivered(DSR_TCP, 4)
    yield Case("a wrong IPv4 header checksum stays wrong: it is not mended",
               patched(right, ETH + 10, b"\x12\x34"), "FORWARDED", "front",
               patched(out, ETH + 10, drifted(0x1234, right, out)), "back")


def drifted(wrong, before, after):
    """The wrong IPv4 checksum after the same change that made `before` to `after`."""
    old, new = (struct.unpack_from("!H", data, ETH + 10)[0] for data in (before, after))
    total = (wrong + new - old) % 0xffff
    return struct.pack("!H", total)


EXTENSIONS = {
    "a hop-by-hop header": lambda: IPv6ExtHdrHopByHop(),
    "a destination options header": lambda: IPv6ExtHdrDestOpt(),
    "a routing header that is used up": lambda: IPv6ExtHdrRouting(segleft=0),
    "an atomic fragment header (RFC 6946)": lambda: IPv6ExtHdrFragment(offset=0, m=0, id=7),
    "hop-by-hop, destination options and routing headers":
        lambda: IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(segleft=0),
    "four extension headers":
        lambda: IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(segleft=0)
        / IPv6ExtHdrDestOpt(),
    "a long destination options header":
        lambda: IPv6ExtHdrDestOpt(options=[pad_option(200), pad_option(100)]),
}


def pad_option(size):
    return PadN(optdata=b"\0" * size)


def extensions():
    for name, make in EXTENSIONS.items():
        for svc in (NAT_TCP, NAT_UDP):
            yield forwarded(f"IPv6 {upper(svc.proto)} behind {name}", svc, 6, between=make())
    yield answered("an IPv6 answer behind a destination options header", NAT_TCP, 6,
                   between=IPv6ExtHdrDestOpt())
    many = IPv6ExtHdrHopByHop()
    for _ in range(7):
        many = many / IPv6ExtHdrDestOpt()
    unfinished = IPv6ExtHdrRouting(addresses=["2001:db8::7"], segleft=1)
    for where, target, end in (("to a service's address is for no service", SERVICE,
                                "DROP_UNSERVED"),
                               ("is left to the kernel", FRONT, "PASS_PROTOCOL")):
        for name, between in (("a packet with eight extension headers", many),
                              ("a packet whose routing header has segments left", unfinished)):
            yield Case(f"{name} {where}",
                       frame((FRONT_MAC, CLIENT_MAC), (CLIENT[6], 40000, target[6], NAT_TCP.port),
                             "tcp", between=between), end)
    longer = bytearray(request(NAT_TCP, 6, between=IPv6ExtHdrDestOpt()))
    longer[ETH + 40 + 1] = 255
    yield dropped("an extension header that is longer than the packet", bytes(longer),
                  "DROP_UNSERVED")
    yield dropped("no next header", frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6], nh=59)),
                  "DROP_UNSERVED")


def ttl():
    for family in FAMILIES:
        for value in (0, 1):
            yield dropped(f"IPv{family} with a TTL of {value} to a backend",
                          request(NAT_TCP, family, ttl=value), "DROP_TTL")
            yield dropped(f"IPv{family} with a TTL of {value} to a client",
                          answer(NAT_TCP, family, ttl=value), "DROP_TTL", "back")
        for value in (2, 128, 255):
            yield forwarded(f"IPv{family} with a TTL of {value}", DSR_UDP, family,
                            {"ttl": value}, {"ttl": value - 1})
        yield answered(f"an IPv{family} answer with a TTL of 2", NAT_UDP, family,
                       {"ttl": 2}, {"ttl": 1})


def padding():
    for family in FAMILIES:
        for svc in (NAT_TCP, DSR_UDP):
            case = forwarded(f"IPv{family} {upper(svc.proto)} with padding behind the datagram",
                             svc, family, payload=b"")
            case.frame += b"\xa5" * 22
            case.expected += b"\xa5" * 22
            yield case
    case = answered("an IPv4 answer with padding behind the datagram", NAT_UDP, 4, payload=b"")
    case.frame += b"\0" * 18
    case.expected += b"\0" * 18
    yield case
    # RFC 768 lets the UDP length be shorter than what IP carries.
    yield forwarded("UDP that ends before its IPv4 datagram", DSR_UDP, 4,
                    payload=b"four" + b"rest", l4={"len": 12, "chksum": 0})



# SPDX-License-Identifier: BSD-2-Clause
"""The table of packets: a sentence, the frame, where it arrives, the verdict
that must be counted, and the frame that must come out.
"""

import contextlib
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

from scapy.layers.inet import IPOption_NOP, IPOption_RR, IPOption_Timestamp

import frames
from frames import (
    BACK, BACK_LINK, BLACKHOLED, CLIENT, CLIENT_MAC, DOWN, FAR_CLIENT, FRONT, FRONT_LINK,
    FRONT_MAC, LIMITED, LINKS, NARROW_CLIENT, ROUTER_MAC, SERVICE, SILENT, VLAN_LINK,
    answer, delivered, frame, request, returned, service,
)
from lab.packets import (
    ARP, ICMP, IP, Dot1Q, Ether, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw,
)

VERDICT_H = Path(__file__).parents[2] / "include/sluice/verdict.h"
VERDICTS = dict(re.findall(r"^\tX\((\w+), (\w+),", VERDICT_H.read_text(), re.MULTILINE))

# Those that no packet can bring about, and why.
WITHOUT_A_CASE = {
    "DROP_INTERNAL": "needs maps that contradict each other, which the daemon never writes",
}

ETH = 14  # bytes of an untagged Ethernet header
FAMILIES = (4, 6)
PROTOS = ("tcp", "udp")
NAT_TCP, NAT_UDP = service("nat", "tcp"), service("nat", "udp")
DSR_TCP, DSR_UDP = service("dsr", "tcp"), service("dsr", "udp")


@contextlib.contextmanager
def no_setup(_datapath):
    yield


@dataclass
class Case:
    id: str
    frame: bytes
    verdict: str
    device: str = "front"
    expected: Optional[bytes] = None  # None: a passed frame is as it was
    leaves: str = "front"  # the device, for what is forwarded
    setup: Callable = field(default=no_setup)

    @property
    def action(self):
        kind = VERDICTS[self.verdict]
        if kind == "FORWARD":
            return "TX" if self.leaves == self.device else "REDIRECT"
        return kind


# ---- builders of cases ------------------------------------------------------
def forwarded(id, svc, family, sent=None, got=None, **both):
    """A request that goes to the backend. `sent` and `got`: what differs."""
    return Case(
        id, request(svc, family, **both, **(sent or {})), "FORWARDED", "front",
        delivered(svc, family, **both, **(got or {})), svc.link.device,
    )


def answered(id, svc, family, sent=None, got=None, **both):
    """An answer that goes to the client."""
    return Case(
        id, answer(svc, family, **both, **(sent or {})), "RETURNED", svc.link.device,
        returned(svc, family, **both, **(got or {})), "front",
    )


def passed(id, data, verdict, device="front", setup=no_setup):
    return Case(id, bytes(data), verdict, device, setup=setup)


def dropped(id, data, verdict, device="front", setup=no_setup):
    return Case(id, bytes(data), verdict, device, setup=setup)


def patched(data, offset, replacement):
    """The frame with bytes overwritten; checksums stay as they are."""
    return data[:offset] + replacement + data[offset + len(replacement):]


def upper(text):
    return text.upper()


# ---- the matrix -------------------------------------------------------------
TAGS = {"untagged": (), "in VLAN 7": (7,), "in VLANs 7 and 8": (7, 8)}


def matrix():
    for family in FAMILIES:
        for proto in PROTOS:
            for forward in ("dsr", "nat"):
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


def transport_offset(family):
    return ETH + (20 if family == 4 else 40)


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
    yield forwarded("traffic class and flow label are kept", NAT_TCP, 6, ip={"tc": 0xbb, "fl": 0xabcde})
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
    bad = {"ip": {"chksum": 0x1234}}
    sum_in = request(DSR_TCP, 4, **bad)
    yield Case("a wrong IPv4 header checksum stays wrong: it is not mended", sum_in, "FORWARDED",
               "front", patched(delivered(DSR_TCP, 4), ETH + 10,
                                drifted(0x1234, request(DSR_TCP, 4), delivered(DSR_TCP, 4))), "back")


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
    from scapy.layers.inet6 import PadN

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
    yield passed("eight extension headers are left to the kernel",
                 request(NAT_TCP, 6, between=many), "PASS_PROTOCOL")
    yield passed("a routing header with segments left is left to the kernel",
                 request(NAT_TCP, 6, between=IPv6ExtHdrRouting(addresses=["2001:db8::7"],
                                                               segleft=1)), "PASS_PROTOCOL")
    longer = bytearray(request(NAT_TCP, 6, between=IPv6ExtHdrDestOpt()))
    longer[ETH + 40 + 1] = 255
    yield passed("an extension header that is longer than the packet", bytes(longer),
                 "PASS_MALFORMED")
    yield passed("no next header", frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6], nh=59)),
                 "PASS_PROTOCOL")


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


# ---- not a service's --------------------------------------------------------
def frame_of(packet, ethertype=None):
    ethernet = Ether(dst=FRONT_MAC, src=CLIENT_MAC)
    if ethertype is not None:
        ethernet.type = ethertype
    return bytes(ethernet / packet)


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
        yield passed(f"IPv{family} TCP to another port of the service's address",
                     frame((FRONT_MAC, CLIENT_MAC), (source, 40000, target, 9), "tcp"),
                     "PASS_NO_SERVICE")
        yield passed(f"IPv{family} UDP to a TCP service's port",
                     frame((FRONT_MAC, CLIENT_MAC), (source, 40000, target, NAT_TCP.port), "udp"),
                     "PASS_NO_SERVICE")
        yield passed(f"IPv{family} TCP to a UDP service's port",
                     frame((FRONT_MAC, CLIENT_MAC), (source, 40000, target, NAT_UDP.port), "tcp"),
                     "PASS_NO_SERVICE")
        neighbour = {4: "198.51.100.11", 6: "2001:db8:1::11"}[family]
        yield passed(f"IPv{family} TCP to the address next to the service's",
                     frame((FRONT_MAC, CLIENT_MAC), (source, 40000, neighbour, NAT_TCP.port), "tcp"),
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
        yield passed(f"{name} to the service's address",
                     frame_of(IP(src=CLIENT[4], dst=SERVICE[4], proto=number) / Raw(b"\0" * 24)),
                     "PASS_PROTOCOL")
    for number, name in {41: "IPv6 in IPv6", 58: "ICMPv6", 135: "mobility"}.items():
        yield passed(f"{name} to the service's IPv6 address",
                     frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6], nh=number) / Raw(b"\0" * 24)),
                     "PASS_PROTOCOL")
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
        "IPv4 that ends behind its own header": patched(good4, ETH + 2, b"\0\x14"),
        "IPv4 that ends within the ports": patched(good4, ETH + 2, b"\0\x17"),
        "IPv6 with a payload length of 0": patched(good6, ETH + 4, b"\0\0"),
        "IPv6 with a payload length one beyond the frame": patched(
            good6, ETH + 4, struct.pack("!H", len(good6) - ETH - 40 + 1)),
        "IPv6 with a payload length of 65535": patched(good6, ETH + 4, b"\xff\xff"),
        "IPv6 that ends within the ports": patched(good6, ETH + 4, b"\0\3"),
    }.items():
        yield passed(name, data, "PASS_MALFORMED")
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
    yield passed("a later IPv4 fragment", request(NAT_UDP, 4, ip={"frag": 10, "flags": "MF"}),
                 "PASS_FRAGMENT")
    yield passed("the last IPv4 fragment", request(NAT_UDP, 4, ip={"frag": 10}), "PASS_FRAGMENT")
    yield passed("a later IPv6 fragment",
                 request(NAT_UDP, 6, between=IPv6ExtHdrFragment(offset=10, m=1, id=9)),
                 "PASS_FRAGMENT")
    yield passed("the last IPv6 fragment",
                 request(NAT_UDP, 6, between=IPv6ExtHdrFragment(offset=10, m=0, id=9)),
                 "PASS_FRAGMENT")
    for family, more in ((4, {"ip": {"flags": "MF"}}),
                         (6, {"between": IPv6ExtHdrFragment(offset=0, m=1, id=9)})):
        yield passed(f"the first IPv{family} fragment for nobody",
                     frame((FRONT_MAC, CLIENT_MAC), (CLIENT[family], 4, SERVICE[family], 9), "udp",
                           **more), "PASS_NO_SERVICE")
        yield passed(f"the first IPv{family} fragment of an answer to the balancer itself",
                     answer(NAT_UDP, family, client=BACK[family], **more), "PASS_OWN", "back")
        yield passed(f"the first IPv{family} fragment of an answer from the clients' side",
                     answer(NAT_UDP, family, **more), "PASS_ELSEWHERE", "front")
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


# ---- the way back -----------------------------------------------------------
@contextlib.contextmanager
def forwarding_off(datapath):
    paths = [f"net/ipv{family}/conf/back/forwarding" for family in FAMILIES]
    datapath.balancer.sysctl({path: 0 for path in paths})
    try:
        yield
    finally:
        datapath.balancer.sysctl({path: 1 for path in paths})


def answers():
    for family in FAMILIES:
        for svc in (NAT_TCP, NAT_UDP):
            what = f"IPv{family} {upper(svc.proto)}"
            yield answered(f"an {what} answer to a client behind a router", svc, family,
                           got={"macs": (ROUTER_MAC, FRONT_MAC)}, client=FAR_CLIENT[family])
            silent = answer(svc, family, client=SILENT[family])
            yield Case(f"an {what} answer to a client whose MAC nobody knows yet", silent,
                       "PASS_UNRESOLVED", "back",
                       returned(svc, family, client=SILENT[family], ttl=64,
                                macs=(BACK_LINK.mac, BACK_LINK.backend_mac)))
            yield passed(f"an {what} answer to the balancer itself is untouched",
                         answer(svc, family, client=BACK[family]), "PASS_OWN", "back")
            yield passed(f"an {what} answer that comes from the clients' side",
                         answer(svc, family, client=FAR_CLIENT[family]), "PASS_ELSEWHERE", "front")
        for link in (BACK_LINK, FRONT_LINK):
            own = service("nat", "tcp", link)
            yield passed(f"an IPv{family} answer to another address of the balancer, {link.name}",
                         answer(own, family, client=FRONT[family]), "PASS_OWN", link.device)
        yield passed(f"an IPv{family} answer in a VLAN that its backend is not in",
                     answer(NAT_TCP, family, tags=(7,)), "PASS_ELSEWHERE", "back")
        yield passed(f"an untagged IPv{family} answer of a backend in a VLAN",
                     answer(service("nat", "tcp", VLAN_LINK), family, tags=()),
                     "PASS_ELSEWHERE", "back")
        yield answered(f"an IPv{family} answer with a priority tag keeps it", NAT_TCP, family,
                       tags=(0,))
        yield passed(f"an IPv{family} answer too big for the client's route",
                     answer(NAT_UDP, family, client=NARROW_CLIENT[family], payload=b"x" * 1400),
                     "PASS_TOO_BIG", "back")
        yield passed(f"an IPv{family} answer while forwarding is off",
                     answer(NAT_TCP, family), "PASS_FORWARDING_OFF", "back", forwarding_off)
        yield dropped(f"an IPv{family} answer into a blackhole",
                      answer(NAT_TCP, family, client=BLACKHOLED[family]), "DROP_NO_ROUTE", "back")
        yield passed(f"an IPv{family} packet from another port of a backend",
                     frame((BACK_LINK.mac, BACK_LINK.backend_mac),
                           (BACK_LINK.backend[family], 9999, CLIENT[family], 40000), "tcp"),
                     "PASS_NO_SERVICE", "back")
        yield passed(f"an IPv{family} packet of a dsr backend from its service port",
                     frame((BACK_LINK.mac, BACK_LINK.backend_mac),
                           (BACK_LINK.backend[family], DSR_TCP.port, CLIENT[family], 40000), "tcp"),
                     "PASS_NO_SERVICE", "back")
        yield Case(f"an IPv{family} backend that is a client of the service itself",
                   request(DSR_TCP, family, source=BACK_LINK.backend[family],
                           macs=(BACK_LINK.mac, BACK_LINK.backend_mac)),
                   "FORWARDED", "back",
                   delivered(DSR_TCP, family, source=BACK_LINK.backend[family]), "back")


CASES = [
    case
    for table in (matrix, payloads, checksums, tcp_flags, ip_headers, extensions, ttl, padding,
                  others, malformed, fragments, refused, answers)
    for case in table()
]
GOOD = [case for case in CASES if VERDICTS[case.verdict] == "FORWARD"]

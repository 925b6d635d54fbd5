# SPDX-License-Identifier: BSD-2-Clause
"""Forwarding `ipip`: what the matrix of cases_good.py leaves open."""

import contextlib
import os

import frames
from case import (
    DSR_UDP, ETH, FAMILIES, IPIP_TCP, IPIP_UDP, Case, dropped, forwarded, passed, patched, upper,
)
from cases_good import EXTENSIONS, SIZES, TAGS, drifted
from cases_refusals import back_to_client
from frames import (
    FRONT_LINK, NARROW, NARROW_MTU, SOURCE_HASHED, VLAN_LINK, answer, delivered, request, service,
)
from scapy.layers.inet import IPOption_NOP
from lab.packets import (
    ICMP, Dot1Q, Ether, ICMPv6PacketTooBig, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, Raw,
)
from lab import wait
from lab.testrun import Action

HEADER = {4: 20, 6: 40}
TRANSPORT = {"tcp": 20, "udp": 8}
MTU = 1500


def room(family, mtu=MTU):
    """The longest packet that fits behind the outer header."""
    return mtu - HEADER[family]


def longest(svc, family, mtu=MTU):
    """The payload of that packet."""
    return room(family, mtu) - HEADER[family] - TRANSPORT[svc.proto]


# ---- the packet inside ------------------------------------------------------
def inside():
    for family in FAMILIES:
        for svc in (IPIP_TCP, IPIP_UDP):
            what = f"IPv{family} {upper(svc.proto)}"
            for size in SIZES:
                yield forwarded(f"{what} with {size} bytes of payload, encapsulated", svc, family,
                                payload=bytes(i * 11 & 0xff for i in range(size)))
            yield forwarded(f"{what} of exactly the room that the outer header leaves", svc,
                            family, payload=b"\xdd" * longest(svc, family))
        yield forwarded(f"IPv{family} TCP with a wrong checksum keeps it, encapsulated", IPIP_TCP,
                        family, l4={"chksum": 0x1234})
        for value in (0, 1):
            yield dropped(f"IPv{family} with a TTL of {value} is not encapsulated",
                          request(IPIP_TCP, family, ttl=value), "DROP_TTL")
        for value in (2, 255):
            yield forwarded(f"IPv{family} with a TTL of {value}, encapsulated", IPIP_UDP, family,
                            {"ttl": value}, {"ttl": value - 1})
        for flags in ("S", "R", "FA"):
            yield forwarded(f"IPv{family} TCP with flags {flags}, encapsulated", IPIP_TCP, family,
                            l4={"flags": flags}, payload=b"")
        yield passed(f"an IPv{family} packet of an ipip backend from its service port",
                     answer(IPIP_TCP, family), "PASS_NO_SERVICE", "back")
        yield forwarded(f"IPv{family} of a service that hashes by source, encapsulated",
                        SOURCE_HASHED, family)
    yield forwarded("IPv4 UDP without a checksum still has none, encapsulated", IPIP_UDP, 4,
                    zero=True)
    for size in (4, 40):
        yield forwarded(f"IPv4 with {size} bytes of options, encapsulated", IPIP_TCP, 4,
                        ip={"options": [IPOption_NOP()] * size})
    for name, make in EXTENSIONS.items():
        yield forwarded(f"IPv6 behind {name}, encapsulated", IPIP_UDP, 6, between=make())
    right, out = request(IPIP_TCP, 4), delivered(IPIP_TCP, 4)
    at, inner = ETH + 10, ETH + 20 + 10
    yield Case("a wrong checksum of the IPv4 header stays wrong, encapsulated",
               patched(right, at, b"\x12\x34"), "FORWARDED", "front",
               patched(out, inner, drifted(0x1234, right, out[:ETH] + out[ETH + 20:])), "back")
    yield dropped("the first fragment for an ipip service", request(IPIP_UDP, 4,
                  ip={"flags": "MF"}), "DROP_FRAGMENT")
    yield dropped("the first IPv6 fragment for an ipip service",
                  request(IPIP_UDP, 6, between=IPv6ExtHdrFragment(offset=0, m=1, id=9)),
                  "DROP_FRAGMENT")


# ---- the header around it ---------------------------------------------------
def around():
    for value in (0x01, 0x02, 0x03, 0xb8, 0xff):
        yield forwarded(f"a ToS of {value:#x} is the outer one too", IPIP_TCP, 4,
                        ip={"tos": value, "id": 0xbeef, "flags": "DF"})
        yield forwarded(f"a traffic class of {value:#x} is the outer one too", IPIP_TCP, 6,
                        ip={"tc": value, "fl": 0xabcde})
    yield forwarded("a packet that may be fragmented is not, outside", IPIP_UDP, 4,
                    ip={"flags": 0, "id": 0xffff})
    for number in range(24):
        for family in FAMILIES:
            source = f"203.0.113.{number * 10}" if family == 4 else f"2001:db8:f:{number:x}::9"
            yield forwarded(f"IPv{family} flow {number} has an outer source of its own", IPIP_UDP,
                            family, source=source, sport=1024 + 777 * number)
    for family in FAMILIES:
        yield tagged(family, "a priority tag is kept, encapsulated", service("ipip", "tcp"), 0)
        yield tagged(family, "a right tag is kept with its priority, encapsulated",
                     service("ipip", "tcp", VLAN_LINK), frames.VLAN)
        yield forwarded(f"IPv{family} to a backend behind a gateway", NARROW, family)
        case = forwarded(f"IPv{family} that fits the route's MTU", NARROW, family,
                         payload=b"n" * longest(NARROW, family, NARROW_MTU[family]))
        case.longest = ETH + NARROW_MTU[family]
        yield case


def tagged(family, what, svc, vlan):
    """The frame comes with the tag that it leaves with, of priority 5."""
    tag = bytes(Dot1Q(vlan=vlan, prio=5))[:2]
    sent = request(svc, family, tags=(vlan,))
    got = delivered(svc, family, tags=(vlan,))
    return Case(f"IPv{family}: {what}", patched(sent, ETH, tag), "FORWARDED", "front",
                patched(got, ETH, tag), svc.link.device)


def padding():
    for family in FAMILIES:
        for svc in (IPIP_TCP, service("ipip", "udp", VLAN_LINK)):
            case = forwarded(f"the outer length leaves out the padding, IPv{family} to "
                             f"{svc.link.name}", svc, family, payload=b"")
            case.frame += b"\xa5" * 18
            case.expected += b"\xa5" * 18
            yield case
        size = longest(IPIP_UDP, family) - 50
        case = forwarded(f"padding that does not fit is cut off, IPv{family}", IPIP_UDP, family,
                         payload=b"x" * size)
        case.frame += b"\xa5" * 51
        yield case
        case = forwarded(f"padding that just fits, IPv{family}", IPIP_UDP, family,
                         payload=b"x" * size)
        case.frame += b"\xa5" * 50
        case.expected += b"\xa5" * 50
        yield case


# ---- what does not fit ------------------------------------------------------
def told(family, sent, mtu, tags=()):
    """What its sender gets: the MTU, and the beginning of what was sent."""
    l3 = ETH + 4 * len(tags)
    quoted = Raw(sent[l3:l3 + HEADER[family] + 8])
    if family == 4:
        return bytes(back_to_client(4, tags) / ICMP(type=3, code=4, nexthopmtu=mtu) / quoted)
    return bytes(back_to_client(6, tags) / ICMPv6PacketTooBig(mtu=mtu) / quoted)


def refused(id, family, sent, mtu, tags=()):
    return Case(id, sent, "REJECTED_TOO_BIG", "front", told(family, sent, mtu, tags), "front")


def too_big():
    for family in FAMILIES:
        for svc in (IPIP_TCP, IPIP_UDP, service("ipip", "tcp", FRONT_LINK),
                    service("ipip", "udp", VLAN_LINK)):
            for how, tags in TAGS.items():
                sent = request(svc, family, payload=b"x" * (longest(svc, family) + 1), tags=tags)
                yield refused(f"IPv{family} {upper(svc.proto)} one byte too long for the outer "
                              f"header to {svc.link.name}, {how}", family, sent, room(family), tags)
        full = MTU - HEADER[family] - 20
        sent = request(IPIP_TCP, family, payload=b"x" * full)
        yield refused(f"an IPv{family} packet of 1500 bytes", family, sent, room(family))
        mtu = NARROW_MTU[family]
        sent = request(NARROW, family, payload=b"x" * (longest(NARROW, family, mtu) + 1))
        yield refused(f"an IPv{family} packet too long for the route's MTU", family, sent,
                      max(room(family, mtu), 1280 if family == 6 else 0))
        yield forwarded(f"an IPv{family} packet of 1500 bytes that is not encapsulated", DSR_UDP,
                        family, payload=b"x" * (MTU - HEADER[family] - 8))
        yield dropped(f"the sender of a second IPv{family} packet too long is not told so soon",
                      sent, "DROP_TOO_BIG", setup=one_answer(sent))
    for flags in (0, "DF"):
        sent = request(IPIP_UDP, 4, payload=b"x" * 1460, ip={"flags": flags, "id": 7})
        yield refused(f"an IPv4 packet too long with flags {flags or 'none'}", 4, sent, room(4))
    yield dropped("an IPv4 packet with options that is too long",
                  request(IPIP_TCP, 4, payload=b"x" * 1450, ip={"options": [IPOption_NOP()] * 4}),
                  "DROP_TOO_BIG")
    yield dropped("an IPv6 packet with an extension header that is too long",
                  request(IPIP_TCP, 6, payload=b"x" * 1400, between=IPv6ExtHdrDestOpt()),
                  "DROP_TOO_BIG")
    for family, source in ((4, "224.0.0.5"), (4, "127.0.0.1"), (6, "ff02::5"), (6, "::")):
        yield dropped(f"a packet too long from {source}",
                      request(IPIP_UDP, family, source=source,
                              payload=b"x" * (longest(IPIP_UDP, family) + 1)), "DROP_MARTIAN")


def one_answer(sent):
    """A setup in which one answer a second may be sent, and is."""
    @contextlib.contextmanager
    def setup(datapath):
        cpus = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cpus)})  # each CPU has a pace of its own
        try:
            with datapath.reconfigured(limiter={"answers": "1/s"}):
                datapath.run(sent, "front")
                yield
            wait.until(lambda: datapath.run(sent, "front")[0] == Action.TX,
                       "answers are sent as before")
        finally:
            os.sched_setaffinity(0, cpus)
    return setup


assert len(Ether()) == ETH

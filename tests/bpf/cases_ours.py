# SPDX-License-Identifier: BSD-2-Clause
"""What is this machine's own: frames that are sent to it, sources that no client has, and
packets to a service's address that are for no service.
"""

import contextlib

from case import (
    DSR_UDP, ETH, FAMILIES, IPIP_TCP, NAT_TCP, NAT_UDP, Case, answered, dropped, forwarded,
    frame_of, passed, patched,
)
from cases_refusals import back_to_client
from frames import (
    BACK, BACK_LINK, BACK_MAC, CLIENT, CLIENT_MAC, FRONT, FRONT_MAC, REFUSING_TCP, REFUSING_UDP,
    SERVICE, STANDBY_MAC, answer, frame, request,
)
from lab.packets import (
    ICMP, IP, TCP, ICMPv6DestUnreach, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw,
)
from lab.topology import mac_of

# ---- frames that were sent elsewhere ------------------------------------------
ELSEWHERE = {
    "another machine's MAC address": mac_of(9, 9),
    "the MAC address of another interface of this machine": BACK_MAC,
    "the broadcast address": "ff:ff:ff:ff:ff:ff",
    "an IPv4 group's MAC address": "01:00:5e:00:00:01",
    "an IPv6 group's MAC address": "33:33:00:00:00:01",
    "a MAC address that has one bit more": "03:00:00:00:00:01",
    "no MAC address": "00:00:00:00:00:00",
}


def frames_elsewhere():
    for family in FAMILIES:
        for svc in (NAT_TCP, DSR_UDP, IPIP_TCP, REFUSING_TCP, REFUSING_UDP):
            for name, mac in ELSEWHERE.items():
                yield passed(f"IPv{family} for {svc.name}, sent to {name}",
                             request(svc, family, macs=(mac, CLIENT_MAC)), "PASS_FOREIGN_FRAME")
            yield passed(f"IPv{family} for {svc.name}, sent by a group",
                         request(svc, family, macs=(FRONT_MAC, "01:00:5e:00:00:09")),
                         "PASS_FOREIGN_FRAME")
        yield passed(f"an IPv{family} answer that was sent to another machine",
                     answer(NAT_TCP, family, macs=(mac_of(9, 9), BACK_LINK.backend_mac)),
                     "PASS_FOREIGN_FRAME", "back")
        yield passed(f"IPv{family} for no service at its address, sent to another machine",
                     frame((mac_of(9, 9), CLIENT_MAC), (CLIENT[family], 4, SERVICE[family], 9),
                           "udp"), "PASS_NO_SERVICE")


def frames_to_a_standby():
    for family in FAMILIES:
        for svc in (NAT_TCP, DSR_UDP, IPIP_TCP, REFUSING_TCP):
            yield dropped(f"IPv{family} for {svc.name}, sent to a virtual router in standby",
                          request(svc, family, macs=(STANDBY_MAC, CLIENT_MAC)), "DROP_STANDBY")
        sent = (STANDBY_MAC, BACK_LINK.backend_mac)
        yield dropped(f"an IPv{family} answer that was sent to a virtual router in standby",
                      answer(NAT_TCP, family, macs=sent), "DROP_STANDBY", "back")
        yield passed(f"IPv{family} for no service at its address, sent to one in standby",
                     frame((STANDBY_MAC, CLIENT_MAC), (CLIENT[family], 4, SERVICE[family], 9),
                           "udp"), "PASS_NO_SERVICE")
        yield passed(f"IPv{family} for a backend itself, sent to a virtual router in standby",
                     frame((STANDBY_MAC, CLIENT_MAC), (
                         CLIENT[family], 4, BACK_LINK.backend[family], NAT_TCP.backend_port),
                           "tcp"), "PASS_FOREIGN_FRAME")


def tags():
    for family in FAMILIES:
        for name, ids in {"VLAN 9, which is not here": (9,), "VLAN 9 within VLAN 7": (7, 9),
                          "VLAN 7 within VLAN 9": (9, 7), "VLAN 8 alone": (8,),
                          "VLAN 7 within VLAN 8": (8, 7)}.items():
            yield passed(f"IPv{family} in {name}", request(NAT_TCP, family, tags=ids),
                         "PASS_FOREIGN_FRAME")
        yield passed(f"an IPv{family} answer in a VLAN that is not here",
                     answer(NAT_TCP, family, tags=(9,)), "PASS_FOREIGN_FRAME", "back")
        for name, ids, got in (("a priority alone", (0,), (0,)), ("two priorities", (0, 0), ()),
                               ("VLAN 7 behind a priority", (0, 7), ()),
                               ("a priority behind VLAN 7", (7, 0), ())):
            yield forwarded(f"IPv{family} with {name}", NAT_TCP, family, {"tags": ids},
                            {"tags": got})
        yield answered(f"an IPv{family} answer with a priority", NAT_UDP, family, {"tags": (0,)},
                       {"tags": (0,)})


# ---- sources that no client has -----------------------------------------------
MARTIANS = {
    4: ("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "224.0.0.1", "239.255.255.255",
        "255.255.255.255", "192.0.2.255", SERVICE[4], FRONT[4], BACK[4]),
    6: ("::", "::1", "::192.0.2.7", "::ffff:192.0.2.7", "ff02::1", "ffff::1", SERVICE[6],
        FRONT[6], BACK[6]),
}
CLIENTS = {
    4: ("1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255", "240.0.0.1",
        "255.255.255.254", "198.51.100.11"),
    6: ("::1:0:0:0:1", "2001:db8:1::11", "fe00::1"),
}


def martians():
    for family in FAMILIES:
        for svc in (NAT_TCP, DSR_UDP):
            for source in MARTIANS[family]:
                yield dropped(f"a packet to {svc.name} from {source}",
                              request(svc, family, source=source), "DROP_MARTIAN")
            for source in CLIENTS[family]:
                yield forwarded(f"a packet to {svc.name} from {source}", svc, family,
                                source=source)
        for svc in (REFUSING_TCP, REFUSING_UDP):
            yield dropped(f"IPv{family} from this machine itself is not answered by {svc.name}",
                          request(svc, family, source=FRONT[family]), "DROP_MARTIAN")


# ---- routes that the source has chosen ----------------------------------------
LOOSE_ROUTE, STRICT_ROUTE = 131, 137  # IPv4 options (RFC 791)


def route(kind, pointer):
    """Behind a NOP. As bytes: scapy would have the checksum for the route's last address."""
    return [Raw(bytes([1, kind, 11, pointer]) + b"\xc0\0\2\7\xc0\0\2\x08")]


def source_routes():
    for name, kind in (("loose", LOOSE_ROUTE), ("strict", STRICT_ROUTE)):
        for svc in (NAT_TCP, DSR_UDP):
            for pointer in (4, 8, 11):
                yield dropped(f"{svc.name}: a {name} route that is at {pointer} of 11 bytes",
                              request(svc, 4, ip={"options": route(kind, pointer)}),
                              "DROP_UNSERVED")
            yield forwarded(f"{svc.name}: a {name} route that is finished", svc, 4,
                            ip={"options": route(kind, 12)})
        yield passed(f"an answer with a {name} route that is not finished",
                     answer(NAT_TCP, 4, ip={"options": route(kind, 4)}), "PASS_PROTOCOL", "back")
        yield Case(f"a {name} route that is not finished, and `unserved: pass`",
                   request(NAT_TCP, 4, ip={"options": route(kind, 4)}), "PASS_PROTOCOL",
                   setup=unserved("pass"))
    yield forwarded("a route option that is hidden behind the end of the options", DSR_UDP, 4,
                    ip={"options": [Raw(b"\0\x83\x07\x04\xc0\0\2\1")]})
    yield dropped("the first fragment, with a route that is not finished",
                  request(NAT_UDP, 4, ip={"options": route(LOOSE_ROUTE, 4), "flags": "MF"}),
                  "DROP_UNSERVED")


# ---- for a service's address, and for no service ------------------------------
ICMP_PASSED = (0, 3, 4, 5, 8, 11, 12)
ICMPV6_PASSED = (1, 2, 3, 4, 127, 128, 129, 133, 134, 135, 136, 137)


def ping(family, type, target=None):
    if family == 4:
        return frame_of(IP(src=CLIENT[4], dst=target or SERVICE[4], proto=1)
                        / Raw(bytes([type]) + bytes(23)))
    return frame_of(IPv6(src=CLIENT[6], dst=target or SERVICE[6], nh=58)
                    / Raw(bytes([type]) + bytes(23)))


def icmp():
    for family, passes, drops in ((4, ICMP_PASSED, (9, 10, 13, 15, 17, 30, 32, 35, 40, 255)),
                                  (6, ICMPV6_PASSED, (130, 132, 138, 143, 255))):
        for type in passes:
            yield passed(f"ICMP type {type} to the IPv{family} service's address",
                         ping(family, type), "PASS_PROTOCOL")
        for type in drops:
            yield dropped(f"ICMP type {type} to the IPv{family} service's address",
                          ping(family, type), "DROP_UNSERVED")
        length = ETH + (2 if family == 4 else 4)
        yield dropped(f"ICMP that ends before its type, to the IPv{family} service's address",
                      patched(ping(family, 8 if family == 4 else 128), length,
                              b"\0\x14" if family == 4 else b"\0\0"), "DROP_UNSERVED")
        yield passed(f"ICMP type 40 to the balancer's IPv{family} address",
                     ping(family, 40 if family == 4 else 200, FRONT[family]), "PASS_PROTOCOL")
    yield passed("a later fragment of a ping",
                 frame_of(IP(src=CLIENT[4], dst=SERVICE[4], proto=1, frag=10) / Raw(bytes(24))),
                 "PASS_FRAGMENT")
    yield passed("a later fragment of an IPv6 ping",
                 frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6])
                          / IPv6ExtHdrFragment(offset=10, m=0, id=9, nh=58) / Raw(bytes(24))),
                 "PASS_FRAGMENT")
    yield dropped("a fragment header of IPv6 that is cut short, and behind it the next one's bytes",
                  patched(frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6])
                                   / IPv6ExtHdrFragment(offset=10, m=0, id=9, nh=58)),
                          ETH + 4, b"\0\4"), "DROP_UNSERVED")
    yield passed("a neighbour solicitation behind a destination options header",
                 frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6]) / IPv6ExtHdrDestOpt(nh=58)
                          / Raw(bytes([135]) + bytes(23))), "PASS_PROTOCOL")


def unserved(how):
    @contextlib.contextmanager
    def setup(datapath):
        with datapath.reconfigured(unserved=how):
            yield
    return setup


def to_nobody(family, proto, **more):
    return frame((FRONT_MAC, CLIENT_MAC), (CLIENT[family], 40000, SERVICE[family], 9), proto,
                 **more)


def refused(id, sent, expected):
    return Case(id, sent, "REJECTED_UNSERVED", "front", bytes(expected), "front",
                setup=unserved("reject"))


def refusals():
    for family in FAMILIES:
        unreachable = ICMPv6DestUnreach if family == 6 else lambda code: ICMP(type=3, code=code)
        port, prohibited = (4, 1) if family == 6 else (3, 13)
        size = (40 if family == 6 else 20) + 8
        syn = to_nobody(family, "tcp", payload=b"", l4={"flags": "S", "seq": 1000})
        yield refused(f"`unserved: reject` answers an IPv{family} SYN", syn,
                      back_to_client(family) / TCP(sport=9, dport=40000, flags="RA", seq=0,
                                                   ack=1001, window=0))
        datagram = to_nobody(family, "udp")
        yield refused(f"`unserved: reject` answers an IPv{family} datagram", datagram,
                      back_to_client(family) / unreachable(code=port)
                      / Raw(datagram[14:14 + size]))
        number = {"proto": 47} if family == 4 else {"nh": 47}
        header = IP if family == 4 else IPv6
        gre = frame_of(header(src=CLIENT[family], dst=SERVICE[family], **number) / Raw(bytes(24)))
        yield refused(f"`unserved: reject` answers IPv{family} GRE", gre,
                      back_to_client(family) / unreachable(code=prohibited)
                      / Raw(gre[14:14 + size]))
        for name, data in {
            "ICMP of a kind that is not passed": ping(family, 40 if family == 4 else 200),
            "a reset": to_nobody(family, "tcp", payload=b"", l4={"flags": "R"}),
            "TCP that is cut short": to_nobody(family, "tcp", payload=b"", l4={"dataofs": 15}),
        }.items():
            yield dropped(f"`unserved: reject` does not answer {name}, IPv{family}", data,
                          "DROP_UNSERVED", setup=unserved("reject"))
        yield passed(f"`unserved: pass` passes IPv{family}", datagram, "PASS_NO_SERVICE",
                     setup=unserved("pass"))
    unfinished = IPv6ExtHdrRouting(addresses=["2001:db8::7"], segleft=1)
    four = IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt()
    for name, between in (("a routing header with segments left", unfinished),
                          ("five extension headers", four / IPv6ExtHdrDestOpt()),
                          ("five extension headers, the last for fragments",
                           four / IPv6ExtHdrFragment())):
        for what, last in (("ICMP", ICMPv6DestUnreach()), ("TCP", TCP())):
            yield dropped(f"`unserved: reject` does not answer {what} behind {name}",
                          frame_of(IPv6(src=CLIENT[6], dst=SERVICE[6]) / between / last),
                          "DROP_UNSERVED", setup=unserved("reject"))
    yield dropped("`unserved: reject` does not answer a later fragment",
                  to_nobody(4, "udp", ip={"frag": 10}), "DROP_UNSERVED",
                  setup=unserved("reject"))


@contextlib.contextmanager
def on_lo(datapath):
    """The service's addresses are this machine's."""
    ip = datapath.balancer.ip
    with datapath.told():
        ip(f"address add {SERVICE[4]}/32 dev lo", f"address add {SERVICE[6]}/128 dev lo")
    try:
        yield
    finally:
        with datapath.told():
            ip(f"address del {SERVICE[4]}/32 dev lo", f"address del {SERVICE[6]}/128 dev lo")


def held():
    for family in FAMILIES:
        case = passed(f"IPv{family} for no service at its address, which this machine holds",
                      to_nobody(family, "tcp"), "PASS_NO_SERVICE", setup=on_lo)
        case.changes_links = True
        yield case
        case = forwarded(f"IPv{family} for a service whose address this machine holds", DSR_UDP,
                         family)
        case.setup = on_lo
        case.changes_links = True
        yield case

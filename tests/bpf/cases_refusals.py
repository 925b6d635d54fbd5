# SPDX-License-Identifier: BSD-2-Clause
"""Refusals: a service that nobody serves answers, if it is asked to. What comes
out is built here from the RFCs alone.
"""

from case import FAMILIES, Case, dropped
from frames import (
    CLIENT, CLIENT_MAC, FRONT_MAC, REFUSING_TCP, REFUSING_UDP, SERVICE, request,
)
from lab.packets import (
    ICMP, IP, TCP, Dot1AD, Dot1Q, Ether, ICMPv6DestUnreach, IPv6, IPv6ExtHdrHopByHop, Raw,
)

SEQ, ACK = 1000, 5000


def back_to_client(family, tags=(), client=None):
    client = client or CLIENT[family]
    packet = Ether(dst=CLIENT_MAC, src=FRONT_MAC)
    for place, tag in enumerate(tags):
        packet /= Dot1AD(vlan=tag) if place == 0 and len(tags) > 1 else Dot1Q(vlan=tag)
    if family == 4:
        return packet / IP(src=SERVICE[4], dst=client, ttl=64, id=0, flags="DF")
    return packet / IPv6(src=SERVICE[6], dst=client, hlim=64)


def reset(family, flags, seq, ack=0, tags=(), client=None, svc=REFUSING_TCP):
    return bytes(back_to_client(family, tags, client) / TCP(
        sport=svc.port, dport=40000, flags=flags, seq=seq, ack=ack, window=0))


def unreachable(family, sent, tags=(), client=None):
    """Administratively prohibited, with the beginning of what was sent."""
    l3 = 14 + 4 * len(tags)
    quoted = sent[l3:l3 + (20 if family == 4 else 40) + 8]
    if family == 4:
        return bytes(back_to_client(4, tags, client) / ICMP(type=3, code=13) / Raw(quoted))
    return bytes(back_to_client(6, tags, client) / ICMPv6DestUnreach(code=1) / Raw(quoted))


def refusal(id, sent, expected):
    return Case(id, sent, "REJECTED", "front", expected, "front")


def tcp(family, flags, payload=b"", **more):
    return request(REFUSING_TCP, family, payload=payload,
                   l4={"flags": flags, "seq": SEQ, "ack": ACK}, **more)


def refusals():
    for family in FAMILIES:
        yield refusal(f"an IPv{family} SYN is refused with a reset that acknowledges it",
                      tcp(family, "S"), reset(family, "RA", 0, SEQ + 1))
        yield refusal(f"an IPv{family} SYN with data is refused with all of it acknowledged",
                      tcp(family, "S", b"early"), reset(family, "RA", 0, SEQ + 6))
        yield refusal(f"an IPv{family} packet of a connection is refused where it stands",
                      tcp(family, "PA", b"data of a connection"), reset(family, "R", ACK))
        yield refusal(f"an IPv{family} FIN without ACK is refused",
                      tcp(family, "F"), reset(family, "RA", 0, SEQ + 1))
        yield dropped(f"an IPv{family} reset is not answered", tcp(family, "R"),
                      "DROP_NO_BACKEND")
        for tags in ((), (7,), (7, 8)):
            text = f"with {len(tags)} VLAN tags"
            yield refusal(f"an IPv{family} SYN {text} is refused within them",
                          tcp(family, "S", tags=tags), reset(family, "RA", 0, SEQ + 1, tags=tags))
            for size in (0, 1, 7, 8, 9, 500, 1400):
                sent = request(REFUSING_UDP, family, payload=b"x" * size, tags=tags)
                yield refusal(f"an IPv{family} datagram of {size} bytes {text} is refused",
                              sent, unreachable(family, sent, tags))
    yield dropped("an IPv4 SYN with options in its IP header is not answered",
                  tcp(4, "S", ip={"options": [("NOP"), ("NOP"), ("NOP"), ("EOL")]}),
                  "DROP_NO_BACKEND")
    yield dropped("an IPv6 SYN behind an extension header is not answered",
                  tcp(6, "S", between=IPv6ExtHdrHopByHop()), "DROP_NO_BACKEND")

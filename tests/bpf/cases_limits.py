# SPDX-License-Identifier: BSD-2-Clause
"""Access and limits: who may use a service, and how much of it. Each case has a
source of its own, for buckets last.
"""

from case import FAMILIES, dropped, forwarded
from cases_bad import after
from cases_refusals import refusal, reset, unreachable
from frames import (
    BYTES, DRY, EXEMPTING, FIXED, GUARDED, OPENING, REJECTING_TCP, REJECTING_UDP, SLIDING,
    TOGETHER, TWICE, WIDE, request, service,
)


def source(family, number):
    """One of those that nobody else has; IPv6: a /64 each."""
    return f"192.0.2.{number}" if family == 4 else f"2001:db8:c:{number:x}::1"


SYN, ACK = {"flags": "S", "seq": 1000}, {"flags": "A", "seq": 1001, "ack": 5000}


def access():
    for family in FAMILIES:
        other = "203.0.113.7" if family == 4 else "2001:db8:77::1"
        denied = "192.0.2.100" if family == 4 else "2001:db8:c:dead::7"
        never = "192.0.2.250" if family == 4 else "2001:db8:bad:1::7"
        yield forwarded(f"an IPv{family} source among the allowed", GUARDED, family)
        yield dropped(f"an IPv{family} source that is in no list, where some are allowed",
                      request(GUARDED, family, source=other), "DROP_DENIED")
        yield dropped(f"an IPv{family} source among the allowed, denied by a longer prefix",
                      request(GUARDED, family, source=denied), "DROP_DENIED")
        yield dropped(f"an IPv{family} source that no service may serve",
                      request(service("nat", "udp"), family, source=never), "DROP_DENIED")
        beside = "192.0.2.251" if family == 4 else "2001:db8:bae::7"
        yield forwarded(f"the IPv{family} source beside one that no service may serve",
                        service("nat", "udp"), family, source=beside)


def limits():
    for family in FAMILIES:
        yield from of_bytes(family)
        yield from of_connections(family)
        yield from of_several(family)
        yield from of_windows(family)
        yield from of_prefixes(family)
        mine = source(family, 61)
        dry = forwarded(f"an IPv{family} source over a limit that is tried out", DRY, family,
                        source=mine)
        dry.setup = after(*[request(DRY, family, source=mine)] * 5)
        yield dry
        free = "192.0.2.161" if family == 4 else "2001:db8:e1::1"
        exempt = forwarded(f"an exempt IPv{family} source over the limit", EXEMPTING, family,
                           source=free)
        exempt.setup = after(*[request(EXEMPTING, family, source=free)] * 5)
        yield exempt
        bound = "192.0.2.176" if family == 4 else "2001:db8:f0::1"
        yield dropped(f"the IPv{family} source beside the exempt ones",
                      request(EXEMPTING, family, source=bound), "DROP_LIMIT",
                      setup=after(*[request(EXEMPTING, family, source=bound)] * 5))
    yield dropped("a source that has sent nothing, when all have sent as much as they may",
                  request(TOGETHER, 4, source=source(4, 62)), "DROP_LIMIT",
                  setup=after(request(TOGETHER, 4, source=source(4, 63)),
                              request(TOGETHER, 6, source=source(6, 63))))


def of_bytes(family):
    mine = source(family, 64)
    big = request(BYTES, family, source=mine, payload=b"x" * 1200)
    within = forwarded(f"IPv{family} bytes within the limit", BYTES, family, source=mine,
                       payload=b"x" * 1200)
    within.setup = after(big)
    yield within
    other = source(family, 65)
    big = request(BYTES, family, source=other, payload=b"x" * 1200)
    yield dropped(f"IPv{family} bytes beyond the limit", big, "DROP_LIMIT",
                  setup=after(*[big] * 6))  # three by the gate, three by the bucket
    third = source(family, 66)
    small = forwarded(f"an IPv{family} packet within a limit that a large one is over", BYTES,
                      family, source=third, payload=b"x")
    small.setup = after(*[request(BYTES, family, source=third, payload=b"x" * 1200)] * 7)
    yield small


def of_connections(family):
    mine = source(family, 67)
    yield dropped(f"a second IPv{family} connection over a limit of connections",
                  request(OPENING, family, source=mine, sport=40001, l4=SYN), "DROP_LIMIT",
                  setup=after(request(OPENING, family, source=mine, l4=SYN)))
    other = source(family, 68)
    goes_on = forwarded(f"the packets of an IPv{family} connection over a limit of connections",
                        OPENING, family, source=other, l4=ACK)
    goes_on.setup = after(*[request(OPENING, family, source=other, l4=SYN)] * 3)
    yield goes_on


def of_several(family):
    mine = source(family, 69)
    yield dropped(f"a second IPv{family} connection over the second of two limits",
                  request(TWICE, family, source=mine, sport=40001, l4=SYN), "DROP_LIMIT",
                  setup=after(request(TWICE, family, source=mine, l4=SYN)))
    other = source(family, 70)
    yield dropped(f"a fourth IPv{family} packet over the first of two limits",
                  request(TWICE, family, source=other, l4=ACK), "DROP_LIMIT",
                  setup=after(*[request(TWICE, family, source=other, l4=ACK)] * 3))
    third = source(family, 71)
    yield forwarded(f"an IPv{family} packet within two limits", TWICE, family, source=third,
                    l4=SYN)


def of_windows(family):
    for name, svc, number in (("fixed", FIXED, 72), ("sliding", SLIDING, 73)):
        mine = source(family, number)
        sent = request(svc, family, source=mine)
        within = forwarded(f"the second IPv{family} packet of two in a {name} window's limit", svc,
                           family, source=mine)
        within.setup = after(sent)
        yield within
        other = source(family, number + 2)
        sent = request(svc, family, source=other)
        yield dropped(f"the third IPv{family} packet of two in a {name} window's limit", sent,
                      "DROP_LIMIT", setup=after(sent, sent))


def of_prefixes(family):
    mine, same, beside = (
        ("198.18.1.1", "198.18.1.255", "198.18.2.1") if family == 4 else
        ("2001:db8:5:1::1", "2001:db8:5:ffff::1", "2001:db8:6:1::1"))
    yield dropped(f"another source of an IPv{family} prefix that is over its limit",
                  request(WIDE, family, source=same), "DROP_LIMIT",
                  setup=after(request(WIDE, family, source=mine)))
    yield forwarded(f"a source of the IPv{family} prefix beside one that is over its limit", WIDE,
                    family, source=beside)


def rejections():
    for family in FAMILIES:
        mine = source(family, 77)
        yield rejected_limit(f"an IPv{family} SYN over the limit is reset",
                             request(REJECTING_TCP, family, source=mine, payload=b"", l4=SYN),
                             reset(family, "RA", 0, 1001, client=mine, svc=REJECTING_TCP))
        mine = source(family, 78)
        sent = request(REJECTING_TCP, family, source=mine, l4=ACK)
        yield dropped(f"a packet of an IPv{family} connection over the limit is not answered",
                      sent, "DROP_LIMIT", setup=after(sent))
        mine = source(family, 79)
        sent = request(REJECTING_UDP, family, source=mine)
        yield rejected_limit(f"an IPv{family} datagram over the limit is answered by ICMP", sent,
                             unreachable(family, sent, client=mine))
    nobody = request(REJECTING_UDP, 4, source="224.0.0.5")
    yield dropped("a datagram from a group's address is not answered", nobody, "DROP_MARTIAN")
    nobody = request(REJECTING_UDP, 6, source="ff02::5")
    yield dropped("an IPv6 datagram from a group's address is not answered", nobody,
                  "DROP_MARTIAN")


def rejected_limit(id, sent, expected):
    case = refusal(id, sent, expected)
    case.verdict = "REJECTED_LIMIT"
    case.setup = after(sent)
    return case

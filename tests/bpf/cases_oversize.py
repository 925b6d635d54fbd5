# SPDX-License-Identifier: BSD-2-Clause
"""Packets of nat and dsr beyond the MTU of their way, in both directions."""

from case import (
    DSR_TCP, DSR_UDP, ETH, FAMILIES, NAT_TCP, NAT_UDP, Case, answered, dropped, upper,
)
from cases_ipip import told
from cases_replies import none_waits
from frames import BACK_LINK, NARROW_CLIENT, ROUTER_MAC, FRONT_MAC, answer, request
from lab.packets import ICMP, IP, Ether, ICMPv6PacketTooBig, IPv6, Raw

MTU, CLIENTS_MTU = 1500, 1400  # of the way to backends; of the way to NARROW_CLIENT
HEADER = {4: 20, 6: 40}
TRANSPORT = {"tcp": 20, "udp": 8}


def filler(svc, family, size):
    """A payload that makes an IP packet of this size."""
    return b"x" * (size - HEADER[family] - TRANSPORT[svc.proto])


def told_backend(family, sent, client, mtu):
    """What a backend gets whose reply is too long."""
    quoted = Raw(sent[ETH:ETH + HEADER[family] + 8])
    packet = Ether(dst=BACK_LINK.backend_mac, src=BACK_LINK.mac)
    if family == 4:
        return bytes(packet / IP(src=client, dst=BACK_LINK.backend[4], ttl=64, id=0, flags="DF")
                     / ICMP(type=3, code=4, nexthopmtu=mtu) / quoted)
    return bytes(packet / IPv6(src=client, dst=BACK_LINK.backend[6], hlim=64)
                 / ICMPv6PacketTooBig(mtu=mtu) / quoted)


def whole(family):
    """Further fields of a header whose packet must not be cut."""
    return {"flags": "DF"} if family == 4 else {}


def requests():
    for svc in (NAT_TCP, NAT_UDP, DSR_TCP, DSR_UDP):
        what = f"{upper(svc.forward)} {upper(svc.proto)} packet"
        for family in FAMILIES:
            sent = request(svc, family, payload=filler(svc, family, MTU + 1), ip=whole(family))
            yield Case(f"an IPv{family} {what} beyond the MTU, that must not be cut", sent,
                       "REJECTED_TOO_BIG", "front", told(family, sent, MTU))
        yield dropped(f"an IPv4 {what} beyond the MTU, that may be cut",
                      request(svc, 4, payload=filler(svc, 4, MTU + 1)), "FRAGMENTED")
        yield dropped(f"an IPv4 {what} beyond the MTU and the pace of those that wait",
                      request(svc, 4, payload=filler(svc, 4, MTU + 1)), "DROP_TOO_BIG",
                      setup=none_waits)


def replies():
    for svc in (NAT_TCP, NAT_UDP):
        for family in FAMILIES:
            what = f"IPv{family} {upper(svc.proto)} answer"
            client = NARROW_CLIENT[family]
            longest = filler(svc, family, CLIENTS_MTU)
            yield answered(f"an {what} as long as the MTU of the client's way", svc, family,
                           got={"macs": (ROUTER_MAC, FRONT_MAC)}, client=client,
                           payload=longest)
            sent = answer(svc, family, client=client, payload=longest + b"x", ip=whole(family))
            yield Case(f"an {what} beyond the MTU of the client's way", sent, "REJECTED_REPLY",
                       "back", told_backend(family, sent, client, CLIENTS_MTU), "back")
        yield dropped(f"an IPv4 {upper(svc.proto)} answer beyond the MTU, that may be cut",
                      answer(svc, 4, client=NARROW_CLIENT[4],
                             payload=filler(svc, 4, CLIENTS_MTU + 1)), "FRAGMENTED_REPLY", "back")
        yield dropped(f"an IPv4 {upper(svc.proto)} answer beyond the MTU and the pace",
                      answer(svc, 4, client=NARROW_CLIENT[4],
                             payload=filler(svc, 4, CLIENTS_MTU + 1)), "DROP_TOO_BIG", "back",
                      none_waits)

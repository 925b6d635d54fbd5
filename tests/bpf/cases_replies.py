# SPDX-License-Identifier: BSD-2-Clause
"""The way back: whose answers are rewritten, and whose are left alone."""

import contextlib

from case import DSR_TCP, FAMILIES, NAT_TCP, NAT_UDP, Case, answered, dropped, passed, upper
from frames import (
    BACK, BACK_LINK, BLACKHOLED, CLIENT, FAR_CLIENT, FRONT, FRONT_LINK, FRONT_MAC, NARROW_CLIENT,
    ROUTER_MAC, SILENT, VLAN_LINK, answer, delivered, frame, request, returned, service,
)

@contextlib.contextmanager
def forwarding_off(datapath):
    paths = [f"net/ipv{family}/conf/back/forwarding" for family in FAMILIES]
    with datapath.told():
        datapath.balancer.sysctl({path: 0 for path in paths})
    try:
        yield
    finally:
        with datapath.told():
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
        for svc in (NAT_TCP, NAT_UDP):
            yield passed(f"an IPv{family} {upper(svc.proto)} packet to a backend itself",
                         frame((FRONT_LINK.mac, FRONT_LINK.backend_mac),
                               (CLIENT[family], 39999, BACK_LINK.backend[family],
                                svc.backend_port), svc.proto), "PASS_DIRECT")
        yield passed(f"an IPv{family} backend that opens a connection from its service's port",
                     answer(NAT_TCP, family, cport=39998, l4={"flags": "S"}), "PASS_DIRECT", "back")
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
        for svc in (NAT_TCP, NAT_UDP):
            yield dropped(f"an IPv{family} {upper(svc.proto)} backend that is its own client",
                          request(svc, family, source=BACK_LINK.backend[family],
                                  macs=(BACK_LINK.mac, BACK_LINK.backend_mac)),
                          "DROP_HAIRPIN", "back")
        own, other = service("nat", "tcp"), service("nat", "tcp", FRONT_LINK)
        yield Case(f"an IPv{family} backend that is another one's client",
                   request(other, family, source=own.link.backend[family],
                           macs=(own.link.mac, own.link.backend_mac)),
                   "FORWARDED", "back",
                   delivered(other, family, source=own.link.backend[family]), "front")
        yield Case(f"an IPv{family} backend that is a client of the service itself",
                   request(DSR_TCP, family, source=BACK_LINK.backend[family],
                           macs=(BACK_LINK.mac, BACK_LINK.backend_mac)),
                   "FORWARDED", "back",
                   delivered(DSR_TCP, family, source=BACK_LINK.backend[family]), "back")

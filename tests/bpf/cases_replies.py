# SPDX-License-Identifier: BSD-2-Clause
"""The way back: whose answers are rewritten, and whose are left alone."""

import contextlib

from case import DSR_TCP, FAMILIES, NAT_TCP, NAT_UDP, Case, answered, dropped, passed, upper
from frames import (
    BACK, BACK_LINK, BLACKHOLED, CLIENT, CLIENT_MAC, FAR_CLIENT, FRONT, FRONT_LINK, FRONT_MAC,
    ROUTER_MAC, SILENT, UNROUTED, VLAN_LINK, answer, delivered, frame, request, returned,
    service,
)
from lab import wait
from lab.testrun import Action

# A client behind a bridge of the balancer's, one of whose ports is `front`.
BRIDGED = {4: "10.66.0.2", 6: "2001:db8:66::2"}
BRIDGED_MAC, BRIDGE_MAC = "02:00:00:00:66:02", "02:00:00:00:66:01"


@contextlib.contextmanager
def bridge(datapath):
    balancer = datapath.balancer
    with datapath.told():
        balancer.ip(
            f"link add br66 address {BRIDGE_MAC} type bridge stp_state 0", "link set br66 up",
            "link add port66 master br66 type veth peer name end66", "link set port66 up",
            "link set end66 up",
            "route add 10.66.0.0/24 dev br66", "route add 2001:db8:66::/64 dev br66",
            *(f"neighbour replace {address} lladdr {BRIDGED_MAC} dev br66 nud permanent"
              for address in BRIDGED.values()))
        # Only then does the port take frames from XDP.
        balancer.run("ethtool", "-K", "end66", "gro", "on")
    try:
        yield
    finally:
        with datapath.told():
            balancer.ip("link del br66", "link del port66")


def run_until(datapath, action):
    """Runs a packet of each kind that leaves by the bridge until it meets the action."""
    for family in FAMILIES:
        sent = answer(NAT_TCP, family, client=BRIDGED[family])
        wait.until(lambda sent=sent: datapath.run(sent, "back")[0] == action,
                   f"an IPv{family} answer meets {action}")


@contextlib.contextmanager
def bridge_that_is_known(datapath):
    """The daemon has asked the kernel."""
    with bridge(datapath):
        run_until(datapath, Action.PASS)
        yield


@contextlib.contextmanager
def bridge_with_a_port(datapath):
    """The bridge knows the client's port, and the daemon has asked it."""
    with bridge(datapath):
        datapath.balancer.run("bridge", "fdb", "replace", BRIDGED_MAC, "dev", "port66", "master")
        run_until(datapath, Action.REDIRECT)
        yield


@contextlib.contextmanager
def none_waits(datapath):
    """The daemon is given no packets."""
    with datapath.tuned("unsent", 1 << 62):
        yield


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


# To these a default route leads, and yet none is a client's.
NO_CLIENTS = {4: ("0.1.2.3", "224.0.0.251", "239.255.255.250"),
              6: ("::192.0.2.7", "::ffff:192.0.2.7", "ff0e::fb")}


def answers():
    for family in FAMILIES:
        for svc in (NAT_TCP, NAT_UDP):
            for address in NO_CLIENTS[family]:
                yield passed(f"what an IPv{family} {upper(svc.proto)} backend sends to {address}",
                             answer(svc, family, client=address), "PASS_DIRECT", "back")
        for svc in (NAT_TCP, NAT_UDP):
            what = f"IPv{family} {upper(svc.proto)}"
            yield answered(f"an {what} answer to a client behind a router", svc, family,
                           got={"macs": (ROUTER_MAC, FRONT_MAC)}, client=FAR_CLIENT[family])
            yield dropped(f"an {what} answer to a client whose MAC address is unknown",
                          answer(svc, family, client=SILENT[family]), "HELD", "back")
            bridged = answer(svc, family, client=BRIDGED[family])
            yield dropped(f"the first {what} answer that leaves by a bridge", bridged, "HELD",
                          "back", bridge, changes_links=True)
            yield Case(f"an {what} answer that the kernel forwards by a bridge", bridged,
                       "PASS_HANDED_OVER", "back",
                       returned(svc, family, client=BRIDGED[family], ttl=64,
                                macs=(BACK_LINK.mac, BACK_LINK.backend_mac)),
                       setup=bridge_that_is_known, changes_links=True)
            yield Case(f"an {what} answer that leaves by a bridge's port", bridged, "RETURNED",
                       "back", returned(svc, family, client=BRIDGED[family],
                                        macs=(BRIDGED_MAC, BRIDGE_MAC)),
                       "front", bridge_with_a_port, changes_links=True)
            yield passed(f"an {what} answer to the balancer itself is untouched",
                         answer(svc, family, client=BACK[family]), "PASS_OWN", "back")
            yield passed(f"an {what} answer that comes from the clients' side",
                         answer(svc, family, client=FAR_CLIENT[family],
                                macs=(FRONT_MAC, CLIENT_MAC)), "PASS_ELSEWHERE", "front")
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
        yield passed(f"an IPv{family} answer while forwarding is off",
                     answer(NAT_TCP, family), "PASS_FORWARDING_OFF", "back", forwarding_off)
        yield dropped(f"an IPv{family} answer into a blackhole",
                      answer(NAT_TCP, family, client=BLACKHOLED[family]), "DROP_NO_ROUTE", "back")
        yield passed(f"an IPv{family} answer to an address that no route leads to",
                     answer(NAT_TCP, family, client=UNROUTED[family]), "PASS_NO_ROUTE", "back")
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
        yield dropped(f"an IPv{family} answer beyond the pace of those that wait",
                      answer(NAT_TCP, family, client=SILENT[family]), "DROP_UNSENT", "back",
                      none_waits)
        yield Case(f"an IPv{family} backend that is a client of the service itself",
                   request(DSR_TCP, family, source=BACK_LINK.backend[family],
                           macs=(BACK_LINK.mac, BACK_LINK.backend_mac)),
                   "FORWARDED", "back",
                   delivered(DSR_TCP, family, source=BACK_LINK.backend[family]), "back")

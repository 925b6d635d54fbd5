# SPDX-License-Identifier: BSD-2-Clause
"""The two networks that sluice is tested in, IPv4 and IPv6 in both.

routed:   client -- front [balancer] back -- backends
          The way to a backend is XDP_REDIRECT; answers come back through the
          balancer, which is the backends' default route.

one_arm:  client, balancer and backends on one link; the balancer has one
          interface. The way to a backend is XDP_TX; answers go to the client
          directly (for `dsr`, `ipip`) or through the balancer (for `nat`).

The links are veth pairs into bridges, which live in a namespace of their own.
What makes them behave like wires:
  gro on           a veth takes frames of XDP_REDIRECT only when the peer polls
                   (NAPI); this switches that on
  gro_max_size 1   and then nothing is merged: what is captured is what was sent
  a program        for XDP_TX, polling is not enough: Linux wakes the peer only
                   if that has an XDP program too (else the frame lies there
                   until the next one comes), so the balancer's peer gets one
  tx off           checksums are written by the sender, not left to a NIC
"""

import itertools
from dataclasses import dataclass

from .netns import Lab, Namespace
from .tunnel import take_tunnelled
from .xdp import attach_pass

QUEUES = 2

SERVICE4, SERVICE6 = "198.51.100.10", "2001:db8:1::10"
CLIENT_NET4, CLIENT_NET6 = "192.0.2.{}", "2001:db8:c::{:x}"
BACKEND_NET4, BACKEND_NET6 = "10.0.0.{}", "2001:db8:b::{:x}"
BALANCER_HOST = 1
FIRST_CLIENT_HOST = 2
FIRST_BACKEND_HOST = 11


@dataclass
class Host:
    """A client or a backend: a namespace with one interface, eth0."""

    ns: Namespace
    name: str
    ipv4: str
    ipv6: str
    mac: str
    device: str = "eth0"

    def address(self, family):
        return self.ipv4 if family == 4 else self.ipv6


@dataclass
class Topology:
    lab: Lab
    wire: Namespace
    balancer: Namespace
    clients: list
    backends: list
    front: str  # the balancer's device towards the clients
    back: str  # ... towards the backends; one_arm: the same

    @property
    def client(self):
        return self.clients[0]

    @property
    def interfaces(self):
        return sorted({self.front, self.back})

    @staticmethod
    def service(family):
        return SERVICE4 if family == 4 else SERVICE6

    @staticmethod
    def url(family, port=80, path="/"):
        host = SERVICE4 if family == 4 else f"[{SERVICE6}]"
        return f"http://{host}:{port}{path}"


def mac_of(kind, number):
    return f"02:00:00:00:{kind:02x}:{number:02x}"


FRONT_MAC, BACK_MAC = mac_of(0, 1), mac_of(0, 2)  # of the balancer
_replugged = itertools.count()


def routed(lab, backends=3, clients=1, tunnel=False):
    """The balancer routes between the clients' link and the backends' link. tunnel:
    the backends take IP-in-IP (for `ipip`).
    """
    wire = _wire(lab, "front", "back")
    balancer = _balancer(lab)
    plug(wire, balancer, "front", "front", FRONT_MAC)
    plug(wire, balancer, "back", "back", BACK_MAC)
    for side in ("front", "back"):
        attach_pass(wire, f"lb-{side}", "lab_pass")  # a refusal goes out by XDP_TX
    balancer.ip(*_balancer_addresses("front", "back"))
    return Topology(
        lab, wire, balancer,
        [_client(lab, wire, "front", number) for number in range(clients)],
        [_backend(lab, wire, "back", number, "balancer", tunnel) for number in range(backends)],
        "front", "back",
    )


def one_arm(lab, backends=3, clients=1, answers="direct", tunnel=False):
    """Everyone on one link. answers: "direct" (dsr, ipip) or "balancer" (nat)."""
    wire = _wire(lab, "lan")
    balancer = _balancer(lab)
    plug(wire, balancer, "eth0", "lan", FRONT_MAC)
    attach_pass(wire, "lb", "lab_pass")
    balancer.ip(*_balancer_addresses("eth0", "eth0"))
    return Topology(
        lab, wire, balancer,
        [_client(lab, wire, "lan", number) for number in range(clients)],
        [_backend(lab, wire, "lan", number, answers, tunnel) for number in range(backends)],
        "eth0", "eth0",
    )


def second_balancer(top, number):
    """Another balancer on the links of `routed`, with this host number; its namespace."""
    ns = _balancer(top.lab, "lb2")
    for kind, device in ((2, "front"), (3, "back")):
        plug(top.wire, ns, device, device, mac_of(kind, number))
        attach_pass(top.wire, f"lb2-{device}", "lab_pass")
    ns.ip(*_client_link("front", number), *_backend_link("back", number))
    return ns


def replug(top, device, name=None):
    """Gives the balancer a device in the place of one that it had, under this name."""
    front, back = device in ("front", "eth0"), device in ("back", "eth0")
    bridge = "lan" if device == "eth0" else device
    name = name or device
    plug(top.wire, top.balancer, name, bridge, FRONT_MAC if front else BACK_MAC)
    if front:
        attach_pass(top.wire, _port(top.balancer, name), f"lab_again{next(_replugged)}")
    top.balancer.ip(*(_client_link(name) if front else ()), *(_backend_link(name) if back else ()))


def _wire(lab, *bridges):
    wire = lab.namespace("wire")
    # Bridged frames are nobody's business but the bridge's.
    wire.sysctl({"net/ipv6/conf/default/disable_ipv6": 1})
    for bridge in bridges:
        wire.ip(
            f"link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set {bridge} up",
        )
    return wire


def _addresses(ipv4, ipv6, device):
    return (f"address add {ipv4}/24 dev {device}", f"address add {ipv6}/64 dev {device} nodad")


def _balancer_addresses(front, back):
    """front, back: the devices towards clients and towards backends."""
    return (*_client_link(front), *_backend_link(back))


def _client_link(device, number=BALANCER_HOST):
    return _addresses(*(net.format(number) for net in (CLIENT_NET4, CLIENT_NET6)), device)


def _backend_link(device, number=BALANCER_HOST):
    return _addresses(*(net.format(number) for net in (BACKEND_NET4, BACKEND_NET6)), device)


def _balancer(lab, name="lb"):
    balancer = lab.namespace(name)
    balancer.sysctl(
        {
            "net/ipv4/ip_forward": 1,
            "net/ipv6/conf/all/forwarding": 1,
            "net/ipv4/conf/all/send_redirects": 0,
            "net/ipv4/conf/default/send_redirects": 0,
        }
    )
    return balancer


def _client(lab, wire, bridge, number):
    ns = lab.namespace(f"client{number + 1}")
    host = Host(
        ns, f"client-{number + 1}",
        CLIENT_NET4.format(FIRST_CLIENT_HOST + number),
        CLIENT_NET6.format(FIRST_CLIENT_HOST + number),
        mac_of(0xC, number + 1),
    )
    plug(wire, ns, "eth0", bridge, host.mac)
    ns.ip(
        *_addresses(host.ipv4, host.ipv6, "eth0"),
        f"route add 0.0.0.0/0 via {CLIENT_NET4.format(BALANCER_HOST)}",
        f"route add ::/0 via {CLIENT_NET6.format(BALANCER_HOST)}",
    )
    return host


def _backend(lab, wire, bridge, number, answers, tunnel):
    ns = lab.namespace(f"web{number + 1}")
    # The service's address on lo is nobody else's to know (for dsr and ipip).
    ns.sysctl(
        {
            "net/ipv4/conf/all/arp_ignore": 1,
            "net/ipv4/conf/all/arp_announce": 2,
        }
    )
    host = Host(
        ns, f"web-{number + 1}",
        BACKEND_NET4.format(FIRST_BACKEND_HOST + number),
        BACKEND_NET6.format(FIRST_BACKEND_HOST + number),
        mac_of(0xB, number + 1),
    )
    plug(wire, ns, "eth0", bridge, host.mac)
    way4, way6 = "dev eth0", "dev eth0"
    if answers == "balancer":
        way4 = f"via {BACKEND_NET4.format(BALANCER_HOST)}"
        way6 = f"via {BACKEND_NET6.format(BALANCER_HOST)}"
    ns.ip(
        *_addresses(host.ipv4, host.ipv6, "eth0"),
        f"route add 0.0.0.0/0 {way4}",
        f"route add ::/0 {way6}",
    )
    if tunnel:
        take_tunnelled(ns, {4: SERVICE4, 6: SERVICE6}, "eth0")
    else:
        ns.ip(f"address add {SERVICE4}/32 dev lo", f"address add {SERVICE6}/128 dev lo nodad")
    return host


def _port(ns, device):
    """The other end of the device's wire."""
    return ns.name.rpartition("-")[2] + ("" if device == "eth0" else f"-{device}")


def plug(wire, ns, device, bridge, mac):
    """Gives `ns` a device that is wired to the bridge."""
    port = _port(ns, device)
    queues = f"numtxqueues {QUEUES} numrxqueues {QUEUES}"
    ns.ip(
        f"link add {device} address {mac} {queues} type veth"
        f" peer name {port} netns {wire.name} {queues}",
    )
    for owner, name in ((wire, port), (ns, device)):
        owner.run("ethtool", "-K", name, "tx", "off", "gro", "on")
        owner.ip(f"link set {name} gro_max_size 1")
    wire.ip(f"link set {port} master {bridge}", f"link set {port} up")
    ns.ip(f"link set {device} up")

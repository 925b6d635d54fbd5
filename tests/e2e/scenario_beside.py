# SPDX-License-Identifier: BSD-2-Clause
"""Two balancers with the same services, addresses that VRRP moves between them, and all frames
that arrive at them, by kinds.
"""

import collections
import socket

from lab import topology, wait
from lab.daemon import Daemon
from lab.packets import Capture
from lab.topology import BACKEND_NET4, BACKEND_NET6, SERVICE4, SERVICE6
from lab.vrrp import Instance, Keepalived
from scenario import configuration, service

HELD4, HELD6 = "198.51.100.20", "2001:db8:1::20"
PROXIED = "2001:db8:1::30"
GATEWAY4, GATEWAY6 = BACKEND_NET4.format(254), BACKEND_NET6.format(254)
INSTANCES = (Instance("service4", "front", 7, SERVICE4), Instance("service6", "front", 7, SERVICE6),
             Instance("gateway4", "back", 8, GATEWAY4), Instance("gateway6", "back", 8, GATEWAY6))
FIRST, SECOND = topology.BALANCER_HOST, 251  # the machines' host numbers
PORT, PORTS = 80, (8080, 8081, 8082)  # of the services, and of their backends
NOWHERE = 9  # a port that no service has

# One failure is seen.
CHECK = {"type": "http", "path": "/health", "interval": "250ms", "timeout": "5s", "rise": 1,
         "fall": 1, "jitter": "0%"}

# What arrives, and the verdicts that may count it.
VERDICTS = {
    "ARP": {"PASS_NOT_IP"},
    "VRRP, neighbours and groups": {"PASS_PROTOCOL"},
    "answers to checks": {"PASS_OWN"},
    "requests and replies": {"FORWARDED", "RETURNED", "HELD", "PASS_FOREIGN_FRAME",
                             "DROP_STANDBY"},
    "for no service": {"DROP_UNSERVED"},
}

# ---- frames ------------------------------------------------------------------
ARP, IPV4, IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
TCP, UDP, ICMPV6, VRRP = 6, 17, 58, 112
SOLICITATION, ADVERTISEMENT = 135, 136


def packed(*addresses):
    return {socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            for address in addresses}


CHECKERS = packed(HELD4, HELD6, *(net.format(host) for net in (BACKEND_NET4, BACKEND_NET6)
                                  for host in (FIRST, SECOND)))


def layers(frame):
    """Of IP without options: the protocol, the destination, and what is behind the header."""
    if frame[12:14] == IPV4:
        return frame[23], frame[30:34], frame[34:]
    return frame[20], frame[38:54], frame[54:]


def kind_of(frame):
    if frame[12:14] == ARP:
        return "ARP"
    proto, destination, behind = layers(frame)
    port = int.from_bytes(behind[2:4], "big")
    if proto == TCP:
        checked = destination in CHECKERS and port != PORT
        return "answers to checks" if checked else "requests and replies"
    if proto == UDP and port == NOWHERE:
        return "for no service"
    return "VRRP, neighbours and groups"


def is_vrrp(frame):
    return frame[12:14] in (IPV4, IPV6) and layers(frame)[0] == VRRP


def of_neighbour(address, kind):
    """Tells whether a frame is that kind of neighbour discovery, and names the address."""
    target = packed(address).pop()

    def is_one(frame):
        if frame[12:14] != IPV6:
            return False
        proto, _, behind = layers(frame)
        return proto == ICMPV6 and behind[0] == kind and behind[8:24] == target

    return is_one


# ---- machines ----------------------------------------------------------------
class Machine:
    """A balancer: its sluiced, its keepalived, and every frame that arrives at it."""

    def __init__(self, top, ns, priority):
        self.ns = ns
        port = ns.name.rpartition("-")[2]
        self.daemon = Daemon(ns, services(top), name=port).start()
        self.keepalived = Keepalived(ns, INSTANCES, priority)
        self.captures = [Capture(top.wire, f"{port}-{device}", outgoing=True, incoming=False)
                         for device in top.interfaces]

    def wait_serving(self):
        for name, count in (("web", 4), ("held", 4), ("proxied", 2)):
            self.daemon.wait_serving(name, count)

    def frames(self):
        """All that have arrived so far. To be called now and then, lest the kernel has no room."""
        return [frame for capture in self.captures for _, frame in capture.read()]

    def seen(self):
        """The frames that have arrived, by their kinds, and what the verdicts have counted: of one
        moment, since nothing arrives meanwhile.
        """
        def quiet():
            before = self.daemon.verdicts()
            frames = self.frames()
            return (frames, before) if self.daemon.verdicts() == before else None

        frames, verdicts = wait.until(quiet, f"a quiet moment at {self.ns.name}", pause=0.005)
        return collections.Counter(map(kind_of, frames)), verdicts


def services(top):
    def one(name, port, *addresses):
        made = service(name, top.backends, PORT, "nat", backend_port=port, check=CHECK)
        families = {":" in address for address in addresses}
        return {**made, "address": list(addresses),
                "backends": [backend for backend in made["backends"]
                             if (":" in backend["address"]) in families]}

    return {**configuration(top, one("web", PORTS[0], SERVICE4, SERVICE6),
                            one("held", PORTS[1], HELD4, HELD6), one("proxied", PORTS[2], PROXIED)),
            "unserved": "drop"}

# SPDX-License-Identifier: BSD-2-Clause
"""Where parts 1 and 2 run: a balancer's namespace with two links.

Clients, the gateway and most backends are behind lb0; lb1 leads to the backends that
a frame must be redirected to. Nobody is at the other ends, which are in the namespace
`far`: no packet arrives that the bench has not made. Their neighbours are permanent.
"""

BACKENDS = 64
NEAR_MAC, OTHER_MAC = "02:00:00:00:be:01", "02:00:00:00:be:03"  # of lb0, and of lb1
NEAR4, OTHER4, NEAR6 = "198.18.0.{}", "198.19.0.{}", "fd00:18::{}"
GATEWAY4, GATEWAY6 = "198.18.0.253", "fd00:18::fffe"


class Bed:
    """Two namespaces; those of two beds are alike, down to the numbers of devices."""

    def __init__(self, lab, name="bed"):
        self.lab = lab
        self.balancer = lab.namespace(f"{name}-lb")
        self.far = lab.namespace(f"{name}-far")
        for ns in (self.balancer, self.far):
            ns.sysctl({"net/ipv6/conf/default/disable_ipv6": 1})
        self.balancer.sysctl({"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1})
        for number in range(2):
            self.link(f"lb{number}", f"far{number}")
        self._addresses()

    def link(self, near, far):
        """lb0 and lb1 are 2 and 3 in every bed; frames are sent to lb0 (frame_dst_mac)."""
        mac = NEAR_MAC if near == "lb0" else OTHER_MAC
        self.balancer.ip(
            f"link add {near} address {mac} type veth peer name {far} netns {self.far.name}",
            f"link set {near} up")
        self.far.ip(f"link set {far} arp off", f"link set {far} up")
        # A veth takes frames from XDP while its other end polls.
        self.far.run("ethtool", "-K", far, "gro", "on")

    def _addresses(self):
        self.balancer.sysctl({"net/ipv6/conf/lb0/disable_ipv6": 0})
        neighbours = [(GATEWAY4, "lb0"), (GATEWAY6, "lb0")]
        for number in range(1, BACKENDS + 1):
            neighbours += [(NEAR4.format(number), "lb0"), (OTHER4.format(number), "lb1"),
                           (NEAR6.format(number), "lb0")]
        self.balancer.ip(
            "address add 198.18.0.254/24 dev lb0",
            "address add 198.19.0.254/24 dev lb1",
            "address add fd00:18::ffff/64 dev lb0 nodad",
            *(f"neighbour replace {address} lladdr 02:00:00:01:{i // 256:02x}:{i % 256:02x}"
              f" dev {device} nud permanent" for i, (address, device) in enumerate(neighbours)),
            f"route add default via {GATEWAY4}",
            f"route add default via {GATEWAY6} dev lb0",
        )

    @property
    def ifindex(self):
        return self.balancer.ifindex("lb0")

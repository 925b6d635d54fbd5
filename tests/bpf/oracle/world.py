# SPDX-License-Identifier: BSD-2-Clause
"""What is configured, and where everyone is. The oracle and sluiced are told from this one
table: World for the oracle, configuration() for the daemon.
"""

import ipaddress
from dataclasses import dataclass, field

import frames
from frames import BACK_LINK, LINKS, NARROW_LINK, NARROW_MTU, VLAN_LINK

PROTOS = {"tcp": 6, "udp": 17}
MTU = 1500
OUTER = {4: 20, 6: 40}  # bytes that ipip puts in front

# Clients of the random packets; a default route through the router leads to them.
CLIENTS = {4: ipaddress.ip_network("100.64.0.0/10"), 6: ipaddress.ip_network("2001:db8:f::/48")}


def ip(text):
    return ipaddress.ip_address(text)


@dataclass(frozen=True)
class Way:
    """How frames get somewhere: the device, its MAC address and that of the next hop."""

    device: str
    source_mac: str
    target_mac: str
    mtu: int = MTU
    vlan: int = 0


@dataclass(frozen=True)
class Backend:
    address: object
    port: int
    way: Way


@dataclass(frozen=True)
class Service:
    """A service in one family."""

    name: str
    address: object
    port: int
    proto: int
    forward: str
    backends: tuple = ()
    is_down: bool = False  # no backend serves
    rejects: bool = False  # and clients are told
    by_address: bool = False  # the client's address alone chooses
    guarded: bool = False
    tracked: bool = False


# Ways of those who are not there to answer.
OWN, NOWHERE, SILENT = "this machine", "no way", "no neighbour entry"


@dataclass
class World:
    services: dict = field(default_factory=dict)  # (address, proto, port)
    endpoints: dict = field(default_factory=dict)  # the same of nat's backends: (service, backend)
    unserved: str = "drop"

    stations = {(device, mac, tuple(filter(None, (vlan, inner))))
                for device, mac, vlan, inner in frames.STATIONS}
    stations |= {("front", frames.FRONT_MAC, ()), ("back", frames.BACK_MAC, ())}
    addresses = {ip(address) for address in frames.addresses(frames.SERVICE)}
    own = {ip(text) for text in (
        *frames.addresses(frames.FRONT), *frames.addresses(frames.BACK), "10.100.0.1",
        "2001:db8:b64::1", "192.0.2.255", "10.0.0.255", "10.100.0.255")}
    never = [ipaddress.ip_network(text) for text in frames.addresses(frames.NEVER)]
    allowed = [ipaddress.ip_network(text) for text in frames.addresses(frames.ALLOWED)]
    denied = [ipaddress.ip_network(text) for text in frames.addresses(frames.DENIED)]

    def add(self, service):
        self.services[service.address, service.proto, service.port] = service
        for backend in service.backends if service.forward == "nat" else ():
            self.endpoints[backend.address, service.proto, backend.port] = service, backend

    def denies(self, service, source):
        """ACCESS of the manual: the longest prefix decides; with an `allow`, no prefix denies."""
        if any(source in network for network in self.never):
            return True
        if not service.guarded:
            return False
        best = max((network.prefixlen, network in self.denied)
                   for network in (*self.allowed, *self.denied, ipaddress.ip_network(
                       "0.0.0.0/0" if source.version == 4 else "::/0"))
                   if source in network)
        return best[1] or best[0] == 0

    def way_to(self, client):
        """Of replies: a Way, or OWN, NOWHERE, SILENT; None: this table does not say."""
        if client in self.own:
            return OWN
        if client.version == 6 and client.is_link_local:
            return None
        if client in self.addresses:
            return NOWHERE  # the manual asks for a blackhole route
        for network, way in ROUTES[client.version]:
            if client in network:
                return way.get(str(client), SILENT) if isinstance(way, dict) else way
        raise AssertionError("there is a default route")


def front_way(mac, mtu=MTU):
    return Way("front", frames.FRONT_MAC, mac, mtu)


def link_way(link):
    return Way(link.device, link.mac, link.backend_mac, vlan=link.tags[0] if link.tags else 0)


def routes(family):
    """(network, Way or the neighbours of a link), the most specific first."""
    router = front_way(frames.ROUTER_MAC)
    back, vlan, front = LINKS
    near = {frames.CLIENT[family]: front_way(frames.CLIENT_MAC), frames.ROUTER[family]: router,
            front.backend[family]: link_way(front)}
    return [(ipaddress.ip_network(networks[family == 6]), way) for networks, way in (
        (("192.0.2.0/24", "2001:db8:c::/64"), near),
        (("10.0.0.0/24", "2001:db8:b::/64"), {back.backend[family]: link_way(back)}),
        # The test kernel has no VLAN device: for its routes, these are on the back link itself.
        (("10.100.0.0/24", "2001:db8:b64::/64"),
         {vlan.backend[family]: Way("back", vlan.mac, vlan.backend_mac)}),
        (("10.200.0.0/24", "2001:db8:b200::/64"),
         Way("back", BACK_LINK.mac, BACK_LINK.backend_mac, NARROW_MTU[family])),
        (("203.0.114.0/24", "2001:db8:e::/64"), front_way(frames.ROUTER_MAC, 1400)),
        (("203.0.115.0/24", "2001:db8:d::/64"), NOWHERE),
        (("10.201.0.0/24", "2001:db8:b201::/64"), None),
        (("0.0.0.0/0", "::/0"), router),
    )]


ROUTES = {family: routes(family) for family in (4, 6)}


def commands():
    """What the kernel is told beside conftest.pretend_network(); the manual asks for it."""
    return [f"route add blackhole {address}" for address in frames.addresses(frames.SERVICE)]


# ---- the services -------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """A service in both families, with a backend on each link."""

    name: str
    port: int
    proto: str
    forward: str
    links: tuple = LINKS
    more: dict = field(default_factory=dict)  # of the configuration

    @property
    def backend_port(self):
        return self.port + 1000 if self.forward == "nat" else self.port

    def service(self, family):
        return Service(
            self.name, ip(frames.SERVICE[family]), self.port, PROTOS[self.proto], self.forward,
            tuple(Backend(ip(link.backend[family]), self.backend_port, self.way(link, family))
                  for link in self.links),
            is_down=self.is_down,
            rejects=self.more.get("on_all_down") == "reject",
            by_address=self.more.get("scheduler") == "source-hash",
            guarded=self.is_guarded,
            tracked=self.more.get("scheduler") == "round-robin")

    @property
    def is_down(self):
        return self.more.get("on_all_down") is not None

    @property
    def is_guarded(self):
        return "allow" in self.more

    @staticmethod
    def way(link, family):
        narrow = {"mtu": NARROW_MTU[family]} if link is NARROW_LINK else {}
        way = link_way(link)
        return Way(way.device, way.source_mac, way.target_mac, vlan=way.vlan, **narrow)

    def entry(self):
        state = {"state": "disabled"} if self.is_down else {}
        return {
            "name": self.name, "address": frames.addresses(frames.SERVICE), "port": self.port,
            "protocol": self.proto, "forward": self.forward, "check": {"type": "none"},
            "backends": [{"address": link.backend[family], "port": self.backend_port, **state}
                         for link in self.links for family in (4, 6)],
            **self.more,
        }


MODES = tuple((forward, proto) for forward in ("nat", "dsr", "ipip") for proto in ("tcp", "udp"))
NARROW = (NARROW_LINK,)
ROWS = (
    *(Row(f"{forward}-{proto}", 8001 + number, proto, forward)
      for number, (forward, proto) in enumerate(MODES)),
    Row("narrow-nat", 8011, "tcp", "nat", NARROW),
    Row("narrow-ipip", 8012, "udp", "ipip", NARROW),
    Row("hashed", 8013, "udp", "ipip", more={"scheduler": "source-hash"}),
    Row("tracked", 8014, "tcp", "nat", more={"scheduler": "round-robin"}),
    Row("guarded", 8015, "tcp", "dsr", more={"allow": frames.addresses(frames.ALLOWED),
                                            "deny": frames.addresses(frames.DENIED)}),
    Row("refusing-tcp", 8016, "tcp", "nat", more={"on_all_down": "reject"}),
    Row("refusing-udp", 8017, "udp", "dsr", more={"on_all_down": "reject"}),
    Row("down", 8018, "tcp", "ipip", more={"on_all_down": "drop"}),
)
assert VLAN_LINK in LINKS


def world():
    made = World()
    for row in ROWS:
        for family in (4, 6):
            made.add(row.service(family))
    return made


def configuration():
    return {
        "interfaces": [{"name": "front"}, {"name": "back"}],
        "deny": frames.addresses(frames.NEVER),
        "limiter": {"answers": "100M/s"},  # no refusal is left out
        "services": [row.entry() for row in ROWS],
    }


def serving():
    """{service: backends that serve}"""
    return {row.name: 2 * len(row.links) for row in ROWS if not row.is_down}

# SPDX-License-Identifier: BSD-2-Clause
"""The network that the packet tests pretend, and frames in it.

frame() is the only builder: what goes in and what must come out are built by
it apart from each other, all lengths and checksums by scapy from nothing.
"""

from dataclasses import dataclass

from lab.packets import IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPv6, Raw
from outer import encapsulated, flow_bits
from lab.topology import SERVICE4, SERVICE6, mac_of

SERVICE = {4: SERVICE4, 6: SERVICE6}
FRONT_MAC, BACK_MAC = mac_of(0, 1), mac_of(0, 2)

# Who is on the front link.
CLIENT = {4: "192.0.2.2", 6: "2001:db8:c::2"}
CLIENT_MAC = mac_of(0xC, 1)
SILENT = {4: "192.0.2.66", 6: "2001:db8:c::66"}  # on the link, and no neighbour entry
ROUTER = {4: "192.0.2.254", 6: "2001:db8:c::fe"}
ROUTER_MAC = mac_of(0xC, 0xFE)
FAR_CLIENT = {4: "203.0.113.9", 6: "2001:db8:f::9"}  # behind the router
NARROW_CLIENT = {4: "203.0.114.9", 6: "2001:db8:e::9"}  # there too, MTU 1400
BLACKHOLED = {4: "203.0.115.9", 6: "2001:db8:d::9"}
UNROUTED = {4: "203.0.116.9", 6: "2001:db8:a::9"}
FRONT = {4: "192.0.2.1", 6: "2001:db8:c::1"}  # the balancer's own
BACK = {4: "10.0.0.1", 6: "2001:db8:b::1"}

VLAN = 100


@dataclass(frozen=True)
class Link:
    """Where a backend is: its device as packets see it, and its VLAN id or none."""

    name: str
    device: str
    mac: str
    backend: dict
    backend_mac: str
    tags: tuple = ()


LINKS = (
    Link("the back link", "back", BACK_MAC,
         {4: "10.0.0.11", 6: "2001:db8:b::b"}, mac_of(0xB, 1)),
    Link("VLAN 100 of the back link", "back", BACK_MAC,
         {4: "10.100.0.11", 6: "2001:db8:b64::b"}, mac_of(0xB, 2), (VLAN,)),
    Link("the client's link", "front", FRONT_MAC,
         {4: "192.0.2.50", 6: "2001:db8:c::50"}, mac_of(0xB, 3)),
)
BACK_LINK, VLAN_LINK, FRONT_LINK = LINKS


@dataclass(frozen=True)
class Service:
    """A service with one backend, so that the choice is no choice."""

    name: str
    port: int
    proto: str
    forward: str
    link: Link

    @property
    def backend_port(self):
        return self.port + 1000 if self.forward == "nat" else self.port


# Where the balancer is in VLANs: (device, MAC address, id, id of the inner one).
STATIONS = (
    ("front", FRONT_MAC, 7, 0), ("front", FRONT_MAC, 7, 8), ("front", FRONT_MAC, VLAN, 0),
    ("back", BACK_MAC, VLAN, 0), ("back", BACK_MAC, 7, 0),
)

# Of a virtual router that another machine is now.
STANDBY_MAC = "00:00:5e:00:01:07"

FORWARDS = ("dsr", "nat", "ipip")
SERVICES = {
    (forward, proto, link.name): Service(f"{forward}-{proto}-{place}", 8000 + 10 * place + number,
                                         proto, forward, link)
    for place, link in enumerate(LINKS)
    for number, (forward, proto) in enumerate(
        (f, p) for f in FORWARDS for p in ("tcp", "udp"))
}


def service(forward, proto, link=BACK_LINK):
    return SERVICES[forward, proto, link.name]


# Behind a gateway of the back link; the way has an MTU of its own.
NARROW_MTU = {4: 1400, 6: 1300}
NARROW_LINK = Link("a network behind the back link", "back", BACK_MAC,
                   {4: "10.200.0.11", 6: "2001:db8:b200::b"}, BACK_LINK.backend_mac)
NARROW = Service("narrow", 8206, "udp", "ipip", NARROW_LINK)
SOURCE_HASHED = Service("source-hashed", 8207, "udp", "ipip", BACK_LINK)
# Behind a gateway of the back link and one of the front link.
TWO_WAYS_LINK = Link("a network by two ways", "back", BACK_MAC,
                     {4: "10.201.0.11", 6: "2001:db8:b201::b"}, BACK_LINK.backend_mac)
TWO_WAYS = Service("two-ways", 8210, "udp", "nat", TWO_WAYS_LINK)

TRACKED = Service("tracked", 8209, "udp", "nat", BACK_LINK)

LIMITED = Service("limited", 8100, "udp", "dsr", BACK_LINK)  # one packet an hour
REJECTING_TCP = Service("rejecting-tcp", 8104, "tcp", "nat", BACK_LINK)  # one packet an hour
REJECTING_UDP = Service("rejecting-udp", 8105, "udp", "dsr", BACK_LINK)
DRY = Service("dry", 8106, "udp", "dsr", BACK_LINK)  # the same, but nobody is refused
EXEMPTING = Service("exempting", 8107, "udp", "dsr", BACK_LINK)  # but EXEMPT is not bound
GUARDED = Service("guarded", 8108, "tcp", "nat", BACK_LINK)  # for some only
BYTES = Service("bytes", 8109, "udp", "dsr", BACK_LINK)  # 4000 bytes an hour
OPENING = Service("opening", 8200, "tcp", "nat", BACK_LINK)  # one connection an hour
TOGETHER = Service("together", 8201, "udp", "dsr", BACK_LINK)  # two packets an hour for all
TWICE = Service("twice", 8202, "tcp", "nat", BACK_LINK)  # three packets, one connection an hour
FIXED = Service("fixed", 8203, "udp", "dsr", BACK_LINK)  # two packets in each hour's window
SLIDING = Service("sliding", 8204, "udp", "dsr", BACK_LINK)
WIDE = Service("wide", 8205, "udp", "dsr", BACK_LINK)  # a bucket for each /24, each /48
EXEMPT = {4: "192.0.2.160/28", 6: "2001:db8:e0::/44"}
ALLOWED = {4: "192.0.2.0/25", 6: "2001:db8:c::/48"}
DENIED = {4: "192.0.2.96/28", 6: "2001:db8:c:dead::/64"}  # among the allowed
NEVER = {4: "192.0.2.250", 6: "2001:db8:bad::/48"}  # by any service

REFUSING_TCP = Service("refusing-tcp", 8102, "tcp", "nat", BACK_LINK)  # nobody serves
REFUSING_UDP = Service("refusing-udp", 8103, "udp", "dsr", BACK_LINK)
DOWN = Service("down", 8101, "tcp", "nat", BACK_LINK)  # its check fails


def frame(macs, ends, proto, *, ttl=64, tags=(), payload=b"payload", zero=False,
          ip=None, l4=None, between=None):
    """A frame as bytes.

    macs: (destination, source); ends: (source, port, destination, port), the
    addresses' family decides; zero: UDP without a checksum; ip, l4: further
    fields of the headers; between: what stands between IP and transport.
    """
    source, sport, destination, dport = ends
    packet = link_header(macs, tags)
    if ":" in source:
        packet /= IPv6(src=source, dst=destination, hlim=ttl, **(ip or {}))
    else:
        packet /= IP(src=source, dst=destination, ttl=ttl, **(ip or {}))
    if between is not None:
        packet /= between
    if proto == "tcp":
        packet /= TCP(sport=sport, dport=dport, **{"flags": "PA", "seq": 1, **(l4 or {})})
    else:
        packet /= UDP(sport=sport, dport=dport, **{**({"chksum": 0} if zero else {}), **(l4 or {})})
    if payload:
        packet /= Raw(payload)
    return bytes(packet)


def link_header(macs, tags):
    header = Ether(dst=macs[0], src=macs[1])
    for place, tag in enumerate(tags):
        outer = place == 0 and len(tags) > 1
        header /= Dot1AD(vlan=tag) if outer else Dot1Q(vlan=tag)
    return header


def request(svc, family, *, source=None, sport=40000, macs=(FRONT_MAC, CLIENT_MAC), ttl=64,
            tags=(), **rest):
    """What a client sends to a service; arrives on `front`."""
    source = source or CLIENT[family]
    ends = (source, sport, SERVICE[family], svc.port)
    return frame(macs, ends, svc.proto, ttl=ttl, tags=tags, **rest)


def delivered(svc, family, *, source=None, sport=40000, ttl=63, **rest):
    """What its backend must get of it."""
    source = source or CLIENT[family]
    destination = svc.link.backend[family] if svc.forward == "nat" else SERVICE[family]
    macs = (svc.link.backend_mac, svc.link.mac)
    ends = (source, sport, destination, svc.backend_port)
    tags = rest.pop("tags", svc.link.tags)
    if svc.forward != "ipip":
        return frame(macs, ends, svc.proto, ttl=ttl, tags=tags, **rest)
    inner = frame(macs, ends, svc.proto, ttl=ttl, **rest)[len(Ether()):]
    bits = flow_bits(source, sport, svc is SOURCE_HASHED)
    return bytes(link_header(macs, tags) / encapsulated(inner, svc.link.backend[family], bits))


def answer(svc, family, *, client=None, cport=40000, ttl=64, macs=None, **rest):
    """What a nat backend answers; arrives on its link's device."""
    client = client or CLIENT[family]
    ends = (svc.link.backend[family], svc.backend_port, client, cport)
    macs = macs or (svc.link.mac, svc.link.backend_mac)
    return frame(macs, ends, svc.proto, ttl=ttl, **{"tags": svc.link.tags, **rest})


def returned(svc, family, *, client=None, cport=40000, ttl=63, macs=(CLIENT_MAC, FRONT_MAC),
             **rest):
    """What its client must get of it."""
    client = client or CLIENT[family]
    ends = (SERVICE[family], svc.port, client, cport)
    return frame(macs, ends, svc.proto, ttl=ttl, **rest)


def addresses(family_addresses):
    return [family_addresses[4], family_addresses[6]]


def hourly(number, **more):
    return {"rate": f"{number}/h", "burst": number, **more}


def configuration():
    """What sluiced is given for all this."""
    def entry(svc, **more):
        return {
            "name": svc.name, "address": addresses(SERVICE), "port": svc.port,
            "protocol": svc.proto, "forward": svc.forward, "check": {"type": "none"},
            "backends": [
                {"name": f"ipv{family}", "address": svc.link.backend[family],
                 "port": svc.backend_port} for family in (4, 6)
            ],
            **more,
        }

    return {
        "interfaces": [{"name": "front"}, {"name": "back"}],
        "deny": addresses(NEVER),
        "services": [
            *(entry(svc) for svc in SERVICES.values()),
            entry(NARROW),
            entry(SOURCE_HASHED, scheduler="source-hash"),
            entry(TWO_WAYS),
            entry(TRACKED, scheduler="round-robin"),
            entry(LIMITED, limit=hourly(1)),
            entry(REJECTING_TCP, limit=hourly(1, action="reject")),
            entry(REJECTING_UDP, limit=hourly(1, action="reject")),
            entry(DRY, limit=hourly(1, dry_run=True)),
            entry(EXEMPTING, limit=hourly(1, exempt=addresses(EXEMPT))),
            entry(GUARDED, allow=addresses(ALLOWED), deny=addresses(DENIED)),
            entry(BYTES, limit={"rate": "4000B/h", "burst": 4000, "count": "bytes"}),
            entry(OPENING, limit=hourly(1, count="connections")),
            entry(TOGETHER, limit=hourly(2, per="service")),
            entry(TWICE, limit=[hourly(3), hourly(1, count="connections")]),
            entry(FIXED, limit={"rate": "2/h", "algorithm": "fixed-window"}),
            entry(SLIDING, limit={"rate": "2/h", "algorithm": "sliding-window"}),
            entry(WIDE, limit=hourly(1, prefix_v4=24, prefix_v6=48)),
            *(entry(svc, on_all_down="reject", backends=[
                {"address": svc.link.backend[family], "port": svc.backend_port,
                 "state": "disabled"} for family in (4, 6)
            ]) for svc in (REFUSING_TCP, REFUSING_UDP)),
            entry(DOWN, check={"type": "tcp", "interval": "1h", "timeout": "100ms"}),
        ],
    }

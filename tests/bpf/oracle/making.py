# SPDX-License-Identifier: BSD-2-Clause
"""Random packets as they should be: of every size, with options, extension headers, VLAN tags,
flags, padding. A packet is (frame, the device where it arrives).
"""

import ipaddress
import struct

from scapy.layers.inet import IPOption_NOP, IPOption_Router_Alert, IPOption_RR, IPOption_Timestamp
from scapy.layers.inet6 import PadN
from scapy.utils import checksum

import frames
from lab.packets import (
    ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw,
)
from oracle.reading import EXTENSIONS_MOST, read
from oracle.world import CLIENTS, MTU, OUTER, ROWS

ROW = {row.name: row for row in ROWS}
SENDERS = (frames.CLIENT_MAC, frames.ROUTER_MAC)

# VLANs of the front link where this machine is; a tag with the id 0 is in none.
FRONT_TAGS = ((), (), (), (0,), (7,), (frames.VLAN,), (7, 8), (0, 7), (7, 0), (0, 0))


def client(dice, family):
    """A client's address: most are behind the router, some on the link."""
    if dice.random() < 0.1:
        return dice.choice((frames.CLIENT, frames.FAR_CLIENT))[family]
    network = CLIENTS[family]
    host = dice.randrange(1, 1 << (network.max_prefixlen - network.prefixlen))
    return str(network[host])


def port(dice):
    return dice.choice((1, 53, 65535, dice.randrange(1, 65536), dice.randrange(1024, 65536)))


# ---- layers ------------------------------------------------------------------------
def link(dice, macs, tags):
    header = Ether(dst=macs[0], src=macs[1])
    for place, tag in enumerate(tags):
        kind = Dot1AD if place == 0 and len(tags) > 1 else Dot1Q
        header /= kind(vlan=tag, prio=dice.randrange(8))
    return header


def ipv4_options(dice):
    """Whole words; a source route that is used up is among them (RFC 791 section 3.1)."""
    route = struct.pack("!BBBB4s", 1, dice.choice((131, 137)), 7, 8, dice.randbytes(4))
    return dice.choice((
        [IPOption_NOP()] * dice.randrange(1, 41),
        [IPOption_RR(length=11, routers=["0.0.0.0"] * 2)],
        [IPOption_Timestamp()],
        [IPOption_Router_Alert()],
        [Raw(route)],
    ))


def extensions(dice):
    """Extension headers (RFC 8200 section 4.1), behind which TCP or UDP comes."""
    size = dice.randrange(1, EXTENSIONS_MOST + 1)
    chain = [IPv6ExtHdrHopByHop(options=pads(dice))] if dice.random() < 0.5 else []
    while len(chain) < size:
        chain.append(dice.choice((
            lambda: IPv6ExtHdrDestOpt(options=pads(dice)),
            lambda: IPv6ExtHdrRouting(segleft=0, addresses=["2001:db8::7"] * dice.randrange(3)),
            lambda: IPv6ExtHdrFragment(offset=0, m=0, id=dice.getrandbits(32)),
        ))())
    return chain


def pads(dice):
    return [PadN(optdata=bytes(dice.randrange(60))) for _ in range(dice.randrange(3))]


def network(dice, source, target):
    ttl = dice.choice((2, 64, 255, dice.randrange(2, 256)))
    if ":" not in source:
        options = ipv4_options(dice) if dice.random() < 0.15 else []
        return IP(src=source, dst=target, ttl=ttl, tos=dice.getrandbits(8),
                  id=dice.getrandbits(16), flags=dice.choice((0, "DF")), options=options)
    header = IPv6(src=source, dst=target, hlim=ttl, tc=dice.getrandbits(8),
                  fl=dice.getrandbits(20))
    for extension in extensions(dice) if dice.random() < 0.2 else ():
        header /= extension
    return header


TCP_OPTIONS = (
    [], [], [("NOP", None), ("NOP", None), ("Timestamp", (1, 2))],
    [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (3, 0)), ("NOP", None), ("WScale", 7)],
    [("NOP", None)] * 40,
)


def transport(dice, proto, ends, family, tcp_flags):
    """ends: (source port, destination port)."""
    both = dict(zip(("sport", "dport"), ends))
    if proto == "udp":
        none = family == 4 and dice.random() < 0.2  # no checksum
        return UDP(**both, **({"chksum": 0} if none else {}))
    return TCP(**both, seq=dice.getrandbits(32), ack=dice.getrandbits(32),
               flags=tcp_flags, reserved=dice.randrange(8), window=dice.getrandbits(16),
               urgptr=dice.getrandbits(16), options=dice.choice(TCP_OPTIONS))


def flags(dice):
    return dice.choice((0x02, 0x10, 0x18, 0x11, 0x04, 0x14, 0x12, dice.randrange(512)))


def finished(dice, header, room):
    """As bytes, with a payload that fits into a packet of `room` bytes, and perhaps padding."""
    bare = bytes(header)
    most = max(0, room - (len(bare) - read(bare).l3))
    size = dice.choice((0, 1, 2, most, most - 1, dice.randrange(most + 1),
                        dice.randrange(most + 1), dice.randrange(min(most, 99) + 1)))
    frame = bytes(header / Raw(dice.randbytes(size))) if size > 0 else bare
    if dice.random() < 0.1:
        frame = with_checksum(frame, dice.choice((0, 1, 0xFF, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFE)))
    if dice.random() < 0.15:
        frame += dice.randbytes(dice.randrange(1, 47))
    return frame


def with_checksum(frame, wanted):
    """With another identification, so that the checksum of IPv4's header is this one."""
    reading = read(frame)
    if reading.family != 4:
        return frame
    l3, frame = reading.l3, bytearray(frame)
    frame[l3 + 4:l3 + 6] = frame[l3 + 10:l3 + 12] = b"\0\0"
    number = (checksum(bytes(frame[l3:reading.l4])) - wanted) % 0xFFFF
    struct.pack_into("!H", frame, l3 + 4, number)
    struct.pack_into("!H", frame, l3 + 10, checksum(bytes(frame[l3:reading.l4])))
    return bytes(frame)


# ---- packets ------------------------------------------------------------------------
def request(dice, row, family, room=None):
    """What a client sends to a service."""
    if room is None:
        room = min(link.mtu for link in (row.way(one, family) for one in row.links))
        room -= OUTER[family] if row.forward == "ipip" else 0
    header = link(dice, (frames.FRONT_MAC, dice.choice(SENDERS)), dice.choice(FRONT_TAGS))
    header /= network(dice, client(dice, family), frames.SERVICE[family])
    header /= transport(dice, row.proto, (port(dice), row.port), family, flags(dice))
    return finished(dice, header, room), "front"


def reply(dice, row, family, room=MTU):
    """What a nat backend answers."""
    place = dice.choice(row.links)
    target = client(dice, family)
    tcp_flags = flags(dice)
    if tcp_flags & 0x12 == 0x02:
        tcp_flags |= 0x10  # with a SYN alone the backend opens a connection of its own
    header = link(dice, (place.mac, place.backend_mac), place.tags)
    header /= network(dice, place.backend[family], target)
    header /= transport(dice, row.proto, (row.backend_port, port(dice)), family, tcp_flags)
    return finished(dice, header, room), place.device


def too_long(dice, row, family):
    """A request or a reply that may be longer than the MTU of its way."""
    make = reply if row.forward == "nat" and dice.random() < 0.5 else request
    return make(dice, row, family, room=dice.randrange(1300, 2400))


def to_backend(dice, row, family):
    """To a nat backend itself."""
    place = dice.choice(row.links)
    header = link(dice, (frames.FRONT_MAC, dice.choice(SENDERS)), ())
    header /= network(dice, client(dice, family), place.backend[family])
    header /= transport(dice, row.proto, (port(dice), row.backend_port), family, flags(dice))
    return finished(dice, header, MTU), "front"


def to_nobody(dice, row, family):
    """To the service's address, for no service: another port, or another protocol."""
    header = link(dice, (frames.FRONT_MAC, dice.choice(SENDERS)), dice.choice(FRONT_TAGS))
    header /= network(dice, client(dice, family), frames.SERVICE[family])
    last = header.lastlayer()
    field = "proto" if family == 4 else "nh"
    kind = dice.randrange(3)
    if kind == 0:
        header /= transport(dice, row.proto, (port(dice), 9), family, flags(dice))
    elif kind == 1 and family == 4:
        header /= ICMP(type=dice.choice((0, 3, 8, 11, 13, 40, dice.randrange(256))))
    else:
        setattr(last, field, dice.choice((1, 2, 4, 41, 47, 50, 51, 58, 59, 132, 135, 255)))
    return finished(dice, header, MTU), "front"


def to_others(dice, row, family):
    """For this machine itself, through it to others, and what is not IP."""
    if dice.random() < 0.2:
        return bytes(link(dice, ("ff:ff:ff:ff:ff:ff", frames.CLIENT_MAC), ())
                     / ARP(psrc=frames.CLIENT[4], pdst=frames.SERVICE[4])), "front"
    device, place = dice.choice((("front", frames.FRONT_MAC), ("back", frames.BACK_MAC)))
    target = ipaddress.ip_address(frames.SERVICE[family]) + dice.choice((-1, 1, 256))
    header = link(dice, (place, dice.choice(SENDERS)), ())
    header /= network(dice, client(dice, family),
                      dice.choice((frames.FRONT[family], client(dice, family), str(target))))
    header /= transport(dice, row.proto, (port(dice), row.port), family, flags(dice))
    return finished(dice, header, MTU), device


def noise(dice, _row, _family):
    """Random bytes behind a type that they may have."""
    kind = dice.choice((0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806, 0, 0xFFFF))
    target = bytes.fromhex(frames.FRONT_MAC.replace(":", ""))
    return target + dice.randbytes(6) + struct.pack("!H", kind) \
        + dice.randbytes(dice.randrange(200)), "front"


def anything(dice):
    """A packet of any kind."""
    make = dice.choices((request, reply, too_long, to_backend, to_nobody, to_others, noise),
                        (20, 10, 4, 2, 4, 2, 1))[0]
    rows = [row for row in ROWS
            if make not in (reply, to_backend) or row.forward == "nat" and not row.is_down]
    return make(dice, dice.choice(rows), dice.choice((4, 6)))

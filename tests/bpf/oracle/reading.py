# SPDX-License-Identifier: BSD-2-Clause
"""What a receiver reads in a frame, header by header, as the RFCs say. Nothing here knows what
sluice does with it; only how deep sluice reads (docs/architecture.md, The packet's way): two
VLAN tags, four extension headers.
"""

import ipaddress
import struct
from dataclasses import dataclass

ETHERNET = 14
TAG_TYPES = (0x8100, 0x88A8)
IPV4, IPV6 = 0x0800, 0x86DD
TAGS_MOST, EXTENSIONS_MOST = 2, 4

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
LOOSE_ROUTE, STRICT_ROUTE = 131, 137  # RFC 791 section 3.1
FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass
class Reading:
    frame: bytes
    tags: tuple = ()  # (type, its 16 bits), the outermost first
    l3: int = 0
    family: int = 0  # 0: no IP header that can be read
    why: str = ""  # why there are no ports: the verdict of a packet that is passed
    source: object = None
    destination: object = None
    ttl: int = 0
    end: int = 0  # of the IP datagram: the frame may be padded
    l4: int = 0
    proto: int = -1  # of the transport header; of a fragment, of the first header in it
    plain: bool = True  # no IPv4 options, no extension headers
    may_be_cut: bool = False
    first_fragment: bool = False
    later_fragment: bool = False
    source_routed: bool = False  # and not at the route's end
    sport: int = -1
    dport: int = -1
    deep: bool = False  # more extension headers than sluice walks
    whole: bool = True  # the transport header
    flags: int = 0  # of TCP

    @property
    def vlans(self):
        """Ids of the VLANs; a tag with the id 0 is in none (IEEE 802.1Q)."""
        return tuple(tci & 0xFFF for _, tci in self.tags if tci & 0xFFF)

    @property
    def target_mac(self):
        return mac(self.frame[:6])

    @property
    def source_mac(self):
        return mac(self.frame[6:12])

    @property
    def size(self):
        """Of the IP packet."""
        return self.end - self.l3

    @property
    def packet(self):
        return self.frame[self.l3:self.end]

    @property
    def padding(self):
        return self.frame[self.end:]

    @property
    def opens(self):
        return self.proto == TCP and self.flags & (SYN | ACK) == SYN

    @property
    def is_icmp(self):
        return self.proto == (ICMP if self.family == 4 else ICMPV6)

    def has_ports(self):
        return self.sport >= 0


def mac(data):
    return ":".join(f"{byte:02x}" for byte in data)


def read(frame):
    reading = Reading(frame)
    kind = read_ethernet(reading)
    if kind == IPV4:
        read_ipv4(reading)
    elif kind == IPV6:
        read_ipv6(reading)
    else:
        reading.why = "PASS_NOT_IP"
    if reading.family and not reading.why:
        read_transport(reading)
    return reading


def read_ethernet(reading):
    """The type of what is in the frame; None: it is cut short."""
    at, kind = ETHERNET, word(reading.frame, 12)
    while kind in TAG_TYPES and len(reading.tags) < TAGS_MOST:
        if len(reading.frame) < at + 4:
            return None
        reading.tags += ((kind, word(reading.frame, at)),)
        kind = word(reading.frame, at + 2)
        at += 4
    reading.l3 = at
    return kind


def word(data, at):
    return struct.unpack_from("!H", data, at)[0]


# ---- IPv4 (RFC 791) ---------------------------------------------------------------
def read_ipv4(reading):
    header = reading.frame[reading.l3:]
    reading.why = "PASS_MALFORMED"
    if len(header) < 20 or header[0] >> 4 != 4:
        return
    size, total = (header[0] & 15) * 4, word(header, 2)
    if size < 20 or total < size or total > len(header):
        return
    reading.why = ""
    reading.family = 4
    reading.end = reading.l3 + total
    reading.l4 = reading.l3 + size
    reading.plain = size == 20
    reading.ttl, reading.proto = header[8], header[9]
    reading.source = ipaddress.IPv4Address(header[12:16])
    reading.destination = ipaddress.IPv4Address(header[16:20])
    fragment = word(header, 6)
    reading.may_be_cut = not fragment & 0x4000
    reading.source_routed = is_source_routed(header[20:size])
    if fragment & 0x1FFF:
        reading.later_fragment = True
        reading.why = "PASS_FRAGMENT"
    elif fragment & 0x2000:
        reading.first_fragment = True


def is_source_routed(options):
    """Whether a route that the source has chosen leads on (RFC 1122 section 3.2.1.8)."""
    at = 0
    while at < len(options) and options[at] != 0:
        kind = options[at]
        if kind == 1:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            return False  # malformed: the program reads no further
        if kind in (LOOSE_ROUTE, STRICT_ROUTE) and (size < 3 or options[at + 2] <= size):
            return True
        at += size
    return False


# ---- IPv6 (RFC 8200) --------------------------------------------------------------
def read_ipv6(reading):
    header = reading.frame[reading.l3:]
    reading.why = "PASS_MALFORMED"
    if len(header) < 40 or header[0] >> 4 != 6 or 40 + word(header, 4) > len(header):
        return
    reading.why = ""
    reading.family = 6
    reading.end = reading.l3 + 40 + word(header, 4)
    reading.l4 = reading.l3 + 40
    reading.ttl = header[7]
    reading.source = ipaddress.IPv6Address(header[8:24])
    reading.destination = ipaddress.IPv6Address(header[24:40])
    reading.proto = header[6]
    for _ in range(EXTENSIONS_MOST):
        if not read_extension(reading):
            return
    if reading.proto in (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION):
        reading.why = "PASS_PROTOCOL"
        reading.deep = True


def read_extension(reading):
    """Steps over one extension header. Whether there may be another one."""
    header = reading.frame[reading.l4:reading.end]
    if reading.proto not in (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION):
        return False
    reading.plain = False
    if len(header) < 8 or reading.proto != FRAGMENT and len(header) < 8 * header[1] + 8:
        reading.why = "PASS_MALFORMED"
        return False
    if reading.proto == FRAGMENT:
        place = word(header, 2)
        reading.proto = header[0]
        reading.l4 += 8
        reading.first_fragment |= bool(place & 1)
        if place & 0xFFF8:
            reading.later_fragment = True
            reading.why = "PASS_FRAGMENT"
            return False
        return True
    if reading.proto == ROUTING and header[3]:
        reading.why = "PASS_PROTOCOL"  # the destination is not the last one (section 4.4)
        return False
    reading.proto = header[0]
    reading.l4 += 8 * header[1] + 8
    return True


# ---- TCP (RFC 9293), UDP (RFC 768) --------------------------------------------------
def read_transport(reading):
    segment = reading.frame[reading.l4:reading.end]
    if reading.proto not in (TCP, UDP):
        reading.why = "PASS_PROTOCOL"
        return
    if len(segment) < 4:
        reading.why = "PASS_MALFORMED"
        return
    reading.sport, reading.dport = word(segment, 0), word(segment, 2)
    if reading.proto == UDP:
        reading.whole = len(segment) >= 8 and word(segment, 4) >= 8 and (
            word(segment, 4) <= len(segment) or reading.first_fragment)
    else:
        reading.whole = len(segment) >= 20 and 20 <= (segment[12] >> 4) * 4 <= len(segment)
        reading.flags = segment[13] if len(segment) >= 20 else 0

# SPDX-License-Identifier: BSD-2-Clause
"""The frames that leave. Every checksum is computed by scapy over all that it covers; one that
was wrong when it came is to leave as wrong as it came (docs/architecture.md, Forwarding).
"""

import functools
import struct

from scapy.layers.inet import in4_chksum
from scapy.layers.inet6 import in6_chksum
from scapy.utils import checksum

from lab.packets import (
    ICMP, IP, TCP, Dot1Q, Ether, ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6, Raw,
)
from oracle import reading as fields
from oracle.reading import IPV4, IPV6, word
from outer import encapsulated, flow_bits

TYPES = {4: IPV4, 6: IPV6}
CHECKSUM_AT = {fields.TCP: 16, fields.UDP: 6}
TTL = 64  # of what sluice itself says
IPV6_LEAST_MTU = 1280  # RFC 8200 section 5
QUOTED = 8  # bytes of the transport header in an ICMP message (RFC 792)


# ---- checksums ------------------------------------------------------------------
def header_checksum(header):
    """Of an IPv4 header."""
    return checksum(header[:10] + b"\0\0" + header[12:])


def transport_checksum(reading, packet):
    """Of the TCP or UDP packet that the reading is of, or of what has become of it."""
    segment = packet[reading.l4 - reading.l3:]
    if reading.proto == fields.UDP:
        segment = segment[:word(segment, 4)]
    at = CHECKSUM_AT[reading.proto]
    segment = segment[:at] + b"\0\0" + segment[at + 2:]
    if reading.family == 4:
        return in4_chksum(reading.proto, IP(src=text4(packet[12:16]), dst=text4(packet[16:20])),
                          segment)
    return in6_chksum(reading.proto, IPv6(src=text6(packet[8:24]), dst=text6(packet[24:40])),
                      segment)


def text4(data):
    return ".".join(map(str, data))


def text6(data):
    return ":".join(f"{word(data, at):x}" for at in range(0, 16, 2))


def as_wrong(stated, right, right_now):
    """The checksum where `stated` stood and `right` was right; now `right_now` is. In ones'
    complement, 0 and 0xffff are the same number (RFC 1071).
    """
    return (right_now + stated - right) % 0xFFFF


# ---- the packet, rewritten --------------------------------------------------------
def rewritten(reading, source=None, destination=None):
    """The packet with one hop less, and perhaps (address, port) of another end."""
    before = reading.packet
    packet = bytearray(before)
    packet[8 if reading.family == 4 else 7] -= 1
    at, size = (12, 4) if reading.family == 4 else (8, 16)
    l4 = reading.l4 - reading.l3
    for end, address_at, port_at in ((source, at, l4), (destination, at + size, l4 + 2)):
        if end:
            packet[address_at:address_at + size] = end[0].packed
            struct.pack_into("!H", packet, port_at, end[1])
    if reading.family == 4:
        stop = reading.l4 - reading.l3
        put(packet, 10, as_wrong(word(before, 10), header_checksum(before[:stop]),
                                 header_checksum(bytes(packet[:stop]))))
    if source or destination:
        rewrite_transport_checksum(reading, before, packet)
    return bytes(packet)


def rewrite_transport_checksum(reading, before, packet):
    at = reading.l4 - reading.l3 + CHECKSUM_AT[reading.proto]
    stated = word(before, at)
    if reading.proto == fields.UDP and not stated:
        return  # there is none (RFC 768)
    new = as_wrong(stated, transport_checksum(reading, before),
                   transport_checksum(reading, bytes(packet)))
    put(packet, at, new or (0xFFFF if reading.proto == fields.UDP else 0))


def put(packet, at, number):
    struct.pack_into("!H", packet, at, number)


# ---- the frame around it ------------------------------------------------------------
def link_header(reading, way):
    """One tag that is right already stays as it came, with its priority."""
    tags = reading.tags
    kept = tags if len(tags) == 1 and tags[0][1] & 0xFFF == way.vlan else ()
    return ethernet(way, TYPES[reading.family], kept)


@functools.cache
def ethernet(way, kind, kept):
    header = Ether(dst=way.target_mac, src=way.source_mac, type=kind)
    if kept:
        ((header.type, tag),) = kept
        header /= Raw(struct.pack("!HH", tag, kind))
    elif way.vlan:
        header.type = 0x8100
        header /= Dot1Q(vlan=way.vlan, type=kind)
    return bytes(header)


def framed(reading, way, packet):
    return link_header(reading, way) + packet + reading.padding


def tunnelled(reading, service, backend):
    """RFC 2003, RFC 2473. Padding that alone does not fit the MTU is left out."""
    bits = flow_bits(str(reading.source), reading.sport, service.by_address)
    packet = bytes(encapsulated(rewritten(reading), str(backend.address), bits))
    if len(packet) + len(reading.padding) <= backend.way.mtu:
        packet += reading.padding
    return link_header(reading, backend.way) + packet


# ---- refusals ----------------------------------------------------------------------
def sent_back(reading, message):
    """The message (a scapy layer), to where the frame came from, in its VLANs."""
    frame = reading.frame
    link = frame[6:12] + frame[:6] + frame[12:reading.l3]
    ends = {"src": str(reading.destination), "dst": str(reading.source)}
    if reading.family == 4:
        return link + bytes(IP(ttl=TTL, id=0, flags="DF", **ends) / message)
    return link + bytes(IPv6(hlim=TTL, **ends) / message)


def quote(reading):
    return Raw(reading.frame[reading.l3:reading.l4 + QUOTED])


def reset(reading):
    """RFC 9293 section 3.10.7.1."""
    segment = reading.frame[reading.l4:reading.end]
    seq, ack = struct.unpack_from("!II", segment, 4)
    both = {"sport": reading.dport, "dport": reading.sport, "window": 0}
    if reading.flags & fields.ACK:
        return sent_back(reading, TCP(flags="R", seq=ack, **both))
    length = len(segment) - (segment[12] >> 4) * 4 \
        + bool(reading.flags & fields.SYN) + bool(reading.flags & fields.FIN)
    return sent_back(reading, TCP(flags="RA", seq=0, ack=(seq + length) % 2**32, **both))


def unreachable(reading, port):
    """Of a port, or administratively prohibited (RFC 1812 section 5.2.7.1, RFC 4443)."""
    if reading.family == 4:
        return sent_back(reading, ICMP(type=3, code=3 if port else 13) / quote(reading))
    return sent_back(reading, ICMPv6DestUnreach(code=4 if port else 1) / quote(reading))


def too_big(reading, mtu):
    """RFC 1191 section 4, RFC 4443 section 3.2."""
    if reading.family == 4:
        return sent_back(reading, ICMP(type=3, code=4, nexthopmtu=mtu) / quote(reading))
    return sent_back(reading, ICMPv6PacketTooBig(mtu=max(mtu, IPV6_LEAST_MTU)) / quote(reading))

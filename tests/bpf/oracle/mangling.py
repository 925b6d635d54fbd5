# SPDX-License-Identifier: BSD-2-Clause
"""Random packets as they should not be: each function takes a frame and makes it worse. None
mends a length or a checksum that its change makes wrong.
"""

import ipaddress
import struct

import frames
from oracle.reading import ETHERNET, FRAGMENT, read
from oracle.world import ROWS

SHORTEST = 14  # BPF_PROG_TEST_RUN takes no frame shorter than an Ethernet header
LONGEST = 3000  # nor one that does not fit a page with its headroom
ODD_BYTES = (0, 1, 4, 5, 6, 7, 0x40, 0x45, 0x4F, 0x60, 0x7F, 0x80, 0xF0, 0xFF)
ODD_WORDS = (0, 1, 7, 8, 19, 20, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
PORTS = sorted({row.port for row in ROWS} | {row.backend_port for row in ROWS} | {0, 9})
MACS = (frames.FRONT_MAC, frames.BACK_MAC, "02:00:00:00:09:09", "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:01", "33:33:00:00:00:01", "00:00:00:00:00:00")
ADDRESSES = {family: [ipaddress.ip_address(text).packed for text in texts] for family, texts in {
    4: ("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "192.0.2.255", "169.254.0.1"),
    6: ("::", "::1", "::192.0.2.7", "::ffff:192.0.2.7", "ff02::1", "ffff::1", "fe80::1"),
}.items()}
for known in (frames.SERVICE, frames.FRONT, frames.BACK, frames.SILENT, frames.BLACKHOLED,
              frames.NARROW_CLIENT, *(link.backend for link in frames.LINKS),
              {4: "192.0.2.97", 6: "2001:db8:c:dead::1"}, {4: "192.0.2.250", 6: "2001:db8:bad::1"}):
    for one_family in (4, 6):
        ADDRESSES[one_family].append(ipaddress.ip_address(known[one_family]).packed)


def put(frame, at, data):
    """Bytes overwritten, as far as the frame goes."""
    return (frame[:at] + data + frame[at + len(data):])[:max(len(frame), at)]


def put_word(frame, at, number):
    return put(frame, at, struct.pack("!H", number & 0xFFFF))


def odd_word(dice, right):
    """Near the right one, or far from all."""
    return dice.choice((right + dice.choice((-4, -1, 1, 4)), dice.choice(ODD_WORDS),
                        dice.getrandbits(16)))


def word_at(frame, at):
    return int.from_bytes(frame[at:at + 2], "big")


# ---- anywhere ----------------------------------------------------------------------
def flip_bits(dice, frame):
    data = bytearray(frame)
    for _ in range(dice.randrange(1, 9)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def flip_bits_of_headers(dice, frame):
    most = min(len(frame), 90)
    return flip_bits(dice, frame[:most]) + frame[most:]


def odd_bytes(dice, frame):
    data = bytearray(frame)
    for _ in range(dice.randrange(1, 5)):
        data[dice.randrange(12, min(len(data), 90))] = dice.choice(
            (*ODD_BYTES, dice.randrange(256)))
    return bytes(data)


def cut(dice, frame):
    most = dice.choice((len(frame), min(len(frame), 100)))
    return frame[:dice.randrange(SHORTEST, most + 1)]


def lengthen(dice, frame):
    return frame + dice.randbytes(dice.choice((1, 2, 40, dice.randrange(1, 400))))


# ---- the frame's header -------------------------------------------------------------
def other_mac(dice, frame):
    mac = dice.choice((bytes.fromhex(dice.choice(MACS).replace(":", "")), dice.randbytes(6)))
    return put(frame, dice.choice((0, 0, 6)), mac)


def put_tags(dice, frame):
    tags = b"".join(struct.pack("!HH", dice.choice((0x8100, 0x88A8, 0x8100, 0x9100)),
                                dice.getrandbits(4) << 12
                                | dice.choice((0, 7, 8, 9, frames.VLAN, dice.getrandbits(12))))
                    for _ in range(dice.randrange(1, 4)))
    return frame[:12] + tags + frame[12:]


def drop_tags(_dice, frame):
    l3 = read(frame).l3
    return frame[:12] + frame[l3 - 2:] if l3 > ETHERNET else frame


# ---- IP -------------------------------------------------------------------------------
def ip_length(dice, frame):
    reading = read(frame)
    at = reading.l3 + (4 if reading.family == 6 else 2)
    return put_word(frame, at, odd_word(dice, word_at(frame, at)))


def ip_ends_early(dice, frame):
    """The datagram ends a few bytes behind its headers; what follows is padding."""
    reading = read(frame)
    if not reading.family:
        return frame
    at, begin = (reading.l3 + 2, reading.l3) if reading.family == 4 else (
        reading.l3 + 4, reading.l3 + 40)
    return put_word(frame, at, max(0, reading.l4 + dice.randrange(-8, 24) - begin))


def first_byte(dice, frame):
    """Version, and the length of IPv4's header."""
    return put(frame, read(frame).l3, bytes([dice.choice((
        dice.randrange(0x40, 0x50), dice.randrange(0x60, 0x70), dice.randrange(256)))]))


def ttl(dice, frame):
    reading = read(frame)
    at = reading.l3 + (7 if reading.family == 6 else 8)
    return put(frame, at, bytes([dice.choice((0, 1, 1, 2, 255))]))


def fragment(dice, frame):
    reading = read(frame)
    if reading.family == 4:
        return put_word(frame, reading.l3 + 6, dice.choice((
            0x2000, 0x2001, 1, 0x1FFF, 0x4000, 0x6000, 0x8000, dice.getrandbits(16))))
    if reading.family == 6:
        place = dice.choice((0, 1, 8, 9, 2, 0xFFF8, dice.getrandbits(16)))
        return put_extension(frame, reading, FRAGMENT, 0, struct.pack("!H4s", place, b"id  "))
    return frame


def put_extension(frame, reading, kind, size, rest):
    """An extension header in front of all that follows IPv6's. size: as it says itself."""
    l3 = reading.l3
    frame = frame[:l3 + 40] + bytes([frame[l3 + 6], size]) + rest + frame[l3 + 40:]
    frame = put(frame, l3 + 6, bytes([kind]))
    return put_word(frame, l3 + 4, word_at(frame, l3 + 4) + 2 + len(rest))


def extension(dice, frame):
    """One to six extension headers, whose lengths and contents may be odd."""
    for _ in range(dice.randrange(1, 7)):
        reading = read(frame)
        if reading.family != 6:
            return frame
        units = dice.choice((0, 0, 0, 1, 2))
        body = bytearray(dice.choice((bytes, dice.randbytes))(6 + 8 * units))
        kind = dice.choice((0, 43, 43, 44, 51, 60, 60, 135))
        if kind == 43:
            body[1] = dice.choice((0, 0, 0, 1, 255))  # segments left
        size = dice.choice((units, units, units, units, units + 1, 255))
        frame = put_extension(frame, reading, kind, size, bytes(body))
    return frame


def options(dice, frame):
    """IPv4 options of odd kinds and lengths."""
    reading = read(frame)
    if reading.family != 4 or not reading.plain:
        return frame
    body = b""
    while len(body) < dice.randrange(1, 40):
        size = dice.choice((0, 1, 2, 3, 4, 7, 11, 255))
        body += dice.choice((
            b"\1", b"\0", bytes([dice.choice((131, 137, 7, 68, 148, dice.randrange(256))), size])
            + bytes([dice.choice((0, 4, 8, size, size + 1 & 255))])
            + dice.randbytes(max(0, min(size, 11) - 3))))
    body = (body + bytes(3))[:40]
    body = body[:len(body) // 4 * 4]
    l3 = reading.l3
    frame = frame[:l3 + 20] + body + frame[l3 + 20:]
    frame = put(frame, l3, bytes([0x45 + len(body) // 4]))
    return put_word(frame, l3 + 2, reading.size + len(body))


def other_address(dice, frame):
    reading = read(frame)
    if not reading.family:
        return frame
    at, size = (12, 4) if reading.family == 4 else (8, 16)
    at += dice.choice((0, size))
    return put(frame, reading.l3 + at, dice.choice(ADDRESSES[reading.family]))


def protocol(dice, frame):
    reading = read(frame)
    at = reading.l3 + (6 if reading.family == 6 else 9)
    return put(frame, at, bytes([dice.choice((0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60,
                                              132, dice.randrange(256)))]))


# ---- TCP, UDP ----------------------------------------------------------------------------
def ports(dice, frame):
    at = read(frame).l4 + dice.choice((0, 2))
    return put_word(frame, at, dice.choice(PORTS)) if at > ETHERNET else frame


def transport_length(dice, frame):
    """TCP's data offset, or UDP's length."""
    reading = read(frame)
    if reading.proto == 6:
        return put(frame, reading.l4 + 12, bytes([dice.randrange(256)]))
    if reading.proto == 17:
        at = reading.l4 + 4
        return put_word(frame, at, odd_word(dice, word_at(frame, at)))
    return frame


def tcp_flags(dice, frame):
    reading = read(frame)
    return put_word(frame, reading.l4 + 12, dice.getrandbits(16)) if reading.proto == 6 else frame


def odd_checksum(dice, frame):
    reading = read(frame)
    places = [reading.l4 + {6: 16, 17: 6}.get(reading.proto, 2)]
    if reading.family == 4:
        places.append(reading.l3 + 10)
    at = dice.choice(places)
    return put_word(frame, at, odd_word(dice, word_at(frame, at)))


WAYS = (flip_bits, flip_bits_of_headers, odd_bytes, cut, lengthen, other_mac, put_tags, drop_tags,
        ip_length, ip_ends_early, first_byte, ttl, fragment, extension, options, other_address,
        protocol, ports, transport_length, tcp_flags, odd_checksum)


def mangled(dice, frame):
    """(frame, the names of what was done to it)"""
    done = []
    for _ in range(dice.choice((0, 1, 1, 1, 1, 1, 2, 2, 3))):
        way = dice.choice(WAYS)
        frame = way(dice, frame)[:LONGEST]
        done.append(way.__name__)
    return frame, ", ".join(done) or "nothing"

# SPDX-License-Identifier: BSD-2-Clause
"""Frames: built and judged with scapy, which shares no code with sluice; sent
and captured with AF_PACKET sockets, which show what was really on the link.
"""

import contextlib
import logging
import socket
import struct
import time

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.dns import DNS, DNSQR, DNSRR  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

__all__ = [
    "ARP", "DNS", "DNSQR", "DNSRR", "Dot1AD", "Dot1Q", "Ether", "ICMP", "ICMPv6DestUnreach", "ICMPv6PacketTooBig", "IP", "IPv6", "IPv6ExtHdrDestOpt",
    "IPv6ExtHdrFragment", "IPv6ExtHdrHopByHop", "IPv6ExtHdrRouting", "Raw", "TCP", "UDP",
    "Capture", "now", "rebuilt", "send", "wrong_checksums",
]

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
CAPTURE_BUFFER = 64 << 20


def ip_layer(family, **fields):
    """An IP header of the family: src, dst and ttl for both."""
    if family == 4:
        return IP(**fields)
    if "ttl" in fields:
        fields["hlim"] = fields.pop("ttl")
    return IPv6(**fields)


def rebuilt(frame):
    """The frame with every length kept and every checksum made anew by scapy.

    What comes out equals what went in exactly when each checksum was right
    (a UDP checksum of 0 over IPv4 stays: it says that there is none).
    """
    packet = Ether(bytes(frame))
    layer = packet
    while layer:
        if isinstance(layer, (IP, TCP)):
            del layer.chksum
        elif isinstance(layer, UDP) and not (layer.chksum == 0 and IP in packet):
            del layer.chksum
        layer = layer.payload
    built = Ether(bytes(packet))
    # Both are zero (RFC 1624 section 3), and kernels write either.
    if TCP in built and not built[TCP].chksum and Ether(bytes(frame))[TCP].chksum == 0xFFFF:
        built[TCP].chksum = 0xFFFF
    return bytes(built)


def wrong_checksums(frames):
    """Those of the frames in which scapy computes another checksum."""
    return [frame for frame in frames if rebuilt(frame) != bytes(frame)]


def send(ns, device, frames):
    """Puts whole frames on the device."""
    with ns.entered():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with sock:
        sock.bind((device, 0))
        for frame in frames:
            sock.send(bytes(frame))


class Capture:
    """What arrives on a device (outgoing=True: also what leaves it; incoming=False: only that).

    The kernel keeps the frames; they are read when asked for. Frames are
    (seconds of the wall clock, bytes).
    """

    def __init__(self, ns, device, outgoing=False, incoming=True):
        with ns.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, CAPTURE_BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setblocking(False)
        self.wanted = {True: outgoing, False: incoming}
        self.frames = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self):
        """Everything captured so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, control, _, address = self.socket.recvmsg(65536, 64)
                if not self.wanted[address[2] == PACKET_OUTGOING]:
                    continue
                seconds = nanoseconds = 0
                for _, kind, data in control:
                    if kind == SO_TIMESTAMPNS:
                        seconds, nanoseconds = struct.unpack("qq", data)
                self.frames.append((seconds + nanoseconds / 1e9, frame))
        return self.frames

    def packets(self, condition=lambda packet: True):
        """The frames so far as scapy packets, those that satisfy the condition."""
        packets = (Ether(frame) for _, frame in self.read())
        return [packet for packet in packets if condition(packet)]


def now():
    """The clock of Capture's times."""
    return time.time()

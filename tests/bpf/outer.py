# SPDX-License-Identifier: BSD-2-Clause
"""The outer header of `ipip`, by scapy and the RFCs; and what it has of its flow: the
hash of include/sluice/hash.h, computed once more.
"""

import ipaddress
import struct

from lab.limits import _mix as mix
from lab.packets import IP, IPv6, Raw

SEED = 0x736C756963653031
PREFIX = {4: ipaddress.ip_network("172.16.0.0/16"), 6: ipaddress.ip_network("100::/64")}
VARYING = 32  # bits of an address that a flow's hash fills, at most
TTL = 64


def _halves(address):
    ip = ipaddress.ip_address(address)
    packed = ip.packed if ip.version == 6 else bytes(10) + b"\xff\xff" + ip.packed
    return struct.unpack("=QQ", packed)


def flow_bits(source, sport, by_address=False):
    """What an outer header has of the flow; by_address: the service has the scheduler
    source-hash.
    """
    (port,) = struct.unpack("=H", struct.pack("!H", sport))
    high, low = _halves(source)
    value = mix(low ^ SEED ^ (0 if by_address else port))
    if ":" in source:
        value = mix(value ^ high)
    return value >> 32 ^ port


def outer_source(bits, prefix):
    varies = min(prefix.max_prefixlen - prefix.prefixlen, VARYING)
    return str(prefix[0] + (bits & (1 << varies) - 1))


def encapsulated(inner, backend, bits, prefix=None):
    """The packet (bytes that begin with its IP header) in one for the backend."""
    version = inner[0] >> 4
    source = outer_source(bits, prefix or PREFIX[version])
    if version == 4:
        return IP(src=source, dst=backend, ttl=TTL, proto=4, id=0, flags="DF",
                  tos=inner[1]) / Raw(inner)
    (word,) = struct.unpack_from("!I", inner)
    return IPv6(src=source, dst=backend, hlim=TTL, nh=41, tc=word >> 20 & 0xFF,
                fl=bits & 0xFFFFF) / Raw(inner)

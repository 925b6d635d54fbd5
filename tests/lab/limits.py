# SPDX-License-Identifier: BSD-2-Clause
"""Where a source is in the gate: what include/sluice/hash.h and gate.h say, computed
once more from what the program's maps hold.
"""

import ipaddress
import struct

from .daemon import bpftool
from .maps import Maps

WORD = (1 << 64) - 1
CELLS = 6  # of a line


def _mix(value):
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & WORD
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & WORD
    return value ^ value >> 33


def hash_source(address, number, seed):
    """The hash of a source of a limit's number. IPv6: of its /64, as limits have it."""
    ip = ipaddress.ip_address(address)
    packed = bytes(10) + b"\xff\xff" + ip.packed if ip.version == 4 else ip.packed[:8] + bytes(8)
    high, low = struct.unpack("=QQ", packed)
    name = (number << 3 | ip.version) * 0x9E3779B97F4A7C15 & WORD
    value = _mix(low ^ name ^ seed)
    return _mix(value ^ high) if ip.version == 6 else value


def gate_place(hashed, mask):
    """(line, cell)"""
    return hashed & 0xFFFFFFFF & mask, (hashed >> 32 & 0xFFFF) * CELLS >> 16


class Limits(Maps):
    """Of a daemon that runs, by its maps."""

    def __init__(self, daemon):
        super().__init__(daemon)
        self.daemon = daemon

    def _variable(self, section, name):
        (row,) = bpftool("map", "dump", "id", self.daemon.map_id(section))
        return row["formatted"]["value"][section][0][name]

    def number(self, port):
        """Of the first limit of the only service on that port."""
        (index,) = {service.limits for service in self.services().values() if service.port == port}
        return struct.unpack_from("=I", self._array("sl_limits", 64), index * 64 + 36)[0]

    def places(self, port):
        """Of that limit: a function, address -> its cell of the gate."""
        seed = self._variable(".data.tuning", "sl_tuning")["gate_seed"]
        mask = self._variable(".rodata.config", "sl_settings")["gate_mask"]
        number = self.number(port)
        return lambda address: gate_place(hash_source(address, number, seed), mask)

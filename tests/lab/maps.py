# SPDX-License-Identifier: BSD-2-Clause
"""The maps that the daemon has pinned, read past it: struct sl_* of
include/sluice/abi.h and the words of include/sluice/slot.h.
"""

import contextlib
import ctypes
import ipaddress
import mmap
import os
import struct
from dataclasses import dataclass

from .daemon import bpftool
from .testrun import SYS_BPF, bpf

_BPF_OBJ_GET = 7
_BPF_MAP_LOOKUP_BATCH = 24

_SERVICE = struct.Struct("=16sHBBI III BBBB IIII II")
_BACKEND = struct.Struct("=16sHBBI 40x")
_FLOW_KEY, _FLOW = 24, 16
_BATCH = 1 << 16

TRACKING = 1 << 63
FRESH = 1 << 62
INDEX = (1 << 24) - 1

NO_BACKEND = 0


@dataclass
class Service:
    """One address of a service, as the program has it."""

    address: str
    port: int
    id: int
    table: int
    table_size: int
    slots: list  # words
    limits: int  # index of the first one; 0: has none

    @property
    def tracking(self):
        return sum(bool(word & TRACKING) for word in self.slots)


class Maps:
    def __init__(self, daemon):
        self.directory = f"{daemon.pin_dir}/maps"

    @contextlib.contextmanager
    def _open(self, name):
        path = ctypes.create_string_buffer(os.fsencode(f"{self.directory}/{name}"))
        fd, _ = bpf(_BPF_OBJ_GET, struct.pack("QII", ctypes.addressof(path), 0, 0))
        try:
            yield fd
        finally:
            os.close(fd)

    def _array(self, name, value_size):
        """All of an array that can be mapped."""
        entries = bpftool("map", "show", "pinned", f"{self.directory}/{name}")["max_entries"]
        with self._open(name) as fd, \
                mmap.mmap(fd, entries * value_size, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
            return bytes(memory)

    def _entries(self):
        """Fields of the entries that the directory leads to."""
        entries = self._array("sl_services", 64)
        for word in memoryview(self._array("sl_directory", 8)).cast("Q"):
            if word not in (0, 0xFFFFFFFF):
                yield _SERVICE.unpack_from(entries, word * 64)

    def count_services(self):
        """Without their slots, which may be many."""
        return sum(1 for _ in self._entries())

    @contextlib.contextmanager
    def live_slots(self, address, port):
        """Of a service, as they are whenever they are read: yields read() -> bytes."""
        (entry,) = (fields for fields in self._entries()
                    if _address(fields[0], fields[3]) == address and _swap(fields[1]) == port)
        start, end = entry[6] * 8, (entry[6] + entry[7]) * 8
        with self._open("sl_slots") as fd, \
                mmap.mmap(fd, -(-end // mmap.PAGESIZE) * mmap.PAGESIZE, mmap.MAP_SHARED,
                          mmap.PROT_READ) as memory:
            yield lambda: memory[start:end]

    def backends(self):
        """By index: "10.0.0.11:80"."""
        return [_end(*fields[:3]) for fields in
                _BACKEND.iter_unpack(self._array("sl_backends", 64))]

    def services(self):
        """{("198.51.100.10", 80, proto): Service}, those that the directory leads to."""
        slots = memoryview(self._array("sl_slots", 8)).cast("Q")
        found = {}
        for fields in self._entries():
            addr, port, proto, family, _, number, table, size = fields[:8]
            address, port = _address(addr, family), _swap(port)
            found[address, port, proto] = Service(
                address, port, number, table, size, list(slots[table:table + size]), fields[12])
        return found

    def tables(self):
        """{service: [the backend of each slot, as "address:port"]}"""
        backends = self.backends()
        return {key: [backends[word & INDEX] if word & INDEX else None for word in service.slots]
                for key, service in self.services().items()}

    def count(self, name, key_size=_FLOW_KEY, value_size=_FLOW):
        """Entries of a hash map, by batches: those of flows, if nothing else is said."""
        keys = ctypes.create_string_buffer(_BATCH * key_size)
        values = ctypes.create_string_buffer(_BATCH * value_size)
        token = ctypes.create_string_buffer(max(key_size, 8))  # a trie's is a key
        total, begun, last = 0, False, False
        with self._open(name) as fd:
            while not last:
                attributes = struct.pack(
                    "QQQQIIQQ", ctypes.addressof(token) if begun else 0,
                    ctypes.addressof(token), ctypes.addressof(keys), ctypes.addressof(values),
                    _BATCH, fd, 0, 0)
                count, last = _lookup_batch(attributes)
                begun = True
                total += count
        return total

    def flows(self):
        """How many flows the tables hold: with sl_handshakes, all that are tracked."""
        return self.count("sl_flows") + self.count("sl_handshakes")


def _lookup_batch(attributes):
    """(entries, whether they were the last)"""
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(SYS_BPF, _BPF_MAP_LOOKUP_BATCH, buffer, len(attributes))
    if result < 0 and ctypes.get_errno() != 2:  # ENOENT: the end
        raise OSError(ctypes.get_errno(), "BPF_MAP_LOOKUP_BATCH")
    return struct.unpack_from("I", buffer.raw, 32)[0], result < 0


def _swap(port):
    return struct.unpack(">H", struct.pack("=H", port))[0]


def _address(addr, family):
    return str(ipaddress.ip_address(addr[12:] if family == 4 else addr))


def _end(addr, port, family):
    if not family:
        return None
    text = _address(addr, family)
    return f"[{text}]:{_swap(port)}" if family == 6 else f"{text}:{_swap(port)}"

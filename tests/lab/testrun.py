# SPDX-License-Identifier: BSD-2-Clause
"""BPF_PROG_TEST_RUN of the program that the daemon has pinned: one frame in,
the XDP action and the frame as the program left it out. Needs no traffic; the
ingress device is one of the namespace's, as the program reads its index.
"""

import contextlib
import ctypes
import enum
import mmap
import os
import pathlib
import platform
import re
import struct

from .netns import libc_call

SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
_BPF_OBJ_GET = 7
_BPF_PROG_TEST_RUN = 10
_BPF_MAP_GET_FD_BY_ID = 14
_BPF_MAP_LOOKUP_BATCH = 24
_OUTPUT_ROOM = 512


class Action(enum.IntEnum):
    ABORTED = 0
    DROP = 1
    PASS = 2
    TX = 3
    REDIRECT = 4


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return libc_call("syscall", SYS_BPF, command, buffer, len(attributes)), buffer


@contextlib.contextmanager
def map_memory(number):
    """The memory of a mapped map of at most a page, by its id."""
    fd, _ = bpf(_BPF_MAP_GET_FD_BY_ID, struct.pack("=II", number, 0))
    try:
        with mmap.mmap(fd, mmap.PAGESIZE) as memory:
            yield memory
    finally:
        os.close(fd)


class Counters:
    """A map of struct sl_count (packets, bytes), which has one for each CPU; by the map's id."""

    SIZE = 16
    CPUS = int(re.split("[-,]", pathlib.Path("/sys/devices/system/cpu/possible").read_text())[-1]) + 1

    def __init__(self, number, entries):
        self.fd, _ = bpf(_BPF_MAP_GET_FD_BY_ID, struct.pack("=II", number, 0))
        self.entries = entries
        self.keys = ctypes.create_string_buffer(entries * 4)
        self.values = ctypes.create_string_buffer(entries * self.CPUS * self.SIZE)
        self.token = ctypes.create_string_buffer(4)

    def close(self):
        os.close(self.fd)

    def packets(self):
        """Of all CPUs, by the entry's index."""
        bpf(_BPF_MAP_LOOKUP_BATCH, struct.pack(
            "=QQQQIIQQ", 0, *map(ctypes.addressof, (self.token, self.keys, self.values)),
            self.entries, self.fd, 0, 0))
        words = memoryview(self.values).cast("B").cast("Q")[::2].tolist()
        return [sum(words[at:at + self.CPUS]) for at in range(0, len(words), self.CPUS)]


class Program:
    """A pinned XDP program, run in the namespace `ns`."""

    def __init__(self, ns, path):
        self.ns = ns
        name = ctypes.create_string_buffer(os.fsencode(path))
        attributes = struct.pack("QII", ctypes.addressof(name), 0, 0)
        self.fd, _ = bpf(_BPF_OBJ_GET, attributes)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def verified(self):
        """How many instructions the kernel followed when it verified the program."""
        lines = pathlib.Path(f"/proc/self/fdinfo/{self.fd}").read_text().splitlines()
        (count,) = (line.split()[1] for line in lines if line.startswith("verified_insns:"))
        return int(count)

    @contextlib.contextmanager
    def device(self, name, queue=0):
        """Yields run(frame) -> (action, bytes) for frames that arrive on the device."""
        with self.ns.entered():
            index = self.ns.ifindex(name)
            yield lambda frame: self._run(bytes(frame), index, queue)

    def run(self, frame, device):
        with self.device(device) as run:
            return run(frame)

    def _run(self, frame, ifindex, queue):
        frame_in = ctypes.create_string_buffer(frame, len(frame))
        frame_out = ctypes.create_string_buffer(len(frame) + _OUTPUT_ROOM)
        # struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
        context = ctypes.create_string_buffer(
            struct.pack("6I", 0, len(frame), 0, ifindex, queue, 0), 24
        )
        attributes = struct.pack(
            "IIIIQQIIIIQQIII4x",
            self.fd, 0, len(frame_in), len(frame_out),
            ctypes.addressof(frame_in), ctypes.addressof(frame_out),
            1, 0,  # repeat, duration
            len(context), 0, ctypes.addressof(context), 0,
            0, 0, 0,  # flags, cpu, batch_size
        )
        _, result = bpf(_BPF_PROG_TEST_RUN, attributes)
        retval, _, size_out = struct.unpack_from("III", result.raw, 4)
        return Action(retval), frame_out.raw[:size_out]

# SPDX-License-Identifier: BSD-2-Clause
"""Somebody else's XDP program: it passes everything, and is not sluice."""

import ctypes
import os
import struct

from .testrun import bpf

_BPF_PROG_LOAD = 5
_BPF_OBJ_PIN = 6
_BPF_PROG_TYPE_XDP = 6
_XDP_PASS = 2
NAME = b"somebodys"


def attach_foreign(ns, device, mode="xdpdrv"):
    """Attaches it by `ip link`; its id."""
    instructions = struct.pack("<BBhi", 0xB7, 0, 0, _XDP_PASS) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    code = ctypes.create_string_buffer(instructions, len(instructions))
    licence = ctypes.create_string_buffer(b"BSD")
    attributes = struct.pack(
        "IIQQIIQII16s",
        _BPF_PROG_TYPE_XDP, len(instructions) // 8,
        ctypes.addressof(code), ctypes.addressof(licence),
        0, 0, 0, 0, 0, NAME,
    )
    fd, _ = bpf(_BPF_PROG_LOAD, attributes)
    try:
        pin = f"{ns.lab.bpffs}/foreign-{device}"
        path = ctypes.create_string_buffer(os.fsencode(pin))
        bpf(_BPF_OBJ_PIN, struct.pack("QII", ctypes.addressof(path), fd, 0))
    finally:
        os.close(fd)
    ns.ip(f"link set dev {device} {mode} pinned {pin}")
    return ns.xdp(device)["prog"]["id"]

# SPDX-License-Identifier: BSD-2-Clause
"""XDP programs of one instruction, attached by `ip link`: one that passes everything
stands for somebody else's, and makes a veth poll; one that sends everything back is
what a link can do at most.
"""

import ctypes
import os
import struct

from .testrun import bpf

_BPF_PROG_LOAD = 5
_BPF_OBJ_PIN = 6
_BPF_PROG_TYPE_XDP = 6
_XDP_PASS, _XDP_TX = 2, 3


def attach_pass(ns, device, name, mode="xdpdrv"):
    """Attaches it under this name (up to 15 characters), in the place of whatever is there;
    its id.
    """
    return _attach(ns, device, name, mode, _XDP_PASS)


def attach_tx(ns, device, name, mode="xdpdrv"):
    return _attach(ns, device, name, mode, _XDP_TX)


def _attach(ns, device, name, mode, action):
    mov_and_exit = struct.pack("<BBhiBBhi", 0xB7, 0, 0, action, 0x95, 0, 0, 0)
    code = ctypes.create_string_buffer(mov_and_exit, len(mov_and_exit))
    licence = ctypes.create_string_buffer(b"BSD")
    attributes = struct.pack(
        "IIQQIIQII16s",
        _BPF_PROG_TYPE_XDP, len(mov_and_exit) // 8,
        ctypes.addressof(code), ctypes.addressof(licence),
        0, 0, 0, 0, 0, name.encode(),
    )
    fd, _ = bpf(_BPF_PROG_LOAD, attributes)
    try:
        pin = f"{ns.lab.bpffs}/{name}-{device}"
        path = ctypes.create_string_buffer(os.fsencode(pin))
        bpf(_BPF_OBJ_PIN, struct.pack("QII", ctypes.addressof(path), fd, 0))
    finally:
        os.close(fd)
    ns.run("ip", "-force", "link", "set", "dev", device, mode, "pinned", pin)
    return ns.xdp(device)["prog"]["id"]

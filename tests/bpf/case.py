# SPDX-License-Identifier: BSD-2-Clause
"""A row of the table of packets, and what builds the usual ones."""

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

from frames import CLIENT_MAC, FRONT_MAC, answer, delivered, request, returned, service
from lab.packets import Ether

VERDICT_H = Path(__file__).parents[2] / "include/sluice/verdict.h"
ROWS = re.findall(r"^\tX\((\w+), (\w+), (\w+),", VERDICT_H.read_text(), re.MULTILINE)
VERDICTS = {name: action for name, action, _ in ROWS}
COUNTERS = {"SENT": "packets", "REPLY": "reply_packets", "REFUSED": "refused_packets",
            "DROPPED": "dropped_packets"}
COUNTED = {name: COUNTERS.get(counted) for name, _, counted in ROWS}  # by the service

ETH = 14  # bytes of an untagged Ethernet header
FAMILIES = (4, 6)
PROTOS = ("tcp", "udp")
NAT_TCP, NAT_UDP = service("nat", "tcp"), service("nat", "udp")
DSR_TCP, DSR_UDP = service("dsr", "tcp"), service("dsr", "udp")
IPIP_TCP, IPIP_UDP = service("ipip", "tcp"), service("ipip", "udp")


@contextlib.contextmanager
def no_setup(_datapath):
    yield


@dataclass
class Case:
    id: str
    frame: bytes
    verdict: str
    device: str = "front"
    expected: Optional[bytes] = None  # None: a passed frame is as it was
    leaves: str = "front"  # the device, for what is forwarded
    setup: Callable = field(default=no_setup)
    longest: int = ETH + 1500  # that a frame can be which leaves like this
    changes_links: bool = False  # or addresses, in its setup

    @property
    def action(self):
        kind = VERDICTS[self.verdict]
        if kind == "FORWARD":
            return "TX" if self.leaves == self.device else "REDIRECT"
        return kind


# ---- builders of cases ------------------------------------------------------
def forwarded(id, svc, family, sent=None, got=None, **both):
    """A request that goes to the backend. `sent` and `got`: what differs."""
    return Case(
        id, request(svc, family, **both, **(sent or {})), "FORWARDED", "front",
        delivered(svc, family, **both, **(got or {})), svc.link.device,
    )


def answered(id, svc, family, sent=None, got=None, **both):
    """An answer that goes to the client."""
    return Case(
        id, answer(svc, family, **both, **(sent or {})), "RETURNED", svc.link.device,
        returned(svc, family, **both, **(got or {})), "front",
    )


def passed(id, data, verdict, device="front", setup=no_setup):
    return Case(id, bytes(data), verdict, device, setup=setup)


def dropped(id, data, verdict, device="front", setup=no_setup, **more):
    return Case(id, bytes(data), verdict, device, setup=setup, **more)


def patched(data, offset, replacement):
    """The frame with bytes overwritten; checksums stay as they are."""
    return data[:offset] + replacement + data[offset + len(replacement):]


def frame_of(packet, ethertype=None):
    ethernet = Ether(dst=FRONT_MAC, src=CLIENT_MAC)
    if ethertype is not None:
        ethernet.type = ethertype
    return bytes(ethernet / packet)


def transport_offset(family):
    return ETH + (20 if family == 4 else 40)


def upper(text):
    return text.upper()

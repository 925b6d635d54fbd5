# SPDX-License-Identifier: BSD-2-Clause
"""By which devices a nat backend's replies may come in: those of all routes to it, and the
members of a bond. What comes in elsewhere is a problem in words.
"""

import contextlib
import struct

import pytest

from case import ETH, FAMILIES, NAT_TCP
from frames import (
    BACK_LINK, BACK_MAC, FAR_CLIENT, FRONT_MAC, ROUTER_MAC, TWO_WAYS, answer, returned,
)
from lab import wait
from lab.daemon import bpftool
from lab.testrun import Action
from stations import pretend_station

NAT = 2  # SL_FORWARD_NAT
ORIGIN = struct.Struct("=II2s6x")  # ifindex, name, VLAN id
BACKEND = struct.Struct("=16s2sBB")  # address, port, family, forwarding


def problems(datapath):
    return "\n".join(datapath.daemon.get("/v1/status")["problems"])


@pytest.mark.parametrize("family", FAMILIES)
def test_replies_come_in_by_every_route_to_the_backend(datapath, family):
    assert TWO_WAYS.name not in problems(datapath)
    expected = returned(TWO_WAYS, family)
    for device, mac, action in (("back", BACK_MAC, Action.REDIRECT),
                                ("front", FRONT_MAC, Action.TX)):
        assert datapath.run(answer_at(mac, TWO_WAYS, family), device) == (action, expected)


def answer_at(mac, svc, family):
    """As it is sent to this MAC address."""
    return answer(svc, family, macs=(mac, svc.link.backend_mac))


@pytest.mark.parametrize("family", FAMILIES)
def test_replies_follow_the_routes(datapath, family):
    """What a route does not use any more is not believed, and its return is."""
    net, way = ("10.201.0.0/24", 4) if family == 4 else ("2001:db8:b201::/64", 6)
    ways = [f"nexthop via {BACK_LINK.backend[way]}", "nexthop via " + (
        "192.0.2.254" if family == 4 else "2001:db8:c::fe")]
    data, back = (answer_at(mac, TWO_WAYS, family) for mac in (FRONT_MAC, BACK_MAC))
    datapath.balancer.ip(f"route replace {net} via {BACK_LINK.backend[way]}")
    try:
        wait.until(lambda: datapath.run(data, "front") == (Action.PASS, data),
                   "front leads to the backend no more")
        assert TWO_WAYS.name in problems(datapath)
        assert datapath.run(back, "back")[0] == Action.REDIRECT
    finally:
        datapath.balancer.ip(f"route replace {net} {' '.join(ways)}")
    # The problem is gone with its cause, though a foreign packet came in a moment ago.
    wait.until(lambda: datapath.run(data, "front")[0] == Action.TX, "front leads there again")
    assert TWO_WAYS.name not in problems(datapath)


def test_a_reply_from_elsewhere_is_a_problem_in_words(datapath):
    data = answer_at(FRONT_MAC, NAT_TCP, 4)
    tagged = answer(NAT_TCP, 4, tags=(7,))
    assert datapath.run(data, "front") == (Action.PASS, data)
    text = problems(datapath)
    assert f"backend {NAT_TCP.name}/ipv4: packets from it come in by front, but the route" in text
    assert f"let a route to {BACK_LINK.backend[4]} use that interface too" in text
    assert datapath.run(tagged, "back") == (Action.PASS, tagged)
    assert f"{NAT_TCP.name}/ipv4: packets from it come in by back (VLAN 7)" in problems(datapath)


@contextlib.contextmanager
def pretended_member(datapath, svc, family, device, master):
    """Writes into sl_origins that `device` is a member of `master`, as not every kernel has
    bonds.
    """
    address = answer(svc, family)[ETH + 12:ETH + 16] if family == 4 else \
        answer(svc, family)[ETH + 8:ETH + 24]
    ids = {name: datapath.daemon.map_id(name) for name in ("sl_backends", "sl_origins")}
    (key,) = [entry["key"] for entry in bpftool("map", "dump", "id", ids["sl_backends"])
              if is_backend(entry, address, svc.backend_port, family)]
    with datapath.balancer.entered():
        indices = [datapath.balancer.ifindex(name) for name in (device, master)]

    def write(origin):
        bpftool("map", "update", "id", ids["sl_origins"], "key", "hex",
                *(byte[2:] for byte in key), "value", "hex",
                *(f"{byte:02x}" for byte in origin.ljust(128, b"\0")))

    write(ORIGIN.pack(*indices, b"\0\0"))
    try:
        yield
    finally:
        write(b"")


def is_backend(entry, address, port, family):
    value = bytes(int(byte, 16) for byte in entry["value"])
    found, found_port, found_family, forward = BACKEND.unpack_from(value)
    return (found[16 - len(address):] == address and found_family == family and forward == NAT and
            struct.unpack("!H", found_port)[0] == port)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_member_of_a_bond_is_believed(datapath, family):
    """And the route is asked for in the bond's name: the client is behind another interface than
    the member.
    """
    svc = NAT_TCP
    data = answer(svc, family, client=FAR_CLIENT[family], cport=41000)
    pretend_station(datapath.balancer, datapath.daemon, ("lo", BACK_MAC, 0, 0))
    assert datapath.run(data, "lo") == (Action.PASS, data)
    with pretended_member(datapath, svc, family, "lo", "back"):
        action, output = datapath.run(data, "lo")
        assert action == Action.REDIRECT
        assert output == returned(svc, family, client=FAR_CLIENT[family], cport=41000,
                                  macs=(ROUTER_MAC, FRONT_MAC))
    assert datapath.run(data, "lo") == (Action.PASS, data)

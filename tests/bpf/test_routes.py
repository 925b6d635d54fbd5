# SPDX-License-Identifier: BSD-2-Clause
"""The ways to clients that the program remembers (bpf/route.h): each packet leaves as the
kernel would send it now, or would have a moment ago.
"""

import contextlib
import ipaddress
import os
import signal
import struct

import pytest

from case import FAMILIES, NAT_TCP, NAT_UDP
from frames import (
    BACK_LINK, CLIENT, CLIENT_MAC, FRONT_MAC, NARROW_CLIENT, ROUTER, ROUTER_MAC, SERVICE, answer,
    returned,
)
from lab import wait
from lab.testrun import Action

OTHER_MAC = "02:00:00:00:0c:77"
NETS = {4: ipaddress.ip_network("192.0.2.0/24"), 6: ipaddress.ip_network("2001:db8:c::/64")}
WIDE = {4: ipaddress.ip_network("198.18.0.0/15"), 6: ipaddress.ip_network("2001:db8:8000::/34")}
WAY_BITS = 12


def sent(datapath, svc, family, client, **rest):
    """The MAC address that an answer to the client leaves for."""
    action, frame = datapath.run(answer(svc, family, client=client, **rest), "back")
    assert action == Action.REDIRECT
    mac = frame[:6].hex(":")
    assert frame == returned(svc, family, client=client, macs=(mac, FRONT_MAC), **rest)
    return mac


@contextlib.contextmanager
def neighbours(datapath, macs):
    """Neighbours of front's: {address: MAC address}."""
    with datapath.told():
        datapath.balancer.ip(*(f"neighbour replace {address} lladdr {mac} dev front nud permanent"
                               for address, mac in macs.items()))
    try:
        yield
    finally:
        with datapath.told():
            datapath.balancer.ip(*(f"neighbour del {address} dev front" for address in macs))


@contextlib.contextmanager
def stopped(daemon):
    """Nobody is there to tell of changes."""
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def one_cpu():
    """Ways are each CPU's own."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def line(address):
    packed = ipaddress.ip_address(address).packed
    high, low = struct.unpack("=QQ", packed if len(packed) == 16
                              else bytes(10) + b"\xff\xff" + packed)
    return ((high ^ low) * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 64 - WAY_BITS


def sharing(family, shift):
    """Two clients whose line is the same, and whose addresses differ from that bit on."""
    seen = {}
    for number in range(1, 1 << 17):
        address = str(WIDE[family][number << shift])
        if (other := seen.setdefault(line(address), address)) != address:
            return other, address
    raise AssertionError("no two clients share a line")


@contextlib.contextmanager
def routing(datapath, *commands):
    """Commands of ip's that add something, taken back afterwards."""
    def run(words):
        for command in commands:
            datapath.balancer.run("ip", *command.replace("ADD", words).split())

    with datapath.told():
        run("add")
    try:
        yield
    finally:
        with datapath.told():
            run("del")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_change_is_told_at_once(datapath, family):
    client = CLIENT[family]
    assert sent(datapath, NAT_TCP, family, client) == CLIENT_MAC
    for mac in (OTHER_MAC, CLIENT_MAC):
        with datapath.told():
            datapath.balancer.ip(
                f"neighbour replace {client} lladdr {mac} dev front nud permanent")
        assert sent(datapath, NAT_TCP, family, client) == mac


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_daemon_a_way_is_remembered_for_a_while(datapath, family):
    client = str(NETS[family][99])
    with neighbours(datapath, {client: CLIENT_MAC}), one_cpu(), stopped(datapath.daemon):
        assert sent(datapath, NAT_TCP, family, client) == CLIENT_MAC
        datapath.balancer.ip(
            f"neighbour replace {client} lladdr {OTHER_MAC} dev front nud permanent")
        # Remembered: else no other test here would show anything.
        assert sent(datapath, NAT_TCP, family, client) == CLIENT_MAC
        wait.until(lambda: sent(datapath, NAT_TCP, family, client) == OTHER_MAC,
                   "the kernel is asked again", timeout=5)


@pytest.mark.parametrize("family, shift", ((4, 0), (6, 0), (6, 64)))
def test_clients_that_share_a_line_keep_their_ways(datapath, family, shift):
    macs = dict(zip(sharing(family, shift), (CLIENT_MAC, OTHER_MAC)))
    with routing(datapath, f"route ADD {WIDE[family]} dev front"), \
            neighbours(datapath, macs), one_cpu():
        for _ in range(3):
            for client, mac in macs.items():
                assert sent(datapath, NAT_TCP, family, client) == mac
                assert sent(datapath, NAT_TCP, family, client) == mac


@pytest.mark.parametrize("family", FAMILIES)
def test_services_whose_answers_are_routed_otherwise(datapath, family):
    client = CLIENT[family]
    # From the service alone: the daemon's own questions about backends are of UDP too.
    with routing(datapath, f"-{family} rule ADD pref 7 from {SERVICE[family]} ipproto udp lookup 77",
                 f"-{family} route ADD default via {ROUTER[family]} dev front table 77"), one_cpu():
        for _ in range(3):
            assert sent(datapath, NAT_TCP, family, client) == CLIENT_MAC
            assert sent(datapath, NAT_UDP, family, client) == ROUTER_MAC


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_too_big_for_a_way_that_is_known(datapath, family):
    client = NARROW_CLIENT[family]
    with one_cpu():
        assert sent(datapath, NAT_UDP, family, client) == ROUTER_MAC
        big = answer(NAT_UDP, family, client=client, payload=b"x" * 1400)
        verdict = {4: "FRAGMENTED_REPLY", 6: "REJECTED_REPLY"}[family]
        before = datapath.verdicts()[verdict]
        assert datapath.run(big, BACK_LINK.device)[0] in (Action.DROP, Action.TX)
        assert datapath.verdicts()[verdict] == before + 1

# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams beyond the MTU of their way: whole at the other end in spite of that, or their
sender is told. The balancer's kernel is no help: the service's address is its own.
"""

import contextlib
import errno
import json
import socket

import pytest

from lab import topology, wait
from lab.daemon import Daemon
from lab.netns import Lab
from lab.servers import udp_socket
from lab.topology import SERVICE4, SERVICE6
from scenario import NO_CHECK, Scene, configuration, service

PORTS = {"nat": 7000, "dsr": 7001}
BACKEND_PORT = {"nat": 8000, "dsr": 7001}
WIDE, SIZE = 3000, 2500  # an MTU, and bytes that fit it and not 1500
IP_MTU_DISCOVER, DONT, DO = 10, 0, 2
IPV6_MTU_DISCOVER = 23
FAMILIES = (4, 6)


def widen(top, side):
    """The links of one side take longer packets than those of the other."""
    hosts = top.clients if side == "front" else top.backends
    top.balancer.ip(f"link set {side} mtu {WIDE}")
    for host in hosts:
        host.ns.ip(f"link set eth0 mtu {WIDE}")
    ports = json.loads(top.wire.run("ip", "-json", "link", "show", "master", side).stdout)
    top.wire.ip(*(f"link set {port['ifname']} mtu {WIDE}" for port in ports),
                f"link set {side} mtu {WIDE}")


@contextlib.contextmanager
def serving(side):
    with Lab() as lab:
        top = topology.routed(lab, backends=1)
        widen(top, side)
        top.balancer.ip(f"address add {SERVICE4}/32 dev lo",
                        f"address add {SERVICE6}/128 dev lo nodad")
        entries = [service(forward, top.backends, port, forward, proto="udp", check=NO_CHECK,
                           backend_port=BACKEND_PORT[forward])
                   for forward, port in PORTS.items()]
        scene = Scene(top)
        scene.daemon = Daemon(top.balancer, configuration(top, *entries)).start()
        for forward in PORTS:
            scene.daemon.wait_serving(forward, 2)
        yield scene


@pytest.fixture(scope="module")
def wide_front():
    with serving("front") as scene:
        yield scene


@pytest.fixture(scope="module")
def wide_back():
    with serving("back") as scene:
        yield scene


@contextlib.contextmanager
def server(scene, forward, family):
    """A backend's socket."""
    host = scene.top.backends[0]
    address = host.address(family) if forward == "nat" else scene.top.service(family)
    with udp_socket(host.ns, family, 5.0) as sock:
        sock.bind((address, BACKEND_PORT[forward]))
        yield sock


@contextlib.contextmanager
def client(scene, forward, family, discover):
    """A client's socket; discover: whether its packets may be cut."""
    with udp_socket(scene.client.ns, family, 5.0) as sock:
        if family == 4:
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, discover)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, discover)
        sock.connect((scene.top.service(family), PORTS[forward]))
        yield sock


def counted(scene, *names):
    """The packets of verdicts."""
    verdicts = scene.daemon.verdicts()
    return [verdicts.get(name, 0) for name in names]


@pytest.mark.parametrize("forward", PORTS)
def test_a_request_that_may_be_cut_reaches_the_backend_whole(wide_front, forward):
    fragmented, forwarded = counted(wide_front, "FRAGMENTED", "FORWARDED")
    with server(wide_front, forward, 4) as backend, \
            client(wide_front, forward, 4, DONT) as sock:
        question = bytes(i * 7 & 0xff for i in range(SIZE))
        sock.send(question)
        got, peer = backend.recvfrom(WIDE)
        assert got == question and peer == sock.getsockname()
    assert counted(wide_front, "FRAGMENTED", "FORWARDED") == [fragmented + 1, forwarded]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("forward", PORTS)
def test_the_sender_of_a_request_that_must_not_be_cut_is_told(wide_front, forward, family):
    before = counted(wide_front, "FORWARDED")
    for version in FAMILIES:
        wide_front.client.ns.run("ip", f"-{version}", "route", "flush", "cache")
    with client(wide_front, forward, family, DO) as sock:
        sock.send(b"x" * SIZE)

        def is_told():
            try:
                sock.send(b"x" * SIZE)
            except OSError as error:
                assert error.errno in (errno.EMSGSIZE, errno.EHOSTUNREACH, errno.EPROTO)
                return True
            return False

        wait.until(is_told, "the client's kernel knows the MTU")
    assert counted(wide_front, "FORWARDED") == before


def test_a_reply_that_may_be_cut_reaches_the_client_whole(wide_back):
    (before,) = counted(wide_back, "FRAGMENTED_REPLY")
    with server(wide_back, "nat", 4) as backend, client(wide_back, "nat", 4, DO) as sock:
        backend.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DONT)
        sock.send(b"?")
        reply = bytes(i * 7 & 0xff for i in range(SIZE))
        backend.sendto(reply, backend.recvfrom(16)[1])
        assert sock.recv(WIDE) == reply
    assert counted(wide_back, "FRAGMENTED_REPLY") == [before + 1]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_backend_of_a_reply_that_must_not_be_cut_is_told(wide_back, family):
    level, option = {4: (socket.IPPROTO_IP, IP_MTU_DISCOVER),
                     6: (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)}[family]
    with server(wide_back, "nat", family) as backend, \
            client(wide_back, "nat", family, DO) as sock:
        backend.setsockopt(level, option, DO)
        sock.send(b"?")
        peer = backend.recvfrom(16)[1]
        backend.sendto(b"x" * SIZE, peer)

        def is_told():
            try:
                backend.sendto(b"x" * SIZE, peer)
            except OSError as error:
                return error.errno == errno.EMSGSIZE
            return False

        wait.until(is_told, "the backend's kernel knows the MTU")
    assert counted(wide_back, "REJECTED_REPLY") != [0]

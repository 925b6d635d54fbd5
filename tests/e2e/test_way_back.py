# SPDX-License-Identifier: BSD-2-Clause
"""The way back to clients whose next hop the balancer's kernel does not know, or knows wrongly:
each client sends one datagram, and no datagram is sent twice, so a reply that is lost stays lost.
"""

import contextlib
import fcntl
import itertools
import os
import struct

import pytest

from lab import topology, wait
from lab.daemon import Daemon
from lab.netns import Lab
from lab.packets import IP, UDP, Capture, Ether, IPv6, ip_layer, send, wrong_checksums
from lab.servers import udp_socket
from lab.topology import CLIENT_NET4, CLIENT_NET6, SERVICE4, SERVICE6, mac_of
from lab.traffic import Echo
from scenario import NO_CHECK, Scene, configuration, service

PORT = 7000
FAMILIES = (4, 6)
OLD_MAC = "02:00:00:00:0c:99"
TUNNELLED = "10.99.0.2"
SECONDS = 5  # until a reply counts as lost
RP_FILTER = "net/ipv4/conf/{}/rp_filter"
hosts = itertools.count(32)  # of the clients' network: each is new to the balancer


def start(lab):
    top = topology.routed(lab, backends=1)
    scene = Scene(top, [Echo(top.backends[0], PORT).start()])
    udp = service("echo", top.backends, PORT, proto="udp", check=NO_CHECK)
    scene.daemon = Daemon(top.balancer, configuration(top, udp)).start()
    scene.daemon.wait_serving("echo", 2)
    know_the_balancer(top)
    return scene


def know_the_balancer(top):
    """The client never asks for the balancer's MAC address, so the balancer learns nothing."""
    top.client.ns.ip(*(f"neighbour replace {net.format(1)} lladdr {mac_of(0, 1)} dev eth0 nud permanent"
                       for net in (CLIENT_NET4, CLIENT_NET6)))


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield start(lab)


def new_client(scene, family):
    """An address of the client's that the balancer has no neighbour entry of."""
    host = next(hosts)
    address = (CLIENT_NET4 if family == 4 else CLIENT_NET6).format(host)
    length = "24" if family == 4 else "64 nodad"
    scene.client.ns.ip(f"address add {address}/{length} dev eth0")
    return address


def ask(scene, family, address=None, timeout=SECONDS):
    """Sends one datagram to the service; whether it is answered."""
    with udp_socket(scene.client.ns, family, timeout) as sock:
        if address:
            sock.bind((address, 0))
        sock.connect((SERVICE4 if family == 4 else SERVICE6, PORT))
        sock.send(b"x")
        try:
            return bool(sock.recv(16))
        except TimeoutError:
            return False


# ---- kernels that would drop a rewritten reply -----------------------------------
@contextlib.contextmanager
def address_on(balancer, device):
    balancer.ip(f"address add {SERVICE4}/32 dev {device}",
                f"address add {SERVICE6}/128 dev {device} nodad")
    try:
        yield
    finally:
        balancer.ip(f"address del {SERVICE4}/32 dev {device}",
                    f"address del {SERVICE6}/128 dev {device}")


@contextlib.contextmanager
def rp_filter(balancer, value, blackhole=False):
    if blackhole:
        balancer.ip(*(f"route add blackhole {address}" for address in (SERVICE4, SERVICE6)))
    balancer.sysctl({RP_FILTER.format("all"): value})
    try:
        yield
    finally:
        balancer.sysctl({RP_FILTER.format("all"): 0})
        if blackhole:
            balancer.ip(*(f"route del blackhole {address}" for address in (SERVICE4, SERVICE6)))


KERNELS = {
    "that forwards": lambda balancer: contextlib.nullcontext(),
    "with the service's address on lo": lambda balancer: address_on(balancer, "lo"),
    "with the service's address on an interface": lambda balancer: address_on(balancer, "front"),
    "with rp_filter 1": lambda balancer: rp_filter(balancer, 1),
    "with rp_filter 2 and a blackhole": lambda balancer: rp_filter(balancer, 2, blackhole=True),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_first_reply_to_a_new_client_arrives_by_a_kernel(scene, kernel, family):
    client = new_client(scene, family)
    before = scene.daemon.verdicts()
    with KERNELS[kernel](scene.top.balancer):
        assert ask(scene, family, client), scene.daemon.log
        assert ask(scene, family, client)
    verdicts = scene.daemon.verdicts()
    assert verdicts["HELD"] == before["HELD"] + 1 and verdicts["RETURNED"]
    assert scene.daemon.status()["problems"] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_client_that_comes_up_late_gets_the_reply_that_waits(scene, family):
    """The neighbour answers while the reply is held."""
    client, top = (CLIENT_NET4 if family == 4 else CLIENT_NET6).format(next(hosts)), scene.top
    question = (Ether(dst=mac_of(0, 1), src=top.client.mac)
                / ip_layer(family, src=client, dst=top.service(family))
                / UDP(sport=PORT, dport=PORT) / b"x")
    held = scene.daemon.verdicts()["HELD"]
    with Capture(top.client.ns, "eth0") as capture:
        send(top.client.ns, "eth0", [question])
        wait.until(lambda: scene.daemon.verdicts()["HELD"] == held + 1, "the reply is held")
        top.client.ns.ip(f"address add {client}/{24 if family == 4 else '64 nodad'} dev eth0")
        (reply,) = wait.until(lambda: capture.packets(lambda packet: UDP in packet),
                              "the reply arrives", timeout=SECONDS)
    assert (reply.src, reply[UDP].sport) == (mac_of(0, 1), PORT)
    assert reply[IP if family == 4 else IPv6].src == top.service(family)
    assert not wrong_checksums([reply])


# ---- a MAC address that changes -------------------------------------------------------
@pytest.mark.parametrize("family", FAMILIES)
def test_a_mac_address_that_is_out_of_date_is_asked_for_again(scene, family):
    client = new_client(scene, family)
    scene.top.balancer.sysctl(
        {f"net/{kind}/neigh/front/retrans_time_ms": 100 for kind in ("ipv4", "ipv6")})
    scene.top.balancer.ip(f"neighbour replace {client} lladdr {OLD_MAC} dev front nud stale")
    wait.until(lambda: ask(scene, family, client, timeout=0.1), "the client is answered")


# ---- devices that take no frames from XDP ---------------------------------------------
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


@contextlib.contextmanager
def tunnel(ns, name):
    """A tun device; a file from which the packets that it sends can be read."""
    with ns.entered():
        file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        except OSError:
            os.close(file)
            raise
    try:
        ns.ip(f"link set {name} up", f"route add {TUNNELLED}/32 dev {name}")
        yield file
    finally:
        os.close(file)


def arrives(file, port):
    """Whether a datagram to the port has come out of the tunnel."""
    with contextlib.suppress(BlockingIOError):
        while True:
            packet = IP(os.read(file, 2048))
            if packet.version == 4 and (packet.src, packet.dport) == (SERVICE4, port):
                return True
    return False


def test_a_reply_by_a_tunnel_goes_by_the_kernel_if_that_forwards_it(scene):
    balancer, daemon = scene.top.balancer, scene.daemon
    scene.client.ns.ip(f"address add {TUNNELLED}/32 dev lo")

    def handed_over():
        return daemon.verdicts()["PASS_HANDED_OVER"]

    with rp_filter(balancer, 1), tunnel(balancer, "tunnel") as file, \
            udp_socket(scene.client.ns, 4, SECONDS) as sock:
        sock.bind((TUNNELLED, 0))
        sock.connect((SERVICE4, PORT))
        port = sock.getsockname()[1]
        for _ in range(2):  # the kernel refuses, and the daemon sends
            sock.send(b"x")
            wait.until(lambda: arrives(file, port), "the reply leaves by the tunnel")
        assert handed_over() == 0
        (problem,) = daemon.status()["problems"]
        assert SERVICE4 in problem and "tunnel" in problem and "rp_filter=0" in problem

        balancer.sysctl({RP_FILTER.format("all"): 0})
        wait.until(lambda: not daemon.status()["problems"], "the problem is over")
        sock.send(b"x")
        wait.until(lambda: arrives(file, port), "the reply leaves by the tunnel")
        assert handed_over() == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_client_behind_a_bridge_is_answered_by_its_port(lab, family):
    top = topology.routed(lab, backends=1)
    scene = Scene(top, [Echo(top.backends[0], PORT).start()])
    top.balancer.ip("address flush dev front", "link add br0 type bridge stp_state 0",
                    "link set front master br0", "link set br0 up",
                    "address add 192.0.2.1/24 dev br0", "address add 2001:db8:c::1/64 dev br0 nodad",
                    f"address add {SERVICE4}/32 dev lo", f"address add {SERVICE6}/128 dev lo nodad")
    udp = service("echo", top.backends, PORT, proto="udp", check=NO_CHECK)
    scene.daemon = Daemon(top.balancer, configuration(top, udp)).start()
    scene.daemon.wait_serving("echo", 2)
    for _ in range(3):
        assert ask(scene, family), scene.daemon.log
    verdicts = scene.daemon.verdicts()
    assert verdicts["HELD"] == 1 and verdicts["RETURNED"] == 2
    assert scene.daemon.status()["problems"] == []

# SPDX-License-Identifier: BSD-2-Clause
"""Forwarding `ipip`, as far as it is more than a way for packets: the outer source,
the MTU of the way, and backends that are not on the link.
"""

import errno
import ipaddress
import socket

import pytest

from lab import clients, topology, wait
from lab.daemon import Daemon
from lab.packets import IP, TCP, Capture, IPv6
from lab.servers import Nginx, udp_socket
from scenario import CHECK, NO_CHECK, all_serving, configuration, serve, service, web

FAMILIES = (4, 6)
HEADER = {4: 20, 6: 40}
BEHIND = {4: "10.9.9.9", 6: "2001:db8:9::9"}
LAYER = {4: IP, 6: IPv6}

# Of Linux, which Python has no names for.
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14
IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, IPV6_MTU = 23, 2, 24


@pytest.fixture
def scene(lab):
    return all_serving(serve(lab, "ipip, routed"))


def outer_sources(scene, family, connections):
    """{connection's port: outer sources of its packets}, as the backends see them."""
    captures = [Capture(host.ns, host.device) for host in scene.top.backends]
    for _ in range(connections):
        clients.ask(scene.client, scene.top.service(family))
    found = {}
    for capture in captures:
        with capture:
            for packet in capture.packets(lambda packet: LAYER[family] in packet):
                outer = packet[LAYER[family]]
                if isinstance(outer.payload, LAYER[family]) and TCP in outer:
                    found.setdefault(outer[TCP].sport, set()).add(outer.src)
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_each_connection_has_an_outer_source(scene, family):
    found = outer_sources(scene, family, 30)
    assert len(found) == 30
    assert all(len(sources) == 1 for sources in found.values()), found
    assert len(set.union(*found.values())) == 30


@pytest.mark.parametrize("family", FAMILIES)
def test_the_outer_source_is_changed_by_a_reload(scene, family):
    prefix = {4: "10.77.0.0/17", 6: "2001:db8:77::/64"}
    config = configuration(scene.top, web(scene.top, "ipip"))
    scene.daemon.write({**config, "ipip": {f"source_v{family}": prefix[family]}})
    scene.daemon.reload()
    found = outer_sources(scene, family, 10)
    assert len(found) == 10
    for source in set.union(*found.values()):
        assert ipaddress.ip_address(source) in ipaddress.ip_network(prefix[family])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sender_learns_how_much_fits(lab, family):
    """A socket that must not be fragmented is told the MTU, and what fits arrives."""
    scene = serve(lab, "ipip, routed", backends=1, config=lambda top, forward: configuration(
        top, service("udp", top.backends, 5000, forward, proto="udp", check=NO_CHECK)))
    scene.daemon.wait_serving("udp", 2)
    host, address = scene.top.backends[0], (scene.top.service(family), 5000)
    level, discover, ask, value = (
        (socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_MTU, IP_PMTUDISC_DO) if family == 4 else
        (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_PMTUDISC_DO))
    room = 1500 - HEADER[family]
    with udp_socket(host.ns, family) as server, udp_socket(scene.client.ns, family) as sock:
        server.bind(address)
        sock.setsockopt(level, discover, value)
        sock.connect(address)
        assert sock.getsockopt(level, ask) == 1500
        sock.send(b"x" * (room + 1 - HEADER[family] - 8))
        wait.until(lambda: sock.getsockopt(level, ask) == room,
                   lambda: f"the client is told {room}: {sock.getsockopt(level, ask)}")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.EMSGSIZE
        with pytest.raises(OSError) as refused:  # by its own kernel
            sock.send(b"x" * (room + 1 - HEADER[family] - 8))
        assert refused.value.errno == errno.EMSGSIZE
        whole = b"y" * (room - HEADER[family] - 8)
        sock.send(whole)
        assert server.recv(65536) == whole
    verdicts = scene.daemon.verdicts()
    assert verdicts["REJECTED_TOO_BIG"] == 1 and verdicts["DROP_TOO_BIG"] == 0
    assert scene.daemon.service_stats("udp")["refused_packets"] == 1


def set_mtu(scene, mtu):
    """Of the whole way from the balancer to the first backend."""
    wire, host = scene.top.wire, scene.top.backends[0]
    names = [line.split()[1].split("@")[0].rstrip(":")
             for line in wire.run("ip", "-o", "link").stdout.splitlines()]
    for name in names:
        if name in ("back", "lb-back") or name == host.ns.name.rpartition("-")[2]:
            wire.ip(f"link set {name} mtu {mtu}")
    host.ns.ip(f"link set eth0 mtu {mtu}")
    scene.top.balancer.ip(f"link set back mtu {mtu}")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_way_with_room_takes_whole_packets(lab, family):
    """And one that becomes narrow is noticed."""
    scene = serve(lab, "ipip, routed", backends=1)
    all_serving(scene)
    name = "web-1" if family == 4 else "web-1-v6"

    def mtu():
        return scene.daemon.backend("web", name)["next_hop"]["mtu"]

    def upload():
        """Bytes that a client sends in packets as large as it may."""
        output = scene.client.ns.run(
            "curl", "--silent", "--show-error", "--max-time", "20", "--data-binary",
            "x" * 100_000, scene.top.url(family)).stdout
        assert output == "web-1\n"

    assert mtu() == 1500
    set_mtu(scene, 1500 + HEADER[family])
    wait.until(lambda: mtu() == 1500 + HEADER[family], "the new MTU is seen")
    upload()
    assert scene.daemon.verdicts()["REJECTED_TOO_BIG"] == 0
    scene.top.balancer.ip("link set back mtu 1400")
    wait.until(lambda: mtu() == 1400, "the narrow way is seen")
    upload()
    assert scene.daemon.verdicts()["REJECTED_TOO_BIG"] > 0
    assert scene.daemon.verdicts()["DROP_INTERNAL"] == 0


def test_a_way_too_narrow_for_ipv6_is_a_problem(scene):
    assert scene.daemon.status()["problems"] == []
    scene.top.balancer.ip("route add 2001:db8:b::b dev back mtu 1300")
    wait.until(lambda: any("web-1-v6" in problem and "1300" in problem and "1320" in problem
                           for problem in scene.daemon.status()["problems"]),
               lambda: f"the problem is told: {scene.daemon.status()['problems']}")
    assert scene.daemon.backend("web", "web-1-v6")["serving"]
    scene.top.balancer.ip("route del 2001:db8:b::b dev back")
    wait.until(lambda: scene.daemon.status()["problems"] == [], "and that it is over")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_backend_behind_a_gateway(lab, family):
    """Its address is of a network behind web-1, which takes it for its own."""
    top = topology.routed(lab, backends=1, tunnel=True)
    host = top.backends[0]
    length = 32 if family == 4 else 128
    host.ns.ip(f"address add {BEHIND[family]}/{length} dev lo")
    top.balancer.ip(f"route add {BEHIND[family]}/{length} via {host.address(family)}")
    Nginx(host).start()
    entry = service("web", [], 80, "ipip", check=CHECK)
    entry["address"] = [top.service(family)]
    entry["backends"] = [{"name": "behind", "address": BEHIND[family]}]
    daemon = Daemon(top.balancer, configuration(top, entry)).start()
    daemon.wait_serving("web", 1)
    assert daemon.backend("web", "behind")["next_hop"]["gateway"] == host.address(family)
    for _ in range(20):
        assert clients.ask(top.client, top.service(family)) == "web-1"


def test_a_service_goes_over_to_ipip_and_back(scene):
    """Each way needs its own of the backends: these can take both."""
    for forward in ("dsr", "ipip", "dsr"):
        entry = web(scene.top, forward)
        scene.daemon.write(configuration(scene.top, entry))
        scene.daemon.reload()
        scene.daemon.wait_serving("web", 6)
        for family in FAMILIES:
            for _ in range(10):
                assert clients.ask(scene.client, scene.top.service(family)).startswith("web-")
        found = outer_sources(scene, 4, 5)
        assert bool(found) == (forward == "ipip")


@pytest.mark.parametrize("family", FAMILIES)
def test_draining_keeps_connections_where_they_are(scene, family):
    """A connection that is open stays with its backend while the slots move."""
    with scene.client.ns.entered():
        open_one = socket.create_connection((scene.top.service(family), 80), timeout=3)
    with open_one:
        name = ask_on(open_one)
        scene.daemon.drain("web", name if family == 4 else f"{name}-v6")
        wait.until(lambda: name not in {clients.ask(scene.client, scene.top.service(family))
                                        for _ in range(10)}, "new ones go elsewhere")
        assert ask_on(open_one) == name


def ask_on(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
    return connection.recv(4096).decode().rpartition("\r\n\r\n")[2].strip()

# SPDX-License-Identifier: BSD-2-Clause
"""Real clients and servers through the balancer, each way of forwarding, IPv4
and IPv6; and scapy as the judge of what was on the links.
"""

import collections
import hashlib
import ipaddress
import json
import os
import re

import pytest

from lab import clients
from lab.netns import Lab
from lab.packets import IP, TCP, UDP, Capture, Ether, IPv6, wrong_checksums
from lab.servers import Dnsmasq, Iperf3
from lab.topology import SERVICE4, SERVICE6
from scenario import (
    CHECK, NO_CHECK, PATHS, all_serving, configuration, serve, service, web,
)

WEIGHTS = (10, 20, 30)
REQUESTS = 3000
BIG = 3_000_000  # bytes
FAMILIES = (4, 6)
OUTER_SOURCE = {4: ipaddress.ip_network("172.16.0.0/16"), 6: ipaddress.ip_network("100::/64")}


@pytest.fixture(scope="module", params=list(PATHS))
def scene(request):
    def config(top, forward):
        first = top.backends[:1]
        return configuration(
            top,
            # No test here is about health: an answer that comes late, because others use
            # the machine, must not make a backend dead.
            web(top, forward, weights=WEIGHTS, check={**CHECK, "timeout": "2s", "fall": 10}),
            service("dns", top.backends, 53, forward, proto="udp", check=NO_CHECK),
            service("iperf-control", first, 5201, forward, check=NO_CHECK),
            service("iperf-data", first, 5201, forward, proto="udp", check=NO_CHECK),
        )

    with Lab() as lab:
        ready = all_serving(serve(lab, request.param, config=config))
        ready.forward = PATHS[request.param][0]
        content = os.urandom(BIG)
        ready.digest = hashlib.sha256(content).hexdigest()
        for server in ready.servers:
            server.put("big", content)
            server.put("medium", content[:200_000])
        for host in ready.top.backends:
            Dnsmasq(host).start()
        for address in (None,) if ready.forward == "nat" else (SERVICE4, SERVICE6):
            Iperf3(ready.top.backends[0], address).start()
        all_serving(ready, "dns")
        yield ready


def curl(scene, *args):
    return scene.client.ns.run("curl", "--silent", "--show-error", "--max-time", "60", *args).stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_every_request_is_served_and_weights_are_kept(scene, family):
    """Each request over a connection of its own. A backend's share may be off by
    4.5 standard deviations of the draw, and by 1 % for the table itself.
    """
    url = scene.top.url(family, path=f"/?[1-{REQUESTS}]")
    answers = collections.Counter(curl(scene, "-H", "Connection: close", url).split())

    assert sum(answers.values()) == REQUESTS
    for host, weight in zip(scene.top.backends, WEIGHTS):
        share = weight / sum(WEIGHTS)
        expected = REQUESTS * share
        slack = 4.5 * (expected * (1 - share)) ** 0.5 + 0.01 * expected
        assert abs(answers[host.name] - expected) <= slack, dict(answers)


@pytest.mark.alone("a rate")
@pytest.mark.parametrize("family", FAMILIES)
def test_wrk_sees_no_error(scene, family):
    output = scene.client.ns.run(
        "wrk", "--threads", "1", "--connections", "32", "--duration", "2s",
        scene.top.url(family)).stdout

    told = f"{output}\n{scene.daemon.log[-2000:]}"
    assert "Socket errors" not in output and "Non-2xx" not in output, told
    assert float(re.search(r"Requests/sec: +([\d.]+)", output)[1]) > 500


@pytest.mark.parametrize("family", FAMILIES)
def test_a_large_answer_arrives_whole(scene, family):
    path = scene.top.lab.path("big")
    curl(scene, "--output", path, scene.top.url(family, path="/files/big"))
    with open(path, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == scene.digest


@pytest.mark.parametrize("family", FAMILIES)
def test_iperf3_tcp(scene, family):
    end = iperf3(scene, family, "--time", "1")
    assert end["sum_received"]["bytes"] > 1_000_000


@pytest.mark.alone("what is lost at a pace")
@pytest.mark.parametrize("family", FAMILIES)
def test_iperf3_udp(scene, family):
    """The server's socket may lose a few while its CPU is somebody else's."""
    end = iperf3(scene, family, "--udp", "--bitrate", "10M", "--length", "1200", "--time", "1")
    assert end["sum"]["packets"] > 500
    assert end["sum"]["lost_packets"] <= 0.01 * end["sum"]["packets"]


def iperf3(scene, family, *args):
    output = scene.client.ns.run(
        "iperf3", "--json", "--connect-timeout", "3000", "--client", scene.top.service(family),
        *args, check=False).stdout
    result = json.loads(output)
    assert "error" not in result, result["error"]
    return result["end"]


@pytest.mark.parametrize("family", FAMILIES)
def test_dns_questions_are_answered_by_every_backend(scene, family):
    answers = collections.Counter(
        clients.ask_dns(scene.client, scene.top.service(family)) for _ in range(120))
    assert set(answers) == {host.name for host in scene.top.backends}

    kind, expected = ("A", "192.0.2.77") if family == 4 else ("AAAA", "2001:db8::77")
    assert clients.ask_dns(scene.client, scene.top.service(family), "a.lab", kind) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_backends_are_reached_by_their_own_addresses(scene, family):
    """Through the balancer, which is a router to this client: as monitoring does it, beside
    the service and by the same ports.
    """
    port = 8080 if scene.forward == "nat" else 80
    # One link: the balancer tells both ends of the shorter way past it. What takes that way
    # is not seen, and a service by nat does not work there.
    for host in (scene.client, *scene.top.backends):
        host.ns.sysctl({f"net/ipv6/conf/{host.device}/accept_redirects": 0})
    for host in scene.top.backends:
        address = host.address(family)
        url = f"http://{address if family == 4 else f'[{address}]'}:{port}/"
        for _ in range(3):
            assert curl(scene, url).strip() == host.name
            assert clients.ask_dns(scene.client, address) == host.name
            assert curl(scene, scene.top.url(family)).strip()
            assert clients.ask_dns(scene.client, scene.top.service(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_checksum_on_every_link_is_right(scene, family):
    """Captured where it arrives: at each backend, and at the client."""
    hosts = [scene.client, *scene.top.backends]
    captures = [Capture(host.ns, host.device) for host in hosts]
    address = scene.top.service(family)
    for number in range(40):
        clients.ask(scene.client, address, path=f"/{'x' * (number * 17 % 61)}")
        clients.ask_dns(scene.client, address)
    curl(scene, "--output", "/dev/null", scene.top.url(family, path="/files/medium"))
    curl(scene, "--output", "/dev/null", "--data-binary", "x" * 5001, scene.top.url(family))
    before = scene.daemon.verdicts()

    layer = IP if family == 4 else IPv6
    for host, capture in zip(hosts, captures):
        with capture:
            served = [
                frame for _, frame in capture.read()
                if layer in (packet := Ether(frame)) and (TCP in packet or UDP in packet)
            ]
        assert len(served) > 20, host.name
        assert not wrong_checksums(served), host.name
        for frame in served:
            check_ends(scene, host, Ether(frame), layer)
    assert before["DROP_INTERNAL"] == before["DROP_MALFORMED"] == 0


def check_ends(scene, host, packet, layer):
    """The addresses of what arrives at the host are those that its way asks for."""
    family = 4 if layer is IP else 6
    ip = packet[layer]
    assert packet.dst == host.mac
    if host is scene.client:
        assert (ip.src, ip.dst) == (scene.top.service(family), host.address(family))
        return
    outer, ip = (ip, ip.payload) if isinstance(ip.payload, layer) else (None, ip)
    if ip.src != scene.client.address(family):
        return  # the balancer's own check
    wanted = host.address(family) if scene.forward == "nat" else scene.top.service(family)
    assert ip.dst == wanted
    assert ttl_of(ip) == 63
    assert bool(outer) == (scene.forward == "ipip")
    if outer:
        assert ipaddress.ip_address(outer.src) in OUTER_SOURCE[family]
        assert outer.dst == host.address(family)
        assert ttl_of(outer) == 64


def ttl_of(ip):
    return ip.ttl if isinstance(ip, IP) else ip.hlim


def test_ten_thousand_requests(lab, figure):
    """The figure of the closing note: requests served out of 10 000."""
    scene = all_serving(serve(lab))
    url = scene.top.url(4, path="/?[1-10000]")
    output = curl(scene, "-H", "Connection: close", "--output", "/dev/null",
                  "--write-out", "%{http_code}\n", url)
    codes = collections.Counter(output.split())
    figure(f"requests served out of 10 000: {codes['200']}")
    assert codes == {"200": 10000}

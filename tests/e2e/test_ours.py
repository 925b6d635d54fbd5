# SPDX-License-Identifier: BSD-2-Clause
"""What is not this machine's, and what is for no service: two balancers on a link that
floods, a router that sends everything here, addresses that move.
"""

import socket

from lab import clients, topology, wait
from lab.daemon import Daemon
from lab.topology import SERVICE4, SERVICE6, mac_of
from lab.xdp import attach_pass
from scenario import NO_CHECK, all_serving, configuration, serve, service, web

DATAGRAMS = 20
NOWHERE = 9  # a port that no service has
FAMILIES = (4, 6)
OTHER = 9  # the number of the second balancer
VRRP_MAC = "00:00:5e:00:01:07"


def send(host, family, port, count):
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    with host.ns.entered(), socket.socket(kind, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            sender.sendto(b"x", (topology.Topology.service(family), port))


def udp(top):
    return configuration(top, service("udp", top.backends[:1], 7, "dsr", proto="udp",
                                      check=NO_CHECK))


def plug_other(top):
    """Another machine on the link of one_arm."""
    other = top.lab.namespace("lb2")
    topology.plug(top.wire, other, "eth0", "lan", mac_of(0, OTHER))
    attach_pass(top.wire, "lb2", "lab_pass")
    for net, bits in ((topology.CLIENT_NET4, 24), (topology.BACKEND_NET4, 24),
                      (topology.CLIENT_NET6, 64), (topology.BACKEND_NET6, 64)):
        nodad = " nodad" if bits == 64 else ""
        other.ip(f"address add {net.format(OTHER)}/{bits} dev eth0{nodad}")
    return other


def test_two_balancers_on_a_link_that_floods_do_not_multiply_a_packet(lab):
    top = topology.one_arm(lab, backends=1)
    daemons = [Daemon(top.balancer, udp(top)).start(),
               Daemon(plug_other(top), udp(top), name="other").start()]
    for daemon in daemons:
        daemon.wait_serving("udp", 2)
    top.wire.ip("link set lan type bridge ageing_time 0")
    before = daemons[1].verdicts()["PASS_FOREIGN_FRAME"]
    for family in FAMILIES:
        send(top.client, family, 7, DATAGRAMS)
    # The other one has seen each on its way to the balancer, and on that to the backend.
    wait.until(lambda: daemons[1].verdicts()["PASS_FOREIGN_FRAME"] - before >= 4 * DATAGRAMS,
               lambda: f"all of them went by the other: {daemons[1].verdicts()}")
    assert daemons[0].verdicts()["FORWARDED"] == 2 * DATAGRAMS
    assert daemons[1].verdicts()["FORWARDED"] == 0


def loop(top):
    """The client is a router, which sends the services' packets to the balancer; the balancer's
    default route leads back there.
    """
    top.client.ns.sysctl({"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1})
    top.client.ns.ip(f"route replace {SERVICE4}/32 via {topology.CLIENT_NET4.format(1)}",
                     f"route replace {SERVICE6}/128 via {topology.CLIENT_NET6.format(1)}")
    top.balancer.ip(f"route add default via {top.client.ipv4}",
                    f"route add default via {top.client.ipv6}")


def forwarded_by_kernel(ns):
    """Packets that the kernel has routed on, of both families."""
    text = ns.run("cat", "/proc/net/snmp", "/proc/net/snmp6").stdout.split("\n")
    names, values = (line.split() for line in text if line.startswith("Ip: "))
    ipv6 = next(int(line.split()[1]) for line in text if line.startswith("Ip6OutForwDatagrams"))
    return int(dict(zip(names, values))["ForwDatagrams"]) + ipv6


def test_what_is_for_no_service_does_not_go_to_and_fro(lab):
    top = topology.routed(lab, backends=1)
    loop(top)
    daemon = Daemon(top.balancer, udp(top), options=["--keep"]).start()
    daemon.wait_serving("udp", 2)
    problems = daemon.status()["problems"]
    for address in (SERVICE4, SERVICE6):
        assert any(address in problem and "blackhole" in problem for problem in problems), problems

    routed = forwarded_by_kernel(top.balancer)
    for family in FAMILIES:
        send(top.client, family, NOWHERE, DATAGRAMS)
    wait.until(lambda: daemon.verdicts()["DROP_UNSERVED"] == 2 * DATAGRAMS,
               lambda: f"all are dropped: {daemon.verdicts()}")
    assert forwarded_by_kernel(top.balancer) == routed

    # Without a daemon it stays so; without sluice, the routes do it that status asks for.
    daemon.stop()
    for family in FAMILIES:
        send(top.client, family, NOWHERE, DATAGRAMS)
    daemon.start()
    wait.until(lambda: daemon.verdicts()["DROP_UNSERVED"] == 4 * DATAGRAMS,
               lambda: f"all are dropped: {daemon.verdicts()}")
    assert forwarded_by_kernel(top.balancer) == routed
    top.balancer.ip(f"route add blackhole {SERVICE4}", f"route add blackhole {SERVICE6}")
    wait.until(lambda: daemon.status()["problems"] == [],
               lambda: f"the problems are gone: {daemon.status()['problems']}")


def test_an_address_that_comes_and_goes_is_the_kernel_s_while_it_is_here(lab):
    top = topology.routed(lab, backends=1)
    loop(top)
    daemon = Daemon(top.balancer, udp(top)).start()
    daemon.wait_serving("udp", 2)
    with top.balancer.entered():
        for _ in range(3):
            top.balancer.ip(f"address add {SERVICE4}/32 dev lo")
            wait.until(lambda: not any(SERVICE4 in problem
                                       for problem in daemon.status()["problems"]),
                       "the daemon sees the address")
            dropped = daemon.verdicts()["DROP_UNSERVED"]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
                here.bind((SERVICE4, NOWHERE))
                here.settimeout(10)
                send(top.client, 4, NOWHERE, 1)
                assert here.recv(16) == b"x"
            assert daemon.verdicts()["DROP_UNSERVED"] == dropped
            top.balancer.ip(f"address del {SERVICE4}/32 dev lo")
            wait.until(lambda: any(SERVICE4 in problem
                                   for problem in daemon.status()["problems"]),
                       "the daemon sees that it is gone")
            send(top.client, 4, NOWHERE, 1)
            wait.until(lambda: daemon.verdicts()["DROP_UNSERVED"] == dropped + 1,
                       "it is dropped")


def test_checks_and_solicitations_pass(lab):
    """With proxy_ndp, which answers for the service's address; and with the address on lo."""
    scene = all_serving(serve(lab))
    top, daemon = scene.top, scene.daemon
    top.balancer.sysctl({f"net/ipv6/conf/{name}/proxy_ndp": 1 for name in ("all", "front")})
    top.balancer.ip(f"neighbour add proxy {SERVICE6} dev front")
    top.client.ns.ip(f"route replace {SERVICE6}/128 dev eth0")
    # The kernel answers for an address only what it would route there.
    top.balancer.ip(f"route add default via {topology.BACKEND_NET6.format(topology.FIRST_BACKEND_HOST)}")
    assert clients.ask(top.client, SERVICE6)
    # What the kernel asks a neighbour that it has known, it asks that one alone.
    top.client.ns.sysctl({"net/ipv6/neigh/eth0/delay_first_probe_time": 1})
    top.client.ns.ip(f"neighbour change {SERVICE6} lladdr {mac_of(0, 1)} dev eth0 nud probe")
    wait.until(lambda: "REACHABLE" in top.client.ns.run("ip", "neighbour", "show", SERVICE6).stdout,
               "the solicitation is answered")
    top.balancer.ip(f"address add {SERVICE4}/32 dev lo", f"address add {SERVICE6}/128 dev lo nodad")
    assert clients.ask(top.client, SERVICE4) and clients.ask(top.client, SERVICE6)
    assert daemon.serving("web") == 6
    assert daemon.verdicts()["DROP_UNSERVED"] == 0


def answers(host):
    try:
        return clients.ask(host, SERVICE4, timeout=0.3)
    except OSError:
        return None


def serve_by(lab, mac):
    """A scene whose client sends to this MAC address, which is nobody's yet."""
    scene = all_serving(serve(lab, config=lambda top, forward: configuration(
        top, web(top, forward, check=NO_CHECK))))
    gateway = topology.CLIENT_NET4.format(topology.BALANCER_HOST)
    scene.client.ns.ip(f"neighbour replace {gateway} lladdr {mac} dev eth0 nud permanent")
    assert not answers(scene.client)
    return scene


def test_the_mac_address_of_an_interface_is_followed(lab):
    mac = mac_of(0, 77)
    scene = serve_by(lab, mac)
    scene.top.balancer.ip(f"link set front address {mac}")
    wait.until(lambda: answers(scene.client), "the new MAC address is served")
    foreign = scene.daemon.verdicts()["PASS_FOREIGN_FRAME"]
    assert clients.ask(scene.client, SERVICE4)
    assert scene.daemon.verdicts()["PASS_FOREIGN_FRAME"] == foreign


def test_a_virtual_router_is_this_machine_while_it_holds_the_address(lab):
    """There and back; the standby has the device, too."""
    scene = serve_by(lab, VRRP_MAC)
    lb = scene.top.balancer
    lb.ip(f"link add vrrp.7 link front address {VRRP_MAC} type macvlan mode private",
          "link set vrrp.7 up")
    assert not answers(scene.client)
    for _ in range(2):
        lb.ip(f"address add {SERVICE4}/32 dev vrrp.7")
        wait.until(lambda: answers(scene.client), "the active one serves")
        lb.ip(f"address del {SERVICE4}/32 dev vrrp.7")
        wait.until(lambda: not answers(scene.client), "the standby does not")
    assert scene.daemon.verdicts()["DROP_UNSERVED"] == 0

# SPDX-License-Identifier: BSD-2-Clause
"""Next hops are the kernel's to know: neighbours that are not there, come, and
move; routes that change. No MAC address is in any configuration.
"""

import pytest

from lab import clients, topology, wait
from lab.clients import Load
from lab.daemon import Daemon
from lab.packets import now
from lab.servers import Nginx
from scenario import CHECK, NO_CHECK, all_serving, configuration, serve, service, undisturbed, web

LATE = {4: "10.0.0.99", 6: "2001:db8:b::99"}
NEW_MAC = "02:00:00:00:ff:01"
BEHIND = {4: "10.9.9.9", 6: "2001:db8:9::9"}


@pytest.mark.parametrize("family", (4, 6))
def test_a_backend_without_a_neighbour_is_left_out_and_named(lab, family):
    def config(top, forward):
        entry = web(top, forward, hosts=top.backends[:2], check=NO_CHECK)
        entry["backends"].append({"name": "late", "address": LATE[family], "port": 8080})
        return configuration(top, entry)

    scene = serve(lab, config=config)
    daemon, address = scene.daemon, scene.top.service(family)
    daemon.wait_serving("web", 4)
    late = daemon.backend("web", "late")
    assert not late["serving"] and late["next_hop"]["state"] == "no_neighbour"
    assert LATE[family] in late["reason"]
    assert any("late" in problem and LATE[family] in problem
               for problem in daemon.status()["problems"])

    with Load(scene.client, address) as load:
        wait.until(lambda: len(load.requests) > 60, "requests go on")
        assert not load.failed()
        length = 24 if family == 4 else 64
        scene.top.backends[2].ns.ip(f"address add {LATE[family]}/{length} dev eth0")
        wait.until(lambda: daemon.backend("web", "late")["serving"],
                   lambda: f"the late backend serves: {daemon.backend('web', 'late')}", timeout=15)
        wait.until(lambda: load.served_by("web-3"), "the late backend answers")
        assert undisturbed(load, changes=1)
    assert daemon.status()["problems"] == []


@pytest.mark.parametrize("family", (4, 6))
def test_a_changed_route_is_followed(lab, family):
    """The backend's address is behind web-1, then behind web-2."""
    def config(top, forward):
        entry = web(top, forward, hosts=[], check=NO_CHECK)
        entry["address"] = [top.service(family)]
        entry["backends"] = [{"name": "behind", "address": BEHIND[family], "port": 8080}]
        return configuration(top, entry)

    top = topology.routed(lab, backends=2)
    length = 32 if family == 4 else 128
    for host in top.backends:
        host.ns.ip(f"address add {BEHIND[family]}/{length} dev lo")
        Nginx(host).start()
    first, second = (host.address(family) for host in top.backends)
    top.balancer.ip(f"route add {BEHIND[family]}/{length} via {first}")
    daemon = Daemon(top.balancer, config(top, "nat")).start()
    daemon.wait_serving("web", 1)
    assert daemon.backend("web", "behind")["next_hop"]["gateway"] == first

    with Load(top.client, top.service(family), timeout=0.3) as load:
        wait.until(lambda: load.served_by("web-1"), "web-1 answers")
        top.balancer.ip(f"route replace {BEHIND[family]}/{length} via {second}")
        wait.until(lambda: load.served_by("web-2"), "web-2 answers")
        moved = now()
        wait.until(lambda: len(load.served_by("web-2", since=moved)) > 50, "web-2 keeps answering")
        assert not load.failed(since=moved) and not load.served_by("web-1", since=moved)
    assert daemon.backend("web", "behind")["next_hop"]["gateway"] == second

    top.balancer.ip(f"route del {BEHIND[family]}/{length}")
    wait.until(lambda: not daemon.backend("web", "behind")["serving"], "no route is noticed")
    assert daemon.backend("web", "behind")["next_hop"]["state"] in ("no_route", "no_neighbour")


@pytest.mark.parametrize("family", (4, 6))
def test_a_changed_mac_address_is_followed(lab, family):
    def config(top, forward):
        return configuration(top, web(top, forward, hosts=top.backends[:1], check=NO_CHECK))

    scene = serve(lab, config=config, backends=2)
    scene.daemon.wait_serving("web", 2)
    host, address = scene.top.backends[0], scene.top.service(family)
    name = "web-1" if family == 4 else "web-1-v6"
    host.ns.sysctl({"net/ipv4/conf/eth0/arp_notify": 1, "net/ipv6/conf/eth0/ndisc_notify": 1})
    assert clients.ask(scene.client, address) == "web-1"

    with Load(scene.client, address, timeout=0.3) as load:
        wait.until(lambda: len(load.requests) > 20, "requests go on")
        host.ns.ip(f"link set eth0 address {NEW_MAC}")
        wait.until(
            lambda: scene.daemon.backend("web", name)["next_hop"]["mac"] == NEW_MAC,
            lambda: f"the new MAC address is seen: {scene.daemon.backend('web', name)}",
            timeout=20)
        moved = now()
        wait.until(lambda: load.served_by("web-1", since=moved), "web-1 answers")
        settled = now()
        wait.until(lambda: len(load.served_by("web-1", since=settled)) > 50, "it keeps answering")
        assert not load.failed(since=settled)



def test_an_interface_that_goes_down_takes_its_backends_out(lab):
    scene = all_serving(serve(lab, config=lambda top, forward: configuration(
        top, web(top, forward, check={**CHECK, "interval": "10s", "timeout": "1s"}))))
    scene.top.balancer.ip("link set back down")
    wait.until(lambda: scene.daemon.serving("web") == 0, "nothing serves")
    assert "back" in scene.daemon.backend("web", "web-1")["reason"]
    scene.top.balancer.ip(
        "link set back up", "address add 2001:db8:b::1/64 dev back nodad")
    scene.daemon.wait_serving("web", 6)
    assert clients.ask(scene.client, scene.top.service(4), timeout=3)


def test_a_backend_in_a_vlan_of_the_balancer(lab):
    """The frames of a VLAN device leave its parent with a tag; answers lose it."""
    top = topology.routed(lab, backends=1)
    if not has_vlan_devices(top.balancer):
        pytest.skip("this kernel has no VLAN devices (8021q)")
    host = top.backends[0]
    for ns, parent, number in ((top.balancer, "back", 1), (host.ns, "eth0", 2)):
        ns.ip(f"link add link {parent} name v50 type vlan id 50", "link set v50 up",
              f"address add 10.50.0.{number}/24 dev v50",
              f"address add 2001:db8:50::{number}/64 dev v50 nodad")
        ns.run("ethtool", "-K", "v50", "tx", "off")
    host.ns.ip("route replace 0.0.0.0/0 via 10.50.0.1", "route replace ::/0 via 2001:db8:50::1")
    Nginx(host).start()
    entry = service("web", [], 80, check=CHECK)
    entry["backends"] = [{"name": "v4", "address": "10.50.0.2", "port": 8080},
                         {"name": "v6", "address": "2001:db8:50::2", "port": 8080}]
    daemon = Daemon(top.balancer, configuration(top, entry)).start()
    daemon.wait_serving("web", 2)
    for family in (4, 6):
        for _ in range(20):
            assert clients.ask(top.client, top.service(family)) == "web-1"
    assert daemon.backend("web", "v4")["next_hop"]["vlan"] == 50
    assert daemon.verdicts()["RETURNED"] >= 40


def has_vlan_devices(ns):
    made = ns.run("ip", "link", "add", "link", "lo", "name", "v1", "type", "vlan", "id", "1",
                  check=False)
    return "Unknown device type" not in made.stderr


@pytest.mark.parametrize("side", ("front", "back"))
def test_a_bridge_of_the_balancer_is_no_dead_end(lab, side):
    """Routes lead over a bridge device, which XDP cannot send to: its port is what
    sluice is attached to. Whatever way is taken, requests must be served, or the
    backends be left out with a reason.
    """
    top = topology.routed(lab, backends=2)
    for host in top.backends:
        Nginx(host).start()
    addresses = {"front": ("192.0.2.1/24", "2001:db8:c::1/64"),
                 "back": ("10.0.0.1/24", "2001:db8:b::1/64")}[side]
    top.balancer.ip(f"address flush dev {side}", "link add br0 type bridge stp_state 0",
                    f"link set {side} master br0", "link set br0 up",
                    *(f"address add {address} dev br0" + (" nodad" if ":" in address else "")
                      for address in addresses))
    daemon = Daemon(top.balancer, configuration(top, web(top))).start()
    wait.until(lambda: all(
        backend["state"] == "up" and (backend["serving"] or backend["reason"])
        for backend in daemon.service("web")["backends"]), "the state is clear")
    for family in (4, 6):
        if daemon.serving("web"):
            for _ in range(10):
                assert clients.ask(top.client, top.service(family)).startswith("web-")

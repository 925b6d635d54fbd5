# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of section 4 (choosing a backend) share: echo servers behind
the balancer that tell their number, and conversations with them.
"""

import contextlib
import os
from dataclasses import dataclass, field
from socket import IPPROTO_UDP

from lab import wait
from lab.daemon import Daemon
from lab.maps import Maps
from lab.servers import Nginx
from lab.topology import SERVICE4, SERVICE6
from lab.traffic import Echo, Flood, Talk, ask_echo
from scenario import CHECK, PATHS, configuration, service

# `make test-survival`: the sizes of the closing note. Else what fits into `make test`.
FULL = bool(os.environ.get("SLUICE_FULL"))

PORT, NAT_PORT = 7000, 7001
ADDRESS = {4: SERVICE4, 6: SERVICE6}
FAMILIES = (4, 6)
ROUND = 60  # new connections, enough to meet every backend

# The echo server's host has nginx for the checks: it can be sick, or dead.
CHECKED = {**CHECK, "port": 8080}
SHORT = {"tcp_idle": "2s", "tracked_idle": "2s", "udp_idle": "2s"}
LONG = {"tcp_idle": "15m", "udp_idle": "3s"}


@dataclass
class TalkScene:
    top: object
    forward: str
    servers: dict  # {"web-1": Nginx}
    echoes: dict  # {"web-1": Echo}
    daemon: Daemon = None
    maps: Maps = None
    hosts: dict = field(default_factory=dict)

    @property
    def client(self):
        return self.top.client

    @property
    def backend_port(self):
        return NAT_PORT if self.forward == "nat" else PORT

    def talk(self, family, count, **options):
        return Talk(self.client, ADDRESS[family], PORT, count, **options)

    def for_both(self, change, name, *args, services=("talk", "talk-udp"), **members):
        """Makes a change of a host's IPv4 and IPv6 backend, in each service."""
        for service_name in services:
            for suffix in ("", "-v6"):
                change(service_name, name + suffix, *args, **members)

    def add(self, name, services=("talk", "talk-udp")):
        for service_name in services:
            for family, suffix in ((4, ""), (6, "-v6")):
                self.daemon.add(service_name, address=self.hosts[name].address(family),
                                port=self.backend_port, name=name + suffix)

    def kill(self, name):
        self.servers[name].kill()
        self.echoes[name].kill()

    def revive(self, name):
        self.echoes[name].start()
        self.servers[name].start()

    def wait_state(self, name, serving, services=("talk", "talk-udp")):
        for service_name in services:
            for suffix in ("", "-v6"):
                wait.until(
                    lambda s=service_name, n=name + suffix:
                    self.daemon.backend(s, n)["serving"] is serving,
                    lambda s=service_name, n=name + suffix:
                    f"{n} serving={serving}: {self.daemon.backend(s, n)}")

    def flows(self):
        return self.daemon.status()["flows"]

    def wait_settled(self, most=0, timeout=20):
        """Until nothing is in transition, and no flow tracked, other than `most`
        slots and flows: each conversation that goes on elsewhere than its slot
        says holds one.
        """
        def settled():
            flows = self.flows()
            return flows["slots_in_transition"] <= most and flows["tracked"] <= most

        wait.until(settled, lambda: f"settled: {self.flows()}", timeout, pause=0.1)

    def wait_udp_settled(self):
        """The backends come up one behind the other. Until that has settled, a new
        UDP flow counts as an older one, and late ones get none.
        """
        wait.until(lambda: not any(service.tracking for (_, _, proto), service
                                   in self.maps.services().items() if proto == IPPROTO_UDP),
                   "the start has settled for UDP", timeout=20, pause=0.2)


def talk_service(scene, hosts, name="talk", **more):
    return service(name, hosts, PORT, scene.forward, backend_port=NAT_PORT,
                   **{"check": CHECKED, **more})


def talk_scene(lab, path="nat, routed", *, backends=4, spare=0, clients=1, flows=None,
               udp=True, delays=(), **more):
    """Echo servers behind a running daemon; `spare` of the hosts are not in its file."""
    forward, make, arguments = PATHS[path]
    top = make(lab, backends=backends + spare, clients=clients, **arguments)
    for host in [*top.clients, *top.backends]:
        host.ns.sysctl({"net/ipv4/ip_local_port_range": "1024 65535", "net/ipv4/tcp_tw_reuse": 1})
    scene = TalkScene(top, forward, {}, {}, hosts={host.name: host for host in top.backends})
    delays = dict(zip((host.name for host in top.backends), delays))
    for name, host in scene.hosts.items():
        scene.servers[name] = Nginx(host).start()
        scene.echoes[name] = Echo(host, scene.backend_port, delays.get(name, 0)).start()
    hosts = top.backends[:backends]
    services = [talk_service(scene, hosts, **more)]
    if udp:
        services.append(talk_service(scene, hosts, "talk-udp", proto="udp", **more))
    config = configuration(top, *services)
    config["flows"] = flows or LONG
    scene.config = config
    scene.daemon = Daemon(top.balancer, config).start()
    scene.maps = Maps(scene.daemon)
    for entry in services:
        expected = sum(backend.get("state", "up") == "up" and not backend.get("backup")
                       and backend.get("weight", 1) > 0 for backend in entry["backends"])
        scene.daemon.wait_serving(entry["name"], expected)
    return scene


@contextlib.contextmanager
def conversations(scene, tcp, udp=0, churn=0, interval_ms=150):
    """{(protocol, family): Talk} that are under way, and {family: Talk} of new
    connections that come and go all the time.
    """
    with contextlib.ExitStack() as stack:
        staying = {}
        for family in FAMILIES:
            if tcp:
                staying["tcp", family] = stack.enter_context(
                    scene.talk(family, tcp, interval_ms=interval_ms))
            if udp:
                staying["udp", family] = stack.enter_context(
                    scene.talk(family, udp, proto="udp", interval_ms=1000))
                staying["udp fast", family] = stack.enter_context(
                    scene.talk(family, udp, proto="udp", interval_ms=interval_ms))
        for talk in staying.values():
            talk.wait_talking()
        passing = {}
        for family in FAMILIES if churn else ():
            passing[family] = stack.enter_context(
                scene.talk(family, churn, how="churn", interval_ms=20))
        yield staying, passing


def flood_of(scene):
    return Flood(scene.top).expect()


def met(scene, family=4):
    """The servers that new connections go to."""
    return set(ask_echo(scene.client, family, PORT, [None] * ROUND))


def troubles(talks):
    return [trouble for talk in talks.values() for trouble in talk.ask().troubles]

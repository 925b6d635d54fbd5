# SPDX-License-Identifier: BSD-2-Clause
"""What part 3 compares: ways for a client to reach one server.

    client eth0 --- front [balancer] back --- eth0 server
    client eth1 --------- wired ---------- eth1 server

Each contender is there only while it is measured: nftables' connection tracking, or
an XDP program on the links, would weigh on the others. The links are as the kernel
makes them (checksums left to the device, large segments); only XDP takes them as a
wire is, with whole checksums and frames of the MTU.
"""

import os
import subprocess

from lab import wait
from lab.daemon import Daemon
from lab.servers import Nginx, listens
from lab.topology import SERVICE4, Host, mac_of

CLIENT, BALANCER, SERVER = "192.0.2.2", "192.0.2.1", "10.0.0.11"
WIRED_CLIENT, WIRED_SERVER = "203.0.113.2", "203.0.113.11"
WEB, IPERF = 80, 5201

NGINX_MODULES = "/usr/lib/nginx/modules"

HAPROXY_CONF = """\
global
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen web
    bind {address}:{web}
    server web-1 {server}:{web}
listen iperf
    bind {address}:{iperf}
    server web-1 {server}:{iperf}
"""

NGINX_CONF = """\
load_module {modules}/ngx_stream_module.so;
daemon off;
worker_processes auto;
error_log {directory}/error.log;
pid {directory}/pid;
events {{ worker_connections 8192; }}
stream {{
    server {{ listen {address}:{web} reuseport backlog=4096; proxy_pass {server}:{web}; }}
    server {{ listen {address}:{iperf} reuseport; proxy_pass {server}:{iperf}; }}
}}
"""

NFT = """\
table ip bench {{
    chain prerouting {{
        type nat hook prerouting priority dstnat;
        ip daddr {service} tcp dport {{ {web}, {iperf} }} dnat to {server}
    }}
}}
"""


class Network:
    """Two hosts, a balancer that routes between them, and a wire past it."""

    def __init__(self, lab):
        self.lab = lab
        self.client, self.balancer, self.server = (
            lab.namespace(name) for name in ("client", "lb", "server"))
        self.balancer.sysctl({"net/ipv4/ip_forward": 1})
        for ns in (self.client, self.balancer, self.server):
            ns.sysctl({"net/ipv4/ip_local_port_range": "1024 65535", "net/ipv4/tcp_tw_reuse": 1,
                       "net/core/somaxconn": 8192, "net/ipv4/tcp_max_syn_backlog": 8192})
        self._pair("front", self.balancer, BALANCER, "eth0", self.client, CLIENT)
        self._pair("back", self.balancer, "10.0.0.1", "eth0", self.server, SERVER)
        self._pair("eth1", self.server, WIRED_SERVER, "eth1", self.client, WIRED_CLIENT)
        self.client.ip(f"route add default via {BALANCER}")
        self.server.ip("route add default via 10.0.0.1")
        self._like_wires = False

    @staticmethod
    def _pair(name, ns, address, peer, peer_ns, peer_address):
        ns.ip(f"link add {name} type veth peer name {peer} netns {peer_ns.name}",
              f"address add {address}/24 dev {name}", f"link set {name} up")
        peer_ns.ip(f"address add {peer_address}/24 dev {peer}", f"link set {peer} up")

    def like_wires(self, yes):
        """Or as the kernel makes them."""
        if yes == self._like_wires:
            return
        self._like_wires = yes
        for ns, device in ((self.client, "eth0"), (self.balancer, "front"),
                           (self.balancer, "back"), (self.server, "eth0")):
            ns.run("ethtool", "-K", device, *(("tx", "off", "gro", "on") if yes else
                                              ("tx", "on", "tso", "on", "gro", "off")))

    def host(self):
        """The server, as lab.servers wants it."""
        return Host(self.server, "web-1", SERVER, "::", mac_of(0xB, 1))


class BenchNginx(Nginx):
    """With as many workers as there are CPUs: it is not what is measured."""

    def __init__(self, host):
        super().__init__(host, ports=(WEB,))
        path = os.path.join(self.directory, "nginx.conf")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("master_process off;\nworker_processes 1;", "worker_processes auto;")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("keepalive_requests 100000;", "keepalive_requests 1000000000;"))


class Contender:
    """A way from the client to the server. Subclasses start and stop what it needs."""

    name = ""
    address = SERVER
    wires = False  # whether the links have to be like wires

    def __init__(self, network):
        self.network = network
        self.process = None

    def start(self):
        pass

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None

    def pids(self):
        """Of the processes that do the balancing, those that they have started too."""
        if not self.process:
            return []
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as file:
            return [self.process.pid, *map(int, file.read().split())]

    def path(self, name):
        return self.network.lab.path(self.name.replace(" ", "-"), name)

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _spawn(self, *argv):
        with open(self.path("output"), "ab") as output:
            self.process = self.network.balancer.popen(argv, stdout=output, stderr=output)
        wait.until(lambda: listens(self.network.balancer, WEB)
                   and listens(self.network.balancer, IPERF),
                   lambda: f"{self.name} listens: {self._said()}")

    def _said(self):
        with open(self.path("output"), encoding="utf-8") as file:
            return file.read()


class Wired(Contender):
    """Without anything between them: what is above it is the way through the balancer's."""

    name = "wired"
    address = WIRED_SERVER


class Routed(Contender):
    """The kernel's own routing, to the server's own address."""

    name = "routing"


class Sluice(Contender):
    name = "sluice nat"
    address = SERVICE4
    wires = True

    def start(self):
        check = {"type": "http", "path": "/health"}
        services = [
            {"name": name, "address": SERVICE4, "port": port, "forward": "nat",
             "check": {**check, "port": WEB}, "backends": [{"address": SERVER, "port": port}]}
            for name, port in (("web", WEB), ("iperf", IPERF))]
        self.daemon = Daemon(
            self.network.balancer,
            {"interfaces": [{"name": "front", "mode": "native"}, {"name": "back", "mode": "native"}],
             "services": services}).start()
        self.process = self.daemon.process
        for name in ("web", "iperf"):
            self.daemon.wait_serving(name, 1)

    def program_ids(self):
        return {interface["program_id"] for interface in self.daemon.status()["interfaces"]}


class Haproxy(Contender):
    name = "HAProxy tcp"
    address = BALANCER

    def start(self):
        config = self.write("haproxy.cfg", HAPROXY_CONF.format(
            address=BALANCER, server=SERVER, web=WEB, iperf=IPERF))
        self._spawn("haproxy", "-db", "-f", config)


class NginxStream(Contender):
    name = "nginx stream"
    address = BALANCER

    def start(self):
        directory = self.path("").rstrip("/")
        config = self.write("nginx.conf", NGINX_CONF.format(
            modules=NGINX_MODULES, directory=directory, address=BALANCER, server=SERVER, web=WEB,
            iperf=IPERF))
        self._spawn("nginx", "-p", directory, "-c", config)


class Nftables(Contender):
    name = "nftables dnat"
    address = SERVICE4

    def start(self):
        self._nft("-f", self.write("rules", NFT.format(
            service=SERVICE4, server=SERVER, web=WEB, iperf=IPERF)))

    def stop(self):
        self._nft("delete", "table", "ip", "bench")

    def _nft(self, *words):
        self.network.balancer.run("nft", *words)


ALL = (Wired, Routed, Sluice, Haproxy, NginxStream, Nftables)


def missing():
    """Programs that are not installed."""
    for program in ("wrk", "iperf3", "nginx", "haproxy", "nft", "ethtool"):
        if subprocess.run(["sh", "-c", f"command -v {program}"], check=False,
                          stdout=subprocess.DEVNULL).returncode:
            yield program
    if not os.path.exists(f"{NGINX_MODULES}/ngx_stream_module.so"):
        yield "nginx's stream module"

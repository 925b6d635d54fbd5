# SPDX-License-Identifier: BSD-2-Clause
"""Long conversations through the balancer, and floods: the C programs of
tests/traffic, which say what they do.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import time
from dataclasses import dataclass

from . import wait
from .daemon import BUILD
from .servers import Server
from .topology import FIRST_BACKEND_HOST, SERVICE4, SERVICE6, mac_of

PROGRAMS = {name: os.path.join(BUILD, "traffic", name) for name in ("echo", "talk", "flood")}

# Where a flood's packets say they come from: 2^23 addresses each.
SPOOFED = {4: "20.0.0.0", 6: "2001:db8:f::"}
SPOOFED_NETS = {4: "20.0.0.0/8", 6: "2001:db8:f::/64"}


class Echo(Server):
    """Answers each byte (TCP) or datagram by its host's number, which is 1 for web-1."""

    def __init__(self, host, port, delay_ms=0):
        super().__init__(host, f"echo{port}")
        self.tcp_port, self.delay_ms = port, delay_ms
        self.number = number_of(host)

    def argv(self):
        return [PROGRAMS["echo"], self.number, self.delay_ms, self.tcp_port,
                self.host.ipv4, self.host.ipv6, SERVICE4, SERVICE6]

    def accepted(self):
        """When it took connections: seconds of the wall clock."""
        with open(os.path.join(self.directory, "output"), encoding="ascii") as file:
            return [float(line) for line in file if line.endswith("\n")]


def number_of(host):
    return int(host.ipv4.rpartition(".")[2]) - FIRST_BACKEND_HOST + 1


@dataclass
class Report:
    talking: dict  # {server's number: conversations}
    finished: dict  # churn: the same of those that have ended well
    spent: dict  # churn: seconds of these
    mute: int  # conversations that have had no answer yet
    exchanges: int
    slowest: float  # answer, in seconds
    troubles: list  # [{"at": wall clock, "age": , "server": number or -1, "why": }]

    def cuts(self, but=()):
        """What has been cut, other than conversations with the servers named."""
        return [trouble for trouble in self.troubles if trouble["server"] not in but]


class Talk:
    """Conversations with a service, from one host; see tests/traffic/talk.c."""

    def __init__(self, host, address, port, count, *, proto="tcp", how="stay", interval_ms=150):
        self.count = count
        self.process = host.ns.popen(
            [PROGRAMS["talk"], proto, how, address, port, count, interval_ms],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def ask(self, command="report"):
        self.process.stdin.write(command.encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], 10)
            piece = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            assert piece, f"talk does not answer (exit {self.process.poll()})"
            data += piece
        told = json.loads(data)
        for name in ("talking", "finished", "spent"):
            told[name] = {int(number): value for number, value in told[name].items()}
        return Report(**told)

    def wait_talking(self, timeout=15):
        """Until each conversation has had an answer."""
        return wait.until(
            lambda: (report := self.ask()).mute == 0
            and sum(report.talking.values()) + len(report.troubles) >= self.count and report,
            lambda: f"{self.count} conversations: {self.ask()}", timeout)


class Flood:
    """Packets of many flows, put on the balancer's link by the wire itself."""

    def __init__(self, top):
        self.top = top
        # The wire's end of the balancer's front device (topology.plug).
        self.device = "lb" if top.front == "eth0" else f"lb-{top.front}"

    def expect(self):
        """The backends drop what it brings without an answer, which would only
        measure them; the balancer's own kernel answers nothing either.
        """
        for host in [*self.top.backends, *self.top.clients]:
            for family, net in SPOOFED_NETS.items():
                host.ns.run("ip", f"-{family}", "rule", "add", "pref", "5", "from", net,
                            "type", "blackhole")
        return self

    def argv(self, kind, family, port, count, rate, source=None, sources=1 << 23):
        return [PROGRAMS["flood"], self.device, mac_of(0, 1), kind, source or SPOOFED[family],
                self.top.service(family), port, count, rate, sources]

    def send(self, kind, family, port, count, rate=1e9, **options):
        """How many packets were sent, and in how many seconds."""
        done = self.top.wire.run(*self.argv(kind, family, port, count, rate, **options),
                                 timeout=300)
        sent, seconds = done.stdout.split()
        return int(sent), float(seconds)

    def forge(self, client, family, port, count, ports, rate=1e9):
        """Packets in the name of the client's connections from these ports (a range): how many."""
        done = self.top.wire.run(
            PROGRAMS["flood"], self.device, mac_of(0, 1), "forged", client.address(family),
            self.top.service(family), port, count, rate, ports.start, len(ports), timeout=300)
        return int(done.stdout.split()[0])

    def send_on_cpus(self, cpus, kind, port, count, rate=1e9):
        """The same over IPv4 from two CPUs at once, of other sources on each."""
        senders = [
            self.top.wire.popen(
                ["taskset", "-c", cpu, *self.argv(kind, 4, port, count, rate, f"20.{128 * i}.0.0")],
                stdout=subprocess.PIPE)
            for i, cpu in enumerate(cpus)]
        return sum(int(sender.communicate(timeout=300)[0].split()[0]) for sender in senders)


def ask_echo(host, family, port, sources=(None,), timeout=3.0):
    """Connects from each of the host's addresses (None: the usual one), all at
    once; the numbers of the servers that answered, in the same order.
    """
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    address = SERVICE4 if family == 4 else SERVICE6
    with contextlib.ExitStack() as stack, host.ns.entered():
        socks = []
        for source in sources:
            sock = stack.enter_context(socket.socket(kind, socket.SOCK_STREAM))
            sock.settimeout(timeout)
            if source:
                sock.bind((source, 0))
            sock.connect((address, port))
            sock.sendall(b"x")
            socks.append(sock)
        return [sock.recv(2)[0] for sock in socks]


def rest(seconds):
    """Traffic goes on meanwhile, and nothing else happens: that is the test."""
    time.sleep(seconds)

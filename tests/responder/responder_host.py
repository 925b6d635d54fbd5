# SPDX-License-Identifier: BSD-2-Clause
"""responder_test in a namespace: the daemon's side of the responder and the real
process, reached by routes over its veth instead of by the XDP program."""

import json
import os
import queue
import subprocess
import threading

from lab import wait
from lab.daemon import BUILD

BINARY = os.path.join(BUILD, "responder", "responder_test")
CLIENTS4, CLIENTS6 = "192.0.2.0/24", "2001:db8:c::/48"
SERVICES4, SERVICES6 = "198.51.100.0/24", "2001:db8:1::/64"


class Responder:
    """One responder_test, and what it says; routes() leads the services' addresses there."""

    def __init__(self, ns, config, name="responder", binary=BINARY):
        self.ns = ns
        self.path = ns.lab.path(name, "config.yaml")
        self.write(config)
        self.log_path = ns.lab.path(name, "log")
        with open(self.log_path, "wb") as log:
            self.process = ns.popen([binary, self.path], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=log, text=True)
        self._said = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.device = self.mac = ""
        self.wait_up()

    def _listen(self):
        for line in self.process.stdout:
            self._said.put(line.split())

    def write(self, config):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def hear(self, timeout=5):
        try:
            return self._said.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"it says nothing:\n{self.log}") from None

    def wait_up(self):
        word, self.device, self.mac = self.hear()
        assert word == "up"

    def routes(self):
        for network, clients, gateway in (
            (SERVICES4, "192.0.2.1", "169.254.1.1"),
            (SERVICES6, "2001:db8:c::1", "fe80::99"),
        ):
            self.ns.ip(
                f"neigh replace {gateway} lladdr {self.mac} dev {self.device}",
                f"route replace {network} via {gateway} dev {self.device} onlink"
                f" src {clients}",
            )

    def command(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        assert self.hear() == ["done"]

    def owe(self, service, limit, client, units):
        """The client has used these units of the service's limit with this number."""
        self.command("owe", service, limit, client, units)

    def tell(self, config):
        self.write(config)
        self.command("tell", self.path)

    @property
    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    @property
    def child(self):
        return wait.until(lambda: self.children, "it has a process")[0]

    def has_device(self):
        return self.ns.run("ip", "link", "show", "dev", self.device, check=False).returncode == 0


def make_host(lab):
    """A namespace in which all addresses of CLIENTS are local."""
    ns = lab.namespace("host")
    ns.sysctl({"net/ipv6/ip_nonlocal_bind": 1})
    ns.ip(
        "address add 192.0.2.1/32 dev lo", "address add 2001:db8:c::1/128 dev lo nodad",
        f"route add local {CLIENTS4} dev lo", f"route add local {CLIENTS6} dev lo",
    )
    return ns

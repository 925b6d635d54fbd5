# SPDX-License-Identifier: BSD-2-Clause
"""Part 4, the control plane: how long loading takes, how long a change of health takes
to reach the kernel, what checks cost, how much memory all of it takes, and how long a step
of the daemon's loop is.

Backends are addresses of one namespace behind the balancer's, 10.32.0.0/12, which has
them all as its own.
"""

import contextlib
import datetime
import re
import socket
import statistics
import threading
import time

from lab import wait
from lab.daemon import Daemon, bpftool
from lab.maps import Maps
from lab.netns import Lab
from lab.servers import Nginx
from lab.topology import Host, mac_of

from . import results, steps
from .clients import process_seconds
from .scenarios import MANY_BACKENDS, MANY_NET, dotted

SIZES = (10, 1000, 10000)
NET = (10 << 24) + (32 << 16)
GATEWAY = "10.0.0.11"
WEB = 8080

CHECKED, CHECK_SECONDS, WATCHED_SECONDS = 10000, 2, 10

# The service whose backend falls ill.
ILL, ILL_PORT, HEALTH_PORT = "198.51.100.10", 80, 8081
ILL_CHECK = {"type": "http", "port": HEALTH_PORT, "path": "/health", "interval": "250ms",
             "timeout": "240ms", "rise": 1, "fall": 1, "jitter": "0%"}


class Network:
    def __init__(self, lab):
        self.lab = lab
        self.balancer, self.server = lab.namespace("lb"), lab.namespace("web")
        self.balancer.sysctl({"net/ipv4/ip_forward": 1})
        self.server.sysctl({"net/core/somaxconn": 16384})
        self.balancer.ip(
            f"link add back type veth peer name eth0 netns {self.server.name}",
            "address add 10.0.0.1/24 dev back", "link set back up")
        self.server.ip(
            f"address add {GATEWAY}/24 dev eth0", "link set eth0 up",
            "route add default via 10.0.0.1", "route add local 10.32.0.0/12 dev lo")
        # Checks come by the kernel, which knows nothing of whole checksums here.
        self.balancer.run("ethtool", "-K", "back", "tx", "off")
        self.server.run("ethtool", "-K", "eth0", "tx", "off", "gro", "on")
        self.balancer.ip(f"route add 10.32.0.0/12 via {GATEWAY}")

    def daemon(self, services, name):
        return Daemon(self.balancer, {
            "interfaces": [{"name": "back", "mode": "native"}], "services": services}, name=name)


def services(count, check=None):
    """Services of 6 and 7 backends in turn."""
    found, first = [], 1
    for number in range(count):
        size = MANY_BACKENDS[number % 2]
        found.append({
            "name": f"service-{number}", "address": dotted(MANY_NET + number), "port": 80,
            "forward": "nat", "check": check or {"type": "none"},
            "backends": [{"address": dotted(NET + first + i), "port": WEB} for i in range(size)]})
        first += size
    return found


# ---- loading -----------------------------------------------------------------
def said_at(daemon, words):
    """Seconds of the wall clock at which the log says so."""
    line = next(line for line in daemon.log.splitlines() if words in line)
    moment = re.match(r"(\S+)Z ", line)[1]
    return datetime.datetime.fromisoformat(moment + "+00:00").timestamp()


def serving(daemon):
    """How many services serve with all their backends."""
    return sum(row["backends_serving"] == row["backends_total"]
               for row in daemon.get("/v1/services")["services"])


def load(daemon, count):
    """From the start of the process to the last map: seconds."""
    begun = time.time()
    daemon.start()
    seconds = said_at(daemon, " runs: ") - begun
    # Their next hops are told of in turns of the loop, after the start.
    wait.until(lambda: serving(daemon) >= count,
               lambda: f"{count} services serve: {serving(daemon)}", timeout=30)
    found = Maps(daemon).count_services()
    if found < count:
        raise results.Failed(f"of {count} services {found} are in the maps")
    return seconds


def memory(daemon):
    """Megabytes: of the process, now and at most, and of the maps."""
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    program = daemon.status()["interfaces"][0]["program_id"]
    maps = sum(bpftool("map", "show", "id", number)["bytes_memlock"]
               for number in bpftool("prog", "show", "id", program)["map_ids"])
    return {"daemon_mb": int(lines["VmRSS"].split()[0]) * 1024 / 1e6,
            "daemon_peak_mb": int(lines["VmHWM"].split()[0]) * 1024 / 1e6, "maps_mb": maps / 1e6}


# ---- a change of health ------------------------------------------------------
class Patient:
    """Answers checks in the servers' namespace; one backend is ill when told so, and the
    moment at which the first answer that says the new thing was sent is noted.
    """

    def __init__(self, ns, address):
        self.address, self.ill = address, False
        self.told = None  # the moment
        with ns.entered():
            self.socket = socket.create_server(("", HEALTH_PORT), backlog=64)
        threading.Thread(target=self._serve, daemon=True).start()

    def turn(self, ill):
        self.told, self.ill = None, ill

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    connection.settimeout(0.5)
                    self._answer(connection)

    def _answer(self, connection):
        with contextlib.suppress(OSError):
            connection.recv(4096)
            mine = connection.getsockname()[0] == self.address
            ill = mine and self.ill
            if mine and self.told is None:
                self.told = time.monotonic()
            connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                               % (b"503 Ill" if ill else b"200 OK"))

    def close(self):
        self.socket.close()


def watch(patient, read, ill):
    """Milliseconds from the answer that says it to the last slot that moves."""
    before = read()
    patient.turn(ill)
    deadline = time.monotonic() + 5
    last = None
    while time.monotonic() < deadline:
        now = read()
        moment = time.monotonic()
        if now != before:
            # Before that, it is another backend's check that was late.
            before, last = now, moment if patient.told else None
        elif last and moment > last + 0.02:
            return (last - patient.told) * 1e3
        time.sleep(0.0001)
    raise results.Failed(f"nothing moved after a backend became {'ill' if ill else 'well'}")


def ill_service():
    return {"name": "ill", "address": ILL, "port": ILL_PORT, "forward": "nat", "check": ILL_CHECK,
            "backends": [{"address": dotted((10 << 24) + (40 << 16) + number), "port": WEB}
                         for number in (1, 2, 3, 4)]}


def health(daemon, patient, times):
    """The same of `times` changes, both ways."""
    daemon.wait_serving("ill", 4)
    found = []
    with Maps(daemon).live_slots(ILL, ILL_PORT) as read:
        for number in range(times):
            found.append(watch(patient, read, number % 2 == 0))
    patient.turn(False)
    return found


def measure_size(network, patient, count, options):
    loads, changes, sizes = [], [], {}
    for number in range(options.runs or (5 if options.full else 3)):
        daemon = network.daemon([*services(count), ill_service()], f"size-{count}-{number}")
        # All serve but the one that is checked.
        loads.append(load(daemon, count))
        if not number:
            sizes = memory(daemon)
            changes = health(daemon, patient, 40 if options.full else 20)
        daemon.stop()
    return {"services": count, "backends": sum(MANY_BACKENDS[i % 2] for i in range(count)),
            "load_s": results.spread(loads), "health_ms": results.spread(changes), **sizes}


# ---- what checks cost --------------------------------------------------------
def accepted(ns):
    """TCP connections that the namespace has taken."""
    with ns.entered(), open("/proc/thread-self/net/snmp", encoding="ascii") as file:
        names, values = (line.split() for line in file if line.startswith("Tcp:"))
    return int(values[names.index("PassiveOpens")])


def checks(network, seconds):
    """Share of a core that checking takes, once all are up."""
    Nginx(Host(network.server, "web", GATEWAY, "::", mac_of(0xB, 1)), ports=(WEB,)).start()
    check = {"type": "http", "path": "/health", "interval": f"{CHECK_SECONDS}s", "timeout": "1s"}
    count = CHECKED // statistics.mean(MANY_BACKENDS)
    wanted = services(int(count) + 1, check)
    surplus = sum(len(service["backends"]) for service in wanted) - CHECKED
    del wanted[-1]["backends"][len(wanted[-1]["backends"]) - surplus:]
    daemon = network.daemon(wanted, "checks").start()
    try:
        wait.until(lambda: not daemon.status()["problems"],
                   lambda: f"all up: {daemon.status()['problems'][:3]}", timeout=60, pause=0.5)
        time.sleep(2 * CHECK_SECONDS)
        begun, cpu, connections = time.monotonic(), process_seconds([daemon.process.pid]), \
            accepted(network.server)
        time.sleep(seconds)
        passed = time.monotonic() - begun
        cpu = process_seconds([daemon.process.pid]) - cpu
        rate = (accepted(network.server) - connections) / passed
        problems = daemon.status()["problems"]
        if problems or rate < 0.8 * CHECKED / CHECK_SECONDS:
            raise results.Failed(f"{rate:.0f} checks a second; {problems[:3]}")
        return {"backends": CHECKED, "interval_s": CHECK_SECONDS, "cores": cpu / passed,
                "checks_per_second": rate, "us_per_check": cpu / passed / rate * 1e6,
                **memory(daemon)}
    finally:
        daemon.stop()


def tables(data):
    yield ("Loading, from the process's start; a change of health, from the answer that says it "
           "to the last slot; memory",
           ("services", "backends", "load s", "max", "health ms", "max", "daemon MB", "peak",
            "maps MB"),
           [(row["services"], row["backends"], f"{row['load_s']['median']:.2f}",
             f"{row['load_s']['max']:.2f}", f"{row['health_ms']['median']:.2f}",
             f"{row['health_ms']['max']:.2f}", f"{row['daemon_mb']:.0f}",
             f"{row['daemon_peak_mb']:.0f}", f"{row['maps_mb']:.0f}") for row in data["results"]])
    row = data["checks"]
    yield ("Checking by HTTP",
           ("backends", "every s", "checks/s", "cores", "us per check", "daemon MB", "maps MB"),
           [(row["backends"], row["interval_s"], f"{row['checks_per_second']:.0f}",
             f"{row['cores']:.2f}", f"{row['us_per_check']:.0f}", f"{row['daemon_mb']:.0f}",
             f"{row['maps_mb']:.0f}")])
    yield from steps.tables(data["steps"])


def run(options):
    with Lab() as lab:
        network = Network(lab)
        patient = Patient(network.server, ill_service()["backends"][0]["address"])
        sizes = [measure_size(network, patient, count, options) for count in SIZES]
        checked = checks(network, 20 if options.full else WATCHED_SECONDS)
        stepped = steps.measure(network, patient, ILL_CHECK, GATEWAY)
        patient.close()
    data = {"results": sizes, "checks": checked, "steps": stepped}
    results.tell(tables(data))
    results.write("control", data, options)
    steps.judge(stepped)

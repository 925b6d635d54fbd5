# SPDX-License-Identifier: BSD-2-Clause
"""How long the daemon's loop is kept from everything else by one step, while everything
changes: with all services, backends and prefixes that one daemon can have. A step is what
the loop does between two looks at its sockets; the daemon logs (-v) each of more than
TOLD_MS of its thread's CPU time.
"""

import contextlib
import copy
import json
import random
import re
import threading
import time

from lab import wait
from lab.daemon import Daemon, UnixConnection

from . import results
from .scenarios import MANY_NET, dotted

SERVICES, BIG, BIG_TABLE, PREFIXES, DENIALS = 10000, 20000, 2000003, 500000, 10000
TABLE = 2039  # of the other services
DENIALS_PER_SECOND = 500  # what a daemon denies at least, one by one
TOLD_MS, MOST_MS = 20, 50
QUIET_SECONDS = 5
PATIENCE = 120

# Every other service has one backend, of the same server, whose check is one for all of them;
# the others have these numbers of them, in turn.
SIZES = (8, 0, 8, 0)
NET, BIG_NET = (10 << 24) + (32 << 16) + 1, (10 << 24) + (44 << 16) + 1
BIG_ADDRESS, PORT = "198.51.100.99", 8080
ILL_PORTS = 20000
MACS = ("02:00:00:00:0b:01", "02:00:00:00:0b:02")


def prefixes(count, seed):
    """Addresses that no service, backend or client here has."""
    numbers = random.Random(seed).sample(range(11 << 24, 99 << 24), count)
    return "".join(f"{dotted(number)}/32\n" for number in numbers)


def services(ill, check):
    found, first = [], NET
    for number in range(SERVICES):
        size = SIZES[number % len(SIZES)]
        found.append({
            "name": f"service-{number}", "address": dotted(MANY_NET + number), "port": 80,
            "forward": "nat", "table_size": TABLE,
            "check": {"type": "none"} if size else check,
            "backends": [{"address": dotted(first + i), "port": PORT} for i in range(size)]
            or [{"address": ill, "port": ILL_PORTS + number}]})
        first += size
    found.append({
        "name": "big", "address": BIG_ADDRESS, "port": 80, "forward": "nat",
        "table_size": BIG_TABLE, "check": {"type": "none"},
        "backends": [{"address": dotted(BIG_NET + i), "port": PORT} for i in range(BIG)]})
    return found


class Bed:
    """A daemon with all of it, and what is asked of it."""

    def __init__(self, network, patient, check, gateway):
        self.network, self.patient, self.gateway = network, patient, gateway
        self.file = network.lab.path("steps", "denied")
        self.services = services(patient.address, check)
        self.deny(1)
        self.daemon = Daemon(network.balancer, name="steps", options=["-v"])
        self.write(self.services)
        self.read = 0  # of the log, in bytes
        self.mac = 0

    def start(self):
        self.daemon.spawn()
        wait.until(self.runs, lambda: f"the daemon runs:\n{self.daemon.log}", timeout=PATIENCE)

    def runs(self):
        if self.daemon.process.poll() is not None:
            raise results.Failed(f"the daemon has ended:\n{self.daemon.log}")
        return " runs: " in self.daemon.log

    def ask(self, method, path, **members):
        connection = UnixConnection(self.daemon.socket_path, timeout=PATIENCE)
        try:
            connection.request(method, path, json.dumps(members) if members else None)
            response = connection.getresponse()
            data = response.read()
            if response.status != 200:
                raise results.Failed(f"{method} {path}: {response.status} {data[:300]}")
            return data
        finally:
            connection.close()

    def get(self, path):
        return json.loads(self.ask("GET", path))

    # ---- configurations ----
    def write(self, rows):
        self.daemon.write(json.dumps({
            "interfaces": [{"name": "back", "mode": "native"}],
            "deny": [{"file": self.file}], "services": rows}))

    def deny(self, seed):
        with open(self.file, "w", encoding="ascii") as file:
            file.write(prefixes(PREFIXES, seed))

    def reload(self, rows=None):
        self.write(rows or self.services)
        self.ask("POST", "/v1/reload")

    def reload_one(self):
        rows = copy.deepcopy(self.services)
        rows[2]["backends"][0]["weight"] = 7
        self.reload(rows)

    def reload_weights(self):
        rows = copy.deepcopy(self.services)
        for row in rows:
            for number, backend in enumerate(row["backends"]):
                backend["weight"] = 2 + number % 2
        self.reload(rows)

    def reload_permuted(self):
        rows = copy.deepcopy(self.services)
        shuffle = random.Random(1).shuffle
        shuffle(rows)
        for row in rows:
            shuffle(row["backends"])
        self.reload(rows)

    def reload_prefixes(self):
        self.deny(2)
        self.reload()
        self.deny(1)

    # ---- backends ----
    def edit(self, service):
        """Of one backend, all that an operator can change."""
        row = next(row for row in self.services if row["name"] == service)
        path, new = f"/v1/backends/{service}", f"10.47.255.{len(service)}"
        first, second = (f"{path}/{row['backends'][i]['address']}:{PORT}" for i in (0, 1))
        self.ask("POST", f"{first}/disable")
        self.ask("POST", f"{first}/enable")
        self.ask("POST", f"{second}/weight", weight=5)
        self.ask("POST", path, address=new, port=PORT)
        self.ask("DELETE", f"{path}/{new}:{PORT}")
        self.ask("POST", f"{second}/weight", weight=1)

    # ---- the world around ----
    def backend(self):
        return self.get(f"/v1/backends/big/{dotted(BIG_NET)}:{PORT}")

    def wait_backend(self, what, condition):
        wait.until(lambda: condition(self.backend()), what, timeout=PATIENCE, pause=0.05)

    def fall_ill(self):
        path = f"/v1/backends/service-1/{self.patient.address}:{ILL_PORTS + 1}"
        for ill, state in ((True, "down"), (False, "up")):
            self.patient.turn(ill)
            wait.until(lambda: self.get(path)["state"] == state, f"a server is {state}",
                       timeout=PATIENCE, pause=0.05)

    def move_gateway(self):
        """Its interface has another MAC address, and says so."""
        self.mac = 1 - self.mac
        mac = MACS[self.mac]
        self.network.server.ip(f"link set eth0 address {mac}")
        self.network.balancer.ip(
            f"neighbour replace {self.gateway} lladdr {mac} dev back nud reachable")
        self.wait_backend(f"the gateway is at {mac}", lambda row: row["next_hop"]["mac"] == mac)

    def flap(self):
        lb = self.network.balancer
        lb.ip("link set back down")
        self.wait_backend("the link is down", lambda row: row["next_hop"]["state"] != "resolved")
        lb.ip("link set back up", f"route add 10.32.0.0/12 via {self.gateway}")
        self.wait_backend("the link is up", lambda row: row["next_hop"]["state"] == "resolved")

    def deny_together(self):
        """Denials of which all end at one time."""
        end = time.monotonic() + DENIALS / DENIALS_PER_SECOND + 2
        for number in range(DENIALS):
            left = max(1, round(end - time.monotonic()))
            self.ask("POST", "/v1/denied", prefix=dotted((100 << 24) + number),
                     **{"for": f"{left}s"})
        wait.until(lambda: not self.get("/v1/denied")["denied"], "all denials have ended",
                   timeout=PATIENCE, pause=0.2)

    def everything(self):
        """All of it at once, each in a thread of its own."""
        tasks = [self.reload_weights, lambda: self.edit("service-0"), lambda: self.edit("big"),
                 self.move_gateway, self.fall_ill, self.read_all, lambda: self.ask("POST", SAVE)]
        faults = []

        def attempt(task):
            try:
                task()
            except (AssertionError, OSError, results.Failed) as fault:
                faults.append(fault)

        threads = [threading.Thread(target=attempt, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise results.Failed(f"all at once: {faults[0]}")

    def read_all(self):
        for path in READ:
            self.ask("GET", path)

    # ---- steps ----
    def longest(self):
        """Milliseconds of the longest step that the log tells of since the last call; 0: none
        is. A step is told when the next one begins, so an answer or two must come first.
        """
        for _ in range(3):
            self.ask("GET", "/v1/stats")
        with open(self.daemon.log_path, "rb") as file:
            file.seek(self.read)
            text = file.read()
            self.read = file.tell()
        return max(map(int, re.findall(rb"step of the loop took (\d+) ms", text)), default=0)


SAVE = "/v1/config/save"
READ = ("/v1/status", "/v1/services", "/v1/backends", "/v1/stats", "/v1/config")


def operations(bed):
    half = bed.services[:len(bed.services) // 2]
    yield "reload: the same", bed.reload
    yield "reload: one backend's weight", bed.reload_one
    yield "reload: all weights", bed.reload_weights
    yield "reload: all other prefixes", bed.reload_prefixes
    yield "reload: permuted", bed.reload_permuted
    yield "reload: half of the services", lambda: bed.reload(half)
    yield "reload: all services again", bed.reload
    yield "edit a service of 8 backends", lambda: bed.edit("service-0")
    yield f"edit a service of {BIG}", lambda: bed.edit("big")
    for path in READ:
        yield f"GET {path}", lambda path=path: bed.ask("GET", path)
    yield "config save", lambda: bed.ask("POST", SAVE)
    yield f"{DENIALS} denials end", bed.deny_together
    yield f"a server of {SERVICES // 2} falls ill", bed.fall_ill
    yield "all next hops move", bed.move_gateway
    yield "the interface goes and comes", bed.flap
    yield "all at once", bed.everything
    yield f"{QUIET_SECONDS} s of peace", lambda: time.sleep(QUIET_SECONDS)


def measure(network, patient, check, gateway):
    """One row for each operation."""
    bed, rows = Bed(network, patient, check, gateway), []

    def row(name, function):
        begun = time.monotonic()
        function()
        seconds = time.monotonic() - begun
        rows.append({"operation": name, "seconds": seconds, "longest_ms": bed.longest()})

    try:
        row("start", bed.start)
        for name, function in operations(bed):
            row(name, function)
        longest = bed.get("/v1/status")["longest_step_ms"]
    finally:
        with contextlib.suppress(AssertionError, AttributeError):
            bed.daemon.stop()
    return {"services": len(bed.services), "prefixes": PREFIXES, "longest_ms": longest,
            "backends": sum(len(row["backends"]) for row in bed.services), "operations": rows}


def tables(data):
    yield (f"The longest step of the loop, in CPU time, with {data['services']} services, "
           f"{data['backends']} backends and {data['prefixes']} prefixes",
           ("operation", "seconds", "longest step ms"),
           [(row["operation"], f"{row['seconds']:.2f}", row["longest_ms"] or f"<{TOLD_MS}")
            for row in data["operations"]])


def judge(data):
    """Fails where a step was too long."""
    long = [f"{row['operation']} ({row['longest_ms']} ms)" for row in data["operations"]
            if row["longest_ms"] > MOST_MS]
    if long or data["longest_ms"] > MOST_MS:
        raise results.Failed(f"a step of the loop took {data['longest_ms']:.0f} ms, and {MOST_MS} "
                             f"are the most: {', '.join(long) or 'at the start'}")

# SPDX-License-Identifier: BSD-2-Clause
"""Long work of the daemon, and what goes on beside it: a reload of many services and prefixes,
answers of thousands of backends, and many requests of all kinds at the same time.

How long a piece of work is depends on the machine. Where something has to happen beside it, the
test makes the work longer until it does.
"""

import contextlib
import http.client
import json
import random
import socket
import threading

import pytest

from lab import topology, wait
from lab.daemon import Daemon, UnixConnection
from lab.maps import Maps
from lab.servers import Nginx
from lab.topology import SERVICE4
from lab.traffic import Echo, Talk
from scenario import NO_CHECK, configuration, service

SERVICES, BACKENDS = 150, 20
FAR = "10.128.0.0/9"  # backends, behind the first host
TALKED, TALKERS = 7000, 10
PATIENCE = 120  # seconds, for an answer of a slow machine


class Ask(threading.Thread):
    """A request that has been sent; status is None until it is answered, or if it never is."""

    def __init__(self, daemon, method, path, **members):
        super().__init__(daemon=True)
        self.what = f"{method} {path} {members}"
        self.status = self.answer = None
        self.connection = UnixConnection(daemon.socket_path, PATIENCE)
        self.connection.request(method, path, json.dumps(members) if members else None)
        self.start()

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            response = self.connection.getresponse()
            self.answer = response.read()
            self.status = response.status
        self.connection.close()

    def wait(self):
        self.join(PATIENCE)
        return self.status


class Busy:
    """A daemon with one service that is talked to, one with health checks, and many others."""

    def __init__(self, lab):
        self.top = topology.routed(lab, backends=2)
        self.server = Nginx(self.top.backends[1]).start()
        self.host = self.top.backends[0]
        Echo(self.host, TALKED).start()
        self.top.balancer.ip(f"route add {FAR} via {self.host.ipv4}")
        self.daemon = Daemon(self.top.balancer)
        self.prefix_path = lab.path("prefixes")
        self.write(0)
        self.daemon.start()

    def services(self, version):
        """Each version has other backends in one half of the services."""
        for number in range(SERVICES):
            port = 1000 + 10 * (version if number % 2 else 0)
            yield {"name": f"s{number}", "address": f"198.18.0.{number}", "port": 80,
                   "check": NO_CHECK, "table_size": 257,
                   "backends": [{"name": f"b{place}", "address": f"10.128.0.{number}",
                                 "port": port + place} for place in range(BACKENDS)]}

    def write(self, version, prefixes=1000):
        """The configuration, with other prefixes in each version."""
        with open(self.prefix_path, "w", encoding="ascii") as file:
            file.writelines(f"{100 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.{version % 256}\n"
                            for n in range(prefixes))
        talked = {"name": "talked", "address": SERVICE4, "port": TALKED, "check": NO_CHECK,
                  "backends": [{"name": "b", "address": self.host.ipv4, "port": TALKED}]}
        checked = service("checked", self.top.backends[1:], 80, backend_port=8080)
        config = configuration(self.top, talked, checked, *self.services(version))
        self.daemon.write({**config, "deny": [{"file": self.prefix_path}]})
        self.version, self.prefixes = version, prefixes

    def reload(self):
        return Ask(self.daemon, "POST", "/v1/reload")

    def weigh(self, weight):
        return Ask(self.daemon, "POST", "/v1/backends/s0/b0/weight", weight=weight)

    def wanted(self):
        return {(entry["address"], 80, 6): {f"{b['address']}:{b['port']}"
                                           for b in entry["backends"]}
                for entry in self.services(self.version)}

    def installed(self):
        return {key: set(table) - {None} for key, table in Maps(self.daemon).tables().items()
                if key[0].startswith("198.18.")}

    def wait_installed(self):
        wait.until(lambda: self.installed() == self.wanted(), "the maps are as the file", PATIENCE)


@pytest.fixture
def busy(lab):
    return Busy(lab)


def during_longer_and_longer(busy, try_it):
    """try_it(reload) says whether it came to its end beside the reload."""
    for version, prefixes in enumerate((100_000, 300_000, 900_000), 1):
        busy.write(version, prefixes)
        reload = busy.reload()
        done = try_it(reload)
        assert reload.wait() == 200, reload.answer
        if done:
            return
    raise AssertionError("no reload was long enough for this to come to its end beside it")


def test_a_long_reload_holds_up_no_question_and_no_refusal(busy):
    def ask(reload):
        answered = 0
        while reload.is_alive() and answered < 20:
            assert busy.daemon.get("/v1/services/talked")["backends_serving"] == 1
            status, _ = busy.daemon.request("POST", "/v1/backends/s0/b0/weight", '{"weight": "x"}')
            assert status == 400
            answered += 1
        return reload.is_alive()

    with Talk(busy.top.client, SERVICE4, TALKED, TALKERS) as talk:
        talk.wait_talking()
        during_longer_and_longer(busy, ask)
        assert not talk.ask().troubles
    busy.wait_installed()


def test_a_long_reload_holds_up_no_change_of_health(busy):
    daemon = busy.daemon
    daemon.wait_serving("checked", 2, PATIENCE)

    def fail(reload):
        busy.server.sick()
        while reload.is_alive() and daemon.serving("checked"):
            pass
        done = reload.is_alive()
        reload.join()
        busy.server.sick(False)
        daemon.wait_serving("checked", 2, PATIENCE)
        return done

    during_longer_and_longer(busy, fail)


def test_large_answers_do_not_add_up_to_the_wait_of_a_change(busy):
    """The change waits for the answer that is being made and not for those that are to come."""
    for number in (20, 60):
        questions = [Ask(busy.daemon, "GET", "/v1/backends") for _ in range(number)]
        wait.until(lambda: any(not q.is_alive() for q in questions), "one is answered", PATIENCE)
        left = sum(q.is_alive() for q in questions)
        assert busy.weigh(number).wait() == 200
        still = sum(q.is_alive() for q in questions)
        assert [q.wait() for q in questions] == [200] * number
        if still > left / 3:
            return
    raise AssertionError(f"when the change was made, {still} of {left} answers were not")


def test_a_client_that_goes_away_has_its_reload_made(busy):
    busy.write(1, 50_000)
    for _ in range(3):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.connect(busy.daemon.socket_path)
            sock.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: lab\r\nContent-Length: 0\r\n\r\n")
            # By the end of the second one, the request has been read.
            busy.daemon.get("/v1/services/talked")
            busy.daemon.get("/v1/services/talked")
    busy.wait_installed()
    assert busy.reload().wait() == 200, "after those of the clients that went away"
    assert busy.daemon.stop() == 0, busy.daemon.log


@pytest.mark.parametrize("queued", (0, 30))
def test_sigterm_in_a_reload(busy, queued):
    """The one that has begun is made, the others are refused; the next start is right."""
    busy.write(1, 100_000)
    reloads = [busy.reload() for _ in range(1 + queued)]
    busy.daemon.get("/v1/services/talked")
    busy.daemon.get("/v1/services/talked")
    assert busy.daemon.stop() == 0, busy.daemon.log
    statuses = [reload.wait() for reload in reloads]
    assert set(statuses) <= {200, 503}, statuses
    assert statuses.count(200) <= max(1, queued / 3), statuses
    busy.daemon.start()
    busy.wait_installed()
    assert Maps(busy.daemon).count("sl_prefixes", 24, 8) == busy.prefixes


def test_all_at_once_ends_in_the_last_of_each(busy):
    """Two that reload, one that edits, one that denies, and some that ask."""
    random.seed(1)
    daemon, rounds = busy.daemon, 12
    denied = f"203.0.113.{random.randrange(256)}"
    failed = []

    def repeat(action, times=rounds):
        def run():
            for turn in range(times):
                asked = action(turn)
                if asked.wait() != 200:
                    failed.append((asked.what, asked.status, asked.answer))
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def rewrite(turn):
        busy.write(turn + 1, random.choice((1000, 20_000)))
        return busy.reload()

    def deny(turn):
        if turn % 2:
            return Ask(daemon, "DELETE", f"/v1/denied/{denied}")
        return Ask(daemon, "POST", "/v1/denied", prefix=denied)

    with Talk(busy.top.client, SERVICE4, TALKED, TALKERS) as talk:
        talk.wait_talking()
        threads = [
            repeat(rewrite), repeat(lambda turn: busy.weigh(turn + 2)), repeat(deny, rounds + 1),
            *(repeat(lambda _: Ask(daemon, "GET", random.choice(("/v1/status", "/v1/backends"))))
              for _ in range(3)),
        ]
        for thread in threads:
            thread.join()
        assert not talk.ask().troubles
    assert not failed
    busy.wait_installed()
    assert daemon.backend("s0", "b0")["weight"] == rounds + 1
    assert [row["prefix"] for row in daemon.get("/v1/denied")["denied"]] == [denied]
    assert Maps(daemon).count("sl_prefixes", 24, 8) == busy.prefixes + 1

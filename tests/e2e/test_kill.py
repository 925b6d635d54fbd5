# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 at random moments of reloads. The next daemon takes over whatever it finds.

`make test-kill KILLS=1000` runs it in full size.
"""

import contextlib
import http.client
import os
import random
import threading
import time

from lab import topology, wait
from lab.daemon import Daemon
from lab.topology import SERVICE4, SERVICE6
from lab.traffic import Echo, Talk
from scenario import NO_CHECK, configuration, service

KILLS = int(os.environ.get("SLUICE_KILLS", "25"))
SEED = int(os.environ.get("SLUICE_SEED", "16"))

DSR_PORT, NAT_PORT, NAT_BACKEND_PORT = 7000, 7100, 7001
TALKERS = 15
PASSING = 24  # services, at most
TABLE_SIZES = {"maglev": (1021, 4093), "source-hash": (1021, 4093), "random": (4093,),
               "round-robin": (), "least-connections": ()}

REFUSED = "cannot be taken over"


class Configurations:
    """Random ones: the services that are talked to stay, in whatever form; others come and
    go. No connection of the former may notice."""

    def __init__(self, top, dice):
        self.top, self.dice = top, dice

    def prefixes(self, most):
        """None of them is a client's."""
        return sorted({self.dice.choice((f"198.18.{self.dice.randrange(256)}.0/24",
                                         f"2001:db8:bad:{self.dice.randrange(256):x}::/64"))
                       for _ in range(self.dice.randrange(most))})

    def limits(self):
        """Far beyond what is said."""
        return [{"rate": f"{self.dice.randint(1, 9)}M/s", "exempt": self.prefixes(20),
                 "action": self.dice.choice(("drop", "reject"))}
                for _ in range(self.dice.randint(1, 2))]

    def shared(self):
        scheduler = self.dice.choice(list(TABLE_SIZES))
        shared = {"check": NO_CHECK, "scheduler": scheduler, "deny": self.prefixes(100)}
        if TABLE_SIZES[scheduler]:
            shared["table_size"] = self.dice.choice(TABLE_SIZES[scheduler])
        if self.dice.random() < 0.5:
            shared["limit"] = self.limits()
        return shared

    def staying(self, forward, port):
        return service(forward, self.top.backends, port, forward,
                       backend_port=NAT_BACKEND_PORT,
                       weights=[self.dice.randint(1, 4) for _ in self.top.backends],
                       **self.shared())

    def passing(self, number):
        hosts = self.dice.sample(self.top.backends, self.dice.randint(1, 3))
        return service(f"passing-{number}", hosts, 8000 + number,
                       self.dice.choice(("nat", "nat", "dsr", "ipip")),
                       backend_port=9000 + number, **self.shared())

    def make(self):
        services = [self.staying("nat", NAT_PORT), self.staying("dsr", DSR_PORT)]
        some = self.dice.choice((0, PASSING, self.dice.randint(0, PASSING)))
        services += map(self.passing, self.dice.sample(range(PASSING), some))
        self.dice.shuffle(services)
        return {**configuration(self.top, *services), "deny": self.prefixes(100)}


def reload_and_kill(daemon, seconds):
    """Kills the daemon so long after the request; a reload that was shorter is one, too."""
    def ask():
        with contextlib.suppress(OSError, http.client.HTTPException):
            daemon.request("POST", "/v1/reload")

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(seconds)  # a random moment: none is better than another
    daemon.kill()
    asking.join()


def wait_heard(talks):
    """Until every conversation that is left has gone on: a service keeps only four of the tables
    that it has had since."""
    def gone_on(talk, before):
        report = talk.ask()
        return report.exchanges >= before + 3 * sum(report.talking.values())

    for talk in talks.values():
        before = talk.ask().exchanges
        wait.until(lambda t=talk, b=before: gone_on(t, b), "conversations go on")


def how_long(daemon, configurations):
    """Most reloads take this time or less."""
    took = []
    for _ in range(8):
        daemon.write(configurations.make())
        begun = time.monotonic()
        daemon.reload()
        took.append(time.monotonic() - begun)
    return sorted(took)[5]


def test_a_daemon_killed_at_any_moment_of_a_reload_is_taken_over(lab, figure):
    dice = random.Random(SEED)
    top = topology.routed(lab, backends=3)
    for host in top.backends:
        for port in (DSR_PORT, NAT_BACKEND_PORT):
            Echo(host, port).start()
    configurations = Configurations(top, dice)
    daemon = Daemon(top.balancer, configurations.make()).start()
    refused, forgotten, denied = [], [], set()
    with contextlib.ExitStack() as stack:
        talks = {(port, address): stack.enter_context(Talk(
            top.client, address, port, TALKERS, interval_ms=20))
                 for port in (DSR_PORT, NAT_PORT) for address in (SERVICE4, SERVICE6)}
        for talk in talks.values():
            talk.wait_talking()
        usual = how_long(daemon, configurations)
        for number in range(KILLS):
            prefix = f"203.0.113.{number % 256}"
            daemon.change("POST", "/v1/denied", prefix=prefix)
            denied.add(prefix)
            daemon.write(configurations.make())
            reload_and_kill(daemon, dice.random() * 1.2 * usual)
            told = daemon.log.count(REFUSED)
            if dice.random() < 0.5:
                daemon.write(configurations.make())
            daemon.start()
            wait_heard(talks)
            if daemon.log.count(REFUSED) > told:
                refused.append(number)
            if {row["prefix"] for row in daemon.get("/v1/denied")["denied"]} != denied:
                forgotten.append(number)
        cuts = {name: talk.ask().cuts() for name, talk in talks.items()}
    figure(f"kill -9 at {KILLS} random moments of reloads: {len(refused)} take-overs refused, "
           f"denials forgotten {len(forgotten)} times, "
           f"{sum(map(len, cuts.values()))} of {TALKERS * len(talks)} connections cut")
    assert not refused and not forgotten, daemon.log[-4000:]
    assert not any(cuts.values()), f"{cuts}\n{daemon.log[-4000:]}"

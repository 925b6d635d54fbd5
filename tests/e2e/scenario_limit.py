# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of section 5 (the limiter) share: services on UDP ports, each with
limits of its own, a sink behind them, and clients with as many addresses as wanted.
"""

import collections
import ipaddress
import os

from lab import pace, wait
from lab.limits import Limits
from scenario import NO_CHECK, configuration, serve, service

# `make test-limits`: a minute for each. Else what fits into `make test`.
FULL = bool(os.environ.get("SLUICE_FULL"))
MINUTE = 60

CPUS = sorted(os.sched_getaffinity(0))[:2]
FAMILIES = (4, 6)

# Where nginx listens; nat tells two services by their backends' ports.
WEB_PORTS = {80: 8080, 81: 80}


def _entry(top, forward, port, said, **more):
    """said: a limit or limits, or what else there is to say of the service."""
    said = said if isinstance(said, dict) and "rate" not in said else {"limit": said}
    return service(f"{more['proto']}-{port}", top.backends[:1], port, forward, check=NO_CHECK,
                   **more, **said)


class LimitScene:
    """One backend with a sink for each of the UDP ports and nginx behind the TCP ports,
    one client with many addresses. Services are called udp-9000, tcp-80.
    """

    def __init__(self, lab, udp, tcp=None, *, clients=1, **members):
        self.udp, self.tcp, self.members = udp, tcp or {}, members
        scene = serve(lab, config=self._configuration, backends=1, clients=clients)
        self.top, self.daemon, self.client = scene.top, scene.daemon, scene.client
        self.crowd = pace.Crowd(self.client)
        # For what is answered: the way back to the client's many addresses.
        self.top.balancer.ip(*(
            f"route add {net} via {self.client.address(family)}"
            for family, net in pace.SOURCES.items()))
        self.sinks = {port: pace.Sink(self.top.backends[0], port) for port in udp}
        self.limits = Limits(self.daemon)
        for entry in self._configuration(self.top, "nat")["services"]:
            self.daemon.wait_serving(entry["name"], 2)

    def _configuration(self, top, forward):
        entries = [_entry(top, forward, port, said, proto="udp") for port, said in self.udp.items()]
        entries += [_entry(top, forward, port, said, proto="tcp", backend_port=WEB_PORTS[port])
                    for port, said in self.tcp.items()]
        return {**configuration(top, *entries), **self.members}

    def write(self, udp=None, **members):
        """A changed file: what is not named stays."""
        self.udp, self.members = {**self.udp, **(udp or {})}, {**self.members, **members}
        self.daemon.write(self._configuration(self.top, "nat"))

    def pace(self, port, rate, seconds, sources, **options):
        """Sends from both CPUs at once, if nothing else is said."""
        return pace.Pace(self.client, self.top.service(pace.family_of(sources[0])), port, rate,
                         seconds, sources, **{"cpus": CPUS, **options})

    def send(self, port, source, count, size=64):
        """As fast as it goes, until all of it has been judged."""
        packets, dropped = self.judged(port)
        taken = self.sinks[port].total()
        pace.send(self.client, self.top.service(pace.family_of(source)), port, source, count, size)

        def judged():
            forwarded, refused = self.judged(port)
            return (forwarded + refused == packets + dropped + count
                    and self.sinks[port].total() - taken == forwarded - packets)

        wait.until(judged, f"{count} packets have been judged", pause=0.005)

    def stats(self, port, number=1, proto="udp"):
        """What the program has counted of a limit; nothing, if there is none."""
        rows = self.daemon.get(f"/v1/limits/{proto}-{port}")["limits"]
        return next((row["stats"] for row in rows if row["number"] == number), {})

    def refused(self, port, but=()):
        """Packets refused of sources other than those."""
        answer = self.daemon.get(f"/v1/limits/udp-{port}")
        rows = answer["sources"]
        assert not answer["more"] or rows[-1]["refused"] == 0, "the most refused come first"
        return sum(row["refused"] for row in rows
                   if not any(ipaddress.ip_address(source) in ipaddress.ip_network(row["source"])
                              for source in but))

    def judged(self, port):
        """(forwarded, dropped) of the service, so far."""
        stats = self.daemon.service_stats(f"udp-{port}")
        return stats["packets"], stats["dropped_packets"]


class Meter:
    """What a service admits from now on."""

    def __init__(self, scene, port, number=1):
        self.scene, self.port, self.number = scene, port, number
        self._rest(lambda: True, "what was sent before has arrived")
        scene.sinks[port].take()
        self.before = scene.judged(port)
        self.stats_before = scene.stats(port, number)

    def read(self):
        """{source: [Arrival]}, once all that is on its way has arrived: what the
        program says it forwarded is what the backend got.
        """
        sink = self.scene.sinks[self.port]

        def forwarded():
            return self.scene.judged(self.port)[0] - self.before[0]

        self._rest(lambda: sink.count() == forwarded(),
                   lambda: f"{forwarded()} forwarded, {sink.count()} arrived")
        return self._take()

    def read_some(self):
        """The same where the backend does not take all that it gets."""
        self._rest(lambda: True, "nothing is on its way")
        return self._take()

    def _rest(self, condition, what):
        sink, seen = self.scene.sinks[self.port], None

        def rests():
            nonlocal seen
            last, seen = seen, (self.scene.judged(self.port), sink.count())
            return last == seen and condition()

        wait.until(rests, what, pause=0.03)

    def _take(self):
        sink = self.scene.sinks[self.port]
        by_source = collections.defaultdict(list)
        for arrival in sink.take():
            by_source[arrival.source].append(arrival)
        return by_source

    def stats(self):
        """How a limit's counters have grown."""
        return {name: count - self.stats_before[name]
                for name, count in self.scene.stats(self.port, self.number).items()}

    def dropped(self):
        return self.scene.judged(self.port)[1] - self.before[1]


def times(arrivals):
    return [arrival.time for arrival in arrivals]

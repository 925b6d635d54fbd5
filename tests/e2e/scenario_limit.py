# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of section 5 (the limiter) share: services on UDP ports, each with
limits of its own, a sink behind them, and clients with as many addresses as wanted.
"""

import collections
import os

from lab import pace, wait
from lab.limits import Limits
from scenario import NO_CHECK, configuration, serve, service, web

# `make test-limits`: a minute for each. Else what fits into `make test`.
FULL = bool(os.environ.get("SLUICE_FULL"))
MINUTE = 60

CPUS = sorted(os.sched_getaffinity(0))[:2]
FAMILIES = (4, 6)


def metered(top, forward, services, *more, **members):
    """Services by port: {port: limit or limits, or a dict that has more to say}."""
    entries = [
        service(f"udp-{port}", top.backends[:1], port, forward, proto="udp", check=NO_CHECK,
                **(said if "limit" in said else {"limit": said}))
        for port, said in services.items()]
    return {**configuration(top, *entries, *more), **members}


class LimitScene:
    """One backend, one client with many addresses; a sink for each port of `services`."""

    def __init__(self, lab, services, *, with_web=None, **members):
        self.services, self.with_web, self.members = services, with_web, members
        scene = serve(lab, config=self._configuration, backends=1)
        self.scene, self.top, self.daemon = scene, scene.top, scene.daemon
        self.client = scene.client
        self.crowd = pace.Crowd(self.client)
        # For what is answered: the way back to the client's many addresses.
        self.top.balancer.ip(*(
            f"route add {net} via {self.client.address(family)}"
            for family, net in pace.SOURCES.items()))
        self.sinks = {port: pace.Sink(self.top.backends[0], port) for port in services}
        self.limits = Limits(self.daemon)
        for port in services:
            self.daemon.wait_serving(f"udp-{port}", 2)
        if with_web is not None:
            self.daemon.wait_serving("web", 2)

    def _configuration(self, top, forward):
        more = [] if self.with_web is None else [web(top, forward, **self.with_web)]
        return metered(top, forward, self.services, *more, **self.members)

    def write(self, services=None, with_web=None, **members):
        """A changed file: what is not named stays."""
        self.services = {**self.services, **(services or {})}
        self.with_web = with_web or self.with_web
        self.members = {**self.members, **members}
        self.daemon.write(self._configuration(self.top, "nat"))

    def pace(self, port, rate, seconds, sources, **options):
        """Sends from both CPUs at once, if nothing else is said."""
        return pace.Pace(self.client, self.top.service(pace.family_of(sources[0])), port, rate,
                         seconds, sources, **{"cpus": CPUS, **options})

    def send(self, port, source, count, size=64):
        """As fast as it goes."""
        pace.send(self.client, self.top.service(pace.family_of(source)), port, source, count, size)

    def stats(self, port, number=1):
        """What the program has counted of a limit."""
        rows = self.daemon.get(f"/v1/limits/udp-{port}")["limits"]
        return collections.Counter(
            next(row["stats"] for row in rows if row["number"] == number))

    def refused(self, port, but=()):
        """Packets refused of sources other than those."""
        answer = self.daemon.get(f"/v1/limits/udp-{port}")
        assert not answer["more"]
        names = {self.shown(source) for source in but}
        return sum(row["refused"] for row in answer["sources"] if row["source"] not in names)

    @staticmethod
    def shown(source):
        return source if ":" not in source else source.removesuffix("1") + "/64"

    def judged(self, port):
        """(forwarded, dropped) of the service, so far."""
        stats = self.daemon.service_stats(f"udp-{port}")
        return stats["packets"], stats["dropped_packets"]


class Meter:
    """What a service admits from now on."""

    def __init__(self, scene, port, number=1):
        self.scene, self.port, self.number = scene, port, number
        scene.sinks[port].take()
        self.before = scene.judged(port)
        self.stats_before = scene.stats(port, number)

    def read(self):
        """{source: [Arrival]}, once all that is on its way has arrived: what the
        program says it forwarded is what the backend got.
        """
        sink, seen = self.scene.sinks[self.port], None

        def forwarded():
            return self.scene.judged(self.port)[0] - self.before[0]

        def rests():
            nonlocal seen
            last, seen = seen, (self.scene.judged(self.port), sink.count())
            return last == seen and sink.count() == forwarded()

        wait.until(rests, lambda: f"{forwarded()} forwarded, {sink.count()} arrived", pause=0.1)
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

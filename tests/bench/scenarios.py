# SPDX-License-Identifier: BSD-2-Clause
"""The services of parts 1 and 2, and the packets that they are sent.

A row is a service of the configuration and the scenario that measures it. Each has an
address of its own, and with nat a backend port of its own, by which answers are told
apart. To add one, add a row.
"""

from dataclasses import dataclass, field

from .bed import BACKENDS, NEAR4, NEAR6, OTHER4

# One that nothing here reaches.
HIGH = "100M/s"

FLOWS = "1 65536 1048576 flood"


@dataclass(frozen=True)
class Row:
    name: str
    address: str
    forward: str = "dsr"
    limit: object = None  # of the service: a rate, or the mapping
    flows: str = FLOWS
    proto: str = "tcp"
    net: str = ""
    port: int = 80  # of the backends
    verdict: str = "FORWARDED"
    action: str = "TX"
    backends: int = BACKENDS
    more: dict = field(default_factory=dict)  # other keys of the service
    quick: str = ""  # fewer flows, unless everything is measured

    def service(self):
        net = self.net or (NEAR6 if ":" in self.address else NEAR4)
        limit = {"rate": self.limit} if isinstance(self.limit, str) else self.limit
        return {
            "name": self.name, "address": self.address, "port": 80, "protocol": self.proto,
            "forward": self.forward, "check": {"type": "none"},
            **({"limit": limit} if limit else {}), **self.more,
            "backends": [{"address": net.format(number), "port": self.port}
                         for number in range(1, self.backends + 1)],
        }

    def line(self, flows=None):
        """Of the scenario file (scenario.h)."""
        return (f"{self.name} {self.proto} to {self.address} 80 {self.verdict} {self.action}"
                f" {0 if self.verdict.startswith('~') else self.backends} {flows or self.flows}")


# Each source may send one packet an hour: after its first one it is over.
_HOURLY = {"rate": "1/h", "burst": 1}

ROWS = (
    Row("dsr-ipv4", "198.51.100.1", flows=f"{FLOWS} 1048576-syn"),
    Row("dsr-ipv4-limit", "198.51.100.2", limit=HIGH),
    Row("nat-ipv4", "198.51.100.3", "nat", port=8003),
    Row("nat-ipv4-limit", "198.51.100.4", "nat", limit=HIGH, port=8004),
    Row("dsr-ipv6", "fd00:51::1"),
    Row("dsr-ipv6-limit", "fd00:51::2", limit=HIGH),
    Row("nat-ipv6", "fd00:51::3", "nat", port=8003),
    Row("nat-ipv6-limit", "fd00:51::4", "nat", limit=HIGH, port=8004),
    Row("ipip-ipv4", "198.51.100.12", "ipip"),
    Row("ipip-ipv4-limit", "198.51.100.13", "ipip", limit=HIGH),
    Row("ipip-ipv6", "fd00:51::c", "ipip"),
    Row("ipip-ipv6-limit", "fd00:51::d", "ipip", limit=HIGH),
    # Run dry by a flood of sources that come once each, whom it binds as little.
    Row("dsr-ipv4-limit-1000", "198.51.100.7", limit="1000/s", flows="flood"),
    Row("dsr-ipv4-limit-10", "198.51.100.8", limit={"rate": "10/s", "burst": 20}, flows="flood"),
    Row("dsr-ipv6-limit-10", "fd00:51::8", limit={"rate": "10/s", "burst": 20}, flows="flood"),
    Row("dsr-ipv4-over", "198.51.100.9", limit=_HOURLY, flows="1 65536",
        verdict="~DROP_LIMIT", action="DROP"),
    Row("dsr-ipv6-over", "fd00:51::9", limit=_HOURLY, flows="1 65536",
        verdict="~DROP_LIMIT", action="DROP"),
    Row("dsr-ipv4-udp", "198.51.100.5", proto="udp"),
    Row("dsr-ipv4-udp-limit", "198.51.100.10", limit=HIGH, proto="udp"),
    Row("nat-ipv6-udp", "fd00:51::5", "nat", proto="udp", port=8005),
    Row("dsr-ipv4-redirect", "198.51.100.6", net=OTHER4, action="REDIRECT", flows="1 65536"),
    Row("dsr-ipv4-round-robin", "198.51.100.11", flows="1 65536 65536-syn",
        more={"scheduler": "round-robin"}),
)

# Packets that no service of the rows is sent.
OTHERS = (
    "nat-ipv4-return tcp from 198.18.0.1 8003 RETURNED TX 1 1 65536",
    "pass-ipv4 tcp to 198.51.100.99 80 PASS_NO_SERVICE PASS 0 1 65536",
)

# Of a daemon in which slots are to stay in transition, of UDP too.
MOVED_FLOWS = {"udp_idle": "1h"}
MOVED = (
    Row("dsr-ipv4-moved", "198.51.100.1", flows="1 65536 1048576 65536-syn flood"),
    Row("nat-ipv6-moved", "fd00:51::3", "nat", port=8003, flows="1 65536"),
    Row("dsr-ipv4-udp-moved", "198.51.100.5", proto="udp", flows="1 65536"),
)

# ---- many services -----------------------------------------------------------
MANY_NET = (100 << 24) + (64 << 16)  # 100.64.0.0: 14 bits are free in it
MANY = (1, 100, 10000)
MANY_BACKENDS = (6, 7)


def many(count):
    """Services of 6 and 7 backends in turn, all with tables of one size, so
    that their number is the only difference.
    """
    return [
        Row(f"dsr-ipv4-of-{count}-{number}", dotted(MANY_NET + number), limit=HIGH,
            backends=MANY_BACKENDS[number % 2], more={"table_size": 2039}).service()
        for number in range(count)]


def many_lines(count):
    """To the first one alone, and to all of them."""
    total = sum(MANY_BACKENDS[number % 2] for number in range(count))
    first = dotted(MANY_NET)
    yield (f"services-{count}-to-one tcp to {first} 80 FORWARDED TX {MANY_BACKENDS[0]}"
           " 1 65536 1048576")
    if count > 1:
        yield f"services-{count}-to-all tcp to {first}+{count} 80 FORWARDED TX {total} 1048576"


def dotted(number):
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def configuration(services, interfaces=("lb0", "lb1"), **more):
    return {**more, "interfaces": [{"name": name, "mode": "native"} for name in interfaces],
            "services": list(services)}

# SPDX-License-Identifier: BSD-2-Clause
"""One daemon for all packet tests: real program, real maps, real routes; the
neighbours are entries of the kernel's table, as nobody else is on the links.

Only VLANs are pretended: not every kernel has VLAN devices. So the backends of VLAN 100
are found on `back` itself, and then their hops in the map are given the tag; and the
program is told of stations in VLANs that the daemon does not know.
"""

import contextlib
import struct

import pytest

import frames
from case import COUNTERS
from frames import (
    BACK_LINK, CLIENT, CLIENT_MAC, LINKS, NARROW_MTU, ROUTER, ROUTER_MAC, STANDBY_MAC, STATIONS,
    UNROUTED, VLAN, VLAN_LINK,
)
from lab import topology, wait
from lab.daemon import Daemon, bpftool
from lab.netns import Lab
from lab.testrun import Program, map_memory
from stations import STANDBY, pretend_station


# The rates of struct sl_tuning, behind its seed.
RATES = ("inserts", "refusals", "events", "unsent")
RATES_AT, RATE_SIZE = 8, 16


class Datapath:
    """The loaded program: run one frame, see what was counted."""

    def __init__(self, balancer, daemon, configuration):
        self.balancer = balancer
        self.daemon = daemon
        self.configuration = configuration
        self.tuning = daemon.map_id(".data.tuning")
        self.program = Program(balancer, f"{daemon.pin_dir}/prog")

    def run(self, frame, device):
        return self.program.run(frame, device)

    def device(self, name):
        return self.program.device(name)

    def verdicts(self):
        """{name: packets} of all verdicts."""
        return self.daemon.verdicts()

    def counted(self):
        """The same, and beside it the packets that all services together have counted."""
        stats = self.daemon.get("/v1/stats")
        counts = {row["name"].upper(): row["packets"] for row in stats["verdicts"]}
        for counter in COUNTERS.values():
            counts[counter] = sum(row[counter] for row in stats["services"])
        return counts

    @contextlib.contextmanager
    def told(self):
        """What is done here to the kernel's network, the program is told before the end."""
        before = self.route_generation()
        yield
        wait.until(lambda: self.route_generation() != before, "the program is told of the change")

    def route_generation(self):
        """How often the program was told (struct sl_tuning)."""
        (entry,) = bpftool("map", "dump", "id", self.tuning)
        return entry["formatted"]["value"][".data.tuning"][0]["sl_tuning"]["route_generation"]

    @contextlib.contextmanager
    def tuned(self, rate, interval):
        """With another interval of a rate of struct sl_tuning; more than its depth: nothing may
        pass.
        """
        at = RATES_AT + RATE_SIZE * RATES.index(rate)
        with map_memory(self.tuning) as memory:
            before = memory[at:at + 8]
            memory[at:at + 8] = struct.pack("=Q", interval)
            try:
                yield
            finally:
                memory[at:at + 8] = before

    @contextlib.contextmanager
    def reconfigured(self, **more):
        """With further keys of the configuration, no service's: theirs are not touched."""
        self.daemon.write({**self.configuration, **more})
        self.daemon.reload()
        try:
            yield
        finally:
            self.daemon.write(self.configuration)
            self.daemon.reload()


@contextlib.contextmanager
def run_datapath(configuration, serving, commands=()):
    """serving: {service: its backends that serve}; commands: of ip, for the network."""
    with Lab() as lab:
        top = topology.routed(lab, backends=0, clients=0)
        pretend_network(top.balancer)
        top.balancer.ip(*commands)
        daemon = Daemon(top.balancer, configuration).start()
        wait.until(
            lambda: all(daemon.serving(name) == count for name, count in serving.items()),
            lambda: f"all backends serve: {daemon.ctl('status').stdout}",
        )
        tag_hops(daemon)
        pretend_stations(top.balancer, daemon)
        yield Datapath(top.balancer, daemon, configuration)


def make_datapath():
    serving = (*frames.SERVICES.values(), frames.NARROW, frames.SOURCE_HASHED, frames.LIMITED,
               frames.WIDE)
    return run_datapath(frames.configuration(), {svc.name: 2 for svc in serving})


@pytest.fixture(scope="session")
def datapath():
    with make_datapath() as made:
        yield made


@pytest.fixture(scope="session")
def datapath_of():
    """For tests that want a configuration of their own: run_datapath()."""
    return run_datapath


@pytest.fixture(scope="session")
def datapath_of_links():
    """For cases that change links or addresses: then the daemon tells the stations anew, and what
    is pretended of VLANs is gone.
    """
    with make_datapath() as made:
        yield made


def pretend_network(balancer):
    commands = [
        "address add 10.100.0.1/24 dev back",
        "address add 2001:db8:b64::1/64 dev back nodad",
        f"route add default via {ROUTER[4]}",
        f"route add default via {ROUTER[6]}",
        f"route add 203.0.114.0/24 via {ROUTER[4]} mtu lock 1400",
        f"route add 2001:db8:e::/64 via {ROUTER[6]} mtu lock 1400",
        f"route add 10.200.0.0/24 via {BACK_LINK.backend[4]} mtu {NARROW_MTU[4]}",
        f"route add 2001:db8:b200::/64 via {BACK_LINK.backend[6]} mtu {NARROW_MTU[6]}",
        f"route add 10.201.0.0/24 nexthop via {BACK_LINK.backend[4]} nexthop via {ROUTER[4]}",
        f"route add 2001:db8:b201::/64 nexthop via {BACK_LINK.backend[6]}"
        f" nexthop via {ROUTER[6]}",
        "route add blackhole 203.0.115.0/24",
        "route add blackhole 2001:db8:d::/64",
        # No other route counts for these: not the default one.
        f"route add throw {UNROUTED[4]}",
        f"route add throw {UNROUTED[6]}",
    ]
    for family in (4, 6):
        neighbours = [(CLIENT, CLIENT_MAC, "front"), (ROUTER, ROUTER_MAC, "front")]
        for link in LINKS:
            neighbours.append((link.backend, link.backend_mac, link.device))
        commands += [
            f"neighbour replace {addresses[family]} lladdr {mac} dev {device} nud permanent"
            for addresses, mac, device in neighbours
        ]
    balancer.ip(*commands)


def pretend_stations(balancer, daemon):
    for station in STATIONS:
        pretend_station(balancer, daemon, station)
    for device in ("front", "back"):
        pretend_station(balancer, daemon, (device, STANDBY_MAC, 0, 0), STANDBY)


def tag_hops(daemon):
    """Writes the VLAN id into the hops (struct sl_backend) of VLAN_LINK's backends."""
    backends = daemon.map_id("sl_backends")
    mac = bytes.fromhex(VLAN_LINK.backend_mac.replace(":", ""))
    tagged = 0
    for entry in bpftool("map", "dump", "id", backends):
        value = bytearray(int(byte, 16) for byte in entry["value"])
        for hop in (24, 44):
            if value[hop:hop + 6] == mac:
                struct.pack_into("!H", value, hop + 16, VLAN)
                tagged += 1
        if value != bytes(int(byte, 16) for byte in entry["value"]):
            bpftool("map", "update", "id", backends, "key", "hex",
                    *(byte[2:] for byte in entry["key"]), "value", "hex",
                    *(f"{byte:02x}" for byte in value))
    assert tagged >= 12, "a hop for each of the VLAN's backends, at least 6 services in 2 families"

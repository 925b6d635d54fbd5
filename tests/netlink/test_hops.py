# SPDX-License-Identifier: BSD-2-Clause
"""Runs each scenario of hops_test in namespaces of its own."""

import os
import pathlib
import re

import pytest

from lab.daemon import BUILD

HERE = pathlib.Path(__file__).resolve().parent
BINARY = os.path.join(BUILD, "netlink", "hops_test")
SCENARIOS = re.findall(r"X\((\w+)\)(?: *\\)?$", (HERE / "scenarios.h").read_text(), re.M)
SKIPPED = 77


def plug(balancer, peer, number):
    """v<number> -- p<number>, with the addresses that hops_test.c names."""
    net = 77 + number
    balancer.ip(
        f"link add v{number} address 02:{net}:00:00:00:01 type veth"
        f" peer name p{number} address 02:{net}:00:00:00:02 netns {peer.name}"
    )
    for ns, device, host in ((balancer, f"v{number}", 1), (peer, f"p{number}", 2)):
        # A neighbour is doubted after a second, and given up a few later.
        for family in ("ipv4", "ipv6"):
            ns.sysctl(
                {
                    f"net/{family}/neigh/{device}/base_reachable_time_ms": 1000,
                    f"net/{family}/neigh/{device}/delay_first_probe_time": 1,
                    f"net/{family}/neigh/{device}/retrans_time_ms": 200,
                }
            )
        ns.ip(
            f"address add 10.{net}.0.{host}/24 dev {device}",
            f"address add fd{net}::{host}/64 dev {device} nodad",
            f"link set {device} up",
        )


@pytest.fixture
def namespaces(lab):
    balancer, peer = lab.namespace("lb"), lab.namespace("peer")
    plug(balancer, peer, 0)
    plug(balancer, peer, 1)
    peer.sysctl({"net/ipv4/conf/p0/arp_notify": 1, "net/ipv4/conf/p1/arp_notify": 0})
    return balancer, peer


def test_the_scenarios_are_found():
    assert len(SCENARIOS) > 20 and "on_link" in SCENARIOS and SCENARIOS[-1] == "explains"


@pytest.mark.early
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_hops(namespaces, scenario):
    balancer, peer = namespaces
    done = balancer.run(BINARY, scenario, peer.name, check=False, timeout=120)
    if done.returncode == SKIPPED:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"

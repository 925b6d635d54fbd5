# SPDX-License-Identifier: BSD-2-Clause
"""`unserved: drop` beside all that has another use for a service's address: VRRP moves it between
two machines, there and back; checks are sent from it, where `lo` holds it; proxy_ndp answers
for it. Nothing of theirs is dropped, and each packet is explained. A client's packet that is under
way while the addresses move may arrive where they were, and is then sent again.

SLUICE_FULL=1 runs it for two minutes.
"""

import contextlib
import os
import socket
import time

from lab import topology, wait
from lab.clients import Load
from lab.packets import Capture
from lab.servers import Nginx
from lab.topology import BACKEND_NET4, BACKEND_NET6, CLIENT_NET4, CLIENT_NET6, SERVICE4, SERVICE6
from scenario_beside import (
    ADVERTISEMENT, GATEWAY4, GATEWAY6, HELD4, HELD6, INSTANCES, NOWHERE, PORTS, PROXIED, SECOND,
    SOLICITATION, VERDICTS, Machine, is_vrrp, of_neighbour,
)

SECONDS = 120 if os.environ.get("SLUICE_FULL") else 0
STRANGE = 20  # datagrams for no service


def prepare(top, *balancers):
    """Addresses and routes, as the manual advises. Checks of the first balancer are sent from the
    address on lo, since the backends' default route leads there.
    """
    for ns in balancers:
        ns.ip(f"address add {HELD4}/32 dev lo", f"address add {HELD6}/128 dev lo nodad",
              f"route add blackhole {SERVICE4}", f"route add blackhole {SERVICE6}")
    top.balancer.ip(
        f"route replace {BACKEND_NET4.format(0)}/24 dev back proto kernel scope link src {HELD4}",
        f"route replace {BACKEND_NET6.format(0)}/64 dev back proto kernel src {HELD6}")
    # The kernel answers for an address only what it would route there.
    top.balancer.sysctl({f"net/ipv6/conf/{name}/proxy_ndp": 1 for name in ("all", "front")})
    top.balancer.ip(f"neighbour add proxy {PROXIED} dev front",
                    f"route add {PROXIED} via {top.backends[0].ipv6}")
    top.client.ns.ip(*(f"route add {address} dev eth0" for address in (SERVICE4, SERVICE6, PROXIED)))
    for host in top.backends:
        host.ns.ip(f"route add {CLIENT_NET4.format(0)}/24 via {GATEWAY4}",
                   f"route add {CLIENT_NET6.format(0)}/64 via {GATEWAY6}")


def talk_to_nobody(client):
    with client.ns.entered(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        for _ in range(STRANGE):
            sender.sendto(b"x", (PROXIED, NOWHERE))


def solicit(client):
    """Asks the neighbour that is known, and no other."""
    client.ns.ip(f"neighbour replace {PROXIED} lladdr {topology.FRONT_MAC} dev eth0 nud probe")


def wait_moved(holder, other):
    wait.until(lambda: len(holder.keepalived.held()) == len(INSTANCES) and
               not other.keepalived.held(),
               lambda: f"{holder.ns.name} alone holds the addresses:\n{holder.keepalived.log}\n"
               f"{other.keepalived.log}", timeout=30)


def wait_answered(loads):
    before = [load.count() for load in loads]
    wait.until(lambda: all(load.count() >= count + 2 for load, count in zip(loads, before)),
               "requests are answered", timeout=20)


def there_and_back(first, second, loads, client):
    for leaves, holder, other in ((True, second, first), (False, first, second)):
        first.keepalived.leave(leaves)
        wait_moved(holder, other)
        solicit(client)
        wait_answered(loads)


def judge_packets(machine, before, strange):
    """Each packet that has arrived since then is in a verdict of its kind; how many there were."""
    kinds, verdicts = machine.seen()
    kinds.subtract(before[0])
    left = {name: count - before[1][name] for name, count in verdicts.items()
            if count > before[1][name]}
    told = f"{machine.ns.name}: {dict(kinds)} were counted as {left}"
    for kind, names in VERDICTS.items():
        assert kinds[kind] == sum(left.pop(name, 0) for name in names), f"{kind}: {told}"
    assert not left, told
    assert kinds["for no service"] == strange, told
    return sum(kinds.values())


def judge_moves(machines, moves):
    """Each instance was the master's as often as it was to be, and none missed the adverts of another."""
    for machine, times in zip(machines, (1 + moves, moves)):
        entered = machine.keepalived.entered("MASTER")
        assert all(count == times for count in entered.values()), \
            f"{entered}, not {times}:\n{machine.keepalived.log}"
        assert any(map(is_vrrp, machine.frames()))


def test_nothing_of_vrrp_and_checks_and_proxy_ndp_is_dropped(lab, figure):
    top = topology.routed(lab, backends=2)
    for host in top.backends:
        Nginx(host, ports=PORTS).start()
    other = topology.second_balancer(top, SECOND)
    prepare(top, top.balancer, other)
    machines = first, second = [Machine(top, top.balancer, 150), Machine(top, other, 100)]
    for machine in machines:
        machine.wait_serving()
    heard = Capture(top.client.ns, "eth0", outgoing=True)
    before = [machine.seen() for machine in machines]
    with contextlib.ExitStack() as stack:
        for machine in machines:
            stack.enter_context(machine.keepalived)
        wait_moved(first, second)
        loads = [stack.enter_context(Load(top.client, address, timeout=10, pause=0.05))
                 for address in (SERVICE4, SERVICE6, HELD4, HELD6, PROXIED)]
        talk_to_nobody(top.client)
        begun, moves = time.monotonic(), 0
        while not moves or time.monotonic() < begun + SECONDS:
            there_and_back(first, second, loads, top.client)
            moves += 1
            for machine in machines:
                machine.frames()
        requests = sum(len(load.finish()) for load in loads)
    failed = [request for load in loads for request in load.failed()]
    assert not failed, failed
    packets = sum(judge_packets(*row) for row in zip(machines, before, (STRANGE, 0)))
    judge_moves(machines, moves)
    for machine in machines:
        assert " is down" not in machine.daemon.log, machine.daemon.log
    asked, answered = (sum(map(of_neighbour(PROXIED, kind), (frame for _, frame in heard.read())))
                       for kind in (SOLICITATION, ADVERTISEMENT))
    assert asked == answered >= 2 * moves
    figure(f"unserved: drop, beside VRRP (there and back: {moves}), checks from lo and "
           f"{asked} solicitations by proxy_ndp: {packets} packets and {requests} requests, "
           f"none of theirs dropped")

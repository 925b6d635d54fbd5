# SPDX-License-Identifier: BSD-2-Clause
"""The limit, enforced to 2 % with the source's packets on both CPUs."""

import os
import subprocess
import sys

import pytest

from lab import clients, wait
from lab.netns import Lab
from lab.packets import UDP, Capture, Ether, IP, IPv6
from lab.servers import udp_socket
from scenario import NO_CHECK, all_serving, configuration, serve, service, web

RATE, BURST, PORT = 2000, 500, 9000
SECONDS = 4
PACKETS_A_SECOND = 8000  # of each sender; two of them are 8 times the rate

# A sender on one CPU: argv: cpu, family, address, port, packets a second, seconds.
# It keeps to its pace by the clock, and uses several ports so that they take
# different queues.
SENDER = """
import os, socket, sys, time
cpu, family, address, port, pace, seconds = sys.argv[1:]
os.sched_setaffinity(0, {int(cpu)})
kind = socket.AF_INET6 if family == "6" else socket.AF_INET
socks = [socket.socket(kind, socket.SOCK_DGRAM) for _ in range(8)]
for sock in socks:
    sock.connect((address, int(port)))
start, sent = time.monotonic(), 0
while (passed := time.monotonic() - start) < float(seconds):
    while sent < passed * float(pace):
        socks[sent % 8].send(b"x" * 64)
        sent += 1
    time.sleep(0.0005)
print(sent)
"""


@pytest.fixture(scope="module")
def scene():
    def config(top, forward):
        return configuration(
            top,
            web(top, forward),
            service("metered", top.backends[:1], PORT, forward, proto="udp", check=NO_CHECK,
                    limit={"rate": f"{RATE}/s", "burst": BURST}),
        )

    with Lab() as lab:
        ready = all_serving(serve(lab, config=config, clients=2, backends=2))
        ready.daemon.wait_serving("metered", 2)
        yield ready


def flood(scene, family, cpus, seconds=SECONDS):
    """Sends from the given CPUs at once; how many packets in all."""
    senders = [
        scene.client.ns.popen(
            [sys.executable, "-c", SENDER, cpu, family, scene.top.service(family), PORT,
             PACKETS_A_SECOND, seconds], stdout=subprocess.PIPE, text=True)
        for cpu in cpus
    ]
    return sum(int(sender.communicate(timeout=seconds + 20)[0]) for sender in senders)


@pytest.mark.skipif(os.cpu_count() < 2, reason="needs two CPUs")
@pytest.mark.parametrize("family", (4, 6))
def test_rate_and_burst_hold_within_two_percent_on_two_cpus(scene, family, figure):
    backend = scene.top.backends[0]
    layer = IP if family == 4 else IPv6
    with udp_sink(backend, family), Capture(backend.ns, backend.device) as capture:
        names = ("FORWARDED", "DROP_LIMIT")
        before = [scene.daemon.percpu_verdicts(name) for name in names]
        sent = flood(scene, family, sorted(os.sched_getaffinity(0))[:2])
        wait.until(lambda: sum(scene.daemon.percpu_verdicts("DROP_LIMIT")) - sum(before[1]) > 0,
                   "packets are refused")
        after = [scene.daemon.percpu_verdicts(name) for name in names]
        times = [
            seconds for seconds, frame in capture.read()
            if layer in (packet := Ether(frame)) and UDP in packet and packet[UDP].dport == PORT
        ]

    assert sent > 1.5 * RATE * SECONDS + BURST, "the flood was too small to tell anything"
    for name, old, new in zip(names, before, after):
        grown = [b - a for a, b in zip(old, new)]
        assert sum(count > 0.05 * sum(grown) for count in grown) >= 2, f"{name}: {grown}"
    allowed = RATE * (max(times) - min(times)) + BURST
    figure(f"limit {RATE}/s, burst {BURST}, IPv{family}: {sent} sent on two CPUs, {len(times)} "
           f"admitted, rate x time + burst = {allowed:.0f}: {len(times) / allowed:.2%}")
    assert 0.98 * allowed <= len(times) <= 1.02 * allowed
    refused = sum(after[1]) - sum(before[1])
    assert refused == sent - len(times)


class udp_sink:
    """Takes datagrams and answers nothing, so that no ICMP error does either."""

    def __init__(self, host, family):
        self.sock = udp_socket(host.ns, family)
        self.sock.bind((host.address(family), PORT))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def test_one_source_over_its_limit_is_no_concern_of_another(scene):
    """Another client, another service: all as before; the same client elsewhere, too."""
    address = scene.top.service(4)
    flooder, other = scene.top.clients
    sender = flooder.ns.popen(
        [sys.executable, "-c", SENDER, "0", "4", address, PORT, PACKETS_A_SECOND, "3"],
        stdout=subprocess.DEVNULL)
    backend = scene.top.backends[0]
    with Capture(backend.ns, backend.device) as capture, \
            udp_socket(other.ns, 4) as mine, clients.Load(other, address) as load, \
            clients.Load(flooder, address) as same:
        def dropped():
            return scene.daemon.service_stats("metered")["dropped_packets"]

        before = dropped()
        wait.until(lambda: dropped() > before + 1000, "the flood is cut")
        for number in range(BURST):
            mine.sendto(b"%d" % number, (address, PORT))
        wait.until(lambda: len(load.requests) > 200 and len(same.requests) > 200, "requests go on")
        arrived = wait.until(
            lambda: [p for p in capture.packets(
                lambda p: IP in p and UDP in p and p[IP].src == other.ipv4)][BURST - 1:] or None,
            "a whole burst of the other client arrives")
        assert arrived
    sender.wait(timeout=20)
    assert not load.failed() and not same.failed()


def test_the_limit_is_in_what_the_service_shows(scene):
    shown = scene.daemon.service("metered")["limit"]
    assert shown == {"rate": f"{RATE}/s", "burst": BURST}
    assert scene.daemon.service("web")["limit"] is None

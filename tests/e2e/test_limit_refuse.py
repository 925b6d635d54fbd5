# SPDX-License-Identifier: BSD-2-Clause
"""`action: reject`, as real clients see it: a new connection is refused at once, an
established one is never reset, a sender of datagrams is told; and no more of that
than the pace of answers allows.
"""

import contextlib
import errno
import socket
import struct

import pytest

from lab import pace, wait
from lab.netns import Lab
from lab.packets import ICMP, IP, TCP, Capture, Ether, ICMPv6DestUnreach
from lab.servers import udp_socket
from lab.traffic import rest
from scenario_limit import CPUS, FAMILIES, FULL, MINUTE, LimitScene, Meter

pytestmark = pytest.mark.alone("it sends at a pace, and judges how much is answered")

DATAGRAMS, CONNECTIONS, PACKETS = 9000, 80, 81
ANSWERS = 100  # a second, on each CPU
BURST = 3  # connections
SLOW = 30  # packets a second


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield LimitScene(
            lab, {DATAGRAMS: {"rate": "50/s", "burst": 10, "action": "reject"}},
            {CONNECTIONS: {"rate": "6/min", "burst": BURST, "count": "connections",
                           "action": "reject"},
             PACKETS: {"rate": f"{SLOW}/s", "burst": SLOW, "action": "reject"}},
            limiter={"answers": f"{ANSWERS}/s"})


def curl(scene, family, port):
    return scene.client.ns.run(
        "curl", "-v", "--max-time", "10", "-o", "/dev/null", "-w", "%{time_total}",
        scene.top.url(family, port), check=False)


def refused_by(scene, port, family):
    """The refusals that a service's address has counted."""
    (count,) = [row["refused_packets"] for row in scene.daemon.get("/v1/stats")["services"]
                if (row["port"], row["address"]) == (port, scene.top.service(family))]
    return count


def segments(capture, port, flags):
    """TCP segments of a service's connections that have all of the flags."""
    return [packet[TCP] for packet in capture.packets(lambda p: TCP in p)
            if port in (packet[TCP].sport, packet[TCP].dport) and set(flags) <= set(
                str(packet[TCP].flags))]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_connection_over_the_limit_is_refused_at_once(scene, family, figure):
    served, before = 0, refused_by(scene, CONNECTIONS, family)
    with Capture(scene.client.ns, "eth0", outgoing=True) as capture:
        while (done := curl(scene, family, CONNECTIONS)).returncode == 0:
            served += 1
            assert served <= 2 * BURST, "nobody is refused"
        syns = [syn for syn in segments(capture, CONNECTIONS, "S") if syn.flags == "S"]
        resets = segments(capture, CONNECTIONS, "R")
    assert served >= BURST
    assert done.returncode == 7 and "Connection refused" in done.stderr, done.stderr
    figure(f"action reject, IPv{family}: {served} connections served, then curl says \"Connection "
           f"refused\" after {float(done.stdout) * 1000:.1f} ms")
    # At once: the first SYN of each connection was answered, none had to be repeated.
    assert len(syns) == served + 1
    (reset,) = resets
    assert reset.flags == "RA" and reset.seq == 0
    assert reset.ack == (syns[-1].seq + 1) % (1 << 32) and reset.dport == syns[-1].sport
    assert refused_by(scene, CONNECTIONS, family) == before + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_an_established_connection_over_the_limit_stalls_and_is_not_reset(scene, family):
    """A request of which each byte is a segment; others of its source use the rate up."""
    request = b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
    address = (scene.top.service(family), PACKETS)
    before = scene.stats(PACKETS, proto="tcp")
    with contextlib.ExitStack() as stack, scene.client.ns.entered():
        capture = stack.enter_context(Capture(scene.client.ns, "eth0", outgoing=True))
        socks = [stack.enter_context(socket.create_connection(address, timeout=20))
                 for _ in range(3)]
        for sock in socks:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Each connection is judged as established: what is refused is a byte, an ACK.
        for position in range(len(request)):
            for sock in socks:
                sock.sendall(request[position:position + 1])
        refused = scene.stats(PACKETS, proto="tcp")["refused"] - before["refused"]
        assert refused > SLOW, "the limit is felt"
        answers = [receive(sock) for sock in socks]
        assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
        assert not segments(capture, PACKETS, "R")
    after = scene.stats(PACKETS, proto="tcp")
    assert after["answered"] == before["answered"]


def receive(sock):
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


# struct sock_extended_err
_EXTENDED = struct.Struct("=IBBBBII")
MSG_ERRQUEUE, IP_RECVERR, IPV6_RECVERR = 0x2000, 11, 25
ORIGIN = {4: 2, 6: 3}  # ICMP, ICMPv6


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sender_of_datagrams_is_told(scene, family):
    expected = {4: (errno.EHOSTUNREACH, 3, 13), 6: (errno.EACCES, 1, 1)}[family]
    source, address = scene.crowd.new(family), (scene.top.service(family), DATAGRAMS)
    rest(0.2)  # answers of the tests before are a pace of their own
    with udp_socket(scene.client.ns, family) as sock:
        sock.setsockopt(*((socket.IPPROTO_IP, IP_RECVERR, 1) if family == 4
                          else (socket.IPPROTO_IPV6, IPV6_RECVERR, 1)))
        pace.bind_to(sock, source)
        sock.connect(address)
        for _ in range(20):
            # An error of before is told by the next call.
            with contextlib.suppress(OSError):
                sock.send(b"x" * 64)

        def told():
            try:
                return sock.recvmsg(2048, 512, MSG_ERRQUEUE)
            except BlockingIOError:
                return None

        sock.setblocking(False)
        payload, control, _, destination = wait.until(told, "the sender is told")
    (error,) = [_EXTENDED.unpack_from(data) for _, _, data in control]
    number, origin, kind, code = error[:4]
    assert (number, kind, code) == expected and origin == ORIGIN[family]
    assert destination[:2] == address, "which of its datagrams it was"


def test_no_more_is_answered_than_the_pace_allows(scene, figure):
    """Which is for all services, connections and datagrams together."""
    seconds = MINUTE if FULL else 2
    sources = [scene.crowd.new(family) for family in FAMILIES]
    before = sum(refused_by(scene, DATAGRAMS, family) for family in FAMILIES)
    meter = Meter(scene, DATAGRAMS)
    with Capture(scene.client.ns, "eth0") as capture:
        paces = [scene.pace(DATAGRAMS, 2000, seconds, [source]) for source in sources]
        while any(sender.process.poll() is None for sender in paces):
            capture.read()  # its buffer holds few packets
            rest(0.1)
        meter.read()
        answers = sorted(
            moment for moment, frame in capture.read()
            if ICMPv6DestUnreach in (packet := Ether(frame)) or
            (ICMP in packet and packet[IP].src == scene.top.service(4)
             and packet[ICMP].type == 3 and packet[ICMP].code == 13))
    stats = meter.stats()
    allowed = len(CPUS) * (ANSWERS * (answers[-1] - answers[0]) + ANSWERS / 10)
    figure(f"answers: {stats['refused']} packets refused in {seconds} s, {len(answers)} of them "
           f"answered, cap {ANSWERS}/s on each of {len(CPUS)} CPUs: at most {allowed:.0f}")
    assert stats["answered"] == len(answers)
    assert sum(refused_by(scene, DATAGRAMS, family) for family in FAMILIES) - before == len(answers)
    assert 0.5 * allowed <= len(answers) <= allowed + 2

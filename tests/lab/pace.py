# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams at a pace, from as many addresses as wanted, and when they arrived: the
C programs pace and sink of tests/traffic, which say what they do.
"""

import collections
import ipaddress
import itertools
import os
import socket
import struct
import subprocess
import time

from . import wait
from .daemon import BUILD
from .servers import udp_socket

PACE, SINK = (os.path.join(BUILD, "traffic", name) for name in ("pace", "sink"))

IP_FREEBIND, IPV6_FREEBIND = 15, 78

# A client's own for the asking: an IPv6 source is a /64 of its own.
SOURCES = {4: "10.9.0.0/16", 6: "2001:db8:9::/48"}

_RECORD = struct.Struct("=Q16sII")

HEADERS = {4: 14 + 20 + 8, 6: 14 + 40 + 8}  # of a frame with a datagram in it


def family_of(address):
    return 6 if ":" in address else 4


def source(family, number):
    """The address of that number, from 1 to 65535."""
    if family == 4:
        return f"10.9.{number >> 8}.{number & 0xff}"
    return f"2001:db8:9:{number:x}::1"


class Crowd:
    """Addresses of a client that nobody has used yet: each has a whole burst."""

    def __init__(self, host):
        self.host = host
        self._number = itertools.count(1)
        host.ns.ip(*(f"route add local {net} dev lo" for net in SOURCES.values()))

    def new(self, family):
        return source(family, next(self._number))

    def several(self, family, count):
        return [self.new(family) for _ in range(count)]


class Pace:
    """Datagrams to a service at a fixed rate, from the moment it is made."""

    def __init__(self, host, address, port, rate, seconds, sources, *, cpus=(), on_off=None,
                 size=64, late_ms=20, start=None):
        options = [part for cpu in cpus for part in ("-c", cpu)]
        if on_off:
            options += ["-p", f"{on_off[0] * 1000:.0f},{on_off[1] * 1000:.0f}"]
        if start:
            options += ["-t", int(start * 1e9)]
        self.seconds = seconds
        self.process = host.ns.popen(
            [PACE, "-s", size, "-l", late_ms, *options, address, port, rate, seconds, *sources],
            stdout=subprocess.PIPE, text=True)

    def finish(self):
        """How many were sent."""
        return int(self._told()[0])

    def finish_by_second(self):
        """How many were sent in each second since the start, up to the last that has any."""
        return [int(count) for count in self._told()[2:]]

    def _told(self):
        told, _ = self.process.communicate(timeout=self.seconds + 30)
        assert self.process.returncode == 0, f"pace ended with {self.process.returncode}"
        return told.split()


Arrival = collections.namedtuple("Arrival", "time source length")


class Sink:
    """Takes the datagrams that come to a port of a backend."""

    def __init__(self, host, port):
        self.path = host.ns.lab.path(f"sink-{host.name}-{port}", "records")
        self._read, self._names = 0, {}
        with open(self.path, "wb") as records:
            self.process = host.ns.popen([SINK, port], stdout=records)
        wait.until(lambda: self._listens(host.ns, port), f"a sink on port {port}")

    @staticmethod
    def _listens(ns, port):
        """Told by the kernel's table: a trial would be recorded."""
        with ns.entered(), open("/proc/thread-self/net/udp6", encoding="ascii") as table:
            return any(int(line.split()[1].rpartition(":")[2], 16) == port
                       for line in table.readlines()[1:])

    def _name(self, address):
        if address not in self._names:
            ip = ipaddress.IPv6Address(address)
            self._names[address] = str(ip.ipv4_mapped or ip)
        return self._names[address]

    def total(self):
        """Arrivals so far."""
        return os.path.getsize(self.path) // _RECORD.size

    def count(self):
        """Those that have not been taken yet."""
        return self.total() - self._read // _RECORD.size

    def take(self):
        """Those: [Arrival], by time (seconds of the wall clock)."""
        with open(self.path, "rb") as file:
            file.seek(self._read)
            data = file.read(self.count() * _RECORD.size)
        self._read += len(data)
        arrivals, lost = [], 0
        for ns, address, length, lost in _RECORD.iter_unpack(data):
            arrivals.append(Arrival(ns / 1e9, self._name(address), length))
        assert not lost, f"the sink's socket has lost {lost}: nothing can be told"
        # Those that two CPUs bring at once may be queued the other way round.
        return sorted(arrivals)


def bind_to(sock, address):
    """Gives the socket one of a crowd's addresses, none of which is on a device."""
    sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    sock.bind((address, 0))


def send(host, address, port, source, count, size=64):
    """`count` datagrams, as fast as they go."""
    with udp_socket(host.ns, family_of(address)) as sock:
        bind_to(sock, source)
        for _ in range(count):
            sock.sendto(b"x" * size, (address, port))


def clock_offset():
    """What is added to CLOCK_MONOTONIC to make the wall clock of the arrivals."""
    return time.time() - time.monotonic()


# ---- judgement ---------------------------------------------------------------
def most_over(times, rate):
    """Of all windows that begin and end with an arrival, by how much the fullest
    exceeds rate x its length: what a token bucket calls its burst.
    """
    worst, best_start = 0, float("-inf")
    for index, moment in enumerate(times):
        best_start = max(best_start, rate * moment - index)
        worst = max(worst, index + 1 - rate * moment + best_start)
    return worst


def most_within(times, span):
    """The most arrivals in any window of that length."""
    most = first = 0
    for index, moment in enumerate(times):
        while times[first] <= moment - span:
            first += 1
        most = max(most, index + 1 - first)
    return most

# SPDX-License-Identifier: BSD-2-Clause
"""Clients that keep asking, and note what came of each request."""

import random
import socket
import threading
import time
from dataclasses import dataclass

from .packets import DNS, DNSQR, DNSRR
from .servers import udp_socket


@dataclass
class Request:
    begun: float  # wall clock
    seconds: float
    backend: str  # who answered; "" if nobody did
    error: str


class Load(threading.Thread):
    """Asks one URL again and again, each time over a new connection."""

    def __init__(self, host, address, port=80, path="/", timeout=1.0, pause=0.002):
        super().__init__(daemon=True)
        self.host, self.target, self.path = host, (address, port), path
        self.timeout, self.pause = timeout, pause
        self.requests = []
        self._ended = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.finish()

    def finish(self):
        self._ended.set()
        self.join(timeout=self.timeout + 5)
        return self.requests

    def run(self):
        # A namespace is a thread's: this one stays in the client's for good.
        with self.host.ns.entered():
            while not self._ended.is_set():
                self.requests.append(self._ask())
                self._ended.wait(self.pause)

    def _ask(self):
        begun, clock = time.time(), time.monotonic()
        backend = error = ""
        try:
            backend = get(self.target, self.path, self.timeout)
        except (OSError, ValueError) as caught:
            error = repr(caught)
        return Request(begun, time.monotonic() - clock, backend, error)

    def failed(self, since=0.0):
        return [request for request in list(self.requests)
                if request.error and request.begun >= since]

    def count(self, since=0.0):
        """Requests begun since then that have ended."""
        return sum(request.begun >= since for request in list(self.requests))

    def served_by(self, backend, since=0.0):
        return [request for request in list(self.requests)
                if request.backend == backend and request.begun >= since]


def get(target, path="/", timeout=1.0, source_port=0):
    """One HTTP request over a connection of its own; the first line of the body. source_port: 0
    for any.

    To be called within the client's namespace.
    """
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        if source_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", source_port))
        sock.connect(target)
        sock.sendall(f"GET {path} HTTP/1.0\r\nHost: lab\r\n\r\n".encode())
        data = b""
        while chunk := sock.recv(65536):
            data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ValueError(head.split(b"\r\n")[0].decode(errors="replace"))
    return body.decode().split("\n")[0]


def ask(host, address, port=80, path="/", timeout=1.0, source_port=0):
    """get() in the host's namespace."""
    with host.ns.entered():
        return get((address, port), path, timeout, source_port)


def ask_dns(host, address, name="backend.lab", kind="TXT", timeout=2.0):
    """One DNS question from a port of its own; scapy's view of the first answer."""
    family = 6 if ":" in address else 4
    with udp_socket(host.ns, family, timeout) as sock:
        number = random.getrandbits(16)
        sock.sendto(bytes(DNS(id=number, rd=1, qd=DNSQR(qname=name, qtype=kind))), (address, 53))
        data, sender = sock.recvfrom(4096)
    assert sender[0] == address, f"the answer came from {sender[0]}"
    answer = DNS(data)
    assert answer.id == number and answer.ancount == 1, answer.summary()
    rdata = answer[DNSRR].rdata
    return rdata[0].decode() if isinstance(rdata, list) else rdata

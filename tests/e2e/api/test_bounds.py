# SPDX-License-Identifier: BSD-2-Clause
"""The control API serves everybody, whatever one client does: idle, slow and large requests."""

import select
import socket
import time

from lab import wait
from scenario_api import YAML, connect


def test_idle_connections_keep_nobody_out(scene, unchanged):
    idle = [connect(scene.daemon) for _ in range(100)]
    try:
        begun = time.monotonic()
        assert scene.daemon.status()["pid"]
        assert time.monotonic() - begun < 5
    finally:
        for sock in idle:
            sock.close()


def test_who_does_not_finish_is_cut_off(scene, unchanged):
    """Also who sends a byte now and then, and who ends in the middle."""
    silent, drips, body, ended = (connect(scene.daemon) for _ in range(4))
    drips.sendall(b"GET /v1/sta")
    for sock in (body, ended):
        sock.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    ended.shutdown(socket.SHUT_WR)
    begun = time.monotonic()

    def all_closed():
        for sock in (drips, body):
            try:
                sock.send(b" ")
            except OSError:
                pass
        # The loop answers others all the while.
        assert scene.daemon.get("/v1/services")
        return all(is_closed(sock) for sock in (silent, drips, body, ended))

    wait.until(all_closed, "slow clients are cut off", timeout=25, pause=0.5)
    assert time.monotonic() - begun > 5, "a request has time to arrive"
    for sock in (silent, drips, body, ended):
        sock.close()


def is_closed(sock):
    if not select.select([sock], [], [], 0)[0]:
        return False
    try:
        return sock.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_half_request_delays_nobody(scene, unchanged):
    with connect(scene.daemon) as half:
        half.sendall(b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n")
        half.sendall(b"#" * 1_000_000)
        begun = time.monotonic()
        for _ in range(50):
            scene.daemon.get("/v1/services")
        assert time.monotonic() - begun < 5


def test_large_bodies_are_bounded_together(scene, unchanged):
    """Each of them is allowed; all of them are not."""
    size = 40 * 1024 * 1024
    with open(scene.daemon.config_path, "rb") as file:
        body = (file.read() + b"\n").ljust(size - 1, b"#")
    head = (f"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: {YAML}\r\n"
            f"Content-Length: {size}\r\n\r\n").encode()
    senders = [connect(scene.daemon) for _ in range(4)]
    for sock in senders:
        sock.sendall(head + body)
    with open(f"/proc/{scene.daemon.process.pid}/status", encoding="ascii") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert resident < 200 * 1024, "kB"
    answers = []
    for sock in senders:
        sock.sendall(b"\n")
        answers.append(int(sock.recv(65536).split()[1]))
        sock.close()
    assert answers.count(200) in (1, 2) and answers.count(503) == 4 - answers.count(200), answers

# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the control API and of sluicectl share: a daemon that serves, questions
to its socket, and all that a request could change.
"""

import http.client
import json
import os
import socket
import subprocess
import threading

import pytest

from lab import daemon
from lab.daemon import Daemon
from lab.netns import Lab
from scenario import all_serving, serve

YAML = "application/yaml"
ATTACH, DETACH, RELOAD = "/v1/attach", "/v1/detach", "/v1/reload"
ADD, ONE, SAVE = "/v1/backends/web", "/v1/backends/web/web-1", "/v1/config/save"


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield all_serving(serve(lab, backends=2))


@pytest.fixture
def unchanged(scene):
    before = state(scene)
    yield
    assert state(scene) == before


WISHES = {"drain": "drain", "disabled": "disabled"}  # else it is to be up, and may be down


def state(scene):
    """All that a request could change; health, which changes by itself, is not of it."""
    made = scene.daemon
    status = made.status()
    services = [made.service(row["name"]) for row in status["services"]]
    for service in services:
        for name in ("stats", "state", "backends_serving"):
            service.pop(name)
        settings = ("name", "address", "port", "weight", "role", "changed", "ends_in_s")
        service["backends"] = [{name: backend[name] for name in settings} |
                               {"wish": WISHES.get(backend["state"], "up")}
                               for backend in service["backends"]]
    for name in ("uptime_s", "longest_step_ms", "problems", "services", "flows"):
        status.pop(name)
    xdp = {device: scene.top.balancer.xdp(device) for device in scene.top.interfaces}
    with open(made.config_path, encoding="utf-8") as file:
        return {"status": status, "services": services, "xdp": xdp, "file": file.read()}


def ask(made, method, path, body=None, headers=None):
    """(status, headers, JSON); a body that is a list of pieces is sent chunked."""
    connection = daemon.UnixConnection(made.socket_path, timeout=20)
    try:
        chunked = isinstance(body, list)
        connection.request(method, path, iter(body) if chunked else body, headers or {},
                           encode_chunked=chunked)
        response = connection.getresponse()
        data = response.read()
        return response.status, dict(response.getheaders()), json.loads(data) if data else None
    finally:
        connection.close()


def connect(made, timeout=20):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.connect(made.socket_path)
    return sock


def raw(made, data):
    """Sends bytes as they are; all that comes back until the daemon closes."""
    with connect(made) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := sock.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass  # it closed while there was more to read
        return answer


def small(lab):
    """A daemon without interfaces, for what needs no traffic."""
    ns = lab.namespace("lb")
    return Daemon(ns, {"interfaces": [], "services": []})


READING = (["status"], ["service", "list"], ["service", "show", "web"], ["backend", "list"],
           ["backend", "list", "web"], ["backend", "show", "web", "web-1"],
           ["backend", "show", "web/web-2-v6"], ["stats"], ["config", "show"], ["limit", "list"],
           ["limit", "list", "web"], ["limit", "top"], ["limit", "show", "192.0.2.2"],
           ["deny", "list"])

CHANGING = (["check"], ["reload"], ["attach", "front"], ["backend", "enable", "web", "web-1"],
            ["config", "save"])


def ctl(*args, env=None, **options):
    """sluicectl as it is called from anywhere: without a namespace of the lab."""
    return subprocess.run([daemon.SLUICECTL, *args], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, **options)


class Impostor(threading.Thread):
    """Answers one request on a Unix socket with these bytes."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.settimeout(20)
        self.listener.bind(path)
        self.listener.listen()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.join(timeout=20)

    def run(self):
        sock, _ = self.listener.accept()
        with sock:
            sock.settimeout(20)
            sock.recv(65536)
            try:
                sock.sendall(self.answer)
            except OSError:
                pass  # it did not want more


def reply(body, status=200):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reason = http.client.responses[status]
    return (f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode() + data


EVIL = "x\033]0;owned\007\033[2J\r\n\x9b31m‮y"

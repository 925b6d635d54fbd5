# SPDX-License-Identifier: BSD-2-Clause
"""Over a limit, and where nobody serves, clients are answered in words: 429 and
503 from the responder, which is true about when to come again.
"""

import contextlib
import math
import os
import signal
import socket
import time

import pytest

from lab import wait
from lab.netns import Lab
from scenario import NO_CHECK, PATHS, all_serving, configuration, serve, service, web

FAMILIES = (4, 6)
BURST, BODY = 4, "<p>later, please</p>\n"
CONNECTIONS = {"rate": "1/s", "burst": BURST, "count": "connections", "action": "respond",
               "prefix_v6": 128}
PACKETS = {"rate": "8/s", "burst": 60, "action": "respond"}
# A test asks at once as often as it may, and once more.
ENOUGH = 2 * BURST


def services(top, forward):
    first = top.backends[:1]
    made = configuration(
        top,
        web(top, forward, limit=CONNECTIONS, on_all_down="respond",
            respond={"body": BODY, "content_type": "text/html", "x_headers": True,
                     "retry_after": "7s"}),
        *([] if forward != "nat" else [
            service("packets", first, 81, forward, backend_port=80, check=NO_CHECK,
                    limit=PACKETS)]),
    )
    # Slots settle soon, so that no flow is looked up any more but the responder's.
    return {**made, "flows": {"tcp_idle": "4s"}}


@pytest.fixture(scope="module", params=PATHS, ids=list(PATHS))
def scene(request):
    with Lab() as lab:
        yield all_serving(serve(lab, request.param, config=services, clients=2))


@pytest.fixture(autouse=True)
def forgotten(request):
    """Each test begins with full buckets, the gate's share included."""
    scene = request.getfixturevalue("scene")
    yield
    for host in scene.top.clients:
        for family in FAMILIES:
            scene.daemon.ctl("limit", "reset", host.address(family))


def curl(scene, family, *more, port=80, client=0):
    """(status, headers, body)"""
    output = scene.top.clients[client].ns.run(
        "curl", "-s", "-i", "-m", "5", *more, scene.top.url(family, port), check=False).stdout
    head, _, body = output.replace("\r", "").partition("\n\n")
    lines = head.splitlines() or ["HTTP/1.1 0 none"]
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body


def exhaust(scene, family, **where):
    """Asks until it is refused in words; what it was told."""
    for _ in range(60):
        answer = curl(scene, family, **where)
        if answer[0] != 200:
            return answer
    raise AssertionError("no request was refused")


@pytest.mark.alone("the time that is promised")
@pytest.mark.parametrize("family", FAMILIES)
def test_over_the_limit_429_and_retry_after_is_true(scene, family, figure):
    status, headers, body = exhaust(scene, family)
    assert status == 429
    assert body == BODY and headers["content-type"] == "text/html"
    assert headers["connection"] == "close"
    seconds = int(headers["retry-after"])
    assert 1 <= seconds <= 2
    assert headers["ratelimit-limit"] == str(BURST)
    assert headers["ratelimit-remaining"] == "0"
    assert 1 <= int(headers["ratelimit-reset"]) <= BURST + 1
    assert headers["ratelimit-policy"].startswith(f'"limit-1";q={BURST};w=')
    assert headers["ratelimit"] == f'"limit-1";r=0;t={seconds}'
    for name in ("limit", "remaining", "reset"):
        assert headers[f"x-ratelimit-{name}"] == headers[f"ratelimit-{name}"]
    assert curl(scene, family)[0] == 429, "it would not have needed to wait"
    time.sleep(seconds)
    status, headers, _ = curl(scene, family)
    assert status == 200
    figure(f"over the limit, IPv{family}: 429 with Retry-After {seconds}; after {seconds} s: 200")


@pytest.mark.parametrize("family", FAMILIES)
def test_another_client_is_not_answered_so(scene, family):
    assert exhaust(scene, family)[0] == 429
    assert [curl(scene, family, client=1)[0] for _ in range(BURST)] == [200] * BURST


@pytest.mark.parametrize("family", FAMILIES)
def test_a_connection_that_began_with_a_backend_stays_there(scene, family):
    top = scene.top
    with top.client.ns.entered():
        kind = socket.AF_INET6 if family == 6 else socket.AF_INET
        with socket.socket(kind, socket.SOCK_STREAM) as sock:
            sock.settimeout(3)
            sock.connect((top.service(family), 80))
            assert exhaust(scene, family)[0] == 429
            for _ in range(20):
                sock.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
                assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_slow_question_is_still_answered(scene):
    """While nothing comes, the walk over the flows passes by, more than once."""
    top = scene.top
    wait.until(lambda: scene.daemon.status()["flows"]["slots_in_transition"] == 0,
               "the slots settle", timeout=30)
    assert exhaust(scene, 4)[0] == 429
    with top.client.ns.entered(), contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.create_connection((top.service(4), 80), timeout=3))
                 for _ in range(2 * BURST)]
        time.sleep(2.5)
        answers = []
        for sock in socks:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answers.append(sock.recv(65536)[:12])
    assert answers.count(b"HTTP/1.1 429") >= BURST
    assert set(answers) <= {b"HTTP/1.1 429", b"HTTP/1.1 200"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_limit_of_packets_answers_new_connections(scene, family):
    if "packets" not in str(scene.daemon.get("/v1/services")):
        pytest.skip("no such service where ports must not differ")
    status, headers, _ = exhaust(scene, family, port=81)
    assert status == 429, "the answer's own packets are over the limit, and come all the same"
    time.sleep(int(headers["retry-after"]))
    assert curl(scene, family, port=81)[0] == 200


def test_nobody_serves_503_and_back(scene):
    for server in scene.servers:
        server.sick()
        server.kill()
    scene.daemon.wait_serving("web", 0)
    for family in FAMILIES:
        status, headers, body = curl(scene, family, client=1)
        assert (status, headers["retry-after"], body) == (503, "7", BODY)
        assert "ratelimit-limit" not in headers
    for server in scene.servers:
        server.sick(False)
        server.start()
    all_serving(scene)
    time.sleep(math.ceil(BURST / 2))
    for family in FAMILIES:
        assert curl(scene, family, client=1)[0] == 200


def test_a_responder_that_dies_is_replaced(scene):
    assert exhaust(scene, 4)[0] == 429
    old = responder(scene)
    os.kill(old, signal.SIGKILL)
    wait.until(lambda: responder(scene) not in (old, None), "another responder runs")
    wait.until(lambda: exhaust(scene, 4)[0] == 429, "it answers", timeout=15)


def test_the_responder_has_no_rights(scene):
    with open(f"/proc/{responder(scene)}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    assert set(status["Uid"].split()) == {str(0x70000000 + responder(scene))}
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"].strip() == "1"
    assert os.readlink(f"/proc/{responder(scene)}/ns/net") != os.readlink(
        f"/proc/{scene.daemon.process.pid}/ns/net")


def responder(scene):
    """The process id of the daemon's child."""
    path = f"/proc/{scene.daemon.process.pid}/task/{scene.daemon.process.pid}/children"
    with open(path, encoding="ascii") as file:
        children = file.read().split()
    return int(children[0]) if children else None

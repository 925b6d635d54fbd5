# SPDX-License-Identifier: BSD-2-Clause
"""The real responder, asked over its veth: what it answers, who it is, and what it bears."""

import contextlib
import errno
import json
import os
import random
import resource
import signal
import socket
import time

import pytest

from lab import wait
from responder_host import Responder, make_host

WEB4, WEB6, HOURLY, PAGED, PLAIN = (
    "198.51.100.10", "2001:db8:1::10", "198.51.100.11", "198.51.100.12", "198.51.100.13",
)
UNKNOWN = "198.51.100.99"
BODY = "".join(f"{number:015d}\n" for number in range(256))  # the most that is allowed

CONNECTIONS = {"rate": "1/s", "burst": 5, "count": "connections", "action": "respond"}


def service(name, addresses, port, limit, respond=None, backend=11):
    backends = [{"address": f"10.0.0.{backend}"}]
    if any(":" in address for address in addresses):
        backends.append({"address": f"2001:db8:b::{backend}"})
    return {"name": name, "address": addresses, "port": port, "limit": limit,
            "backends": backends, **({"respond": respond} if respond else {})}


def configuration(web=None):
    return {
        "interfaces": [],
        "services": [
            service("web", [WEB4, WEB6], 80, CONNECTIONS, web),
            service("hourly", [HOURLY], 54321, [
                CONNECTIONS,
                {**CONNECTIONS, "rate": "60/h", "burst": 2, "exempt": ["192.0.2.32/28"]},
                {**CONNECTIONS, "rate": "1/h", "burst": 1, "dry_run": True},
            ], backend=12),
            service("paged", [PAGED], 80, {**CONNECTIONS, "per": "service"},
                    {"body": BODY, "content_type": "text/html", "x_headers": True,
                     "retry_after": "30s"}, backend=13),
            service("plain", [PLAIN], 443,
                    {"rate": "10/min", "count": "connections", "action": "respond",
                     "algorithm": "sliding-window"}, backend=14),
        ],
    }


@pytest.fixture(scope="module")
def responder(shared_lab):
    made = Responder(make_host(shared_lab), configuration())
    made.routes()
    return made


def curl(responder, address, port=80, *options, client=None):
    """(status, {header: value}, body)."""
    family = "[{}]" if ":" in address else "{}"
    done = responder.ns.run(
        "curl", "-s", "-S", "-i", "--max-time", 5, *(("--interface", client) if client else ()),
        *options, f"http://{family.format(address)}:{port}/some/path?query",
    )
    head, _, body = done.stdout.partition("\n\n")
    status, *headers = head.splitlines()
    return int(status.split()[1]), dict(line.split(": ", 1) for line in headers), body


def limits_in(field):
    """{name: {parameter: value}} of RateLimit-Policy or RateLimit, structured fields."""
    limits = {}
    for item in field.split(", "):
        name, *parameters = item.split(";")
        assert name[0] == name[-1] == '"'
        limits[name.strip('"')] = {key: value.strip('"') if '"' in value else int(value)
                                   for key, value in (p.split("=", 1) for p in parameters)}
    return limits


def told(headers, name="limit-1"):
    """(q, r, t) of a limit."""
    policy, state = limits_in(headers["RateLimit-Policy"]), limits_in(headers["RateLimit"])
    assert policy.keys() == state.keys()
    assert state[name]["t"] <= int(headers["Retry-After"])
    return policy[name]["q"], state[name]["r"], state[name]["t"]


def connect(responder, address, port=80, client=None, timeout=5.0):
    with responder.ns.entered():
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.settimeout(timeout)
    if client:
        # 24: IP_BIND_ADDRESS_NO_PORT, so that no port is looked for among all.
        sock.setsockopt(socket.SOL_IP, 24, 1)
        sock.bind((client, 0))
    sock.connect((address, port))
    return sock


def read_all(sock):
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(65536):
            data += piece
    return data


def ask(responder, request, address=WEB4, client=None):
    with contextlib.closing(connect(responder, address, client=client)) as sock:
        sock.sendall(request)
        return read_all(sock)


GET = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"


# ---- what it answers -----------------------------------------------------------------

@pytest.mark.parametrize("address, client", [(WEB4, "192.0.2.10"), (WEB6, "2001:db8:c::10")])
def test_429_over_a_limit(responder, address, client):
    responder.owe("web", 0, client, 5)
    status, headers, body = curl(responder, address, client=client)
    assert status == 429
    assert body == "429 Too Many Requests\n"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Connection"] == "close"
    assert headers["Retry-After"] == "1"
    assert headers["RateLimit-Policy"] == '"limit-1";q=5;w=5'
    assert headers["RateLimit"] == '"limit-1";r=0;t=1'
    assert not any(name.startswith(("X-", "RateLimit-L", "RateLimit-R")) for name in headers)


def test_each_client_has_its_own_bucket(responder):
    responder.owe("web", 0, "192.0.2.11", 5)
    responder.owe("web", 0, "192.0.2.12", 3)
    _, headers, _ = curl(responder, WEB4, client="192.0.2.12")
    assert told(headers)[1] == 2
    _, headers, _ = curl(responder, WEB4, client="192.0.2.13")
    assert told(headers) == (5, 5, 0)


def test_an_ipv6_network_has_one_bucket(responder):
    responder.owe("web", 0, "2001:db8:c:1::1", 4)
    _, headers, _ = curl(responder, WEB6, client="2001:db8:c:1::ffff")
    assert told(headers)[1] == 1
    _, headers, _ = curl(responder, WEB6, client="2001:db8:c:2::1")
    assert told(headers)[1] == 5


def test_the_limit_with_the_longest_wait_is_told(responder):
    responder.owe("hourly", 0, "192.0.2.20", 5)
    responder.owe("hourly", 1, "192.0.2.20", 2)
    responder.owe("hourly", 2, "192.0.2.20", 1)  # dry_run: refuses nobody
    status, headers, _ = curl(responder, HOURLY, 54321, client="192.0.2.20")
    assert (status, headers["Retry-After"]) == (429, "60")
    assert headers["RateLimit-Policy"] == '"limit-1";q=5;w=5, "limit-2";q=2;w=120'
    assert headers["RateLimit"] == '"limit-1";r=0;t=5, "limit-2";r=0;t=60'


def test_a_limit_that_the_client_is_exempt_from_is_not(responder):
    for limit in (0, 1):
        responder.owe("hourly", limit, "192.0.2.40", 5 if limit == 0 else 2)
    _, headers, _ = curl(responder, HOURLY, 54321, client="192.0.2.40")
    assert headers["Retry-After"] == "1"
    assert limits_in(headers["RateLimit-Policy"]) == {"limit-1": {"q": 5, "w": 5}}


def test_a_limit_per_service_is_everybodys(responder):
    responder.owe("paged", 0, "192.0.2.50", 5)
    _, headers, _ = curl(responder, PAGED, client="192.0.2.51")
    assert told(headers)[1] == 0


def test_a_window(responder):
    responder.owe("plain", 0, "192.0.2.52", 10)
    _, headers, _ = curl(responder, PLAIN, 443, client="192.0.2.52")
    assert headers["RateLimit-Policy"] == '"limit-1";q=10;w=60'
    assert told(headers)[:2] == (10, 0)
    assert 50 <= int(headers["Retry-After"]) <= 68


def test_the_configured_words(responder):
    status, headers, body = curl(responder, PAGED)
    assert (status, body) == (429, BODY)
    assert headers["Content-Type"] == "text/html"
    for name in ("Limit", "Remaining", "Reset"):
        assert headers[f"X-RateLimit-{name}"] == headers[f"RateLimit-{name}"]
    assert headers["RateLimit-Limit"] == str(told(headers)[0])


PROBLEM = "application/problem+json"


@pytest.mark.parametrize("accept, asked", [
    ([PROBLEM], True),
    (["text/html, " + PROBLEM + ";q=0.9"], True),
    (["text/plain;q=0.5", PROBLEM + ";q=0.6"], True),
    (["text/plain, " + PROBLEM + ";q=0.9"], False),
    ([PROBLEM + ";q=0"], False),
    (["*/*"], False),
    (["application/json"], False),
    ([PROBLEM + ";q=many"], False),
    ([",".join(["a/b;c=\"" + "x" * 40] * 200) + "," + PROBLEM], True),
], ids=lambda value: repr(value)[:40])
def test_a_problem_is_told_where_it_is_asked_for(responder, accept, asked):
    responder.owe("web", 0, "192.0.2.60", 5)
    lines = [word for line in accept for word in ("-H", f"Accept: {line}")]
    status, headers, body = curl(responder, WEB4, 80, *lines, client="192.0.2.60")
    assert status == 429 and headers["Vary"] == "Accept"
    if not asked:
        assert headers["Content-Type"].startswith("text/plain")
        assert body == "429 Too Many Requests\n"
        return
    assert headers["Content-Type"] == PROBLEM
    problem = json.loads(body)
    assert problem["type"].endswith("#quota-exceeded") and problem["status"] == 429
    assert problem["violated-policies"] == list(limits_in(headers["RateLimit"]))


def test_a_problem_in_place_of_the_configured_words(responder):
    _, headers, body = curl(responder, PAGED, 80, "-H", f"Accept: {PROBLEM}")
    assert headers["Content-Type"] == PROBLEM and json.loads(body)["status"] == 429
    _, headers, body = curl(responder, UNKNOWN, 80, "-H", f"Accept: {PROBLEM}")
    assert headers["Content-Type"] == PROBLEM
    assert json.loads(body)["title"] == "Service Unavailable"


def test_503_where_nobody_serves(responder):
    for name, address, wait_for in (("paged", PAGED, "30"), ("web", WEB6, "5")):
        responder.command("down", name)
        status, headers, body = curl(responder, address)
        assert (status, headers["Retry-After"]) == (503, wait_for)
        assert body == (BODY if name == "paged" else "503 Service Unavailable\n")
        assert not any(name.lower().startswith("ratelimit") for name in headers)
        responder.command("up", name)
        assert curl(responder, address)[0] == 429


@pytest.mark.parametrize("address, port", [(UNKNOWN, 80), (WEB4, 81), (WEB6, 65535), (WEB4, 1)])
def test_any_address_and_port_is_answered(responder, address, port):
    status, headers, _ = curl(responder, address, port)
    assert (status, headers["Retry-After"]) == (503, "5")


def test_it_is_told_anew(responder):
    responder.tell(configuration({"body": "second\n", "retry_after": "7s"}))
    wait.until(lambda: curl(responder, WEB4)[2] == "second\n", "the new words")
    responder.tell(configuration())
    wait.until(lambda: curl(responder, WEB4)[2] == "429 Too Many Requests\n", "the usual words")


# ---- HTTP ----------------------------------------------------------------------------

def test_head_has_no_body(responder):
    answer = ask(responder, b"HEAD / HTTP/1.1\r\nHost: web\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"\r\nContent-Length: 22\r\n" in answer and answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PROPFIND", "X"])
def test_any_method(responder, method):
    assert curl(responder, WEB4, 80, "-X", method)[0] == 429


def test_http_1_0(responder):
    assert ask(responder, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 429 ")


@pytest.mark.parametrize("size", [1, 5000, 60000])
def test_a_short_body_is_read(responder, size):
    body = b"x" * size
    request = b"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: %d\r\n\r\n" % size
    assert ask(responder, request + body).startswith(b"HTTP/1.1 429 ")


@pytest.mark.alone("how long it takes")
@pytest.mark.parametrize("length", [b"Content-Length: 99999999999", b"Transfer-Encoding: chunked",
                                    b"Content-Length: 1000000\r\nExpect: 100-continue"])
def test_a_long_body_is_not_waited_for(responder, length):
    begun = time.monotonic()
    answer = ask(responder, b"POST / HTTP/1.1\r\nHost: web\r\n" + length + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert time.monotonic() - begun < 2


def test_one_answer_a_connection(responder):
    assert ask(responder, GET * 3).count(b"HTTP/1.1") == 1


# ---- hostile clients -------------------------------------------------------------------

def test_garbage(responder):
    child = responder.child
    random.seed(20260217)
    samples = [
        b"", b"\n", b"\r\n" * 1000, b"\0" * 4096, b"GET", b"GET / HTTP/9.9\r\n\r\n",
        b"GET  \r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        *(random.randbytes(random.randrange(1, 3000)) for _ in range(100)),
    ]
    socks = [connect(responder, WEB4, client=f"192.0.2.{100 + number % 100}", timeout=8)
             for number in range(len(samples))]
    for sock, sample in zip(socks, samples):
        try:
            sock.sendall(sample)
            sock.shutdown(socket.SHUT_WR)
        except OSError as error:  # it has been left already
            assert isinstance(error, ConnectionError) or error.errno == errno.ENOTCONN
    for sock in socks:  # each is answered or left, in time
        assert read_all(sock)[:9] in (b"", b"HTTP/1.1 ")
        sock.close()
    assert responder.child == child
    assert curl(responder, WEB4)[0] == 429


@pytest.mark.alone("how long it takes")
def test_slow_requests_stop_nobody_and_end(responder):
    socks = []
    begun = time.monotonic()
    for _ in range(100):
        sock = connect(responder, WEB4, client="192.0.2.60")
        sock.setblocking(False)
        with contextlib.suppress(ConnectionError, BlockingIOError):
            sock.send(b"GET / HTTP/1.1\r\n")
        socks.append(sock)
    open_socks = list(socks)
    most = 0
    while open_socks and time.monotonic() - begun < 8:
        still = []
        for sock in open_socks:
            try:
                sock.send(b"X")  # a byte keeps libmicrohttpd's own clock from ever ending
                if sock.recv(100):
                    still.append(sock)
            except BlockingIOError:
                still.append(sock)
            except ConnectionError:
                pass
        open_socks = still
        if time.monotonic() - begun > 1:
            most = max(most, len(open_socks))
        if int((time.monotonic() - begun) * 5) % 5 == 0:
            assert curl(responder, WEB4, client="192.0.2.61")[0] == 429
        time.sleep(0.1)
    ended = time.monotonic() - begun
    for sock in socks:
        sock.close()
    assert not open_socks, f"{len(open_socks)} are open after {ended:.1f} s"
    assert most == 64  # of one source
    assert 4.5 < ended < 7


@pytest.mark.alone("how long it takes")
def test_more_clients_than_there_is_room_for(responder):
    """4 800 connections that say nothing: a new client is served all the same."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 6000:
        pytest.skip(f"this machine allows {hard} descriptors, the test needs 6000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (6000, hard))
    socks = []
    try:
        for number in range(75 * 64):
            socks.append(connect(responder, WEB4, client=f"192.0.2.{150 + number % 75}"))
        begun = time.monotonic()
        assert curl(responder, WEB4, client="192.0.2.62")[0] == 429
        assert time.monotonic() - begun < 1
        with open(f"/proc/{responder.child}/status", encoding="ascii") as file:
            memory = next(line for line in file if line.startswith("VmRSS:"))
        assert int(memory.split()[1]) < 128 << 10
    finally:
        for sock in socks:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait.until(lambda: len(os.listdir(f"/proc/{responder.child}/fd")) < 64, "all are closed")


# ---- who it is -------------------------------------------------------------------------

def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def test_it_has_a_user_of_its_own_and_may_do_nothing(responder):
    status = status_of(responder.child)
    own = str(0x70000000 + responder.child)
    assert status["Uid"].split() == status["Gid"].split() == [own] * 4
    assert status["Groups"].split() == []
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")


def test_it_has_what_it_needs_alone(responder):
    """Of maps, descriptors that can only read; no other of the daemon's."""
    pid = responder.child
    files = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    maps = [fd for fd, target in files.items() if target == "anon_inode:bpf-map"]
    assert len(maps) == 7
    for fd in maps:
        with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
            flags = next(line for line in file if line.startswith("flags:"))
        assert int(flags.split()[1], 8) & os.O_ACCMODE == os.O_RDONLY
    others = sorted(target.split(":")[0] for fd, target in files.items() if fd not in maps)
    assert others == sorted(["socket", "/dev/null", "pipe", "socket", "anon_inode"])


def test_it_lives_in_another_namespace(responder):
    inside = os.readlink(f"/proc/{responder.child}/ns/net")
    assert inside != os.readlink(f"/proc/{responder.process.pid}/ns/net")
    assert inside != os.readlink("/proc/self/ns/net")


# ---- its life --------------------------------------------------------------------------

@pytest.mark.alone("how long it takes")
def test_killed_it_comes_back(responder):
    before = responder.child
    os.kill(before, signal.SIGKILL)
    assert responder.hear() == ["down"]
    begun = time.monotonic()
    responder.wait_up()
    assert 0.5 < time.monotonic() - begun < 3
    assert responder.children == [responder.child] != [before]
    assert curl(responder, PAGED)[2] == BODY


def test_a_name_that_is_taken(responder):
    other = Responder(responder.ns, configuration(), "other")
    assert (responder.device, other.device) == ("sluice-resp", "sluice-resp1")
    other.command("quit")
    assert other.process.wait(timeout=5) == 0
    assert not other.has_device() and responder.has_device()


def test_it_ends_with_the_daemon(host):
    made = Responder(host, configuration())
    child = made.child
    made.process.kill()
    made.process.wait()
    wait.until(lambda: not os.path.exists(f"/proc/{child}"), "the process is gone")
    wait.until(lambda: not made.has_device(), "the veth is gone")
    again = Responder(host, configuration(), "again")
    assert again.device == "sluice-resp"
    again.routes()
    assert curl(again, WEB4)[0] == 429
    again.command("quit")
    assert again.process.wait(timeout=5) == 0
    assert not again.has_device()

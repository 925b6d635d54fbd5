# SPDX-License-Identifier: BSD-2-Clause
"""Another revision's daemon is killed under load, and this one takes over its program and
its maps: `make test-upgrade BASE=REVISION`. Nothing that it knew may be forgotten.
"""

import contextlib
import os
import re
import signal

import pytest

from lab import clients, revision, wait
from lab.daemon import SLUICED, Daemon
from lab.netns import Lab
from lab.servers import Nginx
from lab.topology import SERVICE4
from lab.traffic import Echo, Talk, ask_echo, rest
from scenario import CHECK, PATHS, configuration, service, web

BASE = os.environ.get("SLUICE_BASE", "46041ce")
ECHO, ECHO_NAT, FEW = 7000, 7001, 81
ADMITTED = 10  # connections an hour, all at once
CONVERSATIONS = 50
DENIED = {"203.0.113.0/24": None, "198.51.100.77": 3600, "2001:db8:bad::/48": None}


@pytest.fixture(scope="module")
def base():
    with Lab() as lab, revision.built(BASE, lab.path("")) as (_, program):
        yield program


def services(top, forward):
    """One that hashes, with a limit that is never reached; one that tracks each flow; one
    with a limit that is.
    """
    check = {**CHECK, "port": 8080}
    return [
        web(top, forward, check=check, limit={"rate": "1000000/s", "burst": 1000000}),
        service("echo", top.backends, ECHO, forward, backend_port=ECHO_NAT,
                scheduler="round-robin", check=check),
        service("few", top.backends, FEW, forward, backend_port=FEW, check=check,
                limit={"rate": f"{ADMITTED}/h", "burst": ADMITTED, "count": "connections"}),
    ]


def start(lab, path, program, options):
    forward, make, arguments = PATHS[path]
    top = make(lab, backends=3, clients=2, **arguments)
    for host in top.backends:
        Nginx(host).start()
        Echo(host, ECHO_NAT if forward == "nat" else ECHO).start()
        Echo(host, FEW).start()
    daemon = Daemon(top.balancer, configuration(top, *services(top, forward)),
                    program=program, options=options).start()
    for name in ("web", "echo", "few"):
        daemon.wait_serving(name, 6)
    return top, daemon


def ask_few(top, count):
    """How many of `count` connections of the first client are let through."""
    admitted = 0
    for _ in range(count):
        with contextlib.suppress(OSError):
            ask_echo(top.client, 4, FEW, timeout=0.5)
            admitted += 1
    return admitted


def denied(daemon):
    return {row["prefix"]: row["ends_in_s"] for row in daemon.get("/v1/denied")["denied"]}


def memory(daemon):
    """What must not be forgotten."""
    limit, = daemon.get("/v1/limits/few")["limits"]
    return {
        "refused": limit["stats"]["refused"], "sources": limit["sources"],
        "packets": daemon.service_stats("web")["packets"],
        "forwarded": daemon.verdicts()["FORWARDED"],
        "cursor": daemon.service_stats("echo")["connections"],
    }


@pytest.mark.parametrize("how", (signal.SIGKILL, signal.SIGTERM), ids=("kill -9", "--keep"))
@pytest.mark.parametrize("path", ("nat, routed", "dsr, one arm", "ipip, routed"))
def test_nothing_is_lost_or_forgotten(lab, base, path, how, figure):
    top, daemon = start(lab, path, base, ["--keep"])
    for prefix, seconds in DENIED.items():
        daemon.change("POST", "/v1/denied", prefix=prefix, **({"for": f"{seconds}s"} if seconds
                                                             else {}))
    banned = top.clients[1]
    daemon.change("POST", "/v1/denied", prefix=banned.ipv4)
    with pytest.raises(OSError):
        clients.ask(banned, SERVICE4, timeout=0.3)
    # Beside its bucket a source has a quarter of the burst from the gate.
    assert ADMITTED <= ask_few(top, ADMITTED + 5) <= 1.25 * ADMITTED

    wrk = top.client.ns.popen(["wrk", "-t", 1, "-c", 16, "-d", "10s", top.url(4)], stdout=-1,
                              text=True)
    with Talk(top.client, SERVICE4, ECHO, CONVERSATIONS) as talk:
        before_talk = talk.wait_talking()
        wait.until(lambda: daemon.status()["flows"]["tracked"] >= CONVERSATIONS,
                   "the conversations are tracked")
        before, lists = memory(daemon), denied(daemon)
        if how == signal.SIGKILL:
            daemon.kill()
        else:
            assert daemon.stop() == 0
        program_ids = [top.balancer.xdp(name)["prog"]["id"] for name in top.interfaces]
        daemon.program, daemon.options = SLUICED, []
        daemon.start()
        for name in ("web", "echo", "few"):
            daemon.wait_serving(name, 6)
        exchanges = talk.ask().exchanges
        rest(1)
        after_talk = talk.ask()
        output = wrk.communicate(timeout=30)[0]

        assert [top.balancer.xdp(name)["prog"]["id"] for name in top.interfaces] == program_ids, \
            "it is the program that was there"
        assert "Socket errors" not in output and "Non-2xx" not in output, output
        assert after_talk.exchanges > exchanges and not after_talk.cuts(), after_talk.cuts()[:3]
        assert after_talk.talking == before_talk.talking, "each goes on with its own server"
        wait.until(lambda: daemon.status()["flows"]["tracked"] >= CONVERSATIONS,
                   "the conversations are tracked still")

    assert denied(daemon).keys() == lists.keys()
    ends = denied(daemon)["198.51.100.77"]
    assert lists["198.51.100.77"] - 60 < ends <= lists["198.51.100.77"]
    with pytest.raises(OSError):
        clients.ask(banned, SERVICE4, timeout=0.3)
    now = memory(daemon)
    assert all(now[name] >= before[name] for name in before), (before, now)
    assert now["sources"] == before["sources"] == 1
    assert ask_few(top, 5) == 0, "who was over a limit is over it still"
    requests = int(re.search(r"(\d+) requests in", output)[1])
    figure(f"{path}, {signal.Signals(how).name}: {requests} requests, 0 lost; {CONVERSATIONS} "
           f"conversations, {len(lists)} denials and the limit's debts kept")
    assert requests > 1000

# SPDX-License-Identifier: BSD-2-Clause
"""Maps that have room for the old services and for the new ones, but not for both at the same
time: after one reload, or one start, everything is as the file says, and connections of what
stays go on.

The maps are as large as the least that sluiced makes: it starts with one service.
"""

import pytest

from lab import topology, wait
from lab.daemon import Daemon
from lab.topology import SERVICE4
from lab.traffic import Echo, Talk
from scenario import NO_CHECK, configuration

STAYS, STAYS_BACKEND = 7000, 7001
TALKERS = 10

# Of 2^20 slots, two such tables leave room for one more.
TABLE = 349493


class Room:
    """A daemon with one service that is talked to, and the services of a test beside it."""

    def __init__(self, lab):
        self.top = topology.routed(lab, backends=1)
        self.host = self.top.backends[0]
        Echo(self.host, STAYS_BACKEND).start()
        self.daemon = Daemon(self.top.balancer, self.configuration()).start()

    def service(self, name, port, ports, **more):
        """A backend for each of the ports, on the same host."""
        return {"name": name, "address": SERVICE4, "port": port, "check": NO_CHECK,
                "forward": "nat", "scheduler": "round-robin", **more,
                "backends": [{"name": f"b{number}", "address": self.host.ipv4, "port": number}
                             for number in ports]}

    def configuration(self, *services):
        return configuration(self.top, self.service("stays", STAYS, [STAYS_BACKEND]), *services)

    def talk(self):
        return Talk(self.top.client, SERVICE4, STAYS, TALKERS)

    def problems(self):
        return self.daemon.status()["problems"]

    def wait_applied(self):
        """Without another reload; the services serve with all of their backends."""
        wait.until(lambda: not self.problems(), lambda: f"applied: {self.problems()}", timeout=30)
        for row in self.daemon.status()["services"]:
            assert row["backends_serving"] == row["backends_total"], row


def other_ports(room):
    """More than half of the slots move to other services."""
    return [[room.service(f"s{i}", base + i, [base + 1000 + i], scheduler="maglev",
                          table_size=TABLE) for i in range(2)] for base in (8000, 8100)]


def another_scheduler(room):
    """Each service keeps the old table beside the new one for a while."""
    return [[room.service(f"s{i}", 8000 + i, [9000 + i, 9100 + i], scheduler=scheduler,
                          table_size=TABLE)
             for i in range(2)] for scheduler in ("maglev", "source-hash")]


def other_backends(room):
    """One service, most of whose backends are others."""
    return [[room.service("s", 8000, range(base, base + 3000))] for base in (10000, 20000)]


def other_services(room):
    return [[room.service(f"s{i}", base + i, [base + 10000 + i]) for i in range(900)]
            for base in (10000, 30000)]


CHANGES = (other_ports, another_scheduler, other_backends, other_services)


@pytest.mark.parametrize("change", CHANGES)
def test_a_reload_that_has_room_only_in_steps_ends_applied(lab, change):
    room = Room(lab)
    before, after = change(room)
    with room.talk() as talk:
        talk.wait_talking()
        for services in (before, after):
            room.daemon.write(room.configuration(*services))
            room.daemon.reload()
            room.wait_applied()
        said = talk.ask().exchanges
        wait.until(lambda: talk.ask().exchanges > said + 2 * TALKERS, "conversations go on")
        assert not talk.ask().cuts()


def test_so_does_a_start(lab):
    room = Room(lab)
    before, after = other_backends(room)
    room.daemon.write(room.configuration(*before))
    room.daemon.reload()
    room.wait_applied()
    with room.talk() as talk:
        talk.wait_talking()
        room.daemon.kill()
        room.daemon.write(room.configuration(*after))
        room.daemon.start()
        room.wait_applied()
        assert "cannot be taken over" not in room.daemon.log
        said = talk.ask().exchanges
        wait.until(lambda: talk.ask().exchanges > said + 2 * TALKERS, "conversations go on")
        assert not talk.ask().cuts()


def test_a_service_that_waits_for_room_is_a_problem_until_there_is_some(lab):
    """The second of two services whose tables are replaced waits for the first. Meanwhile its
    backends are as they should be."""
    room = Room(lab)
    before, after = another_scheduler(room)
    room.daemon.write(room.configuration(*before))
    assert "waiting" not in room.daemon.reload()
    room.daemon.write(room.configuration(*after))
    told = room.daemon.ctl("reload").stdout
    assert "1 of them wait until what they replace has made room in the maps" in told
    problem, = room.problems()
    assert "is tried again: the maps have no room for 349493 more slots now" in problem
    serving = [row["state"] for row in room.daemon.status()["services"]]
    assert serving == ["ok", "ok", "degraded"]
    room.daemon.drain("s1", "b9001")
    assert room.daemon.serving("s1") == 1
    room.daemon.enable("s1", "b9001")
    room.wait_applied()
    assert "service s1 is as it should be" in room.daemon.log


def test_what_can_never_fit_is_refused_and_changes_nothing(lab):
    room = Room(lab)
    room.daemon.write(room.configuration(
        room.service("s", 8000, [9000], scheduler="maglev", table_size=655373)))
    room.daemon.reload()
    before = room.daemon.get("/v1/services/s")
    for services, told in (
            ([room.service("s", 8000, [9000], scheduler="maglev", table_size=1310759)],
             "its maps have room for 1048576 slots (table_size), 1310760 are needed: stop "
             "sluiced and start it again"),
            ([room.service("s", 8000, [9000], scheduler="source-hash", table_size=655373)],
             "its maps have room for 1048576 slots (table_size), 1310747 are needed while tables "
             "are replaced by others and connections go on by both: stop sluiced"),
            ([room.service(f"s{i}", 8000 + i, [9000 + i]) for i in range(1100)],
             "its maps have room for 1024 services, 1102 are needed: stop sluiced")):
        room.daemon.write(room.configuration(*services))
        status, answer = room.daemon.request("POST", "/v1/reload")
        assert status == 409 and told in answer["error"], answer
        assert room.daemon.get("/v1/services/s") == before
        assert not room.problems()

# SPDX-License-Identifier: BSD-2-Clause
"""Established connections survive every change of backends (docs/architecture.md,
Slots and transition).

`make test-survival` runs these in full size.
"""

import pytest

from lab import wait
from lab.packets import now
from lab.traffic import rest
from scenario_talk import (
    FAMILIES, FULL, LONG, PORT, SHORT, conversations, flood_of, talk_scene,
)

TCP = 500 if FULL else 100  # of each family
UDP = 100 if FULL else 25  # of each family, and of each pace
CHURN = 20 if FULL else 8
INTERVAL_MS = 200 if FULL else 150

CASES = [
    ("nat, routed", SHORT), ("dsr, one arm", LONG),
    *([("nat, one arm", LONG), ("dsr, routed", SHORT)] if FULL else []),
]
DEAD = 4


class Watch:
    """Conversations, and the judgement of them after each change."""

    def __init__(self, scene, staying, passing, settles):
        self.scene, self.staying, self.passing = scene, staying, passing
        self.settles = settles
        self.excused = []  # (from, until): new connections may fail
        self.changes = 0

    def judge(self, what, but=()):
        """Everybody has said something since, and nobody was cut."""
        if self.settles and (FULL or self.changes % 2 == 0):
            self.scene.wait_settled(sum(talk.count for talk in self.staying.values()))
        before = {name: talk.ask().exchanges for name, talk in self.staying.items()}
        rest(1.2 if FULL else 0.6)
        for name, talk in self.staying.items():
            report = talk.ask()
            assert not report.cuts(but), f"{what}, {name}: {report.cuts(but)[:5]}"
            assert report.exchanges > before[name], f"{what}, {name}: silent"
        for family, talk in self.passing.items():
            failed = [trouble for trouble in talk.ask().troubles
                      if not any(begin <= trouble["at"] - trouble["age"] <= end or
                                 begin <= trouble["at"] <= end
                                 for begin, end in self.excused)]
            assert not failed, f"{what}, new connections over IPv{family}: {failed[:5]}"
        self.changes += 1

    def close(self, number):
        for talk in self.staying.values():
            talk.ask(f"close {number}")


def survive(scene, watch):
    """Every change of the table, one behind the other."""
    daemon = scene.daemon

    scene.add("web-5")
    scene.wait_state("web-5", True)
    watch.judge("a backend was added")

    scene.for_both(daemon.drain, "web-2")
    scene.wait_state("web-2", False)
    watch.judge("a backend was drained")

    scene.for_both(daemon.weight, "web-1", 5)
    watch.judge("a backend got five times the weight")

    scene.servers["web-3"].sick()
    scene.wait_state("web-3", False)
    watch.judge("a backend is not ready")
    scene.servers["web-3"].sick(False)
    scene.wait_state("web-3", True)
    watch.judge("a backend is ready again")

    died = now()
    scene.kill("web-4")
    scene.wait_state("web-4", False)
    watch.excused.append((died, now()))
    watch.judge("a backend died", but=(DEAD,))
    scene.revive("web-4")
    scene.wait_state("web-4", True)
    watch.judge("a backend came back from the dead", but=(DEAD,))

    watch.close(2)
    if watch.settles:
        wait.until(lambda: daemon.backend("talk", "web-2")["live"] == 0,
                   "the drained backend has no connections", timeout=20)
    scene.for_both(daemon.remove, "web-2")
    watch.judge("a drained backend was removed", but=(DEAD,))

    scene.for_both(daemon.weight, "web-1", 1)
    scene.add("web-2")
    scene.wait_state("web-2", True)
    watch.judge("it was added again, and a weight taken back", but=(DEAD,))


def with_marks(path, flows):
    why = "a conversation is forgotten after two seconds of silence"
    return pytest.param(path, flows, id=f"{path}, idle {flows['tcp_idle']}",
                        marks=[pytest.mark.alone(why)] if flows is SHORT else [])


@pytest.mark.parametrize("path, flows", [with_marks(*case) for case in CASES])
def test_no_connection_is_cut_by_any_change(lab, path, flows, figure):
    """With a short idle timeout, slots settle between the changes (in `make test`
    after every second one); with a long one, all changes meet slots in transition.
    """
    scene = talk_scene(lab, path, backends=4, spare=1, flows=flows)
    scene.wait_udp_settled()
    with conversations(scene, TCP, UDP, CHURN, INTERVAL_MS) as (staying, passing):
        begun = {name: talk.ask() for name, talk in staying.items()}
        watch = Watch(scene, staying, passing, settles=flows is SHORT)
        survive(scene, watch)
        for name, talk in staying.items():
            report, first = talk.ask(), begun[name]
            # Where they were, but for those of the dead one, and those that were closed.
            for number in (1, 3):
                assert report.talking.get(number) == first.talking.get(number), name
            dead = len(report.troubles)
            assert dead <= first.talking.get(DEAD, 0)
            figure(f"survival, {path}, idle {flows['tcp_idle']}, {name[0]}, IPv{name[1]}: "
                   f"{sum(first.talking.values())} conversations, {watch.changes} changes, "
                   f"cut: {len(report.cuts((DEAD,)))} (of the backend that died: {dead}), "
                   f"slowest answer {report.slowest * 1000:.0f} ms")
        served = sum(sum(talk.ask().finished.values()) for talk in passing.values())
        assert served > 500
        figure(f"survival, {path}: new connections served meanwhile: {served}")


def test_a_killed_daemon_cuts_nothing_in_the_middle_of_a_transition(lab, figure):
    """kill -9 and a new start, which takes over slots in transition and their flows."""
    scene = talk_scene(lab, flows=LONG)
    with conversations(scene, TCP, UDP, CHURN) as (staying, passing):
        watch = Watch(scene, staying, passing, settles=False)
        scene.for_both(scene.daemon.drain, "web-1")
        scene.for_both(scene.daemon.weight, "web-2", 3)
        watch.judge("drained and weighted")
        before = scene.flows()
        assert before["slots_in_transition"] > 1000
        scene.daemon.kill()
        watch.settles = False
        rest(1)
        scene.daemon.start()
        # What was changed at run time is so still.
        scene.wait_state("web-1", False)
        after = scene.flows()
        assert after["slots_in_transition"] >= before["slots_in_transition"]
        watch.judge("killed and started again")
        assert scene.daemon.change("POST", "/v1/revert") == {"changes": 8, "denied": 0}
        scene.wait_state("web-1", True)
        watch.judge("the changes are taken back")
        scene.for_both(scene.daemon.drain, "web-3")
        watch.judge("another is drained")
        cut = sum(len(talk.ask().troubles) for talk in staying.values())
        figure(f"kill -9 in the middle of a transition: {cut} of "
               f"{sum(talk.count for talk in staying.values())} conversations cut")


# ---- the flow table ----------------------------------------------------------
FLOWS = 100_000 if FULL else 20_000

# Longer than it takes to send and count them.
IDLE = {"tcp_idle": "5s", "udp_idle": "5s"} if FULL else {"tcp_idle": "3s", "udp_idle": "3s"}


@pytest.mark.alone("floods, and a timeout of three seconds")
def test_nothing_is_tracked_when_all_has_settled(lab, figure):
    scene = talk_scene(lab, flows=IDLE)
    flood = flood_of(scene)
    scene.wait_settled()  # of the start, when one backend after the other came up
    with conversations(scene, TCP, UDP) as (staying, _):
        # Settled: whatever comes, no flow is noted.
        for family in FAMILIES:
            flood.send("ack", family, PORT, FLOWS, rate=100_000)
            flood.send("udp", family, PORT, FLOWS, rate=100_000)
        assert scene.flows() == {"tracked": 0, "slots_in_transition": 0}
        assert scene.maps.flows() == 0

        where = {name: talk.ask().talking for name, talk in staying.items()}
        for name in ("web-1", "web-2", "web-3"):
            scene.for_both(scene.daemon.drain, name)
        slots = scene.flows()["slots_in_transition"]
        assert slots > 0.7 * 4 * 65537  # three of four backends' slots, in four tables
        flood.send("ack", 4, PORT, FLOWS, rate=100_000)
        flood.send("udp", 6, PORT, FLOWS, rate=100_000)
        tracked = scene.maps.flows()
        assert tracked > 0.7 * 2 * FLOWS
        # What goes on elsewhere than its slot says is remembered, and nothing else.
        going_on = sum(talk.count for talk in staying.values())
        scene.wait_settled(most=going_on, timeout=60)
        assert scene.maps.flows() <= going_on
        for name in ("web-1", "web-2", "web-3"):
            scene.for_both(scene.daemon.enable, name)
        scene.wait_settled(timeout=60)
        assert scene.maps.flows() == 0

        for name, talk in staying.items():
            assert talk.ask().talking == where[name], f"{name}: {talk.ask().troubles}"
        figure(f"flow table: {2 * FLOWS} flows in transition, {tracked} entries and {slots} slots "
               f"in transition; after the idle timeout: {scene.maps.flows()} and "
               f"{scene.flows()['slots_in_transition']}")


# ---- a SYN flood -------------------------------------------------------------
SPOOFED = 5_000_000 if FULL else 300_000
# More than the kernels of the backends on this machine can take would be measured as
# silence: their queues drop it, not the balancer.
RATE = 60_000 if FULL else 250_000


@pytest.mark.alone("a flood, most of which must arrive")
def test_a_syn_flood_leaves_no_trace_when_settled(lab, figure):
    scene = talk_scene(lab, flows=SHORT, udp=False)
    flood = flood_of(scene)
    scene.wait_settled()  # of the start
    with conversations(scene, TCP) as (staying, _):
        sent, seconds = flood.send("syn", 4, PORT, SPOOFED, rate=RATE)
        forwarded = scene.daemon.service_stats("talk")["packets"]
        assert forwarded > 0.9 * sent
        assert scene.maps.flows() == 0
        assert scene.flows() == {"tracked": 0, "slots_in_transition": 0}
        harmed = judge_flood(staying)
        figure(f"SYN flood, settled: {sent} spoofed packets in {seconds:.1f} s, {forwarded} "
               f"forwarded, harmed: {harmed} of {2 * TCP}, flow maps: 0 entries")
        assert harmed == 0


@pytest.mark.alone("a flood, most of which must arrive")
def test_a_syn_flood_in_a_transition_harms_hardly_anybody(lab, figure):
    scene = talk_scene(lab, flows={**LONG, "size": 65536}, udp=False)
    flood = flood_of(scene)
    with conversations(scene, TCP) as (staying, _):
        for name in ("web-1", "web-2"):
            scene.for_both(scene.daemon.drain, name, services=("talk",))
        sent, seconds = flood.send("syn", 4, PORT, SPOOFED, rate=RATE)
        assert scene.maps.count("sl_handshakes") > 1000
        harmed = judge_flood(staying)
        figure(f"SYN flood in a transition: {sent} spoofed packets in {seconds:.1f} s, harmed: "
               f"{harmed} of {2 * TCP}")
        assert harmed < 0.01 * 2 * TCP


def judge_flood(staying):
    """Conversations cut, after all have gone on for a while."""
    rest(3)
    return sum(len(talk.ask().troubles) for talk in staying.values())


# ---- drain -------------------------------------------------------------------
@pytest.mark.alone("how soon after the command")
def test_no_connection_is_sent_to_a_drained_backend(lab, figure):
    """The backend's own clock of accepts, against when the command returned."""
    scene = talk_scene(lab, udp=False)
    rounds = 20 if FULL else 6
    late = taken = 0
    with conversations(scene, 0, churn=60) as (_, passing):
        for _ in range(rounds):
            victim = scene.echoes["web-2"]
            wait.until(lambda seen=len(victim.accepted()): len(victim.accepted()) > seen + 50,
                       "web-2 gets connections")
            scene.for_both(scene.daemon.drain, "web-2", services=("talk",))
            returned = now()
            rest(0.3)
            times = victim.accepted()
            taken += len(times)
            late += sum(time > returned + QUEUED for time in times)
            last = max(times) - returned
            scene.for_both(scene.daemon.enable, "web-2", services=("talk",))
        assert not any(talk.ask().troubles for talk in passing.values())
    figure(f"drained {rounds} times under load: connections sent there after the command "
           f"returned: {late} (of {taken}); the last one was taken {last * 1000:.1f} ms after")
    assert late == 0


# What was sent before may still lie in a queue, or wait for the server's turn.
QUEUED = 0.05

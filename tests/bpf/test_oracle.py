# SPDX-License-Identifier: BSD-2-Clause
"""Random packets, as they should be and mangled, through the real program: each meets an end
that the oracle calls right, and none leaves with a wrong byte.

`make test-oracle COUNT=10000 SEED=1` runs it in full size. Every packet has dice of its own, and a
failure names the command that runs its packet alone.
"""

import collections
import os
import random

import pytest

from case import PROTOS, ROWS
from lab.packets import Ether, Raw
from lab.testrun import Counters
from oracle import making, mangling, world
from oracle.judge import Oracle

VALID, MANGLED = (int(os.environ.get("SLUICE_ORACLE", usual)) for usual in (100, 1000))
FIRST = int(os.environ.get("SLUICE_ORACLE_FIRST", "0"))
SEED = os.environ.get("SLUICE_SEED", "1")
VERDICTS = ("", *(name for name, _, _ in ROWS))  # by their numbers
FAMILIES = (4, 6)


class Bench:
    """The program and the oracle, side by side."""

    def __init__(self, datapath):
        self.datapath = datapath
        self.oracle = Oracle(world.world())
        self.counters = Counters(datapath.daemon.map_id("sl_verdicts"), len(VERDICTS))

    def run(self, frame, device):
        """Runs a frame. Returns (its verdict, None), or (None, what is wrong)."""
        ends = self.oracle.judge(frame, device)
        before = self.counters.packets()
        action, output = self.datapath.run(frame, device)
        after = self.counters.packets()
        counted = {name for name, *counts in zip(VERDICTS, before, after) if counts[0] != counts[1]}
        met = [end for end in ends if end.action == action.name and end.frame in (None, output)
               and not counted.isdisjoint(end.verdicts)]
        if not met:
            return None, wrong(frame, device, ends, (action.name, counted, output))
        if len(met) == 1:
            self.oracle.note(frame, met[0])
        return min(counted.intersection(met[0].verdicts)), None


@pytest.fixture(scope="module")
def bench(datapath_of):
    with datapath_of(world.configuration(), world.serving(), world.commands()) as datapath:
        yield Bench(datapath)


# ---- what a failure says ----------------------------------------------------------
def wrong(frame, device, ends, got):
    action, verdicts, output = got
    lines = [seen(f"the packet, which came in on {device}", frame)]
    for end in ends:
        lines.append(seen(f"right: {end.action}, {' or '.join(end.verdicts)}", end.frame))
    return "\n".join((*lines, seen(f"got: {action}, {' and '.join(verdicts)}",
                                   None if action == "DROP" else output)))


def seen(title, frame):
    """A frame in hex, and as scapy sees it."""
    if frame is None:
        return f"== {title}"
    packet = Ether(frame)
    if Raw in packet:
        packet[Raw].load = f"{len(packet[Raw].load)} bytes"
    return f"== {title}\n{frame.hex()}\n{packet.show(dump=True)}"


def again(test, number):
    return f"again: make test-oracle SEED={SEED} FIRST={number} COUNT=1 CASE='{test}'"


# ---- the tests ------------------------------------------------------------------------
def run_all(bench, request, count, make, only=None):
    """Packets of make(dice), which returns (frame, device, words). only: the verdict that each
    of them is to meet. Returns how often which verdict was met.
    """
    name = request.node.name
    met = collections.Counter()
    for number in range(FIRST, FIRST + count):
        frame, device, what = make(random.Random(f"{SEED} {name} {number}"))
        verdict, complaint = bench.run(frame, device)
        if not complaint and only not in (None, verdict):
            complaint = seen(f"the oracle takes it for no valid packet: {verdict}", frame)
        assert not complaint, f"{what}\n{again(name, number)}\n{complaint}"
        met[verdict] += 1
    return met


@pytest.mark.parametrize("proto", PROTOS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("forward", ("nat", "dsr", "ipip"))
def test_requests_reach_a_backend(bench, request, forward, family, proto):
    rows = [row for row in world.ROWS if (row.forward, row.proto) == (forward, proto)
            and not row.is_down and not row.is_guarded]

    def make(dice):
        row = dice.choice(rows)
        return *making.request(dice, row, family), f"to {row.name}"

    run_all(bench, request, VALID, make, "FORWARDED")


@pytest.mark.parametrize("proto", PROTOS)
@pytest.mark.parametrize("family", FAMILIES)
def test_replies_reach_their_client(bench, request, family, proto):
    rows = [row for row in world.ROWS if (row.forward, row.proto) == ("nat", proto)
            and not row.is_down]

    def make(dice):
        row = dice.choice(rows)
        return *making.reply(dice, row, family), f"from a backend of {row.name}"

    run_all(bench, request, VALID, make, "RETURNED")


@pytest.mark.parametrize("unserved", ("drop", "reject"))
def test_mangled_packets_do_no_harm(bench, request, figure, unserved):
    def make(dice):
        frame, device = making.anything(dice)
        frame, how = mangling.mangled(dice, frame)
        if dice.random() < 0.03:
            device = {"front": "back", "back": "front"}[device]
        return frame, device, f"mangled by {how}"

    with bench.datapath.reconfigured(unserved=unserved):
        bench.oracle.world.unserved = unserved
        met = run_all(bench, request, MANGLED, make)
    kinds = collections.Counter()
    for verdict, number in met.items():
        kinds[verdict.partition("_")[0].lower()] += number
    figure(f"{sum(met.values())} mangled packets, `unserved: {unserved}`: "
           + ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))

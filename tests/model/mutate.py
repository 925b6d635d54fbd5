# SPDX-License-Identifier: BSD-2-Clause
"""Plants one bug after the other in a copy of the tree, and shows that the model test
finds each (`make test-mutations`, as root; some minutes).

A mutation is a piece of bpf/, include/ or user/ and what it becomes. The piece is
looked for in all their files, spaces and line ends aside, so that code may move and
be formatted; it must be there once. A mutation that is not, or does not compile, is
an error like one that is not found: each is told, and the others go on. Exits with 1
then. Arguments: of the mutations, only those whose sentence holds one of them.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("bpf", "include", "user")
TEST = "build/model/model_test"

MUTATIONS = (
    # slots and transition
    ("a slot with current == previous is taken for settled",
     "if (unlikely((packet->slot & SL_SLOT_TRACKING) ||",
     "if (unlikely(((packet->slot & SL_SLOT_TRACKING) && "
     "sl_slot_current(packet->slot) != sl_slot_previous(packet->slot)) ||"),
    ("an unknown flow without SYN goes to current",
     ": !packet->syn;",
     ": false;"),
    ("in a table that replaced another a slot forgets its own previous",
     "if (sl_slot_previous(slot) != SL_NO_BACKEND) return sl_slot_previous(slot);",
     ""),
    ("the mark is dropped when a slot moves again",
     "marks = slot & (SL_SLOT_TRACKING | SL_SLOT_FRESH);",
     "marks = slot & SL_SLOT_FRESH;"),
    ("FRESH is forgotten",
     "sl_slot(next, current, SL_SLOT_TRACKING | SL_SLOT_FRESH)",
     "sl_slot(next, current, SL_SLOT_TRACKING)"),
    ("a slot that moves again loses its previous",
     "previous != SL_NO_BACKEND && !lives(previous, serves, arg)",
     "previous != SL_NO_BACKEND"),
    ("a dead backend keeps its slots in transition",
     "if (!lives(current, serves, arg))",
     "if (current == SL_NO_BACKEND)"),
    ("slots settle although a live flow is elsewhere",
     "installed->transition.held[position] = true;",
     "(void)position;"),
    ("slots settle as soon as no flow is elsewhere",
     "transition->held[i] = now - transition->changed[i] <= idle;",
     "transition->held[i] = now - transition->changed[i] > idle && 0;"),
    ("a slot that moves while a round of the walk is under way settles in it",
     "transition->held[position] = true;",
     ""),
    ("slots of a service that tracks every flow wait for flows elsewhere",
     "!(service->flags & SL_SERVICE_TRACKED) && sl_slot_current(slot) != flow->backend",
     "sl_slot_current(slot) != flow->backend"),
    ("affinity that is switched on moves older connections",
     "if ((old.flags ^ entry.flags) & SL_SERVICE_TRACKED)",
     "if (old.flags & SL_SERVICE_TRACKED & ~entry.flags)"),
    ("the walk takes out flows that live",
     "sl_second_difference(now, flow->seen) > (__s32)idle; }",
     "sl_second_difference(now, flow->seen) > (__s32)idle / 2; }"),
    ("the walk looks for source-hash flows in the wrong slot",
     "sl_hash_scheduled(service->scheduler, &key->source, key->port,",
     "sl_hash_flow(&key->source, key->port,"),
    ("a second move does not start the waiting anew",
     "(writing == WRITE_MOVING && sl_slot_current(word) != sl_slot_current(slots[i]))",
     "(writing == WRITE_MOVING && 0)"),
    ("an index is free before a whole round of the walk",
     "if (dropped->round < grace->round)",
     "if (dropped->round <= grace->round)"),
    ("a replaced table still leads to backends that are gone",
     "if (!(maps->backends[owner].state & SL_BACKEND_SERVES))",
     "if (owner == SL_NO_BACKEND)"),
    ("a new daemon does not know the backends that only flows lead to",
     "?: learn_map(batch, MAP_FLOWS)",
     "?: 0"),
    ("no slot stops being fresh without a round of the walk",
     "slot & SL_SLOT_FRESH && sl_second_difference(sl_tuning.fresh_until, now) >= 0",
     "slot & SL_SLOT_FRESH && (now || sl_tuning.fresh_until)"),
    ("a service that tracks every flow forgets it as early as others",
     "? timeouts->tracked_idle_ms : timeouts->tcp_idle_ms",
     "? timeouts->tcp_idle_ms : timeouts->tcp_idle_ms"),
    ("ids of limits that are gone are given again",
     "return ++blocks->maps->tuning->limit_id;",
     "blocks->maps->tuning->limit_id = 0; for (unsigned i = 0; i < capacity(blocks); i++) "
     "if (blocks->maps->limits[i].id > blocks->maps->tuning->limit_id) "
     "blocks->maps->tuning->limit_id = blocks->maps->limits[i].id; "
     "return ++blocks->maps->tuning->limit_id;"),
    # forged packets
    ("a SYN takes the place of a connection that lives",
     "if (likely(!flow->flags)) return flow; }",
     "if (likely(!flow->flags && !tracking->syn)) return flow; }"),
    ("the first packet behind a SYN, whatever its number, takes the place of the connection before",
     "- begun->number - 1 < TRACKING_FOLLOWS",
     "- begun->number - 1 < TRACKING_FOLLOWS || begun"),
    ("a port is never used again",
     "if (begun && tracking_begins(xdp, tracking, begun, flow))",
     "if (begun && tracking_begins(xdp, tracking, begun, flow) && !flow)"),
    ("a SYN does not end a connection that has been silent for too long",
     "<= (__s32)flow_idle(packet->service);",
     "<= (__s32)flow_idle(packet->service) + 1000;"),
    ("a handshake that is given up is gone on with",
     "flow_expire(begun, SL_HANDSHAKE_SECONDS, tracking->now);",
     "flow_expire(begun, SL_HANDSHAKE_SECONDS + 1000, tracking->now);"),
    ("a half-closed connection is forgotten early",
     "if (is_over(datapath, flow->flags))",
     "if (is_over(datapath, flow->flags) || flow->flags)"),
    ("the last acknowledgement opens a connection again",
     "if (tracking->now - flow->seen >= TRACKING_LAST_ACK) return true;",
     "if (tracking->now - flow->seen >= 0) return true;"),
    ("data that is sent again behind a FIN opens a connection again",
     "- bpf_ntohl(tcp->seq) - 1 >= TRACKING_SENT_AGAIN",
     "- bpf_ntohl(tcp->seq) - 1 >= 1"),
    ("a connection that goes on behind a RST is not counted again",
     "&flow->flags, flags, 0) == flags) load_add(flow->backend, 1);",
     "&flow->flags, flags, 0) == flags) (void)flow;"),
    ("a forged packet keeps a connection that begins from its entry",
     "now - begun->seen < TRACKING_FOLLOW_UP",
     "now - begun->seen < 0"),
    ("one packet without SYN counts as a connection",
     "IPPROTO_TCP && (!tracking->syn || tracking->beside)",
     "IPPROTO_TCP && tracking->syn && tracking->beside"),
    ("a RST of the server's does not end the connection",
     "flow_end_at(bpf_map_lookup_elem(&sl_flows, &key), packet->backend_index);",
     ""),
    ("a RST of another server ends the connection",
     "if (flow && flow->backend == backend)",
     "if (flow && backend)"),
    ("a port that is used again during a round of the walk is counted 0",
     "flow->earlier_round == (__u32)*datapath->maps.round)",
     "flow->earlier_round == (__u32)*datapath->maps.round + 1)"),
    ("a handshake that becomes a connection during a round is counted twice",
     "if (word & SL_ROUND_HANDSHAKES)",
     "if (word & SL_ROUND_HANDSHAKES << 1)"),
    ("a flow that the walk takes out stays counted",
     "+= was_live(datapath, flow) - (taken_out && !flow->flags);",
     "+= was_live(datapath, flow) && !taken_out;"),
    # schedulers
    ("CPUs take the same turn of round-robin",
     "__sync_fetch_and_add(cursor, 1)",
     "(*cursor)++"),
    ("a connection that ends stays counted",
     "if (!__sync_lock_test_and_set(&flow->flags, flag)) load_add(flow->backend, -1);",
     "if (!__sync_lock_test_and_set(&flow->flags, flag)) (void)flow;"),
    ("least-connections does not look at weights",
     "(live_a + 1) * b->weight < (live_b + 1) * a->weight",
     "live_a < live_b"),
    ("a new connection does not start the affinity anew",
     "if (index != SL_NO_BACKEND) affinity_set",
     "if (index != SL_NO_BACKEND && affinity_find(service, &client, now) == SL_NO_BACKEND) "
     "affinity_set"),
)


class Failed(Exception):
    """A mutation that could not be tried."""


def copy_tree(copy):
    """What git knows and what is new, with the objects that are there already."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
        capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, copy / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    if (ROOT / "build").is_dir():
        shutil.copytree(ROOT / "build", copy / "build", symlinks=True, ignore=lambda where, _: (
            ("debug", "fuzz", "bench") if where == str(ROOT / "build") else ()))


def find(copy, piece):
    """The file that has the piece, and its match."""
    pattern = re.compile(r"\s+".join(map(re.escape, piece.split())))
    found = []
    for room in ROOMS:
        for path in sorted((copy / room).rglob("*.[ch]")):
            found += [(path, match) for match in pattern.finditer(path.read_text())]
    if len(found) != 1:
        places = ", ".join(str(path.relative_to(copy)) for path, _ in found) or "nowhere"
        raise Failed(f"it must be in the tree once, and is in: {places}")
    return found[0]


def build(copy):
    done = subprocess.run(["make", "-j2", TEST], cwd=copy, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"it does not compile:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")


def run_test(copy, *options):
    return subprocess.run([copy / TEST, *options], cwd=copy, capture_output=True, text=True)


def plant(copy, piece, becomes):
    """How the model test found it; None: it did not."""
    path, match = find(copy, piece)
    text = path.read_text()
    path.write_text(text[:match.start()] + becomes + text[match.end():])
    try:
        build(copy)
        done = run_test(copy)
    finally:
        path.write_text(text)
    return (done.stdout + done.stderr).strip().splitlines()[-1] if done.returncode else None


def check_sound(copy):
    build(copy)
    done = run_test(copy, "--only-sequences", "--sequences", "1000")
    if done.returncode:
        sys.exit(f"mutate: the tree fails without a mutation:\n{done.stdout}{done.stderr}")


def main(wanted):
    mutations = [row for row in MUTATIONS if not wanted or any(word in row[0] for word in wanted)]
    troubles = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sluice-mutate-") as directory:
        copy = pathlib.Path(directory)
        copy_tree(copy)
        try:
            check_sound(copy)
        except Failed as failure:
            sys.exit(f"mutate: the tree without a mutation: {failure}")
        for sentence, piece, becomes in mutations:
            try:
                found = plant(copy, piece, becomes)
                print(f"{'caught' if found else 'MISSED':9} {sentence}{': ' if found else ''}{found or ''}",
                      flush=True)
                if not found:
                    troubles.append(f"not found by the model test: {sentence}")
            except Failed as failure:
                print(f"{'ERROR':9} {sentence}", flush=True)
                troubles.append(f"not tried: {sentence}: {failure}")
    print(f"\n{len(mutations) - len(troubles)} of {len(mutations)} mutations are found, "
          f"in {time.monotonic() - began:.0f} s")
    for trouble in troubles:
        print(f"mutate: {trouble}", file=sys.stderr)
    return 1 if troubles or not mutations else 0


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("mutate: the model test loads the program: run it as root")
    sys.exit(main(sys.argv[1:]))

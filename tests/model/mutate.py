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
    ("a SYN stays with a backend that takes no new connections",
     "SL_BACKEND_SERVES | (packet->syn ? SL_BACKEND_NEW : 0)",
     "SL_BACKEND_SERVES"),
    ("in a table that replaced another a slot forgets its own previous",
     "if (sl_slot_previous(slot) != SL_NO_BACKEND || !index)",
     "if (!index)"),
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
     "age > idle && !transition->held[i]",
     "age > idle"),
    ("slots settle as soon as no flow is elsewhere",
     "age > idle && !transition->held[i]",
     "(age > idle || idle) && !transition->held[i]"),
    ("the walk takes out flows that live",
     "> (__s32)clock_timeout(ms)",
     "> (__s32)clock_timeout(ms) / 2"),
    ("the walk looks for source-hash flows in the wrong slot",
     "sl_hash_scheduled(service->scheduler, &key->source, key->port,",
     "sl_hash_flow(&key->source, key->port,"),
    ("a second move does not start the waiting anew",
     "if (!tracked || sl_slot_current(word) != sl_slot_current(slots[i]))",
     "if (!tracked)"),
    ("an index is free before a whole round of the walk",
     "if (dropped->round < grace->round)",
     "if (dropped->round <= grace->round)"),
    ("a replaced table still leads to backends that are gone",
     "if (!(maps->backends[owner].state & SL_BACKEND_SERVES))",
     "if (owner == SL_NO_BACKEND)"),
    ("the connection before on a reused port is found first",
     "if (old) bpf_map_delete_elem",
     "if (0) bpf_map_delete_elem"),
    ("a new daemon does not know the backends that only flows lead to",
     "?: learn_map(batch, MAP_FLOWS)",
     "?: 0"),
    # schedulers
    ("CPUs take the same turn of round-robin",
     "__sync_fetch_and_add(cursor, 1)",
     "(*cursor)++"),
    ("a connection that ends stays counted",
     "SL_FLOW_CLOSED) == 0) load_add(flow->backend, -1);",
     "SL_FLOW_CLOSED) == 0) (void)flow;"),
    ("least-connections does not look at weights",
     "(live_a + 1) * b->weight < (live_b + 1) * a->weight",
     "live_a < live_b"),
    ("a new connection does not start the affinity anew",
     "if (index != SL_NO_BACKEND) affinity_set",
     "if (index != SL_NO_BACKEND && !affinity_find(&client, now)) affinity_set"),
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

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Plants one bug after the other in a copy of the tree, and shows that the model
# test finds each: by what, and in which sequence (from 0). By hand, as root; takes a few
# minutes. Fails if a bug is not found.
set -eu

cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

git ls-files -co --exclude-standard | while read -r file; do
	[ -e "$file" ] && printf '%s\n' "$file"
done | tar -c -T - | tar -x -C "$copy"

build() {
	make -C "$copy" build/model/model_test >"$copy/log" 2>&1 || {
		cat "$copy/log"
		exit 1
	}
}

# replace FILE FROM TO: the only place in FILE that reads FROM.
replace() {
	/usr/bin/python3 - "$@" <<'PYTHON'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
if text.count(old) != 1:
    sys.exit(f"{path}: {text.count(old)} times, not once: {old}")
open(path, "w").write(text.replace(old, new))
PYTHON
}

missed=0

# plant WHAT FILE FROM TO
plant() {
	cp "$copy/$2" "$copy/original"
	replace "$copy/$2" "$3" "$4"
	build
	if "$copy/build/model/model_test" >"$copy/log" 2>&1; then
		printf 'MISSED    %s (%s)\n' "$1" "$2"
		missed=$((missed + 1))
	else
		printf 'caught    %s (%s): %s\n' "$1" "$2" "$(tail -n 1 "$copy/log")"
	fi
	cp "$copy/original" "$copy/$2"
}

build
"$copy/build/model/model_test" --only-sequences --sequences 1000 >"$copy/log" 2>&1 || {
	cat "$copy/log"
	exit 1
}

plant 'a slot with current == previous is taken for settled' bpf/select.h \
	'if (unlikely((packet->slot & SL_SLOT_TRACKING) ||' \
	'if (unlikely(((packet->slot & SL_SLOT_TRACKING) &&
			sl_slot_current(packet->slot) != sl_slot_previous(packet->slot)) ||'
plant 'an unknown flow without SYN goes to current' bpf/select.h \
	': !packet->syn;' ': false;'
plant 'a SYN stays with a backend that takes no new connections' bpf/select.h \
	'(packet->syn ? SL_BACKEND_NEW : 0)' '0'
plant 'in a table that replaced another a slot forgets its own previous' bpf/select.h \
	'if (sl_slot_previous(slot) != SL_NO_BACKEND || !index)' 'if (!index)'
plant 'the mark is dropped when a slot moves again' user/lib/balance/slot.c \
	'marks = slot & (SL_SLOT_TRACKING | SL_SLOT_FRESH);' 'marks = slot & SL_SLOT_FRESH;'
plant 'FRESH is forgotten' user/lib/balance/slot.c \
	'sl_slot(next, current, SL_SLOT_TRACKING | SL_SLOT_FRESH)' \
	'sl_slot(next, current, SL_SLOT_TRACKING)'
plant 'a slot that moves again loses its previous' user/lib/balance/slot.c \
	'previous != SL_NO_BACKEND && !lives(previous, serves, arg)' 'previous != SL_NO_BACKEND'
plant 'a dead backend keeps its slots in transition' user/lib/balance/slot.c \
	'if (!lives(current, serves, arg))' 'if (current == SL_NO_BACKEND)'
plant 'slots settle although a live flow is elsewhere' user/daemon/datapath/settle.c \
	'age > idle && !transition->held[i]' 'age > idle'
plant 'slots settle as soon as no flow is elsewhere' user/daemon/datapath/settle.c \
	'age > idle && !transition->held[i]' '(age > idle || idle) && !transition->held[i]'
plant 'the walk takes out flows that live' user/daemon/datapath/walk.c \
	'> (__s32)clock_timeout(ms)' '> (__s32)clock_timeout(ms) / 2'
plant 'the walk looks for source-hash flows in the wrong slot' user/daemon/datapath/walk.c \
	'service->scheduler == SL_SCHEDULER_SOURCE_HASH ? 0 : key->port' 'key->port'
plant 'a second move does not start the waiting anew' user/daemon/datapath/apply_slots.c \
	'if (!tracked || sl_slot_current(word) != sl_slot_current(slots[i]))' 'if (!tracked)'
plant 'an index is free before a whole round of the walk' user/daemon/datapath/state/grace.c \
	'if (dropped->round < grace->round)' 'if (dropped->round <= grace->round)'
plant 'a replaced table still leads to backends that are gone' user/daemon/datapath/state/tables.c \
	'if (!(maps->backends[owner].state & SL_BACKEND_SERVES))' \
	'if (owner == SL_NO_BACKEND)'
plant 'the connection before on a reused port is found first' bpf/flow.h \
	'	if (old)' '	if (0)'
plant 'a new daemon does not know the backends that only flows lead to' \
	user/daemon/datapath/learn.c '?: learn_flows(learning, MAP_FLOWS)' '?: 0'

plant 'CPUs take the same turn of round-robin' bpf/schedule.h \
	'__sync_fetch_and_add(cursor, 1)' '(*cursor)++'
plant 'a connection that ends stays counted' bpf/flow.h \
	'load_add(flow->backend, -1);' '(void)flow;'
plant 'least-connections does not look at weights' bpf/schedule.h \
	'(live_a + 1) * b->weight < (live_b + 1) * a->weight' 'live_a < live_b'
plant 'a new connection does not start the affinity anew' bpf/select.h \
	'	if (index != SL_NO_BACKEND)
		affinity_set' '	if (index != SL_NO_BACKEND && !affinity_find(&client, now))
		affinity_set'

printf '%d not found\n' "$missed"
[ "$missed" -eq 0 ]

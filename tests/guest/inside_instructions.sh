#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The init of the guest that instructions.sh boots: makes the bed that
# tests/bench/instructions.py describes, measures what it names, and switches the
# machine off. What cannot be done ends it at once.
set -eu

export PATH=/usr/bin
# shellcheck disable=SC1091 # where guest.sh puts it
. /lab.sh

ANSWERS=/dev/ttyS1
BACKENDS=64      # of each service; bed.py
SLOTS_MOST=58983 # nine tenths of a service's

# measure SET PACKETS RUNS [PREPARE]
measure() {
	run_daemon "/bench/$1/sluice.yaml"
	wait_for 120 ctl status
	${4:+"$4"}
	cost "/bench/$1/scenarios" "$2" "$3" --json /tmp/answer
	cat /tmp/answer >"$ANSWERS"
	stop TERM
}

# cost SCENARIOS PACKETS RUNS [OPTION...]
cost() {
	scenarios=$1 packets=$2 runs=$3
	shift 3
	in_ns lb program-cost --prog "$PIN/prog" \
		--ifindex "$(ip -n lb -o link show lb0 | cut -d : -f 1)" --scenarios "$scenarios" --repeat "$packets" --runs "$runs" "$@"
}

# ---- every slot in transition: what program.py's move() does -------------
move() {
	cost /bench/moved/touch 1 1 # had a service never seen a packet, there would be nobody to follow
	for half in 0 1; do
		change_half "$half" drain
		wait_for 60 serve $((BACKENDS / 2))
		change_half "$half" enable
		wait_for 60 serve "$BACKENDS"
	done
	moving=$(ctl status | awk '/^slots moving/ { print $3 }')
	services=$(ctl service list | awk 'NR > 1 && NF' | wc -l)
	[ "$moving" -ge $((services * SLOTS_MOST)) ]
}

# change_half 0|1 VERB: each second backend, all of them by one program.
change_half() {
	ctl backend list | awk -v half="$1" -v verb="$2" 'NR > 1 && NF && NR % 2 == half {
			print "http://sluice/v1/backends/" $1 "/" $2 "/" verb }' |
		xargs curl -sS -g --fail-early --fail --unix-socket "$CONTROL" -X POST >/dev/null
}

# serve NUMBER: all services, each by NUMBER backends.
serve() {
	! ctl service list | awk 'NR > 1 && NF { print $6 }' | grep -v "^$1/$BACKENDS\$"
}

trap 'tail -n 20 /tmp/log; poweroff -f' EXIT
mount_all
echo "\"$(uname -r)\"" >"$ANSWERS"
# shellcheck disable=SC1091 # instructions.py writes it
. /bench/todo

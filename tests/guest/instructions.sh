#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Boots a guest (guest.sh) whose clock counts instructions, and lets
# inside_instructions.sh run program-cost there: every virtual nanosecond is one
# instruction of its one CPU, whatever else this machine does meanwhile.
#
# usage: tests/guest/instructions.sh KERNEL DIRECTORY SLUICED      as root
#
# tests/bench/instructions.py calls it. Beside SLUICED are sluicectl and bench/program-cost of the
# same revision. DIRECTORY has what the guest is to do, in
# bench/; DIRECTORY/answers becomes JSON: its kernel, then what program-cost says of
# each set. What it says otherwise is in DIRECTORY/console.log.
# shellcheck disable=SC2154 # guest.sh assigns root
set -eu

cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null # guest.sh: the variables are its
. tests/guest/guest.sh

SECONDS_MOST=600

choose_kernel "$1" "$2"
prepare_guest
make_root tests/guest/inside_instructions.sh \
	"$3" "${3%/*}/sluicectl" "${3%/*}/bench/program-cost" ip ethtool curl
cp -r "$2/bench" "$root"
# shift=0: an instruction is a nanosecond. sleep=off: waiting takes no time.
boot "$SECONDS_MOST" -accel tcg -icount shift=0,sleep=off -m 1536M \
	-serial "file:$2/answers" >/dev/null

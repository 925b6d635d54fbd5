#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Boots a Debian kernel in qemu (guest.sh), and lets inside.sh test sluice
# there: sharing an interface by libxdp's dispatcher needs programs that extend
# others, which not every kernel has, and 6.1 is the oldest that is promised.
#
# usage: tests/guest/run.sh [KERNEL [SCENARIO...]]    6.1 (default) or 6.12; as root
#
# The guest has no way out: its network cards are wired to each other.
# shellcheck disable=SC2154 # guest.sh assigns root and made
set -eu

cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null # guest.sh: the variables are its
. tests/guest/guest.sh

# All scenarios take 240 s where nothing else runs; a busy machine may take twice as long.
SECONDS_MOST=600
PROGRAMS="$BUILD/sluiced $BUILD/sluicectl $BUILD/sluice-responder ip ethtool bpftool curl xdp-loader xdp-filter tc"

choose_kernel "${1:-6.1}"
[ $# = 0 ] || shift
scenarios=${*:-alone limited beside with_others by_hand by_loader foreign virtio frames ipip bond pktgen}

prepare_guest
# shellcheck disable=SC2086 # the list is meant to be split
make_root tests/guest/inside.sh $PROGRAMS
for scenario in $scenarios; do echo "$scenario"; done >"$root/scenarios"
cp "$BUILD/sluice.bpf.o" "$BUILD/bench/syn.bpf.o" "$root"
cp scripts/bench-pktgen.sh scripts/bench-offer.sh "$root"
# Two network cards on one wire (hub 0): with a real driver's XDP, not veth's.
boot "$SECONDS_MOST" -accel tcg,thread=multi -smp 2 -m 1G \
	-netdev hubport,id=a,hubid=0 -device virtio-net-pci,netdev=a,mac=02:00:00:00:0a:01 \
	-netdev hubport,id=b,hubid=0 -device virtio-net-pci,netdev=b,mac=02:00:00:00:0a:02
if ! grep -q '^[1-9][0-9]* passed, 0 failed$' "$made/console.log"; then
	echo "guest: failed, or not at its end after $SECONDS_MOST s" >&2
	exit 1
fi

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Offers sluice packets made by netsniff-ng's trafgen (Debian: netsniff-ng), from this
# machine to another one, or over a veth. See -h; bench-pktgen.sh is faster.
# shellcheck disable=SC2154 # bench-offer.sh assigns them
set -eu

here=$(dirname "$0")
# shellcheck source=/dev/null # bench-offer.sh: the variables are its
. "$here/bench-offer.sh"

# What trafgen is to make: headers, and the rest of the frame. Its checksums follow
# what changes in each packet.
packet() {
	if [ "$family" = 4 ]; then
		field=sa base=$first.0.0.0 low=$((first << 24))
		ip="ipv4(da=$address, ttl=64, df, sa=$base"
	else
		field=sa base=2001:db8:f:: low=0
		ip="ipv6(da=$address, hl=64, sa=$base"
	fi
	case $flows in
	1) ;;
	flood) ip="$ip, $field=drnd($low, $((low + 16777215)))" ;;
	*) ip="$ip, $field=dinc($low, $((low + flows - 1)))" ;;
	esac
	if [ -n "$syn" ]; then
		transport="tcp(sp=40000, dp=$port, seq=1, win=65535, syn)"
		length=20
	else
		transport="udp(sp=40000, dp=$port)"
		length=8
	fi
	rest=$((size - header - length))
	echo "{ eth(da=$mac), $ip), $transport"
	[ "$rest" -le 0 ] || echo ", fill(0, $rest)"
	echo "}"
}

# It ends by itself only after a number of packets. It may be stopped before.
# One process for each CPU: of its own several, one may outlive the others.
send() {
	for cpu in $(seq 0 $((threads - 1))); do
		timeout --signal TERM --kill-after 5 "$seconds" \
			taskset -c "$cpu" trafgen --dev "$device" --conf "$work/packet" --cpus 1 \
			--num 0 --no-sock-mem >"$work/log$cpu" 2>&1 &
		echo "$cpu $!"
	done >"$work/senders"
	while read -r cpu pid; do
		status=0
		wait "$pid" || status=$?
		[ "$status" = 0 ] || [ "$status" = 124 ] || die "trafgen: $(cat "$work/log$cpu")"
	done <"$work/senders"
}

stop() {
	[ ! -e "$work/senders" ] || while read -r _ pid; do
		kill "$pid" 2>/dev/null || :
	done <"$work/senders"
	rm -rf "$work"
}

parse_options "$@"
command -v trafgen >/dev/null || die "trafgen is not installed (Debian: netsniff-ng)"
work=$(mktemp -d)
trap stop EXIT
trap 'exit 130' INT TERM
packet >"$work/packet"

before=$(counters)
began=$(now)
send
ended=$(now)
report "$before" "$(settled)" "$(echo "$began $ended" | awk '{ print $2 - $1 }')"

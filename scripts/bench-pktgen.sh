#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Offers sluice packets made by the kernel's pktgen, from this machine to another one,
# or over a veth. See -h. pktgen makes UDP; -S has tc make SYNs of it on their way out
# (build/bench/syn.bpf.o, by `make bench-tools`), which costs it some speed.
# shellcheck disable=SC2154 # bench-offer.sh assigns them
set -eu

here=$(dirname "$0")
# shellcheck source=/dev/null # bench-offer.sh: the variables are its
. "$here/bench-offer.sh"

PKTGEN=/proc/net/pktgen
: "${SYN_OBJECT:=$here/../build/bench/syn.bpf.o}" "${TC:=tc}"

# tell FILE COMMAND...: pktgen says in the file whether it has understood.
tell() {
	file=$PKTGEN/$1
	shift
	echo "$*" >"$file" || die "pktgen refuses: $*"
}

# The sources, from the first on. Of IPv6, pktgen varies ports alone.
tell_sources() {
	last=$((flows == 1 ? 0 : flows - 1))
	if [ "$family" = 6 ]; then
		[ "$last" -lt 64512 ] || die "pktgen makes at most 64512 flows of IPv6"
		tell "$1" "dst6 $address"
		tell "$1" "src6 2001:db8:f::1"
		tell "$1" "udp_src_min 1024"
		tell "$1" "udp_src_max $((1024 + last))"
		return
	fi
	tell "$1" "dst_min $address"
	tell "$1" "dst_max $address"
	tell "$1" "src_min $first.0.0.0"
	tell "$1" "src_max $first.$((last >> 16)).$((last >> 8 & 255)).$((last & 255))"
	tell "$1" "udp_src_min 40000"
	tell "$1" "udp_src_max 40000"
}

# One pktgen device for each thread, each with a queue of its own if there are some.
tell_thread() {
	thread=kpktgend_$1
	name=$device@$1
	tell "$thread" rem_device_all
	tell "$thread" "add_device $name"
	tell "$name" "count 0"
	tell "$name" "clone_skb 0"
	tell "$name" "pkt_size $size"
	tell "$name" "delay 0"
	tell "$name" "dst_mac $mac"
	tell "$name" "udp_dst_min $port"
	tell "$name" "udp_dst_max $port"
	tell "$name" "flag QUEUE_MAP_CPU"
	tell "$name" "flag UDPCSUM"
	[ "$random" = 0 ] || tell "$name" "flag IPSRC_RND"
	[ -z "$syn" ] || tell "$name" "xmit_mode queue_xmit"
	tell_sources "$name"
}

stop() {
	trap - EXIT INT TERM
	echo stop >"$PKTGEN/pgctrl" 2>/dev/null || :
	[ -z "$running" ] || wait "$running" || :
	echo reset >"$PKTGEN/pgctrl" 2>/dev/null || :
	[ -z "$filtered" ] || "$TC" qdisc del dev "$device" clsact
}

parse_options "$@"
running='' filtered='' random=0
if [ "$flows" = flood ]; then
	random=1
	flows=$((family == 4 ? 16777216 : 64512))
fi
[ -w "$PKTGEN/pgctrl" ] || modprobe pktgen 2>/dev/null || :
[ -w "$PKTGEN/pgctrl" ] || die "this kernel has no pktgen (CONFIG_NET_PKTGEN)"
trap stop EXIT
trap 'exit 130' INT TERM
if [ -n "$syn" ]; then
	[ -e "$SYN_OBJECT" ] || die "$SYN_OBJECT is not there: make bench-tools"
	"$TC" qdisc add dev "$device" clsact || die "$device has a qdisc clsact of somebody else's"
	filtered=1
	"$TC" filter add dev "$device" egress bpf da obj "$SYN_OBJECT" sec tc
fi
echo reset >"$PKTGEN/pgctrl"
for thread in $(seq 0 $((threads - 1))); do
	tell_thread "$thread"
done

before=$(counters)
began=$(now)
echo start >"$PKTGEN/pgctrl" & # it returns when pktgen has stopped
running=$!
sleep "$seconds"
echo stop >"$PKTGEN/pgctrl"
wait "$running" || :
running=
ended=$(now)
report "$before" "$(settled)" "$(echo "$began $ended" | awk '{ print $2 - $1 }')"

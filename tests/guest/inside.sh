#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The init of the guest that run.sh boots: checks that sluice works on this
# kernel, alone and beside other XDP programs, and switches the machine off.
#
#   client --- front [lb] back --- web     veth pairs, 192.0.2.0/24 and 10.0.0.0/24
#   remote --- nic                         virtio cards, 203.0.113.0/24
#
# Frames that XDP sends into a veth need a peer that polls (gro on); senders
# write their checksums themselves (tx off).
# shellcheck disable=SC2317 # most functions are called by name
set -u

export PATH=/usr/bin

SERVICE4=198.51.100.10
SERVICE6=2001:db8:1::10
REFUSED=192.0.2.66 # an address of the client's that xdp-filter refuses
CONTROL=/run/control.sock
PIN=/sys/fs/bpf/sluice
OTHER=/usr/lib/x86_64-linux-gnu/bpf/xdpfilt_alw_all.o # without rules, passes all
INSTRUCTIONS_MOST=500000 # half of what a kernel verifies

passed=0
failed=0
daemon=

# ---- checks --------------------------------------------------------------
# check WORDS COMMAND...: counts whether the command succeeds.
check() {
	words=$1
	shift
	if output=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "  ok      $words${output:+: $(echo "$output" | tail -n 1)}"
		return
	fi
	failed=$((failed + 1))
	echo "  FAILED  $words: $*"
	printf '%s\n' "$output" | sed 's/^/          | /'
	[ ! -s /tmp/log ] || tail -n 8 /tmp/log | sed 's/^/          log: /'
}

not() {
	! "$@" >/dev/null 2>&1
}

seconds() {
	cut -d . -f 1 /proc/uptime
}

# wait_for SECONDS COMMAND...: until it succeeds; its output is of no interest.
wait_for() {
	deadline=$(($(seconds) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(seconds)" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# in_ns NAMESPACE COMMAND...: other than `ip netns exec` and `ip -n`, it leaves
# the mounts as they are, of which /sys/fs/bpf is one.
in_ns() {
	namespace=$1
	shift
	nsenter "--net=/run/netns/$namespace" "$@"
}

# ---- the network ---------------------------------------------------------
# This shell takes busybox's own commands first.
ip() {
	/usr/bin/ip "$@"
}

mount_all() {
	# Without /proc, the shell does not find those.
	busybox mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs dev /dev
	mount -t bpf bpf /sys/fs/bpf
	while read -r module; do
		[ ! -e "/modules/$module.ko" ] || insmod "/modules/$module.ko"
	done </modules/order
}

namespace() {
	ip netns add "$1"
	ip -n "$1" link set lo up
	in_ns "$1" sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

# address NAMESPACE DEVICE IPV4 IPV6: gives them to the device and sets it up.
address() {
	ip -n "$1" address add "$3/24" dev "$2"
	ip -n "$1" address add "$4/64" dev "$2" nodad
	ip -n "$1" link set "$2" up
	# Only then: it is this change that opens the peer for XDP_REDIRECT.
	in_ns "$1" ethtool -K "$2" tx off gro on >/dev/null
}

gateway() {
	ip -n "$1" route add default via "$2"
	ip -n "$1" route add default via "$3"
}

# The card with this MAC address goes to the namespace, under this name.
move_card() {
	for path in /sys/class/net/*; do
		[ "$(cat "$path/address")" = "$1" ] || continue
		ip link set "${path##*/}" netns "$2" name "$3"
	done
}

make_network() {
	for name in client remote lb web; do
		namespace "$name"
	done
	in_ns lb sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n lb link add front type veth peer name eth0 netns client
	ip -n lb link add back type veth peer name eth0 netns web
	move_card 02:00:00:00:0a:01 lb nic
	move_card 02:00:00:00:0a:02 remote eth0
	address lb front 192.0.2.1 2001:db8:c::1
	address lb back 10.0.0.1 2001:db8:b::1
	address lb nic 203.0.113.1 2001:db8:d::1
	address client eth0 192.0.2.2 2001:db8:c::2
	address remote eth0 203.0.113.2 2001:db8:d::2
	address web eth0 10.0.0.11 2001:db8:b::11
	ip -n client address add "$REFUSED/24" dev eth0
	ip -n web address add 10.0.0.12/24 dev eth0
	ip -n web address add 2001:db8:b::12/64 dev eth0 nodad
	gateway client 192.0.2.1 2001:db8:c::1
	gateway remote 203.0.113.1 2001:db8:d::1
	gateway web 10.0.0.1 2001:db8:b::1
}

start_servers() {
	for number in 1 2; do
		mkdir -p "/www/$number"
		echo "web-$number" >"/www/$number/index.html"
		for host in "10.0.0.1$number" "[2001:db8:b::1$number]"; do
			in_ns web httpd -p "$host:8080" -h "/www/$number"
		done
	done
}

# ---- the daemon ----------------------------------------------------------
configure() {
	echo "interfaces: [$1]"
	cat <<-END
		services:
		  - name: web
		    address: [$SERVICE4, "$SERVICE6"]
		    port: 80
		    forward: nat
		    check: {type: http, path: /, interval: 500ms, timeout: 400ms, rise: 1}
		    backends:
		      - {name: web-1, address: 10.0.0.11, port: 8080}
		      - {name: web-2, address: 10.0.0.12, port: 8080}
		      - {name: web-1-v6, address: "2001:db8:b::11", port: 8080}
		      - {name: web-2-v6, address: "2001:db8:b::12", port: 8080}
	END
}

ctl() {
	sluicectl --socket "$CONTROL" "$@"
}

all_serve() {
	ctl status | grep -q ' 4/4 *$'
}

# start INTERFACES [OPTION...]: and waits until all backends serve.
start() {
	configure "$1" >/tmp/sluice.yaml
	shift
	# Not in_ns, for $! to be the daemon.
	nsenter --net=/run/netns/lb sluiced -v -c /tmp/sluice.yaml --socket "$CONTROL" --pin-dir "$PIN" "$@" \
		>>/tmp/log 2>&1 &
	daemon=$!
	check "sluiced starts, and all backends serve" wait_for 15 all_serve
}

stop() {
	kill "-$1" "$daemon"
	wait "$daemon"
	status=$?
	echo "--- ended by $1: $status" >>/tmp/log
}

# The interface's row in `sluicectl status`: mode, adopted, shared.
runs() {
	found=$(ctl status | awk -v name="$1" '$1 == name { print $2, $4, $5 }')
	[ "$found" = "$2" ] || { echo "not \"$2\" but \"$found\""; return 1; }
}

# get NAMESPACE URL [OPTION...]: a range in the URL stands for many connections.
get() {
	namespace=$1
	shift
	in_ns "$namespace" curl -sS -H 'Connection: close' "$@"
}

# fetch NAMESPACE HOST: 16 connections; all are answered, and both backends answer.
fetch() {
	get "$1" "http://$2/?[1-16]" --max-time 5 --fail-early >/tmp/answers
	awk '/^web-[12]$/ { n++; if (!seen[$0]++) kinds++; next } { print }
		END { exit n != 16 || kinds != 2 }' /tmp/answers
}

check_traffic() {
	check "$1 reaches both backends by IPv4" fetch "$1" "$SERVICE4"
	check "$1 reaches both backends by IPv6" fetch "$1" "[$SERVICE6]"
}

# ---- what the interface runs ---------------------------------------------
xdp_of() {
	ip -n lb -o link show dev "$1" | grep -o 'prog/xdp id [0-9]*'
}

# Programs in the interface's dispatcher, in their order.
dispatched() {
	found=$(in_ns lb xdp-loader status "$1" | awk '$1 == "=>" { printf "%s ", $3 }')
	shift
	[ "$found" = "$* " ] || { in_ns lb xdp-loader status; return 1; }
}

id_of() {
	in_ns lb xdp-loader status front | awk -v name="$1" '$3 == name { print $4 }'
}

# What the verifier went through, of the daemon's programs of this type (6: xdp, 28: ext).
verified() {
	cat "/proc/$daemon/fdinfo/"* 2>/dev/null | awk -v type="$1" '
		/^prog_type:/ { ours = $2 == type }
		/^verified_insns:/ && ours && $2 > most { most = $2 }
		END { print most + 0 }'
}

modest() {
	count=$(verified "$1")
	echo "$count instructions verified"
	[ "$count" -gt 0 ] && [ "$count" -lt "$INSTRUCTIONS_MOST" ]
}

loads() {
	bpftool prog load /sluice.bpf.o /sys/fs/bpf/try && rm /sys/fs/bpf/try
}

# What the daemon says that does not start; it has to end, with status 1.
refuses() {
	configure "$1" >/tmp/sluice.yaml
	said=$(in_ns lb timeout 10 sluiced -c /tmp/sluice.yaml --socket "$CONTROL" --pin-dir "$PIN" 2>&1)
	status=$?
	echo "$said"
	[ "$status" = 1 ] && echo "$said" | grep -q "$2"
}

# ---- a client that does not stop asking ----------------------------------
start_load() {
	: >/tmp/requests
	retransmits=$(syn_retransmits)
	nsenter --net=/run/netns/client curl -sS -N --rate 20/s --max-time 5 --fail-early \
		-H 'Connection: close' "http://$SERVICE4/?[1-9999]" >/tmp/requests 2>/tmp/harm &
	load=$!
}

answered() {
	grep -c '^web-' /tmp/requests
}

at_least() {
	[ "$(answered)" -ge "$1" ]
}

load_goes_on() {
	wait_for 10 at_least $(($(answered) + 10))
}

# A request that is only late has lost a packet too, most likely its first.
syn_retransmits() {
	in_ns client cat /proc/net/netstat | awk '$1 == "TcpExt:" && !n { n = split($0, name); next }
		$1 == "TcpExt:" { for (i = 1; i <= n; i++) if (name[i] == "TCPSynRetrans") print $i }'
}

load_unharmed() {
	kill "$load"
	retransmits=$(($(syn_retransmits) - retransmits))
	echo "$(answered) answered, $retransmits SYNs sent again"
	cat /tmp/harm
	[ ! -s /tmp/harm ] && [ "$retransmits" = 0 ]
}

# ---- scenarios -----------------------------------------------------------
# Whether a program that changes packets fits into this libxdp's dispatcher on
# this kernel, asked without sluiced: newer kernels want a newer libxdp (1.5.5).
find_shared() {
	shared=no
	! by_loader front >/tmp/loader 2>&1 || shared=yes
	in_ns lb xdp-loader unload front --all >/dev/null 2>&1
	echo "libxdp's dispatcher takes sluice: $shared"
	case $(uname -r) in
	6.1.*) check "this kernel's does" [ "$shared" = yes ] ;;
	*) grep -h 'Extension program' /tmp/loader ;;
	esac
}

by_loader() {
	in_ns lb xdp-loader load -v -m native -s xdp "$1" /sluice.bpf.o
}

pinned_attaches() {
	in_ns lb /usr/bin/ip link set dev nic xdpdrv pinned "$PIN/prog" &&
		ip -n lb link set dev nic xdpdrv off
}

check_stop() {
	stop TERM
	check "sluiced ends well" [ "$status" = 0 ]
	check "front runs nothing" not xdp_of front
	check "back runs nothing" not xdp_of back
	check "its pins are gone" not [ -e "$PIN" ]
}

test_alone() {
	check "the object loads with its own defaults" loads
	start "front, back"
	check "front is attached" runs front "native no $shared"
	check "the plain program" modest 6
	if [ "$shared" = yes ]; then
		check "the program in the dispatcher" modest 28
		check "xdp-loader sees it there" dispatched front sluice
	fi
	check "what is pinned can be attached elsewhere" pinned_attaches
	check_traffic client
	check_stop
}

pings() {
	in_ns client ping -q -c 1 -W 2 -I "$1" 192.0.2.1 >/dev/null
}

# xdp-filter, which is a libxdp program too, is there before sluice.
test_beside() {
	check "xdp-filter loads" in_ns lb xdp-filter load -m native -f ipv4 -p allow front
	check "xdp-filter takes a rule" in_ns lb xdp-filter ip -m src "$REFUSED"
	if [ "$shared" = yes ]; then
		start "front, back"
		check "front is shared" runs front "native no yes"
		check "xdp-filter first, then sluice" dispatched front xdpfilt_alw_ip sluice
		check_traffic client
		check "xdp-filter refuses its address" \
			not get client "http://$SERVICE4/" --interface "$REFUSED" --max-time 2
		stop TERM
		check "sluiced ends well" [ "$status" = 0 ]
	else
		check "sluiced says why not" refuses front "front runs other XDP programs in libxdp's"
	fi
	check "xdp-filter alone is left" dispatched front xdpfilt_alw_ip
	check "back runs nothing" not xdp_of back
	check "xdp-filter lets others pass" pings 192.0.2.2
	check "xdp-filter still refuses" not pings "$REFUSED"
	check "xdp-filter unloads" in_ns lb xdp-filter unload front
}

# Another comes and goes while sluice runs, which is killed and stopped meanwhile.
test_with_others() {
	start "front, back" --keep
	start_load
	check "requests are answered" load_goes_on
	if [ "$shared" = yes ]; then
		check "xdp-loader adds a program" add_other
		check "both are there" dispatched front xdpfilt_alw_all sluice
	else
		check "xdp-loader does not get in" not add_other
	fi
	check "requests go on" load_goes_on
	kill -KILL "$daemon"
	check "requests go on without a daemon" load_goes_on
	start "front, back" --keep
	check "the next one takes over" runs front "native yes $shared"
	check "what is pinned can be attached elsewhere" pinned_attaches
	check "requests go on" load_goes_on
	stop TERM
	check "sluiced ends well" [ "$status" = 0 ]
	check "with --keep, requests go on without a daemon" load_goes_on
	start "front, back"
	check "the next one takes over" runs front "native yes $shared"
	check "back is taken over" runs back "native yes $shared"
	if [ "$shared" = yes ]; then
		check "both are still there" dispatched front xdpfilt_alw_all sluice
		check "the other is taken off" \
			in_ns lb xdp-loader unload front -i "$(id_of xdpfilt_alw_all)"
		check "sluice is left" dispatched front sluice
		check "requests go on" load_goes_on
	fi
	check "none was harmed" load_unharmed
	check_traffic client
	check_stop
}

add_other() {
	in_ns lb xdp-loader load -m native front "$OTHER"
}

# `ip link` attaches the object as it is, with maps of its own.
test_by_hand() {
	check "ip link attaches the object" ip -n lb link set dev front xdpdrv obj /sluice.bpf.o sec xdp
	before=$(xdp_of front)
	start "front, back"
	check "front is adopted, alone" runs front "native yes no"
	check "it is the same program" [ "$(xdp_of front)" = "$before" ]
	check "back shares its maps" runs back "native no $shared"
	check_traffic client
	check_stop
}

# So does xdp-loader: the maps of the first are kept, and whatever else runs
# sluice gets a program that has them too.
test_by_loader() {
	[ "$shared" = yes ] || return 0
	check "xdp-loader attaches the object" by_loader front
	check "and to another interface" by_loader back
	check "ip link to a third" ip -n lb link set dev nic xdpdrv obj /sluice.bpf.o sec xdp
	start "front, back, nic"
	check "front is adopted" runs front "native yes yes"
	check "back is replaced" runs back "native no yes"
	check "there is one sluice on back" dispatched back sluice
	check "nic is replaced" runs nic "native no no"
	check_traffic client
	check_traffic remote
	check_stop
	check "nic runs nothing" not xdp_of nic
}

test_foreign() {
	bpftool prog load "$OTHER" /sys/fs/bpf/foreign type xdp >/dev/null 2>&1
	in_ns lb /usr/bin/ip link set dev front xdpdrv pinned /sys/fs/bpf/foreign
	before=$(xdp_of front)
	check "what is not libxdp's is named" refuses front "front already runs another XDP program"
	check "and left" [ "$(xdp_of front)" = "$before" ]
	ip -n lb link set dev front xdpdrv off
	rm /sys/fs/bpf/foreign
}

test_virtio() {
	start "nic, back"
	check "the card runs it natively" runs nic "native no $shared"
	check_traffic remote
	stop TERM
	check "the card runs nothing" not xdp_of nic
	ip -n lb link set dev nic mtu 9000
	check "a driver that refuses is named" refuses nic "the driver of nic refuses XDP in native mode"
	ip -n lb link set dev nic mtu 1500
}

no_complaints() {
	! dmesg | grep -A 20 -E 'BUG:|WARNING:|Oops|Call Trace'
}

main() {
	mount_all
	echo "kernel $(uname -r)"
	make_network
	start_servers
	find_shared
	while read -r scenario; do
		echo "$scenario ($(seconds) s)"
		"test_$scenario"
	done </scenarios
	check "the kernel has no complaints" no_complaints
	echo "$passed passed, $failed failed"
}

main
sync
poweroff -f

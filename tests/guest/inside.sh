#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The init of the guest that run.sh boots: checks that sluice works on this
# kernel, alone and beside other XDP programs, and switches the machine off.
# shellcheck disable=SC2317 # most functions are called by name
set -u

export PATH=/usr/bin
# shellcheck disable=SC1091 # where run.sh puts it
. /lab.sh

OTHER=/usr/lib/x86_64-linux-gnu/bpf/xdpfilt_alw_all.o # without rules, passes all
INSTRUCTIONS_MOST=500000 # half of what a kernel verifies

passed=0
failed=0

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
	[ ! -s /tmp/log ] || tail -n 30 /tmp/log | sed 's/^/          log: /'
}

quietly() {
	"$@" >/dev/null 2>&1
}

not() {
	! quietly "$@"
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

# ---- scenarios -----------------------------------------------------------
# start INTERFACES [OPTION...]: the daemon, until all backends serve.
start() {
	launch "$@"
	check "sluiced starts, and all backends serve" wait_for 30 all_serve
}

check_traffic() {
	check "$1 reaches both backends by IPv4" fetch "$1" "$SERVICE4"
	check "$1 reaches both backends by IPv6" fetch "$1" "[$SERVICE6]"
}

# Whether a program that changes packets fits into this libxdp's dispatcher on
# this kernel, asked without sluiced: newer kernels want a newer libxdp (1.5.5).
find_shared() {
	shared=no
	! by_loader front >/tmp/loader 2>&1 || shared=yes
	in_ns lb xdp-loader unload front --all >/dev/null 2>&1
	echo "libxdp's dispatcher takes sluice: $shared"
	case $(uname -r) in
	6.1.*) check "as it should on this kernel" [ "$shared" = yes ] ;;
	*) check "or not, for the reason that is known" reason_known ;;
	esac
}

reason_known() {
	[ "$shared" = yes ] || grep 'Extension program changes packet data' /tmp/loader
}

by_loader() {
	in_ns lb xdp-loader load -vv -m native -s xdp "$1" /sluice.bpf.o
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
	stop KILL
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
	check "xdp-loader attaches the object" quietly by_loader front
	check "and to another interface" quietly by_loader back
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

# status CODE ADDRESS: asks until that is the answer's.
status() {
	for _ in 1 2 3 4 5 6 7 8; do
		in_ns client curl -s -i --max-time 5 "http://$2/" >/tmp/answer
		! grep -q "^HTTP/1.1 $1" /tmp/answer || return 0
	done
	cat /tmp/answer
	return 1
}

said() {
	grep -i "$1" /tmp/answer
}

# The gate goes by the kernel's ticks, and the responder by a program that directs
# sockets: both are the kernel's affair.
# shellcheck disable=SC2034 # lab.sh's configure() reads it
test_limited() {
	LIMIT='{rate: 20/min, burst: 3, count: connections, action: respond}'
	start "front, back"
	LIMIT=
	for address in "$SERVICE4" "[$SERVICE6]"; do
		check "$address answers" status 200 "$address"
		check "and soon in words" status 429 "$address"
		check "which say when to come again" said '^Retry-After: [1-3]'
		sleep 4
		check "and are true" status 200 "$address"
	done
	check "the log hears of it" grep 'is over the limit 20/min of web' /tmp/log
	check_stop
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
	ip -n lb link set dev nic xdp off
	check "it is noticed that other hands take it off" wait_for 10 status_names "taken off nic"
	check "a command puts it back" ctl attach nic
	check "and it runs again" runs nic "native no $shared"
	check_traffic remote
	stop TERM
	check "the card runs nothing" not xdp_of nic
	ip -n lb link set dev nic mtu 9000
	check "a driver that refuses is named" refuses nic "the driver of nic refuses XDP in native mode"
	ip -n lb link set dev nic mtu 1500
}

status_names() {
	ctl status | grep -q "$1"
}

inner_hop() {
	ctl service show inner --json | tr -d ' \n' | grep -q "\"state\":\"$1\""
}

# A veth takes frames from XDP while its other end polls. Linux says so since 6.3; before, sluice
# looks at the other end.
# shellcheck disable=SC2034 # `forward` is read by lab.sh
test_frames() {
	ip -n lb link add v0 type veth peer name v1
	ip -n lb address add 10.3.0.1/24 dev v0
	ip -n lb link set v0 up
	ip -n lb link set v1 up
	ip -n lb neigh add 10.3.0.2 lladdr 02:00:00:00:03:02 dev v0 nud permanent
	forward=inner
	start "front, back"
	check "a veth that takes no frames is named" inner_hop needs_polling
	in_ns lb ethtool -K v1 gro on
	check "once its other end polls, it is used" wait_for 10 inner_hop resolved
	in_ns lb ethtool -K v1 gro off
	check "until it does not" wait_for 10 inner_hop needs_polling
	check_stop
	forward=nat
}

# Packets that came out of a tunnel device of a backend's.
received() {
	in_ns "$1" cat /proc/net/dev | awk -v name="$2:" '$1 == name { print $3 }'
}

counted() {
	ctl stats --json | tr -d ' \n' | grep -q "\"name\":\"$1\",[^}]*\"packets\":[1-9]"
}

# The kernel's own tunnel devices take what sluice has encapsulated, by either way
# of setting them up; a client whose packets are too long is told, and heeds it.
# shellcheck disable=SC2034 # `forward` is read by lab.sh
test_ipip() {
	forward=ipip
	make_tunnelled
	start "front, back"
	check_traffic client
	for device in "tun1 ipip4" "tun1 ipip6" "tun2 tunl0" "tun2 ip6tnl0"; do
		# shellcheck disable=SC2086 # two words
		check "packets came by $device" [ "$(received $device)" -gt 0 ]
	done
	check "none was too long yet" not counted rejected_too_big
	for host in "$SERVICE4" "[$SERVICE6]"; do
		check "a request of 3000 bytes arrives at $host" large "$host"
	done
	check "its client was told what fits" counted rejected_too_big
	check "nothing was dropped for its size" not counted drop_too_big
	check_stop
	forward=nat
}

counted_as_problem() {
	ctl status | grep 'packets from it come in by'
}

# Frames from a bond carry the index of the member that they came in by.
# shellcheck disable=SC2034 # `forward` is read by lab.sh
test_bond() {
	forward=bond
	make_bond
	start "front, bundle"
	check_traffic client
	check "replies left for the client" counted returned
	check "each member's replies were believed" not counted_as_problem
	check "a backend itself is reached, too" get client http://10.9.0.11:8080/ --max-time 5
	check_stop
	gateway web 10.0.0.1 2001:db8:b::1
	forward=nat
}

large() {
	get client "http://$1/" --max-time 5 -H "X-Large: $(head -c 3000 /dev/zero | tr '\0' x)"
}

# offered MOST_FORWARDED ARGUMENTS...: pktgen sends to a service for two seconds, and
# at most MOST_FORWARDED per cent of it are forwarded, and others only if all may be.
offered() {
	most=$1
	shift
	SYN_OBJECT=/syn.bpf.o TC=/usr/bin/tc in_ns client sh /bench-pktgen.sh -i eth0 -n 2 -b 20 \
		-m "$(ip -n lb link show front | awk '$1 == "link/ether" { print $2 }')" \
		-l "sluicectl --socket $CONTROL" "$@" >/tmp/offered || return 1
	cat /tmp/offered
	awk -v most="$most" '
		{ n[$1] = $2 }
		END {
			print "offered " n["offered"] ", forwarded " n["forwarded"] ", dropped " n["dropped"]
			all = n["forwarded"] + n["dropped"] + n["answered"]
			exit !(n["offered"] > 1000 && n["forwarded"] > 0 && all <= n["offered"] &&
				n["forwarded"] * 100 <= most * n["offered"] &&
				(most == 100 ? n["dropped"] == 0 : n["dropped"] > 0))
		}' /tmp/offered
}

# shellcheck disable=SC2034 # `forward` is read by lab.sh
test_pktgen() {
	forward=flood
	start "front, back"
	check "one flow" offered 100 -d 198.51.100.11 -p 9
	check "1000 flows of long frames, two threads" \
		offered 100 -d 198.51.100.11 -p 9 -f 1000 -t 2 -s 1000
	check "1000 flows by IPv6" offered 100 -d 2001:db8:1::11 -p 9 -f 1000
	check "one flow over its limit" offered 50 -d 198.51.100.12 -p 9
	before=$(answers_to_syns)
	check "a flood of SYNs" offered 100 -d "$SERVICE4" -f flood -S
	check "which are right ones: web answers" [ "$(answers_to_syns)" -gt "$before" ]
	check "a flood of SYNs by IPv6" offered 100 -d "$SERVICE6" -f flood -S
	check "the device is left as it was" not has_filter
	check_stop
	forward=nat
}

# SYNs that web's kernel took for new connections: a wrong checksum is none.
answers_to_syns() {
	in_ns web cat /proc/net/netstat | awk '$1 == "TcpExt:" && !n { n = split($0, name); next }
		$1 == "TcpExt:" { for (i = 1; i <= n; i++) if (name[i] == "SyncookiesSent" ||
			name[i] == "TCPReqQFullDoCookies" || name[i] == "ListenOverflows") sum += $i
			print sum + 0 }'
}

has_filter() {
	in_ns client /usr/bin/tc qdisc show dev eth0 | grep clsact
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
	while read -r scenario <&3; do
		echo "$scenario ($(seconds) s)"
		"test_$scenario"
	done 3</scenarios
	check "the kernel has no complaints" no_complaints
	echo "$passed passed, $failed failed"
}

main
sync
poweroff -f

# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# What inside.sh tests in: namespaces, servers, and sluiced in one of them. Parts
# of it serve inside_instructions.sh, too.
#
#   client --- front [lb] back --- web     veth pairs, 192.0.2.0/24 and 10.0.0.0/24
#   remote --- nic                         virtio cards, 203.0.113.0/24
#
# Frames that XDP sends into a veth need a peer that polls (gro on); senders
# write their checksums themselves (tx off).

SERVICE4=198.51.100.10
SERVICE6=2001:db8:1::10
REFUSED=192.0.2.66 # an address of the client's that xdp-filter refuses
CONTROL=/run/control.sock
CHECK='interval: 500ms, timeout: 400ms'
forward=nat # what `configure` writes
PIN=/sys/fs/bpf/sluice

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
		insmod "/modules/$module.ko"
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
	ip -n "$1" route replace default via "$2"
	ip -n "$1" -6 route replace default via "$3"
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

# ---- backends behind tunnel devices ---------------------------------------
# tun1 and tun2, networks of their own behind web, which is a router here. Each is
# set up by one of the two ways in examples/ipip.yaml, with Debian's rp_filter.
make_tunnelled() {
	in_ns web sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for number in 1 2; do
		namespace "tun$number"
		ip -n web link add "tun$number" type veth peer name eth0 netns "tun$number"
		address web "tun$number" "10.1.$number.1" "2001:db8:b0:$number::1"
		address "tun$number" eth0 "10.1.$number.2" "2001:db8:b0:$number::2"
		gateway "tun$number" "10.1.$number.1" "2001:db8:b0:$number::1"
		in_ns "tun$number" sysctl -q -w net.ipv4.conf.eth0.rp_filter=2
		in_ns "tun$number" httpd -p 80 -h "/www/$number"
	done
	ip -n tun1 link add ipip4 type ipip external
	ip -n tun1 link add ipip6 type ip6tnl external
	serve_tunnelled tun1 ipip4 ipip6
	serve_tunnelled tun2 tunl0 ip6tnl0
	ip -n lb route add 10.1.0.0/16 via 10.0.0.11
	ip -n lb route add 2001:db8:b0::/48 via 2001:db8:b::11
}

# serve_tunnelled NAMESPACE DEVICE4 DEVICE6
serve_tunnelled() {
	ip -n "$1" link set "$2" up
	ip -n "$1" link set "$3" up
	in_ns "$1" sysctl -q -w "net.ipv4.conf.$2.rp_filter=2"
	ip -n "$1" address add "$SERVICE4/32" dev "$2"
	ip -n "$1" address add "$SERVICE6/128" dev "$3" nodad
}

# ---- backends behind a bond ------------------------------------------------
# Two links between lb and web, bundled at both ends; each end sends by both in turn. Web's
# replies go that way until `gateway` says otherwise.
make_bond() {
	for number in 1 2; do
		ip -n lb link add "member$number" type veth peer name "member$number" netns web
	done
	for name in lb web; do
		ip -n "$name" link add bundle type bond mode balance-rr miimon 100
		for number in 1 2; do
			ip -n "$name" link set "member$number" master bundle
		done
	done
	address lb bundle 10.9.0.1 2001:db8:b9::1
	address web bundle 10.9.0.11 2001:db8:b9::11
	gateway web 10.9.0.1 2001:db8:b9::1
	ip -n web address add 10.9.0.12/24 dev bundle
	ip -n web address add 2001:db8:b9::12/64 dev bundle nodad
	for number in 1 2; do
		for name in lb web; do
			in_ns "$name" ethtool -K "member$number" tx off gro on >/dev/null
		done
		for host in "10.9.0.1$number" "[2001:db8:b9::1$number]"; do
			in_ns web httpd -p "$host:8080" -h "/www/$number"
		done
	done
}

# ---- the daemon ----------------------------------------------------------
# web_service FORWARD: the service that all scenarios have, but for its backends.
web_service() {
	cat <<-END
		services:
		  - name: web
		    address: [$SERVICE4, "$SERVICE6"]
		    port: 80
		    forward: $1
		    check: {type: http, path: /, $CHECK, rise: 1}
		    ${LIMIT:+limit: $LIMIT}
		    backends:
	END
}

services_nat() {
	web_service nat
	cat <<-END
		      - {name: web-1, address: 10.0.0.11, port: 8080}
		      - {name: web-2, address: 10.0.0.12, port: 8080}
		      - {name: web-1-v6, address: "2001:db8:b::11", port: 8080}
		      - {name: web-2-v6, address: "2001:db8:b::12", port: 8080}
	END
}

services_ipip() {
	web_service ipip
	cat <<-END
		      - {name: web-1, address: 10.1.1.2}
		      - {name: web-2, address: 10.1.2.2}
		      - {name: web-1-v6, address: "2001:db8:b0:1::2"}
		      - {name: web-2-v6, address: "2001:db8:b0:2::2"}
	END
}

services_bond() {
	services_nat | sed -e 's/10\.0\.0\./10.9.0./' -e 's/2001:db8:b::/2001:db8:b9::/'
}

# A service that is flooded (its server answers checks late then), and a limit that refuses most of it.
services_flood() {
	CHECK='interval: 10s, timeout: 9s' services_nat
	cat <<-END
		  - name: flood
		    address: [198.51.100.11, "2001:db8:1::11"]
		    port: 9
		    protocol: udp
		    check: {type: none}
		    backends:
		      - {name: web-1, address: 10.0.0.11}
		      - {name: web-1-v6, address: "2001:db8:b::11"}
		  - name: limited
		    address: 198.51.100.12
		    port: 9
		    protocol: udp
		    check: {type: none}
		    limit: {rate: 100/s, burst: 100}
		    backends:
		      - {name: web-1, address: 10.0.0.11, port: 10}
	END
}

# A backend at the end of a veth that does not leave lb: see test_frames.
services_inner() {
	services_nat
	cat <<-END
		  - name: inner
		    address: 198.51.100.13
		    port: 9
		    protocol: udp
		    check: {type: none}
		    backends:
		      - {name: inner, address: 10.3.0.2}
	END
}

configure() {
	echo "interfaces: [$1]"
	"services_$forward"
}

ctl() {
	sluicectl --socket "$CONTROL" "$@"
}

all_serve() {
	ctl status | grep -q ' 4/4 *$'
}

# launch INTERFACES [OPTION...]
launch() {
	configure "$1" >/tmp/sluice.yaml
	shift
	run_daemon /tmp/sluice.yaml "$@"
}

# run_daemon FILE [OPTION...]: in the background.
run_daemon() {
	file=$1
	shift
	# Not in_ns, for $! to be the daemon.
	nsenter --net=/run/netns/lb sluiced -v -c "$file" \
		--socket "$CONTROL" --pin-dir "$PIN" "$@" >>/tmp/log 2>&1 &
	daemon=$!
}

# stop SIGNAL: leaves what the daemon ended with in $status.
stop() {
	kill "-$1" "$daemon"
	wait "$daemon"
	status=$?
	echo "--- ended by $1: $status" >>/tmp/log
}

# The interface's row in `sluicectl status`: mode, adopted, shared.
runs() {
	found=$(ctl status | awk -v name="$1" '$1 == name { print $3, $5, $6 }')
	[ "$found" = "$2" ] || { echo "not \"$2\" but \"$found\""; return 1; }
}

# What the verifier went through, of the daemon's programs of this type (6: xdp, 28: ext).
verified() {
	cat "/proc/$daemon/fdinfo/"* 2>/dev/null | awk -v type="$1" '
		/^prog_type:/ { ours = $2 == type }
		/^verified_insns:/ && ours && $2 > most { most = $2 }
		END { print most + 0 }'
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

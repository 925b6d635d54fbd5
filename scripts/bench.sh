#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Cost of the XDP program per packet: starts a real sluiced in a namespace of
# its own, configured by a file, and times the program that it has pinned.
# Everything made here (network, mounts, processes) lives in namespaces that
# end with this script; one temporary directory is removed.
set -eu

usage="usage: bench.sh [--json] [--repeat PACKETS] [--runs N] [--only TEXT]
  --json    also write build/bench/program-cost.json
  --repeat  packets in a run (1000000)
  --runs    runs, of which the median counts (9)
  --only    the scenarios whose names contain TEXT"

cd "$(dirname "$0")/.."
build=build
backends=64

die() {
	echo "bench: $*" >&2
	exit 1
}

misuse() {
	echo "$usage" >&2
	exit 2
}

# Two pairs of interfaces. Clients, the gateway and most backends are behind
# lb0; lb1 leads to the backends that a frame must be redirected to. Nobody is
# at the other ends: test runs transmit nothing, and no packet must arrive that
# the bench has not made.
make_network() {
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	ip link add lb0 type veth peer name far0
	ip link add lb1 type veth peer name far1
	for interface in far0 far1 lb0 lb1; do
		ip link set "$interface" arp off
		ip link set "$interface" up
	done
	ip link set lb0 arp on
	ip link set lb1 arp on
	sysctl -qw net.ipv6.conf.lb0.disable_ipv6=0
	{
		echo "address add 198.18.0.254/24 dev lb0"
		echo "address add 198.19.0.254/24 dev lb1"
		echo "address add fd00:18::ffff/64 dev lb0 nodad"
		neighbour 198.18.0.253 lb0
		neighbour fd00:18::fffe lb0
		for i in $(seq "$backends"); do
			neighbour "198.18.0.$i" lb0
			neighbour "198.19.0.$i" lb1
			neighbour "fd00:18::$i" lb0
		done
		echo "route add default via 198.18.0.253"
		echo "route add default via fd00:18::fffe dev lb0"
	} | ip -batch -
}

neighbour() {
	count=$((${count:-0} + 1))
	printf 'neighbour replace %s lladdr 02:00:00:01:%02x:%02x dev %s nud permanent\n' \
		"$1" $((count / 256)) $((count % 256)) "$2"
}

# service NAME PROTO ADDRESS FORWARD LIMIT BACKEND_PREFIX BACKEND_PORT ACTION FLOWS
# A service of the configuration and the scenario that measures it. Each has an
# address of its own, and with nat a backend port of its own, by which answers
# are told apart.
service() {
	cat >&3 <<-END
	  - name: $1
	    address: "$3"
	    port: 80
	    protocol: $2
	    forward: $4
	    check: {type: none}
	END
	[ "$5" = none ] || echo "    limit: {rate: $5}" >&3
	echo "    backends:" >&3
	for i in $(seq "$backends"); do
		echo "      - {address: \"$6$i\", port: $7}" >&3
	done
	echo "$1 $2 to $3 80 FORWARDED $8 $backends $9" >&4
}

# The limit is one that nothing here reaches; the low ones are run dry by a flood of
# sources that come once each, whom they bind as little.
make_scenarios() {
	flows="1 65536 1048576 flood"
	limit=100M/s
	exec 3>"$work/sluice.yaml" 4>"$work/scenarios"
	printf 'interfaces:\n  - {name: lb0, mode: native}\n  - {name: lb1, mode: native}\n' >&3
	echo "services:" >&3
	service dsr-ipv4 tcp 198.51.100.1 dsr none 198.18.0. 80 TX "$flows"
	service dsr-ipv4-limit tcp 198.51.100.2 dsr $limit 198.18.0. 80 TX "$flows"
	service nat-ipv4 tcp 198.51.100.3 nat none 198.18.0. 8003 TX "$flows"
	service nat-ipv4-limit tcp 198.51.100.4 nat $limit 198.18.0. 8004 TX "$flows"
	service dsr-ipv6 tcp fd00:51::1 dsr none fd00:18:: 80 TX "$flows"
	service dsr-ipv6-limit tcp fd00:51::2 dsr $limit fd00:18:: 80 TX "$flows"
	service nat-ipv6 tcp fd00:51::3 nat none fd00:18:: 8003 TX "$flows"
	service nat-ipv6-limit tcp fd00:51::4 nat $limit fd00:18:: 8004 TX "$flows"
	service ipip-ipv4 tcp 198.51.100.9 ipip none 198.18.0. 80 TX "$flows"
	service ipip-ipv4-limit tcp 198.51.100.10 ipip $limit 198.18.0. 80 TX "$flows"
	service ipip-ipv6 tcp fd00:51::9 ipip none fd00:18:: 80 TX "$flows"
	service ipip-ipv6-limit tcp fd00:51::a ipip $limit fd00:18:: 80 TX "$flows"
	service dsr-ipv4-limit-1000 tcp 198.51.100.7 dsr 1000/s 198.18.0. 80 TX flood
	service dsr-ipv4-limit-10 tcp 198.51.100.8 dsr "10/s, burst: 20" 198.18.0. 80 TX flood
	service dsr-ipv6-limit-10 tcp fd00:51::8 dsr "10/s, burst: 20" fd00:18:: 80 TX flood
	service dsr-ipv4-udp udp 198.51.100.5 dsr none 198.18.0. 80 TX "$flows"
	service dsr-ipv4-redirect tcp 198.51.100.6 dsr none 198.19.0. 80 REDIRECT "1 65536"
	echo "nat-ipv4-return tcp from 198.18.0.1 8003 RETURNED TX 1 1 65536" >&4
	echo "pass-ipv4 tcp to 198.51.100.99 80 PASS_NO_SERVICE PASS 0 1 65536" >&4
	exec 3>&- 4>&-
}

start_sluiced() {
	mkdir "$work/bpf"
	mount -t bpf bpf "$work/bpf"
	"$build/sluiced" -c "$work/sluice.yaml" --socket "$work/control.sock" \
		--pin-dir "$work/bpf/sluice" 2>"$work/log" &
	sluiced=$!
	for _ in $(seq 100); do
		[ -S "$work/control.sock" ] && [ -e "$work/bpf/sluice/prog" ] && return
		kill -0 "$sluiced" 2>/dev/null || break
		sleep 0.1
	done
	cat "$work/log" >&2
	die "sluiced did not start"
}

measure() {
	revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
	[ -z "$(git status --porcelain 2>/dev/null)" ] || revision="$revision, changed"
	"$build/bench/program-cost" --prog "$work/bpf/sluice/prog" \
		--ifindex "$(ip -o link show lb0 | cut -d: -f1)" --scenarios "$work/scenarios" \
		--note "machine=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		--note "cpus=$(nproc)" --note "kernel=$(uname -r)" \
		--note "clang=$(clang --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" \
		--note "revision=$revision" "$@" && return
	cat "$work/log" >&2
	die "failed"
}

# Inside: the namespaces' first process, with which all else there ends.
if [ -n "${SLUICE_BENCH_WORK:-}" ]; then
	work=$SLUICE_BENCH_WORK
	make_network
	make_scenarios
	start_sluiced
	measure "$@"
	exit
fi

# Each argument is looked at once and put back at the end.
n=$#
while [ "$n" -gt 0 ]; do
	option=$1
	shift
	n=$((n - 1))
	case $option in
	--json) set -- "$@" --json "$build/bench/program-cost.json" ;;
	--repeat | --runs | --only)
		[ "$n" -gt 0 ] || misuse
		set -- "$@" "$option" "$1"
		shift
		n=$((n - 1))
		;;
	*) misuse ;;
	esac
done

# Outside. unshare itself defers signals, hence the kill that it cannot.
[ "$(id -u)" = 0 ] || die "must be root"
SLUICE_BENCH_WORK=$(mktemp -d)
export SLUICE_BENCH_WORK
trap 'rm -rf "$SLUICE_BENCH_WORK"' EXIT
setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc -- \
	"scripts/${0##*/}" "$@" &
inside=$!
trap 'kill -KILL "$inside"; wait "$inside" || :; exit 130' INT TERM
wait "$inside"

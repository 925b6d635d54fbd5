# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034 # those that source it use the variables
# What bench-pktgen.sh and bench-trafgen.sh share: what is to be sent, and how much of
# it came where. Sourced; $0 is one of them.

usage="usage: ${0##*/} -i DEVICE -m MAC -d ADDRESS [OPTION...]
Sends packets to a service of sluice, and tells how many were offered, forwarded and
dropped. DEVICE is sent from: it is this machine's, and nothing else should use it.
  -i DEVICE   where to send from
  -m MAC      whom to send to: the balancer's interface, or the router before it
  -d ADDRESS  the service's, IPv4 or IPv6
  -p PORT     the service's (80)
  -f FLOWS    the number of sources (1), or flood: a new one for each packet
  -b N        IPv4 sources are N.0.0.0 and on (10); IPv6: 2001:db8:f::
  -s SIZE     of frames in bytes, without the checksum (60; IPv6: 74)
  -t THREADS  each on a CPU of its own (1)
  -n SECONDS  how long (10)
  -S          TCP SYNs; else UDP
  -l COMMAND  how to ask sluice: sluicectl, if its daemon is on this machine; or
              'ssh balancer sluicectl', say
  -c DEVICE   without that: where what is forwarded arrives on this machine (-i's)"

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

misuse() {
	[ $# = 0 ] || echo "${0##*/}: $*" >&2
	echo "$usage" >&2
	exit 2
}

# number TEXT MIN MAX OPTION
number() {
	case $1 in
	'' | *[!0-9]*) misuse "$4 takes a number, not '$1'" ;;
	esac
	if [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then
		misuse "$4 takes a number from $2 to $3, not $1"
	fi
}

# Reads the options into variables of their long names.
parse_options() {
	device='' mac='' address='' port=80 flows=1 size='' threads=1 seconds=10 syn='' ask='' sink='' first=10
	while getopts i:m:d:p:f:b:s:t:n:Sl:c:h option; do
		case $option in
		i) device=$OPTARG ;;
		m) mac=$OPTARG ;;
		d) address=$OPTARG ;;
		p) port=$OPTARG ;;
		f) flows=$OPTARG ;;
		b) first=$OPTARG ;;
		s) size=$OPTARG ;;
		t) threads=$OPTARG ;;
		n) seconds=$OPTARG ;;
		S) syn=1 ;;
		l) ask=$OPTARG ;;
		c) sink=$OPTARG ;;
		h)
			echo "$usage"
			exit 0
			;;
		*) misuse ;;
		esac
	done
	shift $((OPTIND - 1))
	[ $# = 0 ] || misuse "unexpected argument '$1'"
	check_options
}

check_options() {
	if [ -z "$device" ] || [ -z "$mac" ] || [ -z "$address" ]; then
		misuse "-i, -m and -d are needed"
	fi
	case $address in
	*:*) family=6 header=54 ;;
	*) family=4 header=34 ;;
	esac
	: "${size:=$((header == 34 ? 60 : 74))}" "${sink:=$device}"
	[ "$flows" = flood ] || number "$flows" 1 16777216 -f
	number "$port" 1 65535 -p
	number "$first" 1 223 -b
	number "$size" $((header == 34 ? 60 : 74)) 1514 -s
	number "$threads" 1 "$(nproc)" -t
	number "$seconds" 1 3600 -n
	echo "$mac" | grep -qE '^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$' || misuse "'$mac' is no MAC address"
	echo "$address" | grep -qE '^[0-9a-fA-F.:]+$' || misuse "'$address' is no address"
	[ "$(id -u)" = 0 ] || die "must be root"
	[ -d "/proc/sys/net/ipv4/conf/$device" ] || die "no device $device"
	[ -d "/proc/sys/net/ipv4/conf/$sink" ] || die "no device $sink"
	if [ -z "$ask" ] && [ -S /run/sluice/control.sock ]; then
		ask=sluicectl
	fi
	[ -z "$ask" ] || $ask stats --json >/dev/null || die "'$ask stats' does not answer"
}

# ---- counters --------------------------------------------------------------
# interface DEVICE: packets sent, refused, received. /proc/net/dev is that of the
# network namespace, /sys may not be.
interface() {
	sed 's/:/ /' /proc/net/dev | awk -v name="$1" '$1 == name { print $11, $13, $3 }'
}

# Packets forwarded, dropped, and answered in the backend's stead, as sluice counts
# them; not what comes back from backends.
asked() {
	$ask stats --json | awk '
		/"services"/ { exit }
		/"name":/ { name = $0; gsub(/.*: "|",?/, "", name) }
		/"action":/ { action = $0; gsub(/.*: "|",?/, "", action) }
		/"packets":/ {
			n = $0
			gsub(/[^0-9]/, "", n)
			if (name == "forwarded") forwarded += n
			else if (name == "returned" || name == "drop_no_route") next
			else if (action == "drop") dropped += n
			else if (action == "forward") answered += n
		}
		END { printf "%.0f %.0f %.0f\n", forwarded, dropped, answered }'
}

counters() {
	sent=$(interface "$device")
	here=$(interface "$sink")
	there='- - -'
	[ -z "$ask" ] || there=$(asked)
	echo "$sent $here $there"
}

now() {
	cut -d ' ' -f 1 /proc/uptime
}

# Until the counters rest: the last packets are still on their way.
settled() {
	last=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		this=$(counters)
		[ "$this" != "$last" ] || break
		last=$this
		sleep 0.3
	done
	echo "$this"
}

# report BEFORE AFTER SECONDS: the counters and how long was sent.
report() {
	echo "$1 $2 $3 $device $sink" | awk -v asked="$ask" '{
		took = $19
		offered = $10 + $11 - $1 - $2
		refused = $11 - $2
		if (asked != "") {
			forwarded = $16 - $7; dropped = $17 - $8
			answered = $18 - $9
		} else {
			forwarded = $15 - $6; dropped = offered - refused - forwarded
			answered = 0
			if (dropped < 0) dropped = 0 # frames of others arrived there
		}
		if (took <= 0) took = 0.01
		printf "%-10s %12s %8s\n", "", "packets", "Mpps"
		line("offered", offered); line("forwarded", forwarded); line("dropped", dropped)
		if (answered > 0) line("answered", answered)
		if (refused > 0) line("not sent", refused)
		lost = offered - refused - forwarded - dropped - answered
		if (asked != "" && lost > 0) line("lost", lost)
		printf "in %.2f s; %s\n", took, asked != "" ? "counted by sluice: " asked : \
			"no sluicectl: forwarded is what arrived on " $21 ", dropped the rest"
	}
	function line(words, n) { printf "%-10s %12.0f %8.3f\n", words, n, n / took / 1e6 }'
}

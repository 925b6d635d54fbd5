#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs what building, the demo and the tests need, from Debian's packages; with
# the word `bench`, what sluice is measured against, too; with the word `fuzz`, the
# runtime of $CLANG, which holds libFuzzer.
# Asks apt only for what is missing; on another distribution it names what is
# wanted and leaves the rest to the user.
set -eu

build="clang llvm bpftool gcc make pkg-config libc6-dev linux-libc-dev
	libbpf-dev libxdp-dev libuv1-dev libmicrohttpd-dev libjansson-dev
	libyaml-dev libmnl-dev libcap-ng-dev libseccomp-dev libcurl4-openssl-dev"
run="iproute2 ethtool procps"
tests="libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-scapy python3-yaml
	nginx-light curl wrk iperf3 dnsmasq-base keepalived tcpdump netsniff-ng"
care="clang-format-19 clang-tidy cppcheck shellcheck mandoc"
more=
case ${1:-} in
bench) more="haproxy libnginx-mod-stream nftables" ;;
fuzz) more=libclang-rt-$(echo __clang_major__ | "${CLANG:-clang}" -E -P -)-dev ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
	# shellcheck disable=SC2086 # the lists are meant to be split
	echo "deps: not a Debian system; needed, by their Debian names:" $build $run $tests $more >&2
	exit 0
fi

missing=
for package in $build $run $tests $care $more; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps: missing:$missing" >&2
	echo "deps: run it as root to install them" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
# RUNLEVEL=1 keeps a freshly installed nginx or haproxy from being started here.
# shellcheck disable=SC2086 # the list is meant to be split
RUNLEVEL=1 apt-get install -q -y --no-install-recommends $missing

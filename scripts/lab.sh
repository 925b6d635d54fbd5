#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A shell in a network of its own: two clients, the balancer with sluiced, three nginx
# servers, each a network namespace (`make lab`). All of it goes when the shell ends.
# With arguments, they are the command that runs there instead, and its exit status is
# this one's: scripts/lab.sh client curl -s http://198.51.100.10/
here=$(dirname "$0")
case ${1:-} in
-h | --help)
	sed -n '3,7s/^# //p' "$0"
	exit 0
	;;
esac
if [ "$(id -u)" -ne 0 ]; then
	echo "lab: making network namespaces needs root: sudo make lab" >&2
	exit 1
fi
exec "${PYTHON:-/usr/bin/python3}" -B "$here/lab.py" "$@"

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A load balancer at work, in network namespaces of its own (`make demo`). The
# story is told by demo.py; the networks are those of the tests (tests/lab).
here=$(dirname "$0")
if [ "$(id -u)" -ne 0 ]; then
	echo "demo: making network namespaces needs root: sudo make demo" >&2
	exit 1
fi
exec "${PYTHON:-/usr/bin/python3}" -B "$here/demo.py" "$@"

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How fast sluice is (`make bench`): see --help, and docs/benchmarks/README.md. The
# measuring is in tests/bench; the networks are those of the tests (tests/lab).
root=$(cd "$(dirname "$0")/.." && pwd)
PYTHONPATH=$root/tests exec "${PYTHON:-/usr/bin/python3}" -B -m bench "$@"

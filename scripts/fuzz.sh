#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs fuzz targets, each for SECONDS seconds: scripts/fuzz.sh SECONDS PROGRAM...
# (`make fuzz`). The inputs that reach new code are kept in build/fuzz/corpus, and the
# next run goes on from there; what makes a target fail is kept in build/fuzz/found.
set -eu

cd "$(dirname "$0")/.."
seconds=$1
shift
case $seconds in
'' | *[!0-9]* | 0*)
	echo "fuzz: SECONDS is a whole number from 1, not '$seconds'" >&2
	exit 2
	;;
esac

"${PYTHON:-/usr/bin/python3}" -B tests/fuzz/seeds.py build/fuzz/seeds
mkdir -p build/fuzz/found
failed=0
for program; do
	name=$(basename "$program" -fuzz)
	log=build/fuzz/$name.log
	corpus=build/fuzz/corpus/$name
	mkdir -p "$corpus"
	printf '  %-8s %s, %s s\n' FUZZ "$name" "$seconds"
	set -- "$corpus" "build/fuzz/seeds/$name"
	[ ! -e "tests/fuzz/$name.dict" ] || set -- "-dict=tests/fuzz/$name.dict" "$@"
	if "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=16384 \
		-print_final_stats=1 -artifact_prefix="build/fuzz/found/$name-" "$@" >"$log" 2>&1; then
		awk '/ cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
			/number_of_executed_units/ { n = $2 }
			END { printf "           %d inputs, %d edges reached, nothing found\n", n, edges }' "$log"
	else
		failed=1
		tail -n 40 "$log" >&2
		echo "fuzz: $name fails; all of it is in $log. Again: $program INPUT, of build/fuzz/found/" >&2
	fi
done
exit "$failed"

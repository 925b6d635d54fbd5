#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs this tree's configuration and a base's over the same texts, and fails unless
# everything is the same: what is refused and where, every value, what is emitted,
# copies, comparisons, changes at run time. By hand: compare.sh REVISION [N]; N random
# configurations, 10 000 where it is not said. Needs git, gcc and the libraries; leaves
# its files in build/config-compare. CFLAGS adds options of the compiler.
set -eu

cd "$(dirname "$0")/../.."
base=${1:?REVISION is missing}
n=${2:-10000}
case $n in
0* | *[!0-9]*)
	echo "config-compare: N is a whole number from 1, not '$n'" >&2
	exit 2
	;;
esac
out=build/config-compare
libraries='-lyaml -ljansson -lm'

rm -rf "$out"
mkdir -p "$out/base"
git archive "$base" user/lib include | tar -x -C "$out/base"

# compile TREE ARGUMENT...
compile() {
	tree=$1
	shift
	# shellcheck disable=SC2086 # a list
	"${CC:-gcc}" -std=gnu11 -O1 -g -D_GNU_SOURCE ${CFLAGS:-} -I"$tree/user" -I"$tree/include" \
		-Itests "$@"
}

# library TREE OUTPUT: the whole library as one object.
library() {
	# shellcheck disable=SC2046 # a list; paths hold no blanks
	compile "$1" -r $(find "$1/user/lib" -name '*.c') -o "$2"
}

library . "$out/tree.o" &
library "$out/base" "$out/base.o"
wait $!

# The texts: random ones, and those that the unit tests parse.
compile . tests/config/corpus.c -o "$out/corpus"
"$out/corpus" "$n" >"$out/texts"
for test in tests/unit/config/*_test.c; do
	# shellcheck disable=SC2086
	compile . "$test" tests/config/record.c "$out/tree.o" -Wl,--wrap=config_parse -lcmocka \
		$libraries -o "$out/test"
	CORPUS=$out/texts "$out/test" >"$out/log" 2>&1 || echo "$test fails; it parsed its texts"
done

# shellcheck disable=SC2086
compile . tests/config/results.c "$out/tree.o" $libraries -o "$out/tree.results"
# shellcheck disable=SC2086
compile "$out/base" tests/config/results.c "$out/base.o" $libraries -o "$out/base.results"
"$out/tree.results" "$out/texts" >"$out/tree.txt" 2>"$out/tree.totals"
"$out/base.results" "$out/texts" >"$out/base.txt" 2>"$out/base.totals"

if ! cmp -s "$out/base.txt" "$out/tree.txt"; then
	diff "$out/base.txt" "$out/tree.txt" | head -n 20
	echo "not the same: $out/base.txt, $out/tree.txt" >&2
	exit 1
fi
read -r configurations variants refusals <"$out/tree.totals"
echo "$configurations configurations, $variants edited: parse, emit, copy, compare the same;" \
	"$refusals refusals: sentence, line, column the same"

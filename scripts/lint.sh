#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the compiler does not see: that every header stands alone, that the
# layers keep to their side, format, shell scripts, static analysis, man pages.
# Runs every check, then fails if any of them did. Called by `make lint`, which
# says how things are compiled; changes nothing.
set -u

cd "$(dirname "$0")/.." || exit 1
: "${CC:?run it as \"make lint\"}" "${CLANG:?}" "${CLANG_FORMAT:?}" "${LINT_CFLAGS:?}" "${LINT_BPF_CFLAGS:?}"

failed=0

complain() {
	printf '%s\n' "$*" >&2
	failed=1
}

# files PATTERN...: ours, new ones included, deleted ones not.
files() {
	git ls-files -co --exclude-standard -- "$@" | sort -u | while read -r file; do
		[ -e "$file" ] && printf '%s\n' "$file"
	done
}

say() {
	printf '  %-8s %s\n' LINT "$1"
}

# skip CHECK WHY
skip() {
	printf '  %-8s %s: %s\n' SKIPPED "$1" "$2"
}

# ---- every header compiles alone, and twice ------------------------------
compiles() {
	header=$1
	shift
	# shellcheck disable=SC2059 # the format is the program
	printf "#include \"$header\"\n#include \"$header\"\n" | "$@" -I. -fsyntax-only -x c - ||
		complain "lint: $header does not compile alone"
}

check_headers() {
	say headers
	for header in $(files 'include/*.h' 'user/*.h' 'tests/*.h'); do
		# shellcheck disable=SC2086 # a list of flags
		compiles "$header" "$CC" $LINT_CFLAGS -Itests
	done
	for header in $(files 'include/*.h' 'bpf/*.h'); do
		# shellcheck disable=SC2086
		compiles "$header" "$CLANG" $LINT_BPF_CFLAGS
	done
}

# ---- layers --------------------------------------------------------------
# includes FILE...: lines "FILE:LINE NAME", NAME as it is written between the
# quotes or brackets.
includes() {
	awk '/^[ \t]*#[ \t]*include[ \t]*["<]/ {
		name = $0
		sub(/^[^"<]*["<]/, "", name)
		sub(/[">].*/, "", name)
		print FILENAME ":" FNR, name
	}' "$@" </dev/null
}

# refuse PATTERN WHY FILE...: no file may include what the pattern matches.
refuse() {
	pattern=$1
	why=$2
	shift 2
	[ $# -gt 0 ] || return 0
	found=$(includes "$@" | grep -E " $pattern" | sed "s|\$|: $why|")
	[ -z "$found" ] || complain "$found"
}

# allow PATTERN WHY FILE...: no file may include anything else.
allow() {
	pattern=$1
	why=$2
	shift 2
	[ $# -gt 0 ] || return 0
	found=$(includes "$@" | grep -vE " $pattern" | sed "s|\$|: $why|")
	[ -z "$found" ] || complain "$found"
}

libbpf='(bpf/|xdp/|linux/bpf\.h|([^ ]*/)?[^ /]*\.skel\.h)'
libraries='(uv\.h|curl/|microhttpd\.h|libmnl/)'

# Paths hold no blanks, so lists of them are split at blanks.
# shellcheck disable=SC2046
check_layers() {
	say layers
	allow '(linux/types\.h|sluice/[a-z_]*\.h)$' 'include/ knows linux/types.h and itself' \
		$(files 'include/*.h')
	refuse '(lib|daemon|cli|tests|user)/' 'bpf/ knows include/ alone' $(files 'bpf/*.[ch]')
	refuse "($libbpf|$libraries|daemon/|cli/|tests/)" 'user/lib is pure' \
		$(files 'user/lib/*.[ch]')
	refuse "($libbpf|uv\.h|microhttpd\.h|libmnl/|daemon/|tests/)" \
		'user/cli speaks to the daemon by its socket alone' $(files 'user/cli/*.[ch]')
	refuse "(cli/|tests/)" 'the daemon does not know the tool' $(files 'user/daemon/*.[ch]')
	refuse "$libbpf" 'datapath/ alone knows libbpf' $(files 'user/daemon/*.[ch]' ':!user/daemon/datapath/')
	refuse 'daemon/datapath/(internal|change|maps|prefixes)\.h' 'private to datapath/' \
		$(files 'user/daemon/*.[ch]' ':!user/daemon/datapath/')
	refuse 'daemon/nexthop/(internal|path|links|routes|neighbours|neighbour_entry)\.h' 'private to nexthop/' \
		$(files 'user/daemon/*.[ch]' ':!user/daemon/nexthop/')
	refuse 'daemon/health/(target|probe|curl_loop)\.h' 'private to health/' \
		$(files 'user/daemon/*.[ch]' ':!user/daemon/health/')
	refuse 'daemon/core/internal\.h' 'private to core/' $(files 'user/daemon/*.[ch]' ':!user/daemon/core/')
	refuse 'daemon/(netlink|nexthop|health|datapath|responder|core|limits|api)/' 'log.c is the ground' user/daemon/log.[ch]
	refuse 'daemon/(nexthop|health|datapath|responder|core|limits|api)/' 'netlink/ is under the others' $(files 'user/daemon/netlink/*')
	refuse 'daemon/(health|datapath|responder|core|limits|api)/' 'nexthop/ knows netlink/ alone' $(files 'user/daemon/nexthop/*')
	refuse 'daemon/(netlink|nexthop|datapath|responder|core|limits|api)/' 'health/ knows no other room' $(files 'user/daemon/health/*')
	refuse 'daemon/(netlink|nexthop|health|responder|core|limits|api)/' 'datapath/ knows no other room' $(files 'user/daemon/datapath/*')
	refuse 'daemon/(nexthop|health|core|limits|api)/' 'responder/ knows datapath/ and netlink/' $(files 'user/daemon/responder/*')
	refuse 'daemon/api/' 'core/ does not know who asks' $(files 'user/daemon/core/*' 'user/daemon/limits/*')
	refuse 'lib/(config|alloc|balance|limit)/' 'base/ is the ground of the library' $(files 'user/lib/base/*')

	tested=$(grep -nE '^[ \t]*#[ \t]*if.*\<TEST' $(files 'include/*.h' 'user/*.h' 'bpf/*.h'))
	[ -z "$tested" ] || complain "$tested: shipped headers have nothing for tests in them"
}

# ---- no header includes itself by way of others --------------------------
# Names are looked up as the compiler does: beside the file, then in the roots.
resolve() {
	for directory in "$(dirname "$1")" include user .; do
		if [ -e "$directory/$2" ]; then
			printf '%s %s\n' "${1#./}" "${directory#./}/$2" | sed 's| \./| |'
			return
		fi
	done
}

# shellcheck disable=SC2046
check_cycles() {
	say cycles
	loops=$(includes $(files '*.h') | sed 's/:[0-9]* / /' | while read -r from name; do
		resolve "$from" "$name"
	done | tsort 2>&1 >/dev/null)
	[ -z "$loops" ] || complain "lint: headers include each other:
$loops"
}

# ---- every member of the configuration has a row ---------------------------
# Without a row, whose MEMBER() or MEMBERS() names it, a member of config.h would be
# neither read nor compared. line and by_name are no keys.
# shellcheck disable=SC2046
check_rows() {
	say rows
	forgotten=$(awk '
		# Comments, and what stands between lines, are taken out.
		{ text[FILENAME] = text[FILENAME] " " $0 }
		function plain(source) {
			while ((at = index(source, "/*")) > 0)
				source = substr(source, 1, at - 1) \
					 substr(source, at + index(substr(source, at), "*/") + 1)
			return source
		}
		# Notes rows[STRUCT.FIRST] = LAST.
		function take_rows(source, parts) {
			while (match(source, /MEMBERS?\(struct [a-z_]+, [^)]*\)/)) {
				split(substr(source, RSTART, RLENGTH), parts, /[( ,)]+/)
				rows[parts[3] "." parts[4]] = parts[5] ? parts[5] : parts[4]
				sections[parts[3]] = 1
				source = substr(source, RSTART + RLENGTH)
			}
		}
		# Notes members[STRUCT, 1 ...] and types[STRUCT, 1 ...].
		function take_structs(source, parts, declarations, names, i, j, n, m) {
			while (match(source, /struct [a-z_]+ \{[^}]*\}/)) {
				split(substr(source, RSTART, RLENGTH), parts, /[ {}]+/)
				n = split(substr(source, RSTART, RLENGTH), declarations, /[{;}]/)
				source = substr(source, RSTART + RLENGTH)
				for (i = 2; i < n; i++) {
					gsub(/\[[^]]*\]|\*/, "", declarations[i])
					m = split(declarations[i], names, ",")
					type = names[1]
					sub(/^[ \t]*struct /, "", type)
					sub(/ .*/, "", type)
					for (j = 1; j <= m; j++) {
						sub(/^.*[ \t]/, "", names[j])
						if (names[j] == "")
							continue
						members[parts[2], ++count[parts[2]]] = names[j]
						types[parts[2], count[parts[2]]] = type
					}
				}
			}
		}
		# Prints the members of a struct, found at prefix, that no row speaks of.
		function check(name, prefix, i, member, until) {
			for (i = 1; i <= count[name]; i++) {
				member = members[name, i]
				if (prefix member in rows)
					until = rows[prefix member]
				else if (!until && types[name, i] in inside)
					check(types[name, i], prefix member ".")
				else if (!until && member != "line" && member != "by_name")
					print prefix member
				if (until == member || until == substr(prefix, index(prefix, ".") + 1) member)
					until = ""
			}
		}
		END {
			take_structs(plain(text["user/lib/config/config.h"]))
			for (file in text)
				if (file ~ /\.c$/)
					take_rows(plain(text[file]))
			inside["access_config"] = 1
			for (name in sections)
				check(name, name ".")
		}' user/lib/config/config.h $(files 'user/lib/config/*.c'))
	[ -z "$forgotten" ] || complain "$(printf '%s\n' "$forgotten" |
		sed 's/$/: a member of config.h that no row of user\/lib\/config has/')"
}

# ---- tools ---------------------------------------------------------------
# Each version of clang-format has ideas of its own: the named one decides.
check_format() {
	if ! command -v "$CLANG_FORMAT" >/dev/null 2>&1; then
		skip format "there is no $CLANG_FORMAT on this machine"
		return
	fi
	say format
	for file in $(files '*.c' '*.h'); do
		"$CLANG_FORMAT" --dry-run -Werror "$file" >/dev/null 2>&1 ||
			complain "$file: not as 'make format' leaves it"
	done
}

# shellcheck disable=SC2046
check_shell() {
	say shell
	scripts=$(files | while read -r file; do
		head -n 1 "$file" | grep -qaE '^#!.*[/ ](ba|da)?sh( |$)' && echo "$file"
	done)
	# shellcheck disable=SC2086
	shellcheck $scripts || complain "lint: shellcheck"
}

# cppcheck does not know the cleanup attribute, so that all that we own looks
# leaked to it. It is shown those system headers alone whose macros stand for
# syntax (loops, structs); all of them would cost minutes and false alarms.
check_cppcheck() {
	say cppcheck
	for header in sys/queue.h libmnl/libmnl.h bpf/libbpf.h bpf/libbpf_common.h \
		jansson.h jansson_config.h; do
		mkdir -p "build/lint/$(dirname "$header")"
		path=$(echo "#include <$header>" | "$CC" -M -x c - | tr ' ' '\n' |
			grep "/$header\$" | head -n 1)
		ln -sf "$path" "build/lint/$header"
	done
	# Before 2.11 there is no such option: cppcheck is always exhaustive.
	depth=--check-level=exhaustive
	cppcheck "$depth" --version >/dev/null 2>&1 || depth=
	# shellcheck disable=SC2086 # $depth is a flag, or nothing
	cppcheck --quiet $depth --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=memleak --suppress=resourceLeak --error-exitcode=1 \
		-D_GNU_SOURCE -DSLUICE_VERSION='""' -Ibuild/lint -Iuser -Iinclude user ||
		complain "lint: cppcheck"
}

check_man() {
	say man
	pages=$(files 'docs/man/*.[1-8]')
	[ -n "$pages" ] || return 0
	# shellcheck disable=SC2086
	mandoc -T lint -W warning $pages || complain "lint: mandoc"
}

check_headers
check_layers
check_cycles
check_rows
check_format
check_shell
check_cppcheck
check_man
exit "$failed"

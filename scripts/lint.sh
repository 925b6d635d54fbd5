#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the compiler does not see: that every header stands alone, that the
# layers keep to their side, format, shell scripts, static analysis, man pages.
# Runs every check, then fails if any of them did. Called by `make lint`, which
# says how things are compiled; changes nothing.
#
#   lint.sh [CHECK...] [-- FILE...]
#
# CHECK: headers, layers, cycles, format, shell, cppcheck or man; all, if none is named.
# FILE: what of the tree is looked at; all of it, if none is named.
set -u

cd "$(dirname "$0")/.." || exit 1
: "${CC:?run it as \"make lint\"}" "${CLANG:?}" "${CLANG_FORMAT:?}" "${LINT_CFLAGS:?}" "${LINT_BPF_CFLAGS:?}"

failed=0
checks=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	checks="$checks $1"
	shift
done
[ $# = 0 ] || shift
looked_at=$(printf '%s\n' "$@")
mkdir -p build/lint

complain() {
	printf '%s\n' "$*" >&2
	failed=1
}

# files PATTERN...: ours, new ones included, deleted ones not; of these what is looked at.
files() {
	git ls-files -co --exclude-standard -- "$@" | sort -u |
		if [ -n "$looked_at" ]; then grep -Fx -e "$looked_at"; else cat; fi |
		while read -r file; do
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

# room HEADERS FILE...: of the daemon's headers, these files may include author.h, clock.h,
# fiber.h, lockfile.h, log.h and those that the pattern matches, and no others.
room() {
	pattern=$1
	shift
	[ $# -gt 0 ] || return 0
	found=$(includes "$@" | grep ' daemon/' | grep -vE " daemon/(author|clock|fiber|lockfile|log|$pattern)\.h\$" |
		sed 's|$|: not for this room|')
	[ -z "$found" ] || complain "$found"
}

# The rooms of user/daemon, and the headers of each that are for other rooms.
for_others='datapath/(datapath|limits|access|denied|sources|attachment|events|responder|steer|sweep)'
for_others_of_core='(core/(advice|backend|balancer|change|denied|edits|interfaces|reload|save|service|sources|stats)|statefile/statefile)'

# shellcheck disable=SC2046
rooms() {
	daemon=user/daemon
	room 'log' $(files "$daemon/log.[ch]" "$daemon/clock.[ch]" "$daemon/author.[ch]" "$daemon/lockfile.[ch]" \
		"$daemon/fiber.[ch]")
	room 'netlink/.*' $(files "$daemon/netlink/*")
	room '(nexthop/.*|netlink/(dump|netlink))' $(files "$daemon/nexthop/*")
	room 'health/.*' $(files "$daemon/health/*")
	room 'datapath/.*' $(files "$daemon/datapath/*")
	room "(responder/.*|$for_others|netlink/netlink)" $(files "$daemon/responder/*")
	room 'statefile/.*' $(files "$daemon/statefile/*")
	room "(unsent/.*|nexthop/(forwards|nexthop|ports|used)|datapath/(ring|unsent))" \
		$(files "$daemon/unsent/*")
	room "(core/.*|statefile/.*|responder/responder|unsent/(send|unsent)|nexthop/(follow|links|nexthop|nexthops)|health/(check_result|checks)|$for_others)" \
		$(files "$daemon/core/*")
	room "(limits/.*|core/(balancer|service)|$for_others)" $(files "$daemon/limits/*")
	room "(api/view/.*|$for_others_of_core|limits/.*|health/(check_result|checks)|nexthop/(nexthop|nexthops))" \
		$(files "$daemon/api/view/*")
	room "(api/.*|$for_others_of_core|limits/.*)" $(files "$daemon/api/handlers/*")
	room '(api/.*|core/balancer)' $(files "$daemon/api/*" ":!$daemon/api/*/*")
	room '(arguments|core/balancer)' $(files "$daemon/arguments.[ch]")
	room '(arguments|core/(advice|balancer|lifecycle|reload)|limits/watch|api/api)' $(files "$daemon/main.c")

	# core/ is the one writer: the API reads by the functions of core/ and limits/, too.
	found=$(grep -nE '(->|\.)datapath\>|\<datapath_[a-z_]+\(' $(files "$daemon/api/*"))
	[ -z "$found" ] || complain "$found: the API does not touch the datapath"
}

# Paths hold no blanks, so lists of them are split at blanks.
# shellcheck disable=SC2046
check_layers() {
	say layers
	allow '(linux/types\.h|sluice/(abi/)?[a-z_]*\.h)$' 'include/ knows linux/types.h and itself' \
		$(files 'include/*.h')
	refuse '(lib|daemon|cli|tests|user)/' 'bpf/ knows include/ alone' $(files 'bpf/*.[ch]')
	refuse "($libbpf|$libraries|daemon/|cli/|tests/)" 'user/lib is pure' \
		$(files 'user/lib/*.[ch]')
	refuse "($libbpf|uv\.h|microhttpd\.h|libmnl/|daemon/|tests/)" \
		'user/cli speaks to the daemon by its socket alone' $(files 'user/cli/*.[ch]')
	refuse "(cli/|tests/)" 'the daemon does not know the tool' $(files 'user/daemon/*.[ch]')
	refuse "$libbpf" 'datapath/ alone knows libbpf' $(files 'user/daemon/*.[ch]' ':!user/daemon/datapath/')
	rooms
	refuse 'daemon/datapath/((internal|apply_slots|learn|publish|settle)\.h|program/|state/)' 'private to datapath/' \
		$(files 'user/daemon/*.[ch]' ':!user/daemon/datapath/')
	refuse 'daemon/datapath/datapath\.h' 'the face of datapath/ is for others' $(files 'user/daemon/datapath/*')
	refuse 'daemon/datapath/([a-z_]*\.h|state/)' 'program/ is the ground of datapath/' $(files 'user/daemon/datapath/program/*')
	refuse 'daemon/datapath/[a-z_]*\.h' 'state/ does not know struct datapath' $(files 'user/daemon/datapath/state/*')
	refuse 'lib/(config|alloc|balance|limit)/' 'base/ is the ground of the library' $(files 'user/lib/base/*')
	refuse 'lib/limit/(algorithm|ticks|window)\.h' 'private to limit/' \
		$(files 'user/*.[ch]' 'tests/*.[ch]' ':!user/lib/limit/')

	tested=$(grep -nE '^[ \t]*#[ \t]*if.*\<TEST' $(files 'include/*.h' 'user/*.h' 'bpf/*.h'))
	[ -z "$tested" ] || complain "$tested: shipped headers have nothing for tests in them"
}

# ---- no circles ----------------------------------------------------------
# included FILE...: lines "FILE NAME": which files of ours it includes. Names are
# looked up as the compiler does: beside the file, then in the roots.
included() {
	files '*.[ch]' >build/lint/files
	includes "$@" | awk '
		NR == FNR { exists[$0]; next }
		{
			file = $1
			sub(/:[0-9]*$/, "", file)
			beside = file
			sub(/[^\/]*$/, "", beside)
			split(beside " include/ user/", roots, " ")
			for (i = 1; i <= 3; i++)
				if ((roots[i] $2) in exists) {
					print file, roots[i] $2
					next
				}
			if ($2 in exists)
				print file, $2
		}' build/lint/files -
}

# used DIRECTORY...: lines "FILE FILE": whose symbols an object uses, among the
# objects of the programs' sources in these directories. Headers hide that, where
# one declares the functions of several files.
used() {
	for directory in "$@"; do
		files "$directory/*.c"
	done | sed 's|\(.*\)\.c$|build/obj/\1.o|' | xargs nm -A -g -P | awk '
		{ sub(/^build\/obj\//, "", $1); sub(/\.o:$/, ".c", $1) }
		$3 == "U" { user[NR] = $1; name[NR] = $2 }
		$3 != "U" { definer[$2] = $1 }
		END { for (i in name) if (name[i] in definer) print user[i], definer[name[i]] }'
}

# circles WHAT: complains of those in lines "FROM TO".
circles() {
	loops=$(tsort 2>&1 >/dev/null)
	[ -z "$loops" ] || complain "lint: $1:
$loops"
}

# A module is a .c with the .h of its name.
modules() {
	sed 's/\.[ch]\>//g' | awk '$1 != $2' | sort -u
}

# shellcheck disable=SC2046
check_cycles() {
	say cycles
	included $(files '*.h') >build/lint/edges
	circles 'headers include each other' <build/lint/edges
	included $(files 'user/*.[ch]' 'bpf/*.[ch]' 'include/*.h') | modules >build/lint/edges
	circles 'modules include each other' <build/lint/edges
	for program in daemon cli responder; do
		used "user/$program" user/lib | modules >build/lint/edges
		circles "modules of user/$program and user/lib call each other" <build/lint/edges
	done
}

# ---- external names begin as their room or their file does ----------------
# In core/ most are about the balancer, which is what the room is for.
check_names() {
	say names
	for file in $(files 'user/daemon/api/*.c' 'user/daemon/core/*.c' 'user/daemon/limits/*.c' \
		'user/daemon/datapath/*.c' 'user/cli/*.c'); do
		room=$(basename "$(dirname "$file")" | sed 's/^core$/core|balancer/')
		name=$(basename "$file" .c)
		odd=$(nm -g --defined-only "build/obj/${file%.c}.o" | awk '{ print $3 }' |
			grep -vE "^($room|${name%%_*})(_|\$)" | tr '\n' ' ')
		[ -z "$odd" ] || complain "$file: $odd: not named after the room or the file"
	done
}

# ---- every member of the configuration has a row ---------------------------
# Without a row, whose MEMBER() or MEMBERS() names it, a member of config.h would be
# neither read nor compared. line, by_name, backends_by_name and faulty are no keys.
# shellcheck disable=SC2046
check_rows() {
	say rows
	forgotten=$(awk -f scripts/lint-rows.awk user/lib/config/config.h $(files 'user/lib/config/*.c'))
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

for check in ${checks:-headers layers cycles names rows format shell cppcheck man}; do
	case $check in
	headers) check_headers ;;
	layers) check_layers ;;
	cycles) check_cycles ;;
	names) check_names ;;
	rows) check_rows ;;
	format) check_format ;;
	shell) check_shell ;;
	cppcheck) check_cppcheck ;;
	man) check_man ;;
	*) complain "lint: no check is called $check" ;;
	esac
done
exit "$failed"

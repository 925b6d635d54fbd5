# SPDX-License-Identifier: BSD-2-Clause
# Prints the members of config.h's structs that no MEMBER() or MEMBERS() of the other files
# names. Called by scripts/lint.sh with config.h and the files of rows.
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
		else if (!until && member != "line" && member !~ /^(by_name|backends_by_name|faulty)$/)
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
}

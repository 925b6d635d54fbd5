#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes a random seed for hash_seed: {file: FILE}, unless there is one: hash-seed.sh FILE.
# A package must not contain the file, or all its users would have the same seed: it calls
# this script when it is installed. Machines that share clients share the file.
set -eu

file=${1:?FILE is missing}
[ ! -e "$file" ] || exit 0
mkdir -p "$(dirname "$file")"
umask 077
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$new"
echo >>"$new"
# A link is made once: of two calls at a time one makes the file, and both go by it.
ln "$new" "$file" 2>/dev/null || [ -e "$file" ]

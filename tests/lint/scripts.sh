#!/bin/sh
# Every shell script of the tree, found by its first line, is free of warnings of the checker for shell
# scripts. Skipped (77) where that is not installed.
#
# usage: scripts.sh SOURCE_ROOT
set -eu

cd "$1"
command -v shellcheck >/dev/null || exit 77

scripts=$(find . \( -name '.git' -o -path ./build \) -prune -o \
	-type d -exec test -e '{}/meson-private' \; -prune -o -type f -size -64k -print |
	while read -r file; do
		case $(head -n 1 "$file" | tr -d '\0') in
		'#!/bin/sh'* | '#!/bin/bash'* | '#!/usr/bin/env bash'* | '# shellcheck shell='*) echo "$file" ;;
		esac
	done)
if [ -z "$scripts" ]; then
	echo "no script under '$1'"
	exit 1
fi
# One word each: names of scripts hold no blanks.
# shellcheck disable=SC2086
exec shellcheck -x -S warning $scripts

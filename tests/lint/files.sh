#!/bin/sh
# Shape of the tree: no file of code over 800 lines, no note about work that is left, no blank at the
# end of a line, each header compiles alone.
#
# usage: files.sh SOURCE_ROOT COMPILER [FLAG]...
set -eu

root=$1
shift
cd "$root"
failed=0

complain()
{
	echo "$*"
	failed=1
}

# Code that people wrote; fixtures and SQL are data.
list()
{
	find . \( -name '.?*' -o -name subprojects -o -path ./tests/data -o -path ./fixtures \) -prune \
		-o -type d -exec test -e '{}/meson-private' \; -prune -o -type f "$@" -print | sort
}

code=$(list \( -name '*.[ch]' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' \
	-o -name meson.build \))
if [ -z "$code" ]; then
	complain "no code under '$root'"
fi

for file in $code; do
	lines=$(wc -l <"$file")
	if [ "$lines" -gt 800 ]; then
		complain "$file: $lines lines; a file past 800 usually holds a second noun"
	fi
done

# The words are taken apart so that this file does not find itself.
# shellcheck disable=SC2086
if grep -nE "\\b(TO""DO|FIX""ME|X""XX)\\b" $code; then
	complain "a note about work that is left"
fi
# shellcheck disable=SC2086
if grep -nE '[[:blank:]]+$' $code; then
	complain "a blank at the end of a line"
fi

for header in $(list -name '*.h'); do
	if ! "$@" -std=c17 -D_GNU_SOURCE -I. -x c -fsyntax-only -Wall -Wextra -Werror \
		-Wno-unused-function -Wno-unused-variable -Wno-unused-const-variable \
		-Wno-missing-field-initializers -include "$header" /dev/null; then
		complain "$header: does not compile alone"
	fi
done
exit "$failed"

#!/usr/bin/env bash
# meson install into an empty folder: each tool comes with its manual page and its completions, every page of
# docs/ is among what is installed, and nothing lies outside the prefix.
#
# usage: install.sh BUILD_FOLDER DOCS_FOLDER TOOL_NAME...
set -eu

build=$1
docs=$2
shift 2
failed=0
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT

if ! DESTDIR=$dest meson install -C "$build" --no-rebuild >"$dest/log" 2>&1; then
	cat "$dest/log"
	exit 1
fi
rm "$dest/log"

# wanted NAME PATTERN: exactly one file with such a path
wanted()
{
	count=$(find "$dest" -type f -path "*/$2" | wc -l)
	if [ "$count" != 1 ]; then
		echo "$1: $count files '$2' were installed"
		failed=1
	fi
}

for tool; do
	wanted "$tool" "bin/$tool"
	wanted "$tool" "man1/$tool.1"
	wanted "$tool" "bash-completion/completions/$tool"
	wanted "$tool" "zsh/site-functions/_$tool"
	wanted "$tool" "fish/vendor_completions.d/$tool.fish"
done
for page in "$docs"/*; do
	# what tests found on one machine is of no use on another
	case $page in */reliability.md) continue ;; esac
	[ ! -f "$page" ] || wanted docs "doc/matterark/docs/${page##*/}"
done
# Debian's package is built with what packages.sh installs.
# shellcheck source=packaging/packages.sh
. "$docs/../packaging/packages.sh"
# shellcheck disable=SC2154
for library in $(echo "$libraries" | cut -s -d ' ' -f 1) libcmark-gfm-extensions-dev; do
	if ! grep -q "^ *$library,\$" "$docs/../packaging/debian/control"; then
		echo "packaging/debian/control does not build with $library, packages.sh does"
		failed=1
	fi
done
wanted programs 'doc/matterark/LICENSE'
wanted units 'lib/systemd/system/matter-backup.timer'
if find "$dest" -type f -perm /o+w | grep .; then
	echo "may be written by everybody"
	failed=1
fi
exit "$failed"

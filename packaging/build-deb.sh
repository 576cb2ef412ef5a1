#!/bin/sh
# Build the Debian package of what is committed (of the folder as it is where there is no git), without touching the
# tree. What debian/control asks for must be installed.
#
# usage: packaging/build-deb.sh OUTPUT_FOLDER
set -eu

[ $# = 1 ] || {
	sed -n '2,5s/^# \{0,1\}//p' "$0"
	exit 2
}
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/matterark"
if git rev-parse --git-dir >/dev/null 2>&1; then
	git archive HEAD | tar -x -C "$work/matterark"
else
	tar -c --exclude=./build . | tar -x -C "$work/matterark"
fi
cp -r "$work/matterark/packaging/debian" "$work/matterark/debian"
cd "$work/matterark"
dpkg-buildpackage -b -us -uc
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"

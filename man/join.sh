#!/bin/sh
# A manual page from its two halves: prose with a line @OPTIONS@ where the generated sections go.
#
# usage: join.sh PROSE GENERATED OUTPUT VERSION
set -eu
sed -e "s/@VERSION@/$4/g" -e "/^@OPTIONS@\$/{
r $2
d
}" "$1" >"$3"

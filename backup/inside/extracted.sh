#!/bin/sh
# Brings back what 'matter-backup extract' took out of a repository, without matter-backup: sh, coreutils and psql.
#
# usage: sh restore.sh DATABASE-URL FILES-FOLDER          a test installation
#        sh restore.sh --production DATABASE-URL FILES-FOLDER
#
# The database has to be there and empty, and so has the folder. Everything is loaded in one transaction.
# A test installation is made harmless with neutralise.sql, which stands beside this script; without that
# file nothing is done.
set -eu
umask 077
LC_ALL=C
export LC_ALL

#include shared.sh

production=no
if [ "${1-}" = --production ]; then
	production=yes
	shift
fi
[ $# -eq 2 ] || die "usage: sh restore.sh [--production] DATABASE-URL FILES-FOLDER"
here=$(dirname "$0")
here=$(cd "$here" && pwd)
database=$1
files=$2
case $files in
/*) ;;
*) files=$PWD/$files ;;
esac
files=${files%/}
[ -f "$here/load.sql" ] || die "load.sql is missing: it stands beside this script in the tar file"
[ "$production" = yes ] || [ -f "$here/neutralise.sql" ] ||
	die "neutralise.sql is missing: a test installation cannot be made harmless"
[ -z "$(ls -A "$files" 2>/dev/null)" ] || die "the folder '$2' is not empty"
tables=$(psql -X -At -d "$database" -c "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace
	where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema'")
[ "$tables" = 0 ] || die "the database is not empty"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Behind the rows, in the same transaction: the database is made a test installation, and so are the
# configurations found as files.
before_commit()
{
	[ "$production" = no ] || return 0
	echo "select set_config('matterark.neutralise', current_database(), false);"
	echo "set matterark.snapshot = $(literal "$(cat "$here/snapshot")");"
	echo "set matterark.files = $(literal "$files/");"
	cat "$here/neutralise.sql"
	for config in "$here"/config/config-*.json; do
		[ -f "$config" ] || continue
		number=$(basename "$config" .json)
		number=${number#config-}
		config "$number" <"$config"
	done
}

before_commit >"$work/before-commit.sql"
(cd "$here" && psql -X -q -A -t -v ON_ERROR_STOP=1 -v before_commit="$work/before-commit.sql" -f load.sql \
	-d "$database") >"$work/said" || die "the database said no; nothing was loaded"

mkdir -p "$files"
if [ -d "$here/files" ]; then
	cp -R "$here/files/." "$files/"
fi
for config in "$here"/config/config-*.json; do
	[ -f "$config" ] || continue
	number=$(basename "$config" .json)
	number=${number#config-}
	if [ "$production" = yes ]; then
		cp "$config" "$files.config-$number.json"
	else
		starting "config $number " '' <"$work/said" >"$files.config-$number.json"
	fi
	echo "configuration: $files.config-$number.json"
done
if [ "$production" = no ]; then
	starting 'proof: ' 'proof: ' <"$work/said"
	for variables in "$here"/config/environment-*; do
		[ -f "$variables" ] || continue
		variables <"$variables"
	done
fi
echo "restored into the database and '$files'"
[ "$production" = yes ] || echo "this is a test installation: neutralise.sql was applied"

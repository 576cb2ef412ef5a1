#!/bin/sh
# Brings a snapshot back without matter-backup: sh, coreutils, psql, zstd and tar are all it needs.
#
# usage: sh restore.sh SNAPSHOT DATABASE-URL FILES-FOLDER          a test installation
#        sh restore.sh --production SNAPSHOT DATABASE-URL FILES-FOLDER
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
[ $# -eq 3 ] || die "usage: sh restore.sh [--production] SNAPSHOT DATABASE-URL FILES-FOLDER"
repo=$(dirname "$0")
repo=$(cd "$repo" && pwd)
snapshot=$repo/snapshots/$(basename "$1")
database=$2
files=$3
case $files in
/*) ;;
*) files=$PWD/$files ;;
esac
files=${files%/}
[ -f "$snapshot" ] || die "there is no snapshot '$1'; the folder snapshots has them"
[ "$production" = yes ] || [ -f "$repo/neutralise.sql" ] ||
	die "neutralise.sql is missing: a test installation cannot be made harmless"
[ -z "$(ls -A "$files" 2>/dev/null)" ] || die "the folder '$3' is not empty"
tables=$(psql -X -At -d "$database" -c "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace
	where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema'")
[ "$tables" = 0 ] || die "the database is not empty"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unit=$(printf '\037')

# The snapshot's own checksum, then all index files as one sorted table.
want=$(tail -n 1 "$snapshot" | cut -d ' ' -f 2)
have=$(head -n -1 "$snapshot" | sha256sum | cut -d ' ' -f 1)
[ "$want" = "$have" ] || die "the snapshot's file is damaged"
for index in "$repo"/index/*; do
	name=$(basename "$index")
	[ "$(sha256sum <"$index" | cut -d ' ' -f 1)" = "$name" ] || die "index/$name is damaged"
	zstd -dcq "$index"
done | sort -k 1,1 -s -u >"$work/index"

dictionary=
# Reads ids, one a line; writes the objects one behind the other. Neighbours in a pack are read at once.
objects()
{
	nl -ba -w 1 -s ' ' >"$work/ids"
	sort -k 2,2 -s "$work/ids" | join -1 2 -2 1 - "$work/index" | sort -k 2,2n >"$work/places"
	[ "$(wc -l <"$work/ids")" = "$(wc -l <"$work/places")" ] || die "an object is missing"
	pack='' from=0 to=0 kind=''
	while read -r _ _ p offset length k; do
		if [ "$p" = "$pack" ] && [ "$k" = z ] && [ "$kind" = z ] && [ "$offset" -eq $((to + 20)) ]; then
			to=$((offset + length))
			continue
		fi
		piece
		pack=$p from=$offset to=$((offset + length)) kind=$k
	done <"$work/places"
	piece
}

piece()
{
	[ -n "$pack" ] || return 0
	file=$repo/data/$(printf %.2s "$pack")/$pack
	case $kind in
	z)
		if [ -n "$dictionary" ]; then
			tail -c +$((from + 1)) "$file" | head -c $((to - from)) | zstd -dcq -D "$dictionary"
		else
			tail -c +$((from + 1)) "$file" | head -c $((to - from)) | zstd -dcq
		fi ;;
	r) tail -c +$((from + 1)) "$file" | head -c $((to - from)) ;;
	*) die "an object of kind '$kind' cannot be read here" ;;
	esac
}

# The lowest nodes of a list: segments (s) and what their rows name (r).
list()
{
	echo "$1" >"$work/level"
	while :; do
		objects <"$work/level" >"$work/nodes"
		[ "$(head -c 1 "$work/nodes")" = n ] || break
		cut -d ' ' -f 2 "$work/nodes" >"$work/level"
	done
	cat "$work/nodes"
}

# One kind of line of a list.
only()
{
	while read -r kind id rest; do
		[ "$kind" != "$1" ] || echo "$id"
	done
}

rows()
{
	[ "$1" != - ] || return 0
	list "$1" | only s >"$work/segments"
	objects <"$work/segments"
}

contents=
while read -r key value; do
	[ "$key" != contents ] || contents=$value
done <"$snapshot"
echo "$contents" | objects | tr '\t' "$unit" >"$work/contents"

# Fields of the lines of one kind.
parts()
{
	while IFS=$unit read -r kind a b c d e _; do
		[ "$kind" != "$1" ] || printf "%s$unit%s$unit%s$unit%s$unit%s\n" "$a" "$b" "$c" "$d" "$e"
	done <"$work/contents"
}

schema()
{
	parts schema | while IFS=$unit read -r name id _; do
		[ "$name" != "$1" ] || echo "$id" | objects
	done
}

quoted()
{
	printf '"%s"."%s"' "$(doubled "$1" '"')" "$(doubled "$2" '"')"
}

parts dictionary >"$work/dictionaries"
IFS=$unit read -r id _ <"$work/dictionaries" || id=
if [ -n "$id" ]; then
	echo "$id" | objects >"$work/dictionary"
	dictionary=$work/dictionary
fi

# The database is made a test installation, and so are the configurations found as files.
neutralise()
{
	echo "select set_config('matterark.neutralise', current_database(), false);"
	echo "set matterark.snapshot = $(literal "$(basename "$snapshot")");"
	echo "set matterark.files = $(literal "$files/");"
	cat "$repo/neutralise.sql"
	number=0
	parts config >"$work/configs"
	while IFS=$unit read -r _ id _; do
		number=$((number + 1))
		echo "$id" | objects | config "$number"
	done <"$work/configs"
}

statements()
{
	schema pre-data
	echo "set search_path = pg_catalog;"
	parts table >"$work/tables"
	while IFS=$unit read -r schema name columns _ id; do
		echo "copy $(quoted "$schema" "$name") ($columns) from stdin;"
		rows "$id"
		echo '\.'
	done <"$work/tables"
	parts large-objects >"$work/large"
	while IFS=$unit read -r id _; do
		echo "create temp table large_pages (o oid, at int8, page bytea);"
		echo "copy large_pages from stdin;"
		rows "$id"
		echo '\.'
		echo "select count(lo_create(o)) from (select distinct o from large_pages) x;"
		echo "select count(*) from (select lo_put(o, at, page) from large_pages where length(page) > 0) x;"
	done <"$work/large"
	schema post-data
	echo "set search_path = pg_catalog;"
	parts sequence | while IFS=$unit read -r schema name value called _; do
		echo "select setval($(literal "$(quoted "$schema" "$name")"), $value, '$called');"
	done
	parts refresh | while IFS=$unit read -r schema name _; do
		echo "refresh materialized view $(quoted "$schema" "$name");"
	done
	echo "reset search_path;"
	[ "$production" = yes ] || neutralise
	echo "select 'loaded' as matterark_restore;"
	: >"$work/all"
}

statements | psql -X -q -A -t -1 -v ON_ERROR_STOP=1 -d "$database" >"$work/said" || die "the database said no; nothing was loaded"
[ -f "$work/all" ] || die "the snapshot could not be read to its end"

# Bodies of files: the n-th name belongs to the n-th reference.
mkdir -p "$files"
parts files >"$work/lists"
missing=0 count=0
while IFS=$unit read -r _ id _; do
	[ "$id" != - ] || continue
	list "$id" >"$work/leaves"
	only s <"$work/leaves" >"$work/segments"
	only r <"$work/leaves" >"$work/references"
	objects <"$work/segments" | cut -f 1 >"$work/names"
	paste -d "$unit" "$work/references" "$work/names" >"$work/pairs"
	while IFS=$unit read -r object path; do
		path=$(printf '%b' "$path")
		case /$path/ in
		*/../*) die "the path '$path' leads out of the folder" ;;
		esac
		if [ "$object" = - ]; then
			missing=$((missing + 1))
			continue
		fi
		mkdir -p "$files/$(dirname "$path")"
		echo "$object" | objects >"$files/$path"
		count=$((count + 1))
	done <"$work/pairs"
done <"$work/lists"

# The configuration lies beside the files: production's as it was, a test installation's made harmless.
number=0
parts config >"$work/configs"
while IFS=$unit read -r name id _; do
	number=$((number + 1))
	if [ "$production" = yes ]; then
		echo "$id" | objects >"$files.config-$number.json"
	else
		starting "config $number " '' <"$work/said" >"$files.config-$number.json"
	fi
	echo "configuration from $name: $files.config-$number.json"
done <"$work/configs"
if [ "$production" = no ]; then
	starting 'proof: ' 'proof: ' <"$work/said"
	parts environment | while IFS=$unit read -r _ id _; do
		echo "$id" | objects | variables
	done
fi
echo "restored: $count files ($missing were missing already)"
[ "$production" = yes ] || echo "this is a test installation: neutralise.sql was applied"

#!/bin/bash
# matter-backup restore beside pg_restore -j2 of pg_dump -Fd -j2, on one made-up database, in turn, three rounds; proof
# (comparison, rules) apart. One line per figure; ratios count.
#
# usage: restore.sh [--posts N] [BUILD]          a cluster, an archive of N posts (150,000: two minutes) and their import are made
#        restore.sh BUILD DATABASE-URL WORK      a database that is there; bench_a and bench_b are made beside it
#
#   BUILD  folder of the build (build/release)
#   WORK   an empty folder
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
posts=150000
if [ "${1-}" = --posts ]; then
	posts=$2
	shift 2
fi
build=$(cd "${1:-$here/build/release}" && pwd)
tool=$build/backup/matter-backup
PATH=$("$here/tests/harness/pg.sh" --bin):$PATH

# What is made here goes again, however it ends.
made=
stop() { [ -z "$made" ] || "$here/tests/harness/pg.sh" --stop "$made/pg"; rm -rf "$made"; }
if [ $# -lt 3 ]; then
	made=$(mktemp -d "${TMPDIR:-/tmp}/ark-bench.XXXXXX")
	trap stop EXIT
	chmod 755 "$made"
	work=$made/work
	mkdir "$work"
	database=$("$here/tests/harness/pg.sh" --start "$made/pg" 2>/dev/null | sed 's/dbname=[^ ]*/dbname=bench/')
	"$build/bench/gen-slack/gen-slack" -n "$posts" -o "$made/export.zip" >/dev/null
	"$build/import/matter-import" slack "$made/export.zip" --team bench --database "$database" --create-schema --create-team \
		--quiet --files-from none >/dev/null
	rm "$made/export.zip"
else
	database=$2 work=$3
fi
server=$(echo "$database" | sed 's/ *dbname=[^ ]*//')
memory=$(($(getconf _PHYS_PAGES) / 16 * $(getconf PAGESIZE) / 1048576))
[ "$memory" -le 1024 ] || memory=1024
[ "$memory" -ge 64 ] || memory=64
admin() { psql -XAtq -d "$server dbname=postgres" -c "$1"; }
export HOME=$work

"$tool" init "$work/repo"
"$tool" create "$work/repo" --database "$database" --without-files
pg_dump -Fd -j2 -f "$work/dump" -d "$database"
admin "drop database if exists bench_a"
admin "drop database if exists bench_b"
printf 'repository %s KiB, dump %s KiB; maintenance_work_mem %s MB for both\n' "$(du -sk "$work/repo" | cut -f 1)" \
	"$(du -sk "$work/dump" | cut -f 1)" "$memory"
for round in 1 2 3; do
	admin "create database bench_a template template0 encoding 'UTF8'"
	PGOPTIONS="-c maintenance_work_mem=${memory}MB -c synchronous_commit=off" \
		/usr/bin/time -f '%e' pg_restore -j2 --no-owner -d "$server dbname=bench_a" "$work/dump" 2>"$work/time"
	theirs=$(tail -n 1 "$work/time")
	admin "drop database bench_a"
	/usr/bin/time -f '%e %M' "$tool" restore "$work/repo" --to-database "$server dbname=bench_b" --without-files \
		--config-out "$work/config.json" --json >"$work/said" 2>"$work/time"
	admin "drop database bench_b"
	python3 - "$round" "$theirs" "$work/said" "$(tail -n 1 "$work/time")" <<-'END'
		import json, sys
		number, theirs, said, cost = sys.argv[1:]
		done = [json.loads(line) for line in open(said, encoding='utf-8')][-1]
		ours = done['load_ms'] / 1000
		print(f'round {number}: pg_restore -j2 {theirs} s; rows, indexes, keys {ours:.2f} s, {ours / float(theirs):.2f} x; '
		      f'comparing {done["compare_ms"] / 1000:.2f} s, all {cost.split()[0]} s, {cost.split()[1]} KiB')
	END
done

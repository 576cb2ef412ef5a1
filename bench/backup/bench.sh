#!/bin/bash
# matter-backup beside COPY | zstd and restic on one made-up database: 500,000 posts, a day of changes, 10,000
# files. Prints one line per figure: name, seconds, KiB of memory at most, bytes added. Ratios count; the
# machine decides the rest.
#
# usage: bench.sh MATTER-BACKUP DATABASE-URL FILES WORK
#
#   DATABASE-URL  a database with Mattermost's schema and 500,000 posts, which is changed
#   FILES         folder with the files to be stored (a row of fileinfo is made for each)
#   WORK          an empty folder on the disk to be measured
set -euo pipefail

tool=$1 database=$2 files=$3 work=$4
sql() { psql -XAtq -v ON_ERROR_STOP=1 -d "$database" "$@"; }

# timed NAME PLACE COMMAND...: runs it and says what it cost and what PLACE grew by
timed() {
	local name=$1 place=$2 before after cost
	shift 2
	before=$(du -sb "$place" | cut -f 1)
	cost=$( { /usr/bin/time -f '%e %M' "$@" >/dev/null 2>"$work/err"; } 2>&1 || true)
	cost=$(tail -n 1 "$work/err")
	after=$(du -sb "$place" | cut -f 1)
	# shellcheck disable=SC2086
	printf '%-34s %8s s %8s KiB %12s bytes\n' "$name" ${cost% *} ${cost#* } $((after - before))
}

day() {
	sql <<-'SQL'
		select setseed(0.3);
		create temp table sample as select * from posts order by createat desc limit 5000;
		update sample set id = substr(md5('n' || id || clock_timestamp()), 1, 26), createat = createat + 40000000000, message = reverse(message);
		insert into posts select * from sample;
		update posts set message = message || ' edited', updateat = updateat + 1, editat = updateat + 1 where id in
			(select id from (select id from posts order by createat desc offset 5000 limit 10000) y order by random() limit 2000);
		update posts set updateat = updateat + 5, hasreactions = true where id in (select id from posts order by random() limit 200);
	SQL
}

mkdir -p "$work/plain" "$work/restic" "$work/frestic"
export RESTIC_PASSWORD=bench XDG_CACHE_HOME=$work/cache HOME=$work
for round in 1 2 3; do
	rm -rf "$work/repo" && "$tool" init "$work/repo"
	timed "COPY | zstd -3 (round $round)" "$work/plain" sh -c "psql -XAtq -d '$database' -c 'copy posts to stdout' | zstd -3 -q >'$work/plain/$round'"
	timed "COPY (round $round)" "$work/plain" psql -XAtq -d "$database" -c 'copy posts to stdout'
	timed "first snapshot (round $round)" "$work/repo" "$tool" create "$work/repo" --database "$database" --without-files
	timed "unchanged (round $round)" "$work/repo" "$tool" create "$work/repo" --database "$database" --without-files
done
if command -v restic >/dev/null; then
	restic init -q -r "$work/restic"
	timed "restic, first" "$work/restic" sh -c "psql -XAtq -d '$database' -c 'copy posts to stdout' | restic backup -q -r '$work/restic' --stdin"
fi
day
timed "next day" "$work/repo" "$tool" create "$work/repo" --database "$database" --without-files
if command -v restic >/dev/null; then
	timed "restic, next day" "$work/restic" sh -c "psql -XAtq -d '$database' -c 'copy posts to stdout' | restic backup -q -r '$work/restic' --stdin"
fi

(cd "$files" && find . -type f -printf '%P\t%s\n') >"$work/names"
sql -c "create temp table n (path text, size int8); copy n from '$work/names'; delete from fileinfo where creatorid = 'bench';
	insert into fileinfo (id, creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath, name,
	extension, size, mimetype, width, height, haspreviewimage) select substr(md5(path), 1, 26), 'bench', '', 1, 1, 0, path, '',
	'', 'f', 'bin', size, '', 0, 0, false from n" || { echo "the server cannot read $work/names" >&2; exit 1; }
timed "files, first" "$work/repo" "$tool" create "$work/repo" --database "$database" --files "$files"
timed "files, unchanged" "$work/repo" "$tool" create "$work/repo" --database "$database" --files "$files"
if command -v restic >/dev/null; then
	restic init -q -r "$work/frestic"
	timed "restic files, first" "$work/frestic" restic backup -q -r "$work/frestic" "$files"
	timed "restic files, unchanged" "$work/frestic" restic backup -q -r "$work/frestic" "$files"
fi
timed "verify" "$work/repo" "$tool" verify "$work/repo"
du -sb "$work/repo" | sed 's/^/repository in all: /'

# drill: on a server, on a private one; a repository that is damaged; nothing is left.
workspace
store
file gone gone
run matter-backup init repo
run matter-backup create repo --database "$(db)" --files store
shown()
{
	names | sed -E 's/"(load|compare)_ms":[0-9]+/"\1_ms":N/g'
}
run matter-backup drill repo --database "$server dbname=postgres" --verbose --metrics drill.prom | shown
grep -c matterark_ drill.prom
run matter-backup drill repo "$(newest)" --database "$server dbname=postgres" --without-files --jobs 1 --json | grep -v progress | shown
sql "$server dbname=postgres" "select count(*) from pg_database where datname like 'matterark%'"
pack=$(find repo/data -type f -size -100k | head -n 1)
printf 'x' | dd of="$pack" bs=1 seek=2000 conv=notrunc 2>/dev/null
run matter-backup drill repo --database "$server dbname=postgres" | names
sql "$server dbname=postgres" "select count(*) from pg_database where datname like 'matterark%'"

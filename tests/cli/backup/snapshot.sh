# Two snapshots of the made-up company; everything that looks at them.
workspace
store
run matter-backup init repo
run matter-backup create repo --database "$(db)" --files store --jobs 1 --lock-wait 3 --lock-tries 2 --dry-run
run matter-backup create repo --database "$(db)" --files store --verbose | names
run matter-backup list repo | names
first=$(newest)

echo "-- one more post, a file that is not there, an avatar"
sql "$(db)" "update posts set message = message || ' (edited)', updateat = updateat + 1 where id = (select min(id) from posts)"
file lost gone
mkdir -p store/users/yyyyyyyyyyyyyyyyyyyyyyyyyy store/stray
echo image >store/users/yyyyyyyyyyyyyyyyyyyyyyyyyy/profile.png
echo stray >store/stray/file
run matter-backup create repo --database "$(db)" --files store --all-files --cache cache \
	--pg-dump "$ARK_TEST_PG_BIN/pg_dump" | names
second=$(newest)
[ "$first" != "$second" ]
run matter-backup diff repo "$first" "$second" | sed -E 's/[0-9]+ new segments/N new segments/'
run matter-backup show repo "$second" | grep -E '^(missing|files)' | names
run matter-backup find repo --channel general | cut -f 2,4
run matter-backup find repo --user "$(sql "$(db)" "select min(username) from users")" | cut -f 2 | sort | uniq -c
run matter-backup find repo --file profile.png | cut -f 2,4
run matter-backup find repo --file nowhere-at-all
echo "-- each ends with a summary"
for words in "list repo" "show repo $second" "diff repo $first $second" "find repo --channel general"; do
	# shellcheck disable=SC2086
	run matter-backup $words --json | tail -n 1 | names | sed -E 's/":[0-9]+/":N/g'
done
run matter-backup verify repo --verbose | names
run matter-backup verify repo "$first" --percent 50 --max-duration 1h --json | names |
	sed -E 's/":[0-9]+/":N/g; s/read [0-9]+ of/read N of/; s/; the rest another time//; s/"complete":(true|false)/"complete":X/'
run matter-backup check repo --max-age 1h --min-rows 10
run matter-backup check repo --max-age 1h --min-rows 1000000000
run matter-backup check nowhere
run matter-backup create repo --database "$(db)" --without-files --json | names | sed -E 's/":[0-9]+/":N/g'
run matter-backup create repo --database "$(db)" --files nowhere
echo "-- one without files in between is no reason to read them again"
mv store/20240101/teams/noteam/channels/c/users/u/large/large.bin elsewhere
run matter-backup create repo --database "$(db)" --files store --verbose | names

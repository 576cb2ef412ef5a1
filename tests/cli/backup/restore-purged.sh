# What was purged after a snapshot stays away when that is restored: ledgers of this snapshot, the newest one, a file.
workspace
store
root=$(sql "$(db)" "select rootid from posts where rootid <> '' and deleteat = 0 order by createat limit 1")
other=$(sql "$(db)" "select id from posts where rootid = '' and id <> '$root' and type = '' order by createat limit 1")
sql "$(db)" "update fileinfo set postid = '$root' where name = 'two.bin'"
run matter-backup init repo
run matter-backup create repo --database "$(db)" --files store
first=$(newest)
# the purge: the rows do not matter here, the ledger does
sql "$(db)" "create table matterark.purge_ledger (post_id varchar(26) primary key, channel_id varchar(26) not null,
	purged_at bigint not null, plan text not null default '');
	insert into matterark.purge_ledger select id, channelid, 1700000000000 from posts where id = '$root'"
run matter-backup create repo --database "$(db)" --files store
shown()
{
	grep -v '^proof\|^named' | names | sed -E -e "s|$PWD|HERE|g" -e 's/[0-9]+ places name/N places name/' || true
}
# there NAME: whether root, replies, other message, row and body of the file are there
there()
{
	sql "$(db "$1")" "select (select count(*) from posts where id = '$root'), (select count(*) > 0 from posts where rootid = '$root'),
		(select count(*) from posts where id = '$other'), (select count(*) from fileinfo where name = 'two.bin')"
	find "$1" -name two.bin | wc -l
}
echo "-- the older snapshot, by the newest ledger"
run matter-backup restore repo "$first" --to-database "$(db copy)" --to-files copy --verbose | shown
there copy
echo "-- with what was purged"
run matter-backup restore repo "$first" --to-database "$(db copy)" --to-files copy --with-purged | shown
there copy
echo "-- a file of more; the body that the copy has goes"
printf '{"message_type":"row"}\n{"post_id":"%s","channel_id":"%s","purged_at":1800000000000}\n' "$other" "$other" >log
run matter-backup restore repo "$first" --to-database "$(db copy)" --to-files copy --ledger log --json | shown | grep summary |
	sed -E 's/"(file_bytes|load_ms|compare_ms)":[0-9]+/"\1":N/g'
there copy
echo nonsense >bad
run matter-backup restore repo "$first" --to-database "$(db other)" --to-files other --ledger bad
sql "$server dbname=postgres" "select count(*) from pg_database where datname like 'restore_purged_other%' or datname like 'matterark%'"

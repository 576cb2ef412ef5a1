# A plan is carried out: rows, files, counts, ledger; again it does nothing; what changed stays.
workspace
run matter-purge plan --database "$(db)" --channel '[dr]*' --older-than 2030-01-01 -o p
other()
{
	sql "$(db)" "select 'posts', md5(string_agg(p::text, '|' order by p.id)) from posts p join channels c on c.id = p.channelid where
		c.name !~ '^[dr]' union all select 'members', md5(string_agg(m::text, '|' order by m.channelid, m.userid)) from channelmembers
		m union all select 'users', md5(string_agg(u::text, '|' order by u.id)) from users u"
}
other >before
run matter-purge log --database "$(db)"
echo '== nobody says yes'
run matter-purge apply p --database "$(db)" --files store
echo '== dry'
run matter-purge apply p --database "$(db)" --files store --dry-run
sql "$(db)" 'select count(*) from posts'
echo '== some of it changes'
first=$(sed -n 's/^P \([a-z0-9]*\) .*/\1/p' p | head -1)
sql "$(db)" "update posts set ispinned = true, updateat = updateat + 1 where id = '$first'"
run matter-purge apply p --database "$(db)" --files store --yes --batch 3 --pause 0
check "$(db)"
other | cmp - before && echo the rest is as before
sql "$(db)" "select c.name, count(p.id), c.totalmsgcount > 0, c.lastpostat = coalesce(max(p.createat), 0) from channels c left join posts p on
	p.channelid = c.id where c.name ~ '^[dr][ae]' group by c.id order by 1"
sql "$(db)" 'select count(*) from matterark.purge_work'
echo '== again'
run matter-purge apply p --database "$(db)" --files store --yes --json | grep -v status
echo '== the log'
run matter-purge log --database "$(db)" | sed 's/by [a-z]*/by ROLE/'
run matter-purge log --database "$(db)" --json >ledger
wc -l <ledger
tail -1 ledger
head -1 ledger | sed -E 's/"[a-z0-9]{26}"/"ID"/g'
echo '== it stays gone'
run matter-import slack "$SOURCE_ROOT/fixtures/slack/workspace/export" --team acme --database "$(db)" --files store >/dev/null
sql "$(db)" "select count(*) from posts p join matterark.purge_ledger l on l.post_id = p.id"
check "$(db)"

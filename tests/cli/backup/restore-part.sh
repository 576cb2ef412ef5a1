# A part: a channel, a team, what was written since; with the people and files that belong to it and nobody else's.
workspace
store
sql "$(db)" "insert into teams (id, createat, updateat, deleteat, displayname, name) values ('otherteamotherteamotherte', 1, 1, 0, 'Other', 'other');
	insert into channels (id, createat, updateat, deleteat, teamid, type, displayname, name, header, purpose, lastpostat, totalmsgcount,
		extraupdateat, creatorid, schemeid, groupconstrained, shared, totalmsgcountroot, lastrootpostat)
		select 'otherchannel' || n, 1, 1, 0, 'otherteamotherteamotherte', 'O', 'Other', name, '', '', 0, 0, 0, '', '', false, false, 0, 0
		from (values (1, 'town-square'), (2, 'design')) x (n, name);
	insert into sessions (id) values ('x'); insert into audits (id, userid) values ('a', 'secret-audit')"
channel=$(sql "$(db)" "select channelid from posts where rootid <> '' and deleteat = 0 group by 1 order by count(*) desc, 1 limit 1")
name=$(sql "$(db)" "select name from channels where id = '$channel'")
echo "channel $name"
sql "$(db)" "update fileinfo set postid = (select id from posts where channelid = '$channel' and deleteat = 0 order by createat limit 1) where name = 'one.bin';
	update fileinfo set postid = (select id from posts where channelid <> '$channel' and deleteat = 0 order by createat limit 1) where name = 'two.bin'"
mkdir -p store/users/nobody store/emoji/e
echo face >store/users/nobody/profile.png
run matter-backup init repo
run matter-backup create repo --database "$(db)" --files store --all-files
part()
{
	into=$(db "$1")
	shift
	run matter-backup restore repo --to-database "$into" --to-files "$@" | grep -v '^proof\|^named' || true
}
# inside NAME: what is there, and what hangs on nothing
inside()
{
	sql "$(db "$1")" "select string_agg(distinct t.name, ',') from teams t"
	sql "$(db "$1")" "select string_agg(c.name || ':' || (select count(*) from posts p where p.channelid = c.id and message not like '%TEST COPY%'), ' '
		order by c.name) from channels c where type <> 'D'"
	sql "$(db "$1")" "select count(*) from posts p where not exists (select from users u where u.id = p.userid)
		or not exists (select from channels c where c.id = p.channelid)
		or (rootid <> '' and not exists (select from posts r where r.id = p.rootid))"
	sql "$(db "$1")" "select (select count(*) from reactions r where not exists (select from posts p where p.id = r.postid)),
		(select count(*) from threads t where not exists (select from posts p where p.id = t.postid)),
		(select count(*) from preferences p where not exists (select from users u where u.id = p.userid)),
		(select count(*) from channelmembers m where not exists (select from channels c where c.id = m.channelid)
			or not exists (select from users u where u.id = m.userid)),
		(select count(*) from audits), (select count(*) from fileinfo)"
	find "$1" -type f | sed 's|.*/||' | sort | tr '\n' ' '
	echo
}
echo "-- a channel"
part channel channel --channel "acme/$name"
inside channel
sql "$(db channel)" "select count(*) filter (where not exists (select from channelmembers m join channels c on c.id = m.channelid and
		c.name = '$name' where m.userid = u.id) and not exists (select from posts p where p.userid = u.id)
		and not exists (select from reactions r where r.userid = u.id)), count(*) < $(sql "$(db)" "select count(*) from users") from users u"
sql "$(db)" "select count(*) from posts where channelid = '$channel'"
sql "$(db channel)" "select count(*) from posts where channelid = '$channel'"
echo "-- the same by its id"
part id id --channel "$channel"
inside id
echo "-- a team"
part team team --team other
inside team
echo "-- since; roots of threads come along"
since=$(sql "$(db)" "select to_char(to_timestamp((percentile_disc(0.7) within group (order by createat))::float8 / 1000) at time zone 'UTC',
	'YYYY-MM-DD\"T\"HH24:MI:SS') from posts")
ms="extract(epoch from timestamptz '${since}Z') * 1000"
part since since --since "$since"
sql "$(db)" "select count(*) from posts p where createat >= $ms or exists (select from posts r where r.rootid = p.id and r.createat >= $ms)"
sql "$(db since)" "select count(*) from posts where message not like '%TEST COPY%'"
inside since | sed -n '3,4p'
sql "$(db since)" "select count(*) from threads t where replycount <> (select count(*) from posts p where p.rootid = t.postid and p.deleteat = 0)"
echo "-- refused"
part channel channel --channel "$name"
part new channel --channel "$name"
part new new --channel design
part new new --channel nowhere
part new new --team nowhere
run matter-backup restore repo --to-database "$(db new)" --to-files new --team acme --production --confirm-host "$(hostname)"

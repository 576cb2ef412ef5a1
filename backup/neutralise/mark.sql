
-- It cannot be mistaken. ---------------------------------------------------------------------------------

do $$
begin
	perform pg_temp.ark_each('teams', '{displayname}', $sql$
		update %1$I.teams set displayname = left('TEST COPY: ' || coalesce(displayname, ''), 64)
		where coalesce(displayname, '') not like 'TEST COPY: %%'$sql$);

	-- A theme reaches people without any licence; one of a team goes before the one for all.
	perform pg_temp.ark_each('preferences', '{userid,category,name,value}', $sql$
		delete from %1$I.preferences where category = 'theme' and name <> ''$sql$);
	perform pg_temp.ark_each('preferences', '{userid,category,name,value}', $sql$
		update %1$I.preferences set value = pg_temp.ark_setting('theme')
		where category = 'theme' and value is distinct from pg_temp.ark_setting('theme')$sql$);
	perform pg_temp.ark_each('preferences', '{userid,category,name,value}', $sql$
		insert into %1$I.preferences (userid, category, name, value)
		select id, 'theme', '', pg_temp.ark_setting('theme') from %1$I.users u
		where not exists (select from %1$I.preferences p
			where p.userid = u.id and p.category = 'theme' and p.name = '')$sql$);

	-- Town squares: the header (1024 characters), and a pinned message.
	perform pg_temp.ark_each(of_table, '{name,header}', '
		update %1$I.' || of_table || $sql$ set header = left(
			'**TEST COPY - not the real server. Nothing written here reaches anybody.** ' || coalesce(header, ''), 1024)
		where name = 'town-square' and coalesce(header, '') not like '**TEST COPY - %%'$sql$)
	from unnest(array['channels', 'publicchannels']) as of_table;
	perform pg_temp.ark_each('posts', '{ispinned,hasreactions,props}', $sql$
		with who as (
			select id from %1$I.users where deleteat = 0
			order by coalesce(roles, '') like '%%system_admin%%' desc, createat, id limit 1),
		made as (
			insert into %1$I.posts (id, createat, updateat, editat, deleteat, ispinned, userid, channelid, rootid,
				originalid, message, type, props, hashtags, filenames, fileids, hasreactions)
			select left(md5('matterark test copy ' || c.id), 26), at, at, 0, 0, true, who.id, c.id, '', '',
				E'# :warning: This is a TEST COPY\nIt is not the server you work on. It was made from a backup' ||
				coalesce(' (' || nullif(pg_temp.ark_setting('snapshot'), '') || ')', '') ||
				', sends nothing to anybody, and may be thrown away at any time. Whatever is written here is lost.',
				'', '{}', '', '[]', '[]', false
			from %1$I.channels c, who, lateral (select greatest(pg_temp.ark_now(), c.lastpostat + 1,
				(select max(p.createat) + 1 from %1$I.posts p where p.channelid = c.id)) as at) as t
			where c.name = 'town-square' and not exists (
				select from %1$I.posts p where p.id = left(md5('matterark test copy ' || c.id), 26))
			returning channelid, createat)
		update %1$I.channels c set lastpostat = made.createat, lastrootpostat = made.createat,
			totalmsgcount = totalmsgcount + 1, totalmsgcountroot = totalmsgcountroot + 1
		from made where made.channelid = c.id$sql$);
end $$;

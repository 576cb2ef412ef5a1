
-- The proof: what must be zero, and every host that is still named. ------------------------------------------

drop table if exists pg_temp.ark_proof;
create temp table ark_proof (kind text not null, place text not null, what text not null, n bigint not null);

-- A number that must be zero; 0 where the release has no such table.
create or replace function pg_temp.ark_zero(claim text, of_table text, of_columns text[], condition text)
returns void language plpgsql as $$
begin
	insert into pg_temp.ark_proof values ('zero', of_table, claim, 0);
	perform pg_temp.ark_each(of_table, of_columns, format(
		'update pg_temp.ark_proof set n = n + (select count(*) from %%1$I.%I t where %s) where kind = ''zero'' and what = %L',
		of_table, condition, claim));
end $$;

do $$
begin
	perform pg_temp.ark_zero('rows in ' || name, name, '{}', 'true')
	from unnest(array[
		'sessions', 'useraccesstokens', 'tokens', 'desktoptokens',
		'oauthapps', 'oauthauthdata', 'oauthaccessdata', 'outgoingoauthconnections',
		'incomingwebhooks', 'outgoingwebhooks', 'commands', 'commandwebhooks',
		'scheduledposts', 'postreminders', 'persistentnotifications', 'notifyadmin',
		'remoteclusters', 'sharedchannels', 'sharedchannelremotes', 'sharedchannelusers',
		'sharedchannelattachments', 'clusterdiscovery', 'pluginkeyvaluestore', 'configurationfiles']) as name;
	perform pg_temp.ark_zero('jobs that would run', 'jobs', '{status}',
		$sql$status not in ('success', 'error', 'canceled', 'warning')$sql$);
	perform pg_temp.ark_zero('channels shared with others', 'channels', '{shared}', 'shared');
	perform pg_temp.ark_zero('applications allowed by people', 'preferences', '{category}', $sql$category = 'oauth_app'$sql$);
	perform pg_temp.ark_zero('messages with buttons or menus', 'posts', '{props}', $sql$case
		when jsonb_typeof(props -> 'attachments') = 'array' then exists (
			select from jsonb_array_elements(props -> 'attachments') as a where jsonb_typeof(a) = 'object' and a ? 'actions')
		end$sql$);
	perform pg_temp.ark_zero('keys of the server', 'systems', '{name}', $sql$name in
		('PushProxyAuthToken', 'AsymmetricSigningKey', 'PostActionCookieSecret', 'ClusterEncryptionKey')$sql$);
	perform pg_temp.ark_zero('licences', 'licenses', '{}', (pg_temp.ark_setting('keep_licence') <> 'on')::text);
	perform pg_temp.ark_zero('teams that look real', 'teams', '{displayname}',
		$sql$coalesce(displayname, '') not like 'TEST COPY: %%'$sql$);
	perform pg_temp.ark_zero('people without the loud theme', 'users', '{}', $sql$not exists (
		select from %1$I.preferences p where p.userid = t.id and category = 'theme' and name = ''
			and value = pg_temp.ark_setting('theme'))$sql$);
	perform pg_temp.ark_zero('themes that look real', 'preferences', '{category,name,value}',
		$sql$category = 'theme' and (name <> '' or value is distinct from pg_temp.ark_setting('theme'))$sql$);
	perform pg_temp.ark_zero('town squares without a warning', 'channels', '{name,header}', $sql$name = 'town-square'
		and (coalesce(header, '') not like '**TEST COPY - %%' or (not exists (select from %1$I.posts p
			where p.id = left(md5('matterark test copy ' || t.id), 26)) and exists (select from %1$I.users where deleteat = 0)))$sql$);
	perform pg_temp.ark_zero('configurations that could act', 'configurations', '{active,value}',
		'active is distinct from true or value::jsonb <> pg_temp.ark_config(value::jsonb)');
	insert into pg_temp.ark_proof select 'zero', 'matterark.test_copy', 'markers that are missing', 1 - count(*)
	from matterark.test_copy where database_name = current_database();
end $$;

-- Hosts in the configuration: whatever looks like one, in any text.
create or replace function pg_temp.ark_config_hosts(config jsonb) returns table (place text, host text) language sql as $$
	with recursive leaves (place, node) as (
		select ''::text, config
		union all
		select ltrim(place || '.' || key, '.'), value from leaves, lateral (
			select key, value from jsonb_each(case jsonb_typeof(node) when 'object' then node else '{}' end)
			union all
			select 'n', value from jsonb_array_elements(case jsonb_typeof(node) when 'array' then node else '[]' end)) as below)
	select place, lower(m[1]) from leaves, regexp_matches(node #>> '{}',
		'((?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|localhost)', 'g') as m
	where jsonb_typeof(node) = 'string'
$$;

do $$
declare
	home text;
	it record;
begin
	for home in select name from pg_temp.ark_schemas where 'configurations' = any (tables) order by 1 loop
		execute format('insert into pg_temp.ark_proof
			select ''configuration'', place, host, count(*) from %I.configurations, pg_temp.ark_config_hosts(value::jsonb)
			group by place, host', home);
	end loop;
	-- Every table of the schema, those of plugins too.
	for it in select n.nspname, c.relname, a.attname
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
			join pg_temp.ark_schemas s on s.name = n.nspname join pg_attribute a on a.attrelid = c.oid
		where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and c.relname <> 'configurations'
			and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'json'::regtype, 'jsonb'::regtype,
				'text[]'::regtype, 'varchar[]'::regtype)
		order by 1, 2, 3
	loop
		execute format($sql$insert into pg_temp.ark_proof
			select 'table', %1$L, host, count(*) from %2$I.%3$I, lateral (
				select lower(regexp_replace(m[1], '^.*@', '')) as host from regexp_matches(%4$I::text,
					'[A-Za-z][A-Za-z0-9+.-]*://([^][/?#:\s"''<>()\\|]+)', 'g') as m) as x
			where %4$I::text like '%%://%%' group by host$sql$,
			it.relname || '.' || it.attname, it.nspname, it.relname, it.attname);
	end loop;
end $$;

do $$
declare
	bad text;
begin
	select string_agg(what || ': ' || n, ', ' order by what) into bad from pg_temp.ark_proof where kind = 'zero' and n <> 0;
	if bad is not null then
		raise exception 'the copy is not harmless: %', bad;
	end if;
end $$;

select 'proof: ' || line as proof from (
	select 1 as part, count(*) || ' counts are zero' as line from pg_temp.ark_proof where kind = 'zero'
	union all
	select 2, 'named in the configuration: ' || what || ' (' || place || ')' from pg_temp.ark_proof where kind = 'configuration'
	union all
	select 3, 'named in ' || place || ': ' || case when count(*) > 10 then count(*) || ' hosts'
		else string_agg(what, ', ' order by what) end
	from pg_temp.ark_proof where kind = 'table' group by place) as lines
order by part, line;

reset client_min_messages;

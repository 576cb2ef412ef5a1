-- People of a test installation: known passwords, no tours, and on wish other names. Runs behind neutralise.sql
-- in the same session. Understood, each as `set matterark.NAME = '...'`:
--     password      bcrypt hash for --as, or for everybody
--     as            JSON list of user names or addresses, which are not masked either
--     mask          on: other names of people, in mentions too
--     mask_text     on: digits and addresses in messages too

do $$
declare
	hash text := coalesce(current_setting('matterark.password', true), '');
	wanted text[] := array(select lower(x) from jsonb_array_elements_text(
		coalesce(nullif(current_setting('matterark.as', true), ''), '[]')::jsonb) as x);
	names text := replace(quote_literal(wanted::text), '%', '%%') || '::text[]';
	one text;
begin
	foreach one in array wanted loop
		if pg_temp.ark_each('users', '{username,email}', 'select from %1$I.users where '
			|| replace(quote_literal(one), '%', '%%') || ' in (lower(username), lower(email))') = 0 then
			raise exception 'nobody is called % in the snapshot', quote_literal(one);
		end if;
	end loop;
	-- Whoever signs in over SAML, LDAP or OpenID could not: those are off.
	if hash <> '' then
		perform pg_temp.ark_each('users', '{password,emailverified,failedattempts,mfaactive,mfasecret,authservice,authdata}',
			'update %1$I.users set password = ' || quote_literal(hash) || $sql$, emailverified = true, failedattempts = 0,
			mfaactive = false, mfasecret = '', authservice = '', authdata = null where $sql$ ||
			case when wanted = '{}' then 'true' else 'lower(username) = any (' || names || ') or lower(email) = any (' || names || ')' end);
	end if;
	-- Tours and task lists lie over what is to be seen.
	perform pg_temp.ark_each('preferences', '{userid,category,name,value}',
		$sql$delete from %1$I.preferences where category in ('tutorial_step', 'onboarding_task_list')$sql$);
	perform pg_temp.ark_each('preferences', '{userid,category,name,value}', $sql$
		insert into %1$I.preferences (userid, category, name, value)
		select id, category, coalesce(nullif(name, ''), id), value from %1$I.users, (values ('tutorial_step', '', '999'),
			('onboarding_task_list', 'onboarding_task_list_show', 'false'),
			('onboarding_task_list', 'onboarding_task_list_open', 'false')) as x (category, name, value)$sql$);
end $$;

-- Other names: old and new. -------------------------------------------------------------------------------

drop table if exists pg_temp.ark_masks;
create temp table ark_masks (old text primary key, new text not null, id text not null, n bigint not null);

create or replace function pg_temp.ark_on(name text) returns boolean language sql stable as
	$$ select coalesce(current_setting('matterark.' || name, true), '') = 'on' $$;

-- A text with other names behind each @, and without digits and addresses where that is wished.
create or replace function pg_temp.ark_mask(message text) returns text language plpgsql as $$
declare
	text_too boolean := pg_temp.ark_on('mask_text');
	parts text[];
	result text;
	name text;
	other text;
begin
	if text_too then
		message := regexp_replace(message, '[A-Za-z][A-Za-z0-9+.-]*://[^][\s<>()"|\\]+', 'https://example.invalid/', 'g');
		message := regexp_replace(message, '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+', 'somebody@example.invalid', 'g');
	end if;
	parts := string_to_array(message, '@');
	result := case when text_too then regexp_replace(parts[1], '[0-9]', '0', 'g') else parts[1] end;
	for i in 2 .. coalesce(array_length(parts, 1), 1) loop
		name := lower(substring(parts[i] from '^[A-Za-z0-9._-]+'));
		other := null;
		while name <> '' loop
			select new into other from pg_temp.ark_masks where old = name;
			exit when other is not null or name !~ '[._-]$';
			name := left(name, -1);
		end loop;
		result := result || '@' || coalesce(other, '');
		parts[i] := case when other is null then parts[i] else substr(parts[i], length(name) + 1) end;
		result := result || case when text_too then regexp_replace(parts[i], '[0-9]', '0', 'g') else parts[i] end;
	end loop;
	return coalesce(result, message);
end $$;

create or replace function pg_temp.ark_mask_json(node jsonb) returns jsonb language plpgsql as $$
begin
	case jsonb_typeof(node)
	when 'object' then
		return coalesce((select jsonb_object_agg(key, pg_temp.ark_mask_json(value)) from jsonb_each(node)), '{}');
	when 'array' then
		return coalesce((select jsonb_agg(pg_temp.ark_mask_json(value) order by n)
			from jsonb_array_elements(node) with ordinality as x (value, n)), '[]');
	when 'string' then
		return to_jsonb(pg_temp.ark_mask(node #>> '{}'));
	else
		return node;
	end case;
end $$;

do $$
declare
	wanted text := replace(quote_literal(array(select lower(x) from jsonb_array_elements_text(
		coalesce(nullif(current_setting('matterark.as', true), ''), '[]')::jsonb) as x)::text), '%', '%%') || '::text[]';
	it record;
begin
	if not pg_temp.ark_on('mask') then
		return;
	end if;
	-- Bots are called as programs expect them.
	perform pg_temp.ark_each('bots', '{userid}', $sql$
		insert into pg_temp.ark_masks select lower(username), 'user' || lpad(n::text, 6, '0'), id, n from (
			select id, username, row_number() over (order by createat, id) as n from %1$I.users u
			where not exists (select from %1$I.bots b where b.userid = u.id)
				and not (lower(username) = any ($sql$ || wanted || $sql$) or lower(email) = any ($sql$ || wanted || $sql$))) as x
		on conflict do nothing$sql$);
	perform pg_temp.ark_each('users', '{username,email,firstname,lastname,nickname,position,notifyprops,props}', $sql$
		update %1$I.users u set username = m.new, email = m.new || '@example.invalid', firstname = 'Person', lastname = m.n::text,
			nickname = '', position = '', props = '{}', lastpictureupdate = 0,
			notifyprops = case when notifyprops ? 'mention_keys' then jsonb_set(notifyprops, '{mention_keys}', '""') else notifyprops end
		from pg_temp.ark_masks m where m.id = u.id$sql$);
	-- What the server wrote about people, with their names in the text.
	perform pg_temp.ark_each('posts', '{type,props,message}', $sql$
		update %1$I.posts p set message = replace(message, m.old, m.new), props = jsonb_set(props, array[key], to_jsonb(m.new))
		from unnest(array['username', 'addedUsername', 'removedUsername', 'deleteBy']) as key, pg_temp.ark_masks m
		where p.type like 'system\_%%' and p.props ->> key = m.old$sql$);
	perform pg_temp.ark_each('posts', '{message,props}', $sql$
		update %1$I.posts set message = pg_temp.ark_mask(message), props = case when props ? 'attachments' then
			jsonb_set(props, '{attachments}', pg_temp.ark_mask_json(props -> 'attachments')) else props end
		where id <> left(md5('matterark test copy ' || channelid), 26)
			and (message like '%%@%%' or props ? 'attachments' or pg_temp.ark_on('mask_text'))$sql$);
	perform pg_temp.ark_each('drafts', '{message}', 'update %1$I.drafts set message = pg_temp.ark_mask(message)');
	perform pg_temp.ark_each(of_table, '{header,purpose}', 'update %1$I.' || of_table ||
		' set header = pg_temp.ark_mask(header), purpose = pg_temp.ark_mask(purpose) where name <> ''town-square''')
	from unnest(array['channels', 'publicchannels']) as of_table;
	perform pg_temp.ark_each('channels', '{type,displayname}', $sql$
		update %1$I.channels set displayname = (select string_agg(coalesce(m.new, who), ', ' order by x.n)
			from unnest(string_to_array(displayname, ', ')) with ordinality as x (who, n)
			left join pg_temp.ark_masks m on m.old = lower(who))
		where type = 'G' and displayname <> ''$sql$);
	perform pg_temp.ark_each('teams', '{email}', $sql$update %1$I.teams set email = ''$sql$);
	perform pg_temp.ark_each('teams', '{companyname}', $sql$update %1$I.teams set companyname = ''$sql$);
	perform pg_temp.ark_each('audits', '{}', 'delete from %1$I.audits');
	if pg_temp.ark_on('mask_text') then
		perform pg_temp.ark_each('fileinfo', '{content}', $sql$update %1$I.fileinfo set content = '' where content <> ''$sql$);
		perform pg_temp.ark_each('posts', '{hashtags}', $sql$
			update %1$I.posts set hashtags = regexp_replace(hashtags, '[0-9]', '0', 'g') where hashtags ~ '[0-9]'$sql$);
	end if;
	-- Our own notes about imports name people as well.
	for it in select relname from pg_class where relnamespace = (select oid from pg_namespace where nspname = 'matterark')
		and relkind = 'r' and relname <> 'test_copy' loop
		execute format('truncate matterark.%I cascade', it.relname);
	end loop;
end $$;

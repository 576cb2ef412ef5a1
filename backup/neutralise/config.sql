
-- The configuration. -------------------------------------------------------------------------------------

create or replace function pg_temp.ark_rules() returns jsonb language sql stable as $function$
	select jsonb_object_agg(key, value || coalesce(pg_temp.ark_setting('rules')::jsonb -> key, '[]'))
	from jsonb_each($rules$@RULES@$rules$)
$function$;

-- The host in an address, or the text itself.
create or replace function pg_temp.ark_host(address text) returns text language sql immutable as $$
	select lower(regexp_replace(regexp_replace(address, '^[A-Za-z][A-Za-z0-9+.-]*://', ''),
		'^([^/@]*@)?([^/:?#]*).*$', '\2'))
$$;

-- Empties the texts whose key matches `secret` or that hold one of `names` as a whole word.
create or replace function pg_temp.ark_blank(node jsonb, under text, secret text, names text[])
returns jsonb language plpgsql as $$
declare
	known text;
begin
	case jsonb_typeof(node)
	when 'object' then
		return coalesce((select jsonb_object_agg(key, pg_temp.ark_blank(value, key, secret, names))
			from jsonb_each(node)), '{}');
	when 'array' then
		return coalesce((select jsonb_agg(kept order by n) from (
			select pg_temp.ark_blank(value, under, secret, names) as kept, n
			from jsonb_array_elements(node) with ordinality as x (value, n)) as items
			where kept <> '""'), '[]');
	when 'string' then
		if under ~ secret then
			return '""';
		end if;
		foreach known in array names loop
			if lower(node #>> '{}') ~ ('(^|[^a-z0-9.-])' ||
				regexp_replace(known, '([^a-z0-9-])', '\\\1', 'g') || '($|[^a-z0-9.-])') then
				return '""';
			end if;
		end loop;
		return node;
	else
		return node;
	end case;
end $$;

-- The configuration of a copy, made from production's.
create or replace function pg_temp.ark_config(production jsonb) returns jsonb language plpgsql as $$
declare
	config jsonb := production;
	rule jsonb;
	path text[];
	secret text;
	names text[];
	wanted jsonb;
begin
	if jsonb_typeof(config) is distinct from 'object' then
		raise exception 'the configuration is not a JSON object';
	end if;
	select string_agg(b ->> 'pattern', '|') into secret from jsonb_array_elements(pg_temp.ark_rules() -> 'blank') as b;
	select coalesce(array_agg(distinct host), '{}') into names
	from jsonb_array_elements(pg_temp.ark_rules() -> 'blank') as b,
		jsonb_array_elements_text(coalesce(b -> 'names_from', '[]')) as source,
		pg_temp.ark_host(production #>> string_to_array(source, '.')) as host
	where length(host) >= 4 and host !~ '^(localhost|127\.[0-9.]*|0\.0\.0\.0)$' and host <> 's3.amazonaws.com'
		and host <> pg_temp.ark_host(pg_temp.ark_setting('site_url'));
	for rule in select value from jsonb_array_elements(pg_temp.ark_rules() -> 'remove') loop
		path := string_to_array(rule ->> 'key', '.');
		if path[2] like '%*' and jsonb_typeof(config -> path[1]) = 'object' then
			config := jsonb_set(config, path[1:1], coalesce((
				select jsonb_object_agg(key, value) from jsonb_each(config -> path[1])
				where key not like replace(path[2], '*', '%')), '{}'));
		else
			config := config #- path;
		end if;
	end loop;
	config := pg_temp.ark_blank(config, '', secret, names);
	for rule in select value from jsonb_array_elements(pg_temp.ark_rules() -> 'set') loop
		path := string_to_array(rule ->> 'key', '.');
		continue when rule ? 'if_there' and config #> path is null;
		wanted := rule -> 'value';
		if rule ? 'setting' then
			wanted := to_jsonb(pg_temp.ark_setting(rule ->> 'setting'));
		elsif rule ? 'prefix' then
			wanted := to_jsonb(rtrim(left((rule ->> 'prefix') || regexp_replace(
				coalesce(config #>> path, ''), '^' || rtrim(rule ->> 'prefix') || ' ?', ''), (rule ->> 'most')::int)));
		end if;
		if jsonb_typeof(config -> path[1]) is distinct from 'object' then
			config := config || jsonb_build_object(path[1], '{}'::jsonb);
		end if;
		config := jsonb_set(config, path, wanted);
	end loop;
	return jsonb_set(config, '{FileSettings}', (config -> 'FileSettings') || pg_temp.ark_setting('file_settings')::jsonb);
end $$;

do $$
declare
	home text;
	old jsonb;
	new jsonb;
	hashed boolean;
begin
	for home in select name from pg_temp.ark_schemas where 'configurations' = any (tables) order by 1 loop
		execute format('select value::jsonb from %I.configurations where active', home) into old;
		new := pg_temp.ark_config(coalesce(old, '{}'));
		if new = old then
			execute format('delete from %I.configurations where active is distinct from true', home);
		else
			execute format('delete from %I.configurations', home);
			execute format('insert into %I.configurations (id, value, createat, active) values ($1, $2, $3, true)', home)
				using left(md5(random()::text || clock_timestamp()), 26), new::text, pg_temp.ark_now();
		end if;
		select exists (select from information_schema.columns where table_schema = home
			and table_name = 'configurations' and column_name = 'sha') into hashed;
		if hashed then
			execute format($sql$update %I.configurations set sha = encode(sha256(convert_to(value::text, 'UTF8')), 'hex')
				where sha is distinct from encode(sha256(convert_to(value::text, 'UTF8')), 'hex')$sql$, home);
		end if;
	end loop;
	perform pg_temp.ark_each('configurationfiles', '{}', 'delete from %1$I.configurationfiles');
end $$;

-- Makes the database it runs in a test installation of Mattermost: it cannot act, it cannot be mistaken for
-- the real one. Never for a database that people work in: sessions, webhooks, tokens are gone afterwards.
--
-- Run it in one transaction, after saying which database is meant:
--
--     begin;
--     set matterark.neutralise = 'NAME OF THE DATABASE';
--     \i neutralise.sql
--     commit;
--
-- It may run again and then changes nothing more. Also understood, each as `set matterark.NAME = '...'`:
--     site_url          where the copy is reached       (http://localhost:8065)
--     files             its folder of files             (./data/)
--     file_settings     more of FileSettings, as JSON: a bucket of the copy
--     data_source       its database, as the server is to be told
--     snapshot          what it was made from
--     theme             JSON of another theme
--     keep_licence      on: the licence stays
--     rules             JSON of more rules for the configuration, in the form of those below
set client_min_messages = warning;

do $$
begin
	if coalesce(current_setting('matterark.neutralise', true), '') <> current_database() then
		raise exception 'this would make the database % a test installation', quote_ident(current_database())
			using hint = 'when that is meant: set matterark.neutralise = ' || quote_literal(current_database());
	end if;
end $$;

-- What the caller set, or how it is otherwise.
create or replace function pg_temp.ark_setting(name text) returns text language sql as $$
	select coalesce(nullif(current_setting('matterark.' || name, true), ''), case name
		when 'site_url' then 'http://localhost:8065'
		when 'files' then './data/'
		when 'keep_licence' then 'off'
		when 'rules' then '{}'
		when 'file_settings' then '{}'
		when 'theme' then '{"type":"custom","sidebarBg":"#b00000","sidebarText":"#ffffff",'
			'"sidebarUnreadText":"#ffff00","sidebarTextHoverBg":"#700000","sidebarTextActiveBorder":"#ffff00",'
			'"sidebarTextActiveColor":"#ffff00","sidebarHeaderBg":"#ff0000","sidebarHeaderTextColor":"#ffff00",'
			'"sidebarTeamBarBg":"#700000","onlineIndicator":"#00ff00","awayIndicator":"#ffff00",'
			'"dndIndicator":"#ffffff","mentionBg":"#ffff00","mentionBj":"#ffff00","mentionColor":"#b00000",'
			'"centerChannelBg":"#ffe0e0","centerChannelColor":"#300000","newMessageSeparator":"#ff0000",'
			'"linkColor":"#a00000","buttonBg":"#d00000","buttonColor":"#ffffff","errorTextColor":"#a000a0",'
			'"mentionHighlightBg":"#ffff00","mentionHighlightLink":"#a00000","codeTheme":"github"}'
		else '' end)
$$;

-- Mattermost's schemas: people may have put it elsewhere than in public.
drop table if exists pg_temp.ark_schemas;
create temp table ark_schemas as
select n.nspname as name, array_agg(c.relname::text) as tables
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'matterark')
group by n.nspname
having array_agg(c.relname::text) @> '{users,channels,posts,teams,systems}'
	or 'configurations' = any (array_agg(c.relname::text));

do $$
begin
	if not exists (select from pg_temp.ark_schemas where 'posts' = any (tables)) then
		raise exception 'there are no tables of Mattermost in the database %', quote_ident(current_database());
	end if;
end $$;

-- Runs a statement in each schema that has the table with these columns: releases differ. %1$I is the
-- schema. Returns the number of rows.
create or replace function pg_temp.ark_each(of_table text, of_columns text[], statement text)
returns bigint language plpgsql as $$
declare
	home text;
	changed bigint;
	total bigint := 0;
begin
	for home in select name from pg_temp.ark_schemas where of_table = any (tables) order by 1 loop
		continue when exists (
			select from unnest(of_columns) as wanted where not exists (
				select from information_schema.columns c
				where c.table_schema = home and c.table_name = of_table and c.column_name = wanted));
		execute format(statement, home);
		get diagnostics changed = row_count;
		total := total + changed;
	end loop;
	return total;
end $$;

create or replace function pg_temp.ark_now() returns bigint language sql as
	'select (extract(epoch from clock_timestamp()) * 1000)::bigint';

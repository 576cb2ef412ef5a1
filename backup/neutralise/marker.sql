
-- The marker: this database, and no other, is a test copy. -------------------------------------------------

create schema if not exists matterark;
create table if not exists matterark.test_copy (
	database_name text not null,
	system_identifier text not null,
	diagnostic_id text not null,
	snapshot text not null,
	made_at timestamptz not null default now()
);

do $$
declare
	server text := (select system_identifier::text from pg_control_system());
	identity text;
begin
	select diagnostic_id into identity from matterark.test_copy
	where database_name = current_database() and system_identifier = server;
	if identity is null or pg_temp.ark_each('systems', '{name,value}', format(
		'select from %%1$I.systems where name = ''DiagnosticId'' and value = %L', identity)) = 0 then
		identity := left(md5(random()::text || clock_timestamp()), 26);
		perform pg_temp.ark_each('systems', '{name,value}', $sql$delete from %1$I.systems where name = 'DiagnosticId'$sql$);
		perform pg_temp.ark_each('systems', '{name,value}', format(
			'insert into %%1$I.systems (name, value) values (''DiagnosticId'', %L)', identity));
		delete from matterark.test_copy;
		insert into matterark.test_copy (database_name, system_identifier, diagnostic_id, snapshot)
		values (current_database(), server, identity, pg_temp.ark_setting('snapshot'));
	end if;
end $$;

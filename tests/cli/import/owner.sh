# Everything made belongs to the role that Mattermost connects as.
need_pg
role=${case_name}_role
sql "$ARK_TEST_DSN" "drop role if exists $role; create role $role login" 2>/dev/null
run matter-import slack "$fixtures/edited/export" --team acme --database "$(db)" --create-schema --owner $role \
	--maintenance-db template1
owners()
{
	sql "$1" "select 'database', pg_get_userbyid(datdba) from pg_database where datname = current_database()
		union all select n.nspname, pg_get_userbyid(c.relowner) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ('public', 'matterark') union all
		select 'types', pg_get_userbyid(typowner) from pg_type t join pg_namespace n on n.oid = t.typnamespace
		where n.nspname = 'public' and t.typtype = 'e' group by 1, 2 order by 1, 2"
}
owners "$(db)" | sort -u
# a database without tables: the tables are its owner's, the database stays whose it is
sql "$ARK_TEST_DSN" "create database $(db_name empty)"
run matter-import slack "$fixtures/edited/export" --team acme --database "$(db empty)" --create-schema --owner $role
owners "$(db empty)" | sort -u
run matter-import slack "$fixtures/edited/export" --team acme --database "$(db none)" --create-schema --owner nobody_at_all
databases

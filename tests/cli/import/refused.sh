# Exit code 4: the wrong archive or the wrong target, named; nothing was changed.
need_pg
export_of export
slack() { run matter-import slack export --team acme "$@"; }
echo "== a database without Mattermost"
sql "$ARK_TEST_DSN" "create database $(db_name)"
slack --database "$(db)"
sql "$(db)" "create table orders (id int)"
slack --database "$(db)" --create-schema
echo "== a schema without a column that is needed"
matter-import slack export --team acme --database "$(db old)" --create-schema
everything "$(db old)" >before
sql "$(db old)" "alter table posts rename hashtags to hash_tags"
slack --database "$(db old)"
sql "$(db old)" "alter table posts rename hash_tags to hashtags"
everything "$(db old)" | cmp - before
echo "== a schema with a column that we cannot know"
sql "$(db old)" "alter table channels add mood text not null default 'x'; alter table channels alter mood drop default"
slack --database "$(db old)"
sql "$(db old)" "alter table channels alter mood set default 'y'"
slack --database "$(db old)"
echo "== a role that may not write"
sql "$(db old)" "do 'begin create role ${case_name}_reader login; exception when duplicate_object then end';
	grant select on all tables in schema public to ${case_name}_reader"
slack --database "$server dbname=$(db_name old) user=${case_name}_reader"
databases

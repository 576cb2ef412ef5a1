# Everything but the last step.
need_pg
run matter-import slack "$fixtures/thread-orphans/export" --team acme --database "$(db)" --create-schema --dry-run -v
echo "databases: $(databases)"
matter-import slack "$fixtures/thread-orphans/export" --team acme --database "$(db)" --create-schema
everything "$(db)" >before
run matter-import slack "$fixtures/workspace/export" --team acme --database "$(db)" -n -v
everything "$(db)" >after
cmp before after
# a database without tables stays without
sql "$ARK_TEST_DSN" "create database $(db_name empty)"
run matter-import slack "$fixtures/edited/export" --team acme --database "$(db empty)" --create-schema -n
sql "$(db empty)" "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace where nspname in ('public', 'matterark')"

# Indexes of posts in a database that exists: all there afterwards, whatever happens on the way.
need_pg
matter-import slack "$fixtures/edited/export" --team acme --database "$(db)" --create-schema
indexes() { sql "$(db)" "select indexname, md5(indexdef) from pg_indexes where tablename = 'posts' order by 1"; }
try()
{
	archive=$1
	shift
	echo "== $*"
	run matter-import slack "$archive" --team acme --database "$(db)" "$@" -v | grep -e indexes -e exit -e written -e hint
	indexes | cmp - indexes
}
indexes >indexes
wc -l <indexes
try "$fixtures/guests/export" --indexes keep
try "$fixtures/thread-orphans/export" --indexes rebuild
try "$fixtures/html-entities/export" --indexes auto
# others are connected
"$ARK_TEST_PG_BIN/psql" -XAtq -c "select pg_sleep(60)" "$(db)" >session 2>&1 &
until sql "$ARK_TEST_DSN" "select 1 from pg_stat_activity where datname = '$(db_name)' and query like 'select pg_sleep%'" | grep -q 1; do
	sleep 0.05
done
try "$fixtures/reserved-user-names/export" --indexes rebuild
try "$fixtures/reserved-user-names/export" --indexes rebuild --force
try "$fixtures/two-messages-one-ts/export" --indexes auto
sql "$ARK_TEST_DSN" "select pg_terminate_backend(pid) from pg_stat_activity where datname = '$(db_name)' and backend_type = 'client backend'" >session
wait || true
# tables without a row lose their keys too while they are filled, and get them all back
all() { sql "$1" "select indexrelid::regclass::text, indrelid::regclass::text, indisprimary, md5(pg_get_indexdef(indexrelid)), (select md5(conname || pg_get_constraintdef(oid)) from pg_constraint where conindid = indexrelid and contype <> 'f') from pg_index where indrelid::regclass::text !~ '^(pg_|matterark)' order by 1"; }
other=$(db empty)
matter-import slack "$fixtures/edited/export" --team acme --database "$other" --create-schema
sql "$other" "drop schema matterark cascade; do \$\$ begin execute (select 'truncate ' || string_agg(oid::regclass::text, ',') from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace); end \$\$" 2>session
all "$other" >all
run matter-import slack "$fixtures/edited/export" --team acme --create-team --database "$other" -v | grep -e indexes -e exit -e written
all "$other" | cmp - all

# Exit code 5 while somebody else imports; the lock is gone with its holder.
need_pg
export_of export
hold()
{
	"$ARK_TEST_PG_BIN/psql" -XAtq -c "select pg_advisory_lock(hashtext('matterark import'), $2); select 'held', pg_sleep(60)" \
		"$1" >held 2>&1 &
	until sql "$ARK_TEST_DSN" "select 1 from pg_locks where locktype = 'advisory' and granted and pid in
		(select pid from pg_stat_activity where query like '%held%')" | grep -q 1; do
		sleep 0.05
	done
}
free()
{
	sql "$ARK_TEST_DSN" "select pg_terminate_backend(pid) from pg_stat_activity where query like '%held%' and pid <> pg_backend_pid()" >freed
	wait || true
}
hold "$ARK_TEST_DSN" "hashtext('$(db_name)')"
run matter-import slack export --team acme --database "$(db)" --create-schema
databases
free
run matter-import slack export --team acme --database "$(db)" --create-schema
databases
everything "$(db)" >before
hold "$(db)" "hashtext('$(db_name)')"
run matter-import slack export --team acme --database "$(db)"
everything "$(db)" | cmp - before
free
run matter-import slack export --team acme --database "$(db)" --json

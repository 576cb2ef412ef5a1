# SIGINT and SIGTERM in the middle: exit code 130, the target as it was, the next run finishes.
need_pg
gen-slack -n 30000 --seed 7 -o big.zip 2>/dev/null
# interrupt SIGNAL QUERY COMMAND...: when the query of the server gives a row
interrupt()
{
	signal=$1
	when=$2
	shift 2
	env --default-signal=INT,TERM "$@" >run.out 2>&1 &
	child=$!
	until sql "$ARK_TEST_DSN" "$when" | grep -q 1; do
		kill -0 $child 2>/dev/null || break
		sleep 0.01
	done
	kill -"$signal" $child
	code=0
	wait $child 2>/dev/null || code=$?
	tidy <run.out | sed 's/error: .*: interrupted/error: interrupted/'
	echo "exit $code"
}
copying() { echo "select 1 from pg_stat_progress_copy p join pg_database d on d.oid = p.datid where tuples_processed > 1000 and d.datname like '$1'"; }
interrupt INT "$(copying 'matterark\_tmp%')" matter-import slack big.zip --files-from none --team acme --database "$(db)" --create-schema
echo "databases: $(databases)"
interrupt TERM "$(copying 'matterark\_tmp%')" matter-import slack big.zip --files-from none --team acme --database "$(db)" --create-schema
echo "databases: $(databases)"
# killed: the rest goes with the next run
interrupt KILL "$(copying 'matterark\_tmp%')" matter-import slack big.zip --files-from none --team acme --database "$(db)" --create-schema
databases | tidy | sed 's/_tmp_.*/_tmp_RUN/'
export_of export
until ! sql "$ARK_TEST_DSN" "select 1 from pg_stat_activity where datname like 'matterark\_tmp%'" | grep -q 1; do
	sleep 0.05
done
run matter-import slack export --team acme --database "$(db)" --create-schema -v
databases
everything "$(db)" >before
interrupt INT "$(copying "$(db_name)")" matter-import slack big.zip --files-from none --team acme --database "$(db)"
everything "$(db)" | cmp - before
run matter-import slack big.zip --files-from none --team acme --database "$(db)"
run matter-import verify big.zip --team acme --database "$(db)" | sed 's/^ *[0-9]\{3,\}/many/'
# while an archive is only read
mkfifo talk
exec 3<>talk # a reader that stays
env --default-signal=INT matter-import check big.zip -v >run.out 2>&3 &
grep -m 1 -o 'reading the lists' <&3
kill -INT $!
code=0
wait $! || code=$?
echo "exit $code"
cat run.out

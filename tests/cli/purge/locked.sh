# An import or another purge is running; somebody holds a message locked.
workspace
run matter-purge plan --database "$(db)" --channel random --older-than 2030-01-01 -o p >/dev/null
hold()
{
	"$ARK_TEST_PG_BIN/psql" -XAtq "$(db)" <<-END >/dev/null 2>&1 &
		begin;
		$1;
		select pg_sleep($2);
	END
	sleep 0.5
}
hold "select pg_advisory_lock(hashtext('matterark import'), hashtext(current_database()))" 7
run matter-purge apply p --database "$(db)" --files store --yes 2>&1 | sed "s/process [0-9]*/process N/"
wait
hold "update posts set message = message where id = (select min(id) from posts where channelid = (select id from channels where name
	= 'random'))" 2
run matter-purge apply p --database "$(db)" --files store --yes
wait
check "$(db)"

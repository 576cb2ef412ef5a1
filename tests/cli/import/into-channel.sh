# Everything into one channel; nobody comes to read there what they could not read in Slack.
need_pg
channels() { sql "$1" "select c.name, c.type, c.totalmsgcount, (select string_agg(u.username, ' ' order by u.username) from channelmembers m
	join users u on u.id = m.userid where m.channelid = c.id) from channels c order by 1"; }
archive=$fixtures/workspace/export
echo "== public ones"
matter-import slack "$archive" --team acme --database "$(db)" --create-schema -c general -c random --no-direct --into-channel old-slack --files-from none
channels "$(db)"
everything "$(db)" | grep -v '^run|\|^change|' >before
matter-import slack "$archive" --team acme --database "$(db)" -c general -c random --no-direct --into-channel old-slack --files-from none
everything "$(db)" | grep -v '^run|\|^change|' | diff before - && echo "nothing changed"
run matter-import verify "$archive" --team acme --database "$(db)" -c general -c random --no-direct --into-channel old-slack
echo "== private ones would come into a public channel"
run matter-import slack "$archive" --team acme --database "$(db)" --into-channel old-slack --files-from none
run matter-import slack "$archive" --team acme --database "$(db)" --into-channel 'Not A Name'
echo "== all of it"
matter-import slack "$archive" --team acme --database "$(db all)" --create-schema --into-channel old-slack --files-from none
channels "$(db all)"
sql "$(db all)" "update channels set deleteat = 5 where name = 'old-slack'"
run matter-import slack "$archive" --team acme --database "$(db all)" --into-channel old-slack --files-from none

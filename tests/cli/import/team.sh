# The team: made in a database of our own, there or asked for in an existing one.
need_pg
shown() { sql "$(db)" "select name, displayname, type, allowopeninvite from teams order by name"; }
matter-import slack "$fixtures/edited/export" --team acme --team-name 'Acme & Sons' --database "$(db)" --create-schema
shown
run matter-import slack "$fixtures/guests/export" --team other --database "$(db)"
shown
run matter-import slack "$fixtures/guests/export" --team other --create-team --database "$(db)"
shown
# names that Mattermost does not take for one
for name in 'Not a name' a admins acme_ "$(printf '%065d' 1)"; do
	run matter-import slack "$fixtures/guests/export" --team "$name" --create-team --database "$(db)"
	run matter-import slack "$fixtures/guests/export" --team "$name" --create-schema --database "$(db none)" | tail -1
done
databases
sql "$(db)" "select t.name, c.name, c.displayname from channels c join teams t on t.id = c.teamid order by 1, 2"
# Slack's general channel becomes town-square, or stays what it is
matter-import slack "$fixtures/general-renamed/export" --team acme --database "$(db merge)" --create-schema
matter-import slack "$fixtures/general-renamed/export" --team acme --database "$(db keep)" --create-schema --general keep
for kind in merge keep; do
	echo "== $kind"
	sql "$(db $kind)" "select name, displayname, totalmsgcount from channels order by 1"
done

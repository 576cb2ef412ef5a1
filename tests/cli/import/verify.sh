# Archive against database.
need_pg
export_of export
matter-import slack export --team acme --database "$(db)" --create-schema
verify() { run matter-import verify export --team acme --database "$(db)" "$@"; }
anonymous() { sed -E 's/\t[a-z0-9]{26}$/\tID/; s/"post_id":"[a-z0-9]{26}"/"post_id":"ID"/'; }
verify
everything "$(db)" >before
echo "== changed by hand"
sql "$(db)" "update posts set message = 'first!', editat = 1800000000000 where message = 'first'"
verify | anonymous
echo "== deleted in Mattermost"
sql "$(db)" "update posts set deleteat = 1800000000000 where message = 'third'"
verify --json | anonymous
sql "$(db)" "update posts set deleteat = 0, message = replace(message, '!', ''), editat = 0"
verify
echo "== gone with the record of it"
sql "$(db)" "delete from matterark.slack_post where post_id in (select id from posts where message = 'second')"
sql "$(db)" "delete from posts where message = 'second'"
verify | anonymous
verify --json | anonymous
echo "== the wrong team, the wrong database"
run matter-import verify export --team other --database "$(db)"
sql "$ARK_TEST_DSN" "create database $(db_name empty)"
run matter-import verify export --team acme --database "$(db empty)"
echo "== an archive that has not been imported"
run matter-import verify "$fixtures/edited/export" --team acme --database "$(db)" | anonymous | sort | uniq -c | sort -n | tail -5

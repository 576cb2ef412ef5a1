# The newest run taken back; what people built on it; what was changed in Mattermost.
need_pg
overlap=$fixtures/two-exports-overlap
matter-import slack "$overlap/first" --team acme --database "$(db)" --create-schema
run matter-import slack "$overlap/second" --team acme --database "$(db)" --overwrite --adopt --json
newest=$(matter-import runs --database "$(db)" | tail -1 | cut -f1)
oldest=$(matter-import runs --database "$(db)" | head -1 | cut -f1)
run matter-import undo "$oldest" --database "$(db)"
run matter-import undo no-such-run --database "$(db)"
run matter-import undo --database "$(db)"
run matter-import undo "$newest" --database "$(db)" --dry-run --json
sql "$(db)" "update posts set message = 'mine', editat = 1 where message = 'only in the second'"
run matter-import undo "$newest" --database "$(db)"
run matter-import undo "$newest" --database "$(db)" --force --verbose
run matter-import undo "$newest" --database "$(db)"
run matter-import runs --database "$(db)"

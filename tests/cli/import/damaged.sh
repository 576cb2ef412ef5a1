# Something was lost: exit code 3, and where.
need_pg
run matter-import check "$fixtures/damaged-day-file/export" --report seen
run matter-import slack "$fixtures/damaged-day-file/export" --team acme --database "$(db)" --create-schema --report out -v
sed 's/"detail":"not valid JSON[^"]*"/"detail":"not valid JSON"/' out/skipped.jsonl
cmp seen/skipped.jsonl out/skipped.jsonl
sql "$(db)" "select count(*) from posts"
# no archive at all: exit code 1, no database
: >empty.zip
echo 'no archive' >text.zip
mkdir folder
for archive in empty.zip text.zip folder nowhere.zip /dev/null; do
	run matter-import slack $archive --team acme --database "$(db none)" --create-schema
done
databases

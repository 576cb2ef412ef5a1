# Bodies of files: where from, where to, and what is said about those that cannot be had.
need_pg
files()
{
	find "$1" -type f -printf '%s %f\n' 2>/dev/null | sort -k2
}
rows_of()
{
	sql "$1" "select p.message, p.fileids <> '[]', f.name, f.size, f.width, f.height, f.haspreviewimage, length(f.minipreview) > 0
		from posts p left join fileinfo f on f.postid = p.id order by p.createat, f.createat"
}
archive=$fixtures/file-modes/export
echo '== out of the archive'
run matter-import slack "$archive" --team acme --database "$(db a)" --create-schema --files store --files-from archive --report report
rows_of "$(db a)"
files store
sed 's/\r//' report/missing-files.csv
echo '== once more: nothing is written'
everything "$(db a)" | grep -v "^run|" >before
run matter-import slack "$archive" --team acme --database "$(db a)" --files store --files-from archive
everything "$(db a)" | grep -v "^run|" >after
cmp before after && echo same
echo '== without previews'
run matter-import slack "$archive" --team acme --database "$(db b)" --create-schema --files plain --files-from archive --no-previews
files plain
echo '== none, then all of them'
run matter-import slack "$archive" --team acme --database "$(db c)" --create-schema --files later --files-from none
files later
sql "$(db c)" "select count(*) from fileinfo"
run matter-import slack "$archive" --team acme --database "$(db c)" --files later --files-from archive
rows_of "$(db c)" >c.rows
rows_of "$(db a)" | cmp - c.rows && echo the same as at once
echo '== no file store'
run matter-import slack "$archive" --team acme --database "$(db d)" --create-schema
run matter-import slack "$archive" --team acme --database "$(db e)" --create-schema --files-from archive
echo '== the command files'
run matter-import files --database "$(db d)" --files late --dry-run
run matter-import files --database "$(db d)"
run matter-import files --database "$(db d)" --files late --files-from none
run matter-import files "$archive" --database "$(db d)" --files late --json
rows_of "$(db d)" | cmp - c.rows && echo the same as at once
run matter-import files "$archive" --database "$(db d)" --files late --no-previews
sql "$ARK_TEST_DSN" "create database $(db_name f)"
run matter-import files --database "$(db f)" --files late
echo '== bodies are looked at, and go with the run'
run matter-import verify "$archive" --team acme --database "$(db a)" --files store
rm "$(find store -name query.sql)"
printf x >>"$(find store -name notes.txt)"
run matter-import verify "$archive" --team acme --database "$(db a)" --files store | sed -E 's|2023.*/||'
run matter-import verify "$archive" --team acme --database "$(db a)" --files store --files-from none
newest=$(sql "$(db c)" "select run from matterark.run order by run_no desc limit 1")
run matter-import undo "$newest" --database "$(db c)" --files later
sql "$(db c)" "select count(*), (select count(*) from fileinfo) from posts where message like 'a picture%not imported yet'"
first=$(sql "$(db d)" "select run from matterark.run order by run_no desc limit 1")
files late | wc -l
run matter-import undo "$first" --database "$(db d)" --files late
files late | wc -l

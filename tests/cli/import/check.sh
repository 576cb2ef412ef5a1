# What an import would bring, without any database.
run matter-import check "$fixtures/workspace/export"
run matter-import check --json "$fixtures/workspace/export"
# in a report as well, which is for its owner only
run matter-import check "$fixtures/workspace/export" --report out
ls out
stat -c '%a %n' out out/*
grep -o '"read":[0-9]*,"written":[0-9]*,"skipped":[0-9]*' out/report.json | head -1
# a report in a folder that holds something else
mkdir taken && echo mine >taken/report.html
run matter-import check "$fixtures/edited/export" --report taken
cat taken/report.html | head -c 5
echo
# several archives at once
run matter-import check "$fixtures/two-exports-overlap/"*/

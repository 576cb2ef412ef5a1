# What was imported when.
need_pg
matter-import slack "$fixtures/two-exports-overlap/first" --team acme --database "$(db)" --create-schema
matter-import slack "$fixtures/two-exports-overlap/first" "$fixtures/two-exports-overlap/second" --team acme --database "$(db)"
run matter-import runs --database "$(db)"
run matter-import runs --database "$(db)" --json
# nothing yet
sql "$ARK_TEST_DSN" "create database $(db_name empty)"
run matter-import runs --database "$(db empty)"
run matter-import runs --database "$(db absent)"

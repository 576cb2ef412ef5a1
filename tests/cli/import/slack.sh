# An import into a database that is not there, and the same once more.
need_pg
archive=$fixtures/workspace/export
run matter-import slack "$archive" --team acme --database "$(db)" --create-schema -v
everything "$(db)" >before
run matter-import slack "$archive" -t acme --database "$(db)" -v
everything "$(db)" >after
echo "tables that the second run wrote to:"
diff before after | sed -n 's/^> //p' | sed 's/|.*//'
# quiet without a terminal, one object per line for programs
run matter-import slack "$archive" --team acme --database "$(db)"
run matter-import slack "$archive" --team acme --database "$(db)" --json
databases

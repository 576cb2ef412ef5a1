# What does not fit into memory goes through temporary files: the same rows.
need_pg
gen-slack -n 6000 --seed 5 --channels 3 -o big.zip 2>/dev/null
matter-import slack big.zip --files-from none --team acme --database "$(db)" --create-schema
matter-import slack big.zip --files-from none --team acme --database "$(db little)" --create-schema --memory 1K --temp-dir .
rows "$(db)" >all
rows "$(db little)" >little
cmp all little
sql "$(db)" "select count(*) from posts" | sed 's/^[0-9]\{5,\}$/many/'
# no file left, and none with a name on the way
ls -A
run matter-import verify big.zip --team acme --database "$(db)" --memory 1K | sed 's/^ *[0-9]\{5,\}/many/'
# no place for them
run matter-import check big.zip --memory 1K --temp-dir nowhere
run matter-import slack big.zip --files-from none --team acme --database "$(db none)" --create-schema --memory 1K --temp-dir nowhere
limited() { (trap '' XFSZ && ulimit -f 64 && exec "$@"); }
run limited matter-import check big.zip --memory 1K
run limited matter-import slack big.zip --files-from none --team acme --database "$(db none)" --create-schema --memory 1K
ls -A "$TMPDIR"
databases

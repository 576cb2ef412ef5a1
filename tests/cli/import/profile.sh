# Where the time went.
need_pg
run matter-import check "$fixtures/edited/export" --profile | sed 's/ *[0-9.]* s  / N s  /'
run matter-import check "$fixtures/edited/export" --profile --json | sed -E 's/("(read, translate, copy|merge|indexes|finish)":)[0-9]+([,}])/\1N\3/g'
matter-import slack "$fixtures/edited/export" --team acme --database "$(db)" --create-schema --profile --report out |
	sed 's/ *[0-9.]* s  / N s  /'
sed -n '/"phases"/,/]/p' out/report.json | sed 's/"seconds": [0-9.]*/"seconds": N/'

# Telling others: that it began, how it ended, and figures that stay when a run fails.
need_pg
cat >told <<'EOF'
#!/bin/sh
echo "$MATTERARK_NOTIFY_EVENT $MATTERARK_NOTIFY_COMMAND ${MATTERARK_NOTIFY_STATUS-} ${MATTERARK_NOTIFY_EXIT_CODE-}"
env | grep -E '^MATTERARK_NOTIFY_(COUNT|HEADLINE|PROBLEM|TARGET)' | sort
EOF
chmod +x told
tell()
{
	run matter-import "$@" --notify 'exec:./told >>log' --metrics ark.prom
	sed -E "s/ at [^ ]*$/ at HOST/" log 2>/dev/null | tidy
	rm -f log
}
figures()
{
	sed -E -e '/^#/d' -e 's/(timestamp_seconds\{.*\}) [1-9][0-9]*/\1 TIME/' -e 's/(duration_seconds\{.*\}) .*/\1 T/' \
		ark.prom
}

echo '== done'
export_of one
tell slack one --team acme --database "$(db)" --create-schema
figures
echo '== failed: the figures stay'
tell slack one --team acme --database "$(db none)"
figures
echo '== interrupted, it tells all the same'
run matter-import slack one --team acme --database "$(db)" --metrics ark.prom \
	--notify 'exec:[ $MATTERARK_NOTIFY_EVENT = end ] || kill -INT $PPID; ./told >>log'
grep -v -E '_(COUNT|TARGET)' log
rm log
figures | grep exit_code
echo '== a dry run tells nobody'
tell slack one --team acme --database "$(db)" --dry-run
echo '== other commands, in the same file'
mkdir store
tell files one --files store --database "$(db)"
tell bulk one --team acme --output bulk.zip
id=$(matter-import runs --database "$(db)" | cut -f1)
tell undo "$id" --database "$(db)"
grep last_run_exit_code ark.prom
echo '== one that cannot be told is no failure, and no secret shows'
run matter-import bulk one --team acme --output again.zip --notify 'exec:echo secret; exit 3'
echo '== from the environment and from a file'
MATTERARK_NOTIFY='exec:./told >>log' run matter-import bulk one --team acme --output two.zip
cut -d' ' -f1-3 log | grep -v COUNT
printf 'metrics = conf.prom\nnotify = exec:echo configured >>conf\n' >conf.ini
chmod 600 conf.ini
run matter-import bulk one --team acme --output three.zip --config conf.ini
cat conf
test -s conf.prom && rm conf.prom
run matter-import runs --config conf.ini --database "$(db)"
cat conf
test ! -e conf.prom
echo '== what is no address'
run matter-import slack one --team acme --notify ftp://user:secret@host/
run matter-import slack one --team acme --metrics figures.txt
run matter-import slack one --team acme --metrics nowhere/figures.prom

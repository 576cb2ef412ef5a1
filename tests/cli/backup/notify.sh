# Others are told how commands ended; figures of all of them stand in one file, and stay when one fails.
workspace
store
matter-backup init repo
tell()
{
	run matter-backup "$@" --notify 'exec:env | grep ^MATTERARK_NOTIFY_ | sort >>log' --metrics ark.prom | names
	grep -E '_(COMMAND|EVENT|STATUS|HEADLINE|PROBLEM)=' log | tidy | names
	rm log
}
tell create repo --database "$(db)" --files store
tell verify repo
tell extract repo --output all.tar
tell prune repo --keep-last 1
tell create repo --database "$(db none)" --files store
grep -E '^matterark_(last_run_exit_code|snapshot_(rows|missing))' ark.prom | sed 's/\(_rows.*\) [1-9][0-9]*/\1 N/'
grep -c '^matterark_last_success.* [1-9]' ark.prom
rm -f told
run matter-backup prune repo --keep-last 1 --dry-run --notify 'exec:touch told' | tail -n 1 | names
ls

# Others are told how a run ended, with figures; nobody for a dry run.
workspace
tell()
{
	run matter-purge "$@" --database "$(db)" --notify 'exec:env | grep ^MATTERARK_NOTIFY_ | sort >>log' --metrics ark.prom
	grep -E '_(COMMAND|EVENT|STATUS|HEADLINE|PROBLEM)=' log | tidy
	rm -f log
}
tell plan --channel random --older-than 2030-01-01 -o p
tell apply p --files store --yes
tell apply absent --yes
grep -E '^matterark_(last_run_exit_code|purged_posts)' ark.prom
run matter-purge plan --database "$(db)" --channel random --older-than 2030-01-01 --dry-run --notify 'exec:touch told'
ls

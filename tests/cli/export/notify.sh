# Others are told how an export ended, and figures stay when one fails.
workspace
tell()
{
	run matter-export run "$@" --database "$(db)" --notify 'exec:env | grep ^MATTERARK_NOTIFY_ | sort >>log' \
		--metrics ark.prom
	grep -E '_(EVENT|STATUS|HEADLINE|PROBLEM|COUNT_[A-OQ-V].*)=' log | tidy | sed 's/\(COUNT_[A-Z]*BYTES\)=.*/\1=N/'
	rm log
	grep -E '^matterark_(exported|last_run_exit)' ark.prom
}
tell --out one
tell --out one
run matter-export run --out two --dry-run --database "$(db)" --notify 'exec:touch told' | tail -n 1
ls

#!/bin/sh
# Each page given is accepted by groff without a warning, and those of programs have their sections in the usual
# order.
#
# usage: man.sh PAGE...		exit 77: no groff here
set -eu

command -v groff >/dev/null || exit 77
failed=0
for page in "$@"; do
	# without "-w el" (unbalanced macros of the package itself) everything is asked for
	said=$(groff -Kutf8 -ww -man -Tutf8 -z "$page" 2>&1) || failed=1
	if [ -n "$said" ]; then
		echo "$said"
		failed=1
	fi
	if grep -n '@[A-Z]*@' "$page"; then
		echo "$page: a place that was not filled in"
		failed=1
	fi
	case $page in *.1) ;; *) continue ;; esac
	have=$(sed -n 's/^\.SH //p' "$page" | tr '\n' ' ')
	for section in NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS ENVIRONMENT FILES 'EXIT STATUS'; do
		case $section in COMMANDS) grep -q '^\.SH COMMANDS' "$page" || continue ;; esac
		case $have in
		*"$section "*) have=${have#*"$section "} ;;
		*) echo "$page: section $section is missing or out of order"; failed=1 ;;
		esac
	done
done
exit "$failed"

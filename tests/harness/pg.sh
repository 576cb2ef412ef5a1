#!/bin/sh
# A throw-away PostgreSQL cluster for tests: Unix socket only, trust, no fsync, in a temporary folder.
#
#	pg.sh COMMAND [ARG...]    run COMMAND with ARK_TEST_DSN set, then remove the cluster
#	pg.sh --start DIR         start one in DIR (made here), print its data source name
#	pg.sh --stop DIR          stop and remove it
#	pg.sh --bin               print the folder of PostgreSQL's programs
#
# As root it runs under the user `postgres`. ARK_PG_BIN names the folder of another PostgreSQL's
# programs. Where there is no PostgreSQL or, for root, no such user: TAP's line for "skipped" and exit code 0
# instead of a COMMAND (meson takes another code for an error), 77 for the other forms.
set -eu

newest_bin() {
	if [ -n "${ARK_PG_BIN:-}" ]; then
		echo "$ARK_PG_BIN"
		return
	fi
	best=$(ls -d /usr/pgsql-*/bin /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
	if [ -z "$best" ] && command -v initdb >/dev/null; then
		best=$(dirname "$(command -v initdb)")
	fi
	echo "$best"
}

skip() {
	echo "1..0 # SKIP $1"
	[ "$form" = run ] || exit 77
	exit 0
}

as_owner() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
	else
		"$@"
	fi
}

start() {
	if [ "$(id -u)" = 0 ]; then
		chown postgres "$1"
	fi
	chmod 0700 "$1"
	(
		cd "$1"
		as_owner "$bin/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
			--no-sync >"$1/initdb.log" 2>&1 || {
			cat "$1/initdb.log" >&2
			exit 1
		}
		as_owner "$bin/pg_ctl" -D "$1/data" -w -t 30 -l "$1/server.log" -o "-F -k '$1' \
			-c listen_addresses='' -c shared_buffers=64MB -c wal_level=minimal \
			-c max_wal_senders=0 -c synchronous_commit=off -c full_page_writes=off \
			-c autovacuum=off -c log_min_messages=warning" start >/dev/null </dev/null || {
			cat "$1/server.log" >&2
			exit 1
		}
	)
}

stop() {
	(cd "$1" && as_owner "$bin/pg_ctl" -D "$1/data" -m immediate stop >/dev/null 2>&1) || true
	rm -rf "$1"
}

form=run
case $1 in --*) form=$1 ;; esac
bin=$(newest_bin)
[ -n "$bin" ] && [ -x "$bin/initdb" ] || skip "PostgreSQL is not installed"
[ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1 || skip "no user postgres to run the server"

case $1 in
--start)
	mkdir -p "$2"
	start "$2"
	echo "host=$2 user=postgres dbname=postgres"
	;;
--stop)
	stop "$2"
	;;
--bin)
	echo "$bin"
	;;
*)
	dir=$(mktemp -d "${TMPDIR:-/tmp}/ark-pg.XXXXXX")
	trap 'stop "$dir"' EXIT
	trap 'exit 129' HUP INT TERM
	start "$dir"
	status=0
	ARK_TEST_DSN="host=$dir user=postgres dbname=postgres" ARK_TEST_PG_BIN="$bin" "$@" || status=$?
	exit "$status"
	;;
esac

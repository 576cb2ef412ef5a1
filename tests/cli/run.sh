#!/bin/bash
# Runs cases: tests/cli/<tool>/<case>.sh, beside it .out, .err and .exit with what standard output,
# standard error and the exit code must be (absent: empty, empty, 0). Prints TAP.
#
# usage: run.sh [--update] [--bin FOLDER]... [TOOL | TOOL/CASE]...
#
#   --bin FOLDER   in front of PATH for the cases; a build's tools
#   --update       write .out, .err and .exit anew instead of comparing; then read the diff
#
# A case runs under `sh -eu` in an empty folder with a clean environment: HOME and TMPDIR of its own,
# LC_ALL=C.UTF-8, no MATTERARK_ variable, SOURCE_ROOT for fixtures, standard input empty. The path of
# its folder is shown as TMP in what it printed. Exit code 77 skips it; its last line says why.
#
# A tool whose folder holds a file `needs-pg` gets one throw-away PostgreSQL cluster for all its cases:
# ARK_TEST_DSN names it, ARK_TEST_PG_BIN the folder of its programs; both are unset where there is none.
# A file `lib` in that folder is read by `sh` before each case.
set -u

here=$(cd "$(dirname "$0")" && pwd)
source_root=$(cd "$here/../.." && pwd)
update=no
bins=
wanted=()
while [ $# -gt 0 ]; do
	case $1 in
	--update) update=yes ;;
	--bin)
		bins=$bins$(cd "$2" && pwd):
		shift
		;;
	-*)
		echo "run.sh: unknown option '$1'" >&2
		exit 2
		;;
	*) wanted+=("$1") ;;
	esac
	shift
done
[ ${#wanted[@]} -gt 0 ] || mapfile -t wanted < <(cd "$here" && printf '%s\n' */ | tr -d /)

cases=()
for name in "${wanted[@]}"; do
	if [ -f "$here/$name.sh" ]; then
		cases+=("$name")
	elif [ -d "$here/$name" ]; then
		mapfile -t found < <(cd "$here" && compgen -G "$name/*.sh" | sort | sed 's/\.sh$//')
		cases+=("${found[@]}")
	else
		echo "run.sh: no tool or case '$name'" >&2
		exit 2
	fi
done

top=$(mktemp -d)
pg=
end()
{
	[ -z "$pg" ] || "$source_root/tests/harness/pg.sh" --stop "$pg"
	chmod -R u+rwX "$top" 2>/dev/null
	rm -rf "$top"
}
trap end EXIT
trap 'exit 129' HUP INT TERM

# start_pg TOOL: leaves the cluster's data source name in $dsn, nothing where there is no PostgreSQL
dsn=
start_pg()
{
	[ -z "$pg" ] && [ -f "$here/$1/needs-pg" ] || return 0
	local folder answer
	folder=$(mktemp -d /tmp/ark-cli-pg.XXXXXX)
	if answer=$("$source_root/tests/harness/pg.sh" --start "$folder"); then
		pg=$folder
		dsn=$answer
	else
		rm -rf "$folder"
		echo "# no PostgreSQL: $answer"
	fi
}

# run_case NAME: leaves out, err and exit in $top
run_case()
{
	local folder=$top/case keep=()
	chmod -R u+rwX "$folder" 2>/dev/null
	rm -rf "$folder"
	mkdir -p "$folder/home" "$folder/tmp" "$folder/work"
	for variable in ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS; do
		[ -z "${!variable-}" ] || keep+=("$variable=${!variable}")
	done
	[ -z "$dsn" ] || keep+=("ARK_TEST_DSN=$dsn" "ARK_TEST_PG_BIN=$("$source_root/tests/harness/pg.sh" --bin)")
	local lib=$here/${1%%/*}/lib script=$here/$1.sh
	[ -f "$lib" ] || lib=/dev/null
	(
		cd "$folder/work" || exit 99
		umask 022
		exec env -i "${keep[@]}" HOME="$folder/home" TMPDIR="$folder/tmp" TERM=dumb \
			LC_ALL=C.UTF-8 TZ=UTC PATH="$bins/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
			SOURCE_ROOT="$source_root" timeout "${ARK_CLI_TIMEOUT:-300}" \
			sh -euc '. "$1"; . "$2"' "$1" "$lib" "$script" </dev/null >"$top/out.raw" 2>"$top/err.raw"
	)
	echo $? >"$top/exit"
	sed "s|$folder|TMP|g" "$top/out.raw" >"$top/out"
	sed "s|$folder|TMP|g" "$top/err.raw" >"$top/err"
}

# keep FILE WHAT EMPTY: --update of one of the three; what is as usual has no file
keep()
{
	if cmp -s "$2" "$3"; then
		rm -f "$1"
	else
		cp "$2" "$1"
	fi
}

# differ FILE WHAT EMPTY: prints the difference as TAP comments; true when there is one
differ()
{
	local want=$1
	[ -f "$want" ] || want=$3
	cmp -s "$want" "$2" && return 1
	diff -u --label "wanted $(basename "$1")" --label seen "$want" "$2" | sed 's/^/# /'
	return 0
}

: >"$top/nothing"
echo 0 >"$top/zero"
number=0
failed=0
echo "1..${#cases[@]}"
for name in "${cases[@]}"; do
	number=$((number + 1))
	start_pg "${name%%/*}"
	run_case "$name"
	if [ "$(cat "$top/exit")" = 77 ]; then
		echo "ok $number - $name # SKIP $(tail -n 1 "$top/err")"
		continue
	fi
	if [ $update = yes ]; then
		keep "$here/$name.out" "$top/out" "$top/nothing"
		keep "$here/$name.err" "$top/err" "$top/nothing"
		keep "$here/$name.exit" "$top/exit" "$top/zero"
	fi
	bad=no
	differ "$here/$name.out" "$top/out" "$top/nothing" && bad=yes
	differ "$here/$name.err" "$top/err" "$top/nothing" && bad=yes
	differ "$here/$name.exit" "$top/exit" "$top/zero" && bad=yes
	if [ $bad = yes ]; then
		failed=$((failed + 1))
		echo "not ok $number - $name"
	else
		echo "ok $number - $name"
	fi
done
[ $failed = 0 ]

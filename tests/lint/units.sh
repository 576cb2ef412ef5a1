#!/bin/sh
# Units of systemd: each service has its timer, the command in it is one that the built tool understands, and, where
# systemd is, it finds no fault with them and calls them as closed as they can be.
#
# usage: units.sh TIMERS_FOLDER SERVICE... -- TOOL...
set -eu

timers=$1
shift
services=
while [ "$1" != -- ]; do
	services="$services $1"
	shift
done
shift
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

complain()
{
	echo "$*"
	failed=1
}

# tool_named NAME TOOL...: its path
tool_named()
{
	wanted=$1
	shift
	for tool; do
		[ "$(basename "$tool")" != "$wanted" ] || echo "$tool"
	done
}

# value FILE KEY: of the last line KEY=...
value()
{
	sed -n "s/^$2=//p" "$1" | tail -1
}

mkdir "$work/credentials"
echo 'database = dbname=nothing' >"$work/credentials/matterark.conf"
for service in $services; do
	name=$(basename "$service" .service)
	[ -f "$timers/$name.timer" ] || complain "$service: has no timer"
	grep -q '^\[Install\]' "$timers/$name.timer" || complain "$name.timer: cannot be enabled"
	command=$(value "$service" ExecStart)
	tool=$(tool_named "$(basename "${command%% *}")" "$@")
	if [ -z "$tool" ]; then
		complain "$service: runs '${command%% *}', which is not built"
		continue
	fi
	# its own Environment= lines, then what systemd fills in
	# shellcheck disable=SC2046
	said=$(
		env -i PATH="$PATH" HOME="$work" CREDENTIALS_DIRECTORY="$work/credentials" \
			$(sed -n 's/^Environment=//p' "$service") sh -c "\"$tool\" ${command#* } --show-config" 2>&1
	) || complain "$service: '$command' is not understood: $said"
	if command -v systemd-analyze >/dev/null; then
		sed "s|^ExecStart=.*|ExecStart=/bin/true|" "$service" >"$work/$name.service"
		cp "$timers/$name.timer" "$work"
		said=$(systemd-analyze verify --man=no "$work/$name.service" "$work/$name.timer" 2>&1 | grep -F "$name" || true)
		[ -z "$said" ] || complain "$service: $said"
		# 0 is closed, 10 is open; releases weigh differently, and these have 1.7 at most
		systemd-analyze security --offline=yes --threshold=25 "$work/$name.service" >"$work/said" 2>&1 ||
			complain "$service: $(tail -1 "$work/said")"
	fi
done
exit "$failed"

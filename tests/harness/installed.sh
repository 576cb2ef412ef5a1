#!/bin/bash
# What the Debian package put on a machine: looked at as somebody who works with it would, as root on a system made
# for this (tests/harness/full.sh). TAP on stdout.
#
#	installed.sh here    the package is installed; so are man-db, systemd, bash-completion, zsh and fish
#	installed.sh gone    it was purged
set -u

tools='matter-import matter-export matter-history matter-backup matter-purge'
units='matter-backup matter-backup-verify matter-history'
number=0
failed=0
said=

# claim WHAT COMMAND...: ok when it ends with 0; otherwise what it said is shown
claim()
{
	local what=$1
	shift
	number=$((number + 1))
	if said=$("$@" 2>&1); then
		echo "ok $number - $what"
	else
		failed=1
		echo "not ok $number - $what"
		printf '%s\n' "$said" | tail -20 | sed 's/^/# /'
	fi
}

version()
{
	local want
	want=$(dpkg-query -W -f '${Version}' matterark) && [ "$("$1" --version)" = "$1 ${want%-*}" ]
}

help_page()
{
	local text
	text=$("$1" --help) && grep -q -- '--version' <<<"$text" && grep "^Usage: $1 " <<<"$text"
}

# manual NAME.SECTION: the page is found by its name, has a body, is in the index of whatis, and the formatter finds
# no fault with it
manual()
{
	local name=${1%.*} section=${1##*.} lines warnings
	lines=$(MANWIDTH=100 man "$section" "$name" 2>/dev/null | wc -l)
	[ "$lines" -gt 20 ] || { echo "$lines lines"; return 1; }
	warnings=$(MANWIDTH=100 man --warnings "$section" "$name" 2>&1 >/dev/null)
	[ -z "$warnings" ] || { printf '%s\n' "$warnings"; return 1; }
	whatis "$name" | grep "^$name ($section)"
}

# The three shells load what belongs to a tool by themselves: nothing is sourced here by its path.
bash_completes()
{
	bash -c '. /usr/share/bash-completion/bash_completion
		load=_completion_loader; declare -F _comp_load >/dev/null && load=_comp_load
		"$load" "$0"
		COMP_WORDS=("$0" --he) COMP_CWORD=1
		"$(complete -p "$0" | sed "s/.* -F \([^ ]*\) .*/\1/")" "$0" --he "$0"
		[[ ${COMPREPLY[*]} == *--help* ]]' "$1"
}

zsh_completes()
{
	zsh -f -c 'autoload -U compinit; compinit -D -u; [[ $_comps['"$1"'] == _'"$1"' ]] && autoload +X _'"$1"
}

fish_completes()
{
	fish --no-config -c "complete -C '$1 --he'" | grep -q -- '^--help' ||
		fish -c "complete -C '$1 --he'" | grep -q -- '^--help'
}

unit_is_sound()
{
	local where
	where=$(dpkg -L matterark | grep "/$1\$") && [ "$(systemd-analyze verify --man=yes "$where" 2>&1)" = '' ] ||
		{ systemd-analyze verify --man=yes "$where"; return 1; }
}

nothing_enabled()
{
	! find /etc/systemd /var/lib/systemd -name 'matter*' -path '*wants*' | grep .
}

account()
{
	local home shell
	IFS=: read -r _ _ _ _ _ home shell < <(getent passwd matterark)
	[ "$home" = /var/lib/matter-backup ] && [[ $shell == */nologin ]] && [ "$(id -gn matterark)" = matterark ]
}

# Secrets are in files there: nobody else may write, and the folder is root's.
configuration_folder()
{
	[ "$(stat -c '%U:%G %a' /etc/matterark)" = 'root:root 755' ]
}

documents()
{
	local doc=/usr/share/doc/matterark
	zgrep -q . $doc/changelog*.gz && [ -e $doc/copyright ] && ls $doc/examples/matterark.conf.example* $doc/docs &&
		[ ! -e $doc/LICENSE ]
}

example_is_read()
{
	local copy rc
	copy=$(mktemp) || return
	zcat -f /usr/share/doc/matterark/examples/matterark.conf.example* | sed 's/^# *\([a-z]* = \)/\1/' >"$copy"
	matter-backup list /nowhere --config "$copy" --show-config
	rc=$?
	rm "$copy"
	return $rc
}

files_as_recorded()
{
	[ "$(dpkg -V matterark)" = '' ]
}

here()
{
	local name
	for name in $tools; do
		claim "$name --version" version "$name"
		claim "$name --help" help_page "$name"
		claim "$name has a manual page" dpkg -S "/usr/share/man/man1/$name.1.gz"
		claim "bash completes $name" bash_completes "$name"
		claim "zsh completes $name" zsh_completes "$name"
		claim "fish completes $name" fish_completes "$name"
	done
	mandb -q
	for name in $(dpkg -L matterark | sed -n 's,^/usr/share/man/man[0-9]/\(.*\)\.gz$,\1,p'); do
		claim "man $name" manual "$name"
	done
	for name in $units; do
		claim "$name.service" unit_is_sound "$name.service"
		claim "$name.timer" unit_is_sound "$name.timer"
	done
	claim 'no timer is switched on' nothing_enabled
	claim 'the account of the timers' account
	claim '/etc/matterark' configuration_folder
	claim 'documents' documents
	claim 'the example of a configuration is understood' example_is_read
	claim 'every file is as it was packed' files_as_recorded
}

# Pages that man keeps ready are man's own. The folder of drills is data, which the recipes made.
no_files()
{
	! find / -xdev \( -path /proc -o -path /srv -o -path /tmp -o -path /dev -o -path /home -o -path /var/cache/apt \
		-o -path /var/cache/man -o -path /var/lib/matterark-drill \) -prune -o \
		\( -iname '*matterark*' -o -name 'matter-*' -o -name '_matter-*' \) -print | grep .
}

not_known()
{
	! dpkg-query -W matterark 2>/dev/null | grep .
}

gone()
{
	claim 'no file with a name of ours is left' no_files
	claim 'dpkg knows nothing of it' not_known
	# as Debian does it: what belonged to an account may be anywhere, so its number is not given to another
	claim 'the account stays' id matterark
}

case ${1-} in
here | gone) "$1" ;;
*)
	sed -n '2,6s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
echo "1..$number"
exit $failed

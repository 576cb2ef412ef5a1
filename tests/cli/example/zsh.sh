# The zsh completion on a pseudo-terminal, as a person meets it.
command -v zsh >/dev/null || { echo "no zsh" >&2; exit 77; }
matter-example --render=zsh >_matter-example
zsh -n _matter-example
cat >ask.zsh <<'END'
zmodload zsh/zpty || exit 77
# ask LINE WORDS: what of WORDS is shown after LINE and a tab
ask()
{
	zpty z zsh -f -i
	zpty -w z "PS1= PS2=; stty -echo; fpath=($PWD \$fpath); autoload -U compinit"
	zpty -w z "compinit -D -u; zstyle ':completion:*' list-colors ''; LISTMAX=10000; cd $PWD"
	# the line editor prints the prompt when the terminal is its own; before, keys would go astray
	zpty -w z "PS1=PRO''MPT"
	local line seen=
	zpty -r z line '*PROMPT*'
	zpty -w -n z "$1"$'\t'
	zpty -w -n z $'\x15echo d""one\n'
	while zpty -r z line; do
		seen+=$line
		[[ $seen == *done* ]] && break
	done
	zpty -d z
	print -r -- "$seen" | tr -d '\r\a' | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' |
		grep -o -- "$2" | sort -u
}
echo commands
ask 'matter-example l' 'look at archives\|load archives\|list what'
echo options
ask 'matter-example load --' '--[a-z][a-z-]*'
echo words
ask 'matter-example load --bots ' 'keep\|skip'
END
timeout 60 zsh -f ask.zsh

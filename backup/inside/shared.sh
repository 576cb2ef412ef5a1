# What both restore.sh have in common; only what sh and coreutils have.

die()
{
	echo "restore.sh: $*" >&2
	exit 1
}

# doubled TEXT CHARACTER: with each CHARACTER twice
doubled()
{
	rest=$1 text=
	while :; do
		case $rest in
		*"$2"*)
			text=$text${rest%%"$2"*}$2$2
			rest=${rest#*"$2"}
			;;
		*) break ;;
		esac
	done
	printf '%s' "$text$rest"
}

literal()
{
	printf "'%s'" "$(doubled "$1" "'")"
}

# starting PREFIX BEFORE: the lines that begin with PREFIX, with BEFORE instead of it
starting()
{
	while IFS= read -r line; do
		case $line in
		"$1"*) printf '%s%s\n' "$2" "${line#"$1"}" ;;
		esac
	done
}

# Names of variables that are set, out of lines NAME=VALUE.
variables()
{
	while IFS= read -r line; do
		case $line in
		MM_*=*) echo "proof: set in production's environment, must not be in the copy's: ${line%%=*}" ;;
		esac
	done
}

# config NUMBER: statements that make the configuration on standard input harmless. Control characters stand
# nowhere in JSON, so that nothing in it is taken for a delimiter or a quote.
config()
{
	echo "create temp table config_$1 (text text);"
	printf 'copy config_%s from stdin with (format csv, delimiter E'\''\\001'\'', quote E'\''\\002'\'', escape E'\''\\002'\'');\n' "$1"
	tr '\001-\037' ' '
	echo
	echo '\.'
	echo "select 'config $1 ' || pg_temp.ark_config(text::jsonb)::text from config_$1;"
}

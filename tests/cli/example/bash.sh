# The bash completion, asked as bash asks it.
command -v bash >/dev/null || { echo "no bash" >&2; exit 77; }
matter-example --render=bash >completion
mkdir folder
: >'file with blanks'
cat >ask <<'END'
source ./completion
ask()
{
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_matter_example
	echo "$*: ${COMPREPLY[*]@Q}"
}
ask matter-example l
ask matter-example --op
ask matter-example load --b
ask matter-example look --b
ask matter-example --config list look --da
ask matter-example load --bots ''
ask matter-example load --bots = s
ask matter-example load --embedded = f
ask matter-example load -o fi
ask matter-example load --team l
ask matter-example look f
END
bash ask

# The fish completion, asked through fish itself.
command -v fish >/dev/null || { echo "no fish" >&2; exit 77; }
matter-example --render=fish >c.fish
: >file.zip
ask()
{
	echo "$1"
	# versions differ in what they add to an option whose value is optional, and in whether they also
	# offer what has the letters anywhere
	fish --no-config -c "source c.fish; complete -C '$1'" | sed 's/\t.*//; /=$/d' | grep "^${1##* }" | sort
}
ask 'matter-example l'
ask 'matter-example look --'
ask 'matter-example load --bots '
ask 'matter-example load --t'
ask 'matter-example look f'

# What each command says about itself.
matter-export --help
for command in $(matter-export --options-json | tr '{' '\n' | sed -n 's/^"name":"\([a-z]*\)","help".*"operands".*/\1/p'); do
	echo
	matter-export "$command" --help
done

# What each command says about itself.
matter-import --help
for command in $(matter-import --options-json | tr '{' '\n' | sed -n 's/^"name":"\([a-z]*\)","help".*"operands".*/\1/p'); do
	echo
	matter-import "$command" --help
done

# What each command says about itself.
matter-purge --help
for command in plan apply log; do
	echo
	matter-purge "$command" --help
done

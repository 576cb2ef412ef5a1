# What each command says about itself.
matter-history --help
for command in update show log rebuild; do
	echo
	matter-history "$command" --help
done

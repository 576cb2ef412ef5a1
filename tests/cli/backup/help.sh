# What each command says about itself.
matter-backup --help
for command in init create list show diff find verify check prune undelete extract keygen; do
	echo
	matter-backup "$command" --help
done

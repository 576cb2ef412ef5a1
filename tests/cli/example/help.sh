# Help goes to standard output and needs no configuration; each command has its own.
matter-example --help
mkdir -p "$HOME/.config"
echo nonsense >"$HOME/.config/matterark.conf"
matter-example load --help
matter-example --version

# The same as an ordinary user; a folder that the server's user cannot reach is refused beforehand.
need_pg
[ "$(id -u)" = 0 ] || {
	echo "only root can be somebody else" >&2
	exit 77
}
top=$(mktemp -d /tmp/ark-cli.XXXXXX)
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
export_of "$top/export"
cp "$(command -v matter-import)" "$top/"
mkdir -m 755 "$top/home"
chown nobody "$top/home"
as_nobody() { (cd "$top/home" && HOME=$top/home TMPDIR=$top/home setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"); }
run as_nobody "$top/matter-import" slack "$top/export" --team acme --embedded -v
run as_nobody "$top/matter-import" slack "$top/export" --team acme --embedded=matterark-data
run as_nobody "$top/matter-import" runs --embedded
ls "$top/home"
stat -c '%U %a' "$top/home/matterark-data"
run as_nobody "$top/matter-import" slack "$top/export" --team acme --embedded="$top/denied"
mkdir -m 700 "$top/closed"
run matter-import slack "$top/export" --team acme --embedded="$top/closed/data"
ls -A "$top/closed"

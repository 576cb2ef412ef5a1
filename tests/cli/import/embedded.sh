# A private PostgreSQL, made where it is told, started and stopped by the tool.
need_pg
export_of export
top=$(mktemp -d /tmp/ark-cli.XXXXXX)
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
dir=$top/data
run matter-import slack export --team acme --embedded="$dir" -v
run matter-import slack export --team acme --embedded="$dir" -v
run matter-import verify export --team acme --embedded="$dir"
MATTERARK_EMBEDDED=$dir run matter-import runs
test ! -e "$dir"/*/postmaster.pid && test ! -e "$dir/postmaster.pid" && echo "no server is left running"
run matter-import verify export --team acme --embedded="$top/nowhere"
ls "$top"
: >"$top/file"
run matter-import slack export --team acme --embedded="$top/file"
mkdir "$top/other"
: >"$top/other/something"
run matter-import slack export --team acme --embedded="$top/other"
ls "$top/other"

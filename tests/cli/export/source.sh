# Where from: a private database, Mattermost's own configuration; and attachments from the file store.
top=$(mktemp -d /tmp/ark-cli.XXXXXX)
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
matter-import slack "$fixtures/edited/export" --team acme --embedded="$top/data" >/dev/null 2>&1
run matter-export run --embedded="$top/data" -o from-embedded
lines from-embedded | wc -l
run matter-export run --embedded="$top/nowhere" -o x
workspace
mkdir config store
echo '{"SqlSettings": {"DriverName": "postgres", "DataSource": "postgres://mmuser:tiefgeheim@127.0.0.1:1/mattermost"},
 "FileSettings": {"DriverName": "local", "Directory": "./data"}}' >config/config.json
run matter-export run --show-config --mattermost-config config/config.json -o x | sed -n '/^=>/p'

# attachments in a bucket
MATTERARK_S3_SECRET_KEY=geheim MATTERARK_S3_SESSION_TOKEN=auch run matter-export run --show-config --database "$(db)" -o x \
	--files s3://bucket/mm --s3-endpoint https://s3.example --s3-region eu --s3-access-key AK --s3-style path \
	--s3-secret-key-file key | sed -n -e '/^s3-/p' -e '/^=>/p'

sql "$(db)" "insert into fileinfo (id, creatorid, postid, channelid, createat, updateat, deleteat, path, thumbnailpath,
	previewpath, name, extension, size, mimetype, width, height, haspreviewimage)
	select 'file' || n || repeat('a', 21), p.userid, p.id, p.channelid, p.createat + n, p.createat, 0, 'a/' || n || '.txt', '', '',
	'Ärger ' || n || '.txt', 'txt', 6, 'text/plain', 0, 0, false
	from generate_series(1, 4) n, (select * from posts where type = '' order by id limit 1) p;
	update posts set fileids = '[\"x\"]' where id = (select postid from fileinfo limit 1)"
mkdir -p store/a
echo hello >store/a/1.txt
echo hello >store/a/2.txt
mkdir store/a/3.txt
attached()
{
	lines "$1" | python3 -c '
import json, sys
for line in sys.stdin:
    for a in json.loads(line)["attachments"]:
        print(a["name"], a["bytes"], a["sha256"], a["copy_path"], a["store_path"])'
}
for how in none reference copy; do
	echo "== $how"
	run matter-export run --database "$(db)" --files store --attachments $how -o $how
	attached $how
	find $how/data -path '*/files/*' -type f
done
run matter-export run --database "$(db)" -o unknown -v
attached unknown | head -1
run matter-export run --database "$(db)" --files nowhere -o x
(cd copy && sha256sum --quiet -c manifest-sha256.txt && echo sums agree)

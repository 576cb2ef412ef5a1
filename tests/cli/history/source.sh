# Where from: a private database, Mattermost's own configuration, attachments from the file store.
top=$(mktemp -d /tmp/ark-cli.XXXXXX)
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
matter-import slack "$fixtures/edited/export" --team acme --embedded="$top/data" >/dev/null 2>&1
run matter-history update --embedded="$top/data" repo
git -C repo rev-list --count main
mkdir config
echo '{"SqlSettings": {"DriverName": "postgres", "DataSource": "postgres://mmuser:tiefgeheim@127.0.0.1:1/mattermost"},
 "FileSettings": {"DriverName": "local", "Directory": "./data"}}' >config/config.json
run matter-history update --show-config --mattermost-config config/config.json x | sed -n '/^=>/p'
MATTERARK_S3_SECRET_KEY=geheim MATTERARK_S3_SESSION_TOKEN=auch run matter-history update --show-config --database "$(db)" x \
	--files s3://bucket/mm --s3-endpoint https://s3.example --s3-region eu --s3-access-key AK --s3-style path \
	--s3-secret-key-file key | sed -n -e '/^s3-/p' -e '/^=>/p'
echo "== attachments"
workspace
d=$(db)
sql "$d" "insert into fileinfo (id, creatorid, postid, channelid, createat, updateat, deleteat, path, thumbnailpath,
	previewpath, name, extension, size, mimetype, width, height, haspreviewimage)
	select 'file' || n || repeat('a', 21), p.userid, p.id, p.channelid, p.createat + n, p.createat, 0, 'a/' || n || '.txt', '', '',
	'note ' || n || '.txt', 'txt', 6, 'text/plain', 0, 0, false
	from generate_series(1, 2) n, (select * from posts where type = '' order by id limit 1) p;
	update posts set fileids = '[\"x\"]' where id = (select postid from fileinfo limit 1)"
mkdir -p store/a
echo hello >store/a/1.txt
run matter-history update files --database "$d" --files store --notify 'exec:env | grep ^MATTERARK_NOTIFY_STATUS | sort >>log' --metrics ark.prom
cat log
grep -E '^matterark_(history|posts_added|last_run_exit)' ark.prom
git -C files grep -h -o '"attachments":\[[^]]*\]' main

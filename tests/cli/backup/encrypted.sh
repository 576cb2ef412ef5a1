# An encrypted repository: the server writes and verifies, who has the key reads.
workspace
store
run matter-backup keygen -o key >recipient
grep -c '^matterark-recipient-[0-9a-f]*$' recipient
run matter-backup keygen --output key
run matter-backup init repo --encrypt "$(cat recipient)"
run matter-backup create repo --database "$(db)" --files store --verbose | names
run matter-backup create repo --database "$(db)" --files store --verbose | names
run matter-backup verify repo --verbose | names
run matter-backup list repo | names
echo "-- elsewhere, without what the server remembers"
run matter-backup show repo --cache other | names
run matter-backup show repo --cache other --identity key | grep -c table
if grep -rqa acme repo; then
	echo "the company's name stands there in clear"
fi
matter-backup keygen -o wrong >/dev/null
run matter-backup show repo --cache other --identity wrong

echo "-- everything out of it, for a machine without matter-backup: a test installation"
sql "$(db)" "insert into outgoingwebhooks (id, callbackurls, deleteat) values ('hook', '[\"https://ci.acme.example/\"]', 0)"
cat >config.json <<'END'
{ "ServiceSettings": { "SiteURL": "https://chat.acme.example", "AllowCorsFrom": "a\\b\"c" }, "TeamSettings": { "SiteName": "Acme" } }
END
MM_EMAILSETTINGS_SMTPPASSWORD=hidden matter-backup create repo --mattermost-config config.json --database "$(db)" --files store
cat key | run matter-backup extract repo --cache other --identity /dev/stdin -o all.tar.zst # out of a pipe, read several times
mkdir bare out
for program in sh basename cat cp cut dirname head ls mkdir mktemp rm tr; do
	ln -s "$(command -v $program)" "bare/$program"
done
ln -s "$ARK_TEST_PG_BIN/psql" bare/psql
zstd -dc all.tar.zst | tar -xf - -C out
for name in copy real; do
	sql "$server dbname=postgres" "create database encrypted_$name" >/dev/null
done
run env -i PATH="$PWD/bare" sh out/restore.sh "$(db copy)" copy | sed "s|$PWD|HERE|g" | grep -v 'named in'
sql "$(db copy)" "select (select count(*) from posts), (select count(*) from outgoingwebhooks), (select count(*) from matterark.test_copy)"
diff -r store copy
python3 -c 'import json; c = json.load(open("copy.config-1.json")); print(c["ServiceSettings"]["SiteURL"], c["TeamSettings"]["SiteName"])'
run env -i PATH="$PWD/bare" sh out/restore.sh "$(db copy)" again
run env -i PATH="$PWD/bare" sh out/restore.sh --production "$(db real)" real | sed "s|$PWD|HERE|g"
sql "$(db real)" "select (select count(*) from posts), (select count(*) from outgoingwebhooks), to_regclass('matterark.test_copy') is null"
diff -r store real
cmp config.json real.config-1.json
mv out/neutralise.sql out/kept
run env -i PATH="$PWD/bare" sh out/restore.sh "$(db real)" again

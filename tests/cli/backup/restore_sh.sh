# restore.sh, without matter-backup: a test installation unless told otherwise; rows and files as they were.
workspace
store
sql "$(db)" "create table configurations (id varchar(26) primary key, value text not null, createat bigint not null,
		active boolean unique, sha char(64) default '');
	insert into configurations values ('a', '{\"ServiceSettings\": {\"SiteURL\": \"https://chat.acme.example\"},
		\"TeamSettings\": {\"SiteName\": \"Acme\"}}', 1, true);
	insert into outgoingwebhooks (id, callbackurls, deleteat) values ('hook', '[\"https://ci.acme.example/\"]', 0)"
cat >config.json <<'END'
{
	"ServiceSettings": { "SiteURL": "https://chat.acme.example", "AllowCorsFrom": "a\\b\"c" },
	"SupportSettings": { "HelpLink": "https://help.example.org/\\n" },
	"FileSettings": { "DriverName": "local", "Directory": "SECRETPLACE" }
}
END
run matter-backup init repo
MM_EMAILSETTINGS_SMTPPASSWORD=hidden run matter-backup create repo --mattermost-config config.json --database "$(db)" --files store |
	names
snapshot=$(newest)

# fresh NAME: an empty database of this case
fresh()
{
	sql "$server dbname=postgres" "create database $(echo "${case_name}_$1" | tr - _)" >/dev/null
}

# rows NAME: what is there
rows()
{
	sql "$(db "$1")" "select (select count(*) from posts), (select count(*) from users), (select count(*) from outgoingwebhooks)"
}

# bare COMMAND...: where there is nothing but sh, coreutils, zstd, tar and psql
mkdir bare
for program in sh zstd tar basename cat cp cut dirname head join ls mkdir mktemp nl paste rm sha256sum sort tail tr wc; do
	ln -s "$(command -v $program)" "bare/$program"
done
ln -s "$ARK_TEST_PG_BIN/psql" bare/psql
bare()
{
	env -i PATH="$PWD/bare" HOME="$HOME" "$@"
}

echo "-- a test installation"
fresh copy
run bare sh repo/restore.sh "$snapshot" "$(db copy)" copy | sed -E "s|$PWD|HERE|g" | grep -v 'named in'
diff -r store copy
rows copy
sql "$(db copy)" "select database_name = current_database(), snapshot = '$snapshot' from matterark.test_copy"
sql "$(db copy)" "select value::json #>> '{ServiceSettings,SiteURL}', value::json #>> '{TeamSettings,SiteName}' from configurations"
"$ARK_TEST_PG_BIN/pg_dump" --data-only -t configurations -t outgoingwebhooks -d "$(db copy)" | grep -c acme.example || true
python3 - "$PWD/copy/" <<'END'
import glob
import json
import sys
for name in sorted(glob.glob('copy.config-*.json')):
	with open(name, encoding='utf-8') as f:
		config = json.load(f)
	print(config['ServiceSettings']['SiteURL'], json.dumps(config.get('SupportSettings')),
		config['FileSettings']['Directory'] == sys.argv[1], config['EmailSettings']['SMTPServer'])
END

echo "-- again into the same one, or without the rules"
run sh repo/restore.sh "$snapshot" "$(db copy)" other
fresh none
mv repo/neutralise.sql kept.sql
run sh repo/restore.sh "$snapshot" "$(db none)" other
echo "-- the next snapshot brings them back; rules that fail leave nothing"
run matter-backup create repo --mattermost-config config.json --database "$(db)" --files store >/dev/null
cmp kept.sql repo/neutralise.sql
echo "select 1 / 0;" >>repo/neutralise.sql
run sh repo/restore.sh "$snapshot" "$(db none)" other
sql "$(db none)" "select count(*) from pg_tables where schemaname = 'public'"
ls -d other 2>/dev/null || true

echo "-- production"
run bare sh repo/restore.sh --production "$snapshot" "$(db none)" real | sed -E "s|$PWD|HERE|g"
diff -r store real
rows none
sql "$(db none)" "select count(*) from pg_tables where schemaname = 'matterark' and tablename = 'test_copy'"
cmp config.json real.config-1.json

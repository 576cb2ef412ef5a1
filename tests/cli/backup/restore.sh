# restore: a test installation unless told otherwise, again over itself, and production; rows and files as they were.
workspace
store
file gone gone
sql "$(db)" "create table configurations (id varchar(26) primary key, value text not null, createat bigint not null,
		active boolean unique, sha char(64) default '');
	insert into configurations values ('a', '{\"ServiceSettings\": {\"SiteURL\": \"https://chat.acme.example\"},
		\"TeamSettings\": {\"SiteName\": \"Acme\"}}', 1, true);
	insert into outgoingwebhooks (id, callbackurls, deleteat) values ('hook', '[\"https://ci.acme.example/\"]', 0);
	insert into systems values ('DiagnosticId', 'production');
	select lo_from_bytea(4711, 'large'), lo_from_bytea(4712, '');
	create schema plugin; create type plugin.mood as enum ('good', 'bad');
	create table plugin.notes (id serial primary key, mood plugin.mood, at timestamptz default now(), n float8 unique);
	insert into plugin.notes (mood, n) values ('bad', 0.1), ('good', 1e300), (null, 'NaN');
	create materialized view plugin.moods as select mood, count(*) from plugin.notes group by mood;
	create unique index on plugin.moods (mood);
	create table plugin.days (day int, what text, primary key (day)) partition by range (day);
	create table plugin.days_1 partition of plugin.days for values from (1) to (10);
	insert into plugin.days values (1, 'one'), (2, null)" >/dev/null
mkdir etc
cat >etc/config.json <<'END'
{ "ServiceSettings": { "SiteURL": "https://chat.acme.example" }, "FileSettings": { "DriverName": "local", "Directory": "SECRETPLACE" } }
END
sql "$(db)" "create role restorer; alter table posts owner to restorer; grant select on users to restorer" 2>/dev/null || true
run matter-backup init repo
echo certificate >etc/saml.crt
MM_SERVICESETTINGS_SITEURL=https://chat.acme.example run matter-backup create repo --mattermost-config etc/config.json --database "$(db)" --files store | names

# rows NAME: every row of every table, large objects, sequences, views; and the schema as pg_dump writes it
rows()
{
	"$ARK_TEST_PG_BIN/pg_dump" -d "$(db "$@")" | grep -v '^.restrict\|^.unrestrict\|^-- Dumped\|^SELECT pg_catalog.lo' | LC_ALL=C sort
	sql "$(db "$@")" "select * from plugin.moods order by 1"
}
shown()
{
	names | sed -E -e "s|$PWD|HERE|g" -e 's/"(load|compare)_ms":[0-9]+/"\1_ms":N/g' -e 's/[0-9]+ places name/N places name/' -e 's/"file_bytes":[0-9]+/"file_bytes":N/'
}

echo "-- what would be done"
run matter-backup restore repo --to-database "$(db copy)" --to-files copy --dry-run | shown
sql "$server dbname=postgres" "select count(*) from pg_database where datname like 'restore_copy%' or datname like 'matterark%'"
ls -d copy* 2>/dev/null || true

echo "-- a test installation"
run matter-backup restore repo --to-database "$(db copy)" --to-files copy --site-url http://copy.test:8065 --verbose | shown |
	grep -v '^proof\|FileSettings\|SqlSettings'
diff -r store copy | sed 's/^/differs: /'
sql "$(db copy)" "select (select count(*) from outgoingwebhooks), (select count(*) from posts) - (select count(*) from channels where
	name = 'town-square'), database_name = current_database(), snapshot = '$(newest)', diagnostic_id = (select value from systems
	where name = 'DiagnosticId'), made_at > now() - interval '1 hour' from matterark.test_copy"
sql "$(db copy)" "select value::json #>> '{ServiceSettings,SiteURL}', value::json #>> '{TeamSettings,SiteName}' from configurations"
python3 - <<'END'
import json, os
with open('copy.config.json', encoding='utf-8') as f:
	config = json.load(f)
print(config['ServiceSettings']['SiteURL'], config['TeamSettings']['SiteName'], config['EmailSettings']['SMTPServer'],
	config['FileSettings']['Directory'] == os.getcwd() + '/copy/', 'restore_copy' in config['SqlSettings']['DataSource'])
print(oct(os.stat('copy.config.json').st_mode & 0o777))
with open('copy/matterark-test-copy.json', encoding='utf-8') as f:
	mark = json.load(f)
print(mark['state'], mark['database'])
END
"$ARK_TEST_PG_BIN/pg_dump" --data-only -d "$(db copy)" | grep -c 'ci.acme.example\|chat.acme.example' || true

echo "-- again, over itself; what the copy had besides goes"
sql "$(db copy)" "update posts set message = 'changed'; create table more (id int)"
echo stray >copy/stray
echo changed >copy/20240101/teams/noteam/channels/c/users/u/one/one.bin
MATTERARK_DISCONNECT=yes run matter-backup restore repo --to-database "$(db copy)" --to-files copy --config-out there.json --json |
	shown | grep summary
diff -r store copy | sed 's/^/differs: /'
sql "$(db copy)" "select count(*) from posts where message = 'changed'"
sql "$(db copy)" "select to_regclass('more')"
ls there.json

echo "-- production"
run matter-backup restore repo --to-database "$(db real)" --to-files real --production --confirm-host "$(hostname)" --verbose | shown
diff -r store real
rows >was
rows real >is
diff was is | head -20
[ "$(wc -l <is)" -gt 5000 ] # all of it, whatever the import makes of the workspace
cmp etc/config.json real.config.json
cat real.config.json.beside/*
sql "$(db real)" "select count(*) from pg_tables where tablename = 'test_copy'"
sql "$(db real)" "select tableowner, has_table_privilege('restorer', 'users', 'select') from pg_tables where tablename = 'posts'"
sql "$(db copy)" "select tableowner = current_user from pg_tables where tablename = 'posts'"
sql "$(db)" "alter table posts owner to current_user; revoke all on users from restorer"
sql "$(db real)" "alter table posts owner to current_user; revoke all on users from restorer"
sql "$server dbname=postgres" "drop role restorer"
run matter-backup restore repo --to-database "$(db alone)" --to-files alone --production --confirm-host "$(hostname)"
sql "$(db alone)" "select tableowner = current_user from pg_tables where tablename = 'posts'"
echo "-- the snapshot of a copy is no copy"
run matter-backup create repo --database "$(db copy)" --files copy --all-files | names
matter-backup extract repo -o all.tar.zst 2>/dev/null || true
zstd -dcq all.tar.zst | tar -t | grep -c 'test_copy\|test-copy' || true

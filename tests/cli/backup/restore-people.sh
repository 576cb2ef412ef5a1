# A test installation's people: passwords, masks, licence, theme, owner, rules of one's own.
workspace
sql "$(db)" "insert into licenses (id, createat, bytes) values ('l', 1, 'x');
	insert into systems values ('ActiveLicenseId', 'l');
	update users set authservice = 'saml', authdata = 'x' || id, mfaactive = true where username = 'mara';
	update posts set message = 'Call @Mara: +49 30 123456, mara@acme.example, https://crm.acme.example/4711 and @nobody. @mara. @' || (select username from users u where username <> 'mara' and not exists (select from bots where userid = u.id) order by id limit 1) || '.'
		where id = (select id from posts where type = '' order by createat desc limit 1);
	create function add_one(int) returns int language sql as 'select \$1 + 1';
	create table configurations (id varchar(26) primary key, value text, createat bigint, active boolean unique);
	insert into configurations values ('a', '{\"SupportSettings\": {\"SupportEmail\": \"help@acme.example\"}}', 1, true)"
sql "$server dbname=postgres" "create role \"mm user\"" >/dev/null 2>&1 || true
run matter-backup init repo
run matter-backup create repo --database "$(db)" --without-files
mkdir rules
echo '{"set": [{"key": "TeamSettings.MaxUsersPerTeam", "value": 7, "reason": "small"}], "remove": [{"key": "SupportSettings", "reason": "people"}]}' >rules/own.json
echo "delete from emoji; update teams set description = 'by own rules'" >rules/own.sql
echo 'Sesame-12345!' >password
echo '{"type": "custom", "sidebarHeaderBg": "#00ff00"}' >green.json
run matter-backup restore repo --to-database "$(db copy)" --without-files --config-out copy.json --rules rules --keep-licence \
	--test-password-file password --as mara --mask --mask-text --theme green.json --owner "mm user" | grep -v '^proof\|^named' || true
echo "-- people"
sql "$(db copy)" "select username, email = 'mara@acme.example' or email like 'mara%', authservice, mfaactive, emailverified, left(password, 7)
	from users where username = 'mara'"
sql "$(db copy)" "select count(*), count(*) filter (where username ~ '^user[0-9]{6}\$' and email = username || '@example.invalid' and
	firstname = 'Person' and nickname = '') from users u where username <> 'mara' and not exists (select from bots where userid = u.id)"
sql "$(db copy)" "select regexp_replace(message, '@user[0-9]{6}', '@USER') from posts where message like 'Call @%'"
echo "-- names that are still there"
sql "$(db)" "select username from users u where username <> 'mara' and length(username) > 4 and not exists (select from bots
	where userid = u.id)" >names
wc -l <names
"$ARK_TEST_PG_BIN/pg_dump" --data-only -t users -t channels -t preferences -d "$(db copy)" >dump
grep -wof names dump || true
echo "-- what else was asked for"
sql "$(db copy)" "select (select count(*) from licenses), (select count(*) from emoji), (select distinct description from teams),
	(select count(distinct value) from preferences where category = 'theme' and value like '%00ff00%')"
sql "$(db copy)" "select string_agg(distinct tableowner, ',') from pg_tables where schemaname in ('public', 'matterark')"
sql "$(db copy)" "select pg_get_userbyid(proowner) from pg_proc where proname = 'add_one'"
grep -c SupportSettings copy.json || true
grep MaxUsersPerTeam copy.json
echo "-- rules that fail, somebody who is not there: nothing is left"
echo "select 1 / 0" >rules/own.sql
run matter-backup restore repo --to-database "$(db other)" --without-files --config-out other.json --rules rules
run matter-backup restore repo --to-database "$(db other)" --without-files --config-out other.json --test-password-file password --as nobody
sql "$server dbname=postgres" "select count(*) from pg_database where datname like 'restore_people_other%' or datname like 'matterark%'"
ls other.json 2>/dev/null || true

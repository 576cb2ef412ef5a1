# Whose account is whose: the map, addresses, people who are one; how new accounts sign in.
need_pg
people() { sql "$1" "select username, email, roles, deleteat > 0, authservice, coalesce(authdata, 'NULL'), length(password) from users
	where email not like '%@localhost' order by 1"; }
authors() { sql "$1" "select u.username, p.message from posts p join users u on u.id = p.userid order by p.createat"; }
export_of export
cat >export/users.json <<'END'
[{"id": "U0ANNA001", "team_id": "T0ACME001", "name": "anna", "real_name": "Anna Berg", "is_admin": true,
  "profile": {"email": "Anna@acme.example"}},
 {"id": "U0ANNAOLD", "team_id": "T0ACME001", "name": "anna.old", "deleted": true, "profile": {"email": "anna@acme.example"}},
 {"id": "U0BEN0002", "team_id": "T0ACME001", "name": "ben", "real_name": "Ben Okoro", "profile": {}},
 {"id": "U0GUEST01", "team_id": "T0ACME001", "name": "gus", "is_restricted": true, "profile": {}},
 {"id": "U0HELPER1", "team_id": "T0ACME001", "name": "helper", "is_bot": true, "profile": {"bot_id": "B0HELPER1"}}]
END
cat >export/dev/2023-11-15.json <<'END'
[{"type": "message", "user": "U0ANNAOLD", "ts": "1700050000.000100", "text": "from my old account",
  "reactions": [{"name": "eyes", "users": ["U0ANNA001", "U0ANNAOLD"], "count": 2}]}]
END
echo "== people with one address"
matter-import slack export --team acme --database "$(db merge)" --create-schema --merge-by-email --report r1
people "$(db merge)"
authors "$(db merge)"
sql "$(db merge)" "select count(*) from reactions where emojiname = 'eyes'"
cut -d, -f1,2,6 r1/users.csv | tr -d '\r'
everything "$(db merge)" >before
matter-import slack export --team acme --database "$(db merge)" --merge-by-email
matter-import slack export --team acme --database "$(db merge)" --users r1/users.csv
everything "$(db merge)" >after
grep -v '^run|\|^change|' before >b1 && grep -v '^run|\|^change|' after | diff b1 - && echo "nothing changed"
run matter-import verify export --team acme --database "$(db merge)"

echo "== the map"
export_of other
sed -i 's/ANNA/CARL/g; s/anna/carl/g; s/Anna/Carl/g; s/BEN/DORA/g; s/ben/dora/g; s/C0DEV/C0OPS/; s/T0ACME/T0OTHER/' other/*.json other/dev/*
matter-import slack other --team acme --database "$(db map)" --create-schema
sql "$(db map)" "insert into users (id, username, email, roles, deleteat, createat, updateat, password, authservice, emailverified, nickname, firstname,
	lastname, position, allowmarketing, lastpasswordupdate, lastpictureupdate, failedattempts, locale, mfaactive, mfasecret)
	select rpad(x, 26, 'x'), x, x || '@here.example', r, d, 1, 1, '', '', true, '', '', '', '', false, 0, 0, 0, 'en', false, ''
	from (values ('annab', 'system_user', 0), ('boss', 'system_admin system_user', 0), ('gone', 'system_user', 5)) v (x, r, d)"
printf 'slack_id;mattermost_username\r\nU0ANNA001;"annab"\r\nU0BEN0002;boss\r\nU0GUEST01;gone\r\nU0ANNAOLD;new.name\r\nU0NOBODY1;gone\r\nU0HELPER1;boss\r\n' >map.csv
run matter-import slack export --team acme --database "$(db map)" --users map.csv --verbose | grep -e --users
people "$(db map)"
authors "$(db map)" | tail -5
echo "== a map that says otherwise later changes nothing"
printf 'slack_id,mattermost_username\nU0ANNA001,gone\n' >map2.csv
run matter-import slack export --team acme --database "$(db map)" --users map2.csv
echo "== maps that are none"
printf 'a,b\n1,2\n' >bad1.csv
printf 'slack_id,mattermost_username\nU1,a\nU1,b\n' >bad2.csv
printf 'slack_id,mattermost_username\nU1,"a\n' >bad3.csv
for file in bad1 bad2 bad3 missing; do
	run matter-import check export --users $file.csv
done

echo "== passwords"
matter-import slack export --team acme --database "$(db password)" --create-schema --password-file secret.csv
stat -c %a secret.csv
cut -d, -f1,2 secret.csv | tr -d '\r'
people "$(db password)"
cp secret.csv first.csv
matter-import slack export --team acme --database "$(db password)" --password-file secret.csv
cmp first.csv secret.csv && echo "the list stays"
echo "my own file" >other.csv
run matter-import slack export --team acme --database "$(db never)" --create-schema --password-file other.csv
rm secret.csv
run matter-import slack export --team acme --database "$(db never)" --create-schema --password-file secret.csv --dry-run
ls secret.csv 2>&1 || true

echo "== single sign-on"
matter-import slack export --team acme --database "$(db ldap)" --create-schema --default-auth ldap --auth-data username \
	--password-file secret.csv
people "$(db ldap)"
wc -l <secret.csv
matter-import slack export --team acme --database "$(db saml)" --create-schema --default-auth saml
people "$(db saml)"
matter-import slack export --team acme --database "$(db id)" --create-schema --default-auth saml --auth-data id
people "$(db id)"
run matter-import slack export --team acme --database "$(db never)" --create-schema --auth-data id

echo "== an administrator"
run matter-import slack export --team acme --database "$(db admin)" --create-schema --admin anna --admin ben@acme.example
matter-import slack export --team acme --database "$(db admin)" --create-schema --admin anna
people "$(db admin)"
sql "$(db admin)" "select u.username from teammembers m join users u on u.id = m.userid where m.schemeadmin"
run matter-import slack export --team acme --database "$(db admin)" --admin anna
for who in nobody helper gus anna.old; do
	run matter-import slack export --team acme --database "$(db never)" --create-schema --admin $who
done
sql "$(db map)" "delete from matterark.slack_user"
run matter-import slack export --team acme --database "$(db map)" --users map.csv --admin U0ANNA001
echo "== addresses"
run matter-import check export --email-domain 'not a domain'
run matter-import check export --email-domain people.example 2>&1 | head -1
databases
echo "== limits count whom the server has already"
sql "$(db map)" "insert into users (id, username, email, roles, deleteat, createat, updateat, password, authservice, emailverified, nickname, firstname,
	lastname, position, allowmarketing, lastpasswordupdate, lastpictureupdate, failedattempts, locale, mfaactive, mfasecret)
	select rpad('more' || x, 26, 'x'), 'more' || x, 'more' || x || '@here.example', 'system_user', 0, 1, 1, '', '', true, '', '', '', '', false, 0, 0, 0, 'en', false, ''
	from generate_series(1, 250) x"
sql "$(db map)" "insert into teammembers (teamid, userid, roles, deleteat, schemeuser, schemeadmin, schemeguest, createat)
	select t.id, u.id, '', 0, true, false, false, 1 from teams t, users u where u.username like 'more%' and length(u.username) < 6"
sql "$(db map)" "insert into teammembers (teamid, userid, roles, deleteat, schemeuser, schemeadmin, schemeguest, createat)
	select t.id, u.id, '', 0, true, false, false, 1 from teams t, users u where u.username like 'more1__' and u.username > 'more150'"
matter-import slack export --team acme --database "$(db map)" --verbose 2>&1 | sed -n "/decide/,/time/p" | tidy

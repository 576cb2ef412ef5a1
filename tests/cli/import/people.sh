# Addresses made up, guests, and which workspace it is.
need_pg
matter-import slack "$fixtures/users-without-email/export" --team acme --database "$(db)" --create-schema
sql "$(db)" "select username, email from users where email not like '%@localhost' order by 1"
run matter-import slack "$fixtures/users-without-email/export" --team acme --database "$(db domain)" --create-schema \
	--email-domain people.example
sql "$(db domain)" "select username, email from users where email not like '%@localhost' order by 1"
for guests in guest member skip; do
	echo "== $guests"
	matter-import slack "$fixtures/guests/export" --team acme --database "$(db $guests)" --create-schema --guests $guests
	sql "$(db $guests)" "select username, roles, deleteat > 0 from users where email not like '%@localhost' order by 1"
	sql "$(db $guests)" "select c.name, count(*), count(*) filter (where m.schemeguest) from channels c
		left join channelmembers m on m.channelid = c.id group by 1 order by 1"
done
# another workspace is another set of ids
matter-import slack "$fixtures/users-without-email/export" --team acme --database "$(db other)" --create-schema \
	--workspace T0OTHER01
sql "$(db)" "select distinct workspace from matterark.slack_channel"
sql "$(db other)" "select distinct workspace from matterark.slack_channel"
sql "$(db)" "select id from posts order by 1" >here
sql "$(db other)" "select id from posts order by 1" >there
echo "ids in common: $(comm -12 here there | wc -l)"

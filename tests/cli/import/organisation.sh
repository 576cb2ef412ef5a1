# An export of an organisation: a team for each workspace, or as --team-map says.
need_pg
export_of grid/teams/acme
export_of 'grid/teams/Globex Inc'
sed -i 's/T0ACME001/T0GLOBEX1/; s/"C0/"C1/; s/U0/U1/g' 'grid/teams/Globex Inc'/*.json 'grid/teams/Globex Inc'/*/*.json
echo '[]' >grid/org_users.json
teams() { sql "$(db)" "select t.name, c.name, count(p.id) from teams t join channels c on c.teamid = t.id join posts p on p.channelid = c.id group by 1, 2 order by 1, 2"; }
matter-import check grid | grep -v '^time'
echo "== into one that has no such teams"
matter-import slack "$fixtures/guests/export" --team acme --database "$(db)" --create-schema
run matter-import slack grid --database "$(db)"
printf 'workspace,team\nT0GLOBEX1,acme\nacme,acme\n' >map.csv
echo "== both into one that is there"
matter-import slack grid --database "$(db)" --team-map map.csv
teams
matter-import verify grid --database "$(db)" --team-map map.csv
echo "== a map that is wrong"
printf 'workspace,team\nglobex,acme\n' >map.csv
run matter-import slack grid --database "$(db)" --team-map map.csv
echo "== a bulk import file has them all, or as the map says"
run matter-import bulk grid -o out.zip
places() { bsdtar -xOf "$1" import.jsonl | grep -o "^{\"type\":\"$2\".*" | grep -o '"team":"[^"]*"' | sort | uniq -c | awk '{ print $1, $2 }'; }
bsdtar -xOf out.zip import.jsonl | grep '^{"type":"team"'
places out.zip channel
places out.zip post
bsdtar -xOf out.zip import.jsonl | grep '^{"type":"user"' | grep -o '"teams":.*' | grep -o '"name":"[^"]*","roles":"team[^"]*"' | sort | uniq -c | awk '{ print $1, $2 }'
printf 'workspace,team\nT0GLOBEX1,acme\nacme,acme\n' >map.csv
matter-import bulk grid -o one.zip --team-map map.csv >one.out
places one.zip channel

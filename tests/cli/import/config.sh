# The command line beats the environment, which beats the file; secrets are shown nowhere.
printf 'team = file\nguests = member\nbots = skip\ndatabase = postgres://mm:geheim@db/mattermost\n[matter-import]\nmemory = 1M\n' >c.conf
chmod 600 c.conf
MATTERARK_GUESTS=skip MATTERARK_MEMORY=2M matter-import slack a.zip --show-config --config c.conf --memory 3M \
	-c 'a*' --since 2024-05-01
echo
mkdir "$HOME/.config"
cp c.conf "$HOME/.config/matterark.conf"
MATTERARK_DATABASE=postgres://mm:secret@elsewhere/mm matter-import verify a.zip --show-config --json >shown
grep -e '"database"' -e '"team"' shown
! grep -e geheim -e secret shown
# a password in the data source does not get into errors either
run matter-import slack "$fixtures/edited/export" --database 'postgres://mm:geheim@127.0.0.1:1/mattermost?connect_timeout=2'
# Mattermost's own configuration names the database when nobody else does
rm "$HOME/.config/matterark.conf"
mkdir config
cat >config/config.json <<'END'
{"SqlSettings": {"DriverName": "postgres", "DataSource": "postgres://mmuser:tiefgeheim@127.0.0.1:1/mattermost?connect_timeout=2&binary_parameters=yes"},
 "FileSettings": {"DriverName": "local", "Directory": "./data"}}
END
run matter-import verify a.zip --team acme --show-config --mattermost-config config/config.json | sed -n '/^log-json/,$p'
run matter-import slack "$fixtures/edited/export" --team acme --mattermost-config config/config.json
run matter-import runs --mattermost-config config/nowhere.json
run matter-import runs
MM_SQLSETTINGS_DATASOURCE=postgres://mmuser:tiefgeheim@127.0.0.1:1/elsewhere run matter-import runs

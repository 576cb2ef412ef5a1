# What restore does not touch: each is refused with exit code 4, or 2 where the command contradicts itself.
workspace
store
sql "$(db)" "insert into systems values ('DiagnosticId', 'production')"
run matter-backup init repo
run matter-backup create repo --database "$(db)" --files store --config /dev/null
shown()
{
	names | sed -E -e "s|$PWD|HERE|g" -e "s/$(hostname)/MACHINE/g"
}
# try OPTION...: restore with a good target unless OPTION names another
try()
{
	run matter-backup restore repo "$@" | shown
}
fresh()
{
	sql "$server dbname=postgres" "create database $(echo "${case_name}_$1" | tr - _)${2:+ template $(echo "${case_name}_$2" | tr - _)}" >/dev/null
}
where="--to-files copy"

echo "-- the command"
try
try --to-database "$server" $where
try --to-database "$(db copy)"
try --to-database "$(db copy)" $where --embedded
try --to-database "$(db copy)" $where --without-files
try --to-database "$(db copy)" --without-files
try --to-database "$(db copy)" $where --confirm-host here
try --to-database "$(db copy)" $where --production --site-url http://x
try --to-database "$(db copy)" $where --as mara
try --to-database "$(db copy)" $where --theme nowhere.json
try --to-database "$(db copy)" $where --rules .
echo '{"sidebarBg": "#ffffff"}' >pale.json
try --to-database "$(db copy)" $where --theme pale.json
: >empty
try --to-database "$(db copy)" $where --test-password-file empty
try --to-database "$(db copy)" $where --maintenance-db not_there 2>&1 | sed 's/.*FATAL/FATAL/'

echo "-- the source itself"
try --to-database "$(db)" $where
try --to-database "$(db)" $where --production --confirm-host "$(hostname)"
sql "$server dbname=postgres" "create database restore_refused_moved template restore_refused" >/dev/null
try --to-database "$(db moved)" $where
try --to-database "$(db copy)" --to-files store
ln -s store elsewhere
try --to-database "$(db copy)" --to-files elsewhere/
try --to-database "$(db copy)" --to-files elsewhere/inside/it
try --to-database "$(db copy)" --to-files .
try --to-database "$(db copy)" --to-files repo/copy
try --to-database "$(db copy)" --to-files store --production --confirm-host "$(hostname)"

echo "-- not empty, and not ours"
fresh other
sql "$(db other)" "create table things (id int)"
try --to-database "$(db other)" $where
mkdir full
echo something >full/file
try --to-database "$(db copy)" --to-files full
try --to-database "$(db other)" $where --production --confirm-host "$(hostname)"

echo "-- production, the wrong host"
try --to-database "$(db copy)" $where --production
try --to-database "$(db copy)" $where --production --confirm-host elsewhere
sql "$server dbname=postgres" "select count(*) from pg_database where datname like 'restore_refused_copy%' or datname like 'matterark%'"
ls -d copy* 2>/dev/null || true

echo "-- a copy, and what became of it"
run matter-backup restore repo --to-database "$(db copy)" $where >/dev/null
fresh promoted copy
try --to-database "$(db promoted)" --to-files new
try --to-database "$(db new)" --to-files copy
run matter-backup restore repo --to-database "$(db second)" --to-files second >/dev/null
try --to-database "$(db second)" --to-files copy
sql "$(db copy)" "update systems set value = 'promoted' where name = 'DiagnosticId'"
try --to-database "$(db copy)" $where
sql "$(db second)" "update matterark.test_copy set system_identifier = '1'"
try --to-database "$(db second)" --to-files second
sql "$(db second)" "drop table matterark.test_copy"
try --to-database "$(db second)" --to-files second

echo "-- somebody is in it"
run matter-backup restore repo --to-database "$(db third)" --to-files third >/dev/null
"$ARK_TEST_PG_BIN/psql" -XAtqc "select pg_sleep(60)" "$(db third) application_name=somebody" >/dev/null 2>&1 &
sleep 1
try --to-database "$(db third)" --to-files third
try --to-database "$(db third)" --to-files third --disconnect | grep -v '^proof\|^named' || true
wait

echo "-- nothing else was touched"
sql "$(db other)" "select count(*) from things"
sql "$(db)" "select value from systems where name = 'DiagnosticId'"
cat full/file
find store -type f | wc -l

# Another database, another schema, a changed plan; two at a time.
workspace
workspace other
run matter-purge plan --database "$(db)" --channel design --older-than 2030-01-01 -o p >/dev/null
ids()
{
	sed -E "s/'[0-9]{19}'/'CLUSTER'/g"
}
run matter-purge apply p --database "$(db other)" --files store --yes | ids
sed '4s/^P ./P z/' p >changed
run matter-purge apply changed --database "$(db)" --files store --yes
sed '1s/"posts":/"posts": /' p >changed
run matter-purge apply changed --database "$(db)" --files store --yes
head -c 3000 p >changed
run matter-purge apply changed --database "$(db)" --files store --yes
echo nothing >changed
run matter-purge apply changed --database "$(db)" --files store --yes
: >changed
run matter-purge apply changed --database "$(db)" --files store --yes
echo '== another schema'
sql "$(db)" "insert into db_migrations values (160, 'later')"
run matter-purge apply p --database "$(db)" --files store --yes
sql "$(db)" "delete from db_migrations where version = 160; alter table posts add mood text"
run matter-purge apply p --database "$(db)" --files store --yes | sed -E 's/[0-9a-f]{32}/DIGEST/g'
sql "$(db)" "alter table posts drop mood"
echo '== no place for files'
run matter-purge apply p --database "$(db)" --yes --files absent
sql "$(db)" 'select count(*) from posts' >count
sql "$(db other)" 'select count(*) from posts' | cmp - count && echo nothing went
echo '== without files first'
run matter-purge apply p --database "$(db)" --without-files --yes
run matter-purge apply p --database "$(db)" --files store --yes
check "$(db)"

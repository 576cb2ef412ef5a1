# Reading a history: transcripts and the list of changes.
workspace
d=$(db)
sql "$d" "update posts set message = E'red \\e[31m bell \\a end' where id = (select id from posts where type = '' and rootid = '' order by createat, id limit 1)"
run matter-history update repo --database "$d" --attachments none --direct
run matter-history show repo acme/town-square 2023-08-07
run matter-history show repo town-square 2023-08 | head -n 12
run matter-history show repo town-square 2023-08-01 --json | cut -c 1-150 | sed -n 2p
run matter-history show repo random | grep -c '^== '
run matter-history show repo nowhere
run matter-history show repo random 2023-8
run matter-history log repo | cut -c 11- | head -n 3
run matter-history log repo acme/leads | cut -c 11-
run matter-history log repo --json | sed -E 's/"id":"[0-9a-f]{40}"/"id":ID/' | head -n 1
git -C repo ls-tree --name-only HEAD _direct/ | sed -E 's/[a-z0-9]{26}/ID/g; s/[0-9a-f]{40}/HASH/' | sort | uniq -c | sed 's/^ *//'
echo "== Markdown"
run matter-history update md --database "$d" --attachments none -f md
git -C md show HEAD:acme/town-square/2023/08/07.md | sed -E 's/[a-z0-9]{26}/ID/g' | head -n 24
run matter-history show md town-square 2023-08-07 | head -n 5
sql "$d" "update posts set message = E'now\\n<!-- fake 1 2 3 -->', editat = createat + 5, updateat = createat + 5 where id = (select id from posts where type = '' and rootid = '' order by createat, id limit 1)"
run matter-history update md --database "$d" --attachments none -f md -v
git -C md show HEAD --format=%s | grep '^[-+[:digit:]]' | sed -E 's/[a-z0-9]{26}/ID/g'
git -C md fsck --full --strict

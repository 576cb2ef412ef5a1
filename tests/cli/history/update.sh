# A history: what was edited, deleted, purged and written between two runs is exactly what git shows.
workspace
d=$(db)
sql "$(echo "$d" | sed 's/dbname=.*/dbname=postgres/')" "create database update_second template update"
update()
{
	run matter-history update repo --database "$d" --attachments none "$@"
}
fsck()
{
	git -C repo fsck --full --strict 2>&1 || echo "fsck: $?"
}
update --dry-run
ls
update -v
stat -c '%a %n' repo
fsck
git -C repo ls-tree -r --name-only HEAD | grep -v 20
git -C repo rev-list --count main
git -C repo log --format='%ad %an <%ae> %s' --date=iso | sed -n '1,2p;$p'
before=$(git -C repo rev-parse main)
echo "== nothing new"
update -v
[ "$(git -C repo rev-parse main)" = "$before" ] && echo the same
echo "== changes"
edited=$(sql "$d" "select id from posts where type = '' and rootid = '' order by createat, id limit 1")
deleted=$(sql "$d" "select id from posts where type = '' and rootid <> '' order by createat, id limit 1")
purged=$(sql "$d" "select id from posts where type = '' and id not in ('$edited', '$deleted') and not exists (select 1 from posts r where r.rootid = posts.id) order by createat desc, id limit 1")
sql "$d" "update posts set message = 'edited text', editat = createat + 9, updateat = createat + 9 where id = '$edited';
	update posts set deleteat = createat + 9, updateat = createat + 9 where id = '$deleted';
	delete from posts where id = '$purged';
	update users set nickname = 'The Boss', updateat = 1710000000000 where username = 'mara';
	insert into posts select (jsonb_populate_record(p, jsonb_build_object('id', 'new' || repeat('n', 23), 'createat', 1710000001000,
		'updateat', 1710000001000, 'message', 'a new one'))).* from posts p where id = '$edited'"
update --dry-run --json
update -v --json
git -C repo log -1 --format='%ad%n%B' --date=iso
git -C repo show HEAD --format= | grep '^[-+]' | sed -E 's/"(author_id|id|root_id)":"[a-z0-9]{26}"/"\1":ID/g; s/"props":\{.*\}/"props"/; s/"reactions":\[[^]]*\]/"reactions"/' | cut -c 1-230
fsck
echo "== a channel gets another name, one goes"
sql "$d" "update channels set name = 'guidance', updateat = updateat + 1 where name = 'leads';
	delete from posts where channelid = (select id from channels where name = 'shipping'); delete from channels where name = 'shipping'"
update -v
git -C repo show HEAD -M --format=%B --name-status | grep -v '^D.*shipping/2' | sed -n '1,12p'
git -C repo ls-tree --name-only HEAD acme/
fsck
echo "== other scopes, other places, somebody else"
update --direct
update --format md
update --no-deleted --team acme
update --since 2023-08-01
update --channel 'town-*' --user mara
mkdir other
: >other/file
run matter-history update other --database "$d"
git init -q --bare foreign
run matter-history update foreign --database "$d"
run matter-history update other2 --database "$d" --team nobody
run matter-history show nowhere x
run flock -n repo/matterark/lock matter-history update repo --database "$d" --attachments none
echo "== the same states give the same ids, wherever"
mkdir -p sub/folder
TZ=Asia/Tokyo LC_ALL=C run matter-history update sub/folder/second --database "$(db second)" --attachments none --jobs 1
[ "$(git -C sub/folder/second rev-parse main)" = "$before" ] && echo the same
echo "== a clone, a state that is gone, damaged, or of another version: the same commits"
git clone -q --mirror repo clone
cp -r repo lost
rm lost/matterark/state-*
cp -r repo damaged
for state in damaged/matterark/state-*; do printf 'no state' >"$state"; done
cp -r repo foreign_state
for state in foreign_state/matterark/state-*; do printf 'matterark state 1\nC x y z\n1 2 3 4 x\n' | zstd -q -f -o "$state"; done
run matter-history update clone --database "$d" --attachments none --team acme
run matter-history update clone --database "$d" --attachments none -v
[ "$(git -C clone rev-parse main)" = "$(git -C repo rev-parse main)" ] && echo unchanged
run matter-history update clone --database "$d" --attachments none -v
sql "$d" "delete from posts where id = '$deleted';
	update posts set message = 'edited again', editat = editat + 9, updateat = updateat + 9 where id = '$edited';
	update users set username = 'bosun', updateat = 1710000000000 where username = 'mara';
	update posts set updateat = updateat + 1 where channelid = (select id from channels where name = 'random');
	delete from posts where channelid = (select id from channels where name = 'market-2023'); delete from channels where name = 'market-2023'"
rm clone/matterark/state-*
run matter-history update clone --database "$d" --attachments none --dry-run
for at in repo clone lost damaged foreign_state; do
	run matter-history update $at --database "$d" --attachments none -v
	git -C $at fsck --full --strict
	[ "$(git -C $at rev-parse main)" = "$(git -C repo rev-parse main)" ] || echo "$at is other"
done
git -C repo log -1 --format=%B
git -C repo diff --stat HEAD~ HEAD -- acme/random
echo "== what a custodian could read changes without any message changing; a deleted one leaves a scope without them"
run matter-history update custodian --database "$d" --attachments none --user jonas
sql "$d" "insert into channelmemberhistory select c.id, u.id, 1, 1691000000000 from channels c, users u where c.name = 'design' and u.username = 'jonas';
	delete from channelmemberhistory where leavetime is null and channelid = (select id from channels where name = 'design');
	delete from channelmembers where channelid = (select id from channels where name = 'design')"
run matter-history update custodian --database "$d" --attachments none --user jonas -v
run matter-history update custodian --database "$d" --attachments none --user jonas -v
run matter-history update alive --database "$d" --attachments none --no-deleted --since 2023-08-02
sql "$d" "update posts set deleteat = updateat + 5, updateat = updateat + 5 where id = (select id from posts where type = '' and createat > 1694000000000 order by createat, id limit 1)"
run matter-history update alive --database "$d" --attachments none --no-deleted --since 2023-08-02 -v

# A purge: out of the newest commit by an update, out of all of them by a rebuild; and pushed with a lease.
workspace
d=$(db)
update()
{
	run matter-history update repo --database "$d" --attachments none "$@"
}
update
git init -q --bare remote
update --push remote -v
purged=$(sql "$d" "select id from posts where type = '' and message like '%big sewing machine%'")
channel=$(sql "$d" "select channelid from posts where id = '$purged'")
first=$(git -C repo rev-list --reverse main | sed -n 1p)
sql "$d" "delete from posts where id = '$purged' or rootid = '$purged'"
echo '{"post_id":"'"$purged"'","channel_id":"'"$channel"'","purged_at":1700000000000}' >ledger
update -v --push remote
git -C repo log -p | grep -c "sewing machine is back" || true
echo "== another reference keeps it"
git -C repo tag old
run matter-history rebuild repo --ledger ledger
git -C repo tag -d old >/dev/null
echo "== rebuild"
run matter-history rebuild repo --ledger ledger --dry-run
run matter-history rebuild repo --ledger ledger -v
git -C repo fsck --full --strict
git -C repo log -p | grep -c "sewing machine is back" || true
git -C repo cat-file --batch-check --batch-all-objects | wc -l
git -C repo rev-list --objects main | wc -l
git -C repo cat-file --batch --batch-all-objects | grep -ac "$purged\",\"re" || true
[ "$(git -C repo rev-list --reverse main | sed -n 1p)" = "$first" ] && echo the first commit kept its id
run matter-history rebuild repo --ledger ledger -v
update -v
echo "== pushed again"
update --push remote
update --push remote --force-with-lease -v
[ "$(git -C remote rev-parse main)" = "$(git -C repo rev-parse main)" ] && echo the same
git -C remote update-ref refs/heads/main "$first"
run matter-history rebuild repo --ledger ledger --push remote --force-with-lease --push-password-file nothing
echo "== from the database"
sql "$d" "create schema if not exists matterark; create table matterark.purge_ledger (post_id varchar(26) primary key, channel_id varchar(26) not null,
	purged_at bigint not null, plan text not null default '')"
other=$(sql "$d" "select id from posts where type = '' order by createat desc, id limit 1")
sql "$d" "insert into matterark.purge_ledger (post_id, channel_id, purged_at) select id, channelid, 1 from posts where id = '$other'; delete from posts where id = '$other'"
run matter-history rebuild repo --database "$d" -v
git -C repo cat-file --batch --batch-all-objects | grep -ac "\"id\":\"$other\"" || true
update -v

# A series: what was edited, deleted, purged, dated back and reacted to between two runs is exactly what
# the second one writes.
workspace
export_run()
{
	run matter-export run --database "$(db)" --incremental --direct -o series "$@"
}
# what RUN: kind, channel and text of its records
what()
{
	lines "series/$1" | python3 -c '
import json, sys
for line in sys.stdin:
    x = json.loads(line)
    print(x["record"], x["team_name"], x["channel_name"][:12], x.get("text", "")[:30], len(x.get("versions", [])), (x.get("delete_at") or 0) > 0)' | sort
}
export_run
lines series/run-000001 | wc -l
export_run
what run-000002
d=$(db)
edited=$(sql "$d" "select id from posts where type = '' and rootid = '' and originalid = '' order by createat, id limit 1")
deleted=$(sql "$d" "select id from posts where type = '' and rootid <> '' order by createat, id limit 1")
purged=$(sql "$d" "select id from posts where type = '' and id not in ('$edited', '$deleted') and not exists (select 1 from posts r where r.rootid = posts.id) order by createat desc, id limit 1")
sql "$d" "update posts set message = 'edited text', editat = createat + 9, updateat = createat + 9 where id = '$edited';
	update posts set deleteat = createat + 9, updateat = createat + 9 where id = '$deleted';
	delete from posts where id = '$purged';
	insert into posts select (jsonb_populate_record(p, jsonb_build_object('id', 'back' || repeat('b', 22), 'createat', 1000, 'updateat', 1000,
		'message', 'dated back'))).* from posts p where id = '$edited'"
export_run --json
what run-000003
echo "== nothing more, and a channel that goes with all its posts"
sql "$d" "delete from posts where channelid = (select id from channels where name = 'leads'); delete from channels where name = 'leads'"
export_run
what run-000004
run matter-export list series
run matter-export verify series
echo "== other options, other folders"
run matter-export run --database "$d" -i -o series
run matter-export run --database "$d" -i -o series --direct --match x
run matter-export run --database "$d" -i -o series --direct -f html
run matter-export run --database "$d" -o single --channel random
run matter-export run --database "$d" -i -o single
mkdir other
: >other/file
run matter-export run --database "$d" -i -o other
echo "== a chain with a link changed, a link gone, a state changed"
cp -a series copy
rm -rf copy/run-000002
run matter-export verify copy
rm -rf copy/run-000001
run matter-export verify copy
rm -rf copy
cp -a series copy
printf ' ' >>copy/run-000001/run.json
(cd copy/run-000001 && sed -i "s|^.*  run.json|$(sha256sum run.json)|" tagmanifest-sha256.txt)
run matter-export verify copy
zstd -dc series/run-000004/state.zst >state # not in one pipe: it would be cut while it is read
sed '$d' state | zstd -q -f -o series/run-000004/state.zst
export_run
ls -A series

#!/usr/bin/env python3
"""The lines of an export are what is in the database: every field against SQL, every line against the schema,
and two runs byte by byte. TAP; skipped without PostgreSQL.

usage: lines.py      (MATTER_IMPORT and MATTER_EXPORT name the programs)
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
PG = os.path.join(ROOT, "tests", "harness", "pg.sh")
FIXTURES = ["workspace/export", "edited/export", "reactions-skin-tones-and-unknown/export", "pins-three-ways/export",
            "subtypes-all/export", "thread-across-days/export"]

# What an import does not make: edits, deletions, priorities, files, reactions taken back, orphans, odd names.
SQL = """
with p as (select * from posts where type = '' and rootid = '' order by createat, id limit 1)
insert into posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, props, hashtags,
 filenames, fileids, hasreactions, editat, ispinned, remoteid)
select 'copy' || n || repeat('c', 21), p.createat, p.createat + 1000 * n, p.createat + 1000 * n, p.userid, p.channelid, '', p.id,
 'text ' || n || E' \\\\ "quoted"\\n\\u0001', '', '{}', '', '[]', '[]', false, case n when 1 then 0 else p.createat + 1000 * (n - 1) end,
 false, '' from p, generate_series(1, 3) n;
update posts set editat = createat + 3000, updateat = createat + 3000 where id = (select originalid from posts where originalid <> '' limit 1);
insert into posts select (jsonb_populate_record(x, jsonb_build_object('id', 'orphan' || repeat('o', 20), 'originalid', 'gone' || repeat('g', 22)))).*
 from posts x where x.id = 'copy1' || repeat('c', 21);
update posts set deleteat = createat + 5, updateat = createat + 5, props = props || jsonb_build_object('deleteBy', userid)
 where id = (select id from posts where type = '' and originalid = '' order by createat desc, id limit 1);
insert into postspriority (postid, channelid, priority, requestedack, persistentnotifications)
 select id, channelid, 'urgent', true, false from posts where rootid = '' and originalid = '' order by id limit 1;
insert into postacknowledgements (postid, userid, acknowledgedat)
 select p.postid, u.id, case when row_number() over (order by u.id) = 1 then 0 else 1700000000000 end from postspriority p, users u
 where u.id in (select id from users order by id limit 3);
update reactions set deleteat = createat + 7 where ctid = (select ctid from reactions order by postid, userid limit 1);
update posts set updateat = createat + 9 where id = (select postid from reactions where deleteat > 0);
insert into fileinfo (id, creatorid, postid, channelid, createat, updateat, deleteat, path, thumbnailpath, previewpath, name, extension,
 size, mimetype, width, height, haspreviewimage) select 'file' || repeat('f', 22), userid, id, channelid, createat, createat, 0, 'x/y.png',
 '', '', E'Übersicht "1".png', 'png', 77, 'image/png', 3, 4, false from posts where originalid = '' order by createat, id limit 1;
update posts set fileids = '["x"]' where id = (select postid from fileinfo where id like 'ffile%' or id like 'filef%' limit 1);
insert into channelmemberhistory (channelid, userid, jointime, leavetime) select channelid, userid, 1, 2 from channelmembers limit 1;
"""

NAMES = "coalesce((select username from users u where u.id = {}), '')"


def sql(dsn, text):
	out = subprocess.run([os.path.join(BIN, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", text, dsn], check=True,
	                     capture_output=True, text=True)
	return [json.loads(x) for x in out.stdout.splitlines() if x]


def run(*args):
	subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def lines(path):
	out = subprocess.run(["zstdcat", path], check=True, capture_output=True).stdout
	assert out.endswith(b"\n") or out == b"", path
	return [x for x in out.decode().split("\n") if x]


def tree(top):
	return {os.path.relpath(os.path.join(d, f), top): open(os.path.join(d, f), "rb").read()
	        for d, _, names in os.walk(top) for f in names}


def expected(dsn):
	"""Posts as SQL tells them, in the shape of a line's fields."""
	return {x["id"]: x for x in sql(dsn, """
select json_build_object('id', p.id, 'create_at', p.createat, 'update_at', nullif(p.updateat, 0), 'edit_at', nullif(p.editat, 0),
 'delete_at', nullif(p.deleteat, 0), 'author_id', p.userid, 'author_name', a.username, 'author_email', a.email, 'text', p.message,
 'type', p.type, 'props', p.props, 'root_id', nullif(p.rootid, ''), 'is_pinned', p.ispinned, 'channel_id', p.channelid,
 'channel_name', c.name, 'channel_display_name', c.displayname, 'team_name', t.name,
 'channel_kind', case c.type when 'O' then 'public' when 'P' then 'private' when 'D' then 'direct' else 'group' end,
 'deleted_by_id', case when p.deleteat > 0 then p.props->>'deleteBy' end, 'original_id', nullif(p.originalid, ''),
 'reactions', coalesce((select json_agg(json_build_array(r.emojiname, r.userid, r.createat, nullif(r.deleteat, 0))
   order by r.createat, r.userid collate "C", r.emojiname collate "C") from reactions r where r.postid = p.id), '[]'),
 'versions', coalesce((select json_agg(json_build_array(v.id, v.message, coalesce(nullif(v.editat, 0), v.createat), v.deleteat) order by v.editat)
   from posts v where v.originalid = p.id), '[]'),
 'acks', coalesce((select json_agg(json_build_array(k.userid, k.acknowledgedat) order by k.acknowledgedat, k.userid collate "C")
   from postacknowledgements k where k.postid = p.id and k.acknowledgedat > 0), '[]'),
 'files', coalesce((select json_agg(json_build_array(f.id, f.name, f.size, f.mimetype, f.path)) from fileinfo f where f.postid = p.id), '[]'),
 'priority', (select json_build_array(q.priority, q.requestedack) from postspriority q where q.postid = p.id))
from posts p join channels c on c.id = p.channelid left join teams t on t.id = c.teamid left join users a on a.id = p.userid
where p.originalid = '' or not exists (select 1 from posts o where o.id = p.originalid)""")}


def shape(line):
	"""A line in the shape of expected()."""
	same = ("id create_at update_at edit_at delete_at author_id author_name author_email text type props root_id is_pinned "
	        "channel_id channel_name channel_display_name team_name channel_kind deleted_by_id original_id").split()
	out = {k: line[k] for k in same}
	out["reactions"] = [[r["emoji"], r["user_id"], r["at"], r["removed_at"]] for r in line["reactions"]]
	out["versions"] = [[v["id"], v["text"], v["edit_at"], v["replaced_at"]] for v in line["versions"]]
	out["acks"] = [[k["user_id"], k["at"]] for k in line["acknowledgements"]]
	out["files"] = [[f["id"], f["name"], f["size"], f["mime_type"], f["store_path"]] for f in line["attachments"]]
	out["priority"] = line["priority"] and [line["priority"]["priority"], line["priority"]["requested_ack"]]
	return out


def check_order(top):
	for d, _, names in os.walk(top):
		for name in names:
			if "month=" not in d:
				continue
			month = d.split("month=")[1]
			have = [json.loads(x) for x in lines(os.path.join(d, name))]
			keys = [(x["create_at"], x["id"]) for x in have]
			if keys != sorted(keys) or any(not (x["create_time"] or "").startswith(month) for x in have):
				return f"{d}: out of order"
			for raw, x in zip(lines(os.path.join(d, name)), have):
				top_keys = [k for k, _ in json.loads(raw, object_pairs_hook=list)]
				if top_keys != sorted(top_keys):
					return f"{d}: keys not sorted"
	return None


def check(dsn, fixture, work):
	problems = []
	run(EXPORT, "run", "--database", dsn, "--direct", "--out", work + "/a")
	run(EXPORT, "run", "--database", dsn, "--direct", "--out", work + "/b", "--jobs", "1")
	a, b = tree(work + "/a/data"), tree(work + "/b/data")
	if a != b:
		problems.append("two runs differ: " + ", ".join(sorted(k for k in set(a) | set(b) if a.get(k) != b.get(k))[:3]))
	run(EXPORT, "verify", work + "/a")
	have = {}
	for path in a:
		if "month=" in path:
			for raw in lines(os.path.join(work, "a", "data", path)):
				line = json.loads(raw)
				have[line["id"]] = line
	want = expected(dsn)
	if set(have) != set(want):
		problems.append(f"{len(set(want) - set(have))} posts missing, {len(set(have) - set(want))} more than there are")
	for key in sorted(set(have) & set(want)):
		got = shape(have[key])
		for field, value in want[key].items():
			if got[field] != value:
				problems.append(f"{key}: {field} is {got[field]!r}, in the database {value!r}")
	if fixture == FIXTURES[0]:
		for field in ("versions", "acks", "files", "priority", "reactions", "original_id", "deleted_by_id", "root_id"):
			if not any(x[field] for x in want.values()):
				problems.append(f"the database has no {field}: nothing was compared")
	order = check_order(work + "/a/data")
	if order:
		problems.append(order)
	problems += against_schema(work + "/a/data", have)
	return problems


def against_schema(top, posts):
	try:
		import jsonschema
	except ImportError:
		print("# python3-jsonschema is not here: lines are not held against the schema")
		return []
	schema = json.load(open(os.path.join(ROOT, "docs", "format-jsonl.schema.json")))
	problems = []

	def hold(part, values):
		check = jsonschema.Draft202012Validator(dict(schema["$defs"][part]))
		for v in values:
			error = next(check.iter_errors(v), None)
			if error:
				problems.append(f"{part} {v.get('id')}: {error.message[:200]} at {list(error.path)}")
	hold("post", posts.values())
	hold("channel", [json.loads(x) for x in lines(top + "/channels.jsonl.zst")])
	hold("person", [json.loads(x) for x in lines(top + "/people.jsonl.zst")])
	return problems


def main():
	failed = 0
	for n, fixture in enumerate(FIXTURES, 1):
		name = f"x{n}"
		dsn = os.environ["ARK_TEST_DSN"].replace("dbname=postgres", f"dbname={name}")
		run(IMPORT, "slack", os.path.join(ROOT, "fixtures", "slack", fixture), "--team", "acme", "--database", dsn,
		    "--create-schema", "--create-team")
		if n == 1:
			sql(dsn, SQL)
		with tempfile.TemporaryDirectory() as work:
			problems = check(dsn, fixture, work)
		for p in problems[:10]:
			print("#", p)
		failed += bool(problems)
		print(f"{'not ' if problems else ''}ok {n} - {fixture}")
		sys.stdout.flush()
	print(f"1..{len(FIXTURES)}")
	return failed > 0


if __name__ == "__main__":
	IMPORT, EXPORT = os.environ["MATTER_IMPORT"], os.environ["MATTER_EXPORT"]
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(PG, [PG, sys.executable, os.path.abspath(__file__)])
	BIN = os.environ["ARK_TEST_PG_BIN"]
	sys.exit(main())

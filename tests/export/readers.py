#!/usr/bin/env python3
"""What other people's programs make of an export: DuckDB queries the partitions in place and counts as SQL does in the
database, and a public BagIt validator agrees with verify about good and damaged bags. TAP; DuckDB and bagit are Python
packages that need not be there: skipped.
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import lines  # noqa: E402

try:
	import duckdb
except ImportError:
	duckdb = None
try:
	import bagit
except ImportError:
	bagit = None

# As docs/scale.md has it.
FROM = ("read_json('{}/data/team=*/channel=*/month=*/*.jsonl.zst', format='newline_delimited', compression='zstd', "
        "hive_partitioning=true, union_by_name=true)")


def verify(place):
	return subprocess.run([EXPORT, "verify", place], capture_output=True, text=True).returncode == 0


def duck(place):
	"""Counts by partition, a sum over nested lists, and a condition on the partition."""
	db, problems = duckdb.connect(), []
	asked = [
		("posts by partition", "select team, channel, month, count(*) from {} where record = 'post' group by all order by all",
		 """select json_build_array(coalesce(t.name, '_direct'), c.name, to_char(to_timestamp(p.createat / 1000.0) at time zone 'UTC',
		 'YYYY-MM'), count(*)) from posts p join channels c on c.id = p.channelid left join teams t on t.id = nullif(c.teamid, '')
		 where p.originalid = '' group by coalesce(t.name, '_direct'), c.name, to_char(to_timestamp(p.createat / 1000.0) at time zone
		 'UTC', 'YYYY-MM') order by coalesce(t.name, '_direct') collate "C", c.name collate "C", 1::text"""),
		("reactions", "select coalesce(sum(len(reactions)), 0)::bigint from {}", "select json_build_array(count(*)) from reactions"),
		("replies of a channel", "select count(*) from {} where channel = 'leads' and root_id is not null",
		 "select json_build_array(count(*)) from posts p join channels c on c.id = p.channelid where c.name = 'leads' and p.rootid <> '' "
		 "and p.originalid = ''"),
		("people who wrote", "select count(distinct author_id) from {}", "select json_build_array(count(distinct userid)) from posts"),
	]
	text = open(os.path.join(lines.ROOT, "docs", "scale.md"), encoding="utf-8").read().split("DuckDB:")[1]
	recipe = text[:text.index(";")].strip()
	os.chdir(os.path.dirname(place))
	if len(db.execute(recipe).fetchall()) < 5 or FROM.format("export").split("(")[0] not in recipe:
		problems.append("the query of docs/scale.md gives nothing")
	for what, query, truth in asked:
		have = sorted([str(y) for y in x] for x in db.execute(query.format(FROM.format(place))).fetchall())
		want = sorted([str(y) for y in x] for x in lines.sql(DSN, truth))
		if have != want or not want:
			problems.append(f"{what}: DuckDB says {have}, PostgreSQL {want}"[:600])
	return problems


def damage(place, how):
	"""Something is off with the bag."""
	path = next(os.path.join(d, f) for d, _, names in os.walk(os.path.join(place, "data")) for f in sorted(names) if "month=" in d)
	if how == "changed":
		with open(path, "r+b") as f:
			f.seek(10)
			byte = f.read(1)
			f.seek(10)
			f.write(bytes([byte[0] ^ 255]))
	elif how == "removed":
		os.unlink(path)
	elif how == "added":
		open(os.path.join(place, "data", "more"), "w", encoding="utf-8").close()
	elif how == "tag":
		with open(os.path.join(place, "bag-info.txt"), "a", encoding="utf-8") as f:
			f.write("Contact-Name: somebody\n")
	elif how == "manifest":
		name = os.path.join(place, "manifest-sha256.txt")
		text = open(name, encoding="utf-8").read().splitlines(True)
		open(name, "w", encoding="utf-8").writelines(text[1:])


def bags(place):
	problems = []
	for how in ("good", "changed", "removed", "added", "tag", "manifest"):
		with tempfile.TemporaryDirectory() as work:
			copy = os.path.join(work, "bag")
			shutil.copytree(place, copy)
			damage(copy, how)
			try:
				theirs = bagit.Bag(copy).is_valid()
			except bagit.BagError:
				theirs = False
			ours = verify(copy)
			if ours != theirs or ours != (how == "good"):
				problems.append(f"{how}: verify says {ours}, bagit {theirs}")
	return problems


def main():
	failed = 0
	lines.run(IMPORT, "slack", os.path.join(lines.ROOT, "fixtures", "slack", lines.FIXTURES[0]), "--team", "acme",
	          "--database", DSN, "--create-schema", "--create-team")
	with tempfile.TemporaryDirectory() as work:
		place = os.path.join(work, "export")
		lines.run(EXPORT, "run", "--database", DSN, "--direct", "--out", place)
		for n, (name, package, case) in enumerate([("DuckDB", duckdb, duck), ("BagIt", bagit, bags)], 1):
			problems = case(place) if package else []
			for p in problems:
				print("#", p)
			failed += bool(problems)
			print(f"{'not ' if problems else ''}ok {n} - {name}{'' if package else ' # SKIP the Python package is not here'}")
			sys.stdout.flush()
	print("1..2")
	return failed > 0


if __name__ == "__main__":
	IMPORT, EXPORT = os.environ["MATTER_IMPORT"], os.environ["MATTER_EXPORT"]
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(lines.PG, [lines.PG, sys.executable, os.path.abspath(__file__)])
	lines.BIN = os.environ["ARK_TEST_PG_BIN"]
	DSN = os.environ["ARK_TEST_DSN"].replace("dbname=postgres", "dbname=readers")
	sys.exit(main())

#!/usr/bin/env python3
"""Databases of older Mattermost releases, from 7.8 on: the same rows, as far as the release has their columns, give the
same records. TAP; skipped without PostgreSQL.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import lines  # noqa: E402

SCHEMA = os.path.join(lines.ROOT, "tests", "harness", "mm_schema.py")
TABLES = ("teams users bots channels channelmembers channelmemberhistory posts reactions fileinfo postspriority "
          "postacknowledgements threads teammembers preferences emoji").split()


def psql(dsn, text=None, **kw):
	command = [os.path.join(lines.BIN, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *(["-c", text] if text else []), dsn]
	return subprocess.run(command, check=True, capture_output=True, text=True, **kw).stdout


def columns(dsn):
	out = {}
	for table, column in lines.sql(dsn, "select json_build_array(table_name, column_name) from information_schema.columns "
	                                    "where table_schema = 'public' order by ordinal_position"):
		out.setdefault(table, []).append(column)
	return out


def older(level):
	"""A database of that release with the rows of the new one."""
	name = "level" + level.replace(".", "_")
	psql(ADMIN, f"create database {name}")
	dsn = ADMIN.replace("dbname=postgres", "dbname=" + name)
	psql(dsn, input=subprocess.run([sys.executable, SCHEMA, level], check=True, capture_output=True, text=True).stdout)
	there, here = columns(DSN), columns(dsn)
	for table in TABLES:
		both = ", ".join(c for c in here.get(table, ()) if c in there[table])
		if both:
			psql(dsn, f"copy {table} ({both}) from stdin", input=psql(DSN, f"copy {table} ({both}) to stdout"))
	return dsn, here


def records(dsn, place):
	done = subprocess.run([EXPORT, "run", "--database", dsn, "--direct", "--out", place], capture_output=True, text=True)
	assert done.returncode == 0, done.stderr
	lines.run(EXPORT, "verify", place)
	return {x["id"]: x for path in lines.tree(place + "/data") if "month=" in path
	        for x in map(json.loads, lines.lines(os.path.join(place, "data", path)))}


def check(level, want, work):
	dsn, here = older(level)
	have = records(dsn, os.path.join(work, level))
	without = [k for k, t in (("priority", "postspriority"), ("acknowledgements", "postacknowledgements")) if t not in here]
	problems = [] if set(have) == set(want) else [f"{len(have)} records of {len(want)}"]
	for key in sorted(set(have) & set(want)):
		for field, value in want[key].items():
			if field in without:
				value = None if field == "priority" else []
			if have[key][field] != value:
				problems.append(f"{key}: {field} is {have[key][field]!r}, in the newest {value!r}")
	for kind in ("html", "csv", "eml", "rsmf", "slack", "bulk"):
		done = subprocess.run([EXPORT, "run", "--database", dsn, "--direct", "--format", kind, "--out",
		                       os.path.join(work, level + kind)], capture_output=True, text=True)
		if done.returncode not in (0, 3):
			problems.append(f"{kind}: {done.stderr}")
	return problems


def main():
	lines.run(IMPORT, "slack", os.path.join(lines.ROOT, "fixtures", "slack", lines.FIXTURES[0]), "--team", "acme",
	          "--database", DSN, "--create-schema", "--create-team")
	lines.sql(DSN, lines.SQL)
	failed = 0
	levels = subprocess.run([sys.executable, SCHEMA, "--levels"], check=True, capture_output=True, text=True).stdout.split()
	with tempfile.TemporaryDirectory() as work:
		want = records(DSN, os.path.join(work, "newest"))
		for n, level in enumerate(levels, 1):
			problems = check(level, want, work)
			for p in problems[:10]:
				print("#", p)
			failed += bool(problems)
			print(f"{'not ' if problems else ''}ok {n} - {level}")
			sys.stdout.flush()
	print(f"1..{len(levels)}")
	return failed > 0


if __name__ == "__main__":
	IMPORT, EXPORT = os.environ["MATTER_IMPORT"], os.environ["MATTER_EXPORT"]
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(lines.PG, [lines.PG, sys.executable, os.path.abspath(__file__)])
	lines.BIN, ADMIN = os.environ["ARK_TEST_PG_BIN"], os.environ["ARK_TEST_DSN"]
	DSN = ADMIN.replace("dbname=postgres", "dbname=newest")
	sys.exit(main())

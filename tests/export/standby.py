#!/usr/bin/env python3
"""A hot standby as the source: a streaming replica made with pg_basebackup gives the same data/ as its primary, also
in parts of one exported snapshot, and says that it is one. TAP; skipped without PostgreSQL.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import lines  # noqa: E402

SHARDS = 2


def owner(*args, **kw):
	"""A program of PostgreSQL, which refuses to run as root."""
	before = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []
	done = subprocess.run([*before, os.path.join(lines.BIN, args[0]), *args[1:]], stdin=subprocess.DEVNULL, capture_output=True,
	                      text=True, cwd=TOP, **kw)
	assert done.returncode == 0, done.stderr
	return done.stdout


class Cluster:
	"""A running cluster in TOP/NAME; a standby of another one when that is given."""

	def __init__(self, name, primary=None):
		self.data, self.socket = os.path.join(TOP, name), os.path.join(TOP, name + ".s")
		os.mkdir(self.socket)
		if os.geteuid() == 0:
			shutil.chown(self.socket, "postgres")
		if primary:
			owner("pg_basebackup", "-h", primary.socket, "-U", "postgres", "-D", self.data, "-R", "-c", "fast", "--no-sync")
		else:
			owner("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

	def dsn(self, database):
		return f"host={self.socket} user=postgres dbname={database}"

	def __enter__(self):
		owner("pg_ctl", "-D", self.data, "-w", "-t", "30", "-l", self.data + ".log", "-o",
		      f"-F -k '{self.socket}' -c listen_addresses='' -c wal_level=replica -c max_wal_senders=4 -c shared_buffers=32MB", "start")
		return self

	def __exit__(self, *_):
		owner("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


def export(dsn, place, *args):
	done = subprocess.run([EXPORT, "run", "--database", dsn, "--direct", "--out", place, *args], capture_output=True, text=True)
	assert done.returncode == 0, done.stderr


def caught_up(primary, standby):
	"""Until the standby has replayed all that the primary has written."""
	end = subprocess.run([os.path.join(lines.BIN, "psql"), "-XAtqc", "select pg_current_wal_lsn()", primary.dsn("standby")],
	                     check=True, capture_output=True, text=True).stdout.strip()
	for _ in range(300):
		done = lines.sql(standby.dsn("standby"), f"select to_json(pg_last_wal_replay_lsn() >= '{end}')")
		if done == [True]:
			return
		time.sleep(0.1)
	raise AssertionError("the standby does not follow")


def whole(primary, standby, work):
	export(primary.dsn("standby"), work + "/primary")
	export(standby.dsn("standby"), work + "/standby")
	problems = []
	if lines.tree(work + "/primary/data") != lines.tree(work + "/standby/data"):
		problems.append("the standby gives other bytes than the primary")
	source = json.load(open(work + "/standby/run.json", encoding="utf-8"))["source"]
	if source["standby"] is not True:
		problems.append(f"run.json: {source}")
	return problems


def shards(_, standby, work):
	session = subprocess.Popen([os.path.join(lines.BIN, "psql"), "-XAtq", standby.dsn("standby")], stdin=subprocess.PIPE,
	                           stdout=subprocess.PIPE, text=True)
	session.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT pg_export_snapshot();\n")
	session.stdin.flush()
	snapshot = session.stdout.readline().strip()
	parts = [f"{work}/part{i}" for i in range(1, SHARDS + 1)]
	for i, part in enumerate(parts, 1):
		export(standby.dsn("standby"), part, "--snapshot", snapshot, "--shard", f"{i}/{SHARDS}")
	session.communicate("COMMIT;\n")
	done = subprocess.run([EXPORT, "merge", *parts, "--out", work + "/merged"], capture_output=True, text=True)
	if done.returncode != 0:
		return [done.stderr]
	export(standby.dsn("standby"), work + "/one")
	same = lines.tree(work + "/merged/data") == lines.tree(work + "/one/data")
	return [] if same else ["parts from the standby give other bytes than one run there"]


def series(primary, standby, work):
	place = work + "/series"
	export(standby.dsn("standby"), place, "--incremental")
	lines.sql(primary.dsn("standby"), "delete from posts where id = (select min(id) from posts where type = '' and rootid = '' and "
	                                  "not exists (select 1 from posts r where r.rootid = posts.id))")
	caught_up(primary, standby)
	export(standby.dsn("standby"), place, "--incremental")
	counts = json.load(open(place + "/run-000002/run.json", encoding="utf-8"))["counts"]
	return [] if counts["purged"] == 1 and counts["posts"] == 0 else [f"after a purge on the primary: {counts}"]


def main():
	failed, cases = 0, [whole, shards, series]
	with Cluster("primary") as primary:
		lines.run(IMPORT, "slack", os.path.join(lines.ROOT, "fixtures", "slack", lines.FIXTURES[0]), "--team", "acme",
		          "--database", primary.dsn("standby"), "--create-schema", "--create-team")
		with Cluster("standby", primary) as standby:
			caught_up(primary, standby)
			for number, case in enumerate(cases, 1):
				with tempfile.TemporaryDirectory() as work:
					problems = case(primary, standby, work)
				for p in problems:
					print("#", p)
				failed += bool(problems)
				print(f"{'not ' if problems else ''}ok {number} - {case.__name__}")
				sys.stdout.flush()
	print(f"1..{len(cases)}")
	return failed > 0


if __name__ == "__main__":
	IMPORT, EXPORT = os.environ["MATTER_IMPORT"], os.environ["MATTER_EXPORT"]
	bin_dir = subprocess.run([lines.PG, "--bin"], capture_output=True, text=True)
	if bin_dir.returncode != 0:
		print(bin_dir.stdout.strip())
		sys.exit(77)
	lines.BIN = bin_dir.stdout.strip()
	with tempfile.TemporaryDirectory() as TOP:
		if os.geteuid() == 0:
			shutil.chown(TOP, "postgres")
		code = main()
	sys.exit(code)

#!/usr/bin/env python3
"""Parts of one run (--shard, one --snapshot) merged: the same data/ as one run, counts that add up, and everything that
is no complete set of parts refused with nothing left behind. A time stamp for it from an authority made for the test.
TAP; skipped without PostgreSQL or openssl.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import lines  # noqa: E402

TSA = os.path.join(lines.ROOT, "tests", "harness", "tsa.sh")
SHARDS = 3


def tool(*args, **env):
	return subprocess.run([EXPORT, *args], capture_output=True, text=True, env=dict(os.environ, **env))


class Snapshot:
	"""A session that keeps a snapshot as long as it is used."""

	def __enter__(self):
		self.session = subprocess.Popen([os.path.join(lines.BIN, "psql"), "-XAtq", DSN], stdin=subprocess.PIPE,
		                                stdout=subprocess.PIPE, text=True)
		self.session.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT pg_export_snapshot();\n")
		self.session.stdin.flush()
		return self.session.stdout.readline().strip()

	def __exit__(self, *_):
		self.session.communicate("COMMIT;\n")


def parts(work, name, snapshot, n=SHARDS, *args):
	out = []
	for i in range(1, n + 1):
		out.append(os.path.join(work, f"{name}{i}"))
		r = tool("run", "--database", DSN, "--direct", "--snapshot", snapshot, "--shard", f"{i}/{n}", "--out", out[-1], *args)
		assert r.returncode == 0, r.stderr
	return out


def refused(work, what, dirs, code, word):
	"""The merge of these fails with this code, says the word, and leaves nothing."""
	before = sorted(os.listdir(work))
	r = tool("merge", *dirs, "--out", os.path.join(work, "never"))
	if r.returncode != code or word not in r.stderr:
		return [f"{what}: code {r.returncode}: {r.stderr.strip()}"]
	return [f"{what}: something is left"] if sorted(os.listdir(work)) != before else []


def whole(work, made):
	"""data/ is that of one run, and run.json counts as one run does."""
	one = os.path.join(work, "one")
	r = tool("merge", *reversed(made), "--out", os.path.join(work, "merged"))
	if r.returncode != 0:
		return [r.stderr]
	problems = []
	if lines.tree(os.path.join(work, "merged", "data")) != lines.tree(os.path.join(one, "data")):
		problems.append("data/ differs from that of one run")
	have, want = (json.load(open(os.path.join(work, x, "run.json"), encoding="utf-8")) for x in ("merged", "one"))
	for key in ("counts", "channels", "scope", "notes", "never_exported", "formats", "tool", "zstd"):
		if have[key] != want[key]:
			problems.append(f"run.json: {key}: {have[key]!r}, of one run {want[key]!r}"[:400])
	if tool("verify", os.path.join(work, "merged")).returncode != 0:
		problems.append("what was merged does not verify")
	dry = tool("merge", *made, "--dry-run")
	if dry.returncode != 0 or f"{SHARDS} parts of one run, {want['counts']['posts']} posts" not in dry.stdout:
		problems.append(f"--dry-run says {dry.stdout!r} {dry.stderr!r}")
	return problems


def recipes(work, _):
	"""The lines of docs/scale.md for one machine, as they stand there."""
	text = open(os.path.join(lines.ROOT, "docs", "scale.md"), encoding="utf-8").read()
	wanted = [x.strip() for x in text.splitlines() if x.startswith(("    seq 8 | xargs", "    matter-export merge"))]
	wanted += [x.strip() for x in text.splitlines() if x.startswith("    parallel ")] if shutil.which("parallel") else []
	place = os.path.join(work, "recipes")
	os.mkdir(place)
	if len(wanted) < 2:
		return [f"docs/scale.md has other lines: {wanted}"]
	for line in wanted:
		if line.startswith("parallel"):
			subprocess.run("rm -rf shard-*", shell=True, cwd=place, check=True)
		r = subprocess.run(["sh", "-c", line], cwd=place, capture_output=True, text=True, env=dict(
			os.environ, SNAPSHOT=SNAPSHOT, MATTERARK_DATABASE=DSN, PATH=os.path.dirname(EXPORT) + ":" + os.environ["PATH"]))
		if r.returncode != 0:
			return [f"{line}: {r.stderr}"]
	same = lines.tree(os.path.join(place, "export", "data")) == lines.tree(os.path.join(work, "one", "data"))
	return [] if same else ["the recipes give other bytes than one run"]


def refusals(work, made, other):
	problems = refused(work, "a part is missing", made[:2], 4, "part 3/3 is missing")
	problems += refused(work, "a part twice", [made[0], *made], 4, "part 1/3 is there twice")
	problems += refused(work, "another snapshot", [*made[:2], other[2]], 4, "another run")
	problems += refused(work, "no part", [os.path.join(work, "one")], 4, "no part of a run")
	problems += refused(work, "not there", [*made, os.path.join(work, "nowhere")], 1, "there is no folder")
	with tempfile.TemporaryDirectory() as bad:
		shutil.copytree(made[1], bad + "/part")
		path = next(os.path.join(d, f) for d, _, names in os.walk(bad + "/part/data") for f in names if "month=" in d)
		with open(path, "r+b") as f:
			f.seek(20)
			byte = f.read(1)
			f.seek(20)
			f.write(bytes([byte[0] ^ 1]))
		problems += refused(work, "a damaged part", [made[0], bad + "/part", made[2]], 1, "was changed")
	mixed = parts(work, "html", SNAPSHOT, 1, "--format", "jsonl,html")
	problems += refused(work, "another format", mixed, 4, "other formats")
	return problems


def killed(work, made):
	"""Died at each step: nothing has the name, and the next merge completes."""
	log, target = os.path.join(work, "steps"), os.path.join(work, "killed")
	tool("merge", *made, "--out", target, ARK_FAIL_LOG=log)
	steps = open(log, encoding="utf-8").read().splitlines()
	kinds, problems = set(), []
	for step in steps:
		n, text = step.split(" ", 1)
		if text in kinds and not os.environ.get("ARK_TEST_FULL"):
			continue
		kinds.add(text)
		for how in ("kill", "enospc"):
			shutil.rmtree(target, ignore_errors=True)
			r = tool("merge", *made, "--out", target, ARK_FAIL_AT=f"{n}:{how}")
			if r.returncode == 0:
				problems.append(f"{how} at step {step} went unnoticed")
			if os.path.exists(target):
				if tool("verify", target).returncode != 0:
					problems.append(f"{how} at step {step}: a wrong export has the name")
				continue
			if tool("merge", *made, "--out", target).returncode != 0 or tool("verify", target).returncode != 0:
				problems.append(f"{how} at step {step}: the next one fails")
	rest = [x for x in os.listdir(work) if x.startswith(".")]
	return problems + ([f"{rest} is left"] if rest else []) + ([] if len(kinds) > 4 else ["no steps"])


def stamped(work, made):
	url, ca, target = os.environ["ARK_TSA_URL"], os.environ["ARK_TSA_CA"], os.path.join(work, "stamped")
	problems = []
	r = tool("run", "--database", DSN, "--out", target, "--timestamp", url + "/tsa")
	if r.returncode != 0:
		return [r.stderr]
	good = tool("verify", target, "--timestamp-ca", ca, "--json")
	if good.returncode != 0 or '"timestamp_checked":true' not in good.stdout:
		problems.append(f"verify: {good.stdout} {good.stderr}")
	plain = tool("verify", target)
	if plain.returncode != 0 or "nobody said whose time stamps count" not in plain.stderr:
		problems.append(f"verify without authority: {plain.stderr}")
	wrong = tool("verify", target, "--timestamp-ca", os.environ["ARK_TSA_OTHER_CA"])
	if wrong.returncode != 1 or "no authority of the given certificates" not in wrong.stderr:
		problems.append(f"another authority: code {wrong.returncode}: {wrong.stderr}")
	public = subprocess.run(["openssl", "ts", "-verify", "-in", "tagmanifest-sha256.txt.tsr", "-data",
	                         "tagmanifest-sha256.txt", "-CAfile", ca], cwd=target, capture_output=True, text=True)
	if public.returncode != 0:
		problems.append(f"openssl does not agree: {public.stderr}")
	r = tool("merge", *made, "--out", os.path.join(work, "merged-stamped"), "--timestamp", url + "/tsa")
	if r.returncode != 0 or tool("verify", os.path.join(work, "merged-stamped"), "--timestamp-ca", ca).returncode != 0:
		problems.append(f"merge with a time stamp: {r.stderr}")
	shutil.copy(os.path.join(work, "merged-stamped", "tagmanifest-sha256.txt.tsr"), target)
	swapped = tool("verify", target)
	if swapped.returncode != 1 or "about something else" not in swapped.stderr:
		problems.append(f"a time stamp of another export: {swapped.stderr}")
	missing = tool("verify", os.path.join(work, "one"), "--timestamp-ca", ca)
	if missing.returncode != 1 or "is missing" not in missing.stderr:
		problems.append(f"no time stamp: {missing.stderr}")
	return problems


def unstamped(work, _):
	"""An authority that fails: said, and nothing half done."""
	url, problems = os.environ["ARK_TSA_URL"], []
	for path, word in (("/deny", "not today"), ("/other", "about something else"), ("/broken", "HTTP status 500"),
	                   ("/text", "no answer of a time stamping authority"), (None, "time stamp from 'http://127.0.0.1:1/x'")):
		before = sorted(os.listdir(work))
		r = tool("run", "--database", DSN, "--out", os.path.join(work, "never"), "--timestamp",
		         url + path if path else "http://127.0.0.1:1/x")
		if r.returncode != 1 or word not in r.stderr or sorted(os.listdir(work)) != before:
			problems.append(f"{path}: code {r.returncode}: {r.stderr}")
	r = tool("run", "--database", DSN, "--out", os.path.join(work, "never"), "--timestamp", "nonsense")
	if r.returncode != 2:
		problems.append(f"no address: code {r.returncode}: {r.stderr}")
	return problems


def main():
	global SNAPSHOT
	lines.run(IMPORT, "slack", os.path.join(lines.ROOT, "fixtures", "slack", lines.FIXTURES[0]), "--team", "acme",
	          "--database", DSN, "--create-schema", "--create-team")
	lines.sql(DSN, lines.SQL)
	failed = 0
	with tempfile.TemporaryDirectory() as work:
		with Snapshot() as SNAPSHOT:
			made = parts(work, "part", SNAPSHOT)
			one = tool("run", "--database", DSN, "--direct", "--snapshot", SNAPSHOT, "--out", os.path.join(work, "one"))
			assert one.returncode == 0, one.stderr
			with Snapshot() as later:
				other = parts(work, "other", later)
			cases = [("parts give one run", lambda: whole(work, made)),
			         ("what is no set of parts is refused", lambda: refusals(work, made, other)),
			         ("killed, and without room, at each kind of step", lambda: killed(work, made)),
			         ("the recipes of docs/scale.md", lambda: recipes(work, made)),
			         ("time stamps", lambda: stamped(work, made)),
			         ("authorities that fail", lambda: unstamped(work, made))]
			for n, (name, case) in enumerate(cases, 1):
				problems = case()
				for p in problems[:10]:
					print("#", p)
				failed += bool(problems)
				print(f"{'not ' if problems else ''}ok {n} - {name}")
				sys.stdout.flush()
	print(f"1..{len(cases)}")
	return failed > 0


if __name__ == "__main__":
	IMPORT, EXPORT = os.environ["MATTER_IMPORT"], os.environ["MATTER_EXPORT"]
	if "ARK_TSA_URL" not in os.environ:
		os.execv(TSA, [TSA, sys.executable, os.path.abspath(__file__)])
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(lines.PG, [lines.PG, sys.executable, os.path.abspath(__file__)])
	lines.BIN = os.environ["ARK_TEST_PG_BIN"]
	DSN = os.environ["ARK_TEST_DSN"].replace("dbname=postgres", "dbname=merge")
	sys.exit(main())

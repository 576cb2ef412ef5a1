#!/usr/bin/env python3
"""Exports in a bucket: the same bytes as in a folder, verify, list, series and merge there; the store failing now and
then; and a run that dies, or is refused, at each step: what lies there then is no export, and the next run completes.
TAP; skipped without PostgreSQL.
"""
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import lines  # noqa: E402

SERVER = os.path.join(lines.ROOT, "tests", "harness", "fault_server.py")


def tool(*args, **env):
	return subprocess.run([EXPORT, *args], capture_output=True, text=True, env=dict(os.environ, **env))


def export(place, *args, **env):
	return tool("run", "--database", DSN, "--direct", "--out", place, *args, **env)


def ask(path, method="GET"):
	return urllib.request.urlopen(urllib.request.Request(HTTP + path, method=method)).read()


def keys(prefix):
	names = (x.rsplit(" ", 1)[0] for x in ask("/__keys").decode().splitlines())
	return [x for x in names if x.startswith("bucket/" + prefix)]


def tree(prefix):
	return {k[len("bucket/" + prefix) + 1:]: ask("/__object/" + urllib.parse.quote(k)) for k in keys(prefix)}


def payload(files):
	return {k: v for k, v in files.items() if k.startswith("data/")}


def same(work):
	"""A bucket holds what a folder does, and verifies there."""
	problems = []
	for place in (os.path.join(work, "folder"), "s3://bucket/one"):
		r = export(place)
		if r.returncode != 0:
			return [r.stderr]
	there, here = tree("one"), lines.tree(os.path.join(work, "folder"))
	if payload(there) != payload(here) or set(there) != set(here):
		problems.append("the bucket holds something else")
	for command in ("verify", "list"):
		r = tool(command, "s3://bucket/one")
		if r.returncode != 0 or "119 posts" not in r.stdout:
			problems.append(f"{command}: {r.stdout} {r.stderr}")
	again = export("s3://bucket/one")
	if again.returncode != 4 or "is there already" not in again.stderr:
		problems.append(f"over an export: code {again.returncode}: {again.stderr}")
	r = tool("verify", "s3://bucket/nothing")
	if r.returncode != 1 or "there is no export" not in r.stderr:
		problems.append(f"where nothing is: {r.stderr}")
	name = next(k for k in keys("one") if "month=" in k)
	body = bytearray(ask("/__object/" + urllib.parse.quote(name)))
	body[len(body) // 2] ^= 1
	urllib.request.urlopen(urllib.request.Request(HTTP + "/__object/" + urllib.parse.quote(name), data=bytes(body), method="PUT"))
	r = tool("verify", "s3://bucket/one")
	if r.returncode != 1 or "was changed" not in r.stderr:
		problems.append(f"a damaged object: {r.stderr}")
	if os.listdir(TEMP):
		problems.append(f"left on this machine: {os.listdir(TEMP)}")
	return problems


def series(work):
	problems = []
	for n in (1, 2, 3):
		r = export("s3://bucket/series", "--incremental")
		if r.returncode != 0:
			return [r.stderr]
		if n == 1:
			lines.sql(DSN, "update posts set message = 'other', updateat = updateat + 1 where id = (select min(id) from posts "
			               "where type = '' and originalid = '')")
	r = tool("verify", "s3://bucket/series")
	posts = [x.split("\t")[2] for x in r.stdout.splitlines()]
	if r.returncode != 0 or posts != ["119 posts", "1 posts", "0 posts"]:
		problems.append(f"verify: {r.stdout} {r.stderr}")
	return problems


def merged(work):
	r = export("s3://bucket/part", "--shard", "1/1")
	if r.returncode == 0:
		r = tool("merge", "s3://bucket/part", "--out", "s3://bucket/merged")
	if r.returncode == 0:
		r = tool("verify", "s3://bucket/merged")
	return [r.stderr] if r.returncode != 0 else []


def faults(work):
	"""503 and lost connections now and then are tried again; a store that refuses ends the run."""
	problems = []
	for rule in ("do=status&status=503&code=SlowDown&every=9", "do=reset&every=13", "do=lost&match=PUT&every=11"):
		ask("/__fault?" + rule, "POST")
	place = "s3://bucket/faults"
	r = export(place)
	v = tool("verify", place)
	if r.returncode != 0 or v.returncode != 0:
		problems.append(f"a bad line: {r.stderr} {v.stderr}")
	ask("/__reset_rules", "POST")
	ask("/__fault?do=status&status=403&code=AccessDenied&match=PUT.*people&every=1", "POST")
	r = export("s3://bucket/refused")
	ask("/__reset_rules", "POST")
	if r.returncode != 4 or "AccessDenied" not in r.stderr:
		problems.append(f"a store that refuses: code {r.returncode}: {r.stderr}")
	v = tool("verify", "s3://bucket/refused")
	if v.returncode != 1 or "never ended" not in v.stderr:
		problems.append(f"half an upload counts: {v.stdout} {v.stderr}")
	if export("s3://bucket/refused").returncode != 0 or tool("verify", "s3://bucket/refused").returncode != 0:
		problems.append("the run after half an upload fails")
	return problems


def killed(work):
	"""Died at a step: what lies there is a whole export or none, and the next run completes."""
	log, problems, kinds = os.path.join(work, "steps"), [], {}
	export("s3://bucket/steps", ARK_FAIL_LOG=log)
	steps = open(log, encoding="utf-8").read().splitlines()
	for step in steps:
		n, text = step.split(" ", 1)
		kinds.setdefault(text, []).append(n)
	if not any("upload" in k or "PUT" in k.upper() for k in kinds):
		problems.append(f"no step of an upload among {sorted(kinds)}")
	for text, numbers in kinds.items():
		for n in numbers if os.environ.get("ARK_TEST_FULL") else sorted({numbers[0], numbers[-1]}):
			place = f"s3://bucket/k{n}"
			export(place, ARK_FAIL_AT=f"{n}:kill")
			there = any(k.endswith(f"k{n}/bagit.txt") for k in keys(f"k{n}/")) and f"bucket/k{n}/.uploading" not in keys(f"k{n}/")
			if there != (tool("verify", place).returncode == 0):
				problems.append(f"step {n} ({text}): half an export counts as one")
			if not there and (export(place).returncode != 0 or tool("verify", place).returncode != 0):
				problems.append(f"step {n} ({text}): the next run fails: {export(place).stderr}")
	if os.listdir(TEMP):
		problems.append(f"left on this machine: {os.listdir(TEMP)}")
	return problems


def main():
	lines.run(IMPORT, "slack", os.path.join(lines.ROOT, "fixtures", "slack", lines.FIXTURES[0]), "--team", "acme",
	          "--database", DSN, "--create-schema", "--create-team")
	failed, cases = 0, [same, series, merged, faults, killed]
	for number, case in enumerate(cases, 1):
		with tempfile.TemporaryDirectory() as work:
			problems = case(work)
		for p in problems[:10]:
			print("#", p)
		failed += bool(problems)
		print(f"{'not ' if problems else ''}ok {number} - {case.__name__}")
		sys.stdout.flush()
	print(f"1..{len(cases)}")
	return failed > 0


if __name__ == "__main__":
	IMPORT, EXPORT = os.environ["MATTER_IMPORT"], os.environ["MATTER_EXPORT"]
	if "ARK_TEST_HTTP" not in os.environ:
		os.execv(SERVER, [SERVER, sys.executable, os.path.abspath(__file__)])
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(lines.PG, [lines.PG, sys.executable, os.path.abspath(__file__)])
	lines.BIN, HTTP = os.environ["ARK_TEST_PG_BIN"], os.environ["ARK_TEST_HTTP"]
	DSN = os.environ["ARK_TEST_DSN"].replace("dbname=postgres", "dbname=bucket")
	with tempfile.TemporaryDirectory() as TEMP:
		os.environ["TMPDIR"] = TEMP
		code = main()
	sys.exit(code)

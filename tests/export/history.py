#!/usr/bin/env python3
"""Every step of a history that changes something on disk goes wrong once: the process dies there, or the disk is full. The
repository passes fsck with the commit of before or of after, and the next run completes with the same id. TAP; 77 without
PostgreSQL.

ARK_TEST_FULL=1 tries every step; otherwise one of each kind, and some more.
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
import tap  # noqa: E402

STRIDE = 17
ENVIRONMENT = dict(os.environ)


def history(command, repo, *args, env=None):
	return subprocess.run([HISTORY, command, repo, *args], env=dict(ENVIRONMENT, **(env or {})), capture_output=True, text=True)


def git(repo, *args):
	return subprocess.run(["git", "-C", repo, *args], capture_output=True, text=True)


def head(repo):
	r = git(repo, "rev-parse", "--verify", "-q", "main")
	return r.stdout.strip()


def rests(repo):
	"""What lies there besides what belongs there."""
	own = os.path.join(repo, "matterark")
	names = [x for x in os.listdir(own) if x not in ("lock", "scope.json", "incoming", "pushed", f"state-{head(repo)}.zst")]
	packs = os.listdir(os.path.join(repo, "objects", "pack"))
	odd = [x for x in packs if not x.startswith("pack-") or not x.endswith((".pack", ".idx"))]
	half = [x for x in packs if x.endswith(".pack") and x[:-5] + ".idx" not in packs]
	return names + os.listdir(os.path.join(own, "incoming")) + odd + half


def unreachable(repo):
	every = git(repo, "cat-file", "--batch-check=%(objectname)", "--batch-all-objects").stdout.split()
	reachable = git(repo, "rev-list", "--objects", "--all").stdout.splitlines()
	return len(set(every)) - len({x.split()[0] for x in reachable})


def clean(repo):
	if not os.path.exists(os.path.join(repo, "HEAD")) or not head(repo):
		return True
	r = git(repo, "fsck", "--full", "--strict", "--no-progress", "--no-dangling")
	return r.returncode == 0 and r.stdout + r.stderr == ""


def torment(command, args, how, work, start):
	"""`start`: a repository to begin with, or None."""
	problems = []

	def fresh(name):
		repo = os.path.join(work, name)
		if start:
			shutil.copytree(start, repo)
		return repo
	counted = fresh("count")
	chosen = tap.steps(work, lambda env: history(command, counted, *args, env=env), STRIDE)
	after = head(counted)
	before = head(start) if start else ""
	for n, text in chosen:
		repo = fresh("x")
		r = history(command, repo, *args, env={"ARK_FAIL_AT": f"{n}:{how}"})
		name = f"step {n} ({text}): {how}"
		now = head(repo) if os.path.exists(os.path.join(repo, "HEAD")) else ""
		if now not in (before, after):
			problems.append(f"{name}: the branch is at neither end")
		if not clean(repo):
			problems.append(f"{name}: fsck complains")
		if how != "kill" and r.returncode == 1 and not r.stderr.startswith("matter-history: error:"):
			problems.append(f"{name}: no word about it")
		again = history(command, repo, *args)
		if again.returncode != 0:
			problems.append(f"{name}: the next run fails: {again.stderr.strip()}")
		elif head(repo) != after:
			problems.append(f"{name}: the next run ends elsewhere")
		elif not clean(repo) or rests(repo):
			problems.append(f"{name}: {rests(repo)} is left")
		elif unreachable(repo) != 0:
			problems.append(f"{name}: {unreachable(repo)} objects belong to nothing")
		shutil.rmtree(repo)
	shutil.rmtree(os.path.join(work, "count"))
	return problems


def main():
	lines.run(IMPORT, "slack", os.path.join(HERE, "..", "..", "fixtures", "slack", "edited", "export"), "--team", "acme",
	          "--database", DSN, "--create-schema", "--create-team")
	update = ("--database", DSN, "--attachments", "none", "--jobs", "1")
	out = tap.Tap()
	with tempfile.TemporaryDirectory() as work:
		first, second = os.path.join(work, "first"), os.path.join(work, "second")
		cases = [("update", update, how, None) for how in ("kill", "enospc", "eio")]
		for turn in range(3):
			if turn == 1:
				assert history("update", first, *update).returncode == 0
				lines.sql(DSN, "update posts set message = 'other text', editat = createat + 3, updateat = createat + 3 where id = "
				          "(select id from posts where type = '' order by createat, id limit 1)")
				cases = [("update", update, how, first) for how in ("kill", "enospc")]
			if turn == 2:
				shutil.copytree(first, second)
				assert history("update", second, *update).returncode == 0
				gone = lines.sql(DSN, "select to_json(id) from posts where type = '' and originalid = '' order by createat, id limit 1")[0]
				ledger = os.path.join(work, "ledger")
				with open(ledger, "w", encoding="utf-8") as f:
					f.write(json.dumps({"post_id": gone, "channel_id": gone, "purged_at": 1700000000000}) + "\n")
				cases = [("rebuild", ("--ledger", ledger), how, second) for how in ("kill", "eio")]
			for command, args, how, start in cases:
				out.problems(f"{['first update', 'later update', 'rebuild'][turn]}: {how}", torment(command, args, how, work, start))
	return out.end()


if __name__ == "__main__":
	IMPORT, HISTORY = os.environ["MATTER_IMPORT"], os.environ["MATTER_HISTORY"]
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(lines.PG, [lines.PG, sys.executable, os.path.abspath(__file__)])
	lines.BIN = os.environ["ARK_TEST_PG_BIN"]
	DSN = os.environ["ARK_TEST_DSN"].replace("dbname=postgres", "dbname=history")
	sys.exit(main())

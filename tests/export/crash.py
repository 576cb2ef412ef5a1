#!/usr/bin/env python3
"""Every step of an export that changes something on disk goes wrong once: the process dies there, or the disk is
full. Whatever has a final name afterwards verifies, and the next run completes and gives the same bytes. TAP; skipped
without PostgreSQL.

ARK_TEST_FULL=1 tries every step; otherwise one of each kind, and some more.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import lines  # noqa: E402
import tap  # noqa: E402

STRIDE = 23
ENVIRONMENT = dict(os.environ)


def export(target, *args, env=None):
	return subprocess.run([EXPORT, "run", "--database", DSN, "--out", target, "--direct", "--jobs", "2", *args],
	                      env=dict(ENVIRONMENT, **(env or {})), capture_output=True, text=True)


def steps(work, args):
	return tap.steps(work, lambda env: export(os.path.join(work, "count"), *args, env=env), STRIDE)


def verify(target):
	return subprocess.run([EXPORT, "verify", target], capture_output=True, text=True)


def payload(target):
	return lines.tree(os.path.join(target, "data"))


def single(work, how):
	"""One export into a new name."""
	problems = []
	good = None
	for n, text in steps(work, ()):
		target = os.path.join(work, f"{how}{n}")
		r = export(target, env={"ARK_FAIL_AT": f"{n}:{how}"})
		if r.returncode == 0 and text != "ROLLBACK": # of a transaction that wrote nothing
			problems.append(f"step {n} ({text}): {how} went unnoticed")
		if os.path.exists(target) and verify(target).returncode != 0:
			problems.append(f"step {n} ({text}): a wrong export has the final name")
		if not os.path.exists(target):
			again = export(target)
			if again.returncode != 0:
				problems.append(f"step {n} ({text}): the next run fails: {again.stderr.strip()}")
				continue
		if how != "kill" and r.returncode == 1 and not r.stderr.startswith("matter-export: error:"):
			problems.append(f"step {n} ({text}): no word about it")
		good = good or payload(os.path.join(work, "count"))
		if payload(target) != good:
			problems.append(f"step {n} ({text}): the next run gives other bytes")
		rest = [x for x in os.listdir(work) if x.startswith(".")]
		if rest:
			problems.append(f"step {n} ({text}): {rest} is left")
	return problems


def formats(work, how):
	"""Every format in one run: the same claims as of a single one."""
	args, problems = ("--format", "jsonl,html,slack,csv,eml,rsmf,bulk"), []
	every = 1 if tap.FULL else 3
	for n, text in steps(work, args)[::every]:
		target = os.path.join(work, f"f{how}{n}")
		export(target, *args, env={"ARK_FAIL_AT": f"{n}:{how}"})
		if not os.path.exists(target) and export(target, *args).returncode != 0:
			problems.append(f"step {n} ({text}): the next run fails")
		elif verify(target).returncode != 0:
			problems.append(f"step {n} ({text}): a wrong export has the final name")
		elif payload(target) != payload(os.path.join(work, "count")):
			problems.append(f"step {n} ({text}): other bytes")
		if [x for x in os.listdir(work) if x.startswith(".")]:
			problems.append(f"step {n} ({text}): something is left")
	return problems


def series(work, how):
	"""The second run of a series: the first one is as it was, and the chain goes on."""
	problems = []
	for n, text in steps(work, ("--incremental",))[::4]:
		target = os.path.join(work, f"s{how}{n}")
		assert export(target, "--incremental").returncode == 0
		export(target, "--incremental", env={"ARK_FAIL_AT": f"{n}:{how}"})
		if verify(target).returncode != 0:
			problems.append(f"step {n} ({text}): the series is broken: {verify(target).stderr.strip()}")
		if export(target, "--incremental").returncode != 0 or verify(target).returncode != 0:
			problems.append(f"step {n} ({text}): the next run fails")
		if [x for x in os.listdir(target) if x.startswith(".")]:
			problems.append(f"step {n} ({text}): something is left")
	return problems


def main():
	lines.run(IMPORT, "slack", os.path.join(HERE, "..", "..", "fixtures", "slack", "edited", "export"), "--team", "acme",
	          "--database", DSN, "--create-schema", "--create-team")
	out = tap.Tap()
	for case, how in ((single, "kill"), (single, "enospc"), (single, "eio"), (series, "kill"), (formats, "kill"), (formats, "enospc")):
		with tempfile.TemporaryDirectory() as work:
			out.problems(f"{case.__name__}: {how}", case(work, how))
	return out.end()


if __name__ == "__main__":
	IMPORT, EXPORT = os.environ["MATTER_IMPORT"], os.environ["MATTER_EXPORT"]
	if "ARK_TEST_DSN" not in os.environ:
		os.execv(lines.PG, [lines.PG, sys.executable, os.path.abspath(__file__)])
	DSN = os.environ["ARK_TEST_DSN"].replace("dbname=postgres", "dbname=crash")
	sys.exit(main())

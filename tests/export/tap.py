"""What the scripts of this folder print: TAP, and the steps of a program that are let go wrong one after another."""
import os
import sys

FULL = os.environ.get("ARK_TEST_FULL") == "1"


class Tap:
	def __init__(self):
		self.count = self.failed = 0

	def check(self, name, fine, why=""):
		"""One claim; `why` is told when it is false."""
		self.problems(name, [] if fine else [why])

	def problems(self, name, problems):
		"""One claim that holds when the list is empty."""
		self.count += 1
		self.failed += bool(problems)
		for p in problems[:10]:
			for line in str(p).splitlines():
				print("#", line)
		print(f"{'not ' if problems else ''}ok {self.count} - {name}")
		sys.stdout.flush()

	def skip(self, name, why):
		self.count += 1
		print(f"ok {self.count} - {name} # SKIP {why}")

	def end(self):
		"""The exit code."""
		print(f"1..{self.count}")
		return self.failed > 0


def steps(work, run, stride):
	"""Which steps to try: run(env) does the whole once; one of each kind, every stride-th, and the last three; with
	ARK_TEST_FULL=1 all. Pairs of number and text."""
	log = os.path.join(work, "steps")
	r = run({"ARK_FAIL_LOG": log})
	assert r.returncode == 0, r.stderr
	what = [x.split(" ", 1) for x in open(log, encoding="utf-8").read().splitlines()]
	os.unlink(log)
	chosen, seen = [], set()
	for n, text in what:
		kind = "".join(c for c in text if not c.isdigit())
		if FULL or kind not in seen or int(n) % stride == 0 or int(n) > len(what) - 3:
			chosen.append((int(n), text))
		seen.add(kind)
	return chosen

#!/usr/bin/env python3
"""
What a built tool says about itself: --options-json can be read, each command has a --help of at most
80 columns on standard output that names its options, and each option of the tool's own is used in
some case of tests/cli/<tool>/ (as --name, MATTERARK_NAME or a line of a configuration file).

usage: options.py TOOL CASES_FOLDER
"""
import json
import os
import re
import subprocess
import sys

COLUMNS = 80
COMMON = "Common options"


def run(tool, *words):
	env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
	for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
		if name in os.environ:
			env[name] = os.environ[name]
	done = subprocess.run([tool, *words], env=env, stdin=subprocess.DEVNULL, capture_output=True,
	                      check=False)
	what = " ".join([os.path.basename(tool), *words])
	found = []
	if done.returncode != 0:
		found.append("%s: exit code %d" % (what, done.returncode))
	if done.stderr:
		found.append("%s: says '%s'" % (what, done.stderr.decode().strip()))
	return done.stdout.decode(), what, found


def check_help(tool, command, options):
	text, what, found = run(tool, *([command] if command else []), "--help")
	for line in text.splitlines():
		if len(line) > COLUMNS or line != line.rstrip():
			found.append("%s: bad line '%s'" % (what, line))
	for option in options:
		mine = option["command_line"] and (not command or command in option["commands"])
		named = re.search(r"^  (-., |    )--%s\b(?!-)" % re.escape(option["name"]), text, re.M)
		if command and bool(named) != mine:
			found.append("%s: option '%s' %s" % (what, option["name"],
			                                     "is missing" if mine else "does not belong"))
	return found


def is_used(option, cases):
	name = re.escape(option["name"])
	bare = re.sub(r"^no-", "", option["name"])
	patterns = [r"--(no-)?%s(?![a-z-])" % re.escape(bare), r"--%s(?![a-z-])" % name,
	            r"(?m)^%s *=" % name, r"\\n%s *=" % name, r"['\"]%s *=" % name]
	if option["environment"]:
		patterns.append(r"\b%s=" % option["environment"])
	if option["letter"]:
		patterns.append(r"(?<=\s)-[a-zA-Z]*%s" % option["letter"])
	return any(re.search(p, cases) for p in patterns)


def read_cases(folder):
	texts = []
	for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
		if name.endswith(".sh"):
			with open(os.path.join(folder, name), encoding="utf-8") as f:
				texts.append(f.read())
	return "\n".join(texts)


def main():
	tool, folder = sys.argv[1:]
	text, what, found = run(tool, "--options-json")
	table = json.loads(text)
	if text.count("\n") != 1:
		found.append("%s: not one line" % what)
	commands = [c["name"] for c in table["commands"]]
	for command in [None] + commands:
		found += check_help(tool, command, table["options"])
	cases = read_cases(folder)
	for option in table["options"]:
		if option["heading"] != COMMON and not is_used(option, cases):
			found.append("%s: no case in %s uses option '%s'" % (table["tool"], folder, option["name"]))
	for line in found:
		print(line)
	return 1 if found else 0


if __name__ == "__main__":
	sys.exit(main())

#!/usr/bin/env python3
"""One neutralise.sql out of its parts. usage: assemble.py OUTPUT RULES.json PART.sql..."""
import json
import sys


def main():
	output, rules, *parts = sys.argv[1:]
	with open(rules, encoding="utf-8") as f:
		text = f.read().strip()
	json.loads(text)
	if "$rules$" in text:
		sys.exit(f"{rules}: holds the mark it is quoted with")
	whole = ""
	for name in parts:
		with open(name, encoding="utf-8") as f:
			whole += f.read()
	if whole.count("@RULES@") != 1:
		sys.exit("no place, or more than one, for the rules")
	with open(output, "w", encoding="utf-8") as out:
		out.write(whole.replace("@RULES@", text))


if __name__ == "__main__":
	main()

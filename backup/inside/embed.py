#!/usr/bin/env python3
"""Files as C strings; a line `#include FILE` stands for the file beside it. usage: embed.py OUTPUT NAME=FILE..."""
import os
import sys


def lines_of(path):
	with open(path, encoding="utf-8") as f:
		for line in f.read().splitlines():
			if line.startswith("#include "):
				yield from lines_of(os.path.join(os.path.dirname(path), line.split()[1]))
			else:
				yield line


def main():
	with open(sys.argv[1], "w", encoding="utf-8") as out:
		out.write('#include "backup/repo/inside_text.h"\n\n#include "common/base/banned.h"\n')
		for item in sys.argv[2:]:
			name, path = item.split("=", 1)
			out.write("\nconst char %s[] =\n" % name)
			for line in lines_of(path):
				text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
				out.write('\t"%s\\n"\n' % text)
			out.write("\t;\n")


if __name__ == "__main__":
	main()

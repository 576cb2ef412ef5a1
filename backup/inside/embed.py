#!/usr/bin/env python3
"""Files as C strings. usage: embed.py OUTPUT NAME=FILE..."""
import sys


def main():
	with open(sys.argv[1], "w", encoding="utf-8") as out:
		out.write('#include "backup/repo/inside_text.h"\n\n#include "common/base/banned.h"\n')
		for item in sys.argv[2:]:
			name, path = item.split("=", 1)
			with open(path, encoding="utf-8") as f:
				lines = f.read().splitlines()
			out.write("\nconst char %s[] =\n" % name)
			for line in lines:
				text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
				out.write('\t"%s\\n"\n' % text)
			out.write("\t;\n")


if __name__ == "__main__":
	main()

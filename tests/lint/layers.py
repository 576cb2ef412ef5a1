#!/usr/bin/env python3
"""
Reads the #include lines of the whole tree and fails where an arrow points the wrong way: a room of
common/ may use only rooms of the levels before its own, common/ never uses a tool, a tool never
another tool, a private header only its own room, and each outside library belongs to one room.

usage: layers.py SOURCE_ROOT          check the tree
       layers.py SOURCE_ROOT --self   check that the rules themselves catch what they should
"""
import os
import re
import sys

# The map of docs/design.md, lower levels first; rooms of one level do not use each other.
LEVELS = [["base"], ["cli", "io", "json", "db", "crypt"], ["net"], ["mm", "html"], ["store", "notify"], ["repo"]]
TOOLS = ["import", "export", "backup", "purge"]
# Who includes what from outside. The start of the name decides.
LIBRARIES = {
	"libpq-fe.h": "common/db",
	"jansson.h": "common/json",
	"simdjson.h": "common/json",
	"archive.h": "common/io",
	"archive_entry.h": "common/io",
	"zstd.h": "common/io",
	"zdict.h": "common/io",
	"curl/": "common/net",
	"expat.h": "common/net",
	"git2": "export/history",
	"zlib.h": "export/history",
	"sodium": "common/crypt",
	"crypt.h": "common/crypt",
	"openssl/": "common/crypt",
	"utf8proc.h": "common/base",
	"cmark": "export/formats/markdown",
	"gd.h": "import/fetch",
	"libexif": "import/fetch",
	"turbojpeg.h": "import/fetch",
}
PRODUCT = ("common/",) + tuple(tool + "/" for tool in TOOLS)
BANNED = "common/base/banned.h"
# Formats with what is there when memory is short; includes nothing of ours but its own header.
WITHOUT_BANNED = ("common/base/err.c",)
SOURCES = (".c", ".h", ".cc", ".inc")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

RANK = {room: n for n, level in enumerate(LEVELS) for room in level}


def place(path):
	"""(kind, room) of a path: kind is common, a tool, tests or other."""
	parts = path.split("/")
	if parts[0] == "common" and len(parts) > 2:
		return "common", parts[1]
	if parts[0] in TOOLS:
		return parts[0], parts[1] if len(parts) > 2 else ""
	return ("tests" if parts[0] in ("tests", "bench") else "other"), ""


def may_use_room(user, used):
	return user == used or RANK[used] < RANK[user]


def suite_of(path):
	"""The place that a unit test belongs to: tests/unit/json/... is tested code of common/json."""
	parts = path.split("/")
	if parts[:2] == ["tests", "unit"] and len(parts) > 3:
		if parts[2] in RANK:
			return "common", parts[2]
		if parts[2] in TOOLS:
			return parts[2], ""
	return None


def wrong_inside(path, name):
	"""Why `path` may not include our file `name`; None when it may."""
	kind, room = suite_of(path) or place(path)
	to_kind, to_room = place(name)
	if kind == "common" and room not in RANK:
		return "room '%s' is not on the map" % room
	if name.endswith("/private.h") and not path.startswith("tests/") and \
	   os.path.dirname(name) != os.path.dirname(path):
		return "a private header of another room"
	if to_kind == "common" and to_room not in RANK:
		return "room '%s' is not on the map" % to_room
	if kind == "common" and to_kind in TOOLS:
		return "common never uses a tool"
	if kind == "common" and to_kind == "common" and not may_use_room(room, to_room):
		return "%s may not use %s" % (room, to_room)
	if kind in TOOLS and to_kind in TOOLS and kind != to_kind:
		return "a tool never uses another tool"
	if not path.startswith("tests/") and not path.startswith("bench/") and name.startswith("tests/"):
		return "the product never uses its tests"
	return None


def wrong_outside(path, name):
	"""Why `path` may not include <name>."""
	if path.startswith(("tests/", "bench/", "fixtures/")):
		return None
	for start, owner in LIBRARIES.items():
		if name.startswith(start) and not path.startswith(owner + "/"):
			return "<%s> belongs to %s" % (name, owner)
	return None


def check_file(root, path):
	found = []
	last = None
	with open(os.path.join(root, path), encoding="utf-8") as f:
		for number, line in enumerate(f, 1):
			m = INCLUDE.match(line)
			if not m:
				continue
			name = m.group(2)
			if m.group(1) == "<":
				why = wrong_outside(path, name)
			elif not os.path.isfile(os.path.join(root, name)) and not name.endswith(".inc"):
				why = "there is no such file under the source root"
			else:
				why = wrong_inside(path, name)
				last = last if name.endswith(".inc") else name
			if why:
				found.append("%s:%d: %s: %s" % (path, number, name, why))
	if path.endswith(".c") and path.startswith(PRODUCT) and path not in WITHOUT_BANNED and \
	   last != BANNED:
		found.append("%s: %s is not the last include" % (path, BANNED))
	return found


def sources(root):
	for folder, subfolders, files in os.walk(root):
		subfolders[:] = sorted(d for d in subfolders if not d.startswith(".") and
		                       d not in ("subprojects", "data") and
		                       not os.path.exists(os.path.join(folder, d, "meson-private")))
		for name in sorted(files):
			if name.endswith(SOURCES):
				yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


# path, include, is it wrong?
CASES = [
	("common/base/a.c", "common/json/value.h", True),
	("common/json/a.c", "common/base/err.h", False),
	("common/json/a.c", "common/db/conn.h", True),
	("common/mm/a.c", "common/db/conn.h", False),
	("common/mm/a.c", "common/store/s3.h", True),
	("common/store/a.c", "common/notify/a.h", True),
	("common/net/a.c", "common/crypt/hash.h", False),
	("common/crypt/a.c", "common/net/http.h", True),
	("common/store/a.c", "common/net/s3.h", False),
	("common/repo/a.c", "common/notify/a.h", False),
	("common/base/a.c", "import/slack/ts.h", True),
	("import/slack/a.c", "import/load/load.h", False),
	("import/slack/a.c", "export/record.h", True),
	("import/main.c", "common/cli/private.h", True),
	("common/cli/a.c", "common/cli/private.h", False),
	("import/main.c", "tests/harness/tap.h", True),
	("tests/unit/json/a.c", "common/mm/a.h", True),
	("tests/unit/json/a.c", "tests/harness/tap.h", False),
	("tests/unit/import/a.c", "export/record.h", True),
	("common/new/a.c", "common/base/err.h", True),
]
OUTSIDE_CASES = [
	("common/db/conn.c", "libpq-fe.h", False),
	("common/mm/post.c", "libpq-fe.h", True),
	("import/main.c", "stdio.h", False),
	("export/history/pack.c", "git2.h", False),
	("export/main.c", "git2/repository.h", True),
]


def check_rules():
	return ["rule fails for %s including %s" % (path, name)
	        for cases, fn in ((CASES, wrong_inside), (OUTSIDE_CASES, wrong_outside))
	        for path, name, wrong in cases if (fn(path, name) is not None) != wrong]


def main():
	root = sys.argv[1]
	paths = list(sources(root))
	if sys.argv[2:] == ["--self"]:
		found = check_rules()
	else:
		found = [line for path in paths for line in check_file(root, path)]
		if not paths:
			found.append("no sources under '%s'" % root)
	for line in found:
		print(line)
	return 1 if found else 0


if __name__ == "__main__":
	sys.exit(main())

#!/usr/bin/env python3
"""Make a C file of the schema's SQL files.

usage: embed_sql.py TABLES.sql INDEXES.sql VIEWS.sql FINISH.sql OUT.c

Tables, views and finish become one text each (without comments). Indexes become a list of struct mm_index:
statement, table, name and what the comment behind the statement says.
"""
import re
import sys

INDEX = re.compile(
    r"CREATE (?P<unique>UNIQUE )?INDEX (?P<name>\w+)\s+ON (?P<table>\w+)(?P<gin> USING gin)? \(")
MARKS = {"": "MM_INDEX_PLAIN", "primary key": "MM_INDEX_PRIMARY", "unique": "MM_INDEX_UNIQUE"}


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def whole(path, name):
    lines = [line for line in read(path).splitlines() if line and not line.startswith("--")]
    body = "\n".join("\t" + quoted(line + "\n") for line in lines)
    return f"const char {name}[] =\n{body};\n"


def indexes(path):
    rows = []
    for part in re.split(r"\n(?=CREATE |--|\n)", read(path)):
        part = part.strip()
        if not part or part.startswith("--"):
            continue
        found = re.fullmatch(r"(.*);(?: -- (.*))?", part, re.S)
        shape = INDEX.match(part)
        if not found or not shape or ";" in found[1] or (found[2] or "") not in MARKS:
            sys.exit(f"{path}: cannot read: {part}")
        rows.append("\t{ %s, %s, %s, %s, %s }," % (
            quoted(shape["table"]), quoted(shape["name"]), quoted(re.sub(r"\n\t+", " ", found[1])),
            MARKS[found[2] or ""], "true" if shape["gin"] else "false"))
    body = "\n".join(rows)
    return f"const struct mm_index MM_INDEXES[] = {{\n{body}\n}};\n" \
           f"const size_t MM_INDEX_COUNT = {len(rows)};\n"


def main():
    tables, index, views, finish, out = sys.argv[1:]
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "common/mm/schema_sql.h"\n\n')
        f.write(whole(tables, "MM_SQL_TABLES") + "\n" + indexes(index) + "\n")
        f.write(whole(views, "MM_SQL_VIEWS") + "\n")
        f.write(whole(finish, "MM_SQL_FINISH"))


main()

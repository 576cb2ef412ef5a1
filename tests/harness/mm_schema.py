#!/usr/bin/env python3
"""SQL for a Mattermost database at an older level, from fixtures/mattermost/schema.

usage: mm_schema.py LEVEL          7.8, 8.1, 9.5, 9.11, 10.5, 10.11 or 11.6
       mm_schema.py --levels       the levels, one a line

Tables with their columns and defaults, enum types, db_migrations; of the indexes only primary keys
and unique ones, as 11.6 has them, where their columns are there. Enough for tools to read and write,
not the exact database of that release.
"""
import csv
import os
import re
import sys

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/mattermost/schema")
LEVELS = {"7.8": 101, "8.1": 111, "9.5": 115, "9.11": 126, "10.5": 129, "10.11": 141, "11.6": 159}


def rows(name):
    with open(os.path.join(FIXTURES, name), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def main():
    if sys.argv[1:] == ["--levels"]:
        print("\n".join(LEVELS))
        return
    if len(sys.argv) != 2 or sys.argv[1] not in LEVELS:
        sys.exit(__doc__)
    level = sys.argv[1]
    tables = {}
    for row in rows(f"columns-{level}.tsv"):
        tables.setdefault(row["table"], []).append(row)
    used = {c["type"] for columns in tables.values() for c in columns}
    for row in rows("enums-11.6.tsv"):
        if row["type"] in used:
            labels = ", ".join(f"'{label}'" for label in row["labels in order"].split(","))
            print(f"CREATE TYPE {row['type']} AS ENUM ({labels});")
    for table, columns in tables.items():
        lines = []
        for c in columns:
            kind = "varchar(26)[]" if c["type"] == "ARRAY" else c["type"]
            rule = " NOT NULL" if c["nullable"] == "NO" else ""
            default = f" DEFAULT {c['default']}" if c["default"] else ""
            lines.append(f'\t"{c["column"]}" {kind}{default}{rule}')
        print(f"CREATE TABLE {table} (\n" + ",\n".join(lines) + "\n);")
    constraints = {c["constraint"] for c in rows("constraints-11.6.tsv")}
    for index in rows("indexes-11.6.tsv"):
        names = {c["column"] for c in tables.get(index["table"], [])}
        keys = [key.strip('"') for key in re.split(", ", index["keys"])]
        if index["kind"] not in ("primary", "unique") or not set(keys) <= names:
            continue
        if index["kind"] == "unique" and index["index"] not in constraints:
            continue
        kind = "PRIMARY KEY" if index["kind"] == "primary" else "UNIQUE"
        print(f"ALTER TABLE {index['table']} ADD CONSTRAINT {index['index']} {kind} "
              f"({index['keys']});")
    print("CREATE TABLE db_migrations (version bigint PRIMARY KEY, name varchar NOT NULL);")
    values = ", ".join(f"({m['version']}, '{m['name']}')" for m in rows("migrations.tsv")
                       if int(m["version"]) <= LEVELS[level])
    print(f"INSERT INTO db_migrations VALUES {values};")


main()

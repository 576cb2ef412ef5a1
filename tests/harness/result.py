#!/usr/bin/env python3
"""Write down what parts of ./check --full found: a row for each part, those of other parts stay, and so does what
stands behind the table.

usage: result.py FILE VERSION SYSTEM PARTS <ROWS
	PARTS   the table of full.sh, for the order of rows and what has not been run
	ROWS    key|what|passed|failed|skipped|seconds
"""
import datetime
import os
import sys

ORDINARY = ['gcc', 'asan']
TOP = """# Reliability

What the long tests found when they were last run, written by `./check --full`; the rows are not edited by hand.
`./check --full PART` repeats one of them, `./check --help` lists them. `gcc` and `asan` are
what `./check` alone runs.

Counted are test cases: TAP lines, tests without TAP, fuzz targets, builds that failed. A skipped case lacked
something on that machine. A version that ends in `-dirty` had changes that were not committed.

| part | what | passed | failed | skipped | seconds | version | date | system |
|---|---|---:|---:|---:|---:|---|---|---|
"""


def read_rows(path):
    rows = {}
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            for line in f:
                cells = [c.strip() for c in line.strip().strip('|').split('|')]
                if len(cells) == 9 and cells[0].startswith('`'):
                    rows[cells[0].strip('`')] = cells[1:]
    return rows


def read_rest(path):
    """From the first heading behind the table on."""
    text = ''
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            text = f.read()
    at = text.find('\n## ')
    return text[at:] if at >= 0 else ''


def main():
    path, version, system, parts = sys.argv[1:]
    order = ORDINARY + [line.split()[0] for line in parts.splitlines()]
    titles = dict(line.split(None, 1) for line in parts.splitlines())
    rows = {key: cells for key, cells in read_rows(path).items() if key in order}
    today = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d')
    for line in sys.stdin.read().splitlines():
        key, what, *counts = line.split('|')
        if key in order and any(int(n) for n in counts[:3]):
            rows[key] = [what] + counts + [version, today, system]
    rest = read_rest(path)
    with open(path + '.new', 'w', encoding='utf-8') as f:
        f.write(TOP)
        for key in order:
            cells = rows.get(key) or [titles.get(key, ''), '', '', '', '', 'not run yet', '', '']
            f.write('| `%s` | %s |\n' % (key, ' | '.join(cells)))
        f.write(rest)
    os.replace(path + '.new', path)


if __name__ == '__main__':
    main()

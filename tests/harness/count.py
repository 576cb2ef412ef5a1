#!/usr/bin/env python3
"""Count test cases in meson's testlog.json: prints "passed failed skipped".

Each TAP line of a test counts; a test without TAP lines is one. A test that meson calls bad although none
of its lines says "not ok" (it crashed, hung, or promised more lines) adds one failure.

	count.py build/gcc/meson-logs/testlog.json
"""
import json
import re
import sys

LINE = re.compile(r'^(not )?ok\b(.*)$')
DIRECTIVE = re.compile(r'#\s*(skip|todo)\b', re.IGNORECASE)
GOOD = {'OK', 'EXPECTEDFAIL', 'SKIP'}


def count(test):
    """(passed, failed, skipped) of one line of the log."""
    passed = failed = skipped = 0
    for line in (test.get('stdout') or '').splitlines():
        found = LINE.match(line)
        if not found:
            continue
        directive = DIRECTIVE.search(found.group(2))
        if directive:
            skipped += 1
        elif found.group(1):
            failed += 1
        else:
            passed += 1
    if test['result'] not in GOOD:
        failed = max(failed, 1)
    elif passed + failed + skipped == 0:
        if test['result'] == 'SKIP':
            skipped = 1
        else:
            passed = 1
    return passed, failed, skipped


def main():
    with open(sys.argv[1], encoding='utf-8', errors='replace') as log:
        counts = [count(json.loads(line)) for line in log if line.strip()]
    print(*[sum(column) for column in zip(*counts)] if counts else (0, 0, 0))


if __name__ == '__main__':
    main()

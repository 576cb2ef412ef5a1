#!/usr/bin/env python3
"""Count test cases in meson's testlog.json: prints "passed failed skipped", and each failure to stderr.

Each TAP line of a test counts; a test without TAP lines is one. A test that meson calls bad although none
of its lines says "not ok" (it crashed, hung, or promised more lines) adds one failure.

	count.py build/gcc/meson-logs/testlog.json
"""
import itertools
import json
import re
import sys

LINE = re.compile(r'^(not )?ok\b(.*)$')
DIRECTIVE = re.compile(r'#\s*(skip|todo)\b', re.IGNORECASE)
WORDS = 6  # lines of what a failed case says
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


def failures(test):
    """What went wrong in one test, in a few lines: its cases with what they said, or its last words."""
    name = test['name'].split(':')[-1].strip()
    out = (test.get('stdout') or '').splitlines()
    found = False
    for at, line in enumerate(out):
        match = LINE.match(line)
        if not match or not match.group(1) or DIRECTIVE.search(match.group(2)):
            continue
        found = True
        yield f'{name}: {line}'
        yield from said(out, at)
    if not found and test['result'] not in GOOD:
        yield f"{name}: {test['result']}, returned {test.get('returncode')} after {test.get('duration', 0):.0f} s"
        last = out + (test.get('stderr') or '').splitlines()
        yield from ('    ' + line[:200] for line in last[-WORDS:])


def said(out, at):
    """The comments of a case stand before or behind its line, as the test's language has it."""
    before = list(itertools.takewhile(lambda s: s.startswith('#'), reversed(out[:at])))[::-1]
    behind = list(itertools.takewhile(lambda s: s.startswith('#'), out[at + 1:]))
    return ['    ' + line[:200] for line in (behind or before)[:WORDS]]


def main():
    with open(sys.argv[1], encoding='utf-8', errors='replace') as log:
        tests = [json.loads(line) for line in log if line.strip()]
    counts = [count(test) for test in tests]
    print(*[sum(column) for column in zip(*counts)] if counts else (0, 0, 0))
    for test in tests:
        for line in failures(test):
            print(line, file=sys.stderr)


if __name__ == '__main__':
    main()

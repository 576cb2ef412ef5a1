#!/usr/bin/env python3
"""
Functions of the product that are offered to other files although none of them, and no test, uses them. What releases
something is offered twice, as x_free and for ark_auto as x_freep: one of them used elsewhere, and the other anywhere, is
enough.

usage: unused.py BUILD_FOLDER      prints a line each; nothing when there is none
"""
import os
import re
import subprocess
import sys

PRODUCT = ('common', 'import', 'export', 'backup', 'purge')


def objects(build):
    for folder, _, files in os.walk(build):
        for name in files:
            if name.endswith('.o'):
                yield os.path.relpath(os.path.join(folder, name), build)


def symbols(path):
    """(letter, name) of each symbol of an object file."""
    out = subprocess.run(['nm', '-P', path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                         universal_newlines=True).stdout
    for line in out.splitlines():
        name, letter = line.split()[:2]
        yield letter, name


def words_of_sources():
    """How often each word stands in the product's .c files; the function itself is one."""
    counts = {}
    for folder in PRODUCT:
        for where, _, files in os.walk(folder):
            for name in files:
                if name.endswith('.c'):
                    with open(os.path.join(where, name), encoding='utf-8') as f:
                        for word in re.findall(r'\w+', f.read()):
                            counts[word] = counts.get(word, 0) + 1
    return counts


def main():
    build = sys.argv[1]
    offered, used = {}, set()
    for path in objects(build):
        for letter, name in symbols(os.path.join(build, path)):
            if letter == 'U':
                used.add(name)
            elif letter == 'T' and path.startswith(PRODUCT) and path.endswith('.c.o'):
                offered[name] = path
    words = words_of_sources()
    for name in sorted(set(offered) - used - {'main'}):
        twin = name[:-1] if name.endswith('p') else name + 'p'
        if twin in offered and twin in used and words.get(name, 0) > 1:
            continue
        print('%s: %s has no caller in another file' % (offered[name], name))


if __name__ == '__main__':
    main()

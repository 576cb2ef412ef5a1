#!/usr/bin/env python3
"""
Functions of the product that are offered to other files although none of them, and no test, uses them.

usage: unused.py BUILD_FOLDER      prints a line each; nothing when there is none
"""
import os
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


def main():
    build = sys.argv[1]
    offered, used = {}, set()
    for path in objects(build):
        for letter, name in symbols(os.path.join(build, path)):
            if letter == 'U':
                used.add(name)
            elif letter == 'T' and path.startswith(PRODUCT) and path.endswith('.c.o'):
                offered[name] = path
    for name in sorted(set(offered) - used - {'main'}):
        print('%s: %s has no caller in another file' % (offered[name], name))


if __name__ == '__main__':
    main()

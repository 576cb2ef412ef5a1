#!/usr/bin/env python3
"""Style sheets and scripts as C strings, with the hashes that a page's content security policy names.

usage: embed.py [--inline] OUTPUT NAME=FILE[,FILE...] ...

--inline   they will stand inside of pages that are XML too: neither < nor & may be in them
"""
import base64
import hashlib
import sys


def literal(name, text):
    lines = [f'static const char {name}[] =']
    for line in text.splitlines(keepends=True):
        escaped = line.replace('\\', '\\\\').replace('"', '\\"').replace('\t', '\\t').replace('\n', '\\n')
        lines.append(f'\t"{escaped}"')
    return '\n'.join(lines) + ';\n'


def read(path, inline):
    with open(path, encoding='ascii') as f:
        text = f.read()
    if inline and ('<' in text or '&' in text):
        sys.exit(f'{path}: contains < or &')
    return text


def main():
    args = sys.argv[1:]
    inline = args[0] == '--inline'
    out_path, *wanted = args[inline:]
    with open(out_path, 'w', encoding='ascii') as out:
        out.write('/* made by embed.py */\n')
        for pair in wanted:
            name, paths = pair.split('=', 1)
            text = ''.join(read(path, inline) for path in paths.split(','))
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            out.write(literal(name, text))
            out.write(f'#define {name}_HASH "sha256-{digest}"\n')


main()

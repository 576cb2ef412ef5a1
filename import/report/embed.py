#!/usr/bin/env python3
"""page.css and page.js as C strings with the hashes that the page's content security policy names.

usage: embed.py page.css page.js OUTPUT
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


def main():
    css_path, js_path, out_path = sys.argv[1:]
    with open(out_path, 'w', encoding='ascii') as out:
        out.write('/* made by embed.py */\n')
        for name, path in (('PAGE_CSS', css_path), ('PAGE_JS', js_path)):
            with open(path, encoding='ascii') as f:
                text = f.read()
            # the page is XML too: neither may need escaping
            if '<' in text or '&' in text:
                sys.exit(f'{path}: contains < or &')
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            out.write(literal(name, text))
            out.write(f'#define {name}_HASH "sha256-{digest}"\n')


main()

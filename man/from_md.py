#!/usr/bin/env python3
"""
A manual page out of a page of docs/: headings, paragraphs, lists, tables, code, and within lines `code`, **bold**,
*emphasis* and [links](target). Anything else of Markdown is not used there, and is an error here.

usage: from_md.py PAGE.md OUTPUT NAME SECTION VERSION "what it is"
"""
import re
import sys

INLINE = re.compile(r'`([^`]+)`|\*\*(.+?)\*\*|(?<![\w*])\*([^*\s][^*]*?)\*(?![\w*])|\[([^\]]+)\]\(([^)]+)\)')


def escape(text):
    return text.replace('\\', '\\e').replace('-', '\\-').replace("'", '\\(aq').replace('^', '\\(ha') \
        .replace('~', '\\(ti').replace('`', '\\(ga')


def guard(line):
    """A dot at the beginning of a line would be a request."""
    return '\\&' + line if line[:1] in ('.', "'") else line


def inline(text):
    out, at = '', 0
    for m in INLINE.finditer(text):
        out += escape(text[at:m.start()])
        code, bold, emphasis, label, target = m.groups()
        if code is not None:
            out += '\\fB' + escape(code) + '\\fR'
        elif bold is not None:
            out += '\\fB' + inline(bold) + '\\fR'
        elif emphasis is not None:
            out += '\\fI' + inline(emphasis) + '\\fR'
        else:
            out += inline(label)
            if target != label and not target.startswith('#'):
                out += ' (' + escape(target) + ')'
        at = m.end()
    return guard(out + escape(text[at:]))


def cells(row):
    return [c.strip().replace('\\|', '|') for c in re.split(r'(?<!\\)\|', row.strip()[1:-1])]


def table(rows):
    """Each row a paragraph with its first cell in front: tables of any width fit any terminal so."""
    head, *body = [cells(r) for r in rows if not re.fullmatch(r'[|:\- ]+', r.strip())]
    out = []
    for row in body:
        out += ['.TP', inline(row[0]) or '\\&']
        rest = []
        for title, cell in zip(head[1:], row[1:]):
            if cell:
                rest.append((inline(title) + ': ' if title and len(head) > 2 else '') + inline(cell))
        out.append(guard('; '.join(rest)) if rest else '\\&')
    return out


def blocks(lines):
    """(kind, lines) of each block; blank lines part them, a fence holds whatever is between."""
    block, kind = [], None
    fenced = False
    for line in lines + ['']:
        if line.startswith('```'):
            if not fenced and block:
                yield kind, block
            if fenced:
                yield 'code', block
            fenced, block, kind = not fenced, [], 'code'
            continue
        if fenced:
            block.append(line)
            continue
        if line.startswith('<!--'):
            continue
        now = ('blank' if not line.strip() else 'heading' if line.startswith('#') else 'row' if line.startswith('|')
               else 'code' if line.startswith('    ') and kind in (None, 'code', 'blank') else
               'item' if re.match(r'[-*] |\d+\. ', line) else 'text')
        if now == 'blank' and kind == 'code' and block:
            block.append('')
            continue
        if now == 'text' and kind == 'item':
            block[-1] += ' ' + line.strip()
            continue
        if now == kind and now not in ('heading', 'blank'):
            block.append(line)
            continue
        if block:
            yield kind, block
        kind, block = (None, []) if now == 'blank' else (now, [line])
        if now == 'heading':
            yield kind, block
            kind, block = None, []


def page(lines, head):
    out = head[:]
    after_heading = True
    for kind, block in blocks(lines):
        if kind == 'heading':
            level, text = re.match(r'(#+) (.*)', block[0]).groups()
            if len(level) > 1:
                out.append('.SH ' + inline(text).upper() if len(level) == 2 else '.SS ' + inline(text))
                after_heading = True
            continue
        if kind in ('text', 'code') and not after_heading:
            out.append('.PP')
        after_heading = False
        if kind == 'text':
            out.append(inline(' '.join(line.strip() for line in block)))
        elif kind == 'code':
            while block and not block[-1].strip():
                block.pop()
            indent = min(len(s) - len(s.lstrip()) for s in block if s.strip())
            out += ['.EX', '.in +4n'] + [guard(escape(s[indent:])) for s in block] + ['.in', '.EE']
        elif kind == 'row':
            out += table(block)
            out.append('.PP')
            after_heading = True
        else:
            for item in block:
                out += ['.IP \\(bu 3', inline(re.sub(r'^([-*]|\d+\.) +', '', item))]
            out.append('.PP')
            after_heading = True
    while out[-1] == '.PP':
        out.pop()
    return [line for i, line in enumerate(out) if not (line == '.PP' and out[i + 1].startswith(('.SH', '.SS', '.PP')))]


def main():
    source, output, name, section, version, what = sys.argv[1:]
    with open(source, encoding='utf-8') as f:
        lines = f.read().splitlines()
    title = escape(name).upper()
    head = ['.\\" Made from a page of docs/ by from_md.py.',
            '.TH %s %s "" "matterark %s" "matterark manual"' % (title, section, version),
            '.SH NAME', '%s \\- %s' % (escape(name), escape(what)), '.SH DESCRIPTION']
    with open(output, 'w', encoding='utf-8') as f:
        f.write('\n'.join(page(lines, head)) + '\n')


if __name__ == '__main__':
    main()

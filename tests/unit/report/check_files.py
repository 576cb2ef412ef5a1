#!/usr/bin/env python3
"""Write the reports of made-up runs and read every file of them with strict parsers.

usage: check_files.py REPORT_SAMPLE
"""
import base64
import csv
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

SAMPLES = ('small', 'big', 'hostile', 'check', 'nothing')
FILES = ['missing-files.csv', 'report.html', 'report.json', 'skipped.jsonl', 'users.csv']
LINKS = {'report.json', 'skipped.jsonl', 'missing-files.csv', 'users.csv', 'data:,'}
# what can load or send something, and what runs code
FETCHING = {'src', 'srcset', 'action', 'formaction', 'data', 'poster', 'background', 'style', 'ping',
            'xlink:href', 'xmlns'}
ELEMENTS = set('html head meta link title style body header main footer nav section article div p a b i '
               'br small span bdi code h1 h2 h3 ul ol li dl dt dd details summary figure svg rect line '
               'text g table thead tbody tr th td script'.split())
UNSAFE = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')


class Page(HTMLParser):
    """The page as a browser's tokenizer sees it."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.blocks = [], [], [], {}
        self.inside = None

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value) for key, value in attrs]
        self.inside = tag if tag in ('script', 'style') else None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.blocks.setdefault(self.inside, []).append(data)
        else:
            self.text.append(data)


class Tests:
    def __init__(self):
        self.count = self.failed = 0

    def run(self, name, function, *args):
        self.count += 1
        try:
            function(*args)
            print(f'ok {self.count} - {name}')
        except Exception as e:  # a failed claim or a parser that gave up
            self.failed += 1
            print(f'not ok {self.count} - {name}')
            print(f'# {type(e).__name__}: {e}'.replace('\n', '\n# '))


def need(condition, what):
    if not condition:
        raise AssertionError(what)


def read(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8', newline='') as f:
        return f.read()


def check_modes(folder):
    need(stat.S_IMODE(os.stat(folder).st_mode) == 0o700, 'folder is not 0700')
    need(sorted(os.listdir(folder)) == FILES, f'files are {sorted(os.listdir(folder))}')
    for name in FILES:
        mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
        need(mode == 0o600, f'{name} is {mode:o}')
    rests = [n for n in os.listdir(os.path.dirname(folder)) if n.startswith('.')]
    need(not rests, f'left behind: {rests}')


def check_html(folder):
    text = read(folder, 'report.html')
    root = ET.fromstring(text.split('\n', 1)[1])  # without the document type
    need(root.tag == 'html', 'no html')
    ids = [e.get('id') for e in root.iter() if e.get('id')]
    need(len(ids) == len(set(ids)), 'an id twice')
    need(not UNSAFE.search(text), f'unsafe character {UNSAFE.search(text)!r}')
    page = Page()
    page.feed(text)
    page.close()
    need(set(page.tags) <= ELEMENTS, f'elements {set(page.tags) - ELEMENTS}')
    need(page.tags.count('script') == 1 and page.tags.count('style') == 1, 'more than one script')
    for tag, key, value in page.attributes:
        need(key not in FETCHING and not key.startswith('on'), f'<{tag} {key}={value!r}>')
        if key == 'href':
            need(value in LINKS or value[1:] in ids, f'link to {value!r}')
        elif key != 'aria-label' and (tag, key) != ('meta', 'content'):
            need('://' not in value, f'<{tag} {key}={value!r}>')
    check_policy(page)


def check_policy(page):
    policy = next(v for t, k, v in page.attributes if t == 'meta' and k == 'content' and 'default-src' in v)
    rules = dict(part.strip().split(' ', 1) for part in policy.split(';'))
    need(rules['default-src'] == "'none'", policy)
    need(rules['base-uri'] == "'none'" and rules['form-action'] == "'none'", policy)
    for rule, block in (('script-src', 'script'), ('style-src', 'style')):
        text = ''.join(page.blocks[block])
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        need(rules[rule] == f"'sha256-{digest}'", f'{rule} is {rules[rule]}, not sha256-{digest}')
    need('@import' not in ''.join(page.blocks['style']), 'style imports')
    need('url(' not in ''.join(page.blocks['style']), 'style fetches')


def check_json(folder):
    text = read(folder, 'report.json')
    report = json.loads(text, parse_constant=lambda name: need(False, name))
    need(text.startswith('{\n\t"format": "matterark-import-report",\n'), 'no mark')
    totals = report['totals']
    need(totals['read'] == totals['written'] + totals['skipped'], 'totals do not add up')
    need(sum(totals['skipped_by_reason'].values()) == totals['skipped'], 'reasons do not add up')
    need(totals['adds_up'] is True, 'adds_up is false')
    for key in ('read', 'written', 'skipped', 'posts', 'replies', 'reactions', 'pins', 'files'):
        have = sum(c[key] for c in report['channels'])
        need(have == totals[key], f'{key} of channels is {have}, of the run {totals[key]}')
    people = report['people']
    need(people['accounts'] == sum(people[k] for k in ('matched', 'created', 'bot', 'placeholder')),
         'people do not add up')
    with open(os.path.join(folder, 'users.csv'), encoding='utf-8', newline='') as f:
        rows = list(csv.DictReader(f, strict=True))
    need(len(rows) == people['accounts'], f'{len(rows)} rows in users.csv')
    with open(os.path.join(folder, 'missing-files.csv'), encoding='utf-8', newline='') as f:
        need(len(list(csv.DictReader(f, strict=True))) == report['files']['missing'], 'missing files')
    told = report['files'].get('stored', 0) + report['files']['missing'] > 0
    need(told == ('<section id="files">' in read(folder, 'report.html')), 'files are told')
    need(('stored_bytes' in report['files']) == ('stored' in report['files']), 'bytes of files')
    need(sum(r['files'] for r in report['files']['missing_by_reason']) == report['files']['missing'],
         'reasons of missing files')


def check_lines(folder):
    keys = {'archive', 'file', 'offset', 'length', 'channel', 'ts', 'reason', 'detail'}
    for line in read(folder, 'skipped.jsonl').splitlines():
        need(set(json.loads(line)) == keys, line)


def check_csv(folder):
    headers = {'users.csv': 'slack_id,mattermost_username,slack_name,real_name,email,status,deactivated,new_username',
               'missing-files.csv': 'slack_file_id,name,channel,ts,reason'}
    for name, header in headers.items():
        text = read(folder, name)
        rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
        need(','.join(rows[0]) == header, f'{name}: {rows[0]}')
        need(text.endswith('\r\n') and '\0' not in text, f'{name}: line ends or NUL')
        for row in rows:
            need(len(row) == len(rows[0]), f'{name}: {row}')
            for cell in row:
                need(not cell or cell[0] not in '=+-@\t\r\n\uff1d\uff0b\uff0d\uff20', f'{name}: {cell!r}')


def check_hostile(folder):
    page = Page()
    page.feed(read(folder, 'report.html'))
    shown = ''.join(page.text)
    for text in ('</script><script>alert(1)</script>', '"><img src=x onerror=alert(1)>', ']]>&amp;<!--',
                 '=HYPERLINK("https://evil.example","x")', '\ufffdgnp.exe\ufffd', 'שלום'):
        need(text in shown, f'{text!r} is not shown as it is')
    with open(os.path.join(folder, 'users.csv'), encoding='utf-8', newline='') as f:
        names = [row['real_name'] for row in csv.DictReader(f, strict=True)]
    for text in ('</script><script>alert(1)</script>', 'line\r\nbreak,comma;"quote"',
                 '\'=HYPERLINK("https://evil.example","x")', "'-2+3+cmd|' /C calc'!A0", "'＝1+1",
                 'ab\x01\x1b[31mred\x7f'):
        need(text in names, f'{text!r} is not in users.csv')
    report = json.loads(read(folder, 'report.json'))
    names = [c['slack_name'] for c in report['channels']]
    for text in ('a\0b\x01\x1b[31mred\x7f', '\u202egnp.exe\u2066', 'line\r\nbreak,comma;"quote"'):
        need(text in names, f'{text!r} is not in report.json')
    need('1950 to 1999: 1 message' in shown and '9950 to 9999' in shown, 'wild dates are not in the chart')


def check_small(folder):
    page = Page()
    page.feed(read(folder, 'report.html'))
    shown = ' '.join(' '.join(page.text).split())
    for text in ('121 messages read = 119 written + 2 left out', 'reply_broadcast', 'Messages per month',
                 '2023-08: 5 messages', 'Every message is accounted for', '2024-02-17',
                 'mmctl --local roles system-admin NAME'):
        need(text in shown, f'{text!r} is not on the page')
    rows = list(csv.DictReader(read(folder, 'users.csv').splitlines(), strict=True))
    need(rows[0]['slack_id'] == 'U0KITE000' and rows[0]['mattermost_username'] == 'mara', rows[0])
    need(rows[3]['status'] == 'bot' and rows[3]['deactivated'] == 'false', rows[3])


def check_big(folder):
    page = Page()
    page.feed(read(folder, 'report.html'))
    shown = ' '.join(' '.join(page.text).split())
    report = json.loads(read(folder, 'report.json'))
    need(f"{report['totals']['read']:,}" in shown, 'the total is not on the page')
    need(page.tags.count('tr') > 300, 'channels are missing')
    for text in ('people in the team', 'active users', 'guests are deactivated', '1,200 files are missing',
                 'hidden by Slack', 'private channels without a live member', 'people have no e-mail',
                 'could not be read', 'unsafe name'):
        need(text in shown, f'{text!r} is not on the page')


def main():
    sample = sys.argv[1]
    tests = Tests()
    with tempfile.TemporaryDirectory() as top:
        for name in SAMPLES:
            folder = os.path.join(top, name)
            subprocess.run([sample, name, folder], check=True)
            for what, function in (('modes', check_modes), ('html', check_html), ('json', check_json),
                                   ('lines', check_lines), ('csv', check_csv)):
                tests.run(f'{name}: {what}', function, folder)
        tests.run('hostile names', check_hostile, os.path.join(top, 'hostile'))
        tests.run('small page', check_small, os.path.join(top, 'small'))
        tests.run('big page', check_big, os.path.join(top, 'big'))
    print(f'1..{tests.count}')
    return tests.failed > 0


if __name__ == '__main__':
    sys.exit(main())

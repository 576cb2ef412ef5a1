#!/usr/bin/env python3
"""What the benchmarks rely on in bench/gen-slack: argument 1 is the program. TAP."""
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
import zoneinfo

PACIFIC = zoneinfo.ZoneInfo('America/Los_Angeles')
COUNT = 4000


def make(folder, name, *args):
    path = os.path.join(folder, name)
    subprocess.run([sys.argv[1], '-n', str(COUNT), '-o', path, *args], check=True, stderr=subprocess.DEVNULL)
    return path


def messages(path):
    """{(folder, ts): (day of the file, message)}; a ts that repeats in a folder is an error."""
    found = {}
    with zipfile.ZipFile(path) as z:
        for info in z.infolist():
            folder, slash, rest = info.filename.partition('/')
            if slash and rest:
                for m in json.loads(z.read(info)):
                    assert (folder, m['ts']) not in found, m['ts']
                    found[folder, m['ts']] = (rest, m)
    return found


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def pacific_days(found):
    return all(rest == datetime.datetime.fromtimestamp(int(ts[:10]), PACIFIC).strftime('%Y-%m-%d.json')
               for (_, ts), (rest, _) in found.items())


def roots_there(found):
    return all((folder, m.get('thread_ts', ts)) in found for (folder, ts), (_, m) in found.items())


def listed(path, found):
    with zipfile.ZipFile(path) as z:
        lists = {n: json.loads(z.read(n)) for n in z.namelist() if '/' not in n}
    names = {c.get('name', c['id']) for n in ('channels', 'groups', 'dms', 'mpims') for c in lists[n + '.json']}
    names = {n.encode().decode('cp437') for n in names}
    ids = [c['id'] for n in ('channels', 'groups', 'dms', 'mpims') for c in lists[n + '.json']]
    users = {u['id'] for u in lists['users.json']}
    return ({folder for folder, _ in found} <= names and len(ids) == len(set(ids))
            and all(m['user'] in users for _, m in found.values() if 'user' in m))


def main():
    checks = []
    with tempfile.TemporaryDirectory() as tmp:
        first = make(tmp, 'a.zip', '--dms', '20', '--private', '30')
        found = messages(first)
        checks.append(('as many messages as asked for', len(found) == COUNT))
        checks.append(('the same bytes again', digest(first) == digest(make(tmp, 'b.zip', '--dms', '20', '--private', '30'))))
        checks.append(('another seed, another archive', digest(first) != digest(make(tmp, 'c.zip', '--seed', '2'))))
        checks.append(('day files are Pacific days', pacific_days(found)))
        checks.append(('every reply has its root', roots_there(found)))
        checks.append(('folders and authors are in the lists', listed(first, found)))
        with zipfile.ZipFile(first) as z:
            infos = z.infolist()
        checks.append(('no UTF-8 flag', not any(i.flag_bits & 0x800 for i in infos) and any(not i.filename.isascii() for i in infos)))
        at = [i.filename for i in infos].index('users.json')
        checks.append(('lists in the middle', 0 < at < len(infos) - 20))
        later = messages(make(tmp, 'd.zip', '--dms', '20', '--private', '30', '--newer', '50'))
        checks.append(('the later export has all and more', found.keys() < later.keys()))
        edited = [k for k in found if found[k][1].get('text') != later[k][1].get('text')]
        checks.append(('some were edited since', 0 < len(edited) < COUNT // 100
                       and all('edited' in later[k][1] for k in edited)))
        pretty = messages(make(tmp, 'e.zip', '--dms', '20', '--private', '30', '--pretty'))
        checks.append(('pretty is the same content', pretty == found))
        for era in ('2014-17', '2017-22'):
            old = messages(make(tmp, era + '.zip', '--profile', era))
            checks.append((f'era {era}', len(old) == COUNT and pacific_days(old) and roots_there(old)))
        folder = make(tmp, 'folder', '--folder')
        checks.append(('a folder', os.path.isfile(os.path.join(folder, 'users.json')) and os.path.isdir(os.path.join(folder, 'general'))))
    print(f'1..{len(checks)}')
    for n, (claim, good) in enumerate(checks, 1):
        print(f'{"ok" if good else "not ok"} {n} - {claim}')
    return 0 if all(good for _, good in checks) else 1


if __name__ == '__main__':
    sys.exit(main())

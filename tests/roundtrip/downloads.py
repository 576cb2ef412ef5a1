#!/usr/bin/env python3
"""Downloads from a server that misbehaves, into a database and a file store of their own.

A made-up export whose files are only links; the server answers for Slack (--slack-url) with everything that goes
wrong in practice: 429 with Retry-After, 500 and 503, connections reset in the middle, half bodies, sign-in pages,
404, 403. Claimed is: every file arrives byte for byte or is listed; a token goes to the server and is nowhere
else; what is there is not fetched again, also after kill -9. TAP on stdout; skipped without PostgreSQL.

  MATTER_IMPORT=build/import/matter-import tests/roundtrip/downloads.py
"""
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, '..', 'harness')]
import fault_server  # noqa: E402
import fixtures as fx  # noqa: E402
from bucket import Answer  # noqa: E402

TOKEN = 'xoxe-1-0123456789abcdef0123456789abcdef'
OTHER = 'xoxb-2-fedcba9876543210fedcba9876543210'
CANVAS = b'<html><body><h1>Plan</h1><p>of the week</p></body></html>'


def body_of(name, size):
    seed = hashlib.sha256(name.encode()).digest()
    return (seed * (size // 32 + 1))[:size]


class Server(fault_server.Server):
    """Slack's file server; `faults` names what happens to the first requests of a file, one after another."""

    def __init__(self, bodies, faults, valid=TOKEN):
        super().__init__(Handler)
        self.bodies, self.valid = bodies, valid
        self.asked, self.sent, self.lock = {}, {}, threading.Lock()
        self.delay, self.methods, self.pictures = 0, {}, {}
        for name, rules in faults.items():
            self.state.rules += [fault_server.Rule({'match': name, **rule}) for rule in rules]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def most(self):
        return max(self.state.peak.values())

    def count(self, name):
        with self.lock:
            self.asked[name] = self.asked.get(name, 0) + 1
            return self.asked[name]


class Handler(fault_server.Handler):
    def file(self):
        """Slack's id of the file that is asked for, or ''."""
        parts = self.path.split('/')
        return parts[2].split('-')[1] if parts[1] == 'files-pri' else ''

    def token(self, query):
        given = (query.get('t') or query.get('token') or [''])[0]
        return self.headers.get('Authorization', 'Bearer ' + given)[7:]

    def serve(self, state, host):
        s, name = self.server, self.file()
        if name:
            s.count(name)
            where = urllib.parse.urlsplit(self.path)
            if self.token(urllib.parse.parse_qs(where.query)) != s.valid:
                return self.write(Answer(302, b'', {'Location': '/signin?redir=' + where.path}))
            time.sleep(s.delay)
        return super().serve(state, host)

    def note(self, status, sent):
        name = self.file()
        with self.server.lock:
            self.server.sent[name] = self.server.sent.get(name, 0) + sent
        super().note(status, sent)

    def plain(self, state):
        s, name = self.server, self.file()
        where = urllib.parse.urlsplit(self.path)
        if where.path == '/signin':
            return Answer(200, fault_server.LOGIN, {'Content-Type': 'text/html; charset=utf-8'})
        if where.path.startswith('/api/'):
            return self.api(where.path[5:], urllib.parse.parse_qs(where.query))
        if where.path in s.pictures:
            return Answer(200, s.pictures[where.path], {'Content-Type': 'image/png'})
        if s.bodies.get(name) is None:
            return Answer(404, b'no')
        return self.whole(s.bodies[name], 'text/html' if name.startswith('FHTML') else 'application/octet-stream')

    def api(self, method, query):
        s = self.server
        n = s.count(method)
        if self.headers.get('Authorization') != 'Bearer ' + s.valid:
            return Answer(200, b'{"ok":false,"error":"invalid_auth"}')
        if n == 1:  # the first call of each method is one too many
            return Answer(429, b'', {'Retry-After': '1'})
        answer = s.methods.get((method, (query.get('cursor') or [''])[0]), {'ok': False, 'error': 'missing_scope'})
        return Answer(200, json.dumps(answer).encode())


def status(number, times=1, **more):
    return {'do': 'status', 'status': number, 'times': times, **more}


FILES = [  # id, bytes, what happens
    ('FOK000001', 100, []), ('FBUSY0001', 3000, [status(429, after='1')]), ('FERR50001', 2000, [status(500, 2)]),
    ('FERR30001', 700000, [status(503), {'do': 'cut', 'at': 350000}]), ('FHALF0001', 900000, [{'do': 'cut', 'at': 450000}]),
    ('FRESET001', 5 << 20, [{'do': 'cutreset', 'at': 5 << 19, 'times': 2}]), ('FLOST0001', 400, [{'do': 'lost'}, {'do': 'reset'}]),
    ('FANEW0001', 800000, [{'do': 'cut', 'at': 400000}, {'do': 'newetag'}]),
    ('FGONE0001', None, []), ('FDENY0001', 50, [status(403, 9)]), ('FPAGE0001', 2048, [{'do': 'login', 'times': 9}]),
    ('FHTML0001', len(CANVAS), []), ('FEMPTY001', 0, []), ('FDEAD0001', 60, [status(500, 99, after='0')]),
]
ARRIVE = ['FOK000001', 'FBUSY0001', 'FERR50001', 'FERR30001', 'FHALF0001', 'FRESET001', 'FLOST0001', 'FANEW0001',
          'FHTML0001', 'FEMPTY001']
BODIES = {f: CANVAS if f.startswith('FHTML') else body_of(f, n) for f, n, _ in FILES if n is not None}


def entry(name, size, parameter, token):
    page = name.startswith('FHTML')
    return {'id': name, 'name': f'{name}.{"html" if page else "bin"}', 'mode': 'quip' if page else 'hosted',
            'size': size, 'mimetype': 'application/vnd.slack-docs' if page else 'application/octet-stream',
            'filetype': 'quip' if page else 'binary',
            'url_private': f'https://files.slack.com/files-pri/T0ACME001-{name}/x?{parameter}={token}'}


def export(folder, files, parameter='t', token=TOKEN):
    """Each file in a message, the first one shown a second time."""
    os.makedirs(os.path.join(folder, 'dev'))
    user = {'id': 'U0ANNA001', 'team_id': 'T0ACME001', 'name': 'anna', 'profile': {}}
    channel = {'id': 'C0DEV0001', 'name': 'dev', 'created': 1700000000, 'members': ['U0ANNA001']}
    messages = []
    for i, (name, size, *_) in enumerate([*files, files[0]]):
        messages.append({'type': 'message', 'user': 'U0ANNA001', 'ts': f'{1700000000 + i}.000100', 'text': f'm{i}',
                         'files': [entry(name, size or 0, parameter, token)]})
    for path, value in (('users.json', [user]), ('channels.json', [channel]), ('dev/2023-11-14.json', messages)):
        with open(os.path.join(folder, path), 'w', encoding='utf-8') as f:
            json.dump(value, f)
    return folder


class Run:
    def __init__(self, cluster, name, server):
        self.cluster, self.db, self.server = cluster, name, server
        self.tmp = os.path.join(cluster.dir, name)
        self.files = os.path.join(self.tmp, 'files')
        os.makedirs(self.tmp, 0o700)
        self.talk = ''

    def args(self, command, *more):
        team = ['--team', 'acme', '--create-schema'] if command == 'slack' else []
        fetching = ['--slack-url', self.server.url(), '--temp-dir', self.tmp] if command != 'undo' else []
        return [os.environ['MATTER_IMPORT'], command, *more, *team, '--database', self.cluster.url(self.db), '--files',
                self.files, *fetching]

    def env(self):
        return {'PATH': os.environ['PATH'], 'HOME': self.tmp, 'LC_ALL': 'C.UTF-8', 'TMPDIR': self.tmp,
                **{k: v for k, v in os.environ.items() if k.startswith(('ASAN_', 'UBSAN_', 'LSAN_', 'ARK_FAIL'))}}

    def tool(self, command, *more):
        done = fx.run(self.args(command, *more), env=self.env(), cwd=self.tmp)
        self.talk += done.stdout + done.stderr
        return done.returncode

    def begin(self, command, *more):
        return subprocess.Popen(self.args(command, *more), env=self.env(), cwd=self.tmp, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def query(self, sql):
        return self.cluster.query(self.db, sql)

    def arrived(self):
        """Slack's ids of the files on posts whose stored bytes are right."""
        rows = self.query("select f.slack_id, i.path, i.size from matterark.slack_file f join fileinfo i on i.id = f.file_id "
                          "join posts p on p.id = i.postid and p.fileids = '[\"' || i.id || '\"]' and p.message !~ 'file'")
        right = []
        for line in rows.splitlines():
            name, path, size = line.split('|')
            with open(os.path.join(self.files, path), 'rb') as f:
                data = f.read()
            if data != BODIES.get(name, body_of(name, len(data))) or len(data) != int(size):
                raise fx.Failure(f'{name}: the stored bytes are not those of Slack')
            right.append(name)
        return sorted(right)

    def no_secret(self, *more):
        """The token is in no row, no file of ours, no output."""
        tables = self.query("select schemaname || '.' || tablename from pg_tables where schemaname in ('public', 'matterark')")
        sql = ' union all '.join(f"select '{t}', count(*) from {t} t where t::text like '%xox%'" for t in tables.split())
        bad = [line for line in self.query(sql).splitlines() if not line.endswith('|0')]
        if bad or 'xox' in self.talk:
            raise fx.Failure(f'a token is in {bad or "what was printed"}')
        for place in more:
            for folder, _, names in os.walk(place):
                for name in names:
                    with open(os.path.join(folder, name), 'rb') as f:
                        if b'xox' in f.read():
                            raise fx.Failure(f'a token is in {folder}/{name}')


def equal(have, want, what):
    if have != want:
        raise fx.Failure(f'{what}: have {have}, want {want}')


def faults(cluster):
    server = Server(BODIES, {f: x for f, _, x in FILES})
    r = Run(cluster, 'faults', server)
    archive = export(os.path.join(cluster.dir, 'faults-export'), FILES)
    report = os.path.join(r.tmp, 'report')
    code = r.tool('slack', archive, '--report', report)
    equal(code, 3, f'exit code\n{r.talk}')
    equal(r.arrived(), sorted([*ARRIVE, 'FOK000001']), 'what arrived')
    with open(os.path.join(report, 'missing-files.csv'), encoding='utf-8') as f:
        listed = sorted(line.split(',')[0] for line in f.read().splitlines()[1:])
    equal(listed, sorted(f for f, _, _ in FILES if f not in ARRIVE), 'what is listed')
    equal(server.asked['FOK000001'], 1, 'requests of a file that two messages show')
    if server.sent['FRESET001'] >= 2 * (5 << 20):
        raise fx.Failure('a body that broke off was begun anew')
    if server.most() > 8:
        raise fx.Failure(f'{server.most()} requests at once')
    r.no_secret(report)
    before, asked = r.query('select md5(string_agg(p::text, chr(10) order by id)) from posts p'), dict(server.asked)
    equal(r.tool('files', archive), 3, f'exit code of the second run\n{r.talk}')
    again = sorted(f for f in ARRIVE if server.asked[f] != asked[f])
    equal(again, [], 'fetched again')
    equal(r.query('select md5(string_agg(p::text, chr(10) order by id)) from posts p'), before, 'posts')


def later_with_a_token(cluster):
    """The token of the archive is dead: stopped early, all files wait, a new token brings them."""
    files = [(f'FMANY{i:04}', 1000 + i) for i in range(60)]
    bodies = {f: body_of(f, n) for f, n in files}
    server = Server(bodies, {}, valid=OTHER)
    r = Run(cluster, 'later', server)
    archive = export(os.path.join(cluster.dir, 'later-export'), files, 'token')
    code = r.tool('slack', archive)
    equal(code, 3, f'exit code\n{r.talk}')
    equal(r.arrived(), [], 'what arrived')
    if len(server.asked) > 40:
        raise fx.Failure(f'{len(server.asked)} files asked for with a dead token')
    if 'token' not in r.talk:
        raise fx.Failure(f'nothing is said about the token\n{r.talk}')
    path = os.path.join(r.tmp, 'token')
    with open(path, 'w', encoding='utf-8', opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(OTHER + '\n')
    equal(r.tool('files', '--slack-token-file', path), 0, f'exit code of the second run\n{r.talk}')
    equal(len(r.arrived()), 61, 'files that arrived')
    r.no_secret()


def png(w, h):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 0))
            + chunk(b'IDAT', zlib.compress((b'\0' + b'\x80\x40\x20' * w) * h)) + chunk(b'IEND', b''))


def pictures(cluster):
    """Custom emoji, avatars and groups from the Web API; emoji from a folder; nothing a second time."""
    server = Server({}, {}, valid=OTHER)
    edge = 'https://emoji.slack-edge.com/T0/'
    server.pictures = {'/T0/parrot.png': png(40, 40), '/T0/big.png': b'\x89PNG\r\n\x1a\n' + bytes(600 << 10),
                       '/anna.png': png(300, 200)}
    server.methods = {
        ('emoji.list', ''): {'ok': True, 'emoji': {
            'party_parrot': edge + 'parrot.png', 'acme_bird': 'alias:party_parrot', 'loop': 'alias:loop', 'thumbs': 'alias:+1',
            'parrot': edge + 'parrot.png', 'big': edge + 'big.png', 'evil': 'https://evil.example/x.png'}},
        ('users.list', ''): {'ok': True, 'members': [{'id': 'U0NOBODY1', 'profile': {}}],
                             'response_metadata': {'next_cursor': 'dXNlcjpV='}},
        ('users.list', 'dXNlcjpV='): {'ok': True, 'members': [{'id': 'U0ANNA001', 'profile': {
            'is_custom_image': True, 'image_192': 'https://avatars.slack-edge.com/anna.png'}}]}}
    r = Run(cluster, 'pictures', server)
    archive = export(os.path.join(cluster.dir, 'pictures-export'), [('FNONE0001', 5)])
    folder = os.path.join(r.tmp, 'emoji')
    os.makedirs(folder)
    with open(os.path.join(folder, 'own_one.png'), 'wb') as f:
        f.write(png(20, 20))
    with open(os.path.join(folder, 'readme.txt'), 'wb') as f:
        f.write(b'no picture')
    token = os.path.join(r.tmp, 'token')
    with open(token, 'w', encoding='utf-8', opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(OTHER + '\n')
    equal(r.tool('slack', archive, '--files-from', 'archive', '--emoji-dir', folder, '--slack-token-file', token), 3, r.talk)
    rows = r.query('select name, id from emoji where deleteat = 0 order by name')
    equal([x.split('|')[0] for x in rows.splitlines()], ['acme_bird', 'own_one', 'party_parrot'], 'custom emoji')
    for line in rows.splitlines():
        name, emoji = line.split('|')
        with open(os.path.join(r.files, 'emoji', emoji, 'image'), 'rb') as f:
            equal(f.read(), png(20, 20) if name == 'own_one' else png(40, 40), f'image of {name}')
    user = r.query("select id from users where username = 'anna' and lastpictureupdate > 0").strip()
    with open(os.path.join(r.files, 'users', user, 'profile.png'), 'rb') as f:
        equal(struct.unpack('>II', f.read()[16:24]), (128, 128), 'size of the avatar')
    if 'missing_scope' not in r.talk:
        raise fx.Failure(f'nothing is said about the groups\n{r.talk}')
    r.no_secret()
    digest = "select md5(string_agg(e::text, '' order by id)) from emoji e union all select md5(string_agg(u::text, '' order by id)) from users u"
    before = r.query(digest)
    code = r.tool('slack', archive, '--files-from', 'archive', '--emoji-dir', folder, '--slack-token-file', token)
    equal(code, 3, f'second run\n{r.talk}')
    equal(r.query(digest), before, 'rows after the second run')
    for run in r.query('select run from matterark.run order by run_no desc').split():
        equal(r.tool('undo', run), 0, f'undo\n{r.talk}')
    equal(r.query('select count(*) from emoji').strip(), '0', 'emoji after undo')
    left = [os.path.join(folder, n) for folder, _, names in os.walk(r.files) for n in names]
    equal(left, [], 'files in the store after undo')


def killed(cluster):
    files = [(f'FKILL{i:04}', 20000) for i in range(80)]
    bodies = {f: body_of(f, n) for f, n in files}
    archive = export(os.path.join(cluster.dir, 'killed-export'), files)
    for live in (False, True):
        server = Server(bodies, {})
        server.delay = 0.3
        r = Run(cluster, f'killed{int(live)}', server)
        if live:
            equal(r.tool('slack', archive, '--files-from', 'none'), 0, 'import without files')
        child = r.begin('files' if live else 'slack', archive)
        while len(server.asked) < 50 and child.poll() is None:
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.wait()
        time.sleep(0.1)
        stored = sum('.ark-tmp' not in folder for folder, _, names in os.walk(r.files) for _ in names)
        if not 1 <= stored < 80:  # the rest waits to be made durable together
            raise fx.Failure(f'killed at no good time: {stored} stored')
        asked, server.delay = sum(server.asked.values()), 0
        equal(r.tool('files' if live else 'slack', archive), 0, f'exit code after the kill\n{r.talk}')
        equal(len(r.arrived()), 81, 'files that arrived')
        more = sum(server.asked.values()) - asked
        if more > 81 - stored:  # the first file has a copy for its second message
            raise fx.Failure(f'{stored} were stored, {more} fetched again')
        rests = [n for _, folders, names in os.walk(r.files) for n in folders + names if n.startswith('.ark-tmp')]
        equal(rests, [], 'temporary files left')


def main():
    bindir = fx.pg_bindir()
    if not bindir or not shutil.which('psql'):
        print('1..0 # SKIP no PostgreSQL here')
        return fx.SKIPPED
    os.environ['MATTER_IMPORT'] = os.path.abspath(os.environ['MATTER_IMPORT'])
    cluster = fx.Cluster(bindir)
    failed = 0
    tests = [faults, later_with_a_token, pictures, killed]
    try:
        cluster.start()
        print(f'1..{len(tests)}', flush=True)
        for number, test in enumerate(tests, 1):
            started = time.monotonic()
            try:
                test(cluster)
                why = None
            except (fx.Failure, OSError, KeyError, ValueError, subprocess.TimeoutExpired) as bad:
                why = f'{type(bad).__name__}: {bad}'
            print(f'{"not ok" if why else "ok"} {number} - {test.__name__} # {time.monotonic() - started:.1f} s', flush=True)
            for line in (why or '').splitlines():
                print(f'# {line}', flush=True)
            failed += bool(why)
    finally:
        cluster.stop()
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())

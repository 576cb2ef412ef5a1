#!/usr/bin/env python3
"""Downloads from a server that misbehaves, into a database and a file store of their own.

A made-up export whose files are only links; the server answers for Slack (--slack-url) with everything that goes
wrong in practice: 429 with Retry-After, 500 and 503, connections reset in the middle, half bodies, sign-in pages,
404, 403. Claimed is: every file arrives byte for byte or is listed; a token goes to the server and is nowhere
else; what is there is not fetched again, also after kill -9. TAP on stdout; exit 77 without PostgreSQL.

  MATTER_IMPORT=build/import/matter-import tests/roundtrip/downloads.py
"""
import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures as fx  # noqa: E402

TOKEN = 'xoxe-1-0123456789abcdef0123456789abcdef'
OTHER = 'xoxb-2-fedcba9876543210fedcba9876543210'
SIGN_IN = b'<!DOCTYPE html><html><title>Sign in</title><form data-qa="signin_form"></form></html>'
CANVAS = b'<html><body><h1>Plan</h1><p>of the week</p></body></html>'


def body_of(name, size):
    seed = hashlib.sha256(name.encode()).digest()
    return (seed * (size // 32 + 1))[:size]


class Server(http.server.ThreadingHTTPServer):
    """Slack's file server; `faults` names what to do for the n-th request of a file."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, bodies, faults, valid=TOKEN):
        super().__init__(('127.0.0.1', 0), Handler)
        self.bodies, self.faults, self.valid = bodies, faults, valid
        self.asked, self.sent, self.lock = {}, {}, threading.Lock()
        self.most, self.now, self.delay = 0, 0, 0
        self.methods, self.pictures = {}, {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f'http://127.0.0.1:{self.server_address[1]}'

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, status, body=b'', **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_GET(self):
        s = self.server
        with s.lock:
            s.now += 1
            s.most = max(s.most, s.now)
        try:
            self.get()
        except OSError:
            self.close_connection = True
        finally:
            with s.lock:
                s.now -= 1

    def get(self):
        s = self.server
        where = urllib.parse.urlsplit(self.path)
        if where.path == '/signin':
            return self.answer(200, SIGN_IN, Content_Type='text/html; charset=utf-8')
        if where.path.startswith('/api/'):
            return self.api(where.path[5:], urllib.parse.parse_qs(where.query))
        if where.path in s.pictures:
            return self.answer(200, s.pictures[where.path], Content_Type='image/png')
        name = where.path.split('/')[2].split('-')[1]
        with s.lock:
            n = s.asked[name] = s.asked.get(name, 0) + 1
        given = urllib.parse.parse_qs(where.query)
        token = (given.get('t') or given.get('token') or [''])[0]
        token = self.headers.get('Authorization', 'Bearer ' + token)[7:]
        if token != s.valid:
            return self.answer(302, Location='/signin?redir=' + where.path)
        if s.delay:
            time.sleep(s.delay)
        fault = (s.faults.get(name) or []) + ['ok']
        self.act(fault[min(n, len(fault)) - 1], name, s.bodies.get(name))

    def api(self, method, query):
        s = self.server
        with s.lock:
            s.asked[method] = s.asked.get(method, 0) + 1
        if self.headers.get('Authorization') != 'Bearer ' + s.valid:
            return self.answer(200, b'{"ok":false,"error":"invalid_auth"}')
        if s.asked[method] == 1:  # the first call of each method is one too many
            return self.answer(429, Retry_After='1')
        answer = s.methods.get((method, (query.get('cursor') or [''])[0]), {'ok': False, 'error': 'missing_scope'})
        return self.answer(200, json.dumps(answer).encode())

    def act(self, fault, name, body):
        kind = 'text/html' if name.startswith('FHTML') else 'application/octet-stream'
        if fault == 'ok' and body is not None:
            start = 0
            wanted = self.headers.get('Range', '')
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            if wanted.startswith('bytes=') and self.headers.get('If-Range', etag) == etag:
                start = int(wanted[6:].split('-')[0])
            with self.server.lock:
                self.server.sent[name] = self.server.sent.get(name, 0) + len(body) - start
            more = {'Content_Range': f'bytes {start}-{len(body) - 1}/{len(body)}'} if start else {}
            return self.answer(206 if start else 200, body[start:], Content_Type=kind, ETag=etag, **more)
        if fault in ('half', 'reset'):
            self.send_response(200)
            self.send_header('Content-Length', str(len(body)))
            self.send_header('Content-Type', kind)
            self.send_header('ETag', f'"{hashlib.md5(body).hexdigest()}"')
            self.end_headers()
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            if fault == 'reset':
                return self.reset()
            self.close_connection = True
            return None
        if fault == 'page':
            return self.answer(200, SIGN_IN, Content_Type='text/html')
        if fault == 'now500':
            return self.answer(500, Retry_After='0')
        if fault == 'busy':
            return self.answer(429, Retry_After='1')
        return self.answer(404 if body is None and fault == 'ok' else int(fault), b'no')


FILES = [  # id, bytes, what happens
    ('FOK000001', 100, []), ('FBUSY0001', 3000, ['busy']), ('FERR50001', 2000, ['500', '500']),
    ('FERR30001', 700000, ['503', 'half']), ('FHALF0001', 900000, ['half']), ('FRESET001', 5 << 20, ['reset', 'reset']),
    ('FGONE0001', None, []), ('FDENY0001', 50, ['403'] * 9), ('FPAGE0001', 2048, ['page'] * 9),
    ('FHTML0001', len(CANVAS), []), ('FEMPTY001', 0, []), ('FDEAD0001', 60, ['now500'] * 99),
]
ARRIVE = ['FOK000001', 'FBUSY0001', 'FERR50001', 'FERR30001', 'FHALF0001', 'FRESET001', 'FHTML0001', 'FEMPTY001']
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
        return [os.environ['MATTER_IMPORT'], command, *more, *team, '--database', self.cluster.url(self.db), '--files',
                self.files, '--slack-url', self.server.url(), '--temp-dir', self.tmp]

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
    server = Server(BODIES, {f: list(x) for f, _, x in FILES})
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
    if server.most > 8:
        raise fx.Failure(f'{server.most} requests at once')
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
        stored = sum(not n.startswith('.ark-tmp') for _, _, names in os.walk(r.files) for n in names)
        if not 8 <= stored < 80:
            raise fx.Failure(f'killed at no good time: {stored} stored')
        asked, server.delay = sum(server.asked.values()), 0
        equal(r.tool('files' if live else 'slack', archive), 0, f'exit code after the kill\n{r.talk}')
        equal(len(r.arrived()), 81, 'files that arrived')
        more = sum(server.asked.values()) - asked
        if more > 80 - stored + 8:
            raise fx.Failure(f'{stored} were stored, {more} fetched again')
        rests = [n for _, _, names in os.walk(r.files) for n in names if n.startswith('.ark-tmp')]
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

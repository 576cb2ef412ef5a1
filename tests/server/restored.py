#!/usr/bin/env python3
"""A real Mattermost server on what matter-backup restored. First production, as the control: when people post, mention and
click, a mail sink and an HTTP sink see mail, push, webhook, button and link. Then a test installation of the same snapshot:
people do the same, the sinks see nothing, and everything shouts that it is a copy.

  ARK_MATTERMOST_BIN=/opt/mattermost/bin/mattermost MATTER_IMPORT=... MATTER_BACKUP=... tests/server/restored.py

TAP on stdout; skipped without a server or PostgreSQL. ARK_KEEP=FOLDER: the copy is left running until FOLDER/stop is there.
"""
import hashlib
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
from server import PG, START_S, Api, LocalHTTP, skip  # noqa: E402

PASSWORD = 'Sesame-12345!'
COPY_PASSWORD = 'Copied-Sesame-7!'
QUIET_S = 8
results = []


def claim(good, text, seen=''):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {text}", flush=True)
    if not good:
        print('\n'.join('# ' + line for line in str(seen).splitlines()[:20]), flush=True)


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a server needs to get rid of a mail."""

    def handle(self):
        self.server.seen.append('connection')
        self.wfile.write(b'220 sink\r\n')
        for line in self.rfile:
            word = line[:4].upper()
            if word == b'DATA':
                self.wfile.write(b'354 go on\r\n')
                while self.rfile.readline() not in (b'.\r\n', b''):
                    pass
                self.server.seen.append('mail')
            elif word == b'QUIT':
                self.wfile.write(b'221 bye\r\n')
                return
            self.wfile.write(b'250 ok\r\n')


class Web(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.server.seen.append(self.path)
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()
        self.wfile.write(b'{}')

    do_GET = do_POST = do_HEAD = do_PUT = answer

    def log_message(self, *args):
        pass


class Threads(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = allow_reuse_address = True


def sink(handler):
    server = Threads(('127.0.0.1', 0), handler)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Running:
    """A Mattermost with this configuration."""

    def __init__(self, binary, work, config, more):
        self.port = free_port()
        env = {k: v for k, v in os.environ.items() if not k.startswith('MM_')}
        env.update(more, MM_SERVICESETTINGS_LISTENADDRESS=f'127.0.0.1:{self.port}')
        self.log_path = config + '.log'
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen([binary, 'server', '--config', config], env=env, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=os.path.dirname(os.path.dirname(os.path.realpath(binary))))
        self.socket = os.path.join(work, 'local.socket')
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.api().get('/system/ping')
                return
            except (OSError, http.client.HTTPException, RuntimeError):
                time.sleep(0.1)
        raise RuntimeError('the server did not start: ' + self.log()[-3000:])

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def api(self, token=None):
        return Api(lambda: http.client.HTTPConnection('127.0.0.1', self.port, timeout=60), token)

    def local(self):
        return Api(lambda: LocalHTTP(self.socket))

    def login(self, name, password, **more):
        answer, data = self.api().raw('POST', '/users/login', {'login_id': name, 'password': password, **more})
        user = self.api(answer.getheader('Token'))
        user.me = json.loads(data)
        return user

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


class Case:
    def __init__(self, binary, keep):
        self.binary, self.dir = binary, keep
        self.mail, self.web = sink(Mail), sink(Web)
        self.web_at = f'http://127.0.0.1:{self.web.server_address[1]}'
        self.dsn = subprocess.check_output([PG, '--start', os.path.join(keep, 'pg')], text=True).strip()
        self.host = re.search(r'host=(\S+)', self.dsn).group(1)
        self.bin = subprocess.check_output([PG, '--bin'], text=True).strip()

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def db(self, name):
        return f'host={self.host} user=postgres dbname={name}'

    def sql(self, query, name):
        return subprocess.check_output([self.bin + '/psql', '-XAtqc', query, '-d', self.db(name)], text=True).strip()

    def tool(self, *args, codes=(0, 3)):
        env = {**os.environ, 'PATH': self.bin + ':' + os.environ['PATH'], 'HOME': self.dir}
        done = subprocess.run([os.environ['MATTER_BACKUP'], *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, env=env)
        if done.returncode not in codes:
            raise RuntimeError(f'{args}: exit {done.returncode}: {done.stderr}')
        return done

    def source(self):
        """Production: an imported company, with a webhook, a button, and a configuration that acts."""
        subprocess.run([os.environ['MATTER_IMPORT'], 'slack', ROOT + '/fixtures/slack/workspace/export', '--team', 'acme',
                        '--create-schema', '--create-team', '--quiet', '--database', self.db('chat'), '--files', self.path('files')],
                       stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.channel, self.team = self.sql("select id, teamid from channels where name = 'general' or type = 'O' and name not in "
                                           "('town-square', 'off-topic') order by name = 'general' desc limit 1", 'chat').split('|')
        self.ann, self.ben = self.sql(f"select username from users u join channelmembers m on m.userid = u.id and m.channelid = "
                                      f"'{self.channel}' where u.deleteat = 0 and not exists (select from bots where userid = u.id) "
                                      "order by createat, id limit 2", 'chat').split()
        button = json.dumps({'attachments': [{'text': 'press', 'actions': [
            {'id': 'press', 'name': 'Press', 'type': 'button', 'integration': {'url': self.web_at + '/button'}}]}]})
        self.post = self.sql(f"update posts set props = $j${button}$j$ where id = (select id from posts where channelid = "
                             f"'{self.channel}' and type = '' and rootid = '' and deleteat = 0 order by createat desc limit 1) "
                             'returning id', 'chat')
        self.sql(f"insert into outgoingwebhooks (id, token, createat, updateat, deleteat, creatorid, channelid, teamid, triggerwords, "
                 f"callbackurls, displayname, contenttype, triggerwhen, username, iconurl, description) select 'hook' || left(id, 22), "
                 f"'token' || left(id, 21), 1, 1, 0, id, '{self.channel}', '{self.team}', '[]', '[\"{self.web_at}/hook\"]', 'hook', '', 0, '', "
                 f"'', '' from users where username = '{self.ann}'; update users set notifyprops = notifyprops || "
                 "'{\"email\": \"true\", \"push\": \"mention\", \"push_status\": \"online\"}'", 'chat')
        config = {
            'ServiceSettings': {'SiteURL': 'http://chat.acme.example', 'ListenAddress': ':8065', 'EnableLocalMode': True,
                                'LocalModeSocketLocation': self.path('local.socket'), 'EnableSecurityFixAlert': False,
                                'EnableOutgoingWebhooks': True, 'EnableLinkPreviews': True,
                                'AllowedUntrustedInternalConnections': '127.0.0.1'},
            'TeamSettings': {'SiteName': 'Acme Chat', 'MaxUsersPerTeam': 1000},
            'SqlSettings': {'DriverName': 'postgres', 'DataSource': self.url('chat')},
            'FileSettings': {'DriverName': 'local', 'Directory': self.path('files') + '/'},
            'LogSettings': {'EnableConsole': True, 'ConsoleLevel': 'INFO', 'ConsoleJson': True, 'EnableFile': False,
                            'EnableDiagnostics': False},
            'PluginSettings': {'Enable': False, 'EnableMarketplace': False},
            'EmailSettings': {'SendEmailNotifications': True, 'EnableEmailBatching': False, 'SMTPServer': '127.0.0.1',
                              'SMTPPort': str(self.mail.server_address[1]), 'FeedbackEmail': 'chat@acme.example',
                              'SendPushNotifications': True, 'PushNotificationServer': self.web_at, 'EnableSignInWithUsername': True},
        }
        with open(self.path('config.json'), 'w', encoding='utf-8') as f:
            json.dump(config, f)
        self.tool('init', self.path('repo'))
        self.tool('create', self.path('repo'), '--mattermost-config', self.path('config.json'))

    def url(self, name):
        return f'postgres:///{name}?host={self.host}&user=postgres&sslmode=disable'

    def act(self, server, password):
        """What makes a server talk to others. The second one to sign in has a phone and is away."""
        ben = server.login(self.ben, password, device_id='android:' + 'x' * 40)
        ann = server.login(self.ann, password)
        post = ann.send('POST', '/posts', {'channel_id': self.channel, 'message': f'@{self.ben} look at {self.web_at}/page'})
        ann.send('PUT', f"/posts/{post['id']}/patch", {'message': f'@{self.ben} look there: {self.web_at}/other'})
        ann.send('POST', '/posts', {'channel_id': self.channel, 'root_id': post['id'], 'message': f'@{self.ben} @channel'})
        direct = ann.send('POST', '/channels/direct', [ann.me['id'], ben.me['id']])
        ann.send('POST', '/posts', {'channel_id': direct['id'], 'message': 'are you there?'})
        for call in (('POST', f'/posts/{self.post}/actions/press', {}), ('POST', '/users/password/reset/send', {'email': ben.me['email']})):
            try:
                ann.raw(*call)
            except RuntimeError:
                pass  # the copy says no
        return ann, post

    def heard(self):
        return set(self.web.seen) | ({'mail'} if 'mail' in self.mail.seen else set())

    def production(self):
        """The control: what follows can be seen here."""
        self.tool('restore', self.path('repo'), '--to-database', self.db('real'), '--to-files', self.path('real'), '--production',
                  '--confirm-host', socket.gethostname())
        server = Running(self.binary, self.dir, self.path('real.config.json'),
                         {'MM_SQLSETTINGS_DATASOURCE': self.url('real'), 'MM_FILESETTINGS_DIRECTORY': self.path('real') + '/'})
        try:
            for name in (self.ann, self.ben):
                user = server.local().get(f'/users/username/{name}')
                server.local().raw('PUT', f"/users/{user['id']}/password", {'new_password': PASSWORD})
            self.act(server, PASSWORD)
            wanted = {'mail', '/hook', '/button', '/page'}
            until = time.monotonic() + 30
            while time.monotonic() < until and not (wanted <= self.heard() and any('push' in p for p in self.web.seen)):
                time.sleep(0.2)
            claim(wanted <= self.heard(), 'production sends mail, calls webhook and button, fetches links', self.heard())
            claim(any('push' in p for p in self.web.seen), 'production sends push messages', self.web.seen)
        finally:
            server.stop()

    def copy(self):
        with open(self.path('password'), 'w', encoding='utf-8') as f:
            f.write(COPY_PASSWORD + '\n')
        self.mail.seen.clear()
        self.web.seen.clear()
        port = free_port()
        done = self.tool('restore', self.path('repo'), '--to-database', self.db('copy'), '--to-files', self.path('copy'),
                         '--test-password-file', self.path('password'), '--site-url', f'http://127.0.0.1:{port}')
        zeros = [line for line in done.stdout.splitlines() if line.startswith('proof\t')]
        claim(len(zeros) > 30 and all(line.split('\t')[1] == '0' for line in zeros), 'the proof: counts are zero', done.stdout)
        named = [line for line in done.stdout.splitlines() if line.startswith('named\t') and '.example' in line.split('\t')[2]
                 and not re.match(r'posts|channels|publicchannels|users|teams|linkmetadata', line.split('\t')[1])]
        claim(not named, 'production is named in messages alone', '\n'.join(named))
        server = Running(self.binary, self.dir, self.path('copy.config.json'), {})
        try:
            self.shouts(server)
            if os.environ.get('ARK_KEEP'):
                self.keep(server)
        finally:
            server.stop()
        began = self.sql("select type, status from jobs where status <> 'pending' and status <> 'canceled'", 'copy')
        claim(began == '', 'no job began, whoever asked for one', began)
        self.mail.seen.clear()
        self.web.seen.clear()
        again = self.tool('restore', self.path('repo'), '--to-database', self.db('copy'), '--to-files', self.path('copy'))
        claim(again.returncode == 0, 'it is replaced by the next one, although people wrote in it', again.stderr)

    def shouts(self, server):
        ann, post = self.act(server, COPY_PASSWORD)
        time.sleep(QUIET_S)
        claim(not self.mail.seen and not self.web.seen, 'people post, mention, edit, press a button, ask for a password: nobody is told',
              (self.mail.seen, self.web.seen))
        claim(ann.get(f"/posts/{post['id']}")['message'].startswith('@' + self.ben), 'what they write is there')
        client = server.api().get('/config/client?format=old')
        claim(client['SiteName'] == 'TEST COPY Acme Chat', 'the name says that it is a copy', client['SiteName'])
        claim('TEST COPY' in client['CustomBrandText'] and client['EnableCustomBrand'] == 'true', 'so does the sign-in page', client)
        image = server.api().raw('GET', '/brand/image')[1]
        with open(self.path('copy', 'brand', 'image.png'), 'rb') as f:
            claim(hashlib.sha256(f.read()).digest() == hashlib.sha256(image).digest(), 'with an image')
        themes = [p for p in ann.get('/users/me/preferences') if p['category'] == 'theme']
        claim(len(themes) == 1 and json.loads(themes[0]['value'])['sidebarHeaderBg'] == '#ff0000', 'everybody has the loud theme', themes)
        team = ann.get(f'/teams/{self.team}')
        claim(team['display_name'].startswith('TEST COPY'), 'the team says so', team)
        square = ann.get(f'/teams/{self.team}/channels/name/town-square')
        pinned = ann.get(f"/channels/{square['id']}/pinned")
        claim(square['header'].startswith('**TEST COPY') and any('TEST COPY' in p['message'] for p in pinned['posts'].values()),
              'the town square has a header and a pinned message', (square, pinned))
        name, path = self.sql("select id, path from fileinfo f where deleteat = 0 and channelid = '%s' limit 1" % self.channel, 'copy').split('|') \
            if self.sql("select count(*) from fileinfo where deleteat = 0 and channelid = '%s'" % self.channel, 'copy') != '0' else ('', '')
        if name:
            body = ann.raw('GET', f'/files/{name}')[1]
            with open(self.path('files', path), 'rb') as f:
                claim(f.read() == body, 'files are served')
        words = ('chat.acme.example', self.web_at, 'real.config')
        with open(self.path('copy.config.json'), encoding='utf-8') as f:
            text = f.read()
        claim(not any(w in text for w in words), 'its configuration names nothing of production')

    def keep(self, server):
        stop = os.path.join(os.environ['ARK_KEEP'], 'stop')
        print(f'# http://127.0.0.1:{server.port} {self.ann} {COPY_PASSWORD}', flush=True)
        while not os.path.exists(stop):
            time.sleep(0.5)


def main():
    binary = os.environ.get('ARK_MATTERMOST_BIN')
    if not binary:
        skip('ARK_MATTERMOST_BIN does not name a Mattermost server')
    if subprocess.run([PG, '--bin'], capture_output=True, check=False).returncode != 0:
        skip('PostgreSQL is not installed')
    keep = tempfile.mkdtemp(prefix='ark-copy-')
    os.chmod(keep, 0o755)
    case = Case(binary, keep)
    try:
        case.source()
        case.production()
        case.copy()
    finally:
        subprocess.run([PG, '--stop', case.path('pg')], check=False)
        shutil.rmtree(keep, ignore_errors=True)
    print(f'1..{len(results)}')
    sys.exit(0 if all(results) else 1)


if __name__ == '__main__':
    main()

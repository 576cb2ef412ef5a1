#!/usr/bin/env python3
"""A real Mattermost server serves what was imported: started on a database that only matter-import has
written, asked through its REST API, compared with the Slack export itself.

  ARK_MATTERMOST_BIN=/opt/mattermost/bin/mattermost MATTER_IMPORT=build/gcc/import/matter-import \\
      tests/server/server.py [ARCHIVE]

The server must be of version 11.6 or newer, with its folders (i18n, templates, ...) beside bin/. ARCHIVE is a Slack
export; without one it is fixtures/slack/workspace. It listens on 127.0.0.1 and is stopped at the end.
TAP on stdout; everything skipped without a server or PostgreSQL.
"""
import collections
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import slack  # noqa: E402

PG = os.path.join(ROOT, 'tests', 'harness', 'pg.sh')
START_S = 120
TEAM = 'voyage'
PASSWORD = 'Salty-Harbour-71!'
# At most so many milliseconds later stands a message whose own millisecond was taken.
SPREAD_MS = 100
# Words that the English search index leaves out.
NO_TERMS = set('before during further should having because against between through itself himself herself theirs '
               'themselves yourself ourselves'.split())
# More are not returned at once; words of the same stem ("right", "rightfully") can be that many.
SEARCH_PAGE = 60
# Longer ones are split.
WHOLE_POST = 16000


class LocalHTTP(http.client.HTTPConnection):
    """HTTP over the server's local socket, which needs no login."""

    def __init__(self, path):
        super().__init__('localhost', timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """Calls of one user, or of the local socket. An answer of 400 and above is an error."""

    def __init__(self, connect, token=None):
        self.connect, self.token = connect, token

    def raw(self, method, path, body=None):
        conn = self.connect()
        headers = {'Content-Type': 'application/json'}
        if self.token:
            headers['Authorization'] = 'Bearer ' + self.token
        conn.request(method, '/api/v4' + path, None if body is None else json.dumps(body), headers)
        answer = conn.getresponse()
        data = answer.read()
        conn.close()
        if answer.status >= 400:
            raise RuntimeError(f'{method} {path}: {answer.status} {data[:300]!r}')
        return answer, data

    def get(self, path):
        return json.loads(self.raw('GET', path)[1])

    def send(self, method, path, body):
        return json.loads(self.raw(method, path, body)[1])

    def pages(self, path, size=200):
        """All entries of a list that comes in pages."""
        mark = '&' if '?' in path else '?'
        for page in range(100000):
            part = self.get(f'{path}{mark}page={page}&per_page={size}')
            yield from part
            if len(part) < size:
                return

    def posts(self, channel, size=200):
        """All posts of a channel in the order of the answers: newest first."""
        page, seen = 0, []
        while True:
            part = self.get(f'/channels/{channel}/posts?page={page}&per_page={size}')
            seen += [part['posts'][i] for i in part['order']]
            if len(part['order']) < size:
                return seen
            page += 1


class Server:
    """The database, what was imported into it, and the Mattermost that runs on it."""

    def __init__(self, binary, importer, archive, keep):
        self.binary, self.importer, self.archive, self.dir = binary, importer, archive, keep
        self.process = None

    def import_it(self):
        self.dsn = subprocess.check_output([PG, '--start', os.path.join(self.dir, 'pg')], text=True).strip()
        self.host = re.search(r'host=(\S+)', self.dsn).group(1)
        done = subprocess.run([self.importer, 'slack', self.archive, '--team', TEAM, '--create-schema', '--quiet',
                               '--files', self.path('files'),
                               '--database', f'host={self.host} user=postgres dbname=mattermost'],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            raise RuntimeError(f'matter-import: exit {done.returncode}: {done.stderr}')

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def sql(self, query):
        bindir = subprocess.check_output([PG, '--bin'], text=True).strip()
        return subprocess.check_output([os.path.join(bindir, 'psql'), '-XAtqc', query, '-h', self.host, '-U', 'postgres',
                                        'mattermost'], text=True).strip()

    def pairs(self, key, value, table):
        return json.loads(self.sql(f'select json_object_agg({key}, {value}) from matterark.{table}'))

    def start(self):
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.socket = self.path('local.socket')
        config = {
            'ServiceSettings': {'SiteURL': f'http://127.0.0.1:{self.port}', 'ListenAddress': f'127.0.0.1:{self.port}',
                                'EnableLocalMode': True, 'LocalModeSocketLocation': self.socket,
                                'EnableSecurityFixAlert': False, 'EnableLinkPreviews': False},
            'TeamSettings': {'MaxUsersPerTeam': 100000},
            'SqlSettings': {'DriverName': 'postgres',
                            'DataSource': f'postgres:///mattermost?host={self.host}&user=postgres&sslmode=disable'},
            'FileSettings': {'DriverName': 'local', 'Directory': self.path('files') + '/'},
            'LogSettings': {'EnableConsole': True, 'ConsoleLevel': 'INFO', 'ConsoleJson': True, 'EnableFile': False,
                            'EnableDiagnostics': False},
            'PluginSettings': {'Enable': False, 'EnableMarketplace': False},
            'EmailSettings': {'SendEmailNotifications': False, 'SendPushNotifications': False},
        }
        with open(self.path('config.json'), 'w', encoding='utf-8') as f:
            json.dump(config, f)
        env = {k: v for k, v in os.environ.items() if not k.startswith('MM_')}
        with open(self.path('server.log'), 'wb') as log:
            self.process = subprocess.Popen([self.binary, 'server', '--config', self.path('config.json')], env=env,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=os.path.dirname(os.path.dirname(os.path.realpath(self.binary))))
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                return self.api().get('/system/ping')
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        raise RuntimeError('the server did not start: ' + self.log()[-2000:])

    def log(self):
        with open(self.path('server.log'), encoding='utf-8', errors='replace') as f:
            return f.read()

    def api(self, token=None):
        return Api(lambda: http.client.HTTPConnection('127.0.0.1', self.port, timeout=60), token)

    def local(self):
        return Api(lambda: LocalHTTP(self.socket))

    def login(self, name):
        answer, _ = self.api().raw('POST', '/users/login', {'login_id': name, 'password': PASSWORD})
        return self.api(answer.getheader('Token'))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        if os.path.exists(self.path('pg')):
            subprocess.run([PG, '--stop', self.path('pg')], check=False)


class Claims:
    """TAP; a claim with complaints failed, the first ones are shown. Our own fixture has something of everything."""

    def __init__(self, must_have_all):
        self.count = self.failed = 0
        self.must_have_all = must_have_all

    def hold(self, name, complaints, checked):
        self.count += 1
        bad = list(complaints)
        if not checked and not bad and not self.must_have_all:
            print(f'ok {self.count} - {name} # SKIP nothing of the kind in this export')
            return
        if not checked:
            bad.append('there was nothing to check')
        print(f"{'not ok' if bad else 'ok'} {self.count} - {name} ({checked})")
        for line in bad[:10]:
            print('# ' + str(line).replace('\n', ' | '))
        if len(bad) > 10:
            print(f'# and {len(bad) - 10} more')
        self.failed += bool(bad)
        sys.stdout.flush()


class Voyage:
    """The comparison: Slack's files on one side, the API's answers on the other."""

    def __init__(self, server, claims):
        self.server, self.claims = server, claims
        self.people, self.conversations = slack.read(server.archive)

    def prepare(self):
        """Who is who, and an administrator who sees all: one of the people, for beyond its limit of users an
        unlicensed server makes no new ones."""
        self.users = {u['id']: u for u in self.server.local().pages('/users')}
        ids = self.server.pairs('slack_id', 'user_id', 'slack_user')
        self.user_of = {k: self.users.get(v, {}).get('id') for k, v in ids.items()}
        self.live = self.live_members()
        first = self.live[-1][1]
        self.set_up(first)
        self.server.local().raw('PUT', f"/users/{first['id']}/roles", {'roles': 'system_user system_admin'})
        self.admin = self.server.login(first['username'])
        self.team = self.admin.get('/teams/name/' + TEAM)
        self.channel_of = self.server.pairs('slack_id', 'channel_id', 'slack_channel')

    def starts_without_errors(self, before):
        bad = []
        for line in self.server.log().splitlines():
            if re.search(r'"level":"(error|fatal|panic)"', line) and 'root.html' not in line:
                bad.append(line)
        after = self.server.sql('select version, name from db_migrations order by 1').splitlines()
        bad += [f'migration {m} is gone' for m in before if m not in after]
        self.claims.hold('the server starts on it without an error', bad, len(before))

    def lists_public_channels(self):
        listed = {c['id']: c for c in self.admin.pages(f"/teams/{self.team['id']}/channels")}
        gone = {c['id'] for c in self.admin.pages(f"/teams/{self.team['id']}/channels/deleted")}
        bad, n = [], 0
        for c in self.conversations:
            if c.kind != 'O':
                continue
            n += 1
            here = gone if c.archived else listed
            if self.channel_of.get(c.id) not in here:
                bad.append(f'#{c.name}')
            elif not c.archived and c.name not in (listed[self.channel_of[c.id]]['display_name'],
                                                   listed[self.channel_of[c.id]]['name']):
                bad.append(f"#{c.name} is called {listed[self.channel_of[c.id]]['display_name']}")
        self.claims.hold('every public channel is listed, archived ones as archived', bad, n)

    def read_channels(self):
        """Match each message with its post; whoever is not matched goes into self.lost."""
        self.pairs, self.lost, self.order = [], [], []
        self.taken = {}
        for c in self.conversations:
            channel = self.channel_of.get(c.id)
            if not channel:
                self.lost += [f'{c.name}: no channel' for m in c.messages[:1]]
                continue
            posts = self.admin.posts(channel)
            times = [p['create_at'] for p in posts]
            if times != sorted(times, reverse=True):
                self.order.append(c.name)
            self.match(c, posts)

    def match(self, c, posts):
        at = collections.defaultdict(list)
        for p in posts:
            at[p['create_at']].append(p)
        for m in c.messages:
            first = m.us // 1000
            post = next((p for ms in range(first, first + SPREAD_MS) for p in at.get(ms, [])
                         if p['id'] not in self.taken and self.fits(m, p)), None)
            if post:
                self.taken[post['id']] = m
                self.pairs.append((c, m, post))
            elif m.subtype in slack.PLAIN and slack.words(m.text):
                self.lost.append(f'{c.name or c.id} {m.us} {m.text[:60]!r}')

    def fits(self, m, post):
        want = self.user_of.get(m.user)
        return want is None or post['user_id'] == want

    def posts_in_order(self):
        self.claims.hold('posts come in the order of time', self.order, len(self.pairs))
        self.claims.hold('every message is there, by its author at its time', self.lost, len(self.pairs))

    def texts(self):
        bad, n = [], 0
        for c, m, p in self.pairs:
            want = slack.words(m.text)
            if m.subtype not in slack.PLAIN or m.rich or not want or len(m.text) > WHOLE_POST:
                continue
            n += 1
            have = collections.Counter(slack.words(re.sub(r'\\([^\w\s])', r'\1', p['message']), None))
            missing = [w for w in want if w not in have and len(w) > 1]
            if missing:
                bad.append(f"{c.name}: {missing[:5]} of {m.text[:100]!r} not in {p['message'][:100]!r}")
        self.claims.hold('no word of a text is lost', bad, n)
        bad = [f"{c.name} {p['id']}: {p['message'][:120]!r}" for c, m, p in self.pairs
               if re.search(r'<([@#][UWCGB][A-Z0-9]{2,}|![a-z]+[|^>])', p['message'])]
        self.claims.hold("nothing of Slack's markup is left", bad, len(self.pairs))

    def threads(self):
        post_at = {(c.id, m.us): p for c, m, p in self.pairs}
        bad, n, roots = [], 0, collections.defaultdict(list)
        for c, m, p in self.pairs:
            if m.root is None:
                if p['root_id'] and m.subtype != 'file_comment':  # stands under its file's message
                    bad.append(f"{c.name} {m.us} is a reply, and none in Slack")
                continue
            n += 1
            root = post_at.get((c.id, m.root))
            if not p['root_id'] or (root and (root['root_id'] or root['id']) != p['root_id']):
                bad.append(f"{c.name} {m.us} is in the thread of {p['root_id'] or 'nobody'}")
            else:
                roots[p['root_id']].append(p['id'])
        for root, replies in list(roots.items())[:200]:
            got = self.admin.get(f'/posts/{root}/thread')['posts']
            bad += [f'thread {root} lacks {r}' for r in replies if r not in got]
        self.claims.hold('replies stand in their threads', bad, n)

    def reactions(self):
        bad, n = [], 0
        for c, m, p in self.pairs:
            have = {r['user_id'] for r in p.get('metadata', {}).get('reactions') or []}
            want = {self.user_of.get(u) for _, u in m.reactions}
            n += len(m.reactions)
            if want - have:
                bad.append(f'{c.name} {m.us}: {len(want - have)} people of {len(want)} are missing')
            if have - want:
                bad.append(f'{c.name} {m.us}: {len(have - want)} people too many')
        self.claims.hold('reactions are by the people who made them', bad, n)

    def pins(self):
        bad, n = [], 0
        for channel in {p['channel_id'] for c, m, p in self.pairs if m.pinned}:
            pinned = self.admin.get(f'/channels/{channel}/pinned')['posts']
            for c, m, p in self.pairs:
                if m.pinned and p['channel_id'] == channel:
                    n += 1
                    if p['id'] not in pinned:
                        bad.append(f'{c.name} {m.us}')
        self.claims.hold('what was pinned is pinned', bad, n)

    def bodies(self):
        bad, n = [], 0
        for c, _, p in self.pairs:
            for f in p.get('metadata', {}).get('files') or []:
                n += 1
                size = len(self.admin.raw('GET', '/files/' + f['id'])[1])
                if size != f['size']:
                    bad.append(f"{c.name}: {f['name']} has {size} of {f['size']} bytes")
        self.claims.hold('file bodies can be downloaded', bad, n)

    def live_members(self):
        """Who can sign in, the member of most conversations first."""
        count = collections.Counter(u for c in self.conversations for u in c.members if self.user_of.get(u))
        found = [(key, self.users[self.user_of[key]]) for key, _ in count.most_common()]
        found = [(k, u) for k, u in found if not u['delete_at'] and not u.get('is_bot') and 'guest' not in u['roles']]
        if not found:
            raise RuntimeError('no live member in this export')
        return found

    def set_up(self, user):
        self.server.local().raw('PUT', f"/users/{user['id']}/password", {'new_password': PASSWORD})

    def log_in(self):
        self.key, self.me = self.live[0]
        self.set_up(self.me)
        self.mine = self.server.login(self.me['username'])
        self.claims.hold('an imported user whose password was set logs in', [], 1)

    def nothing_unread(self):
        team, bad = self.team['id'], []
        for t in self.mine.get('/users/me/teams/unread?include_collapsed_threads=true'):
            bad += [f'{k}: {v}' for k, v in t.items() if k.endswith(('_count', '_count_root')) and v]
        channels = {c['id']: c for c in self.mine.get(f'/users/me/teams/{team}/channels')}
        members = self.mine.get(f'/users/me/teams/{team}/channels/members')
        for m in members:
            c = channels.get(m['channel_id'])
            if c and (m['msg_count'] != c['total_msg_count'] or m['mention_count'] or
                      m['msg_count_root'] != c['total_msg_count_root']):
                bad.append(f"{c['name']}: {m['msg_count']} of {c['total_msg_count']} read")
        threads = self.mine.get(f'/users/me/teams/{team}/threads?per_page=1')
        bad += [f'{k}: {threads[k]}' for k in ('total_unread_threads', 'total_unread_mentions') if threads.get(k)]
        self.claims.hold('nothing is unread', bad, len(members))
        want = {self.channel_of.get(c.id) for c in self.conversations
                if self.key in c.members and not c.archived and c.messages}
        self.claims.hold('and every conversation of theirs is there',
                         [c.name or c.id for c in self.conversations if self.channel_of.get(c.id) in want - set(channels)],
                         len(want))

    def search_finds(self):
        """A rare word of a channel of theirs is found in its post."""
        seen = collections.Counter()
        where = {}
        for c, m, p in self.pairs:
            if self.key in c.members and not c.archived and m.subtype in slack.PLAIN:
                for w in set(re.findall(r'(?<!\S)[a-z]{6,14}(?!\S)', p['message'])) - NO_TERMS:
                    seen[w] += 1
                    where[w] = p['id']
        rare = sorted(w for w, n in seen.items() if n == 1)[:: max(1, len(seen) // 20)][:20]
        bad = []
        for w in rare:
            found = self.mine.send('POST', f"/teams/{self.team['id']}/posts/search", {'terms': w, 'is_or_search': False})
            posts = found.get('posts') or {}
            if where[w] not in posts and len(posts) < SEARCH_PAGE:
                bad.append(f'{w!r} is in post {where[w]}')
        self.claims.hold('search finds a word', bad, len(rare))

    def people_go_on(self):
        """What was imported can be worked with: an answer, a reaction, both by an imported user."""
        c, m, p = next((c, m, p) for c, m, p in self.pairs if c.kind == 'O' and self.key in c.members and
                       not c.archived and m.root is None and m.subtype in slack.PLAIN)
        reply = self.mine.send('POST', '/posts', {'channel_id': p['channel_id'], 'root_id': p['id'], 'message': 'still here'})
        self.mine.send('POST', '/reactions', {'user_id': self.me['id'], 'post_id': p['id'], 'emoji_name': 'anchor'})
        thread = self.mine.get(f"/posts/{p['id']}/thread")['posts']
        bad = [] if reply['id'] in thread else ['the answer is not in the thread']
        have = self.mine.get(f"/posts/{p['id']}/reactions") or []
        bad += [] if any(r['emoji_name'] == 'anchor' for r in have) else ['the reaction is not there']
        self.claims.hold('people go on where they were: an answer and a reaction', bad, 1)

    def hears_of_runs(self):
        """--notify with a webhook of this server's: one message with a table."""
        square = self.admin.get(f"/teams/{self.team['id']}/channels/name/town-square")
        hook = self.admin.send('POST', '/hooks/incoming', {'channel_id': square['id'], 'display_name': 'runs'})
        address = f"http://127.0.0.1:{self.server.port}/hooks/{hook['id']}"
        done = subprocess.run([self.server.importer, 'bulk', self.server.archive, '--team', TEAM, '--quiet', '--output',
                               self.server.path('bulk.zip'), '--notify', address],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        newest = self.admin.posts(square['id'])[0]
        card = (newest['props'].get('attachments') or [{}])[0]
        bad = [] if done.returncode in (0, 3) and not done.stderr else [f'exit {done.returncode}: {done.stderr}']
        bad += [] if 'matter-import bulk on ' in card.get('title', '') else [f'no card: {newest}']
        bad += [] if '| messages read |' in card.get('text', '') else [f'no table: {card}']
        self.claims.hold('a webhook is told of a run', bad, 1)

    def all(self, before):
        self.starts_without_errors(before)
        self.prepare()
        self.lists_public_channels()
        self.read_channels()
        self.posts_in_order()
        self.texts()
        self.threads()
        self.reactions()
        self.pins()
        self.bodies()
        self.log_in()
        self.nothing_unread()
        self.search_finds()
        self.people_go_on()
        self.hears_of_runs()


def skip(reason):
    print('1..0 # SKIP ' + reason)
    sys.exit(0)


def main():
    binary = os.environ.get('ARK_MATTERMOST_BIN')
    if not binary:
        skip('ARK_MATTERMOST_BIN does not name a Mattermost server')
    if not os.access(binary, os.X_OK):
        sys.exit(f"server.py: '{binary}' is no program")
    if subprocess.run([PG, '--bin'], capture_output=True, check=False).returncode != 0:
        skip('PostgreSQL is not installed')
    archive = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'fixtures', 'slack', 'workspace', 'export')
    keep = tempfile.mkdtemp(prefix='ark-server-')
    os.chmod(keep, 0o755)
    server = Server(binary, os.environ['MATTER_IMPORT'], archive, keep)
    claims = Claims(len(sys.argv) < 2)
    try:
        server.import_it()
        before = server.sql('select version, name from db_migrations order by 1').splitlines()
        server.start()
        Voyage(server, claims).all(before)
    finally:
        server.stop()
        shutil.rmtree(keep, ignore_errors=True)
    print(f'1..{claims.count}')
    sys.exit(1 if claims.failed else 0)


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""A monitoring channel older than 14 days is purged under a running Mattermost server while people write.

  ARK_MATTERMOST_BIN=/opt/mattermost/bin/mattermost MATTER_IMPORT=... MATTER_PURGE=... tests/server/purge.py [MESSAGES]

The messages, replies, reactions, files, edits, pins and saved messages are made through the API, as people make them, and
then three quarters of them are dated back by SQL, which no API does. Asked through the API before and after: what was to
go is gone for everybody, with and without deletion over the API first; the rest is what it was. No orphan in any table
or in the file store. TAP; skipped without a server or PostgreSQL.
"""
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
from server import PASSWORD, PG, ROOT, TEAM, Claims, Server, skip  # noqa: E402

DAY = 86400000


def upload(server, user, channel, name, body):
    mark = 'ark-boundary'
    form = (f'--{mark}\r\nContent-Disposition: form-data; name="channel_id"\r\n\r\n{channel}\r\n--{mark}\r\nContent-Disposition: '
            f'form-data; name="files"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n').encode() + body + \
        f'\r\n--{mark}--\r\n'.encode()
    conn = http.client.HTTPConnection('127.0.0.1', server.port, timeout=60)
    conn.request('POST', '/api/v4/files', form, {'Content-Type': f'multipart/form-data; boundary={mark}',
                                                 'Authorization': 'Bearer ' + user.token})
    answer = conn.getresponse()
    data = answer.read()
    conn.close()
    if answer.status != 201:
        raise RuntimeError(f'upload: {answer.status} {data!r}')
    return json.loads(data)['file_infos'][0]['id']


class Town:
    def __init__(self, server, claims, tool, messages):
        self.server, self.claims, self.tool, self.messages = server, claims, tool, messages
        self.dsn = f'host={server.host} user=postgres dbname=mattermost'

    def prepare(self):
        local = self.server.local()
        self.team = local.get('/teams/name/' + TEAM)
        inside = set(self.server.sql("select userid from teammembers where deleteat = 0 and not schemeguest").split())
        people = [u for u in local.pages('/users') if u['id'] in inside and not u.get('is_bot') and u['delete_at'] == 0][:3]
        for u in people:
            local.raw('PUT', f"/users/{u['id']}/password", {'new_password': PASSWORD})
        local.raw('PUT', f"/users/{people[0]['id']}/roles", {'roles': 'system_user system_admin'})
        self.admin, self.ben, self.cleo = (self.server.login(u['username']) for u in people)
        self.ids = [u['id'] for u in people]
        self.channel = self.admin.send('POST', '/channels', {'team_id': self.team['id'], 'name': 'nagios', 'display_name':
                                                             'Nagios', 'type': 'O'})['id']
        for u in people[1:]:
            self.admin.send('POST', f'/channels/{self.channel}/members', {'user_id': u['id']})

    def post(self, user, text, root='', files=()):
        return user.send('POST', '/posts', {'channel_id': self.channel, 'message': text, 'root_id': root, 'file_ids': list(files)})

    def fill(self):
        """Of four messages three become old; every fourth of the old ones is a thread, one of which is still in use."""
        self.old, self.young = [], []
        for n in range(self.messages):
            young = n % 4 == 3
            files = [upload(self.server, self.admin, self.channel, f'{n}.txt', b'x' * (n + 1))] if n % 5 == 0 else []
            p = self.post(self.admin, f'CRITICAL kestrel{n} disk', files=files)['id']
            mine = self.young if young else self.old
            mine.append(p)
            if n % 4 == 0:
                r = self.post(self.ben, f'looking at {n}', p)['id']
                (self.old if n != 4 else self.young).append(r)
                if n == 4: # answered lately: the whole thread stays
                    self.old.remove(p)
                    self.young.append(p)
                    self.in_use = p
            if n % 3 == 0:
                self.cleo.send('POST', '/reactions', {'user_id': self.ids[2], 'post_id': p, 'emoji_name': 'eyes'})
            if n % 6 == 0:
                self.ben.raw('PUT', f'/users/{self.ids[1]}/preferences', [{'user_id': self.ids[1], 'category': 'flagged_post',
                                                                          'name': p, 'value': 'true'}])
            if n % 7 == 0:
                self.admin.send('PUT', f'/posts/{p}/patch', {'message': f'CRITICAL kestrel{n} disk full'})
        # one file of an old message is shown by another message too, as the server does when it copies one
        shared = self.server.sql(f"select f.path from fileinfo f where f.postid = any (array{self.old}) order by f.createat limit 1")
        self.keeper = self.post(self.ben, 'this one again')['id']
        self.young.append(self.keeper)
        self.server.sql(f"insert into fileinfo select (jsonb_populate_record(f, jsonb_build_object('id', '{self.keeper[::-1]}', 'postid', "
                        f"'{self.keeper}'))).* from fileinfo f where path = '{shared}'; update posts set fileids = "
                        f"'[\"{self.keeper[::-1]}\"]' where id = '{self.keeper}'")
        self.shared = shared
        old = ','.join(f"'{i}'" for i in self.old + ([self.in_use]))
        self.server.sql(f"update posts set createat = createat - 30 * {DAY}::bigint, updateat = greatest(updateat - 30 * {DAY}::bigint, "
                        f"editat) where id in ({old}); update posts set editat = greatest(editat - 30 * {DAY}::bigint, 0), updateat = "
                        f"createat + 1000 where id in ({old}) and editat > 0; update threads t set lastreplyat = (select max(createat) "
                        "from posts p where p.rootid = t.postid and p.deleteat = 0)")
        self.admin.raw('POST', '/caches/invalidate')

    def rest(self):
        """Everything but the channel: the whole of every table of the server's, row by row."""
        tables = self.server.sql("select tablename from pg_tables where schemaname = 'public' order by 1").split()
        # written by the server in its own time
        tables = [t for t in tables if t not in ('sessions', 'status', 'jobs', 'systems', 'audits', 'linkmetadata', 'useraccesstokens',
                                                 'channelmembers', 'preferences', 'users', 'recentsearches')]
        not_ours = {'posts': 'channelid', 'reactions': 'channelid', 'fileinfo': 'channelid', 'threads': 'channelid', 'channels': 'id'}
        seen = {}
        for t in tables:
            where = f"where {not_ours[t]} <> '{self.channel}'" if t in not_ours else ''
            if t == 'threadmemberships':
                where = f"where postid not in (select id from posts where channelid = '{self.channel}') and postid <> all " \
                        f"(array{self.old + self.young})"
            seen[t] = self.server.sql(f"select count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {t} t {where}")
        return seen

    def run(self, *args, codes=(0,)):
        done = subprocess.run([self.tool, *args, '--database', self.dsn], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode not in codes:
            raise RuntimeError(f'matter-purge {args}: exit {done.returncode}: {done.stdout}{done.stderr}')
        return done.stdout

    def purge(self, *more):
        plan = self.server.path('plan')
        self.run('plan', '--channel', f'{TEAM}/nagios', '--older-than', '14d', '-o', plan)
        with open(plan, encoding='utf-8') as f:
            planned = {line.split()[1] for line in f if line[:2] in ('P ', 'H ')}
        stop, wrote, slow = threading.Event(), [], []

        def write():
            while not stop.is_set():
                began = time.monotonic()
                wrote.append(self.post(self.ben, 'somebody writes')['id'])
                slow.append(time.monotonic() - began)

        writer = threading.Thread(target=write)
        writer.start()
        out = self.run('apply', plan, '--files', self.server.path('files'), '--yes', '--batch', '10', *more)
        stop.set()
        writer.join()
        return planned, wrote, out

    def visible(self, user):
        return {p['id'] for p in user.posts(self.channel)}

    def all(self):
        self.prepare()
        self.fill()
        claims, before = self.claims, self.visible(self.ben)
        claims.hold('everybody sees all of it before', set(self.old + self.young) - before, len(before))
        rest = self.rest()
        self.young_before = {i: self.ben.get(f'/posts/{i}') for i in self.young}
        self.cleo.posts(self.channel)
        token = self.server.path('token')
        with open(token, 'w', encoding='ascii') as f:
            f.write(self.admin.token)
        planned, wrote, _ = self.purge('--api-url', f'http://127.0.0.1:{self.server.port}', '--api-token-file', token)
        joins = planned - set(self.old) - set(self.server.sql(
            "select post_id from matterark.purge_ledger").split())
        claims.hold('the plan is what is old, and all of it went', [f'left: {i}' for i in set(self.old) - planned] + list(joins),
                    len(self.old))
        for name, user in (('ben', self.ben), ('cleo', self.cleo)):
            now = self.visible(user)
            claims.hold(f'{name} sees it gone, and the rest', [f'still there: {i}' for i in now & planned] +
                        [f'missing: {i}' for i in set(self.young + wrote) - now], len(now))
        bad = []
        for i in planned:
            try:
                self.admin.get(f'/posts/{i}')
                bad.append(i)
            except RuntimeError as e:
                if ': 404 ' not in str(e):
                    bad.append(str(e))
        claims.hold('asked for by its id it is not found', bad, len(planned))
        bad = []
        for i, was in self.young_before.items():
            now = self.ben.get(f'/posts/{i}')
            if {k: v for k, v in now.items() if k not in ('update_at', 'last_reply_at', 'metadata', 'participants')} != \
                    {k: v for k, v in was.items() if k not in ('update_at', 'last_reply_at', 'metadata', 'participants')}:
                bad.append(f'{was} became {now}')
        claims.hold('what stays reads as before', bad, len(self.young_before))
        found = self.ben.send('POST', f"/teams/{self.team['id']}/posts/search", {'terms': 'kestrel1 OR kestrel2 OR kestrel3', 'is_or_search':
                                                                             True})['order']
        claims.hold('search finds none of it', set(found) & planned, len(found))
        body = self.ben.raw('GET', f'/files/{self.keeper[::-1]}')[1]
        claims.hold('a file that two messages show is still served', [] if body else ['empty'], len(body))
        thread = self.ben.get(f'/posts/{self.in_use}/thread')
        claims.hold('the thread in use is whole', [] if len(thread['order']) == 2 else [thread], len(thread['order']))
        saved = {p['id'] for p in self.ben.get(f'/users/{self.ids[1]}/posts/flagged')['posts'].values()}
        claims.hold('saved messages: none of it', saved & planned, len(saved) + 1)
        after = self.rest()
        claims.hold('nothing else changed in any table', [f'{t}: {rest[t]} became {after[t]}' for t in rest if rest[t] != after[t]],
                    len(rest))
        checks = subprocess.run([os.path.join(subprocess.check_output([PG, '--bin'], text=True).strip(), 'psql'), '-XAt', '-v',
                                 'ON_ERROR_STOP=1', '-f', os.path.join(ROOT, 'tests', 'db', 'consistency.sql'), self.dsn],
                                capture_output=True, text=True, check=True)
        # 'more read than written' and times of replies are of the dates that were moved
        bad = [line for line in checks.stdout.splitlines() if not line.startswith(('posts: reply not after', 'posts: times'))]
        claims.hold('no orphan and no other inconsistency', bad, 1)
        named = set(self.server.sql("select distinct p from fileinfo f, lateral (values (f.path), (f.thumbnailpath), (f.previewpath)) "
                                    "v(p) where p <> ''").split('\n'))
        stored = set()
        for folder, _, files in os.walk(self.server.path('files')):
            stored |= {os.path.relpath(os.path.join(folder, f), self.server.path('files')) for f in files if '/2' in folder}
        claims.hold('files and rows agree', [f'no row: {i}' for i in stored - named] + [f'no body: {i}' for i in named - stored],
                    len(stored))
        self.without_the_api()
        self.people_go_on()

    def without_the_api(self):
        """Straight on the database: gone when the server has dropped its caches."""
        more = [self.post(self.admin, f'later {n}')['id'] for n in range(20)]
        self.visible(self.cleo)
        self.server.sql(f"update posts set createat = createat - 30 * {DAY}::bigint, updateat = updateat - 30 * {DAY}::bigint where id = "
                        f"any (array{more})")
        self.purge()
        self.admin.raw('POST', '/caches/invalidate')
        self.claims.hold('without the API it is gone when caches were dropped', self.visible(self.cleo) & set(more), len(more))

    def people_go_on(self):
        p = self.post(self.cleo, 'and on it goes')['id']
        self.ben.send('POST', '/posts', {'channel_id': self.channel, 'message': 'yes', 'root_id': p})
        unread = self.admin.get(f'/users/{self.ids[0]}/channels/{self.channel}/unread')
        bad = [unread] if unread['msg_count'] < 0 else []
        errors = [line for line in self.server.log().splitlines() if '"level":"error"' in line and 'root.html' not in line
                  and 'password change email' not in line]
        self.claims.hold('people go on, and the server has no error to tell', bad + errors, 1)


def main():
    binary = os.environ.get('ARK_MATTERMOST_BIN')
    if not binary:
        skip('ARK_MATTERMOST_BIN does not name a Mattermost server')
    if subprocess.run([PG, '--bin'], capture_output=True, check=False).returncode != 0:
        skip('PostgreSQL is not installed')
    keep = tempfile.mkdtemp(prefix='ark-server-')
    os.chmod(keep, 0o755)
    server = Server(binary, os.environ['MATTER_IMPORT'], os.path.join(ROOT, 'fixtures', 'slack', 'workspace', 'export'), keep)
    claims = Claims(True)
    try:
        os.mkdir(os.path.join(keep, 'files'))
        server.import_it()
        server.start()
        Town(server, claims, os.environ['MATTER_PURGE'], int(sys.argv[1]) if len(sys.argv) > 1 else 120).all()
    finally:
        server.stop()
        shutil.rmtree(keep, ignore_errors=True)
    print(f'1..{claims.count}')
    sys.exit(1 if claims.failed else 0)


main()

#!/usr/bin/env python3
"""The formats of matter-export other than its own, each read back by somebody else's parser.

The fixtures below are imported, exported twice, and then
  all    both runs give the same bytes
  csv    Python's csv reader: one row a post, no cell that a spreadsheet would take for a formula
  eml    Python's mail parser with the strict policy: no defect; every text is in it; bodies of files
  rsmf   the same for the message; rsmf.zip; the manifest against the public JSON Schema where that is at
         hand (ARK_RSMF_SCHEMA, or ../shared/facts/rsmf beside the checkout), ids and parents that exist
  html   every page is well formed and loads nothing from elsewhere; every link within leads somewhere;
         each message is there once, by its id; the search index names exactly these messages
  bulk   lines of known types in their order, which name only what earlier ones have; messages, replies,
         reactions, files, pins, edits, archived channels and memberships as the database has them

TAP on stdout; skipped without PostgreSQL.   MATTER_IMPORT=... MATTER_EXPORT=... tests/roundtrip/formats.py
"""
import csv
import email
import email.policy
import filecmp
import io
import json
import os
import re
import sys
import zipfile
from html.parser import HTMLParser
from urllib.parse import unquote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures as fx  # noqa: E402

CASES = ['workspace', 'text-mrkdwn', 'blocks-kinds', 'attachments-kinds', 'thread-orphans', 'edited', 'subtypes-all']
VOID = {'meta', 'link', 'input', 'br', 'hr', 'img'}
BULK = ['version', 'team', 'channel', 'user', 'bot', 'post', 'direct_channel', 'direct_post']
SCHEMAS = [os.environ.get('ARK_RSMF_SCHEMA', ''),
           os.path.join(fx.ROOT, '..', 'shared', 'facts', 'rsmf', 'rsmf_schema_2_0_0.json')]
# What makes a text hostile, in the database as an import could bring it.
HOSTILE = ['=1+1', '@SUM(A1)', '<script>alert(1)</script>', '</article></main>', '"><img src=x onerror=alert(1)>',
           '[x](javascript:alert(1))', '‮gnp.exe', '![x](http://evil.example/pixel.png)', '`' * 200,
           '> ' * 300 + 'deep', '\r\nBcc: nobody@evil.example']


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.path, self.stack, self.ids, self.links, self.loads = path, [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.stack.append(tag)
        if 'id' in attrs:
            self.ids.append(attrs['id'])
        for name, value in attrs.items():
            if name.startswith('on') or name == 'style' or (name in ('src', 'action') and tag != 'a') or \
               (tag == 'link' and name == 'href'):
                self.loads.append((tag, name, value))
        if tag == 'a' and 'href' in attrs:
            self.links.append(attrs['href'])
        if tag in ('iframe', 'object', 'embed', 'base', 'svg:script'):
            self.loads.append((tag, '', ''))

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            raise fx.Failure(f'{self.path}: </{tag}> closes nothing')


def need(claim, what):
    if not claim:
        raise fx.Failure(what)


def files_below(top):
    out = []
    for base, _dirs, names in os.walk(top):
        out += [os.path.relpath(os.path.join(base, n), top) for n in names]
    return sorted(out)


class Export:
    def __init__(self, case, cluster):
        self.case = fx.Case(case, [], cluster)
        self.cluster = cluster
        os.makedirs(self.case.tmp, exist_ok=True)
        self.db = self.case.db
        self.store = os.path.join(self.case.tmp, 'files')

    def tool(self, args):
        env = {k: v for k, v in os.environ.items() if not k.startswith(('MATTERARK_', 'MM_', 'PG'))}
        env.update(HOME=self.case.tmp, TMPDIR=self.case.tmp, LC_ALL='C.UTF-8')
        done = fx.run(args, env=env)
        need(done.returncode in (0, 3), f'{args[1]}: exit {done.returncode}: {done.stderr.strip()}')

    def prepare(self):
        self.tool([os.environ['MATTER_IMPORT'], 'slack', *self.case.archives('folder')[0], '--team', 'acme',
                   '--create-schema', '--database', self.cluster.url(self.db), '--files', self.store])
        if self.case.name == 'text-mrkdwn':
            texts = ','.join("('%s')" % t.replace("'", "''").replace('\r\n', "' || E'\\r\\n' || '") for t in HOSTILE)
            self.cluster.query(self.db, f"""with t as (select row_number() over () n, v from (values {texts}) x(v)),
                p as (select id, message, row_number() over (order by createat, id) n from posts where type = '')
                update posts set message = t.v from t, p where p.n = t.n and posts.id = p.id""")
        for run in ('one', 'two'):
            self.tool([os.environ['MATTER_EXPORT'], 'run', '--database', self.cluster.url(self.db), '--files',
                       self.store, '--direct', '--attachments', 'copy', '--format', 'csv,eml,rsmf,html,bulk', '--out',
                       os.path.join(self.case.tmp, run)])
        self.data = os.path.join(self.case.tmp, 'one', 'data')
        rows = self.cluster.query(self.db, "select json_build_object('id', id, 'text', message) from posts "
                                           "where originalid = ''")
        self.posts = {r['id']: r['text'] for r in map(json.loads, rows.strip().split('\n'))}

    def check_same(self):
        other = os.path.join(self.case.tmp, 'two', 'data')
        need(files_below(self.data) == files_below(other), 'the two runs made different files')
        for name in files_below(self.data):
            need(filecmp.cmp(os.path.join(self.data, name), os.path.join(other, name), False),
                 f'{name} differs between two runs')

    def check_csv(self):
        seen = {}
        for name in files_below(os.path.join(self.data, 'csv')):
            with open(os.path.join(self.data, 'csv', name), encoding='utf-8-sig', newline='') as f:
                for row in csv.DictReader(f, strict=True):
                    need(None not in row and None not in row.values(), f'{name}: a row of another length')
                    need(all(c[:1] not in ('=', '+', '-', '@') for c in row.values()), f'{name}: a formula: {row}')
                    seen[row['id']] = row['text']
        need(set(seen) == set(self.posts), 'csv: other messages than the database has')
        wrong = [i for i, t in seen.items() if t.lstrip("'").replace('\r\n', '\n') !=
                 self.posts[i].lstrip("'").replace('\r\n', '\n')]
        need(not wrong, f'csv: another text: {wrong}')

    def mails(self, kind):
        for name in files_below(os.path.join(self.data, kind)):
            with open(os.path.join(self.data, kind, name), 'rb') as f:
                raw = f.read()
            need(all(len(line) <= 998 for line in raw.split(b'\r\n')), f'{name}: a line of over 998 bytes')
            need(b'\n' not in raw.replace(b'\r\n', b''), f'{name}: a bare line feed')
            message = email.message_from_bytes(raw, policy=email.policy.strict.clone(raise_on_defect=True))
            need(message['Bcc'] is None and len(message.get_all('From')) == 1, f'{name}: headers of others')
            yield name, message

    def check_eml(self):
        text = ''
        for _name, message in self.mails('eml'):
            text += message.get_body(('plain',)).get_content()
        for post, words in self.posts.items():
            need(f'<{post}>' in text, f'eml: {post} is missing')
            for line in words.split('\n'):
                need(line.replace('\r', '').strip() in text, f'eml: text of {post} is missing: {line!r}')

    def check_rsmf(self):
        schema = next((json.load(open(p, encoding='utf-8')) for p in SCHEMAS if p and os.path.exists(p)), None)
        events = {}
        for name, message in self.mails('rsmf'):
            parts = [p for p in message.iter_attachments() if p.get_filename() == 'rsmf.zip']
            need(len(parts) == 1 and message['X-RSMF-Version'] == '2.0.0', f'{name}: no rsmf.zip')
            archive = zipfile.ZipFile(io.BytesIO(parts[0].get_content()))
            manifest = json.loads(archive.read('rsmf_manifest.json'))
            self.check_manifest(name, manifest, archive, events)
            need(int(message['X-RSMF-EventCount']) == len(manifest['events']), f'{name}: count of events')
            if schema is not None:
                self.validate(name, manifest, schema)
        need(set(events) == set(self.posts), 'rsmf: other messages than the database has')
        need(all(events[i] == t for i, t in self.posts.items()), 'rsmf: another text')
        return schema is not None

    @staticmethod
    def validate(name, manifest, schema):
        try:
            import jsonschema
        except ImportError:
            return
        try:
            jsonschema.validate(manifest, schema)
        except jsonschema.ValidationError as e:
            raise fx.Failure(f'{name}: {e.message}') from e

    @staticmethod
    def check_manifest(name, manifest, archive, events):
        people = {p['id'] for p in manifest['participants']}
        need(len(people) == len(manifest['participants']), f'{name}: somebody twice')
        need(set(manifest['conversations'][0]['participants']) <= people, f'{name}: unknown participant')
        ids = {e['id'] for e in manifest['events']}
        for e in manifest['events']:
            need(e['participant'] in people, f"{name}: unknown participant {e['participant']}")
            need('parent' not in e or e['parent'] in ids, f"{name}: unknown parent {e.get('parent')}")
            need(all(a['id'] in archive.namelist() for a in e.get('attachments', [])), f'{name}: no such file')
            events[e['id']] = e['body']

    def check_html(self):
        top = os.path.join(self.data, 'html')
        pages = {n: Page(n) for n in files_below(top) if n.endswith('.html')}
        for name, page in pages.items():
            with open(os.path.join(top, name), encoding='utf-8') as f:
                text = f.read()
            page.feed(text)
            page.close()
            need(page.stack == [], f'{name}: not closed: {page.stack}')
            need(len(page.ids) == len(set(page.ids)), f'{name}: an id twice')
            need("default-src 'none'" in text, f'{name}: no policy')
            need(not re.search('[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]', text), f'{name}: a control character')
            for tag, attr, value in page.loads:
                local = attr in ('src', 'href', 'action') and not re.match('[a-z]+:|//', value) or value == 'data:,'
                need(local, f'{name}: <{tag} {attr}={value!r}>')
        for name, page in pages.items():
            for link in page.links:
                self.check_link(top, pages, name, link)
        found = [i[2:] for p in pages.values() for i in p.ids if i.startswith('p-')]
        need(sorted(found) == sorted(self.posts), 'html: other messages than the database has')
        self.check_search(top, pages)

    @staticmethod
    def check_link(top, pages, name, link):
        if re.match('https?:|ftp:|mailto:|tel:', link):
            return
        need(not re.match('[a-z]+:|//|/', link), f'{name}: link to {link}')
        path, _, fragment = link.partition('#')
        target = os.path.normpath(os.path.join(os.path.dirname(name), unquote(path))) if path else name
        need(os.path.exists(os.path.join(top, target)), f'{name}: link to {link}, which is not there')
        need(not fragment or fragment in pages[target].ids, f'{name}: {link} names no place there')

    def check_search(self, top, pages):
        docs = []
        for n in range(len(os.listdir(os.path.join(top, 'search', 'd')))):
            with open(os.path.join(top, 'search', 'd', f'{n}.js'), encoding='utf-8') as f:
                number, paths, rows = json.loads('[' + f.read().strip()[len('ARK.docs('):-len(');')] + ']')
            need(number == n, 'search: block numbers')
            for row in rows:
                need(f'p-{row[1]}' in pages[paths[row[0]]].ids, f'search: {row[1]} is not on {paths[row[0]]}')
            docs += [row[1] for row in rows]
        need(len(docs) == len(set(docs)), 'search: a message twice')
        words = {}
        for n in range(256):
            with open(os.path.join(top, 'search', 't', f'{n}.js'), encoding='utf-8') as f:
                text = f.read().strip()
            words.update(json.loads(text[text.index('{'):-len(');')]))
        for word, steps in words.items():
            at, hits = 0, []
            for i, step in enumerate(steps.split(',')):
                at = int(step, 36) if i == 0 else at + int(step, 36)
                hits.append(at)
            need(hits == sorted(set(hits)) and hits[-1] < len(docs), f'search: numbers of {word}')
            if re.fullmatch('[a-z]{4,}', word):
                known = [i for i in hits if word in self.posts[docs[i]].lower()]
                missed = [i for i, d in enumerate(docs) if i not in hits and
                          re.search(rf'(?<![^\W_]){word}(?![^\W_])', self.posts[d].lower())]
                need(known or not missed, f'search: {word} is found nowhere')
                need(not missed, f'search: {word} is not found in {[docs[i] for i in missed]}')

    def check_bulk(self):
        with zipfile.ZipFile(os.path.join(self.data, 'bulk', 'export.zip')) as archive:
            need(archive.namelist()[0] == 'import.jsonl', 'bulk: the lines are not the first entry')
            lines = [json.loads(x) for x in archive.read('import.jsonl').decode('utf-8').split('\n')[:-1]]
            bodies = {n: archive.read(n) for n in archive.namelist()[1:]}
        ranks = [BULK.index(x['type']) for x in lines]
        need(ranks == sorted(ranks) and ranks[0] == 0, 'bulk: lines are out of order')
        need(all(set(x) == {'type', 'version', 'info'} if x['type'] == 'version' else set(x) == {'type', x['type']}
                 for x in lines), 'bulk: a line has another shape')
        of = {k: [x[k] for x in lines if x['type'] == k] for k in BULK[1:]}
        teams = {x['name'] for x in of['team']}
        channels = {(x['team'], x['name']) for x in of['channel']}
        people = {x['username'] for x in of['user']} | {x['username'] for x in of['bot']}
        need({t for t, _ in channels} <= teams, 'bulk: a channel of an unknown team')
        stays = [(u['username'], t['name'], c['name']) for u in of['user'] for t in u.get('teams', [])
                 for c in t['channels']]
        need({s[1:] for s in stays} <= channels, 'bulk: a membership of an unknown channel')
        directs = {tuple(sorted(p['username'] for p in d['participants'])) for d in of['direct_channel']}
        need(all(set(d) <= people for d in directs), 'bulk: an unknown participant')
        need(all((p['team'], p['channel']) in channels for p in of['post']), 'bulk: a post in an unknown channel')
        need(all(tuple(sorted(p['channel_members'])) in directs for p in of['direct_post']), 'bulk: unknown members')
        roots = of['post'] + of['direct_post']
        replies = [r for p in roots for r in p.get('replies', [])]
        posts = roots + replies
        reactions = [r for p in posts for r in p.get('reactions', [])]
        need({x['user'] for x in posts + reactions} <= people, 'bulk: an unknown author')
        paths = sorted('data/' + a['path'] for p in posts for a in p.get('attachments', []))
        need(paths == sorted(bodies), 'bulk: other bodies than the lines name')
        self.compare_bulk(of, posts, replies, reactions, stays, bodies)

    def compare_bulk(self, of, posts, replies, reactions, stays, bodies):
        def sql(query):
            return self.cluster.query(self.db, query).strip()
        live = "posts p where p.originalid = '' and p.deleteat = 0"
        need(sorted([p['message'], p['create_at']] for p in posts) ==
             sorted(json.loads(sql(f"select json_agg(json_build_array(message, createat)) from {live}"))),
             'bulk: other messages than the database has')
        counts = {
            f"select count(*) from {live} and exists (select from posts r where r.id = p.rootid and r.deleteat = 0)":
                len(replies),
            f"select count(*) from {live} and p.ispinned": sum(p.get('is_pinned', False) for p in posts),
            f"select count(*) from {live} and p.editat > 0": sum('edit_at' in p for p in posts),
            f"select count(*) from reactions x, {live} and x.postid = p.id and x.deleteat = 0": len(reactions),
            "select count(*) from channels where type in ('O', 'P')": len(of['channel']),
            "select count(*) from channels where type in ('O', 'P') and deleteat > 0":
                sum('deleted_at' in c for c in of['channel']),
            "select count(*) from channels where type in ('D', 'G')": len(of['direct_channel']),
            "select count(*) from users where not exists (select from bots where userid = id)": len(of['user']),
            "select count(*) from bots": len(of['bot']),
            "select count(*) from users u where deleteat > 0": sum('delete_at' in u for u in of['user'] + of['bot']),
            """select count(*) from channelmembers m join channels c on c.id = m.channelid
               join teammembers t on t.teamid = c.teamid and t.userid = m.userid and t.deleteat = 0
               where not exists (select from bots b where b.userid = m.userid)""": len(stays),
        }
        for query, got in counts.items():
            need(int(sql(query)) == got, f'bulk: {got}, but {sql(query)} by {query}')
        stored = sql(f"select f.path from fileinfo f, {live} and f.postid = p.id and f.deleteat = 0").split('\n')
        want = []
        for path in filter(None, stored):
            if os.path.exists(os.path.join(self.store, path)):
                with open(os.path.join(self.store, path), 'rb') as f:
                    want.append(f.read())
        need(sorted(want) == sorted(bodies.values()), 'bulk: other bodies than the file store has')


def main():
    bindir = fx.pg_bindir()
    if bindir is None:
        print('1..0 # SKIP no PostgreSQL')
        sys.exit(fx.SKIPPED)
    cluster = fx.Cluster(bindir)
    n = failed = 0
    try:
        cluster.start()
        for case in sys.argv[1:] or CASES:
            export = Export(case, cluster)
            export.prepare()
            for check in (export.check_same, export.check_csv, export.check_eml, export.check_rsmf, export.check_html,
                          export.check_bulk):
                n += 1
                try:
                    check()
                    print(f'ok {n} - {case}: {check.__name__[6:]}', flush=True)
                except (fx.Failure, email.errors.MessageError, zipfile.BadZipFile, csv.Error) as e:
                    failed += 1
                    print('# ' + repr(e)[:2000])
                    print(f'not ok {n} - {case}: {check.__name__[6:]}', flush=True)
        print(f'1..{n}')
    finally:
        cluster.stop()
    sys.exit(1 if failed else 0)


main()

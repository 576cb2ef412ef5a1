#!/usr/bin/env python3
"""
Backup, change, restore, compare: two snapshots with a day of changes in between come back row by row and byte by byte, through
matter-backup and through restore.sh; a test installation differs in what its rules name and in nothing else. Where ARK_PG_BIN
names another PostgreSQL than the machine's own, the snapshots are taken on the older and restored into the newer of the two.
"""
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

TOOL = os.environ['MATTER_BACKUP']
IMPORT = os.environ['MATTER_IMPORT']
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PG = os.path.join(ROOT, 'tests', 'harness', 'pg.sh')
# What a test installation is made of may differ in these tables only.
RULED = {'public.' + t for t in (
    'channels', 'publicchannels', 'posts', 'preferences', 'teams', 'systems', 'sessions', 'tokens', 'useraccesstokens', 'jobs',
    'outgoingwebhooks', 'incomingwebhooks', 'commands', 'licenses', 'configurations', 'postreminders', 'scheduledposts')}
results = []
random.seed(2)


def claim(good, text, seen=''):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {text}", flush=True)
    if not good:
        print('\n'.join('# ' + line for line in str(seen).splitlines()[:20]), flush=True)


class Cluster:
    def __init__(self, folder, programs):
        env = {**os.environ, **({'ARK_PG_BIN': programs} if programs else {})}
        if not programs:
            env.pop('ARK_PG_BIN', None)
        self.env, self.folder = env, folder
        started = subprocess.run([PG, '--start', folder], env=env, capture_output=True, text=True, check=True)
        self.server = started.stdout.strip().split(' dbname=')[0]

    def stop(self):
        subprocess.run([PG, '--stop', self.folder], env=self.env, check=False)

    def dsn(self, name):
        return f'{self.server} dbname={name}'

    def sql(self, text, name):
        return subprocess.run([PSQL, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', self.dsn(name), '-c', text], check=True,
                              capture_output=True, text=True).stdout

    def rows(self, name):
        """Number and digest of each table's rows, sequences and large objects."""
        tables = self.sql("select format('%I.%I', schemaname, tablename) from pg_tables where schemaname !~ '^pg_' and schemaname <> "
                          "'information_schema' and tablename <> 'test_copy' order by 1", name).splitlines()
        lines = self.sql(''.join(f"select '{t.replace(chr(39), '')}', count(*), md5(coalesce(string_agg(t::text, chr(10) order by t::text collate \"C\"), "
                                 f"'')) from {t} t;" for t in tables) +
                         "select 'sequences', count(*), md5(string_agg(schemaname || sequencename || coalesce(last_value::text, ''), ' ' "
                         "order by schemaname, sequencename)) from pg_sequences;"
                         "select 'large objects', count(*), md5(string_agg(oid || encode(lo_get(oid), 'hex'), ' ' order by oid)) "
                         'from pg_largeobject_metadata', name)
        return {line.split('|')[0]: line.split('|', 1)[1] for line in lines.splitlines()}


def programs_of_machine():
    env = {k: v for k, v in os.environ.items() if k != 'ARK_PG_BIN'}
    return subprocess.run([PG, '--bin'], env=env, capture_output=True, text=True, check=False).stdout.strip()


def major(programs):
    said = subprocess.run([programs + '/postgres', '--version'], capture_output=True, text=True, check=True).stdout
    return int(re.search(r'(\d+)', said).group(1))


def files(folder):
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with open(path, 'rb') as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


class Company:
    """The database and its files, as they change."""

    def __init__(self, cluster, work):
        self.cluster, self.store, self.count = cluster, work + '/store', 0
        os.mkdir(self.store)
        subprocess.run([IMPORT, 'slack', ROOT + '/fixtures/slack/workspace/export', '--team', 'acme', '--database', cluster.dsn('chat'),
                        '--create-schema', '--create-team', '--quiet', '--files', self.store], capture_output=True, check=False)
        for n in range(20):
            self.upload(random.choice((0, 1, 300, 70000, 1200000)))
        cluster.sql("""select lo_from_bytea(0, decode(repeat('00ff27', 40000), 'hex')), lo_from_bytea(0, '');
            insert into sessions (id, userid) values ('live', 'x');
            insert into outgoingwebhooks (id, callbackurls, deleteat) values ('hook', '["https://ci.acme.example/"]', 0);
            create schema "Plug in"; create table "Plug in"."Odd "" name" (id bigint generated always as identity primary key,
              "The text" text unique, at timestamptz, f float8, b bytea, j jsonb, a text[], u uuid);
            create index on "Plug in"."Odd "" name" using gin (j);
            insert into "Plug in"."Odd "" name" ("The text", at, f, b, j, a, u) select case when i % 7 = 0 then null else
              repeat(chr(92) || chr(9) || 'ü' || i, i % 50) || i end, 'epoch'::timestamptz + i * interval '1 hour', i / 3.0, decode(md5(i::text), 'hex'),
              jsonb_build_object('n', i, 'e', E'\\u2028'), array[i::text, null, '"'], md5(i::text)::uuid from generate_series(1, 3000) i""", 'chat')

    def upload(self, size):
        self.count += 1
        path = f'20240102/teams/noteam/channels/c/users/u/{self.count:026d}/ä b.bin'
        os.makedirs(os.path.dirname(f'{self.store}/{path}'))
        with open(f'{self.store}/{path}', 'wb') as f:
            f.write(random.randbytes(size))
        self.cluster.sql(f"""insert into fileinfo (id, creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath,
            name, extension, size, mimetype, width, height, haspreviewimage) values ('{self.count:026d}', 'u', '', 1, 1, 0, '{path}', '', '', 'f',
            'bin', {size}, '', 0, 0, false)""", 'chat')

    def a_day(self):
        self.cluster.sql("""update posts set message = message || ' edited', editat = 5 where id in (select id from posts order by id limit 20);
            delete from posts where id in (select id from posts order by id desc limit 5);
            create temp table more as select * from posts order by id limit 30; update more set id = substr(md5(id), 1, 26), message = 'new';
            insert into posts select * from more;
            create table later (id int); insert into later select generate_series(1, 100);
            delete from "Plug in"."Odd "" name" where id % 5 = 0; alter table "Plug in"."Odd "" name" add column more int default 7""", 'chat')
        for _ in range(5):
            self.upload(random.randrange(3000))
        with open(self.store + '/brand.png', 'wb') as f:
            f.write(b'x')

    def state(self):
        return self.cluster.rows('chat'), files(self.store)


def tool(*args, codes=(0,)):
    env = {**os.environ, 'PATH': PROGRAMS + ':' + os.environ['PATH'], 'HOME': WORK}
    done = subprocess.run([TOOL, *args], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise RuntimeError(f'{args}: exit {done.returncode}: {done.stderr[-1500:]}')
    return done


def differing(a, b):
    return {k: (a.get(k), b.get(k)) for k in sorted(set(a) | set(b)) if a.get(k) != b.get(k)}


def comes_back(target, snapshot, state, name):
    """As production: nothing differs. As a test installation: what rules name."""
    rows, bodies = state
    tool('restore', REPO, snapshot, '--to-database', target.dsn('real_' + name), '--to-files', f'{WORK}/real_{name}', '--production',
         '--confirm-host', os.uname().nodename)
    have = target.rows('real_' + name)
    claim(have == rows and len(rows) > 60, f'{name}: every row as it was', differing(have, rows))
    claim(files(f'{WORK}/real_{name}') == bodies, f'{name}: every file as it was', differing(files(f'{WORK}/real_{name}'), bodies))
    tool('restore', REPO, snapshot, '--to-database', target.dsn('copy_' + name), '--to-files', f'{WORK}/copy_{name}')
    other = set(differing(target.rows('copy_' + name), rows))
    claim(other <= RULED and 'public.sessions' in other, f'{name}: a copy differs where rules say so', other - RULED)
    have = files(f'{WORK}/copy_{name}')
    claim(have.pop('matterark-test-copy.json', None) and have.pop('brand/image.png', None) and have == bodies,
          f'{name}: and has the same files', differing(have, bodies))


def through_script(target, snapshot, state):
    target.sql("create database script template template0 encoding 'UTF8'", 'postgres')
    env = {**os.environ, 'PATH': PROGRAMS + ':' + os.environ['PATH']}
    done = subprocess.run(['sh', REPO + '/restore.sh', '--production', snapshot, target.dsn('script'), WORK + '/script'], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    claim(done.returncode == 0, 'restore.sh runs', done.stderr)
    rows, bodies = state
    have = target.rows('script') if done.returncode == 0 else {}
    claim(have == rows and files(WORK + '/script') == bodies, 'and gives the same', differing(have, rows))


def main():
    older, newer = sorted((PROGRAMS, os.environ.get('ARK_PG_BIN') or PROGRAMS), key=major)
    target = source = Cluster(WORK + '/pg', older)
    try:
        if newer != older:
            target = Cluster(WORK + '/newer', newer)
            print(f'# from PostgreSQL {major(older)} to {major(newer)}')
        company = Company(source, WORK)
        tool('init', REPO)
        states = []
        for day in range(2):
            if day > 0:
                company.a_day()
            states.append(company.state())
            tool('create', REPO, '--database', source.dsn('chat'), '--files', company.store, '--all-files')
        names = sorted(os.listdir(REPO + '/snapshots'))
        claim(len(names) == 2 and states[0] != states[1], 'two snapshots of two days')
        source.sql('truncate posts', 'chat')
        for name, snapshot, state in zip(('first', 'second'), names, states):
            comes_back(target, snapshot, state, name)
        through_script(target, names[1], states[1])
        said = tool('drill', REPO, '--database', target.dsn('postgres'), '--json').stdout.splitlines()[-1]
        claim(json.loads(said)['files'] == len(states[1][1]), 'drill reads it all', said)
    finally:
        source.stop()
        if target is not source:
            target.stop()
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


PROGRAMS = programs_of_machine()
PSQL = PROGRAMS + '/psql'
if not PROGRAMS or not os.access(PSQL, os.X_OK):
    print('1..0 # SKIP no PostgreSQL here')
    sys.exit(77)
WORK = tempfile.mkdtemp(prefix='ark-round-')
os.chmod(WORK, 0o755)
REPO = WORK + '/repo'
try:
    code = main()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
sys.exit(code)

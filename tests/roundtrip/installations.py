#!/usr/bin/env python3
"""Import into databases that are there already: every older schema level, and one that people use.

  level L   a database with the columns of Mattermost L (tests/harness/mm_schema.py), team made by
            --create-team: import, verify, second run writes nothing
  in use    an 11.6 database with a team, people, a channel of the same name, a direct channel of two of
            the people, somebody else's posts: what was there stays as it was, nothing turns unread,
            accounts are matched by address and not changed, a deactivated or administrator's account is
            not taken
  missing   without the team: exit 4, nothing written

TAP on stdout; skipped without PostgreSQL.   MATTER_IMPORT=… tests/roundtrip/installations.py
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures as fx  # noqa: E402

WORKSPACE = os.path.join(fx.CASES, 'workspace', 'export')
SCHEMA = os.path.join(fx.ROOT, 'tests', 'harness', 'mm_schema.py')

IN_USE = """
insert into users (id, createat, updateat, deleteat, username, password, email, emailverified, nickname, firstname,
  lastname, position, roles, allowmarketing, props, notifyprops, lastpasswordupdate, lastpictureupdate, failedattempts,
  locale, timezone, mfaactive, mfasecret, authservice)
select id, 1, 1, gone, name, 'secret', mail, true, 'Kept', 'Kept', 'Kept', '', role, false, '{}', '{}', 1, 0, 0, 'en',
  '{}', false, '', '' from (values
  ('u1aaaaaaaaaaaaaaaaaaaaaaaa', 'mara.l', 'mara@tidewater-kites.example', 'system_user', 0),
  ('u2aaaaaaaaaaaaaaaaaaaaaaaa', 'boss', 'jonas@tidewater-kites.example', 'system_admin system_user', 0),
  ('u3aaaaaaaaaaaaaaaaaaaaaaaa', 'gone', 'priya@tidewater-kites.example', 'system_user', 5),
  ('u4aaaaaaaaaaaaaaaaaaaaaaaa', 'tomas', 'other@example.org', 'system_user', 0)) v (id, name, mail, role, gone);
insert into teams (id, createat, updateat, deleteat, displayname, name, description, email, type, companyname,
  alloweddomains, inviteid, allowopeninvite, lastteamiconupdate)
values ('t1aaaaaaaaaaaaaaaaaaaaaaaa', 1, 1, 0, 'Acme', 'acme', '', '', 'O', '', '', 'i1aaaaaaaaaaaaaaaaaaaaaaaa', true, 0);
insert into channels (id, createat, updateat, deleteat, teamid, type, displayname, name, header, purpose, lastpostat,
  totalmsgcount, extraupdateat, creatorid, totalmsgcountroot, lastrootpostat)
values ('c1aaaaaaaaaaaaaaaaaaaaaaaa', 1, 1, 0, 't1aaaaaaaaaaaaaaaaaaaaaaaa', 'O', 'Town Square', 'town-square', '', '', 9, 3, 0, '', 3, 9),
  ('c2aaaaaaaaaaaaaaaaaaaaaaaa', 1, 1, 0, 't1aaaaaaaaaaaaaaaaaaaaaaaa', 'O', 'Off-Topic', 'off-topic', '', '', 0, 0, 0, '', 0, 0),
  ('c3aaaaaaaaaaaaaaaaaaaaaaaa', 1, 1, 0, 't1aaaaaaaaaaaaaaaaaaaaaaaa', 'P', 'Their design', 'design', 'h', 'p', 9, 1, 0, '', 1, 9);
insert into publicchannels (id, deleteat, teamid, displayname, name, header, purpose)
select id, deleteat, teamid, displayname, name, header, purpose from channels where type = 'O';
insert into teammembers (teamid, userid, roles, deleteat, schemeuser, schemeadmin, schemeguest, createat)
values ('t1aaaaaaaaaaaaaaaaaaaaaaaa', 'u1aaaaaaaaaaaaaaaaaaaaaaaa', '', 0, true, true, false, 1);
insert into channelmembers (channelid, userid, roles, lastviewedat, msgcount, mentioncount, notifyprops, lastupdateat,
  schemeuser, schemeadmin, schemeguest, mentioncountroot, msgcountroot, urgentmentioncount)
select c, 'u1aaaaaaaaaaaaaaaaaaaaaaaa', '', 9, n, 0, '{}', 1, true, false, false, 0, n, 0
from (values ('c1aaaaaaaaaaaaaaaaaaaaaaaa', 2), ('c2aaaaaaaaaaaaaaaaaaaaaaaa', 0), ('c3aaaaaaaaaaaaaaaaaaaaaaaa', 1)) v (c, n);
insert into channelmemberhistory (channelid, userid, jointime)
select channelid, userid, 1 from channelmembers;
insert into posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, props,
  hashtags, filenames, fileids, hasreactions, editat, ispinned)
select 'p' || n || 'aaaaaaaaaaaaaaaaaaaaaaaa', 5 + n, 5 + n, 0, 'u1aaaaaaaaaaaaaaaaaaaaaaaa', c, '', '', 'ours', '', '{}', '', '[]', '[]', false, 0, false
from (values (1, 'c1aaaaaaaaaaaaaaaaaaaaaaaa'), (2, 'c1aaaaaaaaaaaaaaaaaaaaaaaa'), (3, 'c1aaaaaaaaaaaaaaaaaaaaaaaa'),
  (4, 'c3aaaaaaaaaaaaaaaaaaaaaaaa')) v (n, c);
"""

# Each line must come out as it is written here.
IN_USE_CLAIMS = [
    ("nobody's account was changed",
     "select count(*) from users where firstname = 'Kept' and password = 'secret' and updateat = 1", '4'),
    ('an account is matched by its address',
     "select user_id, matched from matterark.slack_user where slack_id = (select slack_id from matterark.slack_user "
     "where user_id = 'u1aaaaaaaaaaaaaaaaaaaaaaaa')", 'u1aaaaaaaaaaaaaaaaaaaaaaaa|t'),
    ("an administrator's and a deactivated account are not taken",
     "select count(*) from matterark.slack_user where user_id in ('u2aaaaaaaaaaaaaaaaaaaaaaaa', 'u3aaaaaaaaaaaaaaaaaaaaaaaa')", '0'),
    ('a taken user name gets a number', "select count(*) from users where username = 'tomas-2'", '1'),
    ('a taken address is not written twice', "select count(*) from users where email = 'jonas@tidewater-kites.example'", '1'),
    ('a taken channel name is left alone',
     "select displayname, totalmsgcount from channels where id = 'c3aaaaaaaaaaaaaaaaaaaaaaaa'", 'Their design|1'),
    ("Slack's design has a name of its own",
     "select count(*) from channels where displayname = 'design' and name like 'design-%'", '1'),
    ("Slack's general stays a channel of its own", "select count(*) from channels where displayname = 'general'", '1'),
    ('posts of others are as they were', "select count(*) from posts where message = 'ours' and updateat < 10", '4'),
    ('what was unread before is still unread, and nothing else',
     "select count(*), min(c.name), min(c.totalmsgcount - m.msgcount) from channelmembers m join channels c on c.id = m.channelid "
     "where m.msgcount <> c.totalmsgcount", '1|town-square|1'),
    ('new people are in the default channels',
     "select count(*) from teammembers t where schemeuser and not exists (select from channelmembers m join channels c "
     "on c.id = m.channelid where c.name = 'town-square' and m.userid = t.userid)", '0'),
    ('posts carry the time of the run', "select count(*) from posts where message <> 'ours' and updateat < createat", '0'),
]


class Run:
    def __init__(self):
        self.tool = os.path.abspath(os.environ['MATTER_IMPORT'])
        self.count = self.failed = 0

    def say(self, ok, name, why=''):
        self.count += 1
        self.failed += not ok
        print(f'{"ok" if ok else "not ok"} {self.count} - {name}', flush=True)
        for line in why.strip().splitlines() if not ok else []:
            print(f'# {line}', flush=True)

    def call(self, *args):
        done = subprocess.run([self.tool, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={'PATH': os.environ['PATH'], 'HOME': '/nonexistent'}, timeout=fx.TIMEOUT_S)
        return done.returncode, done.stdout + done.stderr


def digest(cluster, db):
    tables = cluster.query(db, "select tablename from pg_tables where schemaname = 'public' order by 1").split()
    return cluster.query(db, ';\n'.join(
        f"select '{t}', count(*), md5(coalesce(string_agg(t.xmin::text || t::text, ',' order by t::text), '')) from public.{t} t"
        for t in tables))


def older_level(run, cluster, level):
    db = 'level_' + level.replace('.', '_')
    cluster.query('postgres', f"create database {db} owner mm template template0 encoding 'UTF8'", user='postgres')
    cluster.query(db, subprocess.run([sys.executable, SCHEMA, level], capture_output=True, text=True, check=True).stdout)
    base = ['--team', 'acme', '--database', cluster.url(db)]
    code, said = run.call('slack', WORKSPACE, *base)
    run.say(code == 4 and "no team 'acme'" in said, f'{level}: without the team it is refused', f'{code}: {said}')
    empty = cluster.query(db, "select count(*) from users; select count(*) from pg_namespace where nspname = 'matterark'").split()
    run.say(empty == ['0', '0'], f'{level}: and nothing was written', str(empty))
    code, said = run.call('slack', WORKSPACE, *base, '--create-team')
    run.say(code == 0, f'{level}: import', f'{code}: {said}')
    counts = cluster.query(db, 'select (select count(*) from posts), (select count(*) from reactions), (select count(*) from threads)').strip()
    run.say(counts == '119|62|21', f'{level}: all rows', counts)
    code, said = run.call('verify', WORKSPACE, *base)
    run.say(code == 0, f'{level}: verify', f'{code}: {said}')
    before = digest(cluster, db)
    code, said = run.call('slack', WORKSPACE, *base)
    run.say(code == 0 and digest(cluster, db) == before, f'{level}: the second run writes nothing', f'{code}: {said}')


def in_use(run, cluster):
    db = 'in_use'
    cluster.query('postgres', f"create database {db} owner mm template template0 encoding 'UTF8'", user='postgres')
    for part in ('tables', 'indexes', 'finish'):
        with open(os.path.join(fx.ROOT, 'common', 'mm', f'schema-11.6-{part}.sql'), encoding='utf-8') as f:
            cluster.query(db, f.read())
    cluster.query(db, IN_USE)
    base = ['--team', 'acme', '--database', cluster.url(db)]
    code, said = run.call('slack', WORKSPACE, *base)
    run.say(code == 0, 'in use: import', f'{code}: {said}')
    for name, sql, want in IN_USE_CLAIMS:
        have = cluster.query(db, sql).strip()
        run.say(have == want, f'in use: {name}', f'{have}, not {want}\n{sql}')
    code, said = run.call('verify', WORKSPACE, *base)
    run.say(code == 0, 'in use: verify', f'{code}: {said}')
    before = digest(cluster, db)
    code, said = run.call('slack', WORKSPACE, *base)
    run.say(code == 0 and digest(cluster, db) == before, 'in use: the second run writes nothing', f'{code}: {said}')
    changed = cluster.query(db, "update posts set message = 'mine now', editat = 99, updateat = 99 where id = (select p.id from posts p "
                                "join matterark.slack_post k on k.post_id = p.id where p.type = '' order by p.id limit 1) returning id").strip()
    code, said = run.call('verify', WORKSPACE, *base)
    run.say(code == 0 and 'changed_here' in said and changed in said, 'in use: verify notes what people changed', f'{code}: {said}')


def main():
    bindir = fx.pg_bindir()
    if not bindir:
        print('1..0 # SKIP no PostgreSQL here')
        return fx.SKIPPED
    run = Run()
    levels = subprocess.run([sys.executable, SCHEMA, '--levels'], capture_output=True, text=True, check=True).stdout.split()
    cluster = fx.Cluster(bindir)
    try:
        cluster.start()
        for level in levels:
            older_level(run, cluster, level)
        in_use(run, cluster)
    finally:
        cluster.stop()
    print(f'1..{run.count}')
    return 1 if run.failed else 0


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as home:
        os.environ['HOME'] = home
        sys.exit(main())

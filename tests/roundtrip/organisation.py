#!/usr/bin/env python3
"""Exports of a whole organisation into a database that people use.

  missing   a team is not there: exit 4 with what to do, nothing written
  map       --team-map by folder and by id, into teams that are there: import, verify, runs; the second run
            and one over a zip with its entries backwards write nothing; undo gives back what was there
  one       --team puts all workspaces into one team; two workspaces that a map puts into one
  names     two folders that would give one name, rows of no workspace, names Mattermost does not take,
            options that mean one team: refused
  singles   workspaces that were imported one by one before: refused, not doubled
  ids       workspaces whose lists do not say which they are
  grown     a later export: new people of a workspace, a channel that moved to the root stays where it is

TAP on stdout; skipped without PostgreSQL.   MATTER_IMPORT=… tests/roundtrip/organisation.py
"""
import json
import os
import shutil
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures as fx  # noqa: E402
import reimport  # noqa: E402

ORG = os.path.join(fx.CASES, 'grid-organisation', 'export')
TEAMS = """
insert into teams (id, createat, updateat, deleteat, displayname, name, description, email, type, companyname,
  alloweddomains, inviteid, allowopeninvite, lastteamiconupdate)
select 't' || n || 'aaaaaaaaaaaaaaaaaaaaaaaa', 1, 1, 0, name, name, '', '', 'O', '', '', 'i' || n || 'aaaaaaaaaaaaaaaaaaaaaaaa',
  true, 0 from (values (1, 'north'), (2, 'south')) v (n, name);
insert into channels (id, createat, updateat, deleteat, teamid, type, displayname, name, header, purpose, lastpostat,
  totalmsgcount, extraupdateat, creatorid, totalmsgcountroot, lastrootpostat)
select 'c' || n || 'aaaaaaaaaaaaaaaaaaaaaaaa', 1, 1, 0, t, 'O', name, name, '', '', 0, 0, 0, '', 0, 0 from (values
  (1, 't1aaaaaaaaaaaaaaaaaaaaaaaa', 'town-square'), (2, 't1aaaaaaaaaaaaaaaaaaaaaaaa', 'dev'),
  (3, 't2aaaaaaaaaaaaaaaaaaaaaaaa', 'town-square'), (4, 't1aaaaaaaaaaaaaaaaaaaaaaaa', 'off-topic'),
  (5, 't2aaaaaaaaaaaaaaaaaaaaaaaa', 'off-topic')) v (n, t, name);
insert into publicchannels (id, deleteat, teamid, displayname, name, header, purpose)
select id, deleteat, teamid, displayname, name, header, purpose from channels;
"""
WHERE = """select t.name, c.name, count(p.id) from channels c join teams t on t.id = c.teamid left join posts p
on p.channelid = c.id group by 1, 2 having count(p.id) > 0 order by 1, 2"""


class Run(reimport.Run):
    def database(self, db):
        """One that Mattermost made, with two teams in it."""
        schema = fx.run([sys.executable, os.path.join(fx.ROOT, 'tests', 'harness', 'mm_schema.py'), '11.6']).stdout
        self.cluster.query('postgres', f"create database {db} owner mm template template0 encoding 'UTF8'", user='postgres')
        self.cluster.query(db, schema)
        self.cluster.query(db, TEAMS)

    def org(self, db, archive, *more, code=0, name='import', says=''):
        got, said = self.call('slack', archive, '--database', self.cluster.url(db), *more)
        self.say(got == code and says in said, f'{db}: {name}', f'{got}: {said}')
        return said

    def map(self, *rows):
        path = os.path.join(self.work, 'map.csv')
        with open(path, 'w', encoding='utf-8') as f:
            f.write('\n'.join(['workspace,team', *rows]) + '\n')
        return path

    def copy(self, name):
        return shutil.copytree(ORG, os.path.join(self.work, name))


def backwards(folder, out):
    """The folder below another one, each list behind the day files, the root's lists last."""
    paths = sorted(os.path.relpath(os.path.join(base, f), folder) for base, _, files in os.walk(folder) for f in files)
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for path in sorted(paths, key=lambda p: (-p.count('/'), p)):
            z.write(os.path.join(folder, path), 'Group export/' + path)
    return out


def missing(run):
    run.database('missing')
    before = run.dump('missing')
    run.org('missing', ORG, code=4, name='a team that is not there is refused', says="no team 'acme-ltd'")
    said = run.org('missing', ORG, code=4, name='and it says what to do', says='--create-team')
    run.say('--team-map' in said, 'missing: both ways', said)
    run.same('missing', 'nothing was written', before, run.dump('missing'))
    run.org('missing', ORG, '--create-team', name='with --create-team')
    run.claims('missing', [('teams were made', 'select count(*) from teams', '4')])


def mapped(run):
    db = 'map'
    run.database(db)
    before = run.dump(db)
    teams = run.map('Acme Ltd,north', 'T0GLOBEX1,south', 'something else,')  # an empty row decides nothing
    run.org(db, ORG, '--team-map', teams, '--report', os.path.join(run.work, 'report'))
    run.consistent(db)
    run.claims(db, [
        ('each in its team', WHERE, 'north|dev-0adev001|1\nnorth|general|1\nsouth|all-hands|4\nsouth|board|1\nsouth|dev|2\n'
                                    'south|general|1'),
        ('members of teams', "select t.name, string_agg(u.username, ',' order by u.username) from teammembers m join teams t on t.id = "
         "m.teamid join users u on u.id = m.userid group by 1 order by 1", 'north|anna,ben,dave\nsouth|anna,cleo,eva,finn'),
        ('members of town squares', "select t.name, count(*) from channelmembers m join channels c on c.id = m.channelid join teams t "
         "on t.id = c.teamid where c.name = 'town-square' group by 1 order by 1", 'north|3\nsouth|3'),
        ('sidebars', 'select count(*), count(distinct teamid) from sidebarcategories', '18|2')])
    with open(os.path.join(run.work, 'report', 'report.json'), encoding='utf-8') as f:
        report = json.load(f)
    found = {c['slack_id']: c['team'] for c in report['channels']}
    run.say([(w['folder'], w['id'], w['team']) for w in report['workspaces']] == [('Acme Ltd', 'T0ACME001', 'north'),
            ('globex', 'T0GLOBEX1', 'south')], 'map: and which workspace went where', str(report['workspaces']))
    run.say(found['C0ADEV001'] == 'north' and found['C0TOWN001'] == 'south' and found['D0ORG0001'] in (None, ''),
            'map: the report names the team of each channel', str(found))
    got, said = run.call('verify', ORG, '--team-map', teams, '--database', run.cluster.url(db))
    run.say(got == 0, 'map: verify', f'{got}: {said}')
    run.say([r['team'] for r in run.runs(db)] == ['north, south'], 'map: runs names both teams', str(run.runs(db)))
    after = run.dump(db)
    run.org(db, ORG, '--team-map', teams, name='once more')
    run.same(db, 'nothing is written', after, run.dump(db))
    run.org(db, backwards(ORG, os.path.join(run.work, 'org.zip')), '--team-map', teams, name='as a zip, entries backwards')
    run.same(db, 'nothing is written either', after, run.dump(db))
    for _ in range(3):
        run.undo_newest(db)
    run.same(db, 'undo gives back what was there', before, run.dump(db))


def one(run):
    run.org('one', ORG, '--team', 'group', '--create-schema', name='all into one team')
    run.claims('one', [('one team', WHERE, 'group|all-hands|4\ngroup|board|1\ngroup|dev|1\ngroup|dev-0bdev001|2\n'
                                           'group|general|1\ngroup|town-square|1'),
                       ('everybody is in it', 'select count(*) from teammembers', '7'),
                       ('mentions find their channel', "select message from posts where message like 'ours%'", 'ours ~dev-0bdev001 theirs ~dev')])
    run.consistent('one')
    run.org('both', ORG, '--team-map', run.map('Acme Ltd,group', 'globex,group'), '--create-schema', name='mapped into one team')
    run.claims('both', [('one team', 'select name from teams', 'group'), ('six of seven belong', 'select count(*) from teammembers', '6')])


def names(run):
    twins = run.copy('twins')
    os.rename(os.path.join(twins, 'teams', 'globex'), os.path.join(twins, 'teams', 'ACME--ltd'))
    run.org('names', twins, '--create-schema', code=2, name='two folders with one name', says='--team-map')
    run.org('names', ORG, '--create-schema', '--team-map', run.map('Acme Ltd,globex'), code=2, name='a map that meets a folder', says="team 'globex'")
    short = run.copy('short')
    os.rename(os.path.join(short, 'teams', 'globex'), os.path.join(short, 'teams', '公司'))
    run.org('names', short, '--create-schema', code=2, name='a folder that gives no name', says='--team-map')
    run.org('names', ORG, '--create-schema', '--team-map', run.map('globx,south'), code=1, name='a row of no workspace', says="no workspace 'globx'")
    for option in (['--into-channel', 'all'], ['--team-name', 'Group'], ['--adopt']):
        run.org('names', ORG, '--create-schema', *option, code=2, name=option[0], says='several')
    run.org('names', ORG, '--create-schema', '--team', 'x1', '--team-map', run.map('globex,south'), code=2, name='a map and a team', says='without --team')
    run.say('names' not in run.cluster.databases(), 'names: nothing was made')


def singles(run):
    for folder, team in (('Acme Ltd', 'acme'), ('globex', 'globex')):
        run.org('singles', os.path.join(ORG, 'teams', folder), '--team', team, '--create-schema', '--create-team', name=f'{team} by itself')
    before = run.dump('singles')
    run.org('singles', ORG, '--create-team', code=4, name='the organisation is refused', says='one by one')
    run.same('singles', 'nothing was written', before, run.dump('singles'))


def grown(run):
    db = 'grown'
    run.org(db, ORG, '--create-schema')
    later = run.copy('later')
    users = os.path.join(later, 'teams', 'Acme Ltd', 'users.json')
    with open(users, encoding='utf-8') as f:
        people = json.load(f)
    people.append({**people[1], 'id': 'W0NEWBI08', 'name': 'newbie', 'profile': {'email': 'newbie@group.example'}})
    with open(users, 'w', encoding='utf-8') as f:
        json.dump(people, f)
    os.rename(os.path.join(later, 'teams', 'Acme Ltd', 'dev'), os.path.join(later, 'dev'))
    with open(os.path.join(later, 'dev', '2023-11-15.json'), 'w', encoding='utf-8') as f:
        json.dump([{'type': 'message', 'user': 'W0EVA0005', 'ts': '1699000000.000100', 'text': 'shared now', 'team': 'T0GLOBEX1'},
                   {'type': 'message', 'user': 'W0EVA0005', 'ts': '1700090000.000100', 'text': 'on it', 'team': 'T0GLOBEX1',
                    'thread_ts': '1699000000.000100'}], f)
    with open(os.path.join(later, 'channels.json'), encoding='utf-8') as f:
        channels = json.load(f)
    channels.append({'id': 'C0ADEV001', 'name': 'dev', 'created': 1600000000, 'members': ['W0EVA0005']})
    with open(os.path.join(later, 'channels.json'), 'w', encoding='utf-8') as f:
        json.dump(channels, f)
    run.org(db, later, name='the later export')
    run.consistent(db)
    run.claims(db, [
        ('the channel stays in its team, new messages too', WHERE, 'acme-ltd|dev|3\nacme-ltd|town-square|1\nglobex|all-hands|4\nglobex|board|1\n'
         'globex|dev|2\nglobex|town-square|1'),
        ('so do its threads', "select t.name from threads h join posts p on p.id = h.postid join teams t on t.id = h.threadteamid where "
         "p.message = 'shared now'", 'acme-ltd'),
        ('its new member from the other workspace, and the new one', "select string_agg(u.username, ',' order by u.username) from teammembers m "
         "join teams t on t.id = m.teamid join users u on u.id = m.userid where t.name = 'acme-ltd'", 'anna,ben,dave,eva,newbie')])


def ids(run):
    """Whose lists do not say which workspace they are of."""
    for name, change in (('tie', lambda people: [{**p, 'team_id': t} for p, t in zip(people, ('T0ACME001', 'T0GLOBEX1'))]),
                         ('guests', lambda people: [{**p, 'is_restricted': True} for p in people[:2]])):
        org = run.copy(name)
        users = os.path.join(org, 'teams', 'globex', 'users.json')
        with open(users, encoding='utf-8') as f:
            people = json.load(f)
        with open(users, 'w', encoding='utf-8') as f:
            json.dump(change(people), f)
        if name == 'guests':  # no message to tell either
            for base, _, files in os.walk(os.path.join(org, 'teams', 'globex')):
                for day in (f for f in files if f[0] == '2'):
                    os.remove(os.path.join(base, day))
        db = 'ids_' + name
        run.org(db, org, '--create-schema', '--report', os.path.join(run.work, name + '-report'), name='import')
        with open(os.path.join(run.work, name + '-report', 'report.json'), encoding='utf-8') as f:
            found = {w['folder']: w['id'] for w in json.load(f)['workspaces']}
        run.say(found == {'Acme Ltd': 'T0ACME001', 'globex': 'T0GLOBEX1'}, f'{db}: its first message, or everybody', str(found))
        run.claims(db, [('what is shared is there', "select t.name from channels c join teams t on t.id = c.teamid where c.name = 'all-hands'", 'globex')])


def main():
    bindir = fx.pg_bindir()
    if not bindir:
        print('1..0 # SKIP no PostgreSQL here')
        return fx.SKIPPED
    cluster = fx.Cluster(bindir)
    with tempfile.TemporaryDirectory() as work:
        try:
            cluster.start()
            run = Run(cluster, work)
            for part in (missing, mapped, one, names, singles, grown, ids):
                part(run)
        finally:
            cluster.stop()
    print(f'1..{run.count}')
    return 1 if run.failed else 0


if __name__ == '__main__':
    sys.exit(main())

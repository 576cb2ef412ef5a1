#!/usr/bin/env python3
"""What people do between two imports stays, what Slack changed follows, and a run can be taken back.

  people      two exports months apart; in between people edit, delete, purge, react, reply, write, sign in;
              the second import, a third that writes nothing, undo of the second: every table of Mattermost's as before
  overwrite   the same with --overwrite: what people changed is Slack's again, what they deleted stays deleted
  built on    undo lists what people built on a run and refuses; --force takes it; order of runs, unknown runs
  beside      undo while others wrote: their part stays, counters are right
  parts       an export of later days only, then the whole: one root, not two; an older one adds and changes nothing
  ages        which archive is the newer one, in one call and in several, whole or in part
  gone        channels and accounts that were deleted for good stay so, with what belongs to them
  scope       verify takes what was asked for from the stored run
  adopt_bots  the same for bots, all names of which are one account there
  adopt       what another importer brought is taken over, updated, and left there by undo
  in use      import into a database that people use, undone: as before
  made        undo of the run that made the database

TAP on stdout; skipped without PostgreSQL.   MATTER_IMPORT=… tests/roundtrip/reimport.py [SCENARIO...]
"""
import datetime
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures as fx  # noqa: E402
import installations as inst  # noqa: E402

T0 = 1700000000
DAY = 86400
PEOPLE = {'U0ANNA001': 'anna', 'U0BEN0002': 'ben', 'U0CLEO003': 'cleo', 'U0DORA004': 'dora', 'U0EMIL005': 'emil'}
ANNA, BEN, CLEO, DORA, EMIL = PEOPLE


def msg(user, at, text, **more):
    ts = f'{T0 + at}.000100'
    return {'type': 'message', 'user': user, 'ts': ts, 'text': text, 'client_msg_id': f'{at}-{user}', **more}


def reply(user, at, root, text, **more):
    return msg(user, at, text, thread_ts=f'{T0 + root}.000100', **more)


def reacted(*pairs):
    return [{'name': name, 'users': list(users), 'count': len(users)} for name, users in pairs]


def edited(message, text, at):
    return {**message, 'text': text, 'edited': {'user': message['user'], 'ts': f'{T0 + at}.000000'}}


def export(folder, channels, gone=()):
    """channels: name -> (id, members, topic, archived, messages)"""
    os.makedirs(folder)
    users = [{'id': i, 'team_id': 'T0ACME001', 'name': n, 'deleted': i in gone, 'is_bot': False, 'updated': T0 - DAY,
              'real_name': n.title(), 'profile': {'real_name': n.title(), 'email': f'{n}@acme.example'}}
             for i, n in PEOPLE.items()]
    lists = []
    for name, (cid, members, topic, archived, messages) in channels.items():
        lists.append({'id': cid, 'name': name, 'created': T0 - DAY, 'creator': ANNA, 'is_archived': archived, 'is_general': False,
                      'members': members, 'topic': {'value': topic}, 'purpose': {'value': ''}})
        days = {}
        for m in messages:
            day = datetime.datetime.fromtimestamp(float(m['ts']), datetime.timezone.utc).strftime('%Y-%m-%d')
            days.setdefault(day, []).append(m)
        for day, list_of in days.items():
            os.makedirs(os.path.join(folder, name), exist_ok=True)
            with open(os.path.join(folder, name, f'{day}.json'), 'w', encoding='utf-8') as f:
                json.dump(list_of, f)
    for name, document in (('users.json', users), ('channels.json', lists)):
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
            json.dump(document, f)
    return folder


EVERYBODY = [ANNA, BEN, CLEO, DORA, EMIL]
DEV = [msg(ANNA, 1, 'one'), msg(BEN, 2, 'two'), msg(ANNA, 3, 'three'), msg(ANNA, 4, 'four'),
       msg(ANNA, 5, 'five', reactions=reacted(('+1', [ANNA]), ('heart', [DORA]))),
       msg(ANNA, 6, 'six'), reply(BEN, 7, 6, 'six a'),
       msg(ANNA, 8, 'eight'), reply(BEN, 9, 8, 'eight a'),
       msg(ANNA, 10, 'ten'), msg(BEN, 11, 'eleven', reactions=reacted(('+1', [ANNA]))), msg(EMIL, 12, 'twelve')]


def first(folder):
    return export(folder, {
        'dev': ('C0DEV0001', EVERYBODY, 'old topic', False, DEV),
        'ops': ('C0OPS0002', EVERYBODY, 'ops', False, [msg(ANNA, 20, 'ops one')]),
        'talk': ('C0TALK003', EVERYBODY, 'talk', False, [msg(ANNA, 21, 'talk one')]),
        'mine': ('C0MINE004', EVERYBODY, 'mine', False, [msg(ANNA, 22, 'mine one')])})


def second(folder):
    dev = {m['text']: m for m in DEV}
    dev['one'] = edited(dev['one'], 'one again', 100 * DAY)
    dev['two'] = edited(dev['two'], 'two again', 100 * DAY)
    dev['three'] = edited(dev['three'], 'three again', 100 * DAY)
    dev['four'] = edited(dev['four'], 'four again', 100 * DAY)
    dev['five'] = {**dev['five'], 'reactions': reacted(('heart', [DORA]), ('eyes', [BEN]), ('tada', [ANNA]))}
    dev['ten'] = {**dev['ten'], 'pinned_to': ['C0DEV0001']}
    late = [reply(CLEO, 100 * DAY, 6, 'six late'), reply(CLEO, 100 * DAY + 1, 8, 'eight late'),
            reply(CLEO, 100 * DAY + 2, 10, 'ten late'),
            msg(CLEO, 100 * DAY + 3, 'new', reactions=reacted(('+1', [ANNA])))]
    return export(folder, {
        'dev-renamed': ('C0DEV0001', EVERYBODY, 'new topic', False, [*dev.values(), *late]),
        'ops': ('C0OPS0002', EVERYBODY, 'ops', True, [msg(ANNA, 20, 'ops one')]),
        'talk': ('C0TALK003', EVERYBODY, 'talk', True, [msg(ANNA, 21, 'talk one')]),
        'mine': ('C0MINE004', EVERYBODY, 'mine of Slack', False, [msg(ANNA, 22, 'mine one')]),
        'brand-new': ('C0NEW0005', [ANNA, BEN], '', False, [msg(BEN, 100 * DAY + 4, 'hello')])}, gone=(DORA, EMIL))


P = "(select id from posts where message = '{0}' and originalid = '')"
U = "(select id from users where username = '{0}')"
POST = """insert into posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, props,
hashtags, filenames, fileids, hasreactions, editat, ispinned) select '{id}', {at}, {at}, 0, """ + U.replace('{0}', '{user}') + """,
c.id, coalesce({root}, ''), '', '{text}', '', '{{}}', '', '[]', '[]', false, 0, false from channels c where c.displayname = '{channel}';
update channels set totalmsgcount = totalmsgcount + 1, totalmsgcountroot = totalmsgcountroot + ({root} is null)::int,
lastpostat = {at}, lastrootpostat = case when {root} is null then {at} else lastrootpostat end where displayname = '{channel}';
update channelmembers m set msgcount = msgcount + 1, msgcountroot = msgcountroot + ({root} is null)::int, lastviewedat = {at}
from channels c where c.id = m.channelid and c.displayname = '{channel}' and m.userid = """ + U.replace('{0}', '{user}') + ';\n'
NOW = (T0 + 50 * DAY) * 1000


def post(ident, channel, user, text, root=None, at=NOW):
    """What a server does when somebody writes: the post and the counters of the channel and of its author."""
    return POST.format(id=ident.ljust(26, '0'), channel=channel, user=user, text=text, at=at,
                       root=P.format(root) if root else 'null')


def react(message, user, emoji):
    return f"""insert into reactions (userid, postid, emojiname, createat, updateat, deleteat, channelid)
    select {U.format(user)}, p.id, '{emoji}', {NOW}, {NOW}, 0, p.channelid from posts p where p.message = '{message}';
    update posts set hasreactions = true, updateat = {NOW} where message = '{message}';\n"""


# Between the two imports.
PEOPLE_DID = f"""
update posts set message = 'two of ours', editat = {NOW}, updateat = {NOW} where message = 'two';
update posts set deleteat = {NOW}, updateat = {NOW}, props = jsonb_set(props, '{{deleteBy}}', '"x"') where message = 'three';
delete from posts where message = 'four';
{react('five', 'cleo', 'tada')}{react('five', 'ben', 'eyes')}
{post('ptalk', 'talk', 'ben', 'people talk')}
{post('preply', 'dev', 'ben', 'six by people', root='six')}
update threads set replycount = 2, lastreplyat = {NOW} where postid = {P.format('six')};
update posts set deleteat = {NOW}, updateat = {NOW} where message in ('eight', 'eight a');
update threads set threaddeleteat = {NOW} where postid = {P.format('eight')};
update reactions set deleteat = {NOW}, updateat = {NOW} where postid = {P.format('eleven')};
update posts set hasreactions = false, updateat = {NOW} where message = 'eleven';
update channels set header = 'mine of Mattermost', updateat = {NOW} where displayname = 'mine';
update publicchannels set header = 'mine of Mattermost' where displayname = 'mine';
update users set lastlogin = {NOW}, password = 'secret', username = 'emil.new' where username = 'emil';
"""

# After the second import. Each line must come out as it is written here.
UNION = [
    ('an edit in Slack follows', "select message, editat from posts where message like 'one%'", f'one again|{(T0 + 100 * DAY) * 1000}'),
    ('an edit in Mattermost stays', "select count(*) from posts where message = 'two of ours'", '1'),
    ('a deleted message stays deleted', "select message, deleteat > 0 from posts where message like 'three%'", 'three|t'),
    ('a purged message stays gone', "select count(*) from posts where message like 'four%'", '0'),
    ('reactions: the union, and nobody loses their own',
     "select string_agg(u.username || ' ' || r.emojiname, ',' order by u.username) from reactions r join users u on u.id = r.userid "
     "join posts p on p.id = r.postid where p.message = 'five'", 'anna tada,ben eyes,cleo tada,dora heart'),
    ('reactions of people are not ours', "select count(*) from matterark.slack_reaction k join users u on u.id = k.user_id where "
                                         "u.username = 'ben' and k.emoji = 'eyes'", '0'),
    ('a reaction that was taken back here stays away', "select r.deleteat > 0 from reactions r join posts p on p.id = r.postid where p.message = 'eleven'", 't'),
    ('a thread of both sides', "select t.replycount, jsonb_array_length(t.participants) from threads t join posts p on p.id = t.postid where p.message = 'six'", '3|2'),
    ('a reply under a deleted root is left out', "select count(*) from posts where message = 'eight late'", '0'),
    ('a message without replies gets its first', "select t.replycount from threads t join posts p on p.id = t.postid where p.message = 'ten'", '1'),
    ('a pin follows', "select ispinned from posts where message = 'ten'", 't'),
    ('new messages', "select count(*) from posts where message in ('new', 'hello', 'six late', 'ten late')", '4'),
    ('a new name and topic follow', "select displayname, header, name from channels where id = (select channel_id from matterark.slack_channel where slack_id = 'C0DEV0001')", 'dev-renamed|new topic|dev'),
    ('a topic that was changed here stays', "select header from channels where displayname = 'mine'", 'mine of Mattermost'),
    ('a channel of nobody else is archived', "select deleteat > 0 from channels where displayname = 'ops'", 't'),
    ('a channel that people use is not', "select deleteat from channels where displayname = 'talk'", '0'),
    ('who never signed in is deactivated', "select deleteat > 0 from users where username = 'dora'", 't'),
    ('who signed in is not, nor changed', "select deleteat, password from users where username = 'emil.new'", '0|secret'),
    ('counters', "select displayname, totalmsgcount, totalmsgcountroot from channels where displayname in ('dev-renamed', 'talk') order by 1",
     'dev-renamed|16|11\ntalk|2|2'),
    ('nothing is unread that was read', "select count(*) from channelmembers m join channels c on c.id = m.channelid join users u on u.id = m.userid "
     "where c.displayname = 'dev-renamed' and c.totalmsgcount - m.msgcount > (u.username <> 'ben')::int", '0'),
]


class Run(inst.Run):
    def __init__(self, cluster, work):
        super().__init__()
        self.cluster, self.work = cluster, work
        self.first = first(os.path.join(work, 'first'))
        self.second = second(os.path.join(work, 'second'))

    def query(self, db, sql):
        return self.cluster.query(db, sql).strip()

    def load(self, db, archive, *more, code=0, name='import'):
        got, said = self.call('slack', archive, '--team', 'acme', '--database', self.cluster.url(db), '--create-schema', *more)
        self.say(got == code, f'{db}: {name}', f'{got}: {said}')
        return said

    def runs(self, db):
        code, out = self.call('runs', '--json', '--database', self.cluster.url(db))
        lines = [json.loads(line) for line in out.splitlines() if line.startswith('{')]
        return [x for x in lines if x.get('message_type') == 'run']

    def undo(self, db, run, *more):
        return self.call('undo', run, '--database', self.cluster.url(db), *more)

    def undo_newest(self, db, *more, code=0, name='undo'):
        newest = [r['run'] for r in self.runs(db) if 'undone' not in r][-1]
        got, said = self.undo(db, newest, *more)
        self.say(got == code, f'{db}: {name}', f'{got}: {said}')
        return said

    def dump(self, db):
        """Every table of Mattermost's, each row as text."""
        return self.rows(db, 'public', self.query(db, fx.TABLES).split())

    def state(self, db):
        return self.rows(db, 'matterark', ['slack_user', 'slack_channel', 'slack_post', 'slack_reaction', 'slack_file',
                                           'slack_adopted', 'change'])

    def rows(self, db, schema, tables):
        found = {t: [] for t in tables}
        for line in self.cluster.query(db, ' union all '.join(f"select to_json('{t}' || ' ' || t::text) from {schema}.{t} t"
                                                              for t in tables)).splitlines():
            table, row = json.loads(line).split(' ', 1)
            found[table].append(row)
        return {t: sorted(rows) for t, rows in found.items()}

    def same(self, db, name, before, after):
        diff = [f'{t}: {sign} {line[:300]}' for t in before for sign, lines in
                (('-', set(before[t]) - set(after[t])), ('+', set(after[t]) - set(before[t]))) for line in sorted(lines)]
        self.say(not diff and before.keys() == after.keys() and all(len(before[t]) == len(after[t]) for t in before),
                 f'{db}: {name}', '\n'.join(diff[:20]))

    def claims(self, db, claims):
        for name, sql, want in claims:
            have = self.query(db, sql)
            self.say(have == want, f'{db}: {name}', f'{have}, not {want}\n{sql}')

    def consistent(self, db):
        with open(fx.CONSISTENCY, encoding='utf-8') as f:
            bad = self.query(db, f.read())
        self.say(not bad, f'{db}: consistent', bad)


def people(run):
    db = 'people'
    run.load(db, run.first)
    run.query(db, PEOPLE_DID)
    before, state = run.dump(db), run.state(db)
    said = run.load(db, run.second, '--verbose', name='second import')
    run.say('left alone' in said, f'{db}: what was left alone is told', said)
    run.claims(db, UNION)
    xmin = inst.digest(run.cluster, db)
    run.load(db, run.second, name='the same again')
    run.say(inst.digest(run.cluster, db) == xmin, f'{db}: and it wrote nothing')
    code, said = run.call('verify', run.second, '--team', 'acme', '--database', run.cluster.url(db))
    run.say(code == 0, f'{db}: verify takes what people did for no failure', f'{code}: {said}')
    run.undo_newest(db, name='undo of the run that did nothing')
    run.say(inst.digest(run.cluster, db) == xmin, f'{db}: wrote nothing either')
    dry = run.undo_newest(db, '--dry-run', name='undo, dry run')
    run.say(inst.digest(run.cluster, db) == xmin, f'{db}: a dry run writes nothing')
    said = run.undo_newest(db)
    plan = [line for line in said.splitlines() if '\t' in line]
    run.say(plan == [line for line in dry.splitlines() if '\t' in line] and plan, f'{db}: the dry run printed the plan', f'{dry}\n---\n{said}')
    run.same(db, 'undone: every table of Mattermost\'s as before', before, run.dump(db))
    run.same(db, 'undone: our own records as before', state, run.state(db))
    run.load(db, run.second, '--memory', '100', name='second import once more, the server compares')
    run.claims(db, UNION)
    xmin = inst.digest(run.cluster, db)
    run.load(db, run.second, '--memory', '100', name='the same again, the server compares')
    run.say(inst.digest(run.cluster, db) == xmin, f'{db}: and it wrote nothing')


def overwrite(run):
    db = 'overwrite'
    run.load(db, run.first)
    run.query(db, PEOPLE_DID)
    before = run.dump(db)
    run.load(db, run.second, '--overwrite')
    run.claims(db, [
        ('an edit in Mattermost is Slack\'s again', "select count(*) from posts where message = 'two again'", '1'),
        ('a deleted message stays deleted', "select message, deleteat > 0 from posts where message like 'three%'", 'three|t'),
        ('a purged message stays gone', "select count(*) from posts where message like 'four%'", '0')])
    run.undo_newest(db)
    run.same(db, 'undone: as people left it', before, run.dump(db))


def built_on(run):
    db = 'built_on'
    run.load(db, run.first)
    before = run.dump(db)
    run.load(db, run.second, name='second import')
    run.query(db, post('pnew', 'dev-renamed', 'anna', 'a reply of people', root='new', at=NOW + 60 * DAY * 1000) +
              react('new', 'ben', 'tada') +
              f"insert into drafts (createat, updateat, deleteat, message, rootid, channelid, userid, props, fileids, priority) "
              f"select 1, 1, 0, 'draft', p.id, p.channelid, p.userid, '{{}}', '[]', '{{}}' from posts p where p.message = 'new';")
    runs = [r['run'] for r in run.runs(db)]
    code, said = run.undo(db, runs[0])
    run.say(code == 4 and runs[1] in said, f'{db}: an older run is refused, the newest is named', f'{code}: {said}')
    code, said = run.undo(db, 'no-such-run')
    run.say(code == 4, f'{db}: an unknown run is refused', f'{code}: {said}')
    there = inst.digest(run.cluster, db)
    said = run.undo_newest(db, code=4, name='undo refuses')
    run.say(all(x in said for x in ('messages and replies of people', 'reactions of people', 'rows of drafts')),
            f'{db}: and lists what people built', said)
    run.undo_newest(db, '--dry-run', code=4, name='so does its dry run')
    run.say(inst.digest(run.cluster, db) == there, f'{db}: nothing was written')
    run.undo_newest(db, '--force', name='undo by force')
    run.consistent(db)
    left = [t for t, rows in run.dump(db).items() if rows != before[t]]
    run.say(set(left) <= {'channels', 'channelmembers'}, f'{db}: only counters of what people wrote are left', str(left))
    run.claims(db, [('the counters have it', "select totalmsgcount, totalmsgcountroot from channels where displayname = 'dev'", '13|10')])
    code, said = run.undo(db, runs[1])
    run.say(code == 4 and 'undone before' in said, f'{db}: undone is undone', f'{code}: {said}')
    said = run.undo_newest(db, name='then the run before')
    run.say(run.query(db, 'select count(*) from posts') == '0', f'{db}: made its database, and leaves nothing')


def beside(run):
    """People write where the run wrote, but not onto it: nothing is refused, nothing of theirs is lost."""
    db = 'beside'
    run.load(db, run.first)
    run.load(db, run.second, name='second import')
    later = NOW + 60 * DAY * 1000
    run.query(db, post('pdev', 'dev-renamed', 'anna', 'after the import', at=later) +
              post('psix', 'dev-renamed', 'anna', 'six after', root='six', at=later + 1) +
              f"update threads set replycount = replycount + 1, lastreplyat = {later + 1}, participants = participants || "
              f"jsonb_build_array({U.format('anna')}) where postid = {P.format('six')};"
              f"update posts set message = 'one by people', editat = {later}, updateat = {later} where message = 'one again';")
    said = run.undo_newest(db)
    run.say('kept' in said, f'{db}: what others changed too is told', said)
    run.consistent(db)
    run.claims(db, [
        ('their messages stay', "select count(*) from posts where message in ('after the import', 'six after')", '2'),
        ('their edit stays', "select count(*) from posts where message = 'one by people'", '1'),
        ('counters are right', "select totalmsgcount, totalmsgcountroot, lastpostat, lastrootpostat from channels where displayname = 'dev'",
         f'14|11|{later + 1}|{later}'),
        ('the thread has theirs and the old one', "select replycount from threads t join posts p on p.id = t.postid where p.message = 'six'", '2'),
        ('read state is right', "select c.totalmsgcount - m.msgcount from channelmembers m join channels c on c.id = m.channelid join users u "
         "on u.id = m.userid where c.displayname = 'dev' and u.username in ('anna', 'ben') order by u.username", '0\n2')])


def parts(run):
    db = 'parts'
    later = export(os.path.join(run.work, 'later'), {
        'dev': ('C0DEV0001', EVERYBODY, 'topic of later', False, [reply(CLEO, 40 * DAY, 6, 'six late')])})
    run.load(db, later, name='later days only')
    run.claims(db, [('a placeholder stands for the root', "select count(*) from posts where rootid = ''", '1')])
    before = run.dump(db)
    said = run.load(db, run.first, '--verbose', name='the whole, older')
    run.say('newer archive' in said, f'{db}: that it is older is told', said)
    run.claims(db, [
        ('one root, with all replies', "select p.message, u.username, t.replycount from posts p join users u on u.id = p.userid join threads t "
         "on t.postid = p.id where p.createat = " + str((T0 + 6) * 1000), 'six|anna|2'),
        ('nothing else changed', "select header from channels where displayname = 'dev'", 'topic of later')])
    run.consistent(db)
    run.undo_newest(db)
    run.same(db, 'undone: as before', before, run.dump(db))
    run.load(db, run.first, name='the whole again')
    run.load(db, later, name='later days again')
    run.claims(db, [('and no second root', "select count(*) from posts where createat between 1700000006000 and 1700000006999", '1')])
    code, said = run.call('verify', run.first, later, '--team', 'acme', '--database', run.cluster.url(db))
    run.say(code == 0, f'{db}: verify', f'{code}: {said}')


def ages(run):
    """Which of two archives is the newer one, their last messages say, not their order nor their last day."""
    db = 'ages'
    old = export(os.path.join(run.work, 'old'), {
        'dev': ('C0DEV0001', EVERYBODY, 'of old', False, [edited(msg(ANNA, 1, 'x'), 'of old', 900), msg(BEN, 30, 'in old')]),
        'alone': ('C0ALONE07', EVERYBODY, '', False, [msg(BEN, 2, 'alone')])})
    new = export(os.path.join(run.work, 'new'), {
        'dev': ('C0DEV0001', EVERYBODY, 'of new', False, [msg(ANNA, 1, 'of new'), msg(BEN, 40, 'in new')])})
    code, said = run.call('slack', new, old, '--team', 'acme', '--database', run.cluster.url(db), '--create-schema')
    run.say(code == 0, f'{db}: both at once', f'{code}: {said}')
    run.claims(db, [
        ('the later copy wins whole', "select message, editat from posts where createat = 1700000001000", 'of new|0'),
        ('what only one has stays', "select string_agg(message, ',' order by createat) from posts where message like 'in %'", 'in old,in new'),
        ('each channel has the age of its archive', "select slack_id, (newest_us / 1000000) - 1700000000 from matterark.slack_channel order by 1",
         'C0ALONE07|30\nC0DEV0001|40')])
    there = inst.digest(run.cluster, db)
    for options in ([], ['--channels', 'dev'], ['--until', '2023-11-14T22:13:22Z']):
        run.load(db, old, *options, name=f'the old one again {options}')
        run.say(inst.digest(run.cluster, db) == there, f'{db}: changes nothing')
    run.load(db, new, '--until', '2023-11-14T22:13:22Z', '--overwrite', name='part of the new one')
    run.say(inst.digest(run.cluster, db) == there, f'{db}: is as new as the whole, and changes nothing')


def gone(run):
    """A channel, an account that somebody deleted for good: nothing of them comes back."""
    db = 'gone'
    run.load(db, run.first)
    run.query(db, """
    create temp table c as select id from channels where displayname = 'talk';
    delete from posts where channelid in (select id from c); delete from channelmembers where channelid in (select id from c);
    delete from channelmemberhistory where channelid in (select id from c); delete from publicchannels where id in (select id from c); delete from channels where id in (select id from c);
    create temp table u as select id from users where username = 'cleo';
    delete from channelmembers where userid in (select id from u); delete from teammembers where userid in (select id from u);
    delete from preferences where userid in (select id from u); delete from channelmemberhistory where userid in (select id from u);
    delete from sidebarcategories where userid in (select id from u); delete from threadmemberships where userid in (select id from u);
    delete from users where id in (select id from u);""")
    said = run.load(db, run.second, '--verbose', name='second import')
    run.say('channel_deleted' in said and 'left out: what they belong to' in said, f'{db}: is told', said)
    run.claims(db, [
        ('the channel stays gone', "select count(*) from channels where displayname = 'talk'", '0'),
        ('so does the account', "select count(*) from users where username like 'cleo%'", '0'),
        ('and what it wrote since', "select count(*) from posts where message in ('new', 'six late')", '0')])
    run.consistent(db)
    code, said = run.call('verify', run.second, '--team', 'acme', '--database', run.cluster.url(db))
    run.say(code == 0, f'{db}: verify', f'{code}: {said}')


def scope(run):
    """verify compares what the run was asked to bring."""
    db = 'scope'
    base = ['--team', 'acme', '--database', run.cluster.url(db)]
    run.load(db, run.first, '--channels', 'dev', '--until', '2023-11-14T22:13:29Z', name='a part')
    code, said = run.call('verify', run.first, *base)
    run.say(code == 0 and ' 3  left out by the import: conversation' in said and ' 4  left out by the import: outside' in said,
            f'{db}: verify takes the scope of the run', f'{code}: {said}')
    code, said = run.call('verify', run.first, *base, '--channels', 'ops')
    run.say(code == 1, f'{db}: one that the caller names counts', f'{code}: {said}')
    run.load(db, run.first, name='the rest')
    run.query(db, "delete from matterark.slack_post where post_id in (select id from posts where message = 'ops one'); "
                  "delete from posts where message = 'ops one'")
    code, said = run.call('verify', run.first, *base)
    run.say(code == 1 and 'missing' in said, f'{db}: then all of it', f'{code}: {said}')
    run.undo_newest(db)
    code, said = run.call('verify', run.first, *base)
    run.say(code == 0, f'{db}: an undone run counts no more', f'{code}: {said}')


# The same rows as another importer makes them: ids of its own for everything, times rounded up, no record of Slack's.
FOREIGN = """
create temp table m as select id as old, substr(md5(id), 1, 26) as new from (select id from users union select id from channels
union select id from posts) x;
do $$declare c record; begin
for c in select table_name t, column_name f from information_schema.columns join pg_tables on tablename = table_name
where table_schema = 'public' and schemaname = 'public' and data_type = 'character varying' loop
execute format('update public.%I x set %I = m.new from m where x.%I = m.old', c.t, c.f, c.f); end loop; end$$;
update threads t set participants = (select coalesce(jsonb_agg(m.new order by n), '[]') from jsonb_array_elements_text(t.participants)
with ordinality p (old, n) join m using (old));
update sidebarcategories s set id = replace(s.id, m.old, m.new) from m where s.userid = m.new;
update posts set createat = createat + 1, updateat = updateat + 1 where message in ('two', 'six');
update posts set message = '**five**' where message = 'five';
update posts set message = 'another wording' where message = 'eight';
drop schema matterark cascade;
"""


def adopt(run):
    db = 'adopt'
    run.load(db, run.first)
    run.query(db, FOREIGN)
    posts = run.query(db, 'select count(*) from posts')
    before = run.dump(db)
    said = run.load(db, run.first, '--adopt', '--verbose', name='the same archive, adopting')
    run.claims(db, [
        ('nothing is doubled', 'select count(*) from posts', posts),
        ('every post is known', 'select count(*) from matterark.slack_post', posts),
        ('accounts are taken over', 'select count(*) from users u where not exists (select from bots b where b.userid = u.id)', '5'),
        ('channels are taken over', "select count(*) from channels where displayname = 'dev'", '1'),
        ('reactions are not doubled', 'select count(*) from reactions', '3')])
    run.say(f'{posts} posts of another importer adopted' in said, f'{db}: is told', said)
    run.same(db, 'adopting changed nothing', before, run.dump(db))
    code, text = run.call('verify', run.first, '--team', 'acme', '--database', run.cluster.url(db))
    run.say(code == 0, f'{db}: verify', f'{code}: {text}')
    there = inst.digest(run.cluster, db)
    run.load(db, run.first, name='once more')
    run.say(inst.digest(run.cluster, db) == there, f'{db}: and that wrote nothing')
    run.load(db, run.second, name='a newer archive')
    run.claims(db, [
        ('edits follow', "select count(*) from posts where message = 'one again'", '1'),
        ('new replies join adopted threads', "select t.replycount from threads t join posts p on p.id = t.postid where p.message = 'six'", '2'),
        ('new messages come', "select count(*) from posts where message in ('new', 'hello', 'six late', 'ten late', 'eight late')", '5')])
    run.consistent(db)
    code, text = run.call('verify', run.second, '--team', 'acme', '--database', run.cluster.url(db))
    run.say(code == 0, f'{db}: verify the newer one', f'{code}: {text}')
    run.undo_newest(db, name='undo')
    run.undo_newest(db, name='undo of the run that wrote nothing')
    run.undo_newest(db, name='undo of the adopting run')
    run.same(db, 'undone: as the other importer left it', before, run.dump(db))


# What mmetl makes of a bot that is no user of the export: one account called after its id, whatever name it posted under.
FOREIGN_BOT = """
create temp table b as select userid as id, row_number() over (order by username) as n from bots join users on id = userid;
update users set username = 'b0deploy1', nickname = 'Unknown Bot' where id = (select id from b where n = 1);
update posts set userid = (select id from b where n = 1) where userid in (select id from b);
""" + ''.join(f"delete from {t} where {c} = (select id from b where n = 2);\n" for t, c in (
    ('channelmembers', 'userid'), ('channelmemberhistory', 'userid'), ('teammembers', 'userid'), ('preferences', 'userid'),
    ('sidebarcategories', 'userid'), ('bots', 'userid'), ('users', 'id')))


def bot(n, name, text):
    return {'type': 'message', 'subtype': 'bot_message', 'bot_id': 'B0DEPLOY1', 'username': name, 'text': text, 'ts': f'{T0 + n}.000000'}


def adopt_bots(run):
    db = 'adopt_bots'
    talk = [msg(ANNA, 1, 'one'), bot(2, 'Deploy', 'deployed'), bot(3, 'Deploy (test)', 'deployed to test')]
    archive = export(os.path.join(run.work, 'bots'), {'dev': ('C0DEV0001', EVERYBODY, '', False, talk)})
    later = export(os.path.join(run.work, 'bots-later'), {'dev': ('C0DEV0001', EVERYBODY, '', False, [
        *talk[:2], bot(3, 'Deploy (test)', 'deployed to the test'), bot(4, 'Deploy', 'deployed again')])})
    run.load(db, archive)
    run.query(db, FOREIGN)
    run.query(db, FOREIGN_BOT)
    before = run.dump(db)
    run.load(db, archive, '--adopt', name='adopting bots')
    run.claims(db, [('no message of a bot is doubled', 'select count(*) from posts', '3'),
                    ('no bot is doubled', 'select count(*) from bots', '1')])
    run.same(db, 'adopting bots changed nothing', before, run.dump(db))
    there = inst.digest(run.cluster, db)
    run.load(db, archive, name='once more')
    run.say(inst.digest(run.cluster, db) == there, f'{db}: and that wrote nothing')
    run.load(db, later, name='a newer archive')
    run.claims(db, [('an edit follows', "select count(*) from posts where message = 'deployed to the test'", '1'),
                    ('a new message comes', "select count(*) from posts where message like 'deployed%'", '3')])
    code, text = run.call('verify', later, '--team', 'acme', '--database', run.cluster.url(db))
    run.say(code == 0, f'{db}: verify', f'{code}: {text}')
    for name in ('undo', 'undo of the run that wrote nothing', 'undo of the adopting run'):
        run.undo_newest(db, name=name)
    run.same(db, 'undone: as the other importer left it', before, run.dump(db))


def in_use(run):
    db = 'reimport_in_use'
    run.cluster.query('postgres', f"create database {db} owner mm template template0 encoding 'UTF8'", user='postgres')
    for part in ('tables', 'indexes', 'finish'):
        with open(os.path.join(fx.ROOT, 'common', 'mm', f'schema-11.6-{part}.sql'), encoding='utf-8') as f:
            run.query(db, f.read())
    run.query(db, inst.IN_USE)
    before = run.dump(db)
    run.load(db, inst.WORKSPACE)
    run.undo_newest(db)
    run.same(db, 'undone: every table as before', before, run.dump(db))


def made(run):
    db = 'made'
    run.load(db, inst.WORKSPACE)
    said = run.undo_newest(db, '--verbose')
    run.say('its tables stay' in said, f'{db}: that the tables stay is told', said)
    full = {t: len(rows) for t, rows in run.dump(db).items() if rows and t not in ('db_migrations', 'systems', 'roles')}
    run.say(not full, f'{db}: no row is left', str(full))
    run.load(db, inst.WORKSPACE, '--create-team', name='import after undo')
    code, said = run.call('verify', inst.WORKSPACE, '--team', 'acme', '--database', run.cluster.url(db))
    run.say(code == 0, f'{db}: verify', f'{code}: {said}')


def main():
    bindir = fx.pg_bindir()
    if not bindir or not shutil.which('psql'):
        print('1..0 # SKIP no PostgreSQL here')
        return fx.SKIPPED
    cluster = fx.Cluster(bindir)
    with tempfile.TemporaryDirectory() as work:
        os.environ['HOME'] = work
        run = Run(cluster, work)
        try:
            cluster.start()
            for scenario in (people, overwrite, built_on, beside, parts, ages, gone, scope, adopt, adopt_bots, in_use, made):
                if sys.argv[1:] and scenario.__name__ not in sys.argv[1:]:
                    continue
                try:
                    scenario(run)
                except fx.Failure as problem:
                    run.say(False, scenario.__name__, str(problem))
        finally:
            cluster.stop()
    print(f'1..{run.count}')
    return 1 if run.failed else 0


if __name__ == '__main__':
    sys.exit(main())

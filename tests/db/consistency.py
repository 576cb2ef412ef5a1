#!/usr/bin/env python3
"""Every query of consistency.sql finds what it names, and nothing in a good database.

A small good database is written by hand into our schema; then one thing after another is broken in a
transaction, and the claim that covers it must speak up. A claim without such a case fails. TAP; skipped
without PostgreSQL.
"""
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'roundtrip'))
sys.dont_write_bytecode = True
from fixtures import Cluster, Failure, pg_bindir  # noqa: E402

CHECKS = os.path.join(HERE, 'consistency.sql')
TABLES = os.path.join(HERE, '..', '..', 'common', 'mm', 'schema-11.6-tables.sql')


def oid(name):
    """An id that shows what it is."""
    return (name + 'y' * 26)[:26]


A, B, C, G, BOT = (oid(n) for n in ('anna', 'ben', 'cleo', 'guest', 'robot'))
TEAM, TOWN, OFF, PRIV, DM, GM = (oid(n) for n in ('team', 'town', 'offtopic', 'board', 'direct', 'group'))
ROOT, REPLY, REPLY2, JOIN, NOTE, PIC = (oid(n) for n in ('root', 'replyone', 'replytwo', 'join', 'note', 'pic'))
FILE, EMOJI = oid('file'), oid('emoji')


def user(uid, name, roles='system_user', email=None):
    return f"""insert into users (id, createat, updateat, deleteat, username, password, authdata, authservice, email,
 emailverified, nickname, firstname, lastname, position, roles, allowmarketing, props, notifyprops, lastpasswordupdate,
 lastpictureupdate, failedattempts, locale, timezone, mfaactive, mfasecret) values ('{uid}', 1, 1, 0, '{name}', '', null, '',
 '{email or name + '@acme.example'}', true, '', '', '', '', '{roles}', false, '{{}}', '{{"email":"false"}}', 1, 0, 0, 'en', '{{}}', false, '');
insert into teammembers (teamid, userid, roles, deleteat, schemeuser, schemeadmin, schemeguest, createat)
 values ('{TEAM}', '{uid}', '', 0, {'guest' not in roles}, false, {'guest' in roles}, 1);"""


def channel(cid, kind, name, display, team=TEAM, total=0, roots=0, last=0):
    public = f"""insert into publicchannels (id, deleteat, teamid, displayname, name, header, purpose)
 values ('{cid}', 0, '{team}', '{display}', '{name}', '', '');""" if kind == 'O' else ''
    return f"""insert into channels (id, createat, updateat, deleteat, teamid, type, displayname, name, header, purpose,
 lastpostat, totalmsgcount, extraupdateat, creatorid, totalmsgcountroot, lastrootpostat) values ('{cid}', 1, 1, 0, '{team}',
 '{kind}', '{display}', '{name}', '', '', {last}, {total}, 0, '', {roots}, {last});""" + public


def member(cid, uid, guest=False):
    return f"""insert into channelmembers (channelid, userid, roles, lastviewedat, msgcount, mentioncount, notifyprops,
 lastupdateat, schemeuser, schemeadmin, schemeguest, mentioncountroot, msgcountroot, urgentmentioncount)
 select id, '{uid}', '', 99, totalmsgcount, 0, '{{}}', 99, {not guest}, false, {guest}, 0, totalmsgcountroot, 0
 from channels where id = '{cid}';
insert into channelmemberhistory (channelid, userid, jointime) values ('{cid}', '{uid}', 1);"""


def post(pid, cid, uid, at, root='', message='text', kind='', files='[]', reactions=False, updated=None):
    return f"""insert into posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type,
 props, hashtags, filenames, fileids, hasreactions, editat, ispinned) values ('{pid}', {at}, {updated or at}, 0, '{uid}', '{cid}',
 '{root}', '', '{message}', '{kind}', '{{}}', '', '[]', '{files}', {reactions}, 0, false);"""


GOOD = '\n'.join([
    f"""insert into teams (id, createat, updateat, deleteat, displayname, name, description, email, type, companyname,
 alloweddomains, inviteid, allowopeninvite, lastteamiconupdate) values ('{TEAM}', 1, 1, 0, 'Acme', 'acme', '', '', 'I', '', '',
 '{oid('invite')}', false, 0);""",
    channel(TOWN, 'O', 'town-square', 'Town Square', total=3, roots=1, last=30), channel(OFF, 'O', 'off-topic', 'Off-Topic'),
    channel(PRIV, 'P', 'board', 'Board', total=1, roots=1, last=10),
    channel(DM, 'D', f'{A}__{B}', '', '', 1, 1, 10), channel(GM, 'G', 'a' * 40, 'anna, ben, cleo', ''),
    user(A, 'anna'), user(B, 'ben'), user(C, 'cleo'), user(G, 'gus', 'system_guest'), user(BOT, 'robot', email='robot@localhost'),
    f"insert into bots (userid, description, ownerid, createat, updateat, deleteat, lasticonupdate) values ('{BOT}', '', '{A}', 1, 1, 0, 0);",
    *(member(TOWN, u) for u in (A, B, C, BOT)), member(PRIV, A), member(PRIV, G, True), member(DM, A), member(DM, B),
    *(member(GM, u) for u in (A, B, C)),
    post(ROOT, TOWN, A, 10, reactions=True, updated=30), post(REPLY, TOWN, B, 20, ROOT), post(REPLY2, TOWN, C, 30, ROOT),
    post(JOIN, TOWN, C, 5, kind='system_join_channel'), post(NOTE, DM, A, 10),
    post(PIC, PRIV, A, 10, files=f'["{FILE}"]'),
    f"""insert into reactions (userid, postid, emojiname, createat, updateat, deleteat, channelid)
 values ('{B}', '{ROOT}', 'tada', 11, 11, 0, '{TOWN}');""",
    f"""insert into threads (postid, replycount, lastreplyat, participants, channelid, threaddeleteat, threadteamid)
 values ('{ROOT}', 2, 30, '["{B}", "{C}"]', '{TOWN}', 0, '{TEAM}');""",
    f"insert into threadmemberships (postid, following, lastviewed, lastupdated, userid, unreadmentions) values ('{ROOT}', true, 99, 99, '{A}', 0);",
    f"""insert into fileinfo (id, creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath, name,
 extension, size, mimetype, width, height, haspreviewimage, channelid, archived) values ('{FILE}', '{A}', '{PIC}', 10, 10, 0,
 '20240101/teams/x/a.png', '', '', 'a.png', 'png', 1, 'image/png', 1, 1, false, '{PRIV}', false);""",
    f"insert into emoji (id, createat, updateat, deleteat, creatorid, name) values ('{EMOJI}', 1, 1, 0, '', 'acme_kite');",
    f"insert into preferences (userid, category, name, value) values ('{A}', 'flagged_post', '{ROOT}', 'true');",
])

# claim -> what breaks it
BREAKS = [
    ('users: NULL', "update users set nickname = null where username = 'ben'"),
    ('users: NULL', "update users set timezone = null where username = 'ben'"),
    ('users: empty authdata', "update users set authdata = '' where username = 'ben'"),
    ('bots: NULL', "update bots set description = null"),
    ('teams: NULL', "update teams set companyname = null"),
    ('teams: NULL', "update teams set inviteid = ''"),
    ('teammembers: NULL', "update teammembers set schemeadmin = null where userid = '%s'" % A),
    ('channels: NULL', "update channels set lastrootpostat = null where name = 'board'"),
    ('publicchannels: NULL', "update publicchannels set purpose = null where name = 'off-topic'"),
    ('channelmembers: NULL', "update channelmembers set urgentmentioncount = null where userid = '%s'" % A),
    ('posts: NULL', "update posts set hashtags = null where id = '%s'" % NOTE),
    ('reactions: NULL', "update reactions set updateat = null"),
    ('fileinfo: NULL', "update fileinfo set previewpath = null"),
    ('threads: NULL', "update threads set threadteamid = null"),
    ('threadmemberships: NULL', "update threadmemberships set unreadmentions = null"),
    ('emoji: NULL', "update emoji set creatorid = null"),
    ('id: not 26 of [a-z0-9]', "update emoji set id = 'EMOJI'"),
    ('users: user name', "update users set username = 'Ben' where username = 'ben'"),
    ('users: user name', "update users set username = 'channel' where username = 'ben'"),
    ('users: e-mail', "update users set email = 'Ben@acme.example' where username = 'ben'"),
    ('users: map with a value that is no string', """update users set props = '{"a": 1}' where username = 'ben'"""),
    ('teams: name', "update teams set name = '-acme'"),
    ('channels: name', "update channels set name = repeat('a', 40) where name = 'board'"),
    ('channels: shown name', "update channels set displayname = '' where name = 'board'"),
    ('emoji: name', "update emoji set name = 'a kite'"),
    ('reactions: name', "update reactions set emojiname = ':tada:'"),
    ('teams: default channel missing', "update channels set name = 'offtopic' where name = 'off-topic'"),
    ('channels: open without publicchannels row, or another one', "delete from publicchannels where name = 'off-topic'"),
    ('channels: open without publicchannels row, or another one', "update channels set header = 'x' where name = 'off-topic'"),
    ('publicchannels: no open channel', "update channels set type = 'P' where name = 'off-topic'"),
    ('channels: direct or group with a team', "update channels set teamid = '%s' where type = 'D'" % TEAM),
    ('channels: open or private without a team', "update channels set teamid = '' where name = 'board'"),
    ('channels: direct name and members differ', "delete from channelmembers where channelid = '%s' and userid = '%s'" % (DM, B)),
    ('channels: group of other than 3 to 8', "delete from channelmembers where channelid = '%s' and userid = '%s'" % (GM, B)),
    ('channels: message counters too small', "update channels set totalmsgcount = 2 where name = 'town-square'"),
    ('channels: message counters too small', "update channels set lastpostat = 29 where name = 'town-square'"),
    ('channelmembers: unknown channel or user', "update channelmembers set userid = '%s' where userid = '%s'" % (oid('nobody'), C)),
    ('channelmembers: more read than written', "update channelmembers set msgcount = 9 where channelid = '%s'" % PRIV),
    ('channelmembers: not in the team', "update teammembers set deleteat = 5 where userid = '%s'" % C),
    ('channelmembers: guest and member flags', "update channelmembers set schemeuser = false where userid = '%s'" % C),
    ('teammembers: guest and member flags', "update teammembers set schemeuser = false where userid = '%s'" % C),
    ('guests: role and flags differ', "update users set roles = 'system_user' where username = 'gus'"),
    ('teammembers: unknown team or user', "update teammembers set teamid = '%s' where userid = '%s'" % (oid('noteam'), C)),
    ('teammembers: not in town-square', "delete from channelmembers where channelid = '%s' and userid = '%s'" % (TOWN, C)),
    ('bots: no user', "update bots set userid = '%s'" % oid('nobody')),
    ('channelmemberhistory: unknown channel or user', "update channelmemberhistory set channelid = '%s' where userid = '%s'" % (oid('no'), BOT)),
    ('posts: unknown channel or user', "update posts set userid = '%s' where id = '%s'" % (oid('nobody'), NOTE)),
    ('posts: root not found, in another channel, or a reply itself', "update posts set rootid = '%s' where id = '%s'" % (REPLY, REPLY2)),
    ('posts: root not found, in another channel, or a reply itself', "update posts set rootid = '%s' where id = '%s'" % (NOTE, REPLY2)),
    ('posts: reply not after its root', "update posts set createat = 10 where id = '%s'" % REPLY),
    ('posts: same time twice in a channel', "update posts set createat = 20 where id = '%s'" % REPLY2),
    ('posts: times', "update posts set updateat = 9 where id = '%s'" % NOTE),
    ('posts: props no object', "update posts set props = '[]' where id = '%s'" % NOTE),
    ('posts: too long', "update posts set message = repeat('x', 16384) where id = '%s'" % NOTE),
    ('posts: type', "update posts set type = 'system_party' where id = '%s'" % NOTE),
    ('posts: hasreactions', "update posts set hasreactions = false where id = '%s'" % ROOT),
    ('posts: hasreactions', "update reactions set deleteat = 12"),
    ('reactions: post or user missing, or another channel', "update reactions set channelid = '%s'" % DM),
    ('threads: differs from its replies', "update threads set replycount = 3"),
    ('threads: differs from its replies', "delete from threads"),
    ('threads: root missing', "update threads set postid = '%s'" % REPLY),
    ('threads: participants', """update threads set participants = '["%s", "%s"]'""" % (C, B)),
    ('threads: participant without user', """update threads set participants = '["%s"]'""" % oid('nobody')),
    ('threads: team', "update threads set threadteamid = ''"),
    ('threadmemberships: thread or user missing', "update threadmemberships set userid = '%s'" % oid('nobody')),
    ('fileinfo: post missing, or another channel', "update fileinfo set channelid = ''"),
    ('fileinfo: path', "update fileinfo set path = '../a.png'"),
    ('fileinfo: path', "update fileinfo set haspreviewimage = true"),
    ('posts: file ids', "update posts set fileids = '[]' where id = '%s'" % PIC),
    ('posts: file ids', "update fileinfo set postid = '%s'" % NOTE),
    ('preferences: saved message missing', "update preferences set name = '%s'" % oid('nopost')),
    ('postacknowledgements: post missing', "insert into postacknowledgements (postid, userid, acknowledgedat) values ('%s', '%s', 1)" % (oid('nopost'), A)),
    ('postspriority: post missing', "insert into postspriority (postid, channelid, priority) values ('%s', '%s', 'urgent')" % (oid('nopost'), TOWN)),
]


def main():
    bindir = pg_bindir()
    if not bindir or not shutil.which('psql'):
        print('1..0 # SKIP no PostgreSQL here')
        return 0
    with open(CHECKS, encoding='utf-8') as f:
        checks = f.read()
    with open(TABLES, encoding='utf-8') as f:
        tables = f.read()
    claims = set(re.findall(r"^select '([^']+)'", checks, re.M))
    results = []
    cluster = Cluster(bindir)
    try:
        cluster.start()
        cluster.query('postgres', 'create database good')
        cluster.query('good', tables + GOOD)
        said = cluster.query('good', checks)
        results.append(('a good database', said == '', said))
        script = ''.join(f'begin; {sql};\n\\echo @@{n}\n{checks}\nrollback;\n' for n, (_, sql) in enumerate(BREAKS))
        parts = cluster.query('good', script).split('@@')[1:]
        for (claim, sql), part in zip(BREAKS, parts, strict=True):
            results.append((f'{claim}: {sql}', any(line.split('|')[0] == claim for line in part.splitlines()[1:]), part))
        missing = sorted(claims - {claim for claim, _ in BREAKS})
        results.append(('every claim has a case', not missing, '\n'.join(missing)))
    except Failure as bad:
        results.append(('the queries run', False, str(bad)))
    finally:
        cluster.stop()
    print(f'1..{len(results)}')
    for n, (claim, good, talk) in enumerate(results, 1):
        print(f'{"ok" if good else "not ok"} {n} - {claim.replace("#", " ")}')
        if not good:
            print('\n'.join('# ' + line for line in talk.splitlines()[:20]))
    return 0 if all(good for _, good, _ in results) else 1


if __name__ == '__main__':
    sys.exit(main())

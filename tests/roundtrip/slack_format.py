#!/usr/bin/env python3
"""A Slack export imported, exported in Slack's layout, and imported again into another database: the same.

For each case: fixtures/slack/CASE -> database A -> matter-export run --format slack -> database B, then
  people       user name, nickname, names, position, e-mail, deactivated, bot
  channels     name, kind, display name, topic, purpose, archived, who is in it
  messages     the same id (so the same time stamp, and the same message for the next import), time, author,
               channel, thread, kind, edited, pinned, text
  reactions    who, with what, on what
  files        name, size, on what; with bodies the same bytes
What differs must stand in slack_format.txt with the case and the reason.

TAP on stdout; skipped without PostgreSQL.
  MATTER_IMPORT=... MATTER_EXPORT=... tests/roundtrip/slack_format.py [CASE...]
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures as fx  # noqa: E402

KNOWN = os.path.join(fx.HERE, 'slack_format.txt')
# Every kind of thing once; all of fixtures/slack with ARK_TEST_FULL=1.
SHORT = ['workspace', 'subtypes-all', 'text-mrkdwn', 'blocks-kinds', 'attachments-kinds', 'thread-orphans',
         'thread-across-days', 'pins-three-ways', 'reactions-skin-tones-and-unknown', 'same-millisecond',
         'private-channel', 'mpim-of-nine', 'root-tombstone', 'edited', 'bot-many-usernames', 'guests']

# A row is a line; lines are compared as sets, per table.
TABLES = {
    'people': """select u.username, u.nickname, u.firstname, u.lastname, u.position, u.email, u.deleteat > 0,
        exists (select from bots b where b.userid = u.id) from users u""",
    'channels': """select c.name, c.type, c.displayname, c.header, c.purpose, c.deleteat > 0, (select
        string_agg(u.username, ',' order by u.username) from channelmembers m join users u on u.id = m.userid
        where m.channelid = c.id and not exists (select from bots b where b.userid = u.id))
        from channels c where c.type in ('O', 'P') or c.totalmsgcount > 0""",
    'messages': """select p.id, p.createat, u.username, c.displayname, p.rootid, p.type, p.editat > 0, p.ispinned,
        replace(btrim(regexp_replace(p.message, '\\s+', ' ', 'g')), '​', '') from posts p join users u on u.id = p.userid
        join channels c on c.id = p.channelid""",
    'reactions': """select r.postid, u.username, r.emojiname from reactions r join users u on u.id = r.userid
        where r.deleteat = 0""",
    'files': """select f.postid, f.name, f.size, f.mimetype from fileinfo f where f.postid <> ''""",
}


def known_differences():
    """{case: {table: [regular expression]}}"""
    known = {}
    for line in open(KNOWN, encoding='utf-8'):
        if line.strip() and not line.startswith('#'):
            case, table, pattern, _reason = line.rstrip('\n').split('\t')
            known.setdefault(case, {}).setdefault(table, []).append(pattern)
    return known


class Trip:
    def __init__(self, case, cluster, known):
        self.case = fx.Case(case, [], cluster)
        self.cluster = cluster
        self.known = known.get(case, {})
        self.used = set()
        os.makedirs(self.case.tmp, exist_ok=True)

    def tool(self, args, allowed):
        env = {k: v for k, v in os.environ.items() if not k.startswith(('MATTERARK_', 'MM_', 'PG'))}
        env.update(HOME=self.case.tmp, TMPDIR=self.case.tmp, LC_ALL='C.UTF-8')
        done = fx.run(args, env=env)
        if done.returncode not in allowed:
            raise fx.Failure(f'{os.path.basename(args[0])} {args[1]}: exit {done.returncode}: {done.stderr.strip()}')

    def load(self, archives, letter):
        database = f'{self.case.db}_{letter}'
        files = os.path.join(self.case.tmp, 'files-' + letter)
        self.tool([os.environ['MATTER_IMPORT'], 'slack', *archives, '--team', 'acme', '--create-schema',
                   '--database', self.cluster.url(database), '--files', files], (0, 3))
        return database, files

    def rows(self, database, table):
        return set(self.cluster.query(database, TABLES[table]).split('\n')) - {''}

    def explained(self, table, row):
        for pattern in self.known.get(table, []):
            if re.search(pattern, row):
                self.used.add((table, pattern))
                return True
        return False

    def differences(self, a, b):
        found = []
        for table in TABLES:
            before, after = self.rows(a, table), self.rows(b, table)
            for sign, rows in (('-', before - after), ('+', after - before)):
                found += [f'{table} {sign} {row}' for row in sorted(rows) if not self.explained(table, row)]
        return found

    def bodies(self, database, files):
        paths = self.cluster.query(database, "select path from fileinfo where path <> '' order by name").split()
        out = []
        for path in paths:
            with open(os.path.join(files, path), 'rb') as f:
                out.append(f.read())
        return out

    def run(self):
        calls = self.case.archives('folder')
        if len(calls) != 1 or self.case.exits[0] not in (0, 3):
            return 'skip'
        a, files_a = self.load(calls[0], 'a')
        out = os.path.join(self.case.tmp, 'out')
        self.tool([os.environ['MATTER_EXPORT'], 'run', '--database', self.cluster.url(a), '--files', files_a,
                   '--direct', '--attachments', 'copy', '--format', 'slack', '--out', out], (0, 3))
        b, files_b = self.load([os.path.join(out, 'data', 'slack', 'export.zip')], 'b')
        found = self.differences(a, b)
        if self.bodies(a, files_a) != self.bodies(b, files_b):
            found.append('bodies of files')
        unused = {(t, p) for t, ps in self.known.items() for p in ps} - self.used
        found += [f'no difference any more: {table} {pattern}' for table, pattern in sorted(unused)]
        if found:
            raise fx.Failure('\n'.join(found[:40]))
        return 'ok'


def main():
    bindir = fx.pg_bindir()
    if bindir is None:
        print('1..0 # SKIP no PostgreSQL')
        sys.exit(fx.SKIPPED)
    everything = sorted(n for n in os.listdir(fx.CASES) if os.path.isdir(os.path.join(fx.CASES, n)))
    cases = sys.argv[1:] or (everything if os.environ.get('ARK_TEST_FULL') else SHORT)
    known = known_differences()
    cluster = fx.Cluster(bindir)
    failed = 0
    try:
        cluster.start()
        print(f'1..{len(cases)}')
        for n, case in enumerate(cases, 1):
            try:
                outcome = Trip(case, cluster, known).run()
                print(f'ok {n} - {case}' + (' # SKIP takes no single archive' if outcome == 'skip' else ''), flush=True)
            except (fx.Failure, subprocess.TimeoutExpired) as e:
                failed += 1
                for line in str(e).split('\n'):
                    print('# ' + line)
                print(f'not ok {n} - {case}', flush=True)
    finally:
        cluster.stop()
    sys.exit(1 if failed else 0)


main()

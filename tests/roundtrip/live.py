#!/usr/bin/env python3
"""An import, and its undo, into a database in which people write all the time.

A session writes as a server does: a post or a reply, the counters of its channel, of its thread and of its
author's membership, in small transactions, without a pause. Meanwhile a newer archive is imported, and the run
undone. Afterwards every counter is what the rows say, and nobody waited long.

ARK_LIVE_MESSAGES=N  size of the archive (default 6000). Prints how long the longest wait was.
TAP on stdout; skipped without PostgreSQL.   MATTER_IMPORT=… GEN_SLACK=… tests/roundtrip/live.py
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fixtures as fx  # noqa: E402
import installations as inst  # noqa: E402

MESSAGES = int(os.environ.get('ARK_LIVE_MESSAGES', '6000'))
LONGEST_S = 5   # a bound that only something very wrong passes; the measured value is printed

# One post: every third one is a reply to the newest thread of the channel.
WRITE = """begin;
create temp table w on commit drop as select c.id as channel, m.userid, {n} % 3 = 0 as is_reply, (select t.postid from threads t
  where t.channelid = c.id order by t.lastreplyat desc limit 1) as root, {at}::bigint as at
  from channels c join channelmembers m on m.channelid = c.id where c.totalmsgcount > 20 order by md5(c.id || m.userid || {n}) limit 1;
update w set is_reply = false where root is null;
insert into posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, props, hashtags, filenames,
  fileids, hasreactions, editat, ispinned) select 'live' || lpad('{n}', 22, '0'), at, at, 0, userid, channel,
  case when is_reply then root else '' end, '', 'live', '', '{{}}', '', '[]', '[]', false, 0, false from w;
update threads t set replycount = replycount + 1, lastreplyat = w.at, participants = (t.participants - w.userid) || jsonb_build_array(w.userid)
  from w where t.postid = w.root and w.is_reply;
update posts p set updateat = w.at from w where p.id = w.root and w.is_reply;
commit;
update channels c set totalmsgcount = totalmsgcount + 1, totalmsgcountroot = totalmsgcountroot + (p.rootid = '')::int,
  lastpostat = greatest(lastpostat, p.createat), lastrootpostat = case when p.rootid = '' then greatest(lastrootpostat, p.createat)
  else lastrootpostat end from posts p where p.id = 'live' || lpad('{n}', 22, '0') and c.id = p.channelid;
update channelmembers m set msgcount = msgcount + 1, msgcountroot = msgcountroot + (p.rootid = '')::int from posts p
  where p.id = 'live' || lpad('{n}', 22, '0') and m.channelid = p.channelid and m.userid = p.userid;
select 'done';
"""

# What the rows say against what is counted; nothing may come out.
WRONG = """
select 'channel', c.name, c.totalmsgcount, x.n, c.totalmsgcountroot, x.roots from channels c join lateral (select count(*) as n,
count(*) filter (where p.rootid = '') as roots from posts p where p.channelid = c.id and p.type not in ('system_join_channel',
'system_leave_channel', 'system_add_to_channel')) x on true where (c.totalmsgcount, c.totalmsgcountroot) <> (x.n, x.roots);
select 'member', m.userid, m.msgcount, c.totalmsgcount from channelmembers m join channels c on c.id = m.channelid
where m.msgcount > c.totalmsgcount or m.msgcountroot > c.totalmsgcountroot;
select 'unread', m.userid, sum(c.totalmsgcount - m.msgcount), (select count(*) from posts p join channelmembers y on
y.channelid = p.channelid where y.userid = m.userid and p.userid <> m.userid and p.message = 'live') from channelmembers m join channels c
on c.id = m.channelid group by m.userid having sum(c.totalmsgcount - m.msgcount) <> (select count(*) from posts p join channelmembers y
on y.channelid = p.channelid where y.userid = m.userid and p.userid <> m.userid and p.message = 'live');
select 'thread', t.postid, t.replycount, x.n from threads t join lateral (select count(*) as n from posts p where p.rootid = t.postid and
p.deleteat = 0) x on true where t.replycount <> x.n;
"""


class People(threading.Thread):
    """The session that writes."""

    def __init__(self, url, first):
        super().__init__(daemon=True)
        self.first = first # number of its first post
        self.psql = subprocess.Popen(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=0', '-f', '-', url], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.over = threading.Event()
        self.waits = []

    def run(self):
        n = self.first
        while not self.over.is_set():
            n += 1
            began = time.monotonic()
            self.psql.stdin.write(WRITE.format(n=n, at=int(time.time() * 1000)))
            self.psql.stdin.flush()
            self.psql.stdout.readline()
            self.waits.append(time.monotonic() - began)

    def end(self):
        self.over.set()
        self.join()
        said = self.psql.communicate()[1]
        return said


class Watch(threading.Thread):
    """What the writer waits for: statements of ours that were under way while a lock was in its way."""

    ASK = """select left(regexp_replace(b.query, '\\s+', ' ', 'g'), 110) from pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) x
      join pg_stat_activity b on b.pid = x where w.application_name = 'psql' and w.wait_event_type = 'Lock' limit 1; select 'done';
"""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.psql = subprocess.Popen(['psql', '-XAtq', '-f', '-', url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     env={**os.environ, 'PGAPPNAME': 'watch'}, text=True)
        self.over = threading.Event()
        self.seen = {} # statement to seconds

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            self.psql.stdin.write(self.ASK)
            self.psql.stdin.flush()
            held = None
            while (line := self.psql.stdout.readline().strip()) not in ('done', ''):
                held = line
            time.sleep(0.01)
            if held:
                self.seen[held] = self.seen.get(held, 0) + time.monotonic() - began

    def end(self):
        self.over.set()
        self.join()
        self.psql.communicate()
        for held, seconds in sorted(self.seen.items(), key=lambda x: -x[1])[:8]:
            print(f'#   {seconds * 1000:6.0f} ms behind {held}')


def main():
    bindir = fx.pg_bindir()
    if not bindir or not shutil.which('psql'):
        print('1..0 # SKIP no PostgreSQL here')
        return fx.SKIPPED
    fx.TIMEOUT_S = max(fx.TIMEOUT_S, MESSAGES // 100)
    run = inst.Run()
    cluster = fx.Cluster(bindir)
    with tempfile.TemporaryDirectory() as work:
        archives = []
        for name, more in (('first.zip', []), ('newer.zip', ['--newer', '1000'])):
            archives.append(os.path.join(work, name))
            subprocess.run([os.environ['GEN_SLACK'], '-n', str(MESSAGES), '--dms', '10', '--private', '20', *more, '-o', archives[-1]],
                           check=True, stderr=subprocess.DEVNULL)
        try:
            cluster.start()
            base = ['--team', 'acme', '--database', cluster.url('live')]
            code, said = run.call('slack', archives[0], *base, '--create-schema')
            run.say(code == 0, 'import', f'{code}: {said}')
            for name, command in (('a newer archive', ['slack', archives[1], *base]), ('undo', None)):
                if command is None:
                    newest = cluster.query('live', 'select run from matterark.run order by run_no desc limit 1').strip()
                    command = ['undo', newest, '--database', cluster.url('live'), '--force']
                people = People(cluster.url('live'), 0 if command[0] == 'slack' else 1000000)
                people.start()
                watch = Watch(cluster.url('live'))
                watch.start()
                began = time.monotonic()
                code, said = run.call(*command)
                took = time.monotonic() - began
                talk = people.end()
                run.say(code == 0, name, f'{code}: {said}')
                run.say(not talk, f'{name}: whoever writes gets no error', talk)
                waits = sorted(people.waits)
                print(f'# {name}: {took:.1f} s, {len(waits)} writes meanwhile, median {waits[len(waits) // 2] * 1000:.1f} ms, '
                      f'longest {waits[-1] * 1000:.0f} ms')
                watch.end()
                run.say(len(waits) > 3 and waits[-1] < LONGEST_S, f'{name}: nobody waits long', f'{waits[-5:]}')
                wrong = cluster.query('live', WRONG)
                run.say(not wrong, f'{name}: every counter is right', wrong[:3000])
        finally:
            cluster.stop()
    print(f'1..{run.count}')
    return 1 if run.failed else 0


if __name__ == '__main__':
    sys.exit(main())

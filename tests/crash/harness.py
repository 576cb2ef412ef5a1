"""
What the crash tests share: the server of tests/harness/pg.sh (ARK_TEST_DSN, ARK_TEST_PG_BIN), generated
archives, runs of matter-import that are let go wrong, and the claims that must hold afterwards.

Bounded form: some rounds in about a minute. Long form: ARK_TEST_FULL=1, or ARK_CRASH_ROUNDS=N for N rounds of
each scenario. ARK_CRASH_SEED repeats the moments of an earlier run; each script prints its seed.
"""
import glob
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOOL = os.environ['MATTER_IMPORT']
GEN_SLACK = os.environ['GEN_SLACK']
BIN = os.environ['ARK_TEST_PG_BIN']
SERVER = re.search(r'host=(\S+)', os.environ['ARK_TEST_DSN']).group(1)
FULL = os.environ.get('ARK_TEST_FULL') == '1'
ROUNDS = int(os.environ.get('ARK_CRASH_ROUNDS', '200' if FULL else '0'))
LONG = ROUNDS > 0
BUDGET_S = 45          # of one script in the bounded form; a busy machine does fewer rounds in it
LEAST = 3              # rounds that are done whatever the time
MESSAGES = int(os.environ.get('ARK_CRASH_MESSAGES', '20000' if LONG else '3000'))
LIMIT_S = 300          # a run that lasts longer hangs
REST = 'matterark_tmp_'
AS_SERVER = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', '--'] if os.geteuid() == 0 else []

TABLES = """select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname in ('public', 'matterark') order by 1"""
# Content of a table and the transactions that wrote it.
DIGEST = """select '{0}', count(*), md5(coalesce(string_agg(t.xmin::text || t::text, E'\\n'
order by t::text collate "C"), '')) from {0} t"""
# Everything that is there besides rows: tables, indexes, views, types, constraints, functions, owners.
OBJECTS = """select 'class', n.nspname, c.relname, c.relkind::text, c.relowner::text from pg_class c join pg_namespace n
on n.oid = c.relnamespace where n.nspname in ('public', 'matterark')
union all select 'index', schemaname, indexname, indexdef, '' from pg_indexes where schemaname in ('public', 'matterark')
union all select 'constraint', conname, pg_get_constraintdef(oid), convalidated::text, '' from pg_constraint
union all select 'schema', nspname, nspowner::text, '', '' from pg_namespace where nspname !~ '^pg_(toast_)?temp_'
union all select 'invalid', indexrelid::regclass::text, '', '', '' from pg_index where not indisvalid
order by 1, 2, 3, 4, 5"""


class Failure(Exception):
    """A claim that does not hold."""


class Report:
    """TAP on stdout; one line for each scenario, with what went wrong below it."""

    def __init__(self):
        self.count = 0
        self.failed = 0
        self.began = time.monotonic()
        self.seed = int(os.environ.get('ARK_CRASH_SEED', time.time_ns() % 1000000))
        random.seed(self.seed)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) # what is mounted and running is cleaned up
        print(f'# seed {self.seed}, {MESSAGES} messages, {"long" if LONG else "bounded"} form', flush=True)

    def spent(self):
        return time.monotonic() - self.began

    def scenario(self, name, function, *args):
        self.count += 1
        start = time.monotonic()
        try:
            what = function(*args)
            if what is not None and what.startswith('SKIP'):
                print(f'ok {self.count} - {name} # {what}', flush=True)
                return
            print(f'ok {self.count} - {name}: {what} ({time.monotonic() - start:.0f} s)', flush=True)
        except (Failure, subprocess.TimeoutExpired) as problem:
            self.failed += 1
            print(f'not ok {self.count} - {name}', flush=True)
            for line in str(problem).splitlines():
                print(f'# {line}', flush=True)

    def end(self):
        print(f'1..{self.count}')
        sys.exit(1 if self.failed else 0)


def rounds(report, share, bounded):
    """Numbers of rounds: the long form's all, the bounded form's until its share of the time is spent."""
    until = report.spent() + BUDGET_S * share
    total = ROUNDS if LONG else bounded
    for i in range(total):
        if not LONG and i >= min(LEAST, bounded) and report.spent() > until:
            return
        yield i, total


# ---- the server ----

def psql(database, sql, user='mm', server=SERVER, may_fail=False):
    done = subprocess.run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', '-',
                           f'host={server} user={user} dbname={database}'],
                          input=sql, capture_output=True, text=True, errors='replace', timeout=LIMIT_S,
                          env={'PATH': f'{BIN}:{os.environ["PATH"]}', 'LC_ALL': 'C.UTF-8', 'PGCLIENTENCODING': 'UTF8'})
    if done.returncode != 0 and not may_fail:
        raise Failure(f'psql, {database}: {done.stderr.strip()}')
    return done.stdout


def pg_ctl(*args):
    done = subprocess.run([*AS_SERVER, f'{BIN}/pg_ctl', '-D', f'{SERVER}/data', '-w', '-t', '120',
                           '-l', f'{SERVER}/server.log', *args], cwd='/', stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f'pg_ctl {args}: {done.stderr}')


def server_setup():
    """A role as people have it: no superuser; and commits that wait for the disk, as servers do by default."""
    psql('postgres', """do $$begin if not exists (select from pg_roles where rolname = 'mm') then
        create role mm login createdb; alter role mm set synchronous_commit = on; end if; end$$""", user='postgres')


def databases(server=SERVER, user='mm'):
    return set(psql('postgres', 'select datname from pg_database', server=server, user=user).split())


def rests(server=SERVER, user='mm'):
    return sorted(d for d in databases(server, user) if d.startswith(REST))


def state(database, server=SERVER, user='mm'):
    """All of a database as a set of lines, None when it is not there."""
    if database not in databases(server, user):
        return None
    tables = psql(database, TABLES, server=server, user=user).split('\n')
    sql = ' union all '.join(DIGEST.format(t) for t in tables if t)
    return frozenset(psql(database, (sql + ';\n' if sql else '') + OBJECTS, server=server, user=user).splitlines())


def difference(before, now):
    if before is None or now is None:
        return f'before {"absent" if before is None else "there"}, now {"absent" if now is None else "there"}'
    lines = [f'- {x[:200]}' for x in sorted(before - now)] + [f'+ {x[:200]}' for x in sorted(now - before)]
    return '\n'.join(lines[:20])


def drop(database):
    psql('postgres', f'drop database if exists {database} with (force)')


def copy(template, database):
    drop(database)
    psql('postgres', f'create database {database} template {template}')


def url(database):
    return f'host={SERVER} user=mm dbname={database}'


# ---- archives and runs ----

class Work:
    """A folder of this script's own: archives, temporary files of the tool, reports."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='ark-crash-')
        os.chmod(self.dir, 0o755)
        self.temp = self.folder('temp')
        self.home = self.folder('home')
        self.report = os.path.join(self.folder('reports'), 'report')

    def folder(self, name):
        path = os.path.join(self.dir, name)
        os.mkdir(path)
        return path

    def archive(self, name, *options, messages=MESSAGES):
        path = os.path.join(self.dir, name)
        subprocess.run([GEN_SLACK, '-n', str(messages), '--dms', '10', '--private', '20', *options, '-o', path],
                       check=True, stderr=subprocess.DEVNULL)
        return path

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Run:
    """One run of the tool. args: what stands behind the program's name."""

    def __init__(self, work, *args, env=None, stdout=None):
        self.command = [TOOL, *args]
        self.out = tempfile.TemporaryFile(mode='w+', dir=work.dir)
        self.err = tempfile.TemporaryFile(mode='w+', dir=work.dir)
        variables = {'PATH': os.environ['PATH'], 'HOME': work.home, 'LC_ALL': 'C.UTF-8', **(env or {})}
        variables.update({k: v for k, v in os.environ.items() if k.startswith(('ASAN_', 'UBSAN_', 'LSAN_'))})
        self.caught = True
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.command, env=variables, cwd=work.home, stdin=subprocess.DEVNULL,
                                        stdout=stdout or self.out, stderr=self.err)

    def wait(self, timeout_s=LIMIT_S):
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f'no end after {timeout_s} s: {" ".join(self.command)}') from None
        finally:
            self.seconds = time.monotonic() - self.began

    def after(self, delay_s, signum):
        """Send a signal at that moment unless it has ended; exit code, and how long it lived on."""
        try:
            return self.process.wait(max(0.0, delay_s)), 0.0
        except subprocess.TimeoutExpired:
            self.caught = self.catches(signum)
            self.process.send_signal(signum)
            sent = time.monotonic()
            code = self.wait()
            return code, time.monotonic() - sent

    def catches(self, signum):
        """Whether its handler is there by now; on a busy machine that lasts."""
        try:
            with open(f'/proc/{self.process.pid}/status', encoding='ascii', errors='replace') as f:
                mask = re.search(r'^SigCgt:\s*([0-9a-f]+)', f.read(), re.M)
        except OSError:
            return True
        return mask is None or bool(int(mask.group(1), 16) >> (signum - 1) & 1)

    def talk(self):
        self.err.seek(0)
        return self.err.read()

    def results(self):
        self.out.seek(0)
        return self.out.read()

    def __str__(self):
        return f'{" ".join(self.command)}\nexit {self.process.returncode}: {self.talk()[-1500:]}'


def expect(run, *codes):
    code = run.wait()
    if code not in codes:
        raise Failure(f'exit {code}, not {codes}: {run}')
    talk = run.talk()
    if 'Sanitizer' in talk or 'runtime error:' in talk:
        raise Failure(str(run))
    return code


# Threads and channels against their posts, and what is unread (nobody writes here): nothing but who follows what may come out.
COUNTERS = """
select 'thread', t.postid, t.replycount, x.n from threads t cross join lateral (select count(*) as n, max(p.createat) as newest
from posts p where p.rootid = t.postid and p.deleteat = 0) x where (t.replycount, t.lastreplyat) <> (x.n, x.newest);
select 'no thread', p.rootid from posts p where p.rootid <> '' and not exists (select from threads t where t.postid = p.rootid);
select 'channel', c.name, c.totalmsgcount, x.n, c.totalmsgcountroot, x.roots from channels c cross join lateral (select count(*) as n,
count(*) filter (where p.rootid = '') as roots from posts p where p.channelid = c.id and p.type not in ('system_join_channel',
'system_leave_channel', 'system_add_to_channel')) x where (c.totalmsgcount, c.totalmsgcountroot) <> (x.n, x.roots);
select 'unread', m.userid, c.name from channelmembers m join channels c on c.id = m.channelid where (m.msgcount, m.msgcountroot) <>
(c.totalmsgcount, c.totalmsgcountroot);
select 'follows', count(*), sum(hashtext(postid || userid)) from threadmemberships;
select 'left', (select count(*) from matterark.pending), count(*) from matterark.change c join matterark.run r on r.run_no = c.run
where r.undone is not null having (select count(*) from matterark.pending) + count(*) > 0;
"""


class Target:
    """
    A place to import into that can be put back to how it was.

    name      of the database
    template  database that it is a copy of before each round; None: it is not there
    archive   what is imported
    """

    def __init__(self, work, name, template, archive):
        self.work, self.name, self.template, self.archive = work, name, template, archive
        self.options = ['--create-schema'] if template is None else ['--create-team']
        self.reset()
        self.before = self.state()
        begun = self.run()
        expect(begun, 0)
        self.seconds = begun.seconds
        self.verify()
        self.posts = self.count_posts()
        self.counters = self.ask(COUNTERS)
        if self.counters is not None and (not self.counters.startswith('follows') or '\n' in self.counters):
            raise Failure(f'counted wrongly: {self.counters[:1000]}')
        self.reset()
        if self.state() != self.before:
            raise Failure(f'the copy differs: {difference(self.before, self.state())}')

    def where(self):
        return ['--database', url(self.name)]

    def state(self):
        return state(self.name)

    def count_posts(self):
        return self.ask('select count(*) from posts')

    def ask(self, sql):
        """None where no server runs that could say it."""
        return psql(self.name, sql).strip()

    def left(self):
        """How much a run left to do behind its commit."""
        return int(self.ask('select count(*) from matterark.pending') or 0)

    def reset(self):
        drop(self.name)
        if self.template is not None:
            copy(self.template, self.name)

    def run(self, *more, **kwargs):
        return Run(self.work, 'slack', self.archive, '--team', 'acme', *self.where(), *self.options,
                   '--temp-dir', self.work.temp, '--report', self.work.report, *more, **kwargs)

    def verify(self):
        expect(Run(self.work, 'verify', self.archive, '--team', 'acme', *self.where()), 0)

    def check(self, context):
        """After trouble: as before (False), or all of it (True). Nothing in between."""
        leftovers = os.listdir(self.work.temp)
        if leftovers:
            raise Failure(f'{context}\ntemporary files left: {leftovers}')
        now = self.state()
        if now == self.before:
            return False
        if now is None or self.count_posts() != self.posts:
            raise Failure(f'{context}\nhalf done: {difference(self.before, now)}')
        if self.left() > 0:
            self.finish(context)
        self.counted(context)
        return True

    def counted(self, context):
        self.verify()
        if self.counters is not None and (counters := self.ask(COUNTERS)) != self.counters:
            raise Failure(f'{context}\ncounted wrongly: {counters[:1000]}, not {self.counters}')

    def finish(self, context):
        """Committed, but threads and channels are not all counted: that is told, and the next run does it."""
        expect(Run(self.work, 'verify', self.archive, '--team', 'acme', *self.where()), 1)
        runs = Run(self.work, 'runs', *self.where())
        expect(runs, 0)
        if ', unfinished' not in runs.results():
            raise Failure(f'{context}\nruns does not say that one is unfinished: {runs.results()}')
        expect(self.run(), 0)

    def complete(self, context):
        """The next run does it, whatever was left; then everything is there and nothing else."""
        code = (again := self.run()).wait()
        if code != 0:
            raise Failure(f'{context}\nthe next run: {again}')
        self.seconds = (self.seconds + min(again.seconds, self.seconds * 2)) / 2
        self.counted(context)
        if self.count_posts() != self.posts:
            raise Failure(f'{context}\n{self.count_posts()} posts, not {self.posts}')
        self.no_rests(context)

    def no_rests(self, context):
        if rests():
            raise Failure(f'{context}\ndatabases left behind: {rests()}')
        beside = [n for n in os.listdir(os.path.dirname(self.work.report)) if n != 'report']
        if beside:
            raise Failure(f'{context}\nbeside the report: {beside}')
        if os.listdir(self.work.temp):
            raise Failure(f'{context}\ntemporary files left: {os.listdir(self.work.temp)}')


def targets(work):
    """The three kinds of target on a server: not there, in use, imported into before."""
    server_setup()
    first = work.archive('first.zip')
    newer = work.archive('newer.zip', '--newer', '50')
    other = work.archive('other.zip', '--seed', '2', messages=300)
    for database, archive, option in (('used', other, '--create-schema'), ('before', first, '--create-team')):
        if database == 'before':
            copy('used', 'before')
        team = 'else' if database == 'used' else 'acme'
        expect(Run(work, 'slack', archive, '--team', team, '--database', url(database), option), 0)
    made = {}

    def maker(*args):
        """Measured and checked once; put back to how it was for each scenario."""
        def make():
            if args not in made:
                made[args] = Target(work, *args)
            made[args].reset()
            return made[args]
        return make

    return {'a new database': maker('fresh', None, first),
            'a database in use': maker('live', 'used', first),
            'a newer archive': maker('again', 'before', newer)}


def moments(target, i, total):
    """A moment of the run for round i: the rounds spread over its duration, each at random in its part."""
    return target.seconds * 1.05 * ((i * 7919) % total + random.random()) / total


def server_log_tail():
    for path in glob.glob(f'{SERVER}/server.log'):
        with open(path, encoding='utf-8', errors='replace') as log:
            return ''.join(log.readlines()[-15:])
    return ''


KILL = signal.SIGKILL

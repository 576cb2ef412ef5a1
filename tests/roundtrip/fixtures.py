#!/usr/bin/env python3
"""Import every case under fixtures/slack into a database of its own and compare.

For each case, on a throw-away PostgreSQL cluster that lives as long as this run:
  1. matter-import slack ARCHIVE --team acme (grid-*: without) --database URL --create-schema --report DIR
  2. exit code (expect.exit), rows (expect.sql gives expect.txt), skips (expect.skips, in report.json)
  3. tests/db/consistency.sql returns nothing; group names, bodies in the file store, no leftover of
     Slack's markup, everything read by its members
  4. report.json adds up: read = written + skipped
  5. matter-import verify
  6. the same import again, from a zip: not one row of any Mattermost table is written

Where the case must fail (exit other than 0 and 3), the database must not exist afterwards.
fixtures/slack/README.md describes the files of a case. TAP on stdout; skipped without PostgreSQL.

  MATTER_IMPORT=build/import/matter-import tests/roundtrip/fixtures.py [options] [CASE...]
"""
import argparse
import concurrent.futures
import glob
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CASES = os.path.join(ROOT, 'fixtures', 'slack')
CONSISTENCY = os.path.join(ROOT, 'tests', 'db', 'consistency.sql')
TIMEOUT_S = 120
SKIPPED = 0 # TAP says it; meson takes another exit code for an error

# One row per table of the schema, whatever tables it has: content and the transaction that wrote it,
# so that rewriting a row with equal content shows too.
TABLES = """select tablename from pg_tables where schemaname = 'public' order by 1"""
DIGEST = """select '{0}', count(*), md5(coalesce(string_agg(t.xmin::text || t::text, E'\\n' order by t::text collate "C"), ''))
from public.{0} t"""

# What nobody may see after an import into a new database.
EXTRA = r"""
select 'Slack markup left', id, message from posts where message ~ '<([@#][UWCGB][A-Z0-9]{2,}|![a-z]+[|^>])';
select 'link with a token left', id from posts where message ~ '[?&](t|token)=xox' or props::text ~ '[?&](t|token)=xox';
select 'empty post', id from posts where message = '' and fileids = '[]' and not props ? 'attachments';
select 'unread channel', c.name, m.userid from channelmembers m join channels c on c.id = m.channelid
where m.msgcount <> c.totalmsgcount or m.msgcountroot <> c.totalmsgcountroot or m.mentioncount <> 0
   or m.mentioncountroot <> 0 or m.lastviewedat < c.lastpostat;
select 'administrator made', username from users where roles ~ 'system_admin';
select 'direct conversation not in the sidebar', c.id, m.userid from channels c join channelmembers m on m.channelid = c.id
where c.type = 'D' and c.totalmsgcount > 0 and not exists (select from bots b where b.userid = m.userid)
  and not exists (select from preferences f where f.userid = m.userid
  and f.category = 'direct_channel_show' and f.value = 'true' and f.name = coalesce((select o.userid
    from channelmembers o where o.channelid = c.id and o.userid <> m.userid), m.userid));
select 'group conversation not in the sidebar', c.id, m.userid from channels c join channelmembers m on m.channelid = c.id
where c.type = 'G' and c.totalmsgcount > 0 and not exists (select from bots b where b.userid = m.userid)
  and not exists (select from preferences f where f.userid = m.userid
  and f.category = 'group_channel_show' and f.value = 'true' and f.name = c.id);
select 'no history of a member', c.name, m.userid from channelmembers m join channels c on c.id = m.channelid
where not exists (select from channelmemberhistory h where h.channelid = m.channelid and h.userid = m.userid
  and h.leavetime is null);
select 'thread not followed', t.postid, p.userid from threads t join posts p on p.rootid = t.postid
where not exists (select from threadmemberships m where m.postid = t.postid and m.userid = p.userid and m.following)
  and exists (select from channelmembers m where m.channelid = p.channelid and m.userid = p.userid)
  and not exists (select from bots b where b.userid = p.userid);
"""


class Failure(Exception):
    """A claim about the case that does not hold."""


def run(args, timeout_s=TIMEOUT_S, **kwargs):
    return subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace',
                          timeout=timeout_s, **kwargs)


def pg_bindir():
    """The folder with initdb, newest version first; None when there is none."""
    places = [os.environ.get('ARK_PG_BIN', '')]
    places += sorted(glob.glob('/usr/lib/postgresql/*/bin'), key=lambda p: -float(p.split('/')[4]))
    found = shutil.which('initdb')
    if found:
        places.append(os.path.dirname(found))
    return next((p for p in places if p and os.path.exists(os.path.join(p, 'initdb'))), None)


class Cluster:
    """A private PostgreSQL cluster on a Unix socket, without durability; as root it runs as postgres."""

    def __init__(self, bindir):
        self.bindir = bindir
        self.dir = tempfile.mkdtemp(prefix='ark-fx-')
        self.as_user = []
        if os.geteuid() == 0:
            self.as_user = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', '--']
            shutil.chown(self.dir, 'postgres', 'postgres')
        os.chmod(self.dir, 0o755)
        self.data = os.path.join(self.dir, 'data')

    def tool(self, name, *args):
        # what a standby connects with belongs to the server; the other programs may be another version's
        lib = os.path.join(os.path.dirname(self.bindir), 'lib') if name == 'pg_ctl' else ''
        done = run([*self.as_user, os.path.join(self.bindir, name), *args], cwd='/',
                   env={'PATH': os.environ['PATH'], 'LC_ALL': 'C', 'LD_LIBRARY_PATH': lib})
        if done.returncode != 0:
            raise SystemExit(f'{name} failed: {done.stderr}{done.stdout}')

    def start(self):
        self.tool('initdb', '-D', self.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N')
        with open(os.path.join(self.data, 'postgresql.conf'), 'a', encoding='utf-8') as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{self.dir}'\n"
                       "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\n"
                       "max_connections = 60\nshared_buffers = 128MB\nmax_wal_size = 2GB\njit = off\n"
                       "timezone = 'UTC'\nlog_timezone = 'UTC'\n")
        self.tool('pg_ctl', '-D', self.data, '-w', '-l', os.path.join(self.dir, 'log'), 'start')
        self.query('postgres', 'create role mm login createdb', user='postgres')
        self.before = self.databases()

    def stop(self):
        if os.path.exists(os.path.join(self.data, 'postmaster.pid')):
            self.tool('pg_ctl', '-D', self.data, '-m', 'immediate', '-w', 'stop')
        shutil.rmtree(self.dir, ignore_errors=True)

    def url(self, database, user='mm'):
        return f'postgresql://{user}@/{database}?host={self.dir}'

    def query(self, database, sql, user='mm'):
        """stdout of psql; raises Failure with what the server said."""
        done = subprocess.run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', '-', self.url(database, user)],
                              input=sql, capture_output=True, text=True, errors='replace', timeout=TIMEOUT_S,
                              env={'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8', 'PGCLIENTENCODING': 'UTF8'})
        if done.returncode != 0:
            raise Failure(f'psql: {done.stderr.strip()}')
        return done.stdout

    def databases(self):
        return set(self.query('postgres', 'select datname from pg_database', user='postgres').split())


def read_lines(path):
    """Lines of a file, without blanks and comments; [] when there is no such file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as f:
        return [line.strip() for line in f if line.strip() and not line.startswith('#')]


def zip_folder(folder, out):
    """The folder's files as a zip at `out`, the same bytes every time."""
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for base, dirs, files in os.walk(folder):
            dirs.sort()
            for name in sorted(files):
                path = os.path.join(base, name)
                info = zipfile.ZipInfo(os.path.relpath(path, folder), (2024, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                with open(path, 'rb') as f:
                    z.writestr(info, f.read())


class Case:
    """One folder of fixtures/slack and one import of it (or a sequence of imports)."""

    def __init__(self, name, options, cluster):
        self.name = name
        self.dir = os.path.join(CASES, name)
        self.options = options
        self.cluster = cluster
        self.db = 'fx_' + name.replace('-', '_')
        self.tmp = os.path.join(cluster.dir, name)  # goes with the cluster, whatever happens
        self.files = os.path.join(self.tmp, 'files')
        self.args = [a.replace('@FILES@', self.files) for line in read_lines(os.path.join(self.dir, 'expect.args'))
                     for a in shlex.split(line)]
        self.exits = [int(c) for line in read_lines(os.path.join(self.dir, 'expect.exit')) for c in line.split()] or [0]
        self.team = [] if name.startswith('grid-') else ['--team', 'acme']  # an organisation names its teams
        self.talk = ''

    def archives(self, form):
        """List of calls, each a list of archives; `form` is folder or zip."""
        if os.path.exists(os.path.join(self.dir, 'build.sh')):
            out = os.path.join(self.tmp, 'export.zip')
            done = run(['sh', './build.sh', out], cwd=self.dir)
            if done.returncode != 0:
                raise Failure(f'build.sh: {done.stderr}')
            return [[out]]
        calls = [line.split() for line in read_lines(os.path.join(self.dir, 'expect.calls'))] or [['export']]
        out = []
        for call in calls:
            paths = [os.path.normpath(os.path.join(self.dir, rel)) for rel in call]
            if form == 'zip':
                paths = [self.zipped(p) for p in paths]
            out.append(paths)
        return out

    def zipped(self, folder):
        out = os.path.join(self.tmp, hashlib.sha1(folder.encode()).hexdigest()[:8] + '.zip')
        if not os.path.exists(out):
            zip_folder(folder, out)
        return out

    def tool(self, *args):
        env = {'PATH': os.environ['PATH'], 'HOME': self.tmp, 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC', 'TMPDIR': self.tmp}
        env.update({k: v for k, v in os.environ.items() if k.startswith(('ASAN_', 'UBSAN_', 'LSAN_'))})
        command = [*shlex.split(os.environ.get('MATTER_IMPORT_WRAPPER', '')), os.environ['MATTER_IMPORT'], *args]
        try:
            done = run(command, env=env, cwd=self.tmp)
        except subprocess.TimeoutExpired:
            raise Failure(f'no end after {TIMEOUT_S} s: {shlex.join(command)}') from None
        self.talk = f'{shlex.join(command)}\n{done.stdout}{done.stderr}'
        if done.returncode < 0 or 'Sanitizer' in done.stderr or 'runtime error:' in done.stderr:
            raise Failure(f'died, status {done.returncode}')
        return done.returncode

    def import_once(self, archives, report):
        return self.tool('slack', *archives, *self.team, '--database', self.cluster.url(self.db),
                         '--create-schema', '--report', report, *self.args)

    def digest(self):
        tables = self.cluster.query(self.db, TABLES).split()
        sql = ' union all '.join(DIGEST.format(t) for t in tables)
        return set(self.cluster.query(self.db, sql).splitlines())

    def check_rows(self):
        path = os.path.join(self.dir, 'expect.sql')
        if not os.path.exists(path):
            raise Failure('no expect.sql')
        with open(path, encoding='utf-8') as f:
            got = self.cluster.query(self.db, f.read())
        with open(os.path.join(self.dir, 'expect.txt'), encoding='utf-8') as f:
            want = f.read()
        if got != want:
            here = os.path.join(self.tmp, 'got.txt')
            with open(here, 'w', encoding='utf-8') as f:
                f.write(got)
            diff = run(['diff', '-u', '--label', 'expect.txt', '--label', 'database',
                        os.path.join(self.dir, 'expect.txt'), here])
            raise Failure('rows differ\n' + diff.stdout)

    def check_consistency(self):
        with open(CONSISTENCY, encoding='utf-8') as f:
            bad = self.cluster.query(self.db, f.read() + EXTRA)
        if bad:
            raise Failure('inconsistent:\n' + bad)
        groups = self.cluster.query(self.db, """select c.name, string_agg(m.userid, '' order by m.userid collate "C")
            from channels c join channelmembers m on m.channelid = c.id where c.type = 'G' group by c.id, c.name""")
        for line in groups.splitlines():
            name, ids = line.split('|')
            if name != hashlib.sha1(ids.encode()).hexdigest():
                raise Failure(f'group channel {name} is not named after its members')
        rows = self.cluster.query(self.db, "select path, size from fileinfo where deleteat = 0")
        for line in rows.splitlines():
            path, size = line.rsplit('|', 1)
            stored = os.path.join(self.files, path)
            if not os.path.isfile(stored) or os.path.getsize(stored) != int(size):
                raise Failure(f'file store: {path} of {size} bytes is missing or has another size')

    def check_report(self, report):
        with open(os.path.join(report, 'report.json'), encoding='utf-8') as f:
            doc = json.load(f)
        sums, reasons = [], {}
        self.collect(doc, sums, reasons)
        if not sums:
            raise Failure('report.json: no object with read, written and skipped')
        for read, written, skipped, by_reason in sums:
            if read != written + skipped or skipped != by_reason:
                raise Failure(f'report.json: read {read}, written {written}, skipped {skipped}, by reason {by_reason}')
        for line in read_lines(os.path.join(self.dir, 'expect.skips')):
            reason, count = line.split('=')
            if reasons.get(reason, 0) != int(count):
                raise Failure(f'report.json: skipped {reason} {reasons.get(reason, 0)} times, not {count}: {reasons}')

    def collect(self, node, sums, reasons):
        """What every object with read, written and skipped says: the whole run and each channel."""
        if isinstance(node, list):
            for x in node:
                self.collect(x, sums, reasons)
        if not isinstance(node, dict):
            return
        if {'read', 'written', 'skipped'} <= node.keys():
            by_reason = node['skipped_by_reason']
            sums.append((node['read'], node['written'], node['skipped'], sum(by_reason.values())))
            for reason, count in by_reason.items():
                reasons[reason] = max(reasons.get(reason, 0), count)
        for x in node.values():
            self.collect(x, sums, reasons)

    def check(self):
        first, again = {'mixed': ('folder', 'zip')}.get(self.options.form, (self.options.form,) * 2)
        calls = self.archives(first)
        report = os.path.join(self.tmp, 'report')
        for archives in calls:
            code = self.import_once(archives, report)
            if code not in self.exits:
                raise Failure(f'exit code {code}, not {self.exits}')
        if code not in (0, 3):
            if self.db in self.cluster.databases():
                raise Failure('the import failed, but its database is there')
            return
        self.check_rows()
        self.check_consistency()
        self.check_report(report)
        store = [a for i, a in enumerate(self.args) if a == '--files' or i and self.args[i - 1] == '--files']
        calls = self.archives(again)
        everything = list(dict.fromkeys(a for call in calls for a in call))
        code = self.tool('verify', *everything, *self.team, '--database', self.cluster.url(self.db), *store)
        if code != 0:
            raise Failure(f'verify: exit code {code}')
        before = self.digest()
        code = self.import_once(calls[-1], os.path.join(self.tmp, 'report2'))
        if code not in self.exits:
            raise Failure(f'second run: exit code {code}, not {self.exits}')
        changed = sorted({line.split('|')[0] for line in before ^ self.digest()})
        if changed:
            raise Failure('second run wrote to: ' + ', '.join(changed))

    def missing(self):
        """The first option of the case that this tool does not have, or None."""
        known = {'--' + o['name'] for o in json.loads(run([self.options.tool, '--options-json']).stdout)['options']}
        return next((a.split('=')[0] for a in self.args if a.startswith('--') and a.split('=')[0] not in known), None)

    def run(self):
        """None when all claims hold, 'SKIP why' for a case that the tool is not made for, else the reason."""
        started = time.monotonic()
        self.took_s = 0
        lacking = self.missing()
        if lacking:
            return f'SKIP {lacking} is not an option of this tool'
        try:
            os.makedirs(self.tmp, 0o700)
            self.check()
            why = None
        except Failure as bad:
            why = f'{bad}'.rstrip()
        except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as bad:
            why = f'{type(bad).__name__}: {bad}'
        if why and self.talk:
            why += '\n--- last command\n' + self.talk.rstrip()[-4000:]
        self.took_s = time.monotonic() - started
        self.clean(why)
        return why

    def clean(self, why):
        if why and self.options.keep:
            print(f'# kept: {self.cluster.url(self.db)} and {self.tmp}', flush=True)
            return
        shutil.rmtree(self.tmp, ignore_errors=True)
        try:
            self.cluster.query('postgres', f'drop database if exists {self.db} with (force)', user='postgres')
        except Failure:
            pass


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='*', metavar='CASE', help='folder names under fixtures/slack; default all')
    parser.add_argument('-j', '--jobs', type=int, default=2)
    parser.add_argument('--form', choices=['mixed', 'folder', 'zip'], default='mixed',
                        help='how unpacked cases are handed over; mixed: the first time as a folder, then as a zip')
    parser.add_argument('--keep', action='store_true', help='keep the cluster and the failed databases; wait for Enter')
    parser.add_argument('--list', action='store_true', help='print the names of the cases')
    return parser.parse_args()


def main():
    options = parse_args()
    every = sorted(d for d in os.listdir(CASES) if os.path.isfile(os.path.join(CASES, d, 'README.md')))
    if options.list:
        print('\n'.join(every))
        return 0
    wrong = sorted(set(options.cases) - set(every))
    if wrong:
        sys.exit(f'no such case: {", ".join(wrong)}')
    names = options.cases or every
    bindir = pg_bindir()
    if not bindir or not shutil.which('psql'):
        print('1..0 # SKIP no PostgreSQL here')
        return SKIPPED
    if 'MATTER_IMPORT' not in os.environ:
        sys.exit('MATTER_IMPORT must name the tool')
    os.environ['MATTER_IMPORT'] = os.path.abspath(os.environ['MATTER_IMPORT'])
    options.tool = os.environ['MATTER_IMPORT']
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` is reached
    cluster = Cluster(bindir)
    failed = 0
    try:
        cluster.start()
        print(f'1..{len(names) + 1}', flush=True)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            cases = [Case(name, options, cluster) for name in names]
            for number, (case, why) in enumerate(zip(cases, pool.map(Case.run, cases)), 1):
                if (why or '').startswith('SKIP '):
                    print(f'ok {number} - {case.name} # {why}', flush=True)
                    continue
                print(f'{"not ok" if why else "ok"} {number} - {case.name} # {case.took_s:.1f} s', flush=True)
                for line in (why or '').splitlines():
                    print(f'# {line}', flush=True)
                failed += bool(why)
        rests = sorted(d for d in cluster.databases() - cluster.before if not (options.keep and d.startswith('fx_')))
        print(f'{"not ok" if rests else "ok"} {len(names) + 1} - no other database left behind')
        if rests:
            print(f'# {rests}')
        if options.keep and failed:
            input('# Enter removes the cluster\n')
    finally:
        if not (options.keep and failed and not sys.stdin.isatty()):
            cluster.stop()
    return 1 if failed or rests else 0


if __name__ == '__main__':
    sys.exit(main())

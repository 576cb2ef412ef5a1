"""
What the crash tests of matter-backup share: a throw-away server (tests/harness/pg.sh) with the made-up company, a
file store, a repository in a folder or a bucket, and runs that are killed at their durable steps.

Bounded form: some rounds. ARK_TEST_FULL=1: all steps and hundreds of rounds. ARK_CRASH_ROUNDS=N: N steps of each
command by chance, N rounds of sweeping. ARK_CRASH_SEED repeats an earlier run; each script prints its seed.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

FULL = bool(os.environ.get('ARK_TEST_FULL'))
ROUNDS = int(os.environ.get('ARK_CRASH_ROUNDS', '0'))
TOOL = os.environ['MATTER_BACKUP']
IMPORT = os.environ['MATTER_IMPORT']
ROOT = os.environ['ARK_SOURCE_ROOT']
BIN = os.environ['ARK_TEST_PG_BIN']
SERVER = os.environ['ARK_TEST_DSN'].split(' dbname=')[0]
WORK = tempfile.mkdtemp(prefix='ark-backup-')
DB = SERVER + ' dbname=backup'
STORE = WORK + '/store'
SEED = int(os.environ.get('ARK_CRASH_SEED', time.time_ns() % 1000000))


def variables(more=None):
    store = {k: v for k, v in os.environ.items() if k.startswith('AWS_')}
    return {'PATH': BIN + ':' + os.environ['PATH'], 'HOME': WORK, 'LC_ALL': 'C.UTF-8', 'TMPDIR': WORK, **store, **(more or {})}


def run(*args, env=None, codes=(0,)):
    done = subprocess.run([TOOL, *args], env=variables(env), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if codes and done.returncode not in codes:
        raise AssertionError(f'{args}: exit {done.returncode}: {done.stderr.decode()[-800:]} {done.stdout.decode()[-800:]}')
    return done


def sql(text, database=DB):
    done = subprocess.run([BIN + '/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text], check=True,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout


def change(tag):
    sql(f"update posts set message = message || ' {tag}' where id in (select id from posts order by random() limit 5)")


def source():
    """Where a snapshot comes from."""
    return ('--database', DB, '--files', STORE)


class Repository:
    """A folder, or s3://... whose name is another each time it begins anew."""

    def __init__(self, place):
        self.base, self.number = place, 0
        self.place = place

    @property
    def in_bucket(self):
        return self.base.startswith('s3://')

    def create(self, *args, env=None, codes=(0,)):
        return run('create', self.place, *source(), *args, env=env, codes=codes)

    def fresh(self, snapshots=1):
        if self.in_bucket:
            self.number += 1
            self.place = f'{self.base}-{self.number}'
        else:
            shutil.rmtree(self.place, ignore_errors=True)
        run('init', self.place)
        for n in range(snapshots):
            self.create()
            change(f'fresh {n}')

    def snapshots(self):
        if not self.in_bucket:
            return sorted(os.listdir(self.place + '/snapshots')) if os.path.isdir(self.place + '/snapshots') else []
        return sorted(line.split('\t')[0] for line in run('list', self.place).stdout.decode().splitlines())

    def prune(self):
        return ('prune', self.place, '--keep-last', '1', '--keep-at-least', '1', '--sweep')

    def halves(self):
        """What is half written, anywhere in the folder."""
        return [f for d, _, files in os.walk(self.place) for f in files if f.startswith('.new-')]


def steps_of(args):
    log = WORK + '/steps'
    if os.path.exists(log):
        os.unlink(log)
    run(*args, env={'ARK_FAIL_LOG': log})
    with open(log, encoding='utf-8', errors='replace') as f:
        return sum(1 for line in f if line.split(' ', 1)[0].isdigit())


def steps_to_try(total, bounded):
    if ROUNDS:
        return [random.randint(1, total) for _ in range(ROUNDS)]
    if FULL:
        return range(1, total + 1)
    return sorted(random.sample(range(1, total + 1), min(total, bounded)))


def killed(repo, args_of, prepare, bounded):
    """At each durable step: what was there is there, verify passes, the next run does it."""
    prepare()
    total = steps_of(args_of())
    assert total > 5, total
    print(f"# {total} steps", flush=True)
    for n in steps_to_try(total, bounded):
        how = ('kill', 'kill', 'enospc')[random.randrange(3)]
        prepare()
        before = repo.snapshots()
        args = args_of()
        run(*args, env={'ARK_FAIL_AT': f'{n}:{how}'}, codes=())
        run('verify', repo.place)
        kept = set(before) <= set(repo.snapshots()) or args[0] == 'prune'
        assert kept, f'step {n} {how}: a snapshot is lost'
        run(*args)
        run('verify', repo.place)
        assert repo.snapshots(), f'step {n} {how}'
        assert not repo.halves(), f'step {n} {how}: {repo.halves()}'


def swept_beside_creates(repo, bounded):
    """Creates and sweeping prunes at the same time: no snapshot lacks an object."""
    repo.fresh(1)
    for n in range(ROUNDS or (500 if FULL else bounded)):
        change(f'beside {n}')
        with subprocess.Popen([TOOL, 'create', repo.place, *source()], env=variables(), stderr=subprocess.PIPE) as process:
            for _ in range(3):
                run(*repo.prune())
            said = process.stderr.read().decode()
        assert process.returncode == 0, said
        run('verify', repo.place)
        assert repo.snapshots()


class Load(threading.Thread):
    """
    Uploads (body first, then the row, as the server does), posts, edits and deletes until stopped. What is deleted
    for good loses its rows first and its body then, as matter-purge does it; only such bodies may be missing from a
    snapshot, and they are noted in `deleted` before they go.
    """

    def __init__(self):
        super().__init__()
        self.stop = threading.Event()
        self.uploads = 0
        self.problem = None
        self.deleted = set()

    def done(self, psql, statements):
        """Run them and wait until they are committed."""
        psql.stdin.write(statements + '\n\\echo done\n')
        psql.stdin.flush()
        if psql.stdout.readline() != 'done\n':
            raise ValueError('psql is gone')

    def upload(self, psql, number):
        name = f'{number:026d}'
        path = f'20240102/live/{name}/f.bin'
        size = 2000 + number % 100
        os.makedirs(os.path.dirname(f'{STORE}/{path}'))
        with open(f'{STORE}/{path}', 'wb') as f:
            f.write(os.urandom(size))
        self.done(psql, f"""begin; insert into fileinfo (id, creatorid, postid, createat, updateat, deleteat, path,
            thumbnailpath, previewpath, name, extension, size, mimetype, width, height, haspreviewimage) values
            ('{name}', 'u', 'p{name[1:]}', {number + 1}, 1, 0, '{path}', '', '', 'f', 'bin', {size}, '', 0, 0, false);
            insert into posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, props,
            hashtags, filenames, fileids, hasreactions, editat, ispinned, remoteid) select 'p{name[1:]}', createat + {number},
            updateat, 0, userid, channelid, '', '', 'live {name}', '', props, '', '[]', '["{name}"]', false, 0, false,
            remoteid from (select * from posts where id not like 'p0%' order by id limit 1) x; commit;
            update posts set message = message || '.' where id in (select id from posts order by random() limit 2);
            update posts set deleteat = 1 where id in (select id from posts order by random() limit 1);""")

    def delete(self, psql, number):
        name = f'{number:026d}'
        self.done(psql, f"begin; delete from fileinfo where id = '{name}'; delete from posts where id = 'p{name[1:]}'; commit;")
        path = f'20240102/live/{name}/f.bin'
        self.deleted.add(path)
        os.unlink(f'{STORE}/{path}')

    def run(self):
        try:
            with subprocess.Popen([BIN + '/psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', DB], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as psql:
                while not self.stop.is_set():
                    self.upload(psql, self.uploads)
                    if self.uploads % 3 == 2:
                        self.delete(psql, self.uploads - random.randrange(3))
                    self.uploads += 1
                    time.sleep(0.002)
                psql.stdin.close()
            if psql.returncode != 0:
                self.problem = f'psql: exit {psql.returncode}'
        except (OSError, ValueError) as e:
            self.problem = e


def setup():
    random.seed(SEED)
    print(f'# seed {SEED}', flush=True)
    os.mkdir(STORE)
    subprocess.run([BIN + '/psql', '-Xq', '-d', SERVER + ' dbname=postgres', '-c', 'create database backup'], check=True)
    subprocess.run([IMPORT, 'slack', ROOT + '/fixtures/slack/workspace/export', '--team', 'acme', '--database', DB,
                    '--create-schema', '--create-team', '--quiet'], check=True, stderr=subprocess.DEVNULL)


def main(tests):
    """TAP. Names on the command line: only those."""
    setup()
    wanted = [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    failed = 0
    for n, test in enumerate(wanted, 1):
        began = time.monotonic()
        try:
            test()
            print(f'ok {n} - {test.__name__} ({time.monotonic() - began:.0f} s)', flush=True)
        except AssertionError as e:
            failed += 1
            print('\n'.join('# ' + line for line in str(e).splitlines()))
            print(f'not ok {n} - {test.__name__}', flush=True)
    print(f'1..{len(wanted)}')
    shutil.rmtree(WORK, ignore_errors=True)
    sys.exit(1 if failed else 0)

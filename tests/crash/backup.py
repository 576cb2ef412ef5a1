#!/usr/bin/env python3
"""
matter-backup when things break, on a throw-away server: a repository with any byte flipped, create and
prune killed at every durable step, sweeping beside creates. ARK_TEST_FULL=1: all bytes, all steps, 500 rounds.
"""
import fcntl
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

FULL = bool(os.environ.get('ARK_TEST_FULL'))
TOOL = os.environ['MATTER_BACKUP']
IMPORT = os.environ['MATTER_IMPORT']
ROOT = os.environ['ARK_SOURCE_ROOT']
BIN = os.environ['ARK_TEST_PG_BIN']
SERVER = os.environ['ARK_TEST_DSN'].split(' dbname=')[0]
WORK = tempfile.mkdtemp(prefix='ark-backup-')
DB = SERVER + ' dbname=backup'
REPO = WORK + '/repo'
random.seed(1)


def run(*args, env=None, codes=(0,)):
    variables = {'PATH': BIN + ':' + os.environ['PATH'], 'HOME': WORK, 'LC_ALL': 'C.UTF-8', 'TMPDIR': WORK, **(env or {})}
    done = subprocess.run([TOOL, *args], env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if codes and done.returncode not in codes:
        raise AssertionError(f'{args}: exit {done.returncode}: {done.stderr.decode()[-800:]} {done.stdout.decode()[-800:]}')
    return done


def sql(text):
    subprocess.run([BIN + '/psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', DB, '-c', text], check=True)


def change(tag):
    sql(f"update posts set message = message || ' {tag}' where id in (select id from posts order by random() limit 5)")


def create(env=None, codes=(0,)):
    return run('create', REPO, '--database', DB, '--files', WORK + '/store', env=env, codes=codes)


def fresh(snapshots=1):
    shutil.rmtree(REPO, ignore_errors=True)
    run('init', REPO)
    for n in range(snapshots):
        create()
        change(f'fresh {n}')


def snapshots():
    return sorted(os.listdir(REPO + '/snapshots')) if os.path.isdir(REPO + '/snapshots') else []


def flipped_bytes():
    """Every byte of every file that holds data: verify fails and names what it is."""
    fresh(2)
    count = 0
    for path in sorted(p for d in ('data/*/*', 'index/*', 'snapshots/*') for p in glob.glob(f'{REPO}/{d}')):
        with open(path, 'r+b') as f:
            size = os.path.getsize(path)
            places = range(size) if FULL else sorted(random.sample(range(size), min(size, 25)))
            for at in places:
                f.seek(at)
                old = f.read(1)
                f.seek(at)
                f.write(bytes([old[0] ^ (1 << random.randrange(8))]))
                f.flush()
                done = run('verify', REPO, codes=(1,))
                name = os.path.basename(path)
                told = done.stdout.decode() + done.stderr.decode()
                assert name in told, f'{path} byte {at}: {told}'
                if '/data/' in path:
                    assert 'is damaged' in told, told
                f.seek(at)
                f.write(old)
                f.flush()
                count += 1
    run('verify', REPO)
    assert count > 100


def truncated_files():
    """Files that are cut off, empty or gone: verify fails, and nothing crashes."""
    fresh(1)
    for path in sorted(p for d in ('data/*/*', 'index/*', 'snapshots/*', 'repository') for p in glob.glob(f'{REPO}/{d}')):
        with open(path, 'rb') as f:
            content = f.read()
        for part in (content[:0], content[:1], content[:len(content) // 2], content[:-1], None):
            os.unlink(path)
            if part is not None:
                with open(path, 'wb') as f:
                    f.write(part)
            if part is None and '/snapshots/' in path:
                pass  # a snapshot that is not there is none
            else:
                done = run('verify', REPO, codes=(1,))
                assert done.returncode == 1
            run('list', REPO, codes=(0, 1, 3))
            with open(path, 'wb') as f:
                f.write(content)
    run('verify', REPO)


def steps_of(args, prepare):
    prepare()
    log = WORK + '/steps'
    if os.path.exists(log):
        os.unlink(log)
    run(*args, env={'ARK_FAIL_LOG': log})
    with open(log, encoding='utf-8', errors='replace') as f:
        return sum(1 for line in f if line.split(' ', 1)[0].isdigit())


def halves():
    """What is half written, anywhere in the repository."""
    return [f for d, _, files in os.walk(REPO) for f in files if f.startswith('.new-')]


def killed(args, prepare, bounded):
    """At each durable step: what was there is there, verify passes, the next run does it."""
    total = steps_of(args, prepare)
    assert total > 5, total
    steps = range(1, total + 1)
    if not FULL and total > bounded:
        steps = sorted(random.sample(steps, bounded))
    for n in steps:
        for how in ('kill', 'enospc') if FULL else (('kill', 'enospc')[n % 2],):
            prepare()
            before = snapshots()
            run(*args, env={'ARK_FAIL_AT': f'{n}:{how}'}, codes=())
            run('verify', REPO)
            kept = set(before) <= set(snapshots()) or args[0] == 'prune'
            assert kept, f'step {n} {how}: a snapshot is lost'
            run(*args)
            run('verify', REPO)
            assert snapshots(), f'step {n} {how}'
            assert not halves(), f'step {n} {how}: {halves()}'
    return total


def halves_of_the_living():
    """What a run writes just now stays, what dead ones left goes, and what is somebody else's stays."""
    fresh(1)
    folder = REPO + '/data/00'
    os.makedirs(folder, exist_ok=True)
    for name in ('dead', 'alive', 'foreign'):
        with open(f'{folder}/.new-{name}', 'w', encoding='ascii') as f:
            f.write('half')
    if os.geteuid() == 0:
        os.chown(f'{folder}/.new-foreign', 12345, 12345)
    with open(f'{folder}/.new-alive', 'r+', encoding='ascii') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        said = create_verbose()
    left = set(halves())
    assert '.new-dead' not in left and '.new-alive' in left, left
    assert os.geteuid() != 0 or '.new-foreign' in left, left
    assert 'half-written' in said, said


def create_verbose():
    return run('create', REPO, '--database', DB, '--files', WORK + '/store', '--verbose').stderr.decode()


def create_killed():
    def prepare():
        fresh(1)
    killed(('create', REPO, '--database', DB, '--files', WORK + '/store'), prepare, 10)


def prune_killed():
    base = WORK + '/base'
    fresh(3)
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(REPO, base)

    def prepare():
        shutil.rmtree(REPO)
        shutil.copytree(base, REPO)
    killed(('prune', REPO, '--keep-last', '1', '--keep-at-least', '1', '--sweep'), prepare, 25)


def swept_beside_creates():
    """Creates and sweeping prunes at the same time: no snapshot lacks an object."""
    fresh(1)
    variables = {'PATH': BIN + ':' + os.environ['PATH'], 'HOME': WORK, 'LC_ALL': 'C.UTF-8', 'TMPDIR': WORK}
    for n in range(500 if FULL else 12):
        change(f'beside {n}')
        with subprocess.Popen([TOOL, 'create', REPO, '--database', DB, '--files', WORK + '/store'], env=variables,
                              stderr=subprocess.PIPE) as process:
            for _ in range(3):
                run('prune', REPO, '--keep-last', '1', '--keep-at-least', '1', '--sweep')
            said = process.stderr.read().decode()
        assert process.returncode == 0, said
        run('verify', REPO)
        assert snapshots()


class Load(threading.Thread):
    """Uploads (body first, then the row, as the server does), posts, edits and deletes until stopped."""

    def __init__(self):
        super().__init__()
        self.stop = threading.Event()
        self.uploads = 0
        self.problem = None

    def run(self):
        try:
            with subprocess.Popen([BIN + '/psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', DB], stdin=subprocess.PIPE,
                                  text=True) as psql:
                while not self.stop.is_set():
                    name = f'{self.uploads:026d}'
                    path = f'20240102/live/{name}/f.bin'
                    os.makedirs(os.path.dirname(f'{WORK}/store/{path}'))
                    with open(f'{WORK}/store/{path}', 'wb') as f:
                        f.write(os.urandom(2000 + self.uploads % 100))
                    psql.stdin.write(f"""insert into fileinfo (id, creatorid, postid, createat, updateat, deleteat, path,
                        thumbnailpath, previewpath, name, extension, size, mimetype, width, height, haspreviewimage) values
                        ('{name}', 'u', '', 1, 1, 0, '{path}', '', '', 'f', 'bin', {2000 + self.uploads % 100}, '', 0, 0, false);
                        update posts set message = message || '.' where id in (select id from posts order by random() limit 2);
                        update posts set deleteat = 1 where id in (select id from posts order by random() limit 1);\n""")
                    psql.stdin.flush()
                    self.uploads += 1
                    time.sleep(0.002)
                psql.stdin.close()
        except (OSError, ValueError) as e:
            self.problem = e


def consistent_under_load():
    """While somebody uploads, edits and deletes: each row of each snapshot has its body."""
    fresh(1)
    load = Load()
    load.start()
    try:
        for _ in range(200 if FULL else 6):
            create()
    finally:
        load.stop.set()
        load.join()
    assert load.problem is None, load.problem
    assert load.uploads > 20, load.uploads
    most = 0
    for name in snapshots():
        parts = [json.loads(line) for line in run('show', REPO, name, '--json').stdout.splitlines()]
        rows = sum(p['rows'] for p in parts if p.get('kind') == 'table' and p.get('name') == 'fileinfo')
        files = sum(p['rows'] for p in parts if p.get('kind') == 'files' and p.get('name') == 'referenced')
        assert rows == files, f'{name}: {rows} rows, {files} files'
        most = max(most, rows)
    assert most > 5, most
    run('verify', REPO)


def makes_way():
    """A change of a table does not wait for a snapshot, and the snapshot comes all the same."""
    fresh(1)
    sql('create table if not exists heavy (id int primary key, t text)')
    sql("insert into heavy select i, repeat(md5(i::text), 30) from generate_series(1, 150000) i on conflict do nothing")
    variables = {'PATH': BIN + ':' + os.environ['PATH'], 'HOME': WORK, 'LC_ALL': 'C.UTF-8', 'TMPDIR': WORK}
    longest = 0
    with subprocess.Popen([TOOL, 'create', REPO, '--database', DB, '--files', WORK + '/store', '--verbose'], env=variables,
                          stderr=subprocess.PIPE, text=True) as process:
        for n in range(2):
            time.sleep(0.5)
            began = time.monotonic()
            sql(f'alter table heavy add column c{n} int')
            longest = max(longest, time.monotonic() - began)
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert longest < 8, f'{longest} s'
    run('verify', REPO)
    sql('drop table heavy')


def main():
    os.mkdir(WORK + '/store')
    subprocess.run([BIN + '/psql', '-Xq', '-d', SERVER + ' dbname=postgres', '-c', 'create database backup'], check=True)
    subprocess.run([IMPORT, 'slack', ROOT + '/fixtures/slack/workspace/export', '--team', 'acme', '--database', DB,
                    '--create-schema', '--create-team', '--quiet'], check=True, stderr=subprocess.DEVNULL)
    tests = [flipped_bytes, truncated_files, halves_of_the_living, create_killed, prune_killed, swept_beside_creates,
             consistent_under_load, makes_way]
    failed = 0
    for n, test in enumerate(tests, 1):
        try:
            test()
            print(f'ok {n} - {test.__name__}', flush=True)
        except AssertionError as e:
            failed += 1
            print('\n'.join('# ' + line for line in str(e).splitlines()))
            print(f'not ok {n} - {test.__name__}', flush=True)
    print(f'1..{len(tests)}')
    shutil.rmtree(WORK, ignore_errors=True)
    return 1 if failed else 0


sys.exit(main())

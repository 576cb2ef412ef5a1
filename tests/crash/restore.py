#!/usr/bin/env python3
"""
matter-backup restore when things break, on a throw-away server: killed or refused a step at each fail point, over what is
not there and over a copy, into a folder; and from a repository with bytes flipped, which never gives wrong data with exit
code 0.

Names of the functions below as arguments: only those. ARK_TEST_FULL=1: all steps, 400 bytes of each file of the repository.
ARK_CRASH_ROUNDS=N: N steps of each by chance, N bytes. ARK_CRASH_SEED repeats an earlier run; the seed is printed.
"""
import glob
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

FULL = bool(os.environ.get('ARK_TEST_FULL'))
ROUNDS = int(os.environ.get('ARK_CRASH_ROUNDS', '0'))
SEED = int(os.environ.get('ARK_CRASH_SEED', time.time_ns() % 1000000))
TOOL = os.environ['MATTER_BACKUP']
IMPORT = os.environ['MATTER_IMPORT']
ROOT = os.environ['ARK_SOURCE_ROOT']
BIN = os.environ['ARK_TEST_PG_BIN']
SERVER = os.environ['ARK_TEST_DSN'].split(' dbname=')[0]
WORK = tempfile.mkdtemp(prefix='ark-restore-')
DB = SERVER + ' dbname=crash_source'
REPO = WORK + '/repo'
STORE = WORK + '/store'
FILES = WORK + '/copy'
MARK = FILES + '/matterark-test-copy.json'
random.seed(SEED)
source = {} # what a restored database and folder must have; they do not change


def run(*args, env=None, codes=(0,)):
    variables = {'PATH': BIN + ':' + os.environ['PATH'], 'HOME': WORK, 'LC_ALL': 'C.UTF-8', 'TMPDIR': WORK, **(env or {})}
    done = subprocess.run([TOOL, *args], env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if codes and done.returncode not in codes:
        raise AssertionError(f'{args}: exit {done.returncode}: {done.stderr.decode()[-800:]} {done.stdout.decode()[-800:]}')
    return done


def sql(text, db='postgres'):
    return subprocess.run([BIN + '/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', f'{SERVER} dbname={db}', '-c', text],
                          check=True, capture_output=True, text=True).stdout


def databases():
    return sql("select datname from pg_database where datname not in ('postgres', 'template0', 'template1') order by 1").split()


TABLES = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'matterark') and tablename <> 'test_copy' order by 1"


def rows(db):
    """Every row of every table; order does not matter."""
    tables = sql(TABLES, db).split()
    return sql(''.join(f"select '{t}', count(*), md5(coalesce(string_agg(t::text, '' order by t::text collate \"C\"), '')) from {t} t;"
                       for t in tables), db)


def files(folder):
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with open(path, 'rb') as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


def restore(*more, env=None, codes=(0,), name='crash_copy', place=FILES):
    return run('restore', REPO, '--to-database', f'{SERVER} dbname={name}', '--to-files', place, *more, env=env, codes=codes)


PRODUCTION = ('--production', '--confirm-host', os.uname().nodename)


def clean():
    for name in databases():
        if name != 'crash_source':
            sql(f'drop database "{name}"')
    shutil.rmtree(FILES, ignore_errors=True)
    if os.path.exists(FILES + '.config.json'):
        os.unlink(FILES + '.config.json')


def is_whole(production):
    """The restored database and its files are the source's; a copy's but for what makes it one."""
    have = files(FILES)
    if production:
        assert rows('crash_copy') == source['rows'], 'rows differ'
    else:
        assert sql('select database_name from matterark.test_copy', 'crash_copy').strip() == 'crash_copy'
        assert sql('select count(*) from sessions', 'crash_copy').strip() == '0'
        posts = "select count(*), md5(string_agg(message, '' order by id)) from posts where message not like '%TEST COPY%'"
        source['posts'] = source.get('posts') or sql(posts, 'crash_source')
        assert sql(posts, 'crash_copy') == source['posts'], 'posts differ'
        for name in ('brand/image.png', 'matterark-test-copy.json'):
            assert have.pop(name, None), f'{name} is missing'
    assert have == source['files'], 'files differ'
    left = [n for n in databases() if n not in ('crash_source', 'crash_copy')]
    assert not left, left


def steps_of(more):
    log = WORK + '/steps'
    if os.path.exists(log):
        os.unlink(log)
    restore(*more, env={'ARK_FAIL_LOG': log})
    with open(log, encoding='utf-8', errors='replace') as f:
        return sum(1 for line in f if line.split(' ', 1)[0].isdigit())


def killed(more, prepare, bounded):
    prepare()
    total = steps_of(more)
    assert total > 20, total
    print(f'# {total} steps', flush=True)
    steps = range(1, total + 1)
    if ROUNDS:
        steps = [random.randint(1, total) for _ in range(ROUNDS)]
    elif not FULL:
        # the last ones are those between the two worlds
        steps = sorted(set(random.sample(steps, bounded)) | set(range(total - 5, total + 1)))
    for n in steps:
        how = ('kill', 'enospc', 'eio')[random.randrange(3)]
        prepare()
        was = rows('crash_copy') if 'crash_copy' in databases() else None
        done = restore(*more, env={'ARK_FAIL_AT': f'{n}:{how}'}, codes=())
        assert done.returncode != 0 or how != 'kill', f'step {n}: it should have died'
        yield n, how, was, done.returncode


def whole_or_nothing(was, n, how):
    """Under its name there is what was there, nothing, or the whole."""
    if 'crash_copy' not in databases():
        return
    now = rows('crash_copy')
    if now != was:
        tables = int(sql("select count(*) from pg_tables where schemaname = 'public'", 'crash_copy'))
        indexes = int(sql("select count(*) from pg_indexes where schemaname = 'public'", 'crash_copy'))
        assert tables > 50 and indexes > 100, f'step {n} {how}: half a database'


def new_copy_killed():
    for n, how, was, _ in killed((), clean, 3):
        whole_or_nothing(was, n, how)
        restore()
        is_whole(False)


def copy_over_copy_killed():
    def prepare():
        if 'crash_copy' not in databases():
            clean()
            restore()
        with open(FILES + '/stray', 'w', encoding='utf-8') as f:
            f.write('x')
    for n, how, was, _ in killed((), prepare, 1):
        whole_or_nothing(was, n, how)
        restore()
        is_whole(False)


def production_killed():
    """The same command again finishes it, whatever was left to be done; once more, and it is refused."""
    for n, how, was, code in killed(PRODUCTION, clean, 1):
        whole_or_nothing(was, n, how)
        named, marked = 'crash_copy' in databases(), os.path.exists(MARK)
        if named and not marked:
            assert code == 0 or how == 'kill', f'step {n} {how}'
        else:
            said = restore(*PRODUCTION, '--verbose').stderr.decode()
            assert ('was restored from snapshot' in said) == named, f'step {n} {how}: {said}'
        is_whole(True)
        assert os.path.exists(FILES + '.config.json'), f'step {n} {how}'
        again = restore(*PRODUCTION, codes=(4,))
        assert b'is not empty' in again.stderr


def production_in_use():
    """Killed behind the rename, then used for a while: what is finished later takes nothing of that."""
    clean()
    restore(*PRODUCTION)
    clean()
    total = steps_of(PRODUCTION)
    clean()
    restore(*PRODUCTION, env={'ARK_FAIL_AT': f'{total}:kill'}, codes=(-9,))
    assert 'crash_copy' in databases() and os.path.exists(MARK)
    with open(FILES + '/uploaded', 'w', encoding='utf-8') as f:
        f.write('since')
    sql("insert into sessions (id) values ('since')", 'crash_copy')
    run('create', REPO, '--database', DB, '--files', STORE)
    newer = restore(*PRODUCTION, codes=(4,))
    assert b'finishes it' in newer.stderr, newer.stderr
    name = sorted(os.listdir(REPO + '/snapshots'))[0]
    run('restore', REPO, name, '--to-database', f'{SERVER} dbname=crash_copy', '--to-files', FILES, *PRODUCTION)
    assert not os.path.exists(MARK) and os.path.exists(FILES + '/uploaded')
    assert sql("select count(*) from sessions where id = 'since'", 'crash_copy').strip() == '1'


def flipped_bytes():
    """Whatever byte of the repository is another one: no restore says that all is well when it is not."""
    clean()
    failed = count = 0
    patterns = ('data/*/*', 'index/*', 'snapshots/*', 'repository')
    paths = sorted(p for d in patterns for p in glob.glob(f'{REPO}/{d}'))
    # each is a restore: all bytes of what is small, some of the rest
    each = ROUNDS // len(paths) + 1 if ROUNDS else 400 if FULL else 7
    for path in paths:
        size = os.path.getsize(path)
        for at in sorted(random.sample(range(size), min(size, each))):
            with open(path, 'r+b') as f:
                f.seek(at)
                old = f.read(1)
                f.seek(at)
                f.write(bytes([old[0] ^ (1 << random.randrange(8))]))
            done = restore(*PRODUCTION, codes=())
            count += 1
            if done.returncode == 0:
                whole = rows('crash_copy') == source['rows'] and files(FILES) == source['files']
                assert whole, f'{path} byte {at}: wrong data'
            else:
                failed += 1
                assert 'crash_copy' not in databases(), f'{path} byte {at}'
                assert done.stderr, path
            clean()
            with open(path, 'r+b') as f:
                f.seek(at)
                f.write(old)
    assert count >= 20 and failed > count // 2, (count, failed)
    restore(*PRODUCTION)
    is_whole(True)


def main():
    os.mkdir(STORE)
    subprocess.run([IMPORT, 'slack', ROOT + '/fixtures/slack/workspace/export', '--team', 'acme', '--database', DB,
                    '--create-schema', '--create-team', '--quiet'], check=True, stderr=subprocess.DEVNULL)
    for n, size in enumerate((0, 10, 5000, 1500000, 300)):
        path = f'20240102/x/{n}/f.bin'
        os.makedirs(os.path.dirname(f'{STORE}/{path}'))
        with open(f'{STORE}/{path}', 'wb') as f:
            f.write(random.randbytes(size))
        sql(f"""insert into fileinfo (id, creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath, name,
            extension, size, mimetype, width, height, haspreviewimage) values ('f{n}', 'u', '', 1, 1, 0, '{path}', '', '', 'f', 'bin',
            {size}, '', 0, 0, false)""", 'crash_source')
    sql("insert into sessions (id) values ('live')", 'crash_source')
    run('init', REPO)
    with open(WORK + '/config.json', 'w', encoding='utf-8') as f:
        f.write('{"ServiceSettings": {"SiteURL": "https://chat.example.org"}}')
    run('create', REPO, '--database', DB, '--files', STORE, '--mattermost-config', WORK + '/config.json')
    source.update(rows=rows('crash_source'), files=files(STORE))
    print(f'# seed {SEED}', flush=True)
    tests = [new_copy_killed, copy_over_copy_killed, production_killed, flipped_bytes, production_in_use]
    tests = [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
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

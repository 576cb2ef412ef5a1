#!/usr/bin/env python3
"""
matter-backup when things break, on a throw-away server, its repository in a folder: any byte flipped, files cut
off, create and prune killed at every durable step, sweeping beside creates, somebody writing meanwhile.

Names of the functions below as arguments: only those. The long forms: backup_common.py.
"""
import fcntl
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import backup_common as common  # noqa: E402
from backup_common import BIN, FULL, ROUNDS, WORK, change, run, sql  # noqa: E402

repo = common.Repository(WORK + '/repo')
DATA = ('data/*/*', 'index/*', 'snapshots/*')


def files_of(patterns):
    return sorted(p for d in patterns for p in glob.glob(f'{repo.place}/{d}'))


def flipped_bytes():
    """Every byte of every file that holds data: verify fails and names what it is."""
    repo.fresh(2)
    count = 0
    for path in files_of(DATA):
        with open(path, 'rb+') as f:
            size = os.path.getsize(path)
            places = range(size) if FULL else sorted(random.sample(range(size), min(size, 25)))
            for at in places:
                f.seek(at)
                old = f.read(1)
                f.seek(at)
                f.write(bytes([old[0] ^ (1 << random.randrange(8))]))
                f.flush()
                done = run('verify', repo.place, codes=(1,))
                name = os.path.basename(path)
                told = done.stdout.decode() + done.stderr.decode()
                assert name in told, f'{path} byte {at}: {told}'
                if '/data/' in path:
                    assert 'is damaged' in told, told
                f.seek(at)
                f.write(old)
                f.flush()
                count += 1
    run('verify', repo.place)
    assert count > 100


def truncated_files():
    """Files that are cut off, empty or gone: verify fails, and nothing crashes."""
    repo.fresh(1)
    for path in files_of(DATA + ('repository',)):
        with open(path, 'rb') as f:
            content = f.read()
        for part in (content[:0], content[:1], content[:len(content) // 2], content[:-1], None):
            os.unlink(path)
            if part is not None:
                with open(path, 'wb') as f:
                    f.write(part)
            if part is not None or '/snapshots/' not in path: # a snapshot that is not there is none
                run('verify', repo.place, codes=(1,))
            run('list', repo.place, codes=(0, 1, 3))
            with open(path, 'wb') as f:
                f.write(content)
    run('verify', repo.place)


def halves_of_the_living():
    """What a run writes just now stays, what dead ones left goes, and what is somebody else's stays."""
    repo.fresh(1)
    folder = repo.place + '/data/00'
    os.makedirs(folder, exist_ok=True)
    for name in ('dead', 'alive', 'foreign'):
        with open(f'{folder}/.new-{name}', 'w', encoding='ascii') as f:
            f.write('half')
    if os.geteuid() == 0:
        os.chown(f'{folder}/.new-foreign', 12345, 12345)
    with open(f'{folder}/.new-alive', 'r+', encoding='ascii') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        said = repo.create('--verbose').stderr.decode()
    left = set(repo.halves())
    assert '.new-dead' not in left and '.new-alive' in left, left
    assert os.geteuid() != 0 or '.new-foreign' in left, left
    assert 'half-written' in said, said


def from_a_copy(snapshots):
    """Makes the repository as it was, again and again, without making its snapshots again."""
    base = WORK + '/base'
    repo.fresh(snapshots)
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(repo.place, base)

    def prepare():
        shutil.rmtree(repo.place)
        shutil.copytree(base, repo.place)
    return prepare


def create_killed():
    common.killed(repo, lambda: ('create', repo.place, *common.source()), from_a_copy(1), 10)


def prune_killed():
    common.killed(repo, repo.prune, from_a_copy(3), 25)


def killed_by_the_clock():
    """kill -9 from outside, at any moment: creates and prunes in turn, one repository all the time."""
    repo.fresh(2)
    for n in range(ROUNDS or (200 if FULL else 12)):
        change(f'clock {n}')
        args = repo.prune() if n % 3 == 2 else ('create', repo.place, *common.source())
        before = set(repo.snapshots())
        with subprocess.Popen([common.TOOL, *args], env=common.variables(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(random.random() * (0.1 if n % 3 == 2 else 0.5))
            process.kill()
        if n % 3 != 2:
            assert before <= set(repo.snapshots()), f'round {n}'
        if n % 4 == 0 or n % 3 == 2:
            run('verify', repo.place)
    repo.create()
    run(*repo.prune())
    run('verify', repo.place)
    assert len(repo.snapshots()) == 1 and not repo.halves(), repo.halves()


def swept_beside_creates():
    common.swept_beside_creates(repo, 12)


def missing_of(name):
    """Paths that a snapshot lists as missing."""
    lines = run('show', repo.place, name).stdout.decode().splitlines()
    return {line.split('\t')[1] for line in lines if line.startswith('missing\t')}


def restored_whole(name, deleted):
    """The snapshot comes back, and whatever its rows name is there or is listed. Returns how many files it has."""
    database, files = common.SERVER + ' dbname=under_load', WORK + '/under_load'
    missing = missing_of(name)
    assert missing <= deleted, f'{name}: {missing - deleted}'
    run('restore', repo.place, name, '--to-database', database, '--to-files', files, codes=(3,) if missing else (0,))
    rows = [line.split('|') for line in sql('select id, path, size from fileinfo', database).splitlines()]
    for _, path, size in rows:
        whole = os.path.exists(f'{files}/{path}') and os.path.getsize(f'{files}/{path}') == int(size)
        assert whole or path in missing, f'{name}: {path}'
    orphans = sql("select id from posts where fileids like '[\"0%' and not exists (select from fileinfo f where f.postid = posts.id)",
                  database)
    assert not orphans, f'{name}: {orphans}'
    assert not sql("select id from fileinfo f where not exists (select from posts where id = f.postid)", database)
    return len(rows)


def consistent_under_load():
    """While somebody posts, edits, deletes, uploads and removes for good: every snapshot is whole and comes back."""
    repo.fresh(1)
    load = common.Load()
    load.start()
    try:
        for _ in range(ROUNDS or (200 if FULL else 5)):
            repo.create(codes=(0, 3))
    finally:
        load.stop.set()
        load.join()
    assert load.problem is None, load.problem
    assert load.uploads > 20, load.uploads
    run('verify', repo.place)
    most = max(restored_whole(name, load.deleted) for name in repo.snapshots())
    assert most > 5, most
    print(f'# {load.uploads} uploads, {len(load.deleted)} removed, {len(repo.snapshots())} snapshots, at most {most} files', flush=True)


def two_halves():
    """A large table, read over one connection and in halves over two: the same snapshot, and every row of it."""
    sql("""create table halves (id text primary key, createat bigint, message text); create index on halves (createat);
        insert into halves select 'r' || i, case when i % 1000 = 0 then null else i / 100 end, repeat(md5(i::text), 10)
        from generate_series(1, 60000) i;
        update halves set message = (select string_agg(md5((id || i)::text), '') from generate_series(1, 9000) i)
        where id in ('r30010', 'r30011', 'r30012', 'r29990'); analyze halves""")
    large = "select pg_relation_size('halves') > 16777216, array_length(histogram_bounds::text::int8[], 1) > 2 from pg_stats " \
        "where tablename = 'halves' and attname = 'createat'"
    assert sql(large) == 't|t\n', 'it is not read in halves'
    roots = {}
    for number in range(2):
        for jobs in '12':
            repo.base = f'{WORK}/halves-{jobs}'
            repo.place = repo.base
            if number == 0:
                run('init', repo.place)
            said = json.loads(repo.create('--jobs', jobs, '--json').stdout.decode().splitlines()[-1])
            with open(f'{repo.place}/snapshots/{said["snapshot"]}', encoding='ascii') as f:
                roots[jobs] = [line for line in f if line.startswith('root ')]
            assert number == 0 or said['added_bytes'] < 300000, said
        assert roots['1'] == roots['2'], roots
        sql("update halves set message = 'another' where id in ('r29000', 'r40000', 'r59999', 'r1000')")
        sql("delete from halves where id = 'r30500'")
    rows = "select count(*), count(createat), md5(string_agg(h::text, '' order by id)) from halves h"
    sql("insert into halves values ('last', null, 'last')")
    before = sql(rows)
    repo.create('--jobs', '2')
    run('restore', repo.place, '--to-database', common.SERVER + ' dbname=halves', '--without-files', '--production',
        '--confirm-host', os.uname().nodename, '--config-out', WORK + '/halves.json')
    assert sql(rows, common.SERVER + ' dbname=halves') == before
    sql('drop database halves', common.SERVER + ' dbname=postgres')
    sql('drop table halves')
    repo.base = repo.place = WORK + '/repo'


def makes_way():
    """A change of a table does not wait for a snapshot, and the snapshot comes all the same."""
    repo.fresh(1)
    sql('create table if not exists heavy (id int primary key, t text)')
    sql("insert into heavy select i, repeat(md5(i::text), 30) from generate_series(1, 150000) i on conflict do nothing")
    longest = 0
    with subprocess.Popen([common.TOOL, 'create', repo.place, *common.source(), '--verbose'], env=common.variables(),
                          stderr=subprocess.PIPE, text=True) as process:
        for n in range(2):
            time.sleep(0.5)
            began = time.monotonic()
            sql(f'alter table heavy add column c{n} int')
            longest = max(longest, time.monotonic() - began)
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert longest < 8, f'{longest} s'
    run('verify', repo.place)
    sql('drop table heavy')


assert os.path.isdir(BIN)
common.main([flipped_bytes, truncated_files, halves_of_the_living, create_killed, prune_killed, killed_by_the_clock,
             swept_beside_creates, consistent_under_load, two_halves, makes_way])

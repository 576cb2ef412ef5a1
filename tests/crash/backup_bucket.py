#!/usr/bin/env python3
"""
matter-backup with its repository in an object store: killed at its steps, swept beside creates, and a store that
fails in every way that stores do. Runs beside tests/harness/fault_server.py; with AWS_* of another store
(tests/harness/s3s.sh) without the faults.

Names of the functions below as arguments: only those. The long forms: backup_common.py.
"""
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import backup_common as common  # noqa: E402
from backup_common import FULL, STORE, WORK, change, run, sql  # noqa: E402

CONTROL = os.environ.get('ARK_TEST_HTTP')
repo = common.Repository('s3://bucket/backup')

# Each K-th request of a kind goes wrong; all of them pass when they are asked again.
STORMS = {
    '500': ({'do': 'status', 'status': '500', 'every': '5'},),
    'slow down': ({'do': 'status', 'status': '503', 'code': 'SlowDown', 'every': '4'},),
    '200 with an error': ({'do': 'error200', 'code': 'InternalError', 'match': 'list-type|POST', 'every': '2'},),
    'slow': ({'do': 'slow', 'seconds': '0.05', 'every': '3'},),
    'cut': ({'do': 'cut', 'at': '50', 'match': 'GET', 'every': '4'},
            {'do': 'cutreset', 'at': '10', 'match': 'GET', 'every': '7'}),
    'lost': ({'do': 'lost', 'match': 'PUT|DELETE', 'every': '3'}, {'do': 'reset', 'every': '6'}),
}


def control(verb, **given):
    request = urllib.request.Request(f'{CONTROL}/{verb}?' + urllib.parse.urlencode(given), data=b'', method='POST')
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def create_killed():
    common.killed(repo, lambda: ('create', repo.place, *common.source()), lambda: repo.fresh(1), 6)


def prune_killed():
    common.killed(repo, repo.prune, lambda: repo.fresh(2), 6)


def swept_beside_creates():
    common.swept_beside_creates(repo, 6)


def storms():
    """Everything that a night does while the store fails: it is done, and what is there is whole."""
    for name, rules in STORMS.items() if FULL else random.sample(sorted(STORMS.items()), 3):
        control('__reset')
        repo.fresh(1)
        for rule in rules:
            control('__fault', **rule)
        change(name)
        repo.create()
        run('verify', repo.place)
        run(*repo.prune())
        control('__reset_rules')
        run('verify', repo.place)
        assert len(repo.snapshots()) == 1, name


def refused():
    """A store that refuses for good: the run fails, says so, and nothing that was there is gone."""
    control('__reset')
    repo.fresh(2)
    before = repo.snapshots()
    matches = ('PUT .*data', 'PUT .*index', 'PUT .*snapshots', 'PUT .*intents', 'GET .*index', 'PUT .*condemned',
               'DELETE .*data', 'DELETE .*snapshots', 'PUT .*removed')
    for match in matches if FULL else random.sample(matches, 4):
        control('__fault', do='status', status='403', code='AccessDenied', match=match, times='1000000')
        change('refused')
        made = repo.create(codes=(0, 4))
        pruned = run('prune', repo.place, '--keep-last', '2', '--keep-at-least', '2', '--sweep', codes=(0, 4))
        control('__reset_rules')
        told = made.stderr.decode() + pruned.stderr.decode()
        assert made.returncode + pruned.returncode == 0 or 'AccessDenied' in told, f'{match}: {told}'
        run('verify', repo.place)
        now = repo.snapshots()
        assert len(now) >= 2, f'{match}: {before} became {now}'
        run(*repo.prune()[:2], '--keep-last', '2', '--keep-at-least', '2', '--sweep')
        run('verify', repo.place)


def asked(match):
    return int(control('__count', match=match))


def overtaken():
    """A snapshot is published between another program's reading of the index and of the snapshots: nothing is wrong."""
    control('__reset')
    lists = 'GET .*prefix=[^&]*index'
    repo.fresh(1)
    before = asked(lists)
    repo.create()
    change('overtaken')
    of_a_create = asked(lists) - before
    for args in (('verify', repo.place), repo.prune()):
        control('__fault', do='stale', match=lists, skip=of_a_create)
        change('overtaken')
        repo.create()
        run(*args)
        control('__reset_rules')
        run('verify', repo.place)


def waits_until(holds, what):
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f'{what}: never')


def intent_of(purpose):
    keys = [line.rsplit(' ', 1)[0] for line in control('__keys').splitlines()]
    for key in [k for k in keys if '/intents/' in k]:
        try:
            with urllib.request.urlopen(object_url(key)) as answer:
                if f'purpose {purpose}'.encode() in answer.read():
                    return True
        except urllib.error.HTTPError:
            pass
    return False


def condemned_come_back():
    """A sweep is about to delete a body, and a snapshot needs the very same just then."""
    control('__reset')
    name = 'b' * 26
    path = f'20240102/again/{name}/f.bin'
    row = f"""insert into fileinfo (id, creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath,
        name, extension, size, mimetype, width, height, haspreviewimage) values ('{name}', 'u', '', 1, 1, 0, '{path}', '', '',
        'f', 'bin', 1500000, '', 0, 0, false)"""
    os.makedirs(os.path.dirname(f'{STORE}/{path}'))
    with open(f'{STORE}/{path}', 'wb') as f:
        f.write(random.randbytes(1500000))
    sql(row)
    repo.fresh(1)
    sql(f"delete from fileinfo where id = '{name}'")
    repo.create()
    run(*repo.prune()[:-1]) # condemned, not swept
    sql(row)
    control('__fault', do='slow', seconds='4', match='GET .*prefix=[^&]*removed')
    with subprocess.Popen([common.TOOL, 'prune', repo.place, '--sweep'], env=common.variables(), stderr=subprocess.PIPE) as sweep:
        waits_until(lambda: intent_of('sweep'), 'the sweep')
        time.sleep(0.5)
        beside = run('prune', repo.place, '--sweep')
        assert b'delays sweeping' in beside.stderr, beside.stderr
        assert sweep.poll() is None
        repo.create()
        said = sweep.stderr.read()
    assert sweep.returncode == 0, said
    run('verify', repo.place)
    run(*repo.prune())
    run('verify', repo.place)
    assert len(repo.snapshots()) == 1 and not intent_of('')
    sql(f"delete from fileinfo where id = '{name}'")


def moved_while_read():
    """What is read goes to another pack, and its old one is swept: reading goes on."""
    control('__reset')
    sql("create table much as select i, md5(i::text) || md5((-i)::text) as t from generate_series(1, 5000) i; alter table much add primary key (i)")
    repo.fresh(1)
    sql('drop table much')
    repo.create()
    before = asked('GET .*/data/')
    control('__fault', do='slow', seconds='4', match='GET .*/data/', skip='1')
    with subprocess.Popen([common.TOOL, 'extract', repo.place, '-o', WORK + '/x.tar.zst'], env=common.variables(),
                          stderr=subprocess.PIPE) as reading:
        waits_until(lambda: asked('GET .*/data/') > before, 'the first reading')
        done = run(*repo.prune(), '--verbose').stderr.decode()
        assert reading.poll() is None
        said = reading.stderr.read()
    assert ', deleted 0' not in done, done
    assert reading.returncode == 0, said
    assert asked('GET .*/data/.* 404') == 1


def object_url(key):
    return f'{CONTROL}/__object/{key}'


def damaged():
    """A bit of an object is another one: verify names the object."""
    control('__reset')
    repo.fresh(1)
    keys = [line.rsplit(' ', 1)[0] for line in control('__keys').splitlines()]
    for kind in ('data', 'index', 'snapshots'):
        for key in [k for k in keys if f'/{kind}/' in k][:2]:
            with urllib.request.urlopen(object_url(key)) as answer:
                good = answer.read()
            at = random.randrange(len(good))
            put(key, good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
            done = run('verify', repo.place, codes=(1,))
            assert key.rsplit('/', 1)[1].encode() in done.stdout + done.stderr, done.stdout + done.stderr
            put(key, good)
    run('verify', repo.place)


def put(key, content):
    urllib.request.urlopen(urllib.request.Request(object_url(key), data=content, method='PUT')).close()


TESTS = [create_killed, prune_killed, swept_beside_creates]
if CONTROL:
    TESTS += [overtaken, condemned_come_back, moved_while_read, storms, refused, damaged]
common.main(TESTS)

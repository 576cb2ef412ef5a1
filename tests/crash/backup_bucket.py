#!/usr/bin/env python3
"""
matter-backup with its repository in an object store: killed at its steps, swept beside creates, and a store that
fails in every way that stores do. Runs beside tests/harness/fault_server.py; with AWS_* of another store
(tests/harness/s3s.sh) without the faults.

Names of the functions below as arguments: only those. The long forms: backup_common.py.
"""
import os
import random
import sys
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import backup_common as common  # noqa: E402
from backup_common import FULL, change, run  # noqa: E402

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
    TESTS += [storms, refused, damaged]
common.main(TESTS)

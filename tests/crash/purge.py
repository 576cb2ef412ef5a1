#!/usr/bin/env python3
"""
matter-purge apply killed, and refused a step, at each step that changes something: whenever it ends, no row names what is not
there and no row lost its file; the same command finishes, and what is left is what an undisturbed run leaves. On a server
that commits in time. Bounded form: steps by chance, one of each kind first, within about 40 s; ARK_TEST_FULL=1: each of them, in every way. TAP; under pg.sh.
"""
import os
import random
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'roundtrip'))
import purge_world as w  # noqa: E402
from purge_world import Failure, sql, tool, url  # noqa: E402

FULL = os.environ.get('ARK_TEST_FULL') == '1'
BUDGET_S = 25
LEAST = 8
WORK = w.folder()
FILES = f'{WORK}/now'
# what may be so between two transactions of ours, until the queue is worked off: counts of threads and times of channels that
# are later than they need be
LATER = ('threads: differs from its replies', 'threads: participants')


def reset():
    w.copy('base', 'work')
    shutil.rmtree(FILES, ignore_errors=True)
    shutil.copytree(f'{WORK}/files', FILES)


def apply(*more, codes=(0,), env=None):
    return tool(w.PURGE, 'apply', f'{WORK}/plan', '--files', FILES, '--yes', '--batch', '7', '--pause', '0', *more, *url('work'), codes=codes,
                env=env)


def named():
    return set(sql('work', "select distinct p from fileinfo f, lateral (values (f.path), (f.thumbnailpath), (f.previewpath)) v(p) where p <> "
                           "''").split('\n')) - {''}


def whole():
    """After trouble: nothing is broken that people see."""
    bad = [line for line in w.inconsistent('work').splitlines() if not line.startswith(LATER)]
    if bad:
        raise Failure('\n'.join(bad))
    missing = named() - w.stored(FILES)
    if missing:
        raise Failure(f'rows without their files: {sorted(missing)[:3]}')


def end_state():
    rows = {row for row in w.dump('work')}
    rows |= {('ledger', line) for line in sql('work', 'select post_id, channel_id, plan from matterark.purge_ledger').splitlines()}
    counts = 'posts, earlier_texts, reactions, files, file_bytes, files_kept, other_rows, changed'
    rows |= {('run', line) for line in sql('work', f'select {counts} from matterark.purge_run').splitlines()}
    left = sql('work', "select count(*) from matterark.purge_work").strip()
    return rows, w.stored(FILES), left


def finishes(context):
    # the root of a thread that lost a reply is touched at the time of the run: not here, where whole threads go
    apply()
    rows, files, left = end_state()
    if (rows, files, left) != GOOD:
        bad = sorted(rows ^ GOOD[0])[:6] + sorted(files ^ GOOD[1])[:6] + [left]
        raise Failure(f'{context}: the next run leaves something else: {bad}')


def steps():
    log = f'{WORK}/steps'
    if os.path.exists(log):
        os.unlink(log)
    reset()
    apply(env={'ARK_FAIL_LOG': log})
    with open(log, encoding='utf-8') as f:
        return [line.rstrip('\n').split(' ', 1) for line in f]


def spread(all_steps):
    """Every step in the long form; else one of each kind first, then others by chance."""
    if FULL:
        return [int(n) for n, _ in all_steps]
    kinds = {}
    for n, what in all_steps:
        kinds.setdefault(what[:40], []).append(int(n))
    first = [random.choice(v) for v in kinds.values()]
    rest = [int(n) for n, _ in all_steps if int(n) not in first]
    random.shuffle(first)
    random.shuffle(rest)
    return first + rest


def at_each_step(all_steps, how, codes, share):
    until, done = time.monotonic() + BUDGET_S * share, 0
    for n in spread(all_steps):
        if not FULL and done >= LEAST and time.monotonic() > until:
            break
        reset()
        try:
            apply(codes=codes, env={'ARK_FAIL_AT': f'{n}:{how}'})
            whole()
            finishes(f'step {n}')
        except Failure as problem:
            raise Failure(f'step {n} {how}, "{dict((int(a), b) for a, b in all_steps)[n][:60]}": {problem}') from None
        done += 1
    return f'{done} of {len(all_steps)} steps'


def server_goes_away():
    """Connections cut at moments by chance: an error, and the same command goes on."""
    import threading
    done = 0
    for _ in range(40 if FULL else 2):
        reset()
        stop = threading.Event()

        def cut():
            while not stop.wait(random.uniform(0.02, 0.3)):
                sql('postgres', "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'matter-purge'")

        t = threading.Thread(target=cut)
        t.start()
        apply('--pause', '30', codes=(0, 1))
        stop.set()
        t.join()
        whole()
        finishes('cut off')
        done += 1
    return f'{done} times'


def main():
    global GOOD
    seed = int(os.environ.get('ARK_CRASH_SEED', time.time_ns() % 1000000))
    random.seed(seed)
    print(f'# seed {seed}, {"long" if FULL else "bounded"} form', flush=True)
    failed = count = 0
    try:
        w.make('base', f'{WORK}/files')
        reset()
        tool(w.PURGE, 'plan', '--channel', 'design', '--older-than', '2030-01-01', '-o', f'{WORK}/plan', *url('work'))
        apply()
        GOOD = end_state()
        if GOOD[2] != '0':
            raise SystemExit(f'the undisturbed run leaves work: {GOOD[2]}')
        all_steps = steps()
        cases = [('killed at a step', lambda: at_each_step(all_steps, 'kill', (0, -9), 0.6)),
                 ('a step refused', lambda: at_each_step(all_steps, 'eio', (0, 1, 3), 0.3)),
                 ('the connection cut', server_goes_away)]
        for name, case in cases:
            count += 1
            try:
                print(f'ok {count} - {name}: {case()}', flush=True)
            except Failure as problem:
                failed += 1
                print(f'not ok {count} - {name}', flush=True)
                for line in str(problem).splitlines():
                    print(f'# {line}')
        print(f'1..{count}')
    finally:
        w.remove(WORK)
    sys.exit(1 if failed else 0)


main()

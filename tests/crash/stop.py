#!/usr/bin/env python3
"""
SIGINT and SIGTERM at random moments: exit 130 within seconds, the target as it was, nothing left. Behind the commit it
is 130 too, because files and report come then, and the run says that everything is imported. And two imports at once:
into the same target one gets exit 5 and the other completes; into different ones both complete.
"""
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import embedded
import harness as h

QUICK_S = 15 # on a machine that does other things too; the server itself cancels within a second


def interrupted(report, make):
    target = make()
    stopped = complete = 0
    slowest = 0.0
    for i, total in h.rounds(report, 0.15, 12):
        delay = h.moments(target, i, total)
        signum = (signal.SIGINT, signal.SIGTERM)[i % 2]
        run = target.run()
        code, lived = run.after(delay, signum)
        context = f'{signum.name} after {delay:.3f} of {target.seconds:.3f} s'
        # before its handlers are there, a program dies of the signal
        if code not in (0, 130) and not (code == -signum and not run.caught):
            raise h.Failure(f'{context}\n{run}')
        if code == 130 and lived > QUICK_S:
            raise h.Failure(f'{context}: lived on for {lived:.1f} s')
        slowest = max(slowest, lived if code == 130 else 0.0)
        all_of_it = target.check(context)
        said = code == 0 or 'everything is imported' in run.talk()
        if all_of_it != said:
            raise h.Failure(f'{context}: imported is {all_of_it}\n{run}')
        target.no_rests(context)
        stopped += code != 0
        complete += code == 0
        if all_of_it or i % 4 == 0:
            target.complete(context)
            target.reset()
    return f'{stopped} stopped, {complete} ended before, at most {slowest:.1f} s'


def interrupted_embedded(report, work, archive, template):
    """The server goes with the run, or was never there; the next run finds all in order."""
    target = embedded.Embedded(work, template, archive)
    stopped = 0
    for i, total in h.rounds(report, 0.1, 6):
        delay = h.moments(target, i, total)
        signum = (signal.SIGINT, signal.SIGTERM)[i % 2]
        run = target.run()
        code, lived = run.after(delay, signum)
        context = f'{signum.name} after {delay:.3f} of {target.seconds:.3f} s, lived {lived:.1f} s'
        if code not in (0, 130) and not (code == -signum and not run.caught):
            raise h.Failure(f'{context}\n{run}')
        target.no_rests(context)
        stopped += code != 0
        if i % 3 == 0:
            target.complete(context)
            target.reset()
    target.complete('the last')
    target.reset()
    return f'{stopped} stopped'


def wait_for_session(run):
    for _ in range(500):
        if h.psql('postgres', "select count(*) from pg_locks where locktype = 'advisory'").strip() != '0':
            return True
        if run.process.poll() is not None:
            return False
        time.sleep(0.02)
    return False


def two_at_once(report, make):
    """The first is stopped while it holds the lock, so the second meets it for sure."""
    target = make()
    n = 0
    for n, _ in h.rounds(report, 0.0, 1):
        first = target.run('--report', target.work.report + '-1')
        if not wait_for_session(first):
            raise h.Failure(f'no lock was seen\n{first}')
        first.process.send_signal(signal.SIGSTOP)
        second = target.run('--report', target.work.report + '-2')
        h.expect(second, 5)
        talk = second.talk()
        if 'another import' not in talk or target.name not in talk or 'hint: ' not in talk:
            raise h.Failure(f'not clear\n{second}')
        first.process.send_signal(signal.SIGCONT)
        h.expect(first, 0)
        target.verify()
        target.reset()
        for name in os.listdir(os.path.dirname(target.work.report)):
            if name.startswith('.'):
                raise h.Failure(f'left: {name}')
            shutil.rmtree(os.path.join(os.path.dirname(target.work.report), name))
        if h.LONG and n >= 20:
            break
    return f'{n + 1} times'


def race(report, make):
    """Started in the same moment: one completes; the other completes behind it, or gives up with exit 5."""
    target = make()
    codes = []
    for n, _ in h.rounds(report, 0.0, 2):
        pair = [target.run('--report', f'{target.work.report}-{i}') for i in (1, 2)]
        found = sorted(run.wait() for run in pair)
        if found not in ([0, 0], [0, 5]):
            raise h.Failure(f'{found}\n{pair[0]}\n{pair[1]}')
        codes.append(found[1])
        target.verify()
        if target.count_posts() != target.posts or h.rests():
            raise h.Failure(f'{target.count_posts()} posts, not {target.posts}; left: {h.rests()}')
        target.reset()
        for i in (1, 2):
            shutil.rmtree(f'{target.work.report}-{i}', ignore_errors=True)
        if h.LONG and n >= 50:
            break
    return f'{len(codes)} times, {codes.count(5)} times exit 5'


def side_by_side(report, work, archive):
    """Two new databases of one server: neither takes the other's for a rest."""
    n = 0
    for n, _ in h.rounds(report, 0.0, 2):
        for name in ('side_a', 'side_b'):
            h.drop(name)
        pair = [h.Run(work, 'slack', archive, '--team', 'acme', '--database', h.url(name), '--create-schema')
                for name in ('side_a', 'side_b')]
        for run in pair:
            h.expect(run, 0)
        if h.rests():
            raise h.Failure(f'left: {h.rests()}')
        if h.LONG and n >= 50:
            break
    for name in ('side_a', 'side_b'):
        h.drop(name)
    return f'{n + 1} times'


def main():
    work = h.Work()
    report = h.Report()
    try:
        made = h.targets(work)
        for name, make in made.items():
            report.scenario(f'interrupted: {name}', interrupted, report, make)
        archive = os.path.join(work.dir, 'first.zip')
        report.scenario('interrupted while the embedded server is made', interrupted_embedded, report, work, archive, None)
        report.scenario('interrupted with the embedded server', interrupted_embedded, report, work, archive,
                        embedded.base(work))
        for name, make in made.items():
            report.scenario(f'two at once: {name}', two_at_once, report, make)
            report.scenario(f'two in the same moment: {name}', race, report, make)
        report.scenario('two new databases side by side', side_by_side, report, work, archive)
    finally:
        work.remove()
    report.end()


if __name__ == '__main__':
    main()

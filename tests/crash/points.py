#!/usr/bin/env python3
"""
Each step that changes something outside the process goes wrong once (common/base/fail.h): the process dies there,
the disk is full, the connection is cut, a write is interrupted or done in part. Then as in kill.py; and an error
names what went wrong and what to do.
"""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h

LET_THROUGH = 6   # of so many trials one is followed by the next run
# What the bounded form does; the rest is much the same code.
BOUNDED = (('a new database', 'kill'), ('a new database', 'enospc'), ('a new database', 'eio'),
           ('a database in use', 'kill'), ('a database in use', 'enospc'))
MEMORY = '300K'   # some channels go to temporary files, some do not


class Steps:
    """The steps of an undisturbed run into this target, by number; `kinds` groups them by what they do."""

    def __init__(self, target):
        log = os.path.join(target.work.dir, 'steps')
        if os.path.exists(log):
            os.unlink(log)
        h.expect(target.run('--memory', MEMORY, env={'ARK_FAIL_LOG': log}), 0)
        with open(log, encoding='utf-8') as f:
            lines = [line.rstrip('\n').split(' ', 1) for line in f]
        target.reset()
        self.what = {int(n): text for n, text in lines}
        if sorted(self.what) != list(range(1, len(lines) + 1)):
            raise h.Failure('the log of the steps has gaps')

    def sample(self, limit, wanted=lambda text: True):
        """All, or a choice that has every kind of step before a second of one."""
        by_kind = {}
        for n, text in self.what.items():
            if wanted(text):
                by_kind.setdefault(text[:24], []).append(n)
        groups = [random.sample(v, len(v)) for v in by_kind.values()]
        random.shuffle(groups)
        order = [group[i] for i in range(max(map(len, groups), default=0)) for group in groups if i < len(group)]
        return sorted(order) if limit is None else order[:limit]


def is_write(text):
    return text.startswith('write to')


def after_commit(text):
    """Steps of the report behind the commit: then everything is there, and the error says so."""
    return text in ('users.csv', 'report.html', 'report.json') or 'report' in text


def check_error(run, how, step, all_of_it):
    talk = run.talk()
    if 'error: ' not in talk:
        raise h.Failure(f'no error is told\n{run}')
    wanted = {'enospc': 'space'}.get(how)
    if wanted and wanted not in talk:
        raise h.Failure(f'the error does not speak of {wanted}\n{run}')
    if how == 'enospc' and 'hint: ' not in talk and step != 'COPY data':
        raise h.Failure(f'no hint what to do\n{run}')
    if all_of_it and 'everything is imported' not in talk and step[:6] not in ('COMMIT', 'ALTER '):
        raise h.Failure(f'the import is complete, and the error does not say so\n{run}')


def trial(target, steps, n, how):
    """Let step n go wrong; True when the run ended as it should and left the target as it was or complete."""
    context = f'step {n} ({steps.what[n]}): {how}'
    run = target.run('--memory', MEMORY, env={'ARK_FAIL_AT': f'{n}:{how}'})
    code = run.wait()
    talk = run.talk()
    if 'Sanitizer' in talk or 'runtime error:' in talk:
        raise h.Failure(f'{context}\n{run}')
    wanted = {'kill': (-9,), 'eintr': (0,), 'short': (0,)}.get(how, (0, 1))
    if code not in wanted:
        raise h.Failure(f'{context}: not {wanted}\n{run}')
    all_of_it = target.check(context)
    if code == 0 and not all_of_it:
        raise h.Failure(f'{context}: exit 0, and nothing is imported\n{run}')
    if code == 1:
        check_error(run, how, steps.what[n], all_of_it)
    if code == 1 and how == 'enospc':
        target.no_rests(context) # who lives cleans up
    return code, all_of_it


def every_step(report, make, how, share, bounded, wanted=lambda text: True):
    target = make()
    steps = Steps(target)
    until = report.spent() + h.BUDGET_S * share
    done = complete = survived = 0
    for n in steps.sample(None if h.FULL else h.ROUNDS if h.LONG else bounded, wanted):
        if not h.LONG and done >= h.LEAST and report.spent() > until:
            break
        code, all_of_it = trial(target, steps, n, how)
        done += 1
        complete += all_of_it
        survived += code == 0
        if (all_of_it and code != 0) or done % LET_THROUGH == 0:
            target.complete(f'after step {n} ({steps.what[n]}): {how}')
        if all_of_it or done % LET_THROUGH == 0:
            target.reset()
    target.complete(f'after the last {how}')
    return f'{done} of {len(steps.what)} steps, {complete} times complete all the same, exit 0 {survived} times'


def main():
    work = h.Work()
    report = h.Report()
    try:
        for name, make in h.targets(work).items():
            for how, share, bounded in (('kill', 0.2, 20), ('enospc', 0.15, 12), ('eio', 0.15, 12)):
                if (name, how) not in BOUNDED and not h.LONG:
                    continue
                report.scenario(f'{how} at each step: {name}', every_step, report, make, how, share, bounded)
            if name == 'a database in use':
                for how in ('eintr', 'short'):
                    report.scenario(f'{how} at each write: {name}', every_step, report, make, how, 0.0, 2, is_write)
    finally:
        work.remove()
    report.end()


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""
The server goes away during an import: one of the tool's sessions is ended, or the whole server dies, at random
moments. The run ends with an error and exit 1, the target is as it was or complete, and the next run completes. And
what a run has committed outlives the death of the server right behind it.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h

END_ONE = """select pg_terminate_backend(pid) from pg_stat_activity
where application_name = 'matter-import' and usename = 'mm' order by random() limit 1"""


def check_code(run, code, target, context):
    all_of_it = target.check(context)
    if code not in (0, 1):
        raise h.Failure(f'{context}\n{run}')
    if code == 0 and not all_of_it:
        raise h.Failure(f'{context}: exit 0, and nothing is imported\n{run}')
    if code == 1 and 'error: ' not in run.talk():
        raise h.Failure(f'{context}: no error is told\n{run}')
    return all_of_it


def session_ended(report, make):
    target = make()
    hit = failed = complete = 0
    for i, total in h.rounds(report, 0.2, 12):
        delay = h.moments(target, i, total)
        run = target.run()
        time.sleep(delay)
        hit += h.psql('postgres', END_ONE).strip() == 't'
        code = run.wait()
        context = f'session ended after {delay:.3f} of {target.seconds:.3f} s'
        all_of_it = check_code(run, code, target, context)
        failed += code == 1
        complete += all_of_it
        if all_of_it or i % 3 == 0:
            target.complete(context)
            target.reset()
    target.complete('the last')
    return f'{hit} sessions ended, {failed} runs failed, {complete} complete'


def server_died(report, make):
    target = make()
    failed = complete = 0
    for i, total in h.rounds(report, 0.13, 6):
        delay = h.moments(target, i, total)
        run = target.run()
        time.sleep(delay)
        h.pg_ctl('-m', 'immediate', 'stop')
        code = run.wait(60)
        h.pg_ctl('restart')
        context = f'server stopped after {delay:.3f} of {target.seconds:.3f} s'
        all_of_it = check_code(run, code, target, context)
        failed += code == 1
        complete += all_of_it
        if all_of_it or i % 2 == 0:
            target.complete(context)
            target.reset()
    target.complete('the last')
    return f'{failed} runs failed, {complete} complete'


def outlives(report, make):
    """Exit 0, then the server dies at once: after its recovery everything is there."""
    target = make()
    n = 0
    for n, _ in h.rounds(report, 0.03, 2):
        h.expect(target.run(), 0)
        h.pg_ctl('-m', 'immediate', 'stop')
        h.pg_ctl('restart')
        target.verify()
        if target.count_posts() != target.posts:
            raise h.Failure('posts are missing after the server was started again')
        target.reset()
        if h.LONG and n >= 10:
            break
    return f'{n + 1} times'


def main():
    work = h.Work()
    report = h.Report()
    try:
        for name, make in h.targets(work).items():
            report.scenario(f'a session is ended: {name}', session_ended, report, make)
            report.scenario(f'the server dies: {name}', server_died, report, make)
            if name != 'a newer archive':
                report.scenario(f'the server dies behind the end: {name}', outlives, report, make)
    finally:
        work.remove()
    report.end()


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""
kill -9 at random moments of an import: into a new database, into one in use, of a newer archive, and with the
embedded server. Afterwards the target is as it was or complete, psql works, nothing has to be done by hand: the
next run completes, and takes away what the killed one left.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import embedded
import harness as h

EVERY = 4 # killed runs before one is let through; the long form lets through after each second


def kill_rounds(report, make, share):
    target = make()
    killed = complete = ended = 0
    for i, total in h.rounds(report, share, 20):
        delay = h.moments(target, i, total)
        run = target.run()
        code, _ = run.after(delay, h.KILL)
        context = f'killed after {delay:.3f} of {target.seconds:.3f} s'
        if code not in (-9, 0):
            raise h.Failure(f'{context}\n{run}')
        killed += code == -9
        ended += code == 0
        all_of_it = target.check(context)
        complete += all_of_it and code == -9
        if all_of_it or i % (2 if h.LONG else EVERY) == 0:
            target.complete(context)
            target.reset()
    target.complete('the last')
    return f'{killed} times killed, {complete} of these behind the commit, {ended} ended before; run of {target.seconds:.1f} s'


def kill_embedded(report, work, archive, template, share, bounded, with_server=False):
    target = embedded.Embedded(work, template, archive)
    killed = reused = complete = 0
    for i, total in h.rounds(report, share, bounded):
        delay = h.moments(target, i, total)
        run = target.run()
        code, _ = run.after(delay, h.KILL)
        if with_server:
            target.kill_all()
        context = f'killed after {delay:.3f} of {target.seconds:.3f} s'
        if code not in (-9, 0):
            raise h.Failure(f'{context}\n{run}')
        killed += code == -9
        complete += target.check(context)
        if i % 3 == 0:
            reused += target.complete(context)
            target.reset()
    reused += target.complete('the last')
    target.reset()
    return f'{killed} times killed, {complete} complete all the same, {reused} servers used again; run of {target.seconds:.1f} s'


def main():
    work = h.Work()
    report = h.Report()
    try:
        made = h.targets(work)
        for name, make in made.items():
            report.scenario(f'killed while importing into {name}' if name != 'a newer archive' else
                            'killed while importing a newer archive again', kill_rounds, report, make, 0.2)
        archive = os.path.join(work.dir, 'first.zip')
        report.scenario('killed while the embedded server is made', kill_embedded, report, work, archive, None, 0.2, 8)
        base = embedded.base(work)
        report.scenario('killed with an embedded server that is there', kill_embedded, report, work, archive, base, 0.15, 8)
        report.scenario('killed together with the embedded server', kill_embedded, report, work, archive, base, 0.1, 4,
                        True)
    finally:
        work.remove()
    report.end()


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""
Each step of an undo, and of the import of a newer archive, goes wrong once (common/base/fail.h). Afterwards the
database is as it was, or all of it is done; nothing in between, and the next try does it. Behind the commit threads and
channels may wait to be counted: the next try does that too.
"""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h
import points

# Mattermost's tables alone, by content.
CONTENT = """select '{0}', count(*), md5(coalesce(string_agg(t::text, E'\\n' order by t::text collate "C"), '')) from {0} t"""


def content(database):
    tables = [t for t in h.psql(database, h.TABLES).split('\n') if t.startswith('public.')]
    return h.psql(database, ' union all '.join(CONTENT.format(t) for t in tables) + ' order by 1')


class Undo:
    """A database with two imports; undoing the second."""

    def __init__(self, work):
        self.work, self.name = work, 'undo'
        first = work.archive('undo1.zip')
        newer = work.archive('undo2.zip', '--newer', '50')
        h.drop('undo_template')
        self.load(first, '--create-schema')
        self.wanted = content('undo_template')
        self.load(newer)
        self.newest = h.psql('undo_template', 'select run from matterark.run order by run_no desc limit 1').strip()
        self.reset()
        self.before = h.state(self.name)

    def load(self, archive, *more):
        h.expect(h.Run(self.work, 'slack', archive, '--team', 'acme', '--database', h.url('undo_template'), *more), 0)

    def reset(self):
        h.copy('undo_template', self.name)

    def run(self, *more, **kwargs):
        return h.Run(self.work, 'undo', self.newest, '--database', h.url(self.name), *more, **kwargs)

    def check(self, context):
        """As before (False), or all of it (True)."""
        if h.state(self.name) == self.before:
            return False
        stays = h.psql(self.name, f"select undone is null from matterark.run where run = '{self.newest}'").strip()
        left = "select count(*) from matterark.change c join matterark.run r on r.run_no = c.run where r.undone is not null"
        if stays == 'f' and h.psql(self.name, left).strip() != '0':
            h.expect(self.run(), 0)
        if stays != 'f' or h.psql(self.name, left).strip() != '0' or content(self.name) != self.wanted:
            raise h.Failure(f'{context}\nhalf done')
        return True


def steps_of(undo):
    log = os.path.join(undo.work.dir, 'undo-steps')
    h.expect(undo.run(env={'ARK_FAIL_LOG': log}), 0)
    if not undo.check('undisturbed'):
        raise h.Failure('an undisturbed undo left the database as it was')
    undo.reset()
    with open(log, encoding='utf-8') as f:
        return dict((int(n), text) for n, text in (line.rstrip('\n').split(' ', 1) for line in f))


def every_step(report, undo, how, share, bounded):
    steps = steps_of(undo)
    # those that count are always among them: the commit, and a portion behind it
    first = [min(n for n, text in steps.items() if text.startswith('COMMIT')),
             random.choice([n for n, text in steps.items() if 'TRUNCATE ark_back_change' in text])]
    chosen = first + [n for n in random.sample(sorted(steps), len(steps)) if n not in first]
    until = report.spent() + h.BUDGET_S * share
    done = complete = 0
    for n in chosen if h.FULL else chosen[:h.ROUNDS or bounded]:
        if not h.LONG and done >= h.LEAST and report.spent() > until:
            break
        run = undo.run(env={'ARK_FAIL_AT': f'{n}:{how}'})
        code = run.wait()
        context = f'step {n} ({steps[n]}): {how}: exit {code}'
        if code != (-9 if how == 'kill' else 1) or 'Sanitizer' in run.talk():
            raise h.Failure(f'{context}\n{run}')
        done += 1
        if undo.check(context):
            complete += 1
            undo.reset()
        elif done % 6 == 0:
            h.expect(undo.run(), 0)
            if not undo.check(context + ', and again'):
                raise h.Failure(f'{context}: the next undo did nothing')
            undo.reset()
    h.expect(undo.run(), 0)
    if not undo.check('at last'):
        raise h.Failure('the last undo did nothing')
    undo.reset()
    return f'{done} of {len(steps)} steps, {complete} times complete all the same'


def main():
    work = h.Work()
    report = h.Report()
    try:
        h.server_setup()
        undo = Undo(work)
        report.scenario('kill at each step of undo', every_step, report, undo, 'kill', 0.2, 12)
        report.scenario('enospc at each step of undo', every_step, report, undo, 'enospc', 0.1, 5)
        make = h.targets(work)['a newer archive']
        report.scenario('kill at each step: a newer archive', points.every_step, report, make, 'kill', 0.2, 8)
        report.scenario('kill behind the commit: a newer archive', points.every_step, report, make, 'kill', 0.0, 2,
                        lambda text: 'TRUNCATE ark_portion' in text)
        report.scenario('enospc at each step: a newer archive', points.every_step, report, make, 'enospc', 0.1, 3)
    finally:
        work.remove()
    report.end()


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""
Disks that are full: the folder for temporary files, that of the report, standard output, the server's. Clear errors,
nothing half done. What needs to mount a file system is left out where that is not allowed.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h


class Mount:
    """A file system in memory of this size; `there` is false where mounting is not allowed."""

    def leave(self, free):
        """Make it as large as what is in it and some more bytes."""
        there = os.statvfs(self.dir)
        used = (there.f_blocks - there.f_bfree) * there.f_frsize
        subprocess.run(['mount', '-o', f'remount,size={used + free},nr_inodes=20000', self.dir], check=True)

    def __init__(self, work, name, size, owner=None):
        self.dir = work.folder(name)
        self.there = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size},nr_inodes=2000', 'tmpfs', self.dir],
                                    stderr=subprocess.DEVNULL, check=False).returncode == 0
        if self.there and owner:
            shutil.chown(self.dir, owner, owner)
            os.chmod(self.dir, 0o700)

    def remove(self):
        if self.there:
            subprocess.run(['umount', self.dir], check=False)
        os.rmdir(self.dir)


NO_MOUNT = 'SKIP mounting is not allowed here'


def said(run, *words):
    talk = run.talk()
    for word in words:
        if word not in talk:
            raise h.Failure(f"'{word}' is not said\n{run}")


def temp_dir(work, make):
    target = make()
    m = Mount(work, 'small-temp', '64k')
    try:
        if not m.there:
            return NO_MOUNT
        run = target.run('--memory', '1K', '--temp-dir', m.dir)
        h.expect(run, 1)
        said(run, 'error: ', m.dir, 'No space left', 'hint: ', 'free some space')
        if target.check('full folder for temporary files'):
            raise h.Failure(f'imported all the same?\n{run}')
        target.no_rests('full folder for temporary files')
        if os.listdir(m.dir):
            raise h.Failure(f'files left: {os.listdir(m.dir)}')
    finally:
        m.remove()
    target.complete('full folder for temporary files')
    return 'exit 1'


def spilled_is_the_same(target_of):
    """Order and threads do not depend on what had to wait in files."""
    rows = """select id, createat, userid, channelid, rootid, message, props::text from posts order by id;
        select postid, replycount, lastreplyat, participants::text from threads order by 1"""
    seen = []
    for memory in ('64M', '1K', '100K'):
        target = target_of()
        h.expect(target.run('--memory', memory), 0)
        seen.append(h.psql(target.name, rows))
        target.reset()
    if len(set(seen)) != 1 or not seen[0]:
        raise h.Failure('posts differ by how much memory there is')
    return f'{len(seen[0].splitlines())} rows, three sizes of memory'


def fill(folder):
    """One file of all the space, then as many empty ones as fit."""
    try:
        with open(os.path.join(folder, 'filler'), 'wb', buffering=0) as f:
            while True:
                f.write(bytes(4096))
    except OSError:
        pass
    try:
        for n in range(1000000):
            with open(os.path.join(folder, f'empty{n}'), 'wb'):
                pass
    except OSError:
        pass


def full_report(work, make):
    target = make()
    m = Mount(work, 'small-report', '16k')
    try:
        if not m.there:
            return NO_MOUNT
        run = target.run('--report', os.path.join(m.dir, 'report'))
        if run.wait() == 0:
            raise h.Failure(f'the report found its place\n{run}')
        h.expect(run, 1)
        said(run, 'error: ', 'No space left', 'hint: ', m.dir)
        if target.check('full folder for the report'):
            said(run, 'everything is imported')
        if os.listdir(m.dir):
            raise h.Failure(f'left in the full folder: {os.listdir(m.dir)}')
        fill(m.dir) # not even a folder fits
        run = target.run('--report', os.path.join(m.dir, 'report'))
        h.expect(run, 1)
        said(run, 'error: ', 'No space left')
    finally:
        m.remove()
    target.complete('full folder for the report')
    return 'exit 1'


def full_output(make):
    target = make()
    with open('/dev/full', 'w', encoding='utf-8') as full:
        for option in ('--json', '--profile'):
            run = target.run(option, stdout=full)
            h.expect(run, 1)
            said(run, 'error: ', 'standard output', 'No space left', 'everything is imported')
            if not target.check('full standard output'):
                raise h.Failure('not imported')
            target.reset()
    target.complete('full standard output')
    return 'exit 1, imported'


def full_server(work, make):
    """The tables are in a file system that is too small for what comes."""
    target = make()
    m = Mount(work, 'tablespace', '500m', 'postgres')
    try:
        if not m.there or os.geteuid() != 0:
            return NO_MOUNT
        h.psql('postgres', f"create tablespace small location '{m.dir}'", user='postgres')
        h.psql('postgres', "grant create on tablespace small to mm; alter role mm set default_tablespace = small; "
                           "alter role mm set temp_tablespaces = small", user='postgres')
        if target.template is not None:
            h.psql('postgres', f'alter database {target.name} set tablespace small')
        m.leave(2 << 20)
        run = target.run()
        h.expect(run, 1)
        said(run, 'error: ', 'No space left', 'hint: ', 'space')
        if target.check('full disk of the server'):
            raise h.Failure(f'imported all the same?\n{run}')
        target.no_rests('full disk of the server')
    finally:
        h.psql('postgres', 'alter role mm reset default_tablespace; alter role mm reset temp_tablespaces',
               user='postgres')
        target.reset()
        if m.there:
            h.psql('postgres', 'drop tablespace if exists small', user='postgres')
        m.remove()
    target.complete('full disk of the server')
    return 'exit 1'


def main():
    work = h.Work()
    report = h.Report()
    try:
        made = h.targets(work)
        for name in ('a new database', 'a database in use'):
            make = made[name]
            report.scenario(f'temporary files on a full disk: {name}', temp_dir, work, make)
            report.scenario(f'the disk of the server is full: {name}', full_server, work, make)
        report.scenario('the report on a full disk', full_report, work, made['a newer archive'])
        report.scenario('standard output is full', full_output, made['a database in use'])
        report.scenario('in memory or in files, the same comes out', spilled_is_the_same, made['a new database'])
    finally:
        work.remove()
    report.end()


if __name__ == '__main__':
    main()

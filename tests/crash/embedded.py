"""
The tool's own server (--embedded) as a target: the claims of harness.py, and what is said about the server itself.
One that a killed tool left running is used by the next run, and stopped by it.
"""
import os
import shutil
import signal
import subprocess
import time

import harness as h

# Made-up archives hold no bodies; beside the embedded server there is a file store that would miss them.
NO_BODIES = ['--files-from', 'none']


class Embedded(h.Target):
    """The tool's own server in a folder. template: a folder to copy, None: nothing there yet."""

    def __init__(self, work, template, archive):
        self.dir = os.path.join(work.dir, 'embedded')
        super().__init__(work, 'mattermost', template, archive)
        self.options = NO_BODIES

    def where(self):
        return [f'--embedded={self.dir}']

    def reset(self):
        self.options = NO_BODIES
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.template is not None:
            subprocess.run(['cp', '-a', self.template, self.dir], check=True)

    def pid(self):
        """Of the running server, 0 when none runs."""
        try:
            with open(os.path.join(self.dir, 'pg', 'postmaster.pid'), encoding='ascii') as f:
                pid = int(f.readline())
            # the number may belong to somebody else by now
            return pid if os.readlink(f'/proc/{pid}/cwd') == os.path.realpath(os.path.join(self.dir, 'pg')) else 0
        except (OSError, ValueError):
            return 0

    def phase(self):
        """What the server's process id file says of it, in the eighth line."""
        try:
            with open(os.path.join(self.dir, 'pg', 'postmaster.pid'), encoding='ascii') as f:
                return (f.read().split('\n') + [''] * 8)[7].strip()
        except OSError:
            return ''

    def stop(self):
        """Only to clean up between rounds: nobody who uses the tool has to do this."""
        if self.pid():
            subprocess.run([*h.AS_SERVER, f'{h.BIN}/pg_ctl', '-D', f'{self.dir}/pg', '-m', 'immediate', 'stop'],
                           cwd='/', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def kill_all(self):
        """As a power cut does it, but for the page cache: the server and its sessions are gone at once."""
        data = os.path.realpath(os.path.join(self.dir, 'pg'))
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if os.readlink(f'/proc/{pid}/cwd') == data:
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                continue # gone, or somebody else's

    def starts(self):
        """How often a server was started here, by its log."""
        try:
            with open(os.path.join(self.dir, 'server.log'), encoding='utf-8', errors='replace') as log:
                return log.read().count('starting PostgreSQL')
        except FileNotFoundError:
            return 0

    def answers(self):
        """Of a server that is coming up or going, only what becomes of it counts."""
        end = time.monotonic() + h.LIMIT_S
        while self.pid() and self.phase() in ('starting', 'stopping'):
            if time.monotonic() > end:
                raise h.Failure(f'the server is still {self.phase()}')
            time.sleep(0.05)
        return h.psql('postgres', 'select 1', server=self.dir, user='postgres', may_fail=True).strip() == '1'

    def state(self):
        """Needs the server, so it says only what a running one has."""
        if not self.answers():
            return None
        return h.state(self.name, server=self.dir, user='postgres')

    def count_posts(self):
        return super().count_posts() or self.posts

    posts = None

    def ask(self, sql):
        return h.psql(self.name, sql, server=self.dir, user='postgres').strip() if self.answers() else None

    def no_rests(self, context):
        if self.pid():
            raise h.Failure(f'{context}\nthe server still runs after the next run')
        if os.listdir(self.work.temp):
            raise h.Failure(f'{context}\ntemporary files left: {os.listdir(self.work.temp)}')

    def complete(self, context):
        """As before, and: a server that the killed run left is used and then stopped, by this run."""
        left, starts = self.answers(), self.starts()
        code = (again := self.run()).wait()
        if code != 0:
            raise h.Failure(f'{context}\nthe next run: {again}')
        self.seconds = (self.seconds + min(again.seconds, self.seconds * 2)) / 2
        if left and self.starts() != starts:
            raise h.Failure(f'{context}\nthe server that was left running was not used')
        self.no_rests(context)
        self.verify()
        self.no_rests(context)
        self.look_inside(context)
        return left

    def look_inside(self, context):
        """Start the server once more by hand: no database is left over."""
        subprocess.run([*h.AS_SERVER, f'{h.BIN}/pg_ctl', '-D', f'{self.dir}/pg', '-w', '-o', f'-k {self.dir} -h ""',
                        '-l', '/dev/null', 'start'], cwd='/', stdout=subprocess.DEVNULL, check=True)
        rests = h.rests(self.dir, 'postgres')
        subprocess.run([*h.AS_SERVER, f'{h.BIN}/pg_ctl', '-D', f'{self.dir}/pg', '-w', '-m', 'fast', 'stop'], cwd='/',
                       stdout=subprocess.DEVNULL, check=True)
        if rests:
            raise h.Failure(f'{context}\ndatabases left behind: {rests}')


def base(work):
    """A folder with a server and no database in it, to copy from."""
    path = os.path.join(work.dir, 'embedded-base')
    small = work.archive('small.zip', '--seed', '3', messages=50)
    h.expect(h.Run(work, 'slack', small, '--team', 'small', f'--embedded={path}', '--dry-run'), 0)
    return path

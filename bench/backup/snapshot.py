#!/usr/bin/env python3
"""Measure matter-backup's snapshots against COPY, zstd and restic; the table of docs/performance.md.

usage: bench/backup/snapshot.py [options]   (build first: meson setup build/release -Dbuildtype=release; ninja -C build/release)

It makes its own PostgreSQL cluster, 500,000 posts of the made-up kind (116 MB as COPY text, 24 MB of that by zstd -3),
a day of 5,000 new, 2,000 edited recent and 200 touched old ones, 10,000 files (340 MB), and a repository of a million
objects. The tool and its ruler take turns, so that both see the same machine; medians count. Exit code 1: a figure was
missed. Without restic its figures are left out.
"""
import argparse
import hashlib
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
DAY = """
create temp table sample as select * from posts order by createat desc limit 5000;
update sample set id = substr(md5('n' || id), 1, 26), createat = createat + 5000 * 60000, updateat = updateat + 5000 * 60000,
  message = reverse(message);
insert into posts select * from sample;
select setseed(0.3);
update posts set message = message || ' edited', updateat = updateat + 1, editat = updateat + 1 where id in (select id from
  (select id from posts order by createat desc offset 5000 limit 10000) y order by random() limit 2000);
update posts set updateat = updateat + 5, hasreactions = true where id in (select id from posts order by random() limit 200);
"""
FILE_COLUMNS = ('id, creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath, name, extension, size, '
                'mimetype, width, height, haspreviewimage')


def md(text):
    return hashlib.md5(text.encode()).hexdigest()[:26]


def posts(count):
    """Lines of COPY text. Most of what people write is made of few words."""
    rng = random.Random(42)
    words = [md(str(n))[:2 + n % 9] for n in range(3000)]
    weights = [1 / (n + 3) ** 1.5 for n in range(3000)]
    users, channels = [md(f'u{n}') for n in range(200)], [md(f'c{n}') for n in range(100)]
    for i in range(1, count + 1):
        if i % 50000 == 1:
            pool, at = rng.choices(words, weights, k=50000 * 17), 0
        size = 8 + i % 9
        message, at = ' '.join(pool[at:at + size]), at + size
        when = 1600000000000 + i * 60000
        yield (f'{md(f"p{i}")}\t{when}\t{when}\t0\t{users[i * 7919 % 200]}\t{channels[i * 31 % 100]}\t\t\t{message}\t\t'
               '{"disable_group_highlight":true}\t\t[]\t[]\tf\t0\tf\t\n')


def files(folder, count):
    """Files of all sizes, one in ten of text, and their rows as COPY text."""
    rng = random.Random(7)
    for n in range(count):
        path = f'2024{1 + n % 12:02d}{1 + n % 28:02d}/teams/noteam/channels/c{n % 100:025d}/users/u{n % 200:025d}/f{n:025d}'
        size = min(int(rng.lognormvariate(9.2, 1.6)), 20000000) + 1
        body = (b'lorem ipsum dolor sit amet ' * (size // 27 + 1))[:size] if n % 10 == 0 else rng.randbytes(size)
        os.makedirs(f'{folder}/{path}')
        with open(f'{folder}/{path}/f.bin', 'wb') as f:
            f.write(body)
        yield f'f{n:025d}\tbench\t\t1\t1\t0\t{path}/f.bin\t\t\tf\tbin\t{size}\t\t0\t0\tf\n'


def size_of(folder):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, names in os.walk(folder) for f in names)


class Bench:
    def __init__(self, o):
        self.o = o
        self.work = tempfile.mkdtemp(prefix='ark-bench-', dir=o.work)
        os.chmod(self.work, 0o755)
        self.tool = os.path.join(o.build, 'backup', 'matter-backup')
        self.repo, self.plain = self.work + '/repo', self.work + '/plain'
        dsn = self.out(ROOT + '/tests/harness/pg.sh', '--start', self.work + '/pg').strip()
        self.url = dsn.replace('dbname=postgres', 'dbname=bench')
        self.env = {**os.environ, 'HOME': self.work, 'XDG_CACHE_HOME': self.work + '/cache', 'RESTIC_PASSWORD': 'bench'}
        self.out('psql', '-Xqd', dsn, '-c', 'create database bench')
        self.times, self.peak, self.missed = {}, 0, 0
        self.has_restic = shutil.which('restic') is not None

    @staticmethod
    def out(*command):
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def sql(self, text):
        self.out('psql', '-Xqd', self.url, '-v', 'ON_ERROR_STOP=1', '-c', text)

    def copy_in(self, table, lines):
        with subprocess.Popen(['psql', '-Xqd', self.url, '-c', f'copy {table} from stdin'], stdin=subprocess.PIPE, text=True) as p:
            p.stdin.writelines(lines)
        assert p.returncode == 0

    def timed(self, name, command, codes=(0,)):
        """Seconds; its memory counts when it is ours."""
        began = time.monotonic()
        p = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, shell=isinstance(command, str))
        _, status, used = os.wait4(p.pid, 0)
        seconds = time.monotonic() - began
        p.returncode = os.waitstatus_to_exitcode(status)
        assert p.returncode in codes, f'{command}: exit {p.returncode}'
        if command[0] == self.tool:
            self.peak = max(self.peak, used.ru_maxrss)
        self.times.setdefault(name, []).append(seconds)
        return seconds

    def create(self, name, *args):
        return self.timed(name, [self.tool, 'create', self.repo, '--database', self.url, *args])

    def median(self, name):
        return statistics.median(self.times[name])

    def fresh(self):
        shutil.rmtree(self.repo, ignore_errors=True)
        self.out(self.tool, 'init', self.repo)

    def say(self, figure, value, limit, text, most=True):
        good = value <= limit if most else value >= limit
        self.missed += not good
        print(f'| {figure} | {text}{"" if good else ". **Missed**"} | {limit} |', flush=True)

    def ratio(self, figure, a, b, limit):
        ratios = [x / y for x, y in zip(self.times[a], self.times[b])]
        r = self.median(a) / self.median(b)
        self.say(figure, r, limit, f'{r:.2f} x ({", ".join(f"{x:.2f}" for x in ratios)}): {self.median(a):.2f} s to {self.median(b):.2f} s')

    def prepare(self):
        self.out(os.path.join(self.o.build, 'import', 'matter-import'), 'slack', ROOT + '/fixtures/slack/workspace/export', '--team',
                 'acme', '--database', self.url, '--create-schema', '--create-team')
        self.sql('truncate posts')
        self.copy_in('posts', posts(self.o.posts))
        self.sql('vacuum analyze posts')
        os.mkdir(self.plain)

    def rows(self):
        copy = ['psql', '-XAtqd', self.url, '-c', 'copy posts to stdout']
        zipped = f"psql -XAtqd '{self.url}' -c 'copy posts to stdout' | zstd -3 -q >'{self.plain}/zst'"
        for _ in range(self.o.runs):
            self.fresh()
            self.timed('zstd', zipped)
            self.create('first', '--without-files')
            self.timed('copy', copy)
            self.create('unchanged', '--without-files')
        self.ratio('first snapshot, time against `COPY \\| zstd -3`', 'first', 'zstd', 1.5)
        stored, plain = size_of(self.repo), os.path.getsize(self.plain + '/zst')
        self.say('first snapshot, size of the whole repository against the same', stored / plain, 1.15,
                 f'{stored / plain:.3f} x: {stored / 1e6:.1f} MB to {plain / 1e6:.1f} MB')
        self.ratio('unchanged night, database part against `COPY`', 'unchanged', 'copy', 1.2)
        restic = self.restic_rows()
        self.sql(DAY)
        before = size_of(self.repo)
        self.create('day', '--without-files')
        added = (size_of(self.repo) - before) / 1e6
        self.say('next day adds, MB', added, 1.8, f'{added:.2f} MB' + (f' (restic, same bytes through a pipe: {restic() / 1e6:.1f} MB)' if restic else ''))

    def restic_rows(self):
        """What restic stores of the rows; returns a function that says what it adds, or None."""
        place = self.work + '/restic-rows'
        command = f"psql -XAtqd '{self.url}' -c 'copy posts to stdout' | restic backup -q -r '{place}' --stdin"
        if not self.has_restic:
            return None
        subprocess.run(['restic', 'init', '-q', '-r', place], check=True, env=self.env)
        self.timed('restic rows', command)
        before = size_of(place)
        return lambda: (self.timed('restic rows', command), size_of(place) - before)[1]

    def bodies(self):
        store, place = self.work + '/files', self.work + '/restic-files'
        self.sql('truncate fileinfo')
        self.copy_in(f'fileinfo ({FILE_COLUMNS})', files(store, self.o.files))
        self.sql('vacuum analyze fileinfo')
        for _ in range(self.o.runs):
            self.fresh()
            self.create('rows', '--without-files')
            without = self.create('rows again', '--without-files')
            self.times.setdefault('files', []).append(self.create('with files', '--files', store) - without)
            without = self.create('rows again', '--without-files')
            self.times.setdefault('files again', []).append(max(0.01, self.create('with files again', '--files', store) - without))
            if self.has_restic:
                shutil.rmtree(place, ignore_errors=True)
                subprocess.run(['restic', 'init', '-q', '-r', place], check=True, env=self.env)
                self.timed('restic', ['restic', 'backup', '-q', '-r', place, store])
                self.timed('restic again', ['restic', 'backup', '-q', '-r', place, store])
        if not self.has_restic:
            return
        faster = self.median('restic') / self.median('files')
        self.say('files, first time, throughput against restic', faster, 1.4,
                 f'{faster:.2f} x: {self.median("files"):.2f} s to {self.median("restic"):.2f} s', most=False)
        self.ratio('unchanged night, files part against restic', 'files again', 'restic again', 1.0)
        self.ratio('unchanged night, database and files against restic\'s files', 'with files again', 'restic again', 1.0)

    def reading(self):
        stored = size_of(self.repo) / 1e6
        for _ in range(self.o.runs):
            self.timed('verify', [self.tool, 'verify', self.repo])
        rate = stored / self.median('verify')
        self.say('verify, MB/s', rate, 300, f'{rate:.0f} MB/s of {stored:.0f} MB', most=False)
        self.say('memory at most, create and verify, MiB', self.peak / 1024, 64, f'{self.peak / 1024:.0f} MiB')

    def many(self):
        self.fresh()
        self.out(sys.executable, HERE + '/many_objects.py', self.repo, str(self.o.objects))
        self.peak = 0
        self.timed('verify many', [self.tool, 'verify', self.repo])
        self.timed('prune', [self.tool, 'prune', self.repo, '--keep-last', '1', '--keep-at-least', '1', '--sweep'])
        self.say(f'memory at most, verify and prune of {self.o.objects} objects, MiB', self.peak / 1024, 64,
                 f'{self.peak / 1024:.0f} MiB, prune {self.median("prune"):.1f} s')

    def run(self):
        self.prepare()
        print('| figure | measured | limit |\n|---|---|---|', flush=True)
        for part in (self.rows, self.bodies, self.reading, self.many):
            if not self.o.only or part.__name__ in self.o.only:
                part()
        return 1 if self.missed else 0

    def stop(self):
        subprocess.run([ROOT + '/tests/harness/pg.sh', '--stop', self.work + '/pg'], check=False)
        shutil.rmtree(self.work, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    p.add_argument('--build', default=ROOT + '/build/release', help='build folder')
    p.add_argument('--work', help='folder for everything; a disk or memory (default: below /tmp, removed)')
    p.add_argument('--runs', type=int, default=3, help='of each figure; the median counts')
    p.add_argument('--posts', type=int, default=500000)
    p.add_argument('--files', type=int, default=10000)
    p.add_argument('--objects', type=int, default=1000000)
    p.add_argument('--only', type=lambda s: s.split(','), help='rows, bodies, reading, many')
    b = Bench(p.parse_args())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return b.run()
    finally:
        b.stop()


sys.exit(main())

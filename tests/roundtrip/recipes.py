#!/usr/bin/env python3
"""The recipes of README.md are run as they stand there, in their order, in a place made for them.

A recipe is every block that begins with ```sh recipe=JOURNEY; the blocks of one journey are one script. The commands
may end with 0, or with 3 (something that was missing before). What the README takes for granted is made first: a server's
database with a team, its config.json, an export of Slack. Its places are put elsewhere: PLACES says where.
After each journey we look whether that is there which the README promises.

TAP on stdout; skipped without PostgreSQL. The tools are found by PATH, so installed ones are tried the same way:

  tests/harness/pg.sh python3 tests/roundtrip/recipes.py
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
README = os.path.join(ROOT, 'README.md')
EXPORT = os.path.join(ROOT, 'fixtures', 'slack', 'workspace', 'export')
SERVER = os.path.join(ROOT, 'fixtures', 'slack', 'archived-channel-time', 'export')
JOURNEYS = ['move', 'out', 'nightly', 'copy', 'purge']


def recipes():
    """journey: its script."""
    with open(README, encoding='utf-8') as f:
        text = f.read()
    found = {}
    for journey, script in re.findall(r'^```sh recipe=(\w+)\n(.*?)^```$', text, re.M | re.S):
        found[journey] = found.get(journey, '') + script
    return found


class Place:
    """A folder with everything that the README speaks of."""

    def __init__(self, top, dsn):
        self.top = top
        self.work = os.path.join(top, 'work')
        self.host = re.search(r'host=(\S+)', dsn).group(1)
        self.env = {'PATH': os.environ['PATH'], 'HOME': os.path.join(top, 'home'), 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC',
                    'PGHOST': self.host, 'TMPDIR': top}
        pg_bin = os.environ.get('ARK_TEST_PG_BIN')
        if pg_bin:
            self.env['PATH'] += os.pathsep + pg_bin
        for name in ('work', 'home', 'srv', 'opt/mattermost/config', 'opt/mattermost/data'):
            os.makedirs(os.path.join(top, name))

    def put_elsewhere(self, script):
        """The README's servers are the cluster of this test, its folders are ours."""
        script = re.sub(r'postgresql://(\w+)@localhost/([\w-]+)', r'postgresql:///\2?host=%s&user=\1' % self.host, script)
        script = re.sub(r"(?<!')(postgresql:///\S+)", r"'\1'", script)
        return re.sub(r'(?<![\w.])/(srv|opt)/', self.top + r'/\1/', script)

    def sql(self, database, statement):
        done = subprocess.run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', self.host, '-U', 'postgres', '-c', statement,
                               database], env=self.env, stdout=subprocess.PIPE, check=True, universal_newlines=True)
        return done.stdout.strip()

    def make_server(self):
        self.sql('postgres', 'create role mmuser login createdb')
        run = subprocess.run(['matter-import', 'slack', SERVER, '--team', 'ours', '--create-team', '--create-schema',
                              '--owner', 'mmuser', '--database', 'host=%s user=postgres dbname=mattermost' % self.host],
                             env=self.env, cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             check=False, universal_newlines=True)
        if run.returncode not in (0, 3):
            raise RuntimeError(run.stdout)
        # a noisy channel, and something deleted long ago in another
        self.sql('mattermost', "update channels set name = 'nagios' where id = (select channelid from posts group by 1 "
                               "order by count(*) desc, 1 limit 1)")
        self.sql('mattermost', "update posts set deleteat = createat + 1, updateat = createat + 1 where id = (select p.id "
                               "from posts p join channels c on c.id = p.channelid where c.name <> 'nagios' and p.type = '' "
                               "and not exists (select 1 from posts r where r.rootid = p.id) order by p.id limit 1)")
        with open(os.path.join(self.top, 'opt/mattermost/config/config.json'), 'w', encoding='utf-8') as f:
            json.dump({'SqlSettings': {'DriverName': 'postgres', 'DataSource':
                                       'postgres:///mattermost?host=%s&user=mmuser&sslmode=disable' % self.host},
                       'FileSettings': {'DriverName': 'local', 'Directory': self.top + '/opt/mattermost/data/'},
                       'ServiceSettings': {'SiteURL': 'https://chat.example.com'}}, f)

    def make_export(self):
        with zipfile.ZipFile(os.path.join(self.work, 'export.zip'), 'w') as z:
            for folder, _, files in os.walk(EXPORT):
                for name in sorted(files):
                    path = os.path.join(folder, name)
                    z.write(path, os.path.relpath(path, EXPORT))

    def run(self, script):
        """None, or what went wrong."""
        lines = ['set -u']
        for line in self.put_elsewhere(script.replace('\\\n', ' ')).splitlines():
            lines += [line, 'code=$?; case $code in 0|3) ;; *) echo "exit code $code of: $(cat <<\'LINE\'\n%s\nLINE\n)"; exit 1 ;; esac'
                      % line] if line.strip() else []
        done = subprocess.run(['sh', '-c', '\n'.join(lines)], env=self.env, cwd=self.work, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, universal_newlines=True)
        return None if done.returncode == 0 else done.stdout


def promised(place, journey):
    """What must be there after a journey: (what, whether it is)."""
    def there(path):
        return (path, os.path.exists(os.path.join(place.top, path)))

    if journey == 'move':
        posts = int(place.sql('mattermost', "select count(*) from posts where deleteat = 0"))
        return [there('work/look/report.html'), there('work/rehearsal/report.html'), there('work/report/report.html'),
                ('more than a hundred messages (%d)' % posts, posts > 100),
                ('their people', place.sql('mattermost', "select count(*) > 3 from users") == 't')]
    if journey == 'out':
        return [there('work/export/bagit.txt'), there('work/export/data/channels.jsonl.zst'),
                there('work/for-others/data/html/index.html'), there('work/for-others/data/csv'),
                there('srv/evidence/run-000001/tagmanifest-sha256.txt.minisig')]
    if journey == 'nightly':
        return [there('srv/backup/restore.sh'),
                ('one snapshot', len(os.listdir(os.path.join(place.top, 'srv/backup/snapshots'))) == 1)]
    if journey == 'purge':
        return [('the noisy channel is empty', place.sql('mattermost', "select count(*) from posts p join channels c on c.id = "
                                                         "p.channelid where c.name = 'nagios'") == '0'),
                ('nothing is marked as deleted', place.sql('mattermost', "select count(*) from posts where deleteat > 0 and "
                                                           "originalid = ''") == '0'),
                ('the others are there', place.sql('mattermost', "select count(*) > 100 from posts") == 't'),
                ('what went is remembered', place.sql('mattermost', "select count(*) > 1 from matterark.purge_ledger") == 't')]
    found = []
    for name in ('copy', 'copy-by-script'):
        found += [('%s: messages' % name, place.sql(name, "select count(*) > 100 from posts") == 't'),
                  ('%s: shouts what it is' % name,
                   place.sql(name, "select bool_and(displayname like 'TEST COPY%') from teams") == 't'),
                  ('%s: marked' % name, place.sql(name, "select count(*) from matterark.test_copy") == '1')]
    return found + [there('srv/copy-files'), there('srv/copied-by-script')]


def main():
    dsn = os.environ.get('ARK_TEST_DSN')
    if not dsn:
        print('1..0 # SKIP no cluster; run through tests/harness/pg.sh')
        return 0
    # others reach it: as root the embedded database runs as another user
    os.umask(0o022)
    top = tempfile.mkdtemp(prefix='ark-recipes-')
    os.chmod(top, 0o755)
    number = failed = 0
    try:
        scripts = recipes()
        place = Place(top, dsn)
        place.make_server()
        place.make_export()
        # "as above": what was said once about the places
        for name in ('out', 'purge'):
            scripts[name] = ''.join(re.findall(r'^export .*\n', scripts.get('move', ''), re.M)) + scripts.get(name, 'false\n')
        for journey in JOURNEYS:
            problem = 'README.md has no such recipe' if journey not in scripts else place.run(scripts[journey])
            claims = [('journey %s' % journey, not problem)]
            if not problem:
                claims += promised(place, journey)
            for what, good in claims:
                number += 1
                failed += not good
                print('%s %d - %s: %s' % ('ok' if good else 'not ok', number, journey, what))
            if problem:
                print(''.join('# %s\n' % line for line in problem.splitlines()))
                break
        unknown = sorted(set(scripts) - set(JOURNEYS))
        number += 1
        failed += bool(unknown)
        print('%s %d - every recipe belongs to a journey%s' % ('not ok' if unknown else 'ok', number, ''.join(' ' + u for u in unknown)))
        print('1..%d' % number)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())

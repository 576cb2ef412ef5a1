"""
A small database with something of everything that can hang on a message, in channel design, which goes, and in channel
shipping, which stays; its file store; and the whole of it as text, for comparing. For tests/roundtrip/purge.py and
tests/crash/purge.py, which run under tests/harness/pg.sh.
"""
import os
import re
import shutil
import subprocess
import tempfile

BIN = os.environ['ARK_TEST_PG_BIN']
SERVER = re.search(r'host=(\S+)', os.environ['ARK_TEST_DSN']).group(1)
ROOT = os.environ['ARK_SOURCE_ROOT']
PURGE = os.environ['MATTER_PURGE']
IMPORT = os.environ['MATTER_IMPORT']
EXPORT = f'{ROOT}/fixtures/slack/workspace/export'
CHECKS = f'{ROOT}/tests/db/consistency.sql'


class Failure(Exception):
    """A claim that does not hold."""


def sql(database, text):
    done = subprocess.run([f'{BIN}/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', '-', f'host={SERVER} user=postgres dbname={database}'],
                          input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f'psql, {database}: {done.stderr}')
    return done.stdout


def copy(template, database):
    sql('postgres', f'drop database if exists {database} with (force)')
    sql('postgres', f'create database {database} template {template}')


def tool(program, *args, codes=(0,), env=None):
    done = subprocess.run([program, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, **(env or {})}, timeout=300)
    if codes is not None and done.returncode not in codes:
        raise Failure(f'{" ".join(args)}: exit {done.returncode}: {done.stdout}{done.stderr}')
    return done


def url(database):
    return ['--database', f'host={SERVER} user=postgres dbname={database}']


# One row of everything for the first root of a channel; p is its id.
HANG = """
insert into postspriority (postid, channelid, priority) select p, 'c', 'urgent' from w;
insert into postacknowledgements (postid, userid, acknowledgedat) select p, 'u', 1 from w;
insert into persistentnotifications (postid, createat, lastsentat, deleteat, sentcount) select p, 1, 1, 0, 1 from w;
insert into postreminders (postid, userid, targettime) select p, 'u', 1 from w;
insert into temporaryposts (postid, type, expireat, message, fileids) select p, '', 1, 'secret', '[]' from w;
insert into readreceipts (postid, userid, expireat) select p, 'u', 1 from w;
insert into preferences (userid, category, name, value) select 'u', 'flagged_post', p, 'true' from w;
insert into propertyvalues (id, targetid, targettype, groupid, fieldid, value, createat, updateat, deleteat) select reverse(p), p, 'post', 'g',
 'f', '{}', 1, 1, 0 from w;
insert into translations (objectid, objecttype, dstlang, providerid, normhash, text, state, updateat, channelid) select p, 'post', 'de', 'p', 'h',
 'secret', 'ready', 1, 'c' from w;
insert into drafts (createat, updateat, deleteat, userid, channelid, rootid, message, props, fileids) select 1, 1, 0, 'u', 'c', p, 'answer', '{}',
 '[]' from w;
insert into scheduledposts (id, createat, updateat, userid, channelid, rootid, message, props, fileids, priority, scheduledat, processedat,
 errorcode) select reverse(p), 1, 1, 'u', 'c', p, 'later', '{}', '[]', '', 1, 0, '' from w;
insert into posts select (jsonb_populate_record(q, jsonb_build_object('id', left('before' || p, 26), 'originalid', p, 'deleteat', q.createat + 5,
 'updateat', q.createat + 5))).* from posts q join w on p = q.id;
update posts set editat = createat + 5, updateat = greatest(updateat, createat + 5) where id = (select p from w);
"""


def make(database, files):
    """Rows and files; `files` is a folder that is not there yet."""
    sql('postgres', f'drop database if exists {database} with (force)')
    os.mkdir(files)
    tool(IMPORT, 'slack', EXPORT, '--team', 'acme', '--create-schema', '--files', files, *url(database), codes=(0, 3))
    for channel in ('design', 'shipping'):
        sql(database, f"""create temp table w as select p.id as p from posts p join channels c on c.id = p.channelid where c.name = '{channel}'
            and p.rootid = '' and exists (select from posts r where r.rootid = p.id) order by p.createat limit 1;""" + HANG)
    # a file that a message of each shows, and one that a bookmark shows
    sql(database, """insert into fileinfo select (jsonb_populate_record(f, jsonb_build_object('id', rpad('copyinshipping', 26, '0'), 'postid',
        s.id, 'channelid', s.channelid))).* from fileinfo f join posts p on p.id = f.postid join channels c on c.id = p.channelid and c.name =
        'design', (select p.id, p.channelid from posts p join channels c on c.id = p.channelid where c.name = 'shipping' and p.fileids = '[]' and
        p.deleteat = 0 order by p.createat limit 1) s order by f.id limit 1;
        update posts set fileids = '["' || rpad('copyinshipping', 26, '0') || '"]' where id = (select postid from fileinfo where id =
        rpad('copyinshipping', 26, '0'))""")


OURS = ('purge_ledger', 'purge_work', 'purge_run', 'purge_deleting')


def dump(database):
    """Every row of every table, as (table, line); what matter-purge keeps for itself is left out."""
    tables = sql(database, "select schemaname || '.' || tablename from pg_tables where schemaname in ('public', 'matterark') order by 1").split()
    rows = set()
    for table in tables:
        if table.split('.')[1] not in OURS:
            rows |= {(table, line) for line in sql(database, f"select replace(t::text, E'\\n', ' ') from {table} t").splitlines()}
    return rows


def stored(files):
    return {os.path.relpath(os.path.join(folder, name), files) for folder, _, names in os.walk(files) for name in names}


def inconsistent(database):
    done = subprocess.run([f'{BIN}/psql', '-XAt', '-v', 'ON_ERROR_STOP=1', '-f', CHECKS, f'host={SERVER} user=postgres dbname={database}'],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


def folder():
    path = tempfile.mkdtemp(prefix='ark-purge-')
    os.chmod(path, 0o755)
    return path


def remove(path):
    shutil.rmtree(path, ignore_errors=True)

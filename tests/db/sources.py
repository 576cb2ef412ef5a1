#!/usr/bin/env python3
"""matter-backup and databases as they are: everything that PostgreSQL can hold comes back as it was, a hot standby is
as good a source as any, a pooler is refused with the reason, and a TRUNCATE at the wrong moment is no hole.

TAP; skipped without PostgreSQL. Environment: MATTER_IMPORT, MATTER_BACKUP.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
sys.path.insert(0, os.path.join(HERE, '..', 'roundtrip'))
sys.dont_write_bytecode = True
from fixtures import Cluster, Failure, pg_bindir  # noqa: E402

TOOL, IMPORT = os.environ['MATTER_BACKUP'], os.environ['MATTER_IMPORT']

EVERYTHING = r"""
create role "Chat Owner"; create role reader;
create extension pg_trgm; create schema "plugin ""x"; create schema empty_one;
create type mood as enum ('glad', 'so la la', 'it''s'); create domain positive as int check (value > 0);
create type pair as (a int, b text);
create sequence "plugin ""x"."Odd Seq" start 41; select nextval('"plugin ""x"."Odd Seq"');
create table "plugin ""x"."Odd ""Table" ("the key" text, "createat" int8, v mood default 'it''s', primary key ("the key"));
insert into "plugin ""x"."Odd ""Table" values ('a' || chr(9) || 'tab', 3, 'glad'), (E'back\\slash and \\. end', null, 'so la la'),
  (E'lines\nand\rreturns', 1, null), ('', 2, 'it''s'), (E'\\N', 2, null), ('ß → 🙂', 5, null);
create table no_key (t text, n numeric, f float8, d timestamptz, b bytea, j jsonb, a int[], p pair, q positive);
insert into no_key values ('twice', 'NaN', 'infinity', 'infinity', '\x00ff', '{"a": [1, null]}', '{1,null,3}', '(1,"x,y")', 7),
  ('twice', 'NaN', 'infinity', 'infinity', '\x00ff', '{"a": [1, null]}', '{1,null,3}', '(1,"x,y")', 7),
  (null, 12345678901234567890.123456789, 0.1::float8 + 0.2::float8, '4713-01-01 BC', '', 'null', '{}', null, null);
create table generated (id int generated always as identity primary key, a int, twice int generated always as (a * 2) stored);
insert into generated (a) select i from generate_series(1, 100) i;
create table parted (id int, at int8, t text, primary key (id, at)) partition by range (at);
create table parted_1 partition of parted for values from (0) to (100);
create table parted_2 partition of parted for values from (100) to (maxvalue) partition by hash (id);
create table parted_2a partition of parted_2 for values with (modulus 2, remainder 0);
create table parted_2b partition of parted_2 for values with (modulus 2, remainder 1);
insert into parted select i, i * 3 % 250, 'row ' || i from generate_series(1, 300) i;
create table parent (id int primary key, t text); create table child (extra int) inherits (parent);
insert into parent values (1, 'parent'); insert into child values (2, 'child', 3);
create table no_columns ();
create unlogged table unlogged_one (id int primary key); insert into unlogged_one values (1);
create table ring_a (id int primary key, b int); create table ring_b (id int primary key, a int references ring_a);
alter table ring_a add foreign key (b) references ring_b deferrable; insert into ring_a values (1, null);
insert into ring_b values (1, 1); update ring_a set b = 1;
create table guarded (id int primary key, t text); insert into guarded values (1, 'seen'), (2, 'hidden');
create function must_not_run() returns trigger language plpgsql as $$begin raise exception 'a trigger ran'; end$$;
create trigger guard before insert on guarded for each row execute function must_not_run();
alter table guarded enable row level security; create policy visible on guarded using (id = 1);
create table wide (id int primary key, t text); insert into wide select i, repeat(md5(i::text), 20000) from generate_series(1, 3) i;
create index wide_trgm on no_key using gin (t gin_trgm_ops);
create materialized view first_view as select count(*) as n from parted; create unique index on first_view (n);
create materialized view second_view as select n + 1 as m from first_view;
create materialized view never_filled as select 1 as one with no data;
create view plain_view as select * from second_view;
create publication everything for all tables;
alter table no_key owner to "Chat Owner"; grant select on no_key to reader; grant usage on schema "plugin ""x" to reader;
comment on table no_key is 'it''s a comment';
refresh materialized view posts_by_team_day; refresh materialized view bot_posts_by_team_day; refresh materialized view poststats;
select lo_from_bytea(4711, decode(repeat('00ff5c0a09', 30000), 'hex')); select lo_from_bytea(4712, ''); select lo_from_bytea(4713, 'x');
"""

# What only pg_dump knows.
MORE = r"""
comment on database source is '100% "ours"'; alter database source set timezone to 'Europe/Berlin';
alter database source set search_path to "$user", public; alter role "Chat Owner" in database source set search_path to '';
alter role reader in database source set statement_timeout to '1min'; grant connect on database source to reader;
revoke connect on database source from public; create schema plug authorization "Chat Owner"; comment on schema plug is 'a plugin';
alter default privileges for role "Chat Owner" in schema plug grant select on tables to reader;
create domain plug.address as text check (value ~ '@'); comment on domain plug.address is 'address';
create collation plug.plain from "C";
create table plug.t (id int primary key, c text collate plug.plain, u int not null, check (u > 0)); create unique index tu on plug.t (u);
comment on column plug.t.c is 'column'; alter table plug.t alter column c set storage external;
alter table plug.t alter column u set statistics 500; alter table plug.t replica identity using index tu;
create statistics plug.st (dependencies) on id, u from plug.t; comment on index plug.tu is 'index';
create procedure plug.pr() language sql as $$ select 1 $$; create aggregate plug.agg (int) (sfunc = int4pl, stype = int, initcond = '0');
create operator plug.=== (leftarg = int, rightarg = int, procedure = int4eq); create cast (pair as text) with inout;
create function plug.f() returns trigger language plpgsql as $$ begin return new; end $$; revoke execute on function plug.f() from public;
create trigger tr before insert on plug.t for each row execute function plug.f(); alter table plug.t disable trigger tr;
comment on trigger tr on plug.t is 'trigger'; create rule r as on delete to plug.t do also nothing;
create function plug.ev() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger evt on ddl_command_end execute function plug.ev(); alter event trigger evt disable;
grant select (id) on plug.t to reader; create view plug.v with (security_barrier) as select * from plug.t; create publication of_t for table plug.t;
create foreign data wrapper fdw; create server srv foreign data wrapper fdw; create foreign table plug.far (a int) server srv;
create text search configuration plug.tsc (copy = simple); create table plug.fk (id int constraint x references plug.t initially deferred);
alter large object 4711 owner to "Chat Owner"; grant select on large object 4711 to reader with grant option;
comment on large object 4713 is 'it''s large'; alter table plug.t owner to "Chat Owner";
create table plug.cfg (k text); insert into plug.cfg values ('x'); alter extension pg_trgm add table plug.cfg;
update pg_extension set extconfig = array['plug.cfg'::regclass::oid], extcondition = array[''] where extname = 'pg_trgm';
"""
LARGE = """select oid, lomowner::regrole, lomacl, obj_description(oid, 'pg_largeobject') from pg_largeobject_metadata order by 1"""

# What there is, besides rows.
OBJECTS = """select 'class', n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.relrowsecurity::text from pg_class c
 join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all select 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull::text, attgenerated::text ||
 attidentity::text from pg_attribute a join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
 where attnum > 0 and not attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all select 'constraint', conname, conrelid::regclass::text, pg_get_constraintdef(oid), '', '' from pg_constraint
 where connamespace::regnamespace::text !~ '^(pg_|information_schema)'
union all select 'enum', enumtypid::regtype::text, enumlabel, '', '', '' from pg_enum
union all select 'extension', extname, extversion, '', '', '' from pg_extension
union all select 'schema', nspname, '', '', '', '' from pg_namespace where nspname !~ '^pg_'
union all select 'trigger', tgname, tgrelid::regclass::text, tgenabled::text, '', '' from pg_trigger where not tgisinternal
union all select 'policy', policyname, tablename, qual, '', '' from pg_policies
union all select 'publication', pubname, puballtables::text, '', '', '' from pg_publication
union all select 'comment', obj_description('no_key'::regclass), '', '', '', ''
union all select 'populated', relname, relispopulated::text, '', '', '' from pg_class where relkind = 'm'
union all select 'large object', oid::text, md5(lo_get(oid)), '', '', '' from pg_largeobject_metadata
union all select 'sequence', schemaname, sequencename, coalesce(last_value::text, ''), start_value::text, '' from pg_sequences
order by 1, 2, 3, 4, 5, 6"""
TABLES = """select format('%I.%I', n.nspname, relname) from pg_class c join pg_namespace n on n.oid = relnamespace where relkind in
 ('r', 'm') and relispopulated and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1"""


class World:
    def __init__(self):
        self.bindir = pg_bindir()
        os.environ['PATH'] = self.bindir + ':' + os.environ['PATH']
        self.cluster = Cluster(self.bindir)
        self.cluster.start()
        self.work = tempfile.mkdtemp(prefix='ark-sources-')
        self.repo = self.work + '/repo'
        self.env = {'PATH': os.environ['PATH'], 'HOME': self.work, 'LC_ALL': 'C.UTF-8', 'TMPDIR': self.work}
        self.sql('postgres', 'create database source')
        subprocess.run([IMPORT, 'slack', ROOT + '/fixtures/slack/workspace/export', '--team', 'acme', '--database', self.url('source'),
                        '--create-schema', '--create-team', '--quiet'], check=True, stderr=subprocess.DEVNULL)
        self.sql('source', EVERYTHING)
        self.tool('init', self.repo)

    def url(self, database, user='postgres'):
        return self.cluster.url(database, user)

    def sql(self, database, text):
        return self.cluster.query(database, text, user='postgres')

    def tool(self, *args, codes=(0,)):
        done = subprocess.run([TOOL, *args], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise Failure(f'{args}: exit {done.returncode}: {done.stderr} {done.stdout}')
        return done

    def content(self, database):
        """Every object, every row."""
        text = self.sql(database, OBJECTS)
        for table in self.sql(database, TABLES).splitlines():
            text += table + self.sql(database, 'select count(*), md5(coalesce(string_agg(t::text, \'\' order by t::text collate "C"), '
                                               f"'')) from only {table} t")
        return text

    def newest(self):
        return self.tool('list', self.repo).stdout.splitlines()[-1].split('\t')[0]

    def brought_back(self, how):
        """A database that restore.sh, load.sql or `restore` made of the newest snapshot."""
        name = 'back_' + how
        if how == 'restore':
            self.tool('restore', self.repo, '--to-database', self.url(name), '--production',
                      '--confirm-host', self.cluster.dir, '--without-files', '--config-out', f'{self.work}/{name}.json')
            return name
        self.sql('postgres', f'create database {name}')
        if how == 'script':
            command = ['sh', self.repo + '/restore.sh', '--production', self.newest(), self.url(name), f'{self.work}/{name}']
        else:
            self.tool('extract', self.repo, '-o', f'{self.work}/{name}.tar.zst')
            os.mkdir(f'{self.work}/out')
            subprocess.run(f'zstd -dcq {name}.tar.zst | tar -xf - -C out', cwd=self.work, shell=True, check=True)
            command = ['psql', '-Xq', '-f', 'load.sql', self.url(name)]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False,
                              cwd=f'{self.work}/out' if how == 'load' else self.work)
        if done.returncode != 0:
            raise Failure(f'{how}: {done.stderr} {done.stdout}')
        return name

    def stop(self):
        self.cluster.stop()
        shutil.rmtree(self.work, ignore_errors=True)


def same(wanted, have, what):
    if wanted != have:
        a, b = wanted.splitlines(), have.splitlines()
        raise Failure(f'{what}: missing {[x for x in a if x not in b][:5]}, new {[x for x in b if x not in a][:5]}')


def everything(w):
    """Whatever PostgreSQL can hold, by each of the ways back; taken twice, the second adds next to nothing."""
    wanted = w.content('source')
    w.tool('create', w.repo, '--database', w.url('source'), '--without-files')
    for how in ('script', 'load', 'restore'):
        same(wanted, w.content(w.brought_back(how)), how)
    again = w.tool('create', w.repo, '--database', w.url('source'), '--without-files', '--json').stdout
    added = int(again.split('"added_bytes":')[1].split(',')[0].rstrip('}\n'))
    if added > 1000:
        raise Failure(f'an unchanged database adds {added} bytes')
    w.tool('verify', w.repo)


def schema_lines(w, database):
    """Of pg_dump, without the order, the database's name, and what is meant to differ."""
    done = subprocess.run([w.bindir + '/pg_dump', '--schema-only', '--create', w.url(database)], capture_output=True, text=True, check=True)
    lines = [line.replace(f'DATABASE {database} ', 'DATABASE it ') for line in done.stdout.splitlines()]
    return ''.join(sorted(line + '\n' for line in lines if line and not line.startswith(('--', '\\'))
                          and 'default_text_search_config' not in line and 'SUBSCRIPTION' not in line))


def to_the_last_clause(w):
    """pg_dump says the same of what came back; what is not stored is named."""
    w.sql('source', MORE)
    w.sql('source', "create subscription sub connection 'dbname=nowhere' publication p with (connect = false, slot_name = none)")
    w.tool('create', w.repo, '--database', w.url('source'), '--without-files')
    name = 'clauses'
    w.tool('restore', w.repo, '--to-database', w.url(name), '--production', '--confirm-host', w.cluster.dir, '--without-files',
           '--config-out', f'{w.work}/{name}.json')
    same(schema_lines(w, 'source'), schema_lines(w, name), 'pg_dump')
    same(w.sql('source', LARGE), w.sql(name, LARGE), 'large objects')
    shown = w.tool('show', w.repo).stdout
    want = 'source\tnot_stored\trows of foreign table plug.far, rows of plug.cfg of extension pg_trgm, subscription sub\n'
    if want not in shown:
        raise Failure(f'what is not stored: {[x for x in shown.splitlines() if "not_stored" in x]}')
    # a copy is made of it, too, and thrown away again
    w.tool('drill', w.repo, '--database', w.url('postgres'))
    w.sql('source', 'drop subscription sub; alter extension pg_trgm drop table plug.cfg; drop schema plug cascade')


def owners(w):
    """Owners and privileges are a part of their own, and the roles are named."""
    with open(f'{w.work}/out/schema/owners.sql', encoding='utf-8') as f:
        text = f.read()
    for line in ('ALTER TABLE public.no_key OWNER TO "Chat Owner";', 'GRANT SELECT ON TABLE public.no_key TO reader;',
                 'GRANT USAGE ON SCHEMA "plugin ""x" TO reader;'):
        if line not in text:
            raise Failure(f'{line} is not in owners.sql: {text[:2000]}')
    for name in ('pre-data', 'post-data'):
        with open(f'{w.work}/out/schema/{name}.sql', encoding='utf-8') as f:
            if any(line.startswith('GRANT ') or ' OWNER TO ' in line for line in f):
                raise Failure(f'{name}.sql says who owns something')
    w.sql('back_load', 'alter table no_key owner to postgres')
    w.sql('back_load', text)
    if w.sql('back_load', "select tableowner from pg_tables where tablename = 'no_key'") != 'Chat Owner\n':
        raise Failure('owners.sql does not work')
    if '"Chat Owner", postgres, reader' not in w.tool('show', w.repo, '--json').stdout.replace('\\"', '"'):
        raise Failure('the roles are not named')


def truncated_while_it_waits(w):
    """Rows of a table that is truncated and filled again while create waits for it: the new ones, not none."""
    w.sql('source', 'create table hole as select 1 as id from generate_series(1, 50)')
    with subprocess.Popen(['psql', '-Xq', w.url('source')], stdin=subprocess.PIPE, text=True) as psql:
        psql.stdin.write('begin; truncate hole; insert into hole select 2 from generate_series(1, 7);\n')
        psql.stdin.flush()
        while w.sql('source', "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'hole'::regclass") != '1\n':
            time.sleep(0.05)
        with subprocess.Popen([TOOL, 'create', w.repo, '--database', w.url('source'), '--without-files'], env=w.env,
                              stderr=subprocess.PIPE) as create:
            while w.sql('source', "select count(*) from pg_locks where not granted and relation = 'hole'::regclass") != '1\n':
                if create.poll() is not None:
                    raise Failure('create did not wait')
                time.sleep(0.05)
            psql.stdin.write('commit;\n')
            psql.stdin.close()
            said = create.stderr.read().decode()
    if create.returncode != 0:
        raise Failure(said)
    rows = [line for line in w.tool('show', w.repo, '--json').stdout.splitlines() if '"name":"hole"' in line]
    if len(rows) != 1 or '"rows":7,' not in rows[0]:
        raise Failure(str(rows))


def standby(w):
    """A hot standby is a source like any other, and what it gives is the same."""
    c, other = w.cluster, w.cluster.dir + '/standby'
    c.tool('pg_basebackup', '-D', other, '-h', c.dir, '-U', 'postgres', '-R', '-X', 'stream', '-c', 'fast')
    os.makedirs(c.dir + '/s')
    shutil.chown(c.dir + '/s', *(('postgres', 'postgres') if os.geteuid() == 0 else (os.geteuid(), os.getegid())))
    with open(other + '/postgresql.conf', 'a', encoding='utf-8') as conf:
        conf.write(f"unix_socket_directories = '{c.dir}/s'\n")
    # a newer pg_basebackup writes what an older server's library does not know; the last line counts
    with open(other + '/postgresql.auto.conf', 'a', encoding='utf-8') as conf:
        conf.write(f"primary_conninfo = 'host={c.dir} user=postgres'\n")
    c.tool('pg_ctl', '-D', other, '-w', '-l', c.dir + '/standby.log', 'start')
    try:
        url = f'postgresql://postgres@/source?host={c.dir}/s'
        # an unlogged table has no rows on a standby, and cannot be read there
        w.sql('source', 'drop table unlogged_one')
        where = w.sql('source', 'select pg_current_wal_flush_lsn()').strip()
        for _ in range(200):
            done = subprocess.run(['psql', '-XAtqc', f"select pg_last_wal_replay_lsn() >= '{where}'", url], capture_output=True, text=True,
                                  check=True)
            if done.stdout == 't\n':
                break
            time.sleep(0.05)
        else:
            with open(c.dir + '/standby.log', encoding='utf-8') as log:
                raise Failure('the standby does not follow: ' + log.read()[-2000:])
        w.tool('create', w.repo, '--database', url, '--without-files')
        w.tool('create', w.repo, '--database', w.url('source'), '--without-files')
        names = [line.split('\t')[0] for line in w.tool('list', w.repo).stdout.splitlines()]
        tables = [[line for line in w.tool('show', w.repo, name, '--json').stdout.splitlines() if '"kind":"table"' in line]
                  for name in names[-2:]]
        if tables[0] != tables[1] or len(tables[0]) < 90:
            raise Failure(f'{len(tables[0])} and {len(tables[1])} tables')
        told = w.tool('diff', w.repo, names[-2], names[-1]).stdout
        if 'rows' in told:
            raise Failure(f'they differ: {told}')
    finally:
        c.tool('pg_ctl', '-D', other, '-m', 'immediate', '-w', 'stop')


def pooler(w):
    """PgBouncer, which hands out server connections by transaction, is refused, and the message says why."""
    program = shutil.which('pgbouncer') or ('/usr/sbin/pgbouncer' if os.path.exists('/usr/sbin/pgbouncer') else None)
    if program is None:
        return 'no pgbouncer here'
    folder = w.cluster.dir + '/pool'
    os.mkdir(folder)
    with open(folder + '/ini', 'w', encoding='utf-8') as f:
        f.write(f'[databases]\nsource = host={w.cluster.dir} user=postgres\n[pgbouncer]\nlisten_port = 6432\nunix_socket_dir = {folder}\n'
                f'auth_type = any\npool_mode = transaction\nlogfile = {folder}/log\nignore_startup_parameters = extra_float_digits,options\n')
    if os.geteuid() == 0:
        shutil.chown(folder, 'postgres', 'postgres')
        shutil.chown(folder + '/ini', 'postgres', 'postgres')
    with subprocess.Popen([*w.cluster.as_user, program, '-q', folder + '/ini'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
        try:
            end = time.monotonic() + 60
            while not os.path.exists(folder + '/.s.PGSQL.6432') and p.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            done = w.tool('create', w.repo, '--database', f'postgresql://postgres@/source?host={folder}&port=6432', '--without-files',
                          codes=(4,))
        finally:
            p.terminate()
    if 'pooler' not in done.stderr or 'direct connection' not in done.stderr:
        raise Failure(done.stderr)
    return None


def main():
    if pg_bindir() is None:
        print('1..0 # SKIP PostgreSQL is not installed')
        return 77
    w = World()
    failed = 0
    tests = [everything, owners, to_the_last_clause, truncated_while_it_waits, standby, pooler]
    try:
        for n, test in enumerate(tests, 1):
            try:
                skipped = test(w)
                print(f'ok {n} - {test.__name__}' + (f' # SKIP {skipped}' if skipped else ''), flush=True)
            except Failure as e:
                failed += 1
                print('\n'.join('# ' + line for line in str(e).splitlines()))
                print(f'not ok {n} - {test.__name__}', flush=True)
    finally:
        w.stop()
    print(f'1..{len(tests)}')
    return 1 if failed else 0


sys.exit(main())

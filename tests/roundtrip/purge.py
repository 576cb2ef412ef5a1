#!/usr/bin/env python3
"""
A channel is purged: on every schema nothing of it is left and nothing else changed, row by row in every table; tables
shrink; the import that brought it neither brings it back nor chokes on taking itself back. TAP; under pg.sh.
"""
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import purge_world as w  # noqa: E402
from purge_world import Failure, sql, tool, url  # noqa: E402

WORK = w.folder()
SCHEMA = f'{w.ROOT}/tests/harness/mm_schema.py'


def purge(database, files, *scope):
    plan = f'{WORK}/plan'
    tool(w.PURGE, 'plan', *scope, '-o', plan, *url(database))
    ids = {line.split()[1] for line in open(plan, encoding='ascii') if line[:2] in ('P ', 'H ')}
    tool(w.PURGE, 'apply', plan, '--files', files, '--yes', *url(database))
    return ids


def must_be(what, have, want):
    if have != want:
        lines = [f'+ {x}' for x in sorted(have - want)][:5] + [f'- {x}' for x in sorted(want - have)][:5]
        raise Failure(f'{what}: ' + '\n'.join(str(line)[:300] for line in lines))


def rows_left(before, ids, files):
    """What must be left: rows that name nothing that went."""
    return {(t, line) for t, line in before if not any(i in line for i in ids) and not (t == 'public.fileinfo' and line[1:27] in files)
            or t in ('matterark.slack_post', 'matterark.slack_reaction', 'matterark.change', 'matterark.slack_adopted')}


def check(database, files):
    before = w.dump(database)
    gone_files = set(sql(database, "select f.id from fileinfo f join channels c on c.id = f.channelid where c.name = 'design'").split()) \
        if 'fileinfo.channelid' in columns(database) else set(sql(
            database, "select f.id from fileinfo f join posts p on p.id = f.postid join channels c on c.id = p.channelid where c.name = "
            "'design'").split())
    ids = purge(database, files, '--channel', 'design', '--older-than', '2030-01-01')
    # the times of the channel that is empty now are the one thing that changes
    times = "'lastpostat', 'lastrootpostat'"
    channel = sql(database, "select id from channels where name = 'design'").strip()
    want = {(t, line) for t, line in rows_left(before, ids, gone_files) if not (t == 'public.channels' and channel in line)}
    have = {(t, line) for t, line in w.dump(database) if not (t == 'public.channels' and channel in line)}
    must_be('rows', have, want)
    rest = sql(database, f"select string_agg(v, ',' order by k) from channels c, lateral jsonb_each_text(to_jsonb(c) - array[{times}]) j(k, v) "
                         f"where c.id = '{channel}'")
    before_rest = sql(database + '_before', f"select string_agg(v, ',' order by k) from channels c, lateral jsonb_each_text(to_jsonb(c) - "
                                            f"array[{times}]) j(k, v) where c.id = '{channel}'")
    must_be('the channel', {rest}, {before_rest})
    must_be('its times', {sql(database, f"select lastpostat || ' ' || lastrootpostat from channels where id = '{channel}'")}, {'0 0\n'})
    return len(ids)


def columns(database):
    return set(sql(database, "select table_name || '.' || column_name from information_schema.columns where table_schema = 'public'").split())


def take_files(name):
    files = f'{WORK}/{name}'
    shutil.copytree(f'{WORK}/files', files)
    return files


def named(database):
    return set(sql(database, "select distinct p from fileinfo f, lateral (values (f.path), (f.thumbnailpath), (f.previewpath)) v(p) where p "
                             "<> ''").split('\n')) - {''}


def newest():
    w.copy('base', 'newest')
    w.copy('base', 'newest_before')
    files = take_files('newest')
    n = check('newest', files)
    if w.inconsistent('newest'):
        raise Failure(w.inconsistent('newest'))
    must_be('files', {f for f in w.stored(files) if f.startswith('2')}, named('newest'))
    return f'{n} rows of posts'


def older():
    """The same rows under each older schema, with the columns that it has."""
    levels = subprocess.check_output([SCHEMA, '--levels'], text=True).split()
    have = columns('base')
    levels = levels[:-1] if os.environ.get('ARK_TEST_FULL') == '1' else [levels[0], levels[2], levels[-2]]
    for level in levels:
        for name in ('older', 'older_before'):
            sql('postgres', f'drop database if exists {name} with (force)')
            sql('postgres', f'create database {name} template template0')
            sql(name, subprocess.check_output([SCHEMA, level], text=True))
        theirs = columns('older')
        for table in sorted({c.split('.')[0] for c in theirs} - {'db_migrations'}):
            both = sorted('"' + c.split('.')[1] + '"' for c in theirs & have if c.startswith(table + '.'))
            if not both:
                continue
            names = ', '.join(both)
            data = subprocess.check_output([f'{w.BIN}/psql', '-XAtqc', f'copy {table} ({names}) to stdout', '-h', w.SERVER, '-U', 'postgres',
                                            'base'])
            for name in ('older', 'older_before'):
                subprocess.run([f'{w.BIN}/psql', '-XAtqc', f'copy {table} ({names}) from stdin', '-h', w.SERVER, '-U', 'postgres', name],
                               input=data, check=True)
        try:
            check('older', take_files('older-' + level))
        except Failure as problem:
            raise Failure(f'{level}: {problem}') from None
    return ' '.join(levels)


def deleted_ones():
    """A deleted reply goes; its thread, which stays, is what it was."""
    w.copy('base', 'deleted')
    sql('deleted', """update posts p set deleteat = createat + 9, updateat = createat + 9, props = props || '{"deleteBy": "x"}' where id = (select min(p.id)
        from posts p where p.rootid <> '' and p.originalid = '')""")
    before = w.dump('deleted')
    ids = purge('deleted', take_files('deleted'), '--deleted-before', '1d')
    if len(ids) != 1:
        raise Failure(f'{ids}')
    must_be('rows', w.dump('deleted'), rows_left(before, ids, set()))
    return 'one'


def shrinks():
    w.copy('base', 'shrinks')
    sql('shrinks', """insert into posts select (jsonb_populate_record(null::posts, to_jsonb(p) || jsonb_build_object('id', 'n' || lpad(n::text, 25, '0'), 'rootid', '', 'message',
        repeat(md5(n::text), 20), 'fileids', '[]', 'editat', 0))).* from (select p.* from posts p join channels c on c.id = p.channelid where c.name = 'design' order by p.id limit 1) p,
        generate_series(1, 5000) n""")
    size = "select pg_table_size('posts')"
    before = int(sql('shrinks', size))
    purge('shrinks', take_files('shrinks'), '--channel', 'design', '--older-than', '2030-01-01')
    sql('shrinks', 'vacuum posts')
    free = int(sql('shrinks', size))
    if free > before / 4:
        raise Failure(f'{before} bytes, and {free} after a vacuum')
    return f'{before} bytes, {free} after a vacuum'


def stays_gone():
    """The import again, and then taken back."""
    w.copy('base', 'imported')
    files = take_files('imported')
    ids = purge('imported', files, '--channel', 'design', '--older-than', '2030-01-01')
    tool(w.IMPORT, 'slack', w.EXPORT, '--team', 'acme', '--files', files, *url('imported'), codes=(0, 3))
    back = ids & set(sql('imported', 'select id from posts').split())
    if back:
        raise Failure(f'came back: {sorted(back)[:5]}')
    if w.inconsistent('imported'):
        raise Failure(w.inconsistent('imported'))
    for run in reversed(tool(w.IMPORT, 'runs', *url('imported')).stdout.splitlines()):
        tool(w.IMPORT, 'undo', run.split('\t')[0], '--force', '--files', files, *url('imported'))
    left = sql('imported', 'select count(*) from posts').strip()
    if left != '0':
        raise Failure(f'{left} posts are left')
    return f'{len(ids)} rows stayed gone'


def main():
    failed = 0
    try:
        w.make('base', f'{WORK}/files')
        if w.inconsistent('base'):
            raise SystemExit(f'the world itself: {w.inconsistent("base")}')
        cases = (newest, older, deleted_ones, shrinks, stays_gone)
        for n, case in enumerate(cases, 1):
            try:
                print(f'ok {n} - {case.__name__}: {case()}', flush=True)
            except Failure as problem:
                failed += 1
                print(f'not ok {n} - {case.__name__}', flush=True)
                for line in str(problem).splitlines():
                    print(f'# {line}')
        print(f'1..{len(cases)}')
    finally:
        w.remove(WORK)
    sys.exit(1 if failed else 0)


main()

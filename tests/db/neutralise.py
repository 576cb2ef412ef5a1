#!/usr/bin/env python3
"""neutralise.sql: a database full of things that act becomes a test installation, and nothing else changes.

An 11.6 database out of the made-up company, with a row in every table that can act, secrets and names of
production everywhere. Then the same on every older level. TAP; skipped without PostgreSQL.

Environment: MATTER_IMPORT, NEUTRALISE_SQL (as built).
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
sys.path.insert(0, os.path.join(HERE, '..', 'roundtrip'))
sys.dont_write_bytecode = True
from fixtures import CASES, Cluster, Failure, pg_bindir  # noqa: E402

PARTS = os.path.join(ROOT, 'backup', 'neutralise')
SCHEMA = os.path.join(ROOT, 'tests', 'harness', 'mm_schema.py')
LEVELS = subprocess.run([sys.executable, SCHEMA, '--levels'], capture_output=True, text=True, check=True).stdout.split()

# Nothing of these may be left anywhere in a copy.
NAMES = ['chat.prod-acme.example', 'smtp.prod-acme.example', 'acme-prod-bucket', 's3.prod-acme.example', 'acmeprod-index',
         'elastic.prod-acme.example', 'idp.prod-acme.example', 'ldap.prod-acme.example', 'push.prod-acme.example',
         'redis.prod-acme.example', 'db.prod-acme.example', 'ci.prod-acme.example', 'prod-secret', 'plugin.prod-acme.example']

# Tables whose rows act or are secrets: all of them go.
ACTING = ['sessions', 'useraccesstokens', 'tokens', 'desktoptokens', 'oauthapps', 'oauthauthdata', 'oauthaccessdata',
          'outgoingoauthconnections', 'incomingwebhooks', 'outgoingwebhooks', 'commands', 'commandwebhooks',
          'scheduledposts', 'postreminders', 'persistentnotifications', 'notifyadmin', 'remoteclusters', 'sharedchannels',
          'sharedchannelremotes', 'sharedchannelusers', 'sharedchannelattachments', 'clusterdiscovery',
          'pluginkeyvaluestore', 'licenses']

CONFIGURATION = {
    'ServiceSettings': {'SiteURL': 'https://chat.prod-acme.example', 'ListenAddress': ':443', 'EnableIncomingWebhooks': True,
                        'EnableOutgoingWebhooks': True, 'EnableCommands': True, 'AllowCorsFrom': 'https://chat.prod-acme.example',
                        'AllowedUntrustedInternalConnections': 'ci.prod-acme.example', 'EnablePostUsernameOverride': True,
                        'GiphySdkKey': 'prod-secret', 'EnableUserAccessTokens': True, 'TLSCertFile': '/etc/ssl/prod-secret.pem',
                        'SessionLengthWebInHours': 720},
    'TeamSettings': {'SiteName': 'Acme Chat', 'MaxUsersPerTeam': 321},
    'SupportSettings': {'HelpLink': 'https://chat.prod-acme.example/help', 'AboutLink': 'https://about.example.org/'},
    'NativeAppSettings': {'AppCustomURLSchemes': ['mmauth://', 'https://chat.prod-acme.example/app']},
    'SqlSettings': {'DriverName': 'postgres', 'DataSource': 'postgres://mm:prod-secret@db.prod-acme.example/mm',
                    'DataSourceReplicas': ['postgres://mm:prod-secret@db.prod-acme.example/mm'],
                    'AtRestEncryptKey': 'prod-secret', 'MaxOpenConns': 77,
                    'ReplicaLagSettings': [{'DataSource': 'postgres://db.prod-acme.example/x'}]},
    'EmailSettings': {'SendEmailNotifications': True, 'SMTPServer': 'smtp.prod-acme.example', 'SMTPPort': '587',
                      'EnableSMTPAuth': True, 'SMTPUsername': 'prod-secret', 'SMTPPassword': 'prod-secret',
                      'PushNotificationServer': 'https://push.prod-acme.example', 'SendPushNotifications': True,
                      'FeedbackEmail': 'chat@chat.prod-acme.example', 'InviteSalt': 'prod-secret'},
    'FileSettings': {'DriverName': 'amazons3', 'AmazonS3Bucket': 'acme-prod-bucket', 'AmazonS3PathPrefix': 'acme-prod-bucket/x',
                     'AmazonS3Endpoint': 's3.prod-acme.example', 'AmazonS3AccessKeyId': 'prod-secret',
                     'AmazonS3SecretAccessKey': 'prod-secret', 'ExportAmazonS3Bucket': 'acme-prod-bucket',
                     'DedicatedExportStore': True, 'PublicLinkSalt': 'prod-secret', 'MaxFileSize': 4711},
    'ElasticsearchSettings': {'ConnectionURL': 'https://elastic.prod-acme.example:9200', 'IndexPrefix': 'acmeprod-index',
                              'EnableIndexing': True, 'EnableSearching': True, 'Password': 'prod-secret'},
    'SamlSettings': {'Enable': True, 'IdpURL': 'https://idp.prod-acme.example/sso', 'IdpCertificateFile': 'saml-idp.crt'},
    'LdapSettings': {'Enable': True, 'EnableSync': True, 'LdapServer': 'ldap.prod-acme.example', 'BindPassword': 'prod-secret'},
    'GitLabSettings': {'Enable': True, 'Secret': 'prod-secret', 'AuthEndpoint': 'https://idp.prod-acme.example/oauth'},
    'CacheSettings': {'CacheType': 'redis', 'RedisAddress': 'redis.prod-acme.example:6379', 'RedisPassword': 'prod-secret'},
    'ClusterSettings': {'Enable': True, 'OverrideHostname': 'chat.prod-acme.example'},
    'PluginSettings': {'Enable': True, 'Plugins': {'jira': {'secret': 'prod-secret', 'url': 'https://plugin.prod-acme.example'}},
                       'PluginStates': {'jira': {'Enable': True}}},
    'MessageExportSettings': {'EnableExport': True, 'GlobalRelaySettings': {'SMTPPassword': 'prod-secret'}},
    'DataRetentionSettings': {'EnableMessageDeletion': True, 'MessageRetentionDays': 9},
    'ExperimentalSettings': {'EnableSharedChannels': True, 'EnableRemoteClusterService': True},
    'LogSettings': {'AdvancedLoggingJSON': {'x': {'options': {'host': 'ci.prod-acme.example'}}}, 'EnableDiagnostics': True,
                    'ConsoleLevel': 'DEBUG'},
    'JobSettings': {'RunJobs': True, 'RunScheduler': True},
    'WhateverComesNext': {'ServicePassword': 'prod-secret', 'Where': ['https://chat.prod-acme.example/next', 'kept']},
}

CONFIG_TABLES = """
create table configurations (id varchar(26) primary key, value text not null, createat bigint not null,
  active boolean unique, sha char(64) default '');
create table configurationfiles (name varchar(64) primary key, data text not null, createat bigint, updateat bigint);
insert into configurationfiles values ('saml-idp.crt', 'prod-secret', 1, 1);
"""

BUTTONS = [{'text': 'one', 'actions': [{'id': 'x', 'integration': {'url': 'https://ci.prod-acme.example/go'}}], 'title': 'kept'},
           {'text': 'two'}, 'odd']

results = []


def say(good, claim, talk=''):
    results.append(bool(good))
    print(f'{"ok" if good else "not ok"} {len(results)} - {claim.replace("#", " ")}')
    if not good:
        print('\n'.join('# ' + line[:300] for line in str(talk).splitlines()[:20]))


def assembled(without=None):
    """neutralise.sql as it was built, or put together anew without one of its parts."""
    if without is None:
        with open(os.environ['NEUTRALISE_SQL'], encoding='utf-8') as f:
            return f.read()
    parts = [os.path.join(PARTS, p + '.sql') for p in ('start', 'act', 'mark', 'config', 'marker', 'proof')]
    text = ''
    for path in parts:
        with open(path, encoding='utf-8') as f:
            part = f.read()
        if os.path.basename(path) == 'config.sql' and without == 'config':
            part = part[:part.index('do $$')]
        elif os.path.basename(path) == without + '.sql':
            part = ''
        text += part
    with open(os.path.join(PARTS, 'rules.json'), encoding='utf-8') as f:
        return text.replace('@RULES@', f.read())


def rules():
    with open(os.path.join(PARTS, 'rules.json'), encoding='utf-8') as f:
        return json.load(f)


def neutralise(cluster, db, settings=None, without=None):
    given = {'neutralise': db, **(settings or {})}
    lines = ''.join(f"set matterark.{k} = '{v}';\n" for k, v in given.items())
    return cluster.query(db, 'begin;\n' + lines + assembled(without) + 'commit;\n')


def fails(cluster, db, **kwargs):
    try:
        neutralise(cluster, db, **kwargs)
    except Failure as bad:
        return str(bad)
    return ''


def fill(cluster, db, schema='public'):
    """A row of production's secrets and names in every table that acts and is there."""
    columns = cluster.query(db, "select table_name, column_name, data_type, udt_name, coalesce(character_maximum_length, 999)"
                                f" from information_schema.columns where table_schema = '{schema}' and data_type <> 'ARRAY'")
    tables = {}
    for line in columns.splitlines():
        table, *column = line.split('|')
        tables.setdefault(table, []).append(column)
    script = ''
    for table in (t for t in ACTING if t in tables):
        names, values = [], []
        for name, kind, udt, length in tables[table]:
            names.append(f'"{name}"')
            if kind == 'USER-DEFINED':
                values.append(f'(enum_range(null::{schema}.{udt}))[1]')
            elif kind in ('bigint', 'integer', 'smallint'):
                values.append('1')
            elif kind == 'boolean':
                values.append('true')
            elif kind in ('jsonb', 'json'):
                values.append("""'{"url": "https://ci.prod-acme.example/"}'""")
            elif kind == 'bytea':
                values.append("'prod-secret'")
            else:
                text = 'https://ci.prod-acme.example/prod-secret' if int(length) >= 64 else 'prod-secret'
                values.append(f"'{text[:int(length)]}'")
        script += f'insert into {schema}.{table} ({", ".join(names)}) values ({", ".join(values)});\n'
    cluster.query(db, script)
    return [t for t in ACTING if t in tables]


def poison(cluster, db):
    """What else has to go or to change, in tables that stay."""
    buttons = json.dumps({'attachments': BUTTONS, 'from_webhook': 'true'})
    config = json.dumps(CONFIGURATION)
    cluster.query(db, CONFIG_TABLES + f"""
insert into configurations values ('old', $j${config}$j$, 1, null, ''), ('active', $j${config}$j$, 2, true, '');
update posts set props = $j${buttons}$j$ where id = (select min(id) from posts where type = '');
insert into systems values ('DiagnosticId', 'prod-secret'), ('AsymmetricSigningKey', 'prod-secret'),
  ('PostActionCookieSecret', 'prod-secret'), ('PushProxyAuthToken', 'prod-secret'), ('ActiveLicenseId', 'prod-secret'),
  ('InstallationDate', '4711') on conflict (name) do update set value = excluded.value;
insert into jobs (id, type, priority, createat, startat, lastactivityat, status, progress, data)
  select 'job' || n, 'ldap_sync', 0, 1, 1, 1, s, 0, '{{}}'
  from unnest(array['pending', 'in_progress', 'cancel_requested', 'success', 'error']) with ordinality as x (s, n);
insert into preferences (userid, category, name, value) select id, 'theme', 'someteam', '{{"sidebarBg":"#112233"}}' from users limit 3;
insert into preferences (userid, category, name, value) select id, 'theme', '', '{{"sidebarBg":"#112233"}}' from users limit 2;
insert into preferences (userid, category, name, value) select id, 'oauth_app', 'prod-secret', 'x' from users limit 1;
insert into preferences (userid, category, name, value) select id, 'display_settings', 'use_military_time', 'true' from users limit 4;
update channels set shared = true where name = 'general';
""")


# What people wrote and are: as before, apart from the buttons, the mark's post and the marks themselves.
KEPT = """
select 'posts', md5(string_agg((to_jsonb(p) - 'props')::text || (props #- '{attachments}')::text, '' order by id))
from posts p where id not in (select left(md5('matterark test copy ' || id), 26) from channels);
select 'people', md5(string_agg(u::text, '' order by id)) from users u;
select 'channels', md5(string_agg((case when name = 'town-square' then to_jsonb(c) - 'header' - 'lastpostat' - 'lastrootpostat'
  - 'totalmsgcount' - 'totalmsgcountroot' else to_jsonb(c) end - 'shared')::text, '' order by id)) from channels c;
select 'members', md5(string_agg(m::text, '' order by channelid, userid)) from channelmembers m;
select 'teams', md5(string_agg((to_jsonb(t) - 'displayname')::text, '' order by id)) from teams t;
select 'files', md5(string_agg(f::text, '' order by id)) from fileinfo f;
select 'reactions', md5(string_agg(r::text, '' order by userid, postid, emojiname)) from reactions r;
select 'threads', md5(string_agg(t::text, '' order by postid)) from threads t;
select 'preferences', md5(string_agg(p::text, '' order by userid, category, name)) from preferences p
where category not in ('theme', 'oauth_app');
select 'systems', string_agg(value, ',') from systems where name = 'InstallationDate';
"""


def digest(cluster, db):
    """Content and writing transaction of every row of every table."""
    tables = cluster.query(db, "select schemaname || '.' || tablename from pg_tables where schemaname !~ '^pg_' and schemaname <> "
                               "'information_schema' order by 1").split()
    return cluster.query(db, ''.join(
        f"select '{t}', count(*), md5(coalesce(string_agg(t.xmin::text || t::text, '' order by t::text collate \"C\"), '')) "
        f"from {t} t;\n" for t in tables))


def dump(cluster, db):
    return subprocess.run([os.path.join(pg_bindir(), 'pg_dump'), '--data-only', '--inserts', cluster.url(db)],
                          capture_output=True, check=True).stdout.decode().lower()


def get(config, key):
    for part in key.split('.'):
        config = config.get(part) if isinstance(config, dict) else None
    return config


def settings(cluster, db):
    rows = cluster.query(db, "select value from configurations").splitlines()
    say(len(rows) == 1, 'one configuration is left, the active one', rows)
    value = rows[0]
    sha = cluster.query(db, 'select sha from configurations where active').strip()
    say(sha == hashlib.sha256(value.encode()).hexdigest(), 'with the checksum the server expects', sha)
    config = json.loads(value)
    wrong = [(r['key'], get(config, r['key'])) for r in rules()['set'] if 'value' in r and 'if_there' not in r
             and get(config, r['key']) != r['value']]
    say(not wrong, 'every setting that rules name', wrong)
    ruled = {r['key'] for r in rules()['set']}
    left = []
    for rule in rules()['remove']:
        section = get(config, rule['key'].split('.')[0]) or {}
        if '.' not in rule['key']:
            left += [f"{rule['key']}.{k}" for k in section if f"{rule['key']}.{k}" not in ruled]
        else:
            name = rule['key'].split('.')[1]
            left += [k for k in section if k == name or name.endswith('*') and k.startswith(name[:-1])]
    say(not left, 'what rules remove is gone', left)
    kept = {'ServiceSettings.EnablePostUsernameOverride': True, 'ServiceSettings.SessionLengthWebInHours': 720,
            'TeamSettings.MaxUsersPerTeam': 321, 'SqlSettings.MaxOpenConns': 77, 'FileSettings.MaxFileSize': 4711,
            'SupportSettings.AboutLink': 'https://about.example.org/', 'LogSettings.ConsoleLevel': 'DEBUG',
            'NativeAppSettings.AppCustomURLSchemes': ['mmauth://'], 'WhateverComesNext.Where': ['kept'],
            'ServiceSettings.SiteURL': 'http://copy.test:8065', 'TeamSettings.SiteName': 'TEST COPY Acme Chat',
            'FileSettings.Directory': "/srv/copy/files/", 'ExperimentalSettings.EnableSharedChannels': False}
    wrong = [(k, get(config, k)) for k, want in kept.items() if get(config, k) != want]
    say(not wrong, 'settings that harm nobody stay; the copy has its own address, name and folder', wrong)


MARKS = [
    ('sessions and all that acts', "select " + ' + '.join(f'(select count(*) from {t})' for t in ACTING), '0'),
    ('jobs', "select string_agg(status, ',' order by id) from jobs", 'canceled,canceled,canceled,success,error'),
    ('buttons of messages', "select props -> 'attachments' from posts where jsonb_array_length(props -> 'attachments') = 3 and props ? 'from_webhook'",
     '[{"text": "one", "title": "kept"}, {"text": "two"}, "odd"]'),
    ('team', "select string_agg(displayname, ',') from teams where displayname not like 'TEST COPY: %'", ''),
    ('themes', "select count(*) filter (where name = '' and value::jsonb ->> 'sidebarHeaderBg' = '#ff0000') = (select count(*) from users)"
               " and count(*) = (select count(*) from users) from preferences where category = 'theme'", 't'),
    ('town squares', "select bool_and(c.header like '**TEST COPY%' and p.header = c.header and c.lastpostat = t.createat and t.ispinned"
                     " and t.userid in (select id from users)) and count(*) > 0 from channels c join publicchannels p on p.id = c.id"
                     " join posts t on t.channelid = c.id and t.message like '%TEST COPY%snapshot-1%' where c.name = 'town-square'", 't'),
    ('identity', "select value = diagnostic_id and value ~ '^[0-9a-f]{26}$' from systems, matterark.test_copy where name = 'DiagnosticId'", 't'),
    ('marker', "select database_name = current_database() and system_identifier = (select system_identifier::text from pg_control_system())"
               " and snapshot = 'snapshot-1' from matterark.test_copy", 't'),
]
COPY = {'site_url': 'http://copy.test:8065', 'files': '/srv/copy/files/', 'snapshot': 'snapshot-1'}


def whole(cluster, tool):
    db = 'copy'
    cluster.query('postgres', f"create database {db} template template0 encoding 'UTF8'")
    subprocess.run([tool, 'slack', os.path.join(CASES, 'workspace', 'export'), '--team', 'acme', '--database', cluster.url(db),
                    '--create-schema', '--create-team'], check=True, capture_output=True)
    poison(cluster, db)
    filled = fill(cluster, db)
    say(filled == ACTING, 'every table that acts has a row', filled)
    before, kept = digest(cluster, db), cluster.query(db, KEPT)
    full = dump(cluster, db)
    say(all(n in full for n in NAMES), 'names of production are there before', [n for n in NAMES if n not in full])
    for claim, given in (('without saying which database', {'neutralise': ''}), ('for another database', {'neutralise': 'postgres'})):
        said = fails(cluster, db, settings=given)
        say('test installation' in said and digest(cluster, db) == before, f'refused {claim}', said)
    for part, word in (('act', 'rows in sessions: 1'), ('mark', 'teams that look real: 1'), ('config', 'configurations that could act'),
                       ('marker', 'test_copy')):
        said = fails(cluster, db, without=part)
        say(word in said and digest(cluster, db) == before, f'the proof notices when {part} was not done', said)
    said = neutralise(cluster, db, COPY)
    say('counts are zero' in said, 'made a test installation', said)
    say('proof: named in the configuration: about.example.org (SupportSettings.AboutLink)' in said, 'hosts that are left are named', said)
    say(cluster.query(db, KEPT) == kept, 'messages, people, channels, files are as they were', kept + cluster.query(db, KEPT))
    text = dump(cluster, db)
    say(not any(n in text for n in NAMES), 'names of production are nowhere', [n for n in NAMES if n in text])
    for claim, query, want in MARKS:
        have = cluster.query(db, query).strip()
        say(have == want, claim, have)
    settings(cluster, db)
    after = digest(cluster, db)
    neutralise(cluster, db, COPY)
    say(digest(cluster, db) == after, 'the second time changes nothing')
    cluster.query(db, "insert into sessions (id) values ('x'); update matterark.test_copy set system_identifier = '1'")
    identity = cluster.query(db, "select value from systems where name = 'DiagnosticId'")
    neutralise(cluster, db, {**COPY, 'keep_licence': 'on'})
    again = cluster.query(db, "select value from systems where name = 'DiagnosticId'; select count(*) from sessions").split()
    say(again[0] != identity.strip() and again[1] == '0', 'a copy of a copy gets its own identity and marker', again)
    licence(cluster, db)


def licence(cluster, db):
    add = "insert into licenses (id, createat, bytes) values ('l', 1, 'x'); insert into systems values ('ActiveLicenseId', 'l')"
    cluster.query(db, add)
    neutralise(cluster, db, {**COPY, 'keep_licence': 'on'})
    kept = cluster.query(db, "select count(*) from licenses").strip()
    neutralise(cluster, db, COPY)
    gone = cluster.query(db, "select (select count(*) from licenses) + (select count(*) from systems where name = 'ActiveLicenseId')").strip()
    say((kept, gone) == ('1', '0'), 'the licence stays when asked to', (kept, gone))


def older(cluster, level):
    db = 'level_' + level.replace('.', '_')
    cluster.query('postgres', f"create database {db} template template0 encoding 'UTF8'")
    schema = subprocess.run([sys.executable, SCHEMA, level], capture_output=True, text=True, check=True).stdout
    cluster.query(db, f'create schema chat; set search_path = chat;\n{schema}')
    filled = fill(cluster, db, 'chat')
    cluster.query(db, """set search_path = chat;
insert into users (id, createat, deleteat, username, roles) values ('u1', 1, 0, 'ann', 'system_user'), ('u2', 1, 5, 'ben', 'system_admin'),
  ('u3', 2, 0, 'cleo', null);
insert into teams (id, displayname, name) values ('t', 'Acme', 'acme');
insert into channels (id, teamid, type, name, header, lastpostat, totalmsgcount, totalmsgcountroot, lastrootpostat)
  values ('c', 't', 'O', 'town-square', 'Hello', 9999999999999, 3, 2, 1)""")
    said = neutralise(cluster, db)
    left = cluster.query(db, 'select ' + ' + '.join(f'(select count(*) from chat.{t})' for t in filled)).strip()
    marks = cluster.query(db, "select header, lastpostat, totalmsgcount, totalmsgcountroot, lastrootpostat, (select userid from chat.posts),"
                              " (select count(*) from chat.preferences) from chat.channels").strip()
    want = '**TEST COPY - not the real server. Nothing written here reaches anybody.** Hello|10000000000000|4|3|10000000000000|u1|3'
    after = digest(cluster, db)
    neutralise(cluster, db)
    say('counts are zero' in said and left == '0' and marks == want and digest(cluster, db) == after,
        f'{level}, in a schema of its own: done, and the second time nothing', f'{left} {marks}')


def main():
    bindir = pg_bindir()
    if not bindir or not shutil.which('psql'):
        print('1..0 # SKIP no PostgreSQL here')
        return 0
    cluster = Cluster(bindir)
    try:
        cluster.start()
        cluster.query('postgres', 'create database other')
        say('no tables of Mattermost' in fails(cluster, 'other'), 'a database of something else is refused')
        whole(cluster, os.environ['MATTER_IMPORT'])
        for level in LEVELS:
            older(cluster, level)
    except (Failure, subprocess.CalledProcessError) as bad:
        say(False, 'it runs', f'{bad} {getattr(bad, "stderr", "")}')
    finally:
        cluster.stop()
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())

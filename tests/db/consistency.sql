-- What must hold in every Mattermost database after an import, a restore or a purge. Each query names
-- its claim in the first column and must return no row. Run: psql -At -v ON_ERROR_STOP=1 -f THIS DSN
-- Written for schemas from 7.8 on; only columns that all of them have.
-- Fact: docs/mattermost-facts.md "Consistency". Not here, because SQL alone cannot see it: names of
-- group channels (SHA-1) and bodies in the file store; tests/roundtrip/fixtures.py checks those.

-- No NULL where the server scans into plain values.
select 'users: NULL', id from users
where (id, createat, updateat, deleteat, username, password, authservice, email, emailverified, nickname,
       firstname, lastname, position, roles, allowmarketing, lastpasswordupdate, lastpictureupdate,
       failedattempts, locale, mfaactive, mfasecret) is not null is not true
   or (props, notifyprops, timezone) is not null is not true;
select 'users: empty authdata', id from users where authdata = '';
select 'bots: NULL', userid from bots
where (description, ownerid, createat, updateat, deleteat, lasticonupdate) is not null is not true;
select 'teams: NULL', id from teams
where (createat, updateat, deleteat, displayname, name, description, email, type, companyname, alloweddomains,
       inviteid, allowopeninvite, lastteamiconupdate) is not null is not true or inviteid = '';
select 'teammembers: NULL', teamid, userid from teammembers
where (roles, deleteat, schemeuser, schemeadmin, schemeguest, createat) is not null is not true;
select 'channels: NULL', id from channels
where (createat, updateat, deleteat, teamid, type, displayname, name, header, purpose, lastpostat, totalmsgcount,
       extraupdateat, creatorid, totalmsgcountroot, lastrootpostat) is not null is not true;
select 'publicchannels: NULL', id from publicchannels
where (deleteat, teamid, displayname, name, header, purpose) is not null is not true;
select 'channelmembers: NULL', channelid, userid from channelmembers
where (roles, lastviewedat, msgcount, mentioncount, notifyprops, lastupdateat, schemeuser, schemeadmin, schemeguest,
       mentioncountroot, msgcountroot, urgentmentioncount) is not null is not true;
select 'posts: NULL', id from posts
where (createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, props, hashtags, filenames,
       fileids, hasreactions, editat, ispinned) is not null is not true;
select 'reactions: NULL', postid, userid from reactions
where (createat, updateat, deleteat, channelid) is not null is not true or channelid = '';
select 'fileinfo: NULL', id from fileinfo
where (creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath, name, extension, size,
       mimetype, width, height, haspreviewimage) is not null is not true;
select 'threads: NULL', postid from threads
where (replycount, lastreplyat, participants, channelid, threadteamid) is not null is not true;
select 'threadmemberships: NULL', postid, userid from threadmemberships
where (following, lastviewed, lastupdated, unreadmentions) is not null is not true;
select 'emoji: NULL', id from emoji where (createat, updateat, deleteat, creatorid, name) is not null is not true;

-- Ids and names.
select 'id: not 26 of [a-z0-9]', kind, id from (
  select 'user' as kind, id from users union all select 'team', id from teams union all select 'channel', id from channels
  union all select 'post', id from posts union all select 'file', id from fileinfo union all select 'emoji', id from emoji) t
where id !~ '^[a-z0-9]{26}$';
select 'users: user name', username from users
where username !~ '^[a-z0-9._-]{1,64}$' or username in ('all', 'channel', 'matterbot', 'system');
select 'users: e-mail', username, email from users where email <> lower(email) or email !~ '^[^@ ]+@[^@ ]+$' or octet_length(email) > 128;
select 'users: map with a value that is no string', u.username, m.key
from users u, lateral (values (u.props), (u.notifyprops), (u.timezone)) maps(map), lateral jsonb_each(maps.map) m
where jsonb_typeof(m.value) <> 'string';
select 'teams: name', name from teams where name !~ '^[a-z0-9][a-z0-9_-]{0,62}[a-z0-9]$';
select 'channels: name', name from channels
where teamid <> '' and (name !~ '^[a-z0-9][a-z0-9_-]{0,63}$' or name ~ '^[0-9a-f]{40}$' or name ~ '^[a-z0-9]{26}__[a-z0-9]{26}$');
select 'channels: shown name', name from channels where teamid <> '' and length(displayname) not between 1 and 64;
select 'emoji: name', name from emoji where name !~ '^[a-zA-Z0-9+_-]{1,64}$';
select 'reactions: name', emojiname from reactions where emojiname !~ '^[a-zA-Z0-9+_-]{1,64}$';

-- Teams and channels.
select 'teams: default channel missing', t.name, d.name
from teams t cross join (values ('town-square'), ('off-topic')) d(name)
where not exists (select from channels c where c.teamid = t.id and c.name = d.name);
select 'channels: open without publicchannels row, or another one', c.name
from channels c left join publicchannels p on p.id = c.id
where c.type = 'O' and (p.teamid, p.name, p.displayname, p.header, p.purpose, p.deleteat)
  is distinct from (c.teamid, c.name, c.displayname, c.header, c.purpose, c.deleteat);
select 'publicchannels: no open channel', p.name from publicchannels p
where not exists (select from channels c where c.id = p.id and c.type = 'O');
select 'channels: direct or group with a team', id from channels where type in ('D', 'G') and teamid <> '';
select 'channels: open or private without a team', id from channels
where type in ('O', 'P') and not exists (select from teams t where t.id = channels.teamid);
select 'channels: direct name and members differ', c.name from channels c
where c.type = 'D' and c.name is distinct from (
  select min(userid collate "C") || '__' || max(userid collate "C") from channelmembers m where m.channelid = c.id having count(*) <= 2);
select 'channels: group of other than 3 to 8', c.name from channels c
where c.type = 'G' and (select count(*) from channelmembers m where m.channelid = c.id) not between 3 and 8;
select 'channels: message counters too small', c.name, c.totalmsgcount, c.totalmsgcountroot
from channels c left join lateral (
  select count(*) as n, count(*) filter (where rootid = '') as roots, max(createat) as last,
    max(createat) filter (where rootid = '') as lastroot
  from posts p where p.channelid = c.id and p.originalid = '') s on true
left join lateral (
  select count(*) as n, count(*) filter (where rootid = '') as roots from posts p
  where p.channelid = c.id and p.originalid = '' and p.type in ('system_join_leave', 'system_add_remove',
    'system_join_channel', 'system_leave_channel', 'system_join_team', 'system_leave_team', 'system_add_to_channel',
    'system_remove_from_channel', 'system_add_to_team', 'system_remove_from_team')) quiet on true
where c.totalmsgcount < s.n - quiet.n or c.totalmsgcountroot < s.roots - quiet.roots
   or c.lastpostat < coalesce(s.last, 0) or c.lastrootpostat < coalesce(s.lastroot, 0);

-- Members.
select 'channelmembers: unknown channel or user', channelid, userid from channelmembers m
where not exists (select from channels c where c.id = m.channelid) or not exists (select from users u where u.id = m.userid);
select 'channelmembers: more read than written', c.name, m.userid from channelmembers m join channels c on c.id = m.channelid
where m.msgcount > c.totalmsgcount or m.msgcountroot > c.totalmsgcountroot;
select 'channelmembers: not in the team', c.name, m.userid from channelmembers m join channels c on c.id = m.channelid
where c.teamid <> '' and not exists (
  select from teammembers t where t.teamid = c.teamid and t.userid = m.userid and t.deleteat = 0);
select 'channelmembers: guest and member flags', channelid, userid from channelmembers where schemeuser = schemeguest;
select 'teammembers: guest and member flags', teamid, userid from teammembers where schemeuser = schemeguest;
select 'guests: role and flags differ', u.username, c.name
from channelmembers m join users u on u.id = m.userid join channels c on c.id = m.channelid
where m.schemeguest <> (u.roles ~ '\msystem_guest\M');
select 'teammembers: unknown team or user', teamid, userid from teammembers m
where not exists (select from teams t where t.id = m.teamid) or not exists (select from users u where u.id = m.userid);
select 'teammembers: not in town-square', t.name, m.userid from teammembers m join teams t on t.id = m.teamid
join channels c on c.teamid = t.id and c.name = 'town-square'
where m.deleteat = 0 and not m.schemeguest
  and not exists (select from channelmembers x where x.channelid = c.id and x.userid = m.userid);
select 'bots: no user', userid from bots b where not exists (select from users u where u.id = b.userid);
select 'channelmemberhistory: unknown channel or user', channelid, userid from channelmemberhistory h
where not exists (select from channels c where c.id = h.channelid) or not exists (select from users u where u.id = h.userid);

-- Posts.
select 'posts: unknown channel or user', id from posts p
where not exists (select from channels c where c.id = p.channelid) or not exists (select from users u where u.id = p.userid);
select 'posts: root not found, in another channel, or a reply itself', p.id from posts p
left join posts r on r.id = p.rootid
where p.rootid <> '' and (r.id is null or r.channelid <> p.channelid or r.rootid <> '');
select 'posts: reply not after its root', p.id from posts p join posts r on r.id = p.rootid
where p.createat <= r.createat and p.originalid = '';
select 'posts: same time twice in a channel', channelid, createat from posts
where deleteat = 0 group by channelid, createat having count(*) > 1;
select 'posts: times', id from posts where createat <= 0 or updateat < createat;
select 'posts: props no object', id from posts where jsonb_typeof(props) <> 'object';
select 'posts: too long', id from posts where length(message) > greatest(16383, (
  select character_maximum_length / 4 from information_schema.columns
  where table_schema = current_schema() and table_name = 'posts' and column_name = 'message'));
select 'posts: type', id, type from posts
where type not in ('', 'slack_attachment', 'system_generic', 'system_join_leave', 'system_join_channel',
  'system_guest_join_channel', 'system_leave_channel', 'system_join_team', 'system_leave_team',
  'system_auto_responder', 'system_autotranslation', 'system_add_remove', 'system_add_to_channel',
  'system_add_guest_to_chan', 'system_remove_from_channel', 'system_move_channel', 'system_add_to_team',
  'system_remove_from_team', 'system_header_change', 'system_displayname_change', 'system_convert_channel',
  'system_purpose_change', 'system_channel_deleted', 'system_channel_restored', 'system_change_chan_privacy',
  'system_wrangler', 'system_gm_to_channel', 'add_bot_teams_channels', 'me', 'reminder', 'burn_on_read')
  and type not like 'custom\_%';
select 'posts: hasreactions', p.id from posts p
where p.originalid = '' and p.deleteat = 0
  and p.hasreactions <> exists (select from reactions r where r.postid = p.id and r.deleteat = 0);
select 'reactions: post or user missing, or another channel', r.postid, r.userid from reactions r
left join posts p on p.id = r.postid
where p.id is null or p.channelid <> r.channelid or not exists (select from users u where u.id = r.userid);

-- Threads.
select 'threads: differs from its replies', r.id, t.replycount, s.n
from posts r
join lateral (select count(*) as n, max(createat) as last from posts p where p.rootid = r.id and p.deleteat = 0 and p.originalid = '') s on s.n > 0
left join threads t on t.postid = r.id
where r.originalid = '' and r.deleteat = 0
  and (t.replycount, t.lastreplyat, t.channelid) is distinct from (s.n, s.last, r.channelid);
select 'threads: root missing', postid from threads t where not exists (select from posts p where p.id = t.postid and p.rootid = '');
select 'threads: participants', t.postid, t.participants from threads t
where t.participants is distinct from (
  select coalesce(jsonb_agg(userid order by last), '[]') from (
    select userid, max(createat) as last from posts p
    where p.rootid = t.postid and p.deleteat = 0 and p.originalid = '' group by userid) s)
  and t.replycount > 0;
select 'threads: participant without user', t.postid, x.id from threads t, jsonb_array_elements_text(t.participants) x(id)
where not exists (select from users u where u.id = x.id);
select 'threads: team', t.postid from threads t join channels c on c.id = t.channelid where t.threadteamid <> c.teamid;
select 'threadmemberships: thread or user missing', postid, userid from threadmemberships m
where not exists (select from threads t where t.postid = m.postid) or not exists (select from users u where u.id = m.userid);

-- Files.
select 'fileinfo: post missing, or another channel', f.id from fileinfo f left join posts p on p.id = f.postid
where f.postid <> '' and (p.id is null or f.channelid is distinct from p.channelid);
select 'fileinfo: path', f.id, f.path from fileinfo f
where f.path = '' or f.path ~ '(^/|(^|/)[.][.]?(/|$)|\\)' or f.name ~ '[/\\]' or f.haspreviewimage and f.previewpath = '';
select 'posts: file ids', p.id, p.fileids from posts p
where p.originalid = '' and p.deleteat = 0 and (
  jsonb_typeof(p.fileids::jsonb) <> 'array' or jsonb_array_length(p.fileids::jsonb) > 10
  or exists (select from jsonb_array_elements_text(p.fileids::jsonb) x(id)
    where not exists (select from fileinfo f where f.id = x.id and f.postid = p.id))
  or (select count(*) from fileinfo f where f.postid = p.id and f.deleteat = 0) <> jsonb_array_length(p.fileids::jsonb));

-- What names a post elsewhere.
select 'preferences: saved message missing', userid, name from preferences
where category = 'flagged_post' and not exists (select from posts p where p.id = preferences.name);
select 'postacknowledgements: post missing', postid from postacknowledgements a where not exists (select from posts p where p.id = a.postid);
select 'postspriority: post missing', postid from postspriority a where not exists (select from posts p where p.id = a.postid);

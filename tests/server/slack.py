"""A Slack export as plainly as possible, for comparing: what a person at Slack would see, read without the
tool's own code. Only what server.py asks for; odd exports are the business of fixtures.py.
"""
import collections
import glob
import json
import os
import re
import unicodedata
import zipfile

Message = collections.namedtuple('Message', 'us user text subtype root reactions pinned rich')
Channel = collections.namedtuple('Channel', 'id name kind archived members messages')

# In these Slack shows the author's own words, as in a message without subtype.
PLAIN = (None, 'bot_message', 'thread_broadcast', 'me_message')
# Those are words of a text that stand for something else; a text with one is compared without it.
MARKUP = re.compile(r'<[^<>]*>|:[a-z0-9_+\'-]+:')


def read_json(source, name):
    try:
        if isinstance(source, zipfile.ZipFile):
            return json.loads(source.read(name).decode('utf-8', 'replace'))
        with open(os.path.join(source, name), encoding='utf-8', errors='replace') as f:
            return json.load(f)
    except (KeyError, OSError, ValueError):
        return None


def names(source):
    if isinstance(source, zipfile.ZipFile):
        return source.namelist()
    return [os.path.relpath(p, source) for p in glob.glob(os.path.join(glob.escape(source), '*', '*.json'))]


def micros(ts):
    seconds, _, rest = str(ts).strip().partition('.')
    return int(seconds) * 1000000 + int(rest.ljust(6, '0')[:6])


def message(channel, raw):
    """None where Slack shows nothing that can be compared."""
    if not isinstance(raw, dict):
        return None
    try:
        us = micros(raw['ts'])
        root = micros(raw['thread_ts']) if raw.get('thread_ts') else None
    except (KeyError, ValueError):
        return None
    reactions = [(r.get('name') or '', u) for r in raw.get('reactions') or [] for u in r.get('users') or []]
    return Message(us, raw.get('user') or '', raw.get('text') or '', raw.get('subtype'), None if root == us else root,
                   reactions, channel in (raw.get('pinned_to') or []), says_more(raw))


def says_more(raw):
    """Blocks and attachments can say other things than the text; rich text alone is the text once more."""
    return bool(raw.get('attachments')) or any(b.get('type') != 'rich_text' for b in raw.get('blocks') or [])


def read(path):
    """People by id, and the conversations with their messages by time."""
    source = path if os.path.isdir(path) else zipfile.ZipFile(path)
    people = {u['id']: u for u in read_json(source, 'users.json') or [] if isinstance(u, dict) and u.get('id')}
    days = collections.defaultdict(list)
    for name in sorted(names(source)):
        folder, _, day = name.rpartition('/')
        if re.fullmatch(r'\d{4}-\d\d-\d\d\.json', day):
            days[unicodedata.normalize('NFC', folder)].append(name)
    channels = []
    for kind, listed in (('O', 'channels.json'), ('P', 'groups.json'), ('G', 'mpims.json'), ('D', 'dms.json')):
        for c in read_json(source, listed) or []:
            if not isinstance(c, dict) or not c.get('id'):
                continue
            found = {}
            # direct ones and names that are no file names stand under the id
            for day in days.get(unicodedata.normalize('NFC', c.get('name') or ''), []) or days.get(c['id'], []):
                for raw in read_json(source, day) or []:
                    m = message(c['id'], raw)
                    if m:
                        found[m.us, m.user, m.text] = m
            channels.append(Channel(c['id'], c.get('name') or '', kind, bool(c.get('is_archived')),
                                    [m for m in c.get('members') or [] if m], sorted(found.values(), key=lambda m: m.us)))
    return people, channels


def words(text, strip=MARKUP):
    """The words a person reads, without what is written differently on the two sides."""
    text = re.sub(strip, ' ', text) if strip else text
    text = text.replace('&lt;', '<').replace('&gt;', '>').replace('&amp;', '&')
    return re.findall(r'[^\W_]+', text)

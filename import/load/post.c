#include "import/load/post.h"

#include <stdio.h>

#include "common/base/utf8.h"
#include "common/db/text.h"
#include "common/mm/state.h"
#include "import/slack/ts.h"
#include "import/translate/emoji.h"
#include "import/translate/file.h"
#include "import/translate/id.h"
#include "import/translate/split.h"
#include "import/translate/text.h"

#include "common/base/banned.h"

static const char *const TYPES[] = {
	[EVENT_NONE] = "",
	[EVENT_ME] = "me",
	[EVENT_JOIN] = "system_join_channel",
	[EVENT_ADD] = "system_add_to_channel",
	[EVENT_LEAVE] = "system_leave_channel",
	[EVENT_TOPIC] = "system_header_change",
	[EVENT_PURPOSE] = "system_purpose_change",
	[EVENT_NAME] = "system_displayname_change",
	[EVENT_ARCHIVE] = "system_channel_deleted",
	[EVENT_UNARCHIVE] = "system_channel_restored",
	[EVENT_PRIVACY] = "system_change_chan_privacy",
	[EVENT_GENERIC] = "system_generic",
};

/* Does a post of this type count in channels.totalmsgcount? */
static bool post_counts(enum record_event event)
{
	return event != EVENT_JOIN && event != EVENT_ADD && event != EVENT_LEAVE;
}

void post_writer_init(struct post_writer *w, struct load *l, struct sink *sink)
{
	*w = (struct post_writer){ .l = l, .sink = sink };
	ark_buf_init(&w->text, 2 * (size_t)LIMIT_TEXT);
	ark_buf_init(&w->part, 2 * (size_t)LIMIT_TEXT);
	ark_buf_init(&w->carry, LIMIT_TEXT);
	ark_buf_init(&w->props, 8 * (size_t)LIMIT_TEXT);
	ark_buf_init(&w->hashtags, MM_HASHTAGS_BYTES * 4);
	ark_buf_init(&w->tmp, 2 * (size_t)LIMIT_TEXT);
	ark_buf_init(&w->topic, LIMIT_TEXT);
	ark_buf_init(&w->purpose, LIMIT_TEXT);
	ark_buf_init(&w->notes, LIMIT_TEXT);
}

void post_writer_release(struct post_writer *w)
{
	struct ark_buf *all[] = { &w->text, &w->part, &w->carry, &w->props, &w->hashtags, &w->tmp,
		                  &w->topic, &w->purpose, &w->notes };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ark_buf_release(all[i]);
}

void post_writer_channel(struct post_writer *w)
{
	ark_buf_reset(&w->topic);
	ark_buf_reset(&w->purpose);
}

void post_id(const struct post_writer *w, const struct thread_key *k, unsigned part,
             char out[MM_ID_LEN + 1])
{
	char ts[SLACK_TS_TEXT];
	/* a placeholder has the id of the root it stands for, which may come with another archive */
	id_derive(w->l->hash, w->l->workspace, "post", w->l->x->convs.list[k->conv].id, slack_ts_format(k->ts_us, ts), k->ordinal, part, out);
}

/* ---- events ---- */

static struct ark_str username(const struct post_writer *w, uint32_t person)
{
	return w->l->x->people.list[person].username;
}

static void prop(struct ark_buf *props, const char *key, struct ark_str value)
{
	if (props->len > 0)
		ark_buf_c(props, ',');
	ark_buf_json(props, ark_str_z(key));
	ark_buf_c(props, ':');
	ark_buf_json(props, value);
}

/* "who set/cleared what": for header, purpose and name. */
static void changed(struct post_writer *w, struct ark_str who, const char *what, const char *key,
                    struct ark_str old, struct ark_str now)
{
	struct ark_buf *text = &w->text;
	char name[64];
	ark_buf_str(text, who);
	if (now.len == 0)
		ark_buf_fmt(text, " removed the channel %s (it was: %.*s)", what, ARK_FMT(old));
	else if (old.len == 0)
		ark_buf_fmt(text, " set the channel %s to: %.*s", what, ARK_FMT(now));
	else
		ark_buf_fmt(text, " changed the channel %s from: %.*s to: %.*s", what, ARK_FMT(old),
		            ARK_FMT(now));
	prop(&w->props, "username", who);
	snprintf(name, sizeof(name), "old_%s", key);
	prop(&w->props, name, old);
	snprintf(name, sizeof(name), "new_%s", key);
	prop(&w->props, name, now);
}

static void remember(struct ark_buf *what, struct ark_str now)
{
	ark_buf_reset(what);
	ark_buf_str(what, now);
}

/* Text and props of an event; both buffers are empty before. */
static void event_text(struct post_writer *w, const struct thread_key *k, const struct record *r)
{
	struct ark_buf *text = &w->text, *props = &w->props;
	struct ark_str who = username(w, k->author);
	struct ark_str extra = record_part(r, PART_EXTRA);
	switch ((enum record_event)k->event) {
	case EVENT_ME:
		ark_buf_c(text, '*');
		ark_buf_str(text, record_part(r, PART_MESSAGE));
		ark_buf_c(text, '*');
		prop(props, "message", ark_str_n(text->data + 1, text->len - 2));
		break;
	case EVENT_JOIN:
		ark_buf_fmt(text, "%.*s joined the channel.", ARK_FMT(who));
		prop(props, "username", who);
		break;
	case EVENT_LEAVE:
		ark_buf_fmt(text, "%.*s left the channel.", ARK_FMT(who));
		prop(props, "username", who);
		break;
	case EVENT_ADD: {
		const struct slack_person *added = &w->l->x->people.list[k->other];
		const struct slack_person *adder = &w->l->x->people.list[k->author];
		ark_buf_fmt(text, "%.*s added %.*s to the channel.", ARK_FMT(who), ARK_FMT(added->username));
		if (w->l->taker == NULL) /* a bulk import gives people other ids */
			prop(props, "userId", ark_str_z(adder->mm_id));
		prop(props, "username", adder->username);
		if (w->l->taker == NULL)
			prop(props, "addedUserId", ark_str_z(added->mm_id));
		prop(props, "addedUsername", added->username);
		break;
	}
	case EVENT_TOPIC:
		changed(w, who, "header", "header", ark_buf_view(&w->topic), extra);
		remember(&w->topic, extra);
		break;
	case EVENT_PURPOSE:
		changed(w, who, "purpose", "purpose", ark_buf_view(&w->purpose), extra);
		remember(&w->purpose, extra);
		break;
	case EVENT_NAME:
		changed(w, who, "name", "displayname", record_part(r, PART_EXTRA2), extra);
		break;
	case EVENT_ARCHIVE:
		ark_buf_fmt(text, "%.*s archived the channel.", ARK_FMT(who));
		prop(props, "username", who);
		break;
	case EVENT_UNARCHIVE:
		ark_buf_fmt(text, "%.*s unarchived the channel.", ARK_FMT(who));
		prop(props, "username", who);
		break;
	case EVENT_PRIVACY:
		ark_buf_fmt(text, "%.*s made this a %.*s channel.", ARK_FMT(who), ARK_FMT(extra));
		prop(props, "username", who);
		break;
	case EVENT_GENERIC:
	case EVENT_NONE: ark_buf_str(text, record_part(r, PART_MESSAGE)); break;
	}
}

/* ---- rows ---- */

struct row {
	const char *id, *root_id, *user_id;
	int64_t create_ms, update_ms, edit_ms;
	struct ark_str message;
	const char *type;
	bool has_reactions, pinned;
	int64_t ts_us;
	int ordinal;
	unsigned part;
	const uint8_t *digest;
	bool wanted;               /* by the sink: not so what is known and says the same */
	struct ark_str note;
	uint32_t author;
};

#define HEX_LEN 32

static struct ark_str to_hex(const uint8_t bytes[16], char out[HEX_LEN])
{
	static const char DIGITS[] = "0123456789abcdef";
	for (int i = 0; i < 16; i++) {
		out[2 * i] = DIGITS[bytes[i] >> 4];
		out[2 * i + 1] = DIGITS[bytes[i] & 15];
	}
	return ark_str_n(out, HEX_LEN);
}

/* What was written, so that a later run can tell whether somebody changed it; the same text as
 * MM_POST_WRITTEN_SQL makes of a row. */
static void written_digest(struct post_writer *w, const struct row *row, uint8_t out[32])
{
	struct ark_buf *b = &w->tmp;
	ark_buf_reset(b);
	ark_buf_str(b, row->message);
	ark_buf_c(b, '\x1f');
	ark_buf_z(b, row->type);
	ark_buf_c(b, '\x1f');
	ark_buf_i64(b, row->edit_ms);
	ark_buf_add(b, row->pinned ? "\x1ft" : "\x1f" "f", 2);
	crypt_sha256(w->l->hash, b->data, b->len, out);
}

static void hand_over(const struct post_writer *w, const struct row *row)
{
	const struct load_taker *taker = w->l->taker;
	struct load_taken post = {
		.id = row->id, .root_id = row->root_id, .author = row->author, .message = row->message,
		.type = ark_str_z(row->type), .note = row->note, .props = ark_buf_view(&w->props),
		.create_ms = row->create_ms, .edit_ms = row->edit_ms, .pinned = row->pinned,
		.counted = row->part == 0 && row->ordinal != MM_ORDINAL_PLACEHOLDER,
	};
	taker->post(taker->ctx, &post);
}

static void put_row(struct post_writer *w, struct load_target *t, struct row *row)
{
	struct sink *s = w->sink;
	char digits[HEX_LEN], hex[HEX_LEN];
	struct ark_str source = to_hex(row->digest, digits);
	row->wanted = sink_post(s, row->id, row->digest, source);
	t->count.posts++;
	if (w->l->taker != NULL)
		hand_over(w, row);
	if (!row->wanted)
		return;
	ark_buf_reset(&w->hashtags);
	if (memchr(row->message.ptr, '#', row->message.len) != NULL)
		text_hashtags(row->message, &w->hashtags);
	sink_begin(s, SINK_POSTS);
	sink_z(s, SINK_POSTS, row->id);
	sink_i64(s, SINK_POSTS, row->create_ms);
	sink_i64(s, SINK_POSTS, row->update_ms);
	sink_i64(s, SINK_POSTS, 0);
	sink_z(s, SINK_POSTS, row->user_id);
	sink_z(s, SINK_POSTS, t->id);
	sink_z(s, SINK_POSTS, row->root_id);
	sink_z(s, SINK_POSTS, row->root_id); /* parentid, up to 7.4 */
	sink_z(s, SINK_POSTS, "");
	sink_str(s, SINK_POSTS, row->message);
	sink_z(s, SINK_POSTS, row->type);
	struct ark_buf *props = sink_raw(s, SINK_POSTS);
	if (props != NULL) {
		ark_buf_c(props, '{');
		db_copy_text(props, ark_buf_view(&w->props));
		ark_buf_c(props, '}');
	}
	sink_str(s, SINK_POSTS, ark_buf_view(&w->hashtags));
	sink_z(s, SINK_POSTS, "[]");
	sink_z(s, SINK_POSTS, "[]");
	sink_bool(s, SINK_POSTS, row->has_reactions);
	sink_i64(s, SINK_POSTS, row->edit_ms);
	sink_bool(s, SINK_POSTS, row->pinned);
	sink_z(s, SINK_POSTS, NULL);
	sink_end(s, SINK_POSTS);

	uint8_t written[32];
	written_digest(w, row, written);
	sink_begin(s, SINK_ARK_POST);
	sink_z(s, SINK_ARK_POST, row->id);
	sink_z(s, SINK_ARK_POST, t->id);
	sink_i64(s, SINK_ARK_POST, row->ts_us);
	sink_i64(s, SINK_ARK_POST, row->ordinal);
	sink_i64(s, SINK_ARK_POST, row->part);
	sink_i64(s, SINK_ARK_POST, w->l->run_no);
	sink_str(s, SINK_ARK_POST, source);
	sink_str(s, SINK_ARK_POST, to_hex(written, hex));
	sink_str(s, SINK_ARK_POST, row->note.len > 0 ? row->note : ARK_STR_NONE);
	sink_end(s, SINK_ARK_POST);
}

static void count_row(struct load_target *t, enum record_event event, bool reply, int64_t create_ms)
{
	if (post_counts(event)) {
		t->posts++;
		t->roots += !reply;
	}
	if (t->first_post_ms == 0 || create_ms < t->first_post_ms)
		t->first_post_ms = create_ms;
	if (create_ms > t->last_post_ms)
		t->last_post_ms = create_ms;
	if (!reply && create_ms > t->last_root_ms)
		t->last_root_ms = create_ms;
	t->count.replies += reply;
}

static void put_reactions(struct post_writer *w, struct load_target *t, const struct row *row,
                          const struct record *r)
{
	struct ark_str list = record_part(r, PART_REACTIONS);
	int64_t n = 0;
	for (size_t at = 0; at < list.len; n++) {
		struct record_reaction x;
		memcpy(&x, list.ptr + at, sizeof(x));
		struct ark_str name = ark_str_n(list.ptr + at + sizeof(x), x.len);
		at += sizeof(x) + x.len;
		const char *user = w->l->x->people.list[x.person].mm_id;
		int64_t ms = row->create_ms + n;
		t->count.reactions++;
		w->l->report.reactions_invisible += !emoji_is_system(name);
		if (w->l->taker != NULL)
			w->l->taker->reaction(w->l->taker->ctx, x.person, name, ms);
		if (!row->wanted)
			continue;
		sink_begin(w->sink, SINK_REACTIONS);
		sink_z(w->sink, SINK_REACTIONS, user);
		sink_z(w->sink, SINK_REACTIONS, row->id);
		sink_str(w->sink, SINK_REACTIONS, name);
		sink_i64(w->sink, SINK_REACTIONS, ms);
		sink_i64(w->sink, SINK_REACTIONS, ms);
		sink_i64(w->sink, SINK_REACTIONS, 0);
		sink_z(w->sink, SINK_REACTIONS, NULL);
		sink_z(w->sink, SINK_REACTIONS, t->id);
		sink_end(w->sink, SINK_REACTIONS);
		sink_begin(w->sink, SINK_ARK_REACTION);
		sink_z(w->sink, SINK_ARK_REACTION, row->id);
		sink_z(w->sink, SINK_ARK_REACTION, user);
		sink_str(w->sink, SINK_ARK_REACTION, name);
		sink_end(w->sink, SINK_ARK_REACTION);
	}
}

/* A message's rows change when something happens to it later: those of a database that people use
 * already carry the start of the run, so that phones and compliance exports see them. */
static int64_t update_ms(const struct post_writer *w, const struct thread_key *k, int64_t create_ms,
                         int64_t edit_ms)
{
	if (!w->l->fresh)
		return w->l->start_ms;
	int64_t ms = create_ms > edit_ms ? create_ms : edit_ms;
	return k->last_reply_ms > ms ? k->last_reply_ms : ms;
}

/* ---- files ---- */

/* A line of the ledger. */
static void put_file(struct post_writer *w, const struct row *row, const struct file_entry *f, unsigned count)
{
	struct sink *s = w->sink;
	char id[MM_ID_LEN + 1];
	id_derive(w->l->hash, w->l->workspace, "file", ark_str_z(row->id), f->id, 0,
	          f->id.len > 0 ? 0 : count, id);
	sink_begin(s, SINK_ARK_FILE);
	sink_str(s, SINK_ARK_FILE, w->l->workspace);
	sink_str(s, SINK_ARK_FILE, f->id);
	sink_z(s, SINK_ARK_FILE, id);
	sink_z(s, SINK_ARK_FILE, row->id);
	sink_i64(s, SINK_ARK_FILE, count - 1);
	sink_str(s, SINK_ARK_FILE, f->name);
	sink_str(s, SINK_ARK_FILE, f->mime);
	sink_i64(s, SINK_ARK_FILE, f->size_bytes);
	sink_bool(s, SINK_ARK_FILE, f->may_be_html);
	sink_str(s, SINK_ARK_FILE, f->link);
	sink_str(s, SINK_ARK_FILE, f->note);
	sink_z(s, SINK_ARK_FILE, f->reason == FILE_WANTED ? "wanted" : "gone");
	sink_z(s, SINK_ARK_FILE, f->reason == FILE_WANTED ? NULL : file_reason_text(f->reason));
	sink_i64(s, SINK_ARK_FILE, w->l->run_no);
	sink_end(s, SINK_ARK_FILE);
}

/* What is to become of the files of one post. */
static void put_files(struct post_writer *w, const struct row *row, const struct record *r, unsigned group,
                      const struct load_target *t)
{
	size_t at = 0;
	unsigned count = 0;
	for (struct file_entry f; file_next(record_part(r, PART_FILES), &at, &count, &f);) {
		if (f.group != group)
			continue;
		if (w->l->taker != NULL)
			w->l->taker->file(w->l->taker->ctx, &f);
		if (row->wanted)
			put_file(w, row, &f, count);
		if (w->l->report.on_missing != NULL)
			w->l->report.on_missing(w->l->report.on_missing_ctx, f.id, f.name, t->first_conv, row->ts_us,
			                        f.reason == FILE_WANTED ? NULL : file_reason_text(f.reason));
	}
}

/* The notes of one post's files behind its text. */
static void add_notes(struct post_writer *w, const struct record *r, unsigned group, struct ark_buf *text)
{
	ark_buf_reset(&w->notes);
	file_notes(record_part(r, PART_FILES), group, &w->notes);
	if (text->len > 0 && w->notes.len > 0)
		ark_buf_z(text, "\n\n");
	ark_buf_str(text, ark_buf_view(&w->notes));
}

/* The parts behind the first: of text that is too long for one post, then of further files. */
static bool put_rest(struct post_writer *w, struct load_target *t, const struct thread_key *k,
                     struct row row, const struct record *r, struct ark_str rest, enum record_event event)
{
	bool wanted = row.wanted;
	struct record_layout x = record_layout(w->l, r);
	char first[MM_ID_LEN + 1];
	memcpy(first, row.id, sizeof(first));
	if (row.root_id[0] == '\0')
		row.root_id = first;
	row.has_reactions = row.pinned = false;
	int64_t first_ms = row.create_ms;
	for (unsigned part = 1; part < x.parts; part++) {
		char id[MM_ID_LEN + 1];
		bool files = part >= x.first_files && part >= x.text_parts;
		ark_buf_reset(&w->part);
		row.note = ARK_STR_NONE;
		if (files) {
			add_notes(w, r, part - x.first_files, &w->part);
			row.note = ark_buf_view(&w->notes);
			row.type = "";
			event = EVENT_NONE;
		} else if (!split_next(&rest, w->l->set.post_runes, &w->carry, &w->part)) {
			ark_bug("a message has fewer parts than were counted");
		}
		ark_buf_reset(&w->props);
		post_id(w, k, part, id);
		row.id = id;
		row.part = part;
		row.create_ms = first_ms + part;
		row.update_ms = w->l->fresh ? row.create_ms : row.update_ms;
		row.message = ark_buf_view(&w->part);
		put_row(w, t, &row);
		wanted |= row.wanted;
		if (files)
			put_files(w, &row, r, part - x.first_files, t);
		count_row(t, event, true, row.create_ms);
		t->count.parts++;
	}
	return wanted;
}

bool post_write(struct post_writer *w, struct load_target *t, struct thread_order *o,
                uint32_t key, const struct record *r)
{
	const struct thread_key *k = thread_key_at(o, key);
	/* people do not reply to events in Mattermost: one that has replies is an ordinary post */
	enum record_event event = (enum record_event)k->event;
	char id[MM_ID_LEN + 1], root_id[MM_ID_LEN + 1] = "";
	ark_buf_reset(&w->text);
	ark_buf_reset(&w->props);
	event_text(w, k, r);
	if (event != EVENT_NONE && event != EVENT_ME && (k->replies > 0 || k->root != KEY_NONE)) {
		event = EVENT_NONE;
		ark_buf_reset(&w->props);
	}
	if (w->text.len == 0 && (k->flags & RECORD_TOMBSTONE))
		ark_buf_z(&w->text, "This message was deleted.");
	if (w->text.len == 0 && (k->flags & RECORD_EMPTY))
		ark_buf_z(&w->text, "(message without text)");
	struct ark_str extra = record_part(r, PART_PROPS);
	if (extra.len > 0) {
		if (w->props.len > 0)
			ark_buf_c(&w->props, ',');
		ark_buf_str(&w->props, extra);
	}
	if (ark_utf8_runes(ark_buf_view(&w->props)) + 2 > MM_PROPS_RUNES)
		ark_buf_reset(&w->props);
	post_id(w, k, 0, id);
	if (k->root != KEY_NONE)
		post_id(w, thread_key_at(o, k->root), 0, root_id);
	int64_t edit_ms = k->edited_us > 0 ? k->edited_us / 1000 : 0;
	if (edit_ms > 0 && edit_ms < k->create_ms)
		edit_ms = k->create_ms;
	struct row row = {
		.id = id, .root_id = root_id, .user_id = w->l->x->people.list[k->author].mm_id,
		.author = k->author,
		.create_ms = k->create_ms, .update_ms = update_ms(w, k, k->create_ms, edit_ms),
		.edit_ms = edit_ms, .message = ark_buf_view(&w->text),
		.type = event == EVENT_NONE && (k->flags & RECORD_ATTACHMENTS) ? "slack_attachment"
		                                                               : TYPES[event],
		.has_reactions = r->parts[PART_REACTIONS] > 0, .pinned = (k->flags & RECORD_PINNED) != 0,
		.ts_us = k->ts_us, .ordinal = (int)k->ordinal, .digest = r->digest,
	};
	struct record_layout x = record_layout(w->l, r);
	struct ark_str rest = row.message;
	if (x.text_parts > 1) {
		ark_buf_reset(&w->part);
		ark_buf_reset(&w->carry);
		split_next(&rest, w->l->set.post_runes, &w->carry, &w->part);
		row.message = ark_buf_view(&w->part);
	} else if (r->parts[PART_FILES] > 0 && x.first_files == 0) {
		add_notes(w, r, 0, &w->text);
		row.message = ark_buf_view(&w->text);
		row.note = ark_buf_view(&w->notes);
	}
	put_row(w, t, &row);
	if (r->parts[PART_FILES] > 0 && x.first_files == 0)
		put_files(w, &row, r, 0, t);
	put_reactions(w, t, &row, r);
	count_row(t, event, k->root != KEY_NONE, k->create_ms);
	t->count.pins += row.pinned;
	return k->parts > 1 ? put_rest(w, t, k, row, r, rest, event) : row.wanted;
}

bool post_write_placeholder(struct post_writer *w, struct load_target *t,
                            struct thread_order *o, uint32_t key)
{
	const struct thread_key *k = thread_key_at(o, key);
	char id[MM_ID_LEN + 1];
	post_id(w, k, 0, id);
	ark_buf_reset(&w->props);
	ark_buf_reset(&w->text);
	if (ark_str_has(k->text) && k->text.len > 0)
		ark_buf_str(&w->text, ark_utf8_first(k->text, w->l->set.post_runes));
	else
		ark_buf_z(&w->text, "(The first message of this thread is not in the Slack archive.)");
	uint32_t author = k->author != PERSON_NONE ? k->author : slack_people_slackbot(&w->l->x->people);
	w->l->x->people.list[author].used = true;
	uint8_t digest[32];
	crypt_sha256(w->l->hash, w->text.data, w->text.len, digest);
	struct row row = { .id = id, .root_id = "", .user_id = w->l->x->people.list[author].mm_id,
		           .author = author,
		           .create_ms = k->create_ms, .update_ms = update_ms(w, k, k->create_ms, 0),
		           .message = ark_buf_view(&w->text), .type = "", .ts_us = k->ts_us,
		           .ordinal = MM_ORDINAL_PLACEHOLDER,
		           .digest = digest, .note = ARK_STR_NONE };
	put_row(w, t, &row);
	count_row(t, EVENT_NONE, false, k->create_ms);
	t->count.placeholders++;
	return row.wanted;
}

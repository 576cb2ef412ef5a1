/*
 * The order of decisions matters: peers that ask in another order lose messages. Type and ts were
 * looked at while decoding; here: log entries, author, content, the subtype's rule, and last whether
 * anything is left to show.
 */
#include "import/translate/message.h"

#include <stddef.h>

#include "common/base/time.h"
#include "common/base/utf8.h"
#include "import/slack/ts.h"
#include "import/translate/attachment.h"
#include "import/translate/blocks.h"
#include "import/translate/digest.h"
#include "import/translate/emoji.h"
#include "import/translate/file.h"
#include "import/translate/scrub.h"
#include "import/translate/subtype.h"

#include "common/base/banned.h"

/* ---- people named in texts ---- */

static void note_mention(struct translator *t, uint32_t person)
{
	struct slack_person *p = &t->x->people.list[person];
	p->used = true;
	if (!p->username_final)
		t->stranger = true;
	for (uint32_t i = 0; i < t->mentions_count; i++)
		if (t->mentions[i] == person)
			return;
	if (t->mentions_count < sizeof(t->mentions) / sizeof(t->mentions[0]))
		t->mentions[t->mentions_count++] = person;
}

static bool on_user(void *ctx, struct ark_str id, struct ark_str *out)
{
	struct translator *t = ctx;
	uint32_t person = slack_people_need(&t->x->people, id);
	if (person == PERSON_NONE)
		return false;
	note_mention(t, person);
	*out = t->x->people.list[person].username;
	return out->len > 0;
}

static bool on_channel(void *ctx, struct ark_str id, struct ark_str *out)
{
	struct translator *t = ctx;
	uint32_t conv = slack_convs_find(&t->x->convs, id);
	return conv != CONV_NONE && t->names.channel(t->names.ctx, conv, out);
}

static bool on_elsewhere(void *ctx, struct ark_str id, struct ark_str *out)
{
	struct translator *t = ctx;
	uint32_t conv = slack_convs_find(&t->x->convs, id);
	return conv != CONV_NONE && t->names.elsewhere != NULL && t->names.elsewhere(t->names.ctx, conv, out);
}

static bool on_nothing(void *ctx, struct ark_str id, struct ark_str *out)
{
	(void)ctx;
	(void)id;
	(void)out;
	return false;
}

static bool on_message(void *ctx, struct ark_str channel, struct ark_str ts, struct ark_str *out)
{
	(void)ts;
	return on_nothing(ctx, channel, out);
}

void translator_init(struct translator *t, struct slack_export *x, const struct translate_names *names,
                     const struct translate_options *options)
{
	*t = (struct translator){ .x = x, .options = *options, .names = *names };
	t->world = (struct text_world){ .ctx = t,
		                        .user = on_user,
		                        .channel = on_channel,
		                        .elsewhere = on_elsewhere,
		                        .group = on_nothing,
		                        .emoji = on_nothing,
		                        .message = on_message };
	for (int i = 0; i < PART_COUNT; i++)
		ark_buf_init(&t->parts[i], LIMIT_TEXT);
	ark_buf_init(&t->tmp, LIMIT_TEXT);
	ark_buf_init(&t->tmp2, LIMIT_TEXT);
	ark_buf_init(&t->source, 2 * (size_t)LIMIT_MESSAGE);
}

void translator_release(struct translator *t)
{
	for (int i = 0; i < PART_COUNT; i++)
		ark_buf_release(&t->parts[i]);
	ark_buf_release(&t->tmp);
	ark_buf_release(&t->tmp2);
	ark_buf_release(&t->source);
	ark_map_release(&t->odd_subtypes);
}

/* ---- author ---- */

static bool is_user_id(struct ark_str id)
{
	return id.len > 1 && (id.ptr[0] == 'U' || id.ptr[0] == 'W');
}

/* "<@U07|lindy>" in `username` of old messages */
static struct ark_str user_in_mention(struct ark_str s)
{
	if (!ark_str_starts(s, ARK_LIT("<@")) || !ark_str_ends(s, ARK_LIT(">")))
		return ARK_STR_NONE;
	s = ark_str_n(s.ptr + 2, s.len - 3);
	size_t bar = ark_str_find(s, '|', 0);
	return bar == SIZE_MAX ? s : ark_str_first(s, bar);
}

static uint32_t bot_author(struct translator *t, const struct slack_message *m)
{
	struct ark_str shown = json_text(json_get(m->bot_profile, "name"));
	struct ark_str user = user_in_mention(m->username);
	if (ark_str_has(user))
		return slack_people_need(&t->x->people, user);
	if (!ark_str_has(m->username) && is_user_id(m->user)) {
		uint32_t person = slack_people_find(&t->x->people, m->user);
		if (person != PERSON_NONE)
			return person;
	}
	return slack_people_bot(&t->x->people, m->bot_id, m->username, shown);
}

static uint32_t author_of(struct translator *t, const struct slack_message *m,
                          const struct subtype *sub)
{
	struct slack_people *people = &t->x->people;
	uint32_t person = PERSON_NONE;
	if (sub->rule == RULE_FILE_COMMENT)
		person = slack_people_need(people, json_str(json_get(m->comment, "user")));
	if (sub->rule == RULE_HUDDLE)
		person = slack_people_need(people, json_str(json_get(m->room, "created_by")));
	if (person != PERSON_NONE)
		return person;
	bool bot = ark_str_has(m->bot_id) || ark_str_has(m->username);
	if (sub->rule == RULE_BOT && bot)
		return bot_author(t, m);
	if (ark_str_has(m->user))
		person = slack_people_need(people, m->user);
	if (person == PERSON_NONE && bot)
		person = bot_author(t, m);
	return person;
}

/* ---- body ---- */

/* `who uploaded a file: <link|title> and commented: comment`: only the comment is anybody's words. */
static struct ark_str share_comment(struct ark_str text)
{
	static const char *const SAID[] = { " and commented: ", "commented on " };
	size_t at = ark_str_search(text, ark_str_z(SAID[0]), 0);
	if (at != SIZE_MAX)
		return ark_str_from(text, at + strlen(SAID[0]));
	bool made = ark_str_starts(text, ARK_LIT("<@")) &&
	            (ark_str_search(text, ARK_LIT("> uploaded a file"), 0) != SIZE_MAX ||
	             ark_str_search(text, ARK_LIT("> shared a file"), 0) != SIZE_MAX ||
	             ark_str_search(text, ARK_LIT("> uploaded an image"), 0) != SIZE_MAX);
	return made ? ARK_LIT("") : text;
}

static void put_body(struct translator *t, const struct slack_message *m, struct ark_str text,
                     struct ark_buf *out)
{
	enum blocks_result done = blocks_translate(&t->world, m->blocks, out);
	if (done == BLOCKS_WHOLE)
		return;
	if (done == BLOCKS_PARTLY) {
		if (!blocks_missing_words(text, ark_buf_view(out)))
			return;
		ark_buf_z(out, "\n\n");
	}
	if (text.len > 0)
		text_translate(&t->world, text, 0, out);
}

static void paragraph(struct ark_buf *out)
{
	if (out->len > 0)
		ark_buf_z(out, "\n\n");
}

static void put_huddle(struct translator *t, const struct slack_message *m, struct ark_buf *out)
{
	int64_t start = 0, end = 0;
	(void)json_i64(json_get(m->room, "date_start"), &start);
	(void)json_i64(json_get(m->room, "date_end"), &end);
	ark_buf_z(out, "Huddle");
	if (start > 0 && end >= start)
		ark_buf_fmt(out, ", %lld min", (long long)((end - start + 59) / 60));
	struct json_val who = json_get(m->room, "participant_history");
	if (json_count(who) == 0)
		who = json_get(m->room, "participants");
	bool any = false;
	struct json_iter it = json_items(who);
	for (struct json_val v; json_next(&it, &v);) {
		struct ark_str name;
		if (!on_user(t, json_str(v), &name))
			continue;
		ark_buf_z(out, any ? ", " : ", with ");
		text_mention('@', name, ',', out);
		any = true;
	}
}

/* ---- reactions ---- */

/* Reactions that are looked through one by one; of more a map is made. */
#define REACTIONS_FEW 64
#define REACTION_KEY  (sizeof(uint32_t) + UINT8_MAX)

struct reactions {
	struct ark_buf *list;   /* struct record_reaction and its name, one behind the other */
	uint32_t count;
	uint64_t marks[8];      /* a bit for each that is there: most that are new need no look */
	struct ark_map seen;    /* person and name; empty while there are few */
};

static void reactions_release(struct reactions *r)
{
	ark_map_release(&r->seen);
}

/* Person and name in one key. */
static struct ark_str reaction_key(uint32_t person, struct ark_str name,
                                   char room[REACTION_KEY])
{
	memcpy(room, &person, sizeof(person));
	memcpy(room + sizeof(person), name.ptr, name.len);
	return ark_str_n(room, sizeof(person) + name.len);
}

/* Set the mark; was it set before? */
static bool mark(struct reactions *to, uint32_t person, struct ark_str name)
{
	uint32_t h = person * 0x9e3779b1u + (uint32_t)name.len;
	h = name.len > 0 ? h + (uint8_t)name.ptr[0] * 31u + (uint8_t)name.ptr[name.len - 1] * 7u : h;
	uint64_t *word = &to->marks[h >> 6 & 7], bit = (uint64_t)1 << (h & 63);
	bool was = (*word & bit) != 0;
	*word |= bit;
	return was;
}

/* Is it there already? Two skin tones are one emoji in Mattermost. */
static bool has_reaction(struct reactions *to, uint32_t person, struct ark_str name)
{
	char room[REACTION_KEY];
	if (!mark(to, person, name))
		return false;
	if (to->seen.count > 0)
		return ark_map_get(&to->seen, reaction_key(person, name, room)) != ARK_MAP_NONE;
	struct record_reaction r;
	for (size_t at = 0; at < to->list->len; at += sizeof(r) + r.len) {
		memcpy(&r, to->list->data + at, sizeof(r));
		if (r.person == person && ark_str_eq(ark_str_n(to->list->data + at + sizeof(r), r.len), name))
			return true;
	}
	return false;
}

static void remember(struct reactions *to, size_t from)
{
	char room[REACTION_KEY];
	struct record_reaction r;
	for (size_t at = from; at < to->list->len; at += sizeof(r) + r.len) {
		memcpy(&r, to->list->data + at, sizeof(r));
		struct ark_str name = ark_str_n(to->list->data + at + sizeof(r), r.len);
		ark_map_put(&to->seen, reaction_key(r.person, name, room), 0);
	}
}

static void add_reaction(struct reactions *to, uint32_t person, struct ark_str name)
{
	if (has_reaction(to, person, name))
		return;
	size_t from = to->list->len;
	struct record_reaction r = { .person = person, .len = (uint8_t)name.len };
	ark_buf_add(to->list, (const char *)&r, sizeof(r));
	ark_buf_str(to->list, name);
	if (to->list->failed)
		ark_buf_cut(to->list, from);
	else if (++to->count >= REACTIONS_FEW)
		remember(to, to->seen.count > 0 ? from : 0);
}

static uint32_t put_people(struct translator *t, struct reactions *to, struct ark_str name,
                           struct json_val list)
{
	uint32_t n = 0;
	struct json_iter users = json_items(list);
	for (struct json_val u; json_next(&users, &u);) {
		uint32_t person = slack_people_need(&t->x->people, json_str(u));
		if (person == PERSON_NONE)
			continue;
		t->x->people.list[person].used = true;
		add_reaction(to, person, name);
		n++;
	}
	return n;
}

static uint32_t put_reactions(struct translator *t, struct json_val list)
{
	ark_auto(reactions_release) struct reactions to = { .list = &t->parts[PART_REACTIONS] };
	uint32_t n = 0;
	struct json_iter it = json_items(list);
	for (struct json_val v; json_next(&it, &v);) {
		struct ark_str name = json_text(json_get(v, "name"));
		if (!ark_str_has(name))
			continue;
		ark_buf_reset(&t->tmp);
		ark_buf_reset(&t->tmp2);
		enum emoji_kind kind = emoji_translate(name, &t->tmp, &t->tmp2);
		struct ark_str mm = kind == EMOJI_UNICODE ? ark_buf_view(&t->tmp2) : ark_buf_view(&t->tmp);
		if (mm.len == 0 || mm.len > MM_EMOJI_NAME_BYTES)
			continue;
		struct json_val users = json_get(v, "users");
		int64_t count = 0;
		uint64_t named = json_count(users);
		if (json_i64(json_get(v, "count"), &count) && count > 0 && (uint64_t)count > named)
			t->reactions_cut += (uint64_t)count - named;
		n += put_people(t, &to, mm, users);
	}
	return n;
}

/* ---- parts by rule ---- */

static void put_props(struct translator *t, const struct slack_message *m, uint32_t author)
{
	struct ark_buf *props = &t->parts[PART_PROPS];
	const struct slack_person *p = &t->x->people.list[author];
	if (p->kind != PERSON_BOT)
		return;
	ark_buf_z(props, props->len > 0 ? ",\"from_webhook\":\"true\"" : "\"from_webhook\":\"true\"");
	struct ark_str shown = m->username;
	if (!ark_str_has(shown))
		shown = json_text(json_get(m->bot_profile, "name"));
	if (ark_str_has(shown)) {
		ark_buf_z(props, ",\"override_username\":");
		ark_buf_json(props, ark_utf8_first(shown, MM_PERSON_NAME_RUNES));
	}
	struct ark_str emoji = json_text(json_get(m->icons, "emoji"));
	if (ark_str_has(emoji)) {
		ark_buf_z(props, ",\"override_icon_emoji\":");
		ark_buf_json(props, emoji);
		return;
	}
	static const char *const ICONS[] = { "image_72", "image_64", "image_48" };
	for (size_t i = 0; i < sizeof(ICONS) / sizeof(ICONS[0]); i++) {
		struct ark_str url = json_text(json_get(m->icons, ICONS[i]));
		if (!ark_str_has(url) || !ark_str_starts(url, ARK_LIT("https://")) ||
		    ark_str_search(url, ARK_LIT("xox"), 0) != SIZE_MAX)
			continue;
		ark_buf_z(props, ",\"override_icon_url\":");
		ark_buf_json(props, url);
		return;
	}
}

/* Body, files, attachments of everything that is text. */
static void put_content(struct translator *t, const struct slack_message *m,
                        const struct subtype *sub, struct record *r)
{
	struct ark_buf *body = &t->parts[PART_MESSAGE];
	struct ark_str text = m->text;
	if (sub->rule == RULE_FILE_SHARE)
		text = share_comment(text);
	if (sub->rule == RULE_FILE_COMMENT) {
		struct ark_str comment = json_str(json_get(m->comment, "comment"));
		size_t colon = ark_str_search(text, ARK_LIT(": "), 0);
		text = ark_str_has(comment)    ? comment
		       : colon != SIZE_MAX     ? ark_str_from(text, colon + 2)
		                               : text;
		r->flags |= RECORD_FILE_COMMENT;
		ark_buf_str(&t->parts[PART_EXTRA], json_str(json_get(m->file, "id")));
	}
	if (sub->rule == RULE_HUDDLE)
		put_huddle(t, m, body);
	else
		put_body(t, m, text, body);
	if (sub->rule == RULE_FILE_SHARE && body->len == 0) {
		struct ark_str said = json_str(json_get(json_get(m->file, "initial_comment"), "comment"));
		if (ark_str_has(said))
			text_translate(&t->world, said, 0, body);
	}
	if (sub->rule != RULE_FILE_COMMENT) {
		ark_buf_reset(&t->tmp2);
		struct file_sink files = { .body = &t->tmp2, .files = &t->parts[PART_FILES],
			                   .tmp = &t->tmp, .ids = &t->source };
		ark_buf_reset(&t->source);
		files_translate(m, &files);
		if (t->tmp2.len > 0) {
			paragraph(body);
			ark_buf_str(body, ark_buf_view(&t->tmp2));
		}
	}
	if (attachments_translate(&t->world, m->attachments, &t->parts[PART_PROPS], body, &t->tmp) > 0)
		r->flags |= RECORD_ATTACHMENTS;
}

static void put_event(struct translator *t, const struct slack_message *m, const struct subtype *sub,
                      struct record *r)
{
	struct ark_buf *extra = &t->parts[PART_EXTRA];
	struct ark_buf *body = &t->parts[PART_MESSAGE];
	r->event = (uint16_t)sub->event;
	switch (sub->event) {
	case EVENT_ME: put_body(t, m, m->text, body); break;
	case EVENT_JOIN: {
		uint32_t inviter = slack_people_need(&t->x->people, m->inviter);
		if (inviter != PERSON_NONE && inviter != r->author) {
			t->x->people.list[r->author].used = true;
			r->event = EVENT_ADD;
			r->other = r->author;
			r->author = inviter;
		}
		break;
	}
	case EVENT_TOPIC: text_translate(&t->world, m->topic, 0, extra); break;
	case EVENT_PURPOSE: text_translate(&t->world, m->purpose, 0, extra); break;
	case EVENT_NAME:
		ark_buf_str(extra, m->name);
		ark_buf_str(&t->parts[PART_EXTRA2], m->old_name);
		break;
	case EVENT_PRIVACY:
		ark_buf_z(extra, ark_str_ends(m->subtype, ARK_LIT("private")) ? "private" : "public");
		break;
	case EVENT_GENERIC: {
		bool pin = ark_str_eqz(m->subtype, "pinned_item");
		if ((pin || ark_str_eqz(m->subtype, "unpinned_item")) &&
		    slack_ts_value(json_get(m->item, "ts"), &r->refer_us))
			r->flags |= pin ? RECORD_PINS : RECORD_UNPINS;
		text_translate(&t->world, m->text, 0, body);
		struct ark_str link = json_str(m->bot_link);
		size_t bar = ark_str_find(link, '|', 0);
		if (bar != SIZE_MAX) {
			struct ark_str label = ark_str_from(link, bar + 1);
			if (ark_str_ends(label, ARK_LIT(">")))
				label.len--;
			if (ark_str_search(m->text, label, 0) == SIZE_MAX) {
				ark_buf_c(body, ' ');
				text_plain(&t->world, label, body);
			}
		}
		break;
	}
	default: break;
	}
}

/* Who wrote the thread's root, and its text when the message brings a copy of it: for a root that is
 * not in the archive. */
static void put_root_copy(struct translator *t, const struct slack_message *m, struct record *r)
{
	if (r->other == PERSON_NONE && ark_str_has(m->parent_user))
		r->other = slack_people_need(&t->x->people, m->parent_user);
	if (json_type(m->root) != JSON_OBJECT)
		return;
	uint32_t author = slack_people_need(&t->x->people, json_str(json_get(m->root, "user")));
	ark_buf_reset(&t->parts[PART_EXTRA]);
	struct ark_buf *extra = &t->parts[PART_EXTRA];
	if (blocks_translate(&t->world, json_get(m->root, "blocks"), extra) == BLOCKS_NOTHING)
		text_translate(&t->world, json_str(json_get(m->root, "text")), 0, extra);
	if (extra->len == 0)
		return;
	text_drop_tokens(extra);
	r->flags |= RECORD_ROOT_COPY;
	r->other = author;
}

static bool is_pinned(const struct translator *t, const struct slack_message *m, uint32_t conv)
{
	return json_count(m->pinned_to) > 0 || slack_conv_is_pinned(&t->x->convs.list[conv], m->ts_us);
}

/* The first eight bytes as a number that sorts like them. */
static uint64_t order_of_text(struct ark_str text)
{
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < text.len ? (unsigned char)text.ptr[i] : 0);
	return v;
}

/* Ten characters of a Slack id behind its letter, six bits each, as a number that sorts like them. */
static uint64_t order_of_author(struct ark_str id)
{
	uint64_t v = 0;
	for (size_t i = 1; i <= 10; i++) {
		unsigned char c = i < id.len ? (unsigned char)id.ptr[i] : 0;
		v = v << 6 | (c >= '0' && c <= '9' ? 1u + c - '0' : c >= 'A' && c <= 'Z' ? 11u + c - 'A' : c > 'Z' ? 40u : 0u);
	}
	return v;
}

static uint64_t identity(struct translator *t, const struct slack_message *m, uint32_t author)
{
	struct ark_buf *b = &t->tmp;
	ark_buf_reset(b);
	ark_buf_str(b, t->x->people.list[author].key);
	ark_buf_c(b, '\x1f');
	ark_buf_str(b, ark_str_has(m->client_msg_id) ? m->client_msg_id : m->text);
	return digest_64(ark_buf_view(b));
}

static void emit(struct translator *t, struct record *r, struct ark_buf *out)
{
	text_drop_nul(&t->parts[PART_MESSAGE], false);
	text_drop_nul(&t->parts[PART_EXTRA], false);
	text_drop_nul(&t->parts[PART_EXTRA2], false);
	text_drop_nul(&t->parts[PART_PROPS], true);
	size_t total = sizeof(*r);
	ark_buf_reset(&t->parts[PART_MENTIONS]);
	ark_buf_add(&t->parts[PART_MENTIONS], (const char *)t->mentions,
	            t->mentions_count * sizeof(t->mentions[0]));
	for (int i = 0; i < PART_COUNT; i++) {
		r->parts[i] = (uint32_t)t->parts[i].len;
		total += t->parts[i].len;
	}
	total = (total + 7) & ~(size_t)7;
	r->size = (uint32_t)total;
	char *to = ark_buf_room(out, total);
	if (to == NULL)
		return; /* out->failed tells the caller */
	memcpy(to, r, offsetof(struct record, data));
	size_t at = offsetof(struct record, data);
	for (int i = 0; i < PART_COUNT; i++) {
		memcpy(to + at, t->parts[i].data, t->parts[i].len);
		at += t->parts[i].len;
	}
	memset(to + at, 0, total - at);
	out->len += total;
}

static enum skip_reason excluded(const struct translator *t, const struct slack_message *m,
                                 const struct subtype *sub)
{
	const struct translate_options *o = &t->options;
	if (m->ts_us < o->since_us || (o->until_us > 0 && m->ts_us >= o->until_us))
		return SKIP_OPTION_TIME;
	if (sub->rule == RULE_SKIP)
		return sub->skip;
	if (o->no_joins && sub->rule == RULE_EVENT &&
	    (sub->event == EVENT_JOIN || sub->event == EVENT_LEAVE))
		return SKIP_OPTION_JOINS;
	if (ark_str_eqz(m->user, "U00"))
		return SKIP_NO_COUNTERPART; /* broken rename notices */
	return SKIP_NONE;
}

static bool has_content(const struct slack_message *m)
{
	return m->text.len > 0 || json_count(m->files) > 0 || json_type(m->file) == JSON_OBJECT ||
	       json_count(m->attachments) > 0 || json_count(m->blocks) > 0;
}

/* Subtypes beyond the table come as text; that there were any is worth telling. So is a notice that
 * stands where an enterprise key took the content away. */
static void note_subtype(struct translator *t, const struct slack_message *m, const struct subtype *sub)
{
	if (m->subtype.len == 0 || (sub->name.len > 0 && !ark_str_eqz(m->subtype, "ekm_access_denied")))
		return;
	if (t->odd_subtypes.count >= 100 && ark_map_get(&t->odd_subtypes, m->subtype) == ARK_MAP_NONE)
		return;
	struct ark_str name = ark_str_first(m->subtype, 64);
	uint32_t n = ark_map_get(&t->odd_subtypes, name);
	ark_map_put(&t->odd_subtypes, name, n == ARK_MAP_NONE ? 1 : n + 1);
}

static void reset(struct translator *t)
{
	for (int i = 0; i < PART_COUNT; i++)
		ark_buf_reset(&t->parts[i]);
	t->mentions_count = 0;
	t->stranger = false;
}

enum skip_reason translate_message(struct translator *t, const struct slack_message *m, uint32_t conv,
                                   uint32_t source, struct ark_buf *out)
{
	const struct subtype *sub = subtype_find(m->subtype);
	enum skip_reason skip = excluded(t, m, sub);
	if (skip != SKIP_NONE)
		return skip;
	reset(t);
	struct record r = { .conv = conv, .source = source, .ts_us = m->ts_us, .thread_us = m->thread_us,
		            .edited_us = m->edited_us, .other = PERSON_NONE };
	r.author = author_of(t, m, sub);
	if (r.author == PERSON_NONE) {
		if (!has_content(m) && m->reply_count == 0)
			return SKIP_NO_AUTHOR;
		r.author = slack_people_slackbot(&t->x->people);
	}
	if (json_type(m->user_profile) == JSON_OBJECT && ark_str_has(m->user) &&
	    ark_str_eq(t->x->people.list[r.author].key, m->user))
		slack_people_profile(&t->x->people, r.author, m->user_profile);
	if (t->x->people.list[r.author].kind == PERSON_BOT) {
		if (t->options.skip_bots)
			return SKIP_OPTION_BOTS;
		r.flags |= RECORD_BOT;
	}
	if (sub->rule == RULE_EVENT)
		put_event(t, m, sub, &r);
	else
		put_content(t, m, sub, &r);
	if (sub->rule == RULE_TOMBSTONE)
		r.flags |= RECORD_TOMBSTONE;
	if (sub->rule == RULE_REPLY_BROADCAST) {
		struct json_iter it = json_items(m->attachments);
		struct json_val first;
		if (json_next(&it, &first) && slack_ts_value(json_get(first, "ts"), &r.refer_us))
			r.flags |= RECORD_REPLY_BROADCAST;
	}
	if (r.thread_us > 0 && r.thread_us != r.ts_us && sub->rule != RULE_FILE_COMMENT)
		put_root_copy(t, m, &r);
	if (is_pinned(t, m, conv))
		r.flags |= RECORD_PINNED;
	put_props(t, m, r.author);
	r.reactions = put_reactions(t, m->reactions);
	bool event = sub->rule == RULE_EVENT && sub->event != EVENT_ME && sub->event != EVENT_GENERIC;
	if (!event && t->parts[PART_MESSAGE].len == 0 && t->parts[PART_FILES].len == 0 &&
	    !(r.flags & RECORD_ATTACHMENTS)) {
		if (r.thread_us != 0 && r.thread_us != r.ts_us)
			return SKIP_EMPTY;
		r.flags |= RECORD_EMPTY;
	}
	text_drop_tokens(&t->parts[PART_MESSAGE]);
	if (t->stranger || !t->x->people.list[r.author].username_final)
		r.flags |= RECORD_STRANGER;
	r.same_id = identity(t, m, r.author);
	r.by_author = order_of_author(t->x->people.list[r.author].key);
	r.by_text = order_of_text(m->text);
	message_digest(m, (r.flags & RECORD_PINNED) != 0, &t->source, r.digest);
	note_subtype(t, m, sub);
	emit(t, &r, out);
	return out->failed ? SKIP_TOO_LARGE : SKIP_NONE;
}

/*
 * The canonical form: one JSON object per line, keys sorted, in zstd files per team, channel and month.
 * The fields are described in docs/format-jsonl.md and checked by docs/format-jsonl.schema.json.
 *
 * Why by hand and not through json/out.h: a line has some sixty members in a fixed order, and the keys
 * with their punctuation are copied as they stand here.
 */
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "export/out.h"
#include "export/record.h"

#include "common/base/banned.h"

#define AUTHORS 256
#define AUTHOR_MAX 4096 /* a longer one is made for each line */

struct known_author {
	const struct export_person *person; /* NULL: none yet */
	struct ark_buf text;
};

struct jsonl {
	const struct export_run *run;
	const struct export_channel *channel;
	struct export_file *file; /* of the month */
	int64_t month_from_ms, month_to_ms;
	struct ark_buf line;
	struct ark_buf where; /* members about the channel, ready for every line */
	struct ark_buf team;  /* and about the team */
	struct known_author known[AUTHORS];
};

#define ADD(b, literal) ark_buf_add((b), "" literal, sizeof(literal) - 1)

static void text(struct ark_buf *b, struct ark_str s)
{
	if (ark_str_has(s))
		ark_buf_json(b, s);
	else
		ADD(b, "null");
}

static void boolean(struct ark_buf *b, bool v)
{
	if (v)
		ADD(b, "true");
	else
		ADD(b, "false");
}

/* Two digits. */
static char *pair(char *to, int v)
{
	to[0] = (char)('0' + v / 10);
	to[1] = (char)('0' + v % 10);
	return to + 2;
}

/* A time as ISO 8601, or null. */
static void iso(struct ark_buf *b, int64_t ms)
{
	if (ms <= 0) {
		ADD(b, "null");
		return;
	}
	struct ark_civil c = ark_time_civil(ms);
	char s[32], *at = s;
	*at++ = '"';
	at = pair(pair(at, c.year / 100), c.year % 100);
	*at++ = '-';
	at = pair(at, c.month);
	*at++ = '-';
	at = pair(at, c.day);
	*at++ = 'T';
	at = pair(at, c.hour);
	*at++ = ':';
	at = pair(at, c.minute);
	*at++ = ':';
	at = pair(at, c.second);
	*at++ = '.';
	*at++ = (char)('0' + c.ms / 100);
	at = pair(at, c.ms % 100);
	*at++ = 'Z';
	*at++ = '"';
	ark_buf_add(b, s, (size_t)(at - s));
}

/* Milliseconds, or null for 0. */
static void when(struct ark_buf *b, int64_t ms)
{
	if (ms == 0)
		ADD(b, "null");
	else
		ark_buf_i64(b, ms);
}

static struct ark_str person_name(const struct export_person *p)
{
	return p != NULL ? p->user_name : ARK_STR_NONE;
}

/* --- parts of a line --------------------------------------------------------------------------- */

static void acks(struct ark_buf *b, const struct export_record *r)
{
	for (size_t i = 0; i < r->acks_count; i++) {
		const struct export_ack *a = &r->acks[i];
		ark_buf_z(b, i > 0 ? ",{\"at\":" : "{\"at\":");
		when(b, a->ack_ms);
		ADD(b, ",\"time\":");
		iso(b, a->ack_ms);
		ADD(b, ",\"user_id\":");
		text(b, a->user_id);
		ADD(b, ",\"user_name\":");
		text(b, person_name(a->person));
		ADD(b, "}");
	}
}

static void attachments(struct ark_buf *b, const struct export_record *r)
{
	for (size_t i = 0; i < r->attachments_count; i++) {
		const struct export_attachment *a = &r->attachments[i];
		ark_buf_z(b, i > 0 ? ",{\"bytes\":\"" : "{\"bytes\":\"");
		ark_buf_z(b, export_bytes_name(a->bytes));
		ADD(b, "\",\"copy_path\":");
		text(b, a->copy_path);
		ADD(b, ",\"create_at\":");
		when(b, a->create_ms);
		ADD(b, ",\"delete_at\":");
		when(b, a->delete_ms);
		ADD(b, ",\"extension\":");
		text(b, a->extension);
		ADD(b, ",\"height\":");
		ark_buf_i64(b, a->height);
		ADD(b, ",\"id\":");
		text(b, a->id);
		ADD(b, ",\"mime_type\":");
		text(b, a->mime_type);
		ADD(b, ",\"name\":");
		text(b, a->name);
		ADD(b, ",\"sha256\":");
		text(b, a->sha256);
		ADD(b, ",\"size\":");
		ark_buf_i64(b, a->size_bytes);
		ADD(b, ",\"store_path\":");
		text(b, a->store_path);
		ADD(b, ",\"user_id\":");
		text(b, a->user_id);
		ADD(b, ",\"width\":");
		ark_buf_i64(b, a->width);
		ADD(b, "}");
	}
}

static void author_part(struct ark_buf *b, const struct export_record *r)
{
	const struct export_person *p = r->author;
	ADD(b, "],\"author_display_name\":");
	text(b, p != NULL ? p->display_name : ARK_STR_NONE);
	ADD(b, ",\"author_email\":");
	text(b, p != NULL ? p->email : ARK_STR_NONE);
	ADD(b, ",\"author_id\":");
	text(b, r->author_id);
	ADD(b, ",\"author_is_bot\":");
	boolean(b, p != NULL && p->is_bot);
	ADD(b, ",\"author_name\":");
	text(b, person_name(p));
}

/* What the lines of one author have in common is made once and kept. */
static void author(struct ark_buf *b, const struct export_record *r, struct known_author *known)
{
	if (r->author == NULL) {
		author_part(b, r);
		return;
	}
	struct known_author *k = &known[(uintptr_t)r->author / sizeof(*r->author) % AUTHORS];
	if (k->person != r->author) {
		ark_buf_reset(&k->text);
		author_part(&k->text, r);
		k->person = k->text.failed ? NULL : r->author;
	}
	if (k->person != NULL)
		ark_buf_str(b, ark_buf_view(&k->text));
	else
		author_part(b, r);
}

static void hashtags(struct ark_buf *b, struct ark_str tags)
{
	bool first = true;
	while (tags.len > 0) {
		size_t end = ark_str_find(tags, ' ', 0);
		struct ark_str tag = ark_str_first(tags, end);
		if (tag.len > 0) {
			ark_buf_z(b, first ? "" : ",");
			ark_buf_json(b, tag);
			first = false;
		}
		tags = ark_str_from(tags, end == SIZE_MAX ? tags.len : end + 1);
	}
}

static void integration(struct ark_buf *b, const struct export_origin *o)
{
	if (!o->any) {
		ADD(b, "null");
		return;
	}
	ADD(b, "{\"from_bot\":");
	boolean(b, o->from_bot);
	ADD(b, ",\"from_oauth_app\":");
	boolean(b, o->from_oauth_app);
	ADD(b, ",\"from_plugin\":");
	boolean(b, o->from_plugin);
	ADD(b, ",\"from_webhook\":");
	boolean(b, o->from_webhook);
	ADD(b, ",\"override_icon_emoji\":");
	text(b, o->override_icon_emoji);
	ADD(b, ",\"override_icon_url\":");
	text(b, o->override_icon_url);
	ADD(b, ",\"override_name\":");
	text(b, o->override_name);
	ADD(b, ",\"webhook_name\":");
	text(b, o->webhook_name);
	ADD(b, "}");
}

static void priority(struct ark_buf *b, const struct export_record *r)
{
	if (!r->has_priority) {
		ADD(b, "null");
		return;
	}
	ADD(b, "{\"persistent_notifications\":");
	boolean(b, r->persistent_notifications);
	ADD(b, ",\"priority\":");
	text(b, r->priority);
	ADD(b, ",\"requested_ack\":");
	boolean(b, r->requested_ack);
	ADD(b, "}");
}

static void reactions(struct ark_buf *b, const struct export_record *r)
{
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		ark_buf_z(b, i > 0 ? ",{\"at\":" : "{\"at\":");
		when(b, x->create_ms);
		ADD(b, ",\"emoji\":");
		text(b, x->emoji);
		ADD(b, ",\"removed_at\":");
		when(b, x->delete_ms);
		ADD(b, ",\"time\":");
		iso(b, x->create_ms);
		ADD(b, ",\"user_id\":");
		text(b, x->user_id);
		ADD(b, ",\"user_name\":");
		text(b, person_name(x->person));
		ADD(b, "}");
	}
}

static void versions(struct ark_buf *b, const struct export_record *r)
{
	for (size_t i = 0; i < r->versions_count; i++) {
		const struct export_version *v = &r->versions[i];
		ark_buf_z(b, i > 0 ? ",{\"edit_at\":" : "{\"edit_at\":");
		when(b, v->edit_ms);
		ADD(b, ",\"edit_time\":");
		iso(b, v->edit_ms);
		ADD(b, ",\"id\":");
		text(b, v->id);
		ADD(b, ",\"replaced_at\":");
		when(b, v->replaced_ms);
		ADD(b, ",\"replaced_time\":");
		iso(b, v->replaced_ms);
		ADD(b, ",\"text\":");
		text(b, v->text);
		ADD(b, "}");
	}
}

/* --- whole lines ------------------------------------------------------------------------------- */

static void channel_part(const struct export_channel *c, struct ark_buf *b)
{
	ADD(b, ",\"channel_display_name\":");
	text(b, c->display_name);
	ADD(b, ",\"channel_id\":");
	text(b, c->id);
	ADD(b, ",\"channel_kind\":\"");
	ark_buf_z(b, export_channel_kind_name(c->kind));
	ADD(b, "\",\"channel_name\":");
	text(b, c->name);
}

static void team_part(const struct export_channel *c, struct ark_buf *b)
{
	ADD(b, ",\"team_display_name\":");
	text(b, c->team_display_name);
	ADD(b, ",\"team_id\":");
	text(b, c->team_id);
	ADD(b, ",\"team_name\":");
	text(b, c->team_name);
}

/* A post that an earlier run of the series has and the database has no more. */
static void purged_line(struct ark_buf *b, const struct export_record *r, struct ark_str where, struct ark_str team)
{
	ark_buf_c(b, '{');
	ark_buf_str(b, ark_str_from(where, 1));
	ADD(b, ",\"create_at\":");
	when(b, r->create_ms);
	ADD(b, ",\"create_time\":");
	iso(b, r->create_ms);
	ADD(b, ",\"id\":");
	text(b, r->id);
	ADD(b, ",\"record\":\"purged\"");
	ark_buf_str(b, team);
	ADD(b, "}\n");
}

static void first_half(struct ark_buf *b, const struct export_record *r, struct ark_str where,
                       struct known_author *known)
{
	ADD(b, "{\"acknowledgements\":[");
	acks(b, r);
	ADD(b, "],\"attachments\":[");
	attachments(b, r);
	author(b, r, known);
	ark_buf_str(b, where);
	ADD(b, ",\"create_at\":");
	ark_buf_i64(b, r->create_ms);
	ADD(b, ",\"create_time\":");
	iso(b, r->create_ms);
	ADD(b, ",\"delete_at\":");
	when(b, r->delete_ms);
	ADD(b, ",\"delete_time\":");
	iso(b, r->delete_ms);
	ADD(b, ",\"deleted_by_id\":");
	text(b, r->deleted_by_id);
	ADD(b, ",\"deleted_by_name\":");
	text(b, person_name(r->deleted_by));
	ADD(b, ",\"edit_at\":");
	when(b, r->edit_ms);
	ADD(b, ",\"edit_time\":");
	iso(b, r->edit_ms);
	ADD(b, ",\"hashtags\":[");
	hashtags(b, r->hashtags);
	ADD(b, "],\"id\":");
	text(b, r->id);
	ADD(b, ",\"integration\":");
	integration(b, &r->origin);
}

static void second_half(struct ark_buf *b, const struct export_record *r, bool has_match, struct ark_str team)
{
	ADD(b, ",\"is_pinned\":");
	boolean(b, r->is_pinned);
	ADD(b, ",\"is_system\":");
	boolean(b, r->is_system);
	ADD(b, ",\"match\":");
	if (has_match)
		boolean(b, r->match);
	else
		ADD(b, "null");
	ADD(b, ",\"original_id\":");
	text(b, r->original_id);
	ADD(b, ",\"participants_at\":");
	if (r->participants_known)
		ark_buf_i64(b, r->create_ms);
	else
		ADD(b, "\"unknown\"");
	ADD(b, ",\"priority\":");
	priority(b, r);
	ADD(b, ",\"props\":");
	ark_buf_str(b, r->props);
	ADD(b, ",\"reactions\":[");
	reactions(b, r);
	ADD(b, "],\"record\":\"");
	ark_buf_z(b, export_what_name(r->what));
	ADD(b, "\",\"remote_id\":");
	text(b, r->remote_id);
	ADD(b, ",\"root_id\":");
	text(b, r->root_id);
	ark_buf_str(b, team);
	ADD(b, ",\"text\":");
	text(b, r->text);
	ADD(b, ",\"type\":");
	text(b, r->type);
	ADD(b, ",\"update_at\":");
	when(b, r->update_ms);
	ADD(b, ",\"update_time\":");
	iso(b, r->update_ms);
	ADD(b, ",\"versions\":[");
	versions(b, r);
	ADD(b, "]}\n");
}

static void line(struct ark_buf *b, const struct export_record *r, bool has_match, struct ark_str where,
                 struct ark_str team, struct known_author *known)
{
	if (r->what == EXPORT_PURGED) {
		purged_line(b, r, where, team);
		return;
	}
	first_half(b, r, where, known);
	second_half(b, r, has_match, team);
}

/* --- the format -------------------------------------------------------------------------------- */

static enum ark_rc jsonl_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	(void)err;
	struct jsonl *j = ark_calloc(1, sizeof(*j));
	j->run = run;
	ark_buf_init(&j->line, LIMIT_RECORD);
	ark_buf_init(&j->where, LIMIT_RECORD);
	ark_buf_init(&j->team, LIMIT_RECORD);
	for (size_t i = 0; i < AUTHORS; i++)
		ark_buf_init(&j->known[i].text, AUTHOR_MAX);
	*self = j;
	return ARK_OK;
}

static enum ark_rc jsonl_channel_begin(void *self, const struct export_channel *channel, struct ark_err *err)
{
	(void)err;
	struct jsonl *j = self;
	j->channel = channel;
	j->month_from_ms = 1;
	j->month_to_ms = 0;
	ark_buf_reset(&j->where);
	ark_buf_reset(&j->team);
	channel_part(channel, &j->where);
	team_part(channel, &j->team);
	return ARK_OK;
}

/* The file of the month that holds `ms`. */
static enum ark_rc open_month(struct jsonl *j, int64_t ms, struct ark_err *err)
{
	enum ark_rc rc = j->file != NULL ? export_file_end(&j->file, err) : ARK_OK;
	if (rc < 0)
		return rc;
	struct ark_civil c = ark_time_civil(ms > 0 ? ms : 0);
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 4096);
	ark_buf_fmt(&path, "data/team=%.*s/channel=%.*s/month=%04d-%02d/part-0.jsonl.zst",
	            ARK_FMT(j->channel->team_path), ARK_FMT(j->channel->channel_path), c.year, c.month);
	struct ark_civil from = { .year = c.year, .month = c.month, .day = 1 };
	j->month_from_ms = ms > 0 ? ark_time_from_civil(&from) : INT64_MIN;
	from.year += c.month == 12;
	from.month = c.month == 12 ? 1 : c.month + 1;
	j->month_to_ms = ark_time_from_civil(&from);
	return export_file_begin(j->run->out, path.data, EXPORT_ZSTD, &j->file, err);
}

static enum ark_rc jsonl_record(void *self, const struct export_record *record, struct ark_err *err)
{
	struct jsonl *j = self;
	if (j->file == NULL || record->create_ms < j->month_from_ms || record->create_ms >= j->month_to_ms) {
		enum ark_rc rc = open_month(j, record->create_ms, err);
		if (rc < 0)
			return rc;
	}
	ark_buf_reset(&j->line);
	line(&j->line, record, j->run->has_match, ark_buf_view(&j->where), ark_buf_view(&j->team), j->known);
	enum ark_rc rc = ark_buf_ok(&j->line, "a line", err);
	return rc == ARK_OK ? export_file_write(j->file, j->line.data, j->line.len, err) : rc;
}

static enum ark_rc jsonl_channel_end(void *self, const struct export_channel *channel, struct ark_err *err)
{
	(void)channel;
	struct jsonl *j = self;
	return j->file != NULL ? export_file_end(&j->file, err) : ARK_OK;
}

static enum ark_rc jsonl_end(void *self, struct ark_err *err)
{
	(void)self;
	(void)err;
	return ARK_OK;
}

static void jsonl_drop(void *self)
{
	struct jsonl *j = self;
	if (j == NULL)
		return;
	export_file_drop(&j->file);
	ark_buf_release(&j->line);
	ark_buf_release(&j->where);
	ark_buf_release(&j->team);
	for (size_t i = 0; i < AUTHORS; i++)
		ark_buf_release(&j->known[i].text);
	free(j);
}

const struct export_format EXPORT_JSONL = {
	.name = "jsonl",
	.begin = jsonl_begin,
	.channel_begin = jsonl_channel_begin,
	.record = jsonl_record,
	.channel_end = jsonl_channel_end,
	.end = jsonl_end,
	.drop = jsonl_drop,
};

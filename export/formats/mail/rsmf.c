/*
 * data/rsmf/<team>/<channel>/<YYYY-MM-DD>.rsmf: Relativity's short message format 2.0, for e-discovery
 * review: one conversation and day per file. A mail message whose attachment rsmf.zip holds the manifest and
 * the bytes of copied attachments.
 *
 * Fact  the public JSON Schema of the manifest, version 2.0.0
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/io/zip.h"
#include "common/json/out.h"
#include "common/mm/emoji.h"
#include "export/formats/mail/day.h"

#include "common/base/banned.h"

struct rsmf {
	struct day day;
	struct ark_map ids;     /* of the events in this file: a parent must be among them */
	struct ark_buf events;  /* JSON objects, separated by commas */
	struct ark_buf text;
};

static void rsmf_drop(void *self)
{
	struct rsmf *r = self;
	if (r == NULL)
		return;
	day_release(&r->day);
	ark_map_release(&r->ids);
	ark_buf_release(&r->events);
	ark_buf_release(&r->text);
	free(r);
}

static enum ark_rc rsmf_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	(void)err;
	struct rsmf *r = ark_calloc(1, sizeof(*r));
	*self = r;
	day_init(&r->day, run);
	ark_buf_init(&r->events, 96u << 20);
	ark_buf_init(&r->text, 96u << 20);
	return ARK_OK;
}

static enum ark_rc rsmf_channel_begin(void *self, const struct export_channel *channel, struct ark_err *err)
{
	struct rsmf *r = self;
	(void)err;
	day_channel(&r->day, channel);
	return ARK_OK;
}

/* --- events --- */

static const char *event_type(const struct export_record *x)
{
	static const char *const JOINS[] = { "system_join_channel", "system_guest_join_channel",
		                             "system_add_to_channel", "system_add_guest_to_chan" };
	static const char *const LEAVES[] = { "system_leave_channel", "system_remove_from_channel" };
	for (size_t i = 0; i < sizeof(JOINS) / sizeof(JOINS[0]); i++)
		if (ark_str_eqz(x->type, JOINS[i]))
			return "join";
	for (size_t i = 0; i < sizeof(LEAVES) / sizeof(LEAVES[0]); i++)
		if (ark_str_eqz(x->type, LEAVES[i]))
			return "leave";
	return x->is_system ? "history" : "message";
}

/* Values may not be empty. */
static void put_custom(struct json_out *o, const char *name, struct ark_str value)
{
	if (value.len == 0)
		return;
	json_out_open(o, NULL);
	json_out_text(o, "name", ark_str_z(name));
	json_out_text(o, "value", value);
	json_out_close(o);
}

static void put_customs(struct rsmf *r, struct json_out *o, const struct export_record *x)
{
	json_out_open_list(o, "custom");
	put_custom(o, "Mattermost post id", x->id);
	if (x->root_id.len > 0 && ark_map_get(&r->ids, x->root_id) == ARK_MAP_NONE)
		put_custom(o, "Thread begins with", x->root_id);
	put_custom(o, "Post type", x->type);
	put_custom(o, "Shown as", x->origin.override_name);
	if (x->is_pinned)
		put_custom(o, "Pinned", ARK_LIT("yes"));
	if (x->delete_ms > 0) {
		char iso[ARK_TIME_ISO];
		ark_time_iso(x->delete_ms, iso);
		put_custom(o, "Deleted", ark_str_z(iso));
	}
	if (x->deleted_by != NULL)
		put_custom(o, "Deleted by", x->deleted_by->display_name);
	for (size_t i = 0; i < x->attachments_count; i++) {
		const struct export_attachment *f = &x->attachments[i];
		if (f->bytes == EXPORT_BYTES_COPIED)
			continue;
		ark_buf_reset(&r->text);
		ark_buf_fmt(&r->text, "%.*s (%lld bytes, %s)", ARK_FMT(f->name), (long long)f->size_bytes,
		            export_bytes_name(f->bytes));
		put_custom(o, "Attachment without its bytes", ark_buf_view(&r->text));
		r->day.run->note(r->day.run->note_ctx, "rsmf: attachments without their bytes", 1);
	}
	json_out_close(o);
}

static void put_reactions(struct rsmf *r, struct json_out *o, const struct export_record *x)
{
	bool any = false;
	for (size_t i = 0; i < x->reactions_count; i++) {
		bool again = x->reactions[i].delete_ms > 0;
		for (size_t k = 0; k < i && !again; k++)
			again = x->reactions[k].delete_ms == 0 && ark_str_eq(x->reactions[k].emoji, x->reactions[i].emoji);
		if (again)
			continue;
		if (!any)
			json_out_open_list(o, "reactions");
		any = true;
		const struct mm_emoji_slot *slot = mm_emoji(x->reactions[i].emoji);
		ark_buf_reset(&r->text);
		if (slot != NULL && slot->unicode[0] != '\0')
			ark_buf_z(&r->text, slot->unicode);
		else
			ark_buf_fmt(&r->text, ":%.*s:", ARK_FMT(x->reactions[i].emoji));
		json_out_open(o, NULL);
		json_out_text(o, "value", ark_buf_view(&r->text));
		json_out_open_list(o, "participants");
		uint64_t n = 0;
		for (size_t k = i; k < x->reactions_count; k++) {
			if (x->reactions[k].delete_ms > 0 || !ark_str_eq(x->reactions[k].emoji, x->reactions[i].emoji))
				continue;
			json_out_text(o, NULL, x->reactions[k].user_id);
			n++;
		}
		json_out_close(o);
		json_out_u64(o, "count", n);
		json_out_close(o);
	}
	if (any)
		json_out_close(o);
}

/* "<file id>-<name>", unique in the zip and harmless as a path. */
static void put_zip_name(struct ark_buf *b, struct ark_str id, struct ark_str name)
{
	ark_buf_str(b, id);
	ark_buf_c(b, '-');
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		ark_buf_c(b, c == '/' || c == '\\' || (unsigned char)c < 0x20 ? '_' : c);
	}
}

static void put_attachments(struct rsmf *r, struct json_out *o, const struct export_record *x)
{
	bool any = false;
	for (size_t i = 0; i < x->attachments_count; i++) {
		const struct export_attachment *f = &x->attachments[i];
		if (f->bytes != EXPORT_BYTES_COPIED)
			continue;
		if (!any)
			json_out_open_list(o, "attachments");
		any = true;
		ark_buf_reset(&r->text);
		put_zip_name(&r->text, f->id, f->name);
		json_out_open(o, NULL);
		json_out_text(o, "id", ark_buf_view(&r->text));
		json_out_text(o, "display", f->name);
		json_out_i64(o, "size", f->size_bytes);
		json_out_close(o);
	}
	if (any)
		json_out_close(o);
}

static void put_edits(struct json_out *o, const struct export_record *x)
{
	if (x->versions_count == 0)
		return;
	json_out_open_list(o, "edits");
	for (size_t i = 0; i < x->versions_count; i++) {
		const struct export_version *v = &x->versions[i];
		json_out_open(o, NULL);
		json_out_text(o, "participant", x->author_id);
		json_out_time(o, "timestamp", v->replaced_ms);
		json_out_text(o, "previous", v->text);
		json_out_text(o, "new", i + 1 < x->versions_count ? x->versions[i + 1].text : x->text);
		json_out_close(o);
	}
	json_out_close(o);
}

static void put_event(struct rsmf *r, const struct export_record *x)
{
	struct json_out o;
	bool root_here = x->root_id.len > 0 && ark_map_get(&r->ids, x->root_id) != ARK_MAP_NONE;
	if (r->events.len > 0)
		ark_buf_z(&r->events, ",\n");
	json_out_begin(&o, &r->events, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "id", x->id);
	json_out_text(&o, "type", ark_str_z(event_type(x)));
	if (root_here)
		json_out_text(&o, "parent", x->root_id);
	json_out_text(&o, "participant", x->author_id.len > 0 ? x->author_id : ARK_LIT("unknown"));
	json_out_text(&o, "conversation", r->day.channel->id);
	json_out_time(&o, "timestamp", x->create_ms > 0 ? x->create_ms : 1);
	json_out_text(&o, "body", ark_str_has(x->text) ? x->text : ARK_LIT(""));
	if (x->delete_ms > 0 || x->what != EXPORT_POST)
		json_out_bool(&o, "deleted", true);
	if (x->has_priority && x->priority.len > 0)
		json_out_text(&o, "importance", ARK_LIT("high"));
	put_reactions(r, &o, x);
	put_attachments(r, &o, x);
	put_edits(&o, x);
	put_customs(r, &o, x);
	json_out_close(&o);
}

/* --- the manifest --- */

static void put_participants(struct rsmf *r, struct json_out *o)
{
	json_out_open_list(o, "participants");
	for (uint32_t i = 0; i < r->day.people.count; i++) {
		struct ark_str id;
		const struct export_person *p = day_person_at(&r->day, i, &id);
		json_out_open(o, NULL);
		json_out_text(o, "id", id);
		json_out_text(o, "display", p != NULL ? p->display_name : id);
		if (p != NULL && ark_str_find(p->email, '@', 0) != SIZE_MAX)
			json_out_text(o, "email", p->email);
		if (p != NULL)
			json_out_text(o, "account_id", p->user_name);
		json_out_close(o);
	}
	json_out_close(o);
}

/* Who was there when the day's first event happened; where that is not known, who takes part. */
static bool was_there(const struct rsmf *r, const struct export_member *m)
{
	return r->day.channel->history_from_ms > 0 && m->join_ms > 0 && m->join_ms <= r->day.first_ms &&
	       (m->leave_ms == 0 || m->leave_ms > r->day.first_ms);
}

static void put_conversation(struct rsmf *r, struct json_out *o)
{
	const struct export_channel *c = r->day.channel;
	bool direct = c->kind == EXPORT_DIRECT || c->kind == EXPORT_GROUP;
	json_out_open_list(o, "conversations");
	json_out_open(o, NULL);
	json_out_text(o, "id", c->id);
	json_out_text(o, "display", day_channel_title(&r->day));
	json_out_text(o, "platform", ARK_LIT("mattermost"));
	json_out_text(o, "type", direct ? ARK_LIT("direct") : ARK_LIT("channel"));
	json_out_open_list(o, "participants");
	for (uint32_t i = 0; i < r->day.people.count; i++)
		json_out_text(o, NULL, ark_map_key(&r->day.people, i));
	json_out_close(o);
	json_out_open_list(o, "custom");
	put_custom(o, "Team", c->team_name);
	put_custom(o, "Channel", c->name);
	put_custom(o, "Kind", ark_str_z(export_channel_kind_name(c->kind)));
	put_custom(o, "Members", c->history_from_ms > 0 && r->day.first_ms >= c->history_from_ms
	                             ? ARK_LIT("known") : ARK_LIT("unknown: those who take part"));
	json_out_close(o);
	json_out_close(o);
	json_out_close(o);
}

static void put_manifest(struct rsmf *r, struct ark_buf *b)
{
	struct json_out o;
	for (size_t i = 0; i < r->day.channel->members_count; i++)
		if (was_there(r, &r->day.channel->members[i]))
			day_person(&r->day, r->day.channel->members[i].user_id, r->day.channel->members[i].person);
	json_out_begin(&o, b, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "version", ARK_LIT("2.0.0"));
	put_participants(r, &o);
	put_conversation(r, &o);
	ark_buf_z(b, ",\"events\":[\n");
	ark_buf_str(b, ark_buf_view(&r->events));
	ark_buf_z(b, "\n]}\n");
}

/* --- the file --- */

static enum ark_rc to_part(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	return mime_write(ctx, data, len, err);
}

static enum ark_rc to_zip(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	return io_zip_write(ctx, data, len, err);
}

static enum ark_rc put_zip(struct rsmf *r, struct mime *m, struct ark_err *err)
{
	ark_auto(io_zip_freep) struct io_zip *zip = NULL;
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 128u << 20);
	put_manifest(r, &b);
	enum ark_rc rc = ark_buf_ok(&b, "the manifest of a day", err);
	if (rc == ARK_OK)
		rc = io_zip_to(to_part, m, &zip, err);
	if (rc == ARK_OK)
		rc = io_zip_entry(zip, ARK_LIT("rsmf_manifest.json"), IO_ZIP_DEFLATE, err);
	if (rc == ARK_OK)
		rc = io_zip_write(zip, b.data, b.len, err);
	for (size_t i = 0; rc == ARK_OK && i < r->day.files_count; i++) {
		const struct day_file *f = &r->day.files[i];
		ark_buf_reset(&b);
		put_zip_name(&b, ark_str_z(f->id), ark_str_z(f->name));
		rc = io_zip_entry(zip, ark_buf_view(&b), IO_ZIP_STORE, err);
		if (rc == ARK_OK)
			rc = export_out_read(r->day.run->out, f->copy_path, to_zip, zip, err);
	}
	return rc == ARK_OK ? io_zip_finish(zip, err) : rc;
}

static void put_head(struct rsmf *r, struct mime *m)
{
	char iso[ARK_TIME_ISO], number[24];
	const struct export_channel *c = r->day.channel;
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	mime_address(&b, day_channel_title(&r->day), ARK_STR_NONE, c->id);
	mime_addresses(m, "From", ark_buf_view(&b));
	ark_buf_reset(&b);
	ark_buf_str(&b, day_channel_title(&r->day));
	ark_buf_z(&b, ", ");
	day_name(&r->day, &b);
	mime_header(m, "Subject", ark_buf_view(&b));
	mime_date(m, "Date", r->day.first_ms);
	ark_buf_reset(&b);
	ark_buf_fmt(&b, "<%.*s.", ARK_FMT(c->id));
	day_name(&r->day, &b);
	ark_buf_z(&b, "@rsmf.matterark.invalid>");
	mime_header(m, "Message-ID", ark_buf_view(&b));
	mime_header(m, "X-RSMF-Version", ARK_LIT("2.0.0"));
	mime_header(m, "X-RSMF-Generator", ark_str_z(r->day.run->tool));
	ark_time_iso(r->day.first_ms, iso);
	mime_header(m, "X-RSMF-BeginDate", ark_str_z(iso));
	ark_time_iso(r->day.last_ms, iso);
	mime_header(m, "X-RSMF-EndDate", ark_str_z(iso));
	snprintf(number, sizeof(number), "%llu", (unsigned long long)r->day.count);
	mime_header(m, "X-RSMF-EventCount", ark_str_z(number));
	snprintf(number, sizeof(number), "%zu", r->day.files_count);
	mime_header(m, "X-RSMF-AttachmentCount", ark_str_z(number));
	mime_header(m, "X-RSMF-Application", ARK_LIT("Mattermost"));
	mime_multipart(m);
}

static enum ark_rc end_day(struct rsmf *r, struct ark_err *err)
{
	if (r->day.count == 0)
		return ARK_OK;
	ark_auto(export_file_drop) struct export_file *file = NULL;
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, 4096);
	day_path(&r->day, "rsmf", "rsmf", &name);
	enum ark_rc rc = export_file_begin(r->day.run->out, name.data, EXPORT_PLAIN, &file, err);
	if (rc < 0)
		return rc;
	ark_auto(mime_release) struct mime m;
	mime_begin(&m, file, ark_buf_view(&name));
	put_head(r, &m);
	mime_part(&m, "text/plain; charset=utf-8", ARK_STR_NONE);
	rc = mime_write(&m, "The messages are in rsmf.zip.\r\n", 31, err);
	if (rc == ARK_OK)
		rc = mime_part_end(&m, err);
	mime_part(&m, "application/zip", ARK_LIT("rsmf.zip"));
	if (rc == ARK_OK)
		rc = put_zip(r, &m, err);
	if (rc == ARK_OK)
		rc = mime_part_end(&m, err);
	if (rc == ARK_OK)
		rc = mime_end(&m, err);
	ark_buf_reset(&r->events);
	ark_map_clear(&r->ids);
	day_end(&r->day);
	return rc == ARK_OK ? export_file_end(&file, err) : rc;
}

static enum ark_rc rsmf_record(void *self, const struct export_record *record, struct ark_err *err)
{
	struct rsmf *r = self;
	enum ark_rc rc = ARK_OK;
	if (r->day.count == 0 || day_is_over(&r->day, record)) {
		rc = end_day(r, err);
		day_begin(&r->day, record);
	}
	put_event(r, record);
	ark_map_put(&r->ids, record->id, 1);
	day_add(&r->day, record);
	if (record->author_id.len == 0)
		day_person(&r->day, ARK_LIT("unknown"), NULL);
	r->day.bytes = r->events.len;
	return rc;
}

static enum ark_rc rsmf_channel_end(void *self, const struct export_channel *channel, struct ark_err *err)
{
	(void)channel;
	return end_day(self, err);
}

static enum ark_rc rsmf_end(void *self, struct ark_err *err)
{
	(void)self;
	(void)err;
	return ARK_OK;
}

const struct export_format EXPORT_RSMF = {
	.name = "rsmf",
	.alone = true,
	.wants_members = true,
	.begin = rsmf_begin,
	.channel_begin = rsmf_channel_begin,
	.record = rsmf_record,
	.channel_end = rsmf_channel_end,
	.end = rsmf_end,
	.drop = rsmf_drop,
};

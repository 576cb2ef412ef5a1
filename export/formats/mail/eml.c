/*
 * data/eml/<team>/<channel>/<YYYY-MM-DD>.eml: one mail message per conversation and day, for mail archives:
 * the messages as text, copied attachments as attachments, everybody who took part as recipient.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "export/formats/mail/day.h"

#include "common/base/banned.h"

struct eml {
	struct day day;
	struct ark_buf text;
};

static void eml_drop(void *self)
{
	struct eml *e = self;
	if (e == NULL)
		return;
	day_release(&e->day);
	ark_buf_release(&e->text);
	free(e);
}

static enum ark_rc eml_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	(void)err;
	struct eml *e = ark_calloc(1, sizeof(*e));
	*self = e;
	day_init(&e->day, run);
	ark_buf_init(&e->text, 96u << 20);
	return ARK_OK;
}

static enum ark_rc eml_channel_begin(void *self, const struct export_channel *channel, struct ark_err *err)
{
	struct eml *e = self;
	(void)err;
	day_channel(&e->day, channel);
	return ARK_OK;
}

/* --- the text --- */

static void put_clock(struct ark_buf *b, int64_t ms, bool date)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(ms, iso);
	if (date)
		ark_buf_fmt(b, "%.10s ", iso);
	ark_buf_fmt(b, "%.8s", iso + 11);
}

static void put_lines(struct ark_buf *b, struct ark_str text)
{
	ark_buf_z(b, "    ");
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n')
			ark_buf_z(b, "\r\n    ");
		else if (text.ptr[i] != '\r')
			ark_buf_c(b, text.ptr[i]);
	}
	ark_buf_z(b, "\r\n");
}

static void put_title(struct ark_buf *b, const struct export_record *r)
{
	struct ark_str name = ark_str_has(r->origin.override_name) ? r->origin.override_name
	                      : r->author != NULL                  ? r->author->display_name
	                                                           : ARK_LIT("somebody unknown");
	ark_buf_c(b, '[');
	put_clock(b, r->create_ms, false);
	ark_buf_fmt(b, "] %.*s", ARK_FMT(name));
	if (r->author != NULL)
		ark_buf_fmt(b, " (@%.*s)", ARK_FMT(r->author->user_name));
	if (r->root_id.len > 0)
		ark_buf_fmt(b, ", reply to %.*s", ARK_FMT(r->root_id));
	if (r->edit_ms > 0) {
		ark_buf_z(b, ", edited ");
		put_clock(b, r->edit_ms, true);
	}
	if (r->delete_ms > 0) {
		ark_buf_z(b, ", deleted ");
		put_clock(b, r->delete_ms, true);
	}
	ark_buf_fmt(b, "%s  <%.*s>\r\n", r->is_pinned ? ", pinned" : "", ARK_FMT(r->id));
}

static void put_record(struct ark_buf *b, const struct export_record *r)
{
	put_title(b, r);
	if (r->what == EXPORT_PURGED)
		ark_buf_z(b, "    (gone: deleted for good after an earlier export)\r\n");
	else
		put_lines(b, r->text);
	for (size_t i = 0; i < r->versions_count; i++) {
		ark_buf_z(b, "    before ");
		put_clock(b, r->versions[i].replaced_ms, true);
		ark_buf_z(b, ":\r\n");
		put_lines(b, r->versions[i].text);
	}
	for (size_t i = 0; i < r->attachments_count; i++) {
		const struct export_attachment *f = &r->attachments[i];
		ark_buf_fmt(b, "    file %.*s (%lld bytes%s)\r\n", ARK_FMT(f->name), (long long)f->size_bytes,
		            f->bytes == EXPORT_BYTES_COPIED    ? ", attached"
		            : f->bytes == EXPORT_BYTES_MISSING ? ", missing in the file store"
		                                               : "");
	}
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		if (x->delete_ms == 0)
			ark_buf_fmt(b, "    :%.*s: %.*s\r\n", ARK_FMT(x->emoji),
			            ARK_FMT(x->person != NULL ? x->person->user_name : x->user_id));
	}
	ark_buf_z(b, "\r\n");
}

/* --- the message --- */

static void put_subject(struct eml *e, struct mime *m)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	if (e->day.channel->team_display_name.len > 0)
		ark_buf_fmt(&b, "%.*s: ", ARK_FMT(e->day.channel->team_display_name));
	ark_buf_str(&b, day_channel_title(&e->day));
	ark_buf_z(&b, ", ");
	day_name(&e->day, &b);
	ark_buf_fmt(&b, " (%llu %s)", (unsigned long long)e->day.count, e->day.count == 1 ? "message" : "messages");
	mime_header(m, "Subject", ark_buf_view(&b));
}

static void put_head(struct eml *e, struct mime *m)
{
	const struct export_channel *c = e->day.channel;
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 16u << 20);
	mime_address(&b, day_channel_title(&e->day), ARK_STR_NONE, c->id);
	mime_addresses(m, "From", ark_buf_view(&b));
	ark_buf_reset(&b);
	for (uint32_t i = 0; i < e->day.people.count; i++) {
		struct ark_str id;
		const struct export_person *p = day_person_at(&e->day, i, &id);
		mime_address(&b, p != NULL ? p->display_name : id, p != NULL ? p->email : ARK_STR_NONE, id);
	}
	if (b.len > 0)
		mime_addresses(m, "To", ark_buf_view(&b));
	put_subject(e, m);
	mime_date(m, "Date", e->day.first_ms);
	ark_buf_reset(&b);
	ark_buf_fmt(&b, "<%.*s.", ARK_FMT(c->id));
	day_name(&e->day, &b);
	ark_buf_z(&b, "@matterark.invalid>");
	mime_header(m, "Message-ID", ark_buf_view(&b));
	mime_header(m, "X-Mattermost-Channel-Id", c->id);
	mime_header(m, "X-Mattermost-Channel", c->name);
	mime_multipart(m);
}

static enum ark_rc to_part(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	return mime_write(ctx, data, len, err);
}

static enum ark_rc put_files(struct eml *e, struct mime *m, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; rc == ARK_OK && i < e->day.files_count; i++) {
		const struct day_file *f = &e->day.files[i];
		mime_part(m, "application/octet-stream", ark_str_z(f->name));
		rc = export_out_read(e->day.run->out, f->copy_path, to_part, m, err);
		if (rc == ARK_OK)
			rc = mime_part_end(m, err);
	}
	return rc;
}

static enum ark_rc end_day(struct eml *e, struct ark_err *err)
{
	if (e->day.count == 0)
		return ARK_OK;
	ark_auto(export_file_drop) struct export_file *file = NULL;
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, 4096);
	day_path(&e->day, "eml", "eml", &name);
	enum ark_rc rc = ark_buf_ok(&e->text, "the messages of a day", err);
	if (rc == ARK_OK)
		rc = export_file_begin(e->day.run->out, name.data, EXPORT_PLAIN, &file, err);
	if (rc < 0)
		return rc;
	ark_auto(mime_release) struct mime m;
	mime_begin(&m, file, ark_buf_view(&name));
	put_head(e, &m);
	mime_part(&m, "text/plain; charset=utf-8", ARK_STR_NONE);
	rc = mime_write(&m, e->text.data, e->text.len, err);
	if (rc == ARK_OK)
		rc = mime_part_end(&m, err);
	if (rc == ARK_OK)
		rc = put_files(e, &m, err);
	if (rc == ARK_OK)
		rc = mime_end(&m, err);
	ark_buf_reset(&e->text);
	day_end(&e->day);
	return rc == ARK_OK ? export_file_end(&file, err) : rc;
}

static enum ark_rc eml_record(void *self, const struct export_record *record, struct ark_err *err)
{
	struct eml *e = self;
	enum ark_rc rc = ARK_OK;
	if (e->day.count == 0 || day_is_over(&e->day, record)) {
		rc = end_day(e, err);
		day_begin(&e->day, record);
	}
	put_record(&e->text, record);
	day_add(&e->day, record);
	e->day.bytes = e->text.len;
	return rc;
}

static enum ark_rc eml_channel_end(void *self, const struct export_channel *channel, struct ark_err *err)
{
	(void)channel;
	return end_day(self, err);
}

static enum ark_rc eml_end(void *self, struct ark_err *err)
{
	(void)self;
	(void)err;
	return ARK_OK;
}

const struct export_format EXPORT_EML = {
	.name = "eml",
	.alone = true,
	.begin = eml_begin,
	.channel_begin = eml_channel_begin,
	.record = eml_record,
	.channel_end = eml_channel_end,
	.end = eml_end,
	.drop = eml_drop,
};

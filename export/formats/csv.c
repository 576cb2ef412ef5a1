/*
 * data/csv/<team>/<channel>.csv: one message a row, for spreadsheets. RFC 4180 with a byte order mark, by
 * which spreadsheets know UTF-8; cells that would be taken for formulas are made harmless.
 */
#include <stdlib.h>

#include "common/base/csv.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/base/utf8.h"
#include "export/out.h"
#include "export/record.h"

#include "common/base/banned.h"

#define CSV_ROW  (64u << 20)
#define CSV_CELL 32767u /* characters that LibreOffice and Excel take in one cell */

struct csv {
	const struct export_run *run;
	const struct export_channel *channel;
	struct export_file *file;
	struct ark_buf row, cell;
};

static void csv_drop(void *self)
{
	struct csv *c = self;
	if (c == NULL)
		return;
	export_file_drop(&c->file);
	ark_buf_release(&c->row);
	ark_buf_release(&c->cell);
	free(c);
}

static enum ark_rc csv_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	(void)err;
	struct csv *c = ark_calloc(1, sizeof(*c));
	*self = c;
	c->run = run;
	ark_buf_init(&c->row, CSV_ROW);
	ark_buf_init(&c->cell, CSV_ROW);
	return ARK_OK;
}

static enum ark_rc csv_channel_begin(void *self, const struct export_channel *channel, struct ark_err *err)
{
	static const char HEAD[] = "\xEF\xBB\xBFtime_utc,team,channel,kind,user_name,display_name,email,text,type,id,"
	                           "thread_id,edited_utc,earlier_texts,deleted_utc,pinned,reactions,attachments\r\n";
	struct csv *c = self;
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, 4096);
	ark_buf_fmt(&name, "data/csv/%.*s/%.*s.csv", ARK_FMT(channel->team_path), ARK_FMT(channel->channel_path));
	c->channel = channel;
	enum ark_rc rc = export_file_begin(c->run->out, name.data, EXPORT_PLAIN, &c->file, err);
	return rc == ARK_OK ? export_file_write(c->file, HEAD, sizeof(HEAD) - 1, err) : rc;
}

static void put_cell(struct csv *c, struct ark_str s)
{
	struct ark_str fits = ark_utf8_first(s, CSV_CELL);
	if (fits.len < s.len)
		c->run->note(c->run->note_ctx, "csv: texts that are longer than a cell", 1);
	ark_csv_cell(&c->row, fits);
	ark_buf_c(&c->row, ',');
}

/* "2024-03-05 10:22:03.123", which spreadsheets take for a time; empty for never. */
static void put_time(struct csv *c, int64_t ms)
{
	char iso[ARK_TIME_ISO];
	if (ms > 0) {
		ark_time_iso(ms, iso);
		ark_buf_fmt(&c->row, "%.10s %.12s", iso, iso + 11);
	}
	ark_buf_c(&c->row, ',');
}

static struct ark_str user_name(const struct export_person *p, struct ark_str id)
{
	return p != NULL ? p->user_name : id;
}

static void put_reactions(struct csv *c, const struct export_record *r)
{
	ark_buf_reset(&c->cell);
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		if (x->delete_ms > 0)
			continue;
		ark_buf_fmt(&c->cell, "%s:%.*s: %.*s", c->cell.len > 0 ? "; " : "", ARK_FMT(x->emoji),
		            ARK_FMT(user_name(x->person, x->user_id)));
	}
	put_cell(c, ark_buf_view(&c->cell));
}

static void put_attachments(struct csv *c, const struct export_record *r)
{
	ark_buf_reset(&c->cell);
	for (size_t i = 0; i < r->attachments_count; i++)
		ark_buf_fmt(&c->cell, "%s%.*s", i > 0 ? "; " : "", ARK_FMT(r->attachments[i].name));
	ark_csv_cell(&c->row, ark_utf8_first(ark_buf_view(&c->cell), CSV_CELL));
	ark_buf_z(&c->row, "\r\n");
}

static enum ark_rc csv_record(void *self, const struct export_record *r, struct ark_err *err)
{
	struct csv *c = self;
	const struct export_person *p = r->author;
	ark_buf_reset(&c->row);
	put_time(c, r->create_ms);
	put_cell(c, c->channel->team_name);
	put_cell(c, c->channel->name);
	ark_buf_fmt(&c->row, "%s,", export_channel_kind_name(c->channel->kind));
	put_cell(c, user_name(p, r->author_id));
	put_cell(c, ark_str_has(r->origin.override_name) ? r->origin.override_name
	            : p != NULL                          ? p->display_name
	                                                 : ARK_STR_NONE);
	put_cell(c, p != NULL ? p->email : ARK_STR_NONE);
	put_cell(c, r->text);
	put_cell(c, r->what == EXPORT_POST ? r->type : ark_str_z(export_what_name(r->what)));
	put_cell(c, r->id);
	put_cell(c, r->root_id);
	put_time(c, r->edit_ms);
	ark_buf_fmt(&c->row, "%zu,", r->versions_count);
	put_time(c, r->delete_ms);
	ark_buf_z(&c->row, r->is_pinned ? "yes," : ",");
	put_reactions(c, r);
	put_attachments(c, r);
	enum ark_rc rc = ark_buf_ok(&c->row, "a row", err);
	return rc == ARK_OK ? export_file_write(c->file, c->row.data, c->row.len, err) : rc;
}

static enum ark_rc csv_channel_end(void *self, const struct export_channel *channel, struct ark_err *err)
{
	struct csv *c = self;
	(void)channel;
	return export_file_end(&c->file, err);
}

static enum ark_rc csv_end(void *self, struct ark_err *err)
{
	(void)self;
	(void)err;
	return ARK_OK;
}

const struct export_format EXPORT_CSV = {
	.name = "csv",
	.alone = true,
	.begin = csv_begin,
	.channel_begin = csv_channel_begin,
	.record = csv_record,
	.channel_end = csv_channel_end,
	.end = csv_end,
	.drop = csv_drop,
};

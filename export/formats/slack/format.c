/* The Slack layout as an export format: see private.h for what is written. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "export/formats/slack/private.h"

#include "common/base/banned.h"

/* --- what names mean --- */

static bool find_user(void *ctx, struct ark_str name, struct ark_str *id)
{
	struct slack_archive *a = ctx;
	static _Thread_local char room[SLACK_ID];
	const struct export_person *p = format_names_user(&a->meant, name);
	if (p == NULL)
		return false;
	*id = slack_user_id(a, p->id, room);
	return true;
}

static bool find_channel(void *ctx, struct ark_str name, struct ark_str *id, struct ark_str *title)
{
	struct slack_archive *a = ctx;
	static _Thread_local char room[SLACK_ID];
	const struct export_channel *c = format_names_channel(&a->meant, a->channel->team_id, name);
	if (c == NULL)
		return false;
	*id = slack_channel_id(a, c->id, room);
	*title = slack_channel_name(a, c);
	return true;
}

/* --- the archive --- */

static enum ark_rc to_file(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	struct slack_archive *a = ctx;
	return export_file_write(a->file, data, len, err);
}

static enum ark_rc begin_zip(struct slack_archive *a, struct ark_str team_path, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, 4096);
	a->team_path = team_path;
	ark_buf_fmt(&name, "data/slack/%.*s.zip", ARK_FMT(a->one_zip ? ARK_LIT("export") : team_path));
	enum ark_rc rc = export_file_begin(a->run->out, name.data, EXPORT_PLAIN, &a->file, err);
	if (rc == ARK_OK)
		rc = io_zip_to(to_file, a, &a->zip, err);
	return rc == ARK_OK ? slack_users_put(a, err) : rc;
}

static enum ark_rc end_zip(struct slack_archive *a, struct ark_err *err)
{
	if (a->zip == NULL)
		return ARK_OK;
	enum ark_rc rc = slack_lists_put(a, err);
	if (rc == ARK_OK)
		rc = io_zip_finish(a->zip, err);
	io_zip_free(a->zip);
	a->zip = NULL;
	return rc == ARK_OK ? export_file_end(&a->file, err) : rc;
}

/* --- the stream --- */

static void slack_drop(void *self)
{
	struct slack_archive *a = self;
	if (a == NULL)
		return;
	io_zip_free(a->zip);
	export_file_drop(&a->file);
	struct ark_map *const maps[] = { &a->user_ids, &a->channel_ids, &a->shown, &a->stamps_at };
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		ark_map_release(maps[i]);
	format_names_release(&a->meant);
	struct ark_buf *const bufs[] = { &a->ids, &a->workspace, &a->pins, &a->line, &a->text, &a->day, &a->key, &a->scratch };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_release(bufs[i]);
	for (int i = 0; i < SLACK_LISTS; i++)
		io_spool_close(&a->lists[i]);
	io_spool_close(&a->spool);
	io_spool_close(&a->stamps);
	io_spool_close(&a->uploads);
	json_doc_free(a->json);
	free(a->ranges);
	free(a->known);
	free(a->older);
	free(a->entries);
	free(a);
}

static bool needs_one(const struct export_run *run)
{
	struct ark_str team = ARK_STR_NONE;
	for (size_t i = 0; i < run->channels_count; i++) {
		struct ark_str id = run->channels[i].team_id;
		if (id.len == 0)
			continue;
		if (team.len > 0 && !ark_str_eq(team, id))
			return false;
		team = id;
	}
	return true;
}

static enum ark_rc slack_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	struct slack_archive *a = ark_calloc(1, sizeof(*a));
	*self = a;
	a->run = run;
	a->names = (struct mrkdwn_names){ find_user, find_channel, a };
	a->spool = a->stamps = a->uploads = IO_SPOOL_NONE;
	for (int i = 0; i < SLACK_LISTS; i++)
		a->lists[i] = IO_SPOOL_NONE;
	struct ark_buf *const bufs[] = { &a->ids, &a->workspace, &a->pins, &a->line, &a->text, &a->day, &a->key, &a->scratch };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_init(bufs[i], SLACK_BUFFER);
	a->json = json_doc_new();
	a->one_zip = needs_one(run);
	format_names_init(&a->meant, run);
	slack_names_gather(a);
	return slack_ids_read(a, err);
}

static enum ark_rc slack_channel_begin(void *self, const struct export_channel *channel, struct ark_err *err)
{
	struct slack_archive *a = self;
	enum ark_rc rc = ARK_OK;
	if (a->zip != NULL && !a->one_zip && !ark_str_eq(a->team_path, channel->team_path))
		rc = end_zip(a, err);
	if (rc == ARK_OK && a->zip == NULL)
		rc = begin_zip(a, channel->team_path, err);
	a->channel = channel;
	a->last_us = 0;
	a->older_count = 0;
	ark_buf_reset(&a->pins);
	return rc == ARK_OK ? slack_stamps_load(a, channel->id, err) : rc;
}

static enum ark_rc slack_record(void *self, const struct export_record *record, struct ark_err *err)
{
	return slack_window_add(self, record, err);
}

static enum ark_rc slack_channel_end(void *self, const struct export_channel *channel, struct ark_err *err)
{
	struct slack_archive *a = self;
	(void)channel;
	enum ark_rc rc = slack_window_flush(a, err);
	return rc == ARK_OK ? slack_list_channel(a, err) : rc;
}

static enum ark_rc slack_end(void *self, struct ark_err *err)
{
	struct slack_archive *a = self;
	enum ark_rc rc = a->zip == NULL ? begin_zip(a, ARK_LIT("export"), err) : ARK_OK;
	return rc == ARK_OK ? end_zip(a, err) : rc;
}

const struct export_format EXPORT_SLACK = {
	.name = "slack",
	.alone = true,
	.wants_members = true,
	.begin = slack_begin,
	.channel_begin = slack_channel_begin,
	.record = slack_record,
	.channel_end = slack_channel_end,
	.end = slack_end,
	.drop = slack_drop,
};

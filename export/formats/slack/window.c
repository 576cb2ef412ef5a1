/* The messages of a channel, or of a window of it, as day files with their threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "export/formats/slack/private.h"

#include "common/base/banned.h"

#define DAY_US 86400000000
#define REPLIES_NAMED 1000u /* in `replies` of a root; readers go by thread_ts */

/* --- coming in --- */

enum ark_rc slack_window_add(struct slack_archive *a, const struct export_record *r, struct ark_err *err)
{
	if (r->what != EXPORT_POST) {
		a->run->note(a->run->note_ctx, "slack: records of messages that are gone", 1);
		return ARK_OK;
	}
	if (r->delete_ms > 0 && r->root_id.len > 0) {
		a->run->note(a->run->note_ctx, "slack: deleted messages", 1);
		return ARK_OK;
	}
	if (r->versions_count > 0)
		a->run->note(a->run->note_ctx, "slack: earlier versions of edited texts", r->versions_count);
	int64_t ts = slack_stamp(a, r->id, r->create_ms);
	if (a->entries_count >= SLACK_WINDOW && ts / DAY_US > a->entries[a->entries_count - 1].ts_us / DAY_US) {
		enum ark_rc rc = slack_window_flush(a, err);
		if (rc < 0)
			return rc;
	}
	slack_message_put(a, r, ts);
	enum ark_rc rc = ark_buf_ok(&a->line, "a message in Slack's form", err);
	if (rc == ARK_OK)
		rc = slack_uploads_add(a, r, err);
	if (rc < 0)
		return rc;
	struct slack_entry e = {
		.node.id_hash = thread_hash(r->id),
		.node.root_hash = r->root_id.len > 0 ? thread_hash(r->root_id) : 0,
		.at = a->spool.fd < 0 ? 0 : a->spool.len,
		.ts_us = ts,
		.len = (uint32_t)a->line.len,
		.author = r->author != NULL ? (uint32_t)(r->author - a->run->people) : UINT32_MAX,
		.deleted = r->delete_ms > 0,
	};
	rc = io_spool_add(&a->spool, io_temp_dir(), a->line.data, a->line.len, err);
	if (rc < 0)
		return rc;
	if (a->entries_count == a->entries_cap) {
		a->entries_cap = a->entries_cap > 0 ? 2 * a->entries_cap : 1024;
		a->entries = ark_realloc(a->entries, a->entries_cap, sizeof(*a->entries));
	}
	a->entries[a->entries_count++] = e;
	return ARK_OK;
}

/* --- threads --- */

static int by_hash(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return (a > b) - (a < b);
}

/* The stamp of a root that an earlier window held, or that was imported; 0: not known. */
static int64_t older_stamp(const struct slack_archive *a, uint64_t hash)
{
	uint64_t(*found)[2] = a->older_count > 0 ? bsearch(&hash, a->older, a->older_count, sizeof(*a->older), by_hash)
	                                         : NULL;
	if (found == NULL && a->known_count > 0)
		found = bsearch(&hash, a->known, a->known_count, sizeof(*a->known), by_hash);
	return found != NULL ? (int64_t)(*found)[1] : 0;
}

static void keep_older(struct slack_archive *a)
{
	size_t room = SLACK_OLDER - a->older_count;
	size_t n = a->entries_count < room ? a->entries_count : room;
	if (n == 0)
		return;
	a->older = ark_realloc(a->older, a->older_count + n, sizeof(*a->older));
	for (size_t i = 0; i < n; i++) {
		const struct slack_entry *e = &a->entries[a->entries_count - n + i];
		a->older[a->older_count + i][0] = e->node.id_hash;
		a->older[a->older_count + i][1] = (uint64_t)e->ts_us;
	}
	a->older_count += n;
	qsort(a->older, a->older_count, sizeof(*a->older), by_hash);
}

static void put_author(struct slack_archive *a, struct ark_buf *b, const struct slack_entry *e)
{
	char room[SLACK_ID];
	ark_buf_json(b, e->author != UINT32_MAX ? slack_user_id(a, a->run->people[e->author].id, room)
	                                        : ARK_LIT("USLACKBOT"));
}

static void put_root_of_thread(struct slack_archive *a, struct ark_buf *b, const struct slack_entry *e)
{
	char ts[SLACK_TS];
	ark_auto(ark_map_release) struct ark_map seen = { 0 };
	slack_ts_text(e->ts_us, ts);
	ark_buf_fmt(b, ",\"thread_ts\":\"%s\",\"reply_count\":%u", ts, e->node.replies);
	slack_ts_text(a->entries[e->node.last_reply - 1].ts_us, ts);
	ark_buf_fmt(b, ",\"latest_reply\":\"%s\",\"reply_users\":[", ts);
	for (uint32_t i = e->node.first_reply; i != 0; i = a->entries[i - 1].node.next) {
		const struct slack_entry *reply = &a->entries[i - 1];
		struct ark_str key = ark_str_n((const char *)&reply->author, sizeof(reply->author));
		if (ark_map_get(&seen, key) != ARK_MAP_NONE)
			continue;
		if (seen.count > 0)
			ark_buf_c(b, ',');
		ark_map_put(&seen, key, 1);
		put_author(a, b, reply);
	}
	ark_buf_fmt(b, "],\"reply_users_count\":%u,\"replies\":[", seen.count);
	uint32_t n = 0;
	for (uint32_t i = e->node.first_reply; i != 0 && n < REPLIES_NAMED; i = a->entries[i - 1].node.next) {
		const struct slack_entry *reply = &a->entries[i - 1];
		slack_ts_text(reply->ts_us, ts);
		ark_buf_fmt(b, "%s{\"user\":", n++ > 0 ? "," : "");
		put_author(a, b, reply);
		ark_buf_fmt(b, ",\"ts\":\"%s\"}", ts);
	}
	ark_buf_c(b, ']');
}

static void put_thread(struct slack_archive *a, struct ark_buf *b, const struct slack_entry *e)
{
	char ts[SLACK_TS];
	if (e->node.replies > 0) {
		put_root_of_thread(a, b, e);
		return;
	}
	if (e->node.root_hash == 0)
		return;
	int64_t root = e->node.root != 0 ? a->entries[e->node.root - 1].ts_us : older_stamp(a, e->node.root_hash);
	if (root == 0) {
		a->run->note(a->run->note_ctx, "slack: replies without the message they answer", 1);
		return;
	}
	slack_ts_text(root, ts);
	ark_buf_fmt(b, ",\"thread_ts\":\"%s\"", ts);
	if (e->node.root != 0) {
		ark_buf_z(b, ",\"parent_user_id\":");
		put_author(a, b, &a->entries[e->node.root - 1]);
	}
}

/* --- day files --- */

static void put_day_name(struct slack_archive *a, int64_t ts_us)
{
	char iso[ARK_TIME_ISO], room[SLACK_ID];
	ark_time_iso(ts_us / 1000, iso);
	ark_buf_reset(&a->day);
	if (a->channel->kind == EXPORT_DIRECT)
		ark_buf_str(&a->day, slack_channel_id(a, a->channel->id, room));
	else
		ark_buf_str(&a->day, slack_channel_name(a, a->channel));
	ark_buf_fmt(&a->day, "/%.10s.json", iso);
}

static enum ark_rc put_message(struct slack_archive *a, const struct slack_entry *e, bool first, struct ark_err *err)
{
	ark_buf_reset(&a->line);
	ark_buf_z(&a->line, first ? "[\n" : ",\n");
	char *space = ark_buf_room(&a->line, e->len);
	if (space == NULL)
		return ark_buf_ok(&a->line, "a message in Slack's form", err);
	enum ark_rc rc = io_spool_read(&a->spool, e->at, space, e->len, err);
	if (rc < 0)
		return rc;
	a->line.len += e->len;
	put_thread(a, &a->line, e);
	ark_buf_c(&a->line, '}');
	rc = ark_buf_ok(&a->line, "a message in Slack's form", err);
	return rc < 0 ? rc : io_zip_write(a->zip, a->line.data, a->line.len, err);
}

static enum ark_rc put_days(struct slack_archive *a, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	int64_t day = -1;
	for (size_t i = 0; rc == ARK_OK && i < a->entries_count; i++) {
		const struct slack_entry *e = &a->entries[i];
		if (e->deleted && e->node.replies == 0) {
			a->run->note(a->run->note_ctx, "slack: deleted messages", 1);
			continue;
		}
		bool first = e->ts_us / DAY_US != day;
		if (first && day >= 0)
			rc = io_zip_write(a->zip, "\n]\n", 3, err);
		if (first && rc == ARK_OK) {
			put_day_name(a, e->ts_us);
			rc = io_zip_entry(a->zip, ark_buf_view(&a->day), IO_ZIP_DEFLATE, err);
		}
		day = e->ts_us / DAY_US;
		if (rc == ARK_OK)
			rc = put_message(a, e, first, err);
	}
	return rc == ARK_OK && day >= 0 ? io_zip_write(a->zip, "\n]\n", 3, err) : rc;
}

enum ark_rc slack_window_flush(struct slack_archive *a, struct ark_err *err)
{
	thread_link(a->entries, a->entries_count, sizeof(*a->entries));
	enum ark_rc rc = put_days(a, err);
	if (rc == ARK_OK)
		rc = slack_uploads_put(a, err);
	keep_older(a);
	a->entries_count = 0;
	io_spool_close(&a->spool);
	return rc;
}

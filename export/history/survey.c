/*
 * Counting and comparing in one: the server passes over all posts once and tells for each conversation and stretch
 * of time how many there are and what their digests sum up to (digest.h). A first run cuts its work from the
 * counts; a later one holds the sums against those of the run before and gets the days that have to be looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"
#include "common/db/binary.h"
#include "export/history/digest.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define RANGE_POSTS 20000  /* neighbouring days that are read together: what the server sorts in memory */
#define FLUSH_BYTES 65536  /* of the state that wait for the file */

enum { CHANNEL, STRETCH, POSTS, SUM, MOMENT, COLUMNS };

struct survey {
	struct history *h;
	bool fresh, writes;
	struct export_planner *planner;   /* of a first run */
	int64_t key;
	struct export_stream *before;     /* NULL: all of it is looked at */
	struct history_state_reader old;
	enum ark_rc old_rc;               /* ARK_OK: old.line is there */
	struct db_binary rows;
	struct ark_str f[COLUMNS];
	struct history_digest now;        /* of the row */
	enum ark_rc row_rc;
	struct ark_buf lines;
	struct ark_buf channel;           /* of the state that is written */
	bool has_channel;
};

/* --- the state before -------------------------------------------------------------------------- */

static enum ark_rc next_old(struct survey *s, struct ark_err *err)
{
	struct ark_str line;
	s->old_rc = ARK_END;
	while (s->before != NULL) {
		enum ark_rc rc = export_stream_line(s->before, &line, err);
		if (rc != ARK_OK)
			return rc < 0 ? rc : ARK_OK;
		rc = history_state_read(&s->old, line, err);
		if (rc < 0)
			return rc;
		if (rc == ARK_OK) {
			s->old_rc = ARK_OK;
			return ARK_OK;
		}
	}
	return ARK_OK;
}

static enum ark_rc rewind_old(struct survey *s, struct ark_err *err)
{
	export_stream_closep(&s->before);
	s->old = (struct history_state_reader){ 0 };
	return history_repo_state(s->h->repo, &s->before, err);
}

/* All of it once, for its key and because nothing may come from half a file. */
static enum ark_rc check_old(struct survey *s, struct ark_err *err)
{
	enum ark_rc rc = rewind_old(s, err);
	if (rc != ARK_OK)
		return rc;
	do
		rc = next_old(s, err);
	while (rc == ARK_OK && s->old_rc == ARK_OK);
	if (rc == ARK_OK && s->old.begun < 2)
		rc = ark_err_set(err, ARK_KIND_INPUT, "the state ends before it begins");
	s->key = s->old.key;
	return rc == ARK_OK ? rewind_old(s, err) : rc;
}

/* Whatever is wrong with the state: it only saves time. */
static enum ark_rc open_old(struct survey *s, struct ark_err *err)
{
	struct history *h = s->h;
	struct ark_err why = { 0 };
	crypt_random(&s->key, sizeof(s->key));
	s->key &= INT64_MAX;
	if (s->fresh)
		return ARK_OK;
	enum ark_rc rc = check_old(s, &why);
	if (rc == ARK_STOP) {
		*err = why;
		return rc;
	}
	h->all = rc != ARK_OK;
	if (!h->all)
		return ARK_OK;
	ark_info(h->app.talk, "history.no_state", "%s: no state of the newest commit%s%s; comparing every message with what is "
	                                          "in the history", h->app.target, rc < 0 ? ": " : "", rc < 0 ? why.text : "");
	export_stream_closep(&s->before);
	s->old = (struct history_state_reader){ 0 };
	return ARK_OK;
}

/* --- days to look at --------------------------------------------------------------------------- */

static void push_range(struct history *h, uint32_t channel, uint32_t from, uint32_t to, uint64_t posts)
{
	if (h->ranges_count == h->ranges_cap) {
		h->ranges_cap = h->ranges_cap > 0 ? 2 * h->ranges_cap : 64;
		h->ranges = ark_realloc(h->ranges, h->ranges_cap, sizeof(h->ranges[0]));
	}
	h->ranges[h->ranges_count++] = (struct history_range){ channel, from, to, posts };
}

/* The latest range when it is of that conversation. */
static struct history_range *last_range(struct history *h, uint32_t channel)
{
	struct history_range *last = h->ranges_count > 0 ? &h->ranges[h->ranges_count - 1] : NULL;
	return last != NULL && last->channel == channel ? last : NULL;
}

/* Neighbours become one. */
static void add_days(struct history *h, uint32_t channel, uint32_t from, uint32_t to, uint64_t posts)
{
	struct history_range *last = last_range(h, channel);
	if (last != NULL && from <= last->to_day && last->posts + posts <= RANGE_POSTS) {
		last->to_day = to > last->to_day ? to : last->to_day;
		last->posts += posts;
		return;
	}
	if (last != NULL && from < last->to_day)
		from = last->to_day;
	if (from < to)
		push_range(h, channel, from, to, posts);
}

void history_add_all_days(struct history *h, uint32_t channel)
{
	push_range(h, channel, 0, HISTORY_DAYS_END, 0);
}

/* With nothing to compare with, days without posts are looked at too: the history may have some. */
static void add_all(struct history *h, uint32_t channel, const struct history_digest *d)
{
	uint32_t from, to;
	struct history_range *last = last_range(h, channel);
	history_stretch_days(d->stretch, &from, &to);
	if (last == NULL) {
		push_range(h, channel, 0, HISTORY_DAYS_END, d->posts);
	} else if (last->posts + d->posts <= RANGE_POSTS || from <= last->from_day) {
		last->posts += d->posts;
	} else {
		last->to_day = from;
		push_range(h, channel, from, HISTORY_DAYS_END, d->posts);
	}
}

/* A conversation that the state or the history knows and the scope does not: all that is known is its id. */
uint32_t history_lost_channel(struct history *h, struct ark_str id)
{
	struct export_selection *sel = &h->app.sel;
	uint32_t at = ark_map_get(&sel->channel_at, id);
	if (at != ARK_MAP_NONE)
		return at;
	struct export_channel c = { .id = ark_pool_str(&sel->strings, id), .kind = EXPORT_UNKNOWN };
	sel->channels = ark_realloc(sel->channels, sel->channels_count + 1, sizeof(sel->channels[0]));
	sel->channels[sel->channels_count] = c;
	ark_map_put(&sel->channel_at, c.id, (uint32_t)sel->channels_count);
	return (uint32_t)sel->channels_count++;
}

/* --- rows and lines side by side --------------------------------------------------------------- */

static bool take_row(struct survey *s)
{
	s->now = (struct history_digest){ .stretch = db_binary_i64(s->f[STRETCH]), .posts = (uint64_t)db_binary_i64(s->f[POSTS]) };
	return history_digest_sum(s->f[SUM], &s->now.sum) && history_digest_sum(s->f[MOMENT], &s->now.moment);
}

/* Rows of conversations in scope. */
static enum ark_rc next_row(struct survey *s, struct ark_err *err)
{
	const struct export_selection *sel = &s->h->app.sel;
	do
		s->row_rc = db_binary_next(&s->rows, s->h->app.conn, s->f, COLUMNS, err);
	while (s->row_rc == ARK_OK && ark_map_get(&sel->channel_at, s->f[CHANNEL]) == ARK_MAP_NONE);
	if (s->row_rc == ARK_OK && !take_row(s))
		s->row_rc = ark_err_stop(err, ARK_KIND_DB, "unexpected answer about digests of posts");
	return s->row_rc < 0 ? s->row_rc : ARK_OK;
}

/* When custodians were in a conversation decides what of it is in scope. */
static uint64_t stays_of(const struct export_selection *sel, uint32_t channel)
{
	uint64_t out = 0;
	ark_auto(crypt_hash_freep) struct crypt_hash *hash = NULL;
	for (size_t i = 0; i < sel->stays_count; i++) {
		if (sel->stays[i].channel != channel)
			continue;
		if (hash == NULL) {
			hash = crypt_hash_new();
			crypt_hash_begin(hash);
		}
		crypt_hash_add(hash, &sel->stays[i].from_ms, sizeof(sel->stays[i].from_ms));
		crypt_hash_add(hash, &sel->stays[i].to_ms, sizeof(sel->stays[i].to_ms));
	}
	if (hash != NULL) {
		unsigned char digest[CRYPT_SHA256_BYTES];
		crypt_hash_end(hash, digest);
		memcpy(&out, digest, sizeof(out));
	}
	return out;
}

static enum ark_rc flush(struct survey *s, bool all, struct ark_err *err)
{
	if (s->lines.len < FLUSH_BYTES && !all)
		return ARK_OK;
	enum ark_rc rc = s->writes ? history_repo_state_write(s->h->repo, s->lines.data, s->lines.len, err) : ARK_OK;
	ark_buf_reset(&s->lines);
	return rc;
}

/* The row of now goes into the new state and, in a first run, into the plan. */
static enum ark_rc keep_row(struct survey *s, uint32_t channel, struct ark_err *err)
{
	struct history *h = s->h;
	if (!s->has_channel || !ark_str_eq(ark_buf_view(&s->channel), s->f[CHANNEL])) {
		ark_buf_reset(&s->channel);
		ark_buf_str(&s->channel, s->f[CHANNEL]);
		s->has_channel = true;
		history_state_channel(&s->lines, s->f[CHANNEL], stays_of(&h->app.sel, channel));
	}
	history_state_line(&s->lines, &s->now);
	if (s->planner != NULL)
		export_planner_add(s->planner, s->f[CHANNEL], s->now.stretch, s->now.posts);
	return flush(s, false, err);
}

/* <0: the old line comes first (nothing of it is there any more), >0: the row does. */
static int order_of(const struct survey *s)
{
	if (s->old_rc != ARK_OK || s->row_rc != ARK_OK)
		return s->old_rc == ARK_OK ? -1 : 1;
	int order = ark_str_cmp(history_state_id(&s->old), s->f[CHANNEL]);
	if (order != 0)
		return order;
	return s->old.line.stretch < s->now.stretch ? -1 : s->old.line.stretch > s->now.stretch;
}

static void compare_pair(struct survey *s, int order)
{
	struct history *h = s->h;
	if (s->fresh)
		return;
	uint32_t channel = order < 0 ? history_lost_channel(h, history_state_id(&s->old))
	                             : ark_map_get(&h->app.sel.channel_at, s->f[CHANNEL]);
	const struct history_digest *was = order <= 0 ? &s->old.line : NULL, *now = order >= 0 ? &s->now : NULL;
	uint64_t posts = now != NULL ? now->posts : 0;
	uint32_t from, to;
	if (h->all) {
		add_all(h, channel, now);
	} else if (order == 0 && s->old.stays != stays_of(&h->app.sel, channel)) {
		history_stretch_days(now->stretch, &from, &to);
		add_days(h, channel, from, to, posts);
	} else if (history_digest_days(was, now, &from, &to)) {
		add_days(h, channel, from, to, to - from == 1 ? posts / HISTORY_STRETCH_DAYS + 1 : posts);
	}
}

static enum ark_rc go_through(struct survey *s, struct ark_err *err)
{
	enum ark_rc rc = next_old(s, err);
	if (rc == ARK_OK)
		rc = next_row(s, err);
	while (rc == ARK_OK && (s->old_rc == ARK_OK || s->row_rc == ARK_OK)) {
		int order = order_of(s);
		compare_pair(s, order);
		if (order >= 0)
			rc = keep_row(s, ark_map_get(&s->h->app.sel.channel_at, s->f[CHANNEL]), err);
		if (rc == ARK_OK && order <= 0)
			rc = next_old(s, err);
		if (rc == ARK_OK && order >= 0)
			rc = next_row(s, err);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	return rc;
}

/* --- all of it --------------------------------------------------------------------------------- */

static enum ark_rc run(struct survey *s, struct ark_err *err)
{
	struct export_app *a = &s->h->app;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 65536);
	enum ark_rc rc = open_old(s, err);
	if (rc == ARK_OK && s->writes)
		rc = history_repo_state_begin(s->h->repo, err);
	if (rc < 0)
		return rc;
	history_state_begin(&s->lines, s->key);
	history_digest_sql(&a->scope, s->key, &sql);
	rc = db_exec(a->conn, "SET LOCAL work_mem = '32MB'", err);
	if (rc == ARK_OK)
		rc = db_copy_out_begin(a->conn, sql.data, err);
	if (rc == ARK_OK)
		rc = go_through(s, err);
	db_copy_out_end(a->conn);
	return rc == ARK_OK ? flush(s, true, err) : rc;
}

enum ark_rc history_survey(struct history *h, bool fresh, struct ark_err *err)
{
	struct survey s = { .h = h, .fresh = fresh, .writes = !h->config->export.dry_run };
	ark_auto(export_planner_freep) struct export_planner *planner =
		fresh ? export_planner_new(&h->app.sel, false, HISTORY_STRETCH_MS) : NULL;
	s.planner = planner;
	h->now = h->app.sel.channels_count;
	ark_buf_init(&s.lines, 1u << 20);
	ark_buf_init(&s.channel, 4096);
	enum ark_rc rc = run(&s, err);
	export_stream_close(s.before);
	ark_buf_release(&s.lines);
	ark_buf_release(&s.channel);
	if (rc < 0)
		return ark_err_in(err, rc, "counting the messages");
	if (planner != NULL)
		export_planner_end(planner);
	return ARK_OK;
}

/*
 * Posts into day files. In a first run each thread makes whole ones; later only posts that differ come, and are
 * put into what the newest commit has, where all others keep their lines byte by byte: a person who was
 * renamed does not change what was said before.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define DAY_MS 86400000ll
#define LAST_DAY 2932896 /* 9999-12-31 */

struct days {
	struct history *h;
	struct history_press *press;
	bool open;
	uint32_t channel, day;
	struct ark_buf content, line, old;
	uint32_t posts; /* in content */
	int64_t last_ms;
	/* What the newest commit has. */
	bool has_old;
	struct history_oid old_id;
	struct history_pieces pieces;
	struct history_piece piece;
	bool has_piece;
};

uint32_t history_day_of(int64_t ms)
{
	int64_t day = ms > 0 ? ms / DAY_MS : 0;
	return (uint32_t)(day < LAST_DAY ? day : LAST_DAY);
}

void history_day_path(enum history_form form, const struct ark_str where[2], uint32_t day, char names[HISTORY_NAMES],
                      struct history_path *out)
{
	struct ark_civil c = ark_time_civil((int64_t)day * DAY_MS);
	int n = snprintf(names, HISTORY_NAMES, "%04d%02d%02d%s", c.year, c.month, c.day, history_form_ending(form));
	*out = (struct history_path){ .part = { where[0], where[1], ark_str_n(names, 4), ark_str_n(names + 4, 2),
		                                ark_str_n(names + 6, (size_t)n - 6) }, .count = 5 };
}

/* --- one day ----------------------------------------------------------------------------------- */

static void day_head(struct days *d, struct ark_buf *to)
{
	char date[ARK_TIME_ISO];
	ark_time_iso((int64_t)d->day * DAY_MS, date);
	history_day_head((enum history_form)d->h->config->form, ark_str_n(date, 10), to);
}

static enum ark_rc next_piece(struct days *d, struct ark_err *err)
{
	enum ark_rc rc = history_pieces_next(&d->pieces, &d->piece, err);
	d->has_piece = rc == ARK_OK;
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc begin_old(struct days *d, struct ark_err *err)
{
	char names[HISTORY_NAMES];
	struct history_path path;
	struct history_entry e;
	struct history *h = d->h;
	history_day_path((enum history_form)h->config->form, h->paths[d->channel], d->day, names, &path);
	enum ark_rc rc = history_forest_get(h->forest, &path, &e, err);
	d->has_old = rc == ARK_OK && !e.is_tree;
	d->has_piece = false;
	if (rc < 0)
		return rc;
	if (!d->has_old) {
		day_head(d, &d->content);
		return ARK_OK;
	}
	struct ark_str head;
	d->old_id = e.id;
	rc = history_repo_read(h->repo, &e.id, HISTORY_BLOB, &d->old, err);
	if (rc < 0)
		return rc;
	history_pieces_begin(&d->pieces, (enum history_form)h->config->form, ark_buf_view(&d->old), &head);
	ark_buf_str(&d->content, head);
	return next_piece(d, err);
}

static enum ark_rc begin_day(struct days *d, uint32_t channel, uint32_t day, struct ark_err *err)
{
	d->open = true;
	d->channel = channel;
	d->day = day;
	d->posts = 0;
	d->last_ms = 0;
	ark_buf_reset(&d->content);
	if (d->h->forest != NULL)
		return begin_old(d, err);
	day_head(d, &d->content);
	return ARK_OK;
}

static enum ark_rc keep_piece(struct days *d, struct ark_err *err)
{
	ark_buf_str(&d->content, d->piece.all);
	d->posts++;
	return next_piece(d, err);
}

static enum ark_rc end_merged(struct days *d, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (d->has_piece && rc == ARK_OK)
		rc = keep_piece(d, err);
	history_pieces_end(&d->pieces);
	if (rc == ARK_OK)
		rc = ark_buf_ok(&d->content, "a day", err);
	bool same = d->has_old ? ark_str_eq(ark_buf_view(&d->content), ark_buf_view(&d->old)) : d->posts == 0;
	if (rc < 0 || same)
		return rc;
	char names[HISTORY_NAMES];
	struct history_path path;
	struct history_oid id;
	struct history *h = d->h;
	history_day_path((enum history_form)h->config->form, h->paths[d->channel], d->day, names, &path);
	if (d->posts > 0)
		rc = history_packs_add(h->packs, d->press, HISTORY_BLOB, ark_buf_view(&d->content), &id, err);
	return rc == ARK_OK ? history_forest_set(h->forest, &path, false, d->posts > 0 ? &id : NULL, err) : rc;
}

static enum ark_rc end_day(struct days *d, struct ark_err *err)
{
	if (!d->open)
		return ARK_OK;
	d->open = false;
	struct history *h = d->h;
	if (h->forest != NULL)
		return end_merged(d, err);
	struct history_file file = { .day = d->day, .channel = d->channel, .posts = d->posts, .last_ms = d->last_ms };
	enum ark_rc rc = ark_buf_ok(&d->content, "a day", err);
	if (rc == ARK_OK)
		rc = history_packs_add(h->packs, d->press, HISTORY_BLOB, ark_buf_view(&d->content), &file.id, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&h->app.lock);
	rc = history_sort_add(h->sort, &file, err);
	pthread_mutex_unlock(&h->app.lock);
	return rc;
}

/* --- posts ------------------------------------------------------------------------------------- */

/* Lines of the day before this one; `found`: the next one is this post's, and is taken out. */
static enum ark_rc go_to(struct days *d, const struct export_record *r, struct history_piece *was, bool *found,
                         struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && d->has_piece &&
	       (d->piece.create_ms < r->create_ms ||
	        (d->piece.create_ms == r->create_ms && ark_str_cmp(d->piece.id, r->id) < 0)))
		rc = keep_piece(d, err);
	*found = rc == ARK_OK && d->has_piece && d->piece.create_ms == r->create_ms && ark_str_eq(d->piece.id, r->id);
	if (*found) {
		*was = d->piece;
		rc = next_piece(d, err);
	}
	return rc;
}

static void count_difference(struct days *d, const struct export_record *r, const struct history_piece *was, bool found)
{
	struct history *h = d->h;
	struct history_counts *c = &h->counts[d->channel];
	if (found && ark_str_eq(was->all, ark_buf_view(&d->line)))
		return;
	if (!found)
		c->added++;
	else if (was->delete_ms == 0 && r->delete_ms > 0)
		c->deleted++;
	else if (was->edit_ms != r->edit_ms)
		c->edited++;
	else
		c->changed++;
	int64_t ms = r->update_ms > r->create_ms ? r->update_ms : r->create_ms;
	h->newest_ms = ms > h->newest_ms ? ms : h->newest_ms;
}

static enum ark_rc merge(struct days *d, const struct export_record *r, struct ark_err *err)
{
	struct history_piece was;
	bool found;
	struct history_counts *c = &d->h->counts[d->channel];
	enum ark_rc rc = go_to(d, r, &was, &found, err);
	if (rc < 0)
		return rc;
	if (r->what != EXPORT_POST) {
		c->purged += found && r->what == EXPORT_PURGED;
		c->left += found && r->what == EXPORT_LEFT;
		return ARK_OK;
	}
	ark_buf_reset(&d->line);
	history_post((enum history_form)d->h->config->form, r, &d->line);
	count_difference(d, r, &was, found);
	ark_buf_str(&d->content, ark_buf_view(&d->line));
	d->posts++;
	return ark_buf_ok(&d->line, "a message", err);
}

static enum ark_rc on_record(void *self, const struct export_record *r, struct ark_err *err)
{
	struct days *d = self;
	uint32_t channel = (uint32_t)(r->channel - d->h->app.sel.channels), day = history_day_of(r->create_ms);
	if (r->what == EXPORT_ORPHAN || (d->h->forest != NULL && !ark_str_has(d->h->paths[channel][0])))
		return ARK_OK;
	enum ark_rc rc = ARK_OK;
	if (d->open && (d->channel != channel || d->day != day))
		rc = end_day(d, err);
	if (rc == ARK_OK && !d->open)
		rc = begin_day(d, channel, day, err);
	if (rc < 0)
		return rc;
	if (d->h->forest != NULL)
		return merge(d, r, err);
	history_post((enum history_form)d->h->config->form, r, &d->content);
	d->posts++;
	d->last_ms = r->create_ms > d->last_ms ? r->create_ms : d->last_ms;
	return ARK_OK;
}

/* --- the format -------------------------------------------------------------------------------- */

static enum ark_rc on_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	(void)err;
	struct days *d = ark_calloc(1, sizeof(*d));
	d->h = run->note_ctx; /* the app is its first member */
	d->press = history_press_new();
	ark_buf_init(&d->content, LIMIT_HISTORY_DAY);
	ark_buf_init(&d->line, LIMIT_RECORD);
	ark_buf_init(&d->old, LIMIT_HISTORY_DAY);
	*self = d;
	return ARK_OK;
}

static enum ark_rc on_channel_begin(void *self, const struct export_channel *channel, struct ark_err *err)
{
	(void)self;
	(void)channel;
	(void)err;
	return ARK_OK;
}

static enum ark_rc on_channel_end(void *self, const struct export_channel *channel, struct ark_err *err)
{
	(void)channel;
	return end_day(self, err);
}

static enum ark_rc on_end(void *self, struct ark_err *err)
{
	return end_day(self, err);
}

static void on_drop(void *self)
{
	struct days *d = self;
	if (d == NULL)
		return;
	history_pieces_end(&d->pieces);
	history_press_free(d->press);
	ark_buf_release(&d->content);
	ark_buf_release(&d->line);
	ark_buf_release(&d->old);
	free(d);
}

const struct export_format HISTORY_DAYS = {
	.name = "history",
	.begin = on_begin,
	.channel_begin = on_channel_begin,
	.record = on_record,
	.channel_end = on_channel_end,
	.end = on_end,
	.drop = on_drop,
};

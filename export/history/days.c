/* Posts into day files, in a first run: each thread makes whole ones. Later ones are merge.c. */
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "export/history/history.h"

#include "common/base/banned.h"

struct days {
	struct history *h;
	struct history_press *press;
	bool open;
	uint32_t channel, day, posts;
	int64_t last_ms;
	struct history_body content;
};

uint32_t history_day_of(int64_t ms)
{
	int64_t day = ms > 0 ? ms / HISTORY_DAY_MS : 0;
	return (uint32_t)(day < HISTORY_DAYS_END ? day : HISTORY_DAYS_END - 1);
}

void history_day_path(enum history_form form, const struct ark_str where[2], uint32_t day, char names[HISTORY_NAMES],
                      struct history_path *out)
{
	struct ark_civil c = ark_time_civil((int64_t)day * HISTORY_DAY_MS);
	int n = snprintf(names, HISTORY_NAMES, "%04d%02d%02d%s", c.year, c.month, c.day, history_form_ending(form));
	*out = (struct history_path){ .part = { where[0], where[1], ark_str_n(names, 4), ark_str_n(names + 4, 2),
		                                ark_str_n(names + 6, (size_t)n - 6) }, .count = 5 };
}

/* --- one day ----------------------------------------------------------------------------------- */

static void begin_day(struct days *d, uint32_t channel, uint32_t day)
{
	char date[ARK_TIME_ISO];
	d->open = true;
	d->channel = channel;
	d->day = day;
	d->posts = 0;
	d->last_ms = 0;
	history_body_reset(&d->content);
	ark_time_iso((int64_t)day * HISTORY_DAY_MS, date);
	history_day_head((enum history_form)d->h->config->form, ark_str_n(date, 10), &d->content.text);
}

static enum ark_rc end_day(struct days *d, struct ark_err *err)
{
	if (!d->open)
		return ARK_OK;
	d->open = false;
	struct history *h = d->h;
	struct history_file file = { .day = d->day, .channel = d->channel, .posts = d->posts, .last_ms = d->last_ms };
	enum ark_rc rc = history_packs_add_body(h->packs, d->press, &d->content, &file.id, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&h->app.lock);
	rc = history_sort_add(h->sort, &file, err);
	pthread_mutex_unlock(&h->app.lock);
	return rc;
}

static enum ark_rc on_record(void *self, const struct export_record *r, struct ark_err *err)
{
	struct days *d = self;
	uint32_t channel = (uint32_t)(r->channel - d->h->app.sel.channels), day = history_day_of(r->create_ms);
	if (r->what == EXPORT_ORPHAN)
		return ARK_OK;
	enum ark_rc rc = ARK_OK;
	if (d->open && (d->channel != channel || d->day != day))
		rc = end_day(d, err);
	if (rc < 0)
		return rc;
	if (!d->open)
		begin_day(d, channel, day);
	history_post((enum history_form)d->h->config->form, r, &d->content.text);
	d->posts++;
	d->last_ms = r->create_ms > d->last_ms ? r->create_ms : d->last_ms;
	return history_body_settle(&d->content, err);
}

/* --- the format -------------------------------------------------------------------------------- */

static enum ark_rc on_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	(void)err;
	struct days *d = ark_calloc(1, sizeof(*d));
	d->h = run->note_ctx; /* the app is its first member */
	d->press = history_press_new();
	history_body_init(&d->content, io_temp_dir());
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
	history_press_free(d->press);
	history_body_release(&d->content);
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

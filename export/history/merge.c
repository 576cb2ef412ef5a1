/*
 * Days of which something may differ, as they are now: the posts of such a day beside the lines that the newest
 * commit has. Lines of posts that say the same stay byte by byte: a person who was renamed does not change what
 * was said before. What has a line and no post was purged, or left the scope.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/db/text.h"
#include "export/history/body.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define TOGETHER_RANGES 1000 /* that are asked for in one statement, */
#define TOGETHER_POSTS 4000  /* with about so many posts */
#define VANISHED_MAX 1000    /* that are looked for together */
#define YEARS_MAX 10000

struct merge {
	struct history *h;
	enum history_form form;
	struct export_reader *reader;
	struct history_alike *alike;
	/* The range whose days are gone through. */
	const struct history_range *range, *ranges_end;
	uint16_t *years;       /* that the history has of its conversation */
	size_t years_count, year_at;
	unsigned month;        /* of that year: the next one to be listed */
	uint32_t days[31];     /* that it has in the month before */
	unsigned days_count, days_at;
	uint32_t next_day;     /* all before are done */
	/* The day. */
	bool open;
	uint32_t channel, day, posts;
	struct history_body body;
	struct ark_buf line;
	bool has_old, has_piece, differs;
	struct history_old *old;
	struct history_piece piece;
	/* Gone, and not yet known where to. */
	struct ark_pool names;
	struct ark_str vanished[VANISHED_MAX];
	uint32_t vanished_from[VANISHED_MAX]; /* conversations */
	size_t vanished_count;
};

/* --- what is gone ------------------------------------------------------------------------------ */

/* Those that are in the database still have left the scope, or their day: no purge then. */
static enum ark_rc tell_vanished(struct merge *m, struct ark_err *err)
{
	struct history *h = m->h;
	ark_auto(ark_buf_release) struct ark_buf ids;
	ark_buf_init(&ids, 1u << 20);
	ark_auto(ark_map_release) struct ark_map there = { 0 };
	if (m->vanished_count == 0)
		return ARK_OK;
	db_array_begin(&ids);
	for (size_t i = 0; i < m->vanished_count; i++)
		db_array_item(&ids, m->vanished[i]);
	db_array_end(&ids);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(h->app.conn, "SELECT id FROM posts WHERE id = ANY($1::varchar[])", DB_PARAMS(ark_buf_view(&ids)),
	                          &res, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < db_rows(res); i++)
		ark_map_put(&there, db_value(res, i, 0), 1);
	for (size_t i = 0; i < m->vanished_count; i++) {
		struct history_counts *c = &h->counts[m->vanished_from[i]];
		bool left = ark_map_get(&there, m->vanished[i]) != ARK_MAP_NONE;
		c->left += left;
		c->purged += !left;
	}
	m->vanished_count = 0;
	ark_pool_release(&m->names);
	m->names = (struct ark_pool){ 0 };
	return ARK_OK;
}

static enum ark_rc next_piece(struct merge *m, struct ark_err *err)
{
	enum ark_rc rc = history_old_next(m->old, &m->piece, err);
	m->has_piece = rc == ARK_OK;
	return rc < 0 ? rc : ARK_OK;
}

/* The line that is next has no post. */
static enum ark_rc vanish(struct merge *m, struct ark_err *err)
{
	m->vanished[m->vanished_count] = ark_pool_str(&m->names, m->piece.id);
	m->vanished_from[m->vanished_count++] = m->channel;
	m->differs = true;
	enum ark_rc rc = m->vanished_count == VANISHED_MAX ? tell_vanished(m, err) : ARK_OK;
	return rc == ARK_OK ? next_piece(m, err) : rc;
}

/* --- one day ----------------------------------------------------------------------------------- */

static void day_path(const struct merge *m, char names[HISTORY_NAMES], struct history_path *out)
{
	history_day_path(m->form, m->h->paths[m->channel], m->day, names, out);
}

static enum ark_rc begin_day(struct merge *m, uint32_t channel, uint32_t day, struct ark_err *err)
{
	char names[HISTORY_NAMES], date[ARK_TIME_ISO];
	struct history_path path;
	struct history_entry e;
	struct history *h = m->h;
	m->open = true;
	m->channel = channel;
	m->day = day;
	m->posts = 0;
	m->has_piece = m->differs = false;
	history_body_reset(&m->body);
	ark_time_iso((int64_t)day * HISTORY_DAY_MS, date);
	history_day_head(m->form, ark_str_n(date, 10), &m->body.text);
	day_path(m, names, &path);
	enum ark_rc rc = history_forest_get(h->forest, &path, &e, err);
	m->has_old = rc == ARK_OK && !e.is_tree;
	if (rc < 0 || !m->has_old)
		return rc < 0 ? rc : ARK_OK;
	rc = history_old_begin(m->old, &e.id, err);
	return rc == ARK_OK ? next_piece(m, err) : rc;
}

static enum ark_rc end_day(struct merge *m, struct ark_err *err)
{
	char names[HISTORY_NAMES];
	struct history_path path;
	struct history_oid id;
	struct history *h = m->h;
	enum ark_rc rc = ARK_OK;
	if (!m->open)
		return ARK_OK;
	while (m->has_piece && rc == ARK_OK)
		rc = vanish(m, err);
	history_old_end(m->old);
	m->open = false;
	if (rc < 0 || !m->differs)
		return rc;
	day_path(m, names, &path);
	if (m->posts > 0)
		rc = history_packs_add_body(h->packs, h->press, &m->body, &id, err);
	return rc == ARK_OK ? history_forest_set(h->forest, &path, false, m->posts > 0 ? &id : NULL, err) : rc;
}

static void count_difference(struct merge *m, const struct export_record *r, bool found)
{
	struct history *h = m->h;
	struct history_counts *c = &h->counts[m->channel];
	if (!found)
		c->added++;
	else if (m->piece.delete_ms == 0 && r->delete_ms > 0)
		c->deleted++;
	else if (m->piece.edit_ms != r->edit_ms)
		c->edited++;
	else
		c->changed++;
	int64_t ms = r->update_ms > r->create_ms ? r->update_ms : r->create_ms;
	h->newest_ms = ms > h->newest_ms ? ms : h->newest_ms;
	m->differs = true;
}

/* <0: the line that is next stands before the post. */
static int order_of(const struct merge *m, const struct export_record *r)
{
	if (m->piece.create_ms != r->create_ms)
		return m->piece.create_ms < r->create_ms ? -1 : 1;
	return ark_str_cmp(m->piece.id, r->id);
}

static enum ark_rc put_post(struct merge *m, const struct export_record *r, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && m->has_piece && order_of(m, r) < 0)
		rc = vanish(m, err);
	if (rc < 0)
		return rc;
	bool found = m->has_piece && order_of(m, r) == 0;
	ark_buf_reset(&m->line);
	history_post(m->form, r, &m->line);
	rc = ark_buf_ok(&m->line, "a message", err);
	if (rc < 0)
		return rc;
	bool same = found && history_alike(m->alike, m->form, m->piece.all, &m->line);
	ark_buf_str(&m->body.text, same ? m->piece.all : ark_buf_view(&m->line));
	if (!same)
		count_difference(m, r, found);
	m->posts++;
	rc = history_body_settle(&m->body, err);
	return rc == ARK_OK && found ? next_piece(m, err) : rc;
}

/* --- days that the history has ----------------------------------------------------------------- */

static bool number(struct ark_str text, size_t digits, uint32_t *out)
{
	uint64_t v = 0;
	bool fine = text.len >= digits && ark_str_u64(ark_str_first(text, digits), &v);
	*out = (uint32_t)v;
	return fine;
}

static uint32_t day_number(unsigned year, unsigned month, unsigned day)
{
	struct ark_civil c = { .year = (int)year, .month = (int)month, .day = (int)day };
	return history_day_of(ark_time_from_civil(&c));
}

static enum ark_rc list_years(struct merge *m, struct ark_err *err)
{
	const struct ark_str *where = m->h->paths[m->range->channel];
	struct history_path path = { .part = { where[0], where[1] }, .count = 2 };
	struct history_entry e;
	struct ark_str list;
	m->years_count = m->year_at = m->days_count = m->days_at = 0;
	m->month = 1;
	enum ark_rc rc = history_forest_list(m->h->forest, &path, &list, err);
	uint32_t year;
	for (size_t at = 0; rc == ARK_OK && history_tree_next(list, &at, &e);)
		if (e.is_tree && e.name.len == 4 && number(e.name, 4, &year) && m->years_count < YEARS_MAX)
			m->years[m->years_count++] = (uint16_t)year;
	return rc;
}

/* The days of the month that is next, as far as they are not done. */
static enum ark_rc list_month(struct merge *m, struct ark_err *err)
{
	char names[16];
	unsigned year = m->years[m->year_at], month = m->month;
	const struct ark_str *where = m->h->paths[m->range->channel];
	snprintf(names, sizeof(names), "%04u%02u", year, month);
	struct history_path path = { .part = { where[0], where[1], ark_str_n(names, 4), ark_str_n(names + 4, 2) }, .count = 4 };
	struct history_entry e;
	struct ark_str list, ending = ark_str_z(history_form_ending(m->form));
	m->days_count = m->days_at = 0;
	m->year_at += month == 12;
	m->month = month == 12 ? 1 : month + 1;
	enum ark_rc rc = history_forest_list(m->h->forest, &path, &list, err);
	uint32_t day;
	for (size_t at = 0; rc == ARK_OK && m->days_count < 31 && history_tree_next(list, &at, &e);)
		if (!e.is_tree && ark_str_eq(ark_str_from(e.name, 2), ending) && number(e.name, 2, &day) && day >= 1 && day <= 31 &&
		    day_number(year, month, day) >= m->next_day)
			m->days[m->days_count++] = day_number(year, month, day);
	return rc;
}

/* The next day that the history has before `limit`; ARK_END. Months are listed in ascending order, and none that
 * begins behind it: folders that were written and left cannot be entered again. */
static enum ark_rc next_known(struct merge *m, uint32_t limit, uint32_t *day, struct ark_err *err)
{
	for (;;) {
		while (m->days_at < m->days_count && m->days[m->days_at] < m->next_day)
			m->days_at++;
		if (m->days_at < m->days_count) {
			*day = m->days[m->days_at];
			return *day < limit ? ARK_OK : ARK_END;
		}
		if (m->year_at == m->years_count || day_number(m->years[m->year_at], m->month, 1) >= limit)
			return ARK_END;
		bool past = m->month == 12 ? day_number(m->years[m->year_at] + 1u, 1, 1) <= m->next_day
		                           : day_number(m->years[m->year_at], m->month + 1, 1) <= m->next_day;
		if (past) {
			m->year_at += m->month == 12;
			m->month = m->month == 12 ? 1 : m->month + 1;
			continue;
		}
		enum ark_rc rc = list_month(m, err);
		if (rc < 0)
			return rc;
	}
}

/* Days of the range before `limit` that have lines and no posts. */
static enum ark_rc empty_days(struct merge *m, uint32_t limit, struct ark_err *err)
{
	enum ark_rc rc = end_day(m, err);
	uint32_t day;
	while (rc == ARK_OK && (rc = next_known(m, limit, &day, err)) == ARK_OK) {
		rc = begin_day(m, m->range->channel, day, err);
		m->next_day = day + 1;
		if (rc == ARK_OK)
			rc = end_day(m, err);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc begin_range(struct merge *m, struct ark_err *err)
{
	m->next_day = m->range->from_day;
	return list_years(m, err);
}

static enum ark_rc end_range(struct merge *m, struct ark_err *err)
{
	enum ark_rc rc = empty_days(m, m->range->to_day, err);
	m->range++;
	return rc == ARK_OK && m->range < m->ranges_end ? begin_range(m, err) : rc;
}

/* --- posts ------------------------------------------------------------------------------------- */

static bool in_stay(const struct export_selection *sel, uint32_t channel, int64_t ms)
{
	for (size_t i = 0; i < sel->stays_count; i++)
		if (sel->stays[i].channel == channel && ms >= sel->stays[i].from_ms && ms < sel->stays[i].to_ms)
			return true;
	return sel->scope->users.count == 0;
}

static enum ark_rc on_record(void *ctx, const struct export_record *r, struct ark_err *err)
{
	struct merge *m = ctx;
	struct history *h = m->h;
	uint32_t channel = (uint32_t)(r->channel - h->app.sel.channels), day = history_day_of(r->create_ms);
	if (r->what != EXPORT_POST || !in_stay(&h->app.sel, channel, r->create_ms))
		return ARK_OK;
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && m->range < m->ranges_end && (m->range->channel != channel || m->range->to_day <= day))
		rc = end_range(m, err);
	if (rc < 0)
		return rc;
	if (m->range == m->ranges_end || day < m->range->from_day)
		return ark_err_stop(err, ARK_KIND_DB, "posts of another day than was asked for");
	if (!m->open || m->channel != channel || m->day != day) {
		rc = empty_days(m, day, err);
		if (rc == ARK_OK)
			rc = begin_day(m, channel, day, err);
		m->next_day = day + 1;
	}
	ark_progress_count(&h->app.bar, 1, 0);
	return rc == ARK_OK ? put_post(m, r, err) : rc;
}

static enum ark_rc on_channel(void *ctx, const struct export_channel *channel, struct ark_err *err)
{
	(void)ctx;
	(void)channel;
	(void)err;
	return ARK_OK;
}

/* From the first moment of a day on; days at both ends hold what lies outside. */
static int64_t day_begin_ms(uint32_t day)
{
	return day == 0 ? INT64_MIN : day >= HISTORY_DAYS_END ? INT64_MAX : (int64_t)day * HISTORY_DAY_MS;
}

/*
 * The ids of posts in a few ranges, which the index finds: as conditions on deleteat stand between channel and time
 * in it, each kind of deleteat is asked for by itself.
 */
static void ids_sql(const struct merge *m, const struct history_range *ranges, size_t count, struct ark_buf *sql)
{
	static const char *const KINDS[] = { "x.deleteat = 0", "x.deleteat > 0", "x.deleteat < 0", "x.deleteat IS NULL" };
	ark_auto(ark_buf_release) struct ark_buf ids, from, to;
	struct ark_buf *const ALL[] = { &ids, &from, &to };
	for (size_t k = 0; k < 3; k++) {
		ark_buf_init(ALL[k], 1u << 20);
		db_array_begin(ALL[k]);
	}
	for (size_t i = 0; i < count; i++) {
		char number[DB_NUM];
		db_array_item(&ids, m->h->app.sel.channels[ranges[i].channel].id);
		db_array_item(&from, db_num(day_begin_ms(ranges[i].from_day), number));
		db_array_item(&to, db_num(day_begin_ms(ranges[i].to_day), number));
	}
	ark_buf_z(sql, "SELECT k.id FROM unnest(");
	for (size_t k = 0; k < 3; k++) {
		db_array_end(ALL[k]);
		db_literal(sql, ark_buf_view(ALL[k]));
		ark_buf_z(sql, k == 0 ? "::varchar[], " : k == 1 ? "::bigint[], " : "::bigint[]) r(c, a, b) CROSS JOIN LATERAL (");
	}
	bool deleted = !m->h->app.scope.no_deleted;
	for (size_t k = 0; k < sizeof(KINDS) / sizeof(KINDS[0]); k++)
		if (deleted || k == 0 || k == 3)
			ark_buf_fmt(sql, "%sSELECT x.id FROM posts x WHERE x.channelid = r.c AND x.createat >= r.a AND x.createat < r.b AND %s "
			                 "AND x.originalid = ''", k > 0 ? " UNION ALL " : "", KINDS[k]);
	ark_buf_z(sql, ") k");
}

static enum ark_rc read_together(struct merge *m, const struct history_range *ranges, size_t count,
                                 const struct export_sink *sink, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ids_sql(m, ranges, count, &sql);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = ark_buf_ok(&sql, "a statement", err);
	if (rc == ARK_OK)
		rc = db_query(m->h->app.conn, sql.data, DB_NO_PARAMS, &res, err);
	if (rc < 0 || db_rows(res) == 0)
		return rc;
	ark_auto(ark_freep) struct ark_str *ids = ark_calloc(db_rows(res), sizeof(ids[0]));
	for (size_t i = 0; i < db_rows(res); i++)
		ids[i] = db_value(res, i, 0);
	return export_reader_posts(m->reader, ids, db_rows(res), sink, err);
}

static enum ark_rc read_one(struct merge *m, const struct history_range *r, const struct export_sink *sink,
                            struct ark_err *err)
{
	struct export_task task = { r->channel, 1, day_begin_ms(r->from_day), day_begin_ms(r->to_day), r->posts };
	return export_reader_task(m->reader, &task, sink, err);
}

/* How many ranges from here on are read together. */
static size_t together(const struct history *h, size_t at)
{
	uint64_t posts = h->ranges[at].posts;
	size_t n = 1;
	while (at + n < h->ranges_count && n < TOGETHER_RANGES && posts + h->ranges[at + n].posts <= TOGETHER_POSTS)
		posts += h->ranges[at + n++].posts;
	return n;
}

static enum ark_rc read_ranges(struct merge *m, struct ark_err *err)
{
	struct history *h = m->h;
	struct export_sink sink = { m, on_channel, on_record, on_channel };
	enum ark_rc rc = ARK_OK;
	for (size_t at = 0, n; at < h->ranges_count && rc == ARK_OK; at += n) {
		n = together(h, at);
		m->range = &h->ranges[at];
		m->ranges_end = m->range + n;
		rc = begin_range(m, err);
		if (rc == ARK_OK && n == 1 && m->range->posts > TOGETHER_POSTS)
			rc = read_one(m, m->range, &sink, err);
		else if (rc == ARK_OK)
			rc = read_together(m, &h->ranges[at], n, &sink, err);
		while (rc == ARK_OK && m->range < m->ranges_end)
			rc = end_range(m, err);
		ark_progress_tick(&h->app.bar);
	}
	return rc == ARK_OK ? tell_vanished(m, err) : rc;
}

/* Those of conversations that have no place in the history go. */
static void drop_nowhere(struct history *h)
{
	size_t n = 0;
	for (size_t i = 0; i < h->ranges_count; i++)
		if (ark_str_has(h->paths[h->ranges[i].channel][0]))
			h->ranges[n++] = h->ranges[i];
	h->ranges_count = n;
}

/* The run's own connection answers what hangs on posts, and what became of lines without any. */
static enum ark_rc open_reader(struct merge *m, struct ark_err *err)
{
	struct export_app *a = &m->h->app;
	struct export_reader_options opt = {
		.dsn = a->place.dsn.data,
		.snapshot = a->snapshot.data,
		.db = { .app = a->tool->name, .interrupted = ark_interrupted },
		.sel = &a->sel,
		.run = &a->run,
		.side = a->conn,
	};
	enum ark_rc rc = export_by_index(a->conn, err);
	if (rc == ARK_OK && a->looks_at_files)
		rc = export_bodies_open(a, &opt.bodies, err);
	return rc == ARK_OK ? export_reader_open(&opt, &m->reader, err) : rc;
}

enum ark_rc history_merge(struct history *h, struct ark_err *err)
{
	drop_nowhere(h);
	if (h->ranges_count == 0)
		return ARK_OK;
	ark_auto(ark_freep) struct merge *m = ark_calloc(1, sizeof(*m));
	m->h = h;
	m->form = (enum history_form)h->config->form;
	m->years = ark_calloc(YEARS_MAX, sizeof(m->years[0]));
	m->alike = history_alike_new();
	m->old = history_old_new(h->repo, m->form);
	history_body_init(&m->body, io_temp_dir());
	ark_buf_init(&m->line, LIMIT_RECORD);
	enum ark_rc rc = open_reader(m, err);
	if (rc == ARK_OK)
		rc = read_ranges(m, err);
	export_reader_close(m->reader);
	history_alike_free(m->alike);
	history_old_free(m->old);
	history_body_release(&m->body);
	ark_buf_release(&m->line);
	ark_pool_release(&m->names);
	free(m->years);
	return rc;
}

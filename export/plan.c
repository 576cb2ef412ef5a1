/*
 * How many posts there are where, and the work cut from that: pieces that are large enough to be worth
 * a statement and small enough that the server sorts them in memory and all threads end together.
 *
 * One pass over posts counts everything: per channel and stretch of 30 days, so that large channels can
 * be cut at month borders without asking again.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/crypt/hash.h"
#include "common/db/binary.h"
#include "export/select.h"

#include "common/base/banned.h"

#define STRETCH_MS 2592000000ll /* 30 days */
#define TASK_POSTS 20000        /* about 8 MB of rows */
#define TASK_CHANNELS 500

enum { CHANNEL, STRETCH, ALL, COPIES, NO_TIME, OUTSIDE, DELETED, IN_SCOPE, COLUMNS };

struct stretch {
	int64_t n; /* createat / stretch_ms */
	uint64_t posts;
};

/* The stretches of the channel that is being counted. */
struct export_planner {
	struct export_selection *sel;
	bool whole;
	int64_t stretch_ms;
	struct ark_str id; /* keeps its own copy in id_text */
	char id_text[64];
	struct stretch *stretches;
	size_t count, cap;
	struct export_task *cuts; /* of large channels, unsorted */
	size_t cuts_count, cuts_cap;
};

/* --- counting ---------------------------------------------------------------------------------- */

static void counts_sql(const struct export_scope *s, struct ark_buf *sql)
{
	ark_auto(ark_buf_release) struct ark_buf inside;
	ark_buf_init(&inside, 4096);
	ark_buf_z(&inside, "p.originalid = '' AND p.createat IS NOT NULL");
	ark_auto(ark_buf_release) struct ark_buf window;
	ark_buf_init(&window, 4096);
	export_scope_time(s, " AND ", &window);
	ark_buf_fmt(sql, "COPY (SELECT p.channelid, p.createat / %lld AS stretch, count(*), "
	                 "count(*) FILTER (WHERE p.originalid <> ''), ", STRETCH_MS);
	ark_buf_z(sql, "count(*) FILTER (WHERE p.originalid = '' AND p.createat IS NULL), ");
	if (window.len > 0)
		ark_buf_fmt(sql, "count(*) FILTER (WHERE %s AND NOT (true%s)), ", inside.data, window.data);
	else
		ark_buf_z(sql, "0::bigint, ");
	if (s->no_deleted)
		ark_buf_fmt(sql, "count(*) FILTER (WHERE %s%s AND coalesce(p.deleteat, 0) <> 0), ", inside.data,
		            window.data);
	else
		ark_buf_z(sql, "0::bigint, ");
	ark_buf_fmt(sql, "count(*) FILTER (WHERE %s%s%s)", inside.data, window.data,
	            s->no_deleted ? " AND coalesce(p.deleteat, 0) = 0" : "");
	ark_buf_z(sql, " FROM posts p GROUP BY 1, 2 ORDER BY p.channelid COLLATE \"C\", 2) "
	               "TO STDOUT (FORMAT binary)");
}

/* Jobs of a cluster get channels by their id, so that all agree without talking. */
static bool other_shard(const struct export_scope *s, struct ark_str id)
{
	if (s->shards == 0)
		return false;
	struct crypt_hash *h = crypt_hash_new();
	unsigned char digest[CRYPT_SHA256_BYTES];
	crypt_sha256(h, id.ptr, id.len, digest);
	crypt_hash_free(h);
	uint32_t n = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
	return n % s->shards + 1 != s->shard;
}

static void add_cut(struct export_planner *k, struct export_task task)
{
	if (k->cuts_count == k->cuts_cap) {
		k->cuts_cap = k->cuts_cap > 0 ? k->cuts_cap * 2 : 256;
		k->cuts = ark_realloc(k->cuts, k->cuts_cap, sizeof(k->cuts[0]));
	}
	k->cuts[k->cuts_count++] = task;
}

/* The first moment of the month after the stretch that holds it begins. */
static int64_t month_after(int64_t ms)
{
	struct ark_civil c = ark_time_civil(ms < 0 ? 0 : ms);
	c = (struct ark_civil){ .year = c.month == 12 ? c.year + 1 : c.year,
		                .month = c.month == 12 ? 1 : c.month + 1, .day = 1 };
	return ark_time_from_civil(&c);
}

/* Cut a large channel: behind each stretch where enough has come together, at the next month border. */
static void cut_channel(struct export_planner *k, uint32_t channel)
{
	int64_t from = INT64_MIN;
	uint64_t posts = 0;
	for (size_t i = 0; i < k->count; i++) {
		posts += k->stretches[i].posts;
		int64_t border = month_after((k->stretches[i].n + 1) * k->stretch_ms);
		if (posts < TASK_POSTS || i + 1 == k->count || border <= from)
			continue;
		add_cut(k, (struct export_task){ channel, 1, from, border, posts });
		from = border;
		posts = 0;
	}
	add_cut(k, (struct export_task){ channel, 1, from, INT64_MAX, posts });
}

static void channel_done(struct export_planner *k)
{
	uint64_t posts = 0;
	for (size_t i = 0; i < k->count; i++)
		posts += k->stretches[i].posts;
	uint32_t channel = ark_map_get(&k->sel->channel_at, k->id);
	bool far = other_shard(k->sel->scope, k->id);
	if (channel == ARK_MAP_NONE || far) {
		k->sel->left[channel == ARK_MAP_NONE ? LEFT_SCOPE : LEFT_SHARD] += posts;
		posts = 0;
	} else {
		k->sel->channels[channel].posts = posts;
		k->sel->planned += posts;
		bool cut = !k->whole && posts > 2 * TASK_POSTS && k->sel->scope->users.count == 0;
		if (posts > 0 && cut)
			cut_channel(k, channel);
		else if (posts > 0)
			add_cut(k, (struct export_task){ channel, 1, INT64_MIN, INT64_MAX, posts });
	}
	k->count = 0;
}

void export_planner_add(struct export_planner *k, struct ark_str id, int64_t stretch, uint64_t posts)
{
	if (id.len == 0 || id.len > sizeof(k->id_text)) {
		k->sel->left[LEFT_NO_TIME] += posts;
		return;
	}
	if (!ark_str_eq(id, k->id)) {
		channel_done(k);
		memcpy(k->id_text, id.ptr, id.len);
		k->id = ark_str_n(k->id_text, id.len);
	}
	if (k->count == k->cap) {
		k->cap = k->cap > 0 ? k->cap * 2 : 64;
		k->stretches = ark_realloc(k->stretches, k->cap, sizeof(k->stretches[0]));
	}
	k->stretches[k->count++] = (struct stretch){ stretch, posts };
}

static void count_row(struct export_planner *k, const struct ark_str *f)
{
	struct export_selection *sel = k->sel;
	sel->rows += (uint64_t)db_binary_i64(f[ALL]);
	sel->left[LEFT_VERSION] += (uint64_t)db_binary_i64(f[COPIES]);
	sel->left[LEFT_NO_TIME] += (uint64_t)db_binary_i64(f[NO_TIME]);
	sel->left[LEFT_TIME] += (uint64_t)db_binary_i64(f[OUTSIDE]);
	sel->left[LEFT_DELETED] += (uint64_t)db_binary_i64(f[DELETED]);
	export_planner_add(k, db_binary_text(f[CHANNEL]), db_binary_i64(f[STRETCH]), (uint64_t)db_binary_i64(f[IN_SCOPE]));
}

/* --- tasks ------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct export_task *x = a, *y = b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

/* Small neighbours go together; custodians' channels have conditions of their own. */
static void join_tasks(struct export_planner *k)
{
	if (k->cuts_count > 0)
		qsort(k->cuts, k->cuts_count, sizeof(k->cuts[0]), by_place);
	bool alone = k->sel->scope->users.count > 0 || k->sel->scope->match.count > 0;
	size_t n = 0;
	for (size_t i = 0; i < k->cuts_count; i++) {
		struct export_task next = k->cuts[i], *last = n > 0 ? &k->cuts[n - 1] : NULL;
		bool open = next.from_ms == INT64_MIN && next.to_ms == INT64_MAX;
		if (last != NULL && !alone && open && last->from_ms == INT64_MIN && last->to_ms == INT64_MAX &&
		    last->posts + next.posts <= TASK_POSTS && next.first - last->first < TASK_CHANNELS) {
			last->count = next.first - last->first + 1;
			last->posts += next.posts;
		} else {
			k->cuts[n++] = next;
		}
	}
	k->sel->tasks = k->cuts;
	k->sel->tasks_count = n;
	k->cuts = NULL;
}

struct export_planner *export_planner_new(struct export_selection *sel, bool whole, int64_t stretch_ms)
{
	struct export_planner *k = ark_calloc(1, sizeof(*k));
	*k = (struct export_planner){ .sel = sel, .whole = whole || sel->scope->match.count > 0,
		                      .stretch_ms = stretch_ms, .id = ARK_LIT("") };
	return k;
}

void export_planner_end(struct export_planner *k)
{
	channel_done(k);
	join_tasks(k);
}

void export_planner_freep(struct export_planner **k)
{
	if (*k == NULL)
		return;
	free((*k)->stretches);
	free((*k)->cuts);
	free(*k);
	*k = NULL;
}

enum ark_rc export_plan(struct db_conn *conn, bool whole, struct export_selection *sel, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	counts_sql(sel->scope, &sql);
	ark_auto(export_planner_freep) struct export_planner *k = export_planner_new(sel, whole, STRETCH_MS);
	struct db_binary rows = { 0 };
	struct ark_str f[COLUMNS];
	enum ark_rc rc = db_copy_out_begin(conn, sql.data, err);
	while (rc == ARK_OK && (rc = db_binary_next(&rows, conn, f, COLUMNS, err)) == ARK_OK)
		count_row(k, f);
	if (rc < 0)
		return ark_err_in(err, rc, "counting the posts");
	export_planner_end(k);
	return ARK_OK;
}

#include "export/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/db/binary.h"
#include "common/io/spool.h"
#include "export/state.h"

#include "common/base/banned.h"

#define BATCH 1000        /* changed posts that are asked for together */
#define FLUSH_BYTES 65536 /* of the state that wait for the file */

enum change_kind { NEW, CHANGED, VANISHED };

/* As it waits in the spool. Fact  fixtures/mattermost/schema: posts.id is varchar(26) */
struct change {
	int64_t create_ms;
	uint8_t kind, id_len;
	char id[62];
};

/* Changes of one channel, side by side in the spool. */
struct segment {
	uint32_t channel; /* index in sel.channels */
	uint64_t first, count;
	uint64_t of[VANISHED + 1]; /* per kind */
};

struct export_changes {
	struct io_spool spool;
	uint64_t count;
	struct segment *segments;
	size_t segments_count, segments_cap;
};

void export_changes_free(struct export_changes *c)
{
	if (c == NULL)
		return;
	io_spool_close(&c->spool);
	free(c->segments);
	free(c);
}

/* --- comparing --------------------------------------------------------------------------------- */

enum { CHANNEL, CREATE, ID, UPDATE, DELETE, EDIT, COLUMNS };

struct compare {
	struct export_app *app;
	struct export_changes *changes;
	const struct export_state_place *place;
	struct ark_buf lines;
	struct export_state_reader old;
	enum ark_rc old_rc;           /* ARK_OK: old.post is there */
	struct ark_str f[COLUMNS];
	struct db_binary rows;
	enum ark_rc row_rc;
	struct ark_buf channel;       /* of the state that is written */
	bool has_channel;
};

/* The next post of the state before; checks at its end that the file is what its manifest says. */
static enum ark_rc next_old(struct compare *k, struct ark_err *err)
{
	struct ark_str line;
	k->old_rc = ARK_END;
	while (k->place->before != NULL) {
		enum ark_rc rc = export_stream_line(k->place->before, &line, err);
		if (rc < 0)
			return rc;
		if (rc == ARK_END)
			return ARK_OK;
		rc = export_state_read(&k->old, line, err);
		if (rc < 0)
			return rc;
		if (rc == ARK_OK) {
			k->old_rc = ARK_OK;
			return ARK_OK;
		}
	}
	return ARK_OK;
}

/* Whether the channel's posts of now belong to the scope, and this moment too. */
static bool row_in_scope(const struct compare *k)
{
	const struct export_selection *sel = &k->app->sel;
	uint32_t channel = ark_map_get(&sel->channel_at, k->f[CHANNEL]);
	if (channel == ARK_MAP_NONE || sel->channels[channel].posts == 0)
		return false;
	int64_t ms = db_binary_i64(k->f[CREATE]);
	bool in = sel->scope->users.count == 0;
	for (size_t i = 0; i < sel->stays_count && !in; i++)
		in = sel->stays[i].channel == channel && ms >= sel->stays[i].from_ms && ms < sel->stays[i].to_ms;
	return in;
}

static enum ark_rc next_row(struct compare *k, struct ark_err *err)
{
	do
		k->row_rc = db_binary_next(&k->rows, k->app->conn, k->f, COLUMNS, err);
	while (k->row_rc == ARK_OK && !row_in_scope(k));
	return k->row_rc < 0 ? k->row_rc : ARK_OK;
}

static enum ark_rc write_state(struct compare *k, bool all, struct ark_err *err)
{
	if (!all && k->lines.len < FLUSH_BYTES)
		return ARK_OK;
	enum ark_rc rc = k->place->write(k->place->ctx, k->lines.data, k->lines.len, err);
	ark_buf_reset(&k->lines);
	return rc;
}

/* The row of now goes into the new state. */
static enum ark_rc keep_row(struct compare *k, struct ark_err *err)
{
	if (!k->has_channel || !ark_str_eq(ark_buf_view(&k->channel), k->f[CHANNEL])) {
		const struct export_channel *c =
			&k->app->sel.channels[ark_map_get(&k->app->sel.channel_at, k->f[CHANNEL])];
		ark_buf_reset(&k->channel);
		ark_buf_str(&k->channel, k->f[CHANNEL]);
		k->has_channel = true;
		export_state_channel_line(&k->lines, c->id, c->team_path, c->channel_path);
	}
	struct export_state_post p = { db_binary_i64(k->f[CREATE]), db_binary_i64(k->f[UPDATE]),
		                       db_binary_i64(k->f[DELETE]), db_binary_i64(k->f[EDIT]), k->f[ID] };
	export_state_post_line(&k->lines, &p);
	return write_state(k, false, err);
}

static enum ark_rc note_change(struct compare *k, uint32_t channel, enum change_kind kind, int64_t create_ms,
                               struct ark_str id, struct ark_err *err)
{
	struct export_changes *c = k->changes;
	struct segment *last = c->segments_count > 0 ? &c->segments[c->segments_count - 1] : NULL;
	if (id.len > sizeof(((struct change *)0)->id))
		return ark_err_set(err, ARK_KIND_LIMIT, "a post's id is longer than any");
	if (last == NULL || last->channel != channel) {
		if (c->segments_count == c->segments_cap) {
			c->segments_cap = c->segments_cap > 0 ? 2 * c->segments_cap : 64;
			c->segments = ark_realloc(c->segments, c->segments_cap, sizeof(c->segments[0]));
		}
		last = &c->segments[c->segments_count++];
		*last = (struct segment){ .channel = channel, .first = c->count };
	}
	struct change ch = { .create_ms = create_ms, .kind = (uint8_t)kind, .id_len = (uint8_t)id.len };
	memcpy(ch.id, id.ptr, id.len);
	last->count++;
	last->of[kind]++;
	c->count++;
	return io_spool_add(&c->spool, io_temp_dir(), (const char *)&ch, sizeof(ch), err);
}

/* A channel that the state names and the scope does not: all that is known of it are its paths. */
static uint32_t lost_channel(struct compare *k)
{
	struct export_selection *sel = &k->app->sel;
	struct ark_str id = ark_buf_view(&k->old.channel);
	uint32_t at = ark_map_get(&sel->channel_at, id);
	if (at != ARK_MAP_NONE)
		return at;
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	ark_buf_fmt(&path, "%.*s~~", ARK_FMT(ark_buf_view(&k->old.channel_path)));
	export_path_safe(&path, id);
	struct export_channel c = {
		.id = ark_pool_str(&sel->strings, id),
		.name = ark_pool_str(&sel->strings, ark_buf_view(&k->old.channel_path)),
		.display_name = ARK_LIT(""), .header = ARK_LIT(""), .purpose = ARK_LIT(""), .creator_id = ARK_LIT(""),
		.team_path = ark_pool_str(&sel->strings, ark_buf_view(&k->old.team_path)),
		.channel_path = ark_pool_str(&sel->strings, ark_buf_view(&path)),
		.kind = EXPORT_UNKNOWN,
	};
	sel->channels = ark_realloc(sel->channels, sel->channels_count + 1, sizeof(sel->channels[0]));
	sel->channels[sel->channels_count] = c;
	ark_map_put(&sel->channel_at, c.id, (uint32_t)sel->channels_count);
	return (uint32_t)sel->channels_count++;
}

/* <0: the old post comes first (it is not there any more), >0: the new one does. */
static int order_of(const struct compare *k)
{
	if (k->old_rc != ARK_OK || k->row_rc != ARK_OK)
		return k->old_rc == ARK_OK ? -1 : 1;
	int order = ark_str_cmp(ark_buf_view(&k->old.channel), k->f[CHANNEL]);
	int64_t now = db_binary_i64(k->f[CREATE]);
	if (order == 0)
		order = k->old.post.create_ms < now ? -1 : k->old.post.create_ms > now;
	return order != 0 ? order : ark_str_cmp(k->old.post.id, k->f[ID]);
}

static bool differs(const struct compare *k)
{
	const struct export_state_post *p = &k->old.post;
	return p->update_ms != db_binary_i64(k->f[UPDATE]) || p->delete_ms != db_binary_i64(k->f[DELETE]) ||
	       p->edit_ms != db_binary_i64(k->f[EDIT]);
}

static enum ark_rc compare_all(struct compare *k, struct ark_err *err)
{
	enum ark_rc rc = next_old(k, err);
	if (rc == ARK_OK)
		rc = next_row(k, err);
	while (rc == ARK_OK && (k->old_rc == ARK_OK || k->row_rc == ARK_OK)) {
		int order = order_of(k);
		if (order < 0) {
			rc = note_change(k, lost_channel(k), VANISHED, k->old.post.create_ms, k->old.post.id, err);
		} else {
			if (k->place->before != NULL && (order > 0 || differs(k)))
				rc = note_change(k, ark_map_get(&k->app->sel.channel_at, k->f[CHANNEL]),
				                 order > 0 ? NEW : CHANGED, db_binary_i64(k->f[CREATE]), k->f[ID], err);
			if (rc == ARK_OK)
				rc = keep_row(k, err);
		}
		if (rc == ARK_OK && order <= 0)
			rc = next_old(k, err);
		if (rc == ARK_OK && order >= 0)
			rc = next_row(k, err);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	return rc;
}

static void rows_sql(const struct export_scope *s, struct ark_buf *sql)
{
	ark_buf_z(sql, "COPY (SELECT p.channelid, p.createat, p.id, p.updateat, p.deleteat, p.editat FROM posts p "
	               "WHERE p.originalid = '' AND p.createat IS NOT NULL");
	export_scope_time(s, " AND ", sql);
	if (s->no_deleted)
		ark_buf_z(sql, " AND coalesce(p.deleteat, 0) = 0");
	ark_buf_z(sql, " ORDER BY p.channelid COLLATE \"C\", p.createat, p.id COLLATE \"C\") TO STDOUT (FORMAT binary)");
}

static enum ark_rc compare_rows(struct compare *k, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 65536);
	rows_sql(&k->app->scope, &sql);
	ark_buf_z(&k->lines, EXPORT_STATE_HEAD "\n");
	enum ark_rc rc = db_copy_out_begin(k->app->conn, sql.data, err);
	if (rc == ARK_OK)
		rc = compare_all(k, err);
	db_copy_out_end(k->app->conn);
	return rc == ARK_OK ? write_state(k, true, err) : rc;
}

enum ark_rc export_compare(struct export_app *a, const struct export_state_place *place, struct ark_err *err)
{
	struct compare k = { .app = a, .place = place };
	export_state_reader_init(&k.old);
	ark_buf_init(&k.lines, 1u << 20);
	ark_buf_init(&k.channel, 4096);
	a->changes = k.changes = ark_calloc(1, sizeof(*k.changes));
	k.changes->spool = IO_SPOOL_NONE;
	enum ark_rc rc = compare_rows(&k, err);
	export_state_reader_release(&k.old);
	ark_buf_release(&k.lines);
	ark_buf_release(&k.channel);
	return rc < 0 ? ark_err_in(err, rc, "comparing with the run before") : ARK_OK;
}

/* --- giving ------------------------------------------------------------------------------------ */

struct giving {
	struct export_app *app;
	struct export_reader *reader;
	void *selves[EXPORT_FORMATS_MAX];
	const struct export_channel *channel;
	struct change batch[BATCH];
	bool there[BATCH]; /* a vanished one that only left the scope */
	size_t count, next; /* of the batch; next to look at */
};

static struct ark_str change_id(const struct change *c)
{
	return ark_str_n(c->id, c->id_len);
}

static enum ark_rc give_purged(struct giving *g, const struct change *c, struct ark_err *err)
{
	struct export_record r = { .what = EXPORT_PURGED, .channel = g->channel, .id = change_id(c), .create_ms = c->create_ms };
	return export_give(g->app, g->selves, &r, err);
}

/* Purged ones that come before this record (NULL: all that are left). */
static enum ark_rc give_before(struct giving *g, const struct export_record *record, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (; g->next < g->count && rc == ARK_OK; g->next++) {
		const struct change *c = &g->batch[g->next];
		if (record != NULL && (c->create_ms > record->create_ms ||
		                       (c->create_ms == record->create_ms && ark_str_cmp(change_id(c), record->id) >= 0)))
			break;
		if (c->kind == VANISHED && g->there[g->next])
			g->app->run.note(g->app->run.note_ctx, "left what is exported, but not the database", 1);
		else if (c->kind == VANISHED)
			rc = give_purged(g, c, err);
	}
	return rc;
}

static enum ark_rc on_changed(void *ctx, const struct export_record *record, struct ark_err *err)
{
	struct giving *g = ctx;
	enum ark_rc rc = give_before(g, record, err);
	return rc == ARK_OK ? export_give(g->app, g->selves, record, err) : rc;
}

/* Which of the vanished are still in the database: no purge then. */
static enum ark_rc look_for_vanished(struct giving *g, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf ids;
	ark_buf_init(&ids, 1u << 20);
	ark_auto(ark_map_release) struct ark_map at = { 0 };
	for (size_t i = 0; i < g->count; i++) {
		g->there[i] = false;
		if (g->batch[i].kind != VANISHED)
			continue;
		ark_buf_fmt(&ids, "%s\"%.*s\"", ids.len > 0 ? "," : "{", ARK_FMT(change_id(&g->batch[i])));
		ark_map_put(&at, change_id(&g->batch[i]), (uint32_t)i);
	}
	if (ids.len == 0)
		return ARK_OK;
	ark_buf_c(&ids, '}');
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(g->app->conn, "SELECT id FROM posts WHERE id = ANY($1::varchar[])",
	                          DB_PARAMS(ark_buf_view(&ids)), &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++)
		g->there[ark_map_get(&at, db_value(res, i, 0))] = true;
	return rc;
}

static enum ark_rc give_batch(struct giving *g, struct ark_err *err)
{
	struct ark_str ids[BATCH];
	size_t n = 0;
	for (size_t i = 0; i < g->count; i++)
		if (g->batch[i].kind != VANISHED)
			ids[n++] = change_id(&g->batch[i]);
	g->next = 0;
	struct export_sink sink = { .ctx = g, .record = on_changed };
	enum ark_rc rc = look_for_vanished(g, err);
	if (rc == ARK_OK && n > 0)
		rc = export_reader_posts(g->reader, ids, n, &sink, err);
	return rc == ARK_OK ? give_before(g, NULL, err) : rc;
}

static enum ark_rc give_segment(struct giving *g, const struct segment *s, struct ark_err *err)
{
	struct export_app *a = g->app;
	g->channel = &a->sel.channels[s->channel];
	enum ark_rc rc = ARK_OK;
	for (unsigned i = 0; i < a->formats_count && rc == ARK_OK; i++)
		rc = a->formats[i]->channel_begin(g->selves[i], g->channel, err);
	for (uint64_t at = 0; at < s->count && rc == ARK_OK; at += g->count) {
		g->count = s->count - at < BATCH ? (size_t)(s->count - at) : BATCH;
		rc = io_spool_read(&a->changes->spool, (s->first + at) * sizeof(struct change), (char *)g->batch,
		                   g->count * sizeof(struct change), err);
		if (rc == ARK_OK)
			rc = give_batch(g, err);
		ark_progress_tick(&a->bar);
	}
	for (unsigned i = 0; i < a->formats_count && rc == ARK_OK; i++)
		rc = a->formats[i]->channel_end(g->selves[i], g->channel, err);
	return rc;
}

enum ark_rc export_compare_give(struct export_app *a, struct ark_err *err)
{
	ark_auto(ark_freep) struct giving *g = ark_calloc(1, sizeof(*g));
	g->app = a;
	enum ark_rc rc = export_crew_prepare(a, g->selves, &g->reader, err);
	for (size_t i = 0; i < a->changes->segments_count && rc == ARK_OK; i++)
		rc = give_segment(g, &a->changes->segments[i], err);
	export_reader_close(g->reader);
	for (unsigned k = 0; k < a->formats_count; k++) {
		if (rc == ARK_OK)
			rc = a->formats[k]->end(g->selves[k], err);
		a->formats[k]->drop(g->selves[k]);
	}
	return rc;
}

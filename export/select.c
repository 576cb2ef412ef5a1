/* Which channels: filters and, for custodians, the times in which they were in them. */
#include "export/select.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/db/binary.h"
#include "common/db/text.h"
#include "export/out.h"

#include "common/base/banned.h"

enum { ID, NAME, DISPLAY, HEADER, PURPOSE, CREATOR, KIND, CREATE, UPDATE, DELETE, TEAM, TEAM_NAME,
       TEAM_DISPLAY, HISTORY, COLUMNS };

/*
 * A channel's history tells who was there from its first row on, and only if everybody who is there now
 * has an open row: imports and old servers wrote members without any.
 * Fact  docs/mattermost-facts.md "Members"
 */
static const char CHANNELS_SQL[] =
	"COPY (SELECT c.id, c.name, c.displayname, c.header, c.purpose, c.creatorid, c.type::text, c.createat, "
	"c.updateat, c.deleteat, c.teamid, t.name, t.displayname, "
	"CASE WHEN u.channelid IS NOT NULL THEN 0::bigint ELSE coalesce(h.jointime, 0) END "
	"FROM channels c LEFT JOIN teams t ON t.id = c.teamid AND c.teamid <> '' "
	"LEFT JOIN (SELECT DISTINCT m.channelid FROM channelmembers m WHERE NOT EXISTS (SELECT 1 FROM "
	"channelmemberhistory o WHERE o.channelid = m.channelid AND o.userid = m.userid AND o.leavetime IS NULL)) u "
	"ON u.channelid = c.id "
	"LEFT JOIN (SELECT channelid, min(jointime) AS jointime FROM channelmemberhistory GROUP BY channelid) h "
	"ON h.channelid = c.id) TO STDOUT (FORMAT binary)";

/* Channels that only posts know of. The index gives one channel after another; counting them out of all
 * posts would read the table. */
static const char LOST_SQL[] =
	"COPY (WITH RECURSIVE seen AS ((SELECT channelid FROM posts ORDER BY channelid LIMIT 1) UNION ALL "
	"SELECT (SELECT p.channelid FROM posts p WHERE p.channelid > seen.channelid ORDER BY p.channelid LIMIT 1) "
	"FROM seen WHERE seen.channelid IS NOT NULL) SELECT channelid FROM seen WHERE channelid <> '' "
	"AND NOT EXISTS (SELECT 1 FROM channels c WHERE c.id = seen.channelid)) TO STDOUT (FORMAT binary)";

static const char STAYS_SQL[] =
	"SELECT h.channelid, h.jointime, h.leavetime FROM channelmemberhistory h WHERE h.userid = ANY($1) "
	"UNION ALL SELECT m.channelid, -1, NULL FROM channelmembers m WHERE m.userid = ANY($1)";

const char *export_left_name(enum export_left left)
{
	static const char *const NAMES[LEFT_COUNT] = {
		[LEFT_SCOPE] = "conversation_not_in_scope", [LEFT_TIME] = "outside_the_time_window",
		[LEFT_DELETED] = "deleted", [LEFT_MATCH] = "no_match", [LEFT_SHARD] = "another_shard",
		[LEFT_VERSION] = "edit_history_copy", [LEFT_SAME] = "unchanged",
		[LEFT_NO_TIME] = "no_time_or_channel",
	};
	return NAMES[left];
}

/* --- channels ---------------------------------------------------------------------------------- */

static struct ark_str keep(struct export_selection *sel, struct ark_str field)
{
	return field.len > 0 ? ark_pool_str(&sel->strings, field) : ARK_LIT("");
}

/* Fact  docs/mattermost-facts.md "Channels"; types that are newer than this are told as unknown */
static enum export_channel_kind kind_of(struct ark_str type)
{
	if (ark_str_eqz(type, "O") || ark_str_eqz(type, "BO"))
		return EXPORT_PUBLIC;
	if (ark_str_eqz(type, "P") || ark_str_eqz(type, "BP"))
		return EXPORT_PRIVATE;
	return ark_str_eqz(type, "D") ? EXPORT_DIRECT : ark_str_eqz(type, "G") ? EXPORT_GROUP : EXPORT_UNKNOWN;
}

/* Names of teams never begin with '_', so what does cannot meet one. */
static void name_paths(struct export_selection *sel, struct export_channel *c)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, SIZE_MAX / 2);
	if (c->kind == EXPORT_DIRECT || c->kind == EXPORT_GROUP) {
		ark_buf_z(&path, "_direct");
	} else if (c->team_name.len > 0 && c->team_name.ptr[0] != '_') {
		export_path_safe(&path, c->team_name);
	} else {
		ark_buf_z(&path, "_team-");
		export_path_safe(&path, c->team_id);
	}
	c->team_path = ark_pool_str(&sel->strings, ark_buf_view(&path));
	ark_buf_reset(&path);
	export_path_safe(&path, c->name);
	c->channel_path = ark_pool_str(&sel->strings, ark_buf_view(&path));
}

static bool named(const struct ark_list *list, struct ark_str name, bool glob)
{
	ark_auto(ark_freep) char *z = ark_strdup(name);
	for (size_t i = 0; i < list->count; i++)
		if (glob ? fnmatch(list->items[i], z, 0) == 0 : ark_str_eqz(name, list->items[i]))
			return true;
	return false;
}

/* Custodians are asked later: their conversations come from their memberships. */
static bool in_scope(const struct export_scope *s, const struct export_channel *c)
{
	if (c->kind == EXPORT_DIRECT || c->kind == EXPORT_GROUP)
		return s->direct || s->users.count > 0;
	if (s->teams.count > 0 && !named(&s->teams, c->team_name, false))
		return false;
	return s->channels.count == 0 || named(&s->channels, c->name, true);
}

static void add_channel(struct export_selection *sel, const struct export_channel *c, size_t *cap)
{
	if (sel->channels_count == *cap) {
		*cap = *cap > 0 ? *cap * 2 : 256;
		sel->channels = ark_realloc(sel->channels, *cap, sizeof(sel->channels[0]));
	}
	sel->channels[sel->channels_count++] = *c;
}

static void take_channel(struct export_selection *sel, const struct ark_str *f, size_t *cap)
{
	struct export_channel c = {
		.id = f[ID],
		.name = keep(sel, f[NAME]),
		.kind = kind_of(db_binary_text(f[KIND])),
		.team_id = db_binary_text(f[TEAM]),
		.team_name = db_binary_text(f[TEAM_NAME]),
	};
	if (!in_scope(sel->scope, &c))
		return;
	c.id = keep(sel, f[ID]);
	c.display_name = keep(sel, f[DISPLAY]);
	c.header = keep(sel, f[HEADER]);
	c.purpose = keep(sel, f[PURPOSE]);
	c.creator_id = keep(sel, f[CREATOR]);
	c.create_ms = db_binary_i64(f[CREATE]);
	c.update_ms = db_binary_i64(f[UPDATE]);
	c.delete_ms = db_binary_i64(f[DELETE]);
	c.history_from_ms = db_binary_i64(f[HISTORY]);
	bool team = c.kind != EXPORT_DIRECT && c.kind != EXPORT_GROUP;
	c.team_id = team ? keep(sel, f[TEAM]) : ARK_STR_NONE;
	c.team_name = team && f[TEAM_NAME].len > 0 ? keep(sel, f[TEAM_NAME]) : ARK_STR_NONE;
	c.team_display_name = team && f[TEAM_NAME].len > 0 ? keep(sel, f[TEAM_DISPLAY]) : ARK_STR_NONE;
	name_paths(sel, &c);
	add_channel(sel, &c, cap);
}

static void take_lost(struct export_selection *sel, struct ark_str id, size_t *cap)
{
	struct ark_str name = keep(sel, id);
	struct export_channel c = { .id = name, .name = name, .display_name = ARK_LIT(""), .header = ARK_LIT(""),
		                    .purpose = ARK_LIT(""), .creator_id = ARK_LIT(""), .kind = EXPORT_UNKNOWN,
		                    .team_path = ARK_LIT("_unknown") };
	if (!in_scope(sel->scope, &c))
		return;
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, SIZE_MAX / 2);
	export_path_safe(&path, id);
	c.channel_path = ark_pool_str(&sel->strings, ark_buf_view(&path));
	add_channel(sel, &c, cap);
}

static int in_stream_order(const void *a, const void *b)
{
	const struct export_channel *x = a, *y = b;
	int order = ark_str_cmp(x->team_path, y->team_path);
	if (order == 0)
		order = ark_str_cmp(x->channel_path, y->channel_path);
	return order != 0 ? order : ark_str_cmp(x->id, y->id);
}

static void sort_channels(struct export_selection *sel)
{
	if (sel->channels_count > 0)
		qsort(sel->channels, sel->channels_count, sizeof(sel->channels[0]), in_stream_order);
	for (size_t i = 0; i < sel->channels_count; i++) {
		struct export_channel *c = &sel->channels[i], *before = i > 0 ? c - 1 : NULL;
		/* Names are unique by key; where an index is damaged the id tells them apart. */
		if (before != NULL && ark_str_eq(before->team_path, c->team_path) &&
		    ark_str_eq(before->channel_path, c->channel_path)) {
			ark_auto(ark_buf_release) struct ark_buf path;
			ark_buf_init(&path, SIZE_MAX / 2);
			ark_buf_fmt(&path, "%.*s~~%.*s", ARK_FMT(c->channel_path), ARK_FMT(c->id));
			c->channel_path = ark_pool_str(&sel->strings, ark_buf_view(&path));
		}
		ark_map_put(&sel->channel_at, c->id, (uint32_t)i);
		sel->unknown_history += c->history_from_ms == 0;
	}
}

static enum ark_rc select_channels(struct db_conn *conn, struct export_selection *sel, struct ark_err *err)
{
	struct db_binary rows = { 0 };
	struct ark_str f[COLUMNS];
	size_t cap = 0;
	enum ark_rc rc = db_copy_out_begin(conn, CHANNELS_SQL, err);
	while (rc == ARK_OK && (rc = db_binary_next(&rows, conn, f, COLUMNS, err)) == ARK_OK)
		take_channel(sel, f, &cap);
	if (rc == ARK_END && sel->scope->users.count == 0) {
		rows = (struct db_binary){ 0 };
		rc = db_copy_out_begin(conn, LOST_SQL, err);
		while (rc == ARK_OK && (rc = db_binary_next(&rows, conn, f, 1, err)) == ARK_OK)
			take_lost(sel, f[0], &cap);
	}
	if (rc < 0)
		return ark_err_in(err, rc, "reading the channels");
	sort_channels(sel);
	return ARK_OK;
}

/* --- names that were given --------------------------------------------------------------------- */

static enum ark_rc check_teams(struct db_conn *conn, const struct export_scope *scope, struct ark_err *err)
{
	for (size_t i = 0; i < scope->teams.count; i++) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		enum ark_rc rc = db_query(conn, "SELECT 1 FROM teams WHERE name = $1",
		                          DB_PARAMS(ark_str_z(scope->teams.items[i])), &res, err);
		if (rc < 0)
			return rc;
		if (db_rows(res) == 0)
			return ark_err_set(err, ARK_KIND_USAGE, "there is no team '%s'", scope->teams.items[i]);
	}
	return ARK_OK;
}

/* {id,id} of the custodians. */
static enum ark_rc custodians(const struct export_selection *sel, struct ark_buf *ids, struct ark_err *err)
{
	ark_buf_c(ids, '{');
	for (size_t i = 0; i < sel->scope->users.count; i++) {
		const char *name = sel->scope->users.items[i];
		size_t at = 0;
		while (at < sel->people_count && !ark_str_eqz(sel->people[at].user_name, name[0] == '@' ? name + 1 : name))
			at++;
		if (at == sel->people_count)
			return ark_err_set(err, ARK_KIND_USAGE, "there is no user '%s'", name);
		ark_buf_fmt(ids, "%s%.*s", i > 0 ? "," : "", ARK_FMT(sel->people[at].id));
	}
	ark_buf_c(ids, '}');
	return ARK_OK;
}

/* --- custodians -------------------------------------------------------------------------------- */

static int by_channel(const void *a, const void *b)
{
	const struct export_stay *x = a, *y = b;
	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

/* A stay, and the time before the channel's history begins: who was there then is not known, so it is
 * in scope. */
static void add_stay(struct export_selection *sel, uint32_t channel, int64_t join_ms, int64_t leave_ms)
{
	int64_t known = sel->channels[channel].history_from_ms;
	if (known == 0)
		known = INT64_MAX;
	sel->stays[sel->stays_count++] = (struct export_stay){ channel, INT64_MIN, known };
	if (join_ms >= 0 && join_ms < leave_ms && leave_ms > known)
		sel->stays[sel->stays_count++] =
			(struct export_stay){ channel, join_ms < known ? known : join_ms, leave_ms };
}

/* Overlapping ones become one. */
static void join_stays(struct export_selection *sel)
{
	if (sel->stays_count > 0)
		qsort(sel->stays, sel->stays_count, sizeof(sel->stays[0]), by_channel);
	size_t n = 0;
	for (size_t i = 0; i < sel->stays_count; i++) {
		struct export_stay *last = n > 0 ? &sel->stays[n - 1] : NULL, next = sel->stays[i];
		if (last != NULL && last->channel == next.channel && next.from_ms <= last->to_ms)
			last->to_ms = next.to_ms > last->to_ms ? next.to_ms : last->to_ms;
		else
			sel->stays[n++] = next;
	}
	sel->stays_count = n;
}

/* Channels without a stay go. */
static void keep_stayed(struct export_selection *sel)
{
	size_t n = 0, at = 0;
	ark_map_release(&sel->channel_at);
	sel->channel_at = (struct ark_map){ 0 };
	sel->unknown_history = 0;
	for (uint32_t i = 0; i < sel->channels_count; i++) {
		if (at == sel->stays_count || sel->stays[at].channel != i)
			continue;
		while (at < sel->stays_count && sel->stays[at].channel == i)
			sel->stays[at++].channel = (uint32_t)n;
		sel->channels[n] = sel->channels[i];
		ark_map_put(&sel->channel_at, sel->channels[n].id, (uint32_t)n);
		sel->unknown_history += sel->channels[n].history_from_ms == 0;
		n++;
	}
	sel->channels_count = n;
}

static enum ark_rc select_stays(struct db_conn *conn, struct export_selection *sel, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf ids;
	ark_buf_init(&ids, 1u << 20);
	enum ark_rc rc = custodians(sel, &ids, err);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	if (rc == ARK_OK)
		rc = db_query(conn, STAYS_SQL, DB_PARAMS(ark_buf_view(&ids)), &res, err);
	if (rc < 0)
		return rc;
	sel->stays = ark_calloc(2 * db_rows(res) + 1, sizeof(sel->stays[0]));
	for (size_t i = 0; i < db_rows(res); i++) {
		uint32_t channel = ark_map_get(&sel->channel_at, db_value(res, i, 0));
		if (channel != ARK_MAP_NONE)
			add_stay(sel, channel, db_i64(res, i, 1),
			         db_null(res, i, 2) ? INT64_MAX : db_i64(res, i, 2));
	}
	join_stays(sel);
	keep_stayed(sel);
	return ARK_OK;
}

/* --- conditions -------------------------------------------------------------------------------- */

void export_scope_time(const struct export_scope *scope, const char *before, struct ark_buf *sql)
{
	if (scope->has_since)
		ark_buf_fmt(sql, "%sp.createat >= %lld", before, (long long)scope->since_ms);
	if (scope->has_until)
		ark_buf_fmt(sql, "%sp.createat < %lld", before, (long long)scope->until_ms);
}

static void where_stays(const struct export_selection *sel, uint32_t channel, struct ark_buf *sql)
{
	const char *between = " AND (";
	for (size_t i = 0; i < sel->stays_count; i++) {
		const struct export_stay *s = &sel->stays[i];
		if (s->channel != channel)
			continue;
		ark_buf_z(sql, between);
		between = " OR ";
		if (s->from_ms == INT64_MIN && s->to_ms == INT64_MAX)
			ark_buf_z(sql, "true");
		else if (s->from_ms == INT64_MIN)
			ark_buf_fmt(sql, "p.createat < %lld", (long long)s->to_ms);
		else
			ark_buf_fmt(sql, "p.createat >= %lld AND p.createat < %lld", (long long)s->from_ms,
			            (long long)s->to_ms);
	}
	ark_buf_c(sql, ')');
}

void export_task_where(const struct export_selection *sel, const struct export_task *task,
                       struct ark_buf *sql)
{
	if (task->count == 1) {
		ark_buf_z(sql, "p.channelid = ");
		db_literal(sql, sel->channels[task->first].id);
		ark_buf_z(sql, " AND ");
	}
	ark_buf_z(sql, "p.createat IS NOT NULL");
	if (task->from_ms != INT64_MIN)
		ark_buf_fmt(sql, " AND p.createat >= %lld", (long long)task->from_ms);
	if (task->to_ms != INT64_MAX)
		ark_buf_fmt(sql, " AND p.createat < %lld", (long long)task->to_ms);
	export_scope_time(sel->scope, " AND ", sql);
	if (sel->scope->no_deleted)
		ark_buf_z(sql, " AND coalesce(p.deleteat, 0) = 0");
	if (sel->scope->users.count > 0)
		where_stays(sel, task->first, sql);
}

/* --- all of it --------------------------------------------------------------------------------- */

enum ark_rc export_select_scope(struct db_conn *conn, const struct mm_db_info *info,
                                const struct export_scope *scope, struct export_selection *sel, struct ark_err *err)
{
	sel->scope = scope;
	sel->info = info;
	enum ark_rc rc = check_teams(conn, scope, err);
	if (rc == ARK_OK)
		rc = export_select_people(conn, sel, err);
	if (rc == ARK_OK)
		rc = select_channels(conn, sel, err);
	if (rc == ARK_OK && scope->users.count > 0)
		rc = select_stays(conn, sel, err);
	return rc;
}

enum ark_rc export_select(struct db_conn *conn, const struct mm_db_info *info,
                          const struct export_scope *scope, bool whole, struct export_selection *sel,
                          struct ark_err *err)
{
	enum ark_rc rc = export_select_scope(conn, info, scope, sel, err);
	sel->in_order = whole;
	return rc == ARK_OK ? export_plan(conn, whole, sel, err) : rc;
}

void export_selection_release(struct export_selection *sel)
{
	free(sel->people);
	ark_map_release(&sel->person_at);
	free(sel->channels);
	free(sel->stays);
	free(sel->tasks);
	ark_map_release(&sel->channel_at);
	ark_pool_release(&sel->strings);
}

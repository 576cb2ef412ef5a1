#include "import/load/adopt.h"

#include "common/base/mem.h"
#include "common/db/text.h"
#include "common/mm/state.h"
#include "import/load/merge.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

/* ---- accounts ---- */

static void index_names(const struct load *l, struct ark_map *names)
{
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		const struct slack_person *p = &l->x->people.list[i];
		ark_auto(ark_buf_release) struct ark_buf name;
		ark_buf_init(&name, 4096);
		if (p->mm_id[0] != '\0' || !p->listed || !ark_str_has(p->name))
			continue;
		name_user(p->name, p->key, &name);
		if (ark_map_get(names, ark_buf_view(&name)) == ARK_MAP_NONE)
			ark_map_put(names, ark_buf_view(&name), i);
	}
}

enum ark_rc adopt_accounts(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map names = { 0 };
	index_names(l, &names);
	enum ark_rc rc = db_stream_begin(conn, "SELECT id, username, deleteat = 0 FROM users WHERE roles NOT LIKE "
	                                       "'%system_admin%'", DB_NO_PARAMS, err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		struct ark_str id = db_value(row, 0, 0), username = db_value(row, 0, 1);
		uint32_t person = ark_map_get(&names, username);
		if (person == ARK_MAP_NONE || id.len != MM_ID_LEN ||
		    ark_map_get(&l->usernames, username) < l->x->people.count) /* found by its address */
			continue;
		struct slack_person *p = &l->x->people.list[person];
		memcpy(p->mm_id, id.ptr, MM_ID_LEN);
		p->username = ark_pool_str(&l->strings, username);
		p->username_final = p->matched = true;
		p->active = db_bool(row, 0, 2);
		ark_map_put(&l->usernames, username, person);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

/* ---- channels ---- */

enum ark_rc adopt_channels(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map names = { 0 };
	for (uint32_t i = 0; i < l->x->convs.count; i++) {
		const struct slack_conv *c = &l->x->convs.list[i];
		ark_auto(ark_buf_release) struct ark_buf name;
		ark_buf_init(&name, 4096);
		if ((c->kind != CONV_PUBLIC && c->kind != CONV_PRIVATE) || !ark_str_has(c->name) ||
		    ark_map_get(&l->known_channels, c->id) != ARK_MAP_NONE)
			continue;
		name_channel(c->name, c->id, &name);
		ark_map_put(&names, ark_buf_view(&name), i);
	}
	enum ark_rc rc = db_stream_begin(conn, "SELECT id, name, type::text FROM channels WHERE teamid = $1 AND "
	                                       "name <> 'town-square'", DB_PARAMS(ark_str_z(l->teams[0].id)), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		uint32_t conv = ark_map_get(&names, db_value(row, 0, 1));
		if (conv == ARK_MAP_NONE || db_value(row, 0, 0).len != MM_ID_LEN)
			continue;
		const struct slack_conv *c = &l->x->convs.list[conv];
		/* what was private in Slack never goes into what everybody can read */
		if (ark_str_eqz(db_value(row, 0, 2), c->kind == CONV_PUBLIC ? "O" : "P") == false)
			continue;
		l->known = ark_realloc(l->known, l->known_count + 1, sizeof(*l->known));
		struct load_known *k = &l->known[l->known_count];
		memcpy(k->id, db_value(row, 0, 0).ptr, MM_ID_LEN);
		k->id[MM_ID_LEN] = '\0';
		k->name = ark_pool_str(&l->strings, db_value(row, 0, 1));
		ark_map_put(&l->known_channels, c->id, l->known_count++);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

/* ---- posts ---- */

enum ark_rc adopt_any(struct db_conn *conn, bool *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT EXISTS (SELECT 1 FROM matterark.slack_adopted)", DB_NO_PARAMS,
	                              &res, err);
	if (rc == ARK_OK)
		*out = db_bool(res, 0, 0);
	return rc;
}

/* The account that mmetl gives a bot which is no user of the export: one for all of its names, called after its id, or
 * after its only name when it has none; of a bot that is a user it is that one's. */
static struct ark_str foreign_bot(const struct load *l, const struct slack_person *p, struct ark_buf *name)
{
	size_t bar = ark_str_find(p->key, '|', 0); /* "B…|name"; who is known from an earlier run has only that */
	struct ark_str of = ark_str_first(p->key, bar);
	uint32_t user = ark_map_get(&l->x->people.by_bot_id, of);
	if (user != ARK_MAP_NONE)
		of = l->x->people.list[user].username;
	else if (bar != SIZE_MAX && ark_str_eqz(of, "B"))
		of = ark_str_from(p->key, bar + 1);
	ark_buf_reset(name);
	for (size_t i = 0; i < of.len; i++)
		ark_buf_c(name, of.ptr[i] >= 'A' && of.ptr[i] <= 'Z' ? (char)(of.ptr[i] + 32) : of.ptr[i]);
	return ark_buf_view(name);
}

/* ark_bot: our account of a bot and the one it has already. */
static enum ark_rc find_bots(const struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&name, 4096);
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "SELECT v.derived, u.id AS theirs FROM (VALUES ('', '')");
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		const struct slack_person *p = &l->x->people.list[i];
		if (p->kind != PERSON_BOT || p->listed || p->mm_id[0] == '\0')
			continue;
		ark_buf_z(&sql, ", (");
		db_literal(&sql, ark_str_z(p->mm_id));
		ark_buf_z(&sql, ", ");
		db_literal(&sql, foreign_bot(l, p, &name));
		ark_buf_c(&sql, ')');
	}
	ark_buf_z(&sql, ") v (derived, name) JOIN users u ON u.username = v.name AND u.id <> v.derived JOIN bots b ON "
	                "b.userid = u.id");
	enum ark_rc rc = ark_buf_ok(&sql, "the list of bots", err);
	if (rc == ARK_OK)
		rc = db_exec(conn, "DROP TABLE IF EXISTS ark_bot", err);
	return rc == ARK_OK ? merge_make(conn, "ark_bot", sql.data, err) : rc;
}

/* A bot all of whose messages were there already gets no second account. */
static enum ark_rc drop_idle_bots(struct db_conn *conn, struct ark_err *err)
{
	static const char *const STEPS[] = {
		"DELETE FROM ark_bot b USING ark_stage_posts s WHERE s.userid = b.derived",
		"DELETE FROM ark_stage_users s USING ark_bot b WHERE s.id = b.derived",
		"DELETE FROM ark_stage_slack_user s USING ark_bot b WHERE s.user_id = b.derived",
	};
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]) && rc == ARK_OK; i++)
		rc = db_exec(conn, STEPS[i], err);
	return rc;
}

enum ark_rc adopt_translate(const struct load *l, struct db_conn *conn, struct ark_err *err)
{
	static const char *const COLUMNS[][2] = {
		{ "ark_stage_posts", "id" },            { "ark_stage_posts", "rootid" },
		{ "ark_stage_slack_post", "post_id" },  { "ark_stage_reactions", "postid" },
		{ "ark_stage_slack_file", "post_id" },  { "ark_stage_slack_reaction", "post_id" },
		{ "ark_stage_threadmemberships", "postid" },
	};
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < sizeof(COLUMNS) / sizeof(COLUMNS[0]) && rc == ARK_OK; i++) {
		ark_buf_reset(&sql);
		ark_buf_fmt(&sql, "UPDATE %s t SET %s = a.post_id FROM matterark.slack_adopted a WHERE t.%s = "
		            "a.derived_id", COLUMNS[i][0], COLUMNS[i][1], COLUMNS[i][1]);
		rc = db_exec(conn, sql.data, err);
	}
	if (rc == ARK_OK)
		rc = find_bots(l, conn, err);
	if (rc == ARK_OK)
		rc = db_exec(conn,
		             "UPDATE ark_stage_posts s SET userid = b.theirs FROM ark_bot b, posts p, matterark.slack_adopted "
		             "a WHERE a.post_id = s.id AND p.id = s.id AND p.userid = b.theirs AND s.userid = b.derived", err);
	return rc == ARK_OK ? drop_idle_bots(conn, err) : rc;
}

/* Other importers round the ms, move posts of one ms apart, and write other Markdown: of the text letters
 * and digits count. Where exactly one message and one post agree in everything else, that is enough. */
#define PLAIN(x) "regexp_replace(lower(" x "), '[^[:alnum:]]+', '', 'g')"
#define NEAR_MS "5"

/* One round: each message takes its best post when it is the best for that post too. */
static enum ark_rc pair(const struct load *l, struct db_conn *conn, uint64_t *n, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "WITH near AS (SELECT s.id AS derived, p.id, " PLAIN("s.message") " = " PLAIN("p.message")
	            " AS same, abs(p.createat - s.createat) AS away FROM ark_stage_posts s JOIN "
	            "ark_stage_slack_post k ON k.post_id = s.id AND k.ordinal >= 0 JOIN LATERAL (SELECT s.userid "
	            "AS id UNION ALL SELECT b.theirs FROM ark_bot b WHERE b.derived = s.userid) author ON true JOIN "
	            "posts p ON p.channelid = s.channelid AND p.userid = author.id AND p.createat BETWEEN s.createat - "
	            NEAR_MS " AND s.createat + " NEAR_MS " AND p.originalid = '' WHERE NOT EXISTS (SELECT 1 FROM "
	            "matterark.slack_post w WHERE w.post_id IN (s.id, p.id)) AND NOT EXISTS (SELECT 1 FROM "
	            "matterark.slack_adopted a WHERE a.derived_id = s.id OR a.post_id = p.id)), ranked AS (SELECT "
	            "*, row_number() OVER (PARTITION BY derived ORDER BY same DESC, away, id) AS mine, "
	            "row_number() OVER (PARTITION BY id ORDER BY same DESC, away, derived) AS theirs, count(*) "
	            "OVER (PARTITION BY derived) + count(*) OVER (PARTITION BY id) = 2 AS alone FROM near) INSERT "
	            "INTO matterark.slack_adopted (derived_id, post_id, run) SELECT derived, id, %lld FROM ranked "
	            "WHERE mine = 1 AND theirs = 1 AND (same OR alone)", (long long)l->run_no);
	return db_run(conn, sql.data, DB_NO_PARAMS, n, err);
}

enum ark_rc adopt_posts(const struct load *l, struct db_conn *conn, struct load_outcome *out,
                        struct ark_err *err)
{
	uint64_t n = 0;
	enum ark_rc rc = find_bots(l, conn, err);
	do {
		rc = rc < 0 ? rc : pair(l, conn, &n, err);
		out->posts_adopted += rc == ARK_OK ? n : 0;
	} while (rc == ARK_OK && n > 0);
	if (rc == ARK_OK)
		rc = adopt_translate(l, conn, err);
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "INSERT INTO matterark.slack_post (post_id, channel_id, ts, ordinal, part, run, source, written, "
	            "note) SELECT k.post_id, k.channel_id, k.ts, k.ordinal, k.part, k.run, k.source, "
	            MM_POST_WRITTEN_SQL ", NULL FROM ark_stage_slack_post k JOIN posts p ON p.id = k.post_id JOIN "
	            "matterark.slack_adopted a ON a.post_id = k.post_id WHERE a.run = %lld", (long long)l->run_no);
	return rc < 0 ? rc : db_exec(conn, sql.data, err);
}

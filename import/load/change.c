#include "import/load/change.h"

#include "common/base/limits.h"

#include "common/base/banned.h"

/* Fact: docs/mattermost-facts.md "Tables"; our own in common/mm/state.c */
static const struct change_table TABLES[CHANGE_TABLES] = {
	{ "teams", { "id" } },
	{ "users", { "id" } },
	{ "bots", { "userid" } },
	{ "publicchannels", { "id" } },
	{ "teammembers", { "teamid", "userid" } },
	{ "channelmemberhistory", { "channelid", "userid", "jointime" } },
	{ "preferences", { "userid", "category", "name" } },
	{ "sidebarcategories", { "id", "userid" } }, /* the id alone is the key */
	{ "reactions", { "postid", "userid", "emojiname" } },
	{ "threadmemberships", { "postid", "userid" } },
	{ "fileinfo", { "id" } },
	{ "emoji", { "id" } },
	{ "matterark.slack_user", { "workspace", "slack_id" } },
	{ "matterark.slack_channel", { "workspace", "slack_id" } },
	{ "matterark.slack_post", { "post_id" } },
	{ "matterark.slack_reaction", { "post_id", "user_id", "emoji" } },
	{ "matterark.slack_file", { "file_id" } },
	/* last, because people wait for these rows, and in the order in which servers take them */
	{ "threads", { "postid" } },
	{ "posts", { "id" } },
	{ "channelmembers", { "channelid", "userid" } },
	{ "channels", { "id" } },
};

/* NULL for a table that has no entry. */
const struct change_table *change_table(struct ark_str name)
{
	for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]); i++)
		if (ark_str_eqz(name, TABLES[i].name))
			return &TABLES[i];
	return NULL;
}

const struct change_table *change_table_at(size_t n)
{
	return n < sizeof(TABLES) / sizeof(TABLES[0]) ? &TABLES[n] : NULL;
}

static const struct change_table *need(const char *name)
{
	const struct change_table *t = change_table(ark_str_z(name));
	if (t == NULL)
		ark_bug("changes of table %s are not noted", name);
	return t;
}

/* ARRAY[t.a::text, t.b::text]; `prefix` is "t." */
static void change_key_sql(const struct change_table *table, const char *prefix, struct ark_buf *sql)
{
	ark_buf_z(sql, "ARRAY[");
	for (int i = 0; table->keys[i] != NULL; i++)
		ark_buf_fmt(sql, "%s%s%s::text", i > 0 ? ", " : "", prefix, table->keys[i]);
	ark_buf_c(sql, ']');
}

/* Times stand in keys too, and key[] is text. */
void change_match_sql(const struct change_table *table, const char *prefix, const char *key,
                      struct ark_buf *sql)
{
	for (int i = 0; table->keys[i] != NULL; i++)
		ark_buf_fmt(sql, "%s%s%s%s = %s[%d]", i > 0 ? " AND " : "", prefix, table->keys[i],
		            strcmp(table->keys[i], "jointime") == 0 ? "::text" : "", key, i + 1);
}

/* jsonb of the columns that are set; as the row `t` has them now */
static void content_sql(const struct change_set *set, struct ark_buf *sql)
{
	ark_buf_z(sql, "jsonb_build_object(");
	for (int i = 0; set[i].column != NULL; i++)
		ark_buf_fmt(sql, "%s'%s', t.%s", i > 0 ? ", " : "", set[i].column, set[i].column);
	ark_buf_c(sql, ')');
}

static void which_sql(const struct change_update *u, const char *joint, struct ark_buf *sql)
{
	if (u->from != NULL)
		ark_buf_fmt(sql, "%s%s", joint, u->from);
	ark_buf_fmt(sql, " WHERE %s", u->where);
}

/* In a statement of its own, because the next one sees what people wrote until they were locked. */
static void lock_sql(const struct change_update *u, struct ark_buf *sql)
{
	ark_buf_fmt(sql, "SELECT count(*) FROM (SELECT 1 FROM %s t", u->table);
	which_sql(u, ", ", sql);
	ark_buf_z(sql, " FOR UPDATE OF t) x");
}

static void set_sql(int64_t run_no, const struct change_update *u, struct ark_buf *sql)
{
	const struct change_table *table = need(u->table);
	ark_buf_z(sql, "WITH held AS (SELECT DISTINCT ");
	change_key_sql(table, "t.", sql);
	ark_buf_z(sql, " AS key, ");
	content_sql(u->set, sql);
	ark_buf_fmt(sql, " AS before FROM %s t", u->table);
	which_sql(u, ", ", sql);
	ark_buf_fmt(sql, "), done AS (UPDATE %s t SET ", u->table);
	for (int i = 0; u->set[i].column != NULL; i++)
		ark_buf_fmt(sql, "%s%s = %s", i > 0 ? ", " : "", u->set[i].column, u->set[i].value);
	which_sql(u, " FROM ", sql);
	ark_buf_z(sql, " RETURNING ");
	change_key_sql(table, "t.", sql);
	ark_buf_z(sql, " AS key, ");
	content_sql(u->set, sql);
	ark_buf_fmt(sql, " AS after) INSERT INTO matterark.change (run, tbl, key, before, after) SELECT %lld, '%s', h.key, "
	            "h.before, d.after FROM done d JOIN held h USING (key)", (long long)run_no, u->table);
}

void change_update_sql(int64_t run_no, const struct change_update *u, struct ark_buf *sql)
{
	lock_sql(u, sql);
	ark_buf_z(sql, "; ");
	set_sql(run_no, u, sql);
	ark_buf_z(sql, "; ");
}

enum ark_rc change_update(struct db_conn *conn, int64_t run_no, const struct change_update *u,
                          uint64_t *affected, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	lock_sql(u, &sql);
	uint64_t n = 0;
	enum ark_rc rc = db_exec(conn, sql.data, err);
	ark_buf_reset(&sql);
	set_sql(run_no, u, &sql);
	if (rc == ARK_OK)
		rc = db_run(conn, sql.data, DB_NO_PARAMS, &n, err);
	if (affected != NULL)
		*affected += n;
	return rc < 0 ? ark_err_in(err, rc, "update of %s", u->table) : rc;
}

enum ark_rc change_delete(struct db_conn *conn, int64_t run_no, const char *table, const char *from,
                          const char *where, uint64_t *affected, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "WITH gone AS (DELETE FROM %s t USING %s WHERE %s RETURNING t.*) INSERT INTO "
	            "matterark.change (run, tbl, key, before) SELECT %lld, '%s', ", table, from, where,
	            (long long)run_no, table);
	change_key_sql(need(table), "g.", &sql);
	ark_buf_z(&sql, ", to_jsonb(g) FROM gone g");
	uint64_t n = 0;
	enum ark_rc rc = db_run(conn, sql.data, DB_NO_PARAMS, &n, err);
	if (affected != NULL)
		*affected += n;
	return rc < 0 ? ark_err_in(err, rc, "delete from %s", table) : rc;
}

/* `count`: how many were made is selected; else they are only noted. */
static void insert_sql(int64_t run_no, const char *table, const char *insert, const char *which, bool count,
                       struct ark_buf *sql)
{
	const struct change_table *t = need(table);
	ark_buf_fmt(sql, "WITH made AS (%s RETURNING ", insert);
	for (int i = 0; t->keys[i] != NULL; i++)
		ark_buf_fmt(sql, "%s%s", i > 0 ? ", " : "", t->keys[i]);
	ark_buf_fmt(sql, ")%s INSERT INTO matterark.change (run, tbl, key) SELECT %lld, '%s', ", count ? ", noted AS (" : "",
	            (long long)run_no, table);
	change_key_sql(t, "m.", sql);
	ark_buf_fmt(sql, " FROM made m WHERE %s%s", which != NULL ? which : "true",
	            count ? ") SELECT count(*) FROM made" : "; ");
}

void change_insert_sql(int64_t run_no, const char *table, const char *insert, struct ark_buf *sql)
{
	insert_sql(run_no, table, insert, NULL, false, sql);
}

enum ark_rc change_insert(struct db_conn *conn, int64_t run_no, const char *table, const char *insert,
                          const char *which, uint64_t *affected, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_buf_init(&sql, LIMIT_SQL);
	insert_sql(run_no, table, insert, which, true, &sql);
	enum ark_rc rc = db_query_one(conn, sql.data, DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK && affected != NULL)
		*affected += (uint64_t)db_i64(res, 0, 0);
	return rc < 0 ? ark_err_in(err, rc, "insert into %s", table) : rc;
}

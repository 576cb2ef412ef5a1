#include "import/load/verify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/mm/state.h"
#include "import/load/base.h"
#include "import/load/live.h"

#include "common/base/banned.h"

/*
 * One row per staged post that is not exactly there. A post that we wrote and that is not as we wrote
 * it any more was changed by people; one that we wrote and that is gone was purged by them.
 * Times: a post that came with a later archive may stand a few milliseconds behind its place.
 */
static const char POSTS[] =
    "SELECT x.kind, coalesce(c.name, ''), x.ts, x.id FROM (SELECT CASE "
    "WHEN p.id IS NULL AND w.post_id IS NULL AND (EXISTS (SELECT 1 FROM matterark.slack_post r LEFT JOIN "
    "posts root ON root.id = r.post_id WHERE r.post_id = s.rootid AND (root.id IS NULL OR root.deleteat > 0)) "
    "OR EXISTS (SELECT 1 FROM matterark.slack_user a WHERE a.user_id = s.userid AND NOT EXISTS (SELECT 1 FROM "
    "users u WHERE u.id = a.user_id))) THEN 'left_out_here' "
    "WHEN p.id IS NULL AND w.post_id IS NULL THEN 'missing' "
    "WHEN p.id IS NULL OR p.deleteat > 0 THEN 'deleted_here' "
    "WHEN p.userid <> s.userid THEN 'author' "
    "WHEN p.createat NOT BETWEEN s.createat AND s.createat + 1000 THEN 'time' "
    "WHEN p.rootid <> s.rootid THEN 'thread' "
    "WHEN w.post_id IS NULL OR " MM_POST_WRITTEN_SQL " <> w.written THEN 'changed_here' "
    "WHEN p.message <> s.message AND EXISTS (SELECT 1 FROM matterark.slack_adopted a WHERE a.post_id = p.id) "
    "THEN NULL "
    "WHEN p.message <> s.message AND w.source = k.source THEN 'text' "
    "WHEN p.message <> s.message THEN 'newer_here' END AS kind, k.channel_id, k.ts, s.id "
    "FROM ark_stage_posts s JOIN ark_stage_slack_post k ON k.post_id = s.id "
    "LEFT JOIN posts p ON p.id = s.id LEFT JOIN matterark.slack_post w ON w.post_id = s.id) x "
    "LEFT JOIN channels c ON c.id = x.channel_id WHERE kind IS NOT NULL ORDER BY x.kind, x.ts, x.id";

static const char REACTIONS[] =
    "SELECT CASE WHEN w.post_id IS NULL THEN 'reaction_missing' ELSE 'reaction_removed_here' END, "
    "coalesce(c.name, ''), k.ts, s.postid FROM ark_stage_reactions s "
    "JOIN ark_stage_slack_post k ON k.post_id = s.postid "
    "LEFT JOIN channels c ON c.id = s.channelid "
    "LEFT JOIN reactions r ON r.postid = s.postid AND r.userid = s.userid AND "
    "r.emojiname = s.emojiname AND coalesce(r.deleteat, 0) = 0 "
    "LEFT JOIN matterark.slack_reaction w ON w.post_id = s.postid AND w.user_id = s.userid AND "
    "w.emoji = s.emojiname WHERE r.postid IS NULL AND EXISTS (SELECT 1 FROM posts p WHERE "
    "p.id = s.postid AND p.deleteat = 0) ORDER BY 1, 3, 4";

/* Staged is what a post says while none of its files is here: what is attached has no note. */
static const char ATTACHED[] =
    "UPDATE ark_stage_posts s SET message = x.body || CASE WHEN x.note IS NULL THEN '' WHEN x.body = '' THEN "
    "x.note ELSE E'\\n\\n' || x.note END FROM (SELECT f.post_id, string_agg(f.note, E'\\n' ORDER BY f.place, "
    "f.file_id) FILTER (WHERE w.attached IS NOT TRUE) AS note, CASE WHEN length(p.message) > "
    "length(k.note) + 1 THEN left(p.message, length(p.message) - length(k.note) - 2) ELSE '' END AS body "
    "FROM ark_stage_slack_file f JOIN ark_stage_slack_post k ON k.post_id = f.post_id JOIN "
    "ark_stage_posts p ON p.id = f.post_id LEFT JOIN matterark.slack_file w ON w.file_id = f.file_id "
    "GROUP BY f.post_id, p.message, k.note HAVING bool_or(w.attached)) x WHERE s.id = x.post_id";

static const char FILES[] =
    "SELECT CASE WHEN i.id IS NULL THEN 'file_missing' ELSE 'file_removed_here' END, coalesce(c.name, ''), "
    "k.ts, s.post_id FROM ark_stage_slack_file s JOIN ark_stage_slack_post k ON k.post_id = s.post_id "
    "JOIN matterark.slack_file w ON w.file_id = s.file_id AND w.attached LEFT JOIN channels c ON c.id = "
    "k.channel_id LEFT JOIN fileinfo i ON i.id = s.file_id AND i.postid = s.post_id WHERE "
    "(i.id IS NULL OR i.deleteat > 0) AND EXISTS (SELECT 1 FROM posts p WHERE p.id = s.post_id AND "
    "p.deleteat = 0) ORDER BY 1, 3, 4";

struct counting {
	struct verify_result *out;
	void (*line)(void *ctx, const char *kind, struct ark_str channel, int64_t ts_us,
	             struct ark_str post_id, bool failure);
	void *ctx;
};

static void take(struct counting *c, const struct db_result *row)
{
	static const struct {
		const char *kind;
		size_t at;
		bool failure;
	} KINDS[] = {
#define FIELD(f) offsetof(struct verify_result, f)
		{ "missing", FIELD(missing), true },
		{ "author", FIELD(author), true },
		{ "time", FIELD(time), true },
		{ "thread", FIELD(thread), true },
		{ "text", FIELD(text), true },
		{ "reaction_missing", FIELD(reactions_missing), true },
		{ "changed_here", FIELD(changed_here), false },
		{ "newer_here", FIELD(changed_here), false },
		{ "deleted_here", FIELD(deleted_here), false },
		{ "left_out_here", FIELD(left_out_here), false },
		{ "reaction_removed_here", FIELD(reactions_removed_here), false },
		{ "file_missing", FIELD(files_missing), true },
		{ "file_removed_here", FIELD(files_removed_here), false },
	};
	struct ark_str kind = db_value(row, 0, 0);
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
		if (!ark_str_eqz(kind, KINDS[i].kind))
			continue;
		uint64_t *n = (uint64_t *)(void *)((char *)c->out + KINDS[i].at);
		if (++*n <= 10000)
			c->line(c->ctx, KINDS[i].kind, db_value(row, 0, 1), db_i64(row, 0, 2),
			        db_value(row, 0, 3), KINDS[i].failure);
		return;
	}
	ark_bug("unknown difference");
}

static enum ark_rc walk(struct db_conn *conn, const char *sql, struct counting *c, struct ark_err *err)
{
	enum ark_rc rc = db_stream_begin(conn, sql, DB_NO_PARAMS, err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc == ARK_OK)
			take(c, row);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

static enum ark_rc count(struct load *l, struct db_conn *conn, struct verify_result *out,
                         struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT (SELECT count(*) FROM ark_stage_posts), (SELECT count(*) FROM "
	                              "ark_stage_reactions), (SELECT count(*) FROM matterark.slack_post w "
	                              "WHERE w.channel_id IN (SELECT channel_id FROM matterark.slack_channel "
	                              "WHERE workspace = $1) AND NOT EXISTS (SELECT 1 FROM "
	                              "ark_stage_slack_post k WHERE k.post_id = w.post_id)), (SELECT "
	                              "coalesce(sum(" MM_STATE_LEFT_SQL "), 0) FROM matterark.run r)",
	                              DB_PARAMS(l->workspace), &res, err);
	if (rc == ARK_OK) {
		out->messages = (uint64_t)db_i64(res, 0, 0);
		out->reactions = (uint64_t)db_i64(res, 0, 1);
		out->elsewhere = (uint64_t)db_i64(res, 0, 2);
		out->unfinished = (uint64_t)db_i64(res, 0, 3);
	}
	return rc;
}

static bool has_none(void *ctx, const char *table, const char *column)
{
	(void)ctx;
	(void)table;
	(void)column;
	return false;
}

/* ---- scope ---- */

struct scope {
	struct load_job job;
	const char **channels;
	struct db_result *run, *globs; /* what the strings borrow from */
};

static void scope_release(struct scope *s)
{
	free(s->channels);
	db_result_free(s->run);
	db_result_free(s->globs);
}

static bool has_scope(const struct load_job *job)
{
	return job->set.channels_count > 0 || job->set.no_direct || job->set.into_channel != NULL ||
	       job->translate.no_joins || job->translate.skip_bots || job->translate.since_us != 0 ||
	       job->translate.until_us != 0;
}

static enum ark_rc find_scope(struct scope *s, struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf names;
	ark_auto(ark_buf_release) struct ark_buf clean;
	ark_buf_init(&names, 1u << 20);
	ark_buf_init(&clean, 4u << 20);
	base_archive_names(l, &names);
	ark_utf8_clean(&clean, ark_buf_view(&names));
	enum ark_rc rc = db_query(conn,
	                          "SELECT r.run, r.options ->> 'since_us', r.options ->> 'until_us', "
	                          "(r.options ->> 'no_direct')::boolean, (r.options ->> 'no_joins')::boolean, "
	                          "(r.options ->> 'skip_bots')::boolean, coalesce(r.options ->> 'into_channel', ''), "
	                          "r.run_no FROM matterark.run r JOIN teams t ON t.id = r.team_id WHERE (t.name = $1 OR "
	                          "$1 IS NULL) AND r.undone IS NULL ORDER BY r.archives @> $2::jsonb DESC, r.run_no DESC LIMIT 1",
	                          DB_PARAMS(ark_str_z(l->set.team), ark_buf_view(&clean)), &s->run, err);
	if (rc < 0 || db_rows(s->run) == 0)
		return rc;
	return db_query(conn, "SELECT jsonb_array_elements_text(options -> 'channels') FROM matterark.run WHERE "
	                      "run_no = $1::int", DB_PARAMS(db_value(s->run, 0, 7)), &s->globs, err);
}

/* The job with the scope of the run that brought this. */
static enum ark_rc take_scope(struct scope *s, struct load *l, struct db_conn *conn,
                              struct verify_result *out, struct ark_err *err)
{
	if (has_scope(&s->job))
		return ARK_OK;
	enum ark_rc rc = find_scope(s, l, conn, err);
	if (rc < 0 || db_rows(s->run) == 0)
		return rc;
	snprintf(out->run, sizeof(out->run), "%.*s", ARK_FMT(db_value(s->run, 0, 0)));
	s->job.translate.since_us = db_i64(s->run, 0, 1);
	s->job.translate.until_us = db_i64(s->run, 0, 2);
	s->job.set.no_direct = db_bool(s->run, 0, 3);
	s->job.translate.no_joins = db_bool(s->run, 0, 4);
	s->job.translate.skip_bots = db_bool(s->run, 0, 5);
	struct ark_str into = db_value(s->run, 0, 6);
	s->job.set.into_channel = into.len > 0 ? ark_pool_str(&l->strings, into).ptr : NULL;
	s->channels = ark_calloc(db_rows(s->globs) + 1, sizeof(*s->channels));
	for (size_t i = 0; i < db_rows(s->globs); i++)
		s->channels[i] = ark_pool_str(&l->strings, db_value(s->globs, i, 0)).ptr;
	s->job.set.channels = db_rows(s->globs) > 0 ? s->channels : NULL;
	s->job.set.channels_count = db_rows(s->globs);
	l->set = s->job.set;
	return ARK_OK;
}

enum ark_rc load_verify(const struct load_job *job, struct load *l, struct verify_result *out,
                        void (*line)(void *ctx, const char *kind, struct ark_str channel,
                                     int64_t ts_us, struct ark_str post_id, bool failure),
                        void *ctx, struct ark_err *err)
{
	*out = (struct verify_result){ 0 };
	l->set = job->set;
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	struct load_outcome outcome = { 0 };
	enum ark_rc rc = db_open(job->dsn, &job->db, &conn, err);
	if (rc == ARK_OK)
		rc = db_txn_begin(&txn, conn, "", err); /* temporary tables only; rolled back at the end */
	bool state = false;
	if (rc == ARK_OK)
		rc = mm_state_exists(conn, &state, err);
	if (rc == ARK_OK && !state) {
		ark_err_set(err, ARK_KIND_REFUSED, "nothing was imported into this database yet");
		return ARK_FAIL;
	}
	ark_auto(scope_release) struct scope scope = { .job = *job };
	if (rc == ARK_OK)
		rc = take_scope(&scope, l, conn, out, err);
	if (rc < 0)
		return rc;
	ark_auto(sink_release) struct sink sink;
	sink_init(&sink, l->set.temp_dir, SINK_NOWHERE, has_none, NULL);
	rc = load_stage(&scope.job, l, conn, &sink, &outcome, err);
	if (rc < 0)
		return rc;
	rc = db_exec(conn, "ANALYZE ark_stage_posts; ANALYZE ark_stage_slack_post; "
	                   "ANALYZE ark_stage_reactions", err);
	if (rc == ARK_OK)
		rc = db_exec(conn, ATTACHED, err);
	struct counting c = { out, line, ctx };
	if (rc == ARK_OK)
		rc = count(l, conn, out, err);
	if (rc == ARK_OK)
		rc = walk(conn, POSTS, &c, err);
	if (rc == ARK_OK)
		rc = walk(conn, REACTIONS, &c, err);
	if (rc == ARK_OK)
		rc = walk(conn, FILES, &c, err);
	return rc;
}

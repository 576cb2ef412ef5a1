#include "import/fetch/fetch.h"

#include <stdio.h>

#include "import/fetch/archive.h"

#include "common/base/banned.h"

/* Ids that are looked up in memory; of more, the ledger is asked one by one. */
#define WANTED_IN_MEMORY 100000

struct wanted {
	uint64_t files, ids, bytes;
	struct ark_map map;
};

static void wanted_release(struct wanted *w)
{
	ark_map_release(&w->map);
}

static enum ark_rc find_wanted(const struct fetch_job *job, struct wanted *w, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(job->conn,
	                              "SELECT coalesce(sum(n), 0), count(*), coalesce(sum(size), 0) FROM (SELECT "
	                              "count(*) AS n, max(size) AS size FROM matterark.slack_file WHERE workspace "
	                              "= $1 AND state IN ('wanted', 'missing') GROUP BY slack_id) x",
	                              DB_PARAMS(job->workspace), &res, err);
	if (rc < 0)
		return rc;
	w->files = (uint64_t)db_i64(res, 0, 0);
	w->ids = (uint64_t)db_i64(res, 0, 1);
	w->bytes = (uint64_t)db_i64(res, 0, 2);
	if (w->ids == 0 || w->ids > WANTED_IN_MEMORY)
		return ARK_OK;
	rc = db_stream_begin(job->conn,
	                     "SELECT DISTINCT slack_id FROM matterark.slack_file WHERE workspace = $1 AND state IN "
	                     "('wanted', 'missing')", DB_PARAMS(job->workspace), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(job->conn, &row, err);
		if (rc == ARK_OK)
			ark_map_put(&w->map, db_value(row, 0, 0), 1);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

static enum ark_rc no_tick(void *ctx, uint64_t files, uint64_t bytes, struct ark_err *err)
{
	(void)ctx, (void)files, (void)bytes, (void)err;
	return ARK_OK;
}

static enum ark_rc archives(const struct fetch_job *job, const struct wanted *w, struct keeper *k,
                            struct ark_err *err)
{
	if (job->x == NULL || job->x->bodies.count == 0 || job->from == FETCH_DOWNLOAD)
		return ARK_OK;
	if (job->begin != NULL)
		job->begin(job->ctx, "files", w->ids, w->bytes);
	struct from_archive from = { .x = job->x, .wanted = w->map.count > 0 ? &w->map : NULL,
		                     .temp_dir = job->temp_dir, .tick = job->tick != NULL ? job->tick : no_tick,
		                     .ctx = job->ctx };
	return fetch_from_archive(&from, k, err);
}

/* Tokens that the links of the archives carry; those of the newest archive are tried first. */
static enum ark_rc find_tokens(const struct fetch_job *job, struct downloads *d, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	uint32_t n = job->x != NULL ? job->x->sources_count : 0;
	for (; rc == ARK_OK && n > 0 && d->tokens_count < DOWNLOAD_TOKENS; n--) {
		struct slack_token *t = &d->tokens[d->tokens_count];
		rc = slack_token_read(&job->x->sources[n - 1], t, err);
		bool known = t->value[0] == '\0';
		for (unsigned i = 0; i < d->tokens_count; i++)
			known = known || strcmp(d->tokens[i].value, t->value) == 0;
		d->tokens_count += !known;
	}
	return rc;
}

static enum ark_rc downloads(const struct fetch_job *job, struct keeper *k, bool *ran,
                             struct download_count *count, struct ark_err *err)
{
	struct downloads d = { .conn = job->conn, .store = job->store, .workspace = job->workspace,
		               .temp_dir = job->temp_dir, .token = job->token, .slack_url = job->slack_url,
		               .net = job->net, .say = job->say, .tick = job->tick != NULL ? job->tick : no_tick,
		               .ctx = job->ctx };
	ark_auto(wanted_release) struct wanted w = { 0 };
	*ran = false;
	if (job->from == FETCH_ARCHIVE)
		return ARK_OK;
	enum ark_rc rc = find_wanted(job, &w, err);
	if (rc < 0 || w.ids == 0)
		return rc;
	rc = find_tokens(job, &d, err);
	if (rc < 0)
		return rc;
	if (d.token == NULL && d.tokens_count == 0) {
		if (job->from != FETCH_DOWNLOAD)
			return ARK_OK;
		ark_err_set(err, ARK_KIND_USAGE, "no token for downloads: the links of the archive carry none");
		ark_err_hint(err, "--slack-token-file names a file with a token that may read files (files:read)");
		return ARK_FAIL;
	}
	if (job->begin != NULL)
		job->begin(job->ctx, "downloading files", w.ids, w.bytes);
	*ran = true;
	return fetch_from_slack(&d, k, count, err);
}

/* Two of them would fetch the same. The lock goes with the connection. */
static enum ark_rc alone(struct db_conn *conn, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT pg_try_advisory_lock(hashtext('matterark import'), "
	                                    "hashtext('matterark files'))", DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK && !db_bool(res, 0, 0))
		return ark_err_set(err, ARK_KIND_LOCKED, "another run brings files into this database");
	return rc;
}

enum ark_rc fetch_run(const struct fetch_job *job, struct fetch_outcome *out, struct ark_err *err)
{
	*out = (struct fetch_outcome){ 0 };
	ark_auto(wanted_release) struct wanted w = { 0 };
	enum ark_rc rc = alone(job->conn, err);
	if (rc == ARK_OK)
		rc = find_wanted(job, &w, err);
	if (rc < 0)
		return rc;
	out->wanted = w.files;
	struct keep_settings set = { .conn = job->conn, .store = job->porters, .workspace = job->workspace,
		                     .temp_dir = job->temp_dir, .previews = !job->no_previews,
		                     .how = job->how };
	ark_auto(keeper_freep) struct keeper *k = keeper_new(&set);
	bool downloaded = false;
	if (w.ids > 0)
		rc = archives(job, &w, k, err);
	if (rc == ARK_OK && w.ids > 0)
		rc = keeper_commit(k, true, err);
	if (rc == ARK_OK && w.ids > 0)
		rc = downloads(job, k, &downloaded, &out->downloaded, err);
	if (rc == ARK_OK && w.ids > 0)
		rc = keeper_miss_rest(k, out->downloaded.token_dead ? "the token is not valid any more"
		                         : downloaded ? "neither a body nor a link in the archive"
		                                      : "its body is not in the archive", err);
	if (rc == ARK_OK)
		rc = keeper_commit(k, true, err);
	out->kept = *keeper_count(k);
	return rc;
}

enum ark_rc fetch_report(struct db_conn *conn, struct ark_str workspace,
                         void (*line)(void *ctx, struct ark_str id, struct ark_str name,
                                      struct ark_str channel, int64_t ts_us, struct ark_str reason),
                         void *ctx, struct fetch_missing *out, struct ark_err *err)
{
	*out = (struct fetch_missing){ 0 };
	enum ark_rc rc = db_stream_begin(conn,
	                                 "SELECT f.slack_id, f.name, coalesce(nullif(c.displayname, ''), c.name), "
	                                 "k.ts, coalesce(f.reason, 'not imported yet'), f.state <> 'gone' FROM "
	                                 "matterark.slack_file f JOIN matterark.slack_post k ON k.post_id = f.post_id "
	                                 "JOIN posts p ON p.id = f.post_id JOIN channels c ON c.id = p.channelid "
	                                 "WHERE f.workspace = $1 AND f.state <> 'stored' AND p.deleteat = 0 "
	                                 "ORDER BY k.ts, f.post_id, f.place, f.file_id",
	                                 DB_PARAMS(workspace), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		out->files++;
		out->lost += db_bool(row, 0, 5);
		if (line != NULL)
			line(ctx, db_value(row, 0, 0), db_value(row, 0, 1), db_value(row, 0, 2), db_i64(row, 0, 3),
			     db_value(row, 0, 4));
	}
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc fetch_verify(struct db_conn *conn, struct store *store, struct ark_str workspace,
                         void (*line)(void *ctx, struct ark_str path, struct ark_str post_id, int64_t ts_us,
                                      const char *what),
                         void *ctx, uint64_t *checked, uint64_t *bad, struct ark_err *err)
{
	enum ark_rc rc = db_stream_begin(conn,
	                                 "SELECT i.path, i.size, f.post_id, k.ts FROM matterark.slack_file f JOIN "
	                                 "matterark.slack_post k ON k.post_id = f.post_id JOIN fileinfo i ON i.id = "
	                                 "f.file_id AND i.deleteat = 0 WHERE f.workspace = $1 AND f.attached ORDER BY "
	                                 "i.path", DB_PARAMS(workspace), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		struct store_stat st;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		struct ark_err why = { 0 };
		char path[1024];
		snprintf(path, sizeof(path), "%.*s", ARK_FMT(db_value(row, 0, 0)));
		enum ark_rc there = store_stat(store, path, &st, &why);
		if (there == ARK_STOP || (there == ARK_FAIL && why.kind != ARK_KIND_MISSING)) {
			db_stream_end(conn);
			*err = why;
			return there;
		}
		(*checked)++;
		if (there == ARK_OK && st.size == (uint64_t)db_i64(row, 0, 1))
			continue;
		(*bad)++;
		line(ctx, db_value(row, 0, 0), db_value(row, 0, 2), db_i64(row, 0, 3),
		     there < 0 ? "body_missing" : "body_size");
	}
	return rc == ARK_END ? ARK_OK : rc;
}

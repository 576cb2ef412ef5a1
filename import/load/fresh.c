/*
 * A database that is not there yet: loaded under a temporary name over several connections, indexes
 * built side by side, renamed at the end. The rename is the commit.
 */
#include "import/load/fresh.h"

#include <stdio.h>

#include "common/base/time.h"
#include "common/db/text.h"
#include "common/mm/schema.h"
#include "common/mm/state.h"
#include "import/load/base.h"
#include "import/load/account.h"
#include "import/load/claim.h"
#include "import/load/index.h"
#include "import/load/merge.h"
#include "import/load/password.h"
#include "import/load/rows.h"
#include "import/load/target.h"
#include "import/load/team.h"

#include "common/base/banned.h"

#define CONNS 2

struct fresh {
	const struct load_job *job;
	struct load *l;
	struct load_outcome *out;
	struct db_conn *maintenance;
	struct db_conn *conns[CONNS];
	char temp_name[64];
	bool made;    /* the temporary database exists */
};

/* The maintenance connection was idle for as long as the load took; it may be gone when it is needed.
 * Clean-up goes on after an interruption, so this one is not interrupted. */
static struct db_conn *maintenance_again(struct fresh *f, struct db_conn **own)
{
	struct ark_err ignored = { 0 };
	db_shield(f->maintenance);
	if (db_alive(f->maintenance) && db_exec(f->maintenance, "SELECT 1", &ignored) == ARK_OK)
		return f->maintenance;
	struct load_job job = *f->job;
	job.db.interrupted = NULL;
	return claim_connect(&job, own, &ignored) == ARK_OK ? *own : NULL;
}

static void fresh_release(struct fresh *f)
{
	for (int i = 0; i < CONNS; i++)
		db_close(f->conns[i]);
	if (!f->made)
		return;
	/* falling out of scope means giving up */
	ark_auto(db_closep) struct db_conn *own = NULL;
	struct db_conn *conn = maintenance_again(f, &own);
	struct ark_err ignored = { 0 };
	if (conn != NULL)
		(void)mm_database_drop(conn, ark_str_z(f->temp_name), &ignored);
}

static enum ark_rc connect(struct fresh *f, struct ark_err *err)
{
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 64u << 10);
	enum ark_rc rc = db_dsn_parse(ark_str_z(f->job->dsn), DB_DSN_LIBPQ, &dsn, err);
	if (rc < 0)
		return rc;
	db_dsn_set(dsn, "dbname", ark_str_z(f->temp_name));
	db_dsn_text(dsn, &text);
	for (int i = 0; i < CONNS && rc == ARK_OK; i++) {
		rc = db_open(text.data, &f->job->db, &f->conns[i], err);
		if (rc == ARK_OK)
			rc = db_index_memory(f->conns[i], err);
		/* the database counts from its rename on, and that commit, which waits for the disk, takes
		 * everything that was logged before it along */
		if (rc == ARK_OK)
			rc = db_exec(f->conns[i], "SET synchronous_commit = off", err);
	}
	return rc;
}

static bool has_all(void *ctx, const char *table, const char *column)
{
	(void)ctx;
	return strcmp(table, "posts") != 0 || strcmp(column, "parentid") != 0;
}

static bool in_first_load(int table)
{
	return table == SINK_POSTS || table == SINK_ARK_POST;
}

/* Tables emptied in the transaction that fills them: their pages are written without a log where the
 * server runs with wal_level minimal, and rows are frozen at once. */
static enum ark_rc begin_load(struct sink *s, struct db_conn *conn, const enum sink_table *tables,
                              size_t count, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 64u << 10);
	ark_buf_z(&sql, "BEGIN; TRUNCATE ");
	for (size_t i = 0; i < count; i++) {
		s->streams[tables[i]].freeze = true;
		ark_buf_fmt(&sql, "%s%s", i > 0 ? ", " : "", s->streams[tables[i]].table);
	}
	return db_exec(conn, sql.data, err);
}

/* Messages, as they are read, over a connection for each of the two large tables. */
static enum ark_rc load_messages(struct fresh *f, struct sink *s, struct ark_err *err)
{
	static const enum sink_table TABLES[CONNS] = { SINK_POSTS, SINK_ARK_POST };
	struct gather g = { .l = f->l, .options = f->job->translate, .sink = s, .tick = f->job->tick,
		            .tick_ctx = f->job->ctx };
	enum ark_rc rc = ARK_OK;
	for (int i = 0; i < CONNS && rc == ARK_OK; i++) {
		rc = begin_load(s, f->conns[i], &TABLES[i], 1, err);
		if (rc == ARK_OK)
			rc = sink_open(s, TABLES[i], f->conns[i], err);
	}
	if (rc == ARK_OK)
		rc = gather_run(&g, err);
	for (int i = 0; i < CONNS && rc == ARK_OK; i++) {
		rc = sink_close(s, TABLES[i], err);
		if (rc == ARK_OK)
			rc = db_exec(f->conns[i], "COMMIT", err);
	}
	return rc;
}

/* Everything that was spooled. */
static enum ark_rc load_rest(struct fresh *f, struct sink *s, struct ark_err *err)
{
	enum sink_table tables[SINK_TABLES];
	size_t count = 0;
	for (int t = 0; t < SINK_KEPT; t++)
		if (!in_first_load(t))
			tables[count++] = (enum sink_table)t;
	enum ark_rc rc = begin_load(s, f->conns[1], tables, count, err);
	for (size_t i = 0; i < count && rc == ARK_OK; i++)
		rc = sink_flush(s, tables[i], f->conns[1], err);
	return rc == ARK_OK ? db_exec(f->conns[1], "COMMIT", err) : rc;
}

static enum ark_rc load_tables(struct fresh *f, struct sink *s, struct ark_err *err)
{
	int64_t began = ark_time_tick_ms();
	enum ark_rc rc = load_messages(f, s, err);
	if (rc < 0)
		return rc;
	load_sum(f->l);
	f->out->phase_ms[PHASE_READ] = ark_time_tick_ms() - began;
	began = ark_time_tick_ms();
	rc = merge_renames(f->l, f->conns[0], s, err);
	/* posts are complete: their longest index is built while the rest is loaded */
	if (rc == ARK_OK)
		rc = index_start_fresh(f->conns[0], err);
	if (rc < 0)
		return rc;
	rows_write(f->l, s);
	rc = load_rest(f, s, err);
	f->out->phase_ms[PHASE_MERGE] = ark_time_tick_ms() - began;
	return rc;
}

/* What undo begins with: everything else hangs on these. */
static enum ark_rc note_made(struct fresh *f, struct ark_err *err)
{
	return db_exec(f->conns[0],
	               "INSERT INTO matterark.change (run, tbl, key) SELECT 1, 'teams', ARRAY[id] FROM teams "
	               "UNION ALL SELECT 1, 'users', ARRAY[id] FROM users UNION ALL SELECT 1, 'channels', "
	               "ARRAY[id] FROM channels", err);
}

/* Indexes, and statistics of what was loaded: of posts when all of their indexes are there, of everything
 * else as soon as nothing is left to be built; the longest index is still at work then, as a rule. */
static enum ark_rc build_indexes(struct fresh *f, const struct sink *s, struct ark_err *err)
{
	char sql[SINK_KEPT][128];
	const char *more[SINK_KEPT];
	size_t n = 0;
	for (int t = 0; t < SINK_KEPT; t++) {
		if (t == SINK_POSTS)
			continue;
		snprintf(sql[n], sizeof(sql[n]), "ANALYZE %s", s->streams[t].table);
		more[n] = sql[n];
		n++;
	}
	enum ark_rc rc = index_build_fresh(f->conns, CONNS, more, n,
	                                    (struct index_watch){ f->job->step, f->job->ctx }, err);
	return rc == ARK_OK ? db_exec(f->conns[0], "ANALYZE posts", err) : rc;
}

static enum ark_rc finish(struct fresh *f, const struct sink *s, struct ark_err *err)
{
	int64_t began = ark_time_tick_ms();
	if (f->job->phase != NULL)
		f->job->phase(f->job->ctx, PHASE_INDEXES, "building indexes", index_fresh_steps() + SINK_KEPT - 1);
	enum ark_rc rc = build_indexes(f, s, err);
	if (rc == ARK_OK)
		rc = mm_schema_finish(f->conns[0], err);
	f->out->phase_ms[PHASE_INDEXES] = ark_time_tick_ms() - began;
	began = ark_time_tick_ms();
	if (f->job->phase != NULL)
		f->job->phase(f->job->ctx, PHASE_FINISH, "finishing", 0);
	if (rc == ARK_OK && f->job->files != NULL && !f->job->dry_run)
		rc = f->job->files(f->job->ctx, f->conns[0], f->l, 0, err);
	if (rc == ARK_OK)
		rc = base_run_row(f->job, f->l, f->conns[0], true, err);
	if (rc == ARK_OK)
		rc = note_made(f, err);
	if (rc == ARK_OK && f->job->owner != NULL)
		rc = mm_schema_owner(f->conns[0], ark_str_z(f->job->owner), err);
	f->out->phase_ms[PHASE_FINISH] = ark_time_tick_ms() - began;
	return rc;
}

/* The commit. An answer that got lost on the way is asked for again. */
static enum ark_rc publish(struct fresh *f, struct ark_err *err)
{
	struct ark_str from = ark_str_z(f->temp_name), to = ark_str_z(f->out->database);
	enum ark_rc rc = mm_database_rename(f->maintenance, from, to, err);
	if (rc == ARK_OK || db_alive(f->maintenance))
		return rc;
	ark_auto(db_closep) struct db_conn *own = NULL;
	struct db_conn *conn = maintenance_again(f, &own);
	struct ark_err again = { 0 };
	bool temp = true, done = false;
	if (conn == NULL || mm_database_exists(conn, from, &temp, &again) < 0 ||
	    mm_database_exists(conn, to, &done, &again) < 0) {
		ark_err_hint(err, "it is not known whether database '%s' got its name; run the same command "
		                  "again", f->out->database);
		return rc;
	}
	return !temp && done ? ARK_OK : rc;
}

static enum ark_rc load_new(struct fresh *f, struct ark_err *err)
{
	struct load *l = f->l;
	snprintf(f->temp_name, sizeof(f->temp_name), CLAIM_TEMP_PREFIX "%.30s-%d", l->run,
	         db_backend_pid(f->maintenance));
	enum ark_rc rc = claim_name(f->maintenance, ark_str_z(f->temp_name), err); /* says: it lives */
	if (rc < 0)
		return rc;
	f->made = true; /* or half of it */
	rc = mm_database_create(f->maintenance, ark_str_z(f->temp_name),
	                        f->job->owner != NULL ? ark_str_z(f->job->owner) : ARK_STR_NONE, err);
	if (rc == ARK_OK)
		rc = connect(f, err);
	if (rc == ARK_OK)
		rc = mm_schema_tables(f->conns[0], err);
	if (rc == ARK_OK)
		rc = mm_state_create(f->conns[0], err);
	if (rc < 0)
		return rc;
	ark_auto(sink_release) struct sink sink;
	sink_init(&sink, l->set.temp_dir, SINK_DIRECT, has_all, NULL);
	rc = load_tables(f, &sink, err);
	if (rc == ARK_OK)
		rc = finish(f, &sink, err);
	for (int i = 0; i < CONNS; i++) {
		db_close(f->conns[i]);
		f->conns[i] = NULL;
	}
	if (rc == ARK_OK && !f->job->dry_run)
		rc = passwords_write(l, err);
	if (rc == ARK_OK && !f->job->dry_run) {
		rc = publish(f, err);
		f->made = rc < 0;
	}
	f->out->created_database = rc == ARK_OK && !f->job->dry_run;
	return rc;
}

enum ark_rc load_fresh(const struct load_job *job, struct load *l, struct db_conn *maintenance,
                       struct load_outcome *out, struct ark_err *err)
{
	ark_auto(fresh_release) struct fresh f = { .job = job, .l = l, .out = out,
		                                   .maintenance = maintenance };
	l->fresh = true;
	l->run_no = 1;
	l->set.post_runes = MM_POST_RUNES_MIN;
	out->created_team = out->first_import = true;
	base_workspace(l, job->workspace);
	enum ark_rc rc = teams_plan(l, err);
	if (rc < 0)
		return rc;
	teams_make(l, true);
	if ((rc = teams_valid(l, err)) < 0)
		return rc;
	accounts_assign(l);
	rc = accounts_admins(l, err);
	if (rc == ARK_OK)
		rc = passwords_make(l, err);
	if (rc < 0)
		return rc;
	targets_make(l);
	rc = targets_usable(l, err);
	if (rc < 0)
		return rc;
	return load_new(&f, err);
}

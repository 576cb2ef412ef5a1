#include "import/load/live.h"

#include <stdio.h>

#include "common/base/time.h"
#include "common/mm/detect.h"
#include "common/mm/schema.h"
#include "common/mm/state.h"
#include "import/load/account.h"
#include "import/load/adopt.h"
#include "import/load/base.h"
#include "import/load/behind.h"
#include "import/load/claim.h"
#include "import/load/index.h"
#include "import/load/merge.h"
#include "import/load/password.h"
#include "import/load/rows.h"
#include "import/load/target.h"

#include "common/base/banned.h"

/* What is known about the target before anything is written to it. */
struct base {
	struct mm_db_info *info;
	bool empty;        /* without any table: the schema comes with the import */
	bool state;        /* an earlier run left its records */
	bool new_team;
	bool first_import; /* of this workspace */
	bool adopted;      /* posts of another importer are ours: staged ids are not theirs */
	bool direct;       /* messages go straight into their tables: nothing there to merge with */
};

static void base_release(struct base *b)
{
	mm_db_info_free(b->info);
}

static bool has_column(void *ctx, const char *table, const char *column)
{
	return mm_has_column(ctx, table, column);
}

static enum ark_rc look(const struct load_job *job, struct load *l, struct db_conn *conn,
                        struct base *b, struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = mm_detect(conn, &b->info, err);
	if (rc < 0)
		return rc;
	b->empty = mm_db_is_empty(b->info);
	if (b->empty && !job->create_schema) {
		ark_err_set(err, ARK_KIND_REFUSED, "database '%s' holds no Mattermost tables", out->database);
		ark_err_hint(err, "start Mattermost on it once, or add --create-schema");
		return ARK_FAIL;
	}
	if (b->empty) {
		if ((rc = mm_schema_create(conn, err)) < 0)
			return rc;
		mm_db_info_free(b->info);
		b->info = NULL;
		if ((rc = mm_detect(conn, &b->info, err)) < 0)
			return rc;
		l->fresh = true;
	}
	if ((rc = mm_db_usable(b->info, err)) < 0)
		return rc;
	for (size_t i = 0; i < mm_db_warning_count(b->info) && job->say != NULL; i++)
		job->say(job->ctx, "import.schema", mm_db_warning(b->info, i));
	l->set.post_runes = mm_db_post_runes(b->info);
	rc = mm_state_exists(conn, &b->state, err);
	if (rc < 0 || b->state)
		return rc < 0 ? rc : mm_state_upgrade(conn, err);
	b->state = true;
	rc = mm_state_create(conn, err);
	return rc == ARK_OK ? mm_state_keys(conn, err) : rc;
}

/* Everybody and everything gets its Mattermost side. */
static enum ark_rc resolve(const struct load_job *job, struct load *l, struct db_conn *conn,
                           struct base *b, struct load_outcome *out, struct ark_err *err)
{
	base_workspace(l, job->workspace);
	b->first_import = true;
	enum ark_rc rc = ARK_OK;
	l->run_no = 1;
	if (b->state) {
		rc = base_adopt_workspace(l, conn, err);
		if (rc == ARK_OK)
			rc = base_run_number(l, conn, err);
		if (rc == ARK_OK)
			rc = base_known_channels(l, conn, &b->first_import, err);
	}
	if (rc == ARK_OK)
		rc = base_teams(l, conn, job->create_team || b->empty, &b->new_team, err);
	if (rc == ARK_OK)
		rc = base_accounts(l, conn, b->state, err);
	if (rc < 0)
		return rc;
	if (l->set.adopt && (rc = adopt_accounts(l, conn, err)) < 0)
		return rc;
	accounts_assign(l);
	rc = accounts_admins(l, err);
	if (rc == ARK_OK)
		rc = passwords_make(l, err);
	if (rc == ARK_OK)
		rc = base_team_before(l, conn, err);
	if (rc == ARK_OK)
		rc = base_channel_names(l, conn, err);
	if (rc == ARK_OK && l->set.adopt && !b->new_team)
		rc = adopt_channels(l, conn, err);
	if (rc == ARK_OK)
		rc = adopt_any(conn, &b->adopted, err);
	if (rc < 0)
		return rc;
	targets_make(l);
	rc = targets_usable(l, err);
	if (rc < 0)
		return rc;
	rc = base_direct_channels(l, conn, err);
	b->direct = b->first_import && !l->set.adopt;
	for (uint32_t i = 0; i < l->targets_count; i++)
		b->direct = b->direct && !l->targets[i].existed;
	out->created_team = b->new_team;
	out->first_import = b->first_import;
	return rc;
}

/* ---- indexes ---- */

static enum ark_rc only_session(struct db_conn *conn, bool *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT count(*) FROM pg_stat_activity WHERE datname = "
	                              "current_database() AND pid <> pg_backend_pid() AND "
	                              "backend_type = 'client backend'", DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		*out = db_i64(res, 0, 0) == 0;
	return rc;
}

/* Take the secondary indexes of posts off? Only when that pays and nobody else needs them. */
static enum ark_rc choose_indexes(const struct load_job *job, const struct base *b,
                                  struct db_conn *conn, bool *rebuild, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	bool alone = false;
	*rebuild = false;
	enum ark_rc rc = only_session(conn, &alone, err);
	if (rc == ARK_OK)
		rc = db_query_one(conn, "SELECT count(*) FROM (SELECT 1 FROM posts LIMIT 10000) x",
		                  DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	bool few = db_i64(res, 0, 0) < 10000;
	if (job->indexes == INDEXES_REBUILD && !alone && !job->force) {
		ark_err_set(err, ARK_KIND_REFUSED, "other sessions are connected: they would wait while the "
		                                   "indexes of posts are rebuilt");
		ark_err_hint(err, "stop the server, leave --indexes rebuild away, or add --force");
		return ARK_FAIL;
	}
	*rebuild = job->indexes == INDEXES_REBUILD ||
	           (job->indexes == INDEXES_AUTO && alone && few && b->direct);
	if (job->say != NULL)
		job->say(job->ctx, "import.indexes",
		         *rebuild        ? "indexes of posts are rebuilt after loading"
		         : !alone        ? "indexes of posts stay: other sessions are connected"
		                         : "indexes of posts stay");
	return ARK_OK;
}

/* A table without a single row, now that nobody else can add one. */
static enum ark_rc lock_if_empty(struct db_conn *conn, const char *table, bool *empty, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	*empty = true;
	enum ark_rc rc = ARK_OK;
	for (int i = 0; i < 2 && rc == ARK_OK && *empty; i++) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		ark_buf_reset(&sql);
		if (i == 1) { /* looked at first: a lock on a table in use would be in everybody's way */
			ark_buf_fmt(&sql, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", table);
			rc = db_exec(conn, sql.data, err);
			ark_buf_reset(&sql);
		}
		ark_buf_fmt(&sql, "SELECT NOT EXISTS (SELECT 1 FROM %s)", table);
		if (rc == ARK_OK)
			rc = db_query_one(conn, sql.data, DB_NO_PARAMS, &res, err);
		if (rc == ARK_OK)
			*empty = db_bool(res, 0, 0);
	}
	return rc;
}

/* Emptying an empty table gives it a new file, whose pages are written without a log as far as the
 * server runs with wal_level minimal: where nothing else listens to that log, and no key is in the way. */
static enum ark_rc may_truncate(struct db_conn *conn, const char *table, bool *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT current_setting('wal_level') = 'minimal' AND NOT EXISTS (SELECT 1 "
	                              "FROM pg_constraint WHERE confrelid = $1::text::regclass) AND NOT EXISTS "
	                              "(SELECT 1 FROM pg_trigger WHERE tgrelid = $1::text::regclass) AND "
	                              "has_table_privilege($1::text, 'TRUNCATE')",
	                              DB_PARAMS(ark_str_z(table)), &res, err);
	if (rc == ARK_OK)
		*out = db_bool(res, 0, 0);
	return rc;
}

/* One of the large tables for rows that come all at once: without keys and indexes where it is empty. */
static enum ark_rc clear_way(struct sink *s, enum sink_table t, struct db_conn *conn,
                             struct index_saved *saved, struct ark_err *err)
{
	const char *table = sink_target(t);
	bool empty = false, truncate = false;
	enum ark_rc rc = lock_if_empty(conn, table, &empty, err);
	if (rc == ARK_OK && (empty || t == SINK_POSTS))
		rc = index_drop(conn, table, empty, saved, err);
	bool direct = strcmp(s->streams[t].table, table) == 0;
	if (rc == ARK_OK && empty && direct)
		rc = may_truncate(conn, table, &truncate, err);
	if (rc < 0 || !truncate)
		return rc;
	char sql[128];
	snprintf(sql, sizeof(sql), "TRUNCATE %s", table);
	s->streams[t].freeze = true;
	return db_exec(conn, sql, err);
}

static enum ark_rc clear_ways(struct sink *s, struct db_conn *conn, struct index_saved *saved,
                              struct ark_err *err)
{
	static const enum sink_table LARGE[] = {
		SINK_POSTS, SINK_ARK_POST, SINK_REACTIONS, SINK_ARK_REACTION, SINK_THREADS,
		SINK_THREADMEMBERSHIPS, SINK_ARK_FILE, SINK_CHANNELMEMBERS, SINK_CHANNELMEMBERHISTORY,
	};
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < sizeof(LARGE) / sizeof(LARGE[0]) && rc == ARK_OK; i++)
		rc = clear_way(s, LARGE[i], conn, saved, err);
	return rc;
}

/* ---- loading ---- */

static enum ark_rc read_and_spool(const struct load_job *job, struct load *l, struct sink *s,
                                  struct db_conn *conn, struct load_outcome *out, struct ark_err *err)
{
	int64_t began = ark_time_tick_ms();
	enum sink_table first = s->narrow ? SINK_SEEN : SINK_POSTS;
	enum ark_rc rc = sink_open(s, first, conn, err);
	struct gather g = { .l = l, .options = job->translate, .sink = s, .tick = job->tick,
		            .tick_ctx = job->ctx };
	if (rc == ARK_OK)
		rc = gather_run(&g, err);
	if (rc == ARK_OK)
		rc = sink_close(s, first, err);
	if (rc < 0)
		return rc;
	load_sum(l);
	if (s->narrow && (rc = sink_choose(s, conn, err)) < 0)
		return rc;
	out->phase_ms[PHASE_READ] = ark_time_tick_ms() - began;
	rc = sink_flush(s, SINK_POSTS, conn, err);
	if (rc == ARK_OK)
		rc = sink_flush(s, SINK_ARK_POST, conn, err);
	if (rc < 0)
		return rc;
	if ((rc = merge_renames(l, conn, s, err)) < 0)
		return rc;
	rows_write(l, s);
	for (int t = 0; t < SINK_KEPT && rc == ARK_OK; t++)
		rc = sink_flush(s, (enum sink_table)t, conn, err);
	return rc;
}

static enum ark_rc make_stage(struct sink *s, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 1u << 20);
	sink_stage_sql(s, &sql);
	return db_exec(conn, sql.data, err);
}

enum ark_rc load_stage(const struct load_job *job, struct load *l, struct db_conn *conn,
                       struct sink *sink, struct load_outcome *out, struct ark_err *err)
{
	ark_auto(base_release) struct base b = { 0 };
	enum ark_rc rc = look(job, l, conn, &b, out, err);
	if (rc == ARK_OK)
		rc = resolve(job, l, conn, &b, out, err);
	if (rc < 0)
		return rc;
	sink_init(sink, l->set.temp_dir, SINK_STAGED, has_column, b.info);
	rc = make_stage(sink, conn, err);
	if (rc == ARK_OK)
		rc = read_and_spool(job, l, sink, conn, out, err);
	return rc == ARK_OK && b.adopted ? adopt_translate(l, conn, err) : rc;
}

/* What earlier runs brought, and what says the same in Slack still, is left out. */
static enum ark_rc only_new(const struct load *l, struct sink *s, struct db_conn *conn, struct ark_err *err)
{
	struct known *posts = NULL, *members = NULL;
	enum ark_rc rc = known_read(conn, l->set.memory_bytes, &posts, err);
	if (rc == ARK_OK)
		rc = known_read_members(conn, l->set.memory_bytes / 2, &members, err);
	sink_known(s, posts, members);
	if (rc == ARK_OK && posts == NULL)
		sink_narrow(s);
	return rc;
}

/* All that is new; nothing that people write to is touched. */
static enum ark_rc load_new(const struct load_job *job, struct load *l, struct db_conn *conn, struct base *b,
                            struct sink *s, struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	if (job->phase != NULL)
		job->phase(job->ctx, PHASE_MERGE, "merging", 0);
	if (b->adopted && (rc = adopt_translate(l, conn, err)) < 0)
		return rc;
	rc = db_exec(conn, "ANALYZE ark_stage_users", err);
	if (rc == ARK_OK && !b->direct)
		rc = db_exec(conn, "ANALYZE ark_stage_posts; ANALYZE ark_stage_slack_post; "
		                   "ANALYZE ark_stage_reactions; ANALYZE ark_stage_slack_reaction", err);
	if (rc == ARK_OK && l->set.adopt)
		rc = adopt_posts(l, conn, out, err);
	if (rc == ARK_OK)
		rc = merge_people_and_channels(l, conn, s, out, err);
	if (rc == ARK_OK && b->direct) {
		out->posts_new = l->report.total.posts;
		out->reactions_new = l->report.total.reactions;
		out->rows_written += out->posts_new + out->reactions_new;
	} else if (rc == ARK_OK) {
		rc = merge_messages(l, conn, s, out, err);
	}
	return rc == ARK_OK ? merge_read_state(conn, out, err) : rc;
}

/* The run's own row, and what has to be outside before the commit: locks that people wait for come behind it. */
static enum ark_rc write_run(const struct load_job *job, struct load *l, struct db_conn *conn,
                             const struct base *b, struct ark_err *err)
{
	enum ark_rc rc = base_run_row(job, l, conn, b->empty, err);
	if (rc == ARK_OK && b->empty && job->owner != NULL)
		rc = mm_schema_owner(conn, ark_str_z(job->owner), err);
	return rc == ARK_OK && !job->dry_run ? passwords_write(l, err) : rc;
}

static enum ark_rc load_all(const struct load_job *job, struct load *l, struct db_conn *conn,
                            struct base *b, struct load_outcome *out, struct ark_err *err)
{
	ark_auto(sink_release) struct sink s;
	ark_auto(index_saved_release) struct index_saved saved = { 0 };
	sink_init(&s, l->set.temp_dir, b->direct ? SINK_STAGED_PEOPLE : SINK_STAGED, has_column, b->info);
	bool rebuild = false;
	enum ark_rc rc = ARK_OK;
	/* --overwrite and adopting also look at what did not change in Slack */
	if (!b->direct && !l->set.overwrite && !l->set.adopt && !b->adopted)
		rc = only_new(l, &s, conn, err);
	if (rc == ARK_OK)
		rc = make_stage(&s, conn, err);
	if (rc == ARK_OK)
		rc = choose_indexes(job, b, conn, &rebuild, err);
	if (rc == ARK_OK && rebuild)
		rc = clear_ways(&s, conn, &saved, err);
	if (rc == ARK_OK)
		rc = read_and_spool(job, l, &s, conn, out, err);
	if (rc < 0)
		return rc;
	int64_t began = ark_time_tick_ms();
	rc = load_new(job, l, conn, b, &s, out, err);
	out->phase_ms[PHASE_MERGE] = ark_time_tick_ms() - began;
	began = ark_time_tick_ms();
	if (rc == ARK_OK && rebuild) {
		if (job->phase != NULL)
			job->phase(job->ctx, PHASE_INDEXES, "building indexes", saved.count);
		rc = index_restore(conn, &saved, (struct index_watch){ job->step, job->ctx }, err);
	}
	out->phase_ms[PHASE_INDEXES] = ark_time_tick_ms() - began;
	if (rc == ARK_OK)
		rc = write_run(job, l, conn, b, err);
	return rc == ARK_OK ? merge_shared(l, conn, &s, !b->direct, job->dry_run, out, err) : rc;
}

#define AGAIN "run the same command again: what is there already is not written twice"

/* Threads and channels that people use get what the run brought them. */
static enum ark_rc behind(const struct load_job *job, struct db_conn *conn, struct load_outcome *out,
                          struct ark_err *err)
{
	struct behind_outcome did;
	enum ark_rc rc = behind_finish(conn, job->dry_run, NULL, NULL, &did, err);
	out->rows_written += did.rows;
	if (rc == ARK_OK || job->dry_run)
		return rc;
	rc = ark_err_in(err, rc, "everything is imported, but not all of its threads and channels are counted");
	ark_err_hint(err, AGAIN);
	return rc;
}

static enum ark_rc bring_files(const struct load_job *job, struct load *l, struct db_conn *conn, struct ark_err *err)
{
	if (job->files == NULL || job->dry_run)
		return ARK_OK;
	enum ark_rc rc = job->files(job->ctx, conn, l, l->fresh ? 0 : l->start_ms, err);
	if (rc < 0) {
		rc = ark_err_in(err, rc, "everything is imported, but the files of its messages are not all there");
		if (err->kind == ARK_KIND_SIGNAL)
			ark_err_hint(err, AGAIN);
	}
	return rc;
}

enum ark_rc load_live(const struct load_job *job, struct load *l, struct db_conn *conn,
                      struct load_outcome *out, struct ark_err *err)
{
	ark_auto(base_release) struct base b = { 0 };
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	bool finished = false;
	enum ark_rc rc = db_index_memory(conn, err);
	if (rc == ARK_OK)
		rc = behind_claim(conn, job->dry_run, &txn, &finished, err);
	if (finished && job->say != NULL)
		job->say(job->ctx, "import.rest_finished", "finished what an interrupted run had left to do");
	if (rc == ARK_OK)
		rc = look(job, l, conn, &b, out, err);
	if (rc == ARK_OK)
		rc = resolve(job, l, conn, &b, out, err);
	if (rc == ARK_OK)
		rc = load_all(job, l, conn, &b, out, err);
	int64_t began = ark_time_tick_ms();
	if (rc == ARK_OK && job->dry_run)
		rc = behind(job, conn, out, err);
	if (rc == ARK_OK && !job->dry_run && (rc = db_txn_commit(&txn, err)) < 0 && !db_alive(conn))
		ark_err_hint(err, AGAIN);
	if (rc == ARK_OK && !job->dry_run)
		rc = behind(job, conn, out, err);
	if (rc == ARK_OK)
		rc = bring_files(job, l, conn, err);
	out->phase_ms[PHASE_FINISH] = ark_time_tick_ms() - began;
	return rc;
}

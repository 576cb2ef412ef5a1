#include "import/load/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/time.h"
#include "common/mm/schema.h"
#include "import/load/account.h"
#include "import/load/base.h"
#include "import/load/claim.h"
#include "import/load/fresh.h"
#include "import/load/live.h"
#include "import/load/password.h"
#include "import/load/rows.h"
#include "import/load/target.h"
#include "import/load/team.h"

#include "common/base/banned.h"

void load_init(struct load *l, struct slack_export *x)
{
	*l = (struct load){ .x = x, .start_ms = ark_time_now_ms() };
	l->hash = crypt_hash_new();
	struct ark_civil c = ark_time_civil(l->start_ms);
	snprintf(l->run, sizeof(l->run), "%04d%02d%02d-%02d%02d%02d-%03d", c.year, c.month, c.day, c.hour,
	         c.minute, c.second, c.ms);
}

void load_release(struct load *l)
{
	targets_release(l);
	teams_release(l);
	crypt_hash_free(l->hash);
	ark_map_release(&l->usernames);
	ark_map_release(&l->emails);
	ark_map_release(&l->auths);
	ark_map_release(&l->wished);
	ark_map_release(&l->people_mail);
	ark_map_release(&l->user_numbers);
	ark_map_release(&l->direct_names);
	ark_map_release(&l->known_channels);
	passwords_free(l->passwords);
	free(l->known);
	free(l->report.months);
	ark_map_release(&l->report.odd_subtypes);
	ark_pool_release(&l->strings);
}

void load_sum(struct load *l)
{
	l->report.total = (struct load_count){ 0 };
	for (uint32_t i = 0; i < l->targets_count; i++) {
		const struct load_target *t = &l->targets[i];
		if (!load_count_holds(&t->count))
			ark_bug("channel %.*s: read %llu, written %llu, skipped %llu", ARK_FMT(t->slack_name),
			        (unsigned long long)t->count.read, (unsigned long long)t->count.written,
			        (unsigned long long)load_count_skipped(&t->count));
		load_count_add(&l->report.total, &t->count);
	}
	if (!load_count_holds(&l->report.total))
		ark_bug("the sum of the run does not add up");
}

static void copy_name(char *to, size_t size, struct ark_str from)
{
	snprintf(to, size, "%.*s", ARK_FMT(from));
}

/* A pooler gives each transaction another server session: locks and temporary tables break. */
static enum ark_rc refuse_pooler(struct db_conn *conn, struct ark_err *err)
{
	bool pooler = false;
	ark_auto(ark_buf_release) struct ark_buf reason;
	ark_buf_init(&reason, 4096);
	enum ark_rc rc = db_is_pooler(conn, &pooler, &reason, err);
	if (rc == ARK_OK && pooler) {
		ark_err_set(err, ARK_KIND_REFUSED, "a connection pooler stands before the database: %s",
		            reason.data);
		ark_err_hint(err, "name the database server itself in --database");
		return ARK_FAIL;
	}
	return rc;
}

static enum ark_rc drop_rests(const struct load_job *job, struct db_conn *maintenance, struct ark_err *err)
{
	uint64_t dropped = 0;
	enum ark_rc rc = claim_drop_rests(maintenance, &dropped, err);
	if (dropped > 0 && job->say != NULL)
		job->say(job->ctx, "import.rest_dropped", "dropped what an interrupted run left behind");
	return rc;
}

/* A database that is not there: made, unless it appears while we wait for the lock. `done` tells. */
static enum ark_rc run_fresh(const struct load_job *job, struct load *l, struct ark_str name, bool *done,
                             struct load_outcome *out, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *maintenance = NULL;
	bool exists = true;
	enum ark_rc rc = claim_connect(job, &maintenance, err);
	if (rc == ARK_OK)
		rc = refuse_pooler(maintenance, err);
	if (rc == ARK_OK)
		rc = mm_database_exists(maintenance, name, &exists, err);
	if (rc == ARK_OK && !exists)
		rc = claim_name(maintenance, name, err);
	if (rc == ARK_OK) /* now: who was killed while making this one does not hold its locks any more */
		rc = drop_rests(job, maintenance, err);
	if (rc == ARK_OK && !exists)
		rc = mm_database_exists(maintenance, name, &exists, err);
	if (rc < 0 || exists)
		return rc;
	*done = true;
	copy_name(out->database, sizeof(out->database), name);
	copy_name(out->host, sizeof(out->host), db_host(maintenance));
	return load_fresh(job, l, maintenance, out, err);
}

enum ark_rc load_run(const struct load_job *job, struct load *l, struct load_outcome *out,
                     struct ark_err *err)
{
	*out = (struct load_outcome){ 0 };
	l->set = job->set;
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(db_closep) struct db_conn *conn = NULL;
	enum ark_rc rc = db_dsn_parse(ark_str_z(job->dsn), DB_DSN_LIBPQ, &dsn, err);
	if (rc < 0)
		return rc;
	struct ark_str name = db_dsn_part(dsn, "dbname");
	if (ark_str_has(name) && ark_str_starts(name, ARK_LIT(CLAIM_TEMP_PREFIX))) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%.*s': names like this mark databases that are not finished, "
		            "and are dropped", ARK_FMT(name));
		ark_err_hint(err, "choose another name");
		return ARK_FAIL;
	}
	bool done = false;
	if (job->create_schema && ark_str_has(name))
		rc = run_fresh(job, l, name, &done, out, err);
	if (rc < 0 || done)
		return rc;
	rc = db_open(job->dsn, &job->db, &conn, err);
	if (rc == ARK_OK)
		rc = refuse_pooler(conn, err);
	if (rc < 0)
		return rc;
	copy_name(out->database, sizeof(out->database), db_name(conn));
	copy_name(out->host, sizeof(out->host), db_host(conn));
	return load_live(job, l, conn, out, err);
}

static bool has_all(void *ctx, const char *table, const char *column)
{
	(void)ctx;
	(void)table;
	(void)column;
	return true;
}

enum ark_rc load_check(const struct load_job *job, struct load *l, struct load_outcome *out,
                       struct ark_err *err)
{
	*out = (struct load_outcome){ .created_team = true, .first_import = true };
	l->set = job->set;
	l->set.post_runes = MM_POST_RUNES_MIN;
	l->fresh = true;
	l->run_no = 1;
	base_workspace(l, job->workspace);
	enum ark_rc rc = teams_plan(l, err);
	if (rc < 0)
		return rc;
	teams_make(l, true);
	accounts_assign(l);
	rc = accounts_admins(l, err);
	if (rc < 0)
		return rc;
	targets_make(l);
	rc = targets_usable(l, err);
	if (rc < 0)
		return rc;
	ark_auto(sink_release) struct sink sink;
	sink_init(&sink, l->set.temp_dir, SINK_NOWHERE, has_all, NULL);
	struct gather g = { .l = l, .options = job->translate, .sink = &sink, .tick = job->tick,
		            .tick_ctx = job->ctx };
	int64_t began = ark_time_tick_ms();
	rc = gather_run(&g, err);
	if (rc < 0)
		return rc;
	load_sum(l);
	rows_write(l, &sink);
	out->phase_ms[PHASE_READ] = ark_time_tick_ms() - began;
	return ARK_OK;
}

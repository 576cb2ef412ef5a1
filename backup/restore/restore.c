#include "backup/restore/restore.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"

#include "common/base/banned.h"

void restore_release(struct restore *r)
{
	target_release(&r->target);
	repo_contents_release(&r->contents);
	free(r->load.sums);
}

enum ark_rc restore_open(struct restore *r, struct app *a, struct ark_err *err)
{
	*r = (struct restore){ .a = a };
	r->repo = app_repo_options(a);
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK && !repo_can_open(a->repo)) {
		ark_err_set(err, ARK_KIND_REFUSED, "the repository is encrypted, and its identity is not at hand");
		ark_err_hint(err, "--identity names the file with the secret key");
		return ARK_FAIL;
	}
	if (rc == ARK_OK)
		rc = app_find(a, 1, &r->snapshot, err);
	if (rc == ARK_OK)
		rc = repo_contents_read(a->repo, &r->snapshot, &r->contents, err);
	return rc;
}

/* Where Mattermost's tables are: people may have put them elsewhere than in public. */
static const char SCHEMA_SQL[] =
    "SELECT set_config('search_path', quote_ident(nspname) || ', public', false) FROM pg_catalog.pg_namespace n WHERE "
    "nspname !~ '^pg_' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relname = 'posts') AND "
    "EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relname = 'channels') ORDER BY nspname LIMIT 1";

enum ark_rc restore_connect(struct restore *r, struct db_conn **out, struct ark_err *err)
{
	enum ark_rc rc = db_open(r->target.temp_dsn, &r->target.db, out, err);
	return rc == ARK_OK ? db_run(*out, SCHEMA_SQL, DB_NO_PARAMS, NULL, err) : rc;
}

enum ark_rc restore_database(struct restore *r, struct ark_err *err)
{
	struct app *a = r->a;
	uint64_t rows, bytes = load_weight(&r->contents, &rows);
	enum ark_rc rc = target_make(&r->target, err);
	if (rc < 0)
		return rc;
	r->load.repo = &r->repo;
	r->load.contents = &r->contents;
	r->load.dsn = r->target.temp_dsn;
	r->load.db = &r->target.db;
	r->load.jobs = (unsigned)a->config->jobs;
	r->load.bar = &a->bar;
	r->load.sums = ark_calloc(r->contents.count + 1, sizeof(*r->load.sums));
	int64_t began = ark_time_tick_ms();
	app_bar_begin(a, "loading rows", "rows", rows, bytes);
	rc = load_all(&r->load, err);
	r->load_ms = ark_time_tick_ms() - began;
	for (size_t i = 0; i < r->contents.count; i++)
		r->rows += r->load.sums[i].rows;
	began = ark_time_tick_ms();
	if (rc == ARK_OK) {
		app_bar_begin(a, "comparing rows", "rows", r->rows, 0);
		rc = load_compare(&r->load, err);
	}
	r->compare_ms = ark_time_tick_ms() - began;
	return rc;
}

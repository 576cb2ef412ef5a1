#include "backup/restore/load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backup/restore/script.h"
#include "backup/source.h"
#include "common/base/fail.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/db/text.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define JOBS_MAX 16
#define WATCH_MS 100
#define SCHEMA_MAX (256u << 20)
#define FULL_TEXT_WEIGHT 8 /* such an index takes as long as that many others */

/* One thing to be done on some connection. */
struct task {
	const struct repo_part *part;      /* rows to be sent or compared; NULL: */
	size_t number;                     /* of the part */
	const struct script_item *index;   /* an index to be built, */
	const struct task *after;          /* once this is done; NULL: at once */
	uint64_t weight;
	bool taken, done;
};

struct pool {
	struct load_job *job;
	const struct script *script; /* its settings hold on every connection; NULL: none */
	bool compare;
	struct task *tasks;          /* in the order in which they are taken */
	size_t count;
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned alive;
	_Atomic bool stop;
	enum ark_rc rc;
	struct ark_err err;
};

/* --- rows --------------------------------------------------------------------------------------------- */

static void sum_line(struct load_sum *sum, struct crypt_hash *hash, struct ark_str line)
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	uint64_t half[2];
	crypt_sha256(hash, line.ptr, line.len, digest);
	memcpy(half, digest, sizeof(half));
	sum->rows++;
	sum->bytes += line.len;
	sum->low += half[0];
	sum->high += half[1] + (sum->low < half[0]);
}

/* Lines that stay, one behind the other, into `out`; all of them are in `text`. */
static void filter(const struct load_job *job, const struct repo_part *part, struct ark_str text, struct ark_buf *out)
{
	ark_buf_reset(out);
	while (text.len > 0) {
		size_t end = ark_str_find(text, '\n', 0);
		size_t len = end == SIZE_MAX ? text.len : end + 1;
		if (job->keep(job->keep_ctx, part, ark_str_first(text, end == SIZE_MAX ? text.len : end)))
			ark_buf_add(out, text.ptr, len);
		text = ark_str_from(text, len);
	}
}

static void sum_lines(struct load_sum *sum, struct crypt_hash *hash, struct ark_str text)
{
	while (text.len > 0) {
		size_t end = ark_str_find(text, '\n', 0);
		size_t len = end == SIZE_MAX ? text.len : end + 1;
		sum_line(sum, hash, ark_str_first(text, len));
		text = ark_str_from(text, len);
	}
}

/* What one thread works with. */
struct worker {
	struct pool *pool;
	struct repo *repo;
	struct db_conn *conn;
	struct crypt_hash *hash;
	struct ark_buf kept;
};

static void worker_release(struct worker *w)
{
	db_close(w->conn);
	repo_close(w->repo);
	crypt_hash_free(w->hash);
	ark_buf_release(&w->kept);
}

static void table_name(struct ark_buf *out, const struct repo_part *p)
{
	db_ident(out, p->schema);
	ark_buf_c(out, '.');
	db_ident(out, p->name);
}

static enum ark_rc send_rows(struct worker *w, const struct repo_part *p, struct load_sum *sum, const char *copy,
                             struct ark_err *err)
{
	struct load_job *job = w->pool->job;
	ark_auto(repo_rows_freep) struct repo_rows *rows = repo_rows_new(w->repo);
	struct ark_str text;
	enum ark_rc rc = db_copy_begin(w->conn, copy, err);
	if (rc < 0)
		return rc;
	repo_rows_begin(rows, p);
	while ((rc = repo_rows_next(rows, &text, err)) == ARK_OK) {
		if (w->pool->stop)
			return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
		uint64_t before = sum->rows;
		size_t read = text.len;
		if (job->keep != NULL) {
			filter(job, p, text, &w->kept);
			text = ark_buf_view(&w->kept);
		}
		sum_lines(sum, w->hash, text);
		rc = db_copy_data(w->conn, text.ptr, text.len, err);
		if (rc < 0)
			return rc;
		ark_progress_count(job->bar, sum->rows - before, read);
	}
	if (rc < 0)
		return rc;
	uint64_t stored = 0;
	rc = db_copy_finish(w->conn, &stored, err);
	if (rc == ARK_OK && stored != sum->rows)
		return ark_err_set(err, ARK_KIND_DB, "%llu rows were sent, %llu stored", (unsigned long long)sum->rows,
		                   (unsigned long long)stored);
	return rc;
}

/* Made and filled in one transaction: pages need no log where the server allows that, and rows are frozen. */
static enum ark_rc load_table(struct worker *w, const struct repo_part *p, struct load_sum *sum, struct ark_err *err)
{
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	if (!p->has_id)
		return ARK_OK;
	ark_buf_z(&sql, "TRUNCATE ONLY ");
	table_name(&sql, p);
	enum ark_rc rc = db_txn_begin(&txn, w->conn, "", err);
	if (rc == ARK_OK)
		rc = db_exec(w->conn, sql.data, err);
	ark_buf_reset(&sql);
	ark_buf_z(&sql, "COPY ");
	table_name(&sql, p);
	ark_buf_fmt(&sql, " (%.*s) FROM STDIN WITH (FREEZE)", ARK_FMT(p->columns));
	if (rc == ARK_OK)
		rc = ark_buf_ok(&sql, "the statement", err);
	if (rc == ARK_OK)
		rc = send_rows(w, p, sum, sql.data, err);
	return rc == ARK_OK ? db_txn_commit(&txn, err) : rc;
}

static enum ark_rc load_large_objects(struct worker *w, const struct repo_part *p, struct load_sum *sum,
                                      struct ark_err *err)
{
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	enum ark_rc rc = db_txn_begin(&txn, w->conn, "", err);
	if (rc == ARK_OK)
		rc = db_exec(w->conn, "CREATE TEMP TABLE large_pages (o oid, at int8, page bytea) ON COMMIT DROP", err);
	if (rc == ARK_OK)
		rc = send_rows(w, p, sum, "COPY pg_temp.large_pages FROM STDIN", err);
	if (rc == ARK_OK)
		rc = db_exec(w->conn, "SELECT count(pg_catalog.lo_create(o)) FROM (SELECT DISTINCT o FROM pg_temp.large_pages) x;"
		             "SELECT count(*) FROM (SELECT pg_catalog.lo_put(o, at, page) FROM pg_temp.large_pages "
		             "WHERE pg_catalog.length(page) > 0) x", err);
	return rc == ARK_OK ? db_txn_commit(&txn, err) : rc;
}

static enum ark_rc differs(const struct load_sum *want, const struct load_sum *have, struct ark_err *err)
{
	if (want->rows != have->rows)
		return ark_err_set(err, ARK_KIND_DB, "%llu rows were loaded, and %llu are there",
		                   (unsigned long long)want->rows, (unsigned long long)have->rows);
	if (want->bytes != have->bytes || want->low != have->low || want->high != have->high)
		return ark_err_set(err, ARK_KIND_DB, "rows are not those that were loaded");
	return ARK_OK;
}

static enum ark_rc compare_rows(struct worker *w, const struct repo_part *p, const struct load_sum *want,
                                struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	struct load_sum have = { 0 };
	struct ark_str line;
	ark_buf_init(&sql, LIMIT_SQL);
	if (p->kind == REPO_PART_LARGE) {
		ark_buf_z(&sql, SOURCE_LARGE_SQL);
	} else {
		ark_buf_fmt(&sql, "COPY (SELECT %.*s FROM ONLY ", ARK_FMT(p->columns));
		table_name(&sql, p);
		ark_buf_z(&sql, ") TO STDOUT");
	}
	enum ark_rc rc = ark_buf_ok(&sql, "the statement", err);
	if (rc == ARK_OK)
		rc = db_copy_out_begin(w->conn, sql.data, err);
	uint64_t told = 0;
	while (rc == ARK_OK && (rc = db_copy_out_next(w->conn, &line, err)) == ARK_OK) {
		sum_line(&have, w->hash, line);
		if ((have.rows & 1023) != 0)
			continue;
		ark_progress_count(w->pool->job->bar, 1024, have.bytes - told);
		told = have.bytes;
		if (w->pool->stop)
			return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
	}
	if (rc < 0)
		return rc;
	ark_progress_count(w->pool->job->bar, have.rows & 1023, have.bytes - told);
	return differs(want, &have, err);
}

/* --- threads -------------------------------------------------------------------------------------------- */

static enum ark_rc do_task(struct worker *w, const struct task *t, struct ark_err *err)
{
	enum ark_rc rc;
	if (t->part == NULL) {
		if (ark_fail_step("build an index") != 0)
			return ark_err_stop(err, ARK_KIND_IO, "cannot build an index");
		return db_exec(w->conn, t->index->sql, err);
	}
	struct load_sum *sum = &w->pool->job->sums[t->number];
	if (w->pool->compare)
		rc = compare_rows(w, t->part, sum, err);
	else if (ark_fail_step("load a table") != 0)
		rc = ark_err_stop(err, ARK_KIND_IO, "cannot load a table");
	else if (t->part->kind == REPO_PART_LARGE)
		rc = load_large_objects(w, t->part, sum, err);
	else
		rc = load_table(w, t->part, sum, err);
	if (rc < 0 && t->part->kind == REPO_PART_LARGE)
		return ark_err_in(err, rc, "large objects");
	return rc < 0 ? ark_err_in(err, rc, "table '%.*s.%.*s'", ARK_FMT(t->part->schema), ARK_FMT(t->part->name)) : rc;
}

/* The next task that may begin; NULL when none ever will. Waits while others may give some. */
static struct task *next_task(struct pool *p)
{
	for (;;) {
		bool wait = false;
		for (size_t i = 0; i < p->count && !p->stop; i++) {
			struct task *t = &p->tasks[i];
			if (t->taken)
				continue;
			if (t->after == NULL || t->after->done) {
				t->taken = true;
				return t;
			}
			wait = true;
		}
		if (!wait || p->stop)
			return NULL;
		pthread_cond_wait(&p->change, &p->lock);
	}
}

static enum ark_rc prepare(struct worker *w, struct ark_err *err)
{
	struct pool *p = w->pool;
	enum ark_rc rc = db_open(p->job->dsn, p->job->db, &w->conn, err);
	/* nothing counts before the database gets its name, and that waits for the disk */
	if (rc == ARK_OK)
		rc = db_exec(w->conn, "SET synchronous_commit = off", err);
	for (size_t i = 0; rc == ARK_OK && p->script != NULL && i < p->script->count; i++)
		if (p->script->items[i].kind == SCRIPT_SETTING)
			rc = db_exec(w->conn, p->script->items[i].sql, err);
	if (rc == ARK_OK)
		rc = db_index_memory(w->conn, err);
	if (rc < 0 || p->compare)
		return rc;
	return repo_open_beside(p->job->repo, p->job->contents, &w->repo, err);
}

static void *work(void *arg)
{
	struct pool *p = arg;
	ark_auto(worker_release) struct worker w = { .pool = p, .hash = crypt_hash_new() };
	struct ark_err err = { 0 };
	ark_buf_init(&w.kept, LIMIT_REPO_OBJECT);
	enum ark_rc rc = prepare(&w, &err);
	struct task *t = NULL;
	pthread_mutex_lock(&p->lock);
	while (rc == ARK_OK && (t = next_task(p)) != NULL) {
		pthread_mutex_unlock(&p->lock);
		rc = do_task(&w, t, &err);
		pthread_mutex_lock(&p->lock);
		t->done = rc == ARK_OK;
		pthread_cond_broadcast(&p->change);
	}
	if (rc < 0 && p->rc == ARK_OK) {
		p->rc = rc;
		p->err = err;
		p->stop = true;
	}
	p->alive--;
	pthread_cond_broadcast(&p->change);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Wait for the end of all threads; the bar goes on meanwhile. */
static void watch(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->alive > 0) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WATCH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)pthread_cond_timedwait(&p->change, &p->lock, &until);
		ark_progress_tick(p->job->bar);
	}
	pthread_mutex_unlock(&p->lock);
}

static enum ark_rc run_pool(struct pool *p, struct ark_err *err)
{
	pthread_t threads[JOBS_MAX];
	unsigned jobs = p->job->jobs < JOBS_MAX ? p->job->jobs : JOBS_MAX, begun = 0;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->change, NULL);
	p->alive = jobs;
	while (begun < jobs && pthread_create(&threads[begun], NULL, work, p) == 0)
		begun++;
	if (begun < jobs) {
		pthread_mutex_lock(&p->lock);
		p->alive -= jobs - begun;
		if (begun == 0)
			p->rc = ark_err_stop(&p->err, ARK_KIND_MEMORY, "cannot start a thread");
		pthread_mutex_unlock(&p->lock);
	}
	watch(p);
	for (unsigned i = 0; i < begun; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->change);
	if (p->rc < 0)
		*err = p->err;
	return p->rc;
}

/* --- what there is to do ---------------------------------------------------------------------------------- */

static bool has_rows(const struct repo_part *p)
{
	return p->kind == REPO_PART_TABLE || p->kind == REPO_PART_LARGE;
}

static int heavier(const void *a, const void *b)
{
	const struct task *x = a, *y = b;
	/* rows before indexes, large before small; as they stood where that is equal */
	if ((x->part == NULL) != (y->part == NULL))
		return x->part == NULL ? 1 : -1;
	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

static const struct task *task_of(const struct pool *p, struct ark_str schema, struct ark_str table)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->tasks[i].part != NULL && ark_str_eq(p->tasks[i].part->schema, schema) &&
		    ark_str_eq(p->tasks[i].part->name, table))
			return &p->tasks[i];
	return NULL;
}

/* Rows first, so that what indexes wait for stands still; then the indexes, sorted by themselves. */
static void plan(struct pool *p)
{
	const struct repo_contents *c = p->job->contents;
	size_t most = c->count + (p->script != NULL ? p->script->count : 0);
	p->tasks = ark_calloc(most + 1, sizeof(*p->tasks));
	for (size_t i = 0; i < c->count; i++)
		if (has_rows(&c->parts[i]))
			p->tasks[p->count++] = (struct task){ .part = &c->parts[i], .number = i, .weight = c->parts[i].bytes };
	qsort(p->tasks, p->count, sizeof(*p->tasks), heavier);
	size_t tables = p->count;
	for (size_t i = 0; p->script != NULL && i < p->script->count; i++) {
		const struct script_item *item = &p->script->items[i];
		if (item->kind != SCRIPT_INDEX)
			continue;
		const struct task *after = task_of(p, item->schema, item->table);
		p->tasks[p->count++] = (struct task){ .index = item, .after = after, .number = i,
			.weight = (after != NULL ? after->weight : 0) * (item->full_text ? FULL_TEXT_WEIGHT : 1) };
	}
	qsort(p->tasks + tables, p->count - tables, sizeof(*p->tasks), heavier);
}

uint64_t load_weight(const struct repo_contents *c, uint64_t *rows)
{
	uint64_t bytes = 0;
	*rows = 0;
	for (size_t i = 0; i < c->count; i++) {
		bytes += has_rows(&c->parts[i]) ? c->parts[i].bytes : 0;
		*rows += has_rows(&c->parts[i]) ? c->parts[i].rows : 0;
	}
	return bytes;
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static enum ark_rc read_schema(const struct load_job *job, const char *section, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(repo_closep) struct repo *repo = NULL;
	const struct repo_part *p = repo_part_find(job->contents, REPO_PART_SCHEMA, section);
	ark_buf_init(out, SCHEMA_MAX);
	if (p == NULL || !p->has_id)
		return ark_err_set(err, ARK_KIND_INPUT, "the snapshot has no schema");
	enum ark_rc rc = repo_open_beside(job->repo, job->contents, &repo, err);
	return rc == ARK_OK ? repo_read(repo, &p->id, out, err) : rc;
}

static enum ark_rc make_schema(const struct load_job *job, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql = { 0 };
	enum ark_rc rc = read_schema(job, "pre-data", &sql, err);
	if (rc == ARK_OK)
		rc = db_open(job->dsn, job->db, &conn, err);
	if (rc == ARK_OK && ark_fail_step("make the tables") != 0)
		rc = ark_err_stop(err, ARK_KIND_IO, "cannot make the tables");
	if (rc == ARK_OK)
		rc = db_exec(conn, sql.data, err);
	return rc < 0 ? ark_err_in(err, rc, "schema") : rc;
}

static bool is_plain_table(void *ctx, struct ark_str schema, struct ark_str table)
{
	const struct load_job *job = ctx;
	const struct repo_contents *c = job->contents;
	for (size_t i = 0; i < c->count; i++)
		if (c->parts[i].kind == REPO_PART_TABLE && ark_str_eq(c->parts[i].schema, schema) &&
		    ark_str_eq(c->parts[i].name, table))
			return true;
	return false;
}

static enum ark_rc set_sequences(const struct load_job *job, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf name;
	enum ark_rc rc = ARK_OK;
	ark_buf_init(&name, LIMIT_SQL);
	for (size_t i = 0; i < job->contents->count && rc == ARK_OK; i++) {
		const struct repo_part *p = &job->contents->parts[i];
		if (p->kind != REPO_PART_SEQUENCE)
			continue;
		ark_buf_reset(&name);
		table_name(&name, p);
		rc = db_run(conn, "SELECT pg_catalog.setval($1::pg_catalog.regclass, $2::pg_catalog.int8, $3::pg_catalog.bool)",
		            DB_PARAMS(ark_buf_view(&name), p->value, ark_str_z(p->called ? "t" : "f")), NULL, err);
	}
	return rc < 0 ? ark_err_in(err, rc, "sequences") : rc;
}

/* Constraints, triggers and what else stands on finished tables. */
static enum ark_rc finish_schema(const struct load_job *job, const struct script *script, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	enum ark_rc rc = db_open(job->dsn, job->db, &conn, err);
	if (rc == ARK_OK)
		rc = db_index_memory(conn, err);
	for (int later = 0; later < 2; later++)
		for (size_t i = 0; rc == ARK_OK && i < script->count; i++)
			if (script->items[i].kind == (later ? SCRIPT_LATER : SCRIPT_SETTING))
				rc = db_exec(conn, script->items[i].sql, err);
	return rc == ARK_OK ? set_sequences(job, conn, err) : ark_err_in(err, rc, "schema");
}

enum ark_rc load_all(struct load_job *job, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_auto(script_release) struct script script = { 0 };
	enum ark_rc rc = make_schema(job, err);
	if (rc == ARK_OK)
		rc = read_schema(job, "post-data", &text, err);
	if (rc == ARK_OK)
		rc = script_read(ark_buf_view(&text), is_plain_table, job, &script, err);
	if (rc < 0)
		return rc;
	struct pool p = { .job = job, .script = &script };
	plan(&p);
	rc = run_pool(&p, err);
	free(p.tasks);
	return rc == ARK_OK ? finish_schema(job, &script, err) : rc;
}

enum ark_rc load_compare(struct load_job *job, struct ark_err *err)
{
	struct pool p = { .job = job, .compare = true };
	plan(&p);
	enum ark_rc rc = run_pool(&p, err);
	free(p.tasks);
	return rc;
}

/* Roles that the source names and this server has not; $1 as the snapshot has it: quoted, with ", " between. */
static const char MISSING_SQL[] =
    "SELECT string_agg(r, ', ') FROM unnest(string_to_array($1, ', ')) r WHERE NOT EXISTS (SELECT FROM "
    "pg_catalog.pg_roles WHERE quote_ident(rolname) = r)";

enum ark_rc load_owners(struct load_job *job, struct ark_buf *missing, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql = { 0 };
	const struct repo_part *p = repo_part_find(job->contents, REPO_PART_SCHEMA, "owners");
	struct ark_str roles = repo_source(job->contents, "roles");
	if (p == NULL || !ark_str_has(roles))
		return ARK_OK; /* taken by an older release */
	enum ark_rc rc = db_open(job->dsn, job->db, &conn, err);
	if (rc == ARK_OK)
		rc = db_query_one(conn, MISSING_SQL, DB_PARAMS(roles), &res, err);
	if (rc == ARK_OK && !db_null(res, 0, 0)) {
		ark_buf_str(missing, db_value(res, 0, 0));
		return ARK_END;
	}
	if (rc == ARK_OK)
		rc = read_schema(job, "owners", &sql, err);
	if (rc == ARK_OK && sql.len > 0)
		rc = db_exec(conn, sql.data, err);
	return rc < 0 ? ark_err_in(err, rc, "owners") : rc;
}

enum ark_rc load_finish(struct load_job *job, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = db_open(job->dsn, job->db, &conn, err);
	for (size_t i = 0; rc == ARK_OK && i < job->contents->count; i++) {
		const struct repo_part *p = &job->contents->parts[i];
		if (p->kind != REPO_PART_REFRESH)
			continue;
		ark_buf_reset(&sql);
		ark_buf_z(&sql, "REFRESH MATERIALIZED VIEW ");
		table_name(&sql, p);
		rc = db_exec(conn, sql.data, err);
		ark_progress_tick(job->bar);
	}
	return rc == ARK_OK ? db_exec(conn, "ANALYZE", err) : ark_err_in(err, rc, "materialised views");
}

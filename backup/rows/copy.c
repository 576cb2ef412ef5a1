#include "backup/rows/copy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backup/repo/listing.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"

#include "common/base/banned.h"

#define BATCH_BYTES (192u << 10)
#define BATCH_SEGMENTS 64
#define BATCHES 6        /* of one reader: being filled, compressed, written */
#define AHEAD 4096       /* items of the list before that are looked through */
#define LOST_AFTER 1024  /* misses in a row: the list before is behind */

struct segment {
	size_t at, len; /* in plain */
	uint64_t rows;
	unsigned char check[REPO_CHECK_BYTES];
	bool reused;
	struct repo_id id;
	enum repo_codec codec;
	size_t stored_at, stored_len; /* in stored; 0 when it is known */
};

struct batch {
	struct ark_buf plain, stored;
	struct segment segments[BATCH_SEGMENTS];
	size_t count;
	bool queued, ready; /* under run->lock */
	enum ark_rc rc;
	struct ark_err err;
	struct batch *next;
};

struct copy_run {
	struct copy_job *job;
	pthread_mutex_t lock;
	pthread_cond_t work, change; /* for workers; for readers and the owner */
	struct batch *first, **last;
	bool closing;
	size_t next_table;
	unsigned readers_alive;
	pthread_t *threads;
	size_t thread_count, reader_count;
	enum ark_rc rc;
	struct ark_err err;
};

static void fail_run(struct copy_run *run, enum ark_rc rc, const struct ark_err *err)
{
	pthread_mutex_lock(&run->lock);
	if (run->rc == ARK_OK) {
		run->rc = rc;
		run->err = *err;
	}
	run->job->stop = true;
	pthread_mutex_unlock(&run->lock);
}

/* --- workers ------------------------------------------------------------------------------------- */

static enum ark_rc compress(struct pack_tools *tools, struct pack_ready *ready, struct batch *b,
                            struct ark_err *err)
{
	for (size_t i = 0; i < b->count; i++) {
		struct segment *s = &b->segments[i];
		if (s->reused)
			continue;
		struct ark_str plain = ark_str_n(b->plain.data + s->at, s->len);
		enum ark_rc rc = pack_prepare(tools, plain, PACK_DICT, ready, err);
		if (rc < 0)
			return rc;
		s->id = ready->id;
		s->codec = ready->codec;
		s->stored_at = b->stored.len;
		s->stored_len = ready->known ? 0 : ready->stored.len;
		ark_buf_add(&b->stored, ready->stored.data, s->stored_len);
	}
	return ark_buf_ok(&b->stored, "a batch of rows", err);
}

static void *worker(void *arg)
{
	struct copy_run *run = arg;
	struct pack_tools *tools = pack_tools_new(run->job->writer);
	struct pack_ready ready;
	pack_ready_init(&ready);
	pthread_mutex_lock(&run->lock);
	for (;;) {
		while (run->first == NULL && !run->closing)
			pthread_cond_wait(&run->work, &run->lock);
		struct batch *b = run->first;
		if (b == NULL)
			break;
		run->first = b->next;
		if (run->first == NULL)
			run->last = &run->first;
		pthread_mutex_unlock(&run->lock);
		b->rc = compress(tools, &ready, b, &b->err);
		pthread_mutex_lock(&run->lock);
		b->ready = true;
		pthread_cond_broadcast(&run->change);
	}
	pthread_mutex_unlock(&run->lock);
	pack_ready_release(&ready);
	pack_tools_free(tools);
	return NULL;
}

/* --- the list before ------------------------------------------------------------------------------ */

struct previous {
	struct pack_writer *w;
	struct repo_walk *walk; /* NULL: none, or at its end */
	struct repo_item *items; /* AHEAD */
	size_t begin, end;
	unsigned misses;
};

static enum ark_rc previous_fill(struct previous *p, struct ark_err *err)
{
	if (p->begin > 0) {
		memmove(p->items, p->items + p->begin, (p->end - p->begin) * sizeof(*p->items));
		p->end -= p->begin;
		p->begin = 0;
	}
	while (p->walk != NULL && p->end < AHEAD) {
		enum ark_rc rc = pack_walk_next(p->w, p->walk, &p->items[p->end], err);
		if (rc < 0)
			return rc;
		if (rc == ARK_END) {
			repo_walk_free(p->walk);
			p->walk = NULL;
		} else if (p->items[p->end].kind == REPO_ITEM_SEGMENT) {
			p->end++;
		}
	}
	return ARK_OK;
}

/* Is this segment on the list before? Both are in the same order, so it stands near. */
static enum ark_rc previous_find(struct previous *p, struct segment *s, struct ark_err *err)
{
	if (p->begin > AHEAD / 2 || p->end == 0) {
		enum ark_rc rc = previous_fill(p, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = p->begin; i < p->end; i++) {
		const struct repo_item *item = &p->items[i];
		if (memcmp(item->check, s->check, REPO_CHECK_BYTES) != 0)
			continue;
		p->begin = i + 1;
		p->misses = 0;
		if (item->rows == s->rows && item->bytes == s->len && pack_knows(p->w, &item->id)) {
			s->reused = true;
			s->id = item->id;
		}
		return ARK_OK;
	}
	if (++p->misses > LOST_AFTER && p->begin < p->end)
		p->begin++;
	return ARK_OK;
}

/* --- readers -------------------------------------------------------------------------------------- */

struct reader {
	struct copy_run *run;
	struct db_conn *conn;
	struct pack_tools *tools;
	struct listing *listing;
	struct crypt_hash *hash, *digest;
	struct batch batches[BATCHES];
	size_t filling;
	uint64_t rows; /* of the segment that is being filled */
	size_t begin;  /* where it begins */
	struct previous before;
};

/* The batch that was compressed goes to the pack and onto the list. */
static enum ark_rc keep_batch(struct reader *x, struct copy_table *t, struct batch *b, struct ark_err *err)
{
	if (b->rc < 0) {
		*err = b->err;
		return b->rc;
	}
	for (size_t i = 0; i < b->count; i++) {
		const struct segment *s = &b->segments[i];
		struct repo_item item = { .kind = REPO_ITEM_SEGMENT, .id = s->id, .rows = s->rows, .bytes = s->len };
		enum ark_rc rc = ARK_OK;
		if (!s->reused && s->stored_len > 0)
			rc = pack_keep(x->run->job->writer, &s->id, s->codec,
			               ark_str_n(b->stored.data + s->stored_at, s->stored_len), err);
		memcpy(item.check, s->check, sizeof(item.check));
		crypt_hash_add(x->digest, s->check, sizeof(s->check));
		if (rc == ARK_OK)
			rc = listing_add(x->listing, &item, err);
		if (rc < 0)
			return rc;
		t->reused += s->reused || s->stored_len == 0;
	}
	return ARK_OK;
}

/* Wait for the batch, keep it, make it empty. One that was never queued is empty already. */
static enum ark_rc settle(struct reader *x, struct copy_table *t, struct batch *b, struct ark_err *err)
{
	struct copy_run *run = x->run;
	if (!b->queued)
		return ARK_OK;
	pthread_mutex_lock(&run->lock);
	while (!b->ready)
		pthread_cond_wait(&run->change, &run->lock);
	pthread_mutex_unlock(&run->lock);
	enum ark_rc rc = t != NULL ? keep_batch(x, t, b, err) : ARK_OK;
	b->queued = b->ready = false;
	b->count = 0;
	ark_buf_reset(&b->plain);
	ark_buf_reset(&b->stored);
	return rc;
}

static enum ark_rc submit(struct reader *x, struct copy_table *t, struct ark_err *err)
{
	struct copy_run *run = x->run;
	struct batch *b = &x->batches[x->filling];
	if (b->count > 0) {
		b->next = NULL;
		b->queued = true;
		pthread_mutex_lock(&run->lock);
		*run->last = b;
		run->last = &b->next;
		pthread_cond_signal(&run->work);
		pthread_mutex_unlock(&run->lock);
		x->filling = (x->filling + 1) % BATCHES;
	}
	x->begin = 0;
	return settle(x, t, &x->batches[x->filling], err);
}

static enum ark_rc end_segment(struct reader *x, struct copy_table *t, struct ark_err *err)
{
	struct batch *b = &x->batches[x->filling];
	struct segment *s = &b->segments[b->count++];
	unsigned char sum[CRYPT_SHA256_BYTES];
	*s = (struct segment){ .at = x->begin, .len = b->plain.len - x->begin, .rows = x->rows };
	enum ark_rc rc = ark_buf_ok(&b->plain, "a row", err);
	if (rc < 0)
		return rc;
	crypt_sha256(x->hash, b->plain.data + s->at, s->len, sum);
	memcpy(s->check, sum, sizeof(s->check));
	if (t->has_previous)
		rc = previous_find(&x->before, s, err);
	atomic_fetch_add_explicit(&x->run->job->rows_done, s->rows, memory_order_relaxed);
	atomic_fetch_add_explicit(&x->run->job->bytes_done, s->len, memory_order_relaxed);
	x->begin = b->plain.len;
	x->rows = 0;
	if (rc == ARK_OK && (b->count == BATCH_SEGMENTS || b->plain.len >= BATCH_BYTES))
		rc = submit(x, t, err);
	return rc;
}

static enum ark_rc read_rows(struct reader *x, struct copy_table *t, struct ark_err *err)
{
	enum ark_rc rc = db_copy_out_begin(x->conn, t->sql, err);
	while (rc == ARK_OK) {
		struct ark_str line;
		rc = db_copy_out_next(x->conn, &line, err);
		if (rc != ARK_OK)
			break;
		if (atomic_load_explicit(&x->run->job->stop, memory_order_relaxed))
			return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
		struct batch *b = &x->batches[x->filling];
		ark_buf_str(&b->plain, line);
		x->rows++;
		t->rows++;
		t->bytes += line.len;
		if (segment_ends(&t->key, line) || b->plain.len - x->begin >= SEGMENT_BYTES)
			rc = end_segment(x, t, err);
	}
	if (rc == ARK_END && x->rows > 0)
		rc = end_segment(x, t, err);
	return rc == ARK_END ? ARK_OK : rc;
}

static void begin_previous(struct reader *x, const struct copy_table *t)
{
	struct previous *p = &x->before;
	p->begin = p->end = 0;
	p->misses = 0;
	repo_walk_free(p->walk);
	p->walk = NULL;
	if (!t->has_previous)
		return;
	if (p->items == NULL)
		p->items = ark_malloc(AHEAD * sizeof(*p->items));
	p->walk = repo_walk_new(x->run->job->r);
	repo_walk_begin(p->walk, &t->previous);
}

static enum ark_rc copy_table(struct reader *x, struct copy_table *t, struct ark_err *err)
{
	uint64_t rows = 0, bytes = 0;
	t->rows = t->bytes = t->reused = 0;
	x->rows = 0;
	x->begin = 0;
	begin_previous(x, t);
	crypt_hash_begin(x->digest);
	enum ark_rc rc = read_rows(x, t, err);
	if (rc < 0)
		db_copy_out_end(x->conn);
	if (rc == ARK_OK)
		rc = submit(x, t, err);
	/* oldest first */
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *b = &x->batches[(x->filling + i) % BATCHES];
		struct ark_err second = { 0 };
		enum ark_rc one = settle(x, rc == ARK_OK ? t : NULL, b, rc == ARK_OK ? err : &second);
		rc = rc == ARK_OK ? one : rc;
	}
	if (rc == ARK_OK)
		rc = listing_finish(x->listing, &t->list, &rows, &bytes, &t->empty, err);
	crypt_hash_end(x->digest, t->digest.b);
	if (rc == ARK_OK && (rows != t->rows || bytes != t->bytes))
		ark_bug("a list has %llu rows, the table %llu", (unsigned long long)rows, (unsigned long long)t->rows);
	return rc < 0 ? ark_err_in(err, rc, "table '%.*s'", ARK_FMT(t->label)) : rc;
}

static enum ark_rc begin_reading(struct reader *x, size_t number, struct ark_err *err)
{
	const struct copy_job *job = x->run->job;
	enum ark_rc rc = db_open(job->dsn, job->db, &x->conn, err);
	if (rc == ARK_OK)
		rc = db_exec(x->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	if (rc == ARK_OK) {
		char sql[128];
		snprintf(sql, sizeof(sql), "SET TRANSACTION SNAPSHOT '%.64s'", job->snapshot);
		rc = db_exec(x->conn, sql, err);
	}
	if (rc == ARK_OK)
		/* seqscans from the first page: a stable order where there is no key; room for the sort */
		rc = db_exec(x->conn,
		             "SET LOCAL synchronize_seqscans = off; SET LOCAL work_mem = '64MB'; "
		             "SET LOCAL extra_float_digits = 3; SET LOCAL intervalstyle = 'postgres'; "
		             "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL search_path = pg_catalog",
		             err);
	if (rc == ARK_OK)
		x->run->job->pids[number] = db_backend_pid(x->conn);
	return rc;
}

static struct copy_table *next_table(struct copy_run *run)
{
	struct copy_table *t = NULL;
	pthread_mutex_lock(&run->lock);
	if (run->next_table < run->job->count && !run->job->stop)
		t = &run->job->tables[run->next_table++];
	pthread_mutex_unlock(&run->lock);
	return t;
}

struct reader_start {
	struct copy_run *run;
	size_t number;
};

static void *reader(void *arg)
{
	struct reader_start start = *(struct reader_start *)arg;
	free(arg);
	struct copy_run *run = start.run;
	struct reader *x = ark_calloc(1, sizeof(*x));
	x->run = run;
	x->tools = pack_tools_new(run->job->writer);
	x->listing = listing_new(x->tools);
	x->hash = crypt_hash_new();
	x->digest = crypt_hash_new();
	x->before.w = run->job->writer;
	for (size_t i = 0; i < BATCHES; i++) {
		ark_buf_init(&x->batches[i].plain, LIMIT_REPO_OBJECT);
		ark_buf_init(&x->batches[i].stored, LIMIT_REPO_OBJECT);
	}
	struct ark_err err = { 0 };
	enum ark_rc rc = begin_reading(x, start.number, &err);
	struct copy_table *t;
	while (rc == ARK_OK && (t = next_table(run)) != NULL)
		rc = copy_table(x, t, &err);
	if (rc < 0)
		fail_run(run, rc, &err);
	run->job->pids[start.number] = 0;
	db_close(x->conn);
	for (size_t i = 0; i < BATCHES; i++) {
		ark_buf_release(&x->batches[i].plain);
		ark_buf_release(&x->batches[i].stored);
	}
	repo_walk_free(x->before.walk);
	free(x->before.items);
	crypt_hash_free(x->hash);
	crypt_hash_free(x->digest);
	listing_free(x->listing);
	pack_tools_free(x->tools);
	free(x);
	pthread_mutex_lock(&run->lock);
	run->readers_alive--;
	pthread_cond_broadcast(&run->change);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

/* --- the run --------------------------------------------------------------------------------------- */

static int by_weight(const void *a, const void *b)
{
	const struct copy_table *x = a, *y = b;
	return x->weight != y->weight ? (x->weight > y->weight ? -1 : 1) : ark_str_cmp(x->label, y->label);
}

static bool start_thread(struct copy_run *run, void *(*fn)(void *), void *arg)
{
	if (pthread_create(&run->threads[run->thread_count], NULL, fn, arg) != 0)
		return false;
	run->thread_count++;
	return true;
}

enum ark_rc copy_start(struct copy_job *job, struct copy_run **out, struct ark_err *err)
{
	size_t most = sizeof(job->pids) / sizeof(job->pids[0]);
	job->readers = job->readers > most ? (unsigned)most : job->readers;
	struct copy_run *run = ark_calloc(1, sizeof(*run));
	run->job = job;
	run->last = &run->first;
	run->threads = ark_calloc(job->readers + job->workers, sizeof(*run->threads));
	pthread_mutex_init(&run->lock, NULL);
	pthread_cond_init(&run->work, NULL);
	pthread_cond_init(&run->change, NULL);
	if (job->count > 1)
		qsort(job->tables, job->count, sizeof(*job->tables), by_weight);
	bool started = true;
	for (unsigned i = 0; i < job->readers && started; i++) {
		struct reader_start *start = ark_malloc(sizeof(*start));
		*start = (struct reader_start){ run, i };
		pthread_mutex_lock(&run->lock);
		run->readers_alive++;
		pthread_mutex_unlock(&run->lock);
		started = start_thread(run, reader, start);
		if (!started) {
			free(start);
			run->readers_alive--;
		} else {
			run->reader_count++;
		}
	}
	for (unsigned i = 0; i < job->workers && started; i++)
		started = start_thread(run, worker, run);
	if (!started) {
		struct ark_err e = { 0 };
		ark_err_set(&e, ARK_KIND_MEMORY, "cannot start a thread");
		fail_run(run, ARK_STOP, &e);
		if (run->thread_count == run->reader_count && run->reader_count > 0)
			ark_bug("no thread to compress with");
	}
	(void)err;
	*out = run;
	return ARK_OK;
}

bool copy_done(struct copy_run *run, unsigned wait_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&run->lock);
	while (run->readers_alive > 0 && pthread_cond_timedwait(&run->change, &run->lock, &until) == 0)
		;
	bool done = run->readers_alive == 0;
	pthread_mutex_unlock(&run->lock);
	return done;
}

enum ark_rc copy_finish(struct copy_run *run, struct ark_err *err)
{
	for (size_t i = 0; i < run->reader_count; i++)
		pthread_join(run->threads[i], NULL);
	pthread_mutex_lock(&run->lock);
	run->closing = true;
	pthread_cond_broadcast(&run->work);
	pthread_mutex_unlock(&run->lock);
	for (size_t i = run->reader_count; i < run->thread_count; i++)
		pthread_join(run->threads[i], NULL);
	enum ark_rc rc = run->rc;
	if (rc < 0)
		*err = run->err;
	pthread_cond_destroy(&run->work);
	pthread_cond_destroy(&run->change);
	pthread_mutex_destroy(&run->lock);
	free(run->threads);
	free(run);
	return rc;
}

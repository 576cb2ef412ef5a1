#include "backup/rows/copy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backup/repo/listing.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/io/spool.h"

#include "common/base/banned.h"

#define BATCH_BYTES (192u << 10)
#define BATCH_SEGMENTS 64
#define BATCHES 6        /* of one reader: being filled, compressed, written */
#define AHEAD 4096       /* items of the list before that are looked through */
#define LOST_AFTER 1024  /* misses in a row: the list before is behind */
#define SEEKS 8          /* segments of a second half that are looked for in all of the list before */
#define HEAD_BYTES (4u << 20) /* rows of a second half without a cut: from then on one is made */

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

/* What is read at one time: a table, or a half of one. */
enum part { WHOLE, FIRST, SECOND };

/* A table in two halves. Each belongs to its reader until both are done, then everything to the later one. */
struct halves {
	struct pack_tools *tools;
	struct listing *listing;    /* of the first half, then of all */
	struct crypt_hash *digest;
	struct ark_buf tail, head;  /* behind the last cut of the first half; up to the first one of the second */
	struct io_spool items;      /* of the second half, struct repo_item */
	unsigned done;              /* under run->lock */
};

struct task {
	struct copy_table *table;
	struct halves *halves; /* NULL: WHOLE */
	enum part part;
};

struct copy_run {
	struct copy_job *job;
	struct task *tasks;
	size_t task_count;
	struct halves *halves;
	size_t halves_count;
	pthread_mutex_t lock;
	pthread_cond_t work, change; /* for workers; for readers and the owner */
	struct batch *first, **last;
	bool closing;
	size_t next_task;
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
	unsigned seeks; /* left; where we are on it is not known until then */
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

static void previous_end(struct previous *p)
{
	repo_walk_free(p->walk);
	p->walk = NULL;
	p->begin = p->end = 0;
	p->misses = p->seeks = 0;
}

static void previous_hit(struct previous *p, const struct repo_item *item, struct segment *s)
{
	p->misses = 0;
	if (item->rows == s->rows && item->bytes == s->len && pack_knows(p->w, &item->id)) {
		s->reused = true;
		s->id = item->id;
	}
}

/* The first segments of a second half: from the beginning of the list on. */
static enum ark_rc previous_seek(struct previous *p, const struct copy_table *t, struct segment *s, struct ark_err *err)
{
	struct repo_item item;
	enum ark_rc rc;
	repo_walk_begin(p->walk, &t->previous);
	while ((rc = pack_walk_next(p->w, p->walk, &item, err)) == ARK_OK) {
		if (item.kind != REPO_ITEM_SEGMENT || memcmp(item.check, s->check, REPO_CHECK_BYTES) != 0)
			continue;
		p->seeks = 0;
		previous_hit(p, &item, s);
		return ARK_OK;
	}
	if (--p->seeks == 0)
		previous_end(p);
	return rc < 0 ? rc : ARK_OK;
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
		previous_hit(p, item, s);
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
	struct listing *own_listing;
	struct crypt_hash *hash, *own_digest;
	/* of the task */
	enum part part;
	struct halves *halves;
	struct listing *listing;   /* NULL: items go to halves->items */
	struct crypt_hash *digest;
	uint64_t rows_read, bytes_read, reused;
	bool heading;              /* before the first cut of a second half */
	struct batch batches[BATCHES];
	size_t filling;
	uint64_t rows; /* of the segment that is being filled */
	size_t begin;  /* where it begins */
	struct previous before;
};

static enum ark_rc list_items(struct reader *x, const struct repo_item *items, size_t count, struct ark_err *err)
{
	if (x->listing == NULL)
		return io_spool_add(&x->halves->items, io_temp_dir(), (const char *)items, count * sizeof(*items), err);
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < count && rc == ARK_OK; i++) {
		crypt_hash_add(x->digest, items[i].check, sizeof(items[i].check));
		rc = listing_add(x->listing, &items[i], err);
	}
	return rc;
}

/* The batch that was compressed goes to the pack and onto the list. */
static enum ark_rc keep_batch(struct reader *x, struct batch *b, struct ark_err *err)
{
	struct repo_item items[BATCH_SEGMENTS];
	if (b->rc < 0) {
		*err = b->err;
		return b->rc;
	}
	for (size_t i = 0; i < b->count; i++) {
		const struct segment *s = &b->segments[i];
		struct repo_item *item = &items[i];
		enum ark_rc rc = ARK_OK;
		*item = (struct repo_item){ .kind = REPO_ITEM_SEGMENT, .id = s->id, .rows = s->rows, .bytes = s->len };
		if (!s->reused && s->stored_len > 0)
			rc = pack_keep(x->run->job->writer, &s->id, s->codec,
			               ark_str_n(b->stored.data + s->stored_at, s->stored_len), err);
		memcpy(item->check, s->check, sizeof(item->check));
		if (rc < 0)
			return rc;
		x->reused += s->reused || s->stored_len == 0;
	}
	return list_items(x, items, b->count, err);
}

/* Wait for the batch, keep it, make it empty. One that was never queued is empty already. */
static enum ark_rc settle(struct reader *x, bool keep, struct batch *b, struct ark_err *err)
{
	struct copy_run *run = x->run;
	if (!b->queued)
		return ARK_OK;
	pthread_mutex_lock(&run->lock);
	while (!b->ready)
		pthread_cond_wait(&run->change, &run->lock);
	pthread_mutex_unlock(&run->lock);
	enum ark_rc rc = keep ? keep_batch(x, b, err) : ARK_OK;
	b->queued = b->ready = false;
	b->count = 0;
	ark_buf_reset(&b->plain);
	ark_buf_reset(&b->stored);
	return rc;
}

static enum ark_rc submit(struct reader *x, struct ark_err *err)
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
	return settle(x, true, &x->batches[x->filling], err);
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
	if (x->before.seeks > 0)
		rc = previous_seek(&x->before, t, s, err);
	else if (x->before.walk != NULL || x->before.end > 0)
		rc = previous_find(&x->before, s, err);
	atomic_fetch_add_explicit(&x->run->job->rows_done, s->rows, memory_order_relaxed);
	atomic_fetch_add_explicit(&x->run->job->bytes_done, s->len, memory_order_relaxed);
	x->begin = b->plain.len;
	x->rows = 0;
	if (rc == ARK_OK && (b->count == BATCH_SEGMENTS || b->plain.len >= BATCH_BYTES))
		rc = submit(x, err);
	return rc;
}

static enum ark_rc add_row(struct reader *x, struct copy_table *t, struct ark_str line, struct ark_err *err)
{
	struct batch *b = &x->batches[x->filling];
	ark_buf_str(&b->plain, line);
	x->rows++;
	return segment_ends(&t->key, line) || b->plain.len - x->begin >= SEGMENT_BYTES ? end_segment(x, t, err) : ARK_OK;
}

static enum ark_rc add_to_head(struct reader *x, const struct copy_table *t, struct ark_str line, struct ark_err *err)
{
	struct ark_buf *head = &x->halves->head;
	ark_buf_str(head, line);
	x->heading = !segment_ends(&t->key, line) && head->len < HEAD_BYTES;
	return ark_buf_ok(head, "a row", err);
}

/* All rows of one COPY. */
static enum ark_rc read_rows(struct reader *x, struct copy_table *t, const char *sql, struct ark_err *err)
{
	enum ark_rc rc = db_copy_out_begin(x->conn, sql, err);
	while (rc == ARK_OK) {
		struct ark_str line;
		rc = db_copy_out_next(x->conn, &line, err);
		if (rc != ARK_OK)
			break;
		if (atomic_load_explicit(&x->run->job->stop, memory_order_relaxed))
			return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
		x->rows_read++;
		x->bytes_read += line.len;
		rc = x->heading ? add_to_head(x, t, line, err) : add_row(x, t, line, err);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

/* What is left behind the last cut: a segment, or in a first half the tail. */
static enum ark_rc end_rows(struct reader *x, struct copy_table *t, struct ark_err *err)
{
	struct batch *b = &x->batches[x->filling];
	if (x->rows == 0)
		return ARK_OK;
	if (x->part != FIRST)
		return end_segment(x, t, err);
	ark_buf_add(&x->halves->tail, b->plain.data + x->begin, b->plain.len - x->begin);
	ark_buf_cut(&b->plain, x->begin);
	x->rows = 0;
	return ark_buf_ok(&x->halves->tail, "a row", err);
}

static void begin_previous(struct reader *x, const struct copy_table *t)
{
	struct previous *p = &x->before;
	previous_end(p);
	if (!t->has_previous)
		return;
	if (p->items == NULL)
		p->items = ark_malloc(AHEAD * sizeof(*p->items));
	p->walk = repo_walk_new(x->run->job->r);
	p->seeks = x->part == SECOND ? SEEKS : 0;
	if (x->part != SECOND)
		repo_walk_begin(p->walk, &t->previous);
}

/* Whatever is in batches, oldest first: kept, or dropped when something failed. */
static enum ark_rc settle_all(struct reader *x, enum ark_rc rc, struct ark_err *err)
{
	if (rc == ARK_OK)
		rc = submit(x, err);
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *b = &x->batches[(x->filling + i) % BATCHES];
		struct ark_err second = { 0 };
		enum ark_rc one = settle(x, rc == ARK_OK, b, rc == ARK_OK ? err : &second);
		rc = rc == ARK_OK ? one : rc;
	}
	return rc;
}

/* Rows in memory, line by line. */
static enum ark_rc add_lines(struct reader *x, struct copy_table *t, struct ark_str text, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (text.len > 0 && rc == ARK_OK) {
		size_t end = ark_str_find(text, '\n', 0);
		size_t len = end == SIZE_MAX ? text.len : end + 1;
		rc = add_row(x, t, ark_str_first(text, len), err);
		text = ark_str_from(text, len);
	}
	return rc;
}

/* Both halves are read: what is between them, then the list of the second behind that of the first. */
static enum ark_rc join(struct reader *x, struct copy_table *t, struct ark_err *err)
{
	struct halves *h = x->halves;
	struct repo_item items[BATCH_SEGMENTS];
	x->part = WHOLE;
	x->listing = h->listing;
	x->digest = h->digest;
	previous_end(&x->before);
	enum ark_rc rc = add_lines(x, t, ark_buf_view(&h->tail), err);
	if (rc == ARK_OK)
		rc = add_lines(x, t, ark_buf_view(&h->head), err);
	if (rc == ARK_OK)
		rc = end_rows(x, t, err);
	rc = settle_all(x, rc, err);
	for (uint64_t at = 0; at < h->items.len && rc == ARK_OK;) {
		size_t len = h->items.len - at < sizeof(items) ? (size_t)(h->items.len - at) : sizeof(items);
		rc = io_spool_read(&h->items, at, (char *)items, len, err);
		if (rc == ARK_OK)
			rc = list_items(x, items, len / sizeof(*items), err);
		at += len;
	}
	return rc;
}

/* Adds up what the task read; true when the whole table is. */
static bool finish_task(struct reader *x, struct copy_table *t)
{
	pthread_mutex_lock(&x->run->lock);
	t->rows += x->rows_read;
	t->bytes += x->bytes_read;
	t->reused += x->reused;
	x->reused = 0;
	bool last = x->part == WHOLE || ++x->halves->done == 2;
	pthread_mutex_unlock(&x->run->lock);
	return last;
}

static enum ark_rc finish_table(struct reader *x, struct copy_table *t, struct ark_err *err)
{
	uint64_t rows = 0, bytes = 0;
	enum ark_rc rc = ARK_OK;
	if (x->part != WHOLE)
		rc = join(x, t, err);
	t->reused += x->reused;
	if (rc == ARK_OK)
		rc = listing_finish(x->listing, &t->list, &rows, &bytes, &t->empty, err);
	crypt_hash_end(x->digest, t->digest.b);
	if (rc == ARK_OK && (rows != t->rows || bytes != t->bytes))
		ark_bug("a list has %llu rows, the table %llu", (unsigned long long)rows, (unsigned long long)t->rows);
	return rc;
}

static void begin_task(struct reader *x, const struct task *task)
{
	x->part = task->part;
	x->halves = task->halves;
	x->listing = task->part == WHOLE ? x->own_listing : task->part == FIRST ? task->halves->listing : NULL;
	x->digest = task->part == WHOLE ? x->own_digest : task->part == FIRST ? task->halves->digest : NULL;
	x->rows_read = x->bytes_read = x->reused = 0;
	x->heading = task->part == SECOND;
	x->rows = 0;
	x->begin = 0;
	begin_previous(x, task->table);
	if (x->digest != NULL)
		crypt_hash_begin(x->digest);
}

static enum ark_rc copy_task(struct reader *x, const struct task *task, struct ark_err *err)
{
	struct copy_table *t = task->table;
	begin_task(x, task);
	enum ark_rc rc = task->part == SECOND ? ARK_OK : read_rows(x, t, t->sql, err);
	for (size_t i = 0; i < 2 && task->part != FIRST && t->second[i] != NULL && rc == ARK_OK; i++)
		rc = read_rows(x, t, t->second[i], err);
	if (rc < 0)
		db_copy_out_end(x->conn);
	if (rc == ARK_OK)
		rc = end_rows(x, t, err);
	rc = settle_all(x, rc, err);
	if (rc == ARK_OK && finish_task(x, t))
		rc = finish_table(x, t, err);
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

static const struct task *next_task(struct copy_run *run)
{
	const struct task *t = NULL;
	pthread_mutex_lock(&run->lock);
	if (run->next_task < run->task_count && !run->job->stop)
		t = &run->tasks[run->next_task++];
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
	x->own_listing = listing_new(x->tools);
	x->hash = crypt_hash_new();
	x->own_digest = crypt_hash_new();
	x->before.w = run->job->writer;
	for (size_t i = 0; i < BATCHES; i++) {
		ark_buf_init(&x->batches[i].plain, LIMIT_REPO_OBJECT);
		ark_buf_init(&x->batches[i].stored, LIMIT_REPO_OBJECT);
	}
	struct ark_err err = { 0 };
	enum ark_rc rc = begin_reading(x, start.number, &err);
	const struct task *t;
	while (rc == ARK_OK && (t = next_task(run)) != NULL)
		rc = copy_task(x, t, &err);
	if (rc < 0)
		fail_run(run, rc, &err);
	run->job->pids[start.number] = 0;
	db_close(x->conn);
	for (size_t i = 0; i < BATCHES; i++) {
		ark_buf_release(&x->batches[i].plain);
		ark_buf_release(&x->batches[i].stored);
	}
	previous_end(&x->before);
	free(x->before.items);
	crypt_hash_free(x->hash);
	crypt_hash_free(x->own_digest);
	listing_free(x->own_listing);
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

/* Large tables first, halves beside each other. */
static void plan(struct copy_run *run)
{
	struct copy_job *job = run->job;
	if (job->count > 1)
		qsort(job->tables, job->count, sizeof(*job->tables), by_weight);
	run->tasks = ark_calloc(2 * job->count + 1, sizeof(*run->tasks));
	run->halves = ark_calloc(job->count + 1, sizeof(*run->halves));
	for (size_t i = 0; i < job->count; i++) {
		struct copy_table *t = &job->tables[i];
		t->rows = t->bytes = t->reused = 0;
		if (t->second[0] == NULL || job->readers < 2) {
			run->tasks[run->task_count++] = (struct task){ .table = t };
			continue;
		}
		struct halves *h = &run->halves[run->halves_count++];
		h->tools = pack_tools_new(job->writer);
		h->listing = listing_new(h->tools);
		h->digest = crypt_hash_new();
		h->items = IO_SPOOL_NONE;
		ark_buf_init(&h->tail, LIMIT_REPO_OBJECT);
		ark_buf_init(&h->head, LIMIT_REPO_OBJECT);
		run->tasks[run->task_count++] = (struct task){ t, h, FIRST };
		run->tasks[run->task_count++] = (struct task){ t, h, SECOND };
	}
}

static void drop_plan(struct copy_run *run)
{
	for (size_t i = 0; i < run->halves_count; i++) {
		struct halves *h = &run->halves[i];
		ark_buf_release(&h->tail);
		ark_buf_release(&h->head);
		io_spool_close(&h->items);
		crypt_hash_free(h->digest);
		listing_free(h->listing);
		pack_tools_free(h->tools);
	}
	free(run->halves);
	free(run->tasks);
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
	plan(run);
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
	drop_plan(run);
	free(run->threads);
	free(run);
	return rc;
}

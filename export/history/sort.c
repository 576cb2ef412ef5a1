#include "export/history/sort.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/spool.h"

#include "common/base/banned.h"

#define RUN_FILES 65536 /* sorted in memory: 3 MB */
#define READ_FILES 256  /* of each run while they are merged */

struct run {
	uint64_t at, left; /* in the temporary file, records */
	struct history_file *ahead;
	size_t next, count;
};

struct history_sort {
	struct history_file *chunk;
	size_t chunk_count;
	struct io_spool spool;
	struct run *runs;
	size_t runs_count;
	size_t *heap; /* runs by their next record */
	size_t heap_count;
	uint64_t count;
	bool reading;
};

struct history_sort *history_sort_new(void)
{
	struct history_sort *s = ark_calloc(1, sizeof(*s));
	s->chunk = ark_calloc(RUN_FILES, sizeof(s->chunk[0]));
	s->spool = IO_SPOOL_NONE;
	return s;
}

void history_sort_free(struct history_sort *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->runs_count; i++)
		free(s->runs[i].ahead);
	free(s->runs);
	free(s->heap);
	free(s->chunk);
	io_spool_close(&s->spool);
	free(s);
}

static int by_day(const void *a, const void *b)
{
	const struct history_file *x = a, *y = b;
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return x->channel < y->channel ? -1 : x->channel > y->channel;
}

static enum ark_rc end_run(struct history_sort *s, struct ark_err *err)
{
	if (s->chunk_count == 0)
		return ARK_OK;
	qsort(s->chunk, s->chunk_count, sizeof(s->chunk[0]), by_day);
	s->runs = ark_realloc(s->runs, s->runs_count + 1, sizeof(s->runs[0]));
	s->runs[s->runs_count++] = (struct run){ .at = s->count - s->chunk_count, .left = s->chunk_count };
	enum ark_rc rc = io_spool_add(&s->spool, io_temp_dir(), (const char *)s->chunk,
	                              s->chunk_count * sizeof(s->chunk[0]), err);
	s->chunk_count = 0;
	return rc;
}

enum ark_rc history_sort_add(struct history_sort *s, const struct history_file *file, struct ark_err *err)
{
	s->chunk[s->chunk_count++] = *file;
	s->count++;
	return s->chunk_count == RUN_FILES ? end_run(s, err) : ARK_OK;
}

/* --- merging ----------------------------------------------------------------------------------- */

static enum ark_rc refill(struct history_sort *s, struct run *r, struct ark_err *err)
{
	if (r->next < r->count || r->left == 0)
		return ARK_OK;
	if (r->ahead == NULL)
		r->ahead = ark_calloc(READ_FILES, sizeof(r->ahead[0]));
	r->count = r->left < READ_FILES ? (size_t)r->left : READ_FILES;
	r->next = 0;
	enum ark_rc rc = io_spool_read(&s->spool, r->at * sizeof(r->ahead[0]), (char *)r->ahead,
	                               r->count * sizeof(r->ahead[0]), err);
	r->at += r->count;
	r->left -= r->count;
	return rc;
}

static bool less(const struct history_sort *s, size_t a, size_t b)
{
	const struct run *x = &s->runs[s->heap[a]], *y = &s->runs[s->heap[b]];
	return by_day(&x->ahead[x->next], &y->ahead[y->next]) < 0;
}

static void swap(struct history_sort *s, size_t a, size_t b)
{
	size_t held = s->heap[a];
	s->heap[a] = s->heap[b];
	s->heap[b] = held;
}

static void sink(struct history_sort *s, size_t at)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1;
		if (left < s->heap_count && less(s, left, least))
			least = left;
		if (left + 1 < s->heap_count && less(s, left + 1, least))
			least = left + 1;
		if (least == at)
			return;
		swap(s, at, least);
		at = least;
	}
}

static enum ark_rc begin_reading(struct history_sort *s, struct ark_err *err)
{
	enum ark_rc rc = end_run(s, err);
	s->reading = true;
	s->heap = ark_calloc(s->runs_count + 1, sizeof(s->heap[0]));
	for (size_t i = 0; i < s->runs_count && rc == ARK_OK; i++) {
		rc = refill(s, &s->runs[i], err);
		s->heap[s->heap_count++] = i;
	}
	for (size_t i = s->heap_count / 2; rc == ARK_OK && i-- > 0;)
		sink(s, i);
	return rc;
}

enum ark_rc history_sort_next(struct history_sort *s, struct history_file *out, struct ark_err *err)
{
	enum ark_rc rc = s->reading ? ARK_OK : begin_reading(s, err);
	if (rc < 0 || s->heap_count == 0)
		return rc < 0 ? rc : ARK_END;
	struct run *r = &s->runs[s->heap[0]];
	*out = r->ahead[r->next++];
	rc = refill(s, r, err);
	if (r->next == r->count && r->left == 0)
		s->heap[0] = s->heap[--s->heap_count];
	sink(s, 0);
	return rc;
}

uint64_t history_sort_count(const struct history_sort *s)
{
	return s->count;
}

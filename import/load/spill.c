#include "import/load/spill.h"

#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

/* What is read of each run at once: less, the more there are. */
#define RUN_WINDOW (128u << 10)
#define RUN_WINDOW_MIN (8u << 10)
#define ALL_WINDOWS (16u << 20)

struct run {
	uint64_t at, len; /* in the file */
	uint64_t count;
};

struct load_spill {
	struct run *runs;
	uint32_t count;
};

/* One run while it is merged. */
struct reader {
	uint64_t at, end;       /* what is not yet in the window */
	struct ark_buf window;
	size_t pos;             /* of the current record in the window */
	const struct record *now; /* NULL: run is over */
};

struct load_walk {
	const struct io_spool *file;
	struct load_spill *spill;
	struct reader *readers;
	size_t window;            /* bytes read at once of each run */
	uint32_t last;            /* reader whose record was given out, to be moved on first */
	/* in memory */
	const struct record **sorted;
	uint64_t count, pos;
};

/* ts, then conversation, then author and text, then the older archive first. */
static int compare(const struct record *a, const struct record *b)
{
	if (a->ts_us != b->ts_us)
		return a->ts_us < b->ts_us ? -1 : 1;
	if (a->conv != b->conv)
		return a->conv < b->conv ? -1 : 1;
	if (a->by_author != b->by_author)
		return a->by_author < b->by_author ? -1 : 1;
	if (a->by_text != b->by_text)
		return a->by_text < b->by_text ? -1 : 1;
	if (a->same_id != b->same_id)
		return a->same_id < b->same_id ? -1 : 1;
	return (a->source > b->source) - (a->source < b->source);
}

static int by_record(const void *a, const void *b)
{
	return compare(*(const struct record *const *)a, *(const struct record *const *)b);
}

static const struct record **sort_records(const struct ark_buf *records, uint64_t *count)
{
	uint64_t n = 0;
	for (size_t at = 0; at < records->len;
	     at += ((const struct record *)(const void *)(records->data + at))->size)
		n++;
	const struct record **list = ark_calloc(n + 1, sizeof(const struct record *));
	uint64_t i = 0;
	bool ordered = true;
	for (size_t at = 0; at < records->len; at += list[i - 1]->size) {
		list[i] = (const struct record *)(const void *)(records->data + at);
		ordered = ordered && (i == 0 || compare(list[i - 1], list[i]) <= 0);
		i++;
	}
	if (!ordered)
		qsort(list, n, sizeof(const struct record *), by_record);
	*count = n;
	return list;
}

enum ark_rc load_spill_run(struct load_spill **spill, struct io_spool *file, const char *dir,
                           struct ark_buf *records, struct ark_err *err)
{
	if (records->len == 0)
		return ARK_OK;
	if (*spill == NULL)
		*spill = ark_calloc(1, sizeof(**spill));
	struct run run = { .at = file->len };
	ark_auto(ark_freep) const struct record **list = sort_records(records, &run.count);
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, SIZE_MAX / 2);
	for (uint64_t i = 0; i < run.count; i++) {
		ark_buf_add(&out, (const char *)list[i], list[i]->size);
		if (out.len < 1u << 20 && i + 1 < run.count)
			continue;
		enum ark_rc rc = io_spool_add(file, dir, out.data, out.len, err);
		if (rc < 0)
			return rc;
		ark_buf_reset(&out);
	}
	run.len = file->len - run.at;
	struct load_spill *s = *spill;
	s->runs = ark_realloc(s->runs, s->count + 1, sizeof(*s->runs));
	s->runs[s->count++] = run;
	ark_buf_release(records);
	return ARK_OK;
}

void load_spill_free(struct load_spill *spill)
{
	if (spill == NULL)
		return;
	free(spill->runs);
	free(spill);
}

/* Make the next record of this run the current one. */
static enum ark_rc advance(struct load_walk *w, struct reader *r, struct ark_err *err)
{
	if (r->now != NULL)
		r->pos += r->now->size;
	r->now = NULL;
	for (;;) {
		size_t have = r->window.len - r->pos;
		const struct record *next = (const struct record *)(const void *)(r->window.data + r->pos);
		if (have >= sizeof(*next) && have >= next->size) {
			r->now = next;
			return ARK_OK;
		}
		if (r->at == r->end)
			return ARK_OK;
		memmove(r->window.data, r->window.data + r->pos, have);
		ark_buf_cut(&r->window, have);
		r->pos = 0;
		size_t step = r->end - r->at < w->window ? (size_t)(r->end - r->at) : w->window;
		char *to = ark_buf_room(&r->window, step);
		if (to == NULL)
			ark_bug("a window without an end is full");
		enum ark_rc rc = io_spool_read(w->file, r->at, to, step, err);
		if (rc < 0)
			return rc;
		r->window.len += step;
		r->at += step;
	}
}

struct load_walk *load_walk_open(struct load_spill *spill, const struct io_spool *file,
                                 const struct ark_buf *records)
{
	struct load_walk *w = ark_calloc(1, sizeof(*w));
	w->file = file;
	w->spill = spill;
	if (spill == NULL) {
		w->sorted = sort_records(records, &w->count);
		return w;
	}
	w->readers = ark_calloc(spill->count, sizeof(*w->readers));
	w->window = ALL_WINDOWS / spill->count;
	w->window = w->window > RUN_WINDOW ? RUN_WINDOW : w->window < RUN_WINDOW_MIN ? RUN_WINDOW_MIN : w->window;
	for (uint32_t i = 0; i < spill->count; i++)
		ark_buf_init(&w->readers[i].window, SIZE_MAX / 2);
	return w;
}

void load_walk_close(struct load_walk *w)
{
	if (w == NULL)
		return;
	for (uint32_t i = 0; w->spill != NULL && i < w->spill->count; i++)
		ark_buf_release(&w->readers[i].window);
	free(w->readers);
	free(w->sorted);
	free(w);
}

void load_walk_closep(struct load_walk **w)
{
	load_walk_close(*w);
}

enum ark_rc load_walk_rewind(struct load_walk *w, struct ark_err *err)
{
	w->pos = 0;
	w->last = UINT32_MAX;
	for (uint32_t i = 0; w->spill != NULL && i < w->spill->count; i++) {
		struct reader *r = &w->readers[i];
		r->at = w->spill->runs[i].at;
		r->end = r->at + w->spill->runs[i].len;
		r->pos = 0;
		r->now = NULL;
		ark_buf_reset(&r->window);
		enum ark_rc rc = advance(w, r, err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

enum ark_rc load_walk_next(struct load_walk *w, const struct record **out, struct ark_err *err)
{
	if (w->spill == NULL) {
		if (w->pos == w->count)
			return ARK_END;
		*out = w->sorted[w->pos++];
		return ARK_OK;
	}
	if (w->last != UINT32_MAX) {
		enum ark_rc rc = advance(w, &w->readers[w->last], err);
		if (rc < 0)
			return rc;
	}
	w->last = UINT32_MAX;
	for (uint32_t i = 0; i < w->spill->count; i++) {
		const struct record *r = w->readers[i].now;
		if (r != NULL && (w->last == UINT32_MAX || compare(r, w->readers[w->last].now) < 0))
			w->last = i;
	}
	if (w->last == UINT32_MAX)
		return ARK_END;
	*out = w->readers[w->last].now;
	return ARK_OK;
}

#include "common/repo/sorted.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/spool.h"

#include "common/base/banned.h"

#define BLOCK 128       /* entries: 4 KiB */
#define MOST 8          /* stretches; then they are merged into one */
#define MERGE_SLOTS 2048 /* of each stretch in memory while merging, and of what comes out */

struct stretch {
	uint64_t first;   /* number of its first entry, from which its place in the file follows */
	uint64_t count;
	uint64_t *fences; /* start of the id of every BLOCKth entry */
};

struct sorted {
	struct io_spool spool;
	struct stretch items[MOST];
	size_t count;
	uint64_t total;
	uint64_t cached; /* number of the first entry in `block`; UINT64_MAX: none */
	size_t cached_count;
	struct sorted_slot block[BLOCK];
};

struct sorted *sorted_new(void)
{
	struct sorted *s = ark_calloc(1, sizeof(*s));
	s->spool = IO_SPOOL_NONE;
	s->cached = UINT64_MAX;
	return s;
}

static void drop_stretches(struct sorted *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->items[i].fences);
	s->count = 0;
}

void sorted_free(struct sorted *s)
{
	if (s == NULL)
		return;
	drop_stretches(s);
	io_spool_close(&s->spool);
	free(s);
}

uint64_t sorted_count(const struct sorted *s)
{
	return s->total;
}

/* The start of an id as a number of the same order. */
static uint64_t fence_of(const unsigned char *id)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | id[i];
	return v;
}

static int by_id(const void *a, const void *b)
{
	const struct sorted_slot *x = a, *y = b;
	return memcmp(x->id, y->id, SORTED_KEPT);
}

static bool read_slots(const struct io_spool *spool, uint64_t first, struct sorted_slot *to, size_t count)
{
	struct ark_err err = { 0 };
	return io_spool_read(spool, first * sizeof(*to), (char *)to, count * sizeof(*to), &err) == ARK_OK;
}

/* --- writing ------------------------------------------------------------------------------------------- */

struct writing {
	struct io_spool *spool;
	struct stretch out;
	size_t fence_cap;
	struct sorted_slot *held; /* MERGE_SLOTS */
	size_t held_count;
};

static bool flush(struct writing *w)
{
	struct ark_err err = { 0 };
	bool good = w->held_count == 0 || io_spool_add(w->spool, io_temp_dir(), (const char *)w->held,
	                                               w->held_count * sizeof(*w->held), &err) == ARK_OK;
	w->held_count = 0;
	return good;
}

static bool write_slot(struct writing *w, const struct sorted_slot *slot)
{
	if (w->out.count % BLOCK == 0) {
		size_t n = w->out.count / BLOCK;
		if (n == w->fence_cap) {
			w->fence_cap = n == 0 ? 1024 : 2 * n;
			w->out.fences = ark_realloc(w->out.fences, w->fence_cap, sizeof(*w->out.fences));
		}
		w->out.fences[n] = fence_of(slot->id);
	}
	w->out.count++;
	w->held[w->held_count++] = *slot;
	return w->held_count < MERGE_SLOTS || flush(w);
}

struct head {
	struct sorted_slot *slots; /* MERGE_SLOTS */
	size_t at, count;
	uint64_t next, left; /* in the file */
};

/* The next entry of this stretch; NULL at its end, and *good is false when it cannot be read. */
static const struct sorted_slot *head_peek(struct head *h, const struct io_spool *from, bool *good)
{
	if (h->at < h->count)
		return &h->slots[h->at];
	h->at = 0;
	h->count = h->left < MERGE_SLOTS ? (size_t)h->left : MERGE_SLOTS;
	if (h->count == 0)
		return NULL;
	*good = *good && read_slots(from, h->next, h->slots, h->count);
	h->next += h->count;
	h->left -= h->count;
	return *good ? h->slots : NULL;
}

/* All stretches into `w`, in order; of equal ids the one of the older stretch first. */
static bool merge_into(struct sorted *s, struct head *heads, struct writing *w)
{
	bool good = true;
	for (;;) {
		const struct sorted_slot *least = NULL;
		struct head *from = NULL;
		for (size_t i = 0; i < s->count && good; i++) {
			const struct sorted_slot *slot = head_peek(&heads[i], &s->spool, &good);
			if (slot != NULL && (least == NULL || by_id(slot, least) < 0)) {
				least = slot;
				from = &heads[i];
			}
		}
		if (!good || least == NULL)
			return good && flush(w);
		if (!write_slot(w, least))
			return false;
		from->at++;
	}
}

static bool merge(struct sorted *s)
{
	struct io_spool spool = IO_SPOOL_NONE;
	struct head heads[MOST] = { 0 };
	struct writing w = { .spool = &spool, .held = ark_calloc(MERGE_SLOTS, sizeof(*w.held)) };
	for (size_t i = 0; i < s->count; i++) {
		heads[i].slots = ark_calloc(MERGE_SLOTS, sizeof(*heads[i].slots));
		heads[i].next = s->items[i].first;
		heads[i].left = s->items[i].count;
	}
	bool good = merge_into(s, heads, &w);
	for (size_t i = 0; i < s->count; i++)
		free(heads[i].slots);
	free(w.held);
	if (!good) {
		free(w.out.fences);
		io_spool_close(&spool);
		return false;
	}
	drop_stretches(s);
	io_spool_close(&s->spool);
	s->spool = spool;
	s->items[s->count++] = w.out;
	s->cached = UINT64_MAX;
	return true;
}

void sorted_settle(struct sorted *s)
{
	if (s->count > 1)
		(void)merge(s);
}

bool sorted_add(struct sorted *s, struct sorted_slot *slots, size_t count)
{
	if (s->count == MOST && !merge(s))
		return false;
	if (count == 0)
		return true;
	qsort(slots, count, sizeof(*slots), by_id);
	struct writing w = { .spool = &s->spool, .held = ark_calloc(MERGE_SLOTS, sizeof(*w.held)) };
	w.out.first = s->total;
	bool good = true;
	for (size_t i = 0; i < count && good; i++)
		good = write_slot(&w, &slots[i]);
	good = good && flush(&w);
	free(w.held);
	if (!good) {
		free(w.out.fences);
		s->spool.len = s->total * sizeof(*slots); /* what was half written is written over */
		return false;
	}
	s->items[s->count++] = w.out;
	s->total += count;
	s->cached = UINT64_MAX;
	return true;
}

/* --- searching ----------------------------------------------------------------------------------------- */

bool sorted_at(struct sorted *s, uint64_t place, struct sorted_slot *out)
{
	if (place >= s->total)
		return false;
	if (s->cached == UINT64_MAX || place < s->cached || place >= s->cached + s->cached_count) {
		uint64_t first = place - place % BLOCK;
		size_t count = s->total - first < BLOCK ? (size_t)(s->total - first) : BLOCK;
		s->cached = UINT64_MAX;
		if (!read_slots(&s->spool, first, s->block, count))
			return false;
		s->cached = first;
		s->cached_count = count;
	}
	*out = s->block[place - s->cached];
	return true;
}

/* Number of the first entry of a stretch whose id is not before this one; its end when there is none. */
static bool lower_bound(struct sorted *s, const struct stretch *t, const unsigned char *id, uint64_t *out)
{
	uint64_t key = fence_of(id), low = 0, high = (t->count + BLOCK - 1) / BLOCK;
	/* the first block whose start is not before the id: it may begin in the block in front of that */
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		if (t->fences[mid] < key)
			low = mid + 1;
		else
			high = mid;
	}
	high = low * BLOCK < t->count ? low * BLOCK : t->count;
	low = low > 0 ? (low - 1) * BLOCK : 0;
	/* equal starts in a row reach beyond a block: as good as never, and found all the same */
	while (low < high) {
		struct sorted_slot slot;
		uint64_t mid = low + (high - low) / 2;
		if (!sorted_at(s, t->first + mid, &slot))
			return false;
		if (memcmp(slot.id, id, SORTED_KEPT) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*out = t->first + low;
	return true;
}

/* *at: number of the stretch in the upper bits, 1 + number of the entry that comes next in the lower ones. */
#define AT_SHIFT 56
#define AT_MASK ((UINT64_C(1) << AT_SHIFT) - 1)

bool sorted_find(struct sorted *s, const unsigned char id[SORTED_KEPT], uint64_t *at, struct sorted_slot *out,
                 uint64_t *place)
{
	for (uint64_t n = *at >> AT_SHIFT; n < s->count; n++) {
		const struct stretch *t = &s->items[n];
		uint64_t next;
		if ((*at & AT_MASK) != 0)
			next = (*at & AT_MASK) - 1;
		else if (!lower_bound(s, t, id, &next))
			return false;
		if (next < t->first + t->count && sorted_at(s, next, out) && memcmp(out->id, id, SORTED_KEPT) == 0) {
			*at = n << AT_SHIFT | (next + 2);
			*place = next;
			return true;
		}
		*at = (n + 1) << AT_SHIFT;
	}
	return false;
}

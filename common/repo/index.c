/*
 * Entries stand in one table, packed to 32 bytes; beside it open addressing by the first bytes of the id,
 * which are evenly spread by themselves. A full table goes to the temporary file of sorted.h; where that
 * cannot be written, the table grows instead.
 */
#include "common/repo/index.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/repo/sorted.h"

#include "common/base/banned.h"

#define KEPT SORTED_KEPT
#define WHOLE UINT32_MAX     /* length: all of the stored file, whose size stands in `packs` */
#define TABLE (128u << 10)   /* entries in memory: 5 MiB */

struct repo_index {
	struct sorted_slot *slots;
	size_t count, cap;
	uint32_t *buckets; /* number of a slot + 1; 0 is free */
	size_t bucket_count; /* a power of two */
	struct sorted *rest;
	bool no_rest;      /* the temporary file cannot be written */
	struct ark_map packs;
	uint64_t *whole; /* per pack: length of an entry with WHOLE */
	size_t whole_cap;
	uint64_t *marks; /* a bit for each entry, those of `rest` first; NULL: none */
};

static bool next_field(struct ark_str *rest, struct ark_str *field)
{
	if (!ark_str_has(*rest))
		return false;
	size_t end = ark_str_find(*rest, ' ', 0);
	*field = ark_str_first(*rest, end);
	*rest = end == SIZE_MAX ? ARK_STR_NONE : ark_str_from(*rest, end + 1);
	return true;
}

bool repo_entry_parse(struct ark_str line, struct repo_entry *out)
{
	struct ark_str id, pack, offset, length, codec;
	struct repo_entry e;
	if (!next_field(&line, &id) || !next_field(&line, &pack) || !next_field(&line, &offset) ||
	    !next_field(&line, &length) || !next_field(&line, &codec) || ark_str_has(line))
		return false;
	if (!repo_id_parse(id, &e.id) || !repo_id_parse(pack, &e.pack) || !ark_str_u64(offset, &e.offset) ||
	    !ark_str_u64(length, &e.length) || codec.len != 1)
		return false;
	if (strchr("zreE", codec.ptr[0]) == NULL || codec.ptr[0] == '\0')
		return false;
	if (e.offset >= UINT32_MAX || (e.length >= UINT32_MAX && e.offset != 0) || e.length > INT64_MAX)
		return false;
	e.codec = (enum repo_codec)codec.ptr[0];
	*out = e;
	return true;
}

void repo_entry_add(const struct repo_entry *e, struct ark_buf *out)
{
	repo_id_add(&e->id, out);
	ark_buf_c(out, ' ');
	repo_id_add(&e->pack, out);
	ark_buf_fmt(out, " %llu %llu %c\n", (unsigned long long)e->offset, (unsigned long long)e->length,
	            (char)e->codec);
}

struct repo_index *repo_index_new(void)
{
	struct repo_index *x = ark_calloc(1, sizeof(*x));
	x->rest = sorted_new();
	return x;
}

void repo_index_free(struct repo_index *x)
{
	if (x == NULL)
		return;
	ark_map_release(&x->packs);
	sorted_free(x->rest);
	free(x->marks);
	free(x->slots);
	free(x->buckets);
	free(x->whole);
	free(x);
}

static uint32_t pack_number(struct repo_index *x, const struct repo_id *pack)
{
	struct ark_str key = ark_str_n((const char *)pack->b, REPO_ID_BYTES);
	uint32_t n = ark_map_get(&x->packs, key);
	if (n == ARK_MAP_NONE) {
		n = x->packs.count;
		ark_map_put(&x->packs, key, n);
		if (n >= x->whole_cap) {
			x->whole_cap = x->whole_cap == 0 ? 256 : 2 * x->whole_cap;
			x->whole = ark_realloc(x->whole, x->whole_cap, sizeof(*x->whole));
		}
		x->whole[n] = 0;
	}
	return n;
}

static size_t bucket_of(const unsigned char *id)
{
	uint64_t v;
	memcpy(&v, id, sizeof(v));
	return (size_t)v;
}

static void enter(struct repo_index *x, uint32_t n)
{
	size_t at = bucket_of(x->slots[n].id) & (x->bucket_count - 1);
	while (x->buckets[at] != 0)
		at = (at + 1) & (x->bucket_count - 1);
	x->buckets[at] = n + 1;
}

static void grow(struct repo_index *x)
{
	x->bucket_count = x->bucket_count == 0 ? 4096 : 2 * x->bucket_count;
	free(x->buckets);
	x->buckets = ark_calloc(x->bucket_count, sizeof(*x->buckets));
	for (size_t i = 0; i < x->count; i++)
		enter(x, (uint32_t)i);
}

/* The table into the temporary file. */
static void empty_table(struct repo_index *x)
{
	x->no_rest = x->no_rest || !sorted_add(x->rest, x->slots, x->count);
	if (x->no_rest) {
		/* it was put in order */
		memset(x->buckets, 0, x->bucket_count * sizeof(*x->buckets));
		for (size_t i = 0; i < x->count; i++)
			enter(x, (uint32_t)i);
		return;
	}
	x->count = 0;
	memset(x->buckets, 0, x->bucket_count * sizeof(*x->buckets));
}

void repo_index_add(struct repo_index *x, const struct repo_entry *e)
{
	if (x->count >= UINT32_MAX - 1)
		ark_bug("more objects than an index can hold");
	if (x->count >= TABLE && !x->no_rest)
		empty_table(x);
	if (4 * (x->count + 1) > 3 * x->bucket_count)
		grow(x);
	if (x->count == x->cap) {
		x->cap = x->cap == 0 ? 1024 : x->cap + x->cap / 4;
		x->slots = ark_realloc(x->slots, x->cap, sizeof(*x->slots));
	}
	repo_index_forget_marks(x);
	struct sorted_slot *s = &x->slots[x->count++];
	*s = (struct sorted_slot){ .pack = pack_number(x, &e->pack), .offset = (uint32_t)e->offset,
		                   .codec = (unsigned char)e->codec };
	memcpy(s->id, e->id.b, KEPT);
	if (e->length >= WHOLE) {
		s->length = WHOLE;
		x->whole[s->pack] = e->length;
	} else {
		s->length = (uint32_t)e->length;
	}
	enter(x, (uint32_t)(x->count - 1));
}

void repo_index_settle(struct repo_index *x)
{
	repo_index_forget_marks(x);
	sorted_settle(x->rest);
}

static void unpack(const struct repo_index *x, const struct sorted_slot *s, struct repo_entry *out)
{
	memset(&out->id, 0, sizeof(out->id));
	memcpy(out->id.b, s->id, KEPT);
	memcpy(out->pack.b, ark_map_key(&x->packs, s->pack).ptr, REPO_ID_BYTES);
	out->offset = s->offset;
	out->length = s->length == WHOLE ? x->whole[s->pack] : s->length;
	out->codec = (enum repo_codec)s->codec;
}

/* The entries of an id, those in the temporary file first. */
struct search {
	uint64_t at;    /* of sorted_find */
	size_t bucket;  /* next one to look at */
	bool in_table;
	uint64_t place; /* out: number of the entry */
};

static bool next_of(struct repo_index *x, const struct repo_id *id, struct search *s, struct repo_entry *out)
{
	if (!s->in_table) {
		struct sorted_slot slot;
		if (sorted_find(x->rest, id->b, &s->at, &slot, &s->place)) {
			unpack(x, &slot, out);
			out->id = *id;
			return true;
		}
		s->in_table = true;
		s->bucket = bucket_of(id->b);
	}
	for (; x->count > 0; s->bucket++) {
		uint32_t n = x->buckets[s->bucket & (x->bucket_count - 1)];
		if (n == 0)
			return false;
		if (memcmp(x->slots[n - 1].id, id->b, KEPT) != 0)
			continue;
		s->bucket++;
		s->place = sorted_count(x->rest) + n - 1;
		unpack(x, &x->slots[n - 1], out);
		out->id = *id;
		return true;
	}
	return false;
}

bool repo_index_find(struct repo_index *x, const struct repo_id *id, struct repo_entry *out)
{
	struct search s = { 0 };
	return next_of(x, id, &s, out);
}

bool repo_index_find_in(struct repo_index *x, const struct repo_id *id, repo_wanted_fn *wanted, void *ctx,
                        struct repo_entry *out)
{
	struct search s = { 0 };
	struct repo_entry e;
	while (next_of(x, id, &s, &e)) {
		if (wanted(ctx, &e)) {
			*out = e;
			return true;
		}
	}
	return false;
}

uint64_t repo_index_count(const struct repo_index *x)
{
	return sorted_count(x->rest) + x->count;
}

bool repo_index_mark(struct repo_index *x, const struct repo_id *id)
{
	struct search s = { 0 };
	struct repo_entry e;
	if (!next_of(x, id, &s, &e))
		return false;
	if (x->marks == NULL)
		x->marks = ark_calloc((size_t)(repo_index_count(x) / 64 + 1), sizeof(*x->marks));
	uint64_t bit = UINT64_C(1) << (s.place % 64), *word = &x->marks[s.place / 64];
	bool first = (*word & bit) == 0;
	*word |= bit;
	return first;
}

bool repo_index_marked(struct repo_index *x, const struct repo_id *id)
{
	struct search s = { 0 };
	struct repo_entry e;
	return x->marks != NULL && next_of(x, id, &s, &e) && (x->marks[s.place / 64] >> (s.place % 64) & 1) != 0;
}

void repo_index_forget_marks(struct repo_index *x)
{
	free(x->marks);
	x->marks = NULL;
}

bool repo_index_next(struct repo_index *x, struct repo_index_walk *w, struct repo_entry *out)
{
	uint64_t rest = sorted_count(x->rest);
	if (w->at < rest) {
		struct sorted_slot slot;
		if (!sorted_at(x->rest, w->at++, &slot))
			return false;
		unpack(x, &slot, out);
		return true;
	}
	if (w->at - rest >= x->count)
		return false;
	unpack(x, &x->slots[w->at++ - rest], out);
	return true;
}

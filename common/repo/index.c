/*
 * Entries stand in one growing table, packed to 32 bytes; beside it open addressing by the first bytes of
 * the id, which are evenly spread by themselves.
 */
#include "common/repo/index.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define KEPT 16              /* bytes of an id that are kept: nobody finds two such by accident or work */
#define WHOLE UINT32_MAX     /* length: all of the stored file, whose size stands in `packs` */

struct slot {
	unsigned char id[KEPT];
	uint32_t pack;
	uint32_t offset;
	uint32_t length;
	unsigned char codec;
};

struct repo_index {
	struct slot *slots;
	size_t count, cap;
	uint32_t *buckets; /* number of a slot + 1; 0 is free */
	size_t bucket_count; /* a power of two */
	struct ark_map packs;
	uint64_t *whole; /* per pack: length of an entry with WHOLE */
	size_t whole_cap;
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
	return ark_calloc(1, sizeof(struct repo_index));
}

void repo_index_free(struct repo_index *x)
{
	if (x == NULL)
		return;
	ark_map_release(&x->packs);
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

void repo_index_add(struct repo_index *x, const struct repo_entry *e)
{
	if (x->count >= UINT32_MAX - 1)
		ark_bug("more objects than an index can hold");
	if (4 * (x->count + 1) > 3 * x->bucket_count)
		grow(x);
	if (x->count == x->cap) {
		x->cap = x->cap == 0 ? 1024 : x->cap + x->cap / 4;
		x->slots = ark_realloc(x->slots, x->cap, sizeof(*x->slots));
	}
	struct slot *s = &x->slots[x->count++];
	memcpy(s->id, e->id.b, KEPT);
	s->pack = pack_number(x, &e->pack);
	s->offset = (uint32_t)e->offset;
	s->codec = (unsigned char)e->codec;
	if (e->length >= WHOLE) {
		s->length = WHOLE;
		x->whole[s->pack] = e->length;
	} else {
		s->length = (uint32_t)e->length;
	}
	enter(x, (uint32_t)(x->count - 1));
}

static void unpack(const struct repo_index *x, const struct slot *s, struct repo_entry *out)
{
	memset(&out->id, 0, sizeof(out->id));
	memcpy(out->id.b, s->id, KEPT);
	memcpy(out->pack.b, ark_map_key(&x->packs, s->pack).ptr, REPO_ID_BYTES);
	out->offset = s->offset;
	out->length = s->length == WHOLE ? x->whole[s->pack] : s->length;
	out->codec = (enum repo_codec)s->codec;
}

bool repo_index_find(struct repo_index *x, const struct repo_id *id, struct repo_entry *out)
{
	if (x->count == 0)
		return false;
	for (size_t at = bucket_of(id->b);; at++) {
		uint32_t n = x->buckets[at & (x->bucket_count - 1)];
		if (n == 0)
			return false;
		if (memcmp(x->slots[n - 1].id, id->b, KEPT) != 0)
			continue;
		unpack(x, &x->slots[n - 1], out);
		out->id = *id;
		return true;
	}
}

uint64_t repo_index_count(const struct repo_index *x)
{
	return x->count;
}

bool repo_index_next(struct repo_index *x, struct repo_index_walk *w, struct repo_entry *out)
{
	if (w->at >= x->count)
		return false;
	unpack(x, &x->slots[w->at++], out);
	return true;
}

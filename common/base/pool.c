#include "common/base/pool.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define CHUNK_BYTES (64u << 10)

struct ark_pool_chunk {
	struct ark_pool_chunk *next;
	size_t used;
	size_t cap;
	_Alignas(8) char data[];
};

void ark_pool_release(struct ark_pool *p)
{
	while (p->chunks != NULL) {
		struct ark_pool_chunk *c = p->chunks;
		p->chunks = c->next;
		free(c);
	}
	p->total_bytes = 0;
}

void *ark_pool_take(struct ark_pool *p, size_t size_bytes)
{
	size_t padded = (size_bytes + 7) & ~(size_t)7;
	struct ark_pool_chunk *c = p->chunks;
	if (c == NULL || c->cap - c->used < padded) {
		size_t cap = padded > CHUNK_BYTES / 4 ? padded : CHUNK_BYTES;
		struct ark_pool_chunk *fresh = ark_calloc(1, sizeof(*fresh) + cap);
		fresh->cap = cap;
		if (c != NULL && cap == padded) { /* a big one of its own: keep filling the current one */
			fresh->next = c->next;
			c->next = fresh;
		} else {
			fresh->next = c;
			p->chunks = fresh;
		}
		p->total_bytes += sizeof(*fresh) + cap;
		c = fresh;
	}
	void *out = c->data + c->used;
	c->used += padded;
	return out;
}

struct ark_str ark_pool_str(struct ark_pool *p, struct ark_str s)
{
	if (!ark_str_has(s))
		return ARK_STR_NONE;
	char *copy = ark_pool_take(p, s.len + 1);
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return (struct ark_str){ copy, s.len };
}

/*
 * Strings and small structs that live as long as their owner: taken one by one, released together.
 * Grows in chunks; addresses never move.
 */
#ifndef ARK_BASE_POOL_H
#define ARK_BASE_POOL_H

#include <stddef.h>

#include "common/base/str.h"

struct ark_pool_chunk;

struct ark_pool {
	struct ark_pool_chunk *chunks;
	size_t total_bytes;
};

/* `= {0}` is an empty pool. */
void ark_pool_release(struct ark_pool *p);
/* `size_bytes` aligned to 8, cleared. */
void *ark_pool_take(struct ark_pool *p, size_t size_bytes);
/* A copy of `s` with a NUL behind; ARK_STR_NONE stays ARK_STR_NONE. */
struct ark_str ark_pool_str(struct ark_pool *p, struct ark_str s);

#endif

/*
 * Map from a byte string to a 32-bit number (usually an index into the owner's array). Keys are
 * copied. Insertion order is the order of ark_map_key. Open addressing with a keyed hash, so that
 * hostile keys cannot pile up.
 */
#ifndef ARK_BASE_MAP_H
#define ARK_BASE_MAP_H

#include <stdint.h>

#include "common/base/str.h"

#define ARK_MAP_NONE UINT32_MAX

struct ark_map_entry {
	uint64_t hash;
	size_t key_at; /* offset in `keys` */
	uint32_t key_len;
	uint32_t value;
};

struct ark_map {
	struct ark_map_entry *entries;
	uint32_t count;
	uint32_t entries_cap;
	uint32_t *slots; /* entry index + 1; 0 is free */
	uint32_t slots_cap;
	char *keys;
	size_t keys_len;
	size_t keys_cap;
};

/* `= {0}` is an empty map too. */
void ark_map_release(struct ark_map *m);
/* Empty it, keep its memory. */
void ark_map_clear(struct ark_map *m);
/* The value, or ARK_MAP_NONE. */
uint32_t ark_map_get(const struct ark_map *m, struct ark_str key);
/* Set or replace. */
void ark_map_put(struct ark_map *m, struct ark_str key, uint32_t value);
/* Key of the n-th entry in insertion order (n < count); borrowed until the next put. */
struct ark_str ark_map_key(const struct ark_map *m, uint32_t n);

#endif

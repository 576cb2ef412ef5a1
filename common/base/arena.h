/*
 * Memory for one record: taken piece by piece, given back all at once. Two uses (docs/design.md
 * "Memory"): `struct ark_arena *keep` for a result, and `struct ark_arena scratch` by value for the
 * rest, which is free again on return because the caller's copy did not move.
 *
 * An arena over a fixed block never grows: ark_arena_take returns NULL when it is full, and the
 * record FAILs as too large. Not thread-safe.
 */
#ifndef ARK_BASE_ARENA_H
#define ARK_BASE_ARENA_H

#include <stddef.h>

#include "common/base/str.h"

struct ark_arena {
	char *begin;
	char *at;
	char *end;
};

/* A block of `size_bytes`, malloced; release with ark_arena_release. */
void ark_arena_init(struct ark_arena *a, size_t size_bytes);
void ark_arena_release(struct ark_arena *a);
/* Everything taken is gone; under ASan it is poisoned. */
void ark_arena_reset(struct ark_arena *a);
/* `size_bytes` aligned to 8, not cleared; NULL when the arena is full. */
void *ark_arena_take(struct ark_arena *a, size_t size_bytes);
/* A copy of `s`; ARK_STR_NONE when the arena is full. */
struct ark_str ark_arena_str(struct ark_arena *a, struct ark_str s);

#endif

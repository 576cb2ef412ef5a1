#include "common/base/arena.h"

#include <stdlib.h>

#include "common/base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#include "common/base/banned.h"

void ark_arena_init(struct ark_arena *a, size_t size_bytes)
{
	a->begin = ark_malloc(size_bytes);
	a->at = a->begin;
	a->end = a->begin + size_bytes;
	ASAN_POISON_MEMORY_REGION(a->begin, size_bytes);
}

void ark_arena_release(struct ark_arena *a)
{
	if (a->begin != NULL)
		ASAN_UNPOISON_MEMORY_REGION(a->begin, (size_t)(a->end - a->begin));
	free(a->begin);
	*a = (struct ark_arena){ 0 };
}

void ark_arena_reset(struct ark_arena *a)
{
	ASAN_POISON_MEMORY_REGION(a->begin, (size_t)(a->at - a->begin));
	a->at = a->begin;
}

void *ark_arena_take(struct ark_arena *a, size_t size_bytes)
{
	size_t left = (size_t)(a->end - a->at);
	if (size_bytes > left)
		return NULL;
	size_t padded = (size_bytes + 7) & ~(size_t)7;
	char *p = a->at;
	a->at += padded < left ? padded : left;
	ASAN_UNPOISON_MEMORY_REGION(p, size_bytes);
	return p;
}

struct ark_str ark_arena_str(struct ark_arena *a, struct ark_str s)
{
	char *p = ark_arena_take(a, s.len + 1);
	if (p == NULL)
		return ARK_STR_NONE;
	if (s.len > 0)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return (struct ark_str){ p, s.len };
}

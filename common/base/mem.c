#include "common/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/banned.h"

static void *must(void *p, size_t size_bytes)
{
	if (p == NULL && size_bytes > 0) {
		fprintf(stderr, "out of memory (%zu bytes wanted)\n", size_bytes);
		exit(1);
	}
	return p;
}

void *ark_malloc(size_t size_bytes)
{
	return must(malloc(size_bytes), size_bytes);
}

void *ark_calloc(size_t count, size_t size_bytes)
{
	return must(calloc(count, size_bytes), count);
}

void *ark_realloc(void *old, size_t count, size_t size_bytes)
{
	size_t total;
	if (__builtin_mul_overflow(count, size_bytes, &total))
		total = SIZE_MAX;
	return must(realloc(old, total), total);
}

char *ark_strdup(struct ark_str s)
{
	char *copy = ark_malloc(s.len + 1);
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

char *ark_strdupz(const char *z)
{
	return ark_strdup(ark_str_z(z));
}

void ark_freep(void *p)
{
	void **slot = p;
	free(*slot);
	*slot = NULL;
}

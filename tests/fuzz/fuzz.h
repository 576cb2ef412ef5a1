/*
 * What every fuzz target needs: one function over one input, and a claim that aborts when it is false.
 * Targets check results, not only that nothing crashes. Not for tests of the usual kind: harness/tap.h.
 */
#ifndef ARK_TESTS_FUZZ_H
#define ARK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/json/value.h"

/* Called by libFuzzer, or by main.c for each seed. `data` ends at a block's end, so that reading behind
 * it is seen by ASan. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CLAIM(cond)                                                                   \
	do {                                                                               \
		if (!(cond))                                                               \
			ark_bug("not true: %s", #cond);                                    \
	} while (0)

/* A malloced copy with the bytes that the JSON reader wants behind its text; free it. */
static inline char *fuzz_padded(const uint8_t *data, size_t size)
{
	char *copy = ark_calloc(size + JSON_PADDING, 1);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

#endif

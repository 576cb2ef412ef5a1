/*
 * Inputs made of seeds, the same ones on every machine: which depends on the seeds' bytes and a number
 * alone. So a change that breaks one does it everywhere and each time. Not for finding what nobody has
 * thought of: that is libFuzzer's, see -Dfuzz.
 */
#ifndef ARK_TESTS_FUZZ_MUTATE_H
#define ARK_TESTS_FUZZ_MUTATE_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#define MUTATE_BYTES_MAX 16384 /* of an input; a longer seed gives a part of itself */

struct mutator {
	const struct ark_str *seeds; /* the caller's, in an order that is always the same; shortest first */
	uint32_t count;              /* not 0 */
	uint64_t state;
	struct ark_buf input;        /* what was made last */
	uint32_t steps;              /* since its seed */
};

void mutator_init(struct mutator *m, const struct ark_str *seeds, uint32_t count);
void mutator_release(struct mutator *m);
/* The next input; it belongs to `m` and holds until the next call. */
struct ark_str mutator_next(struct mutator *m);

#endif

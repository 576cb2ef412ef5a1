/*
 * A list of 32-bit numbers that takes little memory: the difference of each to the one before it, in as
 * few bytes as it needs. Sorted lists of close numbers take one or two bytes each. Read from the front only.
 *
 *	struct ark_number_iter it = ark_numbers_read(&list);
 *	for (uint32_t n; ark_numbers_next(&it, &n);)
 */
#ifndef ARK_BASE_NUMBERS_H
#define ARK_BASE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ark_numbers {
	uint8_t *bytes; /* NULL when empty */
	size_t len;
	uint32_t count;
};

struct ark_number_iter {
	const uint8_t *at, *end;
	uint32_t last;
};

/* These numbers, in this order, instead of what was in it; `= {0}` is an empty list. */
void ark_numbers_pack(struct ark_numbers *l, const uint32_t *numbers, uint32_t count);
/* All of them; freed by the caller. Never NULL. */
uint32_t *ark_numbers_unpack(const struct ark_numbers *l);
void ark_numbers_release(struct ark_numbers *l);

static inline struct ark_number_iter ark_numbers_read(const struct ark_numbers *l)
{
	return (struct ark_number_iter){ .at = l->bytes, .end = l->len > 0 ? l->bytes + l->len : l->bytes };
}

bool ark_numbers_next(struct ark_number_iter *it, uint32_t *out);

/* Sort, and drop what is there twice; returns how many are left. */
uint32_t ark_numbers_unique(uint32_t *numbers, uint32_t count);

#endif

#include "common/base/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define NUMBER_BYTES 5 /* at most: 32 bits, seven in each */

/* Small whichever way it goes: the sign is the lowest bit. */
static uint32_t step(uint32_t from, uint32_t to)
{
	uint32_t d = to - from;
	return d << 1 ^ (d >> 31 != 0 ? UINT32_MAX : 0);
}

void ark_numbers_release(struct ark_numbers *l)
{
	free(l->bytes);
	*l = (struct ark_numbers){ 0 };
}

void ark_numbers_pack(struct ark_numbers *l, const uint32_t *numbers, uint32_t count)
{
	uint8_t *bytes = ark_malloc((size_t)count * NUMBER_BYTES + 1);
	size_t len = 0;
	uint32_t last = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t s = step(last, numbers[i]);
		last = numbers[i];
		for (; s >= 0x80; s >>= 7)
			bytes[len++] = (uint8_t)(s | 0x80);
		bytes[len++] = (uint8_t)s;
	}
	ark_numbers_release(l);
	if (len > 0) {
		/* copied, not cut: a block that shrinks leaves a hole behind */
		l->bytes = ark_malloc(len);
		memcpy(l->bytes, bytes, len);
	}
	free(bytes);
	l->len = len;
	l->count = count;
}

bool ark_numbers_next(struct ark_number_iter *it, uint32_t *out)
{
	if (it->at == it->end)
		return false;
	uint32_t s = 0;
	unsigned shift = 0;
	for (; *it->at >= 0x80; shift += 7)
		s |= (uint32_t)(*it->at++ & 0x7f) << shift;
	s |= (uint32_t)*it->at++ << shift;
	it->last += s >> 1 ^ (s & 1 ? UINT32_MAX : 0);
	*out = it->last;
	return true;
}

uint32_t *ark_numbers_unpack(const struct ark_numbers *l)
{
	uint32_t *out = ark_malloc(((size_t)l->count + 1) * sizeof(*out));
	struct ark_number_iter it = ark_numbers_read(l);
	for (uint32_t i = 0; i < l->count && ark_numbers_next(&it, &out[i]);)
		i++;
	return out;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

uint32_t ark_numbers_unique(uint32_t *numbers, uint32_t count)
{
	if (count == 0)
		return 0;
	qsort(numbers, count, sizeof(*numbers), by_number);
	uint32_t n = 1;
	for (uint32_t i = 1; i < count; i++)
		if (numbers[i] != numbers[n - 1])
			numbers[n++] = numbers[i];
	return n;
}

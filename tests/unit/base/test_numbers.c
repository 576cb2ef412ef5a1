#include "common/base/numbers.h"

#include <stdlib.h>

#include "tests/harness/tap.h"

static const uint32_t HARD[] = { 0, UINT32_MAX, 0, 1, 63, 64, 127, 128, 5, 0x7fffffff, 0x80000000, 0x80000000,
	                         0xfffffffe, 3, 16383, 16384, 2097151, 2097152, 268435455, 268435456 };
#define COUNT (sizeof(HARD) / sizeof(HARD[0]))

static void what_goes_in_comes_out_in_order(void)
{
	struct ark_numbers l = { 0 };
	for (unsigned round = 0; round < 2; round++) {
		ark_numbers_pack(&l, HARD, COUNT);
		CHECK_I64(l.count, COUNT);
		uint32_t *all = ark_numbers_unpack(&l), n;
		struct ark_number_iter it = ark_numbers_read(&l);
		unsigned i = 0;
		for (; ark_numbers_next(&it, &n) && i < COUNT; i++) {
			CHECK_I64(n, HARD[i]);
			CHECK_I64(all[i], HARD[i]);
		}
		CHECK_I64(i, COUNT);
		free(all);
	}
	ark_numbers_pack(&l, NULL, 0);
	struct ark_number_iter it = ark_numbers_read(&l);
	uint32_t n;
	CHECK(!ark_numbers_next(&it, &n));
	CHECK_I64(l.len, 0);
	ark_numbers_release(&l);
}

static void close_numbers_take_one_byte(void)
{
	uint32_t many[1000];
	struct ark_numbers l = { 0 };
	for (uint32_t i = 0; i < 1000; i++)
		many[i] = i * 63;
	ark_numbers_pack(&l, many, 1000);
	CHECK_I64(l.len, 1000);
	ark_numbers_release(&l);
}

static void each_once(void)
{
	uint32_t many[] = { 7, 3, 7, UINT32_MAX, 0, 3, 3 };
	CHECK_I64(ark_numbers_unique(many, 7), 4);
	CHECK_I64(many[0], 0);
	CHECK_I64(many[1], 3);
	CHECK_I64(many[2], 7);
	CHECK_I64(many[3], UINT32_MAX);
	CHECK_I64(ark_numbers_unique(many, 0), 0);
}

int main(void)
{
	TAP_RUN(what_goes_in_comes_out_in_order);
	TAP_RUN(close_numbers_take_one_byte);
	TAP_RUN(each_once);
	return tap_done();
}

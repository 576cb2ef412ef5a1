/*
 * Any Markdown cut into parts: each fits, is UTF-8, and every word arrives, in order. The first byte of the
 * input gives the limit.
 */
#include "common/base/utf8.h"
#include "import/translate/split.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

#define LIMIT_MIN 64 /* far below any real limit; a fence line has to fit */

/* The letters and digits of `s`, which no cut and no repeated fence may lose. */
static size_t letters(struct ark_str s)
{
	size_t n = 0, len = 1;
	for (size_t at = 0; at < s.len; at += len)
		n += ark_utf8_is_word(ark_utf8_at(s, at, &len));
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t limit = LIMIT_MIN + data[0];
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_auto(ark_buf_release) struct ark_buf carry = { 0 };
	ark_auto(ark_buf_release) struct ark_buf part = { 0 };
	ark_buf_init(&text, 64u << 20);
	ark_buf_init(&carry, 64u << 20);
	ark_buf_init(&part, 64u << 20);
	ark_utf8_clean(&text, ark_str_n((const char *)data + 1, size - 1));
	struct ark_str rest = ark_buf_view(&text);
	size_t arrived = 0, parts = 0;
	for (size_t before = rest.len; split_next(&rest, limit, &carry, &part); before = rest.len) {
		struct ark_str s = ark_buf_view(&part);
		FUZZ_CLAIM(rest.len < before);
		FUZZ_CLAIM(ark_utf8_valid(s) && ark_utf8_runes(s) <= limit);
		arrived += letters(s);
		ark_buf_reset(&part);
		parts++;
	}
	for (size_t i = 0; i < rest.len; i++)
		FUZZ_CLAIM(rest.ptr[i] == '\n'); /* empty lines show nothing */
	FUZZ_CLAIM(arrived >= letters(ark_buf_view(&text)));
	FUZZ_CLAIM(parts <= text.len);
	return 0;
}

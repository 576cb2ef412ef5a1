/*
 * Any bytes as a day file that is cut into elements: the pieces lie in order, do not overlap, are the
 * file's own bytes, and do not depend on how the stream was chopped.
 */
#include "common/base/buf.h"
#include "import/slack/elements.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

struct seen {
	const char *all;
	size_t size;
	uint64_t next;
	struct ark_buf log; /* what was told, to compare two ways of feeding */
};

static enum ark_rc on_element(void *ctx, struct ark_str text, uint64_t offset, uint64_t len,
                              enum slack_cut cut, struct ark_err *err)
{
	struct seen *seen = ctx;
	bool damaged = cut != CUT_ELEMENT;
	(void)err;
	FUZZ_CLAIM(len > 0 && offset >= seen->next && offset + len <= seen->size);
	FUZZ_CLAIM(damaged ? text.len == 0 : text.len == len);
	FUZZ_CLAIM(damaged || memcmp(text.ptr, seen->all + offset, text.len) == 0);
	/* only that it may be read: under ASan that says whether it is there */
	volatile char padding;
	for (size_t i = 0; !damaged && i < JSON_PADDING; i++)
		padding = text.ptr[text.len + i];
	(void)padding;
	seen->next = offset + len;
	ark_buf_fmt(&seen->log, "%d %llu %llu\n", damaged, (unsigned long long)offset,
	            (unsigned long long)len);
	return ARK_OK;
}

/* Feed in chunks of `step` bytes. */
static void feed(struct seen *seen, size_t step)
{
	struct slack_elements e;
	struct ark_err err = { 0 };
	slack_elements_init(&e, on_element, seen);
	for (size_t at = 0; at < seen->size; at += step) {
		size_t len = seen->size - at < step ? seen->size - at : step;
		FUZZ_CLAIM(slack_elements_feed(&e, ark_str_n(seen->all + at, len), &err) == ARK_OK);
	}
	FUZZ_CLAIM(slack_elements_end(&e, &err) == ARK_OK);
	slack_elements_release(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct seen whole = { .all = (const char *)data, .size = size };
	struct seen parts = whole;
	ark_buf_init(&whole.log, 64u << 20);
	ark_buf_init(&parts.log, 64u << 20);
	feed(&whole, size);
	feed(&parts, 1 + size / 7);
	FUZZ_CLAIM(ark_str_eq(ark_buf_view(&whole.log), ark_buf_view(&parts.log)));
	ark_buf_release(&whole.log);
	ark_buf_release(&parts.log);
	return 0;
}

/* Any bytes as the state of a history: refused, or what is read and written again says the same, in order. */
#include "export/history/digest.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void again(const struct history_state_reader *r)
{
	struct history_state_reader back = { 0 };
	struct ark_err err = { 0 };
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 65536);
	history_state_begin(&text, r->key);
	history_state_channel(&text, history_state_id(r), r->stays);
	history_state_line(&text, &r->line);
	enum ark_rc rc = ARK_END;
	for (struct ark_str rest = ark_buf_view(&text); rest.len > 0;) {
		size_t end = ark_str_find(rest, '\n', 0);
		rc = history_state_read(&back, ark_str_first(rest, end), &err);
		FUZZ_CLAIM(rc >= 0);
		rest = ark_str_from(rest, end + 1);
	}
	FUZZ_CLAIM(rc == ARK_OK && back.key == r->key && back.stays == r->stays);
	FUZZ_CLAIM(ark_str_eq(history_state_id(&back), history_state_id(r)) && back.line.stretch == r->line.stretch &&
	           back.line.posts == r->line.posts && back.line.sum == r->line.sum && back.line.moment == r->line.moment);
}

/* Days that differ lie in their stretch. */
static void days_of(const struct history_digest *d)
{
	uint32_t from = 1, to = 0, first, last;
	history_stretch_days(d->stretch, &first, &last);
	FUZZ_CLAIM(first < last && last <= HISTORY_DAYS_END);
	if (history_digest_days(NULL, d, &from, &to))
		FUZZ_CLAIM(from >= first && to <= last && from < to);
	else
		FUZZ_CLAIM(d->posts == 0 && d->sum == 0 && d->moment == 0);
	FUZZ_CLAIM(!history_digest_days(d, d, &from, &to));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct history_state_reader r = { 0 };
	struct ark_err err = { 0 };
	uint64_t sum;
	(void)history_digest_sum(ark_str_n((const char *)data, size), &sum);
	for (struct ark_str rest = { (const char *)data, size }; rest.len > 0;) {
		size_t end = ark_str_find(rest, '\n', 0);
		enum ark_rc rc = history_state_read(&r, ark_str_first(rest, end), &err);
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		if (rc < 0)
			break;
		if (rc == ARK_OK) {
			again(&r);
			days_of(&r.line);
		}
	}
	return 0;
}

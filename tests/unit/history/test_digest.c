/* Which days an update looks at, its state, and whether two lines say the same. */
#include <string.h>

#include "export/history/alike.h"
#include "export/history/digest.h"
#include "tests/harness/tap.h"

/* A message of such a digest on such a day of the stretch. */
static void add(struct history_digest *d, uint64_t digest, unsigned day)
{
	d->posts++;
	d->sum += digest;
	d->moment += digest * day;
}

static void sums_tell_the_day(void)
{
	uint32_t from = 0, to = 0;
	for (unsigned day = 0; day < HISTORY_STRETCH_DAYS; day++) {
		struct history_digest was = { .stretch = 600 }, now = { .stretch = 600 };
		for (unsigned i = 0; i < 100; i++)
			add(&was, i * 0x123456789abcdefull, i % HISTORY_STRETCH_DAYS);
		now = was;
		CHECK(!history_digest_days(&was, &now, &from, &to));
		add(&now, 0xfedcba987654321ull, day);
		now.posts--; /* one went, one came */
		now.sum -= 0x11111111ull;
		now.moment -= 0x11111111ull * day;
		CHECK(history_digest_days(&was, &now, &from, &to) && from == 600 * 32 + day && to == from + 1);
		add(&now, 0x777777777ull, (day + 1) % HISTORY_STRETCH_DAYS);
		CHECK(history_digest_days(&was, &now, &from, &to) && from == 600 * 32 && to == 601 * 32);
	}
}

static void all_days_where_in_doubt(void)
{
	uint32_t from = 9, to = 9;
	struct history_digest a = { .stretch = 600 }, b = { .stretch = 600 };
	add(&a, 5, 3);
	CHECK(history_digest_days(NULL, &a, &from, &to) && from == 600 * 32 + 3 && to == from + 1);
	CHECK(history_digest_days(&a, NULL, &from, &to) && from == 600 * 32 + 3 && to == from + 1);
	add(&b, 5, 4); /* moved to another day with the same digest: the sum alone does not tell */
	CHECK(history_digest_days(&a, &b, &from, &to) && from == 600 * 32 && to == 601 * 32);
	b = a;
	b.posts++;
	CHECK(history_digest_days(&a, &b, &from, &to) && to - from == 32);
	struct history_digest first = { .stretch = 0 }, before = { .stretch = -7 }, last = { .stretch = INT64_MAX / HISTORY_STRETCH_MS };
	add(&first, 5, 3);
	add(&before, 5, 3);
	add(&last, 5, 3);
	CHECK(history_digest_days(NULL, &first, &from, &to) && from == 0 && to == 32);
	CHECK(history_digest_days(NULL, &before, &from, &to) && from == 0 && to == 1);
	CHECK(history_digest_days(NULL, &last, &from, &to) && from < to && to == HISTORY_DAYS_END);
}

/* Digits, weight, sign, scale, digits of base 10000. */
static bool sum(const char *bytes, size_t len, uint64_t *out)
{
	return history_digest_sum(ark_str_n(bytes, len), out);
}
#define SUM(bytes, out) sum(bytes, sizeof(bytes) - 1, out)

static void sums_wrap(void)
{
	uint64_t v = 7;
	CHECK(SUM("\0\0\0\0\0\0\0\0", &v) && v == 0);
	CHECK(SUM("\0\1\0\0\x40\0\0\0\0\1", &v) && v == UINT64_MAX);                                /* -1 */
	CHECK(SUM("\0\1\0\2\0\0\0\0\0\5", &v) && v == 500000000);                                    /* zeroes are left out */
	CHECK(SUM("\0\2\0\1\0\0\0\0\4\322\x16\x2e", &v) && v == 12345678);                           /* 1234 5678 */
	CHECK(SUM("\0\5\0\4\0\0\0\0\x07\x34\x1a\x58\x02\xe1\x03\xbb\x06\x51", &v) && v == 1);      /* 2^64 + 1 */
	CHECK(!SUM("", &v) && !SUM("\0\1\0\0\0\0\0\0", &v) && !SUM("\0\1\0\0\xc0\0\0\0\0\1", &v)); /* cut; not a number */
	CHECK(!SUM("\0\2\0\0\0\0\0\1\0\1\x13\x88", &v));                                            /* 1.5 */
}

static void states_are_read_back(void)
{
	struct ark_buf b;
	struct ark_err err = { 0 };
	struct history_state_reader r = { 0 };
	ark_buf_init(&b, 65536);
	history_state_begin(&b, -42);
	history_state_channel(&b, ARK_LIT("a b\n"), 7);
	history_state_line(&b, &(struct history_digest){ -3, 1, 2, 3 });
	history_state_line(&b, &(struct history_digest){ 600, 4, UINT64_MAX, 5 });
	history_state_channel(&b, ARK_LIT("b"), 0);
	history_state_line(&b, &(struct history_digest){ 1, 1, 1, 1 });
	unsigned lines = 0;
	for (struct ark_str rest = ark_buf_view(&b); rest.len > 0;) {
		size_t end = ark_str_find(rest, '\n', 0);
		enum ark_rc rc = history_state_read(&r, ark_str_first(rest, end), &err);
		CHECK(rc >= 0);
		rest = ark_str_from(rest, end + 1);
		lines += rc == ARK_OK;
		if (rc == ARK_OK && lines == 2)
			CHECK(ark_str_eqz(history_state_id(&r), "a b\n") && r.stays == 7 && r.line.stretch == 600 && r.line.posts == 4 &&
			      r.line.sum == UINT64_MAX && r.line.moment == 5);
	}
	CHECK(lines == 3 && r.key == -42);
	CHECK(history_state_read(&r, ARK_LIT("1 1 1 1"), &err) == ARK_FAIL);  /* again */
	CHECK(history_state_read(&r, ARK_LIT("C 62 0"), &err) == ARK_FAIL);
	CHECK(history_state_read(&r, ARK_LIT("2 1 1"), &err) == ARK_FAIL);
	struct history_state_reader other = { 0 };
	CHECK(history_state_read(&other, ARK_LIT("matterark state 1"), &err) == ARK_FAIL);
	ark_buf_release(&b);
}

static bool alike(struct history_alike *a, enum history_form form, const char *was, const char *now)
{
	struct ark_buf old, new;
	ark_buf_init(&old, 65536);
	ark_buf_init(&new, 65536);
	ark_buf_z(&old, was);
	(void)ark_buf_room(&old, JSON_PADDING);
	ark_buf_z(&new, now);
	bool out = history_alike(a, form, ark_buf_view(&old), &new);
	ark_buf_release(&old);
	ark_buf_release(&new);
	return out;
}

static void only_names_may_differ(void)
{
	struct history_alike *a = history_alike_new();
	CHECK(alike(a, HISTORY_JSONL, "{\"author_name\":\"ann\",\"id\":\"x\",\"reactions\":[{\"at\":1,\"user_name\":\"ann\"}]}\n",
	            "{\"author_name\":\"anna\",\"id\":\"x\",\"reactions\":[{\"at\":1,\"user_name\":\"anna\"}]}\n"));
	CHECK(!alike(a, HISTORY_JSONL, "{\"author_name\":\"ann\",\"id\":\"x\"}\n", "{\"author_name\":\"ann\",\"id\":\"y\"}\n"));
	CHECK(!alike(a, HISTORY_JSONL, "{\"id\":\"x\"}\n", "{\"id\":\"x\",\"is_pinned\":true}\n"));
	CHECK(!alike(a, HISTORY_JSONL, "{\"props\":{\"author_name\":\"ann\"}}\n", "{\"props\":{\"author_name\":\"anna\"}}\n"));
	CHECK(!alike(a, HISTORY_JSONL, "no JSON\n", "{}\n"));
	CHECK(alike(a, HISTORY_MD, "<!-- x 1 0 0 -->\n**ann** 12:00, edited 12:01\n\n> hello\n\n- :+1: bob\n\n",
	            "<!-- x 1 0 0 -->\n**anna** 12:00, edited 12:01\n\n> hello\n\n- :+1: bobby\n\n"));
	CHECK(!alike(a, HISTORY_MD, "<!-- x 1 0 0 -->\n**ann** 12:00\n\n> hello\n\n", "<!-- x 1 0 0 -->\n**ann** 12:00, pinned\n\n> hello\n\n"));
	CHECK(!alike(a, HISTORY_MD, "<!-- x 1 0 0 -->\n**ann** 12:00\n\n> hello\n\n", "<!-- x 1 0 0 -->\n**ann** 12:00\n\n> hello\n\n- :+1: bob\n\n"));
	CHECK(!alike(a, HISTORY_MD, "<!-- x 1 0 0 -->\n**ann** 12:00\n\n> - :a: ann\n\n", "<!-- x 1 0 0 -->\n**ann** 12:00\n\n> - :a: bob\n\n"));
	history_alike_free(a);
}

int main(void)
{
	TAP_RUN(sums_tell_the_day);
	TAP_RUN(all_days_where_in_doubt);
	TAP_RUN(sums_wrap);
	TAP_RUN(states_are_read_back);
	TAP_RUN(only_names_may_differ);
	return tap_done();
}

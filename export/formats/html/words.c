#include "export/formats/html/words.h"

#include "common/base/utf8.h"

#include "common/base/banned.h"

/* Han, Hiragana, Katakana: no blanks between words. */
static bool is_dense(uint32_t r)
{
	return (r >= 0x3040 && r <= 0x30FF) || (r >= 0x3400 && r <= 0x4DBF) || (r >= 0x4E00 && r <= 0x9FFF) ||
	       (r >= 0xF900 && r <= 0xFAFF) || (r >= 0x20000 && r <= 0x3FFFF);
}

static bool is_word(uint32_t r)
{
	return (r >= '0' && r <= '9') || ark_utf8_is_letter(r);
}

struct taker {
	char room[HTML_WORD_BYTES + 8];
	size_t len;
	uint32_t dense; /* the character before, when it was one of those; 0 */
	void (*word)(void *ctx, struct ark_str word);
	void *ctx;
};

static void end_word(struct taker *t)
{
	if (t->len > 0)
		t->word(t->ctx, ark_str_n(t->room, t->len));
	t->len = 0;
}

static void take_dense(struct taker *t, uint32_t r)
{
	char pair[8];
	end_word(t);
	if (t->dense != 0) {
		size_t n = ark_utf8_encode(t->dense, pair);
		n += ark_utf8_encode(r, pair + n);
		t->word(t->ctx, ark_str_n(pair, n));
	}
	t->dense = r;
}

/* A lone one is a word by itself. */
static void end_dense(struct taker *t, bool alone)
{
	char one[4];
	if (t->dense != 0 && alone)
		t->word(t->ctx, ark_str_n(one, ark_utf8_encode(t->dense, one)));
	t->dense = 0;
}

void html_words(struct ark_str text, void (*word)(void *ctx, struct ark_str word), void *ctx)
{
	struct taker t = { .word = word, .ctx = ctx };
	unsigned run = 0; /* dense characters in a row */
	for (size_t i = 0, len; i < text.len; i += len) {
		uint32_t r = ark_utf8_at(text, i, &len);
		if (is_dense(r)) {
			take_dense(&t, r);
			run++;
			continue;
		}
		end_dense(&t, run == 1);
		run = 0;
		if (!is_word(r))
			end_word(&t);
		else if (t.len + 4 <= HTML_WORD_BYTES)
			t.len += ark_utf8_encode(ark_utf8_lower(r), t.room + t.len);
	}
	end_dense(&t, run == 1);
	end_word(&t);
}

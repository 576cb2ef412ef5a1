/*
 * Any valid UTF-8 as mrkdwn, as plain text, as Markdown to be split: what comes out is valid UTF-8
 * of a size that the input explains, the same each time, and no id of Slack's is left where all are
 * known.
 */
#include "common/base/utf8.h"
#include "import/translate/split.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_world.h"

#include "common/base/banned.h"

/* "<@U1>", "<#C1>", "<!here>": whole, as only Slack writes them. */
static bool holds_token(struct ark_str s)
{
	for (size_t i = 0; (i = ark_str_find(s, '<', i)) != SIZE_MAX; i++) {
		size_t k = i + 2;
		if (k >= s.len || (s.ptr[i + 1] != '@' && s.ptr[i + 1] != '#'))
			continue;
		if (strchr(s.ptr[i + 1] == '@' ? "UW" : "CG", s.ptr[k]) == NULL || s.ptr[k] == '\0')
			continue;
		size_t from = ++k;
		while (
		    k < s.len && k - from < 20 &&
		    ((s.ptr[k] >= 'A' && s.ptr[k] <= 'Z') || (s.ptr[k] >= '0' && s.ptr[k] <= '9')))
			k++;
		if (k > from && k < s.len && s.ptr[k] == '>')
			return true;
	}
	return false;
}

/* "&lt;@U1>" and "<@U1&gt;" mean these characters; bytes that are dropped may stand in a token. */
static bool may_spell_token(struct ark_str in)
{
	return ark_str_search(in, ARK_LIT("&lt;"), 0) != SIZE_MAX ||
	       ark_str_search(in, ARK_LIT("&gt;"), 0) != SIZE_MAX ||
	       memchr(in.ptr, 0, in.len) != NULL || memchr(in.ptr, 1, in.len) != NULL ||
	       memchr(in.ptr, '\r', in.len) != NULL;
}

static void check(const struct ark_buf *out, struct ark_str in)
{
	FUZZ_CLAIM(!out->failed);
	FUZZ_CLAIM(ark_utf8_valid(ark_buf_view(out)));
	FUZZ_CLAIM(out->len <= FUZZ_GROWTH * in.len + 64);
	FUZZ_CLAIM(memchr(out->data, 1, out->len) == NULL);
}

static void check_split(struct ark_str text, size_t limit)
{
	ark_auto(ark_buf_release) struct ark_buf carry, part;
	ark_buf_init(&carry, 1000);
	ark_buf_init(&part, 1u << 28);
	size_t before = text.len + 1;
	while (split_next(&text, limit, &carry, &part)) {
		FUZZ_CLAIM(text.len < before);
		before = text.len;
		FUZZ_CLAIM(ark_utf8_valid(ark_buf_view(&part)));
		FUZZ_CLAIM(ark_utf8_runes(ark_buf_view(&part)) <= limit);
		ark_buf_reset(&part);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str in = { (const char *)data, size };
	if (size == 0 || size > (1u << 20) || !ark_utf8_valid(in))
		return 0;
	ark_auto(ark_buf_release) struct ark_buf out, again;
	ark_buf_init(&out, 1u << 28);
	ark_buf_init(&again, 1u << 28);
	for (unsigned flags = 0; flags < 4; flags++) {
		ark_buf_reset(&out);
		ark_buf_reset(&again);
		text_translate(&FUZZ_WORLD, in, flags, &out);
		text_translate(&FUZZ_WORLD, in, flags, &again);
		check(&out, in);
		FUZZ_CLAIM(ark_str_eq(ark_buf_view(&out), ark_buf_view(&again)));
		FUZZ_CLAIM(flags >= TEXT_KEEP_MARKDOWN || may_spell_token(in) ||
			   !holds_token(ark_buf_view(&out)));
	}
	check_split(ark_buf_view(&out), 1 + size % 97);
	ark_buf_reset(&out);
	text_plain(&FUZZ_WORLD, in, &out);
	check(&out, in);
	ark_buf_reset(&out);
	text_literal(in, &out);
	check(&out, in);
	ark_buf_reset(&again);
	text_hashtags(ark_buf_view(&out), &again);
	FUZZ_CLAIM(again.len <= 1000 && ark_utf8_valid(ark_buf_view(&again)));
	return 0;
}

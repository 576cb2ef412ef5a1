/*
 * posts.hashtags as the server computes them.
 * Fact  docs/mattermost-facts.md "Posts"
 */
#include "common/base/limits.h"
#include "common/base/utf8.h"
#include "import/translate/text.h"

#include "common/base/banned.h"

static bool is_digit(uint32_t r)
{
	return r >= '0' && r <= '9';
}

/* Without punctuation at both ends; a '#' stays in front. Several become one. */
static struct ark_str trim(struct ark_str word)
{
	size_t len;
	while (word.len > 0) {
		uint32_t r = ark_utf8_at(word, 0, &len);
		if (ark_utf8_is_letter(r) || is_digit(r) || r == '#')
			break;
		word = ark_str_from(word, len);
	}
	while (word.len > 0) {
		uint32_t r = ark_utf8_before(word, word.len);
		if (ark_utf8_is_letter(r) || is_digit(r))
			break;
		do
			word.len--;
		while (word.len > 0 && ((unsigned char)word.ptr[word.len] & 0xC0) == 0x80);
	}
	while (word.len > 1 && word.ptr[0] == '#' && word.ptr[1] == '#')
		word = ark_str_from(word, 1);
	return word;
}

static bool is_hashtag(struct ark_str word)
{
	size_t count = 0;
	for (size_t i = 1, len; i < word.len; i += len, count++) {
		uint32_t r = ark_utf8_at(word, i, &len);
		bool inner = is_digit(r) || r == '-' || r == '_' || r == '.';
		if (!ark_utf8_is_letter(r) && (count == 0 || !inner))
			return false;
	}
	return word.len > 0 && word.ptr[0] == '#' && count >= 2;
}

/* Where the word around byte `at` begins. */
static size_t word_start(struct ark_str s, size_t at)
{
	while (at > 0 && !ark_utf8_is_space(ark_utf8_before(s, at)))
		do
			at--;
		while (at > 0 && ((unsigned char)s.ptr[at] & 0xC0) == 0x80);
	return at;
}

void text_hashtags(struct ark_str markdown, struct ark_buf *out)
{
	size_t start = out->len;
	for (size_t at = 0; (at = ark_str_find(markdown, '#', at)) != SIZE_MAX;) {
		size_t from = word_start(markdown, at);
		for (size_t len; at < markdown.len; at += len)
			if (ark_utf8_is_space(ark_utf8_at(markdown, at, &len)))
				break;
		struct ark_str word = trim(ark_str_n(markdown.ptr + from, at - from));
		if (!is_hashtag(word))
			continue;
		ark_buf_c(out, ' ');
		ark_buf_str(out, word);
		if (out->len - start > MM_HASHTAGS_BYTES) {
			/* as the server does: the last blank before byte 999 ends it */
			ark_buf_cut(out, start + MM_HASHTAGS_BYTES - 1);
			while (out->len > start && out->data[out->len - 1] != ' ')
				ark_buf_cut(out, out->len - 1);
			if (out->len > start)
				ark_buf_cut(out, out->len - 1);
			break;
		}
	}
	if (out->len > start) {
		memmove(out->data + start, out->data + start + 1, out->len - start - 1);
		ark_buf_cut(out, out->len - 1);
	}
}

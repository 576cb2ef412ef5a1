/*
 * Why eight bytes at a time: message texts pass here at the speed of the whole import, and nearly
 * all of their bytes need nothing.
 */
#include "common/db/text.h"

#include <stdint.h>

#include "common/base/banned.h"

static void quoted(struct ark_buf *out, struct ark_str s, char quote)
{
	ark_buf_c(out, quote);
	for (size_t at = 0; at < s.len;) {
		size_t hit = ark_str_find(s, quote, at);
		size_t end = hit < s.len ? hit + 1 : s.len;
		ark_buf_add(out, s.ptr + at, end - at);
		if (hit < s.len)
			ark_buf_c(out, quote);
		at = end;
	}
	ark_buf_c(out, quote);
}

void db_ident(struct ark_buf *out, struct ark_str name)
{
	quoted(out, name, '"');
}

void db_literal(struct ark_buf *out, struct ark_str text)
{
	quoted(out, text, '\'');
}

void db_array_item(struct ark_buf *out, struct ark_str text)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		ark_buf_c(out, ',');
	if (!ark_str_has(text)) {
		ark_buf_z(out, "NULL");
		return;
	}
	ark_buf_c(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			ark_buf_c(out, '\\');
		ark_buf_c(out, text.ptr[i]);
	}
	ark_buf_c(out, '"');
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Some byte of `w` is below 0x0e or a backslash. */
static bool may_need_escape(uint64_t w)
{
	uint64_t slash = w ^ EACH('\\');
	uint64_t below = (w - EACH(0x0e)) & ~w;
	uint64_t zero = (slash - EACH(1)) & ~slash;
	return ((below | zero) & EACH(0x80)) != 0;
}

static char escape_letter(char c)
{
	switch (c) {
	case '\\': return '\\';
	case '\t': return 't';
	case '\n': return 'n';
	case '\r': return 'r';
	default: return '\0';
	}
}

/* First byte at or after `at` that needs an escape, or s.len. */
static size_t next_escape(struct ark_str s, size_t at)
{
	for (;;) {
		uint64_t word;
		while (s.len - at >= sizeof(word)) {
			memcpy(&word, s.ptr + at, sizeof(word));
			if (may_need_escape(word))
				break;
			at += sizeof(word);
		}
		size_t end = s.len - at < sizeof(word) ? s.len : at + sizeof(word);
		for (; at < end; at++)
			if (escape_letter(s.ptr[at]) != '\0')
				return at;
		if (at == s.len)
			return at;
	}
}

void db_copy_text(struct ark_buf *out, struct ark_str text)
{
	for (size_t at = 0; at < text.len;) {
		size_t hit = next_escape(text, at);
		ark_buf_add(out, text.ptr + at, hit - at);
		if (hit == text.len)
			return;
		char pair[2] = { '\\', escape_letter(text.ptr[hit]) };
		ark_buf_add(out, pair, sizeof(pair));
		at = hit + 1;
	}
}

#include "common/base/utf8.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "common/base/banned.h"

#define REPLACEMENT 0xFFFDu

uint32_t ark_utf8_at(struct ark_str s, size_t at, size_t *len)
{
	unsigned char c = (unsigned char)s.ptr[at];
	if (c < 0x80) {
		*len = 1;
		return c;
	}
	utf8proc_int32_t rune;
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + at,
	                                      (utf8proc_ssize_t)(s.len - at), &rune);
	if (n <= 0) {
		*len = 1;
		return REPLACEMENT;
	}
	*len = (size_t)n;
	return (uint32_t)rune;
}

uint32_t ark_utf8_before(struct ark_str s, size_t at)
{
	if (at == 0)
		return 0;
	size_t start = at - 1;
	while (start > 0 && at - start < 4 && ((unsigned char)s.ptr[start] & 0xC0) == 0x80)
		start--;
	size_t len;
	uint32_t rune = ark_utf8_at(s, start, &len);
	return start + len == at ? rune : REPLACEMENT;
}

bool ark_utf8_valid(struct ark_str s)
{
	for (size_t i = 0; i < s.len;) {
		if ((unsigned char)s.ptr[i] < 0x80) {
			i++;
			continue;
		}
		utf8proc_int32_t rune;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + i,
		                                      (utf8proc_ssize_t)(s.len - i), &rune);
		if (n <= 0)
			return false;
		i += (size_t)n;
	}
	return true;
}

void ark_utf8_put(struct ark_buf *b, uint32_t rune)
{
	utf8proc_uint8_t out[4];
	if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
		rune = REPLACEMENT;
	utf8proc_ssize_t n = utf8proc_encode_char((utf8proc_int32_t)rune, out);
	ark_buf_add(b, (const char *)out, (size_t)n);
}

size_t ark_utf8_runes(struct ark_str s)
{
	size_t n = 0;
	for (size_t i = 0, len; i < s.len; i += len, n++)
		ark_utf8_at(s, i, &len);
	return n;
}

struct ark_str ark_utf8_first(struct ark_str s, size_t runes)
{
	if (s.len <= runes)
		return s;
	size_t i = 0;
	for (size_t len; i < s.len && runes > 0; i += len, runes--)
		ark_utf8_at(s, i, &len);
	return ark_str_first(s, i);
}

struct ark_str ark_utf8_first_bytes(struct ark_str s, size_t bytes)
{
	if (s.len <= bytes)
		return s;
	while (bytes > 0 && ((unsigned char)s.ptr[bytes] & 0xC0) == 0x80)
		bytes--;
	return ark_str_first(s, bytes);
}

static size_t rune_columns(uint32_t rune)
{
	int width = utf8proc_charwidth((utf8proc_int32_t)rune);
	return width > 0 ? (size_t)width : 0;
}

size_t ark_utf8_columns(struct ark_str s)
{
	size_t n = 0;
	for (size_t i = 0, len; i < s.len; i += len)
		n += rune_columns(ark_utf8_at(s, i, &len));
	return n;
}

struct ark_str ark_utf8_first_columns(struct ark_str s, size_t columns)
{
	size_t i = 0;
	for (size_t len; i < s.len; i += len) {
		size_t width = rune_columns(ark_utf8_at(s, i, &len));
		if (width > columns)
			break;
		columns -= width;
	}
	return ark_str_first(s, i);
}

void ark_utf8_clean(struct ark_buf *out, struct ark_str s)
{
	size_t start = 0;
	for (size_t i = 0, len; i < s.len; i += len) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c >= 1 && c < 0x80) {
			len = 1;
			continue;
		}
		uint32_t rune = ark_utf8_at(s, i, &len);
		if (c != 0 && (rune != REPLACEMENT || len == 3))
			continue;
		ark_buf_add(out, s.ptr + start, i - start);
		if (c != 0)
			ark_utf8_put(out, REPLACEMENT);
		start = i + len;
	}
	if (s.len > start)
		ark_buf_add(out, s.ptr + start, s.len - start);
}

void ark_utf8_nfc(struct ark_buf *out, struct ark_str s)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len,
	                                  &mapped, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (n >= 0)
		ark_buf_add(out, (const char *)mapped, (size_t)n);
	else
		ark_buf_str(out, s);
	free(mapped);
}

/* Letters without a decomposition, as people in their countries spell them in ASCII. */
static const struct {
	uint32_t rune;
	const char *ascii;
} SPELLED[] = {
	{ 0xDF, "ss" }, { 0xE6, "ae" },  { 0xF0, "d" },  { 0xF8, "o" },  { 0xFE, "th" },
	{ 0x111, "d" }, { 0x127, "h" },  { 0x131, "i" }, { 0x142, "l" }, { 0x14B, "ng" },
	{ 0x153, "oe" }, { 0x167, "t" }, { 0x1E9E, "ss" },
};

void ark_utf8_ascii_lower(struct ark_buf *out, struct ark_str s, char other)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t n =
	    utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &mapped,
	                 UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK |
	                     UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
	struct ark_str m = n >= 0 ? ark_str_n((const char *)mapped, (size_t)n) : s;
	for (size_t i = 0, len; i < m.len; i += len) {
		uint32_t rune = ark_utf8_at(m, i, &len);
		if (rune < 0x80) {
			ark_buf_c(out, rune >= 'A' && rune <= 'Z' ? (char)(rune + 32) : (char)rune);
			continue;
		}
		const char *ascii = NULL;
		for (size_t k = 0; k < sizeof(SPELLED) / sizeof(SPELLED[0]); k++)
			if (SPELLED[k].rune == rune)
				ascii = SPELLED[k].ascii;
		if (ascii != NULL)
			ark_buf_z(out, ascii);
		else
			ark_buf_c(out, other);
	}
	free(mapped);
}

bool ark_utf8_is_word(uint32_t rune)
{
	if (rune < 0x80)
		return (rune >= '0' && rune <= '9') || (rune >= 'a' && rune <= 'z') ||
		       (rune >= 'A' && rune <= 'Z');
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)rune);
	return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NO;
}

size_t ark_utf8_encode(uint32_t rune, char out[4])
{
	return (size_t)utf8proc_encode_char((utf8proc_int32_t)rune, (utf8proc_uint8_t *)out);
}

uint32_t ark_utf8_lower(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
	return (uint32_t)utf8proc_tolower((utf8proc_int32_t)rune);
}

bool ark_utf8_is_letter(uint32_t rune)
{
	if (rune < 0x80)
		return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)rune);
	return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

bool ark_utf8_is_space(uint32_t rune)
{
	if (rune < 0x80)
		return rune == ' ' || (rune >= '\t' && rune <= '\r');
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)rune);
	return c == UTF8PROC_CATEGORY_ZS || c == UTF8PROC_CATEGORY_ZL || c == UTF8PROC_CATEGORY_ZP;
}

bool ark_utf8_is_punct(uint32_t rune)
{
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)rune);
	return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_SO;
}

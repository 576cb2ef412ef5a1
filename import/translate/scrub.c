#include "import/translate/scrub.h"

#include <string.h>

#include "common/base/banned.h"

/* Tokens are ASCII; a byte of another character ends one and stays whole. */
static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Links with a download token are secrets: the token goes, the rest of the text stays. */
void text_drop_tokens(struct ark_buf *b)
{
	static const struct ark_str MARK = { "xox", 3 };
	if (memchr(b->data, MARK.ptr[0], b->len) == NULL)
		return;
	for (size_t at = 0; (at = ark_str_search(ark_buf_view(b), MARK, at)) != SIZE_MAX;) {
		size_t start = at;
		bool query = start > 0 && b->data[start - 1] == '=';
		size_t end = at + 3;
		while (end < b->len && is_token(b->data[end]))
			end++;
		bool token = end - at > 8 && b->data[at + 4] == '-';
		if (!token) {
			at = end;
			continue;
		}
		if (query) /* back to the '?' or '&' before t= or token= */
			while (start > 0 && b->data[start - 1] != '?' && b->data[start - 1] != '&' &&
			       b->data[start - 1] != ' ')
				start--;
		if (query && start > 0 && b->data[start - 1] == '?' && (end >= b->len || b->data[end] != '&'))
			start--;
		memmove(b->data + start, b->data + end, b->len - end);
		ark_buf_cut(b, b->len - (end - start));
		at = start;
	}
}

/* U+0000 has no place in PostgreSQL's text, nor \u0000 in its jsonb. */
void text_drop_nul(struct ark_buf *b, bool json)
{
	struct ark_str nul = json ? ARK_LIT("\\u0000") : ark_str_n("", 1);
	if (memchr(b->data, json ? '\\' : '\0', b->len) == NULL)
		return; /* nearly always */
	for (size_t at = 0; (at = ark_str_search(ark_buf_view(b), nul, at)) != SIZE_MAX;) {
		size_t backslashes = 0;
		while (json && backslashes < at && b->data[at - 1 - backslashes] == '\\')
			backslashes++;
		if (backslashes % 2 == 1) { /* an escaped backslash before "u0000" */
			at += nul.len;
			continue;
		}
		memmove(b->data + at, b->data + at + nul.len, b->len - at - nul.len);
		ark_buf_cut(b, b->len - nul.len);
	}
}

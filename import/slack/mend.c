#include "import/slack/mend.h"

#include "common/base/utf8.h"

#include "common/base/banned.h"

/* Value of the four hex digits at `p`, or -1. */
static int hex4(struct ark_str s, size_t at)
{
	if (s.len < 4 || at > s.len - 4)
		return -1;
	int v = 0;
	for (int i = 0; i < 4; i++) {
		char c = s.ptr[at + (size_t)i];
		int d = c >= '0' && c <= '9'   ? c - '0'
		        : c >= 'a' && c <= 'f' ? c - 'a' + 10
		        : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                               : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* An escape sequence at the backslash `at`; returns its length and appends what it should be. */
static size_t mend_escape(struct ark_str s, size_t at, struct ark_buf *out, bool *mended)
{
	if (at + 1 >= s.len) {
		ark_buf_c(out, '\\');
		return 1;
	}
	int unit = s.ptr[at + 1] == 'u' ? hex4(s, at + 2) : -1;
	if (unit < 0xD800 || unit > 0xDFFF) {
		ark_buf_add(out, s.ptr + at, 2);
		return 2;
	}
	bool pair = unit < 0xDC00 && at + 7 < s.len && s.ptr[at + 6] == '\\' && s.ptr[at + 7] == 'u';
	int low = pair ? hex4(s, at + 8) : -1;
	if (low >= 0xDC00 && low <= 0xDFFF) {
		ark_buf_add(out, s.ptr + at, 12);
		return 12;
	}
	ark_buf_z(out, "\\ufffd");
	*mended = true;
	return 6;
}

/*
 * Append `text` mended, and JSON_PADDING bytes behind that do not count in *len: bytes that are no UTF-8
 * and surrogates without their partner become U+FFFD; raw control bytes inside strings are escaped; a byte
 * order mark at the start goes.
 * Returns true when anything was mended.
 */
static bool slack_mend(struct ark_str text, struct ark_buf *out, size_t *len)
{
	static const char zeros[JSON_PADDING] = { 0 };
	size_t start = out->len;
	bool mended = false, in_string = false;
	size_t i = 0;
	if (ark_str_starts(text, ARK_LIT("\xef\xbb\xbf"))) {
		i = 3;
		mended = true;
	}
	while (i < text.len) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c == '\\' && in_string) {
			i += mend_escape(text, i, out, &mended);
			continue;
		}
		if (c == '"')
			in_string = !in_string;
		if (c < 0x20 && in_string) {
			char escaped[] = { '\\', 'u', '0', '0', (char)('0' + (c >> 4)), "0123456789abcdef"[c & 15] };
			ark_buf_add(out, escaped, sizeof(escaped));
			mended = true;
			i++;
			continue;
		}
		size_t n = 1;
		uint32_t rune = c < 0x80 ? c : ark_utf8_at(text, i, &n);
		if (c >= 0x80 && rune == 0xFFFD && n == 1) {
			ark_utf8_put(out, 0xFFFD);
			mended = true;
		} else {
			ark_buf_add(out, text.ptr + i, n);
		}
		i += n;
	}
	*len = out->len - start;
	ark_buf_add(out, zeros, sizeof(zeros));
	return mended;
}

enum ark_rc slack_parse(struct json_doc *doc, struct ark_str text, struct ark_buf *mended,
                        struct json_val *root, struct ark_err *err)
{
	if (json_doc_parse(doc, text.ptr, text.len, root, err) == ARK_OK)
		return ARK_OK;
	ark_buf_reset(mended);
	size_t len;
	if (!slack_mend(text, mended, &len) || mended->failed)
		return ARK_FAIL;
	return json_doc_parse(doc, mended->data, len, root, err);
}

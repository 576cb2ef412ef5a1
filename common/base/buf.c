#include "common/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

static char empty[1] = "";

void ark_buf_init(struct ark_buf *b, size_t ceil_bytes)
{
	*b = (struct ark_buf){ .data = empty, .ceil = ceil_bytes };
}

void ark_buf_release(struct ark_buf *b)
{
	if (b->data != empty)
		free(b->data);
	*b = (struct ark_buf){ .data = empty, .ceil = b->ceil };
}

void ark_buf_reset(struct ark_buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != empty)
		b->data[0] = '\0';
}

void ark_buf_cut(struct ark_buf *b, size_t len)
{
	if (len > b->len)
		ark_bug("cut to %zu of %zu bytes", len, b->len);
	if (len == b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

char *ark_buf_room(struct ark_buf *b, size_t more)
{
	if (more > b->ceil || b->len > b->ceil - more) {
		b->failed = true;
		return NULL;
	}
	if (b->cap - b->len >= more && b->data != empty)
		return b->data + b->len;
	size_t want = b->cap < 64 ? 64 : b->cap + b->cap / 2;
	if (want < b->len + more)
		want = b->len + more;
	if (want > b->ceil)
		want = b->ceil;
	char *old = b->data == empty ? NULL : b->data;
	b->data = ark_realloc(old, want + 1, 1);
	b->cap = want;
	b->data[b->len] = '\0';
	return b->data + b->len;
}

void ark_buf_add_slow(struct ark_buf *b, const char *ptr, size_t len)
{
	char *to = ark_buf_room(b, len);
	if (to == NULL)
		return;
	if (len > 0)
		memcpy(to, ptr, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void ark_buf_u64(struct ark_buf *b, uint64_t v)
{
	/* two at a time: rows are full of numbers, and dividing is what takes the time */
	static const char PAIRS[] = "0001020304050607080910111213141516171819202122232425262728293031323334"
	                            "3536373839404142434445464748495051525354555657585960616263646566676869"
	                            "707172737475767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof(digits);
	for (; v >= 10; v /= 100) {
		at -= 2;
		memcpy(digits + at, PAIRS + v % 100 * 2, 2);
	}
	/* what is left is one digit, or none when the last pair began with a digit of its own */
	if (v > 0 || at == sizeof(digits))
		digits[--at] = (char)('0' + v);
	ark_buf_add(b, digits + at, sizeof(digits) - at);
}

void ark_buf_i64(struct ark_buf *b, int64_t v)
{
	if (v < 0)
		ark_buf_c(b, '-');
	ark_buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void ark_buf_fmt(struct ark_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		char *to = ark_buf_room(b, (size_t)n);
		if (to != NULL) {
			vsnprintf(to, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
}

void ark_buf_json(struct ark_buf *b, struct ark_str s)
{
	static const char hex[] = "0123456789abcdef";
	ark_buf_c(b, '"');
	size_t start = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		ark_buf_add(b, s.ptr + start, i - start);
		start = i + 1;
		char esc[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
		switch (c) {
		case '"': ark_buf_add(b, "\\\"", 2); break;
		case '\\': ark_buf_add(b, "\\\\", 2); break;
		case '\n': ark_buf_add(b, "\\n", 2); break;
		case '\r': ark_buf_add(b, "\\r", 2); break;
		case '\t': ark_buf_add(b, "\\t", 2); break;
		default: ark_buf_add(b, esc, 6); break;
		}
	}
	if (s.len > start)
		ark_buf_add(b, s.ptr + start, s.len - start);
	ark_buf_c(b, '"');
}

void ark_buf_html(struct ark_buf *b, struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		switch (s.ptr[i]) {
		case '&': ark_buf_z(b, "&amp;"); break;
		case '<': ark_buf_z(b, "&lt;"); break;
		case '>': ark_buf_z(b, "&gt;"); break;
		case '"': ark_buf_z(b, "&quot;"); break;
		case '\'': ark_buf_z(b, "&#39;"); break;
		default: ark_buf_c(b, s.ptr[i]); break;
		}
	}
}

enum ark_rc ark_buf_ok(const struct ark_buf *b, const char *what, struct ark_err *err)
{
	if (!b->failed)
		return ARK_OK;
	return ark_err_set(err, ARK_KIND_LIMIT, "%s is longer than %zu bytes", what, b->ceil);
}

/*
 * Strings for building. `data` is never NULL and always NUL-ended behind `len` bytes. A buffer has a
 * ceiling given at init; what would pass it sets `failed`, which sticks and is asked once at the end
 * (ark_buf_ok), so building code needs no check per call.
 */
#ifndef ARK_BASE_BUF_H
#define ARK_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct ark_buf {
	char *data;
	size_t len;
	size_t cap;  /* bytes that can be held without growing, the NUL not counted */
	size_t ceil; /* len never passes this */
	bool failed;
};

/* Release with ark_buf_release (also fit for ark_auto). */
void ark_buf_init(struct ark_buf *b, size_t ceil_bytes);
void ark_buf_release(struct ark_buf *b);
/* Forget content and failure, keep the memory. */
void ark_buf_reset(struct ark_buf *b);
/* Shorten to `len` bytes; longer than now is a bug. */
void ark_buf_cut(struct ark_buf *b, size_t len);
/* Make room for `more` bytes behind len and return where they go (NULL when over the ceiling);
 * the caller writes them and then adds to len. */
char *ark_buf_room(struct ark_buf *b, size_t more);

void ark_buf_add_slow(struct ark_buf *b, const char *ptr, size_t len);
static inline void ark_buf_add(struct ark_buf *b, const char *ptr, size_t len)
{
	if (__builtin_expect(b->cap - b->len < len, 0)) {
		ark_buf_add_slow(b, ptr, len);
		return;
	}
	if (len > 0)
		memcpy(b->data + b->len, ptr, len);
	b->len += len;
	b->data[b->len] = '\0';
}
static inline void ark_buf_str(struct ark_buf *b, struct ark_str s)
{
	ark_buf_add(b, s.ptr, s.len);
}
static inline void ark_buf_z(struct ark_buf *b, const char *z)
{
	ark_buf_add(b, z, strlen(z));
}
static inline void ark_buf_c(struct ark_buf *b, char c)
{
	ark_buf_add(b, &c, 1);
}
void ark_buf_u64(struct ark_buf *b, uint64_t v);
void ark_buf_i64(struct ark_buf *b, int64_t v);
void ark_buf_fmt(struct ark_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes: escapes `"`, `\`, control bytes; bytes from 0x80 stay as they are
 * (the input must be UTF-8). */
void ark_buf_json(struct ark_buf *b, struct ark_str s);
/* Text for an HTML page: & < > " ' as entities. */
void ark_buf_html(struct ark_buf *b, struct ark_str s);

static inline struct ark_str ark_buf_view(const struct ark_buf *b)
{
	return (struct ark_str){ b->data, b->len };
}
/* ARK_FAIL with kind LIMIT and text "<what> is longer than N bytes" when the ceiling was hit. */
enum ark_rc ark_buf_ok(const struct ark_buf *b, const char *what, struct ark_err *err);

#endif

/*
 * Strings for reading: pointer and length, not NUL-ended, never owned. `ptr` is never NULL for a
 * string that is there; ARK_STR_NONE (ptr NULL, len 0) means "absent", which ark_str_has tells.
 */
#ifndef ARK_BASE_STR_H
#define ARK_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ark_str {
	const char *ptr;
	size_t len;
};

#define ARK_STR_NONE ((struct ark_str){ NULL, 0 })
/* From a literal. */
#define ARK_LIT(s) ((struct ark_str){ "" s, sizeof(s) - 1 })
/* For printf: "%.*s" with ARK_FMT(s). */
#define ARK_FMT(s) (int)(s).len, ((s).ptr != NULL ? (s).ptr : "")

static inline struct ark_str ark_str_z(const char *z)
{
	return (struct ark_str){ z, z != NULL ? strlen(z) : 0 };
}

static inline struct ark_str ark_str_n(const char *ptr, size_t len)
{
	return (struct ark_str){ ptr, len };
}

static inline bool ark_str_has(struct ark_str s)
{
	return s.ptr != NULL;
}

static inline bool ark_str_eq(struct ark_str a, struct ark_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool ark_str_eqz(struct ark_str a, const char *z)
{
	return ark_str_eq(a, ark_str_z(z));
}

static inline bool ark_str_starts(struct ark_str s, struct ark_str prefix)
{
	return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

static inline bool ark_str_ends(struct ark_str s, struct ark_str suffix)
{
	return s.len >= suffix.len && memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

/* The part from byte `from` on; `from` beyond the end gives the empty rest. */
static inline struct ark_str ark_str_from(struct ark_str s, size_t from)
{
	if (from > s.len)
		from = s.len;
	return (struct ark_str){ from > 0 ? s.ptr + from : s.ptr, s.len - from };
}

static inline struct ark_str ark_str_first(struct ark_str s, size_t n)
{
	return (struct ark_str){ s.ptr, n < s.len ? n : s.len };
}

/* Byte order, shorter first when one is the other's start: <0, 0, >0. */
int ark_str_cmp(struct ark_str a, struct ark_str b);
/* Position of byte `c` at or after `from`, or SIZE_MAX. */
size_t ark_str_find(struct ark_str s, char c, size_t from);
/* Position of `needle` at or after `from`, or SIZE_MAX. */
size_t ark_str_search(struct ark_str s, struct ark_str needle, size_t from);
/* Without blanks, tabs, CR and LF at both ends. */
struct ark_str ark_str_trim(struct ark_str s);
/* Decimal digits only, no sign, no blanks, no overflow; `out` is written on success only. */
bool ark_str_u64(struct ark_str s, uint64_t *out);

/* The next word of `rest`, which goes on behind the blank that ends it. */
static inline struct ark_str ark_str_take_word(struct ark_str *rest)
{
	size_t end = ark_str_find(*rest, ' ', 0);
	struct ark_str word = ark_str_first(*rest, end);
	*rest = ark_str_from(*rest, end == SIZE_MAX ? rest->len : end + 1);
	return word;
}
/* Of lower-case hex, as we write it; -1: none. */
static inline int ark_hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif

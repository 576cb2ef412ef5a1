#include "common/base/str.h"

#include "common/base/banned.h"

int ark_str_cmp(struct ark_str a, struct ark_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
	if (c != 0)
		return c;
	return (a.len > b.len) - (a.len < b.len);
}

size_t ark_str_find(struct ark_str s, char c, size_t from)
{
	if (from >= s.len)
		return SIZE_MAX;
	const char *p = memchr(s.ptr + from, c, s.len - from);
	return p != NULL ? (size_t)(p - s.ptr) : SIZE_MAX;
}

size_t ark_str_search(struct ark_str s, struct ark_str needle, size_t from)
{
	if (from > s.len)
		return SIZE_MAX;
	if (needle.len == 0)
		return from;
	if (s.len - from < needle.len)
		return SIZE_MAX;
	const char *p = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
	return p != NULL ? (size_t)(p - s.ptr) : SIZE_MAX;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct ark_str ark_str_trim(struct ark_str s)
{
	while (s.len > 0 && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool ark_str_u64(struct ark_str s, uint64_t *out)
{
	if (s.len == 0 || s.len > 20)
		return false;
	uint64_t v = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		uint64_t d = (uint64_t)(s.ptr[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

#include "common/io/ziplist.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define HEADER 46        /* of an entry in the list, without its name and what follows */
#define END 22
#define END_COMMENT 65535
#define LOCATOR64 20
#define END64 56
#define WINDOW (256u << 10)

static uint64_t number(const unsigned char *at, unsigned bytes)
{
	uint64_t n = 0;
	for (unsigned i = bytes; i > 0; i--)
		n = n << 8 | at[i - 1];
	return n;
}

static void put(unsigned char *at, unsigned bytes, uint64_t n)
{
	for (unsigned i = 0; i < bytes; i++, n >>= 8)
		at[i] = (unsigned char)n;
}

static bool is(const unsigned char *at, char kind, char more)
{
	const char mark[4] = { 'P', 'K', kind, more };
	return memcmp(at, mark, sizeof(mark)) == 0;
}

/* As many bytes as there are up to `len`; 0 as well when they cannot be read. */
static size_t read_at(int fd, uint64_t at, void *to, size_t len)
{
	size_t have = 0;
	while (have < len) {
		ssize_t n = pread(fd, (char *)to + have, len - have, (off_t)(at + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? 0 : have;
		have += (size_t)n;
	}
	return have;
}

/* Where the end record stands, or -1. */
static int64_t find_end(int fd, uint64_t size, unsigned char record[END])
{
	size_t len = size < END + END_COMMENT ? (size_t)size : END + END_COMMENT;
	ark_auto(ark_freep) unsigned char *tail = ark_malloc(len + 1);
	if (len < END || read_at(fd, size - len, tail, len) != len)
		return -1;
	for (size_t i = len - END + 1; i > 0; i--) {
		const unsigned char *r = tail + i - 1;
		if (!is(r, 5, 6) || i - 1 + END + number(r + 20, 2) != len)
			continue;
		memcpy(record, r, END);
		return (int64_t)(size - len + i - 1);
	}
	return -1;
}

/* Offset and length of the list. */
static bool find_list(int fd, uint64_t size, uint64_t *at, uint64_t *len)
{
	unsigned char end[END], locator[LOCATOR64], end64[END64];
	int64_t where = find_end(fd, size, end);
	if (where < 0 || number(end + 4, 2) != number(end + 6, 2))
		return false;
	uint64_t limit = (uint64_t)where;
	*len = number(end + 12, 4);
	*at = number(end + 16, 4);
	if (*len == UINT32_MAX || *at == UINT32_MAX || number(end + 10, 2) == UINT16_MAX) {
		if (limit >= LOCATOR64 && read_at(fd, limit - LOCATOR64, locator, LOCATOR64) == LOCATOR64 &&
		    is(locator, 6, 7)) {
			limit = number(locator + 8, 8);
			if (limit > size || read_at(fd, limit, end64, END64) != END64 || !is(end64, 6, 6))
				return false;
			*len = number(end64 + 40, 8);
			*at = number(end64 + 48, 8);
		}
	}
	return *len <= limit && *at <= limit - *len;
}

bool ziplist_find(int fd, int64_t size_bytes, struct ziplist *out)
{
	uint64_t at, len;
	unsigned char first[4];
	if (!find_list(fd, (uint64_t)size_bytes, &at, &len) || len / HEADER <= LIMIT_ZIP_PART ||
	    read_at(fd, at, first, sizeof(first)) != sizeof(first) || !is(first, 1, 2))
		return false;
	*out = (struct ziplist){ .fd = fd, .at = at, .end = at + len };
	return true;
}

/* Where the list goes on behind LIMIT_ZIP_PART entries; what is no header is left to the library, with all
 * that follows. */
static uint64_t part_end(const struct ziplist *z)
{
	ark_auto(ark_freep) unsigned char *window = ark_malloc(WINDOW);
	uint64_t at = z->at, window_at = z->at;
	size_t have = 0;
	for (unsigned n = 0; n < LIMIT_ZIP_PART && at < z->end; n++) {
		if (at - window_at > have || have - (size_t)(at - window_at) < HEADER) {
			window_at = at;
			have = read_at(z->fd, at, window, WINDOW);
		}
		const unsigned char *h = window + (at - window_at);
		if (have - (size_t)(at - window_at) < HEADER || !is(h, 1, 2))
			return z->end;
		at += HEADER + number(h + 28, 2) + number(h + 30, 2) + number(h + 32, 2);
	}
	return at < z->end ? at : z->end;
}

bool ziplist_next(struct ziplist *z)
{
	if (z->at >= z->end)
		return false;
	z->part_at = z->at;
	z->part_end = z->at = part_end(z);
	uint64_t len = z->part_end - z->part_at;
	unsigned char *end64 = z->tail, *locator = end64 + END64, *end = locator + LOCATOR64;
	memset(z->tail, 0, sizeof(z->tail));
	memcpy(end64, "PK\6\6", 4);
	put(end64 + 4, 8, END64 - 12);
	put(end64 + 12, 2, 45);
	put(end64 + 14, 2, 45);
	put(end64 + 40, 8, len);
	put(end64 + 48, 8, z->part_at);
	memcpy(locator, "PK\6\7", 4);
	put(locator + 8, 8, z->part_end);
	put(locator + 16, 4, 1);
	memcpy(end, "PK\5\6", 4);
	put(end + 12, 4, UINT32_MAX);
	put(end + 16, 4, UINT32_MAX);
	return true;
}

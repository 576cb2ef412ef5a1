/*
 * An array that grows: in memory up to a limit, beyond it in a temporary file without a name that is
 * mapped. Then no more of it than the limit stays in memory, as long as items are reached through
 * io_array_at, near ones more often than far ones. For what grows with the data and is wanted by number.
 */
#ifndef ARK_IO_ARRAY_H
#define ARK_IO_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define IO_ARRAY_SEEN 1024

struct io_array {
	char *data;
	size_t item_bytes, count, cap;
	size_t limit_bytes;
	const char *dir; /* for the file; the caller's */
	int fd;          /* -1: in memory */
	size_t touched;  /* stretches of the file that may be in memory, */
	uint32_t seen[IO_ARRAY_SEEN]; /* and which: number + 1 */
};

void io_array_init(struct io_array *a, size_t item_bytes, size_t limit_bytes, const char *dir);
void io_array_release(struct io_array *a);

/* One more item, all zeros; it moves the others. STOP when the disk is full. */
enum ark_rc io_array_add(struct io_array *a, void **out, struct ark_err *err);

void io_array_touch(struct io_array *a, size_t n);

/* Item n < count; good until the next io_array_add. */
static inline void *io_array_at(struct io_array *a, size_t n)
{
	if (a->fd >= 0)
		io_array_touch(a, n);
	return a->data + n * a->item_bytes;
}

#endif

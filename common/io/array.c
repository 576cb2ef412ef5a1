/*
 * Why mapped and not read and written piece by piece: order and threads of a channel want many items at
 * once by pointer, and nearly always neighbours. What was dropped from the process is still in the
 * machine's page cache as long as there is room, so coming back costs little.
 */
#include "common/io/array.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/io/spool.h"

#include "common/base/banned.h"

#define STRETCH (64u << 10)   /* what the kernel maps around a page that is wanted */
#define GROW (64u << 20)      /* a file grows by this */

void io_array_init(struct io_array *a, size_t item_bytes, size_t limit_bytes, const char *dir)
{
	*a = (struct io_array){ .item_bytes = item_bytes, .limit_bytes = limit_bytes, .dir = dir, .fd = -1 };
}

void io_array_release(struct io_array *a)
{
	if (a->fd >= 0) {
		munmap(a->data, a->cap * a->item_bytes);
		close(a->fd);
	} else {
		free(a->data);
	}
	io_array_init(a, a->item_bytes, a->limit_bytes, a->dir);
}

static enum ark_rc full(const struct io_array *a, int why, struct ark_err *err)
{
	return ark_err_errno(err, why, "cannot write to a temporary file in '%s'", a->dir);
}

/* Room for `bytes` in the file: now, because a page that finds no room later ends the process. */
static enum ark_rc reserve(const struct io_array *a, int fd, size_t bytes, struct ark_err *err)
{
	int why = ark_fail_step("write to a temporary file: room for an array");
	while (why == 0 && (why = posix_fallocate(fd, 0, (off_t)bytes)) == EINTR)
		why = 0;
	return why == 0 ? ARK_OK : full(a, why, err);
}

static enum ark_rc move_out(struct io_array *a, size_t bytes, struct ark_err *err)
{
	int fd = io_temp_file(a->dir);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot make a temporary file in '%s'", a->dir);
	enum ark_rc rc = reserve(a, fd, bytes, err);
	void *map = rc < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (rc == ARK_OK && map == MAP_FAILED)
		rc = full(a, errno, err);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	if (a->count > 0)
		memcpy(map, a->data, a->count * a->item_bytes);
	free(a->data);
	a->data = map;
	a->fd = fd;
	a->touched = a->count * a->item_bytes / STRETCH;
	return ARK_OK;
}

static enum ark_rc grow(struct io_array *a, struct ark_err *err)
{
	size_t cap = a->cap == 0 ? 256 : a->cap * 2;
	if (a->fd < 0 && cap * a->item_bytes <= a->limit_bytes) {
		a->data = ark_realloc(a->data, cap, a->item_bytes);
		a->cap = cap;
		return ARK_OK;
	}
	size_t step = a->cap < GROW / a->item_bytes ? a->cap : GROW / a->item_bytes;
	cap = a->cap + (step < 256 ? 256 : step);
	size_t bytes = cap * a->item_bytes;
	enum ark_rc rc = ARK_OK;
	if (a->fd < 0) {
		rc = move_out(a, bytes, err);
	} else if ((rc = reserve(a, a->fd, bytes, err)) == ARK_OK) {
		void *map = mremap(a->data, a->cap * a->item_bytes, bytes, MREMAP_MAYMOVE);
		if (map == MAP_FAILED)
			return full(a, errno, err);
		a->data = map;
	}
	if (rc == ARK_OK)
		a->cap = cap;
	return rc;
}

enum ark_rc io_array_add(struct io_array *a, void **out, struct ark_err *err)
{
	if (a->count == a->cap) {
		enum ark_rc rc = grow(a, err);
		if (rc < 0)
			return rc;
	}
	*out = io_array_at(a, a->count++);
	memset(*out, 0, a->item_bytes);
	return ARK_OK;
}

void io_array_touch(struct io_array *a, size_t n)
{
	uint32_t at = (uint32_t)(n * a->item_bytes / STRETCH) + 1;
	uint32_t *seen = &a->seen[at % IO_ARRAY_SEEN];
	if (*seen == at)
		return;
	*seen = at;
	if (++a->touched <= a->limit_bytes / STRETCH)
		return;
	/* nothing is lost: the file has it */
	madvise(a->data, a->cap * a->item_bytes, MADV_DONTNEED);
	memset(a->seen, 0, sizeof(a->seen));
	a->touched = 0;
}

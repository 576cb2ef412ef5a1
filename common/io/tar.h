/*
 * Writing a tar file compressed with zstd, entry by entry, as a whole or not at all. Not for reading:
 * archive.h.
 */
#ifndef ARK_IO_TAR_H
#define ARK_IO_TAR_H

#include <stdint.h>

#include "common/base/err.h"

struct io_tar;

/* FAIL: MISSING (no such folder), IO. The file is 0600 and appears at io_tar_finish. */
enum ark_rc io_tar_begin(const char *path, struct io_tar **out, struct ark_err *err);
void io_tar_drop(struct io_tar **t); /* gives up; for ark_auto; nothing to do after finish */
/* A file of exactly `size` bytes follows. The name is UTF-8, relative. */
enum ark_rc io_tar_entry(struct io_tar *t, const char *name, uint64_t size, int64_t mtime_ms, struct ark_err *err);
enum ark_rc io_tar_add(struct io_tar *t, const char *ptr, size_t len, struct ark_err *err);
enum ark_rc io_tar_finish(struct io_tar **t, struct ark_err *err);

#endif

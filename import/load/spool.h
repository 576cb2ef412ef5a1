/*
 * Bytes that wait for their turn in an unlinked temporary file: rows of tables that are loaded later,
 * records of channels that are not complete. Nothing is left behind however the process ends.
 */
#ifndef IMPORT_LOAD_SPOOL_H
#define IMPORT_LOAD_SPOOL_H

#include <stdint.h>

#include "common/base/err.h"

struct load_spool {
	int fd;           /* -1: not made yet */
	uint64_t len;     /* bytes written */
};

#define LOAD_SPOOL_NONE ((struct load_spool){ -1, 0 })

/* Append; makes the file in `dir` when it is the first. STOP when the disk is full. */
enum ark_rc load_spool_add(struct load_spool *s, const char *dir, const char *ptr, size_t len,
                           struct ark_err *err);
/* Exactly `len` bytes from offset `at`. */
enum ark_rc load_spool_read(const struct load_spool *s, uint64_t at, char *to, size_t len,
                            struct ark_err *err);
void load_spool_close(struct load_spool *s);

#endif

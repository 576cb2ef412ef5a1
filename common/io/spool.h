/*
 * Bytes that wait for their turn in an unlinked temporary file: what does not fit into memory, or is
 * written later than it is known. Nothing is left behind however the process ends.
 */
#ifndef ARK_IO_SPOOL_H
#define ARK_IO_SPOOL_H

#include <stdint.h>

#include "common/base/err.h"

struct io_spool {
	int fd;           /* -1: not made yet */
	uint64_t len;     /* bytes written */
};

/* Where temporary files go when nobody says: $TMPDIR, else /tmp. */
const char *io_temp_dir(void);

/* A file there without a name, 0600, or -1 with errno. */
int io_temp_file(const char *dir);

#define IO_SPOOL_NONE ((struct io_spool){ -1, 0 })

/* Append; makes the file in `dir` when it is the first. STOP when the disk is full. */
enum ark_rc io_spool_add(struct io_spool *s, const char *dir, const char *ptr, size_t len,
                           struct ark_err *err);
/* Exactly `len` bytes from offset `at`. */
enum ark_rc io_spool_read(const struct io_spool *s, uint64_t at, char *to, size_t len,
                            struct ark_err *err);
void io_spool_close(struct io_spool *s);

#endif

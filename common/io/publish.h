/*
 * A file that is there as a whole or not at all: written beside its final place under another name,
 * given its name at the end. Falling out of scope before that removes it.
 */
#ifndef ARK_IO_PUBLISH_H
#define ARK_IO_PUBLISH_H

#include <stddef.h>

#include "common/base/err.h"

struct io_publish {
	int fd;     /* -1: none */
	char *path; /* final name */
	char *temp; /* what it is called until then */
};

#define IO_PUBLISH_NONE ((struct io_publish){ -1, NULL, NULL })

/* Begin a file for `path`, mode 0600. FAIL: MISSING (the folder), IO. */
enum ark_rc io_publish_begin(const char *path, struct io_publish *out, struct ark_err *err);
enum ark_rc io_publish_write(struct io_publish *p, const void *data, size_t len, struct ark_err *err);
/* On disk under its name, in place of what had it. */
enum ark_rc io_publish_finish(struct io_publish *p, struct ark_err *err);
/* Also for ark_auto; removes what was not finished. */
void io_publish_release(struct io_publish *p);

#endif

/*
 * Bytes on their way, whatever they come from or go to: rooms that move bodies (net, store) take them
 * in these forms. Not for formats: those have readers and writers of their own.
 */
#ifndef ARK_BASE_FLOW_H
#define ARK_BASE_FLOW_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"

/* Takes the next piece of a body. A failure ends the transfer and comes back from the call that
 * moved it, with its text. */
typedef enum ark_rc ark_take_fn(void *ctx, const char *ptr, size_t len, struct ark_err *err);

struct ark_sink {
	ark_take_fn *take; /* NULL: nothing is taken, bytes are dropped */
	void *ctx;
};

/* A body whose length is known and that can be read again from its start, because a transfer may
 * have to be repeated. */
struct ark_body {
	int fd;             /* -1: `mem` is the body; else it is read with pread */
	struct ark_str mem;
	uint64_t at;        /* fd: where it begins */
	uint64_t len;       /* bytes of the body */
};

static inline struct ark_body ark_body_mem(struct ark_str s)
{
	return (struct ark_body){ -1, s, 0, s.len };
}

static inline struct ark_body ark_body_fd(int fd, uint64_t at, uint64_t len)
{
	return (struct ark_body){ fd, ARK_STR_NONE, at, len };
}

/*
 * Up to `len` bytes of the body from byte `from` on into `to`; *got is less only at its end.
 * FAIL with kind INPUT when a file became shorter than was said.
 */
enum ark_rc ark_body_read(const struct ark_body *body, uint64_t from, char *to, size_t len,
                          size_t *got, struct ark_err *err);

/* An ark_take_fn over a struct ark_buf: FAIL with kind LIMIT beyond its ceiling. */
enum ark_rc ark_take_buf(void *buf, const char *ptr, size_t len, struct ark_err *err);
static inline struct ark_sink ark_sink_buf(struct ark_buf *b)
{
	return (struct ark_sink){ ark_take_buf, b };
}

#endif

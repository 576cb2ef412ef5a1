/*
 * The content of a file while it grows: in memory as long as it is short, in an unlinked temporary file behind that.
 * git wants a file's size before its first byte, so all of it has to be there before any of it is packed.
 */
#ifndef EXPORT_HISTORY_BODY_H
#define EXPORT_HISTORY_BODY_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/io/spool.h"

struct history_body {
	struct ark_buf text;   /* the end of it: append here, then settle */
	struct io_spool spool; /* what stands before */
	const char *folder;    /* where that is; borrowed */
};

void history_body_init(struct history_body *b, const char *folder);
void history_body_release(struct history_body *b);
/* Empty it. */
void history_body_reset(struct history_body *b);
/* After each piece: what is too long for memory goes to the file. FAIL with kind LIMIT beyond LIMIT_HISTORY_DAY. */
enum ark_rc history_body_settle(struct history_body *b, struct ark_err *err);
static inline uint64_t history_body_len(const struct history_body *b)
{
	return b->spool.len + b->text.len;
}
/* The piece at `at`, at most `cap` bytes; `got` 0 at the end. */
enum ark_rc history_body_read(const struct history_body *b, uint64_t at, char *to, size_t cap, size_t *got,
                              struct ark_err *err);

#endif

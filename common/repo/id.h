/*
 * The name of an object of a repository. In a plain repository, and for lists everywhere: the SHA-256 of
 * the object's stored bytes, so that `sha256sum` checks it. For the sealed objects of an encrypted one:
 * keyed BLAKE2b of the plain bytes. docs/format-backup.md
 */
#ifndef ARK_REPO_ID_H
#define ARK_REPO_ID_H

#include <stdbool.h>

#include "common/base/buf.h"

#define REPO_ID_BYTES 32
#define REPO_ID_HEX 64

struct repo_id {
	unsigned char b[REPO_ID_BYTES];
};

static inline bool repo_id_eq(const struct repo_id *a, const struct repo_id *b)
{
	return memcmp(a->b, b->b, REPO_ID_BYTES) == 0;
}

/* Lower-case hex, NUL-ended. */
void repo_id_hex(const struct repo_id *id, char out[REPO_ID_HEX + 1]);
void repo_id_add(const struct repo_id *id, struct ark_buf *out);
/* Exactly 64 lower-case hex digits; false otherwise, `out` untouched. */
bool repo_id_parse(struct ark_str text, struct repo_id *out);

#endif

/* Read once: the copy gets its name, which is its digest, when its last byte has gone by. */
#include "export/bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"

#include "common/base/banned.h"

struct export_bodies {
	struct store *store;
	struct export_out *out;
	_Atomic uint64_t *missing;
	struct crypt_hash *hash;
};

enum ark_rc export_bodies_new(const struct mm_files *files, const struct store_s3_options *s3,
                              struct export_out *out, _Atomic uint64_t *missing,
                              struct export_bodies **bodies, struct ark_err *err)
{
	struct store_options opt = { .interrupted = ark_interrupted, .s3 = s3, .environ = environ };
	struct store *store = NULL;
	enum ark_rc rc = store_open(files, &opt, &store, err);
	if (rc < 0)
		return rc;
	struct export_bodies *b = ark_calloc(1, sizeof(*b));
	*b = (struct export_bodies){ store, out, missing, crypt_hash_new() };
	*bodies = b;
	return ARK_OK;
}

void export_bodies_free(struct export_bodies *b)
{
	if (b == NULL)
		return;
	store_close(b->store);
	crypt_hash_free(b->hash);
	free(b);
}

/* A file on its way through the digest, and into the copy when there is one. */
struct passing {
	struct crypt_hash *hash;
	struct export_file *copy;
	bool torn; /* the copy could not be written: that is no missing file */
};

static enum ark_rc pass(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct passing *p = ctx;
	crypt_hash_add(p->hash, ptr, len);
	enum ark_rc rc = p->copy != NULL ? export_file_write(p->copy, ptr, len, err) : ARK_OK;
	p->torn = rc < 0;
	return rc;
}

enum ark_rc export_bodies_look(struct export_bodies *b, struct ark_str store_path,
                               enum export_bytes *bytes, char sha256[65], char copy[EXPORT_COPY_PATH],
                               struct ark_err *err)
{
	*bytes = EXPORT_BYTES_MISSING;
	sha256[0] = copy[0] = '\0';
	ark_auto(ark_freep) char *path = ark_strdup(store_path);
	ark_auto(export_file_drop) struct export_file *to = NULL;
	enum ark_rc rc = b->out != NULL ? export_file_begin_unnamed(b->out, &to, err) : ARK_OK;
	if (rc < 0)
		return rc;
	struct passing p = { b->hash, to, false };
	struct ark_err why = { 0 };
	crypt_hash_begin(b->hash);
	rc = store_read(b->store, path, 0, UINT64_MAX, (struct ark_sink){ pass, &p }, NULL, &why);
	if (p.torn || rc == ARK_STOP || why.kind == ARK_KIND_SIGNAL) {
		*err = why;
		return rc;
	}
	if (rc < 0) {
		atomic_fetch_add_explicit(b->missing, 1, memory_order_relaxed);
		return ARK_OK;
	}
	unsigned char digest[CRYPT_SHA256_BYTES];
	crypt_hash_end(b->hash, digest);
	crypt_hex(digest, sizeof(digest), sha256);
	*bytes = EXPORT_BYTES_REFERENCED;
	if (to == NULL)
		return ARK_OK;
	snprintf(copy, EXPORT_COPY_PATH, "data/files/%.2s/%s", sha256, sha256);
	*bytes = EXPORT_BYTES_COPIED;
	return export_file_end_as(&to, copy, err);
}

/*
 * Reading a repository of matter-backup: open it, read objects, decrypted and decompressed and compared
 * with their names. Not for writing (backup/repo), not for what a snapshot consists of (snapshot.h,
 * walk.h).
 *
 * One thread at a time; another thread opens its own.
 */
#ifndef ARK_REPO_REPO_H
#define ARK_REPO_REPO_H

#include "common/repo/index.h"
#include "common/repo/keep.h"

struct repo;

struct repo_options {
	const char *place;         /* folder or s3://BUCKET/PREFIX */
	const char *identity_file; /* secret key of an encrypted repository; NULL: none */
	const char *cache;         /* folder for what this machine remembers; NULL: repo_cache_default */
	bool (*interrupted)(void);
	const struct store_s3_options *s3; /* NULL: as the environment says */
};

/*
 * FAIL: MISSING (no repository there), REFUSED (made by a newer version; a wrong identity), INPUT.
 * No index is read yet: repo_load does that, and the reading calls call it.
 */
enum ark_rc repo_open(const struct repo_options *opt, struct repo **out, struct ark_err *err);
void repo_close(struct repo *r); /* NULL is fine */
void repo_closep(struct repo **r);

struct repo_keep *repo_keep(struct repo *r);
bool repo_encrypted(const struct repo *r);
/* Sealed objects can be read: it is plain, or the identity was given. */
bool repo_can_open(const struct repo *r);
/* The folder of this machine's memory for this repository, 0700; made when it is not there. */
enum ark_rc repo_cache(struct repo *r, struct ark_buf *path, struct ark_err *err);

/* Read the index files that are not known yet. */
enum ark_rc repo_load(struct repo *r, struct ark_err *err);
struct repo_index *repo_index(struct repo *r);

/*
 * Append the plain bytes of an object. FAIL: MISSING (no such object), INPUT (damaged: the text names
 * the object), REFUSED (sealed, and no identity).
 */
enum ark_rc repo_read(struct repo *r, const struct repo_id *id, struct ark_buf *out, struct ark_err *err);
/* The same in pieces, for bodies of files of any size. Damage shows at the end at the latest: what was
 * taken until then is not to be kept. */
enum ark_rc repo_read_pieces(struct repo *r, const struct repo_id *id, repo_take_fn *take, void *ctx,
                             struct ark_err *err);
/* Objects that were compressed with this dictionary can be read from now on. */
enum ark_rc repo_use_dictionary(struct repo *r, const struct repo_id *id, struct ark_err *err);

#endif

/*
 * The place in which a repository is kept: a folder or s3://BUCKET/PREFIX. Whole keys appear at once
 * and are durable when a call returns. Not for what stands in them: that is repo.h.
 *
 * Fail points stand before every change. One keep may be used by several threads.
 */
#ifndef ARK_REPO_KEEP_H
#define ARK_REPO_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

struct repo_keep;
struct store_s3_options;

struct repo_keep_options {
	const char *place;         /* folder or s3://BUCKET/PREFIX */
	bool create;               /* a folder is made when it is not there */
	bool (*interrupted)(void); /* NULL: never */
	const struct store_s3_options *s3; /* NULL: as the environment says */
};

/* FAIL: MISSING (no such folder or bucket), IO, USAGE (no such kind of place). */
enum ark_rc repo_keep_open(const struct repo_keep_options *opt, struct repo_keep **out,
                           struct ark_err *err);
void repo_keep_close(struct repo_keep *k); /* NULL is fine */
void repo_keep_closep(struct repo_keep **k);
/* The folder with links resolved, or s3://BUCKET/PREFIX; borrowed. */
const char *repo_keep_name(const struct repo_keep *k);
/* The folder's path, or NULL when it is none: for kernel locks. Borrowed. */
const char *repo_keep_folder(const struct repo_keep *k);

enum repo_keep_how {
	REPO_KEEP_SAME,    /* named by its content: one that is there is as good */
	REPO_KEEP_FIRST,   /* must not be there: FAIL with kind LOCKED when it is */
	REPO_KEEP_REPLACE, /* whatever was there is replaced */
};
enum ark_rc repo_keep_put(struct repo_keep *k, const char *key, struct ark_str data,
                          enum repo_keep_how how, struct ark_err *err);
/* The same from a file: `len` bytes of fd from its start. REPO_KEEP_SAME. sha256_hex is of these bytes. */
enum ark_rc repo_keep_put_file(struct repo_keep *k, const char *key, int fd, uint64_t len,
                               const char *sha256_hex, struct ark_err *err);

#define REPO_KEEP_ALL UINT64_MAX
/* Append `len` bytes from `at` (ALL: to the end); fewer: FAIL with kind INPUT. MISSING when there is no
 * such key, LIMIT when out's ceiling is passed. */
enum ark_rc repo_keep_get(struct repo_keep *k, const char *key, uint64_t at, uint64_t len,
                          struct ark_buf *out, struct ark_err *err);
/* The whole of it in pieces. */
typedef enum ark_rc repo_take_fn(void *ctx, const char *ptr, size_t len, struct ark_err *err);
enum ark_rc repo_keep_read(struct repo_keep *k, const char *key, repo_take_fn *take, void *ctx,
                           struct ark_err *err);

/* Every key below `prefix` ("data/"), in any order; what is half written is passed over. */
typedef enum ark_rc repo_key_fn(void *ctx, const char *key, uint64_t size_bytes, struct ark_err *err);
enum ark_rc repo_keep_list(struct repo_keep *k, const char *prefix, repo_key_fn *take, void *ctx,
                           struct ark_err *err);
/* A key that is not there is fine. */
enum ark_rc repo_keep_remove(struct repo_keep *k, const char *key, struct ark_err *err);
/* Remove what runs of this user that are dead now left half written; never what somebody writes. count: out */
enum ark_rc repo_keep_tidy(struct repo_keep *k, uint64_t *count, struct ark_err *err);

#endif

/*
 * Mattermost's file store as the source of a snapshot: bodies into the repository, listings with what
 * tells that a file changed. Reads only.
 */
#ifndef BACKUP_FILESTORE_H
#define BACKUP_FILESTORE_H

#include "backup/repo/pack.h"
#include "common/mm/where.h"

struct filestore;
struct store_s3_options;

enum ark_rc filestore_open(const struct mm_files *files, const struct store_s3_options *s3,
                           struct filestore **out, struct ark_err *err);
void filestore_close(struct filestore *f); /* NULL is fine */
/* Resolved: "/srv/data", "s3://ENDPOINT/BUCKET/PREFIX". Borrowed. */
const char *filestore_name(const struct filestore *f);
/* "s3://ENDPOINT/BUCKET/PREFIX" of a store in a bucket, without opening it. */
void filestore_bucket_text(const struct mm_files *files, const struct store_s3_options *s3, struct ark_buf *out);
/* FAIL with kind MISSING when there is no such file, or its path leads elsewhere. */
enum ark_rc filestore_fetch(struct filestore *f, const char *path, struct pack_tools *tools,
                            struct repo_id *id, uint64_t *size_bytes, struct ark_err *err);

struct filestore_entry {
	const char *path;
	uint64_t size_bytes;
	char stamp[160]; /* differs when the content does */
};
typedef enum ark_rc filestore_each_fn(void *ctx, const struct filestore_entry *e, struct ark_err *err);
/* Files below a prefix ("users/", "" for all) in byte order of their paths. */
enum ark_rc filestore_list(struct filestore *f, const char *prefix, filestore_each_fn *each, void *ctx,
                           struct ark_err *err);

#endif

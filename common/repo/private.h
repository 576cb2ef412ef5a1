/*
 * What the files of room repo share. Not for other rooms.
 */
#ifndef ARK_REPO_PRIVATE_H
#define ARK_REPO_PRIVATE_H

#include "common/repo/keep.h"

/* One kind of place; see keep.h for what each call does. */
struct keep_ops {
	bool is_folder;
	void (*close)(struct repo_keep *k);
	enum ark_rc (*put)(struct repo_keep *k, const char *key, struct ark_str data,
	                   enum repo_keep_how how, struct ark_err *err);
	enum ark_rc (*put_file)(struct repo_keep *k, const char *key, int fd, uint64_t len,
	                        const char *sha256_hex, struct ark_err *err);
	/* `len` bytes from `at` or fewer where it ends */
	enum ark_rc (*read)(struct repo_keep *k, const char *key, uint64_t at, uint64_t len,
	                    repo_take_fn *take, void *ctx, struct ark_err *err);
	enum ark_rc (*list)(struct repo_keep *k, const char *prefix, repo_key_fn *take, void *ctx,
	                    struct ark_err *err);
	enum ark_rc (*remove)(struct repo_keep *k, const char *key, struct ark_err *err);
	enum ark_rc (*tidy)(struct repo_keep *k, uint64_t *count, struct ark_err *err); /* NULL: nothing is ever left */
};

/* Every kind begins with this. */
struct repo_keep {
	const struct keep_ops *ops;
	char *name;
	bool (*interrupted)(void);
};

enum ark_rc bucket_open(const struct repo_keep_options *opt, struct repo_keep **out, struct ark_err *err);
enum ark_rc folder_open(const struct repo_keep_options *opt, struct repo_keep **out, struct ark_err *err);

#endif

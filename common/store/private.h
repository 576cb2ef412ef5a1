/*
 * What the .c files of this room share: the two kinds of store behind one table of verbs. Not for
 * other rooms.
 */
#ifndef ARK_STORE_PRIVATE_H
#define ARK_STORE_PRIVATE_H

#include <sys/types.h>

#include "common/net/s3.h"
#include "common/store/store.h"

/* The verbs of a kind. Paths have been checked (store_path_check), writing is allowed. */
struct store_verbs {
	void (*close)(struct store *s);
	enum ark_rc (*stat)(struct store *s, const char *path, struct store_stat *out,
	                    struct ark_err *err);
	enum ark_rc (*read)(struct store *s, const char *path, uint64_t from, uint64_t len,
	                    struct ark_sink sink, struct store_stat *out, struct ark_err *err);
	enum ark_rc (*list)(struct store *s, const char *prefix, const char *after, unsigned flags,
	                    store_each_fn *each, void *ctx, struct ark_err *err);
	enum ark_rc (*put)(struct store *s, const char *path, const struct ark_body *body,
	                   unsigned flags, struct ark_err *err);
	enum ark_rc (*begin)(struct store *s, const char *path, unsigned flags,
	                     struct store_writer **out, struct ark_err *err);
	enum ark_rc (*add)(struct store_writer *w, const char *ptr, size_t len, struct ark_err *err);
	enum ark_rc (*end)(struct store_writer *w, struct ark_err *err); /* releases what it holds */
	void (*drop)(struct store_writer *w);                            /* the same */
	enum ark_rc (*delete)(struct store *s, const char *path, struct ark_err *err);
	enum ark_rc (*sync)(struct store *s, struct ark_err *err);
	enum ark_rc (*probe)(struct store *s, bool *honoured, struct ark_err *err);
};

struct store {
	const struct store_verbs *verbs;
	enum store_kind kind;
	char *name; /* for people */
	bool write;
	bool (*interrupted)(void);
};

/* First member of each kind's writer. */
struct store_writer {
	struct store *store;
	char *path;
	unsigned flags;
};

/* --- local folders: local.c, local_put.c, local_list.c ------------------------------------------- */

struct local_pending {
	char *path;
	uint64_t temp; /* number of the temporary file */
};

struct local {
	struct store base;
	int root_fd;
	int temp_fd;        /* our folder of temporary files; -1: not made yet */
	char temp_name[40]; /* its name below the root */
	uint64_t temp_next; /* number of the next one */
	uid_t uid;          /* owner of what is put, as root; (uid_t)-1: ours */
	gid_t gid;
	mode_t folder_mode;
	bool batch;
	struct local_pending pending[STORE_BATCH];
	size_t pending_count;
	char *space; /* LOCAL_SPACE bytes to read into */
};

#define LOCAL_SPACE (128u << 10)

enum ark_rc local_open_store(const char *dir, const struct store_options *opt, struct store **out,
                             struct ark_err *err);
/* openat below the root, no symbolic link on the way; -1 with errno. */
int local_openat(const struct local *l, const char *path, int flags);
/* The folder of `path` (made when `make`), and where its last part begins; -1 with errno. */
int local_parent(const struct local *l, const char *path, bool make, const char **name);
/* FAIL or STOP for errno `e` about `path`: "cannot DO 'path' in 'DIR'". */
enum ark_rc local_errno(const struct local *l, int e, const char *verb, const char *path,
                        struct ark_err *err);
#if defined(__clang_analyzer__) || defined(ARK_ANALYZER)
/* As in common/base/err.h: that it never returns OK is not to be seen from the other files. */
#define local_errno(...) ((void)local_errno(__VA_ARGS__), ARK_FAIL)
#endif
struct stat;
void local_stat_fill(const struct stat *st, struct store_stat *out);
enum ark_rc store_interrupt(const struct store *s, struct ark_err *err);

/* Bring what waits to its paths and to disk. */
enum ark_rc local_flush(struct local *l, struct ark_err *err);
bool local_is_pending(const struct local *l, const char *path);
/* Temporary folders of runs that are gone. */
void local_sweep(const struct local *l);
void local_forget(struct local *l); /* removes our own temporary folder with what is in it */
enum ark_rc local_put(struct store *s, const char *path, const struct ark_body *body, unsigned flags,
                      struct ark_err *err);
enum ark_rc local_begin(struct store *s, const char *path, unsigned flags, struct store_writer **out,
                        struct ark_err *err);
enum ark_rc local_add(struct store_writer *w, const char *ptr, size_t len, struct ark_err *err);
enum ark_rc local_end(struct store_writer *w, struct ark_err *err);
void local_drop(struct store_writer *w);
enum ark_rc local_list(struct store *s, const char *prefix, const char *after, unsigned flags,
                       store_each_fn *each, void *ctx, struct ark_err *err);

/* --- buckets: bucket.c --------------------------------------------------------------------------- */

/* options  ready for net_s3_open; prefix without slashes at its ends, may be empty */
enum ark_rc bucket_open_store(const struct net_s3_options *options, const char *prefix, bool write,
                              struct store **out, struct ark_err *err);

/* --- who may: access.c --------------------------------------------------------------------------- */

/* Put together from the place, options and environment; strings in `keep`. */
struct access {
	struct net_s3_options s3;
	char *secret_from_file;
};
enum ark_rc store_access(const struct mm_files *files, const struct store_options *opt,
                         struct access *out, struct ark_err *err);
void store_access_release(struct access *a);

#endif

/*
 * A place for files: a local folder, or a prefix in a bucket of an S3-compatible store. One interface
 * for Mattermost's file store, for repositories and for what exports write. Not for editing in place:
 * a file is put as a whole and read in pieces.
 *
 * Paths are relative, parts joined by '/', UTF-8 or not; none is empty, "." or "..", and no part
 * begins with STORE_TEMP. A local store never leaves its folder, whatever symbolic links are in it.
 *
 * Atomic: a path has its whole content or what was there before, however the process ends. Durable
 * when the call returns; in batch mode when store_sync returns.
 *
 * One thread per store; open it once per thread. Errors name the store and the path.
 */
#ifndef ARK_STORE_STORE_H
#define ARK_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/flow.h"
#include "common/cli/option.h"
#include "common/mm/where.h"

#define STORE_TEMP ".ark-tmp"

struct store;

enum store_kind { STORE_LOCAL, STORE_S3 };

/* --- who may: options that tools share ---------------------------------------------------------- */

/* Part of a tool's config struct; what it leaves empty comes from AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3 or
 * AWS_ENDPOINT_URL, AWS_CA_BUNDLE; a store from Mattermost's configuration keeps what that says. */
struct store_s3_options {
	const char *endpoint;
	const char *region;
	const char *access_key;
	const char *secret_key;
	const char *secret_key_file;
	const char *session_token;
	int style; /* enum net_s3_style */
};

extern const char *const STORE_S3_STYLES[];

#define STORE_S3_ROWS(type, field, cmds)                                                             \
	{ "s3-endpoint", 0, "URL", ARK_TEXT, offsetof(type, field.endpoint), NULL, 0,                \
	  "object store for s3:// places, as https://HOST[:PORT]; else AWS_ENDPOINT_URL_S3, else "   \
	  "Amazon's of the region",                                                                  \
	  .commands = (cmds) },                                                                      \
	{ "s3-region", 0, "NAME", ARK_TEXT, offsetof(type, field.region), NULL, 0,                   \
	  "region of the bucket; else AWS_REGION, else us-east-1", .commands = (cmds) },             \
	{ "s3-access-key", 0, "ID", ARK_TEXT, offsetof(type, field.access_key), NULL, 0,             \
	  "access key id; else AWS_ACCESS_KEY_ID", .commands = (cmds) },                             \
	{ "s3-secret-key", 0, "KEY", ARK_TEXT, offsetof(type, field.secret_key), NULL,               \
	  ARK_SECRET | ARK_NOT_ARGV, "secret access key; else AWS_SECRET_ACCESS_KEY",                \
	  .commands = (cmds) },                                                                      \
	{ "s3-secret-key-file", 0, "FILE", ARK_TEXT, offsetof(type, field.secret_key_file), NULL,    \
	  ARK_IS_FILE | ARK_READS_PIPE, "file whose first line is the secret access key", .commands = (cmds) },       \
	{ "s3-session-token", 0, "TOKEN", ARK_TEXT, offsetof(type, field.session_token), NULL,       \
	  ARK_SECRET | ARK_NOT_ARGV, "token of temporary credentials; else AWS_SESSION_TOKEN",       \
	  .commands = (cmds) },                                                                      \
	{ "s3-style", 0, "HOW", ARK_CHOICE, offsetof(type, field.style), NULL, 0,                    \
	  "where the bucket's name goes in addresses; auto: into the host for Amazon, else into "    \
	  "the path",                                                                                \
	  .commands = (cmds), .def = "auto", .words = STORE_S3_STYLES }

/* --- opening ------------------------------------------------------------------------------------ */

enum store_modes {
	STORE_PRIVATE,    /* 0700, 0600: repositories, exports */
	STORE_MATTERMOST, /* 0750, 0600 and, as root, the owner of the store's folder: the server must read
	                   * what is put. Fact  docs/mattermost-facts.md "File store" */
};

struct store_options {
	bool write;                /* put and delete are allowed; rests of killed runs are removed */
	bool create;               /* make the folder (not its parent) when it is missing */
	bool batch;                /* puts wait for store_sync (see there) */
	enum store_modes modes;
	bool (*interrupted)(void); /* NULL: never */
	const struct store_s3_options *s3; /* NULL: environment only */
	char *const *environ;      /* NULL-ended NAME=VALUE, for AWS_*; NULL: not looked at */
};

/*
 * The file store of Mattermost as mm_where_find or mm_place_open found it.
 * FAIL: MISSING (no store is known, folder or bucket not there), USAGE (credentials incomplete),
 * REFUSED (rights), IO. An S3 store is asked for nothing before its first use.
 */
enum ark_rc store_open(const struct mm_files *files, const struct store_options *opt,
                       struct store **out, struct ark_err *err);
/* The same for what people write: DIR or s3://BUCKET[/PREFIX]. */
enum ark_rc store_open_text(const char *place, const struct store_options *opt, struct store **out,
                            struct ark_err *err);
/* Gives up what a batch has not made durable. NULL is fine. */
void store_close(struct store *s);
void store_closep(struct store **s); /* for ark_auto */

enum store_kind store_kind(const struct store *s);
/* "/srv/data", "s3://bucket/prefix"; for people. Borrowed. */
const char *store_name(const struct store *s);

/* --- reading ------------------------------------------------------------------------------------ */

#define STORE_ETAG 136
struct store_stat {
	uint64_t size;
	int64_t mtime_ms;
	char etag[STORE_ETAG]; /* changes when the content does: S3's ETag; locally from time, size, inode */
};

/* FAIL with kind MISSING when there is no file. */
enum ark_rc store_stat(struct store *s, const char *path, struct store_stat *out,
                       struct ark_err *err);
/* `len` bytes from `from` on (UINT64_MAX: to the end) into the sink; less only where the file ends.
 * `out` (may be NULL) is about the file that was read. FAIL with kind MISSING when there is none. */
enum ark_rc store_read(struct store *s, const char *path, uint64_t from, uint64_t len,
                       struct ark_sink sink, struct store_stat *out, struct ark_err *err);
/* The whole file, up to the buffer's ceiling (FAIL with kind LIMIT). */
enum ark_rc store_read_all(struct store *s, const char *path, struct ark_buf *out,
                           struct ark_err *err);

struct store_entry {
	struct ark_str path;  /* of the file, or of a folder with its '/'; borrowed during the call */
	bool is_folder;       /* with STORE_BY_FOLDER */
	struct store_stat stat;
};
typedef enum ark_rc store_each_fn(void *ctx, const struct store_entry *entry, struct ark_err *err);

enum store_list_flag {
	STORE_BY_FOLDER = 1, /* what lies deeper than the next '/' behind the prefix is told as a folder */
};

/*
 * Files whose paths begin with `prefix` ("" for all; need not end at a '/') and come after `after`
 * (NULL: from the first), in the order of their bytes. Memory is that of the fullest folder. Symbolic
 * links, devices and our temporary files are left out. ARK_END from `each` ends it (and is returned).
 */
enum ark_rc store_list(struct store *s, const char *prefix, const char *after, unsigned flags,
                       store_each_fn *each, void *ctx, struct ark_err *err);

/* --- writing ------------------------------------------------------------------------------------ */

enum store_put_flag {
	STORE_IF_ABSENT = 1, /* ARK_END when the path is there already: nothing is changed */
};

/* Folders are made. */
enum ark_rc store_put(struct store *s, const char *path, const struct ark_body *body, unsigned flags,
                      struct ark_err *err);

/* Content whose length is not known before. Any number at a time on one store, in its thread. */
struct store_writer;
enum ark_rc store_put_begin(struct store *s, const char *path, unsigned flags,
                            struct store_writer **out, struct ark_err *err);
enum ark_rc store_put_add(struct store_writer *w, const char *ptr, size_t len, struct ark_err *err);
/* The file is there. ARK_END: STORE_IF_ABSENT and there was one. *w is NULL afterwards in any case. */
enum ark_rc store_put_end(struct store_writer **w, struct ark_err *err);
void store_put_drop(struct store_writer **w); /* gives up; for ark_auto; a no-op after end */

/* OK when the path is not there afterwards, whether it was or not. A local folder that became empty
 * is removed too. */
enum ark_rc store_delete(struct store *s, const char *path, struct ark_err *err);

/*
 * Batch mode: puts since the last call become visible together and durable, with one flush of the file
 * system instead of several per file; at most STORE_BATCH wait, then it happens by itself. A stat or
 * read of a waiting path does it first. Without batch mode: nothing to do.
 */
#define STORE_BATCH 256
enum ark_rc store_sync(struct store *s, struct ark_err *err);

/*
 * Whether STORE_IF_ABSENT is heeded here. Locally always. On S3 by trying it with an object of a name
 * nobody uses, which is deleted again.
 */
enum ark_rc store_probe_absent(struct store *s, bool *honoured, struct ark_err *err);

#endif

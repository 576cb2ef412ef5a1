/*
 * The keys of a repository and its small files: what its writing side (backup/repo) shares with its
 * reading side. docs/format-backup.md
 */
#ifndef ARK_REPO_FORMAT_H
#define ARK_REPO_FORMAT_H

#include "common/repo/repo.h"

#define REPO_KEY_FORMAT "repository"
#define REPO_DIR_DATA "data/"           /* packs and large bodies, by the SHA-256 of their bytes */
#define REPO_DIR_INDEX "index/"
#define REPO_DIR_SNAPSHOTS "snapshots/"
#define REPO_DIR_REMOVED "removed/"     /* snapshots that prune took out, until sweep */
#define REPO_DIR_INTENTS "intents/"
#define REPO_DIR_CONDEMNED "condemned/"
#define REPO_DIR_KEYS "keys/"
#define REPO_KEY_MAX 128

#define REPO_KEY_NAME 8 /* bytes: which run's key */
/* In front of every sealed object: name of the key, head of the stream. */
#define REPO_SEALED_HEAD (REPO_KEY_NAME + 24)

/* The file `repository`. */
struct repo_format {
	char uuid[33];
	bool encrypted;
	unsigned char recipient[32];
};
void repo_format_write(const struct repo_format *f, struct ark_buf *out);
enum ark_rc repo_format_parse(struct ark_str text, struct repo_format *out, struct ark_err *err);

/* Small files end with a line `sha256 <hex>` over what stands before it. */
void repo_sum_add(struct ark_buf *text);
/* `body` is what stands before the line. FAIL with kind INPUT when it does not hold. */
enum ark_rc repo_sum_check(struct ark_str text, struct ark_str *body, struct ark_err *err);

void repo_data_key(const struct repo_id *pack, char out[REPO_KEY_MAX]);
/* The pack of a key below data/; false for anything else. */
bool repo_data_parse(const char *key, struct repo_id *out);

/* A small local file, appended. */
enum ark_rc repo_file_slurp(const char *path, struct ark_buf *out, struct ark_err *err);

/* As repo_snapshots_read, of another folder (REPO_DIR_REMOVED). */
struct repo_snapshots;
enum ark_rc repo_snapshots_in(struct repo *r, const char *dir, struct repo_snapshots *out, uint64_t *bad,
                              struct ark_err *err);

/* --- of an open repository ----------------------------------------------------------------------- */

const unsigned char *repo_recipient(const struct repo *r);
struct io_dict;
struct ark_map;
/* As repo_load, without what stands in these packs (keys of 32 bytes); borrowed, for what is loaded later, too. */
enum ark_rc repo_load_without(struct repo *r, const struct ark_map *packs, struct ark_err *err);
/* The lines of one index file. */
enum ark_rc repo_index_text(struct repo *r, const char *key, struct ark_buf *plain, struct ark_err *err);
/* The stored bytes of an object, as they are; borrowed from `space` or from the repo until the next call. */
enum ark_rc repo_stored(struct repo *r, const struct repo_entry *e, struct ark_buf *space,
                        struct ark_str *out, struct ark_err *err);
/* Up to `len` bytes from `at`. */
enum ark_rc repo_keep_get_some(struct repo_keep *k, const char *key, uint64_t at, uint64_t len,
                               struct ark_buf *out, struct ark_err *err);

/*
 * The mirror: plain bytes of the sealed objects that the writing side reads again (names of files,
 * dictionary), kept in the cache because the server cannot decrypt them.
 * ARK_END when it is not there.
 */
enum ark_rc repo_mirror_read(struct repo *r, const struct repo_id *id, struct ark_buf *out,
                             struct ark_err *err);

#endif

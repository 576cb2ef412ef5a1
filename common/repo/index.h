/*
 * Where the objects of a repository are: their place in packs, read from all index files. Some megabytes of
 * memory whatever their number: beyond that they are in a temporary file. Not for reading them: repo.h.
 *
 * An index file (index/<sha256 of its bytes>) is one zstd frame of lines
 *	<id> <pack> <offset> <length> <codec>
 */
#ifndef ARK_REPO_INDEX_H
#define ARK_REPO_INDEX_H

#include "common/repo/id.h"

enum repo_codec {
	REPO_ZSTD = 'z',        /* a zstd frame, perhaps with the snapshot's dictionary */
	REPO_RAW = 'r',         /* as it is */
	REPO_SEALED_ZSTD = 'e', /* the same two, encrypted */
	REPO_SEALED_RAW = 'E',
};

struct repo_entry {
	struct repo_id id;
	struct repo_id pack; /* key data/<first two digits>/<hex> */
	uint64_t offset;
	uint64_t length;
	enum repo_codec codec;
};

/* One line without its end; false when it is none. */
bool repo_entry_parse(struct ark_str line, struct repo_entry *out);
void repo_entry_add(const struct repo_entry *e, struct ark_buf *out);

struct repo_index;

struct repo_index *repo_index_new(void);
void repo_index_free(struct repo_index *x); /* NULL is fine */
/* Entries may be added at any time; of several with one id any may be found. */
void repo_index_add(struct repo_index *x, const struct repo_entry *e);
/* Many were added: make finding cheaper. */
void repo_index_settle(struct repo_index *x);
/* False when it is not known. */
bool repo_index_find(struct repo_index *x, const struct repo_id *id, struct repo_entry *out);
/* Of several with one id the first that `wanted` takes. */
typedef bool repo_wanted_fn(void *ctx, const struct repo_entry *e);
bool repo_index_find_in(struct repo_index *x, const struct repo_id *id, repo_wanted_fn *wanted, void *ctx,
                        struct repo_entry *out);
uint64_t repo_index_count(const struct repo_index *x);

/*
 * One bit for each id: it was seen. Adding an entry forgets all of them.
 * repo_index_mark  true when it was not marked before; an id that is not known never is
 */
bool repo_index_mark(struct repo_index *x, const struct repo_id *id);
bool repo_index_marked(struct repo_index *x, const struct repo_id *id);
void repo_index_forget_marks(struct repo_index *x);

/* Every entry in no order, its id cut to the sixteen bytes that are kept (the rest 0). */
struct repo_index_walk {
	uint64_t at;
};
bool repo_index_next(struct repo_index *x, struct repo_index_walk *w, struct repo_entry *out);

#endif

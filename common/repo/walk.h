/*
 * Walking the lists of a snapshot: the segments of a table in order, the files, everything that is
 * reachable. A list is a tree of nodes, each an object of text lines:
 *
 *	n <id> <rows> <bytes>           another list
 *	s <id> <check> <rows> <bytes>   a segment: rows as COPY text; check is the first half of the
 *	                                SHA-256 of its plain bytes
 *	r <id>                          an object that a row of the segment before names, row for row
 *	r -                             that row's object is missing
 *	o <id>                          any other object of the snapshot
 */
#ifndef ARK_REPO_WALK_H
#define ARK_REPO_WALK_H

#include "common/repo/repo.h"

#define REPO_CHECK_BYTES 16
#define REPO_WALK_DEPTH 12 /* deeper nesting is refused */

enum repo_item_kind {
	REPO_ITEM_LIST,    /* told before what is in it */
	REPO_ITEM_SEGMENT,
	REPO_ITEM_REF,
	REPO_ITEM_MISSING,
	REPO_ITEM_OBJECT,
};

struct repo_item {
	enum repo_item_kind kind;
	struct repo_id id;
	unsigned char check[REPO_CHECK_BYTES];
	uint64_t rows, bytes;
};

/* One line of a node without its end; false when it is none. */
bool repo_item_parse(struct ark_str line, struct repo_item *out);
void repo_item_add(const struct repo_item *item, struct ark_buf *out);

struct repo_walk;

struct repo_walk *repo_walk_new(struct repo *r);
void repo_walk_free(struct repo_walk *w); /* NULL is fine */
void repo_walk_freep(struct repo_walk **w);
void repo_walk_begin(struct repo_walk *w, const struct repo_id *list);
/* The next item of the list and of those in it; ARK_END behind the last. */
enum ark_rc repo_walk_next(struct repo_walk *w, struct repo_item *out, struct ark_err *err);
/* After a LIST: pass over what is in it. */
void repo_walk_skip(struct repo_walk *w);

/* --- rows ---------------------------------------------------------------------------------------- */

/*
 * The rows of a TABLE or LARGE part, as lines of COPY text, some whole lines with each call.
 *
 *	rc = repo_rows_begin(rows, part);
 *	while ((rc = repo_rows_next(rows, &text, err)) == ARK_OK)
 *		rc = db_copy_data(conn, text.ptr, text.len, err);
 *
 * At the end the number of rows and bytes were compared with what the part says: FAIL (INPUT) if not.
 */
struct repo_rows;

struct repo_rows *repo_rows_new(struct repo *r);
void repo_rows_free(struct repo_rows *rows); /* NULL is fine */
void repo_rows_freep(struct repo_rows **rows);
struct repo_part;
void repo_rows_begin(struct repo_rows *rows, const struct repo_part *part);
enum ark_rc repo_rows_next(struct repo_rows *rows, struct ark_str *text, struct ark_err *err);

/* --- files --------------------------------------------------------------------------------------- */

struct repo_file {
	struct ark_str path;  /* in the file store; borrowed until the next call */
	uint64_t size_bytes;
	struct ark_str stamp; /* time or ETag of what may change; "" for what never does */
	bool missing;         /* a row names it, and it was not there (or had another size) */
	struct repo_id id;    /* unless missing */
};

/* The files of a FILES part in byte order of their paths. */
struct repo_files;

struct repo_files *repo_files_new(struct repo *r);
void repo_files_free(struct repo_files *f); /* NULL is fine */
void repo_files_freep(struct repo_files **f);
void repo_files_begin(struct repo_files *f, const struct repo_part *part);
enum ark_rc repo_files_next(struct repo_files *f, struct repo_file *out, struct ark_err *err);

#endif

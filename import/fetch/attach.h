/*
 * Stored files onto their posts: rows of fileinfo, posts.fileids, and the note that stood in the post
 * taken out of its text. Set-based; a post that people changed meanwhile is left alone.
 *
 * Fact  docs/mattermost-facts.md "Files"
 */
#ifndef IMPORT_FETCH_ATTACH_H
#define IMPORT_FETCH_ATTACH_H

#include "common/db/conn.h"

struct attach_how {
	int64_t run_no;    /* under which it is noted: undo takes it back with that run */
	int64_t update_ms; /* posts.updateat of posts that are changed; 0: it stays (nobody saw them yet) */
};

struct attach_count {
	uint64_t files, posts;
	uint64_t kept; /* posts that were changed or deleted in Mattermost: their files wait in the store */
};

/* Everything that is stored and not attached. Inside a transaction of the caller's. */
enum ark_rc attach_files(struct db_conn *conn, const struct attach_how *how, struct attach_count *count,
                         struct ark_err *err);

#endif

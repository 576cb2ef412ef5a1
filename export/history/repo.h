/*
 * The repository: a bare one that plain git reads, with a folder of our own inside.
 *
 *	REPO/matterark/lock        kernel lock of whoever writes; nothing to clean up
 *	REPO/matterark/scope.json  what is in this history; an update with another scope is refused
 *	REPO/matterark/state-ID.zst  what was compared when the commit ID was made (export/state.h)
 *	REPO/matterark/incoming/   packs that are being made
 *	REPO/matterark/intent      what is about to be published, so that a run that died is taken back, or ended
 *	REPO/matterark/pushed      what was pushed where
 *
 * The branch moves last. Until then nothing that counts has changed; what a run that died left is removed by
 * the next one that writes.
 */
#ifndef EXPORT_HISTORY_REPO_H
#define EXPORT_HISTORY_REPO_H

#include <pthread.h>

#include "common/base/buf.h"
#include "export/folder.h"
#include "export/history/pack.h"

#define HISTORY_BRANCH "refs/heads/main"
#define HISTORY_NAME "matter-history"
#define HISTORY_ADDRESS "matter-history@localhost"

struct history_repo;

enum history_open { HISTORY_READ, HISTORY_WRITE, HISTORY_CREATE };

/*
 * Let libgit2 start in a thread of its own: it reads the certificates of all authorities, which takes longer than
 * opening a repository. `= {0}` before; ended also when it was not begun.
 */
struct history_start {
	pthread_t thread;
	bool runs;
};
void history_start_begin(struct history_start *s);
void history_start_end(struct history_start *s);

/*
 * FAIL: MISSING (no such folder, and not HISTORY_CREATE), REFUSED (something else lies there), LOCKED.
 * Writing takes the lock and removes what a run that died left.
 */
enum ark_rc history_repo_open(const char *path, enum history_open how, struct history_repo **out,
                              struct ark_err *err);
void history_repo_close(struct history_repo *r); /* NULL is fine */
void history_repo_closep(struct history_repo **r); /* for ark_auto */
/* Whether such a folder is there already. */
bool history_repo_exists(const char *path);

/* The newest commit; false: there is none. */
bool history_repo_head(const struct history_repo *r, struct history_oid *out);
/* FAIL with kind INPUT when it is no such object; `out` is emptied first, and padded for json_doc_parse. */
enum ark_rc history_repo_read(struct history_repo *r, const struct history_oid *id, enum history_type type,
                              struct ark_buf *out, struct ark_err *err);

struct history_commit {
	struct history_oid id, tree, parent;
	bool has_parent;
	int64_t when_s;
	struct ark_buf message; /* init by the caller */
};
enum ark_rc history_repo_commit(struct history_repo *r, const struct history_oid *id, struct history_commit *out,
                                struct ark_err *err);
/* The bytes of a commit of ours. parent NULL: the first one. */
void history_commit_text(struct ark_buf *to, const struct history_oid *tree, const struct history_oid *parent,
                         int64_t when_s, struct ark_str message);
/* References besides the branch, joined by ", ": they would keep what a rebuild takes away. */
enum ark_rc history_repo_other_refs(struct history_repo *r, struct ark_buf *names, struct ark_err *err);

/* --- our own folder ---------------------------------------------------------------------------- */

const char *history_repo_incoming(const struct history_repo *r);
/* The path of a file of ours, into `out`. */
void history_repo_path(const struct history_repo *r, const char *name, struct ark_buf *out);
/* Small files; ARK_END when there is none. */
enum ark_rc history_repo_small(const struct history_repo *r, const char *name, struct ark_buf *out,
                               struct ark_err *err);
enum ark_rc history_repo_put(const struct history_repo *r, const char *name, struct ark_str content,
                             struct ark_err *err);
/* The state that belongs to the newest commit; ARK_END when it is not there. */
enum ark_rc history_repo_state(const struct history_repo *r, struct export_stream **out, struct ark_err *err);
/* A new one: written in pieces, kept by publish. The writer is begun once. */
enum ark_rc history_repo_state_begin(struct history_repo *r, struct ark_err *err);
enum ark_rc history_repo_state_write(void *repo, const void *data, size_t len, struct ark_err *err);
/* The state as it is goes on to belong to the commit that is published next. */
void history_repo_state_carry(struct history_repo *r);

/*
 * The packs into place, the state, and then the branch from the newest commit to `head`.
 * replace  all other objects go afterwards
 * STOP     also when somebody else moved the branch
 */
enum ark_rc history_repo_publish(struct history_repo *r, struct history_packs *packs,
                                 const struct history_oid *head, bool replace, struct ark_err *err);
/* The new state for the same commit: nothing to see differs. */
enum ark_rc history_repo_keep_state(struct history_repo *r, struct ark_err *err);

/* --- for push.c -------------------------------------------------------------------------------- */
void *history_repo_git(const struct history_repo *r); /* a git_repository */

#endif

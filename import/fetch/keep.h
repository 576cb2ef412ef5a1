/*
 * Bodies into the file store and what is known about them into the ledger (matterark.slack_file): named as Mattermost
 * names them, with previews. Storing and painting go on beside the caller (porter.h, painter.h). About once a second
 * what is on disk by then goes into the ledger, and more seldom the files onto their posts (attach.h). What was stored
 * and not yet in the ledger when the program died is found again by its path.
 *
 * Fact  docs/mattermost-facts.md "Files"
 */
#ifndef IMPORT_FETCH_KEEP_H
#define IMPORT_FETCH_KEEP_H

#include "common/base/limits.h"
#include "common/base/pool.h"
#include "common/db/conn.h"
#include "import/fetch/attach.h"
#include "import/fetch/body.h"
#include "import/fetch/porter.h"

struct keep_settings {
	struct db_conn *conn;
	struct porter_store store;
	struct ark_str workspace;
	const char *temp_dir;
	bool previews;
	struct attach_how how;
};

/* One post's showing of a Slack file. */
struct keep_row {
	char file_id[MM_ID_LEN + 1];
	struct ark_str path, mime;
};

/* A Slack file and every post that shows it and has no body yet. */
struct keep_file {
	struct ark_str slack_id, name, link;
	int64_t size_bytes;
	bool may_be_html;
	struct keep_row *rows;
	uint32_t count; /* 0: nobody wants it */
	struct ark_pool pool;
};

struct keep_count {
	uint64_t files;       /* rows stored */
	uint64_t bodies;      /* Slack files stored */
	uint64_t bytes;       /* of these bodies, each once */
	uint64_t odd_size;    /* not of the size that Slack says */
	uint64_t unpainted;   /* images without preview: damaged, or too large */
	struct attach_count attached;
};

void keep_count_add(struct keep_count *to, const struct keep_count *from);

struct keeper;

struct keeper *keeper_new(const struct keep_settings *set);
/* Gives up what is not committed. NULL is fine. */
void keeper_free(struct keeper *k);
void keeper_freep(struct keeper **k);

/* Whether `slack_id` is wanted by any post and not on its way; `out` is released with keep_file_release. */
enum ark_rc keeper_find(struct keeper *k, struct ark_str slack_id, struct keep_file *out,
                        struct ark_err *err);
void keep_file_release(struct keep_file *f);
/*
 * The same for many at once: `keeper_page` asks for up to `count` ids behind `after` that have a link,
 * `keeper_page_next` gives them one by one; ARK_END behind the last. The ledger is behind what is stored, so no id may
 * be looked for twice.
 */
struct keep_page {
	struct db_result *rows;
	size_t at;
};
enum ark_rc keeper_page(struct keeper *k, struct ark_str after, struct keep_page *out, struct ark_err *err);
enum ark_rc keeper_page_next(struct keep_page *page, struct keep_file *out);
void keep_page_release(struct keep_page *page);

/* Begin to store a checked body for all rows of `f`; both are taken over, `body` is an empty one afterwards. */
enum ark_rc keeper_store(struct keeper *k, struct keep_file *f, struct body *body, struct ark_err *err);
/* It cannot be had; why. */
enum ark_rc keeper_miss(struct keeper *k, const struct keep_file *f, const char *reason,
                        struct ark_err *err);
/* The same for everything that is still wanted. */
enum ark_rc keeper_miss_rest(struct keeper *k, const char *reason, struct ark_err *err);
/* Note what was stored meanwhile; `now`: wait for all of it, attach and commit. To be called now and then. */
enum ark_rc keeper_commit(struct keeper *k, bool now, struct ark_err *err);

const struct keep_count *keeper_count(const struct keeper *k);

#endif

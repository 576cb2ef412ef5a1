/*
 * Everything about file bodies in the order in which it happens: what is wanted, the archives, the
 * downloads, what could not be had. The posts are in the database by then.
 */
#ifndef IMPORT_FETCH_FETCH_H
#define IMPORT_FETCH_FETCH_H

#include "import/fetch/download.h"
#include "import/fetch/keep.h"
#include "import/slack/export.h"

enum fetch_from { FETCH_AUTO, FETCH_ARCHIVE, FETCH_DOWNLOAD, FETCH_NONE };

struct fetch_job {
	struct db_conn *conn;
	struct store *store;              /* to look into */
	struct porter_store porters;      /* to write to */
	const struct slack_export *x; /* NULL: no archives at hand */
	struct ark_str workspace;
	enum fetch_from from;
	const char *temp_dir;
	const char *token;            /* the user's, for Slack; NULL: none */
	const char *slack_url;        /* NULL: Slack's own addresses */
	struct net_options net;
	bool no_previews;
	struct attach_how how;
	/* for people; may be NULL */
	void (*begin)(void *ctx, const char *phase, uint64_t files, uint64_t bytes);
	void (*say)(void *ctx, const char *msgid, const char *text);
	enum ark_rc (*tick)(void *ctx, uint64_t files, uint64_t bytes, struct ark_err *err);
	void *ctx;
};

struct fetch_outcome {
	struct keep_count kept;
	uint64_t wanted;   /* rows without body at the beginning */
	struct download_count downloaded;
};

enum ark_rc fetch_run(const struct fetch_job *job, struct fetch_outcome *out, struct ark_err *err);

/* Are the bodies of everything attached in the store, with their size? `line` is told of each that is not. */
enum ark_rc fetch_verify(struct db_conn *conn, struct store *store, struct ark_str workspace,
                         void (*line)(void *ctx, struct ark_str path, struct ark_str post_id, int64_t ts_us,
                                      const char *what),
                         void *ctx, uint64_t *checked, uint64_t *bad, struct ark_err *err);

/* Files of a workspace whose bodies are not in Mattermost; `line` is told of each (may be NULL). */
struct fetch_missing {
	uint64_t files;
	uint64_t lost; /* of these: Slack has, or had, a body */
};
enum ark_rc fetch_report(struct db_conn *conn, struct ark_str workspace,
                         void (*line)(void *ctx, struct ark_str id, struct ark_str name,
                                      struct ark_str channel, int64_t ts_us, struct ark_str reason),
                         void *ctx, struct fetch_missing *out, struct ark_err *err);

#endif

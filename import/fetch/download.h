/*
 * Bodies from Slack: eight at a time, each Slack file once, with a token of the user's or those that the
 * links of the archives carry. A token goes to Slack's own hosts and nowhere else.
 *
 * Fact  docs/slack-quirks.md "Files"
 */
#ifndef IMPORT_FETCH_DOWNLOAD_H
#define IMPORT_FETCH_DOWNLOAD_H

#include "common/net/http.h"
#include "import/fetch/keep.h"
#include "import/slack/token.h"

#define DOWNLOAD_TOKENS 8

struct downloads {
	struct db_conn *conn;
	struct store *store;
	struct ark_str workspace;
	const char *temp_dir;
	const char *token;              /* the user's; NULL: none */
	struct slack_token tokens[DOWNLOAD_TOKENS]; /* of the archives, the newest first */
	unsigned tokens_count;
	const char *slack_url;          /* NULL: Slack's own addresses; else everything is asked for there */
	struct net_options net;
	void (*say)(void *ctx, const char *msgid, const char *text);
	enum ark_rc (*tick)(void *ctx, uint64_t files, uint64_t bytes, struct ark_err *err);
	void *ctx;
};

struct download_count {
	uint64_t fetched, found; /* found: stored by a run that died before it could say so */
	uint64_t sign_in_pages;
	bool token_dead;
};

/* Everything that is wanted and has a link. */
enum ark_rc fetch_from_slack(const struct downloads *d, struct keeper *k, struct download_count *count,
                             struct ark_err *err);

/* May a token be sent there? https, and a host of Slack's. */
bool download_is_slack(struct ark_str url);

#endif

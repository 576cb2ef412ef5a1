/*
 * The token that an export's own links carry: `?t=xoxe-...` in older ones, `?token=xoxe-...` since. Every
 * link of one export has the same. It opens every file of the workspace: never shown, never stored.
 *
 * Fact  docs/slack-quirks.md "Files"; fixtures/slack/token-links
 */
#ifndef IMPORT_SLACK_TOKEN_H
#define IMPORT_SLACK_TOKEN_H

#include "import/slack/export.h"

#define SLACK_TOKEN_BYTES 512

struct slack_token {
	char parameter[8]; /* "t", "token" */
	char value[SLACK_TOKEN_BYTES];
};

/* The first token in a piece of JSON; false: none. */
bool slack_token_find(struct ark_str json, struct slack_token *out);
/* Reads the day files of a source until one is found; out->value is "" when there is none. */
enum ark_rc slack_token_read(const struct slack_source *source, struct slack_token *out,
                             struct ark_err *err);

#endif

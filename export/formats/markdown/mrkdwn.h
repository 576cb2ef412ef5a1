/*
 * Mattermost's Markdown as Slack's mrkdwn: what a Slack export holds in `text`. What mrkdwn has no
 * notation for becomes the text that reads the same.
 *
 * Fact  docs/slack-quirks.md; what the import makes of the result again is tests/roundtrip/slack_export.py
 */
#ifndef EXPORT_FORMATS_MARKDOWN_MRKDWN_H
#define EXPORT_FORMATS_MARKDOWN_MRKDWN_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/* Ids that names have in the export; false: no such name. */
struct mrkdwn_names {
	bool (*user)(void *ctx, struct ark_str name, struct ark_str *id); /* `name` in lower case */
	bool (*channel)(void *ctx, struct ark_str name, struct ark_str *id, struct ark_str *title);
	void *ctx;
};

/* Append `text` (UTF-8). */
void mrkdwn_put(struct ark_str text, const struct mrkdwn_names *names, struct ark_buf *out);
/* Append an emoji's name as Slack has it: "+1_medium_skin_tone" is "+1::skin-tone-4". */
void mrkdwn_emoji(struct ark_str name, struct ark_buf *out);

#endif

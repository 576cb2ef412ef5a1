/*
 * Slack blocks (rich_text and Block Kit) to Mattermost Markdown. Pure.
 */
#ifndef IMPORT_TRANSLATE_BLOCKS_H
#define IMPORT_TRANSLATE_BLOCKS_H

#include "common/json/value.h"
#include "import/translate/text.h"

enum blocks_result {
	BLOCKS_NOTHING, /* absent, null, no array, empty, or nothing in it that can be shown: use `text` */
	BLOCKS_WHOLE,   /* everything was rendered: `text` is not needed */
	BLOCKS_PARTLY,  /* something unknown was met: the caller appends `text` when it holds words that
	                   were not emitted (blocks_missing_words) */
};

/* Append the Markdown of `blocks` to `out`. On BLOCKS_NOTHING nothing was appended. */
enum blocks_result blocks_translate(const struct text_world *world, struct json_val blocks,
                                    struct ark_buf *out);
/* True when `text` (mrkdwn) has a word of three letters or more that `emitted` does not hold. */
bool blocks_missing_words(struct ark_str text, struct ark_str emitted);

#endif

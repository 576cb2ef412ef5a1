/*
 * JSON that is nearly right made right: what Slack's own exports and tools around them get wrong, and
 * a strict parser refuses. Only used when the parser did refuse.
 */
#ifndef IMPORT_SLACK_MEND_H
#define IMPORT_SLACK_MEND_H

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/json/value.h"

/* Longest mended text: each byte of a message may become an escape sequence of six. */
#define SLACK_MENDED_MAX (6 * (size_t)LIMIT_MESSAGE)

/* json_doc_parse, and once more with the text mended if that can be. `mended` holds that text for the
 * values to borrow from; the caller's, so that it is made once. */
enum ark_rc slack_parse(struct json_doc *doc, struct ark_str text, struct ark_buf *mended,
                        struct json_val *root, struct ark_err *err);

#endif

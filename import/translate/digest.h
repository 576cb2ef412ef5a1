/*
 * A digest of what a Slack message says, so that a later export can be told to be unchanged. What
 * legitimately differs between two exports of the same message is left out: block ids, links with
 * tokens, thumbnails, profiles, counters of replies.
 *
 * Fact  docs/slack-quirks.md "The same message in two exports"
 */
#ifndef IMPORT_TRANSLATE_DIGEST_H
#define IMPORT_TRANSLATE_DIGEST_H

#include <stdint.h>

#include "common/base/buf.h"
#include "import/slack/message.h"

/* XXH3, 128 bits; `tmp` is scratch. */
void message_digest(const struct slack_message *m, int pinned, struct ark_buf *tmp, uint8_t out[16]);
/* A 64-bit hash of some bytes, the same on every machine. */
uint64_t digest_64(struct ark_str s);

#endif

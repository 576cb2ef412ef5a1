/*
 * Names that Mattermost accepts, made from Slack's. Pure: collisions are the caller's business.
 * Fact  docs/mattermost-facts.md "Names"
 */
#ifndef IMPORT_TRANSLATE_NAMES_H
#define IMPORT_TRANSLATE_NAMES_H

#include "common/base/buf.h"
#include "common/base/str.h"

/* A user name: [a-z0-9._-], 1..64 bytes, none of the reserved words (those get "-1" behind). From
 * `name`, or when nothing is left of it from the Slack id. */
void name_user(struct ark_str name, struct ark_str slack_id, struct ark_buf *out);
/* A channel name (facts 3 and slack facts 5.3): 1..64 bytes, [a-z0-9] first, then [a-z0-9_-]; must
 * not look like a direct (id__id) or group (40 hex digits) name. Nothing left: the Slack id. */
void name_channel(struct ark_str name, struct ark_str slack_id, struct ark_buf *out);
/* The same with `number` (>= 2) behind for user names: cut so that it stays within 64 bytes. */
void name_user_numbered(struct ark_str base, unsigned number, struct ark_buf *out);
/* For channel collisions: cut to 55 bytes, '-', last 8 of the Slack id in lower case. */
void name_channel_with_id(struct ark_str base, struct ark_str slack_id, struct ark_buf *out);
/* A team's URL name from free text; what comes out need not be valid: too short, or a reserved word. */
void name_team(struct ark_str text, struct ark_buf *out);
/* Does Mattermost take it? */
bool name_team_valid(struct ark_str name);
/* Shown names: control and direction characters that the server drops are dropped, blanks trimmed,
 * cut to `runes`. */
void name_shown(struct ark_str name, size_t runes, struct ark_buf *out);

#endif

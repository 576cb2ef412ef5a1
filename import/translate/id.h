/*
 * Mattermost ids derived from Slack's: the same thing has the same id for ever, on every machine.
 *
 * The id is the first 16 bytes of SHA-256 of the text
 *	matterark-1 US workspace US kind US a US b US ordinal US part
 * (US is the byte 0x1f) in Mattermost's 26-letter alphabet. Kinds and their a, b:
 *	user       Slack's user id, or "B…|user name" of a bot; b empty
 *	channel    Slack's conversation id
 *	post       conversation id; ts with six decimals; ordinal and part count from 0
 *	placeholder  as post: the root of a thread that is not in the archive
 *	team       team name
 *	tchannel   team name; channel name: town-square and off-topic of a new team
 *
 * Fact  docs/mattermost-facts.md "Identifiers and time"
 */
#ifndef IMPORT_TRANSLATE_ID_H
#define IMPORT_TRANSLATE_ID_H

#include "common/base/limits.h"
#include "common/base/str.h"
#include "common/crypt/hash.h"

void id_derive(struct crypt_hash *h, struct ark_str workspace, const char *kind, struct ark_str a,
               struct ark_str b, unsigned ordinal, unsigned part, char out[MM_ID_LEN + 1]);

#endif

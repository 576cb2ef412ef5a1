/*
 * What earlier runs brought, and what Slack said there: a fingerprint of each post and its digest, so
 * that rows of a message that says the same need not be made at all. And who was a member of which channel
 * at some time: nobody of them is made one again. Eight bytes each; where they do not fit, the server compares
 * (load/sink.h).
 */
#ifndef IMPORT_LOAD_KNOWN_H
#define IMPORT_LOAD_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/db/conn.h"

struct known;

#define KNOWN_DIGEST 16

/* All of matterark.slack_post; *out is NULL when it takes more than `max_bytes`. */
enum ark_rc known_read(struct db_conn *conn, size_t max_bytes, struct known **out, struct ark_err *err);
/* All of channelmemberhistory in channels that an import made or filled: channel and user as one text, each with a
 * digest of zeros. */
enum ark_rc known_read_members(struct db_conn *conn, size_t max_bytes, struct known **out, struct ark_err *err);
void known_free(struct known *k); /* NULL is fine */

/* For those two, and for tests: one more. False when there is no room. */
struct known *known_new(size_t max_bytes);
bool known_add(struct known *k, struct ark_str post_id, const uint8_t digest[KNOWN_DIGEST]);

/* Is this post known with this digest? No says so for certain; yes is wrong once in 2^64 / posts. */
bool known_same(const struct known *k, struct ark_str post_id, const uint8_t digest[KNOWN_DIGEST]);

#endif

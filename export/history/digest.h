/*
 * What an update remembers of the database: for each conversation and stretch of 32 days how many messages there
 * are, and two sums over digests of all of them, which the server computes. Only days of stretches whose sums are
 * others are looked at again. Without this file all days are; nothing that is in the history comes from it.
 *
 * A message's digest is 59 bits of a keyed hash of its id and its four times. `sum` adds them up; `moment` adds each
 * one times the number of its day in the stretch, so that where a single day differs the two tell which one.
 *
 * The file, zstd over lines, by (bytes of the id, stretch):
 *
 *	matterark history state 2
 *	KEY                         of the hash: another one in every repository
 *	C ID-IN-HEX STAYS           a conversation, and a digest of when custodians were in it
 *	STRETCH POSTS SUM MOMENT    sums modulo 2^64
 */
#ifndef EXPORT_HISTORY_DIGEST_H
#define EXPORT_HISTORY_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"
#include "export/select.h"

#define HISTORY_DAY_MS 86400000ll
#define HISTORY_STRETCH_DAYS 32
#define HISTORY_STRETCH_MS (HISTORY_STRETCH_DAYS * HISTORY_DAY_MS)
#define HISTORY_DAYS_END 2932897 /* behind the last day, 9999-12-31; earlier and later moments belong to the ends */
#define HISTORY_ID_MAX 64

struct history_digest {
	int64_t stretch; /* createat / HISTORY_STRETCH_MS, towards 0 as the server divides */
	uint64_t posts, sum, moment;
};

/* Days [from, to) in which posts may differ; false: none does. `was`, `now`: NULL where there is nothing. */
bool history_digest_days(const struct history_digest *was, const struct history_digest *now, uint32_t *from,
                         uint32_t *to);
/* All days of a stretch. */
void history_stretch_days(int64_t stretch, uint32_t *from, uint32_t *to);

/* The statement, a binary COPY: channel, stretch, posts, sum, moment (numeric), by (channel COLLATE "C", stretch). */
void history_digest_sql(const struct export_scope *scope, int64_t key, struct ark_buf *sql);
/* A numeric as COPY sends it, modulo 2^64; false: no whole number. */
bool history_digest_sum(struct ark_str numeric, uint64_t *out);

/* --- the file ---------------------------------------------------------------------------------- */

void history_state_begin(struct ark_buf *b, int64_t key);
void history_state_channel(struct ark_buf *b, struct ark_str id, uint64_t stays);
void history_state_line(struct ark_buf *b, const struct history_digest *d);

struct history_state_reader {
	unsigned begun; /* lines of the head that were read */
	int64_t key;
	bool has_channel, has_line;
	char id[HISTORY_ID_MAX];
	size_t id_len;
	uint64_t stays;
	struct history_digest line; /* the latest one, of that conversation */
};
/* ARK_OK: r->line is the next one. ARK_END: a line that holds none. FAIL with kind INPUT: no such file, or not sorted. */
enum ark_rc history_state_read(struct history_state_reader *r, struct ark_str line, struct ark_err *err);
static inline struct ark_str history_state_id(const struct history_state_reader *r)
{
	return ark_str_n(r->id, r->id_len);
}

#endif

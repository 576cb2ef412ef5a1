#include "import/load/known.h"

#include <stdlib.h>
#include <sys/random.h>

#include "common/base/mem.h"
#include "common/db/binary.h"

#include "common/base/banned.h"

#define SLOTS_MIN 64

struct known {
	uint64_t *slots; /* 0 is free */
	size_t cap, count;
	size_t max_bytes;
	uint64_t seed;   /* drawn anew by each run: nobody can write messages that seem to be others */
};

static inline uint64_t folded(uint64_t v, uint64_t by)
{
	__uint128_t x = (__uint128_t)v * by;
	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

/* Identifiers and digests are both ends of SHA-256: eight bytes of each would do, all of them cost no more. */
static uint64_t fingerprint(const struct known *k, struct ark_str id, const uint8_t digest[KNOWN_DIGEST])
{
	uint64_t h = k->seed, w;
	size_t at = 0;
	for (; at + sizeof(w) <= id.len; at += sizeof(w)) {
		memcpy(&w, id.ptr + at, sizeof(w));
		h = folded(h ^ w, k->seed ^ 0xa0761d6478bd642fu);
	}
	w = 0;
	memcpy(&w, id.ptr + at, id.len - at);
	h = folded(h ^ w, k->seed ^ 0xa0761d6478bd642fu);
	for (at = 0; at < KNOWN_DIGEST; at += sizeof(w)) {
		memcpy(&w, digest + at, sizeof(w));
		h = folded(h ^ w, k->seed ^ 0xe7037ed1a0b428dbu);
	}
	return h != 0 ? h : 1;
}

static size_t slot_of(const struct known *k, uint64_t f)
{
	size_t i = (size_t)f & (k->cap - 1);
	while (k->slots[i] != 0 && k->slots[i] != f)
		i = (i + 1) & (k->cap - 1);
	return i;
}

struct known *known_new(size_t max_bytes)
{
	struct known *k = ark_calloc(1, sizeof(*k));
	k->max_bytes = max_bytes;
	if (getrandom(&k->seed, sizeof(k->seed), 0) != sizeof(k->seed))
		ark_bug("no random numbers");
	k->seed |= 1;
	k->cap = SLOTS_MIN;
	k->slots = ark_calloc(k->cap, sizeof(*k->slots));
	return k;
}

void known_free(struct known *k)
{
	if (k == NULL)
		return;
	free(k->slots);
	free(k);
}

static bool grow(struct known *k)
{
	/* while it grows there are two */
	if (k->cap > k->max_bytes / sizeof(*k->slots) / 3)
		return false;
	uint64_t *old = k->slots;
	size_t old_cap = k->cap;
	k->cap *= 2;
	k->slots = ark_calloc(k->cap, sizeof(*k->slots));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i] != 0)
			k->slots[slot_of(k, old[i])] = old[i];
	free(old);
	return true;
}

bool known_add(struct known *k, struct ark_str post_id, const uint8_t digest[KNOWN_DIGEST])
{
	if (k->count >= k->cap / 4 * 3 && !grow(k))
		return false;
	uint64_t f = fingerprint(k, post_id, digest);
	size_t i = slot_of(k, f);
	k->count += k->slots[i] == 0;
	k->slots[i] = f;
	return true;
}

bool known_same(const struct known *k, struct ark_str post_id, const uint8_t digest[KNOWN_DIGEST])
{
	uint64_t f = fingerprint(k, post_id, digest);
	return k->slots[slot_of(k, f)] == f;
}

/* ---- out of the database ---- */

static void known_freep(struct known **k)
{
	known_free(*k);
}

/* How many rows the server thinks there are; -1: it was never asked to count. */
static enum ark_rc estimate(struct db_conn *conn, int64_t *rows, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT reltuples::bigint FROM pg_class WHERE oid = "
	                                    "'matterark.slack_post'::regclass", DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		*rows = db_i64(res, 0, 0);
	return rc;
}

/* `sql` gives a text and 16 bytes in each row. */
static enum ark_rc read_rows(struct db_conn *conn, const char *sql, size_t max_bytes, struct known **out,
                             struct ark_err *err)
{
	ark_auto(known_freep) struct known *k = known_new(max_bytes);
	enum ark_rc rc = db_copy_out_begin(conn, sql, err);
	struct db_binary from = { 0 };
	struct ark_str f[2];
	bool fits = true; /* else read to its end all the same: a cancelled statement ends the transaction */
	while (rc == ARK_OK && (rc = db_binary_next(&from, conn, f, 2, err)) == ARK_OK) {
		if (f[1].len != KNOWN_DIGEST)
			ark_bug("a digest of %zu bytes", f[1].len);
		fits = fits && known_add(k, f[0], (const uint8_t *)f[1].ptr);
	}
	if (rc < 0 || !fits)
		return rc < 0 ? rc : ARK_OK;
	*out = k;
	k = NULL;
	return ARK_OK;
}

enum ark_rc known_read(struct db_conn *conn, size_t max_bytes, struct known **out, struct ark_err *err)
{
	int64_t rows = 0;
	*out = NULL;
	enum ark_rc rc = estimate(conn, &rows, err);
	if (rc < 0 || max_bytes < SLOTS_MIN * sizeof(uint64_t) ||
	    (rows > 0 && (uint64_t)rows > max_bytes / sizeof(uint64_t) / 2))
		return rc;
	return read_rows(conn, "COPY (SELECT post_id, source FROM matterark.slack_post) TO STDOUT (FORMAT binary)",
	                 max_bytes, out, err);
}

enum ark_rc known_read_members(struct db_conn *conn, size_t max_bytes, struct known **out, struct ark_err *err)
{
	*out = NULL;
	if (max_bytes < SLOTS_MIN * sizeof(uint64_t))
		return ARK_OK;
	return read_rows(conn, "COPY (SELECT h.channelid || h.userid, '00000000-0000-0000-0000-000000000000'::uuid FROM "
	                       "channelmemberhistory h WHERE h.channelid IN (SELECT channel_id FROM "
	                       "matterark.slack_channel)) TO STDOUT (FORMAT binary)", max_bytes, out, err);
}

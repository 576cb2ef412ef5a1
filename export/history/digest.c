#include "export/history/digest.h"

#include <inttypes.h>
#include <string.h>

#include "common/crypt/hash.h"

#include "common/base/banned.h"

#define HEAD "matterark history state 2"
#define DAY_BITS 5 /* of the number of a day in its stretch; a digest times it stays within 64 bits */

/* --- which days -------------------------------------------------------------------------------- */

void history_stretch_days(int64_t stretch, uint32_t *from, uint32_t *to)
{
	int64_t last = HISTORY_DAYS_END / HISTORY_STRETCH_DAYS;
	int64_t s = stretch < 0 ? 0 : stretch > last ? last : stretch;
	*from = (uint32_t)(s * HISTORY_STRETCH_DAYS);
	*to = stretch < 0 ? 1 : *from + HISTORY_STRETCH_DAYS;
	if (*to > HISTORY_DAYS_END)
		*to = HISTORY_DAYS_END;
	if (*from >= *to) /* all of later moments */
		*from = *to - 1;
}

bool history_digest_days(const struct history_digest *was, const struct history_digest *now, uint32_t *from, uint32_t *to)
{
	static const struct history_digest NOTHING = { 0 };
	const struct history_digest *a = was != NULL ? was : &NOTHING, *b = now != NULL ? now : &NOTHING;
	uint64_t sum = b->sum - a->sum, moment = b->moment - a->moment;
	int64_t stretch = now != NULL ? now->stretch : a->stretch;
	if (sum == 0 && moment == 0 && a->posts == b->posts)
		return false;
	history_stretch_days(stretch, from, to);
	/* At both ends of time days hold what lies outside, too. */
	if (sum == 0 || stretch < 1 || *to - *from < HISTORY_STRETCH_DAYS || *to == HISTORY_DAYS_END)
		return true;
	for (uint32_t day = 0; day < HISTORY_STRETCH_DAYS; day++) {
		if (moment == sum * day) {
			*from += day;
			*to = *from + 1;
			break;
		}
	}
	return true;
}

/* --- the statement ----------------------------------------------------------------------------- */

/*
 * hashfloat8extended sees all 64 bits of a time, as hashint8extended does not; times are exact as double precision.
 * Each hash is the key of the next one. The subquery has a WITH of its own so that the planner does not take it
 * apart: it would then expect as many groups as rows, and give up on hashing them and on parallel workers.
 */
static const char HASH[] =
	"hashfloat8extended(coalesce(p.editat, 0)::float8, hashfloat8extended(coalesce(p.deleteat, 0)::float8, "
	"hashfloat8extended(coalesce(p.updateat, 0)::float8, hashfloat8extended(p.createat::float8, "
	"hashtextextended(p.id, %" PRId64 ")))))";

void history_digest_sql(const struct export_scope *scope, int64_t key, struct ark_buf *sql)
{
	ark_buf_fmt(sql, "COPY (SELECT channelid, s, count(*), sum(h), sum(h * d) FROM (WITH apart AS (SELECT 1) "
	                 "SELECT p.channelid, p.createat / %lld AS s, (p.createat / %lld) & %d AS d, ",
	            HISTORY_STRETCH_MS, HISTORY_DAY_MS, HISTORY_STRETCH_DAYS - 1);
	ark_buf_fmt(sql, HASH, key);
	ark_buf_fmt(sql, " >> %d AS h FROM posts p WHERE p.originalid = '' AND p.createat IS NOT NULL", DAY_BITS);
	export_scope_time(scope, " AND ", sql);
	if (scope->no_deleted)
		ark_buf_z(sql, " AND coalesce(p.deleteat, 0) = 0");
	ark_buf_z(sql, ") q GROUP BY 1, 2 ORDER BY channelid COLLATE \"C\", s) TO STDOUT (FORMAT binary)");
}

#define NUMERIC_HEAD 8 /* digits, weight, sign, scale: two bytes each */
#define NUMERIC_BASE 10000
#define NUMERIC_NEGATIVE 0x4000

static unsigned be16(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

/* Fact  PostgreSQL's numeric_send: digits of base 10000, the first one times 10000^weight; trailing zeroes are left out */
bool history_digest_sum(struct ark_str numeric, uint64_t *out)
{
	if (numeric.len < NUMERIC_HEAD || numeric.len % 2 != 0)
		return false;
	unsigned digits = be16(numeric.ptr), weight = be16(numeric.ptr + 2), sign = be16(numeric.ptr + 4);
	bool whole = digits == 0 || (weight < 64 && digits <= weight + 1);
	if (!whole || numeric.len != NUMERIC_HEAD + 2 * digits || (sign != 0 && sign != NUMERIC_NEGATIVE))
		return false;
	uint64_t v = 0;
	for (unsigned i = 0; digits > 0 && i <= weight; i++)
		v = v * NUMERIC_BASE + (i < digits ? be16(numeric.ptr + NUMERIC_HEAD + 2 * i) : 0);
	*out = sign != 0 ? -v : v;
	return true;
}

/* --- the file ---------------------------------------------------------------------------------- */

void history_state_begin(struct ark_buf *b, int64_t key)
{
	ark_buf_fmt(b, HEAD "\n%" PRId64 "\n", key);
}

void history_state_channel(struct ark_buf *b, struct ark_str id, uint64_t stays)
{
	char hex[2 * HISTORY_ID_MAX + 1];
	if (id.len > HISTORY_ID_MAX)
		ark_bug("an id that is longer than any");
	crypt_hex((const unsigned char *)id.ptr, id.len, hex);
	ark_buf_fmt(b, "C %s %" PRIu64 "\n", hex, stays);
}

void history_state_line(struct ark_buf *b, const struct history_digest *d)
{
	ark_buf_i64(b, d->stretch);
	ark_buf_c(b, ' ');
	ark_buf_u64(b, d->posts);
	ark_buf_c(b, ' ');
	ark_buf_u64(b, d->sum);
	ark_buf_c(b, ' ');
	ark_buf_u64(b, d->moment);
	ark_buf_c(b, '\n');
}

static enum ark_rc bad(struct ark_err *err)
{
	return ark_err_set(err, ARK_KIND_INPUT, "this is no state of a history, or it is damaged");
}

static bool take_i64(struct ark_str *rest, int64_t *out)
{
	struct ark_str w = ark_str_take_word(rest);
	bool negative = w.len > 1 && w.ptr[0] == '-';
	uint64_t v;
	if (!ark_str_u64(ark_str_from(w, negative), &v) || v > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)-v : (int64_t)v;
	return true;
}

static enum ark_rc read_channel(struct history_state_reader *r, struct ark_str line, struct ark_err *err)
{
	char id[HISTORY_ID_MAX];
	(void)ark_str_take_word(&line);
	struct ark_str w = ark_str_take_word(&line);
	if (w.len == 0 || w.len % 2 != 0 || w.len / 2 > sizeof(id))
		return bad(err);
	for (size_t i = 0; i < w.len; i += 2) {
		int high = ark_hex_digit(w.ptr[i]), low = ark_hex_digit(w.ptr[i + 1]);
		if (high < 0 || low < 0)
			return bad(err);
		id[i / 2] = (char)(high << 4 | low);
	}
	bool later = !r->has_channel || ark_str_cmp(history_state_id(r), ark_str_n(id, w.len / 2)) < 0;
	if (!later || !ark_str_u64(ark_str_take_word(&line), &r->stays) || line.len > 0)
		return bad(err);
	memcpy(r->id, id, w.len / 2);
	r->id_len = w.len / 2;
	r->has_channel = true;
	r->has_line = false;
	return ARK_END;
}

enum ark_rc history_state_read(struct history_state_reader *r, struct ark_str line, struct ark_err *err)
{
	if (r->begun == 0 && ark_str_eqz(line, HEAD)) {
		r->begun = 1;
		return ARK_END;
	}
	if (r->begun == 1 && take_i64(&line, &r->key) && line.len == 0) {
		r->begun = 2;
		return ARK_END;
	}
	if (r->begun < 2)
		return bad(err);
	if (ark_str_starts(line, ARK_LIT("C ")))
		return read_channel(r, line, err);
	struct history_digest d;
	if (!r->has_channel || !take_i64(&line, &d.stretch) || !ark_str_u64(ark_str_take_word(&line), &d.posts) ||
	    !ark_str_u64(ark_str_take_word(&line), &d.sum) || !ark_str_u64(ark_str_take_word(&line), &d.moment) || line.len > 0 ||
	    (r->has_line && d.stretch <= r->line.stretch))
		return bad(err);
	r->line = d;
	r->has_line = true;
	return ARK_OK;
}

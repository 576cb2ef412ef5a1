#include "backup/rows/dictionary.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/db/text.h"
#include "common/io/frame.h"

#include "common/base/banned.h"

#define SAMPLE_ROWS 32          /* as a segment */
#define SAMPLES_MIN 32
#define SHARE_MIN (16u << 10)   /* bytes of sample below which a table is left out */

struct samples {
	struct ark_buf bytes;
	size_t *sizes;
	size_t count, cap;
};

static void samples_release(struct samples *s)
{
	ark_buf_release(&s->bytes);
	free(s->sizes);
}

static void end_sample(struct samples *s, size_t begin)
{
	if (s->bytes.len == begin)
		return;
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 1024 : 2 * s->cap;
		s->sizes = ark_realloc(s->sizes, s->cap, sizeof(*s->sizes));
	}
	s->sizes[s->count++] = s->bytes.len - begin;
}

/* About `share` bytes of rows, from blocks all over the table. */
static enum ark_rc sample_table(struct source *src, const struct source_table *t, uint64_t share,
                                struct samples *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql = { 0 };
	double percent = 100.0 * (double)share / (double)(t->weight + 1);
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "COPY (SELECT ");
	ark_buf_str(&sql, t->columns);
	ark_buf_z(&sql, " FROM ONLY ");
	db_ident(&sql, t->schema);
	ark_buf_c(&sql, '.');
	db_ident(&sql, t->name);
	ark_buf_fmt(&sql, " TABLESAMPLE SYSTEM (%.4f) REPEATABLE (1)) TO STDOUT", percent > 100.0 ? 100.0 : percent);
	enum ark_rc rc = db_copy_out_begin(src->conn, sql.data, err);
	size_t begin = out->bytes.len, first = begin, rows = 0;
	while (rc == ARK_OK) {
		struct ark_str line;
		rc = db_copy_out_next(src->conn, &line, err);
		if (rc != ARK_OK)
			break;
		if (line.len > DICTIONARY_BYTES || out->bytes.len - first > share)
			continue; /* read to its end: stopping would cancel, and that ends the transaction */
		ark_buf_str(&out->bytes, line);
		if (++rows % SAMPLE_ROWS == 0) {
			end_sample(out, begin);
			begin = out->bytes.len;
		}
	}
	end_sample(out, begin);
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc dictionary_train(struct source *s, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(samples_release) struct samples samples = { 0 };
	uint64_t all = 0;
	ark_buf_init(&samples.bytes, 2 * (size_t)DICTIONARY_SAMPLE + (1u << 20));
	for (size_t i = 0; i < s->table_count; i++)
		all += s->tables[i].weight;
	for (size_t i = 0; i < s->table_count; i++) {
		const struct source_table *t = &s->tables[i];
		uint64_t share = all > 0 ? DICTIONARY_SAMPLE * (t->weight >> 10) / ((all >> 10) + 1) : 0;
		if (share < SHARE_MIN && t->weight > SHARE_MIN)
			share = SHARE_MIN;
		if (t->weight == 0 || samples.bytes.len > DICTIONARY_SAMPLE + (1u << 19))
			continue;
		enum ark_rc rc = sample_table(s, t, share, &samples, err);
		if (rc < 0)
			return ark_err_in(err, rc, "sample of '%.*s'", ARK_FMT(t->name));
	}
	if (samples.count < SAMPLES_MIN || samples.bytes.failed)
		return ARK_END;
	enum ark_rc rc = io_dict_train(samples.bytes.data, samples.sizes, samples.count, DICTIONARY_BYTES, out, err);
	return rc == ARK_FAIL ? ARK_END : rc;
}

/* Rows and files out of the segments of a list. */
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/repo/snapshot.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define BATCH (256u << 10) /* bytes after which rows are handed out */

struct repo_rows {
	struct repo *r;
	struct repo_walk *walk;
	struct crypt_hash *hash;
	struct ark_buf text;
	uint64_t want_rows, want_bytes; /* of the whole */
	uint64_t rows, bytes;
	bool ended;
};

struct repo_rows *repo_rows_new(struct repo *r)
{
	struct repo_rows *x = ark_calloc(1, sizeof(*x));
	x->r = r;
	x->walk = repo_walk_new(r);
	x->hash = crypt_hash_new();
	ark_buf_init(&x->text, LIMIT_REPO_OBJECT);
	return x;
}

void repo_rows_free(struct repo_rows *x)
{
	if (x == NULL)
		return;
	ark_buf_release(&x->text);
	crypt_hash_free(x->hash);
	repo_walk_free(x->walk);
	free(x);
}

void repo_rows_freep(struct repo_rows **x)
{
	repo_rows_free(*x);
	*x = NULL;
}

void repo_rows_begin(struct repo_rows *x, const struct repo_part *part)
{
	x->want_rows = part->rows;
	x->want_bytes = part->bytes;
	x->rows = x->bytes = 0;
	x->ended = !part->has_id;
	if (part->has_id)
		repo_walk_begin(x->walk, &part->id);
}

static enum ark_rc add_segment(struct repo_rows *x, const struct repo_item *item, struct ark_err *err)
{
	unsigned char sum[CRYPT_SHA256_BYTES];
	size_t before = x->text.len;
	enum ark_rc rc = repo_read(x->r, &item->id, &x->text, err);
	if (rc < 0)
		return rc;
	size_t len = x->text.len - before;
	crypt_sha256(x->hash, x->text.data + before, len, sum);
	if (len != item->bytes || memcmp(sum, item->check, REPO_CHECK_BYTES) != 0)
		return ark_err_set(err, ARK_KIND_INPUT, "a segment does not hold the rows that its list says");
	x->rows += item->rows;
	x->bytes += item->bytes;
	return ARK_OK;
}

enum ark_rc repo_rows_next(struct repo_rows *x, struct ark_str *text, struct ark_err *err)
{
	ark_buf_reset(&x->text);
	while (!x->ended && x->text.len < BATCH) {
		struct repo_item item;
		enum ark_rc rc = repo_walk_next(x->walk, &item, err);
		if (rc == ARK_OK && item.kind == REPO_ITEM_SEGMENT)
			rc = add_segment(x, &item, err);
		if (rc < 0)
			return rc;
		x->ended = rc == ARK_END;
	}
	if (x->text.len > 0) {
		*text = ark_buf_view(&x->text);
		return ARK_OK;
	}
	if (x->rows != x->want_rows || x->bytes != x->want_bytes)
		return ark_err_set(err, ARK_KIND_INPUT, "the list has %llu rows, not %llu", (unsigned long long)x->rows,
		                   (unsigned long long)x->want_rows);
	return ARK_END;
}

/* --- files --------------------------------------------------------------------------------------- */

struct repo_files {
	struct repo *r;
	struct repo_walk *walk;
	struct ark_buf text; /* the present segment: path, size, stamp of each */
	size_t at;
	struct ark_buf path, stamp;
	uint64_t rows, want;
	bool ended;
};

struct repo_files *repo_files_new(struct repo *r)
{
	struct repo_files *f = ark_calloc(1, sizeof(*f));
	f->r = r;
	f->walk = repo_walk_new(r);
	ark_buf_init(&f->text, LIMIT_REPO_OBJECT);
	ark_buf_init(&f->path, LIMIT_REPO_SMALL);
	ark_buf_init(&f->stamp, LIMIT_REPO_SMALL);
	return f;
}

void repo_files_free(struct repo_files *f)
{
	if (f == NULL)
		return;
	ark_buf_release(&f->text);
	ark_buf_release(&f->path);
	ark_buf_release(&f->stamp);
	repo_walk_free(f->walk);
	free(f);
}

void repo_files_freep(struct repo_files **f)
{
	repo_files_free(*f);
	*f = NULL;
}

void repo_files_begin(struct repo_files *f, const struct repo_part *part)
{
	ark_buf_reset(&f->text);
	f->at = 0;
	f->rows = 0;
	f->want = part->rows;
	f->ended = !part->has_id;
	if (part->has_id)
		repo_walk_begin(f->walk, &part->id);
}

static void unescape(struct ark_str s, struct ark_buf *out)
{
	ark_buf_reset(out);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '\\' && i + 1 < s.len) {
			c = s.ptr[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		}
		ark_buf_c(out, c);
	}
}

/* The next line of the segment: path, tab, size, tab, stamp. */
static enum ark_rc next_line(struct repo_files *f, struct repo_file *out, struct ark_err *err)
{
	struct ark_str rest = ark_str_from(ark_buf_view(&f->text), f->at);
	size_t end = ark_str_find(rest, '\n', 0);
	struct ark_str line = ark_str_first(rest, end);
	size_t tab = ark_str_find(line, '\t', 0);
	size_t tab2 = tab != SIZE_MAX ? ark_str_find(line, '\t', tab + 1) : SIZE_MAX;
	if (end == SIZE_MAX || tab2 == SIZE_MAX ||
	    !ark_str_u64(ark_str_n(line.ptr + tab + 1, tab2 - tab - 1), &out->size_bytes))
		return ark_err_set(err, ARK_KIND_INPUT, "a list of files and its names do not fit together");
	unescape(ark_str_first(line, tab), &f->path);
	unescape(ark_str_from(line, tab2 + 1), &f->stamp);
	f->at += end + 1;
	f->rows++;
	out->path = ark_buf_view(&f->path);
	out->stamp = ark_buf_view(&f->stamp);
	return ARK_OK;
}

enum ark_rc repo_files_next(struct repo_files *f, struct repo_file *out, struct ark_err *err)
{
	while (!f->ended) {
		struct repo_item item;
		enum ark_rc rc = repo_walk_next(f->walk, &item, err);
		if (rc < 0)
			return rc;
		if (rc == ARK_END) {
			f->ended = true;
		} else if (item.kind == REPO_ITEM_SEGMENT) {
			if (f->at < f->text.len)
				break;
			ark_buf_reset(&f->text);
			f->at = 0;
			rc = repo_read(f->r, &item.id, &f->text, err);
			if (rc < 0)
				return rc;
		} else if (item.kind == REPO_ITEM_REF || item.kind == REPO_ITEM_MISSING) {
			*out = (struct repo_file){ .missing = item.kind == REPO_ITEM_MISSING, .id = item.id };
			return next_line(f, out, err);
		}
	}
	if (f->at < f->text.len || f->rows != f->want)
		return ark_err_set(err, ARK_KIND_INPUT, "a list of files and its names do not fit together");
	return ARK_END;
}

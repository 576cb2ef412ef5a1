#include "purge/planfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/io/publish.h"
#include "common/io/spool.h"

#include "common/base/banned.h"

#define PIECE 65536
#define END_LINE (2 + CRYPT_SHA256_HEX) /* "E ", hex and the newline */

void plan_channel_line(struct ark_buf *out, struct ark_str channel_id)
{
	ark_buf_fmt(out, "C %.*s\n", ARK_FMT(channel_id));
}

void plan_unit_line(struct ark_buf *out)
{
	ark_buf_z(out, "U\n");
}

void plan_row_line(struct ark_buf *out, const struct plan_row *row)
{
	ark_buf_fmt(out, "%c %.*s %lld %lld\n", row->is_earlier ? 'H' : 'P', ARK_FMT(row->id), (long long)row->update_ms,
	            (long long)row->edit_ms);
}

static bool is_id(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < 'a' || s.ptr[i] > 'z') && (s.ptr[i] < '0' || s.ptr[i] > '9'))
			return false;
	return s.len > 0 && s.len <= MM_ID_LEN;
}

bool plan_row_fits(struct ark_str channel_id, const struct plan_row *row)
{
	return is_id(channel_id) && is_id(row->id) && row->update_ms >= 0 && row->edit_ms >= 0;
}

/* ---- writing ---- */

static enum ark_rc add(struct io_publish *file, struct crypt_hash *hash, const char *ptr, size_t len,
                       struct ark_err *err)
{
	crypt_hash_add(hash, ptr, len);
	return io_publish_write(file, ptr, len, err);
}

enum ark_rc plan_write(const char *path, struct ark_str head, const struct io_spool *body, char sha256[CRYPT_SHA256_HEX],
                       struct ark_err *err)
{
	ark_auto(io_publish_release) struct io_publish file = IO_PUBLISH_NONE;
	ark_auto(crypt_hash_freep) struct crypt_hash *hash = crypt_hash_new();
	ark_auto(ark_freep) char *space = ark_malloc(PIECE);
	crypt_hash_begin(hash);
	enum ark_rc rc = io_publish_begin(path, &file, err);
	if (rc == ARK_OK)
		rc = add(&file, hash, head.ptr, head.len, err);
	for (uint64_t at = 0; rc == ARK_OK && at < body->len;) {
		size_t len = body->len - at < PIECE ? (size_t)(body->len - at) : PIECE;
		rc = io_spool_read(body, at, space, len, err);
		if (rc == ARK_OK)
			rc = add(&file, hash, space, len, err);
		at += len;
	}
	if (rc < 0)
		return rc;
	unsigned char digest[CRYPT_SHA256_BYTES];
	crypt_hash_end(hash, digest);
	crypt_hex(digest, sizeof(digest), sha256);
	char last[END_LINE + 1];
	snprintf(last, sizeof(last), "E %s\n", sha256);
	rc = io_publish_write(&file, last, strlen(last), err);
	return rc == ARK_OK ? io_publish_finish(&file, err) : rc;
}

/* ---- reading ---- */

static bool take_number(struct ark_str *rest, int64_t *out)
{
	size_t end = ark_str_find(*rest, ' ', 0);
	uint64_t v = 0;
	struct ark_str word = ark_str_first(*rest, end);
	if (!ark_str_u64(word, &v) || v > INT64_MAX)
		return false;
	*out = (int64_t)v;
	*rest = ark_str_from(*rest, end == SIZE_MAX ? rest->len : end + 1);
	return true;
}

bool plan_line_parse(struct ark_str text, struct plan_line *out)
{
	*out = (struct plan_line){ .kind = PLAN_UNIT };
	if (ark_str_eqz(text, "U"))
		return true;
	if (text.len < 3 || text.ptr[1] != ' ')
		return false;
	struct ark_str rest = ark_str_from(text, 2);
	if (text.ptr[0] == 'C') {
		out->kind = PLAN_CHANNEL;
		out->channel_id = rest;
		return is_id(rest);
	}
	size_t end = ark_str_find(rest, ' ', 0);
	out->kind = PLAN_ROW;
	out->row.is_earlier = text.ptr[0] == 'H';
	out->row.id = ark_str_first(rest, end);
	if ((text.ptr[0] != 'H' && text.ptr[0] != 'P') || end == SIZE_MAX || !is_id(out->row.id))
		return false;
	rest = ark_str_from(rest, end + 1);
	return take_number(&rest, &out->row.update_ms) && take_number(&rest, &out->row.edit_ms) && rest.len == 0;
}

struct plan {
	FILE *file;
	char *path;
	struct json_small *head;
	struct ark_buf head_text;
	long body_at;
	char sha256[CRYPT_SHA256_HEX];
	char line[256];
};

void plan_close(struct plan *p)
{
	if (p == NULL)
		return;
	if (p->file != NULL)
		fclose(p->file);
	json_small_free(p->head);
	ark_buf_release(&p->head_text);
	free(p->path);
	free(p);
}

void plan_closep(struct plan **p)
{
	plan_close(*p);
	*p = NULL;
}

const struct json_small *plan_head(const struct plan *p)
{
	return p->head;
}

struct ark_str plan_head_text(const struct plan *p)
{
	return ark_buf_view(&p->head_text);
}

const char *plan_sha256(const struct plan *p)
{
	return p->sha256;
}

static enum ark_rc no_plan(const struct plan *p, struct ark_err *err)
{
	return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is no purge plan", p->path);
}

static enum ark_rc read_head(struct plan *p, struct ark_err *err)
{
	struct ark_buf *head = &p->head_text;
	int c;
	while ((c = getc(p->file)) != EOF && c != '\n' && !head->failed)
		ark_buf_c(head, (char)c);
	if (c != '\n' || head->len == 0 || head->data[0] != '{')
		return no_plan(p, err);
	p->body_at = ftell(p->file);
	struct ark_err why = { 0 };
	if (json_small_parse(ark_buf_view(head), &p->head, &why) < 0 ||
	    !ark_str_eqz(json_small_str(p->head, "matterark"), PURGE_PLAN_HEAD))
		return no_plan(p, err);
	return ARK_OK;
}

/* Everything but the last line, which says what its digest is. */
static enum ark_rc check_hash(struct plan *p, struct ark_err *err)
{
	ark_auto(crypt_hash_freep) struct crypt_hash *hash = crypt_hash_new();
	ark_auto(ark_freep) char *space = ark_malloc(PIECE);
	char last[END_LINE + 1] = "", want[END_LINE + 1];
	long end = -1;
	if (fseek(p->file, 0, SEEK_END) == 0)
		end = ftell(p->file);
	if (end < p->body_at + END_LINE)
		return ark_err_set(err, ARK_KIND_REFUSED, "plan '%s' is cut off", p->path);
	crypt_hash_begin(hash);
	rewind(p->file);
	for (long left = end - END_LINE; left > 0;) {
		size_t got = fread(space, 1, left < PIECE ? (size_t)left : PIECE, p->file);
		if (got == 0)
			return ark_err_errno(err, errno, "cannot read '%s'", p->path);
		crypt_hash_add(hash, space, got);
		left -= (long)got;
	}
	unsigned char digest[CRYPT_SHA256_BYTES];
	crypt_hash_end(hash, digest);
	crypt_hex(digest, sizeof(digest), p->sha256);
	snprintf(want, sizeof(want), "E %s\n", p->sha256);
	if (fread(last, 1, END_LINE, p->file) != END_LINE || strcmp(last, want) != 0) {
		ark_err_set(err, ARK_KIND_REFUSED, "plan '%s' is not as it was written", p->path);
		ark_err_hint(err, "make a new one");
		return ARK_FAIL;
	}
	return ARK_OK;
}

enum ark_rc plan_open(const char *path, struct plan **out, struct ark_err *err)
{
	ark_auto(plan_closep) struct plan *p = ark_calloc(1, sizeof(*p));
	p->path = ark_strdupz(path);
	ark_buf_init(&p->head_text, LIMIT_SMALL_JSON);
	p->file = fopen(path, "re");
	if (p->file == NULL && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no file '%s'", path);
	if (p->file == NULL)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	enum ark_rc rc = read_head(p, err);
	if (rc == ARK_OK)
		rc = check_hash(p, err);
	if (rc == ARK_OK)
		rc = plan_rewind(p, err);
	if (rc < 0)
		return rc;
	*out = p;
	p = NULL;
	return ARK_OK;
}

enum ark_rc plan_rewind(struct plan *p, struct ark_err *err)
{
	if (fseek(p->file, p->body_at, SEEK_SET) != 0)
		return ark_err_errno(err, errno, "cannot read '%s'", p->path);
	return ARK_OK;
}

enum ark_rc plan_next(struct plan *p, struct plan_line *out, struct ark_err *err)
{
	if (fgets(p->line, sizeof(p->line), p->file) == NULL)
		return ferror(p->file) ? ark_err_errno(err, errno, "cannot read '%s'", p->path)
		                       : ark_err_stop(err, ARK_KIND_REFUSED, "plan '%s' changed while it was read", p->path);
	struct ark_str text = ark_str_z(p->line);
	if (ark_str_starts(text, ARK_LIT("E ")))
		return ARK_END;
	text.len -= text.len > 0;
	if (!plan_line_parse(text, out))
		return ark_err_stop(err, ARK_KIND_REFUSED, "plan '%s' holds '%.*s', which is no line of one", p->path,
		                    ARK_FMT(ark_str_first(text, 80)));
	return ARK_OK;
}

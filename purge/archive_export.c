#include "purge/archive_export.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/zstd.h"
#include "common/json/value.h"

#include "common/base/banned.h"

#define PIECE (4u << 20) /* read from the store at a time */

struct reading {
	struct store *store; /* for reading; the list has one of its own */
	struct kept_set *set;
	struct json_doc *doc;
	struct io_zstd_in *unpack;
	uint64_t files;
	/* of the present file */
	const char *path;
	uint64_t at;
	struct ark_buf piece; /* packed */
	size_t taken;         /* of piece */
	struct ark_buf line;  /* begun, its end not seen yet; with room for the reader behind it */
};

static void reading_release(struct reading *r)
{
	store_close(r->store);
	json_doc_free(r->doc);
	io_zstd_in_free(r->unpack);
	ark_buf_release(&r->piece);
	ark_buf_release(&r->line);
}

static enum ark_rc read_packed(void *ctx, void *space, size_t cap, size_t *got, struct ark_err *err)
{
	struct reading *r = ctx;
	if (r->taken == r->piece.len) {
		ark_buf_reset(&r->piece);
		r->taken = 0;
		enum ark_rc rc = store_read(r->store, r->path, r->at, PIECE, ark_sink_buf(&r->piece), NULL, err);
		if (rc < 0)
			return rc;
		r->at += r->piece.len;
	}
	*got = r->piece.len - r->taken < cap ? r->piece.len - r->taken : cap;
	memcpy(space, r->piece.data + r->taken, *got);
	r->taken += *got;
	return ARK_OK;
}

static int64_t number(struct json_val v)
{
	int64_t n = 0;
	return json_i64(v, &n) ? n : 0;
}

static enum ark_rc see_line(struct reading *r, struct ark_err *err)
{
	struct json_val root;
	size_t len = r->line.len;
	if (len == 0)
		return ARK_OK;
	if (ark_buf_room(&r->line, JSON_PADDING) == NULL)
		return ark_buf_ok(&r->line, "a line", err);
	enum ark_rc rc = json_doc_parse(r->doc, r->line.data, len, &root, err);
	if (rc < 0)
		return rc;
	ark_buf_cut(&r->line, len);
	struct ark_str record = json_str(json_get(root, "record"));
	if (!ark_str_eqz(record, "post") && !ark_str_eqz(record, "orphan"))
		return ARK_OK;
	bool is_post = ark_str_eqz(record, "post");
	kept_see(r->set, json_str(json_get(root, "id")), is_post ? number(json_get(root, "edit_at")) : KEPT_ANY);
	struct json_iter it = json_items(json_get(root, "versions"));
	for (struct json_val v; json_next(&it, &v);)
		kept_see(r->set, json_str(json_get(v, "id")), KEPT_ANY);
	return ARK_OK;
}

static enum ark_rc see_piece(struct reading *r, struct ark_str piece, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t end; rc == ARK_OK && (end = ark_str_find(piece, '\n', 0)) != SIZE_MAX;) {
		ark_buf_add(&r->line, piece.ptr, end);
		rc = see_line(r, err);
		ark_buf_reset(&r->line);
		piece = ark_str_from(piece, end + 1);
	}
	if (rc == ARK_OK)
		ark_buf_str(&r->line, piece);
	return rc == ARK_OK ? ark_buf_ok(&r->line, "a line", err) : rc;
}

static enum ark_rc see_file(struct reading *r, const char *path, struct ark_err *err)
{
	struct ark_str piece;
	r->path = path;
	r->at = 0;
	r->taken = 0;
	ark_buf_reset(&r->piece);
	ark_buf_reset(&r->line);
	io_zstd_in_begin(r->unpack, read_packed, r);
	enum ark_rc rc;
	while ((rc = io_zstd_in_next(r->unpack, &piece, err)) == ARK_OK)
		if ((rc = see_piece(r, piece, err)) < 0)
			break;
	if (rc == ARK_END && r->line.len > 0)
		rc = ark_err_set(err, ARK_KIND_INPUT, "the last line is cut off");
	r->files++;
	return rc < 0 ? ark_err_in(err, rc, "export: '%s'", path) : ARK_OK;
}

/* [run-000001/]data/team=.../channel=.../month=.../part-0.jsonl.zst */
static enum ark_rc on_entry(void *ctx, const struct store_entry *entry, struct ark_err *err)
{
	ark_auto(ark_freep) char *path = ark_strdup(entry->path);
	const char *data = strncmp(path, "run-", 4) == 0 && strchr(path, '/') != NULL ? strchr(path, '/') + 1 : path;
	if (strncmp(data, "data/", 5) != 0 || strstr(data, "/month=") == NULL ||
	    !ark_str_ends(entry->path, ARK_LIT(".jsonl.zst")))
		return ARK_OK;
	return see_file(ctx, path, err);
}

enum ark_rc archive_export_see(const char *place, const struct store_options *opt, struct kept_set *set,
                               uint64_t *files, struct ark_err *err)
{
	ark_auto(reading_release) struct reading r = { .set = set, .doc = json_doc_new(), .unpack = io_zstd_in_new() };
	ark_auto(store_closep) struct store *list = NULL;
	ark_buf_init(&r.piece, PIECE);
	ark_buf_init(&r.line, LIMIT_RECORD + JSON_PADDING);
	enum ark_rc rc = store_open_text(place, opt, &r.store, err);
	if (rc == ARK_OK)
		rc = store_open_text(place, opt, &list, err);
	if (rc == ARK_OK)
		rc = store_list(list, "", NULL, 0, on_entry, &r, err);
	*files = r.files;
	return rc < 0 ? rc : ARK_OK;
}

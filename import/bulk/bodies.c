#include "import/bulk/private.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/archive.h"
#include "import/fetch/body.h"
#include "import/slack/body.h"

#include "common/base/banned.h"

#define CHUNK (256u << 10)

struct walk {
	const struct slack_export *x;
	uint32_t source;
	uint64_t entry;
	bulk_tick_fn *tick;
	void *ctx;
	char *chunk;
	enum ark_rc (*body)(struct walk *w, struct io_archive *a, struct ark_str id, void *to, struct ark_err *err);
	void *to;
};

static enum ark_rc walk_archive(struct walk *w, struct ark_err *err)
{
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	enum ark_rc rc = io_archive_open(w->x->sources[w->source].path, &a, err);
	for (w->entry = 0; rc == ARK_OK; w->entry++) {
		struct io_entry entry;
		struct ark_str id;
		struct ark_err why = { 0 };
		enum ark_rc got = io_archive_next(a, &entry, &why);
		if (got == ARK_END)
			return ARK_OK;
		if (got == ARK_STOP) {
			*err = why;
			return got;
		}
		if (got == ARK_OK && !entry.unsafe && slack_body_id(entry.name, &id))
			rc = w->body(w, a, id, w->to, err);
	}
	return rc;
}

static enum ark_rc walk_all(struct walk *w, struct ark_err *err)
{
	ark_auto(ark_freep) char *chunk = ark_malloc(CHUNK);
	enum ark_rc rc = ARK_OK;
	w->chunk = chunk;
	for (w->source = 0; w->source < w->x->sources_count && rc == ARK_OK; w->source++)
		if (w->x->sources[w->source].body_files > 0)
			rc = walk_archive(w, err);
	return rc;
}

/* ---- looking ---- */

struct looking {
	struct bulk_bodies *b;
	struct body body;
};

static void looking_release(struct looking *l)
{
	body_release(&l->body);
}

/* Of several bodies of one file the last that can be read counts. */
static void note(struct bulk_bodies *b, struct ark_str id, struct bulk_body seen)
{
	uint32_t at = ark_map_get(&b->by_id, id);
	if (at == ARK_MAP_NONE) {
		if ((b->count & (b->count - 1)) == 0)
			b->list = ark_realloc(b->list, b->count == 0 ? 1 : (size_t)b->count * 2, sizeof(*b->list));
		at = b->count++;
		ark_map_put(&b->by_id, id, at);
		seen.id = ark_pool_str(&b->strings, id);
	} else if (seen.damaged) {
		return;
	} else {
		seen.id = b->list[at].id;
	}
	b->list[at] = seen;
}

static enum ark_rc look(struct walk *w, struct io_archive *a, struct ark_str id, void *to, struct ark_err *err)
{
	struct looking *l = to;
	char copy[SLACK_ID_BYTES]; /* the name goes with the next entry */
	memcpy(copy, id.ptr, id.len);
	struct bulk_body seen = { .source = w->source, .entry = w->entry };
	body_reset(&l->body);
	for (;;) {
		size_t got;
		struct ark_err why = { 0 };
		seen.damaged = io_archive_read(a, w->chunk, CHUNK, &got, &why) < 0;
		enum ark_rc rc = ARK_OK;
		if (l->body.size_bytes < CHUNK) /* its beginning tells what it is */
			rc = body_add(&l->body, w->chunk, got, err);
		seen.size_bytes += got;
		if (rc == ARK_OK)
			rc = w->tick(w->ctx, 0, got, err);
		if (rc < 0)
			return rc;
		if (seen.damaged || got < CHUNK)
			break;
	}
	seen.html = body_fault(&l->body, 0, false) != NULL;
	seen.sign_in = body_is_sign_in(body_start(&l->body));
	note(l->b, ark_str_n(copy, id.len), seen);
	return ARK_OK;
}

enum ark_rc bulk_bodies_look(struct bulk_bodies *b, const struct slack_export *x, const char *temp_dir,
                             bulk_tick_fn *tick, void *ctx, struct ark_err *err)
{
	ark_auto(looking_release) struct looking l = { .b = b };
	body_init(&l.body, temp_dir);
	struct walk w = { .x = x, .tick = tick, .ctx = ctx, .body = look, .to = &l };
	return walk_all(&w, err);
}

void bulk_bodies_release(struct bulk_bodies *b)
{
	free(b->list);
	ark_map_release(&b->by_id);
	ark_pool_release(&b->strings);
	*b = (struct bulk_bodies){ 0 };
}

/* The rule of import/fetch/body.h, on what was noted. */
static bool is_the_file(const struct bulk_body *body, const struct file_entry *f)
{
	bool exact = f->size_bytes > 0 && (uint64_t)f->size_bytes == body->size_bytes;
	if (body->damaged || (body->size_bytes == 0 && f->size_bytes > 0))
		return false;
	if (!body->html || exact)
		return true;
	return f->may_be_html && !body->sign_in;
}

struct ark_str bulk_bodies_path(struct bulk_bodies *b, const struct file_entry *f)
{
	uint32_t at = f->id.len > 0 ? ark_map_get(&b->by_id, f->id) : ARK_MAP_NONE;
	if (at == ARK_MAP_NONE || !is_the_file(&b->list[at], f))
		return ARK_STR_NONE;
	struct bulk_body *body = &b->list[at];
	if (!ark_str_has(body->path)) {
		ark_auto(ark_buf_release) struct ark_buf path;
		ark_buf_init(&path, LIMIT_ENTRY_NAME);
		ark_buf_fmt(&path, "files/%.*s/%.*s", ARK_FMT(f->id), ARK_FMT(f->name));
		body->path = ark_pool_str(&b->strings, ark_buf_view(&path));
	}
	return body->path;
}

/* ---- copying ---- */

struct copying {
	const struct bulk_bodies *b;
	struct io_zip *zip;
	uint64_t *files, *bytes;
};

static enum ark_rc copy(struct walk *w, struct io_archive *a, struct ark_str id, void *to, struct ark_err *err)
{
	struct copying *c = to;
	uint32_t at = ark_map_get(&c->b->by_id, id);
	const struct bulk_body *body = at != ARK_MAP_NONE ? &c->b->list[at] : NULL;
	if (body == NULL || !ark_str_has(body->path) || body->source != w->source || body->entry != w->entry)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, LIMIT_ENTRY_NAME * 2);
	ark_buf_z(&name, MM_BULK_DATA);
	ark_buf_str(&name, body->path);
	enum ark_rc rc = io_zip_entry(c->zip, ark_buf_view(&name), IO_ZIP_STORE, err);
	for (bool more = true; more && rc == ARK_OK;) {
		size_t got;
		if (io_archive_read(a, w->chunk, CHUNK, &got, err) < 0)
			return ark_err_stop(err, ARK_KIND_INPUT, "the archive changed while it was read");
		rc = io_zip_write(c->zip, w->chunk, got, err);
		if (rc == ARK_OK)
			rc = w->tick(w->ctx, 0, got, err);
		*c->bytes += got;
		more = got == CHUNK;
	}
	*c->files += 1;
	return rc;
}

enum ark_rc bulk_bodies_copy(const struct bulk_bodies *b, const struct slack_export *x, struct io_zip *zip,
                             uint64_t *files, uint64_t *bytes, bulk_tick_fn *tick, void *ctx,
                             struct ark_err *err)
{
	struct copying c = { b, zip, files, bytes };
	struct walk w = { .x = x, .tick = tick, .ctx = ctx, .body = copy, .to = &c };
	return walk_all(&w, err);
}

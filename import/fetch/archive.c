#include "import/fetch/archive.h"

#include "common/base/mem.h"
#include "common/io/archive.h"
#include "import/slack/body.h"

#include "common/base/banned.h"

#define CHUNK (256u << 10)

/* The entry's bytes into `body`; a damaged one is told by *damaged. */
static enum ark_rc read_body(const struct from_archive *from, struct io_archive *a, char *chunk,
                             struct body *body, bool *damaged, struct ark_err *err)
{
	body_reset(body);
	*damaged = false;
	for (;;) {
		size_t got;
		struct ark_err why = { 0 };
		*damaged = io_archive_read(a, chunk, CHUNK, &got, &why) < 0;
		enum ark_rc rc = *damaged ? ARK_OK : body_add(body, chunk, got, err);
		if (rc == ARK_OK)
			rc = from->tick(from->ctx, 0, got, err);
		if (rc < 0 || *damaged || got < CHUNK)
			return rc;
	}
}

static enum ark_rc take_entry(const struct from_archive *from, struct keeper *k, struct io_archive *a,
                              struct ark_str id, char *chunk, struct body *body, struct ark_err *err)
{
	ark_auto(keep_file_release) struct keep_file f = { 0 };
	bool damaged = false;
	if (from->wanted != NULL && ark_map_get(from->wanted, id) == ARK_MAP_NONE)
		return ARK_OK;
	enum ark_rc rc = keeper_find(k, id, &f, err);
	if (rc < 0 || f.count == 0)
		return rc;
	rc = read_body(from, a, chunk, body, &damaged, err);
	if (rc < 0)
		return rc;
	const char *fault = damaged ? "its body in the archive is damaged"
	                            : body_fault(body, f.size_bytes, f.may_be_html);
	if (fault != NULL)
		return keeper_miss(k, &f, fault, err);
	rc = keeper_store(k, &f, body, err);
	return rc < 0 ? rc : from->tick(from->ctx, 1, 0, err);
}

static enum ark_rc walk(const struct from_archive *from, struct keeper *k, const char *path, char *chunk,
                        struct body *body, struct ark_err *err)
{
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	enum ark_rc rc = io_archive_open(path, &a, err);
	while (rc == ARK_OK) {
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
		if (got == ARK_OK && !entry.unsafe && slack_body_id(entry.name, &id)) {
			char copy[SLACK_ID_BYTES];
			memcpy(copy, id.ptr, id.len); /* the name goes with the next entry */
			rc = take_entry(from, k, a, ark_str_n(copy, id.len), chunk, body, err);
		}
	}
	return rc;
}

enum ark_rc fetch_from_archive(const struct from_archive *from, struct keeper *k, struct ark_err *err)
{
	ark_auto(ark_freep) char *chunk = ark_malloc(CHUNK);
	ark_auto(body_release) struct body body;
	body_init(&body, from->temp_dir);
	enum ark_rc rc = ARK_OK;
	/* the newest first: what it has is not asked for again */
	for (uint32_t i = from->x->sources_count; rc == ARK_OK && i > 0; i--)
		if (from->x->sources[i - 1].body_files > 0)
			rc = walk(from, k, from->x->sources[i - 1].path, chunk, &body, err);
	return rc;
}

/*
 * Bodies in the zip, where slackdump puts them too: __uploads/<file id>/<name>. They follow the day files
 * of their channel, because a zip takes one entry after the other.
 */
#include <string.h>

#include "export/formats/slack/private.h"

#include "common/base/banned.h"

/* In front of the copy's path and the name. */
struct upload {
	char file_id[SLACK_ID];
	uint32_t path_len, name_len;
};

enum ark_rc slack_uploads_add(struct slack_archive *a, const struct export_record *r, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; rc == ARK_OK && i < r->attachments_count; i++) {
		const struct export_attachment *f = &r->attachments[i];
		struct upload u = { .path_len = (uint32_t)f->copy_path.len, .name_len = (uint32_t)f->name.len };
		if (f->bytes != EXPORT_BYTES_COPIED)
			continue;
		slack_file_id(f->id, u.file_id);
		ark_buf_reset(&a->scratch);
		ark_buf_add(&a->scratch, (const char *)&u, sizeof(u));
		ark_buf_str(&a->scratch, f->copy_path);
		ark_buf_str(&a->scratch, f->name);
		rc = io_spool_add(&a->uploads, io_temp_dir(), a->scratch.data, a->scratch.len, err);
	}
	return rc;
}

static enum ark_rc to_zip(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	struct slack_archive *a = ctx;
	return io_zip_write(a->zip, data, len, err);
}

/* A name of one part; readers find the body by the id. */
static void put_name(struct ark_buf *b, struct ark_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		ark_buf_c(b, c == '/' || c == '\\' || (unsigned char)c < 0x20 ? '_' : c);
	}
	if (name.len == 0 || ark_str_eqz(name, ".") || ark_str_eqz(name, ".."))
		ark_buf_z(b, "unnamed");
}

static enum ark_rc put_one(struct slack_archive *a, const struct upload *u, uint64_t at, struct ark_err *err)
{
	ark_buf_reset(&a->scratch);
	char *space = ark_buf_room(&a->scratch, u->path_len + u->name_len);
	enum ark_rc rc = io_spool_read(&a->uploads, at, space, u->path_len + u->name_len, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&a->key);
	ark_buf_add(&a->key, space, u->path_len);
	ark_buf_reset(&a->text);
	ark_buf_fmt(&a->text, "__uploads/%s/", u->file_id);
	put_name(&a->text, ark_str_n(space + u->path_len, u->name_len));
	rc = io_zip_entry(a->zip, ark_buf_view(&a->text), IO_ZIP_STORE, err);
	return rc == ARK_OK ? export_out_read(a->run->out, a->key.data, to_zip, a, err) : rc;
}

enum ark_rc slack_uploads_put(struct slack_archive *a, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	uint64_t end = a->uploads.fd < 0 ? 0 : a->uploads.len;
	for (uint64_t at = 0; rc == ARK_OK && at < end;) {
		struct upload u;
		rc = io_spool_read(&a->uploads, at, (char *)&u, sizeof(u), err);
		at += sizeof(u);
		if (rc == ARK_OK)
			rc = put_one(a, &u, at, err);
		at += (uint64_t)u.path_len + u.name_len;
	}
	io_spool_close(&a->uploads);
	return rc;
}

/* Bodies in the zip: data/files/<file id>/<name>, after the lines that name them. */
#include "export/formats/bulk/private.h"

#include "common/base/banned.h"

/* In front of the copy's path and the path in the archive. */
struct body {
	uint32_t copy_len, path_len;
};

/* The last part is the name that the file gets. */
static void put_name(struct ark_buf *to, struct ark_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		ark_buf_c(to, c == '/' || c == '\\' || (unsigned char)c < 0x20 ? '_' : c);
	}
	if (name.len == 0 || ark_str_eqz(name, ".") || ark_str_eqz(name, ".."))
		ark_buf_z(to, "unnamed");
}

enum ark_rc bulk_body_add(struct bulk_file *b, const struct export_attachment *f, struct ark_buf *path,
                          struct ark_err *err)
{
	size_t from = path->len;
	ark_buf_fmt(path, "files/%.*s/", ARK_FMT(f->id));
	put_name(path, f->name);
	enum ark_rc rc = ark_buf_ok(path, "the paths of a message's files", err);
	if (rc < 0)
		return rc;
	struct body body = { (uint32_t)f->copy_path.len, (uint32_t)(path->len - from) };
	ark_buf_reset(&b->scratch);
	ark_buf_add(&b->scratch, (const char *)&body, sizeof(body));
	ark_buf_str(&b->scratch, f->copy_path);
	ark_buf_add(&b->scratch, path->data + from, path->len - from);
	return io_spool_add(&b->bodies, io_temp_dir(), b->scratch.data, b->scratch.len, err);
}

static enum ark_rc to_zip(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	struct bulk_file *b = ctx;
	return io_zip_write(b->zip, data, len, err);
}

static enum ark_rc put_one(struct bulk_file *b, const struct body *body, uint64_t at, struct ark_err *err)
{
	size_t len = (size_t)body->copy_len + body->path_len;
	ark_buf_reset(&b->scratch);
	char *space = ark_buf_room(&b->scratch, len);
	if (space == NULL)
		return ark_buf_ok(&b->scratch, "the path of a file", err);
	enum ark_rc rc = io_spool_read(&b->bodies, at, space, len, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&b->key);
	ark_buf_add(&b->key, space, body->copy_len);
	ark_buf_reset(&b->line);
	ark_buf_z(&b->line, MM_BULK_DATA);
	ark_buf_add(&b->line, space + body->copy_len, body->path_len);
	rc = io_zip_entry(b->zip, ark_buf_view(&b->line), IO_ZIP_STORE, err);
	return rc == ARK_OK ? export_out_read(b->run->out, b->key.data, to_zip, b, err) : rc;
}

enum ark_rc bulk_bodies_put(struct bulk_file *b, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (uint64_t at = 0; rc == ARK_OK && at < b->bodies.len;) {
		struct body body;
		rc = io_spool_read(&b->bodies, at, (char *)&body, sizeof(body), err);
		at += sizeof(body);
		if (rc == ARK_OK)
			rc = put_one(b, &body, at, err);
		at += (uint64_t)body.copy_len + body.path_len;
	}
	return rc;
}

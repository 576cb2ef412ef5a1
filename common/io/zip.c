#include "common/io/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/publish.h"

#include "common/base/banned.h"

/* Noon of the first day that a zip can name, whatever the time zone of who looks. */
#define ZIP_DAWN_S 315619200

struct io_zip {
	struct archive *a;
	struct archive_entry *entry;
	bool given_up;
	struct io_publish file; /* unless there is a sink */
	io_zip_sink *sink;
	void *ctx;
	struct ark_err err; /* of a write, behind libarchive's back */
};

static la_ssize_t on_write(struct archive *a, void *ctx, const void *data, size_t len)
{
	struct io_zip *z = ctx;
	if (z->given_up)
		return (la_ssize_t)len;
	enum ark_rc rc = z->sink != NULL ? z->sink(z->ctx, data, len, &z->err)
	                                 : io_publish_write(&z->file, data, len, &z->err);
	if (rc == ARK_OK)
		return (la_ssize_t)len;
	archive_set_error(a, EIO, "%s", z->err.text);
	return -1;
}

static enum ark_rc failed(const struct io_zip *z, struct ark_err *err)
{
	if (z->err.kind == ARK_KIND_NONE)
		return ark_err_stop(err, ARK_KIND_IO, "cannot write '%s': %s",
		                    z->sink != NULL ? "a zip archive" : z->file.path,
		                    archive_error_string(z->a));
	*err = z->err;
	return ARK_STOP;
}

static enum ark_rc open_archive(struct io_zip *z, struct ark_err *err)
{
	z->a = archive_write_new();
	z->entry = archive_entry_new();
	if (z->a == NULL || z->entry == NULL)
		return ark_err_stop(err, ARK_KIND_MEMORY, "out of memory");
	if (archive_write_set_format_zip(z->a) != ARCHIVE_OK ||
	    archive_write_set_format_option(z->a, "zip", "hdrcharset", "UTF-8") != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(z->a, 0) != ARCHIVE_OK ||
	    archive_write_open(z->a, z, NULL, on_write, NULL) != ARCHIVE_OK)
		return failed(z, err);
	return ARK_OK;
}

enum ark_rc io_zip_to(io_zip_sink *sink, void *ctx, struct io_zip **out, struct ark_err *err)
{
	ark_auto(io_zip_freep) struct io_zip *z = ark_calloc(1, sizeof(*z));
	z->file = IO_PUBLISH_NONE;
	z->sink = sink;
	z->ctx = ctx;
	enum ark_rc rc = open_archive(z, err);
	if (rc < 0)
		return rc;
	*out = z;
	z = NULL;
	return ARK_OK;
}

enum ark_rc io_zip_create(const char *path, struct io_zip **out, struct ark_err *err)
{
	ark_auto(io_zip_freep) struct io_zip *z = ark_calloc(1, sizeof(*z));
	z->file = IO_PUBLISH_NONE;
	enum ark_rc rc = io_publish_begin(path, &z->file, err);
	if (rc == ARK_OK)
		rc = open_archive(z, err);
	if (rc < 0)
		return rc;
	*out = z;
	z = NULL;
	return ARK_OK;
}

void io_zip_free(struct io_zip *z)
{
	if (z == NULL)
		return;
	/* archive_write_fail would forget memory: it ends as usual, and nothing of it is written */
	z->given_up = true;
	(void)archive_write_free(z->a);
	archive_entry_free(z->entry);
	io_publish_release(&z->file);
	free(z);
}

void io_zip_freep(struct io_zip **z)
{
	io_zip_free(*z);
}

enum ark_rc io_zip_entry(struct io_zip *z, struct ark_str name, enum io_zip_how how, struct ark_err *err)
{
	ark_auto(ark_freep) char *path = ark_strdup(name);
	archive_entry_clear(z->entry);
	archive_entry_set_pathname_utf8(z->entry, path);
	archive_entry_set_filetype(z->entry, AE_IFREG);
	archive_entry_set_perm(z->entry, 0600);
	archive_entry_set_mtime(z->entry, ZIP_DAWN_S, 0);
	int rc = how == IO_ZIP_STORE ? archive_write_zip_set_compression_store(z->a)
	                             : archive_write_zip_set_compression_deflate(z->a);
	if (rc != ARCHIVE_OK || archive_write_header(z->a, z->entry) != ARCHIVE_OK)
		return failed(z, err);
	return ARK_OK;
}

enum ark_rc io_zip_write(struct io_zip *z, const void *data, size_t len, struct ark_err *err)
{
	const char *at = data;
	while (len > 0) {
		la_ssize_t n = archive_write_data(z->a, at, len);
		if (n <= 0)
			return failed(z, err);
		at += n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

enum ark_rc io_zip_finish(struct io_zip *z, struct ark_err *err)
{
	if (archive_write_close(z->a) != ARCHIVE_OK)
		return failed(z, err);
	return z->sink != NULL ? ARK_OK : io_publish_finish(&z->file, err);
}

#include "common/io/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/publish.h"

#include "common/base/banned.h"

struct io_tar {
	struct io_publish file;
	struct archive *a;
	uint64_t left; /* of the present entry */
};

static enum ark_rc fail(struct io_tar *t, const char *what, struct ark_err *err)
{
	const char *why = archive_error_string(t->a);
	return ark_err_stop(err, ARK_KIND_IO, "cannot write %s: %s", what, why != NULL ? why : "no reason given");
}

enum ark_rc io_tar_begin(const char *path, struct io_tar **out, struct ark_err *err)
{
	ark_auto(io_tar_drop) struct io_tar *t = ark_calloc(1, sizeof(*t));
	t->file = IO_PUBLISH_NONE;
	enum ark_rc rc = io_publish_begin(path, &t->file, err);
	if (rc < 0)
		return rc;
	t->a = archive_write_new();
	if (t->a == NULL)
		ark_bug("no archive writer");
	if (archive_write_set_format_pax_restricted(t->a) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(t->a) != ARCHIVE_OK || archive_write_open_fd(t->a, t->file.fd) != ARCHIVE_OK)
		return fail(t, path, err);
	*out = t;
	t = NULL;
	return ARK_OK;
}

void io_tar_drop(struct io_tar **t)
{
	if (*t == NULL)
		return;
	if ((*t)->a != NULL)
		archive_write_free((*t)->a);
	io_publish_release(&(*t)->file);
	free(*t);
	*t = NULL;
}

enum ark_rc io_tar_entry(struct io_tar *t, const char *name, uint64_t size, int64_t mtime_ms, struct ark_err *err)
{
	if (t->left > 0)
		return ark_err_stop(err, ARK_KIND_IO, "an entry is shorter than was said");
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname_utf8(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, (la_int64_t)size);
	archive_entry_set_mtime(e, (time_t)(mtime_ms / 1000), 0);
	int got = archive_write_header(t->a, e);
	archive_entry_free(e);
	if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
		return fail(t, name, err);
	t->left = size;
	return ARK_OK;
}

enum ark_rc io_tar_add(struct io_tar *t, const char *ptr, size_t len, struct ark_err *err)
{
	if (len > t->left)
		return ark_err_stop(err, ARK_KIND_IO, "an entry is longer than was said");
	t->left -= len;
	while (len > 0) {
		la_ssize_t n = archive_write_data(t->a, ptr, len);
		if (n <= 0)
			return fail(t, "an entry", err);
		ptr += n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

enum ark_rc io_tar_finish(struct io_tar **t, struct ark_err *err)
{
	struct io_tar *x = *t;
	if (x->left > 0)
		return ark_err_stop(err, ARK_KIND_IO, "an entry is shorter than was said");
	if (archive_write_close(x->a) != ARCHIVE_OK)
		return fail(x, "the end of the archive", err);
	enum ark_rc rc = io_publish_finish(&x->file, err);
	io_tar_drop(t);
	return rc;
}

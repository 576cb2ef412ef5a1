/*
 * The zip goes through libarchive: deflate at its default level, zip64 when the entries ask for it,
 * names as they are. The process stays in the C locale, so that libarchive sets no UTF-8 flag:
 * Slack's archives have none either.
 */
#include "bench/gen-slack/out.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define STAMP_S 1750000000 /* time of all entries: the same archive every time */

struct gen_out {
	struct archive *zip;
	struct archive_entry *entry;
	int dir; /* -1 for a zip */
};

void gen_out_free(struct gen_out *o)
{
	if (o == NULL)
		return;
	archive_entry_free(o->entry);
	if (o->zip != NULL)
		archive_write_free(o->zip);
	if (o->dir >= 0)
		close(o->dir);
	free(o);
}

void gen_out_freep(struct gen_out **o)
{
	gen_out_free(*o);
}

static enum ark_rc zip_failed(struct gen_out *o, const char *name, struct ark_err *err)
{
	const char *why = archive_error_string(o->zip);
	return ark_err_stop(err, ARK_KIND_IO, "cannot write '%s': %s", name,
			    why != NULL ? why : "unknown");
}

enum ark_rc gen_out_open(const char *path, bool folder, struct gen_out **out, struct ark_err *err)
{
	ark_auto(gen_out_freep) struct gen_out *o = ark_calloc(1, sizeof(*o));
	o->dir = -1;
	if (folder) {
		if (mkdir(path, 0777) != 0)
			return ark_err_errno(err, errno, "cannot make folder '%s'", path);
		o->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (o->dir < 0)
			return ark_err_errno(err, errno, "cannot open folder '%s'", path);
	} else {
		o->zip = archive_write_new();
		o->entry = archive_entry_new();
		if (o->zip == NULL || o->entry == NULL)
			return ark_err_stop(err, ARK_KIND_MEMORY, "no memory for the archive");
		if (archive_write_set_format_zip(o->zip) != ARCHIVE_OK ||
		    archive_write_set_options(
			o->zip, "zip:compression=deflate,zip:compression-level=6") != ARCHIVE_OK ||
		    archive_write_set_bytes_in_last_block(o->zip, 1) != ARCHIVE_OK ||
		    archive_write_open_filename(o->zip, path) != ARCHIVE_OK)
			return zip_failed(o, path, err);
	}
	*out = o;
	o = NULL;
	return ARK_OK;
}

static enum ark_rc zip_entry(struct gen_out *o, const char *name, mode_t type, struct ark_str body,
			     struct ark_err *err)
{
	archive_entry_clear(o->entry);
	archive_entry_set_pathname(o->entry, name);
	archive_entry_set_filetype(o->entry, type);
	archive_entry_set_perm(o->entry, type == AE_IFDIR ? 0755 : 0644);
	archive_entry_set_size(o->entry, (int64_t)body.len);
	archive_entry_set_mtime(o->entry, STAMP_S, 0);
	if (archive_write_header(o->zip, o->entry) < ARCHIVE_WARN)
		return zip_failed(o, name, err);
	if (body.len > 0 && archive_write_data(o->zip, body.ptr, body.len) != (la_ssize_t)body.len)
		return zip_failed(o, name, err);
	return ARK_OK;
}

enum ark_rc gen_out_folder(struct gen_out *o, const char *name, struct ark_err *err)
{
	if (o->zip != NULL)
		return zip_entry(o, name, AE_IFDIR, ARK_LIT(""), err);
	if (mkdirat(o->dir, name, 0777) != 0)
		return ark_err_errno(err, errno, "cannot make folder '%s'", name);
	return ARK_OK;
}

enum ark_rc gen_out_file(struct gen_out *o, const char *name, struct ark_str body,
			 struct ark_err *err)
{
	if (o->zip != NULL)
		return zip_entry(o, name, AE_IFREG, body, err);
	int fd = openat(o->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot create '%s'", name);
	size_t done = 0;
	while (done < body.len) {
		ssize_t n = write(fd, body.ptr + done, body.len - done);
		if (n < 0) {
			int why = errno;
			close(fd);
			return ark_err_errno(err, why, "cannot write '%s'", name);
		}
		done += (size_t)n;
	}
	if (close(fd) != 0)
		return ark_err_errno(err, errno, "cannot write '%s'", name);
	return ARK_OK;
}

enum ark_rc gen_out_finish(struct gen_out *o, struct ark_err *err)
{
	if (o->zip != NULL && archive_write_close(o->zip) != ARCHIVE_OK)
		return zip_failed(o, "archive", err);
	return ARK_OK;
}

/*
 * Reading the files of an archive (zip, tar; through libarchive) or of a folder, one after another,
 * in place: nothing is unpacked and no name is used as a path. Not for writing, not for random access.
 *
 * Names come out as UTF-8 in NFC with '/' between parts: valid UTF-8 is taken as such whatever the
 * zip's flags say, anything else is read as CP437 (docs/slack-quirks.md "Names in zips").
 */
#ifndef ARK_IO_ARCHIVE_H
#define ARK_IO_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

struct io_archive;

struct io_entry {
	struct ark_str name; /* borrowed until the next call */
	int64_t size_bytes;  /* as the archive says it; -1 when it does not */
	bool unsafe;         /* absolute, with a ".." part or a NUL: to be skipped and counted */
};

/*
 * Open `path`: a folder (its files in sorted order) or an archive file.
 * FAIL: MISSING, INPUT (no archive, cut off), IO. The text names the path.
 */
enum ark_rc io_archive_open(const char *path, struct io_archive **out, struct ark_err *err);
void io_archive_close(struct io_archive *a);      /* NULL is fine */
void io_archive_closep(struct io_archive **a);    /* for ark_auto */

/* The next regular file; ARK_END after the last. Folders, links and devices are passed over.
 * FAIL: this entry's header is damaged, the next call goes on; STOP: nothing more can be read. */
enum ark_rc io_archive_next(struct io_archive *a, struct io_entry *entry, struct ark_err *err);

/* Up to `cap` bytes of the current entry into `to`; *got < cap only at its end (0 when all was read).
 * FAIL: the body is damaged (bad checksum, cut off, encrypted). The *got bytes before the place where
 * that showed were read all the same; nothing comes behind it. */
enum ark_rc io_archive_read(struct io_archive *a, char *to, size_t cap, size_t *got,
                            struct ark_err *err);

/* The whole (rest of the) current entry appended to `out`; FAIL with kind LIMIT when it does not fit
 * under out's ceiling. */
enum ark_rc io_archive_slurp(struct io_archive *a, struct ark_buf *out, struct ark_err *err);

#endif

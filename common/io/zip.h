/*
 * Writing a zip archive (over libarchive), entry after entry, none of them ever whole in memory, zip64
 * where it is needed. The same entries give the same bytes: no clock, no owner. It has its name when it
 * is complete (publish.h). The program must have called setlocale(LC_CTYPE, "C.UTF-8"): libarchive refuses names
 * that its locale cannot show.
 */
#ifndef ARK_IO_ZIP_H
#define ARK_IO_ZIP_H

#include "common/base/err.h"
#include "common/base/str.h"

struct io_zip;

enum io_zip_how {
	IO_ZIP_STORE,   /* bodies that are compressed already: images, archives */
	IO_ZIP_DEFLATE,
};

/* Takes the archive's bytes, in order. */
typedef enum ark_rc io_zip_sink(void *ctx, const void *data, size_t len, struct ark_err *err);

/* Into whatever takes bytes: no file, no name; io_zip_finish only completes the archive. */
enum ark_rc io_zip_to(io_zip_sink *sink, void *ctx, struct io_zip **out, struct ark_err *err);
/* FAIL as io_publish_begin. */
enum ark_rc io_zip_create(const char *path, struct io_zip **out, struct ark_err *err);
/* Gives up what was not finished. NULL is fine. */
void io_zip_free(struct io_zip *z);
void io_zip_freep(struct io_zip **z);

/* Begin the next entry; the one before it is complete. `name`: UTF-8, '/' between parts. */
enum ark_rc io_zip_entry(struct io_zip *z, struct ark_str name, enum io_zip_how how, struct ark_err *err);
enum ark_rc io_zip_write(struct io_zip *z, const void *data, size_t len, struct ark_err *err);
enum ark_rc io_zip_finish(struct io_zip *z, struct ark_err *err);

#endif

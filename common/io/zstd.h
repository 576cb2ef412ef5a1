/*
 * zstd streams. What is written depends on the bytes alone, not on how they were cut into calls: small
 * inputs are one frame with its size, larger ones are fed in equal pieces. One stream compresses in
 * one thread; the streams are the parallelism.
 *
 * The owner says where compressed bytes go to and come from, so this room opens no files here. A
 * compressor and a decompressor are used again for one stream after another (about 4 MB each at
 * level 3). Not thread-safe: one thread at a time.
 */
#ifndef ARK_IO_ZSTD_H
#define ARK_IO_ZSTD_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/base/str.h"

/* The version of the library that runs, "1.5.4": the same version gives the same bytes. */
const char *io_zstd_version(void);

/* --- compressing ------------------------------------------------------------------------------- */

struct io_zstd_out;

/* Takes compressed bytes; a failure ends the stream and comes back from the call that met it. */
typedef enum ark_rc io_write_fn(void *ctx, const void *data, size_t len, struct ark_err *err);

struct io_zstd_out *io_zstd_out_new(int level);
void io_zstd_out_free(struct io_zstd_out *z); /* NULL is fine */
/* A new frame with checksum. What an earlier, unfinished stream still held is dropped. */
void io_zstd_out_begin(struct io_zstd_out *z, io_write_fn *write, void *ctx);
enum ark_rc io_zstd_out_add(struct io_zstd_out *z, const void *data, size_t len, struct ark_err *err);
enum ark_rc io_zstd_out_finish(struct io_zstd_out *z, struct ark_err *err);

/* --- decompressing ----------------------------------------------------------------------------- */

struct io_zstd_in;

/* Fills `space`; *got is 0 at the end. */
typedef enum ark_rc io_read_fn(void *ctx, void *space, size_t cap, size_t *got, struct ark_err *err);

struct io_zstd_in *io_zstd_in_new(void);
void io_zstd_in_free(struct io_zstd_in *z); /* NULL is fine */
void io_zstd_in_freep(struct io_zstd_in **z); /* for ark_auto */
void io_zstd_in_begin(struct io_zstd_in *z, io_read_fn *read, void *ctx);
/*
 * The next piece of plain bytes, borrowed until the next call. ARK_END behind the last frame; FAIL
 * with kind INPUT for damaged or cut-off data, and for frames that want more than 128 MiB of window.
 */
enum ark_rc io_zstd_in_next(struct io_zstd_in *z, struct ark_str *piece, struct ark_err *err);

#endif

/*
 * One zstd frame at a time, in memory, with or without a dictionary; training a dictionary. For many
 * small inputs that share their shape. Not for streams: zstd.h.
 *
 * The same library version, level and dictionary give the same bytes. A packer or unpacker is used
 * again for one frame after another; one thread at a time. A dictionary is only read and may be shared
 * by threads.
 */
#ifndef ARK_IO_FRAME_H
#define ARK_IO_FRAME_H

#include <stdint.h>

#include "common/base/buf.h"

struct io_dict;

/* For compressing at `level` and decompressing; the bytes are copied. FAIL: kind INPUT, no dictionary. */
enum ark_rc io_dict_new(struct ark_str bytes, int level, struct io_dict **out, struct ark_err *err);
void io_dict_free(struct io_dict *d); /* NULL is fine */

/*
 * A dictionary of at most `cap` bytes out of `count` samples that stand one behind the other.
 * FAIL when the samples are too few or too small: go on without one.
 */
enum ark_rc io_dict_train(const char *samples, const size_t *sizes, size_t count, size_t cap,
                          struct ark_buf *out, struct ark_err *err);

struct io_packer;

struct io_packer *io_packer_new(int level);
void io_packer_free(struct io_packer *p); /* NULL is fine */
/* Append one frame with content size; with dict (NULL: none) at its level, with its number inside. */
enum ark_rc io_packer_add(struct io_packer *p, const struct io_dict *dict, struct ark_str plain,
                          struct ark_buf *out, struct ark_err *err);

struct io_unpacker;

struct io_unpacker *io_unpacker_new(void);
void io_unpacker_free(struct io_unpacker *u); /* NULL is fine */
/* Append the content of `frame`, which is exactly one frame. FAIL: INPUT, also when it was made with
 * another dictionary; LIMIT when it does not fit under out's ceiling. */
enum ark_rc io_unpacker_add(struct io_unpacker *u, const struct io_dict *dict, struct ark_str frame,
                            struct ark_buf *out, struct ark_err *err);

/* Eight bytes that make `content_len` bytes behind them a skippable frame: zstd passes over them. */
#define IO_SKIP_HEAD 8
void io_skip_head(uint32_t content_len, unsigned char out[IO_SKIP_HEAD]);

#endif

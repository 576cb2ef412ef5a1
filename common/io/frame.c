#include "common/io/frame.h"

#include <stdlib.h>

#define ZDICT_STATIC_LINKING_ONLY /* training without a search for parameters, which takes seconds */
#include <zdict.h>
#include <zstd.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define SKIP_MAGIC 0x184D2A5Au /* one of the sixteen of RFC 8878 3.1.2 */

struct io_dict {
	ZSTD_CDict *c;
	ZSTD_DDict *d;
	uint32_t number;
};

enum ark_rc io_dict_new(struct ark_str bytes, int level, struct io_dict **out, struct ark_err *err)
{
	uint32_t number = ZDICT_getDictID(bytes.ptr, bytes.len);
	if (number == 0)
		return ark_err_set(err, ARK_KIND_INPUT, "these bytes are no zstd dictionary");
	struct io_dict *d = ark_calloc(1, sizeof(*d));
	d->c = ZSTD_createCDict(bytes.ptr, bytes.len, level);
	d->d = ZSTD_createDDict(bytes.ptr, bytes.len);
	d->number = number;
	if (d->c == NULL || d->d == NULL) {
		io_dict_free(d);
		return ark_err_set(err, ARK_KIND_INPUT, "the zstd dictionary is damaged");
	}
	*out = d;
	return ARK_OK;
}

void io_dict_free(struct io_dict *d)
{
	if (d == NULL)
		return;
	ZSTD_freeCDict(d->c);
	ZSTD_freeDDict(d->d);
	free(d);
}

enum ark_rc io_dict_train(const char *samples, const size_t *sizes, size_t count, size_t cap,
                          struct ark_buf *out, struct ark_err *err)
{
	/* k, d and f as the library's own search usually ends with for text; the search itself costs more
	 * than the whole first copy */
	ZDICT_fastCover_params_t params = { .k = 1024, .d = 8, .f = 20, .accel = 4,
		                            .zParams = { .compressionLevel = 3 } };
	char *to = ark_buf_room(out, cap);
	if (to == NULL)
		return ark_err_set(err, ARK_KIND_LIMIT, "the dictionary is too large");
	if (count > UINT32_MAX)
		return ark_err_set(err, ARK_KIND_LIMIT, "too many samples for a dictionary");
	size_t got = ZDICT_trainFromBuffer_fastCover(to, cap, samples, sizes, (unsigned)count, params);
	if (ZDICT_isError(got))
		return ark_err_set(err, ARK_KIND_INPUT, "no dictionary from these samples: %s",
		                   ZDICT_getErrorName(got));
	out->len += got;
	return ARK_OK;
}

struct io_packer {
	ZSTD_CCtx *ctx;
};

struct io_packer *io_packer_new(int level)
{
	struct io_packer *p = ark_calloc(1, sizeof(*p));
	p->ctx = ZSTD_createCCtx();
	if (p->ctx == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(p->ctx, ZSTD_c_compressionLevel, level)))
		ark_bug("no compressor of level %d", level);
	return p;
}

void io_packer_free(struct io_packer *p)
{
	if (p == NULL)
		return;
	ZSTD_freeCCtx(p->ctx);
	free(p);
}

enum ark_rc io_packer_add(struct io_packer *p, const struct io_dict *dict, struct ark_str plain,
                          struct ark_buf *out, struct ark_err *err)
{
	size_t bound = ZSTD_compressBound(plain.len);
	char *to = ZSTD_isError(bound) ? NULL : ark_buf_room(out, bound);
	if (to == NULL)
		return ark_err_set(err, ARK_KIND_LIMIT, "%zu bytes are too many for one frame", plain.len);
	if (ZSTD_isError(ZSTD_CCtx_refCDict(p->ctx, dict != NULL ? dict->c : NULL)))
		ark_bug("a dictionary was refused");
	size_t got = ZSTD_compress2(p->ctx, to, bound, plain.ptr, plain.len);
	if (ZSTD_isError(got))
		return ark_err_stop(err, ARK_KIND_MEMORY, "cannot compress: %s", ZSTD_getErrorName(got));
	out->len += got;
	out->data[out->len] = '\0';
	return ARK_OK;
}

struct io_unpacker {
	ZSTD_DCtx *ctx;
};

struct io_unpacker *io_unpacker_new(void)
{
	struct io_unpacker *u = ark_calloc(1, sizeof(*u));
	u->ctx = ZSTD_createDCtx();
	if (u->ctx == NULL)
		ark_bug("no decompressor");
	return u;
}

void io_unpacker_free(struct io_unpacker *u)
{
	if (u == NULL)
		return;
	ZSTD_freeDCtx(u->ctx);
	free(u);
}

/* The number of the dictionary that a frame wants; 0 for none. */
static uint32_t io_frame_dict(struct ark_str frame)
{
	return ZSTD_getDictID_fromFrame(frame.ptr, frame.len);
}

enum ark_rc io_unpacker_add(struct io_unpacker *u, const struct io_dict *dict, struct ark_str frame,
                            struct ark_buf *out, struct ark_err *err)
{
	uint32_t number = io_frame_dict(frame);
	if (number != 0 && (dict == NULL || dict->number != number))
		return ark_err_set(err, ARK_KIND_INPUT, "it was compressed with dictionary %u, which is not at hand",
		                   number);
	unsigned long long size = ZSTD_getFrameContentSize(frame.ptr, frame.len);
	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
	    ZSTD_findFrameCompressedSize(frame.ptr, frame.len) != frame.len)
		return ark_err_set(err, ARK_KIND_INPUT, "it is no whole zstd frame");
	if (size > out->ceil - out->len)
		return ark_err_set(err, ARK_KIND_LIMIT, "it says that it holds %llu bytes", size);
	char *to = ark_buf_room(out, (size_t)size);
	if (to == NULL)
		return ark_err_set(err, ARK_KIND_LIMIT, "it says that it holds %llu bytes", size);
	size_t got = number != 0 ?
	                 ZSTD_decompress_usingDDict(u->ctx, to, (size_t)size, frame.ptr, frame.len, dict->d) :
	                 ZSTD_decompressDCtx(u->ctx, to, (size_t)size, frame.ptr, frame.len);
	if (ZSTD_isError(got) || got != size)
		return ark_err_set(err, ARK_KIND_INPUT, "damaged zstd data: %s",
		                   ZSTD_isError(got) ? ZSTD_getErrorName(got) : "wrong length");
	out->len += got;
	out->data[out->len] = '\0';
	return ARK_OK;
}

static void put32(unsigned char *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(v >> (8 * i));
}

void io_skip_head(uint32_t content_len, unsigned char out[IO_SKIP_HEAD])
{
	put32(out, SKIP_MAGIC);
	put32(out + 4, content_len);
}

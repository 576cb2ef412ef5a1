#include "common/io/zstd.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define PIECE_BYTES (128u << 10) /* ZSTD_BLOCKSIZE_MAX: what the library works on at a time */
#define WINDOW_LOG_MAX 27

struct io_zstd_out {
	ZSTD_CCtx *cctx;
	io_write_fn *write;
	void *ctx;
	char *in; /* PIECE_BYTES */
	size_t in_len;
	char *out;
	size_t out_cap;
	bool streaming; /* the first piece has gone */
};

const char *io_zstd_version(void)
{
	return ZSTD_versionString();
}

struct io_zstd_out *io_zstd_out_new(int level)
{
	struct io_zstd_out *z = ark_calloc(1, sizeof(*z));
	z->cctx = ZSTD_createCCtx();
	if (z->cctx == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(z->cctx, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(z->cctx, ZSTD_c_checksumFlag, 1)))
		ark_bug("no compressor of level %d", level);
	z->in = ark_malloc(PIECE_BYTES);
	z->out_cap = ZSTD_compressBound(PIECE_BYTES);
	z->out = ark_malloc(z->out_cap);
	return z;
}

void io_zstd_out_free(struct io_zstd_out *z)
{
	if (z == NULL)
		return;
	ZSTD_freeCCtx(z->cctx);
	free(z->in);
	free(z->out);
	free(z);
}

void io_zstd_out_begin(struct io_zstd_out *z, io_write_fn *write, void *ctx)
{
	ZSTD_CCtx_reset(z->cctx, ZSTD_reset_session_only);
	z->write = write;
	z->ctx = ctx;
	z->in_len = 0;
	z->streaming = false;
}

/* Give what is collected to the library; `end` closes the frame. */
static enum ark_rc feed(struct io_zstd_out *z, ZSTD_EndDirective end, struct ark_err *err)
{
	if (!z->streaming && end == ZSTD_e_end)
		ZSTD_CCtx_setPledgedSrcSize(z->cctx, z->in_len);
	z->streaming = true;
	ZSTD_inBuffer in = { z->in, z->in_len, 0 };
	for (;;) {
		ZSTD_outBuffer out = { z->out, z->out_cap, 0 };
		size_t left = ZSTD_compressStream2(z->cctx, &out, &in, end);
		if (ZSTD_isError(left))
			return ark_err_stop(err, ARK_KIND_MEMORY, "cannot compress: %s", ZSTD_getErrorName(left));
		if (out.pos > 0) {
			enum ark_rc rc = z->write(z->ctx, z->out, out.pos, err);
			if (rc < 0)
				return rc;
		}
		if (end == ZSTD_e_end ? left == 0 : in.pos == in.size)
			break;
	}
	z->in_len = 0;
	return ARK_OK;
}

enum ark_rc io_zstd_out_add(struct io_zstd_out *z, const void *data, size_t len, struct ark_err *err)
{
	const char *at = data;
	while (len > 0) {
		if (z->in_len == PIECE_BYTES) {
			enum ark_rc rc = feed(z, ZSTD_e_continue, err);
			if (rc < 0)
				return rc;
		}
		size_t n = PIECE_BYTES - z->in_len < len ? PIECE_BYTES - z->in_len : len;
		memcpy(z->in + z->in_len, at, n);
		z->in_len += n;
		at += n;
		len -= n;
	}
	return ARK_OK;
}

enum ark_rc io_zstd_out_finish(struct io_zstd_out *z, struct ark_err *err)
{
	return feed(z, ZSTD_e_end, err);
}

struct io_zstd_in {
	ZSTD_DCtx *dctx;
	io_read_fn *read;
	void *ctx;
	char *in;
	size_t in_cap;
	ZSTD_inBuffer have;
	char *out;
	size_t out_cap;
	bool inside; /* a frame has begun and not ended */
	bool full;   /* the last piece filled `out`: there may be more without reading */
};

struct io_zstd_in *io_zstd_in_new(void)
{
	struct io_zstd_in *z = ark_calloc(1, sizeof(*z));
	z->dctx = ZSTD_createDCtx();
	if (z->dctx == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(z->dctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		ark_bug("no decompressor");
	z->in_cap = ZSTD_DStreamInSize();
	z->in = ark_malloc(z->in_cap);
	z->out_cap = ZSTD_DStreamOutSize();
	z->out = ark_malloc(z->out_cap);
	return z;
}

void io_zstd_in_free(struct io_zstd_in *z)
{
	if (z == NULL)
		return;
	ZSTD_freeDCtx(z->dctx);
	free(z->in);
	free(z->out);
	free(z);
}

void io_zstd_in_freep(struct io_zstd_in **z)
{
	io_zstd_in_free(*z);
	*z = NULL;
}

void io_zstd_in_begin(struct io_zstd_in *z, io_read_fn *read, void *ctx)
{
	ZSTD_DCtx_reset(z->dctx, ZSTD_reset_session_only);
	z->read = read;
	z->ctx = ctx;
	z->have = (ZSTD_inBuffer){ z->in, 0, 0 };
	z->inside = z->full = false;
}

enum ark_rc io_zstd_in_next(struct io_zstd_in *z, struct ark_str *piece, struct ark_err *err)
{
	for (;;) {
		if (z->have.pos == z->have.size && !z->full) {
			size_t got = 0;
			enum ark_rc rc = z->read(z->ctx, z->in, z->in_cap, &got, err);
			if (rc < 0)
				return rc;
			if (got == 0 && z->inside)
				return ark_err_set(err, ARK_KIND_INPUT, "the compressed data are cut off");
			if (got == 0)
				return ARK_END;
			z->have = (ZSTD_inBuffer){ z->in, got, 0 };
		}
		ZSTD_outBuffer out = { z->out, z->out_cap, 0 };
		size_t left = ZSTD_decompressStream(z->dctx, &out, &z->have);
		if (ZSTD_isError(left))
			return ark_err_set(err, ARK_KIND_INPUT, "the compressed data are damaged: %s",
			                   ZSTD_getErrorName(left));
		z->inside = left != 0;
		z->full = z->inside && out.pos == out.size;
		if (out.pos > 0) {
			*piece = ark_str_n(z->out, out.pos);
			return ARK_OK;
		}
	}
}

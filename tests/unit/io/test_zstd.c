#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/io/zstd.h"
#include "tests/harness/tap.h"

struct source {
	struct ark_str left;
	size_t piece; /* bytes per read */
};

static enum ark_rc to_buf(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	(void)err;
	ark_buf_add(ctx, data, len);
	return ARK_OK;
}

static enum ark_rc from_source(void *ctx, void *space, size_t cap, size_t *got, struct ark_err *err)
{
	struct source *s = ctx;
	(void)err;
	size_t n = s->left.len < s->piece ? s->left.len : s->piece;
	n = n < cap ? n : cap;
	if (n > 0)
		memcpy(space, s->left.ptr, n);
	s->left = ark_str_from(s->left, n);
	*got = n;
	return ARK_OK;
}

static void pack(struct io_zstd_out *z, struct ark_str text, size_t piece, struct ark_buf *out)
{
	struct ark_err err = { 0 };
	ark_buf_reset(out);
	io_zstd_out_begin(z, to_buf, out);
	for (size_t at = 0; at < text.len; at += piece)
		CHECK(io_zstd_out_add(z, text.ptr + at, text.len - at < piece ? text.len - at : piece, &err) == ARK_OK);
	CHECK(io_zstd_out_finish(z, &err) == ARK_OK);
}

static enum ark_rc unpack(struct ark_str packed, size_t piece, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(io_zstd_in_freep) struct io_zstd_in *z = io_zstd_in_new();
	struct source s = { packed, piece };
	struct ark_str part;
	enum ark_rc rc;
	ark_buf_reset(out);
	io_zstd_in_begin(z, from_source, &s);
	while ((rc = io_zstd_in_next(z, &part, err)) == ARK_OK)
		ark_buf_str(out, part);
	return rc;
}

/* Text of `len` bytes that is neither random nor all the same. */
static void text_of(struct ark_buf *b, size_t len)
{
	ark_buf_reset(b);
	for (unsigned i = 0; b->len < len; i++)
		ark_buf_fmt(b, "{\"id\":%u,\"text\":\"%x\"}\n", i, i * 2654435761u);
	ark_buf_cut(b, len);
}

static void what_goes_in_comes_out(void)
{
	static const size_t SIZES[] = { 0, 1, 100, 131071, 131072, 131073, 262144, 1000000 };
	struct io_zstd_out *z = io_zstd_out_new(3);
	ark_auto(ark_buf_release) struct ark_buf text, packed, plain;
	ark_buf_init(&text, 4u << 20);
	ark_buf_init(&packed, 4u << 20);
	ark_buf_init(&plain, 4u << 20);
	for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
		struct ark_err err = { 0 };
		text_of(&text, SIZES[i]);
		pack(z, ark_buf_view(&text), 50000, &packed);
		CHECK_I64(unpack(ark_buf_view(&packed), 777, &plain, &err), ARK_END);
		CHECK(ark_str_eq(ark_buf_view(&plain), ark_buf_view(&text)));
	}
	io_zstd_out_free(z);
}

static void pieces_do_not_change_the_bytes(void)
{
	struct io_zstd_out *z = io_zstd_out_new(3), *other = io_zstd_out_new(3);
	ark_auto(ark_buf_release) struct ark_buf text, a, b;
	ark_buf_init(&text, 4u << 20);
	ark_buf_init(&a, 4u << 20);
	ark_buf_init(&b, 4u << 20);
	text_of(&text, 700000);
	pack(z, ark_buf_view(&text), 700000, &a);
	pack(other, ark_buf_view(&text), 1, &b); /* and not what was compressed before, either */
	CHECK(ark_str_eq(ark_buf_view(&a), ark_buf_view(&b)));
	pack(z, ark_buf_view(&text), 131072, &b);
	CHECK(ark_str_eq(ark_buf_view(&a), ark_buf_view(&b)));
	io_zstd_out_free(z);
	io_zstd_out_free(other);
}

static void damage_is_told(void)
{
	struct io_zstd_out *z = io_zstd_out_new(3);
	ark_auto(ark_buf_release) struct ark_buf text, packed, plain;
	ark_buf_init(&text, 4u << 20);
	ark_buf_init(&packed, 4u << 20);
	ark_buf_init(&plain, 4u << 20);
	text_of(&text, 300000);
	pack(z, ark_buf_view(&text), 1000, &packed);
	struct ark_err err = { 0 };
	struct ark_str whole = ark_buf_view(&packed);
	CHECK_I64(unpack(ark_str_first(whole, whole.len - 1), 1000, &plain, &err), ARK_FAIL);
	CHECK_STR(ark_str_z(err.text), "the compressed data are cut off");
	packed.data[whole.len / 2] ^= 1;
	CHECK_I64(unpack(whole, 1000, &plain, &err), ARK_FAIL);
	CHECK(strstr(err.text, "the compressed data are damaged") == err.text);
	CHECK_I64(unpack(ARK_LIT("no zstd at all"), 1000, &plain, &err), ARK_FAIL);
	io_zstd_out_free(z);
}

int main(void)
{
	TAP_RUN(what_goes_in_comes_out);
	TAP_RUN(pieces_do_not_change_the_bytes);
	TAP_RUN(damage_is_told);
	return tap_done();
}

/* Previews: sizes as the server makes them, what is no image, what would be too much of one. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "import/fetch/painter.h"
#include "tests/harness/tap.h"

#include "common/base/banned.h"

struct made {
	bool ok;
	struct image_sizes sizes;
	struct ark_buf thumb, preview, mini;
};

static void made_release(struct made *m)
{
	ark_buf_release(&m->thumb);
	ark_buf_release(&m->preview);
	ark_buf_release(&m->mini);
}

static void make(struct ark_str body, struct made *m)
{
	ark_buf_init(&m->thumb, 4u << 20);
	ark_buf_init(&m->preview, 8u << 20);
	ark_buf_init(&m->mini, 64u << 10);
	m->ok = image_make(body, image_sniff(body), &m->sizes, &m->thumb, &m->preview, &m->mini);
}

static void put_le(struct ark_buf *b, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		ark_buf_c(b, (char)(v >> (8 * i)));
}

/* The left half red, the right one blue. */
static void bmp(struct ark_buf *b, uint32_t w, uint32_t h)
{
	uint32_t row = (w * 3 + 3) & ~3u;
	ark_buf_init(b, 256u << 20);
	ark_buf_z(b, "BM");
	put_le(b, 54 + row * h, 4);
	put_le(b, 0, 4);
	put_le(b, 54, 4);
	put_le(b, 40, 4);
	put_le(b, w, 4);
	put_le(b, h, 4);
	put_le(b, 1, 2);
	put_le(b, 24, 2);
	for (int i = 0; i < 6; i++)
		put_le(b, 0, 4);
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++)
			put_le(b, x < w / 2 ? 0xff0000 : 0x0000ff, 3);
		for (uint32_t x = w * 3; x < row; x++)
			ark_buf_c(b, 0);
	}
}

static void check_size(struct ark_str image, int w, int h)
{
	ark_auto(made_release) struct made m;
	make(image, &m);
	CHECK(m.ok);
	CHECK_I64(m.sizes.width, w);
	CHECK_I64(m.sizes.height, h);
}

static void sizes_are_those_of_the_server(void)
{
	static const int CASES[][6] = { /* w, h, thumbnail, preview */
		{ 3000, 2000, 120, 80, 1920, 1280 }, { 2000, 3000, 67, 100, 1920, 2880 },
		{ 40, 20, 120, 60, 40, 20 },         { 100, 100, 100, 100, 100, 100 },
		{ 1920, 10, 120, 1, 1920, 10 },      { 1, 5000, 1, 100, 1, 5000 },
	};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		int w, h;
		image_thumb_size(CASES[i][0], CASES[i][1], &w, &h);
		CHECK_I64(w, CASES[i][2]);
		CHECK_I64(h, CASES[i][3]);
		image_preview_size(CASES[i][0], CASES[i][1], &w, &h);
		CHECK_I64(w, CASES[i][4]);
		CHECK_I64(h, CASES[i][5]);
	}
}

static void a_large_image_shrinks(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_auto(made_release) struct made m;
	bmp(&b, 2400, 1200);
	make(ark_buf_view(&b), &m);
	CHECK(m.ok && !m.sizes.png);
	CHECK_I64(m.sizes.width, 2400);
	CHECK_I64(m.sizes.height, 1200);
	CHECK(image_sniff(ark_buf_view(&m.preview)) == IMAGE_JPEG);
	check_size(ark_buf_view(&m.preview), 1920, 960);
	check_size(ark_buf_view(&m.thumb), 120, 60);
	check_size(ark_buf_view(&m.mini), 16, 16);
}

/* A JPEG that says: turn me by a quarter. */
static void turned_jpeg(struct ark_buf *out, struct ark_str jpeg)
{
	static const char EXIF[] = "\xff\xe1\x00\x22" "Exif\0\0" "MM\0*\0\0\0\x08" "\0\x01"
	                           "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" "\0\0\0\0";
	ark_buf_init(out, 8u << 20);
	ark_buf_add(out, jpeg.ptr, 2);
	ark_buf_add(out, EXIF, sizeof(EXIF) - 1);
	ark_buf_add(out, jpeg.ptr + 2, jpeg.len - 2);
}

static void exif_turns_it_upright(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_auto(ark_buf_release) struct ark_buf turned;
	ark_auto(made_release) struct made straight;
	ark_auto(made_release) struct made m;
	bmp(&b, 300, 200);
	make(ark_buf_view(&b), &straight);
	turned_jpeg(&turned, ark_buf_view(&straight.preview));
	make(ark_buf_view(&turned), &m);
	CHECK(m.ok);
	CHECK_I64(m.sizes.width, 200);
	CHECK_I64(m.sizes.height, 300);
	check_size(ark_buf_view(&m.preview), 200, 300);
	check_size(ark_buf_view(&m.thumb), 67, 100);
}

static void what_is_no_image(void)
{
	static const char *const BODIES[] = { "", "BM", "GIF89a", "\xff\xd8\xff\xe0 not really", "RIFF....WEBPxxxx",
		                              "<html>", "MM\0*" };
	for (size_t i = 0; i < sizeof(BODIES) / sizeof(BODIES[0]); i++) {
		ark_auto(made_release) struct made m;
		make(ark_str_n(BODIES[i], i == 6 ? 4 : strlen(BODIES[i])), &m);
		CHECK(!m.ok);
	}
}

/* Some hundred bytes that say they are fourteen gigabytes of pixels. */
static void a_bomb_is_no_image(void)
{
	static const char PNG[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x06\0\0\0\x1d\xe7\x5d\x1a"
	                          "\0\0\0\0IDAT";
	struct painters *p = painters_new(1);
	struct painted out;
	CHECK(painters_begin(p, 7, ark_str_n(PNG, sizeof(PNG) - 1), IMAGE_PNG));
	CHECK(painters_next(p, true, &out));
	CHECK(!out.ok && out.tag == 7);
	painters_free(p);
}

static void painters_paint_the_same(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_auto(made_release) struct made m;
	bmp(&b, 640, 480);
	make(ark_buf_view(&b), &m);
	ark_auto(painters_freep) struct painters *p = painters_new(2);
	struct painted out;
	CHECK(painters_idle(p) && !painters_next(p, true, &out));
	CHECK(painters_begin(p, 1, ark_buf_view(&b), IMAGE_BMP));
	CHECK(painters_idle(p));
	CHECK(painters_begin(p, 2, ARK_LIT("GIF89a broken"), IMAGE_GIF));
	CHECK(!painters_idle(p));
	bool seen[3] = { false };
	for (int i = 0; i < 2; i++) {
		CHECK(painters_next(p, true, &out));
		seen[out.tag] = true;
		CHECK(out.ok == (out.tag == 1));
		if (out.ok) {
			CHECK(ark_str_eq(out.preview, ark_buf_view(&m.preview)));
			CHECK(ark_str_eq(out.thumb, ark_buf_view(&m.thumb)));
			CHECK(ark_str_eq(out.mini, ark_buf_view(&m.mini)));
		}
	}
	CHECK(seen[1] && seen[2]);
	CHECK(painters_begin_square(p, 2, ark_buf_view(&b), IMAGE_BMP, 128));
	CHECK(painters_next(p, true, &out) && out.ok);
	CHECK(image_sniff(out.preview) == IMAGE_PNG);
	check_size(out.preview, 128, 128);
}

int main(void)
{
	TAP_RUN(sizes_are_those_of_the_server);
	TAP_RUN(a_large_image_shrinks);
	TAP_RUN(exif_turns_it_upright);
	TAP_RUN(what_is_no_image);
	TAP_RUN(a_bomb_is_no_image);
	TAP_RUN(painters_paint_the_same);
	return tap_done();
}

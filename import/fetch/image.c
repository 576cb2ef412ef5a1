/*
 * Why two libraries for JPEG: most images are photographs, and decoding one at an eighth of its size
 * costs a tenth of the time and a sixty-fourth of the memory. libgd is asked for what libturbojpeg
 * does not convert (CMYK).
 */
#include "import/fetch/image.h"

#include <gd.h>
#include <libexif/exif-data.h>
#include <limits.h>
#include <stdlib.h>
#include <turbojpeg.h>

#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define JPEG_QUALITY 90
#define THUMB_WIDTH 120
#define THUMB_HEIGHT 100
#define PREVIEW_WIDTH 1920
#define MINI 16

enum image_kind image_sniff(struct ark_str start)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum image_kind kind;
	} MARKS[] = {
		{ "\xff\xd8\xff", 3, IMAGE_JPEG },      { "\x89PNG\r\n\x1a\n", 8, IMAGE_PNG },
		{ "GIF87a", 6, IMAGE_GIF },             { "GIF89a", 6, IMAGE_GIF },
		{ "BM", 2, IMAGE_BMP },                 { "II*\0", 4, IMAGE_TIFF },
		{ "MM\0*", 4, IMAGE_TIFF },
	};
	for (size_t i = 0; i < sizeof(MARKS) / sizeof(MARKS[0]); i++)
		if (start.len >= MARKS[i].len && memcmp(start.ptr, MARKS[i].bytes, MARKS[i].len) == 0)
			return MARKS[i].kind;
	if (start.len >= 12 && memcmp(start.ptr, "RIFF", 4) == 0 && memcmp(start.ptr + 8, "WEBP", 4) == 0)
		return IMAGE_WEBP;
	return IMAGE_NONE;
}

/* ---- sizes ---- */

static int scaled(int side, int to, int of)
{
	int n = (int)(((int64_t)side * to + of / 2) / of);
	return n < 1 ? 1 : n;
}

void image_thumb_size(int w, int h, int *tw, int *th)
{
	*tw = w > h ? THUMB_WIDTH : scaled(w, THUMB_HEIGHT, h);
	*th = w > h ? scaled(h, THUMB_WIDTH, w) : THUMB_HEIGHT;
}

void image_preview_size(int w, int h, int *pw, int *ph)
{
	*pw = w > PREVIEW_WIDTH ? PREVIEW_WIDTH : w;
	*ph = w > PREVIEW_WIDTH ? scaled(h, PREVIEW_WIDTH, w) : h;
}

/* ---- decoding ---- */

static void image_free(gdImagePtr *im)
{
	if (*im != NULL)
		gdImageDestroy(*im);
}

static void exif_free(ExifData **d)
{
	if (*d != NULL)
		exif_data_unref(*d);
}

/* 1 upright, 2..8 as EXIF numbers them. */
static int orientation(struct ark_str body)
{
	ark_auto(exif_free) ExifData *d = exif_data_new();
	if (d == NULL)
		return 1;
	exif_data_load_data(d, (const unsigned char *)body.ptr, (unsigned)body.len);
	ExifEntry *e = exif_data_get_entry(d, EXIF_TAG_ORIENTATION);
	if (e == NULL || e->format != EXIF_FORMAT_SHORT || e->components != 1)
		return 1;
	int n = exif_get_short(e->data, exif_data_get_byte_order(d));
	return n >= 1 && n <= 8 ? n : 1;
}

static bool too_large(int w, int h)
{
	return w < 1 || h < 1 || (int64_t)w * h > MM_IMAGE_PIXELS;
}

static void tj_free(tjhandle *h)
{
	if (*h != NULL)
		tjDestroy(*h);
}

/* The smallest of the sizes that a JPEG can be decoded at and that is not below the wanted one. */
static tjscalingfactor jpeg_factor(int w, int h, int least_w, int least_h)
{
	tjscalingfactor best = { 1, 1 };
	int n = 0;
	const tjscalingfactor *all = tjGetScalingFactors(&n);
	for (int i = 0; all != NULL && i < n; i++)
		if (all[i].num < all[i].denom && TJSCALED(w, all[i]) >= least_w && TJSCALED(h, all[i]) >= least_h &&
		    TJSCALED(w, all[i]) < TJSCALED(w, best))
			best = all[i];
	return best;
}

/* *w and *h are those of the whole image; what is returned may be smaller, but not below its preview. */
static gdImagePtr decode_jpeg(struct ark_str body, bool turned, int *w, int *h)
{
	ark_auto(tj_free) tjhandle tj = tjInitDecompress();
	int sub, space, pw, ph;
	if (tj == NULL || tjDecompressHeader3(tj, (const unsigned char *)body.ptr, body.len, w, h, &sub,
	                                      &space) != 0 || too_large(*w, *h) ||
	    space == TJCS_CMYK || space == TJCS_YCCK)
		return NULL;
	image_preview_size(turned ? *h : *w, turned ? *w : *h, &pw, &ph);
	tjscalingfactor f = jpeg_factor(*w, *h, turned ? ph : pw, turned ? pw : ph);
	int dw = TJSCALED(*w, f), dh = TJSCALED(*h, f);
	ark_auto(ark_freep) unsigned char *pixels = ark_malloc((size_t)dw * (size_t)dh * 3);
	ark_auto(image_free) gdImagePtr im = gdImageCreateTrueColor(dw, dh);
	/* a warning is a picture that ends early: what is there is shown */
	if (im == NULL || (tjDecompress2(tj, (const unsigned char *)body.ptr, body.len, pixels, dw, 0, dh,
	                                 TJPF_RGB, TJFLAG_FASTDCT) != 0 &&
	                   tjGetErrorCode(tj) != TJERR_WARNING))
		return NULL;
	for (int y = 0; y < dh; y++) {
		const unsigned char *p = pixels + (size_t)y * (size_t)dw * 3;
		for (int x = 0; x < dw; x++, p += 3)
			im->tpixels[y][x] = p[0] << 16 | p[1] << 8 | p[2];
	}
	gdImagePtr out = im;
	im = NULL;
	return out;
}

static void quiet(int priority, const char *format, va_list args)
{
	(void)priority;
	(void)format;
	(void)args;
}

static gdImagePtr decode_other(struct ark_str body, enum image_kind kind, int *w, int *h)
{
	void *data = (void *)(uintptr_t)body.ptr;
	int len = (int)body.len;
	gdImagePtr im = NULL;
	gdSetErrorMethod(quiet); /* libgd prints what it thinks of a damaged image */
	switch (kind) {
	case IMAGE_JPEG: im = gdImageCreateFromJpegPtrEx(len, data, 1); break;
	case IMAGE_PNG: im = gdImageCreateFromPngPtr(len, data); break;
	case IMAGE_GIF: im = gdImageCreateFromGifPtr(len, data); break;
	case IMAGE_WEBP: im = gdImageCreateFromWebpPtr(len, data); break;
	case IMAGE_BMP: im = gdImageCreateFromBmpPtr(len, data); break;
	case IMAGE_TIFF: im = gdImageCreateFromTiffPtr(len, data); break;
	case IMAGE_NONE: break;
	}
	if (im == NULL)
		return NULL;
	*w = gdImageSX(im);
	*h = gdImageSY(im);
	if (too_large(*w, *h) || !gdImagePaletteToTrueColor(im)) {
		gdImageDestroy(im);
		return NULL;
	}
	return im;
}

/* ---- making ---- */

/* Always another image than `im`. */
static gdImagePtr resize(gdImagePtr im, int w, int h)
{
	if (gdImageSX(im) == w && gdImageSY(im) == h)
		return gdImageClone(im);
	gdImageAlphaBlending(im, 0);
	gdImageSaveAlpha(im, 1);
	if (!gdImageSetInterpolationMethod(im, GD_CATMULLROM))
		return NULL;
	return gdImageScale(im, (unsigned)w, (unsigned)h);
}

/* As it is shown: mirrored, turned. Takes `im` over. */
static gdImagePtr upright(gdImagePtr im, int how)
{
	if (im == NULL || how == 1)
		return im;
	bool turned = how >= 5;
	int w = gdImageSX(im), h = gdImageSY(im);
	gdImagePtr out = gdImageCreateTrueColor(turned ? h : w, turned ? w : h);
	for (int y = 0; out != NULL && y < h; y++) {
		for (int x = 0; x < w; x++) {
			/* where the pixel goes. Fact: EXIF 2.3, table 6, Orientation */
			int mx = how == 2 || how == 3 || how == 7 || how == 8 ? w - 1 - x : x;
			int my = how == 3 || how == 4 || how == 6 || how == 7 ? h - 1 - y : y;
			if (turned)
				out->tpixels[mx][my] = im->tpixels[y][x];
			else
				out->tpixels[my][mx] = im->tpixels[y][x];
		}
	}
	gdImageDestroy(im);
	return out;
}

/* Transparent pixels become white: JPEG has none. */
static gdImagePtr flatten(gdImagePtr im)
{
	gdImagePtr out = gdImageCreateTrueColor(gdImageSX(im), gdImageSY(im));
	if (out == NULL)
		return NULL;
	gdImageFilledRectangle(out, 0, 0, gdImageSX(im), gdImageSY(im), 0xffffff);
	gdImageAlphaBlending(out, 1);
	gdImageCopy(out, im, 0, 0, 0, 0, gdImageSX(im), gdImageSY(im));
	return out;
}

static bool encode(gdImagePtr im, bool png, struct ark_buf *out)
{
	int size = 0;
	void *data = NULL;
	if (im == NULL)
		return false;
	if (png) {
		gdImageSaveAlpha(im, 1);
		data = gdImagePngPtr(im, &size);
	} else {
		ark_auto(image_free) gdImagePtr flat = flatten(im);
		if (flat != NULL)
			data = gdImageJpegPtr(flat, &size, JPEG_QUALITY);
	}
	if (data != NULL)
		ark_buf_add(out, data, (size_t)size);
	gdFree(data);
	return data != NULL && !out->failed;
}

/* The whole image, not upright yet, perhaps smaller than it is: *w and *h tell how large. */
static gdImagePtr decode(struct ark_str body, enum image_kind kind, bool turned, int *w, int *h)
{
	*w = *h = 0;
	gdImagePtr im = kind == IMAGE_JPEG ? decode_jpeg(body, turned, w, h) : NULL;
	return im != NULL || (*w > 0 && too_large(*w, *h)) ? im : decode_other(body, kind, w, h);
}

bool image_square(struct ark_str body, enum image_kind kind, int side, struct ark_buf *png)
{
	if (body.len > INT_MAX || kind == IMAGE_NONE)
		return false;
	int how = kind == IMAGE_JPEG ? orientation(body) : 1, w, h;
	ark_auto(image_free) gdImagePtr whole = decode(body, kind, how >= 5, &w, &h);
	if (whole == NULL)
		return false;
	w = gdImageSX(whole);
	h = gdImageSY(whole);
	int cut = w < h ? w : h;
	gdRect middle = { (w - cut) / 2, (h - cut) / 2, cut, cut };
	ark_auto(image_free) gdImagePtr square = gdImageCrop(whole, &middle);
	ark_auto(image_free) gdImagePtr out = square != NULL ? upright(resize(square, side, side), how) : NULL;
	return encode(out, true, png);
}

bool image_make(struct ark_str body, enum image_kind kind, struct image_sizes *out, struct ark_buf *thumb,
                struct ark_buf *preview, struct ark_buf *mini)
{
	if (body.len > INT_MAX || kind == IMAGE_NONE)
		return false;
	int how = kind == IMAGE_JPEG ? orientation(body) : 1, w, h;
	bool turned = how >= 5;
	ark_auto(image_free) gdImagePtr whole = decode(body, kind, turned, &w, &h);
	if (whole == NULL)
		return false;
	int uw = turned ? h : w, uh = turned ? w : h, pw, ph, tw, th;
	image_preview_size(uw, uh, &pw, &ph);
	image_thumb_size(uw, uh, &tw, &th);
	ark_auto(image_free) gdImagePtr large = upright(resize(whole, turned ? ph : pw, turned ? pw : ph), how);
	if (large == NULL)
		return false;
	ark_auto(image_free) gdImagePtr small = resize(large, tw, th);
	ark_auto(image_free) gdImagePtr tiny = small != NULL ? resize(small, MINI, MINI) : NULL;
	*out = (struct image_sizes){ .width = uw, .height = uh, .png = kind == IMAGE_PNG };
	return encode(large, out->png, preview) && encode(small, out->png, thumb) && encode(tiny, false, mini);
}

/*
 * Previews and thumbnails of images, of the sizes and in the formats that a Mattermost server makes.
 * Over libgd, libturbojpeg (JPEGs are decoded no larger than they are needed) and libexif; their types
 * stay here. Works in the calling process: bodies of strangers go through painter.h, which has
 * processes for that.
 *
 * Fact  docs/mattermost-facts.md "Previews"
 */
#ifndef IMPORT_FETCH_IMAGE_H
#define IMPORT_FETCH_IMAGE_H

#include <stdbool.h>

#include "common/base/buf.h"

enum image_kind { IMAGE_NONE, IMAGE_JPEG, IMAGE_PNG, IMAGE_GIF, IMAGE_WEBP, IMAGE_BMP, IMAGE_TIFF };

/* What the first bytes say; the name of a file says anything. */
enum image_kind image_sniff(struct ark_str start);

struct image_sizes {
	int width, height; /* upright, as the original is shown */
	bool png;          /* previews are PNGs; else JPEGs */
};

/*
 * body     the whole file
 * thumb, preview, mini  appended to; `mini` is the 16 by 16 JPEG of fileinfo.minipreview
 * Returns  false when it cannot be decoded, or has more than MM_IMAGE_PIXELS
 */
bool image_make(struct ark_str body, enum image_kind kind, struct image_sizes *out, struct ark_buf *thumb,
                struct ark_buf *preview, struct ark_buf *mini);

/* The middle of the image as a PNG of `side` by `side`, as avatars are. */
bool image_square(struct ark_str body, enum image_kind kind, int side, struct ark_buf *png);

/* Size of the thumbnail and of the preview of an image of w by h: width 120 or height 100, whichever is the longer
 * side; at most 1920 wide. */
void image_thumb_size(int w, int h, int *tw, int *th);
void image_preview_size(int w, int h, int *pw, int *ph);

#endif

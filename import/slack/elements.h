/*
 * Cuts the JSON array in a stream into its elements without reading what is in them: at commas
 * outside strings and brackets on the top level. For files too large to hold and for damaged ones:
 * what cannot be cut is told as a range of bytes, and cutting goes on behind it.
 * Accepts an array, `null`, nothing at all, or one object (bad tools write that).
 */
#ifndef IMPORT_SLACK_ELEMENTS_H
#define IMPORT_SLACK_ELEMENTS_H

#include "common/base/buf.h"

enum slack_cut {
	CUT_ELEMENT,
	CUT_DAMAGED,   /* a stretch that is no element */
	CUT_TOO_LARGE, /* an element of more than LIMIT_MESSAGE bytes */
};

/* Called for each element: its bytes (followed by JSON_PADDING readable ones) and its place in the
 * stream. Where `cut` says that it is none, text is empty and `len` the length of the stretch. */
typedef enum ark_rc (*slack_element_fn)(void *ctx, struct ark_str text, uint64_t offset, uint64_t len,
                                        enum slack_cut cut, struct ark_err *err);

struct slack_elements {
	slack_element_fn fn;
	void *ctx;
	struct ark_buf element; /* bytes of the element under way */
	uint64_t at;            /* stream offset of the next byte */
	uint64_t element_at;    /* stream offset of element's first byte */
	uint64_t bad_at;        /* start of the damaged stretch under way */
	uint64_t bad_len;
	char bad_text[8];       /* its first bytes: `null` is an element, no damage */
	unsigned mark;          /* bytes of a byte order mark seen at the very start */
	int depth;              /* of brackets inside the element */
	bool in_string, escaped;
	bool in_element;
	bool too_large;         /* the element under way passed LIMIT_MESSAGE */
	bool opened, closed;    /* the outer array's brackets */
};

void slack_elements_init(struct slack_elements *e, slack_element_fn fn, void *ctx);
void slack_elements_release(struct slack_elements *e);
/* What fn returns below ARK_OK is passed on. */
enum ark_rc slack_elements_feed(struct slack_elements *e, struct ark_str chunk, struct ark_err *err);
/* The stream is over: an unfinished element becomes a damaged stretch. */
enum ark_rc slack_elements_end(struct slack_elements *e, struct ark_err *err);

#endif

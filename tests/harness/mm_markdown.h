/*
 * A model of how the Mattermost web client (11.6) shows Markdown, to prove that what the import
 * writes looks as it should. Written from what the client was seen to do: it is held against all of
 * fixtures/markdown-rendered.tsv, whose notation it writes. Not fit for production: slow, and it
 * ends the process when a text is too large for it.
 */
#ifndef ARK_TESTS_MM_MARKDOWN_H
#define ARK_TESTS_MM_MARKDOWN_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"

struct mm_options {
	bool latex;      /* EnableLatex and EnableInlineLatex */
	bool decorate;   /* mentions, channels, hashtags, addresses, emoji */
	bool visible;    /* only what people read: no paragraphs, lists as "- x" and "1. x", a bare
	                    link as its text; marks of style and other links stay as tags */
};

/* Append what the client shows for `markdown` (valid UTF-8). */
void mm_render(const struct mm_options *options, struct ark_str markdown, struct ark_buf *out);

/* --- between the files of the model --- */

struct mm_def {
	struct ark_str label, href;
	struct mm_def *next;
};

struct mm {
	const struct mm_options *options;
	struct ark_arena *arena;
	struct mm_def *defs;
	bool in_link;
	bool link_text; /* inside the text of a link: no other links there */
};

struct ark_str mm_keep(struct mm *m, struct ark_str s);
void mm_inline(struct mm *m, struct ark_str src, struct ark_buf *out);
/* HTML text (with entities) with what the client makes of mentions, emoji and so on. */
void mm_text(struct mm *m, struct ark_str html, struct ark_buf *out);
/* HTML text as the browser shows it: entities decoded, & < > written as entities. */
void mm_shown(struct ark_str html, struct ark_buf *out);
/* The same without writing entities: an attribute's value. */
void mm_decoded(struct ark_str html, struct ark_buf *out);
/* As the parser escapes text; `all`: every '&' too. */
void mm_escape(struct ark_str s, bool all, struct ark_buf *out);
/* White space and word characters as JavaScript's \s and \w. */
bool mm_space_at(struct ark_str s, size_t at, size_t *len);
bool mm_word(char c);

#endif

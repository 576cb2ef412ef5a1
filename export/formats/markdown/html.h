/*
 * Mattermost's Markdown as HTML: what a message looked like in the web client, without anything that
 * acts or loads. Parsing is cmark-gfm's; writing is ours, so that nothing from a message can become a
 * tag, an attribute or a request: raw HTML is text, images are links, only harmless addresses are
 * links at all. Not for whole pages: page.h.
 *
 * Fact  fixtures/markdown-rendered.tsv is what the web client made of 407 texts; where we differ on
 *       purpose stands with its reason in fixtures/markdown-html-differences.tsv
 */
#ifndef EXPORT_FORMATS_MARKDOWN_HTML_H
#define EXPORT_FORMATS_MARKDOWN_HTML_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/* Who and what names in a text mean. Every function may be NULL: then no such name is known. */
struct html_names {
	/* "@bob": is there such a user? `name` in lower case, without the "@". */
	bool (*user)(void *ctx, struct ark_str name);
	/* "~town-square": its shown name, and where its pages are (NONE: nowhere); else false. */
	bool (*channel)(void *ctx, struct ark_str name, struct ark_str *title, struct ark_str *href);
	/* ":smile:": the characters it stands for (empty: an emoji that only this server has); else false. */
	bool (*emoji)(void *ctx, struct ark_str name, struct ark_str *unicode);
	void *ctx;
};

/* Append `text` (valid UTF-8; other bytes are replaced) as HTML. Bounded by out's ceiling. */
void html_markdown(struct ark_str text, const struct html_names *names, struct ark_buf *out);

/* Append text for an element or a quoted attribute: & < > " ' escaped, control characters replaced,
 * bidirectional controls shown as what they are instead of acting. */
void html_escape(struct ark_str text, struct ark_buf *out);

#endif

/*
 * The tree that cmark-gfm makes of a message, written as HTML. Two things are ours and not
 * CommonMark's: a single line break stays one, and names in text become what they mean.
 */
#include "export/formats/markdown/html.h"

#include <cmark-gfm-core-extensions.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "export/formats/markdown/decorate.h"
#include "export/formats/markdown/tree.h"

#include "common/base/banned.h"

static bool is_bidi_control(uint32_t r)
{
	return (r >= 0x202A && r <= 0x202E) || (r >= 0x2066 && r <= 0x2069) || r == 0x200E || r == 0x200F ||
	       r == 0x061C;
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case 0x7f:
		return "\xEF\xBF\xBD";
	default:
		return (unsigned char)c < 0x20 && c != '\n' && c != '\t' ? "\xEF\xBF\xBD" : NULL;
	}
}

void html_escape(struct ark_str text, struct ark_buf *out)
{
	size_t from = 0, len = 1;
	for (size_t i = 0; i < text.len; i += len) {
		const char *with = entity_of(text.ptr[i]);
		char control[16];
		len = 1;
		if ((unsigned char)text.ptr[i] >= 0xC2) {
			uint32_t r = ark_utf8_at(text, i, &len);
			if (is_bidi_control(r)) {
				snprintf(control, sizeof(control), "[U+%04X]", (unsigned)r);
				with = control;
			}
		}
		if (with == NULL)
			continue;
		ark_buf_add(out, text.ptr + from, i - from);
		ark_buf_z(out, with);
		from = i + len;
	}
	ark_buf_str(out, ark_str_from(text, from));
}

struct writer {
	const struct html_names *names;
	struct ark_buf *out;
	unsigned links; /* inside so many */
};

/* What may be a link: nothing that a browser would run. A scheme-less address is one of the web. */
static bool put_href(struct writer *w, const char *url)
{
	static const char *const GOOD[] = { "http://", "https://", "ftp://", "mailto:", "tel:" };
	if (url == NULL || url[0] == '\0')
		return false;
	size_t scheme = strcspn(url, ":/?#");
	bool has_scheme = url[scheme] == ':', good = !has_scheme;
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
		good = good || strncasecmp(url, GOOD[i], strlen(GOOD[i])) == 0;
	if (!good)
		return false;
	ark_buf_z(w->out, "<a href=\"");
	if (!has_scheme)
		ark_buf_z(w->out, strncmp(url, "//", 2) == 0 ? "http:" : "http://");
	html_escape(ark_str_z(url), w->out);
	ark_buf_z(w->out, "\" rel=\"noreferrer\">");
	return true;
}

/* The tag is kept on the node, so that the end of a link that was none writes none either. */
static void put_link(struct writer *w, cmark_node *node, bool enter)
{
	if (enter) {
		bool made = w->links == 0 && put_href(w, cmark_node_get_url(node));
		cmark_node_set_user_data(node, made ? w : NULL);
		w->links += made;
	} else if (cmark_node_get_user_data(node) != NULL) {
		ark_buf_z(w->out, "</a>");
		w->links--;
	}
}

static void put_image(struct writer *w, cmark_node *node, bool enter)
{
	if (enter) {
		put_link(w, node, true);
		ark_buf_z(w->out, "<span class=\"image\">");
		if (cmark_node_first_child(node) == NULL)
			ark_buf_z(w->out, "image");
	} else {
		ark_buf_z(w->out, "</span>");
		put_link(w, node, false);
	}
}

static void put_code_block(struct writer *w, cmark_node *node)
{
	const char *info = cmark_node_get_fence_info(node);
	struct ark_str body = markdown_literal(node);
	ark_buf_z(w->out, "<pre");
	if (info != NULL && info[0] != '\0') {
		ark_buf_z(w->out, " data-lang=\"");
		html_escape(ark_str_n(info, strcspn(info, " \t")), w->out);
		ark_buf_c(w->out, '"');
	}
	ark_buf_z(w->out, "><code>");
	if (body.len > 0 && body.ptr[body.len - 1] == '\n')
		body.len--;
	html_escape(body, w->out);
	ark_buf_z(w->out, "</code></pre>");
}

static void put_list(struct writer *w, cmark_node *node, bool enter)
{
	bool ordered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST;
	if (!enter)
		ark_buf_z(w->out, ordered ? "</ol>" : "</ul>");
	else if (!ordered)
		ark_buf_z(w->out, "<ul>");
	else
		ark_buf_fmt(w->out, "<ol start=\"%d\">", cmark_node_get_list_start(node));
}

static bool in_tight_item(cmark_node *node)
{
	cmark_node *item = cmark_node_parent(node);
	cmark_node *list = item != NULL ? cmark_node_parent(item) : NULL;
	return list != NULL && cmark_node_get_type(list) == CMARK_NODE_LIST && cmark_node_get_list_tight(list);
}

static void put_tag(struct writer *w, const char *tag, bool enter)
{
	ark_buf_fmt(w->out, enter ? "<%s>" : "</%s>", tag);
}

/* Kinds that extensions add have numbers only at run time; their names are fixed. */
static void put_extension(struct writer *w, cmark_node *node, bool enter)
{
	const char *kind = cmark_node_get_type_string(node);
	if (strcmp(kind, "strikethrough") == 0) {
		put_tag(w, "del", enter);
	} else if (strcmp(kind, "table") == 0) {
		ark_buf_z(w->out, enter ? "<div class=\"table\"><table>" : "</table></div>");
	} else if (strcmp(kind, "table_row") == 0 || strcmp(kind, "table_header") == 0) {
		put_tag(w, "tr", enter);
	} else if (strcmp(kind, "table_cell") == 0) {
		cmark_node *row = cmark_node_parent(node);
		bool head = row != NULL && strcmp(cmark_node_get_type_string(row), "table_header") == 0;
		put_tag(w, head ? "th" : "td", enter);
	} else if (strcmp(kind, "tasklist") == 0) {
		ark_buf_z(w->out, !enter ? "</li>" : cmark_gfm_extensions_get_tasklist_item_checked(node)
		                  ? "<li class=\"task\">\xE2\x98\x91 "
		                  : "<li class=\"task\">\xE2\x98\x90 ");
	}
}

static void put_leaf(struct writer *w, cmark_node *node)
{
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_TEXT:
		if (markdown_is_bare_address(node))
			html_escape(markdown_literal(node), w->out);
		else
			html_decorate(markdown_literal(node), w->names, w->links > 0, w->out);
		break;
	case CMARK_NODE_SOFTBREAK:
	case CMARK_NODE_LINEBREAK:
		ark_buf_z(w->out, "<br>\n");
		break;
	case CMARK_NODE_CODE:
		ark_buf_z(w->out, "<code>");
		html_escape(markdown_literal(node), w->out);
		ark_buf_z(w->out, "</code>");
		break;
	case CMARK_NODE_HTML_INLINE:
	case CMARK_NODE_HTML_BLOCK:
		html_escape(markdown_literal(node), w->out);
		break;
	case CMARK_NODE_CODE_BLOCK:
		put_code_block(w, node);
		break;
	case CMARK_NODE_THEMATIC_BREAK:
		ark_buf_z(w->out, "<hr>");
		break;
	default:
		break;
	}
}

static void put_node(struct writer *w, cmark_node *node, bool enter)
{
	static const char *const HEADINGS[] = { "h1", "h2", "h3", "h4", "h5", "h6" };
	int level;
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_BLOCK_QUOTE:
		put_tag(w, "blockquote", enter);
		break;
	case CMARK_NODE_LIST:
		put_list(w, node, enter);
		break;
	case CMARK_NODE_ITEM:
		if (strcmp(cmark_node_get_type_string(node), "tasklist") == 0)
			put_extension(w, node, enter);
		else
			put_tag(w, "li", enter);
		break;
	case CMARK_NODE_PARAGRAPH:
		if (!in_tight_item(node))
			put_tag(w, "p", enter);
		break;
	case CMARK_NODE_HEADING:
		level = cmark_node_get_heading_level(node);
		put_tag(w, HEADINGS[level >= 1 && level <= 6 ? level - 1 : 5], enter);
		break;
	case CMARK_NODE_EMPH:
		put_tag(w, "em", enter);
		break;
	case CMARK_NODE_STRONG:
		put_tag(w, "strong", enter);
		break;
	case CMARK_NODE_LINK:
		put_link(w, node, enter);
		break;
	case CMARK_NODE_IMAGE:
		put_image(w, node, enter);
		break;
	default:
		put_extension(w, node, enter);
		put_leaf(w, node);
	}
}

void html_markdown(struct ark_str text, const struct html_names *names, struct ark_buf *out)
{
	struct writer w = { .names = names, .out = out };
	cmark_node *root = markdown_tree(text);
	cmark_iter *iter = cmark_iter_new(root);
	for (cmark_event_type event; (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE;) {
		cmark_node *node = cmark_iter_get_node(iter);
		if (node != root)
			put_node(&w, node, event == CMARK_EVENT_ENTER);
	}
	cmark_iter_free(iter);
	cmark_node_free(root);
}

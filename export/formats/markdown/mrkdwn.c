#include "export/formats/markdown/mrkdwn.h"

#include <stdio.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/mm/emoji.h"
#include "export/formats/markdown/tree.h"

#include "common/base/banned.h"

#define DEPTH_MAX 100 /* of nodes; what is deeper is written as its bare text */
#define TEXT_MAX  (LIMIT_TEXT)

struct writer {
	const struct mrkdwn_names *names;
	struct ark_buf *out;
	unsigned depth;
	unsigned lists; /* inside so many */
	bool in_link;
};

/* Append text with the three escapes that Slack writes: & < > */
static void mrkdwn_escape(struct ark_str text, struct ark_buf *out)
{
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c != '&' && c != '<' && c != '>')
			continue;
		ark_buf_add(out, text.ptr + from, i - from);
		ark_buf_z(out, c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;");
		from = i + 1;
	}
	ark_buf_str(out, ark_str_from(text, from));
}

void mrkdwn_emoji(struct ark_str name, struct ark_buf *out)
{
	static const char *const TONES[] = { "_light_skin_tone", "_medium_light_skin_tone", "_medium_skin_tone",
		                             "_medium_dark_skin_tone", "_dark_skin_tone" };
	/* the longer ones first: "_medium_light_skin_tone" ends in "_light_skin_tone" too */
	static const unsigned ORDER[] = { 1, 3, 2, 0, 4 };
	for (size_t i = 0; i < 5; i++) {
		struct ark_str tone = ark_str_z(TONES[ORDER[i]]);
		struct ark_str base = ark_str_first(name, name.len - (tone.len < name.len ? tone.len : 0));
		if (!ark_str_ends(name, tone) || mm_emoji(name) == NULL || mm_emoji(base) == NULL)
			continue;
		ark_buf_str(out, base);
		ark_buf_fmt(out, "::skin-tone-%u", ORDER[i] + 2);
		return;
	}
	ark_buf_str(out, name);
}

/* --- names in text --- */

static bool word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool name_byte(char c)
{
	return word(c) || c == '.' || c == '-';
}

static size_t name_len(struct ark_str s, size_t from)
{
	size_t end = from;
	while (end < s.len && name_byte(s.ptr[end]))
		end++;
	return end - from;
}

static bool put_broadcast(struct ark_buf *out, struct ark_str name)
{
	static const char *const ALL[][2] = { { "here", "<!here>" },
		                              { "channel", "<!channel>" },
		                              { "all", "<!everyone>" } };
	for (size_t i = 0; i < 3; i++) {
		if (ark_str_eqz(name, ALL[i][0])) {
			ark_buf_z(out, ALL[i][1]);
			return true;
		}
	}
	return false;
}

/* Each returns how much it took. Trailing marks belong to the sentence unless the name has them. */
static size_t put_mention(struct writer *w, struct ark_str s, size_t i)
{
	char low[MM_USERNAME_BYTES];
	size_t len = name_len(s, i + 1);
	if (len > sizeof(low) || (i > 0 && name_byte(s.ptr[i - 1])))
		return 0;
	for (size_t k = 0; k < len; k++) {
		char c = s.ptr[i + 1 + k];
		low[k] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	for (; len > 0; len--) {
		struct ark_str name = ark_str_n(low, len), id;
		if (put_broadcast(w->out, name))
			return 1 + len;
		if (w->names->user(w->names->ctx, name, &id)) {
			ark_buf_fmt(w->out, "<@%.*s>", ARK_FMT(id));
			return 1 + len;
		}
		if (strchr("._-", low[len - 1]) == NULL)
			return 0;
	}
	return 0;
}

static size_t put_channel(struct writer *w, struct ark_str s, size_t i)
{
	size_t len = name_len(s, i + 1);
	if (i > 0 && word(s.ptr[i - 1]))
		return 0;
	for (; len > 0; len--) {
		struct ark_str name = ark_str_n(s.ptr + i + 1, len), id, title;
		if (w->names->channel(w->names->ctx, name, &id, &title)) {
			ark_buf_fmt(w->out, "<#%.*s|", ARK_FMT(id));
			mrkdwn_escape(title, w->out);
			ark_buf_c(w->out, '>');
			return 1 + len;
		}
		if (strchr("._-", name.ptr[len - 1]) == NULL)
			return 0;
	}
	return 0;
}

static size_t put_emoji(struct writer *w, struct ark_str s, size_t i)
{
	size_t end = i + 1;
	while (end < s.len && (word(s.ptr[end]) || s.ptr[end] == '+' || s.ptr[end] == '-'))
		end++;
	if (end == i + 1 || end >= s.len || s.ptr[end] != ':' ||
	    mm_emoji(ark_str_n(s.ptr + i + 1, end - i - 1)) == NULL)
		return 0;
	ark_buf_c(w->out, ':');
	mrkdwn_emoji(ark_str_n(s.ptr + i + 1, end - i - 1), w->out);
	ark_buf_c(w->out, ':');
	return end + 1 - i;
}

static void put_text(struct writer *w, struct ark_str s)
{
	size_t plain = 0;
	for (size_t i = 0; i < s.len;) {
		char c = s.ptr[i];
		size_t took = 0;
		if (!w->in_link && (c == '@' || c == '~' || c == ':')) {
			mrkdwn_escape(ark_str_n(s.ptr + plain, i - plain), w->out);
			plain = i;
			took = c == '@' ? put_mention(w, s, i) : c == '~' ? put_channel(w, s, i) : put_emoji(w, s, i);
		}
		i += took > 0 ? took : 1;
		if (took > 0)
			plain = i;
	}
	mrkdwn_escape(ark_str_from(s, plain), w->out);
}

/* --- nodes --- */

static void put_node(struct writer *w, cmark_node *node);

static void put_children(struct writer *w, cmark_node *node)
{
	for (cmark_node *n = cmark_node_first_child(node); n != NULL; n = cmark_node_next(n))
		put_node(w, n);
}

static void put_around(struct writer *w, cmark_node *node, const char *mark)
{
	ark_buf_z(w->out, mark);
	put_children(w, node);
	ark_buf_z(w->out, mark);
}

/* Blocks stand on lines of their own. */
static void new_line(struct ark_buf *out)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		ark_buf_c(out, '\n');
}

/* What `node` holds, line by line behind `first` and then `rest`. */
static void put_indented(struct writer *w, cmark_node *node, const char *first, const char *rest)
{
	ark_auto(ark_buf_release) struct ark_buf inner;
	ark_buf_init(&inner, TEXT_MAX);
	struct ark_buf *outer = w->out;
	w->out = &inner;
	put_children(w, node);
	w->out = outer;
	while (inner.len > 0 && inner.data[inner.len - 1] == '\n')
		ark_buf_cut(&inner, inner.len - 1);
	new_line(outer);
	ark_buf_z(outer, first);
	for (size_t i = 0; i < inner.len; i++) {
		ark_buf_c(outer, inner.data[i]);
		if (inner.data[i] == '\n')
			ark_buf_z(outer, rest);
	}
	ark_buf_c(outer, '\n');
}

static void put_list(struct writer *w, cmark_node *node)
{
	static const char *const BULLETS[] = { "\xE2\x80\xA2 ", "\xE2\x97\xA6 ", "\xE2\x96\xAA\xEF\xB8\x8E " };
	bool ordered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST;
	int number = cmark_node_get_list_start(node);
	unsigned level = w->lists++;
	for (cmark_node *n = cmark_node_first_child(node); n != NULL; n = cmark_node_next(n)) {
		char mark[24];
		if (ordered)
			snprintf(mark, sizeof(mark), "%d. ", number++);
		else
			snprintf(mark, sizeof(mark), "%s", BULLETS[level < 3 ? level : 2]);
		put_indented(w, n, mark, "    ");
	}
	w->lists--;
}

static void put_link(struct writer *w, cmark_node *node)
{
	const char *url = cmark_node_get_url(node);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, TEXT_MAX);
	struct ark_buf *outer = w->out;
	bool nested = w->in_link;
	w->out = &text;
	w->in_link = true;
	put_children(w, node);
	w->out = outer;
	w->in_link = nested;
	ark_auto(ark_buf_release) struct ark_buf address;
	ark_buf_init(&address, TEXT_MAX);
	mrkdwn_escape(ark_str_z(url != NULL ? url : ""), &address);
	if (nested || address.len == 0) {
		ark_buf_str(outer, ark_buf_view(&text));
		return;
	}
	ark_buf_c(outer, '<');
	ark_buf_str(outer, ark_buf_view(&address));
	if (text.len > 0 && !ark_str_eq(ark_buf_view(&text), ark_buf_view(&address))) {
		ark_buf_c(outer, '|');
		for (size_t i = 0; i < text.len; i++)
			ark_buf_c(outer, text.data[i] == '\n' ? ' ' : text.data[i]);
	}
	ark_buf_c(outer, '>');
}

static void put_code_block(struct writer *w, cmark_node *node)
{
	struct ark_str body = markdown_literal(node);
	if (body.len > 0 && body.ptr[body.len - 1] == '\n')
		body.len--;
	new_line(w->out);
	ark_buf_z(w->out, "```");
	mrkdwn_escape(body, w->out);
	ark_buf_z(w->out, "```\n");
}

/* Between blocks a blank line, inside of lists none. */
static void end_block(struct writer *w, cmark_node *node)
{
	new_line(w->out);
	if (w->lists == 0 && cmark_node_next(node) != NULL)
		ark_buf_c(w->out, '\n');
}

static void put_row(struct writer *w, cmark_node *row)
{
	for (cmark_node *n = cmark_node_first_child(row); n != NULL; n = cmark_node_next(n)) {
		put_children(w, n);
		ark_buf_z(w->out, cmark_node_next(n) != NULL ? " | " : "\n");
	}
}

static void put_other(struct writer *w, cmark_node *node)
{
	const char *kind = cmark_node_get_type_string(node);
	if (strcmp(kind, "strikethrough") == 0)
		put_around(w, node, "~");
	else if (strcmp(kind, "table_row") == 0 || strcmp(kind, "table_header") == 0)
		put_row(w, node);
	else
		put_children(w, node);
	if (strcmp(kind, "table") == 0)
		end_block(w, node);
}

static void put_inline(struct writer *w, cmark_node *node)
{
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_TEXT:
		if (markdown_is_bare_address(node))
			mrkdwn_escape(markdown_literal(node), w->out);
		else
			put_text(w, markdown_literal(node));
		break;
	case CMARK_NODE_SOFTBREAK:
	case CMARK_NODE_LINEBREAK:
		ark_buf_c(w->out, '\n');
		break;
	case CMARK_NODE_CODE:
		ark_buf_c(w->out, '`');
		mrkdwn_escape(markdown_literal(node), w->out);
		ark_buf_c(w->out, '`');
		break;
	case CMARK_NODE_HTML_INLINE:
	case CMARK_NODE_HTML_BLOCK:
		mrkdwn_escape(markdown_literal(node), w->out);
		break;
	case CMARK_NODE_STRONG:
		put_around(w, node, "*");
		break;
	case CMARK_NODE_EMPH:
		put_around(w, node, "_");
		break;
	case CMARK_NODE_LINK:
	case CMARK_NODE_IMAGE:
		put_link(w, node);
		break;
	default:
		put_other(w, node);
	}
}

/* Whatever text is in there, without recursion. */
static void put_flat(struct writer *w, cmark_node *node)
{
	cmark_iter *iter = cmark_iter_new(node);
	for (cmark_event_type event; (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE;)
		if (event == CMARK_EVENT_ENTER)
			mrkdwn_escape(markdown_literal(cmark_iter_get_node(iter)), w->out);
	cmark_iter_free(iter);
}

static void put_node(struct writer *w, cmark_node *node)
{
	if (++w->depth > DEPTH_MAX) {
		put_flat(w, node);
		w->depth--;
		return;
	}
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_PARAGRAPH:
		put_children(w, node);
		end_block(w, node);
		break;
	case CMARK_NODE_HEADING:
		put_around(w, node, "*");
		end_block(w, node);
		break;
	case CMARK_NODE_BLOCK_QUOTE:
		put_indented(w, node, "&gt; ", "&gt; ");
		end_block(w, node);
		break;
	case CMARK_NODE_LIST:
		put_list(w, node);
		end_block(w, node);
		break;
	case CMARK_NODE_CODE_BLOCK:
		put_code_block(w, node);
		end_block(w, node);
		break;
	case CMARK_NODE_THEMATIC_BREAK:
		ark_buf_z(w->out, "---");
		end_block(w, node);
		break;
	default:
		put_inline(w, node);
	}
	w->depth--;
}

void mrkdwn_put(struct ark_str text, const struct mrkdwn_names *names, struct ark_buf *out)
{
	struct writer w = { .names = names, .out = out };
	size_t begin = out->len;
	cmark_node *root = markdown_tree(text);
	put_children(&w, root);
	cmark_node_free(root);
	while (out->len > begin && out->data[out->len - 1] == '\n')
		ark_buf_cut(out, out->len - 1);
}

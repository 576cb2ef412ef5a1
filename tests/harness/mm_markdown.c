/*
 * Blocks as the client shows them, in the notation of fixtures/markdown-rendered.tsv.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/harness/mm_blocks.h"

static char at(struct ark_str s, size_t i)
{
	return i < s.len ? s.ptr[i] : '\0';
}

static size_t line_end(struct ark_str s, size_t i)
{
	size_t e = ark_str_find(s, '\n', i);
	return e == SIZE_MAX ? s.len : e;
}

struct show {
	struct mm *m;
	const struct toks *l;
	size_t at;
	struct ark_buf *out;
};

static const struct tok *peek(const struct show *s)
{
	return s->at < s->l->n ? &s->l->t[s->at] : NULL;
}

static void tag(struct show *s, const char *z)
{
	if (!s->m->options->visible)
		ark_buf_z(s->out, z);
}

/* In the visible form: things that stand on lines of their own. */
static void apart(struct show *s)
{
	if (s->m->options->visible)
		ark_buf_c(s->out, '\n');
}

static void show_code(struct show *s, const struct tok *t)
{
	struct ark_str lang = ark_str_trim(t->more);
	if (t->text.len == 0)
		return;
	if (ark_str_eqz(lang, "latex") || ark_str_eqz(lang, "tex")) {
		ark_buf_fmt(s->out, "{math:%.*s}", ARK_FMT(t->text));
		return;
	}
	ark_buf_z(s->out, ark_str_eqz(lang, "c")    ? "<pre C/C++>"
			  : ark_str_eqz(lang, "js") ? "<pre JavaScript>"
						    : "<pre>");
	ark_auto(ark_buf_release) struct ark_buf html;
	ark_buf_init(&html, 10 * t->text.len + 10);
	mm_escape(t->text, true, &html);
	mm_shown(ark_buf_view(&html), s->out);
	ark_buf_z(s->out, "</pre>");
}

static void show_cells(struct show *s, struct ark_str row, const char *cell, bool strip)
{
	row = ark_str_trim(row);
	if (strip && row.len > 0 && row.ptr[0] == '|')
		row = ark_str_from(row, 1);
	if (strip && row.len > 0 && row.ptr[row.len - 1] == '|')
		row.len--;
	row = ark_str_trim(row);
	ark_buf_z(s->out, "<tr>");
	for (size_t from = 0, i = 0; i < row.len; i++) {
		bool pipe = row.ptr[i] == '|' && (i == 0 || row.ptr[i - 1] != '\\');
		bool last = i + 1 == row.len;
		for (int n = 0; n < pipe + last; n++) {
			size_t to = pipe && n == 0 ? i : row.len;
			ark_buf_fmt(s->out, "<%s>", cell);
			mm_inline(s->m, ark_str_trim(ark_str_n(row.ptr + from, to - from)), s->out);
			ark_buf_fmt(s->out, "</%s>", cell);
			from = i + 1;
		}
	}
	ark_buf_z(s->out, "</tr>");
}

static void show_table(struct show *s, const struct tok *t)
{
	ark_buf_z(s->out, "<table>");
	show_cells(s, t->text, "th", t->ordered);
	for (size_t i = 0; i < t->more.len;) {
		size_t e = line_end(t->more, i);
		show_cells(s, ark_str_n(t->more.ptr + i, e - i), "td", t->ordered);
		i = e + 1;
	}
	ark_buf_z(s->out, "</table>");
}

/* Lines of text that follow each other are one text. */
static void show_lines(struct show *s, struct ark_buf *to)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 64u << 20);
	ark_buf_str(&text, s->l->t[s->at++].text);
	while (peek(s) != NULL && peek(s)->type == TOK_TEXT) {
		ark_buf_c(&text, '\n');
		ark_buf_str(&text, s->l->t[s->at++].text);
	}
	mm_inline(s->m, ark_buf_view(&text), to);
}

static void show_tok(struct show *s);

static void show_item(struct show *s, const struct tok *t)
{
	ark_auto(ark_buf_release) struct ark_buf body;
	ark_buf_init(&body, 64u << 20);
	struct ark_buf *out = s->out;
	s->out = &body;
	while (peek(s)->type != TOK_ITEM_END) {
		if (peek(s)->type == TOK_TEXT && t->type == TOK_ITEM)
			show_lines(s, &body);
		else
			show_tok(s);
	}
	s->at++;
	s->out = out;
	struct ark_str text = ark_buf_view(&body);
	if (s->m->options->visible) {
		if (t->ordered)
			ark_buf_fmt(out, "\n%ld. ", t->n);
		else
			ark_buf_z(out, "\n- ");
		ark_buf_str(out, text);
		return;
	}
	ark_buf_z(out, "<li>");
	if (text.len >= 4 && text.ptr[0] == '[' && strchr(" |xX", text.ptr[1]) != NULL &&
	    text.ptr[2] == ']' && text.ptr[3] == ' ') {
		ark_buf_z(out, "{checkbox} ");
		text = ark_str_from(text, 4);
	}
	ark_buf_str(out, text);
	ark_buf_z(out, "</li>");
}

static void show_list(struct show *s, const struct tok *t)
{
	if (!s->m->options->visible) {
		if (t->ordered)
			ark_buf_fmt(s->out, "<ol %ld>", t->n);
		else
			ark_buf_z(s->out, "<ul>");
	}
	while (peek(s)->type != TOK_LIST_END)
		show_tok(s);
	s->at++;
	tag(s, t->ordered ? "</ol>" : "</ul>");
	apart(s);
}

static void show_tok(struct show *s)
{
	const struct tok *t = &s->l->t[s->at++];
	switch (t->type) {
	case TOK_CODE: show_code(s, t); break;
	case TOK_HEADING:
		ark_buf_fmt(s->out, "<h%ld>", t->n);
		mm_inline(s->m, t->text, s->out);
		ark_buf_fmt(s->out, "</h%ld>", t->n);
		break;
	case TOK_HR: ark_buf_z(s->out, "<hr></hr>\n"); break;
	case TOK_QUOTE:
		ark_buf_z(s->out, "<blockquote>\n");
		while (peek(s)->type != TOK_QUOTE_END)
			show_tok(s);
		s->at++;
		ark_buf_z(s->out, "</blockquote>\n");
		break;
	case TOK_LIST: show_list(s, t); break;
	case TOK_ITEM:
	case TOK_LOOSE_ITEM: show_item(s, t); break;
	case TOK_PARAGRAPH:
		apart(s);
		tag(s, "<p>");
		mm_inline(s->m, t->text, s->out);
		tag(s, "</p>\n");
		apart(s);
		break;
	case TOK_TEXT:
		s->at--;
		apart(s);
		tag(s, "<p>");
		show_lines(s, s->out);
		tag(s, "</p>\n");
		break;
	case TOK_TABLE: show_table(s, t); break;
	default: break;
	}
}

/* Line ends, tabs and no-break spaces as the parser wants them. */
static void prepare(struct ark_str s, struct ark_buf *to)
{
	for (size_t i = 0; i < s.len; i++) {
		struct ark_str rest = ark_str_from(s, i);
		if (s.ptr[i] == '\r') {
			if (at(s, i + 1) != '\n')
				ark_buf_c(to, '\n');
		} else if (s.ptr[i] == '\t') {
			ark_buf_z(to, "    ");
		} else if (ark_str_starts(rest, ARK_LIT("\xc2\xa0"))) {
			ark_buf_c(to, ' ');
			i++;
		} else if (ark_str_starts(rest, ARK_LIT("\xe2\x90\xa4"))) {
			ark_buf_c(to, '\n');
			i += 2;
		} else {
			ark_buf_c(to, s.ptr[i]);
		}
	}
}

static struct ark_str trim_space(struct ark_str s)
{
	while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == ' '))
		s.len--;
	return s;
}

void mm_render(const struct mm_options *options, struct ark_str markdown, struct ark_buf *out)
{
	struct ark_arena arena;
	ark_auto(ark_buf_release) struct ark_buf src, html;
	ark_buf_init(&src, 4 * markdown.len + 10);
	ark_buf_init(&html, 64u << 20);
	ark_arena_init(&arena, 4096 + 500 * markdown.len);
	struct mm m = { .options = options, .arena = &arena };
	struct toks l = { 0 };
	prepare(markdown, &src);
	mm_lex(&m, &l, ark_buf_view(&src), true, false, 1);
	struct show s = { .m = &m, .l = &l, .out = &html };
	while (s.at < l.n)
		show_tok(&s);
	struct ark_str all = trim_space(ark_buf_view(&html));
	/* one paragraph alone is written without its tag */
	size_t p = ark_str_search(all, ARK_LIT("<p>"), 3);
	if (ark_str_starts(all, ARK_LIT("<p>")) && p == SIZE_MAX &&
	    ark_str_ends(all, ARK_LIT("</p>")))
		all = ark_str_n(all.ptr + 3, all.len - 7);
	ark_buf_str(out, all);
	free(l.t);
	ark_arena_release(&arena);
}

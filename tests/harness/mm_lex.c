/*
 * Blocks: lines to paragraphs, lists, quotes, code, tables. Rules are tried in a fixed order at
 * each position; what a rule is comes from watching the client, quirks included.
 */
#include "tests/harness/mm_blocks.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/utf8.h"

static void push(struct toks *l, struct tok t)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->t = realloc(l->t, l->cap * sizeof(l->t[0]));
		if (l->t == NULL)
			abort();
	}
	l->t[l->n++] = t;
}

struct ark_str mm_keep(struct mm *m, struct ark_str s)
{
	struct ark_str kept = ark_arena_str(m->arena, s);
	if (s.len > 0 && kept.ptr == NULL)
		abort();
	return kept;
}

bool mm_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

bool mm_space_at(struct ark_str s, size_t at, size_t *len)
{
	uint32_t r = ark_utf8_at(s, at, len);
	return ark_utf8_is_space(r) || r == 0xFEFF;
}

static char at(struct ark_str s, size_t i)
{
	return i < s.len ? s.ptr[i] : '\0';
}

static size_t skip(struct ark_str s, size_t i, char c)
{
	while (i < s.len && s.ptr[i] == c)
		i++;
	return i;
}

static size_t line_end(struct ark_str s, size_t i)
{
	size_t e = ark_str_find(s, '\n', i);
	return e == SIZE_MAX ? s.len : e;
}

static size_t skip_space(struct ark_str s, size_t i)
{
	for (size_t len; i < s.len && mm_space_at(s, i, &len);)
		i += len;
	return i;
}

/* --- rules: each returns the end of what matches at i, or 0 --- */

static size_t rule_code(struct ark_str s, size_t i)
{
	size_t end = 0;
	while (ark_str_starts(ark_str_from(s, i), ARK_LIT("    "))) {
		end = i = line_end(s, i);
		size_t blank = skip_space(s, i), last = 0;
		for (size_t k = i; k < blank; k++)
			if (s.ptr[k] == '\n')
				last = k + 1;
		if (last == 0)
			break;
		end = i = last;
	}
	return end;
}

struct fence {
	struct ark_str lang, text;
};

static size_t fence_close(struct ark_str s, size_t i, struct ark_str mark)
{
	if (i >= s.len)
		return s.len + 1; /* the end of the text closes too; +1: a match of nothing */
	size_t k = skip(s, i, ' ');
	if (k - i > 3 || !ark_str_starts(ark_str_from(s, k), mark))
		return 0;
	k += mark.len;
	while (at(s, k) == '`' || at(s, k) == '~')
		k++;
	k = skip(s, k, ' ');
	if (k < s.len && s.ptr[k] != '\n')
		return 0;
	return skip(s, k, '\n') + 1;
}

static size_t rule_fence(struct ark_str s, size_t i, struct fence *f)
{
	size_t k = skip(s, i, ' ');
	char c = at(s, k);
	if (k - i > 3 || (c != '`' && c != '~'))
		return 0;
	size_t m = skip(s, k, c);
	if (m - k < 3)
		return 0;
	struct ark_str mark = ark_str_n(s.ptr + k, m - k);
	size_t e = m;
	while (e < s.len && s.ptr[e] != '\n' && s.ptr[e] != '`' && s.ptr[e] != '~')
		e++;
	if (at(s, e) != '\n')
		return 0;
	f->lang = ark_str_n(s.ptr + m, e - m);
	size_t body = e + 1;
	f->text = ark_str_n(s.ptr + body, 0);
	size_t end = fence_close(s, body, mark);
	for (size_t nl = body; end == 0; nl++) {
		nl = ark_str_find(s, '\n', nl);
		if (nl == SIZE_MAX)
			return 0;
		end = fence_close(s, nl + 1, mark);
		f->text = ark_str_n(s.ptr + body, nl - body);
	}
	return end - 1;
}

/* `strict`: the blank behind the '#' is needed. */
static size_t rule_heading(struct ark_str s, size_t i, bool strict, long *depth,
			   struct ark_str *text)
{
	size_t k = skip(s, i, ' ');
	size_t h = skip(s, k, '#');
	if (h == k || (h - k > 6 && strict))
		return 0;
	if (h - k > 6)
		h = k + 6;
	size_t e = line_end(s, h);
	size_t t = skip(s, h, ' ');
	if (t >= e && t > h)
		t--;
	if (t >= e || (strict && t == h))
		return 0;
	size_t x = e;
	while (x > t + 1 && s.ptr[x - 1] == ' ')
		x--;
	size_t y = x;
	while (y > t + 1 && s.ptr[y - 1] == '#')
		y--;
	while (y > t + 1 && s.ptr[y - 1] == ' ')
		y--;
	*depth = (long)(h - k);
	*text = ark_str_n(s.ptr + t, y - t);
	return skip(s, e, '\n') > e ? skip(s, e, '\n') : e;
}

static size_t rule_hr(struct ark_str s, size_t i)
{
	size_t marks = 0, k = i;
	for (;;) {
		size_t m = skip(s, k, ' ');
		if (at(s, m) != '-' && at(s, m) != '*' && at(s, m) != '_')
			break;
		marks++;
		k = m + 1;
	}
	k = skip(s, k, ' ');
	if (marks < 3 || (k < s.len && s.ptr[k] != '\n'))
		return 0;
	while (at(s, k) == '\n' && at(s, k + 1) == ' ' && at(s, skip(s, k + 1, ' ')) == '\n')
		k = skip(s, k + 1, ' ');
	return k < s.len ? k + 1 : k;
}

static size_t rule_lheading(struct ark_str s, size_t i, long *depth, struct ark_str *text)
{
	size_t e = line_end(s, i);
	if (e == i || e >= s.len)
		return 0;
	size_t k = skip(s, e + 1, ' '), m = k;
	while (at(s, m) == '=' || at(s, m) == '-')
		m++;
	if (m - k < 2)
		return 0;
	size_t x = skip(s, m, ' ');
	if (x < s.len && s.ptr[x] != '\n')
		return 0;
	*depth = s.ptr[m - 1] == '=' ? 1 : 2;
	*text = ark_str_n(s.ptr + i, e - i);
	return skip(s, x, '\n');
}

static size_t rule_def(struct ark_str s, size_t i, struct ark_str *label, struct ark_str *href)
{
	size_t k = skip(s, i, ' ');
	if (at(s, k) != '[')
		return 0;
	size_t c = ark_str_find(s, ']', k + 1);
	if (c == SIZE_MAX || c == k + 1 || at(s, c + 1) != ':')
		return 0;
	*label = ark_str_n(s.ptr + k + 1, c - k - 1);
	size_t h = skip(s, c + 2, ' ');
	if (at(s, h) == '<')
		h++;
	size_t w = h;
	while (mm_word(at(s, w)))
		w++;
	size_t start = at(s, w) == ':' ? w + 1 : at(s, h) == '/' || at(s, h) == '#' ? h + 1 : 0;
	if (start == 0)
		return 0;
	size_t e = start, len;
	while (e < s.len && s.ptr[e] != '>' && !mm_space_at(s, e, &len))
		e++;
	if (e == start)
		return 0;
	*href = ark_str_n(s.ptr + h, e - h);
	if (at(s, e) == '>')
		e++;
	size_t t = skip(s, e, ' ');
	if (t > e && (at(s, t) == '"' || at(s, t) == '(')) {
		size_t end = line_end(s, t), q = end;
		while (q > t && s.ptr[q - 1] == ' ')
			q--;
		if (q > t + 2 && (s.ptr[q - 1] == '"' || s.ptr[q - 1] == ')'))
			t = end;
	}
	if (t < s.len && s.ptr[t] != '\n')
		return 0;
	return skip(s, t, '\n') > i ? skip(s, t, '\n') : 0;
}

static bool is_def(struct ark_str s, size_t i)
{
	struct ark_str a, b;
	return rule_def(s, i, &a, &b) > 0;
}

static size_t rule_quote(struct ark_str s, size_t i)
{
	size_t end = 0;
	for (;;) {
		size_t k = skip(s, i, ' ');
		if (at(s, k) != '>' || k + 1 >= s.len || s.ptr[k + 1] == '\n')
			return end;
		size_t e = line_end(s, k);
		while (e + 1 < s.len && s.ptr[e + 1] != '\n' && !is_def(s, e + 1))
			e = line_end(s, e + 1);
		end = i = skip(s, e, '\n');
	}
}

/* "- " or "12. " at i: the end of the bullet, before its blank; 0 when there is none. */
static size_t bullet_end(struct ark_str s, size_t i)
{
	size_t k = i;
	if (at(s, i) == '-' || at(s, i) == '*' || at(s, i) == '+') {
		k = i + 1;
	} else {
		while (at(s, k) >= '0' && at(s, k) <= '9')
			k++;
		if (k == i || at(s, k) != '.')
			return 0;
		k++;
	}
	return at(s, k) == ' ' ? k : 0;
}

static bool bullet_with(struct ark_str s, size_t i, struct ark_str indent)
{
	return ark_str_starts(ark_str_from(s, i), indent) && bullet_end(s, i + indent.len) > 0;
}

static bool list_rule_ahead(struct ark_str s, size_t i, struct ark_str indent)
{
	if (ark_str_starts(ark_str_from(s, i), indent) && at(s, i + indent.len) != ' ')
		i += indent.len;
	size_t marks = 0;
	while (at(s, i) == '-' || at(s, i) == '*' || at(s, i) == '_') {
		marks++;
		i = skip(s, i + 1, ' ');
	}
	return marks >= 3 && (i >= s.len || s.ptr[i] == '\n');
}

/* Does the list end at e? The end of what it takes, or SIZE_MAX. */
static size_t list_ends(struct ark_str s, size_t e, struct ark_str indent)
{
	size_t nl = skip(s, e, '\n');
	if (nl > e && (list_rule_ahead(s, nl, indent) || is_def(s, nl)))
		return nl;
	if (nl - e >= 3 || (nl - e == 2 && at(s, nl) != ' ' && !bullet_with(s, nl, indent)))
		return nl;
	return skip_space(s, e) == s.len ? s.len : SIZE_MAX;
}

static size_t rule_list(struct ark_str s, size_t i, struct ark_str *indent)
{
	size_t k = skip(s, i, ' ');
	size_t b = bullet_end(s, k);
	if (b == 0)
		return 0;
	*indent = ark_str_n(s.ptr + i, k - i);
	for (size_t e = b + 2; e <= s.len; e++) {
		size_t end = list_ends(s, e, *indent);
		if (end != SIZE_MAX)
			return end;
	}
	return 0;
}

/* A tag that starts a block: not one of the inline ones. Its name's end, or 0. */
static size_t block_tag(struct ark_str s, size_t i)
{
	static const char *const inl[] = {
		"a",    "em",   "strong", "small", "s",    "cite", "q",   "dfn",
		"abbr", "data", "time",   "code",  "var",  "samp", "kbd", "sub",
		"sup",  "i",    "b",      "u",     "mark", "ruby", "rt",  "rp",
		"bdi",  "bdo",  "span",   "br",    "wbr",  "ins",  "del", "img",
	};
	size_t e = i;
	while (mm_word(at(s, e)))
		e++;
	if (e == i)
		return 0;
	for (size_t k = 0; k < sizeof(inl) / sizeof(inl[0]); k++)
		if (ark_str_eqz(ark_str_n(s.ptr + i, e - i), inl[k]))
			return 0;
	if (at(s, e) == ':' && at(s, e + 1) == '/')
		return 0;
	size_t k = e, len;
	while (k < s.len && !mm_word(s.ptr[k]) && s.ptr[k] != '@' && !mm_space_at(s, k, &len))
		k++;
	return at(s, k) == '@' ? 0 : e;
}

static size_t blank_or_lines(struct ark_str s, size_t i, size_t lines)
{
	i = skip(s, i, ' ');
	size_t nl = skip(s, i, '\n');
	if (nl - i >= lines)
		return lines == 1 ? i + 1 : nl;
	return skip_space(s, i) == s.len ? s.len : 0;
}

static size_t rule_html(struct ark_str s, size_t i)
{
	size_t k = skip(s, i, ' ');
	struct ark_str rest = ark_str_from(s, k);
	if (at(s, k) != '<')
		return 0;
	if (ark_str_starts(rest, ARK_LIT("<!--"))) {
		size_t e = k;
		while ((e = ark_str_search(s, ARK_LIT("-->"), e + 1)) != SIZE_MAX) {
			size_t end = blank_or_lines(s, e + 3, 1);
			if (end > 0)
				return end;
		}
		return 0;
	}
	size_t name = block_tag(s, k + 1);
	if (name == 0)
		return 0;
	struct ark_str tag = ark_str_n(s.ptr + k + 1, name - k - 1);
	for (size_t e = name + 1; (e = ark_str_search(s, ARK_LIT("</"), e)) != SIZE_MAX; e++) {
		struct ark_str close = ark_str_from(s, e + 2);
		if (ark_str_starts(close, tag) && at(close, tag.len) == '>') {
			size_t end = blank_or_lines(s, e + 3 + tag.len, 2);
			if (end > 0)
				return end;
		}
	}
	for (size_t e = name; e < s.len; e++) {
		char c = s.ptr[e];
		if (c == '"' || c == '\'') {
			e = ark_str_find(s, c, e + 1);
			if (e == SIZE_MAX)
				return 0;
		} else if (c == '>') {
			return blank_or_lines(s, e + 1, 2);
		}
	}
	return 0;
}

/* --- tables --- */

static bool delimiter_row(struct ark_str line, bool pipe_first)
{
	size_t i = skip(line, 0, ' ');
	if (pipe_first) {
		if (at(line, i) != '|')
			return false;
		i = skip(line, i + 1, ' ');
	}
	size_t k = i;
	while (at(line, k) == '-' || at(line, k) == ':')
		k++;
	if (k == i)
		return false;
	if (!pipe_first) {
		k = skip(line, k, ' ');
		if (at(line, k) != '|')
			return false;
	}
	while (k < line.len && strchr("-| :", line.ptr[k]) != NULL)
		k++;
	return k == line.len;
}

static size_t rule_table(struct ark_str s, size_t i, bool pipe_first, struct tok *t)
{
	size_t e = line_end(s, i);
	struct ark_str head = ark_str_n(s.ptr + i, e - i);
	size_t first = skip(head, 0, ' '), len;
	if (e >= s.len || first >= head.len || mm_space_at(head, first, &len))
		return 0;
	bool piped = pipe_first ? head.ptr[first] == '|' && first + 1 < head.len
				: ark_str_find(head, '|', first + 1) != SIZE_MAX;
	size_t d = line_end(s, e + 1);
	if (!piped || d >= s.len || !delimiter_row(ark_str_n(s.ptr + e + 1, d - e - 1), pipe_first))
		return 0;
	size_t rows = d + 1, r = rows;
	while (r < s.len) {
		size_t x = line_end(s, r);
		struct ark_str row = ark_str_n(s.ptr + r, x - r);
		size_t p = pipe_first ? skip(row, 0, ' ') : ark_str_find(row, '|', 0);
		if (p >= row.len || row.ptr[p] != '|')
			break;
		r = x < s.len ? x + 1 : x;
	}
	t->type = TOK_TABLE;
	t->text = head;
	t->more = ark_str_n(s.ptr + rows, r - rows);
	t->ordered = pipe_first;
	return skip(s, r, '\n');
}

/* --- lexer --- */

/* Take up to n blanks off the start of every line. */
static struct ark_str outdent(struct mm *m, struct ark_str s, size_t n)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, s.len + 1);
	for (size_t i = 0; i < s.len;) {
		size_t k = i;
		while (k < s.len && k - i < n && s.ptr[k] == ' ')
			k++;
		size_t e = line_end(s, k);
		e = e < s.len ? e + 1 : e;
		ark_buf_add(&b, s.ptr + k, e - k);
		i = e;
	}
	return mm_keep(m, ark_buf_view(&b));
}

static struct ark_str unquote(struct mm *m, struct ark_str s)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, s.len + 1);
	for (size_t i = 0; i < s.len;) {
		size_t k = skip(s, i, ' ');
		if (at(s, k) == '>')
			i = at(s, k + 1) == ' ' ? k + 2 : k + 1;
		size_t e = line_end(s, i);
		e = e < s.len ? e + 1 : e;
		ark_buf_add(&b, s.ptr + i, e - i);
		i = e;
	}
	return mm_keep(m, ark_buf_view(&b));
}

/* The item at i of a list: up to the next line that has a bullet of its indent. */
static size_t item_end(struct ark_str list, size_t i)
{
	size_t k = skip(list, i, ' ');
	struct ark_str indent = ark_str_n(list.ptr + i, k - i);
	size_t e = line_end(list, i);
	while (e < list.len && !bullet_with(list, e + 1, indent))
		e = line_end(list, e + 1);
	return e;
}

static bool holds_paragraph_break(struct ark_str item)
{
	for (size_t i = 0; (i = ark_str_search(item, ARK_LIT("\n\n"), i)) != SIZE_MAX; i++)
		if (skip_space(item, i + 2) < item.len)
			return true;
	return false;
}

/* A line of two UTF-16 units or more at i that is not indented does not belong to the item. */
static bool gives_back(struct ark_str item, size_t i)
{
	size_t len;
	if (i >= item.len || mm_space_at(item, i, &len))
		return false;
	return len == 4 || i + len < item.len;
}

/* Returns what is left of the source: the list may give lines back. */
static struct ark_str lex_list(struct mm *m, struct toks *l, struct ark_str list,
			       struct ark_str src, bool quoted, int depth)
{
	bool next = false;
	size_t k = skip(list, 0, ' ');
	bool ordered = bullet_end(list, k) - k > 1;
	push(l, (struct tok){
		    .type = TOK_LIST, .ordered = ordered, .n = strtol(list.ptr + k, NULL, 10) });
	for (size_t i = 0; i < list.len && bullet_end(list, skip(list, i, ' ')) > 0;) {
		size_t e = item_end(list, i);
		size_t bullet = skip(list, i, ' ');
		size_t body = skip(list, bullet_end(list, bullet), ' ');
		struct ark_str item = ark_str_n(list.ptr + body, e - body);
		size_t line = line_end(item, 0);
		bool last = e >= list.len;
		if (line > 0 && gives_back(item, line + 1)) {
			ark_auto(ark_buf_release) struct ark_buf back;
			ark_buf_init(&back, list.len + src.len + 10);
			ark_buf_str(&back, ark_str_from(item, line + 1));
			ark_buf_c(&back, '\n');
			if (e < list.len)
				ark_buf_add(&back, list.ptr + e + 1, list.len - e - 1);
			ark_buf_str(&back, src);
			src = mm_keep(m, ark_buf_view(&back));
			item = ark_str_first(item, line);
			last = true;
		}
		if (ark_str_search(item, ARK_LIT("\n "), 0) != SIZE_MAX)
			item = outdent(m, item, body - i);
		bool loose = next || holds_paragraph_break(item);
		if (!last) {
			next = item.len > 0 && item.ptr[item.len - 1] == '\n';
			loose |= next;
		}
		push(l, (struct tok){ .type = loose ? TOK_LOOSE_ITEM : TOK_ITEM,
				      .ordered = ordered,
				      .n = strtol(list.ptr + bullet, NULL, 10) });
		mm_lex(m, l, item, false, quoted, depth + 1);
		push(l, (struct tok){ .type = TOK_ITEM_END });
		if (last)
			break;
		i = e + 1;
	}
	push(l, (struct tok){ .type = TOK_LIST_END });
	return src;
}

/* Would the line at i end a paragraph? */
static bool interrupts(struct ark_str s, size_t i)
{
	struct fence f;
	struct ark_str text;
	long depth;
	size_t k = skip(s, i, ' ');
	size_t b = bullet_end(s, k);
	return rule_fence(s, i, &f) > 0 || (b > 0 && b + 1 < s.len) || rule_hr(s, i) > 0 ||
	       rule_heading(s, i, false, &depth, &text) > 0 ||
	       rule_lheading(s, i, &depth, &text) > 0 || rule_quote(s, i) > 0 ||
	       (at(s, i) == '<' && block_tag(s, i + 1) > 0) || is_def(s, i);
}

static size_t rule_paragraph(struct ark_str s, size_t *text_end)
{
	size_t i = 0;
	while (i < s.len && s.ptr[i] != '\n') {
		size_t e = line_end(s, i);
		if (e >= s.len || interrupts(s, e + 1)) {
			i = e;
			break;
		}
		i = e + 1;
	}
	*text_end = i > 0 && s.ptr[i - 1] == '\n' ? i - 1 : i;
	return skip(s, i, '\n');
}

static struct ark_str trim_newlines(struct ark_str s)
{
	while (s.len > 0 && s.ptr[s.len - 1] == '\n')
		s.len--;
	return s;
}

static bool lex_simple(struct toks *l, struct ark_str *src, bool top, struct mm *m)
{
	struct ark_str s = *src;
	struct tok t = { 0 };
	struct fence f;
	size_t e;
	if ((e = rule_code(s, 0)) > 0)
		t = (struct tok){ .type = TOK_CODE,
				  .text = trim_newlines(outdent(m, ark_str_first(s, e), 4)) };
	else if ((e = rule_fence(s, 0, &f)) > 0)
		t = (struct tok){ .type = TOK_CODE, .text = f.text, .more = f.lang };
	else if ((e = rule_heading(s, 0, true, &t.n, &t.text)) > 0)
		t.type = TOK_HEADING;
	else if (top && (e = rule_table(s, 0, false, &t)) > 0)
		;
	else if ((e = rule_lheading(s, 0, &t.n, &t.text)) > 0)
		t.type = TOK_HEADING;
	else if ((e = rule_hr(s, 0)) > 0)
		t.type = TOK_HR;
	if (e > 0) {
		push(l, t);
		*src = ark_str_from(s, e);
	}
	return e > 0;
}

void mm_lex(struct mm *m, struct toks *l, struct ark_str s, bool top, bool quoted, int depth)
{
	if (depth > 100) {
		push(l, (struct tok){ .type = TOK_TEXT, .text = s });
		return;
	}
	while (s.len > 0) {
		struct ark_str indent, label, href;
		struct tok t = { 0 };
		size_t e = skip(s, 0, '\n');
		if (e > 1)
			push(l, (struct tok){ .type = TOK_SPACE });
		s = ark_str_from(s, e);
		if (s.len == 0)
			break;
		if (lex_simple(l, &s, top, m))
			continue;
		if ((e = rule_quote(s, 0)) > 0) {
			push(l, (struct tok){ .type = TOK_QUOTE });
			mm_lex(m, l, unquote(m, ark_str_first(s, e)), top, true, depth + 1);
			push(l, (struct tok){ .type = TOK_QUOTE_END });
			s = ark_str_from(s, e);
		} else if ((e = rule_list(s, 0, &indent)) > 0) {
			s = lex_list(m, l, ark_str_first(s, e), ark_str_from(s, e), quoted, depth);
		} else if ((e = rule_html(s, 0)) > 0) {
			push(l, (struct tok){ .type = TOK_PARAGRAPH, .text = ark_str_first(s, e) });
			s = ark_str_from(s, e);
		} else if (top && !quoted && (e = rule_def(s, 0, &label, &href)) > 0) {
			struct mm_def *def = ark_arena_take(m->arena, sizeof(*def));
			*def = (struct mm_def){ .label = label, .href = href, .next = m->defs };
			m->defs = def;
			s = ark_str_from(s, e);
		} else if (top && (e = rule_table(s, 0, true, &t)) > 0) {
			push(l, t);
			s = ark_str_from(s, e);
		} else if (top) {
			size_t text_end;
			e = rule_paragraph(s, &text_end);
			push(l, (struct tok){ .type = TOK_PARAGRAPH,
					      .text = ark_str_first(s, text_end) });
			s = ark_str_from(s, e);
		} else {
			e = line_end(s, 0);
			push(l, (struct tok){ .type = TOK_TEXT, .text = ark_str_first(s, e) });
			s = ark_str_from(s, e);
		}
	}
}

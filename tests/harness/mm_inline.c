/*
 * Inline: styles, code, links. At each position the rules are tried in order; the last one takes
 * text up to the next place where another could begin.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "tests/harness/mm_markdown.h"

static char at(struct ark_str s, size_t i)
{
	return i < s.len ? s.ptr[i] : '\0';
}

static bool space(struct ark_str s, size_t i)
{
	size_t len;
	return i < s.len && mm_space_at(s, i, &len);
}

static bool space_before(struct ark_str s, size_t i)
{
	uint32_t r = ark_utf8_before(s, i);
	return ark_utf8_is_space(r) || r == 0xFEFF;
}

static size_t run(struct ark_str s, size_t i, char c)
{
	size_t k = i;
	while (at(s, k) == c)
		k++;
	return k - i;
}

/* A match: the end of it in the source and its content. */
struct match {
	size_t end;
	struct ark_str text;
};

static struct match found(struct ark_str s, size_t from, size_t to, size_t end)
{
	return (struct match){ end, ark_str_n(s.ptr + from, to - from) };
}

/* **x** or __x__ */
static struct match rule_strong(struct ark_str s)
{
	char c = at(s, 0);
	if ((c != '*' && c != '_') || at(s, 1) != c)
		return (struct match){ 0 };
	for (size_t i = 3; i + 1 < s.len; i++)
		if (s.ptr[i] == c && s.ptr[i + 1] == c && at(s, i + 2) != c)
			return found(s, 2, i, i + 2);
	return (struct match){ 0 };
}

static bool is_punct(char c)
{
	return c != '\0' && strchr("!\"#$%&'()*+,-./:;<=>?@[^_{|}~", c) != NULL;
}

/* May '_' be followed by s[i] when it ends something? */
static bool under_ends(struct ark_str s, size_t i)
{
	return i >= s.len || (s.ptr[i] != '_' && (space(s, i) || is_punct(s.ptr[i])));
}

/* `first_own`, `last_own`: may the content begin, end with the mark itself? */
static struct match em_longer(struct ark_str s, char c, bool first_own, bool last_own)
{
	if (s.len < 4 || space(s, 1) || (!first_own && s.ptr[1] == c) ||
	    (c == '*' && (s.ptr[1] == '"' || s.ptr[1] == '<')))
		return (struct match){ 0 };
	size_t len;
	uint32_t r = ark_utf8_at(s, 1, &len);
	size_t least = r >= 0x10000 ? 1 + len : 1 + len + 1; /* two UTF-16 units */
	for (size_t i = least; i < s.len; i++) {
		if (s.ptr[i] != c || space_before(s, i) || (!last_own && s.ptr[i - 1] == c))
			continue;
		if (c == '*' ? at(s, i + 1) != '*' : under_ends(s, i + 1))
			return found(s, 1, i, i + 1);
	}
	return (struct match){ 0 };
}

static struct match rule_em(struct ark_str s)
{
	char c = at(s, 0);
	if ((c != '*' && c != '_') || s.len < 3)
		return (struct match){ 0 };
	size_t len;
	uint32_t r = ark_utf8_at(s, 1, &len);
	if (r < 0x10000 && r != (uint32_t)c && !space(s, 1) && at(s, 1 + len) == c &&
	    at(s, 2 + len) != c && !(c == '*' && (r == '"' || r == '<')))
		return found(s, 1, 1 + len, 2 + len);
	struct match m = em_longer(s, c, true, false);
	return m.end > 0 ? m : em_longer(s, c, false, true);
}

static struct match rule_code(struct ark_str s)
{
	size_t n = run(s, 0, '`');
	if (n == 0)
		return (struct match){ 0 };
	for (size_t i = n; i < s.len;) {
		size_t r = run(s, i, '`');
		if (r == n && i > n)
			return found(s, n, i, i + n);
		i += r > 0 ? r : 1;
	}
	return (struct match){ 0 };
}

static struct match rule_del(struct ark_str s)
{
	if (at(s, 0) != '~' || at(s, 1) != '~' || space(s, 2))
		return (struct match){ 0 };
	for (size_t i = 3; i + 1 < s.len; i++)
		if (s.ptr[i] == '~' && s.ptr[i + 1] == '~' && !space_before(s, i))
			return found(s, 2, i, i + 2);
	return (struct match){ 0 };
}

static struct match rule_latex(struct ark_str s)
{
	if (at(s, 0) != '$')
		return (struct match){ 0 };
	size_t i = 1;
	while (i < s.len && s.ptr[i] != '$' && s.ptr[i] != '\n')
		i++;
	if (i == 1 || at(s, i) != '$' || mm_word(at(s, i + 1)))
		return (struct match){ 0 };
	return found(s, 1, i, i + 1);
}

static size_t rule_escape(struct ark_str s)
{
	char c = at(s, 1);
	if (at(s, 0) != '\\' || c == '\0')
		return 0;
	if (c == '\\')
		return mm_word(at(s, 2)) ? 0 : 2;
	return strchr("`*{}[]()#+-.!_>|~", c) != NULL ? 2 : 0;
}

static size_t br_at(struct ark_str s, size_t i)
{
	size_t n = run(s, i, ' ');
	if (n < 2 || at(s, i + n) != '\n')
		return 0;
	size_t k = i + n + 1, len;
	while (k < s.len && mm_space_at(s, k, &len))
		k += len;
	return k < s.len ? i + n + 1 : 0;
}

/* --- URLs --- */

static bool letter(uint32_t r)
{
	return ark_utf8_is_letter(r);
}

static bool digit(uint32_t r)
{
	return r >= '0' && r <= '9';
}

/* One piece of a URL; 0 where it ends. Written apart from the import's own on purpose. */
static size_t url_piece(struct ark_str s, size_t i)
{
	static const uint32_t quotes[] = { 0xAB, 0xBB, 0x201C, 0x201D, 0x2018, 0x2019 };
	size_t len;
	uint32_t r = ark_utf8_at(s, i, &len);
	if (r == '[') {
		size_t k = i + 1;
		while (digit((uint32_t)at(s, k)) || (at(s, k) >= 'a' && at(s, k) <= 'f') ||
		       at(s, k) == ':')
			k++;
		if (k > i + 1 && at(s, k) == ']')
			return k + 1 - i;
	}
	if (r == '(') {
		size_t k = i + 1;
		while (k < s.len && at(s, k) != ')') {
			if (space(s, k) || at(s, k) == '<' || at(s, k) == '>')
				return 0;
			if (at(s, k) == '(') {
				size_t j = k + 1;
				while (j < s.len && !space(s, j) &&
				       strchr("()<>", s.ptr[j]) == NULL)
					j++;
				if (j == k + 1 || at(s, j) != ')')
					return 0;
				k = j;
			}
			k++;
		}
		return k < s.len ? k + 1 - i : 0;
	}
	bool inner = r < 0x80 && strchr("`![]{;:'\",<>?", (int)r) != NULL;
	for (size_t k = 0; k < 6; k++)
		inner |= r == quotes[k];
	if (inner) {
		if (i + len >= s.len || space(s, i + len))
			return 0;
		return strchr("()<>", s.ptr[i + len]) != NULL ? 0 : len;
	}
	bool wide = (r >= 0xFF01 && r <= 0xFF0F) || (r >= 0xFF1A && r <= 0xFF20) ||
		    (r >= 0xFF3B && r <= 0xFF40) || (r >= 0xFF5B && r <= 0xFF5E) || r == 0x3001 ||
		    r == 0x3002 || (r >= 0x300C && r <= 0x3011);
	return space(s, i) || r == ')' || wide ? 0 : len;
}

static size_t url_body(struct ark_str s, size_t i)
{
	size_t from = i;
	for (size_t n; i < s.len && (n = url_piece(s, i)) > 0;)
		i += n;
	return i > from ? i : 0;
}

static size_t url_scheme(struct ark_str s)
{
	size_t i = 0, len;
	if (!((at(s, 0) | 32) >= 'a' && (at(s, 0) | 32) <= 'z'))
		return 0;
	while (i < s.len &&
	       ((mm_word(s.ptr[i]) && s.ptr[i] != '_') || strchr(".+-", s.ptr[i]) != NULL))
		i++;
	if (at(s, i) != ':' || i + 1 >= s.len)
		return 0;
	i++;
	size_t slashes = run(s, i, '/');
	for (size_t k = slashes < 3 ? slashes : 3; k > 0; k--) {
		size_t end = url_body(s, i + k);
		if (end > 0)
			return end;
	}
	uint32_t r = ark_utf8_at(s, i, &len);
	return letter(r) || digit(r) || r == '%' ? url_body(s, i + len) : 0;
}

static size_t url_other(struct ark_str s)
{
	if (ark_str_starts(s, ARK_LIT("www"))) {
		size_t i = 3;
		while (i < 6 && digit((uint32_t)at(s, i)))
			i++;
		size_t end = at(s, i) == '.' ? url_body(s, i + 1) : 0;
		if (end > 0)
			return end;
	}
	size_t i = 0, len, letters = 0, dot = 0;
	for (; i < s.len; i += len) {
		uint32_t r = ark_utf8_at(s, i, &len);
		if (r == '.') {
			dot = i;
			letters = 0;
		} else if (letter(r)) {
			letters++;
		} else if (digit(r) || r == '-') {
			letters = 100;
		} else {
			break;
		}
	}
	return dot > 0 && letters >= 2 && letters <= 4 && at(s, i) == '/' ? url_body(s, i + 1) : 0;
}

static bool scheme_allowed(struct ark_str url)
{
	static const char *const allowed[] = { "http", "https", "ftp", "mailto", "tel" };
	size_t i = at(url, 0) == '!' ? 1 : 0, from = i;
	while (i < url.len &&
	       ((mm_word(url.ptr[i]) && url.ptr[i] != '_') || strchr("+.-", url.ptr[i]) != NULL))
		i++;
	if (i == from || at(url, i) != ':')
		return true;
	for (size_t k = 0; k < 5; k++)
		if (ark_str_eqz(ark_str_n(url.ptr + from, i - from), allowed[k]))
			return true;
	return false;
}

static size_t rule_url(struct ark_str s)
{
	size_t end = url_scheme(s);
	if (end == 0)
		end = url_other(s);
	while (end > 0 && strchr("?!.,:*_~'\"", s.ptr[end - 1]) != NULL)
		end--;
	return end > 0 && scheme_allowed(ark_str_first(s, end)) ? end : 0;
}

/* <http://...>, <a@b>: the last '@' or ":/" in it says which. */
static struct match rule_autolink(struct ark_str s, bool *mail)
{
	if (at(s, 0) != '<')
		return (struct match){ 0 };
	size_t e = 1;
	while (e < s.len && s.ptr[e] != ' ' && s.ptr[e] != '>')
		e++;
	if (at(s, e) != '>')
		return (struct match){ 0 };
	for (size_t i = e - 1; i > 1; i--) {
		bool slash = s.ptr[i] == ':' && s.ptr[i + 1] == '/' && i + 2 < e;
		if ((s.ptr[i] == '@' && i + 1 < e) || slash) {
			*mail = s.ptr[i] == '@';
			return found(s, 1, e, e + 1);
		}
	}
	size_t i = 4;
	while (i < 7 && digit((uint32_t)at(s, i)))
		i++;
	*mail = false;
	if (ark_str_starts(s, ARK_LIT("<www")) && at(s, i) == '.' && i + 1 < e)
		return found(s, 1, e, e + 1);
	return (struct match){ 0 };
}

/* --- tags, which show as they are --- */

static size_t attribute(struct ark_str s, size_t i)
{
	size_t k = i;
	while (space(s, k))
		k++;
	if (k == i || !(mm_word(at(s, k)) || at(s, k) == ':') || digit((uint32_t)at(s, k)))
		return 0;
	while (mm_word(at(s, k)) || (at(s, k) != '\0' && strchr(".:-", at(s, k)) != NULL))
		k++;
	size_t v = k;
	while (space(s, v))
		v++;
	if (at(s, v) != '=')
		return k;
	v++;
	while (space(s, v))
		v++;
	if (at(s, v) == '"' || at(s, v) == '\'') {
		size_t q = ark_str_find(s, s.ptr[v], v + 1);
		return q != SIZE_MAX ? q + 1 : k;
	}
	size_t e = v;
	while (e < s.len && !space(s, e) && strchr("\"'=<>`", s.ptr[e]) == NULL)
		e++;
	return e > v ? e : k;
}

static size_t rule_tag(struct ark_str s)
{
	size_t i = 1;
	char c = at(s, 1);
	if (at(s, 0) != '<')
		return 0;
	if (ark_str_starts(s, ARK_LIT("<!--")) && at(s, 4) != '>' &&
	    !(at(s, 4) == '-' && at(s, 5) == '>')) {
		size_t e = ark_str_search(s, ARK_LIT("-->"), 4);
		return e != SIZE_MAX ? e + 3 : 0;
	}
	if (c == '?') {
		size_t e = ark_str_search(s, ARK_LIT("?>"), 2);
		return e != SIZE_MAX ? e + 2 : 0;
	}
	if (ark_str_starts(s, ARK_LIT("<![CDATA["))) {
		size_t e = ark_str_search(s, ARK_LIT("]]>"), 9);
		return e != SIZE_MAX ? e + 3 : 0;
	}
	bool close = c == '/', bang = c == '!';
	if (close || bang)
		i++;
	size_t name = i;
	if (!((at(s, i) | 32) >= 'a' && (at(s, i) | 32) <= 'z'))
		return 0;
	while (i < s.len &&
	       (bang ? mm_word(s.ptr[i]) && s.ptr[i] != '_' && !digit((uint32_t)s.ptr[i])
		     : mm_word(s.ptr[i]) || s.ptr[i] == '-' || (close && s.ptr[i] == ':')))
		i++;
	if (bang) {
		size_t e = space(s, i) && i > name ? ark_str_find(s, '>', i) : SIZE_MAX;
		return e != SIZE_MAX ? e + 1 : 0;
	}
	for (size_t e; !close && (e = attribute(s, i)) > 0;)
		i = e;
	while (space(s, i))
		i++;
	if (!close && at(s, i) == '/')
		i++;
	return at(s, i) == '>' ? i + 1 : 0;
}

/* --- links --- */

/* The end of "(href)" at i, or 0. Parentheses in it may nest twice. */
static size_t href_end(struct ark_str s, size_t i)
{
	int depth = 0;
	if (at(s, i) != '(')
		return 0;
	for (size_t k = i + 1; k < s.len; k++) {
		if (s.ptr[k] == '(' && ++depth > 2)
			return 0;
		if (s.ptr[k] == ')' && depth-- == 0)
			return k + 1;
	}
	return 0;
}

static size_t next_bracket(struct ark_str s, size_t i)
{
	while (i < s.len && s.ptr[i] != '[' && s.ptr[i] != ']')
		i++;
	return i;
}

#define MAX_ENDS 4096

/* Where the label that starts behind '[' at i-1 may end, in order. */
static size_t label_ends(struct ark_str s, size_t i, size_t ends[MAX_ENDS])
{
	size_t n = 0;
	for (;;) {
		i = next_bracket(s, i);
		if (i >= s.len || n == MAX_ENDS)
			return n;
		if (s.ptr[i] == '[') {
			size_t c = ark_str_find(s, ']', i);
			if (c == SIZE_MAX)
				return n;
			i = c + 1;
			continue;
		}
		ends[n++] = i;
		if (at(s, next_bracket(s, i + 1)) != ']')
			return n;
		i++;
	}
}

/* The URL of what stands in the parentheses, without angle brackets and title. */
static struct ark_str href_url(struct ark_str s)
{
	size_t from = 0, len;
	while (from < s.len && mm_space_at(s, from, &len))
		from += len;
	if (at(s, from) == '<')
		from++;
	for (size_t m = from; m <= s.len; m++) {
		size_t k = at(s, m) == '>' ? m + 1 : m;
		for (int greedy = 0; greedy < 2; greedy++, k = m) {
			size_t q = k;
			while (q < s.len && mm_space_at(s, q, &len))
				q += len;
			if (q == s.len)
				return ark_str_n(s.ptr + from, m - from);
			size_t e = s.len;
			while (e > q && space_before(s, e))
				e--;
			bool open = at(s, q) == '\'' || at(s, q) == '"';
			if (q > k && open && e > q + 1 &&
			    (s.ptr[e - 1] == '\'' || s.ptr[e - 1] == '"'))
				return ark_str_n(s.ptr + from, m - from);
		}
	}
	return ark_str_from(s, from);
}

static bool unsafe_url(struct ark_str url)
{
	static const char *const bad[] = { "javascript:", "vbscript:", "data:" };
	char head[16] = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < url.len && n < 12; i++)
		if (mm_word(url.ptr[i]) || url.ptr[i] == ':')
			head[n++] = (char)(url.ptr[i] >= 'A' && url.ptr[i] <= 'Z' ? url.ptr[i] + 32
										  : url.ptr[i]);
	for (size_t i = 0; i < 3; i++)
		if (strncmp(head, bad[i], strlen(bad[i])) == 0)
			return true;
	return false;
}

static bool has_scheme(struct ark_str url)
{
	size_t from = at(url, 0) == '!' ? 1 : 0, i = from;
	while (i < url.len &&
	       ((mm_word(url.ptr[i]) && url.ptr[i] != '_') || strchr("+.-", url.ptr[i]) != NULL))
		i++;
	return i > from && at(url, i) == ':';
}

/* `text` is what the link shows, `url` its target, not escaped yet. */
static void put_link(struct mm *m, struct ark_str url, struct ark_str text, bool bare,
		     struct ark_buf *out)
{
	if (unsafe_url(url) || m->link_text || (bare && m->options->visible)) {
		ark_buf_str(out, text);
		return;
	}
	ark_auto(ark_buf_release) struct ark_buf href;
	ark_buf_init(&href, 10 * url.len + 10);
	mm_escape(url, false, &href);
	ark_buf_z(out, "<a ");
	if (at(url, 0) != '/' && !has_scheme(url))
		ark_buf_z(out, "http://");
	mm_decoded(ark_buf_view(&href), out);
	ark_buf_c(out, '>');
	ark_buf_str(out, text);
	ark_buf_z(out, "</a>");
}

static void put_bare(struct mm *m, struct ark_str url, const char *scheme, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf html, text, href;
	ark_buf_init(&html, 10 * url.len + 10);
	ark_buf_init(&text, 10 * url.len + 10);
	ark_buf_init(&href, url.len + 20);
	mm_escape(url, false, &html);
	mm_shown(ark_buf_view(&html), &text);
	ark_buf_z(&href, scheme);
	ark_buf_str(&href, url);
	put_link(m, ark_buf_view(&href), ark_buf_view(&text), true, out);
}

static void put_labelled(struct mm *m, struct ark_str url, struct ark_str label, bool image,
			 struct ark_buf *out)
{
	if (image) {
		ark_buf_z(out, "<img>");
		return;
	}
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 64u << 20);
	bool link_text = m->link_text;
	m->in_link = m->link_text = true;
	mm_inline(m, label, &text);
	m->in_link = false;
	m->link_text = link_text;
	put_link(m, url, ark_buf_view(&text), false, out);
}

static const struct mm_def *find_def(const struct mm *m, struct ark_str label)
{
	for (const struct mm_def *d = m->defs; d != NULL; d = d->next)
		if (ark_str_eq(d->label, label))
			return d;
	return NULL;
}

/* [x] that means nothing: its bracket is text of its own, and what follows starts anew. */
static size_t lone_bracket(struct ark_str s)
{
	static size_t ends[MAX_ENDS];
	size_t i = at(s, 0) == '!' ? 1 : 0;
	if (at(s, i) != '[')
		return 0;
	size_t n = label_ends(s, i + 1, ends);
	for (size_t k = n; k-- > 0;) {
		size_t j = ends[k] + 1;
		while (space(s, j)) {
			size_t len;
			mm_space_at(s, j, &len);
			j += len;
		}
		if (at(s, j) == '[' && ark_str_find(s, ']', j) != SIZE_MAX)
			return 1;
	}
	for (i = next_bracket(s, i + 1); at(s, i) == '[';) {
		size_t c = ark_str_find(s, ']', i);
		if (c == SIZE_MAX)
			return 0;
		i = next_bracket(s, c + 1);
	}
	return at(s, i) == ']' ? 1 : 0;
}

/* [label](url) and what defs make of [a] and [a][b]; the end, or 0. */
static size_t take_link(struct mm *m, struct ark_str s, struct ark_buf *out)
{
	static size_t ends[MAX_ENDS];
	bool image = at(s, 0) == '!';
	size_t i = image ? 1 : 0;
	if (at(s, i) != '[')
		return 0;
	size_t n = label_ends(s, i + 1, ends);
	for (size_t k = n; k-- > 0;) {
		size_t end = href_end(s, ends[k] + 1);
		if (end > 0) {
			struct ark_str href = ark_str_n(s.ptr + ends[k] + 2, end - ends[k] - 3);
			struct ark_str label = ark_str_n(s.ptr + i + 1, ends[k] - i - 1);
			put_labelled(m, href_url(href), label, image, out);
			return end;
		}
	}
	for (size_t k = n; k-- > 0;) {
		struct ark_str label = ark_str_n(s.ptr + i + 1, ends[k] - i - 1);
		const struct mm_def *d = find_def(m, label);
		if (d != NULL) {
			put_labelled(m, d->href, label, image, out);
			return ends[k] + 1;
		}
	}
	return 0;
}

/* --- text --- */

static bool scheme_like(struct ark_str s, size_t i)
{
	size_t k = i + 1;
	if (!(at(s, i) >= 'a' && at(s, i) <= 'z'))
		return false;
	while (k < s.len && ((s.ptr[k] >= 'a' && s.ptr[k] <= 'z') || digit((uint32_t)s.ptr[k]) ||
			     strchr(".+-", s.ptr[k]) != NULL))
		k++;
	return k > i + 1 && k - i <= 32 && at(s, k) == ':';
}

static bool www_like(struct ark_str s, size_t i)
{
	return ark_str_starts(ark_str_from(s, i), ARK_LIT("www")) && i + 3 < s.len &&
	       s.ptr[i + 3] != '\n';
}

/* Does plain text stop before s[i]? */
static bool stops(struct ark_str s, size_t i)
{
	if (i >= s.len || strchr("\\<![`*~", s.ptr[i]) != NULL)
		return true;
	bool word_before = mm_word(s.ptr[i - 1]), word = mm_word(s.ptr[i]);
	if (word && !word_before && (s.ptr[i] == '_' || scheme_like(s, i) || www_like(s, i)))
		return true;
	return s.ptr[i] == '$' && !word_before;
}

static size_t rule_text(struct ark_str s)
{
	size_t n = run(s, 0, '`');
	size_t i = n > 0 ? n : 1;
	size_t first = i;
	for (;; i++) {
		if (stops(s, i))
			return i;
		if (i > first && s.ptr[i - 1] != ' ' && run(s, i, ' ') >= 2 &&
		    at(s, i + run(s, i, ' ')) == '\n')
			return i;
	}
}

static void flush(struct mm *m, struct ark_buf *text, struct ark_buf *out)
{
	if (text->len > 0)
		mm_text(m, ark_buf_view(text), out);
	ark_buf_reset(text);
}

static void put_style(struct mm *m, const char *tag, struct ark_str text, struct ark_buf *out)
{
	ark_buf_fmt(out, "<%s>", tag);
	mm_inline(m, text, out);
	ark_buf_fmt(out, "</%s>", tag);
}

static void put_code(struct ark_str code, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf html;
	ark_buf_init(&html, 10 * code.len + 10);
	mm_escape(ark_str_trim(code), true, &html);
	ark_buf_z(out, "<code>");
	mm_shown(ark_buf_view(&html), out);
	ark_buf_z(out, "</code>");
}

/* Rules that give something else than text; the end, or 0. `text` is what came before. */
static size_t take_rule(struct mm *m, struct ark_str s, struct ark_buf *text, struct ark_buf *out)
{
	struct match x;
	bool mail;
	size_t end;
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 64u << 20);
	if ((x = rule_autolink(s, &mail)).end > 0) {
		struct ark_str url = x.text;
		if (mail && url.len > 6 && url.ptr[6] == ':')
			url = ark_str_from(url, 7);
		put_bare(m, url, mail ? "mailto:" : "", &shown);
	} else if (!m->in_link && (x.end = rule_url(s)) > 0) {
		put_bare(m, ark_str_first(s, x.end), "", &shown);
	} else if ((end = rule_tag(s)) > 0) {
		if (ark_str_starts(s, ARK_LIT("<a ")) || ark_str_starts(s, ARK_LIT("<A ")))
			m->in_link = true;
		else if (ark_str_starts(s, ARK_LIT("</a>")) || ark_str_starts(s, ARK_LIT("</A>")))
			m->in_link = false;
		mm_escape(ark_str_first(s, end), false, text);
		return end;
	} else if ((end = take_link(m, s, &shown)) > 0) {
		x.end = end;
	} else if ((end = lone_bracket(s)) > 0) {
		ark_buf_c(text, s.ptr[0]);
		return end;
	} else if ((x = rule_strong(s)).end > 0) {
		put_style(m, "strong", x.text, &shown);
	} else if ((x = rule_em(s)).end > 0) {
		put_style(m, "em", x.text, &shown);
	} else if ((x = rule_code(s)).end > 0) {
		put_code(x.text, &shown);
	} else if ((x.end = br_at(s, 0)) > 0) {
		ark_buf_c(&shown, '\n');
	} else if ((x = rule_del(s)).end > 0) {
		put_style(m, "del", x.text, &shown);
	} else if (m->options->latex && (x = rule_latex(s)).end > 0) {
		struct ark_str t = ark_str_trim(x.text);
		ark_buf_fmt(&shown, "{math:%.*s}", ARK_FMT(t));
	}
	if (x.end > 0) {
		flush(m, text, out);
		ark_buf_str(out, ark_buf_view(&shown));
	}
	return x.end;
}

void mm_inline(struct mm *m, struct ark_str s, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 64u << 20);
	while (s.len > 0) {
		size_t end = rule_escape(s);
		if (end > 0) {
			ark_buf_c(&text, s.ptr[1]);
		} else if ((end = take_rule(m, s, &text, out)) == 0) {
			end = rule_text(s);
			mm_escape(ark_str_first(s, end), false, &text);
		}
		s = ark_str_from(s, end);
	}
	flush(m, &text, out);
}

/*
 * Bare URLs as the web client sees them: which it links by itself and where it ends them.
 * Fact  fixtures/markdown-rendered.tsv, the lines with "http"
 */
#include "common/base/utf8.h"
#include "import/translate/markup.h"

#include "common/base/banned.h"

/* Schemes that a server links when nothing else is configured. */
static const struct ark_str SCHEMES[] = {
	{ "https:", 6 }, { "http:", 5 }, { "ftp:", 4 }, { "mailto:", 7 }, { "tel:", 4 }
};

/* Punctuation that a URL holds only when something that is no blank or bracket follows. */
static bool is_inner(uint32_t r)
{
	if (r < 0x80)
		return r != 0 && strchr("`![]{;:'\",<>?", (int)r) != NULL;
	return r == 0xAB || r == 0xBB || r == 0x201C || r == 0x201D || r == 0x2018 || r == 0x2019;
}

/* Full-width and CJK punctuation, which ends a URL. */
static bool is_wide(uint32_t r)
{
	return (r >= 0xFF01 && r <= 0xFF0F) || (r >= 0xFF1A && r <= 0xFF20) ||
	       (r >= 0xFF3B && r <= 0xFF40) || (r >= 0xFF5B && r <= 0xFF5E) || r == 0x3001 ||
	       r == 0x3002 || (r >= 0x300C && r <= 0x3011);
}

static bool is_blank(uint32_t r)
{
	return ark_utf8_is_space(r) || r == 0xFEFF;
}

/* "[0-9a-f:]+" in brackets: an address of the sixth version. Its length, or 0. */
static size_t host_brackets(struct ark_str s, size_t at)
{
	size_t i = at + 1;
	while (i < s.len && s.ptr[i] != '\0' && strchr("0123456789abcdef:", s.ptr[i]) != NULL)
		i++;
	return i > at + 1 && i < s.len && s.ptr[i] == ']' ? i + 1 - at : 0;
}

/* A pair of parentheses with at most one level inside; its length, or 0. */
static size_t parens(struct ark_str s, size_t at)
{
	bool inner = false;
	size_t inner_at = 0;
	for (size_t i = at + 1, len; i < s.len; i += len) {
		uint32_t r = ark_utf8_at(s, i, &len);
		if (is_blank(r) || r == '<' || r == '>')
			return 0;
		if (r == '(') {
			if (inner)
				return 0;
			inner = true;
			inner_at = i;
		} else if (r == ')') {
			if (!inner)
				return i + 1 - at;
			if (i == inner_at + 1)
				return 0;
			inner = false;
		}
	}
	return 0;
}

/* Length of the next piece of a URL at s[at]; 0 where it ends. */
static size_t piece(struct ark_str s, size_t at)
{
	size_t len;
	uint32_t r = ark_utf8_at(s, at, &len);
	if (r == '(')
		return parens(s, at);
	if (r == ')' || r < 0x20 || is_blank(r) || is_wide(r))
		return 0;
	if (!is_inner(r))
		return len;
	size_t host = r == '[' ? host_brackets(s, at) : 0;
	if (host > 0)
		return host;
	if (at + len >= s.len)
		return 0;
	size_t next_len;
	uint32_t next = ark_utf8_at(s, at + len, &next_len);
	return is_blank(next) || (next < 0x80 && strchr("()<>", (int)next) != NULL) ? 0 : len;
}

static size_t scheme_at(struct ark_str s, size_t from)
{
	for (size_t i = 0; i < sizeof(SCHEMES) / sizeof(SCHEMES[0]); i++)
		if (ark_str_starts(ark_str_from(s, from), SCHEMES[i]))
			return SCHEMES[i].len;
	return 0;
}

/* Behind an escaped '_' the parser begins anew. */
static bool joins(char before, bool sure)
{
	return byte_is((unsigned char)before, BYTE_WORD) && (sure || before != '_');
}

static size_t scheme_before(struct ark_str s, size_t end, bool sure)
{
	for (size_t i = 0; i < sizeof(SCHEMES) / sizeof(SCHEMES[0]); i++)
		if (ark_str_ends(ark_str_first(s, end), SCHEMES[i])) {
			size_t at = end - SCHEMES[i].len;
			if (at == 0 || !joins(s.ptr[at - 1], sure))
				return SCHEMES[i].len;
		}
	return 0;
}

size_t url_scheme_before(struct ark_str s, size_t end)
{
	return scheme_before(s, end, true);
}

size_t url_bare_end(struct ark_str s, size_t from)
{
	size_t scheme = scheme_at(s, from);
	size_t at = from + scheme;
	if (scheme == 0 || at >= s.len)
		return from;
	size_t len;
	uint32_t r = ark_utf8_at(s, at, &len);
	if (r != '/' && r != '%' && !ark_utf8_is_word(r))
		return from;
	at += len;
	size_t body = at;
	for (size_t n; at < s.len && (n = piece(s, at)) > 0;)
		at += n;
	if (at == body)
		return from;
	while (at > from && strchr("?!.,:*_~'\"", s.ptr[at - 1]) != NULL && s.ptr[at - 1] != '\0')
		at--;
	return at;
}

/* Would the browser take s[i], an '&', for the start of an entity? */
static bool starts_entity(struct ark_str s, size_t i)
{
	size_t k = i + 1;
	if (k < s.len && s.ptr[k] == '#')
		k++;
	size_t word = k;
	while (k < s.len && byte_is((unsigned char)s.ptr[k], BYTE_WORD))
		k++;
	return k > word && k < s.len && s.ptr[k] == ';';
}

/* Do the parentheses nest as the parser can follow? */
static bool even_parens(struct ark_str url)
{
	int depth = 0;
	for (size_t i = 0; i < url.len; i++) {
		if (url.ptr[i] == '(' && ++depth > 2)
			return false;
		if (url.ptr[i] == ')' && --depth < 0)
			return false;
	}
	return depth == 0;
}

void url_put(struct ark_str url, enum url_place place, struct ark_buf *out)
{
	bool parens = place == URL_PAREN && !even_parens(url);
	/* <...@...> would be taken for an address of mail */
	bool at = place == URL_ANGLE && !ark_str_starts(url, ARK_LIT("mailto:"));
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.ptr[i];
		if (c == '\n' || c == '\r' || c == SLOT_MARK || c == 0)
			continue;
		if (c == ' ' || c == '\t' || c == '<' || c == '>' || c == '`' || (at && c == '@') ||
		    (parens && (c == '(' || c == ')')))
			ark_buf_fmt(out, "%%%02X", c);
		else
			ark_buf_c(out, (char)c);
		if (c == '&' && starts_entity(url, i))
			ark_buf_add(out, "amp;", 4);
	}
}

void url_copy(struct ark_str s, size_t from, size_t end, struct ark_buf *out)
{
	for (size_t i = from; i < end; i++) {
		ark_buf_c(out, s.ptr[i]);
		if (s.ptr[i] == '&' && starts_entity(s, i))
			ark_buf_add(out, "amp;", 4);
	}
}

/* The part behind "scheme://" or "mailto:", "tel:". */
static struct ark_str bare(struct ark_str url)
{
	size_t scheme = scheme_at(url, 0);
	url = ark_str_from(url, scheme);
	if (scheme > 0 && ark_str_starts(url, ARK_LIT("//")))
		url = ark_str_from(url, 2);
	if (url.len > 0 && url.ptr[url.len - 1] == '/')
		url.len--;
	return url;
}

bool url_says(struct ark_str url, struct ark_str label)
{
	return label.len == 0 || ark_str_eq(label, url) || ark_str_eq(bare(label), bare(url));
}

/* "www1." behind a character that is no letter: where; else w.len. */
static size_t find_www(struct ark_str w)
{
	for (size_t i = 0; (i = ark_str_search(w, ARK_LIT("www"), i)) != SIZE_MAX; i++) {
		if (i > 0 && joins(w.ptr[i - 1], false))
			continue;
		size_t k = i + 3;
		while (k < w.len && k < i + 6 && w.ptr[k] >= '0' && w.ptr[k] <= '9')
			k++;
		if (k < w.len && w.ptr[k] == '.')
			return i;
	}
	return w.len;
}

static size_t find_scheme(struct ark_str w)
{
	for (size_t i = 0; (i = ark_str_find(w, ':', i)) != SIZE_MAX; i++) {
		size_t scheme = scheme_before(w, i + 1, false);
		if (scheme > 0)
			return i + 1 - scheme;
	}
	return w.len;
}

/* "e.com/" without a scheme: what is before it may be part of it, so the word's start. */
static bool has_host(struct ark_str word)
{
	for (size_t i = 0; (i = ark_str_find(word, '/', i)) != SIZE_MAX; i++) {
		size_t letters = 0, at = i;
		while (at > 0 && letters < 5 && ark_utf8_is_letter(ark_utf8_before(word, at))) {
			do
				at--;
			while (at > 0 && ((unsigned char)word.ptr[at] & 0xC0) == 0x80);
			letters++;
		}
		if (letters >= 2 && letters <= 4 && at > 1 && word.ptr[at - 1] == '.')
			return true;
	}
	return false;
}

size_t url_like(struct ark_str word)
{
	if (has_host(word))
		return 0;
	size_t www = find_www(word), scheme = find_scheme(word);
	return www < scheme ? www : scheme;
}

/*
 * Links, mentions and emoji: things that mean themselves and must show right where they stand.
 */
#include "common/base/utf8.h"
#include "import/translate/emoji.h"
#include "import/translate/markup.h"

#include "common/base/banned.h"

/* Bytes of a name in ":name:"; Slack's longest are far below. */
#define MAX_EMOJI_NAME 100

static unsigned char last_byte(const struct ark_buf *out)
{
	return out->len > 0 ? (unsigned char)out->data[out->len - 1] : 0;
}

/* Brackets that the parser does not see as pairs are written as entities. */
static bool even_brackets(struct ark_str s)
{
	int depth = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '[')
			depth++;
		else if (s.ptr[i] == ']' && --depth < 0)
			return false;
	}
	return depth == 0;
}

static void put_label(struct markup *m, struct ark_str label)
{
	bool even = even_brackets(label);
	m->label = true;
	m->head = false;
	size_t from = 0;
	for (size_t i = 0; !even && i < label.len; i++) {
		if (label.ptr[i] != '[' && label.ptr[i] != ']')
			continue;
		markup_literal(m, ark_str_n(label.ptr + from, i - from));
		ark_buf_z(m->out, label.ptr[i] == '[' ? "&#91;" : "&#93;");
		from = i + 1;
	}
	markup_literal(m, ark_str_from(label, from));
	m->label = false;
}

static void put_labelled(struct markup *m, struct ark_str url, struct ark_str label)
{
	struct ark_buf *out = m->out;
	if (last_byte(out) == '!') {
		ark_buf_cut(out, out->len - 1);
		ark_buf_add(out, "\\!", 2);
	}
	ark_buf_c(out, '[');
	put_label(m, label);
	ark_buf_add(out, "](", 2);
	url_put(url, URL_PAREN, out);
	ark_buf_c(out, ')');
	m->links = true;
	m->tail = TAIL_TEXT;
}

/* An address that the client links by itself: nothing in it may act. */
static bool plain_address(struct ark_str a)
{
	size_t at = ark_str_find(a, '@', 0);
	size_t dot = SIZE_MAX;
	if (at == SIZE_MAX || at == 0)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		char c = a.ptr[i];
		bool alnum = byte_is((unsigned char)c, BYTE_WORD) && c != '_';
		bool inner = i > 0 && i + 1 < a.len && strchr(i < at ? ".-_+" : ".-", c) != NULL &&
			     byte_is((unsigned char)a.ptr[i - 1], BYTE_WORD) &&
			     byte_is((unsigned char)a.ptr[i + 1], BYTE_WORD);
		if (i != at && !alnum && !inner)
			return false;
		if (i > at && c == '.')
			dot = i;
	}
	if (dot == SIZE_MAX || a.len - dot - 1 < 2 || a.len - dot - 1 > 5)
		return false;
	for (size_t i = dot + 1; i < a.len; i++)
		if (a.ptr[i] >= '0' && a.ptr[i] <= '9')
			return false;
	return true;
}

/* Neither begins nor ends like something that becomes part of a link. */
static bool has_blank_or_angle(struct ark_str url)
{
	for (size_t i = 0; i < url.len; i++)
		if (byte_is((unsigned char)url.ptr[i], BYTE_SPACE) || url.ptr[i] == '<' ||
		    url.ptr[i] == '>' || (unsigned char)url.ptr[i] <= SLOT_MARK)
			return true;
	return false;
}

static void put_bare(struct markup *m, struct ark_str url)
{
	struct ark_buf *out = m->out;
	size_t mark = out->len;
	unsigned char prev = last_byte(out);
	url_put(url, URL_BARE, out);
	bool apart = !byte_is(prev, BYTE_WORD) && prev != '<';
	if (apart && url_bare_end(ark_buf_view(out), mark) == out->len) {
		m->tail = TAIL_URL;
		m->tail_at = mark;
		return;
	}
	ark_buf_cut(out, mark);
	size_t colon = ark_str_find(url, ':', 0);
	bool slash =
	    colon != SIZE_MAX && colon > 0 && colon + 1 < url.len && url.ptr[colon + 1] == '/';
	struct ark_str scheme = ark_str_first(url, colon == SIZE_MAX ? 0 : colon + 1);
	bool linked = url_scheme_before(scheme, scheme.len) > 0;
	if (slash && linked && !has_blank_or_angle(url) && !m->label) {
		ark_buf_c(out, '<');
		url_put(url, URL_ANGLE, out);
		ark_buf_c(out, '>');
		m->tail = TAIL_TEXT;
		return;
	}
	put_labelled(m, url, url);
}

/* Schemes that the client refuses to link. */
static bool refused(struct ark_str url)
{
	static const char *const bad[] = { "javascript:", "vbscript:", "data:" };
	char head[16] = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < url.len && n + 1 < sizeof(head); i++) {
		char c = url.ptr[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (byte_is((unsigned char)c, BYTE_WORD) || c == ':')
			head[n++] = c;
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strncmp(head, bad[i], strlen(bad[i])) == 0)
			return true;
	return false;
}

void markup_link(struct markup *m, struct ark_str url, struct ark_str label)
{
	url = ark_str_trim(url);
	label = ark_str_trim(label);
	if (m->plain || refused(url) || url.len == 0) {
		markup_literal(m, label.len > 0 ? label : url);
		return;
	}
	bool said = url_says(url, label);
	markup_join(m, said ? ARK_LIT("<") : ARK_LIT("[x"));
	if (said && ark_str_starts(url, ARK_LIT("mailto:"))) {
		struct ark_str address = ark_str_from(url, 7);
		unsigned char prev = last_byte(m->out);
		if (!m->label && !byte_is(prev, BYTE_WORD) && prev < 0x80 &&
		    plain_address(address) && prev != '<' &&
		    (prev == 0 || strchr("!#$%&'*+-/=?^_`{|}~.", prev) == NULL)) {
			ark_buf_str(m->out, address);
			m->tail = TAIL_MENTION;
		} else {
			put_labelled(m, url, label.len > 0 ? label : address);
		}
	} else if (said) {
		put_bare(m, url);
	} else {
		put_labelled(m, url, label);
	}
	m->head = m->fresh = false;
}

static struct ark_str encode(uint32_t rune, struct ark_buf *to)
{
	ark_buf_init(to, 8);
	if (rune != 0)
		ark_utf8_put(to, rune);
	return ark_buf_view(to);
}

void text_link(struct ark_str url, struct ark_str label, uint32_t next, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf rune;
	struct ark_str behind = encode(next, &rune);
	struct markup m;
	markup_begin(&m, out);
	markup_link(&m, url, label);
	if (m.tail == TAIL_URL && behind.len > 0) {
		/* what follows the rune is not known: take it as going on */
		ark_buf_c(&rune, 'x');
		markup_join(&m, ark_buf_view(&rune));
	}
	markup_finish(&m);
}

void text_mention(char sigil, struct ark_str name, uint32_t next, struct ark_buf *out)
{
	struct markup m;
	markup_begin(&m, out);
	markup_mention(&m, sigil, name);
	markup_finish(&m);
	if (next < 0x80 && byte_is((unsigned char)next, BYTE_WORD) && next != '_')
		ark_buf_c(out, ' ');
}

/* Does the output end in a mention, which ":name:" would become part of? */
static bool behind_mention(const struct ark_buf *out)
{
	size_t i = out->len;
	while (i > 0 && out->len - i < 70 &&
	       (byte_is((unsigned char)out->data[i - 1], BYTE_WORD) || out->data[i - 1] == '-' ||
		out->data[i - 1] == '.'))
		i--;
	return i > 0 && i < out->len && out->data[i - 1] == '@' &&
	       (i < 2 || !byte_is((unsigned char)out->data[i - 2], BYTE_WORD));
}

void markup_emoji(struct markup *m, const struct text_world *world, struct ark_str name)
{
	struct ark_buf *out = m->out;
	if (m->tail == TAIL_TEXT && behind_mention(out))
		ark_buf_c(out, ' ');
	markup_join(m, ARK_LIT(":x"));
	size_t at = out->len;
	struct ark_str own;
	bool named = true;
	ark_buf_c(out, ':');
	if (world != NULL && world->emoji != NULL && world->emoji(world->ctx, name, &own))
		ark_buf_str(out, own);
	else
		named = emoji_translate(name, out, NULL) != EMOJI_UNICODE;
	if (named) {
		ark_buf_c(out, ':');
	} else if (out->len > at) {
		memmove(out->data + at, out->data + at + 1, out->len - at - 1);
		ark_buf_cut(out, out->len - 1);
	}
	m->head = m->fresh = false;
}

static bool name_byte(unsigned char c)
{
	return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-' || c == '+' || c == '\'';
}

size_t emoji_code_at(struct ark_str s, size_t at, struct ark_str *name)
{
	size_t i = at + 1;
	while (i < s.len && i - at <= MAX_EMOJI_NAME && name_byte((unsigned char)s.ptr[i]))
		i++;
	if (i == at + 1 || i >= s.len || s.ptr[i] != ':')
		return 0;
	struct ark_str tone = ARK_LIT("::skin-tone-");
	if (ark_str_starts(ark_str_from(s, i), tone)) {
		size_t end = i + tone.len;
		while (end < s.len && end - i < 20 &&
		       (s.ptr[end] == '-' || (s.ptr[end] >= '0' && s.ptr[end] <= '9')))
			end++;
		if (end < s.len && s.ptr[end] == ':')
			i = end;
	}
	*name = ark_str_n(s.ptr + at + 1, i - at - 1);
	return i + 1 - at;
}

void markup_literal_emoji(struct markup *m, const struct text_world *world, struct ark_str text)
{
	size_t from = 0;
	for (size_t i = 0; (i = ark_str_find(text, ':', i)) != SIZE_MAX;) {
		struct ark_str name, own;
		size_t n = emoji_code_at(text, i, &name);
		bool known =
		    n > 0 && (emoji_is_known(name) ||
			      (world->emoji != NULL && world->emoji(world->ctx, name, &own)));
		if (known) {
			markup_literal(m, ark_str_n(text.ptr + from, i - from));
			markup_emoji(m, world, name);
			from = i + n;
		}
		i += known ? n : 1;
	}
	markup_literal(m, ark_str_from(text, from));
}

void markup_image(struct markup *m, struct ark_str url, struct ark_str alt)
{
	markup_join(m, ARK_LIT("!x"));
	ark_buf_add(m->out, "![", 2);
	put_label(m, alt);
	ark_buf_add(m->out, "](", 2);
	url_put(url, URL_PAREN, m->out);
	ark_buf_c(m->out, ')');
	m->links = true;
	m->head = m->fresh = false;
}

void text_emoji(const struct text_world *world, struct ark_str name, struct ark_buf *out)
{
	struct markup m;
	markup_begin(&m, out);
	markup_emoji(&m, world, name);
	markup_finish(&m);
}

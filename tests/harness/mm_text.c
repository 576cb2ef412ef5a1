/*
 * What the client makes of text once Markdown is done: mentions, channels, hashtags, addresses,
 * emoji. Each kind in turn replaces what it finds by a mark "$MM_…n$", so that the next cannot see
 * into it; the marks are filled in at the end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/utf8.h"
#include "import/translate/emoji.h"
#include "tests/harness/mm_markdown.h"

static char at(struct ark_str s, size_t i)
{
	return i < s.len ? s.ptr[i] : '\0';
}

static bool digit(uint32_t r)
{
	return r >= '0' && r <= '9';
}

static bool any(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* --- entities --- */

static const struct {
	const char *name;
	uint32_t rune;
	bool bare; /* known without the ';' too */
} ENTITIES[] = { { "amp", '&', true },  { "lt", '<', true },        { "gt", '>', true },
		 { "quot", '"', true }, { "nbsp", 0xA0, true },     { "copy", 0xA9, true },
		 { "not", 0xAC, true }, { "hearts", 0x2665, false } };

/* The entity at s[i]: what it stands for and its length; 0 when the browser knows none. */
static size_t entity_at(struct ark_str s, size_t i, uint32_t *rune)
{
	size_t k = i + 1;
	if (at(s, k) == '#') {
		bool hex = (at(s, k + 1) | 32) == 'x';
		size_t from = k += hex ? 2 : 1;
		*rune = 0;
		for (; k < s.len && k - from < 8; k++) {
			char c = s.ptr[k];
			bool letter = hex && (c | 32) >= 'a' && (c | 32) <= 'f';
			if (!digit((uint32_t)c) && !letter)
				break;
			*rune = *rune * (hex ? 16 : 10) +
				(uint32_t)(letter ? (c | 32) - 'a' + 10 : c - '0');
		}
		return k == from ? 0 : k - i + (at(s, k) == ';');
	}
	for (size_t e = 0; e < sizeof(ENTITIES) / sizeof(ENTITIES[0]); e++) {
		struct ark_str name = ark_str_z(ENTITIES[e].name);
		if (!ark_str_starts(ark_str_from(s, k), name))
			continue;
		bool closed = at(s, k + name.len) == ';';
		if (closed || ENTITIES[e].bare) {
			*rune = ENTITIES[e].rune;
			return 1 + name.len + closed;
		}
	}
	return 0;
}

static void put_rune(uint32_t r, bool escape, struct ark_buf *out)
{
	if (escape && (r == '&' || r == '<' || r == '>'))
		ark_buf_z(out, r == '&' ? "&amp;" : r == '<' ? "&lt;" : "&gt;");
	else
		ark_utf8_put(out, r);
}

static void decode(struct ark_str html, bool escape, struct ark_buf *out)
{
	for (size_t i = 0, len; i < html.len; i += len) {
		uint32_t r = 0;
		len = html.ptr[i] == '&' ? entity_at(html, i, &r) : 0;
		if (len == 0)
			r = ark_utf8_at(html, i, &len);
		put_rune(r, escape, out);
	}
}

void mm_shown(struct ark_str html, struct ark_buf *out)
{
	decode(html, true, out);
}

void mm_decoded(struct ark_str html, struct ark_buf *out)
{
	decode(html, false, out);
}

void mm_escape(struct ark_str s, bool all, struct ark_buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '&') {
			size_t k = i + 1 + (at(s, i + 1) == '#'), word = k;
			while (mm_word(at(s, k)))
				k++;
			bool entity = k > word && at(s, k) == ';';
			ark_buf_z(out, entity && !all ? "&" : "&amp;");
		} else if (c == '<' || c == '>') {
			ark_buf_z(out, c == '<' ? "&lt;" : "&gt;");
		} else if (c == '"' || c == '\'') {
			ark_buf_z(out, c == '"' ? "&quot;" : "&#39;");
		} else {
			ark_buf_c(out, c);
		}
	}
}

/* --- marks --- */

#define MAX_MARKS 1000

struct marks {
	char *value[MAX_MARKS]; /* as it is shown */
	char *name[MAX_MARKS];  /* "$MM_…$" */
	size_t n;
};

static void mark(struct marks *k, const char *kind, struct ark_str value, struct ark_buf *out)
{
	char name[64];
	if (k->n == MAX_MARKS)
		abort();
	int len = snprintf(name, sizeof(name), "$MM_%s%zu$", kind, k->n);
	k->name[k->n] = strndup(name, (size_t)len);
	k->value[k->n] = strndup(value.ptr, value.len);
	if (k->name[k->n] == NULL || k->value[k->n] == NULL)
		abort();
	k->n++;
	ark_buf_add(out, name, (size_t)len);
}

static void markf(struct marks *k, const char *kind, struct ark_buf *out, const char *before,
		  struct ark_str middle, const char *after)
{
	struct ark_buf v;
	ark_buf_init(&v, 1u << 20);
	ark_buf_z(&v, before);
	ark_buf_str(&v, middle);
	ark_buf_z(&v, after);
	mark(k, kind, ark_buf_view(&v), out);
	ark_buf_release(&v);
}

/* --- mentions --- */

static bool mention_byte(char c)
{
	return mm_word(c) || c == '.' || c == '-';
}

static bool known_user(struct ark_str name)
{
	static const char *const users[] = { "bob", "carol", "all", "channel", "here" };
	char lower[64];
	if (name.len == 0 || name.len >= sizeof(lower))
		return false;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32
									   : name.ptr[i]);
	for (size_t i = 0; i < 5; i++)
		if (ark_str_eqz(ark_str_n(lower, name.len), users[i]))
			return true;
	return false;
}

static void mark_mention(struct marks *k, struct ark_str name, struct ark_buf *out)
{
	struct ark_str user = name;
	while (user.len > 0 && !known_user(user) && any(user.ptr[user.len - 1], "._-"))
		user.len--;
	if (!known_user(user)) {
		markf(k, "AT", out, "@", name, "");
		return;
	}
	char lower[64];
	for (size_t i = 0; i < name.len && i < 63; i++)
		lower[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32
									   : name.ptr[i]);
	markf(k, "AT", out, "{mention:@", ark_str_n(lower, name.len), "}");
}

static void mentions(struct marks *k, struct ark_str s, struct ark_buf *out)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '@' || !mention_byte(at(s, i + 1)))
			continue;
		size_t u = i;
		while (u > from && s.ptr[u - 1] == '_')
			u--;
		bool edge = i == from || !mm_word(s.ptr[i - 1]) ||
			    (u < i && (u == from || !mm_word(s.ptr[u - 1])));
		if (!edge)
			continue;
		size_t e = i + 1;
		while (mention_byte(at(s, e)))
			e++;
		if (at(s, e) == ':' && mention_byte(at(s, e + 1)))
			for (e++; mention_byte(at(s, e));)
				e++;
		bool unders = i > from && s.ptr[i - 1] == '_';
		ark_buf_add(out, s.ptr + from, (unders ? u : i) - from);
		mark_mention(k, ark_str_n(s.ptr + i + 1, e - i - 1), out);
		from = e;
		i = e - 1;
	}
	ark_buf_str(out, ark_str_from(s, from));
}

static const char *channel_title(struct ark_str name)
{
	static const char *const channels[][2] = { { "general", "general" },
						   { "off-topic", "Off-Topic" },
						   { "town-square", "Town Square" },
						   { "secret-plans", "secret-plans" } };
	for (size_t i = 0; i < 4; i++)
		if (ark_str_eqz(name, channels[i][0]))
			return channels[i][1];
	return NULL;
}

static void channels(struct marks *k, struct ark_str s, bool plain, struct ark_buf *out)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '~' || (i > 0 && mm_word(s.ptr[i - 1])))
			continue;
		size_t e = i + 1;
		while (mention_byte(at(s, e)))
			e++;
		size_t x = e;
		struct ark_str name = ark_str_n(s.ptr + i + 1, x - i - 1);
		while (channel_title(name) == NULL && name.len > 0 &&
		       any(name.ptr[name.len - 1], "._-"))
			name.len--;
		if (channel_title(name) == NULL) {
			i = e - 1;
			continue;
		}
		ark_buf_add(out, s.ptr + from, i - from);
		markf(k, "CHANNEL", out, plain ? "~" : "{channel:~", ark_str_z(channel_title(name)),
		      plain ? "" : "}");
		from = i + 1 + name.len;
		i = e - 1;
	}
	ark_buf_str(out, ark_str_from(s, from));
}

/* --- addresses and hashtags --- */

static bool local_byte(uint32_t r)
{
	return r != 0 && (ark_utf8_is_letter(r) || digit(r) ||
			  (r < 0x80 && strchr("!#$%&'*+-/=?^_`{|}~", (int)r)));
}

static size_t address_end(struct ark_str s, size_t i)
{
	size_t k = i, len;
	while (k < s.len) {
		uint32_t r = ark_utf8_at(s, k, &len);
		if (!local_byte(r) &&
		    !(r == '.' && k > i && at(s, k + 1) != '.' && at(s, k + 1) != '@'))
			break;
		k += len;
	}
	if (k == i || at(s, k) != '@')
		return 0;
	size_t host = ++k, end = 0, dot = 0, letters = 0;
	for (; k < s.len; k += len) {
		uint32_t r = ark_utf8_at(s, k, &len);
		bool letter = ark_utf8_is_letter(r);
		if (!letter && dot > host && letters >= 2 && letters <= 5)
			end = k;
		if (r == '.') {
			dot = k;
			letters = 0;
		} else if (letter) {
			letters++;
		} else if (digit(r) || r == '-') {
			letters = 100;
		} else {
			break;
		}
	}
	if (k >= s.len && dot > host && letters >= 2 && letters <= 5)
		end = k;
	return end;
}

static void addresses(struct marks *k, struct ark_str s, bool plain, struct ark_buf *out)
{
	size_t from = 0;
	for (size_t i = 0, len; i < s.len; i += len) {
		uint32_t before = i > 0 ? ark_utf8_before(s, i) : 0;
		size_t end = i == 0 || (!ark_utf8_is_letter(before) && !digit(before))
				 ? address_end(s, i)
				 : 0;
		ark_utf8_at(s, i, &len);
		if (end == 0)
			continue;
		ark_buf_add(out, s.ptr + from, i - from);
		struct ark_str address = ark_str_n(s.ptr + i, end - i);
		ark_auto(ark_buf_release) struct ark_buf v;
		ark_buf_init(&v, 1u << 20);
		if (!plain)
			ark_buf_fmt(&v, "<a mailto:%.*s>", ARK_FMT(address));
		ark_buf_str(&v, address);
		if (!plain)
			ark_buf_z(&v, "</a>");
		mark(k, "EMAIL", ark_buf_view(&v), out);
		from = end;
		len = end - i;
	}
	ark_buf_str(out, ark_str_from(s, from));
}

static void hashtags(struct marks *k, struct ark_str s, bool plain, struct ark_buf *out)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		size_t len;
		if (s.ptr[i] != '#' || (i > 0 && mm_word(s.ptr[i - 1])) || i + 1 >= s.len ||
		    !ark_utf8_is_letter(ark_utf8_at(s, i + 1, &len)))
			continue;
		size_t end = 0, units = 1;
		for (size_t e = i + 1; e < s.len; e += len) {
			uint32_t r = ark_utf8_at(s, e, &len);
			bool word = ark_utf8_is_letter(r) || digit(r);
			if (!word && r != '-' && r != '_' && r != '.')
				break;
			units++;
			if (word && e > i + 1)
				end = e + len;
		}
		if (end == 0 || ark_utf8_runes(ark_str_n(s.ptr + i, end - i)) < 4)
			continue;
		ark_buf_add(out, s.ptr + from, i - from);
		markf(k, "HASHTAG", out, plain ? "" : "{hashtag:", ark_str_n(s.ptr + i, end - i),
		      plain ? "" : "}");
		from = end;
		i = end - 1;
	}
	ark_buf_str(out, ark_str_from(s, from));
}

/* --- emoji --- */

static bool emoji_byte(char c)
{
	return (mm_word(c) || c == '+' || c == '-') && c != '\0';
}

static void emoji(struct marks *k, struct ark_str s, struct ark_buf *out)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		size_t e = i + 1;
		while (s.ptr[i] == ':' && emoji_byte(at(s, e)))
			e++;
		if (s.ptr[i] != ':' || e == i + 1 || at(s, e) != ':')
			continue;
		struct ark_str name = ark_str_n(s.ptr + i + 1, e - i - 1);
		bool tone = ark_str_starts(name, ARK_LIT("skin-tone-"));
		ark_buf_add(out, s.ptr + from, i - from);
		if (emoji_is_system(name) || tone)
			markf(k, "EMOTICON", out, "{emoji:", name, "}");
		else
			markf(k, "EMOTICON", out, ":", name, ":");
		from = e + 1;
		i = e;
	}
	ark_buf_str(out, ark_str_from(s, from));
}

/* In this order; the second column ends in a word character where a \b must follow. */
static const struct {
	const char *name, *text;
} EMOTICONS[] = {
	{ "slightly_smiling_face", ":)" },
	{ "slightly_smiling_face", ":-)" },
	{ "wink", ";)" },
	{ "wink", ";-)" },
	{ "open_mouth", ":o" },
	{ "scream", ":-o" },
	{ "smirk", ":]" },
	{ "smirk", ":-]" },
	{ "smile", ":d" },
	{ "smile", ":-d" },
	{ "stuck_out_tongue_closed_eyes", "x-d" },
	{ "stuck_out_tongue", ":p" },
	{ "stuck_out_tongue", ":-p" },
	{ "rage", ":[" },
	{ "rage", ":-[" },
	{ "rage", ":@" },
	{ "rage", ":-@" },
	{ "slightly_frowning_face", ":(" },
	{ "slightly_frowning_face", ":-(" },
	{ "cry", ":`(" },
	{ "cry", ":&#39;(" },
	{ "cry", ":&#39;-(" },
	{ "confused", ":/" },
	{ "confused", ":-/" },
	{ "confounded", ":s" },
	{ "confounded", ":-s" },
	{ "neutral_face", ":|" },
	{ "neutral_face", ":-|" },
	{ "flushed", ":$" },
	{ "flushed", ":-$" },
	{ "mask", ":-x" },
	{ "heart", "&lt;3" },
	{ "broken_heart", "&lt;/3" },
};

static bool starts_nocase(struct ark_str s, struct ark_str with)
{
	for (size_t i = 0; i < with.len; i++)
		if ((s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + 32 : s.ptr[i]) != with.ptr[i])
			return false;
	return true;
}

static size_t emoticon_at(struct ark_str s, size_t i, const char *text)
{
	size_t slash = at(s, i) == '\\' ? 1 : 0;
	struct ark_str t = ark_str_z(text);
	struct ark_str rest = ark_str_from(s, i + slash);
	if (rest.len < t.len || !starts_nocase(rest, t))
		return 0;
	bool word_first = mm_word(s.ptr[i]), word_before = i > 0 && mm_word(s.ptr[i - 1]);
	size_t end = i + slash + t.len;
	bool word_last = mm_word(s.ptr[end - 1]), word_next = mm_word(at(s, end));
	bool left = i == 0 || (word_first ? !word_before : !word_before);
	bool right = end >= s.len || (word_last ? !word_next : !word_next);
	return left && right ? end : 0;
}

static void emoticons(struct marks *k, struct ark_str s, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf text, next;
	ark_buf_init(&text, 1u << 24);
	ark_buf_init(&next, 1u << 24);
	ark_buf_str(&text, s);
	for (size_t e = 0; e < sizeof(EMOTICONS) / sizeof(EMOTICONS[0]); e++) {
		struct ark_str t = ark_buf_view(&text);
		ark_buf_reset(&next);
		for (size_t i = 0; i < t.len;) {
			size_t end = emoticon_at(t, i, EMOTICONS[e].text);
			if (end == 0) {
				ark_buf_c(&next, t.ptr[i++]);
				continue;
			}
			if (t.ptr[i] == '\\')
				ark_buf_add(&next, t.ptr + i + 1, end - i - 1);
			else
				markf(k, "EMOTICON", &next, "{emoji:", ark_str_z(EMOTICONS[e].name),
				      "}");
			i = end;
		}
		ark_buf_reset(&text);
		ark_buf_str(&text, ark_buf_view(&next));
	}
	ark_buf_str(out, ark_buf_view(&text));
}

/* --- all of it --- */

/* Fill the marks in, the last first: one may hold another. */
static void fill(struct marks *k, struct ark_str s, struct ark_buf *out)
{
	for (size_t i = 0; i < s.len;) {
		size_t found = k->n;
		for (size_t n = k->n; n-- > 0 && found == k->n;)
			if (s.ptr[i] == '$' &&
			    ark_str_starts(ark_str_from(s, i), ark_str_z(k->name[n])))
				found = n;
		if (found == k->n) {
			ark_buf_c(out, s.ptr[i++]);
			continue;
		}
		fill(k, ark_str_z(k->value[found]), out);
		i += strlen(k->name[found]);
	}
}

void mm_text(struct mm *m, struct ark_str html, struct ark_buf *out)
{
	if (!m->options->decorate) {
		mm_shown(html, out);
		return;
	}
	struct marks k = { .n = 0 };
	struct ark_buf a, b;
	ark_buf_init(&a, 1u << 24);
	ark_buf_init(&b, 1u << 24);
	mentions(&k, html, &a);
	channels(&k, ark_buf_view(&a), m->link_text, &b);
	ark_buf_reset(&a);
	addresses(&k, ark_buf_view(&b), m->link_text, &a);
	ark_buf_reset(&b);
	hashtags(&k, ark_buf_view(&a), m->link_text, &b);
	ark_buf_reset(&a);
	emoji(&k, ark_buf_view(&b), &a);
	ark_buf_reset(&b);
	emoticons(&k, ark_buf_view(&a), &b);
	ark_buf_reset(&a);
	/* the tags of an address are no text */
	for (size_t i = 0; i < k.n; i++) {
		if (strncmp(k.value[i], "<a ", 3) == 0 || strchr(k.value[i], '$') != NULL)
			continue;
		struct ark_buf v;
		ark_buf_init(&v, 1u << 20);
		mm_shown(ark_str_z(k.value[i]), &v);
		free(k.value[i]);
		k.value[i] = strndup(v.data, v.len);
		ark_buf_release(&v);
	}
	mm_shown(ark_buf_view(&b), &a);
	fill(&k, ark_buf_view(&a), out);
	for (size_t i = 0; i < k.n; i++) {
		free(k.name[i]);
		free(k.value[i]);
	}
	ark_buf_release(&a);
	ark_buf_release(&b);
}

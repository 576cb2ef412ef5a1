/*
 * rich_text is a flat list of parts; lists inside it are flat too, with a level each. Styles change
 * where the first thing that shows stands (markup.c), so that blanks never touch a mark.
 */
#include "import/translate/richtext.h"

#include <stdio.h>

#include "common/base/limits.h"
#include "common/base/utf8.h"
#include "import/translate/control.h"
#include "import/translate/emoji.h"

#include "common/base/banned.h"

#define ZWSP         "\xe2\x80\x8b"
#define MAX_LEVELS   9
#define LEVEL_BLANKS 4

enum part { PART_NONE, PART_SECTION, PART_LIST, PART_QUOTE, PART_CODE };

struct level {
	int64_t indent;
	bool ordered;
};

struct rich {
	struct markup m;
	const struct text_world *world;
	bool understood;
	bool one_line;
	bool apart; /* an empty line was just written: Slack's own line end is one too many */
	enum part before;
	struct level levels[MAX_LEVELS];
	size_t depth;
	bool code; /* a code span is open */
	size_t code_begin;
	unsigned code_styles;
};

static void put_inlines(struct rich *r, struct json_val elements, unsigned depth);

/* --- inline --- */

static unsigned styles_of(struct json_val style, bool *code)
{
	unsigned styles = 0;
	struct json_iter it = json_fields(style);
	struct ark_str key;
	*code = false;
	for (struct json_val v; json_next_field(&it, &key, &v);) {
		if (!json_is_true(v))
			continue;
		if (ark_str_eqz(key, "bold"))
			styles |= STYLE_BOLD;
		else if (ark_str_eqz(key, "italic"))
			styles |= STYLE_ITALIC;
		else if (ark_str_eqz(key, "strike"))
			styles |= STYLE_STRIKE;
		else if (ark_str_eqz(key, "code"))
			*code = true;
	}
	return styles;
}

static void end_code(struct rich *r)
{
	if (!r->code)
		return;
	r->code = false;
	markup_code_end(&r->m, r->code_begin);
}

static bool all_blank(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!byte_is((unsigned char)s.ptr[i], BYTE_SPACE))
			return false;
	return true;
}

/* One line of code; a span of the same styles that is open goes on. */
static void put_code_line(struct rich *r, struct ark_str line)
{
	if (line.len == 0)
		return;
	if (all_blank(line) && !r->code) {
		markup_literal(&r->m, line);
		return;
	}
	if (!r->code) {
		r->code_begin = markup_code_begin(&r->m);
		r->code = true;
		r->code_styles = r->m.want;
	}
	markup_code_text(&r->m, line);
}

static void put_code(struct rich *r, struct ark_str text)
{
	if (r->code && r->code_styles != r->m.want)
		end_code(r);
	for (;;) {
		size_t end = r->one_line ? SIZE_MAX : ark_str_find(text, '\n', 0);
		put_code_line(r, ark_str_first(text, end));
		if (end == SIZE_MAX)
			return;
		end_code(r);
		markup_newline(&r->m);
		text = ark_str_from(text, end + 1);
	}
}

static void put_text(struct rich *r, struct ark_str text, bool code)
{
	if (r->apart && text.len > 0 && text.ptr[0] == '\n')
		text = ark_str_from(text, 1);
	r->apart = false;
	if (code) {
		put_code(r, text);
		return;
	}
	end_code(r);
	if (!r->one_line) {
		markup_literal(&r->m, text);
		return;
	}
	for (size_t from = 0; from < text.len;) {
		size_t end = ark_str_find(text, '\n', from);
		end = end == SIZE_MAX ? text.len : end;
		markup_literal(&r->m, ark_str_n(text.ptr + from, end - from));
		if (end < text.len)
			markup_literal(&r->m, ARK_LIT(" "));
		from = end + 1;
	}
}

/* "1f44b-1f3fc" as characters. */
static bool put_unicode(struct ark_str hex, struct ark_buf *out)
{
	uint32_t rune = 0;
	size_t digits = 0;
	for (size_t i = 0; i <= hex.len; i++) {
		char c = i < hex.len ? hex.ptr[i] : '-';
		if (c == '-') {
			if (digits == 0 || rune < 0x20 || rune > 0x10FFFF)
				return false;
			ark_utf8_put(out, rune);
			rune = 0;
			digits = 0;
			continue;
		}
		unsigned d = c >= '0' && c <= '9'                 ? (unsigned)(c - '0')
			     : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned)((c | 32) - 'a' + 10)
								  : 16;
		if (d > 15 || ++digits > 6)
			return false;
		rune = rune << 4 | d;
	}
	return true;
}

/* Slack's editor makes an emoji of whatever stands between two colons, "get:APIError: None" too. */
static bool can_be_emoji(struct ark_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((name.ptr[i] >= 'A' && name.ptr[i] <= 'Z') || name.ptr[i] == ' ')
			return false;
	return true;
}

static void put_no_emoji(struct rich *r, struct ark_str name)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, name.len + 2);
	ark_buf_c(&shown, ':');
	ark_buf_str(&shown, name);
	ark_buf_c(&shown, ':');
	markup_literal(&r->m, ark_buf_view(&shown));
}

static void put_emoji(struct rich *r, struct json_val el)
{
	struct ark_str name = json_text(json_get(el, "name"));
	struct ark_str hex = json_text(json_get(el, "unicode"));
	int64_t tone;
	char toned[MM_EMOJI_NAME_BYTES + 16];
	struct ark_str own;
	struct ark_buf shown;
	if (!ark_str_has(name))
		return;
	bool is_own = r->world->emoji != NULL && r->world->emoji(r->world->ctx, name, &own);
	if (!is_own && !ark_str_has(hex) && !can_be_emoji(name)) {
		put_no_emoji(r, name);
		return;
	}
	if (json_i64(json_get(el, "skin_tone"), &tone) && tone >= 2 && tone <= 6 &&
	    name.len <= MM_EMOJI_NAME_BYTES && !is_own) {
		int n =
		    snprintf(toned, sizeof(toned), "%.*s::skin-tone-%d", ARK_FMT(name), (int)tone);
		name = ark_str_n(toned, (size_t)n);
	}
	if (is_own || emoji_is_known(name) || !ark_str_has(hex)) {
		markup_emoji(&r->m, r->world, name);
		return;
	}
	/* newer than both tables: the character itself */
	ark_buf_init(&shown, 100);
	if (put_unicode(ark_str_first(hex, 64), &shown))
		markup_raw(&r->m, ark_buf_view(&shown));
	else
		markup_emoji(&r->m, r->world, name);
	ark_buf_release(&shown);
}

static void put_date(struct rich *r, struct json_val el)
{
	struct ark_str fallback = json_text(json_get(el, "fallback"));
	struct ark_str url = json_text(json_get(el, "url"));
	struct ark_str format = json_text(json_get(el, "format"));
	int64_t s;
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 1000 + fallback.len + 30 * format.len);
	if (ark_str_has(fallback)) {
		ark_buf_str(&shown, fallback);
	} else if (json_i64(json_get(el, "timestamp"), &s)) {
		struct ark_buf unix_s;
		ark_buf_init(&unix_s, 30);
		ark_buf_i64(&unix_s, s);
		control_date(ark_buf_view(&unix_s), format, ARK_STR_NONE, &shown);
		ark_buf_release(&unix_s);
	}
	if (ark_str_has(url))
		markup_link(&r->m, url, ark_buf_view(&shown));
	else
		markup_literal(&r->m, ark_buf_view(&shown));
}

/* A link to a message, by its ids or by a label and a URL. */
static void put_message(struct rich *r, struct json_val el)
{
	struct ark_str label = json_text(json_get(el, "label"));
	struct ark_str url = json_text(json_get(el, "url"));
	struct ark_str channel = json_text(json_get(el, "channel_id"));
	struct ark_str ts = json_text(json_get(el, "message_ts"));
	struct ark_str post;
	if (ark_str_has(channel) && ark_str_has(ts) && r->world->message != NULL &&
	    r->world->message(r->world->ctx, channel, ts, &post))
		markup_link(&r->m, post, label);
	else if (ark_str_has(url))
		control_link(&r->m, r->world, url, label);
	else if (ark_str_has(label))
		markup_literal(&r->m, label);
	else if (ark_str_has(channel))
		control_channel(&r->m, r->world, channel, ARK_STR_NONE);
	else
		r->understood = false;
}

/* Something newer than this: whatever of it reads like a name or text. */
static void put_other(struct rich *r, struct json_val el, unsigned depth)
{
	static const char *const keys[] = { "text", "label", "title", "name", "fallback", "value" };
	struct ark_str url = json_text(json_get(el, "url"));
	struct json_val inner = json_get(el, "elements");
	if (json_type(inner) == JSON_ARRAY && json_count(inner) > 0) {
		put_inlines(r, inner, depth + 1);
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct ark_str s = json_text(json_get(el, keys[i]));
		if (!ark_str_has(s))
			continue;
		if (ark_str_has(url))
			markup_link(&r->m, url, s);
		else
			markup_literal(&r->m, s);
		return;
	}
	if (ark_str_has(url))
		markup_link(&r->m, url, ARK_STR_NONE);
	else
		r->understood = false;
}

static bool is(struct ark_str type, const char *name)
{
	return ark_str_eqz(type, name);
}

static struct ark_str field(struct json_val el, const char *key)
{
	return json_text(json_get(el, key));
}

static void put_inline(struct rich *r, struct json_val el, unsigned depth)
{
	struct ark_str type = field(el, "type");
	bool code;
	r->m.want = styles_of(json_get(el, "style"), &code);
	if (is(type, "text")) {
		put_text(r, field(el, "text"), code);
		return;
	}
	if (is(type, "link") && code) {
		struct ark_str text = field(el, "text");
		put_code(r, ark_str_has(text) ? text : field(el, "url"));
		return;
	}
	end_code(r);
	if (is(type, "link"))
		control_link(&r->m, r->world, field(el, "url"), field(el, "text"));
	else if (is(type, "user"))
		control_user(&r->m, r->world, field(el, "user_id"), ARK_STR_NONE);
	else if (is(type, "channel"))
		control_channel(&r->m, r->world, field(el, "channel_id"), ARK_STR_NONE);
	else if (is(type, "usergroup"))
		control_group(&r->m, r->world, field(el, "usergroup_id"), ARK_STR_NONE);
	else if (is(type, "broadcast"))
		r->understood &= control_broadcast(&r->m, field(el, "range"));
	else if (is(type, "emoji"))
		put_emoji(r, el);
	else if (is(type, "date"))
		put_date(r, el);
	else if (is(type, "team"))
		markup_literal(&r->m, field(el, "team_id"));
	else if (is(type, "color"))
		markup_code(&r->m, field(el, "value"));
	else if (is(type, "message_mention"))
		put_message(r, el);
	else
		put_other(r, el, depth);
}

static void put_inlines(struct rich *r, struct json_val elements, unsigned depth)
{
	if (depth > LIMIT_BLOCK_DEPTH) {
		r->understood = false;
		return;
	}
	struct json_iter it = json_items(elements);
	for (struct json_val el; json_next(&it, &el);)
		if (json_type(el) == JSON_OBJECT)
			put_inline(r, el, depth);
	end_code(r);
	r->m.want = 0;
}

/* --- parts --- */

/* Take empty lines off the end, so that what follows decides on the distance. */
static void trim_part(struct rich *r)
{
	struct markup *m = &r->m;
	struct ark_buf *out = m->out;
	size_t prefix = (m->quote ? 2 : 0) + m->indent;
	if (!m->fresh)
		return;
	while (out->len > m->start + prefix && out->data[out->len - 1 - prefix] == '\n') {
		ark_buf_cut(out, out->len - 1 - prefix);
		m->head = m->fresh = m->block = false;
	}
}

static void start_part(struct rich *r, enum part part, bool gap, bool quote)
{
	struct markup *m = &r->m;
	m->quote = false;
	m->indent = 0;
	m->want = 0;
	if (r->before != PART_NONE) {
		markup_line(m);
		if (gap)
			markup_gap(m);
	}
	r->apart = gap;
	if (part != PART_LIST) {
		r->depth = 0;
		m->list = m->list && !gap;
	}
	m->quote = quote;
	if (quote)
		ark_buf_add(m->out, "> ", 2);
	r->before = part;
}

/* Where a list of this indent stands: one level deeper than what holds it, at most. */
static bool same_level(struct rich *r, int64_t indent)
{
	while (r->depth > 0 && r->levels[r->depth - 1].indent > indent)
		r->depth--;
	if (r->depth > 0 && r->levels[r->depth - 1].indent == indent)
		return true;
	if (r->depth < MAX_LEVELS)
		r->levels[r->depth++] = (struct level){ .indent = indent };
	return false;
}

static void put_item(struct rich *r, struct json_val item, int64_t number)
{
	struct markup *m = &r->m;
	size_t level = r->depth > 0 ? r->depth - 1 : 0;
	size_t from = m->out->len;
	for (size_t i = 0; i < level * LEVEL_BLANKS; i++)
		ark_buf_c(m->out, ' ');
	if (number > 0)
		ark_buf_fmt(m->out, "%lld. ", (long long)number);
	else
		ark_buf_add(m->out, "- ", 2);
	m->indent = (unsigned)(m->out->len - from);
	m->list = m->head = true;
	m->list_indent = level * LEVEL_BLANKS;
	m->fresh = false;
	size_t body = m->out->len;
	put_inlines(r, json_get(item, "elements"), 0);
	trim_part(r);
	if (m->out->len == body)
		ark_buf_z(m->out, ZWSP);
	m->head = m->fresh = false;
	m->indent = 0;
}

static void put_list(struct rich *r, struct json_val list)
{
	bool ordered = is(field(list, "style"), "ordered");
	int64_t indent = 0, offset = 0, border = 0;
	json_i64(json_get(list, "indent"), &indent);
	json_i64(json_get(list, "offset"), &offset);
	json_i64(json_get(list, "border"), &border);
	if (offset < 0 || offset > 999999999)
		offset = 0;
	bool goes_on = r->before == PART_LIST;
	bool same = same_level(r, indent) && goes_on;
	struct level *level = &r->levels[r->depth > 0 ? r->depth - 1 : 0];
	bool apart =
	    same && r->depth == 1 && (level->ordered != ordered || (ordered && offset == 0));
	bool gap = r->before == PART_QUOTE || apart;
	level->ordered = ordered;
	start_part(r, PART_LIST, gap, false);
	if (apart) {
		/* or Markdown makes one list of the two */
		markup_raw(&r->m, ARK_LIT(ZWSP));
		markup_gap(&r->m);
	}
	r->m.quote = border == 1;
	struct json_iter it = json_items(json_get(list, "elements"));
	int64_t number = offset;
	for (struct json_val item; json_next(&it, &item);) {
		markup_line(&r->m);
		if (r->m.quote && number == offset)
			ark_buf_add(r->m.out, "> ", 2);
		number++;
		put_item(r, item, ordered ? number : 0);
	}
}

static size_t longest_run(struct json_val elements)
{
	size_t longest = 0;
	struct json_iter it = json_items(elements);
	for (struct json_val el; json_next(&it, &el);) {
		struct ark_str text = field(el, "text");
		size_t run = 0;
		for (size_t i = 0; i < text.len; i++) {
			run = text.ptr[i] == '`' ? run + 1 : 0;
			longest = run > longest ? run : longest;
		}
	}
	return longest;
}

static void code_named(struct rich *r, char sigil, struct ark_str id,
		       bool (*ask)(void *, struct ark_str, struct ark_str *))
{
	struct ark_str name = id;
	if (ask != NULL)
		ask(r->world->ctx, id, &name);
	markup_fence_text(&r->m, ark_str_n(&sigil, 1));
	markup_fence_text(&r->m, name);
}

static void put_code_inline(struct rich *r, struct json_val el)
{
	struct ark_str type = field(el, "type");
	const struct text_world *w = r->world;
	if (is(type, "link")) {
		struct ark_str text = field(el, "text");
		markup_fence_text(&r->m, ark_str_has(text) ? text : field(el, "url"));
	} else if (is(type, "user")) {
		code_named(r, '@', field(el, "user_id"), w->user);
	} else if (is(type, "channel")) {
		code_named(r, '#', field(el, "channel_id"), w->channel);
	} else if (is(type, "usergroup")) {
		code_named(r, '@', field(el, "usergroup_id"), w->group);
	} else if (is(type, "broadcast")) {
		code_named(r, '@', field(el, "range"), NULL);
	} else if (is(type, "emoji")) {
		code_named(r, ':', field(el, "name"), NULL);
		markup_fence_text(&r->m, ARK_LIT(":"));
	} else {
		static const char *const keys[] = { "text", "fallback", "label", "url", "value" };
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			struct ark_str s = field(el, keys[i]);
			if (ark_str_has(s)) {
				markup_fence_text(&r->m, s);
				return;
			}
		}
		r->understood &= is(type, "text");
	}
}

/* A language that can stand behind a fence. */
static struct ark_str language_of(struct json_val part)
{
	struct ark_str s = field(part, "language");
	for (size_t i = 0; i < s.len; i++)
		if ((!byte_is((unsigned char)s.ptr[i], BYTE_WORD) &&
		     strchr("+-#.", s.ptr[i]) == NULL) ||
		    i > 30)
			return ARK_STR_NONE;
	return s;
}

static void put_preformatted(struct rich *r, struct json_val part, bool quote)
{
	struct json_val elements = json_get(part, "elements");
	struct markup *m = &r->m;
	size_t longest = longest_run(elements);
	unsigned ticks = longest < 3 ? 3 : (unsigned)longest + 1;
	start_part(r, PART_CODE, r->before == PART_LIST || (r->before == PART_QUOTE && !quote),
		   quote);
	markup_fence_open(m, ticks, language_of(part));
	size_t body = m->out->len;
	struct json_iter it = json_items(elements);
	for (struct json_val el; json_next(&it, &el);)
		put_code_inline(r, el);
	size_t prefix = quote ? 2 : 0;
	if (m->out->len > body + prefix && m->out->data[m->out->len - 1 - prefix] == '\n')
		ark_buf_cut(m->out, m->out->len - 1 - prefix);
	markup_fence_close(m, ticks);
}

static void put_part(struct rich *r, struct json_val part)
{
	struct ark_str type = field(part, "type");
	int64_t border = 0;
	json_i64(json_get(part, "border"), &border);
	if (is(type, "rich_text_list")) {
		put_list(r, part);
		return;
	}
	if (is(type, "rich_text_preformatted")) {
		put_preformatted(r, part, border == 1);
		return;
	}
	bool quote = is(type, "rich_text_quote");
	bool gap = r->before == PART_LIST || (r->before == PART_QUOTE) != quote;
	if (json_count(json_get(part, "elements")) == 0)
		return;
	start_part(r, quote ? PART_QUOTE : PART_SECTION,
		   gap && r->before != PART_NONE && r->before != PART_SECTION, quote);
	r->understood &= quote || is(type, "rich_text_section");
	put_inlines(r, json_get(part, "elements"), 0);
	if (quote)
		trim_part(r);
}

bool richtext_put(const struct text_world *world, struct json_val block, struct ark_buf *out)
{
	struct rich r = { .world = world, .understood = true };
	markup_begin(&r.m, out);
	struct json_iter it = json_items(json_get(block, "elements"));
	for (struct json_val part; json_next(&it, &part);)
		if (json_type(part) == JSON_OBJECT)
			put_part(&r, part);
	markup_finish(&r.m);
	return r.understood;
}

bool richtext_put_line(const struct text_world *world, struct json_val block, struct ark_buf *out)
{
	struct rich r = { .world = world, .understood = true, .one_line = true };
	markup_begin(&r.m, out);
	r.m.head = false;
	struct json_iter it = json_items(json_get(block, "elements"));
	bool first = true;
	for (struct json_val part; json_next(&it, &part);) {
		if (!first)
			markup_literal(&r.m, ARK_LIT(" "));
		put_inlines(&r, json_get(part, "elements"), 0);
		first = false;
	}
	markup_finish(&r.m);
	return r.understood;
}

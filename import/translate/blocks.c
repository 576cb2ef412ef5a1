/*
 * Blocks one after the other, an empty line between them. A message that people wrote is one
 * rich_text block; the others are what apps post.
 */
#include "import/translate/blocks.h"

#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/utf8.h"
#include "import/translate/control.h"
#include "import/translate/richtext.h"

#include "common/base/banned.h"

struct blocks {
	const struct text_world *world;
	struct ark_buf *out;
	bool understood;
};

static struct ark_str field(struct json_val object, const char *key)
{
	return json_text(json_get(object, key));
}

static bool is(struct ark_str type, const char *name)
{
	return ark_str_eqz(type, name);
}

static void put_literal(struct blocks *b, struct ark_str text)
{
	struct markup m;
	markup_begin(&m, b->out);
	markup_literal_emoji(&m, b->world, text);
	markup_finish(&m);
}

/* A text object {type, text}, or a string. */
static void put_text(struct blocks *b, struct json_val text)
{
	if (json_type(text) == JSON_STRING)
		put_literal(b, json_str(text));
	else if (is(field(text, "type"), "mrkdwn"))
		text_translate(b->world, field(text, "text"), 0, b->out);
	else if (is(field(text, "type"), "rich_text"))
		b->understood &= richtext_put(b->world, text, b->out);
	else
		put_literal(b, field(text, "text"));
}

/* The words of a text object or string, wherever they are. */
static struct ark_str words_of(struct json_val text)
{
	return json_type(text) == JSON_STRING ? json_text(text) : field(text, "text");
}

static void put_link(struct blocks *b, struct ark_str url, struct ark_str label)
{
	struct markup m;
	markup_begin(&m, b->out);
	if (ark_str_has(url))
		control_link(&m, b->world, url, label);
	else
		markup_literal_emoji(&m, b->world, label);
	markup_finish(&m);
}

/* A blank between things on one line. */
static void put_apart(struct blocks *b, size_t start)
{
	if (b->out->len > start && b->out->data[b->out->len - 1] != '\n')
		ark_buf_c(b->out, ' ');
}

static void put_newline(struct blocks *b, size_t start)
{
	if (b->out->len > start && b->out->data[b->out->len - 1] != '\n')
		ark_buf_c(b->out, '\n');
}

static bool is_web(struct ark_str url)
{
	return ark_str_starts(url, ARK_LIT("http://")) || ark_str_starts(url, ARK_LIT("https://"));
}

static void put_bold(struct blocks *b, struct ark_str text)
{
	struct markup m;
	markup_begin(&m, b->out);
	m.want = STYLE_BOLD;
	markup_literal_emoji(&m, b->world, text);
	markup_finish(&m);
}

/* "*Label:*\nvalue" is shown on one line. */
static void put_field(struct blocks *b, struct json_val text)
{
	struct ark_str s = field(text, "text");
	size_t end = ark_str_find(s, '\n', 0);
	if (end == SIZE_MAX || ark_str_find(s, '\n', end + 1) != SIZE_MAX) {
		put_text(b, text);
		return;
	}
	bool mrkdwn = is(field(text, "type"), "mrkdwn");
	for (int half = 0; half < 2; half++) {
		struct ark_str part = half == 0 ? ark_str_first(s, end) : ark_str_from(s, end + 1);
		if (half == 1)
			ark_buf_c(b->out, ' ');
		if (mrkdwn)
			text_translate(b->world, part, 0, b->out);
		else
			put_literal(b, part);
	}
}

/* A button or the like: what it says, in brackets; a link when it leads somewhere. */
static void put_control(struct blocks *b, struct json_val el)
{
	struct ark_str type = field(el, "type");
	struct ark_str url = field(el, "url");
	struct ark_str label = words_of(json_get(el, "text"));
	if (is(type, "image")) {
		url = field(el, "image_url");
		label = field(el, "alt_text");
		if (!is_web(url))
			url = ARK_STR_NONE;
		put_link(b, url, label);
		return;
	}
	if (!ark_str_has(label))
		label = words_of(json_get(el, "placeholder"));
	if (!ark_str_has(label))
		return;
	if (ark_str_has(url)) {
		put_link(b, url, label);
		return;
	}
	struct markup m;
	markup_begin(&m, b->out);
	markup_literal(&m, ARK_LIT("["));
	markup_literal_emoji(&m, b->world, label);
	markup_literal(&m, ARK_LIT("]"));
	markup_finish(&m);
}

static void put_section(struct blocks *b, struct json_val block)
{
	size_t start = b->out->len;
	struct json_val text = json_get(block, "text");
	struct json_val accessory = json_get(block, "accessory");
	if (json_type(text) != JSON_MISSING)
		put_text(b, text);
	struct json_iter it = json_items(json_get(block, "fields"));
	for (struct json_val f; json_next(&it, &f);) {
		put_newline(b, start);
		put_field(b, f);
	}
	if (json_type(accessory) == JSON_OBJECT) {
		size_t before = b->out->len;
		put_newline(b, start);
		size_t shown = b->out->len;
		put_control(b, accessory);
		if (b->out->len == shown)
			ark_buf_cut(b->out, before);
	}
}

static void put_context(struct blocks *b, struct json_val block)
{
	size_t start = b->out->len;
	struct json_iter it = json_items(json_get(block, "elements"));
	for (struct json_val el; json_next(&it, &el);) {
		size_t before = b->out->len;
		put_apart(b, start);
		size_t shown = b->out->len;
		if (is(field(el, "type"), "image"))
			put_control(b, el);
		else
			put_text(b, el);
		if (b->out->len == shown)
			ark_buf_cut(b->out, before);
	}
}

static void put_actions(struct blocks *b, struct json_val block)
{
	size_t start = b->out->len;
	struct json_iter it = json_items(json_get(block, "elements"));
	for (struct json_val el; json_next(&it, &el);) {
		size_t before = b->out->len;
		put_apart(b, start);
		size_t shown = b->out->len;
		put_control(b, el);
		if (b->out->len == shown)
			ark_buf_cut(b->out, before);
	}
}

static void put_image(struct blocks *b, struct json_val block)
{
	size_t start = b->out->len;
	struct ark_str url = field(block, "image_url");
	struct ark_str alt = field(block, "alt_text");
	struct ark_str title = words_of(json_get(block, "title"));
	if (ark_str_has(title))
		put_literal(b, title);
	if (is_web(url)) {
		put_newline(b, start);
		struct markup m;
		markup_begin(&m, b->out);
		markup_image(&m, url, alt);
		markup_finish(&m);
	} else if (b->out->len == start) {
		put_literal(b, alt);
	}
}

static void put_video(struct blocks *b, struct json_val block)
{
	size_t start = b->out->len;
	struct ark_str url = field(block, "title_url");
	struct ark_str title = words_of(json_get(block, "title"));
	struct ark_str description = words_of(json_get(block, "description"));
	put_link(b, ark_str_has(url) ? url : field(block, "video_url"), title);
	if (ark_str_has(description)) {
		put_newline(b, start);
		put_literal(b, description);
	}
}

static void put_call(struct blocks *b, struct json_val block)
{
	struct json_val call = json_get(json_get(block, "call"), "v1");
	put_link(b, field(call, "join_url"), field(call, "name"));
}

/* --- tables --- */

static void put_cell(struct blocks *b, struct json_val cell)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_TEXT);
	struct ark_str type = field(cell, "type");
	struct blocks inner = { .world = b->world, .out = &text, .understood = true };
	ark_buf_c(&text, '|'); /* no start of a line */
	if (is(type, "rich_text"))
		inner.understood = richtext_put_line(b->world, cell, &text);
	else if (is(type, "raw_number") && !ark_str_has(field(cell, "text"))) {
		double v;
		if (json_f64(json_get(cell, "value"), &v))
			ark_buf_fmt(&text, "%.15g", v);
	} else {
		put_text(&inner, cell);
	}
	b->understood &= inner.understood;
	for (size_t i = 1; i < text.len; i++) {
		char c = text.data[i];
		if (c == '|')
			ark_buf_z(b->out,
				  "&#124;"); /* a row ends at "\\|" where it follows a backslash */
		else
			ark_buf_c(b->out, c == '\n' ? ' ' : c);
	}
}

static void put_row(struct blocks *b, struct json_val row, size_t columns)
{
	struct json_iter it = json_items(row);
	size_t n = 0;
	for (struct json_val cell; n < columns && json_next(&it, &cell); n++) {
		ark_buf_z(b->out, "| ");
		put_cell(b, cell);
		ark_buf_c(b->out, ' ');
	}
	for (; n < columns; n++)
		ark_buf_z(b->out, "|  ");
	ark_buf_c(b->out, '|');
}

#define MAX_COLUMNS 100

static void put_alignments(struct blocks *b, struct json_val settings, size_t columns)
{
	struct json_iter it = json_items(settings);
	bool more = true;
	for (size_t i = 0; i < columns; i++) {
		struct json_val s = { 0 };
		more = more && json_next(&it, &s);
		struct ark_str align = more ? field(s, "align") : ARK_STR_NONE;
		ark_buf_z(b->out, is(align, "right")    ? "|---:"
				  : is(align, "center") ? "|:---:"
							: "|---");
	}
	ark_buf_c(b->out, '|');
}

static void put_table(struct blocks *b, struct json_val block)
{
	struct json_val rows = json_get(block, "rows");
	size_t columns = 0, n = 0;
	struct json_iter it = json_items(rows);
	for (struct json_val row; json_next(&it, &row);)
		columns = json_count(row) > columns ? json_count(row) : columns;
	if (columns == 0)
		return;
	if (columns > MAX_COLUMNS) {
		columns = MAX_COLUMNS;
		b->understood = false;
	}
	it = json_items(rows);
	for (struct json_val row; json_next(&it, &row); n++) {
		if (n > 0)
			ark_buf_c(b->out, '\n');
		put_row(b, row, columns);
		if (n == 0) {
			ark_buf_c(b->out, '\n');
			put_alignments(b, json_get(block, "column_settings"), columns);
		}
	}
	if (n == 1) { /* a head alone is no table to the web client */
		ark_buf_c(b->out, '\n');
		put_row(b, (struct json_val){ 0 }, columns);
	}
}

/* --- what is not known --- */

/* Every text in it, depth first, one a line. */
static bool collect(struct blocks *b, struct json_val v, size_t start, unsigned depth)
{
	static const char *const keys[] = { "text",        "title",    "label",
					    "description", "subtitle", "name" };
	bool found = false;
	if (depth > LIMIT_BLOCK_DEPTH)
		return false;
	if (json_type(v) == JSON_ARRAY) {
		struct json_iter it = json_items(v);
		for (struct json_val x; json_next(&it, &x);)
			found |= collect(b, x, start, depth + 1);
		return found;
	}
	if (json_type(v) != JSON_OBJECT)
		return false;
	if (is(field(v, "type"), "rich_text")) {
		put_newline(b, start);
		b->understood &= richtext_put(b->world, v, b->out);
		return true;
	}
	if (is(field(v, "type"), "mrkdwn") && ark_str_has(field(v, "text"))) {
		put_newline(b, start);
		put_text(b, v);
		return true;
	}
	struct json_iter it = json_fields(v);
	struct ark_str key;
	for (struct json_val x; json_next_field(&it, &key, &x);) {
		bool named = false;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			named |= ark_str_eqz(key, keys[i]);
		if (json_type(x) == JSON_STRING && named && json_str(x).len > 0) {
			put_newline(b, start);
			put_literal(b, json_str(x));
			found = true;
		} else if (json_type(x) == JSON_OBJECT || json_type(x) == JSON_ARRAY) {
			found |= collect(b, x, start, depth + 1);
		}
	}
	return found;
}

/* --- all of them --- */

static void put_block(struct blocks *b, struct json_val block)
{
	struct ark_str type = field(block, "type");
	if (is(type, "rich_text"))
		b->understood &= richtext_put(b->world, block, b->out);
	else if (is(type, "section"))
		put_section(b, block);
	else if (is(type, "header"))
		put_bold(b, words_of(json_get(block, "text")));
	else if (is(type, "context"))
		put_context(b, block);
	else if (is(type, "divider"))
		ark_buf_z(b->out, "---");
	else if (is(type, "image"))
		put_image(b, block);
	else if (is(type, "actions") || is(type, "context_actions"))
		put_actions(b, block);
	else if (is(type, "input"))
		put_literal(b, words_of(json_get(block, "label")));
	else if (is(type, "video"))
		put_video(b, block);
	else if (is(type, "call"))
		put_call(b, block);
	else if (is(type, "table"))
		put_table(b, block);
	else if (is(type, "markdown"))
		text_translate(b->world, field(block, "text"), TEXT_KEEP_MARKDOWN, b->out);
	else if (!collect(b, block, b->out->len, 0))
		b->understood = false;
}

static void trim_end(struct ark_buf *out, size_t start)
{
	while (out->len > start &&
	       (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == ' '))
		ark_buf_cut(out, out->len - 1);
}

enum blocks_result blocks_translate(const struct text_world *world, struct json_val blocks,
				    struct ark_buf *out)
{
	struct blocks b = { .world = world, .out = out, .understood = true };
	size_t start = out->len;
	struct json_iter it = json_items(blocks);
	for (struct json_val block; json_next(&it, &block);) {
		if (json_type(block) != JSON_OBJECT)
			continue;
		size_t before = out->len;
		if (before > start)
			ark_buf_add(out, "\n\n", 2);
		size_t shown = out->len;
		put_block(&b, block);
		trim_end(out, shown);
		if (out->len == shown)
			ark_buf_cut(out, before);
	}
	if (out->len == start && !out->failed)
		return BLOCKS_NOTHING;
	return b.understood ? BLOCKS_WHOLE : BLOCKS_PARTLY;
}

/* --- words --- */

#define MIN_LETTERS 3
#define MAX_WORD    200

/* The next word of three letters or more from *at on; false when there is none. */
static bool next_word(struct ark_str s, size_t *at, struct ark_str *word)
{
	while (*at < s.len) {
		size_t from = *at, len, letters = 0;
		for (; *at < s.len; *at += len) {
			uint32_t r = ark_utf8_at(s, *at, &len);
			if (!ark_utf8_is_word(r))
				break;
			letters += ark_utf8_is_letter(r);
		}
		*word = ark_str_n(s.ptr + from, *at - from);
		if (letters >= MIN_LETTERS && word->len <= MAX_WORD)
			return true;
		if (word->len == 0)
			*at += len;
	}
	return false;
}

bool blocks_missing_words(struct ark_str text, struct ark_str emitted)
{
	ark_auto(ark_map_release) struct ark_map seen = { 0 };
	struct ark_str word;
	for (size_t at = 0; next_word(emitted, &at, &word);)
		ark_map_put(&seen, word, 1);
	for (size_t i = 0; i < text.len;) {
		struct control c;
		size_t end = ark_str_find(text, '<', i);
		struct ark_str part =
		    ark_str_n(text.ptr + i, (end == SIZE_MAX ? text.len : end) - i);
		for (size_t at = 0; next_word(part, &at, &word);)
			if (ark_map_get(&seen, word) == ARK_MAP_NONE && !ark_str_eqz(word, "amp"))
				return true;
		if (end == SIZE_MAX)
			break;
		bool known = control_parse(text, end, &c);
		for (size_t at = 0; known && c.kind == KIND_LINK && next_word(c.label, &at, &word);)
			if (ark_map_get(&seen, word) == ARK_MAP_NONE)
				return true;
		i = end + (known ? c.len : 1);
	}
	return false;
}

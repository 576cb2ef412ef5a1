/*
 * mrkdwn, read once from left to right. Code is taken first, then control sequences, emoji, style
 * marks; what is none of these is literal text. A style mark is written as a literal's slot and
 * turned into a style when its partner comes, so that nothing is searched for and no pair missed.
 */
#include "import/translate/text.h"

#include "common/base/utf8.h"
#include "import/translate/control.h"
#include "import/translate/emoji.h"
#include "import/translate/markup.h"

#include "common/base/banned.h"

enum pair { PAIR_BOLD, PAIR_ITALIC, PAIR_STRIKE, PAIR_DOUBLE, PAIRS };

struct mrkdwn {
	struct markup m;
	const struct text_world *world;
	struct ark_str s;
	size_t at;
	bool formats;       /* * _ ~ ` mean something */
	bool quote_rest;    /* behind ">>>" */
	bool bullets;       /* the line above was a typed bullet that became a list */
	bool no_fence;      /* no "```" from here on */
	size_t stop;        /* the next '<' or "&lt;", "&gt;" from where it was looked for last */
	size_t open[PAIRS]; /* slot of the begin, plus one; 0 when there is none */
};

/* --- helpers --- */

static char peek(const struct mrkdwn *k, size_t ahead)
{
	return k->at + ahead < k->s.len ? k->s.ptr[k->at + ahead] : '\0';
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t run_length(const struct mrkdwn *k, char c)
{
	size_t n = 0;
	while (k->at + n < k->s.len && k->s.ptr[k->at + n] == c)
		n++;
	return n;
}

static void literal_bytes(struct mrkdwn *k, size_t n)
{
	for (size_t end = k->at + n; k->at < end;)
		k->at += markup_special(&k->m, k->s, k->at);
}

/* --- lines --- */

/* Length of a quote mark at s[at], "&gt;" or ">"; 0 when there is none. */
static size_t quote_mark(struct ark_str s, size_t at)
{
	if (at < s.len && s.ptr[at] == '>')
		return 1;
	return ark_str_starts(ark_str_from(s, at), ARK_LIT("&gt;")) ? 4 : 0;
}

/* Bytes up to behind the bullet of a typed list, its indentation to `indent`; 0 without one. */
static size_t bullet_mark(struct ark_str s, size_t at, size_t *indent)
{
	static const struct ark_str bullets[] = {
		{ "•", 3 }, { "◦", 3 }, { "▪\xef\xb8\x8e", 6 }, { "▪", 3 }
	};
	size_t i = at;
	while (i < s.len && s.ptr[i] == ' ')
		i++;
	*indent = i - at;
	if (i >= s.len || (unsigned char)s.ptr[i] != 0xE2)
		return 0;
	for (size_t b = 0; b < sizeof(bullets) / sizeof(bullets[0]); b++) {
		struct ark_str rest = ark_str_from(s, i);
		if (ark_str_starts(rest, bullets[b]) && rest.len > bullets[b].len &&
		    blank(rest.ptr[bullets[b].len]))
			return i + bullets[b].len - at;
	}
	return 0;
}

/* What a line starts with, its quote mark behind us. */
static void line_body(struct mrkdwn *k)
{
	size_t indent;
	size_t n = k->formats && !k->m.plain ? bullet_mark(k->s, k->at, &indent) : 0;
	k->bullets = n > 0;
	if (n == 0)
		return;
	if (!k->m.list)
		indent = 0;
	for (size_t i = 0; i < indent; i++)
		ark_buf_c(k->m.out, ' ');
	ark_buf_c(k->m.out, '-');
	k->m.list = true;
	k->m.list_indent = indent;
	k->m.fresh = false;
	k->at += n;
}

/* Take the quote mark of the line at k->at; tells whether the line is quoted. */
static bool take_quote(struct mrkdwn *k)
{
	if (k->quote_rest)
		return true;
	size_t n = k->formats ? quote_mark(k->s, k->at) : 0;
	if (n == 0)
		return false;
	size_t second = quote_mark(k->s, k->at + n);
	size_t third = second > 0 ? quote_mark(k->s, k->at + n + second) : 0;
	k->at += n;
	if (third > 0) {
		k->at += second + third;
		k->quote_rest = true;
	}
	if (peek(k, 0) == ' ')
		k->at++;
	return true;
}

static void first_line(struct mrkdwn *k)
{
	if (!k->m.head)
		return;
	k->m.quote = take_quote(k);
	if (k->m.quote && !k->m.plain)
		ark_buf_add(k->m.out, "> ", 2);
	line_body(k);
}

/* At a line end: start the next line as what it is. */
static void next_line(struct mrkdwn *k)
{
	bool was_quote = k->m.quote, was_list = k->bullets;
	k->at += peek(k, 0) == '\r' && peek(k, 1) == '\n' ? 2 : 1;
	memset(k->open, 0, sizeof(k->open));
	bool quote = take_quote(k);
	char c = peek(k, 0);
	size_t indent;
	bool shows = c != '\0' && c != '\n' && c != '\r';
	bool more_list = blank(c) || bullet_mark(k->s, k->at, &indent) > 0;
	k->m.quote = quote;
	markup_newline(&k->m);
	if (shows && !k->m.block && !k->m.plain &&
	    ((was_quote && !quote) || (was_list && was_quote == quote && !more_list)))
		markup_newline(&k->m);
	line_body(k);
}

/* --- code --- */

static void take_fence(struct mrkdwn *k)
{
	struct ark_str s = k->s;
	size_t from = k->at + 3;
	size_t end = ark_str_search(s, ARK_LIT("```"), from);
	k->no_fence = end == SIZE_MAX;
	if (end == SIZE_MAX || end == from) {
		literal_bytes(k, run_length(k, '`'));
		return;
	}
	size_t behind = end + 3;
	if (s.ptr[from] == '\n' && from + 1 < end)
		from++;
	if (s.ptr[end - 1] == '\n' && end > from + 1)
		end--;
	memset(k->open, 0, sizeof(k->open));
	markup_fence_open(&k->m, 3, ARK_STR_NONE);
	control_put_code(&k->m, k->world, ark_str_n(s.ptr + from, end - from), CONTROL_FENCE);
	markup_fence_close(&k->m, 3);
	k->at = behind;
	while (blank(peek(k, 0)))
		k->at++;
}

static void take_ticks(struct mrkdwn *k)
{
	size_t n = run_length(k, '`');
	if (n >= 3 && !k->no_fence) {
		take_fence(k);
		return;
	}
	size_t from = k->at + 1;
	size_t end = from;
	while (n == 1 && end < k->s.len && k->s.ptr[end] != '`' && k->s.ptr[end] != '\n')
		end++;
	if (n > 1 || end >= k->s.len || k->s.ptr[end] != '`') {
		literal_bytes(k, n);
		return;
	}
	struct ark_str code = ark_str_n(k->s.ptr + from, end - from);
	size_t begin = markup_code_begin(&k->m);
	control_put_code(&k->m, k->world, code, CONTROL_CODE);
	markup_code_end(&k->m, begin);
	k->at = end + 1;
}

/* --- styles --- */

/* A joiner or variation selector, which belongs to the emoji before it. */
static bool joins_emoji(uint32_t r)
{
	return r == 0x200D || r == 0xFE0E || r == 0xFE0F;
}

static bool may_open_behind(uint32_t r, char mark)
{
	if (r == 0 || ark_utf8_is_space(r) || joins_emoji(r))
		return true;
	if (r < 0x80 && (r == (uint32_t)mark || strchr("@\\)]}", (int)r) != NULL))
		return false;
	return ark_utf8_is_punct(r);
}

static bool may_close_before(uint32_t r, char mark)
{
	if (r == 0 || ark_utf8_is_space(r))
		return true;
	if (r < 0x80 && (r == (uint32_t)mark || strchr("([{", (int)r) != NULL))
		return false;
	return ark_utf8_is_punct(r);
}

static void set_slot(struct mrkdwn *k, size_t at, enum slot_type type, char mark)
{
	k->m.out->data[at + 1] = (char)type;
	k->m.out->data[at + SLOT_BYTES - 1] = mark;
}

/* Blanks just inside italic marks are allowed in Slack; Mattermost wants them outside. */
static size_t move_blanks_out(struct mrkdwn *k, size_t open)
{
	char *data = k->m.out->data;
	size_t from = open + SLOT_BYTES;
	while (from < k->m.out->len && blank(data[from]))
		from++;
	size_t blanks = from - open - SLOT_BYTES;
	if (blanks == 0)
		return open;
	char slot[SLOT_BYTES];
	memcpy(slot, data + open, sizeof(slot));
	memmove(data + open, data + open + SLOT_BYTES, blanks);
	memcpy(data + open + blanks, slot, sizeof(slot));
	return open + blanks;
}

/* The pair that begins at slot `open` ends here. */
static void close_pair(struct mrkdwn *k, enum pair pair, size_t open)
{
	static const char marks[PAIRS] = { '*', '_', '~', '*' };
	struct ark_buf *out = k->m.out;
	if (out->failed)
		return;
	if (pair == PAIR_DOUBLE)
		set_slot(k, open + SLOT_BYTES, SLOT_DROP, '*');
	else
		open = move_blanks_out(k, open);
	set_slot(k, open, SLOT_OPEN, marks[pair]);
	if (k->m.tail == TAIL_COPIED)
		k->m.tail = TAIL_TEXT; /* what stands behind was seen: it ends the URL */
	k->m.open = pair == PAIR_ITALIC   ? STYLE_ITALIC
		    : pair == PAIR_STRIKE ? STYLE_STRIKE
					  : STYLE_BOLD;
	markup_style_close(&k->m, 0);
	for (int i = 0; i < PAIRS; i++)
		if (k->open[i] > open)
			k->open[i] = 0;
	k->open[pair] = 0;
	if (pair == PAIR_BOLD)
		k->open[PAIR_DOUBLE] = 0;
	if (pair == PAIR_DOUBLE)
		k->open[PAIR_BOLD] = 0;
}

static bool only_blanks(const struct mrkdwn *k, size_t from)
{
	while (from < k->m.out->len && blank(k->m.out->data[from]))
		from++;
	return from >= k->m.out->len;
}

/* Behind an opening bracket, or another mark that has just opened, a mark rather opens than closes.
 */
static bool begins_something(const struct mrkdwn *k, uint32_t prev)
{
	size_t len = k->m.out->len;
	for (int i = 0; i < PAIRS; i++)
		if (k->open[i] != 0 &&
		    k->open[i] - 1 + SLOT_BYTES * (i == PAIR_DOUBLE ? 2 : 1) == len)
			return true;
	return prev == '(' || prev == '[' || prev == '{';
}

static void take_mark(struct mrkdwn *k, char mark)
{
	size_t n = run_length(k, mark);
	bool known = k->formats && (n == 1 || (n == 2 && mark == '*'));
	if (!known) {
		literal_bytes(k, n);
		return;
	}
	enum pair pair = n == 2        ? PAIR_DOUBLE
			 : mark == '*' ? PAIR_BOLD
			 : mark == '_' ? PAIR_ITALIC
				       : PAIR_STRIKE;
	uint32_t prev = ark_utf8_before(k->s, k->at);
	size_t len;
	uint32_t next = k->at + n < k->s.len ? ark_utf8_at(k->s, k->at + n, &len) : 0;
	bool loose = pair == PAIR_ITALIC;
	size_t width = n * SLOT_BYTES;
	size_t open = k->open[pair];
	bool opens = may_open_behind(prev, mark) && next != 0 && next != '\n' && next != '\r' &&
		     (loose || !ark_utf8_is_space(next));
	bool closes = open != 0 && (loose || !ark_utf8_is_space(prev)) &&
		      may_close_before(next, mark) && !only_blanks(k, open - 1 + width) &&
		      !(opens && begins_something(k, prev));
	if (closes) {
		close_pair(k, pair, open - 1);
		k->at += n;
		return;
	}
	if (!opens) {
		literal_bytes(k, n);
		return;
	}
	if (k->m.tail != TAIL_COPIED)
		markup_join(&k->m, ark_str_from(k->s, k->at));
	k->open[pair] = k->m.out->len + 1;
	for (size_t i = 0; i < n; i++)
		markup_slot(&k->m, markup_slot_type(&k->m, k->s, k->at + i), mark);
	k->at += n;
}

/* --- the rest --- */

/* Where the next control sequence or angle bracket begins: a URL goes no further. */
static size_t next_stop(struct mrkdwn *k)
{
	if (k->stop > k->at)
		return k->stop;
	size_t i = k->at;
	while (i < k->s.len && k->s.ptr[i] != '<' &&
	       !(k->s.ptr[i] == '&' && i + 3 < k->s.len && k->s.ptr[i + 2] == 't' &&
		 k->s.ptr[i + 3] == ';'))
		i++;
	k->stop = i;
	return i;
}

/* Do the bytes from s[i] on make an entity of an '&' before them? */
static bool entity_follows(struct ark_str s, size_t i)
{
	size_t from = i < s.len && s.ptr[i] == '#' ? i + 1 : i, end = from;
	while (end < s.len && byte_is((unsigned char)s.ptr[end], BYTE_WORD))
		end++;
	return end > from && end < s.len && s.ptr[end] == ';';
}

/* A URL that nobody marked; the client links it, so it is copied. Where it ends; 0 without one. */
static size_t url_at(struct mrkdwn *k)
{
	size_t scheme = url_scheme_before(k->s, k->at + 1);
	if (scheme == 0 || k->m.head || k->m.label)
		return 0;
	size_t end = url_bare_end(ark_str_first(k->s, next_stop(k)), k->at + 1 - scheme);
	char c;
	for (size_t i = k->at; i < end; i++)
		if ((k->s.ptr[i] == '>' && k->m.angle) ||
		    (k->s.ptr[i] == '&' && i + control_entity(k->s, i, &c) > end))
			end = i;
	return end > k->at + 1 ? end : 0;
}

static void take_colon(struct mrkdwn *k)
{
	struct ark_str name, own;
	size_t n = emoji_code_at(k->s, k->at, &name);
	if (n > 0 && !k->m.plain &&
	    (emoji_is_known(name) ||
	     (k->world->emoji != NULL && k->world->emoji(k->world->ctx, name, &own)))) {
		markup_emoji(&k->m, k->world, name);
		k->at += n;
		return;
	}
	size_t end = k->m.plain ? 0 : url_at(k);
	if (end == 0) {
		if (k->m.head && !k->m.plain)
			markup_slot(&k->m, SLOT_HEAD, ':');
		else
			markup_run(&k->m, ":", 1);
		k->m.head = false;
		k->at++;
		return;
	}
	size_t url = k->m.out->len - (url_scheme_before(k->s, k->at + 1) - 1);
	for (size_t i = k->at; i < end;) {
		char c = k->s.ptr[i];
		n = c == '&' ? control_entity(k->s, i, &c) : 1;
		ark_buf_c(k->m.out, c);
		i += n > 0 ? n : 1;
		if (c == '&' && entity_follows(k->s, i))
			ark_buf_add(k->m.out, "amp;", 4);
	}
	k->m.tail = TAIL_COPIED;
	k->m.tail_at = url;
	k->at = end;
}

static void take_entity(struct mrkdwn *k)
{
	char c;
	size_t n = control_entity(k->s, k->at, &c);
	if (n == 0) {
		literal_bytes(k, 1);
		return;
	}
	/* the rules for a literal look at what stands behind it, which is behind the entity's last
	 * byte */
	if (c != '>')
		markup_special_as(&k->m, k->s, k->at + n - 1, c);
	else if (k->m.head && !k->m.plain)
		markup_slot(&k->m, SLOT_HEAD, c);
	else
		markup_run(&k->m, &c, 1);
	k->m.head = false;
	k->at += n;
}

static void take_control(struct mrkdwn *k)
{
	struct control control;
	if (!control_parse(k->s, k->at, &control)) {
		literal_bytes(k, 1);
		return;
	}
	control_put(&k->m, k->world, &control, CONTROL_TEXT);
	k->at += control.len;
}

static void take_special(struct mrkdwn *k)
{
	char c = k->s.ptr[k->at];
	switch (c) {
	case '\n':
	case '\r': next_line(k); break;
	case '*':
	case '_':
	case '~': take_mark(k, c); break;
	case '`':
		if (k->formats)
			take_ticks(k);
		else
			literal_bytes(k, 1);
		break;
	case ':': take_colon(k); break;
	case '<': take_control(k); break;
	case '&': take_entity(k); break;
	default: literal_bytes(k, 1); break;
	}
}

static void take_all(struct mrkdwn *k)
{
	struct ark_str s = k->s;
	first_line(k);
	while (k->at < s.len) {
		if (k->m.head && !k->m.plain)
			k->at += markup_head(&k->m, s, k->at);
		size_t i = byte_skip_plain(s, k->at);
		if (i > k->at)
			markup_run(&k->m, s.ptr + k->at, i - k->at);
		k->at = i;
		if (i < s.len)
			take_special(k);
	}
}

/* Standard Markdown: only what Mattermost would not understand is replaced; code stays as it is. */
static void take_markdown(struct mrkdwn *k)
{
	struct ark_str s = k->s;
	size_t from = 0, fence = 0;
	k->m.head = false;
	while (k->at < s.len) {
		struct control c;
		size_t ticks = run_length(k, '`');
		if (ticks > 0) {
			fence = fence == 0 ? ticks : fence == ticks ? 0 : fence;
			k->at += ticks;
		} else if (fence == 0 && s.ptr[k->at] == '<' && control_parse(s, k->at, &c) &&
			   (c.kind != KIND_LINK || ark_str_has(c.label))) {
			markup_fence_text(&k->m, ark_str_n(s.ptr + from, k->at - from));
			control_put(&k->m, k->world, &c, CONTROL_TEXT);
			from = k->at += c.len;
		} else if (s.ptr[k->at] == SLOT_MARK || s.ptr[k->at] == '\0') {
			/* ours inside this room, and not PostgreSQL's */
			markup_run(&k->m, s.ptr + from, k->at - from);
			from = ++k->at;
		} else {
			k->at++;
		}
	}
	markup_fence_text(&k->m, ark_str_from(s, from));
}

void text_translate(const struct text_world *world, struct ark_str mrkdwn, unsigned flags,
		    struct ark_buf *out)
{
	struct mrkdwn k = { .world = world, .s = mrkdwn };
	k.formats = (flags & TEXT_PLAIN_FORMAT) == 0;
	markup_begin(&k.m, out);
	if (flags & TEXT_KEEP_MARKDOWN)
		take_markdown(&k);
	else
		take_all(&k);
	markup_finish(&k.m);
}

void text_plain(const struct text_world *world, struct ark_str mrkdwn, struct ark_buf *out)
{
	struct mrkdwn k = { .world = world, .s = mrkdwn, .formats = true };
	markup_begin(&k.m, out);
	k.m.plain = true;
	take_all(&k);
	markup_finish_plain(&k.m);
}

void text_literal(struct ark_str plain, struct ark_buf *out)
{
	struct markup m;
	markup_begin(&m, out);
	markup_literal(&m, plain);
	markup_finish(&m);
}

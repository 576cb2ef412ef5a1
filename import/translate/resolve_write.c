/*
 * Writes decided slots out, in place. What a mark that opens something became is known when its
 * partner comes, which is escaped too then, for people who read the source.
 */
#include "import/translate/markup.h"
#include "import/translate/resolve.h"

#include "common/base/banned.h"

#define ZWSP "\xe2\x80\x8b"

static bool space(unsigned char c)
{
	return byte_is(c, BYTE_SPACE);
}

static bool is_literal(char type)
{
	return type == SLOT_LITERAL || type == SLOT_HEAD || type == SLOT_ADDRESS;
}

struct write {
	char *text;
	size_t begin;
	size_t at;
	bool links;
	bool star_italic,
	    careful; /* inside italic: with stars; with marks that only entities spare */
	bool drop_strike, drop_bold, drop_italic;
	size_t star_closed_at;  /* where a style with stars was closed last */
	size_t closed_at;       /* where any was */
	size_t left_at;         /* behind the last mark that was left as it is */
	size_t escaped_at[128]; /* by mark: where the last one of this paragraph was escaped */
};

static void put(struct write *o, const char *s, size_t n)
{
	memcpy(o->text + o->at, s, n);
	o->at += n;
}

/* Is its partner, escaped before, in the same paragraph? */
static bool partner_escaped(struct write *o, unsigned char c)
{
	if (o->escaped_at[c] == 0)
		return false;
	struct ark_str between = { o->text + o->escaped_at[c], o->at - o->escaped_at[c] };
	if (ark_str_search(between, ARK_LIT("\n\n"), 0) != SIZE_MAX ||
	    ark_str_find(between, '<', 0) != SIZE_MAX)
		o->escaped_at[c] = 0; /* inside a tag a backslash would show */
	else
		o->escaped_at[c] = o->at;
	return o->escaped_at[c] != 0;
}

static void put_entity(struct write *o, unsigned char c)
{
	if (c == '<') {
		put(o, "&lt;", 4);
		return;
	}
	if (c == '&') {
		put(o, "&amp;", 5);
		return;
	}
	char entity[6] = { '&', '#' };
	size_t n = 2;
	if (c >= 100)
		entity[n++] = (char)('0' + c / 100);
	entity[n++] = (char)('0' + c / 10 % 10);
	entity[n++] = (char)('0' + c % 10);
	entity[n++] = ';';
	put(o, entity, n);
}

/* "](" behind a link would make it longer, unless a '[' stands between. */
static bool lengthens_link(const struct write *o)
{
	for (size_t i = o->at; o->links && i > o->begin; i--) {
		if (o->text[i - 1] == '[')
			return false;
		if (o->text[i - 1] == ']')
			return true;
	}
	return false;
}

/* A link would leave the ';' of an entity before this outside. */
static bool ends_address(const char *next)
{
	unsigned char c = (unsigned char)(*next == SLOT_MARK ? next[SLOT_CHAR] : *next);
	return c == 0 || space(c) || c == '(' || c == ')' || c == '<' || c == '>' || c == 0xC2 ||
	       c == 0xE3;
}

/* `from`: where the slot was read from, to see what follows it. */
static void write_literal(struct write *o, const char *slot, const char *from)
{
	unsigned char c = (unsigned char)slot[SLOT_CHAR];
	unsigned char action = (unsigned char)slot[SLOT_ACTION];
	unsigned char prev = o->at > 0 ? (unsigned char)o->text[o->at - 1] : 0;
	bool mark = c == '*' || c == '_' || c == '~' || c == '`';
	bool run =
	    from[SLOT_BYTES] == SLOT_MARK && (unsigned char)from[SLOT_BYTES + SLOT_CHAR] == c;
	bool behind_style = o->closed_at == o->at || o->left_at == o->at;
	bool tick_run = c == '`' && (run || prev == '`');
	if (mark && action == AS_IT_IS && slot[SLOT_TYPE] != SLOT_ADDRESS && !tick_run &&
	    !behind_style && (run || !space(prev)) && partner_escaped(o, c))
		action = BACKSLASH;
	if ((c == '*' && o->star_italic) || (c == '_' && o->careful && !o->star_italic))
		action = ENTITY;
	if (c == ']' && lengthens_link(o))
		action = ENTITY;
	switch (action) {
	case BACKSLASH: put(o, "\\", 1); break;
	case ENTITY:
		put_entity(o, c);
		if (slot[SLOT_TYPE] == SLOT_ADDRESS && ends_address(from + SLOT_BYTES))
			put(o, ZWSP, 3);
		break;
	case BEHIND_ZWSP: put(o, ZWSP, 3); break;
	case BEHIND_LINE: put(o, "\n", 1); break;
	default: break;
	}
	if (action != ENTITY)
		put(o, (const char *)&c, 1);
	if (mark && action != AS_IT_IS)
		o->escaped_at[c] = o->at;
	else if (mark)
		o->left_at = o->at;
}

static void write_stars(struct write *o, size_t n, bool open)
{
	if (open && o->star_closed_at == o->at && o->at > o->begin)
		put(o, ZWSP, 3);
	put(o, "**", n);
	if (!open)
		o->star_closed_at = o->at;
}

static void write_italic(struct write *o, const char *slot, bool open)
{
	if (open) {
		char action = slot[SLOT_ACTION];
		o->drop_italic = action == NOTHING;
		o->star_italic = action == MARK_STAR || action == MARK_STAR_ZWSP;
		o->careful = slot[SLOT_FLAG] != 0;
	}
	if (!o->drop_italic) {
		if (o->star_italic)
			write_stars(o, 1, open);
		else
			put(o, "_", 1);
		if (open && slot[SLOT_ACTION] == MARK_STAR_ZWSP)
			put(o, ZWSP, 3);
	}
	if (!open)
		o->star_italic = o->careful = o->drop_italic = false;
}

static void write_style(struct write *o, const char *slot)
{
	bool open = slot[SLOT_TYPE] == SLOT_OPEN;
	char mark = slot[SLOT_CHAR];
	if (open && slot[SLOT_RULE] != 0)
		put(o, ZWSP, 3);
	if (mark == '_') {
		write_italic(o, slot, open);
		return;
	}
	bool *drop = mark == '*' ? &o->drop_bold : &o->drop_strike;
	if (open)
		*drop = slot[SLOT_ACTION] == NOTHING;
	if (*drop)
		return;
	if (mark == '*')
		write_stars(o, 2, open);
	else
		put(o, "~~", 2);
}

static void write_slot(struct write *o, const char *from)
{
	char slot[SLOT_BYTES];
	memcpy(slot, from, sizeof(slot));
	switch (slot[SLOT_TYPE]) {
	case SLOT_OPEN:
	case SLOT_CLOSE:
		write_style(o, slot);
		if (slot[SLOT_TYPE] == SLOT_CLOSE)
			o->closed_at = o->at;
		break;
	case SLOT_DROP:
	case SLOT_FENCE:
	case SLOT_FENCE_END: break;
	default: write_literal(o, slot, from); break;
	}
}

void resolve_write(struct ark_buf *out, size_t start, bool links)
{
	struct write o = { .text = out->data, .begin = start, .at = start, .links = links };
	o.star_closed_at = o.closed_at = o.left_at = SIZE_MAX;
	for (size_t r = start; r < out->len;) {
		const char *mark = memchr(out->data + r, SLOT_MARK, out->len - r);
		size_t stop = mark != NULL ? (size_t)(mark - out->data) : out->len;
		if (o.at != r)
			memmove(out->data + o.at, out->data + r, stop - r);
		o.at += stop - r;
		if (mark != NULL)
			write_slot(&o, mark);
		r = mark != NULL ? stop + SLOT_BYTES : stop;
	}
	ark_buf_cut(out, o.at);
}

void resolve_plain(struct ark_buf *out, size_t start)
{
	size_t at = start;
	for (size_t r = start; r < out->len;) {
		if (out->data[r] != SLOT_MARK) {
			out->data[at++] = out->data[r++];
			continue;
		}
		if (is_literal(out->data[r + SLOT_TYPE]) || out->data[r + SLOT_TYPE] == SLOT_INDENT)
			out->data[at++] = out->data[r + SLOT_CHAR];
		r += SLOT_BYTES;
	}
	ark_buf_cut(out, at);
}

/*
 * One walk over as much as one part may hold, noting the last place of each kind where it could be
 * cut; the best kind wins. What must not be cut (a link, a code span) is noticed when it ends, so
 * the places found since its begin are forgotten then: each begin remembers what was known before
 * it.
 */
#include "import/translate/split.h"

#include "common/base/utf8.h"

#include "common/base/banned.h"

/* A link begun in a part may end so far behind it. */
#define LOOK_BEHIND 8192
#define MAX_OPEN    16
#define MAX_FENCE   128 /* bytes of a line that opens a fence; a longer one opens none */

enum kind { KIND_PARAGRAPH, KIND_LINE, KIND_BLANK, KIND_SOFT, KIND_HARD, KINDS };

struct fence {
	struct ark_str line; /* the line that opened it; none: no fence */
	size_t quote;        /* bytes of "> " before it */
	char mark;
	size_t ticks;
};

struct place {
	size_t end;  /* of the part */
	size_t next; /* where the rest begins */
	bool inside; /* in the middle of a line */
	struct fence fence;
	bool found;
};

struct known {
	struct place blank, soft;
};

struct cutter {
	struct ark_str s;
	size_t limit; /* runes that may be taken */
	size_t at;
	size_t runes;
	struct place best[KINDS];
	struct fence fence;
	bool opening;                /* this line opens the fence */
	struct known open[MAX_OPEN]; /* at each '[' that is not closed yet */
	size_t open_at[MAX_OPEN];
	size_t opens;
	size_t ticks; /* inside a code span of so many */
	struct known before_ticks;
	struct ark_str carried; /* "> " that the first line had from the part before */
	size_t no_url;          /* behind a '(' before this nothing closes */
	size_t atom_end;        /* inside <...>, a link's URL, an escape, an entity */
};

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of the quote marks and blanks before a line's own text. */
static size_t quote_prefix(struct ark_str line)
{
	size_t i = 0, end = 0;
	while (i < line.len && (line.ptr[i] == '>' || line.ptr[i] == ' ')) {
		if (line.ptr[i] == '>')
			end = i + 1 < line.len && line.ptr[i + 1] == ' ' ? i + 2 : i + 1;
		i++;
	}
	return end;
}

static struct ark_str line_at(struct ark_str s, size_t at)
{
	size_t end = ark_str_find(s, '\n', at);
	return ark_str_n(s.ptr + at, (end == SIZE_MAX ? s.len : end) - at);
}

/* A run of ` or ~ at the start of the line's text: its length, else 0. */
static size_t fence_run(struct ark_str line, size_t quote, char *mark, bool *bare)
{
	size_t i = quote;
	while (i < line.len && line.ptr[i] == ' ')
		i++;
	size_t from = i;
	if (i >= line.len || (line.ptr[i] != '`' && line.ptr[i] != '~'))
		return 0;
	*mark = line.ptr[i];
	while (i < line.len && line.ptr[i] == *mark)
		i++;
	size_t run = i - from;
	*bare = true;
	for (; i < line.len; i++) {
		if (line.ptr[i] == '`' || line.ptr[i] == '~')
			return 0;
		*bare &= blank(line.ptr[i]);
	}
	return run >= 3 ? run : 0;
}

static bool opens_fence(struct ark_str line, struct fence *out)
{
	bool bare;
	if (line.len > MAX_FENCE)
		return false;
	size_t quote = quote_prefix(line);
	size_t ticks = fence_run(line, quote, &out->mark, &bare);
	if (ticks == 0)
		return false;
	out->line = line;
	out->quote = quote;
	out->ticks = ticks;
	return true;
}

static bool closes_fence(const struct fence *f, struct ark_str line)
{
	char mark;
	bool bare;
	if (line.len > MAX_FENCE)
		return false;
	size_t run = fence_run(line, quote_prefix(line), &mark, &bare);
	return run >= f->ticks && mark == f->mark && bare;
}

/* Runes that closing the open fence costs. */
static size_t closing_runes(const struct cutter *c)
{
	return ark_str_has(c->fence.line) ? 1 + c->fence.quote + c->fence.ticks : 0;
}

static void note(struct cutter *c, enum kind kind, size_t end, size_t next)
{
	if (end == 0 || c->runes + closing_runes(c) > c->limit)
		return;
	c->best[kind] = (struct place){ .end = end,
					.next = next,
					.inside = kind > KIND_LINE,
					.fence = c->fence,
					.found = true };
}

static void forget(struct cutter *c, const struct known *k)
{
	c->best[KIND_BLANK] = k->blank;
	c->best[KIND_SOFT] = k->soft;
}

static struct known known(const struct cutter *c)
{
	return (struct known){ .blank = c->best[KIND_BLANK], .soft = c->best[KIND_SOFT] };
}

/* Would text that starts here, at the start of a message, mean something else there? */
static bool acts_at_start(struct ark_str s, size_t at)
{
	struct ark_str rest = ark_str_from(s, at);
	if (rest.len == 0)
		return false;
	char next = rest.len > 1 ? rest.ptr[1] : ' ';
	switch (rest.ptr[0]) {
	case '#':
	case '>':
	case '-': return true;
	case '+': return blank(next);
	case '*': return blank(next) || ark_str_starts(rest, ARK_LIT("***"));
	case '`': return ark_str_starts(rest, ARK_LIT("```"));
	case '~': return ark_str_starts(rest, ARK_LIT("~~~"));
	default: break;
	}
	size_t i = 0;
	while (i < rest.len && rest.ptr[i] >= '0' && rest.ptr[i] <= '9')
		i++;
	return i > 0 && i < rest.len && rest.ptr[i] == '.';
}

static void line_end(struct cutter *c)
{
	struct ark_str s = c->s;
	size_t next = c->at + 1;
	struct ark_str line = line_at(s, next);
	bool fence = ark_str_has(c->fence.line);
	bool useless = fence && (c->opening || closes_fence(&c->fence, line));
	bool code = !fence && ark_str_starts(line, ARK_LIT("    "));
	c->opens = 0;
	c->ticks = 0;
	if (useless || next >= s.len)
		return;
	if (!code)
		note(c, KIND_LINE, c->at, next);
	if (!fence && line.len == 0) {
		while (next < s.len && s.ptr[next] == '\n')
			next++;
		if (!ark_str_starts(ark_str_from(s, next), ARK_LIT("    ")))
			note(c, KIND_PARAGRAPH, c->at, next);
	}
}

static void line_start(struct cutter *c)
{
	struct ark_str line = line_at(c->s, c->at);
	c->opening = false;
	if (!ark_str_has(c->fence.line)) {
		c->opening = opens_fence(line, &c->fence);
	} else if (closes_fence(&c->fence, line)) {
		c->fence = (struct fence){ 0 };
		c->atom_end = c->at + line.len;
	}
}

/* Where the "(URL)" that starts at `at` ends; `at` when it does not. */
static size_t url_end(struct cutter *c, size_t at)
{
	struct ark_str s = c->s;
	int depth = 0;
	size_t i = at;
	if (at < c->no_url)
		return at;
	for (; i < s.len && i - at < LOOK_BEHIND && !blank(s.ptr[i]) && s.ptr[i] != '\n'; i++) {
		if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			return i + 1;
	}
	c->no_url = i;
	return at;
}

static void bracket(struct cutter *c)
{
	struct ark_str s = c->s;
	if (s.ptr[c->at] == '[') {
		if (c->opens == MAX_OPEN) {
			memmove(c->open, c->open + 1, (MAX_OPEN - 1) * sizeof(c->open[0]));
			memmove(c->open_at, c->open_at + 1, (MAX_OPEN - 1) * sizeof(c->open_at[0]));
			c->opens--;
		}
		c->open_at[c->opens] = c->at;
		c->open[c->opens++] = known(c);
		return;
	}
	if (c->opens == 0)
		return;
	c->opens--;
	if (c->at + 1 >= s.len || s.ptr[c->at + 1] != '(')
		return;
	size_t end = url_end(c, c->at + 1);
	if (end > c->at + 1) {
		forget(c, &c->open[c->opens]);
		c->atom_end = end;
	}
}

static void tick(struct cutter *c)
{
	size_t run = 0;
	while (c->at + run < c->s.len && c->s.ptr[c->at + run] == '`')
		run++;
	if (c->ticks == 0) {
		c->before_ticks = known(c);
		c->ticks = run;
	} else if (c->ticks == run) {
		forget(c, &c->before_ticks);
		c->ticks = 0;
	}
	c->atom_end = c->at + run;
}

/* An autolink "<...>", an escape or an entity: never cut. */
static size_t small_atom(struct ark_str s, size_t at)
{
	size_t i = at + 1;
	switch (s.ptr[at]) {
	case '\\': return at + 2 <= s.len ? at + 2 : s.len;
	case '&':
		while (i < s.len && i - at < 12 && s.ptr[i] != ' ' && s.ptr[i] != ';' &&
		       s.ptr[i] != '\n')
			i++;
		return i < s.len && s.ptr[i] == ';' ? i + 1 : at;
	case '<':
		while (i < s.len && i - at < LOOK_BEHIND && !blank(s.ptr[i]) && s.ptr[i] != '\n' &&
		       s.ptr[i] != '<' && s.ptr[i] != '>')
			i++;
		return i < s.len && s.ptr[i] == '>' ? i + 1 : at;
	default: return at;
	}
}

static void atoms(struct cutter *c)
{
	char ch = c->s.ptr[c->at];
	if (ch == '`') {
		tick(c);
	} else if (c->ticks == 0) {
		if (ch == '[' || ch == ']')
			bracket(c);
		size_t end = small_atom(c->s, c->at);
		if (end > c->atom_end)
			c->atom_end = end;
	}
}

/* Joined to the rune before it: marks, joiners, variation selectors. */
static bool joined(uint32_t before, uint32_t rune)
{
	bool selector = (rune >= 0xFE00 && rune <= 0xFE0F) || (rune >= 0x1F3FB && rune <= 0x1F3FF);
	return rune == 0x200D || before == 0x200D || selector ||
	       (rune >= 0x80 && ark_utf8_is_word(rune) && !ark_utf8_is_letter(rune));
}

static void inside_line(struct cutter *c, uint32_t rune)
{
	struct ark_str s = c->s;
	char ch = s.ptr[c->at];
	bool fence = ark_str_has(c->fence.line);
	if (c->at < c->atom_end || c->opening)
		return;
	if (blank(ch)) {
		size_t next = c->at;
		if (c->at == 0 || blank(s.ptr[c->at - 1]) || s.ptr[c->at - 1] == '\n')
			return;
		while (next < s.len && blank(s.ptr[next]))
			next++;
		if (next < s.len && s.ptr[next] != '\n' && (fence || !acts_at_start(s, next)))
			note(c, KIND_BLANK, c->at, next);
		return;
	}
	uint32_t before = ark_utf8_before(s, c->at);
	if (c->at == 0 || before == '\n' || before == ' ' || joined(before, rune))
		return;
	if ((before >= 0x80 || rune >= 0x80) && (fence || !acts_at_start(s, c->at)))
		note(c, KIND_SOFT, c->at, c->at);
	note(c, KIND_HARD, c->at, c->at);
}

/* Walk until the part is full; afterwards only as far as what is open there may go on. */
static void walk(struct cutter *c)
{
	struct ark_str s = c->s;
	bool start = true;
	size_t full_at = s.len;
	while (c->at < s.len && c->at < full_at + LOOK_BEHIND) {
		bool full = c->runes > c->limit;
		if (full && full_at == s.len)
			full_at = c->at;
		if (full && c->opens == 0 && c->ticks == 0)
			break;
		size_t len;
		uint32_t rune = ark_utf8_at(s, c->at, &len);
		if (start)
			line_start(c);
		start = rune == '\n';
		if (start) {
			if (full)
				break;
			line_end(c);
		} else {
			inside_line(c, rune);
			if (!ark_str_has(c->fence.line) && c->at >= c->atom_end)
				atoms(c);
		}
		c->at += len;
		c->runes++;
	}
}

static void put_closing(const struct fence *f, struct ark_buf *part)
{
	ark_buf_c(part, '\n');
	ark_buf_add(part, f->line.ptr, f->quote);
	for (size_t i = 0; i < f->ticks; i++)
		ark_buf_c(part, f->mark);
}

static size_t take(struct cutter *c, const struct place *p, struct ark_buf *carry,
		   struct ark_buf *part)
{
	struct ark_str taken = ark_str_first(c->s, p->end);
	size_t line = taken.len;
	while (line > 0 && taken.ptr[line - 1] != '\n')
		line--;
	ark_buf_str(part, taken);
	if (ark_str_has(p->fence.line)) {
		put_closing(&p->fence, part);
		ark_buf_str(carry, p->fence.line);
		ark_buf_c(carry, '\n');
	}
	size_t quote = quote_prefix(line_at(c->s, line));
	if (p->inside && line == 0 && c->carried.len > 0)
		ark_buf_str(carry, c->carried);
	else if (p->inside && quote > 0 && line + quote <= p->end)
		ark_buf_add(carry, c->s.ptr + line, quote);
	return p->next;
}

bool split_next(struct ark_str *rest, size_t limit_runes, struct ark_buf *carry,
		struct ark_buf *part)
{
	struct ark_str s = *rest;
	while (carry->len == 0 && s.len > 0 && s.ptr[0] == '\n')
		s = ark_str_from(s, 1);
	if (s.len == 0)
		return false;
	char opened[MAX_FENCE], quoted[MAX_FENCE];
	struct cutter c = { .s = s };
	struct ark_str first = line_at(ark_buf_view(carry), 0);
	size_t prefix = ark_utf8_runes(ark_buf_view(carry));
	if (prefix * 2 < limit_runes) {
		ark_buf_str(part, ark_buf_view(carry));
		size_t tail = carry->len;
		while (tail > 0 && carry->data[tail - 1] != '\n' && carry->len - tail < MAX_FENCE)
			tail--;
		memcpy(quoted, carry->data + tail, carry->len - tail);
		c.carried = ark_str_n(quoted, carry->len - tail);
		if (opens_fence(first, &c.fence)) {
			memcpy(opened, first.ptr, first.len);
			c.fence.line.ptr = opened;
		}
	} else {
		prefix = 0; /* no room for anything but the text itself */
	}
	ark_buf_reset(carry);
	c.limit = limit_runes > prefix ? limit_runes - prefix : 1;
	if (ark_utf8_first(s, c.limit).len == s.len) {
		ark_buf_str(part, s);
		*rest = ark_str_from(s, s.len);
		return true;
	}
	walk(&c);
	size_t next = 0;
	for (int kind = 0; kind < KINDS && next == 0; kind++)
		if (c.best[kind].found)
			next = take(&c, &c.best[kind], carry, part);
	if (next == 0) {
		struct ark_str all = ark_utf8_first(s, c.limit > 0 ? c.limit : 1);
		ark_buf_str(part, all);
		next = all.len;
	}
	*rest = ark_str_from(s, next);
	return true;
}

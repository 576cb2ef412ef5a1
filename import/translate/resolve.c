/*
 * Decides on slots walking from right to left, so that "is there something later that would pair
 * with this" is a flag and not a search: one visit a byte, whatever the input. Only what could open
 * something is made harmless there; its partner is escaped too while writing, for people who read
 * the source. The rules are those of the web client's parser (a fork of marked), whose closing
 * marks do not know escapes: where a backslash would not keep a style from ending, an entity does.
 */
#include "import/translate/resolve.h"

#include "common/base/utf8.h"
#include "import/translate/markup.h"

#include "common/base/banned.h"

/* Rest of the line, seen from its end. */
struct line_rest {
	bool only_rule;  /* nothing but - * _ and blanks */
	bool only_table; /* nothing but - : | and blanks */
	int under;       /* setext: 0 blanks so far, 1 in its marks, 2 blanks before, 3 no */
	size_t marks, under_marks;
	bool pipe, dash, ticks;
	size_t hashes;
	unsigned char behind_hashes;
	size_t blanks;
};

/* A style whose end was seen and whose begin was not yet. */
struct style_span {
	bool inside;
	bool raw_bad; /* holds something that would end it and cannot be written otherwise */
	bool star_raw, star_literal, under_raw,
	    under_literal; /* italic: which marks would end early */
	unsigned char behind;
};

struct walk {
	char *text;
	size_t begin;
	size_t end;
	bool links;
	unsigned char next; /* first byte of what will stand right of here; 0 at the end */
	bool next_style;    /* and it is a style's mark */
	struct line_rest line;
	/* the rest of this paragraph */
	bool star_closes, star_twice, under_closes, under_twice, tilde_twice;
	uint64_t tick_lengths;
	bool bracket_next_closes, bracket_links, behind_close_links, close_seen, paren_seen;
	unsigned char stop;        /* nearest blank or '>' to the right; 0 none */
	unsigned char stop_behind; /* what both were behind the blanks that were seen last */
	unsigned addresses_behind;
	unsigned addresses; /* so many '@' and ":/" before it, 2 meaning more */
	bool gt_seen, slot_before_gt, slot_seen;
	/* the rest of the text */
	bool later_gt, later_slot;
	bool close_colon; /* the next ']' is followed by ':' */
	size_t close_at;
	struct style_span strike, bold, italic;
};

static bool space(unsigned char c)
{
	return byte_is(c, BYTE_SPACE);
}

static bool slot_ends_at(const struct walk *w, size_t p)
{
	return p >= w->begin + SLOT_BYTES && w->text[p - SLOT_BYTES] == SLOT_MARK;
}

static bool is_literal(char type)
{
	return type == SLOT_LITERAL || type == SLOT_HEAD || type == SLOT_ADDRESS;
}

/* The byte that stands before p, seen through slots; 0 at the very start. */
static unsigned char before(const struct walk *w, size_t p)
{
	return p > 0 ? (unsigned char)w->text[p - 1] : 0;
}

static bool style_before(const struct walk *w, size_t p)
{
	if (!slot_ends_at(w, p))
		return false;
	char type = w->text[p - SLOT_BYTES + SLOT_TYPE];
	return type == SLOT_OPEN || type == SLOT_CLOSE;
}

static void reset_line(struct walk *w)
{
	w->line = (struct line_rest){ .only_rule = true, .only_table = true };
}

static void reset_paragraph(struct walk *w)
{
	w->later_gt |= w->gt_seen;
	w->later_slot |= w->slot_seen;
	w->star_closes = w->star_twice = w->under_closes = w->under_twice = w->tilde_twice = false;
	w->tick_lengths = 0;
	w->bracket_next_closes = w->bracket_links = w->behind_close_links = false;
	w->close_seen = w->paren_seen = false;
	w->stop = 0;
	w->addresses = 0;
	w->gt_seen = w->slot_before_gt = w->slot_seen = false;
}

/* Every byte that shows passes here, right to left, raw or from a slot. */
static void note_line(struct walk *w, unsigned char c)
{
	struct line_rest *l = &w->line;
	bool blank = c == ' ' || c == '\t';
	if (c == '-' || c == '*' || c == '_')
		l->marks++;
	else if (!blank)
		l->only_rule = false;
	if (c == '|')
		l->pipe = true;
	else if (c == '-' || c == ':')
		l->dash = true;
	else if (!blank)
		l->only_table = false;
	if (c == '-' || c == '=') {
		l->under = l->under <= 1 ? 1 : 3;
		l->under_marks++;
	} else if (blank) {
		l->under = l->under == 1 ? 2 : l->under;
	} else {
		l->under = 3;
	}
	if (c == '#') {
		l->hashes++;
	} else {
		l->hashes = 0;
		l->behind_hashes = c;
	}
	if (blank || c == 0xC2)
		l->blanks += c == '\t' ? 4 : 1;
	else if (c != 0xA0)
		l->blanks = 0;
	l->ticks |= c == '`' || c == '~';
}

static void note_bracket(struct walk *w, unsigned char c, size_t at)
{
	if (c == '[') {
		w->bracket_links = w->close_seen && w->behind_close_links;
		w->bracket_next_closes = false;
		return;
	}
	bool ends = w->next == '(' && w->paren_seen;
	bool links = ends || (w->bracket_next_closes && w->bracket_links);
	w->behind_close_links = w->bracket_links;
	w->bracket_links = links;
	w->bracket_next_closes = true;
	w->close_seen = true;
	w->close_colon = w->next == ':';
	w->close_at = at;
}

static void note_angle(struct walk *w, unsigned char c)
{
	if (c == ' ' && w->next != ' ') {
		w->stop_behind = w->stop;
		w->addresses_behind = w->addresses;
	}
	if (c == ' ' || c == '>') {
		w->stop = c;
		w->addresses = 0;
		if (c == '>') {
			w->gt_seen = true;
			w->slot_before_gt = false;
		}
	} else if (c == '@' || (c == ':' && w->next == '/')) {
		w->addresses += w->addresses < 2;
	}
}

/* May a '_' that is followed by c end something? */
static bool under_may_end(unsigned char c)
{
	return c == 0 || space(c) || (byte_is(c, BYTE_PUNCT) && c != '_');
}

/* A run of `n` stars or underscores between `prev` and w->next: what could it end? */
static void note_run(struct walk *w, char c, size_t n, unsigned char prev, bool literal,
		     bool escaped)
{
	bool ends = (n > 1 || escaped || !space(prev)) && prev != 0;
	struct style_span *it = &w->italic;
	if (c == '*') {
		ends = (ends || n > 1) && w->next != '*';
		w->star_closes |= ends || n > 1;
		w->star_twice |= n > 1 || w->next == '*';
		it->star_literal |= it->inside && literal && ends;
		it->star_raw |= it->inside && !literal && (ends || n > 1);
		w->bold.raw_bad |= w->bold.inside && !literal && n > 1;
	} else if (c == '_') {
		/* a link's label ends where its text ends */
		ends = (ends || n > 1) && (under_may_end(w->next) || (w->links && w->next == ']'));
		w->under_closes |= ends;
		w->under_twice |= n > 1 || w->next == '_';
		it->under_literal |=
		    it->inside && literal && (ends || (w->next_style && w->next == '_'));
		it->under_raw |= it->inside && !literal && ends;
	} else if (c == '~') {
		w->tilde_twice |= n > 1 && (!space(prev) || n > 2);
		w->strike.raw_bad |= w->strike.inside && !literal && n > 1;
	} else {
		w->tick_lengths |= 1ull << (escaped ? 1 : n < 63 ? n : 63);
	}
}

/* `_x_` is italic even where a word goes on behind it. */
static bool one_char_under(const struct walk *w, size_t p)
{
	if (p >= w->end)
		return false;
	size_t len = SLOT_BYTES;
	struct ark_str s = { w->text, w->end };
	if (w->text[p] != SLOT_MARK)
		ark_utf8_at(s, p, &len);
	p += len;
	if (p < w->end && w->text[p] == '_')
		return true;
	return p + SLOT_BYTES <= w->end && w->text[p] == SLOT_MARK && w->text[p + SLOT_CHAR] == '_';
}

/* Would this literal run, from q to p, open something? */
static bool run_opens(const struct walk *w, char c, size_t n, size_t q, size_t p)
{
	unsigned char prev = before(w, q), next = w->next;
	bool shows = next != 0 && !space(next);
	switch (c) {
	case '*':
		return n >= 5 || (n >= 2 && (w->star_twice || w->star_closes)) ||
		       (shows && next != '"' && next != '<' && w->star_closes);
	case '_':
		if (byte_is(prev, BYTE_WORD) && !slot_ends_at(w, q) &&
		    w->text[q + SLOT_FLAG] == 0 && w->text[q + SLOT_TYPE] != SLOT_ADDRESS)
			return false;
		return n >= 5 || (n >= 2 && (w->under_twice || w->under_closes)) ||
		       (shows &&
			(w->under_closes || ((n == 1 || prev == '\\') && one_char_under(w, p))));
	case '~': return n >= 5 || (n >= 2 && (shows || n > 2) && w->tilde_twice);
	default: /* a link may take some of a run and leave the rest */
		return w->text[q + SLOT_TYPE] == SLOT_ADDRESS
			   ? w->tick_lengths != 0
			   : (w->tick_lengths & (1ull << (n < 63 ? n : 63))) != 0;
	}
}

/* A rule, a heading's underline or a fence that starts with this run at the start of a line. */
static bool run_heads(const struct walk *w, char c, size_t n)
{
	const struct line_rest *l = &w->line;
	if (c == '*' || c == '_')
		return (l->only_rule && l->marks + n >= 3) ||
		       (c == '*' && n == 1 && space(w->next));
	return n >= 3 && !l->ticks;
}

static void set_run(struct walk *w, size_t q, size_t p, unsigned char action)
{
	for (; q < p; q += SLOT_BYTES) {
		bool address = w->text[q + SLOT_TYPE] == SLOT_ADDRESS && action == BACKSLASH;
		w->text[q + SLOT_ACTION] = (char)(address ? ENTITY : action);
	}
}

static size_t run_start(const struct walk *w, size_t p, char c, size_t *n)
{
	size_t q = p;
	*n = 0;
	while (slot_ends_at(w, q) && is_literal(w->text[q - SLOT_BYTES + SLOT_TYPE]) &&
	       w->text[q - SLOT_BYTES + SLOT_CHAR] == c) {
		q -= SLOT_BYTES;
		++*n;
		if (w->text[q + SLOT_TYPE] == SLOT_HEAD)
			break;
	}
	return q;
}

/* Italic may be written with stars. */
static bool same_mark(unsigned char style, char c)
{
	return style == (unsigned char)c || (style == '_' && c == '*');
}

/* Literal * _ ~ ` */
static size_t visit_marks(struct walk *w, size_t p, char c)
{
	size_t n;
	size_t q = run_start(w, p, c, &n);
	unsigned char prev = before(w, q);
	bool touches =
	    (w->next_style && same_mark(w->next, c)) ||
	    (style_before(w, q) && same_mark(prev, c)) ||
	    (n >= 2 && ((c == '~' && w->strike.inside) || (c == '*' && w->bold.inside))) ||
	    (c != '_' &&
	     (w->next == (unsigned char)c || (!slot_ends_at(w, q) && prev == (unsigned char)c)));
	bool escape = touches || run_opens(w, c, n, q, p) ||
		      (w->text[q + SLOT_TYPE] == SLOT_HEAD && run_heads(w, c, n));
	unsigned char action = escape ? BACKSLASH : AS_IT_IS;
	/* a backslash would leave this mark beside the style's own */
	if (w->next_style && ((c == '~' && w->next == '~') || (c == '*' && w->next == '_')))
		action = ENTITY;
	set_run(w, q, p, action);
	note_run(w, c, n, prev, true, escape);
	for (size_t i = 1; c == '`' && i < n && i < 63 && w->text[q + SLOT_TYPE] == SLOT_ADDRESS;
	     i++)
		w->tick_lengths |= 1ull << i;
	action = (unsigned char)w->text[q + SLOT_ACTION];
	for (size_t i = 0; i < n; i++)
		note_line(w, action == ENTITY ? '&' : (unsigned char)c);
	w->next = action == BACKSLASH ? '\\' : action == ENTITY ? '&' : (unsigned char)c;
	return q;
}

/* Backslashes: how many are shown depends on what stands behind the last. */
static size_t visit_backslashes(struct walk *w, size_t p)
{
	size_t n;
	size_t q = run_start(w, p, '\\', &n);
	size_t doubled;
	if (byte_is(w->next, BYTE_ESCAPE))
		doubled = n;
	else if (byte_is(w->next, BYTE_WORD))
		doubled = n < 2 ? 0 : n - 2;
	else
		doubled = n - 1;
	bool address = w->text[q + SLOT_TYPE] == SLOT_ADDRESS && doubled > 0;
	for (size_t i = 0; i < n; i++)
		w->text[q + i * SLOT_BYTES + SLOT_ACTION] = address       ? ENTITY
							    : i < doubled ? BACKSLASH
									  : AS_IT_IS;
	note_line(w, '\\');
	w->next = address ? '&' : '\\';
	return q;
}

static bool def_target(const struct walk *w)
{
	size_t i = w->close_at + 2;
	while (i < w->end && w->text[i] == ' ')
		i++;
	size_t word = i;
	while (i < w->end && byte_is((unsigned char)w->text[i], BYTE_WORD))
		i++;
	if (i >= w->end)
		return false;
	char c = w->text[i];
	return c == SLOT_MARK || c == ':' || c == '<' || (i == word && (c == '/' || c == '#'));
}

static unsigned char decide_less(const struct walk *w, bool head)
{
	unsigned char next = w->next;
	bool tag = byte_is(next, BYTE_WORD) || next == '/' || next == '!' || next == '?';
	bool odd = next == '!' || next == '?';
	bool address = w->stop == '>' && w->addresses > (next == '@');
	bool www = next == 'w' && w->stop == '>';
	bool holds_slot =
	    tag && (odd ? w->gt_seen || w->later_gt : w->gt_seen && w->slot_before_gt);
	bool spans = tag && head && w->later_gt && (w->later_slot || w->slot_seen);
	return address || www || holds_slot || spans ? ENTITY : AS_IT_IS;
}

/* Where the line of p begins there is nothing but a prefix, and the line above holds something. */
static bool below_text(const struct walk *w, size_t p, bool *prefixed)
{
	size_t q = p;
	while (q > 0 && (w->text[q - 1] == ' ' || w->text[q - 1] == '\t' || w->text[q - 1] == '>'))
		q--;
	*prefixed = q < p;
	return q > 1 && w->text[q - 1] == '\n' && w->text[q - 2] != '\n';
}

/* - = + # > | : at the start of a line. */
static unsigned char decide_head(const struct walk *w, size_t q, unsigned char c)
{
	const struct line_rest *l = &w->line;
	bool blank = w->next == ' ' || w->next == '\t' || w->next == 0xC2;
	bool prefixed;
	bool below = below_text(w, q, &prefixed);
	bool behind_dash = q > w->begin + 1 && w->text[q - 1] == ' ' && w->text[q - 2] == '-' &&
			   !slot_ends_at(w, q - 1);
	bool table =
	    below && l->only_table && ((l->pipe && (l->dash || c != '|')) || (c == '|' && l->dash));
	bool under = below && l->under <= 1 && l->under_marks >= 1;
	switch (c) {
	case '-':
		return under || table || (l->only_rule && l->marks + 1 + behind_dash >= 3)
			   ? BACKSLASH
			   : AS_IT_IS;
	case '=':
		if (!under)
			return AS_IT_IS;
		return prefixed ? BEHIND_ZWSP : BEHIND_LINE;
	case '+': return blank ? BACKSLASH : AS_IT_IS;
	case '#':
		return l->hashes <= 5 && (l->behind_hashes == ' ' || l->behind_hashes == '\t' ||
					  l->behind_hashes == 0xC2)
			   ? BACKSLASH
			   : AS_IT_IS;
	case '>': return w->next != '\n' && w->next != 0 ? BACKSLASH : AS_IT_IS;
	case '|': return table ? BACKSLASH : AS_IT_IS;
	default: return table ? BEHIND_ZWSP : AS_IT_IS;
	}
}

static unsigned char decide_single(struct walk *w, size_t q, size_t p, char type, unsigned char c)
{
	bool head = type == SLOT_HEAD;
	switch (c) {
	case '[':
		return w->bracket_links || (head && w->close_colon && def_target(w)) ? BACKSLASH
										     : AS_IT_IS;
	case ']': return AS_IT_IS; /* decided while writing */
	case '<': return decide_less(w, head);
	case '&': {
		size_t k = p + (p < w->end && w->text[p] == '#');
		size_t word = k;
		while (k < w->end && byte_is((unsigned char)w->text[k], BYTE_WORD))
			k++;
		return k > word && k < w->end && w->text[k] == ';' ? ENTITY : AS_IT_IS;
	}
	default: return head ? decide_head(w, q, c) : AS_IT_IS;
	}
}

static size_t visit_literal(struct walk *w, size_t p)
{
	size_t q = p - SLOT_BYTES;
	char type = w->text[q + SLOT_TYPE];
	unsigned char c = (unsigned char)w->text[q + SLOT_CHAR];
	if (c == '*' || c == '_' || c == '~' || c == '`') {
		q = visit_marks(w, p, (char)c);
	} else if (c == '\\') {
		q = visit_backslashes(w, p);
	} else {
		unsigned char action = decide_single(w, q, p, type, c);
		if (type == SLOT_ADDRESS && action == BACKSLASH)
			action = ENTITY;
		w->text[q + SLOT_ACTION] = (char)action;
		if ((c == '[' || c == ']') && action != ENTITY)
			note_bracket(w, c, q + SLOT_CHAR);
		note_angle(w, c);
		note_line(w, c);
		w->next = action == BACKSLASH ? '\\' : action == ENTITY ? '&' : c;
	}
	if (w->text[q + SLOT_ACTION] != AS_IT_IS)
		w->slot_before_gt = w->slot_seen = true;
	w->next_style = false;
	return q;
}

/* Nothing but a prefix and list markers before p on its line? */
static bool heads_line(const struct walk *w, size_t p)
{
	while (p > 0) {
		char c = w->text[p - 1];
		if (!slot_ends_at(w, p) && (strchr(" >-.", c) != NULL || (c >= '0' && c <= '9')))
			p--;
		else if (slot_ends_at(w, p) && w->text[p - SLOT_BYTES + SLOT_TYPE] == SLOT_INDENT)
			p -= SLOT_BYTES;
		else
			break;
	}
	return p == 0 || w->text[p - 1] == '\n';
}

/* `_x_` would end behind one character, although more was meant. */
static bool ends_early(const struct walk *w, size_t content)
{
	if (!one_char_under(w, content))
		return false;
	size_t len = SLOT_BYTES;
	struct ark_str s = { w->text, w->end };
	if (w->text[content] != SLOT_MARK)
		ark_utf8_at(s, content, &len);
	return w->text[content + len] != SLOT_MARK ||
	       w->text[content + len + SLOT_TYPE] != SLOT_CLOSE;
}

/* Which mark makes italic show from q (its begin) to where w->italic was closed? */
static void decide_italic(struct walk *w, size_t q)
{
	const struct style_span *it = &w->italic;
	unsigned char prev = before(w, q), next = w->next;
	const char *content = w->text + q + SLOT_BYTES;
	bool mark_first = *content == SLOT_MARK && content[SLOT_CHAR] == '_';
	bool under_literal = it->under_literal || mark_first;
	bool under = !byte_is(prev, BYTE_WORD) && prev != '\\' && under_may_end(it->behind) &&
		     !it->under_raw && next != '_' && !ends_early(w, q + SLOT_BYTES);
	bool star = !it->star_raw && !(w->next_style && next == '*');
	bool quoted = next == '"' || next == '<';
	unsigned char action;
	char careful = 0;
	if (under && !under_literal) {
		action = MARK_UNDER;
	} else if (star && (!it->star_literal || !under)) {
		action = quoted ? MARK_STAR_ZWSP : MARK_STAR;
		careful = it->star_literal ? SLOT_YES : 0;
	} else if (under) {
		action = MARK_UNDER;
		careful = SLOT_YES;
	} else {
		action = NOTHING;
	}
	w->text[q + SLOT_ACTION] = (char)action;
	w->text[q + SLOT_FLAG] = careful;
}

static struct style_span *span_of(struct walk *w, char mark)
{
	return mark == '~' ? &w->strike : mark == '*' ? &w->bold : &w->italic;
}

static size_t visit_style(struct walk *w, size_t p)
{
	size_t q = p - SLOT_BYTES;
	char mark = w->text[q + SLOT_CHAR];
	struct style_span *span = span_of(w, mark);
	bool open = w->text[q + SLOT_TYPE] == SLOT_OPEN;
	bool doubled = mark != '_';
	if (!open) {
		*span = (struct style_span){ .inside = true, .behind = w->next };
	} else if (mark == '_') {
		decide_italic(w, q);
	} else if (span->raw_bad) {
		w->text[q + SLOT_ACTION] = NOTHING;
	}
	if (open) {
		span->inside = false;
		bool rule =
		    w->line.only_rule && w->line.marks + 1 + doubled >= 3 && heads_line(w, q);
		w->text[q + SLOT_RULE] = rule ? SLOT_YES : 0;
	}
	/* both forms of italic may stand here: what is literal must mind either */
	w->star_closes |= mark != '~' && !open;
	w->star_twice |= mark == '*';
	w->under_closes |= mark == '_' && !open;
	w->tilde_twice |= mark == '~' && !open;
	if (mark == '*' && w->italic.inside)
		w->italic.star_raw = true;
	for (int i = 0; i <= doubled; i++)
		note_line(w, (unsigned char)mark);
	w->slot_before_gt = w->slot_seen = true;
	w->next = (unsigned char)mark;
	w->next_style = true;
	return q;
}

/* A code block: nothing in it acts, and nothing acts across it. */
static size_t visit_fence(struct walk *w, size_t p)
{
	size_t q = p - SLOT_BYTES;
	while (q > w->begin && !(w->text[q - 1] == SLOT_MARK))
		q--;
	reset_paragraph(w);
	reset_line(w);
	w->next = '`';
	w->next_style = false;
	return q > w->begin ? q - 1 : q;
}

static size_t visit_slot(struct walk *w, size_t p)
{
	char *slot = w->text + p - SLOT_BYTES;
	switch (slot[SLOT_TYPE]) {
	case SLOT_OPEN:
	case SLOT_CLOSE: return visit_style(w, p);
	case SLOT_FENCE_END: return visit_fence(w, p);
	case SLOT_FENCE:
	case SLOT_DROP: return p - SLOT_BYTES;
	case SLOT_INDENT: {
		bool code = w->line.blanks + (slot[SLOT_CHAR] == '\t' ? 4 : 1) >= 4 &&
			    w->next != '\n' && w->next != 0;
		slot[SLOT_ACTION] = code ? BEHIND_ZWSP : AS_IT_IS;
		note_line(w, ' ');
		w->next = code ? 0xE2 : ' ';
		w->next_style = false;
		return p - SLOT_BYTES;
	}
	default: return visit_literal(w, p);
	}
}

/* Raw marks: of a code span, a URL, an emoji, an escape written at once. */
static size_t visit_raw_marks(struct walk *w, size_t p, char c)
{
	size_t q = p;
	while (q > w->begin && w->text[q - 1] == c && !(slot_ends_at(w, q)))
		q--;
	if (q == p)
		q--;
	note_run(w, c, p - q, before(w, q), false, false);
	for (size_t i = q; i < p; i++)
		note_line(w, (unsigned char)c);
	w->next = (unsigned char)c;
	return q;
}

static size_t visit_raw(struct walk *w, size_t p)
{
	unsigned char c = (unsigned char)w->text[p - 1];
	switch (c) {
	case '\n':
		if (w->next == '\n') {
			reset_paragraph(w);
		} else if (w->next == ' ') {
			/* in a list the blanks at the start of a line go before anything is looked
			 * at */
			w->stop = w->stop_behind;
			w->addresses = w->addresses_behind;
		}
		reset_line(w);
		break;
	case '*':
	case '_':
	case '~':
	case '`': w->next_style = false; return visit_raw_marks(w, p, (char)c);
	case '[':
	case ']': note_bracket(w, c, p - 1); break;
	case ')': w->paren_seen = true; break;
	default: break;
	}
	if (c == ' ' || c == '>' || c == '@' || c == ':')
		note_angle(w, c);
	if (c != '\n')
		note_line(w, c);
	w->next = c;
	w->next_style = false;
	return p - 1;
}

/* Where the run of bytes that ends at p begins of which nothing depends; no slot ends in one. */
static size_t inert_start(const struct walk *w, size_t p)
{
	while (p > w->begin && !byte_is((unsigned char)w->text[p - 1], BYTE_ACTS))
		p--;
	return p;
}

static void decide(struct walk *w)
{
	reset_line(w);
	for (size_t p = w->end; p > w->begin;) {
		size_t q = inert_start(w, p);
		if (q < p) {
			note_line(w, (unsigned char)w->text[q]);
			w->next = (unsigned char)w->text[q];
			w->next_style = false;
			p = q;
		} else {
			p = slot_ends_at(w, p) ? visit_slot(w, p) : visit_raw(w, p);
		}
	}
}

void resolve_slots(struct ark_buf *out, size_t start, bool links)
{
	struct walk w = { .text = out->data, .begin = start, .end = out->len, .links = links };
	decide(&w);
	resolve_write(out, start, links);
}

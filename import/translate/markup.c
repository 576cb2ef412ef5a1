#include "import/translate/markup.h"

#include "common/base/utf8.h"
#include "import/translate/resolve.h"

#include "common/base/banned.h"

#define ZWSP       "\xe2\x80\x8b" /* U+200B: seen by the parser, not by people */
#define LOOK_AHEAD 32
/* Columns that a nested list may be deeper than its parent; more is code. */
#define MAX_DEEPER 5

static unsigned char last_byte(const struct markup *m)
{
	return m->out->len > 0 ? (unsigned char)m->out->data[m->out->len - 1] : 0;
}

static bool ends_in_slot(const struct markup *m)
{
	return m->out->len >= m->start + SLOT_BYTES &&
	       m->out->data[m->out->len - SLOT_BYTES] == SLOT_MARK;
}

static bool is_alnum(unsigned char c)
{
	return byte_is(c, BYTE_WORD) && c != '_';
}

void markup_begin(struct markup *m, struct ark_buf *out)
{
	*m = (struct markup){ .out = out, .start = out->len };
	size_t at = out->len;
	while (at > 0 && out->len - at < 100 && out->data[at - 1] == ' ')
		at--;
	m->head = at == 0 || out->data[at - 1] == '\n';
	m->fresh = m->head && at == out->len;
	m->block = m->head && (at < 2 || out->data[at - 2] == '\n');
}

void markup_finish(struct markup *m)
{
	markup_style_close(m, 0);
	if (m->slots && !m->out->failed)
		resolve_slots(m->out, m->start, m->links);
}

void markup_finish_plain(struct markup *m)
{
	if (m->slots && !m->out->failed)
		resolve_plain(m->out, m->start);
}

size_t markup_slot(struct markup *m, enum slot_type type, char c)
{
	size_t at = m->out->len;
	char slot[SLOT_BYTES] = { SLOT_MARK, (char)type, [SLOT_BYTES - 1] = c };
	ark_buf_add(m->out, slot, sizeof(slot));
	m->slots = true;
	m->fresh = false;
	return at;
}

/*
 * Keep what follows out of the bare URL at the end of the output: <URL> ends where it ends. Copied
 * text may hold what cannot stand there; then a blank must do.
 */
static void close_url(struct markup *m)
{
	struct ark_buf *out = m->out;
	struct ark_str url = ark_str_n(out->data + m->tail_at, out->len - m->tail_at);
	bool mail = ark_str_starts(url, ARK_LIT("mailto:")); /* elsewhere '@' would make it one */
	bool odd = false;
	size_t ats = 0;
	for (size_t i = 0; i < url.len; i++) {
		odd |= url.ptr[i] == '<' || url.ptr[i] == '>' || url.ptr[i] == SLOT_MARK;
		ats += url.ptr[i] == '@' && !mail;
	}
	m->tail = TAIL_TEXT;
	if (odd) {
		ark_buf_c(out, ' ');
		return;
	}
	size_t grown = url.len + 2 * ats + 2;
	if (ark_buf_room(out, grown - url.len) == NULL)
		return;
	char *begin = out->data + m->tail_at, *to = begin + grown;
	*--to = '>';
	for (size_t i = url.len; i-- > 0;) {
		*--to = begin[i];
		if (begin[i] == '@' && !mail) {
			memcpy(to - 2, "%40", 3);
			to -= 2;
		}
	}
	*begin = '<';
	out->len += grown - url.len;
	out->data[out->len] = '\0';
}

/* Would the URL at the end of the output run on into `next`? */
static bool url_runs_on(struct markup *m, struct ark_str next)
{
	size_t len = m->out->len;
	ark_buf_str(m->out, ark_utf8_first_bytes(next, LOOK_AHEAD));
	size_t end = url_bare_end(ark_buf_view(m->out), m->tail_at);
	ark_buf_cut(m->out, len);
	return end != len;
}

static bool mention_runs_on(struct ark_str next)
{
	size_t i = 0;
	while (i < next.len && (next.ptr[i] == '.' || next.ptr[i] == '-' || next.ptr[i] == '_'))
		i++;
	if (i < next.len && is_alnum((unsigned char)next.ptr[i]))
		return true;
	return next.len > 1 && next.ptr[0] == ':' &&
	       (byte_is((unsigned char)next.ptr[1], BYTE_WORD) || next.ptr[1] == '-' ||
		next.ptr[1] == '+');
}

static void end_tail(struct markup *m, struct ark_str next)
{
	enum markup_tail tail = m->tail;
	m->tail = TAIL_TEXT;
	if (next.len == 0 || m->plain)
		return;
	if (tail == TAIL_MENTION && mention_runs_on(next))
		ark_buf_c(m->out, ' ');
	else if (tail != TAIL_MENTION && url_runs_on(m, next))
		close_url(m);
}

static const struct {
	unsigned style;
	char mark;
} NESTING[] = { { STYLE_STRIKE, '~' }, { STYLE_BOLD, '*' }, { STYLE_ITALIC, '_' } };

#define STYLES 3

void markup_style_close(struct markup *m, unsigned keep)
{
	size_t first = 0;
	while (first < STYLES && (m->open & ~keep & NESTING[first].style) == 0)
		first++;
	size_t count = 0;
	for (size_t i = first; i < STYLES; i++)
		count += (m->open & NESTING[i].style) != 0;
	if (count == 0)
		return;
	struct ark_buf *out = m->out;
	size_t at = out->len;
	while (at > m->start && (out->data[at - 1] == ' ' || out->data[at - 1] == '\t'))
		at--;
	if (m->tail >= TAIL_URL && at == out->len) {
		close_url(m);
		at = out->len;
	}
	m->tail = TAIL_TEXT;
	size_t blanks = out->len - at, marks = count * SLOT_BYTES;
	for (size_t i = STYLES; i-- > first;)
		if (m->open & NESTING[i].style)
			markup_slot(m, SLOT_CLOSE, NESTING[i].mark);
	if (blanks > 0 && !out->failed) {
		char slots[STYLES * SLOT_BYTES];
		memcpy(slots, out->data + at + blanks, marks);
		memmove(out->data + at + marks, out->data + at, blanks);
		memcpy(out->data + at, slots, marks);
	}
	for (size_t i = first; i < STYLES; i++)
		m->open &= ~NESTING[i].style;
}

/* Switch from the open styles to the wanted ones. */
static void sync_styles(struct markup *m)
{
	size_t same = 0;
	while (same < STYLES && ((m->open ^ m->want) & NESTING[same].style) == 0)
		same++;
	unsigned keep = 0;
	for (size_t i = 0; i < same; i++)
		keep |= NESTING[i].style;
	markup_style_close(m, keep);
	for (size_t i = same; i < STYLES; i++)
		if (m->want & NESTING[i].style)
			markup_slot(m, SLOT_OPEN, NESTING[i].mark);
	if (m->want != 0)
		m->head = false;
	m->open = m->want;
}

void markup_join(struct markup *m, struct ark_str next)
{
	if (m->fenced)
		markup_newline(m);
	bool switched = m->open != m->want && !m->plain;
	if (m->tail != TAIL_TEXT) {
		if (switched && m->tail >= TAIL_URL) {
			close_url(m);
		} else {
			end_tail(m, switched ? ARK_LIT("*") : next);
		}
	}
	if (switched)
		sync_styles(m);
}

void markup_run(struct markup *m, const char *ptr, size_t len)
{
	if (m->tail == TAIL_COPIED && m->open == m->want)
		m->tail = TAIL_TEXT;
	if (__builtin_expect(m->tail != TAIL_TEXT || m->fenced || m->open != m->want, 0))
		markup_join(m, ark_str_n(ptr, len));
	ark_buf_add(m->out, ptr, len);
	m->fresh = false;
}

void markup_raw(struct markup *m, struct ark_str s)
{
	markup_join(m, s);
	ark_buf_str(m->out, s);
	m->head = m->fresh = false;
}

static void put_prefix(struct markup *m)
{
	if (m->quote && !m->plain)
		ark_buf_add(m->out, "> ", 2);
	for (unsigned i = 0; i < m->indent; i++)
		ark_buf_c(m->out, ' ');
}

void markup_newline(struct markup *m)
{
	if (m->open != 0)
		markup_style_close(m, 0);
	ark_buf_c(m->out, '\n');
	m->block = m->head || m->fenced;
	m->fenced = false;
	m->head = m->fresh = true;
	m->columns = 0;
	m->tail = TAIL_TEXT;
	put_prefix(m);
}

void markup_line(struct markup *m)
{
	if (m->fenced || !m->head || (m->out->len > m->start && !m->fresh))
		markup_newline(m);
}

void markup_gap(struct markup *m)
{
	if (m->out->len == 0)
		return;
	markup_line(m);
	if (!m->block)
		markup_newline(m);
}

/* --- literal text --- */

static bool is_bullet(struct ark_str s, size_t i)
{
	if (i + 1 < s.len && (s.ptr[i] == '-' || s.ptr[i] == '*' || s.ptr[i] == '+'))
		return s.ptr[i + 1] == ' ';
	size_t k = i;
	while (k < s.len && s.ptr[k] >= '0' && s.ptr[k] <= '9')
		k++;
	return k > i && k + 1 < s.len && s.ptr[k] == '.' && s.ptr[k + 1] == ' ';
}

static size_t blank_at(struct ark_str s, size_t i)
{
	if (s.ptr[i] == ' ' || s.ptr[i] == '\t')
		return 1;
	return i + 1 < s.len && (unsigned char)s.ptr[i] == 0xC2 &&
		       (unsigned char)s.ptr[i + 1] == 0xA0
		   ? 2
		   : 0;
}

/* Blanks at the start of a line: from four on they can make code of it. */
static size_t head_blanks(struct markup *m, struct ark_str s, size_t i)
{
	size_t k = i, columns = 0;
	for (size_t n; k < s.len && (n = blank_at(s, k)) > 0; k += n)
		columns += s.ptr[k] == '\t' ? 4 : 1;
	bool nested = m->list && is_bullet(s, k) && columns <= m->list_indent + MAX_DEEPER;
	bool inert = (columns < 4 && k < s.len) || nested;
	m->columns = m->fresh ? columns : m->columns;
	/* these end a paragraph, and what is left is a block of its own */
	bool ends = k < s.len && (byte_is((unsigned char)s.ptr[k], BYTE_HEAD) || s.ptr[k] == '<');
	if (m->fresh && (m->block || m->list || ends) && !inert) {
		size_t first = blank_at(s, i);
		markup_slot(m, SLOT_INDENT, s.ptr[i] == '\t' ? '\t' : ' ');
		ark_buf_add(m->out, s.ptr + i + first, k - i - first);
	} else {
		ark_buf_add(m->out, s.ptr + i, k - i);
	}
	m->fresh = false;
	return k - i;
}

/* "12. " stays a list; what a list would number otherwise ("01.", ten digits) does not. */
static size_t head_number(struct markup *m, struct ark_str s, size_t i)
{
	size_t k = i;
	while (k < s.len && s.ptr[k] >= '0' && s.ptr[k] <= '9')
		k++;
	if (k + 1 >= s.len || s.ptr[k] != '.' || blank_at(s, k + 1) == 0)
		return 0;
	bool renumbered = k - i > 9 || (k - i > 1 && s.ptr[i] == '0');
	ark_buf_add(m->out, s.ptr + i, k - i);
	ark_buf_add(m->out, "\\.", 2);
	m->fresh = false;
	if (renumbered) {
		m->head = false;
	} else {
		ark_buf_cut(m->out, m->out->len - 2);
		ark_buf_c(m->out, '.');
		m->list = true;
		m->list_indent = m->columns;
	}
	return k + 1 - i;
}

size_t markup_head(struct markup *m, struct ark_str s, size_t i)
{
	size_t from = i;
	while (i < s.len && m->head) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (byte_is(c, BYTE_SPECIAL))
			break;
		if (m->open != m->want && blank_at(s, i) == 0) {
			markup_join(m, ark_str_from(s, i));
			continue;
		}
		if (!byte_is(c, BYTE_HEAD)) {
			if (m->fresh && m->block)
				m->list = false;
			m->head = false;
			break;
		}
		size_t n = 0;
		if (blank_at(s, i) > 0) {
			n = head_blanks(m, s, i);
		} else if (c >= '0' && c <= '9') {
			n = head_number(m, s, i);
			m->head = m->head && n > 0;
		} else if (c == 0xC2) {
			m->head = false;
		} else {
			bool marker = c == '-' && i + 1 < s.len && blank_at(s, i + 1) > 0;
			markup_slot(m, SLOT_HEAD, (char)c);
			m->list = m->list || marker;
			m->list_indent = marker ? m->columns : m->list_indent;
			m->head = marker;
			n = 1;
		}
		i += n;
	}
	return i - from;
}

/* May s[i] become part of a link that the client makes by itself? A word is looked at once. */
static bool in_address(struct markup *m, struct ark_str s, size_t i)
{
	if (m->label)
		return false;
	if (i >= m->word_end) {
		size_t from = i, end = i;
		while (from > m->word_end && !byte_is((unsigned char)s.ptr[from - 1], BYTE_SPACE))
			from--;
		while (end < s.len && !byte_is((unsigned char)s.ptr[end], BYTE_SPACE))
			end++;
		m->word_end = end;
		m->address = from + url_like(ark_str_n(s.ptr + from, end - from));
	}
	return i >= m->address;
}

enum slot_type markup_slot_type(struct markup *m, struct ark_str s, size_t i)
{
	enum slot_type type = m->tail == TAIL_COPIED ? SLOT_ADDRESS
			      : m->head              ? SLOT_HEAD
			      : in_address(m, s, i)  ? SLOT_ADDRESS
						     : SLOT_LITERAL;
	m->head = false;
	return type;
}

static void literal_slot(struct markup *m, struct ark_str s, size_t i, char c)
{
	if (m->tail == TAIL_URL)
		close_url(m);
	bool behind_url = m->tail == TAIL_COPIED;
	size_t at = markup_slot(m, markup_slot_type(m, s, i), c);
	if (behind_url && at < m->out->len)
		m->out->data[at + SLOT_FLAG] = SLOT_YES;
}

/* '&' that the client would take for an entity is written as one itself. */
static void literal_amp(struct markup *m, struct ark_str s, size_t i)
{
	size_t k = i + 1;
	if (k < s.len && s.ptr[k] == '#')
		k++;
	size_t word = k;
	while (k < s.len && byte_is((unsigned char)s.ptr[k], BYTE_WORD))
		k++;
	bool entity = k < s.len ? k > word && s.ptr[k] == ';' : true;
	m->head = m->fresh = false;
	if (k >= s.len)
		markup_slot(m, SLOT_LITERAL, '&');
	else
		ark_buf_add(m->out, "&amp;", entity ? 5 : 1);
}

/* A URL that the client links by itself is copied as it is: a backslash in it would show. */
static size_t literal_colon(struct markup *m, struct ark_str s, size_t i)
{
	size_t scheme = m->label || m->head ? 0 : url_scheme_before(s, i + 1);
	size_t from = i + 1 - scheme;
	size_t before = m->out->len - (i - from);
	if (scheme > 0 && !(from == 0 && before > 0 && before <= m->out->len &&
			    byte_is((unsigned char)m->out->data[before - 1], BYTE_WORD))) {
		size_t end = url_bare_end(s, from);
		size_t tag_end = m->angle ? ark_str_find(ark_str_first(s, end), '>', i) : SIZE_MAX;
		end = tag_end < end ? tag_end : end;
		if (end > i + 1) {
			m->tail = TAIL_COPIED;
			m->tail_at = m->out->len - (i - from);
			url_copy(s, i, end, m->out);
			return end - i;
		}
	}
	if (m->head)
		markup_slot(m, SLOT_HEAD, ':');
	else
		ark_buf_c(m->out, ':');
	m->head = m->fresh = false;
	return 1;
}

/* Can this '_' neither begin nor end anything, as in a_b? */
static bool inside_word(const struct markup *m, struct ark_str s, size_t i)
{
	unsigned char before = i > 0 ? (unsigned char)s.ptr[i - 1] : last_byte(m);
	return is_alnum(before) && i + 1 < s.len && is_alnum((unsigned char)s.ptr[i + 1]);
}

static size_t label_bracket(struct markup *m, char c)
{
	char escaped[2] = { '\\', c };
	ark_buf_add(m->out, escaped, 2);
	return 1;
}

size_t markup_special(struct markup *m, struct ark_str s, size_t i)
{
	return markup_special_as(m, s, i, s.ptr[i]);
}

size_t markup_special_as(struct markup *m, struct ark_str s, size_t i, char as)
{
	unsigned char c = (unsigned char)as;
	bool last = i + 1 >= s.len;
	char next = last ? '\0' : s.ptr[i + 1];
	if (c <= 1 || (c == '\r' && next == '\n'))
		return 1;
	if (c == '\n' || c == '\r') {
		if (m->label)
			ark_buf_c(m->out, ' ');
		else
			markup_newline(m);
		return 1;
	}
	if (m->plain) {
		ark_buf_c(m->out, as);
		return 1;
	}
	if (m->tail == TAIL_MENTION || m->fenced || m->open != m->want)
		markup_join(m, ark_str_from(s, i));
	if (c == '&') {
		literal_amp(m, s, i);
		return 1;
	}
	if (c == ':')
		return literal_colon(m, s, i);
	if (m->label && (c == '[' || c == ']'))
		return label_bracket(m, (char)c);
	bool raw = (c == ']' && !last && next != '(') || (c == '<' && next == ' ') ||
		   (c == '_' && inside_word(m, s, i)) ||
		   (c == '~' && !last && next != '~' && last_byte(m) != '~' &&
		    ((m->open | m->want) & STYLE_STRIKE) == 0) ||
		   (c == '\\' && is_alnum((unsigned char)next) && last_byte(m) != '\\');
	m->angle |= c == '<' && !raw;
	if (raw) {
		markup_run(m, &as, 1);
		m->head = false;
	} else {
		literal_slot(m, s, i, as);
	}
	return 1;
}

static void literal_part(struct markup *m, struct ark_str s)
{
	size_t i = 0;
	m->word_end = 0;
	while (i < s.len) {
		if (m->head) {
			i += markup_head(m, s, i);
			if (i >= s.len)
				return;
		}
		size_t k = byte_skip_plain(s, i);
		if (k > i)
			markup_run(m, s.ptr + i, k - i);
		if (k >= s.len)
			return;
		i = k + markup_special(m, s, k);
	}
}

void markup_literal(struct markup *m, struct ark_str text)
{
	if (m->plain) {
		markup_fence_text(m, text);
		return;
	}
	if (m->open != m->want || m->fenced) {
		/* blanks belong to both sides: styles change at the first thing that shows */
		size_t blank = 0;
		while (blank < text.len && byte_is((unsigned char)text.ptr[blank], BYTE_SPACE))
			blank++;
		if (blank > 0) {
			unsigned want = m->want;
			m->want = m->open;
			literal_part(m, ark_str_first(text, blank));
			m->want = want;
		}
		text = ark_str_from(text, blank);
		if (text.len == 0)
			return;
		markup_join(m, text);
	}
	literal_part(m, text);
}

/* --- what is not literal --- */

void markup_mention(struct markup *m, char sigil, struct ark_str name)
{
	char first[2] = { sigil, 'a' };
	markup_join(m, ark_str_n(first, 2));
	unsigned char before = last_byte(m);
	if (is_alnum(before) || (before == '_' && !ends_in_slot(m)))
		ark_buf_c(m->out, ' ');
	ark_buf_c(m->out, sigil);
	ark_buf_str(m->out, name);
	m->head = m->fresh = false;
	m->tail = TAIL_MENTION;
}

static size_t longest_ticks(struct ark_str s)
{
	size_t longest = 0, run = 0;
	for (size_t i = 0; i < s.len; i++) {
		run = s.ptr[i] == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

size_t markup_code_begin(struct markup *m)
{
	markup_join(m, ARK_LIT("`x"));
	if (!m->plain && last_byte(m) == '`')
		ark_buf_z(m->out, ZWSP);
	m->head = m->fresh = false;
	return m->out->len;
}

void markup_code_text(struct markup *m, struct ark_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '\n')
			c = ' ';
		if (c != '\0' && c != SLOT_MARK && c != '\r')
			ark_buf_c(m->out, c);
	}
}

void markup_code_end(struct markup *m, size_t begin)
{
	struct ark_buf *out = m->out;
	if (m->plain || out->len == begin)
		return;
	struct ark_str code = ark_str_n(out->data + begin, out->len - begin);
	size_t ticks = longest_ticks(code) + 1;
	bool pad = code.ptr[0] == '`' || code.ptr[code.len - 1] == '`';
	size_t side = ticks + pad;
	if (ark_buf_room(out, 2 * side) == NULL)
		return;
	char *at = out->data + begin;
	memmove(at + side, at, code.len);
	memset(at, '`', ticks);
	memset(at + side + code.len + pad, '`', ticks);
	if (pad)
		at[ticks] = at[side + code.len] = ' ';
	out->len += 2 * side;
	out->data[out->len] = '\0';
}

void markup_code(struct markup *m, struct ark_str code)
{
	if (code.len == 0)
		return;
	size_t begin = markup_code_begin(m);
	markup_code_text(m, code);
	markup_code_end(m, begin);
}

void markup_fence_open(struct markup *m, unsigned ticks, struct ark_str language)
{
	struct ark_buf *out = m->out;
	if (!m->head) {
		markup_style_close(m, 0);
		while (out->len > m->start && out->data[out->len - 1] == ' ')
			ark_buf_cut(out, out->len - 1);
	}
	markup_line(m);
	if (m->plain)
		return;
	markup_slot(m, SLOT_FENCE, ' ');
	for (unsigned i = 0; i < ticks; i++)
		ark_buf_c(out, '`');
	ark_buf_str(out, language);
	ark_buf_c(out, '\n');
	put_prefix(m);
}

void markup_fence_text(struct markup *m, struct ark_str text)
{
	size_t start = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c != '\n' && c != '\0' && c != SLOT_MARK && c != '\r')
			continue;
		ark_buf_add(m->out, text.ptr + start, i - start);
		start = i + 1;
		if (c == '\n') {
			ark_buf_c(m->out, '\n');
			put_prefix(m);
		}
	}
	if (start < text.len)
		ark_buf_add(m->out, text.ptr + start, text.len - start);
}

void markup_fence_close(struct markup *m, unsigned ticks)
{
	m->head = m->fresh = false;
	m->fenced = true;
	if (m->plain)
		return;
	ark_buf_c(m->out, '\n');
	put_prefix(m);
	for (unsigned i = 0; i < ticks; i++)
		ark_buf_c(m->out, '`');
	markup_slot(m, SLOT_FENCE_END, '`');
}

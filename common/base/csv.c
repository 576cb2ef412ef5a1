#include "common/base/csv.h"

#include <string.h>

#include "common/base/buf.h"

#include "common/base/utf8.h"

#include "common/base/banned.h"

static const char SEPARATORS[] = ",;\t";

static char most_of(struct ark_str line)
{
	char best = ',';
	size_t most = 0;
	for (const char *s = SEPARATORS; *s != '\0'; s++) {
		size_t n = 0;
		for (size_t i = 0; i < line.len; i++)
			n += line.ptr[i] == *s;
		if (n > most) {
			most = n;
			best = *s;
		}
	}
	return best;
}

void ark_csv_begin(struct ark_csv *c, struct ark_str text)
{
	static const struct ark_str BOM = { "\xef\xbb\xbf", 3 };
	if (ark_str_starts(text, BOM))
		text = ark_str_from(text, BOM.len);
	size_t end = 0;
	while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r')
		end++;
	*c = (struct ark_csv){ .text = text, .next_line = 1, .separator = most_of(ark_str_first(text, end)) };
}

static bool at_line_end(const struct ark_csv *c)
{
	return c->at == c->text.len || c->text.ptr[c->at] == '\n' || c->text.ptr[c->at] == '\r';
}

static void pass_line_end(struct ark_csv *c)
{
	if (c->at == c->text.len)
		return;
	if (c->text.ptr[c->at] == '\r' && c->at + 1 < c->text.len && c->text.ptr[c->at + 1] == '\n')
		c->at++;
	c->at++;
	c->next_line++;
}

/* Behind the opening quote, to behind the closing one. */
static enum ark_rc quoted(struct ark_csv *c, struct ark_buf *cell, struct ark_err *err)
{
	for (;;) {
		size_t quote = ark_str_find(c->text, '"', c->at);
		if (quote == SIZE_MAX)
			return ark_err_set(err, ARK_KIND_INPUT, "line %llu: a quote is not closed",
			                   (unsigned long long)c->line);
		for (size_t i = c->at; i < quote; i++)
			c->next_line += c->text.ptr[i] == '\n';
		ark_buf_add(cell, c->text.ptr + c->at, quote - c->at);
		c->at = quote + 1;
		if (c->at == c->text.len || c->text.ptr[c->at] != '"')
			return ARK_OK;
		ark_buf_c(cell, '"');
		c->at++;
	}
}

static enum ark_rc next_cell(struct ark_csv *c, struct ark_buf *cell, struct ark_err *err)
{
	ark_buf_reset(cell);
	if (c->at < c->text.len && c->text.ptr[c->at] == '"') {
		c->at++;
		enum ark_rc rc = quoted(c, cell, err);
		if (rc < 0)
			return rc;
	}
	size_t from = c->at;
	while (!at_line_end(c) && c->text.ptr[c->at] != c->separator)
		c->at++;
	ark_buf_add(cell, c->text.ptr + from, c->at - from);
	return ARK_OK;
}

enum ark_rc ark_csv_next(struct ark_csv *c, struct ark_pool *keep, struct ark_str *cells, size_t cap,
                         size_t *count, struct ark_err *err)
{
	while (c->at < c->text.len && at_line_end(c))
		pass_line_end(c);
	if (c->at == c->text.len)
		return ARK_END;
	ark_auto(ark_buf_release) struct ark_buf cell;
	ark_buf_init(&cell, SIZE_MAX / 2);
	c->line = c->next_line;
	for (*count = 0;;) {
		enum ark_rc rc = next_cell(c, &cell, err);
		if (rc < 0)
			return rc;
		if (*count < cap)
			cells[(*count)++] = ark_pool_str(keep, ark_buf_view(&cell));
		if (at_line_end(c)) {
			pass_line_end(c);
			return ARK_OK;
		}
		c->at++; /* the separator */
	}
}

struct ark_str ark_csv_plain(struct ark_str cell)
{
	bool guarded = cell.len > 1 && cell.ptr[0] == '\'' && strchr("=+-@", cell.ptr[1]) != NULL;
	return guarded ? ark_str_from(cell, 1) : cell;
}

/* --- writing --- */

/* What spreadsheets take for the start of a formula, full-width forms included (Japanese Excel). */
static bool starts_formula(struct ark_str s)
{
	if (s.len == 0)
		return false;
	size_t len;
	uint32_t rune = ark_utf8_at(s, 0, &len);
	return rune == '=' || rune == '+' || rune == '-' || rune == '@' || rune == '\t' ||
	       rune == '\r' || rune == '\n' || rune == 0xFF1D || rune == 0xFF0B || rune == 0xFF0D ||
	       rune == 0xFF20;
}

static bool needs_quotes(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(",;\"\r\n\t", s.ptr[i]) != NULL)
			return true;
	return s.len > 0 && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ');
}

void ark_csv_cell(struct ark_buf *out, struct ark_str s)
{
	if (!ark_str_has(s))
		return;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, SIZE_MAX / 2);
	ark_utf8_clean(&text, s);
	struct ark_str clean = ark_buf_view(&text);
	bool formula = starts_formula(clean), quotes = needs_quotes(clean);
	if (quotes)
		ark_buf_c(out, '"');
	if (formula)
		ark_buf_c(out, '\'');
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.ptr[i] == '"')
			ark_buf_c(out, '"');
		ark_buf_c(out, clean.ptr[i]);
	}
	if (quotes)
		ark_buf_c(out, '"');
}

static bool is_plain(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
		if (!ok)
			return false;
	}
	return true;
}

void ark_csv_name(struct ark_buf *out, struct ark_str s)
{
	if (is_plain(s))
		ark_buf_str(out, s);
	else
		ark_csv_cell(out, s);
}

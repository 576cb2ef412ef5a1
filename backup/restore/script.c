#include "backup/restore/script.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

/* --- where a statement ends ------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80;
}

/* Behind a text in quotes that begins at `at`; a doubled quote is part of it. */
static size_t behind_quotes(struct ark_str s, size_t at, bool backslash)
{
	char quote = s.ptr[at];
	for (at++; at < s.len; at++) {
		if (backslash && s.ptr[at] == '\\')
			at++;
		else if (s.ptr[at] == quote)
			return at + 1;
	}
	return SIZE_MAX;
}

/* Behind $tag$ ... $tag$, or `at` + 1 where that is none. */
static size_t behind_dollars(struct ark_str s, size_t at)
{
	size_t end = at + 1;
	while (end < s.len && s.ptr[end] != '$' && is_word(s.ptr[end]))
		end++;
	if (end >= s.len || s.ptr[end] != '$' || (at > 0 && is_word(s.ptr[at - 1])))
		return at + 1;
	struct ark_str tag = ark_str_n(s.ptr + at, end + 1 - at);
	size_t close = ark_str_search(s, tag, end + 1);
	return close == SIZE_MAX ? SIZE_MAX : close + tag.len;
}

/* Behind a comment in stars, which may hold others. */
static size_t behind_stars(struct ark_str s, size_t at)
{
	int depth = 0;
	for (; at + 1 < s.len; at++) {
		if (s.ptr[at] == '/' && s.ptr[at + 1] == '*') {
			depth++;
			at++;
		} else if (s.ptr[at] == '*' && s.ptr[at + 1] == '/') {
			at++;
			if (--depth == 0)
				return at + 1;
		}
	}
	return SIZE_MAX;
}

/* Behind whatever begins here and hides semicolons; `at` when nothing does. */
static size_t behind_hidden(struct ark_str s, size_t at)
{
	char c = s.ptr[at], next = at + 1 < s.len ? s.ptr[at + 1] : '\0';
	if (c == '\'') {
		bool escapes = at > 0 && (s.ptr[at - 1] == 'E' || s.ptr[at - 1] == 'e') && (at < 2 || !is_word(s.ptr[at - 2]));
		return behind_quotes(s, at, escapes);
	}
	if (c == '"')
		return behind_quotes(s, at, false);
	if (c == '$')
		return behind_dollars(s, at);
	if (c == '/' && next == '*')
		return behind_stars(s, at);
	if (c == '-' && next == '-') {
		size_t end = ark_str_find(s, '\n', at);
		return end == SIZE_MAX ? s.len : end + 1;
	}
	return at;
}

/* Position of the semicolon that ends the statement at `at`; s.len at the end, SIZE_MAX when it has none. */
static size_t statement_end(struct ark_str s, size_t at)
{
	int depth = 0;
	while (at < s.len) {
		size_t behind = behind_hidden(s, at);
		if (behind != at) {
			if (behind == SIZE_MAX)
				return SIZE_MAX;
			at = behind;
			continue;
		}
		char c = s.ptr[at];
		depth += c == '(' ? 1 : c == ')' ? -1 : 0;
		if (c == ';' && depth <= 0)
			return at;
		at++;
	}
	return s.len;
}

/* Without comments and blanks in front. */
static struct ark_str without_comments(struct ark_str s)
{
	for (;;) {
		s = ark_str_trim(s);
		if (!ark_str_starts(s, ARK_LIT("--")))
			return s;
		size_t end = ark_str_find(s, '\n', 0);
		s = end == SIZE_MAX ? ark_str_from(s, s.len) : ark_str_from(s, end + 1);
	}
}

/* --- what it does ------------------------------------------------------------------------------------- */

static struct ark_str blanks(struct ark_str s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\n' || s.ptr[0] == '\t'))
		s = ark_str_from(s, 1);
	return s;
}

/* Takes `word` and the blanks behind it off the front. */
static bool take(struct ark_str *s, struct ark_str word)
{
	if (!ark_str_starts(*s, word) || (s->len > word.len && is_word(word.ptr[word.len - 1]) && is_word(s->ptr[word.len])))
		return false;
	*s = blanks(ark_str_from(*s, word.len));
	return true;
}

/* A name, plain or in quotes; `plain` is what it means. */
static bool take_name(struct ark_str *s, struct ark_pool *pool, struct ark_str *plain)
{
	if (s->len > 0 && s->ptr[0] == '"') {
		size_t end = 0;
		char *text = ark_pool_take(pool, s->len + 1);
		size_t len = 0;
		for (end = 1; end < s->len; end++) {
			if (s->ptr[end] == '"' && (end + 1 == s->len || s->ptr[end + 1] != '"'))
				break;
			end += s->ptr[end] == '"';
			text[len++] = s->ptr[end];
		}
		if (end >= s->len || len == 0)
			return false;
		*plain = ark_str_n(text, len);
		*s = ark_str_from(*s, end + 1);
		return true;
	}
	size_t len = 0;
	while (len < s->len && is_word(s->ptr[len]))
		len++;
	*plain = ark_str_first(*s, len);
	*s = ark_str_from(*s, len);
	return len > 0;
}

static bool take_table(struct ark_str *s, struct ark_pool *pool, struct ark_str *schema, struct ark_str *table)
{
	if (!take_name(s, pool, schema) || s->len == 0 || s->ptr[0] != '.')
		return false;
	*s = ark_str_from(*s, 1);
	if (!take_name(s, pool, table))
		return false;
	*s = blanks(*s);
	return true;
}

static struct script_item *add(struct script *out, enum script_kind kind, struct ark_str sql)
{
	out->items = ark_realloc(out->items, out->count + 1, sizeof(*out->items));
	struct script_item *item = &out->items[out->count++];
	*item = (struct script_item){ .kind = kind, .sql = ark_pool_str(&out->pool, sql).ptr };
	return item;
}

static bool read_index(struct ark_str sql, struct script *out)
{
	struct ark_str s = sql, name, schema, table;
	if (!take(&s, ARK_LIT("CREATE")))
		return false;
	(void)take(&s, ARK_LIT("UNIQUE"));
	if (!take(&s, ARK_LIT("INDEX")) || !take_name(&s, &out->pool, &name))
		return false;
	s = blanks(s);
	if (!take(&s, ARK_LIT("ON")))
		return false;
	(void)take(&s, ARK_LIT("ONLY"));
	if (!take_table(&s, &out->pool, &schema, &table))
		return false;
	struct script_item *item = add(out, SCRIPT_INDEX, sql);
	item->schema = ark_pool_str(&out->pool, schema);
	item->table = ark_pool_str(&out->pool, table);
	item->full_text = ark_str_starts(s, ARK_LIT("USING gin"));
	return true;
}

/* ALTER TABLE ONLY a.b ADD CONSTRAINT c PRIMARY KEY|UNIQUE (d, e), and nothing behind it. */
static bool read_key(struct ark_str sql, script_plain_fn *plain, void *ctx, struct script *out)
{
	struct ark_str s = sql, schema, table, ignored;
	if (!take(&s, ARK_LIT("ALTER")) || !take(&s, ARK_LIT("TABLE")) || !take(&s, ARK_LIT("ONLY")))
		return false;
	struct ark_str table_text = s;
	if (!take_table(&s, &out->pool, &schema, &table) || !plain(ctx, schema, table))
		return false;
	table_text = ark_str_trim(ark_str_first(table_text, (size_t)(s.ptr - table_text.ptr)));
	if (!take(&s, ARK_LIT("ADD")) || !take(&s, ARK_LIT("CONSTRAINT")))
		return false;
	struct ark_str name = s;
	if (!take_name(&s, &out->pool, &ignored))
		return false;
	name = ark_str_first(name, (size_t)(s.ptr - name.ptr));
	s = blanks(s);
	bool primary = take(&s, ARK_LIT("PRIMARY")) && take(&s, ARK_LIT("KEY"));
	if ((!primary && !take(&s, ARK_LIT("UNIQUE"))) || s.len == 0 || s.ptr[0] != '(' ||
	    ark_str_find(s, ')', 0) != s.len - 1)
		return false;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_SQL);
	ark_buf_fmt(&text, "CREATE UNIQUE INDEX %.*s ON %.*s USING btree %.*s", ARK_FMT(name), ARK_FMT(table_text), ARK_FMT(s));
	struct script_item *item = add(out, SCRIPT_INDEX, ark_buf_view(&text));
	item->schema = ark_pool_str(&out->pool, schema);
	item->table = ark_pool_str(&out->pool, table);
	ark_buf_reset(&text);
	ark_buf_fmt(&text, "ALTER TABLE ONLY %.*s ADD CONSTRAINT %.*s %s USING INDEX %.*s", ARK_FMT(table_text), ARK_FMT(name),
	            primary ? "PRIMARY KEY" : "UNIQUE", ARK_FMT(name));
	add(out, SCRIPT_LATER, ark_buf_view(&text));
	return true;
}

static void read_statement(struct ark_str sql, script_plain_fn *plain, void *ctx, struct script *out)
{
	/* where an index lies is this server's business */
	if (sql.len == 0 || ark_str_starts(sql, ARK_LIT("SET default_tablespace")))
		return;
	if (ark_str_starts(sql, ARK_LIT("SET ")) || ark_str_starts(sql, ARK_LIT("SELECT pg_catalog.set_config(")))
		add(out, SCRIPT_SETTING, sql);
	else if (!read_index(sql, out) && !read_key(sql, plain, ctx, out))
		add(out, SCRIPT_LATER, sql);
}

enum ark_rc script_read(struct ark_str text, script_plain_fn *plain, void *ctx, struct script *out,
                        struct ark_err *err)
{
	*out = (struct script){ 0 };
	for (size_t at = 0; at < text.len;) {
		size_t end = statement_end(text, at);
		struct ark_str sql = without_comments(ark_str_n(text.ptr + at, (end == SIZE_MAX ? text.len : end) - at));
		if (end == SIZE_MAX || (end == text.len && sql.len > 0)) {
			script_release(out);
			return ark_err_set(err, ARK_KIND_INPUT, "the schema's second part ends within a statement");
		}
		read_statement(sql, plain, ctx, out);
		at = end + 1;
	}
	return ARK_OK;
}

void script_release(struct script *s)
{
	free(s->items);
	ark_pool_release(&s->pool);
	*s = (struct script){ 0 };
}

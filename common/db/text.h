/*
 * Text as SQL and COPY want it. Needs no connection: db_open sets standard_conforming_strings.
 */
#ifndef ARK_DB_TEXT_H
#define ARK_DB_TEXT_H

#include "common/base/buf.h"
#include "common/base/str.h"

/* A name between double quotes. */
void db_ident(struct ark_buf *out, struct ark_str name);
/* A string literal. */
void db_literal(struct ark_buf *out, struct ark_str text);

/* An array literal: begin, items, end. */
static inline void db_array_begin(struct ark_buf *out)
{
	ark_buf_c(out, '{');
}
void db_array_item(struct ark_buf *out, struct ark_str text); /* NONE: NULL */
static inline void db_array_end(struct ark_buf *out)
{
	ark_buf_c(out, '}');
}

/*
 * One value of COPY's text format: backslash, tab, line feed and carriage return are escaped, the
 * rest is copied in runs. `text` must be UTF-8 without U+0000 (ark_utf8_clean).
 * Fact  docs/mattermost-facts.md "Loading rules"
 */
void db_copy_text(struct ark_buf *out, struct ark_str text);
static inline void db_copy_null(struct ark_buf *out)
{
	ark_buf_add(out, "\\N", 2);
}

#endif

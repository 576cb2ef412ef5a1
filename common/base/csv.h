/*
 * CSV: writing cells that are safe in spreadsheets, and reading what people and spreadsheets made: RFC 4180, with or without BOM, lines ending in LF, CRLF
 * or CR, separated by comma, semicolon or tab, whichever the first line has most of.
 */
#ifndef ARK_BASE_CSV_H
#define ARK_BASE_CSV_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/pool.h"

struct ark_csv {
	struct ark_str text;
	size_t at;
	uint64_t line; /* on which the last record began, from 1 */
	uint64_t next_line;
	char separator;
};

void ark_csv_begin(struct ark_csv *c, struct ark_str text);

/*
 * The next record that is not an empty line. Cells without their quotes, NUL-ended, taken from `keep`;
 * *count is at most `cap`, what is behind is passed over. ARK_END at the end; FAIL with kind INPUT for
 * a quote that is not closed.
 */
enum ark_rc ark_csv_next(struct ark_csv *c, struct ark_pool *keep, struct ark_str *cells, size_t cap,
                         size_t *count, struct ark_err *err);

/* Without the apostrophe that keeps spreadsheets from taking a cell for a formula. */
struct ark_str ark_csv_plain(struct ark_str cell);

/* --- writing --- */

/* Append a cell, RFC 4180: quoted where needed; what a spreadsheet would take for a formula gets an
 * apostrophe in front; NUL and bad UTF-8 are replaced. NONE is an empty cell. */
void ark_csv_cell(struct ark_buf *out, struct ark_str s);
/* The same for ids and user names: plain ones ([A-Za-z0-9._-] only) stay as they are, so that the
 * file can be read back. */
void ark_csv_name(struct ark_buf *out, struct ark_str s);

#endif

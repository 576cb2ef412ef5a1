/*
 * Comparing what a query gives with a tab-separated file of the repository: as sets of lines, so that
 * each line that is missing or too many is shown. And reading such a file row by row.
 */
#ifndef ARK_TESTS_TSV_H
#define ARK_TESTS_TSV_H

#include <stdio.h>
#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "tests/harness/pg.h"

struct tsv {
	char *text;
	size_t len;
	size_t at;
};

static inline void tsv_close(struct tsv *t)
{
	free(t->text);
	*t = (struct tsv){ 0 };
}

/* `path` below the source tree; the first line (names of columns) is skipped. */
static inline void tsv_open(struct tsv *t, const char *path)
{
	char full[4096];
	const char *root = getenv("ARK_SOURCE_ROOT");
	snprintf(full, sizeof(full), "%s/%s", root != NULL ? root : ".", path);
	FILE *f = fopen(full, "rb");
	if (f == NULL) {
		printf("Bail out! cannot open %s\n", full);
		exit(1);
	}
	t->text = ark_malloc(1u << 20);
	t->len = fread(t->text, 1, 1u << 20, f);
	t->at = 0;
	fclose(f);
	while (t->at < t->len && t->text[t->at++] != '\n')
		;
}

static inline bool tsv_line(struct tsv *t, struct ark_str *line)
{
	struct ark_str all = { t->text, t->len };
	if (t->at >= t->len)
		return false;
	size_t end = ark_str_find(all, '\n', t->at);
	if (end > t->len)
		end = t->len;
	*line = ark_str_n(t->text + t->at, end - t->at);
	t->at = end + 1;
	return true;
}

/* The n-th field of a line. */
static inline struct ark_str tsv_field(struct ark_str line, size_t n)
{
	for (; n > 0; n--) {
		size_t tab = ark_str_find(line, '\t', 0);
		line = ark_str_from(line, tab < line.len ? tab + 1 : line.len);
	}
	size_t tab = ark_str_find(line, '\t', 0);
	return ark_str_first(line, tab);
}

#define CHECK_TSV(conn, sql, path) tsv_compare(__FILE__, __LINE__, conn, sql, path)

static inline void tsv_compare(const char *file, int line_no, struct db_conn *conn, const char *sql,
                               const char *path)
{
	struct ark_err err = { 0 };
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(tsv_close) struct tsv t = { 0 };
	ark_auto(ark_map_release) struct ark_map have = { 0 };
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 100000);
	tsv_open(&t, path);
	if (db_query(conn, sql, DB_NO_PARAMS, &res, &err) < 0) {
		tap_bad = 1;
		printf("# %s:%d: %s\n", file, line_no, err.text);
		return;
	}
	for (size_t row = 0; row < db_rows(res); row++) {
		ark_buf_reset(&b);
		for (size_t col = 0; col < db_cols(res); col++) {
			if (col > 0)
				ark_buf_c(&b, '\t');
			ark_buf_str(&b, db_value(res, row, col));
		}
		ark_map_put(&have, ark_buf_view(&b), 1);
	}
	size_t lines = 0;
	for (struct ark_str line; tsv_line(&t, &line); lines++) {
		if (ark_map_get(&have, line) == ARK_MAP_NONE) {
			tap_bad = 1;
			printf("# %s:%d: not there: %.*s\n", file, line_no, ARK_FMT(line));
		}
		ark_map_put(&have, line, 2);
	}
	for (uint32_t i = 0; i < have.count; i++)
		if (have.entries[i].value == 1) {
			tap_bad = 1;
			printf("# %s:%d: too many: %.*s\n", file, line_no, ARK_FMT(ark_map_key(&have, i)));
		}
	if (lines == 0) {
		tap_bad = 1;
		printf("# %s:%d: %s is empty\n", file, line_no, path);
	}
}

#endif

#include "import/load/mapfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/csv.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include "common/base/banned.h"

#define COLUMNS_MAX 64

static void file_closep(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

enum ark_rc mapfile_read(const char *path, const char *key_column, const char *value_column,
                         struct mapfile *out, struct ark_err *err)
{
	ark_auto(file_closep) FILE *f = fopen(path, "re");
	if (f == NULL)
		return errno == ENOENT ? ark_err_set(err, ARK_KIND_MISSING, "there is no file '%s'", path)
		                       : ark_err_errno(err, errno, "cannot read '%s'", path);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_MAP_FILE);
	for (;;) {
		char block[65536];
		size_t n = fread(block, 1, sizeof(block), f);
		ark_buf_add(&text, block, n);
		if (ferror(f))
			return ark_err_errno(err, errno, "cannot read '%s'", path);
		if (n < sizeof(block))
			break;
	}
	enum ark_rc rc = ark_buf_ok(&text, path, err);
	return rc < 0 ? rc : mapfile_parse(ark_buf_view(&text), path, key_column, value_column, out, err);
}

void mapfile_release(struct mapfile *m)
{
	free(m->rows);
	ark_map_release(&m->by_key);
	ark_pool_release(&m->strings);
	*m = (struct mapfile){ 0 };
}

struct mapfile_row *mapfile_find(const struct mapfile *m, struct ark_str key)
{
	uint32_t at = ark_map_get(&m->by_key, key);
	return at == ARK_MAP_NONE ? NULL : &m->rows[at];
}

static size_t column(const struct ark_str *cells, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (ark_str_eqz(ark_str_trim(cells[i]), name))
			return i;
	return SIZE_MAX;
}

static enum ark_rc add(struct mapfile *m, struct ark_str key, struct ark_str value, uint64_t line,
                       const char *path, struct ark_err *err)
{
	key = ark_str_trim(ark_csv_plain(key));
	value = ark_str_trim(ark_csv_plain(value));
	if (key.len == 0 || value.len == 0)
		return ARK_OK;
	if (!ark_utf8_valid(key) || !ark_utf8_valid(value))
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' line %llu: not UTF-8", path, (unsigned long long)line);
	const struct mapfile_row *there = mapfile_find(m, key);
	if (there != NULL && ark_str_eq(there->value, value))
		return ARK_OK;
	if (there != NULL)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' line %llu: '%.*s' is '%.*s' here and '%.*s' in line %llu",
		                   path, (unsigned long long)line, ARK_FMT(key), ARK_FMT(value),
		                   ARK_FMT(there->value), (unsigned long long)there->line);
	if ((m->count & (m->count - 1)) == 0)
		m->rows = ark_realloc(m->rows, m->count == 0 ? 1 : (size_t)m->count * 2, sizeof(*m->rows));
	ark_map_put(&m->by_key, key, m->count);
	m->rows[m->count++] = (struct mapfile_row){ .key = key, .value = value, .line = line };
	return ARK_OK;
}

static enum ark_rc parse(struct ark_str text, const char *path, const char *key_column,
                         const char *value_column, struct mapfile *m, struct ark_err *err)
{
	struct ark_csv csv;
	struct ark_str cells[COLUMNS_MAX];
	size_t count = 0;
	ark_csv_begin(&csv, text);
	enum ark_rc rc = ark_csv_next(&csv, &m->strings, cells, COLUMNS_MAX, &count, err);
	size_t key = rc == ARK_OK ? column(cells, count, key_column) : SIZE_MAX;
	size_t value = rc == ARK_OK ? column(cells, count, value_column) : SIZE_MAX;
	if (rc >= 0 && (key == SIZE_MAX || value == SIZE_MAX)) {
		ark_err_set(err, ARK_KIND_INPUT, "'%s' has no column '%s'", path,
		            key == SIZE_MAX ? key_column : value_column);
		ark_err_hint(err, "its first line must name the columns %s and %s", key_column, value_column);
		return ARK_FAIL;
	}
	while (rc == ARK_OK) {
		rc = ark_csv_next(&csv, &m->strings, cells, COLUMNS_MAX, &count, err);
		if (rc == ARK_OK && key < count && value < count)
			rc = add(m, cells[key], cells[value], csv.line, path, err);
		else if (rc == ARK_FAIL)
			return ark_err_in(err, rc, "'%s'", path);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc mapfile_parse(struct ark_str text, const char *path, const char *key_column,
                          const char *value_column, struct mapfile *out, struct ark_err *err)
{
	struct mapfile m = { 0 };
	enum ark_rc rc = parse(text, path, key_column, value_column, &m, err);
	if (rc < 0)
		mapfile_release(&m);
	else
		*out = m;
	return rc;
}

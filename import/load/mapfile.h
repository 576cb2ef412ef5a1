/*
 * A CSV file that says what becomes of what: `--users` (slack_id, mattermost_username) and `--team-map`
 * (workspace, team). The columns are found by their names in the first line, others are passed over.
 */
#ifndef IMPORT_LOAD_MAPFILE_H
#define IMPORT_LOAD_MAPFILE_H

#include "common/base/err.h"
#include "common/base/map.h"
#include "common/base/pool.h"

struct mapfile_row {
	struct ark_str key, value;
	uint64_t line;
};

struct mapfile {
	struct mapfile_row *rows; /* in the order of the file; a row with an empty value decides nothing and
	                             is left out */
	uint32_t count;
	struct ark_map by_key;
	struct ark_pool strings;
};

/*
 * FAIL: MISSING, IO; INPUT with the line: no such columns, a quote that is not closed, two different
 * values for one key; LIMIT.
 */
enum ark_rc mapfile_read(const char *path, const char *key_column, const char *value_column,
                         struct mapfile *out, struct ark_err *err);
/* The same from memory; `path` for messages. */
enum ark_rc mapfile_parse(struct ark_str text, const char *path, const char *key_column,
                          const char *value_column, struct mapfile *out, struct ark_err *err);
void mapfile_release(struct mapfile *m); /* an empty one, `= {0}`, too */
/* NULL when nothing is said. */
struct mapfile_row *mapfile_find(const struct mapfile *m, struct ark_str key);

#endif

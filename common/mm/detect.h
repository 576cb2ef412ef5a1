/*
 * What an existing database is: Mattermost's or not, and what its tables have. Tools build their
 * statements from the columns that are there (mm_has_column) instead of believing version numbers,
 * which back-ports made unreliable.
 *
 * Fact  docs/mattermost-facts.md "Schema versions"; fixtures/mattermost/schema
 */
#ifndef ARK_MM_DETECT_H
#define ARK_MM_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/db/conn.h"

struct mm_db_info;

/*
 * Look at the first schema of search_path. Any content will do, also none: the questions below say
 * what it is. FAIL with kind REFUSED when search_path names no schema that exists.
 */
enum ark_rc mm_detect(struct db_conn *conn, struct mm_db_info **out, struct ark_err *err);
void mm_db_info_free(struct mm_db_info *info); /* NULL is fine */
void mm_db_info_freep(struct mm_db_info **info); /* for ark_auto */

/* No table at all. */
bool mm_db_is_empty(const struct mm_db_info *info);
bool mm_has_table(const struct mm_db_info *info, const char *table);
bool mm_has_column(const struct mm_db_info *info, const char *table, const char *column);
/* Characters that a varchar(n) column takes; 0 when it is not there or has no such limit. */
size_t mm_column_length(const struct mm_db_info *info, const char *table, const char *column);

/*
 * May tools write posts, people, channels and what belongs to them? REFUSED when
 * - there are no Mattermost tables, or one lacks a column that every release from 7.8 on has,
 * - one of these tables has a column unknown here that must be written (NOT NULL, no default),
 * - the database is not in UTF8.
 * The text names table and column.
 */
enum ark_rc mm_db_usable(const struct mm_db_info *info, struct ark_err *err);
/* What is unusual but no reason to refuse: newer than known here, another search language. */
size_t mm_db_warning_count(const struct mm_db_info *info);
const char *mm_db_warning(const struct mm_db_info *info, size_t n); /* borrowed */

/* Longest message, in runes: a quarter of the column's width, MM_POST_RUNES_MIN at least. */
size_t mm_db_post_runes(const struct mm_db_info *info);
/* Greatest number in db_migrations, for messages only; 0 when there is none. */
int64_t mm_db_level(const struct mm_db_info *info);

#endif

/* What embed_sql.py makes of the SQL files. Not for other rooms. */
#ifndef ARK_MM_SCHEMA_SQL_H
#define ARK_MM_SCHEMA_SQL_H

#include "common/mm/schema.h"

extern const char MM_SQL_TABLES[];
extern const char MM_SQL_VIEWS[];
extern const char MM_SQL_FINISH[];
extern const struct mm_index MM_INDEXES[];
extern const size_t MM_INDEX_COUNT;

#endif

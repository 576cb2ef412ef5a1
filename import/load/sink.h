/*
 * Rows on their way into tables, as COPY text. A table is either open on a connection of its own
 * (rows go there at once) or waits in a spool until sink_flush loads it. Columns that the database
 * does not have are left out, so one writer serves all schema levels.
 *
 * In a run over what was imported before nearly every message is known, and the same. Rows of such are not
 * made (sink_known); or, where there are too many to remember, the server gets a digest of each post first
 * (SINK_SEEN), says which are new or different, and only their rows follow out of the spools: sink_narrow.
 */
#ifndef IMPORT_LOAD_SINK_H
#define IMPORT_LOAD_SINK_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/db/conn.h"
#include "common/io/spool.h"
#include "import/load/known.h"

enum sink_table {
	SINK_TEAMS, SINK_USERS, SINK_BOTS, SINK_TEAMMEMBERS, SINK_CHANNELS, SINK_PUBLICCHANNELS,
	SINK_CHANNELMEMBERS, SINK_CHANNELMEMBERHISTORY, SINK_POSTS, SINK_REACTIONS, SINK_THREADS,
	SINK_THREADMEMBERSHIPS, SINK_PREFERENCES, SINK_SIDEBARCATEGORIES,
	SINK_ARK_POST, SINK_ARK_REACTION, SINK_ARK_USER, SINK_ARK_CHANNEL, SINK_ARK_FILE,
	SINK_KEPT, /* tables that stay are below it */
	SINK_RENAME = SINK_KEPT, SINK_SEEN,
	SINK_TABLES,
};

enum sink_mode {
	SINK_DIRECT,        /* all rows go into the tables themselves */
	SINK_STAGED_PEOPLE, /* messages, reactions, threads directly; the rest is staged */
	SINK_NOWHERE,       /* rows are made and forgotten: to see what would happen, to measure */
	SINK_STAGED,        /* everything is staged in temporary tables ark_stage_<name> */
};

#define SINK_COLUMNS_MAX 40

struct sink_stream {
	const char *table;          /* where COPY goes: schema-qualified, quoted as needed */
	const char *const *columns; /* NULL-ended */
	bool present[SINK_COLUMNS_MAX];
	struct ark_buf rows;
	size_t row_at;              /* where the row under way starts */
	unsigned column;            /* of the row under way */
	bool first;
	uint64_t count;
	bool freeze;                /* the table is emptied in the transaction that fills it */
	bool marked;                /* its rows are spooled with the number of the post they belong to */
	struct db_conn *conn;       /* open for COPY now; NULL: spooled */
	struct io_spool spool;
};

struct sink {
	struct sink_stream streams[SINK_TABLES];
	const char *temp_dir;
	enum sink_mode mode;
	struct known *known;        /* see sink_known; NULL: nothing */
	struct known *members;      /* who was a member before; NULL: not known */
	bool narrow;                /* see sink_narrow */
	uint32_t post_no;           /* of the post whose rows are being written, from 1 */
	uint8_t *wanted;            /* a bit for each post */
	enum ark_rc rc;             /* sticks; asked by sink_ok */
	struct ark_err err;
};

/* Which columns of Mattermost's tables there are: true for all that `has` affirms. matterark's own
 * tables always have theirs. */
void sink_init(struct sink *s, const char *temp_dir, enum sink_mode mode,
               bool (*has)(void *ctx, const char *table, const char *column), void *ctx);
void sink_release(struct sink *s);
/* Is this column there? A name that the table's list does not have is a bug. */
bool sink_has(const struct sink *s, enum sink_table table, const char *column);
/* From the beginning: what is known and the same is not wanted, nor memberships that are known (NULL: none are).
 * The sink's from now on. */
void sink_known(struct sink *s, struct known *posts, struct known *members);
/* From the beginning: posts and what hangs on them wait until sink_choose. */
void sink_narrow(struct sink *s);
/* SINK_SEEN is staged: which posts are new or say something else than slack_post knows? Rows of all
 * others are left out by sink_flush. */
enum ark_rc sink_choose(struct sink *s, struct db_conn *conn, struct ark_err *err);
/* The rows that follow are those of another post; `source` is its digest, also as hexadecimal digits.
 * False: none of them is wanted. */
bool sink_post(struct sink *s, const char *id, const uint8_t source[KNOWN_DIGEST], struct ark_str hex);
/* False: the row of this membership is not wanted. */
bool sink_member(const struct sink *s, const char *channel, const char *user);
/* The table that rows of this kind end up in. */
const char *sink_target(enum sink_table table);
/* CREATE TEMP TABLE for each staged stream, appended to `sql`. */
void sink_stage_sql(const struct sink *s, struct ark_buf *sql);

/* From now on rows of this table go to `conn`, which does nothing else until sink_close. */
enum ark_rc sink_open(struct sink *s, enum sink_table table, struct db_conn *conn,
                      struct ark_err *err);
/* End the COPY of an open table. */
enum ark_rc sink_close(struct sink *s, enum sink_table table, struct ark_err *err);
/* Load what was spooled for a table over `conn`. */
enum ark_rc sink_flush(struct sink *s, enum sink_table table, struct db_conn *conn,
                       struct ark_err *err);
/* The first error that happened while rows were added. */
enum ark_rc sink_ok(const struct sink *s, struct ark_err *err);

/* One row: begin, every column in the order of the table's list, end. */
void sink_begin(struct sink *s, enum sink_table table);
void sink_str(struct sink *s, enum sink_table table, struct ark_str value); /* NONE: NULL */
void sink_z(struct sink *s, enum sink_table table, const char *value);      /* NULL: NULL */
void sink_i64(struct sink *s, enum sink_table table, int64_t value);
void sink_bool(struct sink *s, enum sink_table table, bool value);
/* Straight into the row, already fit for COPY; the returned buffer is written to behind the tab. NULL
 * when the column is not there. */
struct ark_buf *sink_raw(struct sink *s, enum sink_table table);
void sink_end(struct sink *s, enum sink_table table);

#endif

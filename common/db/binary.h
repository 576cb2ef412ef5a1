/*
 * Rows of COPY (...) TO STDOUT (FORMAT binary): no unescaping, numbers as they are.
 *
 *	struct db_binary rows = { 0 };
 *	rc = db_copy_out_begin(conn, "COPY (SELECT id, createat FROM posts) TO STDOUT (FORMAT binary)", err);
 *	struct ark_str f[2];
 *	while (rc == ARK_OK && (rc = db_binary_next(&rows, conn, f, 2, err)) == ARK_OK)
 *		use(f[0], db_binary_i64(f[1]));
 *
 * Fact  PostgreSQL manual, COPY "Binary Format": signature, flags, extension; per row a count of
 *       fields and per field its length (-1: NULL); numbers in network byte order
 */
#ifndef ARK_DB_BINARY_H
#define ARK_DB_BINARY_H

#include "common/db/conn.h"

struct db_binary {
	bool begun;          /* the header has been read */
	struct ark_str rest; /* of the piece that the connection lends */
};

/*
 * The next row; its fields are borrowed until the next call, NULL is ARK_STR_NONE.
 * ARK_END behind the last; STOP with kind DB when there are not `count` fields or the data are cut.
 */
enum ark_rc db_binary_next(struct db_binary *b, struct db_conn *conn, struct ark_str *fields,
                           size_t count, struct ark_err *err);

/* The row as it came, for keeping: same rules. Take it apart with db_binary_split. */
enum ark_rc db_binary_raw(struct db_binary *b, struct db_conn *conn, struct ark_str *row,
                          struct ark_err *err);
bool db_binary_split(struct ark_str row, struct ark_str *fields, size_t count);

/* Values of fields; NULL is 0, false, "". A field of another width is 0 too. */
int64_t db_binary_i64(struct ark_str field); /* bigint, integer, smallint */
bool db_binary_bool(struct ark_str field);
struct ark_str db_binary_text(struct ark_str field);
/* Without the version byte in front. */
struct ark_str db_binary_jsonb(struct ark_str field);

#endif

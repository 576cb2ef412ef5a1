/*
 * Data source names: what people and Mattermost's configuration say, as libpq understands it.
 *
 * Mattermost's driver is not libpq. Its own parameters (binary_parameters and two more) are dropped;
 * a parameter that libpq does not know is a server setting there and becomes `options=-c key=value`;
 * the last '@' ends the password; what it assumes when something is not said is spelled out.
 * Fact  docs/mattermost-facts.md "Data source names"
 */
#ifndef ARK_DB_DSN_H
#define ARK_DB_DSN_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"

#define DB_DSN_KEYS 64 /* different parameters in one name; more: usage error */

struct db_dsn;

enum db_dsn_kind {
	DB_DSN_LIBPQ,      /* what is not said is as libpq has it */
	DB_DSN_MATTERMOST, /* what is not said is as Mattermost's driver has it: sslmode require,
	                      host localhost (PGSSLMODE and PGHOST go before); '+' in the query part
	                      of a URI is a blank */
};

/*
 * text  URI (postgres://, postgresql://) or key=value text
 * FAIL with kind USAGE when it is neither; the error never quotes the text.
 */
enum ark_rc db_dsn_parse(struct ark_str text, enum db_dsn_kind kind, struct db_dsn **out,
                         struct ark_err *err);
void db_dsn_free(struct db_dsn *dsn); /* NULL is fine */
void db_dsn_freep(struct db_dsn **dsn); /* for ark_auto */

/* Value of a libpq keyword ("host", "port", "dbname", "user", ...), NUL-ended, borrowed until the
 * next set; NONE when the name does not say it. */
struct ark_str db_dsn_part(const struct db_dsn *dsn, const char *key);
/* Set or replace; NONE removes. The key must be a libpq keyword. */
void db_dsn_set(struct db_dsn *dsn, const char *key, struct ark_str value);
/* Keywords and values for libpq, borrowed; returns how many (at most `cap`). */
size_t db_dsn_pairs(const struct db_dsn *dsn, const char **keys, const char **values, size_t cap);
/* key=value text for db_open, WITH the password: not for people. */
void db_dsn_text(const struct db_dsn *dsn, struct ark_buf *out);
/* The same for people: secrets show as ***. */
void db_dsn_masked(const struct db_dsn *dsn, struct ark_buf *out);

#endif

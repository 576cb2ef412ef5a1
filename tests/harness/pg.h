/*
 * The cluster that tests/harness/pg.sh started, for tests in C. Also test doubles of what a tool
 * would give to db_open.
 */
#ifndef ARK_TESTS_PG_H
#define ARK_TESTS_PG_H

#include <stdio.h>
#include <stdlib.h>

#include "common/db/conn.h"
#include "tests/harness/tap.h"

/* Its maintenance database; the test is skipped without a cluster. */
static inline const char *pg_dsn(void)
{
	const char *dsn = getenv("ARK_TEST_DSN");
	if (dsn == NULL) {
		printf("1..0 # SKIP no cluster; run through tests/harness/pg.sh\n");
		exit(0);
	}
	return dsn;
}

/* A connection to database `name` (NULL: postgres); the whole test ends when that fails. */
static inline struct db_conn *pg_open(const char *name)
{
	char dsn[1024];
	struct ark_err err = { 0 };
	struct db_conn *conn = NULL;
	snprintf(dsn, sizeof(dsn), "%s dbname=%s", pg_dsn(), name != NULL ? name : "postgres");
	if (db_open(dsn, &(struct db_options){ .app = "test" }, &conn, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return conn;
}

/* A new empty database, dropped first if it is there. */
static inline struct db_conn *pg_fresh(const char *name)
{
	char sql[256];
	struct ark_err err = { 0 };
	struct db_conn *conn = pg_open(NULL);
	snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS \"%s\"", name);
	enum ark_rc rc = db_exec(conn, sql, &err);
	snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\" TEMPLATE template0", name);
	if (rc == ARK_OK)
		rc = db_exec(conn, sql, &err);
	if (rc < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	db_close(conn);
	return pg_open(name);
}

/* CHECK that a call went well, else show its error. */
#define CHECK_OK(call)                                                                     \
	do {                                                                               \
		enum ark_rc rc_ = (call);                                                  \
		if (rc_ < 0) {                                                             \
			tap_bad = 1;                                                       \
			printf("# %s:%d: %s: %s\n", __FILE__, __LINE__, #call, err.text);  \
		}                                                                          \
	} while (0)

#endif

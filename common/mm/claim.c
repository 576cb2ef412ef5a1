#include "common/mm/claim.h"

#include <stdio.h>
#include <unistd.h>

#include "common/base/time.h"
#include "common/db/dsn.h"
#include "common/mm/schema.h"

#include "common/base/banned.h"

#define WAIT_MS 5000 /* the server looks for gone clients once a second; then it rolls back */
#define STEP_US 100000

/* Lock numbers as pg_locks shows them; $1 is the tool's lock. */
#define AS_OID(number) "((" number ")::bigint & 4294967295)::oid"
#define LOCKS "SELECT k.pid FROM pg_locks k WHERE k.locktype = 'advisory' AND k.objsubid = 2 AND k.granted " \
              "AND k.classid = " AS_OID("hashtext($1)")

enum ark_rc mm_claim_connect(const char *name, const char *maintenance_db, const struct db_options *opt,
                             struct db_conn **out, struct ark_err *err)
{
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 64u << 10);
	enum ark_rc rc = db_dsn_parse(ark_str_z(name), DB_DSN_LIBPQ, &dsn, err);
	if (rc < 0)
		return rc;
	db_dsn_set(dsn, "dbname", ark_str_z(maintenance_db != NULL ? maintenance_db : "postgres"));
	db_dsn_text(dsn, &text);
	return db_open(text.data, opt, out, err);
}

static enum ark_rc refuse(const struct mm_claim *kind, struct ark_str name, const struct db_result *holders,
                          struct ark_err *err)
{
	ark_err_set(err, ARK_KIND_LOCKED, "another %s database '%.*s' is running", kind->what, ARK_FMT(name));
	if (db_rows(holders) > 0)
		ark_err_hint(err, "wait for its end; it is the server's process %lld in pg_stat_activity",
		             (long long)db_i64(holders, 0, 0));
	else
		ark_err_hint(err, "wait for its end");
	return ARK_FAIL;
}

/* try  takes the lock or says no, $1 is the tool's lock, $2 the name */
static enum ark_rc claim(struct db_conn *conn, const struct mm_claim *kind, const char *try, struct ark_str name,
                         struct ark_err *err)
{
	static const char OTHERS[] = LOCKS " AND k.objid = " AS_OID("hashtext($2)") " AND k.pid <> pg_backend_pid()";
	struct ark_str lock = ark_str_z(kind->lock);
	for (int64_t end_ms = ark_time_tick_ms() + WAIT_MS;;) {
		ark_auto(db_result_freep) struct db_result *got = NULL;
		ark_auto(db_result_freep) struct db_result *others = NULL;
		enum ark_rc rc = db_query_one(conn, try, DB_PARAMS(lock, name), &got, err);
		if (rc == ARK_OK)
			rc = db_query(conn, OTHERS, DB_PARAMS(lock, name), &others, err);
		if (rc < 0 || (db_bool(got, 0, 0) && db_rows(others) == 0))
			return rc;
		if (ark_time_tick_ms() > end_ms)
			return refuse(kind, name, others, err);
		usleep(STEP_US);
	}
}

enum ark_rc mm_claim_name(struct db_conn *maintenance, const struct mm_claim *kind, struct ark_str name,
                          struct ark_err *err)
{
	return claim(maintenance, kind, "SELECT pg_try_advisory_lock(hashtext($1), hashtext($2))", name, err);
}

enum ark_rc mm_claim_database(struct db_conn *conn, const struct mm_claim *kind, struct ark_err *err)
{
	return claim(conn, kind, "SELECT pg_try_advisory_xact_lock(hashtext($1), hashtext($2))", db_name(conn), err);
}

enum ark_rc mm_claim_drop_rests(struct db_conn *maintenance, const struct mm_claim *kind, uint64_t *dropped,
                                struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	*dropped = 0;
	enum ark_rc rc = db_query(maintenance,
	                          "SELECT d.datname FROM pg_database d WHERE starts_with(d.datname, $2) AND NOT EXISTS ("
	                          LOCKS " AND k.objid = " AS_OID("hashtext(d.datname::text)") ")",
	                          DB_PARAMS(ark_str_z(kind->lock), ark_str_z(kind->prefix)), &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		struct ark_err ignored = { 0 };
		(void)db_run(maintenance,
		             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND "
		             "application_name = $2", DB_PARAMS(db_value(res, i, 0), ark_str_z(kind->app)), NULL, &ignored);
		enum ark_rc done = mm_database_drop(maintenance, db_value(res, i, 0), &ignored);
		*dropped += done == ARK_OK;
		if (done == ARK_STOP) {
			*err = ignored;
			return done;
		}
	}
	return rc;
}

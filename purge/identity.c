#include "purge/identity.h"

#include <stdio.h>
#include <string.h>

#include "common/base/banned.h"

static const struct {
	const char *key, *what;
	const char *sql; /* one row, one column, text; an error is "not known" */
} PARTS[] = {
	{ "system", "cluster", "SELECT system_identifier::text FROM pg_control_system()" },
	{ "name", "database", "SELECT current_database()::text" },
	{ "diagnostic_id", "installation", "SELECT value FROM systems WHERE name = 'DiagnosticId'" },
	{ "schema", "schema", "SELECT current_schema()::text" },
	{ "migration", "schema version", "SELECT max(version)::text FROM db_migrations" },
	{ "tables", "shape of the tables",
	  "SELECT md5(string_agg(c.relname || '.' || a.attname || '.' || a.atttypid::regtype, ',' ORDER BY c.relname COLLATE "
	  "\"C\", a.attname COLLATE \"C\")) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = "
	  "current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND c.relname IN "
	  "('posts', 'threads', 'reactions', 'fileinfo', 'channels')" },
};
#define PART_COUNT (sizeof(PARTS) / sizeof(PARTS[0]))

/* In a savepoint: what fails must not end the transaction. */
static enum ark_rc ask(struct db_conn *conn, size_t n, struct db_result **out, struct ark_err *err)
{
	struct ark_err why = { 0 };
	enum ark_rc rc = db_exec(conn, "SAVEPOINT identity", err);
	if (rc < 0)
		return rc;
	rc = db_query(conn, PARTS[n].sql, DB_NO_PARAMS, out, &why);
	if (rc == ARK_STOP) {
		*err = why;
		return rc;
	}
	return db_exec(conn, rc < 0 ? "ROLLBACK TO identity; RELEASE identity" : "RELEASE identity", err);
}

static struct ark_str value(const struct db_result *res)
{
	return res != NULL && db_rows(res) > 0 ? db_value(res, 0, 0) : ARK_STR_NONE;
}

enum ark_rc purge_identity_json(struct db_conn *conn, struct json_out *o, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < PART_COUNT && rc == ARK_OK; i++) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		rc = ask(conn, i, &res, err);
		if (rc == ARK_OK)
			json_out_text(o, PARTS[i].key, value(res));
	}
	return rc;
}

enum ark_rc purge_identity_check(struct db_conn *conn, const struct json_small *head, struct ark_err *err)
{
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	enum ark_rc rc = db_txn_begin(&txn, conn, "", err);
	for (size_t i = 0; i < PART_COUNT && rc == ARK_OK; i++) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		char path[64];
		snprintf(path, sizeof(path), "database.%s", PARTS[i].key);
		rc = ask(conn, i, &res, err);
		if (rc < 0)
			break;
		struct ark_str have = value(res), want = json_small_str(head, path);
		if (ark_str_has(have) == ark_str_has(want) && ark_str_eq(have, want))
			continue;
		ark_err_set(err, ARK_KIND_REFUSED, "the plan was made for another %s: '%.*s', and this is '%.*s'", PARTS[i].what,
		            ARK_FMT(want), ARK_FMT(have));
		ark_err_hint(err, "make a new plan here");
		return ARK_FAIL;
	}
	return rc;
}

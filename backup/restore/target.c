#include "backup/restore/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/source.h"
#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/mm/claim.h"
#include "common/mm/schema.h"

#include "common/base/banned.h"

#define DSN_MAX (64u << 10)
#define APP "matter-backup"
#define EMBEDDED_NAME "mattermost"
#define LEAVING_TRIES 20 /* a session that was ended needs a moment to go */
#define LEAVING_US 100000

static const struct mm_claim RESTORE = { "matterark restore", "matterark_restore_", APP, "restore of" };

/* --- opening ---------------------------------------------------------------------------------------- */

static enum ark_rc open_embedded(struct target *t, struct ark_err *err)
{
	struct db_embedded_options opt = { .dir = t->opt->embedded.text, .create = true, .interrupted = ark_interrupted,
		                           .scratch = t->opt->scratch_server };
	enum ark_rc rc = db_embedded_open(&opt, &t->embedded, err);
	if (rc == ARK_OK)
		rc = db_dsn_parse(db_embedded_dsn(t->embedded), DB_DSN_LIBPQ, &t->dsn, err);
	t->name = ark_strdupz(EMBEDDED_NAME);
	return rc;
}

static enum ark_rc read_name(struct target *t, struct ark_err *err)
{
	enum ark_rc rc = db_dsn_parse(ark_str_z(t->opt->database), DB_DSN_LIBPQ, &t->dsn, err);
	if (rc < 0)
		return ark_err_in(err, rc, "the target");
	struct ark_str name = db_dsn_part(t->dsn, "dbname");
	if (t->opt->scratch) {
		t->name = ark_strdupz("scratch");
		return ARK_OK;
	}
	if (!ark_str_has(name) || name.len == 0) {
		ark_err_set(err, ARK_KIND_USAGE, "the target names no database");
		ark_err_hint(err, "as in postgres://HOST/NAME; it is made by the restore");
		return ARK_FAIL;
	}
	t->name = ark_strdup(name);
	return ARK_OK;
}

static void copy_text(char *to, size_t size, struct ark_str from)
{
	snprintf(to, size, "%.*s", ARK_FMT(from));
}

enum ark_rc target_open(struct target *t, const struct target_options *opt, struct ark_err *err)
{
	*t = (struct target){ .opt = opt, .db = { .app = APP, .interrupted = ark_interrupted } };
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf dsn;
	ark_buf_init(&dsn, DSN_MAX);
	if (opt->database == NULL && !opt->embedded.given) {
		ark_err_set(err, ARK_KIND_USAGE, "it is not said into which database");
		ark_err_hint(err, "--to-database names it, --embedded makes a private one");
		return ARK_FAIL;
	}
	if (opt->database != NULL && opt->embedded.given)
		return ark_err_set(err, ARK_KIND_USAGE, "a database and --embedded are two targets");
	enum ark_rc rc = opt->embedded.given ? open_embedded(t, err) : read_name(t, err);
	if (rc < 0)
		return rc;
	db_dsn_text(t->dsn, &dsn);
	rc = mm_claim_connect(dsn.data, opt->embedded.given ? NULL : opt->maintenance_db, &t->db, &t->maintenance, err);
	if (rc == ARK_OK)
		rc = db_refuse_pooler(t->maintenance, "a restore", err);
	if (rc == ARK_OK)
		rc = db_query_one(t->maintenance, "SELECT system_identifier::text FROM pg_catalog.pg_control_system()", DB_NO_PARAMS,
		                  &res, err);
	if (rc == ARK_OK)
		copy_text(t->system_identifier, sizeof(t->system_identifier), db_value(res, 0, 0));
	return rc;
}

/* The maintenance connection was idle for as long as the load took; it may be gone when it is needed.
 * Clean-up goes on after an interruption, so this one is not interrupted. */
static struct db_conn *maintenance_again(struct target *t, struct db_conn **own)
{
	struct ark_err ignored = { 0 };
	ark_auto(ark_buf_release) struct ark_buf dsn;
	ark_buf_init(&dsn, DSN_MAX);
	db_shield(t->maintenance);
	if (db_alive(t->maintenance) && db_exec(t->maintenance, "SELECT 1", &ignored) == ARK_OK)
		return t->maintenance;
	struct db_options calm = { .app = APP };
	db_dsn_text(t->dsn, &dsn);
	return mm_claim_connect(dsn.data, t->opt->maintenance_db, &calm, own, &ignored) == ARK_OK ? *own : NULL;
}

void target_release(struct target *t)
{
	if (t->made) {
		ark_auto(db_closep) struct db_conn *own = NULL;
		struct db_conn *conn = maintenance_again(t, &own);
		struct ark_err ignored = { 0 };
		if (conn != NULL)
			(void)mm_database_drop(conn, ark_str_z(t->temp_name), &ignored);
	}
	db_close(t->maintenance);
	db_dsn_free(t->dsn);
	db_embedded_release(t->embedded);
	free(t->name);
	if (t->temp_dsn != NULL)
		explicit_bzero(t->temp_dsn, strlen(t->temp_dsn));
	free(t->temp_dsn);
	*t = (struct target){ 0 };
}

void target_text(const struct target *t, struct ark_buf *out)
{
	ark_buf_fmt(out, "database '%s' at %.*s", t->name, ARK_FMT(db_host(t->maintenance)));
}

/* --- what is there ------------------------------------------------------------------------------------- */

static enum ark_rc dsn_for(const struct target *t, const char *name, char **out, struct ark_err *err)
{
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, DSN_MAX);
	db_dsn_text(t->dsn, &text);
	enum ark_rc rc = db_dsn_parse(ark_buf_view(&text), DB_DSN_LIBPQ, &dsn, err);
	if (rc < 0)
		return rc;
	db_dsn_set(dsn, "dbname", ark_str_z(name));
	ark_buf_reset(&text);
	db_dsn_text(dsn, &text);
	rc = ark_buf_ok(&text, "the data source name", err);
	if (rc == ARK_OK)
		*out = ark_strdup(ark_buf_view(&text));
	return rc;
}

/* Anything that somebody made. */
static const char CONTENT_SQL[] =
    "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass "
    "AND d.objid = c.oid AND d.deptype = 'e')";

static const char SYSTEMS_SQL[] =
    "SELECT quote_ident(n.nspname) || '.systems' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
    "n.oid = c.relnamespace WHERE c.relname = 'systems' AND c.relkind = 'r' AND n.nspname <> 'matterark' ORDER BY 1";

/* DiagnosticId of whatever Mattermost is in the database; "" for none. */
static enum ark_rc read_identity(struct db_conn *conn, char *out, size_t size, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *places = NULL;
	out[0] = '\0';
	enum ark_rc rc = db_query(conn, SYSTEMS_SQL, DB_NO_PARAMS, &places, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(places) && out[0] == '\0'; i++) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		char sql[512];
		snprintf(sql, sizeof(sql), "SELECT value::text FROM %.*s WHERE name = 'DiagnosticId'", ARK_FMT(db_value(places, i, 0)));
		rc = db_query(conn, sql, DB_NO_PARAMS, &res, err);
		if (rc == ARK_FAIL)
			rc = ARK_OK; /* another table of that name */
		else if (rc == ARK_OK && db_rows(res) > 0)
			copy_text(out, size, db_value(res, 0, 0));
	}
	return rc;
}

/* Does the mark of a test installation hold? `why` says what is wrong when it does not. */
static enum ark_rc read_mark(struct target *t, struct db_conn *conn, const char *identity, char why[256],
                             struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *there = NULL, *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT pg_catalog.to_regclass('matterark.test_copy') IS NOT NULL", DB_NO_PARAMS,
	                              &there, err);
	snprintf(why, 256, "it does not carry the mark of a test installation");
	if (rc < 0 || !db_bool(there, 0, 0))
		return rc;
	rc = db_query(conn, "SELECT database_name, system_identifier, diagnostic_id FROM matterark.test_copy", DB_NO_PARAMS,
	              &res, err);
	if (rc < 0 || db_rows(res) == 0)
		return rc;
	if (db_rows(res) > 1)
		snprintf(why, 256, "it carries several marks of test installations");
	else if (!ark_str_eqz(db_value(res, 0, 1), t->system_identifier))
		snprintf(why, 256, "its mark was made on another server");
	else if (!ark_str_eqz(db_value(res, 0, 0), t->name))
		snprintf(why, 256, "its mark was made for the database '%.*s'", ARK_FMT(db_value(res, 0, 0)));
	else if (identity[0] == '\0' || !ark_str_eqz(db_value(res, 0, 2), identity))
		snprintf(why, 256, "its mark was made for another installation: DiagnosticId is not the same");
	else
		t->marked = true;
	return ARK_OK;
}

static enum ark_rc look_inside(struct target *t, const struct repo_contents *contents, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(db_result_freep) struct db_result *count = NULL;
	ark_auto(ark_freep) char *dsn = NULL;
	char why[256];
	enum ark_rc rc = dsn_for(t, t->name, &dsn, err);
	if (rc == ARK_OK)
		rc = db_open(dsn, &t->db, &conn, err);
	if (rc == ARK_OK)
		rc = db_query_one(conn, CONTENT_SQL, DB_NO_PARAMS, &count, err);
	if (rc < 0)
		return rc;
	t->empty = db_i64(count, 0, 0) == 0;
	if (t->empty)
		return ARK_OK;
	rc = read_identity(conn, t->diagnostic_id, sizeof(t->diagnostic_id), err);
	struct ark_str source = repo_source(contents, "diagnostic_id");
	if (rc == ARK_OK && ark_str_has(source) && source.len > 0 && ark_str_eqz(source, t->diagnostic_id))
		return ark_err_set(err, ARK_KIND_REFUSED, "database '%s' is the installation that the snapshot was taken from: "
		                   "it has the same DiagnosticId", t->name);
	if (rc == ARK_OK)
		rc = read_mark(t, conn, t->diagnostic_id, why, err);
	if (rc < 0)
		return rc;
	if (t->opt->production) {
		ark_err_set(err, ARK_KIND_REFUSED, "database '%s' is not empty", t->name);
		ark_err_hint(err, "production is restored into a database that is empty or not there");
		return ARK_FAIL;
	}
	if (t->marked)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_REFUSED, "database '%s' is not empty, and %s", t->name, why);
	ark_err_hint(err, "name a database that is not there; it is made");
	return ARK_FAIL;
}

static enum ark_rc check_server(struct target *t, const struct repo_contents *contents, struct ark_err *err)
{
	struct ark_str version = repo_source(contents, "server_version");
	uint64_t major = 0;
	int have = db_server_version(t->maintenance) / 10000;
	size_t digits = 0;
	while (digits < version.len && version.ptr[digits] >= '0' && version.ptr[digits] <= '9')
		digits++;
	if (ark_str_u64(ark_str_first(version, digits), &major) && (int)major > have)
		return ark_err_set(err, ARK_KIND_REFUSED, "the snapshot was taken from PostgreSQL %llu, the target is %d, which is older",
		                   (unsigned long long)major, have);
	if (t->opt->production || t->opt->scratch || !ark_str_eqz(repo_source(contents, "system_identifier"), t->system_identifier) ||
	    !ark_str_eqz(repo_source(contents, "database"), t->name))
		return ARK_OK;
	ark_err_set(err, ARK_KIND_REFUSED, "database '%s' on this server is the one that the snapshot was taken from", t->name);
	ark_err_hint(err, "a test installation needs another name; --production brings the real one back");
	return ARK_FAIL;
}

/* --production asks for the name of the host, so that nobody restores to the wrong one by a forgotten option. */
static enum ark_rc check_host(struct target *t, struct ark_err *err)
{
	char machine[256] = "";
	struct ark_str host = db_host(t->maintenance);
	const char *said = t->opt->confirm_host;
	gethostname(machine, sizeof(machine) - 1);
	bool local = db_is_local(t->maintenance);
	if (said != NULL && (ark_str_eqz(host, said) || (local && strcmp(machine, said) == 0)))
		return ARK_OK;
	if (said == NULL)
		ark_err_set(err, ARK_KIND_REFUSED, "production is restored only where --confirm-host names the host");
	else
		ark_err_set(err, ARK_KIND_REFUSED, "the database is not at '%s'", said);
	ark_err_hint(err, "it is at '%.*s'", ARK_FMT(local ? ark_str_z(machine) : host));
	return ARK_FAIL;
}

/* Somebody who works in what is about to go. A session that just ended may still be on the list. */
static enum ark_rc check_connections(struct target *t, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	for (int tries = 0;; tries++) {
		enum ark_rc rc = db_query_one(t->maintenance,
		                              "SELECT count(*), string_agg(DISTINCT coalesce(nullif(application_name, ''), 'unnamed'), ', ') "
		                              "FROM pg_catalog.pg_stat_activity WHERE datname = $1", DB_PARAMS(ark_str_z(t->name)), &res, err);
		if (rc < 0 || db_i64(res, 0, 0) == 0)
			return rc;
		if (tries == LEAVING_TRIES)
			break;
		db_result_freep(&res);
		usleep(LEAVING_US);
	}
	ark_err_set(err, ARK_KIND_REFUSED, "%lld connections to database '%s' are open (%.*s)", (long long)db_i64(res, 0, 0),
	            t->name, ARK_FMT(db_value(res, 0, 1)));
	ark_err_hint(err, "stop the server that uses it, or end them with --disconnect");
	return ARK_FAIL;
}

enum ark_rc target_check(struct target *t, const struct repo_contents *contents, struct ark_err *err)
{
	enum ark_rc rc = check_server(t, contents, err);
	if (rc < 0 || t->opt->scratch)
		return rc;
	if (t->opt->production)
		rc = check_host(t, err);
	if (rc == ARK_OK)
		rc = mm_database_exists(t->maintenance, ark_str_z(t->name), &t->exists, err);
	if (rc < 0 || !t->exists)
		return rc;
	rc = look_inside(t, contents, err);
	return rc == ARK_OK && !t->opt->disconnect ? check_connections(t, err) : rc;
}

enum ark_rc target_oid(struct target *t, const char *name, char out[16], struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	out[0] = '\0';
	enum ark_rc rc = db_query(t->maintenance, "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = $1",
	                          DB_PARAMS(ark_str_z(name)), &res, err);
	if (rc == ARK_OK && db_rows(res) > 0)
		snprintf(out, 16, "%.*s", ARK_FMT(db_value(res, 0, 0)));
	return rc;
}

/* --- making it --------------------------------------------------------------------------------------------- */

enum ark_rc target_make(struct target *t, struct ark_err *err)
{
	uint64_t dropped = 0;
	enum ark_rc rc = mm_claim_drop_rests(t->maintenance, &RESTORE, &dropped, err);
	if (rc == ARK_OK && !t->opt->scratch)
		rc = mm_claim_name(t->maintenance, &RESTORE, ark_str_z(t->name), err);
	snprintf(t->temp_name, sizeof(t->temp_name), "%s%lld_%d", RESTORE.prefix, (long long)ark_time_now_ms(),
	         db_backend_pid(t->maintenance));
	if (rc == ARK_OK)
		rc = mm_claim_name(t->maintenance, &RESTORE, ark_str_z(t->temp_name), err); /* says: it lives */
	if (rc == ARK_OK)
		rc = dsn_for(t, t->temp_name, &t->temp_dsn, err);
	if (rc < 0)
		return rc;
	if (ark_fail_step("make the database") != 0)
		return ark_err_stop(err, ARK_KIND_IO, "cannot make the database");
	t->made = true;
	rc = mm_database_create(t->maintenance, ark_str_z(t->temp_name),
	                        t->opt->owner != NULL ? ark_str_z(t->opt->owner) : ARK_STR_NONE, err);
	if (rc < 0 && strcmp(db_sqlstate(t->maintenance), "42501") == 0) /* insufficient_privilege */
		ark_err_hint(err, "a restore makes a database: the role needs CREATEDB");
	return rc < 0 ? rc : target_oid(t, t->temp_name, t->temp_oid, err);
}

/* Statements that give away what the load made; format() quotes every name. What belongs to something
 * else (an extension, a column) goes with that. */
static const char OWN_SQL[] =
    "WITH place AS (SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> "
    "'information_schema'), "
    "parts AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype IN ('a', 'i', 'e')) "
    "SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, $1::text) FROM place WHERE nspname <> 'public' UNION ALL "
    "SELECT format('ALTER %s %I.%I OWNER TO %I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW' "
    "WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, nspname, relname, $1::text) "
    "FROM pg_catalog.pg_class c JOIN place ON place.oid = relnamespace WHERE relkind IN ('r', 'p', 'm', 'v', 'S') "
    "AND NOT EXISTS (SELECT FROM parts WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid) UNION ALL "
    "SELECT format('ALTER TYPE %I.%I OWNER TO %I', nspname, typname, $1::text) FROM pg_catalog.pg_type t JOIN place ON "
    "place.oid = typnamespace WHERE (typtype IN ('e', 'd', 'r') OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE "
    "oid = typrelid AND relkind = 'c')) "
    "AND NOT EXISTS (SELECT FROM parts WHERE classid = 'pg_catalog.pg_type'::regclass AND objid = t.oid) UNION ALL "
    "SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, $1::text) FROM pg_catalog.pg_proc p JOIN place ON "
    "place.oid = pronamespace WHERE prokind <> 'a' "
    "AND NOT EXISTS (SELECT FROM parts WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = p.oid) UNION ALL "
    "SELECT format('ALTER LARGE OBJECT %s OWNER TO %I', oid, $1::text) FROM pg_catalog.pg_largeobject_metadata";

enum ark_rc target_own(struct target *t, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	if (t->opt->owner == NULL)
		return ARK_OK;
	enum ark_rc rc = db_open(t->temp_dsn, &t->db, &conn, err);
	if (rc == ARK_OK)
		rc = db_query(conn, OWN_SQL, DB_PARAMS(ark_str_z(t->opt->owner)), &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		ark_auto(ark_freep) char *sql = ark_strdup(db_value(res, i, 0));
		rc = db_exec(conn, sql, err);
	}
	return rc < 0 ? ark_err_in(err, rc, "owner '%s'", t->opt->owner) : rc;
}

/* What has the name makes room under another one: it comes back when the new one cannot have it. */
static enum ark_rc make_room(struct target *t, const char *aside, struct ark_err *err)
{
	if (t->opt->disconnect) {
		enum ark_rc rc = db_run(t->maintenance, "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
		                        "WHERE datname = $1", DB_PARAMS(ark_str_z(t->name)), NULL, err);
		if (rc < 0)
			return rc;
	}
	if (ark_fail_step("move the database before aside") != 0)
		return ark_err_stop(err, ARK_KIND_IO, "cannot move the database before aside");
	for (int tries = 0;; tries++) {
		enum ark_rc rc = mm_database_rename(t->maintenance, ark_str_z(t->name), ark_str_z(aside), err);
		if (rc == ARK_OK || err->kind != ARK_KIND_LOCKED || tries == LEAVING_TRIES)
			return rc;
		usleep(LEAVING_US);
	}
}

/* The commit. An answer that got lost on the way is asked for again. */
static enum ark_rc take_name(struct target *t, struct ark_err *err)
{
	struct ark_str from = ark_str_z(t->temp_name), to = ark_str_z(t->name);
	if (ark_fail_step("name the database") != 0)
		return ark_err_stop(err, ARK_KIND_IO, "cannot name the database");
	enum ark_rc rc = mm_database_rename(t->maintenance, from, to, err);
	t->made = rc < 0;
	if (rc == ARK_OK || db_alive(t->maintenance))
		return rc;
	ark_auto(db_closep) struct db_conn *own = NULL;
	struct db_conn *conn = maintenance_again(t, &own);
	struct ark_err again = { 0 };
	bool temp = true, done = false;
	if (conn == NULL || mm_database_exists(conn, from, &temp, &again) < 0 || mm_database_exists(conn, to, &done, &again) < 0) {
		ark_err_hint(err, "it is not known whether database '%s' got its name", t->name);
		return rc;
	}
	t->made = temp;
	return !temp && done ? ARK_OK : rc;
}

enum ark_rc target_publish(struct target *t, struct ark_err *err)
{
	bool exists = false;
	char aside[sizeof(t->temp_name) + 8];
	struct ark_err ignored = { 0 };
	if (!db_alive(t->maintenance) || db_exec(t->maintenance, "SELECT 1", err) < 0)
		return ark_err_set(err, ARK_KIND_DB, "the connection to the server was lost");
	snprintf(aside, sizeof(aside), "%s_before", t->temp_name); /* whose name says that it is a rest */
	enum ark_rc rc = mm_database_exists(t->maintenance, ark_str_z(t->name), &exists, err);
	if (rc == ARK_OK && exists != t->exists)
		return ark_err_set(err, ARK_KIND_REFUSED, "database '%s' was %s meanwhile", t->name, exists ? "made" : "dropped");
	if (rc == ARK_OK && exists)
		rc = make_room(t, aside, err);
	if (rc < 0)
		return rc;
	rc = take_name(t, err);
	if (!exists)
		return rc;
	db_shield(t->maintenance);
	if (rc < 0)
		(void)mm_database_rename(t->maintenance, ark_str_z(aside), ark_str_z(t->name), &ignored);
	else if (mm_database_drop(t->maintenance, ark_str_z(aside), &ignored) < 0)
		return ARK_OK; /* somebody looks into it: the next restore drops it */
	return rc;
}

/* --- for the server ------------------------------------------------------------------------------------------ */

static void percent(struct ark_buf *out, struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		             c == '.' || c == '~';
		if (plain)
			ark_buf_c(out, (char)c);
		else
			ark_buf_fmt(out, "%%%02X", c);
	}
}

/* Fact  docs/mattermost-facts.md "Data source names": the server's driver takes no `prefer`, and means
 *       `require` where nothing is said */
static enum ark_rc add_sslmode(const struct target *t, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	struct ark_str mode = db_dsn_part(t->dsn, "sslmode");
	if (ark_str_has(mode) && !ark_str_eqz(mode, "prefer") && !ark_str_eqz(mode, "allow")) {
		ark_buf_str(out, mode);
		return ARK_OK;
	}
	enum ark_rc rc = db_query(t->maintenance, "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()",
	                          DB_NO_PARAMS, &res, err);
	ark_buf_z(out, rc == ARK_OK && db_rows(res) > 0 && db_bool(res, 0, 0) ? "require" : "disable");
	return rc;
}

enum ark_rc target_mattermost(const struct target *t, struct ark_buf *out, struct ark_err *err)
{
	struct ark_str host = db_host(t->maintenance), password = db_dsn_part(t->dsn, "password");
	bool socket = ark_str_starts(host, ARK_LIT("/"));
	ark_buf_z(out, "postgres://");
	percent(out, db_user(t->maintenance));
	if (ark_str_has(password)) {
		ark_buf_c(out, ':');
		percent(out, password);
	}
	ark_buf_c(out, '@');
	if (!socket) {
		ark_buf_str(out, host);
		ark_buf_c(out, ':');
		ark_buf_str(out, db_port(t->maintenance));
	}
	ark_buf_c(out, '/');
	percent(out, ark_str_z(t->name));
	ark_buf_c(out, '?');
	if (socket) {
		ark_buf_z(out, "host=");
		ark_buf_str(out, host);
		ark_buf_z(out, "&port=");
		ark_buf_str(out, db_port(t->maintenance));
		ark_buf_c(out, '&');
	}
	ark_buf_z(out, "sslmode=");
	return add_sslmode(t, out, err);
}

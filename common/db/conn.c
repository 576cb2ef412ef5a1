/*
 * Why everything is non-blocking underneath: the blocking calls of libpq wait in poll() again after
 * a signal, so an interruption would be seen only when a statement of an hour has ended.
 */
#include "common/db/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/db/dsn.h"
#include "common/db/private.h"

#include "common/base/banned.h"

#define TICK_MS 200         /* how often a wait looks at the interruption callback */
#define CONNECT_LIMIT_S "10"
#define CANCEL_WAIT_MS 5000 /* for the answer to a cancelled statement; then the connection is given up */

/* --- waiting --------------------------------------------------------------------------------- */

static void send_cancel(struct db_conn *c)
{
	char ignored[256];
	(void)PQcancel(c->cancel, ignored, sizeof(ignored));
}

void db_cancel(struct db_conn *c)
{
	if (c->cancelled || c->cancel == NULL)
		return;
	c->cancelled = true;
	c->cancel_ms = ark_time_tick_ms();
	send_cancel(c);
}

static enum ark_rc interrupted(struct ark_err *err)
{
	return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
}

enum ark_rc db_wait(struct db_conn *c, short events, struct ark_err *err)
{
	for (;;) {
		if (!c->shielded && c->interrupted != NULL && c->interrupted())
			db_cancel(c);
		if (c->cancelled && ark_time_tick_ms() - c->cancel_ms > CANCEL_WAIT_MS) {
			c->dead = true;
			return interrupted(err);
		}
		struct pollfd p = { .fd = PQsocket(c->pg), .events = events };
		int n = poll(&p, 1, TICK_MS);
		if (n > 0)
			return ARK_OK;
		if (n < 0 && errno != EINTR)
			return ark_err_errno(err, errno, "cannot wait for the database");
		if (n == 0 && c->waiting != NULL)
			c->waiting(c->waiting_ctx);
		/* One that comes before the server has begun with the statement is lost. */
		if (n == 0 && c->cancelled && c->cancel != NULL)
			send_cancel(c);
	}
}

/* --- errors ---------------------------------------------------------------------------------- */

/* One line of what may be several. */
static void flat(char *out, size_t size, const char *text)
{
	size_t n = 0;
	for (const char *p = text != NULL ? text : ""; *p != '\0' && n + 3 < size; p++) {
		if (*p != '\n') {
			out[n++] = *p == '\t' ? ' ' : *p;
			continue;
		}
		while (p[1] == '\n' || p[1] == '\t' || p[1] == ' ')
			p++;
		if (p[1] != '\0') {
			out[n++] = ';';
			out[n++] = ' ';
		}
	}
	out[n] = '\0';
}

static const struct {
	const char *state;
	const char *hint;
} HINTS[] = {
	{ "25006", "the server is a standby or the database is set to read only; name the primary" },
	{ "42501", "connect as the role that owns Mattermost's tables" },
	{ "53100", "free some space on the database server and run the same command again" },
	{ "53300", "close other connections or raise max_connections" },
};

/* The server, or the connection to it, cannot go on. */
static bool is_fatal(const struct db_conn *c)
{
	const char *s = c->sqlstate;
	return c->dead || PQstatus(c->pg) != CONNECTION_OK || strncmp(s, "08", 2) == 0 ||
	       strncmp(s, "53", 2) == 0 || strncmp(s, "58", 2) == 0 || strncmp(s, "57P", 3) == 0 ||
	       strncmp(s, "XX", 2) == 0;
}

/* Where in the data of a COPY: "COPY posts, line 3, column createat"; not the data itself. */
static void add_place(char *text, size_t size, const PGresult *res)
{
	const char *context = PQresultErrorField(res, PG_DIAG_CONTEXT);
	if (context == NULL || strncmp(context, "COPY ", 5) != 0)
		return;
	size_t len = strlen(text);
	int end = (int)strcspn(context, ":\n");
	snprintf(text + len, size - len, " (%.*s)", end, context);
}

/* Details of these quote a whole row: text of messages has no place in errors. */
static bool detail_is_private(const char *state)
{
	return strcmp(state, "23502") == 0 || strcmp(state, "23514") == 0 ||
	       strncmp(state, "22", 2) == 0;
}

static void set_server_error(struct db_conn *c, const PGresult *res, struct ark_err *err)
{
	char text[ARK_ERR_TEXT] = "", detail[ARK_ERR_TEXT] = "", hint[ARK_ERR_HINT];
	flat(text, sizeof(text), PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
	if (!detail_is_private(c->sqlstate))
		flat(detail, sizeof(detail), PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL));
	flat(hint, sizeof(hint), PQresultErrorField(res, PG_DIAG_MESSAGE_HINT));
	add_place(text, sizeof(text), res);
	ark_err_set(err, ARK_KIND_DB, "%s%s%s", text, detail[0] != '\0' ? ": " : "", detail);
	if (hint[0] != '\0')
		ark_err_hint(err, "%s", hint);
	for (size_t i = 0; i < sizeof(HINTS) / sizeof(HINTS[0]); i++)
		if (strcmp(HINTS[i].state, c->sqlstate) == 0)
			ark_err_hint(err, "%s", HINTS[i].hint);
}

enum ark_rc db_fail(struct db_conn *c, const PGresult *res, struct ark_err *err)
{
	const char *state = res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	snprintf(c->sqlstate, sizeof(c->sqlstate), "%s", state != NULL ? state : "");
	if (c->cancelled && (state == NULL || strcmp(state, "57014") == 0))
		return interrupted(err);
	if (state != NULL && PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) != NULL) {
		set_server_error(c, res, err);
		return is_fatal(c) ? ARK_STOP : ARK_FAIL;
	}
	char text[ARK_ERR_TEXT];
	flat(text, sizeof(text), res != NULL ? PQresultErrorMessage(res) : PQerrorMessage(c->pg));
	ark_err_set(err, ARK_KIND_DB, "%s", text[0] != '\0' ? text : "the connection is gone");
	return is_fatal(c) ? ARK_STOP : ARK_FAIL;
}

static void note(void *arg, const PGresult *res)
{
	struct db_conn *c = arg;
	char text[ARK_ERR_TEXT];
	if (c->notice_count == LIMIT_DB_NOTICES)
		return;
	flat(text, sizeof(text), PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
	ark_text_defuse(text);
	if (text[0] != '\0')
		c->notices[c->notice_count++] = ark_strdupz(text);
}

size_t db_notice_count(const struct db_conn *conn)
{
	return conn->notice_count;
}

struct ark_str db_notice(const struct db_conn *conn, size_t n)
{
	if (n >= conn->notice_count)
		ark_bug("notice %zu of %zu", n, conn->notice_count);
	return ark_str_z(conn->notices[n]);
}

void db_notices_clear(struct db_conn *conn)
{
	while (conn->notice_count > 0)
		free(conn->notices[--conn->notice_count]);
}

const char *db_sqlstate(const struct db_conn *conn)
{
	return conn->sqlstate;
}

/* --- opening --------------------------------------------------------------------------------- */

/* pg_dump sets the same for the same reason: limits meant for an application would cut off work
 * that lasts. Statements of a role or database default cannot come in between any more. */
static const char SETTINGS[] =
    "SET client_min_messages = warning; SET standard_conforming_strings = on;"
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';"
    "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET row_security = off;"
    "SET statement_timeout = 0; SET lock_timeout = 0;"
    "SET idle_in_transaction_session_timeout = 0;"
    "SET default_transaction_isolation = 'read committed'";
static const char SETTINGS_14[] = "SET idle_session_timeout = 0";
/* A tool that was killed must not hold locks until its last statement ends. Not every system that
 * PostgreSQL runs on can tell: there it refuses the setting, and the connection is good without. */
static const char SETTINGS_NOTICE_DEATH[] = "SET client_connection_check_interval = '1s'";
static const char SETTINGS_17[] = "SET transaction_timeout = 0";

/* One step of connecting after another, looking at the callback in between. */
static enum ark_rc connect_wait(struct db_conn *c, int64_t limit_ms, struct ark_err *err)
{
	int64_t end_ms = ark_time_tick_ms() + limit_ms;
	for (PostgresPollingStatusType s = PGRES_POLLING_WRITING; s != PGRES_POLLING_OK;) {
		struct pollfd p = { .fd = PQsocket(c->pg),
			            .events = s == PGRES_POLLING_READING ? POLLIN : POLLOUT };
		if (c->interrupted != NULL && c->interrupted())
			return interrupted(err);
		if (limit_ms > 0 && ark_time_tick_ms() > end_ms)
			return ark_err_stop(err, ARK_KIND_DB,
			                    "no answer from the database server within %lld s",
			                    (long long)limit_ms / 1000);
		int n = poll(&p, 1, TICK_MS);
		if (n < 0 && errno != EINTR)
			return ark_err_errno(err, errno, "cannot wait for the database");
		if (n > 0)
			s = PQconnectPoll(c->pg);
		if (s == PGRES_POLLING_FAILED)
			return db_fail(c, NULL, err);
	}
	return ARK_OK;
}

static void connect_hint(struct ark_err *err)
{
	if (strstr(err->text, "database \"") != NULL && strstr(err->text, "does not exist") != NULL)
		err->kind = ARK_KIND_MISSING;
	else if (strstr(err->text, "assword") != NULL)
		ark_err_hint(err, "give the password in the data source name, PGPASSWORD or ~/.pgpass");
	else if (strstr(err->text, "does not support SSL") != NULL)
		ark_err_hint(err, "add sslmode=disable to the data source name if that is meant");
	else if (strstr(err->text, "unsupported startup parameter") != NULL)
		ark_err_hint(err, "this looks like a pooler; name the PostgreSQL server itself");
}

static enum ark_rc connect_start(struct db_conn *c, const struct db_dsn *dsn, const char *app,
                                 struct ark_err *err)
{
	const char *keys[DB_DSN_KEYS + 7], *values[DB_DSN_KEYS + 7];
	size_t n = 0;
	/* What stands first gives way to the same key later, so people's own settings win. */
	keys[n] = "keepalives_idle";
	values[n++] = "60";
	keys[n] = "keepalives_interval";
	values[n++] = "20";
	keys[n] = "keepalives_count";
	values[n++] = "6";
	n += db_dsn_pairs(dsn, keys + n, values + n, DB_DSN_KEYS);
	keys[n] = "client_encoding";
	values[n++] = "UTF8";
	keys[n] = "application_name";
	values[n++] = app;
	const char *limit = db_dsn_part(dsn, "connect_timeout").ptr;
	if (limit == NULL)
		limit = getenv("PGCONNECT_TIMEOUT");
	keys[n] = "connect_timeout";
	values[n++] = limit != NULL ? limit : CONNECT_LIMIT_S;
	keys[n] = values[n] = NULL;
	/* Only the blocking call goes on to the next of several hosts when one does not answer. */
	struct ark_str host = db_dsn_part(dsn, "host");
	bool many = ark_str_has(host) && ark_str_find(host, ',', 0) != SIZE_MAX;
	c->pg = many ? PQconnectdbParams(keys, values, 0) : PQconnectStartParams(keys, values, 0);
	if (c->pg == NULL)
		return ark_err_stop(err, ARK_KIND_MEMORY, "out of memory");
	PQsetNoticeReceiver(c->pg, note, c);
	if (PQstatus(c->pg) == CONNECTION_BAD)
		return db_fail(c, NULL, err);
	uint64_t limit_s = 0;
	(void)ark_str_u64(ark_str_z(values[n - 1]), &limit_s);
	return many ? ARK_OK : connect_wait(c, (int64_t)limit_s * 1000, err);
}

enum ark_rc db_open(const char *dsn, const struct db_options *opt, struct db_conn **out,
                    struct ark_err *err)
{
	ark_auto(db_dsn_freep) struct db_dsn *name = NULL;
	enum ark_rc rc = db_dsn_parse(ark_str_z(dsn), DB_DSN_LIBPQ, &name, err);
	if (rc < 0)
		return rc;
	ark_auto(db_closep) struct db_conn *c = ark_calloc(1, sizeof(*c));
	c->interrupted = opt->interrupted;
	c->waiting = opt->waiting;
	c->waiting_ctx = opt->waiting_ctx;
	int errnum = ark_fail_step("connect");
	if (errnum != 0)
		return ark_err_errno(err, errnum, "cannot connect to the database");
	rc = connect_start(c, name, opt->app, err);
	if (rc < 0) {
		connect_hint(err);
		return rc;
	}
	c->cancel = PQgetCancel(c->pg);
	if (PQsetnonblocking(c->pg, 1) != 0)
		return ark_err_in(err, db_fail(c, NULL, err), "cannot set up the connection");
	rc = db_exec(c, SETTINGS, err);
	if (rc == ARK_OK && db_server_version(c) >= 140000)
		rc = db_exec(c, SETTINGS_14, err);
	if (rc == ARK_OK && db_server_version(c) >= 140000 &&
	    (rc = db_exec(c, SETTINGS_NOTICE_DEATH, err)) == ARK_FAIL)
		rc = ARK_OK;
	if (rc == ARK_OK && db_server_version(c) >= 170000)
		rc = db_exec(c, SETTINGS_17, err);
	if (rc < 0)
		return ark_err_in(err, rc, "cannot set up the connection");
	*out = c;
	c = NULL;
	return ARK_OK;
}

void db_close(struct db_conn *conn)
{
	if (conn == NULL)
		return;
	if (conn->pg != NULL && conn->busy != DB_IDLE)
		db_settle(conn);
	db_notices_clear(conn);
	PQfreeCancel(conn->cancel);
	PQfinish(conn->pg);
	free(conn);
}

void db_shield(struct db_conn *conn)
{
	if (conn->busy != DB_IDLE)
		db_settle(conn);
	conn->interrupted = NULL;
}

void db_closep(struct db_conn **conn)
{
	db_close(*conn);
	*conn = NULL;
}

/* --- looking --------------------------------------------------------------------------------- */

int db_server_version(const struct db_conn *conn)
{
	return PQserverVersion(conn->pg);
}

int db_backend_pid(const struct db_conn *conn)
{
	return PQbackendPID(conn->pg);
}

static struct ark_str or_empty(const char *z)
{
	return ark_str_z(z != NULL ? z : "");
}

struct ark_str db_host(const struct db_conn *conn)
{
	return or_empty(PQhost(conn->pg));
}

struct ark_str db_port(const struct db_conn *conn)
{
	return or_empty(PQport(conn->pg));
}

struct ark_str db_name(const struct db_conn *conn)
{
	return or_empty(PQdb(conn->pg));
}

struct ark_str db_user(const struct db_conn *conn)
{
	return or_empty(PQuser(conn->pg));
}

bool db_is_local(const struct db_conn *conn)
{
	struct ark_str host = db_host(conn), addr = or_empty(PQhostaddr(conn->pg));
	return ark_str_starts(host, ARK_LIT("/")) || ark_str_starts(host, ARK_LIT("@")) ||
	       ark_str_starts(addr, ARK_LIT("127.")) || ark_str_eqz(addr, "::1");
}

bool db_alive(const struct db_conn *conn)
{
	return !conn->dead && PQstatus(conn->pg) == CONNECTION_OK;
}

enum ark_rc db_is_pooler(struct db_conn *conn, bool *is_pooler, struct ark_buf *reason,
                         struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT pg_backend_pid()", DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	*is_pooler = db_i64(res, 0, 0) != db_backend_pid(conn);
	if (*is_pooler)
		ark_buf_fmt(reason,
		            "the connection was announced as process %d but process %lld answers: "
		            "a pooler hands out server connections",
		            db_backend_pid(conn), (long long)db_i64(res, 0, 0));
	return ARK_OK;
}

enum ark_rc db_refuse_pooler(struct db_conn *conn, const char *what, struct ark_err *err)
{
	bool pooler = false;
	ark_auto(ark_buf_release) struct ark_buf reason;
	ark_buf_init(&reason, 4096);
	enum ark_rc rc = db_is_pooler(conn, &pooler, &reason, err);
	if (rc < 0 || !pooler)
		return rc;
	ark_err_set(err, ARK_KIND_REFUSED, "this is a connection pooler, not PostgreSQL itself: %s", reason.data);
	ark_err_hint(err, "%s needs a direct connection; name the server's own host and port", what);
	return ARK_FAIL;
}

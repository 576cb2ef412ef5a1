#include "purge/retry.h"

#include <string.h>
#include <unistd.h>

#include "common/base/time.h"

#include "common/base/banned.h"

#define LOCKED_MS 60000
#define STEP_US 50000

enum ark_rc purge_retry_prepare(struct db_conn *conn, struct ark_err *err)
{
	return db_exec(conn, "SET lock_timeout = '100ms'", err);
}

/* Fact  PostgreSQL manual, "Error Codes": lock not available, deadlock detected, serialization failure */
static bool is_lock(struct db_conn *conn)
{
	static const char *const CODES[] = { "55P03", "40P01", "40001" };
	for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++)
		if (strcmp(db_sqlstate(conn), CODES[i]) == 0)
			return true;
	return false;
}

enum ark_rc purge_retry(struct db_conn *conn, bool (*interrupted)(void), purge_step_fn *step, void *ctx,
                        struct ark_err *err)
{
	for (int64_t end_ms = ark_time_tick_ms() + LOCKED_MS;;) {
		enum ark_rc rc = step(ctx, err);
		if (rc != ARK_FAIL || err->kind != ARK_KIND_DB || !is_lock(conn))
			return rc;
		if (ark_time_tick_ms() > end_ms) {
			ark_err_set(err, ARK_KIND_LOCKED, "somebody has locked rows that must go for more than %d s",
			            LOCKED_MS / 1000);
			ark_err_hint(err, "pg_stat_activity shows who; the same command goes on from here");
			return ARK_FAIL;
		}
		if (interrupted != NULL && interrupted())
			return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
		usleep(STEP_US);
	}
}

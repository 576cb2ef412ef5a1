/* matter-purge log: what was purged when, for people; every message, for programs. */
#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/mm/ledger.h"
#include "purge/app.h"
#include "purge/record.h"

#include "common/base/banned.h"

struct lines {
	struct ark_talk *talk;
	struct ark_buf text;
	uint64_t count;
};

static enum ark_rc on_entry(void *ctx, const struct mm_ledger_entry *entry, struct ark_err *err)
{
	struct lines *l = ctx;
	(void)err;
	mm_ledger_line(&l->text, entry);
	ark_write(l->talk, &l->text);
	ark_buf_reset(&l->text);
	l->count++;
	return ARK_OK;
}

static enum ark_rc say_entries(struct purge_app *a, struct ark_err *err)
{
	struct lines lines = { .talk = a->talk };
	ark_buf_init(&lines.text, LIMIT_LEDGER_LINE);
	enum ark_rc rc = mm_ledger_each(a->conn, on_entry, &lines, err);
	ark_buf_release(&lines.text);
	if (rc < 0)
		return rc;
	struct ark_event e;
	ark_event_begin(&e, "summary", "purge.log");
	ark_event_u64(&e, "purged", lines.count);
	ark_event_send(&e, a->talk);
	return ARK_OK;
}

static enum ark_rc say_runs(struct purge_app *a, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *runs = NULL;
	bool is_there = false;
	enum ark_rc rc = purge_record_exists(a->conn, &is_there, err);
	if (rc < 0 || !is_there)
		return rc;
	rc = db_query(a->conn,
	              "SELECT started, finished, left(plan, 12), role, posts, earlier_texts, files, changed FROM "
	              "matterark.purge_run ORDER BY started, plan", DB_NO_PARAMS, &runs, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(runs); i++) {
		char started[ARK_TIME_ISO];
		ark_time_iso(db_i64(runs, i, 0), started);
		ark_out(a->talk, "%s\t%s\tplan %.*s\tby %.*s\t%lld messages\t%lld earlier texts\t%lld files\t%lld stayed", started,
		        db_null(runs, i, 1) ? "unfinished" : "done", ARK_FMT(db_value(runs, i, 2)), ARK_FMT(db_value(runs, i, 3)),
		        (long long)db_i64(runs, i, 4), (long long)db_i64(runs, i, 5), (long long)db_i64(runs, i, 6),
		        (long long)db_i64(runs, i, 7));
	}
	return rc;
}

int purge_command_log(struct purge_app *a, struct ark_err *err)
{
	enum ark_rc rc = purge_open(a, "reading from", err);
	if (rc == ARK_OK)
		rc = a->talk->json ? say_entries(a, err) : say_runs(a, err);
	return rc < 0 ? (int)rc : ARK_EXIT_DONE;
}

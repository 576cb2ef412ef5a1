/*
 * matter-import: Slack exports into Mattermost's PostgreSQL.
 *
 *	main.c options.c     this file: the commands as lists of phases
 *	app.c                what the commands share: database, archives, progress, report
 *	files.c server.c     the file store; a running server
 *	undo.c               the command undo
 *	slack/               reads an export: archives, lists, day files, messages
 *	translate/           Slack message to Mattermost post; pure
 *	load/                order and threads, rows, staging and merge, a fresh database, verify
 *	bulk/                the same as a file for mmctl import
 *	report/ told.c       what is told about a run: to who started it; to others (--notify)
 */
#include <locale.h>
#include <stdlib.h>

#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/cli/start.h"
#include "common/mm/state.h"
#include "import/bulk/bulk.h"
#include "import/files.h"
#include "import/load/verify.h"
#include "import/server.h"
#include "import/slack/ts.h"
#include "import/undo.h"

#include "common/base/banned.h"

static int run_check(struct app *a, struct ark_err *err)
{
	struct load_outcome out;
	uint64_t lost = 0;
	enum ark_rc rc = app_people(a, err);
	if (rc == ARK_OK)
		rc = app_open_report(a, err);
	if (rc == ARK_OK)
		rc = app_open_archives(a, err);
	if (rc < 0)
		return rc;
	rc = app_begin(a, "checking", err);
	if (rc < 0)
		return rc;
	struct load_job job = app_job(a);
	rc = load_check(&job, &a->l, &out, err);
	app_end_bar(a);
	if (rc == ARK_OK)
		rc = app_tell(a, &out, true, &lost, err);
	return rc < 0 ? rc : lost > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

static int run_slack(struct app *a, struct ark_err *err)
{
	struct load_outcome out;
	uint64_t lost = 0;
	enum ark_rc rc = app_choose_database(a, true, err);
	if (rc == ARK_OK)
		rc = server_open(a, err);
	if (rc == ARK_OK)
		rc = app_people(a, err);
	if (rc == ARK_OK)
		rc = app_open_report(a, err);
	if (rc == ARK_OK)
		rc = app_open_archives(a, err);
	if (rc == ARK_OK)
		rc = app_open_database(a, err);
	if (rc == ARK_OK)
		rc = files_open(a, err);
	if (rc < 0)
		return rc;
	mm_place_say(&a->place, "writing to", a->talk);
	rc = app_begin(a, "importing", err);
	if (rc < 0)
		return rc;
	struct load_job job = app_job(a);
	rc = load_run(&job, &a->l, &out, err);
	app_end_bar(a);
	if (rc == ARK_OK)
		rc = app_tell(a, &out, false, &lost, err);
	if (rc < 0)
		return rc;
	files_say(a);
	told_files(a);
	app_say_next(a, &out);
	return lost > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

static int run_bulk(struct app *a, struct ark_err *err)
{
	struct bulk_outcome out;
	uint64_t lost = 0;
	enum ark_rc rc = app_people(a, err);
	if (rc == ARK_OK)
		rc = app_open_report(a, err);
	if (rc == ARK_OK)
		rc = app_open_archives(a, err);
	if (rc == ARK_OK)
		rc = app_begin(a, "converting", err);
	if (rc < 0)
		return rc;
	struct load_job job = app_job(a);
	rc = bulk_write(&job, &a->l, a->config->output, &out, err);
	app_end_bar(a);
	if (rc == ARK_OK)
		rc = app_tell(a, &out.load, true, &lost, err);
	if (rc < 0)
		return rc;
	told_bulk(a, &out);
	ark_out(a->talk, "%s: %llu lines, %llu files", a->config->output, (unsigned long long)out.lines,
	        (unsigned long long)out.bodies);
	struct ark_event e;
	ark_event_begin(&e, "summary", "bulk.summary");
	ark_event_text(&e, "output", ark_str_z(a->config->output));
	ark_event_u64(&e, "lines", out.lines);
	ark_event_u64(&e, "files", out.bodies);
	ark_event_u64(&e, "bytes", out.bytes);
	ark_event_send(&e, a->talk);
	return lost > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

static void on_difference(void *ctx, const char *kind, struct ark_str channel, int64_t ts_us,
                          struct ark_str post_id, bool failure)
{
	struct app *a = ctx;
	char ts[SLACK_TS_TEXT];
	struct ark_str text = slack_ts_format(ts_us, ts);
	ark_out(a->talk, "%s\t%s\t%.*s\t%.*s\t%.*s", failure ? "differs" : "noted", kind, ARK_FMT(channel),
	        ARK_FMT(text), ARK_FMT(post_id));
	struct ark_event e;
	ark_event_begin(&e, failure ? "error" : "warning", "verify.difference");
	ark_event_text(&e, "kind", ark_str_z(kind));
	ark_event_text(&e, "channel", channel);
	ark_event_text(&e, "ts", text);
	ark_event_text(&e, "post_id", post_id);
	ark_event_send(&e, a->talk);
}

static void say_verified(struct app *a, const struct verify_result *v)
{
	const struct {
		const char *key;
		uint64_t n;
		const char *text;
	} ROWS[] = {
		{ "messages", v->messages, "posts compared" },
		{ "reactions", v->reactions, "reactions compared" },
		{ "missing", v->missing, "missing" },
		{ "time", v->time, "at another time" },
		{ "author", v->author, "by another author" },
		{ "thread", v->thread, "in another thread" },
		{ "text", v->text, "with another text" },
		{ "reactions_missing", v->reactions_missing, "reactions missing" },
		{ "unfinished", v->unfinished, "threads and channels left to do by a run that was interrupted: import again" },
		{ "files_missing", v->files_missing, "files without their row or body" },
		{ "files_removed_here", v->files_removed_here, "files removed in Mattermost (no failure)" },
		{ "changed_here", v->changed_here, "changed in Mattermost since (no failure)" },
		{ "deleted_here", v->deleted_here, "deleted in Mattermost since (no failure)" },
		{ "left_out_here", v->left_out_here,
		  "under messages or by accounts that were deleted in Mattermost (no failure)" },
		{ "reactions_removed_here", v->reactions_removed_here, "reactions taken back (no failure)" },
		{ "elsewhere", v->elsewhere, "posts of other archives (no failure)" },
	};
	struct ark_event e;
	ark_event_begin(&e, "summary", "verify.summary");
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		if (i < 2 || ROWS[i].n > 0)
			ark_out(a->talk, "%12llu  %s", (unsigned long long)ROWS[i].n, ROWS[i].text);
		ark_event_u64(&e, ROWS[i].key, ROWS[i].n);
	}
	const struct load_count *c = &a->l.report.total;
	ark_event_open(&e, "skipped_by_reason");
	for (int i = 0; i < SKIP_COUNT; i++) {
		if (c->skipped[i] == 0)
			continue;
		ark_out(a->talk, "%12llu  left out by the import: %s (no failure)", (unsigned long long)c->skipped[i],
		        skip_text((enum skip_reason)i));
		ark_event_u64(&e, skip_name((enum skip_reason)i), c->skipped[i]);
	}
	ark_event_close(&e);
	if (v->run[0] != '\0')
		ark_event_text(&e, "scope_of", ark_str_z(v->run));
	ark_out(a->talk, "%s", verify_failed(v) ? "archive and database differ" : "archive and database agree");
	ark_event_bool(&e, "agrees", !verify_failed(v));
	ark_event_send(&e, a->talk);
}

static int run_verify(struct app *a, struct ark_err *err)
{
	enum ark_rc rc = app_choose_database(a, false, err);
	if (rc == ARK_OK)
		rc = app_people(a, err);
	if (rc == ARK_OK)
		rc = app_open_archives(a, err);
	if (rc == ARK_OK)
		rc = app_open_database(a, err);
	if (rc < 0)
		return rc;
	rc = app_begin(a, "comparing", err);
	if (rc < 0)
		return rc;
	struct load_job job = app_job(a);
	job.create_schema = job.create_team = false;
	job.dry_run = true;
	struct verify_result v;
	rc = load_verify(&job, &a->l, &v, on_difference, a, err);
	app_end_bar(a);
	if (rc < 0)
		return rc;
	uint64_t bad_bodies = 0;
	rc = files_verify(a, &bad_bodies, err);
	if (rc < 0)
		return rc;
	v.files_missing += bad_bodies;
	say_verified(a, &v);
	return verify_failed(&v) ? ARK_EXIT_FAILED : ARK_EXIT_DONE;
}

static void say_run(struct app *a, const struct db_result *res, size_t i)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(db_i64(res, i, 1), iso);
	int64_t left = db_i64(res, i, 10);
	ark_out(a->talk, "%.*s\t%s\t%.*s\t%.*s\t%.*s messages%s%s", ARK_FMT(db_value(res, i, 0)), iso,
	        ARK_FMT(db_value(res, i, 3)), ARK_FMT(db_value(res, i, 4)), ARK_FMT(db_value(res, i, 5)),
	        db_null(res, i, 7) ? "" : ", undone", left > 0 ? ", unfinished: run it again" : "");
	struct ark_event e;
	ark_event_begin(&e, "run", "import.run");
	ark_event_text(&e, "run", db_value(res, i, 0));
	ark_event_time(&e, "started", db_i64(res, i, 1));
	ark_event_time(&e, "finished", db_i64(res, i, 2));
	if (!db_null(res, i, 7))
		ark_event_time(&e, "undone", db_i64(res, i, 7));
	if (left > 0)
		ark_event_u64(&e, "left", (uint64_t)left);
	ark_event_text(&e, "workspace", db_value(res, i, 8));
	ark_event_text(&e, "tool", db_value(res, i, 9));
	ark_event_text(&e, "team", db_value(res, i, 3));
	ark_event_text(&e, "archives", db_value(res, i, 4));
	ark_event_u64(&e, "messages", (uint64_t)db_i64(res, i, 5));
	ark_event_u64(&e, "posts", (uint64_t)db_i64(res, i, 6));
	ark_event_send(&e, a->talk);
}

static int run_runs(struct app *a, struct ark_err *err)
{
	enum ark_rc rc = app_choose_database(a, false, err);
	if (rc == ARK_OK)
		rc = app_open_database(a, err);
	if (rc < 0)
		return rc;
	ark_auto(db_closep) struct db_conn *conn = NULL;
	struct db_options opt = { .app = "matter-import", .interrupted = ark_interrupted };
	rc = db_open(a->place.dsn.data, &opt, &conn, err);
	bool state = false, pending = false;
	if (rc == ARK_OK)
		rc = mm_state_exists(conn, &state, err);
	if (rc == ARK_OK)
		rc = mm_state_has_pending(conn, &pending, err);
	if (rc < 0 || !state)
		return rc < 0 ? rc : ARK_EXIT_DONE;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "SELECT r.run, r.started, r.finished, coalesce((SELECT string_agg(x.name, ', ' ORDER BY x.name) FROM "
	            "teams x WHERE r.options -> 'teams' ? x.id), t.name, ''), (SELECT "
	            "string_agg(x, ', ') FROM jsonb_array_elements_text(r.archives) x), "
	            "r.counts->>'written', r.counts->>'posts', r.undone, r.workspace, r.tool, %s FROM matterark.run r LEFT JOIN teams t "
	            "ON t.id = r.team_id ORDER BY r.run_no", pending ? MM_STATE_LEFT_SQL : "0");
	rc = db_query(conn, sql.data, DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++)
		say_run(a, res, i);
	return rc < 0 ? rc : ARK_EXIT_DONE;
}

int main(int argc, char **argv)
{
	static int (*const COMMANDS[])(struct app *a, struct ark_err *err) = {
		[COMMAND_CHECK] = run_check,
		[COMMAND_SLACK] = run_slack,
		[COMMAND_VERIFY] = run_verify,
		[COMMAND_RUNS] = run_runs,
		[COMMAND_FILES] = files_run,
		[COMMAND_UNDO] = undo_run,
		[COMMAND_BULK] = run_bulk,
	};
	struct import_config config = { 0 };
	struct ark_talk talk;
	ark_auto(ark_args_release) struct ark_args args = { 0 };
	int code;
	setlocale(LC_CTYPE, "C.UTF-8"); /* names in archives are UTF-8 whatever the user's locale is */
	setenv("TZ", "UTC", 1);         /* and the archive library asks for the time zone of each entry */
	if (!ark_start(&IMPORT_TOOL, argc, argv, &config, &args, &talk, &code))
		return code;
	ark_auto(app_release) struct app app = { .config = &config, .args = &args, .talk = &talk };
	mm_place_init(&app.place);
	if (args.common.show_config) {
		app_show_config(&app);
		return ark_finish(&talk, ARK_EXIT_DONE);
	}
	struct ark_err err = { 0 };
	if (notify_open(&app.told, &config.notify, &args, config.dry_run, &talk, &err) < 0)
		return ark_finish(&talk, ark_fail(&talk, &err));
	int rc = COMMANDS[ark_args_command(&args)](&app, &err);
	if (app.bar_runs)
		app_end_bar(&app);
	code = rc < 0 ? (int)ark_fail(&talk, &err) : rc;
	told_end(&app, (enum ark_exit)code, rc < 0 ? &err : NULL);
	if (rc >= 0) {
		code = ark_finish(&talk, (enum ark_exit)rc);
		if (code == ARK_EXIT_FAILED && code != rc && ark_args_command(&args) == COMMAND_SLACK)
			ark_warn(&talk, "import.complete", "everything is imported; only its summary got lost");
		return code;
	}
	return ark_finish(&talk, (enum ark_exit)code);
}

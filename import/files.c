#include "import/files.h"

#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"
#include "common/mm/state.h"
#include "import/slack/ts.h"

#include "common/base/banned.h"

static bool wanted(const struct app *a)
{
	return a->config->files_from != FETCH_NONE;
}

enum ark_rc files_open(struct app *a, struct ark_err *err)
{
	const struct mm_files *files = &a->place.where.files;
	if (!wanted(a))
		return ARK_OK;
	if (files->kind == MM_FILES_NONE && a->config->files_from == FETCH_AUTO)
		return ARK_OK; /* said when there are files */
	if (files->kind == MM_FILES_NONE) {
		ark_err_set(err, ARK_KIND_USAGE, "no file store is known: %s",
		            files->problem[0] != '\0' ? files->problem : "nothing names one");
		ark_err_hint(err, "--files names it: a folder, or s3://BUCKET/PREFIX");
		return ARK_FAIL;
	}
	a->store_now.dir = files->path;
	a->has_store = true;
	return ARK_OK;
}

static void on_begin(void *ctx, const char *phase, uint64_t files, uint64_t bytes)
{
	struct app *a = ctx;
	ark_progress_phase(&a->bar, phase, "files", files, bytes);
	ark_info(a->talk, "import.phase", "%s", phase);
}

static enum ark_rc on_tick(void *ctx, uint64_t files, uint64_t bytes, struct ark_err *err)
{
	struct app *a = ctx;
	ark_progress_add(&a->bar, files, bytes);
	return ark_interrupt_check(err);
}

static void on_missing(void *ctx, struct ark_str id, struct ark_str name, struct ark_str channel,
                       int64_t ts_us, struct ark_str reason)
{
	struct app *a = ctx;
	if (a->report != NULL)
		import_report_missing(a->report, id, name, channel, ts_us, reason);
	if (ark_args_command(a->args) != COMMAND_FILES)
		return;
	char ts[SLACK_TS_TEXT];
	struct ark_str at = slack_ts_format(ts_us, ts);
	ark_out(a->talk, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s", ARK_FMT(id), ARK_FMT(name), ARK_FMT(channel),
	        ARK_FMT(at), ARK_FMT(reason));
	struct ark_event e;
	ark_event_begin(&e, "file", "files.missing");
	ark_event_text(&e, "slack_file_id", id);
	ark_event_text(&e, "name", name);
	ark_event_text(&e, "channel", channel);
	ark_event_text(&e, "ts", at);
	ark_event_text(&e, "reason", reason);
	ark_event_send(&e, a->talk);
}

/* Bodies of one workspace, then the list of what is missing. */
static enum ark_rc bring(struct app *a, struct db_conn *conn, struct ark_str workspace,
                         const struct attach_how *how, const struct slack_export *x, struct ark_err *err)
{
	struct fetch_job job = { .conn = conn, .store = &a->store_now, .x = x, .workspace = workspace,
		                 .from = (enum fetch_from)a->config->files_from,
		                 .temp_dir = a->config->temp_dir, .no_previews = a->config->no_previews,
		                 .how = *how, .begin = on_begin, .tick = on_tick, .ctx = a };
	struct fetch_outcome out = { 0 };
	struct fetch_missing missing = { 0 };
	enum ark_rc rc = ARK_OK;
	if (a->has_store)
		rc = fetch_run(&job, &out, err);
	if (rc == ARK_FAIL && err->kind == ARK_KIND_LOCKED && ark_args_command(a->args) == COMMAND_SLACK) {
		ark_warn(a->talk, "import.files_locked", "%s: their files are left to it", err->text);
		rc = ARK_OK;
	}
	keep_count_add(&a->fetched.kept, &out.kept);
	a->fetched.wanted += out.wanted;
	if (rc == ARK_OK)
		rc = fetch_report(conn, workspace, on_missing, a, &missing, err);
	a->missing.files += missing.files;
	a->missing.lost += missing.lost;
	return rc;
}

enum ark_rc files_bring(void *ctx, struct db_conn *conn, const struct load *l, int64_t update_ms,
                        struct ark_err *err)
{
	struct attach_how how = { .run_no = l->run_no, .update_ms = update_ms };
	return bring(ctx, conn, l->workspace, &how, l->x, err);
}

/* ---- the command ---- */

/* Every workspace that was imported here. */
static enum ark_rc bring_all(struct app *a, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	struct attach_how how = { .update_ms = ark_time_now_ms() };
	enum ark_rc rc = db_query(conn,
	                          "SELECT workspace, (SELECT max(run_no) FROM matterark.run) FROM "
	                          "matterark.slack_file GROUP BY workspace ORDER BY workspace",
	                          DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		how.run_no = db_i64(res, i, 1);
		rc = bring(a, conn, db_value(res, i, 0), &how, a->x.sources_count > 0 ? &a->x : NULL, err);
	}
	return rc;
}

static enum ark_rc need_state(struct db_conn *conn, struct ark_err *err)
{
	bool state = false;
	enum ark_rc rc = mm_state_exists(conn, &state, err);
	if (rc == ARK_OK && !state)
		return ark_err_set(err, ARK_KIND_REFUSED, "nothing was imported into this database yet");
	return rc == ARK_OK ? mm_state_create(conn, err) : rc;
}

int files_run(struct app *a, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	struct db_options opt = { .app = "matter-import", .interrupted = ark_interrupted };
	enum ark_rc rc = app_choose_database(a, false, err);
	if (rc == ARK_OK && a->args->operands.count > 0)
		rc = app_open_archives(a, err);
	if (rc == ARK_OK)
		rc = app_open_database(a, err);
	if (rc == ARK_OK)
		rc = files_open(a, err);
	if (rc == ARK_OK && !a->has_store && wanted(a)) {
		ark_err_set(err, ARK_KIND_USAGE, "no file store is known");
		ark_err_hint(err, "--files names it: a folder, or s3://BUCKET/PREFIX");
		rc = ARK_FAIL;
	}
	if (rc == ARK_OK)
		rc = db_open(a->place.dsn.data, &opt, &conn, err);
	if (rc == ARK_OK)
		rc = need_state(conn, err);
	if (rc < 0)
		return rc;
	mm_place_say(&a->place, "writing to", a->talk);
	ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	rc = bring_all(a, conn, err);
	app_end_bar(a);
	if (rc < 0)
		return rc;
	files_say(a);
	return files_lost(a) > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

uint64_t files_lost(const struct app *a)
{
	return a->has_store ? a->missing.lost : 0;
}

void files_say(struct app *a)
{
	const struct keep_count *c = &a->fetched.kept;
	if (!a->has_store && wanted(a) && a->missing.lost > 0)
		ark_warn(a->talk, "import.no_files_place",
		         "no file store is named (--files): %llu files are notes in their posts; name it and run "
		         "'matter-import files'", (unsigned long long)a->missing.lost);
	if (c->files == 0 && a->missing.files == 0)
		return;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 4096);
	ark_buf_fmt(&text, "files: %llu stored (", (unsigned long long)c->files);
	ark_human_bytes(&text, c->bytes);
	ark_buf_fmt(&text, "), %llu missing", (unsigned long long)a->missing.files);
	if (a->has_store)
		ark_info(a->talk, "import.files", "%s", text.data);
	if (c->attached.kept > 0)
		ark_warn(a->talk, "import.files_kept", "%llu posts were changed in Mattermost and keep their notes",
		         (unsigned long long)c->attached.kept);
	struct ark_event e;
	ark_event_begin(&e, "status", "files.counts");
	ark_event_u64(&e, "stored", c->files);
	ark_event_u64(&e, "bodies", c->bodies);
	ark_event_u64(&e, "bytes", c->bytes);
	ark_event_u64(&e, "missing", a->missing.files);
	ark_event_u64(&e, "lost", a->missing.lost);
	ark_event_u64(&e, "odd_size", c->odd_size);
	ark_event_u64(&e, "without_preview", c->unpainted);
	ark_event_send(&e, a->talk);
}

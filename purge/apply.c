/* matter-purge apply: exactly a plan, in small portions, beside a running server. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"
#include "common/mm/claim.h"
#include "purge/archive.h"
#include "purge/batch.h"
#include "purge/identity.h"
#include "purge/record.h"
#include "purge/retry.h"
#include "purge/settle.h"

#include "common/base/banned.h"

#define SWEEP_AT_ONCE 2000  /* rows looked at once more in one transaction */
#define SWEEP_AFTER_MS 500  /* transactions that began before theirs was committed are over by then */

struct applying {
	struct purge_app *app;
	struct plan *plan;
	struct purge_hold hold;
	struct mm_api *api;
	struct store *store; /* NULL: bodies stay */
	struct batch_job job;
	struct batch batch;
	struct archive_found archive;
	struct batch_counts n;
	struct settle_objects objects;
	uint64_t waiting; /* bodies that stay in the queue */
	uint64_t rows;    /* of the plan, by its head */
	/* the portion that is being read */
	char first[MM_ID_LEN + 1];
	struct plan_row root;
	bool has_root;    /* its first row waits: it goes with the last of the portion */
	bool skip;        /* it changed: the rest stays */
	int64_t last_ms;  /* end of the latest transaction */
};

static void applying_init(struct applying *x, struct purge_app *a)
{
	*x = (struct applying){ .app = a };
	purge_hold_init(&x->hold);
	batch_init(&x->batch);
}

static void applying_release(struct applying *x)
{
	plan_close(x->plan);
	purge_hold_release(&x->hold);
	mm_api_close(x->api);
	store_close(x->store);
	batch_release(&x->batch);
}

/* ---- before anything goes ---- */

static enum ark_rc check_usage(const struct purge_config *c, struct ark_err *err)
{
	if ((c->api_url == NULL) != (c->api_token_file == NULL)) {
		ark_err_set(err, ARK_KIND_USAGE, "--api-url and --api-token-file belong together");
		ark_err_hint(err, "the token is an administrator's personal access token");
		return ARK_FAIL;
	}
	if ((c->snapshot != NULL || c->identity != NULL) && c->archived_in == NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "--snapshot and --identity need --archived-in");
	return ARK_OK;
}

static uint64_t count_of(const struct plan *plan, const char *path)
{
	int64_t n = 0;
	return json_small_i64(plan_head(plan), path, &n) && n > 0 ? (uint64_t)n : 0;
}

/* The lock of imports: each would undo what the other counts on. */
static enum ark_rc lock_out_others(struct purge_app *a, struct ark_err *err)
{
	static const struct mm_claim CLAIM = { .lock = "matterark import", .what = "purge of, or import into," };
	return mm_claim_name(a->conn, &CLAIM, db_name(a->conn), err);
}

static enum ark_rc open_store(struct applying *x, struct ark_err *err)
{
	const struct purge_app *a = x->app;
	if (a->config->without_files || a->config->dry_run)
		return ARK_OK;
	uint64_t waiting = 0;
	enum ark_rc rc = settle_waiting(a->conn, &waiting, err);
	if (rc < 0 || (waiting == 0 && count_of(x->plan, "counts.files") == 0))
		return rc;
	struct store_options opt = { .write = true, .modes = STORE_MATTERMOST, .interrupted = ark_interrupted,
		                     .s3 = &a->config->s3 };
	rc = store_open(&a->place.where.files, &opt, &x->store, err);
	if (rc == ARK_FAIL && err->kind == ARK_KIND_MISSING)
		ark_err_hint(err, "--files says where the file store is; --without-files leaves the bodies of files for later");
	return rc;
}

static void say_plan(struct applying *x)
{
	struct purge_app *a = x->app;
	ark_auto(ark_buf_release) struct ark_buf bytes;
	ark_buf_init(&bytes, 64);
	ark_human_bytes(&bytes, count_of(x->plan, "counts.file_bytes"));
	ark_out(a->talk, "plan %.12s of %.*s", plan_sha256(x->plan), ARK_FMT(json_small_str(plan_head(x->plan), "made")));
	ark_out(a->talk, "%12llu  messages", (unsigned long long)count_of(x->plan, "counts.posts"));
	ark_out(a->talk, "%12llu  earlier texts", (unsigned long long)count_of(x->plan, "counts.earlier_texts"));
	ark_out(a->talk, "%12llu  files, %s", (unsigned long long)count_of(x->plan, "counts.files"), bytes.data);
	ark_out(a->talk, "written %.*s .. %.*s", ARK_FMT(json_small_str(plan_head(x->plan), "oldest")),
	        ARK_FMT(json_small_str(plan_head(x->plan), "newest")));
}

/* On a terminal somebody is asked; elsewhere somebody must have said yes. */
static enum ark_rc ask(struct applying *x, struct ark_err *err)
{
	const struct purge_app *a = x->app;
	if (a->config->yes || a->config->dry_run)
		return ARK_OK;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		ark_err_set(err, ARK_KIND_USAGE, "nobody is there to be asked");
		ark_err_hint(err, "--yes purges without asking");
		return ARK_FAIL;
	}
	char answer[16] = "";
	fprintf(stderr, "These go for good, with everything that hangs on them. Type 'purge' to go on: ");
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) == NULL || !ark_str_eqz(ark_str_trim(ark_str_z(answer)), "purge"))
		return ark_err_set(err, ARK_KIND_REFUSED, "not confirmed; nothing was removed");
	return ARK_OK;
}

static enum ark_rc check_archive(struct applying *x, struct ark_err *err)
{
	struct purge_app *a = x->app;
	if (a->config->archived_in == NULL)
		return ARK_OK;
	purge_bar_begin(a, "comparing with the archive", "lines", 0);
	enum ark_rc rc = archive_check(a, x->plan, &x->archive, err);
	purge_bar_end(a);
	if (rc == ARK_OK)
		ark_info(a->talk, "purge.archived", "all of it is in %s%s%s", a->config->archived_in,
		         x->archive.is_repo ? ", snapshot " : "", x->archive.snapshot);
	return rc;
}

static enum ark_rc prepare(struct applying *x, struct ark_err *err)
{
	struct purge_app *a = x->app;
	const struct purge_config *c = a->config;
	enum ark_rc rc = check_usage(c, err);
	if (rc == ARK_OK)
		rc = plan_open(a->args->operands.items[0], &x->plan, err);
	if (rc == ARK_OK)
		rc = purge_open(a, c->dry_run ? "reading from" : "purging in", err);
	if (rc == ARK_OK)
		rc = lock_out_others(a, err);
	if (rc == ARK_OK)
		rc = purge_identity_check(a->conn, plan_head(x->plan), err);
	if (rc == ARK_OK && c->hold != NULL)
		rc = purge_hold_read(&x->hold, c->hold, a->conn, a->args->now_ms, err);
	if (rc == ARK_OK && c->api_url != NULL && !c->dry_run)
		rc = mm_api_open(c->api_url, c->api_token_file, ark_interrupted, &x->api, err);
	if (rc < 0)
		return rc;
	x->rows = count_of(x->plan, "counts.posts") + count_of(x->plan, "counts.earlier_texts");
	say_plan(x);
	rc = check_archive(x, err);
	if (rc == ARK_OK)
		rc = ask(x, err);
	if (rc == ARK_OK)
		rc = purge_retry_prepare(a->conn, err);
	return rc;
}

/* ---- portions ---- */

static enum ark_rc rest_a_while(struct applying *x, struct ark_err *err)
{
	for (int64_t end_ms = ark_time_tick_ms() + x->app->config->pause_ms; ark_time_tick_ms() < end_ms;) {
		int64_t left = end_ms - ark_time_tick_ms();
		usleep((useconds_t)(left > 100 ? 100000 : left > 0 ? left * 1000 : 0));
		ark_progress_tick(&x->app->bar);
		if (ark_interrupted())
			break;
	}
	return ark_interrupt_check(err);
}

static enum ark_rc flush(struct applying *x, struct ark_err *err)
{
	bool keeps = true;
	uint64_t rows = x->batch.count;
	if (rows == 0)
		return ARK_OK;
	enum ark_rc rc = batch_apply(&x->job, &x->batch, &x->n, &keeps, err);
	batch_clear(&x->batch);
	x->last_ms = ark_time_tick_ms();
	if (rc < 0)
		return rc;
	ark_progress_add(&x->app->bar, rows, 0);
	x->skip = !keeps && x->has_root;
	return rest_a_while(x, err);
}

/* The root of the portion goes last, in the same transaction if everything fits. */
static enum ark_rc end_unit(struct applying *x, struct ark_err *err)
{
	if (x->has_root && !x->skip)
		batch_add(&x->batch, ark_str_z(x->first), &x->root, false);
	else if (x->has_root)
		x->n.changed++;
	x->has_root = x->skip = false;
	return x->batch.count >= (size_t)x->app->config->batch ? flush(x, err) : ARK_OK;
}

static enum ark_rc take_row(struct applying *x, const struct plan_row *row, struct ark_err *err)
{
	if (x->first[0] == '\0') { /* the first of its portion */
		snprintf(x->first, sizeof(x->first), "%.*s", ARK_FMT(row->id));
		x->root = *row;
		x->root.id = ark_str_z(x->first);
		x->has_root = true;
		return ARK_OK;
	}
	if (x->skip) {
		x->n.changed++;
		return ARK_OK;
	}
	batch_add(&x->batch, ark_str_z(x->first), row, false);
	if (x->batch.count < (size_t)x->app->config->batch)
		return ARK_OK;
	/* more of it may come: the root is looked at with these, and stays */
	batch_add(&x->batch, ark_str_z(x->first), &x->root, true);
	return flush(x, err);
}

static enum ark_rc remove_rows(struct applying *x, struct ark_err *err)
{
	struct plan_line line;
	x->first[0] = '\0';
	purge_bar_begin(x->app, "purging", "messages", x->rows);
	enum ark_rc rc = plan_rewind(x->plan, err);
	while (rc == ARK_OK && (rc = plan_next(x->plan, &line, err)) == ARK_OK) {
		if (line.kind == PLAN_ROW) {
			rc = take_row(x, &line.row, err);
			continue;
		}
		rc = end_unit(x, err);
		x->first[0] = '\0';
	}
	if (rc == ARK_END)
		rc = end_unit(x, err);
	return rc == ARK_OK ? flush(x, err) : rc;
}

/* Once more over all that went: a reaction or reply that was on its way when its message went came too late to
 * be seen and too early to fail. */
static enum ark_rc sweep(struct applying *x, struct ark_err *err)
{
	struct plan_line line;
	purge_bar_begin(x->app, "looking once more", "messages", x->rows);
	while (ark_time_tick_ms() < x->last_ms + SWEEP_AFTER_MS && !ark_interrupted())
		usleep(50000);
	enum ark_rc rc = ark_interrupt_check(err);
	if (rc == ARK_OK)
		rc = plan_rewind(x->plan, err);
	while (rc == ARK_OK) {
		rc = plan_next(x->plan, &line, err);
		if (rc == ARK_OK && line.kind == PLAN_ROW)
			batch_add(&x->batch, ARK_LIT(""), &line.row, false);
		if (rc < 0 || (rc == ARK_OK && x->batch.count < SWEEP_AT_ONCE))
			continue;
		uint64_t rows = x->batch.count;
		bool last = rc == ARK_END;
		rc = batch_sweep(&x->job, &x->batch, &x->n, err);
		batch_clear(&x->batch);
		ark_progress_add(&x->app->bar, rows, 0);
		if (rc == ARK_OK)
			rc = rest_a_while(x, err);
		if (last)
			break;
	}
	return rc;
}

/* ---- behind it ---- */

static void drop_caches(struct applying *x)
{
	struct purge_app *a = x->app;
	struct ark_err err = { 0 };
	int status = 0;
	if (x->api == NULL) {
		ark_info(a->talk, "purge.caches", "a running server shows what it has in its caches for up to half an hour; "
		         "--api-url and --api-token-file, or System Console, make it drop them");
		return;
	}
	enum ark_rc rc = mm_api_drop_caches(x->api, &status, &err);
	if (rc == ARK_OK && status == 200)
		ark_info(a->talk, "purge.caches_dropped", "the server dropped its caches");
	else if (rc == ARK_OK)
		ark_warn(a->talk, "purge.caches_failed", "the server did not drop its caches: it answered %d", status);
	else
		ark_warn(a->talk, "purge.caches_failed", "the server could not be told to drop its caches: %s", err.text);
}

static void say_snapshots(struct applying *x)
{
	struct purge_app *a = x->app;
	char newest[ARK_TIME_ISO], until[ARK_TIME_ISO];
	const struct archive_found *f = &x->archive;
	if (!f->is_repo || f->snapshots_holding == 0)
		return;
	ark_time_iso(f->newest_ms, newest);
	int64_t kept_ms = a->config->snapshots_kept.has ? f->newest_ms + a->args->now_ms - a->config->snapshots_kept.ms : 0;
	ark_time_iso(kept_ms, until);
	ark_out(a->talk, "%12llu  snapshots of %s hold messages of the plan, the newest of %s, %s%s",
	        (unsigned long long)f->snapshots_holding, a->config->archived_in, newest,
	        kept_ms > 0 ? "until " : "until prune removes them (--snapshots-kept says when)", kept_ms > 0 ? until : "");
	struct ark_event e;
	ark_event_begin(&e, "snapshots", "purge.snapshots");
	ark_event_text(&e, "repository", ark_str_z(a->config->archived_in));
	ark_event_u64(&e, "holding", f->snapshots_holding);
	ark_event_time(&e, "newest", f->newest_ms);
	if (kept_ms > 0)
		ark_event_time(&e, "kept_until", kept_ms);
	ark_event_send(&e, a->talk);
}

static void say_done(struct applying *x)
{
	struct purge_app *a = x->app;
	const bool dry = a->config->dry_run;
	const struct {
		uint64_t n;
		const char *name, *what;
	} LINES[] = {
		{ x->n.went.posts, "purged_posts", dry ? "messages would go" : "messages removed" },
		{ x->n.went.earlier, "purged_earlier_texts", dry ? "earlier texts would go" : "earlier texts removed" },
		{ x->n.went.reactions, "purged_reactions", "reactions removed" },
		{ x->n.went.files, "purged_files", "files removed" },
		{ x->n.went.file_bytes, "purged_file_bytes", "bytes of files removed" },
		{ x->n.went.hanging, "purged_other_rows", "other rows removed" },
		{ x->objects.removed, "purged_objects", "bodies removed from the file store" },
		{ x->objects.shared, "objects_shared", "bodies stay: other messages show them" },
		{ x->objects.refused, "objects_refused", "bodies stay: no message's file has such a path" },
		{ x->objects.failed, "objects_failed", "bodies stay: the file store said no" },
		{ x->waiting, "objects_waiting", "bodies wait for a run without --without-files" },
		{ x->n.went.files_kept, "files_kept", "files stay: a bookmark shows them" },
		{ x->n.late, "late_replies", "replies came while their thread went, and went too" },
		{ x->n.before, "purged_before", "rows went in an earlier run of this plan" },
		{ x->n.gone, "gone_already", "rows were gone already" },
		{ x->n.changed, "changed", "rows stay: something in their thread changed since the plan was made, or is held" },
	};
	struct ark_event e;
	ark_event_begin(&e, "summary", dry ? "purge.dry_run" : "purge.done");
	ark_event_text(&e, "plan", ark_str_z(plan_sha256(x->plan)));
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		if (i == 0 || LINES[i].n > 0)
			ark_out(a->talk, "%12llu  %s", (unsigned long long)LINES[i].n, LINES[i].what);
		notify_count(&a->told, LINES[i].name, LINES[i].what, LINES[i].n);
		ark_event_u64(&e, LINES[i].name, LINES[i].n);
	}
	ark_event_i64(&e, "duration_ms", ark_time_now_ms() - a->begin_ms);
	say_snapshots(x);
	ark_event_send(&e, a->talk);
	notify_headline(&a->told, "%llu messages removed for good", (unsigned long long)x->n.went.posts);
	if (dry)
		ark_info(a->talk, "purge.dry_run_end", "dry run: nothing was removed");
}

static enum ark_rc settle(struct applying *x, struct ark_err *err)
{
	struct purge_app *a = x->app;
	purge_bar_begin(a, "counting threads and channels", NULL, 0);
	enum ark_rc rc = settle_rows(a, x->job.plan, err);
	if (rc == ARK_OK && x->store != NULL)
		rc = settle_objects(a, x->store, &x->objects, err);
	if (rc == ARK_OK && x->store == NULL)
		rc = settle_waiting(a->conn, &x->waiting, err);
	return rc;
}

static enum ark_rc carry_out(struct applying *x, struct ark_err *err)
{
	struct purge_app *a = x->app;
	enum ark_rc rc = ARK_OK;
	if (!a->config->dry_run)
		rc = purge_record_create(a->conn, err);
	if (rc == ARK_OK && !a->config->dry_run)
		rc = open_store(x, err);
	if (rc == ARK_OK && !a->config->dry_run)
		rc = purge_record_begin(a->conn, x->job.plan, plan_head_text(x->plan), a->begin_ms, err);
	if (rc == ARK_OK && a->config->dry_run)
		rc = purge_record_exists(a->conn, &x->job.has_tables, err);
	if (rc == ARK_OK)
		rc = batch_prepare(&x->job, err);
	if (rc == ARK_OK)
		rc = remove_rows(x, err);
	if (rc < 0 || a->config->dry_run)
		return rc;
	rc = sweep(x, err);
	if (rc == ARK_OK)
		rc = settle(x, err);
	if (rc == ARK_OK)
		rc = purge_record_end(a->conn, x->job.plan, ark_time_now_ms(), x->n.changed, x->objects.removed, err);
	return rc;
}

int purge_command_apply(struct purge_app *a, struct ark_err *err)
{
	ark_auto(applying_release) struct applying x;
	applying_init(&x, a);
	enum ark_rc rc = prepare(&x, err);
	if (rc < 0)
		return rc;
	x.job = (struct batch_job){ a->conn, a->info, plan_sha256(x.plan), &x.hold, x.api, a->config->dry_run, true, ark_interrupted };
	rc = carry_out(&x, err);
	purge_bar_end(a);
	if (rc < 0) {
		if (x.n.went.posts > 0)
			ark_err_hint(err, "%llu messages went; the same command goes on from here",
			             (unsigned long long)x.n.went.posts);
		return rc;
	}
	say_done(&x);
	if (!a->config->dry_run)
		drop_caches(&x);
	return x.n.changed + x.n.late + x.objects.failed > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

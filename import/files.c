#include "import/files.h"

#include "common/cli/human.h"
#include "common/cli/signal.h"

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
}

enum ark_rc files_bring(void *ctx, struct db_conn *conn, const struct load *l, int64_t update_ms,
                        struct ark_err *err)
{
	struct app *a = ctx;
	struct fetch_job job = { .conn = conn, .store = &a->store_now, .x = l->x, .workspace = l->workspace,
		                 .from = (enum fetch_from)a->config->files_from,
		                 .temp_dir = a->config->temp_dir, .no_previews = a->config->no_previews,
		                 .update_ms = update_ms, .begin = on_begin, .tick = on_tick, .ctx = a };
	enum ark_rc rc = ARK_OK;
	if (a->has_store)
		rc = fetch_run(&job, &a->fetched, err);
	if (rc == ARK_OK)
		rc = fetch_report(conn, l->workspace, on_missing, a, &a->missing, err);
	return rc;
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
	ark_info(a->talk, "import.files", "%s", text.data);
	if (c->attached.kept > 0)
		ark_warn(a->talk, "import.files_kept", "%llu posts were changed in Mattermost and keep their notes",
		         (unsigned long long)c->attached.kept);
	struct ark_event e;
	ark_event_begin(&e, "status", "import.files");
	ark_event_u64(&e, "stored", c->files);
	ark_event_u64(&e, "bodies", c->bodies);
	ark_event_u64(&e, "bytes", c->bytes);
	ark_event_u64(&e, "missing", a->missing.files);
	ark_event_u64(&e, "lost", a->missing.lost);
	ark_event_u64(&e, "odd_size", c->odd_size);
	ark_event_u64(&e, "without_preview", c->unpainted);
	ark_event_send(&e, a->talk);
}

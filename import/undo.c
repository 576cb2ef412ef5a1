#include "import/undo.h"

#include "common/cli/signal.h"
#include "import/files.h"
#include "import/load/undo.h"
#include "import/server.h"

#include "common/base/banned.h"

static void on_undo(void *ctx, enum undo_line kind, const char *what, uint64_t count)
{
	static const struct {
		const char *id, *text;
	} KINDS[] = {
		[UNDO_BUILT] = { "built", "of people's, on this run" },
		[UNDO_DELETED] = { "deleted", "rows deleted" },
		[UNDO_RESTORED] = { "restored", "rows as before" },
		[UNDO_KEPT] = { "kept", "rows that others changed too: theirs stays" },
		[UNDO_BODIES] = { "bodies", "to delete from the file store" },
	};
	struct app *a = ctx;
	ark_out(a->talk, "%s\t%llu\t%s\t%s", KINDS[kind].id, (unsigned long long)count, what,
	        KINDS[kind].text);
	struct ark_event e;
	ark_event_begin(&e, kind == UNDO_BUILT ? "warning" : "status", "undo.plan");
	ark_event_text(&e, "kind", ark_str_z(KINDS[kind].id));
	ark_event_text(&e, "what", ark_str_z(what));
	ark_event_u64(&e, "count", count);
	ark_event_send(&e, a->talk);
}

static void on_rest(void *ctx)
{
	struct app *a = ctx;
	ark_info(a->talk, "undo.rest_finished", "finished what an interrupted run had left to do");
}

static void say_undone(struct app *a, const struct undo_outcome *out)
{
	bool dry = a->config->dry_run;
	struct ark_event e;
	ark_event_begin(&e, "summary", "undo.summary");
	ark_event_text(&e, "run", ark_str_z(a->args->operands.items[0]));
	ark_event_bool(&e, "dry_run", dry);
	ark_event_u64(&e, "built", out->built);
	ark_event_u64(&e, "deleted", out->deleted);
	ark_event_u64(&e, "restored", out->restored);
	ark_event_u64(&e, "kept", out->kept);
	ark_event_u64(&e, "bodies", out->bodies);
	ark_event_send(&e, a->talk);
	told_undo(a, out);
	if (dry) {
		ark_info(a->talk, "undo.dry_run", "dry run: nothing was kept");
		return;
	}
	ark_info(a->talk, "undo.done", "run %s is undone", a->args->operands.items[0]);
	if (out->created_database)
		ark_info(a->talk, "undo.database",
		         "this run made database '%s': its tables stay, without what the run brought; drop the "
		         "database to be rid of them", out->database);
	server_drop_caches(a);
}

int undo_run(struct app *a, struct ark_err *err)
{
	enum ark_rc rc = app_choose_database(a, false, err);
	if (rc == ARK_OK)
		rc = server_open(a, err);
	if (rc == ARK_OK)
		rc = app_open_database(a, err);
	if (rc == ARK_OK)
		rc = files_open_plain(a, err);
	if (rc < 0)
		return rc;
	mm_place_say(&a->place, "undoing in", a->talk);
	struct undo_job job = { .dsn = a->place.dsn.data,
		                .db = { .app = "matter-import", .interrupted = ark_interrupted },
		                .run = a->args->operands.items[0],
		                .force = a->config->force,
		                .dry_run = a->config->dry_run,
		                .line = on_undo,
		                .body = files_delete,
		                .rest = on_rest,
		                .ctx = a };
	struct undo_outcome out;
	rc = load_undo(&job, &out, err);
	if (rc < 0)
		return rc;
	say_undone(a, &out);
	if (out.bodies > 0 && !job.dry_run && a->store == NULL)
		ark_warn(a->talk, "undo.bodies", "%llu file bodies stay in the file store, where no row names them: no store "
		                                 "is known (--files)",
		         (unsigned long long)out.bodies);
	return ARK_EXIT_DONE;
}

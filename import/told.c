/* What --notify and --metrics tell of a run: a few figures and one sentence, no name of anybody. */
#include "import/app.h"

#include "common/base/limits.h"
#include "import/bulk/bulk.h"
#include "import/load/undo.h"

#include "common/base/banned.h"

void told_load(struct app *a, const struct load_outcome *out, uint64_t lost)
{
	const struct load_count *c = &a->l.report.total;
	struct notify_book *b = &a->told;
	notify_count(b, "messages_read", "messages read", c->read);
	notify_count(b, "messages_written", "messages that are posts now", c->written);
	notify_count(b, "messages_skipped", "messages left out", load_count_skipped(c));
	notify_count(b, "messages_lost", "messages and files lost", lost);
	if (ark_args_command(a->args) == COMMAND_SLACK) {
		notify_count(b, "posts_new", "new posts", out->first_import && out->posts_adopted == 0 ? c->posts : out->posts_new);
		notify_count(b, "posts_updated", "posts that were updated", out->posts_updated);
		notify_count(b, "posts_kept", "posts changed in Mattermost and left alone", out->posts_kept);
	}
	notify_headline(b, "%llu of %llu messages are in", (unsigned long long)c->written,
	                (unsigned long long)c->read);
}

void told_files(struct app *a)
{
	const struct keep_count *c = &a->fetched.kept;
	notify_count(&a->told, "files_stored", "files stored", c->files);
	notify_count(&a->told, "files_stored_bytes", "bytes of files stored", c->bytes);
	notify_count(&a->told, "files_missing", "files missing", a->missing.files);
	if (a->told.headline[0] == '\0')
		notify_headline(&a->told, "%llu files stored, %llu missing", (unsigned long long)c->files,
		                (unsigned long long)a->missing.files);
}

void told_bulk(struct app *a, const struct bulk_outcome *out)
{
	notify_count(&a->told, "lines_written", "lines written", out->lines);
	notify_count(&a->told, "files_stored", "files stored", out->bodies);
	notify_count(&a->told, "files_stored_bytes", "bytes of files stored", out->bytes);
}

void told_undo(struct app *a, const struct undo_outcome *out)
{
	notify_count(&a->told, "rows_deleted", "rows deleted", out->deleted);
	notify_count(&a->told, "rows_restored", "rows as before", out->restored);
	notify_count(&a->told, "rows_kept", "rows that others changed too", out->kept);
	notify_headline(&a->told, "run %s is undone", a->args->operands.items[0]);
}

void told_end(struct app *a, enum ark_exit code, const struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf target;
	ark_buf_init(&target, LIMIT_DSN);
	mm_place_text(&a->place, &target);
	notify_target(&a->told, ark_buf_view(&target));
	notify_close(&a->told, code, err, a->talk);
}

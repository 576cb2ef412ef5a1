#include "purge/app.h"

#include "common/base/time.h"
#include "common/cli/render.h"
#include "common/cli/signal.h"

#include "common/base/banned.h"

void purge_app_release(struct purge_app *a)
{
	purge_bar_end(a);
	mm_db_info_free(a->info);
	db_close(a->conn);
	mm_place_release(&a->place);
}

static struct mm_place_how how(const struct purge_app *a)
{
	return (struct mm_place_how){ .app = "matter-purge",
		                      .writes = ark_args_command(a->args) == COMMAND_APPLY && !a->config->dry_run,
		                      .has_files = ark_args_command(a->args) == COMMAND_APPLY,
		                      .interrupted = ark_interrupted };
}

void purge_show_config(struct purge_app *a)
{
	ark_show_config(a->args, a->config, a->talk);
	struct mm_place_how h = how(a);
	mm_place_show(&a->config->place, a->args, &h, a->talk);
}

enum ark_rc purge_open(struct purge_app *a, const char *verb, struct ark_err *err)
{
	a->begin_ms = ark_time_now_ms();
	struct mm_place_how h = how(a);
	enum ark_rc rc = mm_place_find(&a->place, &a->config->place, a->args, &h, err);
	if (rc == ARK_OK)
		rc = mm_place_open(&a->place, NULL, err);
	if (rc < 0)
		return rc;
	mm_place_say(&a->place, verb, a->talk);
	struct db_options db = { .app = "matter-purge", .interrupted = ark_interrupted };
	rc = db_open(a->place.dsn.data, &db, &a->conn, err);
	if (rc == ARK_OK)
		rc = db_refuse_pooler(a->conn, "the lock that keeps two purges apart", err);
	if (rc == ARK_OK)
		rc = mm_detect(a->conn, &a->info, err);
	if (rc == ARK_OK)
		rc = mm_db_usable(a->info, err);
	for (size_t i = 0; rc == ARK_OK && i < mm_db_warning_count(a->info); i++)
		ark_warn(a->talk, "purge.schema", "%s", mm_db_warning(a->info, i));
	return rc;
}

void purge_bar_begin(struct purge_app *a, const char *phase, const char *noun, uint64_t items)
{
	if (!a->bar_runs)
		ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	ark_progress_phase(&a->bar, phase, noun, items, 0);
}

void purge_bar_end(struct purge_app *a)
{
	if (a->bar_runs)
		ark_progress_end(&a->bar);
	a->bar_runs = false;
}

/*
 * matter-history: Mattermost conversations as a git repository. Reads as matter-export does, with the same
 * files of export/.
 *
 *	main.c options.c        this file: which command
 *	update.c                the command `update` as a list of phases
 *	survey.c digest.c       how many messages there are where, and in which days they may differ
 *	first.c days.c          commits of a first run, its day files
 *	later.c merge.c         the one of a later run, and the days in it
 *	render.c alike.c old.c  what stands in the files, and what of it says the same
 *	forest.c tree.c body.c pack.c sort.c   folders, their lists, objects on their way into packs, days in order
 *	repo.c publish.c push.c the repository; the moment in which the branch moves; remotes
 *	rebuild.c               the commits without what was purged
 *	show.c pager.c          reading
 */
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/cli/render.h"
#include "common/cli/start.h"
#include "export/history/history.h"

#include "common/base/banned.h"

/* By default; more readers would not fit into 64 MB beside the packs. */
#define JOBS_MAX 2

static void history_release(struct history *h)
{
	export_app_release(&h->app);
	history_forest_free(h->forest);
	history_sort_free(h->sort);
	history_packs_free(h->packs);
	history_press_free(h->press);
	history_repo_close(h->repo);
	history_start_end(&h->start);
	ark_pool_release(&h->strings);
	ark_buf_release(&h->scope_text);
	free(h->counts);
	free(h->paths);
	free(h->ranges);
}

static void tell_others(struct history *h, enum ark_exit code, const struct ark_err *err)
{
	notify_target(&h->app.told, ark_str_z(h->app.args->operands.items[0]));
	notify_close(&h->app.told, code, err, h->app.talk);
}

static int run(const struct history_config *config, const struct ark_args *args, struct ark_talk *talk)
{
	static int (*const COMMANDS[])(struct history *h, struct ark_err *err) = {
		[HISTORY_UPDATE] = history_command_update,
		[HISTORY_SHOW] = history_command_show,
		[HISTORY_LOG] = history_command_log,
		[HISTORY_REBUILD] = history_command_rebuild,
	};
	struct ark_err err = { 0 };
	ark_auto(history_release) struct history h = { .config = config };
	export_app_init(&h.app, &config->export, args, talk);
	ark_buf_init(&h.scope_text, LIMIT_HISTORY_SMALL);
	if (notify_open(&h.app.told, &config->export.notify, args, config->export.dry_run, talk, &err) < 0)
		return ark_fail(talk, &err);
	int rc = history_push_check(&h, &err);
	if (rc == ARK_OK)
		rc = COMMANDS[ark_args_command(args)](&h, &err);
	if (h.app.bar_runs)
		ark_progress_end(&h.app.bar);
	h.app.bar_runs = false;
	enum ark_exit code = rc < 0 ? ark_fail(talk, &err) : (enum ark_exit)rc;
	tell_others(&h, code, rc < 0 ? &err : NULL);
	return (int)code;
}

int main(int argc, char **argv)
{
	struct history_config config = { 0 };
	struct ark_talk talk;
	ark_auto(ark_args_release) struct ark_args args = { 0 };
	int code;
	setlocale(LC_CTYPE, "C.UTF-8");
	(void)umask(077);
	if (!ark_start(&HISTORY_TOOL, argc, argv, &config, &args, &talk, &code))
		return code;
	if (args.common.show_config) {
		ark_show_config(&args, &config, &talk);
		if (ark_args_command(&args) == HISTORY_UPDATE)
			export_source_show(&config.export.place, &args, &HISTORY_TOOL, &talk);
		return ark_finish(&talk, ARK_EXIT_DONE);
	}
	if (config.export.jobs == 0)
		config.export.jobs = sysconf(_SC_NPROCESSORS_ONLN) < JOBS_MAX ? 1 : JOBS_MAX;
	return ark_finish(&talk, (enum ark_exit)run(&config, &args, &talk));
}

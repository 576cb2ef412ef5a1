/*
 * matter-export: Mattermost conversations out of the database.
 *
 *	main.c options.c        this file: which command
 *	run.c source.c          the command `run` as a list of phases; database, snapshot, file store
 *	select.c people.c plan.c   what is in scope, counted and cut into tasks
 *	crew.c read.c bodies.c  threads; posts with all that hangs on them; attachments
 *	record.c formats/       the record, and one file per output format
 *	about.c                 people, channels, run.json
 *	out.c bag.c             the tree of files, and the bag it is
 *	chain.c compare.c state.c   incremental runs: what differs from the one before
 *	sign.c seal.c           keys and signatures; time stamps, and the last steps of an export
 *	merge.c                 parts of a run (--shard) to one export
 *	upload.c                an export in a bucket
 *	series.c folder.c verify.c   reading exports that are there: verify, list
 */
#include <locale.h>

#include "common/base/limits.h"
#include "common/cli/start.h"
#include "export/app.h"

#include "common/base/banned.h"

static void tell_others(struct export_app *a, enum ark_exit code, const struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf target;
	ark_buf_init(&target, LIMIT_DSN);
	mm_place_text(&a->place, &target);
	notify_target(&a->told, ark_buf_view(&target));
	notify_close(&a->told, code, err, a->talk);
}

static int run(const struct export_config *config, const struct ark_args *args, struct ark_talk *talk)
{
	static int (*const COMMANDS[])(struct export_app *a, struct ark_err *err) = {
		[COMMAND_RUN] = export_command_run,
		[COMMAND_VERIFY] = export_command_verify,
		[COMMAND_LIST] = export_command_list,
		[COMMAND_KEYGEN] = export_command_keygen,
		[COMMAND_MERGE] = export_command_merge,
	};
	struct ark_err err = { 0 };
	ark_auto(export_app_release) struct export_app app;
	export_app_init(&app, config, args, talk);
	if (notify_open(&app.told, &config->notify, args, config->dry_run, talk, &err) < 0)
		return ark_fail(talk, &err);
	int rc = COMMANDS[ark_args_command(args)](&app, &err);
	if (app.bar_runs)
		ark_progress_end(&app.bar);
	app.bar_runs = false;
	enum ark_exit code = rc < 0 ? ark_fail(talk, &err) : (enum ark_exit)rc;
	tell_others(&app, code, rc < 0 ? &err : NULL);
	return (int)code;
}

int main(int argc, char **argv)
{
	struct export_config config = { 0 };
	struct ark_talk talk;
	ark_auto(ark_args_release) struct ark_args args = { 0 };
	int code;
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!ark_start(&EXPORT_TOOL, argc, argv, &config, &args, &talk, &code))
		return code;
	if (args.common.show_config) {
		export_show_config(&config, &args, &talk);
		return ark_finish(&talk, ARK_EXIT_DONE);
	}
	return ark_finish(&talk, (enum ark_exit)run(&config, &args, &talk));
}

/*
 * matter-purge: Mattermost messages removed for good, with everything that hangs on them.
 *
 *	main.c options.c app.c   this file: the commands by name; what they share
 *	plan.c                   scope.c hold.c (who and where, as SQL), select.c (which messages), planfile.c
 *	apply.c                  archive.c (is it kept elsewhere), batch.c (one transaction), settle.c (what
 *	                         is left to do behind it: files, counts), record.c (runs)
 *	log.c
 *
 * The statements that delete stand in common/mm/purge.c, because a restore needs them too.
 */
#include <locale.h>

#include "common/base/limits.h"
#include "common/cli/start.h"
#include "purge/app.h"

#include "common/base/banned.h"

static int (*const COMMANDS[COMMAND_COUNT])(struct purge_app *a, struct ark_err *err) = {
	[COMMAND_PLAN] = purge_command_plan,
	[COMMAND_APPLY] = purge_command_apply,
	[COMMAND_LOG] = purge_command_log,
};

static void tell_others(struct purge_app *a, enum ark_exit code, const struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf target;
	ark_buf_init(&target, LIMIT_DSN);
	mm_place_text(&a->place, &target);
	notify_target(&a->told, ark_buf_view(&target));
	notify_close(&a->told, code, err, a->talk);
}

static int run(const struct purge_config *config, struct ark_args *args, struct ark_talk *talk)
{
	struct ark_err err = { 0 };
	ark_auto(purge_app_release) struct purge_app app = { .config = config, .args = args, .talk = talk };
	mm_place_init(&app.place);
	if (args->common.show_config) {
		purge_show_config(&app);
		return ARK_EXIT_DONE;
	}
	if (notify_open(&app.told, &config->notify, args, config->dry_run, talk, &err) < 0)
		return ark_fail(talk, &err);
	int rc = COMMANDS[ark_args_command(args)](&app, &err);
	purge_bar_end(&app);
	enum ark_exit code = rc < 0 ? ark_fail(talk, &err) : (enum ark_exit)rc;
	tell_others(&app, code, rc < 0 ? &err : NULL);
	return (int)code;
}

int main(int argc, char **argv)
{
	struct purge_config config = { 0 };
	struct ark_talk talk;
	ark_auto(ark_args_release) struct ark_args args = { 0 };
	int code;
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!ark_start(&PURGE_TOOL, argc, argv, &config, &args, &talk, &code))
		return code;
	return ark_finish(&talk, (enum ark_exit)run(&config, &args, &talk));
}

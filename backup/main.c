/*
 * matter-backup: consistent snapshots of a running Mattermost.
 *
 *	main.c options.c app.c   this file: the commands by name; what they share
 *	create.c                 source.c (tables, locks, one moment), dump.c (schema), files.c
 *	                         filestore.c (bodies), settings.c (configuration)
 *	rows/                    rows in segments, the dictionary, threads
 *	repo/                    writing: packs, lists, intents; common/repo reads
 *	restore.c drill.c        restore/: target.c (which database), load.c (rows and indexes), bodies.c
 *	                         (files), testinst.c (neutralise/, people, proof)
 *	list.c verify.c prune.c extract.c init.c   the other commands
 */
#include <locale.h>

#include "backup/app.h"
#include "common/cli/render.h"
#include "common/cli/start.h"

#include "common/base/banned.h"

static int (*const COMMANDS[COMMAND_COUNT])(struct app *a, struct ark_err *err) = {
	[COMMAND_INIT] = run_init,
	[COMMAND_CREATE] = run_create,
	[COMMAND_LIST] = run_list,
	[COMMAND_SHOW] = run_show,
	[COMMAND_DIFF] = run_diff,
	[COMMAND_FIND] = run_find,
	[COMMAND_VERIFY] = run_verify,
	[COMMAND_CHECK] = run_check,
	[COMMAND_PRUNE] = run_prune,
	[COMMAND_UNDELETE] = run_undelete,
	[COMMAND_EXTRACT] = run_extract,
	[COMMAND_RESTORE] = run_restore,
	[COMMAND_DRILL] = run_drill,
	[COMMAND_KEYGEN] = run_keygen,
};

static void show_config(struct app *a)
{
	ark_show_config(a->args, a->config, a->talk);
	if (ark_args_command(a->args) == COMMAND_CREATE) {
		struct mm_place_how how = { .app = "matter-backup", .has_files = true };
		mm_place_show(&a->config->place, a->args, &how, a->talk);
	}
}

int main(int argc, char **argv)
{
	struct backup_config config = { 0 };
	struct ark_talk talk;
	ark_auto(ark_args_release) struct ark_args args = { 0 };
	int code;
	setlocale(LC_CTYPE, "C.UTF-8"); /* names in tar files are UTF-8 whatever the user's locale is */
	if (!ark_start(&BACKUP_TOOL, argc, argv, &config, &args, &talk, &code))
		return code;
	ark_auto(app_release) struct app app = { .config = &config, .args = &args, .talk = &talk };
	mm_place_init(&app.place);
	if (args.common.show_config) {
		show_config(&app);
		return ark_finish(&talk, ARK_EXIT_DONE);
	}
	struct ark_err err = { 0 };
	if (notify_open(&app.told, &config.notify, &args, config.dry_run, &talk, &err) < 0)
		return ark_finish(&talk, ark_fail(&talk, &err));
	int rc = COMMANDS[ark_args_command(&args)](&app, &err);
	app_bar_end(&app);
	code = rc < 0 ? (int)ark_fail(&talk, &err) : rc;
	app_tell_others(&app, (enum ark_exit)code, rc < 0 ? &err : NULL);
	if (rc >= 0)
		return ark_finish(&talk, (enum ark_exit)rc);
	/* what a monitoring system asks for has its own codes */
	return ark_finish(&talk, ark_args_command(&args) == COMMAND_CHECK ? (enum ark_exit)3 : (enum ark_exit)code);
}

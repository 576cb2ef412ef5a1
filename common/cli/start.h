/*
 * The beginning of every main: options, help, signals, first messages.
 *
 *	int main(int argc, char **argv)
 *	{
 *		struct config config;
 *		struct ark_talk talk;
 *		ark_auto(ark_args_release) struct ark_args args = { 0 };
 *		int code;
 *		if (!ark_start(&TOOL, argc, argv, &config, &args, &talk, &code))
 *			return code;
 *		return ark_finish(&talk, run(&config, &args, &talk));
 *	}
 */
#ifndef ARK_CLI_START_H
#define ARK_CLI_START_H

#include "common/cli/args.h"
#include "common/cli/talk.h"

/*
 * Read the options (ark_args_read with the process's environment), install the signal handlers, set
 * up `talk`, answer --help and its like, print usage errors and warnings about configuration files.
 * Returns true when the command is to be run; false when everything is done: exit with *code.
 * --show-config is left to the tool, which may find out more first (ark_show_config in render.h).
 */
bool ark_start(const struct ark_tool *tool, int argc, char *const *argv, void *config,
               struct ark_args *args, struct ark_talk *talk, int *code);

#endif

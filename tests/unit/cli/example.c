/* The made-up tool as a program, for the tests that need a process: says what it was told. */
#include "tests/unit/cli/example.h"
#include "common/cli/progress.h"
#include "common/cli/render.h"
#include "common/cli/signal.h"
#include "common/cli/start.h"

#include "common/base/banned.h"

static enum ark_exit look(const struct ark_args *args, struct ark_talk *talk)
{
	struct ark_progress bar;
	ark_progress_begin(&bar, talk);
	ark_progress_phase(&bar, "looking", "archives", args->operands.count, 0);
	ark_info(talk, "example.looking", "looking at %zu archives", args->operands.count);
	for (size_t i = 0; i < args->operands.count; i++) {
		ark_out(talk, "%s", args->operands.items[i]);
		ark_progress_add(&bar, 1, 0);
	}
	ark_progress_end(&bar);
	struct ark_event e;
	ark_event_begin(&e, "summary", "example.done");
	ark_event_u64(&e, "archives", args->operands.count);
	ark_event_send(&e, talk);
	return ARK_EXIT_DONE;
}

static enum ark_exit run(const struct example *config, struct ark_args *args, struct ark_talk *talk)
{
	struct ark_err err = { 0 };
	if (args->common.show_config) {
		ark_show_config(args, config, talk);
		return ARK_EXIT_DONE;
	}
	if (args->command == &EXAMPLE_COMMANDS[0])
		return look(args, talk);
	ark_warn(talk, "example.nothing", "'%s' does nothing; continuing", args->command->name);
	ark_err_set(&err, ARK_KIND_REFUSED, "this is an example");
	return ark_fail(talk, &err);
}

int main(int argc, char **argv)
{
	struct example config;
	struct ark_talk talk;
	ark_auto(ark_args_release) struct ark_args args = { 0 };
	int code;
	if (!ark_start(&EXAMPLE, argc, argv, &config, &args, &talk, &code))
		return code;
	return ark_finish(&talk, run(&config, &args, &talk));
}

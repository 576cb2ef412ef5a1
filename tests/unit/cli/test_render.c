/* Help, manual sections, completions and JSON of the example: nothing missing, nothing too wide. */
#include <stdlib.h>

#include "common/base/utf8.h"
#include "common/cli/render.h"
#include "tests/harness/tap.h"
#include "tests/unit/cli/example.h"

#include "common/base/banned.h"

#define ROOM 100000

static const struct ark_option *option(size_t i)
{
	return ark_row(&EXAMPLE, i, NULL);
}

static bool visible(const struct ark_option *o)
{
	return o->type != ARK_HEADING && (o->flags & ARK_HIDDEN) == 0;
}

/* "--name" as a whole word. */
static bool names(struct ark_str text, const char *dashes, const char *name)
{
	char word[128];
	int n = snprintf(word, sizeof(word), "%s%s", dashes, name);
	struct ark_str needle = ark_str_n(word, (size_t)n);
	for (size_t at = 0; (at = ark_str_search(text, needle, at)) != SIZE_MAX; at++) {
		char next = at + needle.len < text.len ? text.ptr[at + needle.len] : '\n';
		if (next != '-' && !(next >= 'a' && next <= 'z'))
			return true;
	}
	return false;
}

static void check_columns(struct ark_str text)
{
	for (size_t at = 0; at < text.len;) {
		size_t end = ark_str_find(text, '\n', at);
		struct ark_str line = ark_str_n(text.ptr + at, end - at);
		CHECK(end != SIZE_MAX);
		if (end == SIZE_MAX)
			return;
		if (ark_utf8_columns(line) > ARK_HELP_COLUMNS ||
		    (line.len > 0 && line.ptr[line.len - 1] == ' ')) {
			tap_bad = 1;
			printf("# bad line: %.*s\n", ARK_FMT(line));
		}
		at = end + 1;
	}
}

static void help_of_a_command_has_its_options_and_no_others(void)
{
	for (size_t c = 0; c < EXAMPLE.command_count; c++) {
		ark_auto(ark_buf_release) struct ark_buf b;
		ark_buf_init(&b, ROOM);
		ark_render_help(&EXAMPLE, &EXAMPLE_COMMANDS[c], &b);
		check_columns(ark_buf_view(&b));
		for (size_t i = 0; i < ark_rows(&EXAMPLE); i++) {
			const struct ark_option *o = option(i);
			bool want = visible(o) && (o->flags & ARK_NOT_ARGV) == 0 &&
			            ark_option_applies(&EXAMPLE, o, &EXAMPLE_COMMANDS[c]);
			if (o->type != ARK_HEADING &&
			    names(ark_buf_view(&b), "  --", o->name) != (want && o->letter == 0) &&
			    names(ark_buf_view(&b), ", --", o->name) != want) {
				tap_bad = 1;
				printf("# '%s' in the help of %s\n", o->name,
				       EXAMPLE_COMMANDS[c].name);
			}
		}
	}
}

static void help_as_a_whole(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, ROOM);
	ark_render_help(&EXAMPLE, &EXAMPLE_COMMANDS[1], &b);
	size_t common = ark_str_search(ark_buf_view(&b), ARK_LIT("\nCommon options:"), 0);
	CHECK(common != SIZE_MAX);
	CHECK_STR(ark_str_first(ark_buf_view(&b), common),
	          "Usage: matter-example load --team NAME [OPTION]... ARCHIVE...\n"
	          "\n"
	          "load archives into the database\n"
	          "\n"
	          "A second run over the same archives changes nothing. This paragraph is long\n"
	          "enough to need a second line in a terminal of eighty columns.\n"
	          "\n"
	          "Where to:\n"
	          "      --database URL        database to write to\n"
	          "      --embedded[=DIR]      use a private database under DIR\n"
	          "  -t, --team NAME           team that receives the channels; its name as it\n"
	          "                            stands in addresses (required)\n"
	          "\n"
	          "What:\n"
	          "  -c, --channels GLOB       only channels of this name; may be repeated\n"
	          "      --since TIME          only messages from this moment on\n"
	          "      --no-direct           leave direct messages out\n"
	          "      --bots WHAT           messages of bots: keep, skip (default: keep)\n"
	          "\n"
	          "How:\n"
	          "  -j, --jobs N              connections side by side, 1 to 64 (default: 4)\n"
	          "      --memory SIZE         memory to stay under (default: 256M)\n"
	          "  -n, --dry-run             print the plan, write nothing\n"
	          "  -o, --output FILE         write the report here\n");
}

static void help_of_the_tool_lists_commands(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, ROOM);
	ark_render_help(&EXAMPLE, NULL, &b);
	check_columns(ark_buf_view(&b));
	CHECK(ark_str_starts(
	    ark_buf_view(&b),
	    ARK_LIT("Usage: matter-example COMMAND [OPTION]...\n\nAn example of a tool\n"
		    "\nCommands:\n  look ARCHIVE...           look at archives, write "
		    "nothing\n")));
	CHECK(strstr(b.data, "--team ours") != NULL && strstr(b.data, "-t, --team") == NULL);
}

static void common_options_have_help(void)
{
	size_t count;
	const struct ark_option *rows = ark_common_options(&count);
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, ROOM);
	ark_render_help(&EXAMPLE, NULL, &b);
	for (size_t i = 0; i < count; i++)
		CHECK(!visible(&rows[i]) || names(ark_buf_view(&b), "--", rows[i].name));
	CHECK(strstr(b.data, "--render") == NULL);
}

static void manual_has_every_option_and_variable(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, ROOM);
	ark_render_man(&EXAMPLE, &b);
	static const char *const SECTIONS[] = { ".SH COMMANDS\n", ".SH OPTIONS\n",
		                                ".SH ENVIRONMENT\n", ".SH FILES\n",
		                                ".SH EXIT STATUS\n" };
	for (size_t i = 0; i < 5; i++)
		CHECK(strstr(b.data, SECTIONS[i]) != NULL);
	for (size_t i = 0; i < ark_rows(&EXAMPLE); i++) {
		const struct ark_option *o = option(i);
		char env[ARK_ENV_NAME], name[256] = "\\fB\\-\\-";
		ark_option_env(o, env);
		if (!visible(o))
			continue;
		for (const char *p = o->name; *p != '\0'; p++) {
			size_t len = strlen(name);
			snprintf(name + len, sizeof(name) - len, *p == '-' ? "\\-" : "%c", *p);
		}
		CHECK((strstr(b.data, name) != NULL) == ((o->flags & ARK_NOT_ARGV) == 0));
		CHECK(env[0] == '\0' || strstr(b.data, env) != NULL);
	}
	CHECK(strstr(b.data, "For \\fBlook\\fR and \\fBload\\fR.\n") != NULL);
}

static void completions_know_every_option(void)
{
	ark_auto(ark_buf_release) struct ark_buf bash, zsh, fish;
	ark_buf_init(&bash, ROOM);
	ark_buf_init(&zsh, ROOM);
	ark_buf_init(&fish, ROOM);
	ark_render_bash(&EXAMPLE, &bash);
	ark_render_zsh(&EXAMPLE, &zsh);
	ark_render_fish(&EXAMPLE, &fish);
	for (size_t i = 0; i < ark_rows(&EXAMPLE); i++) {
		const struct ark_option *o = option(i);
		if (o->type == ARK_HEADING)
			continue;
		bool want = visible(o) && (o->flags & ARK_NOT_ARGV) == 0;
		CHECK(names(ark_buf_view(&bash), "--", o->name) == want);
		CHECK(names(ark_buf_view(&zsh), "--", o->name) == want);
		CHECK(names(ark_buf_view(&fish), " -l ", o->name) == want);
	}
}

/* A tool without commands, as some are: options stand right behind its name. */
static void a_tool_without_commands(void)
{
	static const struct ark_command ONE[] = { { NULL, "copies", "FROM TO", 2, 2 } };
	static const struct ark_tool TOOL = { .name = "matter-one",
					      .version = "1",
					      .summary = "Copies",
					      .commands = ONE,
					      .command_count = 1 };
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, ROOM);
	ark_render_help(&TOOL, &ONE[0], &b);
	CHECK(ark_str_starts(ark_buf_view(&b), ARK_LIT("Usage: matter-one [OPTION]... FROM TO\n")));
	CHECK(strstr(b.data, "COMMAND") == NULL && strstr(b.data, "\nCommands:") == NULL);
	ark_buf_reset(&b);
	ark_render_bash(&TOOL, &b);
	ark_render_zsh(&TOOL, &b);
	ark_render_fish(&TOOL, &b);
	ark_render_json(&TOOL, &b);
	ark_render_man(&TOOL, &b);
	CHECK(!b.failed && strstr(b.data, "(null)") == NULL);
	char name[] = "matter-one", from[] = "a", to[] = "b", *argv[] = { name, from, to, NULL };
	char *none[] = { NULL };
	struct ark_args args;
	struct ark_err err = { 0 };
	struct ark_places places = { .environ = none };
	CHECK_I64(ark_args_read(&TOOL, 3, argv, &places, NULL, &args, &err), ARK_OK);
	CHECK_I64(args.operands.count, 2);
	ark_args_release(&args);
}

int main(void)
{
	TAP_RUN(help_of_a_command_has_its_options_and_no_others);
	TAP_RUN(help_as_a_whole);
	TAP_RUN(help_of_the_tool_lists_commands);
	TAP_RUN(common_options_have_help);
	TAP_RUN(manual_has_every_option_and_variable);
	TAP_RUN(completions_know_every_option);
	TAP_RUN(a_tool_without_commands);
	return tap_done();
}

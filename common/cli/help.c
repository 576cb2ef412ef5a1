/* --help: two columns of text that fit a terminal of 80. */
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/cli/private.h"
#include "common/cli/render.h"

#include "common/base/banned.h"

#define TEXT_COLUMN 28

/* "--channels GLOB", "--embedded[=DIR]", "--quiet" */
static void ark_usage(const struct ark_option *option, struct ark_buf *out)
{
	ark_buf_z(out, "--");
	ark_buf_z(out, option->name);
	if (option->type == ARK_MAYBE)
		ark_buf_fmt(out, "[=%s]", option->arg);
	else if (option->arg != NULL)
		ark_buf_fmt(out, " %s", option->arg);
}

void ark_describe(const struct ark_option *option, struct ark_buf *out)
{
	ark_buf_z(out, option->help);
	if (option->type == ARK_CHOICE) {
		ark_buf_z(out, ": ");
		for (size_t i = 0; option->words[i] != NULL; i++)
			ark_buf_fmt(out, "%s%s", i > 0 ? ", " : "", option->words[i]);
	}
	if (option->type == ARK_NUMBER && (option->min != 0 || option->max != 0))
		ark_buf_fmt(out, ", %lld to %lld", (long long)option->min, (long long)option->max);
	if (option->type == ARK_LIST)
		ark_buf_z(out, "; may be repeated");
	if ((option->flags & ARK_REQUIRED) != 0)
		ark_buf_z(out, " (required)");
	if (option->def != NULL)
		ark_buf_fmt(out, " (default: %s)", option->def);
}

/* Append words from column `at` on, continuing lines at column `indent`; ends the last line. */
static void wrap(struct ark_buf *out, const char *text, size_t at, size_t indent)
{
	struct ark_str rest = ark_str_z(text);
	bool first = true;
	while (rest.len > 0) {
		size_t end = ark_str_find(rest, ' ', 0);
		struct ark_str word = ark_str_first(rest, end);
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		size_t width = ark_utf8_columns(word);
		if (!first && at + 1 + width > ARK_HELP_COLUMNS) {
			ark_buf_fmt(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			ark_buf_c(out, ' ');
			at++;
		}
		ark_buf_str(out, word);
		at += width;
		first = false;
	}
	ark_buf_c(out, '\n');
}

/* `left` in the first column, `text` wrapped in the second. */
static void two_columns(struct ark_buf *out, const char *left, const char *text)
{
	size_t width = ark_utf8_columns(ark_str_z(left));
	ark_buf_z(out, left);
	if (width + 2 > TEXT_COLUMN)
		ark_buf_fmt(out, "\n%*s", TEXT_COLUMN, "");
	else
		ark_buf_fmt(out, "%*s", (int)(TEXT_COLUMN - width), "");
	wrap(out, text, TEXT_COLUMN, TEXT_COLUMN);
}

static void option_line(struct ark_buf *out, const struct ark_option *o)
{
	ark_auto(ark_buf_release) struct ark_buf left, text;
	ark_buf_init(&left, 1024);
	ark_buf_init(&text, 4096);
	if (o->letter != 0)
		ark_buf_fmt(&left, "  -%c, ", o->letter);
	else
		ark_buf_z(&left, "      ");
	ark_usage(o, &left);
	ark_describe(o, &text);
	two_columns(out, left.data, text.data);
}

static bool listed(const struct ark_tool *tool, const struct ark_option *o,
                   const struct ark_command *command)
{
	return o->type != ARK_HEADING && (o->flags & (ARK_HIDDEN | ARK_NOT_ARGV)) == 0 &&
	       ark_option_applies(tool, o, command);
}

static void options(const struct ark_tool *tool, const struct ark_command *command,
                    struct ark_buf *out)
{
	const char *title = "Options";
	for (size_t i = 0; i < ark_rows(tool); i++) {
		bool common;
		const struct ark_option *o = ark_row(tool, i, &common);
		/* the help of a tool with commands leaves the options to the commands */
		if (command == NULL && !common)
			continue;
		if (o->type == ARK_HEADING)
			title = o->help;
		if (!listed(tool, o, command))
			continue;
		if (title != NULL)
			ark_buf_fmt(out, "\n%s:\n", title);
		title = NULL;
		option_line(out, o);
	}
}

static void usage_line(const struct ark_tool *tool, const struct ark_command *command,
                       struct ark_buf *out)
{
	ark_buf_fmt(out, "Usage: %s", tool->name);
	if (command == NULL) {
		ark_buf_z(out, " COMMAND [OPTION]...\n");
		return;
	}
	if (command->name != NULL)
		ark_buf_fmt(out, " %s", command->name);
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (!listed(tool, o, command) || (o->flags & ARK_REQUIRED) == 0)
			continue;
		ark_buf_c(out, ' ');
		ark_usage(o, out);
	}
	ark_buf_z(out, " [OPTION]...");
	if (command->operands != NULL)
		ark_buf_fmt(out, " %s", command->operands);
	ark_buf_c(out, '\n');
}

static void commands(const struct ark_tool *tool, struct ark_buf *out)
{
	ark_buf_z(out, "\nCommands:\n");
	for (size_t i = 0; i < tool->command_count; i++) {
		const struct ark_command *c = &tool->commands[i];
		ark_auto(ark_buf_release) struct ark_buf left;
		ark_buf_init(&left, 1024);
		ark_buf_fmt(&left, "  %s", c->name);
		if (c->operands != NULL)
			ark_buf_fmt(&left, " %s", c->operands);
		two_columns(out, left.data, c->summary);
	}
	ark_buf_fmt(out, "\n'%s COMMAND --help' lists the options of a command.\n", tool->name);
}

void ark_render_help(const struct ark_tool *tool, const struct ark_command *command,
                     struct ark_buf *out)
{
	usage_line(tool, command, out);
	ark_buf_c(out, '\n');
	bool whole = command == NULL || command->name == NULL;
	wrap(out, whole ? tool->summary : command->summary, 0, 0);
	if (command != NULL && command->details != NULL) {
		ark_buf_c(out, '\n');
		wrap(out, command->details, 0, 0);
	}
	if (command == NULL)
		commands(tool, out);
	options(tool, command, out);
	if (whole && tool->examples != NULL)
		ark_buf_fmt(out, "\nExamples:\n%s", tool->examples);
}

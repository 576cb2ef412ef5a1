/* --options-json: the tables for programs (documentation, graphical front ends, tests). */
#include <string.h>

#include "common/cli/private.h"
#include "common/cli/render.h"

#include "common/base/banned.h"

static const char *const TYPES[] = {
	[ARK_HEADING] = "heading", [ARK_FLAG] = "flag",     [ARK_COUNT] = "count",
	[ARK_TEXT] = "text",       [ARK_LIST] = "list",     [ARK_NUMBER] = "number",
	[ARK_SIZE] = "size",       [ARK_TIME] = "time",     [ARK_CHOICE] = "choice",
	[ARK_MAYBE] = "optional",
};

static void command(const struct ark_command *c, struct ark_event *e)
{
	ark_event_open(e, NULL);
	ark_event_text(e, "name", ark_str_z(c->name));
	ark_event_text(e, "summary", ark_str_z(c->summary));
	ark_event_text(e, "operands", ark_str_z(c->operands));
	ark_event_u64(e, "operands_min", c->operands_min);
	if (c->operands_max != ARK_OPERANDS_ANY)
		ark_event_u64(e, "operands_max", c->operands_max);
	ark_event_close(e);
}

static void option_range(const struct ark_option *o, struct ark_event *e)
{
	if (o->def != NULL)
		ark_event_text(e, "default", ark_str_z(o->def));
	if (o->type == ARK_NUMBER && (o->min != 0 || o->max != 0)) {
		ark_event_i64(e, "min", o->min);
		ark_event_i64(e, "max", o->max);
	}
	if (o->words == NULL)
		return;
	ark_event_open_list(e, "words");
	for (size_t i = 0; o->words[i] != NULL; i++)
		ark_event_text(e, NULL, ark_str_z(o->words[i]));
	ark_event_close(e);
}

static void option(const struct ark_tool *tool, const struct ark_option *o, const char *heading,
                   struct ark_event *e)
{
	char env[ARK_ENV_NAME];
	ark_option_env(o, env);
	ark_event_open(e, NULL);
	ark_event_text(e, "name", ark_str_z(o->name));
	ark_event_text(e, "letter", o->letter != 0 ? ark_str_n(&o->letter, 1) : ARK_STR_NONE);
	ark_event_text(e, "argument", ark_str_z(o->arg));
	ark_event_text(e, "type", ark_str_z(TYPES[o->type]));
	ark_event_text(e, "heading", ark_str_z(heading));
	ark_event_text(e, "help", ark_str_z(o->help));
	ark_event_text(e, "environment", env[0] != '\0' ? ark_str_z(env) : ARK_STR_NONE);
	ark_event_bool(e, "command_line", (o->flags & ARK_NOT_ARGV) == 0);
	ark_event_bool(e, "file", (o->flags & (ARK_ONLY_ARGV | ARK_NOT_FILE)) == 0);
	ark_event_bool(e, "secret", (o->flags & ARK_SECRET) != 0);
	ark_event_bool(e, "required", (o->flags & ARK_REQUIRED) != 0);
	option_range(o, e);
	if (tool->commands[0].name != NULL) {
		ark_event_open_list(e, "commands");
		for (size_t i = 0; i < tool->command_count; i++)
			if (ark_option_applies(tool, o, &tool->commands[i]))
				ark_event_text(e, NULL, ark_str_z(tool->commands[i].name));
		ark_event_close(e);
	}
	ark_event_close(e);
}

static void exit_codes(struct ark_event *e)
{
	size_t count;
	const struct ark_exit_row *rows = ark_exit_table(&count);
	ark_event_open_list(e, "exit_codes");
	for (size_t i = 0; i < count; i++) {
		ark_event_open(e, NULL);
		ark_event_i64(e, "code", rows[i].code);
		ark_event_text(e, "meaning", ark_str_z(rows[i].meaning));
		ark_event_close(e);
	}
	ark_event_close(e);
}

void ark_render_json(const struct ark_tool *tool, struct ark_buf *out)
{
	struct ark_event e;
	const char *heading = NULL;
	ark_event_begin(&e, "options", "options");
	ark_event_text(&e, "tool", ark_str_z(tool->name));
	ark_event_text(&e, "version", ark_str_z(tool->version));
	ark_event_text(&e, "summary", ark_str_z(tool->summary));
	ark_event_open_list(&e, "commands");
	for (size_t i = 0; tool->commands[0].name != NULL && i < tool->command_count; i++)
		command(&tool->commands[i], &e);
	ark_event_close(&e);
	ark_event_open_list(&e, "options");
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (o->type == ARK_HEADING)
			heading = o->help;
		else if ((o->flags & ARK_HIDDEN) == 0)
			option(tool, o, heading, &e);
	}
	ark_event_close(&e);
	exit_codes(&e);
	ark_event_into(&e, out);
}

/*
 * Completions for three shells. The texts of the tables are ours, so quoting only has to be
 * correct, not hostile-proof; it is both.
 */
#include <stdio.h>
#include <string.h>

#include "common/cli/private.h"
#include "common/cli/render.h"

#include "common/base/banned.h"

static bool offered(const struct ark_option *o)
{
	return o->type != ARK_HEADING && (o->flags & (ARK_HIDDEN | ARK_NOT_ARGV)) == 0;
}

static bool takes_next_word(const struct ark_option *o)
{
	return o->arg != NULL && o->type != ARK_MAYBE;
}

static bool has_commands(const struct ark_tool *tool)
{
	return tool->commands[0].name != NULL;
}

/* The tool's name as part of a function name. */
static void function_name(const struct ark_tool *tool, struct ark_buf *out)
{
	ark_buf_c(out, '_');
	for (const char *p = tool->name; *p != '\0'; p++)
		ark_buf_c(out, *p == '-' ? '_' : *p);
}

static void words(const struct ark_option *o, struct ark_buf *out)
{
	for (size_t i = 0; o->words[i] != NULL; i++)
		ark_buf_fmt(out, "%s%s", i > 0 ? " " : "", o->words[i]);
}

static void bash_names(const struct ark_option *o, const char *between, struct ark_buf *out)
{
	if (o->letter != 0)
		ark_buf_fmt(out, "-%c%s", o->letter, between);
	ark_buf_fmt(out, "--%s", o->name);
}

/* A case arm per option with a value: what may stand there. */
static void bash_values(const struct ark_tool *tool, struct ark_buf *out)
{
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (!offered(o) || o->arg == NULL)
			continue;
		ark_buf_z(out, "\t");
		/* --embedded DIR is no value, --embedded=DIR is */
		if (o->type == ARK_MAYBE)
			ark_buf_fmt(out, "--%s=", o->name);
		else
			bash_names(o, "|", out);
		if (takes_next_word(o))
			ark_buf_fmt(out, "|--%s=", o->name);
		ark_buf_z(out, ")\n");
		if (o->type == ARK_CHOICE) {
			ark_buf_z(out, "\t\tmapfile -t COMPREPLY < <(compgen -W '");
			words(o, out);
			ark_buf_z(out, "' -- \"$cur\")\n");
		} else if ((o->flags & (ARK_IS_FILE | ARK_IS_FOLDER)) != 0) {
			ark_buf_fmt(out, "\t\tcompopt -o filenames 2>/dev/null\n"
			                 "\t\tmapfile -t COMPREPLY < <(compgen %s -- \"$cur\")\n",
			            (o->flags & ARK_IS_FOLDER) != 0 ? "-d" : "-f");
		}
		ark_buf_z(out, "\t\treturn ;;\n");
	}
}

static void bash_options_of(const struct ark_tool *tool, const struct ark_command *command,
                            struct ark_buf *out)
{
	bool first = true;
	for (size_t i = 0; i < ark_rows(tool); i++) {
		bool common;
		const struct ark_option *o = ark_row(tool, i, &common);
		if (!offered(o) || !ark_option_applies(tool, o, command) ||
		    (command == NULL && !common))
			continue;
		ark_buf_z(out, first ? "" : " ");
		bash_names(o, " ", out);
		first = false;
	}
}

static void bash_command_list(const struct ark_tool *tool, const char *between, struct ark_buf *out)
{
	for (size_t i = 0; i < tool->command_count; i++)
		ark_buf_fmt(out, "%s%s", i > 0 ? between : "", tool->commands[i].name);
}

/* Which words of the line are values of options, and which is the command. */
static void bash_find_command(const struct ark_tool *tool, struct ark_buf *out)
{
	bool first = true;
	ark_buf_z(out, "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	               "\t\tcase ${COMP_WORDS[i - 1]} in\n\t\t");
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (!offered(o) || !takes_next_word(o))
			continue;
		ark_buf_z(out, first ? "" : "|");
		bash_names(o, "|", out);
		first = false;
	}
	ark_buf_z(out, "|=) continue ;;\n\t\tesac\n\t\tcase ${COMP_WORDS[i]} in\n\t\t");
	bash_command_list(tool, "|", out);
	ark_buf_z(out, ") command=${COMP_WORDS[i]}; break ;;\n\t\tesac\n\tdone\n");
}

void ark_render_bash(const struct ark_tool *tool, struct ark_buf *out)
{
	ark_buf_fmt(out, "# bash completion for %s, generated from its options\n", tool->name);
	function_name(tool, out);
	ark_buf_z(out, "()\n{\n"
	               "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	               "\tlocal command='' options='' i\n"
	               "\tCOMPREPLY=()\n"
	               "\t# bash takes --name=value apart into three words\n"
	               "\tif [[ $cur == '=' ]]; then\n"
	               "\t\tcur='' prev=$prev=\n"
	               "\telif [[ $prev == '=' && $COMP_CWORD -gt 2 ]]; then\n"
	               "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}=\n"
	               "\tfi\n"
	               "\tcase $prev in\n");
	bash_values(tool, out);
	ark_buf_z(out, "\tesac\n");
	if (has_commands(tool))
		bash_find_command(tool, out);
	ark_buf_z(out, "\tcase $command in\n");
	for (size_t i = 0; i < tool->command_count; i++) {
		const struct ark_command *c = &tool->commands[i];
		ark_buf_fmt(out, "\t%s) options='", c->name != NULL ? c->name : "''");
		bash_options_of(tool, c, out);
		ark_buf_z(out, "' ;;\n");
	}
	if (has_commands(tool)) {
		ark_buf_z(out, "\t*) options='");
		bash_options_of(tool, NULL, out);
		ark_buf_z(out, "' ;;\n");
	}
	ark_buf_z(out, "\tesac\n"
	               "\tif [[ $cur == -* ]]; then\n"
	               "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n");
	if (has_commands(tool)) {
		ark_buf_z(out, "\telif [[ -z $command ]]; then\n"
		               "\t\tmapfile -t COMPREPLY < <(compgen -W '");
		bash_command_list(tool, " ", out);
		ark_buf_z(out, "' -- \"$cur\")\n");
	}
	ark_buf_z(out, "\telse\n"
	               "\t\tcompopt -o filenames 2>/dev/null\n"
	               "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	               "\tfi\n}\ncomplete -F ");
	function_name(tool, out);
	ark_buf_fmt(out, " %s\n", tool->name);
}

/* Text inside single quotes of zsh or fish; `special` gets a backslash in front. */
static void quoted(const char *z, const char *special, const char *quote, struct ark_buf *out)
{
	for (; *z != '\0'; z++) {
		if (*z == '\'') {
			ark_buf_z(out, quote);
			continue;
		}
		if (strchr(special, *z) != NULL)
			ark_buf_c(out, '\\');
		ark_buf_c(out, *z);
	}
}

static void zsh_action(const struct ark_option *o, struct ark_buf *out)
{
	if (o->arg == NULL)
		return;
	ark_buf_fmt(out, "%s:%s:", o->type == ARK_MAYBE ? ":" : "", o->arg);
	if (o->type == ARK_CHOICE) {
		ark_buf_c(out, '(');
		words(o, out);
		ark_buf_c(out, ')');
	} else if ((o->flags & ARK_IS_FOLDER) != 0) {
		ark_buf_z(out, "_files -/");
	} else if ((o->flags & ARK_IS_FILE) != 0) {
		ark_buf_z(out, "_files");
	} else {
		ark_buf_c(out, ' ');
	}
}

/* One specification of _arguments. */
static void zsh_option(const struct ark_option *o, struct ark_buf *out)
{
	bool again = o->type == ARK_LIST || o->type == ARK_COUNT;
	const char *equals = takes_next_word(o) ? "=" : o->type == ARK_MAYBE ? "=-" : "";
	ark_buf_z(out, " \\\n\t\t");
	if (again)
		ark_buf_z(out, "'*'");
	else if (o->letter != 0)
		ark_buf_fmt(out, "'(-%c --%s)'", o->letter, o->name);
	if (o->letter != 0)
		ark_buf_fmt(out, "{-%c%s,--%s%s}'", o->letter, takes_next_word(o) ? "+" : "",
			    o->name, equals);
	else
		ark_buf_fmt(out, "'--%s%s", o->name, equals);
	ark_buf_c(out, '[');
	quoted(o->help, "\\[]", "'\\''", out);
	ark_buf_c(out, ']');
	zsh_action(o, out);
	ark_buf_c(out, '\'');
}

static void zsh_options_of(const struct ark_tool *tool, const struct ark_command *command,
                           struct ark_buf *out)
{
	for (size_t i = 0; i < ark_rows(tool); i++) {
		bool common;
		const struct ark_option *o = ark_row(tool, i, &common);
		if (offered(o) && ark_option_applies(tool, o, command) &&
		    (command != NULL || common))
			zsh_option(o, out);
	}
	if (command != NULL && command->operands != NULL)
		ark_buf_fmt(out, " \\\n\t\t'*:%s:_files'", command->operands);
	ark_buf_c(out, '\n');
}

void ark_render_zsh(const struct ark_tool *tool, struct ark_buf *out)
{
	ark_buf_fmt(out, "#compdef %s\n# generated from its options\n", tool->name);
	function_name(tool, out);
	ark_buf_z(out, "()\n{\n");
	if (!has_commands(tool)) {
		ark_buf_z(out, "\t_arguments -s -S");
		zsh_options_of(tool, &tool->commands[0], out);
	} else {
		ark_buf_z(out, "\tlocal curcontext=$curcontext state line\n"
		               "\ttypeset -A opt_args\n"
		               "\tlocal -a commands=(\n");
		for (size_t i = 0; i < tool->command_count; i++) {
			ark_buf_fmt(out, "\t\t'%s:", tool->commands[i].name);
			quoted(tool->commands[i].summary, "\\:", "'\\''", out);
			ark_buf_z(out, "'\n");
		}
		ark_buf_z(out,
			  "\t)\n\t_arguments -s -S -C '1:command:->command' '*::argument:->rest'");
		zsh_options_of(tool, NULL, out);
		ark_buf_z(out, "\tcase $state in\n"
		               "\tcommand) _describe -t commands command commands ;;\n"
		               "\trest)\n\t\tcase $words[1] in\n");
		for (size_t i = 0; i < tool->command_count; i++) {
			ark_buf_fmt(out, "\t\t%s) _arguments -s -S", tool->commands[i].name);
			zsh_options_of(tool, &tool->commands[i], out);
			ark_buf_z(out, "\t\t;;\n");
		}
		ark_buf_z(out, "\t\tesac ;;\n\tesac\n");
	}
	ark_buf_z(out, "}\n");
	function_name(tool, out);
	ark_buf_z(out, " \"$@\"\n");
}

/* -n '...': the commands to which the option belongs. */
static void fish_condition(const struct ark_tool *tool, const struct ark_option *o,
                           struct ark_buf *out)
{
	size_t n = 0;
	for (size_t i = 0; i < tool->command_count; i++)
		n += ark_option_applies(tool, o, &tool->commands[i]);
	if (n == tool->command_count)
		return;
	ark_buf_z(out, " -n '__fish_seen_subcommand_from");
	for (size_t i = 0; i < tool->command_count; i++)
		if (ark_option_applies(tool, o, &tool->commands[i]))
			ark_buf_fmt(out, " %s", tool->commands[i].name);
	ark_buf_c(out, '\'');
}

static void fish_option(const struct ark_tool *tool, const struct ark_option *o,
			struct ark_buf *out)
{
	ark_buf_fmt(out, "complete -c %s", tool->name);
	fish_condition(tool, o, out);
	ark_buf_fmt(out, " -l %s", o->name);
	if (o->letter != 0)
		ark_buf_fmt(out, " -s %c", o->letter);
	if (o->type == ARK_CHOICE) {
		ark_buf_z(out, " -x -a '");
		words(o, out);
		ark_buf_c(out, '\'');
	} else if ((o->flags & ARK_IS_FOLDER) != 0) {
		ark_buf_fmt(out, "%s -a '(__fish_complete_directories)'",
		            o->type == ARK_MAYBE ? "" : " -x");
	} else if ((o->flags & ARK_IS_FILE) != 0) {
		ark_buf_z(out, " -r -F");
	} else if (takes_next_word(o)) {
		ark_buf_z(out, " -x");
	}
	ark_buf_z(out, " -d '");
	quoted(o->help, "\\", "\\'", out);
	ark_buf_z(out, "'\n");
}

void ark_render_fish(const struct ark_tool *tool, struct ark_buf *out)
{
	ark_buf_fmt(out, "# fish completion for %s, generated from its options\n", tool->name);
	ark_buf_fmt(out, "complete -c %s -f\n", tool->name);
	for (size_t i = 0; i < tool->command_count; i++) {
		const struct ark_command *c = &tool->commands[i];
		if (has_commands(tool)) {
			ark_buf_fmt(out, "complete -c %s -n __fish_use_subcommand -a %s -d '",
			            tool->name, c->name);
			quoted(c->summary, "\\", "\\'", out);
			ark_buf_z(out, "'\n");
		}
		if (c->operands == NULL)
			continue;
		ark_buf_fmt(out, "complete -c %s", tool->name);
		if (has_commands(tool))
			ark_buf_fmt(out, " -n '__fish_seen_subcommand_from %s'", c->name);
		ark_buf_z(out, " -F\n");
	}
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (offered(o))
			fish_option(tool, o, out);
	}
}

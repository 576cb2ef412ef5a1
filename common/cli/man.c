/* The generated half of a manual page; the other half is prose in man/. */
#include <stdio.h>
#include <string.h>

#include "common/cli/private.h"
#include "common/cli/render.h"

#include "common/base/banned.h"

/* Paths and options: a hyphen at the end of a line would become part of them. */
static bool stays_whole(struct ark_str word)
{
	word = ark_str_first(word, ark_str_find(word, ' ', 0));
	return ark_str_find(word, '/', 0) != SIZE_MAX || ark_str_starts(word, ARK_LIT("--"));
}

/* Text for roff: no requests, no escapes, and dashes that can be copied into a shell. */
static void text(struct ark_buf *out, struct ark_str s)
{
	if (s.len > 0 && (s.ptr[0] == '.' || s.ptr[0] == '\''))
		ark_buf_z(out, "\\&");
	for (size_t i = 0; i < s.len; i++) {
		if ((i == 0 || s.ptr[i - 1] == ' ') && stays_whole(ark_str_from(s, i)))
			ark_buf_z(out, "\\%");
		switch (s.ptr[i]) {
		case '\\': ark_buf_z(out, "\\e"); break;
		case '-': ark_buf_z(out, "\\-"); break;
		case '\'': ark_buf_z(out, "\\(aq"); break;
		case '~': ark_buf_z(out, "\\(ti"); break;
		case '^': ark_buf_z(out, "\\(ha"); break;
		case '"': ark_buf_z(out, "\\(dq"); break;
		default: ark_buf_c(out, s.ptr[i]); break;
		}
	}
}

static void textz(struct ark_buf *out, const char *z)
{
	text(out, ark_str_z(z));
}

/* A sentence from the tables: they have neither capital nor full stop. */
static void sentence(struct ark_buf *out, const char *z)
{
	char first = z[0] >= 'a' && z[0] <= 'z' ? (char)(z[0] - 'a' + 'A') : z[0];
	text(out, ark_str_n(&first, 1));
	textz(out, z + 1);
	ark_buf_z(out, ".\n");
}

static void bold(struct ark_buf *out, const char *z)
{
	ark_buf_z(out, "\\fB");
	textz(out, z);
	ark_buf_z(out, "\\fR");
}

static void italic(struct ark_buf *out, const char *z)
{
	ark_buf_z(out, "\\fI");
	textz(out, z);
	ark_buf_z(out, "\\fR");
}

static void commands(const struct ark_tool *tool, struct ark_buf *out)
{
	if (tool->commands[0].name == NULL)
		return;
	ark_buf_z(out, ".SH COMMANDS\n");
	for (size_t i = 0; i < tool->command_count; i++) {
		const struct ark_command *c = &tool->commands[i];
		ark_buf_z(out, ".TP\n");
		bold(out, c->name);
		if (c->operands != NULL) {
			ark_buf_c(out, ' ');
			italic(out, c->operands);
		}
		ark_buf_c(out, '\n');
		sentence(out, c->summary);
		if (c->details != NULL) {
			textz(out, c->details);
			ark_buf_c(out, '\n');
		}
	}
}

static void command_names(const struct ark_tool *tool, const struct ark_option *o,
                          struct ark_buf *out)
{
	size_t n = 0;
	for (size_t i = 0; i < tool->command_count; i++)
		n += ark_option_applies(tool, o, &tool->commands[i]);
	if (n == tool->command_count)
		return;
	ark_buf_z(out, "For ");
	for (size_t i = 0; i < tool->command_count; i++) {
		if (!ark_option_applies(tool, o, &tool->commands[i]))
			continue;
		bold(out, tool->commands[i].name);
		n--;
		ark_buf_z(out, n > 1 ? ", " : n == 1 ? " and " : ".\n");
	}
}

static void option(const struct ark_tool *tool, const struct ark_option *o, struct ark_buf *out)
{
	ark_buf_z(out, ".TP\n");
	if (o->letter != 0) {
		bold(out, (char[]){ '-', o->letter, '\0' });
		ark_buf_z(out, ", ");
	}
	ark_buf_z(out, "\\fB\\-\\-");
	textz(out, o->name);
	ark_buf_z(out, "\\fR");
	if (o->arg != NULL) {
		ark_buf_z(out, o->type == ARK_MAYBE ? "[=" : " ");
		italic(out, o->arg);
		ark_buf_z(out, o->type == ARK_MAYBE ? "]" : "");
	}
	ark_buf_c(out, '\n');
	ark_auto(ark_buf_release) struct ark_buf about;
	ark_buf_init(&about, 4096);
	ark_describe(o, &about);
	sentence(out, about.data);
	command_names(tool, o, out);
}

static void options(const struct ark_tool *tool, struct ark_buf *out)
{
	const char *title = NULL;
	ark_buf_z(
	    out,
	    ".SH OPTIONS\n"
	    "A switch \\fB\\-\\-x\\fR is taken back by \\fB\\-\\-no\\-x\\fR. Sizes are bytes or\n"
	    "carry K, M, G or T, powers of 1024. Times are dates (2024\\-05\\-01), date\\-times\n"
	    "(2024\\-05\\-01T12:00+02:00; UTC without an offset) or ages (36h, 30d, 2w).\n");
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (o->type == ARK_HEADING)
			title = o->help;
		if (o->type == ARK_HEADING || (o->flags & (ARK_HIDDEN | ARK_NOT_ARGV)) != 0)
			continue;
		if (title != NULL) {
			ark_buf_z(out, ".SS ");
			textz(out, title);
			ark_buf_c(out, '\n');
		}
		title = NULL;
		option(tool, o, out);
	}
}

static void environment(const struct ark_tool *tool, struct ark_buf *out)
{
	ark_buf_z(
	    out,
	    ".SH ENVIRONMENT\n"
	    "Each of these stands for an option, which beats it when both are given. Switches\n"
	    "take yes or no, options that may be repeated one value per line. A variable that\n"
	    "is set to nothing counts as not set.\n");
	for (size_t i = 0; i < ark_rows(tool); i++) {
		char env[ARK_ENV_NAME];
		const struct ark_option *o = ark_row(tool, i, NULL);
		ark_option_env(o, env);
		if (o->type == ARK_HEADING || (o->flags & ARK_HIDDEN) != 0 || env[0] == '\0')
			continue;
		ark_buf_z(out, ".TP\n.PD 0\n");
		bold(out, env);
		ark_buf_c(out, '\n');
		if ((o->flags & ARK_NOT_ARGV) != 0) {
			sentence(out, o->help);
			ark_buf_z(out, "Not taken from the command line, which others can read.\n");
		} else {
			ark_buf_z(out, "\\fB\\-\\-");
			textz(out, o->name);
			ark_buf_z(out, "\\fR\n");
		}
	}
	ark_buf_z(out, ".PD\n.TP\n");
	bold(out, "NO_COLOR");
	ark_buf_z(out, "\nMessages have no colours when this is set.\n");
}

static void files(const struct ark_tool *tool, struct ark_buf *out)
{
	ark_buf_z(out, ".SH FILES\n.TP\n.PD 0\n");
	italic(out, ARK_CONFIG_SYSTEM);
	ark_buf_z(out, "\n.TP\n.PD\n");
	italic(out, "~/.config/matterark.conf");
	ark_buf_z(
	    out,
	    "\nConfiguration, read in this order; the second wins. Lines are\n"
	    "\\fIkey\\fR = \\fIvalue\\fR, the key being a long option name without its dashes;\n"
	    "lines behind the header\n");
	ark_buf_c(out, '[');
	bold(out, tool->name);
	ark_buf_z(out,
		  "]\nhold for this tool only and beat the lines before the first header.\n"
		  "\\(lq#\\(rq begins a comment. Options that may be repeated repeat their key.\n"
		  "An unknown key is an error.\n");
}

static void exit_status(struct ark_buf *out)
{
	size_t count;
	const struct ark_exit_row *rows = ark_exit_table(&count);
	ark_buf_z(out, ".SH EXIT STATUS\n");
	for (size_t i = 0; i < count; i++) {
		ark_buf_fmt(out, ".TP\n.B %d\n", (int)rows[i].code);
		sentence(out, rows[i].meaning);
	}
}

void ark_render_man(const struct ark_tool *tool, struct ark_buf *out)
{
	commands(tool, out);
	options(tool, out);
	environment(tool, out);
	files(tool, out);
	exit_status(out);
}

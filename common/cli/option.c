/* Why one table: an option that is parsed but not in the manual, or the other way round, cannot
 * happen. */
#include "common/cli/option.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/cli/private.h"

#include "common/base/banned.h"

#define AT(field) offsetof(struct ark_common, field)

static const char *const RENDER_WORDS[] = { "none", "man", "bash", "zsh", "fish", "json", NULL };

static const struct ark_option COMMON[] = {
	ARK_TITLE("Common options"),
	{ "config", 0, "FILE", ARK_TEXT, AT(config), NULL, ARK_GLOBAL | ARK_NOT_FILE | ARK_IS_FILE,
	  "read this configuration file instead of " ARK_CONFIG_SYSTEM
	  " and ~/.config/matterark.conf" },
	{ "show-config", 0, NULL, ARK_FLAG, AT(show_config), NULL, ARK_GLOBAL | ARK_ONLY_ARGV,
	  "print every value and where it came from, and do nothing else" },
	{ "quiet", 'q', NULL, ARK_FLAG, AT(quiet), NULL, ARK_GLOBAL, "say nothing but errors" },
	{ "verbose", 'v', NULL, ARK_COUNT, AT(verbose), NULL, ARK_GLOBAL,
	  "say more; without a terminal once for the phases and twice for details" },
	{ "json", 0, NULL, ARK_FLAG, AT(json), NULL, ARK_GLOBAL,
	  "print the results as JSON, one object per line" },
	{ "log-json", 0, NULL, ARK_FLAG, AT(log_json), NULL, ARK_GLOBAL,
	  "write messages to standard error as JSON, one object per line" },
	{ "options-json", 0, NULL, ARK_FLAG, AT(options_json), NULL, ARK_GLOBAL | ARK_ONLY_ARGV,
	  "print commands, options and exit codes as JSON, and do nothing else" },
	{ "render", 0, "WHAT", ARK_CHOICE, AT(render), NULL,
	  ARK_GLOBAL | ARK_ONLY_ARGV | ARK_HIDDEN,
	  "print sections of the manual or a completion, and do nothing else",
	  .words = RENDER_WORDS },
	{ "help", 'h', NULL, ARK_FLAG, AT(help), NULL, ARK_GLOBAL | ARK_ONLY_ARGV,
	  "print this help, and do nothing else" },
	{ "version", 'V', NULL, ARK_FLAG, AT(version), NULL, ARK_GLOBAL | ARK_ONLY_ARGV,
	  "print the version, and do nothing else" },
};

const struct ark_option *ark_common_options(size_t *count)
{
	*count = sizeof(COMMON) / sizeof(COMMON[0]);
	return COMMON;
}

size_t ark_rows(const struct ark_tool *tool)
{
	return tool->option_count + sizeof(COMMON) / sizeof(COMMON[0]);
}

const struct ark_option *ark_row(const struct ark_tool *tool, size_t row, bool *common)
{
	bool is_common = row >= tool->option_count;
	if (common != NULL)
		*common = is_common;
	return is_common ? &COMMON[row - tool->option_count] : &tool->options[row];
}

size_t ark_row_named(const struct ark_tool *tool, struct ark_str name)
{
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (o->name != NULL && ark_str_eqz(name, o->name))
			return i;
	}
	return SIZE_MAX;
}

bool ark_option_applies(const struct ark_tool *tool, const struct ark_option *option,
                        const struct ark_command *command)
{
	if (command == NULL || option->commands == 0 || (option->flags & ARK_GLOBAL) != 0)
		return true;
	return (option->commands >> (command - tool->commands) & 1) != 0;
}

void ark_option_env(const struct ark_option *option, char out[ARK_ENV_NAME])
{
	out[0] = '\0';
	if (option->name == NULL || (option->flags & ARK_ONLY_ARGV) != 0)
		return;
	if (option->env != NULL) {
		snprintf(out, ARK_ENV_NAME, "%s", option->env);
		return;
	}
	snprintf(out, ARK_ENV_NAME, "MATTERARK_%s", option->name);
	for (char *p = out; *p != '\0'; p++) {
		if (*p == '-')
			*p = '_';
		else if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	}
}

bool ark_option_negation(const struct ark_option *option, char out[ARK_ENV_NAME])
{
	out[0] = '\0';
	if (option->type != ARK_FLAG || (option->flags & ARK_ONLY_ARGV) != 0)
		return false;
	if (strncmp(option->name, "no-", 3) == 0)
		snprintf(out, ARK_ENV_NAME, "%s", option->name + 3);
	else
		snprintf(out, ARK_ENV_NAME, "no-%s", option->name);
	return true;
}

#define NEAREST_MAX 40

/* Letters to change, insert, remove or swap with a neighbour (optimal string alignment). */
static size_t distance(struct ark_str a, struct ark_str b)
{
	size_t rows[3][NEAREST_MAX + 1];
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = above[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
			    a.ptr[i - 2] == b.ptr[j - 1] && above2[j - 2] + 1 < best)
				best = above2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[a.len % 3][b.len];
}

size_t ark_nearest(struct ark_str typed, const char *const *words, size_t count)
{
	size_t begins = 0, begin_at = SIZE_MAX, best = SIZE_MAX, best_at = SIZE_MAX;
	if (typed.len < 2 || typed.len > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		struct ark_str word = ark_str_z(words[i]);
		if (word.len > NEAREST_MAX)
			continue;
		if (ark_str_starts(word, typed)) {
			begins++;
			begin_at = i;
		}
		size_t d = distance(typed, word);
		if (d < best) {
			best = d;
			best_at = i;
		}
	}
	if (best <= 1)
		return best_at;
	if (begins == 1)
		return begin_at;
	return best <= 1 + typed.len / 4 ? best_at : SIZE_MAX;
}

static void check_type(const struct ark_tool *tool, const struct ark_option *o)
{
	bool bare = o->type == ARK_FLAG || o->type == ARK_COUNT;
	if (bare != (o->arg == NULL))
		ark_bug("%s: option '%s': a name for the value where there is none, or none where "
		        "there is one", tool->name, o->name);
	if ((o->type == ARK_CHOICE) != (o->words != NULL))
		ark_bug("%s: option '%s': words belong to a CHOICE", tool->name, o->name);
	if (o->help == NULL || strlen(o->name) + sizeof("MATTERARK_no-") > ARK_ENV_NAME)
		ark_bug("%s: option '%s': no help or name too long", tool->name, o->name);
	if (tool->command_count < 32 && o->commands >> tool->command_count != 0)
		ark_bug("%s: option '%s' belongs to a command that is not there", tool->name,
			o->name);
	if ((o->flags & ARK_ONLY_ARGV) != 0 && (o->flags & ARK_NOT_ARGV) != 0)
		ark_bug("%s: option '%s' cannot be given at all", tool->name, o->name);
}

void ark_tool_check(const struct ark_tool *tool)
{
	if (tool->command_count == 0 || tool->command_count > 32)
		ark_bug("%s: between 1 and 32 commands", tool->name);
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *a = ark_row(tool, i, NULL);
		if (a->type == ARK_HEADING)
			continue;
		check_type(tool, a);
		char negation[ARK_ENV_NAME];
		if (ark_option_negation(a, negation) &&
		    ark_row_named(tool, ark_str_z(negation)) != SIZE_MAX)
			ark_bug("%s: options '%s' and '%s'", tool->name, a->name, negation);
		for (size_t k = 0; k < i; k++) {
			const struct ark_option *b = ark_row(tool, k, NULL);
			if (b->type == ARK_HEADING)
				continue;
			if (strcmp(a->name, b->name) == 0 ||
			    (a->letter != 0 && a->letter == b->letter))
				ark_bug("%s: option '%s' is there twice", tool->name, a->name);
		}
	}
}

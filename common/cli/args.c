/*
 * Two passes over the command line: the first only finds out what was said (so that --help works
 * beside a broken configuration file and options may stand before the command), the second applies
 * it after files and environment.
 */
#include "common/cli/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/private.h"

#include "common/base/banned.h"

/* What the first pass found. */
struct scan {
	struct ark_use *uses;
	size_t use_count;
	bool only_operands; /* behind -- */
};

static const struct ark_origin FROM_COMMAND_LINE = { ARK_FROM_COMMAND_LINE, "command line" };

void *ark_args_hold(struct ark_args *args, void *block)
{
	size_t n = args->held_count;
	if ((n & (n - 1)) == 0)
		args->held = ark_realloc(args->held, n == 0 ? 1 : n * 2, sizeof(*args->held));
	args->held[args->held_count++] = block;
	return block;
}

const char *ark_args_text(struct ark_args *args, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		text = ark_strdupz("");
	return ark_args_hold(args, text);
}

size_t ark_args_find(const struct ark_tool *tool, struct ark_str name, bool *negated)
{
	*negated = false;
	size_t row = ark_row_named(tool, name);
	for (size_t i = 0; row == SIZE_MAX && i < ark_rows(tool); i++) {
		char negation[ARK_ENV_NAME];
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (o->type == ARK_FLAG && ark_option_negation(o, negation) &&
		    ark_str_eqz(name, negation)) {
			*negated = true;
			row = i;
		}
	}
	return row;
}

/* The hint for an option that is not there: the nearest one of this command. */
static void hint_option(const struct ark_args *args, struct ark_str name, struct ark_err *err)
{
	const char *words[256];
	size_t count = 0;
	for (size_t i = 0; i < ark_rows(args->tool) && count < 256; i++) {
		const struct ark_option *o = ark_row(args->tool, i, NULL);
		if (o->type != ARK_HEADING && (o->flags & (ARK_HIDDEN | ARK_NOT_ARGV)) == 0 &&
		    ark_option_applies(args->tool, o, args->command))
			words[count++] = o->name;
	}
	size_t near = ark_nearest(name, words, count);
	const char *command = args->command != NULL ? args->command->name : NULL;
	if (near != SIZE_MAX)
		ark_err_hint(err, "did you mean --%s?", words[near]);
	else
		ark_err_hint(err, "'%s%s%s --help' lists the options", args->tool->name,
		             command != NULL ? " " : "", command != NULL ? command : "");
}

static enum ark_rc add_use(struct scan *scan, size_t row, const char *text, bool negated)
{
	size_t n = scan->use_count;
	if ((n & (n - 1)) == 0)
		scan->uses = ark_realloc(scan->uses, n == 0 ? 1 : n * 2, sizeof(*scan->uses));
	scan->uses[scan->use_count++] =
	    (struct ark_use){ .row = row, .text = text, .negated = negated,
		              .origin = FROM_COMMAND_LINE };
	return ARK_OK;
}

static bool takes_value(const struct ark_option *o)
{
	return o->type != ARK_FLAG && o->type != ARK_COUNT && o->type != ARK_MAYBE;
}

/* `--team --dry-run` is a forgotten value, not a team called "--dry-run". */
static bool looks_like_option(const struct ark_tool *tool, const char *word)
{
	bool negated;
	if (word[0] != '-' || word[1] != '-' || word[2] == '\0')
		return false;
	struct ark_str name = ark_str_z(word + 2);
	size_t eq = ark_str_find(name, '=', 0);
	if (eq != SIZE_MAX)
		name.len = eq;
	return ark_args_find(tool, name, &negated) != SIZE_MAX;
}

static enum ark_rc no_value(const struct ark_option *o, const char *next, struct ark_err *err)
{
	ark_err_set(err, ARK_KIND_USAGE, "option '--%s' needs a value (%s)", o->name, o->arg);
	if (next != NULL)
		ark_err_hint(err,
			     "'%s' is an option itself; if it is meant as the value write --%s=%s",
			     next, o->name, next);
	return ARK_FAIL;
}

static enum ark_rc check_argv(const struct ark_option *o, struct ark_err *err)
{
	char env[ARK_ENV_NAME];
	if ((o->flags & ARK_NOT_ARGV) == 0)
		return ARK_OK;
	ark_option_env(o, env);
	ark_err_set(err, ARK_KIND_USAGE,
		    "'%s' is not taken from the command line, where everybody on "
		    "this machine can read it",
		    o->name);
	ark_err_hint(err, "set %s in the environment, or '%s = ...' in a configuration file", env,
	             o->name);
	return ARK_FAIL;
}

static enum ark_rc scan_long(struct ark_args *args, struct scan *scan, const char *word,
                             const char *next, bool *took_next, struct ark_err *err)
{
	struct ark_str name = ark_str_z(word + 2);
	const char *text = strchr(word, '=');
	bool negated;
	if (text != NULL) {
		name.len = (size_t)(text - word) - 2;
		text++;
	}
	size_t row = ark_args_find(args->tool, name, &negated);
	if (row == SIZE_MAX) {
		ark_err_set(err, ARK_KIND_USAGE, "unknown option '--%.*s'", ARK_FMT(name));
		hint_option(args, name, err);
		return ARK_FAIL;
	}
	const struct ark_option *o = ark_row(args->tool, row, NULL);
	enum ark_rc rc = check_argv(o, err);
	if (rc < 0)
		return rc;
	if (text != NULL && (o->type == ARK_FLAG || o->type == ARK_COUNT))
		return ark_err_set(err, ARK_KIND_USAGE, "option '--%.*s' takes no value",
		                   ARK_FMT(name));
	if (text == NULL && takes_value(o)) {
		if (next == NULL || looks_like_option(args->tool, next))
			return no_value(o, next, err);
		text = next;
		*took_next = true;
	}
	return add_use(scan, row, text, negated);
}

static size_t row_lettered(const struct ark_tool *tool, char letter)
{
	for (size_t i = 0; i < ark_rows(tool); i++) {
		const struct ark_option *o = ark_row(tool, i, NULL);
		if (o->letter == letter && o->type != ARK_HEADING)
			return i;
	}
	return SIZE_MAX;
}

/* -qv, -t NAME, -tNAME */
static enum ark_rc scan_short(struct ark_args *args, struct scan *scan, const char *word,
                              const char *next, bool *took_next, struct ark_err *err)
{
	for (const char *p = word + 1; *p != '\0'; p++) {
		size_t row = row_lettered(args->tool, *p);
		if (row == SIZE_MAX) {
			ark_err_set(err, ARK_KIND_USAGE, "unknown option '-%c'", *p);
			hint_option(args, ark_str_z(word + 1), err);
			return ARK_FAIL;
		}
		const struct ark_option *o = ark_row(args->tool, row, NULL);
		enum ark_rc rc = check_argv(o, err);
		if (rc < 0)
			return rc;
		if (!takes_value(o)) {
			add_use(scan, row, NULL, false);
			continue;
		}
		if (p[1] != '\0')
			return add_use(scan, row, p + 1, false);
		if (next == NULL || looks_like_option(args->tool, next))
			return no_value(o, next, err);
		*took_next = true;
		return add_use(scan, row, next, false);
	}
	return ARK_OK;
}

static enum ark_rc scan_command(struct ark_args *args, const char *word, struct ark_err *err)
{
	const struct ark_tool *tool = args->tool;
	const char *words[32];
	for (size_t i = 0; i < tool->command_count; i++) {
		words[i] = tool->commands[i].name;
		if (strcmp(words[i], word) == 0) {
			args->command = &tool->commands[i];
			return ARK_OK;
		}
	}
	ark_err_set(err, ARK_KIND_USAGE, "unknown command '%s'", word);
	size_t near = ark_nearest(ark_str_z(word), words, tool->command_count);
	if (near != SIZE_MAX)
		ark_err_hint(err, "did you mean '%s'?", words[near]);
	else
		ark_err_hint(err, "'%s --help' lists the commands", tool->name);
	return ARK_FAIL;
}

static enum ark_rc scan_word(struct ark_args *args, struct scan *scan, const char *word,
                             const char *next, bool *took_next, struct ark_err *err)
{
	if (!scan->only_operands && word[0] == '-' && word[1] != '\0') {
		if (strcmp(word, "--") == 0) {
			scan->only_operands = true;
			return ARK_OK;
		}
		if (word[1] == '-')
			return scan_long(args, scan, word, next, took_next, err);
		return scan_short(args, scan, word, next, took_next, err);
	}
	if (args->command == NULL)
		return scan_command(args, word, err);
	ark_list_add(&args->operands, word, args);
	return ARK_OK;
}

/* Each option must belong to the command, which may stand behind it. */
static enum ark_rc check_belongs(const struct ark_args *args, const struct scan *scan,
                                 struct ark_err *err)
{
	const struct ark_tool *tool = args->tool;
	for (size_t i = 0; i < scan->use_count; i++) {
		const struct ark_option *o = ark_row(tool, scan->uses[i].row, NULL);
		if (ark_option_applies(tool, o, args->command))
			continue;
		char all[ARK_ERR_HINT] = "";
		for (size_t k = 0; k < tool->command_count; k++) {
			if (!ark_option_applies(tool, o, &tool->commands[k]))
				continue;
			size_t len = strlen(all);
			snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? ", " : "",
			         tool->commands[k].name);
		}
		ark_err_set(err, ARK_KIND_USAGE, "option '--%s' does not belong to '%s %s'",
			    o->name, tool->name, args->command->name);
		ark_err_hint(err, "it belongs to: %s", all);
		return ARK_FAIL;
	}
	return ARK_OK;
}

enum ark_rc ark_args_use(struct ark_args *args, void *config, const struct ark_use *use,
                         struct ark_err *err)
{
	bool common;
	const struct ark_option *o = ark_row(args->tool, use->row, &common);
	void *base = common ? (void *)&args->common : config;
	struct ark_origin *origin = &args->origins[use->row];
	if (origin->rank != use->origin.rank && (o->type == ARK_LIST || o->type == ARK_COUNT))
		ark_value_clear(o, base);
	enum ark_rc rc = ark_value_set(o, base, use->text, use->negated, args, err);
	if (rc == ARK_OK)
		*origin = use->origin;
	return rc;
}

static void apply_defaults(struct ark_args *args, void *config)
{
	struct ark_err err = { 0 };
	for (size_t i = 0; i < ark_rows(args->tool); i++) {
		bool common;
		const struct ark_option *o = ark_row(args->tool, i, &common);
		void *base = common ? (void *)&args->common : config;
		args->origins[i] = (struct ark_origin){ ARK_FROM_DEFAULT, "default" };
		ark_value_clear(o, base);
		if (o->def != NULL && ark_value_set(o, base, o->def, false, args, &err) < 0)
			ark_bug("%s: default of option '%s': %s", args->tool->name, o->name,
				err.text);
	}
}

static const char *env_value(const struct ark_places *places, const char *name)
{
	size_t len = strlen(name);
	for (char *const *e = places->environ; len > 0 && e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=' && (*e)[len + 1] != '\0')
			return *e + len + 1;
	return NULL; /* set to nothing counts as not set */
}

/* A list in the environment has one value per line. */
static enum ark_rc use_env_list(struct ark_args *args, void *config, struct ark_use *use,
                                struct ark_err *err)
{
	struct ark_str rest = ark_str_z(use->text);
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && rest.len > 0) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str line = ark_str_trim(ark_str_first(rest, end));
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		if (line.len == 0)
			continue;
		use->text = ark_args_hold(args, ark_strdup(line));
		rc = ark_args_use(args, config, use, err);
	}
	return rc;
}

static enum ark_rc read_environment(struct ark_args *args, const struct ark_places *places,
                                    void *config, struct ark_err *err)
{
	for (size_t i = 0; i < ark_rows(args->tool); i++) {
		char name[ARK_ENV_NAME];
		const struct ark_option *o = ark_row(args->tool, i, NULL);
		if (o->type == ARK_HEADING || !ark_option_applies(args->tool, o, args->command))
			continue;
		ark_option_env(o, name);
		const char *text = env_value(places, name);
		if (text == NULL)
			continue;
		struct ark_use use = { .row = i, .text = text };
		use.origin.rank = ARK_FROM_ENVIRONMENT;
		use.origin.text = ark_args_text(args, "environment %s", name);
		enum ark_rc rc = o->type == ARK_LIST ? use_env_list(args, config, &use, err) :
		                                       ark_args_use(args, config, &use, err);
		if (rc < 0)
			return ark_err_in(err, rc, "environment %s", name);
	}
	return ARK_OK;
}

static enum ark_rc read_files(struct ark_args *args, const struct ark_places *places,
                              const struct scan *scan, void *config, struct ark_err *err)
{
	size_t row = ark_row_named(args->tool, ARK_LIT("config"));
	const char *named = env_value(places, "MATTERARK_CONFIG");
	for (size_t i = 0; i < scan->use_count; i++)
		if (scan->uses[i].row == row)
			named = scan->uses[i].text;
	if (named != NULL)
		return ark_config_read(named, ARK_FROM_USER_FILE, true, args, config, err);
	enum ark_rc rc = ARK_OK;
	if (places->system_file != NULL)
		rc = ark_config_read(places->system_file, ARK_FROM_SYSTEM_FILE, false, args, config,
		                     err);
	const char *home = env_value(places, "HOME");
	if (rc == ARK_OK && home != NULL)
		rc = ark_config_read(ark_args_text(args, "%s/.config/matterark.conf", home),
		                     ARK_FROM_USER_FILE, false, args, config, err);
	return rc;
}

static enum ark_rc apply_argv(struct ark_args *args, const struct scan *scan, void *config,
                              struct ark_err *err)
{
	for (size_t i = 0; i < scan->use_count; i++) {
		enum ark_rc rc = ark_args_use(args, config, &scan->uses[i], err);
		if (rc < 0)
			return ark_err_in(err, rc, "option '--%s'",
			                  ark_row(args->tool, scan->uses[i].row, NULL)->name);
	}
	return ARK_OK;
}

static enum ark_rc check_complete(const struct ark_args *args, struct ark_err *err)
{
	const struct ark_command *c = args->command;
	if (args->operands.count < c->operands_min) {
		ark_err_set(err, ARK_KIND_USAGE, "%s missing", c->operands);
		ark_err_hint(err, "%s%s%s %s", args->tool->name, c->name != NULL ? " " : "",
		             c->name != NULL ? c->name : "", c->operands);
		return ARK_FAIL;
	}
	if (args->operands.count > c->operands_max)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' is one argument too many",
		                   args->operands.items[c->operands_max]);
	for (size_t i = 0; i < ark_rows(args->tool); i++) {
		const struct ark_option *o = ark_row(args->tool, i, NULL);
		if (o->type == ARK_HEADING || (o->flags & ARK_REQUIRED) == 0 ||
		    args->origins[i].rank != ARK_FROM_DEFAULT ||
		    !ark_option_applies(args->tool, o, c))
			continue;
		ark_err_set(err, ARK_KIND_USAGE, "option '--%s %s' is missing", o->name,
		            o->arg != NULL ? o->arg : "");
		ark_err_hint(err, "--%s: %s", o->name, o->help);
		return ARK_FAIL;
	}
	return ARK_OK;
}

static enum ark_rc scan_all(struct ark_args *args, struct scan *scan, int argc, char *const *argv,
                            struct ark_err *err)
{
	for (int i = 1; i < argc; i++) {
		bool took_next = false;
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		enum ark_rc rc = scan_word(args, scan, argv[i], next, &took_next, err);
		if (rc < 0)
			return rc;
		i += took_next;
	}
	return args->command != NULL ? check_belongs(args, scan, err) : ARK_OK;
}

/* --help and its like are answered before any file is read. */
static enum ark_rc only_answer(struct ark_args *args, const struct scan *scan, void *config,
                               bool *answer, struct ark_err *err)
{
	static const size_t FIELDS[] = { offsetof(struct ark_common, help),
		                         offsetof(struct ark_common, version),
		                         offsetof(struct ark_common, options_json),
		                         offsetof(struct ark_common, render) };
	for (size_t i = 0; i < scan->use_count; i++) {
		bool common;
		const struct ark_option *o = ark_row(args->tool, scan->uses[i].row, &common);
		for (size_t k = 0; common && k < sizeof(FIELDS) / sizeof(FIELDS[0]); k++) {
			if (o->at != FIELDS[k])
				continue;
			enum ark_rc rc = ark_args_use(args, config, &scan->uses[i], err);
			if (rc < 0)
				return ark_err_in(err, rc, "option '--%s'", o->name);
			*answer = true;
		}
	}
	return ARK_OK;
}

static enum ark_rc read_all(struct ark_args *args, struct scan *scan, int argc, char *const *argv,
                            const struct ark_places *places, void *config, struct ark_err *err)
{
	bool answer = false;
	enum ark_rc rc = scan_all(args, scan, argc, argv, err);
	if (rc == ARK_OK)
		rc = only_answer(args, scan, config, &answer, err);
	if (rc < 0 || answer)
		return rc < 0 ? rc : ARK_END;
	if (args->command == NULL) {
		ark_err_set(err, ARK_KIND_USAGE, "no command given");
		ark_err_hint(err, "'%s --help' lists the commands", args->tool->name);
		return ARK_FAIL;
	}
	rc = read_files(args, places, scan, config, err);
	if (rc == ARK_OK)
		rc = read_environment(args, places, config, err);
	if (rc == ARK_OK)
		rc = apply_argv(args, scan, config, err);
	if (rc == ARK_OK && !args->common.show_config)
		rc = check_complete(args, err);
	return rc;
}

enum ark_rc ark_args_read(const struct ark_tool *tool, int argc, char *const *argv,
                          const struct ark_places *places, void *config, struct ark_args *args,
                          struct ark_err *err)
{
	struct scan scan = { 0 };
	ark_tool_check(tool);
	*args = (struct ark_args){ .tool = tool, .now_ms = ark_time_now_ms() };
	args->origins = ark_calloc(ark_rows(tool), sizeof(*args->origins));
	if (tool->command_count == 1 && tool->commands[0].name == NULL)
		args->command = &tool->commands[0];
	apply_defaults(args, config);
	enum ark_rc rc = read_all(args, &scan, argc, argv, places, config, err);
	free(scan.uses);
	return rc;
}

void ark_args_release(struct ark_args *args)
{
	for (size_t i = 0; i < args->held_count; i++)
		free(args->held[i]);
	free(args->held);
	free(args->origins);
	*args = (struct ark_args){ 0 };
}

size_t ark_args_command(const struct ark_args *args)
{
	return (size_t)(args->command - args->tool->commands);
}

static size_t row_must(const struct ark_args *args, const char *name)
{
	size_t row = ark_row_named(args->tool, ark_str_z(name));
	if (row == SIZE_MAX)
		ark_bug("%s has no option '%s'", args->tool->name, name);
	return row;
}

struct ark_origin ark_args_origin(const struct ark_args *args, const char *name)
{
	return args->origins[row_must(args, name)];
}

bool ark_args_given(const struct ark_args *args, const char *name)
{
	return ark_args_origin(args, name).rank != ARK_FROM_DEFAULT;
}

void ark_args_set_origin(struct ark_args *args, const char *name, const char *text)
{
	args->origins[row_must(args, name)] =
	    (struct ark_origin){ ARK_FROM_TOOL, ark_args_text(args, "%s", text) };
}

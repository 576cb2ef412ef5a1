/*
 * Reading the values of a tool's options: command line over environment over configuration files,
 * each value with the place it came from. Prints nothing; see start.h for the whole beginning of a
 * tool.
 *
 * Configuration files: `key = value` lines, the key being a long option name; `[matter-import]`
 * begins the lines of one tool and beats the lines before the first section; `#` at the start of a
 * line or after a blank begins a comment; a value in double quotes is taken as it is (\" and \\).
 * Lists repeat their key. An unknown key is an error with its line. Before the first section stand
 * only options that this tool or several tools have; the sections of other tools are passed over.
 */
#ifndef ARK_CLI_ARGS_H
#define ARK_CLI_ARGS_H

#include "common/base/err.h"
#include "common/cli/option.h"

/* Where a value came from; a higher one wins. */
enum ark_rank {
	ARK_FROM_DEFAULT,
	ARK_FROM_TOOL,        /* ark_args_set_origin: the tool found it elsewhere */
	ARK_FROM_SYSTEM_FILE, /* ARK_CONFIG_SYSTEM, lines before the first section */
	ARK_FROM_SYSTEM_SECTION,
	ARK_FROM_USER_FILE, /* ~/.config/matterark.conf, or the file of --config */
	ARK_FROM_USER_SECTION,
	ARK_FROM_ENVIRONMENT,
	ARK_FROM_COMMAND_LINE,
};

struct ark_origin {
	enum ark_rank rank;
	const char *text; /* "command line", "environment MATTERARK_TEAM", "/etc/... line 4" */
};

#define ARK_CONFIG_SYSTEM "/etc/matterark/matterark.conf"

/* The world outside the command line; a test gives its own. */
struct ark_places {
	char *const *environ;    /* NULL-ended NAME=VALUE */
	const char *system_file; /* may be absent on disk; NULL: not read */
};

struct ark_args {
	const struct ark_tool *tool;
	const struct ark_command *command; /* NULL only for --help, --version and the like */
	struct ark_common common;
	struct ark_list operands;
	struct ark_list warnings;   /* texts to print, about the configuration */
	struct ark_origin *origins; /* one per row, see ark_row */
	int64_t now_ms;             /* the moment against which ages were read */
	void **held;                /* private: memory that values borrow */
	size_t held_count;
};

/*
 * Read everything into `config` (the tool's struct, all zero before; filled with defaults first) and
 * `args` (released by ark_args_release, also after a failure).
 *
 * argv     argv[0] is not used; strings of argv and places->environ are borrowed
 * Returns  ARK_OK: run args->command; ARK_END: --help, --version, --options-json or --render was
 *          asked, no file was read, see ark_answer in render.h; FAIL with kind USAGE, text and hint
 *          ready to print. With --show-config neither required options nor operands are asked for.
 */
enum ark_rc ark_args_read(const struct ark_tool *tool, int argc, char *const *argv,
                          const struct ark_places *places, void *config, struct ark_args *args,
                          struct ark_err *err);
void ark_args_release(struct ark_args *args);

/* Number of the command in tool->commands. */
size_t ark_args_command(const struct ark_args *args);
/* Where the value of the option with this name came from; a name that is in no table is a bug. */
struct ark_origin ark_args_origin(const struct ark_args *args, const char *name);
/* True unless the value is the default. */
bool ark_args_given(const struct ark_args *args, const char *name);
/* The tool changed config itself (a database found in Mattermost's own configuration): keep the
 * origin for --show-config. `text` is copied. */
void ark_args_set_origin(struct ark_args *args, const char *name, const char *text);

#endif

/*
 * The tables that describe a tool: its commands and its options. One table feeds the command line,
 * the environment, the configuration files, --help, the man page, shell completions and
 * --options-json. Not for reading values: that is args.h; not for rendering: render.h.
 *
 *	struct config { const char *database; struct ark_list channels; bool dry_run; };
 *	#define AT(field) offsetof(struct config, field)
 *	enum { CHECK = 1, SLACK = 2 };	// one bit per row of COMMANDS, in its order
 *
 *	static const struct ark_command COMMANDS[] = {
 *		{ "check", "look at archives, write nothing", "ARCHIVE...", 1, ARK_OPERANDS_ANY },
 *		{ "slack", "import archives", "ARCHIVE...", 1, ARK_OPERANDS_ANY },
 *	};
 *	static const struct ark_option OPTIONS[] = {
 *		ARK_TITLE("Where to"),
 *		{ "database", 0, "URL", ARK_TEXT, AT(database), NULL, ARK_SECRET, "where to" },
 *		{ "channels", 'c', "GLOB", ARK_LIST, AT(channels), NULL, 0, "only these channels",
 *		  .commands = SLACK },
 *	};
 */
#ifndef ARK_CLI_OPTION_H
#define ARK_CLI_OPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

/* What an option takes, and the type of the field at `at` in the tool's config struct. */
enum ark_option_type {
	ARK_HEADING, /* no option: a title in --help and the man page for the rows below it */
	ARK_FLAG,    /* bool; --x, --no-x (a row "no-x": --no-x, --x); in files yes, no, on, off */
	ARK_COUNT,   /* int; how often it was given (-vv); in files a number */
	ARK_TEXT,    /* const char *; NULL when not given */
	ARK_LIST,    /* struct ark_list; every use adds one; in the environment one per line */
	ARK_NUMBER,  /* int64_t from .min to .max (both 0: any from 0 on) */
	ARK_SIZE,    /* uint64_t bytes; 4096, 64K, 256MiB, 2GB: powers of 1024 */
	ARK_TIME,    /* struct ark_when; as ark_time_parse takes it */
	ARK_CHOICE,  /* int: index into .words */
	ARK_MAYBE,   /* struct ark_maybe; --x or --x=VALUE, never `--x VALUE`; in files or yes/no */
};

struct ark_list {
	const char **items; /* NUL-ended; borrowed from struct ark_args */
	size_t count;
};

struct ark_when {
	bool has;
	int64_t ms; /* Unix time */
};

struct ark_maybe {
	bool given;
	const char *text; /* NULL without a value */
};

enum ark_option_flag {
	ARK_SECRET = 1,        /* shown as ***; never in messages */
	ARK_REQUIRED = 2,      /* in every command it applies to */
	ARK_HIDDEN = 4,        /* in no manual and no completion */
	ARK_GLOBAL = 8,        /* applies to every command whatever .commands says */
	ARK_ONLY_ARGV = 16,    /* neither in the environment nor in files */
	ARK_NOT_ARGV = 32,     /* not on the command line, which everybody can read */
	ARK_NOT_FILE = 64,     /* not in files */
	ARK_IS_FILE = 128,     /* the value is the path of a file: completions offer those */
	ARK_IS_FOLDER = 256,   /* the value is the path of a folder */
	ARK_READS_PIPE = 512,  /* of ARK_IS_FILE: one with a secret; a pipe (/dev/fd/63) is taken as well: cli/pipe.c */
};

struct ark_option {
	const char *name; /* long name without dashes; unique in the tool; NULL for a heading */
	char letter;      /* short name, or 0 */
	const char *arg;  /* what stands for the value in manuals, "URL"; NULL when there is none */
	enum ark_option_type type;
	size_t at;        /* offset in the tool's config struct */
	const char *env;  /* variable; NULL is MATTERARK_<NAME> with - as _ */
	unsigned flags;   /* of enum ark_option_flag */
	const char *help; /* lower case, no full stop; one or two sentences joined by ';' */
	/* the rest by name where needed */
	uint32_t commands;        /* bit n: applies to the n-th command; 0: to all */
	const char *def;          /* as text, shown in manuals; NULL: the field stays zero */
	const char *const *words; /* CHOICE: allowed words, NULL-ended */
	int64_t min, max;         /* NUMBER */
};

#define ARK_TITLE(text) { .type = ARK_HEADING, .help = (text) }

#define ARK_OPERANDS_ANY UINT_MAX

struct ark_command {
	const char *name;      /* NULL: the only row of a tool without commands */
	const char *summary;   /* lower case, no full stop */
	const char *operands;  /* "ARCHIVE...", as the synopsis shows them; NULL for none */
	unsigned operands_min;
	unsigned operands_max; /* ARK_OPERANDS_ANY: no limit */
	const char *details;   /* paragraph for `--help` of the command; may be NULL */
};

struct ark_tool {
	const char *name;    /* "matter-import" */
	const char *version; /* "0.1.0" */
	const char *summary; /* what it is for, one line */
	const struct ark_command *commands; /* at most 32 */
	size_t command_count;
	const struct ark_option *options;
	size_t option_count;
	const char *examples; /* lines for the end of --help; may be NULL */
};

/* Options that every tool has (--help, --quiet, --json, --config ...): where their values land. */
enum ark_render {
	ARK_RENDER_NONE,
	ARK_RENDER_MAN,
	ARK_RENDER_BASH,
	ARK_RENDER_ZSH,
	ARK_RENDER_FISH,
	ARK_RENDER_JSON,
};
struct ark_common {
	bool help;
	bool version;
	bool show_config;
	bool options_json;
	bool quiet;
	bool json;
	bool log_json;
	int verbose;
	int render;         /* enum ark_render */
	const char *config; /* the one configuration file to read; NULL: the usual two */
};
/* The rows of these; `at` is an offset in struct ark_common. */
const struct ark_option *ark_common_options(size_t *count);

/* Rows of a tool, its own first and then the common ones: 0 .. ark_rows(tool) - 1. */
size_t ark_rows(const struct ark_tool *tool);
const struct ark_option *ark_row(const struct ark_tool *tool, size_t row, bool *common);
/* Row of the option with this long name (without dashes, no "no-" form); SIZE_MAX if none. */
size_t ark_row_named(const struct ark_tool *tool, struct ark_str name);
/* Does this option belong to the command? NULL command: any of them. */
bool ark_option_applies(const struct ark_tool *tool, const struct ark_option *option,
                        const struct ark_command *command);
/* The environment variable of an option, into `out`; empty when it has none. */
#define ARK_ENV_NAME 96
void ark_option_env(const struct ark_option *option, char out[ARK_ENV_NAME]);
/* May it be negated, and how: "no-x" for "x", "x" for "no-x"; false unless it is a FLAG that is not
 * ONLY_ARGV. */
bool ark_option_negation(const struct ark_option *option, char out[ARK_ENV_NAME]);

/*
 * Of `count` words the one nearest to what was typed, for "did you mean": few letters apart, or the
 * only one that begins with it. SIZE_MAX when nothing is near.
 */
size_t ark_nearest(struct ark_str typed, const char *const *words, size_t count);

/* Abort with ark_bug when a table contradicts itself (two equal names, no words for a CHOICE, a
 * default that cannot be read ...). Called by ark_args_read: a wrong table fails the first run. */
void ark_tool_check(const struct ark_tool *tool);

#endif

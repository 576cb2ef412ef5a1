/* A made-up tool with one option of every kind: what the tests of this room read and render. */
#ifndef ARK_TESTS_CLI_EXAMPLE_H
#define ARK_TESTS_CLI_EXAMPLE_H

#include "common/cli/option.h"

struct example {
	const char *database;
	struct ark_maybe embedded;
	const char *team;
	struct ark_list channels;
	struct ark_when since;
	bool no_direct;
	int64_t jobs;
	uint64_t memory;
	int bots;
	bool dry_run;
	const char *token;
	const char *output;
};

enum { EXAMPLE_LOOK = 1, EXAMPLE_LOAD = 2, EXAMPLE_LIST = 4 };
enum { BOTS_KEEP, BOTS_SKIP };

#define AT(field) offsetof(struct example, field)

static const char *const EXAMPLE_BOTS[] = { "keep", "skip", NULL };

static const struct ark_command EXAMPLE_COMMANDS[] = {
	{ "look", "look at archives, write nothing", "ARCHIVE...", 1, ARK_OPERANDS_ANY },
	{ "load", "load archives into the database", "ARCHIVE...", 1, 2,
	  "A second run over the same archives changes nothing. This paragraph is long enough to "
	  "need a second line in a terminal of eighty columns." },
	{ "list", "list what was loaded" },
};

static const struct ark_option EXAMPLE_OPTIONS[] = {
	ARK_TITLE("Where to"),
	{ "database", 0, "URL", ARK_TEXT, AT(database), "MATTERARK_DATABASE", ARK_SECRET,
	  "database to write to" },
	{ "embedded", 0, "DIR", ARK_MAYBE, AT(embedded), NULL, ARK_IS_FOLDER,
	  "use a private database under DIR" },
	{ "team", 't', "NAME", ARK_TEXT, AT(team), NULL, ARK_REQUIRED,
	  "team that receives the channels; its name as it stands in addresses",
	  .commands = EXAMPLE_LOAD },
	ARK_TITLE("What"),
	{ "channels", 'c', "GLOB", ARK_LIST, AT(channels), NULL, 0, "only channels of this name",
	  .commands = EXAMPLE_LOOK | EXAMPLE_LOAD },
	{ "since", 0, "TIME", ARK_TIME, AT(since), NULL, 0, "only messages from this moment on",
	  .commands = EXAMPLE_LOOK | EXAMPLE_LOAD },
	{ "no-direct", 0, NULL, ARK_FLAG, AT(no_direct), NULL, 0, "leave direct messages out",
	  .commands = EXAMPLE_LOAD },
	{ "bots", 0, "WHAT", ARK_CHOICE, AT(bots), NULL, 0, "messages of bots",
	  .commands = EXAMPLE_LOAD, .def = "keep", .words = EXAMPLE_BOTS },
	ARK_TITLE("How"),
	{ "jobs", 'j', "N", ARK_NUMBER, AT(jobs), NULL, 0, "connections side by side",
	  .commands = EXAMPLE_LOAD, .def = "4", .min = 1, .max = 64 },
	{ "memory", 0, "SIZE", ARK_SIZE, AT(memory), NULL, 0, "memory to stay under",
	  .commands = EXAMPLE_LOAD, .def = "256M" },
	{ "dry-run", 'n', NULL, ARK_FLAG, AT(dry_run), NULL, 0, "print the plan, write nothing",
	  .commands = EXAMPLE_LOAD },
	{ "slack-token", 0, "TOKEN", ARK_TEXT, AT(token), NULL, ARK_SECRET | ARK_NOT_ARGV,
	  "token for downloads" },
	{ "output", 'o', "FILE", ARK_TEXT, AT(output), NULL, ARK_IS_FILE, "write the report here" },
};

static const struct ark_tool EXAMPLE = {
	.name = "matter-example",
	.version = "1.2.3",
	.summary = "An example of a tool",
	.commands = EXAMPLE_COMMANDS,
	.command_count = sizeof(EXAMPLE_COMMANDS) / sizeof(EXAMPLE_COMMANDS[0]),
	.options = EXAMPLE_OPTIONS,
	.option_count = sizeof(EXAMPLE_OPTIONS) / sizeof(EXAMPLE_OPTIONS[0]),
	.examples = "  matter-example look slack.zip\n"
	            "  matter-example load --team ours slack.zip\n",
};

#undef AT

#endif

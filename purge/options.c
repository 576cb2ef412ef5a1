#include "purge/options.h"

#include "common/base/banned.h"

#define AT(field) offsetof(struct purge_config, field)
enum { PLAN = 1 << COMMAND_PLAN, APPLY = 1 << COMMAND_APPLY, LOG = 1 << COMMAND_LOG };

static const struct ark_command COMMANDS[] = {
	[COMMAND_PLAN] = { "plan", "write down which messages are to go; deletes nothing", NULL, 0, 0,
	  "What goes was deleted long enough ago (--deleted-before) or is old enough (--older-than); --channel and "
	  "--user narrow both. By age a thread goes as a whole, and only when its newest reply is old enough too. "
	  "A held message keeps its whole thread, and so does a pinned one with --keep-pinned." },
	[COMMAND_APPLY] = { "apply", "remove what a plan names, with everything that hangs on it", "PLAN", 1, 1,
	  "The server keeps running. What changed since the plan was made stays, is counted, and the exit code is 3. "
	  "Another database, another schema or a changed plan is refused. After an interruption of any kind the "
	  "same command goes on." },
	[COMMAND_LOG] = { "log", "what was purged when", NULL, 0, 0,
	  "With --json every purged message as a line, as 'matter-backup restore --ledger' reads them." },
};

static const struct ark_option OPTIONS[] = {
	ARK_TITLE("Where the data is"),
	MM_PLACE_ROWS(struct purge_config, place, PLAN | APPLY | LOG),
	MM_PLACE_FILES_ROW(struct purge_config, place, APPLY),
	STORE_S3_ROWS(struct purge_config, s3, APPLY),

	ARK_TITLE("What goes"),
	{ "deleted-before", 0, "TIME", ARK_TIME, AT(deleted_before), NULL, 0,
	  "messages that were deleted before then (30d)", .commands = PLAN },
	{ "older-than", 0, "TIME", ARK_TIME, AT(older_than), NULL, 0,
	  "messages that were written before then (14d), of the channels of --channel", .commands = PLAN },
	{ "channel", 'c', "GLOB", ARK_LIST, AT(channels), NULL, 0,
	  "only in channels with such names, or with a team as TEAM/CHANNEL, or with this id; direct conversations by "
	  "their id only", .commands = PLAN },
	{ "user", 'u', "NAME", ARK_LIST, AT(users), NULL, 0,
	  "only messages of this person or bot; a thread that one of them began goes with all its replies",
	  .commands = PLAN },

	ARK_TITLE("What stays"),
	{ "keep-pinned", 0, NULL, ARK_FLAG, AT(keep_pinned), NULL, 0, "threads in which something is pinned",
	  .commands = PLAN },
	{ "hold", 0, "FILE", ARK_TEXT, AT(hold), NULL, ARK_IS_FILE,
	  "what is on legal hold: lines 'user NAME', 'channel GLOB', 'post ID' or 'all', each with 'since TIME' and "
	  "'until TIME' if wanted", .commands = PLAN | APPLY },

	ARK_TITLE("The plan"),
	{ "output", 'o', "FILE", ARK_TEXT, AT(out), NULL, ARK_IS_FILE, "the plan; asked for unless it is a dry run",
	  .commands = PLAN },
	{ "dry-run", 'n', NULL, ARK_FLAG, AT(dry_run), NULL, 0, "only say what would be done",
	  .commands = PLAN | APPLY },

	ARK_TITLE("Removing"),
	{ "yes", 'y', NULL, ARK_FLAG, AT(yes), NULL, ARK_ONLY_ARGV, "do not ask", .commands = APPLY },
	{ "archived-in", 0, "PLACE", ARK_TEXT, AT(archived_in), NULL, 0,
	  "refuse unless all of it is, as it reads now, in this repository's snapshot or this export", .commands = APPLY },
	{ "snapshot", 0, "NAME", ARK_TEXT, AT(snapshot), NULL, 0, "the snapshot of --archived-in; else the newest",
	  .commands = APPLY },
	{ "identity", 0, "FILE", ARK_TEXT, AT(identity), NULL, ARK_IS_FILE | ARK_READS_PIPE,
	  "the secret key of an encrypted repository", .commands = APPLY },
	{ "cache", 0, "DIR", ARK_TEXT, AT(cache), NULL, ARK_IS_FOLDER,
	  "what this machine remembers of repositories (~/.cache/matterark)", .commands = APPLY },
	{ "snapshots-kept", 0, "TIME", ARK_TIME, AT(snapshots_kept), NULL, 0,
	  "how long snapshots are kept (90d): says until when they still hold what was purged", .commands = APPLY },
	{ "api-url", 0, "URL", ARK_TEXT, AT(api_url), NULL, 0,
	  "address of the running server: messages are deleted there first, so that open clients drop them at once",
	  .commands = APPLY },
	{ "api-token-file", 0, "FILE", ARK_TEXT, AT(api_token_file), NULL, ARK_IS_FILE | ARK_READS_PIPE,
	  "file with the access token of one of its administrators", .commands = APPLY },
	{ "without-files", 0, NULL, ARK_FLAG, AT(without_files), NULL, 0,
	  "leave the bodies of files; the next run without this removes them", .commands = APPLY },
	{ "batch", 0, "N", ARK_NUMBER, AT(batch), NULL, 0, "messages in one transaction", .commands = APPLY,
	  .def = "1000", .min = 1, .max = 10000 },
	{ "pause", 0, "MS", ARK_NUMBER, AT(pause_ms), NULL, 0, "milliseconds between two transactions",
	  .commands = APPLY, .def = "20", .max = 60000 },

	ARK_TITLE("Telling others"),
	NOTIFY_ROWS(struct purge_config, notify, PLAN | APPLY),
};

const struct ark_tool PURGE_TOOL = {
	.name = "matter-purge",
	.version = MATTERARK_VERSION,
	.summary = "Mattermost messages removed for good, with everything that hangs on them",
	.commands = COMMANDS,
	.command_count = sizeof(COMMANDS) / sizeof(COMMANDS[0]),
	.options = OPTIONS,
	.option_count = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
	.examples = "  matter-purge plan --channel ops/nagios --older-than 14d --output old.plan\n"
	            "  matter-purge apply old.plan --archived-in /srv/backup/mattermost\n",
};

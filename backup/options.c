#include "backup/options.h"

#include "common/base/banned.h"

#define AT(field) offsetof(struct backup_config, field)
enum {
	INIT = 1 << COMMAND_INIT,
	CREATE = 1 << COMMAND_CREATE,
	LIST = 1 << COMMAND_LIST,
	SHOW = 1 << COMMAND_SHOW,
	DIFF = 1 << COMMAND_DIFF,
	FIND = 1 << COMMAND_FIND,
	VERIFY = 1 << COMMAND_VERIFY,
	CHECK = 1 << COMMAND_CHECK,
	PRUNE = 1 << COMMAND_PRUNE,
	UNDELETE = 1 << COMMAND_UNDELETE,
	EXTRACT = 1 << COMMAND_EXTRACT,
	KEYGEN = 1 << COMMAND_KEYGEN,
	READING = SHOW | DIFF | FIND | VERIFY | EXTRACT,
	REPO = CREATE | LIST | CHECK | PRUNE | UNDELETE | READING,
};

static const struct ark_command COMMANDS[] = {
	[COMMAND_INIT] = { "init", "make a repository: a folder or s3://BUCKET/PREFIX", "REPO", 1, 1, NULL },
	[COMMAND_CREATE] = { "create", "take a snapshot of database, files and configuration", "REPO", 1, 1,
	  "The server keeps running. Costs what changed since the snapshot before. Every file that a row "
	  "names is in the snapshot, or is listed as missing (exit code 3)." },
	[COMMAND_LIST] = { "list", "which snapshots there are", "REPO", 1, 1, NULL },
	[COMMAND_SHOW] = { "show", "what a snapshot holds, and what is missing in it", "REPO [SNAPSHOT]", 1, 2,
	  NULL },
	[COMMAND_DIFF] = { "diff", "what differs between two snapshots", "REPO OLDER NEWER", 3, 3, NULL },
	[COMMAND_FIND] = { "find", "in which snapshots a channel, a person or a file is", "REPO", 1, 1, NULL },
	[COMMAND_VERIFY] = { "verify", "read what is stored and compare it with its names", "REPO [SNAPSHOT]", 1, 2,
	  "Without a snapshot everything in the repository. What was read when is remembered on this "
	  "machine, so that --percent and --max-duration begin with what was read longest ago." },
	[COMMAND_CHECK] = { "check", "is the newest snapshot young and large enough; answers as Nagios plugins do",
	  "REPO", 1, 1, NULL },
	[COMMAND_PRUNE] = { "prune", "remove snapshots that no rule keeps", "REPO", 1, 1,
	  "What only they needed is condemned; --sweep deletes what was condemned before every snapshot that "
	  "is being made now began. Until then 'undelete' brings a snapshot back." },
	[COMMAND_UNDELETE] = { "undelete", "bring back a snapshot that prune removed", "REPO SNAPSHOT", 2, 2, NULL },
	[COMMAND_EXTRACT] = { "extract", "everything of a snapshot in one tar file", "REPO [SNAPSHOT]", 1, 2,
	  "Schema and rows as SQL and COPY text with a load.sql for psql, the files, the configuration. Not "
	  "neutralised: a server that is started on it is production." },
	[COMMAND_KEYGEN] = { "keygen", "make the key pair of an encrypted repository", NULL, 0, 0,
	  "The secret key goes to the file of --output and is kept away from the server; the public one, for "
	  "init --encrypt, is printed." },
};

static const struct ark_option OPTIONS[] = {
	ARK_TITLE("Where the data is"),
	MM_PLACE_ROWS(struct backup_config, place, CREATE),
	MM_PLACE_FILES_ROW(struct backup_config, place, CREATE),

	ARK_TITLE("Object stores"),
	STORE_S3_ROWS(struct backup_config, s3, INIT | REPO),

	ARK_TITLE("The repository"),
	{ "encrypt", 0, "RECIPIENT", ARK_TEXT, AT(encrypt), NULL, 0,
	  "encrypt to this public key, as keygen prints it", .commands = INIT },
	{ "identity", 0, "FILE", ARK_TEXT, AT(identity), NULL, ARK_IS_FILE,
	  "the secret key of an encrypted repository", .commands = READING },
	{ "cache", 0, "DIR", ARK_TEXT, AT(cache), NULL, ARK_IS_FOLDER,
	  "what this machine remembers of repositories (~/.cache/matterark); for an encrypted one it holds "
	  "names of files", .commands = REPO },
	{ "output", 'o', "FILE", ARK_TEXT, AT(output), NULL, ARK_IS_FILE | ARK_REQUIRED, "file to write",
	  .commands = EXTRACT | KEYGEN },

	ARK_TITLE("Taking a snapshot"),
	{ "all-files", 0, NULL, ARK_FLAG, AT(all_files), NULL, 0,
	  "files of the store that no row names, too", .commands = CREATE },
	{ "without-files", 0, NULL, ARK_FLAG, AT(without_files), NULL, 0, "database and configuration only",
	  .commands = CREATE },
	{ "jobs", 'j', "N", ARK_NUMBER, AT(jobs), NULL, 0, "connections that read tables side by side",
	  .commands = CREATE, .def = "2", .min = 1, .max = 16 },
	{ "lock-wait", 0, "SECONDS", ARK_NUMBER, AT(lock_wait), NULL, 0,
	  "how long to wait for a table that somebody changes, with everybody else behind us",
	  .commands = CREATE, .def = "5", .min = 1, .max = 600 },
	{ "lock-tries", 0, "N", ARK_NUMBER, AT(lock_tries), NULL, 0,
	  "how often to begin anew after making way for a change of tables", .commands = CREATE, .def = "10",
	  .min = 1, .max = 1000 },
	{ "pg-dump", 0, "PATH", ARK_TEXT, AT(pg_dump), NULL, ARK_IS_FILE,
	  "the program that writes the schema; else the one that fits the server is looked for",
	  .commands = CREATE },
	{ "dry-run", 'n', NULL, ARK_FLAG, AT(dry_run), NULL, 0, "only say what would be done",
	  .commands = CREATE | PRUNE },

	ARK_TITLE("Checking"),
	{ "percent", 0, "N", ARK_NUMBER, AT(percent), NULL, 0, "read only this part of what is stored",
	  .commands = VERIFY, .def = "100", .min = 1, .max = 100 },
	{ "max-duration", 0, "TIME", ARK_TIME, AT(max_duration), NULL, 0, "stop after so long (30m, 2h)",
	  .commands = VERIFY },
	{ "max-age", 0, "TIME", ARK_TIME, AT(max_age), NULL, 0,
	  "critical when the newest snapshot is older (26h)", .commands = CHECK },
	{ "min-rows", 0, "N", ARK_NUMBER, AT(min_rows), NULL, 0,
	  "critical when the newest snapshot has fewer rows", .commands = CHECK },

	ARK_TITLE("What prune keeps"),
	{ "keep-last", 0, "N", ARK_NUMBER, AT(keep_last), NULL, 0, "the newest N", .commands = PRUNE },
	{ "keep-hourly", 0, "N", ARK_NUMBER, AT(keep_hourly), NULL, 0, "one for each of N hours",
	  .commands = PRUNE },
	{ "keep-daily", 0, "N", ARK_NUMBER, AT(keep_daily), NULL, 0, "one for each of N days",
	  .commands = PRUNE },
	{ "keep-weekly", 0, "N", ARK_NUMBER, AT(keep_weekly), NULL, 0, "one for each of N weeks",
	  .commands = PRUNE },
	{ "keep-monthly", 0, "N", ARK_NUMBER, AT(keep_monthly), NULL, 0, "one for each of N months",
	  .commands = PRUNE },
	{ "keep-yearly", 0, "N", ARK_NUMBER, AT(keep_yearly), NULL, 0, "one for each of N years",
	  .commands = PRUNE },
	{ "keep-within", 0, "TIME", ARK_TIME, AT(keep_within), NULL, 0, "all that are younger (30d)",
	  .commands = PRUNE },
	{ "keep-at-least", 0, "N", ARK_NUMBER, AT(keep_at_least), NULL, 0,
	  "never leave fewer than N, whatever the rules say", .commands = PRUNE, .def = "3", .min = 1,
	  .max = 1000000 },
	{ "sweep", 0, NULL, ARK_FLAG, AT(sweep), NULL, 0, "delete what was condemned, where that is safe",
	  .commands = PRUNE },
	{ "drop-intent", 0, "NAME", ARK_TEXT, AT(drop_intent), NULL, 0,
	  "forget a snapshot that was begun on another machine and will not be finished", .commands = PRUNE },

	ARK_TITLE("What find looks for"),
	{ "channel", 0, "NAME", ARK_TEXT, AT(channel), NULL, 0, "a channel by name or id", .commands = FIND },
	{ "user", 0, "NAME", ARK_TEXT, AT(user), NULL, 0, "a person by user name, e-mail address or id",
	  .commands = FIND },
	{ "file", 0, "TEXT", ARK_TEXT, AT(file), NULL, 0, "a file whose path holds this text",
	  .commands = FIND },

	ARK_TITLE("Telling others"),
	NOTIFY_ROWS(struct backup_config, notify, CREATE | VERIFY | PRUNE | EXTRACT),
};

const struct ark_tool BACKUP_TOOL = {
	.name = "matter-backup",
	.version = MATTERARK_VERSION,
	.summary = "consistent snapshots of a running Mattermost",
	.commands = COMMANDS,
	.command_count = sizeof(COMMANDS) / sizeof(COMMANDS[0]),
	.options = OPTIONS,
	.option_count = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
	.examples = "  matter-backup init /srv/backup/mattermost\n"
	            "  matter-backup create /srv/backup/mattermost\n"
	            "  matter-backup verify /srv/backup/mattermost --max-duration 30m\n",
};

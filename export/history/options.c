#include "export/history/options.h"

#include "common/base/banned.h"

#define AT(field) offsetof(struct history_config, field)
enum { UPDATE = 1, SHOW = 2, LOG = 4, REBUILD = 8 };

static const struct ark_command COMMANDS[] = {
	{ "update", "bring the history up to date", "REPO", 1, 1,
	  "REPO is made when it is not there, a bare git repository. The first run makes a commit for each day of the "
	  "past, later ones a commit with what is new, edited, deleted and purged since the last; where nothing is, "
	  "there is no commit." },
	{ "show", "a conversation as text, in the pager", "REPO CONVERSATION [DATE]", 2, 3,
	  "CONVERSATION is TEAM/NAME, or NAME where that is only one. DATE is a day, a month or a year: 2024-05-01, 2024-05, "
	  "2024." },
	{ "log", "what changed when", "REPO [CONVERSATION]", 1, 2, NULL },
	{ "rebuild", "take what was purged out of the commits that are there", "REPO", 1, 1,
	  "Commits before the first one that held something purged keep their ids, all others get new ones. Only what is "
	  "in the repository is used. Afterwards nothing of it is left there; clones are for their owners to renew." },
};

static const char *const ATTACHMENTS[] = { "none", "reference", NULL };

static const struct ark_option OPTIONS[] = {
	ARK_TITLE("Where from"),
	MM_PLACE_ROWS(struct history_config, export.place, UPDATE | REBUILD),
	MM_PLACE_FILES_ROW(struct history_config, export.place, UPDATE),
	STORE_S3_ROWS(struct history_config, export.s3, UPDATE),

	ARK_TITLE("What"),
	{ "team", 't', "NAME", ARK_LIST, AT(export.teams), NULL, 0, "only channels of this team", .commands = UPDATE },
	{ "channel", 'c', "GLOB", ARK_LIST, AT(export.channels), NULL, 0,
	  "only channels with such names; direct conversations are not touched by this", .commands = UPDATE },
	{ "user", 'u', "NAME", ARK_LIST, AT(export.users), NULL, 0,
	  "every conversation that this person was in, direct ones too, for the time in which they were",
	  .commands = UPDATE },
	{ "direct", 0, NULL, ARK_FLAG, AT(export.direct), NULL, 0, "direct and group conversations too",
	  .commands = UPDATE },
	{ "no-deleted", 0, NULL, ARK_FLAG, AT(export.no_deleted), NULL, 0, "leave out deleted messages",
	  .commands = UPDATE },
	{ "since", 0, "TIME", ARK_TIME, AT(export.since), NULL, 0, "only messages written from then on; a date, the same "
	  "in every run", .commands = UPDATE },
	{ "attachments", 0, "WHAT", ARK_CHOICE, AT(export.attachments), NULL, 0,
	  "what becomes of attached files: named only, or read for their SHA-256; they are never stored here",
	  .commands = UPDATE, .words = ATTACHMENTS, .def = "reference" },
	{ "format", 'f', "NAME", ARK_CHOICE, AT(form), NULL, 0,
	  "what days are written as: JSON lines, or Markdown to read", .commands = UPDATE, .words = HISTORY_FORMS,
	  .def = "jsonl" },

	ARK_TITLE("What was purged"),
	{ "ledger", 0, "FILE", ARK_TEXT, AT(ledger), NULL, ARK_IS_FILE,
	  "take the posts from this file, as matter-purge log --json prints it, and not from the database",
	  .commands = REBUILD },

	ARK_TITLE("Where to"),
	{ "push", 0, "REMOTE", ARK_TEXT, AT(push), NULL, 0,
	  "push the branch afterwards: the name of a remote, a path, ssh://[USER@]HOST[:PORT]/PATH, https:// or http://. ssh takes keys of "
	  "ssh-agent or ~/.ssh/id_ed25519, id_ecdsa, id_rsa, and hosts of ~/.ssh/known_hosts; SSL_CERT_FILE may name authorities for https",
	  .commands = UPDATE | REBUILD },
	{ "push-password-file", 0, "FILE", ARK_TEXT, AT(push_password_file), NULL, ARK_IS_FILE | ARK_READS_PIPE,
	  "file whose first line is the password or token for an https:// remote, or the passphrase of the ssh key; the user "
	  "stands in the address",
	  .commands = UPDATE | REBUILD },
	{ "force-with-lease", 0, NULL, ARK_FLAG, AT(force_with_lease), NULL, 0,
	  "after a rebuild: replace what lies there, if it is what was pushed from here last",
	  .commands = UPDATE | REBUILD },

	ARK_TITLE("How"),
	{ "jobs", 'j', "N", ARK_NUMBER, AT(export.jobs), NULL, 0,
	  "threads that read, each with two connections and about 8 MB (one per processor, at most 2)", .commands = UPDATE, .max = 64 },
	{ "dry-run", 'n', NULL, ARK_FLAG, AT(export.dry_run), NULL, 0, "say what would change, and write nothing",
	  .commands = UPDATE | REBUILD },

	ARK_TITLE("Telling others"),
	NOTIFY_ROWS(struct history_config, export.notify, UPDATE | REBUILD),
};

const struct ark_tool HISTORY_TOOL = {
	.name = "matter-history",
	.version = MATTERARK_VERSION,
	.summary = "Mattermost conversations as a git repository",
	.commands = COMMANDS,
	.command_count = sizeof(COMMANDS) / sizeof(COMMANDS[0]),
	.options = OPTIONS,
	.option_count = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
	.examples = "  matter-history update --embedded /srv/history\n"
	            "  matter-history show /srv/history acme/town-square 2024-05\n"
	            "  git -C /srv/history log -p\n",
};

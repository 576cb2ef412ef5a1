#include "export/options.h"

#include "common/base/banned.h"

#define AT(field) offsetof(struct export_config, field)
enum { RUN = 1, VERIFY = 2, LIST = 4, KEYGEN = 8, MERGE = 16 };

static const struct ark_command COMMANDS[] = {
	{ "run", "export conversations", NULL, 0, 0,
	  "Every public and private channel, deleted messages included, unless options say otherwise. What is "
	  "there is read in one snapshot; the server may run meanwhile. The folder gets its name when it is "
	  "complete." },
	{ "verify", "check an export, or a series of them: every file, count and signature", "DIR", 1, 1,
	  "Ends with exit code 0 when everything is as it was written, and otherwise names the first thing that "
	  "is off." },
	{ "list", "which runs lie in a folder, and up to when", "DIR", 1, 1, NULL },
	{ "keygen", "make a pair of keys: FILE signs, FILE.pub checks", "FILE", 1, 1,
	  "The files are those of minisign." },
	{ "merge", "put the parts of one run (--shard) together", "DIR...", 1, ARK_OPERANDS_ANY,
	  "Every part is verified. They must come from one snapshot and be there once each; what comes out holds "
	  "the same data/ as one run without --shard." },
};

static const char *const ATTACHMENTS[] = { "none", "reference", "copy", NULL };

static const struct ark_option OPTIONS[] = {
	ARK_TITLE("Where from"),
	MM_PLACE_ROWS(struct export_config, place, RUN),
	MM_PLACE_FILES_ROW(struct export_config, place, RUN),
	STORE_S3_ROWS(struct export_config, s3, RUN | VERIFY | LIST | MERGE),
	{ "snapshot", 0, "ID", ARK_TEXT, AT(snapshot), NULL, 0,
	  "read what the session that exported this snapshot sees (pg_export_snapshot)", .commands = RUN },

	ARK_TITLE("Where to"),
	{ "out", 'o', "DIR", ARK_TEXT, AT(out), NULL, ARK_IS_FOLDER,
	  "folder, or s3://BUCKET[/PREFIX], that the export becomes; it must not be there, unless it is a series (--incremental)", .commands = RUN | MERGE },
	{ "format", 'f', "NAME", ARK_LIST, AT(formats), NULL, 0,
	  "output formats, also several separated by commas: jsonl (what is meant when nothing is said), html, "
	  "slack, csv, eml, rsmf, bulk",
	  .commands = RUN },

	ARK_TITLE("What"),
	{ "team", 't', "NAME", ARK_LIST, AT(teams), NULL, 0, "only channels of this team", .commands = RUN },
	{ "channel", 'c', "GLOB", ARK_LIST, AT(channels), NULL, 0,
	  "only channels with such names; direct conversations are not touched by this", .commands = RUN },
	{ "user", 'u', "NAME", ARK_LIST, AT(users), NULL, 0,
	  "every conversation that this person was in, direct ones too, for the time in which they were; where "
	  "that is not known the messages are included and marked \"unknown\"", .commands = RUN },
	{ "direct", 0, NULL, ARK_FLAG, AT(direct), NULL, 0, "direct and group conversations too",
	  .commands = RUN },
	{ "no-deleted", 0, NULL, ARK_FLAG, AT(no_deleted), NULL, 0, "leave out deleted messages",
	  .commands = RUN },
	{ "since", 0, "TIME", ARK_TIME, AT(since), NULL, 0, "only messages written from then on",
	  .commands = RUN },
	{ "until", 0, "TIME", ARK_TIME, AT(until), NULL, 0, "only messages written before then",
	  .commands = RUN },
	{ "match", 'm', "TEXT", ARK_LIST, AT(match), NULL, 0, "only messages that hold this text, in any case",
	  .commands = RUN },
	{ "context", 0, "N", ARK_NUMBER, AT(context), NULL, 0, "and so many messages before and after each hit",
	  .commands = RUN, .max = 100000 },

	{ "incremental", 'i', NULL, ARK_FLAG, AT(incremental), NULL, 0,
	  "the folder holds a series of runs; this one writes what is new, changed or purged since the newest",
	  .commands = RUN },

	ARK_TITLE("Evidence"),
	{ "sign", 's', "KEY", ARK_TEXT, AT(sign), NULL, ARK_IS_FILE | ARK_READS_PIPE,
	  "sign with this secret key of minisign (keygen makes one)", .commands = RUN | MERGE },
	{ "password-file", 0, "FILE", ARK_TEXT, AT(password_file), NULL, ARK_IS_FILE | ARK_READS_PIPE,
	  "file whose first line is the password of the secret key", .commands = RUN | MERGE | KEYGEN },
	{ "no-password", 0, NULL, ARK_FLAG, AT(no_password), NULL, 0, "a key that needs none", .commands = KEYGEN },
	{ "public-key", 'p', "KEY", ARK_TEXT, AT(public_key), NULL, 0,
	  "the key that must have signed: a file, or the text itself", .commands = VERIFY | MERGE },
	{ "timestamp", 0, "URL", ARK_TEXT, AT(timestamp), NULL, 0,
	  "ask this time stamping authority (RFC 3161) to confirm when the export was there", .commands = RUN | MERGE },
	{ "timestamp-ca", 0, "FILE", ARK_TEXT, AT(timestamp_ca), NULL, ARK_IS_FILE,
	  "certificates (PEM) of the authorities whose time stamp must be there", .commands = VERIFY | MERGE },
	{ "evidence", 0, NULL, ARK_FLAG, AT(evidence), NULL, 0,
	  "for an export that is to prove something: --sign and --direct are asked for, and the tables of "
	  "reactions and attachments are searched for every message", .commands = RUN },

	ARK_TITLE("How"),
	{ "attachments", 0, "WHAT", ARK_CHOICE, AT(attachments), NULL, 0,
	  "what becomes of attached files: nothing, read for their SHA-256, or copied into the export",
	  .commands = RUN, .words = ATTACHMENTS, .def = "reference" },
	{ "shard", 0, "I/N", ARK_TEXT, AT(shard), NULL, 0,
	  "only the I-th of N parts of the channels: for N jobs on several machines", .commands = RUN },
	{ "jobs", 'j', "N", ARK_NUMBER, AT(jobs), NULL, 0,
	  "threads, each with two connections and about 8 MB (one per processor, at most 5)", .commands = RUN,
	  .max = 64 },
	{ "dry-run", 'n', NULL, ARK_FLAG, AT(dry_run), NULL, 0, "say what would be exported, and write nothing",
	  .commands = RUN | MERGE },

	ARK_TITLE("Telling others"),
	NOTIFY_ROWS(struct export_config, notify, RUN),
};

const struct ark_tool EXPORT_TOOL = {
	.name = "matter-export",
	.version = MATTERARK_VERSION,
	.summary = "Mattermost conversations out of the database",
	.commands = COMMANDS,
	.command_count = sizeof(COMMANDS) / sizeof(COMMANDS[0]),
	.options = OPTIONS,
	.option_count = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
	.examples = "  matter-export run --embedded --out export\n"
	            "  matter-export run --team acme --channel 'proj-*' --out proj\n",
};

#include "import/options.h"

#include "common/base/banned.h"

#define AT(field) offsetof(struct import_config, field)
enum { CHECK = 1, SLACK = 2, VERIFY = 4, RUNS = 8, FILES = 16, UNDO = 32, BULK = 64 };

static const struct ark_command COMMANDS[] = {
	{ "check", "read archives as the import would and report; writes to no database", "ARCHIVE...", 1,
	  ARK_OPERANDS_ANY, NULL },
	{ "slack", "import Slack export archives", "ARCHIVE...", 1, ARK_OPERANDS_ANY,
	  "Into a database that is not there (--embedded, or --create-schema) or into one that Mattermost "
	  "uses. All of it or nothing: the target is as it was until the last moment." },
	{ "verify", "compare archives and database, message by message", "ARCHIVE...", 1,
	  ARK_OPERANDS_ANY, NULL },
	{ "runs", "what was imported when", NULL, 0, 0, NULL },
	{ "files", "bring the files that are still missing and put them on their posts", "[ARCHIVE]...", 0,
	  ARK_OPERANDS_ANY,
	  "Out of archives that hold bodies, with the tokens of archives that hold links, or with "
	  "--slack-token-file. May be interrupted and started again; what is there is not fetched twice." },
	{ "undo", "take the newest run back", "RUN", 1, 1,
	  "Its rows go, what it changed is as before, counters are corrected by what it added. What people "
	  "built on it (replies, reactions, ...) is listed and makes it refuse." },
	{ "bulk", "write a Mattermost bulk import file, for mmctl import", "ARCHIVE...", 1, ARK_OPERANDS_ANY,
	  "The same people, channels and posts, for a server whose database cannot be reached." },
};

static const char *const GUESTS[] = { "guest", "member", "skip", NULL };
static const char *const GENERAL[] = { "merge", "keep", NULL };
static const char *const KEEP_SKIP[] = { "keep", "skip", NULL };
static const char *const FILES_FROM[] = { "auto", "archive", "download", "none", NULL };
static const char *const AUTH[] = { "none", "ldap", "saml", NULL };
static const char *const AUTH_DATA[] = { "email", "username", "id", NULL };
static const char *const INDEXES[] = { "auto", "keep", "rebuild", NULL };

static const struct ark_option OPTIONS[] = {
	ARK_TITLE("Where to"),
	MM_PLACE_ROWS(struct import_config, place, SLACK | VERIFY | RUNS | FILES | UNDO),
	MM_PLACE_FILES_ROW(struct import_config, place, SLACK | VERIFY | FILES | UNDO),
	{ "create-schema", 0, NULL, ARK_FLAG, AT(create_schema), NULL, 0,
	  "make a complete Mattermost 11.6 schema where the database is not there or empty",
	  .commands = SLACK },
	{ "maintenance-db", 0, "NAME", ARK_TEXT, AT(maintenance_db), NULL, 0,
	  "database to connect to while another one is made", .commands = SLACK, .def = "postgres" },
	{ "owner", 0, "ROLE", ARK_TEXT, AT(owner), NULL, 0,
	  "role that owns what is made; the one Mattermost connects as", .commands = SLACK },
	{ "team", 't', "NAME", ARK_TEXT, AT(team), NULL, 0,
	  "URL name of the team that receives everything; needed unless an organisation (with teams/) is "
	  "imported, whose workspaces go into teams called after their folders", .commands = SLACK | VERIFY | BULK },
	{ "team-map", 0, "FILE", ARK_TEXT, AT(team_map), NULL, ARK_IS_FILE,
	  "CSV with the columns workspace (folder below teams/, or T… id) and team: which team each workspace of "
	  "an organisation goes into", .commands = CHECK | SLACK | VERIFY | BULK },
	{ "team-name", 0, "TEXT", ARK_TEXT, AT(team_name), NULL, 0,
	  "shown name of a team that is made", .commands = SLACK | BULK },
	{ "create-team", 0, NULL, ARK_FLAG, AT(create_team), NULL, 0,
	  "make the team if it is not there (by invitation only)", .commands = SLACK },

	{ "output", 'o', "FILE", ARK_TEXT, AT(output), NULL, ARK_REQUIRED | ARK_IS_FILE,
	  "the zip to write", .commands = BULK },

	ARK_TITLE("What"),
	{ "channels", 'c', "GLOB", ARK_LIST, AT(channels), NULL, 0,
	  "only channels with such names; direct conversations are not touched by this",
	  .commands = CHECK | SLACK | VERIFY | BULK },
	{ "since", 0, "TIME", ARK_TIME, AT(since), NULL, 0, "only messages from then on",
	  .commands = CHECK | SLACK | VERIFY | BULK },
	{ "until", 0, "TIME", ARK_TIME, AT(until), NULL, 0, "only messages before then",
	  .commands = CHECK | SLACK | VERIFY | BULK },
	{ "no-direct", 0, NULL, ARK_FLAG, AT(no_direct), NULL, 0,
	  "leave out direct and group conversations", .commands = CHECK | SLACK | VERIFY | BULK },
	{ "no-joins", 0, NULL, ARK_FLAG, AT(no_joins), NULL, 0,
	  "leave out messages about joining and leaving", .commands = CHECK | SLACK | VERIFY | BULK },
	{ "bots", 0, "WHAT", ARK_CHOICE, AT(bots), NULL, 0, "messages of bots and integrations",
	  .commands = CHECK | SLACK | VERIFY | BULK, .words = KEEP_SKIP, .def = "keep" },
	{ "into-channel", 0, "NAME", ARK_TEXT, AT(into_channel), NULL, 0,
	  "put everything into this one channel of the team", .commands = CHECK | SLACK | VERIFY | BULK },
	{ "general", 0, "WHAT", ARK_CHOICE, AT(general), NULL, 0,
	  "Slack's general channel: into town-square of a team that is made, or a channel of its own",
	  .commands = CHECK | SLACK | VERIFY | BULK, .words = GENERAL, .def = "merge" },

	ARK_TITLE("Files"),
	{ "files-from", 0, "WHAT", ARK_CHOICE, AT(files_from), NULL, 0,
	  "bodies of files: out of the archive, downloaded from Slack, first the one and then the other "
	  "(auto), or none; verify looks whether they are in the store, unless none is said",
	  .commands = SLACK | VERIFY | FILES, .words = FILES_FROM, .def = "auto" },
	{ "slack-token-file", 0, "FILE", ARK_TEXT, AT(slack_token_file), NULL, ARK_IS_FILE | ARK_READS_PIPE,
	  "file whose first line is a Slack token (xoxb-..., xoxp-...) with the right files:read; without one "
	  "the tokens that the links of an export carry are used", .commands = SLACK | FILES },
	{ "slack-url", 0, "URL", ARK_TEXT, AT(slack_url), NULL, 0,
	  "a gateway that answers for Slack: everything is asked for there, tokens included",
	  .commands = SLACK | FILES },
	{ "emoji-dir", 0, "DIR", ARK_LIST, AT(emoji_dir), NULL, ARK_IS_FOLDER,
	  "folder or archive with pictures of custom emoji, each named after its emoji: parrot.gif",
	  .commands = SLACK | FILES },
	{ "no-previews", 0, NULL, ARK_FLAG, AT(no_previews), NULL, 0,
	  "make no previews and thumbnails of images: the server never makes them later",
	  .commands = SLACK | FILES },

	STORE_S3_ROWS(struct import_config, s3, SLACK | VERIFY | FILES | UNDO),

	ARK_TITLE("People"),
	{ "users", 0, "FILE", ARK_TEXT, AT(users), NULL, ARK_IS_FILE,
	  "CSV with the columns slack_id and mattermost_username: whose account is whose; the users.csv of a "
	  "report will do", .commands = CHECK | SLACK | VERIFY | BULK },
	{ "merge-by-email", 0, NULL, ARK_FLAG, AT(merge_by_email), NULL, 0,
	  "people of Slack with the same address are one person", .commands = CHECK | SLACK | VERIFY | BULK },
	{ "password-file", 0, "FILE", ARK_TEXT, AT(password_file), NULL, ARK_IS_FILE,
	  "give new accounts random passwords, and list them there", .commands = SLACK },
	{ "default-auth", 0, "SERVICE", ARK_CHOICE, AT(default_auth), NULL, 0,
	  "new accounts sign in through it", .commands = SLACK | BULK, .words = AUTH, .def = "none" },
	{ "auth-data", 0, "WHAT", ARK_CHOICE, AT(auth_data), NULL, 0,
	  "what that service knows people by: address, user name here, or Slack's id", .commands = SLACK | BULK,
	  .words = AUTH_DATA, .def = "email" },
	{ "admin", 0, "USER", ARK_LIST, AT(admins), NULL, 0,
	  "the new account of this person (Slack id, user name or address) is an administrator's",
	  .commands = SLACK | BULK },
	{ "guests", 0, "WHAT", ARK_CHOICE, AT(guests), NULL, 0,
	  "Slack's guests: guest accounts (deactivated without a licence for them), members, or none",
	  .commands = CHECK | SLACK | VERIFY | BULK, .words = GUESTS, .def = "guest" },
	{ "email-domain", 0, "DOMAIN", ARK_TEXT, AT(email_domain), NULL, 0,
	  "domain of made-up addresses; whoever reads its mail can take these accounts over",
	  .commands = CHECK | SLACK | BULK },
	{ "workspace", 0, "ID", ARK_TEXT, AT(workspace), NULL, 0,
	  "Slack's id of the workspace (T…), where the archive does not tell",
	  .commands = CHECK | SLACK | VERIFY | BULK },

	ARK_TITLE("How"),
	{ "dry-run", 'n', NULL, ARK_FLAG, AT(dry_run), NULL, 0,
	  "do everything but the last step, and say what it would have been", .commands = SLACK | UNDO },
	{ "overwrite", 0, NULL, ARK_FLAG, AT(overwrite), NULL, 0,
	  "messages that were changed in Mattermost say again what Slack says; deleted ones stay deleted",
	  .commands = SLACK },
	{ "adopt", 0, NULL, ARK_FLAG, AT(adopt), NULL, 0,
	  "take over what mmetl and mmctl import brought in before instead of doubling it: accounts by user "
	  "name, channels by name, messages by channel, author, time and text", .commands = SLACK },
	{ "api-url", 0, "URL", ARK_TEXT, AT(api_url), NULL, 0,
	  "address of the running server, which is told to drop its caches at the end",
	  .commands = SLACK | UNDO },
	{ "api-token-file", 0, "FILE", ARK_TEXT, AT(api_token_file), NULL, ARK_IS_FILE | ARK_READS_PIPE,
	  "file with the access token of one of its administrators", .commands = SLACK | UNDO },
	{ "report", 'r', "DIR", ARK_TEXT, AT(report), NULL, ARK_IS_FOLDER,
	  "write report.html, report.json, skipped.jsonl, users.csv, missing-files.csv there",
	  .commands = CHECK | SLACK | BULK },
	{ "indexes", 0, "WHAT", ARK_CHOICE, AT(indexes), NULL, 0,
	  "indexes of posts in a database that exists: rebuilt after loading where that pays and nobody "
	  "else is connected, kept, or rebuilt", .commands = SLACK, .words = INDEXES, .def = "auto" },
	{ "force", 0, NULL, ARK_FLAG, AT(force), NULL, 0,
	  "rebuild indexes although other sessions are connected; undo what people have built on",
	  .commands = SLACK | UNDO },
	{ "temp-dir", 0, "DIR", ARK_TEXT, AT(temp_dir), "TMPDIR", ARK_IS_FOLDER,
	  "folder for temporary files", .commands = CHECK | SLACK | VERIFY | FILES | BULK,
	  .def = "/tmp" },
	{ "memory", 0, "SIZE", ARK_SIZE, AT(memory), NULL, 0,
	  "for messages that wait until their channel is complete; the rest goes to temporary files",
	  .commands = CHECK | SLACK | VERIFY | BULK, .def = "48M" },
	{ "profile", 0, NULL, ARK_FLAG, AT(profile), NULL, 0, "say where the time went",
	  .commands = CHECK | SLACK | BULK },

	ARK_TITLE("Telling others"),
	NOTIFY_ROWS(struct import_config, notify, SLACK | FILES | UNDO | BULK),
};

const struct ark_tool IMPORT_TOOL = {
	.name = "matter-import",
	.version = MATTERARK_VERSION,
	.summary = "Slack exports into Mattermost's PostgreSQL",
	.commands = COMMANDS,
	.command_count = sizeof(COMMANDS) / sizeof(COMMANDS[0]),
	.options = OPTIONS,
	.option_count = sizeof(OPTIONS) / sizeof(OPTIONS[0]),
	.examples = "  matter-import check export.zip --report report\n"
	            "  matter-import slack export.zip --team acme --embedded\n"
	            "  matter-import verify export.zip --team acme --embedded\n",
};

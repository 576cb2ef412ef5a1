/*
 * What one run of matter-import did, or would do (check), as plain data, and everything that is
 * made of it: the folder of --report (writer.h), the closing lines on the terminal. Not for
 * counting: that is import/load/count.h.
 */
#ifndef IMPORT_REPORT_REPORT_H
#define IMPORT_REPORT_REPORT_H

#include "common/base/pool.h"
#include "common/cli/talk.h"
#include "import/load/count.h"
#include "import/slack/person.h"

struct load;

struct report_archive {
	struct ark_str name;   /* last part of the path, which is nobody's business as a whole */
	int64_t newest_ms;     /* its age: greatest message time; 0: not known */
	uint64_t entries, day_files, body_files, other_files;
	uint64_t unsafe_names; /* entries left alone because of their names */
	uint64_t bad_entries;  /* entries whose header could not be read */
	uint64_t list_damage;  /* parts of the lists that could not be read */
	bool has_users;
};

/* One of an organisation. */
struct report_workspace {
	struct ark_str folder; /* below teams/ */
	struct ark_str id;     /* "T…", or none */
	struct ark_str team;   /* URL name of the team it goes into */
};

struct report_channel {
	struct ark_str slack_id;
	struct ark_str slack_name; /* of direct conversations: who takes part */
	struct ark_str name;       /* in Mattermost's addresses; none when left out */
	struct ark_str display;    /* "" for direct ones */
	char type;                 /* 'O', 'P', 'D', 'G'; 0 when left out */
	struct ark_str team;       /* URL name of its team; none for direct ones and those left out */
	bool existed;              /* stood in the database before the run */
	bool archived;
	enum skip_reason left_out; /* SKIP_NONE: imported */
	struct load_count count;
	int64_t first_ms, last_ms; /* 0: no message */
	uint32_t members;
	uint32_t members_live; /* of these: accounts that can be used */
};

enum report_status { REPORT_MATCHED, REPORT_CREATED, REPORT_BOT, REPORT_PLACEHOLDER, REPORT_MERGED };
#define REPORT_STATUS_COUNT 5

struct report_person {
	struct ark_str slack_id; /* key of import/slack/person.h */
	struct ark_str username; /* in Mattermost */
	struct ark_str slack_name, real_name, email;
	enum report_status status;
	bool active;              /* the account can be used */
	bool deleted;             /* deactivated in Slack already */
	bool guest, admin, owner; /* in Slack */
	bool mailless;            /* a new usable account without an address: no reset by e-mail */
	uint64_t posts;
};

struct report_phase {
	struct ark_str name;
	int64_t ms;
};

/* Of posts that this run could have written; only when `known`. */
struct report_changes {
	bool known;
	uint64_t added, updated, same;
	uint64_t kept; /* changed or deleted in Mattermost since an earlier run: left as they are */
	uint64_t kept_deleted; /* of these: deleted or purged in Mattermost */
	uint64_t adopted;      /* were there already, brought by another importer */
	uint64_t orphaned;     /* new, but under a message or by an account that was deleted in Mattermost */
	uint64_t channels_kept, people_kept; /* did not follow Slack because people use them here */
	uint64_t channels_older; /* imported from a newer archive before: only what was missing */
	uint64_t deactivated;
};

/* Bodies of files, and pictures; only when `known`: a file store was at hand. */
struct report_bodies {
	bool known;
	uint64_t files, bytes; /* stored by this run, on posts; of the bodies, each once */
	uint64_t missing;      /* files of posts that have none */
	uint64_t unpainted;    /* images without preview: damaged, or too large */
	uint64_t emoji, avatars;
};

/*
 * Everything but `strings` and the lists made by import_report_from_load is borrowed. Fields of the
 * first part are for main to set; what is not known stays 0 or ARK_STR_NONE and is not shown.
 */
struct import_report {
	bool check; /* nothing was written: what the import would do */
	struct ark_str tool_version;
	struct ark_str database_host, database_name; /* no user, no password */
	struct ark_str server_version;               /* of the Mattermost schema: "11.6" */
	struct ark_str files_place;                  /* the file store, as people may see it */
	int64_t end_ms; /* Unix time; start_ms comes from struct load */
	int64_t duration_ms;
	const struct report_phase *phases; /* with --profile */
	uint32_t phases_count;
	const struct ark_str *warnings;
	uint32_t warnings_count;
	struct report_changes changes;
	struct report_bodies bodies;

	/* made by import_report_from_load */
	struct ark_str run, workspace, team, team_display;
	bool several_teams; /* an organisation's: `team` is none, each channel has its own */
	bool database_new; /* made by this run */
	int64_t start_ms;
	struct load_count total;
	uint64_t reactions_invisible, reactions_cut;
	const struct load_month *months; /* sorted */
	uint32_t months_count;
	struct report_archive *archives;
	uint32_t archives_count;
	struct report_workspace *workspaces; /* in order of their folders; none in other exports */
	uint32_t workspaces_count;
	struct report_channel *channels; /* most messages first, those left out at the end */
	uint32_t channels_count;
	struct report_person *people; /* who has or gets an account, in order of slack_id */
	uint32_t people_count;
	uint32_t people_without_account; /* listed, but in no channel and author of nothing */
	uint32_t folder_clashes;         /* folders claimed by two conversations */
	uint64_t team_people;  /* usable accounts in the largest team, bots and those of before with them */
	uint64_t active_users; /* usable accounts without bots, those of before with them */
	struct ark_pool strings;
};

/* Fill the second part from the structures of a run that is over; the first part stays as it is.
 * `out` is otherwise empty, borrows from `l` and owns its lists; release before `l`. */
void import_report_from_load(const struct load *l, struct import_report *out);
void import_report_release(struct import_report *r);

/* Messages that were lost against the archive's will: the run ends with exit code 3. */
uint64_t import_report_lost(const struct import_report *r);
/* Parts of the lists and entries of the archives that could not be read: people, channels or files may
 * be missing; the run ends with exit code 3 too. */
uint64_t import_report_damage(const struct import_report *r);

/*
 * The closing lines, and under --json the object `summary` (msgid "import.summary" or
 * "check.summary"). Those of an import are talk; those of check are its result, on standard output.
 * folder  where the report was written, NULL when none was asked for
 */
void import_report_say(const struct import_report *r, const char *folder, struct ark_talk *talk);

#endif

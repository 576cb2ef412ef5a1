/*
 * What the parts of one run share: the export being read, the database written to, who and what the
 * Slack ids become. Made by run.c, passed to every part; nothing here is global.
 */
#ifndef IMPORT_LOAD_LOAD_H
#define IMPORT_LOAD_LOAD_H

#include "common/crypt/hash.h"
#include "common/db/conn.h"
#include "import/load/count.h"
#include "import/load/mapfile.h"
#include "import/slack/export.h"

#define TARGET_NONE UINT32_MAX

/* A team of Mattermost. */
struct load_team {
	char id[MM_ID_LEN + 1];
	const char *name;           /* URL name */
	const char *display;        /* NULL: the name */
	bool made;                  /* by this run */
	uint32_t town_square, off_topic; /* targets, or TARGET_NONE when the team existed */
	char defaults[2][MM_ID_LEN + 1]; /* their ids when the team existed, or "" */
	struct ark_map channel_names;    /* that are taken */
	struct ark_map channel_numbers;  /* base of a name to the number to try next: load/unique.h */
	uint64_t before;            /* usable accounts in it that are those of nobody here, bots too */
};

/* A channel of Mattermost that receives one or more Slack conversations. */
struct load_target {
	char id[MM_ID_LEN + 1];
	char type;                  /* 'O', 'P', 'D', 'G' */
	uint32_t team;              /* of struct load; says nothing of direct ones */
	bool existed;               /* stood in the database before this run */
	bool skipped;               /* left out by option or rule: its messages are counted only */
	enum skip_reason skip;
	struct ark_str name, display, header, purpose;
	struct ark_str slack_name;  /* for people */
	int64_t created_ms;
	int64_t archived_ms;        /* 0: live */
	uint32_t creator;
	struct ark_numbers members; /* persons, ascending */
	uint32_t first_conv;        /* one of its conversations: the first */
	uint32_t files_left;        /* day files not yet read */
	/* filled while loading */
	int64_t last_post_ms, last_root_ms;
	uint64_t posts, roots;      /* that count: see load/channel.c */
	int64_t last_archive_ms, last_unarchive_ms;
	int64_t first_post_ms;
	struct load_count count;
	/* records not yet loaded */
	struct ark_buf records;
	struct load_spill *spill;   /* NULL: nothing was spilled */
};

/* A channel that an earlier run made. */
struct load_known {
	char id[MM_ID_LEN + 1]; /* "": somebody deleted the channel for good */
	char team_id[MM_ID_LEN + 1];
	struct ark_str name, team; /* the team's name, for organisations */
};

enum load_auth { AUTH_NONE, AUTH_LDAP, AUTH_SAML };
enum load_auth_data { AUTH_BY_EMAIL, AUTH_BY_USERNAME, AUTH_BY_ID };

enum load_guests { GUESTS_GUEST, GUESTS_MEMBER, GUESTS_SKIP };

struct file_entry;

/* A post as it is handed over. */
struct load_taken {
	const char *id, *root_id;  /* "" for a root */
	uint32_t author;
	struct ark_str message, type;
	struct ark_str note;       /* end of the message: what stands there for files */
	struct ark_str props;      /* members of the object, no braces */
	int64_t create_ms, edit_ms;
	bool pinned;
	bool counted;              /* a message of the archive; not the rest of a long one, no placeholder */
};

/* Who is handed every post beside its rows: each with its files and reactions right behind it, followers
 * of threads when the channel's posts are through, then `channel`. */
struct load_taker {
	void (*post)(void *ctx, const struct load_taken *post);
	void (*file)(void *ctx, const struct file_entry *file);
	void (*reaction)(void *ctx, uint32_t person, struct ark_str emoji, int64_t create_ms);
	void (*follower)(void *ctx, const char *root_id, uint32_t person);
	enum ark_rc (*channel)(void *ctx, struct load_target *t, struct ark_err *err);
	void *ctx;
};

struct load_settings {
	const char *team;           /* URL name; NULL: one per workspace of an organisation */
	struct mapfile *team_map;   /* NULL: they are called after their folders */
	const char *team_display;   /* NULL: made from the name */
	const char *email_domain;   /* NULL: slack.invalid */
	enum load_guests guests;
	struct mapfile *users;      /* NULL: none */
	bool merge_by_email;        /* people with one address are one person */
	enum load_auth auth;        /* how new accounts sign in */
	enum load_auth_data auth_data;
	const char *const *admins;  /* whose new accounts are administrators' */
	size_t admins_count;
	const char *password_file;  /* NULL: new accounts get no password */
	const char *into_channel;   /* NULL; else everything goes into this one */
	bool merge_general;         /* Slack's general channel goes into town-square */
	bool no_direct;
	const char *const *channels; /* globs; NULL: all */
	size_t channels_count;
	const char *temp_dir;
	size_t memory_bytes;        /* for records that wait for their channel to be complete */
	bool adopt;                 /* what another importer brought is taken over: load/adopt.h */
	bool overwrite;             /* posts that were changed in Mattermost become as in Slack again */
	size_t post_runes;          /* longest message of this database */
};

struct load {
	struct slack_export *x;
	struct load_settings set;
	struct ark_str workspace;
	struct crypt_hash *hash;
	int64_t start_ms;           /* of the run */
	bool fresh;                 /* the database is being made by this run */
	char run[32];               /* id of the run: [0-9a-z-]+ */
	int64_t run_no;             /* its number in this database */
	struct load_team *teams;    /* load/team.h */
	uint32_t teams_count;
	bool by_workspace;          /* each workspace into its own: */
	uint32_t *team_of_workspace; /* by slack_conv.home */
	struct load_target *targets;
	uint32_t targets_count;
	uint32_t targets_cap;
	uint32_t into;              /* target of --into-channel, or TARGET_NONE */
	uint32_t into_closed;       /* conversations in it that were not public */
	/* the channel of --into-channel when the team has it: "" and 0 else */
	char into_id[MM_ID_LEN + 1], into_type;
	bool into_archived;
	struct ark_map usernames;   /* taken user names to person, or PERSON_NONE for others' */
	struct ark_map emails;      /* taken addresses, as usernames */
	struct ark_map auths;       /* taken authdata, as usernames */
	struct ark_map wished;      /* user names in the map, to the first row */
	struct ark_map people_mail; /* address to the person who has it in Slack */
	struct ark_map user_numbers;    /* base of a user name to the number to try next: load/unique.h */
	struct ark_map direct_names; /* names of direct and group channels to targets */
	struct load_known *known;    /* by known_channels: Slack conversation id */
	uint32_t known_count;
	struct ark_map known_channels;
	const struct load_taker *taker; /* NULL: nobody */
	struct passwords *passwords; /* load/password.h; NULL: none are made */
	struct ark_pool strings;
	struct load_report report;
};

#endif

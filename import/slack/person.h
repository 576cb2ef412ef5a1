/*
 * Who is who in a workspace: the people of users.json, the bots, Slackbot, and the strangers who
 * occur in messages without being listed. Indices are stable, pointers are not (the array grows).
 * The Mattermost half of a person is filled by load/account.h.
 *
 * Fact  docs/slack-quirks.md "People"; fixtures/slack/stranger-with-profile, bot-many-usernames
 */
#ifndef IMPORT_SLACK_PERSON_H
#define IMPORT_SLACK_PERSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/pool.h"
#include "common/json/value.h"

#define PERSON_NONE UINT32_MAX

enum person_kind {
	PERSON_HUMAN,
	PERSON_BOT,      /* a bot user of users.json, or a name under which a bot_id posted */
	PERSON_SLACKBOT,
};

struct slack_person {
	struct ark_str key;  /* "U…", "W…", "USLACKBOT"; "B…" or "B…|user name" for other bots */
	enum person_kind kind;
	struct ark_str name, real_name, first_name, last_name, display_name; /* as Slack has them, or none */
	struct ark_str email, title, timezone, locale, team_id, bot_id;
	bool listed;         /* stands in a users.json */
	bool deleted, admin, owner, guest;
	bool profile_seen;   /* a message's user_profile gave the names of an unlisted person */
	int64_t updated_s;   /* of the users.json entry */
	/* seen while reading messages */
	int64_t first_ms;    /* earliest message, 0: none */
	uint64_t posts;
	/* Mattermost */
	char mm_id[MM_ID_LEN + 1]; /* "" until given */
	struct ark_str username;
	bool username_final; /* false: a stranger's name may still become known */
	bool matched;        /* an account that was there before */
	bool by_email;       /* of these: found by the address alone */
	bool ours;           /* of these: made by an earlier run */
	bool active;         /* account not deactivated */
	bool merged;         /* the account is that of `leader`, who stands for both everywhere */
	uint32_t leader;
	bool admin_here;     /* made an administrator of Mattermost, because the caller said so */
	bool used;           /* member, author, mentioned or reacting: gets an account */
};

struct slack_people {
	struct slack_person *list;
	uint32_t count;
	uint32_t cap;
	struct ark_map by_key;
	struct ark_map by_bot_id;   /* "B…" to the bot user that has it in its profile */
	struct ark_map bot_names;   /* "B…" to the number of names seen */
	struct ark_map team_votes;  /* team_id of listed humans to how many */
	struct ark_pool strings;
	uint32_t slackbot;          /* PERSON_NONE until somebody needs it */
	/* told of every person made while messages are read (may be NULL) */
	void (*on_new)(void *ctx, uint32_t person);
	void *on_new_ctx;
};

void slack_people_init(struct slack_people *p);
void slack_people_release(struct slack_people *p);
/* Forget everybody (another users.json turned out to be the right one). */
void slack_people_clear(struct slack_people *p);

/* One entry of users.json; a second entry with the same id replaces the first if it is not older.
 * False when it has no id. */
bool slack_people_add(struct slack_people *p, struct json_val user);

/* The person with this id ("U…", "W…", or "B…" of a known bot), or PERSON_NONE. */
uint32_t slack_people_find(const struct slack_people *p, struct ark_str id);
/* The same; one who is not known becomes a stranger. An id that can be none (empty, longer than 64
 * bytes, other characters than letters and digits) gives PERSON_NONE. */
uint32_t slack_people_need(struct slack_people *p, struct ark_str id);
uint32_t slack_people_slackbot(struct slack_people *p);
/* Somebody of whom an earlier run knew, by key; made without telling on_new. */
uint32_t slack_people_known(struct slack_people *p, struct ark_str key);

/*
 * The account for a bot's message: the bot user when `username` is absent or its own name, else one
 * account per (bot_id, username), up to 30 names per bot_id; further ones share the account of the
 * bot_id. `bot_name` (from bot_profile) may be absent. `bot_id` may be absent: keyed by name alone.
 */
uint32_t slack_people_bot(struct slack_people *p, struct ark_str bot_id, struct ark_str username,
                          struct ark_str bot_name);

/* Take names from a message-level `user_profile` if `person` is not listed; the last one wins.
 * Returns true when the person's names were not known before. */
bool slack_people_profile(struct slack_people *p, uint32_t person, struct json_val profile);

/* From now on `leader` is who the id of `person` means. */
void slack_people_merge(struct slack_people *p, uint32_t person, uint32_t leader);
/* Who stands for this person. */
uint32_t slack_people_leader(const struct slack_people *p, uint32_t person);

/* One more that says the workspace is `team`. */
void slack_people_vote(struct slack_people *p, struct ark_str team);
/* Majority team_id of listed humans, or of messages after a survey (ties: the smaller id), or
 * ARK_STR_NONE. */
struct ark_str slack_people_team(const struct slack_people *p);

#endif

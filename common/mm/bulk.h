/*
 * The lines of a Mattermost bulk import file (`mmctl import`): struct in, one JSON object on a line
 * out. Only the format: what belongs into the file, and the zip around it, is its owner's business.
 *
 * Lines stand in this order: version, emoji, team, channel, user, bot, post, direct_channel,
 * direct_post; a line may only name what an earlier one (or the server) has. Strings from outside may be
 * anything: what is no UTF-8 becomes U+FFFD. A string that is ARK_STR_NONE is left out of the line, as is
 * a time that is 0.
 *
 * Fact  docs/mattermost-facts.md "Bulk import"
 */
#ifndef ARK_MM_BULK_H
#define ARK_MM_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

#define MM_BULK_JSONL "import.jsonl" /* name of the lines in the zip */
#define MM_BULK_DATA "data/"         /* folder of attachments in the zip; paths in lines are below it */
#define MM_BULK_ROOM (16u << 20)     /* longest line, in bytes: a longer one ends the import */

/* "matter-import", "0.1.0"; created_ms 0 for a file that is to be the same every time. */
void mm_bulk_version(struct ark_buf *out, const char *generator, const char *version, int64_t created_ms);

struct mm_bulk_emoji {
	struct ark_str name, image; /* path below data/ */
};
void mm_bulk_emoji(struct ark_buf *out, const struct mm_bulk_emoji *e);

struct mm_bulk_team {
	struct ark_str name, display_name, description;
	bool open; /* else by invitation only */
};
void mm_bulk_team(struct ark_buf *out, const struct mm_bulk_team *t);

struct mm_bulk_channel {
	struct ark_str team, name, display_name, header, purpose;
	bool is_private;
	int64_t deleted_ms; /* archived then */
};
void mm_bulk_channel(struct ark_buf *out, const struct mm_bulk_channel *c);

/* Somebody in a channel, and how much of it they have read: counters and time as they stand in
 * channelmembers. The server takes them only when both of a pair are there, so they always are. */
struct mm_bulk_reading {
	int64_t msg_count, msg_count_root;
	int64_t mention_count, mention_count_root;
	int64_t last_viewed_ms;
};

struct mm_bulk_in_channel {
	struct ark_str name;
	bool admin, guest, favorite;
	struct mm_bulk_reading reading;
};

struct mm_bulk_in_team {
	struct ark_str name;
	bool admin, guest;
	const struct mm_bulk_in_channel *channels;
	size_t channels_count;
};

struct mm_bulk_user {
	struct ark_str username, email, nickname, first_name, last_name, position, locale;
	struct ark_str roles;          /* left out: a new account is an ordinary one, one that is there stays */
	struct ark_str auth_service, auth_data;
	struct ark_str profile_image;  /* path below data/ */
	int64_t delete_ms;             /* deactivated then */
	const struct mm_bulk_in_team *teams;
	size_t teams_count;
};
void mm_bulk_user(struct ark_buf *out, const struct mm_bulk_user *u);

struct mm_bulk_bot {
	struct ark_str username, owner, display_name, description;
	struct ark_str profile_image;
	int64_t delete_ms;
};
void mm_bulk_bot(struct ark_buf *out, const struct mm_bulk_bot *b);

struct mm_bulk_participant {
	struct ark_str username;
	bool guest;
	struct mm_bulk_reading reading;
};

struct mm_bulk_direct {
	const struct mm_bulk_participant *people; /* 2, the same twice for notes to oneself; 3 to 8 */
	size_t count;
	struct ark_str header;
	const struct ark_str *shown_by, *favorited_by; /* user names */
	size_t shown_count, favorited_count;
};
void mm_bulk_direct_channel(struct ark_buf *out, const struct mm_bulk_direct *d);

struct mm_bulk_reaction {
	struct ark_str user, emoji;
	int64_t create_ms; /* raised to the post's: an earlier one ends the import */
};

struct mm_bulk_post {
	struct ark_str user, message, type;
	struct ark_str props;                /* a JSON object as text; NONE or "{}": left out */
	int64_t create_ms, edit_ms;
	bool pinned;
	const struct mm_bulk_reaction *reactions;
	size_t reactions_count;
	const struct ark_str *attachments;   /* paths below data/ */
	size_t attachments_count;
	const struct ark_str *flagged_by;    /* user names */
	size_t flagged_count;
};
/* A post as a JSON object, without place and replies: what mm_bulk_post_begin and _reply take, so that
 * threads can be put together from parts that were kept. */
void mm_bulk_post_object(struct ark_buf *out, const struct mm_bulk_post *p);

/* Where a post stands. */
struct mm_bulk_place {
	struct ark_str team, channel;
	const struct ark_str *members; /* direct and group channels: user names instead */
	size_t members_count;
};

struct mm_bulk_follower {
	struct ark_str user;
	int64_t last_viewed_ms, unread_mentions;
};

/* The line of a post: begin, any number of replies, end. `object`: of mm_bulk_post_object. */
void mm_bulk_post_begin(struct ark_buf *out, const struct mm_bulk_place *place, struct ark_str object);
void mm_bulk_post_reply(struct ark_buf *out, bool first, struct ark_str object);
void mm_bulk_post_end(struct ark_buf *out, bool replies, const struct mm_bulk_follower *followers,
                      size_t count);

#endif

/*
 * What every output format is made of: people, channels, and one post after another with everything
 * that hangs on it. Formats get these; none of them asks the database for posts. Reading is read.h,
 * writing files is out.h.
 *
 * A format is a struct export_format. It gets a stream of
 *
 *	begin ( channel_begin record* channel_end )* end
 *
 * The order is the same in every run: channels by (team path, channel path), the posts of a channel by
 * (create_ms, id) bytewise. Deleted posts are in the stream, edit-history copies are not: they are the
 * `versions` of their post. All strings are UTF-8; ARK_STR_NONE is "there is none"; times are Unix
 * milliseconds, 0 is "never".
 */
#ifndef EXPORT_RECORD_H
#define EXPORT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct ark_map;
struct db_conn;
struct export_out;

/* --- people and channels: live as long as the run --------------------------------------------- */

struct export_person {
	struct ark_str id;
	struct ark_str user_name;
	struct ark_str email;
	struct ark_str first_name, last_name, nickname, position; /* may be empty */
	struct ark_str display_name; /* nickname, else first and last name, else user name */
	struct ark_str roles;
	struct ark_str bot_owner_id;   /* of a bot */
	int64_t create_ms, update_ms, delete_ms; /* delete_ms > 0: deactivated since */
	bool is_bot;
	bool is_remote;              /* an account of a connected server */
};

enum export_channel_kind {
	EXPORT_PUBLIC,
	EXPORT_PRIVATE,
	EXPORT_DIRECT,
	EXPORT_GROUP,
	EXPORT_UNKNOWN, /* posts name a channel that has no row; or a type that is newer than this */
};
/* "public", "private", "direct", "group", "unknown" */
const char *export_channel_kind_name(enum export_channel_kind kind);

/* One stay of one person in a channel, or a membership of which only the present is known. */
struct export_member {
	struct ark_str user_id;
	const struct export_person *person; /* NULL: no such account */
	int64_t join_ms; /* 0: not known */
	int64_t leave_ms; /* 0: has not left, or not known */
	bool now;        /* is a member at the time of the snapshot */
	bool admin;      /* is channel administrator now */
};

struct export_channel {
	struct ark_str id;
	struct ark_str name, display_name, header, purpose, creator_id;
	struct ark_str team_id, team_name, team_display_name; /* NONE for direct and group */
	struct ark_str team_path;    /* "acme", "_direct": safe in paths, see out.h */
	struct ark_str channel_path; /* "town-square" */
	enum export_channel_kind kind;
	int64_t create_ms, update_ms, delete_ms; /* delete_ms > 0: archived since */
	/* From when on channelmemberhistory tells who was in the channel; 0: it does not. */
	int64_t history_from_ms;
	uint64_t posts; /* in scope, edit-history copies not counted */
	/* Members past and present by (user id, join time); only for a format with wants_members, and
	 * only between channel_begin and channel_end. */
	const struct export_member *members;
	size_t members_count;
};

/* --- one post ---------------------------------------------------------------------------------- */

struct export_reaction {
	struct ark_str emoji; /* name without colons */
	struct ark_str user_id;
	const struct export_person *person;
	int64_t create_ms;
	int64_t delete_ms; /* > 0: taken back then */
};

/* Where the bytes of an attachment are. */
enum export_bytes {
	EXPORT_BYTES_NONE,       /* nobody looked (--attachments none, no file store known) */
	EXPORT_BYTES_REFERENCED, /* in Mattermost's file store at store_path; read and hashed */
	EXPORT_BYTES_COPIED,     /* in this export at copy_path too */
	EXPORT_BYTES_MISSING,    /* the file store has no such file, or could not give it */
};
const char *export_bytes_name(enum export_bytes bytes);

struct export_attachment {
	struct ark_str id;
	struct ark_str name, extension, mime_type;
	struct ark_str user_id;    /* who uploaded */
	struct ark_str store_path; /* relative to Mattermost's file store */
	struct ark_str copy_path;  /* relative to the export, "data/files/ab/abcd..."; NONE unless COPIED */
	struct ark_str sha256;     /* lower-case hex; NONE unless the bytes were read */
	int64_t size_bytes;        /* as the database says */
	int64_t create_ms, delete_ms;
	int32_t width, height;     /* 0 unless an image */
	enum export_bytes bytes;
};

/* A text that an edit replaced. */
struct export_version {
	struct ark_str id; /* of the row that keeps it */
	struct ark_str text;
	int64_t edit_ms;     /* when this text was written; create_ms of the post for the first */
	int64_t replaced_ms; /* when the next one replaced it */
};

struct export_ack {
	struct ark_str user_id;
	const struct export_person *person;
	int64_t ack_ms;
};

/* Who or what posted in the author's name, from props. */
struct export_origin {
	bool any; /* one of the following is set */
	bool from_webhook, from_bot, from_plugin, from_oauth_app;
	struct ark_str override_name, override_icon_url, override_icon_emoji, webhook_name;
};

enum export_what {
	EXPORT_POST,
	EXPORT_PURGED,  /* was in an earlier run of this series and is gone: only id, create_ms, root */
	EXPORT_ORPHAN,  /* an edit-history copy whose post is gone; original_id names that */
};
const char *export_what_name(enum export_what what);

struct export_record {
	enum export_what what;
	const struct export_channel *channel;
	struct ark_str id;
	struct ark_str root_id;     /* NONE: no reply */
	struct ark_str original_id; /* NONE unless EXPORT_ORPHAN */
	struct ark_str author_id;
	const struct export_person *author; /* NULL: no such account */
	int64_t create_ms, update_ms, edit_ms, delete_ms;
	struct ark_str deleted_by_id; /* NONE: not known, or not deleted */
	const struct export_person *deleted_by;
	struct ark_str text;  /* Markdown */
	struct ark_str type;  /* "" for an ordinary post, "system_join_channel", ... */
	bool is_system;       /* type begins with "system_" */
	struct ark_str props; /* JSON object as PostgreSQL writes jsonb; "{}" when there is nothing */
	struct ark_str hashtags; /* "#a #b", as stored */
	struct ark_str remote_id;
	bool is_pinned;
	bool participants_known; /* create_ms lies in the time that the channel's history covers */
	bool match;              /* --match: this is a hit; false: its neighbourhood */
	struct export_origin origin;
	bool has_priority;
	struct ark_str priority; /* "important", "urgent", "" */
	bool requested_ack, persistent_notifications;
	const struct export_version *versions; /* oldest first */
	size_t versions_count;
	const struct export_reaction *reactions; /* by (create_ms, user, emoji) */
	size_t reactions_count;
	const struct export_attachment *attachments; /* by (create_ms, id) */
	size_t attachments_count;
	const struct export_ack *acks; /* by (ack_ms, user) */
	size_t acks_count;
};

/* --- formats ----------------------------------------------------------------------------------- */

/* What a format may look at from begin to end. Read only, shared by all threads. */
struct export_run {
	const char *tool; /* "matter-export 0.1.0" */
	const struct export_person *people; /* by id, bytewise */
	size_t people_count;
	const struct ark_map *person_at; /* id -> index in people */
	const struct export_channel *channels; /* those in scope, in stream order */
	size_t channels_count;
	bool has_match;
	bool incremental; /* only what changed; a channel's stream is then not its whole history */
	/* A connection inside the snapshot for what only this format needs (custom emoji, team rows):
	 * only in begin and end, which run in the main thread. */
	struct db_conn *conn;
	struct export_out *out; /* where files go: out.h */
	/* Something the format could not say: counted per reason, told in run.json and at the end. Any
	 * thread. `reason` is a literal: "rsmf: pins". */
	void (*note)(void *ctx, const char *reason, uint64_t n);
	void *note_ctx;
};
/* NULL when there is no such person. */
const struct export_person *export_person_find(const struct export_run *run, struct ark_str id);

/*
 * alone          all records come in one thread, whole channels, once each. Otherwise begin and end
 *                are called once per thread, and a channel may come in several parts, cut between
 *                months, in any threads.
 * wants_members  channel->members is filled; only together with `alone`
 *
 * begin          makes *self. channel_begin .. channel_end: `channel` is one of run->channels; what the
 *                record points to is borrowed until the call returns. end: everything published (out.h). drop: release *self,
 *                also after a failure and after end; NULL is fine.
 * Returns        ARK_OK; a FAIL or STOP ends the run
 */
struct export_format {
	const char *name; /* "jsonl" */
	bool alone;
	bool wants_members;
	enum ark_rc (*begin)(const struct export_run *run, void **self, struct ark_err *err);
	enum ark_rc (*channel_begin)(void *self, const struct export_channel *channel,
	                             struct ark_err *err);
	enum ark_rc (*record)(void *self, const struct export_record *record, struct ark_err *err);
	enum ark_rc (*channel_end)(void *self, const struct export_channel *channel, struct ark_err *err);
	enum ark_rc (*end)(void *self, struct ark_err *err);
	void (*drop)(void *self);
};

/* One per file of formats/, all of them in EXPORT_FORMATS (formats.c); NULL-ended. */
extern const struct export_format EXPORT_JSONL, EXPORT_HTML, EXPORT_SLACK, EXPORT_CSV, EXPORT_EML, EXPORT_RSMF,
	EXPORT_BULK;
extern const struct export_format *const EXPORT_FORMATS[];

#endif

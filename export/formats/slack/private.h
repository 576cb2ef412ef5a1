/*
 * What the files of the Slack format share. The result is a zip in the layout of Slack's own full
 * export, one per team, or one for everything when there is only one team:
 *
 *	users.json channels.json groups.json mpims.json dms.json integration_logs.json
 *	<channel>/<YYYY-MM-DD>.json       days of UTC; readers go by `ts`, not by the name
 *	__uploads/<file id>/<name>        bodies, with --attachments copy
 *
 * What came from Slack by matter-import keeps Slack's ids and time stamps, so that an import of the
 * result recognises every message; everything else gets ids that are made from Mattermost's.
 *
 * A channel's messages wait in a temporary file until the channel (or a window of SLACK_WINDOW
 * messages, cut between days) is complete: the message that began a thread names its replies.
 */
#ifndef EXPORT_FORMATS_SLACK_PRIVATE_H
#define EXPORT_FORMATS_SLACK_PRIVATE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/map.h"
#include "common/io/spool.h"
#include "common/io/zip.h"
#include "common/json/out.h"
#include "common/json/value.h"
#include "export/formats/markdown/mrkdwn.h"
#include "export/formats/names.h"
#include "export/formats/thread.h"
#include "export/out.h"
#include "export/record.h"

#define SLACK_WINDOW 250000u
#define SLACK_OLDER  1000000u /* messages of earlier windows that a reply can still find */
#define SLACK_TS     24 /* "1700000000.000100" and its NUL */
#define SLACK_ID     12 /* "U" and ten characters, and its NUL */
#define SLACK_BUFFER (96u << 20)

enum slack_list { SLACK_CHANNELS, SLACK_GROUPS, SLACK_MPIMS, SLACK_DMS, SLACK_LISTS };

/* A message that waits: its JSON without the closing brace lies in the spool. */
struct slack_entry {
	struct thread_node node;
	uint64_t at;
	int64_t ts_us;
	uint32_t len;
	uint32_t author; /* in run->people; UINT32_MAX: nobody */
	bool deleted;    /* kept only when something hangs on it */
};

struct slack_archive {
	const struct export_run *run;
	struct mrkdwn_names names;
	/* Slack's ids: matterark's where they are known */
	struct ark_map user_ids, channel_ids; /* Mattermost id -> index in `ids` */
	struct ark_buf ids;                   /* NUL-ended strings */
	struct ark_buf workspace;             /* Slack's id of the one that all came from; empty: none */
	struct format_names meant;
	struct ark_map shown;                 /* "team id/display name" -> how many channels are called so */
	/* the time stamps of what was imported: (id hash, microseconds), by channel */
	struct io_spool stamps;
	struct ark_map stamps_at;             /* channel id -> index in ranges */
	uint64_t (*ranges)[2];                /* first pair, pairs */
	size_t ranges_count;
	uint64_t (*known)[2];                 /* of this channel, by id hash */
	size_t known_count;
	bool one_zip;
	/* the archive that is being written */
	struct io_zip *zip;
	struct io_spool uploads; /* bodies of this channel's files: uploads.c */
	struct export_file *file;
	struct ark_str team_path;
	struct io_spool lists[SLACK_LISTS];
	uint64_t lists_count[SLACK_LISTS];
	/* the channel */
	const struct export_channel *channel;
	struct io_spool spool;
	struct slack_entry *entries;
	size_t entries_count, entries_cap;
	uint64_t (*older)[2];                 /* id hash and stamp of earlier windows' messages, sorted */
	size_t older_count;
	int64_t last_us;                      /* greatest stamp given in this channel */
	int64_t newest_ms;
	struct ark_buf pins;                  /* of the channel: items of its `pins` */
	struct json_doc *json;
	struct ark_buf line, text, day, key, scratch;
};

/* --- ids.c --- */
enum ark_rc slack_ids_read(struct slack_archive *a, struct ark_err *err);
/* "B012|name" for the account of a bot that came from Slack; slack_user_id has the id alone. */
struct ark_str slack_user_key(const struct slack_archive *a, struct ark_str mattermost_id, char room[SLACK_ID]);
struct ark_str slack_user_id(const struct slack_archive *a, struct ark_str mattermost_id, char room[SLACK_ID]);
struct ark_str slack_channel_id(const struct slack_archive *a, struct ark_str mattermost_id,
                                char room[SLACK_ID]);
/* A channel's name in Slack: the shown one where Slack could have it and no other channel has it (the
 * import keeps Slack's name there), else the name in Mattermost. */
struct ark_str slack_channel_name(struct slack_archive *a, const struct export_channel *c);
void slack_names_gather(struct slack_archive *a);
struct ark_str slack_file_id(struct ark_str mattermost_id, char room[SLACK_ID]);
/* The stamps of this channel's imported messages, for slack_stamp. */
enum ark_rc slack_stamps_load(struct slack_archive *a, struct ark_str channel_id, struct ark_err *err);
/* The time stamp of a message: as Slack had it, else from its time; unique and rising in the channel. */
int64_t slack_stamp(struct slack_archive *a, struct ark_str post_id, int64_t create_ms);
void slack_ts_text(int64_t ts_us, char out[SLACK_TS]);

/* --- message.c: a record as JSON without the closing brace, into a->line --- */
void slack_message_put(struct slack_archive *a, const struct export_record *r, int64_t ts_us);

/* --- window.c: the messages of a channel as day files --- */
enum ark_rc slack_window_add(struct slack_archive *a, const struct export_record *r, struct ark_err *err);
enum ark_rc slack_window_flush(struct slack_archive *a, struct ark_err *err);

/* --- uploads.c: bodies of attachments, for --attachments copy --- */
enum ark_rc slack_uploads_add(struct slack_archive *a, const struct export_record *r, struct ark_err *err);
enum ark_rc slack_uploads_put(struct slack_archive *a, struct ark_err *err);

/* --- lists.c: users.json, channels.json and so on --- */
enum ark_rc slack_users_put(struct slack_archive *a, struct ark_err *err);
enum ark_rc slack_list_channel(struct slack_archive *a, struct ark_err *err);
enum ark_rc slack_lists_put(struct slack_archive *a, struct ark_err *err);

#endif

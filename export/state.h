/*
 * What an incremental run remembers of every post that it saw: enough to tell which are new, changed or
 * gone the next time. A zstd file `state.zst` of lines, sorted as posts are read for it:
 *
 *	matterark state 1
 *	C CHANNEL-ID TEAM-PATH CHANNEL-PATH
 *	CREATE UPDATE DELETE EDIT POST-ID
 *
 * Channels by id, posts of a channel by (create, id), both bytewise. Words hold no blank: other bytes
 * than [!-~] without '%' are %XX, and an empty word is "%-".
 */
#ifndef EXPORT_STATE_H
#define EXPORT_STATE_H

#include "common/base/buf.h"
#include "export/folder.h"

#define EXPORT_STATE_FILE "state.zst"
#define EXPORT_STATE_HEAD "matterark state 1"

struct export_state_post {
	int64_t create_ms, update_ms, delete_ms, edit_ms;
	struct ark_str id;
};

void export_state_channel_line(struct ark_buf *b, struct ark_str id, struct ark_str team_path,
                               struct ark_str channel_path);
void export_state_post_line(struct ark_buf *b, const struct export_state_post *post);

/* Reading one: `line` after line through export_state_read; strings live in the reader. */
struct export_state_reader {
	bool begun;
	bool has_channel;
	struct ark_buf channel, team_path, channel_path, id, last_id;
	struct export_state_post post; /* the latest one */
	int64_t last_ms;
	bool has_last;
};
void export_state_reader_init(struct export_state_reader *r);
void export_state_reader_release(struct export_state_reader *r); /* also for ark_auto */
/*
 * ARK_OK: r->post is the next post, of r->channel. ARK_END: a line that holds none (head, channel): go
 * on. FAIL with kind INPUT: no state, or not sorted.
 */
enum ark_rc export_state_read(struct export_state_reader *r, struct ark_str line, struct ark_err *err);

#endif

/*
 * One message object of a day file, decoded but not interpreted: strings and values borrow from the
 * JSON document. What a field means is decided in translate/.
 *
 * Fact  docs/slack-quirks.md "Messages"
 */
#ifndef IMPORT_SLACK_MESSAGE_H
#define IMPORT_SLACK_MESSAGE_H

#include "common/json/value.h"

struct slack_message {
	int64_t ts_us;
	int64_t thread_us;        /* 0: in no thread; equal to ts_us: a root */
	int64_t edited_us;        /* 0: never */
	struct ark_str type, subtype, user, bot_id, username, text, client_msg_id;
	struct ark_str parent_user, team, topic, purpose, name, old_name, inviter, item_type;
	struct json_val blocks, attachments, files, file, reactions, pinned_to;
	struct json_val user_profile, bot_profile, icons, comment, item, room, root, bot_link;
	uint64_t reply_count;
	bool hidden;
};

/* Why an element is no message. */
enum slack_message_fault { MESSAGE_FINE, MESSAGE_NULL, MESSAGE_NOT_ONE, MESSAGE_BAD_TS };

enum slack_message_fault slack_message_decode(struct json_val v, struct slack_message *out);

#endif

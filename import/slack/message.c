/*
 * Why a switch over the key's length: a message has some 15 keys, and this is run once for each of
 * millions; comparing with every known name in turn would cost more than parsing.
 */
#include "import/slack/message.h"

#include <string.h>

#include "import/slack/ts.h"

#include "common/base/banned.h"

/* Values that need a second look after all keys were seen. */
struct later {
	struct json_val ts, thread, edited;
};

static void take_field(struct slack_message *m, struct later *x, struct ark_str key, struct json_val v)
{
	int64_t n;
	switch (key.len) {
	case 2:
		if (memcmp(key.ptr, "ts", 2) == 0)
			x->ts = v;
		break;
	case 4:
		if (memcmp(key.ptr, "type", 4) == 0)
			m->type = json_str(v);
		else if (memcmp(key.ptr, "user", 4) == 0)
			m->user = json_text(v);
		else if (memcmp(key.ptr, "text", 4) == 0)
			m->text = json_str(v);
		else if (memcmp(key.ptr, "team", 4) == 0)
			m->team = json_text(v);
		else if (memcmp(key.ptr, "file", 4) == 0)
			m->file = v;
		else if (memcmp(key.ptr, "root", 4) == 0)
			m->root = v;
		else if (memcmp(key.ptr, "room", 4) == 0)
			m->room = v;
		else if (memcmp(key.ptr, "item", 4) == 0)
			m->item = v;
		else if (memcmp(key.ptr, "name", 4) == 0)
			m->name = json_str(v);
		break;
	case 5:
		if (memcmp(key.ptr, "icons", 5) == 0)
			m->icons = v;
		else if (memcmp(key.ptr, "files", 5) == 0)
			m->files = v;
		else if (memcmp(key.ptr, "topic", 5) == 0)
			m->topic = json_str(v);
		break;
	case 6:
		if (memcmp(key.ptr, "blocks", 6) == 0)
			m->blocks = v;
		else if (memcmp(key.ptr, "bot_id", 6) == 0)
			m->bot_id = json_text(v);
		else if (memcmp(key.ptr, "edited", 6) == 0)
			x->edited = v;
		else if (memcmp(key.ptr, "hidden", 6) == 0)
			m->hidden = json_is_true(v);
		break;
	case 7:
		if (memcmp(key.ptr, "subtype", 7) == 0)
			m->subtype = json_text(v);
		else if (memcmp(key.ptr, "purpose", 7) == 0)
			m->purpose = json_str(v);
		else if (memcmp(key.ptr, "comment", 7) == 0)
			m->comment = v;
		else if (memcmp(key.ptr, "inviter", 7) == 0)
			m->inviter = json_text(v);
		break;
	case 8:
		if (memcmp(key.ptr, "username", 8) == 0)
			m->username = json_text(v);
		else if (memcmp(key.ptr, "old_name", 8) == 0)
			m->old_name = json_str(v);
		else if (memcmp(key.ptr, "bot_link", 8) == 0)
			m->bot_link = v;
		break;
	case 9:
		if (memcmp(key.ptr, "thread_ts", 9) == 0)
			x->thread = v;
		else if (memcmp(key.ptr, "reactions", 9) == 0)
			m->reactions = v;
		else if (memcmp(key.ptr, "pinned_to", 9) == 0)
			m->pinned_to = v;
		else if (memcmp(key.ptr, "item_type", 9) == 0)
			m->item_type = json_str(v);
		break;
	case 11:
		if (memcmp(key.ptr, "attachments", 11) == 0)
			m->attachments = v;
		else if (memcmp(key.ptr, "bot_profile", 11) == 0)
			m->bot_profile = v;
		else if (memcmp(key.ptr, "reply_count", 11) == 0) {
			if (json_i64(v, &n) && n > 0)
				m->reply_count = (uint64_t)n;
		}
		break;
	case 12:
		if (memcmp(key.ptr, "user_profile", 12) == 0)
			m->user_profile = v;
		break;
	case 13:
		if (memcmp(key.ptr, "client_msg_id", 13) == 0)
			m->client_msg_id = json_text(v);
		break;
	case 14:
		if (memcmp(key.ptr, "parent_user_id", 14) == 0)
			m->parent_user = json_text(v);
		break;
	default: break;
	}
}

enum slack_message_fault slack_message_decode(struct json_val v, struct slack_message *out)
{
	enum json_type type = json_type(v);
	if (type == JSON_NULL)
		return MESSAGE_NULL;
	if (type != JSON_OBJECT)
		return MESSAGE_NOT_ONE;
	struct later x = { 0 };
	*out = (struct slack_message){ 0 };
	struct json_iter it = json_fields(v);
	struct ark_str key;
	bool any = false;
	for (struct json_val value; json_next_field(&it, &key, &value); any = true)
		take_field(out, &x, key, value);
	if (!any)
		return MESSAGE_NULL; /* {}: how some tools write nothing */
	if (ark_str_has(out->type) && !ark_str_eqz(out->type, "message"))
		return MESSAGE_NOT_ONE;
	/* 0 is no moment of a message: Mattermost takes it for "not set" */
	if (!slack_ts_value(x.ts, &out->ts_us) || out->ts_us == 0)
		return json_type(x.ts) == JSON_MISSING && !ark_str_has(out->type) ? MESSAGE_NOT_ONE
		                                                                  : MESSAGE_BAD_TS;
	if (!slack_ts_value(x.thread, &out->thread_us))
		out->thread_us = 0;
	if (!slack_ts_value(json_get(x.edited, "ts"), &out->edited_us))
		out->edited_us = 0;
	return MESSAGE_FINE;
}

/* One post as a Slack message. */
#include <string.h>

#include "export/formats/slack/private.h"

#include "common/base/banned.h"

/* --- who --- */

/* The name of an integration: matter-import's accounts of bots are "B012|name" in its tables. */
static void put_bot(struct json_out *o, const struct slack_archive *a, const struct export_record *r)
{
	char room[SLACK_ID], made[SLACK_ID];
	struct ark_str id = slack_user_key(a, r->author_id, room), name = r->author->display_name;
	size_t bar = ark_str_find(id, '|', 0);
	if (bar != SIZE_MAX) {
		name = ark_str_from(id, bar + 1);
		id = ark_str_first(id, bar);
	} else if (id.len == 11 && id.ptr == room) {
		memcpy(made, room, sizeof(made));
		made[0] = 'B';
		id = ark_str_n(made, 11);
	}
	if (id.len > 0 && id.ptr[0] == 'U') { /* an app with an account */
		json_out_text(o, "user", id);
		return;
	}
	json_out_text(o, "subtype", ARK_LIT("bot_message"));
	json_out_text(o, "bot_id", id);
	json_out_text(o, "username", ark_str_has(r->origin.override_name) ? r->origin.override_name : name);
}

static void put_user(struct json_out *o, const struct slack_archive *a, const char *key, struct ark_str id)
{
	char room[SLACK_ID];
	json_out_text(o, key, slack_user_id(a, id, room));
}

/* --- events --- */

enum event { EVENT_NONE, EVENT_JOIN, EVENT_LEAVE, EVENT_ADD, EVENT_REMOVE, EVENT_TOPIC, EVENT_PURPOSE, EVENT_NAME,
	     EVENT_PRIVACY, EVENT_OTHER };

static const struct {
	const char *type;
	enum event event;
	const char *subtype; /* behind "channel_" or "group_" */
} EVENTS[] = {
	{ "system_join_channel", EVENT_JOIN, "join" },
	{ "system_guest_join_channel", EVENT_JOIN, "join" },
	{ "system_leave_channel", EVENT_LEAVE, "leave" },
	{ "system_add_to_channel", EVENT_ADD, "join" },
	{ "system_add_guest_to_chan", EVENT_ADD, "join" },
	{ "system_remove_from_channel", EVENT_REMOVE, "leave" },
	{ "system_header_change", EVENT_TOPIC, "topic" },
	{ "system_purpose_change", EVENT_PURPOSE, "purpose" },
	{ "system_displayname_change", EVENT_NAME, "name" },
	{ "system_channel_deleted", EVENT_OTHER, "archive" },
	{ "system_channel_restored", EVENT_OTHER, "unarchive" },
	{ "system_change_chan_privacy", EVENT_PRIVACY, NULL },
};

static size_t event_of(const struct export_record *r)
{
	for (size_t i = 0; i < sizeof(EVENTS) / sizeof(EVENTS[0]); i++)
		if (ark_str_eqz(r->type, EVENTS[i].type))
			return i;
	return SIZE_MAX;
}

static bool parse_props(struct slack_archive *a, const struct export_record *r, struct json_val *root)
{
	static const char padding[JSON_PADDING];
	struct ark_err ignored = { 0 };
	ark_buf_reset(&a->scratch);
	ark_buf_str(&a->scratch, r->props);
	ark_buf_add(&a->scratch, padding, sizeof(padding));
	return json_doc_parse(a->json, a->scratch.data, r->props.len, root, &ignored) == ARK_OK;
}

static void put_mrkdwn(struct slack_archive *a, struct json_out *o, const char *key, struct ark_str markdown)
{
	if (!ark_str_has(markdown))
		return;
	ark_buf_reset(&a->text);
	mrkdwn_put(markdown, &a->names, &a->text);
	json_out_text(o, key, ark_buf_view(&a->text));
}

/* "<@U1> has joined the channel": Slack's texts of these two; the other events keep their own. */
static void put_event_text(struct slack_archive *a, struct json_out *o, struct ark_str user, const char *did,
                           struct ark_str otherwise)
{
	char room[SLACK_ID];
	if (did == NULL) {
		put_mrkdwn(a, o, "text", otherwise);
		return;
	}
	ark_buf_reset(&a->text);
	ark_buf_fmt(&a->text, "<@%.*s> %s", ARK_FMT(slack_user_id(a, user, room)), did);
	json_out_text(o, "text", ark_buf_view(&a->text));
}

static void put_event(struct slack_archive *a, struct json_out *o, const struct export_record *r, size_t at)
{
	bool group = r->channel->kind != EXPORT_PUBLIC;
	enum event event = EVENTS[at].event;
	struct json_val props = { 0 };
	struct ark_str user = r->author_id, other = ARK_STR_NONE;
	if (parse_props(a, r, &props))
		other = json_text(json_get(props, event == EVENT_ADD      ? "addedUserId"
		                                  : event == EVENT_REMOVE ? "removedUserId"
		                                                          : "userId"));
	ark_buf_reset(&a->key);
	if (event == EVENT_PRIVACY) /* which way is not told: to what it is now */
		ark_buf_z(&a->key, group ? "channel_convert_to_private" : "channel_convert_to_public");
	else
		ark_buf_fmt(&a->key, "%s_%s", group ? "group" : "channel", EVENTS[at].subtype);
	json_out_text(o, "subtype", ark_buf_view(&a->key));
	if ((event == EVENT_ADD || event == EVENT_REMOVE) && ark_str_has(other)) {
		if (event == EVENT_ADD)
			put_user(o, a, "inviter", user);
		user = other;
	}
	put_user(o, a, "user", user);
	const char *did = event == EVENT_JOIN || event == EVENT_ADD       ? "has joined the channel"
	                  : event == EVENT_LEAVE || event == EVENT_REMOVE ? "has left the channel"
	                                                                  : NULL;
	put_event_text(a, o, user, did, r->text);
	if (event == EVENT_TOPIC)
		put_mrkdwn(a, o, "topic", json_str(json_get(props, "new_header")));
	if (event == EVENT_PURPOSE)
		put_mrkdwn(a, o, "purpose", json_str(json_get(props, "new_purpose")));
	if (event == EVENT_NAME) {
		json_out_text(o, "old_name", json_str(json_get(props, "old_displayname")));
		json_out_text(o, "name", json_str(json_get(props, "new_displayname")));
	}
}

/* --- what hangs on a message --- */

static void put_reactions(struct slack_archive *a, struct json_out *o, const struct export_record *r)
{
	bool any = false;
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		bool again = x->delete_ms > 0;
		for (size_t k = 0; k < i && !again; k++)
			again = r->reactions[k].delete_ms == 0 && ark_str_eq(r->reactions[k].emoji, x->emoji);
		if (again)
			continue;
		if (!any)
			json_out_open_list(o, "reactions");
		any = true;
		json_out_open(o, NULL);
		ark_buf_reset(&a->text);
		mrkdwn_emoji(x->emoji, &a->text);
		json_out_text(o, "name", ark_buf_view(&a->text));
		json_out_open_list(o, "users");
		uint64_t n = 0;
		for (size_t k = i; k < r->reactions_count; k++) {
			if (r->reactions[k].delete_ms > 0 || !ark_str_eq(r->reactions[k].emoji, x->emoji))
				continue;
			put_user(o, a, NULL, r->reactions[k].user_id);
			n++;
		}
		json_out_close(o);
		json_out_u64(o, "count", n);
		json_out_close(o);
	}
	if (any)
		json_out_close(o);
}

static void put_file(struct slack_archive *a, struct json_out *o, const struct export_attachment *f)
{
	char room[SLACK_ID];
	json_out_open(o, NULL);
	json_out_text(o, "id", slack_file_id(f->id, room));
	json_out_i64(o, "created", f->create_ms / 1000);
	json_out_i64(o, "timestamp", f->create_ms / 1000);
	json_out_text(o, "name", f->name);
	json_out_text(o, "title", f->name);
	json_out_text(o, "mimetype", f->mime_type);
	json_out_text(o, "filetype", f->extension);
	put_user(o, a, "user", f->user_id);
	json_out_text(o, "mode", f->delete_ms > 0 || f->bytes == EXPORT_BYTES_MISSING ? ARK_LIT("tombstone")
	                                                                             : ARK_LIT("hosted"));
	json_out_i64(o, "size", f->size_bytes);
	if (f->width > 0 && f->height > 0) {
		json_out_i64(o, "original_w", f->width);
		json_out_i64(o, "original_h", f->height);
	}
	json_out_close(o);
}

static void put_files(struct slack_archive *a, struct json_out *o, const struct export_record *r)
{
	if (r->attachments_count == 0)
		return;
	json_out_open_list(o, "files");
	for (size_t i = 0; i < r->attachments_count; i++)
		put_file(a, o, &r->attachments[i]);
	json_out_close(o);
}

/* Message attachments: what Slack and Mattermost name the same stays, texts become mrkdwn. */
static void put_card(struct slack_archive *a, struct json_out *o, struct json_val card)
{
	static const char *const PLAIN[] = { "fallback",  "color",      "author_name", "author_link", "author_icon",
		                             "title",     "title_link", "image_url",   "thumb_url",   "footer",
		                             "footer_icon" };
	json_out_open(o, NULL);
	for (size_t i = 0; i < sizeof(PLAIN) / sizeof(PLAIN[0]); i++) {
		struct ark_str value = json_text(json_get(card, PLAIN[i]));
		if (ark_str_has(value))
			json_out_text(o, PLAIN[i], value);
	}
	put_mrkdwn(a, o, "pretext", json_text(json_get(card, "pretext")));
	put_mrkdwn(a, o, "text", json_text(json_get(card, "text")));
	struct json_val fields = json_get(card, "fields");
	if (json_count(fields) > 0) {
		json_out_open_list(o, "fields");
		struct json_iter it = json_items(fields);
		for (struct json_val f; json_next(&it, &f);) {
			json_out_open(o, NULL);
			json_out_text(o, "title", json_text(json_get(f, "title")));
			put_mrkdwn(a, o, "value", json_text(json_get(f, "value")));
			json_out_bool(o, "short", json_is_true(json_get(f, "short")));
			json_out_close(o);
		}
		json_out_close(o);
	}
	json_out_close(o);
}

static void put_cards(struct slack_archive *a, struct json_out *o, const struct export_record *r)
{
	struct json_val root;
	if (ark_str_search(r->props, ARK_LIT("\"attachments\""), 0) == SIZE_MAX || !parse_props(a, r, &root))
		return;
	struct json_val cards = json_get(root, "attachments");
	if (json_count(cards) == 0)
		return;
	json_out_open_list(o, "attachments");
	struct json_iter it = json_items(cards);
	for (struct json_val card; json_next(&it, &card);)
		put_card(a, o, card);
	json_out_close(o);
}

/* --- the message --- */

/* "/me": the server keeps the text between stars. */
static struct ark_str me_text(struct ark_str text)
{
	bool starred = text.len >= 2 && text.ptr[0] == '*' && text.ptr[text.len - 1] == '*';
	return starred ? ark_str_n(text.ptr + 1, text.len - 2) : text;
}

static void put_author_and_text(struct slack_archive *a, struct json_out *o, const struct export_record *r)
{
	size_t event = event_of(r);
	bool me = ark_str_eqz(r->type, "me");
	if (r->delete_ms > 0) { /* something hangs on it, or it would not be here */
		json_out_text(o, "subtype", ARK_LIT("tombstone"));
		json_out_text(o, "user", ARK_LIT("USLACKBOT"));
		json_out_text(o, "text", ARK_LIT("This message was deleted."));
		json_out_bool(o, "hidden", true);
		return;
	}
	if (event != SIZE_MAX) {
		put_event(a, o, r, event);
		return;
	}
	if (r->is_system)
		a->run->note(a->run->note_ctx, "slack: events as ordinary messages", 1);
	if (me)
		json_out_text(o, "subtype", ARK_LIT("me_message"));
	if (r->author != NULL && r->author->is_bot)
		put_bot(o, a, r);
	else
		put_user(o, a, "user", r->author_id);
	put_mrkdwn(a, o, "text", me ? me_text(r->text) : ark_str_has(r->text) ? r->text : ARK_LIT(""));
}

static void put_pin(struct slack_archive *a, const struct export_record *r, const char *ts)
{
	char room[SLACK_ID];
	ark_buf_fmt(&a->pins, "%s{\"id\":\"%s\",\"type\":\"C\",\"created\":%lld,\"user\":", a->pins.len > 0 ? "," : "",
	            ts, (long long)(r->update_ms / 1000));
	ark_buf_json(&a->pins, slack_user_id(a, r->author_id, room));
	ark_buf_z(&a->pins, ",\"owner\":");
	ark_buf_json(&a->pins, slack_user_id(a, r->author_id, room));
	ark_buf_c(&a->pins, '}');
}

void slack_message_put(struct slack_archive *a, const struct export_record *r, int64_t ts_us)
{
	struct json_out o;
	char ts[SLACK_TS], room[SLACK_ID];
	slack_ts_text(ts_us, ts);
	ark_buf_reset(&a->line);
	json_out_begin(&o, &a->line, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "type", ARK_LIT("message"));
	put_author_and_text(a, &o, r);
	json_out_text(&o, "ts", ark_str_z(ts));
	if (r->delete_ms == 0) {
		put_files(a, &o, r);
		put_cards(a, &o, r);
		put_reactions(a, &o, r);
		if (r->edit_ms > 0) {
			char edited[SLACK_TS];
			slack_ts_text(r->edit_ms * 1000, edited);
			json_out_open(&o, "edited");
			put_user(&o, a, "user", r->author_id);
			json_out_text(&o, "ts", ark_str_z(edited));
			json_out_close(&o);
		}
		if (r->is_pinned) {
			json_out_open_list(&o, "pinned_to");
			json_out_text(&o, NULL, slack_channel_id(a, r->channel->id, room));
			json_out_close(&o);
			put_pin(a, r, ts);
		}
	}
	/* left open: what is known of its thread comes when the channel is complete */
}

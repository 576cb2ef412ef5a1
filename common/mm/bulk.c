#include "common/mm/bulk.h"

#include "common/json/out.h"

#include "common/base/banned.h"

static void line_begin(struct json_out *o, struct ark_buf *out, const char *type)
{
	json_out_begin(o, out, false);
	json_out_open(o, NULL);
	json_out_text(o, "type", ark_str_z(type));
}

static void text(struct json_out *o, const char *key, struct ark_str value)
{
	if (ark_str_has(value))
		json_out_text(o, key, value);
}

static void time_ms(struct json_out *o, const char *key, int64_t ms)
{
	if (ms != 0)
		json_out_i64(o, key, ms);
}

static void names(struct json_out *o, const char *key, const struct ark_str *list, size_t count)
{
	if (count == 0)
		return;
	json_out_open_list(o, key);
	for (size_t i = 0; i < count; i++)
		json_out_text(o, NULL, list[i]);
	json_out_close(o);
}

void mm_bulk_version(struct ark_buf *out, const char *generator, const char *version, int64_t created_ms)
{
	struct json_out o;
	line_begin(&o, out, "version");
	json_out_u64(&o, "version", 1);
	json_out_open(&o, "info");
	json_out_text(&o, "generator", ark_str_z(generator));
	json_out_text(&o, "version", ark_str_z(version));
	if (created_ms != 0)
		json_out_time(&o, "created", created_ms);
	json_out_end(&o);
}

void mm_bulk_emoji(struct ark_buf *out, const struct mm_bulk_emoji *e)
{
	struct json_out o;
	line_begin(&o, out, "emoji");
	json_out_open(&o, "emoji");
	json_out_text(&o, "name", e->name);
	json_out_text(&o, "image", e->image);
	json_out_end(&o);
}

void mm_bulk_team(struct ark_buf *out, const struct mm_bulk_team *t)
{
	struct json_out o;
	line_begin(&o, out, "team");
	json_out_open(&o, "team");
	json_out_text(&o, "name", t->name);
	json_out_text(&o, "display_name", t->display_name);
	json_out_text(&o, "type", t->open ? ARK_LIT("O") : ARK_LIT("I"));
	text(&o, "description", t->description);
	json_out_bool(&o, "allow_open_invite", t->open);
	json_out_end(&o);
}

void mm_bulk_channel(struct ark_buf *out, const struct mm_bulk_channel *c)
{
	struct json_out o;
	line_begin(&o, out, "channel");
	json_out_open(&o, "channel");
	json_out_text(&o, "team", c->team);
	json_out_text(&o, "name", c->name);
	json_out_text(&o, "display_name", c->display_name);
	json_out_text(&o, "type", c->is_private ? ARK_LIT("P") : ARK_LIT("O"));
	text(&o, "header", c->header);
	text(&o, "purpose", c->purpose);
	time_ms(&o, "deleted_at", c->deleted_ms);
	json_out_end(&o);
}

/* ---- people ---- */

static void reading(struct json_out *o, const struct mm_bulk_reading *r)
{
	json_out_i64(o, "msg_count", r->msg_count);
	json_out_i64(o, "msg_count_root", r->msg_count_root);
	json_out_i64(o, "mention_count", r->mention_count);
	json_out_i64(o, "mention_count_root", r->mention_count_root);
	json_out_i64(o, "last_viewed_at", r->last_viewed_ms);
}

static void in_channel(struct json_out *o, const struct mm_bulk_in_channel *c)
{
	json_out_open(o, NULL);
	json_out_text(o, "name", c->name);
	json_out_text(o, "roles", c->guest   ? ARK_LIT("channel_guest")
	                          : c->admin ? ARK_LIT("channel_user channel_admin")
	                                     : ARK_LIT("channel_user"));
	if (c->favorite)
		json_out_bool(o, "favorite", true);
	reading(o, &c->reading);
	json_out_close(o);
}

static void in_team(struct json_out *o, const struct mm_bulk_in_team *t)
{
	json_out_open(o, NULL);
	json_out_text(o, "name", t->name);
	json_out_text(o, "roles", t->guest   ? ARK_LIT("team_guest")
	                          : t->admin ? ARK_LIT("team_user team_admin")
	                                     : ARK_LIT("team_user"));
	json_out_open_list(o, "channels");
	for (size_t i = 0; i < t->channels_count; i++)
		in_channel(o, &t->channels[i]);
	json_out_close(o);
	json_out_close(o);
}

void mm_bulk_user(struct ark_buf *out, const struct mm_bulk_user *u)
{
	struct json_out o;
	line_begin(&o, out, "user");
	json_out_open(&o, "user");
	json_out_text(&o, "username", u->username);
	json_out_text(&o, "email", u->email);
	text(&o, "nickname", u->nickname);
	text(&o, "first_name", u->first_name);
	text(&o, "last_name", u->last_name);
	text(&o, "position", u->position);
	text(&o, "locale", u->locale);
	text(&o, "roles", u->roles);
	text(&o, "auth_service", u->auth_service);
	text(&o, "auth_data", u->auth_data);
	text(&o, "profile_image", u->profile_image);
	time_ms(&o, "delete_at", u->delete_ms);
	if (u->teams_count > 0)
		json_out_open_list(&o, "teams");
	for (size_t i = 0; i < u->teams_count; i++)
		in_team(&o, &u->teams[i]);
	json_out_end(&o);
}

void mm_bulk_bot(struct ark_buf *out, const struct mm_bulk_bot *b)
{
	struct json_out o;
	line_begin(&o, out, "bot");
	json_out_open(&o, "bot");
	json_out_text(&o, "username", b->username);
	json_out_text(&o, "owner", b->owner);
	text(&o, "display_name", b->display_name);
	text(&o, "description", b->description);
	text(&o, "profile_image", b->profile_image);
	time_ms(&o, "delete_at", b->delete_ms);
	json_out_end(&o);
}

/* Member rows are overwritten with exactly these flags: without scheme_user nobody may do anything. */
void mm_bulk_direct_channel(struct ark_buf *out, const struct mm_bulk_direct *d)
{
	struct json_out o;
	line_begin(&o, out, "direct_channel");
	json_out_open(&o, "direct_channel");
	json_out_open_list(&o, "participants");
	for (size_t i = 0; i < d->count; i++) {
		json_out_open(&o, NULL);
		json_out_text(&o, "username", d->people[i].username);
		json_out_bool(&o, "scheme_user", !d->people[i].guest);
		json_out_bool(&o, "scheme_guest", d->people[i].guest);
		reading(&o, &d->people[i].reading);
		json_out_close(&o);
	}
	json_out_close(&o);
	names(&o, "shown_by", d->shown_by, d->shown_count);
	names(&o, "favorited_by", d->favorited_by, d->favorited_count);
	text(&o, "header", d->header);
	json_out_end(&o);
}

/* ---- posts ---- */

static void reactions(struct json_out *o, const struct mm_bulk_post *p)
{
	if (p->reactions_count == 0)
		return;
	json_out_open_list(o, "reactions");
	for (size_t i = 0; i < p->reactions_count; i++) {
		const struct mm_bulk_reaction *r = &p->reactions[i];
		json_out_open(o, NULL);
		json_out_text(o, "user", r->user);
		json_out_text(o, "emoji_name", r->emoji);
		json_out_i64(o, "create_at", r->create_ms > p->create_ms ? r->create_ms : p->create_ms);
		json_out_close(o);
	}
	json_out_close(o);
}

void mm_bulk_post_object(struct ark_buf *out, const struct mm_bulk_post *p)
{
	struct json_out o;
	json_out_begin(&o, out, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "user", p->user);
	if (ark_str_has(p->type) && p->type.len > 0)
		json_out_text(&o, "type", p->type);
	json_out_text(&o, "message", ark_str_has(p->message) ? p->message : ARK_LIT(""));
	if (p->props.len > 2)
		json_out_raw(&o, "props", p->props);
	json_out_i64(&o, "create_at", p->create_ms);
	time_ms(&o, "edit_at", p->edit_ms);
	if (p->pinned)
		json_out_bool(&o, "is_pinned", true);
	names(&o, "flagged_by", p->flagged_by, p->flagged_count);
	reactions(&o, p);
	if (p->attachments_count > 0)
		json_out_open_list(&o, "attachments");
	for (size_t i = 0; i < p->attachments_count; i++) {
		json_out_open(&o, NULL);
		json_out_text(&o, "path", p->attachments[i]);
		json_out_close(&o);
	}
	if (p->attachments_count > 0)
		json_out_close(&o);
	json_out_close(&o);
}

void mm_bulk_post_begin(struct ark_buf *out, const struct mm_bulk_place *place, struct ark_str object)
{
	struct json_out o;
	bool direct = place->members_count > 0;
	const char *kind = direct ? "direct_post" : "post";
	line_begin(&o, out, kind);
	json_out_open(&o, kind);
	if (direct) {
		names(&o, "channel_members", place->members, place->members_count);
	} else {
		json_out_text(&o, "team", place->team);
		json_out_text(&o, "channel", place->channel);
	}
	/* the members of the object become members of this one, which stays open */
	ark_buf_c(out, ',');
	ark_buf_add(out, object.ptr + 1, object.len - 2);
}

void mm_bulk_post_reply(struct ark_buf *out, bool first, struct ark_str object)
{
	ark_buf_z(out, first ? ",\"replies\":[" : ",");
	ark_buf_str(out, object);
}

void mm_bulk_post_end(struct ark_buf *out, bool replies, const struct mm_bulk_follower *followers,
                      size_t count)
{
	if (replies)
		ark_buf_c(out, ']');
	if (count > 0) {
		ark_buf_z(out, ",\"thread_followers\":");
		struct json_out o;
		json_out_begin(&o, out, false);
		json_out_open_list(&o, NULL);
		for (size_t i = 0; i < count; i++) {
			json_out_open(&o, NULL);
			json_out_text(&o, "user", followers[i].user);
			json_out_i64(&o, "last_viewed", followers[i].last_viewed_ms);
			json_out_i64(&o, "unread_mentions", followers[i].unread_mentions);
			json_out_close(&o);
		}
		json_out_close(&o);
	}
	ark_buf_z(out, "}}\n");
}

/* users.json, and the lists of conversations that are known once a team is through. */
#include <stdlib.h>

#include "export/formats/slack/private.h"

#include "common/base/banned.h"

#define PIECE (64u << 10)

/* --- people --- */

static void put_person(struct slack_archive *a, struct json_out *o, const struct export_person *p)
{
	char room[SLACK_ID];
	ark_buf_reset(&a->text);
	ark_buf_str(&a->text, p->first_name);
	if (p->first_name.len > 0 && p->last_name.len > 0)
		ark_buf_c(&a->text, ' ');
	ark_buf_str(&a->text, p->last_name);
	struct ark_str real = a->text.len > 0 ? ark_buf_view(&a->text) : p->display_name;
	json_out_open(o, NULL);
	json_out_text(o, "id", slack_user_id(a, p->id, room));
	if (a->workspace.len > 0)
		json_out_text(o, "team_id", ark_buf_view(&a->workspace));
	json_out_text(o, "name", p->user_name);
	json_out_bool(o, "deleted", p->delete_ms > 0);
	json_out_text(o, "real_name", real);
	json_out_open(o, "profile");
	json_out_text(o, "real_name", real);
	json_out_text(o, "display_name", p->nickname.len > 0 ? p->nickname : ARK_LIT(""));
	json_out_text(o, "first_name", p->first_name);
	json_out_text(o, "last_name", p->last_name);
	json_out_text(o, "title", p->position);
	if (p->email.len > 0 && !p->is_bot)
		json_out_text(o, "email", p->email);
	json_out_close(o);
	json_out_bool(o, "is_bot", p->is_bot);
	if (ark_str_search(p->roles, ARK_LIT("system_guest"), 0) != SIZE_MAX)
		json_out_bool(o, "is_restricted", true);
	json_out_i64(o, "updated", p->update_ms / 1000);
	json_out_close(o);
}

/* A webhook's account has no entry in Slack: its messages carry its name. */
static bool is_listed(const struct slack_archive *a, const struct export_person *p)
{
	char room[SLACK_ID];
	struct ark_str key = slack_user_key(a, p->id, room);
	return !p->is_bot || (key.len > 0 && key.ptr[0] == 'U' && key.ptr != room);
}

enum ark_rc slack_users_put(struct slack_archive *a, struct ark_err *err)
{
	enum ark_rc rc = io_zip_entry(a->zip, ARK_LIT("users.json"), IO_ZIP_DEFLATE, err);
	bool any = false;
	for (size_t i = 0; rc == ARK_OK && i < a->run->people_count; i++) {
		if (!is_listed(a, &a->run->people[i]))
			continue;
		struct json_out o;
		ark_buf_reset(&a->line);
		ark_buf_z(&a->line, any ? ",\n" : "[\n");
		any = true;
		json_out_begin(&o, &a->line, false);
		put_person(a, &o, &a->run->people[i]);
		rc = io_zip_write(a->zip, a->line.data, a->line.len, err);
	}
	if (rc == ARK_OK)
		rc = io_zip_write(a->zip, any ? "\n]\n" : "[]\n", 3, err);
	if (rc == ARK_OK)
		rc = io_zip_entry(a->zip, ARK_LIT("integration_logs.json"), IO_ZIP_DEFLATE, err);
	return rc == ARK_OK ? io_zip_write(a->zip, "[]\n", 3, err) : rc;
}

/* --- conversations --- */

static enum slack_list list_of(enum export_channel_kind kind)
{
	return kind == EXPORT_PUBLIC   ? SLACK_CHANNELS
	       : kind == EXPORT_GROUP  ? SLACK_MPIMS
	       : kind == EXPORT_DIRECT ? SLACK_DMS
	                               : SLACK_GROUPS;
}

static void put_members(struct slack_archive *a, struct json_out *o)
{
	const struct export_channel *c = a->channel;
	char room[SLACK_ID];
	json_out_open_list(o, "members");
	for (size_t i = 0; i < c->members_count; i++)
		if (c->members[i].now && (i == 0 || !c->members[i - 1].now ||
		                          !ark_str_eq(c->members[i - 1].user_id, c->members[i].user_id)))
			json_out_text(o, NULL, slack_user_id(a, c->members[i].user_id, room));
	json_out_close(o);
}

static void put_told(struct slack_archive *a, struct json_out *o, const char *key, struct ark_str markdown)
{
	ark_buf_reset(&a->text);
	mrkdwn_put(markdown, &a->names, &a->text);
	json_out_open(o, key);
	json_out_text(o, "value", ark_buf_view(&a->text));
	json_out_text(o, "creator", ARK_LIT(""));
	json_out_i64(o, "last_set", 0);
	json_out_close(o);
}

static void put_conversation(struct slack_archive *a, struct json_out *o)
{
	const struct export_channel *c = a->channel;
	char room[SLACK_ID];
	json_out_open(o, NULL);
	json_out_text(o, "id", slack_channel_id(a, c->id, room));
	if (c->kind != EXPORT_DIRECT)
		json_out_text(o, "name", slack_channel_name(a, c));
	json_out_i64(o, "created", c->create_ms / 1000);
	if (c->creator_id.len > 0)
		json_out_text(o, "creator", slack_user_id(a, c->creator_id, room));
	if (c->kind != EXPORT_DIRECT) {
		json_out_bool(o, "is_archived", c->delete_ms > 0);
		json_out_bool(o, "is_general", c->kind == EXPORT_PUBLIC && ark_str_eqz(c->name, "town-square"));
	}
	put_members(a, o);
	if (c->kind == EXPORT_PUBLIC || c->kind == EXPORT_PRIVATE) {
		put_told(a, o, "topic", c->header);
		put_told(a, o, "purpose", c->purpose);
	}
}

enum ark_rc slack_list_channel(struct slack_archive *a, struct ark_err *err)
{
	enum slack_list list = list_of(a->channel->kind);
	struct json_out o;
	ark_buf_reset(&a->line);
	ark_buf_z(&a->line, a->lists_count[list]++ > 0 ? ",\n" : "[\n");
	json_out_begin(&o, &a->line, false);
	put_conversation(a, &o);
	if (a->pins.len > 0) {
		ark_buf_z(&a->line, ",\"pins\":[");
		ark_buf_str(&a->line, ark_buf_view(&a->pins));
		ark_buf_c(&a->line, ']');
	}
	ark_buf_c(&a->line, '}');
	enum ark_rc rc = ark_buf_ok(&a->line, "a channel in Slack's form", err);
	return rc < 0 ? rc
	              : io_spool_add(&a->lists[list], io_temp_dir(), a->line.data,
	                             a->line.len, err);
}

static enum ark_rc put_list(struct slack_archive *a, enum slack_list list, struct ark_str name, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf piece;
	ark_buf_init(&piece, PIECE);
	enum ark_rc rc = io_zip_entry(a->zip, name, IO_ZIP_DEFLATE, err);
	for (uint64_t at = 0; rc == ARK_OK && a->lists_count[list] > 0 && at < a->lists[list].len; at += piece.len) {
		uint64_t left = a->lists[list].len - at;
		size_t len = left < PIECE ? (size_t)left : PIECE;
		ark_buf_reset(&piece);
		char *space = ark_buf_room(&piece, len);
		rc = io_spool_read(&a->lists[list], at, space, len, err);
		piece.len = len;
		if (rc == ARK_OK)
			rc = io_zip_write(a->zip, piece.data, len, err);
	}
	if (rc == ARK_OK)
		rc = io_zip_write(a->zip, a->lists_count[list] > 0 ? "\n]\n" : "[]\n", 3, err);
	io_spool_close(&a->lists[list]);
	a->lists_count[list] = 0;
	return rc;
}

enum ark_rc slack_lists_put(struct slack_archive *a, struct ark_err *err)
{
	static const char *const NAMES[SLACK_LISTS] = { "channels.json", "groups.json", "mpims.json", "dms.json" };
	enum ark_rc rc = ARK_OK;
	for (int i = 0; rc == ARK_OK && i < SLACK_LISTS; i++)
		rc = put_list(a, (enum slack_list)i, ark_str_z(NAMES[i]), err);
	return rc;
}

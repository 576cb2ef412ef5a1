/* What stands beside the messages: people, channels with who was in them when, and the run itself. */
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/db/binary.h"
#include "common/io/zstd.h"
#include "common/json/out.h"
#include "export/app.h"

#include "common/base/banned.h"

#define LINE_KEEP (64u << 10) /* bytes of a line that are kept before they go to the file */

/* --- people ------------------------------------------------------------------------------------ */

static void person_line(struct ark_buf *b, const struct export_person *p)
{
	struct json_out o;
	json_out_begin(&o, b, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "bot_owner_id", p->is_bot ? p->bot_owner_id : ARK_STR_NONE);
	json_out_i64(&o, "create_at", p->create_ms);
	json_out_time(&o, "create_time", p->create_ms);
	if (p->delete_ms > 0)
		json_out_i64(&o, "delete_at", p->delete_ms);
	else
		json_out_null(&o, "delete_at");
	json_out_time(&o, "delete_time", p->delete_ms);
	json_out_text(&o, "display_name", p->display_name);
	json_out_text(&o, "email", p->email);
	json_out_text(&o, "first_name", p->first_name);
	json_out_text(&o, "id", p->id);
	json_out_bool(&o, "is_bot", p->is_bot);
	json_out_bool(&o, "is_remote", p->is_remote);
	json_out_text(&o, "last_name", p->last_name);
	json_out_text(&o, "nickname", p->nickname);
	json_out_text(&o, "position", p->position);
	json_out_text(&o, "roles", p->roles);
	json_out_i64(&o, "update_at", p->update_ms);
	json_out_time(&o, "update_time", p->update_ms);
	json_out_text(&o, "user_name", p->user_name);
	json_out_end(&o);
}

enum ark_rc export_write_people(struct export_app *a, struct ark_err *err)
{
	ark_auto(export_file_drop) struct export_file *f = NULL;
	ark_auto(ark_buf_release) struct ark_buf line;
	ark_buf_init(&line, 1u << 20);
	enum ark_rc rc = export_file_begin(a->out, "data/people.jsonl.zst", EXPORT_ZSTD, &f, err);
	for (size_t i = 0; i < a->sel.people_count && rc == ARK_OK; i++) {
		ark_buf_reset(&line);
		person_line(&line, &a->sel.people[i]);
		rc = ark_buf_ok(&line, "the line of an account", err);
		if (rc == ARK_OK)
			rc = export_file_write(f, line.data, line.len, err);
	}
	return rc == ARK_OK ? export_file_end(&f, err) : rc;
}

/* --- channels ---------------------------------------------------------------------------------- */

enum { M_CHANNEL, M_USER, M_JOIN, M_LEAVE, M_NOW, M_ADMIN, M_COLUMNS };

/* Stays, and members without an open one, of all channels. Fact  docs/mattermost-facts.md "Members" */
static const char MEMBERS_SQL[] =
	"COPY (SELECT * FROM (SELECT h.channelid, h.userid, h.jointime, h.leavetime, m.userid IS NOT NULL AND "
	"h.leavetime IS NULL, coalesce(m.schemeadmin, false) FROM channelmemberhistory h LEFT JOIN channelmembers m "
	"ON m.channelid = h.channelid AND m.userid = h.userid UNION ALL SELECT m.channelid, m.userid, NULL, NULL, "
	"true, coalesce(m.schemeadmin, false) FROM channelmembers m WHERE NOT EXISTS (SELECT 1 FROM "
	"channelmemberhistory h WHERE h.channelid = m.channelid AND h.userid = m.userid AND h.leavetime IS NULL)) s "
	"ORDER BY channelid COLLATE \"C\", userid COLLATE \"C\", jointime) TO STDOUT (FORMAT binary)";

static void time_or_unknown(struct json_out *o, const char *key, int64_t ms)
{
	if (ms > 0)
		json_out_i64(o, key, ms);
	else
		json_out_text(o, key, ARK_LIT("unknown"));
}

static void time_or_null(struct json_out *o, const char *key, int64_t ms)
{
	if (ms > 0)
		json_out_i64(o, key, ms);
	else
		json_out_null(o, key);
}

/* Up to the list of members, which is left open. */
static void channel_begin(struct json_out *o, const struct export_channel *c)
{
	json_out_open(o, NULL);
	json_out_i64(o, "create_at", c->create_ms);
	json_out_time(o, "create_time", c->create_ms);
	json_out_text(o, "creator_id", c->creator_id.len > 0 ? c->creator_id : ARK_STR_NONE);
	time_or_null(o, "delete_at", c->delete_ms);
	json_out_time(o, "delete_time", c->delete_ms);
	json_out_text(o, "display_name", c->display_name);
	json_out_text(o, "header", c->header);
	time_or_unknown(o, "history_from", c->history_from_ms);
	json_out_text(o, "id", c->id);
	json_out_text(o, "kind", ark_str_z(export_channel_kind_name(c->kind)));
	json_out_open_list(o, "members");
}

static void member(struct json_out *o, const struct export_app *a, const struct ark_str *f)
{
	int64_t join_ms = db_binary_i64(f[M_JOIN]), leave_ms = db_binary_i64(f[M_LEAVE]);
	bool now = db_binary_bool(f[M_NOW]);
	const struct export_person *p = export_person_find(&a->run, f[M_USER]);
	json_out_open(o, NULL);
	json_out_bool(o, "is_admin", db_binary_bool(f[M_ADMIN]));
	json_out_bool(o, "is_member", now);
	time_or_unknown(o, "joined_at", join_ms);
	if (leave_ms > 0 || now)
		time_or_null(o, "left_at", leave_ms);
	else
		json_out_text(o, "left_at", ARK_LIT("unknown")); /* no member now, and no row says since when */
	json_out_text(o, "user_id", f[M_USER]);
	json_out_text(o, "user_name", p != NULL ? p->user_name : ARK_STR_NONE);
	json_out_close(o);
}

static void channel_end(struct json_out *o, const struct export_channel *c)
{
	json_out_close(o);
	json_out_text(o, "name", c->name);
	json_out_text(o, "path", c->channel_path);
	json_out_text(o, "purpose", c->purpose);
	json_out_text(o, "team_display_name", c->team_display_name);
	json_out_text(o, "team_id", c->team_id);
	json_out_text(o, "team_name", c->team_name);
	json_out_text(o, "team_path", c->team_path);
	json_out_i64(o, "update_at", c->update_ms);
	json_out_time(o, "update_time", c->update_ms);
	json_out_end(o);
}

static int by_id(const void *a, const void *b)
{
	const struct export_channel *const *x = a, *const *y = b;
	return ark_str_cmp((*x)->id, (*y)->id);
}

struct members {
	struct db_binary rows;
	struct ark_str f[M_COLUMNS];
	enum ark_rc rc; /* of the row in `f` */
};

static enum ark_rc flush(struct export_file *f, struct ark_buf *line, struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(line, "what is told about channels", err);
	if (rc == ARK_OK)
		rc = export_file_write(f, line->data, line->len, err);
	ark_buf_reset(line);
	return rc;
}

/* The line of one channel; its members are the next rows. Long lists leave in pieces. */
static enum ark_rc channel_line(struct export_app *a, const struct export_channel *c, struct members *m,
                                struct export_file *f, struct ark_buf *line, struct ark_err *err)
{
	struct json_out o;
	json_out_begin(&o, line, false);
	channel_begin(&o, c);
	while (m->rc == ARK_OK && ark_str_cmp(m->f[M_CHANNEL], c->id) <= 0) {
		if (ark_str_eq(m->f[M_CHANNEL], c->id))
			member(&o, a, m->f);
		if (line->len > LINE_KEEP) {
			enum ark_rc rc = flush(f, line, err);
			if (rc < 0)
				return rc;
		}
		m->rc = db_binary_next(&m->rows, a->conn, m->f, M_COLUMNS, err);
	}
	if (m->rc < 0)
		return ark_err_in(err, m->rc, "reading who was in the channels");
	channel_end(&o, c);
	return flush(f, line, err);
}

/* By id, as the members come. */
enum ark_rc export_write_channels(struct export_app *a, struct ark_err *err)
{
	size_t n = a->sel.channels_count;
	ark_auto(ark_freep) const struct export_channel **order = ark_calloc(n + 1, sizeof(*order));
	for (size_t i = 0; i < n; i++)
		order[i] = &a->sel.channels[i];
	qsort(order, n, sizeof(*order), by_id);
	ark_auto(export_file_drop) struct export_file *f = NULL;
	ark_auto(ark_buf_release) struct ark_buf line;
	ark_buf_init(&line, 1u << 20);
	enum ark_rc rc = export_file_begin(a->out, "data/channels.jsonl.zst", EXPORT_ZSTD, &f, err);
	if (rc == ARK_OK)
		rc = db_copy_out_begin(a->conn, MEMBERS_SQL, err);
	struct members m = { .rc = rc };
	if (rc == ARK_OK)
		m.rc = db_binary_next(&m.rows, a->conn, m.f, M_COLUMNS, err);
	for (size_t i = 0; i < n && rc == ARK_OK; i++)
		rc = channel_line(a, order[i], &m, f, &line, err);
	db_copy_out_end(a->conn);
	return rc == ARK_OK ? export_file_end(&f, err) : rc;
}

/* --- run.json ---------------------------------------------------------------------------------- */

static void list_of(struct json_out *o, const char *key, const struct ark_list *list)
{
	json_out_open_list(o, key);
	for (size_t i = 0; i < list->count; i++)
		json_out_text(o, NULL, ark_str_z(list->items[i]));
	json_out_close(o);
}

void export_scope_json(struct json_out *o, const struct export_app *a)
{
	static const char *const ATTACHMENTS[] = { "none", "reference", "copy" };
	const struct export_scope *s = &a->scope;
	json_out_open(o, "scope");
	json_out_text(o, "attachments", ark_str_z(ATTACHMENTS[a->config->attachments]));
	list_of(o, "channels", &s->channels);
	json_out_i64(o, "context", s->context);
	json_out_bool(o, "deleted", !s->no_deleted);
	json_out_bool(o, "direct", s->direct || s->users.count > 0);
	list_of(o, "match", &s->match);
	json_out_u64(o, "shard", s->shard);
	json_out_u64(o, "shards", s->shards);
	json_out_time(o, "since", s->has_since ? s->since_ms : 0);
	list_of(o, "teams", &s->teams);
	json_out_time(o, "until", s->has_until ? s->until_ms : 0);
	list_of(o, "users", &s->users);
	json_out_close(o);
}

static void counts_part(struct json_out *o, const struct export_app *a)
{
	json_out_open(o, "counts");
	json_out_u64(o, "rows_in_database", a->sel.rows);
	json_out_u64(o, "posts", atomic_load(&a->posts));
	json_out_u64(o, "orphans", atomic_load(&a->orphans));
	json_out_u64(o, "purged", atomic_load(&a->purged));
	json_out_u64(o, "people", a->sel.people_count);
	json_out_u64(o, "channels", a->sel.channels_count);
	json_out_open(o, "not_exported");
	for (int i = 0; i < LEFT_COUNT; i++)
		json_out_u64(o, export_left_name((enum export_left)i), a->sel.left[i]);
	json_out_close(o);
	json_out_close(o);
}

/* Counts per channel; there may be many, so what is ready leaves for the file. */
static enum ark_rc channels_part(struct json_out *o, const struct export_app *a, struct export_file *f,
                                 struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	json_out_open_list(o, "channels");
	for (size_t i = 0; i < a->sel.channels_count && rc == ARK_OK; i++) {
		const struct export_channel *c = &a->sel.channels[i];
		json_out_open(o, NULL);
		json_out_text(o, "team", c->team_path);
		json_out_text(o, "channel", c->channel_path);
		json_out_text(o, "id", c->id);
		json_out_u64(o, "records", atomic_load(&a->per_channel[i]));
		time_or_unknown(o, "history_from", c->history_from_ms);
		json_out_close(o);
		if (o->to->len > LINE_KEEP)
			rc = flush(f, o->to, err);
	}
	json_out_close(o);
	return rc;
}

static void source_part(struct json_out *o, const struct export_app *a)
{
	json_out_open(o, "source");
	json_out_text(o, "database", ark_buf_view(&a->database));
	json_out_i64(o, "mattermost_migration", mm_db_level(a->info));
	json_out_text(o, "postgresql", ark_buf_view(&a->server));
	json_out_text(o, "snapshot", ark_buf_view(&a->snapshot));
	json_out_time(o, "snapshot_time", a->snapshot_ms);
	json_out_bool(o, "standby", a->standby);
	json_out_close(o);
}

/* What no run of any options exports. */
static void never_part(struct json_out *o)
{
	static const char *const NEVER[] = {
		"drafts and scheduled posts", "plugin data (boards, playbooks, calls)", "read receipts and reminders",
		"content of burn-on-read posts", "earlier names of people and channels: Mattermost does not keep them",
	};
	json_out_open_list(o, "never_exported");
	for (size_t i = 0; i < sizeof(NEVER) / sizeof(NEVER[0]); i++)
		json_out_text(o, NULL, ark_str_z(NEVER[i]));
	json_out_close(o);
}

enum ark_rc export_write_run(struct export_app *a, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	struct json_out o;
	json_out_begin(&o, &text, true);
	json_out_open(&o, NULL);
	json_out_text(&o, "tool", ark_str_z(a->run.tool));
	json_out_text(&o, "zstd", ark_str_z(io_zstd_version()));
	json_out_time(&o, "begun", a->begin_ms);
	json_out_time(&o, "ended", ark_time_now_ms());
	json_out_open_list(&o, "formats");
	for (unsigned i = 0; i < a->formats_count; i++)
		json_out_text(&o, NULL, ark_str_z(a->formats[i]->name));
	json_out_close(&o);
	source_part(&o, a);
	export_scope_json(&o, a);
	counts_part(&o, a);
	json_out_open(&o, "notes");
	for (size_t i = 0; i < a->notes_count; i++)
		json_out_u64(&o, a->notes[i].reason, a->notes[i].n);
	json_out_close(&o);
	never_part(&o);
	ark_auto(export_file_drop) struct export_file *f = NULL;
	enum ark_rc rc = export_file_begin(a->out, "run.json", EXPORT_PLAIN, &f, err);
	if (rc == ARK_OK)
		rc = channels_part(&o, a, f, err);
	json_out_end(&o);
	if (rc == ARK_OK)
		rc = flush(f, &text, err);
	return rc == ARK_OK ? export_file_end(&f, err) : rc;
}

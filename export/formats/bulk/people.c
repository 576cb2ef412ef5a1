/* Teams, channels, people and their memberships as lines. Who is where comes from the snapshot, in pieces. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "export/formats/bulk/private.h"

#include "common/base/banned.h"

enum ark_rc bulk_line_put(struct bulk_file *b, struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(&b->line, "a line", err);
	if (rc == ARK_OK)
		rc = io_zip_write(b->zip, b->line.data, b->line.len, err);
	ark_buf_reset(&b->line);
	return rc;
}

/* --- names --- */

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* Accounts of connected servers have a ':' in theirs, which an import refuses. */
static struct ark_str fitting_name(struct bulk_file *b, const struct export_person *p)
{
	size_t fine = 0;
	while (fine < p->user_name.len && name_char(p->user_name.ptr[fine]))
		fine++;
	if (fine == p->user_name.len && fine > 0 && fine <= MM_USERNAME_BYTES)
		return p->user_name;
	bulk_note(b, "bulk: accounts under another user name", 1);
	ark_buf_reset(&b->key);
	for (size_t i = 0; i < p->user_name.len && i < MM_USERNAME_BYTES - MM_ID_LEN - 1; i++)
		ark_buf_c(&b->key, name_char(p->user_name.ptr[i]) ? p->user_name.ptr[i] : '-');
	ark_buf_c(&b->key, '-');
	ark_buf_str(&b->key, p->id);
	return ark_pool_str(&b->strings, ark_buf_view(&b->key));
}

void bulk_names_make(struct bulk_file *b)
{
	b->names = ark_calloc(b->run->people_count + 1, sizeof(*b->names));
	for (size_t i = 0; i < b->run->people_count; i++)
		b->names[i] = fitting_name(b, &b->run->people[i]);
}

/* What a server takes for an address: one '@', no space, no dot at an end of the first part. */
static bool good_email(struct ark_str s)
{
	size_t at = ark_str_find(s, '@', 0);
	if (at == SIZE_MAX || at == 0 || at + 1 == s.len || s.len > MM_EMAIL_BYTES ||
	    ark_str_find(s, '@', at + 1) != SIZE_MAX || s.ptr[0] == '.' || s.ptr[at - 1] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= 0x20 || s.ptr[i] == 0x7f || strchr("\"(),:;<>[\\]", s.ptr[i]) != NULL ||
		    (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') || (s.ptr[i] == '.' && i > 0 && s.ptr[i - 1] == '.'))
			return false;
	return true;
}

/* --- teams and channels --- */

static bool has_team(const struct bulk_file *b, struct ark_str id)
{
	for (size_t i = 0; i < b->run->channels_count; i++)
		if (ark_str_eq(b->run->channels[i].team_id, id))
			return true;
	return false;
}

static enum ark_rc put_teams(struct bulk_file *b, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(b->run->conn, "SELECT id, name, displayname, description, coalesce(allowopeninvite, false) "
	                                        "FROM teams ORDER BY name COLLATE \"C\"", DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		if (!has_team(b, db_value(res, i, 0)))
			continue;
		mm_bulk_team(&b->line, &(struct mm_bulk_team){ .name = db_value(res, i, 1), .display_name = db_value(res, i, 2),
		                                               .description = db_value(res, i, 3), .open = db_bool(res, i, 4) });
		rc = bulk_line_put(b, err);
	}
	return rc;
}

enum ark_rc bulk_places_put(struct bulk_file *b, struct ark_err *err)
{
	enum ark_rc rc = put_teams(b, err);
	for (size_t i = 0; rc == ARK_OK && i < b->run->channels_count; i++) {
		const struct export_channel *c = &b->run->channels[i];
		bool in_team = c->kind == EXPORT_PUBLIC || c->kind == EXPORT_PRIVATE;
		if (!in_team || ark_map_get(&b->channels, c->id) == ARK_MAP_NONE)
			continue;
		struct mm_bulk_channel line = {
			.team = c->team_name, .name = c->name, .display_name = c->display_name, .header = c->header,
			.purpose = c->purpose, .is_private = c->kind == EXPORT_PRIVATE, .deleted_ms = c->delete_ms,
		};
		mm_bulk_channel(&b->line, &line);
		rc = bulk_line_put(b, err);
	}
	return rc;
}

/* --- memberships, row by row --- */

#define READING "coalesce(m.msgcount, 0), coalesce(m.msgcountroot, 0), coalesce(m.mentioncount, 0), " \
	"coalesce(m.mentioncountroot, 0), coalesce(m.lastviewedat, 0), coalesce(m.schemeguest, false)"
enum { READING_COLS = 6 };

/* Each account has a row, whether it is in a channel or not. */
static const char PEOPLE_SQL[] =
	"DECLARE ark_bulk NO SCROLL CURSOR FOR SELECT u.id, coalesce(u.authservice, ''), coalesce(u.authdata, ''), "
	"coalesce(u.locale, ''), coalesce(tm.teamid, ''), coalesce(tm.schemeadmin, false), coalesce(tm.schemeguest, false), "
	"coalesce(m.channelid, ''), coalesce(m.schemeadmin, false), " READING " FROM users u "
	"LEFT JOIN teammembers tm ON tm.userid = u.id AND tm.deleteat = 0 "
	"LEFT JOIN (channelmembers m JOIN channels c ON c.id = m.channelid) ON m.userid = u.id AND c.teamid = tm.teamid "
	"ORDER BY u.id COLLATE \"C\", tm.teamid COLLATE \"C\", m.channelid COLLATE \"C\"";
enum { U_ID, U_SERVICE, U_AUTH, U_LOCALE, T_ID, T_ADMIN, T_GUEST, C_ID, C_ADMIN, C_READING };

static const char DIRECTS_SQL[] =
	"DECLARE ark_bulk NO SCROLL CURSOR FOR SELECT m.channelid, m.userid, " READING " FROM channelmembers m "
	"JOIN channels c ON c.id = m.channelid WHERE c.type IN ('D', 'G') "
	"ORDER BY m.channelid COLLATE \"C\", m.userid COLLATE \"C\"";

typedef enum ark_rc row_fn(void *ctx, const struct db_result *res, size_t row, struct ark_err *err);

static enum ark_rc each_row(struct bulk_file *b, const char *sql, row_fn *row, void *ctx, struct ark_err *err)
{
	enum ark_rc rc = db_exec(b->run->conn, sql, err);
	for (size_t rows = 1; rc == ARK_OK && rows > 0;) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		rc = db_query(b->run->conn, "FETCH 5000 FROM ark_bulk", DB_NO_PARAMS, &res, err);
		rows = rc == ARK_OK ? db_rows(res) : 0;
		for (size_t i = 0; rc == ARK_OK && i < rows; i++)
			rc = row(ctx, res, i, err);
	}
	return rc == ARK_OK ? db_exec(b->run->conn, "CLOSE ark_bulk", err) : rc;
}

static struct mm_bulk_reading reading(const struct db_result *res, size_t row, size_t col)
{
	return (struct mm_bulk_reading){ db_i64(res, row, col), db_i64(res, row, col + 1), db_i64(res, row, col + 2),
		                         db_i64(res, row, col + 3), db_i64(res, row, col + 4) };
}

static struct ark_str some(struct ark_str s)
{
	return s.len > 0 ? s : ARK_STR_NONE;
}

/* --- people --- */

struct team_of {
	struct mm_bulk_in_team team;
	size_t first; /* of its channels */
};

/* The account under way: what is in its rows comes together here. */
struct account {
	struct bulk_file *b;
	const struct export_person *p;
	struct ark_pool strings;
	struct ark_str service, auth, locale, team_id;
	struct team_of *teams;
	size_t teams_count, teams_cap;
	struct mm_bulk_in_channel *channels;
	size_t channels_count, channels_cap;
};

static void account_release(struct account *a)
{
	ark_pool_release(&a->strings);
	free(a->teams);
	free(a->channels);
}

static void add_team(struct account *a, struct ark_str name, bool admin, bool guest)
{
	if (a->teams_count == a->teams_cap) {
		a->teams_cap = a->teams_cap > 0 ? 2 * a->teams_cap : 16;
		a->teams = ark_realloc(a->teams, a->teams_cap, sizeof(*a->teams));
	}
	a->teams[a->teams_count++] = (struct team_of){ { .name = name, .admin = admin, .guest = guest },
		                                       a->channels_count };
}

static void add_channel(struct account *a, const struct db_result *res, size_t row)
{
	uint32_t at = ark_map_get(&a->b->channels, db_value(res, row, C_ID));
	if (at == ARK_MAP_NONE)
		return;
	const struct export_channel *c = &a->b->run->channels[at];
	struct ark_str team_id = db_value(res, row, T_ID);
	if (!ark_str_eq(a->team_id, team_id)) {
		a->team_id = ark_pool_str(&a->strings, team_id);
		add_team(a, c->team_name, db_bool(res, row, T_ADMIN), db_bool(res, row, T_GUEST));
	}
	if (a->channels_count == a->channels_cap) {
		a->channels_cap = a->channels_cap > 0 ? 2 * a->channels_cap : 64;
		a->channels = ark_realloc(a->channels, a->channels_cap, sizeof(*a->channels));
	}
	a->channels[a->channels_count++] = (struct mm_bulk_in_channel){
		.name = c->name, .admin = db_bool(res, row, C_ADMIN), .guest = db_bool(res, row, C_READING + 5),
		.reading = reading(res, row, C_READING) };
	a->teams[a->teams_count - 1].team.channels_count++;
}

static bool has_role(struct ark_str roles, struct ark_str role)
{
	return ark_str_search(roles, role, 0) != SIZE_MAX;
}

static void make_user(struct account *a, const struct mm_bulk_in_team *teams)
{
	struct bulk_file *b = a->b;
	const struct export_person *p = a->p;
	struct mm_bulk_user u = {
		.username = bulk_name(b, p), .email = p->email, .nickname = some(p->nickname),
		.first_name = some(p->first_name), .last_name = some(p->last_name), .position = some(p->position),
		.locale = some(a->locale), .delete_ms = p->delete_ms, .teams = teams, .teams_count = a->teams_count,
	};
	if (a->service.len > 0 && a->auth.len > 0) {
		u.auth_service = a->service;
		u.auth_data = a->auth;
	}
	if (has_role(p->roles, ARK_LIT("system_guest")) && a->teams_count > 0)
		u.roles = ARK_LIT("system_guest");
	if (has_role(p->roles, ARK_LIT("system_admin")))
		bulk_note(b, "bulk: system administrators as ordinary accounts", 1);
	if (!good_email(p->email)) {
		bulk_note(b, "bulk: addresses that a server would refuse, replaced", 1);
		ark_buf_reset(&b->key);
		ark_buf_fmt(&b->key, "%.*s@localhost", ARK_FMT(p->id));
		u.email = ark_buf_view(&b->key);
	}
	mm_bulk_user(&b->line, &u);
}

static enum ark_rc put_account(struct account *a, struct ark_err *err)
{
	if (a->p == NULL)
		return ARK_OK;
	ark_auto(ark_freep) struct mm_bulk_in_team *teams = ark_calloc(a->teams_count + 1, sizeof(*teams));
	for (size_t i = 0; i < a->teams_count; i++) {
		teams[i] = a->teams[i].team;
		teams[i].channels = a->channels + a->teams[i].first;
	}
	make_user(a, teams);
	a->teams_count = a->channels_count = 0;
	a->team_id = ARK_STR_NONE;
	a->p = NULL;
	ark_pool_release(&a->strings);
	return bulk_line_put(a->b, err);
}

static enum ark_rc people_row(void *ctx, const struct db_result *res, size_t row, struct ark_err *err)
{
	struct account *a = ctx;
	struct ark_str id = db_value(res, row, U_ID);
	if (a->p == NULL || !ark_str_eq(a->p->id, id)) {
		enum ark_rc rc = put_account(a, err);
		const struct export_person *p = export_person_find(a->b->run, id);
		if (rc < 0 || p == NULL)
			return rc;
		if (p->is_bot) { /* these have lines of their own, without memberships */
			if (ark_map_get(&a->b->channels, db_value(res, row, C_ID)) != ARK_MAP_NONE)
				bulk_note(a->b, "bulk: memberships of bots", 1);
			return ARK_OK;
		}
		a->p = p;
		a->service = ark_pool_str(&a->strings, db_value(res, row, U_SERVICE));
		a->auth = ark_pool_str(&a->strings, db_value(res, row, U_AUTH));
		a->locale = ark_pool_str(&a->strings, db_value(res, row, U_LOCALE));
	}
	add_channel(a, res, row);
	return ARK_OK;
}

static enum ark_rc put_bots(struct bulk_file *b, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; rc == ARK_OK && i < b->run->people_count; i++) {
		const struct export_person *p = &b->run->people[i];
		if (!p->is_bot)
			continue;
		const struct export_person *owner = export_person_find(b->run, p->bot_owner_id);
		mm_bulk_bot(&b->line, &(struct mm_bulk_bot){
			.username = bulk_name(b, p), .delete_ms = p->delete_ms, .display_name = some(p->first_name),
			.owner = owner != NULL ? bulk_name(b, owner) : p->bot_owner_id.len > 0 ? p->bot_owner_id
			                                                                       : ARK_LIT("matterark") });
		rc = bulk_line_put(b, err);
	}
	return rc;
}

/* What the stream does not have. */
static enum ark_rc note_followers(struct bulk_file *b, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(b->run->conn, "SELECT t.channelid, count(*) FROM threadmemberships m JOIN threads t "
	                                        "ON t.postid = m.postid WHERE m.following GROUP BY 1", DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++)
		if (ark_map_get(&b->channels, db_value(res, i, 0)) != ARK_MAP_NONE)
			bulk_note(b, "bulk: followers of threads", (uint64_t)db_i64(res, i, 1));
	return rc;
}

enum ark_rc bulk_people_put(struct bulk_file *b, struct ark_err *err)
{
	ark_auto(account_release) struct account a = { .b = b };
	enum ark_rc rc = each_row(b, PEOPLE_SQL, people_row, &a, err);
	if (rc == ARK_OK)
		rc = put_account(&a, err);
	if (rc == ARK_OK)
		rc = note_followers(b, err);
	return rc == ARK_OK ? put_bots(b, err) : rc;
}

/* --- direct and group channels --- */

struct direct {
	struct bulk_file *b;
	const struct export_channel *c; /* NULL: none under way */
	const struct export_person *people[MM_GROUP_MEMBERS_MAX];
	struct mm_bulk_participant rows[MM_GROUP_MEMBERS_MAX];
	size_t count;
};

/* Both have a line, also when a membership is missing. */
static size_t complete_pair(struct direct *d, struct mm_bulk_participant out[2])
{
	const struct export_person *pair[2];
	if (!bulk_pair(d->b, d->c, pair))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		out[i] = (struct mm_bulk_participant){ .username = bulk_name(d->b, pair[i]) };
		for (size_t k = 0; k < d->count; k++)
			if (d->people[k] == pair[i])
				out[i] = d->rows[k];
	}
	return 2;
}

static enum ark_rc put_direct(struct direct *d, struct ark_err *err)
{
	if (d->c == NULL)
		return ARK_OK;
	struct mm_bulk_participant pair[2];
	struct ark_str shown[MM_GROUP_MEMBERS_MAX];
	struct mm_bulk_direct line = { .people = d->rows, .count = d->count, .header = some(d->c->header),
		                       .shown_by = shown };
	if (d->c->kind == EXPORT_DIRECT) {
		line.people = pair;
		line.count = complete_pair(d, pair);
	}
	for (size_t i = 0; i < d->count; i++)
		if (d->people[i] != NULL && !d->people[i]->is_bot)
			shown[line.shown_count++] = bulk_name(d->b, d->people[i]);
	d->c = NULL;
	d->count = 0;
	mm_bulk_direct_channel(&d->b->line, &line);
	return bulk_line_put(d->b, err);
}

static enum ark_rc direct_row(void *ctx, const struct db_result *res, size_t row, struct ark_err *err)
{
	struct direct *d = ctx;
	struct bulk_file *b = d->b;
	struct ark_str id = db_value(res, row, 0);
	if (d->c == NULL || !ark_str_eq(d->c->id, id)) {
		enum ark_rc rc = put_direct(d, err);
		uint32_t at = ark_map_get(&b->channels, id);
		if (rc < 0 || at == ARK_MAP_NONE)
			return rc;
		d->c = &b->run->channels[at];
	}
	const struct export_person *p = export_person_find(b->run, db_value(res, row, 1));
	if (p == NULL || d->count == MM_GROUP_MEMBERS_MAX)
		return ARK_OK;
	d->people[d->count] = p;
	d->rows[d->count++] = (struct mm_bulk_participant){ bulk_name(b, p), db_bool(res, row, 2 + READING_COLS - 1),
		                                            reading(res, row, 2) };
	return ARK_OK;
}

enum ark_rc bulk_directs_put(struct bulk_file *b, struct ark_err *err)
{
	struct direct d = { .b = b };
	enum ark_rc rc = each_row(b, DIRECTS_SQL, direct_row, &d, err);
	return rc == ARK_OK ? put_direct(&d, err) : rc;
}

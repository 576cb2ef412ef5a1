#include "import/load/base.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/base/utf8.h"
#include "import/load/account.h"
#include "import/load/target.h"
#include "import/load/team.h"
#include "import/slack/grid.h"
#include "import/translate/digest.h"
#include "import/translate/id.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

/* ---- workspace ---- */

static int by_conv(const void *a, const void *b, void *ctx)
{
	const struct load *l = ctx;
	return ark_str_cmp(l->x->convs.list[*(const uint32_t *)a].id,
	                   l->x->convs.list[*(const uint32_t *)b].id);
}

/* Nothing in the archive says what workspace it is: conversations and when they were made do. */
static void workspace_from_channels(struct load *l)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, SIZE_MAX / 2);
	uint32_t n = l->x->convs.count;
	ark_auto(ark_freep) uint32_t *order = ark_calloc(n + 1, sizeof(*order));
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), by_conv, l);
	for (uint32_t i = 0; i < n; i++) {
		const struct slack_conv *c = &l->x->convs.list[order[i]];
		ark_buf_str(&text, c->id);
		ark_buf_fmt(&text, " %lld\n", (long long)c->created_ms);
	}
	unsigned char digest[32];
	char hex[65];
	crypt_sha256(l->hash, text.data, text.len, digest);
	crypt_hex(digest, 8, hex);
	ark_buf_reset(&text);
	ark_buf_fmt(&text, "hash-%s", hex);
	l->workspace = ark_pool_str(&l->strings, ark_buf_view(&text));
}

void base_workspace(struct load *l, const char *given)
{
	struct ark_str team = slack_people_team(&l->x->people), org = slack_grid_org(l->x);
	if (given != NULL)
		l->workspace = ark_pool_str(&l->strings, ark_str_z(given));
	else if (l->x->grid && ark_str_has(org)) /* one for all of its workspaces */
		l->workspace = ark_pool_str(&l->strings, org);
	else if (ark_str_has(team))
		l->workspace = ark_pool_str(&l->strings, team);
	else
		workspace_from_channels(l);
}

enum ark_rc base_adopt_workspace(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = db_stream_begin(conn, "SELECT workspace, slack_id FROM matterark.slack_channel",
	                                 DB_NO_PARAMS, err);
	bool found = false, several = false;
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		if (slack_convs_find(&l->x->convs, db_value(row, 0, 1)) == CONV_NONE)
			continue;
		several |= found && !ark_str_eq(l->workspace, db_value(row, 0, 0));
		if (!found)
			l->workspace = ark_pool_str(&l->strings, db_value(row, 0, 0));
		found = true;
	}
	if (rc != ARK_END || !several || !l->x->grid)
		return rc == ARK_END ? ARK_OK : rc;
	ark_err_set(err, ARK_KIND_REFUSED, "workspaces of this organisation were imported one by one before: what "
	                                   "is there would come a second time");
	ark_err_hint(err, "unpack it and go on so: the folder of each workspace below teams/ is an export");
	return ARK_FAIL;
}

/* ---- team ---- */

static enum ark_rc refuse_team(const struct load *l, const char *name, struct ark_err *err)
{
	ark_err_set(err, ARK_KIND_REFUSED, "there is no team '%s' in this database", name);
	ark_err_hint(err, l->by_workspace ? "an import makes it with --create-team; --team-map FILE puts workspaces "
	                                    "into teams that are there"
	                                  : "--team takes the URL name of a team; an import makes it with "
	                                    "--create-team");
	return ARK_FAIL;
}

static enum ark_rc find_team(const struct load *l, struct load_team *t, struct db_conn *conn,
                             bool may_create, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn, "SELECT id, deleteat FROM teams WHERE name = $1",
	                          DB_PARAMS(ark_str_z(t->name)), &res, err);
	if (rc < 0)
		return rc;
	t->made = db_rows(res) == 0;
	if (t->made)
		return may_create ? ARK_OK : refuse_team(l, t->name, err);
	if (db_i64(res, 0, 1) > 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "team '%s' is archived", t->name);
	struct ark_str id = db_value(res, 0, 0);
	if (id.len != MM_ID_LEN)
		return ark_err_set(err, ARK_KIND_REFUSED, "team '%s' has an id of %zu bytes", t->name, id.len);
	memcpy(t->id, id.ptr, MM_ID_LEN);
	t->id[MM_ID_LEN] = '\0';
	return ARK_OK;
}

enum ark_rc base_teams(struct load *l, struct db_conn *conn, bool may_create, bool *any_new,
                       struct ark_err *err)
{
	*any_new = false;
	enum ark_rc rc = teams_plan(l, err);
	for (uint32_t i = 0; i < l->teams_count && rc == ARK_OK; i++) {
		rc = find_team(l, &l->teams[i], conn, may_create, err);
		*any_new |= l->teams[i].made;
	}
	if (rc < 0)
		return rc;
	teams_make(l, false);
	for (uint32_t i = 0; i < l->known_count && l->x->grid; i++)
		if (l->known[i].team_id[0] != '\0')
			teams_known(l, ark_str_z(l->known[i].team_id), l->known[i].team);
	return teams_valid(l, err);
}

/* ---- accounts ---- */

static enum ark_rc mapped_accounts(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = db_stream_begin(
	    conn,
	    "SELECT s.slack_id, u.id, u.username, u.deleteat = 0, s.matched, u.email FROM matterark.slack_user s "
	    "JOIN users u ON u.id = s.user_id WHERE s.workspace = $1 ORDER BY s.slack_id",
	    DB_PARAMS(l->workspace), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		struct ark_str key = db_value(row, 0, 0);
		if (db_value(row, 0, 1).len != MM_ID_LEN)
			continue;
		uint32_t person = ark_map_get(&l->x->people.by_key, key);
		if (person == ARK_MAP_NONE)
			person = slack_people_known(&l->x->people, key);
		struct slack_person *p = &l->x->people.list[person];
		memcpy(p->mm_id, db_value(row, 0, 1).ptr, MM_ID_LEN);
		p->username = ark_pool_str(&l->strings, db_value(row, 0, 2));
		p->username_final = true;
		p->active = db_bool(row, 0, 3);
		p->matched = true; /* there already: its row is never written again */
		p->ours = !db_bool(row, 0, 4);
		ark_map_put(&l->usernames, p->username, person);
		ark_map_put(&l->emails, db_value(row, 0, 5), person);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc base_accounts(struct load *l, struct db_conn *conn, bool state, struct ark_err *err)
{
	if (state) {
		enum ark_rc rc = mapped_accounts(l, conn, err);
		if (rc < 0)
			return rc;
	}
	accounts_index(l);
	enum ark_rc rc = db_stream_begin(
	    conn,
	    "SELECT u.id, u.username, lower(u.email), u.roles, u.deleteat = 0, b.userid IS NOT NULL, "
	    "coalesce(u.authdata, '') "
	    "FROM users u LEFT JOIN bots b ON b.userid = u.id",
	    DB_NO_PARAMS, err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		struct account_row account = { .id = db_value(row, 0, 0),
			                       .username = db_value(row, 0, 1),
			                       .email = db_value(row, 0, 2),
			                       .roles = db_value(row, 0, 3),
			                       .active = db_bool(row, 0, 4),
			                       .bot = db_bool(row, 0, 5),
			                       .authdata = db_value(row, 0, 6) };
		l->report.active_before += account.active && !account.bot;
		accounts_known(l, &account);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

static enum ark_rc count_before(struct load_team *t, const struct ark_map *ours, struct db_conn *conn,
                                struct ark_err *err)
{
	enum ark_rc rc = db_stream_begin(
	    conn,
	    "SELECT m.userid FROM teammembers m JOIN users u ON u.id = m.userid WHERE m.teamid = $1 AND "
	    "coalesce(m.deleteat, 0) = 0 AND u.deleteat = 0",
	    DB_PARAMS(ark_str_z(t->id)), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc == ARK_OK)
			t->before += ark_map_get(ours, db_value(row, 0, 0)) == ARK_MAP_NONE;
	}
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc base_team_before(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map ours = { 0 };
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		const struct slack_person *p = &l->x->people.list[i];
		struct ark_str id = ark_str_z(p->mm_id);
		if (!p->matched || ark_map_get(&ours, id) != ARK_MAP_NONE)
			continue;
		ark_map_put(&ours, id, i);
		l->report.active_before -= p->active && p->kind == PERSON_HUMAN && l->report.active_before > 0;
	}
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < l->teams_count && rc == ARK_OK; i++)
		rc = count_before(&l->teams[i], &ours, conn, err);
	return rc;
}

/* ---- channels ---- */

static enum ark_rc channel_names(struct load *l, uint32_t team, struct db_conn *conn, struct ark_err *err)
{
	struct load_team *t = &l->teams[team];
	enum ark_rc rc = db_stream_begin(
	    conn,
	    "SELECT name, id, type::text, deleteat FROM channels WHERE teamid = $1",
	    DB_PARAMS(ark_str_z(t->id)), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		struct ark_str name = db_value(row, 0, 0), id = db_value(row, 0, 1);
		targets_taken(l, team, name);
		if (l->set.into_channel != NULL && team == 0 && ark_str_eqz(name, l->set.into_channel) &&
		    id.len == MM_ID_LEN) {
			memcpy(l->into_id, id.ptr, MM_ID_LEN);
			l->into_type = db_value(row, 0, 2).ptr[0];
			l->into_archived = db_i64(row, 0, 3) > 0;
		}
		bool town = ark_str_eqz(name, "town-square");
		if ((town || ark_str_eqz(name, "off-topic")) && id.len == MM_ID_LEN)
			memcpy(t->defaults[town ? 0 : 1], id.ptr, MM_ID_LEN);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc base_channel_names(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < l->teams_count && rc == ARK_OK; i++)
		if (!l->teams[i].made)
			rc = channel_names(l, i, conn, err);
	return rc;
}

enum ark_rc base_known_channels(struct load *l, struct db_conn *conn, bool *first_import,
                                struct ark_err *err)
{
	*first_import = true;
	enum ark_rc rc = db_stream_begin(
	    conn,
	    "SELECT s.slack_id, coalesce(c.id, ''), coalesce(c.name, ''), coalesce(t.id, ''), coalesce(t.name, '') "
	    "FROM matterark.slack_channel s LEFT JOIN channels c ON c.id = s.channel_id LEFT JOIN teams t ON "
	    "t.id = c.teamid WHERE s.workspace = $1",
	    DB_PARAMS(l->workspace), err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		*first_import = false;
		struct ark_str id = db_value(row, 0, 1);
		if (id.len != MM_ID_LEN && id.len != 0)
			continue;
		l->known = ark_realloc(l->known, l->known_count + 1, sizeof(*l->known));
		struct load_known *k = &l->known[l->known_count];
		memcpy(k->id, id.ptr, id.len);
		k->id[id.len] = '\0';
		k->name = ark_pool_str(&l->strings, db_value(row, 0, 2));
		struct ark_str team = db_value(row, 0, 3);
		snprintf(k->team_id, sizeof(k->team_id), "%.*s", ARK_FMT(team));
		k->team = ark_pool_str(&l->strings, db_value(row, 0, 4));
		ark_map_put(&l->known_channels, db_value(row, 0, 0), l->known_count++);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

/* Direct and group channels are one per set of people: those that exist are used. */
enum ark_rc base_direct_channels(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map wanted = { 0 };
	for (uint32_t i = 0; i < l->targets_count; i++)
		if (!l->targets[i].skipped && target_is_direct(&l->targets[i]) && !l->targets[i].existed)
			ark_map_put(&wanted, l->targets[i].name, i);
	if (wanted.count == 0)
		return ARK_OK;
	enum ark_rc rc = db_stream_begin(conn, "SELECT id, name FROM channels WHERE teamid = '' AND type::text "
	                                       "IN ('D', 'G')", DB_NO_PARAMS, err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(conn, &row, err);
		if (rc != ARK_OK)
			break;
		uint32_t i = ark_map_get(&wanted, db_value(row, 0, 1));
		if (i == ARK_MAP_NONE || db_value(row, 0, 0).len != MM_ID_LEN)
			continue;
		memcpy(l->targets[i].id, db_value(row, 0, 0).ptr, MM_ID_LEN);
		l->targets[i].existed = true;
	}
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc base_run_number(struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT coalesce(max(run_no), 0) + 1 FROM matterark.run",
	                              DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		l->run_no = db_i64(res, 0, 0);
	return rc;
}

void base_archive_names(const struct load *l, struct ark_buf *archives)
{
	ark_buf_c(archives, '[');
	for (uint32_t i = 0; i < l->x->sources_count; i++) {
		const char *slash = strrchr(l->x->sources[i].path, '/');
		ark_buf_z(archives, i > 0 ? "," : "");
		ark_buf_json(archives, ark_str_z(slash != NULL && slash[1] != '\0' ? slash + 1
		                                                                  : l->x->sources[i].path));
	}
	ark_buf_c(archives, ']');
}

/* Names of the archives without their folders, and what came out of the run. */
static void run_documents(const struct load *l, struct ark_buf *archives, struct ark_buf *counts)
{
	base_archive_names(l, archives);
	const struct load_count *c = &l->report.total;
	ark_buf_fmt(counts, "{\"read\":%llu,\"written\":%llu,\"posts\":%llu,\"reactions\":%llu,\"skipped\":{",
	            (unsigned long long)c->read, (unsigned long long)c->written,
	            (unsigned long long)c->posts, (unsigned long long)c->reactions);
	bool any = false;
	for (int i = 0; i < SKIP_COUNT; i++) {
		if (c->skipped[i] == 0)
			continue;
		ark_buf_fmt(counts, "%s\"%s\":%llu", any ? "," : "", skip_name((enum skip_reason)i),
		            (unsigned long long)c->skipped[i]);
		any = true;
	}
	ark_buf_z(counts, "}}");
}

/* A list of words as JSON. */
static void put_words(struct ark_buf *out, const char *const *words, size_t count)
{
	ark_buf_c(out, '[');
	for (size_t i = 0; i < count; i++) {
		ark_buf_z(out, i > 0 ? "," : "");
		ark_buf_json(out, ark_str_z(words[i]));
	}
	ark_buf_c(out, ']');
}

/* What was asked for: what verify compares, and what undo has to say. */
static void run_options(const struct load_job *job, const struct load *l, bool created_database,
                        struct ark_buf *out)
{
#define BOOL(x) ((x) ? "true" : "false")
	const struct load_settings *s = &l->set;
	ark_buf_fmt(out, "{\"created_database\":%s,\"channels\":", BOOL(created_database));
	put_words(out, s->channels, s->channels_count);
	ark_buf_fmt(out, ",\"since_us\":%lld,\"until_us\":%lld,\"no_direct\":%s,\"no_joins\":%s,"
	            "\"skip_bots\":%s,\"merge_general\":%s,\"guests\":%d,\"overwrite\":%s,\"adopt\":%s,\"into_channel\":",
	            (long long)job->translate.since_us, (long long)job->translate.until_us, BOOL(s->no_direct),
	            BOOL(job->translate.no_joins), BOOL(job->translate.skip_bots), BOOL(s->merge_general),
	            (int)s->guests, BOOL(s->overwrite), BOOL(s->adopt));
	if (s->into_channel != NULL)
		ark_buf_json(out, ark_str_z(s->into_channel));
	else
		ark_buf_z(out, "null");
	ark_buf_z(out, ",\"teams\":[");
	for (uint32_t i = 0; i < l->teams_count; i++)
		ark_buf_fmt(out, "%s\"%s\"", i > 0 ? "," : "", l->teams[i].id);
	ark_buf_z(out, "]}");
}

enum ark_rc base_run_row(const struct load_job *job, struct load *l, struct db_conn *conn,
                         bool created_database, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf archives;
	ark_auto(ark_buf_release) struct ark_buf clean;
	ark_auto(ark_buf_release) struct ark_buf counts;
	ark_buf_init(&archives, 1u << 20);
	ark_buf_init(&clean, 4u << 20);
	ark_buf_init(&counts, 1u << 20);
	run_documents(l, &archives, &counts);
	ark_auto(ark_buf_release) struct ark_buf options;
	ark_buf_init(&options, 1u << 20);
	run_options(job, l, created_database, &options);
	ark_utf8_clean(&clean, ark_buf_view(&archives));
	char no[DB_NUM], start[DB_NUM], end[DB_NUM];
	return db_run(conn,
	              "INSERT INTO matterark.run (run_no, run, workspace, team_id, started, finished, "
	              "tool, archives, options, counts) VALUES ($1::int, $2, $3, $4, $5::bigint, "
	              "$6::bigint, $7, $8::jsonb, $10::jsonb, $9::jsonb)",
	              DB_PARAMS(db_num(l->run_no, no), ark_str_z(l->run), l->workspace,
	                        ark_str_z(l->teams[0].id), db_num(l->start_ms, start),
	                        db_num(ark_time_now_ms(), end), ark_str_z(job->tool),
	                        ark_buf_view(&clean), ark_buf_view(&counts), ark_buf_view(&options)),
	              NULL, err);
}

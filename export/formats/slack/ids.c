/*
 * Ids and time stamps. matter-import keeps in its own tables what was what in Slack; where that is
 * known the export says it again. Otherwise an id is made from Mattermost's: the same every time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/db/conn.h"
#include "common/mm/state.h"
#include "export/formats/slack/private.h"

#include "common/base/banned.h"

void slack_ts_text(int64_t ts_us, char out[SLACK_TS])
{
	snprintf(out, SLACK_TS, "%lld.%06lld", (long long)(ts_us / 1000000), (long long)(ts_us % 1000000));
}

/* A letter and ten of [0-9A-Z]. */
static struct ark_str made_id(char kind, struct ark_str mattermost_id, char room[SLACK_ID])
{
	static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	uint64_t h = thread_hash(mattermost_id);
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9u;
	h ^= h >> 32;
	room[0] = kind;
	for (int i = 1; i <= 10; i++, h /= 36)
		room[i] = DIGITS[h % 36];
	room[11] = '\0';
	return ark_str_n(room, 11);
}

static struct ark_str known_or_made(const struct slack_archive *a, const struct ark_map *map, char kind,
                                    struct ark_str id, char room[SLACK_ID])
{
	uint32_t at = ark_map_get(map, id);
	return at != ARK_MAP_NONE ? ark_str_z(a->ids.data + at) : made_id(kind, id, room);
}

struct ark_str slack_user_key(const struct slack_archive *a, struct ark_str id, char room[SLACK_ID])
{
	return known_or_made(a, &a->user_ids, 'U', id, room);
}

struct ark_str slack_user_id(const struct slack_archive *a, struct ark_str id, char room[SLACK_ID])
{
	struct ark_str key = slack_user_key(a, id, room);
	return ark_str_first(key, ark_str_find(key, '|', 0));
}

struct ark_str slack_channel_id(const struct slack_archive *a, struct ark_str id, char room[SLACK_ID])
{
	return known_or_made(a, &a->channel_ids, 'C', id, room);
}

/* Letters of any script without upper-case ASCII, digits, "-" and "_", 80 at most. */
static bool fits_slack(struct ark_str name)
{
	if (name.len == 0 || ark_utf8_runes(name) > 80)
		return false;
	for (size_t i = 0, len; i < name.len; i += len) {
		uint32_t r = ark_utf8_at(name, i, &len);
		bool fine = (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') || r == '-' || r == '_' ||
		            (r >= 0x80 && ark_utf8_is_word(r));
		if (!fine)
			return false;
	}
	return true;
}

static void shown_key(struct slack_archive *a, const struct export_channel *c)
{
	ark_buf_reset(&a->key);
	ark_buf_str(&a->key, c->team_id);
	ark_buf_c(&a->key, '/');
	ark_buf_str(&a->key, c->display_name);
}

void slack_names_gather(struct slack_archive *a)
{
	for (size_t i = 0; i < a->run->channels_count; i++) {
		const struct export_channel *c = &a->run->channels[i];
		/* a name counts too: nobody else may be shown under it */
		struct ark_str own[] = { c->display_name, c->name };
		for (size_t k = 0; k < (ark_str_eq(own[0], own[1]) ? 1 : 2); k++) {
			struct export_channel as = *c;
			as.display_name = own[k];
			shown_key(a, &as);
			uint32_t n = ark_map_get(&a->shown, ark_buf_view(&a->key));
			ark_map_put(&a->shown, ark_buf_view(&a->key), n == ARK_MAP_NONE ? 1 : n + 1);
		}
	}
}

struct ark_str slack_channel_name(struct slack_archive *a, const struct export_channel *c)
{
	if ((c->kind != EXPORT_PUBLIC && c->kind != EXPORT_PRIVATE) || !fits_slack(c->display_name))
		return c->name;
	shown_key(a, c);
	return ark_map_get(&a->shown, ark_buf_view(&a->key)) == 1 ? c->display_name : c->name;
}

struct ark_str slack_file_id(struct ark_str id, char room[SLACK_ID])
{
	return made_id('F', id, room);
}

/* --- what matterark knows --- */

static enum ark_rc read_map(struct slack_archive *a, const char *sql, struct ark_map *map, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(a->run->conn, sql, DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		ark_map_put(map, db_value(res, i, 0), (uint32_t)a->ids.len);
		ark_buf_str(&a->ids, db_value(res, i, 1));
		ark_buf_c(&a->ids, '\0');
	}
	return rc < 0 ? rc : ark_buf_ok(&a->ids, "the list of Slack's ids", err);
}

static void new_range(struct slack_archive *a, struct ark_str channel)
{
	uint64_t pairs = a->stamps.fd < 0 ? 0 : a->stamps.len / sizeof(*a->known);
	a->ranges = ark_realloc(a->ranges, a->ranges_count + 1, sizeof(*a->ranges));
	a->ranges[a->ranges_count][0] = pairs;
	a->ranges[a->ranges_count][1] = 0;
	ark_map_put(&a->stamps_at, channel, (uint32_t)a->ranges_count++);
}

static enum ark_rc add_stamp(struct slack_archive *a, struct ark_str channel, struct ark_str post, int64_t ts_us,
                             struct ark_err *err)
{
	uint64_t pair[2] = { thread_hash(post), (uint64_t)ts_us };
	if (ark_map_get(&a->stamps_at, channel) == ARK_MAP_NONE)
		new_range(a, channel);
	a->ranges[a->ranges_count - 1][1]++;
	return io_spool_add(&a->stamps, io_temp_dir(), (const char *)pair,
	                    sizeof(pair), err);
}

/* In pieces: there may be millions. */
static enum ark_rc read_stamps(struct slack_archive *a, struct ark_err *err)
{
	enum ark_rc rc = db_exec(a->run->conn,
	                         "DECLARE ark_stamps NO SCROLL CURSOR FOR SELECT channel_id, post_id, ts FROM "
	                         "matterark.slack_post WHERE part = 0 AND ordinal <= 0 ORDER BY channel_id", err);
	for (size_t rows = 1; rc == ARK_OK && rows > 0;) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		rc = db_query(a->run->conn, "FETCH 10000 FROM ark_stamps", DB_NO_PARAMS, &res, err);
		rows = rc == ARK_OK ? db_rows(res) : 0;
		for (size_t i = 0; rc == ARK_OK && i < rows; i++)
			rc = add_stamp(a, db_value(res, i, 0), db_value(res, i, 1), db_i64(res, i, 2), err);
	}
	return rc == ARK_OK ? db_exec(a->run->conn, "CLOSE ark_stamps", err) : rc;
}

/* Readers tell workspaces apart by it; what came from several has none. */
static enum ark_rc read_workspace(struct slack_archive *a, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(a->run->conn, "SELECT DISTINCT workspace FROM matterark.slack_channel LIMIT 2",
	                          DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK && db_rows(res) == 1)
		ark_buf_str(&a->workspace, db_value(res, 0, 0));
	return rc;
}

enum ark_rc slack_ids_read(struct slack_archive *a, struct ark_err *err)
{
	bool there = false;
	enum ark_rc rc = mm_state_exists(a->run->conn, &there, err);
	if (rc < 0 || !there)
		return rc;
	rc = read_map(a, "SELECT user_id, min(slack_id) FROM matterark.slack_user GROUP BY 1", &a->user_ids, err);
	if (rc == ARK_OK)
		rc = read_map(a, "SELECT channel_id, min(slack_id) FROM matterark.slack_channel GROUP BY 1",
		              &a->channel_ids, err);
	if (rc == ARK_OK)
		rc = read_workspace(a, err);
	return rc == ARK_OK ? read_stamps(a, err) : rc;
}

static int by_hash(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return (a > b) - (a < b);
}

enum ark_rc slack_stamps_load(struct slack_archive *a, struct ark_str channel_id, struct ark_err *err)
{
	uint32_t at = ark_map_get(&a->stamps_at, channel_id);
	free(a->known);
	a->known = NULL;
	a->known_count = 0;
	if (at == ARK_MAP_NONE)
		return ARK_OK;
	uint64_t first = a->ranges[at][0], count = a->ranges[at][1];
	a->known = ark_calloc(count, sizeof(*a->known));
	enum ark_rc rc = io_spool_read(&a->stamps, first * sizeof(*a->known), (char *)a->known,
	                               count * sizeof(*a->known), err);
	if (rc < 0)
		return rc;
	a->known_count = count;
	qsort(a->known, count, sizeof(*a->known), by_hash);
	return ARK_OK;
}

int64_t slack_stamp(struct slack_archive *a, struct ark_str post_id, int64_t create_ms)
{
	uint64_t hash = thread_hash(post_id);
	int64_t ts = create_ms * 1000;
	uint64_t(*found)[2] = a->known_count > 0 ? bsearch(&hash, a->known, a->known_count, sizeof(*a->known), by_hash)
	                                         : NULL;
	/* the spread of equal milliseconds, no more: another time is another message's */
	if (found != NULL && (int64_t)(*found)[1] / 1000 <= create_ms &&
	    create_ms - (int64_t)(*found)[1] / 1000 < 60000)
		ts = (int64_t)(*found)[1];
	if (ts <= a->last_us)
		ts = a->last_us + 1;
	a->last_us = ts;
	return ts;
}

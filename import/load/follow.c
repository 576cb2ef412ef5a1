#include "import/load/follow.h"

#include <stdio.h>

#include "common/db/text.h"
#include "import/load/change.h"
#include "import/load/merge.h"

#include "common/base/banned.h"

static enum ark_rc count(struct db_conn *conn, const char *sql, uint64_t *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, sql, DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		*out += (uint64_t)db_i64(res, 0, 0);
	return rc;
}

/* ---- names and topics ---- */

#define NEWER "NOT EXISTS (SELECT 1 FROM ark_older o WHERE o.channel_id = k.channel_id)"
/* Ours as long as the channel says what we wrote; then Slack's new value follows. */
#define TEXT_OF(column)                                                                            \
	"CASE WHEN c." column " = k." column " THEN s." column " ELSE c." column " END AS new_" column \
	", CASE WHEN c." column " = k." column " THEN s." column " ELSE k." column " END AS our_" column
#define STAYS(column) "(s." column " <> k." column " AND c." column " NOT IN (k." column ", s." column "))"

static enum ark_rc follow_texts(struct load *l, struct db_conn *conn, const char *now,
                                struct load_outcome *out, struct ark_err *err)
{
	static const char WHICH[] =
	    "t.id = r.channel_id AND (t.displayname, t.header, t.purpose) IS DISTINCT FROM "
	    "(r.new_displayname, r.new_header, r.new_purpose)";
	const struct change_set texts[] = { { "displayname", "r.new_displayname" },
		                            { "header", "r.new_header" },
		                            { "purpose", "r.new_purpose" },
		                            { "updateat", now },
		                            { NULL, NULL } };
	const struct change_set mirror[] = { texts[0], texts[1], texts[2], { NULL, NULL } };
	const struct change_set ours[] = { { "newest_us", "s.newest_us" },
		                           { "displayname", "coalesce(r.our_displayname, t.displayname)" },
		                           { "header", "coalesce(r.our_header, t.header)" },
		                           { "purpose", "coalesce(r.our_purpose, t.purpose)" },
		                           { NULL, NULL } };
	const struct change_update steps[] = {
		{ "channels", texts, "ark_retitled r", WHICH },
		{ "publicchannels", mirror, "ark_retitled r", WHICH },
		{ "matterark.slack_channel", ours,
		  "ark_stage_slack_channel s LEFT JOIN ark_retitled r USING (workspace, slack_id)",
		  "t.workspace = s.workspace AND t.slack_id = s.slack_id AND (s.newest_us > t.newest_us OR "
		  "(t.displayname, t.header, t.purpose) IS DISTINCT FROM (coalesce(r.our_displayname, "
		  "t.displayname), coalesce(r.our_header, t.header), coalesce(r.our_purpose, t.purpose)))" },
	};
	enum ark_rc rc = merge_make(conn, "ark_retitled",
	                            "SELECT k.workspace, k.slack_id, k.channel_id, " TEXT_OF("displayname") ", "
	                            TEXT_OF("header") ", " TEXT_OF("purpose") ", " STAYS("displayname") " OR "
	                            STAYS("header") " OR " STAYS("purpose") " AS stays FROM "
	                            "ark_stage_slack_channel s JOIN matterark.slack_channel k USING (workspace, "
	                            "slack_id) JOIN channels c ON c.id = k.channel_id WHERE c.type::text NOT IN "
	                            "('D', 'G') AND (s.displayname, s.header, s.purpose) <> (k.displayname, "
	                            "k.header, k.purpose) AND " NEWER, err);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == ARK_OK; i++)
		rc = change_update(conn, l->run_no, &steps[i], i < 2 ? &out->rows_written : NULL, err);
	return rc == ARK_OK ? count(conn, "SELECT count(*) FROM ark_retitled WHERE stays",
	                            &out->channels_kept, err) : rc;
}

/* ---- archiving ---- */

/* Only a channel that nobody has written in here, and that is as archived as we left it. */
static enum ark_rc follow_archiving(struct load *l, struct db_conn *conn, const char *now,
                                    struct load_outcome *out, struct ark_err *err)
{
	const struct change_set state[] = { { "deleteat", "r.archived" }, { "updateat", now }, { NULL, NULL } };
	const struct change_set mirror[] = { { "deleteat", "r.archived" }, { NULL, NULL } };
	const struct change_set ours[] = { { "archived", "r.archived" }, { NULL, NULL } };
	const struct change_update steps[] = {
		{ "channels", state, "ark_rearchived r", "t.id = r.channel_id AND r.ours" },
		{ "publicchannels", mirror, "ark_rearchived r", "t.id = r.channel_id AND r.ours" },
		{ "matterark.slack_channel", ours, "ark_rearchived r",
		  "t.channel_id = r.channel_id AND t.workspace = r.workspace AND r.ours" },
	};
	enum ark_rc rc = merge_make(conn, "ark_rearchived",
	                            "SELECT DISTINCT ON (k.channel_id) k.workspace, k.channel_id, s.archived, "
	                            "c.deleteat = k.archived AND NOT EXISTS (SELECT 1 FROM posts p WHERE "
	                            "p.channelid = c.id AND NOT EXISTS (SELECT 1 FROM matterark.slack_post w "
	                            "WHERE w.post_id = p.id)) AS ours FROM ark_stage_slack_channel s JOIN "
	                            "matterark.slack_channel k USING (workspace, slack_id) JOIN channels c ON "
	                            "c.id = k.channel_id WHERE (s.archived > 0) <> (k.archived > 0) AND " NEWER
	                            " ORDER BY k.channel_id", err);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == ARK_OK; i++)
		rc = change_update(conn, l->run_no, &steps[i], i < 2 ? &out->rows_written : NULL, err);
	return rc == ARK_OK ? count(conn, "SELECT count(*) FROM ark_rearchived WHERE NOT ours",
	                            &out->channels_kept, err) : rc;
}

/* ---- leaving ---- */

/* People who were deactivated in Slack since, by the accounts that an import made for them. */
static void leavers(const struct load *l, struct ark_buf *values)
{
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		const struct slack_person *p = &l->x->people.list[i];
		if (p->ours && p->active && p->listed && p->deleted && !p->merged)
			ark_buf_fmt(values, "%s('%s')", values->len > 0 ? ", " : "", p->mm_id);
	}
}

/* An archive that is older than the last one knows nothing new about people. */
#define NOT_OLDER                                                                                  \
	"(SELECT max(newest_us) FROM ark_stage_slack_channel) >= (SELECT max(k.newest_us) FROM "    \
	"matterark.slack_channel k WHERE k.workspace = (SELECT max(workspace) FROM "                \
	"ark_stage_slack_channel))"

/* Only an account that never signed in: everybody else decides here. */
static enum ark_rc follow_leaving(struct load *l, struct db_conn *conn, const char *now, bool has_login,
                                  struct load_outcome *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf values;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&values, LIMIT_SQL);
	ark_buf_init(&sql, LIMIT_SQL);
	leavers(l, &values);
	if (values.len == 0)
		return ARK_OK;
	const struct change_set gone[] = { { "deleteat", now }, { "updateat", now }, { NULL, NULL } };
	const struct change_update steps[] = {
		{ "users", gone, "ark_leaver r", "t.id = r.id AND r.ours" },
		{ "bots", gone, "ark_leaver r", "t.userid = r.id AND r.ours" },
	};
	ark_buf_fmt(&sql,
	            "SELECT u.id, NOT EXISTS (SELECT 1 FROM sessions x WHERE x.userid = u.id) AND NOT EXISTS "
	            "(SELECT 1 FROM status x WHERE x.userid = u.id)%s AS ours FROM (VALUES %.*s) AS v (id) JOIN "
	            "users u ON u.id = v.id WHERE u.deleteat = 0 AND " NOT_OLDER,
	            has_login ? " AND u.lastlogin = 0" : "", ARK_FMT(ark_buf_view(&values)));
	enum ark_rc rc = merge_make(conn, "ark_leaver", sql.data, err);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == ARK_OK; i++)
		rc = change_update(conn, l->run_no, &steps[i], &out->rows_written, err);
	if (rc == ARK_OK)
		rc = count(conn, "SELECT count(*) FROM ark_leaver WHERE ours", &out->users_deactivated, err);
	return rc == ARK_OK ? count(conn, "SELECT count(*) FROM ark_leaver WHERE NOT ours", &out->users_kept,
	                            err) : rc;
}

enum ark_rc follow_slack(struct load *l, struct db_conn *conn, const struct sink *s,
                         struct load_outcome *out, struct ark_err *err)
{
	char now[DB_NUM];
	db_num(l->start_ms, now);
	enum ark_rc rc = follow_leaving(l, conn, now, sink_has(s, SINK_USERS, "lastlogin"), out, err);
	if (rc == ARK_OK)
		rc = follow_texts(l, conn, now, out, err);
	if (rc == ARK_OK)
		rc = follow_archiving(l, conn, now, out, err);
	return rc == ARK_OK ? count(conn, "SELECT count(*) FROM ark_older", &out->channels_older, err) : rc;
}

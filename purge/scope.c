#include "purge/scope.h"

#include <fnmatch.h>

#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

/* Behind "{a,b}". An id that a server made is of letters and digits; nothing else gets into a statement. */
static enum ark_rc add_id(struct ark_buf *ids, struct ark_str id, struct ark_err *err)
{
	for (size_t i = 0; i < id.len; i++)
		if ((id.ptr[i] < 'a' || id.ptr[i] > 'z') && (id.ptr[i] < '0' || id.ptr[i] > '9'))
			return ark_err_set(err, ARK_KIND_REFUSED, "the database has the id '%.*s', which is none", ARK_FMT(id));
	if (ids->len == 0)
		ark_buf_z(ids, "{}");
	ark_buf_cut(ids, ids->len - 1);
	ark_buf_fmt(ids, "%s%.*s}", ids->len > 1 ? "," : "", ARK_FMT(id));
	return ark_buf_ok(ids, "the list of ids", err);
}

static bool matches(const char *glob, struct ark_str id, const char *name, const char *qualified, bool of_team)
{
	if (ark_str_eqz(id, glob))
		return true;
	return of_team && fnmatch(glob, strchr(glob, '/') != NULL ? qualified : name, 0) == 0;
}

enum ark_rc purge_channels_named(struct db_conn *conn, const char *glob, struct ark_buf *ids, size_t *count,
                                 struct ark_err *err)
{
	size_t n = 0;
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_auto(ark_buf_release) struct ark_buf qualified;
	ark_buf_init(&name, 1u << 16);
	ark_buf_init(&qualified, 1u << 16);
	enum ark_rc rc = db_stream_begin(conn,
	                                 "SELECT c.id, c.name, coalesce(t.name, ''), c.type::text NOT IN ('D', 'G') FROM "
	                                 "channels c LEFT JOIN teams t ON t.id = c.teamid", DB_NO_PARAMS, err);
	const struct db_result *row;
	while (rc == ARK_OK && (rc = db_stream_next(conn, &row, err)) == ARK_OK) {
		ark_buf_reset(&name);
		ark_buf_reset(&qualified);
		ark_buf_str(&name, db_value(row, 0, 1));
		ark_buf_fmt(&qualified, "%.*s/%s", ARK_FMT(db_value(row, 0, 2)), name.data);
		if (!matches(glob, db_value(row, 0, 0), name.data, qualified.data, db_bool(row, 0, 3)))
			continue;
		rc = add_id(ids, db_value(row, 0, 0), err);
		n++;
	}
	if (rc < 0) {
		db_stream_end(conn);
		return rc;
	}
	*count = n;
	return ARK_OK;
}

enum ark_rc purge_user_named(struct db_conn *conn, const char *name, struct ark_buf *id, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn, "SELECT id FROM users WHERE username = lower($1) OR id = $1",
	                          DB_PARAMS(ark_str_z(name[0] == '@' ? name + 1 : name)), &res, err);
	if (rc < 0)
		return rc;
	if (db_rows(res) == 0)
		return ARK_END;
	ark_buf_str(id, db_value(res, 0, 0));
	return ARK_OK;
}

void purge_scope_init(struct purge_scope *s)
{
	*s = (struct purge_scope){ 0 };
	ark_buf_init(&s->channels, LIMIT_SQL / 8);
	ark_buf_init(&s->users, LIMIT_SQL / 8);
	purge_hold_init(&s->hold);
}

void purge_scope_release(struct purge_scope *s)
{
	ark_buf_release(&s->channels);
	ark_buf_release(&s->users);
	purge_hold_release(&s->hold);
}

enum ark_rc purge_scope_names(struct purge_scope *s, struct db_conn *conn, const struct ark_list *channels,
                              const struct ark_list *users, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < channels->count && rc == ARK_OK; i++) {
		size_t n = 0;
		rc = purge_channels_named(conn, channels->items[i], &s->channels, &n, err);
		if (rc == ARK_OK && n == 0)
			return ark_err_set(err, ARK_KIND_USAGE, "no channel matches '%s'", channels->items[i]);
	}
	ark_auto(ark_buf_release) struct ark_buf id;
	ark_buf_init(&id, 256);
	for (size_t i = 0; i < users->count && rc == ARK_OK; i++) {
		ark_buf_reset(&id);
		rc = purge_user_named(conn, users->items[i], &id, err);
		if (rc == ARK_END)
			return ark_err_set(err, ARK_KIND_USAGE, "there is no user '%s'", users->items[i]);
		rc = rc == ARK_OK ? add_id(&s->users, ark_buf_view(&id), err) : rc;
	}
	return rc;
}

void purge_scope_narrow(const struct purge_scope *s, const char *alias, struct ark_buf *sql)
{
	ark_buf_z(sql, "(true");
	if (s->channels.len > 0)
		ark_buf_fmt(sql, " AND %s.channelid = ANY ('%s'::varchar[])", alias, s->channels.data);
	if (s->users.len > 0)
		ark_buf_fmt(sql, " AND %s.userid = ANY ('%s'::varchar[])", alias, s->users.data);
	ark_buf_c(sql, ')');
}

void purge_scope_deleted(const struct purge_scope *s, const char *alias, struct ark_buf *sql)
{
	if (s->deleted_before.has)
		ark_buf_fmt(sql, "(%s.deleteat > 0 AND %s.deleteat < %lld)", alias, alias, (long long)s->deleted_before.ms);
	else
		ark_buf_z(sql, "false");
}

void purge_scope_old(const struct purge_scope *s, const char *alias, struct ark_buf *sql)
{
	if (s->older_than.has)
		ark_buf_fmt(sql, "(%s.createat < %lld)", alias, (long long)s->older_than.ms);
	else
		ark_buf_z(sql, "false");
}

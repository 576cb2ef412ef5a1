#include "purge/hold.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/db/text.h"
#include "purge/scope.h"

#include "common/base/banned.h"

#define WORDS 6 /* user NAME since TIME until TIME */
#define LINE 1024

void purge_hold_init(struct purge_hold *h)
{
	ark_buf_init(&h->sql, LIMIT_SQL / 8);
}

void purge_hold_release(struct purge_hold *h)
{
	ark_buf_release(&h->sql);
}

struct line {
	char *words[WORDS];
	size_t count;
	int64_t now_ms;
};

static enum ark_rc bad(struct ark_err *err, const char *what)
{
	ark_err_set(err, ARK_KIND_USAGE, "%s", what);
	ark_err_hint(err, "a line is 'user NAME', 'channel GLOB', 'post ID' or 'all', with 'since TIME' and 'until TIME' "
	                  "behind it");
	return ARK_FAIL;
}

/* Cuts `text` at blanks, up to a '#' at the beginning of a word. */
static enum ark_rc split(char *text, struct line *line, struct ark_err *err)
{
	static const char BLANKS[] = " \t\r\n";
	for (char *at = text + strspn(text, BLANKS); *at != '\0' && *at != '#'; at += strspn(at, BLANKS)) {
		if (line->count == WORDS)
			return bad(err, "too many words");
		line->words[line->count++] = at;
		at += strcspn(at, BLANKS);
		if (*at != '\0')
			*at++ = '\0';
	}
	return ARK_OK;
}

/* " AND @.createat >= ..." from the words at `from`. */
static enum ark_rc add_times(struct purge_hold *h, const struct line *line, size_t from, struct ark_err *err)
{
	for (size_t i = from; i < line->count; i += 2) {
		bool since = strcmp(line->words[i], "since") == 0;
		int64_t ms = 0;
		if (!since && strcmp(line->words[i], "until") != 0)
			return bad(err, "'since' or 'until' should stand behind what is held");
		if (i + 1 == line->count)
			return bad(err, "a time is missing");
		enum ark_rc rc = ark_time_parse(ark_str_z(line->words[i + 1]), line->now_ms, &ms, err);
		if (rc < 0)
			return rc;
		ark_buf_fmt(&h->sql, " AND @.createat %s %lld", since ? ">=" : "<", (long long)ms);
	}
	return ARK_OK;
}

static enum ark_rc add_user(struct purge_hold *h, const char *name, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf id;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_buf_init(&id, 256);
	enum ark_rc rc = purge_user_named(conn, name, &id, err);
	if (rc == ARK_END)
		return ark_err_set(err, ARK_KIND_USAGE, "there is no user '%s'", name);
	if (rc == ARK_OK)
		rc = db_query_one(conn,
		                  "SELECT coalesce(array_agg(c.id), '{}') FROM channels c WHERE c.type::text IN ('D', 'G') "
		                  "AND (c.id IN (SELECT channelid FROM channelmembers WHERE userid = $1) OR c.id IN (SELECT "
		                  "channelid FROM channelmemberhistory WHERE userid = $1))", DB_PARAMS(ark_buf_view(&id)),
		                  &res, err);
	if (rc < 0)
		return rc;
	ark_buf_z(&h->sql, "(@.userid = ");
	db_literal(&h->sql, ark_buf_view(&id));
	ark_buf_z(&h->sql, " OR @.channelid = ANY (");
	db_literal(&h->sql, db_value(res, 0, 0));
	ark_buf_z(&h->sql, "::varchar[]))");
	return ARK_OK;
}

static enum ark_rc add_channels(struct purge_hold *h, const char *glob, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf ids;
	ark_buf_init(&ids, LIMIT_SQL / 8);
	size_t n = 0;
	enum ark_rc rc = purge_channels_named(conn, glob, &ids, &n, err);
	if (rc < 0)
		return rc;
	if (n == 0)
		return ark_err_set(err, ARK_KIND_USAGE, "no channel matches '%s'", glob);
	ark_buf_fmt(&h->sql, "@.channelid = ANY ('%s'::varchar[])", ids.data);
	return ARK_OK;
}

static enum ark_rc add_post(struct purge_hold *h, const char *id, struct ark_err *err)
{
	if (strlen(id) != MM_ID_LEN || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789") != MM_ID_LEN)
		return bad(err, "that is no message's id");
	ark_buf_fmt(&h->sql, "@.id = '%s'", id);
	return ARK_OK;
}

static enum ark_rc add_line(struct purge_hold *h, const struct line *line, struct db_conn *conn, struct ark_err *err)
{
	const char *kind = line->words[0];
	bool all = strcmp(kind, "all") == 0;
	enum ark_rc rc = ARK_OK;
	if (!all && line->count < 2)
		return bad(err, "what is held is missing");
	ark_buf_z(&h->sql, h->sql.len > 0 ? " OR (" : "(");
	if (all)
		ark_buf_z(&h->sql, "true");
	else if (strcmp(kind, "user") == 0)
		rc = add_user(h, line->words[1], conn, err);
	else if (strcmp(kind, "channel") == 0)
		rc = add_channels(h, line->words[1], conn, err);
	else if (strcmp(kind, "post") == 0)
		rc = add_post(h, line->words[1], err);
	else
		return bad(err, "this says nothing that is known");
	if (rc == ARK_OK)
		rc = add_times(h, line, all ? 1 : 2, err);
	ark_buf_c(&h->sql, ')');
	return rc == ARK_OK ? ark_buf_ok(&h->sql, "what is held", err) : rc;
}

static void close_file(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

enum ark_rc purge_hold_read(struct purge_hold *h, const char *path, struct db_conn *conn, int64_t now_ms,
                            struct ark_err *err)
{
	ark_auto(close_file) FILE *f = fopen(path, "re");
	if (f == NULL && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no file '%s'", path);
	if (f == NULL)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	char text[LINE];
	for (size_t n = 1; fgets(text, sizeof(text), f) != NULL; n++) {
		struct line line = { .now_ms = now_ms };
		enum ark_rc rc = strlen(text) + 1 == sizeof(text) && strchr(text, '\n') == NULL
		                     ? bad(err, "the line is too long")
		                     : split(text, &line, err);
		if (rc == ARK_OK && line.count > 0)
			rc = add_line(h, &line, conn, err);
		if (rc < 0)
			return ark_err_in(err, rc, "hold '%s': line %zu", path, n);
	}
	return ferror(f) ? ark_err_errno(err, errno, "cannot read '%s'", path) : ARK_OK;
}

void purge_hold_sql(const struct purge_hold *h, const char *alias, struct ark_buf *out)
{
	if (h->sql.len == 0) {
		ark_buf_z(out, "false");
		return;
	}
	ark_buf_c(out, '(');
	for (size_t i = 0; i < h->sql.len; i++)
		if (h->sql.data[i] == '@')
			ark_buf_z(out, alias);
		else
			ark_buf_c(out, h->sql.data[i]);
	ark_buf_c(out, ')');
}

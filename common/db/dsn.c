/*
 * Why not leave it all to libpq: it refuses names with one unknown parameter, and its messages
 * quote what they could not read, which may be half a password. Only host, port and database of a
 * URI are given to its parser.
 */
#include "common/db/dsn.h"

#include <libpq-fe.h>
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

struct db_dsn {
	size_t count;
	char *keys[DB_DSN_KEYS];
	char *values[DB_DSN_KEYS];
};

/* The driver's own; they say how it talks, nothing about the server. */
static const char *const DROPPED[] = {
	"binary_parameters",
	"disable_prepared_binary_result",
	"krbspn",
};

static enum ark_rc bad(struct ark_err *err, const char *what)
{
	ark_err_set(err, ARK_KIND_USAGE, "cannot read the data source name: %s", what);
	ark_err_hint(err, "write postgres://USER:PASSWORD@HOST:PORT/DATABASE with : / ? # @ %% in user "
	                  "and password percent-encoded, or host=... dbname=... user=...");
	return ARK_FAIL;
}

/* --- keywords -------------------------------------------------------------------------------- */

/* libpq's keyword list; `dispchar` of a known keyword ("*" for secrets), NULL for an unknown one. */
static const char *keyword_display(PQconninfoOption *all, const char *key)
{
	for (PQconninfoOption *o = all; o->keyword != NULL; o++)
		if (strcmp(o->keyword, key) == 0)
			return o->dispchar != NULL ? o->dispchar : "";
	return NULL;
}

static const char *keyword_value(PQconninfoOption *all, const char *key)
{
	for (PQconninfoOption *o = all; o->keyword != NULL; o++)
		if (strcmp(o->keyword, key) == 0)
			return o->val;
	return NULL;
}

static void conninfo_freep(PQconninfoOption **list)
{
	PQconninfoFree(*list);
	*list = NULL;
}

static PQconninfoOption *keyword_list(void)
{
	PQconninfoOption *all = PQconndefaults();
	if (all == NULL)
		ark_bug("libpq has no keyword list");
	return all;
}

static bool is_secret(PQconninfoOption *all, const char *key)
{
	const char *display = keyword_display(all, key);
	return display != NULL && display[0] == '*';
}

/* --- the list -------------------------------------------------------------------------------- */

void db_dsn_free(struct db_dsn *dsn)
{
	if (dsn == NULL)
		return;
	for (size_t i = 0; i < dsn->count; i++) {
		free(dsn->keys[i]);
		free(dsn->values[i]);
	}
	free(dsn);
}

void db_dsn_freep(struct db_dsn **dsn)
{
	db_dsn_free(*dsn);
	*dsn = NULL;
}

static size_t find(const struct db_dsn *dsn, const char *key)
{
	size_t i = 0;
	while (i < dsn->count && strcmp(dsn->keys[i], key) != 0)
		i++;
	return i;
}

struct ark_str db_dsn_part(const struct db_dsn *dsn, const char *key)
{
	size_t i = find(dsn, key);
	return i < dsn->count ? ark_str_z(dsn->values[i]) : ARK_STR_NONE;
}

static void remove_at(struct db_dsn *dsn, size_t i)
{
	free(dsn->keys[i]);
	free(dsn->values[i]);
	dsn->count--;
	memmove(dsn->keys + i, dsn->keys + i + 1, (dsn->count - i) * sizeof(dsn->keys[0]));
	memmove(dsn->values + i, dsn->values + i + 1, (dsn->count - i) * sizeof(dsn->values[0]));
}

void db_dsn_set(struct db_dsn *dsn, const char *key, struct ark_str value)
{
	size_t i = find(dsn, key);
	char *copy = ark_str_has(value) ? ark_strdup(value) : NULL;
	if (i < dsn->count)
		remove_at(dsn, i);
	if (copy == NULL)
		return;
	if (dsn->count == DB_DSN_KEYS)
		ark_bug("more than %d parameters", DB_DSN_KEYS);
	dsn->keys[dsn->count] = ark_strdupz(key);
	dsn->values[dsn->count++] = copy;
}

size_t db_dsn_pairs(const struct db_dsn *dsn, const char **keys, const char **values, size_t cap)
{
	size_t n = dsn->count < cap ? dsn->count : cap;
	for (size_t i = 0; i < n; i++) {
		keys[i] = dsn->keys[i];
		values[i] = dsn->values[i];
	}
	return n;
}

/* `options` may be said, and settings add to it, in any order. */
static void add_option_text(struct db_dsn *dsn, struct ark_str text)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 4 * LIMIT_DSN);
	struct ark_str old = db_dsn_part(dsn, "options");
	if (ark_str_has(old))
		ark_buf_fmt(&b, "%s ", old.ptr);
	ark_buf_str(&b, text);
	db_dsn_set(dsn, "options", ark_buf_view(&b));
}

/* A server setting: one more -c, blanks and backslashes escaped as `options` wants it. */
static void add_setting(struct db_dsn *dsn, const char *key, struct ark_str value)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 4 * LIMIT_DSN);
	ark_buf_fmt(&b, "-c %s=", key);
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == ' ' || value.ptr[i] == '\\')
			ark_buf_c(&b, '\\');
		ark_buf_c(&b, value.ptr[i]);
	}
	add_option_text(dsn, ark_buf_view(&b));
}

static bool is_setting_name(const char *key)
{
	for (const char *p = key; *p != '\0'; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
		    !(*p >= '0' && *p <= '9') && *p != '_' && *p != '.')
			return false;
	return key[0] != '\0';
}

static enum ark_rc add_pair(struct db_dsn *dsn, PQconninfoOption *all, const char *key,
                            struct ark_str value, struct ark_err *err)
{
	for (size_t i = 0; i < sizeof(DROPPED) / sizeof(DROPPED[0]); i++)
		if (strcmp(DROPPED[i], key) == 0)
			return ARK_OK;
	if (strcmp(key, "sslinline") == 0) {
		if (!ark_str_eqz(value, "true"))
			return ARK_OK;
		ark_err_set(err, ARK_KIND_USAGE,
		            "the data source name holds certificates itself (sslinline)");
		ark_err_hint(err, "put them into files and name these with sslcert, sslkey, sslrootcert");
		return ARK_FAIL;
	}
	if (strcmp(key, "ssl") == 0 && ark_str_eqz(value, "true")) {
		key = "sslmode"; /* as libpq reads this one */
		value = ARK_LIT("require");
	}
	if (!is_setting_name(key))
		return bad(err, "a parameter has a name that cannot be one");
	if (find(dsn, key) == dsn->count && dsn->count + 4 > DB_DSN_KEYS)
		return bad(err, "too many parameters");
	if (keyword_display(all, key) == NULL)
		add_setting(dsn, key, value);
	else if (strcmp(key, "options") == 0)
		add_option_text(dsn, value);
	else
		db_dsn_set(dsn, key, value);
	return ARK_OK;
}

/* --- URI ------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool percent_decode(struct ark_buf *out, struct ark_str s, bool plus_is_blank)
{
	ark_buf_reset(out);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '%') {
			int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
			int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
			if (high < 0 || low < 0 || high + low == 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		ark_buf_c(out, c);
	}
	return true;
}

static enum ark_rc uri_person(struct db_dsn *dsn, struct ark_str info, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, LIMIT_DSN);
	size_t colon = ark_str_find(info, ':', 0);
	struct ark_str user = colon < info.len ? ark_str_first(info, colon) : info;
	if (!percent_decode(&b, user, false))
		return bad(err, "a '%' in the user name is not followed by two hex digits");
	if (b.len > 0)
		db_dsn_set(dsn, "user", ark_buf_view(&b));
	if (colon >= info.len)
		return ARK_OK;
	if (!percent_decode(&b, ark_str_from(info, colon + 1), false))
		return bad(err, "a '%' in the password is not followed by two hex digits");
	if (b.len > 0)
		db_dsn_set(dsn, "password", ark_buf_view(&b));
	return ARK_OK;
}

/* What stands between user and query: libpq knows about several hosts and about IPv6. */
static enum ark_rc uri_place(struct db_dsn *dsn, struct ark_str place, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, LIMIT_DSN + 16);
	ark_buf_z(&b, "postgres://");
	ark_buf_str(&b, place);
	char *message = NULL;
	ark_auto(conninfo_freep) PQconninfoOption *all = PQconninfoParse(b.data, &message);
	PQfreemem(message);
	if (all == NULL)
		return bad(err, "host, port or database");
	static const char *const PARTS[] = { "host", "port", "dbname" };
	for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
		const char *value = keyword_value(all, PARTS[i]);
		if (value != NULL)
			db_dsn_set(dsn, PARTS[i], ark_str_z(value));
	}
	return ARK_OK;
}

static enum ark_rc uri_query(struct db_dsn *dsn, PQconninfoOption *all, struct ark_str query,
                             bool plus_is_blank, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf key, value;
	ark_buf_init(&key, LIMIT_DSN);
	ark_buf_init(&value, LIMIT_DSN);
	while (query.len > 0) {
		size_t end = ark_str_find(query, '&', 0);
		struct ark_str pair = end < query.len ? ark_str_first(query, end) : query;
		query = ark_str_from(query, end < query.len ? end + 1 : query.len);
		if (pair.len == 0)
			continue;
		size_t eq = ark_str_find(pair, '=', 0);
		if (eq >= pair.len)
			return bad(err, "a parameter has no '='");
		if (!percent_decode(&key, ark_str_first(pair, eq), plus_is_blank) ||
		    !percent_decode(&value, ark_str_from(pair, eq + 1), plus_is_blank))
			return bad(err, "a '%' in a parameter is not followed by two hex digits");
		enum ark_rc rc = add_pair(dsn, all, key.data, ark_buf_view(&value), err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

static size_t find_any(struct ark_str s, const char *set)
{
	size_t i = 0;
	while (i < s.len && strchr(set, s.ptr[i]) == NULL)
		i++;
	return i;
}

static enum ark_rc parse_uri(struct db_dsn *dsn, PQconninfoOption *all, struct ark_str rest,
                             enum db_dsn_kind kind, struct ark_err *err)
{
	struct ark_str authority = ark_str_first(rest, find_any(rest, "/?"));
	size_t at = authority.len;
	while (at > 0 && authority.ptr[at - 1] != '@')
		at--;
	enum ark_rc rc = ARK_OK;
	if (at > 0)
		rc = uri_person(dsn, ark_str_first(rest, at - 1), err);
	rest = ark_str_from(rest, at);
	size_t mark = find_any(rest, "?");
	if (rc == ARK_OK)
		rc = uri_place(dsn, ark_str_first(rest, mark), err);
	if (rc == ARK_OK && mark < rest.len)
		rc = uri_query(dsn, all, ark_str_from(rest, mark + 1), kind == DB_DSN_MATTERMOST, err);
	return rc;
}

/* --- key=value ------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static size_t skip_blanks(struct ark_str s, size_t at)
{
	while (at < s.len && is_blank(s.ptr[at]))
		at++;
	return at;
}

/* The value at `at`, with or without quotes; false when a quote is not closed. */
static bool take_value(struct ark_str s, size_t *at, struct ark_buf *value)
{
	bool quoted = *at < s.len && s.ptr[*at] == '\'';
	size_t i = *at + quoted;
	ark_buf_reset(value);
	for (; i < s.len; i++) {
		if (quoted ? s.ptr[i] == '\'' : is_blank(s.ptr[i]))
			break;
		if (s.ptr[i] == '\\' && ++i == s.len)
			break;
		ark_buf_c(value, s.ptr[i]);
	}
	if (quoted && i == s.len)
		return false;
	*at = i + quoted;
	return true;
}

static enum ark_rc parse_pairs(struct db_dsn *dsn, PQconninfoOption *all, struct ark_str s,
                               struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf key, value;
	ark_buf_init(&key, LIMIT_DSN);
	ark_buf_init(&value, LIMIT_DSN);
	for (size_t at = skip_blanks(s, 0); at < s.len; at = skip_blanks(s, at)) {
		ark_buf_reset(&key);
		while (at < s.len && s.ptr[at] != '=' && !is_blank(s.ptr[at]))
			ark_buf_c(&key, s.ptr[at++]);
		at = skip_blanks(s, at);
		if (at == s.len || s.ptr[at] != '=')
			return bad(err, "a word is followed by no '='");
		at = skip_blanks(s, at + 1);
		if (!take_value(s, &at, &value))
			return bad(err, "a quoted value has no end");
		enum ark_rc rc = add_pair(dsn, all, key.data, ark_buf_view(&value), err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

/* --- whole names ----------------------------------------------------------------------------- */

static void add_driver_defaults(struct db_dsn *dsn)
{
	if (!ark_str_has(db_dsn_part(dsn, "sslmode")) && getenv("PGSSLMODE") == NULL)
		db_dsn_set(dsn, "sslmode", ARK_LIT("require"));
	if (!ark_str_has(db_dsn_part(dsn, "host")) && !ark_str_has(db_dsn_part(dsn, "hostaddr")) &&
	    getenv("PGHOST") == NULL)
		db_dsn_set(dsn, "host", ARK_LIT("localhost"));
}

enum ark_rc db_dsn_parse(struct ark_str text, enum db_dsn_kind kind, struct db_dsn **out,
                         struct ark_err *err)
{
	struct ark_str s = ark_str_trim(text);
	if (s.len > LIMIT_DSN)
		return bad(err, "it is too long");
	if (s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL)
		return bad(err, "it holds a zero byte");
	ark_auto(db_dsn_freep) struct db_dsn *dsn = ark_calloc(1, sizeof(*dsn));
	ark_auto(conninfo_freep) PQconninfoOption *all = keyword_list();
	enum ark_rc rc;
	if (ark_str_starts(s, ARK_LIT("postgres://")))
		rc = parse_uri(dsn, all, ark_str_from(s, strlen("postgres://")), kind, err);
	else if (ark_str_starts(s, ARK_LIT("postgresql://")))
		rc = parse_uri(dsn, all, ark_str_from(s, strlen("postgresql://")), kind, err);
	else
		rc = parse_pairs(dsn, all, s, err);
	if (rc < 0)
		return rc;
	if (kind == DB_DSN_MATTERMOST)
		add_driver_defaults(dsn);
	*out = dsn;
	dsn = NULL;
	return ARK_OK;
}

static void add_value(struct ark_buf *out, const char *value)
{
	bool plain = value[0] != '\0' && strpbrk(value, " \t\n\r\f\v'\\") == NULL;
	if (plain) {
		ark_buf_z(out, value);
		return;
	}
	ark_buf_c(out, '\'');
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\'' || *p == '\\')
			ark_buf_c(out, '\\');
		ark_buf_c(out, *p);
	}
	ark_buf_c(out, '\'');
}

static void render(const struct db_dsn *dsn, bool masked, struct ark_buf *out)
{
	ark_auto(conninfo_freep) PQconninfoOption *all = keyword_list();
	for (size_t i = 0; i < dsn->count; i++) {
		ark_buf_fmt(out, "%s%s=", i > 0 ? " " : "", dsn->keys[i]);
		if (masked && is_secret(all, dsn->keys[i]))
			ark_buf_z(out, "***");
		else
			add_value(out, dsn->values[i]);
	}
}

void db_dsn_text(const struct db_dsn *dsn, struct ark_buf *out)
{
	render(dsn, false, out);
}

void db_dsn_masked(const struct db_dsn *dsn, struct ark_buf *out)
{
	render(dsn, true, out);
}

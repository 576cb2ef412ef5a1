#include "backup/restore/testinst.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/repo/inside_text.h"
#include "common/base/fail.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/password.h"
#include "common/json/small.h"
#include "common/repo/format.h"

#include "common/base/banned.h"

#define PROOF_BEGINS "\n-- The proof: "
#define RULES_MAX 200

void testinst_release(struct testinst *t)
{
	ark_buf_release(&t->config);
}

/* --- what people give ------------------------------------------------------------------------------------ */

static enum ark_rc slurp(const char *path, struct ark_buf *out, struct ark_err *err)
{
	ark_buf_init(out, LIMIT_REPO_SMALL);
	enum ark_rc rc = repo_file_slurp(path, out, err);
	return rc < 0 ? ark_err_in(err, rc, "'%s'", path) : rc;
}

static bool is_red(const char *theme)
{
	return theme == NULL || strcmp(theme, "RED") == 0;
}

/* The JSON of a theme on one line, as a preference holds it. */
static enum ark_rc read_theme(const struct testinst_options *opt, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(json_small_freep) struct json_small *doc = NULL;
	enum ark_rc rc = slurp(opt->theme, out, err);
	if (rc == ARK_OK)
		rc = json_small_parse(ark_buf_view(out), &doc, err);
	if (rc < 0)
		return ark_err_in(err, rc, "theme");
	if (!ark_str_has(json_small_str(doc, "sidebarHeaderBg")))
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is no theme: it has no sidebarHeaderBg", opt->theme);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r' || out->data[i] == '\t')
			out->data[i] = ' ';
	return ARK_OK;
}

/* The first line. */
static enum ark_rc read_password(const struct testinst_options *opt, struct ark_buf *out, struct ark_err *err)
{
	enum ark_rc rc = slurp(opt->password_file, out, err);
	if (rc < 0)
		return rc;
	struct ark_str line = ark_str_trim(ark_str_first(ark_buf_view(out), ark_str_find(ark_buf_view(out), '\n', 0)));
	memmove(out->data, line.ptr, line.len);
	ark_buf_cut(out, line.len);
	if (line.len == 0 || line.len > 72)
		return ark_err_set(err, ARK_KIND_USAGE, "the first line of '%s' is no password of 1 to 72 bytes", opt->password_file);
	return ARK_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **items;
	size_t count;
};

static void names_release(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static void closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* Paths of the files of the folder of rules that end like that, in order. */
static enum ark_rc rule_files(const char *folder, const char *end, struct names *out, struct ark_err *err)
{
	struct dirent *e;
	ark_auto(closedirp) DIR *d = opendir(folder);
	if (d == NULL)
		return ark_err_errno(err, errno, "cannot open the rules '%s'", folder);
	while ((e = readdir(d)) != NULL && out->count < RULES_MAX) {
		if (!ark_str_ends(ark_str_z(e->d_name), ark_str_z(end)) || e->d_name[0] == '.')
			continue;
		size_t size = strlen(folder) + strlen(e->d_name) + 2;
		char *path = ark_malloc(size);
		snprintf(path, size, "%s/%s", folder, e->d_name);
		out->items = ark_realloc(out->items, out->count + 1, sizeof(char *));
		out->items[out->count++] = path;
	}
	qsort(out->items, out->count, sizeof(char *), by_name);
	return ARK_OK;
}

static enum ark_rc check_rules(const char *folder, struct ark_err *err)
{
	ark_auto(names_release) struct names sql = { 0 }, json = { 0 };
	enum ark_rc rc = rule_files(folder, ".sql", &sql, err);
	if (rc == ARK_OK)
		rc = rule_files(folder, ".json", &json, err);
	if (rc == ARK_OK && sql.count + json.count == 0)
		return ark_err_set(err, ARK_KIND_USAGE, "there are no rules (*.sql, *.json) in '%s'", folder);
	for (size_t i = 0; rc == ARK_OK && i < json.count; i++) {
		ark_auto(json_small_freep) struct json_small *doc = NULL;
		rc = json_small_file(json.items[i], &doc, err);
		if (rc < 0)
			rc = ark_err_in(err, rc, "rules '%s'", json.items[i]);
	}
	return rc;
}

enum ark_rc testinst_check(const struct testinst_options *opt, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 }, secret = { 0 };
	enum ark_rc rc = is_red(opt->theme) ? ARK_OK : read_theme(opt, &text, err);
	if (rc == ARK_OK && opt->password_file != NULL)
		rc = read_password(opt, &secret, err);
	if (secret.data != NULL)
		explicit_bzero(secret.data, secret.len);
	if (rc == ARK_OK && opt->rules != NULL)
		rc = check_rules(opt->rules, err);
	if (rc == ARK_OK && opt->as.count > 0 && opt->password_file == NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "--as says who gets the password of --test-password-file, which is not there");
	return rc;
}

/* --- the rules ---------------------------------------------------------------------------------------------- */

static enum ark_rc set(struct db_conn *conn, const char *name, struct ark_str value, struct ark_err *err)
{
	return db_run(conn, "SELECT pg_catalog.set_config('matterark.' || $1, $2, false)", DB_PARAMS(ark_str_z(name), value), NULL,
	              err);
}

static enum ark_rc set_all(struct testinst *t, struct db_conn *conn, struct ark_err *err)
{
	const struct testinst_options *o = t->opt;
	ark_auto(ark_buf_release) struct ark_buf url, theme = { 0 }, files;
	ark_buf_init(&url, LIMIT_DSN);
	ark_buf_init(&files, LIMIT_DSN);
	enum ark_rc rc = set(conn, "neutralise", ark_str_z(t->target->temp_name), err);
	if (rc == ARK_OK)
		rc = set(conn, "snapshot", ark_str_z(t->snapshot), err);
	if (rc == ARK_OK && o->site_url != NULL)
		rc = set(conn, "site_url", ark_str_z(o->site_url), err);
	if (rc == ARK_OK && o->keep_licence)
		rc = set(conn, "keep_licence", ARK_LIT("on"), err);
	if (rc == ARK_OK && t->files != NULL) {
		ark_buf_fmt(&files, "%s/", t->files);
		rc = set(conn, "files", ark_buf_view(&files), err);
	}
	if (rc == ARK_OK && ark_str_has(t->bucket))
		rc = set(conn, "file_settings", t->bucket, err);
	if (rc == ARK_OK && !is_red(o->theme)) {
		rc = read_theme(o, &theme, err);
		if (rc == ARK_OK)
			rc = set(conn, "theme", ark_buf_view(&theme), err);
	}
	if (rc == ARK_OK)
		rc = target_mattermost(t->target, &url, err);
	if (rc == ARK_OK)
		rc = set(conn, "data_source", ark_buf_view(&url), err);
	explicit_bzero(url.data, url.len);
	return rc;
}

/* Rules for the configuration, one list behind the other. */
static enum ark_rc add_json(struct db_conn *conn, const char *path, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	enum ark_rc rc = slurp(path, &text, err);
	if (rc == ARK_OK)
		rc = db_run(conn,
		            "SELECT set_config('matterark.rules', (SELECT jsonb_object_agg(k, coalesce(old -> k, '[]') || "
		            "coalesce(new -> k, '[]')) FROM unnest(array['remove', 'set', 'blank']) k)::text, false) FROM (SELECT "
		            "coalesce(nullif(current_setting('matterark.rules', true), ''), '{}')::jsonb old, $1::jsonb new) x",
		            DB_PARAMS(ark_buf_view(&text)), NULL, err);
	return rc < 0 ? ark_err_in(err, rc, "rules '%s'", path) : rc;
}

static enum ark_rc run_sql(struct db_conn *conn, const char *path, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	enum ark_rc rc = slurp(path, &text, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, text.data, err);
	return rc < 0 ? ark_err_in(err, rc, "rules '%s'", path) : rc;
}

static enum ark_rc each_rule(const struct testinst *t, struct db_conn *conn, const char *end,
                             enum ark_rc (*run)(struct db_conn *conn, const char *path, struct ark_err *err),
                             struct ark_err *err)
{
	ark_auto(names_release) struct names files = { 0 };
	if (t->opt->rules == NULL)
		return ARK_OK;
	enum ark_rc rc = rule_files(t->opt->rules, end, &files, err);
	for (size_t i = 0; i < files.count && rc == ARK_OK; i++)
		rc = run(conn, files.items[i], err);
	return rc;
}

/* --- people --------------------------------------------------------------------------------------------------- */

static enum ark_rc set_password(const struct testinst_options *o, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf password = { 0 };
	char hash[CRYPT_BCRYPT_LEN + 1];
	enum ark_rc rc = read_password(o, &password, err);
	if (rc == ARK_OK)
		rc = crypt_password_hash(password.data, hash, err);
	if (password.data != NULL)
		explicit_bzero(password.data, password.len);
	return rc == ARK_OK ? set(conn, "password", ark_str_z(hash), err) : rc;
}

static enum ark_rc people(const struct testinst *t, struct db_conn *conn, struct ark_err *err)
{
	const struct testinst_options *o = t->opt;
	ark_auto(ark_buf_release) struct ark_buf as;
	ark_buf_init(&as, LIMIT_REPO_SMALL);
	ark_buf_c(&as, '[');
	for (size_t i = 0; i < o->as.count; i++) {
		ark_buf_z(&as, i > 0 ? ", " : "");
		ark_buf_json(&as, ark_str_z(o->as.items[i]));
	}
	ark_buf_c(&as, ']');
	enum ark_rc rc = o->password_file != NULL ? set_password(o, conn, err) : ARK_OK;
	if (rc == ARK_OK)
		rc = set(conn, "as", ark_buf_view(&as), err);
	if (rc == ARK_OK && (o->mask || o->mask_text))
		rc = set(conn, "mask", ARK_LIT("on"), err);
	if (rc == ARK_OK && o->mask_text)
		rc = set(conn, "mask_text", ARK_LIT("on"), err);
	return rc == ARK_OK ? db_exec(conn, INSIDE_PEOPLE_SQL, err) : rc;
}

/* --- proof ---------------------------------------------------------------------------------------------------- */

static const char PROOF_SQL[] =
    "SELECT 1, kind, place, what, n FROM pg_temp.ark_proof WHERE kind = 'zero' UNION ALL "
    "SELECT 2, kind, place, what, n FROM pg_temp.ark_proof WHERE kind = 'configuration' UNION ALL "
    "SELECT 3, 'table', place, CASE WHEN count(*) > 10 THEN count(*) || ' hosts' ELSE string_agg(what, ', ' ORDER BY what) END, "
    "sum(n)::int8 FROM pg_temp.ark_proof WHERE kind = 'table' GROUP BY place ORDER BY 1, 3, 4";

static enum ark_rc tell_proof(struct testinst *t, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn, PROOF_SQL, DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		static const char *const KINDS[] = { "zero", "configuration", "table" };
		struct testinst_proof line = { .kind = KINDS[db_i64(res, i, 0) - 1], .place = db_value(res, i, 2),
			                       .what = db_value(res, i, 3), .number = db_i64(res, i, 4) };
		t->take(t->ctx, &line);
	}
	return rc;
}

/* Variables of production's environment beat every configuration. */
static enum ark_rc tell_environment(struct testinst *t, struct repo *repo, struct ark_err *err)
{
	const struct repo_part *p = repo_part_find(t->contents, REPO_PART_ENVIRON, NULL);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_SMALL_JSON);
	enum ark_rc rc = p != NULL ? repo_read(repo, &p->id, &text, err) : ARK_OK;
	struct ark_str rest = ark_buf_view(&text);
	while (rc == ARK_OK && rest.len > 0) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str name = ark_str_first(rest, end);
		name = ark_str_first(name, ark_str_find(name, '=', 0));
		if (ark_str_starts(name, ARK_LIT("MM_")))
			t->take(t->ctx, &(struct testinst_proof){ .kind = "environment", .place = ARK_LIT("environment"), .what = name });
		rest = end == SIZE_MAX ? ark_str_from(rest, rest.len) : ark_str_from(rest, end + 1);
	}
	return rc;
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

/* The first configuration of the snapshot, neutralised; of one without any, what the rules alone make. */
static enum ark_rc make_config(struct testinst *t, struct db_conn *conn, struct repo *repo, struct ark_err *err)
{
	const struct repo_part *p = repo_part_find(t->contents, REPO_PART_CONFIG, NULL);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_buf_init(&text, LIMIT_SMALL_JSON);
	enum ark_rc rc = p != NULL ? repo_read(repo, &p->id, &text, err) : ARK_OK;
	if (rc == ARK_OK && p == NULL)
		ark_buf_z(&text, "{}");
	if (rc == ARK_OK)
		rc = db_query_one(conn, "SELECT jsonb_pretty(pg_temp.ark_config($1::jsonb))", DB_PARAMS(ark_buf_view(&text)), &res, err);
	if (rc < 0)
		return ark_err_in(err, rc, "configuration");
	ark_buf_init(&t->config, LIMIT_SMALL_JSON);
	ark_buf_str(&t->config, db_value(res, 0, 0));
	ark_buf_c(&t->config, '\n');
	return ark_buf_ok(&t->config, "the configuration", err);
}

/* The mark holds from the moment on in which the database gets this name. */
static enum ark_rc name_mark(struct testinst *t, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "UPDATE matterark.test_copy SET database_name = $1 RETURNING diagnostic_id",
	                              DB_PARAMS(ark_str_z(t->target->name)), &res, err);
	if (rc == ARK_OK)
		snprintf(t->diagnostic_id, sizeof(t->diagnostic_id), "%.*s", ARK_FMT(db_value(res, 0, 0)));
	return rc;
}

static enum ark_rc apply(struct testinst *t, struct db_conn *conn, struct ark_err *err)
{
	const char *proof = strstr(INSIDE_NEUTRALISE_SQL, PROOF_BEGINS);
	if (proof == NULL)
		ark_bug("the rules have no proof");
	ark_auto(ark_freep) char *rules = ark_strdup(ark_str_n(INSIDE_NEUTRALISE_SQL, (size_t)(proof - INSIDE_NEUTRALISE_SQL)));
	enum ark_rc rc = set_all(t, conn, err);
	if (rc == ARK_OK)
		rc = each_rule(t, conn, ".json", add_json, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, rules, err);
	if (rc == ARK_OK)
		rc = people(t, conn, err);
	if (rc == ARK_OK)
		rc = each_rule(t, conn, ".sql", run_sql, err);
	return rc == ARK_OK ? db_exec(conn, proof, err) : rc;
}

enum ark_rc testinst_make(struct testinst *t, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	ark_auto(repo_closep) struct repo *repo = NULL;
	enum ark_rc rc = repo_open_beside(t->repo, t->contents, &repo, err);
	if (rc == ARK_OK)
		rc = db_open(t->target->temp_dsn, &t->target->db, &conn, err);
	if (rc == ARK_OK)
		rc = db_txn_begin(&txn, conn, "", err);
	if (rc == ARK_OK)
		rc = apply(t, conn, err);
	if (rc == ARK_OK)
		rc = make_config(t, conn, repo, err);
	if (rc == ARK_OK)
		rc = name_mark(t, conn, err);
	if (rc == ARK_OK)
		rc = tell_proof(t, conn, err);
	if (rc == ARK_OK)
		rc = tell_environment(t, repo, err);
	if (rc == ARK_OK && ark_fail_step("make it a test installation") != 0)
		rc = ark_err_stop(err, ARK_KIND_IO, "cannot make it a test installation");
	if (rc == ARK_OK)
		rc = db_txn_commit(&txn, err);
	return rc < 0 ? ark_err_in(err, rc, "test installation") : rc;
}

/*
 * Why a configuration that is there but may not be read is an error and not passed over: the next
 * rank would quietly be another database than the one that runs here.
 */
#include "common/mm/where.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/db/dsn.h"

#include "common/base/banned.h"

/* Settings of Mattermost: a document, and the environment over it where that counts. */
struct settings {
	const struct json_small *doc; /* NULL: none */
	char *const *vars;            /* the environment; NULL: does not count */
	const char *path;             /* of the file the document came from, or NULL */
	const char *origin;           /* of the document */
};

static void replace(char **slot, char *text)
{
	free(*slot);
	*slot = text;
}

static char *joined(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *joined(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return n >= 0 ? text : ark_strdupz("");
}

/* --- single settings ------------------------------------------------------------------------- */

/* Value of a variable that is set and not empty. */
static struct ark_str from_environ(char *const *vars, struct ark_str name)
{
	for (; vars != NULL && *vars != NULL; vars++) {
		struct ark_str line = ark_str_z(*vars);
		if (line.len > name.len + 1 && ark_str_starts(line, name) && line.ptr[name.len] == '=')
			return ark_str_from(line, name.len + 1);
	}
	return ARK_STR_NONE;
}

/* "FileSettings.Directory" is MM_FILESETTINGS_DIRECTORY. */
static struct ark_str from_mm_environ(char *const *vars, const char *path, char name[128])
{
	size_t n = 3;
	memcpy(name, "MM_", n);
	for (; *path != '\0' && n < 127; path++)
		name[n++] = *path == '.' ? '_' : (char)(*path >= 'a' && *path <= 'z' ? *path - 32 : *path);
	name[n] = '\0';
	return from_environ(vars, ark_str_z(name));
}

/* NONE when nobody says it; `origin` (may be NULL) gets who did. */
static struct ark_str get(const struct settings *s, const char *path, char **origin)
{
	char name[128];
	struct ark_str value = from_mm_environ(s->vars, path, name);
	if (ark_str_has(value)) {
		if (origin != NULL)
			replace(origin, joined("environment %s", name));
		return value;
	}
	if (s->doc == NULL)
		return ARK_STR_NONE;
	value = json_small_str(s->doc, path);
	if (ark_str_has(value) && origin != NULL)
		replace(origin, joined("%s in %s", path, s->origin));
	return value;
}

/* As Go's strconv.ParseBool, which Mattermost uses for its environment. */
static bool get_bool(const struct settings *s, const char *path, bool otherwise)
{
	static const char *const TRUE_WORDS[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const FALSE_WORDS[] = { "0", "f", "F", "false", "FALSE", "False" };
	char name[128];
	struct ark_str text = from_mm_environ(s->vars, path, name);
	for (size_t i = 0; i < sizeof(TRUE_WORDS) / sizeof(TRUE_WORDS[0]); i++) {
		if (ark_str_has(text) && ark_str_eqz(text, TRUE_WORDS[i]))
			return true;
		if (ark_str_has(text) && ark_str_eqz(text, FALSE_WORDS[i]))
			return false;
	}
	bool value = otherwise;
	if (s->doc != NULL)
		(void)json_small_bool(s->doc, path, &value);
	return value;
}

/* --- the file store -------------------------------------------------------------------------- */

static char *dup_or_empty(struct ark_str s)
{
	return ark_strdup(ark_str_has(s) ? s : ARK_LIT(""));
}

static struct ark_str no_slashes(struct ark_str s)
{
	while (s.len > 0 && s.ptr[s.len - 1] == '/')
		s.len--;
	while (s.len > 0 && s.ptr[0] == '/')
		s = ark_str_from(s, 1);
	return s;
}

static void s3_settings(const struct settings *s, struct mm_files *out)
{
	replace(&out->region, dup_or_empty(get(s, "FileSettings.AmazonS3Region", NULL)));
	replace(&out->endpoint, dup_or_empty(get(s, "FileSettings.AmazonS3Endpoint", NULL)));
	replace(&out->access_key, dup_or_empty(get(s, "FileSettings.AmazonS3AccessKeyId", NULL)));
	replace(&out->secret_key, dup_or_empty(get(s, "FileSettings.AmazonS3SecretAccessKey", NULL)));
	out->plain_http = !get_bool(s, "FileSettings.AmazonS3SSL", true);
}

/* The server's working folder, which its relative folders start from: above `config`. */
static bool local_folder(const struct settings *s, struct ark_str dir, struct mm_files *out)
{
	if (dir.len > 0 && dir.ptr[0] == '/') {
		replace(&out->path, ark_strdup(dir));
		return true;
	}
	ark_auto(ark_freep) char *file = s->path != NULL ? realpath(s->path, NULL) : NULL;
	char *slash = file != NULL ? strrchr(file, '/') : NULL;
	if (slash == NULL) {
		replace(&out->problem,
		        joined("FileSettings.Directory '%.*s' is relative to a folder that is not known here",
		               ARK_FMT(dir)));
		return false;
	}
	*slash = '\0';
	struct ark_str root = ark_str_z(file);
	if (ark_str_ends(root, ARK_LIT("/config")))
		root.len -= strlen("/config");
	while (ark_str_starts(dir, ARK_LIT("./")))
		dir = ark_str_from(dir, 2);
	replace(&out->path, joined("%.*s/%.*s", ARK_FMT(root), ARK_FMT(dir)));
	return true;
}

/* What FileSettings say. Defaults count only where a document was read: an environment alone may
 * well leave the store to a configuration that we do not see. */
static enum ark_rc files_from_settings(const struct settings *s, struct mm_files *out,
                                       struct ark_err *err)
{
	struct ark_str driver = get(s, "FileSettings.DriverName", NULL);
	struct ark_str dir = get(s, "FileSettings.Directory", &out->origin);
	if (ark_str_has(driver) && ark_str_eqz(driver, "amazons3")) {
		out->kind = MM_FILES_S3;
		replace(&out->bucket, dup_or_empty(get(s, "FileSettings.AmazonS3Bucket", &out->origin)));
		struct ark_str prefix = get(s, "FileSettings.AmazonS3PathPrefix", NULL);
		replace(&out->path, ark_strdup(no_slashes(ark_str_has(prefix) ? prefix : ARK_LIT(""))));
		s3_settings(s, out);
		return ARK_OK;
	}
	if (ark_str_has(driver) && !ark_str_eqz(driver, "local"))
		return ark_err_set(err, ARK_KIND_REFUSED, "FileSettings.DriverName '%.*s' is not known here",
		                   ARK_FMT(driver));
	if (!ark_str_has(dir) && s->doc == NULL) {
		replace(&out->problem, ark_strdupz("nothing says where the files are"));
		return ARK_OK;
	}
	if (!ark_str_has(dir))
		replace(&out->origin, joined("Mattermost's default, FileSettings in %s", s->origin));
	if (local_folder(s, ark_str_has(dir) && dir.len > 0 ? dir : ARK_LIT("./data/"), out))
		out->kind = MM_FILES_LOCAL;
	return ARK_OK;
}

/* s3://BUCKET/PREFIX or a folder. */
static enum ark_rc files_from_said(const struct mm_said *said, const struct settings *s,
                                   struct mm_files *out, struct ark_err *err)
{
	struct ark_str text = ark_str_z(said->value);
	replace(&out->origin, ark_strdupz(said->origin));
	if (!ark_str_starts(text, ARK_LIT("s3://"))) {
		if (text.len == 0)
			return ark_err_set(err, ARK_KIND_USAGE, "the file store has an empty name (%s)",
			                   said->origin);
		out->kind = MM_FILES_LOCAL;
		replace(&out->path, ark_strdup(text));
		return ARK_OK;
	}
	text = ark_str_from(text, strlen("s3://"));
	struct ark_str bucket = ark_str_first(text, ark_str_find(text, '/', 0));
	if (bucket.len == 0) {
		ark_err_set(err, ARK_KIND_USAGE, "the file store has no bucket (%s)", said->origin);
		ark_err_hint(err, "write s3://BUCKET/PREFIX");
		return ARK_FAIL;
	}
	out->kind = MM_FILES_S3;
	replace(&out->bucket, ark_strdup(bucket));
	replace(&out->path, ark_strdup(no_slashes(ark_str_from(text, bucket.len))));
	struct ark_str theirs = get(s, "FileSettings.AmazonS3Bucket", NULL);
	if (ark_str_has(theirs) && ark_str_eq(theirs, bucket))
		s3_settings(s, out);
	return ARK_OK;
}

void mm_files_text(const struct mm_files *files, struct ark_buf *out)
{
	if (files->kind == MM_FILES_LOCAL)
		ark_buf_z(out, files->path);
	if (files->kind == MM_FILES_S3)
		ark_buf_fmt(out, "s3://%s%s%s", files->bucket, files->path[0] != '\0' ? "/" : "",
		            files->path);
}

/* --- configurations -------------------------------------------------------------------------- */

static bool is_dsn(struct ark_str s)
{
	return ark_str_starts(s, ARK_LIT("postgres://")) || ark_str_starts(s, ARK_LIT("postgresql://"));
}

/* The active row of `configurations`. */
static enum ark_rc read_stored(const struct mm_where_input *in, struct ark_str name,
                               struct mm_where *out, struct ark_err *err)
{
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 4 * LIMIT_DSN);
	enum ark_rc rc = db_dsn_parse(name, DB_DSN_MATTERMOST, &dsn, err);
	if (rc < 0)
		return rc;
	db_dsn_text(dsn, &text);
	rc = db_open(text.data, in->db, &conn, err);
	if (rc == ARK_OK)
		rc = db_query_one(conn, "SELECT value FROM configurations WHERE active", DB_NO_PARAMS, &res,
		                  err);
	if (rc == ARK_OK)
		rc = json_small_parse(db_value(res, 0, 0), &out->config, err);
	if (rc < 0)
		return ark_err_in(err, rc, "cannot read the configuration in the database");
	replace(&out->config_origin,
	        joined("the configuration in database '%.*s' at '%.*s'", ARK_FMT(db_name(conn)),
	               ARK_FMT(db_host(conn))));
	return ARK_OK;
}

static enum ark_rc read_file(const char *path, struct mm_where *out, struct ark_err *err)
{
	enum ark_rc rc = json_small_file(path, &out->config, err);
	if (rc == ARK_OK)
		replace(&out->config_origin, ark_strdupz(path));
	if (rc == ARK_OK || err->kind != ARK_KIND_IO || access(path, R_OK) == 0)
		return rc;
	err->kind = ARK_KIND_REFUSED;
	ark_err_hint(err, "run this as root or as the user who runs Mattermost, or name the database "
	                  "with --database");
	return ARK_FAIL;
}

static enum ark_rc read_config(const struct mm_where_input *in, const char *where,
                               struct mm_where *out, struct ark_err *err)
{
	return is_dsn(ark_str_z(where)) ? read_stored(in, ark_str_z(where), out, err)
	                                : read_file(where, out, err);
}

static enum ark_rc set_dsn(struct mm_where *out, struct ark_str name, enum db_dsn_kind kind,
                           struct ark_err *err)
{
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 4 * LIMIT_DSN);
	enum ark_rc rc = db_dsn_parse(name, kind, &dsn, err);
	if (rc < 0)
		return ark_err_in(err, rc, "%s", out->origin);
	db_dsn_text(dsn, &text);
	replace(&out->dsn, ark_strdup(ark_buf_view(&text)));
	ark_buf_reset(&text);
	db_dsn_masked(dsn, &text);
	replace(&out->dsn_masked, ark_strdup(ark_buf_view(&text)));
	out->kind = MM_WHERE_DATABASE;
	return ARK_OK;
}

/* Database (unless one was said) and files of one installation. */
static enum ark_rc use_settings(const struct settings *s, struct mm_where *out, struct ark_err *err)
{
	struct ark_str driver = get(s, "SqlSettings.DriverName", NULL);
	if (ark_str_has(driver) && driver.len > 0 && !ark_str_eqz(driver, "postgres"))
		return ark_err_set(err, ARK_KIND_REFUSED,
		                   "this Mattermost keeps its data in '%.*s', not in PostgreSQL",
		                   ARK_FMT(driver));
	struct ark_str name = get(s, "SqlSettings.DataSource", &out->origin);
	if (!ark_str_has(name) || name.len == 0)
		return ark_err_set(err, ARK_KIND_MISSING, "%s does not say SqlSettings.DataSource",
		                   s->origin);
	return set_dsn(out, name, DB_DSN_MATTERMOST, err);
}

/* --- ranks ----------------------------------------------------------------------------------- */

/* A configuration that was named, with or without the environment over it. */
static enum ark_rc from_config(const struct mm_where_input *in, const char *where,
                               char *const *vars, struct settings *s, struct mm_where *out,
                               struct ark_err *err)
{
	enum ark_rc rc = read_config(in, where, out, err);
	if (rc < 0)
		return rc;
	*s = (struct settings){ .doc = out->config, .vars = vars, .origin = out->config_origin,
		                .path = is_dsn(ark_str_z(where)) ? NULL : where };
	return ARK_OK;
}

/* Rank 3. ARK_END when it says nothing. */
static enum ark_rc from_environment(const struct mm_where_input *in, struct settings *s,
                                    struct mm_where *out, struct ark_err *err)
{
	struct ark_str config = from_environ(in->environ, ARK_LIT("MM_CONFIG"));
	*s = (struct settings){ .vars = in->environ, .origin = "the environment" };
	if (ark_str_has(config)) {
		enum ark_rc rc = from_config(in, config.ptr, in->environ, s, out, err);
		if (rc < 0)
			return ark_err_in(err, rc, "environment MM_CONFIG");
	} else if (!ark_str_has(from_environ(in->environ, ARK_LIT("MM_SQLSETTINGS_DATASOURCE")))) {
		return ARK_END;
	}
	return use_settings(s, out, err);
}

/* Rank 4. ARK_END when there is no such file. */
static enum ark_rc from_usual(const struct mm_where_input *in, struct settings *s,
                              struct mm_where *out, struct ark_err *err)
{
	const char *const paths[] = { in->config_usual != NULL ? in->config_usual : MM_CONFIG_USUAL,
		                      in->writes ? NULL : MM_CONFIG_HERE };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i] == NULL || (access(paths[i], F_OK) != 0 && errno != EACCES))
			continue;
		enum ark_rc rc = from_config(in, paths[i], NULL, s, out, err);
		return rc < 0 ? rc : use_settings(s, out, err);
	}
	return ARK_END;
}

static enum ark_rc nothing(const struct mm_where_input *in, struct mm_where *out,
                           struct ark_err *err)
{
	if (in->embedded_default) {
		out->kind = MM_WHERE_EMBEDDED;
		replace(&out->origin, ark_strdupz("nothing else was named"));
		return ARK_OK;
	}
	if (in->optional)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_MISSING, "nothing says where the database is");
	ark_err_hint(err, "name it with --database URL, Mattermost's configuration with "
	                  "--mattermost-config PATH, or --embedded");
	return ARK_FAIL;
}

/* Ranks 1 and 2. ARK_END when nobody said anything. */
static enum ark_rc from_said(const struct mm_where_input *in, struct settings *s,
                             struct mm_where *out, struct ark_err *err)
{
	const struct mm_said *db = &in->database, *emb = &in->embedded, *conf = &in->config;
	int none = -1;
	int db_rank = db->value != NULL ? db->rank : none, emb_rank = emb->value != NULL ? emb->rank : none;
	int conf_rank = conf->value != NULL ? conf->rank : none;
	if (db_rank == emb_rank && db_rank != none) {
		ark_err_set(err, ARK_KIND_USAGE, "a database and the embedded one are both named (%s)",
		            db->origin);
		ark_err_hint(err, "say either --database or --embedded");
		return ARK_FAIL;
	}
	if (db_rank == none && emb_rank == none && conf_rank == none)
		return ARK_END;
	if (conf_rank != none) {
		enum ark_rc rc = from_config(in, conf->value, NULL, s, out, err);
		if (rc < 0)
			return rc;
	}
	if (emb_rank > db_rank && emb_rank >= conf_rank) {
		out->kind = MM_WHERE_EMBEDDED;
		out->embedded_dir = emb->value[0] != '\0' ? ark_strdupz(emb->value) : NULL;
		replace(&out->origin, ark_strdupz(emb->origin));
		return ARK_OK;
	}
	if (db_rank >= conf_rank) {
		replace(&out->origin, ark_strdupz(db->origin));
		return set_dsn(out, ark_str_z(db->value), DB_DSN_LIBPQ, err);
	}
	return use_settings(s, out, err);
}

static enum ark_rc find_files(const struct mm_where_input *in, const struct settings *s,
                              struct mm_where *out, struct ark_err *err)
{
	if (in->files.value != NULL)
		return files_from_said(&in->files, s, &out->files, err);
	if (out->kind == MM_WHERE_EMBEDDED) {
		out->files.kind = MM_FILES_EMBEDDED;
		replace(&out->files.origin, ark_strdupz(out->origin));
		return ARK_OK;
	}
	if (s->doc != NULL || s->vars != NULL)
		return files_from_settings(s, &out->files, err);
	replace(&out->files.problem, ark_strdupz("nothing says where the files are"));
	return ARK_OK;
}

enum ark_rc mm_where_find(const struct mm_where_input *in, struct mm_where *out,
                          struct ark_err *err)
{
	struct settings s = { 0 };
	char **const texts[] = { &out->files.path, &out->files.bucket, &out->files.region,
		                 &out->files.endpoint, &out->files.access_key, &out->files.secret_key,
		                 &out->files.origin, &out->files.problem, &out->origin };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		replace(texts[i], ark_strdupz(""));
	enum ark_rc rc = from_said(in, &s, out, err);
	if (rc == ARK_END)
		rc = from_environment(in, &s, out, err);
	if (rc == ARK_END) {
		s = (struct settings){ 0 };
		rc = from_usual(in, &s, out, err);
	}
	if (rc == ARK_END)
		rc = nothing(in, out, err);
	return rc < 0 ? rc : find_files(in, &s, out, err);
}

void mm_where_release(struct mm_where *where)
{
	json_small_free(where->config);
	free(where->config_origin);
	free(where->dsn);
	free(where->dsn_masked);
	free(where->embedded_dir);
	free(where->origin);
	struct mm_files *f = &where->files;
	free(f->path);
	free(f->bucket);
	free(f->region);
	free(f->endpoint);
	if (f->secret_key != NULL)
		explicit_bzero(f->secret_key, strlen(f->secret_key));
	free(f->access_key);
	free(f->secret_key);
	free(f->origin);
	free(f->problem);
	*where = (struct mm_where){ 0 };
}

#include "backup/settings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/repo/format.h"

#include "common/base/banned.h"

#define FILES_MAX 200           /* others in the configuration's folder; the rest is left out */
#define FILE_BYTES_MAX (1u << 20)

extern char **environ;

void settings_release(struct settings *s)
{
	for (size_t i = 0; i < s->held_count; i++)
		free(s->held[i]);
	free(s->held);
	free(s->parts);
	*s = (struct settings){ 0 };
}

static enum ark_rc add(struct settings *s, struct pack_tools *tools, enum repo_part_kind kind, const char *name,
                       struct ark_str bytes, struct ark_err *err)
{
	s->held = ark_realloc(s->held, s->held_count + 1, sizeof(*s->held));
	char *copy = s->held[s->held_count++] = ark_strdupz(name);
	struct repo_part p = { .kind = kind, .name = ark_str_z(copy), .has_id = true };
	enum ark_rc rc = pack_put(tools, bytes, 0, &p.id, err);
	if (rc < 0)
		return rc;
	s->parts = ark_realloc(s->parts, s->count + 1, sizeof(p));
	s->parts[s->count++] = p;
	return ARK_OK;
}

static void closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* What stands beside config.json: certificates and keys that it names. */
static enum ark_rc add_folder(struct settings *s, const char *config, struct pack_tools *tools,
                              struct ark_err *err)
{
	const char *slash = strrchr(config, '/');
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	ark_buf_init(&path, 8192);
	ark_buf_add(&path, config, slash != NULL ? (size_t)(slash - config) + 1 : 0);
	size_t folder = path.len;
	ark_auto(closedirp) DIR *d = opendir(folder > 0 ? path.data : ".");
	if (d == NULL)
		return ARK_OK; /* the file itself was read: its folder may be closed to us */
	struct dirent *e;
	size_t taken = 0;
	while (taken < FILES_MAX && (e = readdir(d)) != NULL) {
		ark_auto(ark_buf_release) struct ark_buf bytes = { 0 };
		struct stat st;
		ark_buf_cut(&path, folder);
		ark_buf_z(&path, e->d_name);
		if (strcmp(e->d_name, slash != NULL ? slash + 1 : config) == 0 || path.failed ||
		    lstat(path.data, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
			continue;
		ark_buf_init(&bytes, FILE_BYTES_MAX);
		if (repo_file_slurp(path.data, &bytes, err) < 0)
			continue;
		enum ark_rc rc = add(s, tools, REPO_PART_CONFIG_FILE, e->d_name, ark_buf_view(&bytes), err);
		if (rc < 0)
			return rc;
		taken++;
	}
	return ARK_OK;
}

static enum ark_rc add_file(struct settings *s, const char *path, struct pack_tools *tools, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf bytes = { 0 };
	ark_buf_init(&bytes, LIMIT_SMALL_JSON);
	enum ark_rc rc = repo_file_slurp(path, &bytes, err);
	if (rc < 0)
		return rc;
	rc = add(s, tools, REPO_PART_CONFIG, path, ark_buf_view(&bytes), err);
	s->found = true;
	return rc < 0 ? rc : add_folder(s, path, tools, err);
}

/* Kept in the database itself: its rows are in the snapshot too; here it is for who looks for it. */
static enum ark_rc add_row(struct settings *s, struct db_conn *conn, struct pack_tools *tools, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *there = NULL, *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT to_regclass('configurations') IS NOT NULL", DB_NO_PARAMS, &there, err);
	if (rc < 0 || !db_bool(there, 0, 0))
		return rc;
	rc = db_query(conn, "SELECT value FROM configurations WHERE active", DB_NO_PARAMS, &res, err);
	if (rc < 0 || db_rows(res) == 0)
		return rc;
	s->found = true;
	return add(s, tools, REPO_PART_CONFIG, "database", db_value(res, 0, 0), err);
}

enum ark_rc settings_store(struct settings *s, const struct mm_place *place, struct db_conn *conn,
                           struct pack_tools *tools, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf vars = { 0 };
	const char *origin = place->where.config_origin;
	struct stat st;
	enum ark_rc rc = ARK_OK;
	ark_buf_init(&vars, LIMIT_SMALL_JSON);
	if (origin != NULL && stat(origin, &st) == 0 && S_ISREG(st.st_mode))
		rc = add_file(s, origin, tools, err);
	if (rc == ARK_OK)
		rc = add_row(s, conn, tools, err);
	for (size_t i = 0; environ[i] != NULL; i++)
		if (ark_str_starts(ark_str_z(environ[i]), ARK_LIT("MM_"))) {
			ark_buf_z(&vars, environ[i]);
			ark_buf_c(&vars, '\n');
		}
	if (rc == ARK_OK && vars.len > 0)
		rc = add(s, tools, REPO_PART_ENVIRON, "environment", ark_buf_view(&vars), err);
	return rc < 0 ? ark_err_in(err, rc, "configuration") : rc;
}

/* The beginning that all tools share: see place.h. */
#include "common/mm/place.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/db/dsn.h"

#include "common/base/banned.h"

void mm_place_init(struct mm_place *place)
{
	*place = (struct mm_place){ 0 };
	ark_buf_init(&place->dsn, 2 * LIMIT_DSN);
}

void mm_place_release(struct mm_place *place)
{
	db_embedded_release(place->embedded);
	place->embedded = NULL;
	mm_where_release(&place->where);
	ark_buf_release(&place->dsn);
}

static struct mm_said said(const struct ark_args *args, const char *option, const char *value)
{
	struct ark_origin from = ark_args_origin(args, option);
	return (struct mm_said){ value, (int)from.rank, from.text };
}

static enum ark_rc find(const struct mm_place_options *o, const struct ark_args *args,
                        const struct mm_place_how *how, bool optional, struct mm_where *out,
                        struct ark_err *err)
{
	struct db_options db = { .app = how->app, .interrupted = how->interrupted };
	const char *embedded = !o->embedded.given ? NULL : o->embedded.text == NULL ? "" : o->embedded.text;
	struct mm_where_input in = {
		.database = said(args, "database", o->database),
		.config = said(args, "mattermost-config", o->mattermost_config),
		.embedded = said(args, "embedded", embedded),
		.embedded_default = how->embedded_default,
		.writes = how->writes,
		.optional = optional,
		.environ = environ,
		.db = &db,
	};
	if (how->has_files)
		in.files = said(args, "files", o->files);
	return mm_where_find(&in, out, err);
}

enum ark_rc mm_place_find(struct mm_place *place, const struct mm_place_options *options,
                          const struct ark_args *args, const struct mm_place_how *how,
                          struct ark_err *err)
{
	place->how = *how;
	enum ark_rc rc = find(options, args, how, false, &place->where, err);
	place->by_default = rc == ARK_OK && place->where.kind == MM_WHERE_EMBEDDED && !options->embedded.given;
	return rc;
}

/* The store beside the embedded database has its path only once the folder is known. */
static void settle_files(struct mm_place *place)
{
	struct mm_files *f = &place->where.files;
	if (f->kind != MM_FILES_EMBEDDED)
		return;
	struct ark_str dir = db_embedded_files(place->embedded);
	free(f->path);
	f->path = ark_strdup(dir);
	f->kind = MM_FILES_LOCAL;
}

enum ark_rc mm_place_open(struct mm_place *place, const char *database, struct ark_err *err)
{
	if (place->where.kind == MM_WHERE_DATABASE) {
		ark_buf_z(&place->dsn, place->where.dsn);
		return ARK_OK;
	}
	struct db_embedded_options opt = { .dir = place->where.embedded_dir, .create = place->how.create,
		                           .interrupted = place->how.interrupted };
	enum ark_rc rc = db_embedded_open(&opt, &place->embedded, err);
	if (rc < 0)
		return rc;
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	rc = db_dsn_parse(db_embedded_dsn(place->embedded), DB_DSN_LIBPQ, &dsn, err);
	if (rc < 0)
		return rc;
	db_dsn_set(dsn, "dbname", ark_str_z(database != NULL ? database : "mattermost"));
	db_dsn_text(dsn, &place->dsn);
	settle_files(place);
	return ARK_OK;
}

void mm_place_text(const struct mm_place *place, struct ark_buf *out)
{
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	struct ark_err ignored = { 0 };
	if (place->dsn.len == 0 || db_dsn_parse(ark_buf_view(&place->dsn), DB_DSN_LIBPQ, &dsn, &ignored) < 0)
		return;
	struct ark_str host = db_dsn_part(dsn, "host"), name = db_dsn_part(dsn, "dbname");
	if (host.len == 0)
		host = ARK_LIT("localhost");
	ark_buf_fmt(out, "database %.*s at %.*s", ARK_FMT(name), ARK_FMT(host));
}

void mm_place_say(const struct mm_place *place, const char *verb, struct ark_talk *talk)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_DSN);
	mm_place_text(place, &text);
	if (text.len > 0)
		ark_info(talk, "place.target", "%s %s (%s)", verb, text.data, place->where.origin);
}

static void show_row(struct ark_talk *talk, const char *kind, const char *place, const char *origin)
{
	ark_out(talk, "=> %s: %s (%s)", kind, place, origin);
	struct ark_event e;
	ark_event_begin(&e, "where", "place.where");
	ark_event_text(&e, "kind", ark_str_z(kind));
	ark_event_text(&e, "place", ark_str_z(place));
	ark_event_text(&e, "origin", ark_str_z(origin));
	ark_event_send(&e, talk);
}

static void show_files(const struct mm_files *files, struct ark_talk *talk)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_DSN);
	mm_files_text(files, &text);
	if (files->kind == MM_FILES_EMBEDDED)
		ark_buf_z(&text, "beside the embedded database");
	if (text.len == 0)
		ark_buf_z(&text, "none found");
	show_row(talk, "file store", text.data, files->kind == MM_FILES_NONE ? "-" : files->origin);
}

void mm_place_show(const struct mm_place_options *options, const struct ark_args *args,
                   const struct mm_place_how *how, struct ark_talk *talk)
{
	ark_auto(mm_where_release) struct mm_where where = { 0 };
	struct ark_err err = { 0 };
	if (find(options, args, how, true, &where, &err) < 0) {
		ark_warn(talk, "place.where", "%s", err.text);
		return;
	}
	const char *place = where.kind == MM_WHERE_DATABASE ? where.dsn_masked
	                    : where.kind == MM_WHERE_NONE   ? "none found"
	                    : where.embedded_dir != NULL    ? where.embedded_dir
	                                                    : db_embedded_default_dir();
	show_row(talk, where.kind == MM_WHERE_EMBEDDED ? "embedded database" : "database", place,
	         where.kind == MM_WHERE_NONE ? "-" : where.origin);
	if (how->has_files)
		show_files(&where.files, talk);
}

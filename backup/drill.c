/*
 * The proof that a snapshot can be restored: its database is loaded into a scratch one and every row compared,
 * every file is read and compared with its name, and all of it is thrown away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backup/app.h"
#include "backup/restore/bodies.h"
#include "backup/restore/restore.h"
#include "common/base/limits.h"

#include "common/base/banned.h"

#define SCRATCH_ROOT "/var/lib/matterark-drill" /* where the user that PostgreSQL runs as can reach it */
#define SCRATCH_HOME "/.cache/matterark/drill"

/* Where the scratch server is when nobody names one; it stays there for the next drill. */
static const char *scratch_folder(struct ark_buf *space)
{
	const char *home = getenv("HOME");
	if (geteuid() == 0 || home == NULL)
		return SCRATCH_ROOT;
	ark_buf_z(space, home);
	ark_buf_z(space, SCRATCH_HOME);
	return space->data;
}

static void choose_target(const struct backup_config *c, struct ark_buf *space, struct target_options *out)
{
	*out = (struct target_options){ .database = c->place.database, .embedded = c->place.embedded,
		                        .maintenance_db = c->maintenance_db, .scratch = true };
	if (c->place.database != NULL || (c->place.embedded.given && c->place.embedded.text != NULL))
		return;
	out->embedded = (struct ark_maybe){ true, scratch_folder(space) };
	out->scratch_server = true; /* the distribution may have another PostgreSQL by now */
}

static void report(struct app *a, const struct restore *r, const struct bodies *b)
{
	ark_info(a->talk, "drill.done", "snapshot %s can be restored: %llu rows, %llu files are as they were", r->snapshot.name,
	         (unsigned long long)r->rows, (unsigned long long)b->files);
	if (b->missing > 0)
		ark_warn(a->talk, "restore.missing", "%llu files were missing already when the snapshot was taken; 'show' names them",
		         (unsigned long long)b->missing);
	notify_headline(&a->told, "snapshot %s can be restored%s", r->snapshot.name, b->missing > 0 ? ", but files are missing" : "");
	notify_count(&a->told, "drilled_rows", "rows", r->rows);
	notify_count(&a->told, "drilled_files", "files", b->files);
	notify_count(&a->told, "drilled_missing_files", "files missing", b->missing);
	struct ark_event e;
	ark_event_begin(&e, "summary", "drill.done");
	ark_event_text(&e, "snapshot", ark_str_z(r->snapshot.name));
	ark_event_u64(&e, "rows", r->rows);
	ark_event_u64(&e, "files", b->files);
	ark_event_u64(&e, "file_bytes", b->bytes);
	ark_event_u64(&e, "missing", b->missing);
	ark_event_i64(&e, "load_ms", r->load_ms);
	ark_event_i64(&e, "compare_ms", r->compare_ms);
	ark_event_send(&e, a->talk);
}

int run_drill(struct app *a, struct ark_err *err)
{
	ark_auto(restore_release) struct restore r = { 0 };
	ark_auto(ark_buf_release) struct ark_buf space;
	ark_buf_init(&space, LIMIT_DSN);
	enum ark_rc rc = restore_open(&r, a, err);
	choose_target(a->config, &space, &r.target_options);
	if (rc == ARK_OK)
		rc = target_open(&r.target, &r.target_options, err);
	if (rc == ARK_OK)
		rc = target_check(&r.target, &r.contents, err);
	if (rc == ARK_OK)
		rc = restore_database(&r, err);
	if (rc == ARK_OK)
		rc = load_finish(&r.load, err);
	if (rc < 0)
		return rc;
	struct bodies bodies = { .repo = &r.repo, .contents = &r.contents, .snapshot = r.snapshot.name,
		                 .jobs = (unsigned)a->config->jobs, .bar = &a->bar };
	if (!a->config->without_files) {
		uint64_t files, bytes = bodies_weight(&r.contents, &files);
		app_bar_begin(a, "reading files", "files", files, bytes);
		rc = bodies_put(&bodies, &r.target, err);
	}
	app_bar_end(a);
	if (rc < 0)
		return rc;
	report(a, &r, &bodies);
	return bodies.missing > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

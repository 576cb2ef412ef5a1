/*
 * A snapshot brought back: look at what is there, load the database under a temporary name and compare it,
 * put the files, make a test installation of it unless production was asked for, give it its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/app.h"
#include "backup/repo/inside_text.h"
#include "backup/restore/again.h"
#include "backup/restore/bodies.h"
#include "backup/restore/part.h"
#include "backup/restore/restore.h"
#include "backup/restore/testinst.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/io/publish.h"

#include "common/base/banned.h"

struct job {
	struct restore r;
	struct bodies bodies;
	struct part_options part_options;
	struct part part;
	struct again again;
	struct io_spool wanted;    /* files that rows name once something was purged */
	struct testinst test;
	char *config_path;         /* where the configuration goes */
	struct io_publish config;
	bool has_config;
	struct ark_buf bucket;     /* FileSettings of a bucket */
	bool was_there;            /* all but its last step was done by a run that died */
	uint64_t zeros, hosts, variables; /* lines of the proof */
};

static void job_release(struct job *j)
{
	restore_release(&j->r);
	bodies_release(&j->bodies);
	io_spool_close(&j->wanted);
	part_release(&j->part);
	testinst_release(&j->test);
	free(j->config_path);
	io_publish_release(&j->config);
	ark_buf_release(&j->bucket);
}

/* --- what was asked for ------------------------------------------------------------------------------------ */

static enum ark_rc no_test_options(const struct backup_config *c, struct ark_err *err)
{
	const struct testinst_options *t = &c->test;
	const char *given = c->teams.count > 0 || c->channels.count > 0 || c->since.has ? "a part" :
	                    t->site_url != NULL                          ? "--site-url"
	                    : t->theme != NULL                           ? "--theme"
	                    : t->rules != NULL                           ? "--rules"
	                    : t->password_file != NULL || t->as.count > 0 ? "--test-password-file"
	                    : t->mask || t->mask_text                    ? "--mask"
	                    : t->keep_licence                            ? "--keep-licence"
	                    : c->disconnect                              ? "--disconnect"
	                                                                 : NULL;
	if (given == NULL)
		return ARK_OK;
	return ark_err_set(err, ARK_KIND_USAGE, "%s is for a test installation, not for --production", given);
}

static enum ark_rc check_options(const struct backup_config *c, struct ark_err *err)
{
	if (c->production)
		return no_test_options(c, err);
	if (c->confirm_host != NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "--confirm-host belongs to --production");
	return testinst_check(&c->test, err);
}

static bool is_bucket(const char *place)
{
	return strncmp(place, "s3://", 5) == 0;
}

/* The place of the files: as said, the one beside an embedded database, or none. */
static enum ark_rc choose_files(struct job *j, struct ark_err *err)
{
	const struct backup_config *c = j->r.a->config;
	if (c->without_files && c->to_files != NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "--to-files and --without-files contradict each other");
	if (c->without_files)
		return ARK_OK;
	j->bodies.place = c->to_files;
	if (c->to_files == NULL && j->r.target.embedded != NULL)
		j->bodies.place = db_embedded_files(j->r.target.embedded).ptr;
	if (j->bodies.place != NULL)
		return ARK_OK;
	uint64_t files;
	(void)bodies_weight(&j->r.contents, &files);
	if (files == 0)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_USAGE, "it is not said where the files go");
	ark_err_hint(err, "--to-files names a folder or s3://BUCKET/PREFIX; --without-files leaves them out");
	return ARK_FAIL;
}

/* A part never takes the place of a whole. */
static enum ark_rc choose_part(struct job *j, struct ark_err *err)
{
	const struct backup_config *c = j->r.a->config;
	j->part_options = (struct part_options){ c->teams, c->channels, c->since };
	if (!part_wanted(&j->part_options))
		return ARK_OK;
	if (j->r.target.marked || j->bodies.used) {
		ark_err_set(err, ARK_KIND_REFUSED, "a part becomes a new test installation, and there is one already");
		ark_err_hint(err, "name a database and a place for files that are not there");
		return ARK_FAIL;
	}
	j->r.load.keep = part_keeps;
	j->r.load.keep_ctx = &j->part;
	return part_open(&j->part, &j->part_options, j->r.a->repo, &j->r.contents, err);
}

/* Beside the folder of files unless said. */
static enum ark_rc choose_config(struct job *j, struct ark_err *err)
{
	const struct backup_config *c = j->r.a->config;
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, LIMIT_DSN);
	if (c->config_out != NULL) {
		j->config_path = ark_strdupz(c->config_out);
		return ARK_OK;
	}
	if (j->bodies.place == NULL || is_bucket(j->bodies.place)) {
		ark_err_set(err, ARK_KIND_USAGE, "it is not said where the configuration goes");
		ark_err_hint(err, "--config-out names a file; without it it stands beside the folder of files");
		return ARK_FAIL;
	}
	ark_buf_z(&path, j->bodies.name);
	ark_buf_z(&path, ".config.json");
	j->config_path = ark_strdup(ark_buf_view(&path));
	return ARK_OK;
}

/* The copy's bucket for its configuration. Keys are left to its environment. */
static void describe_bucket(struct job *j)
{
	const struct backup_config *c = j->r.a->config;
	struct ark_str rest = ark_str_from(ark_str_z(j->bodies.place), strlen("s3://"));
	struct ark_str bucket = ark_str_first(rest, ark_str_find(rest, '/', 0));
	/* bodies.name is s3://ENDPOINT/BUCKET/PREFIX */
	struct ark_str endpoint = ark_str_from(ark_str_z(j->bodies.name), strlen("s3://"));
	endpoint = ark_str_first(endpoint, ark_str_find(endpoint, '/', 0));
	const char *said = c->s3.endpoint != NULL ? c->s3.endpoint : getenv("AWS_ENDPOINT_URL_S3");
	said = said != NULL ? said : getenv("AWS_ENDPOINT_URL");
	ark_buf_init(&j->bucket, LIMIT_DSN);
	ark_buf_z(&j->bucket, "{\"DriverName\": \"amazons3\", \"AmazonS3Bucket\": ");
	ark_buf_json(&j->bucket, bucket);
	ark_buf_z(&j->bucket, ", \"AmazonS3PathPrefix\": ");
	ark_buf_json(&j->bucket, ark_str_from(rest, bucket.len + 1));
	ark_buf_z(&j->bucket, ", \"AmazonS3Endpoint\": ");
	ark_buf_json(&j->bucket, endpoint);
	ark_buf_z(&j->bucket, ", \"AmazonS3Region\": ");
	const char *region = c->s3.region != NULL ? c->s3.region : getenv("AWS_REGION");
	ark_buf_json(&j->bucket, ark_str_z(region != NULL ? region : ""));
	ark_buf_fmt(&j->bucket, ", \"AmazonS3SSL\": %s}", said != NULL && strncmp(said, "http://", 7) == 0 ? "false" : "true");
}

/* --- the proof ------------------------------------------------------------------------------------------------ */

static void take_proof(void *ctx, const struct testinst_proof *p)
{
	struct job *j = ctx;
	struct ark_talk *talk = j->r.a->talk;
	struct ark_event e;
	ark_event_begin(&e, "proof", p->kind);
	ark_event_text(&e, "place", p->place);
	ark_event_text(&e, "what", p->what);
	ark_event_i64(&e, "number", p->number);
	ark_event_send(&e, talk);
	if (strcmp(p->kind, "zero") == 0) {
		j->zeros++;
		ark_out(talk, "proof\t%lld\t%.*s", (long long)p->number, ARK_FMT(p->what));
	} else if (strcmp(p->kind, "environment") == 0) {
		j->variables++;
		ark_out(talk, "variable\t%.*s\tset for production, must not be set for the copy", ARK_FMT(p->what));
	} else {
		j->hosts++;
		ark_out(talk, "named\t%.*s\t%.*s", ARK_FMT(p->place), ARK_FMT(p->what));
	}
}

/* --- the configuration ----------------------------------------------------------------------------------------- */

/* What stood beside production's configuration (certificates), and the variables of its environment. */
static enum ark_rc write_beside(struct job *j, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	enum ark_rc rc = ARK_OK;
	ark_buf_init(&path, LIMIT_DSN);
	for (size_t i = 0; i < j->r.contents.count && rc == ARK_OK; i++) {
		const struct repo_part *p = &j->r.contents.parts[i];
		bool file = p->kind == REPO_PART_CONFIG_FILE && ark_str_find(p->name, '/', 0) == SIZE_MAX;
		if (!file && p->kind != REPO_PART_ENVIRON)
			continue;
		ark_auto(ark_buf_release) struct ark_buf text;
		ark_auto(io_publish_release) struct io_publish out = IO_PUBLISH_NONE;
		ark_buf_init(&text, LIMIT_SMALL_JSON);
		ark_buf_reset(&path);
		ark_buf_fmt(&path, "%s.beside", j->config_path);
		if (mkdir(path.data, 0700) != 0 && errno != EEXIST)
			return ark_err_errno(err, errno, "cannot make the folder '%s'", path.data);
		ark_buf_fmt(&path, "/%.*s", ARK_FMT(p->name));
		rc = repo_read(j->r.a->repo, &p->id, &text, err);
		if (rc == ARK_OK)
			rc = io_publish_begin(path.data, &out, err);
		if (rc == ARK_OK)
			rc = io_publish_write(&out, text.data, text.len, err);
		if (rc == ARK_OK)
			rc = io_publish_finish(&out, err);
	}
	return rc;
}

static enum ark_rc write_config(struct job *j, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	struct ark_str bytes = ark_buf_view(&j->test.config);
	ark_buf_init(&text, LIMIT_SMALL_JSON);
	if (j->r.a->config->production) {
		const struct repo_part *p = repo_part_find(&j->r.contents, REPO_PART_CONFIG, NULL);
		if (p == NULL)
			return ARK_OK;
		enum ark_rc rc = repo_read(j->r.a->repo, &p->id, &text, err);
		if (rc == ARK_OK)
			rc = write_beside(j, err);
		if (rc < 0)
			return ark_err_in(err, rc, "configuration");
		bytes = ark_buf_view(&text);
	}
	j->has_config = true;
	enum ark_rc rc = io_publish_begin(j->config_path, &j->config, err);
	return rc < 0 ? rc : io_publish_write(&j->config, bytes.ptr, bytes.len, err);
}

/* --- what a run before did not come to ------------------------------------------------------------------------- */

/* Production got its name, and its restore died before the mark went: that is all that is left to be done. */
static enum ark_rc finish_before(struct job *j, struct ark_err *err)
{
	const struct app *a = j->r.a;
	ark_auto(ark_buf_release) struct ark_buf snapshot;
	ark_buf_init(&snapshot, LIMIT_REPO_SMALL);
	if (!a->config->production || j->bodies.place == NULL)
		return ARK_OK;
	enum ark_rc rc = bodies_left(&j->bodies, &j->r.target, &j->was_there, &snapshot, err);
	if (rc < 0 || !j->was_there)
		return rc;
	if (!ark_str_eqz(ark_buf_view(&snapshot), j->r.snapshot.name)) {
		ark_err_set(err, ARK_KIND_REFUSED, "database '%s' was restored from snapshot %s, all but its last step",
		            j->r.target.name, snapshot.data);
		ark_err_hint(err, "the same command with that snapshot's name finishes it");
		return ARK_FAIL;
	}
	return a->config->dry_run ? ARK_OK : bodies_finish(&j->bodies, &j->r.target, NULL, err);
}

static void say_finished(struct job *j)
{
	struct app *a = j->r.a;
	ark_info(a->talk, "restore.finished", "database '%s' was restored from snapshot %s already; its last step %s done now",
	         j->r.target.name, j->r.snapshot.name, a->config->dry_run ? "would be" : "was");
	struct ark_event e;
	ark_event_begin(&e, "summary", "restore.finished");
	ark_event_text(&e, "snapshot", ark_str_z(j->r.snapshot.name));
	ark_event_text(&e, "database", ark_str_z(j->r.target.name));
	ark_event_bool(&e, "dry_run", a->config->dry_run);
	ark_event_send(&e, a->talk);
}

/* --- the phases -------------------------------------------------------------------------------------------------- */

static enum ark_rc look(struct job *j, struct ark_err *err)
{
	struct app *a = j->r.a;
	const struct backup_config *c = a->config;
	j->r.target_options = (struct target_options){ .database = c->to_database, .embedded = c->place.embedded,
		.maintenance_db = c->maintenance_db, .owner = c->owner, .production = c->production,
		.confirm_host = c->confirm_host, .disconnect = c->disconnect };
	j->bodies = (struct bodies){ .s3 = &c->s3, .repo = &j->r.repo, .contents = &j->r.contents,
		.snapshot = j->r.snapshot.name, .jobs = (unsigned)c->jobs, .bar = &a->bar,
		.without_faces = c->test.mask || c->test.mask_text,
		.brand = ark_str_n((const char *)INSIDE_BRAND_PNG, INSIDE_BRAND_PNG_BYTES) };
	enum ark_rc rc = target_open(&j->r.target, &j->r.target_options, err);
	if (rc == ARK_OK)
		rc = choose_files(j, err);
	if (rc == ARK_OK)
		rc = finish_before(j, err);
	if (rc < 0 || j->was_there)
		return rc;
	if (rc == ARK_OK)
		rc = target_check(&j->r.target, &j->r.contents, err);
	if (rc == ARK_OK && j->bodies.place != NULL)
		rc = bodies_check(&j->bodies, &j->r.target, repo_keep_name(repo_keep(a->repo)), err);
	if (rc == ARK_OK)
		rc = choose_part(j, err);
	if (rc == ARK_OK)
		rc = choose_config(j, err);
	if (rc == ARK_OK && j->bodies.place != NULL && is_bucket(j->bodies.place))
		describe_bucket(j);
	return rc;
}

static void say_plan(struct job *j)
{
	struct app *a = j->r.a;
	ark_auto(ark_buf_release) struct ark_buf where;
	uint64_t rows, files;
	ark_buf_init(&where, LIMIT_DSN);
	target_text(&j->r.target, &where);
	(void)load_weight(&j->r.contents, &rows);
	(void)bodies_weight(&j->r.contents, &files);
	const char *what = a->config->production ? "production" : "a test installation";
	const char *room = j->r.target.exists ? j->r.target.empty ? ", in place of an empty one" : ", in place of the copy that is there" : "";
	ark_info(a->talk, "restore.plan", "snapshot %s becomes %s in %s%s", j->r.snapshot.name, what, where.data, room);
	if (!a->config->dry_run)
		return;
	ark_out(a->talk, "database\t%s%s", where.data, room);
	ark_out(a->talk, "files\t%s%s", j->bodies.place != NULL ? j->bodies.place : "none", j->bodies.used ? ", in place of those that are there" : "");
	ark_out(a->talk, "configuration\t%s", j->config_path);
	ark_out(a->talk, "would become %s: %llu rows, %llu files", what, (unsigned long long)rows,
	        (unsigned long long)(j->bodies.place != NULL ? files : 0));
	struct ark_event e;
	ark_event_begin(&e, "summary", "restore.plan");
	ark_event_text(&e, "snapshot", ark_str_z(j->r.snapshot.name));
	ark_event_text(&e, "database", ark_str_z(j->r.target.name));
	ark_event_bool(&e, "production", a->config->production);
	ark_event_u64(&e, "rows", rows);
	ark_event_u64(&e, "files", j->bodies.place != NULL ? files : 0);
	ark_event_send(&e, a->talk);
}

static const char WANTED_SQL[] =
    "COPY (SELECT p FROM (SELECT path AS p FROM fileinfo UNION SELECT previewpath FROM fileinfo UNION SELECT thumbnailpath "
    "FROM fileinfo) x WHERE p <> '' ORDER BY p COLLATE \"C\") TO STDOUT";

/* Everything was loaded and compared: what does not belong goes, and so do the bodies of its files. */
static enum ark_rc leave_out(struct job *j, struct ark_err *err)
{
	const struct backup_config *c = j->r.a->config;
	ark_auto(db_closep) struct db_conn *conn = NULL;
	bool part = part_wanted(&j->part_options);
	enum ark_rc rc = restore_connect(&j->r, &conn, err);
	if (rc == ARK_OK && part)
		rc = part_finish(&j->part, conn, err);
	if (rc == ARK_OK && !c->with_purged)
		rc = again_purge(&j->r, c->ledger, &j->again, err);
	if (rc < 0 || (!part && j->again.files == 0))
		return rc;
	j->bodies.wanted = &j->wanted;
	j->bodies.only_wanted = part;
	return paths_copy(conn, part ? PART_FILES_SQL : WANTED_SQL, &j->wanted, err);
}

static enum ark_rc put_files(struct job *j, struct ark_err *err)
{
	struct app *a = j->r.a;
	uint64_t files, bytes = bodies_weight(&j->r.contents, &files);
	if (j->bodies.place == NULL)
		return ARK_OK;
	app_bar_begin(a, "writing files", "files", files, bytes);
	return bodies_put(&j->bodies, &j->r.target, err);
}

static enum ark_rc neutralise(struct job *j, struct ark_err *err)
{
	struct app *a = j->r.a;
	const char *place = j->bodies.place;
	if (a->config->production)
		return ARK_OK;
	app_bar_begin(a, "making a test installation", NULL, 0, 0);
	j->test = (struct testinst){ .opt = &a->config->test, .target = &j->r.target, .repo = &j->r.repo,
		.contents = &j->r.contents, .snapshot = j->r.snapshot.name, .take = take_proof, .ctx = j,
		.files = place != NULL && !is_bucket(place) ? j->bodies.name : NULL,
		.bucket = place != NULL && is_bucket(place) ? ark_buf_view(&j->bucket) : ARK_STR_NONE };
	return testinst_make(&j->test, err);
}

/* Production belongs to whom it belonged, a copy to whom the URL names; --owner beats both. */
static enum ark_rc own(struct job *j, struct ark_err *err)
{
	struct app *a = j->r.a;
	ark_auto(ark_buf_release) struct ark_buf missing;
	ark_buf_init(&missing, LIMIT_SQL);
	if (!a->config->production || a->config->owner != NULL)
		return target_own(&j->r.target, err);
	enum ark_rc rc = load_owners(&j->r.load, &missing, err);
	if (rc == ARK_END)
		ark_warn(a->talk, "restore.owners", "everything belongs to the role that restored it: there is no role %s here", missing.data);
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc publish_config(struct job *j, struct ark_err *err)
{
	return j->config.fd >= 0 ? io_publish_finish(&j->config, err) : ARK_OK;
}

/*
 * From the rename on it is there; what comes behind belongs to it and is made good by the same command again. A copy
 * keeps the files and the configuration of the one before until then. Production had none before it, and may be in
 * use from then on: all that comes behind is that the mark goes.
 */
static enum ark_rc publish(struct job *j, struct ark_err *err)
{
	bool production = j->r.a->config->production;
	enum ark_rc rc = write_config(j, err);
	if (rc == ARK_OK)
		rc = own(j, err);
	if (rc == ARK_OK && production)
		rc = bodies_sweep(&j->bodies, err);
	if (rc == ARK_OK && production)
		rc = publish_config(j, err);
	if (rc == ARK_OK)
		rc = target_publish(&j->r.target, err);
	if (rc == ARK_OK && !production)
		rc = publish_config(j, err);
	if (rc == ARK_OK && !production)
		rc = bodies_sweep(&j->bodies, err);
	return rc == ARK_OK ? bodies_finish(&j->bodies, &j->r.target, production ? NULL : j->test.diagnostic_id, err) : rc;
}

static void report(struct job *j)
{
	struct app *a = j->r.a;
	const struct bodies *b = &j->bodies;
	bool production = a->config->production;
	ark_auto(ark_buf_release) struct ark_buf where;
	ark_buf_init(&where, LIMIT_DSN);
	target_text(&j->r.target, &where);
	if (b->missing > 0)
		ark_warn(a->talk, "restore.missing", "%llu files were missing already when the snapshot was taken; 'show' names them",
		         (unsigned long long)b->missing);
	ark_info(a->talk, "restore.done", "%s: %s, %llu rows, %llu files", where.data,
	         production ? "production" : "a test installation", (unsigned long long)j->r.rows, (unsigned long long)b->files);
	if (j->again.newest_ms > 0) {
		char when[ARK_TIME_ISO];
		ark_time_iso(j->again.newest_ms, when);
		ark_info(a->talk, "restore.purged", "%llu messages that were purged since are left out; the newest purge known is of %s",
		         (unsigned long long)j->again.posts, when);
	}
	if (j->has_config)
		ark_info(a->talk, "restore.config", "the configuration is in '%s'", j->config_path);
	else
		ark_info(a->talk, "restore.config", "the snapshot has no configuration");
	if (!production)
		ark_info(a->talk, "restore.proof", "%llu counts are zero; %llu places name hosts, %llu variables have to stay unset",
		         (unsigned long long)j->zeros, (unsigned long long)j->hosts, (unsigned long long)j->variables);
	notify_headline(&a->told, "snapshot %s%s", j->r.snapshot.name, b->missing > 0 ? ", but files are missing" : "");
	notify_count(&a->told, "restored_rows", "rows", j->r.rows);
	notify_count(&a->told, "restored_files", "files", b->files);
	notify_count(&a->told, "restored_missing_files", "files missing", b->missing);
	struct ark_event e;
	ark_event_begin(&e, "summary", "restore.done");
	ark_event_text(&e, "snapshot", ark_str_z(j->r.snapshot.name));
	ark_event_text(&e, "database", ark_str_z(j->r.target.name));
	ark_event_bool(&e, "production", production);
	ark_event_u64(&e, "rows", j->r.rows);
	ark_event_u64(&e, "files", b->files);
	ark_event_u64(&e, "file_bytes", b->bytes);
	ark_event_u64(&e, "missing", b->missing);
	ark_event_u64(&e, "removed", b->removed);
	ark_event_u64(&e, "purged", j->again.posts);
	if (j->again.newest_ms > 0)
		ark_event_time(&e, "newest_purge", j->again.newest_ms);
	ark_event_text(&e, "configuration", j->has_config ? ark_str_z(j->config_path) : ARK_STR_NONE);
	ark_event_i64(&e, "load_ms", j->r.load_ms);
	ark_event_i64(&e, "compare_ms", j->r.compare_ms);
	ark_event_send(&e, a->talk);
}

int run_restore(struct app *a, struct ark_err *err)
{
	ark_auto(job_release) struct job j = { .config = IO_PUBLISH_NONE, .wanted = IO_SPOOL_NONE };
	enum ark_rc rc = check_options(a->config, err);
	if (rc == ARK_OK)
		rc = restore_open(&j.r, a, err);
	if (rc == ARK_OK)
		rc = look(&j, err);
	if (rc < 0)
		return rc;
	if (j.was_there) {
		say_finished(&j);
		return ARK_EXIT_DONE;
	}
	say_plan(&j);
	if (a->config->dry_run)
		return ARK_EXIT_DONE;
	rc = restore_database(&j.r, err);
	if (rc == ARK_OK)
		rc = leave_out(&j, err);
	if (rc == ARK_OK)
		rc = load_finish(&j.r.load, err);
	if (rc == ARK_OK)
		rc = put_files(&j, err);
	if (rc == ARK_OK)
		rc = neutralise(&j, err);
	if (rc == ARK_OK)
		rc = publish(&j, err);
	app_bar_end(a);
	if (rc < 0)
		return rc;
	report(&j);
	return j.bodies.missing > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

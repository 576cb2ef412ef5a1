/*
 * One snapshot, in the order that makes it consistent: tables locked, then the database's snapshot, rows
 * and the list of files from it; then files, which are written before their rows and never changed; then
 * what may change; then the configuration; at last the snapshot's file, which is the commit.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backup/app.h"
#include "backup/dump.h"
#include "backup/files.h"
#include "backup/repo/inside.h"
#include "backup/repo/intent.h"
#include "backup/repo/listing.h"
#include "backup/repo/local.h"
#include "backup/repo/pack.h"
#include "backup/rows/copy.h"
#include "backup/rows/dictionary.h"
#include "backup/settings.h"
#include "backup/source.h"
#include "common/base/fail.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"
#include "common/db/text.h"
#include "common/io/frame.h"
#include "common/repo/format.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define WATCH_MS 250          /* between two looks at who waits for us */
#define LOCK_PAUSE_MS 2000    /* after making way */
#define SCHEMA_MAX (256u << 20)
#define TABLE_LEVEL 3

struct create {
	struct app *a;
	struct db_options db;
	struct source source;
	struct dump_program pg_dump;
	struct filestore *store;
	struct intent intent;
	struct condemned condemned;
	struct pack_writer *writer;
	struct pack_tools *tools;
	bool has_previous, has_previous_files;
	struct repo_contents previous;
	struct repo_contents previous_files; /* the newest one that has files */
	struct io_dict *dict;
	struct repo_id dict_id;
	bool has_dict, same_dict;
	struct copy_table *tables;
	size_t table_count;
	struct ark_pool pool;
	struct ark_buf facts;        /* text of the parts that are known so far */
	struct repo_id *objects;     /* for the root */
	size_t object_count;
	struct io_spool named;
	uint64_t named_count;
	struct settings settings;
	struct repo_snapshot snapshot;
	uint64_t reused;
	int64_t begun_ms;
};

static void create_release(struct create *c)
{
	source_close(&c->source);
	filestore_close(c->store);
	pack_tools_free(c->tools);
	pack_close(c->writer);
	repo_contents_release(&c->previous);
	repo_contents_release(&c->previous_files);
	io_dict_free(c->dict);
	free(c->tables);
	free(c->objects);
	ark_pool_release(&c->pool);
	ark_buf_release(&c->facts);
	io_spool_close(&c->named);
	settings_release(&c->settings);
	condemned_release(&c->condemned);
	intent_release(&c->intent);
}

/* --- what the snapshot consists of ------------------------------------------------------------------ */

static void keep_object(struct create *c, const struct repo_id *id)
{
	c->objects = ark_realloc(c->objects, c->object_count + 1, sizeof(*id));
	c->objects[c->object_count++] = *id;
}

/* A part whose object is no list. */
static void add_part(struct create *c, const struct repo_part *p)
{
	repo_part_write(p, &c->facts);
	if (p->has_id)
		keep_object(c, &p->id);
}

static void add_source(struct create *c, const char *name, struct ark_str value)
{
	struct repo_part p = { .kind = REPO_PART_SOURCE, .name = ark_str_z(name), .value = value };
	if (ark_str_has(value) && value.len > 0)
		add_part(c, &p);
}

/* Who owns something or may use it: what has to be there before the part "owners" can be run. */
static const char ROLES[] =
    "SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname COLLATE \"C\") FROM pg_catalog.pg_roles WHERE oid IN ("
    "SELECT s.refobjid FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid "
    "WHERE d.datname = current_database() AND s.refclassid = 'pg_catalog.pg_authid'::regclass "
    "UNION SELECT s.setrole FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase "
    "WHERE d.datname = current_database() UNION SELECT a.grantee FROM pg_catalog.pg_database d CROSS JOIN LATERAL "
    "pg_catalog.aclexplode(d.datacl) a WHERE d.datname = current_database() AND a.grantee <> d.datdba "
    "UNION SELECT c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')";

/* Facts that tell this source from every other; those that may not be asked for are left out. */
static enum ark_rc describe_source(struct create *c, struct ark_err *err)
{
	static const struct {
		const char *name, *sql;
	} ASKED[] = {
		{ "system_identifier", "SELECT system_identifier::text FROM pg_control_system()" },
		{ "database", "SELECT current_database()::text" },
		{ "server_version", "SELECT current_setting('server_version')" },
		{ "database_encoding", "SELECT current_setting('server_encoding')" },
		{ "schema_version", "SELECT max(version)::text FROM db_migrations" },
		{ "diagnostic_id", "SELECT value::text FROM systems WHERE name = 'DiagnosticId'" },
		{ "roles", ROLES },
		{ "not_stored", SOURCE_NOT_STORED_SQL },
	};
	char host[256] = "";
	for (size_t i = 0; i < sizeof(ASKED) / sizeof(ASKED[0]); i++) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		enum ark_rc rc = db_query(c->source.conn, ASKED[i].sql, DB_NO_PARAMS, &res, err);
		if (rc == ARK_STOP)
			return rc;
		if (rc == ARK_OK && db_rows(res) > 0)
			add_source(c, ASKED[i].name, db_value(res, 0, 0));
	}
	gethostname(host, sizeof(host) - 1);
	add_source(c, "host", ark_str_z(host));
	add_source(c, "database_host", db_host(c->source.conn));
	add_source(c, "database_port", db_port(c->source.conn));
	add_source(c, "files", ark_str_z(c->store != NULL ? filestore_name(c->store) : ""));
	if (c->a->place.where.config != NULL)
		add_source(c, "site_url", json_small_str(c->a->place.where.config, "ServiceSettings.SiteURL"));
	return ARK_OK;
}

/* --- beginning --------------------------------------------------------------------------------------- */

static enum ark_rc open_place(struct create *c, struct ark_err *err)
{
	struct app *a = c->a;
	struct mm_place_how how = { .app = "matter-backup", .has_files = true, .interrupted = ark_interrupted };
	enum ark_rc rc = mm_place_find(&a->place, &a->config->place, a->args, &how, err);
	if (rc == ARK_OK)
		rc = mm_place_open(&a->place, NULL, err);
	if (rc < 0)
		return rc;
	const struct mm_files *files = &a->place.where.files;
	if (a->config->without_files)
		return ARK_OK;
	if (files->kind == MM_FILES_NONE) {
		ark_err_set(err, ARK_KIND_MISSING, "it is not known where the files are%s%s",
		            files->problem[0] != '\0' ? ": " : "", files->problem);
		ark_err_hint(err, "--files names the file store; --without-files leaves it out");
		return ARK_FAIL;
	}
	return filestore_open(files, &c->a->config->s3, &c->store, err);
}

struct search {
	struct create *c;
	enum ark_rc rc;
	struct ark_err err;
};

static void *find_pg_dump(void *arg)
{
	struct search *s = arg;
	int major = db_server_version(s->c->source.conn) / 10000;
	s->rc = dump_find(s->c->a->config->pg_dump, major, &s->c->pg_dump, &s->err);
	return NULL;
}

/* Programs are asked for their versions while the server is asked what it is. */
static enum ark_rc open_source(struct create *c, struct ark_err *err)
{
	struct search search = { .c = c };
	pthread_t thread;
	c->db = (struct db_options){ .app = "matter-backup", .interrupted = ark_interrupted };
	enum ark_rc rc = source_open(&c->source, c->a->place.dsn.data, &c->db, err);
	if (rc < 0)
		return rc;
	if (pthread_create(&thread, NULL, find_pg_dump, &search) != 0)
		return ark_err_stop(err, ARK_KIND_MEMORY, "cannot start a thread");
	rc = describe_source(c, err);
	pthread_join(thread, NULL);
	if (rc == ARK_OK && search.rc < 0) {
		*err = search.err;
		rc = search.rc;
	}
	return rc;
}

/* One that was taken without files in between is no reason to read all of them again. */
static enum ark_rc find_previous_files(struct create *c, const struct repo_snapshots *all, struct ark_err *err)
{
	for (size_t i = all->count; i-- > 0 && c->store != NULL && !c->has_previous_files;) {
		enum ark_rc rc = repo_contents_read(c->a->repo, &all->items[i], &c->previous_files, err);
		if (rc == ARK_STOP)
			return rc;
		c->has_previous_files = rc == ARK_OK &&
		                        repo_part_find(&c->previous_files, REPO_PART_FILES, "referenced") != NULL;
		if (!c->has_previous_files)
			repo_contents_release(&c->previous_files);
	}
	return ARK_OK;
}

/* The newest snapshot: what it has is not stored again. */
static enum ark_rc find_previous(struct create *c, struct ark_err *err)
{
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	uint64_t bad = 0;
	enum ark_rc rc = repo_snapshots_read(c->a->repo, &all, &bad, err);
	if (rc < 0)
		return rc;
	if (bad > 0)
		ark_warn(c->a->talk, "backup.damaged_snapshot", "%llu snapshots are damaged; 'verify' names them",
		         (unsigned long long)bad);
	rc = find_previous_files(c, &all, err);
	if (rc < 0)
		return rc;
	for (size_t i = all.count; i-- > 0 && !c->has_previous;) {
		rc = repo_contents_read(c->a->repo, &all.items[i], &c->previous, err);
		if (rc == ARK_STOP)
			return rc;
		c->has_previous = rc == ARK_OK;
	}
	if (all.count > 0 && !c->has_previous)
		ark_warn(c->a->talk, "backup.no_previous", "the snapshots before cannot be read (%s); reading everything",
		         err->text);
	return ARK_OK;
}

static enum ark_rc open_repository(struct create *c, struct ark_err *err)
{
	struct app *a = c->a;
	enum ark_rc rc = app_tidy(a, err);
	if (rc == ARK_OK)
		rc = intent_begin(a->repo, "create", &c->intent, &c->condemned, err);
	if (rc == ARK_OK)
		rc = repo_load_without(a->repo, &c->condemned.packs, err);
	if (rc == ARK_OK)
		rc = find_previous(c, err);
	if (rc == ARK_OK)
		rc = pack_open(a->repo, &c->intent, &c->condemned.packs, &c->writer, err);
	if (rc == ARK_OK)
		c->tools = pack_tools_new(c->writer);
	return rc;
}

/* --- rows --------------------------------------------------------------------------------------------- */

/* The one of the snapshot before, or a new one. */
static enum ark_rc choose_dictionary(struct create *c, struct ark_err *err)
{
	const struct repo_part *old =
	    c->has_previous ? repo_part_find(&c->previous, REPO_PART_DICTIONARY, NULL) : NULL;
	ark_auto(ark_buf_release) struct ark_buf bytes = { 0 };
	ark_buf_init(&bytes, LIMIT_REPO_SMALL);
	enum ark_rc rc = ARK_END;
	if (old != NULL && old->has_id && pack_knows(c->writer, &old->id))
		rc = repo_read(c->a->repo, &old->id, &bytes, err);
	c->same_dict = rc == ARK_OK;
	if (rc != ARK_OK) {
		ark_buf_reset(&bytes);
		rc = dictionary_train(&c->source, &bytes, err);
	}
	if (rc != ARK_OK)
		return rc == ARK_END ? ARK_OK : rc;
	io_dict_free(c->dict);
	c->dict = NULL;
	rc = io_dict_new(ark_buf_view(&bytes), TABLE_LEVEL, &c->dict, err);
	if (rc == ARK_OK)
		rc = pack_put(c->tools, ark_buf_view(&bytes), PACK_MIRROR, &c->dict_id, err);
	c->has_dict = rc == ARK_OK;
	pack_use_dictionary(c->writer, c->dict);
	return rc;
}

static const struct repo_part *old_table(const struct create *c, struct ark_str schema, struct ark_str name,
                                         struct ark_str columns)
{
	for (size_t i = 0; c->has_previous && i < c->previous.count; i++) {
		const struct repo_part *p = &c->previous.parts[i];
		if (p->kind == REPO_PART_TABLE && ark_str_eq(p->schema, schema) && ark_str_eq(p->name, name) &&
		    ark_str_eq(p->columns, columns) && p->has_id)
			return p;
	}
	return NULL;
}

static struct ark_str table_label(struct create *c, const struct source_table *t)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	ark_buf_fmt(&text, "%.*s.%.*s", ARK_FMT(t->schema), ARK_FMT(t->name));
	return ark_pool_str(&c->pool, ark_buf_view(&text));
}

static void plan_tables(struct create *c)
{
	const struct source *s = &c->source;
	free(c->tables);
	c->tables = ark_calloc(s->table_count + 1, sizeof(*c->tables));
	c->table_count = 0;
	for (size_t i = 0; i < s->table_count; i++) {
		const struct source_table *t = &s->tables[i];
		struct copy_table *out = &c->tables[c->table_count++];
		const struct repo_part *old = old_table(c, t->schema, t->name, t->columns);
		*out = (struct copy_table){ .label = table_label(c, t), .key = t->key, .weight = t->weight };
		source_reading(t, &c->pool, &out->sql, out->second);
		out->has_previous = old != NULL && (c->same_dict || !c->has_dict);
		if (out->has_previous)
			out->previous = old->id;
	}
	if (s->large_objects > 0) {
		const struct repo_part *old = c->has_previous ? repo_part_find(&c->previous, REPO_PART_LARGE, NULL) : NULL;
		struct copy_table *out = &c->tables[c->table_count++];
		*out = (struct copy_table){ .label = ARK_LIT("large objects"), .sql = SOURCE_LARGE_SQL,
			                    .key = { .fields = { 0, 1 }, .count = 2 } };
		out->has_previous = old != NULL && old->has_id && c->same_dict;
		if (out->has_previous)
			out->previous = old->id;
	}
}

struct schema_thread {
	struct create *c;
	pthread_t thread;
	struct dump_job job;
	_Atomic bool stop;
	enum ark_rc rc;
	struct ark_err err;
};

static void *dump_schema(void *arg)
{
	struct schema_thread *t = arg;
	t->rc = dump_run(&t->job, &t->err);
	return NULL;
}

static enum ark_rc schema_begin(struct schema_thread *t, struct create *c, struct ark_err *err)
{
	*t = (struct schema_thread){ .c = c };
	t->job = (struct dump_job){ .program = &c->pg_dump, .dsn = c->a->place.dsn.data,
		                    .snapshot = c->source.snapshot, .stop = &t->stop };
	for (int i = 0; i < DUMP_TEXTS; i++)
		ark_buf_init(&t->job.out[i], SCHEMA_MAX);
	if (pthread_create(&t->thread, NULL, dump_schema, t) != 0)
		return ark_err_stop(err, ARK_KIND_MEMORY, "cannot start a thread");
	return ARK_OK;
}

static void schema_release(struct schema_thread *t)
{
	for (int i = 0; i < DUMP_TEXTS; i++)
		ark_buf_release(&t->job.out[i]);
}

static enum ark_rc store_schema(struct create *c, struct schema_thread *t, struct ark_err *err)
{
	static const char *const NAMES[DUMP_TEXTS] = {
		[DUMP_PRE_DATA] = "pre-data", [DUMP_POST_DATA] = "post-data", [DUMP_OWNERS] = "owners",
	};
	enum ark_rc rc = source_extras(&c->source, &t->job.out[DUMP_OWNERS], err);
	for (int i = 0; i < DUMP_TEXTS && rc == ARK_OK; i++) {
		struct repo_part p = { .kind = REPO_PART_SCHEMA, .name = ark_str_z(NAMES[i]), .has_id = true };
		rc = pack_put(c->tools, ark_buf_view(&t->job.out[i]), 0, &p.id, err);
		if (rc == ARK_OK)
			add_part(c, &p);
	}
	return rc;
}

/* Sequences are not part of a database's snapshot; ahead of it they do no harm. */
static enum ark_rc store_sequences(struct create *c, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL, *views = NULL;
	enum ark_rc rc = db_query(c->source.conn,
	                          "SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname) "
	                          "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
	                          "WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname "
	                          "<> 'information_schema' ORDER BY 1, 2", DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		ark_auto(db_result_freep) struct db_result *one = NULL;
		char sql[512];
		snprintf(sql, sizeof(sql), "SELECT last_value::text, is_called FROM %.*s", ARK_FMT(db_value(res, i, 2)));
		rc = db_query_one(c->source.conn, sql, DB_NO_PARAMS, &one, err);
		if (rc < 0)
			return rc;
		struct repo_part p = { .kind = REPO_PART_SEQUENCE, .schema = db_value(res, i, 0),
			               .name = db_value(res, i, 1), .value = db_value(one, 0, 0),
			               .called = db_bool(one, 0, 1) };
		add_part(c, &p);
	}
	/* a view can only build on older ones, so the order of making is one of refreshing */
	if (rc == ARK_OK)
		rc = db_query(c->source.conn,
		              "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
		              "n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated AND n.nspname !~ '^pg_' "
		              "ORDER BY c.oid", DB_NO_PARAMS, &views, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(views); i++) {
		struct repo_part p = { .kind = REPO_PART_REFRESH, .schema = db_value(views, i, 0),
			               .name = db_value(views, i, 1) };
		add_part(c, &p);
	}
	return rc;
}

static void cancel_readers(struct create *c, struct copy_job *job)
{
	for (size_t i = 0; i < sizeof(job->pids) / sizeof(job->pids[0]); i++) {
		char sql[64];
		struct ark_err err = { 0 };
		int pid = job->pids[i];
		snprintf(sql, sizeof(sql), "SELECT pg_cancel_backend(%d)", pid);
		if (pid != 0)
			(void)db_exec(c->source.conn, sql, &err);
	}
}

/* Wait for the copy; *yield when somebody waits for a lock because of us. */
static enum ark_rc watch(struct create *c, struct copy_job *job, struct copy_run *run, bool *yield,
                         struct ark_err *err)
{
	uint64_t told = 0, told_bytes = 0;
	enum ark_rc rc = ARK_OK;
	while (!copy_done(run, WATCH_MS)) {
		uint64_t rows = job->rows_done, bytes = job->bytes_done;
		ark_progress_add(&c->a->bar, rows - told, bytes - told_bytes);
		ark_progress_tick(&c->a->bar);
		told = rows;
		told_bytes = bytes;
		if (rc < 0 || *yield || job->stop)
			continue;
		rc = ark_interrupt_check(err);
		if (rc == ARK_OK)
			rc = source_waited_for(&c->source, yield, err);
		if (rc < 0 || *yield) {
			job->stop = true;
			cancel_readers(c, job);
		}
	}
	return rc;
}

static enum ark_rc copy_rows(struct create *c, bool *yield, struct ark_err *err)
{
	struct copy_job job = {
		.r = c->a->repo, .writer = c->writer, .dsn = c->a->place.dsn.data, .db = &c->db,
		.snapshot = c->source.snapshot, .tables = c->tables, .count = c->table_count,
		.readers = (unsigned)c->a->config->jobs, .workers = 2,
	};
	struct schema_thread schema;
	struct copy_run *run;
	struct ark_err watched = { 0 };
	uint64_t weight = 0;
	for (size_t i = 0; i < c->table_count; i++)
		weight += c->tables[i].weight;
	enum ark_rc rc = schema_begin(&schema, c, err);
	if (rc < 0) {
		schema_release(&schema);
		return rc;
	}
	app_bar_begin(c->a, "reading rows", "rows", 0, weight);
	rc = copy_start(&job, &run, err);
	if (rc == ARK_OK) {
		enum ark_rc seen = watch(c, &job, run, yield, &watched);
		schema.stop = seen < 0 || *yield || job.stop;
		rc = copy_finish(run, err);
		if (seen < 0) {
			rc = seen;
			*err = watched;
		}
	}
	schema.stop = schema.stop || rc < 0;
	pthread_join(schema.thread, NULL);
	if (*yield)
		rc = ARK_OK;
	else if (rc == ARK_OK && schema.rc < 0) {
		rc = schema.rc;
		*err = schema.err;
	}
	if (rc == ARK_OK && !*yield)
		rc = store_schema(c, &schema, err);
	schema_release(&schema);
	return rc;
}

/* Everything between BEGIN and COMMIT. ARK_END: made way for somebody. */
static enum ark_rc frozen(struct create *c, struct ark_err *err)
{
	bool yield = false;
	size_t facts = c->facts.len, objects = c->object_count;
	enum ark_rc rc = source_freeze(&c->source, c->a->config->lock_wait, err);
	if (rc != ARK_OK)
		return rc;
	rc = choose_dictionary(c, err);
	if (rc == ARK_OK)
		rc = store_sequences(c, err);
	if (rc == ARK_OK && c->store != NULL) {
		io_spool_close(&c->named);
		c->named = IO_SPOOL_NONE;
		rc = files_spool(c->source.conn, &c->named, &c->named_count, err);
	}
	if (rc == ARK_OK) {
		plan_tables(c);
		rc = copy_rows(c, &yield, err);
	}
	if (rc == ARK_OK && !yield)
		return source_thaw(&c->source, err);
	db_txn_end(&c->source.txn);
	if (yield) {
		ark_buf_cut(&c->facts, facts);
		c->object_count = objects;
		rc = ARK_END;
	}
	return rc;
}

static enum ark_rc read_database(struct create *c, struct ark_err *err)
{
	for (int64_t attempt = 1;; attempt++) {
		enum ark_rc rc = frozen(c, err);
		if (rc != ARK_END)
			return rc;
		if (attempt >= c->a->config->lock_tries) {
			ark_err_set(err, ARK_KIND_LOCKED, "tables are being changed: made way %lld times", (long long)attempt);
			ark_err_hint(err, "nothing is lost of what was stored; the next run finds it");
			return ARK_FAIL;
		}
		ark_info(c->a->talk, "backup.made_way", "somebody changes tables; beginning again in a moment");
		for (int waited = 0; waited < LOCK_PAUSE_MS; waited += 100) {
			usleep(100000);
			rc = ark_interrupt_check(err);
			if (rc < 0)
				return rc;
		}
	}
}

static const struct source_table *source_of(const struct create *c, struct ark_str label, struct ark_buf *space)
{
	for (size_t i = 0; i < c->source.table_count; i++) {
		const struct source_table *t = &c->source.tables[i];
		ark_buf_reset(space);
		ark_buf_fmt(space, "%.*s.%.*s", ARK_FMT(t->schema), ARK_FMT(t->name));
		if (ark_str_eq(ark_buf_view(space), label))
			return t;
	}
	return NULL;
}

/* --- after the transaction ----------------------------------------------------------------------------- */

static enum ark_rc add_list(struct create *c, struct listing *root, const struct repo_part *p, struct ark_err *err)
{
	struct repo_item item = { .kind = REPO_ITEM_LIST, .id = p->id, .rows = p->rows, .bytes = p->bytes };
	repo_part_write(p, &c->facts);
	return p->has_id ? listing_add(root, &item, err) : ARK_OK;
}

static enum ark_rc add_tables(struct create *c, struct listing *root, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf space = { 0 };
	enum ark_rc rc = ARK_OK;
	ark_buf_init(&space, LIMIT_REPO_SMALL);
	for (size_t i = 0; i < c->table_count && rc == ARK_OK; i++) {
		const struct copy_table *t = &c->tables[i];
		const struct source_table *from = source_of(c, t->label, &space);
		struct repo_part p = { .kind = from != NULL ? REPO_PART_TABLE : REPO_PART_LARGE, .has_id = !t->empty,
			               .id = t->list, .rows = t->rows, .bytes = t->bytes, .digest = t->digest };
		if (from != NULL) {
			p.schema = from->schema;
			p.name = from->name;
			p.columns = from->columns;
			p.order = from->order;
			c->snapshot.tables++;
		}
		c->snapshot.rows += t->rows;
		c->snapshot.row_bytes += t->bytes;
		c->reused += t->reused;
		rc = add_list(c, root, &p, err);
	}
	return rc;
}

static enum ark_rc add_files(struct create *c, struct listing *root, struct ark_err *err)
{
	struct files_job job = { .r = c->a->repo, .tools = c->tools, .store = c->store, .bar = &c->a->bar,
		                 .talk = c->a->talk, .previous = c->has_previous_files ? &c->previous_files : NULL };
	struct repo_part p;
	if (c->store == NULL)
		return ARK_OK;
	app_bar_begin(c->a, "files", "files", c->named_count, 0);
	enum ark_rc rc = files_referenced(&job, &c->named, &p, err);
	if (rc == ARK_OK)
		rc = add_list(c, root, &p, err);
	if (rc == ARK_OK)
		rc = files_mutable(&job, &p, err);
	if (rc == ARK_OK)
		rc = add_list(c, root, &p, err);
	if (rc == ARK_OK && c->a->config->all_files)
		rc = files_other(&job, &c->named, &p, err);
	if (rc == ARK_OK && c->a->config->all_files)
		rc = add_list(c, root, &p, err);
	c->snapshot.files = job.files - job.missing;
	c->snapshot.file_bytes = job.bytes;
	c->snapshot.missing = job.missing;
	c->snapshot.all_files = c->a->config->all_files;
	return rc;
}

/* Names are in the order of the snapshots, also of several in one second: milliseconds come before what makes
 * the name unique. */
static void name_snapshot(struct repo_snapshot *s)
{
	struct ark_civil t = ark_time_civil(s->taken_ms);
	unsigned char random[8];
	char hex[17];
	unsigned ms = (unsigned)(s->taken_ms % 1000);
	crypt_random(random, sizeof(random));
	random[0] = (unsigned char)(ms >> 8);
	random[1] = (unsigned char)(ms & 0xff);
	crypt_hex(random, sizeof(random), hex);
	snprintf(s->name, sizeof(s->name), "%04d%02d%02dT%02d%02d%02dZ-%s", t.year % 10000, t.month % 100, t.day % 100,
	         t.hour % 100, t.minute % 100, t.second % 100, hex);
}

static enum ark_rc commit(struct create *c, struct listing *root, struct ark_err *err)
{
	struct repo_snapshot *s = &c->snapshot;
	struct repo_part dict = { .kind = REPO_PART_DICTIONARY, .has_id = true, .id = c->dict_id };
	uint64_t rows, bytes;
	bool empty;
	enum ark_rc rc = ARK_OK;
	if (c->has_dict)
		add_part(c, &dict);
	for (size_t i = 0; i < c->settings.count; i++)
		add_part(c, &c->settings.parts[i]);
	rc = ark_buf_ok(&c->facts, "the contents", err);
	if (rc == ARK_OK)
		rc = pack_put(c->tools, ark_buf_view(&c->facts), PACK_MIRROR, &s->contents, err);
	if (rc == ARK_OK)
		keep_object(c, &s->contents);
	for (size_t i = 0; i < c->object_count && rc == ARK_OK; i++) {
		struct repo_item item = { .kind = REPO_ITEM_OBJECT, .id = c->objects[i] };
		rc = listing_add(root, &item, err);
	}
	if (rc == ARK_OK)
		rc = listing_finish(root, &s->root, &rows, &bytes, &empty, err);
	if (rc == ARK_OK)
		rc = pack_flush(c->writer, err);
	if (rc < 0)
		return rc;
	s->taken_ms = c->source.taken_ms;
	s->finished_ms = ark_time_now_ms();
	s->added_bytes = pack_added(c->writer);
	snprintf(s->tool, sizeof(s->tool), "%s", MATTERARK_VERSION);
	name_snapshot(s);
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	char key[REPO_KEY_MAX];
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	repo_snapshot_write(s, &text);
	snprintf(key, sizeof(key), REPO_DIR_SNAPSHOTS "%s", s->name);
	rc = inside_keep(repo_keep(c->a->repo), repo_encrypted(c->a->repo), err);
	if (rc == ARK_OK)
		rc = ark_interrupt_check(err);
	return rc < 0 ? rc : repo_keep_put(repo_keep(c->a->repo), key, ark_buf_view(&text), REPO_KEEP_FIRST, err);
}

/* --- telling --------------------------------------------------------------------------------------------- */

static void say_done(struct create *c)
{
	const struct repo_snapshot *s = &c->snapshot;
	struct ark_talk *talk = c->a->talk;
	ark_info(talk, "backup.created",
	         "snapshot %s: %llu rows of %llu tables, %llu files, %llu missing; added %llu bytes", s->name,
	         (unsigned long long)s->rows, (unsigned long long)s->tables, (unsigned long long)s->files,
	         (unsigned long long)s->missing, (unsigned long long)s->added_bytes);
	struct notify_book *told = &c->a->told;
	notify_headline(told, "snapshot %s%s", s->name, s->missing > 0 ? ", but files are missing" : "");
	notify_count(told, "snapshot_tables", "tables", s->tables);
	notify_count(told, "snapshot_rows", "rows", s->rows);
	notify_count(told, "snapshot_row_bytes", "bytes of rows", s->row_bytes);
	notify_count(told, "snapshot_files", "files", s->files);
	notify_count(told, "snapshot_file_bytes", "bytes of files", s->file_bytes);
	notify_count(told, "snapshot_missing_files", "files missing", s->missing);
	notify_count(told, "added_bytes", "bytes added to the repository", s->added_bytes);
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.created");
	ark_event_text(&e, "snapshot", ark_str_z(s->name));
	ark_event_time(&e, "taken", s->taken_ms);
	ark_event_u64(&e, "tables", s->tables);
	ark_event_u64(&e, "rows", s->rows);
	ark_event_u64(&e, "row_bytes", s->row_bytes);
	ark_event_u64(&e, "files", s->files);
	ark_event_u64(&e, "file_bytes", s->file_bytes);
	ark_event_u64(&e, "missing", s->missing);
	ark_event_u64(&e, "added_bytes", s->added_bytes);
	ark_event_u64(&e, "segments_reused", c->reused);
	ark_event_bool(&e, "all_files", s->all_files);
	ark_event_bool(&e, "configuration", c->settings.found);
	ark_event_send(&e, talk);
}

static int dry_run(struct create *c, struct ark_err *err)
{
	enum ark_rc rc = source_freeze(&c->source, c->a->config->lock_wait, err);
	if (rc == ARK_END)
		return ark_err_set(err, ARK_KIND_LOCKED, "tables are being changed just now");
	if (rc == ARK_OK && c->store != NULL)
		rc = files_spool(c->source.conn, &c->named, &c->named_count, err);
	if (rc < 0)
		return rc;
	uint64_t weight = 0;
	for (size_t i = 0; i < c->source.table_count; i++)
		weight += c->source.tables[i].weight;
	ark_out(c->a->talk, "would store %zu tables of %llu bytes, %llu files that rows name%s, from '%s' into '%s'",
	        c->source.table_count, (unsigned long long)weight, (unsigned long long)c->named_count,
	        c->a->config->all_files ? " and all others" : "", c->store != NULL ? filestore_name(c->store) : "no file store",
	        repo_keep_name(repo_keep(c->a->repo)));
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.plan");
	ark_event_u64(&e, "tables", c->source.table_count);
	ark_event_u64(&e, "table_bytes", weight);
	ark_event_u64(&e, "files", c->named_count);
	ark_event_send(&e, c->a->talk);
	return ARK_EXIT_DONE;
}

static enum ark_rc after_rows(struct create *c, struct ark_err *err)
{
	ark_auto(listing_freep) struct listing *root = listing_new(c->tools);
	enum ark_rc rc = add_tables(c, root, err);
	if (rc == ARK_OK)
		rc = add_files(c, root, err);
	if (rc == ARK_OK)
		rc = settings_store(&c->settings, &c->a->place, c->source.conn, c->tools, err);
	if (rc == ARK_OK)
		rc = commit(c, root, err);
	return rc;
}

int run_create(struct app *a, struct ark_err *err)
{
	ark_auto(create_release) struct create c = { .a = a, .named = IO_SPOOL_NONE, .intent = INTENT_NONE };
	c.begun_ms = ark_time_now_ms();
	ark_buf_init(&c.facts, LIMIT_REPO_INDEX);
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = open_place(&c, err);
	if (rc == ARK_OK)
		rc = open_source(&c, err);
	if (rc < 0 || a->config->dry_run)
		return rc < 0 ? rc : dry_run(&c, err);
	rc = open_repository(&c, err);
	if (rc == ARK_OK)
		rc = read_database(&c, err);
	if (rc == ARK_OK)
		rc = after_rows(&c, err);
	app_bar_end(a);
	if (rc < 0)
		return rc;
	/* the snapshot stands; what follows only tidies up */
	if (repo_encrypted(a->repo) && local_mirror_trim(a->repo, c.begun_ms, err) < 0)
		ark_warn(a->talk, "backup.mirror", "%s", err->text);
	if (intent_end(&c.intent, err) < 0)
		ark_warn(a->talk, "backup.intent", "%s", err->text);
	if (!c.settings.found)
		ark_info(a->talk, "backup.no_configuration", "no configuration of Mattermost was found");
	say_done(&c);
	return c.snapshot.missing > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

/*
 * Everything of a snapshot as one tar file for people: schema and rows as SQL and COPY text in the order in which
 * they are loaded, the files under their paths, the configuration.
 */
#include <stdio.h>

#include "backup/app.h"
#include "backup/repo/inside_text.h"
#include "common/base/limits.h"
#include "common/cli/signal.h"
#include "common/db/text.h"
#include "common/io/tar.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

struct extract {
	struct app *a;
	struct io_tar *tar;
	const struct repo_snapshot *s;
	struct ark_buf load; /* load.sql: how psql puts it together */
	struct ark_buf name;
	unsigned configs;
	uint64_t files, missing;
};

static enum ark_rc add_bytes(struct extract *x, const char *name, struct ark_str bytes, struct ark_err *err)
{
	enum ark_rc rc = io_tar_entry(x->tar, name, bytes.len, x->s->taken_ms, err);
	return rc < 0 ? rc : io_tar_add(x->tar, bytes.ptr, bytes.len, err);
}

static enum ark_rc add_object(struct extract *x, const char *name, const struct repo_part *p, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf bytes = { 0 };
	ark_buf_init(&bytes, LIMIT_REPO_OBJECT);
	enum ark_rc rc = repo_read(x->a->repo, &p->id, &bytes, err);
	return rc < 0 ? rc : add_bytes(x, name, ark_buf_view(&bytes), err);
}

/* A name of the database as part of a file's name: what is neither letter nor digit becomes '_'. */
static void plain_name(struct ark_buf *out, struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		ark_buf_c(out, good ? c : '_');
	}
}

static void qualified(struct ark_buf *out, const struct repo_part *p)
{
	db_ident(out, p->schema);
	ark_buf_c(out, '.');
	db_ident(out, p->name);
}

/* What load.sql does with the rows in the file x->name. */
static void load_rows(struct extract *x, const struct repo_part *p)
{
	if (p->kind == REPO_PART_LARGE) {
		ark_buf_fmt(&x->load, "create temp table large_pages (o oid, at int8, page bytea);\n\\copy large_pages from '%s'\n",
		            x->name.data);
		ark_buf_z(&x->load, "select count(lo_create(o)) from (select distinct o from large_pages) x;\n"
		                    "select count(*) from (select lo_put(o, at, page) from large_pages where length(page) > 0) x;\n");
		return;
	}
	ark_buf_z(&x->load, "\\copy ");
	qualified(&x->load, p);
	ark_buf_fmt(&x->load, " (%.*s) from '%s'\n", ARK_FMT(p->columns), x->name.data);
}

static enum ark_rc add_table(struct extract *x, const struct repo_part *p, unsigned number, struct ark_err *err)
{
	ark_auto(repo_rows_freep) struct repo_rows *rows = repo_rows_new(x->a->repo);
	struct ark_str text;
	ark_buf_reset(&x->name);
	ark_buf_fmt(&x->name, "rows/%04u_", number);
	plain_name(&x->name, p->schema);
	ark_buf_c(&x->name, '_');
	plain_name(&x->name, p->kind == REPO_PART_LARGE ? ARK_LIT("large_objects") : p->name);
	ark_buf_z(&x->name, ".copy");
	load_rows(x, p);
	enum ark_rc rc = io_tar_entry(x->tar, x->name.data, p->bytes, x->s->taken_ms, err);
	repo_rows_begin(rows, p);
	while (rc == ARK_OK && (rc = repo_rows_next(rows, &text, err)) == ARK_OK) {
		rc = io_tar_add(x->tar, text.ptr, text.len, err);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

static enum ark_rc take_body(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	return io_tar_add(ctx, ptr, len, err);
}

static enum ark_rc add_files(struct extract *x, const struct repo_part *p, struct ark_err *err)
{
	ark_auto(repo_files_freep) struct repo_files *files = repo_files_new(x->a->repo);
	struct repo_file f;
	enum ark_rc rc;
	repo_files_begin(files, p);
	while ((rc = repo_files_next(files, &f, err)) == ARK_OK) {
		if (f.missing) {
			x->missing++;
			continue;
		}
		ark_buf_reset(&x->name);
		ark_buf_z(&x->name, "files/");
		ark_buf_str(&x->name, f.path);
		rc = io_tar_entry(x->tar, x->name.data, f.size_bytes, x->s->taken_ms, err);
		if (rc == ARK_OK)
			rc = repo_read_pieces(x->a->repo, &f.id, take_body, x->tar, err);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
		if (rc < 0)
			return ark_err_in(err, rc, "file '%.*s'", ARK_FMT(f.path));
		x->files++;
	}
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc add_config(struct extract *x, const struct repo_part *p, struct ark_err *err)
{
	char name[128];
	if (p->kind == REPO_PART_CONFIG_FILE) {
		ark_buf_reset(&x->name);
		ark_buf_fmt(&x->name, "config/beside/%.*s", ARK_FMT(p->name));
		return add_object(x, x->name.data, p, err);
	}
	snprintf(name, sizeof(name), p->kind == REPO_PART_CONFIG ? "config/config-%u.json" : "config/environment-%u",
	         ++x->configs);
	return add_object(x, name, p, err);
}

static enum ark_rc add_part(struct extract *x, const struct repo_part *p, unsigned number, struct ark_err *err)
{
	switch (p->kind) {
	case REPO_PART_TABLE:
	case REPO_PART_LARGE:
		return add_table(x, p, number, err);
	case REPO_PART_FILES:
		return add_files(x, p, err);
	case REPO_PART_SCHEMA:
		ark_buf_reset(&x->name);
		ark_buf_fmt(&x->name, "schema/%.*s.sql", ARK_FMT(p->name));
		return add_object(x, x->name.data, p, err);
	case REPO_PART_CONFIG:
	case REPO_PART_ENVIRON:
	case REPO_PART_CONFIG_FILE:
		return add_config(x, p, err);
	default:
		return ARK_OK;
	}
}

static void load_sequence(struct extract *x, const struct repo_part *p)
{
	ark_auto(ark_buf_release) struct ark_buf name = { 0 };
	ark_buf_init(&name, LIMIT_REPO_SMALL);
	qualified(&name, p);
	ark_buf_z(&x->load, "select setval(");
	db_literal(&x->load, ark_buf_view(&name));
	ark_buf_fmt(&x->load, ", %.*s, %s);\n", ARK_FMT(p->value), p->called ? "true" : "false");
}

static enum ark_rc add_all(struct extract *x, const struct repo_contents *c, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	ark_buf_z(&x->load, "\\set ON_ERROR_STOP on\nbegin;\n\\ir schema/pre-data.sql\n");
	for (size_t i = 0; i < c->count && rc == ARK_OK; i++)
		rc = add_part(x, &c->parts[i], (unsigned)i, err);
	ark_buf_z(&x->load, "\\ir schema/post-data.sql\n");
	for (size_t i = 0; i < c->count; i++) {
		const struct repo_part *p = &c->parts[i];
		if (p->kind == REPO_PART_SEQUENCE)
			load_sequence(x, p);
		if (p->kind == REPO_PART_REFRESH) {
			ark_buf_z(&x->load, "refresh materialized view ");
			qualified(&x->load, p);
			ark_buf_z(&x->load, ";\n");
		}
	}
	/* what restore.sh does to make it a test installation belongs into the same transaction */
	ark_buf_z(&x->load, "reset search_path;\n\\if :{?before_commit}\n\\i :before_commit\n\\endif\ncommit;\n");
	if (rc == ARK_OK)
		rc = ark_buf_ok(&x->load, "load.sql", err);
	if (rc == ARK_OK)
		rc = add_bytes(x, "load.sql", ark_buf_view(&x->load), err);
	if (rc == ARK_OK)
		rc = add_bytes(x, "neutralise.sql", ark_str_z(INSIDE_NEUTRALISE_SQL), err);
	if (rc == ARK_OK)
		rc = add_bytes(x, "restore.sh", ark_str_z(INSIDE_EXTRACTED_SH), err);
	return rc < 0 ? rc : add_bytes(x, "snapshot", ark_str_z(x->s->name), err);
}

int run_extract(struct app *a, struct ark_err *err)
{
	ark_auto(repo_contents_release) struct repo_contents c = { 0 };
	ark_auto(io_tar_drop) struct io_tar *tar = NULL;
	struct repo_snapshot s;
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = app_find(a, 1, &s, err);
	if (rc == ARK_OK)
		rc = repo_contents_read(a->repo, &s, &c, err);
	if (rc == ARK_OK)
		rc = io_tar_begin(a->config->output, &tar, err);
	if (rc < 0)
		return rc;
	struct extract x = { .a = a, .tar = tar, .s = &s };
	ark_buf_init(&x.load, LIMIT_SQL);
	ark_buf_init(&x.name, LIMIT_REPO_SMALL);
	rc = add_all(&x, &c, err);
	ark_buf_release(&x.load);
	ark_buf_release(&x.name);
	if (rc == ARK_OK)
		rc = io_tar_finish(&tar, err);
	if (rc < 0)
		return rc;
	ark_info(a->talk, "extract.done", "'%s' holds %zu parts and %llu files; %llu are missing", a->config->output,
	         c.count, (unsigned long long)x.files, (unsigned long long)x.missing);
	if (x.missing > 0)
		ark_warn(a->talk, "extract.missing", "%llu files were missing already when the snapshot was taken; 'show' names them",
		         (unsigned long long)x.missing);
	notify_headline(&a->told, "snapshot %s%s", s.name, x.missing > 0 ? ", but files are missing" : "");
	notify_count(&a->told, "extracted_files", "files", x.files);
	notify_count(&a->told, "extracted_missing_files", "files missing", x.missing);
	struct ark_event e;
	ark_event_begin(&e, "summary", "extract.done");
	ark_event_text(&e, "snapshot", ark_str_z(s.name));
	ark_event_text(&e, "output", ark_str_z(a->config->output));
	ark_event_u64(&e, "files", x.files);
	ark_event_u64(&e, "missing", x.missing);
	ark_event_send(&e, a->talk);
	return x.missing > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

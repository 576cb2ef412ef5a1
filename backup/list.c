/* Looking at what a repository holds: list, show, diff, find, check. */
#include <stdio.h>
#include <stdlib.h>

#include "backup/app.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

static void snapshot_event(struct ark_event *e, const struct repo_snapshot *s)
{
	ark_event_text(e, "snapshot", ark_str_z(s->name));
	ark_event_time(e, "taken", s->taken_ms);
	ark_event_time(e, "finished", s->finished_ms);
	ark_event_u64(e, "tables", s->tables);
	ark_event_u64(e, "rows", s->rows);
	ark_event_u64(e, "row_bytes", s->row_bytes);
	ark_event_u64(e, "files", s->files);
	ark_event_u64(e, "file_bytes", s->file_bytes);
	ark_event_u64(e, "missing", s->missing);
	ark_event_u64(e, "added_bytes", s->added_bytes);
	ark_event_bool(e, "all_files", s->all_files);
}

static void say_snapshot(struct app *a, const struct repo_snapshot *s)
{
	char iso[ARK_TIME_ISO];
	ark_auto(ark_buf_release) struct ark_buf added = { 0 };
	ark_buf_init(&added, 64);
	ark_human_bytes(&added, s->added_bytes);
	ark_time_iso(s->taken_ms, iso);
	ark_out(a->talk, "%s\t%s\t%llu rows\t%llu files\t%llu missing\t+%s", s->name, iso,
	        (unsigned long long)s->rows, (unsigned long long)s->files, (unsigned long long)s->missing, added.data);
	struct ark_event e;
	ark_event_begin(&e, "snapshot", "backup.snapshot");
	snapshot_event(&e, s);
	ark_event_send(&e, a->talk);
}

int run_list(struct app *a, struct ark_err *err)
{
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	uint64_t bad = 0;
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = repo_snapshots_read(a->repo, &all, &bad, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < all.count; i++)
		say_snapshot(a, &all.items[i]);
	if (bad > 0)
		ark_warn(a->talk, "backup.damaged_snapshot", "%llu snapshots are damaged; 'verify' names them",
		         (unsigned long long)bad);
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.listed");
	ark_event_u64(&e, "snapshots", all.count);
	ark_event_u64(&e, "damaged", bad);
	if (all.count > 0)
		ark_event_text(&e, "newest", ark_str_z(all.items[all.count - 1].name));
	ark_event_send(&e, a->talk);
	return bad > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

/* --- show ------------------------------------------------------------------------------------------- */

static void say_part(struct app *a, const struct repo_part *p)
{
	static const char *const WORDS[] = {
		[REPO_PART_TABLE] = "table", [REPO_PART_LARGE] = "large objects", [REPO_PART_SCHEMA] = "schema",
		[REPO_PART_SEQUENCE] = "sequence", [REPO_PART_REFRESH] = "materialised view", [REPO_PART_FILES] = "files",
		[REPO_PART_CONFIG] = "configuration", [REPO_PART_ENVIRON] = "variables",
		[REPO_PART_CONFIG_FILE] = "beside the configuration", [REPO_PART_DICTIONARY] = "dictionary",
		[REPO_PART_SOURCE] = "source",
	};
	const char *word = WORDS[p->kind];
	bool counted = p->kind == REPO_PART_TABLE || p->kind == REPO_PART_LARGE || p->kind == REPO_PART_FILES;
	const char *dot = p->schema.len > 0 ? "." : "";
	if (counted)
		ark_out(a->talk, "%s\t%.*s%s%.*s\t%llu\t%llu bytes", word, ARK_FMT(p->schema), dot, ARK_FMT(p->name),
		        (unsigned long long)p->rows, (unsigned long long)p->bytes);
	else
		ark_out(a->talk, "%s\t%.*s%s%.*s\t%.*s", word, ARK_FMT(p->schema), dot, ARK_FMT(p->name),
		        ARK_FMT(p->value));
	struct ark_event e;
	ark_event_begin(&e, "part", "backup.part");
	ark_event_text(&e, "kind", ark_str_z(word));
	ark_event_text(&e, "schema", p->schema);
	ark_event_text(&e, "name", p->name);
	if (counted) {
		ark_event_u64(&e, "rows", p->rows);
		ark_event_u64(&e, "bytes", p->bytes);
	} else {
		ark_event_text(&e, "value", p->value);
	}
	ark_event_send(&e, a->talk);
}

static enum ark_rc say_missing(struct app *a, const struct repo_part *p, struct ark_err *err)
{
	ark_auto(repo_files_freep) struct repo_files *files = repo_files_new(a->repo);
	struct repo_file f;
	enum ark_rc rc;
	repo_files_begin(files, p);
	while ((rc = repo_files_next(files, &f, err)) == ARK_OK) {
		if (!f.missing)
			continue;
		ark_out(a->talk, "missing\t%.*s", ARK_FMT(f.path));
		struct ark_event e;
		ark_event_begin(&e, "missing", "backup.missing_file");
		ark_event_text(&e, "path", f.path);
		ark_event_send(&e, a->talk);
	}
	return rc < 0 ? rc : ARK_OK;
}

int run_show(struct app *a, struct ark_err *err)
{
	ark_auto(repo_contents_release) struct repo_contents c = { 0 };
	struct repo_snapshot s;
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = app_find(a, 1, &s, err);
	if (rc == ARK_OK)
		rc = repo_contents_read(a->repo, &s, &c, err);
	if (rc < 0)
		return rc;
	say_snapshot(a, &s);
	ark_out(a->talk, "files that no row names\t%s", s.all_files ? "included" : "not included");
	for (size_t i = 0; i < c.count; i++)
		say_part(a, &c.parts[i]);
	for (size_t i = 0; i < c.count && rc == ARK_OK; i++)
		if (c.parts[i].kind == REPO_PART_FILES && s.missing > 0)
			rc = say_missing(a, &c.parts[i], err);
	if (rc < 0)
		return rc;
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.shown");
	ark_event_u64(&e, "parts", c.count);
	snapshot_event(&e, &s);
	ark_event_send(&e, a->talk);
	return ARK_EXIT_DONE;
}

/* --- diff --------------------------------------------------------------------------------------------- */

static void say_difference(struct app *a, const char *what, struct ark_str kind, struct ark_str name,
                           int64_t rows, uint64_t changed)
{
	ark_out(a->talk, "%s\t%.*s\t%.*s\t%+lld rows\t%llu new segments", what, ARK_FMT(kind), ARK_FMT(name),
	        (long long)rows, (unsigned long long)changed);
	struct ark_event e;
	ark_event_begin(&e, "difference", "backup.difference");
	ark_event_text(&e, "what", ark_str_z(what));
	ark_event_text(&e, "kind", kind);
	ark_event_text(&e, "name", name);
	ark_event_i64(&e, "rows", rows);
	ark_event_u64(&e, "segments", changed);
	ark_event_send(&e, a->talk);
}

static void say_file(struct app *a, const char *what, const struct repo_file *f)
{
	ark_out(a->talk, "%s\tfile\t%.*s", what, ARK_FMT(f->path));
	struct ark_event e;
	ark_event_begin(&e, "difference", "backup.difference");
	ark_event_text(&e, "what", ark_str_z(what));
	ark_event_text(&e, "kind", ARK_LIT("file"));
	ark_event_text(&e, "name", f->path);
	ark_event_u64(&e, "bytes", f->size_bytes);
	ark_event_send(&e, a->talk);
}

/* Two lists in order of paths. */
static enum ark_rc diff_files(struct app *a, const struct repo_part *older, const struct repo_part *newer,
                              struct ark_err *err)
{
	ark_auto(repo_files_freep) struct repo_files *x = repo_files_new(a->repo), *y = repo_files_new(a->repo);
	struct repo_file f = { 0 }, g = { 0 };
	repo_files_begin(x, older);
	repo_files_begin(y, newer);
	enum ark_rc rx = repo_files_next(x, &f, err);
	enum ark_rc ry = rx < 0 ? rx : repo_files_next(y, &g, err);
	while (rx >= 0 && ry >= 0 && (rx == ARK_OK || ry == ARK_OK)) {
		int order = rx == ARK_END ? 1 : ry == ARK_END ? -1 : ark_str_cmp(f.path, g.path);
		if (order < 0)
			say_file(a, "removed", &f);
		else if (order > 0)
			say_file(a, "added", &g);
		else if (f.missing != g.missing)
			say_file(a, g.missing ? "missing" : "found", &g);
		else if (!f.missing && !repo_id_eq(&f.id, &g.id))
			say_file(a, "changed", &g);
		if (order <= 0)
			rx = repo_files_next(x, &f, err);
		if (order >= 0 && rx >= 0)
			ry = repo_files_next(y, &g, err);
	}
	return rx < 0 ? rx : ry < 0 ? ry : ARK_OK;
}

static int by_check(const void *a, const void *b)
{
	return memcmp(a, b, REPO_CHECK_BYTES);
}

struct checks {
	unsigned char (*items)[REPO_CHECK_BYTES];
	size_t count, cap;
};

static void checks_release(struct checks *c)
{
	free(c->items);
}

static enum ark_rc read_checks(struct app *a, const struct repo_part *p, struct checks *out, struct ark_err *err)
{
	ark_auto(repo_walk_freep) struct repo_walk *w = repo_walk_new(a->repo);
	struct repo_item item;
	enum ark_rc rc = ARK_END;
	if (!p->has_id)
		return ARK_OK;
	repo_walk_begin(w, &p->id);
	while ((rc = repo_walk_next(w, &item, err)) == ARK_OK) {
		if (item.kind != REPO_ITEM_SEGMENT)
			continue;
		if (out->count == out->cap) {
			out->cap = out->cap == 0 ? 256 : 2 * out->cap;
			out->items = ark_realloc(out->items, out->cap, sizeof(*out->items));
		}
		memcpy(out->items[out->count++], item.check, REPO_CHECK_BYTES);
	}
	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items), by_check);
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc diff_table(struct app *a, const struct repo_part *older, const struct repo_part *newer,
                              struct ark_err *err)
{
	ark_auto(checks_release) struct checks before = { 0 };
	ark_auto(checks_release) struct checks now = { 0 };
	uint64_t changed = 0;
	if (repo_id_eq(&older->digest, &newer->digest) && older->rows == newer->rows)
		return ARK_OK;
	enum ark_rc rc = read_checks(a, older, &before, err);
	if (rc == ARK_OK)
		rc = read_checks(a, newer, &now, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < now.count; i++)
		changed += before.count == 0 ||
		           bsearch(now.items[i], before.items, before.count, sizeof(*before.items), by_check) == NULL;
	say_difference(a, "changed", ARK_LIT("table"), newer->name, (int64_t)newer->rows - (int64_t)older->rows, changed);
	return ARK_OK;
}

static const struct repo_part *same_part(const struct repo_contents *c, const struct repo_part *p)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct repo_part *q = &c->parts[i];
		if (q->kind == p->kind && ark_str_eq(q->schema, p->schema) && ark_str_eq(q->name, p->name))
			return q;
	}
	return NULL;
}

static enum ark_rc diff_part(struct app *a, const struct repo_contents *older, const struct repo_part *p,
                             struct ark_err *err)
{
	const struct repo_part *q = same_part(older, p);
	switch (p->kind) {
	case REPO_PART_TABLE:
	case REPO_PART_LARGE:
		if (q != NULL)
			return diff_table(a, q, p, err);
		say_difference(a, "added", ARK_LIT("table"), p->name, (int64_t)p->rows, 0);
		return ARK_OK;
	case REPO_PART_FILES:
		return q != NULL ? diff_files(a, q, p, err) : ARK_OK;
	case REPO_PART_SCHEMA:
	case REPO_PART_CONFIG:
	case REPO_PART_CONFIG_FILE:
	case REPO_PART_ENVIRON:
		if (q == NULL || !repo_id_eq(&q->id, &p->id))
			say_difference(a, q == NULL ? "added" : "changed",
			               p->kind == REPO_PART_SCHEMA ? ARK_LIT("schema") : ARK_LIT("configuration"), p->name, 0, 0);
		return ARK_OK;
	default:
		return ARK_OK;
	}
}

int run_diff(struct app *a, struct ark_err *err)
{
	ark_auto(repo_contents_release) struct repo_contents older = { 0 };
	ark_auto(repo_contents_release) struct repo_contents newer = { 0 };
	struct repo_snapshot s, t;
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = app_find(a, 1, &s, err);
	if (rc == ARK_OK)
		rc = app_find(a, 2, &t, err);
	if (rc == ARK_OK)
		rc = repo_contents_read(a->repo, &t, &newer, err);
	if (rc == ARK_OK)
		rc = repo_contents_read(a->repo, &s, &older, err);
	for (size_t i = 0; i < older.count && rc == ARK_OK; i++)
		if (older.parts[i].kind == REPO_PART_TABLE && same_part(&newer, &older.parts[i]) == NULL)
			say_difference(a, "removed", ARK_LIT("table"), older.parts[i].name, -(int64_t)older.parts[i].rows, 0);
	/* names of files are compressed with the dictionary of their snapshot, which mostly is the same one */
	for (size_t i = 0; i < newer.count && rc == ARK_OK; i++)
		rc = diff_part(a, &older, &newer.parts[i], err);
	if (rc < 0)
		return rc;
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.compared");
	ark_event_text(&e, "older", ark_str_z(s.name));
	ark_event_text(&e, "newer", ark_str_z(t.name));
	ark_event_send(&e, a->talk);
	return ARK_EXIT_DONE;
}

/* --- find ---------------------------------------------------------------------------------------------- */

/* One column of a line of COPY text; the column's number comes from the list of the table's columns. */
static struct ark_str column(const struct repo_part *p, struct ark_str line, const char *name)
{
	struct ark_str names = p->columns;
	for (;;) {
		size_t comma = ark_str_search(names, ARK_LIT(", "), 0);
		size_t tab = ark_str_find(line, '\t', 0);
		if (ark_str_eqz(ark_str_first(names, comma), name))
			return ark_str_first(line, tab);
		if (comma == SIZE_MAX || tab == SIZE_MAX)
			return ARK_STR_NONE;
		names = ark_str_from(names, comma + 2);
		line = ark_str_from(line, tab + 1);
	}
}

static void say_found(struct app *a, const struct repo_snapshot *s, const char *kind, struct ark_str id,
                      struct ark_str name)
{
	ark_out(a->talk, "%s\t%s\t%.*s\t%.*s", s->name, kind, ARK_FMT(id), ARK_FMT(name));
	struct ark_event e;
	ark_event_begin(&e, "found", "backup.found");
	ark_event_text(&e, "snapshot", ark_str_z(s->name));
	ark_event_text(&e, "kind", ark_str_z(kind));
	ark_event_text(&e, "id", id);
	ark_event_text(&e, "name", name);
	ark_event_send(&e, a->talk);
}

static enum ark_rc find_rows(struct app *a, const struct repo_snapshot *s, const struct repo_contents *c,
                             const char *kind, const char *table, const char *const *columns,
                             const char *wanted, uint64_t *found, struct ark_err *err)
{
	const struct repo_part *p = repo_part_find(c, REPO_PART_TABLE, table);
	ark_auto(repo_rows_freep) struct repo_rows *rows = repo_rows_new(a->repo);
	struct ark_str text;
	enum ark_rc rc = ARK_END;
	if (p == NULL)
		return ARK_OK;
	repo_rows_begin(rows, p);
	while ((rc = repo_rows_next(rows, &text, err)) == ARK_OK) {
		for (size_t end; text.len > 0; text = ark_str_from(text, end + 1)) {
			end = ark_str_find(text, '\n', 0);
			struct ark_str line = ark_str_first(text, end);
			bool hit = false;
			for (size_t i = 0; columns[i] != NULL; i++)
				hit = hit || ark_str_eqz(column(p, line, columns[i]), wanted);
			if (hit) {
				say_found(a, s, kind, column(p, line, "id"), column(p, line, columns[1]));
				++*found;
			}
			if (end == SIZE_MAX)
				break;
		}
	}
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc find_files(struct app *a, const struct repo_snapshot *s, const struct repo_contents *c,
                              const char *wanted, uint64_t *found, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < c->count && rc >= 0; i++) {
		ark_auto(repo_files_freep) struct repo_files *files = repo_files_new(a->repo);
		struct repo_file f;
		if (c->parts[i].kind != REPO_PART_FILES)
			continue;
		repo_files_begin(files, &c->parts[i]);
		while ((rc = repo_files_next(files, &f, err)) == ARK_OK) {
			if (ark_str_search(f.path, ark_str_z(wanted), 0) == SIZE_MAX)
				continue;
			say_found(a, s, f.missing ? "missing file" : "file", ARK_LIT(""), f.path);
			++*found;
		}
	}
	return rc < 0 ? rc : ARK_OK;
}

int run_find(struct app *a, struct ark_err *err)
{
	static const char *const CHANNEL[] = { "id", "name", "displayname", NULL };
	static const char *const USER[] = { "id", "username", "email", NULL };
	const struct backup_config *o = a->config;
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	uint64_t found = 0, bad = 0;
	if (o->channels.count == 0 && o->user == NULL && o->file == NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "what is looked for? --channel, --user or --file says it");
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = repo_snapshots_read(a->repo, &all, &bad, err);
	for (size_t i = 0; i < all.count && rc == ARK_OK; i++) {
		ark_auto(repo_contents_release) struct repo_contents c = { 0 };
		const struct repo_snapshot *s = &all.items[i];
		rc = ark_interrupt_check(err);
		if (rc == ARK_OK)
			rc = repo_contents_read(a->repo, s, &c, err);
		for (size_t k = 0; k < o->channels.count && rc == ARK_OK; k++)
			rc = find_rows(a, s, &c, "channel", "channels", CHANNEL, o->channels.items[k], &found, err);
		if (rc == ARK_OK && o->user != NULL)
			rc = find_rows(a, s, &c, "user", "users", USER, o->user, &found, err);
		if (rc == ARK_OK && o->file != NULL)
			rc = find_files(a, s, &c, o->file, &found, err);
	}
	if (rc < 0)
		return rc;
	if (found == 0)
		return ark_err_set(err, ARK_KIND_MISSING, "no snapshot has it");
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.searched");
	ark_event_u64(&e, "snapshots", all.count);
	ark_event_u64(&e, "found", found);
	ark_event_send(&e, a->talk);
	return ARK_EXIT_DONE;
}

/* --- check ---------------------------------------------------------------------------------------------- */

enum { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL };

static int answer(struct app *a, int code, const struct repo_snapshot *s, const char *why)
{
	static const char *const WORDS[] = { "OK", "WARNING", "CRITICAL" };
	char iso[ARK_TIME_ISO] = "none";
	if (s != NULL)
		ark_time_iso(s->taken_ms, iso);
	ark_out(a->talk, "BACKUP %s - %s, newest snapshot %s, %llu rows, %llu files missing", WORDS[code], why, iso,
	        (unsigned long long)(s != NULL ? s->rows : 0), (unsigned long long)(s != NULL ? s->missing : 0));
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.check");
	ark_event_text(&e, "state", ark_str_z(WORDS[code]));
	ark_event_text(&e, "reason", ark_str_z(why));
	if (s != NULL)
		snapshot_event(&e, s);
	ark_event_send(&e, a->talk);
	return code;
}

int run_check(struct app *a, struct ark_err *err)
{
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	uint64_t bad = 0;
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = repo_snapshots_read(a->repo, &all, &bad, err);
	if (rc < 0)
		return rc;
	if (all.count == 0)
		return answer(a, NAGIOS_CRITICAL, NULL, "there is no snapshot");
	const struct repo_snapshot *s = &all.items[all.count - 1];
	if (a->config->max_age.has && s->taken_ms < a->config->max_age.ms)
		return answer(a, NAGIOS_CRITICAL, s, "too old");
	if (s->rows < (uint64_t)a->config->min_rows)
		return answer(a, NAGIOS_CRITICAL, s, "too few rows");
	if (bad > 0)
		return answer(a, NAGIOS_WARNING, s, "a snapshot is damaged");
	if (s->missing > 0)
		return answer(a, NAGIOS_WARNING, s, "files are missing");
	return answer(a, NAGIOS_OK, s, "as it should be");
}

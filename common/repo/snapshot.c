#include <stdio.h>
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/repo/format.h"
#include "common/repo/snapshot.h"

#include "common/base/banned.h"

#define FIRST_LINE "matterark-snapshot 1\n"

/* Names are times, so that byte order is order of time. */
static bool name_good(struct ark_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (strchr("0123456789TZabcdef-", name.ptr[i]) == NULL || name.ptr[i] == '\0')
			return false;
	return name.len > 0 && name.len < REPO_SNAPSHOT_NAME;
}

void repo_snapshot_write(const struct repo_snapshot *s, struct ark_buf *out)
{
	ark_buf_z(out, FIRST_LINE);
	ark_buf_fmt(out, "taken_ms %lld\nfinished_ms %lld\ntool %s\nroot ", (long long)s->taken_ms,
	            (long long)s->finished_ms, s->tool);
	repo_id_add(&s->root, out);
	ark_buf_z(out, "\ncontents ");
	repo_id_add(&s->contents, out);
	ark_buf_fmt(out, "\ntables %llu\nrows %llu\nrow_bytes %llu\nfiles %llu\nfile_bytes %llu\n",
	            (unsigned long long)s->tables, (unsigned long long)s->rows,
	            (unsigned long long)s->row_bytes, (unsigned long long)s->files,
	            (unsigned long long)s->file_bytes);
	ark_buf_fmt(out, "missing %llu\nadded_bytes %llu\nall_files %d\n", (unsigned long long)s->missing,
	            (unsigned long long)s->added_bytes, s->all_files);
	repo_sum_add(out);
}

static bool number_field(struct repo_snapshot *s, struct ark_str key, struct ark_str value)
{
	uint64_t n, all = 0, taken = 0, finished = 0;
	const struct {
		const char *key;
		uint64_t *at;
	} FIELDS[] = {
		{ "tables", &s->tables },   { "rows", &s->rows },
		{ "row_bytes", &s->row_bytes }, { "files", &s->files },
		{ "file_bytes", &s->file_bytes }, { "missing", &s->missing },
		{ "added_bytes", &s->added_bytes }, { "all_files", &all },
		{ "taken_ms", &taken }, { "finished_ms", &finished },
	};
	if (!ark_str_u64(value, &n) || n > INT64_MAX)
		return false;
	for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
		if (!ark_str_eqz(key, FIELDS[i].key))
			continue;
		*FIELDS[i].at = n;
		s->all_files |= all != 0;
		s->taken_ms = FIELDS[i].at == &taken ? (int64_t)n : s->taken_ms;
		s->finished_ms = FIELDS[i].at == &finished ? (int64_t)n : s->finished_ms;
		return true;
	}
	return false;
}

static bool field(struct repo_snapshot *s, struct ark_str key, struct ark_str value)
{
	if (ark_str_eqz(key, "root"))
		return repo_id_parse(value, &s->root);
	if (ark_str_eqz(key, "contents"))
		return repo_id_parse(value, &s->contents);
	if (ark_str_eqz(key, "tool") && value.len < sizeof(s->tool)) {
		memcpy(s->tool, value.ptr, value.len);
		return true;
	}
	return number_field(s, key, value);
}

enum ark_rc repo_snapshot_parse(struct ark_str text, const char *name, struct repo_snapshot *out,
                                struct ark_err *err)
{
	struct repo_snapshot s = { 0 };
	struct ark_str body;
	if (!ark_str_starts(text, ARK_LIT("matterark-snapshot ")))
		return ark_err_set(err, ARK_KIND_INPUT, "it is no snapshot");
	if (!ark_str_starts(text, ARK_LIT(FIRST_LINE)))
		return ark_err_set(err, ARK_KIND_REFUSED, "it was made by a newer version");
	enum ark_rc rc = repo_sum_check(text, &body, err);
	if (rc < 0)
		return rc;
	struct repo_id none = { { 0 } };
	body = ark_str_from(body, strlen(FIRST_LINE));
	while (body.len > 0) {
		size_t end = ark_str_find(body, '\n', 0);
		struct ark_str line = ark_str_first(body, end);
		size_t blank = ark_str_find(line, ' ', 0);
		body = end == SIZE_MAX ? ark_str_from(body, body.len) : ark_str_from(body, end + 1);
		if (blank == SIZE_MAX || !field(&s, ark_str_first(line, blank), ark_str_from(line, blank + 1)))
			return ark_err_set(err, ARK_KIND_INPUT, "the line '%.*s' is not known", ARK_FMT(line));
	}
	if (repo_id_eq(&s.root, &none) || repo_id_eq(&s.contents, &none) || s.taken_ms == 0)
		return ark_err_set(err, ARK_KIND_INPUT, "it lacks its contents or its time");
	snprintf(s.name, sizeof(s.name), "%s", name);
	*out = s;
	return ARK_OK;
}

struct reading {
	struct repo *r;
	struct repo_snapshots *out;
	size_t cap;
	uint64_t *bad;
};

static enum ark_rc read_one(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct reading *x = ctx;
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct repo_snapshot s;
	const char *name = strrchr(key, '/') + 1;
	enum ark_rc rc = ARK_OK;
	if (!name_good(ark_str_z(name)) || size > LIMIT_REPO_SMALL)
		return ARK_OK; /* not one of ours */
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	rc = repo_keep_get(repo_keep(x->r), key, 0, REPO_KEEP_ALL, &text, err);
	if (rc < 0 && err->kind == ARK_KIND_MISSING)
		return ARK_OK; /* pruned meanwhile */
	if (rc == ARK_OK)
		rc = repo_snapshot_parse(ark_buf_view(&text), name, &s, err);
	if (rc == ARK_FAIL && x->bad != NULL) {
		++*x->bad;
		return ARK_OK;
	}
	if (rc < 0)
		return ark_err_in(err, rc, "snapshot '%s'", name);
	if (x->out->count == x->cap) {
		x->cap = x->cap == 0 ? 64 : 2 * x->cap;
		x->out->items = ark_realloc(x->out->items, x->cap, sizeof(s));
	}
	x->out->items[x->out->count++] = s;
	return ARK_OK;
}

static int by_time(const void *a, const void *b)
{
	const struct repo_snapshot *x = a, *y = b;
	return x->taken_ms != y->taken_ms ? (x->taken_ms < y->taken_ms ? -1 : 1) : strcmp(x->name, y->name);
}

enum ark_rc repo_snapshots_in(struct repo *r, const char *dir, struct repo_snapshots *out, uint64_t *bad,
                              struct ark_err *err)
{
	struct reading x = { .r = r, .out = out, .bad = bad };
	*out = (struct repo_snapshots){ 0 };
	enum ark_rc rc = repo_keep_list(repo_keep(r), dir, read_one, &x, err);
	if (rc < 0) {
		repo_snapshots_release(out);
		return rc;
	}
	if (out->count > 0)
		qsort(out->items, out->count, sizeof(out->items[0]), by_time);
	return ARK_OK;
}

enum ark_rc repo_snapshots_read(struct repo *r, struct repo_snapshots *out, uint64_t *bad,
                                struct ark_err *err)
{
	return repo_snapshots_in(r, REPO_DIR_SNAPSHOTS, out, bad, err);
}

void repo_snapshots_release(struct repo_snapshots *s)
{
	free(s->items);
	*s = (struct repo_snapshots){ 0 };
}

enum ark_rc repo_snapshot_find(struct repo *r, const char *name, struct repo_snapshot *out,
                               struct ark_err *err)
{
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	uint64_t bad = 0;
	/* one that is damaged is no reason not to use another */
	enum ark_rc rc = repo_snapshots_read(r, &all, &bad, err);
	if (rc < 0)
		return rc;
	const struct repo_snapshot *found = NULL;
	for (size_t i = 0; i < all.count; i++) {
		const struct repo_snapshot *s = &all.items[i];
		if (name == NULL || strcmp(s->name, name) == 0) {
			found = s;
		} else if (ark_str_starts(ark_str_z(s->name), ark_str_z(name))) {
			if (found != NULL)
				return ark_err_set(err, ARK_KIND_USAGE, "several snapshots begin with '%s'", name);
			found = s;
		}
	}
	if (found == NULL && name == NULL)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no snapshot in '%s'%s",
		                   repo_keep_name(repo_keep(r)), bad > 0 ? " that is not damaged" : "");
	if (found == NULL) {
		ark_err_set(err, ARK_KIND_MISSING, "there is no snapshot '%s'", name);
		ark_err_hint(err, "'matter-backup list' shows them");
		return ARK_FAIL;
	}
	*out = *found;
	return ARK_OK;
}

#include "backup/files.h"

#include <stdlib.h>

#include "backup/repo/listing.h"
#include "backup/repo/local.h"
#include "backup/restore/bodies.h"
#include "backup/rows/segment.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/db/text.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define NAMED_MISSING 20 /* missing files that are named as warnings; `show` names all */

/*
 * Several rows may share a path: it is one file, and each of them has to agree with its size. Previews
 * have no size of their own. Fact  docs/mattermost-facts.md "File store"
 */
static const char NAMED_SQL[] =
    "COPY (SELECT p, coalesce(min(s), -1), coalesce(max(s), -1) FROM ("
    "SELECT path AS p, size AS s FROM fileinfo "
    "UNION ALL SELECT previewpath, NULL FROM fileinfo "
    "UNION ALL SELECT thumbnailpath, NULL FROM fileinfo) x WHERE p <> '' "
    "GROUP BY p ORDER BY p COLLATE \"C\") TO STDOUT";

enum ark_rc files_spool(struct db_conn *conn, struct io_spool *to, uint64_t *count, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf held = { 0 };
	ark_buf_init(&held, LIMIT_REPO_OBJECT);
	*count = 0;
	enum ark_rc rc = db_copy_out_begin(conn, NAMED_SQL, err);
	while (rc == ARK_OK) {
		struct ark_str line;
		rc = db_copy_out_next(conn, &line, err);
		if (rc == ARK_OK) {
			ark_buf_str(&held, line);
			++*count;
		}
		if (held.len > (64u << 10) || rc == ARK_END) {
			enum ark_rc added = io_spool_add(to, io_temp_dir(), held.data, held.len, err);
			ark_buf_reset(&held);
			rc = added < 0 ? added : rc;
		}
	}
	if (rc < 0)
		db_copy_out_end(conn);
	return rc == ARK_END ? ARK_OK : rc;
}

/* --- reading the spool ----------------------------------------------------------------------------- */

struct named {
	const struct io_spool *spool;
	uint64_t at;
	struct ark_buf held;
	size_t used;
	struct ark_buf path;
	int64_t low, high; /* sizes that rows say; -1: none does */
};

static void named_begin(struct named *n, const struct io_spool *spool)
{
	*n = (struct named){ .spool = spool };
	ark_buf_init(&n->held, LIMIT_REPO_OBJECT);
	ark_buf_init(&n->path, LIMIT_REPO_SMALL);
}

static void named_release(struct named *n)
{
	ark_buf_release(&n->held);
	ark_buf_release(&n->path);
}

static int64_t number(struct ark_str s)
{
	uint64_t v = 0;
	return ark_str_u64(s, &v) && v <= INT64_MAX ? (int64_t)v : -1;
}

static void unescape(struct ark_str s, struct ark_buf *out)
{
	ark_buf_reset(out);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '\\' && i + 1 < s.len) {
			c = s.ptr[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' :
			    c == 'v' ? '\v' : c;
		}
		ark_buf_c(out, c);
	}
}

static enum ark_rc named_next(struct named *n, struct ark_err *err)
{
	size_t end;
	while ((end = ark_str_find(ark_str_from(ark_buf_view(&n->held), n->used), '\n', 0)) == SIZE_MAX) {
		uint64_t left = n->spool->len - n->at;
		size_t want = left < (256u << 10) ? (size_t)left : (256u << 10);
		if (want == 0)
			return ARK_END;
		memmove(n->held.data, n->held.data + n->used, n->held.len - n->used);
		ark_buf_cut(&n->held, n->held.len - n->used);
		n->used = 0;
		char *to = ark_buf_room(&n->held, want);
		if (to == NULL)
			return ark_err_set(err, ARK_KIND_LIMIT, "the path of a file is too long");
		enum ark_rc rc = io_spool_read(n->spool, n->at, to, want, err);
		if (rc < 0)
			return rc;
		n->held.len += want;
		n->at += want;
	}
	struct ark_str line = ark_str_n(n->held.data + n->used, end);
	size_t tab = ark_str_find(line, '\t', 0);
	size_t tab2 = tab != SIZE_MAX ? ark_str_find(line, '\t', tab + 1) : SIZE_MAX;
	if (tab2 == SIZE_MAX)
		return ark_err_set(err, ARK_KIND_IO, "the list of files in the temporary folder is damaged");
	unescape(ark_str_first(line, tab), &n->path);
	n->low = number(ark_str_n(line.ptr + tab + 1, tab2 - tab - 1));
	n->high = number(ark_str_from(line, tab2 + 1));
	n->used += end + 1;
	return ARK_OK;
}

/* --- the list that is made ------------------------------------------------------------------------- */

struct making {
	struct files_job *job;
	struct listing *listing;
	struct ark_buf names; /* the segment */
	struct repo_file *refs; /* id or missing of each of its rows */
	size_t count, cap;
	uint64_t bytes;         /* of the bodies */
	struct repo_files *before; /* NULL: none */
	struct repo_file old;      /* the next of them */
	bool has_old;
};

static void making_release(struct making *m)
{
	listing_free(m->listing);
	ark_buf_release(&m->names);
	free(m->refs);
	repo_files_free(m->before);
}

static enum ark_rc old_next(struct making *m, struct ark_err *err)
{
	enum ark_rc rc = m->before != NULL ? repo_files_next(m->before, &m->old, err) : ARK_END;
	m->has_old = rc == ARK_OK;
	return rc == ARK_END ? ARK_OK : rc;
}

static enum ark_rc making_begin(struct making *m, struct files_job *job, const char *name, struct ark_err *err)
{
	*m = (struct making){ .job = job, .listing = listing_new(job->tools) };
	ark_buf_init(&m->names, LIMIT_REPO_OBJECT);
	const struct repo_part *p =
	    job->previous != NULL ? repo_part_find(job->previous, REPO_PART_FILES, name) : NULL;
	if (p == NULL)
		return ARK_OK;
	m->before = repo_files_new(job->r);
	repo_files_begin(m->before, p);
	enum ark_rc rc = old_next(m, err);
	if (rc == ARK_FAIL && (err->kind == ARK_KIND_REFUSED || err->kind == ARK_KIND_MISSING)) {
		/* the mirror of an encrypted repository is not on this machine: all files are read once more */
		ark_warn(job->talk, "backup.no_mirror", "the names of the files before are not at hand; reading all");
		repo_files_free(m->before);
		m->before = NULL;
		rc = ARK_OK;
	}
	return rc;
}

static enum ark_rc end_segment(struct making *m, struct ark_err *err)
{
	struct repo_item item = { .kind = REPO_ITEM_SEGMENT, .rows = m->count, .bytes = m->names.len };
	unsigned char sum[CRYPT_SHA256_BYTES];
	if (m->count == 0)
		return ARK_OK;
	enum ark_rc rc = ark_buf_ok(&m->names, "names of files", err);
	if (rc == ARK_OK)
		rc = pack_put(m->job->tools, ark_buf_view(&m->names), PACK_DICT | PACK_MIRROR, &item.id, err);
	if (rc < 0)
		return rc;
	ark_auto(crypt_hash_freep) struct crypt_hash *h = crypt_hash_new();
	crypt_sha256(h, m->names.data, m->names.len, sum);
	memcpy(item.check, sum, sizeof(item.check));
	rc = listing_add(m->listing, &item, err);
	for (size_t i = 0; i < m->count && rc == ARK_OK; i++)
		listing_ref(m->listing, &m->refs[i].id, m->refs[i].missing);
	ark_buf_reset(&m->names);
	m->count = 0;
	return rc;
}

static enum ark_rc add_file(struct making *m, const struct repo_file *f, struct ark_err *err)
{
	static const struct segment_key KEY = { .fields = { 0 }, .count = 1 };
	size_t begin = m->names.len;
	db_copy_text(&m->names, f->path);
	ark_buf_fmt(&m->names, "\t%llu\t", (unsigned long long)f->size_bytes);
	db_copy_text(&m->names, f->stamp);
	ark_buf_c(&m->names, '\n');
	if (m->count == m->cap) {
		m->cap = m->cap == 0 ? 256 : 2 * m->cap;
		m->refs = ark_realloc(m->refs, m->cap, sizeof(*m->refs));
	}
	m->refs[m->count++] = *f;
	if (f->missing)
		m->job->missing++;
	else
		m->bytes += f->size_bytes;
	m->job->files++;
	ark_progress_add(m->job->bar, 1, f->size_bytes);
	struct ark_str line = ark_str_from(ark_buf_view(&m->names), begin);
	return segment_ends(&KEY, line) || m->names.len > SEGMENT_BYTES ? end_segment(m, err) : ARK_OK;
}

static enum ark_rc making_finish(struct making *m, const char *name, struct repo_part *out, struct ark_err *err)
{
	bool empty;
	*out = (struct repo_part){ .kind = REPO_PART_FILES, .name = ark_str_z(name) };
	enum ark_rc rc = end_segment(m, err);
	uint64_t bytes_of_names;
	if (rc == ARK_OK)
		rc = listing_finish(m->listing, &out->id, &out->rows, &bytes_of_names, &empty, err);
	out->has_id = rc == ARK_OK && !empty;
	out->bytes = m->bytes;
	m->job->bytes += m->bytes;
	return rc;
}

/* The entry of the same path in the list before; the ones before it are passed. */
static enum ark_rc old_find(struct making *m, struct ark_str path, bool *found, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && m->has_old && ark_str_cmp(m->old.path, path) < 0)
		rc = old_next(m, err);
	*found = rc == ARK_OK && m->has_old && ark_str_eq(m->old.path, path);
	return rc;
}

/* Read it; one that is not there is not a failure of the run. */
static enum ark_rc fetch(struct making *m, struct repo_file *f, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	ark_buf_init(&path, LIMIT_REPO_SMALL);
	ark_buf_str(&path, f->path);
	enum ark_rc rc = ark_interrupt_check(err);
	if (rc == ARK_OK)
		rc = filestore_fetch(m->job->store, path.data, m->job->tools, &f->id, &f->size_bytes, err);
	f->missing = rc == ARK_FAIL && err->kind == ARK_KIND_MISSING;
	if (f->missing)
		return ARK_OK;
	if (rc == ARK_OK) {
		m->job->read_files++;
		m->job->read_bytes += f->size_bytes;
	}
	return rc;
}

static void tell_missing(struct files_job *j, struct ark_str path, const char *why)
{
	if (j->missing < NAMED_MISSING)
		ark_warn(j->talk, "backup.missing_file", "file '%.*s' %s", ARK_FMT(path), why);
	else if (j->missing == NAMED_MISSING)
		ark_warn(j->talk, "backup.missing_more", "more files are missing; 'matter-backup show' names them");
}

static enum ark_rc add_named(struct making *m, const struct named *n, struct ark_err *err)
{
	struct repo_file f = { .path = ark_buf_view(&n->path), .stamp = ARK_LIT("") };
	bool found;
	enum ark_rc rc = old_find(m, f.path, &found, err);
	bool known = found && !m->old.missing && (n->low < 0 || (uint64_t)n->low == m->old.size_bytes) &&
	             (n->high < 0 || (uint64_t)n->high == m->old.size_bytes);
	struct repo_entry e;
	if (rc == ARK_OK && known && repo_index_find(repo_index(m->job->r), &m->old.id, &e)) {
		f.id = m->old.id;
		f.size_bytes = m->old.size_bytes;
		return add_file(m, &f, err);
	}
	if (rc == ARK_OK)
		rc = fetch(m, &f, err);
	if (rc < 0)
		return rc;
	if (f.missing) {
		tell_missing(m->job, f.path, "is named by a row and is not in the file store");
	} else if ((n->low >= 0 && (uint64_t)n->low != f.size_bytes) ||
	           (n->high >= 0 && (uint64_t)n->high != f.size_bytes)) {
		tell_missing(m->job, f.path, "has another size than its row says");
		f.missing = true;
	}
	if (f.missing)
		f.size_bytes = n->high > 0 ? (uint64_t)n->high : 0;
	return add_file(m, &f, err);
}

enum ark_rc files_referenced(struct files_job *j, const struct io_spool *named, struct repo_part *out,
                             struct ark_err *err)
{
	ark_auto(making_release) struct making m = { 0 };
	ark_auto(named_release) struct named n = { 0 };
	named_begin(&n, named);
	enum ark_rc rc = making_begin(&m, j, "referenced", err);
	while (rc == ARK_OK && (rc = named_next(&n, err)) == ARK_OK)
		rc = add_named(&m, &n, err);
	return rc < 0 ? rc : making_finish(&m, "referenced", out, err);
}

/* --- by listing the store --------------------------------------------------------------------------- */

struct listed {
	struct making *m;
	struct named *named; /* for the rest of the store: what rows name is passed over */
	bool has_named;
};

/* What the server writes again under the same path, or that no row names. Fact  docs/mattermost-facts.md
 * "File store" */
static bool is_mutable(struct ark_str path)
{
	return (ark_str_starts(path, ARK_LIT("users/")) && ark_str_ends(path, ARK_LIT("/profile.png"))) ||
	       (ark_str_starts(path, ARK_LIT("teams/")) && ark_str_ends(path, ARK_LIT("/teamIcon.png"))) ||
	       (ark_str_starts(path, ARK_LIT("emoji/")) && ark_str_ends(path, ARK_LIT("/image"))) ||
	       ark_str_starts(path, ARK_LIT("brand/")) || ark_str_starts(path, ARK_LIT("plugins/"));
}

static enum ark_rc add_listed(struct making *m, const struct filestore_entry *e, struct ark_err *err)
{
	struct repo_file f = { .path = ark_str_z(e->path), .stamp = ark_str_z(e->stamp), .size_bytes = e->size_bytes };
	struct repo_entry entry;
	bool found;
	enum ark_rc rc = old_find(m, f.path, &found, err);
	if (rc < 0)
		return rc;
	if (found && !m->old.missing && m->old.size_bytes == e->size_bytes && ark_str_eq(m->old.stamp, f.stamp) &&
	    repo_index_find(repo_index(m->job->r), &m->old.id, &entry)) {
		f.id = m->old.id;
		return add_file(m, &f, err);
	}
	rc = fetch(m, &f, err);
	/* no row names it: one that went away meanwhile was not there */
	return rc < 0 || f.missing ? rc : add_file(m, &f, err);
}

static enum ark_rc each_mutable(void *ctx, const struct filestore_entry *e, struct ark_err *err)
{
	struct listed *l = ctx;
	return is_mutable(ark_str_z(e->path)) ? add_listed(l->m, e, err) : ARK_OK;
}

enum ark_rc files_mutable(struct files_job *j, struct repo_part *out, struct ark_err *err)
{
	static const char *const PREFIXES[] = { "brand/", "emoji/", "plugins/", "teams/", "users/" };
	ark_auto(making_release) struct making m = { 0 };
	struct listed l = { .m = &m };
	enum ark_rc rc = making_begin(&m, j, "mutable", err);
	for (size_t i = 0; rc == ARK_OK && i < sizeof(PREFIXES) / sizeof(PREFIXES[0]); i++)
		rc = filestore_list(j->store, PREFIXES[i], each_mutable, &l, err);
	return rc < 0 ? rc : making_finish(&m, "mutable", out, err);
}

static enum ark_rc each_other(void *ctx, const struct filestore_entry *e, struct ark_err *err)
{
	struct listed *l = ctx;
	struct ark_str path = ark_str_z(e->path);
	while (l->has_named && ark_str_cmp(ark_buf_view(&l->named->path), path) < 0) {
		enum ark_rc rc = named_next(l->named, err);
		if (rc < 0)
			return rc;
		l->has_named = rc == ARK_OK;
	}
	/* a copy's snapshot is no copy */
	if (ark_str_eqz(path, BODIES_MARK) || is_mutable(path) || (l->has_named && ark_str_eq(ark_buf_view(&l->named->path), path)))
		return ARK_OK;
	return add_listed(l->m, e, err);
}

enum ark_rc files_other(struct files_job *j, const struct io_spool *named, struct repo_part *out,
                        struct ark_err *err)
{
	ark_auto(making_release) struct making m = { 0 };
	ark_auto(named_release) struct named n = { 0 };
	struct listed l = { .m = &m, .named = &n };
	named_begin(&n, named);
	enum ark_rc rc = named_next(&n, err);
	l.has_named = rc == ARK_OK;
	if (rc >= 0)
		rc = making_begin(&m, j, "other", err);
	if (rc == ARK_OK)
		rc = filestore_list(j->store, "", each_other, &l, err);
	return rc < 0 ? rc : making_finish(&m, "other", out, err);
}

/* What both kinds of store have in common: names are checked here, once, for both. */
#include "common/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/store/private.h"

#include "common/base/banned.h"

const char *const STORE_S3_STYLES[] = { "auto", "path", "host", NULL };

/* --- paths ------------------------------------------------------------------------------------- */

static bool part_ok(struct ark_str part)
{
	return part.len > 0 && part.len <= 255 && !ark_str_eqz(part, ".") && !ark_str_eqz(part, "..") &&
	       !ark_str_starts(part, ARK_LIT(STORE_TEMP));
}

static enum ark_rc path_check(const struct store *s, const char *path, struct ark_err *err)
{
	struct ark_str rest = ark_str_z(path);
	bool ok = rest.len <= LIMIT_STORE_PATH;
	for (;;) {
		size_t slash = ark_str_find(rest, '/', 0);
		ok = ok && part_ok(ark_str_first(rest, slash));
		if (!ok || slash == SIZE_MAX)
			break;
		rest = ark_str_from(rest, slash + 1);
	}
	if (!ok)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is no path for a file in '%s'", path, s->name);
	return ARK_OK;
}

static enum ark_rc write_check(const struct store *s, const char *path, struct ark_err *err)
{
	if (!s->write)
		ark_bug("store '%s' was not opened for writing", s->name);
	return path_check(s, path, err);
}

/* --- opening ----------------------------------------------------------------------------------- */

static enum ark_rc open_bucket(const struct mm_files *files, const struct store_options *opt,
                               struct store **out, struct ark_err *err)
{
	ark_auto(store_access_release) struct access access = { 0 };
	enum ark_rc rc = store_access(files, opt, &access, err);
	return rc == ARK_OK ? bucket_open_store(&access.s3, files->path, opt->write, out, err) : rc;
}

enum ark_rc store_open(const struct mm_files *files, const struct store_options *opt,
                       struct store **out, struct ark_err *err)
{
	struct store *s = NULL;
	enum ark_rc rc;
	switch (files->kind) {
	case MM_FILES_LOCAL:
		rc = local_open_store(files->path, opt, &s, err);
		break;
	case MM_FILES_S3:
		rc = open_bucket(files, opt, &s, err);
		break;
	default:
		ark_err_set(err, ARK_KIND_MISSING, "%s",
		            files->problem != NULL && files->problem[0] != '\0'
		                ? files->problem
		                : "nothing says where the files are");
		ark_err_hint(err, "name the file store with --files DIR or --files s3://BUCKET/PREFIX");
		return ARK_FAIL;
	}
	if (rc != ARK_OK)
		return rc;
	s->write = opt->write;
	s->interrupted = opt->interrupted;
	*out = s;
	return ARK_OK;
}

enum ark_rc store_open_text(const char *place, const struct store_options *opt, struct store **out,
                            struct ark_err *err)
{
	static const char SCHEME[] = "s3://";
	static char none[] = "";
	struct mm_files files = { .kind = MM_FILES_LOCAL, .region = none, .endpoint = none,
		                  .access_key = none, .secret_key = none, .origin = none,
		                  .problem = none, .bucket = none };
	if (place[0] == '\0')
		return ark_err_set(err, ARK_KIND_USAGE, "a place for files has an empty name");
	bool s3 = strncmp(place, SCHEME, strlen(SCHEME)) == 0;
	const char *rest = s3 ? place + strlen(SCHEME) : place;
	size_t bucket = s3 ? strcspn(rest, "/") : 0;
	if (s3 && bucket == 0) {
		ark_err_set(err, ARK_KIND_USAGE, "'%s' has no bucket", place);
		ark_err_hint(err, "write s3://BUCKET/PREFIX");
		return ARK_FAIL;
	}
	ark_auto(ark_freep) char *name = ark_strdup(ark_str_n(rest, bucket));
	struct ark_str path = ark_str_z(rest + bucket);
	while (s3 && path.len > 0 && path.ptr[0] == '/')
		path = ark_str_from(path, 1);
	while (s3 && path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	ark_auto(ark_freep) char *own = ark_strdup(path);
	if (s3) {
		files.kind = MM_FILES_S3;
		files.bucket = name;
	}
	files.path = own;
	return store_open(&files, opt, out, err);
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	s->verbs->close(s);
	free(s->name);
	free(s);
}

void store_closep(struct store **s)
{
	store_close(*s);
	*s = NULL;
}

enum store_kind store_kind(const struct store *s)
{
	return s->kind;
}

const char *store_name(const struct store *s)
{
	return s->name;
}

/* --- reading ----------------------------------------------------------------------------------- */

enum ark_rc store_stat(struct store *s, const char *path, struct store_stat *out,
                       struct ark_err *err)
{
	enum ark_rc rc = path_check(s, path, err);
	return rc == ARK_OK ? s->verbs->stat(s, path, out, err) : rc;
}

enum ark_rc store_read(struct store *s, const char *path, uint64_t from, uint64_t len,
                       struct ark_sink sink, struct store_stat *out, struct ark_err *err)
{
	enum ark_rc rc = path_check(s, path, err);
	return rc == ARK_OK ? s->verbs->read(s, path, from, len, sink, out, err) : rc;
}

enum ark_rc store_read_all(struct store *s, const char *path, struct ark_buf *out,
                           struct ark_err *err)
{
	enum ark_rc rc = store_read(s, path, 0, UINT64_MAX, ark_sink_buf(out), NULL, err);
	return rc < 0 && err->kind == ARK_KIND_LIMIT ? ark_err_in(err, rc, "'%s' in '%s'", path, s->name)
	                                             : rc;
}

enum ark_rc store_list(struct store *s, const char *prefix, const char *after, unsigned flags,
                       store_each_fn *each, void *ctx, struct ark_err *err)
{
	/* what lies outside cannot be asked for either */
	struct ark_str p = ark_str_z(prefix);
	if (p.len > LIMIT_STORE_PATH || ark_str_starts(p, ARK_LIT("/")) ||
	    ark_str_eqz(ark_str_first(p, 3), "../") || ark_str_search(p, ARK_LIT("/../"), 0) != SIZE_MAX ||
	    ark_str_search(p, ARK_LIT("//"), 0) != SIZE_MAX)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is no start of a path in '%s'", prefix, s->name);
	return s->verbs->list(s, prefix, after, flags, each, ctx, err);
}

/* --- writing ----------------------------------------------------------------------------------- */

enum ark_rc store_put(struct store *s, const char *path, const struct ark_body *body, unsigned flags,
                      struct ark_err *err)
{
	enum ark_rc rc = write_check(s, path, err);
	return rc == ARK_OK ? s->verbs->put(s, path, body, flags, err) : rc;
}

enum ark_rc store_put_begin(struct store *s, const char *path, unsigned flags,
                            struct store_writer **out, struct ark_err *err)
{
	enum ark_rc rc = write_check(s, path, err);
	return rc == ARK_OK ? s->verbs->begin(s, path, flags, out, err) : rc;
}

enum ark_rc store_put_add(struct store_writer *w, const char *ptr, size_t len, struct ark_err *err)
{
	return w->store->verbs->add(w, ptr, len, err);
}

enum ark_rc store_put_end(struct store_writer **w, struct ark_err *err)
{
	struct store_writer *writer = *w;
	*w = NULL;
	return writer->store->verbs->end(writer, err);
}

void store_put_drop(struct store_writer **w)
{
	if (*w != NULL)
		(*w)->store->verbs->drop(*w);
	*w = NULL;
}

enum ark_rc store_delete(struct store *s, const char *path, struct ark_err *err)
{
	enum ark_rc rc = write_check(s, path, err);
	return rc == ARK_OK ? s->verbs->delete(s, path, err) : rc;
}

enum ark_rc store_sync(struct store *s, struct ark_err *err)
{
	return s->verbs->sync(s, err);
}

enum ark_rc store_probe_absent(struct store *s, bool *honoured, struct ark_err *err)
{
	return s->verbs->probe(s, honoured, err);
}

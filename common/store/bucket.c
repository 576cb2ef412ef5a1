/* A store in a bucket: paths are keys behind the prefix. The requests are common/net's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/store/private.h"

#include "common/base/banned.h"

struct bucket {
	struct store base;
	struct net_s3 *s3;
	char *prefix;       /* with its '/', or empty */
	struct ark_buf key; /* of the call that is under way */
};

struct bucket_writer {
	struct store_writer base;
	struct net_s3_upload *up;
};

static struct ark_str key_of(struct bucket *b, const char *path)
{
	ark_buf_reset(&b->key);
	ark_buf_z(&b->key, b->prefix);
	ark_buf_z(&b->key, path);
	return ark_buf_view(&b->key);
}

static void fill(const struct net_s3_object *from, struct store_stat *out)
{
	_Static_assert(sizeof(out->etag) >= sizeof(from->etag), "an ETag fits");
	*out = (struct store_stat){ .size = from->size, .mtime_ms = from->mtime_ms };
	memcpy(out->etag, from->etag, sizeof(from->etag));
}

static enum ark_rc missing(const struct store *s, const char *path, enum ark_rc rc,
                           struct ark_err *err)
{
	if (rc < 0 && err->kind == ARK_KIND_MISSING && err->hint[0] == '\0')
		ark_err_set(err, ARK_KIND_MISSING, "'%s' is not in '%s'", path, s->name);
	return rc;
}

static enum ark_rc bucket_stat(struct store *s, const char *path, struct store_stat *out,
                               struct ark_err *err)
{
	struct bucket *b = (struct bucket *)s;
	struct net_s3_object object;
	enum ark_rc rc = net_s3_head(b->s3, key_of(b, path), &object, err);
	if (rc == ARK_OK)
		fill(&object, out);
	return missing(s, path, rc, err);
}

static enum ark_rc bucket_read(struct store *s, const char *path, uint64_t from, uint64_t len,
                               struct ark_sink sink, struct store_stat *out, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)s;
	struct net_s3_object object;
	enum ark_rc rc =
	    net_s3_get(b->s3, key_of(b, path), from, len, sink, out != NULL ? &object : NULL, err);
	if (rc == ARK_OK && out != NULL)
		fill(&object, out);
	return missing(s, path, rc, err);
}

struct bucket_list {
	store_each_fn *each;
	void *ctx;
	size_t prefix_len;
};

static enum ark_rc tell(void *ctx, const struct net_s3_entry *entry, struct ark_err *err)
{
	struct bucket_list *li = ctx;
	struct store_entry out = { .path = ark_str_from(entry->key, li->prefix_len),
		                   .is_folder = entry->is_folder };
	/* a key that ends in '/' is what some tools make for an empty folder */
	if (!out.is_folder && (out.path.len == 0 || out.path.ptr[out.path.len - 1] == '/'))
		return ARK_OK;
	if (ark_str_starts(out.path, ARK_LIT(STORE_TEMP)))
		return ARK_OK;
	fill(&entry->object, &out.stat);
	return li->each(li->ctx, &out, err);
}

static enum ark_rc bucket_list(struct store *s, const char *prefix, const char *after,
                               unsigned flags, store_each_fn *each, void *ctx, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)s;
	struct bucket_list li = { each, ctx, strlen(b->prefix) };
	ark_auto(ark_freep) char *from = NULL;
	if (after != NULL)
		from = ark_strdup(key_of(b, after));
	return net_s3_list(b->s3, key_of(b, prefix), from != NULL ? ark_str_z(from) : ARK_STR_NONE,
	                   (flags & STORE_BY_FOLDER) != 0, tell, &li, err);
}

static enum ark_rc bucket_put(struct store *s, const char *path, const struct ark_body *body,
                              unsigned flags, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)s;
	return net_s3_put(b->s3, key_of(b, path), body, (flags & STORE_IF_ABSENT) != 0, err);
}

static enum ark_rc bucket_begin(struct store *s, const char *path, unsigned flags,
                                struct store_writer **out, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)s;
	struct net_s3_upload *up;
	enum ark_rc rc = net_s3_upload_begin(b->s3, key_of(b, path), (flags & STORE_IF_ABSENT) != 0, &up,
	                                     err);
	if (rc < 0)
		return rc;
	struct bucket_writer *w = ark_calloc(1, sizeof(*w));
	w->base = (struct store_writer){ s, NULL, flags };
	w->up = up;
	*out = &w->base;
	return ARK_OK;
}

static enum ark_rc bucket_add(struct store_writer *w, const char *ptr, size_t len,
                              struct ark_err *err)
{
	return net_s3_upload_add(((struct bucket_writer *)w)->up, ptr, len, err);
}

static void bucket_drop(struct store_writer *w)
{
	net_s3_upload_drop(&((struct bucket_writer *)w)->up);
	free(w);
}

static enum ark_rc bucket_end(struct store_writer *w, struct ark_err *err)
{
	enum ark_rc rc = net_s3_upload_finish(&((struct bucket_writer *)w)->up, err);
	free(w);
	return rc;
}

static enum ark_rc bucket_delete(struct store *s, const char *path, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)s;
	return net_s3_delete(b->s3, key_of(b, path), err);
}

static enum ark_rc bucket_sync(struct store *s, struct ark_err *err)
{
	(void)s;
	(void)err;
	return ARK_OK;
}

static enum ark_rc bucket_probe(struct store *s, bool *honoured, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)s;
	char name[64];
	uint64_t r;
	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return ark_err_set(err, ARK_KIND_IO, "cannot get random bytes");
	snprintf(name, sizeof(name), STORE_TEMP "-probe-%016llx", (unsigned long long)r);
	return net_s3_probe_absent(b->s3, key_of(b, name), honoured, err);
}

static void bucket_close(struct store *s)
{
	struct bucket *b = (struct bucket *)s;
	net_s3_close(b->s3);
	free(b->prefix);
	ark_buf_release(&b->key);
}

static const struct store_verbs BUCKET_VERBS = {
	.close = bucket_close,
	.stat = bucket_stat,
	.read = bucket_read,
	.list = bucket_list,
	.put = bucket_put,
	.begin = bucket_begin,
	.add = bucket_add,
	.end = bucket_end,
	.drop = bucket_drop,
	.delete = bucket_delete,
	.sync = bucket_sync,
	.probe = bucket_probe,
};

enum ark_rc bucket_open_store(const struct net_s3_options *options, const char *prefix, bool write,
                              struct store **out, struct ark_err *err)
{
	struct net_s3 *s3 = NULL;
	enum ark_rc rc = net_s3_open(options, &s3, err);
	if (rc < 0)
		return rc;
	struct bucket *b = ark_calloc(1, sizeof(*b));
	struct ark_buf text;
	ark_buf_init(&text, 2 * LIMIT_STORE_PATH);
	ark_buf_fmt(&text, "s3://%s%s%s", options->bucket, prefix[0] != '\0' ? "/" : "", prefix);
	b->base = (struct store){ .verbs = &BUCKET_VERBS, .kind = STORE_S3,
		                  .name = ark_strdup(ark_buf_view(&text)), .write = write };
	ark_buf_reset(&text);
	ark_buf_fmt(&text, "%s%s", prefix, prefix[0] != '\0' ? "/" : "");
	b->prefix = ark_strdup(ark_buf_view(&text));
	ark_buf_release(&text);
	ark_buf_init(&b->key, 2 * LIMIT_STORE_PATH);
	b->s3 = s3;
	*out = &b->base;
	return ARK_OK;
}

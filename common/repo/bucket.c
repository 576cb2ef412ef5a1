/* A repository in a bucket: whole objects, conditional PUT for what must be the first. */
#include <pthread.h>
#include <stdlib.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/repo/private.h"
#include "common/store/store.h"

#include "common/base/banned.h"

extern char **environ;

struct bucket {
	struct repo_keep keep;
	struct store *store;
	pthread_mutex_t lock; /* a store is one thread's at a time */
};

static void bucket_close(struct repo_keep *k)
{
	struct bucket *b = (struct bucket *)k;
	store_close(b->store);
	pthread_mutex_destroy(&b->lock);
	free(k->name);
	free(b);
}

static enum ark_rc step(const char *what, const char *key, struct ark_err *err)
{
	int e = ark_fail_step(what);
	return e == 0 ? ARK_OK : ark_err_errno(err, e, "%s '%s'", what, key);
}

static enum ark_rc put_body(struct repo_keep *k, const char *key, const struct ark_body *body,
                            enum repo_keep_how how, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)k;
	enum ark_rc rc = step("PUT", key, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&b->lock);
	rc = store_put(b->store, key, body, how == REPO_KEEP_FIRST ? STORE_IF_ABSENT : 0, err);
	pthread_mutex_unlock(&b->lock);
	return rc == ARK_END ? ark_err_set(err, ARK_KIND_LOCKED, "'%s' is there already", key) : rc;
}

static enum ark_rc bucket_put(struct repo_keep *k, const char *key, struct ark_str data,
                              enum repo_keep_how how, struct ark_err *err)
{
	struct ark_body body = ark_body_mem(data);
	return put_body(k, key, &body, how, err);
}

static enum ark_rc bucket_put_file(struct repo_keep *k, const char *key, int fd, uint64_t len,
                                   const char *sha256_hex, struct ark_err *err)
{
	struct ark_body body = ark_body_fd(fd, 0, len);
	(void)sha256_hex;
	return put_body(k, key, &body, REPO_KEEP_SAME, err);
}

static enum ark_rc bucket_read(struct repo_keep *k, const char *key, uint64_t at, uint64_t len,
                               repo_take_fn *take, void *ctx, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)k;
	pthread_mutex_lock(&b->lock);
	enum ark_rc rc = store_read(b->store, key, at, len, (struct ark_sink){ take, ctx }, NULL, err);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

struct keys {
	struct listed {
		char *key;
		uint64_t size;
	} *items;
	size_t count, cap;
};

static void keys_release(struct keys *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].key);
	free(l->items);
}

static enum ark_rc add_key(void *ctx, const struct store_entry *e, struct ark_err *err)
{
	struct keys *l = ctx;
	(void)err;
	if (l->count == l->cap) {
		l->cap = l->cap == 0 ? 256 : 2 * l->cap;
		l->items = ark_realloc(l->items, l->cap, sizeof(*l->items));
	}
	l->items[l->count++] = (struct listed){ ark_strdup(e->path), e->stat.size };
	return ARK_OK;
}

/* All names first: who is told one may read or remove it at once. */
static enum ark_rc bucket_list(struct repo_keep *k, const char *prefix, repo_key_fn *take, void *ctx,
                               struct ark_err *err)
{
	struct bucket *b = (struct bucket *)k;
	ark_auto(keys_release) struct keys keys = { 0 };
	pthread_mutex_lock(&b->lock);
	enum ark_rc rc = store_list(b->store, prefix, NULL, 0, add_key, &keys, err);
	pthread_mutex_unlock(&b->lock);
	for (size_t i = 0; i < keys.count && rc >= 0; i++)
		rc = take(ctx, keys.items[i].key, keys.items[i].size, err);
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc bucket_remove(struct repo_keep *k, const char *key, struct ark_err *err)
{
	struct bucket *b = (struct bucket *)k;
	enum ark_rc rc = step("DELETE", key, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&b->lock);
	rc = store_delete(b->store, key, err);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

static const struct keep_ops BUCKET = {
	.close = bucket_close,
	.put = bucket_put,
	.put_file = bucket_put_file,
	.read = bucket_read,
	.list = bucket_list,
	.remove = bucket_remove,
};

enum ark_rc bucket_open(const struct repo_keep_options *opt, struct repo_keep **out, struct ark_err *err)
{
	struct store_options how = { .write = true, .modes = STORE_PRIVATE, .interrupted = opt->interrupted,
		                     .s3 = opt->s3, .environ = environ };
	struct store *store = NULL;
	enum ark_rc rc = store_open_text(opt->place, &how, &store, err);
	if (rc < 0)
		return rc;
	if (opt->create) {
		bool honoured = false;
		rc = store_probe_absent(store, &honoured, err);
		if (rc == ARK_OK && !honoured)
			rc = ark_err_set(err, ARK_KIND_REFUSED, "the object store does not heed If-None-Match: two snapshots could "
			                 "take the same name");
		if (rc < 0) {
			store_close(store);
			return rc;
		}
	}
	struct bucket *b = ark_calloc(1, sizeof(*b));
	b->keep = (struct repo_keep){ .ops = &BUCKET, .name = ark_strdupz(store_name(store)),
		                      .interrupted = opt->interrupted };
	b->store = store;
	pthread_mutex_init(&b->lock, NULL);
	*out = &b->keep;
	return ARK_OK;
}

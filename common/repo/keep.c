#include "common/repo/keep.h"

#include <stdlib.h>

#include "common/repo/format.h"
#include "common/repo/private.h"

#include "common/base/banned.h"

enum ark_rc repo_keep_open(const struct repo_keep_options *opt, struct repo_keep **out,
                           struct ark_err *err)
{
	if (opt->place[0] == '\0')
		return ark_err_set(err, ARK_KIND_USAGE, "the repository has an empty name");
	return ark_str_starts(ark_str_z(opt->place), ARK_LIT("s3://")) ? bucket_open(opt, out, err) :
	                                                                 folder_open(opt, out, err);
}

void repo_keep_close(struct repo_keep *k)
{
	if (k != NULL)
		k->ops->close(k);
}

void repo_keep_closep(struct repo_keep **k)
{
	repo_keep_close(*k);
	*k = NULL;
}

const char *repo_keep_name(const struct repo_keep *k)
{
	return k->name;
}

const char *repo_keep_folder(const struct repo_keep *k)
{
	return k->ops->is_folder ? k->name : NULL;
}

enum ark_rc repo_keep_put(struct repo_keep *k, const char *key, struct ark_str data,
                          enum repo_keep_how how, struct ark_err *err)
{
	return k->ops->put(k, key, data, how, err);
}

enum ark_rc repo_keep_put_file(struct repo_keep *k, const char *key, int fd, uint64_t len,
                               const char *sha256_hex, struct ark_err *err)
{
	return k->ops->put_file(k, key, fd, len, sha256_hex, err);
}

static enum ark_rc into_buf(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct ark_buf *out = ctx;
	ark_buf_add(out, ptr, len);
	return ark_buf_ok(out, "what is stored", err);
}

enum ark_rc repo_keep_get(struct repo_keep *k, const char *key, uint64_t at, uint64_t len,
                          struct ark_buf *out, struct ark_err *err)
{
	if (len != REPO_KEEP_ALL && len > out->ceil - out->len)
		return ark_err_set(err, ARK_KIND_LIMIT, "'%s': %llu bytes are too many", key, (unsigned long long)len);
	size_t before = out->len;
	enum ark_rc rc = k->ops->read(k, key, at, len, into_buf, out, err);
	if (rc == ARK_OK && len != REPO_KEEP_ALL && out->len - before != len)
		rc = ark_err_set(err, ARK_KIND_INPUT, "'%s' ends before byte %llu", key,
		                 (unsigned long long)(at + len));
	return rc;
}

enum ark_rc repo_keep_read(struct repo_keep *k, const char *key, repo_take_fn *take, void *ctx,
                           struct ark_err *err)
{
	return k->ops->read(k, key, 0, REPO_KEEP_ALL, take, ctx, err);
}

enum ark_rc repo_keep_list(struct repo_keep *k, const char *prefix, repo_key_fn *take, void *ctx,
                           struct ark_err *err)
{
	return k->ops->list(k, prefix, take, ctx, err);
}

enum ark_rc repo_keep_remove(struct repo_keep *k, const char *key, struct ark_err *err)
{
	return k->ops->remove(k, key, err);
}

enum ark_rc repo_keep_tidy(struct repo_keep *k, uint64_t *count, struct ark_err *err)
{
	*count = 0;
	return k->ops->tidy != NULL ? k->ops->tidy(k, count, err) : ARK_OK;
}

enum ark_rc repo_keep_get_some(struct repo_keep *k, const char *key, uint64_t at, uint64_t len,
                               struct ark_buf *out, struct ark_err *err)
{
	return k->ops->read(k, key, at, len, into_buf, out, err);
}

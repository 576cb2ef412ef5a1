#include "backup/repo/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/crypt/seal.h"
#include "common/io/publish.h"
#include "common/repo/format.h"

#include "common/base/banned.h"

#define PATH_CEIL 8192

static enum ark_rc cache_path(struct repo *r, const char *name, struct ark_buf *path, struct ark_err *err)
{
	ark_buf_init(path, PATH_CEIL);
	enum ark_rc rc = repo_cache(r, path, err);
	ark_buf_fmt(path, "/%s", name);
	return rc < 0 ? rc : ark_buf_ok(path, "the cache's path", err);
}

static enum ark_rc write_file(const char *path, struct ark_str text, struct ark_err *err)
{
	ark_auto(io_publish_release) struct io_publish p = IO_PUBLISH_NONE;
	enum ark_rc rc = io_publish_begin(path, &p, err);
	if (rc == ARK_OK)
		rc = io_publish_write(&p, text.ptr, text.len, err);
	if (rc == ARK_OK)
		rc = io_publish_finish(&p, err);
	return rc;
}

enum ark_rc local_note_read(struct repo *r, const char *name, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	enum ark_rc rc = cache_path(r, name, &path, err);
	return rc < 0 ? rc : repo_file_slurp(path.data, out, err);
}

enum ark_rc local_note_write(struct repo *r, const char *name, struct ark_str text, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	enum ark_rc rc = cache_path(r, name, &path, err);
	return rc < 0 ? rc : write_file(path.data, text, err);
}

enum ark_rc local_name_key(struct repo *r, unsigned char key[32], struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	enum ark_rc rc = local_note_read(r, "name.key", &text, err);
	if (rc == ARK_OK && text.len == 32) {
		memcpy(key, text.data, 32);
		crypt_wipe(text.data, text.len);
		return ARK_OK;
	}
	if (rc < 0 && err->kind != ARK_KIND_MISSING)
		return rc;
	crypt_random(key, 32);
	return local_note_write(r, "name.key", ark_str_n((const char *)key, 32), err);
}

static enum ark_rc mirror_dir(struct repo *r, struct ark_buf *path, struct ark_err *err)
{
	enum ark_rc rc = cache_path(r, "plain", path, err);
	if (rc == ARK_OK && mkdir(path->data, 0700) != 0 && errno != EEXIST)
		rc = ark_err_errno(err, errno, "cannot make '%s'", path->data);
	return rc;
}

enum ark_rc local_mirror_put(struct repo *r, const struct repo_id *id, struct ark_str plain,
                             struct ark_err *err)
{
	char hex[REPO_ID_HEX + 1];
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	enum ark_rc rc = mirror_dir(r, &path, err);
	if (rc < 0)
		return rc;
	repo_id_hex(id, hex);
	ark_buf_fmt(&path, "/%s", hex);
	/* one that is there says the same; its time says that it is still wanted */
	if (utimensat(AT_FDCWD, path.data, NULL, 0) == 0)
		return ARK_OK;
	return write_file(path.data, plain, err);
}

static void closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

enum ark_rc local_mirror_trim(struct repo *r, int64_t begun_ms, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	enum ark_rc rc = mirror_dir(r, &path, err);
	if (rc < 0)
		return rc;
	ark_auto(closedirp) DIR *d = opendir(path.data);
	if (d == NULL)
		return ark_err_errno(err, errno, "cannot list '%s'", path.data);
	struct dirent *e;
	while ((e = readdir(d)) != NULL) {
		struct stat st;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			continue;
		int64_t ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
		if (ms < begun_ms)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	return ARK_OK;
}

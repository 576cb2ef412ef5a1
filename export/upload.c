#include "export/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/io/spool.h"

#include "common/base/banned.h"

#define THREADS 4 /* exports are many small files, and each waits for an answer */
#define LAST "bagit.txt"

bool export_is_bucket(const char *place)
{
	return place != NULL && strncmp(place, "s3://", 5) == 0;
}

char *export_upload_folder(const char *place)
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	char hex[CRYPT_SHA256_HEX];
	struct crypt_hash *hash = crypt_hash_new();
	crypt_sha256(hash, place, strlen(place), digest);
	crypt_hash_free(hash);
	crypt_hex(digest, sizeof(digest), hex);
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, SIZE_MAX / 2);
	ark_buf_fmt(&path, "%s/.matter-export-%.16s", io_temp_dir(), hex);
	return ark_strdup(ark_buf_view(&path));
}

static enum ark_rc open_place(const char *place, const struct store_s3_options *s3, bool write, struct store **out,
                              struct ark_err *err)
{
	struct store_options opt = { .write = write, .modes = STORE_PRIVATE, .interrupted = ark_interrupted, .s3 = s3,
		                     .environ = environ };
	return store_open_text(place, &opt, out, err);
}

/* --- what lies there --------------------------------------------------------------------------- */

struct top {
	bool any, uploading;
};

static enum ark_rc on_entry(void *ctx, const struct store_entry *entry, struct ark_err *err)
{
	struct top *t = ctx;
	(void)err;
	t->any = true;
	t->uploading = t->uploading || ark_str_eqz(entry->path, EXPORT_UPLOADING);
	return ARK_OK;
}

static enum ark_rc look(struct store *s, struct top *t, struct ark_err *err)
{
	*t = (struct top){ 0 };
	enum ark_rc rc = store_list(s, "", NULL, STORE_BY_FOLDER, on_entry, t, err);
	if (rc >= 0 && t->any && !t->uploading) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' is there already", store_name(s));
		ark_err_hint(err, "name a place where nothing is; what exists is never overwritten");
		return ARK_FAIL;
	}
	return rc < 0 ? rc : ARK_OK;
}

enum ark_rc export_upload_check(const char *place, const struct store_s3_options *s3, struct ark_err *err)
{
	ark_auto(store_closep) struct store *s = NULL;
	struct top t;
	enum ark_rc rc = open_place(place, s3, false, &s, err);
	return rc == ARK_OK ? look(s, &t, err) : rc;
}

/* Names are collected first: what is listed while it is deleted is not to be relied on. */
static enum ark_rc on_rest(void *ctx, const struct store_entry *entry, struct ark_err *err)
{
	(void)err;
	ark_map_put(ctx, entry->path, 0);
	return ARK_OK;
}

/* What an upload that died left; the mark goes last. */
static enum ark_rc remove_rest(struct store *s, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map names = { 0 };
	enum ark_rc rc = store_list(s, "", NULL, 0, on_rest, &names, err);
	for (uint32_t i = 0; i < names.count && rc >= 0; i++) {
		ark_auto(ark_freep) char *path = ark_strdup(ark_map_key(&names, i));
		if (strcmp(path, EXPORT_UPLOADING) != 0)
			rc = store_delete(s, path, err);
	}
	return rc < 0 ? ark_err_in(err, rc, "removing what an upload that died left") : ARK_OK;
}

/* --- uploading --------------------------------------------------------------------------------- */

struct upload {
	const char *place, *folder;
	const struct store_s3_options *s3;
	const struct export_listed *list;
	size_t count;
	_Atomic size_t next;
	_Atomic bool stop;
};

struct carrier {
	struct upload *upload;
	pthread_t thread;
	bool runs;
	enum ark_rc rc;
	struct ark_err err;
};

static enum ark_rc put_file(struct store *s, const char *folder, const struct export_listed *l, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, SIZE_MAX / 2);
	ark_buf_fmt(&path, "%s/%s", folder, l->name);
	int fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", path.data);
	struct ark_body body = ark_body_fd(fd, 0, l->size_bytes);
	enum ark_rc rc = store_put(s, l->name, &body, 0, err);
	close(fd);
	return rc;
}

static enum ark_rc carry(struct carrier *c)
{
	struct upload *u = c->upload;
	ark_auto(store_closep) struct store *s = NULL;
	enum ark_rc rc = open_place(u->place, u->s3, true, &s, &c->err);
	while (rc == ARK_OK && !atomic_load(&u->stop)) {
		size_t n = atomic_fetch_add(&u->next, 1);
		if (n >= u->count)
			break;
		if (strcmp(u->list[n].name, LAST) != 0)
			rc = put_file(s, u->folder, &u->list[n], &c->err);
	}
	return rc;
}

static void *carrier_main(void *arg)
{
	struct carrier *c = arg;
	c->rc = carry(c);
	if (c->rc < 0)
		atomic_store(&c->upload->stop, true);
	return NULL;
}

static enum ark_rc put_all(struct upload *u, struct ark_err *err)
{
	struct carrier all[THREADS] = { 0 };
	enum ark_rc rc = ARK_OK;
	for (int i = 0; i < THREADS && rc == ARK_OK; i++) {
		all[i].upload = u;
		int failed = pthread_create(&all[i].thread, NULL, carrier_main, &all[i]);
		all[i].runs = failed == 0;
		if (failed != 0) {
			atomic_store(&u->stop, true);
			rc = ark_err_errno(err, failed, "cannot start a thread");
		}
	}
	for (int i = 0; i < THREADS; i++) {
		if (all[i].runs)
			pthread_join(all[i].thread, NULL);
		if (all[i].rc < 0 && rc == ARK_OK) {
			*err = all[i].err;
			rc = all[i].rc;
		}
	}
	return rc;
}

static enum ark_rc put_last(struct store *s, const struct upload *u, struct ark_err *err)
{
	for (size_t i = 0; i < u->count; i++)
		if (strcmp(u->list[i].name, LAST) == 0)
			return put_file(s, u->folder, &u->list[i], err);
	ark_bug("an export without " LAST);
}

enum ark_rc export_upload(const char *place, const struct store_s3_options *s3, const char *folder,
                          const struct export_listed *list, size_t count, struct ark_err *err)
{
	static const char MARK[] = "An upload began and has not ended: what lies here is no export.\n";
	ark_auto(store_closep) struct store *s = NULL;
	struct upload u = { .place = place, .folder = folder, .s3 = s3, .list = list, .count = count };
	struct ark_body mark = ark_body_mem(ark_str_z(MARK));
	struct top t;
	enum ark_rc rc = open_place(place, s3, true, &s, err);
	if (rc == ARK_OK)
		rc = look(s, &t, err);
	if (rc == ARK_OK && t.uploading)
		rc = remove_rest(s, err);
	if (rc == ARK_OK)
		rc = store_put(s, EXPORT_UPLOADING, &mark, 0, err);
	if (rc == ARK_OK)
		rc = put_all(&u, err);
	if (rc == ARK_OK)
		rc = put_last(s, &u, err);
	if (rc == ARK_OK)
		rc = store_delete(s, EXPORT_UPLOADING, err);
	return rc < 0 ? ark_err_in(err, rc, "uploading the export") : ARK_OK;
}

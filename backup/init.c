/* Making a repository, and the keys of an encrypted one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "backup/app.h"
#include "backup/repo/inside.h"
#include "backup/repo/local.h"
#include "common/base/limits.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"
#include "common/io/publish.h"
#include "common/repo/format.h"

#include "common/base/banned.h"

/* RECIPIENT is the public key itself, or a file with it. */
static enum ark_rc read_recipient(const char *said, struct repo_format *f, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct stat st;
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	enum ark_rc rc = ARK_OK;
	if (!ark_str_starts(ark_str_z(said), ARK_LIT(CRYPT_RECIPIENT)) && stat(said, &st) == 0)
		rc = repo_file_slurp(said, &text, err);
	else
		ark_buf_z(&text, said);
	if (rc == ARK_OK)
		rc = crypt_recipient_read(ark_buf_view(&text), f->recipient, err);
	if (rc < 0) {
		err->kind = ARK_KIND_USAGE;
		return ark_err_in(err, rc, "--encrypt");
	}
	f->encrypted = true;
	return ARK_OK;
}

static enum ark_rc count_key(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	(void)key;
	(void)size;
	(void)err;
	++*(uint64_t *)ctx;
	return ARK_OK;
}

static enum ark_rc refuse_used(struct repo_keep *keep, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	uint64_t keys = 0;
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	enum ark_rc rc = repo_keep_get(keep, REPO_KEY_FORMAT, 0, REPO_KEEP_ALL, &text, err);
	if (rc == ARK_OK)
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is a repository already", repo_keep_name(keep));
	if (err->kind != ARK_KIND_MISSING)
		return rc;
	rc = repo_keep_list(keep, "", count_key, &keys, err);
	if (rc == ARK_OK && keys > 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is not empty", repo_keep_name(keep));
	return rc;
}

int run_init(struct app *a, struct ark_err *err)
{
	struct repo_keep_options opt = { .place = a->args->operands.items[0], .create = true,
		                         .interrupted = ark_interrupted, .s3 = &a->config->s3 };
	ark_auto(repo_keep_closep) struct repo_keep *keep = NULL;
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct repo_format f = { .encrypted = false };
	unsigned char random[16];
	enum ark_rc rc = a->config->encrypt != NULL ? read_recipient(a->config->encrypt, &f, err) : ARK_OK;
	if (rc == ARK_OK)
		rc = repo_keep_open(&opt, &keep, err);
	if (rc == ARK_OK)
		rc = refuse_used(keep, err);
	if (rc == ARK_OK)
		rc = inside_keep(keep, f.encrypted, err);
	if (rc < 0)
		return rc;
	crypt_random(random, sizeof(random));
	crypt_hex(random, sizeof(random), f.uuid);
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	repo_format_write(&f, &text);
	/* last: what makes it a repository */
	rc = repo_keep_put(keep, REPO_KEY_FORMAT, ark_buf_view(&text), REPO_KEEP_FIRST, err);
	if (rc < 0)
		return rc;
	ark_info(a->talk, "backup.initialised", "made %s repository in '%s'", f.encrypted ? "an encrypted" : "a",
	         repo_keep_name(keep));
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.initialised");
	ark_event_text(&e, "place", ark_str_z(repo_keep_name(keep)));
	ark_event_text(&e, "id", ark_str_z(f.uuid));
	ark_event_bool(&e, "encrypted", f.encrypted);
	ark_event_send(&e, a->talk);
	return ARK_EXIT_DONE;
}

int run_keygen(struct app *a, struct ark_err *err)
{
	ark_auto(io_publish_release) struct io_publish p = IO_PUBLISH_NONE;
	ark_auto(ark_buf_release) struct ark_buf secret = { 0 };
	ark_auto(ark_buf_release) struct ark_buf pub = { 0 };
	struct crypt_identity id;
	struct stat st;
	if (lstat(a->config->output, &st) == 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is there already; a key is never written over",
		                   a->config->output);
	crypt_identity_make(&id);
	ark_buf_init(&secret, 4096);
	ark_buf_init(&pub, 4096);
	crypt_recipient_text(id.pub, &pub);
	ark_buf_fmt(&secret, "# secret key of a matter-backup repository; keep it away from the server\n# public key: %s\n",
	            pub.data);
	crypt_identity_text(&id, &secret);
	ark_buf_c(&secret, '\n');
	enum ark_rc rc = io_publish_begin(a->config->output, &p, err);
	if (rc == ARK_OK)
		rc = io_publish_write(&p, secret.data, secret.len, err);
	if (rc == ARK_OK)
		rc = io_publish_finish(&p, err);
	crypt_wipe(&id, sizeof(id));
	crypt_wipe(secret.data, secret.len);
	if (rc < 0)
		return rc;
	ark_out(a->talk, "%s", pub.data);
	struct ark_event e;
	ark_event_begin(&e, "summary", "backup.keys");
	ark_event_text(&e, "recipient", ark_buf_view(&pub));
	ark_event_text(&e, "identity_file", ark_str_z(a->config->output));
	ark_event_send(&e, a->talk);
	return ARK_EXIT_DONE;
}

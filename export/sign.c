#include "export/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define KEY_FILE_MAX 65536

enum ark_rc export_read_file(const char *path, struct ark_buf *out, struct ark_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no file '%s'", path);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	char piece[4096];
	ssize_t n;
	while ((n = read(fd, piece, sizeof(piece))) > 0 && !out->failed)
		ark_buf_add(out, piece, (size_t)n);
	int failed = errno;
	close(fd);
	return n < 0 ? ark_err_errno(err, failed, "cannot read '%s'", path) : ark_buf_ok(out, path, err);
}

/* The first line of the file; NONE without one. */
static enum ark_rc read_password(const char *path, struct ark_buf *space, struct ark_str *password,
                                 struct ark_err *err)
{
	*password = ARK_STR_NONE;
	if (path == NULL)
		return ARK_OK;
	enum ark_rc rc = export_read_file(path, space, err);
	struct ark_str all = ark_buf_view(space);
	*password = ark_str_first(all, ark_str_find(all, '\n', 0));
	if (rc == ARK_OK && password->len == 0)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' holds no password", path);
	return rc;
}

enum ark_rc export_sign_key(const char *path, const char *password_file, struct crypt_secret_key *key,
                            struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf file, secret;
	ark_buf_init(&file, KEY_FILE_MAX);
	ark_buf_init(&secret, KEY_FILE_MAX);
	struct ark_str password;
	enum ark_rc rc = export_read_file(path, &file, err);
	if (rc == ARK_OK)
		rc = read_password(password_file, &secret, &password, err);
	if (rc == ARK_OK)
		rc = crypt_minisign_read_secret(ark_buf_view(&file), password, key, err);
	if (rc < 0 && password_file == NULL && crypt_minisign_is_protected(ark_buf_view(&file)))
		ark_err_hint(err, "--password-file names a file with the password");
	return rc < 0 ? ark_err_in(err, rc, "key '%s'", path) : ARK_OK;
}

/* A new file, on disk when this returns. */
static enum ark_rc write_new(const char *path, mode_t mode, const struct ark_buf *text, struct ark_err *err)
{
	int failed = ark_fail_step("make a key file");
	int fd = failed == 0 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) : -1;
	if (fd < 0 && failed == 0 && errno == EEXIST)
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is there already; keys are never overwritten", path);
	if (fd < 0)
		return ark_err_errno(err, failed != 0 ? failed : errno, "cannot make '%s'", path);
	size_t len = text->len;
	failed = ark_fail_write("write a key file", &len);
	if (failed == 0 && (write(fd, text->data, text->len) != (ssize_t)text->len || fsync(fd) != 0))
		failed = errno;
	close(fd);
	if (failed == 0)
		return ARK_OK;
	(void)unlink(path);
	return ark_err_errno(err, failed, "cannot write '%s'", path);
}

enum ark_rc export_keygen(const char *path, const char *password_file, char id[CRYPT_KEY_ID_HEX],
                          struct ark_err *err)
{
	ark_auto(crypt_secret_key_release) struct crypt_secret_key secret = { 0 };
	struct crypt_public_key public;
	ark_auto(ark_buf_release) struct ark_buf space, text, name;
	ark_buf_init(&space, KEY_FILE_MAX);
	ark_buf_init(&text, KEY_FILE_MAX);
	ark_buf_init(&name, KEY_FILE_MAX);
	struct ark_str password;
	enum ark_rc rc = read_password(password_file, &space, &password, err);
	if (rc == ARK_OK)
		rc = crypt_minisign_generate(&secret, &public, err);
	if (rc == ARK_OK)
		rc = crypt_minisign_write_secret(&secret, password, &text, err);
	if (rc == ARK_OK)
		rc = write_new(path, 0600, &text, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&text);
	crypt_minisign_write_public(&public, &text);
	crypt_minisign_id(public.id, id);
	ark_buf_fmt(&name, "%s.pub", path);
	rc = write_new(name.data, 0644, &text, err);
	if (rc < 0)
		(void)unlink(path);
	return rc;
}

#include "common/repo/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"

#include "common/base/banned.h"

#define FIRST_LINE "matterark-repository 1\n"
#define SUM_LINE "sha256 "

static void sum_of(struct ark_str text, char hex[CRYPT_SHA256_HEX])
{
	unsigned char sum[CRYPT_SHA256_BYTES];
	ark_auto(crypt_hash_freep) struct crypt_hash *h = crypt_hash_new();
	crypt_sha256(h, text.ptr, text.len, sum);
	crypt_hex(sum, sizeof(sum), hex);
}

void repo_sum_add(struct ark_buf *text)
{
	char hex[CRYPT_SHA256_HEX];
	sum_of(ark_buf_view(text), hex);
	ark_buf_fmt(text, SUM_LINE "%s\n", hex);
}

enum ark_rc repo_sum_check(struct ark_str text, struct ark_str *body, struct ark_err *err)
{
	size_t tail = strlen(SUM_LINE) + REPO_ID_HEX + 1;
	char hex[CRYPT_SHA256_HEX];
	if (text.len < tail)
		return ark_err_set(err, ARK_KIND_INPUT, "it is cut off");
	struct ark_str first = ark_str_first(text, text.len - tail);
	struct ark_str line = ark_str_from(text, first.len);
	sum_of(first, hex);
	if (!ark_str_starts(line, ARK_LIT(SUM_LINE)) || line.ptr[tail - 1] != '\n' ||
	    memcmp(line.ptr + strlen(SUM_LINE), hex, REPO_ID_HEX) != 0)
		return ark_err_set(err, ARK_KIND_INPUT, "its checksum does not hold: it is damaged");
	*body = first;
	return ARK_OK;
}

void repo_format_write(const struct repo_format *f, struct ark_buf *out)
{
	ark_buf_z(out, FIRST_LINE);
	ark_buf_fmt(out, "id %s\n", f->uuid);
	if (f->encrypted) {
		ark_buf_z(out, "recipient ");
		crypt_recipient_text(f->recipient, out);
		ark_buf_c(out, '\n');
	}
	repo_sum_add(out);
}

static bool uuid_is(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr("0123456789abcdef", s.ptr[i]) == NULL || s.ptr[i] == '\0')
			return false;
	return s.len == 32;
}

enum ark_rc repo_format_parse(struct ark_str text, struct repo_format *out, struct ark_err *err)
{
	struct repo_format f = { 0 };
	struct ark_str body;
	if (!ark_str_starts(text, ARK_LIT("matterark-repository ")))
		return ark_err_set(err, ARK_KIND_INPUT, "the file '" REPO_KEY_FORMAT "' is not one of ours");
	if (!ark_str_starts(text, ARK_LIT(FIRST_LINE))) {
		ark_err_set(err, ARK_KIND_REFUSED, "it was made by a newer version");
		ark_err_hint(err, "use that version of matter-backup");
		return ARK_FAIL;
	}
	enum ark_rc rc = repo_sum_check(text, &body, err);
	if (rc < 0)
		return ark_err_in(err, rc, "the file '" REPO_KEY_FORMAT "'");
	body = ark_str_from(body, strlen(FIRST_LINE));
	while (body.len > 0) {
		size_t end = ark_str_find(body, '\n', 0);
		struct ark_str line = ark_str_first(body, end);
		body = end == SIZE_MAX ? ark_str_from(body, body.len) : ark_str_from(body, end + 1);
		if (ark_str_starts(line, ARK_LIT("id ")) && uuid_is(ark_str_from(line, 3))) {
			memcpy(f.uuid, line.ptr + 3, 32);
		} else if (ark_str_starts(line, ARK_LIT("recipient "))) {
			rc = crypt_recipient_read(ark_str_from(line, strlen("recipient ")), f.recipient, err);
			f.encrypted = true;
		} else {
			rc = ark_err_set(err, ARK_KIND_INPUT, "the line '%.*s' is not known", ARK_FMT(line));
		}
		if (rc < 0)
			return ark_err_in(err, rc, "the file '" REPO_KEY_FORMAT "'");
	}
	if (f.uuid[0] == '\0')
		return ark_err_set(err, ARK_KIND_INPUT, "the file '" REPO_KEY_FORMAT "' has no id");
	*out = f;
	return ARK_OK;
}

void repo_data_key(const struct repo_id *pack, char out[REPO_KEY_MAX])
{
	char hex[REPO_ID_HEX + 1];
	repo_id_hex(pack, hex);
	snprintf(out, REPO_KEY_MAX, REPO_DIR_DATA "%.2s/%s", hex, hex);
}

bool repo_data_parse(const char *key, struct repo_id *out)
{
	struct repo_id id;
	char want[REPO_KEY_MAX];
	const char *slash = strrchr(key, '/');
	if (slash == NULL || !repo_id_parse(ark_str_z(slash + 1), &id))
		return false;
	repo_data_key(&id, want);
	if (strcmp(want, key) != 0)
		return false;
	*out = id;
	return true;
}

static void close_fdp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

enum ark_rc repo_file_slurp(const char *path, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no file '%s'", path);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	for (;;) {
		char space[65536];
		ssize_t n = read(fd, space, sizeof(space));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot read '%s'", path);
		if (n == 0)
			return ark_buf_ok(out, path, err);
		ark_buf_add(out, space, (size_t)n);
	}
}

enum ark_rc repo_mirror_read(struct repo *r, const struct repo_id *id, struct ark_buf *out,
                             struct ark_err *err)
{
	char hex[REPO_ID_HEX + 1];
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	ark_buf_init(&path, 8192);
	enum ark_rc rc = repo_cache(r, &path, err);
	if (rc < 0)
		return rc;
	repo_id_hex(id, hex);
	ark_buf_fmt(&path, "/plain/%s", hex);
	rc = repo_file_slurp(path.data, out, err);
	if (rc < 0 && err->kind == ARK_KIND_MISSING)
		return ARK_END;
	return rc;
}

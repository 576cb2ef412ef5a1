#include "common/json/small.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

struct json_small {
	json_t *root;
};

enum ark_rc json_small_parse(struct ark_str text, struct json_small **out, struct ark_err *err)
{
	json_error_t at;
	json_t *root = json_loadb(ark_str_has(text) ? text.ptr : "", text.len, 0, &at);
	if (root == NULL)
		return ark_err_set(err, ARK_KIND_INPUT, "no valid JSON at line %d, column %d", at.line,
		                   at.column);
	struct json_small *doc = ark_calloc(1, sizeof(*doc));
	doc->root = root;
	*out = doc;
	return ARK_OK;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

enum ark_rc json_small_file(const char *path, struct json_small **out, struct ark_err *err)
{
	ark_auto(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_SMALL_JSON);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return ark_err_errno(err, errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is no file", path);
	for (;;) {
		char *room = ark_buf_room(&text, 65536);
		if (room == NULL)
			break;
		ssize_t n = read(fd, room, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		text.len += (size_t)n;
	}
	enum ark_rc rc = ark_buf_ok(&text, path, err);
	if (rc == ARK_OK)
		rc = json_small_parse(ark_buf_view(&text), out, err);
	return rc < 0 && err->kind == ARK_KIND_INPUT ? ark_err_in(err, rc, "'%s'", path) : rc;
}

void json_small_free(struct json_small *doc)
{
	if (doc == NULL)
		return;
	json_decref(doc->root);
	free(doc);
}

void json_small_freep(struct json_small **doc)
{
	json_small_free(*doc);
	*doc = NULL;
}

static const json_t *find(const struct json_small *doc, const char *path)
{
	const json_t *at = doc->root;
	struct ark_str rest = ark_str_z(path);
	while (at != NULL && ark_str_has(rest)) {
		size_t dot = ark_str_find(rest, '.', 0);
		struct ark_str name = ark_str_first(rest, dot);
		at = json_object_getn(at, name.ptr, name.len);
		rest = dot < rest.len ? ark_str_from(rest, dot + 1) : ARK_STR_NONE;
	}
	return at;
}

bool json_small_has(const struct json_small *doc, const char *path)
{
	return find(doc, path) != NULL;
}

struct ark_str json_small_str(const struct json_small *doc, const char *path)
{
	const json_t *v = find(doc, path);
	return json_is_string(v) ? ark_str_n(json_string_value(v), json_string_length(v)) : ARK_STR_NONE;
}

bool json_small_bool(const struct json_small *doc, const char *path, bool *out)
{
	const json_t *v = find(doc, path);
	if (!json_is_boolean(v))
		return false;
	*out = json_is_true(v);
	return true;
}

bool json_small_i64(const struct json_small *doc, const char *path, int64_t *out)
{
	const json_t *v = find(doc, path);
	if (!json_is_integer(v))
		return false;
	*out = json_integer_value(v);
	return true;
}

/*
 * Who may use a bucket: what Mattermost's configuration says about it wins for its own store, then the
 * options, then the environment. The three parts of a credential come from one place, never mixed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/store/private.h"

#include "common/base/banned.h"

static const char *from_environ(char *const *vars, const char *name)
{
	size_t n = strlen(name);
	for (; vars != NULL && *vars != NULL; vars++)
		if (strncmp(*vars, name, n) == 0 && (*vars)[n] == '=' && (*vars)[n + 1] != '\0')
			return *vars + n + 1;
	return NULL;
}

static bool has(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static enum ark_rc read_secret(const char *path, char **out, struct ark_err *err)
{
	char line[1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
	int e = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		ark_err_errno(err, e, "cannot read '%s'", path);
		err->kind = ARK_KIND_USAGE;
		return ARK_FAIL;
	}
	struct ark_str text = ark_str_n(line, (size_t)n);
	text = ark_str_trim(ark_str_first(text, ark_str_find(text, '\n', 0)));
	if (text.len > 0)
		*out = ark_strdup(text);
	explicit_bzero(line, sizeof(line));
	return *out != NULL ? ARK_OK
	                    : ark_err_set(err, ARK_KIND_USAGE, "'%s' holds no secret key", path);
}

static enum ark_rc from_options(const struct store_s3_options *o, struct access *out,
                                struct ark_err *err)
{
	if (has(o->secret_key) && has(o->secret_key_file)) {
		ark_err_set(err, ARK_KIND_USAGE, "the secret key is given twice");
		ark_err_hint(err, "say either s3-secret-key or s3-secret-key-file");
		return ARK_FAIL;
	}
	if (has(o->secret_key_file)) {
		enum ark_rc rc = read_secret(o->secret_key_file, &out->secret_from_file, err);
		if (rc < 0)
			return rc;
	}
	out->s3.access_key = o->access_key;
	out->s3.secret_key = has(o->secret_key) ? o->secret_key : out->secret_from_file;
	out->s3.session_token = o->session_token;
	return ARK_OK;
}

static enum ark_rc credentials(const struct mm_files *files, const struct store_options *opt,
                               struct access *out, struct ark_err *err)
{
	const struct store_s3_options *o = opt->s3;
	if (has(files->access_key) || has(files->secret_key)) {
		out->s3.access_key = files->access_key;
		out->s3.secret_key = files->secret_key;
	} else if (o != NULL && (has(o->access_key) || has(o->secret_key) || has(o->secret_key_file))) {
		enum ark_rc rc = from_options(o, out, err);
		if (rc < 0)
			return rc;
	} else {
		out->s3.access_key = from_environ(opt->environ, "AWS_ACCESS_KEY_ID");
		out->s3.secret_key = from_environ(opt->environ, "AWS_SECRET_ACCESS_KEY");
		out->s3.session_token = from_environ(opt->environ, "AWS_SESSION_TOKEN");
	}
	if (has(out->s3.access_key) && has(out->s3.secret_key))
		return ARK_OK;
	ark_err_set(err, ARK_KIND_USAGE, "no %s for bucket '%s'",
	            has(out->s3.access_key) ? "secret key" : "access key", files->bucket);
	ark_err_hint(err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --s3-access-key with "
	                  "--s3-secret-key-file");
	return ARK_FAIL;
}

static const char *first_of(const char *a, const char *b, const char *c, const char *d)
{
	return has(a) ? a : has(b) ? b : has(c) ? c : has(d) ? d : "";
}

enum ark_rc store_access(const struct mm_files *files, const struct store_options *opt,
                         struct access *out, struct ark_err *err)
{
	static const struct store_s3_options NONE = { 0 };
	const struct store_s3_options *o = opt->s3 != NULL ? opt->s3 : &NONE;
	char *const *env = opt->environ;
	enum ark_rc rc = credentials(files, opt, out, err);
	if (rc < 0)
		return rc;
	out->s3.bucket = files->bucket;
	out->s3.endpoint = first_of(files->endpoint, o->endpoint, from_environ(env, "AWS_ENDPOINT_URL_S3"),
	                            from_environ(env, "AWS_ENDPOINT_URL"));
	/* Mattermost's default; the name without a region serves us-east-1 alone.
	 * Fact  docs/mattermost-facts.md "Configuration" */
	if (strcmp(out->s3.endpoint, "s3.amazonaws.com") == 0)
		out->s3.endpoint = "";
	out->s3.region = first_of(files->region, o->region, from_environ(env, "AWS_REGION"),
	                          from_environ(env, "AWS_DEFAULT_REGION"));
	out->s3.plain_http = has(files->endpoint) && files->plain_http;
	out->s3.style = (enum net_s3_style)o->style;
	out->s3.net.interrupted = opt->interrupted;
	const char *authorities = from_environ(env, "AWS_CA_BUNDLE");
	out->s3.net.ca_file = has(authorities) ? authorities : NULL;
	return ARK_OK;
}

void store_access_release(struct access *a)
{
	if (a->secret_from_file != NULL)
		explicit_bzero(a->secret_from_file, strlen(a->secret_from_file));
	free(a->secret_from_file);
	*a = (struct access){ 0 };
}

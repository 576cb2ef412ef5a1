#include "import/server.h"

#include <errno.h>
#include <stdio.h>

#include "common/cli/signal.h"
#include "common/net/http.h"

#include "common/base/banned.h"

#define TOKEN_MAX 4096

static enum ark_rc read_token(struct app *a, const char *path, struct ark_err *err)
{
	char line[TOKEN_MAX] = "";
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return ark_err_errno(err, errno, "cannot read '%s'", path);
	bool got = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	struct ark_str token = ark_str_trim(ark_str_z(line));
	if (!got || token.len == 0)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' holds no token", path);
	a->api_token = ark_pool_str(&a->strings, token);
	return ARK_OK;
}

enum ark_rc server_open(struct app *a, struct ark_err *err)
{
	const struct import_config *c = a->config;
	if ((c->api_url == NULL) != (c->api_token_file == NULL)) {
		ark_err_set(err, ARK_KIND_USAGE, "--api-url and --api-token-file belong together");
		ark_err_hint(err, "the token is an administrator's personal access token");
		return ARK_FAIL;
	}
	return c->api_url == NULL ? ARK_OK : read_token(a, c->api_token_file, err);
}

static enum ark_rc post(struct app *a, int *status, struct ark_err *err)
{
	ark_auto(net_closep) struct net *net = NULL;
	ark_auto(net_reply_release) struct net_reply reply;
	ark_auto(ark_buf_release) struct ark_buf url;
	ark_auto(ark_buf_release) struct ark_buf auth;
	net_reply_init(&reply);
	ark_buf_init(&url, 64u << 10);
	ark_buf_init(&auth, 2 * TOKEN_MAX);
	struct ark_str base = ark_str_z(a->config->api_url);
	while (base.len > 0 && base.ptr[base.len - 1] == '/')
		base.len--;
	ark_buf_str(&url, base);
	ark_buf_z(&url, "/api/v4/caches/invalidate");
	ark_buf_fmt(&auth, "Authorization: Bearer %.*s", ARK_FMT(a->api_token));
	const char *headers[] = { auth.data };
	struct net_options opt = { .interrupted = ark_interrupted, .total_ms = 60000 };
	enum ark_rc rc = net_open(&opt, &net, err);
	if (rc < 0)
		return rc;
	struct net_request request = { .method = NET_POST, .url = url.data, .headers = headers,
		                       .header_count = 1, .body = ark_body_mem(ARK_LIT("")) };
	rc = net_do(net, &request, &reply, err);
	*status = reply.status;
	return rc;
}

void server_drop_caches(struct app *a)
{
	int status = 0;
	struct ark_err err = { 0 };
	if (a->config->api_url == NULL) {
		ark_info(a->talk, "import.caches",
		         "a running server must drop its caches: --api-url and --api-token-file, or System "
		         "Console, or a restart; until then new members cannot post. Reactions it keeps for half an "
		         "hour in any case");
		return;
	}
	enum ark_rc rc = post(a, &status, &err);
	if (rc == ARK_OK && status == 200) {
		ark_info(a->talk, "import.caches_dropped", "the server dropped its caches");
		return;
	}
	if (rc == ARK_OK)
		ark_warn(a->talk, "import.caches_failed",
		         "the server did not drop its caches (it answered %d%s): System Console does it, or a restart",
		         status, status == 401 || status == 403 ? ": the token is no administrator's" : "");
	else
		ark_warn(a->talk, "import.caches_failed",
		         "the server could not be told to drop its caches: %s; System Console does it, or a restart",
		         err.text);
}

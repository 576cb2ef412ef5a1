#include "common/mm/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/net/http.h"

#include "common/base/banned.h"

#define TOKEN_MAX 4096
#define TOTAL_MS 60000
#define TRIES 5
#define PATIENCE_MS 10000 /* waited at most when the server says "later" */

struct mm_api {
	struct net *net;
	struct ark_buf base, auth;
	bool (*interrupted)(void);
};

void mm_api_close(struct mm_api *api)
{
	if (api == NULL)
		return;
	net_close(api->net);
	ark_buf_release(&api->base);
	ark_buf_release(&api->auth);
	free(api);
}

void mm_api_closep(struct mm_api **api)
{
	mm_api_close(*api);
	*api = NULL;
}

static enum ark_rc read_token(struct mm_api *api, const char *path, struct ark_err *err)
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
	ark_buf_fmt(&api->auth, "Authorization: Bearer %.*s", ARK_FMT(token));
	return ARK_OK;
}

enum ark_rc mm_api_open(const char *url, const char *token_file, bool (*interrupted)(void), struct mm_api **out,
                        struct ark_err *err)
{
	ark_auto(mm_api_closep) struct mm_api *api = ark_calloc(1, sizeof(*api));
	ark_buf_init(&api->base, 64u << 10);
	ark_buf_init(&api->auth, 2 * TOKEN_MAX);
	api->interrupted = interrupted;
	struct ark_str base = ark_str_z(url);
	while (base.len > 0 && base.ptr[base.len - 1] == '/')
		base.len--;
	ark_buf_str(&api->base, base);
	struct net_options opt = { .interrupted = interrupted, .total_ms = TOTAL_MS };
	enum ark_rc rc = read_token(api, token_file, err);
	if (rc == ARK_OK)
		rc = net_open(&opt, &api->net, err);
	if (rc < 0)
		return rc;
	*out = api;
	api = NULL;
	return ARK_OK;
}

static enum ark_rc ask(struct mm_api *api, enum net_method method, const char *path, struct net_reply *reply,
                       struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf url;
	ark_buf_init(&url, 80u << 10);
	ark_buf_fmt(&url, "%s%s", api->base.data, path);
	const char *headers[] = { api->auth.data };
	struct net_request request = { .method = method, .url = url.data, .headers = headers, .header_count = 1 };
	request.body = method == NET_POST ? ark_body_mem(ARK_LIT("")) : (struct ark_body){ .fd = -1 };
	return net_do(api->net, &request, reply, err);
}

enum ark_rc mm_api_drop_caches(struct mm_api *api, int *status, struct ark_err *err)
{
	ark_auto(net_reply_release) struct net_reply reply;
	net_reply_init(&reply);
	enum ark_rc rc = ask(api, NET_POST, "/api/v4/caches/invalidate", &reply, err);
	*status = reply.status;
	return rc;
}

static void wait_for_it(struct mm_api *api, const struct net_reply *reply)
{
	int64_t ms = 1000;
	struct ark_str after = net_reply_header(reply, "retry-after");
	if (!ark_str_has(after) || !net_retry_after(after, ark_time_now_ms(), &ms) || ms > PATIENCE_MS)
		ms = ark_str_has(after) ? PATIENCE_MS : ms;
	for (; ms > 0 && !(api->interrupted != NULL && api->interrupted()); ms -= 100)
		usleep(100000);
}

enum ark_rc mm_api_delete_post(struct mm_api *api, const char *id, int *status, struct ark_err *err)
{
	ark_auto(net_reply_release) struct net_reply reply;
	net_reply_init(&reply);
	char path[128];
	snprintf(path, sizeof(path), "/api/v4/posts/%s", id);
	enum ark_rc rc = ARK_OK;
	for (int i = 0; i < TRIES; i++) {
		rc = ask(api, NET_DELETE, path, &reply, err);
		if (rc < 0 || (reply.status != 429 && reply.status != 503))
			break;
		wait_for_it(api, &reply);
	}
	*status = reply.status;
	return rc;
}

#include "import/fetch/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/json/value.h"
#include "import/slack/token.h"

#include "common/base/banned.h"

#define TRIES 6
#define WAIT_MAX_MS 300000
#define ANSWER_BYTES (64u << 20)
#define PICTURE_BYTES (8u << 20)
#define ALIAS_DEPTH 10

struct slack_api {
	struct api_settings set;
	struct net *net;
	struct net_reply reply, picture;
	struct json_doc *doc;
	char header[SLACK_TOKEN_BYTES + 32];
};

enum ark_rc api_open(const struct api_settings *set, struct slack_api **out, struct ark_err *err)
{
	struct slack_api *api = ark_calloc(1, sizeof(*api));
	api->set = *set;
	net_reply_init(&api->reply);
	net_reply_init(&api->picture);
	api->doc = json_doc_new();
	snprintf(api->header, sizeof(api->header), "Authorization: Bearer %s", set->token);
	enum ark_rc rc = net_open(&set->net, &api->net, err);
	if (rc < 0)
		api_close(api);
	else
		*out = api;
	return rc;
}

void api_close(struct slack_api *api)
{
	if (api == NULL)
		return;
	net_close(api->net);
	net_reply_release(&api->reply);
	net_reply_release(&api->picture);
	json_doc_free(api->doc);
	free(api);
}

void api_closep(struct slack_api **api)
{
	api_close(*api);
}

/* ---- requests ---- */

/* In small pieces, so that an interruption is heard. */
static enum ark_rc wait_ms(struct slack_api *api, int64_t ms, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (int64_t end = ark_time_tick_ms() + ms; rc == ARK_OK && ark_time_tick_ms() < end;) {
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
		rc = api->set.tick(api->set.ctx, 0, 0, err);
	}
	return rc;
}

/* How long to wait before this is tried again; -1: it is an answer, or no use. */
static int64_t again_ms(const struct net_reply *reply, bool limited, int round)
{
	int64_t ms = 0;
	if (reply->status == 429 || limited) {
		struct ark_str after = net_reply_header(reply, "retry-after");
		if (!ark_str_has(after) || !net_retry_after(after, ark_time_now_ms(), &ms))
			ms = 30000;
		return ms <= WAIT_MAX_MS ? ms : -1;
	}
	bool broken = reply->fate == NET_UNREACHABLE || reply->fate == NET_BROKEN;
	return broken || reply->status >= 500 ? (int64_t)500 << round : -1;
}

static bool is_limited(struct json_val root)
{
	struct ark_str why = json_str(json_get(root, "error"));
	return ark_str_eqz(why, "ratelimited") || ark_str_eqz(why, "rate_limited");
}

/* One call; `root` borrows from the reply. A refusal by Slack is FAIL with kind REFUSED. */
static enum ark_rc call(struct slack_api *api, const char *method, const char *query, struct json_val *root,
                        struct ark_err *err)
{
	char url[1024];
	snprintf(url, sizeof(url), "%s/api/%s?%s",
	         api->set.slack_url != NULL ? api->set.slack_url : "https://slack.com", method, query);
	const char *headers[] = { api->header };
	struct net_request request = { .method = NET_GET, .url = url, .headers = headers, .header_count = 1,
		                       .body = { .fd = -1 }, .ceiling = ANSWER_BYTES };
	for (int round = 0;; round++) {
		enum ark_rc rc = net_do(api->net, &request, &api->reply, err);
		bool parsed = false, limited = false;
		if (rc == ARK_STOP)
			return rc;
		if (rc == ARK_OK && api->reply.status == 200) {
			struct ark_buf *b = &api->reply.body;
			if (ark_buf_room(b, JSON_PADDING) == NULL)
				return ark_err_set(err, ARK_KIND_LIMIT, "%s: the answer is too large", method);
			memset(b->data + b->len, 0, JSON_PADDING);
			parsed = json_doc_parse(api->doc, b->data, b->len, root, err) == ARK_OK;
			limited = parsed && is_limited(*root);
			if (parsed && json_is_true(json_get(*root, "ok")))
				return ARK_OK;
		}
		int64_t ms = round < TRIES ? again_ms(&api->reply, limited, round) : -1;
		if (ms < 0 && rc < 0)
			return ark_err_in(err, rc, "Slack's %s", method);
		if (ms < 0) {
			struct ark_str why = parsed ? json_str(json_get(*root, "error")) : ARK_STR_NONE;
			return ark_err_set(err, ARK_KIND_REFUSED, "Slack refuses %s: %.*s", method,
			                   ARK_FMT(ark_str_has(why) ? ark_str_first(why, 60)
			                                            : ARK_LIT("no answer that can be read")));
		}
		rc = wait_ms(api, ms, err);
		if (rc < 0)
			return rc;
	}
}

/* Pictures are no reason to stop: a method that the token may not use, a Slack that does not answer. */
static enum ark_rc refused(struct slack_api *api, enum ark_rc rc, const struct ark_err *err)
{
	if (rc != ARK_FAIL)
		return rc;
	api->set.say(api->set.ctx, "import.slack_api", err->text);
	return ARK_OK;
}

static bool is_picture_host(struct ark_str url)
{
	static const char *const STARTS[] = { "https://emoji.slack-edge.com/", "https://avatars.slack-edge.com/",
		                              "https://a.slack-edge.com/", "https://ca.slack-edge.com/" };
	for (size_t i = 0; i < sizeof(STARTS) / sizeof(STARTS[0]); i++)
		if (ark_str_starts(url, ark_str_z(STARTS[i])))
			return true;
	return false;
}

/* A picture, without the token: they are public. *out is empty when it cannot be had. */
static enum ark_rc picture(struct slack_api *api, struct ark_str from, struct ark_str *out, struct ark_err *err)
{
	char url[2048];
	*out = ARK_LIT("");
	if (!is_picture_host(from) || from.len >= sizeof(url) / 2)
		return ARK_OK;
	size_t path = ark_str_find(from, '/', strlen("https://"));
	if (api->set.slack_url != NULL)
		snprintf(url, sizeof(url), "%s%.*s", api->set.slack_url, ARK_FMT(ark_str_from(from, path)));
	else
		snprintf(url, sizeof(url), "%.*s", ARK_FMT(from));
	struct net_request request = { .method = NET_GET, .url = url, .body = { .fd = -1 },
		                       .ceiling = PICTURE_BYTES, .redirects = 3 };
	for (int round = 0;; round++) {
		struct ark_err why = { 0 };
		enum ark_rc rc = net_do(api->net, &request, &api->picture, &why);
		if (rc == ARK_STOP) {
			*err = why;
			return rc;
		}
		if (rc == ARK_OK && api->picture.status == 200) {
			*out = ark_buf_view(&api->picture.body);
			return api->set.tick(api->set.ctx, 1, out->len, err);
		}
		int64_t ms = round < TRIES ? again_ms(&api->picture, false, round) : -1;
		if (ms < 0)
			return ARK_OK;
		rc = wait_ms(api, ms, err);
		if (rc < 0)
			return rc;
	}
}

/* ---- emoji ---- */

/* The address behind an alias; none when it leads nowhere, or to one of Slack's own. */
static struct ark_str address_of(struct json_val all, struct ark_str value)
{
	for (int depth = 0; depth < ALIAS_DEPTH && ark_str_starts(value, ARK_LIT("alias:")); depth++)
		value = json_str(json_member(all, ark_str_from(value, 6)));
	return ark_str_starts(value, ARK_LIT("https://")) ? value : ARK_STR_NONE;
}

enum ark_rc api_emoji(struct slack_api *api, struct pictures *p, struct ark_err *err)
{
	struct json_val root;
	enum ark_rc rc = call(api, "emoji.list", "", &root, err);
	if (rc < 0)
		return refused(api, rc, err);
	struct json_val all = json_get(root, "emoji");
	struct json_iter it = json_fields(all);
	struct ark_str name;
	for (struct json_val v; rc == ARK_OK && json_next_field(&it, &name, &v);) {
		struct ark_str url = address_of(all, json_str(v)), body;
		if (!ark_str_has(url) || !pictures_wants_emoji(p, name))
			continue;
		rc = picture(api, url, &body, err);
		if (rc == ARK_OK)
			rc = pictures_emoji(p, name, body, err);
	}
	return rc;
}

/* ---- people ---- */

static enum ark_rc avatar_of(struct slack_api *api, struct pictures *p, struct json_val user, struct ark_err *err)
{
	struct ark_str id = json_str(json_get(user, "id"));
	struct json_val profile = json_get(user, "profile");
	struct ark_str url = json_text(json_get(profile, "image_192")), body;
	bool wanted = false;
	if (!ark_str_has(url))
		url = json_text(json_get(profile, "image_original"));
	/* what Slack draws for people without a picture is none */
	if (!ark_str_has(url) || !json_is_true(json_get(profile, "is_custom_image")))
		return ARK_OK;
	enum ark_rc rc = pictures_wants_avatar(p, id, &wanted, err);
	if (rc == ARK_OK && wanted)
		rc = picture(api, url, &body, err);
	return rc == ARK_OK && wanted && body.len > 0 ? pictures_avatar(p, id, body, err) : rc;
}

enum ark_rc api_avatars(struct slack_api *api, struct pictures *p, struct ark_err *err)
{
	char query[512] = "limit=200";
	for (int page = 0; page < 100000; page++) {
		struct json_val root;
		enum ark_rc rc = call(api, "users.list", query, &root, err);
		if (rc < 0)
			return refused(api, rc, err);
		struct json_iter it = json_items(json_get(root, "members"));
		for (struct json_val user; rc == ARK_OK && json_next(&it, &user);)
			rc = avatar_of(api, p, user, err);
		if (rc < 0)
			return rc;
		struct ark_str cursor = json_text(json_get(json_get(root, "response_metadata"), "next_cursor"));
		if (!ark_str_has(cursor) || cursor.len > 128)
			return ARK_OK;
		ark_auto(ark_buf_release) struct ark_buf encoded;
		ark_buf_init(&encoded, 512);
		net_url_encode(cursor, false, &encoded);
		snprintf(query, sizeof(query), "limit=200&cursor=%s", encoded.data);
	}
	return ARK_OK;
}

/* ---- groups ---- */

enum ark_rc api_groups(struct slack_api *api, struct ark_err *err)
{
	struct json_val root;
	enum ark_rc rc = call(api, "usergroups.list", "include_users=true", &root, err);
	if (rc < 0)
		return refused(api, rc, err);
	ark_auto(ark_buf_release) struct ark_buf members;
	ark_buf_init(&members, 4u << 20);
	struct json_iter it = json_items(json_get(root, "usergroups"));
	for (struct json_val g; json_next(&it, &g);) {
		struct json_val users = json_get(g, "users");
		struct json_iter each = json_items(users);
		ark_buf_reset(&members);
		for (struct json_val u; json_next(&each, &u);) {
			ark_buf_z(&members, members.len > 0 ? " " : "");
			ark_buf_str(&members, json_str(u));
		}
		api->set.group(api->set.ctx, json_str(json_get(g, "handle")), json_str(json_get(g, "name")),
		               ark_buf_view(&members), json_count(users));
	}
	return ARK_OK;
}

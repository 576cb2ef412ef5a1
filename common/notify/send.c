#include "common/notify/send.h"

#include <time.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/net/mail.h"
#include "common/net/mqtt.h"
#include "common/notify/command.h"

#include "common/base/banned.h"

#define FIRST_PAUSE_MS 500
#define LAST_PAUSE_MS 2000
#define REDIRECTS 3

bool notify_wants_begin(enum notify_kind kind)
{
	return kind == NOTIFY_PING || kind == NOTIFY_EXEC;
}

static struct net_options options(int64_t end_ms)
{
	int64_t rest = end_ms - ark_time_tick_ms();
	/* no question for interruptions: that a run was interrupted is to be told, too */
	return (struct net_options){ .total_ms = rest > 1 ? rest : 1 };
}

/* --- web --------------------------------------------------------------------------------------- */

/* May the same request do better in a moment? `again_lost`: it does no harm if it arrives twice. */
static bool again(const struct net_reply *reply, bool again_lost)
{
	switch (reply->fate) {
	case NET_ANSWERED:
		return reply->status == 429 || reply->status >= 500;
	case NET_UNREACHABLE:
		return true;
	case NET_BROKEN:
		return again_lost;
	default:
		return false;
	}
}

static enum ark_rc post_once(const struct net_request *request, int64_t end_ms, struct net_reply *reply,
                             struct ark_err *err)
{
	ark_auto(net_closep) struct net *net = NULL;
	struct net_options opt = options(end_ms);
	enum ark_rc rc = net_open(&opt, &net, err);
	return rc == ARK_OK ? net_do(net, request, reply, err) : rc;
}

static enum ark_rc post(const char *url, const char *type, const struct ark_buf *text, bool again_lost,
                        int64_t end_ms, struct net_reply *reply, struct ark_err *err)
{
	const char *headers[] = { type };
	struct net_request request = { .method = NET_POST,
		                       .url = url,
		                       .headers = headers,
		                       .header_count = 1,
		                       .body = ark_body_mem(ark_buf_view(text)),
		                       .redirects = again_lost ? REDIRECTS : 0 };
	enum ark_rc rc = ark_buf_ok(text, "the notice", err);
	if (rc < 0)
		return rc;
	for (int64_t pause = FIRST_PAUSE_MS;; pause *= 2) {
		rc = post_once(&request, end_ms, reply, err);
		if (!again(reply, again_lost) || pause > LAST_PAUSE_MS || ark_time_tick_ms() + pause >= end_ms)
			return rc;
		struct timespec ts = { pause / 1000, pause % 1000 * 1000000 };
		nanosleep(&ts, NULL);
	}
}

static enum ark_rc answered(const struct net_reply *reply, struct ark_err *err)
{
	if (reply->status >= 200 && reply->status <= 299)
		return ARK_OK;
	return ark_err_set(err, ARK_KIND_IO, "the answer is HTTP %d", reply->status);
}

static enum ark_rc send_webhook(const struct notify_address *a, const struct notify_run *run,
                                const struct notify_moment *at, int64_t end_ms, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_auto(net_reply_release) struct net_reply reply;
	ark_buf_init(&text, LIMIT_NOTICE);
	net_reply_init(&reply);
	notify_render_webhook(run, at, &text);
	enum ark_rc rc = post(a->text, "Content-Type: application/json", &text, false, end_ms, &reply, err);
	return rc == ARK_OK ? answered(&reply, err) : rc;
}

static enum ark_rc ping(const struct notify_address *a, const char *suffix, const struct ark_buf *text,
                        int64_t end_ms, struct net_reply *reply, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf url;
	ark_buf_init(&url, LIMIT_NOTIFY_URL + 64);
	notify_address_ping(a, suffix, &url);
	return post(url.data, "Content-Type: text/plain; charset=utf-8", text, true, end_ms, reply, err);
}

/* Fact  docs/notify.md "Monitors": /start, the address itself, /<exit code>; /fail where codes are unknown */
static enum ark_rc send_ping(const struct notify_address *a, const struct notify_run *run,
                             const struct notify_moment *at, int64_t end_ms, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text, suffix;
	ark_auto(net_reply_release) struct net_reply reply;
	ark_buf_init(&text, LIMIT_NOTICE);
	ark_buf_init(&suffix, 16);
	net_reply_init(&reply);
	notify_render_text(run, at, &text);
	if (!at->end)
		ark_buf_z(&suffix, "/start");
	else if (run->code != ARK_EXIT_DONE)
		ark_buf_fmt(&suffix, "/%d", (int)run->code);
	enum ark_rc rc = ping(a, suffix.data, &text, end_ms, &reply, err);
	if (rc == ARK_OK && at->end && run->code != ARK_EXIT_DONE && reply.status == 404)
		rc = ping(a, "/fail", &text, end_ms, &reply, err);
	return rc == ARK_OK ? answered(&reply, err) : rc;
}

/* --- the others -------------------------------------------------------------------------------- */

static enum ark_rc send_mqtt(const struct notify_address *a, const struct notify_run *run,
                             const struct notify_moment *at, int64_t end_ms, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_NOTICE);
	notify_render_json(run, at, &text);
	enum ark_rc rc = ark_buf_ok(&text, "the notice", err);
	if (rc < 0)
		return rc;
	struct net_options opt = options(end_ms);
	struct net_mqtt message = { .tls = a->tls,
		                    .host = a->url.host,
		                    .port = a->url.port,
		                    .user = a->url.user,
		                    .password = a->url.password,
		                    .topic = a->topic.data,
		                    .payload = ark_str_trim(ark_buf_view(&text)),
		                    .retain = a->retain };
	return net_mqtt_publish(&opt, &message, err);
}

static enum ark_rc send_mail(const struct notify_address *a, const struct notify_run *run,
                             const struct notify_moment *at, int64_t end_ms, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text, id;
	ark_buf_init(&text, LIMIT_NOTICE);
	ark_buf_init(&id, 64);
	ark_buf_fmt(&id, "matterark.%lld.%lld", (long long)ark_time_now_ms(), (long long)getpid());
	notify_render_mail(run, at, a->from.data, (const char *const *)a->to, id.data, &text);
	enum ark_rc rc = ark_buf_ok(&text, "the mail", err);
	if (rc < 0)
		return rc;
	struct net_options opt = options(end_ms);
	struct net_mail mail = { .tls = a->tls,
		                 .host = a->url.host,
		                 .port = a->url.port,
		                 .user = a->url.user,
		                 .password = a->url.password,
		                 .from = a->from.data,
		                 .to = (const char *const *)a->to,
		                 .to_count = a->to_count,
		                 .text = ark_buf_view(&text) };
	return net_mail_send(&opt, &mail, err);
}

static enum ark_rc send_exec(const struct notify_address *a, const struct notify_run *run,
                             const struct notify_moment *at, int64_t end_ms, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text, variables;
	ark_buf_init(&text, LIMIT_NOTICE);
	ark_buf_init(&variables, LIMIT_NOTICE);
	notify_render_json(run, at, &text);
	notify_render_environment(run, at, &variables);
	enum ark_rc rc = ark_buf_ok(&text, "the notice", err);
	if (rc == ARK_OK)
		rc = ark_buf_ok(&variables, "the environment of the command", err);
	if (rc < 0)
		return rc;
	return notify_command_run(a->text, ark_buf_view(&text), ark_buf_view(&variables), end_ms, err);
}

enum ark_rc notify_send(const struct notify_address *a, const struct notify_run *run,
                        const struct notify_moment *at, int64_t end_ms, struct ark_err *err)
{
	static enum ark_rc (*const SEND[])(const struct notify_address *, const struct notify_run *,
	                                   const struct notify_moment *, int64_t, struct ark_err *) = {
		[NOTIFY_WEBHOOK] = send_webhook, [NOTIFY_PING] = send_ping, [NOTIFY_MQTT] = send_mqtt,
		[NOTIFY_MAIL] = send_mail,       [NOTIFY_EXEC] = send_exec,
	};
	enum ark_rc rc = SEND[a->kind](a, run, at, end_ms, err);
	return rc < 0 ? ark_err_in(err, rc, "'%s' was not told", a->shown.data) : rc;
}

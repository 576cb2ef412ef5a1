/* One request at a time, against a server that fails on demand (tests/harness/fault_server.py). */
#include "common/net/http.h"

#include "common/base/mem.h"
#include "common/base/time.h"
#include "tests/harness/fault.h"

static struct net *open_net(const struct net_options *opt)
{
	struct net *net = NULL;
	struct ark_err err = { 0 };
	fault_reset();
	if (net_open(opt, &net, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return net;
}

static enum ark_rc get(struct net *net, const char *url, struct net_reply *reply, struct ark_err *err)
{
	*err = (struct ark_err){ 0 };
	struct net_request r = { .url = url, .body = { .fd = -1 } };
	return net_do(net, &r, reply, err);
}

static void an_answer_is_an_answer_whatever_its_status(void)
{
	ark_auto(net_closep) struct net *net = open_net(NULL);
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err;
	net_reply_init(&reply);
	CHECK_I64(get(net, fault_url(NULL, "/gen/1000/a"), &reply, &err), ARK_OK);
	CHECK_I64(reply.fate, NET_ANSWERED);
	CHECK_I64(reply.status, 200);
	CHECK_I64(reply.body.len, 1000);
	CHECK(fault_generated(ark_buf_view(&reply.body), 0));
	CHECK_STR(net_reply_header(&reply, "content-length"), "1000");
	fault("do=status&status=503&after=7");
	CHECK_I64(get(net, fault_url(NULL, "/gen/1000/a"), &reply, &err), ARK_OK);
	CHECK_I64(reply.status, 503);
	CHECK_STR(net_reply_header(&reply, "retry-after"), "7");
	CHECK_I64(get(net, fault_url(NULL, "/files/none"), &reply, &err), ARK_OK);
	CHECK_I64(reply.status, 404);
	CHECK_STR(ark_buf_view(&reply.body), "nothing here");
}

static void a_body_that_breaks_off_is_no_answer(void)
{
	static const char *const FAULTS[] = { "do=cut&at=500", "do=cutreset&at=500", "do=reset", "do=lost" };
	ark_auto(net_closep) struct net *net = open_net(NULL);
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err;
	net_reply_init(&reply);
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		fault(FAULTS[i]);
		CHECK_I64(get(net, fault_url(NULL, "/gen/1000/a?token=xoxe-secret"), &reply, &err), ARK_FAIL);
		CHECK_I64(reply.fate, NET_BROKEN);
		CHECK_I64(err.kind, ARK_KIND_IO);
		CHECK(strstr(err.text, "secret") == NULL);
		CHECK(strstr(err.text, "127.0.0.1") != NULL);
	}
	CHECK_I64(reply.received, 0);
	CHECK_I64(get(net, fault_url(NULL, "/gen/1000/a"), &reply, &err), ARK_OK);
}

static void nobody_there_is_unreachable(void)
{
	ark_auto(net_closep) struct net *net = open_net(NULL);
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err;
	net_reply_init(&reply);
	CHECK_I64(get(net, "http://127.0.0.1:1/x", &reply, &err), ARK_FAIL);
	CHECK_I64(reply.fate, NET_UNREACHABLE);
	CHECK(get(net, "http://127.0.0.1:x/", &reply, &err) < 0);
	CHECK_I64(err.kind, ARK_KIND_USAGE);
	CHECK(get(net, "file:///etc/passwd", &reply, &err) < 0);
	CHECK_I64(err.kind, ARK_KIND_USAGE);
}

static void a_server_that_stands_still_is_left(void)
{
	struct net_options opt = { .stall_ms = 1000 };
	ark_auto(net_closep) struct net *net = open_net(&opt);
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err;
	net_reply_init(&reply);
	fault("do=stall&at=100&seconds=14");
	int64_t began = ark_time_tick_ms();
	CHECK_I64(get(net, fault_url(NULL, "/gen/1000/a"), &reply, &err), ARK_FAIL);
	CHECK(ark_time_tick_ms() - began < 10000);
	CHECK_I64(reply.fate, NET_BROKEN);
	CHECK(strstr(err.text, "nothing came") != NULL);
}

static bool now(void)
{
	return true;
}

static void an_interruption_ends_it(void)
{
	struct net_options opt = { .interrupted = now };
	ark_auto(net_closep) struct net *net = open_net(&opt);
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err;
	net_reply_init(&reply);
	fault("do=slow&seconds=3");
	int64_t began = ark_time_tick_ms();
	CHECK_I64(get(net, fault_url(NULL, "/gen/1000/a"), &reply, &err), ARK_STOP);
	CHECK(ark_time_tick_ms() - began < 1500);
	CHECK_I64(err.kind, ARK_KIND_SIGNAL);
	CHECK_I64(reply.fate, NET_OURS);
}

static void ceilings_hold(void)
{
	ark_auto(net_closep) struct net *net = open_net(NULL);
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err = { 0 };
	net_reply_init(&reply);
	struct net_request r = { .url = fault_url(NULL, "/gen/1001/a"), .body = { .fd = -1 }, .ceiling = 1000 };
	CHECK_I64(net_do(net, &r, &reply, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_LIMIT);
	r.url = fault_url(NULL, "/gen/1000/a");
	CHECK_I64(net_do(net, &r, &reply, &err), ARK_OK);
	CHECK_I64(reply.body.len, 1000);
}

static void redirects_are_followed_without_secrets(void)
{
	static const char *const SECRET[] = { "Authorization: Bearer xoxe-1", "Accept: */*" };
	ark_auto(net_closep) struct net *net = open_net(NULL);
	ark_auto(net_reply_release) struct net_reply reply;
	char rule[300];
	struct ark_err err = { 0 };
	net_reply_init(&reply);
	snprintf(rule, sizeof(rule), "do=redirect&to=%s", fault_url("other.localhost", "/echo"));
	struct net_request r = { .url = fault_url(NULL, "/gen/10/a"), .body = { .fd = -1 },
		                 .headers = SECRET, .header_count = 2 };
	fault(rule);
	CHECK_I64(net_do(net, &r, &reply, &err), ARK_OK);
	CHECK_I64(reply.status, 302);
	r.redirects = 3;
	fault(rule);
	CHECK_I64(net_do(net, &r, &reply, &err), ARK_OK);
	CHECK_I64(reply.status, 200);
	CHECK(ark_str_search(ark_buf_view(&reply.body), ARK_LIT("Accept: */*"), 0) != SIZE_MAX);
	CHECK(ark_str_search(ark_buf_view(&reply.body), ARK_LIT("xoxe"), 0) == SIZE_MAX);
	/* the same host gets it */
	r.url = fault_url(NULL, "/echo");
	CHECK_I64(net_do(net, &r, &reply, &err), ARK_OK);
	CHECK(ark_str_search(ark_buf_view(&reply.body), ARK_LIT("xoxe"), 0) != SIZE_MAX);
	snprintf(rule, sizeof(rule), "do=redirect&times=9&to=%s", fault_url(NULL, "/gen/10/a"));
	fault(rule);
	r.url = fault_url(NULL, "/gen/10/a");
	CHECK_I64(net_do(net, &r, &reply, &err), ARK_FAIL);
	CHECK_I64(reply.fate, NET_REFUSED);
}

static void a_body_is_sent_and_addresses_are_shown_without_secrets(void)
{
	ark_auto(net_closep) struct net *net = open_net(NULL);
	ark_auto(net_reply_release) struct net_reply reply;
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err = { 0 };
	net_reply_init(&reply);
	ark_buf_init(&b, 1000);
	struct net_request r = { .method = NET_PUT, .url = fault_url(NULL, "/__file/x"),
		                 .body = ark_body_mem(ARK_LIT("what was sent")) };
	CHECK_I64(net_do(net, &r, &reply, &err), ARK_OK);
	CHECK_I64(get(net, fault_url(NULL, "/files/x"), &reply, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&reply.body), "what was sent");
	net_url_shown("https://me:pw@files.example:8443/a/b?t=xoxe#f", true, &b);
	CHECK_STR(ark_buf_view(&b), "https://files.example:8443/a/b");
	ark_buf_reset(&b);
	net_url_shown("no address", true, &b);
	CHECK_STR(ark_buf_view(&b), "?");
}

static void waiting_times_are_read(void)
{
	int64_t ms = -1;
	CHECK(net_retry_after(ARK_LIT(" 120 "), 0, &ms));
	CHECK_I64(ms, 120000);
	CHECK(net_retry_after(ARK_LIT("99999999999999999"), 0, &ms));
	CHECK_I64(ms, INT64_C(31536000000));
	CHECK(net_retry_after(ARK_LIT("Sun, 06 Nov 1994 08:49:37 GMT"), INT64_C(784111770000), &ms));
	CHECK_I64(ms, 7000);
	CHECK(net_retry_after(ARK_LIT("Sun, 06 Nov 1994 08:49:37 GMT"), INT64_C(1700000000000), &ms));
	CHECK_I64(ms, 0);
	CHECK(net_http_date(ARK_LIT("Sunday, 06-Nov-94 08:49:37 GMT"), &ms));
	CHECK_I64(ms, INT64_C(784111777000));
	CHECK(net_http_date(ARK_LIT("Sun Nov  6 08:49:37 1994"), &ms));
	CHECK_I64(ms, INT64_C(784111777000));
	CHECK(!net_retry_after(ARK_LIT("-1"), 0, &ms));
	CHECK(!net_retry_after(ARK_LIT("soon"), 0, &ms));
	CHECK(!net_retry_after(ARK_LIT(""), 0, &ms));
	CHECK(!net_http_date(ARK_LIT("Sun, 31 Feb 1994 08:49:37 GMT"), &ms));
}

int main(void)
{
	TAP_RUN(an_answer_is_an_answer_whatever_its_status);
	TAP_RUN(a_body_that_breaks_off_is_no_answer);
	TAP_RUN(nobody_there_is_unreachable);
	TAP_RUN(a_server_that_stands_still_is_left);
	TAP_RUN(an_interruption_ends_it);
	TAP_RUN(ceilings_hold);
	TAP_RUN(redirects_are_followed_without_secrets);
	TAP_RUN(a_body_is_sent_and_addresses_are_shown_without_secrets);
	TAP_RUN(waiting_times_are_read);
	return tap_done();
}

/* S3 requests, against a store that checks signatures and fails on demand (tests/harness/fault_server.py). */
#include "common/net/s3.h"

#include "common/base/mem.h"
#include "common/base/time.h"
#include "tests/harness/fault.h"

#define PART 65536

static struct net_s3_options options(void)
{
	return (struct net_s3_options){ .net = { .stall_ms = 1000 }, .bucket = "bucket", .region = "us-east-1",
		                        .endpoint = getenv("ARK_TEST_HTTP"), .access_key = "AK",
		                        .secret_key = "SK-secret-of-tests", .pause_ms = 10, .part_bytes = PART };
}

static struct net_s3 *open_with(const struct net_s3_options *opt)
{
	struct net_s3 *s3 = NULL;
	struct ark_err err = { 0 };
	fault_reset();
	if (net_s3_open(opt, &s3, &err) < 0) {
		printf("Bail out! %s (%s)\n", err.text, err.hint);
		exit(1);
	}
	return s3;
}

static struct net_s3 *open_s3(void)
{
	struct net_s3_options opt = options();
	return open_with(&opt);
}

static enum ark_rc put(struct net_s3 *s3, const char *key, struct ark_str text, bool if_absent,
                       struct ark_err *err)
{
	struct ark_body body = ark_body_mem(text);
	*err = (struct ark_err){ 0 };
	enum ark_rc rc = net_s3_put(s3, ark_str_z(key), &body, if_absent, err);
	if (rc < 0)
		printf("# put %s: %s\n", key, err->text);
	return rc;
}

static enum ark_rc get(struct net_s3 *s3, const char *key, uint64_t from, uint64_t len, struct ark_buf *out,
                       struct ark_err *err)
{
	*err = (struct ark_err){ 0 };
	ark_buf_reset(out);
	enum ark_rc rc = net_s3_get(s3, ark_str_z(key), from, len, ark_sink_buf(out), NULL, err);
	if (rc < 0)
		printf("# get %s: %s\n", key, err->text);
	return rc;
}

/* `len` bytes as the server generates them; static. */
static struct ark_str generated(size_t len)
{
	static char bytes[5 * PART];
	for (size_t i = 0; i < len; i++)
		bytes[i] = fault_byte(i);
	return ark_str_n(bytes, len);
}

/* --- signatures ---------------------------------------------------------------------------------- */

static void odd_keys_are_signed(void)
{
	static const char *const ODD[] = { "a b+c", "ä/€", "'()!*=:@,;$&?#[]{}|^`\"<>\\", "%41%2F~._-", "a//b",
		                           "../x", "./y", "a/../b", "\x01\x7f" };
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	ark_buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(ODD) / sizeof(ODD[0]); i++) {
		CHECK_I64(put(s3, ODD[i], ark_str_z(ODD[i]), false, &err), ARK_OK);
		CHECK_I64(get(s3, ODD[i], 0, UINT64_MAX, &b, &err), ARK_OK);
		CHECK_STR(ark_buf_view(&b), ODD[i]);
	}
	CHECK_I64(fault_count(" 40. "), 0);
	for (size_t i = 0; i < sizeof(ODD) / sizeof(ODD[0]); i++)
		CHECK_I64(net_s3_delete(s3, ark_str_z(ODD[i]), &err), ARK_OK);
	CHECK_STR(fault_ask(NET_GET, "/__keys", ARK_LIT("")), "");
}

static void wrong_keys_are_refused_and_said(void)
{
	struct net_s3_options opt = options();
	struct net_s3_object o;
	struct ark_err err = { 0 };
	opt.secret_key = "wrong-secret";
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_with(&opt);
	CHECK_I64(put(s3, "k", ARK_LIT("x"), false, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
	CHECK(strstr(err.text, "SignatureDoesNotMatch") != NULL && strstr(err.text, "status 403") != NULL);
	CHECK(strstr(err.hint, "secret key") != NULL);
	CHECK(strstr(err.text, "wrong-secret") == NULL && strstr(err.hint, "wrong-secret") == NULL);
	CHECK_I64(fault_count("PUT"), 1);
	/* HEAD has no body: the status alone */
	CHECK_I64(net_s3_head(s3, ARK_LIT("k"), &o, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
	opt = options();
	opt.access_key = "NOBODY";
	ark_auto(net_s3_closep) struct net_s3 *nobody = open_with(&opt);
	CHECK_I64(put(nobody, "k", ARK_LIT("x"), false, &err), ARK_FAIL);
	CHECK(strstr(err.text, "InvalidAccessKeyId") != NULL);
	opt = options();
	opt.region = "eu-west-3";
	ark_auto(net_s3_closep) struct net_s3 *far = open_with(&opt);
	CHECK_I64(put(far, "k", ARK_LIT("x"), false, &err), ARK_FAIL);
	CHECK(strstr(err.hint, "us-east-1") != NULL);
	opt = options();
	opt.bucket = "nobucket";
	ark_auto(net_s3_closep) struct net_s3 *none = open_with(&opt);
	CHECK_I64(put(none, "k", ARK_LIT("x"), false, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_MISSING);
	CHECK(strstr(err.hint, "bucket") != NULL);
}

static void temporary_keys_need_their_token(void)
{
	struct net_s3_options opt = options();
	struct ark_err err = { 0 };
	opt.access_key = "TK";
	opt.secret_key = "TK-secret-of-tests";
	opt.session_token = "token/+of=tests";
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_with(&opt);
	CHECK_I64(put(s3, "k", ARK_LIT("x"), false, &err), ARK_OK);
	opt.session_token = "another-token";
	ark_auto(net_s3_closep) struct net_s3 *other = open_with(&opt);
	CHECK_I64(put(other, "k", ARK_LIT("x"), false, &err), ARK_FAIL);
	CHECK(strstr(err.text, "InvalidToken") != NULL);
	CHECK(strstr(err.text, "another-token") == NULL);
}

static enum ark_rc count_keys(void *ctx, const struct net_s3_entry *e, struct ark_err *err)
{
	(void)e;
	(void)err;
	++*(int *)ctx;
	return ARK_OK;
}

static void the_bucket_may_stand_in_the_host(void)
{
	struct net_s3_options opt = options();
	char endpoint[64];
	int keys = 0;
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err = { 0 };
	ark_buf_init(&b, 1000);
	snprintf(endpoint, sizeof(endpoint), "http://localhost%s", strrchr(opt.endpoint, ':'));
	opt.endpoint = endpoint;
	opt.style = NET_S3_HOST;
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_with(&opt);
	CHECK_I64(put(s3, "a/b c", ARK_LIT("x"), false, &err), ARK_OK);
	CHECK_I64(get(s3, "a/b c", 0, UINT64_MAX, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "x");
	CHECK_I64(net_s3_list(s3, ARK_LIT("a/"), ARK_STR_NONE, false, count_keys, &keys, &err), ARK_OK);
	CHECK_I64(keys, 1);
	CHECK_I64(fault_count("^PUT /a/b%20c 200"), 1);
}

/* --- repetition ---------------------------------------------------------------------------------- */

static void what_passes_is_repeated(void)
{
	static const char *const FAULTS[] = {
		"do=status&status=500&code=InternalError", "do=status&status=503&code=SlowDown",
		"do=status&status=429", "do=status&status=502", "do=status&status=504",
		"do=status&status=400&code=RequestTimeout", "do=reset", "do=lost",
	};
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	ark_buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		fault_reset();
		fault(FAULTS[i]);
		CHECK_I64(put(s3, "k", ARK_LIT("text"), false, &err), ARK_OK);
		CHECK_I64(fault_count("PUT"), 2);
		fault(FAULTS[i]);
		CHECK_I64(get(s3, "k", 0, UINT64_MAX, &b, &err), ARK_OK);
		CHECK_STR(ark_buf_view(&b), "text");
		CHECK_I64(fault_count("GET"), 2);
		fault(FAULTS[i]);
		CHECK_I64(net_s3_delete(s3, ARK_LIT("k"), &err), ARK_OK);
		CHECK_I64(fault_count("DELETE"), 2);
	}
}

static void tries_come_to_an_end(void)
{
	struct net_s3_options opt = options();
	struct ark_err err = { 0 };
	opt.tries = 3;
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_with(&opt);
	fault("do=status&status=503&code=SlowDown&times=99");
	CHECK_I64(put(s3, "k", ARK_LIT("x"), false, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_IO);
	CHECK(strstr(err.text, "SlowDown") != NULL);
	CHECK_I64(fault_count("PUT"), 3);
	/* what does not pass is tried once */
	fault_reset();
	fault("do=status&status=403&code=AccessDenied");
	CHECK_I64(put(s3, "k", ARK_LIT("x"), false, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
	CHECK_I64(fault_count("PUT"), 1);
}

static bool now(void)
{
	return true;
}

static void an_interruption_is_heeded(void)
{
	struct net_s3_options opt = options();
	struct ark_err err = { 0 };
	opt.net.interrupted = now;
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_with(&opt);
	fault("do=slow&seconds=2");
	CHECK_I64(put(s3, "k", ARK_LIT("x"), false, &err), ARK_STOP);
	CHECK_I64(err.kind, ARK_KIND_SIGNAL);
}

static void the_time_asked_for_is_waited(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	struct ark_err err;
	int64_t began = ark_time_tick_ms();
	fault("do=status&status=503&code=SlowDown&after=1");
	CHECK_I64(put(s3, "k", ARK_LIT("x"), false, &err), ARK_OK);
	CHECK(ark_time_tick_ms() - began >= 1000);
}

/* --- reading ------------------------------------------------------------------------------------- */

static void a_cut_body_goes_on_where_it_stopped(void)
{
	static const char *const FAULTS[] = { "do=cut&at=40000&match=GET", "do=cutreset&at=40000&match=GET",
		                              "do=stall&at=40000&seconds=12&match=GET" };
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	ark_buf_init(&b, 1u << 20);
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		fault_reset();
		CHECK_I64(put(s3, "k", generated(100000), false, &err), ARK_OK);
		fault(FAULTS[i]);
		CHECK_I64(get(s3, "k", 0, UINT64_MAX, &b, &err), ARK_OK);
		CHECK_I64(b.len, 100000);
		CHECK(fault_generated(ark_buf_view(&b), 0));
		CHECK_I64(fault_count("GET /bucket/k 206 60000 bytes=40000-"), 1);
	}
	fault("do=cut&at=7000&times=9&match=GET");
	CHECK_I64(get(s3, "k", 1000, 70000, &b, &err), ARK_OK);
	CHECK_I64(b.len, 70000);
	CHECK(fault_generated(ark_buf_view(&b), 1000));
}

static void two_versions_are_never_mixed(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	ark_buf_init(&b, 1u << 20);
	CHECK_I64(put(s3, "k", generated(100000), false, &err), ARK_OK);
	fault("do=cut&at=40000&match=GET");
	fault("do=newetag&match=GET");
	CHECK_I64(get(s3, "k", 0, UINT64_MAX, &b, &err), ARK_FAIL);
	CHECK(strstr(err.text, "changed while it was read") != NULL);
	/* a store that answers the rest with the whole, or with another part */
	fault("do=cut&at=40000&match=GET");
	fault("do=norange&match=GET");
	CHECK_I64(get(s3, "k", 0, UINT64_MAX, &b, &err), ARK_FAIL);
	CHECK_I64(b.len, 40000);
	fault("do=otherpart&match=GET");
	CHECK_I64(get(s3, "k", 1000, 100, &b, &err), ARK_FAIL);
	CHECK_I64(b.len, 0);
}

static void a_short_answer_is_not_the_object(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	ark_buf_init(&b, 1u << 20);
	CHECK_I64(put(s3, "k", generated(100000), false, &err), ARK_OK);
	/* of a part it is seen by the range, and asked for again */
	fault("do=short&at=500&match=GET");
	CHECK_I64(get(s3, "k", 1000, 50000, &b, &err), ARK_OK);
	CHECK_I64(b.len, 50000);
	CHECK(fault_generated(ark_buf_view(&b), 1000));
	CHECK_I64(get(s3, "none", 0, UINT64_MAX, &b, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_MISSING);
	CHECK_I64(get(s3, "k", 100000, 10, &b, &err), ARK_OK);
	CHECK_I64(b.len, 0);
	CHECK_I64(get(s3, "k", 99999, 10, &b, &err), ARK_OK);
	CHECK_I64(b.len, 1);
}

static enum ark_rc no_room(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	(void)ctx;
	(void)ptr;
	(void)len;
	return ark_err_set(err, ARK_KIND_LIMIT, "no room");
}

static void a_sink_that_fails_ends_it(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	struct ark_err err;
	CHECK_I64(put(s3, "k", ARK_LIT("text"), false, &err), ARK_OK);
	CHECK_I64(net_s3_get(s3, ARK_LIT("k"), 0, UINT64_MAX, (struct ark_sink){ no_room, NULL }, NULL, &err),
	          ARK_FAIL);
	CHECK(strstr(err.text, "no room") != NULL);
	CHECK_I64(fault_count("GET"), 1);
}

/* --- conditional put ------------------------------------------------------------------------------ */

static void what_is_there_is_kept(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	bool honoured = false;
	ark_buf_init(&b, 1000);
	CHECK_I64(put(s3, "k", ARK_LIT("first"), true, &err), ARK_OK);
	CHECK_I64(put(s3, "k", ARK_LIT("second"), true, &err), ARK_END);
	CHECK_I64(get(s3, "k", 0, UINT64_MAX, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "first");
	CHECK_I64(net_s3_probe_absent(s3, ARK_LIT("probe"), &honoured, &err), ARK_OK);
	CHECK(honoured);
	fault_set("ignore_condition=1");
	CHECK_I64(net_s3_probe_absent(s3, ARK_LIT("probe"), &honoured, &err), ARK_OK);
	CHECK(!honoured);
	CHECK_STR(fault_ask(NET_GET, "/__keys", ARK_LIT("")), "bucket/k 5\n");
}

static void a_put_whose_answer_was_lost_was_ours(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	struct ark_err err;
	fault("do=lost&match=PUT");
	CHECK_I64(put(s3, "mine", ARK_LIT("x"), true, &err), ARK_OK);
	CHECK_I64(fault_count("PUT /bucket/mine"), 2);
	CHECK_I64(fault_count("PUT /bucket/mine 412"), 1);
	/* over a connection that was used before libcurl repeats by itself */
	fault("do=lost&match=PUT");
	CHECK_I64(put(s3, "again", ARK_LIT("x"), true, &err), ARK_OK);
	CHECK_I64(fault_count("PUT /bucket/again 412"), 1);
	/* it was there before: the repetition says so too */
	fault_ask(NET_PUT, "/__object/bucket/theirs", ARK_LIT("x"));
	fault("do=reset&match=PUT");
	CHECK_I64(put(s3, "theirs", ARK_LIT("x"), true, &err), ARK_END);
	fault("do=status&status=409&code=ConditionalRequestConflict&match=PUT");
	CHECK_I64(put(s3, "third", ARK_LIT("x"), true, &err), ARK_OK);
}

/* --- uploads in parts ------------------------------------------------------------------------------ */

static void parts_become_one_object(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	ark_buf_init(&b, 1u << 20);
	fault_set("min_part=65536");
	CHECK_I64(put(s3, "big", generated(4 * PART + 1), false, &err), ARK_OK);
	CHECK_I64(fault_count("PUT /bucket/big.partNumber"), 5);
	CHECK_I64(get(s3, "big", 0, UINT64_MAX, &b, &err), ARK_OK);
	CHECK_I64(b.len, 4 * PART + 1);
	CHECK(fault_generated(ark_buf_view(&b), 0));
	CHECK_STR(fault_ask(NET_GET, "/__uploads", ARK_LIT("")), "0");
}

static enum ark_rc upload(struct net_s3 *s3, const char *key, size_t len, bool if_absent, struct ark_err *err)
{
	ark_auto(net_s3_upload_drop) struct net_s3_upload *up = NULL;
	struct ark_str bytes = generated(len);
	*err = (struct ark_err){ 0 };
	enum ark_rc rc = net_s3_upload_begin(s3, ark_str_z(key), if_absent, &up, err);
	for (size_t at = 0; rc == ARK_OK && at < len; at += 9999)
		rc = net_s3_upload_add(up, bytes.ptr + at, len - at < 9999 ? len - at : 9999, err);
	return rc == ARK_OK ? net_s3_upload_finish(&up, err) : rc;
}

static void every_step_of_an_upload_is_repeated(void)
{
	static const char *const STEPS[] = { "POST.*uploads", "partNumber=1", "partNumber=3", "POST.*uploadId" };
	static const char *const FAULTS[] = { "do=status&status=503&code=SlowDown", "do=error200", "do=reset",
		                              "do=lost" };
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err;
	char rule[200];
	ark_buf_init(&b, 1u << 20);
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
		for (size_t n = 0; n < sizeof(FAULTS) / sizeof(FAULTS[0]); n++) {
			if ((i == 1 || i == 2) && n == 1)
				continue; /* no store answers a part like that */
			fault_reset();
			snprintf(rule, sizeof(rule), "%s&match=%s", FAULTS[n], STEPS[i]);
			fault(rule);
			enum ark_rc rc = upload(s3, "big", 3 * PART, n == 3, &err);
			CHECK_I64(rc, ARK_OK);
			if (rc < 0)
				printf("# %s: %s\n", rule, err.text);
			CHECK_I64(fault_count(STEPS[i]), 2);
			CHECK_I64(get(s3, "big", 0, UINT64_MAX, &b, &err), ARK_OK);
			CHECK_I64(b.len, 3 * PART);
			CHECK(fault_generated(ark_buf_view(&b), 0));
		}
	}
}

static void an_upload_that_fails_is_taken_back(void)
{
	struct net_s3_options opt = options();
	struct ark_err err;
	opt.tries = 2;
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_with(&opt);
	fault("do=status&status=500&times=9&match=partNumber=2");
	CHECK_I64(upload(s3, "big", 3 * PART, false, &err), ARK_FAIL);
	CHECK_STR(fault_ask(NET_GET, "/__uploads", ARK_LIT("")), "0");
	CHECK_STR(fault_ask(NET_GET, "/__keys", ARK_LIT("")), "");
	CHECK_I64(fault_count("DELETE .* 204"), 1);
	fault_reset();
	fault("do=error200&code=InternalError&times=9&match=POST.*uploadId");
	CHECK_I64(upload(s3, "big", 3 * PART, false, &err), ARK_FAIL);
	CHECK(strstr(err.text, "InternalError") != NULL);
	fault_reset();
	fault("do=garbage&match=POST.*uploads");
	CHECK_I64(upload(s3, "big", 3 * PART, false, &err), ARK_FAIL);
	CHECK(strstr(err.text, "UploadId") != NULL);
	/* given up in the middle */
	fault_reset();
	struct net_s3_upload *up = NULL;
	CHECK_I64(net_s3_upload_begin(s3, ARK_LIT("big"), false, &up, &err), ARK_OK);
	CHECK_I64(net_s3_upload_add(up, generated(2 * PART).ptr, 2 * PART, &err), ARK_OK);
	CHECK_STR(fault_ask(NET_GET, "/__uploads", ARK_LIT("")), "1");
	net_s3_upload_drop(&up);
	CHECK_STR(fault_ask(NET_GET, "/__uploads", ARK_LIT("")), "0");
}

static void an_upload_keeps_what_is_there(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	struct ark_err err;
	fault_ask(NET_PUT, "/__object/bucket/big", ARK_LIT("theirs"));
	CHECK_I64(upload(s3, "big", 3 * PART, true, &err), ARK_END);
	CHECK_I64(upload(s3, "big", 10, true, &err), ARK_END);
	CHECK_STR(fault_ask(NET_GET, "/__keys", ARK_LIT("")), "bucket/big 6\n");
	CHECK_STR(fault_ask(NET_GET, "/__uploads", ARK_LIT("")), "0");
}

/* --- lists ---------------------------------------------------------------------------------------- */

static enum ark_rc note(void *ctx, const struct net_s3_entry *e, struct ark_err *err)
{
	(void)err;
	ark_buf_str(ctx, e->key);
	ark_buf_z(ctx, e->is_folder ? "| " : " ");
	return ARK_OK;
}

static void fill(struct net_s3 *s3)
{
	static const char *const KEYS[] = { "l/a", "l/b c", "l/b+d", "l/e/f", "l/e/g", "l/h", "l/ü" };
	struct ark_err err;
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		CHECK_I64(put(s3, KEYS[i], ARK_LIT("x"), false, &err), ARK_OK);
}

static void lists_come_page_by_page(void)
{
	static const char *const FAULTS[] = { "do=slow&seconds=0", "do=status&status=503&code=SlowDown",
		                              "do=error200&code=SlowDown", "do=reset", "do=cut&at=300" };
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err = { 0 };
	char rule[100];
	ark_buf_init(&b, 1000);
	fill(s3);
	for (int page = 1; page <= 8; page++) {
		for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
			snprintf(rule, sizeof(rule), "%s&match=list-type&skip=%d", FAULTS[i], page == 1 ? 2 : 0);
			fault(rule);
			snprintf(rule, sizeof(rule), "page=%d", page);
			fault_set(rule);
			ark_buf_reset(&b);
			CHECK_I64(net_s3_list(s3, ARK_LIT("l/"), ARK_STR_NONE, false, note, &b, &err), ARK_OK);
			CHECK_STR(ark_buf_view(&b), "l/a l/b c l/b+d l/e/f l/e/g l/h l/ü ");
			ark_buf_reset(&b);
			CHECK_I64(net_s3_list(s3, ARK_LIT("l/"), ARK_LIT("l/a"), true, note, &b, &err), ARK_OK);
			CHECK_STR(ark_buf_view(&b), "l/b c l/b+d l/e/| l/h l/ü ");
		}
	}
}

static void lists_that_cannot_be_are_refused(void)
{
	struct net_s3_options opt = options();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err = { 0 };
	opt.tries = 2;
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_with(&opt);
	ark_buf_init(&b, 1000);
	fill(s3);
	fault_set("page=3");
	fault("do=again&times=99&match=list-type");
	CHECK_I64(net_s3_list(s3, ARK_LIT("l/"), ARK_STR_NONE, false, note, &b, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_INPUT);
	CHECK_I64(fault_count("list-type"), 2);
	fault_reset();
	fault("do=garbage&times=99&match=list-type");
	CHECK_I64(net_s3_list(s3, ARK_LIT("l/"), ARK_STR_NONE, false, note, &b, &err), ARK_FAIL);
	fault_reset();
	fault("do=error200&code=AccessDenied&match=list-type");
	CHECK_I64(net_s3_list(s3, ARK_LIT("l/"), ARK_STR_NONE, false, note, &b, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
}

/* A list may be of a moment ago: what it names and is gone is MISSING, nothing else. */
static void a_stale_list_leads_to_missing(void)
{
	ark_auto(net_s3_closep) struct net_s3 *s3 = open_s3();
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err = { 0 };
	ark_buf_init(&b, 1000);
	CHECK_I64(put(s3, "l/old", ARK_LIT("x"), false, &err), ARK_OK);
	fault("do=stale&match=list-type&times=2");
	CHECK_I64(net_s3_delete(s3, ARK_LIT("l/old"), &err), ARK_OK);
	CHECK_I64(put(s3, "l/new", ARK_LIT("x"), false, &err), ARK_OK);
	CHECK_I64(net_s3_list(s3, ARK_LIT("l/"), ARK_STR_NONE, false, note, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "l/old ");
	CHECK_I64(get(s3, "l/old", 0, UINT64_MAX, &b, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_MISSING);
	CHECK_I64(net_s3_delete(s3, ARK_LIT("l/old"), &err), ARK_OK);
}

int main(void)
{
	TAP_RUN(odd_keys_are_signed);
	TAP_RUN(wrong_keys_are_refused_and_said);
	TAP_RUN(temporary_keys_need_their_token);
	TAP_RUN(the_bucket_may_stand_in_the_host);
	TAP_RUN(what_passes_is_repeated);
	TAP_RUN(tries_come_to_an_end);
	TAP_RUN(an_interruption_is_heeded);
	TAP_RUN(the_time_asked_for_is_waited);
	TAP_RUN(a_cut_body_goes_on_where_it_stopped);
	TAP_RUN(two_versions_are_never_mixed);
	TAP_RUN(a_short_answer_is_not_the_object);
	TAP_RUN(a_sink_that_fails_ends_it);
	TAP_RUN(what_is_there_is_kept);
	TAP_RUN(a_put_whose_answer_was_lost_was_ours);
	TAP_RUN(parts_become_one_object);
	TAP_RUN(every_step_of_an_upload_is_repeated);
	TAP_RUN(an_upload_that_fails_is_taken_back);
	TAP_RUN(an_upload_keeps_what_is_there);
	TAP_RUN(lists_come_page_by_page);
	TAP_RUN(lists_that_cannot_be_are_refused);
	TAP_RUN(a_stale_list_leads_to_missing);
	return tap_done();
}

/* Many downloads at once, against a server that fails on demand (tests/harness/fault_server.py). */
#include "common/net/many.h"

#include "common/base/mem.h"
#include "common/base/time.h"
#include "tests/harness/fault.h"

#define SIZE 100000
#define SIZE_TEXT "100000"
#define FILES_MAX 40

/* A download as its receiver sees it. */
struct file {
	const char *host, *path; /* host NULL: 127.0.0.1 */
	uint64_t from;
	const char *etag;
	uint64_t size_max;
	bool pages_are_wanted;
	/* seen */
	uint64_t at;
	bool wrong;              /* a byte is not the generated one */
	unsigned begun, done;
	enum ark_rc rc;
	enum net_fate fate;
	int status;
	unsigned tries;
	uint64_t received;
	struct ark_err err;
};

struct world {
	struct file *files;
	size_t count, given;
	size_t stop_behind; /* `done` says STOP after so many; 0: never */
	size_t done;
};

static enum ark_rc on_begin(void *ctx, const struct net_begin *b, struct ark_err *err)
{
	struct file *f = ctx;
	(void)err;
	f->begun++;
	f->at = b->from;
	bool page = ark_str_starts(b->type, ARK_LIT("text/html"));
	return page && !f->pages_are_wanted ? ARK_END : ARK_OK;
}

static enum ark_rc on_data(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct file *f = ctx;
	(void)err;
	f->wrong = f->wrong || !fault_generated(ark_str_n(ptr, len), f->at);
	f->at += len;
	return ARK_OK;
}

static struct world *world;

static enum ark_rc on_done(void *ctx, const struct net_result *r, struct ark_err *err)
{
	struct file *f = ctx;
	f->done++;
	f->rc = r->rc;
	f->fate = r->fate;
	f->status = r->status;
	f->tries = r->tries;
	f->received = r->received;
	f->err = *r->err;
	world->done++;
	return world->done == world->stop_behind ? ark_err_stop(err, ARK_KIND_IO, "enough") : ARK_OK;
}

static enum ark_rc next(void *ctx, struct net_job *job, struct ark_err *err)
{
	struct world *w = ctx;
	(void)err;
	if (w->given == w->count)
		return ARK_END;
	struct file *f = &w->files[w->given++];
	*job = (struct net_job){ .url = fault_url(f->host, f->path), .from = f->from, .etag = f->etag,
		                 .size_max = f->size_max, .redirects = 3, .begin = on_begin, .data = on_data,
		                 .done = on_done, .ctx = f };
	return ARK_OK;
}

static enum ark_rc run_with(const struct net_many_options *given, struct world *w, struct ark_err *err)
{
	ark_auto(net_many_closep) struct net_many *many = NULL;
	struct net_many_options opt = *given;
	opt.pause_ms = opt.pause_ms > 0 ? opt.pause_ms : 10;
	opt.net.stall_ms = 1000;
	*err = (struct ark_err){ 0 };
	world = w;
	enum ark_rc rc = net_many_open(&opt, &many, err);
	return rc == ARK_OK ? net_many_run(many, next, NULL, w, err) : rc;
}

static enum ark_rc run(struct file *files, size_t count)
{
	struct world w = { .files = files, .count = count };
	struct ark_err err;
	enum ark_rc rc = run_with(&(struct net_many_options){ 0 }, &w, &err);
	if (rc < 0)
		printf("# %s\n", err.text);
	return rc;
}

/* The whole body is there and right. */
static void check_whole(const struct file *f, unsigned tries)
{
	CHECK_I64(f->done, 1);
	CHECK_I64(f->rc, ARK_OK);
	CHECK_I64(f->received, SIZE);
	CHECK_I64(f->at, SIZE);
	CHECK(!f->wrong);
	CHECK_I64(f->tries, tries);
}

/* --- what is repeated -------------------------------------------------------------------------- */

static void what_passes_is_repeated(void)
{
	static const char *const FAULTS[] = {
		"do=status&status=429", "do=status&status=500", "do=status&status=502", "do=status&status=503",
		"do=status&status=504", "do=status&status=408", "do=reset", "do=lost",
	};
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		struct file f = { .path = "/gen/" SIZE_TEXT "/a" };
		fault_reset();
		fault(FAULTS[i]);
		CHECK_I64(run(&f, 1), ARK_OK);
		check_whole(&f, 2);
		CHECK_I64(fault_count("GET /gen"), 2);
	}
}

static void what_stays_is_not(void)
{
	struct file f = { .path = "/files/none" };
	fault_reset();
	CHECK_I64(run(&f, 1), ARK_OK);
	CHECK_I64(f.rc, ARK_FAIL);
	CHECK_I64(f.status, 404);
	CHECK_I64(f.fate, NET_ANSWERED);
	CHECK_I64(f.err.kind, ARK_KIND_MISSING);
	CHECK_I64(f.begun, 0);
	CHECK_I64(fault_count("GET /files"), 1);
	struct file g = { .path = "/gen/" SIZE_TEXT "/a?token=xoxe-secret" };
	fault("do=status&status=403&match=gen");
	CHECK_I64(run(&g, 1), ARK_OK);
	CHECK_I64(g.status, 403);
	CHECK(strstr(g.err.text, "status 403") != NULL);
	CHECK(strstr(g.err.text, "secret") == NULL);
	CHECK_I64(fault_count("GET /gen"), 1);
}

static void tries_come_to_an_end(void)
{
	struct world w = { .files = &(struct file){ .path = "/gen/" SIZE_TEXT "/a?token=xoxe-secret" }, .count = 1 };
	struct ark_err err;
	fault_reset();
	fault("do=status&status=500&times=99");
	CHECK_I64(run_with(&(struct net_many_options){ .tries = 3 }, &w, &err), ARK_OK);
	CHECK_I64(w.files->rc, ARK_FAIL);
	CHECK_I64(w.files->status, 500);
	CHECK_I64(w.files->tries, 3);
	CHECK_I64(fault_count("GET /gen"), 3);
	struct file f = { .path = "/gen/" SIZE_TEXT "/a?token=xoxe-secret" };
	w = (struct world){ .files = &f, .count = 1 };
	fault_reset();
	fault("do=reset&times=99");
	CHECK_I64(run_with(&(struct net_many_options){ .tries = 3 }, &w, &err), ARK_OK);
	CHECK_I64(f.rc, ARK_FAIL);
	CHECK_I64(f.fate, NET_BROKEN);
	CHECK(strstr(f.err.text, "secret") == NULL);
}

/* --- bodies that break off ---------------------------------------------------------------------- */

static void a_cut_body_goes_on_where_it_stopped(void)
{
	static const char *const FAULTS[] = { "do=cut&at=40000", "do=cutreset&at=40000",
		                              "do=stall&at=40000&seconds=12" };
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		struct file f = { .path = "/gen/" SIZE_TEXT "/a" };
		fault_reset();
		fault(FAULTS[i]);
		CHECK_I64(run(&f, 1), ARK_OK);
		check_whole(&f, 2);
		CHECK_I64(f.begun, 2);
		CHECK_I64(fault_count("206 60000 bytes=40000-"), 1);
	}
}

static void progress_gives_new_tries(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/a" };
	struct world w = { .files = &f, .count = 1 };
	struct ark_err err;
	fault_reset();
	fault("do=cut&at=9000&times=9");
	CHECK_I64(run_with(&(struct net_many_options){ .tries = 2 }, &w, &err), ARK_OK);
	check_whole(&f, 10);
}

static void a_body_that_changed_begins_anew(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/a" };
	fault_reset();
	fault("do=cut&at=40000");
	fault("do=newetag");
	CHECK_I64(run(&f, 1), ARK_OK);
	check_whole(&f, 2);
	CHECK_I64(fault_count("200 100000 bytes=40000-"), 1);
}

static void a_server_without_ranges_sends_all_again(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/a" };
	fault_reset();
	fault("do=cut&at=40000");
	fault("do=norange");
	CHECK_I64(run(&f, 1), ARK_OK);
	check_whole(&f, 2);
	struct file g = { .path = "/gen/" SIZE_TEXT "/b" };
	fault("do=cut&at=40000");
	fault("do=otherpart");
	CHECK_I64(run(&g, 1), ARK_OK);
	check_whole(&g, 3);
	CHECK_I64(fault_count("/b 200 100000 - -"), 1);
}

static void without_an_etag_it_begins_anew(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/a" };
	fault_reset();
	fault("do=cutnoetag&at=40000");
	CHECK_I64(run(&f, 1), ARK_OK);
	check_whole(&f, 2);
	CHECK_I64(fault_count("200 100000 - -"), 1);
}

/* md5 of the generated 100000 bytes, as the server's ETag. */
static const char *etag_of(struct file *f)
{
	static char etag[64];
	ark_auto(net_closep) struct net *net = NULL;
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err = { 0 };
	net_reply_init(&reply);
	struct net_request r = { .method = NET_HEAD, .url = fault_url(f->host, f->path), .body = { .fd = -1 } };
	if (net_open(NULL, &net, &err) == ARK_OK && net_do(net, &r, &reply, &err) == ARK_OK) {
		struct ark_str value = net_reply_header(&reply, "etag");
		snprintf(etag, sizeof(etag), "%.*s", ARK_FMT(value));
	}
	return etag;
}

static void an_earlier_run_is_gone_on_with(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/a", .from = 70000 };
	fault_reset();
	f.etag = etag_of(&f);
	CHECK_I64(run(&f, 1), ARK_OK);
	check_whole(&f, 1);
	CHECK_I64(fault_count("206 30000 bytes=70000-"), 1);
	/* everything was there: 416 */
	struct file g = { .path = "/gen/" SIZE_TEXT "/a", .from = SIZE, .etag = f.etag };
	CHECK_I64(run(&g, 1), ARK_OK);
	check_whole(&g, 1);
	/* it was another one */
	struct file h = { .path = "/gen/" SIZE_TEXT "/a", .from = 70000, .etag = "\"old\"" };
	CHECK_I64(run(&h, 1), ARK_OK);
	check_whole(&h, 1);
	/* more than there is */
	struct file i = { .path = "/gen/" SIZE_TEXT "/a", .from = SIZE + 5, .etag = f.etag };
	CHECK_I64(run(&i, 1), ARK_OK);
	check_whole(&i, 2);
}

/* --- what is not wanted -------------------------------------------------------------------------- */

static void a_page_is_not_taken_for_the_file(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/a" };
	fault_reset();
	fault("do=login");
	CHECK_I64(run(&f, 1), ARK_OK);
	CHECK_I64(f.rc, ARK_FAIL);
	CHECK_I64(f.fate, NET_OURS);
	CHECK_I64(f.err.kind, ARK_KIND_REFUSED);
	CHECK_I64(f.at, 0);
	CHECK_I64(fault_count("GET"), 1);
	/* through a redirect, as Slack does it */
	fault("do=redirect&to=/files/signin&match=gen");
	fault_ask(NET_PUT, "/__file/signin?type=text/html", ARK_LIT("<html>sign in</html>"));
	struct file g = { .path = "/gen/" SIZE_TEXT "/a" };
	CHECK_I64(run(&g, 1), ARK_OK);
	CHECK_I64(g.err.kind, ARK_KIND_REFUSED);
	/* HTML that is wanted comes as it is */
	fault_ask(NET_PUT, "/__file/canvas?type=text/html", ARK_LIT("<p>a canvas</p>"));
	struct file h = { .path = "/files/canvas", .pages_are_wanted = true };
	CHECK_I64(run(&h, 1), ARK_OK);
	CHECK_I64(h.rc, ARK_OK);
	CHECK_I64(h.received, 15);
}

static void sizes_have_a_limit(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/a", .size_max = SIZE - 1 };
	struct file g = { .path = "/gen/" SIZE_TEXT "/a", .size_max = SIZE };
	fault_reset();
	CHECK_I64(run(&f, 1), ARK_OK);
	CHECK_I64(f.rc, ARK_FAIL);
	CHECK_I64(f.err.kind, ARK_KIND_LIMIT);
	CHECK_I64(f.at, 0);
	CHECK_I64(run(&g, 1), ARK_OK);
	check_whole(&g, 1);
}

/* --- many ---------------------------------------------------------------------------------------- */

static long peak_of(const char *host)
{
	struct ark_str text = fault_ask(NET_GET, "/__peak", ARK_LIT(""));
	size_t at = ark_str_search(text, ark_str_z(host), 0);
	uint64_t n = 0;
	if (at == SIZE_MAX)
		return 0;
	struct ark_str rest = ark_str_from(text, at + strlen(host) + 1);
	return ark_str_u64(ark_str_first(rest, ark_str_find(rest, '\n', 0)), &n) ? (long)n : -1;
}

static void a_host_gets_no_more_than_its_share(void)
{
	struct file files[24] = { { 0 } };
	struct world w = { .files = files, .count = 24 };
	struct ark_err err;
	fault_reset();
	fault("do=slow&seconds=0.1&times=99");
	for (size_t i = 0; i < w.count; i++)
		files[i] = (struct file){ .host = i % 2 == 0 ? "a.localhost" : "b.localhost",
			                  .path = "/gen/" SIZE_TEXT "/x" };
	CHECK_I64(run_with(&(struct net_many_options){ .parallel = 8, .per_host = 3 }, &w, &err), ARK_OK);
	for (size_t i = 0; i < w.count; i++)
		check_whole(&files[i], 1);
	CHECK_I64(peak_of("a.localhost"), 3);
	CHECK_I64(peak_of("b.localhost"), 3);
}

static void a_host_that_asks_for_time_gets_it(void)
{
	static const char *const FAULTS[] = { "do=status&status=429&after=2", "do=status&status=503&after=date%2B3" };
	for (size_t n = 0; n < 2; n++) {
		struct file files[6] = { { 0 } };
		struct world w = { .files = files, .count = 6 };
		struct ark_err err;
		int64_t began = ark_time_tick_ms();
		fault_reset();
		fault(FAULTS[n]);
		for (size_t i = 0; i < w.count; i++)
			files[i] = (struct file){ .path = "/gen/" SIZE_TEXT "/x" };
		CHECK_I64(run_with(&(struct net_many_options){ .per_host = 1 }, &w, &err), ARK_OK);
		for (size_t i = 0; i < w.count; i++)
			check_whole(&files[i], i == 0 ? 2 : 1);
		/* nobody came back before the time: all six wait for it */
		CHECK(ark_time_tick_ms() - began >= 1900);
		CHECK_I64(fault_count("GET"), 7);
	}
}

static void too_long_a_wait_is_a_failure(void)
{
	struct file f = { .path = "/gen/" SIZE_TEXT "/x" };
	struct world w = { .files = &f, .count = 1 };
	struct ark_err err;
	fault_reset();
	fault("do=status&status=429&after=3600");
	CHECK_I64(run_with(&(struct net_many_options){ .retry_after_max_ms = 5000 }, &w, &err), ARK_OK);
	CHECK_I64(f.rc, ARK_FAIL);
	CHECK_I64(f.status, 429);
	CHECK_I64(f.tries, 1);
}

static void one_that_stops_ends_all(void)
{
	struct file files[30] = { { 0 } };
	struct world w = { .files = files, .count = 30, .stop_behind = 5 };
	struct ark_err err;
	fault_reset();
	for (size_t i = 0; i < w.count; i++)
		files[i] = (struct file){ .path = "/gen/" SIZE_TEXT "/x" };
	CHECK_I64(run_with(&(struct net_many_options){ .parallel = 4 }, &w, &err), ARK_STOP);
	CHECK(strstr(err.text, "enough") != NULL);
	CHECK(w.given < 12);
	for (size_t i = 0; i < w.count; i++) {
		CHECK_I64(files[i].done, i < w.given ? 1 : 0);
		if (files[i].done == 1 && files[i].rc != ARK_OK)
			CHECK_I64(files[i].fate, NET_OURS);
	}
}

static int64_t stop_at_ms;

static bool time_over(void)
{
	return ark_time_tick_ms() >= stop_at_ms;
}

static void an_interruption_ends_waiting_too(void)
{
	struct file files[3] = { { .path = "/gen/" SIZE_TEXT "/x" }, { .path = "/gen/" SIZE_TEXT "/slow" },
		                 { .path = "/gen/" SIZE_TEXT "/x" } };
	struct world w = { .files = files, .count = 3 };
	struct ark_err err;
	fault_reset();
	fault("do=slow&seconds=5&match=slow");
	fault("do=status&status=429&after=60&match=x&times=2");
	int64_t began = ark_time_tick_ms();
	stop_at_ms = began + 300;
	CHECK_I64(run_with(&(struct net_many_options){ .net = { .interrupted = time_over } }, &w, &err), ARK_STOP);
	CHECK(ark_time_tick_ms() - began < 2000);
	CHECK_I64(err.kind, ARK_KIND_SIGNAL);
	for (size_t i = 0; i < 3; i++) {
		CHECK_I64(files[i].done, 1);
		CHECK_I64(files[i].fate, NET_OURS);
	}
}

int main(void)
{
	TAP_RUN(what_passes_is_repeated);
	TAP_RUN(what_stays_is_not);
	TAP_RUN(tries_come_to_an_end);
	TAP_RUN(a_cut_body_goes_on_where_it_stopped);
	TAP_RUN(progress_gives_new_tries);
	TAP_RUN(a_body_that_changed_begins_anew);
	TAP_RUN(a_server_without_ranges_sends_all_again);
	TAP_RUN(without_an_etag_it_begins_anew);
	TAP_RUN(an_earlier_run_is_gone_on_with);
	TAP_RUN(a_page_is_not_taken_for_the_file);
	TAP_RUN(sizes_have_a_limit);
	TAP_RUN(a_host_gets_no_more_than_its_share);
	TAP_RUN(a_host_that_asks_for_time_gets_it);
	TAP_RUN(too_long_a_wait_is_a_failure);
	TAP_RUN(one_that_stops_ends_all);
	TAP_RUN(an_interruption_ends_waiting_too);
	return tap_done();
}

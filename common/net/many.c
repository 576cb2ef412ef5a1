/*
 * Many downloads at once: a fixed number of slots, each with a handle of libcurl and the job it works
 * on. A slot runs, waits for its time, or asks for the next job. Which slots may start is decided here
 * and not by libcurl, because a host that said Retry-After must be left alone by all of them.
 */
#include "common/net/many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/net/private.h"

#include "common/base/banned.h"

#define POLL_MS 50
#define TICK_MS 100

enum slot_state { IDLE, WAITING, RUNNING };

struct host {
	char *name;         /* "https://host:port" */
	unsigned slots;     /* that have a job for it */
	unsigned running;
	int64_t blocked_ms; /* nothing starts before (clock of ark_time_tick_ms) */
};

struct slot {
	struct net_many *many;
	enum slot_state state;
	CURL *easy;
	struct curl_slist *headers;
	struct net_job job; /* strings are our own copies */
	size_t host;        /* index */
	int64_t not_before_ms;
	unsigned tries;     /* all of them */
	unsigned vain;      /* since the last one that brought something new */
	uint64_t received;  /* of the body, `from` included */
	uint64_t furthest;  /* highest `received` ever */
	char etag[160];     /* strong; "" when none */
	struct net_reply reply;
	bool begun;         /* this try's body goes to the job */
	bool whole;         /* 416: what is there is everything */
	bool has_size;
	uint64_t size;
	enum ark_rc rc;     /* of a callback that ended it */
	struct ark_err err;
};

struct net_many {
	struct net_setup setup;
	struct net_many_options opt;
	CURLM *multi;
	struct slot *slots;
	struct host *hosts;
	size_t host_count;
	uint64_t seed;
	bool stop;          /* a callback said so */
	struct ark_err stop_err;
};

/* --- opening ----------------------------------------------------------------------------------- */

enum ark_rc net_many_open(const struct net_many_options *opt, struct net_many **out,
                          struct ark_err *err)
{
	static const struct net_many_options NONE = { 0 };
	enum ark_rc rc = net_global(err);
	if (rc < 0)
		return rc;
	ark_auto(net_many_closep) struct net_many *m = ark_calloc(1, sizeof(*m));
	struct net_many_options *o = &m->opt;
	*o = opt != NULL ? *opt : NONE;
	o->parallel = o->parallel > 0 ? o->parallel : 16;
	o->per_host = o->per_host > 0 ? o->per_host : 6;
	o->tries = o->tries > 0 ? o->tries : 6;
	o->pause_ms = o->pause_ms > 0 ? o->pause_ms : 500;
	o->pause_max_ms = o->pause_max_ms > 0 ? o->pause_max_ms : 60000;
	o->retry_after_max_ms = o->retry_after_max_ms > 0 ? o->retry_after_max_ms : 900000;
	net_setup_init(&m->setup, &o->net);
	m->seed = net_seed();
	m->multi = curl_multi_init();
	m->slots = ark_calloc(o->parallel, sizeof(m->slots[0]));
	/* one per slot is enough: a host without slots gives its place away */
	m->hosts = ark_calloc(o->parallel + LIMIT_HTTP_HOSTS, sizeof(m->hosts[0]));
	for (unsigned i = 0; i < o->parallel; i++) {
		struct slot *s = &m->slots[i];
		s->many = m;
		net_reply_init(&s->reply);
		s->easy = net_easy_new(&m->setup);
		if (s->easy == NULL || m->multi == NULL)
			return ark_err_set(err, ARK_KIND_MEMORY, "libcurl has no memory");
	}
	*out = m;
	m = NULL;
	return ARK_OK;
}

static void forget_job(struct slot *s)
{
	for (size_t i = 0; i < s->job.header_count && s->job.headers != NULL; i++)
		free((void *)(uintptr_t)s->job.headers[i]);
	free((void *)(uintptr_t)s->job.headers);
	free((void *)(uintptr_t)s->job.url);
	free((void *)(uintptr_t)s->job.etag);
	curl_slist_free_all(s->headers);
	s->headers = NULL;
	s->job = (struct net_job){ 0 };
	s->state = IDLE;
}

void net_many_close(struct net_many *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; m->slots != NULL && i < m->opt.parallel; i++) {
		struct slot *s = &m->slots[i];
		if (s->state == RUNNING)
			curl_multi_remove_handle(m->multi, s->easy);
		if (s->easy != NULL)
			curl_easy_cleanup(s->easy);
		forget_job(s);
		net_reply_release(&s->reply);
	}
	for (size_t i = 0; i < m->host_count; i++)
		free(m->hosts[i].name);
	if (m->multi != NULL)
		curl_multi_cleanup(m->multi);
	net_setup_release(&m->setup);
	free(m->slots);
	free(m->hosts);
	free(m);
}

void net_many_closep(struct net_many **m)
{
	net_many_close(*m);
	*m = NULL;
}

/* --- hosts ------------------------------------------------------------------------------------- */

/* Index of the url's host, whose count of slots goes up. A host that nobody uses and that is not
 * blocked makes room; when all are blocked, the one that is first free again. */
static size_t host_of(struct net_many *m, const char *url)
{
	ark_auto(ark_buf_release) struct ark_buf name;
	size_t best = SIZE_MAX;
	ark_buf_init(&name, LIMIT_STORE_PATH);
	net_url_shown(url, false, &name);
	for (size_t i = 0; i < m->host_count; i++) {
		struct host *h = &m->hosts[i];
		if (strcmp(h->name, name.data) == 0) {
			h->slots++;
			return i;
		}
		if (h->slots == 0 && (best == SIZE_MAX || h->blocked_ms < m->hosts[best].blocked_ms))
			best = i;
	}
	if (m->host_count < m->opt.parallel + LIMIT_HTTP_HOSTS)
		best = m->host_count++;
	free(m->hosts[best].name);
	m->hosts[best] = (struct host){ .name = ark_strdup(ark_buf_view(&name)), .slots = 1 };
	return best;
}

/* --- what arrives ------------------------------------------------------------------------------ */

/* "bytes F-L/T" or "bytes * /T"; false when it is neither. */
static bool content_range(struct ark_str value, uint64_t *first, bool *has_size, uint64_t *size)
{
	size_t blank = ark_str_find(value, ' ', 0), slash = ark_str_find(value, '/', 0);
	if (blank == SIZE_MAX || slash == SIZE_MAX || blank > slash)
		return false;
	struct ark_str range = ark_str_n(value.ptr + blank + 1, slash - blank - 1);
	*has_size = ark_str_u64(ark_str_from(value, slash + 1), size);
	*first = UINT64_MAX;
	return ark_str_eqz(range, "*") ||
	       ark_str_u64(ark_str_first(range, ark_str_find(range, '-', 0)), first);
}

static void keep_etag(struct slot *s)
{
	struct ark_str etag = net_reply_header(&s->reply, "etag");
	bool strong = etag.len > 2 && etag.ptr[0] == '"' && etag.len < sizeof(s->etag);
	memcpy(s->etag, strong ? etag.ptr : "", strong ? etag.len : 0);
	s->etag[strong ? etag.len : 0] = '\0';
}

/* Where this answer's body goes to; FAIL ends the job. Sets s->received and the size. */
static enum ark_rc place_body(struct slot *s)
{
	uint64_t first, length;
	s->has_size = false;
	if (s->reply.status == 206) {
		if (!content_range(net_reply_header(&s->reply, "content-range"), &first, &s->has_size,
		                   &s->size) ||
		    first != s->received)
			return ark_err_set(&s->err, ARK_KIND_IO, "the server sent another part than asked for");
		return ARK_OK;
	}
	s->received = 0;
	if (ark_str_u64(net_reply_header(&s->reply, "content-length"), &length)) {
		s->has_size = true;
		s->size = length;
	}
	return ARK_OK;
}

static enum ark_rc call_begin(struct slot *s)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	char *url = NULL;
	ark_buf_init(&shown, LIMIT_STORE_PATH);
	curl_easy_getinfo(s->easy, CURLINFO_EFFECTIVE_URL, &url);
	net_url_shown(url != NULL ? url : s->job.url, true, &shown);
	struct ark_str type = net_reply_header(&s->reply, "content-type");
	struct net_begin b = { .status = s->reply.status, .from = s->received, .has_size = s->has_size,
		               .size = s->has_size ? s->size : 0,
		               .type = ark_str_has(type) ? type : ARK_LIT(""),
		               .etag = ark_str_z(s->etag), .url_shown = ark_buf_view(&shown),
		               .reply = &s->reply };
	enum ark_rc rc = s->job.begin != NULL ? s->job.begin(s->job.ctx, &b, &s->err) : ARK_OK;
	if (rc == ARK_END)
		return ark_err_set(&s->err, ARK_KIND_REFUSED, "what '%s' sent is not what was wanted",
		                   shown.data);
	return rc;
}

static enum ark_rc too_large(struct slot *s)
{
	return ark_err_set(&s->err, ARK_KIND_LIMIT, "the file is larger than %llu bytes",
	                   (unsigned long long)s->job.size_max);
}

/* The headers are there. */
static enum ark_rc answered(struct slot *s)
{
	int status = s->reply.status;
	bool has_size;
	uint64_t first, size;
	if (status == 416 && s->received > 0 &&
	    content_range(net_reply_header(&s->reply, "content-range"), &first, &has_size, &size) &&
	    has_size && size == s->received) {
		s->whole = true;
		s->has_size = true;
		s->size = size;
		return call_begin(s);
	}
	if (status != 200 && status != 206)
		return ARK_OK;
	enum ark_rc rc = place_body(s);
	if (rc < 0)
		return rc;
	keep_etag(s);
	if (s->has_size && s->job.size_max > 0 && s->size > s->job.size_max)
		return too_large(s);
	rc = call_begin(s);
	s->begun = rc == ARK_OK;
	return rc;
}

static size_t on_header(char *ptr, size_t size, size_t n, void *ctx)
{
	struct slot *s = ctx;
	bool end;
	if (!net_header_line(&s->reply, ptr, size * n, &end)) {
		s->rc = ark_err_set(&s->err, ARK_KIND_LIMIT, "an answer has more than %u bytes of headers",
		                    LIMIT_HTTP_HEADERS);
		return 0;
	}
	if (!end)
		return size * n;
	s->rc = answered(s);
	return s->rc == ARK_OK ? size * n : 0;
}

static size_t on_body(char *ptr, size_t size, size_t n, void *ctx)
{
	struct slot *s = ctx;
	size_t len = size * n;
	if (!s->begun)
		return len;
	if (s->job.size_max > 0 && len > s->job.size_max - s->received) {
		s->rc = too_large(s);
		return 0;
	}
	s->rc = s->job.data != NULL ? s->job.data(s->job.ctx, ptr, len, &s->err) : ARK_OK;
	if (s->rc != ARK_OK)
		return 0;
	s->received += len;
	return len;
}

/* --- jobs -------------------------------------------------------------------------------------- */

static char *dup_or_null(const char *text)
{
	return text != NULL ? ark_strdupz(text) : NULL;
}

static void take_job(struct net_many *m, struct slot *s, const struct net_job *job)
{
	const char **headers = ark_calloc(job->header_count + 1, sizeof(headers[0]));
	for (size_t i = 0; i < job->header_count; i++)
		headers[i] = ark_strdupz(job->headers[i]);
	s->job = *job;
	s->job.url = ark_strdupz(job->url);
	s->job.etag = dup_or_null(job->etag);
	s->job.headers = headers;
	s->state = WAITING;
	s->not_before_ms = 0;
	s->tries = s->vain = 0;
	s->received = job->etag != NULL ? job->from : 0;
	s->furthest = s->received;
	snprintf(s->etag, sizeof(s->etag), "%s", job->etag != NULL ? job->etag : "");
	s->host = host_of(m, job->url);
}

static void set_headers(struct slot *s)
{
	char line[200];
	curl_slist_free_all(s->headers);
	s->headers = NULL;
	for (size_t i = 0; i < s->job.header_count; i++)
		s->headers = curl_slist_append(s->headers, s->job.headers[i]);
	if (s->received == 0)
		return;
	snprintf(line, sizeof(line), "Range: bytes=%llu-", (unsigned long long)s->received);
	s->headers = curl_slist_append(s->headers, line);
	snprintf(line, sizeof(line), "If-Range: %s", s->etag);
	s->headers = curl_slist_append(s->headers, line);
}

static enum ark_rc start(struct net_many *m, struct slot *s, struct ark_err *err)
{
	if (s->etag[0] == '\0')
		s->received = 0; /* nothing says that the rest would belong to it */
	s->tries++;
	s->begun = s->whole = s->has_size = false;
	s->rc = ARK_OK;
	s->err = (struct ark_err){ 0 };
	s->reply.status = 0;
	ark_buf_reset(&s->reply.headers);
	set_headers(s);
	curl_easy_reset(s->easy);
	net_easy_setup(s->easy, &m->setup);
	curl_easy_setopt(s->easy, CURLOPT_URL, s->job.url);
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
	curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(s->easy, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
	curl_easy_setopt(s->easy, CURLOPT_FOLLOWLOCATION, s->job.redirects > 0 ? 1L : 0L);
	curl_easy_setopt(s->easy, CURLOPT_MAXREDIRS, (long)s->job.redirects);
	if (curl_multi_add_handle(m->multi, s->easy) != CURLM_OK)
		return ark_err_stop(err, ARK_KIND_MEMORY, "libcurl takes no more transfers");
	s->state = RUNNING;
	m->hosts[s->host].running++;
	return ARK_OK;
}

static void say_stop(struct net_many *m, const struct ark_err *err)
{
	if (!m->stop)
		m->stop_err = *err;
	m->stop = true;
}

/* The end of a job: tell it, free the slot. */
static void finish(struct net_many *m, struct slot *s, enum ark_rc rc, enum net_fate fate)
{
	struct ark_err err = { 0 };
	struct net_result result = { .rc = rc, .fate = fate, .status = s->reply.status,
		                     .received = s->received, .tries = s->tries, .err = &s->err };
	if (s->job.done != NULL && s->job.done(s->job.ctx, &result, &err) == ARK_STOP)
		say_stop(m, &err);
	m->hosts[s->host].slots--;
	forget_job(s);
}

/* FAIL with the place in front of the text, or a text for a status. */
static void name_place(struct slot *s)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, ARK_ERR_TEXT / 2);
	net_url_shown(s->job.url, true, &shown);
	if (s->err.text[0] == '\0')
		ark_err_set(&s->err, s->reply.status == 404 ? ARK_KIND_MISSING : ARK_KIND_IO,
		            "'%s' answered with status %d", shown.data, s->reply.status);
	else
		ark_err_in(&s->err, ARK_FAIL, "'%s'", shown.data);
}

/* Does the server ask for more time than we give? Else the pause it asks for, or 0. */
static bool asks_too_much(struct net_many *m, struct slot *s, int64_t *asked)
{
	struct ark_str after = net_reply_header(&s->reply, "retry-after");
	*asked = 0;
	if (!ark_str_has(after) || !net_retry_after(after, ark_time_now_ms(), asked))
		return false;
	return *asked > m->opt.retry_after_max_ms;
}

/* The same again after a pause; false when it was tried often enough. */
static bool again(struct net_many *m, struct slot *s)
{
	int64_t now = ark_time_tick_ms(), asked;
	s->vain = s->received > s->furthest ? 1 : s->vain + 1;
	s->furthest = s->received > s->furthest ? s->received : s->furthest;
	if (s->vain >= m->opt.tries || asks_too_much(m, s, &asked))
		return false;
	int64_t pause = net_pause(s->vain, m->opt.pause_ms, m->opt.pause_max_ms, &m->seed);
	struct host *h = &m->hosts[s->host];
	if (asked > 0 && (s->reply.status == 429 || s->reply.status == 503) &&
	    now + asked > h->blocked_ms)
		h->blocked_ms = now + asked;
	s->not_before_ms = now + (asked > pause ? asked : pause);
	s->state = WAITING;
	return true;
}

static void ended(struct net_many *m, struct slot *s, CURLcode code)
{
	m->hosts[s->host].running--;
	curl_multi_remove_handle(m->multi, s->easy);
	if (s->rc != ARK_OK) {
		bool refused_part = s->err.kind == ARK_KIND_IO && s->reply.status == 206 && !s->begun;
		if (refused_part)
			s->received = 0; /* from the start, then */
		if (s->rc == ARK_STOP)
			say_stop(m, &s->err);
		if (refused_part && again(m, s))
			return;
		name_place(s);
		finish(m, s, ARK_FAIL, refused_part ? NET_BROKEN : NET_OURS);
		return;
	}
	enum net_fate fate = net_fate_of(s->easy, code);
	bool good = code == CURLE_OK && (s->begun || s->whole);
	if (good && s->has_size && s->received != s->size) {
		good = false;
		fate = NET_BROKEN;
		ark_err_set(&s->err, ARK_KIND_IO, "%llu of %llu bytes came",
		            (unsigned long long)s->received, (unsigned long long)s->size);
	}
	if (good) {
		finish(m, s, ARK_OK, NET_ANSWERED);
		return;
	}
	if (code == CURLE_OK && s->reply.status == 416 && s->received > 0) {
		s->received = 0;
		fate = NET_BROKEN;
	}
	bool repeat = fate == NET_BROKEN || fate == NET_UNREACHABLE ||
	              (fate == NET_ANSWERED && net_status_again(s->reply.status));
	if (repeat && again(m, s))
		return;
	if (code != CURLE_OK)
		(void)net_curl_err(s->easy, code, s->job.url, &s->err);
	else
		name_place(s);
	finish(m, s, ARK_FAIL, fate);
}

/* --- the loop ---------------------------------------------------------------------------------- */

/* New jobs into idle slots; *more turns false at the end of them. */
static enum ark_rc fetch_jobs(struct net_many *m, net_next_fn *next, void *ctx, bool *more,
                              struct ark_err *err)
{
	for (unsigned i = 0; *more && i < m->opt.parallel; i++) {
		struct net_job job = { 0 };
		if (m->slots[i].state != IDLE)
			continue;
		enum ark_rc rc = next(ctx, &job, err);
		*more = rc == ARK_OK;
		if (rc < 0)
			return rc;
		if (rc == ARK_OK)
			take_job(m, &m->slots[i], &job);
	}
	return ARK_OK;
}

/* Start what may start; the number of slots that have a job. */
static enum ark_rc start_ready(struct net_many *m, unsigned *busy, struct ark_err *err)
{
	int64_t now = ark_time_tick_ms();
	*busy = 0;
	for (unsigned i = 0; i < m->opt.parallel; i++) {
		struct slot *s = &m->slots[i];
		if (s->state == IDLE)
			continue;
		(*busy)++;
		const struct host *h = &m->hosts[s->host];
		if (s->state == RUNNING || s->not_before_ms > now || h->blocked_ms > now ||
		    h->running >= m->opt.per_host)
			continue;
		enum ark_rc rc = start(m, s, err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

static enum ark_rc turn(struct net_many *m, struct ark_err *err)
{
	int running, left;
	CURLMsg *msg;
	CURLMcode mc = curl_multi_perform(m->multi, &running);
	bool some = false;
	while (mc == CURLM_OK && (msg = curl_multi_info_read(m->multi, &left)) != NULL) {
		struct slot *s = NULL;
		CURLcode code = msg->data.result;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&s);
		ended(m, s, code);
		some = true;
	}
	if (mc == CURLM_OK && !some)
		mc = curl_multi_poll(m->multi, NULL, 0, POLL_MS, NULL);
	return mc == CURLM_OK ? ARK_OK
	                      : ark_err_stop(err, ARK_KIND_IO, "libcurl: %s", curl_multi_strerror(mc));
}

/* All that began end, because the run does. */
static void give_up(struct net_many *m, const struct ark_err *err)
{
	for (unsigned i = 0; i < m->opt.parallel; i++) {
		struct slot *s = &m->slots[i];
		if (s->state == RUNNING) {
			m->hosts[s->host].running--;
			curl_multi_remove_handle(m->multi, s->easy);
		}
		if (s->state != IDLE) {
			s->err = *err;
			finish(m, s, ARK_FAIL, NET_OURS);
		}
	}
}

static enum ark_rc loop(struct net_many *m, net_next_fn *next, void (*tick)(void *), void *ctx,
                        struct ark_err *err)
{
	bool more = true;
	int64_t ticked = 0;
	for (;;) {
		unsigned busy;
		enum ark_rc rc = fetch_jobs(m, next, ctx, &more, err);
		if (rc == ARK_OK)
			rc = start_ready(m, &busy, err);
		if (rc < 0 || busy == 0)
			return rc;
		rc = turn(m, err);
		if (rc == ARK_OK && m->stop) {
			*err = m->stop_err;
			rc = ARK_STOP;
		}
		if (rc == ARK_OK && m->setup.interrupted != NULL && m->setup.interrupted())
			rc = ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
		if (rc < 0)
			return rc;
		int64_t now = ark_time_tick_ms();
		if (tick != NULL && now - ticked >= TICK_MS) {
			ticked = now;
			tick(ctx);
		}
	}
}

enum ark_rc net_many_run(struct net_many *m, net_next_fn *next, void (*tick)(void *ctx), void *ctx,
                         struct ark_err *err)
{
	m->stop = false;
	enum ark_rc rc = loop(m, next, tick, ctx, err);
	if (rc < 0)
		give_up(m, err);
	return rc;
}

/*
 * One request at a time. It runs through libcurl's multi interface all the same: curl_easy_perform
 * would look at an interruption only once a second.
 */
#include "common/net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/net/private.h"

#include "common/base/banned.h"

#define POLL_MS 100
#define STATUS_OK(status) ((status) >= 200 && (status) <= 299)

struct net {
	struct net_setup setup;
	CURLM *multi;
	CURL *easy;
	bool shielded;
};

/* A request on its way. */
struct transfer {
	const struct net_request *request;
	struct net_reply *reply;
	size_t ceiling;
	uint64_t sent;
	enum ark_rc rc; /* of a callback of ours that ended it */
	struct ark_err *err;
};

/* --- preparation ------------------------------------------------------------------------------- */

static once_flag global_once = ONCE_FLAG_INIT;

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum ark_rc net_global(struct ark_err *err)
{
	call_once(&global_once, global_init);
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	if (v == NULL || (v->features & CURL_VERSION_SSL) == 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "this libcurl cannot do TLS");
	return ARK_OK;
}

void net_setup_init(struct net_setup *setup, const struct net_options *opt)
{
	static const struct net_options NONE = { 0 };
	const struct net_options *o = opt != NULL ? opt : &NONE;
	*setup = (struct net_setup){
		.agent = ark_strdupz(o->agent != NULL ? o->agent : "matterark"),
		.ca_file = o->ca_file != NULL ? ark_strdupz(o->ca_file) : NULL,
		.interrupted = o->interrupted,
		.connect_ms = (long)(o->connect_ms > 0 ? o->connect_ms : 20000),
		.total_ms = (long)o->total_ms,
		.stall_s = (long)(o->stall_ms > 0 ? (o->stall_ms + 999) / 1000 : 60),
	};
}

void net_setup_release(struct net_setup *setup)
{
	free(setup->agent);
	free(setup->ca_file);
	*setup = (struct net_setup){ 0 };
}

void net_easy_setup(CURL *easy, const struct net_setup *setup)
{
	curl_easy_setopt(easy, CURLOPT_USERAGENT, setup->agent);
	if (setup->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, setup->ca_file);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, setup->connect_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, setup->total_ms);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A limit holds although a name server does not answer: the thread that asks it is left to itself. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, setup->total_ms > 0 ? 1L : 0L);
#endif
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, setup->stall_s);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	/* Servers that ignore "Expect: 100-continue" cost a moment, not a second. */
	curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 50L);
}

CURL *net_easy_new(const struct net_setup *setup)
{
	CURL *easy = curl_easy_init();
	if (easy != NULL)
		net_easy_setup(easy, setup);
	return easy;
}

enum ark_rc net_open(const struct net_options *opt, struct net **out, struct ark_err *err)
{
	enum ark_rc rc = net_global(err);
	if (rc < 0)
		return rc;
	ark_auto(net_closep) struct net *net = ark_calloc(1, sizeof(*net));
	net_setup_init(&net->setup, opt);
	net->multi = curl_multi_init();
	net->easy = net_easy_new(&net->setup);
	if (net->multi == NULL || net->easy == NULL)
		return ark_err_set(err, ARK_KIND_MEMORY, "libcurl has no memory");
	*out = net;
	net = NULL;
	return ARK_OK;
}

void net_close(struct net *net)
{
	if (net == NULL)
		return;
	if (net->easy != NULL)
		curl_easy_cleanup(net->easy);
	if (net->multi != NULL)
		curl_multi_cleanup(net->multi);
	net_setup_release(&net->setup);
	free(net);
}

void net_closep(struct net **net)
{
	net_close(*net);
	*net = NULL;
}

void net_shield(struct net *net, bool shielded)
{
	net->shielded = shielded;
}

/* STOP with kind SIGNAL when interrupted. */
static enum ark_rc net_interrupt(const struct net *net, struct ark_err *err)
{
	if (!net->shielded && net->setup.interrupted != NULL && net->setup.interrupted())
		return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
	return ARK_OK;
}

enum ark_rc net_sleep(const struct net *net, int64_t ms, struct ark_err *err)
{
	int64_t end = ark_time_tick_ms() + ms, rest;
	while ((rest = end - ark_time_tick_ms()) > 0) {
		int64_t now = rest < POLL_MS ? rest : POLL_MS;
		struct timespec ts = { now / 1000, (now % 1000) * 1000000 };
		enum ark_rc rc = net_interrupt(net, err);
		if (rc < 0)
			return rc;
		nanosleep(&ts, NULL);
	}
	return net_interrupt(net, err);
}

/* --- answers ----------------------------------------------------------------------------------- */

void net_reply_init(struct net_reply *reply)
{
	*reply = (struct net_reply){ .fate = NET_UNREACHABLE };
	ark_buf_init(&reply->headers, LIMIT_HTTP_HEADERS);
	ark_buf_init(&reply->body, LIMIT_HTTP_BODY);
}

void net_reply_release(struct net_reply *reply)
{
	ark_buf_release(&reply->headers);
	ark_buf_release(&reply->body);
}

struct ark_str net_reply_header(const struct net_reply *reply, const char *name)
{
	struct ark_str rest = ark_buf_view(&reply->headers), found = ARK_STR_NONE;
	size_t n = strlen(name);
	while (rest.len > 0) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str line = ark_str_first(rest, end);
		if (line.len > n && line.ptr[n] == ':' && memcmp(line.ptr, name, n) == 0)
			found = ark_str_trim(ark_str_from(line, n + 1));
		rest = end == SIZE_MAX ? ARK_STR_NONE : ark_str_from(rest, end + 1);
	}
	return found;
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200". */
static int status_of(struct ark_str line)
{
	size_t blank = ark_str_find(line, ' ', 0);
	uint64_t status;
	if (blank == SIZE_MAX || !ark_str_u64(ark_str_first(ark_str_from(line, blank + 1), 3), &status))
		return 0;
	return (int)status;
}

bool net_header_line(struct net_reply *reply, const char *ptr, size_t len, bool *end)
{
	struct ark_str line = ark_str_trim(ark_str_n(ptr, len));
	*end = line.len == 0;
	if (*end)
		return true;
	size_t colon = ark_str_find(line, ':', 0);
	if (ark_str_starts(line, ARK_LIT("HTTP/"))) {
		ark_buf_reset(&reply->headers);
		reply->status = status_of(line);
		return true;
	}
	if (colon == SIZE_MAX)
		return true;
	for (size_t i = 0; i < line.len; i++) {
		char c = line.ptr[i];
		ark_buf_c(&reply->headers, i < colon && c >= 'A' && c <= 'Z' ? (char)(c + 32)
		                           : c == '\n' || c == '\r'          ? ' '
		                                                             : c);
	}
	ark_buf_c(&reply->headers, '\n');
	return !reply->headers.failed;
}

bool net_status_again(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

/* --- what libcurl says ------------------------------------------------------------------------- */

enum net_fate net_fate_of(CURL *easy, CURLcode code)
{
	curl_off_t connected = 0;
	switch (code) {
	case CURLE_OK:
		return NET_ANSWERED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return NET_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
		return connected == 0 ? NET_UNREACHABLE : NET_BROKEN;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_LOGIN_DENIED:
	case CURLE_REMOTE_ACCESS_DENIED:
		return NET_REFUSED;
	case CURLE_WRITE_ERROR:
	case CURLE_READ_ERROR:
	case CURLE_ABORTED_BY_CALLBACK:
	case CURLE_OUT_OF_MEMORY:
		return NET_OURS;
	default:
		return NET_BROKEN;
	}
}

static void hint_of(CURLcode code, struct ark_err *err)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		ark_err_hint(err, "check the name; where a proxy is needed, set https_proxy");
		return;
	case CURLE_COULDNT_RESOLVE_PROXY:
		ark_err_hint(err, "check https_proxy and http_proxy in the environment");
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
		ark_err_hint(err, "its certificate is not signed by an authority of this system, is for "
		                  "another name, or is out of date; add the authority with "
		                  "update-ca-certificates");
		return;
	default:
		return;
	}
}

enum ark_rc net_curl_err(CURL *easy, CURLcode code, const char *url, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf place;
	ark_buf_init(&place, ARK_ERR_TEXT / 2);
	net_url_shown(url, false, &place);
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' is no address that can be used here",
		                   place.data);
	long os_errno = 0;
	bool away = net_fate_of(easy, code) == NET_UNREACHABLE;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	const char *cause = curl_easy_strerror(code);
	if (code == CURLE_OPERATION_TIMEDOUT)
		cause = away ? "no answer in time" : "nothing came for too long";
	if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
		cause = strerror((int)os_errno);
	ark_err_set(err, ARK_KIND_IO, "%s '%s': %s",
	            away ? "cannot reach" : "the connection failed with", place.data, cause);
	hint_of(code, err);
	return ARK_FAIL;
}

/* --- callbacks --------------------------------------------------------------------------------- */

static size_t on_header(char *ptr, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	bool end;
	if (net_header_line(t->reply, ptr, size * n, &end))
		return size * n;
	t->rc = ark_err_set(t->err, ARK_KIND_LIMIT, "an answer has more than %u bytes of headers",
	                    LIMIT_HTTP_HEADERS);
	return 0;
}

/* Into memory: of an error as much as fits, of a result all or nothing. */
static bool keep(struct transfer *t, const char *ptr, size_t len)
{
	struct ark_buf *b = &t->reply->body;
	size_t room = t->ceiling > b->len ? t->ceiling - b->len : 0;
	if (len <= room || !STATUS_OK(t->reply->status)) {
		ark_buf_add(b, ptr, len < room ? len : room);
		return true;
	}
	t->rc = ark_err_set(t->err, ARK_KIND_LIMIT, "an answer is longer than %zu bytes", t->ceiling);
	return false;
}

static size_t on_body(char *ptr, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n;
	t->reply->received += len;
	if (t->request->sink.take == NULL || !STATUS_OK(t->reply->status))
		return keep(t, ptr, len) ? len : 0;
	t->rc = t->request->sink.take(t->request->sink.ctx, ptr, len, t->err);
	return t->rc == ARK_OK ? len : 0;
}

static size_t on_read(char *to, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t got;
	t->rc = ark_body_read(&t->request->body, t->sent, to, size * n, &got, t->err);
	if (t->rc < 0)
		return CURL_READFUNC_ABORT;
	t->sent += got;
	return got;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct transfer *t = ctx;
	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* --- one request ------------------------------------------------------------------------------- */

static void headersp(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static void set_method(CURL *easy, struct transfer *t)
{
	const struct net_request *r = t->request;
	bool sends = r->method == NET_PUT || r->method == NET_POST;
	if (r->method == NET_HEAD)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (r->method == NET_DELETE)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
	if (r->method == NET_PUT) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body.len);
	}
	if (r->method == NET_POST) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
	}
	if (sends) {
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(easy, CURLOPT_READDATA, t);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
	}
}

static struct curl_slist *header_list(const struct net_request *r)
{
	struct curl_slist *list = NULL;
	for (size_t i = 0; i < r->header_count; i++)
		list = curl_slist_append(list, r->headers[i]);
	return list;
}

static void lines_release(struct net_sign_lines *lines)
{
	ark_buf_release(&lines->host);
	ark_buf_release(&lines->date);
	ark_buf_release(&lines->authorization);
}

static struct curl_slist *signed_list(struct curl_slist *list, const struct net_request *request,
                                      const struct net_signing *signing)
{
	ark_auto(lines_release) struct net_sign_lines lines = { 0 };
	net_sign(request, signing, ark_time_now_ms(), &lines);
	list = curl_slist_append(list, lines.host.data);
	list = curl_slist_append(list, lines.date.data);
	return curl_slist_append(list, lines.authorization.data);
}

static void set_request(struct net *net, struct transfer *t, struct curl_slist *headers)
{
	CURL *easy = net->easy;
	curl_easy_reset(easy);
	net_easy_setup(easy, &net->setup);
	curl_easy_setopt(easy, CURLOPT_URL, t->request->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	if (t->request->redirects > 0) {
		curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
		curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)t->request->redirects);
	}
	set_method(easy, t);
}

/* Until it ended or was interrupted. */
static enum ark_rc run(struct net *net, CURLcode *code, struct ark_err *err)
{
	int running = 1, left;
	while (running > 0) {
		CURLMcode mc = curl_multi_perform(net->multi, &running);
		if (mc == CURLM_OK && running > 0)
			mc = curl_multi_poll(net->multi, NULL, 0, POLL_MS, NULL);
		if (mc != CURLM_OK)
			return ark_err_stop(err, ARK_KIND_IO, "libcurl: %s", curl_multi_strerror(mc));
		enum ark_rc rc = net_interrupt(net, err);
		if (rc < 0)
			return rc;
	}
	CURLMsg *msg = curl_multi_info_read(net->multi, &left);
	*code = msg != NULL && msg->msg == CURLMSG_DONE ? msg->data.result : CURLE_RECV_ERROR;
	return ARK_OK;
}

enum ark_rc net_do_signed(struct net *net, const struct net_request *request,
                          const struct net_signing *signing, struct net_reply *reply,
                          struct ark_err *err)
{
	size_t ceiling = request->ceiling > 0 ? request->ceiling : LIMIT_HTTP_BODY;
	struct transfer t = { .request = request, .reply = reply, .ceiling = ceiling, .err = err };
	ark_auto(headersp) struct curl_slist *headers = header_list(request);
	CURLcode code = CURLE_OK;
	if (signing != NULL)
		headers = signed_list(headers, request, signing);
	reply->fate = NET_OURS;
	reply->status = 0;
	reply->received = 0;
	ark_buf_reset(&reply->headers);
	ark_buf_reset(&reply->body);
	if (reply->body.ceil < ceiling)
		reply->body.ceil = ceiling;
	set_request(net, &t, headers);
	if (signing != NULL)
		curl_easy_setopt(net->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (curl_multi_add_handle(net->multi, net->easy) != CURLM_OK)
		return ark_err_stop(err, ARK_KIND_MEMORY, "libcurl takes no more requests");
	enum ark_rc rc = run(net, &code, err);
	curl_multi_remove_handle(net->multi, net->easy);
	if (rc < 0)
		return rc;
	if (t.rc != ARK_OK)
		return t.rc;
	reply->fate = net_fate_of(net->easy, code);
	return code == CURLE_OK ? ARK_OK : net_curl_err(net->easy, code, request->url, err);
}

enum ark_rc net_do(struct net *net, const struct net_request *request, struct net_reply *reply,
                   struct ark_err *err)
{
	return net_do_signed(net, request, NULL, reply, err);
}

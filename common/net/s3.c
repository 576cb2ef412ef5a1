/*
 * Signed requests to one bucket, and the simple verbs. sign.c signs; what that takes for granted is written
 * here: the digest of the body as a header, the encoded path, the sorted query (docs/s3.md).
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/fail.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/net/private.h"
#include "common/net/s3_private.h"

#include "common/base/banned.h"

#define SPACE (256u << 10)
#define PAUSE_MAX_MS 20000
#define SHA256_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static bool has(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* --- opening ----------------------------------------------------------------------------------- */

static enum ark_rc check_options(const struct net_s3_options *opt, struct ark_err *err)
{
	if (!has(opt->access_key) || !has(opt->secret_key))
		return ark_err_set(err, ARK_KIND_USAGE, "there are no keys for bucket '%s'", opt->bucket);
	size_t n = strlen(opt->bucket);
	if (n < 3 || n > 63 || strspn(opt->bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-_ABCDEFGHIJKLMNOPQRSTUVWXYZ") != n ||
	    opt->bucket[0] == '.' || opt->bucket[0] == '-')
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' is no name of a bucket", opt->bucket);
	if (has(opt->region) &&
	    strspn(opt->region, "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
	        strlen(opt->region))
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' is no name of a region", opt->region);
	return ARK_OK;
}

/* "HOST[:PORT]" of what was given, and whether it is plain http. */
static enum ark_rc endpoint(const struct net_s3_options *opt, const char *region, struct ark_buf *host,
                            bool *plain, struct ark_err *err)
{
	struct ark_str e = ark_str_z(opt->endpoint);
	*plain = opt->plain_http;
	if (!has(opt->endpoint)) {
		ark_buf_fmt(host, "s3.%s.amazonaws.com", region);
		*plain = false;
		return ARK_OK;
	}
	if (ark_str_starts(e, ARK_LIT("http://")) || ark_str_starts(e, ARK_LIT("https://"))) {
		*plain = e.ptr[4] == ':';
		e = ark_str_from(e, *plain ? 7 : 8);
	}
	while (e.len > 0 && e.ptr[e.len - 1] == '/')
		e.len--;
	ark_buf_str(host, e);
	/* a path, a user name or a blank in it would end up in the wrong part of the address */
	if (e.len == 0 || strpbrk(host->data, "/?#@ %\\") != NULL) {
		ark_err_set(err, ARK_KIND_USAGE, "the endpoint of the object store is no host");
		ark_err_hint(err, "write https://HOST or https://HOST:PORT");
		return ARK_FAIL;
	}
	return ARK_OK;
}

static bool bucket_in_host(const struct net_s3_options *opt, struct ark_str host)
{
	if (opt->style != NET_S3_AUTO)
		return opt->style == NET_S3_HOST;
	/* certificates of *.s3.amazonaws.com do not cover a further dot */
	return ark_str_ends(host, ARK_LIT(".amazonaws.com")) && strchr(opt->bucket, '.') == NULL;
}

static enum ark_rc set_base(struct net_s3 *s3, const struct net_s3_options *opt, struct ark_err *err)
{
	const char *region = has(opt->region) ? opt->region : "us-east-1";
	ark_auto(ark_buf_release) struct ark_buf host;
	ark_auto(ark_buf_release) struct ark_buf text;
	bool plain;
	ark_buf_init(&host, LIMIT_STORE_PATH);
	ark_buf_init(&text, 2 * LIMIT_STORE_PATH);
	enum ark_rc rc = endpoint(opt, region, &host, &plain, err);
	if (rc < 0)
		return rc;
	const char *scheme = plain ? "http" : "https";
	if (bucket_in_host(opt, ark_buf_view(&host)))
		ark_buf_fmt(&text, "%s://%s.%s", scheme, opt->bucket, host.data);
	else
		ark_buf_fmt(&text, "%s://%s/%s", scheme, host.data, opt->bucket);
	s3->base = ark_strdup(ark_buf_view(&text));
	ark_buf_reset(&text);
	ark_buf_fmt(&text, "bucket '%s' at '%s'", opt->bucket, host.data);
	s3->place = ark_strdup(ark_buf_view(&text));
	s3->region = ark_strdup(ark_str_z(region));
	return ARK_OK;
}

enum ark_rc net_s3_open(const struct net_s3_options *opt, struct net_s3 **out, struct ark_err *err)
{
	enum ark_rc rc = check_options(opt, err);
	if (rc < 0)
		return rc;
	ark_auto(net_s3_closep) struct net_s3 *s3 = ark_calloc(1, sizeof(*s3));
	net_reply_init(&s3->reply);
	ark_buf_init(&s3->url, 8 * LIMIT_STORE_PATH);
	s3->hash = crypt_hash_new();
	s3->bucket = ark_strdupz(opt->bucket);
	s3->access_key = ark_strdupz(opt->access_key);
	s3->secret_key = ark_strdupz(opt->secret_key);
	s3->token = has(opt->session_token) ? ark_strdupz(opt->session_token) : NULL;
	s3->tries = opt->tries > 0 ? opt->tries : 6;
	s3->pause_ms = opt->pause_ms > 0 ? opt->pause_ms : 200;
	s3->part_bytes = opt->part_bytes > 0 ? opt->part_bytes : 8u << 20;
	s3->seed = net_seed();
	rc = set_base(s3, opt, err);
	if (rc == ARK_OK)
		rc = net_open(&opt->net, &s3->net, err);
	if (rc < 0)
		return rc;
	*out = s3;
	s3 = NULL;
	return ARK_OK;
}

static void free_secret(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void net_s3_close(struct net_s3 *s3)
{
	if (s3 == NULL)
		return;
	net_close(s3->net);
	crypt_hash_free(s3->hash);
	net_reply_release(&s3->reply);
	ark_buf_release(&s3->url);
	free(s3->base);
	free(s3->bucket);
	free(s3->place);
	free(s3->region);
	free(s3->access_key);
	free_secret(s3->secret_key);
	free_secret(s3->token);
	free(s3->space);
	free(s3);
}

void net_s3_closep(struct net_s3 **s3)
{
	net_s3_close(*s3);
	*s3 = NULL;
}

/* --- one request ------------------------------------------------------------------------------- */

void net_s3_header(struct net_s3_call *call, const char *line)
{
	if (call->header_count == NET_S3_HEADERS)
		ark_bug("too many headers for an S3 request");
	call->headers[call->header_count++] = line;
}

static enum ark_rc body_digest(struct net_s3 *s3, const struct ark_body *body,
                               char hex[CRYPT_SHA256_HEX], struct ark_err *err)
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	if (body->len == 0) {
		memcpy(hex, SHA256_NOTHING, CRYPT_SHA256_HEX);
		return ARK_OK;
	}
	if (s3->space == NULL)
		s3->space = ark_malloc(SPACE);
	crypt_hash_begin(s3->hash);
	for (uint64_t at = 0; at < body->len;) {
		size_t got;
		enum ark_rc rc = ark_body_read(body, at, s3->space, SPACE, &got, err);
		if (rc < 0)
			return rc;
		crypt_hash_add(s3->hash, s3->space, got);
		at += got;
	}
	crypt_hash_end(s3->hash, digest);
	crypt_hex(digest, sizeof(digest), hex);
	return ARK_OK;
}

static void set_url(struct net_s3 *s3, const struct net_s3_call *call)
{
	ark_buf_reset(&s3->url);
	ark_buf_z(&s3->url, s3->base);
	if (call->key.len > 0 || strchr(s3->base + 8, '/') == NULL)
		ark_buf_c(&s3->url, '/');
	net_url_encode(call->key, true, &s3->url);
	if (call->query != NULL)
		ark_buf_fmt(&s3->url, "?%s", call->query);
}

/* Error codes after which the same request may do better. Fact  docs/s3.md "What is repeated" */
static bool code_again(const char *code)
{
	static const char *const CODES[] = { "SlowDown", "InternalError", "ServiceUnavailable",
		                             "RequestTimeout", "Throttling", "ThrottlingException",
		                             "RequestLimitExceeded", "ConditionalRequestConflict",
		                             "OperationAborted" };
	for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++)
		if (strcmp(code, CODES[i]) == 0)
			return true;
	return false;
}

static enum ark_kind kind_of(int status, const char *code)
{
	if (status == 404)
		return ARK_KIND_MISSING;
	return status == 401 || status == 403 || status == 400 || status == 301 ||
	               strcmp(code, "AccessDenied") == 0
	           ? ARK_KIND_REFUSED
	           : ARK_KIND_IO;
}

static void hint_for(const struct net_s3 *s3, int status, const struct net_s3_error *e,
                     struct ark_err *err)
{
	struct ark_str region = net_reply_header(&s3->reply, "x-amz-bucket-region");
	if (e->region[0] != '\0')
		region = ark_str_z(e->region);
	if (strcmp(e->code, "NoSuchBucket") == 0)
		ark_err_hint(err, "make the bucket first, or check its name and the endpoint");
	else if (strcmp(e->code, "SignatureDoesNotMatch") == 0)
		ark_err_hint(err, "the secret key does not belong to the access key");
	else if (strcmp(e->code, "RequestTimeTooSkewed") == 0)
		ark_err_hint(err, "set this machine's clock");
	else if (region.len > 0 && (status == 400 || status == 301 || status == 403))
		ark_err_hint(err, "the bucket is in region '%.*s': say so with --s3-region or in the "
		                  "configuration", ARK_FMT(region));
	else if (status == 403)
		ark_err_hint(err, "check the keys and what they are allowed to do with this bucket");
}

/* The error of an answer that is none to repeat, or was the last try. */
static enum ark_rc answer_err(const struct net_s3 *s3, const struct net_s3_call *call,
                              struct ark_err *err)
{
	int status = s3->reply.status;
	const struct net_s3_error *e = &call->error;
	ark_auto(ark_buf_release) struct ark_buf key;
	ark_buf_init(&key, ARK_ERR_TEXT / 2);
	if (call->key.len > 0)
		ark_buf_fmt(&key, "'%.*s' in ", ARK_FMT(ark_str_first(call->key, ARK_ERR_TEXT / 3)));
	ark_err_set(err, kind_of(status, e->code), "cannot %s %s%s: status %d%s%s%s%s", call->what,
	            key.data, s3->place, status, e->code[0] != '\0' ? ", " : "", e->code,
	            e->message[0] != '\0' ? ", " : "", e->message);
	ark_text_defuse(err->text);
	hint_for(s3, status, e, err);
	return ARK_FAIL;
}

enum verdict { GOOD, CONDITION, REPEAT, BAD };

static enum verdict judge(struct net_s3 *s3, struct net_s3_call *call)
{
	int status = s3->reply.status;
	call->error = (struct net_s3_error){ 0 };
	bool ok = status >= 200 && status <= 299;
	if (!ok || call->xml_error)
		(void)net_s3_xml_error(ark_buf_view(&s3->reply.body), &call->error);
	if (ok && call->error.code[0] == '\0')
		return GOOD;
	if (code_again(call->error.code) || net_status_again(status))
		return REPEAT;
	if (status == 412 || status == 416)
		return CONDITION;
	return BAD;
}

/* Pause before the next try, or STOP when interrupted. */
static enum ark_rc net_s3_wait(struct net_s3 *s3, unsigned tries, struct ark_err *err)
{
	int64_t pause = net_pause(tries, s3->pause_ms, PAUSE_MAX_MS, &s3->seed), asked;
	struct ark_str after = net_reply_header(&s3->reply, "retry-after");
	if (ark_str_has(after) && net_retry_after(after, ark_time_now_ms(), &asked) && asked > pause)
		pause = asked < 2 * PAUSE_MAX_MS ? asked : 2 * PAUSE_MAX_MS;
	return net_sleep(s3->net, pause, err);
}

/* One try. OK and END as net_s3_do; call->again tells whether a FAIL is one to repeat. */
static enum ark_rc try_once(struct net_s3 *s3, struct net_s3_call *call,
                            const struct net_request *request, struct ark_err *err)
{
	const struct net_signing signing = { s3->region, s3->access_key, s3->secret_key };
	enum ark_rc rc = net_do_signed(s3->net, request, &signing, &s3->reply, err);
	call->again = rc < 0 && (s3->reply.fate == NET_BROKEN || s3->reply.fate == NET_UNREACHABLE);
	if (rc < 0)
		return rc;
	enum verdict v = judge(s3, call);
	call->again = v == REPEAT;
	return v == GOOD ? ARK_OK : v == CONDITION ? ARK_END : answer_err(s3, call, err);
}

enum ark_rc net_s3_do(struct net_s3 *s3, struct net_s3_call *call, struct ark_err *err)
{
	char digest[CRYPT_SHA256_HEX], sha_line[CRYPT_SHA256_HEX + 32];
	ark_auto(ark_buf_release) struct ark_buf token_line;
	ark_buf_init(&token_line, 16384);
	enum ark_rc rc = body_digest(s3, &call->body, digest, err);
	if (rc < 0)
		return rc;
	snprintf(sha_line, sizeof(sha_line), "x-amz-content-sha256: %s", digest);
	net_s3_header(call, sha_line);
	if (s3->token != NULL) {
		ark_buf_fmt(&token_line, "x-amz-security-token: %s", s3->token);
		net_s3_header(call, token_line.data);
	}
	set_url(s3, call);
	if (s3->url.failed)
		return ark_err_set(err, ARK_KIND_INPUT, "a key is too long for %s", s3->place);
	struct net_request request = { .method = call->method, .url = s3->url.data,
		                       .headers = call->headers, .header_count = call->header_count,
		                       .body = call->body, .sink = call->sink,
		                       .ceiling = LIMIT_S3_XML };
	for (unsigned tries = 1;; tries++) {
		rc = try_once(s3, call, &request, err);
		if (rc >= 0 || !call->again || call->once || tries >= s3->tries)
			break;
		if ((rc = net_s3_wait(s3, tries, err)) < 0)
			break;
	}
	call->header_count -= s3->token != NULL ? 2 : 1;
	return rc;
}

/* --- reading ----------------------------------------------------------------------------------- */

static void net_s3_object_of(const struct net_reply *reply, struct net_s3_object *out)
{
	struct ark_str etag = net_reply_header(reply, "etag");
	struct ark_str range = net_reply_header(reply, "content-range");
	struct ark_str size = net_reply_header(reply, "content-length");
	size_t slash = ark_str_find(range, '/', 0);
	*out = (struct net_s3_object){ 0 };
	if (slash != SIZE_MAX)
		size = ark_str_from(range, slash + 1);
	(void)ark_str_u64(size, &out->size);
	if (!net_http_date(net_reply_header(reply, "last-modified"), &out->mtime_ms))
		out->mtime_ms = 0;
	if (etag.len > 0 && etag.len < sizeof(out->etag))
		memcpy(out->etag, etag.ptr, etag.len);
}

enum ark_rc net_s3_head(struct net_s3 *s3, struct ark_str key, struct net_s3_object *out,
                        struct ark_err *err)
{
	struct net_s3_call call = { .method = NET_HEAD, .key = key, .what = "look at",
		                    .body = ark_body_mem(ARK_LIT("")) };
	enum ark_rc rc = net_s3_do(s3, &call, err);
	if (rc == ARK_OK)
		net_s3_object_of(&s3->reply, out);
	return rc == ARK_END ? ark_err_set(err, ARK_KIND_IO, "%s did not say what '%.*s' is", s3->place,
	                                   ARK_FMT(key))
	                     : rc;
}

/* Where a GET stands. */
struct download {
	struct net_s3 *s3;
	struct ark_sink sink;
	uint64_t at;          /* next byte of the object */
	uint64_t end;         /* byte behind the last that is wanted; UINT64_MAX: not known yet */
	bool checked;         /* the answer under way is what was asked for */
	struct net_s3_object object;
	enum ark_rc sink_rc;
};

/* The first byte of the answer: 206 must begin where it was asked to, 200 only at 0. */
static enum ark_rc check_start(struct download *d, struct ark_err *err)
{
	struct net_s3_object now;
	const struct net_reply *reply = &d->s3->reply;
	struct ark_str range = net_reply_header(reply, "content-range");
	uint64_t first = 0;
	net_s3_object_of(reply, &now);
	if (reply->status == 206) {
		size_t blank = ark_str_find(range, ' ', 0);
		struct ark_str from = ark_str_from(range, blank == SIZE_MAX ? range.len : blank + 1);
		if (!ark_str_u64(ark_str_first(from, ark_str_find(from, '-', 0)), &first))
			first = UINT64_MAX;
	}
	if (first != d->at)
		return ark_err_set(err, ARK_KIND_IO, "%s sent another part than the one asked for",
		                   d->s3->place);
	if (d->object.etag[0] != '\0' && strcmp(d->object.etag, now.etag) != 0)
		return ark_err_set(err, ARK_KIND_IO, "an object in %s changed while it was read",
		                   d->s3->place);
	d->object = now;
	if (d->end > now.size)
		d->end = now.size;
	d->checked = true;
	return ARK_OK;
}

static enum ark_rc take_piece(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct download *d = ctx;
	enum ark_rc rc = d->checked ? ARK_OK : check_start(d, err);
	if (rc < 0)
		return d->sink_rc = rc;
	if (len > d->end - d->at)
		return d->sink_rc = ark_err_set(err, ARK_KIND_IO, "%s sent more than it was asked for",
		                                d->s3->place);
	d->sink_rc = d->sink.take != NULL ? d->sink.take(d->sink.ctx, ptr, len, err) : ARK_OK;
	d->at += len;
	return d->sink_rc;
}

/* One request from d->at on. OK: something or everything came; END: nothing is behind d->at. */
static enum ark_rc get_once(struct download *d, struct net_s3_call *call, struct ark_err *err)
{
	char range[80], match[NET_S3_ETAG + 16];
	call->header_count = 0;
	if (d->at > 0 || d->end != UINT64_MAX) {
		if (d->end == UINT64_MAX)
			snprintf(range, sizeof(range), "Range: bytes=%llu-", (unsigned long long)d->at);
		else
			snprintf(range, sizeof(range), "Range: bytes=%llu-%llu", (unsigned long long)d->at,
			         (unsigned long long)(d->end - 1));
		net_s3_header(call, range);
	}
	if (d->object.etag[0] != '\0') {
		snprintf(match, sizeof(match), "If-Match: %s", d->object.etag);
		net_s3_header(call, match);
	}
	d->checked = false;
	enum ark_rc rc = net_s3_do(d->s3, call, err);
	if (rc == ARK_OK && !d->checked && d->end != 0)
		rc = check_start(d, err);
	if (rc == ARK_END && d->s3->reply.status == 412)
		return ark_err_set(err, ARK_KIND_IO, "an object in %s changed while it was read",
		                   d->s3->place);
	return rc;
}

enum ark_rc net_s3_get(struct net_s3 *s3, struct ark_str key, uint64_t from, uint64_t len,
                       struct ark_sink sink, struct net_s3_object *out, struct ark_err *err)
{
	struct download d = { .s3 = s3, .sink = sink, .at = from,
		              .end = len > UINT64_MAX - from ? UINT64_MAX : from + len };
	struct net_s3_call call = { .method = NET_GET, .key = key, .what = "read", .once = true,
		                    .body = ark_body_mem(ARK_LIT("")), .sink = { take_piece, &d } };
	enum ark_rc rc = ARK_OK;
	if (len == 0)
		return out != NULL ? net_s3_head(s3, key, out, err) : ARK_OK;
	for (unsigned tries = 1; tries <= s3->tries; tries++) {
		uint64_t before = d.at;
		rc = get_once(&d, &call, err);
		if (rc == ARK_END)
			return out != NULL ? net_s3_head(s3, key, out, err) : ARK_OK;
		if (d.sink_rc != ARK_OK || (rc < 0 && !call.again))
			return d.sink_rc != ARK_OK ? d.sink_rc : rc;
		if (rc == ARK_OK && d.at >= d.end)
			break;
		if (rc == ARK_OK)
			rc = ark_err_set(err, ARK_KIND_IO, "%s sent less than the whole of '%.*s'", s3->place,
			                 ARK_FMT(key));
		if (d.at > before)
			tries = 0;
		if (tries == s3->tries)
			break;
		enum ark_rc wait = net_s3_wait(s3, tries > 0 ? tries : 1, err);
		if (wait < 0)
			return wait;
	}
	if (rc == ARK_OK && out != NULL)
		*out = d.object;
	return rc;
}

/* --- deleting, listing ------------------------------------------------------------------------- */

enum ark_rc net_s3_delete(struct net_s3 *s3, struct ark_str key, struct ark_err *err)
{
	struct net_s3_call call = { .method = NET_DELETE, .key = key, .what = "delete",
		                    .body = ark_body_mem(ARK_LIT("")) };
	int bad = ark_fail_step("DELETE");
	if (bad != 0)
		return ark_err_errno(err, bad, "cannot delete from %s", s3->place);
	enum ark_rc rc = net_s3_do(s3, &call, err);
	if (rc < 0 && s3->reply.fate == NET_ANSWERED && s3->reply.status == 404 &&
	    strcmp(call.error.code, "NoSuchBucket") != 0)
		return ARK_OK;
	return rc == ARK_END ? answer_err(s3, &call, err) : rc;
}

/* Parameters in the order of their names, all encoded. */
static void list_query(const struct net_s3_page *page, struct ark_str prefix, struct ark_str after,
                       bool by_folder, struct ark_buf *q)
{
	ark_buf_reset(q);
	if (page->token.len > 0) {
		ark_buf_z(q, "continuation-token=");
		net_url_encode(ark_buf_view(&page->token), false, q);
		ark_buf_c(q, '&');
	}
	ark_buf_fmt(q, "%sencoding-type=url&list-type=2&prefix=", by_folder ? "delimiter=%2F&" : "");
	net_url_encode(prefix, false, q);
	if (page->token.len == 0 && after.len > 0) {
		ark_buf_z(q, "&start-after=");
		net_url_encode(after, false, q);
	}
}

static void page_release(struct net_s3_page *page)
{
	ark_buf_release(&page->token);
	ark_buf_release(&page->last);
}

enum ark_rc net_s3_list(struct net_s3 *s3, struct ark_str prefix, struct ark_str after,
                        bool by_folder, net_s3_each_fn *each, void *ctx, struct ark_err *err)
{
	ark_auto(page_release) struct net_s3_page page = { 0 };
	ark_auto(ark_buf_release) struct ark_buf query;
	ark_auto(ark_freep) char *own = ark_strdup(prefix); /* `each` may use the caller's buffer */
	struct ark_str start = ark_str_n(own, prefix.len);
	enum ark_rc rc;
	ark_buf_init(&page.token, LIMIT_STORE_PATH * 3);
	ark_buf_init(&page.last, LIMIT_STORE_PATH * 3);
	ark_buf_init(&query, 8 * LIMIT_STORE_PATH);
	do {
		list_query(&page, start, after, by_folder, &query);
		struct net_s3_call call = { .method = NET_GET, .query = query.data, .what = "list",
			                    .xml_error = true, .body = ark_body_mem(ARK_LIT("")) };
		rc = net_s3_do(s3, &call, err);
		if (rc == ARK_END)
			return answer_err(s3, &call, err);
		if (rc < 0)
			return rc;
		struct ark_buf xml = s3->reply.body; /* `each` may ask the store something */
		ark_buf_init(&s3->reply.body, LIMIT_HTTP_BODY);
		rc = net_s3_xml_list(ark_buf_view(&xml), &page, each, ctx, err);
		ark_buf_release(&xml);
		if (rc < 0 && err->kind == ARK_KIND_INPUT)
			return ark_err_in(err, rc, "%s", s3->place);
	} while (rc == ARK_OK && page.truncated);
	return rc;
}

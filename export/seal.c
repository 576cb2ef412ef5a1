#include "export/seal.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "common/base/fail.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/crypt/tsa.h"
#include "common/net/http.h"
#include "export/sign.h"

#include "common/base/banned.h"

#define TRIES 3
#define TOTAL_MS 60000 /* for one answer */

enum ark_rc export_seal_prepare(struct export_app *a, struct ark_err *err)
{
	const struct export_config *c = a->config;
	a->signs = c->sign != NULL;
	if (c->password_file != NULL && c->sign == NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "--password-file is for the key of --sign, which is missing");
	struct net_url url;
	if (c->timestamp != NULL && !net_url_split(c->timestamp, &url))
		return ark_err_set(err, ARK_KIND_USAGE, "--timestamp: this is no address");
	if (c->timestamp != NULL)
		net_url_release(&url);
	return a->signs ? export_sign_key(c->sign, c->password_file, &a->key, err) : ARK_OK;
}

/* The comment as minisign itself writes it. */
static enum ark_rc write_signature(struct export_app *a, struct ark_str tagmanifest, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf comment, text;
	ark_buf_init(&comment, 1024);
	ark_buf_init(&text, 8192);
	ark_buf_fmt(&comment, "timestamp:%lld\tfile:%s\thashed", (long long)(ark_time_now_ms() / 1000),
	            EXPORT_TAGMANIFEST);
	enum ark_rc rc = crypt_minisign_sign(&a->key, tagmanifest, ark_buf_view(&comment), &text, err);
	return rc == ARK_OK ? export_file_put(a->out, EXPORT_SIGNATURE, EXPORT_PLAIN, ark_buf_view(&text), err) : rc;
}

/* --- time stamp -------------------------------------------------------------------------------- */

/* Fact  RFC 3161 section 3.4: POST, application/timestamp-query, answered by timestamp-reply */
static enum ark_rc ask_once(struct export_app *a, struct net *net, struct ark_str query, struct net_reply *reply,
                            struct ark_err *err)
{
	static const char *const HEADERS[] = { "Content-Type: application/timestamp-query" };
	struct net_request request = { .method = NET_POST, .url = a->config->timestamp, .headers = HEADERS,
		                       .header_count = 1, .body = ark_body_mem(query) };
	int failed = ark_fail_step("ask for a time stamp");
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot ask for a time stamp");
	enum ark_rc rc = net_do(net, &request, reply, err);
	if (rc == ARK_OK && reply->status != 200)
		return ark_err_set(err, ARK_KIND_IO, "the answer is HTTP status %d", reply->status);
	return rc;
}

static enum ark_rc ask(struct export_app *a, struct net *net, struct ark_str query, struct net_reply *reply,
                       struct ark_err *err)
{
	enum ark_rc rc = ARK_FAIL;
	for (int i = 0; i < TRIES && rc == ARK_FAIL; i++) {
		struct timespec pause = { .tv_sec = 1 };
		if (i > 0)
			nanosleep(&pause, NULL);
		rc = ask_once(a, net, query, reply, err);
		bool again = reply->fate == NET_UNREACHABLE || reply->fate == NET_BROKEN || reply->status >= 500;
		if (rc == ARK_FAIL && !again)
			break;
	}
	return rc;
}

static enum ark_rc fetch_stamp(struct export_app *a, struct ark_str tagmanifest, struct net_reply *reply,
                               struct ark_err *err)
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	struct crypt_hash *hash = crypt_hash_new();
	crypt_sha256(hash, tagmanifest.ptr, tagmanifest.len, digest);
	crypt_hash_free(hash);
	uint64_t nonce;
	if (getrandom(&nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return ark_err_errno(err, errno, "cannot get random numbers");
	ark_auto(ark_buf_release) struct ark_buf query;
	ark_buf_init(&query, 4096);
	ark_auto(net_closep) struct net *net = NULL;
	struct net_options opt = { .interrupted = ark_interrupted, .total_ms = TOTAL_MS };
	enum ark_rc rc = crypt_tsa_request(digest, nonce, &query, err);
	if (rc == ARK_OK)
		rc = net_open(&opt, &net, err);
	if (rc == ARK_OK)
		rc = ask(a, net, ark_buf_view(&query), reply, err);
	struct crypt_tsa_claim claim;
	if (rc == ARK_OK)
		rc = crypt_tsa_read(ark_buf_view(&reply->body), digest, &claim, err);
	if (rc == ARK_OK && (!claim.has_nonce || claim.nonce != nonce))
		return ark_err_set(err, ARK_KIND_INPUT, "the answer is one to another request");
	return rc;
}

static enum ark_rc write_stamp(struct export_app *a, struct ark_str tagmanifest, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 4096);
	net_url_shown(a->config->timestamp, true, &shown);
	ark_auto(net_reply_release) struct net_reply reply;
	net_reply_init(&reply);
	enum ark_rc rc = fetch_stamp(a, tagmanifest, &reply, err);
	if (rc == ARK_FAIL) {
		ark_err_hint(err, "nothing was exported; run again when the authority answers, or without --timestamp");
		return ark_err_in(err, rc, "time stamp from '%s'", shown.data);
	}
	return rc == ARK_OK ? export_file_put(a->out, EXPORT_TIMESTAMP, EXPORT_PLAIN, ark_buf_view(&reply.body), err) : rc;
}

/* --- all of it --------------------------------------------------------------------------------- */

enum ark_rc export_seal(struct export_app *a, const struct export_bag_info *info, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf tagmanifest;
	ark_buf_init(&tagmanifest, 1u << 20);
	enum ark_rc rc = export_bag_write(a->out, info, &tagmanifest, err);
	if (rc == ARK_OK)
		rc = ark_buf_ok(&tagmanifest, EXPORT_TAGMANIFEST, err);
	if (rc == ARK_OK && a->signs)
		rc = write_signature(a, ark_buf_view(&tagmanifest), err);
	if (rc == ARK_OK && a->config->timestamp != NULL)
		rc = write_stamp(a, ark_buf_view(&tagmanifest), err);
	ark_progress_phase(&a->bar, "writing to disk", NULL, 0, 0);
	return rc == ARK_OK ? export_out_publish(a->out, err) : rc;
}

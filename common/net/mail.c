/* Through libcurl; what it does not know about mail (texts, headers) stands with the caller. */
#include "common/net/mail.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/net/private.h"

#include "common/base/banned.h"

#define TOTAL_MS 15000

static void easyp(CURL **easy)
{
	curl_easy_cleanup(*easy);
}

static void slistp(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

struct reading {
	struct ark_str rest;
};

static size_t on_read(char *to, size_t size, size_t n, void *ctx)
{
	struct reading *r = ctx;
	size_t len = size * n < r->rest.len ? size * n : r->rest.len;
	if (len > 0)
		memcpy(to, r->rest.ptr, len);
	r->rest = ark_str_from(r->rest, len);
	return len;
}

/* A password never goes out in the clear; without one any encryption is better than none. */
static void set_security(CURL *easy, const struct net_mail *mail)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, mail->tls ? "smtps" : "smtp");
	if (mail->user != NULL) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password != NULL ? mail->password : "");
	}
	if (mail->tls || mail->user != NULL) {
		curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
		return;
	}
	curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

static enum ark_rc failed(CURL *easy, CURLcode code, const char *url, struct ark_err *err)
{
	long answer = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
	if (code == CURLE_USE_SSL_FAILED) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' offers no TLS, and a password is not sent without", url);
		ark_err_hint(err, "use smtps://, or the port at which the server offers STARTTLS");
		return ARK_FAIL;
	}
	if (code == CURLE_LOGIN_DENIED)
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' does not accept user name and password", url);
	if (answer >= 400)
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' does not take the mail: answer %ld", url, answer);
	return net_curl_err(easy, code, url, err);
}

enum ark_rc net_mail_send(const struct net_options *opt, const struct net_mail *mail,
                          struct ark_err *err)
{
	struct net_options o = *opt;
	struct net_setup setup;
	enum ark_rc rc = net_global(err);
	if (rc < 0)
		return rc;
	o.total_ms = opt->total_ms > 0 ? opt->total_ms : TOTAL_MS;
	net_setup_init(&setup, &o);
	ark_auto(easyp) CURL *easy = net_easy_new(&setup);
	net_setup_release(&setup);
	ark_auto(slistp) struct curl_slist *to = NULL;
	ark_auto(ark_buf_release) struct ark_buf url;
	ark_buf_init(&url, 4096);
	if (easy == NULL)
		return ark_err_set(err, ARK_KIND_MEMORY, "libcurl has no memory");
	for (size_t i = 0; i < mail->to_count; i++)
		to = curl_slist_append(to, mail->to[i]);
	ark_buf_fmt(&url, "%s://%s", mail->tls ? "smtps" : "smtp", mail->host);
	if (mail->port > 0)
		ark_buf_fmt(&url, ":%d", mail->port);
	rc = ark_buf_ok(&url, "the address of the mail server", err);
	if (rc < 0)
		return rc;
	struct reading r = { mail->text };
	curl_easy_setopt(easy, CURLOPT_URL, url.data);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, &r);
	set_security(easy, mail);
	CURLcode code = curl_easy_perform(easy);
	return code == CURLE_OK ? ARK_OK : failed(easy, code, url.data, err);
}

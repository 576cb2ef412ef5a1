#define OPENSSL_API_COMPAT 30000 /* names that 3.4 replaced are the ones that 3.0 has */

#include "common/crypt/tsa.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ts.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define ANSWER_MAX (1u << 20)

static void req_freep(TS_REQ **r)
{
	TS_REQ_free(*r);
}

static void resp_freep(TS_RESP **r)
{
	TS_RESP_free(*r);
}

static void imprint_freep(TS_MSG_IMPRINT **i)
{
	TS_MSG_IMPRINT_free(*i);
}

static void algorithm_freep(X509_ALGOR **a)
{
	X509_ALGOR_free(*a);
}

static void integer_freep(ASN1_INTEGER **i)
{
	ASN1_INTEGER_free(*i);
}

/* What libcrypto says, and nothing of it is left for the next question. */
static enum ark_rc said(struct ark_err *err, const char *what)
{
	char text[256] = "";
	unsigned long code = ERR_peek_last_error();
	if (code != 0)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
	return ark_err_set(err, ARK_KIND_INPUT, "%s%s%s", what, code != 0 ? ": " : "", reason != NULL ? reason : text);
}

/* Fact  RFC 3161 section 2.4.1: version 1, imprint, nonce, certReq */
enum ark_rc crypt_tsa_request(const unsigned char sha256[CRYPT_SHA256_BYTES], uint64_t nonce, struct ark_buf *out,
                              struct ark_err *err)
{
	ark_auto(req_freep) TS_REQ *req = TS_REQ_new();
	ark_auto(imprint_freep) TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	ark_auto(algorithm_freep) X509_ALGOR *algorithm = X509_ALGOR_new();
	ark_auto(integer_freep) ASN1_INTEGER *number = ASN1_INTEGER_new();
	unsigned char digest[CRYPT_SHA256_BYTES];
	memcpy(digest, sha256, sizeof(digest));
	bool made = req != NULL && imprint != NULL && algorithm != NULL && number != NULL &&
	            X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
	            TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
	            TS_MSG_IMPRINT_set_msg(imprint, digest, (int)sizeof(digest)) == 1 &&
	            ASN1_INTEGER_set_uint64(number, nonce) == 1 && TS_REQ_set_version(req, 1) == 1 &&
	            TS_REQ_set_msg_imprint(req, imprint) == 1 && TS_REQ_set_nonce(req, number) == 1 &&
	            TS_REQ_set_cert_req(req, 1) == 1;
	unsigned char *der = NULL;
	int len = made ? i2d_TS_REQ(req, &der) : -1;
	if (len <= 0)
		return said(err, "cannot make a request for a time stamp");
	ark_buf_add(out, (const char *)der, (size_t)len);
	OPENSSL_free(der);
	return ark_buf_ok(out, "a request for a time stamp", err);
}

static TS_RESP *parse(struct ark_str answer)
{
	if (answer.len == 0 || answer.len > ANSWER_MAX)
		return NULL;
	const unsigned char *at = (const unsigned char *)answer.ptr;
	TS_RESP *resp = d2i_TS_RESP(NULL, &at, (long)answer.len);
	ERR_clear_error();
	return resp;
}

/* Why an authority said no, in its own words where it has any. */
static enum ark_rc not_granted(TS_STATUS_INFO *status, long code, struct ark_err *err)
{
	const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(status);
	const ASN1_UTF8STRING *text = texts != NULL && sk_ASN1_UTF8STRING_num(texts) > 0 ? sk_ASN1_UTF8STRING_value(texts, 0)
	                                                                                 : NULL;
	struct ark_str why = text != NULL ? ark_str_n((const char *)ASN1_STRING_get0_data(text),
	                                              (size_t)ASN1_STRING_length(text))
	                                  : ARK_LIT("");
	return ark_err_set(err, ARK_KIND_INPUT, "the authority granted no time stamp (status %ld%s%.*s)", code,
	                   why.len > 0 ? ": " : "", ARK_FMT(why));
}

static bool imprint_is(TS_TST_INFO *info, const unsigned char *sha256)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
	const ASN1_OBJECT *algorithm = NULL;
	X509_ALGOR_get0(&algorithm, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
	const ASN1_OCTET_STRING *digest = TS_MSG_IMPRINT_get_msg(imprint);
	return OBJ_obj2nid(algorithm) == NID_sha256 && ASN1_STRING_length(digest) == CRYPT_SHA256_BYTES &&
	       memcmp(ASN1_STRING_get0_data(digest), sha256, CRYPT_SHA256_BYTES) == 0;
}

enum ark_rc crypt_tsa_read(struct ark_str answer, const unsigned char sha256[CRYPT_SHA256_BYTES],
                           struct crypt_tsa_claim *out, struct ark_err *err)
{
	ark_auto(resp_freep) TS_RESP *resp = parse(answer);
	if (resp == NULL)
		return ark_err_set(err, ARK_KIND_INPUT, "this is no answer of a time stamping authority");
	TS_STATUS_INFO *status = TS_RESP_get_status_info(resp);
	long code = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	if ((code != 0 && code != 1) || info == NULL) /* granted, granted with modifications */
		return not_granted(status, code, err);
	if (!imprint_is(info, sha256))
		return ark_err_set(err, ARK_KIND_INPUT, "the time stamp is about something else");
	struct tm tm;
	if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
		return said(err, "the time stamp has no time");
	struct crypt_tsa_claim claim = { .time_ms = (int64_t)timegm(&tm) * 1000 };
	const ASN1_INTEGER *nonce = TS_TST_INFO_get_nonce(info);
	claim.has_nonce = nonce != NULL && ASN1_INTEGER_get_uint64(&claim.nonce, nonce) == 1;
	*out = claim;
	return ARK_OK;
}

static void verify_freep(TS_VERIFY_CTX **c)
{
	TS_VERIFY_CTX_free(*c);
}

enum ark_rc crypt_tsa_verify(struct ark_str answer, const unsigned char sha256[CRYPT_SHA256_BYTES],
                             const char *ca_file, struct ark_err *err)
{
	ark_auto(resp_freep) TS_RESP *resp = parse(answer);
	if (resp == NULL)
		return ark_err_set(err, ARK_KIND_INPUT, "this is no answer of a time stamping authority");
	ark_auto(verify_freep) TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	X509_STORE *store = X509_STORE_new();
	unsigned char *digest = OPENSSL_memdup(sha256, CRYPT_SHA256_BYTES);
	if (ctx == NULL || store == NULL || digest == NULL)
		ark_bug("no room for a certificate store");
	/* The context takes both and frees them. */
	TS_VERIFY_CTX_set_store(ctx, store);
	TS_VERIFY_CTX_set_imprint(ctx, digest, CRYPT_SHA256_BYTES);
	TS_VERIFY_CTX_set_flags(ctx, TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_IMPRINT);
	if (X509_STORE_load_file(store, ca_file) != 1) {
		ERR_clear_error();
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' holds no certificate in PEM form, or cannot be read", ca_file);
	}
	X509_STORE_set_purpose(store, X509_PURPOSE_TIMESTAMP_SIGN);
	if (TS_RESP_verify_response(ctx, resp) != 1)
		return said(err, "no authority of the given certificates signed the time stamp");
	return ARK_OK;
}

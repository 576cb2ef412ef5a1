/*
 * Signature Version 4. Ours, because no libcurl signs all that we ask for: 7.88 leaves out what newer ones add, and
 * 8.13 and later sign a blank where a query has a plus, and no path that they must leave as it is.
 *
 * Fact  docs/s3.md "How requests are written"
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/crypt/hash.h"
#include "common/net/private.h"

#include "common/base/banned.h"

#define SIGNED_PREFIX "x-amz-"
#define SIGNED_MAX    16 /* of the requests of this room five at most */

/* A request's URL in its parts, borrowed. */
struct parts {
	struct ark_str host, path, query;
};

static struct parts split(const char *url)
{
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	size_t len = strcspn(host, "/?");
	const char *path = host + len;
	size_t path_len = strcspn(path, "?");
	struct parts p = { ark_str_n(host, len), ark_str_n(path, path_len), ARK_LIT("") };
	if (path[path_len] == '?')
		p.query = ark_str_z(path + path_len + 1);
	return p;
}

/* Lines to sign, by name: a few, so they are put in order one by one. */
static size_t sorted_headers(const struct net_request *r, const char *date, const char *lines[SIGNED_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i <= r->header_count; i++) {
		const char *line = i < r->header_count ? r->headers[i] : date;
		if (strncasecmp(line, SIGNED_PREFIX, strlen(SIGNED_PREFIX)) != 0)
			continue;
		if (count == SIGNED_MAX)
			ark_bug("more than %d headers to sign", SIGNED_MAX);
		size_t at = count++;
		for (; at > 0 && strcasecmp(lines[at - 1], line) > 0; at--)
			lines[at] = lines[at - 1];
		lines[at] = line;
	}
	return count;
}

static const char *method_name(enum net_method m)
{
	static const char *const NAMES[] = { [NET_GET] = "GET", [NET_HEAD] = "HEAD", [NET_PUT] = "PUT",
		                             [NET_POST] = "POST", [NET_DELETE] = "DELETE" };
	return NAMES[m];
}

static void value_of(const char *line, struct ark_str *name, struct ark_str *value)
{
	size_t colon = strcspn(line, ":");
	const char *v = line[colon] == ':' ? line + colon + 1 : line + colon;
	while (*v == ' ')
		v++;
	size_t len = strlen(v);
	while (len > 0 && v[len - 1] == ' ')
		len--;
	*name = ark_str_n(line, colon);
	*value = ark_str_n(v, len);
}

/* The text whose digest is signed, and the names of the headers in it. */
static void canonical(const struct net_request *r, const char *date, struct ark_buf *text,
                      struct ark_buf *names)
{
	const char *lines[SIGNED_MAX];
	size_t count = sorted_headers(r, date, lines);
	struct parts url = split(r->url);
	struct ark_str name, value, payload = ARK_LIT("");
	struct ark_str path = url.path.len > 0 ? url.path : ARK_LIT("/");
	ark_buf_fmt(text, "%s\n%.*s\n%.*s\nhost:%.*s\n", method_name(r->method), ARK_FMT(path),
	            ARK_FMT(url.query), ARK_FMT(url.host));
	ark_buf_z(names, "host");
	for (size_t i = 0; i < count; i++) {
		value_of(lines[i], &name, &value);
		ark_buf_fmt(text, "%.*s:%.*s\n", ARK_FMT(name), ARK_FMT(value));
		ark_buf_fmt(names, ";%.*s", ARK_FMT(name));
		if (ark_str_eqz(name, "x-amz-content-sha256"))
			payload = value;
	}
	ark_buf_fmt(text, "\n%s\n%.*s", names->data, ARK_FMT(payload));
}

static void digest_hex(struct ark_str text, char hex[CRYPT_SHA256_HEX])
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	struct crypt_hash *h = crypt_hash_new();
	crypt_sha256(h, text.ptr, text.len, digest);
	crypt_hash_free(h);
	crypt_hex(digest, sizeof(digest), hex);
}

/* One link of the chain from secret to key: the key becomes the HMAC of `text` under it. */
static void derive(unsigned char key[CRYPT_SHA256_BYTES], const char *text)
{
	crypt_hmac_sha256(key, CRYPT_SHA256_BYTES, text, strlen(text), key);
}

static void signature(const struct net_signing *s, const char *day, struct ark_str text,
                      char hex[CRYPT_SHA256_HEX])
{
	unsigned char key[CRYPT_SHA256_BYTES];
	ark_auto(ark_buf_release) struct ark_buf first;
	ark_buf_init(&first, SIZE_MAX / 2);
	ark_buf_fmt(&first, "AWS4%s", s->password);
	crypt_hmac_sha256(first.data, first.len, day, strlen(day), key);
	explicit_bzero(first.data, first.len);
	derive(key, s->region);
	derive(key, "s3");
	derive(key, "aws4_request");
	crypt_hmac_sha256(key, sizeof(key), text.ptr, text.len, key);
	crypt_hex(key, sizeof(key), hex);
}

void net_sign(const struct net_request *request, const struct net_signing *signing, int64_t now_ms,
              struct net_sign_lines *out)
{
	char stamp[32], day[16], hex[CRYPT_SHA256_HEX];
	struct ark_civil c = ark_time_civil(now_ms);
	ark_auto(ark_buf_release) struct ark_buf text, names, scope;
	ark_buf_init(&text, SIZE_MAX / 2);
	ark_buf_init(&names, SIZE_MAX / 2);
	ark_buf_init(&scope, SIZE_MAX / 2);
	ark_buf_init(&out->host, SIZE_MAX / 2);
	ark_buf_init(&out->date, SIZE_MAX / 2);
	ark_buf_init(&out->authorization, SIZE_MAX / 2);
	snprintf(day, sizeof(day), "%04d%02d%02d", c.year % 10000, c.month % 100, c.day % 100);
	snprintf(stamp, sizeof(stamp), "%sT%02d%02d%02dZ", day, c.hour % 100, c.minute % 100, c.second % 100);
	ark_buf_fmt(&out->date, "x-amz-date: %s", stamp);
	ark_buf_fmt(&out->host, "Host: %.*s", ARK_FMT(split(request->url).host));

	canonical(request, out->date.data, &text, &names);
	digest_hex(ark_buf_view(&text), hex);
	ark_buf_fmt(&scope, "%s/%s/s3/aws4_request", day, signing->region);
	ark_buf_reset(&text);
	ark_buf_fmt(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope.data, hex);
	signature(signing, day, ark_buf_view(&text), hex);
	ark_buf_fmt(&out->authorization,
	            "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", signing->user,
	            scope.data, names.data, hex);
}
